// SPDX-License-Identifier: GPL-3.0-or-later
/* The closing words of write and check; see words.h. "Verified" is said of targets read back, only. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "cli/words.h"

/* A paragraph in the making. */
struct text {
	char buf[2048];
	size_t len;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len = num_min(t->len + (size_t)n, sizeof(t->buf) - 1);
}

static const struct plan *plan_of(const struct report *r, const struct report_target *t)
{
	return t->plan >= 0 && (size_t)t->plan < r->n_plans ? r->plans[t->plan].plan : NULL;
}

/* Where the bytes were read back from: the words must not promise more than was done. */
static const char *place(const struct report_target *t)
{
	if (t->info.is_file || t->result.method == METHOD_FILE)
		return _("the file");
	return t->info.is_virtual || t->info.is_partition ? _("the device") : _("the stick");
}

/* "all 6,203,355,136 bytes": of the image where the plan is nothing but the image. */
static bool is_plain_copy(const struct report *r, const struct plan *plan)
{
	return plan && r->content_size != UINT64_MAX && plan_is_verbatim(plan, r->content_size);
}

static void add_differences(struct text *out, const struct report *r, const struct report_target *t)
{
	char changes[512];

	if (t->plan < 0 || r->plans[t->plan].plan->n_differences == 0)
		return;
	words_changes(r, &r->plans[t->plan], changes, sizeof(changes));
	add(out, _(" Written as %s."), changes);
}

/* What "verified" does not include, or what is not as in the image. */
static void add_block_map(struct text *out, const struct words *how, const struct report *r,
			  const struct report_target *t)
{
	uint64_t kept = report_not_covered(t), zeroed = report_zeroed(r, t);
	bool is_check = strcmp(r->command, "check") == 0;
	char size[NUM_SIZE_LEN];

	if (kept > 0 && is_check)
		add(out,
		    _(" %s of the image, which its block map calls unmapped, were not "
		      "compared."),
		    words_size(how->bytes, kept, size, sizeof(size)));
	else if (kept > 0)
		add(out,
		    _(" %s of the image, which its block map calls unmapped, were left as they "
		      "were on %s, not compared."),
		    words_size(how->bytes, kept, size, sizeof(size)), place(t));
	if (zeroed > 0)
		add(out,
		    is_check ? _(" %s of the image, which its block map calls unmapped, are zeros "
				 "on %s.")
			     : _(" %s of the image, which its block map calls unmapped, were "
				 "written as zeros on %s."),
		    words_size(how->bytes, zeroed, size, sizeof(size)), place(t));
}

static void add_verdict(struct text *out, const struct report *r, const struct report_target *t)
{
	const struct plan *plan = plan_of(r, t);
	bool is_check = strcmp(r->command, "check") == 0;
	uint64_t size = is_plain_copy(r, plan) ? r->content_size : t->result.bytes_written;
	char bytes[NUM_SIZE_LEN];

	num_format_bytes(bytes, sizeof(bytes), size);
	if (!report_has_image(r) && t->plan >= 0) {
		char volume[256];

		add(out, _("Formatted: %s. "),
		    words_volume(&r->plans[t->plan].volume, false, volume, sizeof(volume)));
	}
	if (t->status == TARGET_CHANGED)
		add(out, _("Changed by use: %s. Everything else is as it was written."),
		    t->changed_by_use);
	else if (t->status == TARGET_WRITTEN)
		add(out, _("Written, not verified: %s bytes were not read back."), bytes);
	else if (is_check && r->is_receipt)
		add(out, _("Verified: %s holds what the receipt says was written."), place(t));
	else if (is_plain_copy(r, plan))
		add(out, _("Verified: all %s bytes read back from %s equal the image."), bytes,
		    place(t));
	else if (is_check)
		add(out, _("Verified: every byte read back from %s is as planned."), place(t));
	else
		add(out,
		    _("Verified: all %s bytes written were read back from %s and are as planned."),
		    bytes, place(t));
	if (!is_check)
		add_differences(out, r, t);
}

static void add_times(struct text *out, const struct report_target *t)
{
	const struct engine_result *res = &t->result;
	double write = res->seconds_write + res->seconds_flush;
	char time[32], speed[32];

	if (res->bytes_written > 0 && write > 0)
		add(out, _(" Write %s (%s)"), words_duration(write, time, sizeof(time)),
		    words_speed((double)res->bytes_written / write, speed, sizeof(speed)));
	if (t->status == TARGET_VERIFIED && res->seconds_verify > 0 && res->bytes_written > 0)
		add(out, _(", verify %s (%s)"),
		    words_duration(res->seconds_verify, time, sizeof(time)),
		    words_speed((double)res->bytes_written / res->seconds_verify, speed,
				sizeof(speed)));
	if (res->bytes_written > 0 && write > 0)
		add(out, ".");
}

static void print_details(FILE *out, const struct report *r, const struct report_target *t)
{
	char hex[HASH_HEX_SIZE], text[512];

	if (t->info.by_id[0])
		fprintf(out, "  %s\n", text_escape(t->info.by_id, SIZE_MAX, text, sizeof(text)));
	if (t->info.serial[0])
		fprintf(out, _("  serial number %s\n"),
			text_escape_trim(t->info.serial, text, sizeof(text)));
	if (t->result.content_sha256.len)
		fprintf(out, _("  SHA-256 of the image's bytes read back  %s\n"),
			digest_hex(&t->result.content_sha256, hex));
	else if (r->content_sha256.len)
		fprintf(out, _("  SHA-256 of the image  %s\n"),
			digest_hex(&r->content_sha256, hex));
	if (t->result.sha256.len)
		fprintf(out, _("  SHA-256 of all written bytes  %s\n"),
			digest_hex(&t->result.sha256, hex));
}

static bool is_done(const struct report_target *t)
{
	return t->error.kind == ERROR_NONE &&
	       (t->status == TARGET_VERIFIED || t->status == TARGET_WRITTEN ||
		t->status == TARGET_CHANGED);
}

/* "BIOS, UEFI x64", and what the head of a stream could not tell; "" if nothing is known. */
static const char *made_for(const struct report *r, const struct report_target *t, char *buf,
			    unsigned int size)
{
	const struct layout *planned = t->plan >= 0 ? r->plans[t->plan].layout : NULL;
	const struct layout *lay = planned ? planned : &r->layout;
	bool no_bios = lay->is_partial && lay->boot.bios.usb == BOOT_UNKNOWN;
	bool no_uefi = lay->is_partial && lay->boot.uefi_x64.usb == BOOT_UNKNOWN;
	size_t len;

	buf[0] = '\0';
	if (!r->has_layout)
		return buf;
	layout_made_for(lay, buf, size);
	len = strlen(buf);
	if (len > 0 && (no_bios || no_uefi))
		snprintf(buf + len, size - len, _("; not known for %s"),
			 no_bios ? _("BIOS") : _("UEFI x64"));
	return buf;
}

static void print_one(FILE *out, const struct words *how, const struct report *r,
		      const struct report_target *t)
{
	struct text verdict = { .len = 0 }, times = { .len = 0 };
	char path[512], platforms[128] = "";
	bool is_check = strcmp(r->command, "check") == 0;

	if (r->n_targets > 1)
		add(&verdict, "%s: ", text_escape(t->path, SIZE_MAX, path, sizeof(path)));
	add_verdict(&verdict, r, t);
	add_block_map(&verdict, how, r, t);
	words_fill(out, how, verdict.buf, 0);
	if (!is_check)
		add_times(&times, t);
	if (!is_check && r->n_targets == 1 && made_for(r, t, platforms, sizeof(platforms))[0])
		add(&times, _(" Made for: %s (predicted; isowrite boot-test %s proves it)."),
		    platforms, text_shell_quote(t->path, path, sizeof(path)));
	if (times.len > 0)
		words_fill(out, how, times.buf + 1, 0); /* each piece begins with a blank */
	if (how->verbose)
		print_details(out, r, t);
}

/* A file or a loop device is never unplugged, whatever the job says. */
static bool can_unplug(const struct report_target *t)
{
	return t->can_unplug && !t->info.is_file && !t->info.is_virtual;
}

/* The command stays whole, so that it can be pasted: where it does not fit, on its own line. */
static void print_unplug_one(FILE *out, const struct words *how, const struct report *r)
{
	const char *again = _("To use the stick for files again:");
	char path[512], command[600], line[1200];

	snprintf(command, sizeof(command), "isowrite format %s",
		 text_shell_quote(r->targets[0].path, path, sizeof(path)));
	snprintf(line, sizeof(line), _("You can unplug it.  %s %s"), again, command);
	if (strcmp(r->command, "write") != 0 || !path[0]) {
		fprintf(out, _("You can unplug it.\n"));
	} else if (strlen(line) <= how->width) {
		fprintf(out, "%s\n", line);
	} else {
		fprintf(out, _("You can unplug it.\n"));
		words_fill(out, how, again, 0);
		fprintf(out, "    %s\n", command);
	}
}

static void print_unplug(FILE *out, const struct words *how, const struct report *r)
{
	struct text line = { .len = 0 };
	size_t n = 0;
	char path[512];

	for (size_t i = 0; i < r->n_targets; i++)
		n += can_unplug(&r->targets[i]);
	if (n == 0)
		return;
	if (n == r->n_targets && n > 1) {
		fprintf(out, _("You can unplug them.\n"));
		return;
	}
	if (n == r->n_targets) {
		print_unplug_one(out, how, r);
		return;
	}
	n = 0;
	for (size_t i = 0; i < r->n_targets; i++) {
		if (can_unplug(&r->targets[i]))
			add(&line, "%s%s", n++ ? ", " : _("You can unplug "),
			    text_escape(r->targets[i].path, SIZE_MAX, path, sizeof(path)));
	}
	add(&line, ".");
	words_fill(out, how, line.buf, 0);
}

void words_print_results(FILE *out, const struct words *how, const struct report *r)
{
	const struct report_target *first = NULL;
	size_t n_done = 0;

	for (size_t i = 0; i < r->n_targets; i++) {
		if (!is_done(&r->targets[i]))
			continue;
		n_done++;
		first = first ? first : &r->targets[i];
		print_one(out, how, r, &r->targets[i]);
	}
	if (r->n_targets > 1 && n_done > 0) {
		char platforms[128];

		fprintf(out, _("%zu of %zu targets are done.\n"), n_done, r->n_targets);
		if (made_for(r, first, platforms, sizeof(platforms))[0])
			fprintf(out, _("Made for: %s (predicted).\n"), platforms);
	}
	/* Of a stream it was not known yet when the image was shown. */
	if (n_done > 0 && !r->source_is_seekable &&
	    (r->trust == TRUST_DIGEST || r->trust == TRUST_LISTED))
		fprintf(out, _("Image: %s.\n"), r->trust_detail);
	print_unplug(out, how, r);
}
