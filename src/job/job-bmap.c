// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A job's block map (--bmap): read with the image, and the image held against it.
 * A file as it is, before the first byte is written; a stream or a compressed file
 * while it passes, so that a damaged range ends the job before the commit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "job/job-state.h"

#define READ_SIZE ((size_t)MIB)

/* On the thread that reads the stream. */
static int watch(void *ctx, uint64_t off, const void *data, size_t len, struct error *err)
{
	struct job *j = ctx;
	size_t used;
	int rc = len > 0 ? bmap_check_feed(j->bmap_check, off, data, len, err)
			 : bmap_check_end(j->bmap_check, off, err);

	if (rc == 0 || !j->is_writing)
		return rc;
	used = strlen(err->msg);
	snprintf(err->msg + used, sizeof(err->msg) - used, " %s",
		 _("What was written does not boot: its first and last MiB are blank."));
	return -1;
}

/* One is there, but nobody asked for it. */
static void mention(struct job *j)
{
	struct report *r = j->r;
	char word[sizeof(r->bmap_beside) + 2];

	if (j->req->bmap ||
	    !bmap_find_beside(j->req->image, r->bmap_beside, sizeof(r->bmap_beside)))
		return;
	report_add_finding(r, LAYOUT_INFO, "bmap-beside",
			   _("There is a block map beside the image: --bmap=%s uses it."),
			   text_shell_quote(r->bmap_beside, word, sizeof(word)));
}

int job_open_bmap(struct job *j, struct error *err)
{
	struct report *r = j->r;
	char name[256];

	if (!j->req->bmap || strcmp(j->req->bmap, "none") == 0) {
		if (j->req->bmap_zero)
			return error_set(err, ERROR_USAGE, "bmap-zero",
					 _("--bmap-zero is about what a block map leaves out; name "
					   "one by --bmap=FILE."));
		mention(j);
		return 0;
	}
	if (bmap_open(j->req->bmap, &j->bmap, err) < 0 ||
	    bmap_check_new(j->bmap, job_image_name(j, name, sizeof(name)), &j->bmap_check, err) < 0)
		return -1;
	snprintf(r->bmap_path, sizeof(r->bmap_path), "%s", j->req->bmap);
	r->bmap_zero = j->req->bmap_zero;
	if (j->source->size != SOURCE_SIZE_UNKNOWN &&
	    bmap_check_size(j->bmap_check, j->source->size, err) < 0)
		return -1;
	if (j->bmap->n_unchecked > 0)
		job_warn(j, EVENT_NO_TARGET, "bmap-unchecked",
			 _("The block map has no checksum for %zu of its %zu ranges, so damage of "
			   "the image there is not noticed."),
			 j->bmap->n_unchecked, j->bmap->n_ranges);
	if (j->source->access == SOURCE_SEQUENTIAL)
		source_set_watch(j->source, watch, j);
	return 0;
}

int job_check_bmap(struct job *j, struct error *err)
{
	auto_free uint8_t *buf = NULL;
	uint64_t done = 0;

	if (!j->bmap || j->source->access != SOURCE_RANDOM)
		return 0;
	buf = malloc(READ_SIZE);
	if (!buf)
		return error_set_nomem(err);
	job_emit_phase(j, EVENT_NO_TARGET, PHASE_CHECK);
	for (size_t i = 0; i < j->bmap->n_ranges; i++) {
		const struct bmap_range *r = &j->bmap->ranges[i];

		for (uint64_t off = 0; off < r->len; off += READ_SIZE) {
			size_t len = (size_t)num_min(READ_SIZE, r->len - off);

			if (source_read_at(j->source, r->start + off, buf, len, err) < 0 ||
			    bmap_check_feed(j->bmap_check, r->start + off, buf, len, err) < 0)
				return -1;
			done += len;
			if (job_read_progress(j, done, j->bmap->mapped_size))
				return error_set(err, ERROR_CANCELLED, "cancelled",
						 _("Cancelled; nothing was written."));
		}
	}
	return 0;
}
