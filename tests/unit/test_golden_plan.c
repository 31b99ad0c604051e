// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whole plans as text beside tests/golden/plan-*.txt: plan_dump() and the bytes
 * of the memory extents. UPDATE_GOLDEN=1 (make golden) rewrites the files. Runs
 * from the top folder.
 */
#include "plan/planner.h"

#include <inttypes.h>
#include <stdlib.h>

#include "boot/layout.h"
#include "disc_util.h"
#include "gpt-image.h"
#include "image/detect.h"
#include "memory-source.h"
#include "plan/plan-format.h"
#include "tap.h"

#define DIR "tests/golden"

static const struct golden {
	const char *name;
	uint64_t content, target;
	uint32_t sector_size, io_align;
	enum layout_kind kind;
	bool is_stream; /* closed with the content's size afterwards */
	uint32_t gpt_block, gpt_entries; /* gpt-fix of an image with such a table; 0 raw */
} goldens[] = {
	{ "raw-iso", 367001600, 4000000000, 512, 4096, LAYOUT_ISOHYBRID, false, 0, 0 },
	{ "raw-odd-content", 5000001, 64 * MIB, 512, 4096, LAYOUT_UNKNOWN, false, 0, 0 },
	{ "raw-small-image", 34816, 64 * MIB, 512, 512, LAYOUT_DISK, false, 0, 0 },
	{ "raw-odd-target", 8 * MIB, 64 * MIB + 513, 512, 4096, LAYOUT_DISK, false, 0, 0 },
	{ "raw-exact", 8 * MIB, 8 * MIB, 512, 4096, LAYOUT_ISO_DATA, false, 0, 0 },
	{ "raw-exact-odd-file", 1234567, 1234567, 512, 4096, LAYOUT_UNKNOWN, false, 0, 0 },
	{ "raw-tiny-target", 700, 1536 * KIB, 512, 512, LAYOUT_UNKNOWN, false, 0, 0 },
	{ "raw-into-last-mib", 64 * MIB - 300, 64 * MIB, 512, 4096, LAYOUT_WINDOWS, false, 0, 0 },
	{ "raw-4096", 5 * MIB + 2048, 64 * MIB, 4096, 4096, LAYOUT_UNKNOWN, false, 0, 0 },
	{ "raw-stream", 3 * MIB + 17, 64 * MIB, 512, 4096, LAYOUT_UDF, true, 0, 0 },
	{ "fix-gpt", 4 * MIB, 64 * MIB, 512, 4096, LAYOUT_DISK, false, 512, 128 },
	{ "fix-gpt-248-entries", 4 * MIB, 64 * MIB, 512, 4096, LAYOUT_DISK, false, 512, 248 },
	{ "fix-gpt-overlaps-backup", 4 * MIB, 4 * MIB + 1024, 512, 512, LAYOUT_DISK, false, 512, 128 },
	{ "fix-gpt-in-place", 4 * MIB, 4 * MIB, 512, 512, LAYOUT_DISK, false, 512, 128 },
	{ "fix-gpt-4096", 4 * MIB, 64 * MIB, 4096, 4096, LAYOUT_DISK, false, 4096, 128 },
};

/*
 * By a block map: a range in the first MiB, two that do not begin and end on 4 KiB, with less
 * than such a block between them, and one that does.
 */
static const struct golden_map {
	struct golden golden;
	bool zero;
} golden_maps[] = {
	{ { "bmap", 5 * MIB + 1000, 64 * MIB, 512, 512, LAYOUT_DISK, false, 0, 0 }, false },
	{ { "bmap-4096", 5 * MIB + 1000, 64 * MIB, 4096, 4096, LAYOUT_DISK, false, 0, 0 }, false },
	{ { "bmap-exact", 5 * MIB, 5 * MIB, 512, 512, LAYOUT_DISK, false, 0, 0 }, false },
	{ { "bmap-stream", 5 * MIB + 1000, 64 * MIB, 512, 4096, LAYOUT_DISK, true, 0, 0 }, false },
	{ { "bmap-zero", 5 * MIB + 1000, 64 * MIB, 512, 512, LAYOUT_DISK, false, 0, 0 }, true },
	{ { "bmap-fix-gpt", 5 * MIB, 64 * MIB, 512, 512, LAYOUT_DISK, false, 512, 128 }, false },
};

static struct bmap_range ranges[] = {
	{ .start = 0, .len = 64 * KIB },
	{ .start = 2 * MIB + 1024, .len = 5 * KIB },
	{ .start = 2 * MIB + 9 * KIB, .len = 1024 },
	{ .start = 3 * MIB, .len = 4096 },
};
static struct bmap map = {
	.version = 20,
	.block_size = 1024,
	.n_ranges = ARRAY_SIZE(ranges),
	.ranges = ranges,
};

/* What format makes of sticks; the bytes of volumes with small sectors only, they are long. */
static const struct format_golden {
	const char *name;
	enum format_type type;
	enum format_table table;
	uint64_t target;
	uint32_t sector_size;
	const char *label;
	bool has_bytes;
} format_goldens[] = {
	{ "format-fat16", FORMAT_AUTO, FORMAT_TABLE_AUTO, 32 * MIB, 512, "KEY", true },
	{ "format-fat16-4096", FORMAT_AUTO, FORMAT_TABLE_AUTO, 64 * MIB, 4096, "KEY", false },
	{ "format-fat32", FORMAT_AUTO, FORMAT_TABLE_AUTO, 16008609792, 512, "KEY", true },
	{ "format-fat32-256gb", FORMAT_FAT32, FORMAT_TABLE_AUTO, 256000000000, 512, "", false },
	{ "format-exfat", FORMAT_AUTO, FORMAT_TABLE_AUTO, 256060514304, 512, "K\xc3\xa9y", true },
	{ "format-exfat-gpt-4096", FORMAT_AUTO, FORMAT_TABLE_GPT, 2000398934016, 4096, "", false },
	{ "format-exfat-3tb", FORMAT_AUTO, FORMAT_TABLE_AUTO, 3000592982016, 512, "", false },
};

#define NO_BOOT_INFO 1U /* isolinux without its table */
#define FULL_SYSTEM_AREA 2U
#define ODD_SIZE 4U /* 300 bytes more */
#define EFI_BEHIND 8U /* the volume ends before its UEFI image */
#define HARD_DISK 16U /* emulated: 2 heads, 9 sectors */

/* Hybrids of small discs (disc_util.h); target 0: a new file of the size that it needs. */
static const struct hybrid_golden {
	const char *name;
	unsigned int flags; /* DISC_* */
	unsigned int changes;
	uint64_t target;
	bool strict_gpt;
} hybrid_goldens[] = {
	{ "hybrid", DISC_BIOS | DISC_EFI, 0, 64 * MIB + 700, false },
	{ "hybrid-strict", DISC_BIOS | DISC_EFI, 0, 64 * MIB, true },
	{ "hybrid-cdemu", DISC_BIOS, NO_BOOT_INFO, 0, false },
	{ "hybrid-strict-bios", DISC_BIOS, NO_BOOT_INFO, 0, true },
	{ "hybrid-uefi-only", DISC_EFI, 0, 0, false },
	{ "hybrid-replaced-tables", DISC_BIOS | DISC_EFI | DISC_MBR, FULL_SYSTEM_AREA, 0, false },
	{ "hybrid-odd-size", DISC_BIOS | DISC_EFI, ODD_SIZE, 0, false },
	{ "hybrid-in-place", DISC_BIOS | DISC_EFI, EFI_BEHIND, 0, false },
	{ "hybrid-hard-disk", DISC_BIOS, HARD_DISK, 0, false },
};

/* The boot code, which changes: of the MBR's, and all of cdemu but the facts in it. */
static bool is_code(const struct plan *plan, const struct extent *e, uint64_t off)
{
	if (!strcmp(plan->planner, "hybrid") && e->start == 0)
		return off < BOOT_MBR_LBA / 16 * 16;
	if (!strcmp(plan->planner, "hybrid") && strstr(plan_what(plan, e), "emulation"))
		return off < BOOT_CDEMU_FACTS || off >= BOOT_CDEMU_FACTS_END;
	return false;
}

/* Rows of 16 bytes; rows of zeros are left out. */
static void dump_memory(const struct plan *plan, FILE *out)
{
	for (size_t i = 0; i < plan->n_extents; i++) {
		const struct extent *e = &plan->extents[i];
		static const uint8_t zero[16];

		/* What is said of that table elsewhere (test_exfat_format.c) is enough. */
		if (e->kind != EXTENT_MEMORY || !strcmp(plan_what(plan, e), "up-case table"))
			continue;
		fprintf(out, "memory at %llu: %s\n", (unsigned long long)e->start,
			plan_what(plan, e));
		for (uint64_t off = 0; off < e->len; off += 16) {
			const uint8_t *row = plan->arena + e->source_offset + off;
			size_t n = (size_t)num_min(16, e->len - off);

			if (is_code(plan, e, off) || !memcmp(row, zero, n))
				continue;
			fprintf(out, "  %5llu ", (unsigned long long)off);
			for (size_t k = 0; k < n; k++)
				fprintf(out, " %02x", row[k]);
			fputc('\n', out);
		}
	}
}

/* The plan's text; NULL (and a line of output) when it could not be made. Caller frees. */
static char *render(const struct golden *g, const struct golden_map *by_map)
{
	struct geometry geo = { .size = g->target,
				.sector_size = g->sector_size,
				.io_align = g->io_align };
	struct plan_request req = {
		.mode = "auto",
		.fix_gpt = g->gpt_block != 0,
		.bmap = by_map ? &map : NULL,
		.bmap_zero = by_map && by_map->zero,
	};
	struct gpt_image img = { g->gpt_block, g->gpt_entries, 0, NULL, { 0 } };
	struct memory_source m = { NULL, 0 };
	struct source *src = memory_source_new(&m, g->content);
	struct error err = ERROR_INIT;
	struct plan *plan = NULL;
	char *text = NULL;
	size_t len;
	FILE *out;

	map.image_size = g->content;
	img.lay.kind = g->kind;
	if (g->gpt_block) {
		img.n_blocks = g->content / g->gpt_block;
		gpt_image_make(&img);
		m.data = img.data;
		m.len = g->content;
	}
	if (g->is_stream)
		src->size = SOURCE_SIZE_UNKNOWN;
	out = open_memstream(&text, &len);
	if (planner_make_plan(src, &img.lay, &geo, &req, &plan, &err) < 0)
		goto out;
	plan_dump(plan, out);
	if (plan->is_open) {
		if (plan_close(plan, g->content, &err) < 0)
			goto out;
		plan_dump(plan, out);
	}
	dump_memory(plan, out);
out:
	fclose(out);
	if (err.kind != ERROR_NONE) {
		printf("# %s: %s\n", g->name, err.msg);
		free(text);
		text = NULL;
	}
	plan_free(plan);
	source_free(src);
	free(img.data);
	return text;
}

static char *read_text(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *f = fopen(path, "r");

	if (f) {
		CHECK(fread(text, 1, 65535, f) > 0);
		fclose(f);
	}
	return text;
}

static char *render_format(const struct format_golden *g)
{
	const struct format_request req = {
		.type = g->type,
		.table = g->table,
		.label = g->label,
		.seed = { 1, 2, 3 },
		.time = 1795356000,
	};
	struct geometry geo = { .size = g->target,
				.sector_size = g->sector_size,
				.io_align = g->sector_size };
	struct error err = ERROR_INIT;
	struct format_volume v;
	struct plan *plan = NULL;
	char *text = NULL;
	size_t len;
	FILE *out;

	if (format_choose(&req, &geo, &v, &err) < 0 ||
	    format_make_plan(&v, &geo, NULL, 0, &plan, &err) < 0) {
		printf("# %s: %s\n", g->name, err.msg);
		return NULL;
	}
	out = open_memstream(&text, &len);
	fprintf(out, "%s \"%s\" %s, %s: %" PRIu64 " bytes at %" PRIu64 "\n",
		format_type_name(v.type), v.label, v.id, format_table_id(v.table), v.size, v.start);
	plan_dump(plan, out);
	if (g->has_bytes)
		dump_memory(plan, out);
	fclose(out);
	plan_free(plan);
	return text;
}

static struct image hybrid_disc(const struct hybrid_golden *g)
{
	struct image img = disc_new(g->flags);

	if (g->changes & NO_BOOT_INFO)
		image_block(&img, 30)[12]++;
	if (g->changes & FULL_SYSTEM_AREA)
		memset(img.p + 512, 0xff, 32768 - 512);
	if (g->changes & EFI_BEHIND)
		put_both32(image_block(&img, 16) + 80, 40);
	if (g->changes & HARD_DISK) {
		uint8_t *disk = image_block(&img, 30);

		memset(disk, 0, 512);
		disc_put_mbr_entry(disk, 0, 0x80, 0x06, 9, 27);
		memcpy(disk + 446 + 5, "\1\11\1", 3); /* head 1, sector 9, cylinder 1 */
		put_entry(image_block(&img, 24) + 32, 0x88, 4, 1, 30);
		image_block(&img, 24)[36] = 0x06;
	}
	return img;
}

/* Its plan; as render(). */
static char *render_hybrid(const struct hybrid_golden *g)
{
	struct geometry geo = { .size = g->target, .sector_size = 512, .io_align = 512 };
	struct plan_request req = { .mode = "hybrid", .strict_gpt = g->strict_gpt };
	struct layout *lay = calloc(1, sizeof(*lay));
	struct image img = hybrid_disc(g);
	struct memory_source m = { img.p, img.len };
	struct source *src =
		memory_source_new(&m, img.len + (g->changes & ODD_SIZE ? 300 : 0));
	struct error err = ERROR_INIT;
	struct plan *plan = NULL;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (detect_layout(src, DETECT_BUDGET, lay, &err) < 0 ||
	    (geo.size == 0 && planner_measure(src, lay, &req, &geo.size, &err) < 0) ||
	    planner_make_plan(src, lay, &geo, &req, &plan, &err) < 0)
		printf("# %s: %s\n", g->name, err.msg);
	if (plan) {
		plan_dump(plan, out);
		dump_memory(plan, out);
	}
	fclose(out);
	if (!plan) {
		free(text);
		text = NULL;
	}
	plan_free(plan);
	source_free(src);
	free(img.p);
	free(lay);
	return text;
}

/* got: freed; NULL where it could not be made. */
static void check_golden(const char *name, char *got)
{
	char path[128], *want;

	CHECK(got != NULL);
	if (!got)
		return;
	snprintf(path, sizeof(path), DIR "/plan-%s.txt", name);
	if (getenv("UPDATE_GOLDEN")) {
		FILE *f = fopen(path, "w");

		CHECK(f && fputs(got, f) >= 0 && fclose(f) == 0);
	}
	want = read_text(path);
	if (strcmp(got, want) != 0)
		printf("# %s is not what the plan is now (make golden rewrites it):\n%s", path, got);
	CHECK(!strcmp(got, want));
	free(want);
	free(got);
}

static void test_raw(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++)
		if (goldens[i].gpt_block == 0)
			check_golden(goldens[i].name, render(&goldens[i], NULL));
}

static void test_bmap(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(golden_maps); i++)
		check_golden(golden_maps[i].golden.name,
			     render(&golden_maps[i].golden, &golden_maps[i]));
}

static void test_fix_gpt(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++)
		if (goldens[i].gpt_block != 0)
			check_golden(goldens[i].name, render(&goldens[i], NULL));
}

static void test_format(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(format_goldens); i++)
		check_golden(format_goldens[i].name, render_format(&format_goldens[i]));
}

static void test_hybrid(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(hybrid_goldens); i++)
		check_golden(hybrid_goldens[i].name, render_hybrid(&hybrid_goldens[i]));
}

int main(void)
{
	RUN(test_raw);
	RUN(test_fix_gpt);
	RUN(test_bmap);
	RUN(test_format);
	RUN(test_hybrid);
	return tap_done();
}
