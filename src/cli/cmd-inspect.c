// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * isowrite inspect IMAGE|DEVICE: what it is, and where it boots. Reads at most
 * a few MiB (--full: whatever the tables point to, and a stream to its end) and
 * writes nothing.
 */
#include <stdint.h>

#include "base/cleanup.h"
#include "cli/cmd.h"
#include "image/detect.h"
#include "image/source.h"
#include "job/report-layout.h"
#include "job/report.h"

DEFINE_AUTO(struct source *, source_free);
#define auto_source auto_cleanup(source_free)

/* A truncated image is of no use: status 4, after all that was found out has been said. */
static int exit_status(const struct layout *lay)
{
	return lay->is_truncated ? error_kind_exit_status(ERROR_IMAGE) : 0;
}

static int print_json(struct ui *ui, const struct source *src, const char *path,
		      const struct layout *lay)
{
	int status = exit_status(lay);
	struct json j;

	ui_json_begin(ui, &j, status);
	json_string(&j, "path", path);
	json_string(&j, "compression", src->compression);
	report_layout_to_json(lay, &j);
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

int cmd_inspect(const struct options *opts, struct ui *ui)
{
	const char *path = opts->operands[0];
	auto_source struct source *src = NULL;
	auto_free struct layout *lay = calloc(1, sizeof(*lay));
	struct error err = ERROR_INIT;

	if (!lay) {
		error_set_nomem(&err);
		return ui_fail(ui, &err);
	}
	if (source_open(path, &src, &err) < 0 ||
	    detect_layout(src, opts->full ? UINT64_MAX : DETECT_BUDGET, lay, &err) < 0 ||
	    detect_check_foreign(lay, path, &err) < 0)
		return ui_fail(ui, &err);
	if (opts->full && src->access == SOURCE_SEQUENTIAL && read_through(src, lay, &err) < 0)
		return ui_fail(ui, &err);
	if (ui_wants_json(ui))
		return print_json(ui, src, path, lay);
	report_layout_print(lay, path, opts->bytes, ui->out);
	return exit_status(lay);
}
