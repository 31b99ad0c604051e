// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * verify IMAGE: is this download what its makers published, and is all of it
 * there? Reads the image, never a target; see job.h.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/num.h"
#include "base/text.h"
#include "image/detect.h"
#include "job/job-state.h"

static bool is_none_enough(const struct job *j)
{
	return j->req->require && strcmp(j->req->require, "none") == 0;
}

/* Its own tables say more than a digest that is wrong: where it ends, and why. */
static int set_truncated(const struct job *j, struct error *err)
{
	const struct layout *lay = &j->r->layout;
	char name[256], by[sizeof(lay->expected_by)], has[NUM_SIZE_LEN], needs[NUM_SIZE_LEN];

	text_escape(lay->expected_by, SIZE_MAX, by, sizeof(by));
	num_format_bytes(has, sizeof(has), lay->size);
	num_format_bytes(needs, sizeof(needs), lay->expected_size);
	return error_set(err, ERROR_IMAGE, "truncated",
			 _("%s is cut short: it has %s bytes, but %s ends at %s. Download it "
			   "again."),
			 job_image_name(j, name, sizeof(name)), has, by, needs);
}

static int set_nothing(const struct job *j, struct error *err)
{
	const struct report *r = j->r;
	const struct digest *d = r->image_sha256.len ? &r->image_sha256 : &r->content_sha256;
	char name[256], hex[HASH_HEX_SIZE];

	job_image_name(j, name, sizeof(name));
	digest_hex(d, hex);
	if (j->trust.detail[0])
		return error_set(
			err, ERROR_TRUST, "not-listed",
			_("%s is %s. Compare it with its makers' digest by --sha256=HEX or "
			  "--sums=FILE; its SHA-256 is\n  %s"),
			name, j->trust.detail, hex);
	return error_set(err, ERROR_TRUST, "nothing-to-compare",
			 _("There is nothing to compare %s with. Give its makers' --sha256=HEX or "
			   "--sums=FILE, or put their SHA256SUMS beside it; its SHA-256 is\n  %s"),
			 name, hex);
}

/* A stream's end, or that of a compressed file, was not known when it was detected. */
static void finish_layout(struct job *j)
{
	struct report *r = j->r;

	if (r->content_size != SOURCE_SIZE_UNKNOWN && !r->layout.is_truncated &&
	    (r->layout.is_partial || r->layout.size == SOURCE_SIZE_UNKNOWN))
		detect_finish(&r->layout, r->content_size);
}

static int compare(struct job *j, struct error *err)
{
	struct report *r = j->r;
	int rc = job_check_lists(j, _("Download the list again."), err);

	if (rc == 0) {
		if (j->named_strength == 0 && j->req->n_want == 0 &&
		    job_need_digest(j, "sha256", err) < 0)
			return -1;
		if (job_read_digests(j, err) < 0 || source_check_unchanged(j->source, err) < 0)
			return -1;
		finish_layout(j);
		rc = job_judge(j, _("Download it again."), err);
	}
	job_publish_trust(j);
	if (rc == 0 && r->trust != TRUST_NONE)
		return 0;
	if (r->layout.is_truncated)
		return set_truncated(j, err);
	if (rc == 0 && !is_none_enough(j))
		return set_nothing(j, err);
	return rc;
}

int job_verify(const struct job_request *req, const struct events *events, struct report *r)
{
	struct job j;

	if (job_init(&j, req, events, r, &r->error) == 0 && job_look_at_image(&j, &r->error) == 0 &&
	    job_gather_trust(&j, &r->error) == 0)
		(void)compare(&j, &r->error);
	job_done(&j);
	r->finished = time(NULL);
	r->exit_status = report_exit_status(r);
	return r->exit_status;
}
