// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A job's targets before anything is touched: what they are, which safety rule
 * refuses them and what lifts it, and the question. `y` and --yes never lift
 * rule contents: only the typed size, or --allow=contents, does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/num.h"
#include "base/text.h"
#include "job/job-state.h"

bool job_is_live(const struct job *j, size_t i)
{
	return j->targets[i].target && j->r->targets[i].error.kind == ERROR_NONE;
}

int job_check_targets(struct job *j)
{
	size_t live = 0;

	for (size_t i = 0; i < j->n_targets; i++)
		live += job_is_live(j, i);
	if (live == j->n_targets || (j->req->keep_going && live > 0))
		return 0;
	return j->r->is_dry_run ? 0 : -1;
}

/* Named twice, also through another link. */
static int check_twice(struct job *j, struct error *err)
{
	char a[256], b[256];

	for (size_t i = 0; i < j->n_targets; i++) {
		for (size_t k = i + 1; k < j->n_targets; k++) {
			struct target *first = j->targets[i].target, *again = j->targets[k].target;

			if (!first || !again || !target_is_same(first, again))
				continue;
			text_escape(first->path, SIZE_MAX, a, sizeof(a));
			text_escape(again->path, SIZE_MAX, b, sizeof(b));
			return error_set(err, ERROR_USAGE, "target-twice",
					 _("The targets %s and %s are the same device or file."), a,
					 b);
		}
	}
	return 0;
}

/* --size is no way to use a part of a stick. */
static int check_size(const struct job *j, struct error *err)
{
	char name[300];

	if (j->req->size == 0 || j->n_targets == 0)
		return 0;
	for (size_t i = 0; i < j->n_targets; i++) {
		const struct target *t = j->targets[i].target;

		if (!t || (t->info.is_file && !t->info.file_exists))
			return 0;
	}
	return error_set(err, ERROR_USAGE, "size-of-target",
			 _("--size is for a new file:PATH; %s has its own size."),
			 text_escape(j->targets[0].target->path, SIZE_MAX, name, sizeof(name)));
}

int job_look_at_targets(struct job *j, struct error *err)
{
	for (size_t i = 0; i < j->n_targets; i++) {
		struct report_target *rt = &j->r->targets[i];

		if (target_look(j->req->targets[i], j->source ? j->source->fd : -1, j->req->size,
				&j->targets[i].target, &rt->error) < 0)
			continue;
		snprintf(rt->path, sizeof(rt->path), "%s", j->targets[i].target->path);
		if (job_check_add_boot(j, i, &rt->error) < 0)
			continue;
		rt->info = j->targets[i].target->info;
	}
	return check_twice(j, err) < 0 ? -1 : check_size(j, err);
}

bool job_is_the_image(const struct job *j, const struct target *t)
{
	struct stat image, st;

	if (j->source->fd < 0 || t->path_fd < 0 || fstat(j->source->fd, &image) < 0 ||
	    fstat(t->path_fd, &st) < 0)
		return false;
	if (S_ISBLK(image.st_mode) && S_ISBLK(st.st_mode))
		return image.st_rdev == st.st_rdev;
	return image.st_dev == st.st_dev && image.st_ino == st.st_ino;
}

/* Who may still lift this rule on this run? */
static bool rule_is_lifted(const struct job *j, enum device_rule rule, bool *ret_must_type)
{
	bool can_ask = !j->req->yes;

	switch (device_rule_lift(rule)) {
	case LIFT_NEVER:
	case LIFT_FILE_PREFIX:
		return false;
	case LIFT_ALLOW:
		return j->req->allow & (1U << rule);
	case LIFT_QUESTION:
		return can_ask || j->req->unmount;
	case LIFT_TYPE_SIZE:
		if (j->req->allow & (1U << rule))
			return true;
		*ret_must_type = can_ask;
		return can_ask;
	}
	return false;
}

/* What to do about it: a sentence whose commands work when pasted. */
static void format_lift(const struct report_target *rt, enum device_rule rule, char *buf,
			size_t size)
{
	char quoted[512];

	text_shell_quote(rt->path, quoted, sizeof(quoted));
	switch (device_rule_lift(rule)) {
	case LIFT_NEVER:
		if (rule == RULE_HELD)
			snprintf(buf, size, "%s", _("Release it first; this cannot be lifted."));
		else if (rule == RULE_PROTECTED)
			snprintf(buf, size,
				 _("It comes off the list by:\n  isowrite devices --unprotect %s"),
				 quoted);
		else
			snprintf(buf, size, "%s", _("This cannot be lifted."));
		break;
	case LIFT_FILE_PREFIX:
		buf[0] = '\0'; /* the refusal says it */
		break;
	case LIFT_QUESTION:
		snprintf(buf, size, "%s", _("--unmount unmounts it first."));
		break;
	case LIFT_TYPE_SIZE: /* refused only where nobody is asked */
		snprintf(
			buf, size,
			_("Without --yes its size can be typed; in scripts --allow=%s lifts this."),
			device_rule_name(rule));
		break;
	case LIFT_ALLOW:
		snprintf(buf, size, _("--allow=%s lifts this."), device_rule_name(rule));
		break;
	}
}

/* also: other rules that refuse it too, so that they need not be found one by one. */
static void refuse(struct report_target *rt, const struct device_refusal *refusal, const char *also)
{
	char name[256], lift[640];
	size_t len = strlen(refusal->why);

	/* The sentence goes on here, so its own full stop is dropped. */
	if (len > 0 && refusal->why[len - 1] == '.')
		len--;
	format_lift(rt, refusal->rule, lift, sizeof(lift));
	rt->has_rule = true;
	rt->rule = refusal->rule;
	rt->status = TARGET_REFUSED;
	/* Behind a command, which has a line of its own, they begin another one. */
	if (also[0] && strchr(lift, '\n')) {
		snprintf(lift + strlen(lift), sizeof(lift) - strlen(lift), "\n%s", also + 1);
		also = "";
	}
	error_set(&rt->error, ERROR_REFUSED, "rule", _("%s refused (rule %s): %.*s.%s%s%s"),
		  text_escape(rt->path, SIZE_MAX, name, sizeof(name)),
		  device_rule_name(refusal->rule), (int)len, refusal->why, lift[0] ? " " : "", lift,
		  also);
}

/* The rules that nothing lifts, or the others: refuses by the first that stands. */
static void apply(struct job *j, size_t i, bool never)
{
	struct report_target *rt = &j->r->targets[i];
	const struct device_refusal *first = NULL;
	bool must_type = false;
	char also[128] = "";

	for (size_t k = 0; k < rt->info.n_refused; k++) {
		const struct device_refusal *refusal = &rt->info.refused[k];
		size_t len = strlen(also);

		if ((device_rule_lift(refusal->rule) == LIFT_NEVER) != never ||
		    rule_is_lifted(j, refusal->rule, &must_type))
			continue;
		if (!first)
			first = refusal;
		else
			snprintf(also + len, sizeof(also) - len, "%s %s",
				 len ? "," : _(" Also refused by:"),
				 device_rule_name(refusal->rule));
	}
	if (also[0])
		strncat(also, ".", sizeof(also) - strlen(also) - 1);
	if (first)
		refuse(rt, first, also);
	/* "Not typed" is what is left to ask for. */
	j->targets[i].is_typed = !must_type;
}

void job_apply_rules(struct job *j)
{
	const struct device_refusal itself = { RULE_SOURCE, "it is the image itself" };

	for (size_t i = 0; i < j->n_targets; i++) {
		struct report_target *rt = &j->r->targets[i];

		if (job_is_live(j, i) && job_is_the_image(j, j->targets[i].target))
			refuse(rt, &itself, "");
		if (job_is_live(j, i))
			apply(j, i, true);
		/* Who may not read it cannot be told what is on it either, so this comes first. */
		if (job_is_live(j, i) && !j->r->is_dry_run)
			(void)target_check_access(j->targets[i].target, &rt->error);
		if (job_is_live(j, i))
			apply(j, i, false);
	}
}

/* expected: the size that had to be typed, or NULL. */
static int take_answer(struct job *j, enum answer answer, const char *expected, struct error *err)
{
	switch (answer) {
	case ANSWER_YES:
		return 0;
	case ANSWER_NO:
		if (job_is_cancelled(j)) /* a signal is no answer */
			return error_set(err, ERROR_CANCELLED, "cancelled",
					 _("Cancelled; nothing was written."));
		if (expected)
			return error_set(err, ERROR_CANCELLED, "declined",
					 _("Nothing was written: the answer was not \"%s\"."),
					 expected);
		return error_set(err, ERROR_CANCELLED, "declined",
				 _("Nothing was written: the answer was no."));
	case ANSWER_CANNOT_ASK:
		break;
	}
	return error_set(err, ERROR_USAGE, "no-terminal",
			 _("Nothing was written: there is no terminal to ask on, and --yes was not "
			   "given."));
}

/* Rule contents: the size of every such target is typed, else nothing is written. */
static int ask_sizes(struct job *j, size_t *ret_asked, struct error *err)
{
	*ret_asked = 0;
	for (size_t i = 0; i < j->n_targets; i++) {
		char word[NUM_SIZE_LEN];
		struct question q = {
			.kind = QUESTION_TYPE_SIZE,
			.target = i,
			.report = j->r,
		};

		if (!job_is_live(j, i) || j->targets[i].is_typed)
			continue;
		q.expected = device_size_word(&j->r->targets[i].info, word, sizeof(word));
		if (take_answer(j, j->events->ask(j->events->ctx, &q), q.expected, err) < 0)
			return -1;
		j->targets[i].is_typed = true;
		(*ret_asked)++;
	}
	return 0;
}

int job_confirm(struct job *j, struct error *err)
{
	const struct question q = { .kind = QUESTION_WRITE, .report = j->r };
	size_t live = 0, typed;

	job_emit(j, EVENT_PLANNED, EVENT_NO_TARGET);
	if (j->req->yes)
		return 0;
	if (ask_sizes(j, &typed, err) < 0)
		return -1;
	for (size_t i = 0; i < j->n_targets; i++)
		live += job_is_live(j, i);
	/* A typed size is a stronger yes than "y". */
	if (typed == live)
		return 0;
	return take_answer(j, j->events->ask(j->events->ctx, &q), NULL, err);
}
