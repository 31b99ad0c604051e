/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * --add-boot: a disc that is given a way to boot which its makers left out. Made in two steps,
 * so that the hybrid planner need know nothing of it: a plan of the amended disc, which
 * detection then reads like any other, and the hybrid plan of that one, in terms of the image.
 *
 *   |image, its boot record changed |root dir.|catalog |BIOS image |pad |FAT for UEFI |
 *   0                               ^ only if it must move        1 MiB * n
 *
 * The files are read once, before anything is planned: they become bytes of the plan.
 */
#ifndef ISOWRITE_PLAN_ADD_BOOT_H
#define ISOWRITE_PLAN_ADD_BOOT_H

#include <stdint.h>

#include "base/error.h"
#include "image/layout.h"
#include "image/source.h"
#include "plan/plan.h"

#define ADD_BOOT_MAX_FAT (UINT64_C(64) << 20)   /* bytes: it is held in memory */
#define ADD_BOOT_MAX_BIOS (UINT64_C(512) << 10) /* a BIOS loads it below 640 KiB */

struct add_boot_file {
	uint8_t *data; /* NULL: not asked for */
	uint64_t size;
	uint32_t loaders; /* of the FAT volume: bits of enum loader_arch */
};

struct add_boot {
	struct add_boot_file efi, bios;
};

/*
 * Read and judge: a FAT volume of 512-byte sectors with EFI/BOOT/BOOT*.EFI; a boot image that
 * is loaded without emulation. path is for messages. ERROR_IMAGE with what is wrong with it.
 */
int add_boot_read_efi(struct source *src, const char *path, struct add_boot_file *ret,
		      struct error *err);
int add_boot_read_bios(struct source *src, const char *path, struct add_boot_file *ret,
		       struct error *err);

void add_boot_done(struct add_boot *add);

/*
 * The amended disc: a closed plan of its own size, source 0 the image. ERROR_IMAGE "add-boot"
 * with the reason where nothing can be added safely, or what is added would never boot.
 */
int add_boot_plan_disc(struct source *src, const struct layout *lay, const struct add_boot *add,
		       struct plan **ret, struct error *err);

/* Bytes of the files in a plan for a disc so amended; 0 in any other. */
uint64_t add_boot_bytes(const struct plan *plan);

#endif
