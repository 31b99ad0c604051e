// SPDX-License-Identifier: GPL-3.0-or-later
/* Rock Ridge entries; see rockridge.h. */
#include "disk/rockridge.h"

#include <string.h>

#include "base/bytes.h"

#define NM_CONTINUE 0x01
#define NM_CURRENT 0x02
#define NM_PARENT 0x04

bool rockridge_find_sp(const uint8_t *area, size_t len, uint8_t *ret_skip)
{
	/* SUSP 5.3: the first entry of the first record; CD-ROM XA puts 14 bytes before it. */
	for (size_t at = 0; at <= 14; at += 14) {
		if (len >= at + 7 && !memcmp(area + at, "SP", 2) && area[at + 2] == 7 &&
		    area[at + 4] == 0xbe && area[at + 5] == 0xef) {
			*ret_skip = area[at + 6];
			return true;
		}
	}
	return false;
}

void rockridge_init(struct rockridge *rr)
{
	memset(rr, 0, sizeof(*rr));
}

/* RRIP 4.1.4: flags, then a piece of the name. */
static void add_name(struct rockridge *rr, const uint8_t *entry, size_t len)
{
	size_t n;

	if (len < 5 || rr->is_name_done || (entry[4] & (NM_CURRENT | NM_PARENT)))
		return;
	n = len - 5;
	if (n > ROCKRIDGE_NAME_MAX - rr->name_len)
		n = ROCKRIDGE_NAME_MAX - rr->name_len;
	memcpy(rr->name + rr->name_len, entry + 5, n);
	rr->name_len += n;
	rr->name[rr->name_len] = '\0';
	rr->is_name_done = !(entry[4] & NM_CONTINUE);
}

static uint32_t get_both32(const uint8_t *p)
{
	both32 v;

	memcpy(&v, p, sizeof(v));
	return both32_get(v);
}

void rockridge_add(struct rockridge *rr, const uint8_t *area, size_t len)
{
	rr->has_more = false;
	/* Ends: every entry is at least 4 bytes long. */
	for (size_t at = 0; at + 4 <= len && !rr->is_ended;) {
		const uint8_t *entry = area + at;
		size_t entry_len = entry[2];

		if (entry_len < 4 || entry_len > len - at)
			return;
		if (!memcmp(entry, "NM", 2)) {
			add_name(rr, entry, entry_len);
		} else if (!memcmp(entry, "CE", 2) && entry_len >= 28) {
			rr->has_more = true;
			rr->more_lba = get_both32(entry + 4);
			rr->more_offset = get_both32(entry + 12);
			rr->more_len = get_both32(entry + 20);
		} else if (!memcmp(entry, "CL", 2) && entry_len >= 12) {
			rr->has_child = true;
			rr->child_lba = get_both32(entry + 4);
		} else if (!memcmp(entry, "RE", 2)) {
			rr->is_moved = true;
		} else if (!memcmp(entry, "ST", 2)) {
			rr->is_ended = true;
		}
		at += entry_len;
	}
}
