// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Compressed sources: what every codec must do (a table of packers), then what
 * is particular to one of them (ZIP: test_source_zip.c).
 */
#include <sys/stat.h>

#include "base/num.h"
#include "image/source.h"
#include "pack_util.h"
#include "source_util.h"
#include "tap.h"

static const struct packer {
	const char *name;
	struct bytes (*pack)(struct bytes b);
	int knows_size;
	int is_joinable; /* two packed files after each other are one */
} packers[] = {
	{ "gzip", pack_gzip, 0, 1 },        { "xz", pack_xz, 1, 1 },
	{ "xz", pack_xz_mt, 1, 1 },         { "zstd", pack_zstd, 1, 1 },
#ifdef HAVE_BZIP2
	{ "bzip2", pack_bzip2, 0, 1 },
#endif
#ifdef HAVE_LZ4
	{ "lz4", pack_lz4, 0, 1 },          { "lz4", pack_lz4_blocks, 0, 1 },
#endif
	{ "zip", pack_zip, 1, 0 },          { "zip", pack_zip_stored, 1, 0 },
	{ "zip", pack_zip_streamed, 1, 0 },
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
		if (p->is_joinable)
			check_reads(pboth, both);
		else
			check_fails(pboth, ERROR_IMAGE, "trailing-garbage");
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
		CHECK(source_digest_file(src, (const char *[]){ "sha256" }, 1, NULL, NULL, &file,
					 &err) == 0);
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

/* Every part of a member's header, and a header that lies. */
static void test_gzip_header(void)
{
	static const uint8_t parts[] = { 4, 0, 'e', 'x', 't', 'r', 'n', 'a', 'm', 'e', 0, 'c', 0 };
	struct bytes b = bytes_sample(100000, 1), packed = pack_gzip(b), full = { 0 };
	uint8_t crc[2];

	bytes_add(&full, packed.p, 10);
	full.p[3] = 2 | 4 | 8 | 16;
	bytes_add(&full, parts, sizeof(parts));
	crc[0] = (uint8_t)crc32(0, full.p, (uInt)full.len);
	crc[1] = (uint8_t)(crc32(0, full.p, (uInt)full.len) >> 8);
	bytes_add(&full, crc, 2);
	bytes_add(&full, packed.p + 10, packed.len - 10);
	check_reads(full, b);
	for (size_t cut = 10; cut < 10 + sizeof(parts) + 2; cut++)
		check_fails((struct bytes){ full.p, cut }, ERROR_IMAGE, "truncated-compression");
	full.p[17]++;
	check_fails(full, ERROR_IMAGE, "corrupt-compression");
	full.p[17]--;
	full.p[3] |= 0x20;
	check_fails(full, ERROR_IMAGE, "unsupported-compression");
	free(full.p);
	free(packed.p);
	free(b.p);
}

/* Many small members, as bgzip writes them; their bounds meet every bound of the buffer. */
static void test_gzip_members(void)
{
	struct bytes b = { 0 }, packed = { 0 };

	for (size_t i = 0; i < 1000; i++) {
		struct bytes piece = bytes_sample(i % 7 == 0 ? 0 : i % 977, (uint32_t)i);
		struct bytes member = pack_gzip(piece);

		bytes_add(&b, piece.p, piece.len);
		bytes_add(&packed, member.p, member.len);
		free(piece.p);
		free(member.p);
	}
	check_reads(packed, b);
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
	padded = bytes_repeat(packed, 100000);
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

static void add_le32(struct bytes *b, uint32_t v)
{
	const uint8_t le[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
				(uint8_t)(v >> 24) };

	bytes_add(b, le, sizeof(le));
}

/* zstd's seekable format: two frames of frame, and the table that says so, or wrongly other. */
static struct bytes seekable(struct bytes frame, uint32_t packed, uint32_t content, bool checksums,
			     uint32_t table_len)
{
	struct bytes b = joined(frame, frame);
	const uint8_t descriptor = checksums ? 0x80 : 0;

	add_le32(&b, 0x184d2a5e);
	add_le32(&b, table_len);
	for (int i = 0; i < 2; i++) {
		add_le32(&b, packed);
		add_le32(&b, content);
		if (checksums)
			add_le32(&b, 0x12345678);
	}
	add_le32(&b, 2);
	bytes_add(&b, &descriptor, 1);
	add_le32(&b, 0x8f92eab1);
	return b;
}

/* The size of b when it is opened; frees b. */
static uint64_t opened_size(struct bytes b)
{
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	uint64_t size = 0;
	char path[64];
	int fd = file_of(b, path);

	CHECK(source_open(path, &src, &err) == 0);
	if (src)
		size = src->size;
	source_free(src);
	close(fd);
	free(b.p);
	return size;
}

/* The table counts where the frames do not tell, and where it contradicts nothing. */
static void test_zstd_seek_table(void)
{
	struct bytes b = bytes_sample(300000, 1), twice = joined(b, b), good;
	struct bytes told = pack_zstd(b), untold = pack_zstd_with(b, 0, 0);
	uint32_t len = (uint32_t)untold.len, n = (uint32_t)b.len;
	struct error err = ERROR_INIT;
	struct bytes lie;

	good = seekable(untold, len, n, false, 25);
	check_reads(good, twice);
	CHECK_U64(opened_size(good), twice.len);
	CHECK_U64(opened_size(seekable(untold, len, n, true, 33)), twice.len);
	CHECK_U64(opened_size(seekable(told, (uint32_t)told.len, n, false, 25)), twice.len);
	/* Not of this file, or not a table at all. */
	CHECK_U64(opened_size(seekable(untold, len + 1, n, false, 25)), SOURCE_SIZE_UNKNOWN);
	CHECK_U64(opened_size(seekable(untold, 0, n, false, 25)), SOURCE_SIZE_UNKNOWN);
	CHECK_U64(opened_size(seekable(untold, UINT32_MAX, n, false, 25)), SOURCE_SIZE_UNKNOWN);
	CHECK_U64(opened_size(seekable(untold, len, n, true, 34)), SOURCE_SIZE_UNKNOWN);
	/* What the frames say counts more. */
	CHECK_U64(opened_size(seekable(told, (uint32_t)told.len, n - 1, false, 25)), twice.len);
	/* One that lies is found out at the end. */
	lie = seekable(untold, len, n - 1, false, 25);
	CHECK_U64(opened_size(joined(lie, (struct bytes){ .p = NULL })), twice.len - 2);
	CHECK(read_bytes(lie, 0, 50000, NULL, &err) == -1);
	CHECK(err.kind == ERROR_IMAGE);
	free(lie.p);
	free(told.p);
	free(untold.p);
	free(twice.p);
	free(b.p);
}

#ifdef HAVE_BZIP2
static void test_bzip2(void)
{
	struct bytes b = bytes_sample(1000000, 1), packed = pack_bzip2(b), many = { 0 };
	struct bytes empty = pack_bzip2((struct bytes){ .p = (uint8_t *)"", .len = 0 });

	/* Several blocks; empty streams between others; a second one cut short. */
	bytes_add(&many, empty.p, empty.len);
	bytes_add(&many, packed.p, packed.len);
	bytes_add(&many, empty.p, empty.len);
	check_reads(many, b);
	check_fails((struct bytes){ many.p, many.len - 5 }, ERROR_IMAGE, "truncated-compression");
	many.p[many.len - 2] ^= 1; /* the stream's own CRC */
	check_fails(many, ERROR_IMAGE, "corrupt-compression");
	bytes_add(&packed, "BZ", 2);
	check_fails(packed, ERROR_IMAGE, "trailing-garbage");
	free(many.p);

	many = bytes_repeat(empty, 100000);
	check_fails(many, ERROR_IMAGE, "corrupt-compression");
	free(many.p);
	free(empty.p);
	free(packed.p);
	free(b.p);
}
#endif

#ifdef HAVE_LZ4
static void test_lz4(void)
{
	static const uint8_t skippable[] = { 0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c' };
	static const uint8_t legacy[] = { 0x02, 0x21, 0x4c, 0x18, 6,   0,   0,
					  0,    0x50, 'h',  'e',  'l', 'l', 'o' };
	struct bytes b = bytes_sample(300000, 1), packed = pack_lz4(b), many = { 0 }, bare;
	struct bytes b2 = joined(b, b), empty = { .p = (uint8_t *)"", .len = 0 };

	bytes_add(&many, packed.p, packed.len);
	bytes_add(&many, skippable, sizeof(skippable));
	bytes_add(&many, packed.p, packed.len);
	check_reads(many, b2);
	bytes_add(&many, skippable, sizeof(skippable) - 1);
	check_fails(many, ERROR_IMAGE, "truncated-compression");
	free(many.p);

	/* Without any checksum: a cut is noticed nevertheless, at the end mark too. */
	bare = pack_lz4_with(b, (LZ4F_preferences_t){ 0 });
	check_reads(bare, b);
	for (size_t cut = 1; cut <= 4; cut++)
		check_fails((struct bytes){ bare.p, bare.len - cut }, ERROR_IMAGE,
			    "truncated-compression");
	bytes_add(&bare, "x", 1);
	check_fails(bare, ERROR_IMAGE, "trailing-garbage");
	free(bare.p);

	/* A size that is not what comes; the header's checksum made good. */
	bare = pack_lz4_with(b, (LZ4F_preferences_t){ .frameInfo = { .contentSize = b.len } });
	check_reads(bare, b);
	bare.p[6] ^= 1;
	check_fails(bare, ERROR_IMAGE, "corrupt-compression");
	free(bare.p);

	check_fails((struct bytes){ (uint8_t *)legacy, sizeof(legacy) }, ERROR_IMAGE,
		    "unsupported-compression");
	packed.p[4] |= 1; /* a dictionary */
	check_fails(packed, ERROR_IMAGE, "unsupported-compression");
	free(packed.p);
	packed = pack_lz4(empty);
	check_fails(packed, ERROR_IMAGE, "empty");
	free(packed.p);
	free(b2.p);
	free(b.p);
}
#endif

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
	RUN(test_gzip_header);
	RUN(test_gzip_members);
	RUN(test_xz);
	RUN(test_zstd);
	RUN(test_zstd_seek_table);
#ifdef HAVE_BZIP2
	RUN(test_bzip2);
#endif
#ifdef HAVE_LZ4
	RUN(test_lz4);
#endif
	RUN(test_bomb);
	return tap_done();
}
