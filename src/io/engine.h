/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Streams plans to N targets at once, hashing as it goes, then reads every
 * target back uncached and compares. Knows extents, never image formats.
 *
 * Order per target (the commit window is [0, 1 MiB) and the last 1 MiB):
 * zero the window, flush; body ascending, flush; gate; read back the body;
 * tail, then head, flush; read both back. So an interrupted stick never looks
 * finished, neither new nor old.
 */
#ifndef ISOWRITE_IO_ENGINE_H
#define ISOWRITE_IO_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "image/source.h"
#include "io/target.h"
#include "plan/plan.h"

#define ENGINE_WINDOW (UINT64_C(1) << 20) /* bytes withheld at each end until the commit */

enum engine_phase {
	ENGINE_WAITING,
	ENGINE_WRITE,
	ENGINE_FLUSH,
	ENGINE_VERIFY,
	ENGINE_COMMIT, /* the window is written and read back: part of phase "verify" in the UI */
	ENGINE_FINISHED,
};

enum engine_verdict {
	ENGINE_UNTOUCHED, /* nothing was written to it */
	ENGINE_VERIFIED, /* every planned byte was read back and is equal */
	ENGINE_WRITTEN, /* written and flushed, not verified */
	ENGINE_FAILED, /* see error; the window is zero unless the commit had begun */
	ENGINE_CANCELLED,
};

enum engine_pattern {
	PATTERN_NONE,
	PATTERN_ZEROS,
	PATTERN_ONES, /* 0xFF */
	PATTERN_OLD, /* what was there before */
	PATTERN_FLIPS, /* few bits differ: n in pattern_value */
	PATTERN_OFFSET, /* the data of offset pattern_value: a lying stick */
	PATTERN_UNSTABLE, /* wrong at the first reading, right at the second */
	PATTERN_OTHER,
};

#define ENGINE_MAX_RANGES 64

/* A run of bad bytes, bounds by sector (by piece of the hash where not exact). */
struct engine_range {
	uint64_t offset, length; /* bytes on the target */
};

/* The first bad place of a read-back, and how much is bad. Bytes. */
struct engine_mismatch {
	bool found;
	uint64_t offset; /* first bad byte, or start of its chunk if !is_exact */
	uint64_t bad_bytes; /* in all, by sectors; an upper bound if !is_exact or is_bound */
	uint64_t length; /* of the first bad run, to its last bad byte */
	bool is_exact; /* the source could be read again, so bytes were compared */
	bool is_bound; /* not all of them were compared: whole pieces are in bad_bytes */
	enum engine_pattern pattern;
	uint64_t pattern_value; /* PATTERN_OFFSET: offset; PATTERN_FLIPS: bits */
	uint32_t what; /* plan's string of the extent */
};

enum engine_method { METHOD_NONE, METHOD_O_DIRECT, METHOD_FILE };

struct engine_result {
	enum engine_verdict verdict;
	struct error error; /* ENGINE_FAILED, ENGINE_CANCELLED */
	enum engine_phase failed_in;
	uint64_t error_offset, error_length; /* bytes on the target; UINT64_MAX unknown */
	struct engine_mismatch mismatch;
	struct engine_range ranges[ENGINE_MAX_RANGES]; /* what differs, ascending by phase */
	uint32_t n_ranges;
	bool has_more_ranges; /* the last one stands for all behind it */
	enum engine_method method;
	uint64_t bytes_written, bytes_skipped;
	uint32_t write_retries;
	struct digest sha256; /* read back: over the planned bytes */
	struct digest content_sha256; /* read back: first content bytes of a raw plan; len 0 else */
	double seconds_write, seconds_flush, seconds_verify;
	double seconds_wait; /* at the gate, for the end of the source */
};

/* One target of a run; owned by the caller for the whole run. */
struct engine_target {
	struct target *target; /* open */
	struct plan *plan; /* may be shared by targets of the same geometry */
	struct engine_result result; /* stable after engine_wait() said "finished" */
};

struct engine_status {
	enum engine_phase phase;
	uint64_t done, total; /* completed bytes of this phase; total UINT64_MAX if unknown */
	/* Seconds since the last completed byte; 0 while the source keeps it waiting. */
	double stalled;
	bool sets_the_pace; /* a stream's slowest target */
};

/* What the source turned out to be, for the gate and the report. */
struct engine_source_facts {
	uint64_t content_size;
	struct digest content_sha256; /* len 0 where not known (patched plans) */
};

struct engine_config {
	bool verify;

	/*
	 * Called once, on a thread of the engine, when the source is complete and every plan is
	 * closed, before anything is committed. -1 keeps every target uncommitted, with this error.
	 */
	int (*gate)(void *ctx, const struct engine_source_facts *facts, struct error *err);
	void *gate_ctx;
};

struct engine;

/* sources[]: as indexed by the plans (sources[0] is the image). Borrows everything. */
int engine_new(const struct engine_config *config, struct source *const *sources,
	       struct engine_target *targets, size_t n_targets, struct engine **ret,
	       struct error *err);

/*
 * The digest gate of a RANDOM source: reads and hashes everything planned
 * without writing, keeps the states, so that engine_start need not hash again.
 * Blocks; on_progress as in source_digest_file. Optional.
 */
int engine_prehash(struct engine *e, bool (*on_progress)(void *ctx, uint64_t done, uint64_t total),
		   void *ctx, struct engine_source_facts *ret, struct error *err);

/* Starts the threads. */
int engine_start(struct engine *e, struct error *err);

/* Waits up to timeout_ms; returns true when every target is finished. */
bool engine_wait(struct engine *e, int timeout_ms);

/* Progress of target i, any time, from the thread that waits. */
void engine_get_status(struct engine *e, size_t i, struct engine_status *ret);

/* Drain and stop: targets become ENGINE_CANCELLED. Any thread. */
void engine_cancel(struct engine *e);

/* The digest over the planned bytes of a plan; len 0 before the source's end. */
void engine_plan_digest(struct engine *e, const struct plan *plan, struct digest *ret);

void engine_free(struct engine *e); /* joins threads; after the end or a cancel */

/*
 * Only reads: does the target hold the plan's bytes? For `check`. The target
 * may be open read-only. RANDOM sources, or a SEQUENTIAL one that is consumed.
 */
int engine_check(const struct engine_config *config, struct source *const *sources,
		 struct engine_target *target, struct engine_source_facts *ret_facts,
		 bool (*on_progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
		 struct error *err);

#endif
