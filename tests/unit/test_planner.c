// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan/planner.h"

#include "gpt-image.h"
#include "memory-source.h"
#include "tap.h"

#define AUTO { .mode = "auto" }
#define FIX { .mode = "auto", .fix_gpt = true }

/* Makes a plan for a target of size bytes; NULL and *err when it is refused. */
static struct plan *make(struct source *src, const struct layout *lay, uint64_t size,
			 uint32_t sector_size, struct plan_request req, struct error *err)
{
	struct geometry geo = { .size = size, .sector_size = sector_size, .io_align = 4096 };
	struct plan *plan = NULL;

	if (planner_make_plan(src, lay, &geo, &req, &plan, err) < 0)
		CHECK(plan == NULL);
	else
		CHECK(plan_check(plan, err) == 0);
	return plan;
}

static struct source *plain_source(uint64_t size)
{
	static struct memory_source none = { (const uint8_t *)"", 0 };

	return memory_source_new(&none, size);
}

static void test_raw(void)
{
	struct source *src = plain_source(2 * MIB);
	struct layout lay = { .size = 2 * MIB };
	struct error err = ERROR_INIT;
	struct plan *plan = make(src, &lay, 8 * MIB, 512, (struct plan_request)AUTO, &err);

	CHECK_STR(plan->planner, "raw");
	CHECK_U64(plan_bytes(plan, EXTENT_SOURCE), 2 * MIB);
	CHECK_U64(plan_bytes(plan, EXTENT_KEEP), 5 * MIB);
	plan_free(plan);
	plan = make(src, &lay, 2 * MIB, 512, (struct plan_request){ .mode = "raw" }, &err);
	CHECK_U64(plan->n_extents, 1);
	plan_free(plan);
	CHECK(!make(src, &lay, 2 * MIB - 512, 512, (struct plan_request)AUTO, &err));
	CHECK(err.kind == ERROR_FIT);
	source_free(src);
}

static void test_stream(void)
{
	struct source *src = plain_source(SOURCE_SIZE_UNKNOWN);
	struct layout lay = { .size = UINT64_MAX };
	struct error err = ERROR_INIT;
	struct plan *plan;

	src->access = SOURCE_SEQUENTIAL;
	plan = make(src, &lay, 8 * MIB, 512, (struct plan_request)AUTO, &err);
	CHECK(plan->is_open);
	CHECK(plan_close(plan, 12345, &err) == 0);
	plan_free(plan);
	CHECK(!make(src, &lay, 8 * MIB, 512, (struct plan_request)FIX, &err));
	CHECK_STR(err.code, "needs-file");
	source_free(src);
}

static void test_modes(void)
{
	struct source *src = plain_source(MIB);
	struct layout lay = { .size = MIB };
	struct error err = ERROR_INIT;

	CHECK(!make(src, &lay, 8 * MIB, 512, (struct plan_request){ .mode = "windows" }, &err));
	CHECK(err.kind == ERROR_USAGE);
	CHECK(!make(src, &lay, 8 * MIB, 512,
		    (struct plan_request){ .mode = "raw", .fix_gpt = true }, &err));
	CHECK(err.kind == ERROR_USAGE);
	source_free(src);
}

static void test_truncated(void)
{
	struct source *src = plain_source(MIB);
	struct layout lay = { .size = MIB,
			      .expected_size = 3 * MIB,
			      .expected_by = "the ISO 9660 volume",
			      .is_truncated = true };
	struct plan_request req = AUTO;
	struct error err = ERROR_INIT;
	struct plan *plan;

	CHECK(!make(src, &lay, 8 * MIB, 512, req, &err));
	CHECK(err.kind == ERROR_IMAGE);
	CHECK_STR(err.code, "truncated");
	CHECK(strstr(err.msg, "1,048,576") && strstr(err.msg, "3,145,728") &&
	      strstr(err.msg, "the ISO 9660 volume") && strstr(err.msg, "--allow=truncated"));
	req.allow_truncated = true;
	plan = make(src, &lay, 8 * MIB, 512, req, &err);
	CHECK(plan != NULL);
	plan_free(plan);
	source_free(src);
}

static void check_sectors(const struct layout *lay, uint32_t sector_size, int works)
{
	struct source *src = plain_source(MIB);
	struct error err = ERROR_INIT;
	struct plan *plan = make(src, lay, 8 * MIB, sector_size, (struct plan_request)AUTO, &err);

	CHECK(!plan == !works);
	if (!plan) {
		CHECK(err.kind == (sector_size > 4096 ? ERROR_LACKING : ERROR_IMAGE));
		CHECK_STR(err.code, "sector-size");
	}
	plan_free(plan);
	source_free(src);
}

static void test_sector_size(void)
{
	struct layout plain = { .size = MIB, .sector_size = 512 };
	struct layout mbr = plain, gpt = plain, iso = plain, udf = plain, fat = plain;

	check_sectors(&plain, 4096, 1);
	check_sectors(&plain, 16384, 0);
	mbr.mbr.present = true;
	mbr.mbr.block_size = 512;
	check_sectors(&mbr, 512, 1);
	check_sectors(&mbr, 4096, 0);
	gpt.gpt.valid = gpt.gpt.present = true;
	gpt.gpt.block_size = 512;
	check_sectors(&gpt, 4096, 0);
	gpt.gpt.block_size = 4096;
	check_sectors(&gpt, 4096, 1);
	check_sectors(&gpt, 512, 1);
	iso.volume.present = true;
	check_sectors(&iso, 2048, 1);
	check_sectors(&iso, 4096, 0);
	udf.udf = true;
	check_sectors(&udf, 512, 1);
	check_sectors(&udf, 4096, 0);
	fat.superfloppy = true;
	check_sectors(&fat, 4096, 0);
	fat.sector_size = 4096;
	check_sectors(&fat, 4096, 1);
}

/* The fixed table of a plan, read back out of the plan's bytes. */
static void check_fixed(const struct gpt_image *img, const struct plan *plan, struct source *src)
{
	uint64_t last = plan->geo.size / img->block_size - 1;
	uint32_t array_size = img->n_entries * 128;
	uint8_t block[4096], *array = malloc(array_size);
	struct gpt_header primary, backup;
	struct error err = ERROR_INIT;
	struct mbr mbr;

	CHECK(plan_fill(plan, &src, 0, block, 512, &err) == 0 && mbr_decode(block, &mbr));
	CHECK_U64(mbr.entries[0].len_blocks, num_min(last, UINT32_MAX));
	CHECK(mbr.entries[1].status == 0x80 && mbr.entries[1].len_blocks == 1);
	CHECK(plan_fill(plan, &src, img->block_size, block, img->block_size, &err) == 0);
	CHECK(gpt_decode_header(block, img->block_size, 1, &primary) == GPT_OK);
	CHECK_U64(primary.alternate_lba, last);
	CHECK(plan_fill(plan, &src, last * img->block_size, block, img->block_size, &err) == 0);
	CHECK(gpt_decode_header(block, img->block_size, last, &backup) == GPT_OK);
	CHECK_U64(backup.alternate_lba, 1);
	CHECK_U64(backup.last_usable_lba, primary.last_usable_lba);
	CHECK_U64(backup.last_usable_lba, backup.entries_lba - 1);
	CHECK(!memcmp(backup.disk_guid, primary.disk_guid, 16));
	CHECK(plan_fill(plan, &src, backup.entries_lba * img->block_size, array, array_size,
			&err) == 0);
	CHECK_U64(gpt_array_crc(&backup, array), primary.entries_crc);
	free(array);
}

static struct source *image_source(struct gpt_image *img, struct memory_source *m)
{
	gpt_image_make(img);
	m->data = img->data;
	m->len = gpt_image_size(img);
	return memory_source_new(m, m->len);
}

static void test_fix(void)
{
	static const struct {
		uint32_t block_size, n_entries;
		uint64_t n_blocks, target;
	} cases[] = {
		{ 512, 128, 8192, 16 * MIB },
		{ 512, 248, 8192, 16 * MIB + 512 },
		{ 512, 128, 8192, 4 * MIB + 512 }, /* over the image's own backup */
		{ 512, 128, 8192, 16 * MIB + 100 }, /* a file of odd size */
		{ 512, 4, 300, 3 * MIB },
		{ 4096, 128, 1024, 64 * MIB },
		{ 512, 128, 8192, 6000 * GIB }, /* beyond what the MBR can say */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gpt_image img = { cases[i].block_size, cases[i].n_entries,
					 cases[i].n_blocks, NULL, { 0 } };
		struct memory_source m;
		struct source *src = image_source(&img, &m);
		struct error err = ERROR_INIT;
		struct plan *plan = make(src, &img.lay, cases[i].target, cases[i].block_size,
					 (struct plan_request)FIX, &err);

		if (plan) {
			CHECK_STR(plan->planner, "gpt-fix");
			check_fixed(&img, plan, src);
		} else {
			printf("# case %zu: %s\n", i, err.msg);
			CHECK(!"a plan");
		}
		plan_free(plan);
		source_free(src);
		free(img.data);
	}
}

/* Every byte that is not one of the changed fields is the image's own. */
static void test_fix_changes_little(void)
{
	struct gpt_image img = { 512, 128, 8192, NULL, { 0 } };
	struct memory_source m;
	struct source *src = image_source(&img, &m);
	struct error err = ERROR_INIT;
	struct plan *plan = make(src, &img.lay, 16 * MIB, 512, (struct plan_request)FIX, &err);
	uint8_t *bytes = malloc(4 * MIB);
	uint64_t said = 0, n = 0;

	CHECK(plan_fill(plan, &src, 0, bytes, 4 * MIB, &err) == 0);
	for (size_t i = 0; i < 4 * MIB; i++) {
		bool is_named = false;

		for (size_t k = 0; k < plan->n_differences; k++)
			is_named |= i - plan->differences[k].start < plan->differences[k].len;
		if (bytes[i] != img.data[i])
			CHECK(is_named);
		said += is_named;
		n += bytes[i] != img.data[i];
	}
	CHECK_U64(said, 3 + 4 + 4 + 8 + 8);
	CHECK(n > 8);
	free(bytes);
	plan_free(plan);
	source_free(src);
	free(img.data);
}

static void test_fix_in_place(void)
{
	struct gpt_image img = { 512, 128, 8192, NULL, { 0 } };
	struct memory_source m;
	struct source *src = image_source(&img, &m);
	struct error err = ERROR_INIT;
	struct plan *plan = make(src, &img.lay, 4 * MIB, 512, (struct plan_request)FIX, &err);

	CHECK_U64(plan->n_extents, 1);
	CHECK_U64(plan->n_differences, 0);
	plan_free(plan);
	/* Without a backup one is made. */
	memset(img.data + 4 * MIB - 512, 0, 512);
	img.lay.gpt.backup.valid = img.lay.gpt.backup.present = false;
	plan = make(src, &img.lay, 4 * MIB, 512, (struct plan_request)FIX, &err);
	check_fixed(&img, plan, src);
	CHECK_U64(plan->n_differences, 1);
	CHECK_U64(plan->differences[0].start, 4 * MIB - 512);
	plan_free(plan);
	source_free(src);
	free(img.data);
}

static void check_refused(struct gpt_image *img, struct source *src, uint64_t size,
			  uint32_t sector_size, const char *code)
{
	struct error err = ERROR_INIT;
	struct plan *plan = make(src, &img->lay, size, sector_size, (struct plan_request)FIX, &err);

	CHECK(plan == NULL);
	CHECK_STR(plan ? "" : err.code, code);
	plan_free(plan);
}

static void set_last_usable(struct gpt_image *img, uint64_t lba)
{
	struct gpt_header header;

	gpt_decode_header(img->data + img->block_size, img->block_size, 1, &header);
	header.last_usable_lba = lba;
	gpt_encode_header(img->data + img->block_size, &header);
}

/* Of the first partition, which begins at 64; the checksums stay right. */
static void set_entry_end(struct gpt_image *img, uint64_t lba)
{
	uint8_t *header = img->data + img->block_size, *array = header + img->block_size;
	struct gpt_header h;
	struct gpt_entry entry;

	gpt_decode_entry(array, &entry);
	entry.last_lba = lba;
	gpt_encode_entry(array, &entry);
	gpt_decode_header(header, img->block_size, 1, &h);
	h.entries_crc = gpt_array_crc(&h, array);
	gpt_encode_header(header, &h);
}

static void test_fix_refused(void)
{
	struct gpt_image img = { 512, 128, 8192, NULL, { 0 } };
	struct memory_source m;
	struct source *src = image_source(&img, &m);

	img.lay.volume.present = true;
	img.lay.volume.size = 4 * MIB;
	check_refused(&img, src, 4 * MIB + 512, 512, "no-room-for-backup");
	img.lay.volume.present = false;
	/* A header that calls more usable than it leaves for the backup. */
	set_last_usable(&img, 8180);
	check_refused(&img, src, 4 * MIB + 512, 512, "no-room-for-backup");
	set_last_usable(&img, UINT64_MAX);
	check_refused(&img, src, 4 * MIB + 512, 512, "no-room-for-backup");
	set_last_usable(&img, 8158);
	check_refused(&img, src, 4 * MIB - 512, 512, "does-not-fit");
	check_refused(&img, src, 8 * MIB, 4096, "sector-size");
	img.lay.gpt.block_size = 4096;
	check_refused(&img, src, 8 * MIB, 512, "sector-size");
	img.lay.gpt.block_size = 512;
	img.data[1024]++;
	check_refused(&img, src, 8 * MIB, 512, "gpt-damaged");
	img.data[1024]--;
	img.data[512 + 16]++;
	check_refused(&img, src, 8 * MIB, 512, "gpt-damaged");
	img.data[512 + 16]--;
	set_entry_end(&img, 63);
	check_refused(&img, src, 8 * MIB, 512, "gpt-damaged");
	set_entry_end(&img, UINT64_MAX);
	check_refused(&img, src, 8 * MIB, 512, "gpt-damaged");
	set_entry_end(&img, 127);
	img.data[446 + 8] = 0;
	check_refused(&img, src, 8 * MIB, 512, "gpt-unprotected");
	img.data[446 + 8] = 1;
	img.lay.gpt.primary.present = false;
	check_refused(&img, src, 8 * MIB, 512, "gpt-damaged");
	img.lay.gpt.present = false;
	check_refused(&img, src, 8 * MIB, 512, "no-gpt");
	source_free(src);
	free(img.data);
}

/* A hybrid MBR's other entries are real partitions; its protective entry stays as it is. */
static void test_fix_keeps_hybrid_mbr(void)
{
	struct gpt_image img = { 512, 128, 8192, NULL, { 0 } };
	struct memory_source m;
	struct source *src = image_source(&img, &m);
	struct mbr_entry efi = { .type = MBR_TYPE_EFI_SYSTEM, .start_lba = 64, .len_blocks = 64 };
	struct error err = ERROR_INIT;
	struct plan *plan;
	uint8_t sector[512];

	mbr_encode_entry(img.data, 2, &efi);
	plan = make(src, &img.lay, 16 * MIB, 512, (struct plan_request)FIX, &err);
	CHECK(plan_fill(plan, &src, 0, sector, 512, &err) == 0);
	CHECK(!memcmp(sector, img.data, 512));
	plan_free(plan);
	source_free(src);
	free(img.data);
}

int main(void)
{
	RUN(test_raw);
	RUN(test_stream);
	RUN(test_modes);
	RUN(test_truncated);
	RUN(test_sector_size);
	RUN(test_fix);
	RUN(test_fix_changes_little);
	RUN(test_fix_in_place);
	RUN(test_fix_refused);
	RUN(test_fix_keeps_hybrid_mbr);
	return tap_done();
}
