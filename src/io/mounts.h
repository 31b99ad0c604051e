/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is mounted, and what is swapped to, as /proc tells it. */
#ifndef ISOWRITE_IO_MOUNTS_H
#define ISOWRITE_IO_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One line of mountinfo, proc(5); names are unescaped, so they may hold any byte. */
struct mount {
	int id;
	dev_t dev; /* st_dev of its files; anonymous (major 0) for btrfs, overlay ... */
	const char *root, *point, *type, *source, *options;
};

struct mounts {
	char *text;
	struct mount *list;
	size_t n;
};

struct swap {
	const char *path;
	bool is_partition;
};

struct swaps {
	char *text;
	struct swap *list;
	size_t n;
};

/* pid: "self" or "1". 0, or -1 with errno. */
int mounts_read(const char *pid, struct mounts *ret);
void mounts_done(struct mounts *m);

/* The mount that a path lies on by its name, or NULL; the last one shadows earlier ones. */
const struct mount *mounts_find_path(const struct mounts *m, const char *path);
const struct mount *mounts_find_id(const struct mounts *m, int id);
const struct mount *mounts_find_dev(const struct mounts *m, dev_t dev);

/* A machine without swap support has no swaps: that is no error. */
int swaps_read(struct swaps *ret);
void swaps_done(struct swaps *s);

#endif
