// SPDX-License-Identifier: GPL-3.0-or-later
/* Files with holes, and standard output; see sink.h. */
#include "io/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "image/source.h"

#define WRITEBACK_STEP (32 * MIB) /* or else all of it waits for the flush */
#define POLL_MS 200
#define READ_SIZE ((size_t)MIB)

DEFINE_AUTO(struct source *, source_free);
#define auto_source auto_cleanup(source_free)

static const uint8_t zeros[64 * 1024];

int sink_init(struct sink *s, struct outfile *file, bool compress, uint64_t size,
	      const atomic_bool *cancelled, struct error *err)
{
	struct stat st;

	*s = (struct sink){
		.file = file,
		.fd = file ? file->fd : STDOUT_FILENO,
		.size = size,
		.cancelled = cancelled,
	};
	s->is_pipe = fstat(s->fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
	return compress ? sink_zstd_new(size, &s->zstd, err) : 0;
}

void sink_done(struct sink *s)
{
	sink_zstd_free(s->zstd);
	s->zstd = NULL;
}

static int set_failed(const struct sink *s, int sys, struct error *err)
{
	if (s->file)
		return outfile_set_error(s->file, sys, err);
	return error_set_sys(err, ERROR_INTERNAL, "stdout", sys,
			     _("Standard output could not be written"));
}

/* A reader that takes nothing must not keep us from being cancelled. */
static int wait_writable(const struct sink *s, struct error *err)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLOUT };

	for (;;) {
		int n;

		if (atomic_load(s->cancelled))
			return error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
		n = poll(&pfd, 1, POLL_MS);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return set_failed(s, errno, err);
	}
}

static int write_stdout(struct sink *s, const uint8_t *data, size_t len, struct error *err)
{
	while (len > 0) {
		/* What poll says of a pipe holds for so many bytes. */
		size_t some = s->is_pipe ? num_min(len, PIPE_BUF) : len;
		ssize_t n;

		if (s->is_pipe && wait_writable(s, err) < 0)
			return -1;
		n = write(s->fd, data, some);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return set_failed(s, n < 0 ? errno : ENOSPC, err);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_at(struct sink *s, uint64_t off, const void *data, size_t len, struct error *err)
{
	ssize_t n = io_pwrite_full(s->fd, data, len, off);

	if (n != (ssize_t)len)
		return set_failed(s, errno, err);
	if (off + len - s->started >= WRITEBACK_STEP) {
		/* Only begun, and only to save time at the end. */
		(void)sync_file_range(s->fd, (off_t)s->started, (off_t)(off + len - s->started),
				      SYNC_FILE_RANGE_WRITE);
		s->started = off + len;
	}
	return 0;
}

int sink_write_raw(struct sink *s, const void *data, size_t len, struct error *err)
{
	int rc = s->file ? write_at(s, s->raw, data, len, err) : write_stdout(s, data, len, err);

	if (rc == 0)
		s->raw += len;
	return rc;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* Bytes until the first block that is zero (or, of one that is, that is not). */
static size_t run_length(const uint8_t *data, size_t len, bool zero)
{
	size_t done = 0;

	while (done < len) {
		size_t n = num_min(SINK_BLOCK, len - done);

		if (is_zero(data + done, n) != zero)
			break;
		done += n;
	}
	return done;
}

/* Blocks are counted from data on, which begins at a block of the file as long as pieces do. */
static int put_sparse(struct sink *s, const uint8_t *data, size_t len, struct error *err)
{
	for (size_t done = 0; data && done < len;) {
		size_t n;

		done += run_length(data + done, len - done, true);
		n = run_length(data + done, len - done, false);
		if (n > 0 && write_at(s, s->pos + done, data + done, n, err) < 0)
			return -1;
		done += n;
	}
	return 0;
}

static int put_all(struct sink *s, const uint8_t *data, size_t len, struct error *err)
{
	while (len > 0) {
		size_t n = data ? len : num_min(len, sizeof(zeros));
		const uint8_t *from = data ? data : zeros;
		int rc = s->zstd ? sink_zstd_put(s, from, n, err) : sink_write_raw(s, from, n, err);

		if (rc < 0)
			return -1;
		data = data ? data + n : NULL;
		len -= n;
	}
	return 0;
}

int sink_put(struct sink *s, const void *data, size_t len, struct error *err)
{
	int rc = s->file && !s->zstd ? put_sparse(s, data, len, err) : put_all(s, data, len, err);

	if (rc == 0)
		s->pos += len;
	return rc;
}

int sink_finish(struct sink *s, struct error *err)
{
	if (s->zstd)
		return sink_zstd_finish(s, err);
	if (s->file && ftruncate(s->fd, (off_t)s->size) < 0)
		return set_failed(s, errno, err);
	return 0;
}

int sink_flush(struct sink *s, struct error *err)
{
	if (fsync(s->fd) == 0)
		return 0;
	/* A pipe, a terminal, /dev/null. */
	if (!s->file && (errno == EINVAL || errno == EROFS))
		return 0;
	return set_failed(s, errno, err);
}

static int read_back_plain(int fd, uint64_t size, struct hash *hash,
			   bool (*on_progress)(void *ctx, uint64_t done), void *ctx, uint8_t *buf,
			   struct error *err)
{
	for (uint64_t off = 0; off < size;) {
		size_t want = (size_t)num_min(READ_SIZE, size - off);
		ssize_t n = io_pread_full(fd, buf, want, off);

		if (n != (ssize_t)want)
			return error_set_sys(err, ERROR_IO, "read-back", n < 0 ? errno : EIO,
					     _("What was written cannot be read back"));
		hash_update(hash, buf, want);
		off += want;
		if (on_progress(ctx, off))
			return error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
	}
	return 0;
}

static int read_back_zstd(const char *path, struct hash *hash,
			  bool (*on_progress)(void *ctx, uint64_t done), void *ctx, uint8_t *buf,
			  struct error *err)
{
	auto_source struct source *src = NULL;
	uint64_t done = 0;
	size_t n;

	if (source_open(path, &src, err) < 0)
		return -1;
	do {
		if (source_next(src, buf, READ_SIZE, &n, err) < 0)
			return -1;
		hash_update(hash, buf, n);
		done += n;
		if (on_progress(ctx, done))
			return error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
	} while (n == READ_SIZE);
	return 0;
}

int sink_read_back(struct sink *s, struct hash *hash, bool (*on_progress)(void *ctx, uint64_t done),
		   void *ctx, struct error *err)
{
	uint8_t *buf = io_aligned_alloc(READ_SIZE);
	char path[32];
	int rc;

	if (!buf)
		return error_set_nomem(err);
	(void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_DONTNEED);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->fd);
	rc = s->zstd ? read_back_zstd(path, hash, on_progress, ctx, buf, err)
		     : read_back_plain(s->fd, s->size, hash, on_progress, ctx, buf, err);
	io_aligned_free(buf, READ_SIZE);
	return rc;
}
