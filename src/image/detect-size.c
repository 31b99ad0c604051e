// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How long the image must be: the largest end of everything that credibly
 * points somewhere. The ISO volume's size alone is not it: EFI images and
 * backup tables lie behind it. The detectors of tables have claimed their part.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"
#include "image/detect.h"

#define BLOCK 2048U
#define APPENDED_WITHIN (64 * MIB)   /* behind the volume: alignment, other appended images */
#define USUAL_PADDING (150U * BLOCK) /* mkisofs, genisoimage and xorriso pad by that much */

/*
 * Boot images that were appended behind the volume. What begins in the volume
 * ends there too, whatever a catalog's count or a diskette's nominal size say;
 * and what begins far behind it is no reason to call an image truncated.
 */
static void claim_boot_images(struct detect *d)
{
	const struct layout_el_torito *et = &d->lay->el_torito;
	uint64_t farthest = d->lay->volume.size + APPENDED_WITHIN;
	bool is_told = false;

	for (uint32_t i = 0; i < et->n_entries; i++) {
		const struct layout_boot_entry *e = &et->entries[i];
		uint64_t start = (uint64_t)e->lba * BLOCK;

		/* A dead entry may hold anything. */
		if (!e->bootable || start < d->lay->volume.size)
			continue;
		if (start <= farthest) {
			detect_claim(d, start + e->size,
				     e->platform == BOOT_EFI ? _("its EFI boot image")
							     : _("a boot image in it"));
			continue;
		}
		if (!is_told)
			layout_add_finding(d->lay, LAYOUT_WARNING, "el-torito-far",
					   _("Entry %" PRIu32
					     " of the boot catalog points to block "
					     "%" PRIu32 ", far behind the volume's end."),
					   i + 1, e->lba);
		is_told = true;
	}
}

int detect_size(struct detect *d, struct error *err)
{
	struct layout *lay = d->lay;
	uint64_t volume_end = lay->volume.size;

	(void)err;
	if (lay->volume.present)
		detect_claim(d, volume_end, _("its ISO 9660 volume"));
	claim_boot_images(d);
	if (lay->size == UINT64_MAX || lay->size >= lay->expected_size)
		return 0;
	detect_finish(lay, lay->size);
	if (lay->expected_size == volume_end && !lay->gpt.present &&
	    volume_end - lay->size <= USUAL_PADDING)
		layout_add_finding(lay, LAYOUT_INFO, "truncated-padding",
				   _("What is missing may be padding only: the last 300 KiB of an "
				     "ISO often are."));
	return 0;
}
