// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A job's doing: opens every target before the first byte goes to any, runs
 * the engine, says how it goes, and brings home what came of it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "io/inhibit.h"
#include "job/job-state.h"

#define WAIT_MS 200
#define MEASURE_AFTER 0.01      /* seconds: of a shorter time there is no speed */
#define SPEED_SECONDS 2.0       /* over which "speed now" is smoothed */
#define SLOW_SPEED_SECONDS 15.0 /* and the speed that tells the time left */
#define ETA_AFTER_SECONDS 2.0
#define STALL_SECONDS 10.0 /* without a completed byte: worth a warning */
#define USB2_MBIT 480

static void free_engine(struct job *j)
{
	engine_free(j->engine);
	j->engine = NULL;
	free(j->engine_targets);
	j->engine_targets = NULL;
	free(j->engine_index);
	j->engine_index = NULL;
	j->n_engine_targets = 0;
}

/* Takes the live targets. The digest gate may have made it already, for the same ones. */
int job_new_engine(struct job *j, struct error *err)
{
	const struct engine_config config = {
		.verify = !j->req->no_verify,
		.gate = j->req->format ? NULL : job_gate,
		.gate_ctx = j,
	};
	struct source *const *sources = &j->source;
	size_t n = 0;

	for (size_t i = 0; i < j->n_targets; i++)
		n += job_is_live(j, i);
	if (j->engine && j->n_engine_targets == n)
		return 0;
	free_engine(j);
	j->engine_targets = calloc(n, sizeof(*j->engine_targets));
	j->engine_index = calloc(n, sizeof(*j->engine_index));
	if (!j->engine_targets || !j->engine_index)
		return error_set_nomem(err);
	for (size_t i = 0; i < j->n_targets; i++) {
		struct engine_target *et = &j->engine_targets[j->n_engine_targets];

		if (!job_is_live(j, i))
			continue;
		et->target = j->targets[i].target;
		et->plan = j->r->plans[j->r->targets[i].plan].plan;
		j->engine_index[j->n_engine_targets++] = i;
	}
	return engine_new(&config, sources, j->engine_targets, n, &j->engine, err);
}

/* A file that this job made, and nothing was written to. */
static void remove_new_file(const struct job *j, size_t i)
{
	const struct target *t = j->targets[i].target;
	struct stat named, made;

	if (j->r->targets[i].info.file_exists || !t || t->fd_buffered < 0 || !t->info.is_file)
		return;
	if (stat(t->path, &named) == 0 && fstat(t->fd_buffered, &made) == 0 &&
	    named.st_dev == made.st_dev && named.st_ino == made.st_ino)
		unlink(t->path);
}

/* What stood in the way since it was looked at may be a safety rule. */
static void note_rule(struct report_target *rt)
{
	if (rt->error.kind != ERROR_REFUSED || device_rule_by_name(rt->error.code, &rt->rule) < 0)
		return;
	rt->has_rule = true;
	rt->status = TARGET_REFUSED;
}

static void open_one(struct job *j, size_t i)
{
	struct report_target *rt = &j->r->targets[i];
	struct target *t = j->targets[i].target;
	bool is_mounted = false;

	for (size_t k = 0; k < rt->info.n_refused; k++)
		is_mounted |= rt->info.refused[k].rule == RULE_MOUNTED;
	if (!is_mounted || target_unmount(t, &rt->error) == 0) {
		rt->was_unmounted = is_mounted;
		(void)target_open(t, &rt->error);
	}
	note_rule(rt);
}

int job_open_targets(struct job *j, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < j->n_targets && rc == 0; i++) {
		if (job_is_live(j, i))
			open_one(j, i);
		/* Whoever waited for a busy one may have given up: still nothing is touched. */
		if (job_is_cancelled(j))
			rc = error_set(err, ERROR_CANCELLED, "cancelled",
				       _("Cancelled; nothing was written."));
	}
	if (rc == 0)
		rc = job_check_targets(j);
	for (size_t i = 0; rc < 0 && i < j->n_targets; i++)
		remove_new_file(j, i);
	return rc;
}

static enum event_phase event_phase_of(const struct job_target *jt, enum engine_phase phase)
{
	switch (phase) {
	case ENGINE_WAITING:
	case ENGINE_WRITE:
		return PHASE_WRITE;
	case ENGINE_FLUSH:
		return PHASE_FLUSH;
	case ENGINE_VERIFY:
		return PHASE_VERIFY;
	case ENGINE_COMMIT:
	case ENGINE_FINISHED:
		break;
	}
	/* The commit of the first and last MiB: without a read-back it is a flush. */
	return jt->told == PHASE_VERIFY ? PHASE_VERIFY : PHASE_FLUSH;
}

/* Exponential smoothing; a first value is taken as it is. */
static double smooth(double old, double rate, double dt, double seconds)
{
	return old == 0 ? rate : old + (rate - old) * dt / (dt + seconds);
}

static void measure(struct job_target *jt, const struct engine_status *st, double now)
{
	double dt = now - jt->last_time;
	double rate;

	if (dt < MEASURE_AFTER || st->done < jt->last_done)
		return;
	rate = (double)(st->done - jt->last_done) / dt;
	jt->speed = smooth(jt->speed, rate, dt, SPEED_SECONDS);
	jt->slow_speed = smooth(jt->slow_speed, rate, dt, SLOW_SPEED_SECONDS);
	jt->last_time = now;
	jt->last_done = st->done;
}

/* Each phase up to this one, also those that were too short to be seen. */
static void announce(struct job *j, size_t i, enum event_phase last)
{
	struct job_target *jt = &j->targets[i];

	while (jt->told < last)
		job_emit_phase(j, i, ++jt->told);
}

void job_begin_phase(struct job_target *jt, double now)
{
	jt->phase_start = jt->last_time = now;
	jt->last_done = 0;
	jt->speed = jt->slow_speed = 0;
}

static void begin_phase(struct job *j, size_t i, enum engine_phase phase, double now)
{
	struct job_target *jt = &j->targets[i];

	if (jt->phase == phase)
		return;
	announce(j, i, event_phase_of(jt, phase));
	jt->phase = phase;
	job_begin_phase(jt, now);
}

static void warn_if_stalled(struct job *j, size_t i, const struct engine_status *st)
{
	struct job_target *jt = &j->targets[i];
	char name[256];

	if (st->stalled < STALL_SECONDS) {
		jt->is_stall_told = false;
		return;
	}
	if (jt->is_stall_told)
		return;
	jt->is_stall_told = true;
	job_warn(j, i, "stalled", _("%s has not completed anything for %.0f seconds."),
		 text_escape(j->r->targets[i].path, SIZE_MAX, name, sizeof(name)), st->stalled);
}

void job_show_progress(struct job *j, size_t i, const struct engine_status *st,
		       enum event_phase phase)
{
	struct job_target *jt = &j->targets[i];
	struct event ev = {
		.kind = EVENT_PROGRESS,
		.target = i,
		.phase = phase,
		.done = st->done,
		.total = st->total,
		.eta_seconds = -1,
		.stalled_seconds = st->stalled,
		.sets_the_pace = st->sets_the_pace,
		.report = j->r,
	};
	double now = clock_seconds();

	measure(jt, st, now);
	warn_if_stalled(j, i, st);
	ev.bytes_per_second = jt->speed;
	if (now - jt->phase_start >= MEASURE_AFTER)
		ev.mean_bytes_per_second = (double)st->done / (now - jt->phase_start);
	if (st->total != UINT64_MAX && st->total >= st->done && jt->slow_speed > 0 &&
	    now - jt->phase_start >= ETA_AFTER_SECONDS)
		ev.eta_seconds = (double)(st->total - st->done) / jt->slow_speed;
	j->events->emit(j->events->ctx, &ev);
}

static void show_progress(struct job *j, size_t k)
{
	size_t i = j->engine_index[k];
	struct engine_status st;

	engine_get_status(j->engine, k, &st);
	if (st.phase == ENGINE_WAITING || st.phase == ENGINE_FINISHED)
		return;
	begin_phase(j, i, st.phase, clock_seconds());
	job_show_progress(j, i, &st, event_phase_of(&j->targets[i], st.phase));
}

static enum target_status status_of(enum engine_verdict verdict)
{
	switch (verdict) {
	case ENGINE_UNTOUCHED:
		return TARGET_UNTOUCHED;
	case ENGINE_VERIFIED:
		return TARGET_VERIFIED;
	case ENGINE_WRITTEN:
		return TARGET_WRITTEN;
	case ENGINE_FAILED:
		return TARGET_FAILED;
	case ENGINE_CANCELLED:
		return TARGET_CANCELLED;
	}
	return TARGET_FAILED;
}

/* How far it came, which the last look at the engine may not have seen. */
static enum event_phase last_phase(const struct job_target *jt, const struct engine_result *res)
{
	if (res->verdict == ENGINE_VERIFIED || res->method != METHOD_NONE)
		return PHASE_VERIFY;
	return event_phase_of(jt, res->failed_in);
}

/* One target's outcome; a close that fails spoils it, whatever was read back. */
static void take_result(struct job *j, size_t k)
{
	size_t i = j->engine_index[k];
	struct report_target *rt = &j->r->targets[i];
	char name[256];

	rt->result = j->engine_targets[k].result;
	announce(j, i, last_phase(&j->targets[i], &rt->result));
	rt->status = status_of(rt->result.verdict);
	rt->error = rt->result.error;
	if (rt->status == TARGET_WRITTEN && !j->req->no_verify)
		error_set(&rt->error, ERROR_LACKING, "no-direct-read",
			  _("%s was written, but not verified: it cannot be read past the system's "
			    "cache."),
			  text_escape(rt->path, SIZE_MAX, name, sizeof(name)));
	if (rt->result.mismatch.found &&
	    (rt->error.kind == ERROR_NONE || rt->error.kind == ERROR_DIFFERS))
		job_explain_mismatch(j, i);
	if (rt->result.write_retries > 0 && !rt->info.is_file)
		job_warn(j, i, "write-retries",
			 _("%s needed %u writes to be repeated: it or its port is getting bad."),
			 text_escape(rt->path, SIZE_MAX, name, sizeof(name)),
			 rt->result.write_retries);
}

void job_close_target(struct job *j, size_t i)
{
	struct report_target *rt = &j->r->targets[i];
	struct target *t = j->targets[i].target;
	struct error err = ERROR_INIT;
	bool is_done = rt->status == TARGET_VERIFIED || rt->status == TARGET_WRITTEN;

	/* A failed open may have left the lock alone. */
	if (!t || (t->fd < 0 && t->fd_buffered < 0 && t->lock_fd < 0))
		return;
	/* Of one that was not written, or a new file that is gone again, it says nothing. */
	if (target_close(t, &err) < 0 && is_done && rt->error.kind == ERROR_NONE) {
		rt->error = err;
		rt->status = TARGET_FAILED;
	}
	if (t->warning.kind != ERROR_NONE)
		job_warn(j, i, t->warning.code, "%s", t->warning.msg);
	rt->can_unplug = is_done && rt->error.kind == ERROR_NONE;
	job_emit(j, EVENT_TARGET_DONE, i);
}

static void publish_gate(struct job *j)
{
	struct report *r = j->r;
	struct job_gate *g = &j->gate;

	if (!g->was_asked)
		return;
	r->layout = *g->layout;
	r->content_size = g->facts.content_size;
	if (g->facts.content_sha256.len) {
		r->content_sha256 = g->facts.content_sha256;
		if (strcmp(r->compression, "none") == 0)
			r->image_sha256 = g->facts.content_sha256;
	}
	if (j->n_digests > 0 && !r->source_is_seekable)
		job_publish_trust(j);
}

static void warn_about_slow_ports(struct job *j)
{
	for (size_t i = 0; i < j->n_targets; i++) {
		const struct device_info *info = &j->r->targets[i].info;
		char name[256];

		if (!job_is_live(j, i) || info->usb_speed == 0 || info->usb_speed > USB2_MBIT)
			continue;
		job_warn(j, i, "usb2",
			 _("%s runs at USB 2 speed, at most about 40 MB/s; a USB 3 port may be "
			   "faster."),
			 text_escape(j->r->targets[i].path, SIZE_MAX, name, sizeof(name)));
	}
}

int job_run(struct job *j, struct error *err)
{
	bool finished = false;

	j->gate.layout = malloc(sizeof(*j->gate.layout)); /* looked at by the gate only */
	if (!j->gate.layout)
		return error_set_nomem(err);
	*j->gate.layout = j->r->layout;
	if (job_new_engine(j, err) < 0)
		return -1;
	warn_about_slow_ports(j);
	j->inhibit_fd = inhibit_sleep(_("writing and checking a stick"));
	source_set_poll(j->source, NULL, NULL); /* the engine's threads read it now */
	j->is_writing = true;
	if (engine_start(j->engine, err) < 0)
		return -1;
	for (size_t k = 0; k < j->n_engine_targets; k++) {
		j->targets[j->engine_index[k]].told = PHASE_PROBE; /* none that concerns it */
		begin_phase(j, j->engine_index[k], ENGINE_WRITE, clock_seconds());
	}
	while (!finished) {
		if (!j->was_cancelled && job_is_cancelled(j)) {
			j->was_cancelled = true;
			engine_cancel(j->engine);
			source_cancel(j->source); /* it may wait for a pipe */
		}
		finished = engine_wait(j->engine, WAIT_MS);
		for (size_t k = 0; k < j->n_engine_targets; k++)
			show_progress(j, k);
	}
	publish_gate(j);
	for (size_t i = 0; i < j->r->n_plans; i++)
		engine_plan_digest(j->engine, j->r->plans[i].plan, &j->r->plans[i].sha256);
	for (size_t k = 0; k < j->n_engine_targets; k++)
		take_result(j, k);
	free_engine(j);
	return 0;
}
