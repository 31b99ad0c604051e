// SPDX-License-Identifier: GPL-3.0-or-later
/* Empty exFAT volumes: limits, alignment, the checksums, the up-case table. */
#include "disk/exfat-format.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/num.h"
#include "disk/fat.h"
#include "tap.h"

#define ALIGN (4 * MIB)

static void test_sizes(void)
{
	static const uint32_t sectors[] = { 512, 4096 };
	struct exfat_format f;

	for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
		for (uint64_t size = 7 * MIB; size < 5000000000000; size += size / 3) {
			uint64_t used;

			size = num_round_up(size, MIB);
			CHECK(exfat_format_layout(&f, sectors[i], MIB, size, MIB));
			used = exfat_format_cluster_offset(&f, f.root_cluster);
			CHECK_U64(exfat_format_cluster_offset(&f, 2) % MIB, 0);
			CHECK(f.fat_offset >= 24);
			CHECK(f.fat_offset + f.fat_sectors <= f.heap_offset);
			CHECK(f.fat_sectors * (uint64_t)sectors[i] >= (f.n_clusters + 2ULL) * 4);
			CHECK(exfat_format_cluster_offset(&f, 2) +
				      (uint64_t)f.n_clusters * f.cluster_size <=
			      size);
			CHECK((f.upcase_cluster - 2) * (uint64_t)f.cluster_size * 8 >=
			      f.n_clusters);
			CHECK(used + f.cluster_size <= size);
			CHECK(used <= 40 * MIB); /* what has to be written */
		}
	}
	CHECK(!exfat_format_layout(&f, 512, MIB, MIB / 2, MIB));
	CHECK(exfat_format_layout(&f, 512, ALIGN, 256000000000 / MIB * MIB, ALIGN));
	CHECK_U64(f.cluster_size, 128 * KIB);
}

/* The table that the specification recommends, by its size and checksum there. */
static void test_upcase(void)
{
	uint8_t table[EXFAT_UPCASE_MAX];
	size_t len = exfat_format_upcase(table);
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (sum << 31 | sum >> 1) + table[i];
	CHECK_U64(len, 5836);
	CHECK_U64(sum, 0xe619d30d);
	CHECK_U64(exfat_upcase('a'), 'A');
	CHECK_U64(exfat_upcase('{'), '{');
	CHECK_U64(exfat_upcase(0xe4), 0xc4);
	CHECK_U64(exfat_upcase(0x0132), 0x0132);
}

static void test_boot(void)
{
	uint8_t *buf = malloc(EXFAT_BOOT_SECTORS * 4096);
	struct fat_volume seen;
	struct exfat_format f;
	uint32_t sum = 0;

	CHECK(exfat_format_layout(&f, 4096, ALIGN, 1024 * MIB, ALIGN));
	CHECK_U64(exfat_format_boot(&f, buf), EXFAT_BOOT_SECTORS * 4096);
	CHECK(fat_decode(buf, &seen));
	CHECK(seen.kind == FAT_EXFAT);
	CHECK_U64(seen.size, 1024 * MIB);
	CHECK_U64(seen.sector_size, 4096);
	CHECK_U64(le32_at(buf + 64), ALIGN / 4096); /* partition offset */
	for (size_t i = 0; i < 11 * 4096; i++)
		if (i != 106 && i != 107 && i != 112)
			sum = (sum << 31 | sum >> 1) + buf[i];
	CHECK_U64(le32_at(buf + 11 * 4096), sum);
	CHECK_U64(le32_at(buf + 12 * 4096 - 4), sum);
	CHECK_U64(le32_at(buf + 2 * 4096 - 4), 0xaa550000);
	CHECK_U64(le32_at(buf + 10 * 4096 - 4), 0);
	free(buf);
}

static void test_chains_and_bitmap(void)
{
	struct exfat_format f;
	uint8_t buf[4096];

	/* 2 clusters of bitmap, 2 of the table, 1 of the root directory. */
	CHECK(exfat_format_layout(&f, 512, MIB, 200 * MIB, MIB));
	CHECK_U64(f.upcase_cluster, 4);
	CHECK_U64(f.root_cluster, 6);
	CHECK_U64(exfat_format_fat_size(&f), 28);
	exfat_format_fat(&f, buf);
	CHECK_U64(le32_at(buf), 0xfffffff8);
	CHECK_U64(le32_at(buf + 8), 3);
	CHECK_U64(le32_at(buf + 12), 0xffffffff);
	CHECK_U64(le32_at(buf + 16), 5);
	CHECK_U64(le32_at(buf + 20), 0xffffffff);
	CHECK_U64(le32_at(buf + 24), 0xffffffff);
	CHECK_U64(exfat_format_bitmap_size(&f), 1);
	exfat_format_bitmap(&f, buf);
	CHECK_U64(buf[0], 0x1f);
}

static void test_root(void)
{
	struct exfat_format f;
	uint8_t buf[96];

	CHECK(exfat_format_layout(&f, 512, MIB, 200 * MIB, MIB));
	CHECK_U64(exfat_format_root(&f, buf), 64);
	CHECK_U64(buf[0], 0x81);
	CHECK_U64(buf[32], 0x82);
	f.label_len = 2;
	f.label[0] = 0xe9;
	f.label[1] = 0x20ac;
	CHECK_U64(exfat_format_root(&f, buf), 96);
	CHECK(!memcmp(buf, "\x83\x02\xe9\x00\xac\x20\x00", 7));
	CHECK_U64(le32_at(buf + 64 + 4), 0xe619d30d);
	CHECK_U64(le32_at(buf + 64 + 20), f.upcase_cluster);
	CHECK_U64(le32_at(buf + 64 + 24), 5836);
}

int main(void)
{
	RUN(test_sizes);
	RUN(test_upcase);
	RUN(test_boot);
	RUN(test_chains_and_bitmap);
	RUN(test_root);
	return tap_done();
}
