// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * check IMAGE|RECEIPT TARGET: does the stick still hold it? Nothing is written
 * and nothing unmounted. With the image the same plan is made again and read
 * back by the engine; only if that differs are the pieces compared that use of
 * the stick may change. With a receipt the recorded digests are compared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/num.h"
#include "base/text.h"
#include "image/detect.h"
#include "job/job-state.h"
#include "job/receipt.h"
#include "job/segment.h"

#define READ_SIZE ((size_t)MIB)

/* What one check works with. */
struct check {
	struct job *j;
	struct target *t;
	struct report_target *rt;
	struct segments *segs;
	uint8_t *got, *want; /* READ_SIZE bytes each, aligned */
	uint64_t base; /* what got holds: bytes [base, base + got_len) */
	size_t got_len;
	uint64_t done, total;
	struct hash *whole; /* receipts: everything read, in order */
};

/* The image is read first, then the target: two readings, each from 0. */
static bool verify_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct job *j = ctx;
	double now = clock_seconds();
	struct event ev = {
		.kind = EVENT_PROGRESS,
		.phase = PHASE_VERIFY,
		.done = done,
		.total = total,
		.eta_seconds = -1,
		.report = j->r,
	};
	struct job_target *jt = &j->targets[0];
	double elapsed = now - jt->phase_start;

	if (j->is_reading_image && done >= j->read_done)
		return job_read_progress(j, done, total);
	if (j->is_reading_image) {
		j->is_reading_image = false;
		jt->phase_start = now;
		elapsed = 0;
		job_emit_phase(j, 0, PHASE_VERIFY);
	}
	if (now - j->last_progress >= 0.2) {
		j->last_progress = now;
		if (elapsed > 0)
			ev.bytes_per_second = ev.mean_bytes_per_second = (double)done / elapsed;
		if (elapsed > 2 && done > 0 && total != UINT64_MAX && total >= done)
			ev.eta_seconds = (double)(total - done) * elapsed / (double)done;
		j->events->emit(j->events->ctx, &ev);
	}
	if (!j->was_cancelled && job_is_cancelled(j))
		j->was_cancelled = true;
	return j->was_cancelled;
}

/* Makes byte off visible in c->got; returns how many from there on, 0 on error. */
static size_t load(struct check *c, uint64_t off, struct error *err)
{
	uint64_t size = c->t->geo.size;

	if (off < c->base || off - c->base >= c->got_len) {
		uint64_t base = num_round_down(off, num_max(c->t->geo.io_align, 4096));
		size_t len = (size_t)num_min(READ_SIZE, size - base);

		c->got_len = 0;
		if (target_read(c->t, base, c->got, len, err) < 0)
			return 0;
		c->base = base;
		c->got_len = len;
	}
	return c->got_len - (size_t)(off - c->base);
}

static int report_progress(struct check *c, size_t n, struct error *err)
{
	c->done += n;
	if (verify_progress(c->j, c->done, c->total))
		return error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
	return 0;
}

/* Compares one piece with the plan's bytes. */
static int compare_segment(struct check *c, struct plan_reader *reader, struct segment *s,
			   struct error *err)
{
	uint64_t pos = s->start, off, len;

	while (segments_next_run(c->segs, pos, s->start + s->len, &off, &len)) {
		size_t n = load(c, off, err);

		if (n == 0)
			return -1;
		n = (size_t)num_min(n, len);
		if (plan_reader_read(reader, off, c->want, n, err) < 0)
			return -1;
		for (size_t i = 0; i < n && !s->differs; i++) {
			if (c->got[off - c->base + i] != c->want[i]) {
				s->differs = true;
				s->first_bad = off + i;
			}
		}
		if (report_progress(c, n, err) < 0)
			return -1;
		pos = off + n;
	}
	return 0;
}

/* Hashes one piece and compares with its digest in the receipt. */
static int hash_segment(struct check *c, struct segment *s, struct error *err)
{
	uint64_t pos = s->start, off, len;
	struct digest got;
	struct hash *hash;
	int rc = -1;

	if (hash_new("sha256", &hash, err) < 0)
		return -1;
	while (segments_next_run(c->segs, pos, s->start + s->len, &off, &len)) {
		size_t n = load(c, off, err);

		if (n == 0)
			goto out;
		n = (size_t)num_min(n, len);
		hash_update(c->whole ? c->whole : hash, c->got + (off - c->base), n);
		if (report_progress(c, n, err) < 0)
			goto out;
		pos = off + n;
	}
	hash_peek(hash, &got);
	if (s->digest.len && !digest_is_equal(&got, &s->digest)) {
		s->differs = true;
		s->first_bad = s->start;
	}
	rc = 0;
out:
	hash_free(hash);
	return rc;
}

/* Is the tail zero up to where the stick's own backup GPT begins? 1, 0, or -1. */
static int tail_is_clean(struct check *c, const struct segment *tail, const struct layout *stick,
			 struct error *err)
{
	uint64_t bs = stick->gpt.block_size, pos = tail->start, end, off, len;

	if (!stick->gpt.backup.valid || stick->gpt.backup.entries_lba > c->t->geo.size / bs)
		return 0;
	end = num_min(stick->gpt.backup.entries_lba * bs, tail->start + tail->len);
	while (segments_next_run(c->segs, pos, end, &off, &len)) {
		size_t n = load(c, off, err);

		if (n == 0)
			return -1;
		n = (size_t)num_min(n, len);
		for (size_t i = 0; i < n; i++) {
			if (c->got[off - c->base + i])
				return 0;
		}
		pos = off + n;
	}
	return 1;
}

/* What the stick's tables say now: it is read like an image. */
static int look_at_stick(struct check *c, struct layout *ret, struct error *err)
{
	struct source *src;
	int rc;

	if (source_open(c->t->path, &src, err) < 0)
		return -1;
	rc = detect_layout(src, DETECT_BUDGET, ret, err);
	source_free(src);
	return rc;
}

static void set_differs(struct check *c, const struct segment *s, bool is_exact)
{
	struct engine_mismatch *m = &c->rt->result.mismatch;

	if (!m->found) {
		*m = (struct engine_mismatch){
			.found = true,
			.offset = s->first_bad,
			.bad_bytes = is_exact ? 1 : s->len,
			.length = is_exact ? 1 : s->len,
			.is_exact = is_exact,
			.pattern = PATTERN_OTHER,
			.what = UINT32_MAX,
		};
	}
	c->rt->status = TARGET_FAILED;
	job_explain_mismatch(c->j, 0);
}

/* Some pieces differ: changed by use, or another image? */
static int judge_segments(struct check *c, bool is_exact, struct error *err)
{
	struct layout *stick = calloc(1, sizeof(*stick));
	int clean = 0, rc;
	size_t bad = 0;

	if (!stick)
		return error_set_nomem(err);
	rc = look_at_stick(c, stick, err);
	for (uint32_t i = 0; rc == 0 && i < c->segs->n; i++) {
		if (c->segs->list[i].differs && c->segs->list[i].role == SEGMENT_TAIL) {
			clean = tail_is_clean(c, &c->segs->list[i], stick, err);
			rc = clean < 0 ? -1 : 0;
		}
	}
	if (rc == 0 && segments_explain(c->segs, stick, clean > 0, c->rt->changed_by_use,
					sizeof(c->rt->changed_by_use), &bad) == 1) {
		c->rt->status = TARGET_CHANGED;
		c->rt->error = (struct error)ERROR_INIT;
		c->rt->result.mismatch.found = false;
	} else if (rc == 0) {
		c->rt->changed_by_use[0] = '\0';
		set_differs(c, &c->segs->list[bad], is_exact);
	}
	free(stick);
	return rc;
}

static bool any_differs(const struct segments *segs)
{
	for (uint32_t i = 0; i < segs->n; i++) {
		if (segs->list[i].differs)
			return true;
	}
	return false;
}

static bool is_in_fixed(const struct segments *segs, uint64_t off)
{
	for (uint32_t i = 0; i < segs->n; i++) {
		const struct segment *s = &segs->list[i];

		if (off >= s->start && off - s->start < s->len)
			return s->role == SEGMENT_FIXED;
	}
	return true;
}

static uint64_t bytes_of(const struct segments *segs)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < segs->n_runs; i++)
		bytes += segs->runs[i].len;
	return bytes;
}

/* The engine found a difference: are all of them in pieces that may change? */
static int compare_pieces(struct check *c, const struct report_plan *rp, struct error *err)
{
	struct job *j = c->j;
	const struct engine_mismatch *m = &c->rt->result.mismatch;
	struct plan_reader reader = { .plan = rp->plan, .src = j->source };

	if (!j->r->source_is_seekable || job_make_segments(j, rp, c->segs) < 0)
		goto differs;
	if (m->is_exact && is_in_fixed(c->segs, m->offset))
		goto differs;
	if (j->source->access == SOURCE_SEQUENTIAL && source_rewind(j->source, err) < 0)
		return -1;
	c->total = bytes_of(c->segs);
	for (uint32_t i = 0; i < c->segs->n; i++) {
		struct segment *s = &c->segs->list[i];

		if (compare_segment(c, &reader, s, err) < 0)
			return -1;
		if (s->differs && s->role == SEGMENT_FIXED)
			break;
	}
	return judge_segments(c, true, err);
differs:
	c->rt->status = TARGET_FAILED;
	job_explain_mismatch(j, 0);
	return 0;
}

static int check_image(struct check *c, struct error *err)
{
	struct job *j = c->j;
	const struct engine_config config = { .verify = true };
	struct source *const sources[] = { j->source };
	struct report_plan *rp = &j->r->plans[c->rt->plan];
	struct engine_target et = { .target = c->t, .plan = rp->plan };
	struct engine_source_facts facts;

	job_emit_phase(j, EVENT_NO_TARGET, PHASE_CHECK);
	j->is_reading_image = true;
	if (engine_check(&config, sources, &et, &facts, verify_progress, j, err) < 0)
		return -1;
	if (j->is_reading_image) /* it was read back before anybody looked */
		job_emit_phase(j, 0, PHASE_VERIFY);
	j->is_reading_image = false;
	c->rt->result = et.result;
	j->r->content_size = facts.content_size;
	j->r->content_sha256 = facts.content_sha256;
	if (strcmp(j->r->compression, "none") == 0)
		j->r->image_sha256 = facts.content_sha256;
	if (job_check_end(j, &j->r->layout, facts.content_size, err) < 0)
		return -1;
	if (et.result.mismatch.found)
		return compare_pieces(c, rp, err);
	if (et.result.verdict != ENGINE_VERIFIED) {
		c->rt->status = TARGET_FAILED;
		c->rt->error = et.result.error;
		return 0;
	}
	c->rt->status = TARGET_VERIFIED;
	return source_check_unchanged(j->source, err);
}

/* What of the image lies between the runs that were written. */
static int note_not_covered(struct check *c, uint64_t content_size)
{
	const struct segment_run *runs = c->segs->runs;

	for (size_t i = 1; i < c->segs->n_runs && runs[i].start < content_size; i++) {
		uint64_t end = runs[i - 1].start + runs[i - 1].len;

		if (report_add_not_covered(c->rt, end, runs[i].start - end) < 0)
			return -1;
	}
	return 0;
}

static int check_receipt(struct check *c, struct error *err)
{
	struct receipt_plan *rp;
	char name[256];
	int rc = -1;

	job_emit_phase(c->j, 0, PHASE_VERIFY);
	if (receipt_read(c->j->req->image, c->t->geo.size, c->t->geo.sector_size, &rp, err) < 0)
		return -1;
	*c->segs = rp->segs;
	rp->segs.runs = NULL;
	if (note_not_covered(c, rp->content_size) < 0) {
		error_set_nomem(err);
		goto out;
	}
	c->total = bytes_of(c->segs);
	if (!rp->has_segments && hash_new("sha256", &c->whole, err) < 0)
		goto out;
	for (uint32_t i = 0; i < c->segs->n; i++) {
		if (hash_segment(c, &c->segs->list[i], err) < 0)
			goto out;
	}
	rc = 0;
	c->rt->result.method =
		c->t->is_direct && !c->t->is_host_cached ? METHOD_O_DIRECT : METHOD_FILE;
	c->rt->status = TARGET_VERIFIED;
	if (!rp->has_segments) {
		hash_peek(c->whole, &c->rt->result.sha256);
		if (!digest_is_equal(&c->rt->result.sha256, &rp->sha256)) {
			c->rt->status = TARGET_FAILED;
			error_set(
				&c->rt->error, ERROR_DIFFERS, "read-back-differs",
				_("%s does not hold what this receipt was written for. (The image "
				  "came from a pipe, so it cannot be said where.)"),
				text_escape(c->rt->path, SIZE_MAX, name, sizeof(name)));
		}
	} else if (any_differs(c->segs)) {
		rc = judge_segments(c, false, err);
	}
out:
	receipt_plan_free(rp);
	return rc;
}

static int check_init(struct check *c, struct job *j, struct error *err)
{
	*c = (struct check){ .j = j, .t = j->targets[0].target, .rt = &j->r->targets[0] };
	c->segs = calloc(1, sizeof(*c->segs));
	c->got = io_aligned_alloc(READ_SIZE);
	c->want = io_aligned_alloc(READ_SIZE);
	return c->segs && c->got && c->want ? 0 : error_set_nomem(err);
}

static void check_done(struct check *c)
{
	hash_free(c->whole);
	segments_free(c->segs);
	io_aligned_free(c->got, READ_SIZE);
	io_aligned_free(c->want, READ_SIZE);
}

/* What write would create is of no use here. */
static int explain_missing(struct job *j)
{
	struct report_target *rt = &j->r->targets[0];
	char name[256];

	if (strcmp(rt->error.code, "no-such-target") == 0 && strncmp(rt->path, "/dev/", 5) != 0)
		error_set(&rt->error, ERROR_USAGE, "no-such-target", _("There is no %s to check."),
			  text_escape(rt->path, SIZE_MAX, name, sizeof(name)));
	return -1;
}

static int check_story(struct job *j, struct error *err)
{
	struct report *r = j->r;
	struct error closing = ERROR_INIT;
	struct check c;
	int rc = receipt_is_one(j->req->image, err);

	if (rc < 0 || (rc == 0 && job_open_image(j, err) < 0))
		return -1;
	if (rc == 1 && ((j->req->bmap && strcmp(j->req->bmap, "none") != 0) || j->req->bmap_zero))
		return error_set(
			err, ERROR_USAGE, "bmap-receipt",
			_("A receipt knows what was written by itself; leave --bmap out."));
	if (rc == 1 && job_has_add_boot(j))
		return error_set(
			err, ERROR_USAGE, "add-boot-receipt",
			_("A receipt knows what was written by itself; leave --add-boot out."));
	r->is_receipt = rc == 1;
	snprintf(r->image_path, sizeof(r->image_path), "%s", j->req->image);
	if (job_look_at_targets(j, err) < 0)
		return -1;
	if (job_check_targets(j) < 0)
		return explain_missing(j);
	if (!r->is_receipt && job_is_the_image(j, j->targets[0].target))
		return error_set(
			err, ERROR_USAGE, "check-itself",
			_("The image and the target are the same; check compares a stick with "
			  "the image, or with the receipt, of what was written to it."));
	if (!r->is_receipt)
		job_recognise_written(j);
	if (!r->is_receipt && (job_make_plans(j, err) < 0 || job_check_bmap(j, err) < 0))
		return -1;
	if (target_open_read(j->targets[0].target, &r->targets[0].error) < 0)
		return -1;
	job_emit(j, EVENT_PLANNED, EVENT_NO_TARGET);
	j->targets[0].phase_start = clock_seconds();
	rc = check_init(&c, j, err);
	if (rc == 0)
		rc = r->is_receipt ? check_receipt(&c, err) : check_image(&c, err);
	check_done(&c);
	if (target_close(j->targets[0].target, &closing) < 0 && rc == 0) {
		r->targets[0].error = closing;
		r->targets[0].status = TARGET_FAILED;
	}
	if (rc == 0)
		job_emit(j, EVENT_TARGET_DONE, 0);
	return rc;
}

int job_check(const struct job_request *req, const struct events *events, struct report *r)
{
	struct job j;

	if (job_init(&j, req, events, r, &r->error) == 0)
		(void)check_story(&j, &r->error);
	job_done(&j);
	r->finished = time(NULL);
	r->exit_status = report_exit_status(r);
	return r->exit_status;
}
