// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/bootcode.h"

#include <stdlib.h>

#include "boot/layout.h"
#include "tap.h"

#define SECTOR 512

static void check_mbr(enum bootcode_kind kind, uint64_t lba, uint16_t count)
{
	struct bootcode_mbr back = { 0 };
	uint8_t sector[SECTOR];

	memset(sector, 0x5a, sizeof(sector));
	bootcode_put_mbr(sector, kind, lba, count);
	for (int i = BOOTCODE_MBR_CODE; i < SECTOR; i++)
		CHECK(sector[i] == 0x5a);
	CHECK(bootcode_get_mbr(sector, &back));
	CHECK(back.kind == kind);
	CHECK_U64(back.lba, lba);
	CHECK_U64(back.count, count);
	CHECK(!memcmp(sector + BOOT_MBR_MAGIC, "ISOWRITE\0\0\0", 12));
}

static void test_mbr_round_trip(void)
{
	check_mbr(BOOTCODE_UEFI_ONLY, 0, 0);
	check_mbr(BOOTCODE_ISOLINUX, 0x0123456789abcdefULL, BOOT_ISOLINUX_SECTORS);
	check_mbr(BOOTCODE_GRUB2, UINT64_MAX, BOOT_GRUB2_SECTORS);
	check_mbr(BOOTCODE_CDEMU, BOOT_CDEMU_LBA, 4);
	check_mbr(BOOTCODE_CDEMU, BOOT_CDEMU_LBA, BOOT_CDEMU_MAX_SECTORS);
}

/* No byte can be another one: neither code nor magic, nor the kind. */
static void test_mbr_is_known_exactly(void)
{
	struct bootcode_mbr back = { .lba = 77 };

	for (int kind = BOOTCODE_UEFI_ONLY; kind <= BOOTCODE_CDEMU; kind++) {
		static const uint16_t counts[] = { 0, BOOT_ISOLINUX_SECTORS, BOOT_GRUB2_SECTORS,
						   4 };
		uint8_t sector[SECTOR] = { 0 };

		bootcode_put_mbr(sector, kind, kind == BOOTCODE_UEFI_ONLY ? 0 : 40, counts[kind]);
		for (int i = 0; i < BOOTCODE_MBR_CODE; i++) {
			if (i >= BOOT_MBR_LBA && i < BOOT_MBR_KIND)
				continue;
			sector[i] ^= 1;
			CHECK(!bootcode_get_mbr(sector, &back));
			sector[i] ^= 1;
		}
		sector[BOOT_MBR_KIND] = 0xff;
		CHECK(!bootcode_get_mbr(sector, &back));
	}
	CHECK_U64(back.lba, 77);
}

/* What could not boot is none of ours. */
static void test_mbr_with_impossible_facts(void)
{
	static const struct {
		enum bootcode_kind kind;
		uint64_t lba;
		uint16_t count;
	} wrong[] = {
		{ BOOTCODE_UEFI_ONLY, 1, 0 },  { BOOTCODE_UEFI_ONLY, 0, 1 },
		{ BOOTCODE_ISOLINUX, 200, 0 }, { BOOTCODE_ISOLINUX, 200, 5 },
		{ BOOTCODE_ISOLINUX, 0, 4 },   { BOOTCODE_GRUB2, 200, 0 },
		{ BOOTCODE_GRUB2, 200, 2 },    { BOOTCODE_CDEMU, 40, 0 },
		{ BOOTCODE_CDEMU, 40, 25 },    { BOOTCODE_CDEMU, 0, 4 },
	};
	struct bootcode_mbr back;
	uint8_t sector[SECTOR];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		bootcode_put_mbr(sector, wrong[i].kind, wrong[i].lba, wrong[i].count);
		CHECK(!bootcode_get_mbr(sector, &back));
	}
	memset(sector, 0, sizeof(sector));
	CHECK(!bootcode_get_mbr(sector, &back));
}

static bool discs_are_equal(const struct bootcode_disc *a, const struct bootcode_disc *b)
{
	return a->media == b->media && a->load_segment == b->load_segment &&
	       a->load_sectors == b->load_sectors && a->system_type == b->system_type &&
	       a->platform == b->platform && a->image_lba == b->image_lba &&
	       a->image_sectors == b->image_sectors && a->cylinders == b->cylinders &&
	       a->heads == b->heads && a->sectors_per_track == b->sectors_per_track &&
	       a->disc_blocks == b->disc_blocks && a->catalog_lba == b->catalog_lba;
}

static const struct bootcode_disc hard_disk = {
	.media = 4,
	.load_segment = 0x1234,
	.load_sectors = 0x5678,
	.system_type = 6,
	.platform = 0xef,
	.image_lba = 0x89abcdef,
	.image_sectors = 0xfedcba98,
	.cylinders = 1024,
	.heads = 256,
	.sectors_per_track = 63,
	.disc_blocks = 0x76543210,
	.catalog_lba = 0x13579bdf,
};

/* The disc as it is read back; false if it is not. */
static bool through_cdemu(const struct bootcode_disc *disc, struct bootcode_disc *ret)
{
	size_t size = bootcode_cdemu_size();
	uint8_t *buf = malloc(size);
	bool known;

	bootcode_put_cdemu(buf, disc);
	CHECK(!memcmp(buf + BOOT_CDEMU_MAGIC, "ISOWCDEM", 8));
	CHECK(!bootcode_get_cdemu(buf, size - 1, ret));
	known = bootcode_get_cdemu(buf, size, ret);
	free(buf);
	return known;
}

static void test_cdemu_round_trip(void)
{
	struct bootcode_disc back;

	CHECK(bootcode_cdemu_size() % SECTOR == 0);
	CHECK(bootcode_cdemu_size() <= BOOT_CDEMU_MAX_SECTORS * SECTOR);
	CHECK(through_cdemu(&hard_disk, &back));
	CHECK(discs_are_equal(&hard_disk, &back));
}

/* A catalog leaves to the BIOS what it does not say; cdemu is told. */
static void test_cdemu_is_told_what_goes_without_saying(void)
{
	static const uint32_t sectors[] = { 0, 2400, 2880, 5760 };

	for (uint8_t media = 0; media < 4; media++) {
		struct bootcode_disc disc = { .media = media, .image_lba = 33 }, back = { 0 };

		CHECK(through_cdemu(&disc, &back));
		CHECK_U64(back.load_segment, 0x7c0);
		CHECK_U64(back.load_sectors, 4);
		CHECK_U64(back.image_sectors, sectors[media]);
		CHECK_U64((uint32_t)back.cylinders * back.heads * back.sectors_per_track,
			  sectors[media]);
		CHECK_U64(back.image_lba, 33);
		disc = back;
		CHECK(through_cdemu(&disc, &back));
		CHECK(discs_are_equal(&disc, &back));
	}
}

static void test_cdemu_is_known_exactly(void)
{
	struct bootcode_disc disc = { .media = 2, .image_lba = 33 }, back = { .platform = 77 };
	size_t size = bootcode_cdemu_size();
	uint8_t *buf = malloc(size);

	bootcode_put_cdemu(buf, &disc);
	for (size_t i = 0; i < size; i++) {
		if (i >= BOOT_CDEMU_SEGMENT && i < BOOT_CDEMU_FACTS_END)
			continue;
		buf[i] ^= 4; /* among the facts: a floppy's geometry, and a media type 6 */
		CHECK(!bootcode_get_cdemu(buf, size, &back));
		buf[i] ^= 4;
	}
	memset(buf + BOOT_CDEMU_COUNT, 0, 2);
	CHECK(!bootcode_get_cdemu(buf, size, &back));
	CHECK_U64(back.platform, 77);
	free(buf);
}

/* It would divide by zero. */
static void test_cdemu_without_geometry(void)
{
	struct bootcode_disc disc = hard_disk, back;

	disc.heads = 0;
	CHECK(!through_cdemu(&disc, &back));
	disc = hard_disk;
	disc.cylinders = 0;
	CHECK(!through_cdemu(&disc, &back));
	disc = hard_disk;
	disc.sectors_per_track = 0;
	CHECK(!through_cdemu(&disc, &back));
}

int main(void)
{
	RUN(test_mbr_round_trip);
	RUN(test_mbr_is_known_exactly);
	RUN(test_mbr_with_impossible_facts);
	RUN(test_cdemu_round_trip);
	RUN(test_cdemu_is_told_what_goes_without_saying);
	RUN(test_cdemu_is_known_exactly);
	RUN(test_cdemu_without_geometry);
	return tap_done();
}
