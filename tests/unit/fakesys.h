/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fabricated trees of /sys, /proc, /run and /etc below a folder of their own,
 * for the tests of devices and rules: begin(), put what there is, disk(), end().
 */
#ifndef ISOWRITE_TESTS_FAKESYS_H
#define ISOWRITE_TESTS_FAKESYS_H

#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/device-internal.h"
#include "tap.h"

static char root[64];

static inline void make_parents(char *path)
{
	for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

__attribute__((format(printf, 2, 3))) static inline void put(const char *text, const char *fmt, ...)
{
	char path[PATH_MAX];
	size_t len = (size_t)snprintf(path, sizeof(path), "%s", root);
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(path + len, sizeof(path) - len, fmt, ap);
	va_end(ap);
	make_parents(path);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(2);
	}
	fputs(text, f);
	fclose(f);
}

/* target: absolute inside the tree. */
__attribute__((format(printf, 2, 3))) static inline void put_link(const char *target,
								  const char *fmt, ...)
{
	char path[PATH_MAX], full[PATH_MAX];
	size_t len = (size_t)snprintf(path, sizeof(path), "%s", root);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path + len, sizeof(path) - len, fmt, ap);
	va_end(ap);
	make_parents(path);
	snprintf(full, sizeof(full), "%s%s", root, target);
	if (symlink(full, path)) {
		perror(path);
		exit(2);
	}
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void begin(void)
{
	strcpy(root, "/tmp/isowrite-test.XXXXXX");
	if (!mkdtemp(root)) {
		perror(root);
		exit(2);
	}
	device_root = root;
	setenv("HOME", "/home/anna", 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("SUDO_UID");
	put("", "/proc/self/mountinfo");
	put("", "/sys/bus/keep");
	put("", "/sys/block/.keep");
}

static inline void end(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	device_root = "";
}

/* One disk (parent NULL) or partition: "devices/..." is where it lies below /sys. */
static inline void put_block(const char *dir, const char *name, const char *dev, uint64_t sectors,
			     const char *removable)
{
	char path[PATH_MAX], text[32];
	bool is_part = !removable;

	snprintf(path, sizeof(path), "/sys/devices/%s/%s", dir, name);
	snprintf(text, sizeof(text), "%s\n", dev);
	put(text, "%s/dev", path);
	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)sectors);
	put(text, "%s/size", path);
	put("0\n", "%s/ro", path);
	put_link(path, "/sys/dev/block/%s", dev);
	put_link(path, "/sys/class/block/%s", name);
	if (is_part) {
		put("1\n", "%s/partition", path);
		put("2048\n", "%s/start", path);
		return;
	}
	put(removable, "%s/removable", path);
	put("7\n", "%s/diskseq", path);
	put("512\n", "%s/queue/logical_block_size", path);
	put("120\n", "%s/queue/max_sectors_kb", path);
	put_link(path, "/sys/block/%s", name);
}

#define USB "pci0000:00/0000:00:14.0/usb1/1-4"
#define USB_DISK USB "/1-4:1.0/host6/target6:0:0/6:0:0:0"
#define SATA "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0"

static inline void put_usb_stick(const char *removable)
{
	put_block(USB_DISK "/block", "sdb", "8:16", 60000000, removable);
	put_block(USB_DISK "/block/sdb", "sdb1", "8:17", 59990000, NULL);
	put_link("/sys/devices/" USB_DISK, "/sys/devices/" USB_DISK "/block/sdb/device");
	put("SanDisk \n", "/sys/devices/" USB_DISK "/vendor");
	put("Ultra           \n", "/sys/devices/" USB_DISK "/model");
	put_link("/sys/bus/usb", "/sys/devices/" USB "/subsystem");
	put("0781\n", "/sys/devices/" USB "/idVendor");
	put("SanDisk\n", "/sys/devices/" USB "/manufacturer");
	put("\033[2JEvil\n", "/sys/devices/" USB "/serial");
	put("480\n", "/sys/devices/" USB "/speed");
	put("E:ID_PART_TABLE_TYPE=dos\nE:ID_PART_TABLE_UUID=c0ffee00\n", "/run/udev/data/b8:16");
	put("E:ID_FS_TYPE=vfat\nE:ID_FS_VERSION=FAT32\nE:ID_FS_LABEL_ENC=MY\\x20KEY\n",
	    "/run/udev/data/b8:17");
}

static inline void put_sata(void)
{
	put_block(SATA "/block", "sda", "8:0", 1000000, "0\n");
	put_block(SATA "/block/sda", "sda1", "8:1", 500000, NULL);
	put_block(SATA "/block/sda", "sda2", "8:2", 400000, NULL);
	put_link("/sys/devices/" SATA, "/sys/devices/" SATA "/block/sda/device");
	put("ATA     \n", "/sys/devices/" SATA "/vendor");
	put("Samsung SSD 870 \n", "/sys/devices/" SATA "/model");
	put("naa.5002538f00000001\n", "/sys/devices/" SATA "/wwid");
}

/* The list as devices --all sees it; exits when it cannot be made. */
static inline struct device_info *list(size_t *n)
{
	struct device_info *l = NULL;
	struct error err = ERROR_INIT;

	if (device_list(true, &l, n, &err)) {
		printf("# %s\n", err.msg);
		exit(2);
	}
	return l;
}

static inline const char *why(const struct device_info *info, enum device_rule rule)
{
	for (size_t i = 0; i < info->n_refused; i++)
		if (info->refused[i].rule == rule)
			return info->refused[i].why;
	return "";
}

/* Examines the disk of that name in the present tree. */
static inline struct device_info *disk(const char *name)
{
	struct device_info *l, *found = calloc(1, sizeof(*found));
	char path[80];
	size_t n;

	snprintf(path, sizeof(path), "/dev/%s", name);
	l = list(&n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(l[i].path, path))
			*found = l[i];
	free(l);
	if (!found->path[0]) {
		printf("# no %s\n", path);
		tap_test_failed = 1;
	}
	return found;
}

/* A btrfs has an anonymous number, and its second disk is named nowhere but in /sys/fs. */
static inline void put_btrfs_pair(void)
{
	put_usb_stick("1\n");
	put_sata();
	put_link("/sys/devices/" SATA "/block/sda/sda1", "/sys/fs/btrfs/uuid-1/devices/sda1");
	put_link("/sys/devices/" USB_DISK "/block/sdb/sdb1", "/sys/fs/btrfs/uuid-1/devices/sdb1");
}

#endif
