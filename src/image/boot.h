/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two halves of the boot report (detect-boot.c): what a BIOS and what UEFI firmware make
 * of the image, as a disc and as a stick.
 */
#ifndef ISOWRITE_IMAGE_BOOT_H
#define ISOWRITE_IMAGE_BOOT_H

#include "image/detect.h"

/* Bytes of a sector of the stick that the image is on, or is made for. */
uint32_t boot_stick_sector(const struct detect *d);

/* Would a BIOS that has loaded the entry's image boot it? Yes, no or unknown. 0 or -1. */
int boot_judge_image(struct detect *d, const struct layout_boot_entry *e, uint8_t *ret,
		     struct error *err);

/* Fills boot.bios and its reason. 0 or -1 (I/O error). */
int boot_judge_bios(struct detect *d, struct error *err);

/* Fills boot.uefi_* and their reason: yes, no, or unknown where firmware differs. */
void boot_judge_uefi(struct detect *d);

#endif
