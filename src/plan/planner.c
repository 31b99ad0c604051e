// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The ordered table of planners, and what is asked of every plan before one is
 * made; see planner.h.
 */
#include "plan/planner.h"

#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"

/* In the order in which auto asks them; raw says yes to everything. */
static const struct planner *const planners[] = {
	&planner_gptfix,
	&planner_bmap,
	&planner_hybrid,
	&planner_raw,
};

/* --add-boot has a planner in the hybrid one's place; none of the table. */
static bool is_hybrid(const struct planner *planner)
{
	return planner == &planner_hybrid || planner == &planner_add_boot;
}

/* Nobody asked for what only one planner gives. */
static bool is_auto(const struct plan_request *req)
{
	return !strcmp(req->mode, "auto") && !req->fix_gpt && req->boot_entry == 0 &&
	       !req->strict_gpt;
}

/* auto changes nothing that it cannot: of a stream, raw. */
static bool auto_chooses(const struct planner *planner, const struct source *src,
			 const struct layout *lay, const struct plan_request *req)
{
	return planner->suits(lay, req) &&
	       (!planner->needs_random || src->access == SOURCE_RANDOM || !is_auto(req));
}

static const struct planner *find_planner(const struct source *src, const struct layout *lay,
					  const struct plan_request *req)
{
	if (req->add_boot && strcmp(req->mode, "raw") != 0)
		return &planner_add_boot;
	for (size_t i = 0; i < ARRAY_SIZE(planners); i++) {
		if (!strcmp(req->mode, "auto")) {
			if (auto_chooses(planners[i], src, lay, req))
				return planners[i];
		} else if (planners[i]->mode && !strcmp(planners[i]->mode, req->mode)) {
			return planners[i];
		}
	}
	return NULL;
}

static int check_truncated(const struct layout *lay, const struct plan_request *req,
			   struct error *err)
{
	char has[NUM_SIZE_LEN], needs[NUM_SIZE_LEN], by[256];

	if (!lay->is_truncated || req->allow_truncated)
		return 0;
	return error_set(err, ERROR_IMAGE, "truncated",
			 _("The image is cut short: it has %s bytes, but %s needs %s bytes; "
			   "download it again (--allow=truncated writes it as it is)."),
			 num_format_bytes(has, sizeof(has), lay->size),
			 text_escape(lay->expected_by, sizeof(lay->expected_by), by, sizeof(by)),
			 num_format_bytes(needs, sizeof(needs), lay->expected_size));
}

/* What of the image counts smaller sectors than the target's; NULL if nothing does. */
static const char *smaller_sectors(const struct layout *lay, uint32_t sector_size)
{
	if (lay->gpt.valid)
		return lay->gpt.block_size < sector_size ? _("its GUID partition table") : NULL;
	if (lay->mbr.present)
		return lay->mbr.block_size < sector_size ? _("its partition table") : NULL;
	/* They count blocks of 2048; larger sectors hide them from kernels and firmware. */
	if ((lay->volume.present || lay->udf) && sector_size > 2048)
		return lay->volume.present ? _("its ISO 9660 file system")
					   : _("its UDF file system");
	if (lay->superfloppy && lay->sector_size < sector_size)
		return _("its file system");
	return NULL;
}

static int check_sector_size(const struct layout *lay, const struct geometry *geo,
			     struct error *err)
{
	const char *what = smaller_sectors(lay, geo->sector_size);

	/* Newer kernels offer them for disks; no firmware boots from one. */
	if (geo->sector_size > PLAN_MAX_SECTOR)
		return error_set(err, ERROR_LACKING, "sector-size",
				 _("The target has sectors of %u bytes; this version writes to "
				   "sectors of at most %u."),
				 geo->sector_size, PLAN_MAX_SECTOR);
	if (!what)
		return 0;
	return error_set(err, ERROR_IMAGE, "sector-size",
			 _("The image will not work on this target: %s is made for smaller sectors "
			   "than the target's %u bytes; use a stick with 512-byte sectors."),
			 what, geo->sector_size);
}

/* Options that the planner would pass over in silence. */
static int check_options(const struct planner *planner, const struct plan_request *req,
			 struct error *err)
{
	if (req->fix_gpt && planner != &planner_gptfix)
		return error_set(
			err, ERROR_USAGE, "fix-gpt-mode",
			is_hybrid(planner)
				? _("The hybrid mode makes a GPT of its own, at the stick's end "
				    "too; leave --fix-gpt out.")
				: _("--fix-gpt changes the image, --mode=raw does not; leave "
				    "one out."));
	if (req->bmap && (planner->mode || is_hybrid(planner)))
		return error_set(
			err, ERROR_USAGE, "bmap-mode",
			is_hybrid(planner)
				? _("--bmap leaves parts of the image out, which the hybrid mode "
				    "cannot; leave one out.")
				: _("--bmap leaves parts of the image out, --mode=raw does not; "
				    "leave one out."));
	if ((req->boot_entry > 0 || req->strict_gpt) && !is_hybrid(planner))
		return error_set(err, ERROR_USAGE, "hybrid-options",
				 _("--boot-entry and --strict-gpt are about --mode=hybrid; leave "
				   "them out."));
	if (req->add_boot && !is_hybrid(planner))
		return error_set(
			err, ERROR_USAGE, "add-boot-raw",
			_("--add-boot changes the image, --mode=raw does not; leave one out."));
	return 0;
}

/* The planner for req, if nothing speaks against it that no target changes. NULL with err. */
static const struct planner *choose(const struct source *src, const struct layout *lay,
				    const struct plan_request *req, struct error *err)
{
	const struct planner *planner = find_planner(src, lay, req);

	if (!planner) {
		error_set(err, ERROR_USAGE, "unknown-mode",
			  _("There is no such mode; --mode takes auto, raw or hybrid."));
		return NULL;
	}
	if (check_options(planner, req, err) < 0)
		return NULL;
	if (planner->needs_random && src->access != SOURCE_RANDOM) {
		error_set(
			err, ERROR_USAGE, "needs-file",
			is_hybrid(planner)
				? _("A compressed image or a stream cannot be made to boot from a "
				    "stick while it is written; save the decompressed image to a "
				    "file first.")
				: _("The GPT of a compressed image or a stream cannot be fixed "
				    "while it is written; save the decompressed image to a file "
				    "first."));
		return NULL;
	}
	return check_truncated(lay, req, err) < 0 ? NULL : planner;
}

int planner_make_plan(struct source *src, const struct layout *lay, const struct geometry *geo,
		      const struct plan_request *req, struct plan **ret, struct error *err)
{
	const struct planner *planner = choose(src, lay, req, err);

	if (!planner || check_sector_size(lay, geo, err) < 0)
		return -1;
	/* Boot code and table would count from the partition's start; no firmware does. */
	if (planner == &planner_hybrid && geo->is_partition && is_auto(req))
		planner = &planner_raw;
	if (is_hybrid(planner) && geo->is_partition)
		return error_set(err, ERROR_USAGE, "hybrid-partition",
				 _("A hybrid boots from a whole stick only; the target is a "
				   "partition."));
	return planner->make(src, lay, geo, req, ret, err);
}

int planner_measure(struct source *src, const struct layout *lay, const struct plan_request *req,
		    uint64_t *ret, struct error *err)
{
	const struct planner *planner = choose(src, lay, req, err);

	if (!planner)
		return -1;
	if (planner->measure)
		return planner->measure(src, lay, req, ret, err);
	*ret = src->size == SOURCE_SIZE_UNKNOWN && req->bmap ? req->bmap->image_size : src->size;
	return 0;
}
