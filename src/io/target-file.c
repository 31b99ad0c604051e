// SPDX-License-Identifier: GPL-3.0-or-later
/* A regular file as a virtual stick of its size. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "io/target-internal.h"

static int create_file(struct target *t, struct error *err)
{
	char safe[TARGET_SAFE_PATH];
	struct stat st;
	int saved;

	target_safe_path(t, safe);
	t->fd_buffered = open(t->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (t->fd_buffered < 0)
		return errno == EEXIST
			       ? error_set(err, ERROR_REFUSED, "file-in-use",
					   _("%s was created by somebody else in the meantime."),
					   safe)
			       : error_set_sys(err, ERROR_REFUSED, "cannot-create", errno,
					       _("Cannot create %s"), safe);
	if (ftruncate(t->fd_buffered, (off_t)t->geo.size) || fstat(t->fd_buffered, &st)) {
		saved = errno;
		unlink(t->path);
		return error_set_sys(err, ERROR_FIT, "cannot-create", saved,
				     _("Cannot give %s its size"), safe);
	}
	t->path_fd = open(t->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (t->path_fd < 0)
		return error_set_sys(err, ERROR_IO, "cannot-open", errno, _("Cannot open %s"),
				     safe);
	t->info.size = t->geo.size;
	t->info.file_exists = true;
	return 0;
}

/* O_DIRECT where the file system has it; some say so at open, some at the first read. */
static int open_direct(struct target *t)
{
	void *buf;
	bool works;
	int fd = target_reopen(t, O_RDWR | O_DIRECT);

	if (fd < 0)
		return -1;
	buf = io_aligned_alloc(t->geo.io_align);
	works = buf && (t->geo.size < t->geo.io_align || pread(fd, buf, t->geo.io_align, 0) >= 0 ||
			errno != EINVAL);
	io_aligned_free(buf, t->geo.io_align);
	if (works)
		return fd;
	close(fd);
	return -1;
}

static int lock_file(struct target *t, struct error *err)
{
	char safe[TARGET_SAFE_PATH];

	if (flock(t->fd_buffered, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return error_set_sys(err, ERROR_REFUSED, "held", errno,
			     _("%s is locked by another program"), target_safe_path(t, safe));
}

static int file_open(struct target *t, struct error *err)
{
	char safe[TARGET_SAFE_PATH];

	if (t->geo.size == 0)
		return error_set(err, ERROR_INTERNAL, "no-size",
				 _("The size of the new file is not known."));
	if (t->path_fd < 0) {
		if (create_file(t, err))
			return -1;
	} else {
		t->fd_buffered = target_reopen(t, O_RDWR);
		if (t->fd_buffered < 0 && (errno == EACCES || errno == EPERM))
			return target_error_permission(t, errno, err);
		if (t->fd_buffered < 0)
			return error_set_sys(err, ERROR_REFUSED, "cannot-open", errno,
					     _("Cannot open %s for writing"),
					     target_safe_path(t, safe));
	}
	if (lock_file(t, err) || device_recheck(t->fd_buffered, &t->info, err))
		return -1;
	t->fd = open_direct(t);
	t->is_direct = t->fd >= 0;
	if (!t->is_direct)
		t->fd = target_reopen(t, O_RDWR);
	if (t->fd < 0)
		return error_set_sys(err, ERROR_IO, "cannot-open", errno,
				     _("Cannot open %s for writing"), target_safe_path(t, safe));
	return 0;
}

static int file_flush(struct target *t, struct error *err)
{
	char safe[TARGET_SAFE_PATH];

	/* Each descriptor reports a failed writeback of its own. */
	if (fdatasync(t->fd) || fdatasync(t->fd_buffered))
		return error_set_sys(err, ERROR_IO, "flush-failed", errno,
				     _("Flushing %s failed, so its contents are not certain"),
				     target_safe_path(t, safe));
	return 0;
}

static int file_drop_cache(struct target *t, struct error *err)
{
	char safe[TARGET_SAFE_PATH];
	int sys = posix_fadvise(t->fd_buffered, 0, 0, POSIX_FADV_DONTNEED);

	if (sys)
		return error_set_sys(err, ERROR_IO, "drop-cache-failed", sys,
				     _("Cannot drop the cached pages of %s"),
				     target_safe_path(t, safe));
	return 0;
}

static int file_recheck(struct target *t, struct error *err)
{
	return device_recheck(t->fd_buffered, &t->info, err);
}

/* What was written is of no use when the file was deleted, replaced or cut short meanwhile. */
static int check_place(struct target *t, struct error *err)
{
	char safe[TARGET_SAFE_PATH];
	struct stat own, st;

	if (fstat(t->fd_buffered, &own) == 0 && stat(t->path, &st) == 0 &&
	    own.st_dev == st.st_dev && own.st_ino == st.st_ino &&
	    (uint64_t)own.st_size == t->geo.size)
		return 0;
	return error_set(err, ERROR_IO, "target-replaced",
			 _("%s was deleted, replaced or cut short while it was written."),
			 target_safe_path(t, safe));
}

static int file_close(struct target *t, struct error *err)
{
	char safe[TARGET_SAFE_PATH];
	int sys = 0, rc = t->fd >= 0 ? check_place(t, err) : 0;

	if (t->fd >= 0 && close(t->fd))
		sys = errno;
	if (t->fd_buffered >= 0 && close(t->fd_buffered) && !sys)
		sys = errno;
	t->fd = t->fd_buffered = -1;
	if (sys)
		return error_set_sys(err, ERROR_IO, "close-failed", sys,
				     _("Closing %s failed, so its contents are not certain"),
				     target_safe_path(t, safe));
	return rc;
}

const struct target_ops target_file_ops = {
	.name = "file",
	.open = file_open,
	.flush = file_flush,
	.drop_cache = file_drop_cache,
	.recheck = file_recheck,
	.close = file_close,
};
