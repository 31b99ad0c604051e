// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A hybrid plan, judged by its own bytes: what will be on the stick is detected like an image,
 * so that what is said of it is never more than what the bytes say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "image/detect.h"
#include "image/hybrid.h"
#include "job/job-state.h"
#include "plan/plan-source.h"

static bool is_lost(uint8_t cd, uint8_t usb)
{
	return cd == BOOT_YES && usb != BOOT_YES;
}

/* What the disc boots and the stick would not, although the plan was made for it; "" nothing. */
static void name_lost(const struct layout *image, const struct layout *stick,
		      const struct hybrid *choice, char *buf, size_t size)
{
	const struct layout_boot_report *cd = &image->boot, *usb = &stick->boot;
	const struct {
		const char *name;
		bool is_lost;
	} ways[] = {
		{ "BIOS", choice->fixes_bios && is_lost(cd->bios.cd, usb->bios.usb) },
		{ "UEFI x64", choice->fixes_uefi && is_lost(cd->uefi_x64.cd, usb->uefi_x64.usb) },
		{ "UEFI ia32",
		  choice->fixes_uefi && is_lost(cd->uefi_ia32.cd, usb->uefi_ia32.usb) },
		{ "UEFI aa64",
		  choice->fixes_uefi && is_lost(cd->uefi_aa64.cd, usb->uefi_aa64.usb) },
	};

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		size_t used = strlen(buf);

		if (ways[i].is_lost)
			snprintf(buf + used, size - used, "%s%s", used ? ", " : "", ways[i].name);
	}
}

static int detect_planned(struct job *j, const struct plan *plan, struct layout *ret,
			  struct error *err)
{
	struct source *const sources[] = { j->source };
	struct source *src;
	int rc;

	if (plan_source_new(plan, sources, ARRAY_SIZE(sources), &src, err) < 0)
		return -1;
	src->is_block_device = true; /* sectors of a known size, as firmware will see them */
	rc = detect_layout(src, DETECT_BUDGET, ret, err);
	source_free(src);
	return rc;
}

int job_judge_plan(struct job *j, struct report_plan *rp, struct error *err)
{
	const struct layout *image = &j->r->layout;
	struct hybrid choice;
	const char *ignored;
	char lost[64];

	if (strcmp(rp->plan->planner, "hybrid") != 0)
		return 0;
	rp->layout = calloc(1, sizeof(*rp->layout));
	if (!rp->layout)
		return error_set_nomem(err);
	if (detect_planned(j, rp->plan, rp->layout, err) < 0)
		return -1;
	if (!hybrid_choose(image, j->req->boot_entry, &choice, &ignored))
		return 0;
	name_lost(image, rp->layout, &choice, lost, sizeof(lost));
	/* Of Windows nothing is promised. */
	if (lost[0] && j->r->n_plans == 0 && image->kind != LAYOUT_WINDOWS)
		job_warn(j, EVENT_NO_TARGET, "hybrid-doubt",
			 _("The stick was to boot by %s, and its planned bytes do not show that it "
			   "will: please report this image."),
			 lost);
	return 0;
}

void job_warn_of_stream(struct job *j)
{
	struct layout *lay = &j->r->layout;

	if (j->source->access == SOURCE_RANDOM || lay->kind != LAYOUT_ISO_ELTORITO ||
	    (j->req->mode && strcmp(j->req->mode, "auto") != 0) ||
	    strcmp(j->r->command, "check") == 0)
		return;
	job_warn(j, EVENT_NO_TARGET, "stream-disc-only",
		 _("Made for discs, this image boots from a stick only if it is changed for that, "
		   "which needs a file that can be read at any place: decompress or save it first, "
		   "then write that file."));
}
