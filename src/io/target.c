// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The two steps of opening that block devices and files share. The first one
 * pins the node with O_PATH; everything later goes through that descriptor, so
 * that a name that changes its meaning between question and writing does no harm.
 */
#include "io/target.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/outfile.h"
#include "base/text.h"
#include "io/device-internal.h"
#include "io/target-internal.h"

#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN 0
#endif

#define FILE_ALIGN 4096 /* the engine's; where more is asked for, O_DIRECT is not used */

int target_reopen(const struct target *t, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", t->path_fd);
	return open(path, flags | O_CLOEXEC);
}

const char *target_safe_path(const struct target *t, char *buf)
{
	return text_escape(t->path, strlen(t->path), buf, TARGET_SAFE_PATH);
}

bool target_wait_busy(unsigned int *waited_ms)
{
	const struct timespec step = { .tv_nsec = 50 * 1000 * 1000 };

	if (*waited_ms >= TARGET_BUSY_SECONDS * 1000)
		return false;
	nanosleep(&step, NULL);
	*waited_ms += 50;
	return true;
}

int target_error_permission(const struct target *t, int sys, struct error *err)
{
	char safe[TARGET_SAFE_PATH], user[64] = "?", group[64] = "?", me[64] = "?";
	const struct passwd *pw;
	const struct group *gr;
	struct stat st;

	target_safe_path(t, safe);
	if (t->path_fd < 0 || fstat(t->path_fd, &st))
		return error_set_sys(err, ERROR_REFUSED, "permission", sys,
				     _("%s: permission denied"), safe);
	if (geteuid() == 0) {
		error_set(err, ERROR_REFUSED, "permission",
			  _("%s: permission denied, even to root: a container's rules or a "
			    "security module forbid it."),
			  safe);
		err->sys = sys;
		return -1;
	}
	pw = getpwuid(st.st_uid);
	snprintf(user, sizeof(user), "%s", pw ? pw->pw_name : "?");
	gr = getgrgid(st.st_gid);
	snprintf(group, sizeof(group), "%s", gr ? gr->gr_name : "?");
	pw = getpwuid(geteuid());
	snprintf(me, sizeof(me), "%s", pw ? pw->pw_name : "?");
	error_set(err, ERROR_REFUSED, "permission",
		  _("%s: permission denied (it belongs to %s:%s, you are %s)."), safe, user, group,
		  me);
	err->sys = sys;
	return -1;
}

int target_check_access(const struct target *t, struct error *err)
{
	char proc[32];

	if (t->path_fd < 0)
		return 0; /* a new file: its directory is asked when it is created */
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", t->path_fd);
	if (faccessat(AT_FDCWD, proc, R_OK | W_OK, AT_EACCESS) == 0)
		return 0;
	/* A read-only file system and the like are no question of permissions. */
	return errno == EACCES || errno == EPERM ? target_error_permission(t, errno, err) : 0;
}

/* What a path that cannot be a target is, for the sentence. */
static const char *describe_mode(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return _("a directory");
	case S_IFCHR:
		return _("a character device");
	case S_IFIFO:
		return _("a pipe");
	case S_IFSOCK:
		return _("a socket");
	default:
		return _("neither a block device nor a regular file");
	}
}

static bool is_below_dev(const char *path)
{
	return !strncmp(path, "/dev/", 5) || !strncmp(path, "/proc/", 6) ||
	       !strncmp(path, "/sys/", 5);
}

/* What could not be found is there, as a link to something that is not. */
static bool is_dangling(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* file:PATH of a file that is not there yet. */
static int look_new_file(struct target *t, uint64_t new_size, struct error *err)
{
	auto_free char *copy = strdup(t->path);
	char safe[TARGET_SAFE_PATH], dir[PATH_MAX];
	char *slash;

	if (!copy)
		return error_set_nomem(err);
	target_safe_path(t, safe);
	slash = strrchr(copy, '/');
	if (slash && !slash[1])
		return error_set(err, ERROR_USAGE, "target-is-directory",
				 _("%s names a directory; a target is a disk or a file."), safe);
	if (slash)
		slash[1] = '\0';
	if (!realpath(slash ? copy : ".", dir))
		return error_set_sys(err, ERROR_USAGE, "no-such-target", errno,
				     _("%s cannot be created, its directory cannot be used"), safe);
	strncat(dir, "/", sizeof(dir) - strlen(dir) - 1);
	if (is_below_dev(dir))
		return error_set(err, ERROR_USAGE, "no-such-target",
				 _("There is no device %s; nothing is created below /dev."), safe);
	t->info.is_file = true;
	t->info.size = new_size;
	t->info.sector_size = 512;
	t->info.writable = true;
	snprintf(t->info.transport, sizeof(t->info.transport), "file");
	snprintf(t->info.path, sizeof(t->info.path), "%.*s", (int)sizeof(t->info.path) - 1,
		 t->path);
	t->geo = (struct geometry){ .size = new_size, .sector_size = 512, .io_align = FILE_ALIGN };
	t->ops = &target_file_ops;
	return 0;
}

static int error_no_target(const struct target *t, const char *real, int sys, struct error *err)
{
	char safe[TARGET_SAFE_PATH], quoted[TARGET_SAFE_PATH];

	target_safe_path(t, safe);
	if (sys == ENOENT && is_dangling(t->path))
		return error_set(err, ERROR_USAGE, "no-such-target",
				 _("%s is a link that leads nowhere."), safe);
	if (sys == EACCES)
		return error_set_sys(err, ERROR_REFUSED, "permission", sys, _("Cannot open %s"),
				     safe);
	if (sys != ENOENT)
		return error_set_sys(err, ERROR_USAGE, "no-such-target", sys, _("Cannot open %s"),
				     safe);
	if (is_below_dev(real))
		return error_set(err, ERROR_USAGE, "no-such-target", _("There is no device %s."),
				 safe);
	text_shell_quote(t->path, quoted, sizeof(quoted));
	return error_set(err, ERROR_USAGE, "no-such-target",
			 _("There is no %s; file:%s creates it as a virtual stick."), safe,
			 quoted[0] ? quoted : safe);
}

static uint32_t file_alignment(int fd)
{
	struct statx stx = { 0 };

#if STATX_DIOALIGN
	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) == 0 &&
	    (stx.stx_mask & STATX_DIOALIGN) && num_is_power_of_2(stx.stx_dio_offset_align) &&
	    stx.stx_dio_offset_align <= FILE_ALIGN)
		return (uint32_t)num_max(stx.stx_dio_offset_align, 512);
#else
	(void)fd;
	(void)stx;
#endif
	return FILE_ALIGN;
}

static int look_existing(struct target *t, const char *real, int image_fd, struct error *err)
{
	char safe[TARGET_SAFE_PATH], quoted[TARGET_SAFE_PATH];
	struct stat st;

	target_safe_path(t, safe);
	t->path_fd = open(real, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (t->path_fd < 0 || fstat(t->path_fd, &st))
		return error_no_target(t, real, errno, err);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return error_set(err, ERROR_USAGE, "not-a-target",
				 _("%s is %s; a target is a whole disk such as /dev/sdb, or a "
				   "file as a virtual stick."),
				 safe, describe_mode(st.st_mode));
	/* What dd leaves behind when the stick was not plugged in. */
	if (S_ISREG(st.st_mode) && !t->is_forced_file && is_below_dev(real) &&
	    strncmp(real, "/dev/shm/", 9) != 0)
		return error_set(err, ERROR_USAGE, "not-a-device",
				 _("%s is a regular file, not a device; remove it if it should not "
				   "be there."),
				 safe);
	if (S_ISBLK(st.st_mode) && t->is_forced_file)
		return error_set(err, ERROR_USAGE, "not-a-file",
				 _("%s is a block device; write it without \"file:\"."), safe);
	if (device_examine(S_ISBLK(st.st_mode) ? real : t->path, t->path_fd, image_fd, &t->info,
			   err))
		return -1;
	t->geo.size = t->info.size;
	t->geo.sector_size = t->info.sector_size;
	t->geo.is_partition = t->info.is_partition;
	t->geo.io_align = t->info.is_block ? t->info.sector_size : file_alignment(t->path_fd);
	t->ops = t->info.is_block ? &target_block_ops : &target_file_ops;
	if (t->is_forced_file)
		device_lift_refusal(&t->info, RULE_FILE_IN_USE);
	if (!strcmp(t->info.transport, "optical"))
		return error_set(err, ERROR_USAGE, "optical-drive",
				 _("%s is an optical drive; sticks, cards and disks are written."),
				 safe);
	if (t->info.size == 0 && !strcmp(t->info.transport, "loop"))
		return error_set(
			err, ERROR_IO, "no-medium",
			_("%s has no file attached to it; this does that:\n  losetup %s FILE"),
			safe, safe);
	if (t->info.size == 0)
		return t->info.is_block
			       ? error_set(err, ERROR_IO, "no-medium",
					   _("%s has no medium in it: its size is 0."), safe)
			       : error_set(
					 err, ERROR_FIT, "target-empty",
					 _("%s is an empty file; a file is a virtual stick of its "
					   "size. This makes one of 8 GiB:\n  truncate -s 8G %s"),
					 safe, text_shell_quote(t->path, quoted, sizeof(quoted)));
	return 0;
}

int target_look(const char *path, int image_fd, uint64_t new_size, struct target **ret,
		struct error *err)
{
	struct target *t = calloc(1, sizeof(*t));
	char real[PATH_MAX];
	int rc;

	if (!t)
		return error_set_nomem(err);
	t->path_fd = t->fd = t->fd_buffered = t->lock_fd = -1;
	t->is_forced_file = !strncmp(path, "file:", 5);
	t->path = strdup(t->is_forced_file ? path + 5 : path);
	if (!t->path) {
		target_free(t);
		return error_set_nomem(err);
	}
	if (!t->path[0])
		rc = error_set(err, ERROR_USAGE, "empty-target", _("The target's name is empty."));
	else if (realpath(t->path, real))
		rc = look_existing(t, real, image_fd, err);
	else if (errno == ENOENT && t->is_forced_file && !is_dangling(t->path))
		rc = look_new_file(t, new_size, err);
	else
		rc = error_no_target(t, t->path, errno, err);
	if (rc) {
		target_free(t);
		return -1;
	}
	*ret = t;
	return 0;
}

void target_free(struct target *t)
{
	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	if (t->fd_buffered >= 0)
		close(t->fd_buffered);
	if (t->lock_fd >= 0)
		close(t->lock_fd);
	if (t->path_fd >= 0)
		close(t->path_fd);
	free(t->path);
	free(t);
}

/* A disk and one of its partitions: writing both would be writing twice. */
static bool is_part_of(dev_t a, dev_t b)
{
	struct sysfs_node na, nb;

	return sysfs_find(a, &na) == 0 && sysfs_find(b, &nb) == 0 && na.disk_rdev == nb.disk_rdev &&
	       (!na.is_partition || !nb.is_partition);
}

bool target_is_same(const struct target *a, const struct target *b)
{
	struct stat sa, sb;

	if (a->path_fd < 0 || b->path_fd < 0)
		return a->path_fd < 0 && b->path_fd < 0 && outfile_is_same_place(a->path, b->path);
	if (fstat(a->path_fd, &sa) || fstat(b->path_fd, &sb))
		return false;
	if (S_ISBLK(sa.st_mode) && S_ISBLK(sb.st_mode))
		return sa.st_rdev == sb.st_rdev || is_part_of(sa.st_rdev, sb.st_rdev);
	return sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* The loop's data would live on in a file that has no name. */
static bool is_backing_of(dev_t loop, const struct stat *st)
{
	struct loop_backing backing;
	struct sysfs_node node;

	return sysfs_find(loop, &node) == 0 && device_loop_backing(node.disk_name, &backing) == 0 &&
	       backing.has_inode && backing.dev == st->st_dev && backing.ino == st->st_ino;
}

/* By the walk that the rules system and source take: btrfs has a device number of its own. */
static bool lies_on(const char *path, dev_t disk)
{
	auto_free char *copy = strdup(path);
	auto_fd int fd = copy ? open(dirname(copy), O_PATH | O_CLOEXEC) : -1;
	struct error ignored = ERROR_INIT;
	struct device_set set = { 0 };
	struct device_world w;
	bool found = false;

	if (fd < 0 || device_world_read(&w, &ignored))
		return false;
	if (device_set_add_fd(&set, &w, fd, &ignored) == 0)
		found = device_set_find(&set, disk);
	device_set_done(&set);
	device_world_done(&w);
	return found;
}

bool target_would_lose(const struct target *t, const char *path)
{
	struct stat st, own;

	if (t->path_fd < 0)
		return outfile_is_same_place(t->path, path);
	if (fstat(t->path_fd, &own))
		return false;
	if (stat(path, &st) == 0 && ((st.st_dev == own.st_dev && st.st_ino == own.st_ino) ||
				     (S_ISBLK(own.st_mode) && is_backing_of(own.st_rdev, &st))))
		return true;
	return S_ISBLK(own.st_mode) && lies_on(path, own.st_rdev);
}

int target_open(struct target *t, struct error *err)
{
	return t->ops->open(t, err);
}

int target_close(struct target *t, struct error *err)
{
	return t->ops->close(t, err);
}
