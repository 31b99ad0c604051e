// SPDX-License-Identifier: GPL-3.0-or-later
/* GUIDs; see guid.h. */
#include "base/guid.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"

/* For each pair of digits in the text, the byte on disk; a dash follows pairs 3, 5, 7 and 9. */
static const uint8_t byte_of_pair[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

static bool has_dash_after(unsigned int pair)
{
	return pair == 3 || pair == 5 || pair == 7 || pair == 9;
}

const char *guid_format(const uint8_t guid[16], char *buf)
{
	char *p = buf;

	for (unsigned int i = 0; i < 16; i++)
		p += sprintf(p, has_dash_after(i) ? "%02X-" : "%02X", guid[byte_of_pair[i]]);
	return buf;
}

int guid_parse(const char *s, uint8_t ret_guid[16])
{
	uint8_t guid[16];

	for (unsigned int i = 0; i < 16; i++) {
		if (num_parse_hex(s, 1, &guid[byte_of_pair[i]]) < 0)
			return -1;
		s += 2;
		if (has_dash_after(i) && *s++ != '-')
			return -1;
	}
	if (*s)
		return -1;
	memcpy(ret_guid, guid, sizeof(guid));
	return 0;
}

bool guid_is_zero(const uint8_t guid[16])
{
	static const uint8_t zero[16];

	return !memcmp(guid, zero, sizeof(zero));
}
