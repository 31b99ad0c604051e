/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Descriptor I/O that continues after short transfers and EINTR, and aligned memory. */
#ifndef ISOWRITE_BASE_IO_H
#define ISOWRITE_BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads up to len bytes at off; stops early only at the end of the file.
 * Returns the bytes read, or -1 with errno.
 */
ssize_t io_pread_full(int fd, void *buf, size_t len, uint64_t off);

/* The same from a stream's current position. */
ssize_t io_read_full(int fd, void *buf, size_t len);

/*
 * Writes len bytes at off. Returns len, or fewer when the target stopped
 * taking bytes (errno says why; a write of 0 bytes gives ENOSPC), or -1 when
 * nothing was written.
 */
ssize_t io_pwrite_full(int fd, const void *buf, size_t len, uint64_t off);

/* Page-aligned zeroed memory of len bytes (rounded up), or NULL. Free by io_aligned_free. */
void *io_aligned_alloc(size_t len);
void io_aligned_free(void *p, size_t len);

#endif
