// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/mbr.h"
#include "tap.h"

static void test_round_trip(void)
{
	struct mbr mbr = { .disk_signature = 0x12345678 }, back;
	uint8_t sector[MBR_SIZE];

	mbr.entries[0] = (struct mbr_entry){ .status = 0x80,
					     .chs_first = { 1, 2, 3 },
					     .type = 0x17,
					     .chs_last = { 4, 5, 6 },
					     .start_lba = 64,
					     .len_blocks = UINT32_MAX };
	mbr.entries[3] = (struct mbr_entry){ .type = 0xef, .start_lba = 0xfedcba98 };
	memset(sector, 0x90, sizeof(sector));
	mbr_encode(sector, &mbr);
	CHECK(sector[439] == 0x90 && sector[444] == 0x90);
	CHECK(sector[440] == 0x78 && sector[510] == 0x55 && sector[511] == 0xaa);
	CHECK(sector[446] == 0x80 && sector[454] == 64 && sector[461] == 0xff);
	CHECK(mbr_decode(sector, &back));
	CHECK(!memcmp(&mbr, &back, sizeof(mbr)));
	sector[511] = 0;
	CHECK(!mbr_decode(sector, &back));
}

static void test_encode_one_entry(void)
{
	struct mbr_entry entry = { .type = 0xee, .start_lba = 1, .len_blocks = 9 };
	uint8_t sector[MBR_SIZE];

	memset(sector, 0x11, sizeof(sector));
	mbr_encode_entry(sector, 2, &entry);
	for (int i = 0; i < MBR_SIZE; i++)
		if (i < 478 || i >= 494)
			CHECK(sector[i] == 0x11);
	CHECK(sector[478 + 4] == 0xee && sector[478 + 12] == 9);
}

static void test_credible(void)
{
	struct mbr mbr = { 0 };

	CHECK(mbr_is_credible(&mbr));
	mbr.entries[3].status = 0x80;
	CHECK(mbr_is_credible(&mbr));
	mbr.entries[2].status = 0x81;
	CHECK(!mbr_is_credible(&mbr));
}

static void test_protective(void)
{
	struct mbr mbr = { 0 };

	CHECK(mbr_find_protective(&mbr) == -1);
	mbr.entries[1].type = 0xee;
	CHECK(mbr_find_protective(&mbr) == -1);
	mbr.entries[1].start_lba = 1;
	CHECK(mbr_find_protective(&mbr) == 1);
}

static void check_chs(uint64_t lba, int head, int sector, int cylinder)
{
	uint8_t chs[3];

	mbr_chs_from_lba(lba, chs);
	CHECK_U64(chs[0], (unsigned int)head);
	CHECK_U64(chs[1], (unsigned int)sector);
	CHECK_U64(chs[2], (unsigned int)cylinder);
}

static void test_chs(void)
{
	check_chs(0, 0, 1, 0);
	check_chs(1, 0, 2, 0);
	check_chs(63, 1, 1, 0);
	check_chs(2048, 32, 33, 0);
	check_chs(255 * 63, 0, 1, 1);
	check_chs(256ULL * 255 * 63, 0, 1 | 1 << 6, 0);
	check_chs(1024ULL * 255 * 63 - 1, 0xfe, 0xff, 0xff);
	check_chs(1024ULL * 255 * 63, 0xfe, 0xff, 0xff);
	check_chs(UINT64_MAX, 0xfe, 0xff, 0xff);
}

int main(void)
{
	RUN(test_round_trip);
	RUN(test_encode_one_entry);
	RUN(test_credible);
	RUN(test_protective);
	RUN(test_chs);
	return tap_done();
}
