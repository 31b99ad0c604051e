// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The JSON object of write, plan and check: the words of the public interface,
 * from struct report. Offsets and sizes are bytes; what is not known is null,
 * never a guess.
 */
#include "job/report.h"

#include <string.h>

#define REPORT_SCHEMA 1

static const char *const severity_names[] = {
	[LAYOUT_INFO] = "info",
	[LAYOUT_WARNING] = "warning",
	[LAYOUT_ERROR] = "error",
};

static const char *const method_names[] = {
	[METHOD_NONE] = "none",
	[METHOD_O_DIRECT] = "o_direct",
	[METHOD_FILE] = "host-cache",
};

static const char *const pattern_names[] = {
	[PATTERN_NONE] = NULL,     [PATTERN_ZEROS] = "zeros",       [PATTERN_ONES] = "ones",
	[PATTERN_OLD] = "old",     [PATTERN_FLIPS] = "flips",       [PATTERN_OFFSET] = "offset",
	[PATTERN_OTHER] = "other", [PATTERN_UNSTABLE] = "unstable",
};

static void put_time(struct json *j, const char *key, time_t t)
{
	struct tm tm;
	char text[32];

	if (t == 0 || !gmtime_r(&t, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		json_null(j, key);
	else
		json_string(j, key, text);
}

static void put_digest(struct json *j, const char *key, const struct digest *d)
{
	char hex[HASH_HEX_SIZE];

	if (d->len == 0)
		json_null(j, key);
	else
		json_string(j, key, digest_hex(d, hex));
}

static void put_size(struct json *j, const char *key, uint64_t size)
{
	if (size == UINT64_MAX)
		json_null(j, key);
	else
		json_u64(j, key, size);
}

static void put_finding(struct json *j, enum layout_severity severity, const char *code,
			const char *message)
{
	json_begin_object(j, NULL);
	json_string(j, "severity", severity_names[severity]);
	json_string(j, "code", code);
	json_string(j, "message", message);
	json_end_object(j);
}

static void put_findings(struct json *j, const struct report *r)
{
	json_begin_array(j, "findings");
	if (r->error.kind != ERROR_NONE)
		put_finding(j, LAYOUT_ERROR, r->error.code, r->error.msg);
	for (uint32_t i = 0; i < r->n_findings; i++)
		put_finding(j, r->findings[i].severity, r->findings[i].code,
			    r->findings[i].message);
	for (uint32_t i = 0; r->has_layout && i < r->layout.n_findings; i++)
		put_finding(j, r->layout.findings[i].severity, r->layout.findings[i].code,
			    r->layout.findings[i].message);
	json_end_array(j);
}

static void put_image(struct json *j, const struct report *r)
{
	json_begin_object(j, "image");
	json_string(j, "path", r->image_path);
	put_size(j, "size", r->image_size);
	put_size(j, "content_size", r->content_size);
	put_digest(j, "sha256", &r->image_sha256);
	put_digest(j, "content_sha256", &r->content_sha256);
	json_string(j, "compression", r->compression);
	json_string(j, "kind", r->has_layout ? layout_kind_name(r->layout.kind) : NULL);
	json_text(j, "bmap", r->bmap_path);
	json_end_object(j);
}

static void put_extents(struct json *j, const struct plan *plan)
{
	json_begin_array(j, "extents");
	for (size_t i = 0; i < plan->n_extents; i++) {
		const struct extent *e = &plan->extents[i];

		json_begin_object(j, NULL);
		json_u64(j, "start", e->start);
		put_size(j, "length",
			 plan->is_open && i + 1 == plan->n_extents ? UINT64_MAX : e->len);
		json_string(j, "kind", extent_kind_name(e->kind));
		if (e->kind == EXTENT_SOURCE) {
			json_u64(j, "source", e->source);
			json_u64(j, "source_offset", e->source_offset);
		} else {
			json_null(j, "source");
			json_null(j, "source_offset");
		}
		json_string(j, "what", plan_what(plan, e));
		json_end_object(j);
	}
	json_end_array(j);
}

static void put_volume(struct json *j, const struct format_volume *v)
{
	json_begin_object(j, "volume");
	json_string(j, "type", format_type_id(v->type));
	json_text(j, "label", v->label);
	json_string(j, "id", v->id);
	json_string(j, "table", format_table_id(v->table));
	json_u64(j, "start", v->start);
	json_u64(j, "size", v->size);
	json_end_object(j);
}

static void put_plan(struct json *j, const struct report_plan *rp, bool with_extents)
{
	const struct plan *plan = rp->plan;

	json_begin_object(j, NULL);
	json_string(j, "planner", plan->planner);
	json_begin_object(j, "geometry");
	json_u64(j, "size", plan->geo.size);
	json_u64(j, "sector_size", plan->geo.sector_size);
	json_end_object(j);
	put_size(j, "size", plan->is_open ? UINT64_MAX : plan_content_end(plan));
	put_digest(j, "sha256", &rp->sha256);
	put_size(j, "bytes_from_source",
		 plan->is_open ? UINT64_MAX : plan_bytes(plan, EXTENT_SOURCE));
	json_u64(j, "bytes_from_memory",
		 plan_bytes(plan, EXTENT_MEMORY) + plan_bytes(plan, EXTENT_GENERATE));
	put_size(j, "bytes_zero", plan->is_open ? UINT64_MAX : plan_bytes(plan, EXTENT_ZERO));
	put_size(j, "bytes_kept", plan->is_open ? UINT64_MAX : plan_bytes(plan, EXTENT_KEEP));
	json_begin_array(j, "differs_from_image");
	for (size_t i = 0; i < plan->n_differences; i++) {
		json_begin_object(j, NULL);
		json_u64(j, "offset", plan->differences[i].start);
		json_u64(j, "length", plan->differences[i].len);
		json_string(j, "what", plan->strings[plan->differences[i].what]);
		json_end_object(j);
	}
	json_end_array(j);
	if (rp->layout)
		report_boot_to_json(rp->layout, j);
	if (rp->volume.size > 0)
		put_volume(j, &rp->volume);
	if (with_extents)
		put_extents(j, plan);
	json_end_object(j);
}

static void put_trust(struct json *j, const struct report *r)
{
	json_begin_object(j, "trust");
	json_string(j, "verdict", trust_verdict_name(r->trust));
	json_text(j, "by", r->trust_by);
	json_text(j, "detail", r->trust_detail);
	json_string(j, "algorithm", r->trust_alg);
	json_string(j, "of", r->trust_of);
	json_text(j, "name", r->trust_name);
	json_end_object(j);
}

static void put_error(struct json *j, const struct report *r, const struct report_target *t)
{
	const struct engine_result *res = &t->result;
	const struct engine_mismatch *m = &res->mismatch;

	if (t->error.kind == ERROR_NONE) {
		json_null(j, "error");
		return;
	}
	json_begin_object(j, "error");
	json_string(j, "kind", error_kind_name(t->error.kind));
	json_string(j, "code", t->error.code);
	json_string(j, "rule", t->has_rule ? device_rule_name(t->rule) : NULL);
	json_string(j, "message", t->error.msg);
	if (m->found) {
		const struct plan *plan = t->plan >= 0 ? r->plans[t->plan].plan : NULL;

		json_u64(j, "offset", m->offset);
		json_u64(j, "length", m->length);
		json_u64(j, "bad_bytes", m->bad_bytes);
		json_string(j, "extent",
			    plan && m->what < plan->n_strings ? plan->strings[m->what] : NULL);
		json_text(j, "file", t->error_file);
		json_string(j, "pattern", pattern_names[m->pattern]);
		if (m->pattern == PATTERN_FLIPS || m->pattern == PATTERN_OFFSET)
			json_u64(j, "pattern_value", m->pattern_value);
	} else {
		put_size(j, "offset", res->error_length ? res->error_offset : UINT64_MAX);
		put_size(j, "length", res->error_length ? res->error_length : UINT64_MAX);
		json_null(j, "extent");
		json_null(j, "file");
		json_null(j, "pattern");
	}
	json_end_object(j);
}

static void put_target(struct json *j, const struct report *r, const struct report_target *t)
{
	const struct engine_result *res = &t->result;

	json_begin_object(j, NULL);
	json_string(j, "path", t->path);
	if (t->plan >= 0)
		json_u64(j, "plan", (uint64_t)t->plan);
	else
		json_null(j, "plan");
	json_text(j, "by_id", t->info.by_id);
	json_text(j, "model", t->info.model);
	json_text(j, "serial", t->info.serial);
	json_text(j, "usb_port", t->info.usb_port);
	put_size(j, "diskseq", t->info.diskseq ? t->info.diskseq : UINT64_MAX);
	json_u64(j, "size", t->info.size);
	json_string(j, "status", target_status_name(t->status));
	json_u64(j, "bytes_written", res->bytes_written);
	json_u64(j, "bytes_skipped", res->bytes_skipped);
	json_u64(j, "write_retries", res->write_retries);
	json_begin_array(j, "repaired");
	json_end_array(j);
	json_begin_array(j, "not_covered");
	for (size_t i = 0; i < t->n_not_covered; i++) {
		json_begin_object(j, NULL);
		json_u64(j, "offset", t->not_covered[i].offset);
		json_u64(j, "length", t->not_covered[i].length);
		json_end_object(j);
	}
	json_end_array(j);
	put_digest(j, "sha256", &res->sha256);
	put_digest(j, "content_sha256", &res->content_sha256);
	json_string(j, "verify_method", method_names[res->method]);
	json_begin_object(j, "seconds");
	json_double(j, "write", res->seconds_write);
	json_double(j, "flush", res->seconds_flush);
	json_double(j, "wait", res->seconds_wait);
	json_double(j, "verify", res->seconds_verify);
	json_end_object(j);
	if (t->status == TARGET_CHANGED)
		json_string(j, "changed_by_use", t->changed_by_use);
	if (t->copy) {
		json_begin_object(j, "backup");
		report_copy_to_json(t, j);
		json_end_object(j);
	}
	put_error(j, r, t);
	json_end_object(j);
}

void report_frame_to_json(const struct report *r, struct json *j)
{
	json_u64(j, "schema", REPORT_SCHEMA);
	json_string(j, "isowrite", ISOWRITE_VERSION);
	json_string(j, "command", r->command);
	json_u64(j, "exit", (uint64_t)r->exit_status);
	put_time(j, "started", r->started);
	put_time(j, "finished", r->finished);
	put_findings(j, r);
}

void report_members_to_json(const struct report *r, struct json *j)
{
	bool has_image = report_has_image(r);

	report_frame_to_json(r, j);
	if (has_image)
		put_image(j, r);
	json_begin_array(j, "plans");
	for (size_t i = 0; i < r->n_plans; i++)
		put_plan(j, &r->plans[i], r->is_dry_run);
	json_end_array(j);
	if (has_image)
		put_trust(j, r);
	json_begin_array(j, "targets");
	for (size_t i = 0; i < r->n_targets; i++)
		put_target(j, r, &r->targets[i]);
	json_end_array(j);
}

void report_to_json(const struct report *r, struct json *j)
{
	json_begin_object(j, NULL);
	report_members_to_json(r, j);
	json_end_object(j);
}

static void put_digests(struct json *j, const struct report *r)
{
	json_begin_array(j, "digests");
	for (size_t i = 0; i < r->n_digests; i++) {
		json_begin_object(j, NULL);
		json_string(j, "algorithm", r->digests[i].alg);
		put_digest(j, "file", &r->digests[i].file);
		put_digest(j, "content", &r->digests[i].content);
		json_end_object(j);
	}
	json_end_array(j);
}

static void put_verified_image(struct json *j, const struct report *r)
{
	json_begin_object(j, NULL);
	put_image(j, r);
	put_trust(j, r);
	put_digests(j, r);
	json_u64(j, "exit", (uint64_t)r->exit_status);
	if (r->error.kind == ERROR_NONE) {
		json_null(j, "error");
	} else {
		json_begin_object(j, "error");
		json_string(j, "kind", error_kind_name(r->error.kind));
		json_string(j, "code", r->error.code);
		json_string(j, "message", r->error.msg);
		json_end_object(j);
	}
	put_findings(j, r);
	json_end_object(j);
}

void report_verify_to_json(const struct report *const *reports, size_t n, int exit_status,
			   struct json *j)
{
	const struct report *first = reports[0], *last = reports[n - 1];

	json_begin_object(j, NULL);
	json_u64(j, "schema", REPORT_SCHEMA);
	json_string(j, "isowrite", ISOWRITE_VERSION);
	json_string(j, "command", first->command);
	json_u64(j, "exit", (uint64_t)exit_status);
	put_time(j, "started", first->started);
	put_time(j, "finished", last->finished);
	if (n == 1) {
		put_findings(j, first);
		put_image(j, first);
		put_trust(j, first);
	} else {
		json_begin_array(j, "findings");
		json_end_array(j);
	}
	json_begin_array(j, "images");
	for (size_t i = 0; i < n; i++)
		put_verified_image(j, reports[i]);
	json_end_array(j);
	json_end_object(j);
}
