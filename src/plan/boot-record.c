// SPDX-License-Identifier: GPL-3.0-or-later
/* Where a boot record goes; see boot-record.h. ECMA-119 section 6.7, El Torito 1.0 section 2.0. */
#include "plan/boot-record.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "disk/eltorito.h"
#include "disk/iso9660.h"
#include "image/tree.h"
#include "plan/move-root.h"

#define FIRST_LBA 16U
#define RECORD_LBA 17U
#define TREE_BUDGET (64U << 20) /* bytes of directories that are looked through */

/* Offsets in a primary or supplementary descriptor (ECMA-119 section 8.4). */
#define N_BLOCKS 80 /* both orders */
#define PATH_TABLE_SIZE 132
#define PATH_TABLES_L 140 /* the table and an optional copy, little-endian addresses */
#define PATH_TABLES_M 148 /* the same, big-endian */

struct descriptors {
	uint32_t n; /* up to the end, which is the last one */
	uint8_t block[ISO_MAX_DESCRIPTORS][ISO_SECTOR];
};

static int read_block(struct source *src, uint32_t lba, uint8_t *buf, struct error *err)
{
	size_t n;

	memset(buf, 0, ISO_SECTOR);
	return source_peek(src, (uint64_t)lba * ISO_SECTOR, buf, ISO_SECTOR, &n, err);
}

/* 1 all up to the end, 0 there is no end. */
static int read_descriptors(struct source *src, struct descriptors *ret, struct error *err)
{
	for (ret->n = 0; ret->n < ISO_MAX_DESCRIPTORS;) {
		uint8_t type;

		if (read_block(src, FIRST_LBA + ret->n, ret->block[ret->n], err) < 0)
			return -1;
		if (!iso9660_is_descriptor(ret->block[ret->n++], &type))
			return 0;
		if (type == ISO_TERMINATOR)
			return 1;
	}
	return 0;
}

static bool covers(uint64_t start, uint64_t len, uint64_t off)
{
	return off >= start && off - start < len;
}

/* Do path tables of the descriptors, or root directories of those from first on, lie at off? */
static bool is_pointed_to(const struct descriptors *d, uint32_t first, uint64_t off)
{
	for (uint32_t i = 0; i < d->n; i++) {
		const uint8_t *p = d->block[i];
		struct iso_volume v;
		uint32_t table_size;

		if (p[0] != ISO_PRIMARY && p[0] != ISO_SUPPLEMENTARY)
			continue;
		iso9660_decode_volume(p, &v);
		table_size = le32_at(p + PATH_TABLE_SIZE);
		if (i >= first && covers((uint64_t)v.root_lba * v.block_size, v.root_len, off))
			return true;
		for (unsigned int k = 0; k < 8; k += 4)
			if (covers((uint64_t)le32_at(p + PATH_TABLES_L + k) * v.block_size,
				   table_size, off) ||
			    covers((uint64_t)be32_at(p + PATH_TABLES_M + k) * v.block_size,
				   table_size, off))
				return true;
	}
	return false;
}

struct owner {
	uint64_t off;
	bool is_found;
};

static bool visit(void *ctx, const struct tree_extent *extent)
{
	struct owner *owner = ctx;

	/* Extents are whole blocks. */
	owner->is_found = covers(extent->start, num_round_up(extent->len, ISO_SECTOR), owner->off);
	return owner->is_found;
}

/* Is the block a file's, or part of a file system that is not the disc's? */
static int check_owner(struct source *src, const struct layout *lay, uint64_t off,
		       const char **ret_why, struct error *err)
{
	struct owner owner = { .off = off };
	uint64_t budget = TREE_BUDGET;
	bool is_hfs = false;

	for (uint32_t i = 0; i < lay->n_hfs; i++)
		is_hfs = is_hfs || covers(lay->hfs[i].start, lay->hfs[i].size, off);
	if (is_hfs) {
		*ret_why = _("it has no boot record, and no room for one, since the block behind "
			     "its volume descriptors belongs to Apple's file system");
		return 0;
	}
	if (tree_walk_all(src, lay, &budget, visit, &owner, err) < 0)
		return -1;
	if (owner.is_found)
		*ret_why = _("it has no boot record, and no room for one, since the block behind "
			     "its volume descriptors belongs to a file");
	else if (budget == 0)
		*ret_why = _("it has no boot record, and too many directories to be sure that "
			     "there is room for one");
	return 0;
}

/* Can the block behind the end be had? *ret_why: NULL, or why not. */
static int check_room(struct source *src, const struct layout *lay, const struct descriptors *d,
		      struct boot_record_change *change, const char **ret_why, struct error *err)
{
	static const uint8_t zeros[ISO_SECTOR];
	uint32_t lba = change->end_lba + 1;
	uint64_t off = (uint64_t)lba * ISO_SECTOR;
	uint8_t block[ISO_SECTOR];
	int rc = 0;

	if (read_block(src, lba, block, err) < 0)
		return -1;
	/* Descriptors behind the first one would point to the same directory. */
	if (!is_pointed_to(d, 1, off))
		rc = move_root_examine(src, d->block[0], lba, &change->root_len, err);
	if (rc < 0)
		return -1;
	change->root_lba = lba;
	change->moves_root = rc == 1;
	if (change->moves_root)
		return 0;
	if (memcmp(block, zeros, sizeof(zeros)) == 0 && !is_pointed_to(d, 0, off))
		return check_owner(src, lay, off, ret_why, err);
	*ret_why = _("it has no boot record, and no room for one, since the block behind its "
		     "volume descriptors is in use");
	return 0;
}

static int examine(struct source *src, const struct layout *lay, struct descriptors *d,
		   struct boot_record_change *ret, const char **ret_why, struct error *err)
{
	struct boot_record_change change = { .lba = RECORD_LBA };
	uint32_t catalog_lba;
	int rc;

	if (lay->volume.pvd_lba != FIRST_LBA) {
		*ret_why = _("it has several sessions");
		return -1;
	}
	rc = read_descriptors(src, d, err);
	if (rc < 0)
		return -1;
	if (rc == 0 || d->block[0][0] != ISO_PRIMARY) {
		*ret_why = _("its volume descriptors are damaged");
		return -1;
	}
	for (uint32_t i = 0; i < d->n && !change.is_there; i++) {
		change.is_there = eltorito_decode_boot_record(d->block[i], &catalog_lba);
		change.lba = FIRST_LBA + i;
	}
	if (change.is_there) {
		*ret = change;
		return 0;
	}
	change.lba = RECORD_LBA;
	change.end_lba = FIRST_LBA + d->n - 1;
	if (check_room(src, lay, d, &change, ret_why, err) < 0 || *ret_why)
		return -1;
	*ret = change;
	return 0;
}

int boot_record_examine(struct source *src, const struct layout *lay,
			struct boot_record_change *ret, const char **ret_why, struct error *err)
{
	struct descriptors *d = malloc(sizeof(*d));
	int rc;

	*ret_why = NULL;
	if (!d)
		return error_set_nomem(err);
	rc = examine(src, lay, d, ret, ret_why, err);
	free(d);
	return rc;
}

/* What ends before the root directory's copy would be cut short by strict readers. */
static void set_volume_blocks(uint8_t *descriptor, uint32_t n_blocks)
{
	const both32 both = both32_put(n_blocks);

	if (descriptor[0] == ISO_PRIMARY || descriptor[0] == ISO_SUPPLEMENTARY)
		memcpy(descriptor + N_BLOCKS, &both, sizeof(both));
}

/* The root directory's new place, and a volume that reaches so far. */
static int move_root(struct plan *plan, struct source *src, uint32_t new_lba, uint32_t n_blocks,
		     struct error *err)
{
	uint8_t pvd[ISO_SECTOR];

	if (read_block(src, FIRST_LBA, pvd, err) < 0 ||
	    move_root_apply(plan, src, pvd, new_lba, err) < 0)
		return -1;
	set_volume_blocks(pvd, n_blocks);
	return plan_overlay(plan, (uint64_t)FIRST_LBA * ISO_SECTOR + N_BLOCKS, pvd + N_BLOCKS, 8,
			    "size of the volume", err);
}

/* The descriptors from block 17 on, one block further back, and the record before them. */
static int insert(struct plan *plan, struct source *src, const struct boot_record_change *change,
		  uint32_t catalog_lba, uint32_t n_blocks, struct error *err)
{
	uint32_t n_moved = change->end_lba - RECORD_LBA + 1;
	size_t len = (size_t)(n_moved + 1) * ISO_SECTOR;
	uint8_t *buf = malloc(len);
	int rc = 0;

	if (!buf)
		return error_set_nomem(err);
	eltorito_encode_boot_record(buf, catalog_lba);
	for (uint32_t i = 0; rc == 0 && i < n_moved; i++) {
		uint8_t *descriptor = buf + (size_t)(i + 1) * ISO_SECTOR;

		rc = read_block(src, RECORD_LBA + i, descriptor, err);
		if (rc == 0 && change->moves_root)
			set_volume_blocks(descriptor, n_blocks);
	}
	if (rc == 0)
		rc = plan_overlay(plan, (uint64_t)RECORD_LBA * ISO_SECTOR, buf, len,
				  "boot record, and the volume descriptors behind it", err);
	free(buf);
	return rc;
}

int boot_record_apply(struct plan *plan, struct source *src,
		      const struct boot_record_change *change, uint32_t catalog_lba,
		      uint32_t new_root_lba, struct error *err)
{
	const le32 lba = le32_put(catalog_lba);
	uint32_t n_blocks = new_root_lba + change->root_len / ISO_SECTOR;

	if (change->is_there)
		return plan_overlay(
			plan, (uint64_t)change->lba * ISO_SECTOR + ELTORITO_CATALOG_LBA_OFFSET,
			&lba, sizeof(lba), "boot record: place of the boot catalog", err);
	if (change->moves_root && move_root(plan, src, new_root_lba, n_blocks, err) < 0)
		return -1;
	return insert(plan, src, change, catalog_lba, n_blocks, err);
}
