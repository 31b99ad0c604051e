// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reads a target back, strictly ascending, and proves it piece by piece: a
 * segment lies between two marks of the hash; its state at the first mark, fed
 * with what was read, must give the state at the second. Reading (the target's
 * own thread) and hashing (the workers, shared by all targets) overlap;
 * several segments are hashed at once, each in order. Workers never wait for a
 * target, so a slow one takes no worker from the others.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/num.h"
#include "io/engine-internal.h"

#define N_BUFS_MAX 16

struct verify;

struct piece {
	struct ring_op op;
	struct segment *seg; /* NULL: free */
	uint32_t index;      /* in its segment */
	uint64_t off;
	uint8_t *data;
	uint32_t len;
	struct piece *next; /* arrived ones of the segment, by index */
};

struct segment {
	struct verify *v; /* NULL: free */
	const struct mark *from, *to;
	struct hash *hash;
	uint32_t n_issued, n_hashed;
	bool all_issued, is_queued;
	struct piece *arrived;
	struct segment *next; /* in the workers' queue */
};

struct verify {
	struct pump *p;
	struct piece pieces[N_BUFS_MAX];
	struct segment segments[N_BUFS_MAX + 1];
	unsigned int n_pieces, n_open; /* open: segments not yet proved */
	uint8_t *mem;
	pthread_cond_t changed;
	struct bad {
		uint64_t from, to;
	} bad[64]; /* as the workers came to them, so not in order */
	unsigned int n_bad;
};

/* Called with the lock held: the segment's verdict. */
static void conclude(struct segment *seg, bool is_good)
{
	struct verify *v = seg->v;

	if (!is_good && v->n_bad < ARRAY_SIZE(v->bad)) {
		v->bad[v->n_bad++] = (struct bad){ seg->from->pos, seg->to->pos };
	} else if (!is_good) {
		/* More than the table holds: the last entry grows, so that nothing is forgotten. */
		struct bad *last = &v->bad[v->n_bad - 1];

		last->from = num_min(last->from, seg->from->pos);
		last->to = num_max(last->to, seg->to->pos);
	}
	seg->v = NULL;
	v->n_open--;
	pthread_cond_signal(&v->changed);
}

static bool is_equal_state(const struct hash *a, const struct hash *b)
{
	struct digest da, db;

	hash_peek(a, &da);
	hash_peek(b, &db);
	return digest_is_equal(&da, &db);
}

/* Hashes what of a segment has arrived in order; the lock is held on entry and exit. */
static void work_on(struct engine *e, struct segment *seg)
{
	struct verify *v = seg->v;

	while (seg->arrived && seg->arrived->index == seg->n_hashed) {
		struct piece *piece = seg->arrived;

		seg->arrived = piece->next;
		pthread_mutex_unlock(&e->lock);
		hash_update(seg->hash, piece->data, piece->len);
		pthread_mutex_lock(&e->lock);
		seg->n_hashed++;
		piece->seg = NULL;
		pthread_cond_signal(&v->changed);
	}
	if (seg->all_issued && seg->n_hashed == seg->n_issued) {
		bool is_good;

		pthread_mutex_unlock(&e->lock);
		is_good = is_equal_state(seg->hash, seg->to->state);
		pthread_mutex_lock(&e->lock);
		seg->is_queued = false;
		conclude(seg, is_good);
		return;
	}
	seg->is_queued = false;
	pthread_cond_signal(&v->changed);
}

void *verify_worker(void *arg)
{
	struct engine *e = arg;

	pthread_mutex_lock(&e->lock);
	while (!e->stop_workers) {
		struct segment *seg = e->work;

		if (!seg) {
			pthread_cond_wait(&e->has_work, &e->lock);
			continue;
		}
		e->work = seg->next;
		if (!e->work)
			e->work_tail = &e->work;
		work_on(e, seg);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

/* Locked: gives the segment to the workers if one of them could go on with it. */
static void queue_segment(struct engine *e, struct segment *seg)
{
	bool has_next = seg->arrived && seg->arrived->index == seg->n_hashed;
	bool is_complete = seg->all_issued && seg->n_hashed == seg->n_issued;

	if (seg->is_queued || (!has_next && !is_complete))
		return;
	seg->is_queued = true;
	seg->next = NULL;
	*e->work_tail = seg;
	e->work_tail = &seg->next;
	pthread_cond_signal(&e->has_work);
}

static void arrive(struct engine *e, struct piece *piece)
{
	struct segment *seg = piece->seg;
	struct piece **at = &seg->arrived;

	pthread_mutex_lock(&e->lock);
	while (*at && (*at)->index < piece->index)
		at = &(*at)->next;
	piece->next = *at;
	*at = piece;
	queue_segment(e, seg);
	pthread_mutex_unlock(&e->lock);
}

/* One finished read: continued by hand when short or failed. */
static int reap_read(struct pump *p, struct ring_op *op, struct error *err)
{
	struct piece *piece = op->user;

	if (op->res != (int)piece->len) {
		p->is_careful = true;
		if (pump_read(p, piece->off, piece->data, piece->len, err) < 0)
			return -1;
	}
	pump_progress(p, piece->len);
	arrive(p->e, piece);
	return 0;
}

/* A free piece: reaps reads, then waits for the workers. NULL with err on failure. */
static struct piece *get_piece(struct verify *v, struct error *err)
{
	struct pump *p = v->p;
	struct engine *e = p->e;

	for (;;) {
		struct piece *free_piece = NULL;
		struct ring_op *op;

		pthread_mutex_lock(&e->lock);
		for (unsigned int i = 0; i < v->n_pieces && !free_piece; i++)
			if (!v->pieces[i].seg)
				free_piece = &v->pieces[i];
		if (!free_piece && ring_in_flight(p->ring) == 0) {
			pthread_cond_wait(&v->changed, &e->lock);
			pthread_mutex_unlock(&e->lock);
			continue;
		}
		pthread_mutex_unlock(&e->lock);
		if (atomic_load(&e->cancelled)) {
			error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
			return NULL;
		}
		if (free_piece && ring_in_flight(p->ring) < (p->is_careful ? 1 : v->n_pieces))
			return free_piece;
		op = ring_wait(p->ring);
		if (op && reap_read(p, op, err) < 0)
			return NULL;
	}
}

static struct segment *get_segment(struct verify *v)
{
	struct engine *e = v->p->e;
	struct segment *seg = NULL;

	pthread_mutex_lock(&e->lock);
	/* There is one segment more than pieces, and each open one but the newest holds a piece. */
	while (!seg) {
		for (unsigned int i = 0; i <= v->n_pieces && !seg; i++)
			if (!v->segments[i].v)
				seg = &v->segments[i];
		if (!seg)
			pthread_cond_wait(&v->changed, &e->lock);
	}
	seg->v = v;
	v->n_open++;
	pthread_mutex_unlock(&e->lock);
	seg->n_issued = seg->n_hashed = 0;
	seg->all_issued = seg->is_queued = false;
	seg->arrived = NULL;
	return seg;
}

static int read_segment(struct verify *v, const struct mark *from, const struct mark *to,
			struct error *err)
{
	struct pump *p = v->p;
	struct engine *e = p->e;
	uint64_t pos = from->pos, start, len;
	struct segment *seg;
	int rc = 0;

	if (!engine_next_run(p->ep->plan, pos, to->pos, &start, &len))
		return 0;
	seg = get_segment(v);
	seg->from = from;
	seg->to = to;
	hash_load(seg->hash, from->state);
	while (rc == 0 && engine_next_run(p->ep->plan, pos, to->pos, &start, &len)) {
		struct piece *piece = get_piece(v, err);

		if (!piece) {
			rc = -1;
			break;
		}
		piece->off = start;
		piece->len = (uint32_t)num_min(len, e->buf_size);
		piece->index = seg->n_issued;
		pthread_mutex_lock(&e->lock);
		piece->seg = seg;
		seg->n_issued++;
		pthread_mutex_unlock(&e->lock);
		piece->op = (struct ring_op){
			.buf = piece->data, .len = piece->len, .off = start, .user = piece
		};
		pos = start + piece->len;
		ring_submit(p->ring, &piece->op);
	}
	pthread_mutex_lock(&e->lock);
	seg->all_issued = true;
	if (rc == 0)
		queue_segment(e, seg);
	pthread_mutex_unlock(&e->lock);
	return rc;
}

/* The i-th mark of a plan: those of its group up to the body's end, then its own. */
static const struct mark *get_mark(const struct engine_plan *ep, const struct track *t, size_t i)
{
	if (i < t->n_marks)
		return &t->marks[i];
	i -= t->n_marks;
	return i < ep->rest.n_marks ? &ep->rest.marks[i] : NULL;
}

static void hash_runs(struct hash *h, const struct plan *plan, uint64_t off, const uint8_t *data,
		      uint64_t len)
{
	uint64_t pos = off, start, n;

	/* Ends: each run begins behind the last one. */
	while (engine_next_run(plan, pos, off + len, &start, &n)) {
		hash_update(h, data + (start - off), n);
		pos = start + n;
	}
}

int verify_withheld(struct pump *p, struct error *err)
{
	const struct engine_plan *ep = p->ep;
	const struct track *t = &p->e->groups[ep->group].track;
	const struct mark *from = t->marks, *m;
	uint64_t start, len;
	bool is_good;
	struct digest d;
	struct hash *h;

	if (hash_new("sha256", &h, err) < 0)
		return -1;
	hash_load(h, t->marks[0].state);
	hash_runs(h, ep->plan, 0, ep->head, ep->head_len);
	is_good = is_equal_state(h, t->marks[1].state);
	if (engine_next_run(ep->plan, ep->tail_start, ep->plan->geo.size, &start, &len)) {
		for (size_t i = 0; (m = get_mark(ep, t, i)) && m->pos <= ep->tail_start; i++)
			from = m;
		hash_load(h, from->state);
		hash_runs(h, ep->plan, ep->tail_start, ep->tail, ep->tail_len);
		hash_peek(h, &d);
		is_good &= digest_is_equal(&d, &ep->digest);
	}
	hash_free(h);
	if (is_good)
		return 0;
	return error_set(err, ERROR_INTERNAL, "withheld",
			 _("Internal error: the first or last MiB to be written is not what was "
			   "read of the image. They were not written; please report this."));
}

static int read_all(struct verify *v, uint64_t from, uint64_t to, struct error *err)
{
	const struct engine_plan *ep = v->p->ep;
	const struct track *t = &v->p->e->groups[ep->group].track;
	const struct mark *a, *b;
	struct ring_op *op;

	for (size_t i = 0; (a = get_mark(ep, t, i)) && (b = get_mark(ep, t, i + 1)); i++) {
		/* A mark at the window's edge always exists unless only kept bytes lie there. */
		if (a->pos < from || a->pos >= to || b->pos <= a->pos)
			continue;
		if (read_segment(v, a, b, err) < 0)
			return -1;
	}
	while ((op = ring_wait(v->p->ring)))
		if (reap_read(v->p, op, err) < 0)
			return -1;
	return 0;
}

static int verify_init(struct verify *v, struct pump *p, struct error *err)
{
	memset(v, 0, sizeof(*v));
	v->p = p;
	v->n_pieces = p->depth < N_BUFS_MAX ? p->depth : N_BUFS_MAX;
	pthread_cond_init(&v->changed, NULL);
	v->mem = io_aligned_alloc((size_t)v->n_pieces * p->e->buf_size);
	if (!v->mem)
		return error_set_nomem(err);
	for (unsigned int i = 0; i < v->n_pieces; i++)
		v->pieces[i].data = v->mem + (size_t)i * p->e->buf_size;
	for (unsigned int i = 0; i <= v->n_pieces; i++)
		if (hash_new("sha256", &v->segments[i].hash, err) < 0)
			return -1;
	return 0;
}

/* Takes a broken-off segment out of the workers' queue, and waits for what they are at. */
static void abandon(struct verify *v)
{
	struct engine *e = v->p->e;
	struct segment **at;

	pthread_mutex_lock(&e->lock);
	for (at = &e->work; *at;) {
		if ((*at)->v != v) {
			at = &(*at)->next;
			continue;
		}
		(*at)->is_queued = false;
		*at = (*at)->next;
	}
	e->work_tail = at;
	for (unsigned int i = 0; i <= v->n_pieces; i++)
		while (v->segments[i].is_queued)
			pthread_cond_wait(&v->changed, &e->lock);
	pthread_mutex_unlock(&e->lock);
}

static void verify_done(struct verify *v)
{
	while (ring_wait(v->p->ring))
		;
	for (unsigned int i = 0; i < ARRAY_SIZE(v->segments); i++)
		hash_free(v->segments[i].hash);
	io_aligned_free(v->mem, (size_t)v->n_pieces * v->p->e->buf_size);
	pthread_cond_destroy(&v->changed);
}

static int compare_bad(const void *a, const void *b)
{
	const struct bad *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Ascending and each byte once, so that the first bad place comes first. */
static void diagnose(struct verify *v)
{
	uint64_t pos = 0;

	qsort(v->bad, v->n_bad, sizeof(v->bad[0]), compare_bad);
	for (unsigned int i = 0; i < v->n_bad; i++) {
		if (v->bad[i].to > pos)
			diagnose_range(v->p, num_max(v->bad[i].from, pos), v->bad[i].to);
		pos = num_max(pos, v->bad[i].to);
	}
}

int verify_marks(struct pump *p, uint64_t from, uint64_t to, struct error *err)
{
	struct engine *e = p->e;
	struct verify *v = malloc(sizeof(*v));
	int rc;

	if (!v)
		return error_set_nomem(err);
	rc = verify_init(v, p, err);
	if (rc == 0)
		rc = read_all(v, from, to, err);
	if (rc == 0) {
		pthread_mutex_lock(&e->lock);
		while (v->n_open > 0)
			pthread_cond_wait(&v->changed, &e->lock);
		pthread_mutex_unlock(&e->lock);
	} else {
		abandon(v);
	}
	if (rc == 0)
		diagnose(v);
	verify_done(v);
	free(v);
	return rc;
}

int verify_memory(struct pump *p, uint64_t off, const uint8_t *want, uint64_t len,
		  struct error *err)
{
	uint64_t pos = off, start, n;

	while (engine_next_run(p->ep->plan, pos, off + len, &start, &n)) {
		n = num_min(n, p->e->buf_size);
		if (pump_read(p, start, p->scratch, n, err) < 0)
			return -1;
		diagnose_compare(p, start, want + (start - off), p->scratch, n);
		pump_progress(p, n);
		pos = start + n;
	}
	return 0;
}
