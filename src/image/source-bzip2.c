// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * bzip2 by libbz2, which checks each block's CRC and each stream's. Streams may be
 * concatenated, as lbzip2 and pbzip2 write them. The library knows nothing of what
 * lies behind a stream, so that is looked at here.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_BZIP2
#include <bzlib.h>
#endif

#include "base/num.h"
#include "image/source-internal.h"

#define BZIP2_MAGIC_SIZE 4 /* "BZh" and the size of its blocks, '1' to '9' */
#define BZIP2_MAX_EMPTY \
	4096 /* streams without content in a row: each costs as much as a real one */

static bool bzip2_matches(const uint8_t *head, size_t len)
{
	return len >= BZIP2_MAGIC_SIZE && !memcmp(head, "BZh", 3) && head[3] >= '1' &&
	       head[3] <= '9';
}

#ifdef HAVE_BZIP2

struct bzip2 {
	struct source_input *in;
	bz_stream z;
	unsigned int n_empty; /* streams without content, in a row */
	bool is_in_stream;    /* z is in use */
	bool is_ended;
};

static int start_stream(struct bzip2 *b, struct error *err)
{
	memset(&b->z, 0, sizeof(b->z));
	if (BZ2_bzDecompressInit(&b->z, 0, 0) != BZ_OK)
		return error_set_nomem(err);
	b->is_in_stream = true;
	return 0;
}

static int bzip2_start(struct source_input *in, void **ret, struct error *err)
{
	struct bzip2 *b = calloc(1, sizeof(*b));

	if (!b)
		return error_set_nomem(err);
	b->in = in;
	if (start_stream(b, err) < 0) {
		free(b);
		return -1;
	}
	*ret = b;
	return 0;
}

static void bzip2_stop(void *decoder)
{
	struct bzip2 *b = decoder;

	if (b->is_in_stream)
		BZ2_bzDecompressEnd(&b->z);
	free(b);
}

/* Behind a stream: another one, or the end. */
static int next_stream(struct bzip2 *b, struct error *err)
{
	struct source_input *in = b->in;

	if (source_input_fill(in, BZIP2_MAGIC_SIZE, err) < 0)
		return -1;
	if (in->pos == in->len) {
		b->is_ended = true;
		return 0;
	}
	if (!bzip2_matches(in->buf + in->pos, in->len - in->pos))
		return source_set_trailing(in, "bzip2", source_input_tell(in), err);
	return start_stream(b, err);
}

static int end_stream(struct bzip2 *b, struct error *err)
{
	bool is_empty = b->z.total_out_lo32 == 0 && b->z.total_out_hi32 == 0;

	BZ2_bzDecompressEnd(&b->z);
	b->is_in_stream = false;
	b->n_empty = is_empty ? b->n_empty + 1 : 0;
	if (b->n_empty > BZIP2_MAX_EMPTY)
		return source_set_corrupt(b->in, "bzip2", _("nothing but empty streams"), err);
	return 0;
}

/* Puts content into out, *ret_len bytes. */
static int decode(struct bzip2 *b, void *out, size_t len, size_t *ret_len, struct error *err)
{
	struct source_input *in = b->in;
	unsigned int room = (unsigned int)num_min(len, UINT_MAX), given;
	int rc;

	if (source_input_fill(in, 1, err) < 0)
		return -1;
	b->z.next_in = (char *)in->buf + in->pos;
	b->z.avail_in = given = (unsigned int)(in->len - in->pos);
	b->z.next_out = out;
	b->z.avail_out = room;
	rc = BZ2_bzDecompress(&b->z);
	in->pos = in->len - b->z.avail_in;
	*ret_len = room - b->z.avail_out;
	switch (rc) {
	case BZ_OK:
		if (given == 0 && *ret_len == 0)
			return source_set_truncated(in, "bzip2", err);
		return 0;
	case BZ_STREAM_END:
		return end_stream(b, err);
	case BZ_MEM_ERROR:
		return error_set_nomem(err);
	default:
		return source_set_corrupt(in, "bzip2", NULL, err);
	}
}

static int bzip2_next(void *decoder, void *buf, size_t len, size_t *ret_len, struct error *err)
{
	struct bzip2 *b = decoder;
	size_t done = 0;

	/* Each round consumes input or produces output, else it is truncated. */
	while (done == 0 && len > 0 && !b->is_ended)
		if ((b->is_in_stream ? decode(b, buf, len, &done, err) : next_stream(b, err)) < 0)
			return -1;
	*ret_len = done;
	return 0;
}

#endif

const struct source_codec source_codec_bzip2 = {
	.name = "bzip2",
	.matches = bzip2_matches,
#ifdef HAVE_BZIP2
	.start = bzip2_start,
	.next = bzip2_next,
	.stop = bzip2_stop,
#else
	.lacks = "libbz2",
	.command = "bzip2 -dc",
#endif
};
