// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * xz (The .xz File Format 1.1.0) by liblzma's threaded decoder, which decodes
 * several blocks at once where their headers tell the sizes (xz -T0 writes them)
 * and is the plain decoder otherwise. Streams may be concatenated, with Stream
 * Padding (2.2) between and behind them; this is done here and not by
 * LZMA_CONCATENATED, so that damage and trailing garbage are told apart.
 */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "image/source-internal.h"

#define XZ_MAGIC_SIZE 6
#define XZ_MAX_THREADS 8
#define XZ_THREADING_MEMORY GIB /* at most; fewer threads are used rather than more memory */
#define XZ_MEMORY GIB           /* what one thread may need */
/* Hundreds of thousands of blocks. Joining Streams takes quadratic time: 4 MiB are a second. */
#define XZ_INDEX_MEMORY (4 * MIB)
#define XZ_INDEX_READS 1024 /* reads of INDEX_BUFFER to learn the size */
#define INDEX_BUFFER (64 * KIB)
#define XZ_MAX_EMPTY 4096 /* Streams without content in a row: each costs as much as a real one */

struct xz {
	struct source_input *in;
	lzma_stream z;
	unsigned int n_empty; /* Streams without content, in a row */
	bool is_in_stream;
	bool is_ended;
};

static bool xz_matches(const uint8_t *head, size_t len)
{
	return len >= XZ_MAGIC_SIZE && !memcmp(head,
					       "\xfd"
					       "7zXZ",
					       XZ_MAGIC_SIZE);
}

/* Opens z for one Stream; z may have been used for another one before. */
static int start_stream(struct xz *x, struct error *err)
{
	uint64_t quarter = lzma_physmem() / 4; /* 0 if unknown */
	uint32_t cpus = lzma_cputhreads();
	lzma_mt mt = {
		.flags = LZMA_TELL_UNSUPPORTED_CHECK,
		.threads = cpus < 1                ? 1
			   : cpus > XZ_MAX_THREADS ? XZ_MAX_THREADS
						   : cpus,
		.memlimit_threading =
			quarter ? num_min(quarter, XZ_THREADING_MEMORY) : XZ_THREADING_MEMORY / 4,
		.memlimit_stop = XZ_MEMORY,
	};

	if (lzma_stream_decoder_mt(&x->z, &mt) != LZMA_OK)
		return error_set_nomem(err);
	x->is_in_stream = true;
	return 0;
}

static int xz_start(struct source_input *in, void **ret, struct error *err)
{
	struct xz *x = calloc(1, sizeof(*x));

	if (!x)
		return error_set_nomem(err);
	x->in = in;
	x->z = (lzma_stream)LZMA_STREAM_INIT;
	if (start_stream(x, err) < 0) {
		free(x);
		return -1;
	}
	*ret = x;
	return 0;
}

static void xz_stop(void *decoder)
{
	struct xz *x = decoder;

	lzma_end(&x->z);
	free(x);
}

/* Behind a Stream: Stream Padding (zeros, in fours), then another one or the end. */
static int next_stream(struct xz *x, struct error *err)
{
	struct source_input *in = x->in;
	uint64_t start = source_input_tell(in);

	/* Ends with the input, of which every round consumes some. */
	for (;;) {
		if (source_input_fill(in, XZ_MAGIC_SIZE, err) < 0)
			return -1;
		if (in->pos == in->len || in->buf[in->pos] != 0)
			break;
		in->pos++;
	}
	if ((source_input_tell(in) - start) % 4 != 0)
		return source_set_trailing(in, "xz", start, err);
	if (in->pos == in->len) {
		x->is_ended = true;
		return 0;
	}
	if (!xz_matches(in->buf + in->pos, in->len - in->pos))
		return source_set_trailing(in, "xz", source_input_tell(in), err);
	return start_stream(x, err);
}

static int set_failed(struct xz *x, lzma_ret rc, struct error *err)
{
	switch (rc) {
	case LZMA_MEM_ERROR:
		return error_set_nomem(err);
	case LZMA_MEMLIMIT_ERROR:
		return source_set_memory(x->in, XZ_MEMORY, "xz -dc", err);
	case LZMA_UNSUPPORTED_CHECK:
		return source_set_unsupported(x->in, "xz", "its integrity check", err);
	case LZMA_OPTIONS_ERROR:
		return source_set_unsupported(x->in, "xz", "a filter or option", err);
	case LZMA_BUF_ERROR: /* no progress: there was no more input */
		return source_set_truncated(x->in, "xz", err);
	default:
		return source_set_corrupt(x->in, "xz", NULL, err);
	}
}

static int decode(struct xz *x, struct error *err)
{
	struct source_input *in = x->in;
	lzma_ret rc;

	if (source_input_fill(in, 1, err) < 0)
		return -1;
	x->z.next_in = in->buf + in->pos;
	x->z.avail_in = in->len - in->pos;
	rc = lzma_code(&x->z, in->is_ended ? LZMA_FINISH : LZMA_RUN);
	in->pos = in->len - x->z.avail_in;
	if (rc == LZMA_OK)
		return 0;
	if (rc != LZMA_STREAM_END)
		return set_failed(x, rc, err);
	x->is_in_stream = false;
	x->n_empty = x->z.total_out == 0 ? x->n_empty + 1 : 0;
	if (x->n_empty > XZ_MAX_EMPTY)
		return source_set_corrupt(in, "xz", _("nothing but empty streams"), err);
	return 0;
}

static int xz_next(void *decoder, void *buf, size_t len, size_t *ret_len, struct error *err)
{
	struct xz *x = decoder;

	x->z.next_out = buf;
	x->z.avail_out = len;
	/* Each round consumes input or produces output, else liblzma says LZMA_BUF_ERROR. */
	while (x->z.avail_out == len && len > 0 && !x->is_ended)
		if ((x->is_in_stream ? decode(x, err) : next_stream(x, err)) < 0)
			return -1;
	*ret_len = len - x->z.avail_out;
	return 0;
}

/* The sum of the indexes, which the decoder checks against every block later. */
static int xz_content_size(int fd, uint64_t file_size, uint64_t *ret_size)
{
	auto_free uint8_t *buf = malloc(INDEX_BUFFER);
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_index *index = NULL;
	uint64_t off = 0;
	int found = 0;

	if (!buf || lzma_file_info_decoder(&z, &index, XZ_INDEX_MEMORY, file_size) != LZMA_OK)
		return 0;
	for (unsigned int reads = 0; reads < XZ_INDEX_READS;) {
		lzma_ret rc;

		if (z.avail_in == 0) {
			ssize_t n = io_pread_full(fd, buf, INDEX_BUFFER, off);

			if (n <= 0)
				break;
			reads++;
			off += (uint64_t)n;
			z.next_in = buf;
			z.avail_in = (size_t)n;
		}
		rc = lzma_code(&z, LZMA_RUN);
		if (rc == LZMA_SEEK_NEEDED) {
			off = z.seek_pos;
			z.avail_in = 0;
		} else if (rc != LZMA_OK) {
			found = rc == LZMA_STREAM_END;
			break;
		}
	}
	if (found)
		*ret_size = lzma_index_uncompressed_size(index);
	lzma_index_end(index, NULL);
	lzma_end(&z);
	return found;
}

const struct source_codec source_codec_xz = {
	.name = "xz",
	.matches = xz_matches,
	.content_size = xz_content_size,
	.start = xz_start,
	.next = xz_next,
	.stop = xz_stop,
};
