// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/guid.h"
#include "tap.h"

/* The EFI system partition's type as it lies on every disk. */
static const uint8_t esp[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
				 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };

static void test_format(void)
{
	char text[GUID_TEXT_SIZE];

	CHECK_STR(guid_format(esp, text), "C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
}

static void test_parse(void)
{
	uint8_t guid[16];

	CHECK(guid_parse("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", guid) == 0);
	CHECK(!memcmp(guid, esp, 16));
	memset(guid, 0, sizeof(guid));
	CHECK(guid_parse("c12a7328-f81f-11d2-ba4b-00a0c93ec93b", guid) == 0);
	CHECK(!memcmp(guid, esp, 16));
}

static void test_parse_refuses(void)
{
	static const char *const bad[] = {
		"",
		"C",
		"C12A7328-F81F-11D2-BA4B-00A0C93EC93",
		"C12A7328-F81F-11D2-BA4B-00A0C93EC93B0",
		"C12A7328F81F-11D2-BA4B-00A0C93EC93BAA",
		"G12A7328-F81F-11D2-BA4B-00A0C93EC93B",
		"{12A7328-F81F-11D2-BA4B-00A0C93EC93B",
	};
	uint8_t guid[16] = { 1 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(guid_parse(bad[i], guid) == -1);
	CHECK(guid[0] == 1);
}

static void test_zero(void)
{
	static const uint8_t zero[16];

	CHECK(guid_is_zero(zero));
	CHECK(!guid_is_zero(esp));
}

int main(void)
{
	RUN(test_format);
	RUN(test_parse);
	RUN(test_parse_refuses);
	RUN(test_zero);
	return tap_done();
}
