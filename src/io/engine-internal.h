/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the engine's files share. One lock guards everything that more than one
 * thread writes; it is held for pointer work only, never for I/O or hashing.
 *
 *   engine.c         life, threads, status
 *   engine-source.c  the source side: head, body, rest, gate
 *   engine-stream.c  what a stream needs there: gaps, its end
 *   lane.c           one read of the source, shared by the targets near it
 *   pump.c           the target side: window, body, flush, commit
 *   transfer.c       plain transfers, and the ladder on trouble
 *   verify.c         reads back and proves each piece between two marks
 *   diagnose.c       what a failed read-back looks like
 */
#ifndef ISOWRITE_IO_ENGINE_INTERNAL_H
#define ISOWRITE_IO_ENGINE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/engine.h"
#include "io/ring.h"
#include "io/track.h"

#define ENGINE_BUF_MAX (512 * 1024) /* bytes of a request */
#define ENGINE_IN_FLIGHT (4 << 20) /* bytes in flight per target */
#define ENGINE_AHEAD (8 << 20) /* bytes that may lie between the oldest incomplete and the newest */
#define ENGINE_DEPTH_MAX 64
#define ENGINE_LEADER_POOL (8 << 20) /* bytes of buffers of the first lane */
#define ENGINE_STREAM_POOL (16 << 20) /* of a stream: decompressing goes on while targets flush */
#define ENGINE_LANE_POOL (5 << 20) /* and of a slower target's own lane */
/* The body ends on a multiple of it; sectors are never larger. */
#define ENGINE_ALIGN PLAN_MAX_SECTOR
#define ENGINE_SAMPLES 32 /* pieces of old content kept to recognise it */
#define ENGINE_SAMPLE_SIZE 512

struct lane;

/* A piece of the body: bytes of the plan at off. */
struct engine_buf {
	uint8_t *data;
	uint64_t off;
	uint32_t len;
	unsigned int refs; /* targets and the hasher that still need it */
	struct lane *lane; /* where it goes back to */
};

struct engine;
struct pump;

/* One cursor over the body; the first is the leader, which also hashes. */
struct lane {
	struct engine *e;
	pthread_t thread;
	bool has_thread;
	bool is_active; /* reading; a parked lane waits for a target that falls behind */
	bool is_leader;
	uint64_t start; /* bytes: where it begins */
	uint8_t *mem;
	size_t mem_size;
	struct engine_buf *bufs;
	struct engine_buf **ready; /* by seq % n_bufs */
	size_t n_bufs;
	uint64_t head; /* seq of the next buffer to publish */
	uint64_t last_off; /* where the last published one begins; bytes */
	uint64_t hash_next; /* seq the hasher takes next (streams only) */
	bool ended;
	struct error error; /* kind != ERROR_NONE: the source failed */
	pthread_cond_t can_fill;
};

/* One distinct plan. */
struct engine_plan {
	struct plan *plan;
	bool was_open; /* of unknown size: not to be looked at before its lane has ended */
	size_t group;
	uint64_t tail_start; /* bytes: begin of the withheld tail */
	uint8_t *head, *tail; /* planned bytes of the commit window */
	uint64_t head_len, tail_len;
	struct track rest; /* from body_end to the end */
	bool has_rest;
	struct digest digest;
	struct error error; /* does not fit */
};

/* Plans with the same head share one hash up to body_end. */
struct engine_group {
	struct track track;
	size_t leader; /* index of a plan */
	bool started;
};

struct sample {
	uint64_t off;
	uint8_t data[ENGINE_SAMPLE_SIZE];
};

/* The thread of one target. */
struct pump {
	struct engine *e;
	size_t index;
	struct engine_target *et;
	struct engine_plan *ep;
	pthread_t thread;
	bool has_thread;
	struct ring *ring;
	unsigned int depth;
	bool is_careful; /* after the first trouble: one request at a time */
	struct lane *lane; /* NULL once it left its lane */
	uint64_t next; /* seq it takes next from its lane */
	bool is_starving;
	bool sets_the_pace;
	bool waits_for_source; /* nothing is in flight: it is not the target that stalls */
	bool touched; /* something was written */
	uint64_t zeroed_from; /* begin of what zero_window zeroed at the end */
	bool is_window_blank; /* both ends are zero, durably */
	bool plan_is_known; /* closed, so it may be read without the lock */
	pthread_cond_t can_take;
	uint8_t *scratch; /* ENGINE_BUF_MAX bytes, aligned */
	struct sample *samples; /* old content, or NULL */
	size_t n_samples;
	unsigned int n_moved_probes; /* how often other places were searched for bad data */
	_Atomic int phase;
	_Atomic uint64_t done, total;
	_Atomic uint64_t last_progress; /* monotonic ns */
};

struct segment;

struct engine {
	struct engine_config config;
	struct source *const *sources;
	struct source *carry_source; /* RANDOM view of a stream's last bytes */
	struct source *rest_sources[1]; /* what plan_fill may read behind the body */
	bool is_stream;
	struct engine_plan *plans;
	size_t n_plans;
	struct engine_group *groups;
	size_t n_groups;
	struct pump *pumps;
	size_t n_pumps;
	struct lane *lanes; /* n_pumps (at least 1); [0] is the leader */
	size_t n_lanes;
	uint32_t buf_size;
	uint64_t chunk; /* bytes between marks */
	uint64_t *cuts; /* extra marks: the plans' tail starts, ascending */
	size_t n_cuts;
	uint64_t body_end; /* bytes; UINT64_MAX until a stream ends */
	uint64_t content_size;
	uint8_t *carry;
	uint64_t carry_start, carry_len;
	uint64_t source_end; /* streams, closed plans: end of what is wanted of the stream */
	uint64_t stream_pos; /* the same: bytes consumed */
	bool has_stream_ended; /* and content_size is known */
	bool head_ready; /* the first MiB was read: targets may be touched */
	bool is_hashed; /* every mark is there */
	pthread_t hasher; /* streams: hashes beside the decompressor */
	bool has_hasher, hash_failed, waits_for_hasher;
	pthread_t *workers;
	size_t n_workers;
	struct segment *work, **work_tail; /* with pieces that wait for a worker */
	bool stop_workers;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* gate, hash and finish state */
	pthread_cond_t can_hash; /* the hasher alone waits for it, so a piece wakes nobody else */
	pthread_cond_t has_work;
	bool source_done; /* gate was asked */
	struct error source_error; /* gate or source: nothing is committed */
	struct engine_source_facts facts;
	size_t n_finished;
	_Atomic bool cancelled;
	bool stopping;
};

uint64_t engine_now(void); /* monotonic ns */

/* engine-source.c */

/* The next mark behind pos: window's end, every chunk, the plans' tail starts. */
uint64_t engine_next_cut(const struct engine *e, uint64_t pos);

/* The next run of planned (not kept) bytes at or after pos and before end; false if none. */
bool engine_next_run(const struct plan *plan, uint64_t pos, uint64_t end, uint64_t *ret_start,
		     uint64_t *ret_len);

/* Fills the commit windows' heads and begins the tracks. */
int engine_read_head(struct engine *e, struct error *err);

/* Hashes one piece of the body into every group and marks what ends there. */
int engine_hash_piece(struct engine *e, const struct engine_buf *buf, struct error *err);

/* Fills buf with the next piece of the body at *pos: 1 done, 0 the body's end, -1 error. */
int engine_next_piece(struct engine *e, bool is_leader, uint64_t *pos, struct engine_buf *buf,
		      struct error *err);

/* Puts what lies in the withheld tails of the plans there. */
void engine_copy_to_tails(struct engine *e, uint64_t off, const uint8_t *data, uint64_t len);

/* After the body: closes open plans, hashes the rest, fills the tails. */
int engine_finish_source(struct engine *e, struct error *err);

/* engine-stream.c: the same of streams; engine-source.c calls */
int stream_init(struct engine *e, struct error *err); /* before anything was read */
int stream_read_head(struct engine *e, struct error *err);
int stream_next_piece(struct engine *e, uint64_t *pos, struct engine_buf *buf, struct error *err);

/* lane.c */
int lane_init(struct lane *lane, struct error *err); /* its buffers */
void lane_done(struct lane *lane);
void *lane_main(void *arg);
void *lane_hasher_main(void *arg);
void lane_leave(struct pump *p);

enum lane_take { LANE_BUF, LANE_EMPTY, LANE_END, LANE_ERROR };
enum lane_take lane_take(struct pump *p, bool block, struct engine_buf **ret, struct error *err);
void lane_put(struct engine_buf *buf);

/* Locked: waits on cond for something that the source's side has to do. */
void lane_wait_locked(struct pump *p, pthread_cond_t *cond);

/* pump.c */
void *pump_main(void *arg);
void *pump_check_main(void *arg); /* reads and compares only */

void pump_progress(struct pump *p, uint64_t bytes);

/* transfer.c: plain transfers with retries; unaligned tails of files included */
bool pump_is_cancelled(struct pump *p, struct error *err);

/*
 * One request of at most buf_size bytes. sys: the errno with which the fast
 * way failed, 0 if it was not tried. On failure the result has the bad sector.
 */
int pump_transfer(struct pump *p, bool is_write, uint64_t off, void *buf, uint64_t len, int sys,
		  struct error *err);
int pump_write(struct pump *p, uint64_t off, void *buf, uint64_t len, struct error *err);
int pump_read(struct pump *p, uint64_t off, void *buf, uint64_t len, struct error *err);

/* verify.c */

/* Reads back the planned bytes of [from, to) and proves them by the marks; 0 also on mismatch. */
int verify_marks(struct pump *p, uint64_t from, uint64_t to, struct error *err);

/*
 * Are the withheld ends in memory what the digest covers? Since they are written from there,
 * and held against that when they are read back, nothing else would notice.
 */
int verify_withheld(struct pump *p, struct error *err);

/* Compares the target's [off, off+len) with bytes in memory, where planned. */
int verify_memory(struct pump *p, uint64_t off, const uint8_t *want, uint64_t len,
		  struct error *err);
void *verify_worker(void *arg);

/* diagnose.c: all of them fill et->result.mismatch and ranges */

/* The piece [from, to) failed its proof: finds the bad bytes where the source can be read again. */
void diagnose_range(struct pump *p, uint64_t from, uint64_t to);

/* want and got differ somewhere, or not: counts and classifies. */
void diagnose_compare(struct pump *p, uint64_t off, const uint8_t *want, const uint8_t *got,
		      uint64_t len);

/* Remembers samples of what is on the target before it is written. */
void diagnose_sample_old(struct pump *p);

#endif
