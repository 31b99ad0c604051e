// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads receipts: untrusted text, of which every number is checked; see receipt.h. */
#include "job/receipt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "base/text.h"
#include "job/json-read.h"

#define RECEIPT_HEAD 512 /* bytes in which "isowrite" has to occur */

int receipt_is_one(const char *path, struct error *err)
{
	char head[RECEIPT_HEAD + 1], name[300];
	auto_fd int fd = -1;
	struct stat st;
	ssize_t n;

	if (strcmp(path, "-") == 0)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	/* What cannot be opened or is no file is the image's business to explain. */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	n = io_pread_full(fd, head, RECEIPT_HEAD, 0);
	if (n < 0)
		return error_set_sys(err, ERROR_IO, "image-read", errno, _("%s cannot be read"),
				     text_escape(path, SIZE_MAX, name, sizeof(name)));
	head[n] = '\0';
	return head[strspn(head, " \t\r\n")] == '{' && strstr(head, "\"isowrite\"");
}

static bool get_digest(const struct json_value *v, struct digest *ret)
{
	return v && v->type == JSON_STRING && v->len == 2 * HASH_SHA256_SIZE &&
	       digest_parse(hash_alg_name("sha256"), v->text, v->len, ret) == 0;
}

/* One more piece, behind all earlier ones and inside the stick. */
static bool add_piece(const struct json_doc *doc, const struct json_value *v, struct segments *segs)
{
	struct segment *s, *last = segs->n ? &segs->list[segs->n - 1] : NULL;

	if (segs->n == SEGMENT_MAX)
		return false;
	s = &segs->list[segs->n];
	if (!json_get_u64(json_member(doc, v, "start"), &s->start) ||
	    !json_get_u64(json_member(doc, v, "length"), &s->len) || s->len == 0 ||
	    !num_is_within(s->start, s->len, segs->target_size))
		return false;
	if (last && s->start < last->start + last->len)
		return false;
	segs->n++;
	return true;
}

static bool get_segments(const struct json_doc *doc, const struct json_value *array,
			 struct segments *segs)
{
	const struct json_value *v = json_first(doc, array);

	for (uint32_t i = 0; v && i < array->n; i++, v = json_next(doc, v)) {
		const struct json_value *role = json_member(doc, v, "role");
		const struct json_value *what = json_member(doc, v, "what");
		struct segment *s = &segs->list[segs->n];

		if (!role || role->type != JSON_STRING || !what || what->type != JSON_STRING ||
		    !add_piece(doc, v, segs) ||
		    segment_role_by_name(role->text, role->len, &s->role) < 0 ||
		    !get_digest(json_member(doc, v, "sha256"), &s->digest))
			return false;
		text_escape(what->text, what->len, s->what, sizeof(s->what));
	}
	return true;
}

/* What was written, ascending and inside the stick. */
static bool get_extents(const struct json_doc *doc, const struct json_value *array,
			struct segments *segs)
{
	const struct json_value *v = json_first(doc, array);
	uint64_t end = 0, start, len;

	for (uint32_t i = 0; v && i < array->n; i++, v = json_next(doc, v)) {
		if (!json_get_u64(json_member(doc, v, "start"), &start) || start < end ||
		    !json_get_u64(json_member(doc, v, "length"), &len) || len == 0 ||
		    !num_is_within(start, len, segs->target_size) ||
		    segments_add_run(segs, start, len) < 0)
			return false;
		end = start + len;
	}
	return segs->n_runs > 0;
}

/* The pieces leave out nothing that was written, and none of them is about nothing. */
static bool covers_extents(const struct segments *segs)
{
	uint64_t written = 0, covered = 0, start, len;

	for (size_t i = 0; i < segs->n_runs; i++)
		written += segs->runs[i].len;
	for (uint32_t i = 0; i < segs->n; i++) {
		const struct segment *s = &segs->list[i];
		uint64_t pos = s->start, before = covered;

		/* Ends: each run begins behind the last one. */
		while (segments_next_run(segs, pos, s->start + s->len, &start, &len)) {
			covered += len;
			pos = start + len;
		}
		if (covered == before || pos != s->start + s->len)
			return false;
	}
	return covered == written;
}

static bool get_partitions(const struct json_doc *doc, const struct json_value *array,
			   struct segments *segs)
{
	const struct json_value *v = json_first(doc, array);

	for (uint32_t i = 0; v && i < array->n; i++, v = json_next(doc, v)) {
		struct segment_partition *p = &segs->partitions[segs->n_partitions];

		if (segs->n_partitions == SEGMENT_MAX_PARTITIONS ||
		    !json_get_u64(json_member(doc, v, "start"), &p->start) ||
		    !json_get_u64(json_member(doc, v, "length"), &p->len))
			return false;
		p->is_gpt = json_is_text(json_member(doc, v, "table"), "gpt");
		segs->n_partitions++;
	}
	return true;
}

static bool get_plan(const struct json_doc *doc, const struct json_value *v,
		     struct receipt_plan *plan)
{
	const struct json_value *segments = json_member(doc, v, "segments");
	const struct json_value *sha256 = json_member(doc, v, "sha256");

	plan->has_segments = segments && segments->type == JSON_ARRAY && segments->n > 0;
	if (!get_extents(doc, json_member(doc, v, "extents"), &plan->segs))
		return false;
	if (!plan->has_segments) {
		plan->segs.list[0] = (struct segment){ .len = plan->segs.target_size };
		plan->segs.n = 1;
		return get_digest(sha256, &plan->sha256);
	}
	return get_segments(doc, segments, &plan->segs) && covers_extents(&plan->segs) &&
	       get_partitions(doc, json_member(doc, v, "partitions"), &plan->segs);
}

static int error_damaged(struct error *err)
{
	return error_set(err, ERROR_IMAGE, "receipt-damaged",
			 _("This receipt is damaged, or of another version of isowrite."));
}

/* The plan for this geometry among the receipt's: filled, 1; 0 no such; -1 damaged. */
static int find_plan(const struct json_doc *doc, struct receipt_plan *plan, uint64_t *ret_other)
{
	const struct json_value *receipt = json_member(doc, &doc->values[0], "receipt");
	const struct json_value *plans = json_member(doc, receipt, "plans"), *v;
	uint64_t version, size, sector;

	if (!json_get_u64(json_member(doc, receipt, "version"), &version) || version != 1 ||
	    !plans || plans->type != JSON_ARRAY)
		return -1;
	v = json_first(doc, plans);
	for (uint32_t i = 0; v && i < plans->n; i++, v = json_next(doc, v)) {
		if (!json_get_u64(json_member(doc, v, "size"), &size) ||
		    !json_get_u64(json_member(doc, v, "sector_size"), &sector))
			return -1;
		if (size == plan->segs.target_size && sector == plan->segs.sector_size)
			return get_plan(doc, v, plan) ? 1 : -1;
		*ret_other = size;
	}
	return 0;
}

void receipt_plan_free(struct receipt_plan *plan)
{
	if (!plan)
		return;
	free(plan->segs.runs);
	free(plan);
}

int receipt_parse(const char *text, size_t len, uint64_t size, uint32_t sector_size,
		  struct receipt_plan **ret, struct error *err)
{
	struct receipt_plan *plan;
	char there[NUM_SIZE_LEN], here[NUM_SIZE_LEN];
	struct json_doc doc;
	uint64_t other = 0;
	int found;

	if (json_read(text, len, &doc) < 0)
		return error_damaged(err);
	plan = calloc(1, sizeof(*plan));
	if (!plan) {
		json_read_done(&doc);
		return error_set_nomem(err);
	}
	plan->segs.target_size = size;
	plan->segs.sector_size = sector_size;
	found = find_plan(&doc, plan, &other);
	if (!json_get_u64(
		    json_member(&doc, json_member(&doc, &doc.values[0], "image"), "content_size"),
		    &plan->content_size))
		plan->content_size = 0;
	json_read_done(&doc);
	if (found == 1) {
		*ret = plan;
		return 0;
	}
	receipt_plan_free(plan);
	if (found < 0)
		return error_damaged(err);
	if (other == 0)
		return error_set(err, ERROR_IMAGE, "receipt-empty",
				 _("This receipt is of a write that did not succeed, so there is "
				   "nothing to check."));
	return error_set(err, ERROR_DIFFERS, "receipt-other-size",
			 _("This receipt is of a stick of %s bytes; this one has %s."),
			 num_format_bytes(there, sizeof(there), other),
			 num_format_bytes(here, sizeof(here), size));
}

int receipt_read(const char *path, uint64_t size, uint32_t sector_size, struct receipt_plan **ret,
		 struct error *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_free char *text = NULL;
	char name[300];
	struct stat st;

	text_escape(path, SIZE_MAX, name, sizeof(name));
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set_sys(err, ERROR_IO, "image-read", errno, _("%s cannot be read"),
				     name);
	if (st.st_size < 0 || st.st_size > RECEIPT_MAX_SIZE)
		return error_damaged(err);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return error_set_nomem(err);
	if (io_pread_full(fd, text, (size_t)st.st_size, 0) != st.st_size)
		return error_set(err, ERROR_IO, "image-read", _("%s cannot be read."), name);
	return receipt_parse(text, (size_t)st.st_size, size, sector_size, ret, err);
}
