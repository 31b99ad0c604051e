// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * job/map and cli/draw: pictures beside tests/golden/map.txt and map-hostile.svg
 * (UPDATE_GOLDEN=1 rewrites them), and what holds of any map. Runs from the top
 * folder.
 */
#include "cli/draw.h"

#include <stdlib.h>

#include "cli/cmd.h"
#include "disc_util.h"
#include "gpt-image.h"
#include "image/detect.h"
#include "memory-source.h"
#include "plan/planner.h"
#include "tap.h"

#define GOLDEN_TEXT "tests/golden/map.txt"
#define GOLDEN_SVG "tests/golden/map-hostile.svg"

static struct layout lay;

static void detect(struct image *img)
{
	struct source *src = image_source(img);
	struct error err = ERROR_INIT;

	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	source_free(src);
	free(img->p);
}

/* Names that would move the cursor, close a tag, or may not stand in XML at all. */
static struct image hostile_disc(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI | DISC_MBR);
	uint8_t *boot = image_block(&img, 21);

	memcpy(image_block(&img, 16) + 40, "\33[2J<a>&\"']]>\7\xef\xbf\xbf\x9b", 17);
	put_terminator(&img, 18); /* no Joliet */
	memset(boot, 0, 2048);
	boot += put_dots(boot, 21, 2048, NULL, 0);
	put_record(boot, "A.;1", 4, 30, 3000, 0, "NM\23\1\0<!--\33[2J\xe2\x80\xae../a", 19);
	put_entry(image_block(&img, 24) + 128, 0x88, 0x2f, 0xffff, 0xffffffff);
	return img;
}

static void put_map(FILE *out, const char *what, struct map *map, unsigned int columns, bool utf8,
		    bool bytes)
{
	struct draw how = { .columns = columns, .utf8 = utf8, .bytes = bytes };

	fprintf(out, "%s, %u columns, %s\n", what, columns, utf8 ? "UTF-8" : "ASCII");
	draw_map(out, map, &how);
	fputc('\n', out);
	free(map);
}

static void put_fix_gpt(FILE *out)
{
	struct gpt_image img = { 512, 128, 8192, NULL, { 0 } };
	struct memory_source m = { NULL, 0 };
	struct geometry geo = { .size = 8 * MIB, .sector_size = 512, .io_align = 512 };
	struct plan_request req = { .mode = "auto", .fix_gpt = true };
	struct error err = ERROR_INIT;
	struct plan *plan = NULL;
	struct source *src;

	gpt_image_make(&img);
	m.data = img.data;
	m.len = gpt_image_size(&img);
	src = memory_source_new(&m, m.len);
	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	CHECK(planner_make_plan(src, &lay, &geo, &req, &plan, &err) == 0);
	put_map(out, "plan", map_of_plan(plan, &lay), 79, false, false);
	put_map(out, "plan alone", map_of_plan(plan, NULL), 79, true, true);
	plan_free(plan);
	source_free(src);
	free(img.data);
}

static char *render(void)
{
	struct image img;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	img = disc_new(DISC_BIOS | DISC_EFI | DISC_MBR);
	detect(&img);
	put_map(out, "disc", map_of_layout(&lay), 39, false, false);
	put_map(out, "disc", map_of_layout(&lay), 79, true, false);
	put_map(out, "disc", map_of_layout(&lay), 200, false, true);
	img = disc_new(DISC_BIOS | DISC_EFI | DISC_MBR);
	img.len -= 20 * 2048;
	detect(&img);
	put_map(out, "truncated", map_of_layout(&lay), 79, false, false);
	img = hostile_disc();
	detect(&img);
	put_map(out, "hostile", map_of_layout(&lay), 79, false, false);
	put_fix_gpt(out);
	fclose(out);
	return text;
}

static char *render_svg(void)
{
	struct image img = hostile_disc();
	struct map *map;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	detect(&img);
	map = map_of_layout(&lay);
	draw_map_svg(out, map, "a <b> & \"c\".iso");
	fclose(out);
	free(map);
	return text;
}

static void check_golden(const char *path, const char *got)
{
	char *want = calloc(1, 65536);
	FILE *f;

	if (getenv("UPDATE_GOLDEN")) {
		f = fopen(path, "w");
		CHECK(f && fputs(got, f) >= 0 && fclose(f) == 0);
	}
	f = fopen(path, "r");
	CHECK(f && fread(want, 1, 65535, f) > 0);
	if (f)
		fclose(f);
	if (strcmp(got, want) != 0)
		printf("# %s is not what is drawn now (make golden rewrites it):\n%s", path, got);
	CHECK(!strcmp(got, want));
	free(want);
}

static void test_goldens(void)
{
	char *text = render(), *svg = render_svg();

	check_golden(GOLDEN_TEXT, text);
	check_golden(GOLDEN_SVG, svg);
	for (const char *p = text; *p; p++)
		CHECK((unsigned char)*p >= 0x20 || *p == '\n');
	CHECK(!strstr(svg, "<!--") && !strstr(svg, "]]>") && !strstr(svg, "\xef\xbf\xbf"));
	free(text);
	free(svg);
}

/* A number that is the same in every run. */
static uint64_t number(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 11;
}

static void make_map(struct map *map, uint64_t *state)
{
	map->size = (number(state) >> number(state) % 50) + 1;
	map->n_spans = number(state) % 80;
	for (size_t i = 0; i < map->n_spans; i++) {
		struct map_span *span = &map->spans[i];

		span->start = number(state) % map->size;
		span->len = (number(state) >> number(state) % 53) + 1;
		span->kind = (enum map_kind)(number(state) % (MAP_MISSING + 1));
		snprintf(
			span->label, sizeof(span->label), "%.*s", (int)(number(state) % 100) + 1,
			"abc \xc3\xa4\xc3\xb6 abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz "
			"a b c d e f g h i j k l m n o p q r s");
	}
}

static void check_places(const struct map *map, unsigned int columns)
{
	struct draw_place places[80];
	unsigned int n_rows = draw_place_spans(map, columns, places);

	for (size_t i = 0; i < map->n_spans; i++) {
		CHECK(places[i].first < places[i].end && places[i].end <= columns);
		CHECK(places[i].row < n_rows || places[i].row == UINT32_MAX);
		for (size_t k = 0; k < i; k++)
			CHECK(places[i].row == UINT32_MAX || places[i].row != places[k].row ||
			      places[i].end <= places[k].first || places[k].end <= places[i].first);
	}
}

static void check_lines(const struct map *map, unsigned int columns, bool bytes)
{
	struct draw how = { .columns = columns, .utf8 = true, .bytes = bytes };
	char *text = NULL;
	size_t len, width = 0;
	FILE *out = open_memstream(&text, &len);

	draw_map(out, map, &how);
	fclose(out);
	for (size_t i = 0; i < len; i++) {
		width = text[i] == '\n' ? 0 : width + (((unsigned char)text[i] & 0xc0) != 0x80);
		CHECK(width <= columns);
	}
	free(text);
}

/* Nothing is invisible, nothing is drawn over, no line is too long: whatever is drawn. */
static void test_any_map(void)
{
	static struct map map;
	uint64_t state = 1;

	for (int i = 0; i < 300; i++) {
		unsigned int columns = DRAW_MIN_COLUMNS +
				       (unsigned int)(number(&state) % (201 - DRAW_MIN_COLUMNS));

		make_map(&map, &state);
		check_places(&map, columns);
		check_lines(&map, columns, i % 2);
	}
}

static void test_lines_break_at_blanks(void)
{
	CHECK_U64(draw_line_length("one two", 7), 7);
	CHECK_U64(draw_line_length("one two", 6), 3);
	CHECK_U64(draw_line_length("one two", 3), 3);
	CHECK_U64(draw_line_length("one", 2), 2);
	CHECK_U64(draw_line_length("\xc3\xa4\xc3\xb6", 1), 2);
	CHECK_U64(draw_line_length("", 5), 0);
}

/* Spans with the same bounds are one; what begins behind the end is none; gaps are named. */
static void test_map_of_layout(void)
{
	struct image img = image_new(DISC_BLOCKS);
	struct map *map;

	disc_put_mbr_entry(img.p, 0, 0x80, 0x0c, 8, 100);
	disc_put_mbr_entry(img.p, 1, 0, 0x83, 8, 100);
	disc_put_mbr_entry(img.p, 2, 0, 0x83, 100000, 100);
	detect(&img);
	lay.expected_size = lay.size;
	map = map_of_layout(&lay);
	CHECK_U64(map->n_spans, 4);
	CHECK_STR(map->spans[0].label, "MBR");
	CHECK_STR(map->spans[1].label, "in no volume or partition");
	CHECK(map->spans[1].start == 512 && map->spans[1].len == 8 * 512 - 512);
	CHECK_STR(map->spans[2].label, "MBR partition 1, type 0c; MBR partition 2, type 83");
	CHECK(map->spans[3].kind == MAP_FREE && map->spans[3].start == 108 * 512);
	CHECK_U64(map_span_end(map, &map->spans[3]), DISC_BLOCKS * 2048);
	free(map);
	img = image_new(4);
	detect(&img);
	map = map_of_layout(&lay);
	CHECK_U64(map->n_spans, 0);
	free(map);
}

/* A small image at the beginning of a large stick, whose own table has its copy at the end. */
static void test_enlarge(void)
{
	struct map *map = calloc(1, sizeof(*map)), *part;

	map->size = 1000000;
	map->n_spans = 4;
	map->spans[0] = (struct map_span){ .start = 0, .len = 1000, .kind = MAP_VOLUME };
	map->spans[1] = (struct map_span){ .start = 0, .len = 512, .kind = MAP_TABLE };
	map->spans[2] = (struct map_span){ .start = 1000, .len = 998000, .kind = MAP_FREE };
	map->spans[3] = (struct map_span){ .start = 999000, .len = 1000, .kind = MAP_TABLE };
	CHECK(map_enlarge(map, &part) == 1);
	CHECK(part->size == 1000 && part->n_spans == 2 && part->spans[1].len == 512);
	CHECK(map->n_spans == 3 && map->spans[0].len == 1000 && map->spans[2].start == 999000);
	CHECK_STR(map->spans[0].label, "its beginning, enlarged below");
	free(part);
	/* One thing alone, or not that much room. */
	CHECK(map_enlarge(map, &part) == 0 && !part);
	map->spans[1].len = 700000;
	CHECK(map_enlarge(map, &part) == 0 && !part);
	free(map);
}

/* Thousands of ranges, as a bmap gives them, are joined until a list of them can be read. */
static void test_plan_of_many_ranges(void)
{
	struct geometry geo = { .size = GIB, .sector_size = 512, .io_align = 512 };
	struct plan *plan = plan_new("raw", &geo);
	struct error err = ERROR_INIT;
	struct map *map;

	for (unsigned int i = 0; i < 1000; i++) {
		CHECK(plan_append_source(plan, 4096, 0, i * 8192, "image", &err) == 0);
		CHECK(plan_append_keep(plan, i == 500 ? 500 * MIB : 4096, "not touched", &err) ==
		      0);
	}
	map = map_of_plan(plan, NULL);
	CHECK_U64(map->n_spans, 3);
	CHECK_STR(map->spans[0].label, "image (501 ranges)");
	CHECK_STR(map->spans[1].label, "not touched (1000 ranges)");
	free(map);
	plan_free(plan);
}

int main(void)
{
	RUN(test_goldens);
	RUN(test_any_map);
	RUN(test_lines_break_at_blanks);
	RUN(test_map_of_layout);
	RUN(test_enlarge);
	RUN(test_plan_of_many_ranges);
	return tap_done();
}
