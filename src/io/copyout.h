/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a device (or a file) from its first byte on into a sink: several
 * requests in flight, in order, hashed on the way; flushes; reads back what it
 * wrote and compares. On a thread of its own, so that whoever waits can show how
 * it goes and be cancelled while a device thinks.
 *
 *	copyout_new(); copyout_start(); while (!copyout_wait(c, 200)) ...; copyout_free()
 */
#ifndef ISOWRITE_IO_COPYOUT_H
#define ISOWRITE_IO_COPYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/outfile.h"
#include "io/target.h"
#include "plan/plan.h"

#define COPYOUT_MAX_BAD 256

enum copyout_phase { COPYOUT_READ, COPYOUT_FLUSH, COPYOUT_CHECK };

struct copyout_config {
	uint64_t read_end; /* bytes of the device that are read, from 0 on */
	uint64_t size; /* of the content; read_end, or the plan's size */
	const struct plan *plan; /* MEMORY and ZERO extents go over what was read; or NULL */
	struct outfile *file; /* NULL: standard output */
	bool compress;
	bool keep_going; /* zeros for what cannot be read; else it is the end */
	bool read_back; /* with a file only */
};

/* A range that could not be read. Bytes. */
struct copyout_bad {
	uint64_t offset, length;
};

struct copyout_result {
	struct error error;
	uint64_t error_offset; /* on the device; UINT64_MAX: none */
	uint64_t bytes_done; /* of content that went into the sink */
	uint64_t file_size; /* bytes that came out of it */
	struct digest sha256; /* of the content; len 0: not all of it was read */
	bool was_read_back; /* and was equal */
	uint64_t bad_bytes;
	uint32_t n_bad;
	bool has_more_bad; /* the last one stands for all behind it */
	struct copyout_bad bad[COPYOUT_MAX_BAD]; /* ascending */
	double seconds_read, seconds_flush, seconds_check;
};

struct copyout_status {
	enum copyout_phase phase;
	uint64_t done, total; /* bytes of this phase */
	double stalled; /* seconds since the last byte */
	double phase_start; /* monotonic seconds */
};

struct copyout;

/* t is open, for reading or for writing. Borrows everything. */
int copyout_new(struct target *t, const struct copyout_config *config, struct copyout **ret,
		struct error *err);
int copyout_start(struct copyout *c, struct error *err);

/* Waits up to timeout_ms; true when it has ended, and the result stands. */
bool copyout_wait(struct copyout *c, int timeout_ms);

void copyout_get_status(struct copyout *c, struct copyout_status *ret);
void copyout_cancel(struct copyout *c); /* the result's error is then ERROR_CANCELLED */
const struct copyout_result *copyout_get_result(const struct copyout *c);
void copyout_free(struct copyout *c); /* after the end, or before the start; NULL ok */

#endif
