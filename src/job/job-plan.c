// SPDX-License-Identifier: GPL-3.0-or-later
/* A job's plans: one for each distinct geometry among its targets. */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "io/fdisk.h"
#include "job/job-state.h"
#include "plan/planner.h"

static bool geometry_is_equal(const struct geometry *a, const struct geometry *b)
{
	return a->size == b->size && a->sector_size == b->sector_size &&
	       a->io_align == b->io_align && a->is_partition == b->is_partition;
}

/* Installers offer that check before anything else: they would call a good stick bad. */
static void warn_of_media_check(struct job *j, const struct plan *plan)
{
	const struct report *r = j->r;

	if (plan->n_differences > 0 && r->layout.volume.media_check && r->n_plans == 0 &&
	    strcmp(r->command, "check") != 0)
		job_warn(j, EVENT_NO_TARGET, "media-check",
			 _("The image's own media check (checkisomd5) covers bytes that change: it "
			   "will call the stick bad."));
}

static struct plan_request plan_request_of(const struct job *j)
{
	return (struct plan_request){
		.mode = j->mode,
		.fix_gpt = j->req->fix_gpt,
		.seed = j->req->seed,
		.allow_truncated = j->req->allow_truncated,
		.bmap = j->bmap,
		.bmap_zero = j->req->bmap_zero,
		.boot_entry = j->boot_entry,
		.strict_gpt = j->strict_gpt,
		.add_boot = job_has_add_boot(j) ? &j->add_boot : NULL,
	};
}

/* The plan, held against other tools' reading of its tables, and what it will boot. */
static int make_plan(struct job *j, const struct geometry *geo, struct report_plan *rp,
		     struct error *err)
{
	const struct plan_request preq = plan_request_of(j);
	struct source *const sources[] = { j->source };

	if (planner_make_plan(j->source, &j->r->layout, geo, &preq, &rp->plan, err) < 0)
		return -1;
	if (fdisk_check_plan(rp->plan, sources, err) == 0 && job_judge_plan(j, rp, err) == 0)
		return 0;
	plan_free(rp->plan);
	free(rp->layout);
	*rp = (struct report_plan){ .plan = NULL };
	return -1;
}

/* Adds the plan for geo to the report, or finds it there. */
static int plan_for_geometry(struct job *j, const struct geometry *geo, int *ret_index,
			     struct error *err)
{
	struct report *r = j->r;
	struct report_plan *rp = &r->plans[r->n_plans];

	if (j->req->format)
		return job_add_format_plan(j, geo, ret_index, err);
	for (size_t i = 0; i < r->n_plans; i++) {
		if (geometry_is_equal(&r->plans[i].plan->geo, geo)) {
			*ret_index = (int)i;
			return 0;
		}
	}
	if (make_plan(j, geo, rp, err) < 0)
		return -1;
	warn_of_media_check(j, rp->plan);
	*ret_index = (int)r->n_plans++;
	return 0;
}

/* Bytes of a new file that takes the plan; SOURCE_SIZE_UNKNOWN before a stream's end. */
static int planned_size(struct job *j, uint64_t *ret, struct error *err)
{
	const struct plan_request preq = plan_request_of(j);

	return planner_measure(j->source, &j->r->layout, &preq, ret, err);
}

/* What `plan` without a target plans for: --size, or a stick that just takes it. */
static int default_geometry(struct job *j, struct geometry *ret, struct error *err)
{
	uint32_t sector = j->req->sector_size ? j->req->sector_size : 512;
	uint64_t size = j->req->size, content = 0;

	if (size == 0 && planned_size(j, &content, err) < 0)
		return -1;
	if (size == 0 && content == SOURCE_SIZE_UNKNOWN)
		return error_set(
			err, ERROR_USAGE, "no-size",
			_("The size of this image is known only at its end: name a target, "
			  "or the stick's size, as in --size=16GB."));
	if (size == 0)
		size = num_round_up(content, sector);
	*ret = (struct geometry){ .size = size, .sector_size = sector, .io_align = sector };
	return 0;
}

/* A file target that does not exist yet gets the image's size unless told another. */
static int size_new_file(struct job *j, struct target *t, struct error *err)
{
	uint64_t content;

	if (t->geo.size != 0 || !t->info.is_file || t->info.file_exists)
		return 0;
	if (j->req->format)
		return error_set(err, ERROR_USAGE, "no-size",
				 _("Say how large the new file shall be, as in --size=16GB."));
	if (planned_size(j, &content, err) < 0)
		return -1;
	if (content == SOURCE_SIZE_UNKNOWN)
		return error_set(
			err, ERROR_USAGE, "no-size",
			_("The size of this image is known only at its end: say how large the "
			  "new file shall be, as in --size=16GB."));
	t->geo.size = num_round_up(content, t->geo.sector_size);
	t->info.size = t->geo.size;
	return 0;
}

/* Too small, wrong sectors: this target's trouble. Anything else is wrong with the image. */
static bool is_about_target(const struct error *why)
{
	return why->kind == ERROR_FIT || strcmp(why->code, "sector-size") == 0 ||
	       strcmp(why->code, "no-size") == 0;
}

/* What the plan keeps between the image's bytes. */
static int note_not_covered(struct report_target *rt, const struct plan *plan, struct error *err)
{
	uint64_t end = plan->is_open ? 0 : plan_source_end(plan);

	for (size_t i = 0; i < plan->n_extents; i++) {
		const struct extent *e = &plan->extents[i];

		if (e->kind == EXTENT_KEEP && e->start < end &&
		    report_add_not_covered(rt, e->start, e->len) < 0)
			return error_set_nomem(err);
	}
	return 0;
}

static int plan_for_target(struct job *j, size_t i, struct error *err)
{
	struct report_target *rt = &j->r->targets[i];
	struct target *t = j->targets[i].target;

	if (j->req->format && job_check_whole(rt, err) < 0)
		return -1;
	if (size_new_file(j, t, err) < 0)
		return -1;
	rt->info.size = t->info.size;
	if (plan_for_geometry(j, &t->geo, &rt->plan, err) < 0)
		return -1;
	return note_not_covered(rt, j->r->plans[rt->plan].plan, err);
}

int job_make_plans(struct job *j, struct error *err)
{
	struct report *r = j->r;

	r->plans = calloc(j->n_targets + 1, sizeof(*r->plans));
	if (!r->plans)
		return error_set_nomem(err);
	r->is_mode_auto = strcmp(j->mode, "auto") == 0 && j->boot_entry == 0 && !j->strict_gpt &&
			  !job_has_add_boot(j);
	if (!j->req->format)
		job_warn_of_discs(j);
	if (j->n_targets == 0) {
		struct geometry geo;
		int index;

		if (default_geometry(j, &geo, err) < 0)
			return -1;
		return plan_for_geometry(j, &geo, &index, err);
	}
	for (size_t i = 0; i < j->n_targets; i++) {
		struct error why = ERROR_INIT;
		char name[256];

		/* A dry run shows the plan also for a target that would be refused. */
		if (!j->targets[i].target || (!r->is_dry_run && !job_is_live(j, i)))
			continue;
		if (plan_for_target(j, i, &why) == 0)
			continue;
		if (!is_about_target(&why)) {
			*err = why;
			return -1;
		}
		error_prefix(&why, "%s",
			     text_escape(r->targets[i].path, SIZE_MAX, name, sizeof(name)));
		if (r->targets[i].error.kind == ERROR_NONE)
			r->targets[i].error = why;
	}
	return job_check_targets(j);
}
