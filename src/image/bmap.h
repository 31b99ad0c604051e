/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Block maps: which blocks of an image hold data, and the checksum of each
 * range of them. The XML that bmaptool writes (its BmapCreate.py describes the
 * format), versions 1.3 to 2.x, through expat (only here).
 *
 *   <bmap version="2.0">
 *     <ImageSize> bytes <BlockSize> bytes <BlocksCount> <MappedBlocksCount>
 *     <ChecksumType> sha256 <BmapFileChecksum> of this file, itself taken as zeros
 *     <BlockMap> <Range chksum="..."> first-last </Range> ... </BlockMap>
 *
 * 1.3 has SHA-1 in <BmapFileSHA1> and sha1="..."; 1.4 is another name of 2.0.
 * Untrusted: no DOCTYPE and so no entities, everything counted and bounded.
 */
#ifndef ISOWRITE_IMAGE_BMAP_H
#define ISOWRITE_IMAGE_BMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "image/source.h"

#define BMAP_MAX_FILE (16U << 20) /* bytes */
#define BMAP_MAX_RANGES 65536

struct bmap_range {
	uint64_t start, len; /* bytes of the image */
	size_t digest_len; /* 0: the map has no checksum of it */
	uint8_t digest[HASH_MAX_SIZE];
};

struct bmap {
	unsigned int version; /* 13 for "1.3", 14, 20 ... */
	uint64_t image_size; /* bytes */
	uint32_t block_size; /* bytes; the image's last block may be shorter */
	const char *alg; /* of all checksums: "sha256" */
	uint64_t mapped_size; /* bytes of all ranges */
	size_t n_ranges, cap_ranges;
	size_t n_unchecked; /* ranges without a checksum */
	struct bmap_range *ranges; /* ascending, inside the image, without overlaps */
};

/*
 * Reads the block map at path. ERROR_USAGE when there is none, ERROR_IMAGE when
 * it is damaged, too large or of an unknown version, ERROR_LACKING without expat.
 */
int bmap_open(const char *path, struct bmap **ret, struct error *err);

/* The same from memory; for the unit tests and the fuzzer. */
int bmap_parse(const char *text, size_t len, struct bmap **ret, struct error *err);

void bmap_free(struct bmap *map); /* NULL ok */

/*
 * Is there a file that is called like the image's block map (IMAGE.bmap, or the
 * name without .gz, .xz ... and with .bmap)? Its path goes to buf, else "".
 */
bool bmap_find_beside(const char *image, char *buf, size_t size);

/* Holds an image against its block map while its bytes pass. */
struct bmap_check;

/* Borrows the map; name is the image's for messages, escaped. */
int bmap_check_new(const struct bmap *map, const char *name, struct bmap_check **ret,
		   struct error *err);
void bmap_check_free(struct bmap_check *check); /* NULL ok */

/*
 * Bytes of the image at off, ascending; what is not mapped may be left out. off 0
 * starts anew. ERROR_IMAGE "bmap-range" names the first range that is not what the
 * map says, "bmap-size" an image that goes on after its end.
 */
int bmap_check_feed(struct bmap_check *check, uint64_t off, const void *data, size_t len,
		    struct error *err);

/* ERROR_IMAGE "bmap-size" unless an image of size bytes is what the map is of. */
int bmap_check_size(const struct bmap_check *check, uint64_t size, struct error *err);

/* The image has ended after size bytes: was all of it there? */
int bmap_check_end(const struct bmap_check *check, uint64_t size, struct error *err);

#endif
