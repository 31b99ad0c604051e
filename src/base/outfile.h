/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that a command makes where the user asked for it, beside its result
 * (a receipt, a picture): never replaces one without being told to, is never
 * made below /dev, and is complete or not there at all.
 *
 * what is a noun for the messages: "receipt".
 */
#ifndef ISOWRITE_BASE_OUTFILE_H
#define ISOWRITE_BASE_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Before anything is done: can it be written there later? Nothing is created. ERROR_USAGE. */
int outfile_check(const char *what, const char *path, bool overwrite, struct error *err);

/* Temporary file, fsync, rename. ERROR_INTERNAL when that fails. */
int outfile_write(const char *what, const char *path, bool overwrite, const void *data, size_t len,
		  struct error *err);

#endif
