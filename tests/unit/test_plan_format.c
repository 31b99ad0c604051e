// SPDX-License-Identifier: GPL-3.0-or-later
/* What a stick becomes: type, table, place, label, numbers; and how little is written for it. */
#include "plan/plan-format.h"

#include <stdlib.h>

#include "base/num.h"
#include "disk/gpt.h"
#include "disk/mbr.h"
#include "tap.h"

static const struct geometry gb16 = {
	.size = 16000000000 / 512 * 512,
	.sector_size = 512,
	.io_align = 512,
};

/* 0, or -1 and err.code is left in ret_code. */
static int choose(enum format_type type, enum format_table table, uint64_t size, uint32_t sector,
		  const char *label, struct format_volume *v, const char **ret_code)
{
	const struct format_request req = { .type = type, .table = table, .label = label };
	const struct geometry geo = { .size = size, .sector_size = sector, .io_align = sector };
	struct error err = ERROR_INIT;
	int rc = format_choose(&req, &geo, v, &err);

	if (ret_code)
		*ret_code = rc < 0 ? err.code : "";
	return rc;
}

static enum format_type auto_type(uint64_t size, uint32_t sector)
{
	struct format_volume v;

	return choose(FORMAT_AUTO, FORMAT_TABLE_AUTO, size, sector, NULL, &v, NULL) < 0
		       ? FORMAT_AUTO
		       : v.type;
}

static void test_types(void)
{
	CHECK(auto_type(7 * MIB, 512) == FORMAT_AUTO); /* an error */
	CHECK(auto_type(8 * MIB, 512) == FORMAT_FAT16);
	CHECK(auto_type(8 * MIB, 4096) == FORMAT_AUTO);
	CHECK(auto_type(64 * MIB, 512) == FORMAT_FAT32);
	CHECK(auto_type(64 * MIB, 4096) == FORMAT_FAT16);
	CHECK(auto_type(300 * MIB, 4096) == FORMAT_FAT32);
	CHECK(auto_type(32 * GIB, 512) == FORMAT_FAT32);
	CHECK(auto_type(32 * GIB + 512, 512) == FORMAT_EXFAT);
	CHECK(auto_type(32017047552, 4096) == FORMAT_FAT32); /* "32 GB" */
	CHECK(auto_type(2000000000000, 512) == FORMAT_EXFAT);
}

static void test_place(void)
{
	struct format_volume v;

	CHECK(choose(FORMAT_AUTO, FORMAT_TABLE_AUTO, 64 * MIB, 512, NULL, &v, NULL) == 0);
	CHECK_U64(v.start, MIB);
	CHECK_U64(v.size, 63 * MIB);
	CHECK(choose(FORMAT_AUTO, FORMAT_TABLE_AUTO, 256 * MIB + 513, 512, NULL, &v, NULL) == 0);
	CHECK_U64(v.start, 4 * MIB);
	CHECK_U64(v.size, 252 * MIB);
	/* The backup GPT needs the last MiB. */
	CHECK(choose(FORMAT_EXFAT, FORMAT_TABLE_GPT, 256 * MIB, 512, NULL, &v, NULL) == 0);
	CHECK_U64(v.size, 251 * MIB);
}

static void test_tables(void)
{
	const uint64_t tib2 = 2048 * GIB;
	struct format_volume v;
	const char *code;

	CHECK(choose(FORMAT_AUTO, FORMAT_TABLE_AUTO, tib2 - MIB, 512, NULL, &v, NULL) == 0);
	CHECK(v.table == FORMAT_TABLE_MBR && !v.is_table_forced);
	CHECK(choose(FORMAT_AUTO, FORMAT_TABLE_AUTO, tib2 + MIB, 512, NULL, &v, NULL) == 0);
	CHECK(v.table == FORMAT_TABLE_GPT && v.is_table_forced);
	CHECK(choose(FORMAT_AUTO, FORMAT_TABLE_AUTO, tib2 + MIB, 4096, NULL, &v, NULL) == 0);
	CHECK(v.table == FORMAT_TABLE_MBR);
	CHECK(choose(FORMAT_AUTO, FORMAT_TABLE_MBR, tib2 + MIB, 512, NULL, &v, &code) < 0);
	CHECK_STR(code, "too-large");
	CHECK(choose(FORMAT_FAT32, FORMAT_TABLE_AUTO, tib2 + 64 * MIB, 512, NULL, &v, &code) < 0);
	CHECK_STR(code, "too-large");
	CHECK(choose(FORMAT_FAT32, FORMAT_TABLE_AUTO, 64 * MIB, 4096, NULL, &v, &code) < 0);
	CHECK_STR(code, "too-small");
}

static const char *label(enum format_type type, const char *text)
{
	static struct format_volume v;
	const char *code;

	return choose(type, FORMAT_TABLE_AUTO, 64 * GIB, 512, text, &v, &code) < 0 ? code : v.label;
}

static void test_labels(void)
{
	struct format_volume v;

	CHECK_STR(label(FORMAT_FAT32, "key 1"), "KEY 1");
	CHECK(choose(FORMAT_FAT32, FORMAT_TABLE_AUTO, GIB, 512, "KEY", &v, NULL) == 0);
	CHECK(!v.is_label_upper_cased);
	CHECK_STR(label(FORMAT_FAT32, ""), "");
	CHECK_STR(label(FORMAT_FAT32, "12345678901"), "12345678901");
	CHECK_STR(label(FORMAT_FAT32, "123456789012"), "bad-label");
	CHECK_STR(label(FORMAT_FAT32, "A.B"), "bad-label");
	CHECK_STR(label(FORMAT_FAT32, "\xc3\x84"), "bad-label");
	CHECK_STR(label(FORMAT_FAT32, " A"), "bad-label");
	CHECK_STR(label(FORMAT_FAT32, "A "), "bad-label");
	CHECK_STR(label(FORMAT_EXFAT, "\xc3\xa4"
				      "bcdefghijk"),
		  "\xc3\xa4"
		  "bcdefghijk");
	/* Two UTF-16 units each. */
	CHECK_STR(label(FORMAT_EXFAT, "\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91"
				      "\xf0\x9f\x94\x91\xf0\x9f\x94\x91"
				      "a"),
		  "\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91"
		  "a");
	CHECK_STR(label(FORMAT_EXFAT, "\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91"
				      "\xf0\x9f\x94\x91\xf0\x9f\x94\x91"
				      "ab"),
		  "bad-label");
	CHECK_STR(label(FORMAT_EXFAT, "a\xff"), "bad-label");
	CHECK_STR(label(FORMAT_EXFAT, "a\x01"), "bad-label");
	CHECK_STR(label(FORMAT_EXFAT, "a/b"), "bad-label");
	CHECK_STR(label(FORMAT_EXT4, "a/b:c*d\"e.f|g?hi"), "a/b:c*d\"e.f|g?hi");
	CHECK_STR(label(FORMAT_EXT4, "12345678901234567"), "bad-label");
}

static void test_numbers(void)
{
	struct format_request req = { .type = FORMAT_EXFAT };
	struct geometry geo = gb16;
	struct format_volume a, b;
	struct error err = ERROR_INIT;

	CHECK(format_choose(&req, &geo, &a, &err) == 0 && format_choose(&req, &geo, &b, &err) == 0);
	CHECK(a.serial == b.serial && a.disk_signature == b.disk_signature);
	CHECK(a.serial != a.disk_signature && a.disk_signature != 0);
	geo.size += MIB;
	CHECK(format_choose(&req, &geo, &b, &err) == 0 && a.serial != b.serial);
	geo.size -= MIB;
	req.seed[15] = 1;
	CHECK(format_choose(&req, &geo, &b, &err) == 0 && a.serial != b.serial);
	CHECK(memcmp(a.disk_guid, b.disk_guid, 16) != 0);
	CHECK((a.disk_guid[7] & 0xf0) == 0x40 && (a.disk_guid[8] & 0xc0) == 0x80);
	req.type = FORMAT_EXT4;
	CHECK(format_choose(&req, &geo, &a, &err) == 0);
	CHECK_U64(strlen(a.id), 36);
	CHECK(a.id[14] == '4');
}

/* Bytes that are written to a stick of that size. */
static uint64_t written(enum format_type type, uint64_t size, uint32_t sector)
{
	const struct geometry geo = { .size = size, .sector_size = sector, .io_align = sector };
	struct error err = ERROR_INIT;
	struct format_volume v;
	struct plan *plan;
	uint64_t bytes;

	CHECK(choose(type, FORMAT_TABLE_AUTO, size, sector, "KEY", &v, NULL) == 0);
	if (format_make_plan(&v, &geo, NULL, 0, &plan, &err) < 0) {
		CHECK_STR(err.msg, "");
		return UINT64_MAX;
	}
	bytes = size - plan_bytes(plan, EXTENT_KEEP);
	plan_free(plan);
	return bytes;
}

/* A stick of 256 GB is given back in less than 2 seconds at 20 MB/s. */
static void test_how_much_is_written(void)
{
	static const uint32_t sectors[] = { 512, 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
		CHECK(written(FORMAT_EXFAT, 256000000000, sectors[i]) <= 40000000);
		CHECK(written(FORMAT_FAT32, 256000000000, sectors[i]) <= 40000000);
		CHECK(written(FORMAT_FAT32, 32000000000 / 4096 * 4096, sectors[i]) <= 40000000);
		CHECK(written(FORMAT_EXFAT, 2000000000000 / 4096 * 4096, sectors[i]) <= 40000000);
		CHECK(written(FORMAT_AUTO, 64 * MIB, sectors[i]) <= 10000000);
	}
}

/* What an old stick may have had at either end is not there afterwards. */
static void test_both_ends_are_written(void)
{
	struct error err = ERROR_INIT;
	struct format_volume v;
	struct plan *plan;

	CHECK(choose(FORMAT_FAT32, FORMAT_TABLE_AUTO, gb16.size, 512, NULL, &v, NULL) == 0);
	CHECK(format_make_plan(&v, &gb16, NULL, 0, &plan, &err) == 0);
	for (uint64_t off = 0; off < v.start + 4 * MIB; off += 512)
		CHECK(plan_find(plan, off)->kind != EXTENT_KEEP);
	CHECK(plan_find(plan, gb16.size - MIB)->kind == EXTENT_ZERO);
	CHECK(plan_find(plan, gb16.size - 1)->kind == EXTENT_ZERO);
	plan_free(plan);
}

static void test_gpt(void)
{
	const struct geometry geo = { .size = 300 * MIB, .sector_size = 4096, .io_align = 4096 };
	struct error err = ERROR_INIT;
	struct gpt_header h, backup;
	struct format_volume v;
	struct gpt_entry e;
	struct plan *plan;
	uint8_t *buf = malloc(24 * KIB);
	struct mbr mbr;

	CHECK(choose(FORMAT_EXFAT, FORMAT_TABLE_GPT, geo.size, 4096, NULL, &v, NULL) == 0);
	CHECK(format_make_plan(&v, &geo, NULL, 0, &plan, &err) == 0);
	CHECK(plan_fill(plan, NULL, 0, buf, 24 * KIB, &err) == 0);
	CHECK(mbr_decode(buf, &mbr) && mbr_find_protective(&mbr) == 0);
	CHECK_U64(mbr.entries[0].len_blocks, geo.size / 4096 - 1);
	CHECK(gpt_decode_header(buf + 4096, 4096, 1, &h) == GPT_OK);
	CHECK(h.entries_crc == gpt_array_crc(&h, buf + 2 * 4096));
	CHECK(gpt_decode_entry(buf + 2 * 4096, &e));
	CHECK_U64(e.first_lba * 4096, v.start);
	CHECK_U64((e.last_lba + 1) * 4096, v.start + v.size);
	CHECK(e.last_lba <= h.last_usable_lba && e.first_lba >= h.first_usable_lba);
	CHECK(plan_fill(plan, NULL, geo.size - 4096, buf, 4096, &err) == 0);
	CHECK(gpt_decode_header(buf, 4096, geo.size / 4096 - 1, &backup) == GPT_OK);
	CHECK(backup.entries_crc == h.entries_crc && backup.alternate_lba == 1);
	plan_free(plan);
	free(buf);
}

/* mke2fs's pieces lie where it put them; between them old bytes stay, but for the first MiB. */
static void test_ext4_pieces(void)
{
	static uint8_t data[8192] = { 'a', [4096] = 'b' };
	const struct plan_piece pieces[] = {
		{ 0, 4096, data },
		{ 512 * KIB, 4096, data + 4096 },
		{ 100 * MIB, 8192, data },
		{ 250 * MIB, 4096, data },
	};
	const struct geometry geo = { .size = 256 * MIB, .sector_size = 512, .io_align = 512 };
	struct error err = ERROR_INIT;
	struct format_volume v;
	struct plan *plan;
	uint8_t byte;

	CHECK(choose(FORMAT_EXT4, FORMAT_TABLE_AUTO, geo.size, 512, "x", &v, NULL) == 0);
	CHECK(format_make_plan(&v, &geo, pieces, 4, &plan, &err) == 0);
	CHECK_STR(err.msg, "");
	CHECK(plan_find(plan, 4 * MIB + 4096)->kind == EXTENT_ZERO);
	CHECK(plan_find(plan, 5 * MIB)->kind == EXTENT_KEEP);
	CHECK(plan_fill(plan, NULL, 4 * MIB + 512 * KIB, &byte, 1, &err) == 0 && byte == 'b');
	CHECK(plan_fill(plan, NULL, 104 * MIB + 4096, &byte, 1, &err) == 0 && byte == 'b');
	CHECK(plan_find(plan, 200 * MIB)->kind == EXTENT_KEEP);
	CHECK(plan_find(plan, 254 * MIB)->kind == EXTENT_MEMORY);
	CHECK(plan_find(plan, geo.size - MIB)->kind == EXTENT_ZERO);
	plan_free(plan);
}

int main(void)
{
	RUN(test_types);
	RUN(test_place);
	RUN(test_tables);
	RUN(test_labels);
	RUN(test_numbers);
	RUN(test_how_much_is_written);
	RUN(test_both_ends_are_written);
	RUN(test_gpt);
	RUN(test_ext4_pieces);
	return tap_done();
}
