/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A plan's bytes in pieces that use of the stick may change and pieces that it
 * may not, for `check` and for receipts:
 *
 *   |code|MBR|GPT|  image ......  | FAT volume | image | kept | tail |
 *    fixed  table     fixed          volume       fixed          tail
 *
 * Firmware and partitioning tools rewrite tables and put a backup GPT at the
 * end; systems that boot write to the FAT and ext volumes of the image.
 *
 * What a plan keeps belongs to no piece, but a piece may reach over it: of a plan
 * with many gaps (a block map's) there are many more runs of planned bytes than
 * pieces.
 */
#ifndef ISOWRITE_JOB_SEGMENT_H
#define ISOWRITE_JOB_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "image/layout.h"
#include "image/source.h"
#include "plan/plan.h"

/* In ascending strength where they overlap. */
enum segment_role {
	SEGMENT_FIXED,
	SEGMENT_TAIL, /* behind the image, to the end: zeros, or a backup GPT */
	SEGMENT_VOLUME, /* a file system that is written to in use */
	SEGMENT_TABLE, /* partition table: MBR entries, GPT header and entries */
	N_SEGMENT_ROLES,
};

#define SEGMENT_MAX 1024
#define SEGMENT_MAX_PARTITIONS (LAYOUT_MAX_GPT + 4)

struct segment {
	uint64_t start, len; /* bytes on the target */
	enum segment_role role;
	char what[64]; /* "partition 2", "GPT header" */
	struct digest digest; /* of the planned bytes; len 0 not known */
	bool differs; /* on the stick */
	uint64_t first_bad; /* byte, or start where only digests are known */
};

/* Planned bytes on the target. */
struct segment_run {
	uint64_t start, len;
};

/* A partition that has to be there still when a table was changed. */
struct segment_partition {
	bool is_gpt;
	uint64_t start, len; /* bytes */
};

struct segments {
	uint64_t target_size;
	uint32_t sector_size;
	uint32_t n, n_partitions;
	struct segment_run *runs; /* owned; ascending, with kept bytes between them */
	size_t n_runs, cap_runs;
	struct segment
		list[SEGMENT_MAX]; /* ascending, without overlaps; no run is outside of them */
	struct segment_partition partitions[SEGMENT_MAX_PARTITIONS];
};

const char *segment_role_name(enum segment_role role);
int segment_role_by_name(const char *name, size_t len, enum segment_role *ret); /* -1 unknown */

void segments_free(struct segments *segs); /* allocated by malloc; NULL ok */

/* Adds a run, which begins where the last one ended or behind it; -1: out of memory. */
int segments_add_run(struct segments *segs, uint64_t start, uint64_t len);

/* The next planned bytes at or after pos and before end; false if there are none. */
bool segments_next_run(const struct segments *segs, uint64_t pos, uint64_t end, uint64_t *ret_start,
		       uint64_t *ret_len);

/*
 * Cuts a closed plan of an image of content_size bytes; src tells which partitions
 * hold writable file systems, as far as it can be read at any place. 0, or -1 when
 * there would be too many pieces or memory ran out; *ret is to be freed either way.
 */
int segments_make(const struct plan *plan, uint64_t content_size, const struct layout *lay,
		  struct source *src, struct segments *ret);

/*
 * Judges the pieces that differ by what the stick's own tables say now. 1: all
 * explained, and text says how, escaped; 0: *ret_bad is the first piece that is not.
 */
int segments_explain(const struct segments *segs, const struct layout *stick, bool tail_is_clean,
		     char *text, size_t text_size, size_t *ret_bad);

/* Reads a plan's bytes once, ascending: from a RANDOM source, or a SEQUENTIAL one at its start. */
struct plan_reader {
	const struct plan *plan;
	struct source *src;
	uint64_t pos; /* SEQUENTIAL: bytes consumed */
};

/* Planned bytes [off, off+len); off never goes back. Kept bytes come as zeros. */
int plan_reader_read(struct plan_reader *reader, uint64_t off, void *buf, size_t len,
		     struct error *err);

#endif
