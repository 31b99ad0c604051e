// SPDX-License-Identifier: GPL-3.0-or-later
/* disk/fatdir: geometry, clusters and chains of FAT12, 16 and 32; entries. */
#include "disk/fatdir.h"

#include "image_util.h"
#include "tap.h"

static uint8_t sector[512];

static void set_le16(size_t at, uint16_t v)
{
	sector[at] = (uint8_t)v;
	sector[at + 1] = (uint8_t)(v >> 8);
}

/* 512-byte sectors, 2 FATs. */
static void make(uint8_t cluster, uint16_t reserved, uint16_t root, uint32_t total, uint32_t fat)
{
	memset(sector, 0, sizeof(sector));
	set_le16(11, 512);
	sector[13] = cluster;
	set_le16(14, reserved);
	sector[16] = 2;
	set_le16(17, root);
	put_le32(sector + 32, total);
	if (root)
		set_le16(22, (uint16_t)fat);
	else
		put_le32(sector + 36, fat);
	put_le32(sector + 44, root ? 0 : 2);
}

static void test_fat12(void)
{
	struct fatdir_volume v;

	make(1, 1, 224, 2880, 9);
	CHECK(fatdir_decode(sector, &v) && v.bits == 12);
	CHECK(v.fat_start == 512 && v.root_start == 19 * 512 && v.root_len == 224 * 32);
	CHECK(v.data_start == 33 * 512 && v.n_clusters == 2847 && v.root_cluster == 0);
	CHECK_U64(fatdir_cluster_offset(&v, 2), 33 * 512);
	CHECK_U64(fatdir_cluster_offset(&v, 2848), 2879 * 512);
	CHECK_U64(fatdir_cluster_offset(&v, 2849), 0);
	CHECK_U64(fatdir_cluster_offset(&v, 1), 0);
	CHECK_U64(fatdir_link_offset(&v, 3), 512 + 4);
	CHECK_U64(fatdir_decode_link(&v, 2, (const uint8_t *)"\x45\xf3\xff\xff"), 0x345);
	CHECK_U64(fatdir_decode_link(&v, 3, (const uint8_t *)"\x5f\x34\xff\xff"), 0x345);
	CHECK_U64(fatdir_decode_link(&v, 2, (const uint8_t *)"\xff\xff\xff\xff"), 0);
	CHECK_U64(fatdir_decode_link(&v, 2, (const uint8_t *)"\0\0\0\0"), 0);
}

static void test_fat16(void)
{
	struct fatdir_volume v;

	make(4, 4, 512, 65536, 64);
	CHECK(fatdir_decode(sector, &v) && v.bits == 16);
	CHECK_U64(fatdir_link_offset(&v, 100), 4 * 512 + 200);
	CHECK_U64(fatdir_decode_link(&v, 100, (const uint8_t *)"\x34\x12\xff\xff"), 0x1234);
	CHECK_U64(fatdir_decode_link(&v, 100, (const uint8_t *)"\xf8\xff\x12\x12"), 0);
}

static void test_fat32(void)
{
	struct fatdir_volume v;

	make(1, 32, 0, 81920, 630);
	CHECK(fatdir_decode(sector, &v) && v.bits == 32 && v.root_cluster == 2);
	CHECK_U64(v.data_start, (32 + 2 * 630) * 512);
	CHECK_U64(fatdir_link_offset(&v, 100), 32 * 512 + 400);
	CHECK_U64(fatdir_decode_link(&v, 100, (const uint8_t *)"\x34\x12\x00\xf0"), 0x1234);
	CHECK_U64(fatdir_decode_link(&v, 100, (const uint8_t *)"\xf8\xff\xff\x0f"), 0);
}

static void test_not_fat(void)
{
	struct fatdir_volume v;

	memset(sector, 0, sizeof(sector));
	CHECK(!fatdir_decode(sector, &v));
	memset(sector, 0xff, sizeof(sector));
	CHECK(!fatdir_decode(sector, &v));
	make(1, 1, 224, 20, 9); /* smaller than its own FATs */
	CHECK(!fatdir_decode(sector, &v));
	make(3, 1, 224, 2880, 9); /* no power of two */
	CHECK(!fatdir_decode(sector, &v));
	make(1, 1, 224, 2880, 0);
	CHECK(!fatdir_decode(sector, &v));
}

static void test_entries(void)
{
	uint8_t e[32] = "BOOTX64 EFI\x20";
	struct fatdir_entry entry;
	bool is_end;

	e[20] = 1;
	e[26] = 2;
	e[28] = 3;
	CHECK(fatdir_decode_entry(e, &entry, &is_end) && !is_end && !entry.is_directory);
	CHECK_STR(entry.name, "BOOTX64 EFI");
	CHECK(entry.cluster == 0x10002 && entry.size == 3);
	e[11] = 0x10;
	CHECK(fatdir_decode_entry(e, &entry, &is_end) && entry.is_directory);
	e[11] = 0x0f; /* a long name's piece */
	CHECK(!fatdir_decode_entry(e, &entry, &is_end) && !is_end);
	e[11] = 0x08; /* the label */
	CHECK(!fatdir_decode_entry(e, &entry, &is_end) && !is_end);
	e[0] = 0xe5;
	CHECK(!fatdir_decode_entry(e, &entry, &is_end) && !is_end);
	e[0] = 0;
	CHECK(!fatdir_decode_entry(e, &entry, &is_end) && is_end);
}

int main(void)
{
	RUN(test_fat12);
	RUN(test_fat16);
	RUN(test_fat32);
	RUN(test_not_fat);
	RUN(test_entries);
	return tap_done();
}
