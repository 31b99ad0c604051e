// SPDX-License-Identifier: GPL-3.0-or-later
/* UTF-16 to UTF-8; see utf16.h. */
#include "base/utf16.h"

#include <string.h>

static uint32_t unit_at(const uint8_t *s, size_t i, bool is_big_endian)
{
	return is_big_endian ? (uint32_t)s[2 * i] << 8 | s[2 * i + 1]
			     : (uint32_t)s[2 * i + 1] << 8 | s[2 * i];
}

/* The bytes of c as UTF-8 in buf: how many. */
static size_t encode(uint32_t c, char buf[4])
{
	if (c < 0x80) {
		buf[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		buf[0] = (char)(0xc0 | c >> 6);
		buf[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		buf[0] = (char)(0xe0 | c >> 12);
		buf[1] = (char)(0x80 | (c >> 6 & 0x3f));
		buf[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	buf[0] = (char)(0xf0 | c >> 18);
	buf[1] = (char)(0x80 | (c >> 12 & 0x3f));
	buf[2] = (char)(0x80 | (c >> 6 & 0x3f));
	buf[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

size_t utf16_to_utf8(const uint8_t *s, size_t n_units, bool is_big_endian, char *out,
		     size_t out_size)
{
	size_t len = 0;

	for (size_t i = 0; i < n_units; i++) {
		uint32_t c = unit_at(s, i, is_big_endian), low;
		char buf[4];
		size_t n;

		if (c == 0)
			break;
		if (c >= 0xd800 && c <= 0xdfff) {
			low = c <= 0xdbff && i + 1 < n_units ? unit_at(s, i + 1, is_big_endian) : 0;
			if (low >= 0xdc00 && low <= 0xdfff) {
				c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
				i++;
			} else {
				c = 0xfffd;
			}
		}
		n = encode(c, buf);
		if (n > out_size - 1 - len)
			break;
		memcpy(out + len, buf, n);
		len += n;
	}
	out[len] = '\0';
	return len;
}

/* The character at *s, which goes on behind it; -1 where there is none (RFC 3629). */
static int32_t next_char(const unsigned char **s)
{
	static const int32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = *s;
	unsigned int n = *p < 0x80 ? 0 : *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : 1;
	int32_t c = n == 0 ? *p : *p & (0x3f >> n);

	if (*p >= 0xf8 || (*p >= 0x80 && *p < 0xc0))
		return -1;
	for (unsigned int i = 1; i <= n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (p[i] & 0x3f);
	}
	*s = p + n + 1;
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? -1 : c;
}

int utf16_from_utf8(const char *s, uint16_t *out, size_t max_units)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = 0;

	while (*p) {
		int32_t c = next_char(&p);

		if (c < 0)
			return -1;
		if (c >= 0x10000 && n + 1 < max_units) {
			out[n] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
			out[n + 1] = (uint16_t)(0xdc00 + ((c - 0x10000) & 0x3ff));
		} else if (c < 0x10000 && n < max_units) {
			out[n] = (uint16_t)c;
		}
		n += c >= 0x10000 ? 2 : 1;
	}
	return (int)n;
}
