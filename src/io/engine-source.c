// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The source side of the engine: the withheld head, the pieces of the body,
 * the rest behind the body that differs from plan to plan, and the hash over
 * all of it. What a stream needs beside: engine-stream.c.
 *
 *   0      1 MiB                    body_end            tail_start      size
 *   |head  |body, one for all plans |rest, plan by plan |withheld tail  |
 *                                     (the tail may begin inside the body)
 */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/num.h"
#include "io/engine-internal.h"

uint64_t engine_next_cut(const struct engine *e, uint64_t pos)
{
	uint64_t cut = ENGINE_WINDOW;

	if (pos >= ENGINE_WINDOW)
		cut += ((pos - ENGINE_WINDOW) / e->chunk + 1) * e->chunk;
	for (size_t i = 0; i < e->n_cuts; i++)
		if (e->cuts[i] > pos && e->cuts[i] < cut)
			cut = e->cuts[i];
	return cut;
}

bool engine_next_run(const struct plan *plan, uint64_t pos, uint64_t end, uint64_t *ret_start,
		     uint64_t *ret_len)
{
	const struct extent *x = pos < end ? plan_find(plan, pos) : NULL;
	const struct extent *last = plan->extents + plan->n_extents;
	uint64_t start, stop;

	while (x && x < last && x->kind == EXTENT_KEEP)
		x++;
	if (!x || x >= last || x->start >= end)
		return false;
	start = num_max(x->start, pos);
	for (stop = start; x < last && x->kind != EXTENT_KEEP && x->start < end; x++)
		stop = x->start + x->len;
	*ret_start = start;
	*ret_len = num_min(stop, end) - start;
	return true;
}

/* Puts what of a piece of the plan lies in its withheld tail there. */
static void copy_to_tail(struct engine_plan *ep, uint64_t off, const uint8_t *data, uint64_t len)
{
	uint64_t from = num_max(off, ep->tail_start);
	uint64_t to = num_min(off + len, ep->tail_start + ep->tail_len);

	if (from < to)
		memcpy(ep->tail + (from - ep->tail_start), data + (from - off), to - from);
}

/* A piece of the body, which the plans have in common. */
void engine_copy_to_tails(struct engine *e, uint64_t off, const uint8_t *data, uint64_t len)
{
	for (size_t i = 0; i < e->n_plans; i++)
		copy_to_tail(&e->plans[i], off, data, len);
}

static int mark_groups(struct engine *e, uint64_t pos, struct error *err)
{
	for (size_t i = 0; i < e->n_groups; i++)
		if (track_mark(&e->groups[i].track, pos, err) < 0)
			return -1;
	return 0;
}

/* A plan that takes the image verbatim from its first byte: its hash is the image's too. */
static bool is_verbatim(const struct engine *e, const struct plan *plan)
{
	return plan_is_verbatim(plan, e->is_stream ? e->content_size : e->sources[0]->size);
}

static int begin_track(struct engine *e, struct engine_group *g, struct error *err)
{
	struct engine_plan *ep = &e->plans[g->leader];
	struct track *t = &g->track;
	uint64_t pos = 0, start, len;

	if (track_init(t, 0, NULL, err) < 0)
		return -1;
	if (!e->is_stream && is_verbatim(e, ep->plan))
		t->content_end = e->sources[0]->size;
	else if (e->has_stream_ended && is_verbatim(e, ep->plan))
		t->content_end = e->content_size;
	if (ep->error.kind == ERROR_NONE && ep->plan->is_open) {
		track_feed(t, 0, ep->head, ep->head_len);
	} else {
		/* Ends: each run begins behind the last one. */
		while (engine_next_run(ep->plan, pos, ep->head_len, &start, &len)) {
			track_feed(t, start, ep->head + start, len);
			pos = start + len;
		}
	}
	return track_mark(t, ep->head_len, err);
}

int engine_read_head(struct engine *e, struct error *err)
{
	if (e->is_stream) {
		if (stream_read_head(e, err) < 0)
			return -1;
	} else {
		for (size_t i = 0; i < e->n_plans; i++)
			if (plan_fill(e->plans[i].plan, e->sources, 0, e->plans[i].head,
				      e->plans[i].head_len, err) < 0)
				return -1;
	}
	for (size_t i = 0; i < e->n_groups; i++)
		if (begin_track(e, &e->groups[i], err) < 0)
			return -1;
	return 0;
}

/* Between two pieces lie kept bytes. If a mark's place is among them: mark both ends instead. */
static int mark_gap(struct engine *e, uint64_t start, struct error *err)
{
	const struct track *t = &e->groups[0].track;
	uint64_t end = num_max(t->pos, t->marks[t->n_marks - 1].pos);

	if (start == end || start < engine_next_cut(e, end))
		return 0;
	return mark_groups(e, end, err) < 0 ? -1 : mark_groups(e, start, err);
}

int engine_hash_piece(struct engine *e, const struct engine_buf *buf, struct error *err)
{
	uint64_t end = buf->off + buf->len;

	if (mark_gap(e, buf->off, err) < 0)
		return -1;
	for (size_t i = 0; i < e->n_groups; i++)
		track_feed(&e->groups[i].track, buf->off, buf->data, buf->len);
	return end == engine_next_cut(e, buf->off) ? mark_groups(e, end, err) : 0;
}

int engine_next_piece(struct engine *e, bool is_leader, uint64_t *pos, struct engine_buf *buf,
		      struct error *err)
{
	uint64_t start, len, cut;

	if (e->is_stream)
		return stream_next_piece(e, pos, buf, err);
	if (!engine_next_run(e->plans[0].plan, *pos, e->body_end, &start, &len))
		return 0;
	cut = engine_next_cut(e, start);
	len = num_min(num_min(len, cut - start), e->buf_size);
	if (plan_fill(e->plans[0].plan, e->sources, start, buf->data, len, err) < 0)
		return -1;
	buf->off = start;
	buf->len = (uint32_t)len;
	*pos = start + len;
	if (is_leader)
		engine_copy_to_tails(e, start, buf->data, len);
	return 1;
}

/* Where a plan's own part begins. */
static uint64_t rest_start(const struct engine *e, const struct engine_plan *ep)
{
	return num_min(e->body_end, ep->plan->geo.size);
}

/* Hashes what of one plan lies behind the body, and fills its tail. */
static int finish_plan(struct engine *e, struct engine_plan *ep, uint8_t *scratch,
		       struct error *err)
{
	struct track *t = &ep->rest;
	uint64_t pos = rest_start(e, ep), size = ep->plan->geo.size, start, len;

	if (track_init(t, pos, e->groups[ep->group].track.running, err) < 0)
		return -1;
	ep->has_rest = true;
	if (is_verbatim(e, ep->plan))
		t->content_end = e->content_size;
	if (t->content_end == pos)
		hash_peek(t->running, &t->content_digest);
	/* Ends: each run begins behind the last one. */
	while (engine_next_run(ep->plan, pos, size, &start, &len)) {
		if (start >= engine_next_cut(e, pos) &&
		    (track_mark(t, pos, err) < 0 || track_mark(t, start, err) < 0))
			return -1;
		len = num_min(num_min(len, engine_next_cut(e, start) - start), e->buf_size);
		if (plan_fill(ep->plan, e->rest_sources, start, scratch, len, err) < 0)
			return -1;
		track_feed(t, start, scratch, len);
		copy_to_tail(ep, start, scratch, len);
		pos = start + len;
		if (pos == engine_next_cut(e, start) && track_mark(t, pos, err) < 0)
			return -1;
	}
	hash_peek(t->running, &ep->digest);
	return track_mark(t, size, err);
}

int engine_finish_source(struct engine *e, struct error *err)
{
	uint8_t *scratch = io_aligned_alloc(ENGINE_BUF_MAX);
	int rc = scratch ? 0 : error_set_nomem(err);

	if (!e->is_stream)
		e->content_size = e->sources[0]->size;
	for (size_t i = 0; rc == 0 && i < e->n_groups; i++) {
		struct track *t = &e->groups[i].track;

		if (t->marks[t->n_marks - 1].pos < e->body_end)
			rc = track_mark(t, e->body_end, err);
	}
	for (size_t i = 0; rc == 0 && i < e->n_plans; i++)
		if (e->plans[i].error.kind == ERROR_NONE)
			rc = finish_plan(e, &e->plans[i], scratch, err);
	io_aligned_free(scratch, ENGINE_BUF_MAX);
	if (rc < 0)
		return -1;
	e->facts.content_size = e->content_size;
	for (size_t i = 0; i < e->n_plans && e->facts.content_sha256.len == 0; i++) {
		struct engine_plan *ep = &e->plans[i];

		if (!ep->has_rest)
			continue;
		e->facts.content_sha256 = ep->rest.content_digest.len > 0
						  ? ep->rest.content_digest
						  : e->groups[ep->group].track.content_digest;
	}
	e->is_hashed = true;
	return 0;
}
