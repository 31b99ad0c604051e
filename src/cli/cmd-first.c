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

/* What the question itself can lift does not make it another disk. */
static bool is_stick(const struct device_info *info)
{
	for (size_t i = 0; i < info->n_refused; i++) {
		if (info->refused[i].rule != RULE_MOUNTED && info->refused[i].rule != RULE_CONTENTS)
			return false;
	}
	return true;
}

/*
 * Moves the sticks to the front of the list; returns how many. Virtual devices are neither
 * sticks nor other disks: they are written when they are named, and never proposed.
 */
static size_t sort_sticks(struct device_info *list, size_t n, size_t *ret_n_others)
{
	size_t n_sticks = 0, n_others = 0;

	for (size_t i = 0; i < n; i++) {
		if (list[i].is_virtual)
			continue;
		if (!is_stick(&list[i]))
			n_others++;
		else if (n_sticks++ != i)
			list[n_sticks - 1] = list[i];
	}
	*ret_n_others = n_others;
	return n_sticks;
}

/* *ret is freed by the caller. What cannot be listed is not shown: devices says why. */
static size_t list_sticks(struct device_info **ret, size_t *ret_n_others)
{
	struct error err = ERROR_INIT;
	size_t n = 0;

	*ret = NULL;
	*ret_n_others = 0;
	if (device_list(false, ret, &n, &err) < 0)
		return 0;
	return sort_sticks(*ret, n, ret_n_others);
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

static void print_stick(FILE *out, const struct device_info *info)
{
	char words[320], content[512];

	stick_words(info, "  ", words, sizeof(words));
	fprintf(out, "%s  %s", info->path, words);
	if (info->usb_port[0])
		fprintf(out, _("  port %s"), info->usb_port);
	for (size_t i = 0; i < info->n_contents; i++) {
		struct device_content c = info->contents[i];

		if (c.is_table)
			continue;
		c.mountpoint[0] = '\0'; /* one line a stick: the question will name it */
		fprintf(out, "  %s", words_content(&c, content, sizeof(content)));
		break;
	}
	fprintf(out, "\n");
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

void first_print_contact(FILE *out, struct device_info *list, size_t n_list)
{
	size_t n_others, n = sort_sticks(list, n_list, &n_others);

	fprintf(out,
		_("isowrite writes an image to a USB stick or card, reads it back and compares.\n"
		  "  isowrite IMAGE DEVICE      e.g.  isowrite ubuntu.iso /dev/sdb\n"
		  "  isowrite inspect IMAGE     what is it, and where does it boot?\n"));
	if (n == 0)
		fprintf(out, _("Plug the stick in and run isowrite again.\n"));
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%-29s", i == 0 ? _("Sticks that may be written:") : "");
		print_stick(out, &list[i]);
	}
	if (n_others > 0)
		fprintf(out, _("Other disks: %zu, not offered (isowrite devices says why).   "),
			n_others);
	fprintf(out, "isowrite --help\n");
}

int cmd_first_contact(const struct options *opts, struct ui *ui)
{
	auto_free struct device_info *list = NULL;
	struct error err = ERROR_INIT;
	size_t n = 0;

	(void)opts;
	if (ui_wants_json(ui))
		return fail_usage(ui, "missing-operand", _("No image and no target were given."));
	(void)device_list(false, &list, &n, &err); /* without a list there is nothing to show */
	first_print_contact(ui->err, list, n);
	return EXIT_USAGE;
}

/* "ubuntu.iso is "Ubuntu 24.04", 6.2 GB; made to boot from a stick on BIOS and UEFI x64." */
static void describe_image(const char *path, uint64_t bytes, const struct layout *lay, char *buf,
			   size_t buf_size)
{
	char name[256], title[160], size[NUM_SIZE_LEN], made_for[128];
	const char *last;
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
	last = strrchr(made_for, ',');
	if (last)
		snprintf(buf + len, buf_size - len, _("; made to boot from a stick on %.*s and%s."),
			 (int)(last - made_for), made_for, last + 1);
	else if (made_for[0])
		snprintf(buf + len, buf_size - len, _("; made to boot from a stick on %s."),
			 made_for);
	else
		snprintf(buf + len, buf_size - len, ".");
}

void first_print_no_target(FILE *out, const char *path, uint64_t bytes, const struct layout *lay,
			   struct device_info *list, size_t n_list)
{
	size_t n_others, n = sort_sticks(list, n_list, &n_others);
	char text[1024] = "", line[1200];

	if (lay)
		describe_image(path, bytes, lay, text, sizeof(text));
	snprintf(line, sizeof(line), _("isowrite: no target given.%s%s%s"), text[0] ? " " : "",
		 text,
		 n == 0   ? _(" Plug the stick in and run isowrite again.")
		 : n == 1 ? _(" One stick is plugged in; to write it:")
			  : _(" Several sticks are plugged in; to write one of them:"));
	words_wrap(out, line, 0);
	for (size_t i = 0; i < n; i++) {
		char words[320], command[4700], quoted[4352];

		text_shell_quote(path, quoted, sizeof(quoted));
		snprintf(command, sizeof(command), "isowrite %s%s %s",
			 path[0] == '-' && path[1] ? "-- " : "", quoted, list[i].path);
		stick_words(&list[i], ", ", words, sizeof(words));
		fprintf(out, "    %-39s (%s)\n", command, words);
	}
}

/* Looks at the image; standard input is left alone. */
static int look(const char *path, struct layout *lay, uint64_t *ret_bytes, struct error *err)
{
	struct source *src = NULL;
	int r;

	if (source_open(path, &src, err) < 0)
		return -1;
	r = detect_layout(src, DETECT_BUDGET, lay, err);
	if (r == 0)
		r = detect_check_foreign(lay, path, err);
	*ret_bytes = src->size != SOURCE_SIZE_UNKNOWN ? src->size : src->file_size;
	source_free(src);
	return r;
}

int cmd_no_target(const struct options *opts, struct ui *ui)
{
	const char *path = opts->operands[0];
	auto_free struct device_info *list = NULL;
	auto_free struct layout *lay = calloc(1, sizeof(*lay));
	struct error err = ERROR_INIT, ignored = ERROR_INIT;
	bool is_stdin = strcmp(path, "-") == 0;
	uint64_t bytes = SOURCE_SIZE_UNKNOWN;
	size_t n = 0;

	if (!lay) {
		error_set_nomem(&err);
		return ui_fail(ui, &err);
	}
	if (opts_check_image_word(path, &err) < 0 ||
	    (!is_stdin && look(path, lay, &bytes, &err) < 0))
		return ui_fail(ui, &err);
	if (ui_wants_json(ui)) {
		ui_warn(ui, _("no target given."));
		return fail_usage(ui, "missing-operand", _("No target was given."));
	}
	(void)device_list(false, &list, &n, &ignored);
	first_print_no_target(ui->err, path, bytes, is_stdin ? NULL : lay, list, n);
	return EXIT_USAGE;
}
