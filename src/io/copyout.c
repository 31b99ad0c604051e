// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The reader's engine; see copyout.h. A window of slots moves over the device:
 * each is one request, submitted ahead and consumed in order, so that the stick
 * works while we hash and write. What a request could not bring is read again in
 * ever smaller pieces (copyout_repair), so that an error has an exact place.
 */
#include "io/copyout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/num.h"
#include "base/text.h"
#include "io/ring.h"
#include "io/sink.h"

#define REQUEST_MAX (512 * KIB)
#define IN_FLIGHT (4 * MIB) /* bytes */
#define MAX_SLOTS 32
#define RETRY_SIZE (64 * KIB) /* pieces of a failed request, before single sectors */

struct slot {
	struct ring_op op;
	uint64_t off;
	uint32_t len;
	bool is_pending; /* with the ring */
	bool is_hole; /* nothing to read: zeros */
};

struct copyout {
	struct target *t;
	struct copyout_config config;
	struct copyout_result result;
	struct sink sink;
	struct ring *ring;
	struct hash *hash;
	uint8_t *mem; /* a request for each slot, then a sector's worth for single reads */
	struct slot slots[MAX_SLOTS];
	unsigned int n_slots;
	uint32_t request; /* bytes of a slot */
	uint64_t submitted; /* content bytes that have a slot */
	uint64_t hole_end, data_end; /* files: zeros up to hole_end, then data up to data_end */

	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool is_ended; /* under lock */
	atomic_bool cancelled;
	atomic_bool is_writing; /* in the sink: the device is not what is waited for */
	atomic_int phase;
	_Atomic uint64_t done;
	_Atomic double last_progress, phase_start;
};

static void set_done(struct copyout *c, uint64_t done)
{
	atomic_store(&c->done, done);
	atomic_store(&c->last_progress, clock_seconds());
}

static void begin_phase(struct copyout *c, enum copyout_phase phase)
{
	set_done(c, 0);
	atomic_store(&c->phase_start, clock_seconds());
	atomic_store(&c->phase, phase);
}

static const char *safe_name(const struct copyout *c, char buf[300])
{
	return text_escape(c->t->path, SIZE_MAX, buf, 300);
}

static int check_cancelled(struct copyout *c, struct error *err)
{
	if (!atomic_load(&c->cancelled))
		return 0;
	return error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
}

/* ---- what cannot be read ---- */

static void add_bad(struct copyout_result *r, uint64_t off, uint64_t len)
{
	struct copyout_bad *last = r->n_bad ? &r->bad[r->n_bad - 1] : NULL;

	r->bad_bytes += len;
	if (last && last->offset + last->length == off) {
		last->length += len;
		return;
	}
	if (r->n_bad < COPYOUT_MAX_BAD) {
		r->bad[r->n_bad++] = (struct copyout_bad){ .offset = off, .length = len };
		return;
	}
	r->has_more_bad = true;
	last->length = off + len - last->offset;
}

/* One place that cannot be read: the end, or zeros. sys 0: it ended there. */
static int give_up(struct copyout *c, uint8_t *buf, uint64_t off, size_t len, int sys,
		   struct error *err)
{
	char name[300];

	c->result.error_offset = off;
	/* Of a device that is gone nothing else can be read either. */
	if (device_recheck(c->t->fd, &c->t->info, err) < 0)
		return -1;
	if (!c->config.keep_going && sys)
		return error_set_sys(err, ERROR_IO, "source-read", sys,
				     _("%s cannot be read at byte %" PRIu64), safe_name(c, name),
				     off);
	if (!c->config.keep_going)
		return error_set(err, ERROR_IO, "source-read",
				 _("%s gives no data at byte %" PRIu64 "."), safe_name(c, name),
				 off);
	c->result.error_offset = UINT64_MAX;
	memset(buf, 0, len);
	add_bad(&c->result, off, len);
	return 0;
}

/* Uncached reads want whole sectors; the end of a file may be shorter than one. */
static int read_some(struct copyout *c, uint8_t *buf, uint64_t off, size_t len, int *ret_sys)
{
	size_t whole = num_round_up(len, c->t->geo.io_align);
	ssize_t n;

	do {
		n = pread(c->t->fd, buf, whole, (off_t)off);
	} while (n < 0 && errno == EINTR);
	*ret_sys = n < 0 ? errno : 0;
	return n >= (ssize_t)len ? 0 : -1;
}

/* Sector by sector. */
static int repair_piece(struct copyout *c, uint8_t *buf, uint64_t off, size_t len,
			struct error *err)
{
	uint8_t *one = c->mem + (size_t)c->n_slots * c->request;
	size_t step = c->t->geo.io_align;

	for (size_t done = 0; done < len;) {
		size_t n = num_min(step, len - done);
		int sys;

		if (check_cancelled(c, err) < 0)
			return -1;
		if (read_some(c, one, off + done, n, &sys) == 0)
			memcpy(buf + done, one, n);
		else if (give_up(c, buf + done, off + done, n, sys, err) < 0)
			return -1;
		done += n;
		atomic_store(&c->last_progress, clock_seconds());
	}
	return 0;
}

/* A request failed, or came short: again, in pieces. */
static int repair(struct copyout *c, uint8_t *buf, uint64_t off, size_t len, struct error *err)
{
	for (size_t done = 0; done < len;) {
		size_t n = num_min(RETRY_SIZE, len - done);
		int sys;

		if (check_cancelled(c, err) < 0)
			return -1;
		if (read_some(c, buf + done, off + done, n, &sys) < 0 &&
		    repair_piece(c, buf + done, off + done, n, err) < 0)
			return -1;
		done += n;
		atomic_store(&c->last_progress, clock_seconds());
	}
	return 0;
}

/* ---- the window ---- */

/* Where a sparse file has data next. A device, or a file system without holes: everywhere. */
static void find_data(struct copyout *c, uint64_t off)
{
	uint64_t end = c->config.read_end;
	off_t data, hole;

	c->hole_end = off;
	c->data_end = end;
	if (!c->t->info.is_file)
		return;
	data = lseek(c->t->fd, (off_t)off, SEEK_DATA);
	if (data < 0) {
		if (errno == ENXIO)
			c->hole_end = end;
		return;
	}
	hole = lseek(c->t->fd, data, SEEK_HOLE);
	/* Both on bounds that uncached reads can begin at. */
	c->hole_end = num_max(off, num_min(num_round_down((uint64_t)data, SINK_BLOCK), end));
	if (hole > data)
		c->data_end = num_min(num_round_up((uint64_t)hole, SINK_BLOCK), end);
}

/* What the next slot covers. */
static void size_slot(struct copyout *c, struct slot *slot)
{
	uint64_t off = c->submitted, end;

	if (off >= c->config.read_end) {
		slot->is_hole = true; /* of the plan alone */
		end = c->config.size;
	} else {
		if (off >= c->data_end)
			find_data(c, off);
		slot->is_hole = off < c->hole_end;
		end = slot->is_hole ? c->hole_end : c->data_end;
	}
	slot->off = off;
	slot->len = (uint32_t)num_min(c->request, end - off);
}

static uint8_t *slot_buf(struct copyout *c, const struct slot *slot)
{
	return c->mem + (size_t)(slot - c->slots) * c->request;
}

static void submit(struct copyout *c, struct slot *slot)
{
	size_slot(c, slot);
	c->submitted += slot->len;
	if (slot->is_hole)
		return;
	slot->is_pending = true;
	slot->op = (struct ring_op){
		.buf = slot_buf(c, slot),
		/* Behind the end of a file nothing comes, which is counted below. */
		.len = (uint32_t)num_round_up(slot->len, c->t->geo.io_align),
		.off = slot->off,
		.user = slot,
	};
	ring_submit(c->ring, &slot->op);
}

/* The plan's own bytes over those that were read. */
static void lay_over(const struct plan *plan, uint64_t off, uint8_t *buf, size_t len)
{
	for (size_t i = 0; plan && i < plan->n_extents; i++) {
		const struct extent *e = &plan->extents[i];
		uint64_t from = num_max(e->start, off);
		uint64_t to = num_min(e->start + e->len, off + len);

		if (from >= to || e->kind == EXTENT_SOURCE)
			continue;
		if (e->kind == EXTENT_MEMORY)
			memcpy(buf + (from - off),
			       plan->arena + e->source_offset + (from - e->start),
			       (size_t)(to - from));
		else
			memset(buf + (from - off), 0, (size_t)(to - from));
	}
}

/* The oldest slot's bytes: into the hash and the sink. */
static int consume(struct copyout *c, struct slot *slot, struct error *err)
{
	uint8_t *buf = slot_buf(c, slot);
	size_t got = 0;
	int rc;

	if (slot->is_hole) {
		memset(buf, 0, slot->len);
	} else {
		if (slot->op.res > 0)
			got = (size_t)num_min((uint64_t)slot->op.res, slot->len);
		/* Uncached reads go on at a whole sector. */
		if (got < slot->len)
			got = num_round_down(got, c->t->geo.io_align);
		if (got < slot->len &&
		    repair(c, buf + got, slot->off + got, slot->len - got, err) < 0)
			return -1;
	}
	lay_over(c->config.plan, slot->off, buf, slot->len);
	hash_update(c->hash, buf, slot->len);
	atomic_store(&c->is_writing, true);
	rc = sink_put(&c->sink, slot->is_hole && !c->config.plan ? NULL : buf, slot->len, err);
	atomic_store(&c->is_writing, false);
	if (rc < 0)
		return -1;
	c->result.bytes_done += slot->len;
	set_done(c, c->result.bytes_done);
	return 0;
}

static int read_all(struct copyout *c, struct error *err)
{
	uint64_t oldest = 0, newest = 0; /* slots, counted */

	while (c->result.bytes_done < c->config.size) {
		struct slot *slot = &c->slots[oldest % c->n_slots];

		if (check_cancelled(c, err) < 0)
			return -1;
		while (newest - oldest < c->n_slots && c->submitted < c->config.size)
			submit(c, &c->slots[newest++ % c->n_slots]);
		while (slot->is_pending) {
			struct ring_op *op = ring_wait(c->ring);

			if (!op)
				return error_set(err, ERROR_INTERNAL, "ring",
						 _("A read request was lost."));
			((struct slot *)op->user)->is_pending = false;
		}
		if (consume(c, slot, err) < 0)
			return -1;
		oldest++;
	}
	hash_peek(c->hash, &c->result.sha256);
	return sink_finish(&c->sink, err);
}

/* ---- what comes after ---- */

static bool read_back_progress(void *ctx, uint64_t done)
{
	struct copyout *c = ctx;

	set_done(c, done);
	return atomic_load(&c->cancelled);
}

static int read_back(struct copyout *c, struct error *err)
{
	struct error why = ERROR_INIT;
	struct digest got = { .len = 0 };
	struct hash *hash;
	char name[300];
	int rc;

	if (hash_new("sha256", &hash, err) < 0)
		return -1;
	rc = sink_read_back(&c->sink, hash, read_back_progress, c, &why);
	hash_peek(hash, &got);
	hash_free(hash);
	if (rc < 0 && (why.kind == ERROR_CANCELLED || why.kind == ERROR_INTERNAL)) {
		*err = why;
		return -1;
	}
	if (rc < 0 || !digest_is_equal(&got, &c->result.sha256))
		return error_set(
			err, ERROR_DIFFERS, "read-back-differs",
			_("%s did not keep what was written to it, so nothing is left of it: "
			  "its disk or this machine's memory is failing."),
			text_escape(c->config.file->path, SIZE_MAX, name, sizeof(name)));
	c->result.was_read_back = true;
	return 0;
}

static int run_phases(struct copyout *c, struct error *err)
{
	double start = clock_seconds();

	if (read_all(c, err) < 0)
		return -1;
	c->result.file_size = c->sink.zstd || !c->config.file ? c->sink.raw : c->config.size;
	c->result.seconds_read = clock_seconds() - start;
	begin_phase(c, COPYOUT_FLUSH);
	start = clock_seconds();
	if (sink_flush(&c->sink, err) < 0)
		return -1;
	c->result.seconds_flush = clock_seconds() - start;
	if (!c->config.read_back || !c->config.file)
		return 0;
	begin_phase(c, COPYOUT_CHECK);
	start = clock_seconds();
	if (read_back(c, err) < 0)
		return -1;
	c->result.seconds_check = clock_seconds() - start;
	return 0;
}

static void *run(void *arg)
{
	struct copyout *c = arg;

	(void)run_phases(c, &c->result.error);
	/* What is in flight writes into our memory. */
	while (ring_wait(c->ring))
		;
	pthread_mutex_lock(&c->lock);
	c->is_ended = true;
	pthread_cond_signal(&c->cond);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* ---- its life ---- */

static size_t mem_size(const struct copyout *c)
{
	return (size_t)c->n_slots * c->request + num_round_up(c->t->geo.io_align, SINK_BLOCK);
}

/* As the device takes them in one piece, and as many as keep it busy. */
static void size_requests(struct copyout *c)
{
	uint32_t max = c->t->info.max_request;

	c->request = (uint32_t)REQUEST_MAX;
	if (max >= RETRY_SIZE && max < REQUEST_MAX)
		c->request = (uint32_t)num_round_down(max, RETRY_SIZE);
	c->n_slots = (unsigned int)num_min(IN_FLIGHT / c->request, MAX_SLOTS);
}

int copyout_new(struct target *t, const struct copyout_config *config, struct copyout **ret,
		struct error *err)
{
	struct copyout *c = calloc(1, sizeof(*c));

	if (!c)
		return error_set_nomem(err);
	c->t = t;
	c->config = *config;
	c->result.error_offset = UINT64_MAX;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->cond, NULL);
	size_requests(c);
	c->mem = io_aligned_alloc(mem_size(c));
	if (!c->mem) {
		copyout_free(c);
		return error_set_nomem(err);
	}
	if (hash_new("sha256", &c->hash, err) < 0 ||
	    ring_new(t->fd, c->n_slots, &c->ring, err) < 0 ||
	    sink_init(&c->sink, config->file, config->compress, config->size, &c->cancelled, err) <
		    0) {
		copyout_free(c);
		return -1;
	}
	*ret = c;
	return 0;
}

int copyout_start(struct copyout *c, struct error *err)
{
	int sys;

	begin_phase(c, COPYOUT_READ);
	sys = pthread_create(&c->thread, NULL, run, c);
	if (sys)
		return error_set_sys(err, ERROR_INTERNAL, "thread", sys,
				     _("Cannot start a thread to read with"));
	c->has_thread = true;
	return 0;
}

bool copyout_wait(struct copyout *c, int timeout_ms)
{
	struct timespec until;
	bool is_ended;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&c->lock);
	if (!c->is_ended)
		pthread_cond_timedwait(&c->cond, &c->lock, &until);
	is_ended = c->is_ended;
	pthread_mutex_unlock(&c->lock);
	return is_ended;
}

void copyout_get_status(struct copyout *c, struct copyout_status *ret)
{
	ret->phase = (enum copyout_phase)atomic_load(&c->phase);
	ret->done = atomic_load(&c->done);
	ret->total = c->config.size;
	ret->phase_start = atomic_load(&c->phase_start);
	ret->stalled = 0;
	if (ret->phase == COPYOUT_READ && !atomic_load(&c->is_writing))
		ret->stalled = clock_seconds() - atomic_load(&c->last_progress);
}

void copyout_cancel(struct copyout *c)
{
	atomic_store(&c->cancelled, true);
}

const struct copyout_result *copyout_get_result(const struct copyout *c)
{
	return &c->result;
}

void copyout_free(struct copyout *c)
{
	if (!c)
		return;
	if (c->has_thread)
		pthread_join(c->thread, NULL);
	sink_done(&c->sink);
	ring_free(c->ring);
	hash_free(c->hash);
	io_aligned_free(c->mem, mem_size(c));
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->cond);
	free(c);
}
