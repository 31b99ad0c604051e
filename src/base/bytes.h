/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * On-disk integers as byte-array types: alignment 1, so on-disk structs need no
 * packing, and forgetting to decode or encode does not compile. The shifts are
 * written out because gcc does not turn a loop into one load.
 */
#ifndef ISOWRITE_BASE_BYTES_H
#define ISOWRITE_BASE_BYTES_H

#include <stdint.h>

typedef struct { uint8_t b[2]; } le16;
typedef struct { uint8_t b[4]; } le32;
typedef struct { uint8_t b[8]; } le64;
typedef struct { uint8_t b[2]; } be16;
typedef struct { uint8_t b[4]; } be32;
typedef struct { uint8_t b[8]; } be64;
/* ECMA-119 7.2.3 and 7.3.3: the same value little-endian, then big-endian. */
typedef struct { le16 le; be16 be; } both16;
typedef struct { le32 le; be32 be; } both32;

static inline uint16_t le16_get(le16 v)
{
	return (uint16_t)(v.b[0] | v.b[1] << 8);
}

static inline uint32_t le32_get(le32 v)
{
	return (uint32_t)v.b[0] | (uint32_t)v.b[1] << 8 | (uint32_t)v.b[2] << 16 |
	       (uint32_t)v.b[3] << 24;
}

static inline uint64_t le64_get(le64 v)
{
	return (uint64_t)v.b[0] | (uint64_t)v.b[1] << 8 | (uint64_t)v.b[2] << 16 |
	       (uint64_t)v.b[3] << 24 | (uint64_t)v.b[4] << 32 | (uint64_t)v.b[5] << 40 |
	       (uint64_t)v.b[6] << 48 | (uint64_t)v.b[7] << 56;
}

static inline uint16_t be16_get(be16 v)
{
	return (uint16_t)(v.b[1] | v.b[0] << 8);
}

static inline uint32_t be32_get(be32 v)
{
	return (uint32_t)v.b[3] | (uint32_t)v.b[2] << 8 | (uint32_t)v.b[1] << 16 |
	       (uint32_t)v.b[0] << 24;
}

static inline uint64_t be64_get(be64 v)
{
	return (uint64_t)v.b[7] | (uint64_t)v.b[6] << 8 | (uint64_t)v.b[5] << 16 |
	       (uint64_t)v.b[4] << 24 | (uint64_t)v.b[3] << 32 | (uint64_t)v.b[2] << 40 |
	       (uint64_t)v.b[1] << 48 | (uint64_t)v.b[0] << 56;
}

static inline le16 le16_put(uint16_t v)
{
	return (le16){ { (uint8_t)v, (uint8_t)(v >> 8) } };
}

static inline le32 le32_put(uint32_t v)
{
	return (le32){ { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) } };
}

static inline le64 le64_put(uint64_t v)
{
	return (le64){ { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24),
			 (uint8_t)(v >> 32), (uint8_t)(v >> 40), (uint8_t)(v >> 48),
			 (uint8_t)(v >> 56) } };
}

static inline be16 be16_put(uint16_t v)
{
	return (be16){ { (uint8_t)(v >> 8), (uint8_t)v } };
}

static inline be32 be32_put(uint32_t v)
{
	return (be32){ { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v } };
}

static inline be64 be64_put(uint64_t v)
{
	return (be64){ { (uint8_t)(v >> 56), (uint8_t)(v >> 48), (uint8_t)(v >> 40),
			 (uint8_t)(v >> 32), (uint8_t)(v >> 24), (uint8_t)(v >> 16),
			 (uint8_t)(v >> 8), (uint8_t)v } };
}

/* The numbers at p, which need not be aligned. */
static inline uint16_t le16_at(const uint8_t *p)
{
	return le16_get((le16){ { p[0], p[1] } });
}

static inline uint32_t le32_at(const uint8_t *p)
{
	return le32_get((le32){ { p[0], p[1], p[2], p[3] } });
}

static inline uint32_t be32_at(const uint8_t *p)
{
	return be32_get((be32){ { p[0], p[1], p[2], p[3] } });
}

/* The little-endian half decides, as in every reader in the field. */
static inline uint16_t both16_get(both16 v)
{
	return le16_get(v.le);
}

static inline uint32_t both32_get(both32 v)
{
	return le32_get(v.le);
}

static inline both32 both32_put(uint32_t v)
{
	return (both32){ le32_put(v), be32_put(v) };
}

#endif
