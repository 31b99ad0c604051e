/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The master boot record (UEFI 2.10 section 5.2): 440 bytes of code, a disk
 * signature, four 16-byte entries at 446, 55 AA at 510. Bytes in, values out;
 * starts and lengths count the medium's logical blocks.
 */
#ifndef ISOWRITE_DISK_MBR_H
#define ISOWRITE_DISK_MBR_H

#include <stdbool.h>
#include <stdint.h>

#define MBR_SIZE 512
#define MBR_CODE_SIZE 440
#define MBR_N_ENTRIES 4
#define MBR_ENTRIES_OFFSET 446
#define MBR_ENTRY_SIZE 16
#define MBR_ENTRY_CHS_LAST 5 /* offsets inside an entry */
#define MBR_ENTRY_LEN 12

#define MBR_STATUS_ACTIVE 0x80
#define MBR_TYPE_EMPTY 0x00
#define MBR_TYPE_EXTENDED 0x05
#define MBR_TYPE_EXTENDED_LBA 0x0f
#define MBR_TYPE_EXTENDED_LINUX 0x85
#define MBR_TYPE_PROTECTIVE 0xee
#define MBR_TYPE_EFI_SYSTEM 0xef

struct mbr_entry {
	uint8_t status; /* 00 or 80 (active); anything else is no partition table */
	uint8_t chs_first[3];
	uint8_t type;
	uint8_t chs_last[3];
	uint32_t start_lba, len_blocks;
};

struct mbr {
	uint32_t disk_signature;
	struct mbr_entry entries[MBR_N_ENTRIES];
};

/*
 * Our code where there is nothing to boot, for MBRs and boot sectors: int 18h, and should it
 * come back: hlt, again. Firmware then tries the next disk.
 */
#define MBR_NEXT_DISK_SIZE 5
extern const uint8_t mbr_next_disk[MBR_NEXT_DISK_SIZE];

/* Is it that, and nothing else? */
bool mbr_is_next_disk(const uint8_t sector[MBR_SIZE]);

/* True if 55 AA is there. */
bool mbr_decode(const uint8_t sector[MBR_SIZE], struct mbr *ret);

/* Writes signature, entries and 55 AA; code and reserved bytes stay. */
void mbr_encode(uint8_t sector[MBR_SIZE], const struct mbr *mbr);

/* Writes the one entry only. */
void mbr_encode_entry(uint8_t sector[MBR_SIZE], unsigned int index, const struct mbr_entry *entry);

/*
 * Can this be a table at all? Every status byte is 00 or 80. (The other half of
 * credibility, that the sector is no FAT boot sector, is fat.h's.)
 */
bool mbr_is_credible(const struct mbr *mbr);

bool mbr_type_is_extended(uint8_t type); /* holds a chain of logical partitions */
bool mbr_entry_is_used(const struct mbr_entry *entry); /* a type and a length */

/* Index of the entry of type EEh that starts at LBA 1, or -1 (UEFI 2.10 5.2.3). */
int mbr_find_protective(const struct mbr *mbr);

/* The 255-head 63-sector address of lba, or FE FF FF beyond cylinder 1023. */
void mbr_chs_from_lba(uint64_t lba, uint8_t ret_chs[3]);

#endif
