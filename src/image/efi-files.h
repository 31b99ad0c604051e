/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The UEFI programs of an image: *.EFI in EFI/BOOT of every FAT volume with boot loaders that a
 * catalog or a partition table points to, and in the ISO 9660 tree. Their bytes, wherever they
 * lie: a cluster chain of FAT, or the extents of a file on a disc.
 */
#ifndef ISOWRITE_IMAGE_EFI_FILES_H
#define ISOWRITE_IMAGE_EFI_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/detect.h"

#define EFI_FILES_MAX 64U /* of an image; more are not looked at */
#define EFI_FILE_MAX_SIZE (16U << 20) /* of a file; the largest loaders have 4 MiB */

enum efi_place {
	EFI_IN_BOOT_IMAGE, /* El Torito */
	EFI_IN_GPT_PARTITION,
	EFI_IN_MBR_PARTITION,
	EFI_IN_DISK, /* a FAT without a partition table */
	EFI_IN_TREE, /* the ISO 9660 volume */
};

struct efi_where {
	enum efi_place place;
	uint32_t number; /* of the catalog's entry or the partition, from 1 */
};

#define EFI_MAX_WHERE 6U

struct efi_extent {
	uint64_t start, len; /* bytes in the image */
};

struct efi_file {
	char path[64]; /* "/EFI/BOOT/BOOTX64.EFI", not escaped */
	struct efi_where where[EFI_MAX_WHERE]; /* several tables may point to one volume */
	size_t n_where;
	uint64_t size;
	struct efi_extent *extents; /* NULL: too large, or its clusters could not be followed */
	size_t n_extents;
};

struct efi_files {
	struct efi_file *files; /* EFI_FILES_MAX of them, or NULL */
	size_t n;
	bool is_complete; /* all could be looked for */
};

/* Reads directories and FATs by d. */
int efi_files_find(struct detect *d, struct efi_files *ret, struct error *err);
void efi_files_done(struct efi_files *files);

/* As detect_read(), with off in the file. */
int efi_file_read(struct detect *d, const struct efi_file *file, uint64_t off, void *buf,
		  size_t len, struct error *err);

#endif
