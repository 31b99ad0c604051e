// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * First contact: isowrite without arguments, or with an image and no target.
 * Both say which sticks there are; neither ever picks one. Exit status 2.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/cmd-job.h"
#include "cli/opts.h"
#include "cli/ui.h"
#include "cli/words.h"
#include "image/detect.h"
#include "image/source.h"
#include "io/device.h"

#define EXIT_USAGE 2

/* "SanDisk Ultra" of vendor and model: escaped. Many models repeat the vendor. */
static const char *stick_name(const struct device_info *info, char *buf, size_t size)
{
	char both[192];
	bool is_repeated = strncasecmp(info->vendor, info->model, strlen(info->vendor)) == 0;

	snprintf(both, sizeof(both), "%s%s%s", is_repeated ? "" : info->vendor,
		 is_repeated || !info->model[0] ? "" : " ", info->model);
	return text_escape_trim(both, buf, size);
}

/* "SanDisk Ultra, 32 GB" with any separator. */
static void stick_words(const struct device_info *info, const char *between, char *buf, size_t size)
{
	char name[256], word[NUM_SIZE_LEN];

	stick_name(info, name, sizeof(name));
	snprintf(buf, size, "%s%s%s", name, name[0] ? between : "",
		 device_size_word(info, word, sizeof(word)));
}

/* The disks: *ret is freed by the caller. Without /sys there are none to show. */
static size_t list_sticks(struct device_info **ret, size_t *ret_n_others)
{
	struct error err = ERROR_INIT;
	size_t n = 0, n_sticks = 0;

	*ret = NULL;
	*ret_n_others = 0;
	if (device_list(false, ret, &n, &err) < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		struct device_info *info = &(*ret)[i];
		bool is_stick = true;

		/* What the question itself can lift does not make it another disk. */
		for (size_t k = 0; k < info->n_refused; k++)
			is_stick = is_stick && (info->refused[k].rule == RULE_MOUNTED ||
						info->refused[k].rule == RULE_CONTENTS);
		if (!is_stick)
			(*ret_n_others)++;
		else if (n_sticks++ != i)
			(*ret)[n_sticks - 1] = *info;
	}
	return n_sticks;
}

void cmd_print_sticks(struct ui *ui, const char *indent)
{
	auto_free struct device_info *sticks = NULL;
	size_t n_others, n = list_sticks(&sticks, &n_others);
	char words[320];

	if (n == 0)
		return;
	fprintf(ui->err, _("%sSticks that may be written: "), indent);
	for (size_t i = 0; i < n; i++) {
		stick_words(&sticks[i], " ", words, sizeof(words));
		fprintf(ui->err, "%s%s %s", i ? ", " : "", sticks[i].path, words);
	}
	fprintf(ui->err, "\n");
}

static void print_stick(struct ui *ui, const struct device_info *info)
{
	char words[320], content[512];

	stick_words(info, "  ", words, sizeof(words));
	fprintf(ui->err, "%s  %s", info->path, words);
	if (info->usb_port[0])
		fprintf(ui->err, _("  port %s"), info->usb_port);
	for (size_t i = 0; i < info->n_contents; i++) {
		if (info->contents[i].is_table)
			continue;
		fprintf(ui->err, "  %s",
			words_content(&info->contents[i], content, sizeof(content)));
		break;
	}
	fprintf(ui->err, "\n");
}

static int fail_usage(struct ui *ui, const char *code, const char *message)
{
	struct layout_finding finding = { .severity = LAYOUT_ERROR };
	struct json j;

	snprintf(finding.code, sizeof(finding.code), "%s", code);
	snprintf(finding.message, sizeof(finding.message), "%s", message);
	ui_json_begin(ui, &j, EXIT_USAGE);
	return ui_json_end(ui, &j, &finding, 1, EXIT_USAGE);
}

int cmd_first_contact(const struct options *opts, struct ui *ui)
{
	auto_free struct device_info *sticks = NULL;
	size_t n_others, n;

	(void)opts;
	if (ui_wants_json(ui))
		return fail_usage(ui, "missing-operand", _("No image and no target were given."));
	fprintf(ui->err,
		_("isowrite writes an image to a USB stick or card, reads it back and compares.\n"
		  "  isowrite IMAGE DEVICE      e.g.  isowrite ubuntu.iso /dev/sdb\n"
		  "  isowrite inspect IMAGE     what is it, and where does it boot?\n"));
	n = list_sticks(&sticks, &n_others);
	if (n == 0)
		fprintf(ui->err, _("Plug the stick in and run isowrite again.\n"));
	for (size_t i = 0; i < n; i++) {
		fprintf(ui->err, "%-29s", i == 0 ? _("Sticks that may be written:") : "");
		print_stick(ui, &sticks[i]);
	}
	if (n_others > 0)
		fprintf(ui->err, _("Other disks: %zu, not offered (isowrite devices says why).   "),
			n_others);
	fprintf(ui->err, "isowrite --help\n");
	return EXIT_USAGE;
}

/* "ubuntu.iso is "Ubuntu 24.04", 6.2 GB; made to boot from a stick on BIOS and UEFI x64." */
static void describe_image(const char *path, const struct source *src, const struct layout *lay,
			   char *buf, size_t buf_size)
{
	char name[256], title[160], size[NUM_SIZE_LEN], made_for[128];
	uint64_t bytes = src->size != SOURCE_SIZE_UNKNOWN ? src->size : src->file_size;
	size_t len;

	text_escape(path, SIZE_MAX, name, sizeof(name));
	layout_title(lay, title, sizeof(title));
	layout_made_for(lay, made_for, sizeof(made_for));
	if (title[0])
		snprintf(buf, buf_size, _("%s is \"%s\""), name, title);
	else
		snprintf(buf, buf_size, _("%s is an image"), name);
	len = strlen(buf);
	if (bytes != SOURCE_SIZE_UNKNOWN)
		snprintf(buf + len, buf_size - len, ", %s",
			 num_format_size(size, sizeof(size), bytes));
	len = strlen(buf);
	if (made_for[0])
		snprintf(buf + len, buf_size - len, _("; made to boot from a stick on %s."),
			 made_for);
	else
		snprintf(buf + len, buf_size - len, ".");
}

/* The commands that write the image, one line a stick. */
static void suggest(struct ui *ui, const char *image, const struct device_info *sticks, size_t n)
{
	char words[320], command[4700], quoted[4352];

	for (size_t i = 0; i < n; i++) {
		text_shell_quote(image, quoted, sizeof(quoted));
		snprintf(command, sizeof(command), "isowrite %s%s %s", image[0] == '-' ? "-- " : "",
			 quoted, sticks[i].path);
		stick_words(&sticks[i], ", ", words, sizeof(words));
		fprintf(ui->err, "    %-39s (%s)\n", command, words);
	}
}

int cmd_no_target(const struct options *opts, struct ui *ui)
{
	const char *path = opts->operands[0];
	auto_free struct device_info *sticks = NULL;
	struct layout *lay = NULL;
	struct source *src = NULL;
	struct error err = ERROR_INIT;
	size_t n_others, n;
	char text[1024] = "";
	int status = EXIT_USAGE;

	if (opts_check_image_word(path, &err) < 0)
		return ui_fail(ui, &err);
	if (strcmp(path, "-") != 0) {
		lay = malloc(sizeof(*lay));
		if (!lay)
			error_set_nomem(&err);
		else if (source_open(path, &src, &err) == 0 &&
			 detect_layout(src, DETECT_BUDGET, lay, &err) == 0)
			describe_image(path, src, lay, text, sizeof(text));
	}
	if (err.kind != ERROR_NONE) {
		status = ui_fail(ui, &err);
	} else if (ui_wants_json(ui)) {
		ui_warn(ui, _("no target given."));
		status = fail_usage(ui, "missing-operand", _("No target was given."));
	} else {
		char line[1200];

		n = list_sticks(&sticks, &n_others);
		snprintf(line, sizeof(line), _("isowrite: no target given.%s%s%s"),
			 text[0] ? " " : "", text,
			 n == 0   ? _(" Plug the stick in and run isowrite again.")
			 : n == 1 ? _(" One stick is plugged in; to write it:")
				  : _(" Several sticks are plugged in; to write one of them:"));
		words_wrap(ui->err, line, 0);
		suggest(ui, path, sticks, n);
	}
	source_free(src);
	free(lay);
	return status;
}
