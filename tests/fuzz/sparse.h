/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An image in a small input: sparse, its size in sectors of 2048 bytes, then records of a
 * sector number, a length up to 2048, and that many bytes; numbers have two bytes, little-endian.
 */
#ifndef ISOWRITE_TESTS_SPARSE_H
#define ISOWRITE_TESTS_SPARSE_H

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "image/source.h"

#define SPARSE_SECTOR 2048U
#define SPARSE_RECORD_HEAD 4U

struct sparse {
	const uint8_t *data;
	size_t size;
	uint64_t n_read;
};

static inline void sparse_read_sector(const struct sparse *s, uint64_t lba, uint8_t *out)
{
	memset(out, 0, SPARSE_SECTOR);
	for (size_t at = 2; at + SPARSE_RECORD_HEAD < s->size;) {
		const uint8_t *head = s->data + at;
		size_t len = (size_t)num_min(head[2] | head[3] << 8, SPARSE_SECTOR);

		at += SPARSE_RECORD_HEAD;
		len = (size_t)num_min(len, s->size - at);
		if ((uint64_t)(head[0] | head[1] << 8) == lba)
			memcpy(out, s->data + at, len);
		at += len;
	}
}

static inline int sparse_read_at(struct source *src, uint64_t off, void *buf, size_t len,
				 struct error *err)
{
	struct sparse *s = src->priv;
	uint8_t sector[SPARSE_SECTOR], *out = buf;

	(void)err;
	s->n_read += len;
	while (len > 0) {
		size_t skip = off % SPARSE_SECTOR, n = (size_t)num_min(SPARSE_SECTOR - skip, len);

		sparse_read_sector(s, off / SPARSE_SECTOR, sector);
		memcpy(out, sector + skip, n);
		off += n;
		out += n;
		len -= n;
	}
	return 0;
}

/* NULL when out of memory, or if the input is too short for a size. */
static inline struct source *sparse_source(struct sparse *s, const uint8_t *data, size_t size)
{
	static const struct source_ops ops = { .name = "sparse", .read_at = sparse_read_at };
	struct source *src;

	*s = (struct sparse){ .data = data, .size = size };
	if (size < 2)
		return NULL;
	src = source_new(&ops, SOURCE_RANDOM, s);
	if (src)
		src->size = src->file_size = (uint64_t)(data[0] | data[1] << 8) * SPARSE_SECTOR;
	return src;
}

#endif
