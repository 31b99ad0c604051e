// SPDX-License-Identifier: GPL-3.0-or-later
/* Progress, warnings and the question on a terminal; see ui-tty.h. */
#include "cli/ui-tty.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/signals.h"
#include "cli/ui.h"
#include "cli/ui-json.h"
#include "cli/words.h"
#include "job/report.h"

#define TTY_REDRAW 0.1      /* seconds between two drawings */
#define TTY_REDRAW_LATE 0.5 /* the same, when not all targets have reported yet */
#define TTY_LINE 5.0        /* seconds between two plain lines of a target */
#define TTY_LINE_PERCENT 10
#define TTY_MAX_ANSWER 64
#define TTY_GRAPH_SECONDS 2.0 /* what is over sooner needs no graph */
#define TTY_GRAPH_COLUMNS 40  /* narrower terminals get none while it runs */
#define TTY_GRAPH_MAX_COLUMNS 100U
#define TTY_SPARK_MIN 8U
#define TTY_SPARK_MAX 30U

static void get_screen(unsigned int *ret_columns, unsigned int *ret_rows)
{
	struct winsize ws;

	*ret_columns = ui_columns(STDERR_FILENO);
	*ret_rows = 24;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0)
		*ret_rows = ws.ws_row;
}

static void print_identity(struct tty *tty, FILE *out, unsigned int columns, const struct report *r)
{
	struct words how = words_for(columns, tty->ui->opts->bytes, false);

	words_print_identity(out, &how, r);
}

/* Takes the drawn lines off the screen; the cursor is where the first one began. */
static void clear_drawn(struct tty *tty)
{
	if (tty->n_drawn == 0)
		return;
	if (tty->n_drawn > 1)
		fprintf(tty->ui->err, "\033[%zuA", tty->n_drawn - 1);
	fprintf(tty->ui->err, "\r\033[J");
	tty->n_drawn = 0;
}

static bool is_ascii(const struct tty *tty)
{
	const char *term = getenv("TERM");

	return !tty->ui->is_utf8 || !term || strcmp(term, "dumb") == 0;
}

static unsigned int draw_graph(const struct tty *tty, const struct tty_progress *p,
			       unsigned int columns)
{
	const struct speed *const parts[] = { &p->write, &p->verify };
	const char *const names[] = { _("write"), _("verify") };

	return speed_draw_graph(tty->ui->err, parts, names, ARRAY_SIZE(parts), columns,
				!is_ascii(tty));
}

static bool has_graph(const struct tty_progress *p)
{
	return p->write.seconds + p->verify.seconds >= TTY_GRAPH_SECONDS;
}

/* The speed so far, above the line of the only target. Returns the lines it took. */
static size_t draw_live_graph(const struct tty *tty, unsigned int columns, unsigned int rows)
{
	if (tty->is_over || tty->ui->opts->verbose == 0 || tty->n_targets != 1 ||
	    rows < SPEED_GRAPH_LINES + 4 || columns < TTY_GRAPH_COLUMNS || !has_graph(tty->targets))
		return 0;
	return draw_graph(tty, tty->targets,
			  (unsigned int)num_min(columns - 1, TTY_GRAPH_MAX_COLUMNS));
}

/* The same of one of several: a line below its own, where the screen has room for all. */
static size_t draw_live_line(const struct tty *tty, const struct tty_progress *p,
			     unsigned int columns, unsigned int rows)
{
	const struct speed *s = p->verify.is_begun ? &p->verify : &p->write;
	unsigned int indent = (unsigned int)strlen(p->name) + 1, room;

	if (tty->is_over || tty->ui->opts->verbose == 0 || tty->n_targets < 2 ||
	    rows < 2 * tty->n_targets + 2 || columns < TTY_GRAPH_COLUMNS || !has_graph(p))
		return 0;
	room = (unsigned int)num_min(columns - 1 - indent, TTY_GRAPH_MAX_COLUMNS);
	fprintf(tty->ui->err, "\n%*s", (int)indent, "");
	speed_draw_line(tty->ui->err, s, room, speed_max(s, room), !is_ascii(tty));
	return 1;
}

/* Draws what is active, as far as the screen has rows: finished targets give way first. */
static void draw(struct tty *tty)
{
	unsigned int columns, rows;
	size_t n_active = 0, n_hidden, n_shown = 0, n_graph;
	char line[512];

	get_screen(&columns, &rows);
	clear_drawn(tty);
	tty->drawn_at = clock_seconds();
	for (size_t i = 0; i < tty->n_targets; i++)
		n_active += tty->targets[i].is_active;
	if (n_active == 0) {
		if (!tty->image.is_active)
			return;
		tty_format_bar(&tty->image, columns - 1, line, sizeof(line));
		fprintf(tty->ui->err, "%s", line);
		n_shown = 1;
	}
	n_graph = n_active > 0 ? draw_live_graph(tty, columns, rows) : 0;
	n_hidden = n_active >= rows ? n_active - rows + 1 : 0;
	for (size_t i = 0; i < tty->n_targets; i++) {
		const struct tty_progress *p = &tty->targets[i];

		if (!p->is_active || n_shown + 1 >= rows)
			continue;
		if (n_hidden > 0 && p->is_finished) {
			n_hidden--;
			continue;
		}
		tty_format_bar(p, columns - 1, line, sizeof(line));
		fprintf(tty->ui->err, "%s%s", n_shown++ ? "\n" : "", line);
		n_graph += draw_live_line(tty, p, columns, rows);
	}
	tty->n_drawn = n_shown + n_graph;
	fflush(tty->ui->err);
}

static void print_line(struct tty *tty, struct tty_progress *p)
{
	char line[512];

	tty_format_line(p, line, sizeof(line));
	clear_drawn(tty);
	fprintf(tty->ui->err, "%s\n", line);
	p->told_at = clock_seconds();
}

/* SIGUSR1: where everything is, whatever --progress says. */
static void print_all_lines(struct tty *tty)
{
	bool any = false;

	for (size_t i = 0; i < tty->n_targets; i++) {
		if (tty->targets[i].is_active) {
			print_line(tty, &tty->targets[i]);
			any = true;
		}
	}
	if (!any && tty->image.is_active)
		print_line(tty, &tty->image);
	fflush(tty->ui->err);
}

/* Leaves the last state on the screen, the cursor below it. */
static void leave_drawn(struct tty *tty)
{
	bool any = false;

	if (tty->n_drawn == 0)
		return;
	for (size_t i = 0; i < tty->n_targets; i++)
		any = any || tty->targets[i].is_active;
	if (!any) {
		clear_drawn(tty); /* how far the reading of the image came is no result */
		return;
	}
	draw(tty);
	fprintf(tty->ui->err, "\n");
	fflush(tty->ui->err);
	tty->n_drawn = 0;
}

static void poll_signals(struct tty *tty)
{
	if (signals_take_usr1())
		print_all_lines(tty);
	if (signals_take_tstp()) {
		leave_drawn(tty);
		signals_pause();
		if (tty->how == PROGRESS_BAR)
			draw(tty);
	}
}

static bool on_cancelled(void *ctx)
{
	poll_signals(ctx);
	return signals_stop_asked() != 0;
}

/* ASCII, and short: escape sequences, wide characters and long paths would break the lines. */
static void set_name(struct tty_progress *p, const char *path)
{
	size_t len = strlen(path), max = 24;
	char *out = p->name;

	if (len > max) {
		out += snprintf(p->name, sizeof(p->name), "...");
		path += len - (max - 3);
	}
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if ((c & 0xc0) == 0x80)
			continue;
		*out++ = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	*out = '\0';
}

static int know_targets(struct tty *tty, const struct report *r)
{
	if (!r || tty->n_targets == r->n_targets)
		return 0;
	free(tty->targets);
	tty->n_targets = 0;
	tty->targets = calloc(r->n_targets, sizeof(*tty->targets));
	if (!tty->targets)
		return -1;
	tty->n_targets = r->n_targets;
	for (size_t i = 0; i < r->n_targets; i++)
		set_name(&tty->targets[i], r->targets[i].path);
	return 0;
}

static struct tty_progress *progress_of(struct tty *tty, const struct event *event)
{
	if (event->target == EVENT_NO_TARGET)
		return &tty->image;
	return event->target < tty->n_targets ? &tty->targets[event->target] : NULL;
}

static void show_warning(struct tty *tty, const struct event *event)
{
	clear_drawn(tty);
	ui_warn(tty->ui, _("warning: %s"), event->message);
	if (tty->how == PROGRESS_BAR)
		draw(tty);
}

static void show_identity(struct tty *tty, const struct report *r)
{
	bool is_read = strcmp(r->command, "read") == 0;
	bool is_check = strcmp(r->command, "check") == 0;

	if (tty->identity_shown || is_check || r->is_dry_run)
		return;
	tty->identity_shown = true;
	clear_drawn(tty);
	tty->image.is_active = false;
	if (!tty->ui->opts->quiet || (!is_read && !tty->ui->opts->yes))
		print_identity(tty, tty->ui->err, ui_columns(STDERR_FILENO), r);
	fflush(tty->ui->err);
}

static void tell_in_lines(struct tty *tty, struct tty_progress *p, bool is_phase)
{
	unsigned int percent = tty_percent(p);

	if (is_phase)
		p->told_percent = 0;
	if (p->is_finished && tty->n_targets < 2)
		return; /* the closing words follow */
	if (!is_phase && !p->is_finished && percent < p->told_percent + TTY_LINE_PERCENT &&
	    clock_seconds() - p->told_at < TTY_LINE)
		return;
	p->told_percent = percent - percent % TTY_LINE_PERCENT;
	print_line(tty, p);
}

/* All targets report one after the other: drawn is when the last one has. */
static bool is_time_to_draw(const struct tty *tty, const struct event *event)
{
	double since = clock_seconds() - tty->drawn_at;

	for (size_t i = event->target + 1; i < tty->n_targets; i++) {
		if (tty->targets[i].is_active && !tty->targets[i].is_finished)
			return since >= TTY_REDRAW_LATE;
	}
	return since >= TTY_REDRAW;
}

static void note_speed(struct tty_progress *p, const struct event *event)
{
	struct speed *s = event->phase == PHASE_WRITE    ? &p->write
			  : event->phase == PHASE_VERIFY ? &p->verify
							 : NULL;

	if (!s)
		return;
	if (event->kind == EVENT_PHASE && !s->is_begun)
		speed_begin(s, clock_seconds());
	else if (event->kind == EVENT_PROGRESS)
		speed_add(s, clock_seconds(), event->done);
}

static void take_progress(struct tty *tty, const struct event *event)
{
	struct tty_progress *p = progress_of(tty, event);
	bool is_phase = event->kind == EVENT_PHASE, is_done = event->kind == EVENT_TARGET_DONE;

	if (!p)
		return;
	p->is_active = true;
	note_speed(p, event);
	if (is_done) {
		const struct report_target *t = &event->report->targets[event->target];

		p->is_finished = true;
		p->is_complete = t->error.kind == ERROR_NONE &&
				 (t->status == TARGET_VERIFIED || t->status == TARGET_WRITTEN ||
				  t->status == TARGET_READ);
		p->word = target_status_name(t->status);
	} else {
		p->last = *event;
		p->last.message = NULL;
		p->last.report = NULL;
		if (is_phase) {
			p->last.done = 0;
			p->last.total = UINT64_MAX;
			p->last.bytes_per_second = p->last.mean_bytes_per_second = -1;
			p->last.eta_seconds = -1;
			p->last.stalled_seconds = 0;
		}
	}
	if (tty->how == PROGRESS_LINES)
		tell_in_lines(tty, p, is_phase);
	else if (tty->how == PROGRESS_BAR && (is_phase || is_done || is_time_to_draw(tty, event)))
		draw(tty);
}

static void on_event(void *ctx, const struct event *event)
{
	struct tty *tty = ctx;

	poll_signals(tty);
	if (know_targets(tty, event->report) < 0)
		return; /* out of memory: the job goes on, unseen */
	if (tty->ui->opts->json == JSON_LINES)
		json_print_event(event);
	switch (event->kind) {
	case EVENT_PLANNED:
		show_identity(tty, event->report);
		break;
	case EVENT_WARNING:
		show_warning(tty, event);
		break;
	case EVENT_PHASE:
	case EVENT_PROGRESS:
	case EVENT_TARGET_DONE:
		take_progress(tty, event);
		break;
	}
}

bool tty_is_size_typed(const char *typed, const char *expected)
{
	while (true) {
		while (isspace((unsigned char)*typed))
			typed++;
		while (isspace((unsigned char)*expected))
			expected++;
		if (tolower((unsigned char)*typed) != tolower((unsigned char)*expected))
			return false;
		if (*typed == '\0')
			return true;
		typed++;
		expected++;
	}
}

/*
 * One line from the terminal, without its newline; longer ones are cut (and
 * are no valid answer). -1: a signal asked to stop, or the terminal is gone.
 */
static int read_answer(int fd, FILE *out, const char *prompt, char *buf, size_t size)
{
	size_t len = 0;

	while (true) {
		int r = signals_wait_readable(fd);
		char c;

		if (r < 0 || signals_stop_asked())
			return -1;
		if (r == 0) {
			(void)signals_take_usr1(); /* nothing moves yet */
			if (signals_take_tstp()) {
				fprintf(out, "\n");
				fflush(out);
				signals_pause();
				fprintf(out, "%s", prompt);
				fflush(out);
			}
			continue;
		}
		if (read(fd, &c, 1) != 1)
			return -1;
		if (c == '\n')
			break;
		if (len < size - 1)
			buf[len++] = c;
	}
	buf[len] = '\0';
	return 0;
}

static void make_prompt(const struct question *q, char *buf, size_t size)
{
	const struct report_target *t;
	char path[512];

	if (q->kind == QUESTION_WRITE) {
		snprintf(buf, size, "%s",
			 report_has_image(q->report) ? _("Write it? [y/N] ")
						     : _("Format it? [y/N] "));
		return;
	}
	t = &q->report->targets[q->target];
	text_escape(t->path, SIZE_MAX, path, sizeof(path));
	for (size_t i = 0; i < t->info.n_refused; i++) {
		if (t->info.refused[i].rule != RULE_CONTENTS)
			continue;
		snprintf(buf, size, _("%s: %s\nTo erase it, type its size as shown (%s): "), path,
			 t->info.refused[i].why, q->expected);
		return;
	}
	snprintf(buf, size, _("To erase %s, type its size as shown (%s): "), path, q->expected);
}

/* A stream of its own, so that closing it leaves fd open. */
static FILE *terminal_stream(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *out = copy >= 0 ? fdopen(copy, "w") : NULL;

	if (!out && copy >= 0)
		close(copy);
	return out;
}

static enum answer ask_on(struct tty *tty, const struct question *q, int fd, FILE *out)
{
	char prompt[1024], answer[TTY_MAX_ANSWER];

	/* Somebody looks at the terminal: what is asked about belongs there too. */
	if (!isatty(STDERR_FILENO))
		print_identity(tty, out, ui_columns(fd), q->report);
	make_prompt(q, prompt, sizeof(prompt));
	tcflush(fd, TCIFLUSH); /* what was typed before the question is no answer to it */
	fprintf(out, "%s", prompt);
	fflush(out);
	if (read_answer(fd, out, prompt, answer, sizeof(answer)) < 0) {
		fprintf(out, "\n");
		fflush(out);
		return ANSWER_NO;
	}
	if (q->kind == QUESTION_TYPE_SIZE)
		return tty_is_size_typed(answer, q->expected) ? ANSWER_YES : ANSWER_NO;
	if (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)
		return ANSWER_YES;
	return ANSWER_NO;
}

static enum answer on_question(void *ctx, const struct question *q)
{
	struct tty *tty = ctx;
	auto_fd int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	FILE *plain, *out;
	enum answer answer;

	show_identity(tty, q->report);
	if (fd < 0)
		return ANSWER_CANNOT_ASK;
	plain = out = terminal_stream(fd);
	if (out && tty->ui->err != stderr)
		out = ui_ascii_stream(plain);
	answer = out ? ask_on(tty, q, fd, out) : ANSWER_CANNOT_ASK;
	if (out && out != plain)
		fclose(out);
	if (plain)
		fclose(plain);
	return answer;
}

/* Redrawing wants a terminal that understands it; whoever reads JSON wants no bar in a log. */
static enum progress_mode choose_progress(const struct options *o)
{
	const char *term = getenv("TERM");
	bool is_tty = isatty(STDERR_FILENO);
	bool can_redraw = is_tty && term && term[0] && strcmp(term, "dumb") != 0;

	if (o->quiet && o->progress == PROGRESS_AUTO)
		return PROGRESS_NONE;
	if (o->progress == PROGRESS_BAR)
		return can_redraw ? PROGRESS_BAR : PROGRESS_LINES;
	if (o->progress != PROGRESS_AUTO)
		return o->progress;
	if (o->json == JSON_LINES || (o->json != JSON_NONE && !is_tty))
		return PROGRESS_NONE;
	if (o->command == COMMAND_VERIFY && !is_tty)
		return PROGRESS_NONE; /* a filter among others, as sha256sum is */
	return can_redraw ? PROGRESS_BAR : PROGRESS_LINES;
}

void tty_init(struct tty *tty, struct ui *ui)
{
	*tty = (struct tty){
		.ui = ui,
		.how = choose_progress(ui->opts),
		.events = { .emit = on_event,
			    .ask = on_question,
			    .is_cancelled = on_cancelled,
			    .ctx = tty },
	};
	snprintf(tty->image.name, sizeof(tty->image.name), "%s", _("image"));
}

/*
 * One line, and only where it tells something: the cache of many sticks is soon
 * full. It does not say who slowed down, since it may be the source.
 */
static void tell_drop(const struct tty *tty, const struct tty_progress *p, unsigned int columns)
{
	double at, before, after;
	char when[24], fast[24], slow[24];
	int len;

	if (!speed_find_drop(&p->write, &at, &before, &after))
		return;
	len = fprintf(tty->ui->err, _("%s: writing slowed down after %s: %s, then %s"), p->name,
		      words_duration(at, when, sizeof(when)),
		      words_speed(before, fast, sizeof(fast)),
		      words_speed(after, slow, sizeof(slow)));
	if (len > 0 && (unsigned int)len + 2 + TTY_SPARK_MIN < columns) {
		unsigned int room =
			(unsigned int)num_min(columns - (unsigned int)len - 3, TTY_SPARK_MAX);

		fprintf(tty->ui->err, "  ");
		speed_draw_line(tty->ui->err, &p->write, room, speed_max(&p->write, room),
				!is_ascii(tty));
	}
	fprintf(tty->ui->err, "\n");
}

static void show_speeds(const struct tty *tty)
{
	unsigned int columns = ui_columns(STDERR_FILENO);

	if (tty->how == PROGRESS_NONE)
		return;
	columns = (unsigned int)num_min(columns ? columns - 1 : 79, TTY_GRAPH_MAX_COLUMNS);
	for (size_t i = 0; i < tty->n_targets; i++) {
		const struct tty_progress *p = &tty->targets[i];

		if (tty->ui->opts->verbose == 0) {
			tell_drop(tty, p, columns);
			continue;
		}
		if (!has_graph(p))
			continue;
		if (tty->n_targets > 1)
			fprintf(tty->ui->err, "%s\n", p->name);
		draw_graph(tty, p, columns);
	}
	fflush(tty->ui->err);
}

void tty_name_image(struct tty *tty, const char *path)
{
	if (strcmp(path, "-") != 0)
		set_name(&tty->image, path);
}

void tty_done(struct tty *tty)
{
	tty->is_over = true;
	leave_drawn(tty);
	show_speeds(tty);
	free(tty->targets);
	tty->targets = NULL;
	tty->n_targets = 0;
}
