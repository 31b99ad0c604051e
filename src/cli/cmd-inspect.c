// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * isowrite inspect IMAGE|DEVICE: what it is, and where it boots. Reads at most
 * a few MiB (--full: whatever the tables point to, and a stream to its end) and
 * writes nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/outfile.h"
#include "base/text.h"
#include "cli/cmd-job.h"
#include "cli/opts.h"
#include "cli/draw.h"
#include "cli/ui.h"
#include "cli/words.h"
#include "image/detect.h"
#include "image/source.h"
#include "job/report-layout.h"
#include "job/report-secure-boot.h"
#include "job/report.h"

DEFINE_AUTO(struct source *, source_free);
#define auto_source auto_cleanup(source_free)

static inline void cleanup_secure_boot(struct secure_boot *sb)
{
	secure_boot_done(sb);
}
#define auto_secure_boot __attribute__((cleanup(cleanup_secure_boot)))

/* A truncated image is of no use: status 4, after all that was found out has been said. */
static int exit_status(const struct layout *lay)
{
	return lay->is_truncated ? error_kind_exit_status(ERROR_IMAGE) : 0;
}

static int print_json(struct ui *ui, const struct source *src, const char *path,
		      const struct layout *lay, const struct secure_boot *sb)
{
	int status = exit_status(lay);
	struct json j;

	ui_json_begin(ui, &j, status);
	json_string(&j, "path", path);
	json_string(&j, "compression", src->compression);
	report_layout_to_json(lay, &j);
	report_secure_boot_to_json(sb, &j);
	json_u64(&j, "bytes_read", lay->bytes_read);
	return ui_json_end(ui, &j, lay->findings, lay->n_findings, status);
}

/* Reads a stream to its verified end, so that its size is known, and whether it is whole. */
static int read_through(struct source *src, struct layout *lay, struct error *err)
{
	static uint8_t buf[256 << 10];
	uint64_t size = 0;
	size_t n;

	do {
		if (source_next(src, buf, sizeof(buf), &n, err) < 0)
			return -1;
		size += n;
	} while (n == sizeof(buf));
	detect_finish(lay, size);
	return 0;
}

static void print_map(struct ui *ui, const struct layout *lay)
{
	auto_free struct map *map = NULL, *part = NULL;
	struct draw how = draw_for(ui);

	if (!draw_is_wanted(ui))
		return;
	map = map_of_layout(lay);
	if (!map || map->n_spans == 0 || map_enlarge(map, &part) < 0)
		return;
	fputc('\n', ui->out);
	draw_map(ui->out, map, &how);
	if (part) {
		fputc('\n', ui->out);
		draw_map(ui->out, part, &how);
	}
	if (lay->n_findings > 0)
		fputc('\n', ui->out);
}

static int check_svg(const struct options *opts, const struct source *src, struct error *err)
{
	struct stat image, svg;
	char name[300];

	if (outfile_check(_("picture"), opts->svg, opts->overwrite, err) < 0)
		return -1;
	if (fstat(src->fd, &image) < 0 || stat(opts->svg, &svg) < 0 || image.st_dev != svg.st_dev ||
	    image.st_ino != svg.st_ino)
		return 0;
	return error_set(err, ERROR_USAGE, "output-path",
			 _("The picture %s would replace the image; choose another place."),
			 text_escape(opts->svg, SIZE_MAX, name, sizeof(name)));
}

/* Only the last part of the path: the picture may be shown to others. */
static int write_svg(const struct options *opts, const struct layout *lay, struct error *err)
{
	auto_free struct map *map = map_of_layout(lay);
	const char *path = opts->operands[0], *slash = strrchr(path, '/');
	char name[300], title[400], size[NUM_SIZE_LEN];
	auto_free char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!map || !out) {
		if (out)
			fclose(out);
		return error_set_nomem(err);
	}
	text_escape(slash ? slash + 1 : path, SIZE_MAX, name, sizeof(name));
	/* Of a stream that was not read to its end. */
	if (map->size == 0)
		snprintf(title, sizeof(title), _("%s, its size is not known"), name);
	else
		snprintf(title, sizeof(title), _("%s, %s bytes"), name,
			 num_format_bytes(size, sizeof(size), map->size));
	draw_map_svg(out, map, title);
	if (fclose(out) != 0)
		return error_set_nomem(err);
	return outfile_write(_("picture"), opts->svg, opts->overwrite, text, len, err);
}

static void print_text(const struct ui *ui, const struct layout *lay, const struct secure_boot *sb,
		       const char *path, FILE *out)
{
	report_layout_print(lay, path, ui->opts->bytes, out);
	report_secure_boot_print(sb, out);
}

/* Not folded where nobody looks: for scripts a line is an entry. */
static void print_layout(struct ui *ui, const struct layout *lay, const struct secure_boot *sb,
			 const char *path)
{
	unsigned int columns = ui_columns(STDOUT_FILENO);
	auto_free char *text = NULL;
	size_t len = 0;
	FILE *out = columns ? open_memstream(&text, &len) : NULL;

	print_text(ui, lay, sb, path, out ? out : ui->out);
	if (!out)
		return;
	if (fclose(out) == 0)
		words_fold(ui->out, columns, text);
	else
		print_text(ui, lay, sb, path, ui->out);
}

/* Another folder than the machine's own is for tests. */
static int look_at_secure_boot(const struct options *opts, struct source *src, struct layout *lay,
			       struct secure_boot *ret, struct error *err)
{
	const char *efivars = secure_getenv("ISOWRITE_EFIVARS");

	return secure_boot_look(src, lay, opts->full, efivars ? efivars : REVOCATIONS_EFIVARS,
				opts->dbx, ret, err);
}

int cmd_inspect(const struct options *opts, struct ui *ui)
{
	const char *path = opts->operands[0];
	auto_source struct source *src = NULL;
	auto_free struct layout *lay = calloc(1, sizeof(*lay));
	auto_secure_boot struct secure_boot sb = { .n_files = 0 };
	struct error err = ERROR_INIT;

	if (!lay) {
		error_set_nomem(&err);
		return ui_fail(ui, &err);
	}
	if (opts_check_image_word(opts, path, &err) < 0 || source_open(path, &src, &err) < 0)
		return cmd_fail_device(ui, &err, path);
	if ((opts->svg && check_svg(opts, src, &err) < 0) ||
	    detect_layout(src, opts->full ? UINT64_MAX : DETECT_BUDGET, lay, &err) < 0 ||
	    detect_check_foreign(lay, path, &err) < 0 ||
	    look_at_secure_boot(opts, src, lay, &sb, &err) < 0)
		return ui_fail(ui, &err);
	if (opts->full && src->access == SOURCE_SEQUENTIAL && read_through(src, lay, &err) < 0)
		return ui_fail(ui, &err);
	if (opts->svg && write_svg(opts, lay, &err) < 0)
		return ui_fail(ui, &err);
	if (ui_wants_json(ui))
		return print_json(ui, src, path, lay, &sb);
	print_layout(ui, lay, &sb, path);
	print_map(ui, lay);
	report_layout_print_findings(lay, ui->out);
	return exit_status(lay);
}
