/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds and reads the lists of digests of an image: those beside it, by their
 * names, or the one that is named. What is in them: image/sums.h.
 */
#ifndef ISOWRITE_IMAGE_SUMS_READ_H
#define ISOWRITE_IMAGE_SUMS_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "image/sums.h"

#define SUMS_MAX_LISTS 256 /* more are not looked at */

struct sums_list {
	char name[256]; /* for messages and reports: its file name, or its path as given; escaped */
	bool is_given;  /* by the user, not found */
	bool is_own; /* by its name, of this image alone */
	struct sums sums;
	struct sums_choice choice;
	struct error error;  /* ERROR_NONE, or why it was not read */
};

struct sums_lists {
	struct sums_list *list; /* SUMS_MAX_LISTS of them, or NULL */
	size_t n;
	bool has_more; /* than were looked at */
};

/*
 * Lists in the folder of the image, and, where path is a link, in that of the
 * file it leads to. Lists of the image itself come first, the rest by name. One
 * that cannot be read is in it with its error. Fails for want of memory only.
 */
int sums_read_beside(const char *path, struct sums_lists *ret, struct error *err);

/*
 * The list that the user names; image: NULL where its name is not known.
 * ERROR_USAGE: it does not exist; ERROR_TRUST: it is no list.
 */
int sums_read_given(const char *list, const char *image, struct sums_lists *ret, struct error *err);

void sums_lists_done(struct sums_lists *lists); /* of zeroed ones: nothing */

#endif
