/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A RANDOM source over bytes in memory; beyond them, up to size, it reads zeros. */
#ifndef ISOWRITE_TESTS_MEMORY_SOURCE_H
#define ISOWRITE_TESTS_MEMORY_SOURCE_H

#include <string.h>

#include "base/num.h"
#include "image/source.h"

struct memory_source {
	const uint8_t *data;
	size_t len;
};

static int memory_read_at(struct source *src, uint64_t off, void *buf, size_t len,
			  struct error *err)
{
	const struct memory_source *m = src->priv;
	uint64_t n = off < m->len ? num_min(len, m->len - off) : 0;

	if (!num_is_within(off, len, src->size))
		return error_set(err, ERROR_IO, "beyond-end", "A read beyond the end.");
	memset(buf, 0, len);
	if (n > 0)
		memcpy(buf, m->data + off, n);
	return 0;
}

static const struct source_ops memory_ops = {
	.name = "memory",
	.read_at = memory_read_at,
};

/* m must outlive the source. */
static inline struct source *memory_source_new(struct memory_source *m, uint64_t size)
{
	struct source *src = source_new(&memory_ops, SOURCE_RANDOM, m);

	src->size = size;
	src->file_size = size;
	return src;
}

#endif
