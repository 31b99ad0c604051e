// SPDX-License-Identifier: GPL-3.0-or-later
/* image/detect: kinds, sizes, truncation, boot predictions, foreign formats, read errors. */
#include "image/detect.h"

#include "disc_util.h"
#include "tap.h"

static struct layout lay;

static void detect(struct image *img)
{
	struct source *src = image_source(img);
	struct error err = ERROR_INIT;

	memset(&lay, 0xff, sizeof(lay));
	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	source_free(src);
}

static const struct layout_finding *find(const char *code)
{
	for (uint32_t i = 0; i < lay.n_findings; i++)
		if (strcmp(lay.findings[i].code, code) == 0)
			return &lay.findings[i];
	return NULL;
}

static void check_boot(uint8_t bios_cd, uint8_t bios_usb, uint8_t x64_cd, uint8_t x64_usb)
{
	CHECK_STR(layout_answer_name(lay.boot.bios.cd), layout_answer_name(bios_cd));
	CHECK_STR(layout_answer_name(lay.boot.bios.usb), layout_answer_name(bios_usb));
	CHECK_STR(layout_answer_name(lay.boot.uefi_x64.cd), layout_answer_name(x64_cd));
	CHECK_STR(layout_answer_name(lay.boot.uefi_x64.usb), layout_answer_name(x64_usb));
	CHECK(lay.boot.uefi_ia32.cd == BOOT_NO && lay.boot.uefi_aa64.usb == BOOT_NO);
}

static void test_isohybrid(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI | DISC_MBR);
	char buf[64];

	detect(&img);
	CHECK(lay.kind == LAYOUT_ISOHYBRID && lay.sector_size == 512);
	CHECK_STR(lay.volume.id, "Test disc"); /* Joliet's is the better one */
	CHECK_STR(lay.volume.system, "LINUX");
	CHECK(lay.volume.joliet && lay.volume.rock_ridge && !lay.udf);
	CHECK(lay.volume.sessions == 1 && lay.volume.pvd_lba == 16);
	CHECK_U64(lay.volume.size, DISC_BLOCKS * 2048);
	CHECK(lay.el_torito.present && lay.el_torito.checksum_valid);
	CHECK_U64(lay.el_torito.catalog_lba, 24);
	CHECK_U64(lay.el_torito.n_entries, 2);
	CHECK_STR(lay.el_torito.entries[0].path, "/boot/isolinux.bin");
	CHECK(lay.el_torito.entries[0].boot_info_table);
	CHECK_U64(lay.el_torito.entries[0].size, 3000);
	CHECK_STR(lay.el_torito.entries[1].path, "/boot/efi.img");
	CHECK_U64(lay.el_torito.entries[1].size, 40 * 512);
	CHECK(lay.mbr.present && lay.mbr.code == MBR_CODE_ISOLINUX);
	CHECK_U64(lay.mbr.n_partitions, 2);
	CHECK(!lay.is_truncated && !lay.is_partial && lay.expected_size == DISC_BLOCKS * 2048);
	check_boot(BOOT_YES, BOOT_YES, BOOT_YES, BOOT_YES);
	CHECK_STR(layout_made_for(&lay, buf, sizeof(buf)), "BIOS, UEFI x64");
	CHECK_STR(layout_title(&lay, buf, sizeof(buf)), "Test disc");
	CHECK_U64(lay.n_findings, 0);
	free(img.p);
}

static void test_disc_only(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI);
	char buf[64];

	detect(&img);
	CHECK(lay.kind == LAYOUT_ISO_ELTORITO && lay.sector_size == 2048);
	check_boot(BOOT_YES, BOOT_FIXABLE, BOOT_YES, BOOT_FIXABLE);
	CHECK(lay.boot.is_hybrid_needed);
	CHECK_STR(layout_made_for(&lay, buf, sizeof(buf)), "");
	CHECK_STR(layout_will_boot(&lay, buf, sizeof(buf)), "BIOS, UEFI x64");
	CHECK(strstr(find("disc-only")->message, "would not boot by BIOS, UEFI x64, or"));
	CHECK(find("disc-only")->severity == LAYOUT_INFO);
	free(img.p);
	img = disc_new(DISC_BIOS);
	detect(&img);
	check_boot(BOOT_YES, BOOT_FIXABLE, BOOT_NO, BOOT_NO);
	free(img.p);
	img = disc_new(DISC_EFI);
	detect(&img);
	check_boot(BOOT_NO, BOOT_NO, BOOT_YES, BOOT_FIXABLE);
	free(img.p);
	img = disc_new(0);
	detect(&img);
	CHECK(lay.kind == LAYOUT_ISO_DATA && !lay.el_torito.present);
	check_boot(BOOT_NO, BOOT_NO, BOOT_NO, BOOT_NO);
	CHECK(!find("disc-only"));
	free(img.p);
}

static void test_broken_contracts(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI | DISC_MBR);

	put_le32(image_block(&img, 0) + 432, 31 * 4); /* isolinux is not there */
	detect(&img);
	check_boot(BOOT_YES, BOOT_FIXABLE, BOOT_YES, BOOT_YES);
	CHECK_STR(layout_reason_name(lay.boot.bios_reason), "isolinux-absent");
	put_le32(image_block(&img, 0) + 432, 30 * 4);
	image_block(&img, 30)[2000] ^= 1; /* its checksum is wrong now */
	detect(&img);
	CHECK(!lay.el_torito.entries[0].boot_info_table);
	check_boot(BOOT_YES, BOOT_FIXABLE, BOOT_YES, BOOT_YES);
	CHECK_STR(layout_reason_name(lay.boot.bios_reason), "isolinux-unpatched");
	image_block(&img, 24)[28] ^= 1; /* the catalog's checksum, which EDK2 looks at */
	detect(&img);
	CHECK(find("el-torito-checksum") && !lay.el_torito.checksum_valid);
	check_boot(BOOT_UNKNOWN, BOOT_NO, BOOT_NO, BOOT_YES);
	image_block(&img, 24)[30] ^= 1; /* 55 AA, which both want */
	detect(&img);
	check_boot(BOOT_NO, BOOT_NO, BOOT_NO, BOOT_YES);
	free(img.p);
}

static void test_mbr_overlap(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI | DISC_MBR);

	/* With type 17 the covering partition counts, and firmware drops the table. */
	image_block(&img, 0)[446 + 4] = 0x17;
	detect(&img);
	check_boot(BOOT_YES, BOOT_YES, BOOT_YES, BOOT_FIXABLE);
	/* Code of an unknown program. */
	memset(image_block(&img, 0) + 200, 0, 80);
	detect(&img);
	CHECK(lay.mbr.code == MBR_CODE_UNKNOWN);
	CHECK_STR(layout_reason_name(lay.boot.bios_reason), "unknown-code");
	/* It may work, so that auto does not put another in its place. */
	check_boot(BOOT_YES, BOOT_UNKNOWN, BOOT_YES, BOOT_UNKNOWN);
	CHECK(find("unknown-code") && !lay.boot.is_hybrid_needed);
	free(img.p);
}

static void test_uefi_image_without_loader(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI | DISC_MBR);

	memcpy(image_block(&img, 40) + 5 * 512, "BOOTARM EFI\x20", 12);
	detect(&img);
	check_boot(BOOT_YES, BOOT_YES, BOOT_NO, BOOT_NO);
	memcpy(image_block(&img, 40) + 5 * 512, "BOOTIA32EFI\x20", 12);
	put_program(image_block(&img, 40) + 6 * 512, 0x014c);
	detect(&img);
	CHECK(lay.boot.uefi_ia32.cd == BOOT_YES && lay.boot.uefi_ia32.usb == BOOT_YES);
	CHECK(lay.boot.uefi_x64.cd == BOOT_NO);
	/* A FAT chain that runs in circles ends. */
	memset(image_block(&img, 40) + 4 * 512, 0xe5, 512);
	memcpy(image_block(&img, 40) + 512, "\xf8\xff\xff\x02\xf0\xff", 6);
	detect(&img);
	CHECK(lay.boot.uefi_ia32.cd == BOOT_NO);
	free(img.p);
}

static void test_catalog_late_entries(void)
{
	/* Firmware reads 512 bytes of the catalog on a stick: record 18 is behind that. */
	struct image img = disc_new(DISC_BIOS | DISC_EFI);
	uint8_t *cat = image_block(&img, 24);

	put_section(cat + 64, 0x90, 0, 14, "");
	for (size_t i = 3; i < 17; i++)
		put_entry(cat + 32 * i, 0x88, 0, 4, 30);
	put_section(cat + 32 * 17, 0x91, 0xef, 1, "");
	put_entry(cat + 32 * 18, 0x88, 0, 40, 40);
	detect(&img);
	CHECK_U64(lay.el_torito.n_entries, 16);
	check_boot(BOOT_YES, BOOT_FIXABLE, BOOT_YES, BOOT_FIXABLE);
	CHECK_STR(layout_reason_name(lay.boot.uefi_reason), "not-led-to");
	free(img.p);
}

static void test_efi_sizes(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI);
	uint8_t *entry = image_block(&img, 24) + 96;
	uint8_t *boot = image_block(&img, 21);

	memset(boot, 0, 2048); /* no file tells */
	put_dots(boot, 21, 2048, NULL, 0);
	put_entry(entry, 0x88, 0, 0, 40);
	detect(&img);
	CHECK_U64(lay.el_torito.entries[1].size, 40 * 512);
	put_entry(entry, 0x88, 0, 1, 40);
	detect(&img);
	CHECK_U64(lay.el_torito.entries[1].size, 40 * 512);
	put_entry(entry, 0x88, 0, 8, 40); /* too small for its FAT */
	detect(&img);
	CHECK_U64(lay.el_torito.entries[1].size, 40 * 512);
	put_entry(entry, 0x88, 0, 48, 40);
	detect(&img);
	CHECK_U64(lay.el_torito.entries[1].size, 48 * 512);
	put_entry(entry, 0x88, 2, 1, 40); /* a diskette */
	img.p = realloc(img.p, 800 * 2048);
	img.len = 800 * 2048;
	detect(&img);
	CHECK_U64(lay.el_torito.entries[1].size, 1474560);
	free(img.p);
}

static void test_size_behind_volume(void)
{
	/* As memtest86+ has it: the EFI image lies behind the volume's end. */
	struct image img = disc_new(DISC_BIOS | DISC_EFI);

	put_volume(&img, 16, 1, "TEST_DISC", 9, 36, 20, 2048);
	detect(&img);
	CHECK_U64(lay.expected_size, 50 * 2048);
	CHECK_STR(lay.expected_by, "its EFI boot image");
	CHECK(!lay.is_truncated);
	img.len = 50 * 2048 - 1;
	detect(&img);
	CHECK(lay.is_truncated && find("truncated"));
	CHECK(!find("truncated-padding"));
	CHECK(lay.boot.bios.cd == BOOT_UNKNOWN && lay.boot.bios.usb == BOOT_NO);
	CHECK(lay.boot.uefi_x64.cd == BOOT_UNKNOWN && lay.boot.uefi_x64.usb == BOOT_UNKNOWN);
	img.len = 50 * 2048;
	detect(&img);
	CHECK(!lay.is_truncated);
	free(img.p);
}

static void test_nominal_size_is_no_claim(void)
{
	/* A diskette image that is shorter than a diskette, at the volume's end. */
	struct image img = disc_new(DISC_BIOS);

	put_entry(image_block(&img, 24) + 32, 0x88, 2, 1, 60);
	detect(&img);
	CHECK_U64(lay.el_torito.entries[0].size, 1474560);
	CHECK_U64(lay.expected_size, DISC_BLOCKS * 2048);
	CHECK(!lay.is_truncated);
	free(img.p);
}

static void test_catalog_points_far(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI);

	put_entry(image_block(&img, 24) + 96, 0x88, 0, 40, 0xfffffff0);
	detect(&img);
	CHECK(!lay.is_truncated && find("el-torito-far"));
	CHECK_U64(lay.expected_size, DISC_BLOCKS * 2048);
	free(img.p);
}

static void test_truncated_padding(void)
{
	struct image img = disc_new(DISC_BIOS);

	img.len -= 4096;
	detect(&img);
	CHECK(lay.is_truncated);
	CHECK_STR(
		find("truncated")->message,
		"The image ends at byte 126,976, but its ISO 9660 volume reaches to byte 131,072: "
		"4,096 bytes are missing.");
	CHECK(find("truncated-padding"));
	free(img.p);
}

static void test_finish(void)
{
	struct image img = disc_new(DISC_BIOS);
	struct source *src = image_stream(&img);
	struct error err = ERROR_INIT;

	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	CHECK(lay.is_partial && lay.size == UINT64_MAX && !lay.is_truncated);
	CHECK(lay.kind == LAYOUT_ISO_ELTORITO);
	CHECK_U64(lay.expected_size, DISC_BLOCKS * 2048);
	detect_finish(&lay, DISC_BLOCKS * 2048);
	CHECK(!lay.is_truncated && lay.size == DISC_BLOCKS * 2048);
	detect_finish(&lay, DISC_BLOCKS * 2048 - 1);
	detect_finish(&lay, DISC_BLOCKS * 2048 - 1);
	CHECK(lay.is_truncated && lay.n_findings == 2); /* disc-only, truncated */
	source_free(src);
	free(img.p);
}

static void test_sessions(void)
{
	/* A second session appended behind the first, as its own descriptors say. */
	struct image img = disc_new(DISC_BIOS);

	img.p = realloc(img.p, 128 * 2048);
	memset(img.p + img.len, 0, 64 * 2048);
	img.len = 128 * 2048;
	put_volume(&img, 80, 1, "SECOND SESSION", 14, 64, 20, 2048);
	put_terminator(&img, 81);
	detect(&img);
	CHECK(lay.volume.sessions == 2 && lay.volume.pvd_lba == 80);
	CHECK_STR(lay.volume.id, "SECOND SESSION");
	CHECK_U64(lay.volume.size, 128 * 2048);
	CHECK(find("iso-multi-session"));
	/* Its size may also count from the start of the image. */
	put_both32(image_block(&img, 80) + 80, 128);
	detect(&img);
	CHECK_U64(lay.volume.size, 128 * 2048);
	CHECK(!lay.is_truncated);
	CHECK_U64(lay.volume.n_listed, 2);
	CHECK(lay.volume.list[0].start == 0 && lay.volume.list[0].size == 64 * 2048);
	CHECK(lay.volume.list[1].start == 64 * 2048 && lay.volume.list[1].size == 64 * 2048);
	CHECK_STR(lay.volume.list[0].id, "Test disc");
	free(img.p);
}

/* Sessions count from their own start: a second one that is larger than the first hid the third. */
static void test_a_large_second_session(void)
{
	struct image img = disc_new(DISC_BIOS);

	img.p = realloc(img.p, 320 * 2048);
	memset(img.p + img.len, 0, (320 - DISC_BLOCKS) * 2048);
	img.len = 320 * 2048;
	put_volume(&img, 80, 1, "SECOND", 6, 160, 20, 2048);
	put_terminator(&img, 81);
	put_volume(&img, 240, 1, "THIRD", 5, 90, 20, 2048);
	put_boot_record(&img, 241, 24);
	put_terminator(&img, 242);
	detect(&img);
	CHECK(lay.volume.sessions == 3 && lay.volume.pvd_lba == 240);
	CHECK_STR(lay.volume.id, "THIRD");
	CHECK_U64(lay.volume.list[1].size, 160 * 2048);
	CHECK_U64(lay.volume.size, (224 + 90) * 2048);
	CHECK(!lay.is_truncated && lay.el_torito.present && !find("el-torito-sessions"));
	/* Another catalog than the first session's, and none. */
	memcpy(image_block(&img, 100), image_block(&img, 24), 2048);
	put_boot_record(&img, 241, 100);
	detect(&img);
	CHECK(lay.el_torito.catalog_lba == 100);
	CHECK(strstr(find("el-torito-sessions")->message, "another one"));
	put_terminator(&img, 241);
	detect(&img);
	CHECK(!lay.el_torito.present);
	CHECK(strstr(find("el-torito-sessions")->message, "the last one has none"));
	free(img.p);
}

static void test_windows(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI);
	uint8_t *root = image_block(&img, 20), *sources = image_block(&img, 23);

	root += put_dots(root, 20, 2048, NULL, 0);
	root += put_record(root, "BOOTMGR.;1", 10, 60, 100, 0, NULL, 0);
	put_record(root, "SOURCES", 7, 23, 2048, 2, NULL, 0);
	memset(image_block(&img, 18), 0, 2048); /* no Joliet */
	put_terminator(&img, 18);
	sources += put_dots(sources, 23, 2048, NULL, 0);
	put_record(sources, "BOOT.WIM;1", 10, 61, 100, 0, NULL, 0);
	detect(&img);
	CHECK(lay.kind == LAYOUT_WINDOWS);
	CHECK_STR(lay.os, "Windows");
	free(img.p);
	/* Microsoft's own discs hold the files in UDF only. */
	img = disc_new(DISC_BIOS | DISC_EFI);
	memset(image_block(&img, 16) + 318, ' ', 128);
	memcpy(image_block(&img, 16) + 318, "MICROSOFT CORPORATION", 21);
	detect(&img);
	CHECK(lay.kind == LAYOUT_ISO_ELTORITO);
	memmove(image_block(&img, 21), image_block(&img, 20), 2048);
	memcpy(image_block(&img, 20), "\0BEA01\1", 7);
	memset(image_block(&img, 21), 0, 2048);
	memcpy(image_block(&img, 21), "\0NSR02\1", 7);
	detect(&img);
	CHECK(lay.udf && lay.kind == LAYOUT_WINDOWS);
	CHECK(find("udf-anchor") == NULL); /* the image ends before block 256 */
	free(img.p);
}

static void test_disk_info(void)
{
	struct image img = disc_new(DISC_BIOS);
	static const char text[] = "Debian GNU/Linux 12.5.0 \"Bookworm\" - Official amd64\n";
	uint8_t *root = image_block(&img, 20), *disk = image_block(&img, 23);

	memset(root, 0, 2048);
	root += put_dots(root, 20, 2048, "SP\7\1\xbe\xef\0", 7);
	put_record(root, "DISK", 4, 23, 2048, 2, "NM\12\1\0.disk", 10);
	disk += put_dots(disk, 23, 2048, NULL, 0);
	put_record(disk, "INFO.;1", 7, 60, sizeof(text) - 1, 0, "NM\11\1\0info", 9);
	memcpy(image_block(&img, 60), text, sizeof(text));
	detect(&img);
	CHECK_STR(lay.os, "Debian GNU/Linux 12.5.0");
	free(img.p);
}

static void test_foreign(void)
{
	static const struct {
		size_t offset;
		const char *magic;
		size_t len;
		const char *name, *command;
	} cases[] = {
		{ 0, "QFI\xfb", 4, "qcow2", "qemu-img convert -O raw d.img d.img.img" },
		{ 0, "KDMV", 4, "vmdk", "qemu-img convert -O raw d.img d.img.img" },
		{ 0, "# Disk DescriptorFile", 21, "vmdk",
		  "qemu-img convert -O raw d.img d.img.img" },
		{ 0, "vhdxfile", 8, "vhdx", "qemu-img convert -O raw d.img d.img.img" },
		{ 8192 - 512, "conectix", 8, "vhd",
		  "qemu-img convert -f vpc -O raw d.img d.img.img" },
		{ 8192 - 512, "koly", 4, "dmg", "dmg2img d.img d.img.img" },
		{ 8192 - 12, "NER5", 4, "nrg", "nrg2iso d.img d.img.iso" },
		{ 8192 - 8, "NERO", 4, "nrg", "nrg2iso d.img d.img.iso" },
		{ 0, "PK\3\4", 4, "zip", "unzip d.img" },
		{ 0, "BZh91AY&SY", 10, "bzip2", "bunzip2 -k d.img" },
		{ 0, "\4\x22\x4d\x18", 4, "lz4", "lz4 -d d.img" },
		{ 0, "LZIP\1", 5, "lzip", "lzip -dk d.img" },
		{ 257, "ustar", 5, "tar", "tar -xf d.img" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image img = image_new(4);
		struct error err = ERROR_INIT;

		memcpy(img.p + cases[i].offset, cases[i].magic, cases[i].len);
		detect(&img);
		CHECK_STR(lay.foreign, cases[i].name);
		CHECK(detect_check_foreign(&lay, "d.img", &err) == -1);
		CHECK(err.kind == ERROR_IMAGE);
		CHECK(strstr(err.msg, cases[i].command) != NULL);
		free(img.p);
		if (cases[i].offset >= 4096)
			continue;
		/* What a disc begins with is no format. */
		img = image_new(17);
		memcpy(img.p + cases[i].offset, cases[i].magic, cases[i].len);
		memcpy(img.p + 32769, "CD001", 5);
		detect(&img);
		CHECK_STR(lay.foreign, "");
		free(img.p);
	}
}

static void test_foreign_raw_sectors(void)
{
	static const uint8_t sync[] = "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
	struct image img = image_new(4);
	struct error err = ERROR_INIT;

	memcpy(img.p, sync, 12);
	detect(&img);
	CHECK_STR(lay.foreign, "");
	CHECK(detect_check_foreign(&lay, "d.bin", &err) == 0);
	memcpy(img.p + 2352, sync, 12);
	detect(&img);
	CHECK_STR(lay.foreign, "raw-cd");
	CHECK(detect_check_foreign(&lay, "my disc.bin", &err) == -1);
	CHECK(strstr(err.msg, "iat 'my disc.bin' 'my disc.bin.iso'") != NULL);
	CHECK(detect_check_foreign(&lay, "-n", &err) == -1);
	CHECK(strstr(err.msg, "iat ./-n ./-n.iso") != NULL);
	CHECK(detect_check_foreign(&lay, "-", &err) == -1);
	CHECK(strstr(err.msg, "iat IMAGE IMAGE.iso") != NULL);
	free(img.p);
}

static void test_plain_and_tiny(void)
{
	for (size_t len = 0; len < 3000; len += 251) {
		struct image img = image_new(2);

		memset(img.p, 0xa5, img.len);
		img.len = len;
		detect(&img);
		CHECK(lay.kind == LAYOUT_UNKNOWN && find("plain-data"));
		CHECK(lay.expected_size == 0 && !lay.is_truncated);
		free(img.p);
	}
}

static void test_catalog_nowhere(void)
{
	struct image img = disc_new(DISC_BIOS);

	put_boot_record(&img, 17, 0xffffffff);
	detect(&img);
	CHECK(!lay.el_torito.present && find("el-torito-no-catalog"));
	put_boot_record(&img, 17, 23); /* there is no catalog */
	detect(&img);
	CHECK(!lay.el_torito.present && find("el-torito-no-catalog"));
	free(img.p);
}

static void test_budget(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI | DISC_MBR);
	struct source *src = image_source(&img);
	struct error err = ERROR_INIT;

	for (uint64_t budget = 0; budget < 400000; budget += 9973) {
		CHECK(detect_layout(src, budget, &lay, &err) == 0);
		CHECK(lay.bytes_read <= budget);
	}
	CHECK(lay.kind == LAYOUT_ISOHYBRID && !find("read-budget"));
	CHECK(detect_layout(src, 100000, &lay, &err) == 0);
	source_free(src);
	free(img.p);
}

static void test_read_error(void)
{
	static const struct source_ops ops = { .name = "bad", .read_at = image_fail_read_at };
	struct source *src = source_new(&ops, SOURCE_RANDOM, NULL);
	struct error err = ERROR_INIT;

	src->size = 1 << 20;
	lay.n_findings = 77;
	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == -1);
	CHECK_STR(err.code, "read-failed");
	CHECK_U64(lay.n_findings, 77); /* untouched */
	source_free(src);
}

int main(void)
{
	RUN(test_isohybrid);
	RUN(test_disc_only);
	RUN(test_broken_contracts);
	RUN(test_mbr_overlap);
	RUN(test_uefi_image_without_loader);
	RUN(test_catalog_late_entries);
	RUN(test_efi_sizes);
	RUN(test_size_behind_volume);
	RUN(test_nominal_size_is_no_claim);
	RUN(test_catalog_points_far);
	RUN(test_truncated_padding);
	RUN(test_finish);
	RUN(test_sessions);
	RUN(test_a_large_second_session);
	RUN(test_windows);
	RUN(test_disk_info);
	RUN(test_foreign);
	RUN(test_foreign_raw_sectors);
	RUN(test_plain_and_tiny);
	RUN(test_catalog_nowhere);
	RUN(test_budget);
	RUN(test_read_error);
	return tap_done();
}
