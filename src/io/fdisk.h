/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libfdisk's door: a second opinion on tables that we composed. Writes nothing. */
#ifndef ISOWRITE_IO_FDISK_H
#define ISOWRITE_IO_FDISK_H

#include <stdint.h>

#include "base/error.h"
#include "plan/plan.h"

struct source;

/*
 * Lays the first and last MiB of a plan that changes tables into a sparse
 * memfd of the target's size and has libfdisk and libblkid read them. An
 * unexplained disagreement with what the plan's own tables say is
 * ERROR_INTERNAL "second-opinion", before anything is written. Plans that take
 * every byte from the source are not judged (the image is what it is).
 */
int fdisk_check_plan(const struct plan *plan, struct source *const *sources, struct error *err);

#endif
