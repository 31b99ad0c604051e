// SPDX-License-Identifier: GPL-3.0-or-later
/* PE/COFF; see pe.h. Offsets are those of Microsoft's PE format specification. */
#include "disk/pe.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/num.h"

#define DOS_NEW_HEADER 0x3c /* where "PE\0\0" lies */
#define PE_OFFSET_MIN 64U
#define MAGIC_PE32 0x10b
#define MAGIC_PE32_PLUS 0x20b
#define SIGNATURES_INDEX 4U /* of the data directories */

struct disk_coff {
	uint8_t magic[4];
	le16 machine, n_sections;
	le32 time, symbols, n_symbols;
	le16 optional_size, characteristics;
};

/* The beginnings of both optional headers are the same. */
struct disk_optional {
	le16 magic;
	uint8_t skipped[58];
	le32 headers_size;
	le32 checksum;
};

struct disk_directory {
	le32 address, size;
};

struct disk_section {
	char name[8];
	le32 memory_size, address, size, offset, relocations, lines;
	le16 n_relocations, n_lines;
	le32 characteristics;
};

struct disk_signature {
	le32 len; /* this header included */
	le16 revision, type;
};

static_assert(sizeof(struct disk_coff) == 24, "COFF header");
static_assert(offsetof(struct disk_optional, checksum) == 64, "optional header");
static_assert(sizeof(struct disk_section) == 40, "section header");

/* Directories come behind a count, at these offsets of the optional header. */
static size_t count_offset(bool is_64)
{
	return is_64 ? 108 : 92;
}

/* The table of signatures: its address is, alone of all, an offset in the file. */
static const char *decode_directory(const uint8_t *optional, size_t len, size_t at,
				    uint64_t file_size, struct pe *pe)
{
	size_t count_at = count_offset(pe->is_64);
	struct disk_directory directory;
	size_t entry_at = count_at + 4 + SIGNATURES_INDEX * sizeof(directory);
	le32 count;

	if (!num_is_within(count_at, sizeof(count), len))
		return _("its headers are damaged");
	memcpy(&count, optional + count_at, sizeof(count));
	if (le32_get(count) <= SIGNATURES_INDEX)
		return NULL;
	if (!num_is_within(entry_at, sizeof(directory), len))
		return _("its headers are damaged");
	memcpy(&directory, optional + entry_at, sizeof(directory));
	pe->directory_offset = (uint32_t)(at + entry_at);
	if (le32_get(directory.size) == 0)
		return NULL;
	if (!num_is_within(le32_get(directory.address), le32_get(directory.size), file_size))
		return _("its signatures lie behind its end");
	pe->signatures_offset = le32_get(directory.address);
	pe->signatures_size = le32_get(directory.size);
	return NULL;
}

static const char *decode_sections(const uint8_t *head, size_t len, size_t at, uint32_t n,
				   uint64_t file_size, struct pe *pe)
{
	uint64_t sum = pe->headers_size;

	if (n > PE_MAX_SECTIONS || !num_is_within(at, n * sizeof(struct disk_section), len))
		return _("it has too many sections");
	for (uint32_t i = 0; i < n; i++) {
		struct pe_section *to = &pe->sections[i];
		struct disk_section disk;

		memcpy(&disk, head + at + i * sizeof(disk), sizeof(disk));
		memcpy(to->name, disk.name, sizeof(disk.name));
		to->name[sizeof(disk.name)] = '\0';
		to->offset = le32_get(disk.offset);
		to->size = le32_get(disk.size);
		to->memory_size = le32_get(disk.memory_size);
		sum += to->size;
		if (to->size > 0 && !num_is_within(to->offset, to->size, file_size))
			return _("it is cut short");
	}
	/* Sections that overlap would be hashed again and again. */
	if (sum > file_size)
		return _("its sections overlap");
	pe->n_sections = n;
	return NULL;
}

const char *pe_decode(const uint8_t *head, size_t len, uint64_t file_size, struct pe *ret)
{
	const char *const not_pe = _("it is not a UEFI program");
	struct disk_optional optional;
	struct disk_coff coff;
	struct pe pe = { .machine = 0 };
	size_t at, optional_at, optional_len;
	const char *wrong;
	le32 offset;

	if (len < DOS_NEW_HEADER + sizeof(offset) || head[0] != 'M' || head[1] != 'Z')
		return not_pe;
	memcpy(&offset, head + DOS_NEW_HEADER, sizeof(offset));
	at = le32_get(offset);
	if (at < PE_OFFSET_MIN || !num_is_within(at, sizeof(coff), len))
		return not_pe;
	memcpy(&coff, head + at, sizeof(coff));
	optional_at = at + sizeof(coff);
	optional_len = le16_get(coff.optional_size);
	if (memcmp(coff.magic, "PE\0", 4) != 0 || optional_len < sizeof(optional) ||
	    !num_is_within(optional_at, optional_len, len))
		return not_pe;
	memcpy(&optional, head + optional_at, sizeof(optional));
	if (le16_get(optional.magic) != MAGIC_PE32 && le16_get(optional.magic) != MAGIC_PE32_PLUS)
		return not_pe;
	pe.machine = le16_get(coff.machine);
	pe.is_64 = le16_get(optional.magic) == MAGIC_PE32_PLUS;
	pe.headers_size = le32_get(optional.headers_size);
	pe.checksum_offset = (uint32_t)(optional_at + offsetof(struct disk_optional, checksum));
	wrong = decode_directory(head + optional_at, optional_len, optional_at, file_size, &pe);
	if (!wrong)
		wrong = decode_sections(head, len, optional_at + optional_len,
					le16_get(coff.n_sections), file_size, &pe);
	if (!wrong && (pe.headers_size > file_size ||
		       pe.headers_size < optional_at + optional_len +
						 pe.n_sections * sizeof(struct disk_section)))
		wrong = _("its headers are damaged");
	if (!wrong)
		*ret = pe;
	return wrong;
}

const struct pe_section *pe_find_section(const struct pe *pe, const char *name)
{
	for (uint32_t i = 0; i < pe->n_sections; i++)
		if (!strcmp(pe->sections[i].name, name))
			return &pe->sections[i];
	return NULL;
}

static size_t add_range(struct pe_range *ranges, size_t n, uint64_t start, uint64_t len)
{
	if (len == 0)
		return n;
	ranges[n] = (struct pe_range){ start, len };
	return n + 1;
}

size_t pe_hash_ranges(const struct pe *pe, uint64_t file_size, struct pe_range ret[PE_MAX_RANGES])
{
	uint64_t hashed = pe->headers_size, at = pe->checksum_offset + 4U, rest;
	size_t n = add_range(ret, 0, 0, pe->checksum_offset), first;

	if (pe->directory_offset) {
		n = add_range(ret, n, at, pe->directory_offset - at);
		at = pe->directory_offset + sizeof(struct disk_directory);
	}
	n = add_range(ret, n, at, pe->headers_size - at);
	first = n;
	for (uint32_t i = 0; i < pe->n_sections; i++) {
		struct pe_range range = { pe->sections[i].offset, pe->sections[i].size };
		size_t k = n;

		if (range.len == 0)
			continue;
		/* By their place in the file. */
		for (; k > first && ret[k - 1].start > range.start; k--)
			ret[k] = ret[k - 1];
		ret[k] = range;
		n++;
		hashed += range.len;
	}
	/* What lies behind the sections, but for the signatures; as EDK2 counts it. */
	rest = file_size > hashed ? file_size - hashed : 0;
	if (rest > pe->signatures_size)
		n = add_range(ret, n, hashed, rest - pe->signatures_size);
	return n;
}

bool pe_next_signature(const uint8_t *table, size_t len, size_t *pos, struct pe_signature *ret,
		       bool *ret_is_damaged)
{
	struct disk_signature disk;
	size_t size;

	*ret_is_damaged = false;
	if (*pos >= len)
		return false;
	*ret_is_damaged = true;
	if (len - *pos <= sizeof(disk))
		return false;
	memcpy(&disk, table + *pos, sizeof(disk));
	size = le32_get(disk.len);
	if (size <= sizeof(disk) || size > len - *pos)
		return false;
	*ret_is_damaged = false;
	ret->revision = le16_get(disk.revision);
	ret->type = le16_get(disk.type);
	ret->data = table + *pos + sizeof(disk);
	ret->len = size - sizeof(disk);
	/* Each begins at a multiple of 8; the last one's padding may be missing. */
	*pos += (size_t)num_min(num_round_up(size, 8), len - *pos);
	return true;
}
