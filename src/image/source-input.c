// SPDX-License-Identifier: GPL-3.0-or-later
/* The raw bytes of a file or pipe, ascending, cancellable; see source-internal.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/source-internal.h"

#define INPUT_BUFFER (SOURCE_INPUT_MAX + SOURCE_INPUT_BACK)

int source_input_init(struct source_input *in, struct source *src, int fd, bool is_seekable,
		      struct error *err)
{
	*in = (struct source_input){ .src = src, .fd = fd, .is_seekable = is_seekable };
	in->buf = malloc(INPUT_BUFFER);
	if (!in->buf)
		return error_set_nomem(err);
	if (is_seekable)
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	else
		fcntl(fd, F_SETPIPE_SZ, 1 << 20); /* fewer wake-ups; not a pipe, no matter */
	return 0;
}

void source_input_done(struct source_input *in)
{
	if (in->fd >= 0)
		close(in->fd);
	free(in->buf);
}

/* Waits for data, the end, a hang-up or cancellation. A file is always ready. */
static int wait_readable(struct source_input *in, struct error *err)
{
	struct pollfd fds[2] = {
		{ .fd = in->fd, .events = POLLIN },
		{ .fd = source_cancel_fd(in->src), .events = POLLIN },
	};
	int n, wait_ms;

	do {
		if (source_poll(in->src, &wait_ms))
			return 0;
		n = poll(fds, 2, wait_ms);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return error_set_sys(err, ERROR_IO, "source-read", errno,
					     _("Cannot wait for the image's data"));
	} while (n <= 0);
	return 0;
}

/* One read; 0 at the end. */
static int read_some(struct source_input *in, void *buf, size_t len, size_t *ret_len,
		     struct error *err)
{
	char name[SOURCE_NAME_SIZE];

	for (;;) {
		ssize_t n;

		if (!in->is_seekable && wait_readable(in, err) < 0)
			return -1;
		if (source_is_cancelled(in->src))
			return source_set_cancelled(in->src, err);
		n = in->is_seekable ? pread(in->fd, buf, len, (off_t)in->offset)
				    : read(in->fd, buf, len);
		if (n >= 0) {
			*ret_len = (size_t)n;
			return 0;
		}
		if (errno == EINTR || errno == EAGAIN)
			continue;
		return error_set_sys(err, ERROR_IO, "source-read", errno,
				     _("Cannot read %s at byte %" PRIu64),
				     source_name(in->src, name), in->offset);
	}
}

int source_input_fill(struct source_input *in, size_t want, struct error *err)
{
	if (in->len - in->pos < want && in->pos > SOURCE_INPUT_BACK && !in->is_ended) {
		size_t drop = in->pos - SOURCE_INPUT_BACK;

		memmove(in->buf, in->buf + drop, in->len - drop);
		in->len -= drop;
		in->pos -= drop;
	}
	while (in->len - in->pos < want && !in->is_ended) {
		size_t n;

		if (read_some(in, in->buf + in->len, INPUT_BUFFER - in->len, &n, err) < 0)
			return -1;
		if (n == 0) {
			in->is_ended = true;
			break;
		}
		if (source_feed_file_taps(in->src, in->buf + in->len, n, err) < 0)
			return -1;
		in->len += n;
		in->offset += n;
	}
	return 0;
}

int source_input_rewind(struct source_input *in, struct error *err)
{
	if (!in->is_seekable)
		return error_set(err, ERROR_INTERNAL, "source-access",
				 _("Internal error: the source cannot be read twice."));
	in->offset = 0;
	in->pos = in->len = 0;
	in->is_ended = false;
	return 0;
}
