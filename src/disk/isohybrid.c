// SPDX-License-Identifier: GPL-3.0-or-later
/* The contracts of hybrid boot code; see isohybrid.h. */
#include "disk/isohybrid.h"

#include <string.h>

#include "base/bytes.h"
#include "disk/mbr.h"

#define CODE_SIZE 440
#define TARGET_OFFSET 432   /* of the patched address, in isohdpfx's and in GRUB's code */
#define GRUB2_TARGET_SKIP 4 /* GRUB's code enters its image at the second 2 KiB */
#define APPLE_DRIVER_MAP_LEN 32
#define GRUB2_DISK_OFFSET 92        /* of the address in boot.img */
#define GRUB2_DRIVE_OFFSET 100      /* FFh: the drive that the BIOS names */
#define GRUB2_BLOCKLIST_IN_CORE 500 /* u64 block, u16 blocks, u16 segment */
#define GRUB2_BLOCKLIST_OFFSET 2548 /* 2048 + 500: first blocklist entry of diskboot.img */

/* isolinux.bin + 64; isohdpfx compares with it before it jumps behind it. */
static const uint8_t isolinux_signature[4] = { 0xfb, 0xc0, 0x78, 0x70 };

static bool contains(const uint8_t *buf, size_t len, const void *what, size_t what_len)
{
	return memmem(buf, len, what, what_len) != NULL;
}

bool mbr_code_is_empty(const uint8_t mbr[ISOHYBRID_MBR_SIZE])
{
	/* Block 0 of an Apple partition map: "ER", and no code behind it. */
	size_t start = mbr[0] == 'E' && mbr[1] == 'R' ? APPLE_DRIVER_MAP_LEN : 0;

	for (size_t i = start; i < CODE_SIZE; i++)
		if (mbr[i])
			return false;
	return true;
}

bool mbr_code_is_isolinux(const uint8_t mbr[ISOHYBRID_MBR_SIZE])
{
	return contains(mbr, TARGET_OFFSET, isolinux_signature, sizeof(isolinux_signature)) &&
	       contains(mbr, TARGET_OFFSET, "isolinux.bin", 12);
}

bool mbr_code_is_grub2(const uint8_t mbr[ISOHYBRID_MBR_SIZE])
{
	return contains(mbr, CODE_SIZE, "GRUB \0Geom\0", 11);
}

bool mbr_code_is_memtest(const uint8_t mbr[ISOHYBRID_MBR_SIZE])
{
	return contains(mbr, CODE_SIZE, "Loading Memtest86+", 18);
}

bool mbr_code_is_windows(const uint8_t mbr[ISOHYBRID_MBR_SIZE])
{
	/* xor ax,ax; mov ss,ax; mov sp,7c00 is how all of them since Windows 2000 begin. */
	static const uint8_t start[] = { 0x33, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x7c };

	return memcmp(mbr, start, sizeof(start)) == 0 &&
	       contains(mbr, CODE_SIZE, "Invalid partition table", 23);
}

enum syslinux_mbr mbr_code_is_syslinux(const uint8_t mbr[ISOHYBRID_MBR_SIZE])
{
	/* xor ax,ax; cli; mov ds,ax; mov ss,ax; mov sp,7c00; mov si,sp; push es; push di */
	static const uint8_t start[] = { 0x33, 0xc0, 0xfa, 0x8e, 0xd8, 0x8e, 0xd0,
					 0xbc, 0x00, 0x7c, 0x89, 0xe6, 0x06, 0x57 };

	if (memcmp(mbr, start, sizeof(start)) != 0)
		return SYSLINUX_MBR_NONE;
	if (contains(mbr, CODE_SIZE, "Missing OS\r\n", 12))
		return SYSLINUX_MBR_GPT;
	if (!contains(mbr, CODE_SIZE, "Missing operating system.", 25))
		return SYSLINUX_MBR_NONE;
	return contains(mbr, CODE_SIZE, "Multiple active partitions.", 27) ? SYSLINUX_MBR_ACTIVE
									   : SYSLINUX_MBR_NUMBER;
}

uint64_t isolinux_mbr_target(const uint8_t mbr[ISOHYBRID_MBR_SIZE])
{
	le32 lba;

	memcpy(&lba, mbr + TARGET_OFFSET, sizeof(lba));
	return le32_get(lba);
}

uint64_t grub2_mbr_target(const uint8_t mbr[ISOHYBRID_MBR_SIZE])
{
	le64 lba;

	memcpy(&lba, mbr + TARGET_OFFSET, sizeof(lba));
	return le64_get(lba) - GRUB2_TARGET_SKIP;
}

bool grub2_mbr_core(const uint8_t mbr[ISOHYBRID_MBR_SIZE], uint64_t *ret_block)
{
	/* mov ebx,[7c5c] and mov ebx,[7db0]: the address is at 92 on disks, at 432 in hybrids. */
	static const uint8_t disk[] = { 0x66, 0x8b, 0x1e, 0x5c, 0x7c };
	static const uint8_t hybrid[] = { 0x66, 0x8b, 0x1e, 0xb0, 0x7d };
	bool is_disk = contains(mbr, CODE_SIZE, disk, sizeof(disk));
	bool is_hybrid = contains(mbr, CODE_SIZE, hybrid, sizeof(hybrid));
	uint8_t drive = mbr[GRUB2_DRIVE_OFFSET];
	le64 lba;

	if (is_disk == is_hybrid || (drive != 0xff && drive != 0x80))
		return false;
	memcpy(&lba, mbr + (is_disk ? GRUB2_DISK_OFFSET : TARGET_OFFSET), sizeof(lba));
	*ret_block = le64_get(lba);
	return true;
}

bool grub2_core_begins(const uint8_t sector[512], uint64_t *ret_next, uint16_t *ret_len)
{
	le64 next;
	le16 len;

	if (!contains(sector, GRUB2_BLOCKLIST_IN_CORE, "Geom\0Read\0 Error", 16))
		return false;
	memcpy(&next, sector + GRUB2_BLOCKLIST_IN_CORE, sizeof(next));
	memcpy(&len, sector + GRUB2_BLOCKLIST_IN_CORE + 8, sizeof(len));
	*ret_next = le64_get(next);
	*ret_len = le16_get(len);
	return true;
}

bool isolinux_image_is_hybrid(const uint8_t *head, size_t len)
{
	return len >= 68 && memcmp(head + 64, isolinux_signature, sizeof(isolinux_signature)) == 0;
}

bool linux_image_has_header(const uint8_t *head, size_t len)
{
	/* Linux's x86 boot protocol: 55 AA at 510, the header's magic at 514. */
	return len >= 518 && head[510] == 0x55 && head[511] == 0xaa &&
	       memcmp(head + 514, "HdrS", 4) == 0;
}

bool grub2_image_is_cdboot(const uint8_t *head, size_t len)
{
	/* call +0; jmp 40h, then room for the boot info table */
	static const uint8_t start[] = { 0xe8, 0x00, 0x00, 0xeb, 0x3b };

	return len >= ISOHYBRID_MBR_SIZE && memcmp(head, start, sizeof(start)) == 0 &&
	       contains(head, ISOHYBRID_MBR_SIZE, "no boot info", 12);
}

uint64_t grub2_image_blocklist(const uint8_t *head, size_t len)
{
	le64 lba;

	if (len < GRUB2_BLOCKLIST_OFFSET + sizeof(lba))
		return 0;
	memcpy(&lba, head + GRUB2_BLOCKLIST_OFFSET, sizeof(lba));
	return le64_get(lba);
}

enum boot_sector boot_sector_of(const uint8_t sector[512])
{
	/* Behind the jump lie the fields of a file system, 5Ah bytes at most (FAT32). */
	static const char excuse[] = "This is not a bootable disk";
	size_t code = 0x5a, entry = sector[0] == 0xeb ? 2U + sector[1] : 0;

	if (sector[510] != 0x55 || sector[511] != 0xaa ||
	    memcmp(sector + entry, mbr_next_disk, MBR_NEXT_DISK_SIZE) == 0)
		return BOOT_SECTOR_NONE;
	if (memcmp(sector + 3, "SYSLINUX", 8) == 0)
		return BOOT_SECTOR_SYSLINUX;
	while (code < 510 && sector[code] == 0)
		code++;
	if (code == 510 || contains(sector, 510, excuse, sizeof(excuse) - 1))
		return BOOT_SECTOR_NONE;
	return BOOT_SECTOR_UNKNOWN;
}
