/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digests, by OpenSSL's EVP (the only file that includes it). A running hash
 * can be copied, which is how the engine keeps a state per chunk.
 */
#ifndef ISOWRITE_BASE_HASH_H
#define ISOWRITE_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define HASH_MAX_SIZE 64 /* bytes of the largest digest */
#define HASH_HEX_SIZE (2 * HASH_MAX_SIZE + 1)
#define HASH_SHA256_SIZE 32

struct hash; /* a running digest */

/* A finished digest. */
struct digest {
	const char *alg; /* canonical lower-case name: "sha256", "sha512", "md5" ... */
	size_t len; /* bytes; 0 = none */
	uint8_t value[HASH_MAX_SIZE];
};

/*
 * The canonical name of an algorithm in any usual spelling ("SHA-256",
 * "sha256", "SHA2-256", "BLAKE2b-512"), or NULL if unknown. Static storage.
 */
const char *hash_alg_name(const char *spelling);

/* The algorithm (SHA-2 family, or sha1, md5) whose digest has this many bytes, or NULL. */
const char *hash_alg_by_size(size_t len);

/* Of a canonical name: bytes of its digest; the name for people, "SHA-256". */
size_t hash_alg_size(const char *alg);
const char *hash_alg_title(const char *alg);

/* Higher is stronger: two canonical names are compared by it. */
unsigned int hash_alg_strength(const char *alg);

/* Equal digests can be made on purpose (MD5, SHA-1): it tells accidents, not forgery. */
bool hash_alg_is_broken(const char *alg);

/* alg is a canonical name. ERROR_LACKING when OpenSSL refuses it (FIPS mode). */
int hash_new(const char *alg, struct hash **ret, struct error *err);
void hash_free(struct hash *h); /* NULL ok */

void hash_update(struct hash *h, const void *data, size_t len);

/* A copy in the same state; NULL when out of memory. */
struct hash *hash_copy(const struct hash *h);

/* Loads from's state into h (both of the same algorithm). */
void hash_load(struct hash *h, const struct hash *from);

/* The digest of what was fed so far; h goes on unharmed. */
void hash_peek(const struct hash *h, struct digest *ret);

/* Lower-case hex; buf holds HASH_HEX_SIZE bytes. Returns buf; "" for none. */
const char *digest_hex(const struct digest *d, char *buf);

/*
 * Reads a digest: hexadecimal in either case, or base64 (also URL-safe, also
 * without padding) where alg is given. alg NULL: hexadecimal, told by its
 * length. -1 if it is none, or none of that algorithm's length.
 */
int digest_parse(const char *alg, const char *text, size_t len, struct digest *ret);

bool digest_is_equal(const struct digest *a, const struct digest *b);

/* The library behind it and its version, as it runs: "OpenSSL 3.0.17 1 Jul 2025". */
const char *hash_library(void);

#endif
