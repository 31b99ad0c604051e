// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/apm.h"

#include "tap.h"

static void test_descriptor(void)
{
	/* What isohybrid and libisofs write over the first bytes of their boot code. */
	static const uint8_t isohybrid[512] = { 0x45, 0x52, 0x08, 0x00, 0x00, 0x00, 0x90, 0x90 };
	uint8_t block[512] = { 0 };

	CHECK_U64(apm_decode_descriptor(isohybrid), 2048);
	CHECK_U64(apm_decode_descriptor(block), 0);
	apm_encode_descriptor(block, 512, 1000);
	CHECK_U64(apm_decode_descriptor(block), 512);
	block[2] = 3;
	CHECK_U64(apm_decode_descriptor(block), 0);
	block[2] = 0x20;
	CHECK_U64(apm_decode_descriptor(block), 0);
}

static void test_entry(void)
{
	struct apm_entry entry = { .n_map_entries = 4,
				   .start_block = 0x01020304,
				   .n_blocks = 7,
				   .name = "EFI",
				   .type = "Apple_HFS" };
	struct apm_entry back;
	uint8_t block[512] = { 0 };

	CHECK(!apm_decode_entry(block, &back));
	apm_encode_entry(block, &entry);
	CHECK(block[8] == 1 && block[11] == 4);
	CHECK(apm_decode_entry(block, &back));
	CHECK(back.n_map_entries == 4 && back.start_block == 0x01020304 && back.n_blocks == 7);
	CHECK_STR(back.name, "EFI");
	CHECK_STR(back.type, "Apple_HFS");
	memset(block + 16, 'n', 64);
	CHECK(apm_decode_entry(block, &back));
	CHECK(strlen(back.name) == 32 && strlen(back.type) == 32);
}

int main(void)
{
	RUN(test_descriptor);
	RUN(test_entry);
	return tap_done();
}
