// SPDX-License-Identifier: GPL-3.0-or-later
/* The report's life, its exit status and its names; see report.h. */
#include "job/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_STATUS_MIXED 64 /* some targets verified and some not */

struct report *report_new(const char *command)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->command = command;
	r->is_dry_run = strcmp(command, "plan") == 0;
	r->compression = "none";
	r->image_size = SOURCE_SIZE_UNKNOWN;
	r->content_size = SOURCE_SIZE_UNKNOWN;
	r->started = time(NULL);
	return r;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_plans; i++) {
		plan_free(r->plans[i].plan);
		free(r->plans[i].layout);
	}
	free(r->plans);
	for (size_t i = 0; i < r->n_targets; i++) {
		free(r->targets[i].not_covered);
		if (r->targets[i].copy)
			plan_free(r->targets[i].copy->plan);
		free(r->targets[i].copy);
	}
	free(r->targets);
	free(r);
}

int report_add_not_covered(struct report_target *t, uint64_t offset, uint64_t length)
{
	struct report_range *last = t->n_not_covered ? &t->not_covered[t->n_not_covered - 1] : NULL;

	if (last && last->offset + last->length == offset) {
		last->length += length;
		return 0;
	}
	/* Grown by doubling: at each power of two. */
	if ((t->n_not_covered & (t->n_not_covered - 1)) == 0) {
		size_t cap = t->n_not_covered ? t->n_not_covered * 2 : 1;
		struct report_range *ranges = reallocarray(t->not_covered, cap, sizeof(*ranges));

		if (!ranges)
			return -1;
		t->not_covered = ranges;
	}
	t->not_covered[t->n_not_covered++] = (struct report_range){ offset, length };
	return 0;
}

uint64_t report_not_covered(const struct report_target *t)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < t->n_not_covered; i++)
		bytes += t->not_covered[i].length;
	return bytes;
}

uint64_t report_zeroed(const struct report *r, const struct report_target *t)
{
	const struct plan *plan = t->plan >= 0 ? r->plans[t->plan].plan : NULL;
	uint64_t bytes = 0;

	for (size_t i = 0; r->bmap_zero && plan && i < plan->n_extents; i++) {
		const struct extent *e = &plan->extents[i];

		if (e->kind == EXTENT_ZERO && e->start + e->len <= r->content_size)
			bytes += e->len;
	}
	return bytes;
}

bool report_has_image(const struct report *r)
{
	return strcmp(r->command, "format") != 0;
}

static bool is_success(const struct report *r, const struct report_target *t)
{
	/* A verdict beside an error is none: a failed close or a lost device counts. */
	if (t->error.kind != ERROR_NONE)
		return false;
	if (t->status == TARGET_CHANGED)
		return !r->is_strict;
	if (t->status == TARGET_UNTOUCHED)
		return r->is_dry_run;
	return t->status == TARGET_VERIFIED || t->status == TARGET_WRITTEN ||
	       t->status == TARGET_READ;
}

/* The status of one target that is no success. */
static int failure_status(const struct report_target *t)
{
	if (t->error.kind != ERROR_NONE)
		return error_kind_exit_status(t->error.kind);
	if (t->status == TARGET_CHANGED)
		return error_kind_exit_status(ERROR_DIFFERS);
	return 0;
}

int report_exit_status(const struct report *r)
{
	size_t good = 0;
	int first = 0;

	if (r->error.kind != ERROR_NONE)
		return error_kind_exit_status(r->error.kind);
	for (size_t i = 0; i < r->n_targets; i++) {
		if (is_success(r, &r->targets[i]))
			good++;
		else if (first == 0)
			first = failure_status(&r->targets[i]);
	}
	if (good == r->n_targets)
		return 0;
	if (good > 0)
		return EXIT_STATUS_MIXED;
	/* Targets that are neither done nor wrong would be a bug of the job. */
	return first ? first : error_kind_exit_status(ERROR_INTERNAL);
}

void report_add_finding(struct report *r, enum layout_severity severity, const char *code,
			const char *fmt, ...)
{
	struct layout_finding *f;
	va_list ap;

	if (r->n_findings == LAYOUT_MAX_FINDINGS)
		return;
	f = &r->findings[r->n_findings++];
	f->severity = severity;
	snprintf(f->code, sizeof(f->code), "%s", code);
	va_start(ap, fmt);
	vsnprintf(f->message, sizeof(f->message), fmt, ap);
	va_end(ap);
}

const char *trust_verdict_name(enum trust_verdict v)
{
	switch (v) {
	case TRUST_NONE:
		return "none";
	case TRUST_DIGEST:
		return "digest";
	case TRUST_LISTED:
		return "listed";
	case TRUST_SIGNED:
		return "signed";
	case TRUST_MISMATCH:
		return "mismatch";
	case TRUST_BAD_SIGNATURE:
		return "bad-signature";
	}
	return "none";
}

const char *target_status_name(enum target_status s)
{
	switch (s) {
	case TARGET_UNTOUCHED:
		return "untouched";
	case TARGET_REFUSED:
		return "refused";
	case TARGET_CANCELLED:
		return "cancelled";
	case TARGET_FAILED:
		return "failed";
	case TARGET_WRITTEN:
		return "written";
	case TARGET_VERIFIED:
		return "verified";
	case TARGET_CHANGED:
		return "changed";
	case TARGET_READ:
		return "read";
	}
	return "failed";
}
