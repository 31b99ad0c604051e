/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walks the file tree of an ISO 9660 volume (Rock Ridge names where there,
 * else Joliet, else plain) and gives every file's extents, so that boot images
 * and damaged bytes get file names. Budgeted: directory records, bytes, depth.
 */
#ifndef ISOWRITE_IMAGE_TREE_H
#define ISOWRITE_IMAGE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/layout.h"
#include "image/source.h"

struct tree_extent {
	const char *path; /* "/boot/grub/efi.img", not escaped; valid during the callback */
	bool is_directory;
	uint64_t start, len; /* bytes in the image; a multi-extent file comes in several calls */
	uint64_t file_offset; /* of this extent inside the file */
};

/* Return true to stop the walk. */
typedef bool (*tree_visit)(void *ctx, const struct tree_extent *extent);

/*
 * *budget: bytes that may be read, decreased by what was read (0: it was used
 * up before the end). Malformed records end their directory.
 */
int tree_walk(struct source *src, const struct layout *lay, uint64_t *budget, tree_visit visit,
	      void *ctx, struct error *err);

/*
 * The same over every tree that the volume has, plain and Joliet's, whose files need not be the
 * same ones: for who asks what is in use. What is in both is told twice.
 */
int tree_walk_all(struct source *src, const struct layout *lay, uint64_t *budget, tree_visit visit,
		  void *ctx, struct error *err);

/*
 * As tree_walk() for what lies in one directory ("/EFI/BOOT", in upper or lower case) only; of the
 * others those on the way to it are read.
 */
int tree_list(struct source *src, const struct layout *lay, const char *directory,
	      uint64_t *budget, tree_visit visit, void *ctx, struct error *err);

/* The file that owns byte off: 1 and its path, 0 none, -1 I/O error. path is cut to size. */
int tree_find_owner(struct source *src, const struct layout *lay, uint64_t off, char *path,
		    size_t path_size, struct error *err);

#endif
