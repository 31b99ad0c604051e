// SPDX-License-Identifier: GPL-3.0-or-later
/* The second opinion: right tables pass, every wrong one is noticed. */
#include "io/fdisk.h"

#include <stdlib.h>

#include "base/num.h"
#include "disk/gpt.h"
#include "disk/mbr.h"
#include "plan/plan.h"
#include "tap.h"

#define SIZE (64 * MIB)
#define ARRAY (128 * 128)

static const uint8_t linux_data[16] = { 0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47,
					0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4 };

/* What lies at both ends of a disk with a GPT; tests damage it before it becomes a plan. */
struct ends {
	uint32_t ss;
	uint8_t *head, *tail; /* 1 MiB each */
	struct gpt_header primary, backup;
	uint8_t array[ARRAY];
};

static void put_headers(struct ends *e)
{
	uint64_t blocks = SIZE / e->ss;

	e->primary.entries_crc = e->backup.entries_crc = gpt_array_crc(&e->primary, e->array);
	memcpy(e->head + 2 * e->ss, e->array, ARRAY);
	memcpy(e->tail + MIB - e->ss - ARRAY, e->array, ARRAY);
	e->backup.my_lba = blocks - 1;
	e->backup.alternate_lba = 1;
	e->backup.entries_lba = blocks - 1 - ARRAY / e->ss;
	gpt_encode_header(e->head + e->ss, &e->primary);
	gpt_encode_header(e->tail + MIB - e->ss, &e->backup);
}

static void init(struct ends *e, uint32_t ss)
{
	uint64_t blocks = SIZE / ss;
	struct mbr mbr = { .entries[0] = { .type = MBR_TYPE_PROTECTIVE,
					   .start_lba = 1,
					   .len_blocks = (uint32_t)(blocks - 1) } };
	struct gpt_entry a = { .first_lba = MIB / ss, .last_lba = 2 * MIB / ss - 1, .name = "one" },
			 b = { .first_lba = 4 * MIB / ss, .last_lba = 8 * MIB / ss - 1 };

	memset(e, 0, sizeof(*e));
	e->ss = ss;
	e->head = calloc(1, MIB);
	e->tail = calloc(1, MIB);
	mbr_encode(e->head, &mbr);
	memcpy(a.type, linux_data, 16);
	memcpy(b.type, linux_data, 16);
	a.guid[0] = 1;
	b.guid[0] = 2;
	gpt_encode_entry(e->array, &a);
	gpt_encode_entry(e->array + (size_t)2 * 128, &b); /* slot 2 stays free */
	e->primary = (struct gpt_header){
		.revision = 0x10000,
		.header_size = 92,
		.my_lba = 1,
		.alternate_lba = blocks - 1,
		.first_usable_lba = 2 + ARRAY / ss,
		.last_usable_lba = blocks - 2 - ARRAY / ss,
		.disk_guid = { 0xd1, 0x5c },
		.entries_lba = 2,
		.n_entries = 128,
		.entry_size = 128,
	};
	e->backup = e->primary;
	put_headers(e);
}

/* 0, or -1 with the error; frees the ends. */
static int check(struct ends *e, struct error *err)
{
	struct geometry geo = { .size = SIZE, .sector_size = e->ss, .io_align = e->ss };
	struct plan *plan = plan_new("test", &geo);
	int rc;

	memset(err, 0, sizeof(*err));
	if (plan_append_memory(plan, e->head, MIB, "head", err) ||
	    plan_append_keep(plan, SIZE - 2 * MIB, "middle", err) ||
	    plan_append_memory(plan, e->tail, MIB, "tail", err)) {
		printf("# %s\n", err->msg);
		exit(2);
	}
	rc = fdisk_check_plan(plan, NULL, err);
	plan_free(plan);
	free(e->head);
	free(e->tail);
	return rc;
}

static void expect_disagreement(struct ends *e, const char *words)
{
	struct error err;

	CHECK(check(e, &err) == -1);
	CHECK(err.kind == ERROR_INTERNAL);
	if (!strstr(err.msg, words)) {
		tap_test_failed = 1;
		printf("# \"%s\" is not in: %s\n", words, err.msg);
	}
}

static void test_right(void)
{
	static const uint32_t sizes[] = { 512, 4096 };
	struct ends e;
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		init(&e, sizes[i]);
		CHECK(check(&e, &err) == 0);
		if (err.kind)
			printf("# %u: %s\n", sizes[i], err.msg);
	}
}

static void test_no_table(void)
{
	struct ends e;
	struct error err;

	init(&e, 512);
	memset(e.head, 0, MIB);
	memset(e.tail, 0, MIB);
	CHECK(check(&e, &err) == 0);
}

/* Overlapping partitions are usual in hybrid images: no disagreement. */
static void test_overlap(void)
{
	struct gpt_entry c = { .first_lba = 4 * MIB / 512, .last_lba = 5 * MIB / 512 };
	struct ends e;
	struct error err;

	init(&e, 512);
	memcpy(c.type, linux_data, 16);
	gpt_encode_entry(e.array + (size_t)3 * 128, &c);
	put_headers(&e);
	CHECK(check(&e, &err) == 0);
}

/* As a hybrid has it: the disc from block 0 on, over the table and below the usable area. */
static void put_disc(struct ends *e)
{
	struct gpt_entry disc = { .last_lba = MIB / 512 - 1 };
	struct mbr mbr;

	init(e, 512);
	CHECK(mbr_decode(e->head, &mbr));
	mbr.entries[1] = (struct mbr_entry){ .status = MBR_STATUS_ACTIVE, .len_blocks = 1 };
	mbr_encode(e->head, &mbr);
	memcpy(disc.type, linux_data, 16);
	disc.guid[0] = 3;
	gpt_encode_entry(e->array + 128, &disc);
	e->primary.first_usable_lba = e->backup.first_usable_lba = 64;
	put_headers(e);
}

static void test_disc_from_the_first_block(void)
{
	struct error err;
	struct ends e;

	put_disc(&e);
	CHECK(check(&e, &err) == 0);
	if (err.kind)
		printf("# %s\n", err.msg);
	/* It excuses nothing else. */
	put_disc(&e);
	memset(e.tail + MIB - 512, 0, 512);
	expect_disagreement(&e, "from the backup");
	put_disc(&e);
	gpt_encode_entry(e.tail + MIB - 512 - ARRAY + 128,
			 &(struct gpt_entry){ .type = { 1 }, .first_lba = 1, .last_lba = 2047 });
	e.backup.entries_crc = gpt_array_crc(&e.backup, e.tail + MIB - 512 - ARRAY);
	gpt_encode_header(e.tail + MIB - 512, &e.backup);
	expect_disagreement(&e, "from the backup");
}

/* Whoever deletes a partition need not clear more than its type. */
static void test_leftovers_in_an_unused_entry(void)
{
	struct gpt_entry c = { .first_lba = 4 * MIB / 512, .last_lba = 5 * MIB / 512 };
	struct ends e;
	struct error err;

	init(&e, 512);
	gpt_encode_entry(e.array + (size_t)3 * 128, &c);
	put_headers(&e);
	CHECK(check(&e, &err) == 0);
}

static void test_backup_missing(void)
{
	struct ends e;

	init(&e, 512);
	memset(e.tail + MIB - 512, 0, 512);
	expect_disagreement(&e, "from the backup");
}

static void test_backup_differs(void)
{
	struct gpt_entry other = { .first_lba = 20000, .last_lba = 30000 };
	struct ends e;

	init(&e, 512);
	memcpy(other.type, linux_data, 16);
	gpt_encode_entry(e.tail + MIB - 512 - ARRAY, &other);
	e.backup.entries_crc = gpt_array_crc(&e.backup, e.tail + MIB - 512 - ARRAY);
	gpt_encode_header(e.tail + MIB - 512, &e.backup);
	expect_disagreement(&e, "from the backup");
}

static void test_backup_in_the_wrong_place(void)
{
	struct ends e;

	init(&e, 512);
	memmove(e.tail + MIB - 1024, e.tail + MIB - 512, 512);
	memset(e.tail + MIB - 512, 0, 512);
	expect_disagreement(&e, "from the backup");
}

/* Our codec finds no table (its checksum is wrong), libfdisk takes the backup. */
static void test_primary_damaged(void)
{
	struct ends e;

	init(&e, 512);
	e.head[512 + GPT_OFFSET_CRC] ^= 1;
	expect_disagreement(&e, "not planned");
}

int main(void)
{
	RUN(test_right);
	RUN(test_no_table);
	RUN(test_overlap);
	RUN(test_disc_from_the_first_block);
	RUN(test_leftovers_in_an_unused_entry);
	RUN(test_backup_missing);
	RUN(test_backup_differs);
	RUN(test_backup_in_the_wrong_place);
	RUN(test_primary_damaged);
	return tap_done();
}
