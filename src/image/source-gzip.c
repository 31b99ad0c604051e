// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * gzip (RFC 1952). Each member's header, CRC-32 and length are read and checked
 * here, its DEFLATE data by the library that inflate.h chose. Members may be
 * concatenated (RFC 1952 2.2). Zeros behind the last one are accepted, as gzip(1)
 * does: tapes and block devices pad with them. Anything else there is an error.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "image/inflate.h"
#include "image/source-internal.h"

#define GZIP_HEADER_SIZE 10
#define GZIP_METHOD_DEFLATE 8

/* RFC 1952 2.3.1 */
#define GZIP_HCRC 0x02
#define GZIP_EXTRA 0x04
#define GZIP_NAME 0x08
#define GZIP_COMMENT 0x10
#define GZIP_RESERVED 0xe0

static_assert(SOURCE_INPUT_BACK >= INFLATE_LOOK_AHEAD, "what was taken ahead can be given back");

struct gzip_trailer {
	le32 crc;
	le32 size; /* of the content, modulo 2^32 */
};

struct gzip {
	struct source_input *in;
	const struct inflate_ops *ops;
	void *inflate;
	uint32_t crc, size; /* of the header, then of the content */
	enum { AT_HEADER, IN_DATA, AT_TRAILER, BEHIND_MEMBER, AT_END } state;
};

static bool gzip_matches(const uint8_t *head, size_t len)
{
	return len >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == GZIP_METHOD_DEFLATE;
}

static int gzip_start(struct source_input *in, void **ret, struct error *err)
{
	struct gzip *g = calloc(1, sizeof(*g));

	if (!g)
		return error_set_nomem(err);
	g->in = in;
	g->ops = INFLATE_FASTEST;
	g->inflate = g->ops->start();
	g->state = AT_HEADER;
	if (!g->inflate) {
		free(g);
		return error_set_nomem(err);
	}
	*ret = g;
	return 0;
}

static void gzip_stop(void *decoder)
{
	struct gzip *g = decoder;

	g->ops->stop(g->inflate);
	free(g);
}

/* The next byte of a header. */
static int take_byte(struct gzip *g, uint8_t *ret, struct error *err)
{
	struct source_input *in = g->in;

	if (source_input_fill(in, 1, err) < 0)
		return -1;
	if (in->pos == in->len)
		return source_set_truncated(in, "gzip", err);
	*ret = in->buf[in->pos++];
	g->crc = g->ops->crc32(g->crc, ret, 1);
	return 0;
}

static int take_bytes(struct gzip *g, uint8_t *ret, unsigned int n, struct error *err)
{
	for (unsigned int i = 0; i < n; i++)
		if (take_byte(g, ret + i, err) < 0)
			return -1;
	return 0;
}

/* A name or comment: to the zero that ends it, or the end of the input. */
static int skip_string(struct gzip *g, struct error *err)
{
	uint8_t c;

	do {
		if (take_byte(g, &c, err) < 0)
			return -1;
	} while (c != 0);
	return 0;
}

static int read_header(struct gzip *g, struct error *err)
{
	uint8_t head[GZIP_HEADER_SIZE], len[2], ignored;
	uint16_t crc;

	g->crc = 0;
	if (take_bytes(g, head, sizeof(head), err) < 0)
		return -1;
	if (head[3] & GZIP_RESERVED)
		return source_set_unsupported(g->in, "gzip", _("a header with unknown flags"), err);
	if (head[3] & GZIP_EXTRA) {
		if (take_bytes(g, len, sizeof(len), err) < 0)
			return -1;
		for (unsigned int n = len[0] | len[1] << 8; n > 0; n--)
			if (take_byte(g, &ignored, err) < 0)
				return -1;
	}
	if ((head[3] & GZIP_NAME && skip_string(g, err) < 0) ||
	    (head[3] & GZIP_COMMENT && skip_string(g, err) < 0))
		return -1;
	crc = (uint16_t)g->crc;
	if (head[3] & GZIP_HCRC) {
		if (take_bytes(g, len, sizeof(len), err) < 0)
			return -1;
		if (crc != (len[0] | len[1] << 8))
			return source_set_corrupt(g->in, "gzip", _("a header's checksum"), err);
	}
	g->crc = g->size = 0;
	g->ops->reset(g->inflate);
	g->state = IN_DATA;
	return 0;
}

/* Puts content into out, *ret_len bytes. */
static int read_data(struct gzip *g, uint8_t *out, size_t len, size_t *ret_len, struct error *err)
{
	struct source_input *in = g->in;
	struct inflate_io io = { .out = out, .out_len = len };
	enum inflate_status status;
	size_t given;

	if (source_input_fill(in, 1, err) < 0)
		return -1;
	io.in = in->buf + in->pos;
	io.in_len = given = in->len - in->pos;
	status = g->ops->run(g->inflate, &io);
	in->pos = in->len - io.in_len;
	*ret_len = len - io.out_len;
	g->crc = g->ops->crc32(g->crc, out, *ret_len);
	g->size += (uint32_t)*ret_len;
	switch (status) {
	case INFLATE_END:
		g->state = AT_TRAILER;
		return 0;
	case INFLATE_NO_MEMORY:
		return error_set_nomem(err);
	case INFLATE_CORRUPT:
		break;
	case INFLATE_GOING:
		if (*ret_len > 0 || io.in_len < given)
			return 0;
		if (given == 0)
			return source_set_truncated(in, "gzip", err);
	}
	return source_set_corrupt(in, "gzip", NULL, err);
}

static int check_trailer(struct gzip *g, struct error *err)
{
	struct source_input *in = g->in;
	struct gzip_trailer t;

	if (source_input_fill(in, sizeof(t), err) < 0)
		return -1;
	if (in->len - in->pos < sizeof(t))
		return source_set_truncated(in, "gzip", err);
	memcpy(&t, in->buf + in->pos, sizeof(t));
	in->pos += sizeof(t);
	if (le32_get(t.crc) != g->crc)
		return source_set_corrupt(in, "gzip", _("its checksum is another"), err);
	if (le32_get(t.size) != g->size)
		return source_set_corrupt(in, "gzip", _("its length is another"), err);
	g->state = BEHIND_MEMBER;
	return 0;
}

/* Behind a member: another one, zeros to the end, or the end. */
static int next_member(struct gzip *g, struct error *err)
{
	struct source_input *in = g->in;

	if (source_input_fill(in, 3, err) < 0)
		return -1;
	if (gzip_matches(in->buf + in->pos, in->len - in->pos)) {
		g->state = AT_HEADER;
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
	g->state = AT_END;
	return 0;
}

static int gzip_next(void *decoder, void *buf, size_t len, size_t *ret_len, struct error *err)
{
	struct gzip *g = decoder;
	size_t done = 0;
	int rc = 0;

	/* Each round consumes input or produces output; the input ends. */
	while (done == 0 && len > 0 && rc == 0 && g->state != AT_END) {
		switch (g->state) {
		case AT_HEADER:
			rc = read_header(g, err);
			break;
		case IN_DATA:
			rc = read_data(g, buf, len, &done, err);
			break;
		case AT_TRAILER:
			rc = check_trailer(g, err);
			break;
		case BEHIND_MEMBER:
			rc = next_member(g, err);
			break;
		case AT_END:
			break;
		}
	}
	if (rc < 0)
		return -1;
	*ret_len = done;
	return 0;
}

const struct source_codec source_codec_gzip = {
	.name = "gzip",
	.matches = gzip_matches,
	.start = gzip_start,
	.next = gzip_next,
	.stop = gzip_stop,
};
