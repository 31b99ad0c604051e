/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the target-*.c files share. */
#ifndef ISOWRITE_IO_TARGET_INTERNAL_H
#define ISOWRITE_IO_TARGET_INTERNAL_H

#include "io/target.h"

#define TARGET_BUSY_SECONDS 5 /* a dying writer's requests keep a device busy for a while */

extern const struct target_ops target_block_ops;
extern const struct target_ops target_file_ops;

/* Opens what t->path_fd stands for again, whatever its name means by now; -1 with errno. */
int target_reopen(const struct target *t, int flags);

/* The path, escaped; buf of TARGET_SAFE_PATH bytes. */
#define TARGET_SAFE_PATH 300
const char *target_safe_path(const struct target *t, char *buf);

/* ERROR_REFUSED "permission" with owner and group, as the failed open said errno sys. */
int target_error_permission(const struct target *t, int sys, struct error *err);

/* Of an open block device: takes O_DIRECT off t->fd if reads refuse it. */
void target_check_direct(struct target *t);

/* Sleeps 50 ms; false when TARGET_BUSY_SECONDS have passed since *waited_ms began at 0. */
bool target_wait_busy(unsigned int *waited_ms);

#endif
