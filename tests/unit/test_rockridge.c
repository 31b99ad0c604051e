// SPDX-License-Identifier: GPL-3.0-or-later
/* disk/rockridge: names in pieces, continuations, moved directories, malformed entries. */
#include "disk/rockridge.h"

#include "image_util.h"
#include "tap.h"

static void test_sp(void)
{
	static const uint8_t plain[] = { 'S', 'P', 7, 1, 0xbe, 0xef, 3 };
	uint8_t xa[14 + sizeof(plain)] = { 0 }, skip = 0;

	CHECK(rockridge_find_sp(plain, sizeof(plain), &skip) && skip == 3);
	CHECK(!rockridge_find_sp(plain, sizeof(plain) - 1, &skip));
	memcpy(xa + 14, plain, sizeof(plain));
	skip = 0;
	CHECK(rockridge_find_sp(xa, sizeof(xa), &skip) && skip == 3);
	CHECK(!rockridge_find_sp(xa, 20, &skip));
	CHECK(!rockridge_find_sp(NULL, 0, &skip));
}

static void test_name_in_pieces(void)
{
	struct rockridge rr;

	rockridge_init(&rr);
	rockridge_add(&rr, (const uint8_t *)"PX\4\1NM\10\1\1abcNM\7\1\1de", 19);
	CHECK(!rr.is_name_done);
	rockridge_add(&rr, (const uint8_t *)"NM\7\1\0fgNM\6\1\0x", 13);
	CHECK(rr.is_name_done);
	CHECK_STR(rr.name, "abcdefg");
	CHECK_U64(rr.name_len, 7);
}

static void test_name_too_long(void)
{
	uint8_t entry[255] = { 'N', 'M', 255, 1, 1 };
	struct rockridge rr;

	memset(entry + 5, 'n', 250);
	rockridge_init(&rr);
	rockridge_add(&rr, entry, sizeof(entry));
	rockridge_add(&rr, entry, sizeof(entry));
	CHECK_U64(rr.name_len, 255);
	CHECK_U64(strlen(rr.name), 255);
}

static void test_entries(void)
{
	uint8_t ce[28] = { 'C', 'E', 28, 1 }, cl[12] = { 'C', 'L', 12, 1 };
	struct rockridge rr;

	put_both32(ce + 4, 100);
	put_both32(ce + 12, 20);
	put_both32(ce + 20, 300);
	put_both32(cl + 4, 55);
	rockridge_init(&rr);
	rockridge_add(&rr, ce, sizeof(ce));
	CHECK(rr.has_more && rr.more_lba == 100 && rr.more_offset == 20 && rr.more_len == 300);
	rockridge_add(&rr, cl, sizeof(cl));
	CHECK(!rr.has_more && rr.has_child && rr.child_lba == 55);
	rockridge_add(&rr, (const uint8_t *)"RE\4\1ST\4\1NM\6\1\0x", 14);
	CHECK(rr.is_moved && rr.is_ended && rr.name_len == 0);
}

static void test_malformed(void)
{
	struct rockridge rr;

	rockridge_init(&rr);
	rockridge_add(&rr, (const uint8_t *)"NM\0\1\0x", 6); /* would never end */
	rockridge_add(&rr, (const uint8_t *)"NM\3\1\0x", 6);
	rockridge_add(&rr, (const uint8_t *)"NM\7\1\0x", 6); /* longer than the area */
	rockridge_add(&rr, (const uint8_t *)"NM\4\1", 4); /* no flags */
	rockridge_add(&rr, (const uint8_t *)"CE\4\1CL\4\1", 8);
	rockridge_add(&rr, (const uint8_t *)"NM\6\1\2.", 6); /* "." itself */
	rockridge_add(&rr, (const uint8_t *)"NM", 2);
	CHECK(rr.name_len == 0 && !rr.has_more && !rr.has_child);
}

int main(void)
{
	RUN(test_sp);
	RUN(test_name_in_pieces);
	RUN(test_name_too_long);
	RUN(test_entries);
	RUN(test_malformed);
	return tap_done();
}
