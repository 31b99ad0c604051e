// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * exFAT volumes (Microsoft's exFAT file system specification, revision 1.00;
 * section numbers are its own); see exfat-format.h.
 */
#include "disk/exfat-format.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

#define MIN_VOLUME MIB          /* section 3.1.5: VolumeLength */
#define MAX_CLUSTERS 0xfffffff5 /* section 3.1.9 */
#define MAX_CLUSTER (32 * MIB)  /* section 3.1.15 */
#define FIRST_CLUSTER 2

/* Behind both boot regions for sectors of every size (2 * 12 * 4096), on a round number. */
#define FAT_OFFSET (128 * KIB)

/* Larger clusters from here on, so that giving a stick back takes a second. */
#define MAX_FAT_BYTES (16 * MIB)

/* Section 3.1. */
struct disk_boot {
	uint8_t jump[3];
	uint8_t name[8];
	uint8_t zero[53];
	le64 partition_offset;
	le64 n_sectors;
	le32 fat_offset;
	le32 fat_sectors;
	le32 heap_offset;
	le32 n_clusters;
	le32 root_cluster;
	le32 serial;
	le16 revision;
	le16 flags;
	uint8_t sector_shift;
	uint8_t cluster_shift; /* sectors */
	uint8_t n_fats;
	uint8_t drive;
	uint8_t percent_in_use;
	uint8_t reserved[7];
	uint8_t code[390];
	uint8_t signature[2];
};

#define OFFSET_FLAGS 106   /* these three bytes change while it is used, */
#define OFFSET_PERCENT 112 /* so they are in no checksum (section 3.4) */

/* Section 6.2, 7.1, 7.2 and 7.3: directory entries. */
struct disk_entry {
	uint8_t type;
	uint8_t first; /* bitmap: flags; label: units */
	uint8_t bytes[18];
	le32 first_cluster;
	le64 len;
};

#define TYPE_BITMAP 0x81
#define TYPE_UPCASE 0x82
#define TYPE_LABEL 0x83

static_assert(sizeof(struct disk_boot) == 512, "exFAT boot sector");
static_assert(offsetof(struct disk_boot, partition_offset) == 64, "exFAT boot sector");
static_assert(offsetof(struct disk_boot, flags) == OFFSET_FLAGS, "exFAT boot sector");
static_assert(offsetof(struct disk_boot, percent_in_use) == OFFSET_PERCENT, "exFAT boot sector");
static_assert(sizeof(struct disk_entry) == 32, "exFAT directory entry");

static uint8_t shift_of(uint64_t power)
{
	return (uint8_t)__builtin_ctzll(power);
}

static uint64_t clusters_for(const struct exfat_format *f, uint64_t bytes)
{
	return num_round_up(bytes, f->cluster_size) / f->cluster_size;
}

static uint32_t bitmap_bytes(const struct exfat_format *f)
{
	return (uint32_t)(((uint64_t)f->n_clusters + 7) / 8);
}

/* Clusters that are in use. */
static uint32_t n_used(const struct exfat_format *f)
{
	return f->root_cluster + 1 - FIRST_CLUSTER;
}

static uint32_t choose_cluster(uint64_t size, uint32_t sector_size)
{
	/* Microsoft's own (KB 140365). */
	uint64_t cluster = size <= 256 * MIB ? 4 * KIB : size <= 32 * GIB ? 32 * KIB : 128 * KIB;

	while (cluster < MAX_CLUSTER && size / cluster * sizeof(le32) > MAX_FAT_BYTES)
		cluster *= 2;
	return (uint32_t)num_max(cluster, sector_size);
}

bool exfat_format_layout(struct exfat_format *ret, uint32_t sector_size, uint64_t start,
			 uint64_t size, uint64_t align)
{
	struct exfat_format f = { .sector_size = sector_size, .start = start };
	uint8_t table[EXFAT_UPCASE_MAX];
	uint64_t most, heap, clusters;

	f.n_sectors = size / sector_size;
	f.cluster_size = choose_cluster(size, sector_size);
	most = size / f.cluster_size;
	f.fat_offset = (uint32_t)(FAT_OFFSET / sector_size);
	f.fat_sectors = (uint32_t)num_min(
		num_round_up((most + FIRST_CLUSTER) * sizeof(le32), sector_size) / sector_size,
		UINT32_MAX);
	heap = num_round_up(FAT_OFFSET + (uint64_t)f.fat_sectors * sector_size, align);
	if (size < MIN_VOLUME || heap >= size || heap / sector_size > UINT32_MAX)
		return false;
	f.heap_offset = (uint32_t)(heap / sector_size);
	clusters = (size - heap) / f.cluster_size;
	if (clusters > MAX_CLUSTERS)
		return false;
	f.n_clusters = (uint32_t)clusters;
	f.upcase_size = (uint32_t)exfat_format_upcase(table);
	f.bitmap_cluster = FIRST_CLUSTER;
	f.upcase_cluster = f.bitmap_cluster + (uint32_t)clusters_for(&f, bitmap_bytes(&f));
	f.root_cluster = f.upcase_cluster + (uint32_t)clusters_for(&f, f.upcase_size);
	if (n_used(&f) >= clusters)
		return false;
	*ret = f;
	return true;
}

uint64_t exfat_format_fat_offset(const struct exfat_format *f)
{
	return (uint64_t)f->fat_offset * f->sector_size;
}

uint64_t exfat_format_cluster_offset(const struct exfat_format *f, uint32_t cluster)
{
	return (uint64_t)f->heap_offset * f->sector_size +
	       (uint64_t)(cluster - FIRST_CLUSTER) * f->cluster_size;
}

/* Section 3.4, figure 1; also section 7.2.2, with no byte left out. */
static uint32_t checksum(const uint8_t *p, size_t len, bool is_boot)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		if (is_boot && (i == OFFSET_FLAGS || i == OFFSET_FLAGS + 1 || i == OFFSET_PERCENT))
			continue;
		sum = (sum << 31 | sum >> 1) + p[i];
	}
	return sum;
}

static void put_boot_sector(const struct exfat_format *f, uint8_t *sector)
{
	struct disk_boot boot = {
		.jump = { 0xeb, 0x76, 0x90 },
		.partition_offset = le64_put(f->start / f->sector_size),
		.n_sectors = le64_put(f->n_sectors),
		.fat_offset = le32_put(f->fat_offset),
		.fat_sectors = le32_put(f->fat_sectors),
		.heap_offset = le32_put(f->heap_offset),
		.n_clusters = le32_put(f->n_clusters),
		.root_cluster = le32_put(f->root_cluster),
		.serial = le32_put(f->serial),
		.revision = le16_put(0x0100),
		.sector_shift = shift_of(f->sector_size),
		.cluster_shift = shift_of(f->cluster_size / f->sector_size),
		.n_fats = 1,
		.drive = 0x80,
		.percent_in_use = (uint8_t)((uint64_t)n_used(f) * 100 / f->n_clusters),
		.signature = { 0x55, 0xaa },
	};

	memcpy(boot.name, "EXFAT   ", sizeof(boot.name));
	memset(boot.code, 0xf4, sizeof(boot.code)); /* section 3.1.18: hlt where nothing boots */
	memcpy(sector, &boot, sizeof(boot));
}

size_t exfat_format_boot(const struct exfat_format *f, uint8_t *buf)
{
	const le32 extended = le32_put(0xaa550000);
	size_t ss = f->sector_size, last = EXFAT_BOOT_SECTORS - 1;
	le32 sum;

	memset(buf, 0, EXFAT_BOOT_SECTORS * ss);
	put_boot_sector(f, buf);
	/* Sectors 1 to 8 are extended boot sectors; 9 and 10 stay zero (sections 3.2, 3.3). */
	for (size_t i = 1; i <= 8; i++)
		memcpy(buf + (i + 1) * ss - sizeof(extended), &extended, sizeof(extended));
	sum = le32_put(checksum(buf, last * ss, true));
	for (size_t i = 0; i < ss; i += sizeof(sum))
		memcpy(buf + last * ss + i, &sum, sizeof(sum));
	return EXFAT_BOOT_SECTORS * ss;
}

size_t exfat_format_fat_size(const struct exfat_format *f)
{
	return (f->root_cluster + 1) * sizeof(le32);
}

void exfat_format_fat(const struct exfat_format *f, uint8_t *buf)
{
	for (uint32_t i = 0; i <= f->root_cluster; i++) {
		bool is_last = i + 1 == f->upcase_cluster || i + 1 == f->root_cluster ||
			       i == f->root_cluster;
		/* Section 4.1: the media type, a mark, then chains. */
		le32 entry = le32_put(i == 0 ? 0xfffffff8 : i == 1 || is_last ? 0xffffffff : i + 1);

		memcpy(buf + i * sizeof(entry), &entry, sizeof(entry));
	}
}

size_t exfat_format_bitmap_size(const struct exfat_format *f)
{
	return (n_used(f) + 7) / 8;
}

void exfat_format_bitmap(const struct exfat_format *f, uint8_t *buf)
{
	memset(buf, 0, exfat_format_bitmap_size(f));
	for (uint32_t i = 0; i < n_used(f); i++)
		buf[i / 8] = (uint8_t)(buf[i / 8] | 1u << i % 8);
}

/* Section 7.2.5.1: FFFF and a count stand for so many characters that are their own capitals. */
#define MIN_RUN 512 /* of those, as the recommended table has it */

static uint32_t identity_run(uint32_t c)
{
	uint32_t n = 0;

	while (c + n < 0x10000 && exfat_upcase((uint16_t)(c + n)) == c + n)
		n++;
	return n;
}

static size_t put_unit(uint8_t *buf, size_t len, uint32_t unit)
{
	const le16 v = le16_put((uint16_t)unit);

	if (len + sizeof(v) <= EXFAT_UPCASE_MAX)
		memcpy(buf + len, &v, sizeof(v));
	return len + sizeof(v);
}

size_t exfat_format_upcase(uint8_t *buf)
{
	size_t len = 0;

	for (uint32_t c = 0; c < 0x10000;) {
		uint32_t n = identity_run(c);

		if (n >= MIN_RUN) {
			len = put_unit(buf, put_unit(buf, len, 0xffff), n);
			c += n;
			continue;
		}
		for (; n > 0; n--)
			len = put_unit(buf, len, c++);
		if (c < 0x10000) {
			len = put_unit(buf, len, exfat_upcase((uint16_t)c));
			c++;
		}
	}
	return len;
}

static void put_entry(uint8_t *p, uint8_t type, uint32_t first_cluster, uint64_t len)
{
	const struct disk_entry entry = {
		.type = type,
		.first_cluster = le32_put(first_cluster),
		.len = le64_put(len),
	};

	memcpy(p, &entry, sizeof(entry));
}

size_t exfat_format_root(const struct exfat_format *f, uint8_t *buf)
{
	uint8_t table[EXFAT_UPCASE_MAX];
	size_t n = 0, len = exfat_format_upcase(table);
	const le32 sum = le32_put(checksum(table, len, false));

	if (f->label_len > 0) {
		put_entry(buf, TYPE_LABEL, 0, 0);
		buf[1] = f->label_len;
		for (size_t i = 0; i < f->label_len; i++) {
			const le16 unit = le16_put(f->label[i]);

			memcpy(buf + 2 + i * sizeof(unit), &unit, sizeof(unit));
		}
		n += sizeof(struct disk_entry);
	}
	put_entry(buf + n, TYPE_BITMAP, f->bitmap_cluster, bitmap_bytes(f));
	n += sizeof(struct disk_entry);
	put_entry(buf + n, TYPE_UPCASE, f->upcase_cluster, len);
	memcpy(buf + n + 4, &sum, sizeof(sum));
	return n + sizeof(struct disk_entry);
}
