// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * --add-boot: files that boot and files that do not, discs that take them and discs that
 * cannot, and the plan in terms of the image beside tests/golden/plan-add-boot*.txt.
 */
#include "plan/add-boot.h"

#include <stdio.h>
#include <unistd.h>

#include "disc_util.h"
#include "image/detect.h"
#include "image/loaders.h"
#include "plan/boot-record.h"
#include "plan/plan-source.h"
#include "plan/planner.h"
#include "tap.h"

#define N_BLOCKS 64U

static struct error err;
static uint8_t fat[64 * 1024], bios[6000];
static struct add_boot add;
static struct layout lay, amended;

/* ---- discs without a boot record: as genisoimage and as libisofs lay them out */

static void put_path_table(struct image *img, size_t lba, uint32_t root_lba, bool is_big)
{
	uint8_t *p = image_block(img, lba);
	be32 big = be32_put(root_lba);

	p[0] = 1;
	put_le32(p + 2, root_lba);
	if (is_big)
		memcpy(p + 2, &big, 4);
	p[is_big ? 7 : 6] = 1;
}

static void point_to_path_tables(struct image *img, size_t lba, uint32_t little, uint32_t big)
{
	uint8_t *p = image_block(img, lba);
	be32 b = be32_put(big);

	put_both32(p + 132, 10);
	put_le32(p + 140, little);
	memcpy(p + 148, &b, 4);
}

/* Block 19 is empty: the root directory is at 24, a directory in it at 25, a file at 30. */
static struct image loose_disc(uint32_t root)
{
	struct image img = image_new(N_BLOCKS);
	uint8_t *p = image_block(&img, root);
	size_t n;

	put_volume(&img, 16, 1, "DATA", 4, N_BLOCKS, root, 2048);
	put_volume(&img, 17, 2, "\0D", 2, N_BLOCKS, 26, 2048);
	put_terminator(&img, 18);
	point_to_path_tables(&img, 16, 20, 21);
	point_to_path_tables(&img, 17, 22, 23);
	put_path_table(&img, 20, root, false);
	put_path_table(&img, 21, root, true);
	put_path_table(&img, 22, 26, false);
	put_path_table(&img, 23, 26, true);
	n = put_dots(p, root, 2048, NULL, 0);
	n += put_record(p + n, "SUB", 3, 25, 2048, 2, NULL, 0);
	put_record(p + n, "A.TXT;1", 7, 30, 5, 0, NULL, 0);
	p = image_block(&img, 25);
	n = put_record(p, "\0", 1, 25, 2048, 2, NULL, 0);
	put_record(p + n, "\1", 1, root, 2048, 2, NULL, 0);
	p = image_block(&img, 26);
	n = put_dots(p, 26, 2048, NULL, 0);
	put_record(p + n, "\0A\0.\0T\0X\0T", 10, 30, 5, 0, NULL, 0);
	memcpy(image_block(&img, 30), "hello", 5);
	return img;
}

/* ---- what is added */

static void make_files(void)
{
	memset(fat, 0, sizeof(fat));
	put_fat(fat, 128, 1);
	for (size_t i = 0; i < sizeof(bios); i++)
		bios[i] = (uint8_t)(i * 11 + 3);
}

static int read_efi(size_t len)
{
	struct image img = { .p = fat, .len = len };
	struct source *src = image_source(&img);
	int rc = add_boot_read_efi(src, "esp.img", &add.efi, &err);

	source_free(src);
	return rc;
}

static int read_bios(const uint8_t *data, size_t len)
{
	uint8_t copy[sizeof(bios)];
	struct image img = { .p = copy, .len = len };
	struct source *src;
	int rc;

	memcpy(copy, data, len);
	src = image_source(&img);
	rc = add_boot_read_bios(src, "boot.img", &add.bios, &err);
	source_free(src);
	return rc;
}

/* Refused, for a reason with these words. */
static bool is_error(int rc, const char *words)
{
	bool is = rc < 0 && err.kind == ERROR_IMAGE && strstr(err.msg, words) != NULL;

	if (!is)
		printf("# %d, not \"%s\": %s\n", rc, words, err.msg);
	err = (struct error)ERROR_INIT;
	return is;
}

static void test_efi_files(void)
{
	CHECK(read_efi(sizeof(fat)) == 0);
	CHECK(add.efi.size == sizeof(fat) && (add.efi.loaders & LOADER_X64));
	CHECK(memcmp(add.efi.data, fat, sizeof(fat)) == 0);
	add_boot_done(&add);
	CHECK(is_error(read_efi(sizeof(fat) - 512), "ends before its FAT volume"));
	CHECK(is_error(read_efi(100), "no FAT volume"));
	fat[4 * 512 + 26] = 0; /* EFI has no BOOT any more */
	memset(fat + 4 * 512, 0, 32);
	CHECK(is_error(read_efi(sizeof(fat)), "no boot loader"));
	make_files();
	fat[12] = 8; /* sectors of 2048 bytes */
	CHECK(is_error(read_efi(sizeof(fat)), ""));
	make_files();
}

static void test_bios_files(void)
{
	static uint8_t zeros[sizeof(bios)];

	CHECK(read_bios(bios, sizeof(bios)) == 0);
	CHECK(add.bios.size == sizeof(bios) && memcmp(add.bios.data, bios, sizeof(bios)) == 0);
	add_boot_done(&add);
	CHECK(is_error(read_bios(zeros, sizeof(zeros)), "no code"));
	CHECK(is_error(read_bios(fat, 4096), "diskette"));
	memcpy(zeros, "MZ", 2);
	CHECK(is_error(read_bios(zeros, sizeof(zeros)), "program for UEFI"));
	CHECK(read_bios(bios, 100) == 0 && add.bios.size == 100);
	add_boot_done(&add);
}

static void test_large_files(void)
{
	struct image img = { .p = fat, .len = ADD_BOOT_MAX_FAT + 1 };
	struct source *src = image_source(&img);

	CHECK(is_error(add_boot_read_efi(src, "esp.img", &add.efi, &err), "is the most"));
	source_free(src);
	img.p = bios;
	img.len = sizeof(bios);
	src = image_source(&img);
	src->size = ADD_BOOT_MAX_BIOS + 1;
	CHECK(is_error(add_boot_read_bios(src, "boot.img", &add.bios, &err), "is the most"));
	source_free(src);
	src = image_stream(&img);
	CHECK(is_error(add_boot_read_efi(src, "-", &add.efi, &err), "stream"));
	source_free(src);
}

/* ---- the amended disc */

/* Amends, detects what came of it; the plan, NULL where it was refused. */
static struct plan *amend(struct image *img)
{
	struct source *src = image_source(img), *planned;
	struct plan *plan = NULL;

	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	if (add_boot_plan_disc(src, &lay, &add, &plan, &err) == 0) {
		CHECK(plan_check(plan, &err) == 0 && plan->geo.size % 2048 == 0);
		CHECK(plan_source_new(plan, &src, 1, &planned, &err) == 0);
		CHECK(detect_layout(planned, DETECT_BUDGET, &amended, &err) == 0);
		CHECK(amended.el_torito.present && amended.el_torito.checksum_valid);
		source_free(planned);
	}
	source_free(src);
	return plan;
}

/* Adds them to the disc, which it frees. False: refused, err says why. */
static bool can_amend(struct image *img, bool with_efi, bool with_bios)
{
	struct plan *plan;

	if (with_efi)
		CHECK(read_efi(sizeof(fat)) == 0);
	if (with_bios)
		CHECK(read_bios(bios, sizeof(bios)) == 0);
	plan = amend(img);
	plan_free(plan);
	add_boot_done(&add);
	free(img->p);
	return plan != NULL;
}

static void test_efi_beside_bios(void)
{
	struct image img = disc_new(DISC_BIOS);
	const struct layout_boot_entry *e = amended.el_torito.entries;

	CHECK(can_amend(&img, true, false));
	CHECK(amended.el_torito.n_entries == 2);
	CHECK(e[0].platform == BOOT_BIOS && e[0].lba == 30 && e[0].boot_info_table);
	CHECK(e[1].platform == BOOT_EFI && (e[1].loaders & LOADER_X64));
	CHECK_U64(e[1].sector_count, 128);
	CHECK_U64((uint64_t)e[1].lba * 2048 % MIB, 0);
}

/* SeaBIOS wants the BIOS entry to be the default one, and the catalog to be for BIOS. */
static void test_bios_beside_efi(void)
{
	struct image img = disc_new(DISC_EFI);
	const struct layout_boot_entry *e = amended.el_torito.entries;

	CHECK(can_amend(&img, false, true));
	CHECK(amended.el_torito.n_entries == 2);
	CHECK(e[0].platform == BOOT_BIOS && e[0].lba == DISC_BLOCKS && e[0].record == 1);
	CHECK_U64(e[0].sector_count, 12);
	CHECK(e[1].platform == BOOT_EFI && e[1].lba == 40 && (e[1].loaders & LOADER_X64));
}

static void test_both_on_a_disc_with_room(void)
{
	struct image img = loose_disc(24);
	const struct layout_boot_entry *e = amended.el_torito.entries;

	CHECK(can_amend(&img, true, true));
	CHECK(amended.el_torito.n_entries == 2 && amended.volume.joliet);
	CHECK(e[0].platform == BOOT_BIOS && e[1].platform == BOOT_EFI);
	CHECK(amended.volume.size == N_BLOCKS * 2048);
}

/* isolinux and GRUB have to know where they lie. */
static void test_boot_info_is_filled_in(void)
{
	struct image img = loose_disc(24);

	memcpy(bios + 64, "\xfb\xc0\x78\x70", 4);
	CHECK(can_amend(&img, false, true));
	CHECK(amended.el_torito.entries[0].boot_info_table);
	CHECK_U64(amended.el_torito.entries[0].sector_count, 4);
	make_files();
	memcpy(bios, "\xe8\0\0\xeb\x3b", 5);
	memcpy(bios + 0xdd, "no boot info", 12);
	img = loose_disc(24);
	CHECK(can_amend(&img, false, true));
	CHECK(amended.el_torito.entries[0].boot_info_table);
	CHECK(amended.el_torito.entries[0].grub2_boot_info);
	make_files();
}

/* libisofs has the root directory where the end of the descriptors has to go. */
static void test_root_directory_moves(void)
{
	struct image img = loose_disc(19);
	struct plan *plan;
	struct source *src;
	uint8_t block[2048], entry[8];

	CHECK(read_efi(sizeof(fat)) == 0);
	plan = amend(&img);
	CHECK(plan != NULL);
	src = image_source(&img);
	/* The descriptors, the volume's size, and each place that knew the root directory. */
	CHECK(plan_fill(plan, &src, 17 * 2048, block, 2048, &err) == 0 && block[0] == 0);
	CHECK(plan_fill(plan, &src, 18 * 2048, block, 2048, &err) == 0 && block[0] == 2);
	CHECK(block[80] == N_BLOCKS + 1 && block[87] == N_BLOCKS + 1);
	CHECK(plan_fill(plan, &src, 19 * 2048, block, 2048, &err) == 0 && block[0] == 255);
	CHECK(plan_fill(plan, &src, 16 * 2048, block, 2048, &err) == 0);
	CHECK(block[80] == N_BLOCKS + 1 && block[158] == N_BLOCKS && block[165] == N_BLOCKS);
	CHECK(plan_fill(plan, &src, 20 * 2048, entry, 8, &err) == 0 && entry[2] == N_BLOCKS);
	CHECK(plan_fill(plan, &src, 21 * 2048, entry, 8, &err) == 0 && entry[5] == N_BLOCKS);
	CHECK(plan_fill(plan, &src, 25 * 2048 + 34, block, 34, &err) == 0);
	CHECK(block[2] == N_BLOCKS && block[9] == N_BLOCKS);
	CHECK(plan_fill(plan, &src, (uint64_t)N_BLOCKS * 2048, block, 2048, &err) == 0);
	CHECK(block[2] == N_BLOCKS && block[34 + 2] == N_BLOCKS);
	CHECK(memcmp(block + 68, img.p + 19 * 2048 + 68, 2048 - 68) == 0);
	/* Joliet's own is as it was. */
	CHECK(plan_fill(plan, &src, 22 * 2048, entry, 8, &err) == 0 && entry[2] == 26);
	source_free(src);
	plan_free(plan);
	add_boot_done(&add);
	free(img.p);
}

/* ---- discs that are left alone */

static void test_what_boots_already(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI);

	CHECK(!can_amend(&img, true, false) && is_error(-1, "firmware takes first"));
	img = disc_new(DISC_BIOS | DISC_EFI);
	CHECK(!can_amend(&img, false, true) && is_error(-1, "a BIOS boots only one"));
}

static void test_no_room_for_a_boot_record(void)
{
	struct image img = loose_disc(24);

	image_block(&img, 19)[2047] = 1;
	CHECK(!can_amend(&img, true, false) && is_error(-1, "is in use"));
	/* Zeros, but a file's. */
	img = loose_disc(24);
	put_record(image_block(&img, 24) + 68 + 36, "ZEROS;1", 7, 18, 4096, 0, NULL, 0);
	CHECK(!can_amend(&img, true, false) && is_error(-1, "belongs to a file"));
	img = loose_disc(24);
	put_record(image_block(&img, 26) + 68, "\0Z", 2, 19, 2048, 0, NULL, 0);
	CHECK(!can_amend(&img, true, false) && is_error(-1, "belongs to a file"));
	/* Zeros, but a path table's second block. */
	img = loose_disc(24);
	put_both32(image_block(&img, 16) + 132, 4096);
	put_le32(image_block(&img, 16) + 140, 18);
	CHECK(!can_amend(&img, true, false) && is_error(-1, "is in use"));
}

static void test_root_directory_that_cannot_move(void)
{
	for (int i = 0; i < 6; i++) {
		struct image img = loose_disc(19);

		if (i == 0) /* its parent is another */
			image_block(&img, 19)[34 + 2] = 20;
		else if (i == 1) /* a path table knows another */
			image_block(&img, 21)[5] = 20;
		else if (i == 2) /* a directory in it has another parent */
			image_block(&img, 25)[34 + 2] = 20;
		else if (i == 3) /* Joliet has the same one */
			put_both32(image_block(&img, 17) + 158, 19);
		else if (i == 4) /* it has half a block */
			put_both32(image_block(&img, 16) + 166, 1000);
		else /* the two halves of a number differ */
			image_block(&img, 16)[165] = 77;
		CHECK(!can_amend(&img, true, false) && is_error(-1, "is in use"));
	}
}

static void test_what_cannot_be_kept(void)
{
	struct image img = disc_new(DISC_BIOS);

	image_block(&img, 24)[28] ^= 1;
	CHECK(!can_amend(&img, true, false) && is_error(-1, "checksum"));
	img = disc_new(DISC_BIOS);
	image_block(&img, 24)[500] = 1;
	CHECK(!can_amend(&img, true, false) && is_error(-1, "no boot entry"));
	img = disc_new(DISC_BIOS);
	put_boot_record(&img, 17, 1000); /* behind the end */
	CHECK(!can_amend(&img, true, false) && is_error(-1, "there is none"));
}

static void test_no_disc(void)
{
	struct image img = image_new(N_BLOCKS);

	CHECK(!can_amend(&img, true, false) && is_error(-1, "no disc"));
	img = loose_disc(24);
	image_block(&img, 18)[0] = 77; /* the descriptors have no end */
	CHECK(!can_amend(&img, true, false) && is_error(-1, "damaged"));
}

static void test_several_sessions(void)
{
	struct image img = disc_new(DISC_BIOS);
	struct source *src = image_source(&img);
	struct plan *plan;

	CHECK(read_efi(sizeof(fat)) == 0);
	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	lay.volume.pvd_lba = 48;
	CHECK(is_error(add_boot_plan_disc(src, &lay, &add, &plan, &err), "several sessions"));
	source_free(src);
	add_boot_done(&add);
	free(img.p);
}

/* BIOSes read block 17 and no other. */
static void test_boot_record_elsewhere(void)
{
	struct image img = disc_new(DISC_EFI);
	uint8_t swap[2048];

	memcpy(swap, image_block(&img, 17), 2048);
	memcpy(image_block(&img, 17), image_block(&img, 18), 2048);
	memcpy(image_block(&img, 18), swap, 2048);
	CHECK(!can_amend(&img, false, true) && is_error(-1, "where BIOSes look"));
}

/* ---- the plan of the stick, in terms of the image */

static struct plan *plan_stick(struct image *img, uint64_t size, const char *mode)
{
	const struct geometry geo = { .size = size, .sector_size = 512, .io_align = 512 };
	const struct plan_request req = { .mode = mode, .add_boot = &add };
	struct source *src = image_source(img);
	struct plan *plan = NULL;
	uint64_t needed = 0;

	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	if (planner_make_plan(src, &lay, &geo, &req, &plan, &err) == 0) {
		CHECK(planner_measure(src, &lay, &req, &needed, &err) == 0);
		CHECK(needed > 0 && needed <= size);
	}
	source_free(src);
	return plan;
}

static void check_golden(const char *name, const struct plan *plan)
{
	char path[128], got[8192] = "", want[8192] = "";
	FILE *f = fmemopen(got, sizeof(got), "w");

	plan_dump(plan, f);
	fclose(f);
	snprintf(path, sizeof(path), "tests/golden/%s.txt", name);
	if (getenv("UPDATE_GOLDEN")) {
		f = fopen(path, "w");
		CHECK(f && fputs(got, f) >= 0 && fclose(f) == 0);
	}
	f = fopen(path, "r");
	CHECK(f && fread(want, 1, sizeof(want) - 1, f) > 0);
	if (f)
		fclose(f);
	CHECK_STR(got, want);
}

static void test_golden_plans(void)
{
	struct image img = disc_new(DISC_BIOS);
	struct plan *plan;

	CHECK(read_efi(sizeof(fat)) == 0);
	plan = plan_stick(&img, 16 * MIB, "auto");
	CHECK(plan != NULL);
	check_golden("plan-add-boot-efi", plan);
	plan_free(plan);
	free(img.p);
	img = loose_disc(19);
	CHECK(read_bios(bios, sizeof(bios)) == 0);
	plan = plan_stick(&img, 16 * MIB, "hybrid");
	CHECK(plan != NULL);
	check_golden("plan-add-boot-both", plan);
	plan_free(plan);
	add_boot_done(&add);
	free(img.p);
}

/* All that is not said to differ is the image's. */
static void test_differences_are_all_told(void)
{
	struct image img = loose_disc(19);
	struct source *src = image_source(&img);
	uint8_t *got = malloc(img.len);
	struct plan *plan;
	size_t wrong = 0;

	CHECK(read_efi(sizeof(fat)) == 0);
	plan = plan_stick(&img, 16 * MIB, "auto");
	CHECK(plan && plan_fill(plan, &src, 0, got, img.len, &err) == 0);
	for (size_t i = 0; i < img.len; i++) {
		bool is_told = false;

		for (size_t k = 0; k < plan->n_differences; k++)
			is_told |= i >= plan->differences[k].start &&
				   i - plan->differences[k].start < plan->differences[k].len;
		wrong += !is_told && got[i] != img.p[i];
	}
	CHECK_U64(wrong, 0);
	CHECK(plan_bytes(plan, EXTENT_SOURCE) < img.len);
	plan_free(plan);
	source_free(src);
	add_boot_done(&add);
	free(got);
	free(img.p);
}

static void test_options_that_contradict(void)
{
	struct image img = disc_new(DISC_BIOS);
	const struct geometry geo = { .size = 16 * MIB, .sector_size = 512, .io_align = 512 };
	struct plan_request req = { .mode = "raw", .add_boot = &add };
	struct source *src = image_source(&img);
	struct plan *plan;

	CHECK(read_efi(sizeof(fat)) == 0);
	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	CHECK(planner_make_plan(src, &lay, &geo, &req, &plan, &err) < 0);
	CHECK(err.kind == ERROR_USAGE && strcmp(err.code, "add-boot-raw") == 0);
	req.mode = "auto";
	req.fix_gpt = true;
	CHECK(planner_make_plan(src, &lay, &geo, &req, &plan, &err) < 0);
	CHECK(err.kind == ERROR_USAGE && strcmp(err.code, "fix-gpt-mode") == 0);
	req.fix_gpt = false;
	src->access = SOURCE_SEQUENTIAL;
	CHECK(planner_make_plan(src, &lay, &geo, &req, &plan, &err) < 0);
	CHECK(err.kind == ERROR_USAGE && strcmp(err.code, "needs-file") == 0);
	src->access = SOURCE_RANDOM;
	err = (struct error)ERROR_INIT;
	source_free(src);
	add_boot_done(&add);
	free(img.p);
}

int main(void)
{
	make_files();
	RUN(test_efi_files);
	RUN(test_bios_files);
	RUN(test_large_files);
	RUN(test_efi_beside_bios);
	RUN(test_bios_beside_efi);
	RUN(test_both_on_a_disc_with_room);
	RUN(test_boot_info_is_filled_in);
	RUN(test_root_directory_moves);
	RUN(test_what_boots_already);
	RUN(test_no_room_for_a_boot_record);
	RUN(test_root_directory_that_cannot_move);
	RUN(test_what_cannot_be_kept);
	RUN(test_no_disc);
	RUN(test_several_sessions);
	RUN(test_boot_record_elsewhere);
	RUN(test_golden_plans);
	RUN(test_differences_are_all_told);
	RUN(test_options_that_contradict);
	return tap_done();
}
