// SPDX-License-Identifier: GPL-3.0-or-later
/* The jobs as stories; each step's file is named in job-state.h. See job.h. */
#include "job/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "job/job-state.h"
#include "job/receipt.h"

#define PROGRESS_SECONDS 0.2

int job_init(struct job *j, const struct job_request *req, const struct events *events,
	     struct report *r, struct error *err)
{
	*j = (struct job){
		.req = req,
		.mode = req->mode ? req->mode : "auto",
		.boot_entry = req->boot_entry,
		.strict_gpt = req->strict_gpt,
		.events = events,
		.r = r,
		.n_targets = req->n_targets,
		.inhibit_fd = -1,
	};
	r->is_strict = req->strict;
	j->targets = calloc(req->n_targets + 1, sizeof(*j->targets));
	r->targets = calloc(req->n_targets + 1, sizeof(*r->targets));
	if (!j->targets || !r->targets) {
		j->n_targets = 0;
		return error_set_nomem(err);
	}
	r->n_targets = req->n_targets;
	for (size_t i = 0; i < req->n_targets; i++) {
		r->targets[i].plan = -1;
		r->targets[i].result.error_offset = UINT64_MAX;
		snprintf(r->targets[i].path, sizeof(r->targets[i].path), "%s", req->targets[i]);
	}
	return 0;
}

void job_done(struct job *j)
{
	engine_free(j->engine);
	free(j->engine_targets);
	free(j->engine_index);
	for (size_t i = 0; i < j->n_targets; i++)
		target_free(j->targets[i].target);
	free(j->targets);
	free(j->gate.layout);
	sums_lists_done(&j->lists);
	source_free(j->source);
	for (size_t i = 0; i < ARRAY_SIZE(j->added); i++)
		source_free(j->added[i]);
	add_boot_done(&j->add_boot);
	bmap_check_free(j->bmap_check);
	bmap_free(j->bmap);
	if (j->inhibit_fd >= 0)
		close(j->inhibit_fd);
}

bool job_is_cancelled(struct job *j)
{
	return j->events->is_cancelled(j->events->ctx);
}

void job_emit(struct job *j, enum event_kind kind, size_t target)
{
	const struct event ev = { .kind = kind, .target = target, .report = j->r };

	j->events->emit(j->events->ctx, &ev);
}

void job_emit_phase(struct job *j, size_t target, enum event_phase phase)
{
	const struct event ev = {
		.kind = EVENT_PHASE,
		.target = target,
		.phase = phase,
		.report = j->r,
	};

	j->events->emit(j->events->ctx, &ev);
}

void job_warn(struct job *j, size_t target, const char *code, const char *fmt, ...)
{
	char message[sizeof(j->r->findings[0].message)];
	struct event ev = {
		.kind = EVENT_WARNING,
		.target = target,
		.code = code,
		.message = message,
		.report = j->r,
	};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	report_add_finding(j->r, LAYOUT_WARNING, code, "%s", message);
	j->events->emit(j->events->ctx, &ev);
}

bool job_read_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct job *j = ctx;
	double now = clock_seconds();
	struct event ev = {
		.kind = EVENT_PROGRESS,
		.target = EVENT_NO_TARGET,
		.phase = PHASE_CHECK,
		.done = done,
		.total = total,
		.eta_seconds = -1,
		.report = j->r,
	};

	/* The first call, or another reading than last time. */
	if (j->read_start == 0 || done < j->read_done)
		j->read_start = j->last_progress = now;
	j->read_done = done;
	if (now - j->last_progress >= PROGRESS_SECONDS) {
		j->last_progress = now;
		if (now > j->read_start)
			ev.bytes_per_second = (double)done / (now - j->read_start);
		ev.mean_bytes_per_second = ev.bytes_per_second;
		if (total != UINT64_MAX && total >= done && ev.bytes_per_second > 0)
			ev.eta_seconds = (double)(total - done) / ev.bytes_per_second;
		j->events->emit(j->events->ctx, &ev);
	}
	if (!j->was_cancelled && job_is_cancelled(j))
		j->was_cancelled = true;
	return j->was_cancelled;
}

/* Everything before the question: nothing here has side effects on a target. */
static int prepare(struct job *j, struct error *err)
{
	if (j->req->format ? job_open_nothing(j, err) < 0
			   : job_check_swapped(j, err) < 0 || job_open_image(j, err) < 0)
		return -1;
	if (job_look_at_targets(j, err) < 0)
		return -1;
	if (j->has_receipt_path && receipt_check_apart(j, err) < 0) {
		j->has_receipt_path = false;
		return -1;
	}
	if (job_backup_check(j, err) < 0)
		return -1;
	job_apply_rules(j);
	if (job_check_targets(j) < 0)
		return -1;
	if (job_make_plans(j, err) < 0)
		return -1;
	if (j->req->format)
		return 0; /* what follows is about the image */
	if (job_check_digests(j, err) < 0)
		return -1;
	return strcmp(j->r->command, "write") == 0 ? job_check_bmap(j, err) : 0;
}

/* What ended the run as a whole, if anything did. */
static int settle(struct job *j, struct error *err)
{
	if (j->gate.error.kind != ERROR_NONE) {
		*err = j->gate.error;
		return -1;
	}
	if (!j->was_cancelled)
		return 0;
	for (size_t i = 0; i < j->n_targets; i++) {
		const struct report_target *rt = &j->r->targets[i];

		if (rt->status == TARGET_VERIFIED || rt->status == TARGET_WRITTEN)
			continue;
		if (rt->error.kind == ERROR_CANCELLED)
			*err = rt->error;
		else
			error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
		return -1;
	}
	return 0;
}

static int write_story(struct job *j, struct error *err)
{
	int rc;

	if (j->req->receipt &&
	    receipt_check_path(j->req->receipt, j->req->overwrite_receipt, err) < 0)
		return -1;
	j->has_receipt_path = j->req->receipt != NULL;
	if (prepare(j, err) < 0)
		return -1;
	if (job_confirm(j, err) < 0)
		return -1;
	rc = job_open_targets(j, err);
	if (rc == 0)
		rc = job_backup(j, err);
	if (rc == 0)
		rc = job_run(j, err);
	for (size_t i = 0; i < j->n_targets; i++)
		job_close_target(j, i);
	return rc < 0 ? rc : settle(j, err);
}

static int finish(struct report *r)
{
	r->finished = time(NULL);
	r->exit_status = report_exit_status(r);
	return r->exit_status;
}

int job_write(const struct job_request *req, const struct events *events, struct report *r)
{
	struct error err = ERROR_INIT;
	struct job j;

	if (job_init(&j, req, events, r, &r->error) == 0)
		(void)write_story(&j, &r->error);
	finish(r);
	/* Also after a failure, unless it is the receipt's path that is wrong. */
	if (j.has_receipt_path && receipt_write(&j, &err) < 0) {
		err.kind = ERROR_INTERNAL; /* no longer anybody's wrong usage: all was done */
		if (r->exit_status == 0)
			r->error = err;
		else
			job_warn(&j, EVENT_NO_TARGET, err.code, "%s", err.msg);
		finish(r);
	}
	job_done(&j);
	return r->exit_status;
}

int job_plan(const struct job_request *req, const struct events *events, struct report *r)
{
	struct job j;

	r->is_dry_run = true;
	if (job_init(&j, req, events, r, &r->error) == 0 && prepare(&j, &r->error) == 0)
		job_emit(&j, EVENT_PLANNED, EVENT_NO_TARGET);
	job_done(&j);
	return finish(r);
}
