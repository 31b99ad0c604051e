/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planners: one file each, plan-NAME.c, listed in order in planner.c. */
#ifndef ISOWRITE_PLAN_PLANNER_H
#define ISOWRITE_PLAN_PLANNER_H

#include <stdbool.h>

#include "base/error.h"
#include "image/bmap.h"
#include "image/hybrid.h"
#include "image/layout.h"
#include "image/source.h"
#include "plan/add-boot.h"
#include "plan/plan.h"

struct plan_request {
	const char *mode; /* "auto", "raw", "hybrid" */
	bool fix_gpt;
	const char *seed; /* UUID text or NULL */
	bool allow_truncated;
	const struct bmap *bmap; /* or NULL: all of the image is data */
	bool bmap_zero; /* what is not mapped becomes zero, else it is kept */
	uint32_t boot_entry; /* hybrid: for BIOS, counted from 1; 0: the one that a disc boots */
	bool strict_gpt; /* hybrid: no entry for the ISO, which a strict reader rejects */
	const struct add_boot *add_boot; /* hybrid: boot entries that the disc lacks, or NULL */
};

struct planner {
	const char *mode; /* name for --mode; NULL: chosen by an option of its own */
	bool needs_random; /* refused on a stream */

	/* Would auto choose it? Only raw says yes to everything, last. */
	bool (*suits)(const struct layout *lay, const struct plan_request *req);

	/* Bytes of a new file that takes the plan. NULL: as many as the image has. */
	int (*measure)(struct source *src, const struct layout *lay,
		       const struct plan_request *req, uint64_t *ret, struct error *err);

	/* A closed plan (open when the source's size is unknown). Caller frees. */
	int (*make)(struct source *src, const struct layout *lay, const struct geometry *geo,
		    const struct plan_request *req, struct plan **ret, struct error *err);
};

/*
 * Chooses the planner for req->mode and makes the plan. ERROR_FIT when the
 * image is larger than the target; ERROR_IMAGE "sector-size" for a
 * 512-byte-sector image on a 4096-byte-sector target, with the reason.
 */
int planner_make_plan(struct source *src, const struct layout *lay, const struct geometry *geo,
		      const struct plan_request *req, struct plan **ret, struct error *err);

/*
 * Bytes that a new file needs for such a plan, SOURCE_SIZE_UNKNOWN where only the source's end
 * will tell. The errors of planner_make_plan() that do not depend on a target.
 */
int planner_measure(struct source *src, const struct layout *lay, const struct plan_request *req,
		    uint64_t *ret, struct error *err);

/* What the image is, for its extents: "ISO 9660 image". Static storage. */
const char *planner_describe_image(const struct layout *lay);

extern const struct planner planner_raw;
extern const struct planner planner_bmap;
extern const struct planner planner_gptfix;
extern const struct planner planner_hybrid;
extern const struct planner planner_add_boot;

#endif
