// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A block device as a target. It is opened exclusively, through the descriptor
 * that was looked at, and kept locked (flock on the whole disk: what udev
 * honours) until after the read-back, so that no automounter comes in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "base/text.h"
#include "io/device-internal.h"
#include "io/target-internal.h"

/* The whole disk's node: locks are per inode, and udev takes the one below /dev. */
static int open_for_lock(const struct target *t)
{
	char path[PATH_MAX];
	struct sysfs_node node;
	auto_fd int fd = -1;
	struct stat st;

	if (sysfs_find(t->info.rdev, &node) == 0 &&
	    sysfs_path(path, sizeof(path), "/dev/%s", node.disk_name)) {
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) &&
		    st.st_rdev == node.disk_rdev)
			return take_fd(&fd);
	}
	return target_reopen(t, O_RDONLY | O_NONBLOCK);
}

/* What the rules say now of who uses it: it changed since it was looked at. "" if nothing. */
static void find_new_use(const struct target *t, char *buf, size_t buf_size)
{
	static const enum device_rule uses[] = { RULE_SYSTEM, RULE_HELD, RULE_MOUNTED };
	auto_free struct device_info *info = calloc(1, sizeof(*info));
	struct error ignored = ERROR_INIT;
	struct device_world w;
	struct sysfs_node node;

	buf[0] = '\0';
	if (!info || sysfs_find(t->info.rdev, &node) || device_world_read(&w, &ignored))
		return;
	device_read_identity(&node, info);
	(void)device_check_rules(&node, &w, -1, info, &ignored);
	device_world_done(&w);
	for (size_t i = 0; i < info->n_refused && !buf[0]; i++)
		for (size_t k = 0; k < ARRAY_SIZE(uses); k++)
			if (info->refused[i].rule == uses[k])
				snprintf(buf, buf_size, "%s", info->refused[i].why);
}

static const char *find_opener(const struct target *t, bool writers, char *buf, size_t buf_size)
{
	struct sysfs_parts parts;
	struct sysfs_node node;

	buf[0] = '\0';
	if (sysfs_find(t->info.rdev, &node))
		return buf;
	sysfs_list_parts(&node, true, &parts);
	return device_find_opener(&parts, writers, buf, buf_size);
}

static int error_held(const struct target *t, int sys, struct error *err)
{
	char safe[TARGET_SAFE_PATH], holder[256];

	target_safe_path(t, safe);
	find_new_use(t, holder, sizeof(holder));
	if (holder[0]) {
		error_set(err, ERROR_REFUSED, "held", _("%s is in use: %s; release it first."),
			  safe, holder);
		err->sys = sys;
		return -1;
	}
	find_opener(t, false, holder, sizeof(holder));
	if (holder[0])
		error_set(err, ERROR_REFUSED, "held",
			  _("%s is in use by %s; end it, then run this again."), safe, holder);
	else
		error_set(err, ERROR_REFUSED, "held",
			  _("%s is in use by another program, a mount in another namespace, or "
			    "the kernel; release it first."),
			  safe);
	err->sys = sys;
	return -1;
}

static int lock_disk(struct target *t, struct error *err)
{
	unsigned int waited = 0;
	char safe[TARGET_SAFE_PATH];

	t->lock_fd = open_for_lock(t);
	if (t->lock_fd < 0)
		return error_set_sys(err, ERROR_IO, "cannot-open", errno,
				     _("Cannot open %s to lock it"), target_safe_path(t, safe));
	while (flock(t->lock_fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_set_sys(err, ERROR_IO, "cannot-lock", errno,
					     _("Cannot lock %s"), target_safe_path(t, safe));
		if (!target_wait_busy(&waited))
			return error_held(t, EBUSY, err);
	}
	return 0;
}

static int open_exclusive(struct target *t, struct error *err)
{
	unsigned int waited = 0;
	char safe[TARGET_SAFE_PATH];
	int direct = O_DIRECT;

	for (;;) {
		t->fd = target_reopen(t, O_RDWR | O_EXCL | direct);
		if (t->fd >= 0) {
			t->is_direct = direct != 0;
			return 0;
		}
		if (errno == EINVAL && direct) {
			direct = 0;
			continue;
		}
		if (errno != EBUSY && errno != EINTR)
			break;
		if (!target_wait_busy(&waited))
			return error_held(t, EBUSY, err);
	}
	target_safe_path(t, safe);
	switch (errno) {
	case EACCES:
	case EPERM:
		return target_error_permission(t, errno, err);
	case EROFS:
		return error_set(err, ERROR_REFUSED, "readonly", _("%s is write-protected."), safe);
	case ENOMEDIUM:
		return error_set(err, ERROR_IO, "no-medium", _("%s has no medium in it."), safe);
	case ENXIO:
	case ENODEV:
		return error_set(err, ERROR_IO, "device-gone", _("%s was removed."), safe);
	default:
		return error_set_sys(err, ERROR_IO, "cannot-open", errno,
				     _("Cannot open %s for writing"), safe);
	}
}

/* Some drivers accept O_DIRECT at open and refuse it at the first request. */
void target_check_direct(struct target *t)
{
	void *buf = io_aligned_alloc(t->geo.io_align);
	int flags = fcntl(t->fd, F_GETFL);

	if (buf && pread(t->fd, buf, t->geo.io_align, 0) < 0 && errno == EINVAL && flags >= 0 &&
	    fcntl(t->fd, F_SETFL, flags & ~O_DIRECT) == 0)
		t->is_direct = false;
	io_aligned_free(buf, t->geo.io_align);
}

/* What is open is what was looked at: the same number, sequence, size, serial; and writable. */
static int check_identity(struct target *t, struct error *err)
{
	struct device_info now = { 0 };
	char safe[TARGET_SAFE_PATH];
	struct sysfs_node node;
	int readonly = 0;

	target_safe_path(t, safe);
	if (device_recheck(t->fd, &t->info, err))
		return -1;
	if (sysfs_find(t->info.rdev, &node))
		return error_set(err, ERROR_IO, "device-gone", _("%s was removed."), safe);
	device_read_identity(&node, &now);
	if (strcmp(now.serial, t->info.serial) || strcmp(now.model, t->info.model) ||
	    strcmp(now.vendor, t->info.vendor) || strcmp(now.wwn, t->info.wwn))
		return error_set(err, ERROR_IO, "device-replaced",
				 _("%s is another device than the one that was shown."), safe);
	if (ioctl(t->fd, BLKROGET, &readonly) || readonly)
		return error_set(err, ERROR_REFUSED, "readonly", _("%s is write-protected."), safe);
	return 0;
}

/* A virtual machine or a dd with a plain descriptor is not kept out by O_EXCL. */
static int check_writers(const struct target *t, struct error *err)
{
	unsigned int waited = 0;
	char holder[256];

	while (find_opener(t, true, holder, sizeof(holder))[0])
		if (!target_wait_busy(&waited))
			return error_held(t, EBUSY, err);
	return 0;
}

static int block_open(struct target *t, struct error *err)
{
	struct sysfs_node node;
	struct loop_backing backing;

	if (lock_disk(t, err) || open_exclusive(t, err) || check_identity(t, err) ||
	    check_writers(t, err))
		return -1;
	if (t->is_direct)
		target_check_direct(t);
	if (!strcmp(t->info.transport, "loop") && sysfs_find(t->info.rdev, &node) == 0)
		t->is_host_cached =
			device_loop_backing(node.disk_name, &backing) || !backing.is_direct;
	return 0;
}

static int block_flush(struct target *t, struct error *err)
{
	char safe[TARGET_SAFE_PATH];

	if (fdatasync(t->fd))
		return error_set_sys(err, ERROR_IO, "flush-failed", errno,
				     _("Flushing %s failed, so its contents are not certain"),
				     target_safe_path(t, safe));
	return 0;
}

/* The pages of a buffered loop device's file. Best effort: what is_host_cached says stands. */
static void drop_backing_cache(const struct target *t)
{
	struct loop_backing backing;
	struct sysfs_node node;
	auto_fd int fd = -1;
	struct stat st;

	if (sysfs_find(t->info.rdev, &node) || device_loop_backing(node.disk_name, &backing) ||
	    !backing.has_inode)
		return;
	fd = open(backing.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == backing.dev && st.st_ino == backing.ino)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int block_drop_cache(struct target *t, struct error *err)
{
	char safe[TARGET_SAFE_PATH];
	int sys;

	if (t->is_host_cached)
		drop_backing_cache(t);
	if (t->is_direct || ioctl(t->fd, BLKFLSBUF, 0) == 0)
		return 0;
	sys = posix_fadvise(t->fd, 0, 0, POSIX_FADV_DONTNEED);
	if (sys)
		return error_set_sys(err, ERROR_IO, "drop-cache-failed", sys,
				     _("Cannot drop the cached pages of %s"),
				     target_safe_path(t, safe));
	return 0;
}

static int block_recheck(struct target *t, struct error *err)
{
	return device_recheck(t->fd, &t->info, err);
}

/* EINVAL: a partition, or a loop device without partition scanning. */
static void reread_table(struct target *t)
{
	char safe[TARGET_SAFE_PATH];
	int sys = 0;

	for (unsigned int i = 0; i < 10; i++) {
		struct timespec step = { .tv_nsec = 100 * 1000 * 1000 };

		if (ioctl(t->fd, BLKRRPART, 0) == 0)
			return;
		sys = errno;
		if (sys != EBUSY && sys != EINTR)
			break;
		nanosleep(&step, NULL);
	}
	if (sys == EINVAL || sys == ENOTTY)
		return;
	error_set_sys(&t->warning, ERROR_IO, "reread-failed", sys,
		      _("The kernel still uses the old partition table of %s; unplug it and plug "
			"it in again"),
		      target_safe_path(t, safe));
}

static int block_close(struct target *t, struct error *err)
{
	char safe[TARGET_SAFE_PATH];
	int sys = 0;

	if (t->fd >= 0 && t->was_written)
		reread_table(t);
	if (t->fd >= 0 && close(t->fd))
		sys = errno;
	if (t->lock_fd >= 0 && close(t->lock_fd) && !sys)
		sys = errno;
	t->fd = t->lock_fd = -1;
	if (sys)
		return error_set_sys(err, ERROR_IO, "close-failed", sys,
				     _("Closing %s failed, so its contents are not certain"),
				     target_safe_path(t, safe));
	return 0;
}

const struct target_ops target_block_ops = {
	.name = "block",
	.open = block_open,
	.flush = block_flush,
	.drop_cache = block_drop_cache,
	.recheck = block_recheck,
	.close = block_close,
};
