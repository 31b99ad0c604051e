// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Puts a device_info together from sysfs, contents and rules, lists the
 * machine's disks, and asks an open descriptor whether it is still the same.
 */
#include "io/device.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "io/device-internal.h"

static const struct {
	const char *name;
	enum device_lift lift;
} rules[N_DEVICE_RULES] = {
	[RULE_SYSTEM] = { "system", LIFT_NEVER },
	[RULE_SOURCE] = { "source", LIFT_NEVER },
	[RULE_READONLY] = { "readonly", LIFT_NEVER },
	[RULE_HELD] = { "held", LIFT_NEVER },
	[RULE_PROTECTED] = { "protected", LIFT_NEVER },
	[RULE_MOUNTED] = { "mounted", LIFT_QUESTION },
	[RULE_INTERNAL] = { "internal", LIFT_ALLOW },
	[RULE_CONTENTS] = { "contents", LIFT_TYPE_SIZE },
	[RULE_LARGE] = { "large", LIFT_ALLOW },
	[RULE_PARTITION] = { "partition", LIFT_ALLOW },
	[RULE_FILE_IN_USE] = { "file-in-use", LIFT_FILE_PREFIX },
};

const char *device_rule_name(enum device_rule rule)
{
	return rules[rule].name;
}

enum device_lift device_rule_lift(enum device_rule rule)
{
	return rules[rule].lift;
}

int device_rule_by_name(const char *name, enum device_rule *ret)
{
	for (size_t i = 0; i < N_DEVICE_RULES; i++) {
		if (!strcmp(rules[i].name, name)) {
			*ret = (enum device_rule)i;
			return 0;
		}
	}
	return -1;
}

/* Without open(): the node's own path, or where the kernel's name for it points. */
static void set_path(const char *path, const struct sysfs_node *node, struct device_info *info)
{
	char canonical[PATH_MAX], name[64];
	size_t i;

	snprintf(name, sizeof(name), "%s", node->name);
	for (i = 0; name[i]; i++)
		if (name[i] == '!') /* sysfs cannot have slashes: cciss!c0d0 */
			name[i] = '/';
	snprintf(canonical, sizeof(canonical), "/dev/%s", name);
	if (sysfs_devno(canonical) != node->rdev)
		snprintf(canonical, sizeof(canonical), "%s", path);
	snprintf(info->path, sizeof(info->path), "%.*s", (int)sizeof(info->path) - 1, canonical);
}

static int error_no_device(const char *path, struct error *err)
{
	char safe[300];

	return error_set(err, ERROR_IO, "device-gone", _("There is no device behind the node %s."),
			 text_escape(path, strlen(path), safe, sizeof(safe)));
}

static int examine_block(const char *path, int fd, dev_t rdev, const struct device_world *w,
			 int source_fd, struct device_info *info, struct error *err)
{
	struct sysfs_node node;

	if (sysfs_find(rdev, &node))
		return error_no_device(path, err);
	device_read_identity(&node, info);
	set_path(path, &node, info);
	if (device_read_contents(&node, fd, w, info, err))
		return -1;
	return device_check_rules(&node, w, source_fd, info, err);
}

static int examine_file(const char *path, int fd, const struct stat *st,
			const struct device_world *w, int source_fd, struct device_info *info,
			struct error *err)
{
	info->is_file = true;
	info->file_exists = true;
	info->size = (uint64_t)st->st_size;
	info->sector_size = 512;
	snprintf(info->transport, sizeof(info->transport), "file");
	snprintf(info->path, sizeof(info->path), "%.*s", (int)sizeof(info->path) - 1, path);
	return device_check_file_rules(fd, w, source_fd, info, err);
}

int device_examine(const char *path, int fd, int source_fd, struct device_info *ret,
		   struct error *err)
{
	struct device_world w;
	auto_fd int own = -1;
	struct stat st;
	char safe[256];
	int rc;

	if (fd < 0)
		fd = own = open(path, O_PATH | O_CLOEXEC);
	text_escape(path, strlen(path), safe, sizeof(safe));
	if (fd < 0 || fstat(fd, &st))
		return error_set_sys(err, ERROR_USAGE, "no-such-target", errno, _("Cannot open %s"),
				     safe);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return error_set(err, ERROR_USAGE, "not-a-target",
				 _("%s is neither a block device nor a regular file."), safe);
	if (device_world_read(&w, err))
		return -1;
	memset(ret, 0, sizeof(*ret));
	if (S_ISBLK(st.st_mode))
		rc = examine_block(path, fd, st.st_rdev, &w, source_fd, ret, err);
	else
		rc = examine_file(path, fd, &st, &w, source_fd, ret, err);
	device_world_done(&w);
	return rc;
}

int device_refuse_source(int fd, int source_fd, struct device_info *info, struct error *err)
{
	struct device_world w;
	struct sysfs_node node;
	struct stat st, source;
	int rc;

	if (fstat(fd, &st) || fstat(source_fd, &source))
		return error_set_sys(err, ERROR_IO, "cannot-stat", errno,
				     _("Cannot stat the file"));
	if (S_ISREG(st.st_mode)) {
		if (st.st_dev == source.st_dev && st.st_ino == source.st_ino)
			device_refuse(info, RULE_SOURCE, _("it is the file of --add-boot itself"));
		return 0;
	}
	if (sysfs_find(st.st_rdev, &node))
		return error_no_device(info->path, err);
	if (device_world_read(&w, err))
		return -1;
	rc = device_check_source(&node, &w, source_fd, info, err);
	device_world_done(&w);
	return rc;
}

struct device_names {
	char (*name)[64];
	size_t n;
	bool failed;
};

static bool collect_name(void *ctx, const char *dir, const char *name)
{
	struct device_names *names = ctx;
	char(*more)[64] = realloc(names->name, (names->n + 1) * sizeof(*more));

	(void)dir;
	if (!more) {
		names->failed = true;
		return true;
	}
	names->name = more;
	snprintf(more[names->n++], sizeof(*more), "%.63s", name);
	return false;
}

static int compare_names(const void *a, const void *b)
{
	return strverscmp(a, b); /* sdb before sdaa is no loss; nvme2 before nvme10 is a gain */
}

/*
 * Can never be a stick, or is one only for whoever names it (loop, zram), so
 * that nobody looks for it in the list.
 */
static bool is_uninteresting(const struct device_info *info)
{
	static const char *const names[] = { "/dev/ram", "/dev/dm-", "/dev/md",
					     "/dev/sr",  "/dev/fd",  "/dev/nbd" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(info->path, names[i], strlen(names[i])))
			return true;
	return info->size == 0 || info->is_virtual;
}

static int examine_name(const char *name, bool all, const struct device_world *w,
			struct device_info *ret, bool *ret_listed, struct error *err)
{
	struct sysfs_node node;
	auto_fd int fd = -1;
	char dir[PATH_MAX], path[80];
	dev_t rdev = 0;

	*ret_listed = false;
	memset(ret, 0, sizeof(*ret));
	if (sysfs_path(dir, sizeof(dir), "/sys/block/%s", name))
		rdev = sysfs_read_dev(dir);
	/* Unplugged while we look, or a path of a multipath disk: no entry, no error. */
	if (rdev == 0 || sysfs_find(rdev, &node) || sysfs_read_u64(dir, "hidden") == 1)
		return 0;
	snprintf(path, sizeof(path), "/dev/%s", name);
	device_read_identity(&node, ret);
	set_path(path, &node, ret);
	if (!all && is_uninteresting(ret))
		return 0;
	if (ret->size > 0 && !device_root[0]) {
		struct stat st;

		fd = open(ret->path, O_PATH | O_CLOEXEC);
		if (fd >= 0 && (fstat(fd, &st) || !S_ISBLK(st.st_mode) || st.st_rdev != rdev))
			close(take_fd(&fd));
	}
	if ((ret->size > 0 && device_read_contents(&node, fd, w, ret, err)) ||
	    device_check_rules(&node, w, -1, ret, err))
		return -1;
	ret->writable = ret->writable && ret->size > 0;
	*ret_listed = true;
	return 0;
}

int device_list(bool all, struct device_info **ret, size_t *ret_n, struct error *err)
{
	auto_free struct device_info *list = NULL;
	struct device_names names = { 0 };
	struct device_world w;
	char dir[PATH_MAX];
	size_t n = 0;
	int rc = 0;

	if (device_world_read(&w, err))
		return -1;
	if (sysfs_path(dir, sizeof(dir), "/sys/block"))
		sysfs_each(dir, collect_name, &names);
	list = calloc(names.n + 1, sizeof(*list));
	if (names.failed || !list)
		rc = error_set_nomem(err);
	if (names.n)
		qsort(names.name, names.n, sizeof(*names.name), compare_names);
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		bool is_listed;

		rc = examine_name(names.name[i], all, &w, &list[n], &is_listed, err);
		n += is_listed;
	}
	free(names.name);
	device_world_done(&w);
	if (rc)
		return -1;
	*ret = take_ptr(list);
	*ret_n = n;
	return 0;
}

static int is_gone(const struct device_info *info, struct error *err)
{
	char safe[300];

	return error_set(err, ERROR_IO, "device-gone",
			 _("%s was removed, or its connection was lost."),
			 text_escape(info->path, strlen(info->path), safe, sizeof(safe)));
}

static int is_replaced(const struct device_info *info, struct error *err)
{
	char safe[300];

	return error_set(err, ERROR_IO, "device-replaced",
			 _("%s is not the device any more that it was when this began."),
			 text_escape(info->path, strlen(info->path), safe, sizeof(safe)));
}

int device_recheck(int fd, const struct device_info *info, struct error *err)
{
	uint64_t size = 0, seq = 0;
	struct sysfs_node node;
	struct stat st;

	if (fstat(fd, &st))
		return is_gone(info, err);
	if (info->is_file)
		return (uint64_t)st.st_size == info->size ? 0 : is_replaced(info, err);
	if (ioctl(fd, BLKGETSIZE64, &size) || size == 0)
		return is_gone(info, err);
	if (!S_ISBLK(st.st_mode) || st.st_rdev != info->rdev || size != info->size)
		return is_replaced(info, err);
	if (sysfs_find(info->rdev, &node))
		return is_gone(info, err);
#ifdef BLKGETDISKSEQ
	if (info->diskseq && ioctl(fd, BLKGETDISKSEQ, &seq) == 0 && seq != info->diskseq)
		return is_replaced(info, err);
#endif
	/* The node's name may belong to a new device by now, while fd still holds the old one. */
	seq = sysfs_read_u64(node.disk_dir, "diskseq");
	if (info->diskseq && seq && seq != info->diskseq)
		return is_gone(info, err);
	return 0;
}

static const char *describe_bus(const struct device_info *info)
{
	static const struct {
		const char *transport, *words;
	} table[] = {
		{ "sd", "SD card" },
		{ "mmc", "eMMC" },
		{ "sata", "SATA" },
		{ "nvme", "NVMe" },
		{ "firewire", "FireWire" },
		{ "thunderbolt", "Thunderbolt" },
		{ "virtio", "virtual disk" },
		{ "scsi", "SCSI" },
		{ "virtual", "virtual disk" },
	};

	if (!strcmp(info->transport, "usb")) {
		if (info->usb_speed == 0)
			return "USB";
		return info->usb_speed < 480 ? "USB 1" : info->usb_speed < 5000 ? "USB 2" : "USB 3";
	}
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].transport, info->transport))
			return table[i].words;
	return "";
}

static void describe_name(const struct device_info *info, char *buf, size_t buf_size)
{
	char vendor[sizeof(info->vendor) * 4], model[sizeof(info->model) * 4];

	text_escape_trim(info->vendor, vendor, sizeof(vendor));
	text_escape_trim(info->model, model, sizeof(model));
	if (info->is_file)
		snprintf(buf, buf_size, "%s", info->file_exists ? _("file") : _("new file"));
	else if (!strcmp(info->transport, "loop"))
		snprintf(buf, buf_size, "%s", _("loop device"));
	else if (!strcmp(info->transport, "zram"))
		snprintf(buf, buf_size, "%s", _("RAM disk"));
	else if (!model[0] && !vendor[0])
		snprintf(buf, buf_size, "%s", _("disk"));
	else if (!vendor[0] || !strncasecmp(vendor, model, strlen(vendor)))
		snprintf(buf, buf_size, "%s", model);
	else
		snprintf(buf, buf_size, "%s%s%s", vendor, model[0] ? " " : "", model);
}

const char *device_describe(const struct device_info *info, bool bytes, char *buf, size_t buf_size)
{
	char name[1024], size[NUM_SIZE_LEN], port[sizeof(info->usb_port) * 4];
	const char *bus = describe_bus(info);
	int n;

	describe_name(info, name, sizeof(name));
	if (bytes)
		snprintf(size, sizeof(size), _("%" PRIu64 " bytes"), info->size);
	else
		num_format_stick_size(size, sizeof(size), info->size);
	n = snprintf(buf, buf_size, "%s, %s%s%s", name, size, bus[0] ? ", " : "", bus);
	if (info->usb_port[0] && n > 0 && (size_t)n < buf_size)
		snprintf(buf + n, buf_size - (size_t)n, _(", port %s"),
			 text_escape(info->usb_port, strlen(info->usb_port), port, sizeof(port)));
	return buf;
}

const char *device_size_word(const struct device_info *info, char *buf, size_t buf_size)
{
	return num_format_size(buf, buf_size, info->size);
}
