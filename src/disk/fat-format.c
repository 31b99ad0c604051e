// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * FAT16 and FAT32 volumes (Microsoft FAT specification, 2005; section numbers
 * are its own); see fat-format.h.
 */
#include "disk/fat-format.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "disk/mbr.h"

#define N_FATS 2
#define MIN_RESERVED_32 32 /* as everybody has it: boot sectors, FSInfo, their copies */
#define ROOT_ENTRIES_16 512
#define ENTRY_SIZE 32
#define ATTR_VOLUME_ID 0x08
#define MEDIA_FIXED 0xf8

/*
 * Section 3.5: fewer than 4085 clusters are FAT12, fewer than 65525 FAT16; it
 * advises to stay 16 away from either, since others count wrong by a few.
 */
#define COUNT_MARGIN 16
#define MIN_CLUSTERS_16 (4085 + COUNT_MARGIN)
#define MIN_CLUSTERS_32 (65525 + COUNT_MARGIN)
#define MAX_CLUSTERS_16 (65525 - 1 - COUNT_MARGIN)
#define MAX_CLUSTERS_32 0x0ffffff5
#define MAX_RESERVED 65535

/*
 * Larger clusters from here on, so that giving a stick back takes a second: what
 * is written of an empty volume is little else than its FATs.
 */
#define MAX_FAT_BYTES (16 * MIB)
#define MAX_CLUSTER_16 (32 * KIB)
#define MAX_CLUSTER_32 (64 * KIB)

#define BACKUP_SECTOR 6
#define FSINFO_SECTOR 1
#define THIRD_SECTOR 2 /* code of Microsoft's boot sector; others look for its signature */
#define N_BOOT_SECTORS_32 9

/* Section 3.1; the FAT32 members follow section 3.3. */
struct disk_boot {
	uint8_t jump[3];
	uint8_t oem[8];
	le16 sector_size;
	uint8_t cluster_sectors;
	le16 reserved_sectors;
	uint8_t n_fats;
	le16 n_root_entries;
	le16 sectors_16;
	uint8_t media;
	le16 fat_sectors_16;
	le16 track_sectors;
	le16 n_heads;
	le32 hidden_sectors;
	le32 sectors_32;
};

struct disk_boot_32 {
	le32 fat_sectors;
	le16 flags;
	le16 version;
	le32 root_cluster;
	le16 fsinfo_sector;
	le16 backup_sector;
	uint8_t reserved[12];
};

struct disk_boot_tail {
	uint8_t drive;
	uint8_t reserved;
	uint8_t signature; /* 29h: the next three members are there */
	le32 serial;
	uint8_t label[FAT_LABEL_SIZE];
	uint8_t type[8];
};

/* Section 3.4. */
struct disk_fsinfo {
	le32 lead;
	uint8_t reserved1[480];
	le32 signature;
	le32 n_free;
	le32 next_free;
	uint8_t reserved2[12];
	le32 trail;
};

static_assert(sizeof(struct disk_boot) == 36, "BPB");
static_assert(sizeof(struct disk_boot) + sizeof(struct disk_boot_32) == 64, "BPB of FAT32");
static_assert(sizeof(struct disk_boot_tail) == 26, "BPB");
static_assert(sizeof(struct disk_fsinfo) == 512, "FSInfo");

static uint32_t entry_bytes(const struct fat_format *f)
{
	return f->kind == FAT_32 ? 4 : 2;
}

/* Sectors of a FAT16's root directory. */
static uint32_t root_sectors(const struct fat_format *f)
{
	return f->kind == FAT_32 ? 0 : ROOT_ENTRIES_16 * ENTRY_SIZE / f->sector_size;
}

static uint64_t data_sector(const struct fat_format *f)
{
	return f->reserved_sectors + (uint64_t)N_FATS * f->fat_sectors + root_sectors(f);
}

/* Reserved sectors that align the clusters, for FATs of so many sectors; false: too many. */
static bool reserve(struct fat_format *f, uint64_t fat_sectors, uint64_t align)
{
	uint64_t used = N_FATS * fat_sectors + root_sectors(f);
	uint64_t least = used + (f->kind == FAT_32 ? MIN_RESERVED_32 : 1);
	uint64_t reserved = num_round_up(least, align / f->sector_size) - used;
	uint64_t cluster_sectors = f->cluster_size / f->sector_size, data;

	if (reserved > MAX_RESERVED || fat_sectors > UINT32_MAX)
		return false;
	f->fat_sectors = (uint32_t)fat_sectors;
	f->reserved_sectors = (uint32_t)reserved;
	data = data_sector(f);
	f->n_clusters =
		data < f->n_sectors ? (uint32_t)((f->n_sectors - data) / cluster_sectors) : 0;
	return true;
}

static uint64_t fat_sectors_for(const struct fat_format *f, uint64_t n_clusters)
{
	return num_round_up((n_clusters + 2) * entry_bytes(f), f->sector_size) / f->sector_size;
}

/*
 * The FAT's size depends on the number of clusters, and that on the FAT's size:
 * begins with more than enough, then takes what that leaves, if it still suffices.
 */
static bool lay_out(struct fat_format *f, uint64_t align)
{
	uint64_t ample = fat_sectors_for(f, f->n_sectors / (f->cluster_size / f->sector_size));
	uint64_t tight;

	if (!reserve(f, ample, align))
		return false;
	tight = fat_sectors_for(f, f->n_clusters);
	if (tight < ample &&
	    (!reserve(f, tight, align) || fat_sectors_for(f, f->n_clusters) > tight))
		return reserve(f, ample, align);
	return true;
}

static uint32_t usual_cluster(enum fat_kind kind, uint32_t sector_size, uint64_t size)
{
	/* Microsoft's own for FAT32 (KB 140365), by the volume's size. */
	static const struct {
		uint64_t up_to;
		uint32_t cluster;
	} table[] = {
		{ 64 * MIB, 512 }, { 128 * MIB, 1024 }, { 256 * MIB, 2048 },
		{ 8 * GIB, 4096 }, { 16 * GIB, 8192 },  { 32 * GIB, 16384 },
	};
	uint32_t cluster = 32768;

	for (size_t i = ARRAY_SIZE(table); i-- > 0;)
		if (size <= table[i].up_to)
			cluster = table[i].cluster;
	if (kind == FAT_16)
		cluster = 512;
	return (uint32_t)num_max(cluster, sector_size);
}

/* Ends: the cluster only grows, up to a bound, then only shrinks, down to a sector. */
static bool choose_cluster(struct fat_format *f, uint64_t align)
{
	bool is_32 = f->kind == FAT_32;
	uint32_t min = is_32 ? MIN_CLUSTERS_32 : MIN_CLUSTERS_16;
	uint32_t max = is_32 ? MAX_CLUSTERS_32 : MAX_CLUSTERS_16;
	uint64_t max_cluster = is_32 ? MAX_CLUSTER_32 : MAX_CLUSTER_16;
	uint64_t volume = (uint64_t)f->n_sectors * f->sector_size;

	f->cluster_size = usual_cluster(f->kind, f->sector_size, volume);
	while (f->cluster_size < max_cluster &&
	       (volume / f->cluster_size > max ||
		volume / f->cluster_size * entry_bytes(f) > MAX_FAT_BYTES))
		f->cluster_size *= 2;
	while (!lay_out(f, align) || f->n_clusters < min) {
		if (f->cluster_size <= f->sector_size)
			return false;
		f->cluster_size /= 2;
	}
	return f->n_clusters <= max;
}

bool fat_format_layout(struct fat_format *ret, enum fat_kind kind, uint32_t sector_size,
		       uint64_t start, uint64_t size, uint64_t align)
{
	struct fat_format f = { .kind = kind, .sector_size = sector_size, .start = start };

	if (size / sector_size > UINT32_MAX || start / sector_size > UINT32_MAX)
		return false;
	f.n_sectors = (uint32_t)(size / sector_size);
	if (!choose_cluster(&f, align))
		return false;
	*ret = f;
	return true;
}

uint64_t fat_format_fat_offset(const struct fat_format *f, unsigned int index)
{
	return (f->reserved_sectors + (uint64_t)index * f->fat_sectors) * f->sector_size;
}

uint64_t fat_format_root_offset(const struct fat_format *f)
{
	return fat_format_fat_offset(f, N_FATS);
}

uint64_t fat_format_root_size(const struct fat_format *f)
{
	return f->kind == FAT_32 ? f->cluster_size : ROOT_ENTRIES_16 * ENTRY_SIZE;
}

static void pad_label(const char *label, uint8_t ret[FAT_LABEL_SIZE])
{
	memset(ret, ' ', FAT_LABEL_SIZE);
	memcpy(ret, label, strnlen(label, FAT_LABEL_SIZE));
}

static void put_signature(uint8_t *sector)
{
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

static void put_boot(const struct fat_format *f, uint8_t *sector)
{
	bool is_32 = f->kind == FAT_32;
	bool is_small = !is_32 && f->n_sectors <= UINT16_MAX;
	struct disk_boot boot = {
		.jump = { 0xeb, 0, 0x90 },
		.sector_size = le16_put((uint16_t)f->sector_size),
		.cluster_sectors = (uint8_t)(f->cluster_size / f->sector_size),
		.reserved_sectors = le16_put((uint16_t)f->reserved_sectors),
		.n_fats = N_FATS,
		.n_root_entries = le16_put(is_32 ? 0 : ROOT_ENTRIES_16),
		.sectors_16 = le16_put(is_small ? (uint16_t)f->n_sectors : 0),
		.media = MEDIA_FIXED,
		.fat_sectors_16 = le16_put(is_32 ? 0 : (uint16_t)f->fat_sectors),
		.track_sectors = le16_put(63),
		.n_heads = le16_put(255),
		.hidden_sectors = le32_put((uint32_t)(f->start / f->sector_size)),
		.sectors_32 = le32_put(is_small ? 0 : f->n_sectors),
	};
	struct disk_boot_32 boot_32 = {
		.fat_sectors = le32_put(f->fat_sectors),
		.root_cluster = le32_put(2),
		.fsinfo_sector = le16_put(FSINFO_SECTOR),
		.backup_sector = le16_put(BACKUP_SECTOR),
	};
	struct disk_boot_tail tail = {
		.drive = 0x80,
		.signature = 0x29,
		.serial = le32_put(f->serial),
	};
	size_t code = sizeof(boot) + (is_32 ? sizeof(boot_32) : 0) + sizeof(tail);

	memcpy(boot.oem, "isowrite", sizeof(boot.oem));
	boot.jump[1] = (uint8_t)(code - 2);
	pad_label(f->label[0] ? f->label : "NO NAME", tail.label);
	memcpy(tail.type, is_32 ? "FAT32   " : "FAT16   ", sizeof(tail.type));
	memcpy(sector, &boot, sizeof(boot));
	if (is_32)
		memcpy(sector + sizeof(boot), &boot_32, sizeof(boot_32));
	memcpy(sector + code - sizeof(tail), &tail, sizeof(tail));
	memcpy(sector + code, mbr_next_disk, sizeof(mbr_next_disk));
	put_signature(sector);
}

static void put_fsinfo(const struct fat_format *f, uint8_t *sector)
{
	struct disk_fsinfo info = {
		.lead = le32_put(0x41615252),
		.signature = le32_put(0x61417272),
		.n_free = le32_put(f->n_clusters - 1), /* the root directory has one */
		.next_free = le32_put(3),
		.trail = le32_put(0xaa550000),
	};

	memcpy(sector, &info, sizeof(info));
}

size_t fat_format_boot(const struct fat_format *f, uint8_t *buf)
{
	size_t ss = f->sector_size;
	size_t n = f->kind == FAT_32 ? N_BOOT_SECTORS_32 : 1;

	memset(buf, 0, n * ss);
	put_boot(f, buf);
	if (f->kind == FAT_32) {
		put_fsinfo(f, buf + FSINFO_SECTOR * ss);
		put_signature(buf + THIRD_SECTOR * ss);
		memcpy(buf + BACKUP_SECTOR * ss, buf, (THIRD_SECTOR + 1) * ss);
	}
	return n * ss;
}

size_t fat_format_fat_head(const struct fat_format *f, uint8_t buf[12])
{
	/* Section 4: the media byte, then marks; both of "clean" and "no errors" are set. */
	const le32 head_32[] = { le32_put(0x0fffff00 | MEDIA_FIXED), le32_put(0x0fffffff),
				 le32_put(0x0fffffff) };
	const le16 head_16[] = { le16_put(0xff00 | MEDIA_FIXED), le16_put(0xffff) };

	if (f->kind == FAT_32) {
		memcpy(buf, head_32, sizeof(head_32));
		return sizeof(head_32);
	}
	memcpy(buf, head_16, sizeof(head_16));
	return sizeof(head_16);
}

size_t fat_format_root_head(const struct fat_format *f, uint8_t buf[32])
{
	const le16 time = le16_put(f->time), date = le16_put(f->date);

	if (!f->label[0])
		return 0;
	memset(buf, 0, ENTRY_SIZE);
	pad_label(f->label, buf);
	buf[11] = ATTR_VOLUME_ID;
	memcpy(buf + 22, &time, sizeof(time)); /* section 6: DIR_WrtTime, DIR_WrtDate */
	memcpy(buf + 24, &date, sizeof(date));
	return ENTRY_SIZE;
}

void fat_format_set_time(struct fat_format *f, const struct tm *tm)
{
	/* Section 6: 7 bits of years since 1980, 2 seconds a step. */
	if (tm->tm_year < 80 || tm->tm_year > 80 + 127) {
		f->date = 1 << 5 | 1;
		f->time = 0;
		return;
	}
	f->date = (uint16_t)((tm->tm_year - 80) << 9 | (tm->tm_mon + 1) << 5 | tm->tm_mday);
	f->time = (uint16_t)(tm->tm_hour << 11 | tm->tm_min << 5 | tm->tm_sec / 2);
}
