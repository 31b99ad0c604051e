// SPDX-License-Identifier: GPL-3.0-or-later
/* The El Torito boot catalog; see eltorito.h. Sections are those of El Torito 1.0. */
#include "disk/eltorito.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

/* Section 2.1 */
struct validation_disk {
	uint8_t header_id; /* 01h */
	uint8_t platform;
	uint8_t reserved[2];
	char id[24];
	le16 checksum;
	uint8_t key[2];
};
static_assert(sizeof(struct validation_disk) == ELTORITO_RECORD, "El Torito 2.1");

/* Section 2.2 and 2.4 */
struct entry_disk {
	uint8_t indicator; /* 88h bootable, 00h not */
	uint8_t media; /* bits 0-3; in sections bit 5: an extension follows */
	le16 load_segment;
	uint8_t system_type;
	uint8_t unused;
	le16 sector_count;
	le32 lba;
	uint8_t selection_type;
	uint8_t vendor[19];
};
static_assert(sizeof(struct entry_disk) == ELTORITO_RECORD, "El Torito 2.4");

/* Section 2.3 */
struct section_disk {
	uint8_t indicator; /* 90h more headers follow, 91h last */
	uint8_t platform;
	le16 n_entries;
	char id[28];
};
static_assert(sizeof(struct section_disk) == ELTORITO_RECORD, "El Torito 2.3");

#define HEADER_ID 0x01
#define ENTRY_BOOTABLE 0x88
#define SECTION_MORE 0x90
#define SECTION_LAST 0x91
#define EXTENSION 0x44
#define FLAG_EXTENSION 0x20

bool eltorito_decode_boot_record(const uint8_t sector[ELTORITO_SECTOR], uint32_t *ret_catalog_lba)
{
	static const char system[] = "EL TORITO SPECIFICATION";
	le32 lba;

	/* Section 2.0. Trailing bytes of the field vary in the field, as firmware allows. */
	if (sector[0] != 0 || memcmp(sector + 1, "CD001", 5) != 0 ||
	    memcmp(sector + 7, system, sizeof(system) - 1) != 0)
		return false;
	memcpy(&lba, sector + 0x47, sizeof(lba));
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

static void add_entry(struct eltorito_parser *p, const uint8_t *record)
{
	struct eltorito_catalog *catalog = p->catalog;
	struct eltorito_entry *entry;
	struct entry_disk d;

	if (catalog->n_entries == ELTORITO_MAX_ENTRIES) {
		catalog->n_dropped++;
		return;
	}
	memcpy(&d, record, sizeof(d));
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
	/* Bit 5 means an extension in sections only; the default entry has none. */
	p->in_extension = p->record > 1 && (d.media & FLAG_EXTENSION);
}

static void begin_section(struct eltorito_parser *p, const uint8_t *record)
{
	struct section_disk d;

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
		if (p->catalog->n_entries > 0)
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
