// SPDX-License-Identifier: GPL-3.0-or-later
/* image/signature, by the signed programs of the fuzzing corpus. Runs in the top folder. */
#include "image/signature.h"

#include <stdio.h>
#include <stdlib.h>

#include "disk/pe.h"
#include "tap.h"

#define DIR "tests/fuzz/corpus/pe/"

static uint8_t file[8192];
static size_t size;
static struct pe pe;

static void read_file(const char *path)
{
	FILE *f = fopen(path, "rb");

	CHECK(f != NULL);
	size = f ? fread(file, 1, sizeof(file), f) : 0;
	if (f)
		fclose(f);
	memset(&pe, 0, sizeof(pe));
	CHECK(!pe_decode(file, size, size, &pe));
}

/* The nth signature of the file, from 0. */
static struct pe_signature find(unsigned int n)
{
	struct pe_signature raw = { .len = 0 };
	bool is_damaged;
	size_t pos = 0;

	for (unsigned int i = 0; i <= n; i++)
		CHECK(pe_next_signature(file + pe.signatures_offset, pe.signatures_size, &pos, &raw,
					&is_damaged));
	return raw;
}

static void check_digest(const struct signature *s)
{
	struct pe_range ranges[PE_MAX_RANGES];
	size_t n = pe_hash_ranges(&pe, size, ranges);
	struct error err = ERROR_INIT;
	struct digest digest;
	struct hash *h;

	CHECK(hash_new("sha256", &h, &err) == 0);
	for (size_t i = 0; i < n; i++)
		hash_update(h, file + ranges[i].start, ranges[i].len);
	hash_peek(h, &digest);
	CHECK(digest_is_equal(&digest, &s->digest));
	hash_free(h);
}

static void test_signer(void)
{
	struct pe_signature raw;
	struct signature s;

	read_file(DIR "signed");
	raw = find(0);
	CHECK(!signature_decode(raw.data, raw.len, &s));
	CHECK_STR(s.subject, "Loader signer one");
	CHECK_STR(s.issuer, "Loader signer one");
	CHECK(s.is_whole && s.n_chain == 0);
	check_digest(&s);
	signature_done(&s);
}

static void test_two(void)
{
	static const char *const names[] = { "Loader signer one", "Loader signer two" };

	read_file(DIR "signed-twice");
	for (unsigned int i = 0; i < 2; i++) {
		struct pe_signature raw = find(i);
		struct signature s;

		CHECK(!signature_decode(raw.data, raw.len, &s));
		CHECK_STR(s.subject, names[i]);
		CHECK(s.is_whole);
		check_digest(&s);
		signature_done(&s);
	}
}

/* Whatever byte is changed: it cannot be decoded, is not whole, or says the same. */
static void test_any_damage_shows(void)
{
	struct digest digest;
	struct pe_signature raw;
	unsigned int n_whole = 0, n_other = 0;
	struct signature s;

	read_file(DIR "signed");
	raw = find(0);
	CHECK(!signature_decode(raw.data, raw.len, &s));
	digest = s.digest;
	signature_done(&s);
	for (size_t i = 0; i < raw.len; i++) {
		uint8_t *p = file + (raw.data - file) + i;

		*p ^= 0x41;
		if (!signature_decode(raw.data, raw.len, &s)) {
			n_whole += s.is_whole;
			n_other += s.is_whole && !digest_is_equal(&s.digest, &digest);
			signature_done(&s);
		}
		*p ^= 0x41;
	}
	/* Some bytes nobody signed: versions of containers; and here the subject, as no other
	 * certificate vouches for the name. */
	CHECK(n_other == 0);
	CHECK(n_whole < raw.len / 20);
}

static void test_cut_short(void)
{
	struct pe_signature raw;
	struct signature s;

	read_file(DIR "signed");
	raw = find(0);
	/* sbsign pads with zeros, which belong to nothing. */
	for (size_t len = 0; len + 8 < raw.len; len++) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, raw.data, len);
		CHECK(signature_decode(copy, len, &s));
		free(copy);
	}
}

static void test_certificate_that_is_none(void)
{
	static const uint8_t rubbish[] = { 0x30, 0x82, 0xff, 0xff, 1, 2, 3 };
	struct pe_signature raw;
	struct signature s;

	read_file(DIR "signed");
	raw = find(0);
	CHECK(!signature_decode(raw.data, raw.len, &s));
	CHECK(!signature_is_by(&s, rubbish, sizeof(rubbish)));
	CHECK(!signature_is_by(&s, rubbish, 0));
	signature_done(&s);
}

int main(void)
{
	RUN(test_signer);
	RUN(test_two);
	RUN(test_any_damage_shows);
	RUN(test_cut_short);
	RUN(test_certificate_that_is_none);
	return tap_done();
}
