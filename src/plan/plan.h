/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The centre of isowrite: a plan is a sorted, contiguous list of target
 * extents, each from the source, from memory, generated, zero, or kept as it
 * is. Planners make plans; the engine streams them; people read them. A plan
 * never sees a target's descriptor.
 *
 *   0                                             geometry.size
 *   |SOURCE .....................|ZERO pad|KEEP ......|ZERO tail|
 *
 * All offsets and lengths are bytes. Extents cover [0, geometry.size) exactly
 * once the plan is closed. KEEP extents begin and end on multiples of
 * geometry.io_align (the end of the target excepted).
 */
#ifndef ISOWRITE_PLAN_PLAN_H
#define ISOWRITE_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

struct source;

#define PLAN_MAX_SECTOR 4096 /* bytes; what a plan's and the engine's alignment can express */

struct geometry {
	uint64_t size; /* bytes of the target */
	uint32_t sector_size; /* the medium's logical sectors: 512 ... PLAN_MAX_SECTOR */
	uint32_t io_align; /* offset and length alignment of uncached I/O */
	bool is_partition; /* nothing boots from its first sector by itself */
};

enum extent_kind {
	EXTENT_SOURCE,
	EXTENT_MEMORY,
	EXTENT_GENERATE,
	EXTENT_ZERO,
	EXTENT_KEEP,
};

struct extent {
	uint64_t start, len;
	enum extent_kind kind;
	uint32_t source; /* SOURCE, GENERATE: index; else unused */
	uint64_t source_offset; /* in the source, the plan's arena, or the generated data */
	uint32_t what; /* index of plan_what(): "ISO 9660 image", "backup GPT header" */
};

/* Bytes for a planner that somebody else made, by their place. */
struct plan_piece {
	uint64_t offset, len;
	const uint8_t *data;
};

/* GENERATE: a pure function that fills any piece of an extent; off is relative to its start. */
typedef void (*plan_fill_fn)(const void *ctx, uint64_t off, void *buf, size_t len);

/* A range whose bytes differ from the image at the same place, for the reports. */
struct plan_difference {
	uint64_t start, len;
	uint32_t what;
};

struct plan {
	const char *planner; /* "raw", "gpt-fix" */
	struct geometry geo;
	struct extent *extents;
	size_t n_extents, cap_extents;
	bool is_open; /* the last extent is a SOURCE of unknown size, at most up to geo.size */
	uint8_t *arena; /* bytes of MEMORY extents */
	size_t arena_len, arena_cap;
	char **strings; /* what-texts, each once */
	size_t n_strings, cap_strings;
	struct plan_difference *differences; /* against the image */
	size_t n_differences, cap_differences;
	struct { plan_fill_fn fill; const void *ctx; } generators[8];
	size_t n_generators;
};

/* geo is copied. Returns NULL when out of memory. */
struct plan *plan_new(const char *planner, const struct geometry *geo);
void plan_free(struct plan *plan); /* NULL ok */

/* ERROR_FIT, with the numbers, unless size bytes fit on the target. */
int plan_check_fit(const struct plan *plan, uint64_t size, struct error *err);

/*
 * Appenders: the extent begins where the last one ended. len 0 adds nothing.
 * ERROR_FIT when it would pass geometry.size. what is copied.
 */
int plan_append_source(struct plan *plan, uint64_t len, uint32_t source, uint64_t source_offset,
		       const char *what, struct error *err);
int plan_append_memory(struct plan *plan, const void *data, uint64_t len, const char *what,
		       struct error *err);
int plan_append_generate(struct plan *plan, uint64_t len, plan_fill_fn fill, const void *ctx,
			 const char *what, struct error *err);
int plan_append_zero(struct plan *plan, uint64_t len, const char *what, struct error *err);
int plan_append_keep(struct plan *plan, uint64_t len, const char *what, struct error *err);

/*
 * An open SOURCE extent of unknown length (source 0 from offset 0 only); must
 * come last. Until plan_close() its len is what it can be at most: the rest of
 * the target.
 */
int plan_append_source_open(struct plan *plan, const char *what, struct error *err);

/*
 * Replaces [start, start+len) by memory, splitting what lies there; over KEEP
 * or beyond the end it is ERROR_INTERNAL. Recorded as a difference from the
 * image where it lies over SOURCE.
 */
int plan_overlay(struct plan *plan, uint64_t start, const void *data, uint64_t len,
		 const char *what, struct error *err);

/*
 * Records all that lies in the image's first size bytes, but is not those, as differences from
 * it: for plans that were appended piece by piece. Source 0 is the image.
 */
int plan_note_differences(struct plan *plan, uint64_t size, struct error *err);

/*
 * Makes the plan cover the target: for an open plan the last SOURCE extent
 * gets its length (content_size bytes in all; ERROR_FIT if too large), else
 * content_size is ignored. Then zeros up to the next sector, zeros up to 1 MiB
 * if the image ends below it, KEEP, and one ZERO extent for the rest of the
 * last 1 MiB (stale backup GPTs and signatures). Checks every invariant.
 */
int plan_close(struct plan *plan, uint64_t content_size, struct error *err);

/* Every invariant; ERROR_INTERNAL "plan-invalid" names the first one broken. */
int plan_check(const struct plan *plan, struct error *err);

const char *plan_what(const struct plan *plan, const struct extent *extent);

/* The extent that holds byte off, or NULL. */
const struct extent *plan_find(const struct plan *plan, uint64_t off);

/* Where the next extent would begin. */
uint64_t plan_end(const struct plan *plan);

/* Bytes of all extents of a kind. */
uint64_t plan_bytes(const struct plan *plan, enum extent_kind kind);

/* Is it the image, each of its size bytes once and in its place? */
bool plan_is_verbatim(const struct plan *plan, uint64_t size);

/* End of the image's last planned byte; 0 if there is none. */
uint64_t plan_source_end(const struct plan *plan);

/* End of the last extent that is neither ZERO nor KEEP; 0 if there is none. */
uint64_t plan_content_end(const struct plan *plan);

/*
 * Copies the planned bytes [off, off+len) to buf; KEEP bytes come as zeros.
 * SOURCE extents are read from sources[] (RANDOM sources only).
 */
int plan_fill(const struct plan *plan, struct source *const *sources, uint64_t off, void *buf,
	      size_t len, struct error *err);

/* First byte at which the planned bytes of a and b may differ (by extents); the common end else. */
uint64_t plan_common_end(const struct plan *a, const struct plan *b, uint64_t from);

/* The dry run, the debugging tool and the golden-test format: one line an extent. */
void plan_dump(const struct plan *plan, FILE *out);

const char *extent_kind_name(enum extent_kind kind); /* "source", "memory", ... */

#endif
