// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Boot catalogs to be written: read with nothing lost, added to, encoded. What cannot be
 * kept is refused, since nobody can say which firmware needs it. See eltorito.h.
 */
#include <string.h>

#include "base/num.h"
#include "disk/eltorito-disk.h"

/* EDK2 reads one block of the catalog, whatever the block's size (PartitionDxe, ElTorito.c). */
#define STICK_RECORDS (512U / ELTORITO_RECORD)

const char *eltorito_fault_text(enum eltorito_fault fault)
{
	static const char *const texts[] = {
		[ELTORITO_OK] = "it is as it should be",
		[ELTORITO_NO_CATALOG] = "there is none where the boot record points to",
		[ELTORITO_BAD_CHECKSUM] = "its checksum is wrong",
		[ELTORITO_NO_KEY] = "its validation entry does not end in 55 AA",
		[ELTORITO_BAD_INDICATOR] = "its default entry is of no known kind",
		[ELTORITO_TRAILING] = "it goes on with what is no boot entry",
		[ELTORITO_TOO_LONG] = "it is too long",
		[ELTORITO_NO_SECTION] = "it has entries that are in no section",
		[ELTORITO_DEFAULT_RESERVED] =
			"its default entry uses what is for entries of sections only",
	};

	return texts[fault];
}

static void decode_boot(const uint8_t *record, struct eltorito_boot *ret)
{
	struct entry_disk d;

	memcpy(&d, record, sizeof(d));
	*ret = (struct eltorito_boot){
		.is_bootable = d.indicator == ENTRY_BOOTABLE,
		.media = d.media,
		.load_segment = le16_get(d.load_segment),
		.system_type = d.system_type,
		.unused = d.unused,
		.sector_count = le16_get(d.sector_count),
		.lba = le32_get(d.lba),
		.selection_type = d.selection_type,
	};
	memcpy(ret->criteria, d.vendor, sizeof(ret->criteria));
}

static void encode_boot(uint8_t *record, const struct eltorito_boot *boot)
{
	struct entry_disk d = {
		.indicator = boot->is_bootable ? ENTRY_BOOTABLE : 0,
		.media = boot->media,
		.load_segment = le16_put(boot->load_segment),
		.system_type = boot->system_type,
		.unused = boot->unused,
		.sector_count = le16_put(boot->sector_count),
		.lba = le32_put(boot->lba),
		.selection_type = boot->selection_type,
	};

	memcpy(d.vendor, boot->criteria, sizeof(d.vendor));
	memcpy(record, &d, sizeof(d));
}

static void decode_section(const uint8_t *record, struct eltorito_section *ret)
{
	struct section_disk d;

	memcpy(&d, record, sizeof(d));
	*ret = (struct eltorito_section){
		.is_last = d.indicator == SECTION_LAST,
		.platform = d.platform,
		.n_entries = le16_get(d.n_entries),
	};
	memcpy(ret->id, d.id, sizeof(ret->id));
}

static void encode_section(uint8_t *record, const struct eltorito_section *section)
{
	struct section_disk d = {
		.indicator = section->is_last ? SECTION_LAST : SECTION_MORE,
		.platform = section->platform,
		.n_entries = le16_put(section->n_entries),
	};

	memcpy(d.id, section->id, sizeof(d.id));
	memcpy(record, &d, sizeof(d));
}

void eltorito_keep_record(struct eltorito_records *records, const uint8_t *record,
			  enum eltorito_kind kind)
{
	struct eltorito_record *r;

	if (records->n == ELTORITO_MAX_RECORDS) {
		records->is_cut = true;
		return;
	}
	r = &records->list[records->n++];
	r->kind = kind;
	switch (kind) {
	case ELTORITO_BOOT:
		decode_boot(record, &r->boot);
		break;
	case ELTORITO_SECTION:
		decode_section(record, &r->section);
		break;
	case ELTORITO_EXTENSION:
		r->extension.flags = record[1];
		memcpy(r->extension.criteria, record + 2, sizeof(r->extension.criteria));
		break;
	}
}

static bool is_zero(const uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (buf[i] != 0)
			return false;
	return true;
}

enum eltorito_fault eltorito_read_records(const uint8_t *buf, size_t len,
					  struct eltorito_records *ret)
{
	struct eltorito_catalog catalog;
	struct eltorito_parser p;
	struct validation_disk v;
	size_t pos = 0, end;
	bool more = true;

	if (len < ELTORITO_SECTOR || !eltorito_begin(&p, &catalog, buf))
		return ELTORITO_NO_CATALOG;
	memcpy(&v, buf, sizeof(v));
	memset(ret, 0, sizeof(*ret));
	ret->platform = v.platform;
	memcpy(ret->reserved, v.reserved, sizeof(ret->reserved));
	memcpy(ret->id, v.id, sizeof(ret->id));
	p.records = ret;
	for (; more && len - pos >= ELTORITO_SECTOR; pos += ELTORITO_SECTOR)
		more = eltorito_parse_sector(&p, buf + pos);
	if (more || ret->is_cut)
		return ELTORITO_TOO_LONG;
	if (!catalog.checksum_valid)
		return ELTORITO_BAD_CHECKSUM;
	if (!catalog.has_key)
		return ELTORITO_NO_KEY;
	if (buf[ELTORITO_RECORD] != 0 && buf[ELTORITO_RECORD] != ENTRY_BOOTABLE)
		return ELTORITO_BAD_INDICATOR;
	/* What stands behind the last record, in its sector. */
	end = ((size_t)ret->n + 1) * ELTORITO_RECORD;
	if (!is_zero(buf + end, eltorito_records_size(ret) - end))
		return ELTORITO_TRAILING;
	return ELTORITO_OK;
}

size_t eltorito_records_size(const struct eltorito_records *records)
{
	return num_round_up(((uint64_t)records->n + 1) * ELTORITO_RECORD, ELTORITO_SECTOR);
}

static void encode_validation(uint8_t *record, const struct eltorito_records *records)
{
	struct validation_disk v = {
		.header_id = HEADER_ID,
		.platform = records->platform,
		.key = { 0x55, 0xaa },
	};
	uint16_t sum = 0;

	memcpy(v.reserved, records->reserved, sizeof(v.reserved));
	memcpy(v.id, records->id, sizeof(v.id));
	memcpy(record, &v, sizeof(v));
	/* Section 2.1: the record's words sum up to 0. */
	for (size_t i = 0; i < ELTORITO_RECORD; i += 2)
		sum = (uint16_t)(sum + (record[i] | record[i + 1] << 8));
	v.checksum = le16_put((uint16_t)-sum);
	memcpy(record, &v, sizeof(v));
}

void eltorito_write_records(const struct eltorito_records *records, uint8_t *buf)
{
	memset(buf, 0, eltorito_records_size(records));
	encode_validation(buf, records);
	for (uint32_t i = 0; i < records->n; i++) {
		const struct eltorito_record *r = &records->list[i];
		uint8_t *record = buf + ((size_t)i + 1) * ELTORITO_RECORD;

		switch (r->kind) {
		case ELTORITO_BOOT:
			encode_boot(record, &r->boot);
			break;
		case ELTORITO_SECTION:
			encode_section(record, &r->section);
			break;
		case ELTORITO_EXTENSION:
			record[0] = EXTENSION;
			record[1] = r->extension.flags;
			memcpy(record + 2, r->extension.criteria, sizeof(r->extension.criteria));
			break;
		}
	}
}

/* A section with one entry, before record at of the list; there is room. */
static void insert_section(struct eltorito_records *records, uint32_t at, uint8_t platform,
			   const struct eltorito_boot *boot)
{
	struct eltorito_record *r = &records->list[at];

	memmove(r + 2, r, (records->n - at) * sizeof(*r));
	memset(r, 0, 2 * sizeof(*r));
	r[0].kind = ELTORITO_SECTION;
	r[0].section.platform = platform;
	r[1].kind = ELTORITO_BOOT;
	r[1].boot = *boot;
	records->n += 2;
}

/* Each header counts the entries up to the next one; the last one says so. */
static void settle_sections(struct eltorito_records *records)
{
	struct eltorito_section *section = NULL;

	for (uint32_t i = 1; i < records->n; i++) {
		struct eltorito_record *r = &records->list[i];

		if (r->kind == ELTORITO_SECTION) {
			section = &r->section;
			section->is_last = false;
			section->n_entries = 0;
		} else if (r->kind == ELTORITO_BOOT && section) {
			section->n_entries++;
		}
	}
	if (section)
		section->is_last = true;
}

enum eltorito_fault eltorito_add_boot(struct eltorito_records *records, uint8_t platform,
				      const struct eltorito_boot *boot)
{
	struct eltorito_boot old = records->list[0].boot;
	uint8_t record[ELTORITO_RECORD];

	if (records->n == 0) {
		records->platform = platform;
		records->list[0].kind = ELTORITO_BOOT;
		records->list[0].boot = *boot;
		records->n = 1;
		return ELTORITO_OK;
	}
	if (records->n + 2 > ELTORITO_MAX_RECORDS)
		return ELTORITO_TOO_LONG;
	/* They would fall to the section that is put in. */
	if (records->n > 1 && records->list[1].kind != ELTORITO_SECTION)
		return ELTORITO_NO_SECTION;
	if (platform == 0) {
		/* In a section these would mean something. */
		if ((old.media & FLAG_EXTENSION) || old.selection_type != 0)
			return ELTORITO_DEFAULT_RESERVED;
		/* In a section an entry of zeros would be the catalog's end. */
		encode_boot(record, &old);
		if (!is_zero(record, sizeof(record)))
			insert_section(records, 1, records->platform, &old);
		records->platform = 0;
		records->list[0].boot = *boot;
	} else if (records->n + 2 < STICK_RECORDS) {
		insert_section(records, records->n, platform, boot);
	} else {
		insert_section(records, 1, platform, boot);
	}
	settle_sections(records);
	return ELTORITO_OK;
}

void eltorito_encode_boot_record(uint8_t sector[ELTORITO_SECTOR], uint32_t catalog_lba)
{
	le32 lba = le32_put(catalog_lba);

	/* Section 2.0; the version, 1, as in every descriptor. */
	memset(sector, 0, ELTORITO_SECTOR);
	memcpy(sector + 1, "CD001\1" BOOT_SYSTEM_ID, 6 + sizeof(BOOT_SYSTEM_ID) - 1);
	memcpy(sector + ELTORITO_CATALOG_LBA_OFFSET, &lba, sizeof(lba));
}
