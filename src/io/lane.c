// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Lanes: one read of the source, shared by the targets that are near it. A
 * target that falls behind while another starves gets a lane, and so a cursor,
 * of its own (seekable sources); over a stream the slowest sets the pace.
 *
 * A buffer is free when nobody refers to it. ready[] holds the published ones
 * in order; at most n_bufs are alive, so a slot is never overwritten while a
 * target of the lane may still take it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "io/engine-internal.h"

int lane_init(struct lane *lane, struct error *err)
{
	struct engine *e = lane->e;
	size_t pool = !lane->is_leader ? ENGINE_LANE_POOL
		      : e->is_stream   ? ENGINE_STREAM_POOL
				       : ENGINE_LEADER_POOL;

	lane->n_bufs = pool / e->buf_size;
	lane->mem_size = lane->n_bufs * e->buf_size;
	lane->mem = io_aligned_alloc(lane->mem_size);
	lane->bufs = calloc(lane->n_bufs, sizeof(*lane->bufs));
	lane->ready = calloc(lane->n_bufs, sizeof(struct engine_buf *));
	if (!lane->mem || !lane->bufs || !lane->ready)
		return error_set_nomem(err);
	for (size_t i = 0; i < lane->n_bufs; i++) {
		lane->bufs[i].data = lane->mem + i * e->buf_size;
		lane->bufs[i].lane = lane;
	}
	return 0;
}

void lane_done(struct lane *lane)
{
	io_aligned_free(lane->mem, lane->mem_size);
	free(lane->bufs);
	free(lane->ready);
	lane->mem = NULL;
	lane->bufs = NULL;
	lane->ready = NULL;
}

/* The functions below that say "locked" are called with e->lock held. */

static void unref_locked(struct engine_buf *buf)
{
	if (--buf->refs == 0)
		pthread_cond_signal(&buf->lane->can_fill);
}

void lane_put(struct engine_buf *buf)
{
	struct engine *e = buf->lane->e;

	pthread_mutex_lock(&e->lock);
	unref_locked(buf);
	pthread_mutex_unlock(&e->lock);
}

static void leave_locked(struct pump *p)
{
	struct lane *lane = p->lane;

	if (!lane)
		return;
	for (uint64_t seq = p->next; seq < lane->head; seq++)
		unref_locked(lane->ready[seq % lane->n_bufs]);
	p->lane = NULL;
	p->is_starving = false;
	pthread_cond_signal(&lane->can_fill);
}

void lane_leave(struct pump *p)
{
	pthread_mutex_lock(&p->e->lock);
	leave_locked(p);
	pthread_mutex_unlock(&p->e->lock);
}

void lane_wait_locked(struct pump *p, pthread_cond_t *cond)
{
	p->waits_for_source = true;
	pthread_cond_wait(cond, &p->e->lock);
	p->waits_for_source = false;
	atomic_store(&p->last_progress, engine_now());
}

enum lane_take lane_take(struct pump *p, bool block, struct engine_buf **ret, struct error *err)
{
	struct engine *e = p->e;
	enum lane_take taken;

	pthread_mutex_lock(&e->lock);
	for (;;) {
		struct lane *lane = p->lane;

		if (atomic_load(&e->cancelled)) {
			error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
			taken = LANE_ERROR;
		} else if (p->ep->error.kind != ERROR_NONE) {
			*err = p->ep->error;
			taken = LANE_ERROR;
		} else if (p->next < lane->head) {
			*ret = lane->ready[p->next++ % lane->n_bufs];
			p->is_starving = p->sets_the_pace = false;
			taken = LANE_BUF;
		} else if (lane->error.kind != ERROR_NONE) {
			*err = lane->error;
			taken = LANE_ERROR;
		} else if (lane->ended) {
			taken = LANE_END;
		} else {
			p->is_starving = true;
			pthread_cond_signal(&lane->can_fill);
			if (block) {
				lane_wait_locked(p, &p->can_take);
				continue;
			}
			taken = LANE_EMPTY;
		}
		break;
	}
	pthread_mutex_unlock(&e->lock);
	return taken;
}

static struct lane *find_parked_locked(struct engine *e)
{
	for (size_t i = 1; i < e->n_lanes; i++)
		if (e->lanes[i].has_thread && !e->lanes[i].is_active)
			return &e->lanes[i];
	return NULL;
}

/* Is a target ahead of the leader, that is of the hash? It will wait for it at the gate. */
static bool is_overtaken_locked(const struct lane *lane)
{
	const struct engine *e = lane->e;

	for (size_t i = 1; lane->is_leader && i < e->n_lanes; i++)
		if (e->lanes[i].last_off > lane->last_off)
			return true;
	return false;
}

/*
 * The pool is used up: is a target starving, or ahead of this lane, while
 * another has unread buffers queued? Then the other one moves to a lane of its
 * own. True if buffers may have become free.
 */
static bool split_locked(struct lane *lane)
{
	struct engine *e = lane->e;
	struct pump *slowest = NULL;
	bool starving = is_overtaken_locked(lane);
	struct lane *own;

	for (size_t i = 0; i < e->n_pumps; i++) {
		struct pump *p = &e->pumps[i];

		if (p->lane != lane)
			continue;
		/* One that was woken, but has not run since, lacks nothing. */
		starving |= p->is_starving && p->next == lane->head;
		if (p->next < lane->head && (!slowest || p->next < slowest->next))
			slowest = p;
	}
	if (!starving || !slowest)
		return false;
	slowest->sets_the_pace = true;
	if (e->is_stream)
		return false;
	own = find_parked_locked(e);
	if (!own)
		return false;
	own->start = lane->ready[slowest->next % lane->n_bufs]->off;
	leave_locked(slowest);
	slowest->lane = own;
	slowest->next = 0;
	slowest->sets_the_pace = false;
	own->is_active = true;
	pthread_cond_signal(&own->can_fill);
	return true;
}

/* Is there nobody left to read for? The leader reads for the hash as well. */
static bool is_over_locked(const struct lane *lane)
{
	const struct engine *e = lane->e;
	bool has_reader = lane->is_leader;

	for (size_t i = 0; i < e->n_pumps; i++)
		has_reader |= e->pumps[i].lane == lane;
	return !has_reader || atomic_load(&e->cancelled) || e->stopping ||
	       e->n_finished == e->n_pumps;
}

/* A free buffer with one reference (the reader's); NULL when nobody needs it any more. */
static struct engine_buf *get_free(struct lane *lane)
{
	struct engine *e = lane->e;
	struct engine_buf *buf = NULL;

	pthread_mutex_lock(&e->lock);
	while (!buf && !is_over_locked(lane)) {
		for (size_t i = 0; i < lane->n_bufs && !buf; i++)
			if (lane->bufs[i].refs == 0)
				buf = &lane->bufs[i];
		if (!buf && !split_locked(lane))
			pthread_cond_wait(&lane->can_fill, &e->lock);
	}
	if (buf)
		buf->refs = 1;
	pthread_mutex_unlock(&e->lock);
	return buf;
}

static void publish(struct engine_buf *buf)
{
	struct lane *lane = buf->lane;
	struct engine *e = lane->e;

	pthread_mutex_lock(&e->lock);
	lane->ready[lane->head++ % lane->n_bufs] = buf;
	lane->last_off = buf->off;
	if (is_overtaken_locked(&e->lanes[0]))
		pthread_cond_signal(&e->lanes[0].can_fill);
	if (lane->is_leader && e->has_hasher)
		buf->refs++;
	for (size_t i = 0; i < e->n_pumps; i++) {
		if (e->pumps[i].lane == lane) {
			buf->refs++;
			pthread_cond_signal(&e->pumps[i].can_take);
		}
	}
	if (lane->is_leader && e->has_hasher)
		pthread_cond_signal(&e->can_hash);
	pthread_mutex_unlock(&e->lock);
}

/* Reads the lane's part of the body to its end: 0, or -1 with err. */
static int read_body(struct lane *lane, struct error *err)
{
	struct engine *e = lane->e;
	uint64_t pos = lane->start;
	struct engine_buf *buf;
	int rc;

	/* Ends: every piece lies behind the last one, and the body (or a stream) ends. */
	for (;;) {
		buf = get_free(lane);
		if (!buf)
			return error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
		rc = engine_next_piece(e, lane->is_leader, &pos, buf, err);
		if (rc > 0) {
			publish(buf);
			if (lane->is_leader && !e->is_hashed && !e->has_hasher &&
			    engine_hash_piece(e, buf, err) < 0)
				rc = -1;
		}
		lane_put(buf);
		if (rc <= 0)
			return rc;
	}
}

static void end_lane(struct lane *lane, const struct error *err)
{
	struct engine *e = lane->e;

	pthread_mutex_lock(&e->lock);
	if (err)
		lane->error = *err;
	lane->ended = true;
	for (size_t i = 0; i < e->n_pumps; i++)
		if (e->pumps[i].lane == lane)
			pthread_cond_broadcast(&e->pumps[i].can_take);
	pthread_cond_signal(&e->can_hash);
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

/* Tells every target whether it may commit. */
static void end_source(struct engine *e, const struct error *err)
{
	pthread_mutex_lock(&e->lock);
	if (err)
		e->source_error = *err;
	e->source_done = true;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

/* Waits until the hasher has taken everything that was published. */
static int wait_hasher(struct lane *lane, struct error *err)
{
	struct engine *e = lane->e;

	pthread_mutex_lock(&e->lock);
	e->waits_for_hasher = true;
	while (e->has_hasher && lane->hash_next < lane->head && !e->hash_failed)
		pthread_cond_wait(&e->changed, &e->lock);
	pthread_mutex_unlock(&e->lock);
	return e->hash_failed ? error_set_nomem(err) : 0;
}

static int begin_source(struct engine *e, struct error *err)
{
	if (!e->is_hashed && engine_read_head(e, err) < 0)
		return -1;
	pthread_mutex_lock(&e->lock);
	e->head_ready = true;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	return 0;
}

static void lead(struct lane *lane)
{
	struct engine *e = lane->e;
	struct error err = ERROR_INIT;
	int rc = begin_source(e, &err);

	lane->start = ENGINE_WINDOW;
	if (rc == 0)
		rc = read_body(lane, &err);
	if (rc == 0)
		rc = wait_hasher(lane, &err);
	if (rc == 0 && !e->is_hashed)
		rc = engine_finish_source(e, &err);
	end_lane(lane, rc < 0 ? &err : NULL);
	if (rc == 0)
		rc = source_check_unchanged(e->sources[0], &err);
	if (rc == 0 && e->config.gate)
		rc = e->config.gate(e->config.gate_ctx, &e->facts, &err);
	end_source(e, rc < 0 ? &err : NULL);
}

static bool is_in_use_locked(const struct lane *lane)
{
	bool in_use = false;

	for (size_t i = 0; lane->bufs && i < lane->n_bufs; i++)
		in_use |= lane->bufs[i].refs > 0;
	return in_use;
}

/* Gives the buffers back as soon as all is written: the read-back has its own. */
static void release_buffers(struct lane *lane)
{
	struct engine *e = lane->e;
	bool in_use;

	pthread_mutex_lock(&e->lock);
	while ((in_use = is_in_use_locked(lane)) && !e->stopping)
		pthread_cond_wait(&lane->can_fill, &e->lock);
	pthread_mutex_unlock(&e->lock);
	if (!in_use)
		lane_done(lane);
}

void *lane_main(void *arg)
{
	struct lane *lane = arg;
	struct engine *e = lane->e;
	struct error err = ERROR_INIT;
	int rc;

	if (lane->is_leader) {
		lead(lane);
		release_buffers(lane);
		return NULL;
	}
	pthread_mutex_lock(&e->lock);
	while (!lane->is_active && !e->stopping)
		pthread_cond_wait(&lane->can_fill, &e->lock);
	pthread_mutex_unlock(&e->lock);
	if (!lane->is_active)
		return NULL;
	rc = lane_init(lane, &err);
	if (rc == 0)
		rc = read_body(lane, &err);
	if (rc == 0)
		rc = source_check_unchanged(e->sources[0], &err);
	end_lane(lane, rc < 0 ? &err : NULL);
	release_buffers(lane);
	return NULL;
}

void *lane_hasher_main(void *arg)
{
	struct lane *lane = arg;
	struct engine *e = lane->e;
	struct error err = ERROR_INIT;

	for (;;) {
		struct engine_buf *buf = NULL;
		int rc;

		pthread_mutex_lock(&e->lock);
		while (lane->hash_next == lane->head && !lane->ended && !e->stopping)
			pthread_cond_wait(&e->can_hash, &e->lock);
		if (lane->hash_next < lane->head)
			buf = lane->ready[lane->hash_next % lane->n_bufs];
		pthread_mutex_unlock(&e->lock);
		if (!buf)
			return NULL;
		rc = engine_hash_piece(e, buf, &err);
		pthread_mutex_lock(&e->lock);
		e->hash_failed |= rc < 0;
		lane->hash_next++;
		unref_locked(buf);
		if (e->waits_for_hasher)
			pthread_cond_broadcast(&e->changed);
		pthread_mutex_unlock(&e->lock);
	}
}
