// SPDX-License-Identifier: GPL-3.0-or-later
/* The safety rules, in the order of enum device_rule. Each says why in a sentence's part. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "io/device-internal.h"

#define LARGE_SIZE UINT64_C(1000000000000)

bool device_has_refusal(const struct device_info *info, enum device_rule rule)
{
	for (size_t i = 0; i < info->n_refused; i++)
		if (info->refused[i].rule == rule)
			return true;
	return false;
}

void device_refuse(struct device_info *info, enum device_rule rule, const char *fmt, ...)
{
	struct device_refusal *r;
	va_list ap;

	if (device_has_refusal(info, rule))
		return;
	r = &info->refused[info->n_refused++];
	r->rule = rule;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	info->writable = false;
}

void device_lift_refusal(struct device_info *info, enum device_rule rule)
{
	size_t n = 0;

	for (size_t i = 0; i < info->n_refused; i++)
		if (info->refused[i].rule != rule)
			info->refused[n++] = info->refused[i];
	info->n_refused = n;
	info->writable = n == 0;
}

/* The disk, its partitions, and the rest of what a rule looks at. */
struct rules {
	const struct sysfs_node *node;
	const struct device_world *w;
	struct device_info *info;
	struct sysfs_parts all; /* the whole disk with all partitions */
	struct sysfs_parts own; /* what would be overwritten, and the disk it is on */
};

static bool has_dev(const struct sysfs_parts *parts, dev_t dev)
{
	for (size_t i = 0; i < parts->n; i++)
		if (parts->part[i].rdev == dev)
			return true;
	return false;
}

static void check_system(struct rules *r)
{
	for (size_t i = 0; i < r->all.n; i++) {
		const struct device_set_item *item =
			device_set_find(&r->w->system, r->all.part[i].rdev);
		char safe[200];

		if (!item)
			continue;
		if (!strcmp(item->why, "swap"))
			device_refuse(r->info, RULE_SYSTEM, _("swap space in use is on it"));
		else
			device_refuse(
				r->info, RULE_SYSTEM, _("the running system (%s) is on it"),
				text_escape(item->why, strlen(item->why), safe, sizeof(safe)));
	}
}

/* what: "the image". */
static int check_source(struct rules *r, int source_fd, const char *what, struct error *err)
{
	struct device_set set = { 0 };
	struct loop_backing b;
	struct stat st;
	int rc = 0;

	if (source_fd < 0 || fstat(source_fd, &st))
		return 0;
	if (device_set_add_fd(&set, r->w, source_fd, err))
		rc = -1;
	for (size_t i = 0; rc == 0 && i < r->all.n; i++)
		if (device_set_find(&set, r->all.part[i].rdev))
			device_refuse(r->info, RULE_SOURCE, _("%s is on it"), what);
	if (device_loop_backing(r->node->disk_name, &b) == 0 && b.has_inode && b.dev == st.st_dev &&
	    b.ino == st.st_ino)
		device_refuse(r->info, RULE_SOURCE, _("it is a loop device over %s itself"), what);
	device_set_done(&set);
	return rc;
}

static void check_readonly(struct rules *r)
{
	if (r->info->readonly)
		device_refuse(r->info, RULE_READONLY, _("it is write-protected"));
}

static bool note_holder(void *ctx, const char *dir, const char *name)
{
	struct rules *r = ctx;
	char path[PATH_MAX], dm[128] = "", safe[256], safe_dm[512];

	(void)dir;
	text_escape(name, strlen(name), safe, sizeof(safe));
	if (sysfs_path(path, sizeof(path), "/sys/class/block/%s", name) &&
	    sysfs_read(path, "dm/name", dm, sizeof(dm)) > 0)
		device_refuse(r->info, RULE_HELD, _("%s (%s) is built on it"),
			      text_escape(dm, strlen(dm), safe_dm, sizeof(safe_dm)), safe);
	else
		device_refuse(r->info, RULE_HELD, _("%s is built on it"), safe);
	return true;
}

struct loop_search {
	const struct sysfs_parts *parts; /* of a block device, else NULL */
	dev_t dev; /* of a file */
	ino_t ino;
	const char *except; /* a loop device that does not count, or NULL */
	char name[64];
};

static bool match_loop(void *ctx, const char *dir, const char *name)
{
	struct loop_search *s = ctx;
	struct loop_backing b;

	(void)dir;
	if (strncmp(name, "loop", 4) != 0 || (s->except && !strcmp(name, s->except)) ||
	    device_loop_backing(name, &b) || !b.has_inode)
		return false;
	if (s->parts ? !b.rdev || !has_dev(s->parts, b.rdev) : b.dev != s->dev || b.ino != s->ino)
		return false;
	snprintf(s->name, sizeof(s->name), "%.*s", (int)sizeof(s->name) - 1, name);
	return true;
}

static bool find_loop(struct loop_search *s)
{
	char dir[PATH_MAX];

	return sysfs_path(dir, sizeof(dir), "/sys/class/block") && sysfs_each(dir, match_loop, s);
}

static void check_foreign_mount(void *ctx, dev_t dev)
{
	struct rules *r = ctx;

	if (has_dev(&r->own, dev))
		device_refuse(r->info, RULE_HELD, _("it is mounted in another mount namespace"));
}

/* ZFS does not say in sysfs which disks a pool uses. */
static void check_zfs(struct rules *r)
{
	bool is_member = false, is_mounted = false;

	for (size_t i = 0; i < r->info->n_contents; i++)
		is_member = is_member || !strcmp(r->info->contents[i].type, "zfs_member");
	for (size_t i = 0; i < r->w->mounts.n; i++)
		is_mounted = is_mounted || !strcmp(r->w->mounts.list[i].type, "zfs");
	if (is_member && is_mounted)
		device_refuse(r->info, RULE_HELD,
			      _("it belongs to a ZFS pool, and a pool is in use"));
}

/* Two loop devices over one file are one stick under two names. */
static void check_twin_loop(struct rules *r)
{
	struct loop_search twin = { .except = r->node->disk_name };
	struct loop_backing b;

	if (device_loop_backing(r->node->disk_name, &b) || !b.has_inode)
		return;
	twin.dev = b.dev;
	twin.ino = b.ino;
	if (find_loop(&twin))
		device_refuse(r->info, RULE_HELD, _("%s is a loop device over the same file"),
			      twin.name);
}

static void check_held(struct rules *r)
{
	struct loop_search loop = { .parts = &r->own };
	const struct mounts *init = &r->w->init_mounts;
	char dir[PATH_MAX];

	for (size_t i = 0; i < r->own.n; i++)
		if (sysfs_path(dir, sizeof(dir), "/sys/class/block/%s/holders",
			       r->own.part[i].name))
			sysfs_each(dir, note_holder, r);
	if (find_loop(&loop))
		device_refuse(r->info, RULE_HELD, _("the loop device %s is on top of it"),
			      loop.name);
	check_twin_loop(r);
	check_zfs(r);
	for (size_t i = 0; i < init->n; i++)
		if (!mounts_find_dev(&r->w->mounts, init->list[i].dev))
			device_each_of_mount(&init->list[i], check_foreign_mount, r);
}

static void check_protected(struct rules *r)
{
	char list[256], safe[300];

	enum device_protection protection = device_find_protection(r->info, list, sizeof(list));

	if (protection == PROTECTION_NONE)
		return;
	text_escape(list, strlen(list), safe, sizeof(safe));
	device_refuse(r->info, RULE_PROTECTED,
		      protection == PROTECTION_LISTED ? _("it is on the never-list %s")
						      : _("the never-list %s cannot be read"),
		      safe);
}

struct mount_points {
	const struct sysfs_parts *parts;
	const struct mount *mount;
	char *text;
	size_t size;
};

static void note_mount(void *ctx, dev_t dev)
{
	struct mount_points *p = ctx;
	char safe[300];
	size_t len = strlen(p->text);

	if (!has_dev(p->parts, dev))
		return;
	text_escape(p->mount->point, strlen(p->mount->point), safe, sizeof(safe));
	snprintf(p->text + len, p->size - len, "%s%s", len ? ", " : "", safe);
}

static void check_mounted(struct rules *r)
{
	char points[200] = "";
	struct mount_points p = { &r->own, NULL, points, sizeof(points) };

	for (size_t i = 0; i < r->w->mounts.n; i++) {
		p.mount = &r->w->mounts.list[i];
		device_each_of_mount(p.mount, note_mount, &p);
	}
	if (points[0])
		device_refuse(r->info, RULE_MOUNTED, _("it is mounted on %s"), points);
}

static void check_internal(struct rules *r)
{
	static const char *const external[] = { "usb", "sd", "firewire", "thunderbolt" };
	const char *transport = r->info->transport;
	bool is_emmc = !strcmp(transport, "mmc");

	for (size_t i = 0; i < ARRAY_SIZE(external); i++)
		if (!strcmp(transport, external[i]))
			return;
	if (r->info->removable && !is_emmc && strcmp(transport, "nvme") != 0)
		return;
	if (!strcmp(transport, "virtual"))
		device_refuse(r->info, RULE_INTERNAL,
			      _("it is a virtual disk, not a stick or card"));
	else
		device_refuse(r->info, RULE_INTERNAL, _("it is an internal disk (%s)"),
			      is_emmc ? "eMMC" : transport);
}

/* `ext4 "backup" on /dev/sdb1` */
static void describe_content(const struct device_content *c, char *buf, size_t buf_size)
{
	char type[128], label[300], node[256];

	text_escape(c->type, strlen(c->type), type, sizeof(type));
	text_escape_trim(c->label, label, sizeof(label));
	text_escape(c->node, strlen(c->node), node, sizeof(node));
	if (!strcmp(c->type, "unknown"))
		snprintf(buf, buf_size, _("data of an unknown kind (%s)"), node);
	else if (!strcmp(c->type, "more"))
		snprintf(buf, buf_size, _("more partitions than can be shown"));
	else if (label[0])
		snprintf(buf, buf_size, "%s \"%.60s\" (%s)", type, label, node);
	else
		snprintf(buf, buf_size, "%s (%s)", type, node);
}

static void check_contents(struct rules *r)
{
	const struct device_info *info = r->info;
	size_t n = 0, first = 0;
	char what[512];

	for (size_t i = info->n_contents; i-- > 0;) {
		if (!info->contents[i].is_foreign)
			continue;
		first = i;
		n++;
	}
	if (n == 0)
		return;
	describe_content(&info->contents[first], what, sizeof(what));
	if (!strcmp(info->contents[first].type, "unreadable"))
		device_refuse(r->info, RULE_CONTENTS, _("its contents cannot be read"));
	else if (n == 1)
		device_refuse(r->info, RULE_CONTENTS, _("it holds %s"), what);
	else
		device_refuse(r->info, RULE_CONTENTS, _("it holds %s and %zu more"), what, n - 1);
}

static void check_large(struct rules *r)
{
	char size[NUM_SIZE_LEN];

	if (r->info->size > LARGE_SIZE)
		device_refuse(r->info, RULE_LARGE, _("it is larger than 1 TB (%s)"),
			      num_format_size(size, sizeof(size), r->info->size));
}

static void check_partition(struct rules *r)
{
	if (r->info->is_partition)
		device_refuse(r->info, RULE_PARTITION,
			      _("it is a partition of /dev/%s, not a disk"), r->node->disk_name);
}

int device_check_rules(const struct sysfs_node *node, const struct device_world *w, int source_fd,
		       struct device_info *info, struct error *err)
{
	auto_free struct rules *r = calloc(1, sizeof(*r));

	if (!r)
		return error_set_nomem(err);
	r->node = node;
	r->w = w;
	r->info = info;
	info->writable = true;
	sysfs_list_parts(node, false, &r->all);
	sysfs_list_parts(node, true, &r->own);
	if (node->is_partition) /* r->all begins with the disk itself */
		r->own.part[r->own.n++] = r->all.part[0];
	check_system(r);
	if (check_source(r, source_fd, _("the image"), err))
		return -1;
	check_readonly(r);
	check_held(r);
	if (!info->is_virtual)
		check_protected(r);
	check_mounted(r);
	if (info->is_virtual)
		return 0;
	check_internal(r);
	check_contents(r);
	check_large(r);
	check_partition(r);
	return 0;
}

int device_check_source(const struct sysfs_node *node, const struct device_world *w, int source_fd,
			struct device_info *info, struct error *err)
{
	auto_free struct rules *r = calloc(1, sizeof(*r));

	if (!r)
		return error_set_nomem(err);
	r->node = node;
	r->w = w;
	r->info = info;
	sysfs_list_parts(node, false, &r->all);
	return check_source(r, source_fd, _("the file of --add-boot"), err);
}

static bool is_swap_file(const struct device_world *w, const struct stat *st)
{
	for (size_t i = 0; i < w->swaps.n; i++) {
		struct stat swap;

		if (!w->swaps.list[i].is_partition && stat(w->swaps.list[i].path, &swap) == 0 &&
		    swap.st_dev == st->st_dev && swap.st_ino == st->st_ino)
			return true;
	}
	return false;
}

/* The second of several images (isowrite *.iso) is told apart from a virtual stick in use. */
static void refuse_file(struct device_info *info)
{
	for (size_t i = 0; i < info->n_contents; i++) {
		const struct device_content *c = &info->contents[i];
		char label[300];

		if (strcmp(c->type, "iso9660") != 0 && strcmp(c->type, "udf") != 0)
			continue;
		text_escape_trim(c->label, label, sizeof(label));
		device_refuse(info, RULE_FILE_IN_USE,
			      _("it is an image itself (\"%.60s\"); only file:PATH writes over it"),
			      label);
		return;
	}
	device_refuse(info, RULE_FILE_IN_USE,
		      _("it is a file that is not blank; file:PATH writes it all the same"));
}

int device_check_file_rules(int fd, const struct device_world *w, int source_fd,
			    struct device_info *info, struct error *err)
{
	struct loop_search loop = { .parts = NULL };
	struct stat st, source;
	char proc[32];
	bool is_blank_file = false;

	if (fstat(fd, &st))
		return error_set_sys(err, ERROR_IO, "cannot-stat", errno,
				     _("Cannot stat the file"));
	info->writable = true;
	if (is_swap_file(w, &st))
		device_refuse(info, RULE_SYSTEM, _("it is a swap file in use"));
	if (source_fd >= 0 && fstat(source_fd, &source) == 0 && source.st_dev == st.st_dev &&
	    source.st_ino == st.st_ino)
		device_refuse(info, RULE_SOURCE, _("it is the image itself"));
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (faccessat(AT_FDCWD, proc, W_OK, AT_EACCESS) && errno == EROFS)
		device_refuse(info, RULE_READONLY, _("its file system is read-only"));
	loop.dev = st.st_dev;
	loop.ino = st.st_ino;
	if (find_loop(&loop))
		device_refuse(info, RULE_HELD, _("the loop device %s is on top of it"), loop.name);
	if (info->size > 0 && device_read_file_contents(fd, info, &is_blank_file, err))
		return -1;
	if (!is_blank_file && info->size > 0)
		refuse_file(info);
	return 0;
}
