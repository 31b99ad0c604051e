// SPDX-License-Identifier: GPL-3.0-or-later
/* ISO 9660 volume descriptors and directory records; see iso9660.h. */
#include "disk/iso9660.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "disk/joliet.h"

/* ECMA-119 9.1 */
struct record_disk {
	uint8_t len;
	uint8_t attributes_len; /* blocks before the data */
	both32 extent;
	both32 data_len;
	uint8_t date[7];
	uint8_t flags;
	uint8_t unit_size, gap_size;
	both16 sequence;
	uint8_t name_len;
};
static_assert(sizeof(struct record_disk) == 33, "ECMA-119 9.1");

/* ECMA-119 8.4 (8.5 has the same places) */
#define MEDIA_CHECK "ISO MD5SUM = " /* isomd5sum's libimplantisomd5.c */

struct volume_disk {
	uint8_t type;
	uint8_t magic[5];
	uint8_t version, flags;
	char system[32], id[32];
	uint8_t zero1[8];
	both32 n_blocks;
	uint8_t escapes[32];
	both16 set_size, sequence, block_size;
	both32 path_table_size;
	le32 path_table_l[2];
	be32 path_table_m[2];
	uint8_t root[34];
	char set[128], publisher[128], preparer[128], application[128];
	char files[3][37];
	uint8_t created[17], modified[17], expires[17], effective[17];
	uint8_t structure_version, reserved;
	char application_use[512];
	uint8_t rest[653];
};
static_assert(sizeof(struct volume_disk) == ISO_SECTOR, "ECMA-119 8.4");
static_assert(offsetof(struct volume_disk, created) == 813, "ECMA-119 8.4.26");
static_assert(offsetof(struct volume_disk, application_use) == 883, "ECMA-119 8.4.32");

#define RECORD_DIRECTORY 0x02
#define RECORD_MULTI_EXTENT 0x80

bool iso9660_is_descriptor(const uint8_t sector[ISO_SECTOR], uint8_t *ret_type)
{
	if (memcmp(sector + 1, "CD001", 5) != 0)
		return false;
	*ret_type = sector[0];
	return true;
}

static bool read_digits(const uint8_t *s, unsigned int n, unsigned int *ret)
{
	unsigned int v = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (unsigned int)(s[i] - '0');
	}
	*ret = v;
	return true;
}

void iso9660_decode_date(const uint8_t date[17], char out[32])
{
	unsigned int year, month, day, hour, minute, second;
	int zone = (int8_t)date[16]; /* quarters of an hour */

	out[0] = '\0';
	if (!read_digits(date, 4, &year) || !read_digits(date + 4, 2, &month) ||
	    !read_digits(date + 6, 2, &day) || !read_digits(date + 8, 2, &hour) ||
	    !read_digits(date + 10, 2, &minute) || !read_digits(date + 12, 2, &second))
		return;
	if (year == 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
	    minute > 59 || second > 60)
		return;
	if (zone < -48 || zone > 56)
		zone = 0;
	if (zone == 0)
		snprintf(out, 32, "%04u-%02u-%02uT%02u:%02u:%02uZ", year % 10000, month, day, hour,
			 minute, second);
	else
		snprintf(out, 32, "%04u-%02u-%02uT%02u:%02u:%02u%c%02d:%02d", year % 10000, month,
			 day, hour, minute, second, zone < 0 ? '-' : '+',
			 (zone < 0 ? -zone : zone) / 4, (zone < 0 ? -zone : zone) % 4 * 15);
}

/* Copies a blank-filled field, in UCS-2 for Joliet. A name that refers to a file stays as it is. */
static void copy_field(char *out, size_t out_size, const char *field, size_t len, bool is_joliet)
{
	if (is_joliet) {
		joliet_decode_name((const uint8_t *)field, len, out, out_size);
		len = strlen(out);
	} else {
		len = strnlen(field, len);
		if (len > out_size - 1)
			len = out_size - 1;
		memcpy(out, field, len);
	}
	while (len > 0 && out[len - 1] == ' ')
		len--;
	out[len] = '\0';
}

void iso9660_decode_volume(const uint8_t sector[ISO_SECTOR], struct iso_volume *ret)
{
	struct volume_disk vd;
	struct record_disk root;
	uint32_t block_size;

	memcpy(&vd, sector, sizeof(vd));
	memcpy(&root, vd.root, sizeof(root));
	memset(ret, 0, sizeof(*ret));
	ret->is_joliet = vd.type == ISO_SUPPLEMENTARY && joliet_is_escape(vd.escapes);
	copy_field(ret->system, sizeof(ret->system), vd.system, 32, ret->is_joliet);
	copy_field(ret->id, sizeof(ret->id), vd.id, 32, ret->is_joliet);
	copy_field(ret->publisher, sizeof(ret->publisher), vd.publisher, 128, ret->is_joliet);
	copy_field(ret->application, sizeof(ret->application), vd.application, 128, ret->is_joliet);
	iso9660_decode_date(vd.created, ret->created);
	iso9660_decode_date(vd.modified, ret->modified);
	ret->n_blocks = both32_get(vd.n_blocks);
	ret->halves_differ = be32_get(vd.n_blocks.be) != ret->n_blocks;
	block_size = both16_get(vd.block_size);
	ret->has_odd_block_size = block_size != 512 && block_size != 1024 && block_size != 2048;
	ret->block_size = ret->has_odd_block_size ? ISO_SECTOR : block_size;
	ret->root_lba = both32_get(root.extent);
	ret->root_len = both32_get(root.data_len);
	ret->has_media_check = memmem(vd.application_use, sizeof(vd.application_use), MEDIA_CHECK,
				      strlen(MEDIA_CHECK)) != NULL;
}

bool iso9660_next_record(const uint8_t *buf, size_t len, size_t *pos, struct iso_record *ret)
{
	struct record_disk rec;
	size_t at = *pos, end, name_end;

	/* Ends: at grows in every round, up to len. */
	while (at < len && buf[at] == 0)
		at = at - at % ISO_SECTOR + ISO_SECTOR;
	if (at >= len || len - at < sizeof(rec))
		return false;
	memcpy(&rec, buf + at, sizeof(rec));
	end = at + rec.len;
	name_end = at + sizeof(rec) + rec.name_len;
	if (end > len || name_end > end || at / ISO_SECTOR != (end - 1) / ISO_SECTOR ||
	    rec.name_len == 0)
		return false;
	/* ECMA-119 9.1.12: a padding byte makes an even name field's record even. */
	if (rec.name_len % 2 == 0 && name_end < end)
		name_end++;
	ret->extent_lba = both32_get(rec.extent) + rec.attributes_len;
	ret->len = both32_get(rec.data_len);
	ret->is_directory = rec.flags & RECORD_DIRECTORY;
	ret->has_more = rec.flags & RECORD_MULTI_EXTENT;
	ret->name = buf + at + sizeof(rec);
	ret->name_len = rec.name_len;
	ret->system_use = buf + name_end;
	ret->system_use_len = end - name_end;
	*pos = end;
	return true;
}

bool iso9660_is_dot(const struct iso_record *rec)
{
	return rec->name_len == 1 && rec->name[0] <= 1;
}

size_t iso9660_plain_name(const struct iso_record *rec, char *out, size_t out_size)
{
	const uint8_t *semicolon = memchr(rec->name, ';', rec->name_len);
	size_t len = semicolon ? (size_t)(semicolon - rec->name) : rec->name_len;

	if (len > 1 && rec->name[len - 1] == '.')
		len--;
	if (len > out_size - 1)
		len = out_size - 1;
	memcpy(out, rec->name, len);
	out[len] = '\0';
	return len;
}
