// SPDX-License-Identifier: GPL-3.0-or-later
/* What boot-test found out, in words and as JSON; see boot-test.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "job/boot-test.h"

bool boot_result_is_good(const struct boot_test_report *r, const struct boot_result *result)
{
	const struct boot_judge *j = &result->judge;

	if (r->is_expecting)
		return j->reached == REACHED_EXPECTED;
	/* A kernel may end the machine, a loader that does has failed. */
	return j->reached >= REACHED_KERNEL
		       ? !j->gave_up
		       : j->reached == REACHED_LOADER && !j->gave_up && !result->went_down;
}

int boot_test_exit_status(const struct boot_test_report *r)
{
	size_t n_good = 0;

	if (r->error.kind != ERROR_NONE)
		return error_kind_exit_status(r->error.kind);
	for (size_t i = 0; i < r->n; i++)
		n_good += boot_result_is_good(r, &r->results[i]);
	if (r->any_will_do ? n_good > 0 : n_good == r->n)
		return 0;
	return error_kind_exit_status(ERROR_IMAGE);
}

struct words {
	char *buf;
	size_t size, len;
};

static void add(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct words *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->buf + w->len, w->size - w->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->len += (size_t)n < w->size - w->len ? (size_t)n : w->size - w->len - 1;
}

/* Is it the firmware that gave up, and not what it had started? */
static bool is_by_firmware(const struct boot_judge *j)
{
	static const char *const own[] = { "BdsDxe: ", "No bootable", "Boot failed" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (strncmp(j->why, own[i], strlen(own[i])) == 0)
			return true;
	}
	return false;
}

static void add_end(struct words *w, const struct boot_test_report *r,
		    const struct boot_result *result)
{
	const struct boot_judge *j = &result->judge;

	if (j->gave_up)
		add(w, "%s\"%s\"", j->reached == REACHED_NOTHING ? "" : _("; then "), j->why);
	else if (result->went_down)
		add(w, _("%sthe machine switched itself off or started anew"),
		    j->reached == REACHED_NOTHING ? "" : "; ");
	else if (r->is_expecting && j->reached < REACHED_EXPECTED)
		add(w, _("; the text asked for was not seen"));
}

const char *boot_result_describe(const struct boot_test_report *r, const struct boot_result *result,
				 char *buf, size_t size)
{
	const struct boot_judge *j = &result->judge;
	struct words w = { .buf = buf, .size = size };

	buf[0] = '\0';
	switch (j->reached) {
	case REACHED_EXPECTED:
		add(&w, _("text seen (%.1f s): \"%s\""), result->seconds, j->text);
		return buf;
	case REACHED_KERNEL:
		if (j->evidence == EVIDENCE_PROCESSOR)
			add(&w,
			    _("a kernel runs (%.1f s): told by the processor's state, not by text"),
			    result->seconds);
		else
			add(&w, _("kernel started (%.1f s): \"%s\""), result->seconds, j->text);
		break;
	case REACHED_LOADER:
		if (j->evidence == EVIDENCE_GRAPHICS)
			add(&w,
			    _("loader started (%.1f s): it drew on the screen; no text to read"),
			    result->seconds);
		else
			add(&w, _("loader started (%.1f s): \"%s\""), result->seconds, j->text);
		break;
	case REACHED_FIRMWARE:
		add(&w, _("the firmware started something (%.1f s)"), result->seconds);
		if (j->gave_up && !is_by_firmware(j)) {
			add(&w, _(" that says \"%s\""), j->why);
			return buf;
		}
		if (j->last[0])
			add(&w, _(" that says \"%s\""), j->last);
		else if (result->timed_out)
			add(&w, _(", of which nothing was seen in %.0f s"), result->waited);
		else
			add(&w, _(", of which nothing was seen"));
		break;
	case REACHED_NOTHING:
		if (j->gave_up || result->went_down)
			add(&w, _("did not boot (%.1f s): "), result->seconds);
		else
			add(&w, _("nothing was seen in %.0f s"), result->waited);
		break;
	}
	add_end(&w, r, result);
	return buf;
}

static void boot_to_json(const struct boot_test_report *r, const struct boot_result *b,
			 struct json *j)
{
	char words[600];

	json_begin_object(j, NULL);
	json_string(j, "firmware", boot_firmware_name(b->firmware));
	json_bool(j, "secure_boot", r->secure_boot);
	json_string(j, "as", boot_medium_name(r->medium));
	json_string(j, "predicted", layout_answer_name(b->predicted));
	json_bool(j, "booted", boot_result_is_good(r, b));
	json_string(j, "reached", boot_reached_name(b->judge.reached));
	json_string(j, "evidence", boot_evidence_name(b->judge.evidence));
	json_text(j, "text", b->judge.text);
	json_text(j, "last_text", b->judge.last);
	json_text(j, "gave_up", b->judge.why);
	json_bool(j, "timed_out", b->timed_out);
	json_bool(j, "went_down", b->went_down);
	json_string(j, "accelerator", b->kvm ? "kvm" : "tcg");
	json_double(j, "seconds", b->seconds);
	json_double(j, "waited_seconds", b->waited);
	json_string(j, "message", boot_result_describe(r, b, words, sizeof(words)));
	json_end_object(j);
}

void boot_test_to_json(const struct boot_test_request *req, const struct boot_test_report *r,
		       struct json *j)
{
	json_string(j, "path", req->path);
	if (r->has_layout)
		json_u64(j, "size", r->size);
	else
		json_null(j, "size");
	json_text(j, "qemu", r->qemu);
	json_begin_array(j, "boots");
	for (size_t i = 0; i < r->n; i++) {
		if (r->results[i].is_done)
			boot_to_json(r, &r->results[i], j);
	}
	json_end_array(j);
	json_string(j, "screenshot", r->error.kind == ERROR_NONE ? req->screenshot : NULL);
}
