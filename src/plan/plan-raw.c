// SPDX-License-Identifier: GPL-3.0-or-later
/* The raw planner: the image byte for byte from the target's first byte on; see planner.h. */
#include "plan/planner.h"

const char *planner_describe_image(const struct layout *lay)
{
	switch (lay->kind) {
	case LAYOUT_ISOHYBRID:
	case LAYOUT_ISO_ELTORITO:
	case LAYOUT_ISO_DATA:
		return "ISO 9660 image";
	case LAYOUT_WINDOWS:
		return "Windows disc image";
	case LAYOUT_UDF:
		return "UDF image";
	case LAYOUT_DISK:
		return "disk image";
	case LAYOUT_UNKNOWN:
		break;
	}
	return "image";
}

static bool raw_suits(const struct layout *lay, const struct plan_request *req)
{
	(void)lay;
	(void)req;
	return true;
}

static int raw_make(struct source *src, const struct layout *lay, const struct geometry *geo,
		    const struct plan_request *req, struct plan **ret, struct error *err)
{
	struct plan *plan = plan_new("raw", geo);
	int rc;

	(void)req;
	if (!plan)
		return error_set_nomem(err);
	if (src->size == SOURCE_SIZE_UNKNOWN)
		rc = plan_append_source_open(plan, planner_describe_image(lay), err);
	else
		rc = plan_append_source(plan, src->size, 0, 0, planner_describe_image(lay), err);
	if (rc == 0 && src->size != SOURCE_SIZE_UNKNOWN)
		rc = plan_close(plan, 0, err);
	if (rc < 0) {
		plan_free(plan);
		return -1;
	}
	*ret = plan;
	return 0;
}

const struct planner planner_raw = {
	.mode = "raw",
	.suits = raw_suits,
	.make = raw_make,
};
