/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known about an image: flat, pure, native-endian data without
 * pointers, so that it can be copied, printed, and sent over a pipe. Filled by
 * detection only. All strings are terminated, valid UTF-8 as far as the image
 * allows, and NOT escaped: printers use text_escape().
 *
 * Offsets and sizes are bytes unless the name says lba.
 */
#ifndef ISOWRITE_IMAGE_LAYOUT_H
#define ISOWRITE_IMAGE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

enum layout_kind {
	LAYOUT_UNKNOWN,      /* plain data */
	LAYOUT_ISOHYBRID,    /* ISO 9660 with a partition table or MBR code for sticks */
	LAYOUT_ISO_ELTORITO, /* boots from CD only */
	LAYOUT_ISO_DATA,     /* ISO 9660 that does not boot */
	LAYOUT_WINDOWS,      /* a Windows setup disc */
	LAYOUT_UDF,          /* UDF without ISO 9660 */
	LAYOUT_DISK,         /* MBR, GPT or a superfloppy */
};

enum layout_severity { LAYOUT_INFO, LAYOUT_WARNING, LAYOUT_ERROR };

enum boot_platform { BOOT_BIOS = 0, BOOT_PPC = 1, BOOT_MAC = 2, BOOT_EFI = 0xef };
enum boot_emulation { EMUL_NONE, EMUL_1_2M, EMUL_1_44M, EMUL_2_88M, EMUL_HDD };
enum boot_answer { BOOT_NO, BOOT_YES, BOOT_FIXABLE, BOOT_UNKNOWN };
enum mbr_code {
	MBR_CODE_NONE,
	MBR_CODE_ISOLINUX,
	MBR_CODE_GRUB2,
	MBR_CODE_WINDOWS,
	MBR_CODE_ISOWRITE,
	MBR_CODE_UNKNOWN,
	MBR_CODE_SYSLINUX,
	MBR_CODE_MEMTEST,
};

/* Why the answer for a stick is what it is. BIOS, then UEFI, then both. */
enum boot_reason {
	REASON_NONE,
	REASON_NO_CODE,        /* no MBR code at all */
	REASON_MADE_FOR_DISCS, /* the same, of a disc that a BIOS boots */
	REASON_UNKNOWN_CODE,
	REASON_UEFI_STUB, /* our MBR that only says so */
	REASON_FORMATTED, /* our MBR of a stick without a system */
	REASON_ISOLINUX,
	REASON_ISOLINUX_ABSENT,
	REASON_ISOLINUX_UNPATCHED, /* no or a wrong boot info table */
	REASON_GRUB,
	REASON_GRUB_ABSENT,
	REASON_GRUB_UNPATCHED, /* it does not know where the rest of it lies */
	REASON_GRUB_UNCLEAR,
	REASON_MEMTEST,
	REASON_MEMTEST_ABSENT,
	REASON_CDEMU,
	REASON_CDEMU_ABSENT,
	REASON_CDEMU_OTHER,   /* another version's, or damaged */
	REASON_CDEMU_DIFFERS, /* from the boot catalog */
	REASON_SYSLINUX,      /* in the partition that MBR code starts */
	REASON_NO_ACTIVE,
	REASON_SEVERAL_ACTIVE,
	REASON_PARTITION_UNBOOTABLE,
	REASON_PARTITION_UNKNOWN,
	REASON_FILES_SYSLINUX, /* a file system without a partition table */
	REASON_FILES_UNBOOTABLE,
	REASON_FILES_UNKNOWN,
	REASON_BIG_SECTORS,

	REASON_UEFI_GPT,
	REASON_UEFI_MBR,
	REASON_UEFI_FILES,   /* a FAT volume without a partition table */
	REASON_UEFI_CATALOG, /* by the boot catalog only */
	REASON_UEFI_HIDDEN,  /* the boot catalog hides it from firmware that reads it */
	REASON_UEFI_EXACT,   /* by a backup GPT that is at the end of no larger stick */
	REASON_UEFI_UDF,
	REASON_UEFI_UNSEEN,
	REASON_UEFI_NOT_LED_TO, /* there is a loader, but what firmware reads leads elsewhere */
	REASON_UEFI_NONE,

	REASON_UNSEEN, /* behind what can be seen of a stream */
	REASON_WINDOWS,
	REASON_TRUNCATED,
	REASON_MAX,
};

/* UEFI boot loaders in a FAT volume: EFI/BOOT/BOOT*.EFI (UEFI 2.10 section 3.5.1.1). */
enum loader_arch {
	LOADER_X64 = 1 << 0,
	LOADER_IA32 = 1 << 1,
	LOADER_AA64 = 1 << 2,
	LOADER_ALL = LOADER_X64 | LOADER_IA32 | LOADER_AA64,
	LOADER_NO_PROGRAM = 1 << 6, /* named so, but not what firmware starts: a report only */
	LOADER_UNSEEN =
		1 << 7, /* not all could be looked at: there may be more than the bits say */
};

#define LAYOUT_MAX_FINDINGS 32
#define LAYOUT_MAX_BOOT 64
#define LAYOUT_MAX_GPT 128
#define LAYOUT_MAX_APM 32
#define LAYOUT_MAX_LOGICAL 60 /* partitions 5 to 64 */
#define LAYOUT_MAX_SESSIONS 16
#define LAYOUT_MAX_HFS 4

struct layout_finding {
	enum layout_severity severity;
	char code[32]; /* "gpt-backup-missing" */
	char message[192]; /* one sentence, already escaped */
};

/* One of several ISO 9660 sessions. */
struct layout_session {
	uint32_t pvd_lba; /* in 2048-byte blocks */
	uint64_t start, size; /* bytes: of the session itself, not of what its volume covers */
	char id[130], created[32];
};

/* Dates are RFC 3339 or "". */
struct layout_volume {
	bool present;
	char id[130], system[130], publisher[130], application[130]; /* Joliet's id where better */
	char created[32], modified[32];
	uint32_t block_size;
	uint64_t size; /* bytes, from the PVD of the last session */
	uint32_t sessions; /* ISO 9660 sessions found */
	uint32_t pvd_lba; /* in 2048-byte blocks, of the last session */
	bool joliet, rock_ridge;
	bool media_check; /* it holds a digest of its own, for checkisomd5 */
	uint32_t n_listed; /* sessions, if there are several; the first LAYOUT_MAX_SESSIONS */
	struct layout_session list[LAYOUT_MAX_SESSIONS];
};

struct layout_boot_entry {
	uint32_t record; /* index of its 32-byte record in the catalog */
	uint8_t platform; /* enum boot_platform or any other number */
	bool bootable;
	uint8_t emulation; /* enum boot_emulation */
	uint16_t load_segment; /* as stored; 0 means 07C0 */
	uint8_t system_type;
	uint16_t sector_count; /* 512-byte virtual sectors, as stored */
	uint32_t lba; /* 2048-byte blocks */
	uint64_t size; /* bytes the image really has (FAT's own size, the file's size ...) */
	bool boot_info_table; /* present and right */
	bool grub2_boot_info; /* offset 2548 patched to itself */
	bool isolinux_hybrid; /* isolinux that isohdpfx's code may enter */
	uint32_t loaders; /* UEFI boot loaders in it: bits of enum loader_arch */
	char path[256]; /* inside the ISO, "" if no file */
	char id[29]; /* section id or selection text */
};

struct layout_el_torito {
	bool present;
	bool checksum_valid; /* and the key is there */
	bool has_key; /* 55 AA */
	bool is_last_session_only; /* firmware that reads block 17 sees another one, or none */
	uint32_t catalog_lba; /* 2048-byte blocks */
	char id[25];
	uint32_t n_entries;
	struct layout_boot_entry entries[LAYOUT_MAX_BOOT];
};

struct layout_mbr_partition {
	uint8_t number; /* 1..4, logical ones 5 and up */
	bool active;
	uint8_t status; /* as stored */
	uint8_t type;
	uint32_t start_lba, len_blocks; /* in blocks of mbr.block_size */
	uint64_t start, size; /* bytes */
	uint32_t loaders; /* as in a boot entry */
};

struct layout_mbr {
	bool present; /* 55AA and credible */
	bool is_protective; /* an EEh entry that starts at LBA 1 */
	uint8_t code; /* enum mbr_code */
	uint32_t disk_signature;
	uint32_t block_size;
	uint32_t n_partitions;
	struct layout_mbr_partition partitions[4];
	uint32_t n_logical; /* in an extended partition: numbers 5 and up */
	struct layout_mbr_partition logical[LAYOUT_MAX_LOGICAL];
};

struct layout_gpt_header {
	bool present; /* signature there */
	bool valid; /* header CRC, MyLBA, sizes and array CRC are right */
	uint64_t lba, alternate_lba, first_usable_lba, last_usable_lba, entries_lba;
	uint32_t header_size, n_entries, entry_size, entries_crc;
};

struct layout_gpt_partition {
	uint32_t number; /* 1-based slot */
	uint8_t type[16], guid[16]; /* as stored on disk, mixed-endian */
	uint64_t first_lba, last_lba, attributes;
	uint64_t start, size; /* bytes */
	uint32_t loaders; /* as in a boot entry */
	char name[112]; /* UTF-8 */
};

struct layout_gpt {
	bool present; /* one of the copies has the signature */
	bool valid; /* the primary is */
	uint32_t block_size; /* 512, 2048 or 4096 */
	uint8_t disk_guid[16];
	struct layout_gpt_header primary, backup;
	bool backup_at_end; /* of this image or device */
	bool arrays_equal;
	uint32_t n_partitions; /* used slots, stored below */
	struct layout_gpt_partition partitions[LAYOUT_MAX_GPT];
};

struct layout_apm_partition {
	char name[33], type[33];
	uint64_t start, size; /* bytes */
};

struct layout_apm {
	bool present;
	uint32_t block_size, n_partitions;
	struct layout_apm_partition partitions[LAYOUT_MAX_APM];
};

/* Apple's file systems, beside ISO 9660 or in a partition. */
struct layout_hfs {
	char type[8]; /* "HFS", "HFS+", "HFSX" */
	char name[130]; /* "" if it could not be read */
	uint64_t start, size; /* bytes */
};

struct layout_boot_report {
	struct {
		uint8_t cd, usb;
	} bios, uefi_x64, uefi_ia32, uefi_aa64; /* enum boot_answer */
	uint8_t bios_reason, uefi_reason; /* enum boot_reason, for a stick */
	bool is_hybrid_needed; /* so that auto writes it as a hybrid */
};

struct layout {
	enum layout_kind kind;
	uint64_t size; /* bytes of the image, UINT64_MAX for a stream of unknown size */
	uint64_t expected_size; /* max over everything that credibly points somewhere; 0 unknown */
	char expected_by[96]; /* what points there: "the ISO 9660 volume", "EFI boot image" */
	bool is_truncated; /* size known and < expected_size */
	bool is_partial; /* only the head of a stream was seen */
	uint64_t bytes_read; /* by detection */
	uint32_t sector_size; /* the medium's the image was made for: 512, 2048 (disc only), 4096 */
	char foreign[16]; /* "qcow2", "nrg", ...: refused; see detect_check_foreign() */
	bool is_foreign_packed; /* it lies in a compressed file */
	char os[64]; /* hint: "Debian", "Ubuntu", "Windows" ... or "" */
	struct layout_volume volume;
	bool udf;
	uint64_t udf_start, udf_size; /* bytes of its partition, 0 if not known */
	bool udf_may_boot; /* it may hold /EFI, as far as the ISO 9660 tree beside it tells */
	bool superfloppy; /* a FAT, exFAT or NTFS boot sector at LBA 0 */
	uint64_t superfloppy_size; /* bytes of that volume */
	uint32_t superfloppy_loaders; /* as in a boot entry */
	struct layout_el_torito el_torito;
	struct layout_mbr mbr;
	struct layout_gpt gpt;
	struct layout_apm apm;
	uint32_t n_hfs;
	struct layout_hfs hfs[LAYOUT_MAX_HFS];
	struct layout_boot_report boot;
	uint32_t n_findings;
	struct layout_finding findings[LAYOUT_MAX_FINDINGS];
};

const char *layout_kind_name(enum layout_kind kind); /* the words of the JSON interface */
const char *layout_mbr_code_name(uint8_t code);
const char *layout_emulation_name(uint8_t emulation); /* "none", "1.44M", ..., "hdd" */
const char *layout_answer_name(uint8_t answer); /* "yes", "no", "fixable", "unknown" */

const char *layout_reason_name(uint8_t reason); /* "isolinux", "no-mbr-code" ... */
const char *layout_reason_text(uint8_t reason); /* a clause for people; "" for REASON_NONE */

/* "bios", "ppc", "mac", "efi" or the number; buf for the number. */
const char *layout_platform_name(uint8_t platform, char buf[8]);

/* Adds a finding; the 33rd is dropped. fmt makes one escaped sentence. */
void layout_add_finding(struct layout *lay, enum layout_severity severity, const char *code,
			const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* "Ubuntu 24.04" (volume id or OS hint), escaped; "" if it has no name. */
const char *layout_title(const struct layout *lay, char *buf, unsigned int buf_size);

/* "BIOS, UEFI x64": where a stick with these bytes is predicted to boot; "" if nowhere. */
const char *layout_made_for(const struct layout *lay, char *buf, unsigned int buf_size);

/* The same of a stick that isowrite writes with it: also what is fixable. */
const char *layout_will_boot(const struct layout *lay, char *buf, unsigned int buf_size);

#endif
