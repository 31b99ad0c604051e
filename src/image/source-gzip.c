// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * gzip (RFC 1952) by zlib, which checks each member's CRC32 and length.
 * Members may be concatenated (RFC 1952 2.2). Zeros behind the last one are
 * accepted, as gzip(1) does: tapes and block devices pad with them. Anything
 * else there is an error.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/num.h"
#include "image/source-internal.h"

struct gzip {
	struct source_input *in;
	z_stream z;
	bool is_in_member;
	bool is_ended;
};

static bool gzip_matches(const uint8_t *head, size_t len)
{
	return len >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == Z_DEFLATED;
}

static int gzip_start(struct source_input *in, void **ret, struct error *err)
{
	struct gzip *g = calloc(1, sizeof(*g));

	/* 16: gzip only, no zlib headers. */
	if (!g || inflateInit2(&g->z, MAX_WBITS + 16) != Z_OK) {
		free(g);
		return error_set_nomem(err);
	}
	g->in = in;
	g->is_in_member = true;
	*ret = g;
	return 0;
}

static void gzip_stop(void *decoder)
{
	struct gzip *g = decoder;

	inflateEnd(&g->z);
	free(g);
}

/* Behind a member: another one, zeros to the end, or the end. */
static int next_member(struct gzip *g, struct error *err)
{
	struct source_input *in = g->in;

	if (source_input_fill(in, 3, err) < 0)
		return -1;
	if (gzip_matches(in->buf + in->pos, in->len - in->pos)) {
		inflateReset(&g->z);
		g->is_in_member = true;
		return 0;
	}
	/* Ends with the input, of which every round consumes some. */
	while (in->pos < in->len) {
		if (in->buf[in->pos] != 0)
			return source_set_trailing(in, "gzip", source_input_tell(in), err);
		in->pos++;
		if (source_input_fill(in, 1, err) < 0)
			return -1;
	}
	g->is_ended = true;
	return 0;
}

static int gzip_inflate(struct gzip *g, struct error *err)
{
	struct source_input *in = g->in;
	z_stream *z = &g->z;
	int rc;

	if (source_input_fill(in, 1, err) < 0)
		return -1;
	z->next_in = in->buf + in->pos;
	z->avail_in = (uInt)(in->len - in->pos);
	rc = inflate(z, Z_NO_FLUSH);
	in->pos = in->len - z->avail_in;
	switch (rc) {
	case Z_OK:
		return 0;
	case Z_STREAM_END:
		g->is_in_member = false;
		return 0;
	case Z_BUF_ERROR: /* no progress: there was no more input */
		return source_set_truncated(in, "gzip", err);
	case Z_MEM_ERROR:
		return error_set_nomem(err);
	default:
		return source_set_corrupt(in, "gzip", z->msg ? z->msg : "unexpected data", err);
	}
}

static int gzip_next(void *decoder, void *buf, size_t len, size_t *ret_len, struct error *err)
{
	struct gzip *g = decoder;
	uInt room = (uInt)num_min(len, UINT_MAX);

	g->z.next_out = buf;
	g->z.avail_out = room;
	/* Each round consumes input or produces output, else inflate says Z_BUF_ERROR. */
	while (g->z.avail_out == room && room > 0 && !g->is_ended)
		if ((g->is_in_member ? gzip_inflate(g, err) : next_member(g, err)) < 0)
			return -1;
	*ret_len = room - g->z.avail_out;
	return 0;
}

const struct source_codec source_codec_gzip = {
	.name = "gzip",
	.matches = gzip_matches,
	.start = gzip_start,
	.next = gzip_next,
	.stop = gzip_stop,
};
