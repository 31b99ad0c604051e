/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What would make a stick of a disc: which boot image to enter by which contract, and which
 * volumes UEFI needs. A pure function of the layout, asked by detection (is it fixable?), by
 * the planners (does auto choose hybrid?) and by the planner itself.
 *
 * A disc "boots so" where the boot report says yes for discs; a raw copy does so surely where
 * it says yes for sticks. So the answers are the same before and after what is fixable was
 * called so.
 */
#ifndef ISOWRITE_IMAGE_HYBRID_H
#define ISOWRITE_IMAGE_HYBRID_H

#include <stdbool.h>
#include <stdint.h>

#include "disk/bootcode.h"
#include "image/layout.h"

#define HYBRID_MAX_ESP 4

struct hybrid_esp {
	uint64_t start, size; /* bytes in the image: a FAT volume with UEFI boot loaders */
};

struct hybrid {
	enum bootcode_kind bios; /* BOOTCODE_UEFI_ONLY: no BIOS image in it */
	uint32_t bios_entry; /* index in layout.el_torito.entries, unless BOOTCODE_UEFI_ONLY */
	uint32_t n_esp; /* volumes that UEFI has to find */
	struct hybrid_esp esp[HYBRID_MAX_ESP];
	uint32_t archs; /* enum loader_arch bits: what they boot */
	uint32_t lost_partition; /* number of one behind the disc that gets no entry; 0: none */
	bool fixes_bios, fixes_uefi; /* the disc boots so, a raw copy on a stick not surely */
};

/*
 * entry: the BIOS entry to boot (--boot-entry), counted from 1 as inspect lists them; 0: the
 * one that a disc boots, or where that is not for BIOS the first that is.
 * False if the image cannot be made a hybrid: ret_why (static storage, a clause) says why not.
 * Wants detection finished but for the boot report's "fixable" answers.
 */
bool hybrid_choose(const struct layout *lay, uint32_t entry, struct hybrid *ret,
		   const char **ret_why);

/*
 * Has it boot code for sticks of which nobody here can say whether it works? Somebody made it to:
 * auto leaves it alone.
 */
bool hybrid_spares_code(const struct layout *lay);

/*
 * Does a raw copy lack a way to boot that the disc has, and would hybrid give it? Never of what
 * was seen in part only. Of Windows' discs too, though nobody has proved that their loaders find
 * their disc on a stick: more is not promised than that they are started.
 */
bool hybrid_is_needed(const struct layout *lay);

#endif
