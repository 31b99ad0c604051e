// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A whole image through detection and the tree walk. So that inputs stay small
 * the image is sparse: its size in sectors, then records of a sector number, a
 * length up to 2048, and that many bytes; numbers have two bytes, little-endian.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "image/detect.h"
#include "image/tree.h"
#include "job/map.h"
#include "job/report-layout.h"
#include "job/report.h"

#define SECTOR 2048U
#define RECORD_HEAD 4U
#define BUDGET (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sparse {
	const uint8_t *data;
	size_t size;
	uint64_t n_read;
};

static void read_sector(const struct sparse *s, uint64_t lba, uint8_t *out)
{
	memset(out, 0, SECTOR);
	for (size_t at = 2; at + RECORD_HEAD < s->size;) {
		const uint8_t *head = s->data + at;
		size_t len = (size_t)num_min(head[2] | head[3] << 8, SECTOR);

		at += RECORD_HEAD;
		len = (size_t)num_min(len, s->size - at);
		if ((uint64_t)(head[0] | head[1] << 8) == lba)
			memcpy(out, s->data + at, len);
		at += len;
	}
}

static int read_at(struct source *src, uint64_t off, void *buf, size_t len, struct error *err)
{
	struct sparse *s = src->priv;
	uint8_t sector[SECTOR], *out = buf;

	(void)err;
	s->n_read += len;
	while (len > 0) {
		size_t skip = off % SECTOR, n = (size_t)num_min(SECTOR - skip, len);

		read_sector(s, off / SECTOR, sector);
		memcpy(out, sector + skip, n);
		off += n;
		out += n;
		len -= n;
	}
	return 0;
}

static bool visit(void *ctx, const struct tree_extent *extent)
{
	uint64_t *n = ctx;

	/* Every path is absolute and shorter than the limit. */
	if (extent->path[0] != '/' || strlen(extent->path) >= 4096)
		abort();
	return ++*n == 100000;
}

static void check_map(const struct layout *lay)
{
	struct map *map = map_of_layout(lay);

	for (size_t i = 0; map && i < map->n_spans; i++) {
		const struct map_span *span = &map->spans[i];

		if (span->start >= map->size || span->len == 0 || !span->label[0] ||
		    map_span_end(map, span) > map->size ||
		    (i > 0 && span->start < map->spans[i - 1].start))
			abort();
		for (const char *p = span->label; *p; p++)
			if ((uint8_t)*p < 0x20)
				abort();
	}
	free(map);
}

static void print(const struct layout *lay)
{
	struct json j;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	report_layout_print(lay, "x", false, out);
	report_layout_print_findings(lay, out);
	fclose(out);
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)text[i] < 0x20 && text[i] != '\n')
			abort();
	free(text);
	json_init(&j);
	json_begin_object(&j, NULL);
	report_layout_to_json(lay, &j);
	json_end_object(&j);
	json_finish(&j);
	json_done(&j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct source_ops ops = { .name = "sparse", .read_at = read_at };
	struct sparse s = { .data = data, .size = size };
	static struct layout lay;
	struct error err = ERROR_INIT;
	uint64_t budget = BUDGET, n = 0;
	struct source *src;

	if (size < 2)
		return 0;
	src = source_new(&ops, SOURCE_RANDOM, &s);
	if (!src)
		return 0;
	src->size = src->file_size = (uint64_t)(data[0] | data[1] << 8) * SECTOR;
	if (detect_layout(src, BUDGET, &lay, &err) < 0)
		abort();
	if (lay.bytes_read > BUDGET || s.n_read > BUDGET)
		abort();
	print(&lay);
	check_map(&lay);
	if (tree_walk(src, &lay, &budget, visit, &n, &err) < 0)
		abort();
	source_free(src);
	return 0;
}
