/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the device-*.c files share: sysfs look-ups, the walk down to the disks
 * that something lives on, and the state of the machine they all read once.
 */
#ifndef ISOWRITE_IO_DEVICE_INTERNAL_H
#define ISOWRITE_IO_DEVICE_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "io/device.h"
#include "io/mounts.h"

/* Put before /sys, /proc, /dev, /etc and /run: "" but for tests with a fabricated tree. */
extern const char *device_root;

/* A block device in sysfs. */
struct sysfs_node {
	char dir[PATH_MAX]; /* real path of its directory */
	char disk_dir[PATH_MAX]; /* of the whole disk; equal to dir unless is_partition */
	char name[64], disk_name[64]; /* "sdb1", "sdb" */
	dev_t rdev, disk_rdev;
	bool is_partition;
};

/* The whole disk and its partitions. The kernel has at most 256 of them (DISK_MAX_PARTS). */
struct sysfs_part {
	dev_t rdev;
	char name[64];
	uint64_t start, size; /* bytes on the disk */
};

#define SYSFS_MAX_PARTS 257

struct sysfs_parts {
	size_t n;
	struct sysfs_part part[SYSFS_MAX_PARTS];
};

/* -1: the kernel has no such device. */
int sysfs_find(dev_t rdev, struct sysfs_node *ret);
/* /dev/sdb, /dev/mapper/x or any link to them: the device number, or 0. */
dev_t sysfs_devno(const char *dev_path);
/* First line of an attribute without surrounding blanks: its length, or -1. */
int sysfs_read(const char *dir, const char *attr, char *buf, size_t buf_size);
uint64_t sysfs_read_u64(const char *dir, const char *attr); /* 0 if absent */
/* The device number in the "dev" attribute of a directory, or 0. */
dev_t sysfs_read_dev(const char *dir);
/* only_self: of a partition just itself; else always the disk and all partitions. */
void sysfs_list_parts(const struct sysfs_node *node, bool only_self, struct sysfs_parts *ret);
/* Calls fn for each name in root/dir but dot files, until it returns true; says whether one did. */
bool sysfs_each(const char *dir, bool (*fn)(void *ctx, const char *dir, const char *name),
		void *ctx);
/* "ROOT/a/b" cut never: false when too long. */
bool sysfs_path(char *buf, size_t buf_size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* vendor, model, serial, wwn, port, transport, size and the other facts of sysfs. */
void device_read_identity(const struct sysfs_node *node, struct device_info *info);

/* Device numbers that something lives on, each with what that is. */
struct device_set {
	struct device_set_item {
		dev_t dev;
		char why[128]; /* a mount point, or "swap"; not escaped */
	} *items;
	size_t n, cap;
	bool failed; /* out of memory */
};

/* What the whole machine looks like: read once, used for every device. */
struct device_world {
	struct mounts mounts; /* this process's */
	struct mounts init_mounts; /* process 1's, as far as they may be read */
	struct swaps swaps;
	struct device_set system;
};

int device_world_read(struct device_world *ret, struct error *err);
void device_world_done(struct device_world *w);

/* Everything that the file behind fd lives on. */
int device_set_add_fd(struct device_set *set, const struct device_world *w, int fd,
		      struct error *err);
void device_set_done(struct device_set *set);
const struct device_set_item *device_set_find(const struct device_set *set, dev_t dev);

/* Calls fn for each block device that a mount directly uses (all members of a btrfs). */
void device_each_of_mount(const struct mount *m, void (*fn)(void *ctx, dev_t dev), void *ctx);

/* A loop device's backing file, as the kernel knows it. */
struct loop_backing {
	char path[PATH_MAX]; /* may be stale or end in " (deleted)" */
	bool has_inode;
	dev_t dev; /* of its file system */
	ino_t ino;
	dev_t rdev; /* it is itself a block device, else 0 */
	bool is_direct;
};
int device_loop_backing(const char *loop_name, struct loop_backing *ret);

/* Fills contents from the device or file; mount points too. */
int device_read_contents(const struct sysfs_node *node, int fd, const struct device_world *w,
			 struct device_info *info, struct error *err);
/* The same for a regular file; blank: zeros in its first and last MiB and nothing recognised. */
int device_read_file_contents(int fd, struct device_info *info, bool *ret_blank,
			      struct error *err);
/* Adds an entry, or NULL when full: then the last one says so and is foreign. */
struct device_content *device_add_content(struct device_info *info, const char *type,
					  const char *node);
/* Does the type fire rule contents? on_iso: the disk holds an ISO 9660 file system. */
bool device_is_foreign(const char *type, bool on_iso);

/* Adds a refusal once per rule; why is escaped already. */
void device_refuse(struct device_info *info, enum device_rule rule, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool device_has_refusal(const struct device_info *info, enum device_rule rule);
void device_lift_refusal(struct device_info *info, enum device_rule rule);

int device_check_rules(const struct sysfs_node *node, const struct device_world *w, int source_fd,
		       struct device_info *info, struct error *err);
int device_check_source(const struct sysfs_node *node, const struct device_world *w, int source_fd,
			struct device_info *info, struct error *err);
int device_check_file_rules(int fd, const struct device_world *w, int source_fd,
			    struct device_info *info, struct error *err);

enum device_protection {
	PROTECTION_NONE,
	PROTECTION_LISTED,
	PROTECTION_UNKNOWN, /* the machine's list cannot be read */
};

/* Is it on the never-list? ret_list: the file that says so. */
enum device_protection device_find_protection(const struct device_info *info, char *ret_list,
					      size_t list_size);

/*
 * Which other program has one of the devices open: "dd (process 123)", or ""
 * when there is none or it cannot be told. writers: only for writing.
 */
const char *device_find_opener(const struct sysfs_parts *parts, bool writers, char *buf,
			       size_t buf_size);

#endif
