/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything a job found and did, in one structure: what ui-tty words, what
 * ui-json prints, what a receipt records. Owned by the job's caller.
 */
#ifndef ISOWRITE_JOB_REPORT_H
#define ISOWRITE_JOB_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "image/layout.h"
#include "image/source.h"
#include "io/copyout.h"
#include "io/device.h"
#include "io/engine.h"
#include "plan/plan-format.h"
#include "plan/plan.h"

enum target_status {
	TARGET_UNTOUCHED,
	TARGET_REFUSED, /* a safety rule */
	TARGET_CANCELLED,
	TARGET_FAILED,
	TARGET_WRITTEN, /* not verified */
	TARGET_VERIFIED,
	TARGET_CHANGED, /* check: differs only by what use of the stick explains */
	TARGET_READ, /* read: it is in the file */
};

enum trust_verdict {
	TRUST_NONE,
	TRUST_DIGEST,
	TRUST_LISTED,
	TRUST_SIGNED,
	TRUST_MISMATCH,
	TRUST_BAD_SIGNATURE,
};

#define TRUST_NOTE_SIZE 384
#define TRUST_DETAIL_SIZE 704 /* a list's name, the note, and some words */

/* The image's digests by one algorithm; len 0: not known. */
struct report_digest {
	const char *alg;
	struct digest file, content; /* of the file as it is, of what it decompresses to */
};

/* Bytes of the image. */
struct report_range {
	uint64_t offset, length;
};

/* What was on a device, in a file: by read, or by --backup. */
struct report_copy {
	char path[4096]; /* of the file; "-": standard output */
	const char *compression; /* "none", "zstd" */
	uint64_t length; /* bytes of content, decompressed */
	uint64_t device_bytes; /* of the device, from its first on */
	char used_by[96]; /* read --used: what ends there; "" for the whole device */
	struct plan *plan; /* owned: what in it differs from the device; NULL: nothing */
	bool is_there; /* complete, and under its name */
	bool was_written_to; /* the device, while it was read */
	char restore[2048]; /* the command that puts it back, "" if there is none to want */
	char no_restore[512]; /* why that is none of ours, or "" */
	struct copyout_result result;
};

struct report_target {
	char path[4096];
	struct device_info info;
	int plan; /* index in plans, -1 before planning */
	enum target_status status;
	struct engine_result result;
	struct error error; /* kind != ERROR_NONE: why it is not written or verified */
	bool has_rule; /* a safety rule refused it */
	enum device_rule rule;
	char error_file[256]; /* file inside the ISO that the first bad byte belongs to, "" */
	char changed_by_use[256]; /* check: differences that use of the stick explains, "" */
	/* What of the image is neither written nor compared: a block map leaves it out. */
	struct report_range *not_covered; /* owned; ascending */
	size_t n_not_covered;
	bool was_unmounted, can_unplug;
	struct report_copy *copy; /* owned: read, --backup; or NULL */
};

struct report_plan {
	struct plan *plan; /* owned */
	struct digest sha256; /* over the planned bytes; len 0 unknown */
	struct layout *layout; /* owned: what its bytes say, of a hybrid; NULL: as the image */
	struct format_volume volume; /* format: what it becomes */
};

struct report {
	const char *command; /* "write", "plan", "check", "format" */
	bool is_dry_run; /* plan, format -n: touches nothing, plans for refused targets too */
	time_t started, finished;
	char image_path[4096];
	bool is_receipt; /* check: image_path is a receipt; has_layout is false */
	bool is_strict; /* check --strict */
	const char *compression;
	uint64_t image_size; /* bytes of the file as it is; UINT64_MAX for a pipe */
	uint64_t content_size; /* UINT64_MAX until known */
	struct digest image_sha256, content_sha256; /* len 0: not known */
	struct report_digest digests[SOURCE_MAX_DIGESTS]; /* all that were computed to compare */
	size_t n_digests;
	bool has_layout;
	struct layout layout;
	bool source_is_seekable;
	char bmap_path[4096]; /* the block map used, or "" */
	char bmap_beside[4096]; /* one that was not, or "" */
	bool bmap_zero; /* --bmap-zero */
	const char *backup; /* write --backup: the file that gets what was on the target, or NULL */
	bool is_mode_auto; /* nobody asked for the planner that was chosen */
	enum trust_verdict trust;
	char trust_by[256]; /* escaped: the list's name; or the digest given */
	char trust_detail[TRUST_DETAIL_SIZE]; /* "matches the digest you gave", or of a mismatch the sentence */
	char trust_note[TRUST_NOTE_SIZE]; /* of TRUST_LISTED: what "listed in ..." goes on with, or "" */
	char trust_name[256]; /* escaped: how the list calls the image, where it is renamed, or "" */
	const char *trust_alg; /* what was compared: "sha256", or NULL */
	const char *trust_of; /* "file" or "content" matched, or NULL */
	size_t n_plans;
	struct report_plan *plans;
	size_t n_targets;
	struct report_target *targets;
	struct error error; /* what ended the whole job; ERROR_NONE if only targets count */
	int exit_status;
	uint32_t n_findings; /* the job's own, beside layout.findings */
	struct layout_finding findings[LAYOUT_MAX_FINDINGS];
};

struct report *report_new(const char *command); /* NULL: out of memory */
void report_free(struct report *r); /* NULL ok */

/* format has no image. */
bool report_has_image(const struct report *r);

/* 0, one status, or 64 (some targets verified and some not), from error and targets. */
int report_exit_status(const struct report *r);

/* Adds to the ranges not covered by target t; -1: out of memory. */
int report_add_not_covered(struct report_target *t, uint64_t offset, uint64_t length);

/* Bytes of all ranges not covered. */
uint64_t report_not_covered(const struct report_target *t);

/* Bytes inside the image that a plan makes zero: not mapped, with --bmap-zero. */
uint64_t report_zeroed(const struct report *r, const struct report_target *t);

/* Adds to findings; the 33rd is dropped. fmt makes one escaped sentence. */
void report_add_finding(struct report *r, enum layout_severity severity, const char *code,
			const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same as members of the open object: a receipt adds its own. */
void report_members_to_json(const struct report *r, struct json *j);

/* The common members: "schema" to "findings". */
void report_frame_to_json(const struct report *r, struct json *j);

/* Members of the open object: what was read into which file. */
void report_copy_to_json(const struct report_target *t, struct json *j);

/* The whole JSON object of `read`. */
void report_read_to_json(const struct report *r, struct json *j);

/* The whole JSON object of interface "write", "plan" or "check". */
void report_to_json(const struct report *r, struct json *j);

/*
 * One sentence, or two, on a failed read-back and what to do: escaped. It is
 * also the message of the target's error.
 */
const char *report_describe_mismatch(const struct report *r, size_t target, char *buf, size_t size);

/*
 * The object of verify: "images", each with "image", "trust", "exit" and "error"; of a single
 * one the first two also stand at the top, as in write.
 */
void report_verify_to_json(const struct report *const *reports, size_t n, int exit_status,
			   struct json *j);

/* layout as JSON members of the open object ("kind", "volume", "el_torito", ...). */
void report_layout_to_json(const struct layout *lay, struct json *j);

/* The member "boot" of it. */
void report_boot_to_json(const struct layout *lay, struct json *j);

/* "none", "listed", "signed", ... */
const char *trust_verdict_name(enum trust_verdict v);
const char *target_status_name(enum target_status s);

#endif
