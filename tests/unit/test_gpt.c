// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/gpt.h"

#include "base/guid.h"
#include "tap.h"

static struct gpt_header sample(void)
{
	struct gpt_header h = {
		.revision = 0x10000,
		.header_size = 92,
		.my_lba = 1,
		.alternate_lba = 9999,
		.first_usable_lba = 34,
		.last_usable_lba = 9966,
		.disk_guid = { 1, 2, 3 },
		.entries_lba = 2,
		.n_entries = 128,
		.entry_size = 128,
		.entries_crc = 0xab54d286,
	};

	return h;
}

static enum gpt_verdict verdict(const struct gpt_header *header, uint32_t block_size, uint64_t lba)
{
	uint8_t block[4096] = { 0 };
	struct gpt_header back;

	gpt_encode_header(block, header);
	return gpt_decode_header(block, block_size, lba, &back);
}

static void test_round_trip(void)
{
	struct gpt_header h = sample(), back;
	uint8_t block[512], again[512];

	memset(block, 0x77, sizeof(block));
	gpt_encode_header(block, &h);
	CHECK(block[92] == 0x77);
	/* The reserved word is written as zero. */
	CHECK(block[20] == 0 && block[23] == 0);
	CHECK(gpt_decode_header(block, 512, 1, &back) == GPT_OK);
	CHECK(back.my_lba == 1 && back.alternate_lba == 9999 && back.entries_lba == 2);
	CHECK(back.n_entries == 128 && back.entry_size == 128 && back.entries_crc == 0xab54d286);
	CHECK(back.first_usable_lba == 34 && back.last_usable_lba == 9966);
	CHECK(back.disk_guid[2] == 3);
	memset(again, 0x77, sizeof(again));
	gpt_encode_header(again, &back);
	CHECK(!memcmp(block, again, sizeof(block)));
}

/* As sgdisk 1.0.9 writes it for a disk of 2 MiB with one partition, "ESP". */
static const uint8_t sgdisk_header[512] = {
	0x45, 0x46, 0x49, 0x20, 0x50, 0x41, 0x52, 0x54, 0x00, 0x00, 0x01, 0x00, 0x5c, 0x00, 0x00,
	0x00, 0xad, 0x0c, 0x4d, 0xa2, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0xff, 0x0f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x22, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0xde, 0x0f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x11, 0x11, 0x11, 0x11,
	0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x02, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0xc0, 0x52,
	0x9f, 0xe7,
};

static const uint8_t sgdisk_array[16384] = {
	0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9,
	0x3e, 0xc9, 0x3b, 0xaa, 0xaa, 0xaa, 0xaa, 0xbb, 0xbb, 0xcc, 0xcc, 0xdd, 0xdd,
	0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x7f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x45, 0x00, 0x53, 0x00, 0x50, 0x00,
};

static void test_foreign_table(void)
{
	struct gpt_header header;
	struct gpt_entry entry;
	uint8_t again[512] = { 0 }, array[128] = { 0 };

	CHECK(gpt_decode_header(sgdisk_header, 512, 1, &header) == GPT_OK);
	CHECK_U64(header.alternate_lba, 4095);
	CHECK_U64(header.first_usable_lba, 34);
	CHECK_U64(header.last_usable_lba, 4062);
	CHECK_U64(gpt_array_crc(&header, sgdisk_array), header.entries_crc);
	CHECK(gpt_decode_entry(sgdisk_array, &entry));
	CHECK(entry.first_lba == 64 && entry.last_lba == 127);
	CHECK_STR(entry.name, "ESP");
	gpt_encode_header(again, &header);
	CHECK(!memcmp(again, sgdisk_header, sizeof(again)));
	gpt_encode_entry(array, &entry);
	CHECK(!memcmp(array, sgdisk_array, sizeof(array)));
}

static void test_every_bit_counts(void)
{
	struct gpt_header h = sample(), back;
	uint8_t block[512] = { 0 };

	gpt_encode_header(block, &h);
	for (unsigned int bit = 0; bit < 92 * 8; bit++) {
		block[bit / 8] ^= (uint8_t)(1U << bit % 8);
		CHECK(gpt_decode_header(block, 512, 1, &back) != GPT_OK);
		block[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

static void test_sizes(void)
{
	struct gpt_header h = sample();

	h.header_size = 512;
	CHECK(verdict(&h, 512, 1) == GPT_OK);
	CHECK(verdict(&h, 4096, 1) == GPT_OK);
	h.header_size = 513;
	CHECK(verdict(&h, 512, 1) == GPT_BAD_SIZE);
	CHECK(verdict(&h, 4096, 1) == GPT_OK);
	h = sample();
	h.entry_size = 64;
	CHECK(verdict(&h, 512, 1) == GPT_BAD_SIZE);
	h.entry_size = 192;
	CHECK(verdict(&h, 512, 1) == GPT_BAD_SIZE);
	h.entry_size = 256;
	CHECK(verdict(&h, 512, 1) == GPT_OK);
	h.n_entries = UINT32_MAX;
	CHECK(verdict(&h, 512, 1) == GPT_BAD_SIZE);
	h.n_entries = 0;
	CHECK(verdict(&h, 512, 1) == GPT_BAD_SIZE);
	h.n_entries = 208;
	CHECK(verdict(&h, 512, 1) == GPT_OK);
}

static void test_places(void)
{
	struct gpt_header h = sample();

	CHECK(verdict(&h, 512, 2) == GPT_BAD_LBA);
	h.entries_lba = 0;
	CHECK(verdict(&h, 512, 1) == GPT_BAD_LBA);
	h = sample();
	h.last_usable_lba = 33;
	CHECK(verdict(&h, 512, 1) == GPT_BAD_LBA);
}

static void test_array_size(void)
{
	struct gpt_header h = sample();

	CHECK_U64(gpt_array_size(&h), 16384);
	CHECK_U64(gpt_array_blocks(&h, 512), 32);
	CHECK_U64(gpt_array_blocks(&h, 4096), 4);
	h.n_entries = 1;
	CHECK_U64(gpt_array_blocks(&h, 512), 1);
}

static void test_entry(void)
{
	struct gpt_entry e = { .first_lba = 64, .last_lba = 99, .attributes = 1, .name = "Gap1" };
	struct gpt_entry back;
	uint8_t p[128] = { 0 };

	CHECK(!gpt_decode_entry(p, &back));
	guid_parse("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", e.type);
	gpt_encode_entry(p, &e);
	CHECK(gpt_decode_entry(p, &back));
	CHECK(back.first_lba == 64 && back.last_lba == 99 && back.attributes == 1);
	CHECK_STR(back.name, "Gap1");
	CHECK_STR(gpt_type_name(back.type), "EFI system partition");
	/* 36 characters, each three bytes of UTF-8, have room. */
	for (int i = 0; i < 36; i++) {
		p[56 + 2 * i] = 0xac;
		p[57 + 2 * i] = 0x20;
	}
	CHECK(gpt_decode_entry(p, &back));
	CHECK_U64(strlen(back.name), 36 * 3);
}

int main(void)
{
	RUN(test_round_trip);
	RUN(test_foreign_table);
	RUN(test_every_bit_counts);
	RUN(test_sizes);
	RUN(test_places);
	RUN(test_array_size);
	RUN(test_entry);
	return tap_done();
}
