/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For the tests of sources: files and pipes made of bytes, and reading a source through. */
#ifndef ISOWRITE_TESTS_SOURCE_UTIL_H
#define ISOWRITE_TESTS_SOURCE_UTIL_H

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/source.h"

struct bytes {
	uint8_t *p;
	size_t len;
};

static inline void bytes_add(struct bytes *b, const void *p, size_t len)
{
	b->p = realloc(b->p, b->len + len + 1);
	if (!b->p)
		abort();
	if (len > 0)
		memcpy(b->p + b->len, p, len);
	b->len += len;
}

/* n times b. */
static inline struct bytes bytes_repeat(struct bytes b, size_t n)
{
	struct bytes out = { .p = malloc(n * b.len + 1), .len = n * b.len };

	if (!out.p)
		abort();
	for (size_t i = 0; i < n; i++)
		memcpy(out.p + i * b.len, b.p, b.len);
	return out;
}

/* Half noise, half runs: compresses, but not to nothing. The same for the same seed. */
static inline struct bytes bytes_sample(size_t len, uint32_t seed)
{
	struct bytes b = { .p = malloc(len + 1), .len = len };

	if (!b.p)
		abort();
	for (size_t i = 0; i < len; i++) {
		if (i % 64 < 32)
			seed = seed * 1664525 + 1013904223;
		b.p[i] = (uint8_t)(seed >> 24);
	}
	return b;
}

/* An unnamed file that holds b; path gets a name of it. Returns the fd. */
static inline int file_of(struct bytes b, char path[64])
{
	int fd = memfd_create("source", MFD_CLOEXEC);

	if (fd < 0 || write(fd, b.p, b.len) != (ssize_t)b.len)
		abort();
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

struct feeder {
	int fds[2];
	struct bytes data;
	size_t step;
	pthread_t thread;
	char path[64];
};

static inline void *feeder_run(void *arg)
{
	struct feeder *f = arg;
	size_t done = 0;

	while (done < f->data.len) {
		size_t n = f->data.len - done < f->step ? f->data.len - done : f->step;
		ssize_t w = write(f->fds[1], f->data.p + done, n);

		if (w <= 0)
			break;
		done += (size_t)w;
	}
	close(f->fds[1]);
	return NULL;
}

/*
 * A pipe into which a thread writes data, step bytes at a time. A source that is closed early
 * must not end the test.
 */
static inline void feeder_start(struct feeder *f, struct bytes data, size_t step)
{
	signal(SIGPIPE, SIG_IGN); /* a source may stop reading early */
	f->data = data;
	f->step = step;
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(f->fds, O_CLOEXEC) < 0 || pthread_create(&f->thread, NULL, feeder_run, f) != 0)
		abort();
	snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fds[0]);
}

static inline void feeder_stop(struct feeder *f)
{
	close(f->fds[0]);
	pthread_join(f->thread, NULL);
}

/* Reads src through, step bytes at a time. */
static inline int slurp(struct source *src, size_t step, struct bytes *ret, struct error *err)
{
	uint8_t *buf = malloc(step);
	int rc = 0;
	size_t n;

	*ret = (struct bytes){ 0 };
	do {
		rc = source_next(src, buf, step, &n, err);
		if (rc == 0)
			bytes_add(ret, buf, n);
	} while (rc == 0 && n == step);
	free(buf);
	return rc;
}

/*
 * Opens the bytes as a file (or through a pipe) and reads them through.
 * 0: *ret is the content (may be NULL). -1: *err.
 */
static inline int read_bytes(struct bytes b, int through_pipe, size_t step, struct bytes *ret,
			     struct error *err)
{
	struct bytes content = { 0 };
	struct source *src = NULL;
	struct feeder f;
	char path[64];
	int fd = -1, rc;

	if (through_pipe)
		feeder_start(&f, b, 1000);
	else
		fd = file_of(b, path);
	rc = source_open(through_pipe ? f.path : path, &src, err);
	if (rc == 0)
		rc = slurp(src, step, &content, err);
	source_free(src);
	if (through_pipe)
		feeder_stop(&f);
	else
		close(fd);
	if (rc == 0 && ret)
		*ret = content;
	else
		free(content.p);
	return rc;
}

static inline int bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

#endif
