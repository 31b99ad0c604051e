/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small disc image as distributions make them:
 *
 *   block  0      MBR: isohdpfx's marks, p1 type 00 over all, p2 type EF (DISC_MBR)
 *         16..    PVD, boot record, Joliet, terminator
 *         20      root          21 /BOOT        22 Joliet's root
 *         24      boot catalog
 *         30..31  isolinux.bin with its boot info table (DISC_BIOS)
 *         40..49  efi.img, a FAT of 40 sectors with a loader (DISC_EFI)
 *         64      end
 */
#ifndef ISOWRITE_TESTS_DISC_UTIL_H
#define ISOWRITE_TESTS_DISC_UTIL_H

#include "disk/eltorito.h"
#include "image_util.h"

#define DISC_BIOS 1U
#define DISC_EFI 2U
#define DISC_MBR 4U
#define DISC_BLOCKS 64U

static inline void disc_put_isolinux(struct image *img)
{
	uint8_t *p = image_block(img, 30);

	for (size_t i = 64; i < 3000; i++)
		p[i] = (uint8_t)(i * 7);
	memcpy(p + 64, "\xfb\xc0\x78\x70", 4);
	put_le32(p + 8, 16);
	put_le32(p + 12, 30);
	put_le32(p + 16, 3000);
	put_le32(p + 20, boot_info_add(0, p + 64, 3000 - 64));
}

static inline void disc_put_mbr_entry(uint8_t *mbr, unsigned int i, uint8_t status, uint8_t type,
				      uint32_t start, uint32_t len)
{
	uint8_t *p = mbr + 446 + 16 * i;

	p[0] = status;
	p[4] = type;
	put_le32(p + 8, start);
	put_le32(p + 12, len);
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
}

static inline void disc_put_mbr(struct image *img, unsigned int flags)
{
	uint8_t *mbr = image_block(img, 0);

	memcpy(mbr, "\x33\xed\x90\x90", 4);
	memcpy(mbr + 200, "\xfb\xc0\x78\x70", 4);
	memcpy(mbr + 240, "isolinux.bin missing or corrupt.", 32);
	put_le32(mbr + 432, 30 * 4);
	put_le32(mbr + 440, 0x12345678);
	disc_put_mbr_entry(mbr, 0, 0x80, 0x00, 0, DISC_BLOCKS * 4);
	if (flags & DISC_EFI)
		disc_put_mbr_entry(mbr, 1, 0, 0xef, 160, 40);
}

static inline void disc_put_catalog(struct image *img, unsigned int flags)
{
	uint8_t *cat = image_block(img, 24);

	put_boot_record(img, 17, 24);
	put_validation(cat, flags & DISC_BIOS ? 0 : 0xef, "");
	if (flags & DISC_BIOS)
		put_entry(cat + 32, 0x88, 0, 4, 30);
	else
		put_entry(cat + 32, 0x88, 0, 40, 40);
	if ((flags & DISC_BIOS) && (flags & DISC_EFI)) {
		put_section(cat + 64, 0x91, 0xef, 1, "");
		put_entry(cat + 96, 0x88, 0, 40, 40);
	}
}

static inline struct image disc_new(unsigned int flags)
{
	struct image img = image_new(DISC_BLOCKS);
	uint8_t *root = image_block(&img, 20), *boot = image_block(&img, 21);

	put_volume(&img, 16, 1, "TEST_DISC", 9, DISC_BLOCKS, 20, 2048);
	memcpy(image_block(&img, 16) + 8, "LINUX", 5);
	memcpy(image_block(&img, 16) + 318, "WE \33[31m& CO", 12);
	put_volume(&img, 18, 2, "\0T\0e\0s\0t\0 \0d\0i\0s\0c", 18, DISC_BLOCKS, 22, 2048);
	put_terminator(&img, 19);
	if (flags & (DISC_BIOS | DISC_EFI))
		disc_put_catalog(&img, flags);
	else
		memcpy(image_block(&img, 17), "\3CD001\1", 7); /* a partition descriptor */
	root += put_dots(root, 20, 2048, "SP\7\1\xbe\xef\0", 7);
	root += put_record(root, "BOOT", 4, 21, 2048, 2, "NM\11\1\0boot", 9);
	root += put_record(root, "README.;1", 9, 60, 100, 0, "NM\13\1\0README", 11);
	put_dots(image_block(&img, 22), 22, 2048, NULL, 0);
	boot += put_dots(boot, 21, 2048, NULL, 0);
	if (flags & DISC_BIOS) {
		disc_put_isolinux(&img);
		boot += put_record(boot, "ISOLINUX.BIN;1", 14, 30, 3000, 0, "NM\21\1\0isolinux.bin", 17);
	}
	if (flags & DISC_EFI) {
		put_fat(image_block(&img, 40), 40, 1);
		put_record(boot, "EFI.IMG;1", 9, 40, 40 * 512, 0, "NM\14\1\0efi.img", 12);
	}
	if (flags & DISC_MBR)
		disc_put_mbr(&img, flags);
	return img;
}

#endif
