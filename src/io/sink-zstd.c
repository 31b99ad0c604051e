// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The compressor of a sink: one Zstandard frame (RFC 8878) with the content's
 * size in its header and a checksum at its end, by libzstd's worker threads
 * where it was built with them.
 */
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/num.h"
#include "io/sink.h"

#define LEVEL 3 /* libzstd's own: faster than any stick */
#define MAX_WORKERS 8

struct sink_zstd {
	ZSTD_CCtx *ctx;
	uint8_t *out;
	size_t out_size;
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

int sink_zstd_new(uint64_t size, struct sink_zstd **ret, struct error *err)
{
	struct sink_zstd *z = calloc(1, sizeof(*z));
	size_t r;

	if (!z)
		return error_set_nomem(err);
	z->ctx = ZSTD_createCCtx();
	z->out_size = ZSTD_CStreamOutSize();
	z->out = malloc(z->out_size);
	if (!z->ctx || !z->out) {
		sink_zstd_free(z);
		return error_set_nomem(err);
	}
	r = ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_compressionLevel, LEVEL);
	if (!ZSTD_isError(r))
		r = ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_checksumFlag, 1);
	if (!ZSTD_isError(r))
		r = ZSTD_CCtx_setPledgedSrcSize(z->ctx, size);
	if (ZSTD_isError(r)) {
		sink_zstd_free(z);
		return error_zstd(r, err);
	}
	/* A library without threads says no, and one thread does it. */
	(void)ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_nbWorkers, (int)count_workers());
	*ret = z;
	return 0;
}

int sink_zstd_put(struct sink *s, const void *data, size_t len, bool is_end, struct error *err)
{
	struct sink_zstd *z = s->zstd;
	ZSTD_inBuffer in = { .src = data, .size = len };
	size_t left;

	/* Ends: each round takes input or gives output, and at the end all was given. */
	do {
		ZSTD_outBuffer out = { .dst = z->out, .size = z->out_size };

		left = ZSTD_compressStream2(z->ctx, &out, &in,
					    is_end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return error_zstd(left, err);
		if (out.pos > 0 && sink_write_raw(s, z->out, out.pos, err) < 0)
			return -1;
	} while (is_end ? left > 0 : in.pos < in.size);
	return 0;
}

void sink_zstd_free(struct sink_zstd *z)
{
	if (!z)
		return;
	ZSTD_freeCCtx(z->ctx);
	free(z->out);
	free(z);
}
