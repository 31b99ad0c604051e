// SPDX-License-Identifier: GPL-3.0-or-later
/* The JSON of what was read into a file, by `read` and by --backup. */
#include "job/report.h"

#include <string.h>

static void put_ranges(struct json *j, const struct copyout_result *res)
{
	json_begin_array(j, "unreadable");
	for (uint32_t i = 0; i < res->n_bad; i++) {
		json_begin_object(j, NULL);
		json_u64(j, "offset", res->bad[i].offset);
		json_u64(j, "length", res->bad[i].length);
		json_end_object(j);
	}
	json_end_array(j);
}

static void put_differences(struct json *j, const struct plan *plan)
{
	json_begin_array(j, "differs_from_device");
	for (size_t i = 0; plan && i < plan->n_differences; i++) {
		json_begin_object(j, NULL);
		json_u64(j, "offset", plan->differences[i].start);
		json_u64(j, "length", plan->differences[i].len);
		json_string(j, "what", plan->strings[plan->differences[i].what]);
		json_end_object(j);
	}
	json_end_array(j);
}

/* Every byte of the device is where it was to go. */
static bool is_complete(const struct report_copy *copy)
{
	bool is_stdout = strcmp(copy->path, "-") == 0;

	return (copy->is_there || is_stdout) && copy->result.error.kind == ERROR_NONE &&
	       copy->result.sha256.len > 0 && copy->result.bad_bytes == 0;
}

void report_copy_to_json(const struct report_target *t, struct json *j)
{
	const struct report_copy *copy = t->copy;
	const struct copyout_result *res = &copy->result;
	char hex[HASH_HEX_SIZE];

	json_string(j, "path", copy->path);
	json_bool(j, "complete", is_complete(copy));
	json_string(j, "compression", copy->compression);
	json_u64(j, "size", copy->length);
	json_u64(j, "device_bytes", copy->device_bytes);
	if (copy->is_there)
		json_u64(j, "file_size", res->file_size);
	else
		json_null(j, "file_size");
	json_text(j, "used_by", copy->used_by);
	json_string(j, "sha256", res->sha256.len ? digest_hex(&res->sha256, hex) : NULL);
	json_bool(j, "read_back", res->was_read_back);
	json_bool(j, "changed_while_read", copy->was_written_to);
	json_u64(j, "bytes_unreadable", res->bad_bytes);
	put_ranges(j, res);
	put_differences(j, copy->plan);
	json_text(j, "restore", copy->restore);
	json_begin_object(j, "seconds");
	json_double(j, "read", res->seconds_read);
	json_double(j, "flush", res->seconds_flush);
	json_double(j, "check", res->seconds_check);
	json_end_object(j);
}

static void put_device(struct json *j, const struct report_target *t)
{
	json_begin_object(j, "device");
	json_string(j, "path", t->path);
	json_text(j, "by_id", t->info.by_id);
	json_text(j, "model", t->info.model);
	json_text(j, "serial", t->info.serial);
	json_text(j, "usb_port", t->info.usb_port);
	json_u64(j, "size", t->info.size);
	json_u64(j, "sector_size", t->info.sector_size);
	json_string(j, "status", target_status_name(t->status));
	json_end_object(j);
}

static void put_error(struct json *j, const struct report *r)
{
	const struct report_copy *copy = r->targets[0].copy;
	uint64_t off = copy ? copy->result.error_offset : UINT64_MAX;

	if (r->error.kind == ERROR_NONE) {
		json_null(j, "error");
		return;
	}
	json_begin_object(j, "error");
	json_string(j, "kind", error_kind_name(r->error.kind));
	json_string(j, "code", r->error.code);
	json_string(j, "message", r->error.msg);
	if (copy && copy->result.error.kind != ERROR_NONE && off != UINT64_MAX)
		json_u64(j, "offset", off);
	else
		json_null(j, "offset");
	json_end_object(j);
}

void report_read_to_json(const struct report *r, struct json *j)
{
	json_begin_object(j, NULL);
	report_frame_to_json(r, j);
	put_device(j, &r->targets[0]);
	if (r->targets[0].copy) {
		json_begin_object(j, "output");
		report_copy_to_json(&r->targets[0], j);
		json_end_object(j);
	} else {
		json_null(j, "output");
	}
	put_error(j, r);
	json_end_object(j);
}
