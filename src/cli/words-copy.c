// SPDX-License-Identifier: GPL-3.0-or-later
/* What is said of a device that was read into a file, by read and by --backup; see words.h. */
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "cli/words.h"

#define MAX_RANGES 8 /* unreadable ones that are listed */

static bool is_stdout(const struct report_copy *copy)
{
	return strcmp(copy->path, "-") == 0;
}

static const char *file_name(const struct report_copy *copy, char *buf, size_t size)
{
	if (is_stdout(copy))
		snprintf(buf, size, "%s", _("standard output"));
	else
		text_escape(copy->path, SIZE_MAX, buf, size);
	return buf;
}

void words_print_source(FILE *out, const struct words *how, const struct report *r)
{
	const struct report_target *t = &r->targets[0];
	char what[512], path[512], size[NUM_SIZE_LEN], line[1200];

	text_escape(t->path, SIZE_MAX, path, sizeof(path));
	device_describe(&t->info, how->bytes, what, sizeof(what));
	snprintf(line, sizeof(line), "Source   %s  %s", path, what);
	words_fill(out, how, line, WORDS_INDENT);
	words_size(how->bytes, t->copy->device_bytes, size, sizeof(size));
	file_name(t->copy, path, sizeof(path));
	if (t->copy->used_by[0])
		snprintf(line, sizeof(line), _("Reads    %s of it, up to the end of %s, into %s"),
			 size, t->copy->used_by, path);
	else
		snprintf(line, sizeof(line), _("Reads    all %s of it into %s"), size, path);
	words_fill(out, how, line, WORDS_INDENT);
}

/* "1.2 GB", or how much it shrank. */
static void describe_file(const struct words *how, const struct report_copy *copy, char *buf,
			  size_t size)
{
	char has[NUM_SIZE_LEN];

	if (!copy->is_there || strcmp(copy->compression, "none") == 0)
		buf[0] = '\0';
	else
		snprintf(buf, size, _(" (%s)"),
			 words_size(how->bytes, copy->result.file_size, has, sizeof(has)));
}

static void print_differences(FILE *out, const struct words *how, const struct report_copy *copy)
{
	uint64_t bytes = 0;
	char size[NUM_SIZE_LEN], line[512];

	if (!copy->plan || copy->plan->n_differences == 0)
		return;
	for (size_t i = 0; i < copy->plan->n_differences; i++)
		bytes += copy->plan->differences[i].len;
	snprintf(line, sizeof(line),
		 _("So that it is an image of its own, its backup GPT was moved from the device's "
		   "end to the image's: %zu ranges (%s) differ from the device."),
		 copy->plan->n_differences, num_format_size(size, sizeof(size), bytes));
	words_fill(out, how, line, 0);
}

static void print_unreadable(FILE *out, const struct words *how, const struct copyout_result *res)
{
	for (uint32_t i = 0; i < res->n_bad && i < MAX_RANGES; i++) {
		char off[NUM_SIZE_LEN], len[NUM_SIZE_LEN], line[256];

		snprintf(line, sizeof(line), _("  not read: %s bytes from byte %s on%s"),
			 num_format_bytes(len, sizeof(len), res->bad[i].length),
			 num_format_bytes(off, sizeof(off), res->bad[i].offset),
			 res->has_more_bad && i + 1 == res->n_bad ? _(" (not all of them)") : "");
		words_fill(out, how, line, 4);
	}
	if (res->n_bad > MAX_RANGES)
		fprintf(out, _("  and %u more places, which --json lists\n"),
			res->n_bad - MAX_RANGES);
}

static void print_times(FILE *out, const struct report_copy *copy)
{
	const struct copyout_result *res = &copy->result;
	char time[32], speed[32], check[32];
	double read = res->seconds_read + res->seconds_flush;

	if (read <= 0)
		return;
	fprintf(out, _("Read %s (%s)"), words_duration(read, time, sizeof(time)),
		words_speed((double)copy->length / read, speed, sizeof(speed)));
	if (res->was_read_back)
		fprintf(out, _(", read back %s"),
			words_duration(res->seconds_check, check, sizeof(check)));
	fprintf(out, ".\n");
}

/* The command on a line of its own, to be pasted. */
static void print_restore(FILE *out, const struct words *how, const struct report_copy *copy)
{
	char line[600];

	if (!copy->restore[0])
		return;
	if (copy->no_restore[0]) {
		snprintf(line, sizeof(line), _("isowrite cannot put it back: %s This can:"),
			 copy->no_restore);
		words_fill(out, how, line, 0);
	} else {
		fprintf(out, _("To put it back:\n"));
	}
	fprintf(out, "    %s\n", copy->restore);
}

static void describe_read(const struct words *how, const struct report_target *t, char *buf,
			  size_t buf_size)
{
	const struct report_copy *copy = t->copy;
	char file[512], device[512], size[64], bytes[NUM_SIZE_LEN], good[NUM_SIZE_LEN];
	bool is_piped = is_stdout(copy);

	file_name(copy, file, sizeof(file));
	text_escape(t->path, SIZE_MAX, device, sizeof(device));
	describe_file(how, copy, size, sizeof(size));
	num_format_bytes(bytes, sizeof(bytes), copy->device_bytes);
	if (copy->result.n_bad > 0)
		snprintf(buf, buf_size,
			 is_piped ? _("Read: %s of %s bytes of %s went to %s%s.")
				  : _("Read: %s of %s bytes of %s are in %s%s."),
			 num_format_bytes(good, sizeof(good),
					  copy->device_bytes - copy->result.bad_bytes),
			 bytes, device, file, size);
	else if (copy->used_by[0])
		snprintf(buf, buf_size,
			 is_piped ? _("Read: %s bytes of %s, up to the end of %s, went to %s%s.")
				  : _("Read: %s bytes of %s, up to the end of %s, are in %s%s."),
			 bytes, device, copy->used_by, file, size);
	else
		snprintf(buf, buf_size,
			 is_piped ? _("Read: all %s bytes of %s went to %s%s.")
				  : _("Read: all %s bytes of %s are in %s%s."),
			 bytes, device, file, size);
	if (!copy->is_there || copy->result.n_bad > 0)
		return;
	snprintf(buf + strlen(buf), buf_size - strlen(buf), " %s",
		 copy->result.was_read_back ? _("The file was read back and is equal.")
					    : _("The file was not read back."));
}

void words_print_read(FILE *out, const struct words *how, const struct report *r)
{
	const struct report_copy *copy = r->targets[0].copy;
	char line[1600], hex[HASH_HEX_SIZE];

	if (!copy || copy->result.error.kind != ERROR_NONE || copy->result.sha256.len == 0 ||
	    (!copy->is_there && !is_stdout(copy)))
		return;
	describe_read(how, &r->targets[0], line, sizeof(line));
	words_fill(out, how, line, 0);
	print_unreadable(out, how, &copy->result);
	print_differences(out, how, copy);
	print_times(out, copy);
	fprintf(out, _("SHA-256  %s\n"), digest_hex(&copy->result.sha256, hex));
	print_restore(out, how, copy);
}

void words_print_backups(FILE *out, const struct words *how, const struct report *r)
{
	for (size_t i = 0; i < r->n_targets; i++) {
		const struct report_target *t = &r->targets[i];
		char file[512], device[512], size[64], line[1200];

		if (!t->copy || !t->copy->is_there)
			continue;
		describe_file(how, t->copy, size, sizeof(size));
		snprintf(line, sizeof(line),
			 _("What was on %s is in %s%s, which was read back and is equal."),
			 text_escape(t->path, SIZE_MAX, device, sizeof(device)),
			 file_name(t->copy, file, sizeof(file)), size);
		words_fill(out, how, line, 0);
		print_restore(out, how, t->copy);
	}
}
