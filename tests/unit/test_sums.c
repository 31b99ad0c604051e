// SPDX-License-Identifier: GPL-3.0-or-later
/* Lists of digests: lines to entries, and which of them are an image's; see e2e/sums.cases. */
#include <stdlib.h>

#include "image/sums.h"
#include "tap.h"

#define A256 "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7"
#define B256 "0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f"
#define A128 "60b725f10c9c85c70d97880dfe8191b3"
#define A512 A256 B256

static struct sums s;

static void parse_len(const char *text, size_t len, const char *hint)
{
	struct error err = ERROR_INIT;

	sums_done(&s);
	CHECK(sums_parse(text, len, hint, &s, &err) == 0);
}

static void parse(const char *text, const char *hint)
{
	parse_len(text, strlen(text), hint);
}

/* "sha256 name|md5 -|damaged name": what was understood. */
static const char *entries(void)
{
	static char out[1024];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s.n_entries; i++) {
		const struct sums_entry *e = &s.entries[i];

		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%s %.*s", i ? "|" : "",
					e->digest.len ? e->digest.alg : "damaged",
					e->name ? (int)e->name_len : 1, e->name ? e->name : "-");
	}
	return out;
}

static void test_gnu(void)
{
	char hex[HASH_HEX_SIZE];

	parse(A256 "  a.iso\n" B256 " *b.iso\n" A128 " c.iso\n" A512 "\td.iso", NULL);
	CHECK_STR(entries(), "sha256 a.iso|sha256 b.iso|md5 c.iso|sha512 d.iso");
	CHECK_STR(digest_hex(&s.entries[1].digest, hex), B256);
	CHECK_U64(s.entries[3].line, 4);
	parse("\\" A256 "  a\\\\b\\nc\\r\n\\" A256 "  a\\b\n\\" A256 "  a\\", NULL);
	CHECK_STR(entries(), "sha256 a\\b\nc\r");
	parse(A256 "  *a\n" A256 "   a b \n", NULL);
	CHECK_STR(entries(), "sha256 *a|sha256  a b ");
}

static void test_bsd(void)
{
	parse("SHA256 (a (1) = b.iso) = " A256 "\nMD5(a)= " A128 "\nSHA512/256 (a) = " A256, NULL);
	CHECK_STR(entries(), "sha256 a (1) = b.iso|md5 a|sha512-256 a");
	parse("SHA256 (a) = h0KPxSKAPTEGXnvOPPA/5HUJZjHl4Hu9eg/eYMTPJcc=\n", NULL);
	CHECK_STR(entries(), "sha256 a");
	parse("SHA256 (a) = " A128 "\nSIZE (a) = 17\nSHA256 (a\nSHA256 a) = x\n()=\n(=)=", NULL);
	CHECK_STR(entries(), "damaged a");
}

static void test_bare_and_comments(void)
{
	parse("# " A256 "  a\n; x\n\n  \n" A256 "\r\n", NULL);
	CHECK_STR(entries(), "sha256 -");
	CHECK(!s.has_names);
	parse("# SHA512 HASH\n" A512 "  a\n# BLAKE2B HASH\n" A512 "  a\nSHA256SUMS:\n" A256 "  a\n",
	      NULL);
	CHECK_STR(entries(), "sha512 a|blake2b a|sha256 a");
	/* A heading that does not fit is about something else. */
	parse("# SHA512 HASH\n" A128 "  a\n# SHA512 of a\n", NULL);
	CHECK_STR(entries(), "md5 a");
}

static void test_hints(void)
{
	parse(A512 "  a\n" A256 "  b\nfeed  c\n", "blake2b");
	CHECK_STR(entries(), "blake2b a|damaged b");
	parse(A512 "  a\n" A256 "  b\n", "sha3");
	CHECK_STR(entries(), "sha3-512 a|sha3-256 b");
	parse(A128 "0  a\n0123456789  b\nproduct  c\n", NULL);
	CHECK_STR(entries(), "damaged a");
}

static void test_clearsigned(void)
{
#define HEAD "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
#define TAIL "-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"
	parse(A256 "  x\n" HEAD A256 "  a\n- " A256 "  b\n" TAIL A256 "  y\n" HEAD A256
		   "  z\n" TAIL,
	      NULL);
	CHECK_STR(entries(), "sha256 a|sha256 b");
	CHECK(s.is_clearsigned && !s.is_cut);
	CHECK_U64(s.entries[0].line, 5);
	parse(HEAD A256 "  a\n", NULL);
	CHECK(s.is_cut && s.n_entries == 0);
	parse("-----BEGIN PGP SIGNED MESSAGE-----", NULL);
	CHECK(s.is_cut && s.n_entries == 0);
	/* Not at the start of a line it is no armor. */
	parse(" " HEAD A256 "  a\n", NULL);
	CHECK(!s.is_clearsigned && s.n_entries == 1);
}

static void test_bytes(void)
{
	static const char nul[] = A256 "  a\0b\n" A256 "  c\n";

	parse_len(nul, sizeof(nul) - 1, NULL);
	CHECK_STR(entries(), "sha256 c");
	parse("\xef\xbb\xbf" A256 "  a\r\r\n", NULL);
	CHECK_STR(entries(), "sha256 a");
	parse("", NULL);
	CHECK(s.n_entries == 0);
	parse_len("\xff\xfe", 2, NULL);
	CHECK(s.n_entries == 0);
	parse_len("\xff\xfe"
		  "a",
		  3, NULL);
	CHECK(s.n_entries == 0);
}

static enum sums_state choose(const char *path, bool is_own)
{
	struct sums_choice c;

	sums_choose(&s, path, is_own, is_own, &c);
	return c.state;
}

static void test_choice(void)
{
	struct sums_choice c;

	parse(A256 "  a/x.iso\n" B256 "  b/x.iso\n" A256 "  y.iso\n" B256 "  z.iso\n" A256
		   "  z.iso",
	      NULL);
	sums_choose(&s, "a/x.iso", false, false, &c);
	CHECK(c.state == SUMS_NAMED && c.rank == SUMS_RANK_PATH);
	CHECK(sums_find_chosen(&s, &c, &s.entries[0].digest) == &s.entries[0]);
	CHECK(sums_find_chosen(&s, &c, &s.entries[1].digest) == NULL);
	sums_choose(&s, "x.iso", false, false, &c);
	CHECK(c.state == SUMS_NAMED && c.rank == SUMS_RANK_LAST);
	CHECK(sums_find_chosen(&s, &c, &s.entries[1].digest) == &s.entries[1]);
	sums_choose(&s, "z.iso", false, false, &c);
	CHECK(c.state == SUMS_CONFLICT && c.line == 5);
	CHECK(choose("X.iso", false) == SUMS_ABSENT);
	CHECK(choose("iso", false) == SUMS_ABSENT);
	CHECK(choose("", false) == SUMS_ABSENT);

	parse(A128 "  a\n" A256 "  a\nSHA512 (a) = " A256 "\n", NULL);
	CHECK(choose("a", false) == SUMS_DAMAGED);
	parse(A256 "  a\n"
		   "MD5 (a) = " A256 "\n",
	      NULL);
	sums_choose(&s, "a", false, false, &c);
	CHECK(c.state == SUMS_NAMED);
	CHECK_STR(c.alg, "sha256");
	CHECK_STR(sums_strongest(&s), "sha256");

	parse(A256 "\n", NULL);
	CHECK(choose("a", true) == SUMS_NAMED && choose("a", false) == SUMS_ABSENT);
	parse(A256 "\n" A256 "  b\n", NULL);
	CHECK(choose("a", true) == SUMS_ABSENT);
	/* The only file of a list of one's own, under whatever name. */
	parse(A256 "  b\n" A128 "  b\n", NULL);
	CHECK(choose("a", true) == SUMS_NAMED && choose("a", false) == SUMS_ABSENT);
	parse(A256 "  b\n" A256 "  c\n", NULL);
	CHECK(choose("a", true) == SUMS_ABSENT);
}

static void is_list(const char *name, const char *image, enum sums_kind kind, const char *hint)
{
	const char *got;

	if (sums_classify(name, image, &got) != kind) {
		tap_test_failed = 1;
		printf("# %s beside %s is not %d\n", name, image, (int)kind);
	}
	CHECK_STR(got ? got : "", hint);
}

static void test_names_of_lists(void)
{
	is_list("SHA256SUMS", "a.iso", SUMS_LIST, "sha256");
	is_list("SHA512SUMS.txt", "a.iso", SUMS_LIST, "sha512");
	is_list("sha256sum.txt.asc", "a.iso", SUMS_LIST, "sha256");
	is_list("b2sums.txt", "a.iso", SUMS_LIST, "blake2b");
	is_list("MD5SUMS", "a.iso", SUMS_LIST, "md5");
	is_list("md5sum.txt", "a.iso", SUMS_LIST, "md5");
	is_list("CHECKSUM", "a.iso", SUMS_LIST, "");
	is_list("Fedora-40-1.14-x86_64-CHECKSUM", "a.iso", SUMS_LIST, "");
	is_list("CHECKSUM.SHA512-FreeBSD-14.1-amd64", "a.iso", SUMS_LIST, "sha512");
	is_list("OPNsense-24.1-checksums-amd64.sha256", "a.iso", SUMS_LIST, "sha256");
	is_list("signed-hashes.txt", "a.iso", SUMS_LIST, "");
	is_list("SHA256", "a.iso", SUMS_LIST, "sha256");
	is_list("a.iso.sha256", "a.iso", SUMS_OWN, "sha256");
	is_list("a.iso.SHA256SUM.asc", "a.iso", SUMS_OWN, "sha256");
	is_list("a.iso-CHECKSUM", "a.iso", SUMS_OWN, "");
	is_list("a.iso.DIGESTS", "a.iso", SUMS_OWN, "");
	is_list("a.iso.sha3", "a.iso", SUMS_OWN, "sha3");
	is_list("a.iso.sha", "a.iso", SUMS_OWN, "");
	is_list("a.img.sha256", "a.img.xz", SUMS_OWN, "sha256");
	is_list("a.sha256", "a.img.xz", SUMS_LIST, "sha256");
	is_list("a.sha256", "a.iso", SUMS_LIST, "sha256");
	is_list("a.iso", "a.iso", SUMS_NO_LIST, "");
	is_list("SHA256SUMS", "SHA256SUMS", SUMS_NO_LIST, "");
	is_list("b.iso.sha256", "a.iso", SUMS_NO_LIST, "");
	is_list("a.iso.torrent", "a.iso", SUMS_NO_LIST, "");
	is_list("A.iso.sha256", "a.iso", SUMS_NO_LIST, "");
	is_list("a.iso.sha256.zip", "a.iso", SUMS_NO_LIST, "");
	is_list("aa.iso.sha256", "a.iso", SUMS_NO_LIST, "");
	is_list("", "a.iso", SUMS_NO_LIST, "");
	is_list("...", "a.iso", SUMS_NO_LIST, "");
	is_list("x", "", SUMS_NO_LIST, "");
}

int main(void)
{
	RUN(test_gnu);
	RUN(test_bsd);
	RUN(test_bare_and_comments);
	RUN(test_hints);
	RUN(test_clearsigned);
	RUN(test_bytes);
	RUN(test_choice);
	RUN(test_names_of_lists);
	sums_done(&s);
	return tap_done();
}
