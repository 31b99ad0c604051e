// SPDX-License-Identifier: GPL-3.0-or-later
/* base/text: nothing that a terminal obeys or a shell expands gets through. */
#include "base/text.h"

#include <stdint.h>

#include "base/num.h"
#include "tap.h"

static char out[256];

static const char *escape(const char *s)
{
	return text_escape(s, strlen(s), out, sizeof(out));
}

static void test_escape_plain(void)
{
	CHECK_STR(escape("Ubuntu 24.04"), "Ubuntu 24.04");
	CHECK_STR(escape("Gr\xc3\xbc\xc3\x9f"
			 "e \xe2\x82\xac \xf0\x9f\x92\xbe"),
		  "Gr\xc3\xbc\xc3\x9f"
		  "e \xe2\x82\xac \xf0\x9f\x92\xbe");
	CHECK_STR(escape(""), "");
}

static void test_escape_controls(void)
{
	CHECK_STR(escape("a\x1b[2Jb\n\x7f"), "a\\x1b[2Jb\\x0a\\x7f");
	CHECK_STR(escape("\xc2\x9b"), "\\xc2\\x9b"); /* C1 CSI */
	CHECK_STR(escape("\xe2\x80\xae"), "\\xe2\\x80\\xae"); /* right-to-left override */
	CHECK_STR(escape("\xe2\x80\x8b"), "\\xe2\\x80\\x8b"); /* zero width space */
	CHECK_STR(escape("\xe2\x81\xa6"), "\\xe2\\x81\\xa6"); /* isolate */
	CHECK_STR(escape("\xef\xbb\xbf"), "\\xef\\xbb\\xbf"); /* byte order mark */
}

static void test_escape_invalid_utf8(void)
{
	CHECK_STR(escape("\xff"), "\\xff");
	CHECK_STR(escape("\xc0\xaf"), "\\xc0\\xaf"); /* overlong */
	CHECK_STR(escape("\xed\xa0\x80"), "\\xed\\xa0\\x80"); /* surrogate */
	CHECK_STR(escape("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
	CHECK_STR(escape("\xe2\x82"), "\\xe2\\x82"); /* cut */
	CHECK_STR(text_escape("\xe2\x82\xac", 2, out, sizeof(out)), "\\xe2\\x82");
}

static void test_escape_bounds(void)
{
	char small[6];

	CHECK_STR(text_escape("abcdefgh", 3, out, sizeof(out)), "abc");
	CHECK_STR(text_escape("abc\0def", 7, out, sizeof(out)), "abc");
	CHECK_STR(text_escape("abcdefgh", 8, small, sizeof(small)), "abcde");
	CHECK_STR(text_escape("abc\xe2\x82\xac", 6, small, sizeof(small)), "abc");
	CHECK_STR(text_escape("ab\x01", 3, small, sizeof(small)), "ab");
	CHECK_STR(text_escape("a", 1, small, 1), "");
}

static void test_escape_trim(void)
{
	CHECK_STR(text_escape_trim("  SanDisk Ultra \t ", out, sizeof(out)), "SanDisk Ultra");
	CHECK_STR(text_escape_trim("   ", out, sizeof(out)), "");
	CHECK_STR(text_escape_trim("a b", out, sizeof(out)), "a b");
}

static void test_shell_quote(void)
{
	char small[8];

	CHECK_STR(text_shell_quote("/srv/a-b_1.iso", out, sizeof(out)), "/srv/a-b_1.iso");
	CHECK_STR(text_shell_quote("my file.iso", out, sizeof(out)), "'my file.iso'");
	CHECK_STR(text_shell_quote("", out, sizeof(out)), "''");
	CHECK_STR(text_shell_quote("it's", out, sizeof(out)), "'it'\\''s'");
	CHECK_STR(text_shell_quote("~root", out, sizeof(out)), "'~root'");
	CHECK_STR(text_shell_quote("$(rm x)", out, sizeof(out)), "'$(rm x)'");
	CHECK_STR(text_shell_quote("a\n1'\\", out, sizeof(out)), "$'a\\0121\\'\\\\'");
	CHECK_STR(text_shell_quote("\xc3\xbc", out, sizeof(out)), "'\xc3\xbc'");
	text_quote_ascii(true);
	CHECK_STR(text_shell_quote("K\xc3\xa4se", out, sizeof(out)), "$'K\\303\\244se'");
	text_quote_ascii(false);
	/* Too long for the buffer: nothing, never half of it. */
	CHECK_STR(text_shell_quote("abc defg", small, sizeof(small)), "");
	CHECK_STR(text_shell_quote("abcdefgh", small, sizeof(small)), "");
	CHECK_STR(text_shell_quote("abcdefg", small, sizeof(small)), "abcdefg");
}

static void test_distance(void)
{
	CHECK(text_distance("inspekt", "inspect", 3) == 1);
	CHECK(text_distance("isnpect", "inspect", 3) == 1);
	CHECK(text_distance("inspect", "inspect", 3) == 0);
	CHECK(text_distance("", "abc", 5) == 3);
	CHECK(text_distance("kitten", "sitting", 9) == 3);
	CHECK(text_distance("kitten", "sitting", 2) == 3);
	CHECK(text_distance("write", "devices", 2) == 3);
}

static void test_nearest(void)
{
	static const char *const names[] = { "write",   "inspect",   "devices",
					     "protect", "unprotect", "raw" };
	size_t n = ARRAY_SIZE(names);

	CHECK_STR(text_nearest("inspekt", names, n), "inspect");
	CHECK_STR(text_nearest("INSPECT", names, n), "inspect");
	CHECK_STR(text_nearest("devicse", names, n), "devices");
	CHECK_STR(text_nearest("dev", names, n), "devices");
	CHECK_STR(text_nearest("rwa", names, n), "raw");
	CHECK_STR(text_nearest("unprotct", names, n), "unprotect");
	CHECK(text_nearest("uprotect", names, n) == NULL); /* one edit from both */
	CHECK(text_nearest("de", names, n) == NULL);
	CHECK(text_nearest("x", names, n) == NULL);
	CHECK(text_nearest("", names, n) == NULL);
	CHECK(text_nearest("ray-tracer", names, n) == NULL);
	CHECK(text_nearness("sdv", "sdb") == 1);
	CHECK(text_nearness("sdb", "sdb") == 0);
	CHECK(text_nearness("xyz", "sdb") == TEXT_FAR);
	CHECK(text_nearness("usb-SanDisk_Ulta_4C53-0:0", "usb-SanDisk_Ultra_4C53-0:0") == 1);
}

int main(void)
{
	RUN(test_escape_plain);
	RUN(test_escape_controls);
	RUN(test_escape_invalid_utf8);
	RUN(test_escape_bounds);
	RUN(test_escape_trim);
	RUN(test_shell_quote);
	RUN(test_distance);
	RUN(test_nearest);
	return tap_done();
}
