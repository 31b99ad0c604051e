/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A disk image with a GPT, composed by the codecs, and its layout as detection would say it. */
#ifndef ISOWRITE_TESTS_GPT_IMAGE_H
#define ISOWRITE_TESTS_GPT_IMAGE_H

#include <stdlib.h>
#include <string.h>

#include "base/guid.h"
#include "disk/gpt.h"
#include "disk/mbr.h"
#include "image/layout.h"

struct gpt_image {
	uint32_t block_size, n_entries;
	uint64_t n_blocks;
	uint8_t *data;
	struct layout lay;
};

static inline uint64_t gpt_image_size(const struct gpt_image *img)
{
	return img->n_blocks * img->block_size;
}

static inline void gpt_image_put_copy(struct gpt_image *img, struct gpt_header *header,
				      uint64_t lba, uint64_t entries_lba)
{
	struct gpt_entry entry = { .first_lba = 64, .last_lba = 127, .name = "ESP" };
	uint8_t *array = img->data + entries_lba * img->block_size;

	guid_parse("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", entry.type);
	guid_parse("AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE", entry.guid);
	gpt_encode_entry(array, &entry);
	header->my_lba = lba;
	header->alternate_lba = img->n_blocks - lba;
	header->entries_lba = entries_lba;
	header->entries_crc = gpt_array_crc(header, array);
	gpt_encode_header(img->data + lba * img->block_size, header);
}

/* Every byte that no table needs is A5h. */
static inline void gpt_image_make(struct gpt_image *img)
{
	struct gpt_header header = {
		.revision = 0x10000,
		.header_size = 92,
		.n_entries = img->n_entries,
		.entry_size = 128,
	};
	uint64_t last = img->n_blocks - 1, blocks = gpt_array_blocks(&header, img->block_size);
	struct mbr mbr = { 0 };

	header.first_usable_lba = 2 + blocks;
	header.last_usable_lba = last - blocks - 1;
	guid_parse("11111111-2222-3333-4444-555555555555", header.disk_guid);
	img->data = malloc(gpt_image_size(img));
	memset(img->data, 0xa5, gpt_image_size(img));
	memset(img->data, 0, (2 + blocks) * img->block_size);
	memset(img->data + (last - blocks) * img->block_size, 0, (blocks + 1) * img->block_size);
	mbr.entries[0] = (struct mbr_entry){ .chs_first = { 0, 2, 0 },
					     .type = MBR_TYPE_PROTECTIVE,
					     .start_lba = 1,
					     .len_blocks = (uint32_t)last };
	mbr_chs_from_lba(last, mbr.entries[0].chs_last);
	/* The dummy entry of xorriso's --mbr-force-bootable. */
	mbr.entries[1] = (struct mbr_entry){ .status = MBR_STATUS_ACTIVE, .len_blocks = 1 };
	mbr_encode(img->data, &mbr);
	gpt_image_put_copy(img, &header, 1, 2);
	gpt_image_put_copy(img, &header, last, last - blocks);

	memset(&img->lay, 0, sizeof(img->lay));
	img->lay.kind = LAYOUT_DISK;
	img->lay.size = gpt_image_size(img);
	img->lay.sector_size = img->block_size;
	img->lay.mbr.present = img->lay.mbr.is_protective = true;
	img->lay.mbr.block_size = img->block_size;
	img->lay.gpt.present = img->lay.gpt.valid = true;
	img->lay.gpt.block_size = img->block_size;
	img->lay.gpt.primary.present = img->lay.gpt.primary.valid = true;
	img->lay.gpt.backup.present = img->lay.gpt.backup.valid = true;
	img->lay.gpt.backup.lba = last;
	img->lay.gpt.backup_at_end = img->lay.gpt.arrays_equal = true;
}

#endif
