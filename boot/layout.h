/* SPDX-License-Identifier: 0BSD */
/*
 * What the boot code and the program that patches it agree on: where things lie
 * on the stick, in memory and in the blobs. Included by the assembler (mbr.S,
 * cdemu.S), by the linker scripts and by C (src/disk/bootcode.c): plain numbers only.
 *
 * On the stick, in 512-byte sectors; from sector 64 on lies the ISO, as it is:
 *
 *   0        MBR: boot code, disk signature, protective table
 *   1        GPT header
 *   2 .. 33  GPT entries
 *   34 .. 39 zero
 *   40 .. 63 cdemu, if the boot image needs it
 */
#ifndef ISOWRITE_BOOT_LAYOUT_H
#define ISOWRITE_BOOT_LAYOUT_H

/* ---- the stick */
#define BOOT_CDEMU_LBA 40 /* in 512-byte sectors */
#define BOOT_CDEMU_MAX_SECTORS 24 /* up to where the ISO's descriptors begin */

/* ---- mbr.S: offsets in the blob; the writer patches the first two fields */
#define BOOT_MBR_SIZE 440
#define BOOT_MBR_LBA 416 /* u64: first 512-byte sector to load */
#define BOOT_MBR_COUNT 424 /* u16: sectors to load */
#define BOOT_MBR_KIND 426 /* u8: one of the BOOT_KIND_* */
#define BOOT_MBR_VERSION 427 /* u8: BOOT_VERSION */
#define BOOT_MBR_MAGIC 428 /* 8 bytes "ISOWRITE"; 436..439 are zero */
#define BOOT_VERSION 1

#define BOOT_KIND_UEFI_ONLY 0 /* says so, then the next disk */
#define BOOT_KIND_ISOLINUX 1 /* loads isolinux.bin's first sectors to 0:7C00, enters 0:7C44 */
#define BOOT_KIND_GRUB2 2 /* loads GRUB's diskboot sector to 0:8000, enters it */
#define BOOT_KIND_CDEMU 3 /* loads cdemu to 0:8000, enters it */
#define BOOT_ISOLINUX_SECTORS 4 /* BOOT_MBR_COUNT of the kinds where it is always the same */
#define BOOT_GRUB2_SECTORS 1

/* ---- memory */
#define BOOT_MBR_RUNS_AT 0x600 /* where mbr.S moves itself to */
#define BOOT_STAGE_AT 0x8000 /* where GRUB's sector or cdemu is loaded */

/*
 * cdemu is entered at 0000:8000 with DL the BIOS drive, SI 1 if the drive has the
 * packet calls (AH=42h), else 0, and then CX sectors a track, BX heads;
 * SS:SP = 0000:7C00, DS = ES = 0, interrupts on, direction up.
 */

/* ---- cdemu.S: its facts, at a fixed place in the blob, patched by the writer */
#define BOOT_CDEMU_MAGIC 8 /* 8 bytes "ISOWCDEM", behind a jump */
#define BOOT_CDEMU_FACTS 16
#define BOOT_CDEMU_MEDIA 16 /* u8: El Torito's media type, 0 .. 4 */
#define BOOT_CDEMU_SPT 17 /* u8: sectors a track of the emulated disk (media 1 .. 4) */
#define BOOT_CDEMU_CYLINDERS 18 /* u16 */
#define BOOT_CDEMU_HEADS 20 /* u16 */
#define BOOT_CDEMU_SEGMENT 22 /* u16: load segment, never 0 */
#define BOOT_CDEMU_COUNT 24 /* u16: 512-byte sectors to load, never 0 */
#define BOOT_CDEMU_SYSTEM_TYPE 26 /* u8 */
#define BOOT_CDEMU_PLATFORM 27 /* u8 */
#define BOOT_CDEMU_IMAGE_LBA 28 /* u32: the boot image, in 2048-byte blocks */
#define BOOT_CDEMU_IMAGE_SECTORS 32 /* u32: of the emulated disk, in 512-byte sectors */
#define BOOT_CDEMU_DISC_BLOCKS 36 /* u32: the whole disc, in 2048-byte blocks */
#define BOOT_CDEMU_CATALOG_LBA 40 /* u32: the boot catalog, in 2048-byte blocks */
#define BOOT_CDEMU_FACTS_END 44

#endif
