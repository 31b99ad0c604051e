/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which UEFI machines a FAT volume boots: EFI/BOOT/BOOT*.EFI (UEFI 2.10 section 3.5.1.1). */
#ifndef ISOWRITE_IMAGE_LOADERS_H
#define ISOWRITE_IMAGE_LOADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "disk/fatdir.h"
#include "image/detect.h"

struct loaders {
	bool is_fat; /* a FAT volume that UEFI firmware reads begins there */
	bool is_complete; /* its directories could be read: what was not found is not there */
	uint32_t archs; /* enum loader_arch bits, all but LOADER_UNSEEN */
	uint64_t size; /* bytes up to the end of its last cluster */
};

/* Looks into the FAT volume at byte start of the image. 0 or -1 (I/O error). */
int loaders_find(struct detect *d, uint64_t start, struct loaders *ret, struct error *err);

/* Called for each entry of a directory; true ends it. */
typedef bool (*loaders_fn)(void *ctx, const struct fatdir_entry *entry);

/*
 * Everything in EFI/BOOT of the FAT volume at byte start. 1, 0 where there is no FAT, -1.
 * *ret_volume is filled with 1, *ret_is_complete (as in struct loaders) with 1 and 0.
 */
int loaders_list(struct detect *d, uint64_t start, struct fatdir_volume *ret_volume,
		 bool *ret_is_complete, loaders_fn fn, void *ctx, struct error *err);

/* Is the file (11 characters: 8 + 3, blank-filled) in the volume's root? 0 or -1 (I/O error). */
int loaders_find_file(struct detect *d, uint64_t start, const char *name, bool *ret,
		      struct error *err);

#endif
