/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The map of an image or a stick (job/map.h) as text, legible without colour and
 * in ASCII where asked for, and as SVG.
 */
#ifndef ISOWRITE_CLI_DRAW_H
#define ISOWRITE_CLI_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "job/map.h"

struct ui;

#define DRAW_MIN_COLUMNS 39 /* of a terminal of 40 */
#define DRAW_MAX_COLUMNS 200

/* How to draw: columns in all, characters, sizes as plain numbers. */
struct draw {
	unsigned int columns; /* DRAW_MIN_COLUMNS to DRAW_MAX_COLUMNS */
	bool utf8, bytes;
};

/* For what comes out on standard output: 79 columns where it is no terminal. */
struct draw draw_for(const struct ui *ui);

/*
 * Is a map wanted there? People who look at a terminal that is wide enough get
 * one, and who asks for more; scripts get the report as it always was.
 */
bool draw_is_wanted(const struct ui *ui);

/* Where a span is drawn: cells [first, end) of a row, never less than one. */
struct draw_place {
	unsigned int row, first, end;
	char key; /* stands for it in the picture and in the list below */
};

/*
 * Places all spans on one scale of so many columns, each in the first row where
 * nothing else is, the longest ones first. places: map->n_spans. Returns the
 * number of rows.
 */
unsigned int draw_place_spans(const struct map *map, unsigned int columns,
			      struct draw_place *places);

/* The picture, and below it what it shows, with offset and size. Nothing for an empty map. */
void draw_map(FILE *out, const struct map *map, const struct draw *how);

/* The same as an SVG document; title is escaped text. */
void draw_map_svg(FILE *out, const struct map *map, const char *title);

/* How many bytes of text fit into a line of so many columns, broken at a blank if it can be. */
size_t draw_line_length(const char *text, size_t columns);

#endif
