// SPDX-License-Identifier: GPL-3.0-or-later
/* UDF descriptors; see udf.h. */
#include "disk/udf.h"

#include <string.h>

#include "base/bytes.h"
#include "disk/joliet.h"

#define TAG_SIZE 16U

bool udf_is_nsr(const uint8_t sector[UDF_SECTOR])
{
	return memcmp(sector + 1, "NSR02", 5) == 0 || memcmp(sector + 1, "NSR03", 5) == 0;
}

bool udf_is_recognition(const uint8_t sector[UDF_SECTOR])
{
	return memcmp(sector + 1, "CD001", 5) == 0 || memcmp(sector + 1, "BEA01", 5) == 0 ||
	       memcmp(sector + 1, "TEA01", 5) == 0 || memcmp(sector + 1, "BOOT2", 5) == 0 ||
	       memcmp(sector + 1, "CDW02", 5) == 0;
}

/* ECMA-167 7.2.6: CRC-16 of ITU-T V.41, polynomial 1021h, start 0. */
static uint16_t crc16(const uint8_t *p, size_t len)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < len; i++) {
		crc = (uint16_t)(crc ^ p[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	}
	return crc;
}

unsigned int udf_check_tag(const uint8_t sector[UDF_SECTOR], uint32_t lba)
{
	uint16_t crc_len = le16_at(sector + 10);
	uint8_t sum = 0;

	for (unsigned int i = 0; i < TAG_SIZE; i++)
		if (i != 4)
			sum = (uint8_t)(sum + sector[i]);
	if (sum != sector[4] || le32_at(sector + 12) != lba || crc_len > UDF_SECTOR - TAG_SIZE ||
	    crc16(sector + TAG_SIZE, crc_len) != le16_at(sector + 8))
		return 0;
	return le16_at(sector);
}

void udf_decode_anchor(const uint8_t sector[UDF_SECTOR], uint32_t *ret_lba, uint32_t *ret_len)
{
	*ret_len = le32_at(sector + 16);
	*ret_lba = le32_at(sector + 20);
}

void udf_decode_partition(const uint8_t sector[UDF_SECTOR], uint32_t *ret_lba,
			  uint32_t *ret_len_sectors)
{
	*ret_lba = le32_at(sector + 188);
	*ret_len_sectors = le32_at(sector + 192);
}

void udf_decode_volume_name(const uint8_t sector[UDF_SECTOR], char *out, size_t out_size)
{
	const uint8_t *name = sector + 84;
	size_t len = name[127]; /* a dstring: its last byte counts the bytes used */
	size_t used = 0;

	out[0] = '\0';
	if (len < 2 || len > 127)
		return;
	/* OSTA CS0: 8 means one byte a character, 16 two, big-endian. */
	if (name[0] == 16) {
		joliet_decode_name(name + 1, len - 1, out, out_size);
		return;
	}
	if (name[0] != 8)
		return;
	for (size_t i = 1; i < len && name[i]; i++) {
		uint8_t wide[2] = { 0, name[i] };

		used += joliet_decode_name(wide, 2, out + used, out_size - used);
	}
}
