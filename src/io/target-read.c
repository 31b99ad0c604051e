// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A target that is only looked at: opened read-only through its O_PATH
 * descriptor, so that it is the one that was examined, and read past the page
 * cache. For `check`, which must work beside whatever uses the stick.
 */
#include "io/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/io.h"
#include "base/text.h"

int target_open_read(struct target *t, struct error *err)
{
	char proc[40], name[256];
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
	int fd;

	text_escape(t->path, SIZE_MAX, name, sizeof(name));
	if (t->path_fd < 0)
		return error_set(err, ERROR_USAGE, "no-target", _("%s does not exist."), name);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", t->path_fd);
	fd = t->info.is_block ? open(proc, flags | O_DIRECT) : open(proc, flags);
	t->is_direct = fd >= 0 && t->info.is_block;
	if (fd < 0 && errno == EINVAL)
		fd = open(proc, flags);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return error_set(err, ERROR_REFUSED, "no-permission",
				 _("%s: permission denied; reading it needs root."), name);
	if (fd < 0)
		return error_set_sys(err, ERROR_IO, "target-open", errno, _("%s cannot be opened"),
				     name);
	/* Best effort: what others hold dirty or mapped stays in the cache. */
	if (!t->is_direct)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	t->fd = fd;
	if (t->info.is_block)
		return 0;
	/* What the file's operations expect beside it. */
	t->fd_buffered = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (t->fd_buffered < 0)
		return error_set_sys(err, ERROR_INTERNAL, "target-open", errno,
				     _("%s cannot be opened"), name);
	return 0;
}

int target_read(struct target *t, uint64_t off, void *buf, size_t len, struct error *err)
{
	ssize_t n = io_pread_full(t->fd, buf, len, off);
	char name[256];

	if (n == (ssize_t)len)
		return 0;
	text_escape(t->path, SIZE_MAX, name, sizeof(name));
	if (n < 0)
		return error_set_sys(err, ERROR_IO, "target-read", errno,
				     _("%s cannot be read at byte %llu"), name,
				     (unsigned long long)off);
	return error_set(err, ERROR_IO, "target-read", _("%s ends at byte %llu of %llu."), name,
			 (unsigned long long)(off + (uint64_t)n),
			 (unsigned long long)t->geo.size);
}
