// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The target side of the engine, one thread a target: zero the commit window,
 * write the body as it comes, flush, wait for the gate, read back, commit.
 * A short write is continued, a failed one goes the slow way (transfer.c).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/num.h"
#include "base/text.h"
#include "io/engine-internal.h"

/*
 * Tables, volume descriptors, superblocks (btrfs has its own at 64 KiB); small
 * enough for one request of any device (120 KiB for a common stick).
 */
#define COMMIT_SIZE (96 * KIB)

/*
 * Requests for both ends of the commit window: 4 of 512 KiB, 18 of what usb-storage takes
 * (120 KiB), 34 of the smallest; more only if the plan is an odd one.
 */
#define WINDOW_OPS ENGINE_DEPTH_MAX

struct slot {
	struct ring_op op;
	struct engine_buf *buf; /* NULL: free */
};

/* A failed request whose turn for the slow way has not come yet. */
struct failed {
	uint64_t off;
	uint8_t *data;
	uint64_t len;
};

static void set_phase(struct pump *p, enum engine_phase phase, uint64_t total)
{
	atomic_store(&p->done, 0);
	atomic_store(&p->total, total);
	atomic_store(&p->last_progress, engine_now());
	atomic_store(&p->phase, phase);
}

void pump_progress(struct pump *p, uint64_t bytes)
{
	atomic_fetch_add(&p->done, bytes);
	atomic_store(&p->last_progress, engine_now());
}

/* Calls for each planned run of [from, to): writes it from data, whose first byte is at from. */
static int write_runs(struct pump *p, uint64_t from, uint64_t to, uint8_t *data, struct error *err)
{
	uint64_t pos = from, start, len;

	while (engine_next_run(p->ep->plan, pos, to, &start, &len)) {
		if (pump_write(p, start, data + (start - from), len, err) < 0)
			return -1;
		pos = start + len;
	}
	return 0;
}

/*
 * The next request that makes [*pos, to) zero where it is planned; all of it
 * while the plan's size is unknown. False at its end.
 */
static bool next_zero(const struct pump *p, uint64_t *pos, uint64_t to, uint64_t *ret_start,
		      uint64_t *ret_len)
{
	uint64_t start = *pos, len = to - *pos;

	if (p->plan_is_known && !engine_next_run(p->ep->plan, *pos, to, &start, &len))
		return false;
	*ret_start = start;
	*ret_len = num_min(len, p->e->buf_size);
	*pos = start + *ret_len;
	return *ret_len > 0;
}

static int zero_end(struct pump *p, uint64_t from, uint64_t to, struct error *err)
{
	uint64_t pos = from, start, len;

	memset(p->scratch, 0, p->e->buf_size);
	while (next_zero(p, &pos, to, &start, &len))
		if (pump_transfer(p, true, start, p->scratch, len, 0, err) < 0)
			return -1;
	return 0;
}

/*
 * Hands requests to the kernel in one call: a killed writer wrote all or none.
 * 0, or -1 if there are too many for one, or one was not done whole.
 */
static int submit_at_once(struct pump *p, struct ring_op *ops, unsigned int n)
{
	struct ring_op *op;
	int rc = 0;

	if (n > p->depth)
		return -1;
	ring_hold(p->ring, true);
	for (unsigned int i = 0; i < n; i++)
		ring_submit(p->ring, &ops[i]);
	while ((op = ring_wait(p->ring)))
		if (op->res != (int)op->len)
			rc = -1;
	ring_hold(p->ring, false);
	return rc;
}

/* Adds requests that zero what is planned of [from, to); false if ops cannot hold them all. */
static bool add_zero_ops(struct pump *p, uint64_t from, uint64_t to, struct ring_op *ops,
			 unsigned int *n)
{
	uint64_t pos = from, start, len;

	while (next_zero(p, &pos, to, &start, &len)) {
		if (*n == WINDOW_OPS)
			return false;
		ops[(*n)++] = (struct ring_op){
			.is_write = true, .buf = p->scratch, .len = (uint32_t)len, .off = start
		};
	}
	return true;
}

static int flush(struct pump *p, struct error *err)
{
	struct target *t = p->et->target;
	struct error gone = ERROR_INIT;

	if (t->ops->flush(t, err) == 0)
		return 0;
	if (t->ops->recheck(t, &gone) < 0)
		*err = gone;
	return -1;
}

static int zero_window(struct pump *p, struct error *err)
{
	const struct geometry *geo = &p->ep->plan->geo;
	uint64_t last_mib = num_round_down(geo->size - num_min(geo->size, MIB), geo->io_align);
	uint64_t head_end = p->ep->head_len, tail_end = p->ep->tail_start + p->ep->tail_len;
	/* tail_start is rounded further down, and an open plan keeps what lies before its tail. */
	uint64_t tail_start = num_max(p->ep->tail_start, p->plan_is_known ? 0 : last_mib);

	struct ring_op ops[WINDOW_OPS];
	unsigned int n_ops = 0;

	p->touched = true;
	p->et->target->was_written = true;
	memset(p->scratch, 0, p->e->buf_size);
	if (!(add_zero_ops(p, 0, head_end, ops, &n_ops) &&
	      add_zero_ops(p, tail_start, tail_end, ops, &n_ops) &&
	      submit_at_once(p, ops, n_ops) == 0) &&
	    (zero_end(p, 0, head_end, err) < 0 || zero_end(p, tail_start, tail_end, err) < 0))
		return -1;
	if (flush(p, err) < 0)
		return -1;
	p->zeroed_from = tail_start;
	p->is_window_blank = true;
	return 0;
}

/* One finished request: continued if short, put aside if failed. */
static void reap(struct pump *p, struct slot *slot, struct failed *failed, size_t *n_failed,
		 int *ret_sys)
{
	struct ring_op *op = &slot->op;

	if (op->res == (int)op->len) {
		pump_progress(p, slot->buf->len);
		p->et->result.bytes_written += slot->buf->len;
		lane_put(slot->buf);
		slot->buf = NULL;
		return;
	}
	if (op->res > 0 && (uint32_t)op->res < op->len &&
	    (uint64_t)op->res % p->et->target->geo.io_align == 0) {
		op->buf = (uint8_t *)op->buf + op->res;
		op->off += (uint64_t)op->res;
		op->len -= (uint32_t)op->res;
		ring_submit(p->ring, op);
		return;
	}
	*ret_sys = op->res < 0 ? -op->res : EIO;
	p->is_careful = true;
	failed[(*n_failed)++] = (struct failed){ op->off, op->buf, op->len };
}

/* All is drained: the failed pieces, lowest first, go the slow way. */
static int retry_failed(struct pump *p, struct slot *slots, struct failed *failed, size_t *n_failed,
			int sys, struct error *err)
{
	while (*n_failed > 0) {
		size_t low = 0;

		for (size_t i = 1; i < *n_failed; i++)
			if (failed[i].off < failed[low].off)
				low = i;
		if (pump_transfer(p, true, failed[low].off, failed[low].data, failed[low].len, sys,
				  err) < 0)
			return -1;
		failed[low] = failed[--*n_failed];
	}
	for (unsigned int i = 0; i < p->depth; i++) {
		if (!slots[i].buf)
			continue;
		pump_progress(p, slots[i].buf->len);
		p->et->result.bytes_written += slots[i].buf->len;
		lane_put(slots[i].buf);
		slots[i].buf = NULL;
	}
	return 0;
}

/* May this buffer go now, or would it run too far ahead of the oldest incomplete one? */
static bool is_near(const struct pump *p, const struct slot *slots, const struct engine_buf *buf)
{
	for (unsigned int i = 0; i < p->depth; i++)
		if (slots[i].buf && buf->off - slots[i].buf->off > ENGINE_AHEAD)
			return false;
	return true;
}

static struct slot *free_slot(struct pump *p, struct slot *slots)
{
	for (unsigned int i = 0; i < (p->is_careful ? 1 : p->depth); i++)
		if (!slots[i].buf)
			return &slots[i];
	return NULL;
}

struct feed {
	struct engine_buf *waiting; /* taken from the lane, not yet submitted */
	bool ended;
};

/* Submits as much as may be in flight. */
static int fill_ring(struct pump *p, struct slot *slots, struct feed *feed, struct error *err)
{
	struct slot *slot;

	while (!feed->ended && (slot = free_slot(p, slots))) {
		if (!feed->waiting) {
			bool idle = ring_in_flight(p->ring) == 0;

			switch (lane_take(p, idle, &feed->waiting, err)) {
			case LANE_ERROR:
				return -1;
			case LANE_END:
				feed->ended = true;
				return 0;
			case LANE_EMPTY:
				return 0;
			case LANE_BUF:
				break;
			}
		}
		if (feed->waiting->off >= p->ep->tail_start) {
			lane_put(feed->waiting); /* withheld: it lies in the plan's tail */
			feed->waiting = NULL;
			continue;
		}
		if (!is_near(p, slots, feed->waiting))
			return 0;
		slot->buf = feed->waiting;
		feed->waiting = NULL;
		slot->op = (struct ring_op){ .is_write = true,
					     .buf = slot->buf->data,
					     .len = slot->buf->len,
					     .off = slot->buf->off,
					     .user = slot };
		ring_submit(p->ring, &slot->op);
	}
	return 0;
}

static int write_body(struct pump *p, struct error *err)
{
	struct slot slots[ENGINE_DEPTH_MAX] = { 0 };
	struct failed failed[ENGINE_DEPTH_MAX];
	struct feed feed = { 0 };
	struct ring_op *op;
	size_t n_failed = 0;
	int rc = 0, sys = 0;

	/* Ends: every round submits, reaps, or finds the lane ended and nothing in flight. */
	while (rc == 0) {
		if (n_failed == 0)
			rc = fill_ring(p, slots, &feed, err);
		if (rc < 0)
			break;
		op = ring_wait(p->ring);
		if (op)
			reap(p, op->user, failed, &n_failed, &sys);
		else if (n_failed > 0)
			rc = retry_failed(p, slots, failed, &n_failed, sys, err);
		else if (feed.ended)
			break;
		if (rc == 0 && pump_is_cancelled(p, err))
			rc = -1;
	}
	while ((op = ring_wait(p->ring)))
		;
	for (unsigned int i = 0; i < p->depth; i++)
		if (slots[i].buf)
			lane_put(slots[i].buf);
	if (feed.waiting)
		lane_put(feed.waiting);
	lane_leave(p);
	return rc;
}

/* Planned bytes of [from, to). */
static uint64_t planned_bytes(const struct plan *plan, uint64_t from, uint64_t to)
{
	uint64_t sum = 0, pos = from, start, len;

	while (engine_next_run(plan, pos, to, &start, &len)) {
		sum += len;
		pos = start + len;
	}
	return sum;
}

/* What lies between the common body and the withheld tail. */
static int write_rest(struct pump *p, struct error *err)
{
	uint64_t pos = num_min(p->e->body_end, p->ep->tail_start), start, len;

	atomic_store(&p->total, planned_bytes(p->ep->plan, p->ep->head_len, p->ep->tail_start));
	while (engine_next_run(p->ep->plan, pos, p->ep->tail_start, &start, &len)) {
		len = num_min(len, p->e->buf_size);
		if (plan_fill(p->ep->plan, p->e->rest_sources, start, p->scratch, len, err) < 0 ||
		    pump_transfer(p, true, start, p->scratch, len, 0, err) < 0)
			return -1;
		if (pump_is_cancelled(p, err))
			return -1;
		pump_progress(p, len);
		p->et->result.bytes_written += len;
		pos = start + len;
	}
	return 0;
}

/* Requests for the planned runs of [from, from+len); false if ops cannot hold them all. */
static bool add_commit_ops(const struct pump *p, uint64_t from, uint64_t len, uint8_t *data,
			   struct ring_op *ops, unsigned int *n)
{
	uint64_t pos = from, start, run;

	while (engine_next_run(p->ep->plan, pos, from + len, &start, &run)) {
		if (*n == WINDOW_OPS)
			return false;
		run = num_min(run, p->e->buf_size);
		ops[(*n)++] = (struct ring_op){ .is_write = true,
						.buf = data + (start - from),
						.len = (uint32_t)run,
						.off = start };
		pos = start + run;
	}
	return true;
}

/* Does the plan want only zeros at the end? zero_window has written and flushed them already. */
static bool is_tail_done(const struct pump *p)
{
	const struct engine_plan *ep = p->ep;
	uint64_t pos = ep->tail_start, start, len;

	while (engine_next_run(ep->plan, pos, ep->tail_start + ep->tail_len, &start, &len)) {
		const uint8_t *data = ep->tail + (start - ep->tail_start);

		if (start < p->zeroed_from || data[0] || memcmp(data, data + 1, len - 1) != 0)
			return false;
		pos = start + len;
	}
	return true;
}

/*
 * The head's first COMMIT_SIZE bytes hold everything that makes the stick look
 * like an image, so they come last, once all the rest is safe: a crash between
 * two requests leaves nothing that is recognised.
 */
static int write_window(struct pump *p, struct error *err)
{
	const struct engine_plan *ep = p->ep;
	const struct target *t = p->et->target;
	uint64_t first = num_min(ep->head_len, COMMIT_SIZE);
	uint64_t tail_len = is_tail_done(p) ? 0 : ep->tail_len;
	bool is_aligned = !t->is_direct || t->fd_buffered < 0 ||
			  (ep->tail_start + ep->tail_len) % t->geo.io_align == 0;
	struct ring_op ops[WINDOW_OPS];
	unsigned int n_ops = 0;

	if (write_runs(p, first, ep->head_len, ep->head + first, err) < 0 || flush(p, err) < 0)
		return -1;
	/* At once where they are few and aligned; else, or if that fails, one by one. */
	if (is_aligned && add_commit_ops(p, ep->tail_start, tail_len, ep->tail, ops, &n_ops) &&
	    add_commit_ops(p, 0, first, ep->head, ops, &n_ops) &&
	    submit_at_once(p, ops, n_ops) == 0)
		return 0;
	if (write_runs(p, ep->tail_start, ep->tail_start + tail_len, ep->tail, err) < 0)
		return -1;
	return write_runs(p, 0, first, ep->head, err);
}

static double seconds_since(uint64_t then)
{
	return (double)(engine_now() - then) / 1e9;
}

static int wait_head(struct pump *p, struct error *err)
{
	struct engine *e = p->e;
	int rc = 0;

	pthread_mutex_lock(&e->lock);
	while (!e->head_ready && !e->source_done && !atomic_load(&e->cancelled))
		lane_wait_locked(p, &e->changed);
	if (!e->head_ready && e->source_error.kind != ERROR_NONE) {
		*err = e->source_error;
		rc = -1;
	}
	pthread_mutex_unlock(&e->lock);
	return rc == 0 && pump_is_cancelled(p, err) ? -1 : rc;
}

static int wait_gate(struct pump *p, struct error *err)
{
	struct engine *e = p->e;
	uint64_t t0 = engine_now();
	int rc = 0;

	pthread_mutex_lock(&e->lock);
	while (!e->source_done && !atomic_load(&e->cancelled))
		lane_wait_locked(p, &e->changed);
	p->et->result.seconds_wait = seconds_since(t0);
	if (e->source_error.kind != ERROR_NONE) {
		*err = e->source_error;
		rc = -1;
	}
	pthread_mutex_unlock(&e->lock);
	return rc == 0 && pump_is_cancelled(p, err) ? -1 : rc;
}

static int write_phase(struct pump *p, struct error *err)
{
	struct engine_result *r = &p->et->result;
	const struct plan *plan = p->ep->plan;
	uint64_t t0 = engine_now();
	int rc;

	set_phase(p, ENGINE_WRITE,
		  p->ep->was_open ? UINT64_MAX
				  : planned_bytes(plan, p->ep->head_len, p->ep->tail_start));
	rc = zero_window(p, err);
	if (rc == 0)
		rc = write_body(p, err);
	else
		lane_leave(p);
	p->plan_is_known = true;
	if (rc == 0)
		rc = write_rest(p, err);
	r->seconds_write = seconds_since(t0);
	if (rc < 0)
		return -1;
	t0 = engine_now();
	atomic_store(&p->phase, ENGINE_FLUSH);
	rc = flush(p, err);
	r->seconds_flush = seconds_since(t0);
	return rc;
}

static int check_mismatch(struct pump *p, struct error *err)
{
	const struct engine_mismatch *m = &p->et->result.mismatch;
	char path[256];

	if (!m->found)
		return 0;
	text_escape_trim(p->et->target->path, path, sizeof(path));
	return error_set(err, ERROR_DIFFERS, "differs",
			 _("%s: what was read back differs from what was written, first at byte "
			   "%" PRIu64 "."),
			 path, m->offset);
}

/* Can what we read come from the device (or the file), not from memory? */
static bool can_verify(const struct pump *p)
{
	const struct target *t = p->et->target;

	return p->e->config.verify && (t->is_direct || t->is_host_cached || t->info.is_file);
}

static int commit(struct pump *p, struct error *err)
{
	struct engine_result *r = &p->et->result;
	struct target *t = p->et->target;
	uint64_t t0;

	if (write_window(p, err) < 0 || flush(p, err) < 0)
		return -1;
	r->bytes_written += planned_bytes(p->ep->plan, 0, p->ep->head_len) +
			    planned_bytes(p->ep->plan, p->ep->tail_start, p->ep->plan->geo.size);
	if (!can_verify(p))
		return 0;
	t0 = engine_now();
	if (t->ops->drop_cache(t, err) < 0 ||
	    verify_memory(p, 0, p->ep->head, p->ep->head_len, err) < 0 ||
	    verify_memory(p, p->ep->tail_start, p->ep->tail, p->ep->tail_len, err) < 0)
		return -1;
	r->seconds_verify += seconds_since(t0);
	return check_mismatch(p, err);
}

static int verify_and_commit(struct pump *p, struct error *err)
{
	struct engine_result *r = &p->et->result;
	struct target *t = p->et->target;
	struct error ignored = ERROR_INIT;
	uint64_t t0 = engine_now();

	if (can_verify(p)) {
		set_phase(p, ENGINE_VERIFY, planned_bytes(p->ep->plan, 0, p->ep->plan->geo.size));
		r->method = t->is_direct && !t->is_host_cached ? METHOD_O_DIRECT : METHOD_FILE;
		if (t->ops->drop_cache(t, err) < 0 ||
		    verify_marks(p, p->ep->head_len, p->ep->tail_start, err) < 0 ||
		    check_mismatch(p, err) < 0)
			return -1;
		r->seconds_verify = seconds_since(t0);
		atomic_store(&p->phase, ENGINE_COMMIT);
	} else {
		set_phase(p, ENGINE_COMMIT, 0);
	}
	if (pump_is_cancelled(p, err) || verify_withheld(p, err) < 0)
		return -1;
	p->is_window_blank = false;
	if (commit(p, err) == 0)
		return 0;
	/* Half a commit must not look finished; that it is not is already the verdict. */
	p->is_careful = true;
	if (zero_end(p, 0, p->ep->head_len, &ignored) == 0 &&
	    zero_end(p, p->ep->tail_start, p->ep->plan->geo.size, &ignored) == 0)
		p->is_window_blank = t->ops->flush(t, &ignored) == 0;
	return -1;
}

/* An I/O error's sentence goes on: what is on the target now, and what to do about the target. */
static void add_state(const struct pump *p, struct error *err)
{
	bool is_gone = !strcmp(err->code, "device-gone") || !strcmp(err->code, "device-replaced");
	bool is_file = p->et->target->info.is_file;
	bool is_full = is_file && (err->sys == ENOSPC || err->sys == EDQUOT);
	bool is_target = !is_file && (p->et->result.error_offset != UINT64_MAX ||
				      !strcmp(err->code, "flush-failed"));
	bool was_written = p->et->target->was_written; /* `check` only reads */
	size_t len = strlen(err->msg);
	char path[256];

	text_escape_trim(p->et->target->path, path, sizeof(path));
	snprintf(err->msg + len, sizeof(err->msg) - len, "%s%s%s%s%s",
		 len > 0 && err->msg[len - 1] != '.' ? "." : "", was_written ? " " : "",
		 was_written ? path : "",
		 !was_written ? ""
		 : p->is_window_blank
			 ? _(" is incomplete, and neither boots nor mounts: its first and last MiB "
			     "are blank.")
			 : _(" is incomplete."),
		 is_gone     ? was_written ? _(" Plug it in again, and run this again.")
					   : _(" Plug it in again, and check it again.")
		     : is_full ? _(" Make room on its file system, and run this again.")
		 : is_target ? _(" Try another port; if it fails again, replace it.")
			     : "");
}

static void set_cancelled(const struct pump *p, struct error *ret)
{
	char path[256];

	text_escape_trim(p->et->target->path, path, sizeof(path));
	if (p->is_window_blank)
		error_set(ret, ERROR_CANCELLED, "cancelled",
			  _("Cancelled: %s is incomplete; its first and last MiB are blank, so it "
			    "neither boots nor mounts. Run this again."),
			  path);
	else
		error_set(ret, ERROR_CANCELLED, "cancelled",
			  _("Cancelled: %s is incomplete. Run this again."), path);
}

static void finish(struct pump *p, int rc, const struct error *err)
{
	struct engine_result *r = &p->et->result;
	struct engine *e = p->e;
	bool nobody_reads;

	r->failed_in = (enum engine_phase)atomic_load(&p->phase);
	if (rc < 0) {
		r->error = *err;
		if (p->et->target->was_written && err->kind == ERROR_CANCELLED)
			set_cancelled(p, &r->error);
		else if (p->touched && err->kind == ERROR_IO)
			add_state(p, &r->error);
		r->verdict = !p->touched && err->kind != ERROR_CANCELLED ? ENGINE_UNTOUCHED
			     : err->kind == ERROR_CANCELLED              ? ENGINE_CANCELLED
									 : ENGINE_FAILED;
	} else if (can_verify(p)) {
		r->verdict = ENGINE_VERIFIED;
		r->sha256 = p->ep->digest;
		if (plan_is_verbatim(p->ep->plan, e->facts.content_size))
			r->content_sha256 = e->facts.content_sha256;
	} else {
		r->verdict = ENGINE_WRITTEN;
	}
	pthread_mutex_lock(&e->lock);
	atomic_store(&p->phase, ENGINE_FINISHED);
	e->n_finished++;
	nobody_reads = e->n_finished == e->n_pumps && !e->source_done;
	for (size_t i = 0; i < e->n_lanes; i++)
		pthread_cond_signal(&e->lanes[i].can_fill);
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	/* The last target has failed: a pipe that says nothing must not hold up the report. */
	if (nobody_reads && e->is_stream && !source_can_rewind(e->sources[0]))
		source_cancel(e->sources[0]);
}

void *pump_main(void *arg)
{
	struct pump *p = arg;
	struct error err = ERROR_INIT;
	int rc = wait_head(p, &err);

	if (rc == 0)
		rc = ring_new(p->et->target->fd, p->depth, &p->ring, &err);
	if (rc < 0) {
		lane_leave(p);
	} else {
		diagnose_sample_old(p);
		rc = write_phase(p, &err);
	}
	if (rc == 0)
		rc = wait_gate(p, &err);
	if (rc == 0)
		rc = verify_and_commit(p, &err);
	ring_free(p->ring);
	p->ring = NULL;
	finish(p, rc, &err);
	return NULL;
}

static int check(struct pump *p, struct error *err)
{
	struct engine_result *r = &p->et->result;
	struct engine_plan *ep = p->ep;
	struct target *t = p->et->target;
	uint64_t t0 = engine_now();

	if (ep->error.kind != ERROR_NONE) {
		*err = ep->error;
		return -1;
	}
	set_phase(p, ENGINE_VERIFY, planned_bytes(ep->plan, 0, ep->plan->geo.size));
	if (!can_verify(p))
		return error_set(err, ERROR_LACKING, "no-direct-read",
				 _("The device cannot be read past the system's cache, so what it "
				   "holds cannot be checked."));
	r->method = t->is_direct && !t->is_host_cached ? METHOD_O_DIRECT : METHOD_FILE;
	if (ring_new(t->fd, p->depth, &p->ring, err) < 0 || t->ops->drop_cache(t, err) < 0 ||
	    verify_memory(p, 0, ep->head, ep->head_len, err) < 0 ||
	    verify_marks(p, ep->head_len, ep->tail_start, err) < 0 ||
	    verify_memory(p, ep->tail_start, ep->tail, ep->tail_len, err) < 0)
		return -1;
	r->seconds_verify = seconds_since(t0);
	return check_mismatch(p, err);
}

void *pump_check_main(void *arg)
{
	struct pump *p = arg;
	struct error err = ERROR_INIT;
	int rc = check(p, &err);

	ring_free(p->ring);
	p->ring = NULL;
	p->touched = true; /* so that a failure is one, not "untouched" */
	finish(p, rc, &err);
	return NULL;
}
