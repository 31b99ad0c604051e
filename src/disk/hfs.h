/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * As much of Apple's HFS (Inside Macintosh: Files, chapter 2) and HFS+ (Apple
 * Technical Note TN1150) as tells that a volume is there, its size and its name:
 * the block at byte 1024 of the volume, and two nodes of the catalog. Big-endian.
 * Bytes in, values out.
 */
#ifndef ISOWRITE_DISK_HFS_H
#define ISOWRITE_DISK_HFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HFS_HEADER_OFFSET 1024U /* in the volume */
#define HFS_HEADER_SIZE 512U
#define HFS_NODE_HEAD 512U /* bytes of a node that the decoders below look at */
#define HFS_NAME_SIZE 130

enum hfs_kind { HFS_OLD, HFS_PLUS, HFS_PLUS_X };

struct hfs_volume {
	enum hfs_kind kind;
	uint64_t size; /* bytes of the volume up to the end of its blocks */
	char name[28]; /* HFS_OLD: as stored, bytes above 7f in Mac OS Roman */
	uint64_t embedded; /* HFS_OLD: a wrapper; there begins the HFS+ volume in it; else 0 */
	uint64_t catalog; /* HFS+: where the catalog file begins in the volume; 0 unknown */
};

/* False if the block is neither. */
bool hfs_decode(const uint8_t header[HFS_HEADER_SIZE], struct hfs_volume *ret);

/* The catalog's first node: where in the file its first leaf is. False if it is none. */
bool hfs_decode_tree(const uint8_t node[HFS_NODE_HEAD], uint64_t *ret_leaf);

/*
 * The first record of the first leaf is the root folder's, whose name is the
 * volume's (UTF-8, "" if the node is none).
 */
void hfs_decode_name(const uint8_t node[HFS_NODE_HEAD], char out[HFS_NAME_SIZE]);

const char *hfs_kind_name(enum hfs_kind kind); /* "HFS", "HFS+", "HFSX" */

#endif
