// SPDX-License-Identifier: GPL-3.0-or-later
/* cli/speed: buckets that widen, the drop that is told of, and the pictures. */
#include "cli/speed.h"

#include <stdlib.h>

#include "tap.h"

#define MB 1e6

/* Seconds at a speed, in steps as the job reports them. */
static void run(struct speed *s, double *now, double seconds, double speed)
{
	for (int i = 0; i < (int)(seconds * 5 + 0.5); i++) {
		*now += 0.2;
		speed_add(s, *now, s->done + (uint64_t)(speed * 0.2));
	}
}

static bool is_about(double got, double want)
{
	return got > want * 0.99 && got < want * 1.01;
}

static void test_buckets(void)
{
	static struct speed s;
	double now = 1000;

	speed_add(&s, now, 5); /* not begun */
	CHECK(s.seconds == 0 && speed_between(&s, 0, 1) == 0);
	speed_begin(&s, now);
	run(&s, &now, 30, 80 * MB);
	run(&s, &now, 30, 20 * MB);
	CHECK(is_about(s.seconds, 60) && is_about(speed_between(&s, 0, 60), 50 * MB));
	CHECK(is_about(speed_between(&s, 1, 29), 80 * MB));
	CHECK(is_about(speed_between(&s, 31, 59.9), 20 * MB));
	CHECK(speed_between(&s, 61, 70) == 0 && speed_between(&s, 5, 5) == 0);
	/* Ten hours in the same room; no byte is lost. */
	run(&s, &now, 36000, 20 * MB);
	CHECK(is_about(speed_between(&s, 0, 1e9) * s.seconds, 30 * 80 * MB + 36030 * 20 * MB));
	CHECK(s.width * SPEED_BUCKETS >= s.seconds && s.width * SPEED_BUCKETS < 2.1 * s.seconds);
	/* A clock that stands still, a count that begins again. */
	speed_add(&s, now, 1u << 30);
	speed_add(&s, now + 1, 5);
	CHECK_U64(s.done, 5);
}

static void test_drop(void)
{
	static struct speed s;
	double now = 7, at, before, after;

	speed_begin(&s, now);
	run(&s, &now, 12, 80 * MB);
	CHECK(!speed_find_drop(&s, &at, &before, &after));
	run(&s, &now, 40, 10 * MB);
	CHECK(speed_find_drop(&s, &at, &before, &after));
	CHECK(at > 11.5 && at < 12.5);
	CHECK(is_about(before, 80 * MB) && is_about(after, 10 * MB));

	/* Too short, too little, or the other way round: nothing to tell. */
	speed_begin(&s, now);
	run(&s, &now, 4, 80 * MB);
	run(&s, &now, 4, 10 * MB);
	CHECK(!speed_find_drop(&s, &at, &before, &after));
	speed_begin(&s, now);
	run(&s, &now, 20, 80 * MB);
	run(&s, &now, 20, 50 * MB);
	CHECK(!speed_find_drop(&s, &at, &before, &after));
	speed_begin(&s, now);
	run(&s, &now, 20, 10 * MB);
	run(&s, &now, 20, 80 * MB);
	CHECK(!speed_find_drop(&s, &at, &before, &after));
	/* A pause and a good end are no drop; nothing at all is none either. */
	speed_begin(&s, now);
	run(&s, &now, 20, 80 * MB);
	run(&s, &now, 1, 0);
	run(&s, &now, 20, 80 * MB);
	CHECK(!speed_find_drop(&s, &at, &before, &after));
	speed_begin(&s, now);
	run(&s, &now, 20, 0);
	CHECK(!speed_find_drop(&s, &at, &before, &after));
}

static char *graph(const struct speed *write, const struct speed *verify, unsigned int columns,
		   bool utf8)
{
	const struct speed *const parts[] = { write, verify };
	const char *const names[] = { "write", "verify" };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	unsigned int lines = speed_draw_graph(out, parts, names, 2, columns, utf8);

	fclose(out);
	for (const char *p = text; *p; p++)
		lines -= *p == '\n';
	CHECK_U64(lines, 0);
	return text;
}

static void test_graph(void)
{
	static struct speed write, verify;
	double now = 0;
	char *text;

	speed_begin(&write, now);
	run(&write, &now, 20, 80 * MB);
	run(&write, &now, 20, 20 * MB);
	speed_begin(&verify, now);
	run(&verify, &now, 20, 160 * MB);
	text = graph(&write, &verify, 70, false);
	CHECK_STR(text, "160 MB/s |                                        ####################\n"
			"         |                                        ####################\n"
			"         |                                        ####################\n"
			"         |                                        ####################\n"
			" 80 MB/s |####################                    ####################\n"
			"         |####################                    ####################\n"
			"         |####################                    ####################\n"
			"         |############################################################\n"
			"       0 +----------------------------------------+-------------------\n"
			"          write 0:40                              verify 0:20\n");
	free(text);
	text = graph(&write, &(struct speed){ 0 }, 40, true);
	CHECK(strstr(text, " 80 MB/s │███████████████               \n"));
	CHECK(strstr(text, "       0 └──────────────────────────────\n          write 0:40\n"));
	free(text);
	text = graph(&(struct speed){ 0 }, &(struct speed){ 0 }, 70, true);
	CHECK_STR(text, "");
	free(text);
}

/* All of it in one sample of microseconds was drawn as a peak of 80 GB/s. */
static void test_a_short_part_has_no_speed(void)
{
	static struct speed write, verify;
	double now = 0;
	char *text;

	speed_begin(&write, now);
	run(&write, &now, 20, 80 * MB);
	speed_begin(&verify, now);
	speed_add(&verify, now + 45e-6, 3627008);
	text = graph(&write, &verify, 70, false);
	CHECK(strstr(text, " 80 MB/s |#####") == text);
	free(text);
}

/* Any width: no line is longer, nothing is written where there is no room. */
static void test_graph_widths(void)
{
	static struct speed write, verify;
	double now = 0;

	speed_begin(&write, now);
	run(&write, &now, 1, 80 * MB);
	speed_begin(&verify, now);
	run(&verify, &now, 500, 7 * MB);
	for (unsigned int columns = 1; columns < 200; columns++) {
		char *text = graph(&write, &verify, columns, false);
		size_t width = 0;

		for (const char *p = text; *p; p++) {
			width = *p == '\n' ? 0 : width + 1;
			CHECK(width <= columns);
		}
		free(text);
	}
}

static void test_line(void)
{
	static struct speed s;
	double now = 0;
	char *text = NULL;
	size_t len;
	FILE *out;

	speed_begin(&s, now);
	run(&s, &now, 10, 70 * MB);
	run(&s, &now, 10, 10 * MB);
	out = open_memstream(&text, &len);
	speed_draw_line(out, &s, 8, speed_max(&s, 8), false);
	fputc(' ', out);
	speed_draw_line(out, &s, 8, speed_max(&s, 8), true);
	fclose(out);
	CHECK_STR(text, "####.... ████▂▂▂▂");
	free(text);
}

int main(void)
{
	RUN(test_buckets);
	RUN(test_drop);
	RUN(test_graph);
	RUN(test_a_short_part_has_no_speed);
	RUN(test_graph_widths);
	RUN(test_line);
	return tap_done();
}
