// SPDX-License-Identifier: GPL-3.0-or-later
/* What is particular to ZIP; what every codec must do is in test_source_codecs.c. */
#include "base/num.h"
#include "image/source.h"
#include "source_util.h"
#include "tap.h"
#include "zip_util.h"

/* What the file and the pipe end with; "" is the content `want`. */
static void check(struct bytes zip, const char *as_file, const char *as_pipe, struct bytes want)
{
	for (int through_pipe = 0; through_pipe < 2; through_pipe++) {
		const char *code = through_pipe ? as_pipe : as_file;
		struct error err = ERROR_INIT;
		struct bytes got = { 0 };
		int rc = read_bytes(zip, through_pipe, 50000, &got, &err);

		CHECK_STR(err.code ? err.code : "", code);
		CHECK(rc == (*code ? -1 : 0));
		CHECK(!*code || err.kind == ERROR_IMAGE);
		if (!*code)
			CHECK(bytes_equal(got, want));
		free(got.p);
	}
}

static void check_made(const struct zip_file *files, size_t n, const struct zip_tail *tail,
		       const char *as_file, const char *as_pipe, struct bytes want)
{
	struct bytes zip = zip_make(files, n, tail);

	check(zip, as_file, as_pipe, want);
	free(zip.p);
}

static void test_forms(void)
{
	struct bytes b = bytes_sample(300000, 3);
	const struct zip_file directory = { .name = "images/", .mode = 040755 };
	const struct zip_tail tails[] = { { 0 }, { .is_zip64 = 1 }, { .comment = "hello PK\5\6" } };

	for (unsigned int i = 0; i < 2 * 2 * 5 * ARRAY_SIZE(tails); i++) {
		unsigned int form = i / (unsigned int)ARRAY_SIZE(tails);
		struct zip_file f = {
			.name = "images/disk.img",
			.data = b,
			.mode = 0100644,
			.is_deflated = form % 2 != 0,
			.is_zip64 = form / 2 % 2 != 0,
			.descriptor = (enum zip_descriptor)(form / 4),
		};
		const struct zip_file files[] = { directory, f, directory };
		int is_blind = !f.is_deflated && f.descriptor != NO_DESCRIPTOR;

		check_made(files, 3, &tails[i % ARRAY_SIZE(tails)], "",
			   is_blind ? "unsupported-compression" : "", b);
		check_made(&f, 1, NULL, "", is_blind ? "unsupported-compression" : "", b);
	}
	free(b.p);
}

static void test_directories_with_data(void)
{
	struct bytes b = bytes_sample(3000, 3), none = { (uint8_t *)"", 0 };
	struct zip_file files[] = {
		{ .name = "a/", .data = none, .is_deflated = 1, .descriptor = DESCRIPTOR },
		{ .name = "a/b", .data = b, .is_deflated = 1 },
		{ .name = "c/", .data = none, .method = 8 },
	};

	check_made(files, 3, NULL, "", "", b);
	files[0].data = b;
	check_made(files, 3, NULL, "corrupt-compression", "corrupt-compression", b);
	free(b.p);
}

static void test_size_is_known(void)
{
	struct bytes b = bytes_sample(1500000, 3);
	const struct zip_file f = {
		.name = "i", .data = b, .is_deflated = 1, .descriptor = DESCRIPTOR
	};
	struct bytes zip = zip_make(&f, 1, NULL);
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	char path[64];
	int fd = file_of(zip, path);

	CHECK(source_open(path, &src, &err) == 0);
	CHECK_U64(src->size, b.len);
	CHECK_STR(src->compression, "zip");
	source_free(src);
	close(fd);
	free(zip.p);
	free(b.p);
}

static void test_number_of_files(void)
{
	struct bytes b = bytes_sample(3000, 3);
	struct zip_file files[1234];
	struct error err = ERROR_INIT;
	struct bytes zip;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		files[i] = (struct zip_file){ .name = i % 2 ? "f" : "d/" };
	files[1].data = b;
	files[3].data = b;
	check_made(files, 4, NULL, "several-files", "several-files", b);
	check_made(files, 3, NULL, "", "", b);
	check_made(files, 1, NULL, "empty", "empty", b);
	check_made(files, 0, NULL, "empty", "empty", b);
	zip = zip_make(files, ARRAY_SIZE(files), NULL);
	CHECK(read_bytes(zip, 0, 50000, NULL, &err) == -1);
	CHECK(strstr(err.msg, "of 617 files") != NULL);
	CHECK(strstr(err.msg, "unzip /proc/self/fd/") != NULL);
	CHECK(read_bytes(zip, 1, 50000, NULL, &err) == -1);
	CHECK(strstr(err.msg, "more than one file") != NULL);
	free(zip.p);
	free(b.p);
}

static void test_what_is_not_read(void)
{
	struct bytes b = bytes_sample(30000, 3);
	const struct zip_file bad[] = {
		{ .name = "i", .data = b, .flags = 1 }, /* encrypted */
		{ .name = "i", .data = b, .flags = 0x41, .method = 99 },
		{ .name = "i", .data = b, .method = 93 },
		{ .name = "i", .data = b, .method = 9 },
		{ .name = "i", .data = b, .mode = 0120777 }, /* a link */
		{ .name = "i", .data = b, .mode = 0020777 },
	};
	struct bytes split = { 0 }, whole;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_made(&bad[i], 1, NULL, "unsupported-compression", "unsupported-compression",
			   b);
	whole = zip_make(&(struct zip_file){ .name = "i", .data = b }, 1, NULL);
	bytes_add(&split, "PK\7\10", 4);
	bytes_add(&split, whole.p, whole.len);
	check(split, "unsupported-compression", "unsupported-compression", b);
	free(split.p);
	free(whole.p);
	free(b.p);
}

/* Each lie alone. */
static void test_disagreements(void)
{
	struct bytes b = bytes_sample(300000, 3);
	const struct zip_file bad[] = {
		{ .local_crc_xor = 1, .central_crc_xor = 1 },
		{ .local_crc_xor = 1 },
		{ .central_crc_xor = 1 },
		{ .central_packed_xor = 1 },
		{ .offset_xor = 1 },
		{ .descriptor = DESCRIPTOR, .central_crc_xor = 1 },
		{ .gap = "some bytes" },
		{ .gap = "PK" },
	};
	const struct zip_tail tails[] = {
		{ .count_xor = 3 },
		{ .size_xor = 1 },
		{ .offset_xor = 1 },
		{ .is_zip64 = 1, .count_xor = 3 },
		{ .is_zip64 = 1, .size_xor = 1 },
		{ .is_zip64 = 1, .offset_xor = 1 },
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(bad); i++) {
		struct zip_file f = bad[i / 2];

		f.name = "i";
		f.data = b;
		f.is_deflated = i % 2 || f.descriptor;
		check_made(&f, 1, NULL, "corrupt-compression", "corrupt-compression", b);
	}
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++)
		check_made(&(struct zip_file){ .name = "i", .data = b }, 1, &tails[i],
			   "corrupt-compression", "corrupt-compression", b);
	check_made(&(struct zip_file){ .name = "i", .data = b, .central_size_xor = 1 }, 1, NULL,
		   "corrupt-compression", "corrupt-compression", b);
	free(b.p);
}

/* Its central directory is whole, but the data in the middle is not there. */
static void test_data_that_does_not_end(void)
{
	struct bytes b = bytes_sample(30000, 3);
	struct bytes zip =
		zip_make(&(struct zip_file){ .name = "i", .data = b, .is_deflated = 1 }, 1, NULL);

	/* The first block is no longer the last one (RFC 1951 3.2.3). */
	CHECK(zip.p[30 + 1 + 7] & 1);
	zip.p[30 + 1 + 7] &= 0xfe;
	check(zip, "corrupt-compression", "corrupt-compression", b);
	free(zip.p);
	free(b.p);
}

static void test_two_archives(void)
{
	struct bytes b = bytes_sample(30000, 3), twice = { 0 };
	struct bytes zip = zip_make(&(struct zip_file){ .name = "i", .data = b }, 1, NULL);

	bytes_add(&twice, zip.p, zip.len);
	bytes_add(&twice, zip.p, zip.len);
	check(twice, "trailing-garbage", "trailing-garbage", b);
	free(twice.p);
	free(zip.p);
	free(b.p);
}

/* What the first 32 KiB of a disc hold is no archive. */
static void test_iso_with_a_magic(void)
{
	static const char *const magics[] = { "PK\3\4", "BZh91AY&SY", "\4\"M\30", "\x1f\x8b\x08" };

	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		struct bytes b = bytes_sample(100000, 3);

		struct error err = ERROR_INIT;
		struct source *src = NULL;
		struct bytes got = { 0 };
		char path[64];
		int fd;

		memcpy(b.p, magics[i], strlen(magics[i]));
		memcpy(b.p + 32768, "\1CD001\1", 7);
		fd = file_of(b, path);
		CHECK(source_open(path, &src, &err) == 0);
		CHECK(src->access == SOURCE_RANDOM);
		source_free(src);
		close(fd);
		CHECK(read_bytes(b, 1, 50000, &got, &err) == 0);
		CHECK(bytes_equal(got, b));
		free(got.p);
		free(b.p);
	}
}

int main(void)
{
	RUN(test_forms);
	RUN(test_directories_with_data);
	RUN(test_size_is_known);
	RUN(test_number_of_files);
	RUN(test_what_is_not_read);
	RUN(test_disagreements);
	RUN(test_data_that_does_not_end);
	RUN(test_two_archives);
	RUN(test_iso_with_a_magic);
	return tap_done();
}
