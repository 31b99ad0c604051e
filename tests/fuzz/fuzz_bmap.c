// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Block maps: untrusted XML. A checksum of SHA-256's length is put right first, or
 * nothing behind that check would ever be reached. What is accepted makes a plan.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "image/bmap.h"
#include "plan/planner.h"

#define TAG "<BmapFileChecksum>"
#define DIGITS (2 * HASH_SHA256_SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seal(char *text, size_t len)
{
	char *at = memmem(text, len, TAG, strlen(TAG)), hex[HASH_HEX_SIZE];
	struct error err = ERROR_INIT;
	struct digest d;
	struct hash *h;

	if (!at)
		return;
	at += strlen(TAG);
	while (at < text + len && *at == ' ')
		at++;
	if ((size_t)(text + len - at) < DIGITS || hash_new("sha256", &h, &err) < 0)
		return;
	memset(at, '0', DIGITS);
	hash_update(h, text, len);
	hash_peek(h, &d);
	hash_free(h);
	memcpy(at, digest_hex(&d, hex), DIGITS);
}

/* Ascending, inside the image, and as much as is said. */
static void check_map(const struct bmap *map)
{
	uint64_t next = 0, mapped = 0;

	if (map->n_ranges > BMAP_MAX_RANGES || map->image_size == 0 || !map->alg)
		abort();
	for (size_t i = 0; i < map->n_ranges; i++) {
		const struct bmap_range *r = &map->ranges[i];

		if (r->len == 0 || r->start < next || r->start % map->block_size ||
		    !num_is_within(r->start, r->len, map->image_size))
			abort();
		next = r->start + r->len;
		mapped += r->len;
	}
	if (mapped != map->mapped_size)
		abort();
}

static void make_plan(const struct bmap *map, uint32_t sector, bool zero)
{
	const struct geometry geo = {
		.size = num_round_up(map->image_size, sector) + MIB,
		.sector_size = sector,
		.io_align = sector,
	};
	const struct plan_request req = { .mode = "auto", .bmap = map, .bmap_zero = zero };
	struct source src = { .access = SOURCE_SEQUENTIAL, .size = SOURCE_SIZE_UNKNOWN };
	struct layout *lay = calloc(1, sizeof(*lay));
	struct error err = ERROR_INIT;
	struct plan *plan;

	if (planner_make_plan(&src, lay, &geo, &req, &plan, &err) < 0 || plan_check(plan, &err) < 0)
		abort();
	if (plan_bytes(plan, EXTENT_SOURCE) < map->mapped_size ||
	    plan_bytes(plan, EXTENT_SOURCE) > map->image_size)
		abort();
	plan_free(plan);
	free(lay);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct error err = ERROR_INIT;
	struct bmap *map;

	if (!text)
		return 0;
	memcpy(text, data, size);
	seal(text, size);
	if (bmap_parse(text, size, &map, &err) == 0) {
		check_map(map);
		make_plan(map, 512, false);
		make_plan(map, 4096, false);
		make_plan(map, 512, true);
		bmap_free(map);
	}
	free(text);
	return 0;
}
