// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What is different when a target is formatted: there is no image, and every
 * target gets a plan of its own, so that no two volumes have the same serial
 * number; unless a seed was given, which promises the same bytes again.
 */
#include "base/text.h"
#include "io/fdisk.h"
#include "io/mke2fs.h"
#include "job/job-state.h"

/* The engine wants a source; plans without SOURCE extents never read it. */
static int read_nothing(struct source *src, uint64_t off, void *buf, size_t len, struct error *err)
{
	(void)src;
	(void)off;
	(void)buf;
	(void)len;
	return error_set(err, ERROR_INTERNAL, "no-image", _("There is no image to read."));
}

static const struct source_ops nothing_ops = { .name = "nothing", .read_at = read_nothing };

int job_open_nothing(struct job *j, struct error *err)
{
	j->source = source_new(&nothing_ops, SOURCE_RANDOM, NULL);
	if (!j->source)
		return error_set_nomem(err);
	j->source->size = 0;
	return 0;
}

static int make_plan(struct job *j, const struct format_volume *v, const struct geometry *geo,
		     struct plan **ret, struct error *err)
{
	struct source *const sources[] = { j->source };
	const struct ext4_request ereq = {
		.size = v->size, .label = v->label, .uuid = v->id, .time = v->time
	};
	struct ext4 fs = { .data = NULL };
	struct plan *plan = NULL;
	int rc = 0;

	if (v->type == FORMAT_EXT4)
		rc = mke2fs_make(&ereq, &fs, err);
	/* Ctrl-C goes to mke2fs as well. */
	if (rc < 0 && job_is_cancelled(j))
		error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled; nothing was written."));
	if (rc == 0)
		rc = format_make_plan(v, geo, fs.pieces, fs.n_pieces, &plan, err);
	ext4_done(&fs);
	if (rc == 0)
		rc = fdisk_check_plan(plan, sources, err);
	if (rc < 0) {
		plan_free(plan);
		return -1;
	}
	*ret = plan;
	return 0;
}

/* The plan of an earlier target serves only where everything in it would be the same. */
static bool is_for_geometry(const struct report_plan *rp, const struct geometry *geo)
{
	const struct geometry *g = &rp->plan->geo;

	return g->size == geo->size && g->sector_size == geo->sector_size &&
	       g->io_align == geo->io_align;
}

int job_check_whole(const struct report_target *rt, struct error *err)
{
	char name[256];

	if (!rt->info.is_partition)
		return 0;
	return error_set(err, ERROR_USAGE, "partition",
			 _("%s is a partition; format gives whole disks back (mkfs makes a file "
			   "system in a partition)."),
			 text_escape(rt->path, SIZE_MAX, name, sizeof(name)));
}

int job_add_format_plan(struct job *j, const struct geometry *geo, int *ret_index,
			struct error *err)
{
	struct format_request freq = *j->req->format;
	struct report *r = j->r;
	struct report_plan *rp = &r->plans[r->n_plans];

	for (size_t i = 0; j->req->has_format_seed && i < r->n_plans; i++) {
		if (is_for_geometry(&r->plans[i], geo)) {
			*ret_index = (int)i;
			return 0;
		}
	}
	/* The random seed, and which target: as good as another random one. */
	if (!j->req->has_format_seed)
		freq.seed[0] = (uint8_t)(freq.seed[0] + r->n_plans);
	if (format_choose(&freq, geo, &rp->volume, err) < 0 ||
	    make_plan(j, &rp->volume, geo, &rp->plan, err) < 0)
		return -1;
	if (rp->volume.is_label_upper_cased)
		report_add_finding(r, LAYOUT_INFO, "label-upper-case",
				   _("FAT has capital letters only, so the label becomes \"%s\"."),
				   rp->volume.label);
	if (rp->volume.is_table_forced)
		report_add_finding(r, LAYOUT_INFO, "table-gpt",
				   _("A GPT, since an MBR does not reach to the end."));
	*ret_index = (int)r->n_plans++;
	return 0;
}
