// SPDX-License-Identifier: GPL-3.0-or-later
/* disk/siglist and disk/sbat: in every form they come in, and damaged. */
#include "disk/siglist.h"

#include "disk/sbat.h"
#include "image_util.h"
#include "tap.h"

#define SHA256_TYPE "\x26\x16\xc4\xc1\x4c\x50\x92\x40\xac\xa9\x41\xf9\x36\x93\x43\x28"
#define X509_TYPE "\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72"
#define OTHER_TYPE "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
#define PKCS7_TYPE "\x9d\xd2\xaf\x4a\xdf\x68\xee\x49\x8a\xa9\x34\x7d\x37\x56\x65\xa7"

static uint8_t buf[1024];
static size_t len;
static struct siglist list;
static struct siglist_entry e;

static void add(const char *data, size_t n)
{
	memcpy(buf + len, data, n);
	len += n;
}

static void add_le32(uint32_t v)
{
	put_le32(buf + len, v);
	len += 4;
}

/* n entries of size bytes, each filled with its number from first on. */
static void add_list(const char *type, uint32_t header, uint32_t n, uint32_t size, uint8_t first)
{
	add(type, 16);
	add_le32(28 + header + n * (16 + size));
	add_le32(header);
	add_le32(16 + size);
	memset(buf + len, 0xee, header);
	len += header;
	for (uint32_t i = 0; i < n; i++) {
		memset(buf + len, 0xdd, 16);
		memset(buf + len + 16, first + (uint8_t)i, size);
		len += 16 + size;
	}
}

static void make(void)
{
	add_list(SHA256_TYPE, 0, 2, 32, 1);
	add_list(OTHER_TYPE, 4, 1, 7, 3);
	add_list(SHA256_TYPE, 0, 0, 32, 0);
	add_list(X509_TYPE, 0, 1, 100, 4);
}

static void check_entries(void)
{
	static const struct {
		enum siglist_type type;
		size_t len;
	} wanted[] = { { SIGLIST_SHA256, 32 },
		       { SIGLIST_SHA256, 32 },
		       { SIGLIST_OTHER, 7 },
		       { SIGLIST_X509, 100 } };

	CHECK(siglist_begin(&list, buf, len));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		CHECK(siglist_next(&list, &e));
		CHECK(e.type == wanted[i].type && e.len == wanted[i].len);
		CHECK(e.data[0] == i + 1 && e.data[e.len - 1] == i + 1);
	}
	CHECK(!siglist_next(&list, &e) && !list.is_damaged);
}

static void test_lists_alone(void)
{
	len = 0;
	make();
	check_entries();
}

static void test_variable(void)
{
	len = 0;
	add("\x27\0\0\0", 4);
	make();
	check_entries();
	/* A variable without a value. */
	CHECK(siglist_begin(&list, buf, 4) && !siglist_next(&list, &e) && !list.is_damaged);
}

static void test_signed_update(void)
{
	memset(buf, 0, sizeof(buf));
	len = 16;
	add_le32(24 + 5);
	add("\0\2\xf1\x0e", 4);
	add(PKCS7_TYPE, 16);
	add("PKCS7", 5);
	make();
	check_entries();
	/* With its signature alone it revokes nothing. */
	CHECK(siglist_begin(&list, buf, 16 + 24 + 5) && !siglist_next(&list, &e));
	/* A signature longer than the file. */
	put_le32(buf + 16, 2000);
	CHECK(!siglist_begin(&list, buf, len));
}

static void test_damaged_lists(void)
{
	unsigned int n = 0;

	CHECK(!siglist_begin(&list, (const uint8_t *)"text and more text, and more of it", 34));
	CHECK(!siglist_begin(&list, buf, 0));
	/* What comes before the damage counts. */
	len = 0;
	make();
	CHECK(siglist_begin(&list, buf, len - 1));
	while (siglist_next(&list, &e))
		n++;
	CHECK(n == 3 && list.is_damaged);
	/* A size that its entries do not fill; entries without data; digests too short. */
	len = 0;
	add_list(SHA256_TYPE, 0, 2, 32, 1);
	put_le32(buf + 16, 28 + 90);
	CHECK(!siglist_begin(&list, buf, len));
	len = 0;
	add_list(OTHER_TYPE, 0, 1, 16, 1);
	put_le32(buf + 24, 16);
	CHECK(!siglist_begin(&list, buf, len));
	len = 0;
	add_list(SHA256_TYPE, 0, 1, 31, 1);
	CHECK(!siglist_begin(&list, buf, len));
	/* A header longer than the list. */
	len = 0;
	add_list(OTHER_TYPE, 0, 1, 16, 1);
	put_le32(buf + 20, UINT32_MAX);
	CHECK(!siglist_begin(&list, buf, len));
}

static struct sbat_entry s;

static void test_sbat(void)
{
	static const char text[] = "sbat,1,SBAT Version,sbat,1,https://example.org\n"
				   "shim.debian,12,Debian,shim,16.1,https://example.org\r\n"
				   "grub,3\n"
				   "last,4,Vendor\0hidden,5\n";
	size_t pos = 0;

	CHECK(sbat_next(text, sizeof(text), &pos, &s) && s.generation == 1);
	CHECK_STR(s.component, "sbat");
	CHECK(sbat_next(text, sizeof(text), &pos, &s) && s.generation == 12);
	CHECK_STR(s.component, "shim.debian");
	CHECK_STR(s.vendor, "Debian");
	CHECK_STR(s.version, "16.1");
	CHECK(sbat_next(text, sizeof(text), &pos, &s) && s.generation == 3);
	CHECK_STR(s.vendor, "");
	CHECK(sbat_next(text, sizeof(text), &pos, &s) && s.generation == 4);
	CHECK_STR(s.vendor, "Vendor");
	CHECK(!sbat_next(text, sizeof(text), &pos, &s));
}

static void test_sbat_that_is_none(void)
{
	static const char text[] = "\n,1\nshim\nshim,\nshim,x\nshim,-1\nshim,99999999999999\n"
				   "0123456789012345678901234567890123456789"
				   "0123456789012345678901234567890123456789,7";
	size_t pos = 0;

	CHECK(sbat_next(text, sizeof(text), &pos, &s) && s.generation == 7);
	CHECK_U64(strlen(s.component), sizeof(s.component) - 1);
	CHECK(!sbat_next(text, sizeof(text), &pos, &s));
}

int main(void)
{
	RUN(test_lists_alone);
	RUN(test_variable);
	RUN(test_signed_update);
	RUN(test_damaged_lists);
	RUN(test_sbat);
	RUN(test_sbat_that_is_none);
	return tap_done();
}
