/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * As much of UDF (ECMA-167, OSTA UDF 1.02 to 2.60) as tells that it is there,
 * its name and its size: the volume recognition sequence, the anchor, the
 * volume descriptor sequence. Bytes in, values out.
 */
#ifndef ISOWRITE_DISK_UDF_H
#define ISOWRITE_DISK_UDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UDF_SECTOR 2048U
#define UDF_ANCHOR_LBA 256U
#define UDF_MAX_DESCRIPTORS 32U /* of a sequence that a caller should read */

enum udf_tag {
	UDF_TAG_PRIMARY = 1,
	UDF_TAG_ANCHOR = 2,
	UDF_TAG_PARTITION = 5,
	UDF_TAG_LOGICAL_VOLUME = 6,
	UDF_TAG_TERMINATOR = 8,
};

/* NSR02 or NSR03 at the descriptor's byte 1 (ECMA-167 3/9.1). */
bool udf_is_nsr(const uint8_t sector[UDF_SECTOR]);

/* BEA01, TEA01, BOOT2, CDW02, CD001: the recognition sequence goes on. */
bool udf_is_recognition(const uint8_t sector[UDF_SECTOR]);

/* The tag's identifier if its checksum, CRC and location are right (ECMA-167 3/7.2), else 0. */
unsigned int udf_check_tag(const uint8_t sector[UDF_SECTOR], uint32_t lba);

/* From an anchor: where the main volume descriptor sequence lies. */
void udf_decode_anchor(const uint8_t sector[UDF_SECTOR], uint32_t *ret_lba, uint32_t *ret_len);

/* From a partition descriptor: where the volume's data lie, in sectors. */
void udf_decode_partition(const uint8_t sector[UDF_SECTOR], uint32_t *ret_lba,
			  uint32_t *ret_len_sectors);

/* From a logical volume descriptor: its name, as UTF-8. */
void udf_decode_volume_name(const uint8_t sector[UDF_SECTOR], char *out, size_t out_size);

#endif
