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

/* The strongest first. */
static const struct alg {
	const char *name;
	const char *title;
	const char *evp; /* OpenSSL's fetch name */
	size_t size; /* bytes */
	bool is_by_size; /* what a digest of that size is taken for */
	bool is_broken;
	const char *aliases[3]; /* lower-case, without '-', '_' and '/' */
} algs[] = {
	{ "sha3-512", "SHA3-512", "SHA3-512", 64, false, false, { "sha3512" } },
	{ "sha512", "SHA-512", "SHA2-512", 64, true, false, { "sha512", "sha2512" } },
	{ "blake2b",
	  "BLAKE2b",
	  "BLAKE2B-512",
	  64,
	  false,
	  false,
	  { "blake2b", "blake2b512", "b2" } },
	{ "sha3-384", "SHA3-384", "SHA3-384", 48, false, false, { "sha3384" } },
	{ "sha384", "SHA-384", "SHA2-384", 48, true, false, { "sha384", "sha2384" } },
	{ "sha3-256", "SHA3-256", "SHA3-256", 32, false, false, { "sha3256" } },
	{ "sha512-256",
	  "SHA-512/256",
	  "SHA2-512/256",
	  32,
	  false,
	  false,
	  { "sha512256", "sha2512256" } },
	{ "sha256", "SHA-256", "SHA2-256", 32, true, false, { "sha256", "sha2256" } },
	{ "blake2s", "BLAKE2s", "BLAKE2S-256", 32, false, false, { "blake2s", "blake2s256" } },
	{ "sha224", "SHA-224", "SHA2-224", 28, true, false, { "sha224", "sha2224" } },
	{ "sha1", "SHA-1", "SHA1", 20, true, true, { "sha1", "sha" } },
	{ "md5", "MD5", "MD5", 16, true, true, { "md5" } },
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

static const struct alg *find(const char *alg)
{
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
		if (!strcmp(alg, algs[i].name))
			return &algs[i];
	return NULL;
}

const char *hash_alg_by_size(size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
		if (algs[i].is_by_size && algs[i].size == len)
			return algs[i].name;
	return NULL;
}

size_t hash_alg_size(const char *alg)
{
	const struct alg *a = find(alg);

	return a ? a->size : 0;
}

const char *hash_alg_title(const char *alg)
{
	const struct alg *a = find(alg);

	return a ? a->title : alg;
}

unsigned int hash_alg_strength(const char *alg)
{
	const struct alg *a = find(alg);

	return a ? (unsigned int)(algs + ARRAY_SIZE(algs) - a) : 0;
}

bool hash_alg_is_broken(const char *alg)
{
	const struct alg *a = find(alg);

	return !a || a->is_broken;
}

int hash_new(const char *alg, struct hash **ret, struct error *err)
{
	struct hash *h = calloc(1, sizeof(*h));
	const struct alg *a;
	EVP_MD *md = NULL;

	if (!h)
		return error_set_nomem(err);
	h->alg = hash_alg_name(alg);
	a = h->alg ? find(h->alg) : NULL;
	if (a)
		md = EVP_MD_fetch(NULL, a->evp, NULL);
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

/* RFC 4648, both alphabets. */
static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Exactly size bytes; the bits that are left over must be zero. */
static int parse_base64(const char *text, size_t len, uint8_t *ret, size_t size)
{
	size_t n_chars = (size * 4 + 2) / 3, n = 0;
	uint32_t bits = 0;
	unsigned int n_bits = 0;

	if (len > n_chars && len == (size + 2) / 3 * 4)
		for (; len > n_chars && text[len - 1] == '='; len--)
			;
	if (len != n_chars)
		return -1;
	for (size_t i = 0; i < len; i++) {
		int v = base64_value(text[i]);

		if (v < 0)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			ret[n++] = (uint8_t)(bits >> n_bits);
			bits &= (1u << n_bits) - 1;
		}
	}
	return bits == 0 ? 0 : -1;
}

int digest_parse(const char *alg, const char *text, size_t len, struct digest *ret)
{
	struct digest d = { .alg = alg };

	if (!alg && len % 2 == 0)
		d.alg = hash_alg_by_size(len / 2);
	if (!d.alg)
		return -1;
	d.len = hash_alg_size(d.alg);
	if (d.len == 0)
		return -1;
	if ((len != 2 * d.len || num_parse_hex(text, d.len, d.value) < 0) &&
	    (!alg || parse_base64(text, len, d.value, d.len) < 0))
		return -1;
	*ret = d;
	return 0;
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
