// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What inspect says of small images, beside tests/golden/inspect-*.txt: the
 * text and the JSON. UPDATE_GOLDEN=1 (make golden) rewrites the files. Runs
 * from the top folder.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "disc_util.h"
#include "image/detect.h"
#include "job/report-layout.h"
#include "job/report.h"
#include "tap.h"

#define DIR "tests/golden"

enum trouble { NONE, CUT, HOSTILE, STREAM, DISK, PLAIN };

static const struct golden {
	const char *name;
	unsigned int flags;
	enum trouble trouble;
	bool bytes, json;
} goldens[] = {
	{ "isohybrid", DISC_BIOS | DISC_EFI | DISC_MBR, NONE, false, false },
	{ "isohybrid-bytes", DISC_BIOS | DISC_EFI | DISC_MBR, NONE, true, false },
	{ "isohybrid-json", DISC_BIOS | DISC_EFI | DISC_MBR, NONE, false, true },
	{ "disc-only", DISC_BIOS | DISC_EFI, NONE, false, false },
	{ "data", 0, NONE, false, false },
	{ "truncated", DISC_BIOS | DISC_EFI | DISC_MBR, CUT, false, false },
	{ "hostile", DISC_BIOS | DISC_EFI | DISC_MBR, HOSTILE, false, false },
	{ "hostile-json", DISC_BIOS | DISC_EFI | DISC_MBR, HOSTILE, false, true },
	{ "stream", DISC_BIOS | DISC_EFI | DISC_MBR, STREAM, false, false },
	{ "disk", 0, DISK, false, false },
	{ "plain", 0, PLAIN, false, false },
	{ "plain-json", 0, PLAIN, false, true },
};

/* Names that would move the cursor, and a catalog that counts what is not there. */
static void make_hostile(struct image *img)
{
	uint8_t *boot = image_block(img, 21), *cat = image_block(img, 24);

	memcpy(image_block(img, 16) + 40, "EVIL\33]0;x\7\n\x9b", 12);
	put_terminator(img, 18); /* no Joliet */
	memset(boot, 0, 2048);
	boot += put_dots(boot, 21, 2048, NULL, 0);
	put_record(boot, "A.;1", 4, 30, 3000, 0, "NM\21\1\0\33[2J\xe2\x80\xae../a\n", 17);
	cat[28] ^= 0xff;
	cat[66] = 200;
	put_entry(cat + 128, 0x88, 0x2f, 0xffff, 0xffffffff);
}

static struct image make_image(const struct golden *g)
{
	struct image img;

	if (g->trouble == DISK || g->trouble == PLAIN) {
		img = image_new(DISC_BLOCKS);
		if (g->trouble == DISK)
			disc_put_mbr_entry(img.p, 0, 0x80, 0x0c, 8, 200);
		else
			memset(img.p, 'x', img.len);
		return img;
	}
	img = disc_new(g->flags);
	if (g->trouble == CUT)
		img.len -= 20 * 2048;
	if (g->trouble == HOSTILE)
		make_hostile(&img);
	return img;
}

static char *render(const struct golden *g)
{
	struct image img = make_image(g);
	struct source *src = g->trouble == STREAM ? image_stream(&img) : image_source(&img);
	struct error err = ERROR_INIT;
	static struct layout lay;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	if (g->json) {
		struct json j;

		json_init(&j);
		json_begin_object(&j, NULL);
		report_layout_to_json(&lay, &j);
		json_end_object(&j);
		fprintf(out, "%s\n", json_finish(&j));
		json_done(&j);
	} else {
		report_layout_print(&lay, "a \33 disc.iso", g->bytes, out);
		report_layout_print_findings(&lay, out);
	}
	fclose(out);
	source_free(src);
	free(img.p);
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

static void check_golden(const struct golden *g)
{
	char path[128], *got = render(g), *want;

	snprintf(path, sizeof(path), DIR "/inspect-%s.txt", g->name);
	if (getenv("UPDATE_GOLDEN")) {
		FILE *f = fopen(path, "w");

		CHECK(f && fputs(got, f) >= 0 && fclose(f) == 0);
	}
	want = read_text(path);
	if (strcmp(got, want) != 0)
		printf("# %s is not what inspect says now (make golden rewrites it):\n%s", path,
		       got);
	CHECK(!strcmp(got, want));
	free(want);
	free(got);
}

static void test_goldens(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++)
		check_golden(&goldens[i]);
}

/* Whatever the image holds, nothing but printable text and line ends comes out. */
static void test_no_controls(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		char *text = render(&goldens[i]);

		for (const char *p = text; *p; p++)
			CHECK((unsigned char)*p >= 0x20 || *p == '\n');
		free(text);
	}
}

int main(void)
{
	RUN(test_goldens);
	RUN(test_no_controls);
	return tap_done();
}
