// SPDX-License-Identifier: GPL-3.0-or-later
/* The contracts of hybrid boot code; see isohybrid.h. */
#include "disk/isohybrid.h"

#include <string.h>

#include "base/bytes.h"

#define CODE_SIZE 440
#define TARGET_OFFSET 432 /* of the patched address, in isohdpfx's and in GRUB's code */
#define GRUB2_TARGET_SKIP 4 /* GRUB's code enters its image at the second 2 KiB */
#define APPLE_DRIVER_MAP_LEN 32
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
