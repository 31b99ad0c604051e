// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A device or file that is read into an image: the system's own disk and a disc
 * in its drive too, since nothing is written. See target.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "io/device-internal.h"
#include "io/target-internal.h"

#define FILE_ALIGN 512 /* files are read through the page cache */

static int look(struct target *t, const char *path, struct error *err)
{
	char safe[TARGET_SAFE_PATH], real[PATH_MAX];
	struct stat st;

	target_safe_path(t, safe);
	if (!path[0])
		return error_set(err, ERROR_USAGE, "empty-source",
				 _("The name of what is to be read is empty."));
	if (!realpath(path, real)) {
		if (errno == EACCES)
			return error_set_sys(err, ERROR_REFUSED, "permission", errno,
					     _("Cannot open %s"), safe);
		return error_set(err, ERROR_USAGE, "no-such-source", _("There is no %s to read."),
				 safe);
	}
	t->path_fd = open(real, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (t->path_fd < 0 || fstat(t->path_fd, &st))
		return error_set_sys(err, ERROR_IO, "cannot-open", errno, _("Cannot open %s"),
				     safe);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return error_set(err, ERROR_USAGE, "not-a-source",
				 _("%s is neither a block device such as /dev/sdb nor a regular "
				   "file."),
				 safe);
	if (device_examine(S_ISBLK(st.st_mode) ? real : t->path, t->path_fd, -1, &t->info, err))
		return -1;
	t->geo.size = t->info.size;
	t->geo.sector_size = t->info.sector_size;
	t->geo.io_align = t->info.is_block ? t->info.sector_size : FILE_ALIGN;
	t->ops = t->info.is_block ? &target_block_ops : &target_file_ops;
	if (t->info.size > 0)
		return 0;
	return error_set(err, ERROR_IMAGE, "empty",
			 t->info.is_block ? _("%s has no medium in it: its size is 0.")
					  : _("%s is empty: there is nothing to read in it."),
			 safe);
}

int target_look_source(const char *path, struct target **ret, struct error *err)
{
	struct target *t = calloc(1, sizeof(*t));

	if (!t)
		return error_set_nomem(err);
	t->path_fd = t->fd = t->fd_buffered = t->lock_fd = -1;
	t->path = strdup(path);
	if (!t->path || look(t, path, err) < 0) {
		bool is_nomem = !t->path;

		target_free(t);
		return is_nomem ? error_set_nomem(err) : -1;
	}
	*ret = t;
	return 0;
}

/* What was copied to a mounted stick a moment ago is on its way still. */
static void write_back(const struct target *t)
{
	for (size_t i = 0; i < t->info.n_contents; i++) {
		const char *point = t->info.contents[i].mountpoint;
		auto_fd int fd = -1;

		if (!point[0])
			continue;
		fd = open(point, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			(void)syncfs(fd);
	}
	(void)fsync(t->fd);
}

/* Uncached where the driver has it. Without O_NONBLOCK, by which an empty drive would open. */
static int open_block(const struct target *t, int claim, bool *ret_is_direct)
{
	int fd = target_reopen(t, O_RDONLY | O_DIRECT | claim);

	*ret_is_direct = fd >= 0;
	return fd < 0 && errno == EINVAL ? target_reopen(t, O_RDONLY | claim) : fd;
}

/* errno stays. */
static bool wait_busy(unsigned int *waited)
{
	bool again = target_wait_busy(waited);

	errno = EBUSY;
	return again;
}

int target_open_source(struct target *t, bool was_unmounted, bool *ret_is_shared, struct error *err)
{
	bool is_shared = false, is_direct = false;
	unsigned int waited = was_unmounted ? 0 : UINT_MAX;
	char safe[TARGET_SAFE_PATH];
	int fd;

	if (t->info.is_block) {
		do {
			fd = open_block(t, O_EXCL, &is_direct);
		} while (fd < 0 && errno == EBUSY && wait_busy(&waited));
		if (fd < 0 && errno == EBUSY) {
			is_shared = true;
			fd = open_block(t, 0, &is_direct);
		}
	} else {
		fd = target_reopen(t, O_RDONLY | O_NONBLOCK);
	}
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return target_error_permission(t, errno, err);
	if (fd < 0 && errno == ENOMEDIUM)
		return error_set(err, ERROR_IO, "no-medium", _("%s has no medium in it."),
				 target_safe_path(t, safe));
	if (fd < 0)
		return error_set_sys(err, ERROR_IO, "cannot-open", errno, _("Cannot open %s"),
				     target_safe_path(t, safe));
	t->fd = fd;
	t->is_direct = is_direct;
	if (device_recheck(fd, &t->info, err) < 0)
		return -1;
	if (is_direct)
		target_check_direct(t);
	if (!t->info.is_block)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	write_back(t);
	*ret_is_shared = is_shared;
	return 0;
}

/* The seventh number of /sys/dev/block/M:m/stat; 0 where it cannot be read. */
static uint64_t sectors_written(dev_t dev)
{
	char path[64], line[256] = "";
	unsigned long long n[7];
	auto_fd int fd = -1;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/stat", major(dev), minor(dev));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0 ||
	    sscanf(line, "%llu %llu %llu %llu %llu %llu %llu", &n[0], &n[1], &n[2], &n[3], &n[4],
		   &n[5], &n[6]) != 7)
		return 0;
	return n[6];
}

void target_take_stamp(const struct target *t, struct target_stamp *ret)
{
	struct stat st;

	*ret = (struct target_stamp){ .size = t->info.size };
	if (t->info.is_block) {
		ret->sectors = sectors_written(t->info.rdev);
		return;
	}
	if (fstat(t->fd, &st))
		return;
	ret->size = (uint64_t)st.st_size;
	ret->mtime[0] = st.st_mtim.tv_sec;
	ret->mtime[1] = st.st_mtim.tv_nsec;
	ret->ctime[0] = st.st_ctim.tv_sec;
	ret->ctime[1] = st.st_ctim.tv_nsec;
}

bool target_was_written(const struct target *t, const struct target_stamp *since)
{
	struct target_stamp now;

	target_take_stamp(t, &now);
	return now.sectors != since->sectors || now.size != since->size ||
	       now.mtime[0] != since->mtime[0] || now.mtime[1] != since->mtime[1] ||
	       now.ctime[0] != since->ctime[0] || now.ctime[1] != since->ctime[1];
}
