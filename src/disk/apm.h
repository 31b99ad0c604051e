/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Apple partition map (Inside Macintosh: Devices, chapter 3): a driver
 * descriptor block "ER" at byte 0 names the block size; map entries "PM" fill
 * blocks 1, 2 ... Big-endian. Bytes in, values out.
 */
#ifndef ISOWRITE_DISK_APM_H
#define ISOWRITE_DISK_APM_H

#include <stdbool.h>
#include <stdint.h>

#define APM_BLOCK_MIN 512 /* bytes that each decoder looks at */

struct apm_entry {
	uint32_t n_map_entries; /* entries of the whole map; the same in each */
	uint32_t start_block, n_blocks; /* in blocks of the map */
	char name[33], type[33]; /* as stored, terminated */
};

/* Block size by the driver descriptor at byte 0 (512, 1024, 2048 or 4096), or 0 if none. */
uint32_t apm_decode_descriptor(const uint8_t block[APM_BLOCK_MIN]);

/* False if the block is no map entry. */
bool apm_decode_entry(const uint8_t block[APM_BLOCK_MIN], struct apm_entry *ret);

/* Room that the map counts as a partition: "Apple_Free", "Apple_Void". */
bool apm_type_is_free(const char *type);

/* The inverses; other bytes of the block stay. */
void apm_encode_descriptor(uint8_t block[APM_BLOCK_MIN], uint32_t block_size, uint32_t n_blocks);
void apm_encode_entry(uint8_t block[APM_BLOCK_MIN], const struct apm_entry *entry);

#endif
