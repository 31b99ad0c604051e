// SPDX-License-Identifier: GPL-3.0-or-later
/* Where the used part of a stick ends, from what detection says of it. */
#include "image/used.h"

#include <stdlib.h>

#include "base/num.h"
#include "disk/udf.h"
#include "tap.h"

static int read_at(struct source *src, uint64_t off, void *buf, size_t len, struct error *err);

static const struct source_ops ops = { .name = "memory", .read_at = read_at };
static struct source src = { .ops = &ops, .access = SOURCE_RANDOM, .size = GIB };
static uint64_t anchor; /* bytes: where there is one, 0 nowhere */
static struct layout lay;
static struct used used;
static struct error err;

/* Nothing but an anchor of a UDF volume (ECMA-167 3/10.2), as far as its tag goes. */
static int read_at(struct source *s, uint64_t off, void *buf, size_t len, struct error *e)
{
	uint8_t tag[UDF_SECTOR] = { 2, 0, 2 };
	uint32_t lba = (uint32_t)(off / UDF_SECTOR);

	(void)s;
	(void)e;
	memset(buf, 0, len);
	if (off != anchor || len != UDF_SECTOR)
		return 0;
	for (unsigned int i = 0; i < 4; i++)
		tag[12 + i] = (uint8_t)(lba >> 8 * i);
	for (unsigned int i = 0; i < 16; i++)
		tag[4] = (uint8_t)(tag[4] + (i == 4 ? 0 : tag[i]));
	memcpy(buf, tag, len);
	return 0;
}

/* A stick of 1 GiB with nothing on it. */
static void begin(void)
{
	memset(&lay, 0, sizeof(lay));
	lay.size = GIB;
	err = (struct error)ERROR_INIT;
}

static void add_mbr(uint8_t type, uint64_t start, uint64_t size)
{
	struct layout_mbr_partition *p = &lay.mbr.partitions[lay.mbr.n_partitions++];

	lay.mbr.present = true;
	lay.mbr.block_size = 512;
	p->number = (uint8_t)lay.mbr.n_partitions;
	p->type = type;
	p->start = start;
	p->size = size;
}

static void add_gpt(uint64_t start, uint64_t size)
{
	lay.mbr.present = lay.mbr.is_protective = true;
	lay.gpt.present = lay.gpt.valid = lay.gpt.primary.valid = true;
	lay.gpt.block_size = 512;
	lay.gpt.primary.entries_lba = 2;
	lay.gpt.primary.n_entries = lay.gpt.primary.entry_size = 128;
	lay.gpt.partitions[lay.gpt.n_partitions].number = lay.gpt.n_partitions + 1;
	lay.gpt.partitions[lay.gpt.n_partitions].start = start;
	lay.gpt.partitions[lay.gpt.n_partitions++].size = size;
}

static void put_backup(uint64_t lba)
{
	lay.gpt.backup.present = lay.gpt.backup.valid = true;
	lay.gpt.backup.lba = lba;
	lay.gpt.backup_at_end = lba == lay.size / 512 - 1;
}

static void ends_at(uint64_t end, const char *by)
{
	CHECK(used_find(&src, &lay, &used, &err) == 0);
	CHECK_U64(used.end, end);
	CHECK_STR(used.by, by);
}

static void unknown(const char *why)
{
	used.end = 77;
	CHECK(used_find(&src, &lay, &used, &err) == -1);
	CHECK(err.kind == ERROR_IMAGE);
	CHECK(strstr(err.msg, why) != NULL);
	CHECK_U64(used.end, 77);
}

static void test_mbr(void)
{
	begin();
	add_mbr(0x0c, 100 * MIB, 100 * MIB);
	add_mbr(0x83, MIB, 20 * MIB);
	ends_at(200 * MIB, "partition 1 of its MBR");
	CHECK(!used.needs_backup_gpt);
	/* The logical ones lie in it. */
	add_mbr(0x05, 300 * MIB, 50 * MIB);
	ends_at(350 * MIB, "partition 3 of its MBR");
	lay.mbr.n_logical = 1;
	lay.mbr.logical[0].number = 5;
	lay.mbr.logical[0].start = 310 * MIB;
	lay.mbr.logical[0].size = 20 * MIB;
	ends_at(350 * MIB, "partition 3 of its MBR");
	lay.mbr.logical[0].size = 60 * MIB;
	ends_at(370 * MIB, "partition 5 of its MBR");
	/* A table that says more than there is: all of it. */
	add_mbr(0x83, 400 * MIB, 4 * GIB);
	ends_at(GIB, "partition 4 of its MBR");
}

static void test_gpt(void)
{
	begin();
	add_mbr(0xee, 512, GIB - 512);
	add_gpt(MIB, 10 * MIB);
	add_gpt(50 * MIB, 10 * MIB);
	put_backup(GIB / 512 - 1);
	ends_at(60 * MIB, "partition 2 of its GPT");
	CHECK(used.needs_backup_gpt);
	/* Of an image that was written: its backup lies within. */
	put_backup(70 * MIB / 512 - 1);
	ends_at(70 * MIB, "its backup GPT");
	CHECK(!used.needs_backup_gpt);
	/* No backup: none to keep. */
	lay.gpt.backup.valid = false;
	ends_at(60 * MIB, "partition 2 of its GPT");
	CHECK(!used.needs_backup_gpt);
	/* Without partitions the table is what is used. */
	lay.gpt.n_partitions = 0;
	ends_at(34 * 512, "its GPT");
	lay.gpt.primary.valid = lay.gpt.valid = false;
	unknown("GPT is damaged");
	put_backup(GIB / 512 - 1);
	ends_at(GIB, "its backup GPT");
}

/* A stick whose last partition ends right before the backup: nothing is left out. */
static void test_full(void)
{
	begin();
	add_gpt(MIB, GIB - MIB);
	put_backup(GIB / 512 - 1);
	ends_at(GIB, "partition 1 of its GPT");
	CHECK(!used.needs_backup_gpt);
}

/* A hybrid image names the same in several tables: the farthest counts. */
static void test_hybrid(void)
{
	begin();
	add_mbr(0x00, 0, 40 * MIB);
	add_mbr(0xef, MIB, 4 * MIB);
	lay.volume.present = true;
	lay.volume.size = 41 * MIB;
	ends_at(41 * MIB, "its ISO 9660 volume");
	lay.el_torito.n_entries = 1;
	lay.el_torito.entries[0].bootable = true;
	lay.el_torito.entries[0].lba = 42 * MIB / 2048;
	lay.el_torito.entries[0].size = 2 * MIB;
	ends_at(44 * MIB, "a boot image in it");
	lay.apm.present = true;
	lay.apm.n_partitions = 1;
	lay.apm.partitions[0].start = 44 * MIB;
	lay.apm.partitions[0].size = MIB;
	ends_at(45 * MIB, "a partition of its Apple partition map");
}

static void test_volumes(void)
{
	begin();
	lay.superfloppy = true;
	lay.expected_size = 300 * MIB;
	snprintf(lay.expected_by, sizeof(lay.expected_by), "its file system");
	ends_at(300 * MIB, "its file system");
	begin();
	lay.udf = true;
	lay.udf_start = MIB;
	lay.udf_size = 299 * MIB;
	ends_at(300 * MIB, "its UDF volume");
	anchor = 300 * MIB + 300 * UDF_SECTOR;
	ends_at(anchor + UDF_SECTOR, "its UDF volume");
	anchor = 400 * MIB; /* another volume's */
	ends_at(300 * MIB, "its UDF volume");
	lay.n_hfs = 1;
	lay.hfs[0].start = 200 * MIB;
	lay.hfs[0].size = 150 * MIB;
	ends_at(350 * MIB, "its HFS volume");
	lay.udf_size = 0;
	unknown("UDF volume");
}

static void test_unknown(void)
{
	begin();
	unknown("no partition table");
	begin();
	add_mbr(0xee, 512, GIB);
	unknown("empty or damaged");
	begin();
	lay.size = UINT64_MAX;
	unknown("size");
	begin();
	add_gpt(MIB, MIB);
	layout_add_finding(&lay, LAYOUT_WARNING, "gpt-many-partitions", "more");
	unknown("more partitions");
}

int main(void)
{
	RUN(test_mbr);
	RUN(test_gpt);
	RUN(test_full);
	RUN(test_hybrid);
	RUN(test_volumes);
	RUN(test_unknown);
	return tap_done();
}
