/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fills struct layout from a source by an ordered table of detectors
 * (detect-*.c). Reads are budgeted and counted.
 */
#ifndef ISOWRITE_IMAGE_DETECT_H
#define ISOWRITE_IMAGE_DETECT_H

#include "base/error.h"
#include "image/layout.h"
#include "image/source.h"

/* What a detector works with. */
struct detect {
	struct source *src;
	struct layout *lay;
	uint64_t size; /* bytes of the image, UINT64_MAX unknown */
	uint64_t visible; /* bytes that can be read: size, or SOURCE_HEAD_SIZE of a stream */
	uint64_t budget; /* bytes that may still be read */
};

/* Nothing of lay is changed before detect_read(), which counts in lay->bytes_read. */
void detect_begin(struct detect *d, struct source *src, uint64_t budget, struct layout *lay);

/*
 * Reads exactly len bytes at off: 1 done, 0 not there (beyond the end, beyond
 * the head of a stream, or budget used up), -1 I/O error.
 */
int detect_read(struct detect *d, uint64_t off, void *buf, size_t len, struct error *err);

/*
 * One detector: looks, fills its part of d->lay, adds findings. 0 or -1 (I/O
 * errors only: what is malformed is a finding, never an error).
 */
struct detector {
	const char *name;
	int (*detect)(struct detect *d, struct error *err);
};

#define DETECT_BUDGET (4U << 20) /* default; inspect --full lifts it */

/* Never reads more than budget bytes. *ret is filled on success only. */
int detect_layout(struct source *src, uint64_t budget, struct layout *ret, struct error *err);

/*
 * After a stream's end: with its true size, is it truncated by what its head
 * said? Updates size, is_truncated and findings.
 */
void detect_finish(struct layout *lay, uint64_t size);

/* For a foreign format: ERROR_IMAGE with the command that converts it. 0 if not foreign. */
int detect_check_foreign(const struct layout *lay, const char *path, struct error *err);

/* Is there a right boot info table in the boot image at lba (2048-byte blocks)? 0 or -1. */
int detect_boot_info(struct detect *d, uint32_t lba, bool *ret, struct error *err);

/* The detectors, one file each (detect-NAME.c). */
int detect_foreign(struct detect *d, struct error *err);
int detect_mbr(struct detect *d, struct error *err);
int detect_gpt(struct detect *d, struct error *err);
int detect_apm(struct detect *d, struct error *err);
int detect_hfs(struct detect *d, struct error *err);
int detect_iso(struct detect *d, struct error *err);
int detect_eltorito(struct detect *d, struct error *err);
int detect_udf(struct detect *d, struct error *err);
int detect_files(struct detect *d, struct error *err); /* boot images' paths, OS hints: the tree */
int detect_filesystem(struct detect *d, struct error *err);
int detect_loaders(struct detect *d, struct error *err); /* of UEFI, where the tables point */
int detect_hybrid(struct detect *d, struct error *err); /* MBR code, boot contracts */
int detect_size(struct detect *d, struct error *err); /* expected_size: needs all the above */
int detect_boot(struct detect *d, struct error *err); /* boot report; last */

/*
 * Raises lay->expected_size to end if that is larger; by is what points there.
 * Ignored beyond 2^60 (garbage).
 */
void detect_claim(struct detect *d, uint64_t end, const char *by);

#endif
