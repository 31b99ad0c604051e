// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Hybrids: the plan judged by its own bytes, which are detected like an image, so that what is
 * said of a stick is never more than what they say; and a stick recognised as written so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "boot/layout.h"
#include "disk/gpt.h"
#include "image/detect.h"
#include "image/hybrid.h"
#include "job/job-state.h"
#include "job/segment.h"
#include "plan/plan-source.h"

#define SECTOR 512U

static bool is_lost(uint8_t cd, uint8_t usb)
{
	return cd == BOOT_YES && usb != BOOT_YES;
}

/* Has this way to boot been added, and would the stick not boot so? */
static bool is_vain(bool is_added, uint8_t usb)
{
	return is_added && usb != BOOT_YES;
}

/* What the disc boots and the stick would not, although the plan was made for it; "" nothing. */
static void name_lost(const struct layout *image, const struct layout *stick,
		      const struct hybrid *choice, const struct add_boot *added, char *buf,
		      size_t size)
{
	uint32_t archs = added->efi.loaders;
	const struct layout_boot_report *cd = &image->boot, *usb = &stick->boot;
	const struct {
		const char *name;
		bool is_lost;
	} ways[] = {
		{ "BIOS", (choice->fixes_bios && is_lost(cd->bios.cd, usb->bios.usb)) ||
				  is_vain(added->bios.data, usb->bios.usb) },
		{ "UEFI x64", (choice->fixes_uefi && is_lost(cd->uefi_x64.cd, usb->uefi_x64.usb)) ||
				      is_vain(archs & LOADER_X64, usb->uefi_x64.usb) },
		{ "UEFI ia32",
		  (choice->fixes_uefi && is_lost(cd->uefi_ia32.cd, usb->uefi_ia32.usb)) ||
			  is_vain(archs & LOADER_IA32, usb->uefi_ia32.usb) },
		{ "UEFI aa64",
		  (choice->fixes_uefi && is_lost(cd->uefi_aa64.cd, usb->uefi_aa64.usb)) ||
			  is_vain(archs & LOADER_AA64, usb->uefi_aa64.usb) },
	};

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		size_t used = strlen(buf);

		if (ways[i].is_lost)
			snprintf(buf + used, size - used, "%s%s", used ? ", " : "", ways[i].name);
	}
}

static int open_planned(struct job *j, const struct plan *plan, struct source **ret,
			struct error *err)
{
	struct source *const sources[] = { j->source };

	if (plan_source_new(plan, sources, ARRAY_SIZE(sources), ret, err) < 0)
		return -1;
	(*ret)->is_block_device = true; /* sectors of a known size, as firmware will see them */
	return 0;
}

static int detect_planned(struct job *j, const struct plan *plan, struct layout *ret,
			  struct error *err)
{
	struct source *src;
	int rc;

	if (open_planned(j, plan, &src, err) < 0)
		return -1;
	rc = detect_layout(src, 2 * DETECT_BUDGET, ret, err);
	source_free(src);
	return rc;
}

/* What is for Macs in the first 32 KiB makes room for ours. */
static void warn_of_macs(struct job *j)
{
	const struct layout *image = &j->r->layout;
	bool is_hfs_first = false;

	for (uint32_t i = 0; i < image->n_hfs; i++)
		is_hfs_first |= image->hfs[i].start == 0;
	if (image->apm.present)
		job_warn(j, EVENT_NO_TARGET, "apm-replaced",
			 _("The image's Apple partition map is replaced too: Macs that start by it "
			   "will not start from this stick."));
	else if (is_hfs_first)
		job_warn(j, EVENT_NO_TARGET, "hfs-replaced",
			 _("The image's HFS volume begins where boot code and tables go: Macs will "
			   "not see it on this stick."));
}

static void warn_of_losses(struct job *j, const struct hybrid *choice)
{
	warn_of_macs(j);
	if (choice->lost_partition > 0)
		job_warn(j, EVENT_NO_TARGET, "partition-left-out",
			 _("Partition %" PRIu32 " of the image is not in the hybrid's table: what "
			   "is in it is on the stick, but no system will find it."),
			 choice->lost_partition);
}

int job_judge_plan(struct job *j, struct report_plan *rp, struct error *err)
{
	const struct layout *image = &j->r->layout;
	struct hybrid choice = { .n_esp = 0 };
	const char *ignored;
	char lost[64];
	bool is_one;

	if (strcmp(rp->plan->planner, "hybrid") != 0)
		return 0;
	rp->layout = calloc(1, sizeof(*rp->layout));
	if (!rp->layout)
		return error_set_nomem(err);
	if (detect_planned(j, rp->plan, rp->layout, err) < 0)
		return -1;
	is_one = hybrid_choose(image, j->boot_entry, &choice, &ignored);
	if (j->r->n_plans == 0 && strcmp(j->r->command, "check") != 0)
		warn_of_losses(j, &choice);
	if (!is_one && !job_has_add_boot(j))
		return 0;
	name_lost(image, rp->layout, &choice, &j->add_boot, lost, sizeof(lost));
	/* Of Windows nothing is promised. */
	if (lost[0] && j->r->n_plans == 0 && image->kind != LAYOUT_WINDOWS)
		job_warn(j, EVENT_NO_TARGET, "hybrid-doubt",
			 _("The stick was to boot by %s, and its planned bytes do not show that it "
			   "will: please report this image."),
			 lost);
	return 0;
}

int job_make_segments(struct job *j, const struct report_plan *rp, struct segments *ret)
{
	struct error ignored = ERROR_INIT;
	struct source *src;
	int rc;

	if (!rp->layout)
		return segments_make(rp->plan, j->r->content_size, &j->r->layout, j->source, ret);
	if (open_planned(j, rp->plan, &src, &ignored) < 0)
		return -1;
	rc = segments_make(rp->plan, plan_source_end(rp->plan), rp->layout, src, ret);
	source_free(src);
	return rc;
}

/* ---- check */

/* What of a stick tells that, and how, it was written as a hybrid. */
struct traces {
	struct bootcode_mbr mbr;
	struct bootcode_disc disc; /* BOOTCODE_CDEMU */
	bool is_strict;
};

/* True if the code in it is ours. */
static bool read_traces(struct source *src, struct traces *ret)
{
	uint8_t head[BOOT_CDEMU_LBA * SECTOR + BOOT_CDEMU_MAX_SECTORS * SECTOR];
	const uint8_t *cdemu = head + BOOT_CDEMU_LBA * SECTOR;
	struct error ignored = ERROR_INIT;
	struct gpt_entry first;
	size_t n;

	if (source_peek(src, 0, head, sizeof(head), &n, &ignored) < 0 || n < sizeof(head) ||
	    !bootcode_get_mbr(head, &ret->mbr))
		return false;
	if (ret->mbr.kind == BOOTCODE_CDEMU &&
	    !bootcode_get_cdemu(cdemu, BOOT_CDEMU_MAX_SECTORS * SECTOR, &ret->disc))
		return false;
	ret->is_strict = !gpt_decode_entry(head + 2 * SECTOR, &first) || first.first_lba != 0;
	return true;
}

/* Would the boot entry be started so? */
static bool is_started(const struct traces *t, const struct layout_boot_entry *e)
{
	switch (t->mbr.kind) {
	case BOOTCODE_ISOLINUX:
		return t->mbr.lba == (uint64_t)e->lba * 4;
	case BOOTCODE_GRUB2:
		return t->mbr.lba == (uint64_t)e->lba * 4 + 4;
	case BOOTCODE_CDEMU:
		return t->disc.image_lba == e->lba && t->disc.media == e->emulation;
	case BOOTCODE_UEFI_ONLY:
		break;
	}
	return false;
}

/* Its number, where it is not the one that is started without --boot-entry; 0 else. */
static uint32_t find_entry(const struct layout *lay, const struct traces *t)
{
	struct hybrid h;
	const char *ignored;

	if (!hybrid_choose(lay, 0, &h, &ignored) || t->mbr.kind == BOOTCODE_UEFI_ONLY ||
	    (h.bios == t->mbr.kind && is_started(t, &lay->el_torito.entries[h.bios_entry])))
		return 0;
	for (uint32_t i = 1; i <= lay->el_torito.n_entries; i++)
		if (hybrid_choose(lay, i, &h, &ignored) && h.bios == t->mbr.kind &&
		    is_started(t, &lay->el_torito.entries[h.bios_entry]))
			return i;
	return 0;
}

void job_recognise_written(struct job *j)
{
	struct error ignored = ERROR_INIT;
	const struct layout *lay = &j->r->layout;
	struct traces stick, image;
	struct hybrid choice;
	struct source *src;
	const char *why;
	bool is_ours;

	if (strcmp(j->mode, "auto") != 0 || j->boot_entry > 0 || j->strict_gpt || j->req->fix_gpt ||
	    job_has_add_boot(j) || j->bmap || j->source->access != SOURCE_RANDOM ||
	    !hybrid_choose(lay, 0, &choice, &why) || read_traces(j->source, &image) ||
	    source_open(j->targets[0].target->path, &src, &ignored) < 0)
		return;
	is_ours = read_traces(src, &stick);
	source_free(src);
	j->mode = is_ours ? "hybrid" : "raw";
	if (!is_ours)
		return;
	j->strict_gpt = stick.is_strict;
	j->boot_entry = find_entry(lay, &stick);
}

/* ---- what auto would have made of it */

/* "BIOS, UEFI x64": what detection calls fixable; "" nothing. */
static void name_fixable(const struct layout *lay, char *buf, size_t size)
{
	const struct layout_boot_report *b = &lay->boot;
	const struct {
		const char *name;
		uint8_t answer;
	} ways[] = {
		{ "BIOS", b->bios.usb },
		{ "UEFI x64", b->uefi_x64.usb },
		{ "UEFI ia32", b->uefi_ia32.usb },
		{ "UEFI aa64", b->uefi_aa64.usb },
	};

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		size_t used = strlen(buf);

		if (ways[i].answer == BOOT_FIXABLE)
			snprintf(buf + used, size - used, "%s%s", used ? ", " : "", ways[i].name);
	}
}

static void warn_of_raw(struct job *j)
{
	char ways[64];

	name_fixable(&j->r->layout, ways, sizeof(ways));
	if (ways[0])
		job_warn(
			j, EVENT_NO_TARGET, "disc-only",
			_("As it is it will not boot from a stick by %s, or not with all firmware; "
			  "without --mode=raw it would be changed so that it does."),
			ways);
}

/* The code is that of detection's own warning, which need not be said too. */
static void warn_of_stream(struct job *j)
{
	if (j->r->layout.kind == LAYOUT_ISO_ELTORITO)
		job_warn(j, EVENT_NO_TARGET, "disc-only",
			 _("Made for discs, it boots from a stick only when changed, which streams "
			   "cannot be: save it decompressed to a file, and write that."));
}

void job_warn_of_discs(struct job *j)
{
	if (strcmp(j->r->command, "check") == 0)
		return;
	if (strcmp(j->mode, "raw") == 0)
		warn_of_raw(j);
	else if (strcmp(j->mode, "auto") == 0 && j->source->access != SOURCE_RANDOM)
		warn_of_stream(j);
}
