/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a plan goes: a whole block device, or a regular file as a virtual
 * stick. Opened in two steps, so that everything before the confirmation is
 * free of side effects:
 *
 *   target_look   O_PATH, identity, contents, safety rules
 *   (question)
 *   target_open   unmount, reopen through the descriptor with
 *                 O_EXCL|O_DIRECT, compare rdev, diskseq, size, flock
 */
#ifndef ISOWRITE_IO_TARGET_H
#define ISOWRITE_IO_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/device.h"
#include "plan/plan.h"

struct target;

struct target_ops {
	const char *name; /* "block", "file" */

	/* Second step. Sets fd, fd_buffered, is_direct. */
	int (*open)(struct target *t, struct error *err);

	/* Makes everything written so far durable: fdatasync, checked. */
	int (*flush)(struct target *t, struct error *err);

	/*
	 * Before reading back: makes sure that the page cache cannot answer (O_DIRECT: nothing
	 * to do; else POSIX_FADV_DONTNEED).
	 */
	int (*drop_cache)(struct target *t, struct error *err);

	/* Is it still the same device? ERROR_IO "device-gone" or "device-replaced". */
	int (*recheck)(struct target *t, struct error *err);

	/* Releases lock and descriptors; re-reads the table if it was written. Checked. */
	int (*close)(struct target *t, struct error *err);
};

struct target {
	const struct target_ops *ops;
	char *path; /* as the user gave it, without "file:" */
	bool is_forced_file; /* was "file:PATH" */
	struct device_info info;
	struct geometry geo;
	int path_fd; /* O_PATH, from target_look to the end; -1: a file that is not there yet */
	int fd; /* O_DIRECT where is_direct */
	int fd_buffered; /* files: for an unaligned tail; block devices: -1 */
	int lock_fd; /* whole disk, flock LOCK_EX */
	bool is_direct; /* fd is O_DIRECT: reads do not come from the device's page cache */

	/*
	 * A loop device over a buffered file: whatever fd is, the host's page cache may answer,
	 * so a read-back is "read back from the file" (METHOD_FILE), as for regular files.
	 */
	bool is_host_cached;
	bool was_written; /* set by whoever wrote to it */
	struct error warning; /* by target_close: not fatal; ERROR_NONE if there is none */
};

/*
 * First step. image_fd: the image's descriptor for rule source and for "the
 * arguments look swapped", or -1. new_size: for "file:PATH" that does not
 * exist, the size to create (0: unknown yet, set geo.size before target_open).
 * Refusals are in t->info, not errors. Caller frees by target_free.
 */
int target_look(const char *path, int image_fd, uint64_t new_size, struct target **ret,
		struct error *err);
void target_free(struct target *t); /* NULL ok; closes quietly what is still open */

/* Same device or file, through whatever name; also a disk and a partition of it. */
bool target_is_same(const struct target *a, const struct target *b);

/* Is path the target itself (or to be), or on a file system of the target's disk? */
bool target_would_lose(const struct target *t, const char *path);

/*
 * Do owner and mode of the node let this process write? Asked before the
 * question. ERROR_REFUSED "permission": "it belongs to root:disk, you are anna".
 */
int target_check_access(const struct target *t, struct error *err);

/* Unmounts every mount of it (rule mounted was lifted). Names what it could not unmount. */
int target_unmount(struct target *t, struct error *err);

/*
 * Second step, for `check`: read-only, uncached where it can be, without a
 * claim, a lock or an unmount; then target_read(), target_close().
 */
int target_open_read(struct target *t, struct error *err);

/*
 * For `read`: path is what is read, a block device (discs too) or a regular file; then
 * target_open_source(), target_free(). Rules and blankness are of no concern.
 */
int target_look_source(const char *path, struct target **ret, struct error *err);

/*
 * Read-only, uncached where it can be. With a claim, so that nobody mounts or
 * writes it meanwhile, unless it is in use already: *ret_is_shared. was_unmounted: a claim is
 * waited for, as an unmount may not be over. What mounted file systems hold back is written to
 * it first.
 */
int target_open_source(struct target *t, bool was_unmounted, bool *ret_is_shared,
		       struct error *err);

/* To be compared by target_was_written(): was anything written to it since? */
struct target_stamp {
	uint64_t sectors; /* block devices: written since it was plugged in */
	int64_t mtime[2], ctime[2]; /* files */
	uint64_t size;
};

void target_take_stamp(const struct target *t, struct target_stamp *ret);
bool target_was_written(const struct target *t, const struct target_stamp *since);

/* Exactly len bytes at off; buf from io_aligned_alloc, off and len multiples of geo.io_align. */
int target_read(struct target *t, uint64_t off, void *buf, size_t len, struct error *err);

/*
 * Second step; EBUSY is retried for 5 s, then the holder is named: ERROR_REFUSED
 * "held". "device-gone" and "device-replaced" if it is not what was looked at.
 */
int target_open(struct target *t, struct error *err);
int target_close(struct target *t, struct error *err);

#endif
