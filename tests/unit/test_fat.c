// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/fat.h"

#include "tap.h"

/* The heads of boot sectors as the usual tools write them. */
static const char fat12[] = /* mkfs.fat, 1440 KiB, label TWELVE */
	"eb3c906d6b66732e666174000201010002e000400bf00900120002000000000000000000000029be"
	"8321495457454c564520202020204641543132202020";
static const char fat16[] = /* mkfs.fat, 32 MiB, no label */
	"eb3c906d6b66732e66617400020404000200020000f8400020000400000000000000010080002981"
	"8d21494e4f204e414d45202020204641543136202020";
static const char fat32[] = /* mkfs.fat, 300 MiB, label THIRTYTWO */
	"eb58906d6b66732e66617400020820000200000000f800003f00100000000000e85f090058020000"
	"0000000002000000010006000000000000000000000000008000296197214954484952545954574f"
	"20204641543332202020";
static const char exfat[] = /* mkfs.exfat, 64 MiB */
	"eb769045584641542020200000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000020000000000"
	"000800008000000000100000003e00000500000092d43a6b0001000009030180";
static const char ntfs[] = /* mkfs.ntfs, 64 MiB */
	"eb52904e5446532020202000020800000000000000f8000000000000000000000000000080008000"
	"ffff0100000000000400000000000000ff1f000000000000";

static void from_hex(const char *hex, uint8_t sector[512])
{
	memset(sector, 0, 512);
	for (unsigned int byte, i = 0; sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
		sector[i] = (uint8_t)byte;
}

static void check(const char *hex, enum fat_kind kind, uint64_t size, const char *label)
{
	struct fat_volume volume;
	uint8_t sector[512];

	from_hex(hex, sector);
	if (!fat_decode(sector, &volume)) {
		CHECK(!"decoded");
		return;
	}
	CHECK_STR(fat_kind_name(volume.kind), fat_kind_name(kind));
	CHECK_U64(volume.sector_size, 512);
	CHECK_U64(volume.size, size);
	CHECK_STR(volume.label, label);
}

static void test_kinds(void)
{
	check(fat12, FAT_12, 1440 << 10, "TWELVE");
	check(fat16, FAT_16, 32 << 20, "");
	/* 614376 sectors: whole tracks of 63. */
	check(fat32, FAT_32, 614376 * UINT64_C(512), "THIRTYTWO");
	check(exfat, FAT_EXFAT, 64 << 20, "");
	check(ntfs, FAT_NTFS, 64 << 20, "");
}

/* One field spoilt: no longer believed. */
static void check_refused(const char *hex, unsigned int off, uint8_t value)
{
	struct fat_volume volume;
	uint8_t sector[512];

	from_hex(hex, sector);
	CHECK(fat_decode(sector, &volume));
	sector[off] = value;
	if (fat_decode(sector, &volume)) {
		printf("# byte %u = %u is believed\n", off, value);
		CHECK(!"refused");
	}
}

static void test_refused(void)
{
	struct fat_volume volume;
	uint8_t zero[512] = { 0 };

	CHECK(!fat_decode(zero, &volume));
	check_refused(fat12, 0, 0x33); /* no jump */
	check_refused(fat12, 12, 0x03); /* sectors of 768 */
	check_refused(fat12, 12, 0x20); /* sectors of 8192 */
	check_refused(fat12, 13, 3); /* clusters of 3 sectors */
	check_refused(fat12, 13, 0);
	check_refused(fat12, 14, 0); /* no reserved sector */
	check_refused(fat12, 16, 0);
	check_refused(fat12, 16, 3); /* three FATs */
	check_refused(fat12, 21, 0xf1); /* media */
	check_refused(fat12, 22, 0); /* no FAT */
	check_refused(fat12, 23, 0xff); /* FATs larger than the volume */
	check_refused(exfat, 20, 1); /* must be zero */
	check_refused(exfat, 108, 8);
	check_refused(exfat, 108, 13);
	check_refused(exfat, 79, 0xff); /* overflows in bytes */
	check_refused(ntfs, 12, 0);
	check_refused(ntfs, 47, 0xff);
}

int main(void)
{
	RUN(test_kinds);
	RUN(test_refused);
	return tap_done();
}
