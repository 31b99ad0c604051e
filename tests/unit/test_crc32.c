// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/crc32.h"
#include "tap.h"

static void test_known(void)
{
	/* The check value of CRC-32/ISO-HDLC. */
	CHECK_U64(crc32_ieee("123456789", 9), 0xcbf43926);
	CHECK_U64(crc32_ieee("", 0), 0);
	CHECK_U64(crc32_ieee("a", 1), 0xe8b7be43);
}

static void test_in_pieces(void)
{
	for (size_t i = 0; i <= 9; i++) {
		uint32_t crc = crc32_ieee_more(0, "123456789", i);

		CHECK_U64(crc32_ieee_more(crc, &"123456789"[i], 9 - i), 0xcbf43926);
	}
}

int main(void)
{
	RUN(test_known);
	RUN(test_in_pieces);
	return tap_done();
}
