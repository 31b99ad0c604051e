// SPDX-License-Identifier: GPL-3.0-or-later
/* DEFLATE by zlib; see inflate.h. */
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/num.h"
#include "image/inflate.h"

static void *zlib_start(void)
{
	z_stream *z = calloc(1, sizeof(*z));

	/* Negative: without zlib's own wrapper. */
	if (z && inflateInit2(z, -MAX_WBITS) == Z_OK)
		return z;
	free(z);
	return NULL;
}

static void zlib_reset(void *state)
{
	inflateReset(state);
}

static enum inflate_status zlib_run(void *state, struct inflate_io *io)
{
	z_stream *z = state;
	uInt n_in = (uInt)num_min(io->in_len, UINT_MAX);
	uInt n_out = (uInt)num_min(io->out_len, UINT_MAX);
	int rc;

	z->next_in = (Bytef *)io->in;
	z->avail_in = n_in;
	z->next_out = io->out;
	z->avail_out = n_out;
	rc = inflate(z, Z_NO_FLUSH);
	io->in = z->next_in;
	io->in_len -= n_in - z->avail_in;
	io->out = z->next_out;
	io->out_len -= n_out - z->avail_out;
	switch (rc) {
	case Z_OK:
	case Z_BUF_ERROR: /* nothing to take or no room */
		return INFLATE_GOING;
	case Z_STREAM_END:
		return INFLATE_END;
	case Z_MEM_ERROR:
		return INFLATE_NO_MEMORY;
	default:
		return INFLATE_CORRUPT;
	}
}

static void zlib_stop(void *state)
{
	if (state)
		inflateEnd(state);
	free(state);
}

static uint32_t zlib_crc32(uint32_t crc, const void *data, size_t len)
{
	return (uint32_t)crc32_z(crc, data, len);
}

const struct inflate_ops inflate_by_zlib = {
	.name = "zlib",
	.start = zlib_start,
	.reset = zlib_reset,
	.run = zlib_run,
	.stop = zlib_stop,
	.crc32 = zlib_crc32,
};
