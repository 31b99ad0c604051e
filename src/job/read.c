// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * read DEVICE -o FILE: everything that is on a stick, a disc or in a file, or
 * (--used) what its tables say is in use. Writes nothing to the device.
 *
 * With --used a backup GPT at the device's end would be left out, and an image
 * without it is one that tools complain about and that write calls cut short. So
 * it is moved to the image's end by the planner behind --fix-gpt.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/outfile.h"
#include "base/text.h"
#include "image/detect.h"
#include "image/used.h"
#include "io/fdisk.h"
#include "io/inhibit.h"
#include "job/job-state.h"
#include "plan/planner.h"

#define USED_BUDGET (64 * MIB) /* bytes that may be read to find the end of the used part */

DEFINE_AUTO(struct source *, source_free);
#define auto_source auto_cleanup(source_free)

static int check_stdout(struct error *err)
{
	struct stat st;

	if (isatty(STDOUT_FILENO))
		return error_set(err, ERROR_USAGE, "output-path",
				 _("Standard output is a terminal; name a file, or pipe it into "
				   "something."));
	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISBLK(st.st_mode))
		return error_set(
			err, ERROR_USAGE, "output-path",
			_("Standard output is a block device; devices are written by: isowrite "
			  "IMAGE DEVICE"));
	return 0;
}

/* What reads the first bytes of the used part only, as if there were no more. */
static int window_read_at(struct source *src, uint64_t off, void *buf, size_t len,
			  struct error *err)
{
	return source_read_at(src->priv, off, buf, len, err);
}

static const struct source_ops window_ops = { .name = "window", .read_at = window_read_at };

/* The backup GPT belongs behind the used part: *ret is the plan, or NULL if it is not smaller. */
static int move_backup_gpt(struct source *whole, const struct layout *lay, uint64_t end,
			   struct plan **ret, struct error *err)
{
	const struct layout_gpt *gpt = &lay->gpt;
	const struct plan_request req = { .mode = "auto", .fix_gpt = true };
	uint64_t array = num_round_up((uint64_t)gpt->primary.n_entries * gpt->primary.entry_size,
				      gpt->block_size);
	auto_source struct source *window = NULL;
	struct geometry geo = { .sector_size = gpt->block_size, .io_align = gpt->block_size };
	struct plan *plan;

	geo.size = num_round_up(end + array + gpt->block_size, MIB);
	if (geo.size >= lay->size)
		return 0;
	window = source_new(&window_ops, SOURCE_RANDOM, whole);
	if (!window)
		return error_set_nomem(err);
	window->size = window->file_size = end;
	if (planner_gptfix.make(window, lay, &geo, &req, &plan, err) < 0)
		return -1;
	if (fdisk_check_plan(plan, (struct source *const[]){ window }, err) < 0) {
		plan_free(plan);
		return -1;
	}
	*ret = plan;
	return 0;
}

/* A file system on all of it, of which the tables do not tell. A table beside it may be stale. */
static const struct device_content *find_whole(const struct device_info *info)
{
	static const char *const not_told[] = { "unknown", "unreadable", "more" };

	for (size_t i = 0; i < info->n_contents; i++) {
		const struct device_content *c = &info->contents[i];
		bool is_whole = !c->is_table && c->is_foreign && c->start == 0 && c->size == 0;

		for (size_t k = 0; k < ARRAY_SIZE(not_told); k++)
			is_whole = is_whole && strcmp(c->type, not_told[k]) != 0;
		if (is_whole)
			return c;
	}
	return NULL;
}

static int check_whole(const struct device_info *info, const struct layout *lay, struct error *err)
{
	const struct device_content *c = lay->superfloppy ? NULL : find_whole(info);
	char type[64];

	if (!c)
		return 0;
	return error_set(err, ERROR_IMAGE, "used-unknown",
			 _("It cannot be said where its used part ends: beside its partition table "
			   "there is %s on all of it. Without --used all of it is read."),
			 text_escape(c->type, SIZE_MAX, type, sizeof(type)));
}

/* --used: where it ends, and what has to be changed for it to be an image of its own. */
static int find_used(struct job *j, struct error *err)
{
	struct report_copy *copy = j->r->targets[0].copy;
	struct target *t = j->targets[0].target;
	auto_free struct layout *lay = calloc(1, sizeof(*lay));
	auto_source struct source *src = NULL;
	struct used used;
	char path[32];

	if (!lay)
		return error_set_nomem(err);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", t->path_fd);
	if (source_open(path, &src, err) < 0)
		return -1;
	if (src->access != SOURCE_RANDOM)
		return error_set(
			err, ERROR_IMAGE, "used-unknown",
			_("It cannot be said where its used part ends: it begins like a %s "
			  "file. Without --used all of it is read."),
			src->compression);
	if (detect_layout(src, USED_BUDGET, lay, err) < 0 || used_find(src, lay, &used, err) < 0 ||
	    (used.end < lay->size && check_whole(&t->info, lay, err) < 0))
		return -1;
	if (used.needs_backup_gpt && move_backup_gpt(src, lay, used.end, &copy->plan, err) < 0) {
		if (err->kind != ERROR_IMAGE)
			return -1;
		return error_set(
			err, ERROR_IMAGE, "used-unknown",
			_("--used cannot make its GPT that of a shorter image: it is of an "
			  "unusual kind. Without --used all of it is read."));
	}
	if (used.end == lay->size || (used.needs_backup_gpt && !copy->plan))
		return 0; /* all of it */
	snprintf(copy->used_by, sizeof(copy->used_by), "%s", used.by);
	copy->device_bytes = used.end;
	copy->length = copy->plan ? copy->plan->geo.size : used.end;
	return 0;
}

static bool has_mounts(const struct device_info *info)
{
	for (size_t i = 0; i < info->n_refused; i++)
		if (info->refused[i].rule == RULE_MOUNTED)
			return true;
	return false;
}

static int open_device(struct job *j, struct error *err)
{
	struct report_target *rt = &j->r->targets[0];
	struct target *t = j->targets[0].target;
	bool is_mounted = has_mounts(&rt->info), is_shared;
	char name[300];

	if (j->req->unmount && is_mounted) {
		if (target_unmount(t, err) < 0)
			return -1;
		rt->was_unmounted = true;
		is_mounted = false;
	}
	if (target_open_source(t, rt->was_unmounted, &is_shared, err) < 0)
		return -1;
	/* What is written to a disc in a drive? */
	if (is_shared && !t->info.readonly && strcmp(t->info.transport, "optical") != 0)
		job_warn(j, 0, "in-use",
			 _("%s is in use%s: what is written to it meanwhile may spoil the copy%s."),
			 text_escape(rt->path, SIZE_MAX, name, sizeof(name)),
			 is_mounted ? _(" (mounted)") : "",
			 is_mounted ? _("; --unmount unmounts it first") : "");
	return 0;
}

/* The output, before the device is looked at. */
static int check_output(struct job *j, struct job_copy *how, struct error *err)
{
	how->what = _("image");
	how->path = j->req->output;
	if (job_copy_compression(how->path, j->req->compress, &how->compress, err) < 0)
		return -1;
	if (strcmp(how->path, "-") == 0)
		return check_stdout(err);
	how->read_back = !j->req->no_verify;
	return outfile_check(how->what, how->path, j->req->overwrite, err);
}

/* Before the device is unmounted. A shell may have sent standard output to a file on it, too. */
static int check_place(struct job *j, const char *path, struct error *err)
{
	char stdout_path[PATH_MAX];
	struct stat st;
	ssize_t len;

	if (strcmp(path, "-") != 0)
		return job_copy_check_place(j, 0, path, err);
	if (fstat(STDOUT_FILENO, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	len = readlink("/proc/self/fd/1", stdout_path, sizeof(stdout_path) - 1);
	if (len < 0)
		return 0;
	stdout_path[len] = '\0';
	return job_copy_check_place(j, 0, stdout_path, err);
}

static int read_story(struct job *j, struct error *err)
{
	struct report_target *rt = &j->r->targets[0];
	struct job_copy how = { .keep_going = j->req->keep_going, .phase = PHASE_READ };
	int rc;

	if (check_output(j, &how, err) < 0 ||
	    target_look_source(j->req->targets[0], &j->targets[0].target, err) < 0 ||
	    check_place(j, how.path, err) < 0)
		return -1;
	rt->info = j->targets[0].target->info;
	rt->copy = calloc(1, sizeof(*rt->copy));
	if (!rt->copy)
		return error_set_nomem(err);
	snprintf(rt->copy->path, sizeof(rt->copy->path), "%s", how.path);
	rt->copy->compression = how.compress ? "zstd" : "none";
	rt->copy->length = rt->copy->device_bytes = rt->info.size;
	if (open_device(j, err) < 0 || (j->req->used && find_used(j, err) < 0))
		return -1;
	if (strcmp(how.path, "-") != 0)
		job_copy_check_room(j, how.path, rt->copy->length);
	job_emit(j, EVENT_PLANNED, EVENT_NO_TARGET);
	j->inhibit_fd = inhibit_sleep(_("reading a stick"));
	rc = job_copy(j, 0, &how, err);
	rt->status = rc == 0                        ? TARGET_READ
		     : err->kind == ERROR_CANCELLED ? TARGET_CANCELLED
						    : TARGET_FAILED;
	job_copy_find_restore(j, 0);
	job_emit(j, EVENT_TARGET_DONE, 0);
	return rc;
}

int job_read(const struct job_request *req, const struct events *events, struct report *r)
{
	struct job j;

	if (job_init(&j, req, events, r, &r->error) == 0)
		(void)read_story(&j, &r->error);
	job_done(&j);
	r->finished = time(NULL);
	r->exit_status = report_exit_status(r);
	return r->exit_status;
}
