// SPDX-License-Identifier: GPL-3.0-or-later
/* The commands write, plan and check: options to a job, a report to words or JSON. */
#include "cli/cmd-job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/guid.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/draw.h"
#include "cli/opts.h"
#include "cli/signals.h"
#include "cli/ui.h"
#include "cli/ui-json.h"
#include "cli/ui-tty.h"
#include "cli/words.h"

void cmd_make_request(const struct options *o, struct job_request *ret)
{
	bool is_plan = o->command == COMMAND_PLAN || o->dry_run;
	bool is_read = o->command == COMMAND_READ; /* what it reads is its one target */

	*ret = (struct job_request){
		.image = is_read ? NULL : o->operands[0],
		.targets = is_read ? o->operands : o->operands + 1,
		.n_targets = is_read ? 1 : o->n_operands - 1,
		.mode = o->mode,
		.fix_gpt = o->fix_gpt,
		.boot_entry = o->boot_entry,
		.strict_gpt = o->strict_gpt,
		.add_efi = o->add_efi,
		.add_bios = o->add_bios,
		.seed = o->seed,
		.bmap = o->bmap,
		.bmap_zero = o->bmap_zero,
		.n_want = o->n_want,
		.sums = o->sums,
		/* A plan does not wait for an image to be read. */
		.no_sums = o->no_sums || is_plan,
		.require = o->require,
		.no_verify = o->no_verify,
		.allow = o->allow,
		/* check changes nothing: what is there is compared. */
		.allow_truncated = o->allow_truncated || o->command == COMMAND_CHECK,
		.yes = o->yes,
		.unmount = o->unmount,
		.keep_going = o->keep_going,
		.receipt = o->receipt,
		.overwrite_receipt = o->overwrite,
		.size = o->size,
		.sector_size = o->sector_size ? o->sector_size : 512,
		.strict = o->strict,
		.output = o->output,
		.backup = o->backup,
		.compress = o->compress,
		.overwrite = o->overwrite,
		.used = o->used,
	};
	for (size_t i = 0; i < o->n_want; i++)
		ret->want[i] = o->want[i];
	if (o->command == COMMAND_FORMAT) {
		ret->image = NULL;
		ret->targets = o->operands;
		ret->n_targets = o->n_operands;
	}
}

/* The command as it was typed, below sudo, quoted for pasting. */
static void print_sudo(struct ui *ui)
{
	char word[4352];

	if (ui->opts->n_operands > 0 && strcmp(ui->opts->operands[0], "-") == 0) {
		ui_note(ui, _("Run isowrite through sudo, behind the same pipe."));
		return;
	}
	fprintf(ui->err, _("  Run:  sudo"));
	for (const char *const *arg = ui->opts->argv; *arg; arg++)
		fprintf(ui->err, " %s", text_shell_quote(*arg, word, sizeof(word)));
	fprintf(ui->err, "\n");
}

static bool is_permission(const struct error *err)
{
	return err->kind == ERROR_REFUSED && err->code && strstr(err->code, "permission");
}

int cmd_fail_device(struct ui *ui, const struct error *err, const char *path)
{
	int status = ui_fail(ui, err);

	if (is_permission(err) && geteuid() != 0)
		print_sudo(ui);
	else if (strncmp(path, "/dev/", 5) == 0 && access(path, F_OK) < 0)
		cmd_print_sticks(ui, path, 0);
	return status;
}

static bool any_started(const struct report *r)
{
	for (size_t i = 0; i < r->n_targets; i++) {
		if (r->targets[i].result.verdict != ENGINE_UNTOUCHED)
			return true;
	}
	return false;
}

static size_t count_errors(const struct report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_targets; i++)
		n += r->targets[i].error.kind != ERROR_NONE;
	return n;
}

/* What holds for all of them, in one line. */
static void print_nothing_written(struct ui *ui, const struct report *r, size_t n_errors,
				  size_t n_left)
{
	char more[64] = "";

	if (n_left > 0)
		snprintf(more, sizeof(more), _("And %zu more cannot be written (-v says why). "),
			 n_left);
	if (n_errors < r->n_targets)
		ui_note(ui, _("%sNothing was written anywhere; --keep-going writes the others."),
			more);
	else
		ui_note(ui, _("%sNothing was written anywhere."), more);
}

static void print_errors(struct ui *ui, const struct report *r)
{
	bool wants_sticks = false, wants_sudo = false;
	bool is_check = strcmp(r->command, "check") == 0;
	bool nothing_done = !is_check && !r->is_dry_run && !any_started(r);
	size_t n_errors = count_errors(r), n_told = 0;
	/* Refused before anything was touched: the first one says enough. */
	size_t max = nothing_done && ui->opts->verbose == 0 ? 1 : SIZE_MAX;
	const char *missing = NULL;

	if (r->error.kind != ERROR_NONE) {
		ui_warn(ui, "%s", r->error.msg);
		if (is_permission(&r->error))
			print_sudo(ui);
		if (r->error.code && strcmp(r->error.code, "no-such-source") == 0)
			cmd_print_sticks(ui, ui->opts->operands[0], 0);
	}
	for (size_t i = 0; i < r->n_targets && n_told < max; i++) {
		const struct report_target *t = &r->targets[i];

		if (t->error.kind == ERROR_NONE)
			continue;
		n_told++;
		/* What ended the whole job was said already. */
		if (strcmp(t->error.msg, r->error.msg) != 0)
			ui_warn(ui, "%s", t->error.msg);
		if (t->error.code && strcmp(t->error.code, "no-such-target") == 0)
			missing = t->path;
		wants_sticks = wants_sticks || missing || (t->has_rule && !r->is_dry_run);
		wants_sudo = wants_sudo || is_permission(&t->error);
	}
	if (wants_sudo)
		print_sudo(ui);
	if (wants_sticks && (r->n_targets == 1 || missing))
		cmd_print_sticks(ui, missing, r->targets[0].info.rdev);
	if (nothing_done && n_errors > 0 && r->n_targets > 1)
		print_nothing_written(ui, r, n_errors, n_errors - n_told);
}

/* plan and check; before a write it is among the notes. */
static void print_bmap_hint(struct ui *ui, const struct report *r)
{
	char word[sizeof(r->bmap_beside) + 2];
	bool differs = false;

	for (size_t i = 0; i < r->n_targets; i++)
		differs = differs || r->targets[i].error.kind == ERROR_DIFFERS;
	if (!r->bmap_beside[0] || ui->opts->quiet)
		return;
	text_shell_quote(r->bmap_beside, word, sizeof(word));
	if (strcmp(r->command, "plan") == 0)
		fprintf(ui->err,
			_("The image's block map lies beside it; --bmap=%s writes only "
			  "what that maps.\n"),
			word);
	else if (strcmp(r->command, "check") == 0 && differs)
		fprintf(ui->err,
			_("  If it was written by the block map beside the image, check it "
			  "with\n  --bmap=%s\n"),
			word);
}

static void print_json(struct ui *ui, const struct report *r)
{
	bool is_lines = ui->opts->json == JSON_LINES;
	struct json j;

	if (is_lines && r->error.kind != ERROR_NONE)
		json_print_error(NULL, &r->error);
	for (size_t i = 0; is_lines && i < r->n_targets; i++) {
		if (r->targets[i].error.kind != ERROR_NONE)
			json_print_error(r->targets[i].path, &r->targets[i].error);
	}
	json_init(&j);
	if (strcmp(r->command, "read") == 0)
		report_read_to_json(r, &j);
	else
		report_to_json(r, &j);
	if (ui_json_print(&j) < 0)
		ui_warn(ui, _("Out of memory."));
}

static int run_job(struct ui *ui, const char *command, job_fn job,
		   const struct format_request *format,
		   void (*print)(struct ui *ui, const struct report *r))
{
	struct report *r = report_new(command);
	struct job_request req;
	struct tty tty;
	int status;

	if (!r) {
		struct error err;

		error_set_nomem(&err);
		return ui_fail(ui, &err);
	}
	signals_begin_job();
	cmd_make_request(ui->opts, &req);
	req.format = format;
	req.has_format_seed = ui->opts->seed != NULL;
	tty_init(&tty, ui);
	status = job(&req, &tty.events, r);
	tty_done(&tty);
	if (ui_wants_json(ui)) {
		print_json(ui, r);
	} else if (print) {
		print(ui, r);
		fflush(ui->out);
	}
	print_errors(ui, r);
	if (!ui_wants_json(ui))
		print_bmap_hint(ui, r);
	report_free(r);
	return status;
}

int cmd_run_job(struct ui *ui, const char *command, job_fn job,
		void (*print)(struct ui *ui, const struct report *r))
{
	return run_job(ui, command, job, NULL, print);
}

static void print_written(struct ui *ui, const struct report *r)
{
	struct words how =
		words_for(ui_columns(STDOUT_FILENO), ui->opts->bytes, ui->opts->verbose > 0);

	if (ui->opts->quiet)
		return;
	words_print_results(ui->out, &how, r);
	words_print_backups(ui->out, &how, r);
}

static void print_one_map(struct ui *ui, struct map *map)
{
	struct draw how = draw_for(ui);

	if (map && map->n_spans > 0) {
		fputc('\n', ui->out);
		draw_map(ui->out, map, &how);
	}
	free(map);
}

/* On a large stick all of a small image would lie in the first column. */
static bool is_small(const struct report *r, const struct plan *plan)
{
	const struct extent *first = plan->extents;

	return plan->n_extents > 0 && first->kind == EXTENT_SOURCE && first->source_offset == 0 &&
	       r->content_size < plan->geo.size / 4;
}

static void print_enlarged(struct ui *ui, struct map *map)
{
	struct map *part = NULL;

	if (map)
		(void)map_enlarge(map, &part);
	print_one_map(ui, map);
	print_one_map(ui, part);
}

static void print_plan_map(struct ui *ui, const struct report *r, const struct report_plan *rp)
{
	const struct plan *plan = rp->plan;

	if (!draw_is_wanted(ui))
		return;
	if (rp->layout) {
		print_enlarged(ui, map_of_plan(plan, NULL));
		fprintf(ui->out, _("\nThe same by its own tables:\n"));
		print_enlarged(ui, map_of_layout(rp->layout));
		return;
	}
	if (!r->has_layout || !is_small(r, plan)) {
		print_enlarged(ui, map_of_plan(plan, r->has_layout ? &r->layout : NULL));
		return;
	}
	print_one_map(ui, map_of_plan(plan, NULL));
	fprintf(ui->out, _("\nThe image at its beginning, enlarged:\n"));
	print_one_map(ui, map_of_layout(&r->layout));
}

/* Not folded where nobody looks: for scripts a line is an extent. */
static void print_extents(struct ui *ui, const struct plan *plan)
{
	auto_free char *text = NULL;
	size_t len = 0;
	FILE *out = ui_columns(STDOUT_FILENO) ? open_memstream(&text, &len) : NULL;

	plan_dump(plan, out ? out : ui->out);
	if (!out)
		return;
	if (fclose(out) == 0)
		words_fold(ui->out, ui_columns(STDOUT_FILENO), text);
	else
		plan_dump(plan, ui->out);
}

/* Why it is not the image that is written. */
static void print_hybrid(struct ui *ui, const struct report *r, const struct report_plan *rp)
{
	const struct words how = words_for(ui_columns(STDOUT_FILENO), ui->opts->bytes, false);
	char changes[512], line[600];

	if (!rp->layout)
		return;
	words_changes(r, rp, changes, sizeof(changes));
	snprintf(line, sizeof(line), _("A %s."), changes);
	words_fill(ui->out, &how, line, 0);
}

static void print_plan(struct ui *ui, const struct report *r)
{
	for (size_t i = 0; i < r->n_plans; i++) {
		bool is_first = true;

		for (size_t k = 0; k < r->n_targets; k++) {
			char path[512];

			if (r->targets[k].plan != (int)i)
				continue;
			text_escape(r->targets[k].path, SIZE_MAX, path, sizeof(path));
			fprintf(ui->out, "%s%s", is_first ? _("For ") : ", ", path);
			is_first = false;
		}
		if (r->plans[i].volume.size > 0) {
			char volume[256];

			words_volume(&r->plans[i].volume, ui->opts->bytes, volume, sizeof(volume));
			fprintf(ui->out, _(", which becomes %s"), volume);
		}
		if (!is_first)
			fprintf(ui->out, ":\n");
		print_extents(ui, r->plans[i].plan);
		print_hybrid(ui, r, &r->plans[i]);
		print_plan_map(ui, r, &r->plans[i]);
	}
}

int cmd_write(const struct options *opts, struct ui *ui)
{
	struct error err = ERROR_INIT;

	if (opts_check_image_word(opts, opts->operands[0], &err) < 0)
		return ui_fail(ui, &err);
	if (opts->dry_run)
		return cmd_plan(opts, ui);
	return cmd_run_job(ui, "write", job_write, print_written);
}

int cmd_plan(const struct options *opts, struct ui *ui)
{
	struct error err = ERROR_INIT;

	if (opts_check_image_word(opts, opts->operands[0], &err) < 0)
		return ui_fail(ui, &err);
	return cmd_run_job(ui, "plan", job_plan, print_plan);
}

int cmd_check(const struct options *opts, struct ui *ui)
{
	struct error err = ERROR_INIT;

	if (opts_check_image_word(opts, opts->operands[0], &err) < 0)
		return ui_fail(ui, &err);
	return cmd_run_job(ui, "check", job_check, print_written);
}

/* With a seed everything is the same again, so time stands still at FAT's first second. */
#define SEED_TIME 315532800 /* 1980-01-01 00:00:00 UTC */

static int make_format_request(const struct options *o, struct format_request *ret,
			       struct error *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH"); /* reproducible-builds.org */
	struct format_request req = { .type = o->type, .table = o->table, .label = o->label };
	char *end = NULL;
	long long now = epoch ? strtoll(epoch, &end, 10) : 0;

	if (epoch && *epoch && *end == '\0' && now >= 0)
		req.time = (time_t)now;
	else
		req.time = o->seed ? SEED_TIME : time(NULL);
	if (o->seed)
		(void)guid_parse(o->seed, req.seed); /* --seed took nothing else */
	else if (getrandom(req.seed, sizeof(req.seed), 0) != sizeof(req.seed))
		return error_set_sys(err, ERROR_INTERNAL, "random", errno,
				     _("The system gives no random numbers"));
	*ret = req;
	return 0;
}

int cmd_format(const struct options *opts, struct ui *ui)
{
	struct error err = ERROR_INIT;
	struct format_request format;

	if (make_format_request(opts, &format, &err) < 0)
		return ui_fail(ui, &err);
	if (opts->dry_run)
		return run_job(ui, "format", job_plan, &format, print_plan);
	return run_job(ui, "format", job_write, &format, print_written);
}
