/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the core speaks: it emits events and asks questions through callbacks.
 * ui-tty and ui-json are the only consumers. All calls come from the thread
 * that called the job.
 */
#ifndef ISOWRITE_JOB_EVENT_H
#define ISOWRITE_JOB_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/device.h"

struct report;

enum event_kind {
	EVENT_PLANNED, /* image and targets are known, nothing was touched; report says what */
	EVENT_PHASE, /* target entered a phase */
	EVENT_PROGRESS,
	EVENT_WARNING, /* code, message; target or SIZE_MAX */
	EVENT_TARGET_DONE, /* this target's verdict stands */
};

enum event_phase {
	PHASE_CHECK, /* reading and hashing the image before anything is written */
	PHASE_READ, /* `read`: the device into a file */
	PHASE_BACKUP, /* --backup: the same before anything is written to it */
	PHASE_PROBE,
	PHASE_WRITE,
	PHASE_FLUSH,
	PHASE_VERIFY,
};

#define EVENT_NO_TARGET SIZE_MAX

struct event {
	enum event_kind kind;
	size_t target; /* index in report->targets, or EVENT_NO_TARGET */
	enum event_phase phase;
	uint64_t done, total; /* bytes; total UINT64_MAX unknown */
	double bytes_per_second; /* now, smoothed */
	double mean_bytes_per_second;
	double eta_seconds; /* negative: unknown */
	double stalled_seconds;
	bool sets_the_pace;
	const char *code; /* warnings: stable name */
	const char *message; /* warnings: escaped sentence */
	const struct report *report; /* always the whole state so far */
};

enum question_kind {
	QUESTION_WRITE, /* "Write it? [y/N]", "Format it? [y/N]" */
	QUESTION_TYPE_SIZE, /* rule contents: the size of `target` must be typed as shown */
};

struct question {
	enum question_kind kind;
	size_t target; /* QUESTION_TYPE_SIZE */
	const char *expected; /* QUESTION_TYPE_SIZE: "32 GB" */
	const struct report *report; /* identity, contents, mounts of every target */
};

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_CANNOT_ASK /* no terminal */ };

struct events {
	void (*emit)(void *ctx, const struct event *event);
	enum answer (*ask)(void *ctx, const struct question *question);
	bool (*is_cancelled)(void *ctx); /* polled: a signal came */
	void *ctx;
};

const char *event_phase_name(enum event_phase phase); /* "check", "write", ... */

#endif
