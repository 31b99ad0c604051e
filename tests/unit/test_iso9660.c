// SPDX-License-Identifier: GPL-3.0-or-later
/* disk/iso9660, disk/joliet, disk/udf: descriptors, records, names, dates. */
#include "disk/iso9660.h"

#include "disk/joliet.h"
#include "disk/udf.h"
#include "image_util.h"
#include "tap.h"

static void test_volume(void)
{
	struct image img = image_new(20);
	struct iso_volume v;
	uint8_t type;

	put_volume(&img, 16, 1, "DISC_1", 6, 1234, 20, 4096);
	CHECK(iso9660_is_descriptor(image_block(&img, 16), &type) && type == ISO_PRIMARY);
	CHECK(!iso9660_is_descriptor(image_block(&img, 17), &type));
	iso9660_decode_volume(image_block(&img, 16), &v);
	CHECK(!v.is_joliet && !v.has_odd_block_size && !v.halves_differ);
	CHECK_STR(v.id, "DISC_1");
	CHECK_STR(v.publisher, "");
	CHECK_STR(v.created, "2024-04-24T13:15:00+01:00");
	CHECK_STR(v.modified, "");
	CHECK_U64(v.n_blocks, 1234);
	CHECK_U64(v.block_size, 2048);
	CHECK_U64(v.root_lba, 20);
	CHECK_U64(v.root_len, 4096);

	image_block(&img, 16)[84] = 9; /* the big-endian half */
	image_block(&img, 16)[129] = 7;
	iso9660_decode_volume(image_block(&img, 16), &v);
	CHECK(v.halves_differ && v.has_odd_block_size);
	CHECK_U64(v.block_size, 2048);
	free(img.p);
}

static void test_joliet_volume(void)
{
	static const uint8_t id[] = { 0, 'D', 0, 0xfc, 0x20, 0xac, 0xd8, 0x3d, 0xdc, 0xbe };
	struct image img = image_new(20);
	struct iso_volume v;

	put_volume(&img, 16, 2, id, sizeof(id), 1, 20, 2048);
	iso9660_decode_volume(image_block(&img, 16), &v);
	CHECK(v.is_joliet);
	CHECK_STR(v.id, "D\xc3\xbc\xe2\x82\xac\xf0\x9f\x92\xbe");
	image_block(&img, 16)[90] = 'X';
	iso9660_decode_volume(image_block(&img, 16), &v);
	CHECK(!v.is_joliet);
	free(img.p);
}

static void test_joliet_names(void)
{
	char out[16];

	CHECK_U64(joliet_decode_name((const uint8_t *)"\0a\0b", 4, out, sizeof(out)), 2);
	CHECK_STR(out, "ab");
	joliet_decode_name((const uint8_t *)"\0a\0b\0", 5, out, sizeof(out)); /* odd length */
	CHECK_STR(out, "ab");
	joliet_decode_name((const uint8_t *)"\xd8\x3d\0a", 4, out, sizeof(out)); /* half a pair */
	CHECK_STR(out, "\xef\xbf\xbd"
		       "a");
	joliet_decode_name((const uint8_t *)"\xd8\x3d", 2, out, sizeof(out));
	CHECK_STR(out, "\xef\xbf\xbd");
	joliet_decode_name((const uint8_t *)"\0a\x20\xac", 4, out, 4); /* no room for the euro */
	CHECK_STR(out, "a");
}

static void test_dates(void)
{
	static const struct {
		const char *date, *want;
	} cases[] = {
		{ "2024022923595900\0", "2024-02-29T23:59:59Z" },
		{ "2024022923595900\x24", "2024-02-29T23:59:59+09:00" },
		{ "2024022923595900\xee", "2024-02-29T23:59:59-04:30" },
		{ "2024022923595900\x7f", "2024-02-29T23:59:59Z" }, /* an impossible zone */
		{ "0000000000000000\0", "" },
		{ "2024132923595900\0", "" },
		{ "2024 22923595900\0", "" },
		{ "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "" },
	};
	char out[32];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		iso9660_decode_date((const uint8_t *)cases[i].date, out);
		CHECK_STR(out, cases[i].want);
	}
}

static void test_records(void)
{
	uint8_t buf[4096] = { 0 };
	struct iso_record rec;
	size_t pos = 0, n = put_dots(buf, 20, 4096, NULL, 0);
	char name[16];

	n += put_record(buf + n, "README.TXT;1", 12, 30, 5, 0, "XY\4\1", 4);
	n += put_record(buf + n, "BIG.;1", 6, 31, 0xfffff800, 0x80, NULL, 0);
	put_record(buf + 2048, "DIR", 3, 40, 2048, 2, NULL, 0);
	CHECK(iso9660_next_record(buf, sizeof(buf), &pos, &rec) && iso9660_is_dot(&rec));
	CHECK(iso9660_next_record(buf, sizeof(buf), &pos, &rec) && iso9660_is_dot(&rec));
	CHECK(iso9660_next_record(buf, sizeof(buf), &pos, &rec) && !iso9660_is_dot(&rec));
	iso9660_plain_name(&rec, name, sizeof(name));
	CHECK_STR(name, "README.TXT");
	CHECK(rec.extent_lba == 30 && rec.len == 5 && !rec.is_directory && !rec.has_more);
	CHECK(rec.system_use_len >= 4 && !memcmp(rec.system_use, "XY", 2));
	CHECK(iso9660_next_record(buf, sizeof(buf), &pos, &rec) && rec.has_more);
	iso9660_plain_name(&rec, name, sizeof(name));
	CHECK_STR(name, "BIG");
	iso9660_plain_name(&rec, name, 3);
	CHECK_STR(name, "BI");
	/* The rest of the first sector is skipped. */
	CHECK(iso9660_next_record(buf, sizeof(buf), &pos, &rec) && rec.is_directory);
	CHECK_U64(pos, 2048 + 36);
	CHECK(!iso9660_next_record(buf, sizeof(buf), &pos, &rec));
}

static void test_malformed_records(void)
{
	uint8_t good[64] = { 0 }, bad[64];
	struct iso_record rec;
	size_t pos = 0, len = put_record(good, "A", 1, 1, 1, 0, NULL, 0);

	CHECK(iso9660_next_record(good, len, &pos, &rec));
	for (size_t cut = 0; cut < len; cut++) {
		pos = 0;
		CHECK(!iso9660_next_record(good, cut, &pos, &rec));
	}
	memcpy(bad, good, sizeof(bad));
	bad[0] = 33; /* no room for the name */
	pos = 0;
	CHECK(!iso9660_next_record(bad, sizeof(bad), &pos, &rec));
	bad[0] = 255;
	CHECK(!iso9660_next_record(bad, sizeof(bad), &pos, &rec));
	memcpy(bad, good, sizeof(bad));
	bad[32] = 0; /* no name */
	CHECK(!iso9660_next_record(bad, sizeof(bad), &pos, &rec));
	CHECK_U64(pos, 0);
}

static void test_record_across_sectors(void)
{
	uint8_t buf[4096] = { 0 };
	struct iso_record rec;
	size_t pos = 2040;

	put_record(buf + 2040, "A", 1, 1, 1, 0, NULL, 0);
	CHECK(!iso9660_next_record(buf, sizeof(buf), &pos, &rec));
}

static void test_udf(void)
{
	uint8_t s[UDF_SECTOR] = { 0 };
	uint32_t lba, len;
	char name[64];

	memcpy(s, "\0NSR02\1", 7);
	CHECK(udf_is_nsr(s) && !udf_is_recognition(s));
	memcpy(s, "\0BEA01\1", 7);
	CHECK(!udf_is_nsr(s) && udf_is_recognition(s));

	/* A tag without contents: identifier 2, version 2, its checksum, at block 256. */
	memset(s, 0, sizeof(s));
	s[0] = 2;
	s[2] = 2;
	put_le32(s + 12, 256);
	s[4] = 2 + 2 + 1;
	put_le32(s + 16, 32768);
	put_le32(s + 20, 257);
	CHECK_U64(udf_check_tag(s, 256), UDF_TAG_ANCHOR);
	CHECK_U64(udf_check_tag(s, 257), 0);
	udf_decode_anchor(s, &lba, &len);
	CHECK(lba == 257 && len == 32768);
	/* CRC-16 of "123456789" by this polynomial and start is 31C3. */
	memcpy(s + 16, "123456789", 9);
	s[8] = 0xc3;
	s[9] = 0x31;
	s[10] = 9;
	s[4] = (uint8_t)(5 + 0xc3 + 0x31 + 9);
	CHECK_U64(udf_check_tag(s, 256), UDF_TAG_ANCHOR);
	s[16] ^= 1;
	CHECK_U64(udf_check_tag(s, 256), 0);
	s[4]++;
	CHECK_U64(udf_check_tag(s, 256), 0);

	memcpy(s + 84, "\10Windows", 8);
	s[84 + 127] = 8;
	udf_decode_volume_name(s, name, sizeof(name));
	CHECK_STR(name, "Windows");
	memcpy(s + 84, "\20\0W\0\xfc", 5);
	s[84 + 127] = 5;
	udf_decode_volume_name(s, name, sizeof(name));
	CHECK_STR(name, "W\xc3\xbc");
	s[84 + 127] = 255;
	udf_decode_volume_name(s, name, sizeof(name));
	CHECK_STR(name, "");
}

/* As implantisomd5 writes it. */
static void test_media_check(void)
{
	uint8_t sector[ISO_SECTOR] = { ISO_PRIMARY, 'C', 'D', '0', '0', '1', 1 };
	struct iso_volume v;

	iso9660_decode_volume(sector, &v);
	CHECK(!v.has_media_check);
	memcpy(sector + 883, "ISO MD5SUM = 6dfc632d6c540d51de28f29fd7478cf9;SKIPSECTORS = 15;", 63);
	iso9660_decode_volume(sector, &v);
	CHECK(v.has_media_check);
	memset(sector + 883, 0, 512);
	memcpy(sector + 1400, "ISO MD5SUM = ", 13); /* behind the field */
	iso9660_decode_volume(sector, &v);
	CHECK(!v.has_media_check);
}

int main(void)
{
	RUN(test_volume);
	RUN(test_joliet_volume);
	RUN(test_joliet_names);
	RUN(test_dates);
	RUN(test_records);
	RUN(test_malformed_records);
	RUN(test_record_across_sectors);
	RUN(test_udf);
	RUN(test_media_check);
	return tap_done();
}
