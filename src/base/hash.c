// SPDX-License-Identifier: GPL-3.0-or-later
/* Digests by OpenSSL; see hash.h. */
#include "base/hash.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

struct hash {
	EVP_MD_CTX *ctx;
	const char *alg;
};

static const struct {
	const char *name;
	const char *evp; /* OpenSSL's fetch name */
	size_t len; /* bytes; 0 where the size does not identify it */
	const char *aliases[4]; /* lower-case, without '-', '_' and '/' */
} algs[] = {
	{ "sha256", "SHA2-256", 32, { "sha256", "sha2256" } },
	{ "sha512", "SHA2-512", 64, { "sha512", "sha2512" } },
	{ "sha384", "SHA2-384", 48, { "sha384", "sha2384" } },
	{ "sha224", "SHA2-224", 28, { "sha224", "sha2224" } },
	{ "sha512-256", "SHA2-512/256", 0, { "sha512256", "sha2512256" } },
	{ "sha1", "SHA1", 20, { "sha1", "sha" } },
	{ "md5", "MD5", 16, { "md5" } },
	{ "sha3-256", "SHA3-256", 0, { "sha3256" } },
	{ "sha3-384", "SHA3-384", 0, { "sha3384" } },
	{ "sha3-512", "SHA3-512", 0, { "sha3512" } },
	{ "blake2b", "BLAKE2B-512", 0, { "blake2b", "blake2b512", "b2" } },
	{ "blake2s", "BLAKE2S-256", 0, { "blake2s", "blake2s256" } },
};

const char *hash_alg_name(const char *spelling)
{
	char plain[32];
	size_t n = 0;

	for (const char *p = spelling; *p; p++) {
		if (*p == '-' || *p == '_' || *p == '/')
			continue;
		if (n == sizeof(plain) - 1)
			return NULL;
		plain[n++] = (char)tolower((unsigned char)*p);
	}
	plain[n] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
		for (size_t k = 0; k < ARRAY_SIZE(algs[i].aliases) && algs[i].aliases[k]; k++)
			if (!strcmp(plain, algs[i].aliases[k]))
				return algs[i].name;
	return NULL;
}

const char *hash_alg_by_size(size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
		if (len > 0 && algs[i].len == len)
			return algs[i].name;
	return NULL;
}

static const char *evp_name(const char *alg)
{
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
		if (!strcmp(alg, algs[i].name))
			return algs[i].evp;
	return alg;
}

int hash_new(const char *alg, struct hash **ret, struct error *err)
{
	struct hash *h = calloc(1, sizeof(*h));
	EVP_MD *md = NULL;

	if (!h)
		return error_set_nomem(err);
	h->alg = hash_alg_name(alg);
	if (h->alg)
		md = EVP_MD_fetch(NULL, evp_name(h->alg), NULL);
	h->ctx = EVP_MD_CTX_new();
	if (!md || !h->ctx || EVP_DigestInit_ex(h->ctx, md, NULL) != 1) {
		EVP_MD_free(md);
		hash_free(h);
		return error_set(err, ERROR_LACKING, "no-digest-algorithm",
				 _("OpenSSL does not offer the digest %s on this machine."), alg);
	}
	EVP_MD_free(md); /* the context holds its own reference */
	*ret = h;
	return 0;
}

void hash_free(struct hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void hash_update(struct hash *h, const void *data, size_t len)
{
	/* Cannot fail for an initialised software digest; a failure would be memory corruption. */
	if (EVP_DigestUpdate(h->ctx, data, len) != 1)
		abort();
}

struct hash *hash_copy(const struct hash *h)
{
	struct hash *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	copy->alg = h->alg;
	copy->ctx = EVP_MD_CTX_new();
	if (!copy->ctx || EVP_MD_CTX_copy_ex(copy->ctx, h->ctx) != 1) {
		hash_free(copy);
		return NULL;
	}
	return copy;
}

void hash_load(struct hash *h, const struct hash *from)
{
	if (EVP_MD_CTX_copy_ex(h->ctx, from->ctx) != 1)
		abort();
	h->alg = from->alg;
}

void hash_peek(const struct hash *h, struct digest *ret)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int len = 0;

	if (!ctx || EVP_MD_CTX_copy_ex(ctx, h->ctx) != 1 ||
	    EVP_DigestFinal_ex(ctx, ret->value, &len) != 1)
		abort();
	EVP_MD_CTX_free(ctx);
	ret->len = len;
	ret->alg = h->alg;
}

const char *digest_hex(const struct digest *d, char *buf)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < d->len; i++) {
		buf[2 * i] = hex[d->value[i] >> 4];
		buf[2 * i + 1] = hex[d->value[i] & 15];
	}
	buf[2 * d->len] = '\0';
	return buf;
}

bool digest_is_equal(const struct digest *a, const struct digest *b)
{
	return a->len > 0 && a->len == b->len && a->alg && b->alg && !strcmp(a->alg, b->alg) &&
	       !memcmp(a->value, b->value, a->len);
}

const char *hash_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
