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
BLOB("bootcode_blob_cdemu", "cdemu.bin");

extern const uint8_t bootcode_blob_uefi_only[BOOT_MBR_SIZE], bootcode_blob_isolinux[BOOT_MBR_SIZE],
	bootcode_blob_grub2[BOOT_MBR_SIZE], bootcode_blob_cdemu_mbr[BOOT_MBR_SIZE];
extern const uint8_t bootcode_blob_cdemu[], bootcode_blob_cdemu_end[];

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

/* What is patched into cdemu, from BOOT_CDEMU_FACTS on. */
struct cdemu_facts {
	uint8_t media;
	uint8_t sectors_per_track;
	le16 cylinders;
	le16 heads;
	le16 load_segment;
	le16 load_sectors;
	uint8_t system_type;
	uint8_t platform;
	le32 image_lba;
	le32 image_sectors;
	le32 disc_blocks;
	le32 catalog_lba;
};

#define CDEMU_FACT_IS_AT(field, at) \
	static_assert(offsetof(struct cdemu_facts, field) == (at)-BOOT_CDEMU_FACTS, #field)

CDEMU_FACT_IS_AT(media, BOOT_CDEMU_MEDIA);
CDEMU_FACT_IS_AT(sectors_per_track, BOOT_CDEMU_SPT);
CDEMU_FACT_IS_AT(cylinders, BOOT_CDEMU_CYLINDERS);
CDEMU_FACT_IS_AT(heads, BOOT_CDEMU_HEADS);
CDEMU_FACT_IS_AT(load_segment, BOOT_CDEMU_SEGMENT);
CDEMU_FACT_IS_AT(load_sectors, BOOT_CDEMU_COUNT);
CDEMU_FACT_IS_AT(system_type, BOOT_CDEMU_SYSTEM_TYPE);
CDEMU_FACT_IS_AT(platform, BOOT_CDEMU_PLATFORM);
CDEMU_FACT_IS_AT(image_lba, BOOT_CDEMU_IMAGE_LBA);
CDEMU_FACT_IS_AT(image_sectors, BOOT_CDEMU_IMAGE_SECTORS);
CDEMU_FACT_IS_AT(disc_blocks, BOOT_CDEMU_DISC_BLOCKS);
CDEMU_FACT_IS_AT(catalog_lba, BOOT_CDEMU_CATALOG_LBA);
static_assert(sizeof(struct cdemu_facts) == BOOT_CDEMU_FACTS_END - BOOT_CDEMU_FACTS, "facts");

#define NO_EMULATION 0 /* El Torito's media types */
#define HARD_DISK 4

/* The floppies of media types 1, 2 and 3: 80 cylinders, 2 heads. */
static const uint8_t floppy_sectors_per_track[HARD_DISK] = { 0, 15, 18, 36 };
#define FLOPPY_CYLINDERS 80
#define FLOPPY_HEADS 2

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

size_t bootcode_cdemu_size(void)
{
	return (size_t)((uintptr_t)bootcode_blob_cdemu_end - (uintptr_t)bootcode_blob_cdemu);
}

/* The disc as cdemu has to be told of it: nothing is left to be looked up. */
static struct bootcode_disc disc_in_full(const struct bootcode_disc *disc)
{
	struct bootcode_disc full = *disc;

	if (full.load_segment == 0)
		full.load_segment = 0x7c0;
	if (full.load_sectors == 0)
		full.load_sectors = 4;
	if (full.media < HARD_DISK) {
		bool floppy = full.media != NO_EMULATION;

		full.sectors_per_track = floppy_sectors_per_track[full.media];
		full.cylinders = floppy ? FLOPPY_CYLINDERS : 0;
		full.heads = floppy ? FLOPPY_HEADS : 0;
		full.image_sectors = (uint32_t)full.cylinders * full.heads * full.sectors_per_track;
	}
	return full;
}

static struct cdemu_facts cdemu_facts_encode(const struct bootcode_disc *disc)
{
	struct bootcode_disc full = disc_in_full(disc);

	return (struct cdemu_facts){
		.media = full.media,
		.sectors_per_track = full.sectors_per_track,
		.cylinders = le16_put(full.cylinders),
		.heads = le16_put(full.heads),
		.load_segment = le16_put(full.load_segment),
		.load_sectors = le16_put(full.load_sectors),
		.system_type = full.system_type,
		.platform = full.platform,
		.image_lba = le32_put(full.image_lba),
		.image_sectors = le32_put(full.image_sectors),
		.disc_blocks = le32_put(full.disc_blocks),
		.catalog_lba = le32_put(full.catalog_lba),
	};
}

static struct bootcode_disc cdemu_facts_decode(const struct cdemu_facts *facts)
{
	return (struct bootcode_disc){
		.media = facts->media,
		.sectors_per_track = facts->sectors_per_track,
		.cylinders = le16_get(facts->cylinders),
		.heads = le16_get(facts->heads),
		.load_segment = le16_get(facts->load_segment),
		.load_sectors = le16_get(facts->load_sectors),
		.system_type = facts->system_type,
		.platform = facts->platform,
		.image_lba = le32_get(facts->image_lba),
		.image_sectors = le32_get(facts->image_sectors),
		.disc_blocks = le32_get(facts->disc_blocks),
		.catalog_lba = le32_get(facts->catalog_lba),
	};
}

void bootcode_put_cdemu(uint8_t *buf, const struct bootcode_disc *disc)
{
	struct cdemu_facts facts = cdemu_facts_encode(disc);

	memcpy(buf, bootcode_blob_cdemu, bootcode_cdemu_size());
	memcpy(buf + BOOT_CDEMU_FACTS, &facts, sizeof(facts));
}

/* Can cdemu work with these facts? It divides by the geometry without another look. */
static bool disc_is_emulable(const struct bootcode_disc *disc)
{
	return disc->media < HARD_DISK ||
	       (disc->media == HARD_DISK && disc->sectors_per_track > 0 && disc->cylinders > 0 &&
		disc->heads > 0 && disc->image_sectors > 0);
}

bool bootcode_get_cdemu(const uint8_t *buf, size_t len, struct bootcode_disc *ret)
{
	size_t size = bootcode_cdemu_size();
	struct cdemu_facts facts, ours;
	struct bootcode_disc disc;

	if (len < size || memcmp(buf, bootcode_blob_cdemu, BOOT_CDEMU_FACTS) != 0 ||
	    memcmp(buf + BOOT_CDEMU_FACTS_END, bootcode_blob_cdemu + BOOT_CDEMU_FACTS_END,
		   size - BOOT_CDEMU_FACTS_END) != 0)
		return false;
	memcpy(&facts, buf + BOOT_CDEMU_FACTS, sizeof(facts));
	disc = cdemu_facts_decode(&facts);
	ours = cdemu_facts_encode(&disc);
	if (memcmp(&facts, &ours, sizeof(facts)) != 0 || !disc_is_emulable(&disc))
		return false;
	*ret = disc;
	return true;
}

bool bootcode_is_like_cdemu(const uint8_t *buf, size_t len)
{
	return len >= BOOT_CDEMU_FACTS && memcmp(buf + BOOT_CDEMU_MAGIC,
						 bootcode_blob_cdemu + BOOT_CDEMU_MAGIC,
						 BOOT_CDEMU_FACTS - BOOT_CDEMU_MAGIC) == 0;
}
