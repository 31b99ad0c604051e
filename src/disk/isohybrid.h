/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contracts between the MBR code of hybrid images and the boot image it
 * loads: isolinux (isohdpfx), GRUB 2 (boot_hybrid), Memtest86+ 6. The code finds its
 * image by an address that the mastering program patched in, so a BIOS boots
 * the stick only if both sides are right. Then the code of disks: GRUB 2's (boot.img),
 * syslinux' and Windows', which start a partition, and boot sectors.
 */
#ifndef ISOWRITE_DISK_ISOHYBRID_H
#define ISOWRITE_DISK_ISOHYBRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISOHYBRID_MBR_SIZE 512
#define ISOHYBRID_IMAGE_HEAD 4096 /* bytes of a boot image that the checks below want */

/* Whose code is in the first 440 bytes? "Empty": all zero, or only Apple's driver map. */
bool mbr_code_is_empty(const uint8_t mbr[ISOHYBRID_MBR_SIZE]);
bool mbr_code_is_isolinux(const uint8_t mbr[ISOHYBRID_MBR_SIZE]);
bool mbr_code_is_grub2(const uint8_t mbr[ISOHYBRID_MBR_SIZE]);
bool mbr_code_is_memtest(const uint8_t mbr[ISOHYBRID_MBR_SIZE]);
bool mbr_code_is_windows(const uint8_t mbr[ISOHYBRID_MBR_SIZE]);

/* syslinux' MBR codes start the boot sector of a partition, which they find in three ways. */
enum syslinux_mbr {
	SYSLINUX_MBR_NONE,   /* it is none of them */
	SYSLINUX_MBR_ACTIVE, /* mbr.bin: the active partition */
	SYSLINUX_MBR_NUMBER, /* altmbr.bin: the one whose number is the code's last byte */
	SYSLINUX_MBR_GPT,    /* gptmbr.bin: the GPT partition with the attribute of bit 2 */
};

enum syslinux_mbr mbr_code_is_syslinux(const uint8_t mbr[ISOHYBRID_MBR_SIZE]);

#define SYSLINUX_MBR_NUMBER_OFFSET 439

/* Where isohdpfx's code looks for isolinux.bin, in 512-byte blocks. */
uint64_t isolinux_mbr_target(const uint8_t mbr[ISOHYBRID_MBR_SIZE]);

/*
 * Where GRUB's code looks for its boot image (the patched address less 4), in
 * 512-byte blocks. Memtest86+'s code uses the same field in the same way.
 */
uint64_t grub2_mbr_target(const uint8_t mbr[ISOHYBRID_MBR_SIZE]);

/*
 * Where GRUB's code, of either kind, looks for the first sector of GRUB's core (diskboot.img);
 * false if it cannot be told, or if the code is made for one certain drive.
 */
bool grub2_mbr_core(const uint8_t mbr[ISOHYBRID_MBR_SIZE], uint64_t *ret_block);

/* Is it that first sector? Then where it goes on, and at how many blocks. */
bool grub2_core_begins(const uint8_t sector[512], uint64_t *ret_next, uint16_t *ret_len);

/* Does the boot image accept to be entered by isohdpfx's code? */
bool isolinux_image_is_hybrid(const uint8_t *head, size_t len);

/* Is it a Linux boot sector with setup code (header "HdrS"), as Memtest86+ 6 is? */
bool linux_image_has_header(const uint8_t *head, size_t len);

/* Is it GRUB 2's image for discs? */
bool grub2_image_is_cdboot(const uint8_t *head, size_t len);

/* The 512-byte block that the second stage of a GRUB 2 image goes on at; 0 if it is too short. */
uint64_t grub2_image_blocklist(const uint8_t *head, size_t len);

enum boot_sector {
	BOOT_SECTOR_NONE,     /* never started (no 55 AA), or code that only says so */
	BOOT_SECTOR_SYSLINUX, /* of a FAT volume: loads LDLINUX.SYS */
	BOOT_SECTOR_UNKNOWN,
};

/* Of a partition or of a file system without a partition table. */
enum boot_sector boot_sector_of(const uint8_t sector[512]);

#endif
