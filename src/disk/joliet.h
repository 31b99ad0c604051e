/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Joliet (Microsoft's specification of 1995): UCS-2 names in a supplementary descriptor. */
#ifndef ISOWRITE_DISK_JOLIET_H
#define ISOWRITE_DISK_JOLIET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The escape sequences of UCS-2 levels 1 to 3, at the descriptor's byte 88. */
bool joliet_is_escape(const uint8_t escapes[32]);

/*
 * Big-endian UCS-2 (surrogate pairs accepted) to UTF-8; stops at NUL; what
 * cannot be encoded becomes U+FFFD. Cut at a character bound. Returns the
 * length.
 */
size_t joliet_decode_name(const uint8_t *name, size_t len, char *out, size_t out_size);

#endif
