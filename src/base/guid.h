/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GUIDs as they lie on disk: 16 bytes, the first three fields little-endian
 * (UEFI 2.10 appendix A), printed in the usual way.
 */
#ifndef ISOWRITE_BASE_GUID_H
#define ISOWRITE_BASE_GUID_H

#include <stdbool.h>
#include <stdint.h>

#define GUID_TEXT_SIZE 37

/* "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"; buf holds GUID_TEXT_SIZE bytes. Returns buf. */
const char *guid_format(const uint8_t guid[16], char *buf);

/* The inverse, hex digits in either case. 0, or -1 if s is anything else. */
int guid_parse(const char *s, uint8_t ret_guid[16]);

bool guid_is_zero(const uint8_t guid[16]);

#endif
