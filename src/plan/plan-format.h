/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The planner behind `format`: a target becomes one empty volume over its full
 * size. No image, so it is no struct planner: what is written comes from memory
 * and zeros, free clusters are kept as they are.
 *
 *   0    align                                                        size
 *   |MBR |volume: boot sectors, FATs, root |not touched |zeros    (GPT)|
 *
 *   plan-format.c      what it becomes: type, table, place, label, identifiers
 *   plan-format-fat.c  the FAT16, FAT32 and exFAT volume's extents
 */
#ifndef ISOWRITE_PLAN_PLAN_FORMAT_H
#define ISOWRITE_PLAN_PLAN_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/guid.h"
#include "plan/plan.h"

enum format_type {
	FORMAT_AUTO, /* FAT32 up to 32 GiB (FAT16 where that cannot be), else exFAT */
	FORMAT_FAT16,
	FORMAT_FAT32,
	FORMAT_EXFAT,
	FORMAT_EXT4,
};

enum format_table {
	FORMAT_TABLE_AUTO, /* MBR; GPT where an MBR does not reach */
	FORMAT_TABLE_MBR,
	FORMAT_TABLE_GPT,
};

#define FORMAT_LABEL_SIZE 48 /* bytes of UTF-8: 11 UTF-16 units have 33 at most */
#define FORMAT_SEED_SIZE 16

struct format_request {
	enum format_type type; /* not FORMAT_FAT16, which AUTO alone chooses */
	enum format_table table;
	const char *label; /* UTF-8, as it was given; NULL or "": none */
	uint8_t seed[FORMAT_SEED_SIZE]; /* identifiers are derived from it and the geometry */
	time_t time; /* now, or what stands for it */
};

/* What a target becomes. */
struct format_volume {
	enum format_type type;
	enum format_table table;
	uint64_t start, size; /* bytes: of the partition, which is the volume */
	uint64_t align; /* bytes: of the partition and of the clusters */
	char label[FORMAT_LABEL_SIZE]; /* UTF-8, as the volume has it */
	bool is_label_upper_cased;
	bool is_table_forced; /* a GPT because an MBR does not reach */
	char id[GUID_TEXT_SIZE]; /* as blkid names it: "1A2B-3C4D", or a UUID in lower case */
	uint32_t serial; /* FAT and exFAT */
	uint32_t disk_signature;
	uint8_t disk_guid[16], partition_guid[16];
	time_t time;
};

/*
 * Decides all of it. ERROR_FIT "too-small" or "too-large" where the volume or the
 * table cannot have that size, ERROR_USAGE "bad-label".
 */
int format_choose(const struct format_request *req, const struct geometry *geo,
		  struct format_volume *ret, struct error *err);

/*
 * The closed plan; caller frees. pieces: FORMAT_EXT4 only, what mke2fs wrote, by its
 * place in the volume, ascending.
 */
int format_make_plan(const struct format_volume *v, const struct geometry *geo,
		     const struct plan_piece *pieces, size_t n_pieces, struct plan **ret,
		     struct error *err);

const char *format_type_name(enum format_type type); /* "FAT32", "exFAT", "ext4": for people */
const char *format_type_id(enum format_type type); /* "fat32", "exfat": options, JSON */
const char *format_table_id(enum format_table table); /* "mbr", "gpt" */

/* plan-format-fat.c: the volume's extents from v->start on; the plan ends there. */
int format_append_fat(struct plan *plan, const struct format_volume *v, struct error *err);
int format_append_exfat(struct plan *plan, const struct format_volume *v, struct error *err);

/* Would such a volume be possible? */
bool format_fat_is_possible(const struct format_volume *v, uint32_t sector_size);

/* Zeros up to byte end, if the plan ends before it. */
int format_zero_until(struct plan *plan, uint64_t end, const char *what, struct error *err);

#endif
