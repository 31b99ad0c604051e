// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a failed read-back looks like, where it lies, and what to do: from the
 * engine's finding, the plan, and the file tree of the image.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "image/tree.h"
#include "job/job-state.h"

/* "stick" for what can be unplugged; a file or loop device is never returned to a shop. */
static const char *target_noun(const struct device_info *info)
{
	if (info->is_file)
		return _("file");
	return info->is_virtual || info->is_partition ? _("device") : _("stick");
}

/* What it returns instead of the image, without a full stop. */
static void describe_fact(const struct report_target *t, char *buf, size_t size)
{
	const struct engine_mismatch *m = &t->result.mismatch;
	const char *noun = target_noun(&t->info);
	char at[NUM_SIZE_LEN], other[NUM_SIZE_LEN], exact[NUM_SIZE_LEN];

	num_format_size(at, sizeof(at), m->offset);
	num_format_bytes(exact, sizeof(exact), m->offset);
	switch (m->pattern) {
	case PATTERN_OFFSET:
		if (m->pattern_value == 0)
			snprintf(other, sizeof(other), "0");
		else
			num_format_size(other, sizeof(other), m->pattern_value);
		snprintf(buf, size, _("from %s on, the %s returns the data of %s"), at, noun,
			 other);
		break;
	case PATTERN_FLIPS:
		if (m->pattern_value == 1)
			snprintf(buf, size, _("1 bit differs at byte %s"), exact);
		else
			snprintf(buf, size, _("%" PRIu64 " bits differ at byte %s"),
				 m->pattern_value, exact);
		break;
	case PATTERN_ZEROS:
		snprintf(buf, size, _("from %s on, the %s returns zeros"), at, noun);
		break;
	case PATTERN_ONES:
		snprintf(buf, size, _("from %s on, the %s returns erased flash (FF)"), at, noun);
		break;
	case PATTERN_OLD:
		snprintf(buf, size, _("from %s on, the %s holds what was there before"), at, noun);
		break;
	case PATTERN_UNSTABLE:
		snprintf(buf, size,
			 _("from %s on, the %s returned wrong data once and right data when asked "
			   "again"),
			 at, noun);
		break;
	case PATTERN_NONE:
	case PATTERN_OTHER:
		snprintf(buf, size, _("from %s on, the %s returns other data than was written"), at,
			 noun);
		break;
	}
}

/* What that means for a stick, and what to do. */
static const char *stick_advice(const struct engine_mismatch *m)
{
	switch (m->pattern) {
	case PATTERN_OFFSET:
		/* Also when later data came to lie over earlier: its addresses wrap around. */
		return _(": it is smaller than it says. Return it.");
	case PATTERN_ZEROS:
		return _(": it is smaller than it says, or failing. Try another port, then replace "
			 "it.");
	case PATTERN_ONES:
		return _(": it is failing. Replace it.");
	case PATTERN_OLD:
		return _(": it does not keep what is written. Replace it.");
	case PATTERN_UNSTABLE:
	case PATTERN_FLIPS:
	case PATTERN_NONE:
	case PATTERN_OTHER:
		break;
	}
	return _(": try another port; if it comes back, the stick is failing.");
}

static void describe_pattern(const struct report_target *t, char *buf, size_t size)
{
	bool is_stick = !t->info.is_file && !t->info.is_virtual;
	char fact[160];

	describe_fact(t, fact, sizeof(fact));
	snprintf(buf, size, "%s%s", fact, is_stick ? stick_advice(&t->result.mismatch) : ".");
}

/* `check` did not write it, so it says only what is there. */
static void describe_difference(const struct report_target *t, char *buf, size_t size)
{
	const struct engine_mismatch *m = &t->result.mismatch;
	char at[NUM_SIZE_LEN], length[NUM_SIZE_LEN];

	num_format_size(at, sizeof(at), m->offset);
	if (m->pattern == PATTERN_FLIPS || m->pattern == PATTERN_OFFSET)
		describe_pattern(t, buf, size);
	else if (!m->is_exact)
		snprintf(buf, size,
			 _("somewhere in the %s from %s on, it does not hold this image: it was "
			   "changed, or another image was written."),
			 num_format_size(length, sizeof(length), m->length), at);
	else
		snprintf(buf, size,
			 _("from %s on, it does not hold this image: it was changed, or another "
			   "image was written."),
			 at);
}

/* "(first bad byte 8,000,000,000, 4,096 in all; in ISO 9660 image, file /live/x.squashfs)" */
static void describe_place(const struct report *r, const struct report_target *t, char *buf,
			   size_t size)
{
	const struct engine_mismatch *m = &t->result.mismatch;
	const struct plan *plan = t->plan >= 0 ? r->plans[t->plan].plan : NULL;
	char at[NUM_SIZE_LEN], bad[NUM_SIZE_LEN], what[96], file[300];
	int n;

	num_format_bytes(at, sizeof(at), m->offset);
	num_format_bytes(bad, sizeof(bad), m->bad_bytes);
	if (m->is_exact)
		n = snprintf(buf, size,
			     m->is_bound ? _("First bad byte: %s; up to %s bytes are bad") :
					   _("First bad byte: %s; %s bytes in bad sectors"),
			     at, bad);
	else
		n = snprintf(buf, size, _("First bad piece: at byte %s; up to %s bytes are bad"),
			     at, bad);
	if (n < 0 || (size_t)n >= size)
		return;
	if (plan && m->what < plan->n_strings) {
		text_escape(plan->strings[m->what], SIZE_MAX, what, sizeof(what));
		n += snprintf(buf + n, size - (size_t)n, "; %s", what);
	}
	if ((size_t)n < size && t->error_file[0]) {
		text_escape(t->error_file, SIZE_MAX, file, sizeof(file));
		n += snprintf(buf + n, size - (size_t)n, _(", file %s"), file);
	}
	if ((size_t)n < size)
		snprintf(buf + n, size - (size_t)n, ".");
}

const char *report_describe_mismatch(const struct report *r, size_t target, char *buf, size_t size)
{
	const struct report_target *t = &r->targets[target];
	char name[256], pattern[256], place[512];

	text_escape(t->path, SIZE_MAX, name, sizeof(name));
	if (strcmp(r->command, "check") == 0)
		describe_difference(t, pattern, sizeof(pattern));
	else
		describe_pattern(t, pattern, sizeof(pattern));
	describe_place(r, t, place, sizeof(place));
	snprintf(buf, size, "%s: %s %s", name, pattern, place);
	return buf;
}

/* The file of the image that holds the first bad byte, where the tree can be walked. */
static void find_file(struct job *j, struct report_target *rt)
{
	const struct engine_mismatch *m = &rt->result.mismatch;
	const struct plan *plan = j->r->plans[rt->plan].plan;
	const struct extent *e = plan_find(plan, m->offset);
	struct error ignored = ERROR_INIT;

	if (!j->source || j->source->access != SOURCE_RANDOM || !e || e->kind != EXTENT_SOURCE)
		return;
	if (tree_find_owner(j->source, &j->r->layout, e->source_offset + (m->offset - e->start),
			    rt->error_file, sizeof(rt->error_file), &ignored) != 1)
		rt->error_file[0] = '\0';
}

void job_explain_mismatch(struct job *j, size_t i)
{
	struct report_target *rt = &j->r->targets[i];
	char text[ERROR_MSG_SIZE];

	if (rt->plan >= 0)
		find_file(j, rt);
	error_set(&rt->error, ERROR_DIFFERS, "read-back-differs", "%s",
		  report_describe_mismatch(j->r, i, text, sizeof(text)));
}
