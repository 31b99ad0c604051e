/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What Secure Boot forbids and allows: this machine's lists, as its firmware and shim keep them
 * (dbx, SbatLevel, db), and a list that the user names. A machine that was not booted by UEFI
 * has none.
 */
#ifndef ISOWRITE_IMAGE_REVOCATIONS_H
#define ISOWRITE_IMAGE_REVOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define REVOCATIONS_EFIVARS "/sys/firmware/efi/efivars"

struct revocations_list {
	uint8_t *data; /* NULL: not there, or may not be read */
	size_t len;
	bool is_damaged; /* not all of it could be understood */
};

struct revocations {
	struct revocations_list dbx, db; /* signature lists, see disk/siglist.h */
	struct revocations_list sbat_level; /* lines, see disk/sbat.h */
	struct revocations_list given; /* the user's dbx */
	char given_name[256]; /* escaped */
};

/*
 * efivars: REVOCATIONS_EFIVARS, or another folder for tests. dbx_path: what the user names, or
 * NULL. ERROR_USAGE: that does not exist or holds no signature list.
 */
int revocations_read(const char *efivars, const char *dbx_path, struct revocations *ret,
		     struct error *err);
void revocations_done(struct revocations *r);

#endif
