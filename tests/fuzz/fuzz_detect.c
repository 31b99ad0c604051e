// SPDX-License-Identifier: GPL-3.0-or-later
/* A whole image (sparse.h) through detection and the tree walk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "image/detect.h"
#include "image/tree.h"
#include "job/map.h"
#include "job/report-layout.h"
#include "job/report.h"
#include "sparse.h"

#define BUDGET (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	static struct layout lay;
	struct sparse s;
	struct error err = ERROR_INIT;
	uint64_t budget = BUDGET, n = 0;
	struct source *src = sparse_source(&s, data, size);

	if (!src)
		return 0;
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
