// SPDX-License-Identifier: GPL-3.0-or-later
/* Speed over time: its record and its pictures; see speed.h. */
#include "cli/speed.h"

#include <string.h>

#include "base/num.h"
#include "cli/words.h"

#define FIRST_WIDTH 0.25 /* seconds */
#define LABEL_WIDTH 9    /* "999 MB/s " */
#define MAX_PARTS 4
#define PART_MIN_SECONDS 0.5 /* of one sample or two nothing can be drawn */

/* A drop is told of if both sides lasted, and by how much. */
#define DROP_MIN_SECONDS 10.0 /* of the whole */
#define DROP_MIN_SIDE 2.0
#define DROP_FACTOR 2.0

/* fmin() and fmax() of libm, which nothing else here needs. */
static double less(double a, double b)
{
	return a < b ? a : b;
}

static double more(double a, double b)
{
	return a > b ? a : b;
}

void speed_begin(struct speed *s, double now)
{
	*s = (struct speed){ .is_begun = true, .start = now, .width = FIRST_WIDTH };
}

static void widen(struct speed *s)
{
	for (unsigned int i = 0; i < SPEED_BUCKETS / 2; i++)
		s->bytes[i] = s->bytes[2 * i] + s->bytes[2 * i + 1];
	memset(s->bytes + SPEED_BUCKETS / 2, 0, sizeof(s->bytes) / 2);
	s->width *= 2;
}

void speed_add(struct speed *s, double now, uint64_t done)
{
	double from = s->seconds, to = now - s->start, bytes;

	if (!s->is_begun || !(to > from))
		return;
	bytes = done > s->done ? (double)(done - s->done) : 0;
	s->done = done;
	s->seconds = to;
	/* Ends: a clock of 64 bits doubles the width at most a thousand times. */
	while (to > s->width * SPEED_BUCKETS)
		widen(s);
	for (unsigned int i = (unsigned int)(from / s->width); i < SPEED_BUCKETS; i++) {
		double begin = more(from, i * s->width), end = less(to, (i + 1) * s->width);

		if (i * s->width >= to)
			break;
		if (end > begin)
			s->bytes[i] += bytes * (end - begin) / (to - from);
	}
}

double speed_between(const struct speed *s, double from, double to)
{
	double bytes = 0;

	to = less(to, s->seconds);
	if (!s->is_begun || !(to > from) || from < 0)
		return 0;
	for (unsigned int i = (unsigned int)(from / s->width); i < SPEED_BUCKETS; i++) {
		double begin = i * s->width, end = less(begin + s->width, s->seconds);
		double shared = less(end, to) - more(begin, from);

		if (begin >= to)
			break;
		if (shared > 0)
			bytes += s->bytes[i] * shared / (end - begin);
	}
	return bytes / (to - from);
}

/* The split into two levels that fits the buckets best (least squares). */
static unsigned int find_split(const struct speed *s, unsigned int n, unsigned int min_side)
{
	double total = 0, before = 0, best = -1;
	unsigned int split = 0;

	for (unsigned int i = 0; i < n; i++)
		total += s->bytes[i];
	for (unsigned int i = 0; i < n; i++) {
		double after = total - before, fit;

		if (i >= min_side && i + min_side <= n) {
			fit = before * before / i + after * after / (n - i);
			if (fit > best) {
				best = fit;
				split = i;
			}
		}
		before += s->bytes[i];
	}
	return split;
}

bool speed_find_drop(const struct speed *s, double *ret_at, double *ret_before, double *ret_after)
{
	unsigned int n, min_side, split;
	double before, after;

	if (!s->is_begun || s->seconds < DROP_MIN_SECONDS)
		return false;
	n = (unsigned int)(s->seconds / s->width);
	min_side = (unsigned int)(DROP_MIN_SIDE / s->width) + 1;
	split = find_split(s, n, min_side);
	if (split == 0)
		return false;
	before = speed_between(s, 0, split * s->width);
	after = speed_between(s, split * s->width, s->seconds);
	if (!(before > after * DROP_FACTOR))
		return false;
	*ret_at = split * s->width;
	*ret_before = before;
	*ret_after = after;
	return true;
}

static double column_speed(const struct speed *s, unsigned int column, unsigned int columns)
{
	double step = s->seconds / columns;

	return speed_between(s, column * step, (column + 1) * step);
}

double speed_max(const struct speed *s, unsigned int columns)
{
	double max = 0;

	for (unsigned int i = 0; i < columns; i++)
		max = more(max, column_speed(s, i, columns));
	return max;
}

/* A cell filled to so many eighths. */
static const char *cell(unsigned int eighths, bool utf8)
{
	static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const ascii[] = { " ", ".", ".", ":", ":", ":", "#", "#", "#" };

	return utf8 ? blocks[eighths] : ascii[eighths];
}

void speed_draw_line(FILE *out, const struct speed *s, unsigned int columns, double max, bool utf8)
{
	static const char ascii[] = "_.:-=+*#";

	for (unsigned int i = 0; i < columns; i++) {
		double share = max > 0 ? column_speed(s, i, columns) / max : 0;
		unsigned int level = (unsigned int)(less(more(share, 0), 1) * 7 + 0.5);

		if (utf8)
			fputs(cell(level + 1, true), out);
		else
			fputc(ascii[level], out);
	}
}

/* What a graph shows: the parts that began, and their columns. */
struct graph {
	const struct speed *parts[MAX_PARTS];
	const char *names[MAX_PARTS];
	unsigned int columns[MAX_PARTS];
	size_t n;
	double max;
	bool utf8;
};

static void share_columns(struct graph *g, unsigned int columns)
{
	double seconds = 0;
	unsigned int left = columns;

	for (size_t i = 0; i < g->n; i++)
		seconds += g->parts[i]->seconds;
	for (size_t i = 0; i < g->n; i++) {
		unsigned int others = (unsigned int)(g->n - i - 1);
		double share = g->parts[i]->seconds / seconds * columns;

		g->columns[i] = (unsigned int)more(share + 0.5, 1);
		if (others == 0 || g->columns[i] + others > left)
			g->columns[i] = left - others;
		left -= g->columns[i];
		g->max = more(g->max, speed_max(g->parts[i], g->columns[i]));
	}
}

static void draw_graph_row(FILE *out, const struct graph *g, unsigned int row)
{
	char label[24] = "";

	if (row == SPEED_GRAPH_ROWS - 1)
		words_speed(g->max, label, sizeof(label));
	else if (row == SPEED_GRAPH_ROWS / 2 - 1)
		words_speed(g->max / 2, label, sizeof(label));
	fprintf(out, "%*s %s", LABEL_WIDTH - 1, label, g->utf8 ? "│" : "|");
	for (size_t i = 0; i < g->n; i++) {
		for (unsigned int c = 0; c < g->columns[i]; c++) {
			double share = column_speed(g->parts[i], c, g->columns[i]) / g->max;
			double eighths = share * SPEED_GRAPH_ROWS * 8 - row * 8 + 0.5;

			/* The slowest is seen, and nothing is seen only of nothing. */
			if (row == 0 && share > 0)
				eighths = more(eighths, 1);
			fputs(cell((unsigned int)less(more(eighths, 0), 8), g->utf8), out);
		}
	}
	fputc('\n', out);
}

static void draw_axis(FILE *out, const struct graph *g)
{
	fprintf(out, "%*s %s", LABEL_WIDTH - 1, "0", g->utf8 ? "└" : "+");
	for (size_t i = 0; i < g->n; i++)
		for (unsigned int c = 0; c < g->columns[i]; c++)
			fputs(i > 0 && c == 0 ? (g->utf8 ? "┴" : "+") : (g->utf8 ? "─" : "-"), out);
	fprintf(out, "\n%*s", LABEL_WIDTH + 1, "");
	for (size_t i = 0; i < g->n; i++) {
		char time[24], text[64];
		int len = snprintf(text, sizeof(text), "%s %s", g->names[i],
				   words_duration(g->parts[i]->seconds, time, sizeof(time)));

		/* What is too short for its words goes without. */
		if (len > (int)g->columns[i])
			text[0] = '\0';
		if (i + 1 < g->n)
			fprintf(out, "%-*s", (int)g->columns[i], text);
		else
			fprintf(out, "%s", text);
	}
	fputc('\n', out);
}

unsigned int speed_draw_graph(FILE *out, const struct speed *const parts[],
			      const char *const names[], size_t n_parts, unsigned int columns,
			      bool utf8)
{
	struct graph g = { .utf8 = utf8 };

	for (size_t i = 0; i < n_parts && g.n < MAX_PARTS; i++) {
		if (!(parts[i]->seconds >= PART_MIN_SECONDS))
			continue;
		g.names[g.n] = names[i];
		g.parts[g.n++] = parts[i];
	}
	if (g.n == 0 || columns < LABEL_WIDTH + 1 + 2 * g.n)
		return 0;
	share_columns(&g, columns - LABEL_WIDTH - 1);
	if (!(g.max > 0))
		return 0;
	for (unsigned int row = SPEED_GRAPH_ROWS; row > 0; row--)
		draw_graph_row(out, &g, row - 1);
	draw_axis(out, &g);
	return SPEED_GRAPH_LINES;
}
