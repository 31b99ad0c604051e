/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A receipt: the JSON object of `write`, with what `check` needs to judge the
 * stick later without the image:
 *
 *   "receipt": { "version": 1, "plans": [ {
 *       "size", "sector_size",          the stick's, bytes
 *       "sha256",                       over the planned bytes, or null
 *       "extents": [ { "start", "length" } ],              planned, ascending
 *       "segments": [ { "start", "length", "role", "what", "sha256" } ],
 *       "partitions": [ { "table", "start", "length" } ] } ] }
 *
 * Segments (segment.h) are there only when the image could be read twice. What lies
 * between the extents is neither recorded nor compared.
 */
#ifndef ISOWRITE_JOB_RECEIPT_H
#define ISOWRITE_JOB_RECEIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "job/segment.h"

struct job;

#define RECEIPT_MAX_SIZE (8U << 20) /* bytes that a receipt may have */

/* Before anything is done: can it be written there later? Nothing is created. */
int receipt_check_path(const char *path, bool overwrite, struct error *err);

/* Nor may --overwrite name the image or a target. */
int receipt_check_apart(const struct job *j, struct error *err);

/*
 * Writes the report as a receipt: complete or not at all (temporary file, fsync,
 * rename), also after a failed job. Reads the image once more for the digests.
 */
int receipt_write(struct job *j, struct error *err);

/* One plan of a receipt that was read. */
struct receipt_plan {
	struct digest sha256;
	bool has_segments; /* else segs is one piece over all, without a digest */
	uint64_t content_size; /* of the image, bytes; 0 not known */
	struct segments segs;
};

void receipt_plan_free(struct receipt_plan *plan); /* NULL ok */

/* 1 it is a receipt, 0 it is not (by its first bytes), -1 ERROR_USAGE/ERROR_IO. */
int receipt_is_one(const char *path, struct error *err);

/*
 * The plan for a stick of this size from the receipt at path; ERROR_IMAGE when
 * it is damaged, ERROR_DIFFERS when it is about sticks of another size. Free by
 * receipt_plan_free().
 */
int receipt_read(const char *path, uint64_t size, uint32_t sector_size, struct receipt_plan **ret,
		 struct error *err);

/* The same from memory; for the unit tests and the fuzzer. */
int receipt_parse(const char *text, size_t len, uint64_t size, uint32_t sector_size,
		  struct receipt_plan **ret, struct error *err);

#endif
