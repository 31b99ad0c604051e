// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/json.h"

#include <math.h>
#include <stdlib.h>

#include "tap.h"

static void test_nesting_and_commas(void)
{
	struct json j;

	json_init(&j);
	json_begin_object(&j, NULL);
	json_string(&j, "a", "x");
	json_begin_array(&j, "b");
	json_u64(&j, NULL, 1);
	json_begin_object(&j, NULL);
	json_end_object(&j);
	json_bool(&j, NULL, true);
	json_end_array(&j);
	json_null(&j, "c");
	json_string(&j, "d", NULL);
	json_text(&j, "empty", "");
	json_bool(&j, "e", false);
	json_end_object(&j);
	CHECK_STR(json_finish(&j), "{\"a\":\"x\",\"b\":[1,{},true],\"c\":null,\"d\":null,\"empty\":null,\"e\":false}");
	json_done(&j);
}

static void check_string(const char *value, const char *want)
{
	struct json j;

	json_init(&j);
	json_string(&j, NULL, value);
	CHECK_STR(json_finish(&j), want);
	json_done(&j);
}

static void test_strings(void)
{
	check_string("", "\"\"");
	check_string("a\"b\\c", "\"a\\\"b\\\\c\"");
	check_string("\n\x1b\x7f", "\"\\u000a\\u001b\\u007f\"");
	check_string("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
		     "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
	/* Bad bytes: alone, cut short, overlong, a surrogate, beyond U+10FFFF. */
	check_string("a\xff", "\"a\xef\xbf\xbd\"");
	check_string("\xc3", "\"\xef\xbf\xbd\"");
	check_string("\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	check_string("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	check_string("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	check_string("\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void check_double(double value, const char *want)
{
	struct json j;

	json_init(&j);
	json_double(&j, NULL, value);
	CHECK_STR(json_finish(&j), want);
	json_done(&j);
}

static void test_numbers(void)
{
	struct json j;

	json_init(&j);
	json_u64(&j, NULL, UINT64_MAX);
	CHECK_STR(json_finish(&j), "18446744073709551615");
	json_done(&j);
	check_double(0, "0.000");
	check_double(1.5, "1.500");
	check_double(-2.0005, "-2.001");
	check_double(-0.0001, "0.000");
	check_double(1e11, "100000000000.000");
	check_double(NAN, "null");
	check_double(INFINITY, "null");
	check_double(-INFINITY, "null");
}

static void test_long(void)
{
	struct json j;

	json_init(&j);
	json_begin_array(&j, NULL);
	for (int i = 0; i < 10000; i++)
		json_u64(&j, NULL, 7);
	json_end_array(&j);
	CHECK(json_finish(&j) && strlen(json_finish(&j)) == 2 * 10000 + 1);
	json_done(&j);
}

int main(void)
{
	RUN(test_nesting_and_commas);
	RUN(test_strings);
	RUN(test_numbers);
	RUN(test_long);
	return tap_done();
}
