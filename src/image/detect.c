// SPDX-License-Identifier: GPL-3.0-or-later
/* The ordered table of detectors, and what they share; see detect.h. */
#include "image/detect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

/*
 * Foreign formats first: what they wrap must not be taken for the image. Then
 * what lies where, then what only all of that together tells.
 */
static const struct detector detectors[] = {
	{ "foreign", detect_foreign },   { "mbr", detect_mbr },
	{ "gpt", detect_gpt },           { "apm", detect_apm },
	{ "hfs", detect_hfs },           { "iso", detect_iso },
	{ "eltorito", detect_eltorito }, { "udf", detect_udf },
	{ "files", detect_files },       { "filesystem", detect_filesystem },
	{ "loaders", detect_loaders },   { "hybrid", detect_hybrid },
	{ "size", detect_size },         { "boot", detect_boot },
};

static bool has_finding(const struct layout *lay, const char *code)
{
	for (uint32_t i = 0; i < lay->n_findings; i++)
		if (strcmp(lay->findings[i].code, code) == 0)
			return true;
	return false;
}

int detect_read(struct detect *d, uint64_t off, void *buf, size_t len, struct error *err)
{
	size_t got;

	if (!num_is_within(off, len, d->visible))
		return 0;
	if (len > d->budget) {
		if (!has_finding(d->lay, "read-budget"))
			layout_add_finding(d->lay, LAYOUT_INFO, "read-budget",
					   _("Only part of the image was looked at; "
					     "isowrite inspect --full reads on."));
		return 0;
	}
	if (source_peek(d->src, off, buf, len, &got, err) < 0)
		return -1;
	d->lay->bytes_read += got;
	d->budget -= got;
	return got == len;
}

void detect_claim(struct detect *d, uint64_t end, const char *by)
{
	if (end > UINT64_C(1) << 60 || end <= d->lay->expected_size)
		return;
	d->lay->expected_size = end;
	snprintf(d->lay->expected_by, sizeof(d->lay->expected_by), "%s", by);
}

void detect_begin(struct detect *d, struct source *src, uint64_t budget, struct layout *lay)
{
	memset(d, 0, sizeof(*d));
	d->src = src;
	d->lay = lay;
	d->size = src->size;
	d->visible = src->access == SOURCE_RANDOM ? d->size : num_min(d->size, SOURCE_HEAD_SIZE);
	d->budget = budget;
}

int detect_layout(struct source *src, uint64_t budget, struct layout *ret, struct error *err)
{
	struct layout *lay = calloc(1, sizeof(*lay));
	struct detect d;
	int rc = 0;

	if (!lay)
		return error_set_nomem(err);
	detect_begin(&d, src, budget, lay);
	lay->size = d.size;
	lay->is_partial = d.visible < d.size;
	for (size_t i = 0; i < ARRAY_SIZE(detectors) && rc == 0 && !lay->foreign[0]; i++)
		rc = detectors[i].detect(&d, err);
	if (rc == 0)
		*ret = *lay;
	free(lay);
	return rc;
}

void detect_finish(struct layout *lay, uint64_t size)
{
	char end[NUM_SIZE_LEN], expected[NUM_SIZE_LEN], missing[NUM_SIZE_LEN];

	lay->size = size;
	if (size == UINT64_MAX || size >= lay->expected_size || lay->is_truncated)
		return;
	lay->is_truncated = true;
	num_format_bytes(end, sizeof(end), size);
	num_format_bytes(expected, sizeof(expected), lay->expected_size);
	num_format_bytes(missing, sizeof(missing), lay->expected_size - size);
	layout_add_finding(lay, LAYOUT_ERROR, "truncated",
			   _("The image ends at byte %s, but %s reaches to byte %s: %s bytes are "
			     "missing."),
			   end, lay->expected_by, expected, missing);
}
