// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * LZ4 frames (LZ4 Frame Format Description 1.6.4) by liblz4, which checks the
 * header's checksum, those of blocks and content where a frame has them, and the
 * announced size. Frames, skippable ones too, may be concatenated.
 *
 * The legacy format (lz4 -l) has neither checksums nor an end: a half file looks
 * like a whole one, so it is refused.
 */
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_LZ4
#include <lz4frame.h>
#endif

#include "base/bytes.h"
#include "base/num.h"
#include "image/source-internal.h"

#define LZ4_FRAME_MAGIC 0x184D2204u
#define LZ4_LEGACY_MAGIC 0x184C2102u
#define LZ4_SKIP_MAGIC 0x184D2A50u /* the low four bits are free */
#define LZ4_MAGIC_SIZE 4
#define LZ4_FLAG_DICTIONARY 0x01 /* of the byte behind the magic */

static uint32_t get_magic(const uint8_t *p, size_t len)
{
	le32 magic = { { 0 } };

	memcpy(&magic, p, num_min(len, sizeof(magic)));
	return len < sizeof(magic) ? 0 : le32_get(magic);
}

/* A skippable frame at the start is zstd's: its magic is the same, and there it is in use. */
static bool lz4_matches(const uint8_t *head, size_t len)
{
	uint32_t magic = get_magic(head, len);

	return magic == LZ4_FRAME_MAGIC || magic == LZ4_LEGACY_MAGIC;
}

#ifdef HAVE_LZ4

struct lz4 {
	struct source_input *in;
	LZ4F_dctx *z;
	bool is_in_frame;
	bool is_ended;
};

static int lz4_start(struct source_input *in, void **ret, struct error *err)
{
	struct lz4 *l = calloc(1, sizeof(*l));

	if (!l || LZ4F_isError(LZ4F_createDecompressionContext(&l->z, LZ4F_VERSION))) {
		free(l);
		return error_set_nomem(err);
	}
	l->in = in;
	*ret = l;
	return 0;
}

static void lz4_stop(void *decoder)
{
	struct lz4 *l = decoder;

	LZ4F_freeDecompressionContext(l->z);
	free(l);
}

/* At the start or behind a frame: another one, or the end. */
static int next_frame(struct lz4 *l, struct error *err)
{
	struct source_input *in = l->in;
	const uint8_t *p;
	size_t len;
	uint32_t magic;

	if (source_input_fill(in, LZ4_MAGIC_SIZE + 1, err) < 0)
		return -1;
	p = in->buf + in->pos;
	len = in->len - in->pos;
	if (len == 0) {
		l->is_ended = true;
		return 0;
	}
	magic = get_magic(p, len);
	if (magic == LZ4_LEGACY_MAGIC)
		return source_set_unsupported(in, "lz4",
					      _("the legacy format, which does not show when it "
						"is incomplete; lz4 -dc decompresses it"),
					      err);
	if (magic != LZ4_FRAME_MAGIC && (magic & ~15u) != LZ4_SKIP_MAGIC)
		return source_set_trailing(in, "lz4", source_input_tell(in), err);
	if (magic == LZ4_FRAME_MAGIC && len > LZ4_MAGIC_SIZE &&
	    p[LZ4_MAGIC_SIZE] & LZ4_FLAG_DICTIONARY)
		return source_set_unsupported(in, "lz4", _("it needs a dictionary"), err);
	l->is_in_frame = true;
	return 0;
}

/* Puts content into out, *ret_len bytes. */
static int decode(struct lz4 *l, void *out, size_t len, size_t *ret_len, struct error *err)
{
	struct source_input *in = l->in;
	size_t n, n_out = len, rc;

	if (source_input_fill(in, 1, err) < 0)
		return -1;
	n = in->len - in->pos;
	rc = LZ4F_decompress(l->z, out, &n_out, in->buf + in->pos, &n, NULL);
	if (LZ4F_isError(rc)) {
		const char *why = LZ4F_getErrorName(rc);

		if (strcmp(why, "ERROR_allocation_failed") == 0)
			return error_set_nomem(err);
		return source_set_corrupt(in, "lz4", why, err);
	}
	in->pos += n;
	*ret_len = n_out;
	if (rc == 0)
		l->is_in_frame = false;
	else if (n == 0 && n_out == 0)
		return in->pos == in->len ? source_set_truncated(in, "lz4", err)
					  : source_set_corrupt(in, "lz4", NULL, err);
	return 0;
}

static int lz4_next(void *decoder, void *buf, size_t len, size_t *ret_len, struct error *err)
{
	struct lz4 *l = decoder;
	size_t done = 0;

	/* Each round consumes input or produces output, else it is an error. */
	while (done == 0 && len > 0 && !l->is_ended)
		if ((l->is_in_frame ? decode(l, buf, len, &done, err) : next_frame(l, err)) < 0)
			return -1;
	*ret_len = done;
	return 0;
}

#endif

const struct source_codec source_codec_lz4 = {
	.name = "lz4",
	.matches = lz4_matches,
#ifdef HAVE_LZ4
	.start = lz4_start,
	.next = lz4_next,
	.stop = lz4_stop,
#else
	.lacks = "liblz4",
	.command = "lz4 -dc",
#endif
};
