// SPDX-License-Identifier: GPL-3.0-or-later
/* Joliet names; see joliet.h. */
#include "disk/joliet.h"

#include <string.h>

bool joliet_is_escape(const uint8_t escapes[32])
{
	return escapes[0] == 0x25 && escapes[1] == 0x2f &&
	       (escapes[2] == 0x40 || escapes[2] == 0x43 || escapes[2] == 0x45);
}

static size_t encode_utf8(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

size_t joliet_decode_name(const uint8_t *name, size_t len, char *out, size_t out_size)
{
	size_t used = 0;

	for (size_t i = 0; i + 2 <= len; i += 2) {
		uint32_t c = (uint32_t)name[i] << 8 | name[i + 1];
		char utf8[4];
		size_t n;

		if (c == 0)
			break;
		if (c >= 0xd800 && c <= 0xdfff) {
			uint32_t low = i + 4 <= len ? (uint32_t)name[i + 2] << 8 | name[i + 3] : 0;

			if (c <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) {
				c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
				i += 2;
			} else {
				c = 0xfffd;
			}
		}
		n = encode_utf8(c, utf8);
		if (n >= out_size - used)
			break;
		memcpy(out + used, utf8, n);
		used += n;
	}
	out[used] = '\0';
	return used;
}
