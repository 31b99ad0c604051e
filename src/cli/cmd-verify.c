// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * isowrite verify IMAGE...: is each what its makers published? With a device as
 * the second operand it is check, which opts.c sees to.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"
#include "cli/cmd-job.h"
#include "cli/opts.h"
#include "cli/signals.h"
#include "cli/ui-json.h"
#include "cli/ui-tty.h"
#include "cli/ui.h"
#include "cli/words.h"

#define EXIT_STATUS_MIXED 64 /* some matched and some did not */

/* Of what kind of image a finding speaks is no matter here, only what is wrong with it. */
static bool is_about_structure(const struct layout_finding *f)
{
	static const char *const others[] = { "plain-data", "disc-only", "windows-disc",
					       "big-sectors", "truncated" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (strcmp(f->code, others[i]) == 0)
			return false;
	}
	return f->severity != LAYOUT_INFO;
}

static void print_structure(struct ui *ui, const struct words *how, const struct report *r)
{
	const struct layout *lay = &r->layout;
	char title[160], size[NUM_SIZE_LEN], by[sizeof(lay->expected_by)], line[512];
	bool is_whole = !lay->is_partial && !lay->is_truncated && lay->expected_size > 0;

	if (layout_title(lay, title, sizeof(title))[0] && r->content_size != UINT64_MAX) {
		snprintf(line, sizeof(line), _("  \"%s\", %s%s."), title,
			 ui_size(ui, size, sizeof(size), r->content_size),
			 is_whole ? _("; as long as its tables say") : "");
		words_fill(ui->out, how, line, 2);
	}
	if (lay->is_truncated) {
		text_escape(lay->expected_by, SIZE_MAX, by, sizeof(by));
		snprintf(line, sizeof(line), _("  Note: it ends before %s does."), by);
		words_fill(ui->out, how, line, 2);
	}
	for (uint32_t i = 0; i < lay->n_findings; i++) {
		if (!is_about_structure(&lay->findings[i]))
			continue;
		snprintf(line, sizeof(line), _("  Note: %s"), lay->findings[i].message);
		words_fill(ui->out, how, line, 2);
	}
}

static void print_digests(struct ui *ui, const struct report *r)
{
	char hex[HASH_HEX_SIZE];

	for (size_t i = 0; i < r->n_digests; i++) {
		const struct report_digest *d = &r->digests[i];

		if (d->file.len)
			fprintf(ui->out, _("  %s of the file\n    %s\n"), hash_alg_title(d->alg),
				digest_hex(&d->file, hex));
		if (d->content.len)
			fprintf(ui->out, _("  %s of its content\n    %s\n"), hash_alg_title(d->alg),
				digest_hex(&d->content, hex));
	}
}

static void print_image(struct ui *ui, const struct words *how, const struct report *r)
{
	const struct digest *d = r->image_sha256.len ? &r->image_sha256 : &r->content_sha256;
	char name[512], line[1536], hex[HASH_HEX_SIZE];

	if (r->error.kind != ERROR_NONE || ui->opts->quiet)
		return;
	if (strcmp(r->image_path, "-") == 0)
		snprintf(name, sizeof(name), "%s", _("Standard input"));
	else
		text_escape(r->image_path, SIZE_MAX, name, sizeof(name));
	if (r->trust == TRUST_NONE)
		snprintf(line, sizeof(line), _("%s: %s. Its SHA-256 is %s."), name,
			 r->trust_detail[0] ? r->trust_detail : _("nothing to compare it with"),
			 digest_hex(d, hex));
	else
		snprintf(line, sizeof(line), "%s: %s.", name, r->trust_detail);
	words_fill(ui->out, how, line, 2);
	print_structure(ui, how, r);
	if (ui->opts->verbose > 0 && r->trust != TRUST_NONE)
		print_digests(ui, r);
}

static void print_json(struct ui *ui, const struct report *const *reports, size_t n, int status)
{
	struct json j;

	for (size_t i = 0; i < n && ui->opts->json == JSON_LINES; i++) {
		if (reports[i]->error.kind != ERROR_NONE)
			json_print_error(NULL, &reports[i]->error);
	}
	json_init(&j);
	report_verify_to_json(reports, n, status, &j);
	if (ui_json_print(&j) < 0)
		ui_warn(ui, _("Out of memory."));
}

/* The first one's status, if they all failed. */
static int total_status(const struct report *const *reports, size_t n)
{
	size_t n_good = 0;

	for (size_t i = 0; i < n; i++) {
		if (reports[i]->error.kind == ERROR_CANCELLED)
			return reports[i]->exit_status;
		n_good += reports[i]->exit_status == 0;
	}
	if (n_good == n)
		return 0;
	return n_good > 0 ? EXIT_STATUS_MIXED : reports[0]->exit_status;
}

static struct report *verify_one(struct ui *ui, const struct job_request *req)
{
	struct report *r = report_new("verify");
	struct tty tty;

	if (!r)
		return NULL;
	if (opts_check_image_word(ui->opts, req->image, &r->error) < 0) {
		snprintf(r->image_path, sizeof(r->image_path), "%s", req->image);
		r->finished = time(NULL);
		r->exit_status = report_exit_status(r);
		return r;
	}
	tty_init(&tty, ui);
	tty_name_image(&tty, req->image);
	(void)job_verify(req, &tty.events, r);
	tty_done(&tty);
	return r;
}

/* Each is said when it is known; -1: out of memory. */
static int verify_all(struct ui *ui, struct report **reports, size_t *ret_n)
{
	struct words how =
		words_for(ui_columns(STDOUT_FILENO), ui->opts->bytes, ui->opts->verbose > 0);
	struct job_request req;

	cmd_make_request(ui->opts, &req);
	req.n_targets = 0;
	for (size_t i = 0; i < ui->opts->n_operands; i++) {
		struct report *r;

		req.image = ui->opts->operands[i];
		r = verify_one(ui, &req);
		if (!r)
			return -1;
		reports[(*ret_n)++] = r;
		if (!ui_wants_json(ui)) {
			print_image(ui, &how, r);
			fflush(ui->out);
		}
		if (r->error.kind != ERROR_NONE)
			ui_warn(ui, "%s", r->error.msg);
		if (r->error.kind == ERROR_CANCELLED)
			break;
	}
	return 0;
}

int cmd_verify(const struct options *opts, struct ui *ui)
{
	struct report **reports = calloc(opts->n_operands, sizeof(*reports));
	struct error err = ERROR_INIT;
	size_t n = 0;
	int status;

	signals_begin_job();
	if (!reports || verify_all(ui, reports, &n) < 0) {
		error_set_nomem(&err);
		status = ui_fail(ui, &err);
	} else {
		status = total_status((const struct report *const *)reports, n);
		if (ui_wants_json(ui))
			print_json(ui, (const struct report *const *)reports, n, status);
	}
	for (size_t i = 0; i < n; i++)
		report_free(reports[i]);
	free(reports);
	return status;
}
