// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan/plan.h"

#include <stdlib.h>

#include "memory-source.h"
#include "tap.h"

static struct plan *new_plan(uint64_t size, uint32_t sector_size, uint32_t io_align)
{
	struct geometry geo = { .size = size, .sector_size = sector_size, .io_align = io_align };

	return plan_new("test", &geo);
}

/* "source 0+100, zero 100+412": kinds, starts and lengths in one line. */
static const char *shape(const struct plan *plan)
{
	static char text[1024];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < plan->n_extents; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %llu+%llu",
					i > 0 ? ", " : "",
					extent_kind_name(plan->extents[i].kind),
					(unsigned long long)plan->extents[i].start,
					(unsigned long long)plan->extents[i].len);
	return text;
}

/* The shape of a closed raw plan. */
static const char *closed(uint64_t content, uint64_t size, uint32_t sector_size, uint32_t io_align)
{
	struct plan *plan = new_plan(size, sector_size, io_align);
	struct error err = ERROR_INIT;
	static char text[1024];

	CHECK(plan_append_source(plan, content, 0, 0, "image", &err) == 0);
	if (plan_close(plan, 0, &err) < 0)
		printf("# %s\n", err.msg);
	CHECK(plan_check(plan, &err) == 0);
	strcpy(text, shape(plan));
	plan_free(plan);
	return text;
}

static void test_close(void)
{
	/* 4 MiB of image on 16 MiB: nothing to pad. */
	CHECK_STR(closed(4 * MIB, 16 * MIB, 512, 512),
		  "source 0+4194304, keep 4194304+11534336, zero 15728640+1048576");
	/* An odd end: padded to the sector, then to the alignment. */
	CHECK_STR(closed(4 * MIB + 1, 16 * MIB, 512, 4096),
		  "source 0+4194305, zero 4194305+511, zero 4194816+3584, "
		  "keep 4198400+11530240, zero 15728640+1048576");
	/* A small image: the rest of the first MiB is zero. */
	CHECK_STR(closed(1000, 16 * MIB, 512, 4096),
		  "source 0+1000, zero 1000+24, zero 1024+1047552, "
		  "keep 1048576+14680064, zero 15728640+1048576");
	/* The size is no multiple of anything: KEEP still ends aligned. */
	CHECK_STR(closed(2 * MIB, 16 * MIB + 513, 512, 4096),
		  "source 0+2097152, keep 2097152+13631488, zero 15728640+1049089");
}

static void test_close_small_targets(void)
{
	/* Exactly the content, odd or not: neither pad nor tail. */
	CHECK_STR(closed(4 * MIB, 4 * MIB, 512, 512), "source 0+4194304");
	CHECK_STR(closed(12345, 12345, 512, 4096), "source 0+12345");
	CHECK_STR(closed(1, 1, 512, 4096), "source 0+1");
	/* The pad never passes the end. */
	CHECK_STR(closed(1000, 1001, 512, 4096), "source 0+1000, zero 1000+1");
	/* Below 2 MiB the windows meet. */
	CHECK_STR(closed(512, MIB, 512, 512), "source 0+512, zero 512+1048064");
	CHECK_STR(closed(512, 2 * MIB, 512, 512),
		  "source 0+512, zero 512+1048064, zero 1048576+1048576");
	CHECK_STR(closed(512, 2 * MIB + 512, 512, 512),
		  "source 0+512, zero 512+1048064, keep 1048576+512, zero 1049088+1048576");
	/* The content ends inside the last MiB. */
	CHECK_STR(closed(4 * MIB - 100, 4 * MIB, 512, 512),
		  "source 0+4194204, zero 4194204+100");
	CHECK_STR(closed(3 * MIB + 100, 4 * MIB, 512, 512),
		  "source 0+3145828, zero 3145828+412, zero 3146240+1048064");
}

/* Every size near the edges: closed plans always hold their invariants. */
static void test_close_many(void)
{
	static const uint64_t sizes[] = {
		1, 511, 512, 4095, 4096, MIB - 1, MIB, MIB + 1, 2 * MIB - 512, 2 * MIB,
		2 * MIB + 1, 2 * MIB + 4096, 3 * MIB + 513, 5 * MIB + 4095,
	};
	static const uint32_t aligns[] = { 1, 512, 4096, 65536 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
			for (size_t a = 0; a < ARRAY_SIZE(aligns); a++) {
				struct plan *plan = new_plan(sizes[k], 512, aligns[a]);
				struct error err = ERROR_INIT;
				int rc = plan_append_source(plan, sizes[i], 0, 0, "image", &err);

				if (sizes[i] > sizes[k])
					CHECK(rc < 0 && err.kind == ERROR_FIT);
				else
					CHECK(rc == 0 && plan_close(plan, 0, &err) == 0);
				plan_free(plan);
			}
		}
	}
}

static void test_close_refuses_a_bad_geometry(void)
{
	static const struct geometry bad[] = {
		{ .size = 0, .sector_size = 512, .io_align = 512 },
		{ .size = MIB, .sector_size = 0, .io_align = 512 },
		{ .size = MIB, .sector_size = 512, .io_align = 0 },
		{ .size = MIB, .sector_size = 512, .io_align = 520 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct plan *plan = plan_new("test", &bad[i]);
		struct error err = ERROR_INIT;

		CHECK(plan_close(plan, 0, &err) < 0 && err.kind == ERROR_INTERNAL);
		plan_free(plan);
	}
}

static void test_does_not_fit(void)
{
	struct plan *plan = new_plan(UINT64_C(4000000000), 512, 512);
	struct error err = ERROR_INIT;

	CHECK(plan_append_source(plan, UINT64_C(6203355136), 0, 0, "image", &err) < 0);
	CHECK(err.kind == ERROR_FIT);
	CHECK_STR(err.msg, "The image needs 6.2 GB, the target has 4.0 GB (short by 2,203,355,136 "
			   "bytes).");
	CHECK(plan_append_source(plan, UINT64_MAX, 0, 0, "image", &err) < 0);
	CHECK_U64(plan->n_extents, 0);
	plan_free(plan);
}

static void test_open(void)
{
	struct plan *plan = new_plan(8 * MIB, 512, 4096);
	struct error err = ERROR_INIT;

	CHECK(plan_append_source_open(plan, "image", &err) == 0);
	CHECK(plan->is_open && plan_check(plan, &err) == 0);
	CHECK_U64(plan->extents[0].len, 8 * MIB);
	CHECK(plan_append_zero(plan, 1, "more", &err) < 0 && err.kind == ERROR_INTERNAL);
	CHECK(plan_overlay(plan, 0, "x", 1, "more", &err) < 0 && err.kind == ERROR_INTERNAL);
	CHECK(plan_close(plan, 8 * MIB + 1, &err) < 0 && err.kind == ERROR_FIT && plan->is_open);
	CHECK(plan_close(plan, 3 * MIB, &err) == 0 && !plan->is_open);
	CHECK_STR(shape(plan), "source 0+3145728, keep 3145728+4194304, zero 7340032+1048576");
	plan_free(plan);
}

static void test_append(void)
{
	struct plan *plan = new_plan(1024, 512, 512);
	struct error err = ERROR_INIT;

	CHECK(plan_append_zero(plan, 0, "nothing", &err) == 0);
	CHECK(plan_append_memory(plan, "", 0, "nothing", &err) == 0);
	CHECK_U64(plan->n_extents, 0);
	CHECK(plan_append_memory(plan, "abc", 3, "letters", &err) == 0);
	CHECK(plan_append_source(plan, 509, 2, 70, "image", &err) == 0);
	CHECK(plan_check(plan, &err) < 0 && err.kind == ERROR_INTERNAL);
	CHECK_STR(err.code, "plan-invalid");
	CHECK(plan_append_keep(plan, 512, "kept", &err) == 0);
	CHECK(plan_check(plan, &err) == 0);
	CHECK_STR(shape(plan), "memory 0+3, source 3+509, keep 512+512");
	CHECK_STR(plan_what(plan, plan_find(plan, 0)), "letters");
	CHECK_STR(plan_what(plan, plan_find(plan, 511)), "image");
	CHECK(plan_find(plan, 1023) == &plan->extents[2]);
	CHECK(plan_find(plan, 1024) == NULL);
	CHECK_U64(plan_bytes(plan, EXTENT_SOURCE), 509);
	CHECK_U64(plan_bytes(plan, EXTENT_KEEP), 512);
	CHECK_U64(plan_bytes(plan, EXTENT_ZERO), 0);
	CHECK_U64(plan_content_end(plan), 512);
	plan_free(plan);
}

/* Each way to break a plan is found. */
static void test_check(void)
{
	struct plan *plan = new_plan(4096, 512, 512);
	struct extent *e;
	struct error err = ERROR_INIT;

	plan_append_memory(plan, "abcd", 4, "letters", &err);
	plan_append_source(plan, 508, 0, 0, "image", &err);
	plan_append_keep(plan, 1024, "kept", &err);
	plan_append_zero(plan, 2560, "zeros", &err);
	CHECK(plan_check(plan, &err) == 0);
	e = plan->extents;
#define BREAK(member, value)                                                         \
	do {                                                                         \
		__typeof__(member) old_ = (member);                                  \
		(member) = (value);                                                  \
		CHECK(plan_check(plan, &err) < 0 && err.kind == ERROR_INTERNAL);     \
		(member) = old_;                                                     \
		CHECK(plan_check(plan, &err) == 0);                                  \
	} while (0)
	BREAK(e[1].start, 5);
	BREAK(e[1].start, 3);
	BREAK(e[0].start, 1);
	BREAK(e[3].len, 2559);
	BREAK(e[3].len, 2561);
	BREAK(e[3].len, UINT64_MAX);
	BREAK(e[0].source_offset, 1);
	BREAK(e[0].what, 99);
	BREAK(e[1].source_offset, UINT64_MAX - 100);
	BREAK(e[1].kind, EXTENT_GENERATE);
	BREAK(e[1].kind, (enum extent_kind)77);
	BREAK(e[1].kind, EXTENT_KEEP);
	BREAK(plan->n_extents, 3);
	BREAK(plan->n_extents, 0);
	BREAK(plan->geo.size, 4097);
	BREAK(plan->geo.size, 0);
	BREAK(plan->geo.sector_size, 0);
	BREAK(plan->geo.io_align, 1024);
	BREAK(plan->is_open, true);
#undef BREAK
	plan_free(plan);
}

static void test_overlay(void)
{
	struct plan *plan = new_plan(4 * MIB, 512, 512);
	struct error err = ERROR_INIT;

	plan_append_source(plan, 2 * MIB, 0, 100, "image", &err);
	CHECK(plan_close(plan, 0, &err) == 0);
	CHECK_STR(shape(plan), "source 0+2097152, keep 2097152+1048576, zero 3145728+1048576");
	CHECK(plan_overlay(plan, 10, "abcde", 5, "in the middle", &err) == 0);
	CHECK(plan_overlay(plan, 0, "xy", 2, "at the start", &err) == 0);
	CHECK(plan_overlay(plan, 12, "123456", 6, "over memory and source", &err) == 0);
	CHECK(plan_overlay(plan, 4 * MIB - 3, "end", 3, "at the end", &err) == 0);
	CHECK(plan_check(plan, &err) == 0);
	CHECK_STR(shape(plan), "memory 0+2, source 2+8, memory 10+2, memory 12+6, "
			       "source 18+2097134, keep 2097152+1048576, zero 3145728+1048573, "
			       "memory 4194301+3");
	CHECK_U64(plan->extents[1].source_offset, 102);
	CHECK_U64(plan->extents[4].source_offset, 118);
	/* Only what lies over the image differs from it. */
	CHECK_U64(plan->n_differences, 3);
	CHECK(plan->differences[0].start == 10 && plan->differences[0].len == 5);
	CHECK(plan->differences[1].start == 0 && plan->differences[1].len == 2);
	CHECK(plan->differences[2].start == 15 && plan->differences[2].len == 3);
	CHECK_U64(plan_content_end(plan), 4 * MIB);
	plan_free(plan);
}

static void test_overlay_whole_extents(void)
{
	struct plan *plan = new_plan(1536, 512, 512);
	struct error err = ERROR_INIT;
	static const uint8_t data[1536];

	plan_append_source(plan, 512, 0, 0, "image", &err);
	plan_append_zero(plan, 512, "zeros", &err);
	plan_append_memory(plan, data, 512, "memory", &err);
	CHECK(plan_overlay(plan, 512, data, 512, "exactly one", &err) == 0);
	CHECK_STR(shape(plan), "source 0+512, memory 512+512, memory 1024+512");
	CHECK(plan_overlay(plan, 0, data, 1536, "all", &err) == 0);
	CHECK_STR(shape(plan), "memory 0+1536");
	CHECK(plan_check(plan, &err) == 0);
	plan_free(plan);
}

static void test_overlay_refused(void)
{
	struct plan *plan = new_plan(4 * MIB, 512, 512);
	struct error err = ERROR_INIT;

	plan_append_source(plan, 2 * MIB, 0, 0, "image", &err);
	plan_close(plan, 0, &err);
	CHECK(plan_overlay(plan, 2 * MIB - 1, "ab", 2, "into kept bytes", &err) < 0);
	CHECK(err.kind == ERROR_INTERNAL);
	CHECK(plan_overlay(plan, 3 * MIB - 1, "ab", 2, "out of kept bytes", &err) < 0);
	CHECK(plan_overlay(plan, 4 * MIB - 1, "ab", 2, "beyond the end", &err) < 0);
	CHECK(plan_overlay(plan, UINT64_MAX, "ab", 2, "wraps around", &err) < 0);
	CHECK(plan_overlay(plan, 3 * MIB, "", 0, "nothing", &err) == 0);
	CHECK_STR(shape(plan), "source 0+2097152, keep 2097152+1048576, zero 3145728+1048576");
	CHECK_U64(plan->n_differences, 0);
	plan_free(plan);
}

static void count_up(const void *ctx, uint64_t off, void *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (uint8_t)(*(const int *)ctx + off + i);
}

static void test_fill(void)
{
	struct memory_source m = { (const uint8_t *)"0123456789", 10 };
	struct source *src = memory_source_new(&m, 10);
	struct plan *plan = new_plan(64, 1, 1);
	struct error err = ERROR_INIT;
	static const int base = 65;
	char buf[65] = "", piece[65];

	plan_append_source(plan, 5, 0, 3, "image", &err);
	plan_append_generate(plan, 20, count_up, &base, "letters", &err);
	plan_append_zero(plan, 3, "zeros", &err);
	plan_append_keep(plan, 36, "kept", &err);
	CHECK(plan_overlay(plan, 10, "-+-", 3, "memory", &err) == 0);
	CHECK(plan_check(plan, &err) == 0);
	memset(buf, 'Z', sizeof(buf));
	CHECK(plan_fill(plan, &src, 0, buf, 64, &err) == 0);
	CHECK(!memcmp(buf, "34567ABCDE-+-IJKLMNOPQRST\0\0\0\0\0\0", 31) && buf[64] == 'Z');
	/* Any piece is the same as that part of the whole. */
	for (uint64_t off = 0; off < 64; off++) {
		for (size_t len = 0; off + len <= 64; len++) {
			CHECK(plan_fill(plan, &src, off, piece, len, &err) == 0);
			CHECK(!memcmp(piece, buf + off, len));
		}
	}
	CHECK(plan_fill(plan, &src, 60, piece, 5, &err) < 0 && err.kind == ERROR_INTERNAL);
	plan_free(plan);
	source_free(src);
}

static struct plan *common_sample(const char *text, uint64_t source_offset)
{
	struct plan *plan = new_plan(4 * MIB, 512, 512);
	struct error err = ERROR_INIT;

	plan_append_source(plan, 2 * MIB, 0, source_offset, "image", &err);
	plan_close(plan, 0, &err);
	plan_overlay(plan, 1000, text, strlen(text), "text", &err);
	return plan;
}

static void test_common_end(void)
{
	struct plan *a = common_sample("hello", 0), *b = common_sample("help!", 0);
	struct plan *c = common_sample("hello", 512), *d = new_plan(3 * MIB, 512, 512);
	struct error err = ERROR_INIT;

	CHECK_U64(plan_common_end(a, a, 0), 4 * MIB);
	CHECK_U64(plan_common_end(a, b, 0), 1003);
	CHECK_U64(plan_common_end(a, b, 1005), 4 * MIB);
	CHECK_U64(plan_common_end(a, c, 0), 0);
	CHECK_U64(plan_common_end(a, c, 1000), 1005);
	plan_append_source(d, 2 * MIB, 0, 0, "image", &err);
	plan_close(d, 0, &err);
	CHECK_U64(plan_common_end(a, d, 0), 1000);
	CHECK_U64(plan_common_end(a, d, 1005), 2 * MIB);
	CHECK_U64(plan_common_end(a, d, 5 * MIB), 5 * MIB);
	plan_free(a);
	plan_free(b);
	plan_free(c);
	plan_free(d);
}

/* Random appends and overlays beside a plain array of bytes. */
static void test_against_model(void)
{
	struct error err = ERROR_INIT;
	unsigned int seed = 7;

	for (int round = 0; round < 200; round++) {
		struct plan *plan = new_plan(256, 1, 1);
		struct memory_source m = { (const uint8_t *)"", 0 };
		struct source *src = memory_source_new(&m, 256);
		uint8_t model[256] = { 0 }, got[256];

		plan_append_source(plan, 256, 0, 0, "image", &err);
		for (int i = 0; i < 20; i++) {
			uint64_t start = (unsigned int)rand_r(&seed) % 256;
			uint64_t len = (unsigned int)rand_r(&seed) % (257 - start);
			uint8_t data[256];

			memset(data, rand_r(&seed), sizeof(data));
			memcpy(model + start, data, len);
			CHECK(plan_overlay(plan, start, data, len, "x", &err) == 0);
			CHECK(plan_check(plan, &err) == 0);
		}
		CHECK(plan_fill(plan, &src, 0, got, 256, &err) == 0);
		CHECK(!memcmp(got, model, 256));
		plan_free(plan);
		source_free(src);
	}
}

int main(void)
{
	RUN(test_close);
	RUN(test_close_small_targets);
	RUN(test_close_many);
	RUN(test_close_refuses_a_bad_geometry);
	RUN(test_does_not_fit);
	RUN(test_open);
	RUN(test_append);
	RUN(test_check);
	RUN(test_overlay);
	RUN(test_overlay_whole_extents);
	RUN(test_overlay_refused);
	RUN(test_fill);
	RUN(test_common_end);
	RUN(test_against_model);
	return tap_done();
}
