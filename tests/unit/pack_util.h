/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For the tests of sources: bytes compressed in every way that isowrite reads. */
#ifndef ISOWRITE_TESTS_PACK_UTIL_H
#define ISOWRITE_TESTS_PACK_UTIL_H

#include <lzma.h>
#include <zstd.h>
#ifdef HAVE_BZIP2
#include <bzlib.h>
#endif
#ifdef HAVE_LZ4
#include <lz4frame.h>
#endif

#include "source_util.h"
#include "zip_util.h"

static inline struct bytes pack_gzip(struct bytes b)
{
	struct bytes out = { .p = malloc(b.len + 1000) };
	z_stream z = { .next_in = b.p, .avail_in = (uInt)b.len };

	deflateInit2(&z, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
	z.next_out = out.p;
	z.avail_out = (uInt)b.len + 1000;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	out.len = z.total_out;
	deflateEnd(&z);
	return out;
}

static inline struct bytes pack_xz_blocks(struct bytes b, uint64_t block_size)
{
	struct bytes out = { .p = malloc(b.len + 100000) };
	lzma_options_lzma opt;
	lzma_filter filters[] = { { LZMA_FILTER_LZMA2, &opt }, { LZMA_VLI_UNKNOWN, NULL } };
	lzma_mt mt = { .threads = 2,
		       .block_size = block_size,
		       .filters = filters,
		       .check = LZMA_CHECK_CRC64 };
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_ret rc;

	lzma_lzma_preset(&opt, 0);
	rc = block_size ? lzma_stream_encoder_mt(&z, &mt)
			: lzma_stream_encoder(&z, filters, LZMA_CHECK_CRC64);
	z.next_in = b.p;
	z.avail_in = b.len;
	z.next_out = out.p;
	z.avail_out = b.len + 100000;
	while (rc == LZMA_OK)
		rc = lzma_code(&z, LZMA_FINISH);
	if (rc != LZMA_STREAM_END)
		abort();
	out.len = z.total_out;
	lzma_end(&z);
	return out;
}

static inline struct bytes pack_xz(struct bytes b)
{
	return pack_xz_blocks(b, 0);
}

static inline struct bytes pack_xz_mt(struct bytes b)
{
	return pack_xz_blocks(b, 100000);
}

static inline struct bytes pack_zstd_with(struct bytes b, int content_size, int window_log)
{
	struct bytes out = { .p = malloc(ZSTD_compressBound(b.len)) };
	ZSTD_CCtx *z = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(z, ZSTD_c_contentSizeFlag, content_size);
	if (window_log) {
		ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, window_log);
		ZSTD_inBuffer in = { b.p, b.len, 0 };
		ZSTD_outBuffer o = { out.p, ZSTD_compressBound(b.len), 0 };
		/* Streaming without a pledged size keeps the window as asked for. */
		ZSTD_compressStream2(z, &o, &in, ZSTD_e_flush);
		if (ZSTD_compressStream2(z, &o, &in, ZSTD_e_end) != 0)
			abort();
		out.len = o.pos;
	} else {
		out.len = ZSTD_compress2(z, out.p, ZSTD_compressBound(b.len), b.p, b.len);
	}
	ZSTD_freeCCtx(z);
	return out;
}

static inline struct bytes pack_zstd(struct bytes b)
{
	return pack_zstd_with(b, 1, 0);
}

#ifdef HAVE_BZIP2
static inline struct bytes pack_bzip2(struct bytes b)
{
	unsigned int len = (unsigned int)(b.len + b.len / 100 + 1000);
	struct bytes out = { .p = malloc(len) };

	if (BZ2_bzBuffToBuffCompress((char *)out.p, &len, (char *)b.p, (unsigned int)b.len, 1, 0,
				     0) != BZ_OK)
		abort();
	out.len = len;
	return out;
}
#endif

#ifdef HAVE_LZ4
static inline struct bytes pack_lz4_with(struct bytes b, LZ4F_preferences_t p)
{
	size_t size = LZ4F_compressFrameBound(b.len, &p);
	struct bytes out = { .p = malloc(size) };

	out.len = LZ4F_compressFrame(out.p, size, b.p, b.len, &p);
	if (LZ4F_isError(out.len))
		abort();
	return out;
}

static inline struct bytes pack_lz4(struct bytes b)
{
	return pack_lz4_with(b, (LZ4F_preferences_t){ .frameInfo = { .contentChecksumFlag = 1 } });
}

static inline struct bytes pack_lz4_blocks(struct bytes b)
{
	return pack_lz4_with(
		b, (LZ4F_preferences_t){ .frameInfo = { .blockSizeID = LZ4F_max4MB,
							.blockMode = LZ4F_blockIndependent,
							.contentSize = b.len,
							.blockChecksumFlag = 1 } });
}
#endif

static inline struct bytes pack_zip(struct bytes b)
{
	return zip_make(&(struct zip_file){ .name = "i", .data = b, .is_deflated = 1 }, 1, NULL);
}

static inline struct bytes pack_zip_stored(struct bytes b)
{
	return zip_make(&(struct zip_file){ .name = "i", .data = b }, 1, NULL);
}

static inline struct bytes pack_zip_streamed(struct bytes b)
{
	return zip_make(
		&(struct zip_file){
			.name = "i", .data = b, .is_deflated = 1, .descriptor = DESCRIPTOR },
		1, NULL);
}

#endif
