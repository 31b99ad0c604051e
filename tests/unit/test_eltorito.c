// SPDX-License-Identifier: GPL-3.0-or-later
/* disk/eltorito and disk/isohybrid: catalogs, strict and sloppy, and what boot images carry. */
#include "disk/eltorito.h"

#include <dirent.h>
#include <stdio.h>

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

/* They ended the catalog, and what followed them was not seen. */
static void test_extensions_behind_the_last_kept_entry(void)
{
	start(0);
	put_entry(record(1), 0x88, 0, 4, 100);
	put_section(record(2), 0x91, 0xef, 66, "");
	for (size_t i = 0; i < 66; i++)
		put_entry(record(3 + i), 0x88, 0, 4, (uint32_t)(1000 + i));
	record(3 + 64)[1] = 0x20;
	memset(record(3 + 65), 0, ELTORITO_RECORD);
	record(3 + 65)[0] = 0x44;
	put_entry(record(3 + 66), 0x88, 0, 4, 2000);
	CHECK_U64(parse(), 2);
	CHECK_U64(cat.n_dropped, 3);
	CHECK_U64(cat.n_missing, 0);
	CHECK_U64(cat.entries[63].n_extensions, 0);
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

/* ------------------------------------------------------------------ encoding */

static struct eltorito_records recs, again;
static uint8_t out[ELTORITO_MAX_SECTORS * ELTORITO_SECTOR];

static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % n;
}

static void random_bytes(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)random_below(256);
}

/* Any entry that a section may hold. */
static struct eltorito_boot random_boot(void)
{
	struct eltorito_boot b = {
		.is_bootable = true,
		.media = (uint8_t)(random_below(5) | random_below(2) << 6 | random_below(2) << 7),
		.load_segment = (uint16_t)random_below(65536),
		.system_type = (uint8_t)random_below(256),
		.unused = (uint8_t)random_below(256),
		.sector_count = (uint16_t)random_below(65536),
		.lba = random_below(UINT32_MAX),
		.selection_type = (uint8_t)random_below(256),
	};

	random_bytes(b.criteria, sizeof(b.criteria));
	/* All zero, one that is not bootable would be the catalog's end. */
	b.is_bootable = b.lba == 0 || random_below(4) > 0;
	return b;
}

static void add_record(enum eltorito_kind kind)
{
	recs.list[recs.n] = (struct eltorito_record){ .kind = kind };
	recs.n++;
}

static void add_random_section(bool is_last)
{
	struct eltorito_section *section = &recs.list[recs.n].section;
	uint32_t n = random_below(5);

	add_record(ELTORITO_SECTION);
	section->is_last = is_last;
	section->platform = (uint8_t)random_below(256);
	section->n_entries = (uint16_t)n;
	random_bytes(section->id, sizeof(section->id));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t n_ext = random_below(3) ? 0 : random_below(4);
		struct eltorito_boot *boot = &recs.list[recs.n].boot;

		add_record(ELTORITO_BOOT);
		*boot = random_boot();
		if (n_ext > 0)
			boot->media |= 0x20;
		for (uint32_t k = 0; k < n_ext; k++) {
			struct eltorito_extension *ext = &recs.list[recs.n].extension;

			add_record(ELTORITO_EXTENSION);
			random_bytes(ext->criteria, sizeof(ext->criteria));
			ext->flags = (uint8_t)((random_below(256) & ~0x20U) |
					       (k + 1 < n_ext ? 0x20 : 0));
		}
	}
}

static void random_records(void)
{
	uint32_t n_sections = random_below(3) ? random_below(4) : random_below(40);

	memset(&recs, 0, sizeof(recs));
	recs.platform = (uint8_t)random_below(256);
	random_bytes(recs.reserved, sizeof(recs.reserved));
	random_bytes(recs.id, sizeof(recs.id));
	add_record(ELTORITO_BOOT);
	recs.list[0].boot = random_boot();
	for (uint32_t i = 0; i < n_sections; i++)
		add_random_section(i + 1 == n_sections);
}

/* decode(encode(x)) == x, and the lenient parser sees the same entries. */
static bool records_round_trip(void)
{
	size_t size = eltorito_records_size(&recs);
	uint32_t n_boot = 0;

	memset(out, 0xee, sizeof(out));
	eltorito_write_records(&recs, out);
	if (size % ELTORITO_SECTOR != 0 || out[size] != 0xee ||
	    eltorito_read_records(out, sizeof(out), &again) != ELTORITO_OK ||
	    memcmp(&recs, &again, sizeof(recs)) != 0)
		return false;
	memset(buf, 0, sizeof(buf));
	memcpy(buf, out, size < sizeof(buf) ? size : sizeof(buf));
	parse();
	for (uint32_t i = 0; i < recs.n; i++)
		n_boot += recs.list[i].kind == ELTORITO_BOOT;
	return cat.checksum_valid && cat.has_key && cat.n_missing == 0 && cat.n_unannounced == 0 &&
	       (size > sizeof(buf) || cat.n_entries + cat.n_dropped == n_boot);
}

static void test_random_catalogs_round_trip(void)
{
	unsigned int good = 0;
	size_t longest = 0;

	random_state = 42;
	for (int i = 0; i < 3000; i++) {
		random_records();
		good += records_round_trip();
		if (eltorito_records_size(&recs) > longest)
			longest = eltorito_records_size(&recs);
	}
	CHECK_U64(good, 3000);
	CHECK(longest >= 3 * ELTORITO_SECTOR);
}

/* The catalog of an image file, byte for byte. 1 it has one, 0 it has none. */
static int round_trip_of_file(const char *path)
{
	static uint8_t bytes[ELTORITO_MAX_SECTORS * ELTORITO_SECTOR];
	FILE *f = fopen(path, "rb");
	uint8_t sector[ELTORITO_SECTOR];
	uint32_t lba = 0;
	bool has = false;
	size_t len, size;

	if (!f)
		return 0;
	for (long at = 16; !has && at < 32; at++)
		has = fseek(f, at * (long)sizeof(sector), SEEK_SET) == 0 &&
		      fread(sector, sizeof(sector), 1, f) == 1 &&
		      eltorito_decode_boot_record(sector, &lba);
	if (!has || fseek(f, (long)lba * (long)sizeof(sector), SEEK_SET) < 0) {
		fclose(f);
		return 0;
	}
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	if (len < sizeof(sector))
		return 0;
	CHECK(eltorito_read_records(bytes, len - len % ELTORITO_SECTOR, &recs) == ELTORITO_OK);
	size = eltorito_records_size(&recs);
	eltorito_write_records(&recs, out);
	if (memcmp(bytes, out, size) != 0)
		printf("# %s: written again it differs\n", path);
	CHECK(size <= len && memcmp(bytes, out, size) == 0);
	return 1;
}

/* Those of build/images: what mastering programs really write. */
static void test_real_catalogs_round_trip(void)
{
	DIR *dir = opendir("build/images");
	const struct dirent *e;
	int n = 0;

	/* readdir() ends by itself. */
	while (dir && (e = readdir(dir)) != NULL) {
		char path[512];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "build/images/%s", e->d_name);
		n += round_trip_of_file(path);
	}
	if (dir)
		closedir(dir);
	printf("# %d boot catalogs of build/images\n", n);
}

static enum eltorito_fault read_buf(void)
{
	return eltorito_read_records(buf, sizeof(buf), &recs);
}

/* What would be lost is said, not dropped. */
static void test_faults(void)
{
	start(0);
	put_entry(record(1), 0x88, 0, 4, 100);
	CHECK(read_buf() == ELTORITO_OK && recs.n == 1);
	record(0)[28] ^= 1;
	CHECK(read_buf() == ELTORITO_BAD_CHECKSUM);
	record(0)[28] ^= 1;
	record(0)[31] = 0;
	put_le32(record(0) + 28, 0x5556); /* the sum is right again, with another key */
	CHECK(read_buf() != ELTORITO_OK);
	start(0);
	put_entry(record(1), 0x77, 0, 4, 100);
	CHECK(read_buf() == ELTORITO_BAD_INDICATOR);
	put_entry(record(1), 0x88, 0, 4, 100);
	record(40)[5] = 1;
	CHECK(read_buf() == ELTORITO_TRAILING);
	record(40)[5] = 0;
	record(2)[0] = 0x44; /* an extension of nothing */
	CHECK(read_buf() == ELTORITO_TRAILING);
	memset(record(2), 0, ELTORITO_RECORD);
	record(64)[0] = 0x99; /* the next sector is somebody else's */
	CHECK(read_buf() == ELTORITO_OK);
	put_section(record(2), 0x91, 0, 600, "");
	for (size_t i = 3; i < sizeof(buf) / ELTORITO_RECORD; i++)
		put_entry(record(i), 0x88, 0, 4, 100);
	CHECK(read_buf() == ELTORITO_TOO_LONG);
	buf[0] = 2;
	CHECK(read_buf() == ELTORITO_NO_CATALOG);
	CHECK(eltorito_read_records(buf, 0, &recs) == ELTORITO_NO_CATALOG);
	for (int f = 0; f <= ELTORITO_DEFAULT_RESERVED; f++)
		CHECK(eltorito_fault_text((enum eltorito_fault)f) != NULL);
}

/* The sloppy ones of test_sloppy() come back as they were. */
static void test_sloppy_catalogs_round_trip(void)
{
	start(0);
	put_entry(record(1), 0x88, 0, 4, 100);
	put_section(record(2), 0x91, 0xef, 0, "");
	put_entry(record(3), 0x88, 0, 4, 200);
	CHECK(read_buf() == ELTORITO_OK && recs.n == 3);
	eltorito_write_records(&recs, out);
	CHECK(memcmp(out, buf, ELTORITO_SECTOR) == 0);
	put_section(record(2), 0x90, 0xef, 9, "MORE");
	CHECK(read_buf() == ELTORITO_OK && recs.n == 3);
	eltorito_write_records(&recs, out);
	CHECK(memcmp(out, buf, ELTORITO_SECTOR) == 0);
}

static const struct eltorito_boot added = { .is_bootable = true, .sector_count = 4, .lba = 900 };

/* Adds to what is in buf, writes and reads it: cat has what firmware sees. */
static enum eltorito_fault add_to_buf(uint8_t platform)
{
	enum eltorito_fault fault = read_buf();

	if (fault == ELTORITO_OK)
		fault = eltorito_add_boot(&recs, platform, &added);
	if (fault != ELTORITO_OK)
		return fault;
	memset(buf, 0, sizeof(buf));
	eltorito_write_records(&recs, buf);
	parse();
	CHECK(cat.checksum_valid && cat.has_key && cat.n_missing == 0 && cat.n_unannounced == 0);
	return fault;
}

static void test_add_to_nothing(void)
{
	for (int platform = 0; platform <= 0xef; platform += 0xef) {
		memset(&recs, 0, sizeof(recs));
		CHECK(eltorito_add_boot(&recs, (uint8_t)platform, &added) == ELTORITO_OK);
		memset(buf, 0, sizeof(buf));
		eltorito_write_records(&recs, buf);
		CHECK(parse() == 1 && cat.n_entries == 1 && cat.entries[0].lba == 900);
		CHECK(cat.platform == platform && cat.checksum_valid);
	}
}

/* BIOS first, then a section for UEFI; once more: behind that. */
static void test_add_efi(void)
{
	start(0);
	put_entry(record(1), 0x88, 0, 4, 100);
	CHECK(add_to_buf(0xef) == ELTORITO_OK && cat.n_entries == 2 && cat.platform == 0);
	CHECK(cat.entries[0].lba == 100 && cat.entries[1].lba == 900);
	CHECK(cat.entries[0].platform == 0 && cat.entries[1].platform == 0xef);
	CHECK(record(2)[0] == 0x91 && record(2)[2] == 1);
	CHECK(add_to_buf(0xef) == ELTORITO_OK && cat.n_entries == 3);
	CHECK(record(2)[0] == 0x90 && record(4)[0] == 0x91);
	/* A header that counts wrong is put right. */
	start(0);
	put_entry(record(1), 0x88, 0, 4, 100);
	put_section(record(2), 0x91, 0, 0, "");
	put_entry(record(3), 0x88, 0, 4, 200);
	CHECK(add_to_buf(0xef) == ELTORITO_OK && cat.n_entries == 3);
	CHECK(cat.entries[1].platform == 0 && cat.entries[2].platform == 0xef);
}

/* SeaBIOS boots the default entry only, and only with platform 0 in the validation entry. */
static void test_add_bios(void)
{
	start(0xef);
	put_entry(record(1), 0x88, 0, 0, 100);
	put_section(record(2), 0x91, 2, 1, "MAC");
	put_entry(record(3), 0x88, 0, 4, 200);
	CHECK(add_to_buf(0) == ELTORITO_OK && cat.n_entries == 3 && cat.platform == 0);
	CHECK(cat.entries[0].lba == 900 && cat.entries[0].platform == 0);
	CHECK(cat.entries[1].lba == 100 && cat.entries[1].platform == 0xef);
	CHECK(cat.entries[2].lba == 200 && cat.entries[2].platform == 2);
	CHECK_STR(cat.entries[2].id, "MAC");
	/* An entry of zeros is none; in a section it would be the catalog's end. */
	start(0xef);
	CHECK(add_to_buf(0) == ELTORITO_OK && cat.n_entries == 1 && cat.platform == 0);
	/* Bytes that mean nothing in the default entry, but something in a section. */
	start(0xef);
	put_entry(record(1), 0x88, 0x20, 0, 100);
	CHECK(add_to_buf(0) == ELTORITO_DEFAULT_RESERVED);
	put_entry(record(1), 0x88, 0, 0, 100);
	record(1)[12] = 1;
	CHECK(add_to_buf(0) == ELTORITO_DEFAULT_RESERVED);
	CHECK(add_to_buf(0xef) == ELTORITO_OK);
}

/* EDK2 sees 16 records of a catalog on a stick, the validation entry among them. */
static void test_added_efi_stays_within_a_sticks_block(void)
{
	for (uint16_t n = 0; n < 20; n++) {
		bool is_seen = false;

		start(0);
		put_entry(record(1), 0x88, 0, 4, 100);
		put_section(record(2), 0x91, 0, n, "");
		for (size_t i = 0; i < n; i++)
			put_entry(record(3 + i), 0x88, 0, 4, (uint32_t)(200 + i));
		CHECK(add_to_buf(0xef) == ELTORITO_OK && cat.n_entries == n + 2U);
		for (size_t i = 1; i < 16; i++)
			is_seen =
				is_seen || (record(i)[0] == 0x88 && record(i)[8] == (900 & 0xff) &&
					    record(i)[9] == 900 >> 8);
		CHECK(is_seen);
	}
}

static void test_what_cannot_be_added_to(void)
{
	start(0);
	put_entry(record(1), 0x88, 0, 4, 100);
	put_entry(record(2), 0x88, 0, 4, 200); /* without a section */
	CHECK(add_to_buf(0xef) == ELTORITO_NO_SECTION);
	memset(&recs, 0, sizeof(recs));
	recs.n = ELTORITO_MAX_RECORDS - 1;
	recs.list[1].kind = ELTORITO_SECTION;
	CHECK(eltorito_add_boot(&recs, 0xef, &added) == ELTORITO_TOO_LONG);
	CHECK_U64(recs.n, ELTORITO_MAX_RECORDS - 1);
}

/* The most that a catalog can have: no byte beyond. */
static void test_full_catalog(void)
{
	memset(&recs, 0, sizeof(recs));
	recs.n = ELTORITO_MAX_RECORDS;
	recs.list[1].kind = ELTORITO_SECTION;
	recs.list[1].section.is_last = true;
	recs.list[1].section.n_entries = ELTORITO_MAX_RECORDS - 2;
	for (uint32_t i = 2; i < recs.n; i++)
		recs.list[i].boot = added;
	CHECK_U64(eltorito_records_size(&recs), sizeof(out));
	eltorito_write_records(&recs, out);
	CHECK(eltorito_read_records(out, sizeof(out), &again) == ELTORITO_OK);
	CHECK(memcmp(&recs, &again, sizeof(recs)) == 0);
	/* One more is announced. */
	recs.list[1].section.n_entries++;
	eltorito_write_records(&recs, out);
	CHECK(eltorito_read_records(out, sizeof(out), &again) == ELTORITO_TOO_LONG);
}

static void test_boot_record_encoded(void)
{
	struct image img = image_new(1);
	uint8_t sector[ELTORITO_SECTOR];
	uint32_t lba = 0;

	put_boot_record(&img, 0, 0x01020304);
	eltorito_encode_boot_record(sector, 0x01020304);
	CHECK(memcmp(sector, img.p, sizeof(sector)) == 0);
	CHECK(eltorito_decode_boot_record(sector, &lba) && lba == 0x01020304);
	free(img.p);
}

static void test_boot_info_encoded(void)
{
	const struct boot_info info = { 16, 100, 38912, 0xdeadbeef };
	struct boot_info got;
	uint8_t head[BOOT_INFO_END];

	memset(head, 0xee, sizeof(head));
	boot_info_encode(head, &info);
	boot_info_decode(head, &got);
	CHECK(memcmp(&info, &got, sizeof(info)) == 0);
	CHECK(head[7] == 0xee && head[24] == 0 && head[63] == 0);
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
	RUN(test_extensions_behind_the_last_kept_entry);
	RUN(test_floppy_sizes);
	RUN(test_boot_info);
	RUN(test_mbr_code);
	RUN(test_boot_images);
	RUN(test_random_catalogs_round_trip);
	RUN(test_real_catalogs_round_trip);
	RUN(test_faults);
	RUN(test_sloppy_catalogs_round_trip);
	RUN(test_add_to_nothing);
	RUN(test_add_efi);
	RUN(test_add_bios);
	RUN(test_added_efi_stays_within_a_sticks_block);
	RUN(test_what_cannot_be_added_to);
	RUN(test_full_catalog);
	RUN(test_boot_record_encoded);
	RUN(test_boot_info_encoded);
	return tap_done();
}
