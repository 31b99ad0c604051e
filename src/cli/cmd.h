/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a command gets (parsed options, the two text streams) and what it gives
 * back (an exit status). Only this layer knows argv, terminals and colour.
 *
 *	int cmd_foo(const struct options *opts, struct ui *ui)
 *	{
 *		struct error err = ERROR_INIT;
 *
 *		if (foo(opts->operands[0], &err) < 0)
 *			return ui_fail(ui, &err);
 *		if (ui_wants_json(ui)) {
 *			struct json j;
 *
 *			ui_json_begin(ui, &j, 0);
 *			json_u64(&j, "foo", 1);
 *			return ui_json_end(ui, &j, findings, n_findings, 0);
 *		}
 *		fprintf(ui->out, _("1 foo\n"));
 *		return 0;
 *	}
 */
#ifndef ISOWRITE_CLI_CMD_H
#define ISOWRITE_CLI_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "image/layout.h"
#include "plan/plan-format.h"

enum command_id {
	COMMAND_WRITE,
	COMMAND_PLAN,
	COMMAND_INSPECT,
	COMMAND_DEVICES,
	COMMAND_CHECK,
	COMMAND_VERIFY,
	COMMAND_FORMAT,
	COMMAND_READ,
	COMMAND_BOOT_TEST,
	COMMAND_REPORT, /* the option --report: no word of its own */
	N_COMMANDS,
};

const char *command_name(enum command_id command); /* "write", "inspect" ... */

enum json_mode { JSON_NONE, JSON_OBJECT, JSON_LINES };
enum progress_mode { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_LINES, PROGRESS_NONE };
enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

#define OPTIONS_MAX_DIGESTS 8

/* argv, understood. Strings point into argv. Only what the command takes can be set. */
struct options {
	enum command_id command;
	bool is_named; /* the command was: it is not write because nothing else was said */
	const char *const *argv; /* all, for the commands that messages suggest; ends with NULL */
	const char *const *operands; /* without the command's name; their count was checked */
	size_t n_operands;

	bool yes, dry_run; /* -y, -n */
	const char *mode; /* "auto" by default */
	uint32_t boot_entry;
	bool strict_gpt;
	const char *add_efi, *add_bios; /* --add-boot */
	bool fix_gpt;
	struct digest want[OPTIONS_MAX_DIGESTS]; /* --sha256, --digest */
	size_t n_want;
	const char *sums; /* --sums: path or NULL */
	bool no_sums;
	const char *require; /* "digest", "none" or NULL */
	bool no_verify;
	uint32_t allow; /* bits 1u << enum device_rule */
	bool allow_truncated;
	bool unmount, keep_going;
	const char *receipt; /* path or NULL */
	bool overwrite;
	const char *bmap; /* path, "none" or NULL */
	bool bmap_zero;
	const char *seed;
	uint64_t size; /* bytes, 0 not given */
	uint32_t sector_size; /* plan; 0 not given */
	bool strict; /* check */
	enum format_type type; /* format */
	enum format_table table;
	const char *label; /* or NULL */
	const char *output; /* read: -o, "-" standard output; or NULL */
	const char *backup; /* write: path or NULL */
	const char *compress; /* read, --backup: "zst", "none", or NULL: by the name */
	bool used; /* read */
	bool full; /* inspect: without a read budget */
	const char *dbx; /* inspect: a list of what Secure Boot refuses, or NULL */
	const char *svg; /* inspect: path of the picture, or NULL */
	bool all, list; /* devices */
	bool report;
	const char *protect, *unprotect; /* devices: the node, or NULL */

	unsigned int firmwares; /* boot-test: bits 1u << enum boot_firmware; 0 not given */
	bool as_cd, secure_boot, gui;
	double timeout; /* seconds, 0 not given */
	const char *expect, *screenshot; /* or NULL */
	uint64_t memory; /* bytes, 0 not given */

	enum progress_mode progress;
	enum json_mode json;
	enum color_mode color;
	bool bytes; /* -b: sizes as plain numbers of bytes */
	bool quiet;
	unsigned int verbose; /* how often -v was given */
};

struct ui {
	const struct options *opts;
	time_t started;

	/*
	 * Text goes here: standard output and standard error, or, where the locale is not UTF-8,
	 * streams before them that write every other character as \xNN.
	 */
	FILE *out, *err;
	bool is_utf8; /* the locale is */
	bool color, err_color; /* out and err take colour */
	unsigned int err_columns; /* of the terminal that err is, 0: it is none */
};

static inline bool ui_wants_json(const struct ui *ui)
{
	return ui->opts->json != JSON_NONE;
}

/*
 * "isowrite: <message>" on standard error, and with --json an object that holds nothing but the
 * common members and the error as a finding. Returns the exit status of err->kind.
 */
int ui_fail(struct ui *ui, const struct error *err);

/* "isowrite: <message>" on standard error; no JSON. For what does not end the command. */
void ui_warn(struct ui *ui, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A line below a message: what to do about it. */
void ui_note(struct ui *ui, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The members that every object begins with: schema, isowrite, command, exit, started, finished. */
void ui_json_begin(struct ui *ui, struct json *j, int exit_status);

/*
 * Adds "findings", closes the object, prints it on standard output and frees j. Returns
 * exit_status (the one given to ui_json_begin), or 1 if memory ran out.
 */
int ui_json_end(struct ui *ui, struct json *j, const struct layout_finding *findings,
		size_t n_findings, int exit_status);

/* A size for people: "6.2 GB"; with -b the plain number. At least NUM_SIZE_LEN bytes. */
const char *ui_size(const struct ui *ui, char *buf, size_t buf_size, uint64_t size);

/*
 * The commands, one file each. Everything is printed through ui; the return value is the exit
 * status. Whether standard output could be written is checked by main().
 */
int cmd_write(const struct options *opts, struct ui *ui);
int cmd_plan(const struct options *opts, struct ui *ui);
int cmd_inspect(const struct options *opts, struct ui *ui);
int cmd_devices(const struct options *opts, struct ui *ui);
int cmd_check(const struct options *opts, struct ui *ui);
int cmd_verify(const struct options *opts, struct ui *ui);
int cmd_report(const struct options *opts, struct ui *ui);
int cmd_format(const struct options *opts, struct ui *ui);
int cmd_read(const struct options *opts, struct ui *ui);
int cmd_boot_test(const struct options *opts, struct ui *ui);

#endif
