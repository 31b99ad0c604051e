/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SBAT, Secure Boot Advanced Targeting (SBAT.md of shim): lines of comma-separated values. In a
 * program's section .sbat they say which generation of which component it is; in the variable
 * SbatLevel, which generation of a component is the first that is still allowed.
 */
#ifndef ISOWRITE_DISK_SBAT_H
#define ISOWRITE_DISK_SBAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sbat_entry {
	char component[64]; /* "shim", "grub.debian"; not escaped, cut if longer */
	uint32_t generation;
	char vendor[64]; /* "Debian"; "" in a level */
	char version[64]; /* "16.1" */
};

/*
 * The next line with a component and a generation; others are left out. *pos is 0 at first.
 * False at the text's end, which a NUL is as well.
 */
bool sbat_next(const char *text, size_t len, size_t *pos, struct sbat_entry *ret);

#endif
