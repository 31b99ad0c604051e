// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Plain transfers of the engine, and the ladder on trouble: a failed request
 * makes the target careful (one request at a time), is tried TRIES times more
 * by plain calls, then narrowed down to its first bad sector and reported.
 * After each failure the device is asked whether it is still there.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/io.h"
#include "base/num.h"
#include "base/text.h"
#include "io/engine-internal.h"

#define TRIES 3 /* documented in the man page */

bool pump_is_cancelled(struct pump *p, struct error *err)
{
	if (!atomic_load(&p->e->cancelled))
		return false;
	error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
	return true;
}

/* ERROR_IO with the place, unless the device itself is gone: then that. */
static int set_io_error(struct pump *p, bool is_write, uint64_t off, uint64_t len, int sys,
			struct error *err)
{
	struct engine_result *r = &p->et->result;
	char path[256], at[NUM_SIZE_LEN], why[128];
	const char *text;

	r->error_offset = off;
	r->error_length = len;
	if (p->et->target->ops->recheck(p->et->target, err) < 0)
		return -1;
	text_escape_trim(p->et->target->path, path, sizeof(path));
	num_format_bytes(at, sizeof(at), off);
	text = strerror_r(sys, why, sizeof(why));
	error_set(err, ERROR_IO, is_write ? "write-error" : "read-error",
		  is_write ? _("%s: cannot write at byte %s: %s.")
			   : _("%s: cannot read back at byte %s: %s."),
		  path, at, text);
	err->sys = sys;
	return -1;
}

static void pause_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* One whole transfer of a piece by plain calls: 0, or the errno of what stopped it. */
static int transfer(struct pump *p, bool is_write, uint64_t off, void *buf, uint64_t len)
{
	struct target *t = p->et->target;
	uint64_t direct = len;
	ssize_t n;

	/* The unaligned tail of a file goes through the page cache. */
	if (t->is_direct && t->fd_buffered >= 0)
		direct = num_round_down(len, t->geo.io_align);
	errno = 0;
	n = is_write ? io_pwrite_full(t->fd, buf, direct, off)
		     : io_pread_full(t->fd, buf, direct, off);
	if (n == (ssize_t)direct && direct < len)
		n += is_write ? io_pwrite_full(t->fd_buffered, (char *)buf + direct, len - direct,
					       off + direct)
			      : io_pread_full(t->fd_buffered, (char *)buf + direct, len - direct,
					      off + direct);
	if (n == (ssize_t)len)
		return 0;
	return errno ? errno : EIO; /* a read of 0 bytes before the end */
}

/* Narrows a failing range down to its first bad sector. Ends: the range halves each time. */
static int find_bad_sector(struct pump *p, bool is_write, uint64_t off, uint8_t *buf, uint64_t len,
			   int sys, struct error *err)
{
	uint64_t unit = num_max(p->et->target->geo.io_align, 512);

	while (len > unit) {
		uint64_t half = num_round_up(len / 2, unit);
		int first = transfer(p, is_write, off, buf, half);

		if (first) {
			sys = first;
			len = half;
			continue;
		}
		off += half;
		buf += half;
		len -= half;
		first = transfer(p, is_write, off, buf, len);
		if (!first)
			return 0; /* every piece went through in the end */
		sys = first;
	}
	return set_io_error(p, is_write, off, len, sys, err);
}

/* A file's file system is full: that is no bad sector, and does not pass by itself. */
static bool is_full(const struct pump *p, int sys)
{
	return p->et->target->info.is_file && (sys == ENOSPC || sys == EDQUOT || sys == EFBIG);
}

int pump_transfer(struct pump *p, bool is_write, uint64_t off, void *buf, uint64_t len, int sys,
		  struct error *err)
{
	static const unsigned int pauses[TRIES] = { 0, 100, 400 };

	if (!sys)
		sys = transfer(p, is_write, off, buf, len);
	for (unsigned int try = 0; sys && try < TRIES; try++) {
		if (is_full(p, sys))
			return set_io_error(p, is_write, off, len, sys, err);
		p->is_careful = true;
		pause_ms(pauses[try]);
		if (pump_is_cancelled(p, err))
			return -1;
		if (p->et->target->ops->recheck(p->et->target, err) < 0) {
			p->et->result.error_offset = off;
			p->et->result.error_length = len;
			return -1;
		}
		if (is_write)
			p->et->result.write_retries++;
		sys = transfer(p, is_write, off, buf, len);
	}
	return sys ? find_bad_sector(p, is_write, off, buf, len, sys, err) : 0;
}

/* Writes or reads a range in requests of at most buf_size. */
static int transfer_range(struct pump *p, bool is_write, uint64_t off, uint8_t *buf, uint64_t len,
			  struct error *err)
{
	for (uint64_t done = 0, n; done < len; done += n) {
		n = num_min(len - done, p->e->buf_size);
		if (pump_transfer(p, is_write, off + done, buf + done, n, 0, err) < 0)
			return -1;
	}
	return 0;
}

int pump_read(struct pump *p, uint64_t off, void *buf, uint64_t len, struct error *err)
{
	return transfer_range(p, false, off, buf, len, err);
}

int pump_write(struct pump *p, uint64_t off, void *buf, uint64_t len, struct error *err)
{
	return transfer_range(p, true, off, buf, len, err);
}
