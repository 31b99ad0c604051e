// SPDX-License-Identifier: GPL-3.0-or-later
/* Empty FAT volumes: limits, alignment, and what the boot sector says. */
#include "disk/fat-format.h"

#include "base/bytes.h"
#include "base/num.h"
#include "tap.h"

#define ALIGN (4 * MIB)

/* What holds of every layout. */
static void check_layout(const struct fat_format *f, uint64_t size, uint64_t align)
{
	uint64_t entry = f->kind == FAT_32 ? 4 : 2, ss = f->sector_size;
	uint64_t data =
		fat_format_root_offset(f) + (f->kind == FAT_32 ? 0 : fat_format_root_size(f));

	CHECK(f->reserved_sectors >= (f->kind == FAT_32 ? 32 : 1));
	CHECK(f->reserved_sectors <= 65535);
	CHECK(data % align == 0);
	CHECK(f->fat_sectors * ss >= (f->n_clusters + 2ULL) * entry);
	CHECK(data + (uint64_t)f->n_clusters * f->cluster_size <= size);
	CHECK(f->cluster_size >= ss && f->cluster_size / ss <= 128);
	CHECK(num_is_power_of_2(f->cluster_size));
	if (f->kind == FAT_32)
		CHECK(f->n_clusters >= 65525 && f->n_clusters <= 0x0ffffff5);
	else
		CHECK(f->n_clusters >= 4085 && f->n_clusters < 65525);
}

static void test_sizes(void)
{
	static const uint32_t sectors[] = { 512, 1024, 2048, 4096 };
	struct fat_format f;

	for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
		/* Odd sizes too, each a third larger than the last one, to 2 TB. */
		for (uint64_t size = 3 * MIB; size < 2000000000000; size += size / 3) {
			size = num_round_up(size, sectors[i]);
			if (fat_format_layout(&f, FAT_32, sectors[i], MIB, size, MIB))
				check_layout(&f, size, MIB);
			else
				CHECK(size < 65525ULL * sectors[i] + 3 * MIB);
			if (fat_format_layout(&f, FAT_32, sectors[i], ALIGN, size, ALIGN))
				check_layout(&f, size, ALIGN);
			if (fat_format_layout(&f, FAT_16, sectors[i], MIB, size, MIB))
				check_layout(&f, size, MIB);
		}
	}
}

static void test_limits(void)
{
	struct fat_format f;

	CHECK(fat_format_layout(&f, FAT_32, 512, MIB, 36 * MIB, MIB));
	CHECK_U64(f.cluster_size, 512);
	CHECK(!fat_format_layout(&f, FAT_32, 512, MIB, 32 * MIB, MIB));
	CHECK(fat_format_layout(&f, FAT_16, 512, MIB, 32 * MIB, MIB));
	CHECK(!fat_format_layout(&f, FAT_32, 4096, MIB, 250 * MIB, MIB));
	CHECK(fat_format_layout(&f, FAT_16, 4096, MIB, 250 * MIB, MIB));
	CHECK(fat_format_layout(&f, FAT_32, 4096, ALIGN, 270 * MIB, ALIGN));
	CHECK(!fat_format_layout(&f, FAT_16, 4096, MIB, 16 * MIB, MIB));
	/* 32 bits count the sectors. */
	CHECK(fat_format_layout(&f, FAT_32, 512, ALIGN, 0xffffffffULL * 512, ALIGN));
	CHECK(!fat_format_layout(&f, FAT_32, 512, ALIGN, 0x100000000ULL * 512, ALIGN));
	CHECK(fat_format_layout(&f, FAT_32, 4096, ALIGN, 0x100000000ULL * 512, ALIGN));
}

/* The less FAT, the sooner the stick is back: 32 KiB clusters would want 64 MB at 256 GB. */
static void test_large_volumes_have_large_clusters(void)
{
	struct fat_format f;

	CHECK(fat_format_layout(&f, FAT_32, 512, ALIGN, 32000000000, ALIGN));
	CHECK_U64(f.cluster_size, 16 * KIB);
	CHECK(fat_format_layout(&f, FAT_32, 512, ALIGN, 128000000000, ALIGN));
	CHECK_U64(f.cluster_size, 32 * KIB);
	CHECK(fat_format_layout(&f, FAT_32, 512, ALIGN, 256000000000, ALIGN));
	CHECK_U64(f.cluster_size, 64 * KIB);
	CHECK(2 * f.fat_sectors * 512ULL <= 32 * MIB);
}

static void test_boot_32(void)
{
	uint8_t buf[FAT_MAX_BOOT_SECTORS * 512];
	struct fat_volume seen;
	struct fat_format f;

	CHECK(fat_format_layout(&f, FAT_32, 512, ALIGN, 16000000000 / MIB * MIB, ALIGN));
	f.serial = 0x12345678;
	strcpy(f.label, "KEY");
	CHECK_U64(fat_format_boot(&f, buf), sizeof(buf));
	CHECK(fat_decode(buf, &seen));
	CHECK(seen.kind == FAT_32);
	CHECK_U64(seen.size, 16000000000 / MIB * MIB);
	CHECK_STR(seen.label, "KEY");
	CHECK_U64(le32_at(buf + 28), ALIGN / 512); /* hidden sectors */
	CHECK_U64(le32_at(buf + 67), 0x12345678);
	CHECK(!memcmp(buf + 3, "isowrite", 8));
	CHECK(!memcmp(buf + 82, "FAT32   ", 8));
	/* The copies, and FSInfo's count. */
	CHECK(!memcmp(buf, buf + 6 * 512, 3 * 512));
	CHECK_U64(le32_at(buf + 512), 0x41615252);
	CHECK_U64(le32_at(buf + 512 + 488), f.n_clusters - 1);
	CHECK_U64(le16_at(buf + 3 * 512 - 2), 0xaa55);
}

static void test_boot_16(void)
{
	uint8_t buf[FAT_MAX_BOOT_SECTORS * 4096];
	struct fat_volume seen;
	struct fat_format f;

	CHECK(fat_format_layout(&f, FAT_16, 4096, MIB, 100 * MIB, MIB));
	CHECK_U64(fat_format_boot(&f, buf), 4096);
	CHECK(fat_decode(buf, &seen));
	CHECK(seen.kind == FAT_16);
	CHECK_U64(seen.sector_size, 4096);
	CHECK_U64(seen.size, 100 * MIB);
	CHECK_STR(seen.label, "");
	CHECK(!memcmp(buf + 43, "NO NAME    FAT16   ", 19));
	CHECK_U64(le16_at(buf + 510), 0xaa55);
}

static void test_heads(void)
{
	struct fat_format f = { .kind = FAT_32 };
	struct tm tm = { .tm_year = 126, .tm_mon = 10, .tm_mday = 22, .tm_hour = 14, .tm_sec = 58 };
	uint8_t head[12], entry[32];

	CHECK_U64(fat_format_fat_head(&f, head), 12);
	CHECK_U64(le32_at(head), 0x0ffffff8);
	CHECK_U64(le32_at(head + 8), 0x0fffffff);
	f.kind = FAT_16;
	CHECK_U64(fat_format_fat_head(&f, head), 4);
	CHECK_U64(le32_at(head), 0xfffffff8);
	CHECK_U64(fat_format_root_head(&f, entry), 0);
	strcpy(f.label, "MY KEY");
	fat_format_set_time(&f, &tm);
	CHECK_U64(fat_format_root_head(&f, entry), 32);
	CHECK(!memcmp(entry, "MY KEY     \x08", 12));
	CHECK_U64(le16_at(entry + 24), 46 << 9 | 11 << 5 | 22);
	CHECK_U64(le16_at(entry + 22), 14 << 11 | 29);
	tm.tm_year = 70;
	fat_format_set_time(&f, &tm);
	CHECK_U64(f.date, 1 << 5 | 1);
	tm.tm_year = 208;
	fat_format_set_time(&f, &tm);
	CHECK_U64(f.date, 1 << 5 | 1);
}

int main(void)
{
	RUN(test_sizes);
	RUN(test_limits);
	RUN(test_large_volumes_have_large_clusters);
	RUN(test_boot_32);
	RUN(test_boot_16);
	RUN(test_heads);
	return tap_done();
}
