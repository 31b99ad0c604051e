/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One SHA-256 over a plan's bytes in ascending order, whose state is kept at
 * marks. Each piece between two marks can then be proved alone: load the state
 * at its start, hash what was read back, compare with the state at its end.
 * Together the pieces prove the whole digest.
 */
#ifndef ISOWRITE_IO_TRACK_H
#define ISOWRITE_IO_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

struct mark {
	uint64_t pos; /* bytes on the target */
	struct hash *state; /* over all planned bytes before pos */
};

struct track {
	struct mark *marks; /* ascending */
	size_t n_marks, cap_marks;
	struct hash *running;
	uint64_t pos; /* end of what was fed last */
	uint64_t content_end; /* where content_digest is taken; UINT64_MAX: nowhere yet */
	struct digest content_digest;
};

/* Starts at pos with a copy of state (NULL: a new SHA-256) and marks that place. */
int track_init(struct track *t, uint64_t pos, const struct hash *state, struct error *err);
void track_done(struct track *t);

/* Planned bytes at off >= pos; what lies between is kept, not hashed. */
void track_feed(struct track *t, uint64_t off, const void *data, size_t len);

/* Keeps the state at pos (>= the last mark; the same place twice is one mark). */
int track_mark(struct track *t, uint64_t pos, struct error *err);

#endif
