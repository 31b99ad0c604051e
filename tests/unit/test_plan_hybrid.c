// SPDX-License-Identifier: GPL-3.0-or-later
/* The hybrid planner; its plans as text are golden (test_golden_plan.c). */
#include "plan/planner.h"

#include <stdlib.h>

#include "disc_util.h"
#include "disk/gpt.h"
#include "disk/mbr.h"
#include "image/detect.h"
#include "plan/plan-source.h"
#include "tap.h"

#define TARGET (64 * MIB)

/* A disc, and a plan for it; fixture_done() frees all. */
struct fixture {
	struct image img;
	struct source *src;
	struct layout *lay;
	struct plan *plan;
	struct error err;
};

static void fixture_init(struct fixture *f, unsigned int flags)
{
	*f = (struct fixture){ .img = disc_new(flags) };
	f->src = image_source(&f->img);
	f->lay = calloc(1, sizeof(*f->lay));
	CHECK(detect_layout(f->src, DETECT_BUDGET, f->lay, &f->err) == 0);
}

static void fixture_done(struct fixture *f)
{
	plan_free(f->plan);
	source_free(f->src);
	free(f->lay);
	free(f->img.p);
}

static int make(struct fixture *f, const struct plan_request *req, uint64_t size)
{
	const struct geometry geo = { .size = size, .sector_size = 512, .io_align = 512 };

	plan_free(f->plan);
	f->plan = NULL;
	f->err = (struct error)ERROR_INIT;
	return planner_make_plan(f->src, f->lay, &geo, req, &f->plan, &f->err);
}

static uint8_t *bytes_of(const struct fixture *f)
{
	struct source *const sources[] = { f->src };
	uint8_t *p = malloc(f->plan->geo.size);
	struct error err = ERROR_INIT;

	CHECK(plan_fill(f->plan, sources, 0, p, f->plan->geo.size, &err) == 0);
	return p;
}

static struct layout *look(const struct fixture *f)
{
	struct source *const sources[] = { f->src };
	struct layout *lay = calloc(1, sizeof(*lay));
	struct error err = ERROR_INIT;
	struct source *src;

	CHECK(plan_source_new(f->plan, sources, 1, &src, &err) == 0);
	src->is_block_device = true;
	CHECK(detect_layout(src, DETECT_BUDGET, lay, &err) == 0);
	source_free(src);
	return lay;
}

/* What auto does with each kind of disc. */
static void test_auto(void)
{
	static const struct {
		unsigned int flags;
		const char *planner;
	} discs[] = {
		{ 0, "raw" },
		{ DISC_BIOS, "hybrid" },
		{ DISC_EFI, "hybrid" },
		{ DISC_BIOS | DISC_EFI, "hybrid" },
		{ DISC_BIOS | DISC_MBR, "raw" },
		{ DISC_BIOS | DISC_EFI | DISC_MBR, "raw" },
	};
	const struct plan_request req = { .mode = "auto" };

	for (size_t i = 0; i < ARRAY_SIZE(discs); i++) {
		struct fixture f;

		fixture_init(&f, discs[i].flags);
		CHECK(make(&f, &req, TARGET) == 0);
		CHECK_STR(f.plan ? f.plan->planner : "", discs[i].planner);
		fixture_done(&f);
	}
}

/* All of the disc behind its system area is where it was, and the volume is there twice. */
static void test_disc_is_unchanged(void)
{
	const struct plan_request req = { .mode = "hybrid" };
	struct fixture f;
	uint8_t *p;

	fixture_init(&f, DISC_BIOS | DISC_EFI);
	memset(f.img.p + 512, 0x5a, 32768 - 512);
	CHECK(make(&f, &req, TARGET) == 0);
	p = bytes_of(&f);
	CHECK(!memcmp(p + 32768, f.img.p + 32768, f.img.len - 32768));
	CHECK(!memcmp(p + MIB, f.img.p + 40 * 2048, 40 * 512));
	for (size_t i = 17408; i < 32768; i++)
		CHECK(p[i] == 0);
	free(p);
	fixture_done(&f);
}

static void test_booting(void)
{
	struct plan_request req = { .mode = "hybrid" };
	struct layout *lay;
	struct fixture f;

	for (int strict = 0; strict < 2; strict++) {
		req.strict_gpt = strict;
		fixture_init(&f, DISC_BIOS | DISC_EFI);
		CHECK(f.lay->boot.bios.usb != BOOT_YES && f.lay->boot.uefi_x64.usb != BOOT_YES);
		CHECK(make(&f, &req, TARGET) == 0);
		lay = look(&f);
		CHECK(lay->boot.bios.usb == BOOT_YES);
		CHECK(lay->boot.uefi_x64.usb == BOOT_YES);
		CHECK(lay->boot.bios.cd == BOOT_YES && lay->boot.uefi_x64.cd == BOOT_YES);
		CHECK(lay->mbr.code == MBR_CODE_ISOWRITE);
		CHECK(lay->gpt.valid && lay->gpt.backup_at_end && lay->gpt.arrays_equal);
		CHECK_U64(lay->gpt.n_partitions, strict ? 1 : 2);
		CHECK_U64(lay->mbr.n_partitions, strict ? 1 : 2);
		/* It is a disc still; made once more from itself it stays as it is. */
		CHECK(!hybrid_is_needed(lay));
		free(lay);
		fixture_done(&f);
	}
}

static void test_kinds_of_code(void)
{
	const struct plan_request req = { .mode = "hybrid" };
	struct bootcode_mbr mbr;
	struct bootcode_disc disc;
	struct fixture f;
	uint8_t *p;

	fixture_init(&f, DISC_BIOS);
	CHECK(make(&f, &req, TARGET) == 0);
	p = bytes_of(&f);
	CHECK(bootcode_get_mbr(p, &mbr) && mbr.kind == BOOTCODE_ISOLINUX && mbr.lba == 30 * 4);
	free(p);
	f.lay->el_torito.entries[0].boot_info_table = false;
	f.lay->el_torito.entries[0].sector_count = 17;
	f.lay->el_torito.entries[0].load_segment = 0x1234;
	CHECK(make(&f, &req, TARGET) == 0);
	p = bytes_of(&f);
	CHECK(bootcode_get_mbr(p, &mbr) && mbr.kind == BOOTCODE_CDEMU && mbr.lba == 40);
	CHECK_U64(mbr.count, bootcode_cdemu_size() / 512);
	CHECK(bootcode_get_cdemu(p + 40 * 512, 24 * 512, &disc));
	CHECK_U64(disc.image_lba, 30);
	CHECK_U64(disc.load_sectors, 17);
	CHECK_U64(disc.load_segment, 0x1234);
	CHECK_U64(disc.disc_blocks, DISC_BLOCKS);
	CHECK_U64(disc.catalog_lba, 24);
	free(p);
	f.lay->el_torito.entries[0].grub2_boot_info = true;
	f.lay->el_torito.entries[0].load_segment = 0;
	CHECK(make(&f, &req, TARGET) == 0);
	p = bytes_of(&f);
	CHECK(bootcode_get_mbr(p, &mbr) && mbr.kind == BOOTCODE_GRUB2 && mbr.lba == 30 * 4 + 4);
	free(p);
	fixture_done(&f);
	fixture_init(&f, DISC_EFI);
	CHECK(make(&f, &req, TARGET) == 0);
	p = bytes_of(&f);
	CHECK(bootcode_get_mbr(p, &mbr) && mbr.kind == BOOTCODE_UEFI_ONLY);
	free(p);
	fixture_done(&f);
}

/* Large targets: the protective entry and the emulated disc have 32 bits. */
static void test_large_target(void)
{
	const struct plan_request req = { .mode = "hybrid" };
	const uint64_t size = UINT64_C(5) << 40;
	struct source *sources[1];
	struct gpt_header header;
	struct fixture f;
	uint8_t sector[512];
	struct mbr mbr;

	fixture_init(&f, DISC_BIOS | DISC_EFI);
	sources[0] = f.src;
	CHECK(make(&f, &req, size) == 0);
	CHECK(plan_fill(f.plan, sources, 0, sector, 512, &f.err) == 0);
	CHECK(mbr_decode(sector, &mbr) && mbr.entries[0].len_blocks == UINT32_MAX);
	CHECK(plan_fill(f.plan, sources, 512, sector, 512, &f.err) == 0);
	CHECK(gpt_decode_header(sector, 512, 1, &header) == GPT_OK);
	CHECK_U64(header.alternate_lba, size / 512 - 1);
	CHECK(plan_fill(f.plan, sources, size - 512, sector, 512, &f.err) == 0);
	CHECK(gpt_decode_header(sector, 512, size / 512 - 1, &header) == GPT_OK);
	fixture_done(&f);
}

static void test_room(void)
{
	/* The copy ends at 1 MiB + 20 KiB; 32 sectors of entries and the header follow. */
	const uint64_t needed = MIB + 40 * 512 + 33 * 512;
	const struct plan_request req = { .mode = "hybrid" }, raw = { .mode = "raw" };
	struct fixture f;
	uint64_t size;

	fixture_init(&f, DISC_BIOS | DISC_EFI);
	CHECK(make(&f, &req, needed - 1) < 0);
	CHECK(f.err.kind == ERROR_FIT);
	CHECK(strstr(f.err.msg, "short by 512 bytes") && strstr(f.err.msg, "--mode=raw would fit"));
	CHECK(make(&f, &req, needed) == 0);
	CHECK(make(&f, &req, needed + 511) == 0);
	CHECK(make(&f, &req, 64 * KIB) < 0);
	CHECK(f.err.kind == ERROR_FIT && !strstr(f.err.msg, "--mode=raw"));
	CHECK(planner_measure(f.src, f.lay, &req, &size, &f.err) == 0);
	CHECK_U64(size, 2 * MIB);
	CHECK(planner_measure(f.src, f.lay, &raw, &size, &f.err) == 0);
	CHECK_U64(size, f.img.len);
	fixture_done(&f);
}

static void test_sectors(void)
{
	const struct plan_request req = { .mode = "hybrid" };
	struct fixture f;

	fixture_init(&f, DISC_BIOS | DISC_EFI);
	for (uint32_t sector = 1024; sector <= 4096; sector *= 2) {
		const struct geometry geo = { .size = TARGET,
					      .sector_size = sector,
					      .io_align = sector };

		f.err = (struct error)ERROR_INIT;
		CHECK(planner_make_plan(f.src, f.lay, &geo, &req, &f.plan, &f.err) < 0);
		CHECK_STR(f.err.code, "sector-size");
		CHECK(f.err.kind == ERROR_IMAGE);
	}
	fixture_done(&f);
}

static void check_refused(struct fixture *f, const struct plan_request *req, const char *code)
{
	CHECK(make(f, req, TARGET) < 0);
	CHECK_STR(f->err.code ? f->err.code : "none", code);
}

static void test_refusals(void)
{
	struct plan_request req = { .mode = "hybrid" };
	struct bmap map = { .image_size = DISC_BLOCKS * 2048 };
	struct fixture f;

	fixture_init(&f, 0);
	check_refused(&f, &req, "not-hybrid");
	CHECK(f.err.kind == ERROR_IMAGE);
	fixture_done(&f);
	fixture_init(&f, DISC_BIOS | DISC_EFI);
	req.boot_entry = 2;
	check_refused(&f, &req, "boot-entry");
	CHECK(f.err.kind == ERROR_USAGE);
	req.mode = "raw";
	check_refused(&f, &req, "hybrid-options");
	req = (struct plan_request){ .mode = "raw", .strict_gpt = true };
	check_refused(&f, &req, "hybrid-options");
	req = (struct plan_request){ .mode = "hybrid", .fix_gpt = true };
	check_refused(&f, &req, "fix-gpt-mode");
	req = (struct plan_request){ .mode = "hybrid", .bmap = &map };
	check_refused(&f, &req, "bmap-mode");
	req = (struct plan_request){ .mode = "windows" };
	check_refused(&f, &req, "unknown-mode");
	fixture_done(&f);
}

/* Boot code counts from the stick's start. */
static void test_partitions(void)
{
	const struct geometry geo = {
		.size = TARGET, .sector_size = 512, .io_align = 512, .is_partition = true
	};
	struct plan_request req = { .mode = "auto" };
	struct fixture f;

	fixture_init(&f, DISC_BIOS | DISC_EFI);
	CHECK(planner_make_plan(f.src, f.lay, &geo, &req, &f.plan, &f.err) == 0);
	CHECK_STR(f.plan ? f.plan->planner : "", "raw");
	plan_free(f.plan);
	f.plan = NULL;
	req.mode = "hybrid";
	CHECK(planner_make_plan(f.src, f.lay, &geo, &req, &f.plan, &f.err) < 0);
	CHECK_STR(f.err.code, "hybrid-partition");
	req = (struct plan_request){ .mode = "auto", .strict_gpt = true };
	CHECK(planner_make_plan(f.src, f.lay, &geo, &req, &f.plan, &f.err) < 0);
	fixture_done(&f);
}

/* What would be hybrid as a file is raw as a stream, unless it was asked for. */
static void test_streams(void)
{
	struct plan_request req = { .mode = "auto" };
	struct fixture f;

	fixture_init(&f, DISC_BIOS | DISC_EFI);
	source_free(f.src);
	f.src = image_stream(&f.img);
	f.src->size = f.img.len;
	CHECK(make(&f, &req, TARGET) == 0);
	CHECK_STR(f.plan ? f.plan->planner : "", "raw");
	req.strict_gpt = true;
	check_refused(&f, &req, "needs-file");
	req = (struct plan_request){ .mode = "hybrid" };
	check_refused(&f, &req, "needs-file");
	CHECK(f.err.kind == ERROR_USAGE);
	fixture_done(&f);
}

static void disk_guid(const struct fixture *f, uint8_t ret[16])
{
	uint8_t *p = bytes_of(f);

	memcpy(ret, p + 512 + 56, 16);
	free(p);
}

/* The same image on the same stick: the same bytes. Anything else: other identifiers. */
static void test_identifiers(void)
{
	struct plan_request req = { .mode = "hybrid" };
	uint8_t guids[5][16];
	struct fixture f;

	fixture_init(&f, DISC_BIOS | DISC_EFI);
	CHECK(make(&f, &req, TARGET) == 0);
	disk_guid(&f, guids[0]);
	CHECK(make(&f, &req, TARGET) == 0);
	disk_guid(&f, guids[1]);
	CHECK(!memcmp(guids[0], guids[1], 16));
	CHECK(make(&f, &req, TARGET + 512) == 0);
	disk_guid(&f, guids[1]);
	req.seed = "6f1c2d9e-93a0-4d6b-8a2e-0f3b5c7d9e11";
	CHECK(make(&f, &req, TARGET) == 0);
	disk_guid(&f, guids[2]);
	req.seed = "6F1C2D9E-93A0-4D6B-8A2E-0F3B5C7D9E11";
	CHECK(make(&f, &req, TARGET) == 0);
	disk_guid(&f, guids[3]);
	CHECK(!memcmp(guids[2], guids[3], 16));
	req.seed = NULL;
	image_block(&f.img, 16)[813]++; /* the date of the volume */
	CHECK(make(&f, &req, TARGET) == 0);
	disk_guid(&f, guids[4]);
	for (size_t i = 0; i < 5; i++)
		for (size_t k = 0; k < i; k++)
			CHECK((i == 3 && k == 2) || memcmp(guids[i], guids[k], 16) != 0);
	fixture_done(&f);
}

/* A plan with a source that cannot be read anywhere, or that is not there, has no bytes yet. */
static void test_plan_source_wants_all(void)
{
	const struct plan_request req = { .mode = "raw" };
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	struct fixture f;

	fixture_init(&f, DISC_BIOS);
	CHECK(make(&f, &req, TARGET) == 0);
	CHECK(plan_source_new(f.plan, &f.src, 0, &src, &err) < 0);
	source_free(f.src);
	f.src = image_stream(&f.img);
	CHECK(plan_source_new(f.plan, &f.src, 1, &src, &err) < 0);
	CHECK(make(&f, &req, TARGET) == 0 && f.plan->is_open);
	CHECK(plan_source_new(f.plan, &f.src, 1, &src, &err) < 0);
	CHECK(err.kind == ERROR_INTERNAL && !src);
	fixture_done(&f);
}

int main(void)
{
	RUN(test_auto);
	RUN(test_disc_is_unchanged);
	RUN(test_booting);
	RUN(test_kinds_of_code);
	RUN(test_large_target);
	RUN(test_room);
	RUN(test_sectors);
	RUN(test_refusals);
	RUN(test_partitions);
	RUN(test_streams);
	RUN(test_identifiers);
	RUN(test_plan_source_wants_all);
	return tap_done();
}
