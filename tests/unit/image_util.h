/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small disc images made in memory, byte by byte, and a source over them. */
#ifndef ISOWRITE_TESTS_IMAGE_UTIL_H
#define ISOWRITE_TESTS_IMAGE_UTIL_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/num.h"
#include "image/source.h"

struct image {
	uint8_t *p;
	size_t len;
	size_t n_reads; /* by its source */
};

static inline struct image image_new(size_t n_blocks)
{
	struct image img = { .p = calloc(n_blocks, 2048), .len = n_blocks * 2048 };

	if (!img.p)
		abort();
	return img;
}

static inline uint8_t *image_block(struct image *img, size_t lba)
{
	if ((lba + 1) * 2048 > img->len)
		abort();
	return img->p + lba * 2048;
}

static inline int image_read_at(struct source *src, uint64_t off, void *buf, size_t len,
				struct error *err)
{
	struct image *img = src->priv;

	if (!num_is_within(off, len, img->len))
		return error_set(err, ERROR_IO, "test", "read beyond the end");
	img->n_reads++;
	memcpy(buf, img->p + off, len);
	return 0;
}

static inline int image_fail_read_at(struct source *src, uint64_t off, void *buf, size_t len,
				     struct error *err)
{
	(void)src, (void)off, (void)buf, (void)len;
	return error_set(err, ERROR_IO, "read-failed", "the disc is scratched");
}

/* A RANDOM source; the image outlives it. */
static inline struct source *image_source(struct image *img)
{
	static const struct source_ops ops = { .name = "memory", .read_at = image_read_at };
	struct source *src = source_new(&ops, SOURCE_RANDOM, img);

	if (!src)
		abort();
	src->size = src->file_size = img->len;
	return src;
}

/* A stream of unknown size: source_peek shows its first MiB. */
static inline int image_next(struct source *src, void *buf, size_t len, size_t *ret_len,
			     struct error *err)
{
	struct image *img = src->priv;
	size_t n = img->len - img->n_reads < len ? img->len - img->n_reads : len;

	(void)err;
	memcpy(buf, img->p + img->n_reads, n);
	img->n_reads += n;
	*ret_len = n;
	return 0;
}

static inline struct source *image_stream(struct image *img)
{
	static const struct source_ops ops = { .name = "stream", .next = image_next };
	struct source *src = source_new(&ops, SOURCE_SEQUENTIAL, img);

	if (!src)
		abort();
	return src;
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
	le32 x = le32_put(v);

	memcpy(p, &x, 4);
}

static inline void put_both32(uint8_t *p, uint32_t v)
{
	be32 x = be32_put(v);

	put_le32(p, v);
	memcpy(p + 4, &x, 4);
}

/* A directory record at p; returns its length. */
static inline size_t put_record(uint8_t *p, const void *name, size_t name_len, uint32_t lba,
				uint32_t len, uint8_t flags, const void *su, size_t su_len)
{
	size_t head = 33 + name_len + (name_len % 2 == 0);
	size_t size = head + su_len + (head + su_len) % 2;

	memset(p, 0, size);
	p[0] = (uint8_t)size;
	put_both32(p + 2, lba);
	put_both32(p + 10, len);
	p[25] = flags;
	p[28] = p[31] = 1;
	p[32] = (uint8_t)name_len;
	memcpy(p + 33, name, name_len);
	if (su_len > 0)
		memcpy(p + head, su, su_len);
	return size;
}

/* "." and ".."; returns where the next record goes. */
static inline size_t put_dots(uint8_t *p, uint32_t lba, uint32_t len, const void *su, size_t su_len)
{
	size_t n = put_record(p, "\0", 1, lba, len, 2, su, su_len);

	return n + put_record(p + n, "\1", 1, lba, len, 2, NULL, 0);
}

/* A primary descriptor (type 1), or Joliet's (type 2; id is then UCS-2 already). */
static inline void put_volume(struct image *img, size_t lba, uint8_t type, const void *id,
			      size_t id_len, uint32_t n_blocks, uint32_t root_lba,
			      uint32_t root_len)
{
	uint8_t *p = image_block(img, lba);

	p[0] = type;
	memcpy(p + 1, "CD001\1", 6);
	memset(p + 8, type == 1 ? ' ' : 0, 64);
	memcpy(p + 40, id, id_len);
	put_both32(p + 80, n_blocks);
	if (type == 2)
		memcpy(p + 88, "%/E", 3);
	p[120] = p[123] = p[124] = p[127] = 1;
	p[129] = p[130] = 8; /* 2048, both ways */
	put_record(p + 156, "\0", 1, root_lba, root_len, 2, NULL, 0);
	memset(p + 190, type == 1 ? ' ' : 0, 623);
	memcpy(p + 813, "2024042413150000\4", 17); /* +01:00 */
	memset(p + 830, '0', 16);
	p[881] = 1;
}

static inline void put_terminator(struct image *img, size_t lba)
{
	memcpy(image_block(img, lba), "\377CD001\1", 7);
}

static inline void put_boot_record(struct image *img, size_t lba, uint32_t catalog_lba)
{
	uint8_t *p = image_block(img, lba);

	memcpy(p, "\0CD001\1EL TORITO SPECIFICATION", 30);
	put_le32(p + 0x47, catalog_lba);
}

/* A validation entry with the right checksum. */
static inline void put_validation(uint8_t *p, uint8_t platform, const char *id)
{
	uint16_t sum = 0;

	memset(p, 0, 32);
	p[0] = 1;
	p[1] = platform;
	memcpy(p + 4, id, strlen(id));
	p[30] = 0x55;
	p[31] = 0xaa;
	for (int i = 0; i < 32; i += 2)
		sum = (uint16_t)(sum + (p[i] | p[i + 1] << 8));
	sum = (uint16_t)-sum;
	p[28] = (uint8_t)sum;
	p[29] = (uint8_t)(sum >> 8);
}

static inline void put_entry(uint8_t *p, uint8_t indicator, uint8_t media, uint16_t count,
			     uint32_t lba)
{
	memset(p, 0, 32);
	p[0] = indicator;
	p[1] = media;
	p[6] = (uint8_t)count;
	p[7] = (uint8_t)(count >> 8);
	put_le32(p + 8, lba);
}

static inline void put_section(uint8_t *p, uint8_t indicator, uint8_t platform, uint16_t n,
			       const char *id)
{
	memset(p, 0, 32);
	p[0] = indicator;
	p[1] = platform;
	p[2] = (uint8_t)n;
	p[3] = (uint8_t)(n >> 8);
	memcpy(p + 4, id, strlen(id));
}

/* The beginning of a program for UEFI (PE/COFF), 128 bytes. */
static inline void put_program(uint8_t *p, uint16_t machine)
{
	memcpy(p, "MZ", 2);
	p[60] = 0x40;
	memcpy(p + 0x40, "PE\0\0", 4);
	p[0x44] = (uint8_t)machine;
	p[0x45] = (uint8_t)(machine >> 8);
}

/* A FAT12 boot sector of n 512-byte sectors, and EFI/BOOT/BOOTX64.EFI if asked for. */
static inline void put_fat(uint8_t *p, uint16_t n_sectors, int with_loader)
{
	static const uint8_t head[] = { 0xeb, 0x3c, 0x90, 'i', 's', 'o', 'w', 'r', 'i', 't', 'e' };
	uint8_t *root = p + 3 * 512, *efi = p + 4 * 512, *boot = p + 5 * 512;

	memcpy(p, head, sizeof(head));
	p[12] = 2; /* 512 bytes a sector */
	p[13] = 1; /* one sector a cluster */
	p[14] = 1; /* reserved */
	p[16] = 2; /* FATs */
	p[17] = 16; /* root entries: one sector */
	p[19] = (uint8_t)n_sectors;
	p[20] = (uint8_t)(n_sectors >> 8);
	p[21] = 0xf8;
	p[22] = 1; /* sectors a FAT */
	memcpy(p + 54, "FAT12   ", 8);
	p[510] = 0x55;
	p[511] = 0xaa;
	if (!with_loader)
		return;
	memcpy(p + 512, "\xf8\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	memcpy(root, "EFI        \x10", 12);
	root[26] = 2;
	memcpy(efi, "BOOT       \x10", 12);
	efi[26] = 3;
	memcpy(boot, "BOOTX64 EFI\x20", 12);
	boot[26] = 4;
	boot[28] = 0x80;
	put_program(p + 6 * 512, 0x8664);
}

#endif
