/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of source share: the raw input that a SEQUENTIAL source reads,
 * and the codecs that it may pass through.
 *
 *	file or pipe -> struct source_input -> struct source_codec -> source_next()
 *	                     (file taps)                               (content taps)
 */
#ifndef ISOWRITE_IMAGE_SOURCE_INTERNAL_H
#define ISOWRITE_IMAGE_SOURCE_INTERNAL_H

#include <sys/stat.h>

#include "image/source.h"

#define SOURCE_NAME_SIZE 256

/* How a source is called in messages: its escaped path, or "standard input". Returns buf. */
const char *source_name(const struct source *src, char buf[SOURCE_NAME_SIZE]);

/* Remembers what source_check_unchanged() compares with. */
void source_set_stat(struct source *src, const struct stat *st);

bool source_is_cancelled(const struct source *src);
int source_set_cancelled(const struct source *src, struct error *err);

/* Asks whether to give up: true if so, else *ret_wait_ms says when to ask again (-1 never). */
bool source_poll(struct source *src, int *ret_wait_ms);

/* Readable once the source is cancelled; for poll(). */
int source_cancel_fd(const struct source *src);

/* Feeds bytes of the file as it is to its taps, in order. */
int source_feed_file_taps(struct source *src, const void *data, size_t len, struct error *err);

/* Exactly [off, off + len) of the file as it is: the read_at of plain files and devices. */
int source_file_read_at(struct source *src, uint64_t off, void *buf, size_t len, struct error *err);

/* The raw bytes of a file (pread) or a pipe (read), once, ascending, through one buffer. */
struct source_input {
	struct source *src;
	int fd; /* owned */
	bool is_seekable;
	bool is_ended;
	uint64_t offset; /* raw bytes read so far */
	uint8_t *buf;
	size_t pos, len; /* buf[pos..len) is not consumed yet */
};

int source_input_init(struct source_input *in, struct source *src, int fd, bool is_seekable,
		      struct error *err);
void source_input_done(struct source_input *in);

#define SOURCE_INPUT_MAX (256 * 1024)
#define SOURCE_INPUT_BACK 8 /* consumed bytes that stay: pos may be moved back by so many */

/*
 * Makes at least want bytes (at most SOURCE_INPUT_MAX) visible at buf + pos, fewer
 * only at the end of the input. len == pos means the end.
 */
int source_input_fill(struct source_input *in, size_t want, struct error *err);

/* Raw offset of the next byte that nobody consumed. */
static inline uint64_t source_input_tell(const struct source_input *in)
{
	return in->offset - (in->len - in->pos);
}

int source_input_rewind(struct source_input *in, struct error *err);

/* One compression format; a row of the table in source-stream.c. */
struct source_codec {
	const char *name; /* "gzip" */

	/* The library that this build lacks for it, and what decompresses it; else NULL. */
	const char *lacks, *command;

	/* Do these first bytes begin it? SOURCE_HEAD_BYTES of them, unless the file is shorter. */
	bool (*matches)(const uint8_t *head, size_t len);

	/* 1: the content size of this file, certain and cheap to know; 0: unknown. Or NULL. */
	int (*content_size)(int fd, uint64_t file_size, uint64_t *ret_size);

	/* A decoder at the first byte of in. */
	int (*start)(struct source_input *in, void **ret, struct error *err);

	/* As source_ops.next. */
	int (*next)(void *decoder, void *buf, size_t len, size_t *ret_len, struct error *err);

	void (*stop)(void *decoder); /* frees it */
};

/* What is looked at to find the codec: as far as an ISO 9660 volume tells itself. */
#define SOURCE_HEAD_BYTES (32768 + 6)

extern const struct source_codec source_codec_bzip2;
extern const struct source_codec source_codec_gzip;
extern const struct source_codec source_codec_lz4;
extern const struct source_codec source_codec_xz;
extern const struct source_codec source_codec_zip;
extern const struct source_codec source_codec_zstd;

/* The codec whose first bytes these are; NULL: none, or it is an ISO image whatever they are. */
const struct source_codec *source_find_codec(const uint8_t *head, size_t len);

/* The ways a compressed source goes wrong; all return -1. */
int source_set_truncated(const struct source_input *in, const char *format, struct error *err);
/* why: the library's words, or NULL. */
int source_set_corrupt(const struct source_input *in, const char *format, const char *why,
		       struct error *err);
int source_set_trailing(const struct source_input *in, const char *format, uint64_t off,
			struct error *err);
int source_set_unsupported(const struct source_input *in, const char *format, const char *what,
			   struct error *err);
/* This build has no decoder for it. */
int source_set_lacking(const struct source_input *in, const struct source_codec *codec,
		       struct error *err);
/* command: what decompresses it to standard output without this limit. */
int source_set_memory(const struct source_input *in, uint64_t limit, const char *command,
		      struct error *err);

/* The makers. They own fd from the call on, also on failure. */
int source_new_file(int fd, const char *path, const struct stat *st, struct source **ret,
		    struct error *err);
int source_new_stream(int fd, const char *path, const struct stat *st, bool is_seekable,
		      struct source **ret, struct error *err);

#endif
