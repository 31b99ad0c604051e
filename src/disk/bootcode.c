// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The boot code, as make has built it of boot/ into the folder BOOT_BLOBS, and the facts in
 * it; see bootcode.h. The blobs are embedded by directives that every host's assembler
 * understands: for this machine they are data.
 */
#include "disk/bootcode.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "boot/layout.h"

#define BLOB(symbol, file)                                                  \
	__asm__(".pushsection .rodata\n"                                    \
		".globl " symbol ", " symbol "_end\n"                       \
		".hidden " symbol "\n.hidden " symbol "_end\n" symbol ":\n" \
		".incbin \"" BOOT_BLOBS "/" file "\"\n" symbol "_end:\n"    \
		".popsection\n")

BLOB("bootcode_blob_uefi_only", "mbr-uefi-only.bin");
BLOB("bootcode_blob_isolinux", "mbr-isolinux.bin");
BLOB("bootcode_blob_grub2", "mbr-grub2.bin");
BLOB("bootcode_blob_cdemu_mbr", "mbr-cdemu.bin");

extern const uint8_t bootcode_blob_uefi_only[BOOT_MBR_SIZE], bootcode_blob_isolinux[BOOT_MBR_SIZE],
	bootcode_blob_grub2[BOOT_MBR_SIZE], bootcode_blob_cdemu_mbr[BOOT_MBR_SIZE];

static const uint8_t *const mbrs[] = {
	[BOOTCODE_UEFI_ONLY] = bootcode_blob_uefi_only,
	[BOOTCODE_ISOLINUX] = bootcode_blob_isolinux,
	[BOOTCODE_GRUB2] = bootcode_blob_grub2,
	[BOOTCODE_CDEMU] = bootcode_blob_cdemu_mbr,
};

static_assert(BOOTCODE_MBR_CODE == BOOT_MBR_SIZE, "boot/layout.h");
static_assert((int)BOOTCODE_UEFI_ONLY == BOOT_KIND_UEFI_ONLY, "boot/layout.h");
static_assert((int)BOOTCODE_ISOLINUX == BOOT_KIND_ISOLINUX, "boot/layout.h");
static_assert((int)BOOTCODE_GRUB2 == BOOT_KIND_GRUB2, "boot/layout.h");
static_assert((int)BOOTCODE_CDEMU == BOOT_KIND_CDEMU, "boot/layout.h");

/* What is patched into an MBR. */
struct mbr_facts {
	le64 lba;
	le16 count;
};

static_assert(offsetof(struct mbr_facts, count) == BOOT_MBR_COUNT - BOOT_MBR_LBA, "MBR facts");
static_assert(sizeof(struct mbr_facts) == BOOT_MBR_KIND - BOOT_MBR_LBA, "MBR facts");

void bootcode_put_mbr(uint8_t *sector, enum bootcode_kind kind, uint64_t lba, uint16_t count)
{
	struct mbr_facts facts = { .lba = le64_put(lba), .count = le16_put(count) };

	memcpy(sector, mbrs[kind], BOOT_MBR_SIZE);
	memcpy(sector + BOOT_MBR_LBA, &facts, sizeof(facts));
}

/* Can the code work with this number of sectors? */
static bool mbr_count_is_right(enum bootcode_kind kind, uint16_t count)
{
	switch (kind) {
	case BOOTCODE_UEFI_ONLY:
		return count == 0;
	case BOOTCODE_ISOLINUX:
		return count == BOOT_ISOLINUX_SECTORS;
	case BOOTCODE_GRUB2:
		return count == BOOT_GRUB2_SECTORS;
	case BOOTCODE_CDEMU:
		return count > 0 && count <= BOOT_CDEMU_MAX_SECTORS;
	}
	return false;
}

bool bootcode_get_mbr(const uint8_t *sector, struct bootcode_mbr *ret)
{
	struct bootcode_mbr mbr = { .kind = sector[BOOT_MBR_KIND] };
	uint8_t ours[BOOT_MBR_SIZE];
	struct mbr_facts facts;

	if (sector[BOOT_MBR_KIND] > BOOTCODE_CDEMU)
		return false;
	memcpy(&facts, sector + BOOT_MBR_LBA, sizeof(facts));
	mbr.lba = le64_get(facts.lba);
	mbr.count = le16_get(facts.count);
	bootcode_put_mbr(ours, mbr.kind, mbr.lba, mbr.count);
	if (memcmp(sector, ours, sizeof(ours)) != 0 || !mbr_count_is_right(mbr.kind, mbr.count) ||
	    (mbr.kind == BOOTCODE_UEFI_ONLY) != (mbr.lba == 0))
		return false;
	*ret = mbr;
	return true;
}
