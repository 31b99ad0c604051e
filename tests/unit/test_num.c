// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/num.h"
#include "tap.h"

static void test_rounding(void)
{
	CHECK_U64(num_round_up(0, 512), 0);
	CHECK_U64(num_round_up(1, 512), 512);
	CHECK_U64(num_round_up(512, 512), 512);
	CHECK_U64(num_round_up(10, 3), 12);
	CHECK_U64(num_round_up(UINT64_MAX, 512), UINT64_MAX - 511);
	CHECK_U64(num_round_down(1023, 512), 512);
	CHECK(num_is_power_of_2(1) && num_is_power_of_2(4096));
	CHECK(!num_is_power_of_2(0) && !num_is_power_of_2(3));
}

static void test_hex(void)
{
	uint8_t got[3] = { 0 };

	CHECK(num_parse_hex("00fFA5", 3, got) == 0);
	CHECK(got[0] == 0 && got[1] == 0xff && got[2] == 0xa5);
	CHECK(num_parse_hex("", 0, got) == 0);
	CHECK(num_parse_hex("0", 1, got) < 0);
	CHECK(num_parse_hex("0011", 3, got) < 0);
	CHECK(num_parse_hex("0g", 1, got) < 0 && num_parse_hex("g0", 1, got) < 0);
	CHECK(num_parse_hex("-1", 1, got) < 0 && num_parse_hex(" 1", 1, got) < 0);
}

static void test_within(void)
{
	CHECK(num_is_within(0, 0, 0));
	CHECK(num_is_within(10, 10, 20));
	CHECK(!num_is_within(10, 11, 20));
	CHECK(!num_is_within(21, 0, 20));
	CHECK(!num_is_within(UINT64_MAX, 2, UINT64_MAX));
	CHECK(!num_is_within(2, UINT64_MAX, UINT64_MAX));
}

static uint64_t parsed(const char *s)
{
	struct error err = ERROR_INIT;
	uint64_t size = 12345;

	if (num_parse_size(s, &size, &err) == 0)
		return size;
	CHECK(err.kind == ERROR_USAGE);
	CHECK_U64(size, 12345);
	return UINT64_MAX;
}

static void test_parse(void)
{
	CHECK_U64(parsed("0"), 0);
	CHECK_U64(parsed("4096"), 4096);
	CHECK_U64(parsed("16GB"), UINT64_C(16000000000));
	CHECK_U64(parsed("16GiB"), 16 * GIB);
	CHECK_U64(parsed("16G"), 16 * GIB);
	CHECK_U64(parsed("1k"), 1024);
	CHECK_U64(parsed("1kB"), 1000);
	CHECK_U64(parsed("15E"), 15 * GIB * GIB);
	CHECK_U64(parsed("18446744073709551614"), UINT64_MAX - 1);
}

static void test_parse_refuses(void)
{
	static const char *const bad[] = { "",     " 1",   "-1",  "+1",    "1.5G", "G",
					   "1X",   "1GiBx", "1 G", "16gib", "1B",   "16E",
					   "18446744073709551616", "0x10" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(parsed(bad[i]) == UINT64_MAX);
}

static const char *size_text(uint64_t size)
{
	static char buf[NUM_SIZE_LEN];

	return num_format_size(buf, sizeof(buf), size);
}

static const char *stick_text(uint64_t size)
{
	static char buf[NUM_SIZE_LEN];

	return num_format_stick_size(buf, sizeof(buf), size);
}

static const char *bytes_text(uint64_t size)
{
	static char buf[NUM_SIZE_LEN];

	return num_format_bytes(buf, sizeof(buf), size);
}

static void test_format(void)
{
	CHECK_STR(size_text(0), "0 bytes");
	CHECK_STR(size_text(999), "999 bytes");
	CHECK_STR(size_text(1000), "1.0 kB");
	CHECK_STR(size_text(UINT64_C(6203355136)), "6.2 GB");
	CHECK_STR(size_text(UINT64_C(9949999999)), "9.9 GB");
	CHECK_STR(size_text(UINT64_C(9999999999)), "10 GB");
	CHECK_STR(size_text(UINT64_C(999400000)), "999 MB");
	CHECK_STR(size_text(UINT64_C(999600000)), "1.0 GB");
	CHECK_STR(size_text(UINT64_MAX), "18 EB");
	CHECK_STR(stick_text(UINT64_C(32010928128)), "32 GB (29.8 GiB)");
	CHECK_STR(stick_text(MIB - 1), "1.0 MB (1.0 MiB)");
	CHECK_STR(stick_text(512), "512 bytes");
	CHECK_STR(bytes_text(0), "0");
	CHECK_STR(bytes_text(999), "999");
	CHECK_STR(bytes_text(1000), "1,000");
	CHECK_STR(bytes_text(UINT64_C(6203355136)), "6,203,355,136");
	CHECK_STR(bytes_text(UINT64_MAX), "18,446,744,073,709,551,615");
}

int main(void)
{
	RUN(test_rounding);
	RUN(test_hex);
	RUN(test_within);
	RUN(test_parse);
	RUN(test_parse_refuses);
	RUN(test_format);
	return tap_done();
}
