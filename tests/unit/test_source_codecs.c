// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Compressed sources: what every codec must do (a table of packers), then what
 * is particular to gzip, xz and zstd.
 */
#include <lzma.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "base/num.h"
#include "image/source.h"
#include "source_util.h"
#include "tap.h"

static struct bytes pack_gzip(struct bytes b)
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

static struct bytes pack_xz_blocks(struct bytes b, uint64_t block_size)
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

static struct bytes pack_xz(struct bytes b)
{
	return pack_xz_blocks(b, 0);
}

static struct bytes pack_xz_mt(struct bytes b)
{
	return pack_xz_blocks(b, 100000);
}

static struct bytes pack_zstd_with(struct bytes b, int content_size, int window_log)
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

static struct bytes pack_zstd(struct bytes b)
{
	return pack_zstd_with(b, 1, 0);
}

static const struct packer {
	const char *name;
	struct bytes (*pack)(struct bytes b);
	int knows_size;
} packers[] = {
	{ "gzip", pack_gzip, 0 },
	{ "xz", pack_xz, 1 },
	{ "xz", pack_xz_mt, 1 },
	{ "zstd", pack_zstd, 1 },
};

#define FOR_EACH_PACKER(p) \
	for (const struct packer *p = packers; p < packers + ARRAY_SIZE(packers); p++)

static struct bytes joined(struct bytes a, struct bytes b)
{
	struct bytes out = { 0 };

	bytes_add(&out, a.p, a.len);
	bytes_add(&out, b.p, b.len);
	return out;
}

/* Reads as file and as pipe; both must fail alike. */
static void check_fails(struct bytes b, enum error_kind kind, const char *code)
{
	for (int through_pipe = 0; through_pipe < 2; through_pipe++) {
		struct error err = ERROR_INIT;

		CHECK(read_bytes(b, through_pipe, 50000, NULL, &err) == -1);
		CHECK_U64(err.kind, kind);
		CHECK_STR(err.code ? err.code : "", code);
	}
}

static void check_reads(struct bytes packed, struct bytes want)
{
	static const size_t steps[] = { 1 << 20, 99991, 3 << 20 };

	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(steps); i++) {
		struct error err = ERROR_INIT;
		struct bytes got = { 0 };

		CHECK(read_bytes(packed, i % 2 != 0, steps[i / 2], &got, &err) == 0);
		CHECK_STR(err.msg, "");
		CHECK(bytes_equal(got, want));
		free(got.p);
	}
}

static void test_round_trip(void)
{
	struct bytes a = bytes_sample(1500000, 1), b = bytes_sample(1200000, 2);
	struct bytes both = joined(a, b);

	FOR_EACH_PACKER(p)
	{
		struct bytes pa = p->pack(a), pb = p->pack(b), pboth = joined(pa, pb);

		check_reads(pa, a);
		check_reads(pboth, both);
		free(pa.p);
		free(pb.p);
		free(pboth.p);
	}
	free(a.p);
	free(b.p);
	free(both.p);
}

static void test_facts_digests_and_rewind(void)
{
	struct bytes b = bytes_sample(1500000, 5), got;

	FOR_EACH_PACKER(p)
	{
		struct bytes packed = p->pack(b);
		struct digest file, content, tapped;
		struct error err = ERROR_INIT;
		struct source *src = NULL;
		uint8_t head[16];
		char path[64];
		size_t n;
		int fd = file_of(packed, path);

		CHECK(source_open(path, &src, &err) == 0);
		CHECK(src->access == SOURCE_SEQUENTIAL);
		CHECK_STR(src->compression, p->name);
		CHECK_U64(src->file_size, packed.len);
		CHECK_U64(src->size, p->knows_size ? b.len : SOURCE_SIZE_UNKNOWN);
		CHECK(source_peek(src, 1000, head, sizeof(head), &n, &err) == 0);
		CHECK_U64(n, sizeof(head));
		CHECK(memcmp(head, b.p + 1000, n) == 0);
		CHECK(source_tap(src, true, "sha256", &err) == 0);
		CHECK(source_tap(src, false, "sha256", &err) == 0);
		CHECK(source_digest_file(src, "sha256", NULL, NULL, &file, &err) == 0);
		content.len = 0;
		for (int round = 0; round < 3; round++) {
			CHECK(slurp(src, 70001, &got, &err) == 0);
			CHECK(bytes_equal(got, b));
			CHECK_U64(src->size, b.len);
			CHECK(source_tapped(src, true, "sha256", &tapped) == 0);
			CHECK(digest_is_equal(&tapped, &file));
			CHECK(source_tapped(src, false, "sha256", &tapped) == 0);
			CHECK(round == 0 || digest_is_equal(&tapped, &content));
			content = tapped;
			free(got.p);
			CHECK(source_can_rewind(src));
			CHECK(source_rewind(src, &err) == 0);
			CHECK(source_tapped(src, true, "sha256", &tapped) == -1);
			/* A round that stops at its start */
			CHECK(source_next(src, head, sizeof(head), &n, &err) == 0);
			CHECK(source_rewind(src, &err) == 0);
		}
		source_free(src);
		close(fd);
		free(packed.p);
	}
	free(b.p);
}

static void test_truncated(void)
{
	struct bytes b = bytes_sample(400000, 9);

	FOR_EACH_PACKER(p)
	{
		struct bytes packed = p->pack(b);
		size_t cuts[] = { packed.len - 1,
				  packed.len - 4,
				  packed.len - 9,
				  packed.len - 30,
				  packed.len / 2,
				  packed.len / 3,
				  20,
				  7 };

		for (size_t i = 0; i < ARRAY_SIZE(cuts); i++)
			check_fails((struct bytes){ packed.p, cuts[i] }, ERROR_IMAGE,
				    "truncated-compression");
		free(packed.p);
	}
	free(b.p);
}

/* Whatever bit is flipped: never a wrong content with the word "done". */
static void test_flipped_bits(void)
{
	struct bytes b = bytes_sample(30000, 11);

	FOR_EACH_PACKER(p)
	{
		struct bytes packed = p->pack(b);
		unsigned int n_failed = 0, n_tried = 0;

		for (size_t at = 6; at < packed.len; at += 1 + packed.len / 400) {
			struct error err = ERROR_INIT;
			struct bytes got = { 0 };

			packed.p[at] ^= 1 << (at % 8);
			n_tried++;
			if (read_bytes(packed, 0, 50000, &got, &err) == 0)
				CHECK(bytes_equal(got, b));
			else
				n_failed++;
			CHECK(err.kind == ERROR_NONE || err.kind == ERROR_IMAGE ||
			      err.kind == ERROR_LACKING);
			free(got.p);
			packed.p[at] ^= 1 << (at % 8);
		}
		/* A few bits mean nothing (gzip's mtime and OS). */
		CHECK(n_failed + 5 > n_tried);
		free(packed.p);
	}
	free(b.p);
}

static void test_corrupt(void)
{
	struct bytes b = bytes_sample(400000, 11);

	FOR_EACH_PACKER(p)
	{
		struct bytes packed = p->pack(b);

		memset(packed.p + packed.len / 2, 0x55, 64);
		check_fails(packed, ERROR_IMAGE, "corrupt-compression");
		free(packed.p);
	}
	free(b.p);
}

static void test_trailing_garbage(void)
{
	struct bytes b = bytes_sample(200000, 13);

	FOR_EACH_PACKER(p)
	{
		struct bytes packed = p->pack(b);

		bytes_add(&packed, "x", 1);
		check_fails(packed, ERROR_IMAGE, "trailing-garbage");
		bytes_add(&packed, "and a lot more of it", 20);
		check_fails(packed, ERROR_IMAGE, "trailing-garbage");
		free(packed.p);
	}
	free(b.p);
}

static void test_empty_content(void)
{
	FOR_EACH_PACKER(p)
	{
		struct bytes packed = p->pack((struct bytes){ .p = (uint8_t *)"", .len = 0 });

		check_fails(packed, ERROR_IMAGE, "empty");
		free(packed.p);
	}
}

static void test_changed_file(void)
{
	struct bytes b = bytes_sample(1500000, 1);

	FOR_EACH_PACKER(p)
	{
		struct bytes packed = p->pack(b), got;
		struct error err = ERROR_INIT;
		struct source *src = NULL;
		char path[64];
		int fd = file_of(packed, path);

		CHECK(source_open(path, &src, &err) == 0);
		futimens(fd, (struct timespec[2]){ { .tv_sec = 5 }, { .tv_sec = 5 } });
		CHECK(slurp(src, 70001, &got, &err) == -1);
		CHECK_STR(err.code, "source-changed");
		free(got.p);
		source_free(src);
		close(fd);
		free(packed.p);
	}
	free(b.p);
}

/* gzip(1) accepts zeros behind the last member, and so do we; and the member's own check fails. */
static void test_gzip(void)
{
	static const uint8_t zeros[100000];
	struct bytes b = bytes_sample(100000, 1), packed = pack_gzip(b), padded = { 0 };

	bytes_add(&padded, packed.p, packed.len);
	bytes_add(&padded, zeros, 1);
	check_reads(padded, b);
	bytes_add(&padded, zeros, sizeof(zeros));
	check_reads(padded, b);
	bytes_add(&padded, "x", 1);
	check_fails(padded, ERROR_IMAGE, "trailing-garbage");
	packed.p[packed.len - 6] ^= 1; /* CRC32 */
	check_fails(packed, ERROR_IMAGE, "corrupt-compression");
	packed.p[packed.len - 6] ^= 1;
	packed.p[packed.len - 2] ^= 1; /* ISIZE */
	check_fails(packed, ERROR_IMAGE, "corrupt-compression");
	free(padded.p);
	free(packed.p);
	free(b.p);
}

static void test_xz(void)
{
	static const uint8_t zeros[8];
	struct bytes b = bytes_sample(100000, 1), packed = pack_xz(b), padded = { 0 };
	struct bytes twice = joined(b, b);
	size_t header_size;
	uint8_t *header;
	uint32_t crc;

	/* Stream Padding: multiples of four bytes, between and behind. */
	bytes_add(&padded, packed.p, packed.len);
	bytes_add(&padded, zeros, 8);
	bytes_add(&padded, packed.p, packed.len);
	bytes_add(&padded, zeros, 4);
	check_reads(padded, twice);
	bytes_add(&padded, zeros, 3);
	check_fails(padded, ERROR_IMAGE, "trailing-garbage");
	free(padded.p);
	free(packed.p);

	/* Streams without content are read past, but not for ever. */
	packed = pack_xz((struct bytes){ .p = (uint8_t *)"", .len = 0 });
	padded = (struct bytes){ 0 };
	for (unsigned int i = 0; i < 100000; i++)
		bytes_add(&padded, packed.p, packed.len);
	check_fails(padded, ERROR_IMAGE, "corrupt-compression");
	free(padded.p);
	free(packed.p);

	/* A block header (3.1) that asks for a dictionary of 1.5 GiB. */
	packed = pack_xz(b);
	header = packed.p + 12;
	header_size = (header[0] + 1) * 4;
	CHECK(header[2] == 0x21 && header[3] == 1);
	header[4] = 37;
	crc = lzma_crc32(header, header_size - 4, 0);
	for (unsigned int i = 0; i < 4; i++)
		header[header_size - 4 + i] = (uint8_t)(crc >> 8 * i);
	check_fails(packed, ERROR_LACKING, "memory-limit");
	free(packed.p);
	free(twice.p);
	free(b.p);
}

static void test_zstd(void)
{
	static const uint8_t skippable[] = { 0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c' };
	struct bytes b = bytes_sample(300000, 1), packed = pack_zstd(b);
	struct bytes many = { 0 }, b2 = joined(b, b), got, unsized;
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	char path[64];
	int fd;

	bytes_add(&many, skippable, sizeof(skippable));
	bytes_add(&many, packed.p, packed.len);
	bytes_add(&many, skippable, sizeof(skippable));
	bytes_add(&many, packed.p, packed.len);
	bytes_add(&many, skippable, sizeof(skippable));
	check_reads(many, b2);
	fd = file_of(many, path);
	CHECK(source_open(path, &src, &err) == 0);
	CHECK_U64(src->size, b2.len);
	source_free(src);
	close(fd);
	check_fails((struct bytes){ many.p, many.len - 1 }, ERROR_IMAGE, "truncated-compression");

	/* One frame that does not tell: the whole is unknown beforehand. */
	unsized = pack_zstd_with(b, 0, 0);
	bytes_add(&many, unsized.p, unsized.len);
	fd = file_of(many, path);
	CHECK(source_open(path, &src, &err) == 0);
	CHECK_U64(src->size, SOURCE_SIZE_UNKNOWN);
	CHECK(slurp(src, 100000, &got, &err) == 0);
	CHECK_U64(src->size, 3 * b.len);
	free(got.p);
	source_free(src);
	close(fd);
	free(unsized.p);

	/* zstd --long=30: more memory than allowed, said before anything is decoded. */
	unsized = pack_zstd_with(b, 0, 28);
	check_fails(unsized, ERROR_LACKING, "memory-limit");
	free(unsized.p);
	unsized = pack_zstd_with(b, 0, 27);
	check_reads(unsized, b);
	free(unsized.p);
	free(many.p);
	free(packed.p);
	free(b2.p);
	free(b.p);
}

/* 64 MiB of zeros from a few bytes: read in the caller's pieces, and cancelled between them. */
static void test_bomb(void)
{
	struct bytes zeros = { .p = calloc(1, 64 << 20), .len = 64 << 20 }, packed;
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	static uint8_t buf[65536];
	char path[64];
	size_t n;
	int fd;

	packed = pack_zstd_with(zeros, 0, 0);
	CHECK(packed.len < 100000);
	fd = file_of(packed, path);
	CHECK(source_open(path, &src, &err) == 0);
	for (int i = 0; i < 100; i++)
		CHECK(source_next(src, buf, sizeof(buf), &n, &err) == 0 && n == sizeof(buf));
	source_cancel(src);
	CHECK(source_next(src, buf, sizeof(buf), &n, &err) == -1);
	CHECK(err.kind == ERROR_CANCELLED);
	source_free(src);
	close(fd);
	free(packed.p);
	free(zeros.p);
}

int main(void)
{
	RUN(test_round_trip);
	RUN(test_facts_digests_and_rewind);
	RUN(test_truncated);
	RUN(test_flipped_bits);
	RUN(test_corrupt);
	RUN(test_trailing_garbage);
	RUN(test_empty_content);
	RUN(test_changed_file);
	RUN(test_gzip);
	RUN(test_xz);
	RUN(test_zstd);
	RUN(test_bomb);
	return tap_done();
}
