// SPDX-License-Identifier: GPL-3.0-or-later
/* The records of a ZIP file; see zip.h. Numbers in brackets are sections of the APPNOTE. */
#include "disk/zip.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

#define ZIP64_EXTRA 0x0001
#define FULL16 UINT16_MAX /* "see the zip64 record" */
#define FULL32 UINT32_MAX
#define HOST_UNIX 3
#define HOST_DARWIN 19
#define MODE_TYPE 0170000
#define MODE_REGULAR 0100000
#define MODE_DIRECTORY 0040000

/* 4.3.7 */
struct local_record {
	le32 magic;
	le16 version, flags, method, time, date;
	le32 crc, packed_size, size;
	le16 name_len, extra_len;
};
static_assert(sizeof(struct local_record) == 30, "ZIP local header");

/* 4.3.12 */
struct central_record {
	le32 magic;
	uint8_t made_by_version, made_by_host;
	le16 version, flags, method, time, date;
	le32 crc, packed_size, size;
	le16 name_len, extra_len, comment_len, disk, internal;
	le32 external, local_offset;
};
static_assert(sizeof(struct central_record) == 46, "ZIP central header");

/* 4.3.14 */
struct end64_record {
	le32 magic;
	le64 rest_size; /* of the record, behind this */
	le16 made_by, version;
	le32 disk, central_disk;
	le64 n_here, n_entries, central_size, central_offset;
};
static_assert(sizeof(struct end64_record) == 56, "ZIP64 end");

/* 4.3.15 */
struct locator64_record {
	le32 magic, end64_disk;
	le64 end64_offset;
	le32 n_disks;
};
static_assert(sizeof(struct locator64_record) == ZIP_LOCATOR64_SIZE, "ZIP64 locator");

/* 4.3.16 */
struct end_record {
	le32 magic;
	le16 disk, central_disk, n_here, n_entries;
	le32 central_size, central_offset;
	le16 comment_len;
};
static_assert(sizeof(struct end_record) == ZIP_END_SIZE, "ZIP end");

/* 4.3.9 */
struct descriptor32 {
	le32 crc, packed_size, size;
};
struct descriptor64 {
	le32 crc;
	le64 packed_size, size;
};

uint32_t zip_magic(const uint8_t *p, size_t len)
{
	le32 magic;

	if (len < sizeof(magic))
		return 0;
	memcpy(&magic, p, sizeof(magic));
	return le32_get(magic);
}

/* 1 begins with the magic, and len bytes are there; 0 too few bytes; -1 something else. */
static int begins(const uint8_t *p, size_t len, uint32_t magic, size_t want)
{
	if (len < sizeof(le32))
		return 0;
	if (zip_magic(p, len) != magic)
		return -1;
	return len >= want;
}

/* Takes the next 8 bytes of a zip64 field if the value is said to be there. */
static bool take64(uint64_t *value, const uint8_t **p, size_t *left)
{
	le64 v;

	if (*value != FULL32)
		return true;
	if (*left < sizeof(v))
		return false;
	memcpy(&v, *p, sizeof(v));
	*value = le64_get(v);
	*p += sizeof(v);
	*left -= sizeof(v);
	return true;
}

/* 4.5.3: only the values that did not fit are there, in this order. */
static bool read_zip64(struct zip_header *h, bool is_central, const uint8_t *p, size_t len)
{
	/* Every round takes a field's four bytes at least. */
	while (len >= 4) {
		size_t n = p[2] | (size_t)p[3] << 8;

		if (n > len - 4)
			break;
		if ((p[0] | p[1] << 8) == ZIP64_EXTRA) {
			p += 4;
			return take64(&h->size, &p, &n) && take64(&h->packed_size, &p, &n) &&
			       (!is_central || take64(&h->local_offset, &p, &n));
		}
		p += 4 + n;
		len -= 4 + n;
	}
	return true; /* none: the values are what they are */
}

int zip_parse_local(const uint8_t *p, size_t len, struct zip_header *ret)
{
	struct local_record r;
	struct zip_header h = { 0 };
	size_t name_len, extra_len;
	int rc = begins(p, len, ZIP_LOCAL_MAGIC, sizeof(r));

	if (rc <= 0)
		return rc;
	memcpy(&r, p, sizeof(r));
	name_len = le16_get(r.name_len);
	extra_len = le16_get(r.extra_len);
	h.header_size = sizeof(r) + name_len + extra_len;
	if (len < h.header_size)
		return 0;
	h.flags = le16_get(r.flags);
	h.method = le16_get(r.method);
	h.crc = le32_get(r.crc);
	h.packed_size = le32_get(r.packed_size);
	h.size = le32_get(r.size);
	h.is_directory = name_len > 0 && p[sizeof(r) + name_len - 1] == '/';
	if (!read_zip64(&h, false, p + sizeof(r) + name_len, extra_len))
		return -1;
	*ret = h;
	return 1;
}

static bool is_special(const struct central_record *r)
{
	uint32_t type = le32_get(r->external) >> 16 & MODE_TYPE;

	if (r->made_by_host != HOST_UNIX && r->made_by_host != HOST_DARWIN)
		return false;
	return type != 0 && type != MODE_REGULAR && type != MODE_DIRECTORY;
}

int zip_parse_central(const uint8_t *p, size_t len, struct zip_header *ret)
{
	struct central_record r;
	struct zip_header h = { 0 };
	size_t name_len, extra_len;
	int rc = begins(p, len, ZIP_CENTRAL_MAGIC, sizeof(r));

	if (rc <= 0)
		return rc;
	memcpy(&r, p, sizeof(r));
	name_len = le16_get(r.name_len);
	extra_len = le16_get(r.extra_len);
	h.header_size = sizeof(r) + name_len + extra_len + le16_get(r.comment_len);
	if (len < h.header_size)
		return 0;
	h.flags = le16_get(r.flags);
	h.method = le16_get(r.method);
	h.crc = le32_get(r.crc);
	h.packed_size = le32_get(r.packed_size);
	h.size = le32_get(r.size);
	h.local_offset = le32_get(r.local_offset);
	h.disk = le16_get(r.disk);
	h.is_directory = name_len > 0 && p[sizeof(r) + name_len - 1] == '/';
	h.is_special = is_special(&r);
	if (!read_zip64(&h, true, p + sizeof(r) + name_len, extra_len))
		return -1;
	*ret = h;
	return 1;
}

int zip_parse_end(const uint8_t *p, size_t len, struct zip_end *ret)
{
	struct end_record r;
	struct zip_end e = { 0 };
	int rc = begins(p, len, ZIP_END_MAGIC, sizeof(r));

	if (rc <= 0)
		return rc;
	memcpy(&r, p, sizeof(r));
	e.record_size = sizeof(r) + le16_get(r.comment_len);
	if (len < e.record_size)
		return 0;
	e.disk = le16_get(r.disk);
	e.central_disk = le16_get(r.central_disk);
	e.n_here = le16_get(r.n_here);
	e.n_entries = le16_get(r.n_entries);
	e.central_size = le32_get(r.central_size);
	e.central_offset = le32_get(r.central_offset);
	e.has_zip64 = e.disk == FULL16 || e.central_disk == FULL16 || e.n_here == FULL16 ||
		      e.n_entries == FULL16 || e.central_size == FULL32 ||
		      e.central_offset == FULL32;
	*ret = e;
	return 1;
}

int zip_parse_end64(const uint8_t *p, size_t len, struct zip_end *ret)
{
	struct end64_record r;
	struct zip_end e = { 0 };
	uint64_t rest_size;
	int rc = begins(p, len, ZIP_END64_MAGIC, sizeof(r));

	if (rc <= 0)
		return rc;
	memcpy(&r, p, sizeof(r));
	rest_size = le64_get(r.rest_size);
	/* Room for extensions that nobody writes; without a limit the sum could overflow. */
	if (rest_size < sizeof(r) - 12 || rest_size > UINT16_MAX)
		return -1;
	e.record_size = (size_t)rest_size + 12;
	if (len < e.record_size)
		return 0;
	e.disk = le32_get(r.disk);
	e.central_disk = le32_get(r.central_disk);
	e.n_here = le64_get(r.n_here);
	e.n_entries = le64_get(r.n_entries);
	e.central_size = le64_get(r.central_size);
	e.central_offset = le64_get(r.central_offset);
	*ret = e;
	return 1;
}

int zip_parse_locator64(const uint8_t *p, size_t len, uint64_t *ret_end64_offset)
{
	struct locator64_record r;
	int rc = begins(p, len, ZIP_LOCATOR64_MAGIC, sizeof(r));

	if (rc <= 0)
		return rc;
	memcpy(&r, p, sizeof(r));
	if (le32_get(r.end64_disk) != 0 || le32_get(r.n_disks) > 1)
		return -1;
	*ret_end64_offset = le64_get(r.end64_offset);
	return 1;
}

/* Without its magic. */
static size_t match_values(const uint8_t *p, size_t len, uint32_t crc, uint64_t packed_size,
			   uint64_t size)
{
	struct descriptor64 d64;
	struct descriptor32 d32;

	if (len >= sizeof(d64)) {
		memcpy(&d64, p, sizeof(d64));
		if (le32_get(d64.crc) == crc && le64_get(d64.packed_size) == packed_size &&
		    le64_get(d64.size) == size)
			return sizeof(d64);
	}
	if (len >= sizeof(d32)) {
		memcpy(&d32, p, sizeof(d32));
		if (le32_get(d32.crc) == crc && le32_get(d32.packed_size) == packed_size &&
		    le32_get(d32.size) == size)
			return sizeof(d32);
	}
	return 0;
}

size_t zip_match_descriptor(const uint8_t *p, size_t len, uint32_t crc, uint64_t packed_size,
			    uint64_t size)
{
	size_t n = 0;

	if (zip_magic(p, len) == ZIP_DESCRIPTOR_MAGIC)
		n = match_values(p + sizeof(le32), len - sizeof(le32), crc, packed_size, size);
	return n > 0 ? n + sizeof(le32) : match_values(p, len, crc, packed_size, size);
}
