// SPDX-License-Identifier: GPL-3.0-or-later
/* Writes receipts; see receipt.h. */
#include "job/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/num.h"
#include "base/outfile.h"
#include "base/text.h"
#include "job/job-state.h"

#define RECEIPT_VERSION 1
#define READ_SIZE ((size_t)MIB)

int receipt_check_path(const char *path, bool overwrite, struct error *err)
{
	return outfile_check(_("receipt"), path, overwrite, err);
}

int receipt_check_apart(const struct job *j, struct error *err)
{
	const char *path = j->req->receipt;
	bool is_bad = job_reads_from(j, path);
	char name[300];

	for (size_t i = 0; i < j->n_targets; i++)
		is_bad |= j->targets[i].target && target_would_lose(j->targets[i].target, path);
	if (!is_bad)
		return 0;
	return error_set(err, ERROR_USAGE, "receipt-path",
			 _("The receipt %s would replace the image or a target, or lies on a "
			   "target; choose another place."),
			 text_escape(path, SIZE_MAX, name, sizeof(name)));
}

/* One pass over a plan's bytes. */
struct pass {
	struct job *j;
	struct plan_reader reader;
	uint8_t *buf;       /* READ_SIZE bytes */
	struct hash *whole; /* everything read */
	uint64_t done, total;
};

static int hash_segment(struct pass *pass, const struct segments *segs, struct segment *s,
			struct error *err)
{
	uint64_t pos = s->start, end = s->start + s->len, start, len;
	struct hash *hash;
	int rc = 0;

	if (hash_new("sha256", &hash, err) < 0)
		return -1;
	while (rc == 0 && segments_next_run(segs, pos, end, &start, &len)) {
		len = num_min(len, READ_SIZE);
		rc = plan_reader_read(&pass->reader, start, pass->buf, len, err);
		if (rc < 0)
			break;
		hash_update(hash, pass->buf, len);
		hash_update(pass->whole, pass->buf, len);
		pos = start + len;
		pass->done += len;
		if (job_read_progress(pass->j, pass->done, pass->total))
			rc = error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
	}
	hash_peek(hash, &s->digest);
	hash_free(hash);
	return rc;
}

/*
 * Hashes the planned bytes into their segments, in one ascending pass. Together
 * they must still be what was written: a device is not known to be unchanged.
 */
static int hash_segments(struct job *j, const struct report_plan *rp, struct segments *segs,
			 uint8_t *buf, struct error *err)
{
	struct pass pass = {
		.j = j,
		.reader = { .plan = rp->plan, .src = j->source },
		.buf = buf,
		.total = rp->plan->geo.size - plan_bytes(rp->plan, EXTENT_KEEP),
	};
	struct digest now;
	int rc = 0;

	if (hash_new("sha256", &pass.whole, err) < 0)
		return -1;
	for (uint32_t i = 0; rc == 0 && i < segs->n; i++)
		rc = hash_segment(&pass, segs, &segs->list[i], err);
	hash_peek(pass.whole, &now);
	hash_free(pass.whole);
	if (rc == 0 && !digest_is_equal(&now, &rp->sha256))
		return error_set(err, ERROR_IMAGE, "source-changed",
				 _("The image is no longer what was written."));
	return rc;
}

static bool plan_is_written(const struct report *r, size_t plan)
{
	for (size_t i = 0; i < r->n_targets; i++) {
		const struct report_target *t = &r->targets[i];

		if (t->plan == (int)plan &&
		    (t->status == TARGET_VERIFIED || t->status == TARGET_WRITTEN))
			return true;
	}
	return false;
}

/* The digests of a plan's pieces, or NULL where the image cannot be read again. */
static struct segments *make_segments(struct job *j, const struct report_plan *rp)
{
	const struct plan *plan = rp->plan;
	struct error ignored = ERROR_INIT;
	struct segments *segs;
	uint8_t *buf;
	bool ok;

	if (j->was_cancelled || plan->is_open || !j->r->source_is_seekable)
		return NULL;
	if (j->source->access == SOURCE_SEQUENTIAL && source_rewind(j->source, &ignored) < 0)
		return NULL;
	segs = calloc(1, sizeof(*segs));
	buf = malloc(READ_SIZE);
	ok = segs && buf && job_make_segments(j, rp, segs) == 0 &&
	     hash_segments(j, rp, segs, buf, &ignored) == 0 &&
	     source_check_unchanged(j->source, &ignored) == 0;
	free(buf);
	if (ok)
		return segs;
	segments_free(segs);
	return NULL;
}

/* Those that follow each other are one: of what they are made the receipt need not know. */
static void put_extents(struct json *json, const struct plan *plan)
{
	const struct extent *x = plan->extents, *end = x + (plan->is_open ? 0 : plan->n_extents);

	json_begin_array(json, "extents");
	while (x < end) {
		uint64_t start = x->start, len = 0;

		for (; x < end && x->kind != EXTENT_KEEP; x++)
			len += x->len;
		if (len > 0) {
			json_begin_object(json, NULL);
			json_u64(json, "start", start);
			json_u64(json, "length", len);
			json_end_object(json);
		} else {
			x++;
		}
	}
	json_end_array(json);
}

static void put_segments(struct json *json, const struct segments *segs)
{
	char hex[HASH_HEX_SIZE];

	json_begin_array(json, "segments");
	for (uint32_t i = 0; segs && i < segs->n; i++) {
		const struct segment *s = &segs->list[i];

		json_begin_object(json, NULL);
		json_u64(json, "start", s->start);
		json_u64(json, "length", s->len);
		json_string(json, "role", segment_role_name(s->role));
		json_string(json, "what", s->what);
		json_string(json, "sha256", digest_hex(&s->digest, hex));
		json_end_object(json);
	}
	json_end_array(json);
	json_begin_array(json, "partitions");
	for (uint32_t i = 0; segs && i < segs->n_partitions; i++) {
		json_begin_object(json, NULL);
		json_string(json, "table", segs->partitions[i].is_gpt ? "gpt" : "mbr");
		json_u64(json, "start", segs->partitions[i].start);
		json_u64(json, "length", segs->partitions[i].len);
		json_end_object(json);
	}
	json_end_array(json);
}

static void put_receipt(struct job *j, struct json *json)
{
	const struct report *r = j->r;

	json_begin_object(json, "receipt");
	json_u64(json, "version", RECEIPT_VERSION);
	json_begin_array(json, "plans");
	for (size_t i = 0; i < r->n_plans; i++) {
		const struct plan *plan = r->plans[i].plan;
		struct segments *segs;
		char hex[HASH_HEX_SIZE];

		if (!plan_is_written(r, i))
			continue;
		segs = make_segments(j, &r->plans[i]);
		json_begin_object(json, NULL);
		json_u64(json, "size", plan->geo.size);
		json_u64(json, "sector_size", plan->geo.sector_size);
		json_string(json, "sha256",
			    r->plans[i].sha256.len ? digest_hex(&r->plans[i].sha256, hex) : NULL);
		put_extents(json, plan);
		put_segments(json, segs);
		json_end_object(json);
		segments_free(segs);
	}
	json_end_array(json);
	json_end_object(json);
}

int receipt_write(struct job *j, struct error *err)
{
	struct json json;
	const char *text;
	int rc;

	json_init(&json);
	json_begin_object(&json, NULL);
	report_members_to_json(j->r, &json);
	put_receipt(j, &json);
	json_end_object(&json);
	text = json_finish(&json);
	rc = text ? outfile_write(_("receipt"), j->req->receipt, j->req->overwrite_receipt, text,
				  strlen(text), err)
		  : error_set_nomem(err);
	json_done(&json);
	return rc;
}
