// SPDX-License-Identifier: GPL-3.0-or-later
/* HFS and HFS+ volume headers; see hfs.h. */
#include "disk/hfs.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "disk/joliet.h"

#define OLD_SECTOR 512U
#define ROOT_PARENT 1U /* of the catalog's first key */
#define NODE_LEAF 0xff
#define NODE_HEADER 1

/* The master directory block of HFS. */
struct disk_old {
	be16 signature; /* "BD" */
	uint8_t dates[8];
	be16 attributes, n_files, bitmap_start, alloc_next, n_blocks;
	be32 block_size, clump_size;
	be16 first_sector; /* of the first block, in 512-byte sectors */
	be32 next_id;
	be16 n_free;
	uint8_t name[28]; /* its length first */
	uint8_t others[60];
	be16 embedded_signature; /* "H+" */
	be16 embedded_start, embedded_len; /* in blocks */
};

static_assert(offsetof(struct disk_old, name) == 36, "HFS name");
static_assert(offsetof(struct disk_old, embedded_signature) == 124, "HFS wrapper");

struct disk_fork {
	be64 size;
	be32 clump_size, n_blocks;
	struct {
		be32 start, len;
	} extents[8];
};

struct disk_plus {
	be16 signature, version; /* "H+" 4, "HX" 5 */
	uint8_t others[36];
	be32 block_size, n_blocks;
	uint8_t more[64];
	struct disk_fork allocation, extents, catalog;
};

static_assert(offsetof(struct disk_plus, block_size) == 40, "HFS+ block size");
static_assert(offsetof(struct disk_plus, catalog) == 272, "HFS+ catalog");

static bool decode_old(const uint8_t *header, struct hfs_volume *ret)
{
	struct disk_old disk;
	uint32_t block_size;
	uint64_t first;

	memcpy(&disk, header, sizeof(disk));
	block_size = be32_get(disk.block_size);
	if (block_size == 0 || block_size % OLD_SECTOR || be16_get(disk.n_blocks) == 0 ||
	    disk.name[0] > sizeof(disk.name) - 1)
		return false;
	first = (uint64_t)be16_get(disk.first_sector) * OLD_SECTOR;
	*ret = (struct hfs_volume){ .kind = HFS_OLD };
	/* Two sectors more by the book; mkisofs puts what belongs there into the last block. */
	ret->size = first + (uint64_t)be16_get(disk.n_blocks) * block_size;
	memcpy(ret->name, disk.name + 1, disk.name[0]);
	if (be16_get(disk.embedded_signature) == 0x482b)
		ret->embedded = first + (uint64_t)be16_get(disk.embedded_start) * block_size;
	return true;
}

static bool decode_plus(const uint8_t *header, struct hfs_volume *ret)
{
	struct disk_plus disk;
	uint32_t block_size;

	memcpy(&disk, header, sizeof(disk));
	block_size = be32_get(disk.block_size);
	if (!num_is_power_of_2(block_size) || block_size < 512 || be32_get(disk.n_blocks) == 0)
		return false;
	*ret = (struct hfs_volume){
		.kind = be16_get(disk.signature) == 0x482b ? HFS_PLUS : HFS_PLUS_X,
		.size = (uint64_t)be32_get(disk.n_blocks) * block_size,
		.catalog = (uint64_t)be32_get(disk.catalog.extents[0].start) * block_size,
	};
	return true;
}

bool hfs_decode(const uint8_t header[HFS_HEADER_SIZE], struct hfs_volume *ret)
{
	unsigned int signature = (unsigned int)header[0] << 8 | header[1];
	unsigned int version = (unsigned int)header[2] << 8 | header[3];

	if (signature == 0x4244)
		return decode_old(header, ret);
	if ((signature == 0x482b && version == 4) || (signature == 0x4858 && version == 5))
		return decode_plus(header, ret);
	return false;
}

/* TN1150, "B-trees": what every node begins with, and what follows in these two. */
struct disk_node {
	be32 next, previous;
	uint8_t kind, height;
	be16 n_records, reserved;
};

struct disk_tree {
	struct disk_node node;
	be16 depth;
	be32 root, n_leaves, first_leaf, last_leaf;
	be16 node_size;
};

struct disk_key {
	struct disk_node node;
	be16 len;
	be32 parent;
	be16 name_len; /* UTF-16 units */
};

static_assert(offsetof(struct disk_tree, node_size) == 32, "B-tree header");
static_assert(sizeof(struct disk_key) == 22, "catalog key");

bool hfs_decode_tree(const uint8_t node[HFS_NODE_HEAD], uint64_t *ret_leaf)
{
	struct disk_tree disk;
	uint32_t size;

	memcpy(&disk, node, sizeof(disk));
	size = be16_get(disk.node_size);
	if (disk.node.kind != NODE_HEADER || !num_is_power_of_2(size) || size < 512 ||
	    be32_get(disk.first_leaf) == 0)
		return false;
	*ret_leaf = (uint64_t)be32_get(disk.first_leaf) * size;
	return true;
}

void hfs_decode_name(const uint8_t node[HFS_NODE_HEAD], char out[HFS_NAME_SIZE])
{
	struct disk_key key;
	size_t len;

	memcpy(&key, node, sizeof(key));
	len = (size_t)be16_get(key.name_len) * 2;
	out[0] = '\0';
	if (key.node.kind == NODE_LEAF && be32_get(key.parent) == ROOT_PARENT &&
	    len <= HFS_NODE_HEAD - sizeof(key))
		joliet_decode_name(node + sizeof(key), len, out, HFS_NAME_SIZE);
}

const char *hfs_kind_name(enum hfs_kind kind)
{
	static const char *const names[] = {
		[HFS_OLD] = "HFS",
		[HFS_PLUS] = "HFS+",
		[HFS_PLUS_X] = "HFSX",
	};

	return names[kind];
}
