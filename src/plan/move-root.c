// SPDX-License-Identifier: GPL-3.0-or-later
/* A root directory that makes room; see move-root.h. */
#include "plan/move-root.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

#define PVD_LBA 16U
#define MAX_ROOT (256U << 10) /* bytes: a few thousand names */

/* Offsets in the primary descriptor (ECMA-119 section 8.4), its records and path tables. */
#define PATH_TABLES_L 140
#define PATH_TABLES_M 148
#define ROOT_RECORD 156
#define RECORD_EXTENT 2
#define PATH_ENTRY_EXTENT 2

enum order { ORDER_BOTH, ORDER_LITTLE, ORDER_BIG };

/* A place of the disc that has the root directory's block number in it. 0 or -1. */
typedef int (*pointer_fn)(void *ctx, uint64_t off, enum order order, struct error *err);

/* The number in all the orders that it is stored in; bytes of it. */
static size_t put_number(uint8_t buf[8], uint32_t value, enum order order)
{
	const both32 both = both32_put(value);

	if (order == ORDER_BIG) {
		memcpy(buf, &both.be, sizeof(both.be));
		return sizeof(both.be);
	}
	memcpy(buf, &both, sizeof(both));
	return order == ORDER_BOTH ? sizeof(both) : sizeof(both.le);
}

/* Is it the record of "." (0) or ".." (1), and does it point to lba? */
static bool is_dot(const struct iso_record *rec, uint8_t name, uint32_t lba, uint32_t len)
{
	return rec->is_directory && !rec->has_more && rec->name_len == 1 && rec->name[0] == name &&
	       rec->extent_lba == lba && rec->len == len;
}

/* A directory's second record: 1 and where its block number is, 0 it is not as it should be. */
static int find_parent(struct source *src, uint32_t lba, uint32_t root_lba, uint32_t root_len,
		       uint64_t *ret, struct error *err)
{
	uint64_t start = (uint64_t)lba * ISO_SECTOR;
	uint8_t block[ISO_SECTOR];
	struct iso_record rec;
	size_t n, pos = 0, second;

	if (source_peek(src, start, block, sizeof(block), &n, err) < 0)
		return -1;
	if (!iso9660_next_record(block, n, &pos, &rec) || rec.name_len != 1 || rec.name[0] != 0)
		return 0;
	second = pos;
	if (!iso9660_next_record(block, n, &pos, &rec) || !is_dot(&rec, 1, root_lba, root_len))
		return 0;
	*ret = start + second + RECORD_EXTENT;
	return 1;
}

/* 1 all were given to fn, 0 a directory is not as it should be, -1. */
static int each_child(struct source *src, const uint8_t *root, uint32_t lba, uint32_t len,
		      pointer_fn fn, void *ctx, struct error *err)
{
	struct iso_record rec;
	size_t pos = 0;

	/* Ends with the directory: each round moves pos. */
	while (iso9660_next_record(root, len, &pos, &rec)) {
		uint64_t off;
		int rc;

		if (!rec.is_directory || iso9660_is_dot(&rec))
			continue;
		rc = find_parent(src, rec.extent_lba, lba, len, &off, err);
		if (rc <= 0)
			return rc;
		if (fn(ctx, off, ORDER_BOTH, err) < 0)
			return -1;
	}
	return 1;
}

/* As each_child(). The root directory's own records are not among them. */
static int each_pointer(struct source *src, const uint8_t *pvd, const uint8_t *root, uint32_t lba,
			uint32_t len, pointer_fn fn, void *ctx, struct error *err)
{
	if (fn(ctx, (uint64_t)PVD_LBA * ISO_SECTOR + ROOT_RECORD + RECORD_EXTENT, ORDER_BOTH, err) <
	    0)
		return -1;
	for (unsigned int i = 0; i < 8; i += 4) {
		uint32_t little = le32_at(pvd + PATH_TABLES_L + i);
		uint32_t big = be32_at(pvd + PATH_TABLES_M + i);

		/* The second one of each is optional. */
		if ((i == 0 || little) && fn(ctx, (uint64_t)little * ISO_SECTOR + PATH_ENTRY_EXTENT,
					     ORDER_LITTLE, err) < 0)
			return -1;
		if ((i == 0 || big) &&
		    fn(ctx, (uint64_t)big * ISO_SECTOR + PATH_ENTRY_EXTENT, ORDER_BIG, err) < 0)
			return -1;
	}
	return each_child(src, root, lba, len, fn, ctx, err);
}

struct checking {
	struct source *src;
	uint32_t lba;
	bool is_right;
};

static int check_pointer(void *ctx, uint64_t off, enum order order, struct error *err)
{
	struct checking *c = ctx;
	uint8_t want[8], got[8];
	size_t len = put_number(want, c->lba, order), n;

	if (source_peek(c->src, off, got, len, &n, err) < 0)
		return -1;
	c->is_right = c->is_right && n == len && memcmp(got, want, len) == 0;
	return 0;
}

/* Its first two records are its own. */
static bool is_root(const uint8_t *root, uint32_t lba, uint32_t len)
{
	struct iso_record rec;
	size_t pos = 0;

	return iso9660_next_record(root, len, &pos, &rec) && is_dot(&rec, 0, lba, len) &&
	       iso9660_next_record(root, len, &pos, &rec) && is_dot(&rec, 1, lba, len);
}

/* *ret is NULL if the disc ends before it does. */
static int read_root(struct source *src, uint32_t lba, uint32_t len, uint8_t **ret,
		     struct error *err)
{
	uint8_t *root = malloc(len);
	size_t n;
	int rc;

	*ret = NULL;
	if (!root)
		return error_set_nomem(err);
	rc = source_peek(src, (uint64_t)lba * ISO_SECTOR, root, len, &n, err);
	if (rc == 0 && n == len)
		*ret = root;
	else
		free(root);
	return rc;
}

int move_root_examine(struct source *src, const uint8_t pvd[ISO_SECTOR], uint32_t lba,
		      uint32_t *ret_len, struct error *err)
{
	struct checking c = { .src = src, .lba = lba, .is_right = true };
	struct iso_volume v;
	uint8_t *root;
	int rc;

	iso9660_decode_volume(pvd, &v);
	if (v.root_lba != lba || v.block_size != ISO_SECTOR || v.has_odd_block_size ||
	    v.halves_differ || v.root_len == 0 || v.root_len % ISO_SECTOR || v.root_len > MAX_ROOT)
		return 0;
	if (read_root(src, lba, v.root_len, &root, err) < 0)
		return -1;
	if (!root || !is_root(root, lba, v.root_len)) {
		free(root);
		return 0;
	}
	rc = each_pointer(src, pvd, root, lba, v.root_len, check_pointer, &c, err);
	free(root);
	if (rc > 0 && c.is_right)
		*ret_len = v.root_len;
	return rc > 0 ? c.is_right : rc;
}

int move_root_copy(struct source *src, uint32_t lba, uint32_t len, uint32_t new_lba, uint8_t *buf,
		   struct error *err)
{
	size_t second;

	if (source_read_at(src, (uint64_t)lba * ISO_SECTOR, buf, len, err) < 0)
		return -1;
	second = buf[0]; /* the first record's length: move_root_examine() saw both */
	put_number(buf + RECORD_EXTENT, new_lba, ORDER_BOTH);
	put_number(buf + second + RECORD_EXTENT, new_lba, ORDER_BOTH);
	return 0;
}

struct changing {
	struct plan *plan;
	uint32_t new_lba;
};

static int change_pointer(void *ctx, uint64_t off, enum order order, struct error *err)
{
	struct changing *c = ctx;
	uint8_t buf[8];
	size_t len = put_number(buf, c->new_lba, order);

	return plan_overlay(c->plan, off, buf, len, "place of the root directory", err);
}

int move_root_apply(struct plan *plan, struct source *src, const uint8_t pvd[ISO_SECTOR],
		    uint32_t new_lba, struct error *err)
{
	struct changing c = { .plan = plan, .new_lba = new_lba };
	struct iso_volume v;
	uint8_t *root;
	int rc;

	iso9660_decode_volume(pvd, &v);
	if (read_root(src, v.root_lba, v.root_len, &root, err) < 0)
		return -1;
	rc = root ? each_pointer(src, pvd, root, v.root_lba, v.root_len, change_pointer, &c, err)
		  : 0;
	free(root);
	if (rc == 0)
		return error_set(err, ERROR_IMAGE, "source-changed",
				 _("The image changed while it was read."));
	return rc < 0 ? -1 : 0;
}
