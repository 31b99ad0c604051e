/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What Secure Boot thinks of an image: who signed its UEFI programs, which SBAT generations they
 * have, and whether lists of what is revoked speak against them. Only what speaks against is
 * said: which certificates a firmware trusts, the image does not tell.
 */
#ifndef ISOWRITE_IMAGE_SECURE_BOOT_H
#define ISOWRITE_IMAGE_SECURE_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/sbat.h"
#include "image/efi-files.h"
#include "image/layout.h"
#include "image/revocations.h"
#include "image/signature.h"
#include "image/source.h"

enum secure_verdict {
	SECURE_UNKNOWN, /* it could not be judged, and a reason says why */
	SECURE_UNSIGNED,
	SECURE_SIGNED, /* and nothing speaks against it */
	SECURE_MAY_BE_REFUSED, /* reasons say why */
};

enum secure_match {
	SECURE_NOT_COMPARED, /* the file is large; with full it is */
	SECURE_MATCHES,
	SECURE_DIFFERS,
};

#define SECURE_MAX_SIGNERS 4U
#define SECURE_MAX_SBAT 8U
#define SECURE_MAX_REASONS 8U
#define SECURE_REASON_SIZE 320

struct secure_signer {
	char subject[SIGNATURE_NAME_SIZE], issuer[SIGNATURE_NAME_SIZE]; /* not escaped */
	char chain[SIGNATURE_MAX_CHAIN][SIGNATURE_NAME_SIZE]; /* as in struct signature */
	size_t n_chain;
	enum secure_match match; /* is it this file that was signed? */
	bool is_known; /* by this machine's db */
};

struct secure_file {
	char path[64]; /* not escaped */
	struct efi_where where[EFI_MAX_WHERE]; /* copies that are the same count as one */
	size_t n_where;
	uint64_t size;
	enum secure_verdict verdict;
	struct secure_signer signers[SECURE_MAX_SIGNERS];
	size_t n_signers;
	struct sbat_entry sbat[SECURE_MAX_SBAT]; /* not escaped */
	size_t n_sbat;
	char reasons[SECURE_MAX_REASONS][SECURE_REASON_SIZE]; /* clauses, escaped */
	size_t n_reasons;
	struct digest digest; /* of the file as a signature covers it; len 0: not counted */
	struct digest head; /* of what was read in any case, to know copies by */
};

struct secure_boot {
	bool is_looked_at; /* not of a stream, which shows its beginning only */
	bool is_complete; /* no program was overlooked */
	struct secure_file *files;
	size_t n_files;
	/* What they were compared with. */
	bool has_dbx, has_db, has_sbat_level;
	char given_name[256]; /* the user's dbx, escaped; "" without */
};

/*
 * lay is what detect_layout() said of src; its bytes_read goes on. full: files of any size are
 * compared with their signatures, without a budget. efivars as for
 * revocations_read_machine(); dbx_path is the user's list, or NULL. What cannot be read of the
 * image is a verdict, not an error.
 */
int secure_boot_look(struct source *src, struct layout *lay, bool full, const char *efivars,
		     const char *dbx_path, struct secure_boot *ret, struct error *err);
void secure_boot_done(struct secure_boot *sb);

const char *secure_verdict_name(enum secure_verdict verdict); /* the words of the JSON interface */

#endif
