// SPDX-License-Identifier: GPL-3.0-or-later
/* DEFLATE: each library by itself, however the bytes are cut, and all of them alike. */
#include "base/crc32.h"
#include "base/num.h"
#include "image/inflate.h"
#include "source_util.h"
#include "tap.h"
#include "zip_util.h"

static const struct inflate_ops *const libraries[] = {
	&inflate_by_zlib,
#ifdef HAVE_ISAL
	&inflate_by_isal,
#endif
};

#define FOR_EACH_LIBRARY(ops) \
	for (size_t l_ = 0; l_ < ARRAY_SIZE(libraries) && (ops = libraries[l_]); l_++)

#define OUT_MAX (512 * 1024) /* more than any test's data */

/* Feeds step_in bytes at a time into room for step_out; *ret_rest is what was not taken. */
static enum inflate_status inflate_all(const struct inflate_ops *ops, struct bytes packed,
				       size_t step_in, size_t step_out, struct bytes *ret,
				       size_t *ret_rest)
{
	enum inflate_status status = INFLATE_GOING;
	size_t at = 0, room = OUT_MAX;
	void *state = ops->start();
	uint8_t *in;

	step_in = num_min(step_in, packed.len);
	in = malloc(INFLATE_LOOK_AHEAD + step_in);
	*ret = (struct bytes){ .p = malloc(OUT_MAX) };
	while (status == INFLATE_GOING) {
		size_t n = num_min(step_in, packed.len - at), n_out = num_min(step_out, room);
		/* In its own place each time, with no more of the last one than was agreed. */
		size_t back = num_min(at, INFLATE_LOOK_AHEAD);
		struct inflate_io io = { in + back, n, ret->p + ret->len, n_out };

		memcpy(in, packed.p + at - back, back + n);
		status = ops->run(state, &io);
		CHECK(io.in >= in && io.in + io.in_len == in + back + n);
		at = at + n - io.in_len;
		room -= n_out - io.out_len;
		ret->len = OUT_MAX - room;
		if (io.in_len == n && io.out_len == n_out)
			break; /* no progress: it lacks input */
	}
	ops->stop(state);
	free(in);
	*ret_rest = packed.len - at;
	return status;
}

static struct bytes with_rest(struct bytes data)
{
	struct bytes packed = zip_deflate(data);

	bytes_add(&packed, "rest of it", 10);
	return packed;
}

static void test_cut_anywhere(void)
{
	static const size_t sizes[] = { 0, 1, 300, 20000, 300000 };
	static const size_t steps[] = { 1, 2, 3, 7, 8, 9, 4096, 65536, 1 << 20 };
	const struct inflate_ops *ops;

	FOR_EACH_LIBRARY(ops)
	for (size_t i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(steps) * 3; i++) {
		static const size_t rooms[] = { 1000, 70000, 1 << 20 };
		size_t step = steps[i / ARRAY_SIZE(sizes) % ARRAY_SIZE(steps)];
		/* Much data byte by byte shows no more, and takes long. */
		size_t size = num_min(sizes[i % ARRAY_SIZE(sizes)], step * 4000);
		struct bytes b = bytes_sample(size, 4), got;
		struct bytes packed = with_rest(b);
		size_t room = rooms[i / ARRAY_SIZE(sizes) / ARRAY_SIZE(steps)], rest;

		CHECK(inflate_all(ops, packed, step, room, &got, &rest) == INFLATE_END);
		CHECK_U64(rest, 10);
		CHECK(bytes_equal(got, b));
		free(got.p);
		CHECK(inflate_all(ops, (struct bytes){ packed.p, packed.len - 11 }, step, room,
				  &got, &rest) == INFLATE_GOING);
		CHECK_U64(rest, 0);
		free(got.p);
		free(packed.p);
		free(b.p);
	}
}

static void test_reset(void)
{
	struct bytes b = bytes_sample(200000, 5), packed = zip_deflate(b);
	uint8_t *out = malloc(b.len);
	const struct inflate_ops *ops;

	FOR_EACH_LIBRARY(ops)
	{
		void *state = ops->start();

		/* In the middle, then behind the end */
		for (unsigned int round = 0; round < 4; round++) {
			size_t in_len = round % 2 ? packed.len : packed.len / 2;
			struct inflate_io io = { packed.p, in_len, out, b.len };

			ops->reset(state);
			CHECK(ops->run(state, &io) == (round % 2 ? INFLATE_END : INFLATE_GOING));
			CHECK(memcmp(out, b.p, b.len - io.out_len) == 0);
			CHECK(round % 2 == 0 || io.out_len == 0);
		}
		ops->stop(state);
		ops->stop(NULL);
	}
	free(out);
	free(packed.p);
	free(b.p);
}

static void test_corrupt(void)
{
	/* Type 3; a stored block whose length is not confirmed; a distance too far back */
	static const struct {
		uint8_t bytes[6];
		size_t len;
	} bad[] = {
		{ { 0x07 }, 1 },
		{ { 0x01, 0x05, 0x00, 0x00, 0x00, 0x00 }, 6 },
		{ { 0x03, 0x02, 0x00 }, 3 },
	};
	const struct inflate_ops *ops;
	struct bytes got;
	size_t rest;

	FOR_EACH_LIBRARY(ops)
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(inflate_all(ops, (struct bytes){ (uint8_t *)bad[i].bytes, bad[i].len }, 100,
				  1000, &got, &rest) == INFLATE_CORRUPT);
		free(got.p);
	}
}

/* What all accept must be the same for all, down to the last byte taken. */
static void test_alike(void)
{
	struct bytes b = bytes_sample(3000, 6), packed = with_rest(b);
	uint32_t seed = 1;

	for (unsigned int i = 0; i < 2000; i++) {
		struct bytes got[ARRAY_SIZE(libraries)];
		enum inflate_status status[ARRAY_SIZE(libraries)];
		size_t rest[ARRAY_SIZE(libraries)], at;
		uint8_t old;

		seed = seed * 1664525 + 1013904223;
		at = (seed >> 8) % (i % 2 ? packed.len : 100);
		old = packed.p[at];
		packed.p[at] ^= (uint8_t)(1 << (seed >> 29));
		for (size_t k = 0; k < ARRAY_SIZE(libraries); k++) {
			status[k] = inflate_all(libraries[k], packed, 100 + i, 10000, &got[k],
						&rest[k]);
			if (status[k] == INFLATE_END && status[0] == INFLATE_END) {
				CHECK(bytes_equal(got[k], got[0]));
				CHECK_U64(rest[k], rest[0]);
			}
		}
		for (size_t k = 0; k < ARRAY_SIZE(libraries); k++)
			free(got[k].p);
		packed.p[at] = old;
	}
	free(packed.p);
	free(b.p);
}

static void test_crc32(void)
{
	struct bytes b = bytes_sample(100001, 7);
	const struct inflate_ops *ops;

	FOR_EACH_LIBRARY(ops)
	{
		CHECK_U64(ops->crc32(0, "123456789", 9), 0xcbf43926);
		CHECK_U64(ops->crc32(ops->crc32(0, b.p, 333), b.p + 333, b.len - 333),
			  crc32_ieee(b.p, b.len));
		CHECK_U64(ops->crc32(77, b.p, 0), 77);
	}
	free(b.p);
}

int main(void)
{
	RUN(test_cut_anywhere);
	RUN(test_reset);
	RUN(test_corrupt);
	RUN(test_alike);
	RUN(test_crc32);
	return tap_done();
}
