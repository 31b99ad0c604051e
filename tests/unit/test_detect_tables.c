// SPDX-License-Identifier: GPL-3.0-or-later
/* What detection says of MBR, GPT, Apple partition map and superfloppies. */
#include "image/detect.h"

#include "disk/apm.h"
#include "gpt-image.h"
#include "memory-source.h"
#include "tap.h"

/* The layout of size bytes, of which data are the first len. */
static const struct layout *detect_size_of(const uint8_t *data, size_t len, uint64_t size)
{
	static struct layout lay;
	struct memory_source m = { data, len };
	struct source *src = memory_source_new(&m, size);
	struct error err = ERROR_INIT;

	memset(&lay, 0, sizeof(lay));
	if (detect_layout(src, DETECT_BUDGET, &lay, &err) < 0) {
		printf("# %s\n", err.msg);
		CHECK(!"detected");
	}
	source_free(src);
	return &lay;
}

static const struct layout *detect_image(const struct gpt_image *img)
{
	return detect_size_of(img->data, gpt_image_size(img), gpt_image_size(img));
}

static bool has(const struct layout *lay, const char *code)
{
	for (uint32_t i = 0; i < lay->n_findings; i++)
		if (!strcmp(lay->findings[i].code, code))
			return true;
	return false;
}

/* "code code ...": every finding. */
static const char *findings(const struct layout *lay)
{
	static char text[2048];
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < lay->n_findings; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? " " : "",
					lay->findings[i].code);
	return text;
}

static struct gpt_image new_image(uint32_t block_size, uint64_t n_blocks)
{
	struct gpt_image img = { block_size, 128, n_blocks, NULL, { 0 } };

	gpt_image_make(&img);
	return img;
}

static void test_gpt_sound(void)
{
	struct gpt_image img = new_image(512, 8192);
	const struct layout *lay = detect_image(&img);

	CHECK_STR(findings(lay), "");
	CHECK(lay->kind == LAYOUT_DISK && lay->mbr.is_protective);
	CHECK(lay->gpt.valid && lay->gpt.block_size == 512 && lay->sector_size == 512);
	CHECK(lay->gpt.primary.lba == 1 && lay->gpt.primary.alternate_lba == 8191);
	CHECK(lay->gpt.backup.valid && lay->gpt.backup.lba == 8191);
	CHECK(lay->gpt.backup_at_end && lay->gpt.arrays_equal);
	CHECK_U64(lay->gpt.n_partitions, 1);
	CHECK(lay->gpt.partitions[0].number == 1 && lay->gpt.partitions[0].start == 64 * 512);
	CHECK_U64(lay->gpt.partitions[0].size, 64 * 512);
	CHECK_STR(lay->gpt.partitions[0].name, "ESP");
	CHECK_U64(lay->expected_size, 4 * MIB);
	CHECK(!lay->is_truncated);
	free(img.data);
}

static void test_gpt_4096(void)
{
	struct gpt_image img = new_image(4096, 1024);
	const struct layout *lay = detect_image(&img);

	CHECK_STR(findings(lay), "gpt-sector-size");
	CHECK(lay->gpt.valid && lay->gpt.block_size == 4096 && lay->sector_size == 4096);
	CHECK_U64(lay->gpt.partitions[0].start, 64 * 4096);
	CHECK(lay->mbr.block_size == 4096 && lay->mbr.partitions[0].start == 4096);
	CHECK_U64(lay->expected_size, 4 * MIB);
	free(img.data);
}

static void test_gpt_truncated(void)
{
	struct gpt_image img = new_image(512, 8192);
	const struct layout *lay = detect_size_of(img.data, 4 * MIB, 4 * MIB - 1);

	CHECK(lay->is_truncated && lay->gpt.valid && !lay->gpt.backup.present);
	CHECK_U64(lay->expected_size, 4 * MIB);
	CHECK_STR(lay->expected_by, "its backup GPT");
	free(img.data);
}

static void test_gpt_backup(void)
{
	struct gpt_image img = new_image(512, 8192);
	uint8_t *last = img.data + 4 * MIB - 512;
	const struct layout *lay;

	/* On a larger stick. */
	lay = detect_size_of(img.data, 4 * MIB, 16 * MIB);
	CHECK_STR(findings(lay), "gpt-backup-not-at-end");
	CHECK(lay->gpt.backup.valid && lay->gpt.backup.lba == 8191 && !lay->gpt.backup_at_end);
	last[16]++;
	lay = detect_image(&img);
	CHECK_STR(findings(lay), "gpt-backup-damaged");
	CHECK(lay->gpt.valid && lay->gpt.backup.present && !lay->gpt.backup.valid);
	last[16]--;
	last[-512]++;
	lay = detect_image(&img);
	CHECK_STR(findings(lay), "gpt-backup-damaged");
	CHECK(!lay->gpt.backup.valid && !lay->gpt.arrays_equal);
	memset(last, 0, 512);
	lay = detect_image(&img);
	CHECK_STR(findings(lay), "gpt-backup-missing");
	CHECK(lay->gpt.valid && !lay->gpt.backup.present && !lay->is_truncated);
	free(img.data);
}

/* The primary still names the old place; the backup is at the end all the same. */
static void test_gpt_backup_elsewhere(void)
{
	struct gpt_image img = new_image(512, 8192);
	struct gpt_header header;
	const struct layout *lay;

	CHECK(gpt_decode_header(img.data + 512, 512, 1, &header) == GPT_OK);
	header.alternate_lba = 5000;
	gpt_encode_header(img.data + 512, &header);
	lay = detect_image(&img);
	CHECK(lay->gpt.backup.valid && lay->gpt.backup.lba == 8191 && lay->gpt.backup_at_end);
	CHECK(lay->gpt.primary.alternate_lba == 5000);
	free(img.data);
}

static void test_gpt_damaged(void)
{
	struct gpt_image img = new_image(512, 8192);
	const struct layout *lay;

	img.data[512 + 16]++;
	lay = detect_image(&img);
	CHECK(has(lay, "gpt-header-damaged"));
	CHECK(lay->gpt.present && !lay->gpt.valid && lay->gpt.primary.present);
	/* The backup at the end is there, and its partitions are shown. */
	CHECK(lay->gpt.backup.valid && lay->gpt.n_partitions == 1);
	CHECK(!lay->is_truncated);
	img.data[512 + 16]--;
	img.data[1024]++;
	lay = detect_image(&img);
	CHECK_STR(findings(lay), "gpt-entries-crc");
	CHECK(!lay->gpt.valid && lay->gpt.backup.valid);
	img.data[1024]--;
	memset(img.data + 512, 0, 512);
	lay = detect_image(&img);
	CHECK_STR(findings(lay), "gpt-primary-missing");
	CHECK(lay->gpt.present && !lay->gpt.valid);
	CHECK(lay->gpt.backup.valid && lay->gpt.backup_at_end);
	free(img.data);
}

/* What an earlier life of the stick left at its end is not the image's table. */
static void test_gpt_stale(void)
{
	struct gpt_image img = new_image(512, 8192);
	const struct layout *lay;

	memset(img.data, 0, 34 * 512);
	lay = detect_image(&img);
	CHECK(has(lay, "gpt-stale-backup") && !lay->gpt.present);
	CHECK(lay->gpt.n_partitions == 0 && lay->expected_size == 0);
	free(img.data);
}

static void test_gpt_unprotected(void)
{
	struct gpt_image img = new_image(512, 8192);
	const struct layout *lay;

	img.data[446 + 4] = 0x83;
	lay = detect_image(&img);
	CHECK_STR(findings(lay), "gpt-unprotected");
	CHECK(lay->gpt.valid && !lay->mbr.is_protective);
	free(img.data);
}

/* Rewrites both copies with these entries. */
static void put_entries(struct gpt_image *img, const uint64_t (*ranges)[2], size_t n)
{
	uint64_t lbas[] = { 1, img->n_blocks - 1 };

	for (size_t c = 0; c < 2; c++) {
		uint8_t *block = img->data + lbas[c] * img->block_size, *array;
		struct gpt_header header;

		CHECK(gpt_decode_header(block, img->block_size, lbas[c], &header) == GPT_OK);
		array = img->data + header.entries_lba * img->block_size;
		for (size_t i = 0; i < n; i++) {
			struct gpt_entry entry = { .type = { 1 }, .name = "x" };

			entry.first_lba = ranges[i][0];
			entry.last_lba = ranges[i][1];
			gpt_encode_entry(array + i * 128, &entry);
		}
		header.entries_crc = gpt_array_crc(&header, array);
		gpt_encode_header(block, &header);
	}
}

static void test_gpt_entries(void)
{
	static const uint64_t overlapping[][2] = { { 64, 127 }, { 127, 200 }, { 300, 400 } };
	static const uint64_t outside[][2] = { { 0, 100 }, { 200, 8190 }, { 500, 400 } };
	static const uint64_t absurd[][2] = { { 64, UINT64_MAX }, { 200, UINT64_MAX - 1 } };
	static const uint64_t beyond[][2] = { { 64, 20000 } };
	struct gpt_image img = new_image(512, 8192);
	const struct layout *lay;

	put_entries(&img, overlapping, 3);
	lay = detect_image(&img);
	CHECK_STR(findings(lay), "gpt-overlap");
	CHECK_U64(lay->gpt.n_partitions, 3);
	put_entries(&img, outside, 3);
	lay = detect_image(&img);
	CHECK(has(lay, "gpt-outside-usable") && !lay->is_truncated);
	CHECK_U64(lay->gpt.partitions[2].size, 0);
	put_entries(&img, absurd, 2);
	lay = detect_image(&img);
	CHECK_U64(lay->gpt.partitions[0].size, 0);
	CHECK(!lay->is_truncated);
	put_entries(&img, beyond, 1);
	lay = detect_image(&img);
	CHECK(lay->is_truncated && lay->expected_size == UINT64_C(20001) * 512);
	free(img.data);
}

/* A head alone (a stream): what was not seen is not called missing. */
static void test_gpt_stream(void)
{
	struct gpt_image img = new_image(512, 8192);
	struct memory_source m = { img.data, 4 * MIB };
	struct source *src = memory_source_new(&m, 4 * MIB);
	struct detect d = { .src = src,
			    .size = UINT64_MAX,
			    .visible = MIB,
			    .budget = DETECT_BUDGET };
	struct layout lay = { 0 };
	struct error err = ERROR_INIT;

	d.lay = &lay;
	CHECK(detect_mbr(&d, &err) == 0 && detect_gpt(&d, &err) == 0);
	CHECK(lay.gpt.valid && !lay.gpt.backup.present);
	CHECK_STR(findings(&lay), "");
	CHECK_U64(lay.expected_size, 4 * MIB);
	/* The same when the size is known but the end cannot be seen. */
	memset(&lay, 0, sizeof(lay));
	d.size = 4 * MIB;
	CHECK(detect_mbr(&d, &err) == 0 && detect_gpt(&d, &err) == 0);
	CHECK_STR(findings(&lay), "");
	source_free(src);
	free(img.data);
}

static void test_mbr(void)
{
	struct mbr mbr = { .disk_signature = 0xdeadbeef };
	uint8_t sector[4096] = { 0 };
	const struct layout *lay;

	lay = detect_size_of(sector, sizeof(sector), MIB);
	CHECK(!lay->mbr.present);
	mbr.entries[0] = (struct mbr_entry){ .status = 0x80, .type = 0x17, .len_blocks = 4096 };
	mbr.entries[1] = (struct mbr_entry){ .type = 0xef, .start_lba = 100, .len_blocks = 50 };
	mbr_encode(sector, &mbr);
	lay = detect_size_of(sector, sizeof(sector), MIB);
	CHECK(lay->mbr.present && !lay->mbr.is_protective && lay->mbr.n_partitions == 2);
	CHECK(lay->mbr.disk_signature == 0xdeadbeef && lay->mbr.block_size == 512);
	CHECK(lay->mbr.partitions[0].active && !lay->mbr.partitions[1].active);
	CHECK_U64(lay->mbr.partitions[1].start, 51200);
	CHECK(has(lay, "mbr-overlap"));
	/* 4096 blocks in 1 MiB. */
	CHECK(lay->is_truncated && lay->expected_size == 2 * MIB);
	CHECK_STR(lay->expected_by, "a partition of its MBR");
	/* isohybrid's covering entry of type 00 overlaps nothing, but is listed. */
	sector[446 + 4] = 0;
	lay = detect_size_of(sector, sizeof(sector), 2 * MIB);
	CHECK(lay->mbr.n_partitions == 2 && !has(lay, "mbr-overlap"));
	/* A status byte of 01: no table, so it points nowhere. */
	sector[446 + 16] = 1;
	lay = detect_size_of(sector, sizeof(sector), MIB);
	CHECK(!lay->mbr.present && !lay->is_truncated && lay->expected_size == 0);
}

/* An MBR made for sectors of 4096 bytes: told by the FAT volume that only they lead to. */
static void test_mbr_4096(void)
{
	static const uint8_t bpb[] = { 0xeb, 0x3c, 0x90, 'm', 'k', 'f', 's', '.', 'f', 'a', 't',
				       0x00, 0x10, 0x01, 0x01, 0x00, 0x02, 0x00, 0x02, 0x00, 0x01,
				       0xf8, 0x01, 0x00 };
	struct mbr mbr = { .entries[1] = { .type = 0x0c, .start_lba = 2, .len_blocks = 256 } };
	uint8_t data[8704] = { 0 };
	const struct layout *lay;

	mbr_encode(data, &mbr);
	memcpy(data + 8192, bpb, sizeof(bpb));
	lay = detect_size_of(data, sizeof(data), 2 * MIB);
	CHECK(lay->mbr.present && lay->mbr.block_size == 4096);
	CHECK_U64(lay->mbr.partitions[0].start, 8192);
	CHECK_U64(lay->expected_size, 258 * 4096);
	data[8192 + 12] = 0x02;
	lay = detect_size_of(data, sizeof(data), 2 * MIB);
	CHECK_U64(lay->mbr.block_size, 512);
}

/* A table full of entries that overlap makes one finding, not thirty-two. */
static void test_gpt_many_overlaps(void)
{
	struct gpt_image img = new_image(512, 8192);
	uint64_t ranges[128][2];
	const struct layout *lay;

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		ranges[i][0] = i % 2 ? 64 : 1;
		ranges[i][1] = 100;
	}
	put_entries(&img, ranges, ARRAY_SIZE(ranges));
	lay = detect_image(&img);
	CHECK_STR(findings(lay), "gpt-outside-usable gpt-overlap");
	CHECK_U64(lay->gpt.n_partitions, 128);
	free(img.data);
}

/* A FAT boot sector has 55 AA too, and code where a table would be. */
static void test_superfloppy(void)
{
	static const uint8_t bpb[] = { 0xeb, 0x3c, 0x90, 'm', 'k', 'f', 's', '.', 'f', 'a', 't',
				       0x00, 0x02, 0x02, 0x01, 0x00, 0x02, 0xe0, 0x00, 0x40, 0x0b,
				       0xf0, 0x09, 0x00, 0x12, 0x00, 0x02, 0x00 };
	uint8_t sector[512] = { 0 };
	const struct layout *lay;

	memcpy(sector, bpb, sizeof(bpb));
	sector[446 + 8] = 0xff;
	sector[446 + 12] = 0xff;
	sector[446 + 15] = 0x7f;
	sector[510] = 0x55;
	sector[511] = 0xaa;
	lay = detect_size_of(sector, sizeof(sector), 1440 * KIB);
	CHECK(lay->superfloppy && !lay->mbr.present && lay->kind == LAYOUT_DISK);
	CHECK_U64(lay->expected_size, 1440 * KIB);
	CHECK(!lay->is_truncated);
	lay = detect_size_of(sector, sizeof(sector), 1440 * KIB - 512);
	CHECK(lay->is_truncated);
	CHECK_STR(lay->expected_by, "its file system");
}

static void test_apm(void)
{
	struct apm_entry entry = { .n_map_entries = 2, .start_block = 1, .n_blocks = 2,
				   .name = "Apple", .type = "Apple_partition_map" };
	uint8_t data[8192] = { 0 };
	const struct layout *lay;

	/* The fake descriptor alone, as isohybrid writes it, is no map. */
	apm_encode_descriptor(data, 2048, 0);
	lay = detect_size_of(data, sizeof(data), MIB);
	CHECK(!lay->apm.present);
	apm_encode_entry(data + 2048, &entry);
	entry.n_map_entries = UINT32_MAX;
	entry.start_block = 34;
	apm_encode_entry(data + 4096, &entry);
	lay = detect_size_of(data, sizeof(data), MIB);
	CHECK(lay->apm.present && lay->apm.block_size == 2048 && lay->apm.n_partitions == 2);
	CHECK_U64(lay->apm.partitions[1].start, 34 * 2048);
	CHECK_STR(lay->apm.partitions[0].type, "Apple_partition_map");
	/* The first entry's count says how many are believed. */
	apm_encode_entry(data + 2048, &entry);
	apm_encode_entry(data + 6144, &entry);
	lay = detect_size_of(data, sizeof(data), MIB);
	CHECK_U64(lay->apm.n_partitions, 3);
	CHECK(has(lay, "apm-short"));
}

/* A partition of the map counts in the image's size, unless it is free room. */
static void test_apm_truncated(void)
{
	struct apm_entry entry = { .n_map_entries = 2, .start_block = 1, .n_blocks = 2,
				   .name = "Apple", .type = "Apple_partition_map" };
	uint8_t data[2048] = { 0 };
	const struct layout *lay;

	apm_encode_descriptor(data, 512, 0);
	apm_encode_entry(data + 512, &entry);
	entry = (struct apm_entry){ .n_map_entries = 2, .start_block = 64, .n_blocks = 2048,
				    .name = "Data", .type = "Apple_HFS" };
	apm_encode_entry(data + 1024, &entry);
	lay = detect_size_of(data, sizeof(data), MIB);
	CHECK(lay->is_truncated);
	CHECK_U64(lay->expected_size, (64 + 2048) * 512);
	CHECK_STR(lay->expected_by, "a partition of its Apple map");
	CHECK_STR(findings(lay), "truncated");
	strcpy(entry.type, "Apple_Free");
	apm_encode_entry(data + 1024, &entry);
	lay = detect_size_of(data, sizeof(data), MIB);
	CHECK(!lay->is_truncated && lay->apm.n_partitions == 2);
}

static void put_entry(uint8_t *sector, unsigned int i, uint8_t type, uint32_t start, uint32_t len)
{
	struct mbr_entry entry = { .type = type, .start_lba = start, .len_blocks = len };

	mbr_encode_entry(sector, i, &entry);
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

static void test_logical_partitions(void)
{
	static uint8_t data[64 * 512];
	const struct layout *lay;

	put_entry(data, 0, 0x83, 1, 4);
	put_entry(data, 1, MBR_TYPE_EXTENDED_LBA, 8, 56);
	put_entry(data + 8 * 512, 0, 0x07, 1, 7);
	put_entry(data + 8 * 512, 1, MBR_TYPE_EXTENDED, 8, 8);
	put_entry(data + 16 * 512, 0, 0x82, 1, 7);
	lay = detect_size_of(data, sizeof(data), sizeof(data));
	CHECK(lay->mbr.n_partitions == 2 && lay->mbr.n_logical == 2);
	CHECK(lay->mbr.logical[0].number == 5 && lay->mbr.logical[0].type == 0x07);
	CHECK(lay->mbr.logical[0].start_lba == 9 && lay->mbr.logical[0].start == 9 * 512);
	CHECK(lay->mbr.logical[1].number == 6 && lay->mbr.logical[1].start_lba == 17);
	CHECK_STR(findings(lay), "");
	/* One that is cut off is missed. */
	put_entry(data + 16 * 512, 0, 0x82, 1, 1000);
	lay = detect_size_of(data, sizeof(data), sizeof(data));
	CHECK(lay->is_truncated && lay->expected_size == 1017 * 512);
	put_entry(data + 16 * 512, 0, 0x82, 1, 7);
	/* A chain that leads back ends; one into the void is told of. */
	put_entry(data + 16 * 512, 1, MBR_TYPE_EXTENDED, 0, 8);
	lay = detect_size_of(data, sizeof(data), sizeof(data));
	CHECK(lay->mbr.n_logical == 2);
	put_entry(data + 16 * 512, 1, MBR_TYPE_EXTENDED, 20, 8);
	lay = detect_size_of(data, sizeof(data), sizeof(data));
	CHECK(lay->mbr.n_logical == 2);
	CHECK_STR(findings(lay), "mbr-chain");
}

/* A table in every block: no more than can be listed are. */
static void test_many_logical_partitions(void)
{
	static uint8_t data[1024 * 512];
	const struct layout *lay;

	put_entry(data, 0, MBR_TYPE_EXTENDED, 1, 1023);
	for (uint32_t i = 1; i < 1024; i++) {
		put_entry(data + i * 512, 0, 0x83, 0xffffffff - i, 1);
		put_entry(data + i * 512, 1, MBR_TYPE_EXTENDED, i, 1);
	}
	lay = detect_size_of(data, sizeof(data), sizeof(data));
	CHECK_U64(lay->mbr.n_logical, LAYOUT_MAX_LOGICAL);
	CHECK_U64(lay->mbr.logical[59].number, 64);
}

/* HFS+ where a partition of the map begins, its name by the catalog. */
static void test_hfs(void)
{
	struct apm_entry entry = { .n_map_entries = 1, .start_block = 8, .n_blocks = 64,
				   .name = "Disc", .type = "Apple_HFS" };
	static uint8_t data[72 * 512];
	uint8_t *volume = data + 8 * 512, *tree = volume + 8192, *leaf = tree + 4096;
	const struct layout *lay;

	apm_encode_descriptor(data, 512, 0);
	apm_encode_entry(data + 512, &entry);
	memcpy(volume + 1024, "H+\0\4", 4);
	memcpy(volume + 1024 + 40, "\0\0\20\0\0\0\0\10", 8); /* 8 blocks of 4096 */
	memcpy(volume + 1024 + 288, "\0\0\0\2", 4);
	tree[8] = 1;
	tree[27] = 1;
	tree[32] = 16;
	leaf[8] = 0xff;
	memcpy(leaf + 16, "\0\0\0\1\0\3\0M\0a\0c", 12);
	lay = detect_size_of(data, sizeof(data), sizeof(data));
	CHECK_U64(lay->n_hfs, 1);
	CHECK_STR(lay->hfs[0].type, "HFS+");
	CHECK_STR(lay->hfs[0].name, "Mac");
	CHECK(lay->hfs[0].start == 8 * 512 && lay->hfs[0].size == 64 * 512);
	CHECK_STR(findings(lay), "");
	/* It counts in the image's size, also without a name. */
	tree[27] = 0xff;
	volume[1024 + 47] = 9;
	lay = detect_size_of(data, sizeof(data), sizeof(data));
	CHECK(lay->is_truncated && lay->n_hfs == 1);
	CHECK_STR(lay->hfs[0].name, "");
	CHECK_STR(lay->expected_by, "its HFS volume");
	/* A FAT is no HFS, whatever the map calls it. */
	memset(volume + 1024, 0, 512);
	lay = detect_size_of(data, sizeof(data), sizeof(data));
	CHECK_U64(lay->n_hfs, 0);
}

int main(void)
{
	RUN(test_gpt_sound);
	RUN(test_gpt_4096);
	RUN(test_gpt_truncated);
	RUN(test_gpt_backup);
	RUN(test_gpt_backup_elsewhere);
	RUN(test_gpt_damaged);
	RUN(test_gpt_stale);
	RUN(test_gpt_unprotected);
	RUN(test_gpt_entries);
	RUN(test_gpt_many_overlaps);
	RUN(test_gpt_stream);
	RUN(test_mbr);
	RUN(test_mbr_4096);
	RUN(test_superfloppy);
	RUN(test_apm);
	RUN(test_apm_truncated);
	RUN(test_logical_partitions);
	RUN(test_many_logical_partitions);
	RUN(test_hfs);
	return tap_done();
}
