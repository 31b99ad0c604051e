// SPDX-License-Identifier: GPL-3.0-or-later
/* devices: the sticks that may be written, why the other disks may not, and the never-list. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/cmd-job.h"
#include "cli/sticks.h"
#include "cli/ui.h"
#include "cli/words.h"
#include "io/device.h"

#define INDENT 4

static void describe_lift(const struct device_info *info, enum device_rule rule, char *buf,
			  size_t size)
{
	char word[64];

	switch (device_rule_lift(rule)) {
	case LIFT_QUESTION:
		snprintf(buf, size, _("the question asks to unmount it; in scripts --unmount"));
		break;
	case LIFT_TYPE_SIZE:
		snprintf(buf, size, _("lifted by typing \"%s\"; in scripts --allow=%s"),
			 device_size_word(info, word, sizeof(word)), device_rule_name(rule));
		break;
	case LIFT_ALLOW:
		snprintf(buf, size, _("lifted by --allow=%s"), device_rule_name(rule));
		break;
	case LIFT_FILE_PREFIX:
		snprintf(buf, size, _("lifted by file:PATH"));
		break;
	case LIFT_NEVER:
		if (rule == RULE_PROTECTED)
			snprintf(buf, size, _("lifted by isowrite devices --unprotect %s"),
				 info->path);
		else if (rule == RULE_HELD)
			snprintf(buf, size, _("release it first"));
		else
			snprintf(buf, size, _("this cannot be lifted"));
		break;
	}
}

static bool is_never_lifted(const struct device_info *info)
{
	for (size_t i = 0; i < info->n_refused; i++)
		if (device_rule_lift(info->refused[i].rule) == LIFT_NEVER)
			return true;
	return false;
}

static void print_contents(struct ui *ui, const struct words *how, const struct device_info *info)
{
	for (size_t i = 0; i < info->n_contents; i++) {
		const struct device_content *c = &info->contents[i];
		char words[768], node[256], line[1100];

		if (c->is_table || !strcmp(c->type, "unreadable"))
			continue;
		if (!strcmp(c->type, "unknown"))
			snprintf(words, sizeof(words), _("data of an unknown kind"));
		else
			words_content(c, words, sizeof(words));
		if (strcmp(c->node, info->path) != 0)
			snprintf(line, sizeof(line), "%*s%s: %s", INDENT, "",
				 text_escape(c->node, strlen(c->node), node, sizeof(node)), words);
		else
			snprintf(line, sizeof(line), "%*s%s", INDENT, "", words);
		words_fill(ui->out, how, line, INDENT + 2);
	}
}

static void print_name(struct ui *ui, const struct words *how, const struct device_info *info)
{
	const char *color = sticks_is_one(info) ? ui_sgr(ui->color, UI_BOLD) : "";
	char words[1024], path[1024], line[2100];

	text_escape(info->path, strlen(info->path), path, sizeof(path));
	device_describe(info, ui->opts->bytes, words, sizeof(words));
	snprintf(line, sizeof(line), "  %s  %s", path, words);
	if (strlen(line) > how->width)
		words_fill(ui->out, how, line, INDENT + 2);
	else
		fprintf(ui->out, "  %s%s%s  %s\n", color, path,
			color[0] ? ui_sgr(ui->color, UI_PLAIN) : "", words);
}

static bool is_unseen(const struct device_info *info)
{
	for (size_t i = 0; i < info->n_contents; i++)
		if (strcmp(info->contents[i].type, "unreadable") == 0)
			return geteuid() != 0;
	return false;
}

static void print_device(struct ui *ui, const struct words *how, const struct device_info *info)
{
	char path[1024], line[2100], lift[512];
	bool only_final = is_never_lifted(info) && ui->opts->verbose == 0;

	print_name(ui, how, info);
	print_contents(ui, how, info);
	if (info->serial[0] && ui->opts->verbose)
		fprintf(ui->out, _("%*sserial %s\n"), INDENT, "",
			text_escape_trim(info->serial, path, sizeof(path)));
	if (info->by_id[0] && ui->opts->verbose)
		fprintf(ui->out, "%*s%s\n", INDENT, "",
			text_escape(info->by_id, strlen(info->by_id), path, sizeof(path)));
	if (info->size == 0)
		fprintf(ui->out, _("%*snothing is in it\n"), INDENT, "");
	for (size_t i = 0; i < info->n_refused; i++) {
		const struct device_refusal *r = &info->refused[i];

		/* How to lift one rule is no news where another one cannot be. */
		if (only_final && device_rule_lift(r->rule) != LIFT_NEVER)
			continue;
		/* Not because of what it holds, but of who asks. */
		if (r->rule == RULE_CONTENTS && is_unseen(info)) {
			fprintf(ui->out, _("%*swhat it holds, only root may see (sudo)\n"), INDENT,
				"");
			continue;
		}
		describe_lift(info, r->rule, lift, sizeof(lift));
		snprintf(line, sizeof(line), "%*s%s: %s; %s.", INDENT, "",
			 device_rule_name(r->rule), r->why, lift);
		words_fill(ui->out, how, line, INDENT + 2);
	}
}

enum group { GROUP_STICKS, GROUP_VIRTUAL, GROUP_OTHERS, N_GROUPS };

static enum group group_of(const struct device_info *info)
{
	if (!sticks_is_one(info))
		return GROUP_OTHERS;
	return info->is_virtual ? GROUP_VIRTUAL : GROUP_STICKS;
}

static void print_group(struct ui *ui, const struct device_info *list, size_t n, enum group group)
{
	static const char *const titles[N_GROUPS] = {
		[GROUP_STICKS] = _("Sticks that may be written:"),
		[GROUP_VIRTUAL] = _("Virtual sticks, written when you name them:"),
		[GROUP_OTHERS] = _("Other disks, not offered:"),
	};
	struct words how = words_for(ui_columns(STDOUT_FILENO), false, false);
	bool is_first = true;

	for (size_t i = 0; i < n; i++) {
		if (group_of(&list[i]) != group)
			continue;
		if (is_first)
			fprintf(ui->out, "%s\n", titles[group]);
		is_first = false;
		print_device(ui, &how, &list[i]);
	}
	if (is_first && group == GROUP_STICKS)
		fprintf(ui->out, _("No stick that may be written is plugged in.\n"));
}

/*
 * --list: a line a stick that may be written, its node, a tab, what it is. For scripts, and for
 * the shells' completions.
 */
static void print_plain_list(struct ui *ui, struct device_info *list, size_t n)
{
	struct sticks s = sticks_of(list, n);
	char words[1024];

	for (size_t i = 0; i < s.n; i++)
		fprintf(ui->out, "%s\t%s\n", list[i].path,
			device_describe(&list[i], ui->opts->bytes, words, sizeof(words)));
}

static void device_to_json(struct json *j, const struct device_info *info)
{
	json_begin_object(j, NULL);
	sticks_to_json(j, info);
	json_end_object(j);
}

static int print_list(const struct options *opts, struct ui *ui)
{
	auto_free struct device_info *list = NULL;
	struct error err = ERROR_INIT;
	size_t n = 0;

	if (device_list(opts->all, &list, &n, &err))
		return ui_fail(ui, &err);
	if (ui_wants_json(ui)) {
		struct json j;

		ui_json_begin(ui, &j, 0);
		json_begin_array(&j, "devices");
		for (size_t i = 0; i < n; i++)
			device_to_json(&j, &list[i]);
		json_end_array(&j);
		return ui_json_end(ui, &j, NULL, 0, 0);
	}
	if (opts->list) {
		print_plain_list(ui, list, n);
		return 0;
	}
	for (int group = 0; group < N_GROUPS; group++)
		print_group(ui, list, n, (enum group)group);
	return 0;
}

/* --protect, --unprotect: the device as it is now, for people and as JSON. */
static int change_list(const struct options *opts, struct ui *ui)
{
	const char *path = opts->protect ? opts->protect : opts->unprotect;
	auto_free struct device_info *info = malloc(sizeof(*info));
	struct error err = ERROR_INIT;
	char entry[1024] = "", safe[300];
	int rc;

	if (!info) {
		error_set_nomem(&err);
		return ui_fail(ui, &err);
	}
	rc = opts->protect ? device_protect(path, entry, sizeof(entry), &err)
			   : device_unprotect(path, &err);
	if (rc || device_examine(path, -1, -1, info, &err))
		return cmd_fail_device(ui, &err, path);
	if (ui_wants_json(ui)) {
		struct json j;

		ui_json_begin(ui, &j, 0);
		json_begin_array(&j, "devices");
		device_to_json(&j, info);
		json_end_array(&j);
		return ui_json_end(ui, &j, NULL, 0, 0);
	}
	text_escape(path, strlen(path), safe, sizeof(safe));
	if (opts->protect)
		fprintf(ui->out, _("%s is on the never-list now (%s).\n"), safe, entry);
	else
		fprintf(ui->out, _("%s is off the never-list.\n"), safe);
	return 0;
}

int cmd_devices(const struct options *opts, struct ui *ui)
{
	return opts->protect || opts->unprotect ? change_list(opts, ui) : print_list(opts, ui);
}
