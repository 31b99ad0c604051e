// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The walk down: from a mount point, a swap or a file to every block device
 * that it lives on, through partitions, dm, LVM, md, LUKS, bcache (slaves/),
 * all members of a btrfs, loop devices' files, overlay layers. What is found
 * on the way from the running system must never be written. The walk never
 * goes up, so a loop device is not refused for the disk that its file is on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "io/device-internal.h"

/* Calls, some per layer: overlay on loop on overlay ... No real system comes near this. */
#define MAX_DEPTH 128

struct walk {
	struct device_set *set;
	const struct device_world *w;
	const char *why;
};

static void walk_dev(const struct walk *walk, dev_t dev, unsigned int depth);
static void walk_mount(const struct walk *walk, const struct mount *m, unsigned int depth);
static void walk_path(const struct walk *walk, const char *path, unsigned int depth);

const struct device_set_item *device_set_find(const struct device_set *set, dev_t dev)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i].dev == dev)
			return &set->items[i];
	return NULL;
}

void device_set_done(struct device_set *set)
{
	free(set->items);
	memset(set, 0, sizeof(*set));
}

/* false: it was there already, or there is no memory. */
static bool set_add(struct device_set *set, dev_t dev, const char *why)
{
	struct device_set_item *more;

	if (device_set_find(set, dev))
		return false;
	if (set->n == set->cap) {
		more = realloc(set->items, (set->cap + 64) * sizeof(*more));
		if (!more) {
			set->failed = true;
			return false;
		}
		set->items = more;
		set->cap += 64;
	}
	set->items[set->n].dev = dev;
	snprintf(set->items[set->n].why, sizeof(set->items[set->n].why), "%.*s",
		 (int)sizeof(set->items[set->n].why) - 1, why);
	set->n++;
	return true;
}

struct walk_step {
	const struct walk *walk;
	unsigned int depth;
};

static bool walk_slave(void *ctx, const char *dir, const char *name)
{
	const struct walk_step *step = ctx;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path))
		walk_dev(step->walk, sysfs_read_dev(path), step->depth);
	return false;
}

static void walk_loop(const struct walk *walk, const char *name, unsigned int depth)
{
	struct loop_backing b;
	const struct mount *m;

	if (device_loop_backing(name, &b))
		return;
	if (b.rdev)
		walk_dev(walk, b.rdev, depth);
	else if (b.has_inode && major(b.dev) != 0)
		walk_dev(walk, b.dev, depth);
	m = b.has_inode ? mounts_find_dev(&walk->w->mounts, b.dev) : NULL;
	if (m)
		walk_mount(walk, m, depth);
	else if (!b.has_inode || major(b.dev) == 0)
		walk_path(walk, b.path, depth);
}

/* Each call adds a new device or returns, so the recursion ends. */
static void walk_dev(const struct walk *walk, dev_t dev, unsigned int depth)
{
	struct walk_step step = { walk, depth + 1 };
	struct sysfs_node node;
	char path[PATH_MAX];

	if (dev == 0 || depth > MAX_DEPTH || !set_add(walk->set, dev, walk->why) ||
	    sysfs_find(dev, &node))
		return;
	if (node.is_partition)
		walk_dev(walk, node.disk_rdev, depth + 1);
	if (snprintf(path, sizeof(path), "%s/slaves", node.dir) < (int)sizeof(path))
		sysfs_each(path, walk_slave, &step);
	walk_loop(walk, node.name, depth + 1);
	/* zram may write what does not fit to a disk. */
	if (sysfs_read(node.dir, "backing_dev", path, sizeof(path)) > 0 && path[0] == '/')
		walk_dev(walk, sysfs_devno(path), depth + 1);
}

struct btrfs_search {
	const char *member;
	void (*fn)(void *ctx, dev_t dev);
	void *ctx;
};

static bool give_member(void *ctx, const char *dir, const char *name)
{
	const struct btrfs_search *s = ctx;
	char path[PATH_MAX];
	dev_t dev;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return false;
	dev = sysfs_read_dev(path);
	if (dev)
		s->fn(s->ctx, dev);
	return false;
}

static bool match_btrfs(void *ctx, const char *dir, const char *uuid)
{
	struct btrfs_search *s = ctx;
	char path[PATH_MAX];
	size_t len;

	if (snprintf(path, sizeof(path), "%s/%s/devices", dir, uuid) >= (int)sizeof(path))
		return false;
	len = strlen(path);
	if (snprintf(path + len, sizeof(path) - len, "/%s", s->member) >=
		    (int)(sizeof(path) - len) ||
	    access(path, F_OK))
		return false;
	path[len] = '\0';
	sysfs_each(path, give_member, s);
	return true;
}

static void each_of_btrfs(dev_t dev, void (*fn)(void *ctx, dev_t dev), void *ctx)
{
	struct btrfs_search s = { .fn = fn, .ctx = ctx };
	struct sysfs_node node;
	char dir[PATH_MAX];

	if (sysfs_find(dev, &node) || !sysfs_path(dir, sizeof(dir), "/sys/fs/btrfs"))
		return;
	s.member = node.name;
	sysfs_each(dir, match_btrfs, &s);
}

void device_each_of_mount(const struct mount *m, void (*fn)(void *ctx, dev_t dev), void *ctx)
{
	auto_free char *sources = NULL;
	char *save = NULL;

	if (major(m->dev) != 0) {
		fn(ctx, m->dev);
		return;
	}
	/* bcachefs and mergerfs name several, with colons between. */
	sources = strdup(m->source);
	for (char *s = sources ? strtok_r(sources, ":", &save) : NULL; s;
	     s = strtok_r(NULL, ":", &save)) {
		dev_t dev = s[0] == '/' ? sysfs_devno(s) : 0;

		if (!dev)
			continue;
		fn(ctx, dev);
		if (!strcmp(m->type, "btrfs"))
			each_of_btrfs(dev, fn, ctx);
	}
}

static void walk_mount_dev(void *ctx, dev_t dev)
{
	const struct walk_step *step = ctx;

	walk_dev(step->walk, dev, step->depth);
}

/* lowerdir=a:b,upperdir=c,workdir=d: a layer may lie on any file system. */
static void walk_layers(const struct walk *walk, const struct mount *m, unsigned int depth)
{
	static const char *const keys[] = { "lowerdir=", "lowerdir+=", "datadir+=", "upperdir=",
					    "workdir=",  "br=",        "dirs=" };
	auto_free char *options = strdup(m->options);
	char *save = NULL, *inner;

	for (char *o = options ? strtok_r(options, ",", &save) : NULL; o;
	     o = strtok_r(NULL, ",", &save)) {
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			size_t len = strlen(keys[i]);

			if (strncmp(o, keys[i], len) != 0)
				continue;
			inner = NULL;
			for (char *p = strtok_r(o + len, ":", &inner); p;
			     p = strtok_r(NULL, ":", &inner))
				walk_path(walk, p, depth);
			break;
		}
	}
}

static void walk_mount(const struct walk *walk, const struct mount *m, unsigned int depth)
{
	struct walk_step step = { walk, depth + 1 };

	/* An anonymous number in the set only means "was here": no disk has one. */
	if (depth > MAX_DEPTH || (major(m->dev) == 0 && !set_add(walk->set, m->dev, walk->why)))
		return;
	device_each_of_mount(m, walk_mount_dev, &step);
	if (major(m->dev) != 0)
		return;
	walk_layers(walk, m, depth + 1);
	/* ecryptfs and the like: the source is a directory. */
	if (m->source[0] == '/' && !sysfs_devno(m->source) && strcmp(m->source, m->point) != 0)
		walk_path(walk, m->source, depth + 1);
}

/* The mount that an open file lies on, as the kernel says it (proc(5), fdinfo). */
static const struct mount *mount_of_fd(const struct device_world *w, int fd)
{
	char path[64], line[256];
	const struct mount *m = NULL;
	FILE *f;
	int id;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	while (!m && fgets(line, sizeof(line), f))
		if (sscanf(line, "mnt_id: %d", &id) == 1)
			m = mounts_find_id(&w->mounts, id);
	fclose(f);
	return m;
}

static void walk_fd(const struct walk *walk, int fd, unsigned int depth)
{
	const struct mount *m;
	struct stat st;

	if (fstat(fd, &st))
		return;
	if (S_ISBLK(st.st_mode)) {
		walk_dev(walk, st.st_rdev, depth);
		return;
	}
	if (major(st.st_dev) != 0)
		walk_dev(walk, st.st_dev, depth);
	m = mount_of_fd(walk->w, fd);
	if (!m)
		m = mounts_find_dev(&walk->w->mounts, st.st_dev);
	if (m)
		walk_mount(walk, m, depth + 1);
}

static void walk_path(const struct walk *walk, const char *path, unsigned int depth)
{
	const struct mount *m;
	auto_fd int fd = -1;

	if (depth > MAX_DEPTH || path[0] != '/')
		return;
	if (!device_root[0])
		fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0) {
		walk_fd(walk, fd, depth + 1);
		return;
	}
	/* Not to be reached from here (another namespace, deleted): by its name. */
	m = mounts_find_path(&walk->w->mounts, path);
	if (m)
		walk_mount(walk, m, depth + 1);
	if (walk->w->init_mounts.n && (m = mounts_find_path(&walk->w->init_mounts, path)))
		walk_mount(walk, m, depth + 1);
}

/*
 * Mount points that the running system needs. Live systems keep their medium
 * below /run or at /cdrom; a container shows its host's disk under /etc.
 */
static bool is_system_point(const char *point)
{
	static const char *const exact[] = { "/",     "/usr",   "/boot",      "/efi",
					     "/etc",  "/var",   "/home",      "/opt",
					     "/root", "/tmp",   "/nix",       "/gnu",
					     "/srv",  "/cdrom", "/isodevice", "/sysroot" };
	static const char *const below[] = { "/usr/",          "/boot/",       "/efi/",
					     "/etc/",          "/nix/",        "/gnu/",
					     "/var/lib",       "/var/log",     "/run/live",
					     "/run/initramfs", "/run/archiso", "/run/miso",
					     "/lib/live",      "/sysroot/",    "/ostree" };

	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		if (!strcmp(point, exact[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(below); i++)
		if (!strncmp(point, below[i], strlen(below[i])))
			return true;
	return false;
}

static void walk_system_mounts(struct device_world *w, const struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->n; i++) {
		struct walk walk = { &w->system, w, mounts->list[i].point };

		if (is_system_point(mounts->list[i].point))
			walk_mount(&walk, &mounts->list[i], 0);
	}
}

int device_world_read(struct device_world *ret, struct error *err)
{
	struct device_world w = { 0 };
	struct walk swap = { &w.system, &w, "swap" };

	if (mounts_read("self", &w.mounts)) {
		return error_set_sys(err, ERROR_LACKING, "no-mountinfo", errno,
				     _("Cannot read /proc/self/mountinfo, so it is not known which "
				       "disk the system runs on; nothing will be written"));
	}
	if (swaps_read(&w.swaps)) {
		mounts_done(&w.mounts);
		return error_set_sys(err, ERROR_LACKING, "no-swaps", errno,
				     _("Cannot read /proc/swaps, so it is not known which disks "
				       "are in use; nothing will be written"));
	}
	/* In a chroot or a private namespace, process 1 sees what is missing here. */
	if (mounts_read("1", &w.init_mounts))
		w.init_mounts = (struct mounts){ 0 };
	walk_system_mounts(&w, &w.mounts);
	walk_system_mounts(&w, &w.init_mounts);
	for (size_t i = 0; i < w.swaps.n; i++) {
		if (w.swaps.list[i].is_partition)
			walk_dev(&swap, sysfs_devno(w.swaps.list[i].path), 0);
		else
			walk_path(&swap, w.swaps.list[i].path, 0);
	}
	if (w.system.failed) {
		device_world_done(&w);
		return error_set_nomem(err);
	}
	*ret = w;
	return 0;
}

void device_world_done(struct device_world *w)
{
	mounts_done(&w->mounts);
	mounts_done(&w->init_mounts);
	swaps_done(&w->swaps);
	device_set_done(&w->system);
}

int device_set_add_fd(struct device_set *set, const struct device_world *w, int fd,
		      struct error *err)
{
	const struct walk walk = { set, w, "image" };

	walk_fd(&walk, fd, 0);
	return set->failed ? error_set_nomem(err) : 0;
}
