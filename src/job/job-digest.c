// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The digests that job-trust.c compares: of the file as it is, or of its
 * decompressed content. A source that can be read twice is judged before the
 * first byte is written; a stream at the engine's gate, while the first and
 * last MiB of every target are still blank.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/num.h"
#include "base/text.h"
#include "image/detect.h"
#include "job/job-state.h"

static bool is_compressed(const struct job *j)
{
	return strcmp(j->source->compression, "none") != 0;
}

static bool requires_digest(const struct job *j)
{
	return j->req->require && strcmp(j->req->require, "none") != 0;
}

static int check_required(const struct job *j, struct error *err)
{
	char name[256];

	if (!requires_digest(j) || j->n_digests > 0)
		return 0;
	return error_set(
		err, ERROR_TRUST, "trust-required",
		_("Nothing was written: --require=%s, but there is nothing to compare %s with. "
		  "Give --sha256=HEX or --sums=FILE, or put its makers' list beside it."),
		j->req->require, job_image_name(j, name, sizeof(name)));
}

static int check_found(const struct job *j, struct error *err)
{
	char name[256];

	if (!requires_digest(j) || j->trust.verdict != TRUST_NONE)
		return 0;
	return error_set(err, ERROR_TRUST, "trust-required",
			 _("Nothing was written: --require=%s, but %s is %s."), j->req->require,
			 job_image_name(j, name, sizeof(name)), j->trust.detail);
}

/* The file's own bytes, in one pass. */
static int digest_file(struct job *j, struct error *err)
{
	const char *algs[SOURCE_MAX_DIGESTS];
	struct digest got[SOURCE_MAX_DIGESTS];

	for (size_t i = 0; i < j->n_digests; i++)
		algs[i] = j->digests[i].alg;
	if (source_digest_file(j->source, algs, j->n_digests, job_read_progress, j, got, err) < 0)
		return -1;
	for (size_t i = 0; i < j->n_digests; i++)
		j->digests[i].file = got[i];
	return 0;
}

static bool are_verbatim(const struct job *j)
{
	for (size_t i = 0; i < j->r->n_plans; i++) {
		if (!plan_is_verbatim(j->r->plans[i].plan, j->source->size))
			return false;
	}
	return true;
}

/* Has the engine hash the image, so that writing need not do it again. 1 if that did it. */
static int prehash(struct job *j, struct error *err)
{
	struct engine_source_facts facts;

	if (strcmp(j->r->command, "write") != 0 || j->n_targets == 0 || j->n_digests != 1)
		return 0;
	if (strcmp(j->digests[0].alg, "sha256") != 0 || is_compressed(j) || !are_verbatim(j))
		return 0;
	if (job_new_engine(j, err) < 0 ||
	    engine_prehash(j->engine, job_read_progress, j, &facts, err) < 0)
		return -1;
	if (facts.content_sha256.len == 0)
		return 0;
	j->digests[0].file = facts.content_sha256;
	return 1;
}

static int tap_all(struct job *j, bool as_file_too, struct error *err)
{
	for (size_t i = 0; i < j->n_digests; i++) {
		const char *alg = j->digests[i].alg;

		if (source_tap(j->source, false, alg, err) < 0 ||
		    (as_file_too && source_tap(j->source, true, alg, err) < 0))
			return -1;
	}
	return 0;
}

static void take_taps(struct job *j)
{
	for (size_t i = 0; i < j->n_digests; i++) {
		struct report_digest *d = &j->digests[i];

		(void)source_tapped(j->source, true, d->alg, &d->file);
		(void)source_tapped(j->source, false, d->alg, &d->content);
	}
}

/*
 * What is judged now is read again to be written. No time stamp tells of a disk or a memory that
 * fails, or of another machine's writing, so the second reading is held against the first
 * (check_same): by the SHA-256 that the engine computes anyway, or by a tap of the file.
 */
static int prepare_second_reading(struct job *j, struct error *err)
{
	struct error ignored = ERROR_INIT;

	if (strcmp(j->r->command, "write") != 0)
		return 0;
	if (!is_compressed(j))
		return are_verbatim(j) && j->n_digests < SOURCE_MAX_DIGESTS
			       ? job_need_digest(j, "sha256", err)
			       : 0;
	for (size_t i = 0; i < j->n_digests; i++)
		(void)source_tap(j->source, true, j->digests[i].alg, &ignored);
	return 0;
}

static int check_same(const struct job *j, const struct engine_source_facts *facts,
		      struct error *err)
{
	bool is_same = true;
	char name[256];

	for (size_t i = 0; i < j->n_digests; i++) {
		const struct report_digest *d = &j->digests[i];
		const struct digest *content = is_compressed(j) ? &d->content : &d->file;
		struct digest got;

		if (d->file.len && source_tapped(j->source, true, d->alg, &got) == 0)
			is_same = is_same && digest_is_equal(&got, &d->file);
		if (strcmp(d->alg, "sha256") == 0 && content->len && facts->content_sha256.len)
			is_same = is_same && digest_is_equal(content, &facts->content_sha256);
	}
	if (is_same)
		return 0;
	return error_set(err, ERROR_IMAGE, "source-changed",
			 _("%s held other bytes when it was read to be written than when it was "
			   "checked: its disk or this machine's memory is failing, or somebody "
			   "writes to it. What was written does not boot: its first and last MiB "
			   "are blank."),
			 job_image_name(j, name, sizeof(name)));
}

/* The most that any target can take: a bomb ends there. Without one it need not end. */
static uint64_t largest_target(const struct job *j)
{
	uint64_t size = j->r->n_plans > 0 ? 0 : UINT64_MAX;

	for (size_t i = 0; i < j->r->n_plans; i++)
		size = num_max(size, j->r->plans[i].plan->geo.size);
	return size;
}

/* Reads a stream to its end. */
static int read_through(struct job *j, struct error *err)
{
	const size_t size = 256 * KIB;
	uint64_t done = 0, limit = largest_target(j);
	uint8_t *buf = io_aligned_alloc(size);
	char name[256];
	size_t n = size;
	int rc = 0;

	if (!buf)
		return error_set_nomem(err);
	while (rc == 0 && n == size) {
		rc = source_next(j->source, buf, size, &n, err);
		if (rc < 0)
			break;
		done += n;
		if (done > limit)
			rc = error_set(err, ERROR_FIT, "too-large",
				       _("%s holds more than the %llu bytes that fit."),
				       job_image_name(j, name, sizeof(name)),
				       (unsigned long long)limit);
		else if (n == size && job_read_progress(j, done, UINT64_MAX))
			rc = error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
	}
	io_aligned_free(buf, size);
	if (rc == 0)
		j->r->content_size = done;
	return rc;
}

/* Decompresses once through for its digests, then goes back to the start. */
static int digest_content(struct job *j, struct error *err)
{
	if (tap_all(j, false, err) < 0 || read_through(j, err) < 0)
		return -1;
	take_taps(j);
	return source_rewind(j->source, err);
}

/*
 * A list has named the file with another digest, so that it is no wonder that it cannot be
 * unpacked: that the download is bad is the message.
 */
static bool is_list_enough(const struct job *j, struct error *err)
{
	if (j->named_strength == 0 || err->kind != ERROR_IMAGE)
		return false;
	*err = (struct error)ERROR_INIT;
	return true;
}

int job_check_digests(struct job *j, struct error *err)
{
	const char *consequence = _("Nothing was written. Download it again.");
	int done, rc;

	if (job_gather_trust(j, err) < 0)
		return -1;
	rc = job_check_lists(j, consequence, err);
	if (rc < 0)
		goto out;
	if (check_required(j, err) < 0)
		return -1;
	if (j->n_digests > 0 && !j->r->source_is_seekable)
		return tap_all(j, is_compressed(j), err);
	if (j->n_digests > 0) {
		job_emit_phase(j, EVENT_NO_TARGET, PHASE_CHECK);
		done = prehash(j, err);
		if (done < 0 ||
		    (!done && (prepare_second_reading(j, err) < 0 || digest_file(j, err) < 0)))
			return -1;
		if (job_wants_content(j) && digest_content(j, err) < 0 && !is_list_enough(j, err))
			return -1;
	}
	rc = job_judge(j, consequence, err);
	if (rc == 0)
		rc = check_found(j, err);
out:
	job_publish_trust(j);
	return rc;
}

int job_read_digests(struct job *j, struct error *err)
{
	bool is_file = j->r->source_is_seekable;
	bool has_expectation = j->req->n_want > 0 || j->named_strength > 0 || j->is_searching;

	job_emit_phase(j, EVENT_NO_TARGET, PHASE_CHECK);
	if (is_file && digest_file(j, err) < 0)
		return -1;
	if (is_file && (!is_compressed(j) || (has_expectation && job_is_matched(j))))
		return 0;
	if (tap_all(j, !is_file && is_compressed(j), err) < 0)
		return -1;
	if (read_through(j, err) < 0)
		return is_file && is_list_enough(j, err) ? 0 : -1;
	take_taps(j);
	return 0;
}

/*
 * Runs on the engine's thread, so what it finds stays in j->gate until the
 * engine has finished, and the verdict in j->trust until it is published.
 */
int job_check_end(const struct job *j, struct layout *lay, uint64_t content_size, struct error *err)
{
	char name[256], by[sizeof(lay->expected_by)], has[NUM_SIZE_LEN], needs[NUM_SIZE_LEN];

	if (lay->is_partial || lay->size == SOURCE_SIZE_UNKNOWN)
		detect_finish(lay, content_size);
	if (!lay->is_truncated || j->req->allow_truncated)
		return 0;
	num_format_bytes(has, sizeof(has), content_size);
	num_format_bytes(needs, sizeof(needs), lay->expected_size);
	return error_set(err, ERROR_IMAGE, "truncated",
			 _("%s is cut short: it ended after %s bytes, but %s ends at %s."),
			 job_image_name(j, name, sizeof(name)), has,
			 text_escape(lay->expected_by, SIZE_MAX, by, sizeof(by)), needs);
}

int job_gate(void *ctx, const struct engine_source_facts *facts, struct error *err)
{
	struct job *j = ctx;

	j->gate.was_asked = true;
	j->gate.facts = *facts;
	if (source_check_unchanged(j->source, err) < 0)
		goto fail;
	if (job_check_end(j, j->gate.layout, facts->content_size, err) < 0)
		goto fail;
	if (j->r->source_is_seekable && check_same(j, facts, err) < 0)
		goto fail;
	if (j->n_digests > 0 && !j->r->source_is_seekable) {
		take_taps(j);
		if (job_judge(j,
			      _("What was written does not boot: its first and last MiB are "
				"blank."),
			      err) < 0)
			goto fail;
	}
	return 0;
fail:
	j->gate.error = *err;
	return -1;
}
