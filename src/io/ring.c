// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The ring; see ring.h. Keeps to liburing 2.3's interface. The descriptor is
 * registered (a restricted ring can then use nothing else) and unregistered
 * before the ring goes: a registered file keeps an O_EXCL claim for 20-30 ms
 * after io_uring_queue_exit().
 */
#include "io/ring.h"

#include <errno.h>
#include <liburing.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct ring {
	int fd;
	unsigned int depth, in_flight;
	bool is_async, is_registered;
	bool is_held;
	bool is_broken; /* io_uring_enter fails for good: never called again */
	struct io_uring uring;
	struct ring_op **untaken; /* queued, but not yet taken by the kernel, in order; <= depth */
	unsigned int n_untaken;
	struct ring_op *done, **done_tail; /* finished without the kernel's queue */
};

/* Developer's knob, documented in README: ISOWRITE_ENGINE=plain. */
static bool wants_plain(void)
{
	const char *engine = secure_getenv("ISOWRITE_ENGINE");

	return engine && !strcmp(engine, "plain");
}

int ring_new(int fd, unsigned int depth, struct ring **ret, struct error *err)
{
	struct ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return error_set_nomem(err);
	ring->fd = fd;
	ring->depth = depth;
	ring->done_tail = &ring->done;
	ring->untaken = calloc(depth, sizeof(struct ring_op *));
	if (!ring->untaken) {
		free(ring);
		return error_set_nomem(err);
	}
	if (!wants_plain() && io_uring_queue_init(depth, &ring->uring, 0) == 0) {
		ring->is_async = true;
		ring->is_registered = io_uring_register_files(&ring->uring, &ring->fd, 1) == 0;
	}
	*ret = ring;
	return 0;
}

int ring_probe(void)
{
	struct io_uring uring;
	int rc = io_uring_queue_init(1, &uring, 0);

	if (rc == 0)
		io_uring_queue_exit(&uring);
	return -rc;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	while (ring_wait(ring))
		;
	if (ring->is_async) {
		/* A failure only delays the release of the O_EXCL claim. */
		if (ring->is_registered)
			(void)io_uring_unregister_files(&ring->uring);
		io_uring_queue_exit(&ring->uring);
	}
	free(ring->untaken);
	free(ring);
}

unsigned int ring_in_flight(const struct ring *ring)
{
	return ring->in_flight;
}

static void put_done(struct ring *ring, struct ring_op *op, int res)
{
	op->res = res;
	op->next = NULL;
	*ring->done_tail = op;
	ring->done_tail = &op->next;
}

static void do_now(struct ring *ring, struct ring_op *op)
{
	ssize_t n;

	do {
		n = op->is_write ? pwrite(ring->fd, op->buf, op->len, (off_t)op->off)
				 : pread(ring->fd, op->buf, op->len, (off_t)op->off);
	} while (n < 0 && errno == EINTR);
	put_done(ring, op, n < 0 ? -errno : (int)n);
}

/* Hands requests to Linux AIO in one call and waits for what it took. Sets ops[i] of those NULL. */
static void do_by_aio(struct ring *ring, struct ring_op **ops, unsigned int n, struct iocb *cb,
		      struct iocb **list)
{
	struct io_event event;
	aio_context_t ctx = 0;
	long taken, rc = 1;

	if (syscall(SYS_io_setup, n, &ctx) != 0)
		return;
	for (unsigned int i = 0; i < n; i++) {
		list[i] = &cb[i];
		cb[i].aio_lio_opcode = ops[i]->is_write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
		cb[i].aio_fildes = (uint32_t)ring->fd;
		cb[i].aio_buf = (uintptr_t)ops[i]->buf;
		cb[i].aio_nbytes = ops[i]->len;
		cb[i].aio_offset = (int64_t)ops[i]->off;
		cb[i].aio_data = i;
	}
	taken = syscall(SYS_io_submit, ctx, n, list);
	/* Ends: every round takes one event, or is interrupted, or fails. */
	while (taken > 0) {
		rc = syscall(SYS_io_getevents, ctx, 1L, 1L, &event, NULL);
		if (rc == 1 && event.data < n && ops[event.data]) {
			put_done(ring, ops[event.data], (int)event.res);
			ops[event.data] = NULL;
			taken--;
		} else if (rc >= 0 || errno != EINTR) {
			break;
		}
	}
	(void)syscall(SYS_io_destroy, ctx); /* waits for what it still has */
}

/*
 * The plain path's held requests: one call for all, since pwrite() can be killed
 * between two. What is not done so (a filter, no AIO) is done one by one.
 */
static void do_batch(struct ring *ring)
{
	unsigned int n = ring->n_untaken;
	struct iocb *cb = calloc(n, sizeof(*cb));
	struct iocb **list = calloc(n, sizeof(struct iocb *));

	if (cb && list)
		do_by_aio(ring, ring->untaken, n, cb, list);
	free(cb);
	free(list);
	for (unsigned int i = 0; i < n; i++)
		if (ring->untaken[i])
			do_now(ring, ring->untaken[i]);
	ring->n_untaken = 0;
}

static bool is_transient(int n)
{
	return n == -EINTR || n == -EAGAIN || n == -EBUSY;
}

/*
 * io_uring_enter fails for good (a filter, an injected fault). What the kernel
 * has still completes in shared memory; what it never took is done here, and
 * never submitted, because nobody enters again.
 */
static void break_ring(struct ring *ring)
{
	ring->is_broken = true;
	for (unsigned int i = 0; i < ring->n_untaken; i++)
		do_now(ring, ring->untaken[i]);
	ring->n_untaken = 0;
}

/*
 * Hands what is queued to the kernel and waits for that many completions. Part of
 * it may be taken: what is left is handed over the next time.
 */
static int enter(struct ring *ring, unsigned int wait_for)
{
	int n = io_uring_submit_and_wait(&ring->uring, wait_for);
	unsigned int left = io_uring_sq_ready(&ring->uring);

	if (left < ring->n_untaken) {
		memmove(ring->untaken, ring->untaken + (ring->n_untaken - left),
			left * sizeof(struct ring_op *));
		ring->n_untaken = left;
	}
	if (n < 0 && !is_transient(n))
		break_ring(ring);
	return n;
}

void ring_submit(struct ring *ring, struct ring_op *op)
{
	struct io_uring_sqe *sqe = NULL;
	int fd = ring->is_registered ? 0 : ring->fd;

	ring->in_flight++;
	if (!ring->is_async && ring->is_held && ring->n_untaken < ring->depth) {
		ring->untaken[ring->n_untaken++] = op;
		return;
	}
	if (ring->is_async && !ring->is_broken && ring->n_untaken == ring->depth)
		(void)enter(ring, 0); /* full, held or not */
	if (ring->is_async && !ring->is_broken && ring->n_untaken < ring->depth)
		sqe = io_uring_get_sqe(&ring->uring);
	if (!sqe) {
		do_now(ring, op);
		return;
	}
	if (op->is_write)
		io_uring_prep_write(sqe, fd, op->buf, op->len, op->off);
	else
		io_uring_prep_read(sqe, fd, op->buf, op->len, op->off);
	if (ring->is_registered)
		sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data(sqe, op);
	ring->untaken[ring->n_untaken++] = op;
	if (!ring->is_held)
		(void)enter(ring, 0);
}

void ring_hold(struct ring *ring, bool hold)
{
	ring->is_held = hold;
}

static struct ring_op *take_done(struct ring *ring)
{
	struct ring_op *op = ring->done;

	if (op) {
		ring->done = op->next;
		if (!ring->done)
			ring->done_tail = &ring->done;
		ring->in_flight--;
	}
	return op;
}

static struct ring_op *take_cqe(struct ring *ring)
{
	struct io_uring_cqe *cqe = NULL;
	struct ring_op *op;

	if (!ring->is_async || io_uring_peek_cqe(&ring->uring, &cqe) != 0 || !cqe)
		return NULL;
	op = io_uring_cqe_get_data(cqe);
	op->res = cqe->res;
	io_uring_cqe_seen(&ring->uring, cqe);
	ring->in_flight--;
	return op;
}

struct ring_op *ring_wait(struct ring *ring)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	/* Ends when the kernel completes something; a dead device hangs this thread only. */
	while (ring->in_flight > 0) {
		struct ring_op *op = take_done(ring);
		int n;

		if (op)
			return op;
		if (!ring->is_async) {
			do_batch(ring);
			continue;
		}
		op = take_cqe(ring);
		if (op && is_transient(op->res)) {
			/* The kernel's trouble, not the medium's: once more, by a plain call. */
			ring->in_flight++;
			do_now(ring, op);
			continue;
		}
		if (op)
			return op;
		/* Out of memory or completions: the kernel needs a moment. */
		if (ring->is_broken || (n = enter(ring, 1)) == -EAGAIN || n == -EBUSY)
			nanosleep(&pause, NULL);
	}
	return NULL;
}
