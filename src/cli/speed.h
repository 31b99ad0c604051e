/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The speed of a phase over time, in memory of one size however long it takes:
 * buckets, whose width doubles when they are used up. And pictures of it.
 */
#ifndef ISOWRITE_CLI_SPEED_H
#define ISOWRITE_CLI_SPEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SPEED_BUCKETS 256

struct speed {
	bool is_begun;
	double start, seconds; /* of the phase; it lasted so long */
	double width; /* seconds a bucket */
	uint64_t done; /* last count */
	double bytes[SPEED_BUCKETS];
};

/* Times are monotonic seconds. */
void speed_begin(struct speed *s, double now);

/* So many bytes of the phase are done; fewer than before begin a new count. */
void speed_add(struct speed *s, double now, uint64_t done);

/* Bytes per second between two times, in seconds from the start. */
double speed_between(const struct speed *s, double from, double to);

/* Did it become slower once and for all, to less than half? Then when, and from what to what. */
bool speed_find_drop(const struct speed *s, double *ret_at, double *ret_before, double *ret_after);

/*
 * One character for each of so many columns of time, top the highest; max: the
 * speed of a full one. No line end.
 */
void speed_draw_line(FILE *out, const struct speed *s, unsigned int columns, double max, bool utf8);

/* The highest speed that so many columns would show. */
double speed_max(const struct speed *s, unsigned int columns);

#define SPEED_GRAPH_ROWS 8
#define SPEED_GRAPH_LINES (SPEED_GRAPH_ROWS + 2) /* with the axis and its words */

/*
 * The phases beside each other on one time axis, each as wide as it took; names
 * go below. Those not begun or soon over are left out. Lines of at most columns
 * columns.
 * Returns how many: SPEED_GRAPH_LINES, or 0 where there is nothing to show.
 */
unsigned int speed_draw_graph(FILE *out, const struct speed *const parts[],
			      const char *const names[], size_t n_parts, unsigned int columns,
			      bool utf8);

#endif
