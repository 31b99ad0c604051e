// SPDX-License-Identifier: GPL-3.0-or-later
/* disk/pe: headers of both widths, what a signature covers, the table of signatures. */
#include "disk/pe.h"

#include "image_util.h"
#include "tap.h"

#define PE_AT 128
#define OPTIONAL_AT (PE_AT + 24)
#define FILE_SIZE 4096U

static uint8_t file[FILE_SIZE];
static struct pe pe;
static size_t optional_size;

static void set_le16(size_t at, uint16_t v)
{
	file[at] = (uint8_t)v;
	file[at + 1] = (uint8_t)(v >> 8);
}

static void set_le32(size_t at, uint32_t v)
{
	set_le16(at, (uint16_t)v);
	set_le16(at + 2, (uint16_t)(v >> 16));
}

static size_t section_at(unsigned int i)
{
	return OPTIONAL_AT + optional_size + 40 * i;
}

static size_t directory_at(bool is_64)
{
	return OPTIONAL_AT + (is_64 ? 112 : 96) + 4 * 8;
}

static void put_pe_section(unsigned int i, const char *name, uint32_t offset, uint32_t size)
{
	memcpy(file + section_at(i), name, strlen(name));
	set_le32(section_at(i) + 8, size / 2);
	set_le32(section_at(i) + 16, size);
	set_le32(section_at(i) + 20, offset);
}

/* Headers of 512 bytes, .text, .data before it in the file, .sbat; signatures at 3584. */
static void make(bool is_64)
{
	memset(file, 0, sizeof(file));
	optional_size = is_64 ? 240 : 224;
	file[0] = 'M';
	file[1] = 'Z';
	set_le32(0x3c, PE_AT);
	memcpy(file + PE_AT, "PE\0", 4);
	set_le16(PE_AT + 4, is_64 ? 0x8664 : 0x14c);
	set_le16(PE_AT + 6, 3);
	set_le16(PE_AT + 20, (uint16_t)optional_size);
	set_le16(OPTIONAL_AT, is_64 ? 0x20b : 0x10b);
	set_le32(OPTIONAL_AT + 60, 512);
	set_le32(OPTIONAL_AT + (is_64 ? 108 : 92), 16);
	set_le32(directory_at(is_64), 3584);
	set_le32(directory_at(is_64) + 4, 512);
	put_pe_section(0, ".text", 1536, 1024);
	put_pe_section(1, ".data", 512, 1024);
	put_pe_section(2, ".sbat", 2560, 512);
}

static bool decode(void)
{
	return !pe_decode(file, sizeof(file), sizeof(file), &pe);
}

static void test_both_widths(void)
{
	for (int is_64 = 0; is_64 < 2; is_64++) {
		const struct pe_section *s;

		make(is_64);
		CHECK(decode());
		CHECK(pe.is_64 == is_64 && pe.machine == (is_64 ? 0x8664 : 0x14c));
		CHECK_U64(pe.headers_size, 512);
		CHECK_U64(pe.checksum_offset, OPTIONAL_AT + 64);
		CHECK_U64(pe.directory_offset, directory_at(is_64));
		CHECK(pe.signatures_offset == 3584 && pe.signatures_size == 512);
		CHECK_U64(pe.n_sections, 3);
		s = pe_find_section(&pe, ".sbat");
		CHECK(s && s->offset == 2560 && s->size == 512 && s->memory_size == 256);
		CHECK(!pe_find_section(&pe, ".none"));
	}
}

/* Authenticode: without checksum and directory; sections by their place; what is behind them. */
static void test_what_a_signature_covers(void)
{
	struct pe_range r[PE_MAX_RANGES];
	size_t n;

	make(true);
	CHECK(decode());
	n = pe_hash_ranges(&pe, sizeof(file), r);
	CHECK_U64(n, 7);
	CHECK(r[0].start == 0 && r[0].len == OPTIONAL_AT + 64);
	CHECK(r[1].start == OPTIONAL_AT + 68 && r[1].len == directory_at(true) - r[1].start);
	CHECK(r[2].start == directory_at(true) + 8 && r[2].start + r[2].len == 512);
	CHECK(r[3].start == 512 && r[3].len == 1024);
	CHECK(r[4].start == 1536 && r[4].len == 1024);
	CHECK(r[5].start == 2560 && r[5].len == 512);
	CHECK(r[6].start == 3072 && r[6].len == 512);
}

/* Too few directories to have one for signatures. */
static void test_no_directory(void)
{
	struct pe_range r[PE_MAX_RANGES];

	make(true);
	set_le32(OPTIONAL_AT + 108, 4);
	CHECK(decode() && pe.directory_offset == 0 && pe.signatures_size == 0);
	CHECK_U64(pe_hash_ranges(&pe, sizeof(file), r), 6);
	CHECK(r[1].start == OPTIONAL_AT + 68 && r[1].start + r[1].len == 512);
	CHECK(r[5].start == 3072 && r[5].len == 1024);
}

static void test_unsigned(void)
{
	make(true);
	set_le32(directory_at(true), 0);
	set_le32(directory_at(true) + 4, 0);
	CHECK(decode() && pe.signatures_size == 0 && pe.directory_offset > 0);
}

static void test_damaged(void)
{
	static const struct {
		size_t at;
		uint32_t value;
	} damages[] = {
		{ 0, 0 },
		{ 0x3c, 0 },
		{ 0x3c, FILE_SIZE - 10 },
		{ 0x3c, UINT32_MAX },
		{ PE_AT, 0 },
		{ PE_AT + 20, 8 },
		{ PE_AT + 20, 0xffff },
		{ PE_AT + 4, 0xffff8664 }, /* 65535 sections */
		{ OPTIONAL_AT, 0x30b },
		{ OPTIONAL_AT + 60, 256 },
		{ OPTIONAL_AT + 60, UINT32_MAX },
		{ OPTIONAL_AT + 112 + 32, 3800 }, /* signatures behind the end */
		{ OPTIONAL_AT + 112 + 36, UINT32_MAX },
		{ OPTIONAL_AT + 240 + 16, 8192 }, /* .text behind the end */
		{ OPTIONAL_AT + 240 + 20, UINT32_MAX },
		{ OPTIONAL_AT + 240 + 16, 2560 }, /* in the file, but over the others */
	};

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		make(true);
		set_le32(damages[i].at, damages[i].value);
		if (decode())
			printf("# damage %zu\n", i);
		CHECK(!decode());
	}
	make(true);
	for (size_t len = 0; len < 512; len++)
		CHECK(pe_decode(file, len, len, &pe));
}

static void put_pe_signature(size_t at, uint32_t len, uint16_t type)
{
	set_le32(at, len);
	set_le16(at + 4, 0x200);
	set_le16(at + 6, type);
}

static void test_signatures(void)
{
	struct pe_signature s;
	bool is_damaged;
	size_t pos = 0;

	memset(file, 0, sizeof(file));
	put_pe_signature(0, 21, PE_PKCS7);
	put_pe_signature(24, 16, 0xef1);
	/* The last one's padding may be missing. */
	put_pe_signature(40, 13, PE_PKCS7);
	CHECK(pe_next_signature(file, 53, &pos, &s, &is_damaged) && pos == 24);
	CHECK(s.type == PE_PKCS7 && s.revision == 0x200 && s.data == file + 8 && s.len == 13);
	CHECK(pe_next_signature(file, 53, &pos, &s, &is_damaged) && s.type == 0xef1);
	CHECK(pe_next_signature(file, 53, &pos, &s, &is_damaged) && s.len == 5 && pos == 53);
	CHECK(!pe_next_signature(file, 53, &pos, &s, &is_damaged) && !is_damaged);
	/* Longer than the table, or without an end. */
	pos = 40;
	CHECK(!pe_next_signature(file, 52, &pos, &s, &is_damaged) && is_damaged);
	pos = 56;
	CHECK(!pe_next_signature(file, 80, &pos, &s, &is_damaged) && is_damaged);
	pos = 40;
	CHECK(!pe_next_signature(file, 47, &pos, &s, &is_damaged) && is_damaged);
}

int main(void)
{
	RUN(test_both_widths);
	RUN(test_what_a_signature_covers);
	RUN(test_no_directory);
	RUN(test_unsigned);
	RUN(test_damaged);
	RUN(test_signatures);
	return tap_done();
}
