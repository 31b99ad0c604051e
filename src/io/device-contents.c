// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What is on a device: the tables and file systems of the whole disk, then of
 * each partition of its table, all read through one descriptor of the disk, so
 * that no partition nodes are needed. Whoever may not read the disk (an
 * ordinary user) sees what udev has recorded of it; where there is no record,
 * the contents are unknown, and unknown is foreign.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "io/blkid.h"
#include "io/device-internal.h"

bool device_is_foreign(const char *type, bool on_iso)
{
	static const char *const ours[] = {
		"vfat", "exfat", "iso9660", "udf", "dos", "gpt", "mac"
	};
	static const char *const in_hybrids[] = { "hfs", "hfsplus", "squashfs", "unknown" };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (!strcmp(type, ours[i]))
			return false;
	for (size_t i = 0; on_iso && i < ARRAY_SIZE(in_hybrids); i++)
		if (!strcmp(type, in_hybrids[i]))
			return false;
	return true;
}

static void copy_text(char *out, size_t out_size, const char *text)
{
	snprintf(out, out_size, "%.*s", (int)out_size - 1, text);
}

struct device_content *device_add_content(struct device_info *info, const char *type,
					  const char *node)
{
	struct device_content *c;

	if (info->n_contents == DEVICE_MAX_CONTENTS) {
		c = &info->contents[DEVICE_MAX_CONTENTS - 1];
		memset(c, 0, sizeof(*c));
		copy_text(c->type, sizeof(c->type), "more");
		copy_text(c->node, sizeof(c->node), info->path);
		return NULL;
	}
	c = &info->contents[info->n_contents++];
	memset(c, 0, sizeof(*c));
	copy_text(c->type, sizeof(c->type), type);
	copy_text(c->node, sizeof(c->node), node);
	return c;
}

/* The kernel's name of partition n: sdb1, but mmcblk0p1. */
static void partition_node(const struct device_info *info, unsigned int number, char *buf,
			   size_t buf_size)
{
	size_t len = strlen(info->path);
	bool has_digit = len > 0 && isdigit((unsigned char)info->path[len - 1]);

	snprintf(buf, buf_size, "%.*s%s%u", (int)buf_size - 16, info->path, has_digit ? "p" : "",
		 number);
}

/* Is [off, off+len) all zeros, as far as it can be read? -1: unreadable. */
static int is_blank(int fd, uint64_t off, uint64_t len)
{
	unsigned char buf[16384];

	while (len > 0) {
		ssize_t got = io_pread_full(fd, buf, num_min(len, sizeof(buf)), off);

		if (got <= 0)
			return got < 0 ? -1 : 1;
		for (ssize_t i = 0; i < got; i++)
			if (buf[i])
				return 0;
		off += (uint64_t)got;
		len -= (uint64_t)got;
	}
	return 1;
}

/* Partitions whose bytes are code or nothing, never a user's: by type. */
static bool is_boot_area(const char *type)
{
	static const char *const types[] = {
		"21686148-6449-6e6f-744e-656564454649", /* GRUB's BIOS boot partition */
		"e3c9e316-0b5c-4db8-817d-f92df00215ae", /* Microsoft reserved */
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

static int probe_partition(int fd, const struct blkid_table_part *p, struct device_info *info,
			   struct error *err)
{
	size_t before = info->n_contents;
	struct device_content *c;
	uint64_t len;
	char node[64];

	/* Offset 0: an ISO's own image, seen as the whole disk already. */
	if (p->is_extended || p->start == 0 || p->start >= info->size || p->size == 0)
		return 0;
	len = num_min(p->size, info->size - p->start);
	partition_node(info, p->number, node, sizeof(node));
	if (blkid_probe_contents(fd, p->start, len, node, info, err))
		return -1;
	if (info->n_contents > before || is_boot_area(p->type) ||
	    is_blank(fd, p->start, num_min(len, 64 * KIB)) > 0)
		return 0;
	c = device_add_content(info, "unknown", node);
	if (c) {
		copy_text(c->label, sizeof(c->label), p->name);
		c->start = p->start;
		c->size = len;
	}
	return 0;
}

/*
 * A disk that was in an enclosure with other sectors looks empty: its table
 * counts in those. Only what libblkid recognises there counts.
 */
static int probe_other_sectors(int fd, struct blkid_table *table, struct device_info *info,
			       struct error *err)
{
	uint32_t other = info->sector_size == 512 ? 4096 : 512;
	char node[64];

	for (size_t i = 0; i < info->n_contents; i++)
		if (!info->contents[i].is_table)
			return 0;
	if (blkid_read_table(fd, other, table, err))
		return -1;
	for (size_t i = 0; i < table->n; i++) {
		const struct blkid_table_part *p = &table->part[i];

		if (p->is_extended || p->start == 0 || p->start >= info->size || p->size == 0)
			continue;
		partition_node(info, p->number, node, sizeof(node));
		if (blkid_probe_contents(fd, p->start, num_min(p->size, info->size - p->start),
					 node, info, err))
			return -1;
	}
	return 0;
}

static int probe_disk(int fd, struct device_info *info, struct error *err)
{
	auto_free struct blkid_table *table = malloc(sizeof(*table));

	if (!table)
		return error_set_nomem(err);
	if (blkid_probe_contents(fd, 0, 0, info->path, info, err))
		return -1;
	if (info->is_partition)
		return 0;
	if (blkid_read_table(fd, 0, table, err))
		return -1;
	copy_text(info->pt_uuid, sizeof(info->pt_uuid), table->uuid);
	for (size_t i = 0; i < table->n; i++)
		if (probe_partition(fd, &table->part[i], info, err))
			return -1;
	if (table->is_cut)
		device_add_content(info, "more", info->path);
	if (probe_other_sectors(fd, table, info, err))
		return -1;
	if (info->n_contents == 0 && is_blank(fd, 0, num_min(info->size, MIB)) == 0)
		device_add_content(info, "unknown", info->path);
	return 0;
}

/* udev writes what is no plain character as \xNN. */
static void decode_udev(char *s)
{
	char *out = s;

	while (*s) {
		unsigned int c;

		if (s[0] == '\\' && s[1] == 'x' && isxdigit((unsigned char)s[2]) &&
		    isxdigit((unsigned char)s[3]) && sscanf(s + 2, "%2x", &c) == 1 && c) {
			*out++ = (char)c;
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/* udev's record of one device; true if it names a table or a file system. */
static bool read_udev_record(const struct sysfs_part *part, struct device_info *info)
{
	char path[PATH_MAX], line[1024], node[64], type[32] = "", table[16] = "", label[128] = "",
						   version[16] = "";
	struct device_content *c;
	FILE *f;

	if (!sysfs_path(path, sizeof(path), "/run/udev/data/b%u:%u", major(part->rdev),
			minor(part->rdev)))
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "E:ID_FS_TYPE=", 13))
			copy_text(type, sizeof(type), line + 13);
		else if (!strncmp(line, "E:ID_FS_VERSION=", 16))
			copy_text(version, sizeof(version), line + 16);
		else if (!strncmp(line, "E:ID_FS_LABEL_ENC=", 18))
			copy_text(label, sizeof(label), line + 18);
		else if (!strncmp(line, "E:ID_PART_TABLE_TYPE=", 21))
			copy_text(table, sizeof(table), line + 21);
		else if (!strncmp(line, "E:ID_PART_TABLE_UUID=", 21))
			copy_text(info->pt_uuid, sizeof(info->pt_uuid), line + 21);
	}
	fclose(f);
	snprintf(node, sizeof(node), "/dev/%.58s", part->name);
	if (table[0] && part->start == 0 && (c = device_add_content(info, table, node)))
		c->is_table = true;
	if (type[0] && (c = device_add_content(info, type, node))) {
		decode_udev(label);
		copy_text(c->label, sizeof(c->label), label);
		copy_text(c->version, sizeof(c->version), version);
		c->start = part->start;
		c->size = part->start ? part->size : 0;
	}
	return type[0] || table[0];
}

static void read_udev(const struct sysfs_node *node, struct device_info *info)
{
	struct sysfs_parts parts;
	bool all_known = true;

	sysfs_list_parts(node, true, &parts);
	for (size_t i = 0; i < parts.n; i++)
		if (!read_udev_record(&parts.part[i], info))
			all_known = false;
	if (!all_known)
		device_add_content(info, "unreadable", info->path);
}

static void judge(struct device_info *info)
{
	bool on_iso = false;

	for (size_t i = 0; i < info->n_contents; i++)
		if (!strcmp(info->contents[i].type, "iso9660") && info->contents[i].start == 0)
			on_iso = true;
	for (size_t i = 0; i < info->n_contents; i++)
		info->contents[i].is_foreign = device_is_foreign(info->contents[i].type, on_iso);
}

struct mark_mount {
	struct device_info *info;
	const struct sysfs_parts *parts;
	const struct mount *mount;
};

/* Notes the mount point on what lies on dev; a file system that probing missed gets an entry. */
static void mark_mounted(void *ctx, dev_t dev)
{
	const struct mark_mount *mark = ctx;
	struct device_info *info = mark->info;
	struct device_content *c = NULL;
	char node[64];
	size_t i;

	for (i = 0; i < mark->parts->n && mark->parts->part[i].rdev != dev; i++)
		;
	if (i == mark->parts->n)
		return;
	snprintf(node, sizeof(node), "/dev/%.58s", mark->parts->part[i].name);
	for (size_t k = 0; k < info->n_contents && !c; k++)
		if (!info->contents[k].is_table && !strcmp(info->contents[k].node, node) &&
		    strcmp(info->contents[k].type, "unreadable") != 0)
			c = &info->contents[k];
	if (!c) {
		c = device_add_content(info, mark->mount->type, node);
		if (!c)
			return;
		c->start = mark->parts->part[i].start;
		c->size = c->start ? mark->parts->part[i].size : 0;
	}
	if (!c->mountpoint[0])
		copy_text(c->mountpoint, sizeof(c->mountpoint), mark->mount->point);
}

int device_read_contents(const struct sysfs_node *node, int fd, const struct device_world *w,
			 struct device_info *info, struct error *err)
{
	struct sysfs_parts parts;
	char path[32];
	auto_fd int rd = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd >= 0)
		rd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (rd >= 0) {
		if (probe_disk(rd, info, err)) {
			if (err->kind != ERROR_IO)
				return -1;
			/* A disk that cannot be read is refused like an unknown one. */
			memset(err, 0, sizeof(*err));
			device_add_content(info, "unreadable", info->path);
		}
	} else {
		read_udev(node, info);
	}
	sysfs_list_parts(node, true, &parts);
	for (size_t i = 0; i < w->mounts.n; i++) {
		struct mark_mount mark = { info, &parts, &w->mounts.list[i] };

		device_each_of_mount(&w->mounts.list[i], mark_mounted, &mark);
	}
	judge(info);
	return 0;
}

int device_read_file_contents(int fd, struct device_info *info, bool *ret_blank, struct error *err)
{
	uint64_t tail = num_min(info->size, MIB);
	auto_fd int rd = -1;
	char path[32];
	int head, end;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (rd < 0) {
		device_add_content(info, "unreadable", info->path);
		judge(info);
		*ret_blank = false;
		return 0;
	}
	if (info->size >= 1024 && probe_disk(rd, info, err))
		return -1;
	judge(info);
	head = is_blank(rd, 0, tail);
	end = is_blank(rd, info->size - tail, tail);
	*ret_blank = head > 0 && end > 0 && info->n_contents == 0;
	return 0;
}
