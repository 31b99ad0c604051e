// SPDX-License-Identifier: GPL-3.0-or-later
/* disk/hfs: headers and the catalog's first record, as xorriso and genisoimage write them. */
#include "disk/hfs.h"

#include "tap.h"

static void put(uint8_t *p, unsigned int len, uint32_t v)
{
	while (len-- > 0) {
		p[len] = (uint8_t)v;
		v >>= 8;
	}
}

static void test_plus(void)
{
	uint8_t header[HFS_HEADER_SIZE] = { 'H', '+', 0, 4 };
	struct hfs_volume v;

	CHECK(!hfs_decode(header, &v)); /* no blocks */
	put(header + 40, 4, 2048);
	put(header + 44, 4, 0xffffffff);
	put(header + 272 + 16, 4, 7);
	CHECK(hfs_decode(header, &v));
	CHECK(v.kind == HFS_PLUS && v.embedded == 0 && v.name[0] == '\0');
	CHECK_U64(v.size, 0xffffffffull * 2048);
	CHECK_U64(v.catalog, 7 * 2048);
	put(header + 40, 4, 2049);
	CHECK(!hfs_decode(header, &v));
	put(header + 40, 4, 256);
	CHECK(!hfs_decode(header, &v));
	put(header + 40, 4, 4096);
	put(header, 4, 0x48580005);
	CHECK(hfs_decode(header, &v) && v.kind == HFS_PLUS_X);
	put(header + 2, 2, 4);
	CHECK(!hfs_decode(header, &v));
	CHECK_STR(hfs_kind_name(HFS_PLUS), "HFS+");
}

static void test_old(void)
{
	uint8_t header[HFS_HEADER_SIZE] = { 'B', 'D' };
	struct hfs_volume v;

	CHECK(!hfs_decode(header, &v));
	put(header + 18, 2, 440);
	put(header + 20, 4, 2048);
	put(header + 28, 2, 4);
	memcpy(header + 36, "\7OLD HFSjunk", 12);
	CHECK(hfs_decode(header, &v));
	CHECK(v.kind == HFS_OLD && v.embedded == 0 && v.catalog == 0);
	CHECK_STR(v.name, "OLD HFS");
	CHECK_U64(v.size, 903168);
	/* A wrapper, for systems that know only HFS. */
	put(header + 124, 2, 0x482b);
	put(header + 126, 2, 10);
	CHECK(hfs_decode(header, &v));
	CHECK_U64(v.embedded, 4 * 512 + 10 * 2048);
	header[36] = 28;
	CHECK(!hfs_decode(header, &v));
	header[36] = 27;
	CHECK(hfs_decode(header, &v) && strlen(v.name) == 11);
	put(header + 20, 4, 2049);
	CHECK(!hfs_decode(header, &v));
}

static void test_name(void)
{
	uint8_t node[HFS_NODE_HEAD] = { 0 };
	char name[HFS_NAME_SIZE];
	uint64_t leaf = 1;

	CHECK(!hfs_decode_tree(node, &leaf) && leaf == 1);
	node[8] = 1; /* a header node */
	put(node + 24, 4, 3);
	put(node + 32, 2, 4096);
	CHECK(hfs_decode_tree(node, &leaf));
	CHECK_U64(leaf, 3 * 4096);
	put(node + 32, 2, 4095);
	CHECK(!hfs_decode_tree(node, &leaf));

	memset(node, 0, sizeof(node));
	hfs_decode_name(node, name);
	CHECK_STR(name, "");
	node[8] = 0xff; /* a leaf */
	put(node + 16, 4, 1);
	put(node + 20, 2, 3);
	memcpy(node + 22, "\0M\0a\0\xe7\0x", 8);
	hfs_decode_name(node, name);
	CHECK_STR(name, "Ma\xc3\xa7");
	put(node + 20, 2, 246); /* beyond what was read */
	hfs_decode_name(node, name);
	CHECK_STR(name, "");
	put(node + 20, 2, 245);
	memset(node + 22, 'n', 490);
	hfs_decode_name(node, name);
	CHECK(strlen(name) < HFS_NAME_SIZE && strlen(name) > HFS_NAME_SIZE - 5);
	put(node + 16, 4, 2); /* another folder's record */
	hfs_decode_name(node, name);
	CHECK_STR(name, "");
}

int main(void)
{
	RUN(test_plus);
	RUN(test_old);
	RUN(test_name);
	return tap_done();
}
