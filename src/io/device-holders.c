// SPDX-License-Identifier: GPL-3.0-or-later
/* Who uses a device: loop devices on top of it, programs that have it open. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "io/device-internal.h"

/* The kernel's encoding of a device number in 64 bits (new_encode_dev of linux/kdev_t.h). */
static dev_t decode_dev(uint64_t v)
{
	return makedev((unsigned int)(v >> 8 & 0xfff),
		       (unsigned int)((v & 0xff) | (v >> 12 & 0xfff00)));
}

int device_loop_backing(const char *loop_name, struct loop_backing *ret)
{
	struct loop_backing b = { .path = "" };
	struct loop_info64 info = { 0 };
	char dir[PATH_MAX], node[PATH_MAX];
	auto_fd int fd = -1;
	struct stat st;

	if (!sysfs_path(dir, sizeof(dir), "/sys/class/block/%s/loop", loop_name) ||
	    sysfs_read(dir, "backing_file", b.path, sizeof(b.path)) <= 0)
		return -1;
	b.is_direct = sysfs_read_u64(dir, "dio") == 1;
	/* The path may be of another namespace, or renamed; the kernel's numbers are not. */
	if (sysfs_path(node, sizeof(node), "/dev/%s", loop_name))
		fd = open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, LOOP_GET_STATUS64, &info) == 0) {
		b.has_inode = true;
		b.dev = decode_dev(info.lo_device);
		b.ino = (ino_t)info.lo_inode;
		b.rdev = decode_dev(info.lo_rdevice);
	} else if (sysfs_path(node, sizeof(node), "%s", b.path) && stat(node, &st) == 0) {
		b.has_inode = true;
		b.dev = st.st_dev;
		b.ino = st.st_ino;
		b.rdev = S_ISBLK(st.st_mode) ? st.st_rdev : 0;
	}
	*ret = b;
	return 0;
}

struct opener_search {
	const struct sysfs_parts *parts;
	bool writers;
	pid_t self;
	char pid[32];
};

/* proc(5): fdinfo has the open flags in octal. dir is /proc/PID/fd. */
static bool is_writable_fd(const char *dir, const char *name)
{
	char path[PATH_MAX], line[64];
	unsigned int flags = O_RDONLY;
	FILE *f = NULL;

	if (snprintf(path, sizeof(path), "%sinfo/%s", dir, name) < (int)sizeof(path))
		f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	if (f)
		fclose(f);
	return (flags & O_ACCMODE) != O_RDONLY && !(flags & O_PATH);
}

static bool match_fd(void *ctx, const char *dir, const char *name)
{
	const struct opener_search *s = ctx;
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
	    stat(path, &st) || !S_ISBLK(st.st_mode))
		return false;
	for (size_t i = 0; i < s->parts->n; i++)
		if (s->parts->part[i].rdev == st.st_rdev)
			return !s->writers || is_writable_fd(dir, name);
	return false;
}

static bool match_process(void *ctx, const char *dir, const char *name)
{
	struct opener_search *s = ctx;
	char path[PATH_MAX];

	if (!isdigit((unsigned char)name[0]) || atoi(name) == s->self ||
	    snprintf(path, sizeof(path), "%s/%s/fd", dir, name) >= (int)sizeof(path) ||
	    !sysfs_each(path, match_fd, s))
		return false;
	snprintf(s->pid, sizeof(s->pid), "%.*s", (int)sizeof(s->pid) - 1, name);
	return true;
}

const char *device_find_opener(const struct sysfs_parts *parts, bool writers, char *buf,
			       size_t buf_size)
{
	struct opener_search s = { .parts = parts, .writers = writers, .self = getpid() };
	char dir[PATH_MAX], comm[64] = "?", safe[256];

	buf[0] = '\0';
	if (!sysfs_path(dir, sizeof(dir), "/proc") || !sysfs_each(dir, match_process, &s) ||
	    !sysfs_path(dir, sizeof(dir), "/proc/%s", s.pid))
		return buf;
	sysfs_read(dir, "comm", comm, sizeof(comm));
	snprintf(buf, buf_size, _("%s (process %s)"),
		 text_escape(comm, strlen(comm), safe, sizeof(safe)), s.pid);
	return buf;
}
