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
	&planner_raw,
};

static const struct planner *find_planner(const struct layout *lay, const struct plan_request *req)
{
	for (size_t i = 0; i < ARRAY_SIZE(planners); i++) {
		if (!strcmp(req->mode, "auto")) {
			if (planners[i]->suits(lay, req))
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

int planner_make_plan(struct source *src, const struct layout *lay, const struct geometry *geo,
		      const struct plan_request *req, struct plan **ret, struct error *err)
{
	const struct planner *planner = find_planner(lay, req);

	if (!planner)
		return error_set(err, ERROR_USAGE, "unknown-mode",
				 _("There is no such mode; --mode takes auto or raw."));
	if (req->fix_gpt && planner != &planner_gptfix)
		return error_set(
			err, ERROR_USAGE, "fix-gpt-raw",
			_("--fix-gpt changes the image, --mode=raw does not; leave one out."));
	if (req->bmap && planner == &planner_raw)
		return error_set(
			err, ERROR_USAGE, "bmap-raw",
			_("--bmap leaves parts of the image out, --mode=raw does not; leave one out."));
	if (planner->needs_random && src->access != SOURCE_RANDOM)
		return error_set(
			err, ERROR_USAGE, "needs-file",
			_("The GPT of a compressed image or a stream cannot be fixed while it "
			  "is written; save the decompressed image to a file first."));
	if (check_truncated(lay, req, err) < 0 || check_sector_size(lay, geo, err) < 0)
		return -1;
	return planner->make(src, lay, geo, req, ret, err);
}
