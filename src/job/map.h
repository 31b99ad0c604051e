/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What lies where, in an image or on a stick: one flat list of spans for
 * everything that draws a picture of it (cli/draw-*). Made from a layout or
 * from a plan; nothing is read for it.
 *
 * Spans overlap wherever the image's tables do. Of several that have the same
 * bounds one remains, with all their labels.
 */
#ifndef ISOWRITE_JOB_MAP_H
#define ISOWRITE_JOB_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "image/layout.h"
#include "plan/plan.h"

enum map_kind {
	MAP_TABLE,  /* MBR, GPT, its backup, Apple's map, a boot catalog */
	MAP_BOOT,   /* a boot image */
	MAP_VOLUME, /* ISO 9660, UDF, HFS+, FAT */
	MAP_PARTITION,
	MAP_SOURCE,  /* plan: copied from the image */
	MAP_MEMORY,  /* plan: made by isowrite */
	MAP_ZERO,    /* plan */
	MAP_KEEP,    /* plan: not touched */
	MAP_FREE,    /* in nothing that is known */
	MAP_MISSING, /* behind a truncated image's end */
};

/* The maxima of struct layout, and MAP_MAX_EXTENTS. */
#define MAP_MAX_SPANS 512
#define MAP_MAX_EXTENTS 48 /* of a plan, more are joined */
#define MAP_LABEL_SIZE 320

struct map_span {
	uint64_t start, len; /* bytes as the tables say, not cut to the map's size; len > 0 */
	enum map_kind kind;
	uint32_t n_ranges; /* plan: so many ranges with small gaps between them */
	uint32_t what; /* plan: index of the plan's strings */
	char label[MAP_LABEL_SIZE]; /* escaped */
};

struct map {
	uint64_t size; /* bytes; 0: not known, and no spans */
	size_t n_spans; /* ascending by start, the longer one first */
	struct map_span spans[MAP_MAX_SPANS];
};

/* A new map, or NULL when out of memory. free() it. */
struct map *map_of_layout(const struct layout *lay);

/* Of a closed plan; lay describes its source 0, or is NULL. An open plan gives size 0. */
struct map *map_of_plan(const struct plan *plan, const struct layout *lay);

/*
 * A small image on a large stick would be drawn in one column. Where most of the
 * map is one place that is free or not touched, what lies before that becomes one
 * span of map and a map of its own in *ret, to be drawn enlarged. 1, 0 (*ret is NULL: nothing
 * to enlarge), or -1 when out of memory.
 */
int map_enlarge(struct map *map, struct map **ret);

/* Where a span ends in the map, at most at its size; its start if that is behind it. */
uint64_t map_span_end(const struct map *map, const struct map_span *span);

const char *map_kind_name(enum map_kind kind); /* "table", "boot", ... for drawings */

#endif
