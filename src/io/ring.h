/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asynchronous reads and writes of one descriptor: io_uring where the kernel
 * lets us, else plain pread and pwrite, done at once when submitted (what was
 * held goes through Linux AIO, which takes many requests in one call). The only
 * user of liburing. One thread uses a ring; it has one ring a target, because
 * submitting can block in the kernel when that target's queue is full, and a
 * hanging stick must not delay the others.
 */
#ifndef ISOWRITE_IO_RING_H
#define ISOWRITE_IO_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct ring;

/* One request; the caller's until ring_submit, the ring's until ring_wait gives it back. */
struct ring_op {
	bool is_write;
	void *buf;
	uint32_t len; /* bytes */
	uint64_t off; /* bytes */
	int res; /* bytes done, or -errno; set by ring_wait */
	struct ring_op *next; /* the ring's own */
	void *user;
};

/*
 * fd is borrowed. depth is the most requests in flight. Falls to the plain
 * path by itself where io_uring is missing, denied or out of memory.
 */
int ring_new(int fd, unsigned int depth, struct ring **ret, struct error *err);

/* 0 where the kernel has io_uring and lets us use it, else the errno that it said. */
int ring_probe(void);

/* Waits for what is in flight, then frees. NULL ok. */
void ring_free(struct ring *ring);

unsigned int ring_in_flight(const struct ring *ring);

/* Takes op; never fails: what cannot be queued is done at once, its result waits in the ring. */
void ring_submit(struct ring *ring, struct ring_op *op);

/*
 * While held, requests only queue; the next ring_wait hands all of them to the
 * kernel in one call, so that a killed process has started all or none.
 */
void ring_hold(struct ring *ring, bool hold);

/* Blocks for the next finished request; NULL when nothing is in flight. */
struct ring_op *ring_wait(struct ring *ring);

#endif
