// SPDX-License-Identifier: GPL-3.0-or-later
/* image/tree: every naming scheme, every extent once, and hostile trees that must end. */
#include "image/tree.h"

#include <stdio.h>

#include "image_util.h"
#include "tap.h"

#define SP "SP\7\1\xbe\xef\0"
#define ROOT 20

static struct layout lay;
static char seen[8192];
static unsigned int n_visits;

/* "path:lba+len@offset " of every extent, directories with a slash. */
static bool note(void *ctx, const struct tree_extent *e)
{
	size_t used = strlen(seen);

	(void)ctx;
	n_visits++;
	snprintf(seen + used, sizeof(seen) - used, "%s%s:%u+%u@%u ", e->path,
		 e->is_directory ? "/" : "", (unsigned int)(e->start / 2048), (unsigned int)e->len,
		 (unsigned int)e->file_offset);
	return false;
}

static const char *walk(struct image *img, uint64_t budget)
{
	struct source *src = image_source(img);
	struct error err = ERROR_INIT;

	seen[0] = '\0';
	n_visits = 0;
	CHECK(tree_walk(src, &lay, &budget, note, NULL, &err) == 0);
	source_free(src);
	return seen;
}

/* A volume with its root at block 20. */
static struct image new_volume(size_t n_blocks, uint32_t root_len)
{
	struct image img = image_new(n_blocks);

	put_volume(&img, 16, 1, "T", 1, (uint32_t)n_blocks, ROOT, root_len);
	put_terminator(&img, 17);
	memset(&lay, 0, sizeof(lay));
	lay.volume.present = true;
	lay.volume.pvd_lba = 16;
	return img;
}

static void test_plain_names(void)
{
	struct image img = new_volume(40, 2048);
	uint8_t *p = image_block(&img, ROOT);

	p += put_dots(p, ROOT, 2048, NULL, 0);
	p += put_record(p, "BOOT", 4, 21, 2048, 2, NULL, 0);
	p += put_record(p, "README.TXT;1", 12, 30, 5, 0, NULL, 0);
	p = image_block(&img, 21);
	p += put_dots(p, 21, 2048, NULL, 0);
	p += put_record(p, "EFI.IMG;1", 9, 31, 4096, 0, NULL, 0);
	put_record(p, "A/B.;1", 6, 33, 1, 0, NULL, 0);
	CHECK_STR(walk(&img, 65536), "/BOOT/:21+2048@0 /README.TXT:30+5@0 "
				     "/BOOT/EFI.IMG:31+4096@0 /BOOT/A_B:33+1@0 ");
	free(img.p);
}

static void test_rock_ridge_names(void)
{
	struct image img = new_volume(40, 2048);
	uint8_t *p = image_block(&img, ROOT), ce[28] = { 'C', 'E', 28, 1 };

	put_both32(ce + 4, 25);
	put_both32(ce + 12, 100);
	put_both32(ce + 20, 9);
	memcpy(image_block(&img, 25) + 100, "NM\11\1\0tail", 9);
	p += put_dots(p, ROOT, 2048, SP, 7);
	p += put_record(p, "FILE.;1", 7, 30, 5, 0, "NM\15\1\0File.txt", 13);
	{
		uint8_t su[8 + 28];

		memcpy(su, "NM\10\1\1fa-", 8);
		memcpy(su + 8, ce, 28);
		p += put_record(p, "FA.;1", 5, 31, 6, 0, su, sizeof(su));
	}
	CHECK_STR(walk(&img, 65536), "/File.txt:30+5@0 /fa-tail:31+6@0 ");
	/* SP tells to skip two bytes in every other record. */
	memset(image_block(&img, ROOT), 0, 2048);
	p = image_block(&img, ROOT);
	p += put_dots(p, ROOT, 2048, "SP\7\1\xbe\xef\2", 7);
	put_record(p, "FILE.;1", 7, 30, 5, 0, "??NM\7\1\0ab", 9);
	CHECK_STR(walk(&img, 65536), "/ab:30+5@0 ");
	free(img.p);
}

static void test_continuation_loop(void)
{
	struct image img = new_volume(40, 2048);
	uint8_t *p = image_block(&img, ROOT), ce[28] = { 'C', 'E', 28, 1 };

	put_both32(ce + 4, 25);
	put_both32(ce + 20, 28);
	memcpy(image_block(&img, 25), ce, 28); /* points at itself */
	p += put_dots(p, ROOT, 2048, SP, 7);
	p += put_record(p, "LOOP.;1", 7, 30, 5, 0, ce, 28);
	put_record(p, "NEXT.;1", 7, 31, 6, 0, "NM\11\1\0next", 9);
	CHECK_STR(walk(&img, 65536), "/LOOP:30+5@0 /next:31+6@0 ");
	CHECK(img.n_reads < 40);
	free(img.p);
}

static void test_relocated_directory(void)
{
	struct image img = new_volume(40, 2048);
	uint8_t *p = image_block(&img, ROOT), su[12 + 9] = { 'C', 'L', 12, 1 };

	put_both32(su + 4, 22);
	memcpy(su + 12, "NM\11\1\0deep", 9);
	p += put_dots(p, ROOT, 2048, SP, 7);
	p += put_record(p, "DEEP", 4, 99, 1, 0, su, sizeof(su));
	put_record(p, "MOVED", 5, 22, 2048, 2, "RE\4\1", 4);
	p = image_block(&img, 22);
	p += put_dots(p, 22, 2048, NULL, 0);
	put_record(p, "F.;1", 4, 30, 7, 0, "NM\6\1\0f", 6);
	CHECK_STR(walk(&img, 65536), "/deep/:22+2048@0 /deep/f:30+7@0 ");
	free(img.p);
}

static void test_joliet_names(void)
{
	struct image img = new_volume(40, 2048);
	uint8_t *p = image_block(&img, ROOT);

	put_volume(&img, 17, 2, "\0J", 2, 40, 21, 2048);
	put_terminator(&img, 18);
	p += put_dots(p, ROOT, 2048, NULL, 0);
	put_record(p, "FILE.;1", 7, 30, 5, 0, NULL, 0);
	p = image_block(&img, 21);
	p += put_dots(p, 21, 2048, NULL, 0);
	put_record(p, "\0F\0\xfc\0;\0001", 8, 30, 5, 0, NULL, 0);
	CHECK_STR(walk(&img, 65536), "/F\xc3\xbc:30+5@0 ");
	free(img.p);
}

static void test_multi_extent(void)
{
	struct image img = new_volume(40, 2048);
	uint8_t *p = image_block(&img, ROOT);

	p += put_dots(p, ROOT, 2048, NULL, 0);
	p += put_record(p, "BIG.;1", 6, 30, 4096, 0x80, NULL, 0);
	p += put_record(p, "BIG.;1", 6, 32, 100, 0, NULL, 0);
	put_record(p, "C.;1", 4, 33, 5, 0, NULL, 0);
	CHECK_STR(walk(&img, 65536), "/BIG:30+4096@0 /BIG:32+100@4096 /C:33+5@0 ");
	free(img.p);
}

static void test_cycles(void)
{
	struct image img = new_volume(40, 2048);
	uint8_t *p = image_block(&img, ROOT);

	p += put_dots(p, ROOT, 2048, NULL, 0);
	p += put_record(p, "SELF", 4, ROOT, 2048, 2, NULL, 0);
	put_record(p, "SUB", 3, 21, 2048, 2, NULL, 0);
	p = image_block(&img, 21);
	p += put_dots(p, 21, 2048, NULL, 0);
	p += put_record(p, "UP", 2, ROOT, 2048, 2, NULL, 0);
	put_record(p, "AGAIN", 5, 21, 2048, 2, NULL, 0);
	walk(&img, UINT64_MAX);
	CHECK_U64(n_visits, 4);
	free(img.p);
}

static void test_depth(void)
{
	/* 100 directories, each in the one before. */
	struct image img = new_volume(130, 2048);

	for (uint32_t i = 0; i < 100; i++) {
		uint8_t *p = image_block(&img, ROOT + i);

		p += put_dots(p, ROOT + i, 2048, NULL, 0);
		put_record(p, "D", 1, ROOT + i + 1, 2048, 2, NULL, 0);
	}
	walk(&img, UINT64_MAX);
	CHECK(n_visits > 60 && n_visits < 70);
	free(img.p);
}

static void test_malformed(void)
{
	struct image img = new_volume(40, 0xffffffff);
	uint8_t *p = image_block(&img, ROOT);

	/* A directory of 4 GiB whose records end in garbage, and one that lies nowhere. */
	p += put_dots(p, ROOT, 2048, NULL, 0);
	p += put_record(p, "FAR", 3, 0xfffffff0, 0xffffffff, 2, NULL, 0);
	p += put_record(p, "F.;1", 4, 30, 5, 0, NULL, 0);
	p[0] = 5;
	CHECK_STR(walk(&img, UINT64_MAX), "/FAR/:4294967280+4294967295@0 /F:30+5@0 ");
	free(img.p);
}

static void test_budget(void)
{
	struct image img = new_volume(40, 2048);
	struct source *src = image_source(&img);
	struct error err = ERROR_INIT;
	uint64_t budget = 65536;
	uint8_t *p = image_block(&img, ROOT);

	p += put_dots(p, ROOT, 2048, NULL, 0);
	put_record(p, "SUB", 3, 21, 2048, 2, NULL, 0);
	p = image_block(&img, 21);
	p += put_dots(p, 21, 2048, NULL, 0);
	put_record(p, "F.;1", 4, 30, 5, 0, NULL, 0);
	CHECK(tree_walk(src, &lay, &budget, note, NULL, &err) == 0);
	CHECK_U64(65536 - budget, 4 * 2048 + 3 * 2048); /* descriptors; the root twice, its child */
	source_free(src);
	walk(&img, 4 * 2048 + 2 * 2048);
	CHECK_U64(n_visits, 1);
	walk(&img, 0);
	CHECK_U64(n_visits, 0);
	free(img.p);
}

static void test_large_directories_wait(void)
{
	struct image img = new_volume(100, 2048);
	uint8_t *p = image_block(&img, ROOT);

	p += put_dots(p, ROOT, 2048, NULL, 0);
	p += put_record(p, "PACKAGES", 8, 40, 60 * 2048, 2, NULL, 0);
	put_record(p, "SUB", 3, 21, 2048, 2, NULL, 0);
	put_record(image_block(&img, 40), "P.;1", 4, 30, 5, 0, NULL, 0);
	put_record(image_block(&img, 21), "F.;1", 4, 31, 5, 0, NULL, 0);
	CHECK_STR(walk(&img, 65536), "/PACKAGES/:40+122880@0 /SUB/:21+2048@0 /SUB/F:31+5@0 "
				     "/PACKAGES/P:30+5@0 ");
	free(img.p);
}

static void test_owner(void)
{
	struct image img = new_volume(40, 2048);
	struct source *src = image_source(&img);
	struct error err = ERROR_INIT;
	uint8_t *p = image_block(&img, ROOT);
	char path[16];

	p += put_dots(p, ROOT, 2048, NULL, 0);
	p += put_record(p, "A.;1", 4, 30, 4096, 0x80, NULL, 0);
	p += put_record(p, "A.;1", 4, 34, 5, 0, NULL, 0);
	put_record(p, "LONGNAME.TXT;1", 14, 36, 2048, 0, NULL, 0);
	CHECK(tree_find_owner(src, &lay, 30 * 2048 + 4095, path, sizeof(path), &err) == 1);
	CHECK_STR(path, "/A");
	CHECK(tree_find_owner(src, &lay, 34 * 2048 + 4, path, sizeof(path), &err) == 1);
	CHECK(tree_find_owner(src, &lay, 34 * 2048 + 5, path, sizeof(path), &err) == 0);
	CHECK(tree_find_owner(src, &lay, 36 * 2048, path, 5, &err) == 1);
	CHECK_STR(path, "/LON");
	CHECK(tree_find_owner(src, &lay, 0, path, sizeof(path), &err) == 0);
	lay.volume.present = false;
	CHECK(tree_find_owner(src, &lay, 36 * 2048, path, sizeof(path), &err) == 0);
	source_free(src);
	free(img.p);
}

static void test_read_error(void)
{
	static const struct source_ops ops = { .name = "bad", .read_at = image_fail_read_at };
	struct image img = new_volume(40, 2048);
	struct source *src = source_new(&ops, SOURCE_RANDOM, &img);
	struct error err = ERROR_INIT;
	uint64_t budget = 65536;

	src->size = img.len;
	CHECK(tree_walk(src, &lay, &budget, note, NULL, &err) == -1);
	CHECK_STR(err.code, "read-failed");
	source_free(src);
	free(img.p);
}

/* Only what lies in the directory; of the others those on the way are read. */
static void test_list(void)
{
	struct image img = new_volume(60, 2048);
	struct error err = ERROR_INIT;
	uint64_t budget = 1 << 20;
	struct source *src;
	uint8_t *p;

	p = image_block(&img, ROOT);
	p += put_dots(p, ROOT, 2048, NULL, 0);
	p += put_record(p, "EFI", 3, 21, 2048, 2, NULL, 0);
	p += put_record(p, "EFIX", 4, 22, 2048, 2, NULL, 0);
	put_record(p, "FILE.EFI;1", 10, 30, 10, 0, NULL, 0);
	p = image_block(&img, 21);
	p += put_dots(p, 21, 2048, NULL, 0);
	p += put_record(p, "BOO", 3, 23, 2048, 2, NULL, 0);
	p += put_record(p, "BOOT", 4, 24, 2048, 2, NULL, 0);
	put_record(p, "OTHER.EFI;1", 11, 31, 10, 0, NULL, 0);
	for (uint32_t lba = 22; lba < 26; lba++) {
		p = image_block(&img, lba);
		p += put_dots(p, lba, 2048, NULL, 0);
		p += put_record(p, "A.EFI;1", 7, lba + 20, 10, 0, NULL, 0);
		if (lba == 24)
			put_record(p, "DEEPER", 6, 25, 2048, 2, NULL, 0);
	}
	src = image_source(&img);
	seen[0] = '\0';
	CHECK(tree_list(src, &lay, "/efi/Boot", &budget, note, NULL, &err) == 0);
	CHECK_STR(seen, "/EFI/BOOT/A.EFI:44+10@0 /EFI/BOOT/DEEPER/:25+2048@0 ");
	/* The descriptors, the root once more to see Rock Ridge by, and three directories. */
	CHECK((1 << 20) - budget <= 8 * 2048);
	seen[0] = '\0';
	CHECK(tree_list(src, &lay, "/EFI/NONE", &budget, note, NULL, &err) == 0);
	CHECK_STR(seen, "");
	source_free(src);
	free(img.p);
}

int main(void)
{
	RUN(test_plain_names);
	RUN(test_rock_ridge_names);
	RUN(test_continuation_loop);
	RUN(test_relocated_directory);
	RUN(test_joliet_names);
	RUN(test_multi_extent);
	RUN(test_cycles);
	RUN(test_depth);
	RUN(test_malformed);
	RUN(test_budget);
	RUN(test_large_directories_wait);
	RUN(test_owner);
	RUN(test_list);
	RUN(test_read_error);
	return tap_done();
}
