// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A map as SVG 1.1, for bug reports: the picture that a terminal of COLUMNS
 * columns shows, and the same list. Whole numbers and generic fonts only.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "cli/draw.h"

#define COLUMNS 78U
#define CELL 12U /* pixels a column: a letter fits in */
#define ROW 20U
#define MARGIN 12U
#define WIDTH (COLUMNS * CELL + 2 * MARGIN)
#define HEAD (MARGIN + 3 * ROW) /* title and scale */
#define OFFSET_END 180U         /* right edge of the list's columns */
#define SIZE_END 270U
#define LABEL_START 290U
#define LABEL_COLUMNS 76U

/* U+FFFE and U+FFFF, which no XML document may hold. */
static bool is_no_character(const char *text, size_t len)
{
	return len >= 3 &&
	       (memcmp(text, "\xef\xbf\xbe", 3) == 0 || memcmp(text, "\xef\xbf\xbf", 3) == 0);
}

/* The text is UTF-8 without controls already; what XML gives a meaning loses it. */
static void put_text(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_no_character(text + i, len - i)) {
			fputc('?', out);
			i += 2;
			continue;
		}
		switch (text[i]) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&apos;", out);
			break;
		default:
			fputc(text[i], out);
		}
	}
}

static void put_line(FILE *out, unsigned int x, unsigned int y, const char *anchor,
		     const char *text, size_t len)
{
	fprintf(out, "<text x=\"%u\" y=\"%u\" text-anchor=\"%s\">", x, y, anchor);
	put_text(out, text, len);
	fputs("</text>\n", out);
}

static const char *color_of(enum map_kind kind)
{
	static const char *const colors[] = {
		[MAP_TABLE] = "#e69f00",     [MAP_BOOT] = "#56b4e9",   [MAP_VOLUME] = "#9fd8a3",
		[MAP_PARTITION] = "#d5c8e8", [MAP_SOURCE] = "#9fd8a3", [MAP_MEMORY] = "#e69f00",
		[MAP_ZERO] = "#dddddd",      [MAP_KEEP] = "#f4f4f4",   [MAP_FREE] = "#f4f4f4",
		[MAP_MISSING] = "#ff9a8a",
	};

	return colors[kind];
}

static void put_span(FILE *out, const struct map_span *span, const struct draw_place *place)
{
	unsigned int x = MARGIN + place->first * CELL, y = HEAD + place->row * ROW;

	fprintf(out, "<g><title>");
	put_text(out, span->label, strlen(span->label));
	fprintf(out,
		", %" PRIu64 " + %" PRIu64 "</title><rect x=\"%u\" y=\"%u\" width=\"%u\" "
		"height=\"%u\" fill=\"%s\" stroke=\"#444444\"/>",
		span->start, span->len, x, y, (place->end - place->first) * CELL, ROW - 4,
		color_of(span->kind));
	fprintf(out, "<text x=\"%u\" y=\"%u\">%c</text></g>\n", x + 2, y + 13, place->key);
}

/* One entry of the list; returns where the next one goes. */
static unsigned int put_entry(FILE *out, unsigned int y, const struct map_span *span, char key)
{
	const char *label = span->label;
	char text[NUM_SIZE_LEN];

	put_line(out, MARGIN, y, "start", &key, 1);
	num_format_bytes(text, sizeof(text), span->start);
	put_line(out, OFFSET_END, y, "end", text, strlen(text));
	num_format_size(text, sizeof(text), span->len);
	put_line(out, SIZE_END, y, "end", text, strlen(text));
	while (*label) {
		size_t n = draw_line_length(label, LABEL_COLUMNS);

		put_line(out, LABEL_START, y, "start", label, n);
		label += n;
		label += strspn(label, " ");
		y += ROW;
	}
	return y;
}

static unsigned int height_of(const struct map *map, unsigned int n_rows)
{
	unsigned int height = HEAD + n_rows * ROW + 2 * ROW;

	for (size_t i = 0; i < map->n_spans; i++) {
		const char *label = map->spans[i].label;

		while (*label) {
			label += draw_line_length(label, LABEL_COLUMNS);
			label += strspn(label, " ");
			height += ROW;
		}
	}
	return height;
}

void draw_map_svg(FILE *out, const struct map *map, const char *title)
{
	auto_free struct draw_place *places = calloc(map->n_spans + 1, sizeof(*places));
	unsigned int n_rows, height, y;
	char text[NUM_SIZE_LEN];

	if (!places)
		return;
	n_rows = draw_place_spans(map, COLUMNS, places);
	height = height_of(map, n_rows);
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%u\" "
		"height=\"%u\" viewBox=\"0 0 %u %u\" font-family=\"monospace\" font-size=\"13\">\n",
		WIDTH, height, WIDTH, height);
	fprintf(out, "<title>");
	put_text(out, title, strlen(title));
	fprintf(out, "</title>\n<rect width=\"%u\" height=\"%u\" fill=\"#ffffff\"/>\n", WIDTH,
		height);
	put_line(out, MARGIN, MARGIN + ROW - 6, "start", title, strlen(title));
	if (map->size > 0) {
		put_line(out, MARGIN, HEAD - 6, "start", "0", 1);
		num_format_bytes(text, sizeof(text), map->size);
		put_line(out, WIDTH - MARGIN, HEAD - 6, "end", text, strlen(text));
	}
	for (size_t i = 0; i < map->n_spans; i++)
		if (places[i].row < n_rows)
			put_span(out, &map->spans[i], &places[i]);
	y = HEAD + n_rows * ROW + ROW;
	for (size_t i = 0; i < map->n_spans; i++)
		y = put_entry(out, y, &map->spans[i], places[i].key);
	fprintf(out, "</svg>\n");
}
