/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where image bytes come from. A source is RANDOM (a plain file or device:
 * any offset, any thread) or SEQUENTIAL (a pipe, or anything compressed: once,
 * ascending, one thread). Format and compression are told by content.
 *
 * A compressed *file* can be read again from its start (source_rewind), a
 * pipe cannot. The digests of the file as it is and of its content are the
 * source's knowledge, because only it sees both.
 */
#ifndef ISOWRITE_IMAGE_SOURCE_H
#define ISOWRITE_IMAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

enum source_access {
	SOURCE_RANDOM,
	SOURCE_SEQUENTIAL,
};

#define SOURCE_SIZE_UNKNOWN UINT64_MAX
#define SOURCE_HEAD_SIZE (UINT64_C(1) << 20) /* what source_peek can see of a SEQUENTIAL source */

struct source;
struct source_common; /* what source.c keeps about every source: head, taps, cancellation */

struct source_ops {
	const char *name; /* "file", "device", "pipe", "compressed"; for debugging */

	/* RANDOM: exactly len bytes at off; thread-safe. NULL when SEQUENTIAL. */
	int (*read_at)(struct source *src, uint64_t off, void *buf, size_t len, struct error *err);

	/*
	 * SEQUENTIAL: up to len bytes; *ret_len == 0 only at the verified end (CRCs and
	 * end markers checked, no trailing garbage). NULL when RANDOM.
	 */
	int (*next)(struct source *src, void *buf, size_t len, size_t *ret_len, struct error *err);

	/*
	 * Extent of data at or after off in a sparse file: *ret_off >= off, *ret_len bytes;
	 * *ret_off == size at the end. NULL: everything is data.
	 */
	int (*next_data)(struct source *src, uint64_t off, uint64_t *ret_off, uint64_t *ret_len,
			 struct error *err);

	/* Back to the first byte; NULL when impossible (a pipe). */
	int (*rewind)(struct source *src, struct error *err);

	void (*close)(struct source *src); /* frees the ops' own part */
};

struct source {
	const struct source_ops *ops;
	enum source_access access;
	uint64_t size; /* content bytes; SOURCE_SIZE_UNKNOWN until the end was seen */
	uint64_t file_size; /* bytes of the file as it is; SOURCE_SIZE_UNKNOWN for a pipe */
	char *path; /* as the user wrote it (not escaped) */
	const char *compression; /* "none", "gzip", "xz", "zstd", "bzip2", "lz4", "zip" */
	bool is_block_device;
	uint32_t sector_size; /* of a block device, else 512 */
	int fd; /* the file's descriptor, -1 where there is none; for identity (fstat) only */
	void *priv; /* of the ops */
	struct source_common *common;
};

/*
 * A source with ops of one's own (close may be NULL): size and file_size unknown,
 * compression "none", 512-byte sectors, fd -1, no path; the caller fills in what it
 * knows. NULL when out of memory; priv is then still the caller's.
 */
struct source *source_new(const struct source_ops *ops, enum source_access access, void *priv);

/*
 * Opens path ("-": standard input) for reading and recognises compression. A
 * directory, an empty file, no permission, a missing file are ERROR_IMAGE,
 * ERROR_IMAGE, ERROR_REFUSED and ERROR_USAGE. A regular file on standard input
 * is treated like a named file, unless somebody has read from it already: then it is a
 * stream. A block device is never decompressed. Caller frees by source_free.
 */
int source_open(const char *path, struct source **ret, struct error *err);
void source_free(struct source *src); /* NULL ok */

int source_read_at(struct source *src, uint64_t off, void *buf, size_t len, struct error *err);

/* Fills buf completely unless the end comes first; *ret_len < len only at the end. */
int source_next(struct source *src, void *buf, size_t len, size_t *ret_len, struct error *err);

/*
 * Reads at off without consuming. RANDOM: anywhere; SEQUENTIAL: the first
 * SOURCE_HEAD_SIZE bytes, before or after they were consumed. *ret_len may be
 * shorter than len (end of the source, or of what can be seen).
 */
int source_peek(struct source *src, uint64_t off, void *buf, size_t len, size_t *ret_len,
		struct error *err);

int source_next_data(struct source *src, uint64_t off, uint64_t *ret_off, uint64_t *ret_len,
		     struct error *err);

bool source_can_rewind(const struct source *src);
int source_rewind(struct source *src, struct error *err);

/*
 * ERROR_IMAGE "source-changed" unless size, mtime and ctime of the file are
 * what they were at source_open(). Pipes and devices: no check.
 */
int source_check_unchanged(struct source *src, struct error *err);

/*
 * Makes a blocked or later source_next() of another thread fail with
 * ERROR_CANCELLED. Async-signal-unsafe, callable from any thread.
 */
void source_cancel(struct source *src);

/*
 * While it is set, whoever waits for a pipe's bytes asks it several times a second, and after
 * each signal, whether to give up: for the time when source_next() and source_peek() are called
 * by the thread that may answer. NULL: nobody is asked.
 */
void source_set_poll(struct source *src, bool (*is_cancelled)(void *ctx), void *ctx);

/*
 * Who sees each piece of a SEQUENTIAL source's content as source_next() gives it out, on that
 * thread and in order; after source_rewind() from 0 again. len 0: the content has ended at off.
 * -1 (with err) makes the source fail. NULL: nobody.
 */
void source_set_watch(struct source *src,
		      int (*watch)(void *ctx, uint64_t off, const void *data, size_t len,
				   struct error *err),
		      void *ctx);

/*
 * Asks a SEQUENTIAL source to compute digests while it is consumed by
 * source_next(): of the file's own bytes (as_file) or of its content. Call
 * before the first source_next() (source_peek() may have come before). Each
 * (as_file, alg) once. source_rewind() keeps the taps and starts them anew. For
 * a RANDOM source the job reads it through instead (source_digest_file).
 */
int source_tap(struct source *src, bool as_file, const char *alg, struct error *err);

/* The tapped digest; valid once source_next() has said the end. -1 if not tapped. */
int source_tapped(struct source *src, bool as_file, const char *alg, struct digest *ret);

#define SOURCE_MAX_DIGESTS 12 /* as many as there are algorithms */

/*
 * Digests of the file's own bytes (not decompressed), read through once now, a thread for
 * each: ret[i] by algs[i], canonical names. Files only (fd >= 0 and seekable). on_progress may
 * be NULL; it returns true to cancel, and is called by the caller's thread.
 */
int source_digest_file(struct source *src, const char *const *algs, size_t n_algs,
		       bool (*on_progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
		       struct digest *ret, struct error *err);

#endif
