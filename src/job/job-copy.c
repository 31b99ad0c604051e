// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A device into a file, for `read` and for --backup: the file is complete and
 * under its name, or it is not there. And the command that puts it back, asked of
 * our own planner, so that it works when pasted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "base/outfile.h"
#include "base/text.h"
#include "image/detect.h"
#include "image/hybrid.h"
#include "io/copyout.h"
#include "job/job-state.h"
#include "plan/planner.h"

#define WAIT_MS 200

DEFINE_AUTO(struct source *, source_free);
#define auto_source auto_cleanup(source_free)

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcasecmp(s + n - m, end) == 0;
}

int job_copy_compression(const char *path, const char *compress, bool *ret, struct error *err)
{
	static const char *const others[] = { ".gz", ".xz", ".bz2", ".lz4", ".zip", ".lzma" };
	char name[300];

	if (compress) {
		*ret = strcmp(compress, "zst") == 0;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (ends_with(path, others[i]))
			return error_set(
				err, ERROR_USAGE, "output-compression",
				_("%s would not be what its name says: isowrite compresses "
				  "by zstd, as in FILE.zst, or not at all (--compress=none)."),
				text_escape(path, SIZE_MAX, name, sizeof(name)));
	*ret = ends_with(path, ".zst") || ends_with(path, ".zstd");
	return 0;
}

int job_copy_check_place(struct job *j, size_t i, const char *path, struct error *err)
{
	const struct target *t = j->targets[i].target;
	char name[300], device[300];

	if (!target_would_lose(t, path))
		return 0;
	return error_set(
		err, ERROR_USAGE, "output-path",
		_("%s lies on %s, which is what is to be read; choose a file on another disk."),
		text_escape(path, SIZE_MAX, name, sizeof(name)),
		text_escape(t->path, SIZE_MAX, device, sizeof(device)));
}

void job_copy_check_room(struct job *j, const char *path, uint64_t length)
{
	char name[300], has[NUM_SIZE_LEN], needs[NUM_SIZE_LEN];
	uint64_t room = outfile_room(path);

	text_escape(path, SIZE_MAX, name, sizeof(name));
	if (room < length)
		job_warn(
			j, EVENT_NO_TARGET, "little-room",
			_("%s may not fit: there is room for %s, and it needs up to %s. (Blocks of "
			  "zeros take no room, and .zst files less.)"),
			name, num_format_size(has, sizeof(has), room),
			num_format_size(needs, sizeof(needs), length));
}

/* ---- while it runs ---- */

static enum event_phase phase_of(const struct job_copy *how, enum copyout_phase phase)
{
	if (how->phase == PHASE_BACKUP || phase == COPYOUT_READ)
		return how->phase;
	return phase == COPYOUT_FLUSH ? PHASE_FLUSH : PHASE_VERIFY;
}

/* A backup is one phase: what it reads back is the second half of it. */
static void get_status(struct copyout *c, const struct job_copy *how, struct engine_status *ret)
{
	struct copyout_status st;

	copyout_get_status(c, &st);
	*ret = (struct engine_status){ .done = st.done, .total = st.total, .stalled = st.stalled };
	if (how->phase != PHASE_BACKUP)
		return;
	ret->total *= 2;
	if (st.phase != COPYOUT_READ)
		ret->done += st.total;
}

static void follow(struct job *j, size_t i, struct copyout *c, const struct job_copy *how)
{
	enum event_phase told = how->phase;
	bool is_ended = false;

	job_emit_phase(j, i, told);
	job_begin_phase(&j->targets[i], clock_seconds());
	while (!is_ended) {
		struct copyout_status now;
		struct engine_status st;

		if (!j->was_cancelled && job_is_cancelled(j)) {
			j->was_cancelled = true;
			copyout_cancel(c);
		}
		is_ended = copyout_wait(c, WAIT_MS);
		copyout_get_status(c, &now);
		if (phase_of(how, now.phase) != told) {
			told = phase_of(how, now.phase);
			job_emit_phase(j, i, told);
			job_begin_phase(&j->targets[i], now.phase_start);
		}
		get_status(c, how, &st);
		job_show_progress(j, i, &st, told);
	}
}

/* ---- what came of it ---- */

static int error_unreadable(const struct report_copy *copy, const char *device, struct error *err)
{
	const struct copyout_result *res = &copy->result;
	char name[300], bytes[NUM_SIZE_LEN], safe[300];

	return error_set(
		err, ERROR_IO, "unreadable",
		_("%s bytes of %s in %u places could not be read, from byte %llu on; %s has "
		  "zeros there."),
		num_format_bytes(bytes, sizeof(bytes), res->bad_bytes),
		text_escape(device, SIZE_MAX, safe, sizeof(safe)), res->n_bad,
		(unsigned long long)res->bad[0].offset,
		strcmp(copy->path, "-") == 0
			? _("standard output")
			: text_escape(copy->path, SIZE_MAX, name, sizeof(name)));
}

static int error_changed(const struct report_copy *copy, const char *device, struct error *err)
{
	char name[300], safe[300];

	text_escape(device, SIZE_MAX, safe, sizeof(safe));
	if (!copy->is_there)
		return error_set(err, ERROR_IMAGE, "source-changed",
				 _("%s was written to while it was read."), safe);
	return error_set(err, ERROR_IMAGE, "source-changed",
			 _("%s was written to while it was read, so %s may be neither what it held "
			   "before nor what it holds now. Read it again when nothing uses it."),
			 safe, text_escape(copy->path, SIZE_MAX, name, sizeof(name)));
}

static int finish(struct report_target *rt, const struct job_copy *how, struct outfile *file,
		  struct error *err)
{
	struct report_copy *copy = rt->copy;

	if (copy->result.error.kind != ERROR_NONE) {
		*err = copy->result.error;
		return -1;
	}
	/* A backup is right, or it is none. */
	if (how->phase == PHASE_BACKUP && copy->was_written_to)
		return error_changed(copy, rt->path, err);
	if (file && outfile_commit(file, err) < 0)
		return -1;
	copy->is_there = file != NULL;
	if (copy->result.n_bad > 0)
		return error_unreadable(copy, rt->path, err);
	return copy->was_written_to ? error_changed(copy, rt->path, err) : 0;
}

static int run(struct job *j, size_t i, const struct job_copy *how, struct outfile *file,
	       struct error *err)
{
	struct report_target *rt = &j->r->targets[i];
	struct target *t = j->targets[i].target;
	const struct copyout_config config = {
		.read_end = rt->copy->device_bytes,
		.size = rt->copy->length,
		.plan = rt->copy->plan,
		.file = file,
		.compress = how->compress,
		.keep_going = how->keep_going,
		.read_back = how->read_back,
	};
	struct target_stamp stamp;
	struct copyout *c;
	int rc = -1;

	if (copyout_new(t, &config, &c, err) < 0)
		return -1;
	target_take_stamp(t, &stamp);
	if (copyout_start(c, err) == 0) {
		follow(j, i, c, how);
		rt->copy->result = *copyout_get_result(c);
		rt->copy->was_written_to = target_was_written(t, &stamp);
		rc = finish(rt, how, file, err);
	}
	copyout_free(c);
	return rc;
}

int job_copy(struct job *j, size_t i, const struct job_copy *how, struct error *err)
{
	struct report_copy *copy = j->r->targets[i].copy;
	struct outfile file;
	int rc;

	snprintf(copy->path, sizeof(copy->path), "%s", how->path);
	copy->compression = how->compress ? "zstd" : "none";
	if (strcmp(how->path, "-") == 0)
		return run(j, i, how, NULL, err);
	if (outfile_open(how->what, how->path, j->req->overwrite, &file, err) < 0)
		return -1;
	rc = run(j, i, how, &file, err);
	outfile_close(&file);
	return rc;
}

/* ---- the way back ---- */

/* The rules that writing it asks to be lifted, and what an image's end asks for. */
static void list_allow(const struct device_info *info, bool is_truncated, char *buf, size_t size)
{
	snprintf(buf, size, "%s", is_truncated ? "truncated" : "");
	for (size_t i = 0; i < info->n_refused; i++) {
		size_t len = strlen(buf);

		if (device_rule_lift(info->refused[i].rule) == LIFT_ALLOW)
			snprintf(buf + len, size - len, "%s%s", len ? "," : "",
				 device_rule_name(info->refused[i].rule));
	}
}

/* The backup GPT that --used moved goes back to the device's end; a stream's stays where it is. */
static bool wants_fix_gpt(const struct report_target *rt)
{
	return rt->copy->plan && strcmp(rt->copy->compression, "none") == 0;
}

/* auto would make something else of a disc's image, or advise to. */
static bool wants_raw(const struct report_target *rt, const struct layout *lay)
{
	return !wants_fix_gpt(rt) && (lay->kind == LAYOUT_ISO_ELTORITO || hybrid_is_needed(lay));
}

static void make_command(const struct report_target *rt, const struct layout *lay, char *buf,
			 size_t size)
{
	char file[1024], device[512], allow[128], plain[sizeof(rt->path) + 8];
	const char *path = rt->copy->path;
	/* Neither an option nor a command's name. */
	bool is_word = !strchr(path, '/') && (path[0] == '-' || !strchr(path, '.'));

	list_allow(&rt->info, lay->is_truncated, allow, sizeof(allow));
	snprintf(plain, sizeof(plain), "%s%s", is_word ? "./" : "", path);
	text_shell_quote(plain, file, sizeof(file));
	snprintf(plain, sizeof(plain), "%s%s", rt->info.is_file ? "file:" : "", rt->path);
	text_shell_quote(plain, device, sizeof(device));
	if (!file[0] || !device[0])
		return; /* too long to be pasted */
	snprintf(buf, size, "isowrite %s%s%s%s%s%s %s", wants_fix_gpt(rt) ? "--fix-gpt " : "",
		 wants_raw(rt, lay) ? "--mode=raw " : "", allow[0] ? "--allow=" : "", allow,
		 allow[0] ? " " : "", file, device);
}

/* What works when isowrite would not take the file. */
static void make_dd_command(const struct report_target *rt, char *buf, size_t size)
{
	char file[1024], device[512];

	text_shell_quote(rt->copy->path, file, sizeof(file));
	text_shell_quote(rt->path, device, sizeof(device));
	if (!file[0] || !device[0])
		return;
	if (strcmp(rt->copy->compression, "zstd") == 0)
		snprintf(buf, size, "zstd -dc -- %s | dd of=%s bs=1M iflag=fullblock conv=fsync",
			 file, device);
	else
		snprintf(buf, size, "dd if=%s of=%s bs=1M conv=fsync", file, device);
}

/* Would write take the file for this device? */
static int try_plan(struct source *src, struct layout *lay, const struct report_target *rt,
		    const struct geometry *geo, struct error *err)
{
	struct plan_request req = { .fix_gpt = wants_fix_gpt(rt), .allow_truncated = true };
	struct plan *plan;

	if (strcmp(src->compression, rt->copy->compression) != 0)
		return error_set(
			err, ERROR_IMAGE, "compressed",
			_("It begins like a %s file, so isowrite would decompress it; a copy "
			  "named .zst can be written back."),
			src->compression);
	if (detect_layout(src, DETECT_BUDGET, lay, err) < 0 ||
	    detect_check_foreign(lay, rt->copy->path, err) < 0)
		return -1;
	req.mode = wants_raw(rt, lay) ? "raw" : "auto";
	if (planner_make_plan(src, lay, geo, &req, &plan, err) < 0)
		return -1;
	plan_free(plan);
	return 0;
}

void job_copy_find_restore(struct job *j, size_t i)
{
	struct report_target *rt = &j->r->targets[i];
	struct report_copy *copy = rt->copy;
	auto_free struct layout *lay = calloc(1, sizeof(*lay));
	auto_source struct source *src = NULL;
	struct error why = ERROR_INIT;

	/* Nothing is written to a disc, and a file that was read is just a file. */
	if (!copy->is_there || !lay || strcmp(rt->info.transport, "optical") == 0 ||
	    (rt->info.is_file && strcmp(j->r->command, "read") == 0))
		return;
	if (source_open(copy->path, &src, &why) == 0 &&
	    try_plan(src, lay, rt, &j->targets[i].target->geo, &why) == 0)
		make_command(rt, lay, copy->restore, sizeof(copy->restore));
	if (why.kind == ERROR_NONE)
		return;
	snprintf(copy->no_restore, sizeof(copy->no_restore), "%s", why.msg);
	make_dd_command(rt, copy->restore, sizeof(copy->restore));
}

/* ---- --backup ---- */

int job_backup_check(struct job *j, struct error *err)
{
	const char *path = j->req->backup;
	char name[300];
	bool compress;

	if (!path)
		return 0;
	if (j->r->is_dry_run) {
		job_warn(j, EVENT_NO_TARGET, "no-backup",
			 _("Nothing is written, so --backup saves nothing."));
		return 0;
	}
	if (j->n_targets != 1)
		return error_set(
			err, ERROR_USAGE, "backup-targets",
			_("--backup=FILE goes with one target; write several one after the "
			  "other, each with a file of its own."));
	if (job_copy_compression(path, j->req->compress, &compress, err) < 0 ||
	    outfile_check(_("backup"), path, j->req->overwrite, err) < 0)
		return -1;
	if (job_reads_from(j, path) ||
	    (j->req->receipt && outfile_is_same_place(j->req->receipt, path)))
		return error_set(err, ERROR_USAGE, "output-path",
				 _("The backup %s would replace the image or the receipt; choose "
				   "another name."),
				 text_escape(path, SIZE_MAX, name, sizeof(name)));
	j->r->backup = path;
	if (!j->targets[0].target)
		return 0;
	if (job_copy_check_place(j, 0, path, err) < 0)
		return -1;
	job_copy_check_room(j, path, j->targets[0].target->geo.size);
	return 0;
}

static int back_up(struct job *j, struct error *err)
{
	struct report_target *rt = &j->r->targets[0];
	struct target *t = j->targets[0].target;
	struct job_copy how = {
		.what = _("backup"),
		.path = j->req->backup,
		.read_back = true,
		.phase = PHASE_BACKUP,
	};

	rt->copy = calloc(1, sizeof(*rt->copy));
	if (!rt->copy)
		return error_set_nomem(err);
	rt->copy->length = rt->copy->device_bytes = t->geo.size;
	if (job_copy_compression(how.path, j->req->compress, &how.compress, err) < 0 ||
	    t->ops->flush(t, err) < 0 || job_copy(j, 0, &how, err) < 0)
		return -1;
	job_copy_find_restore(j, 0);
	return 0;
}

int job_backup(struct job *j, struct error *err)
{
	struct report_target *rt = &j->r->targets[0];
	struct error why = ERROR_INIT;

	if (!j->req->backup)
		return 0;
	if (rt->info.is_file && !rt->info.file_exists) {
		job_warn(j, 0, "no-backup", _("The file is new, so --backup saves nothing."));
		return 0;
	}
	/* Also what came too late for the backup comes in time for the stick. */
	if (back_up(j, &why) == 0 && !job_is_cancelled(j))
		return 0;
	if (why.kind == ERROR_CANCELLED || why.kind == ERROR_NONE)
		return error_set(err, ERROR_CANCELLED, "cancelled",
				 _("Cancelled; nothing was written."));
	rt->error = why;
	error_prefix(&rt->error, _("Nothing was written, because the backup failed"));
	return job_check_targets(j);
}
