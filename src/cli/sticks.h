/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sticks that may be written, as first contact, errors, suggestions and
 * completions name them. Nothing here ever picks one.
 */
#ifndef ISOWRITE_CLI_STICKS_H
#define ISOWRITE_CLI_STICKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "io/device.h"

/* Sticks come first in the list; n_others disks are no sticks. Virtual devices are neither. */
struct sticks {
	struct device_info *list;
	size_t n, n_others;
};

/* What cannot be listed is not there: isowrite devices says why. */
void sticks_read(struct sticks *ret);
void sticks_done(struct sticks *s);

/* The same of a list that somebody else made and frees: it is put in that order. */
struct sticks sticks_of(struct device_info *list, size_t n);

/* Leaves one out. */
void sticks_drop(struct sticks *s, dev_t rdev);

/* It may be written, or the question can lift what refuses it. */
bool sticks_is_one(const struct device_info *info);

/*
 * "SanDisk Ultra, 32 GB" of stick i, with any separator; two that would be called the same are
 * told apart by their ports. Escaped.
 */
const char *sticks_words(const struct sticks *s, size_t i, const char *between, char *buf,
			 size_t size);

/* The members of a disk of any kind, into the object that the caller began. */
void sticks_to_json(struct json *j, const struct device_info *info);

/*
 * Which stick may be meant by the path of a device that does not exist? Returns its index and the
 * name that is near (its node, or its by-id link), or s->n if none is near, or several are.
 */
size_t sticks_nearest(const struct sticks *s, const char *path, const char **ret_name);

#endif
