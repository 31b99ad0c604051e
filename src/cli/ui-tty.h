/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a person sees while a job runs: progress (a line per target redrawn in
 * place, or plain lines), warnings, the identity block and the question.
 *
 *	tty_init(&tty, ui);
 *	job_write(&req, &tty.events, report);
 *	tty_done(&tty);
 *
 * With --json=lines it prints the events as JSON instead of the progress.
 */
#ifndef ISOWRITE_CLI_UI_TTY_H
#define ISOWRITE_CLI_UI_TTY_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cmd.h"
#include "cli/speed.h"
#include "job/event.h"

/* Where one target (or, before the targets, the image) is. */
struct tty_progress {
	char name[64]; /* ASCII */
	bool is_active; /* an event was seen */
	bool is_finished;
	const char *word; /* the verdict, when finished */
	bool is_complete; /* verified, or written without verification: 100 % is true */
	struct event last; /* report and message are not kept */
	unsigned int told_percent; /* plain lines: last one */
	double told_at;
	struct speed write, verify;
};

struct tty {
	struct ui *ui;
	struct events events; /* for the job */
	enum progress_mode how; /* BAR, LINES or NONE */
	struct tty_progress image; /* EVENT_NO_TARGET */
	struct tty_progress *targets;
	size_t n_targets;
	size_t n_drawn; /* lines on the screen; the cursor is on the last one */
	double drawn_at;
	bool identity_shown;
	bool is_over; /* nothing moves any more */
};

void tty_init(struct tty *tty, struct ui *ui);

/* The reading of the image is shown under its own name, where there are several. */
void tty_name_image(struct tty *tty, const char *path);

/*
 * Leaves the last state on the screen, draws how the speed was (-v), or says
 * that writing slowed down, and frees.
 */
void tty_done(struct tty *tty);

/* 0 to 99 while it runs, whatever was counted; 100 only with the verdict. */
unsigned int tty_percent(const struct tty_progress *p);

/* One line of at most width columns for the redrawn display: never more, also at 20. */
void tty_format_bar(const struct tty_progress *p, unsigned int width, char *buf, size_t size);

/* The same facts as a plain line, without a bar. */
void tty_format_line(const struct tty_progress *p, char *buf, size_t size);

/* Is what was typed the expected size? Blanks and case do not count: "32gb" is "32 GB". */
bool tty_is_size_typed(const char *typed, const char *expected);

#endif
