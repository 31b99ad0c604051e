// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * First contact: isowrite without arguments, or with an image and no target.
 * Both say which sticks there are; neither ever picks one. Exit status 2.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/cmd-job.h"
#include "cli/opts.h"
#include "cli/sticks.h"
#include "cli/ui.h"
#include "cli/words.h"
#include "image/detect.h"
#include "image/source.h"
#include "io/device.h"

#define EXIT_USAGE 2

#define MAX_STICKS 3 /* named below an error */

void cmd_print_sticks(struct ui *ui, const char *missing, dev_t refused)
{
	char words[320], line[2048] = "";
	const char *name;
	struct sticks s;
	size_t near;

	sticks_read(&s);
	if (refused)
		sticks_drop(&s, refused);
	near = missing ? sticks_nearest(&s, missing, &name) : s.n;
	if (near < s.n) {
		ui_note(ui, _("Did you mean %s (%s)?"), name,
			sticks_words(&s, near, ", ", words, sizeof(words)));
	} else if (s.n == 0 && missing && strncmp(missing, "/dev/", 5) == 0) {
		ui_note(ui, _("Plug the stick in and run isowrite again."));
	} else if (s.n > 0) {
		for (size_t i = 0; i < s.n && i < MAX_STICKS; i++) {
			size_t len = strlen(line);

			snprintf(line + len, sizeof(line) - len, "%s%s %s", i ? ", " : "",
				 s.list[i].path, sticks_words(&s, i, " ", words, sizeof(words)));
		}
		if (s.n > MAX_STICKS)
			ui_note(ui, _("Sticks that may be written: %s, and %zu more."), line,
				s.n - MAX_STICKS);
		else
			ui_note(ui, _("Sticks that may be written: %s"), line);
	}
	sticks_done(&s);
}

/* "/dev/sdb  SanDisk Ultra  32 GB  port 1-4  FAT "KEY"" */
static void describe_stick(const struct device_info *info, char *buf, size_t size)
{
	struct device_info copy = *info;
	const struct sticks alone = { .list = &copy, .n = 1 };
	char words[320], content[512];
	int n;

	n = snprintf(buf, size, "%s  %s", info->path,
		     sticks_words(&alone, 0, "  ", words, sizeof(words)));
	if (info->usb_port[0])
		n += snprintf(buf + n, size - (size_t)n, _("  port %s"),
			      text_escape(info->usb_port, SIZE_MAX, words, sizeof(words)));
	for (size_t i = 0; i < info->n_contents; i++) {
		struct device_content c = info->contents[i];

		if (c.is_table || strcmp(c.type, "unreadable") == 0)
			continue;
		/* One line a stick: the question will say where it is mounted, and which FAT. */
		c.mountpoint[0] = c.version[0] = '\0';
		snprintf(buf + n, size - (size_t)n, "  %s",
			 words_content(&c, content, sizeof(content)));
		break;
	}
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

#define STICKS_COLUMN 29

/* Each on a line of its own, behind the heading where all fit there. */
static void print_sticks(FILE *out, const struct words *how, const struct sticks *s)
{
	bool is_narrow = false;
	char line[1400];

	for (size_t i = 0; i < s->n; i++) {
		describe_stick(&s->list[i], line, sizeof(line));
		is_narrow = is_narrow || strlen(line) + STICKS_COLUMN > how->width + 1;
	}
	fprintf(out, "%-*s", is_narrow ? 0 : STICKS_COLUMN, _("Sticks that may be written:"));
	if (is_narrow)
		fprintf(out, "\n");
	for (size_t i = 0; i < s->n; i++) {
		char text[1410];

		describe_stick(&s->list[i], line, sizeof(line));
		if (is_narrow) {
			snprintf(text, sizeof(text), "  %s", line);
			words_fill(out, how, text, 4);
		} else {
			fprintf(out, "%*s%s\n", i ? STICKS_COLUMN : 0, "", line);
		}
	}
}

static void print_uses(FILE *out, const struct words *how)
{
	static const char *const uses[][2] = {
		{ "IMAGE DEVICE", _("e.g.  isowrite ubuntu.iso /dev/sdb") },
		{ "verify IMAGE", _("is this download what its makers published?") },
		{ "inspect IMAGE", _("what is it, and where does it boot?") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
		char line[128];

		if (how->width == WORDS_WIDTH) {
			fprintf(out, "  isowrite %-16s  %s\n", uses[i][0], uses[i][1]);
			continue;
		}
		snprintf(line, sizeof(line), "    %s", uses[i][1]);
		fprintf(out, "  isowrite %s\n", uses[i][0]);
		words_fill(out, how, line, 4);
	}
}

void first_print_contact(FILE *out, unsigned int columns, struct device_info *list, size_t n_list)
{
	struct words how = words_for(columns, false, false);
	struct sticks s = sticks_of(list, n_list);
	char line[160];

	words_fill(out, &how,
		   _("isowrite writes an image to a USB stick or card, reads it back and "
		     "compares."),
		   0);
	print_uses(out, &how);
	if (s.n == 0)
		words_fill(out, &how, _("Plug the stick in and run isowrite again."), 0);
	else
		print_sticks(out, &how, &s);
	if (s.n_others == 0) {
		fprintf(out, "isowrite --help\n");
		return;
	}
	snprintf(line, sizeof(line),
		 _("Other disks: %zu, not offered (isowrite devices says why)."), s.n_others);
	if (how.width < WORDS_WIDTH) {
		words_fill(out, &how, line, 0);
		fprintf(out, "isowrite --help\n");
	} else {
		fprintf(out, "%s   isowrite --help\n", line);
	}
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
	first_print_contact(ui->err, ui->err_columns, list, n);
	return EXIT_USAGE;
}

/* "ubuntu.iso is "Ubuntu 24.04", 6.2 GB; made to boot from a stick on BIOS and UEFI x64." */
static void describe_image(const char *path, uint64_t bytes, const struct layout *lay, char *buf,
			   size_t buf_size)
{
	char name[256], title[160], size[NUM_SIZE_LEN], platforms[64];
	bool is_hybrid = lay->boot.is_hybrid_needed;
	const char *last;
	size_t len;

	text_escape(path, SIZE_MAX, name, sizeof(name));
	layout_title(lay, title, sizeof(title));
	layout_will_boot(lay, platforms, sizeof(platforms));
	if (title[0])
		snprintf(buf, buf_size, _("%s is \"%s\""), name, title);
	else
		snprintf(buf, buf_size, _("%s is an image"), name);
	len = strlen(buf);
	if (bytes != SOURCE_SIZE_UNKNOWN)
		snprintf(buf + len, buf_size - len, ", %s",
			 num_format_size(size, sizeof(size), bytes));
	len = strlen(buf);
	last = strrchr(platforms, ',');
	if (last)
		snprintf(
			buf + len, buf_size - len,
			is_hybrid
				? _("; what isowrite makes of it boots from a stick on %.*s and%s.")
				: _("; made to boot from a stick on %.*s and%s."),
			(int)(last - platforms), platforms, last + 1);
	else if (platforms[0])
		snprintf(buf + len, buf_size - len,
			 is_hybrid ? _("; what isowrite makes of it boots from a stick on %s.")
				   : _("; made to boot from a stick on %s."),
			 platforms);
	else
		snprintf(buf + len, buf_size - len, ".");
}

void first_print_no_target(FILE *out, unsigned int columns, const char *path, uint64_t bytes,
			   const struct layout *lay, struct device_info *list, size_t n_list)
{
	struct words how = words_for(columns, false, false);
	struct sticks s = sticks_of(list, n_list);
	char text[1024] = "", line[1200];

	if (lay)
		describe_image(path, bytes, lay, text, sizeof(text));
	snprintf(line, sizeof(line), _("isowrite: no target given.%s%s%s"), text[0] ? " " : "",
		 text,
		 s.n == 0   ? _(" Plug the stick in and run isowrite again.")
		 : s.n == 1 ? _(" One stick is plugged in; to write it:")
			    : _(" Several sticks are plugged in; to write one of them:"));
	words_fill(out, &how, line, 0);
	for (size_t i = 0; i < s.n; i++) {
		char words[320], command[4700], quoted[4352];

		text_shell_quote(path, quoted, sizeof(quoted));
		snprintf(command, sizeof(command), "isowrite %s%s %s",
			 path[0] == '-' && path[1] ? "-- " : "", quoted, s.list[i].path);
		sticks_words(&s, i, ", ", words, sizeof(words));
		if (how.width < WORDS_WIDTH)
			fprintf(out, "    %s\n      (%s)\n", command, words);
		else
			fprintf(out, "    %-39s (%s)\n", command, words);
	}
}

/*
 * `isowrite /dev/sdb`: the stick alone. Is the image on standard input, then what was meant is
 * that; what the image is called is told, where the shell opened it.
 */
static int fail_no_image(struct ui *ui, const struct sticks *s, size_t i)
{
	char words[320], name[4096] = "", quoted[4352] = "IMAGE";
	struct stat st = { 0 };

	sticks_words(s, i, ", ", words, sizeof(words));
	(void)fstat(STDIN_FILENO, &st);
	if (S_ISREG(st.st_mode)) {
		if (readlink("/proc/self/fd/0", name, sizeof(name) - 1) < 0 ||
		    access(name, R_OK) < 0 || !text_shell_quote(name, quoted, sizeof(quoted))[0])
			snprintf(quoted, sizeof(quoted), "IMAGE");
	} else if (S_ISFIFO(st.st_mode)) {
		snprintf(quoted, sizeof(quoted), "-");
	}
	ui_warn(ui,
		_("no image given; %s is a stick (%s). The image comes first:\n  isowrite %s %s"),
		s->list[i].path, words, quoted, s->list[i].path);
	return ui_wants_json(ui) ? fail_usage(ui, "missing-operand", _("No image was given."))
				 : EXIT_USAGE;
}

/* Is the only operand one of the sticks? Their count if not. */
static size_t find_stick(const struct sticks *s, const char *path)
{
	struct stat st;
	size_t i = 0;

	if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
		return s->n;
	while (i < s->n && s->list[i].rdev != st.st_rdev)
		i++;
	return i;
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
	struct sticks s;
	size_t n = 0, i;

	if (!lay) {
		error_set_nomem(&err);
		return ui_fail(ui, &err);
	}
	if (opts_check_image_word(opts, path, &err) < 0)
		return ui_fail(ui, &err);
	(void)device_list(false, &list, &n, &ignored);
	s = sticks_of(list, n);
	i = find_stick(&s, path);
	if (i < s.n)
		return fail_no_image(ui, &s, i);
	if (!is_stdin && look(path, lay, &bytes, &err) < 0)
		return ui_fail(ui, &err);
	if (ui_wants_json(ui)) {
		ui_warn(ui, _("no target given."));
		return fail_usage(ui, "missing-operand", _("No target was given."));
	}
	first_print_no_target(ui->err, ui->err_columns, path, bytes, is_stdin ? NULL : lay, list,
			      n);
	return EXIT_USAGE;
}
