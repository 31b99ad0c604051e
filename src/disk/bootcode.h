/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The boot code of boot/, embedded as it was built, and the facts that are patched into it
 * (boot/layout.h, boot/README.md). Bytes in, bytes out.
 */
#ifndef ISOWRITE_DISK_BOOTCODE_H
#define ISOWRITE_DISK_BOOTCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOTCODE_MBR_CODE 440 /* bytes that bootcode_put_mbr() writes */

/* What our MBR code enters. The values are those of BOOT_KIND_* in boot/layout.h. */
enum bootcode_kind {
	BOOTCODE_UEFI_ONLY, /* nothing: says that the stick boots by UEFI only */
	BOOTCODE_ISOLINUX,  /* isolinux.bin, by the contract of isohdpfx */
	BOOTCODE_GRUB2,     /* GRUB 2's image, by the contract of boot_hybrid.img */
	BOOTCODE_CDEMU,     /* our emulation of a CD drive, which then enters any boot image */
};

/* What cdemu is told of the boot catalog's entry; it parses nothing itself. */
struct bootcode_disc {
	uint8_t media; /* El Torito's: 0 none, 1 1.2M, 2 1.44M, 3 2.88M, 4 hard disk */
	uint16_t load_segment; /* as in the catalog; 0 means 07C0 */
	uint16_t load_sectors; /* of 512 bytes, as in the catalog; 0 loads one block */
	uint8_t system_type, platform;
	uint32_t image_lba; /* in 2048-byte blocks */
	uint32_t image_sectors; /* of 512 bytes: the emulated hard disk; floppies have their own */
	uint16_t cylinders, heads; /* media 4: the geometry; floppies have their own */
	uint8_t sectors_per_track;
	uint32_t disc_blocks; /* the whole disc, in 2048-byte blocks */
	uint32_t catalog_lba; /* the boot catalog, in 2048-byte blocks */
};

/* What an MBR of ours says of itself. */
struct bootcode_mbr {
	enum bootcode_kind kind;
	uint64_t lba; /* what it loads, in 512-byte sectors */
	uint16_t count; /* sectors */
};

/*
 * Writes the first BOOTCODE_MBR_CODE bytes of sector; the rest stays. lba and count are what
 * the kind loads (0, 0 for BOOTCODE_UEFI_ONLY), in 512-byte sectors.
 */
void bootcode_put_mbr(uint8_t *sector, enum bootcode_kind kind, uint64_t lba, uint16_t count);

/*
 * Is the code ours, byte for byte but for what is patched, and can what is patched be right?
 * Then what it loads.
 */
bool bootcode_get_mbr(const uint8_t *sector, struct bootcode_mbr *ret);

/* Bytes of cdemu, a multiple of 512. */
size_t bootcode_cdemu_size(void);

/* Writes cdemu with its facts: bootcode_cdemu_size() bytes. */
void bootcode_put_cdemu(uint8_t *buf, const struct bootcode_disc *disc);

/*
 * Is it our cdemu, byte for byte but for the facts, and can it work with these? Then the facts,
 * with the load segment, number of sectors and floppy geometry that go without saying above.
 * len bytes are there.
 */
bool bootcode_get_cdemu(const uint8_t *buf, size_t len, struct bootcode_disc *ret);

/* Does it say that it is cdemu? It may be another version's, or damaged. */
bool bootcode_is_like_cdemu(const uint8_t *buf, size_t len);

#endif
