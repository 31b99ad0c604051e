// SPDX-License-Identifier: GPL-3.0-or-later
/* The El Torito boot catalog; see eltorito.h. Sections are those of El Torito 1.0. */
#include "disk/eltorito.h"

#include <string.h>

#include "disk/eltorito-disk.h"

bool eltorito_decode_boot_record(const uint8_t sector[ELTORITO_SECTOR], uint32_t *ret_catalog_lba)
{
	static const char system[] = BOOT_SYSTEM_ID;
	le32 lba;

	/* Section 2.0. Trailing bytes of the field vary in the field, as firmware allows. */
	if (sector[0] != 0 || memcmp(sector + 1, "CD001", 5) != 0 ||
	    memcmp(sector + 7, system, sizeof(system) - 1) != 0)
		return false;
	memcpy(&lba, sector + ELTORITO_CATALOG_LBA_OFFSET, sizeof(lba));
	*ret_catalog_lba = le32_get(lba);
	return true;
}

static void copy_id(char *out, const char *id, size_t len)
{
	len = strnlen(id, len);
	while (len > 0 && id[len - 1] == ' ')
		len--;
	memcpy(out, id, len);
	out[len] = '\0';
}

bool eltorito_begin(struct eltorito_parser *p, struct eltorito_catalog *catalog,
		    const uint8_t sector[ELTORITO_SECTOR])
{
	struct validation_disk v;
	uint16_t sum = 0;

	memcpy(&v, sector, sizeof(v));
	if (v.header_id != HEADER_ID)
		return false;
	for (size_t i = 0; i < ELTORITO_RECORD; i += 2)
		sum = (uint16_t)(sum + (sector[i] | sector[i + 1] << 8));
	memset(catalog, 0, sizeof(*catalog));
	catalog->checksum_valid = sum == 0;
	catalog->has_key = v.key[0] == 0x55 && v.key[1] == 0xaa;
	catalog->platform = v.platform;
	copy_id(catalog->id, v.id, sizeof(v.id));
	memset(p, 0, sizeof(*p));
	p->catalog = catalog;
	p->platform = v.platform;
	memcpy(p->id, catalog->id, sizeof(catalog->id));
	return true;
}

static void keep(const struct eltorito_parser *p, const uint8_t *record, enum eltorito_kind kind)
{
	if (p->records)
		eltorito_keep_record(p->records, record, kind);
}

static void add_entry(struct eltorito_parser *p, const uint8_t *record)
{
	struct eltorito_catalog *catalog = p->catalog;
	struct eltorito_entry *entry;
	struct entry_disk d;

	keep(p, record, ELTORITO_BOOT);
	memcpy(&d, record, sizeof(d));
	/* Bit 5 means an extension in sections only; the default entry has none. */
	p->in_extension = p->record > 1 && (d.media & FLAG_EXTENSION);
	if (catalog->n_entries == ELTORITO_MAX_ENTRIES) {
		catalog->n_dropped++;
		return;
	}
	entry = &catalog->entries[catalog->n_entries++];
	entry->record = p->record;
	entry->platform = p->platform;
	entry->is_bootable = d.indicator == ENTRY_BOOTABLE;
	entry->media = d.media & 0x0f;
	entry->load_segment = le16_get(d.load_segment);
	entry->system_type = d.system_type;
	entry->sector_count = le16_get(d.sector_count);
	entry->lba = le32_get(d.lba);
	entry->selection_type = d.selection_type;
	memcpy(entry->id, p->id, sizeof(entry->id));
}

static void begin_section(struct eltorito_parser *p, const uint8_t *record)
{
	struct section_disk d;

	keep(p, record, ELTORITO_SECTION);
	memcpy(&d, record, sizeof(d));
	p->catalog->n_missing += p->left;
	p->is_last = d.indicator == SECTION_LAST;
	p->platform = d.platform;
	p->left = le16_get(d.n_entries);
	p->in_extension = false;
	copy_id(p->id, d.id, sizeof(d.id));
}

static bool is_zero(const uint8_t *record)
{
	static const uint8_t zeros[ELTORITO_RECORD];

	return memcmp(record, zeros, sizeof(zeros)) == 0;
}

/*
 * One record behind the default entry; false ends the catalog. Lenient where
 * real catalogs are: a last header that counts no entries, entries that no
 * header counts, headers behind the last one, announced entries that are zero.
 */
static bool parse_record(struct eltorito_parser *p, const uint8_t *record)
{
	if (p->in_extension && record[0] == EXTENSION) {
		keep(p, record, ELTORITO_EXTENSION);
		if (p->catalog->n_dropped == 0)
			p->catalog->entries[p->catalog->n_entries - 1].n_extensions++;
		p->in_extension = record[1] & FLAG_EXTENSION;
		return true;
	}
	p->in_extension = false;
	if (record[0] == SECTION_MORE || record[0] == SECTION_LAST) {
		begin_section(p, record);
		return true;
	}
	if (record[0] == ENTRY_BOOTABLE || (record[0] == 0 && p->left > 0 && !is_zero(record))) {
		if (p->left > 0)
			p->left--;
		else
			p->catalog->n_unannounced++;
		add_entry(p, record);
		return true;
	}
	p->catalog->n_missing += p->left;
	p->left = 0;
	return false;
}

bool eltorito_parse_sector(struct eltorito_parser *p, const uint8_t sector[ELTORITO_SECTOR])
{
	for (uint32_t at = 0; at < ELTORITO_SECTOR; at += ELTORITO_RECORD, p->record++) {
		if (p->record == 0)
			continue;
		if (p->record == 1)
			add_entry(p, sector + at);
		else if (!parse_record(p, sector + at))
			return false;
	}
	/* Unannounced records are looked for within a sector only. */
	return p->left > 0 || p->in_extension || !p->is_last;
}

uint64_t eltorito_floppy_size(uint8_t media)
{
	switch (media) {
	case 1:
		return 80 * 2 * 15 * 512;
	case 2:
		return 80 * 2 * 18 * 512;
	case 3:
		return 80 * 2 * 36 * 512;
	default:
		return 0;
	}
}

void boot_info_decode(const uint8_t head[BOOT_INFO_END], struct boot_info *ret)
{
	le32 words[4];

	memcpy(words, head + BOOT_INFO_OFFSET, sizeof(words));
	ret->pvd_lba = le32_get(words[0]);
	ret->file_lba = le32_get(words[1]);
	ret->file_len = le32_get(words[2]);
	ret->checksum = le32_get(words[3]);
}

void boot_info_encode(uint8_t head[BOOT_INFO_END], const struct boot_info *info)
{
	const le32 words[4] = {
		le32_put(info->pvd_lba),
		le32_put(info->file_lba),
		le32_put(info->file_len),
		le32_put(info->checksum),
	};

	memset(head + BOOT_INFO_OFFSET, 0, BOOT_INFO_END - BOOT_INFO_OFFSET);
	memcpy(head + BOOT_INFO_OFFSET, words, sizeof(words));
}

uint32_t boot_info_add(uint32_t sum, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i + 4 <= len; i += 4)
		sum += (uint32_t)data[i] | (uint32_t)data[i + 1] << 8 |
		       (uint32_t)data[i + 2] << 16 | (uint32_t)data[i + 3] << 24;
	/* The last word is filled with zeros. */
	for (unsigned int shift = 0; i < len; i++, shift += 8)
		sum += (uint32_t)data[i] << shift;
	return sum;
}
