// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A target that is only looked at: opened read-only through its O_PATH
 * descriptor, so that it is the one that was examined, and read past the page
 * cache. For `check`, which must work beside whatever uses the stick.
 */
#include "io/target.h"

#include <errno.h>
#include <fcntl.h>

#include "base/io.h"
#include "base/text.h"
#include "io/target-internal.h"

int target_open_read(struct target *t, struct error *err)
{
	int flags = O_RDONLY | O_NONBLOCK;
	char name[256];
	int fd;

	text_escape(t->path, SIZE_MAX, name, sizeof(name));
	if (t->path_fd < 0)
		return error_set(err, ERROR_USAGE, "no-target", _("%s does not exist."), name);
	fd = target_reopen(t, t->info.is_block ? flags | O_DIRECT : flags);
	t->is_direct = fd >= 0 && t->info.is_block;
	if (fd < 0 && errno == EINVAL)
		fd = target_reopen(t, flags);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return target_error_permission(t, errno, err);
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
			 (unsigned long long)(off + (uint64_t)n), (unsigned long long)t->geo.size);
}
