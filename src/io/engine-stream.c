// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a stream needs beside engine-source.c, because it is read once and in
 * order, so that all plans must want the same of it at the same place. Two kinds:
 *
 * - of unknown size, with open plans: all of it, one byte behind the other. Its
 *   end closes the plans.
 * - with closed plans, which may leave parts out (a block map): those are read
 *   over, and so is what follows the last part that is wanted, because what
 *   proves the stream (checksums, its size) comes with its end.
 *
 * The last bytes, from the last whole block on, are carried: from there each
 * plan goes on by itself, and is filled from memory.
 */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/num.h"
#include "io/engine-internal.h"

static void set_fit_error(struct engine *e, struct engine_plan *ep, const struct error *err)
{
	pthread_mutex_lock(&e->lock);
	if (ep->error.kind == ERROR_NONE)
		ep->error = *err;
	for (size_t i = 0; i < e->n_pumps; i++)
		pthread_cond_broadcast(&e->pumps[i].can_take);
	pthread_mutex_unlock(&e->lock);
}

/* A stream has delivered `end` bytes: who cannot hold that? -1 when nobody can. */
static int check_fit(struct engine *e, uint64_t end, struct error *err)
{
	size_t n_left = 0;

	for (size_t i = 0; i < e->n_plans; i++) {
		struct engine_plan *ep = &e->plans[i];
		char have[NUM_SIZE_LEN];

		if (end > ep->plan->geo.size) {
			error_set(err, ERROR_FIT, "too-large",
				  _("The image does not fit: it goes on after the %s that the "
				    "target holds."),
				  num_format_size(have, sizeof(have), ep->plan->geo.size));
			set_fit_error(e, ep, err);
		} else {
			n_left++;
		}
	}
	return n_left > 0 ? 0 : -1;
}

/* Copies what the plans' rests are filled from: the stream's bytes from start on. */
static int carry(struct engine *e, uint64_t start, const uint8_t *data, uint64_t len,
		 struct error *err)
{
	e->carry = malloc(len + 1);
	if (!e->carry)
		return error_set_nomem(err);
	memcpy(e->carry, data, len);
	e->carry_start = start;
	e->carry_len = len;
	return 0;
}

/* A stream ended after content_size bytes; data are its last len ones. */
static int end_open(struct engine *e, const uint8_t *data, uint64_t len, uint64_t content_size,
		    struct error *err)
{
	uint64_t start = content_size - len;

	if (content_size >= ENGINE_WINDOW)
		start = num_round_down(content_size, ENGINE_ALIGN);
	if (carry(e, start, data + (len - (content_size - start)), content_size - start, err) < 0)
		return -1;
	e->content_size = content_size;
	e->has_stream_ended = true;
	e->body_end = num_max(start, ENGINE_WINDOW);
	for (size_t i = 0; i < e->n_plans; i++) {
		struct error own = ERROR_INIT;

		if (plan_close(e->plans[i].plan, content_size, &own) < 0)
			set_fit_error(e, &e->plans[i], &own);
	}
	return check_fit(e, content_size, err);
}

static int error_short(const struct engine *e, struct error *err)
{
	char has[NUM_SIZE_LEN], wants[NUM_SIZE_LEN];

	return error_set(
		err, ERROR_IMAGE, "source-short",
		_("The image ended after %s bytes, before the %s that were to be written."),
		num_format_bytes(has, sizeof(has), e->stream_pos),
		num_format_bytes(wants, sizeof(wants), e->source_end));
}

/* The next len bytes, all of which must be there. */
static int read_stream(struct engine *e, void *buf, uint64_t len, struct error *err)
{
	size_t n;

	if (source_next(e->sources[0], buf, len, &n, err) < 0)
		return -1;
	e->stream_pos += n;
	return n < len ? error_short(e, err) : 0;
}

/* Reads over what no plan wants; buf is free for it. */
static int skip_stream(struct engine *e, uint64_t to, struct engine_buf *buf, struct error *err)
{
	/* Ends: each round reads on, or fails. */
	while (e->stream_pos < to)
		if (read_stream(e, buf->data, num_min(to - e->stream_pos, e->buf_size), err) < 0)
			return -1;
	return 0;
}

/* Behind the body of closed plans: the carried bytes, then whatever follows, up to the end. */
static int end_closed(struct engine *e, struct engine_buf *buf, struct error *err)
{
	uint64_t carried = e->source_end - num_min(e->source_end, e->body_end);
	size_t n;

	if (skip_stream(e, e->source_end - carried, buf, err) < 0 ||
	    read_stream(e, buf->data, carried, err) < 0 ||
	    carry(e, e->source_end - carried, buf->data, carried, err) < 0)
		return -1;
	/* Ends: a stream that is longer than it may be is its source's error. */
	do {
		if (source_next(e->sources[0], buf->data, e->buf_size, &n, err) < 0)
			return -1;
		e->stream_pos += n;
	} while (n == e->buf_size);
	e->content_size = e->stream_pos;
	e->has_stream_ended = true;
	return 0;
}

int stream_init(struct engine *e, struct error *err)
{
	const struct plan *first = e->plans[0].plan;

	if (first->is_open)
		return 0;
	e->source_end = plan_source_end(first);
	for (size_t i = 0; i < e->n_plans; i++) {
		const struct plan *plan = e->plans[i].plan;

		if (plan->is_open || plan_source_end(plan) != e->source_end ||
		    plan_common_end(first, plan, 0) < e->source_end)
			goto differ;
		for (size_t k = 0; k < plan->n_extents; k++)
			if (plan->extents[k].kind == EXTENT_SOURCE &&
			    plan->extents[k].source_offset != plan->extents[k].start)
				goto differ;
	}
	e->body_end = num_max(num_round_down(e->source_end, ENGINE_ALIGN), ENGINE_WINDOW);
	return 0;
differ:
	return error_set(err, ERROR_INTERNAL, "stream-order",
			 _("Internal error: a stream would have to be read twice for these "
			   "targets."));
}

/* The heads are filled from the stream's first bytes as if those were carried. */
int stream_read_head(struct engine *e, struct error *err)
{
	uint8_t *head = io_aligned_alloc(ENGINE_WINDOW);
	bool is_open = e->plans[0].plan->is_open;
	size_t n = 0;
	int rc;

	if (!head)
		return error_set_nomem(err);
	rc = source_next(e->sources[0], head, ENGINE_WINDOW, &n, err);
	e->stream_pos = n;
	if (rc == 0)
		rc = check_fit(e, n, err);
	if (rc == 0 && !is_open && n < num_min(e->source_end, ENGINE_WINDOW))
		rc = error_short(e, err);
	if (rc == 0 && n < ENGINE_WINDOW)
		rc = end_open(e, head, n, n, err);
	else if (rc == 0)
		rc = carry(e, 0, head, n, err);
	for (size_t i = 0; rc == 0 && i < e->n_plans; i++) {
		struct engine_plan *ep = &e->plans[i];

		if (ep->error.kind == ERROR_NONE)
			rc = plan_fill(ep->plan, e->rest_sources, 0, ep->head, ep->head_len, err);
	}
	io_aligned_free(head, ENGINE_WINDOW);
	if (!e->has_stream_ended) {
		free(e->carry);
		e->carry = NULL;
		e->carry_len = 0;
	}
	return rc;
}

static int next_open(struct engine *e, uint64_t *pos, struct engine_buf *buf, struct error *err)
{
	uint64_t len = num_min(engine_next_cut(e, *pos) - *pos, e->buf_size);
	size_t n;

	if (source_next(e->sources[0], buf->data, len, &n, err) < 0 ||
	    check_fit(e, *pos + n, err) < 0)
		return -1;
	if (n < len) {
		if (end_open(e, buf->data, n, *pos + n, err) < 0)
			return -1;
		n = (size_t)(e->body_end - *pos);
	}
	buf->off = *pos;
	buf->len = (uint32_t)n;
	return n > 0 ? 1 : 0;
}

/* What of [buf->off, + buf->len) the plan does not take from the stream. */
static int fill_others(const struct plan *plan, struct engine_buf *buf, struct error *err)
{
	const struct extent *x = plan_find(plan, buf->off);
	uint64_t end = buf->off + buf->len;

	for (; x < plan->extents + plan->n_extents && x->start < end; x++) {
		uint64_t from = num_max(x->start, buf->off), to = num_min(x->start + x->len, end);

		if (x->kind != EXTENT_SOURCE &&
		    plan_fill(plan, NULL, from, buf->data + (from - buf->off), to - from, err) < 0)
			return -1;
	}
	return 0;
}

static int next_closed(struct engine *e, uint64_t *pos, struct engine_buf *buf, struct error *err)
{
	const struct plan *plan = e->plans[0].plan;
	uint64_t start, len;

	if (!engine_next_run(plan, *pos, e->body_end, &start, &len))
		return end_closed(e, buf, err);
	len = num_min(num_min(len, engine_next_cut(e, start) - start), e->buf_size);
	if (skip_stream(e, start, buf, err) < 0 || read_stream(e, buf->data, len, err) < 0)
		return -1;
	buf->off = start;
	buf->len = (uint32_t)len;
	return fill_others(plan, buf, err) < 0 ? -1 : 1;
}

int stream_next_piece(struct engine *e, uint64_t *pos, struct engine_buf *buf, struct error *err)
{
	int rc;

	if (e->has_stream_ended)
		return 0;
	rc = e->plans[0].was_open ? next_open(e, pos, buf, err) : next_closed(e, pos, buf, err);
	if (rc <= 0)
		return rc;
	*pos = buf->off + buf->len;
	engine_copy_to_tails(e, buf->off, buf->data, buf->len);
	return 1;
}
