// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A job's image: opened, recognised, and refused while nothing was touched yet
 * when it is a foreign format or shorter than its own tables say.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/num.h"
#include "base/text.h"
#include "image/detect.h"
#include "job/job-state.h"

const char *job_image_name(const struct job *j, char *buf, size_t size)
{
	if (strcmp(j->req->image, "-") == 0)
		snprintf(buf, size, "%s", _("standard input"));
	else
		text_escape(j->req->image, SIZE_MAX, buf, size);
	return buf;
}

/* `isowrite /dev/sdb debian.iso`: the stick would be read and the ISO overwritten. */
int job_check_swapped(struct job *j, struct error *err)
{
	struct stat st;
	char image[256], target[256];
	const char *path;

	if (stat(j->req->image, &st) < 0 || !S_ISBLK(st.st_mode))
		return 0;
	for (size_t i = 0; i < j->req->n_targets; i++) {
		path = j->req->targets[i];
		/* "file:PATH" does not exist under that name, so it is never taken for swapped. */
		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		text_shell_quote(j->req->image, image, sizeof(image));
		text_shell_quote(path, target, sizeof(target));
		return error_set(err, ERROR_USAGE, "swapped",
				 _("The arguments look swapped: the image comes first, then the "
				   "device:\n  isowrite %s %s"),
				 target[0] ? target : "IMAGE", image[0] ? image : "DEVICE");
	}
	return 0;
}

static int check_truncated(struct job *j, struct error *err)
{
	const struct layout *lay = &j->r->layout;
	char name[256], by[sizeof(lay->expected_by)], has[NUM_SIZE_LEN], needs[NUM_SIZE_LEN];

	/* With --allow=truncated what detection found is shown, and that is all. */
	if (!lay->is_truncated || j->req->allow_truncated)
		return 0;
	job_image_name(j, name, sizeof(name));
	text_escape(lay->expected_by, SIZE_MAX, by, sizeof(by));
	num_format_bytes(has, sizeof(has), lay->size);
	num_format_bytes(needs, sizeof(needs), lay->expected_size);
	return error_set(
		err, ERROR_IMAGE, "truncated",
		_("%s is cut short: it has %s bytes, but %s ends at %s. Download it again; "
		  "--allow=truncated writes what is there."),
		name, has, by, needs);
}

/* A pipe may keep us waiting: for its first bytes, or as long as this thread reads it. */
static bool poll_cancelled(void *ctx)
{
	struct job *j = ctx;

	j->was_cancelled = j->was_cancelled || job_is_cancelled(j);
	return j->was_cancelled;
}

int job_look_at_image(struct job *j, struct error *err)
{
	struct report *r = j->r;
	int rc;

	snprintf(r->image_path, sizeof(r->image_path), "%s", j->req->image);
	if (source_open(j->req->image, &j->source, err) < 0)
		return -1;
	source_set_poll(j->source, poll_cancelled, j);
	r->compression = j->source->compression;
	r->image_size = j->source->file_size;
	r->content_size = j->source->size;
	r->source_is_seekable = j->source->access == SOURCE_RANDOM || source_can_rewind(j->source);
	rc = detect_layout(j->source, DETECT_BUDGET, &r->layout, err);
	/* Of a pipe it is known only now. */
	r->compression = j->source->compression;
	if (rc < 0)
		return -1;
	r->has_layout = true;
	return 0;
}

int job_open_image(struct job *j, struct error *err)
{
	if (job_look_at_image(j, err) < 0 ||
	    detect_check_foreign(&j->r->layout, j->req->image, err) < 0 ||
	    check_truncated(j, err) < 0)
		return -1;
	return job_open_bmap(j, err) < 0 ? -1 : job_open_add_boot(j, err);
}
