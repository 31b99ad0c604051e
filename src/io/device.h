/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a block device or file is, what is on it, and whether it may be
 * written: the safety rules of the man page, by their names. Reads sysfs,
 * mountinfo, swaps and (through blkid.c, fdisk.c) what the device holds.
 * Nothing here writes.
 */
#ifndef ISOWRITE_IO_DEVICE_H
#define ISOWRITE_IO_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* In the order in which they are checked and reported. */
enum device_rule {
	RULE_SYSTEM,
	RULE_SOURCE,
	RULE_READONLY,
	RULE_HELD,
	RULE_PROTECTED,
	RULE_MOUNTED,
	RULE_INTERNAL,
	RULE_CONTENTS,
	RULE_LARGE,
	RULE_PARTITION,
	RULE_FILE_IN_USE,
	N_DEVICE_RULES,
};

enum device_lift {
	LIFT_NEVER,
	LIFT_QUESTION, /* mounted: the question names the mount points; scripts --unmount */
	LIFT_TYPE_SIZE, /* contents: typing the size as shown; scripts --allow=contents */
	LIFT_ALLOW, /* --allow=RULE */
	LIFT_FILE_PREFIX, /* file:PATH */
};

const char *device_rule_name(enum device_rule rule); /* "system", "file-in-use" */
enum device_lift device_rule_lift(enum device_rule rule);
int device_rule_by_name(const char *name, enum device_rule *ret); /* -1 unknown */

struct device_refusal {
	enum device_rule rule;
	char why[256]; /* one escaped sentence without the path */
};

/* A file system, partition table or member signature found on it. */
struct device_content {
	char type[32]; /* "vfat", "ext4", "iso9660", "LVM2_member", "dos", "gpt" */
	char version[16]; /* blkid's VERSION where it says more than type: "FAT32"; "" if none */
	char label[128]; /* not escaped */
	char uuid[64];
	char mountpoint[256]; /* "" if not mounted; not escaped */
	char node[64]; /* "/dev/sdb1", or the device itself */
	uint64_t start, size; /* bytes on the disk; 0,0 = whole device */
	bool is_table; /* a partition table, not a volume */
	bool is_foreign; /* fires rule contents */
};

#define DEVICE_MAX_CONTENTS 64

struct device_info {
	char path[256]; /* canonical node: /dev/sdb; or the file's path as given */
	char by_id[256]; /* /dev/disk/by-id/..., "" if none */
	char vendor[64], model[96], serial[128], wwn[64]; /* trimmed, not escaped */
	char usb_port[64]; /* "1-4", "" if not USB */
	char transport[16]; /* "usb", "mmc", "sata", "nvme", "loop", "zram", "virtio", "file", ... */
	char pt_uuid[64];
	uint32_t usb_speed; /* Mbit/s as negotiated: 12, 480, 5000 ...; 0 unknown */
	uint64_t size; /* bytes */
	uint64_t diskseq; /* 0 where the kernel has none */
	uint32_t sector_size; /* logical */
	uint32_t max_request; /* bytes: the queue's max_sectors; 0 unknown */
	dev_t rdev;
	bool is_block, is_partition, is_virtual /* loop, zram */, is_file;
	bool file_exists; /* is_file only */
	bool removable, readonly;
	bool writable; /* no refusal */
	size_t n_contents;
	struct device_content contents[DEVICE_MAX_CONTENTS];
	size_t n_refused;
	struct device_refusal refused[N_DEVICE_RULES];
};

/*
 * Everything about one node. fd: O_PATH descriptor of the node or -1 to open
 * path. source_fd: descriptor of the image file for rule source, or -1.
 * A missing node is ERROR_USAGE; no permission to look at contents is noted in
 * contents (unknown), not an error.
 */
int device_examine(const char *path, int fd, int source_fd, struct device_info *ret,
		   struct error *err);

/*
 * Another file that is read for the job, beside source_fd: refuses the target at fd by rule
 * source if it is that file, or the file lives on it.
 */
int device_refuse_source(int fd, int source_fd, struct device_info *info, struct error *err);

/*
 * All disks of the machine. all: also those that can never be sticks (optical,
 * ram, empty ...) and virtual sticks (loop, zram), which are written only if
 * somebody names them. *ret is an array of *ret_n, freed by free().
 */
int device_list(bool all, struct device_info **ret, size_t *ret_n, struct error *err);

/*
 * Asks again what the kernel says about an open descriptor: 0 the same device,
 * else ERROR_IO with code "device-gone" (size 0, node gone) or
 * "device-replaced" (another diskseq or size). Used after every I/O error.
 */
int device_recheck(int fd, const struct device_info *info, struct error *err);

/*
 * "SanDisk Ultra, 32 GB (29.8 GiB), USB 3, port 1-4": escaped, for the identity block. bytes: the
 * size as a number of them.
 */
const char *device_describe(const struct device_info *info, bool bytes, char *buf, size_t buf_size);

/* "32 GB": what must be typed to lift rule contents. */
const char *device_size_word(const struct device_info *info, char *buf, size_t buf_size);

/* The never-list: /etc/isowrite/protected and the user's own. */
int device_protect(const char *path, char *ret_entry, size_t entry_size, struct error *err);
int device_unprotect(const char *path, struct error *err);

#endif
