/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CRC-32 as GPT headers and arrays use it (UEFI 2.10 section 5.3.2): IEEE 802.3, reflected. */
#ifndef ISOWRITE_BASE_CRC32_H
#define ISOWRITE_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32_ieee(const void *data, size_t len);

/* Goes on: crc32_ieee_more(crc32_ieee(a), b) is the CRC of a and b joined; begin with 0. */
uint32_t crc32_ieee_more(uint32_t crc, const void *data, size_t len);

#endif
