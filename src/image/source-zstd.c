// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Zstandard (RFC 8878) by libzstd, which checks each frame's checksum where
 * there is one. Frames, skippable ones too, may be concatenated. The headers
 * of frames and blocks are read here as well: for the memory a frame asks for,
 * and for the content's size, which is known when every frame tells its own.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/bytes.h"
#include "base/io.h"
#include "base/num.h"
#include "image/source-internal.h"

#define ZSTD_FRAME_MAGIC 0xFD2FB528u
#define ZSTD_SKIP_MAGIC 0x184D2A50u  /* the low four bits are free */
#define ZSTD_HEADER_MAX 18           /* RFC 8878 3.1.1.1, magic included */
#define SEEK_TABLE_MAGIC 0x184D2A5Eu /* zstd's seekable format: a skippable frame */
#define SEEK_MAGIC 0x8F92EAB1u
#define SEEK_FOOTER 9            /* bytes */
#define ZSTD_WINDOW_LOG 27       /* 128 MiB; what zstd itself allows without --long */
#define ZSTD_WALK_MAX (1u << 17) /* block headers read to learn the size: 16 GiB of content */

struct zstd {
	struct source_input *in;
	ZSTD_DStream *z;
	bool is_in_frame;
	bool is_ended;
};

/* A frame's header; the frame is skippable if skip != 0. */
struct frame {
	uint64_t skip; /* bytes of a skippable frame, all in all */
	uint32_t header_size;
	bool has_checksum, has_size;
	uint64_t window, content_size;
};

static uint64_t le_get(const uint8_t *p, unsigned int n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

/* RFC 8878 3.1.1.1. False: not a frame, or its header is incomplete. */
static bool parse_frame(const uint8_t *p, size_t len, struct frame *ret)
{
	static const uint8_t size_len[4] = { 0, 2, 4, 8 }, dict_len[4] = { 0, 1, 2, 4 };
	struct frame f = { 0 };
	unsigned int n_size, at = 5;
	bool is_single;

	if (len < 5)
		return false;
	if ((le_get(p, 4) & ~UINT64_C(15)) == ZSTD_SKIP_MAGIC) {
		if (len < 8)
			return false;
		*ret = (struct frame){ .skip = 8 + le_get(p + 4, 4) };
		return true;
	}
	if (le_get(p, 4) != ZSTD_FRAME_MAGIC)
		return false;
	is_single = p[4] & 0x20;
	n_size = is_single && p[4] >> 6 == 0 ? 1 : size_len[p[4] >> 6];
	f.header_size = 5 + !is_single + dict_len[p[4] & 3] + n_size;
	if (len < f.header_size)
		return false;
	if (!is_single) {
		f.window = UINT64_C(1) << (10 + (p[at] >> 3));
		f.window += f.window / 8 * (p[at] & 7);
		at++;
	}
	at += dict_len[p[4] & 3];
	f.has_size = n_size > 0;
	f.content_size = le_get(p + at, n_size) + (n_size == 2 ? 256 : 0);
	if (is_single)
		f.window = f.content_size;
	f.has_checksum = p[4] & 4;
	*ret = f;
	return true;
}

static bool zstd_matches(const uint8_t *head, size_t len)
{
	return len >= 4 && (le_get(head, 4) == ZSTD_FRAME_MAGIC ||
			    (le_get(head, 4) & ~UINT64_C(15)) == ZSTD_SKIP_MAGIC);
}

static int zstd_start(struct source_input *in, void **ret, struct error *err)
{
	struct zstd *s = calloc(1, sizeof(*s));

	if (!s)
		return error_set_nomem(err);
	s->in = in;
	s->z = ZSTD_createDStream();
	if (!s->z ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(s->z, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG))) {
		ZSTD_freeDStream(s->z);
		free(s);
		return error_set_nomem(err);
	}
	*ret = s;
	return 0;
}

static void zstd_stop(void *decoder)
{
	struct zstd *s = decoder;

	ZSTD_freeDStream(s->z);
	free(s);
}

/* At the start or behind a frame: another one, or the end. */
static int next_frame(struct zstd *s, struct error *err)
{
	struct source_input *in = s->in;
	struct frame f;

	if (source_input_fill(in, ZSTD_HEADER_MAX, err) < 0)
		return -1;
	if (in->pos == in->len) {
		s->is_ended = true;
		return 0;
	}
	if (!zstd_matches(in->buf + in->pos, in->len - in->pos))
		return source_set_trailing(in, "zstd", source_input_tell(in), err);
	/* An incomplete header is left to the decoder, which will miss the rest. */
	if (parse_frame(in->buf + in->pos, in->len - in->pos, &f) &&
	    f.window > UINT64_C(1) << ZSTD_WINDOW_LOG)
		return source_set_memory(in, UINT64_C(1) << ZSTD_WINDOW_LOG, "zstd -dc --long=31",
					 err);
	s->is_in_frame = true;
	return 0;
}

static int decode(struct zstd *s, ZSTD_outBuffer *out, struct error *err)
{
	struct source_input *in = s->in;
	ZSTD_inBuffer zin;
	size_t rc, before = out->pos;

	if (source_input_fill(in, 1, err) < 0)
		return -1;
	zin = (ZSTD_inBuffer){ .src = in->buf + in->pos, .size = in->len - in->pos };
	rc = ZSTD_decompressStream(s->z, out, &zin);
	in->pos += zin.pos;
	if (ZSTD_isError(rc)) {
		if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)
			return error_set_nomem(err);
		return source_set_corrupt(in, "zstd", ZSTD_getErrorName(rc), err);
	}
	if (rc == 0)
		s->is_in_frame = false;
	else if (zin.size == 0 && out->pos == before)
		return source_set_truncated(in, "zstd", err);
	return 0;
}

static int zstd_next(void *decoder, void *buf, size_t len, size_t *ret_len, struct error *err)
{
	struct zstd *s = decoder;
	ZSTD_outBuffer out = { .dst = buf, .size = len };

	/* Each round consumes input or produces output; libzstd fails after 16 without progress. */
	while (out.pos == 0 && len > 0 && !s->is_ended)
		if ((s->is_in_frame ? decode(s, &out, err) : next_frame(s, err)) < 0)
			return -1;
	*ret_len = out.pos;
	return 0;
}

/* A window over the file for the walk: headers that lie close together cost one read. */
struct walk {
	int fd;
	uint64_t file_size;
	uint64_t start;
	size_t len;
	uint8_t buf[4096];
};

/* Up to want bytes at off, all of them unless the file ends. */
static size_t walk_at(struct walk *w, uint64_t off, size_t want, const uint8_t **ret)
{
	ssize_t n;

	if (off < w->start || !num_is_within(off - w->start, want, w->len)) {
		n = io_pread_full(w->fd, w->buf, sizeof(w->buf), off);
		w->start = off;
		w->len = n > 0 ? (size_t)n : 0;
	}
	*ret = w->buf + (off - w->start);
	return (size_t)num_min(want, w->len - (off - w->start));
}

/* From block header to block header (RFC 8878 3.1.1.2): *off is moved behind the last block. */
static bool walk_blocks(struct walk *w, unsigned int *budget, uint64_t *off)
{
	for (; *budget > 0; (*budget)--) {
		const uint8_t *p;
		uint64_t header, size;

		if (walk_at(w, *off, 3, &p) < 3)
			return false;
		header = le_get(p, 3);
		size = (header >> 1 & 3) == 1 ? 1 : header >> 3; /* RLE: one byte */
		if ((header >> 1 & 3) == 3 || !num_is_within(*off + 3, size, w->file_size))
			return false;
		*off += 3 + size;
		if (header & 1)
			return true;
	}
	return false;
}

/*
 * The table at the end of a file in zstd's seekable format: a skippable frame that lists the
 * frames before it (packed size, content size, perhaps a checksum), and how many they are. It has
 * to fill the file, and to agree with what the frames say themselves.
 */
static bool read_seek_table(int fd, uint64_t file_size, uint64_t *ret_size)
{
	struct walk table = { .fd = fd, .file_size = file_size };
	struct walk frames = { .fd = fd, .file_size = file_size };
	uint64_t n, entry, start, off = 0, total = 0;
	const uint8_t *p;

	if (file_size < 8 + SEEK_FOOTER ||
	    walk_at(&table, file_size - SEEK_FOOTER, SEEK_FOOTER, &p) < SEEK_FOOTER ||
	    le_get(p + 5, 4) != SEEK_MAGIC || (p[4] & 0x7c))
		return false;
	n = le_get(p, 4);
	entry = p[4] & 0x80 ? 12 : 8;
	if (n > ZSTD_WALK_MAX || n * entry > file_size - 8 - SEEK_FOOTER)
		return false;
	start = file_size - SEEK_FOOTER - n * entry;
	if (walk_at(&table, start - 8, 8, &p) < 8 || le_get(p, 4) != SEEK_TABLE_MAGIC ||
	    le_get(p + 4, 4) != n * entry + SEEK_FOOTER)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t packed, content;
		struct frame f;
		size_t seen;

		if (walk_at(&table, start + i * entry, 8, &p) < 8)
			return false;
		packed = le_get(p, 4);
		content = le_get(p + 4, 4);
		seen = walk_at(&frames, off, ZSTD_HEADER_MAX, &p);
		if (!parse_frame(p, seen, &f) || f.skip ||
		    (f.has_size && f.content_size != content))
			return false;
		off += packed; /* 2^17 times 2^32 at most */
		total += content;
	}
	*ret_size = total;
	return off == start - 8;
}

static int zstd_content_size(int fd, uint64_t file_size, uint64_t *ret_size)
{
	struct walk w = { .fd = fd, .file_size = file_size };
	unsigned int budget = ZSTD_WALK_MAX;
	uint64_t off = 0, total = 0;

	if (read_seek_table(fd, file_size, ret_size))
		return 1;
	/* Every round moves off on by at least a header, and spends budget. */
	while (off < file_size) {
		const uint8_t *p;
		size_t n = walk_at(&w, off, ZSTD_HEADER_MAX, &p);
		struct frame f;

		if (budget-- == 0 || !parse_frame(p, n, &f))
			return 0;
		if (f.skip) {
			if (!num_is_within(off, f.skip, file_size))
				return 0;
			off += f.skip;
			continue;
		}
		off += f.header_size;
		if (!f.has_size || __builtin_add_overflow(total, f.content_size, &total) ||
		    !walk_blocks(&w, &budget, &off) ||
		    !num_is_within(off, f.has_checksum ? 4 : 0, file_size))
			return 0;
		off += f.has_checksum ? 4 : 0;
	}
	*ret_size = total;
	return 1;
}

const struct source_codec source_codec_zstd = {
	.name = "zstd",
	.matches = zstd_matches,
	.content_size = zstd_content_size,
	.start = zstd_start,
	.next = zstd_next,
	.stop = zstd_stop,
};
