// SPDX-License-Identifier: GPL-3.0-or-later
/* What libblkid's door finds in files made by hand, and what becomes of it as contents. */
#include "io/blkid.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/num.h"
#include "disk/gpt.h"
#include "disk/mbr.h"
#include "io/device-internal.h"
#include "tap.h"

#define LUKS "LUKS\xba\xbe\0\1"
#define EXT_MAGIC "\x53\xef" /* at 1080 */
#define CD001 "\1CD001\1"    /* at 32768 */

static int blank(uint64_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)size)) {
		perror("memfd");
		exit(2);
	}
	return fd;
}

static void put(int fd, uint64_t off, const void *data, size_t len)
{
	if (pwrite(fd, data, len, (off_t)off) != (ssize_t)len)
		exit(2);
}

static void put_ext2(int fd, uint64_t off)
{
	static const uint8_t rev[4] = { 1 }, blocks[4] = { 0, 4 };

	put(fd, off + 1024, blocks, 4);
	put(fd, off + 1024 + 4, blocks, 4);
	put(fd, off + 1080, EXT_MAGIC, 2);
	put(fd, off + 1024 + 76, rev, 4);
}

static void put_mbr(int fd, const struct mbr_entry *entries, size_t n)
{
	uint8_t sector[MBR_SIZE] = { 0 };
	struct mbr mbr = { .disk_signature = 0xc0ffee };

	memcpy(mbr.entries, entries, n * sizeof(*entries));
	mbr_encode(sector, &mbr);
	put(fd, 0, sector, sizeof(sector));
}

static struct device_info *probe(int fd, uint64_t off, uint64_t len)
{
	struct device_info *info = calloc(1, sizeof(*info));
	struct error err = ERROR_INIT;

	CHECK(blkid_probe_contents(fd, off, len, "/dev/x", info, &err) == 0);
	return info;
}

static bool holds(const struct device_info *info, const char *type)
{
	for (size_t i = 0; i < info->n_contents; i++)
		if (!strcmp(info->contents[i].type, type))
			return true;
	return false;
}

static void test_nothing(void)
{
	int fd = blank(4 * MIB);
	struct device_info *info = probe(fd, 0, 0);

	CHECK_U64(info->n_contents, 0);
	free(info);
	close(fd);
}

/* Contradicting signatures are "ambivalent" to libblkid; here each is listed. */
static void test_contradiction(void)
{
	int fd = blank(4 * MIB);
	struct device_info *info;

	put_ext2(fd, 0);
	put(fd, 32768, CD001, 7);
	info = probe(fd, 0, 0);
	CHECK(holds(info, "ext2"));
	CHECK(holds(info, "iso9660"));
	free(info);
	close(fd);
}

static void test_offset(void)
{
	int fd = blank(4 * MIB);
	struct device_info *info;

	put(fd, MIB, LUKS, 8);
	info = probe(fd, 0, 0);
	CHECK_U64(info->n_contents, 0);
	free(info);
	info = probe(fd, MIB, MIB);
	CHECK(holds(info, "crypto_LUKS"));
	CHECK_U64(info->contents[0].start, MIB);
	CHECK_U64(info->contents[0].size, MIB);
	free(info);
	close(fd);
}

/* Bytes that cannot be read must never look like an empty disk. */
static void test_unreadable(void)
{
	struct device_info *info = calloc(1, sizeof(*info));
	struct error err = ERROR_INIT;

	CHECK(blkid_probe_contents(-1, 0, 0, "/dev/x", info, &err) == -1);
	CHECK(err.kind == ERROR_IO);
	free(info);
}

static void test_table(void)
{
	static const struct mbr_entry entries[] = {
		{ .status = 0x80, .type = 0x0c, .start_lba = 2048, .len_blocks = 2048 },
		{ .type = 0x83, .start_lba = 4096, .len_blocks = 1u << 31 }, /* beyond the end */
	};
	int fd = blank(4 * MIB);
	struct blkid_table *table = malloc(sizeof(*table));
	struct error err = ERROR_INIT;

	CHECK(blkid_read_table(fd, 0, table, &err) == 0);
	CHECK_STR(table->type, "");
	put_mbr(fd, entries, 2);
	CHECK(blkid_read_table(fd, 0, table, &err) == 0);
	CHECK_STR(table->type, "dos");
	CHECK_STR(table->uuid, "00c0ffee");
	CHECK_U64(table->n, 2);
	CHECK_U64(table->part[0].number, 1);
	CHECK_U64(table->part[0].start, MIB);
	CHECK_U64(table->part[0].size, MIB);
	CHECK_STR(table->part[0].type, "0xc");
	CHECK_U64(table->part[1].size, UINT64_C(1) << 40);
	free(table);
	close(fd);
}

/* device_read_file_contents() is the same walk over table and partitions as for a disk. */
static struct device_info *walk(int fd, uint64_t size, bool *is_blank)
{
	struct device_info *info = calloc(1, sizeof(*info));
	struct error err = ERROR_INIT;

	strcpy(info->path, "/dev/sdz");
	info->size = size;
	CHECK(device_read_file_contents(fd, info, is_blank, &err) == 0);
	return info;
}

static const struct device_content *on(const struct device_info *info, const char *node)
{
	static const struct device_content none;

	for (size_t i = 0; i < info->n_contents; i++)
		if (!info->contents[i].is_table && !strcmp(info->contents[i].node, node))
			return &info->contents[i];
	return &none;
}

static void test_partitions(void)
{
	static const struct mbr_entry entries[] = {
		{ .type = 0x0c, .start_lba = 2048, .len_blocks = 2048 },     /* blank */
		{ .type = 0x83, .start_lba = 4096, .len_blocks = 2048 },     /* ext2 */
		{ .type = 0x42, .start_lba = 6144, .len_blocks = 2048 },     /* bytes of no kind */
		{ .type = 0x83, .start_lba = 8192, .len_blocks = 1u << 31 }, /* beyond the end */
	};
	int fd = blank(4 * MIB);
	struct device_info *info;
	bool is_blank;

	put_mbr(fd, entries, 4);
	put_ext2(fd, 2 * MIB);
	put(fd, 3 * MIB + 1000, "secret", 6);
	info = walk(fd, 4 * MIB, &is_blank);
	CHECK(!is_blank);
	CHECK_STR(info->pt_uuid, "00c0ffee");
	CHECK_STR(on(info, "/dev/sdz1")->type, "");
	CHECK_STR(on(info, "/dev/sdz2")->type, "ext2");
	CHECK(on(info, "/dev/sdz2")->is_foreign);
	CHECK_STR(on(info, "/dev/sdz3")->type, "unknown");
	CHECK(on(info, "/dev/sdz3")->is_foreign);
	CHECK_STR(on(info, "/dev/sdz4")->type, "");
	free(info);
	/* The same bytes below an ISO 9660 are an installer's. */
	put(fd, 32768, CD001, 7);
	info = walk(fd, 4 * MIB, &is_blank);
	CHECK(!on(info, "/dev/sdz3")->is_foreign);
	CHECK(on(info, "/dev/sdz2")->is_foreign);
	free(info);
	close(fd);
}

static void test_unknown_disk(void)
{
	int fd = blank(4 * MIB);
	struct device_info *info;
	bool is_blank;

	put(fd, 300000, "x", 1);
	info = walk(fd, 4 * MIB, &is_blank);
	CHECK(!is_blank);
	CHECK_STR(on(info, "/dev/sdz")->type, "unknown");
	CHECK(on(info, "/dev/sdz")->is_foreign);
	free(info);
	close(fd);
}

int main(void)
{
	RUN(test_nothing);
	RUN(test_contradiction);
	RUN(test_offset);
	RUN(test_unreadable);
	RUN(test_table);
	RUN(test_partitions);
	RUN(test_unknown_disk);
	return tap_done();
}
