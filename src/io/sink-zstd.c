// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The compressor of a sink: Zstandard (RFC 8878) by libzstd's worker threads
 * where it was built with them. Frames of 256 MiB of content, each with its size in
 * its header and a checksum at its end. Behind more than one lies a table of them in a
 * skippable frame (zstd's seekable format), so that a reader knows the size of all without
 * walking through the file:
 *
 *   |frame|frame|...|5E 2A 4D 18, length|packed, content|...|count, 0, B1 EA 92 8F|
 */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/num.h"
#include "io/sink.h"

#define LEVEL 3 /* libzstd's own: faster than any stick */
#define MAX_WORKERS 8
#define FRAME_SIZE (256 * MIB)
#define TABLE_MAGIC 0x184D2A5Eu
#define FOOTER_MAGIC 0x8F92EAB1u

struct disk_frame {
	le32 packed, content; /* bytes */
};

struct disk_table {
	le32 magic, len;
};

struct disk_footer {
	le32 n_frames;
	uint8_t descriptor;
	le32 magic;
};

static_assert(sizeof(struct disk_footer) == 9, "seek table footer");

struct sink_zstd {
	ZSTD_CCtx *ctx;
	uint8_t *out;
	size_t out_size;
	uint64_t left; /* bytes of content that will come behind this frame */
	uint64_t frame_left; /* and in it */
	uint64_t frame_content, frame_start; /* its content, and where it begins in the file */
	struct disk_frame *frames;
	size_t n_frames;
};

static unsigned int count_workers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 1 ? (unsigned int)num_min((uint64_t)n, MAX_WORKERS) : 1;
}

static int error_zstd(size_t code, struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "zstd", _("Compressing failed: %s."),
			 ZSTD_getErrorName(code));
}

static int begin_frame(struct sink_zstd *z, uint64_t raw, struct error *err)
{
	size_t r = ZSTD_CCtx_reset(z->ctx, ZSTD_reset_session_only);

	z->frame_content = z->frame_left = num_min(z->left, FRAME_SIZE);
	z->left -= z->frame_left;
	z->frame_start = raw;
	if (!ZSTD_isError(r))
		r = ZSTD_CCtx_setPledgedSrcSize(z->ctx, z->frame_left);
	return ZSTD_isError(r) ? error_zstd(r, err) : 0;
}

int sink_zstd_new(uint64_t size, struct sink_zstd **ret, struct error *err)
{
	struct sink_zstd *z = calloc(1, sizeof(*z));
	size_t r;

	if (!z)
		return error_set_nomem(err);
	z->ctx = ZSTD_createCCtx();
	z->out_size = ZSTD_CStreamOutSize();
	z->out = malloc(z->out_size);
	z->frames = calloc((size_t)(size / FRAME_SIZE) + 1, sizeof(*z->frames));
	z->left = size;
	if (!z->ctx || !z->out || !z->frames) {
		sink_zstd_free(z);
		return error_set_nomem(err);
	}
	r = ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_compressionLevel, LEVEL);
	if (!ZSTD_isError(r))
		r = ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_checksumFlag, 1);
	/* A library without threads says no, and one thread does it. */
	(void)ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_nbWorkers, (int)count_workers());
	if (ZSTD_isError(r) ? error_zstd(r, err) < 0 : begin_frame(z, 0, err) < 0) {
		sink_zstd_free(z);
		return -1;
	}
	*ret = z;
	return 0;
}

static int compress(struct sink *s, const void *data, size_t len, ZSTD_EndDirective mode,
		    struct error *err)
{
	struct sink_zstd *z = s->zstd;
	ZSTD_inBuffer in = { .src = data, .size = len };
	size_t left;

	/* Ends: each round takes input or gives output, and at the end all was given. */
	do {
		ZSTD_outBuffer out = { .dst = z->out, .size = z->out_size };

		left = ZSTD_compressStream2(z->ctx, &out, &in, mode);
		if (ZSTD_isError(left))
			return error_zstd(left, err);
		if (out.pos > 0 && sink_write_raw(s, z->out, out.pos, err) < 0)
			return -1;
	} while (mode == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return 0;
}

static int end_frame(struct sink *s, struct error *err)
{
	struct sink_zstd *z = s->zstd;
	struct disk_frame *f = &z->frames[z->n_frames];

	if (compress(s, NULL, 0, ZSTD_e_end, err) < 0)
		return -1;
	f->packed = le32_put((uint32_t)(s->raw - z->frame_start));
	f->content = le32_put((uint32_t)z->frame_content);
	z->n_frames++;
	return z->left > 0 ? begin_frame(z, s->raw, err) : 0;
}

int sink_zstd_put(struct sink *s, const void *data, size_t len, struct error *err)
{
	struct sink_zstd *z = s->zstd;

	while (len > 0) {
		size_t n = num_min(len, z->frame_left);

		if (n == 0)
			return error_set(err, ERROR_INTERNAL, "zstd",
					 _("More came to be compressed than was announced."));
		if (compress(s, data, n, ZSTD_e_continue, err) < 0)
			return -1;
		data = (const uint8_t *)data + n;
		len -= n;
		z->frame_left -= n;
		if (z->frame_left == 0 && end_frame(s, err) < 0)
			return -1;
	}
	return 0;
}

int sink_zstd_finish(struct sink *s, struct error *err)
{
	struct sink_zstd *z = s->zstd;
	size_t len = z->n_frames * sizeof(*z->frames);
	const struct disk_table table = {
		.magic = le32_put(TABLE_MAGIC),
		.len = le32_put((uint32_t)(len + sizeof(struct disk_footer))),
	};
	const struct disk_footer footer = {
		.n_frames = le32_put((uint32_t)z->n_frames),
		.magic = le32_put(FOOTER_MAGIC),
	};

	if (z->n_frames < 2)
		return 0;
	if (sink_write_raw(s, &table, sizeof(table), err) < 0 ||
	    sink_write_raw(s, z->frames, len, err) < 0)
		return -1;
	return sink_write_raw(s, &footer, sizeof(footer), err);
}

void sink_zstd_free(struct sink_zstd *z)
{
	if (!z)
		return;
	ZSTD_freeCCtx(z->ctx);
	free(z->frames);
	free(z->out);
	free(z);
}
