// SPDX-License-Identifier: GPL-3.0-or-later
/* Events as JSON lines; see ui-json.h. The words are the interface's. */
#include "cli/ui-json.h"

#include <stdio.h>

#include "base/json.h"
#include "job/report.h"

static void put_target(struct json *j, const struct event *event)
{
	if (event->report && event->target < event->report->n_targets)
		json_string(j, "target", event->report->targets[event->target].path);
	else
		json_null(j, "target");
}

static void put_progress(struct json *j, const struct event *event)
{
	json_u64(j, "done", event->done);
	if (event->total == UINT64_MAX)
		json_null(j, "total");
	else
		json_u64(j, "total", event->total);
	json_double(j, "bytes_per_second", event->bytes_per_second);
	if (event->eta_seconds < 0)
		json_null(j, "eta_seconds");
	else
		json_double(j, "eta_seconds", event->eta_seconds);
	json_double(j, "stalled_seconds", event->stalled_seconds);
}

static void put_result(struct json *j, const struct event *event)
{
	const struct report_target *t = &event->report->targets[event->target];

	json_string(j, "status", target_status_name(t->status));
	json_string(j, "message", t->error.kind == ERROR_NONE ? NULL : t->error.msg);
}

/* Ends the object; whoever reads it need not wait. */
static void print_line(struct json *j)
{
	const char *text;

	json_end_object(j);
	text = json_finish(j);
	if (text) {
		printf("%s\n", text);
		fflush(stdout);
	}
	json_done(j);
}

void json_print_event(const struct event *event)
{
	static const char *const names[] = {
		[EVENT_PLANNED] = "planned",    [EVENT_PHASE] = "phase",
		[EVENT_PROGRESS] = "progress",  [EVENT_WARNING] = "warning",
		[EVENT_TARGET_DONE] = "result",
	};
	struct json j;

	json_init(&j);
	json_begin_object(&j, NULL);
	json_string(&j, "event", names[event->kind]);
	put_target(&j, event);
	switch (event->kind) {
	case EVENT_PHASE:
		json_string(&j, "phase", event_phase_name(event->phase));
		break;
	case EVENT_PROGRESS:
		json_string(&j, "phase", event_phase_name(event->phase));
		put_progress(&j, event);
		break;
	case EVENT_WARNING:
		json_string(&j, "code", event->code);
		json_string(&j, "message", event->message);
		break;
	case EVENT_TARGET_DONE:
		if (event->report && event->target < event->report->n_targets)
			put_result(&j, event);
		break;
	case EVENT_PLANNED:
		break;
	}
	print_line(&j);
}

void json_print_error(const char *target, const struct error *err)
{
	struct json j;

	json_init(&j);
	json_begin_object(&j, NULL);
	json_string(&j, "event", "error");
	json_string(&j, "target", target);
	json_string(&j, "code", err->code);
	json_string(&j, "message", err->msg);
	print_line(&j);
}
