// SPDX-License-Identifier: GPL-3.0-or-later
/* Receipts, the JSON reader below them, and the pieces that use of a stick may change. */
#include "job/receipt.h"

#include <stdlib.h>

#include "base/num.h"
#include "job/json-read.h"
#include "tap.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PIECE(start, len)                        \
	"{\"start\":" #start ",\"length\":" #len \
	",\"role\":\"fixed\",\"what\":\"\",\"sha256\":\"" HEX "\"}"

static void test_json_accepts(void)
{
	static const char *const good[] = {
		"{}",
		"[]",
		" [1, -2.5e+3 ,true,false,null,\"a\\u00e9\\n\"] ",
		"{\"a\":{\"b\":[{}]}}",
		"0",
		"\"x\"",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct json_doc doc;

		CHECK(json_read(good[i], strlen(good[i]), &doc) == 0);
		CHECK(doc.values[0].next == doc.n);
		json_read_done(&doc);
	}
}

static void test_json_rejects(void)
{
	static const char *const bad[] = {
		"",        "{",     "}",     "[1,]", "{\"a\"}",  "{\"a\":1,}",
		"{a:1}",   "[1 2]", "01",    "1.",   ".5",       "+1",
		"1e",      "tru",   "nul",   "\"a",  "\"\n\"",   "\"\\x\"",
		"\"\\u12", "\"\\",  "[] []", "-",    "{\"a\":}", "[[[",
	};
	char deep[64];
	struct json_doc doc;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		bool ok = json_read(bad[i], strlen(bad[i]), &doc) == 0;

		if (ok)
			printf("# accepted: %s\n", bad[i]);
		CHECK(!ok);
	}
	memset(deep, '[', 20);
	memset(deep + 20, ']', 20);
	CHECK(json_read(deep, 40, &doc) == -1);
}

static void test_json_finds_members(void)
{
	static const char text[] = "{\"a\":[1,[2,3],{\"b\":4}],\"c\":9007199254740991,"
				   "\"d\":9007199254740992,\"e\":-1,\"f\":\"x\"}";
	const struct json_value *a, *v;
	struct json_doc doc;
	uint64_t n = 0;

	CHECK(json_read(text, strlen(text), &doc) == 0);
	a = json_member(&doc, &doc.values[0], "a");
	CHECK(a && a->n == 3);
	v = json_first(&doc, a);
	CHECK(json_get_u64(v, &n) && n == 1);
	v = json_next(&doc, json_next(&doc, v));
	CHECK(json_get_u64(json_member(&doc, v, "b"), &n) && n == 4);
	CHECK(json_get_u64(json_member(&doc, &doc.values[0], "c"), &n) && n == 9007199254740991);
	CHECK(!json_get_u64(json_member(&doc, &doc.values[0], "d"), &n));
	CHECK(!json_get_u64(json_member(&doc, &doc.values[0], "e"), &n));
	CHECK(!json_get_u64(json_member(&doc, &doc.values[0], "f"), &n));
	CHECK(json_is_text(json_member(&doc, &doc.values[0], "f"), "x"));
	CHECK(!json_member(&doc, &doc.values[0], "g"));
	CHECK(!json_member(&doc, a, "a") && !json_first(&doc, v));
	json_read_done(&doc);
}

/* The plan for a stick of 1 MiB out of a receipt with these members; the error's kind. */
static enum error_kind parse(const char *plan, struct receipt_plan **ret)
{
	struct error err = ERROR_INIT;
	char text[4096];
	int n = snprintf(text, sizeof(text), "{\"receipt\":{\"version\":1,\"plans\":[%s]}}", plan);

	*ret = NULL;
	return receipt_parse(text, (size_t)n, MIB, 512, ret, &err) < 0 ? err.kind : ERROR_NONE;
}

static void test_receipt_with_segments(void)
{
	struct receipt_plan *p;

	CHECK(parse("{\"size\":2097152,\"sector_size\":512},"
		    "{\"size\":1048576,\"sector_size\":512,\"sha256\":null,"
		    "\"extents\":[{\"start\":0,\"length\":512},"
		    "{\"start\":4096,\"length\":1044480}],"
		    "\"segments\":[" PIECE(0, 512) "," PIECE(
			    4096,
			    1044480) "],"
				     "\"partitions\":[{\"table\":\"gpt\",\"start\":512,\"length\":1024}]}",
		    &p) == ERROR_NONE);
	CHECK(p && p->has_segments && p->segs.n == 2 && p->segs.n_partitions == 1);
	CHECK_U64(p->segs.list[1].start, 4096);
	CHECK(p->segs.list[1].digest.value[31] == 0xff && p->segs.partitions[0].is_gpt);
	receipt_plan_free(p);
}

static void test_receipt_of_a_pipe(void)
{
	struct receipt_plan *p;

	CHECK(parse("{\"size\":1048576,\"sector_size\":512,\"sha256\":\"" HEX "\","
		    "\"extents\":[{\"start\":0,\"length\":512}],\"segments\":[],\"partitions\":[]}",
		    &p) == ERROR_NONE);
	CHECK(p && !p->has_segments && p->segs.n == 1 && p->sha256.len == 32);
	receipt_plan_free(p);
}

static void test_receipt_rejects(void)
{
#define PLAN(rest) "{\"size\":1048576,\"sector_size\":512," rest "}"
	static const char *const bad[] = {
		PLAN("\"segments\":[" PIECE(512, 512) "," PIECE(512, 512) "],\"partitions\":[]"),
		PLAN("\"segments\":[" PIECE(0, 1048577) "],\"partitions\":[]"),
		PLAN("\"segments\":[" PIECE(1048576, 1) "],\"partitions\":[]"),
		PLAN("\"segments\":[" PIECE(9007199254740990,
					    9007199254740990) "],\"partitions\":[]"),
		PLAN("\"segments\":[" PIECE(0, 0) "],\"partitions\":[]"),
		PLAN("\"extents\":[{\"start\":0,\"length\":1024}],"
		     "\"segments\":[" PIECE(0, 512) "],\"partitions\":[]"),
		PLAN("\"segments\":[{}],\"partitions\":[]"),
		PLAN("\"segments\":[1],\"partitions\":[]"),
		PLAN("\"segments\":[{\"start\":0,\"length\":1,\"role\":\"none\",\"what\":\"\","
		     "\"sha256\":\"" HEX "\"}],\"partitions\":[]"),
		PLAN("\"segments\":[{\"start\":0,\"length\":1,\"role\":\"fixed\",\"what\":\"\","
		     "\"sha256\":\"00\"}],\"partitions\":[]"),
		PLAN("\"segments\":[],\"sha256\":null,\"extents\":[{\"start\":0,\"length\":512}]"),
		PLAN("\"segments\":[],\"sha256\":\"" HEX "\",\"extents\":[]"),
		PLAN("\"segments\":[],\"sha256\":\"" HEX "\""),
		"{\"size\":\"1048576\",\"sector_size\":512}",
		"1",
	};
	struct receipt_plan *p;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		enum error_kind kind = parse(bad[i], &p);

		if (kind != ERROR_IMAGE)
			printf("# accepted: %s\n", bad[i]);
		CHECK(kind == ERROR_IMAGE && !p);
	}
	CHECK(parse("{\"size\":2097152,\"sector_size\":512}", &p) == ERROR_DIFFERS);
	CHECK(parse("{\"size\":1048576,\"sector_size\":4096}", &p) == ERROR_DIFFERS);
	CHECK(parse("", &p) == ERROR_IMAGE);
}

/* An image of 4 MiB with MBR and GPT, partition 1 FAT at 1 MiB, 2 not known at 2 MiB. */
static uint8_t image[4 << 20];

static int image_read_at(struct source *src, uint64_t off, void *buf, size_t len, struct error *err)
{
	(void)src;
	if (!num_is_within(off, len, sizeof(image)))
		return error_set(err, ERROR_IO, "end", "End.");
	memcpy(buf, image + off, len);
	return 0;
}

static const struct source_ops image_ops = { .name = "test", .read_at = image_read_at };

static void make_layout(struct layout *lay)
{
	memset(lay, 0, sizeof(*lay));
	lay->kind = LAYOUT_DISK;
	lay->size = sizeof(image);
	lay->mbr.present = true;
	lay->mbr.n_partitions = 1;
	lay->mbr.partitions[0] =
		(struct layout_mbr_partition){ .type = 0xee, .start = 512, .size = 1 << 20 };
	lay->gpt.present = lay->gpt.valid = true;
	lay->gpt.block_size = 512;
	lay->gpt.primary = (struct layout_gpt_header){ .present = true,
						       .valid = true,
						       .lba = 1,
						       .entries_lba = 2,
						       .n_entries = 128,
						       .entry_size = 128 };
	lay->gpt.n_partitions = 2;
	for (uint32_t i = 0; i < 2; i++) {
		lay->gpt.partitions[i].number = i + 1;
		lay->gpt.partitions[i].start = MIB * (i + 1);
		lay->gpt.partitions[i].size = MIB;
	}
	memset(image, 0, sizeof(image));
	memcpy(image + MIB + 54, "FAT16", 5);
}

static struct segments *cut(const struct layout *lay)
{
	const struct geometry geo = { .size = 16 * MIB, .sector_size = 512, .io_align = 512 };
	struct segments *segs = calloc(1, sizeof(*segs));
	struct source *src = source_new(&image_ops, SOURCE_RANDOM, NULL);
	struct plan *plan = plan_new("raw", &geo);
	struct error err = ERROR_INIT;

	src->size = sizeof(image);
	CHECK(plan_append_source(plan, sizeof(image), 0, 0, "image", &err) == 0);
	CHECK(plan_close(plan, 0, &err) == 0);
	CHECK(segments_make(plan, sizeof(image), lay, src, segs) == 0);
	plan_free(plan);
	source_free(src);
	return segs;
}

static void test_segments_cover_the_plan(void)
{
	struct layout *lay = malloc(sizeof(*lay));
	struct segments *segs;
	uint64_t pos = 0, planned = 0;

	make_layout(lay);
	segs = cut(lay);
	for (uint32_t i = 0; i < segs->n; i++) {
		CHECK(segs->list[i].start >= pos && segs->list[i].len > 0);
		pos = segs->list[i].start + segs->list[i].len;
		planned += segs->list[i].len;
	}
	CHECK_U64(planned, 5 * MIB);
	CHECK_U64(pos, 16 * MIB);
	CHECK(segs->list[0].role == SEGMENT_FIXED && segs->list[0].len == 440);
	CHECK(segs->list[1].role == SEGMENT_TABLE && segs->list[1].len == 72);
	CHECK(segs->list[segs->n - 1].role == SEGMENT_TAIL);
	CHECK(segs->n_partitions == 2);
	segments_free(segs);
	free(lay);
}

static struct segment *segment_at(struct segments *segs, uint64_t off)
{
	for (uint32_t i = 0; i < segs->n; i++) {
		if (off >= segs->list[i].start && off - segs->list[i].start < segs->list[i].len)
			return &segs->list[i];
	}
	return NULL;
}

static void test_what_use_explains(void)
{
	struct layout *lay = malloc(sizeof(*lay)), *stick = malloc(sizeof(*stick));
	struct segments *segs;
	char text[256];
	size_t bad = 99;

	make_layout(lay);
	*stick = *lay;
	segs = cut(lay);
	CHECK(segments_explain(segs, stick, false, text, sizeof(text), &bad) == 1);
	CHECK_STR(text, "");
	segment_at(segs, 512)->differs = true; /* GPT header */
	segment_at(segs, MIB)->differs = true; /* the FAT volume */
	CHECK(segments_explain(segs, stick, false, text, sizeof(text), &bad) == 1);
	CHECK_STR(text, "GPT header, partition 1");
	/* A tail that changed is explained by a backup GPT and nothing else. */
	segment_at(segs, 16 * MIB - 1)->differs = true;
	CHECK(segments_explain(segs, stick, true, text, sizeof(text), &bad) == 0);
	CHECK(segs->list[bad].role == SEGMENT_TAIL);
	stick->gpt.backup.valid = stick->gpt.backup_at_end = true;
	CHECK(segments_explain(segs, stick, true, text, sizeof(text), &bad) == 1);
	CHECK_STR(text, "GPT header, partition 1, a backup GPT at the end");
	CHECK(segments_explain(segs, stick, false, text, sizeof(text), &bad) == 0);
	/* A table that lost a partition, or is broken. */
	stick->gpt.n_partitions = 1;
	CHECK(segments_explain(segs, stick, true, text, sizeof(text), &bad) == 0);
	stick->gpt.n_partitions = 2;
	stick->gpt.valid = false;
	CHECK(segments_explain(segs, stick, true, text, sizeof(text), &bad) == 0);
	stick->gpt.valid = true;
	/* Boot code and the image itself never change by use. */
	segment_at(segs, 0)->differs = true;
	CHECK(segments_explain(segs, stick, true, text, sizeof(text), &bad) == 0 && bad == 0);
	segment_at(segs, 0)->differs = false;
	segment_at(segs, 3 * MIB)->differs = true;
	CHECK(segments_explain(segs, stick, true, text, sizeof(text), &bad) == 0);
	segments_free(segs);
	free(stick);
	free(lay);
}

/* A partition without a file system that is known is as fixed as the rest. */
static void test_unknown_partition_is_fixed(void)
{
	struct layout *lay = malloc(sizeof(*lay));
	struct segments *segs;

	make_layout(lay);
	segs = cut(lay);
	CHECK(segment_at(segs, 2 * MIB)->role == SEGMENT_FIXED);
	segments_free(segs);
	free(lay);
}

int main(void)
{
	RUN(test_json_accepts);
	RUN(test_json_rejects);
	RUN(test_json_finds_members);
	RUN(test_receipt_with_segments);
	RUN(test_receipt_of_a_pipe);
	RUN(test_receipt_rejects);
	RUN(test_segments_cover_the_plan);
	RUN(test_what_use_explains);
	RUN(test_unknown_partition_is_fixed);
	return tap_done();
}
