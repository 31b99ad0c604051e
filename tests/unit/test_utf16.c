// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/utf16.h"
#include "tap.h"

static const char *from_le(const char *bytes, size_t n_units, size_t out_size)
{
	static char out[64];
	size_t n;

	memset(out, 'Z', sizeof(out));
	n = utf16_to_utf8((const uint8_t *)bytes, n_units, false, out, out_size);
	CHECK_U64(n, strlen(out));
	return out;
}

static void test_plain(void)
{
	CHECK_STR(from_le("E\0F\0I\0", 3, 64), "EFI");
	CHECK_STR(from_le("E\0\0\0I\0", 3, 64), "E");
	CHECK_STR(from_le("", 0, 64), "");
	CHECK_STR(from_le("\xe4\0\xac\x20", 2, 64), "\xc3\xa4\xe2\x82\xac");
}

static void test_big_endian(void)
{
	char out[16];

	utf16_to_utf8((const uint8_t *)"\0A\x20\xac", 2, true, out, sizeof(out));
	CHECK_STR(out, "A\xe2\x82\xac");
}

static void test_surrogates(void)
{
	CHECK_STR(from_le("\x3d\xd8\x00\xde", 2, 64), "\xf0\x9f\x98\x80");
	/* A high one at the end, two high ones, a low one alone. */
	CHECK_STR(from_le("\x3d\xd8", 1, 64), "\xef\xbf\xbd");
	CHECK_STR(from_le("\x3d\xd8\x3d\xd8\x00\xde", 3, 64), "\xef\xbf\xbd\xf0\x9f\x98\x80");
	CHECK_STR(from_le("\x00\xde\x41\x00", 2, 64), "\xef\xbf\xbd" "A");
}

static void test_cut(void)
{
	CHECK_STR(from_le("E\0F\0I\0", 3, 3), "EF");
	CHECK_STR(from_le("E\0\xac\x20", 2, 4), "E");
	CHECK_STR(from_le("E\0\xac\x20", 2, 5), "E\xe2\x82\xac");
	CHECK_STR(from_le("E\0", 1, 1), "");
}

static void test_from_utf8(void)
{
	uint16_t out[4] = { 0 };

	CHECK(utf16_from_utf8("a\xc3\xa4\xe2\x82\xac", out, 4) == 3);
	CHECK(out[0] == 'a' && out[1] == 0xe4 && out[2] == 0x20ac && out[3] == 0);
	CHECK(utf16_from_utf8("\xf0\x9f\x98\x80", out, 4) == 2);
	CHECK(out[0] == 0xd83d && out[1] == 0xde00);
	CHECK(utf16_from_utf8("abcdef", out, 4) == 6 && out[3] == 'd');
	CHECK(utf16_from_utf8("", NULL, 0) == 0);
	/* Cut, overlong, a surrogate, beyond Unicode, no first byte. */
	CHECK(utf16_from_utf8("\xe2\x82", out, 4) == -1);
	CHECK(utf16_from_utf8("\xc0\x80", out, 4) == -1);
	CHECK(utf16_from_utf8("\xed\xa0\x80", out, 4) == -1);
	CHECK(utf16_from_utf8("\xf4\x90\x80\x80", out, 4) == -1);
	CHECK(utf16_from_utf8("\xff", out, 4) == -1);
	CHECK(utf16_from_utf8("\x80", out, 4) == -1);
}

int main(void)
{
	RUN(test_plain);
	RUN(test_big_endian);
	RUN(test_surrogates);
	RUN(test_cut);
	RUN(test_from_utf8);
	return tap_done();
}
