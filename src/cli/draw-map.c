// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A map as text: one scale, a row for everything that lies over something
 * else, a letter for each span, and the list of what the letters are.
 *
 *	0                               3.4 MB                              6.8 MB
 *	AAAAAAAA...
 *	B          C++++++++++++
 *
 *	A  0              6.8 MB  ISO 9660 "Ubuntu 24.04"
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "cli/draw.h"
#include "cli/ui.h"

#define MAX_ROWS 32U /* of the picture; what does not fit is in the list only */
#define NO_ROW UINT32_MAX
#define KEYS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define LABEL_MIN 24U /* columns that a label wants beside the numbers */

bool draw_is_wanted(const struct ui *ui)
{
	unsigned int columns = ui_columns(STDOUT_FILENO);

	if (ui->opts->quiet)
		return false;
	return columns == 0 ? ui->opts->verbose > 0 : columns > DRAW_MIN_COLUMNS;
}

struct draw draw_for(const struct ui *ui)
{
	const char *term = getenv("TERM");
	unsigned int columns = ui_columns(STDOUT_FILENO);
	/* A terminal's last column makes some of them wrap. */
	struct draw how = {
		.columns = columns ? columns - 1 : 79,
		.utf8 = ui->is_utf8 && !(term && strcmp(term, "dumb") == 0),
		.bytes = ui->opts->bytes,
	};

	how.columns = (unsigned int)num_max(how.columns, DRAW_MIN_COLUMNS);
	how.columns = (unsigned int)num_min(how.columns, DRAW_MAX_COLUMNS);
	return how;
}

/* The cell border next to byte at, of columns that show size bytes. */
static unsigned int column_of(uint64_t at, uint64_t size, unsigned int columns)
{
	/* Keeps the product below 2^64; such maps lose no cell by it. */
	while (size >> 48) {
		size >>= 1;
		at >>= 1;
	}
	return (unsigned int)((at * columns + size / 2) / size);
}

static bool is_taken(const struct draw_place *places, size_t n, unsigned int row,
		     const struct draw_place *p)
{
	for (size_t i = 0; i < n; i++)
		if (places[i].end > 0 && places[i].row == row && places[i].first < p->end &&
		    p->first < places[i].end)
			return true;
	return false;
}

/* The longest span that has no place yet; the map's order decides between equals. */
static size_t find_longest(const struct map *map, const struct draw_place *places)
{
	size_t best = map->n_spans;

	for (size_t i = 0; i < map->n_spans; i++)
		if (places[i].end == 0 &&
		    (best == map->n_spans || map->spans[i].len > map->spans[best].len))
			best = i;
	return best;
}

static void give_keys(const struct map *map, struct draw_place *places)
{
	const char *next = KEYS;

	for (size_t i = 0; i < map->n_spans; i++) {
		switch (map->spans[i].kind) {
		case MAP_FREE:
			places[i].key = '.';
			break;
		case MAP_MISSING:
			places[i].key = '?';
			break;
		default:
			places[i].key = *next ? *next++ : '#';
		}
	}
}

unsigned int draw_place_spans(const struct map *map, unsigned int columns,
			      struct draw_place *places)
{
	unsigned int n_rows = 0;

	memset(places, 0, map->n_spans * sizeof(*places));
	give_keys(map, places);
	for (size_t n = 0; n < map->n_spans; n++) {
		size_t i = find_longest(map, places);
		const struct map_span *span = &map->spans[i];
		struct draw_place p = { .key = places[i].key };

		p.first = column_of(span->start, map->size, columns);
		p.end = column_of(map_span_end(map, span), map->size, columns);
		if (p.first >= columns)
			p.first = columns - 1;
		if (p.end <= p.first)
			p.end = p.first + 1;
		while (p.row < MAX_ROWS && is_taken(places, map->n_spans, p.row, &p))
			p.row++;
		if (p.row == MAX_ROWS)
			p.row = NO_ROW;
		else
			n_rows = (unsigned int)num_max(n_rows, p.row + 1);
		places[i] = p;
	}
	return n_rows;
}

/* What fills a span behind its letter: kinds differ without colour. */
static const char *fill_of(enum map_kind kind, bool utf8)
{
	static const char *const fills[][2] = {
		[MAP_TABLE] = { "#", "█" },  [MAP_BOOT] = { "+", "▓" },
		[MAP_VOLUME] = { "=", "▒" }, [MAP_PARTITION] = { "-", "░" },
		[MAP_SOURCE] = { "=", "▒" }, [MAP_MEMORY] = { "#", "█" },
		[MAP_ZERO] = { "0", "0" },   [MAP_KEEP] = { ".", "·" },
		[MAP_FREE] = { ".", "·" },   [MAP_MISSING] = { "?", "?" },
	};

	return fills[kind][utf8];
}

static void draw_row(FILE *out, const struct map *map, const struct draw_place *places,
		     unsigned int row, const struct draw *how)
{
	unsigned int column = 0;

	/* Each turn draws the next span of the row; there are at most as many as columns. */
	while (true) {
		size_t next = map->n_spans;

		for (size_t i = 0; i < map->n_spans; i++)
			if (places[i].row == row && places[i].first >= column &&
			    (next == map->n_spans || places[i].first < places[next].first))
				next = i;
		if (next == map->n_spans)
			break;
		fprintf(out, "%*s", (int)(places[next].first - column), "");
		for (column = places[next].first; column < places[next].end; column++) {
			bool is_key =
				column == places[next].first && map->spans[next].kind != MAP_FREE;

			if (is_key)
				fputc(places[next].key, out);
			else
				fputs(fill_of(map->spans[next].kind, how->utf8), out);
		}
	}
	fputc('\n', out);
}

static const char *size_text(const struct draw *how, uint64_t size, char buf[NUM_SIZE_LEN])
{
	if (!how->bytes)
		return num_format_size(buf, NUM_SIZE_LEN, size);
	snprintf(buf, NUM_SIZE_LEN, "%" PRIu64, size);
	return buf;
}

static const char *offset_text(const struct draw *how, uint64_t off, char buf[NUM_SIZE_LEN])
{
	if (how->bytes)
		return size_text(how, off, buf);
	return num_format_bytes(buf, NUM_SIZE_LEN, off);
}

/* "0      3.4 MB      6.8 MB": the middle where there is room. */
static void draw_scale(FILE *out, const struct map *map, const struct draw *how)
{
	char middle[NUM_SIZE_LEN], end[NUM_SIZE_LEN], line[DRAW_MAX_COLUMNS + 1];
	size_t middle_len, end_len;

	middle_len = strlen(size_text(how, map->size / 2, middle));
	end_len = strlen(size_text(how, map->size, end));
	memset(line, ' ', how->columns);
	line[how->columns] = '\0';
	line[0] = '0';
	if (middle_len + end_len + 4 < how->columns / 2)
		memcpy(line + how->columns / 2 - middle_len / 2, middle, middle_len);
	memcpy(line + how->columns - end_len, end, end_len);
	fprintf(out, "%s\n", line);
}

size_t draw_line_length(const char *text, size_t columns)
{
	size_t n = 0, width = 0, at_blank = 0;

	for (; text[n]; n++) {
		if (((unsigned char)text[n] & 0xc0) != 0x80 && width++ == columns)
			break;
		if (text[n] == ' ')
			at_blank = n;
	}
	return text[n] == '\0' || at_blank == 0 ? n : at_blank;
}

static void draw_list(FILE *out, const struct map *map, const struct draw_place *places,
		      const struct draw *how)
{
	char off[NUM_SIZE_LEN], size[NUM_SIZE_LEN];
	size_t off_width = 0, size_width = 0;
	unsigned int indent;

	for (size_t i = 0; i < map->n_spans; i++) {
		off_width = num_max(off_width, strlen(offset_text(how, map->spans[i].start, off)));
		size_width = num_max(size_width, strlen(size_text(how, map->spans[i].len, size)));
	}
	indent = (unsigned int)(3 + off_width + 2 + size_width + 2);
	for (size_t i = 0; i < map->n_spans; i++) {
		const char *label = map->spans[i].label;
		unsigned int column = indent;

		fprintf(out, "%c  %*s  %*s", places[i].key, (int)off_width,
			offset_text(how, map->spans[i].start, off), (int)size_width,
			size_text(how, map->spans[i].len, size));
		/* Too narrow for three columns: the label gets lines of its own. */
		if (indent + LABEL_MIN > how->columns)
			column = 3;
		fprintf(out, column == indent ? "  " : "\n   ");
		while (true) {
			size_t n = draw_line_length(label, how->columns - column);

			fprintf(out, "%.*s\n", (int)n, label);
			label += n;
			label += strspn(label, " ");
			if (!*label)
				break;
			fprintf(out, "%*s", (int)column, "");
		}
	}
}

void draw_map(FILE *out, const struct map *map, const struct draw *how)
{
	auto_free struct draw_place *places = calloc(map->n_spans + 1, sizeof(*places));
	unsigned int n_rows;

	if (!places || map->size == 0 || map->n_spans == 0)
		return;
	n_rows = draw_place_spans(map, how->columns, places);
	draw_scale(out, map, how);
	for (unsigned int row = 0; row < n_rows; row++)
		draw_row(out, map, places, row, how);
	draw_list(out, map, places, how);
}
