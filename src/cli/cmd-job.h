/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What write, plan and check share: the request made of options, errors with what to do next. */
#ifndef ISOWRITE_CLI_CMD_JOB_H
#define ISOWRITE_CLI_CMD_JOB_H

#include "cli/cmd.h"
#include "job/job.h"

typedef int (*job_fn)(const struct job_request *req, const struct events *events, struct report *r);

/* The request of the options; the operands are the image and the targets. */
void cmd_make_request(const struct options *o, struct job_request *ret);

/*
 * Runs the job with progress and questions on the terminal, prints its errors
 * and, with --json, its object. Otherwise print (may be NULL) prints the
 * result. Returns the exit status; dies by the signal that stopped the job.
 */
int cmd_run_job(struct ui *ui, const char *command, job_fn job,
		void (*print)(struct ui *ui, const struct report *r));

/*
 * Below an error: "Sticks that may be written: /dev/sdb SanDisk Ultra 32 GB". missing: a target
 * that does not exist, or NULL; if one stick is near it: "Did you mean /dev/sdb (SanDisk Ultra,
 * 32 GB)?". Nothing where there is no stick but the one that was refused (0: none was).
 */
void cmd_print_sticks(struct ui *ui, const char *missing, dev_t refused);

/* ui_fail() of what could not be opened, and what to do: sudo, or another device, as above. */
int cmd_fail_device(struct ui *ui, const struct error *err, const char *path);

/* isowrite without arguments; with an image only. Exit status 2. */
int cmd_first_contact(const struct options *opts, struct ui *ui);
int cmd_no_target(const struct options *opts, struct ui *ui);

/*
 * What they print, of any devices: the sticks are moved to the front of the list. columns: of the
 * terminal, 0: none. lay NULL: standard input, which is not looked at. bytes: UINT64_MAX unknown.
 */
void first_print_contact(FILE *out, unsigned int columns, struct device_info *list, size_t n_list);
void first_print_no_target(FILE *out, unsigned int columns, const char *path, uint64_t bytes,
			   const struct layout *lay, struct device_info *list, size_t n_list);

#endif
