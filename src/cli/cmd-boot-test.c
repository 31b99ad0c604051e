// SPDX-License-Identifier: GPL-3.0-or-later
/* isowrite boot-test IMAGE|DEVICE: boots it in a virtual machine and says how far it came. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "cli/cmd-job.h"
#include "cli/opts.h"
#include "cli/signals.h"
#include "cli/ui-json.h"
#include "cli/ui.h"
#include "cli/words.h"
#include "job/boot-test.h"

#define INDENT 13 /* of what does not fit the line */

struct show {
	struct ui *ui;
	struct words how;
	bool is_live; /* a line on the terminal that tells the time */
	long told;    /* the second that it shows; -1: there is no such line */
};

/* "UEFI  stick  ", which the line's later parts stand below. */
static int print_head(char *buf, size_t size, const struct boot_test_report *r,
		      const struct boot_result *result)
{
	return snprintf(buf, size, "%s%s  %-5s  ",
			result->firmware == FIRMWARE_BIOS ? "BIOS" : "UEFI",
			r->secure_boot ? _(" with Secure Boot") : "",
			r->medium == MEDIUM_CD ? _("CD") : _("stick"));
}

static void clear_line(struct show *s)
{
	if (s->told >= 0)
		fprintf(s->ui->err, "\r\033[K");
	s->told = -1;
}

static const struct boot_result *find_running(const struct boot_test_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (!r->results[i].is_done)
			return &r->results[i];
	}
	return NULL;
}

static void on_progress(void *ctx, const struct boot_test_report *r, double seconds)
{
	static const char *const stages[] = { "", _("the firmware started something"),
					      _("its loader runs"), _("a kernel runs"), "" };
	const struct boot_result *result = find_running(r);
	struct show *s = ctx;
	char line[200];
	int len;

	if (!s->is_live || !result || (long)seconds == s->told)
		return;
	clear_line(s);
	s->told = (long)seconds;
	len = print_head(line, sizeof(line), r, result);
	snprintf(line + len, sizeof(line) - (size_t)len, "%ld s  %s", s->told,
		 stages[result->judge.reached]);
	fprintf(s->ui->err, "%.*s", (int)s->ui->err_columns - 1, line);
	fflush(s->ui->err);
}

static void print_details(struct show *s, const struct boot_test_report *r,
			  const struct boot_result *result)
{
	char line[256];

	snprintf(line, sizeof(line), _("      QEMU %s, %s; inspect says: %s"), r->qemu,
		 result->kvm ? _("KVM") : _("its own emulation of the processor"),
		 layout_answer_name(result->predicted));
	words_fill(s->ui->out, &s->how, line, 6);
}

static void on_result(void *ctx, const struct boot_test_report *r, const struct boot_result *result)
{
	char line[900], words[700];
	struct show *s = ctx;
	int len;

	clear_line(s);
	if (ui_wants_json(s->ui) || s->ui->opts->quiet)
		return;
	len = print_head(line, sizeof(line), r, result);
	snprintf(line + len, sizeof(line) - (size_t)len, "%s",
		 boot_result_describe(r, result, words, sizeof(words)));
	words_fill(s->ui->out, &s->how, line, INDENT);
	if (s->ui->opts->verbose > 0)
		print_details(s, r, result);
	fflush(s->ui->out);
}

static void on_finding(void *ctx, const struct layout_finding *finding)
{
	struct show *s = ctx;

	clear_line(s);
	if (finding->severity != LAYOUT_INFO)
		ui_warn(s->ui, _("warning: %s"), finding->message);
	else if (!ui_wants_json(s->ui) && !s->ui->opts->quiet)
		words_fill(s->ui->out, &s->how, finding->message, 0);
}

static bool on_cancelled(void *ctx)
{
	struct show *s = ctx;

	(void)signals_take_usr1();
	if (signals_take_tstp()) {
		clear_line(s);
		fflush(s->ui->err);
		signals_pause();
	}
	return signals_stop_asked() != 0;
}

static int check_screenshot(const struct options *o, struct error *err)
{
	bool is_one = o->firmwares == 1u << FIRMWARE_BIOS || o->firmwares == 1u << FIRMWARE_UEFI ||
		      o->secure_boot || o->gui;

	if (!o->screenshot || is_one)
		return 0;
	return error_set(err, ERROR_USAGE, "conflict",
			 _("--screenshot takes the picture of one boot; say which: "
			   "--firmware=bios or --firmware=uefi."));
}

static int check(const struct options *o, struct error *err)
{
	if (o->secure_boot && o->firmwares && o->firmwares != 1u << FIRMWARE_UEFI)
		return error_set(err, ERROR_USAGE, "conflict",
				 _("Secure Boot is UEFI's; --secure-boot goes with "
				   "--firmware=uefi."));
	if (o->gui && o->firmwares == (1u << N_BOOT_FIRMWARES) - 1)
		return error_set(err, ERROR_USAGE, "conflict",
				 _("--gui shows one boot; say which: --firmware=bios or "
				   "--firmware=uefi."));
	if (o->gui && o->screenshot)
		return error_set(err, ERROR_USAGE, "conflict",
				 _("--gui and --screenshot exclude each other."));
	if (check_screenshot(o, err) < 0)
		return -1;
	return opts_check_image_word(o, o->operands[0], err);
}

static int print_json(struct ui *ui, const struct boot_test_request *req,
		      const struct boot_test_report *r)
{
	int status = boot_test_exit_status(r);
	struct json j;

	ui_json_begin(ui, &j, status);
	boot_test_to_json(req, r, &j);
	return ui_json_end(ui, &j, r->findings, r->n_findings, status);
}

int cmd_boot_test(const struct options *opts, struct ui *ui)
{
	const struct boot_test_request req = {
		.path = opts->operands[0],
		.firmwares = opts->firmwares,
		.medium = opts->as_cd ? MEDIUM_CD : MEDIUM_STICK,
		.secure_boot = opts->secure_boot,
		.gui = opts->gui,
		.timeout = opts->timeout,
		.expect = opts->expect,
		.memory = opts->memory,
		.screenshot = opts->screenshot,
		.overwrite = opts->overwrite,
	};
	auto_free struct boot_test_report *r = calloc(1, sizeof(*r));
	struct show show = {
		.ui = ui,
		.how = words_for(ui_columns(STDOUT_FILENO), opts->bytes, opts->verbose > 0),
		.is_live = ui->err_columns > 0 && !opts->quiet && !ui_wants_json(ui) &&
			   (opts->progress == PROGRESS_AUTO || opts->progress == PROGRESS_BAR),
		.told = -1,
	};
	const struct boot_test_events events = { .on_progress = on_progress,
						 .on_result = on_result,
						 .on_finding = on_finding,
						 .is_cancelled = on_cancelled,
						 .ctx = &show };
	struct error err = ERROR_INIT;

	if (!r)
		error_set_nomem(&err);
	if (!r || check(opts, &err) < 0)
		return ui_fail(ui, &err);
	signals_begin_job();
	boot_test(&req, &events, r);
	clear_line(&show);
	if (r->error.kind != ERROR_NONE)
		return cmd_fail_device(ui, &r->error, req.path);
	if (ui_wants_json(ui))
		return print_json(ui, &req, r);
	return boot_test_exit_status(r);
}
