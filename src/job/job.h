/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The jobs behind the commands. None of them prints; none exits.
 *
 * Four roles will be processes of their own, each confined to what it needs.
 * They run in one process still, but nothing crosses these lines except what
 * could go over a pipe:
 *
 *   front end  src/cli: the terminal or JSON, the question. Gets events and the
 *              report; may end at once, whatever a device does.
 *   monitor    io/target*.c: opens, unmounts, locks, re-reads a table, closes:
 *              what needs privileges. Gets paths and descriptors, no image.
 *   copier     io/engine, lane, pump, verify, ring: target descriptors and bytes
 *              in the plan's order. Parses nothing of an image.
 *   parser     src/image, src/disk, src/plan: the image's descriptor, no target.
 *              Gives the flat struct layout, plans (re-validated by plan_check)
 *              and the bytes of a decompressed stream.
 */
#ifndef ISOWRITE_JOB_JOB_H
#define ISOWRITE_JOB_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "job/event.h"
#include "job/report.h"
#include "plan/plan-format.h"

struct job_request {
	const char *image; /* NULL with format */
	const struct format_request *format; /* NULL: an image is written */
	bool has_format_seed; /* its seed was given, and is not ours */
	const char *const *targets;
	size_t n_targets;
	const char *mode; /* --mode, default "auto" */
	bool fix_gpt;
	uint32_t boot_entry; /* --boot-entry, from 1; 0: not given */
	bool strict_gpt;
	const char *add_efi, *add_bios; /* --add-boot: paths, or NULL */
	const char *seed; /* --seed UUID or NULL */
	const char *bmap; /* path of a block map, "none": not even mentioned, or NULL */
	bool bmap_zero; /* what it does not map becomes zero */
	struct digest want[8]; /* --sha256, --digest */
	size_t n_want;
	const char *sums; /* --sums FILE or NULL: the lists beside the image, unless ... */
	bool no_sums; /* ... --no-sums */
	const char *require; /* "digest", "signature", "none" or NULL */
	bool no_verify;
	uint32_t allow; /* bit 1u << enum device_rule */
	bool allow_truncated;
	bool yes; /* no question */
	bool unmount, keep_going;
	const char *receipt; /* path to write, or NULL */
	bool overwrite_receipt;
	uint64_t size; /* plan --size, size of a new file target; 0 = not given */
	uint32_t sector_size; /* plan without target: 512 */
	bool strict; /* check --strict */
	const char *output; /* read -o: the file, "-" standard output */
	const char *backup; /* write: what was on the target goes there first, or NULL */
	const char *compress; /* output, backup: "zst", "none", or NULL: by the file's name */
	bool overwrite; /* output and backup may replace a file */
	bool used; /* read: up to the end of the last partition */
};

/*
 * Where the errors are: report->error ends the whole job (a bad image, a wrong
 * digest, "no" at the question, a target named twice); what concerns one target
 * (a rule, no permission, too small, I/O) is in that target's error. Without a
 * terminal (ANSWER_CANNOT_ASK) and without req->yes it is ERROR_USAGE
 * "no-terminal". Rule contents is asked for first, by QUESTION_TYPE_SIZE a
 * target; QUESTION_WRITE follows unless every target was typed.
 *
 * write: open, detect, plan, check against every target, show and confirm,
 * write, flush, gate, verify, commit, report. *r is filled also on failure;
 * returns the exit status.
 */
int job_write(const struct job_request *req, const struct events *events, struct report *r);

/*
 * format is job_write() with req->format and the report's command "format": the same
 * story, rules, question and engine, only without an image.
 */

/* plan: the same up to the plan; touches nothing. */
int job_plan(const struct job_request *req, const struct events *events, struct report *r);

/*
 * check IMAGE|RECEIPT TARGET: does the target still hold it? A receipt is told
 * by its content. Needs the request's image, one target, mode and its options, seed, strict.
 */
int job_check(const struct job_request *req, const struct events *events, struct report *r);

/*
 * verify IMAGE: is it what its makers publish? Compares with digests and lists,
 * says nothing of a target. Needs the request's image, want, sums, require.
 * ERROR_TRUST where it does not match, or where there is nothing to compare with.
 */
int job_verify(const struct job_request *req, const struct events *events, struct report *r);

/*
 * read: a device or disc into a file, compared with it afterwards. The device is the request's
 * one target; output, compress, overwrite, used, keep_going (zeros for what cannot be read),
 * no_verify, unmount. Errors are in report->error; r->targets[0].copy says what was read.
 */
int job_read(const struct job_request *req, const struct events *events, struct report *r);

#endif
