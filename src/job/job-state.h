/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of a job share while it runs; job.c tells the story, one
 * file each does a part:
 *
 *   job-image.c    opens the image, detects, refuses what is of no use
 *   job-bmap.c     its block map, and the image held against it
 *   job-format.c   format: no image, and its plans
 *   job-add-boot.c the files of --add-boot
 *   job-target.c   looks at the targets, the safety rules, the question
 *   job-plan.c     a plan per distinct geometry
 *   job-hybrid.c   what a stick that is not the image will boot
 *   job-trust.c    what the image is compared with, and what came of it
 *   job-digest.c   its digests: before the first byte, or at the gate
 *   job-run.c      opens the targets, runs the engine, says how it goes
 *   job-copy.c     a device into a file: read, and --backup before job-run.c writes
 *
 * A step returns 0, or -1: then err is what ends the whole job, or err->kind
 * is ERROR_NONE and the targets' own errors say why.
 */
#ifndef ISOWRITE_JOB_JOB_STATE_H
#define ISOWRITE_JOB_JOB_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "image/bmap.h"
#include "image/source.h"
#include "image/sums-read.h"
#include "io/engine.h"
#include "io/target.h"
#include "job/job.h"
#include "plan/add-boot.h"

struct segments;

struct job_target {
	struct target *target; /* NULL: could not be looked at */
	bool is_typed; /* its size was typed */
	enum engine_phase phase; /* last one shown */
	enum event_phase told; /* last one announced */
	bool is_stall_told;
	double phase_start; /* monotonic seconds */
	double last_time;
	uint64_t last_done;
	double speed, slow_speed; /* bytes per second, over about 2 and 15 seconds */
};

/* What the gate found, on the engine's thread; the report gets it afterwards. */
struct job_gate {
	bool was_asked;
	struct error error;
	struct layout *layout; /* a copy that detect_finish() may change */
	struct engine_source_facts facts;
};

/* As in struct report, until it is published. */
struct job_trust {
	enum trust_verdict verdict;
	char by[256], detail[TRUST_DETAIL_SIZE], note[TRUST_NOTE_SIZE], name[256];
	const char *alg, *of;
};

struct job {
	const struct job_request *req;
	const char *mode; /* as in the request; check may have looked at the stick */
	uint32_t boot_entry;
	bool strict_gpt;
	const struct events *events;
	struct report *r;
	struct source *source;
	size_t n_targets;
	struct job_target *targets; /* as report->targets */
	bool was_cancelled;
	int inhibit_fd; /* the machine does not sleep while this is open; -1 */
	bool has_receipt_path; /* asked for, and it can be written */
	double last_progress, read_start; /* monotonic seconds, of job_read_progress */
	uint64_t read_done;
	bool is_reading_image; /* check: the target comes next */
	bool is_writing; /* the engine was started */
	struct bmap *bmap; /* or NULL */
	struct bmap_check *bmap_check;
	struct add_boot add_boot;
	struct source *added[2]; /* its files: for the rules */

	struct sums_lists lists;
	unsigned int named_strength; /* of the strongest list that names the image; 0: none does */
	bool is_searching; /* none does: is its digest in them? */
	size_t n_digests; /* all that are needed */
	struct report_digest digests[SOURCE_MAX_DIGESTS];
	struct job_trust trust;

	struct engine *engine;
	struct engine_target *engine_targets;
	size_t *engine_index; /* engine_targets[i] is targets[engine_index[i]] */
	size_t n_engine_targets;
	struct job_gate gate;
};

int job_init(struct job *j, const struct job_request *req, const struct events *events,
	     struct report *r, struct error *err);
void job_done(struct job *j);

bool job_is_cancelled(struct job *j);
void job_emit(struct job *j, enum event_kind kind, size_t target);
void job_emit_phase(struct job *j, size_t target, enum event_phase phase);

/* A finding of the report and an event. fmt makes one escaped sentence. */
void job_warn(struct job *j, size_t target, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* For the readers' on_progress: PHASE_CHECK on no target; true to cancel. ctx is the job. */
bool job_read_progress(void *ctx, uint64_t done, uint64_t total);

/* Is target i still in? */
bool job_is_live(const struct job *j, size_t i);

/* After a round of checks: -1 if nothing may be written (an error, and no --keep-going). */
int job_check_targets(struct job *j);

/* The image's escaped path. */
const char *job_image_name(const struct job *j, char *buf, size_t size);

/* Opens and detects; job_open_image() also refuses what cannot be written. */
int job_look_at_image(struct job *j, struct error *err);
int job_open_image(struct job *j, struct error *err);
/* Part of job_open_image(): --bmap, or a mention of one that lies beside the image. */
int job_open_bmap(struct job *j, struct error *err);

/* Part of job_open_image(): the files of --add-boot. */
int job_open_add_boot(struct job *j, struct error *err);
bool job_has_add_boot(const struct job *j);
/* Is it the image, or a file of --add-boot? With --overwrite an output could replace it. */
bool job_reads_from(const struct job *j, const char *path);

/* Refuses a target that one of them is, or lives on. */
int job_check_add_boot(struct job *j, size_t i, struct error *err);

/* Reads the mapped ranges of an image that is no stream, and checks their checksums. */
int job_check_bmap(struct job *j, struct error *err);

/* format: a source without a byte stands for the image that it has not. */
int job_open_nothing(struct job *j, struct error *err);

/* format: a table inside a partition would help nobody. */
int job_check_whole(const struct report_target *rt, struct error *err);

/* Adds format's plan for geo to the report. */
int job_add_format_plan(struct job *j, const struct geometry *geo, int *ret_index,
			struct error *err);
int job_check_swapped(struct job *j, struct error *err);
int job_look_at_targets(struct job *j, struct error *err);

/* The image is the target itself, under whatever name. */
bool job_is_the_image(const struct job *j, const struct target *t);

void job_apply_rules(struct job *j);
int job_confirm(struct job *j, struct error *err);
int job_make_plans(struct job *j, struct error *err);

/* Detects what a hybrid plan will put on the stick; warns where that is less than was meant. */
int job_judge_plan(struct job *j, struct report_plan *rp, struct error *err);

/* As segments_make() does, by the tables that will be on the stick. */
int job_make_segments(struct job *j, const struct report_plan *rp, struct segments *ret);

/* check: was the stick written as a hybrid? Then with which options; auto does not guess them. */
void job_recognise_written(struct job *j);

/* What is written as it is, where auto would make a hybrid of it, or of a file. */
void job_warn_of_discs(struct job *j);

/* Finds the lists; after it j->digests says what has to be computed. */
int job_gather_trust(struct job *j, struct error *err);
int job_need_digest(struct job *j, const char *alg, struct error *err);

/* -1: one names the image, but twice or with what is no digest; nothing need be computed. */
int job_check_lists(struct job *j, const char *consequence, struct error *err);

/* Matches what was computed so far all that it has to? If not, may the content's digests? */
bool job_is_matched(const struct job *j);
bool job_wants_content(const struct job *j);

/* The verdict into j->trust. -1: it does not match; consequence is the message's end. */
int job_judge(struct job *j, const char *consequence, struct error *err);

/* The gate before the first byte, for sources that can be read twice. */
int job_check_digests(struct job *j, struct error *err);

/* verify: computes j->digests of the file, and of its content where that may decide. */
int job_read_digests(struct job *j, struct error *err);

/* A stream's end, at last: is all there that its tables point to? */
int job_check_end(const struct job *j, struct layout *lay, uint64_t content_size,
		  struct error *err);

/* What the digests said, into the report. */
void job_publish_trust(struct job *j);

/* Engine's gate: on its thread, at the source's end. */
int job_gate(void *ctx, const struct engine_source_facts *facts, struct error *err);

int job_new_engine(struct job *j, struct error *err);
int job_open_targets(struct job *j, struct error *err);
int job_run(struct job *j, struct error *err);

/* What a phase of target i begins with, and how it goes (st->phase does not count). */
void job_begin_phase(struct job_target *jt, double now);
void job_show_progress(struct job *j, size_t i, const struct engine_status *st,
		       enum event_phase phase);

/* A device into a file; see job-copy.c. */
struct job_copy {
	const char *what; /* "image", "backup" */
	const char *path; /* "-": standard output */
	bool compress;
	bool keep_going;
	bool read_back;
	enum event_phase phase; /* PHASE_READ, PHASE_BACKUP */
};

/* By --compress, or the name's end. ERROR_USAGE for the endings of what is not built. */
int job_copy_compression(const char *path, const char *compress, bool *ret, struct error *err);

/* Refuses a file that lies on the device itself; before that is unmounted, or it cannot be told. */
int job_copy_check_place(struct job *j, size_t i, const char *path, struct error *err);

/* Warns when the file's system has less room than the copy may need. */
void job_copy_check_room(struct job *j, const char *path, uint64_t length);

/*
 * Reads rt->copy->device_bytes of target i, which is open, into the file: complete and
 * under its name, or not there. With keep_going it is there also when something could not be
 * read, which is an error all the same (rt->copy->is_there).
 */
int job_copy(struct job *j, size_t i, const struct job_copy *how, struct error *err);

/* Sets restore and no_restore, by asking our own planner whether it would take the file. */
void job_copy_find_restore(struct job *j, size_t i);

/* --backup: before the question, and before the first byte is written. */
int job_backup_check(struct job *j, struct error *err);
int job_backup(struct job *j, struct error *err);

/* Its verdict stands after this: a close that fails spoils it. */
void job_close_target(struct job *j, size_t i);

/* Fills error_file and the target's error from result.mismatch. */
void job_explain_mismatch(struct job *j, size_t i);

#endif
