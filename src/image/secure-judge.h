/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What speaks against a signed UEFI program; for secure-boot.c and its tests. */
#ifndef ISOWRITE_IMAGE_SECURE_JUDGE_H
#define ISOWRITE_IMAGE_SECURE_JUDGE_H

#include <stdbool.h>

#include "image/secure-boot.h"

/* Adds a clause, whose strings are escaped here as a whole; the 9th is dropped. */
void secure_add_reason(struct secure_file *file, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Completes file, which holds the signers, SBAT and what speaks against it so far: holds it
 * against the lists and sets the verdict. signatures belong to file->signers. is_first: firmware
 * loads it, not another loader; has_sbat_shim: the other loader is a shim that knows of SBAT.
 */
void secure_judge(struct secure_file *file, const struct signature *signatures, bool is_first,
		  bool has_sbat_shim, const struct revocations *r);

#endif
