// SPDX-License-Identifier: GPL-3.0-or-later
/* Digests against published values (FIPS 180-4 examples, RFC 1321), and copied states. */
#include "base/hash.h"
#include "tap.h"

static const char *digest_of(const char *alg, const void *data, size_t len, char *hex)
{
	struct error err = ERROR_INIT;
	struct digest d;
	struct hash *h;

	if (hash_new(alg, &h, &err) < 0)
		return err.code;
	hash_update(h, data, len);
	hash_peek(h, &d);
	hash_free(h);
	return digest_hex(&d, hex);
}

static void test_known_digests(void)
{
	char hex[HASH_HEX_SIZE];

	CHECK_STR(digest_of("sha256", "abc", 3, hex),
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK_STR(digest_of("sha256", "", 0, hex),
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	CHECK_STR(digest_of("sha1", "abc", 3, hex), "a9993e364706816aba3e25717850c26c9cd0d89d");
	CHECK_STR(digest_of("md5", "abc", 3, hex), "900150983cd24fb0d6963f7d28e17f72");
	CHECK_STR(digest_of("sha224", "abc", 3, hex),
		  "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
	CHECK_STR(digest_of("sha512", "abc", 3, hex),
		  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	CHECK_STR(digest_of("sha512-256", "abc", 3, hex),
		  "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23");
}

static void test_every_algorithm_works(void)
{
	static const char *const names[] = { "sha256",   "sha512",     "sha384",   "sha224",
					     "sha1",     "md5",        "sha3-256", "sha3-384",
					     "sha3-512", "sha512-256", "blake2b",  "blake2s" };
	char hex[HASH_HEX_SIZE];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK(hash_alg_name(names[i]) != NULL);
		CHECK_STR(hash_alg_name(names[i]) ? hash_alg_name(names[i]) : "", names[i]);
		CHECK(strlen(digest_of(names[i], "abc", 3, hex)) % 8 == 0);
	}
}

static void test_parsed_digests(void)
{
	struct digest d;
	char hex[HASH_HEX_SIZE];

	CHECK(digest_parse("md5", "900150983CD24fb0d6963f7d28e17f72", 32, &d) == 0);
	CHECK_STR(digest_hex(&d, hex), "900150983cd24fb0d6963f7d28e17f72");
	CHECK(digest_parse(NULL, "900150983cd24fb0d6963f7d28e17f72", 32, &d) == 0);
	CHECK_STR(d.alg, "md5");
	CHECK(digest_parse("md5", "kAFQmDzST7DWlj99KOF/cg==", 24, &d) == 0);
	CHECK_STR(digest_hex(&d, hex), "900150983cd24fb0d6963f7d28e17f72");
	CHECK(digest_parse("md5", "kAFQmDzST7DWlj99KOF_cg", 22, &d) == 0);
	/* Bits that belong to nothing, padding too much or too little, no algorithm. */
	CHECK(digest_parse("md5", "kAFQmDzST7DWlj99KOF/ch==", 24, &d) == -1);
	CHECK(digest_parse("md5", "kAFQmDzST7DWlj99KOF/cg=", 23, &d) == -1);
	CHECK(digest_parse("md5", "kAFQmDzST7DWlj99KOF/cg===", 25, &d) == -1);
	CHECK(digest_parse(NULL, "kAFQmDzST7DWlj99KOF/cg==", 24, &d) == -1);
	CHECK(digest_parse("sha1", "900150983cd24fb0d6963f7d28e17f72", 32, &d) == -1);
	CHECK(digest_parse("md5", "900150983cd24fb0d6963f7d28e17f7", 31, &d) == -1);
	CHECK(digest_parse("md5", "900150983cd24fb0d6963f7d28e17f7g", 32, &d) == -1);
	CHECK(digest_parse("md5", "", 0, &d) == -1);
	CHECK(digest_parse(NULL, "", 0, &d) == -1);
}

static void test_strength(void)
{
	CHECK(hash_alg_strength("sha512") > hash_alg_strength("sha256"));
	CHECK(hash_alg_strength("sha224") > hash_alg_strength("sha1"));
	CHECK(hash_alg_strength("sha1") > hash_alg_strength("md5"));
	CHECK(hash_alg_strength("md5") > hash_alg_strength("none"));
	CHECK(hash_alg_is_broken("md5") && hash_alg_is_broken("sha1"));
	CHECK(!hash_alg_is_broken("sha224") && !hash_alg_is_broken("blake2s"));
	CHECK_STR(hash_alg_title("sha512-256"), "SHA-512/256");
	CHECK_U64(hash_alg_size("sha3-384"), 48);
}

static void test_names(void)
{
	CHECK_STR(hash_alg_name("SHA-256"), "sha256");
	CHECK_STR(hash_alg_name("SHA2-256"), "sha256");
	CHECK_STR(hash_alg_name("Sha256"), "sha256");
	CHECK_STR(hash_alg_name("SHA512/256"), "sha512-256");
	CHECK_STR(hash_alg_name("BLAKE2b-512"), "blake2b");
	CHECK(hash_alg_name("sha257") == NULL);
	CHECK(hash_alg_name("") == NULL);
	CHECK(hash_alg_name("a-name-that-is-much-longer-than-any-algorithm-has") == NULL);
	CHECK_STR(hash_alg_by_size(32), "sha256");
	CHECK_STR(hash_alg_by_size(64), "sha512");
	CHECK_STR(hash_alg_by_size(20), "sha1");
	CHECK_STR(hash_alg_by_size(16), "md5");
	CHECK(hash_alg_by_size(0) == NULL);
	CHECK(hash_alg_by_size(33) == NULL);
}

static void test_unknown_algorithm(void)
{
	struct error err = ERROR_INIT;
	struct hash *h = NULL;

	CHECK(hash_new("rot13", &h, &err) == -1);
	CHECK(h == NULL);
	CHECK(err.kind == ERROR_LACKING);
	CHECK_STR(err.code, "no-digest-algorithm");
}

/* A peek does not disturb, a copy goes its own way, a loaded state replaces the old one. */
static void test_states(void)
{
	struct error err = ERROR_INIT;
	struct hash *h, *copy;
	struct digest early, late, copied, loaded;
	char hex[HASH_HEX_SIZE];

	CHECK(hash_new("sha256", &h, &err) == 0);
	hash_update(h, "a", 1);
	copy = hash_copy(h);
	CHECK(copy != NULL);
	hash_peek(h, &early);
	hash_update(h, "bc", 2);
	hash_peek(h, &late);
	CHECK_STR(digest_hex(&late, hex),
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash_peek(copy, &copied);
	CHECK(digest_is_equal(&early, &copied));
	CHECK(!digest_is_equal(&early, &late));
	hash_load(h, copy);
	hash_update(h, "bc", 2);
	hash_peek(h, &loaded);
	CHECK(digest_is_equal(&late, &loaded));
	hash_peek(copy, &copied);
	CHECK(digest_is_equal(&early, &copied));
	hash_free(copy);
	hash_free(h);
	hash_free(NULL);
}

static void test_digest_values(void)
{
	struct digest none = { 0 }, a = { .alg = "md5", .len = 2, .value = { 0x0f, 0xa0 } };
	struct digest b = a;
	char hex[HASH_HEX_SIZE];

	CHECK_STR(digest_hex(&none, hex), "");
	CHECK_STR(digest_hex(&a, hex), "0fa0");
	CHECK(digest_is_equal(&a, &b));
	CHECK(!digest_is_equal(&none, &none)); /* "no digest" never proves anything */
	b.alg = "sha1";
	CHECK(!digest_is_equal(&a, &b));
	b = a;
	b.value[1] ^= 1;
	CHECK(!digest_is_equal(&a, &b));
	b = a;
	b.len = 1;
	CHECK(!digest_is_equal(&a, &b));
}

int main(void)
{
	RUN(test_known_digests);
	RUN(test_every_algorithm_works);
	RUN(test_parsed_digests);
	RUN(test_strength);
	RUN(test_names);
	RUN(test_unknown_algorithm);
	RUN(test_states);
	RUN(test_digest_values);
	return tap_done();
}
