/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the bytes of a device go when it is read into a file: ascending, each
 * once. A plain file gets holes for blocks of zeros; one that is compressed, and
 * standard output, get all of them. Compression is zstd on all processors, with the
 * content's size and a checksum in the frame, so that a reader knows how much
 * there must be and what is damaged.
 */
#ifndef ISOWRITE_IO_SINK_H
#define ISOWRITE_IO_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/outfile.h"

#define SINK_BLOCK 4096 /* bytes; the smallest hole */

struct sink_zstd;

struct sink {
	struct outfile *file; /* borrowed; NULL: standard output */
	int fd;
	bool is_pipe; /* fd can make us wait */
	const atomic_bool *cancelled;
	struct sink_zstd *zstd; /* NULL: plain */
	uint64_t size; /* bytes of content that will come */
	uint64_t pos; /* bytes of content that came */
	uint64_t raw; /* bytes behind them in the file or pipe */
	uint64_t started; /* bytes that the kernel was told to write back */
};

/*
 * file: NULL for standard output. size: of all that will be put. cancelled: asked while a
 * pipe makes us wait.
 */
int sink_init(struct sink *s, struct outfile *file, bool compress, uint64_t size,
	      const atomic_bool *cancelled, struct error *err);
void sink_done(struct sink *s);

/* The next len bytes; data NULL: zeros. */
int sink_put(struct sink *s, const void *data, size_t len, struct error *err);

/* Everything came: ends the frame, gives a sparse file its size. Nothing is flushed yet. */
int sink_finish(struct sink *s, struct error *err);

/* Until it is on the disk. */
int sink_flush(struct sink *s, struct error *err);

/*
 * Reads the content back from the file, decompressed, past the page cache where the file system
 * lets us, and feeds it to hash. on_progress returns true to cancel. Not for standard output.
 */
int sink_read_back(struct sink *s, struct hash *hash, bool (*on_progress)(void *ctx, uint64_t done),
		   void *ctx, struct error *err);

/* For sink-zstd.c: bytes as they are, behind those that were written. */
int sink_write_raw(struct sink *s, const void *data, size_t len, struct error *err);

/* The compressor (sink-zstd.c). */
int sink_zstd_new(uint64_t size, struct sink_zstd **ret, struct error *err);
int sink_zstd_put(struct sink *s, const void *data, size_t len, struct error *err);
int sink_zstd_finish(struct sink *s, struct error *err); /* all that was announced has come */
void sink_zstd_free(struct sink_zstd *z); /* NULL ok */

#endif
