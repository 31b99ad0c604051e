// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Digests of a file as it is, read once. A single one is computed piece by piece
 * as it is read: a second thread would gain little, and lose on a busy machine.
 * Of several, the calling thread reads pieces into a small ring, and each digest
 * has a thread that takes every piece in order; a piece is filled again when the
 * slowest has done with it. All is small, so that it is hashed out of a cache.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/num.h"
#include "image/source-internal.h"

#define PIECE (256 * KIB)
#define N_PIECES 16

struct digester;

struct worker {
	struct digester *d;
	pthread_t thread;
	bool is_running;
	struct hash *hash;
	uint64_t n_done; /* pieces; under the lock */
};

struct digester {
	struct source *src;
	bool (*on_progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	uint8_t *buf; /* N_PIECES pieces */
	size_t len[N_PIECES];
	uint64_t n_filled; /* pieces; under the lock */
	bool is_ended; /* no more will be filled */
	size_t n_workers;
	struct worker workers[SOURCE_MAX_DIGESTS];
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct digester *d = w->d;

	pthread_mutex_lock(&d->lock);
	while (true) {
		size_t slot = (size_t)(w->n_done % N_PIECES);

		while (w->n_done == d->n_filled && !d->is_ended)
			pthread_cond_wait(&d->filled, &d->lock);
		if (w->n_done == d->n_filled)
			break;
		pthread_mutex_unlock(&d->lock);
		hash_update(w->hash, d->buf + slot * PIECE, d->len[slot]);
		pthread_mutex_lock(&d->lock);
		w->n_done++;
		pthread_cond_signal(&d->emptied);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* Of the slowest one. Under the lock. */
static uint64_t n_done_by_all(const struct digester *d)
{
	uint64_t n = d->n_filled;

	for (size_t i = 0; i < d->n_workers; i++)
		n = num_min(n, d->workers[i].n_done);
	return n;
}

static void finish_threads(struct digester *d)
{
	pthread_mutex_lock(&d->lock);
	d->is_ended = true;
	pthread_cond_broadcast(&d->filled);
	pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; i < d->n_workers; i++) {
		if (d->workers[i].is_running)
			pthread_join(d->workers[i].thread, NULL);
		d->workers[i].is_running = false;
	}
}

static int start_threads(struct digester *d, struct error *err)
{
	for (size_t i = 0; i < d->n_workers; i++) {
		struct worker *w = &d->workers[i];
		int rc;

		w->d = d;
		rc = pthread_create(&w->thread, NULL, work, w);
		if (rc != 0)
			return error_set_sys(err, ERROR_INTERNAL, "thread", rc,
					     _("Cannot start a thread"));
		w->is_running = true;
	}
	return 0;
}

static int report_progress(const struct digester *d, uint64_t done, struct error *err)
{
	if (source_is_cancelled(d->src) ||
	    (d->on_progress && d->on_progress(d->ctx, done, d->src->file_size)))
		return source_set_cancelled(d->src, err);
	return 0;
}

/* A piece into the next slot of the ring, once all have done with what was in it. */
static int fill(struct digester *d, uint64_t off, size_t len, struct error *err)
{
	size_t slot = (size_t)(d->n_filled % N_PIECES);

	pthread_mutex_lock(&d->lock);
	while (d->n_filled - n_done_by_all(d) == N_PIECES)
		pthread_cond_wait(&d->emptied, &d->lock);
	pthread_mutex_unlock(&d->lock);
	if (source_file_read_at(d->src, off, d->buf + slot * PIECE, len, err) < 0)
		return -1;
	d->len[slot] = len;
	pthread_mutex_lock(&d->lock);
	d->n_filled++;
	pthread_cond_broadcast(&d->filled);
	pthread_mutex_unlock(&d->lock);
	return 0;
}

static int digest_many(struct digester *d, struct error *err)
{
	int rc = start_threads(d, err);

	for (uint64_t off = 0; rc == 0 && off < d->src->file_size;) {
		size_t len = (size_t)num_min(PIECE, d->src->file_size - off);

		rc = fill(d, off, len, err);
		off += len;
		if (rc == 0)
			rc = report_progress(d, off, err);
	}
	finish_threads(d);
	return rc;
}

static int digest_one(struct digester *d, struct error *err)
{
	for (uint64_t off = 0; off < d->src->file_size;) {
		size_t len = (size_t)num_min(PIECE, d->src->file_size - off);

		if (source_file_read_at(d->src, off, d->buf, len, err) < 0)
			return -1;
		hash_update(d->workers[0].hash, d->buf, len);
		off += len;
		if (report_progress(d, off, err) < 0)
			return -1;
	}
	return 0;
}

static int prepare(struct digester *d, const char *const *algs, struct error *err)
{
	d->buf = io_aligned_alloc(N_PIECES * PIECE);
	if (!d->buf)
		return error_set_nomem(err);
	for (size_t i = 0; i < d->n_workers; i++) {
		if (hash_new(algs[i], &d->workers[i].hash, err) < 0)
			return -1;
	}
	return 0;
}

int source_digest_file(struct source *src, const char *const *algs, size_t n_algs,
		       bool (*on_progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
		       struct digest *ret, struct error *err)
{
	struct digester d = {
		.src = src,
		.on_progress = on_progress,
		.ctx = ctx,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.filled = PTHREAD_COND_INITIALIZER,
		.emptied = PTHREAD_COND_INITIALIZER,
		.n_workers = n_algs,
	};
	int rc;

	if (src->fd < 0 || n_algs > SOURCE_MAX_DIGESTS)
		return error_set(err, ERROR_INTERNAL, "source-access",
				 _("Internal error: the source is not a file."));
	rc = prepare(&d, algs, err);
	if (rc == 0)
		rc = n_algs == 1 ? digest_one(&d, err) : digest_many(&d, err);
	for (size_t i = 0; i < n_algs; i++) {
		if (rc == 0)
			hash_peek(d.workers[i].hash, &ret[i]);
		hash_free(d.workers[i].hash);
	}
	io_aligned_free(d.buf, N_PIECES * PIECE);
	return rc;
}
