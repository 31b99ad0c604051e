/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One signature of a UEFI program: PKCS#7 as Authenticode 1.0 profiles it. Who signed, what
 * digest of the program, and is the signature itself whole. Whom to trust is not judged here:
 * names in certificates are what somebody wrote into them, until one is known (signature_is_by).
 *
 * A door to OpenSSL.
 */
#ifndef ISOWRITE_IMAGE_SIGNATURE_H
#define ISOWRITE_IMAGE_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

#define SIGNATURE_NAME_SIZE 128
#define SIGNATURE_MAX_CHAIN 8U

struct signature_pkcs7; /* OpenSSL's part */

struct signature {
	char subject[SIGNATURE_NAME_SIZE]; /* common names, not escaped; "" if there is none */
	char issuer[SIGNATURE_NAME_SIZE];
	/*
	 * From the signer's issuer up, as far as the signature brings certificates that signed
	 * each other.
	 */
	char chain[SIGNATURE_MAX_CHAIN][SIGNATURE_NAME_SIZE];
	size_t n_chain;
	struct digest digest; /* of the program, as it was signed */
	bool is_whole; /* the signer's key signed it, as issuers that are there did the signer's */
	struct signature_pkcs7 *pkcs7;
};

/* NULL, or what is wrong, a clause. With NULL the caller frees by signature_done. */
const char *signature_decode(const uint8_t *der, size_t len, struct signature *ret);
void signature_done(struct signature *s);

/* Is the certificate (DER) one of those that lead from the signer up, or the issuer of the last? */
bool signature_is_by(const struct signature *s, const uint8_t *der, size_t len);

/* Has one of them that digest, of its signed part (TBSCertificate)? */
bool signature_has_tbs_digest(const struct signature *s, const struct digest *digest);

#endif
