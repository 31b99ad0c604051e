/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-16 names (GPT, Joliet, FAT, UDF) to UTF-8, and back. */
#ifndef ISOWRITE_BASE_UTF16_H
#define ISOWRITE_BASE_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * At most n_units 16-bit units at s, up to a NUL, as terminated UTF-8 in out
 * (out_size > 0), cut at a character bound. Unpaired surrogates become U+FFFD.
 * Three bytes a unit and the terminator always suffice. Returns the length.
 */
size_t utf16_to_utf8(const uint8_t *s, size_t n_units, bool is_big_endian, char *out,
		     size_t out_size);

/*
 * Terminated UTF-8 as UTF-16 units, at most max_units of them into out. Returns how many
 * it has in all, or -1 where s is no valid UTF-8.
 */
int utf16_from_utf8(const char *s, uint16_t *out, size_t max_units);

#endif
