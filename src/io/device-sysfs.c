// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Who a block device is, by sysfs alone: the devices above it in the tree tell
 * the transport, the port, and the strings. Needs no udev and no permission.
 * Strings come from the device itself and are kept as they are: whoever prints
 * them escapes them.
 */
#include "io/device-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"

const char *device_root = "";

bool sysfs_path(char *buf, size_t buf_size, const char *fmt, ...)
{
	size_t len = strlen(device_root);
	va_list ap;
	int n;

	if (len >= buf_size)
		return false;
	memcpy(buf, device_root, len);
	va_start(ap, fmt);
	n = vsnprintf(buf + len, buf_size - len, fmt, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < buf_size - len;
}

/* Drops blanks on both sides and everything from the first newline on. */
static void trim(char *s)
{
	size_t start = strspn(s, " \t"), len = strcspn(s + start, "\n");

	while (len > 0 && (s[start + len - 1] == ' ' || s[start + len - 1] == '\t'))
		len--;
	memmove(s, s + start, len);
	s[len] = '\0';
}

static ssize_t read_raw(const char *dir, const char *attr, void *buf, size_t buf_size)
{
	char path[PATH_MAX];
	auto_fd int fd = -1;

	if (snprintf(path, sizeof(path), "%s/%s", dir, attr) >= (int)sizeof(path))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : io_read_full(fd, buf, buf_size);
}

int sysfs_read(const char *dir, const char *attr, char *buf, size_t buf_size)
{
	char text[4096];
	ssize_t got = read_raw(dir, attr, text, sizeof(text) - 1);
	size_t len;

	if (got < 0)
		return -1;
	text[got] = '\0';
	trim(text);
	len = num_min(strlen(text), buf_size - 1);
	memcpy(buf, text, len);
	buf[len] = '\0';
	return (int)len;
}

uint64_t sysfs_read_u64(const char *dir, const char *attr)
{
	char text[32];

	return sysfs_read(dir, attr, text, sizeof(text)) > 0 ? strtoull(text, NULL, 10) : 0;
}

dev_t sysfs_read_dev(const char *dir)
{
	unsigned int maj, min;
	char text[32];

	if (sysfs_read(dir, "dev", text, sizeof(text)) < 0 ||
	    sscanf(text, "%u:%u", &maj, &min) != 2)
		return 0;
	return makedev(maj, min);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void copy_name(char *out, size_t out_size, const char *name)
{
	snprintf(out, out_size, "%.*s", (int)out_size - 1, name);
}

static bool has_file(const char *dir, const char *attr)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/%s", dir, attr) < (int)sizeof(path) &&
	       access(path, F_OK) == 0;
}

int sysfs_find(dev_t rdev, struct sysfs_node *ret)
{
	struct sysfs_node node = { .rdev = rdev, .disk_rdev = rdev };
	char link[PATH_MAX];

	if (!sysfs_path(link, sizeof(link), "/sys/dev/block/%u:%u", major(rdev), minor(rdev)) ||
	    !realpath(link, node.dir))
		return -1;
	copy_name(node.name, sizeof(node.name), base_name(node.dir));
	memcpy(node.disk_dir, node.dir, sizeof(node.dir));
	node.is_partition = has_file(node.dir, "partition");
	if (node.is_partition) {
		*strrchr(node.disk_dir, '/') = '\0';
		node.disk_rdev = sysfs_read_dev(node.disk_dir);
	}
	copy_name(node.disk_name, sizeof(node.disk_name), base_name(node.disk_dir));
	*ret = node;
	return 0;
}

dev_t sysfs_devno(const char *dev_path)
{
	char path[PATH_MAX];
	struct stat st;

	if (!sysfs_path(path, sizeof(path), "%s", dev_path))
		return 0;
	if (stat(path, &st) == 0)
		return S_ISBLK(st.st_mode) ? st.st_rdev : 0;
	/* A container's mountinfo names nodes that its /dev does not have. */
	if (strncmp(dev_path, "/dev/", 5) != 0 ||
	    !sysfs_path(path, sizeof(path), "/sys/class/block/%s", base_name(dev_path)))
		return 0;
	return sysfs_read_dev(path);
}

bool sysfs_each(const char *dir, bool (*fn)(void *ctx, const char *dir, const char *name),
		void *ctx)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	bool stop = false;

	if (!d)
		return false;
	while (!stop && (e = readdir(d)))
		if (e->d_name[0] != '.')
			stop = fn(ctx, dir, e->d_name);
	closedir(d);
	return stop;
}

static void add_part(struct sysfs_parts *parts, const char *dir, dev_t rdev, const char *name)
{
	struct sysfs_part *p;

	if (parts->n == SYSFS_MAX_PARTS)
		return;
	p = &parts->part[parts->n++];
	p->rdev = rdev;
	copy_name(p->name, sizeof(p->name), name);
	p->start = has_file(dir, "partition") ? sysfs_read_u64(dir, "start") * 512 : 0;
	p->size = sysfs_read_u64(dir, "size") * 512; /* always in 512-byte units */
}

static bool collect_part(void *ctx, const char *dir, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path) &&
	    has_file(path, "partition"))
		add_part(ctx, path, sysfs_read_dev(path), name);
	return false;
}

void sysfs_list_parts(const struct sysfs_node *node, bool only_self, struct sysfs_parts *ret)
{
	ret->n = 0;
	if (only_self && node->is_partition) {
		add_part(ret, node->dir, node->rdev, node->name);
		return;
	}
	add_part(ret, node->disk_dir, node->disk_rdev, node->disk_name);
	sysfs_each(node->disk_dir, collect_part, ret);
}

/* SPC-4 7.8.13: unit serial number page, four header bytes, then ASCII. */
static void read_vpd_serial(const char *dir, char *buf, size_t buf_size)
{
	unsigned char page[256];
	ssize_t got = read_raw(dir, "vpd_pg80", page, sizeof(page));
	size_t len;

	if (got < 4 || page[1] != 0x80)
		return;
	len = num_min(num_min((uint64_t)page[3], (uint64_t)got - 4), buf_size - 1);
	memcpy(buf, page + 4, len);
	buf[len] = '\0';
	trim(buf);
}

/* "usb", "mmc", "pci" ... of a device directory; "" if it is none. */
static void read_subsystem(const char *dir, char *buf, size_t buf_size)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t len;

	buf[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/subsystem", dir) >= (int)sizeof(path))
		return;
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return;
	target[len] = '\0';
	copy_name(buf, buf_size, base_name(target));
}

static void set_transport(struct device_info *info, const char *transport)
{
	if (!info->transport[0])
		copy_name(info->transport, sizeof(info->transport), transport);
}

static void read_usb(const char *dir, struct device_info *info)
{
	char speed[16];

	set_transport(info, "usb");
	copy_name(info->usb_port, sizeof(info->usb_port), base_name(dir));
	if (!info->vendor[0])
		sysfs_read(dir, "manufacturer", info->vendor, sizeof(info->vendor));
	if (!info->model[0])
		sysfs_read(dir, "product", info->model, sizeof(info->model));
	/* A bridge's SCSI serial is often made up; the stick's own is the USB one. */
	sysfs_read(dir, "serial", info->serial, sizeof(info->serial));
	if (sysfs_read(dir, "speed", speed, sizeof(speed)) > 0)
		info->usb_speed = (uint32_t)strtoul(speed, NULL, 10);
}

static void read_mmc(const char *dir, struct device_info *info)
{
	char type[16] = "";

	sysfs_read(dir, "type", type, sizeof(type));
	set_transport(info, !strncmp(type, "SD", 2) ? "sd" : "mmc");
	if (!info->model[0])
		sysfs_read(dir, "name", info->model, sizeof(info->model));
	if (!info->wwn[0])
		sysfs_read(dir, "cid", info->wwn, sizeof(info->wwn));
}

/* One directory on the way from the disk to the root of the tree. */
static void read_ancestor(const char *dir, struct device_info *info)
{
	const char *name = base_name(dir);
	char subsystem[32], text[16];

	read_subsystem(dir, subsystem, sizeof(subsystem));
	if (!strcmp(subsystem, "usb") && has_file(dir, "idVendor") && !info->usb_port[0])
		read_usb(dir, info);
	else if (!strcmp(subsystem, "mmc") && has_file(dir, "cid"))
		read_mmc(dir, info);
	else if (!strcmp(subsystem, "firewire"))
		set_transport(info, "firewire");
	else if (!strcmp(subsystem, "virtio"))
		set_transport(info, "virtio");
	else if (!strcmp(subsystem, "pci") &&
		 sysfs_read(dir, "removable", text, sizeof(text)) > 0 &&
		 !strcmp(text, "removable") && strcmp(info->transport, "usb") != 0)
		/* The kernel says so of what hangs on an external PCIe port. */
		snprintf(info->transport, sizeof(info->transport), "thunderbolt");
	else if (!strncmp(name, "nvme", 4))
		set_transport(info, "nvme");
	else if (!strncmp(name, "ata", 3) && name[3] >= '0' && name[3] <= '9')
		set_transport(info, "sata");
}

static void read_strings(const struct sysfs_node *node, struct device_info *info)
{
	char dev[PATH_MAX];

	snprintf(dev, sizeof(dev), "%.*s/device", (int)sizeof(dev) - 8, node->disk_dir);
	sysfs_read(dev, "vendor", info->vendor, sizeof(info->vendor));
	if (!strncmp(info->vendor, "0x", 2) || !strcmp(info->vendor, "ATA"))
		info->vendor[0] = '\0'; /* a PCI number, or the SATA layer's word for everybody */
	sysfs_read(dev, "model", info->model, sizeof(info->model));
	read_vpd_serial(dev, info->serial, sizeof(info->serial));
	if (!info->serial[0])
		sysfs_read(dev, "serial", info->serial, sizeof(info->serial));
	if (!info->serial[0])
		sysfs_read(node->disk_dir, "serial", info->serial, sizeof(info->serial));
	if (sysfs_read(dev, "wwid", info->wwn, sizeof(info->wwn)) <= 0)
		sysfs_read(node->disk_dir, "wwid", info->wwn, sizeof(info->wwn));
}

#define SCSI_TYPE_OPTICAL 5 /* SPC-4 6.4.2: peripheral device type CD/DVD */

static bool is_name_of(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return !strncmp(name, prefix, len) && name[len] >= '0' && name[len] <= '9';
}

static void read_ancestors(const struct sysfs_node *node, struct device_info *info)
{
	char dir[PATH_MAX];
	char *slash;

	if (is_name_of(node->disk_name, "loop") || is_name_of(node->disk_name, "zram")) {
		set_transport(info, is_name_of(node->disk_name, "loop") ? "loop" : "zram");
		info->is_virtual = true;
		return;
	}
	snprintf(dir, sizeof(dir), "%.*s/device", (int)sizeof(dir) - 8, node->disk_dir);
	if (sysfs_read_u64(dir, "type") == SCSI_TYPE_OPTICAL)
		set_transport(info, "optical");
	memcpy(dir, node->disk_dir, sizeof(dir));
	/* Ends: each turn makes the path shorter. */
	while ((slash = strrchr(dir, '/')) && strcmp(base_name(dir), "devices") != 0) {
		read_ancestor(dir, info);
		*slash = '\0';
	}
	set_transport(info, has_file(node->disk_dir, "device") ? "scsi" : "virtual");
}

struct by_id_search {
	const char *name;
	char *best;
	size_t best_size;
};

/* Names made of numbers alone (wwn-, nvme-eui.) tell a person least. */
static int by_id_rank(const char *name)
{
	if (!strncmp(name, "wwn-", 4) || !strncmp(name, "nvme-eui.", 9) ||
	    !strncmp(name, "nvme-nvme.", 10))
		return 2;
	return !strncmp(name, "scsi-", 5);
}

static bool match_by_id(void *ctx, const char *dir, const char *name)
{
	struct by_id_search *s = ctx;
	char path[PATH_MAX], target[PATH_MAX];
	const char *old = *s->best ? base_name(s->best) : NULL;
	ssize_t len;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return false;
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	if (strcmp(base_name(target), s->name) != 0)
		return false;
	if (old && (by_id_rank(old) < by_id_rank(name) ||
		    (by_id_rank(old) == by_id_rank(name) && strcmp(old, name) <= 0)))
		return false;
	if (strlen(name) + sizeof("/dev/disk/by-id/") <= s->best_size)
		snprintf(s->best, s->best_size, "/dev/disk/by-id/%s", name);
	return false;
}

void device_read_identity(const struct sysfs_node *node, struct device_info *info)
{
	struct by_id_search search = { node->name, info->by_id, sizeof(info->by_id) };
	char dir[PATH_MAX], queue[PATH_MAX];

	info->is_block = true;
	info->rdev = node->rdev;
	info->is_partition = node->is_partition;
	info->size = sysfs_read_u64(node->dir, "size") * 512;
	info->diskseq = sysfs_read_u64(node->disk_dir, "diskseq");
	info->removable = sysfs_read_u64(node->disk_dir, "removable") == 1;
	info->readonly =
		sysfs_read_u64(node->dir, "ro") == 1 || sysfs_read_u64(node->disk_dir, "ro") == 1;
	snprintf(queue, sizeof(queue), "%.*s/queue", (int)sizeof(queue) - 7, node->disk_dir);
	info->sector_size = (uint32_t)sysfs_read_u64(queue, "logical_block_size");
	if (info->sector_size == 0)
		info->sector_size = 512;
	info->max_request = (uint32_t)sysfs_read_u64(queue, "max_sectors_kb") * 1024;
	read_strings(node, info);
	read_ancestors(node, info);
	if (sysfs_path(dir, sizeof(dir), "/dev/disk/by-id"))
		sysfs_each(dir, match_by_id, &search);
}
