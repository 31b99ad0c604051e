/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes and offsets: 64-bit bytes, checked arithmetic, parsing and printing. */
#ifndef ISOWRITE_BASE_NUM_H
#define ISOWRITE_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define KIB UINT64_C(1024)
#define MIB (UINT64_C(1024) * KIB)
#define GIB (UINT64_C(1024) * MIB)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline uint64_t num_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t num_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* align need not be a power of two; align > 0. */
static inline uint64_t num_round_down(uint64_t v, uint64_t align)
{
	return v - v % align;
}

/* Saturates at the largest multiple of align that fits. */
static inline uint64_t num_round_up(uint64_t v, uint64_t align)
{
	uint64_t rest = v % align;

	if (rest == 0)
		return v;
	if (v > UINT64_MAX - (align - rest))
		return num_round_down(UINT64_MAX, align);
	return v + (align - rest);
}

static inline bool num_is_power_of_2(uint64_t v)
{
	return v != 0 && (v & (v - 1)) == 0;
}

/* Is [off, off+len) inside [0, size)? No overflow whatever the arguments. */
static inline bool num_is_within(uint64_t off, uint64_t len, uint64_t size)
{
	return off <= size && len <= size - off;
}

/*
 * n bytes of two hexadecimal digits each, either case. -1 at the first character
 * that is no digit (also the end of the string); what was read so far is in ret.
 */
int num_parse_hex(const char *text, size_t n, uint8_t *ret);

/*
 * "16GB" 16*10^9, "16GiB" or "16G" 16*2^30 (as util-linux), "4096" bytes.
 * Letters k..E in either case; no sign, no fraction, no blanks.
 */
int num_parse_size(const char *s, uint64_t *ret_size, struct error *err);

/* Decimal, as printed on sticks: "6.2 GB", "32 GB", "512 bytes". At least 32 bytes of buf. */
#define NUM_SIZE_LEN 48
const char *num_format_size(char *buf, size_t buf_size, uint64_t size);

/* "32 GB (29.8 GiB)". */
const char *num_format_stick_size(char *buf, size_t buf_size, uint64_t size);

/* "6,203,355,136". */
const char *num_format_bytes(char *buf, size_t buf_size, uint64_t size);

#endif
