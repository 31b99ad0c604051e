// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the image must be (--sha256, --digest, --require): the file as it is,
 * or its decompressed content. A source that can be read twice is judged
 * before the first byte is written; a stream at the engine's gate, while the
 * first and last MiB of every target are still blank.
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

/* Enters one known digest; true if it is what want i asked for. */
static bool match(struct job *j, size_t i, bool as_file, const struct digest *got)
{
	(as_file ? j->got_file : j->got_content)[i] = *got;
	if (!digest_is_equal(got, &j->req->want[i]))
		return false;
	j->matched[i] = as_file ? MATCH_FILE : MATCH_CONTENT;
	return true;
}

static bool all_match(const struct job *j)
{
	for (size_t i = 0; i < j->req->n_want; i++) {
		if (j->matched[i] == MATCH_NONE)
			return false;
	}
	return true;
}

void job_publish_trust(struct job *j)
{
	struct report *r = j->r;

	r->trust = j->trust.verdict;
	snprintf(r->trust_by, sizeof(r->trust_by), "%s", j->trust.by);
	snprintf(r->trust_detail, sizeof(r->trust_detail), "%s", j->trust.detail);
	/* Digests that were computed anyway become the image's, when they are SHA-256. */
	for (size_t i = 0; i < j->req->n_want; i++) {
		if (strcmp(j->req->want[i].alg, "sha256") != 0)
			continue;
		if (j->got_file[i].len)
			r->image_sha256 = j->got_file[i];
		if (j->got_content[i].len)
			r->content_sha256 = j->got_content[i];
	}
	if (!is_compressed(j) && r->image_sha256.len)
		r->content_sha256 = r->image_sha256;
}

static void set_mismatch(const struct job *j, size_t i, const char *consequence, struct error *err)
{
	const struct digest *want = &j->req->want[i];
	char name[256], wanted[HASH_HEX_SIZE], file[HASH_HEX_SIZE], content[HASH_HEX_SIZE];

	job_image_name(j, name, sizeof(name));
	digest_hex(want, wanted);
	digest_hex(&j->got_file[i], file);
	digest_hex(&j->got_content[i], content);
	if (file[0] && content[0])
		error_set(err, ERROR_TRUST, "digest-mismatch",
			  _("%s is not what you asked for: its %s is %s, that of its decompressed "
			    "content %s, and neither is %s. %s"),
			  name, want->alg, file, content, wanted, consequence);
	else
		error_set(err, ERROR_TRUST, "digest-mismatch",
			  _("%s is not what you asked for: its %s is %s, not %s. %s"), name,
			  want->alg, file[0] ? file : content, wanted, consequence);
}

/* Words the verdict; -1 when a digest given was matched by nothing. */
static int judge(struct job *j, struct error *err, const char *consequence)
{
	struct job_trust *t = &j->trust;
	char hex[HASH_HEX_SIZE];

	for (size_t i = 0; i < j->req->n_want; i++) {
		if (j->matched[i] != MATCH_NONE)
			continue;
		t->verdict = TRUST_MISMATCH;
		set_mismatch(j, i, consequence, err);
		snprintf(t->detail, sizeof(t->detail), "%.*s", (int)sizeof(t->detail) - 1,
			 err->msg);
		return -1;
	}
	t->verdict = TRUST_DIGEST;
	snprintf(t->by, sizeof(t->by), "%s:%s", j->req->want[0].alg,
		 digest_hex(&j->req->want[0], hex));
	if (!is_compressed(j))
		snprintf(t->detail, sizeof(t->detail), _("matches the digest you gave"));
	else if (j->matched[0] == MATCH_CONTENT)
		snprintf(t->detail, sizeof(t->detail),
			 _("its decompressed content matches the digest you gave"));
	else
		snprintf(t->detail, sizeof(t->detail),
			 _("the file as it is matches the digest you gave"));
	return 0;
}

static int check_required(const struct job *j, struct error *err)
{
	const char *require = j->req->require;
	char name[256];

	if (!require || strcmp(require, "none") == 0)
		return 0;
	if (strcmp(require, "digest") == 0 && j->req->n_want > 0)
		return 0;
	return error_set(
		err, ERROR_TRUST, "trust-required",
		_("Nothing was written: --require=%s, but there is none to compare %s with."),
		require, job_image_name(j, name, sizeof(name)));
}

/* The file's own bytes, once for each algorithm asked for. */
static int digest_file(struct job *j, struct error *err)
{
	for (size_t i = 0; i < j->req->n_want; i++) {
		struct digest got;
		size_t k = 0;

		while (k < i && strcmp(j->req->want[k].alg, j->req->want[i].alg) != 0)
			k++;
		if (k < i)
			got = j->got_file[k];
		else if (source_digest_file(j->source, j->req->want[i].alg, job_read_progress, j,
					    &got, err) < 0)
			return -1;
		match(j, i, true, &got);
	}
	return 0;
}

/* Has the engine hash the image, so that writing need not do it again. 1 if that decided. */
static int prehash(struct job *j, struct error *err)
{
	struct engine_source_facts facts;

	if (strcmp(j->r->command, "write") != 0 || j->n_targets == 0 || j->req->n_want != 1)
		return 0;
	if (strcmp(j->req->want[0].alg, "sha256") != 0 || is_compressed(j))
		return 0;
	for (size_t i = 0; i < j->r->n_plans; i++) {
		if (!plan_is_verbatim(j->r->plans[i].plan, j->source->size))
			return 0;
	}
	if (job_new_engine(j, err) < 0 ||
	    engine_prehash(j->engine, job_read_progress, j, &facts, err) < 0)
		return -1;
	if (facts.content_sha256.len == 0)
		return 0;
	match(j, 0, true, &facts.content_sha256);
	return 1;
}

/* Content taps for what the file itself did not match. */
static int tap_all(struct job *j, bool as_file_too, struct error *err)
{
	for (size_t i = 0; i < j->req->n_want; i++) {
		const char *alg = j->req->want[i].alg;
		size_t k = 0;

		while (k < i && strcmp(j->req->want[k].alg, alg) != 0)
			k++;
		if (k < i)
			continue;
		if (source_tap(j->source, false, alg, err) < 0 ||
		    (as_file_too && source_tap(j->source, true, alg, err) < 0))
			return -1;
	}
	return 0;
}

static void match_taps(struct job *j)
{
	for (size_t i = 0; i < j->req->n_want; i++) {
		struct digest got;

		if (j->matched[i] != MATCH_NONE)
			continue;
		if (source_tapped(j->source, true, j->req->want[i].alg, &got) == 0 &&
		    match(j, i, true, &got))
			continue;
		if (source_tapped(j->source, false, j->req->want[i].alg, &got) == 0)
			match(j, i, false, &got);
	}
}

/* The most that any target can take: a bomb ends there. */
static uint64_t largest_target(const struct job *j)
{
	uint64_t size = 0;

	for (size_t i = 0; i < j->r->n_plans; i++)
		size = num_max(size, j->r->plans[i].plan->geo.size);
	return size;
}

/* Decompresses once through for its digest, then goes back to the start. */
static int digest_content(struct job *j, struct error *err)
{
	const size_t size = 256 * KIB;
	uint64_t done = 0, limit = largest_target(j);
	uint8_t *buf;
	size_t n;
	int rc = -1;

	if (tap_all(j, false, err) < 0)
		return -1;
	buf = io_aligned_alloc(size);
	if (!buf)
		return error_set_nomem(err);
	for (;;) {
		if (source_next(j->source, buf, size, &n, err) < 0)
			goto out;
		done += n;
		if (n < size)
			break;
		if (done > limit) {
			char name[256];

			error_set(err, ERROR_FIT, "too-large",
				  _("%s holds more than the %llu bytes that fit."),
				  job_image_name(j, name, sizeof(name)), (unsigned long long)limit);
			goto out;
		}
		if (job_read_progress(j, done, UINT64_MAX)) {
			error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
			goto out;
		}
	}
	j->r->content_size = done;
	match_taps(j);
	rc = source_rewind(j->source, err);
out:
	io_aligned_free(buf, size);
	return rc;
}

int job_check_digests(struct job *j, struct error *err)
{
	int decided, rc;

	if (check_required(j, err) < 0)
		return -1;
	if (j->req->n_want == 0)
		return 0;
	if (!j->r->source_is_seekable)
		return tap_all(j, is_compressed(j), err);
	job_emit_phase(j, EVENT_NO_TARGET, PHASE_CHECK);
	decided = prehash(j, err);
	if (decided < 0 || (!decided && digest_file(j, err) < 0))
		return -1;
	if (!all_match(j) && is_compressed(j) && digest_content(j, err) < 0)
		return -1;
	rc = judge(j, err, _("Nothing was written. Download it again."));
	job_publish_trust(j);
	return rc;
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
	if (j->req->n_want > 0 && !j->r->source_is_seekable) {
		match_taps(j);
		if (judge(j, err,
			  _("What was written does not boot: its first and last MiB are blank.")) <
		    0)
			goto fail;
	}
	return 0;
fail:
	j->gate.error = *err;
	return -1;
}
