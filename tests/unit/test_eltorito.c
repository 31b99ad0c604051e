// SPDX-License-Identifier: GPL-3.0-or-later
/* disk/eltorito and disk/isohybrid: catalogs, strict and sloppy, and what boot images carry. */
#include "disk/eltorito.h"

#include "disk/isohybrid.h"
#include "image_util.h"
#include "tap.h"

static uint8_t buf[8 * ELTORITO_SECTOR];
static struct eltorito_catalog cat;

static uint8_t *record(size_t i)
{
	return buf + i * ELTORITO_RECORD;
}

static void start(uint8_t platform)
{
	memset(buf, 0, sizeof(buf));
	put_validation(record(0), platform, "");
}

/* Parses buf; returns the sectors that were asked for, 0: no catalog. */
static unsigned int parse(void)
{
	struct eltorito_parser p;
	unsigned int n = 1;

	if (!eltorito_begin(&p, &cat, buf))
		return 0;
	while (eltorito_parse_sector(&p, buf + (n - 1) * ELTORITO_SECTOR) && n < 8)
		n++;
	return n;
}

static void test_boot_record(void)
{
	struct image img = image_new(18);
	uint32_t lba = 0;

	put_boot_record(&img, 17, 0x01020304);
	CHECK(eltorito_decode_boot_record(image_block(&img, 17), &lba) && lba == 0x01020304);
	image_block(&img, 17)[7] = 'X';
	CHECK(!eltorito_decode_boot_record(image_block(&img, 17), &lba));
	free(img.p);
}

static void test_validation(void)
{
	/* Without an id: AA 55 for x86, 66 AA bytewise reversed for EFI. */
	start(0);
	CHECK(record(0)[28] == 0xaa && record(0)[29] == 0x55);
	CHECK(parse() == 1 && cat.checksum_valid && cat.has_key);
	start(0xef);
	CHECK(record(0)[28] == 0xaa && record(0)[29] == 0x66);
	CHECK(parse() == 1 && cat.checksum_valid && cat.platform == 0xef);
	record(0)[28] ^= 1;
	CHECK(parse() == 1 && !cat.checksum_valid && cat.has_key);
	record(0)[31] = 0;
	CHECK(parse() == 1 && !cat.has_key);
	record(0)[0] = 2;
	CHECK(parse() == 0);
	start(0);
	put_validation(record(0), 0, "CDROM MAKER");
	CHECK(parse() == 1 && cat.checksum_valid);
	CHECK_STR(cat.id, "CDROM MAKER");
}

static void test_default_entry(void)
{
	start(0);
	put_entry(record(1), 0x88, 0xc4, 0x1234, 0xa0b0c0d0);
	record(1)[2] = 0xc0;
	record(1)[3] = 0x07;
	record(1)[4] = 6;
	CHECK(parse() == 1 && cat.n_entries == 1);
	CHECK(cat.entries[0].is_bootable && cat.entries[0].media == 4);
	CHECK_U64(cat.entries[0].load_segment, 0x7c0);
	CHECK_U64(cat.entries[0].system_type, 6);
	CHECK_U64(cat.entries[0].sector_count, 0x1234);
	CHECK_U64(cat.entries[0].lba, 0xa0b0c0d0);
	CHECK_U64(cat.entries[0].record, 1);
	record(1)[0] = 0;
	CHECK(parse() == 1 && !cat.entries[0].is_bootable);
}

static void test_sections(void)
{
	start(0);
	put_entry(record(1), 0x88, 0, 4, 100);
	put_section(record(2), 0x90, 0, 1, "GRUBALT");
	put_entry(record(3), 0x88, 0, 4, 200);
	put_section(record(4), 0x91, 0xef, 2, "");
	put_entry(record(5), 0x88, 0, 1, 300);
	put_entry(record(6), 0x00, 0, 1, 400);
	CHECK(parse() == 1 && cat.n_entries == 4);
	CHECK_STR(cat.entries[1].id, "GRUBALT");
	CHECK(cat.entries[1].platform == 0 && cat.entries[2].platform == 0xef);
	CHECK(cat.entries[2].lba == 300 && cat.entries[2].record == 5);
	CHECK(!cat.entries[3].is_bootable && cat.entries[3].lba == 400);
	CHECK(cat.n_unannounced == 0 && cat.n_missing == 0);
}

static void test_extensions(void)
{
	start(0);
	put_entry(record(1), 0x88, 0, 4, 100);
	put_section(record(2), 0x91, 2, 2, "");
	put_entry(record(3), 0x88, 0x20, 4, 200); /* an extension follows */
	record(4)[0] = 0x44;
	record(4)[1] = 0x20; /* and another one */
	record(5)[0] = 0x44;
	put_entry(record(6), 0x88, 0, 4, 300);
	CHECK(parse() == 1 && cat.n_entries == 3);
	CHECK_U64(cat.entries[1].n_extensions, 2);
	CHECK_U64(cat.entries[2].lba, 300);
	CHECK(cat.n_unannounced == 0 && cat.n_missing == 0);
}

static void test_many_sectors(void)
{
	/* 70 entries announced: two sectors, and 7 more than are kept. */
	start(0);
	put_entry(record(1), 0x88, 0, 4, 100);
	put_section(record(2), 0x91, 0xef, 70, "");
	for (size_t i = 0; i < 70; i++)
		put_entry(record(3 + i), 0x88, 0, 4, (uint32_t)(1000 + i));
	CHECK_U64(parse(), 2);
	CHECK_U64(cat.n_entries, ELTORITO_MAX_ENTRIES);
	CHECK_U64(cat.n_dropped, 7);
	CHECK_U64(cat.entries[62].record, 64); /* the first of the second sector */
	CHECK_U64(cat.entries[62].lba, 1061);
}

static void test_sloppy(void)
{
	/* A last header that counts nothing, with an entry behind it. */
	start(0);
	put_entry(record(1), 0x88, 0, 4, 100);
	put_section(record(2), 0x91, 0xef, 0, "");
	put_entry(record(3), 0x88, 0, 4, 200);
	CHECK(parse() == 1 && cat.n_entries == 2 && cat.n_unannounced == 1);
	CHECK_U64(cat.entries[1].platform, 0xef);
	/* Nothing behind it. */
	memset(record(3), 0, ELTORITO_RECORD);
	CHECK(parse() == 1 && cat.n_entries == 1);
	/* More announced than the sector and the catalog hold. */
	put_section(record(2), 0x91, 0xef, 65535, "");
	put_entry(record(3), 0x88, 0, 4, 200);
	CHECK(parse() == 1 && cat.n_entries == 2);
	CHECK_U64(cat.n_missing, 65534);
	/* No section at all, or a header that promises another one: ends at the zeros. */
	memset(record(2), 0, 2 * ELTORITO_RECORD);
	CHECK(parse() == 1 && cat.n_entries == 1);
	put_section(record(2), 0x90, 0xef, 1, "");
	put_entry(record(3), 0x88, 0, 4, 200);
	CHECK(parse() == 1 && cat.n_entries == 2);
	/* All zeros as default entry: not bootable, but there. */
	start(0);
	CHECK(parse() == 1 && cat.n_entries == 1 && !cat.entries[0].is_bootable);
}

static void test_floppy_sizes(void)
{
	CHECK_U64(eltorito_floppy_size(0), 0);
	CHECK_U64(eltorito_floppy_size(1), 1228800);
	CHECK_U64(eltorito_floppy_size(2), 1474560);
	CHECK_U64(eltorito_floppy_size(3), 2949120);
	CHECK_U64(eltorito_floppy_size(4), 0);
}

static void test_boot_info(void)
{
	uint8_t head[64] = { 0 };
	struct boot_info info;

	put_le32(head + 8, 16);
	put_le32(head + 12, 100);
	put_le32(head + 16, 38912);
	put_le32(head + 20, 0xdeadbeef);
	boot_info_decode(head, &info);
	CHECK(info.pvd_lba == 16 && info.file_lba == 100);
	CHECK(info.file_len == 38912 && info.checksum == 0xdeadbeef);
	CHECK_U64(boot_info_add(0, (const uint8_t *)"\1\0\0\0\2\0\0\xff", 8), 0xff000003);
	CHECK_U64(boot_info_add(0xffffffff, (const uint8_t *)"\1\0\0\0\7", 5), 7);
	CHECK_U64(boot_info_add(5, NULL, 0), 5);
}

static void test_mbr_code(void)
{
	uint8_t mbr[512] = { 0 };

	CHECK(mbr_code_is_empty(mbr));
	mbr[439] = 1;
	CHECK(!mbr_code_is_empty(mbr));
	mbr[439] = 0;
	mbr[440] = 1; /* the disk signature is no code */
	CHECK(mbr_code_is_empty(mbr));
	memcpy(mbr, "ER\10\0\0\0\x90\x90", 8);
	CHECK(mbr_code_is_empty(mbr)); /* Apple's driver map alone */
	mbr[40] = 0x33;
	CHECK(!mbr_code_is_empty(mbr));
	CHECK(!mbr_code_is_isolinux(mbr) && !mbr_code_is_grub2(mbr) && !mbr_code_is_windows(mbr));
	memcpy(mbr + 100, "\xfb\xc0\x78\x70", 4);
	memcpy(mbr + 200, "isolinux.bin missing", 20);
	put_le32(mbr + 432, 5908);
	CHECK(mbr_code_is_isolinux(mbr));
	CHECK_U64(isolinux_mbr_target(mbr), 5908);
	CHECK_U64(grub2_mbr_target(mbr), 5904);
	memcpy(mbr + 0x180, "GRUB \0Geom\0Hard Disk", 20);
	CHECK(mbr_code_is_grub2(mbr));
	CHECK(!mbr_code_is_memtest(mbr));
	memcpy(mbr + 10, "Loading Memtest86+", 18);
	CHECK(mbr_code_is_memtest(mbr));
	memcpy(mbr, "\x33\xc0\x8e\xd0\xbc\x00\x7c", 7);
	CHECK(!mbr_code_is_windows(mbr));
	memcpy(mbr + 300, "Invalid partition table", 23);
	CHECK(mbr_code_is_windows(mbr));
}

static void test_boot_images(void)
{
	static uint8_t head[ISOHYBRID_IMAGE_HEAD];

	CHECK(!isolinux_image_is_hybrid(head, sizeof(head)));
	memcpy(head + 64, "\xfb\xc0\x78\x70", 4);
	CHECK(isolinux_image_is_hybrid(head, sizeof(head)));
	CHECK(!isolinux_image_is_hybrid(head, 67));
	CHECK(!linux_image_has_header(head, sizeof(head)));
	memcpy(head + 510, "\x55\xaa\xeb\x6aHdrS", 8);
	CHECK(linux_image_has_header(head, sizeof(head)));
	CHECK(!linux_image_has_header(head, 517));
	CHECK(!grub2_image_is_cdboot(head, sizeof(head)));
	memcpy(head, "\xe8\0\0\xeb\x3b", 5);
	memcpy(head + 0xdd, "no boot info", 12);
	CHECK(grub2_image_is_cdboot(head, sizeof(head)));
	CHECK(!grub2_image_is_cdboot(head, 100));
	put_le32(head + 2548, 169);
	CHECK_U64(grub2_image_blocklist(head, sizeof(head)), 169);
	CHECK_U64(grub2_image_blocklist(head, 2550), 0);
}

int main(void)
{
	RUN(test_boot_record);
	RUN(test_validation);
	RUN(test_default_entry);
	RUN(test_sections);
	RUN(test_extensions);
	RUN(test_many_sectors);
	RUN(test_sloppy);
	RUN(test_floppy_sizes);
	RUN(test_boot_info);
	RUN(test_mbr_code);
	RUN(test_boot_images);
	return tap_done();
}
