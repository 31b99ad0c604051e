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
 * Both fill their part of a zeroed *r, also before they fail; the caller frees by
 * revocations_done(). efivars: REVOCATIONS_EFIVARS, or another folder for tests. A list that
 * the user names: ERROR_USAGE if it does not exist or is none.
 */
void revocations_read_machine(const char *efivars, struct revocations *r);
int revocations_read_given(const char *path, struct revocations *r, struct error *err);
void revocations_done(struct revocations *r);

#endif
