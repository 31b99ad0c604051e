// SPDX-License-Identifier: GPL-3.0-or-later
/* Signature lists; see siglist.h. */
#include "disk/siglist.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

#define OWNER_SIZE 16U
#define ATTRIBUTES_SIZE 4U
#define TIME_SIZE 16U
#define CERTIFICATE_TYPE 0x0ef1 /* WIN_CERT_TYPE_EFI_GUID */

struct disk_list {
	uint8_t type[16];
	le32 size, header_size, entry_size;
};

/* EFI_VARIABLE_AUTHENTICATION_2 behind its time. */
struct disk_certificate {
	le32 len; /* from here on */
	le16 revision, type;
	uint8_t guid[16];
};

static_assert(sizeof(struct disk_list) == 28, "EFI_SIGNATURE_LIST");
static_assert(sizeof(struct disk_certificate) == 24, "WIN_CERTIFICATE_UEFI_GUID");

/* As they lie on disk. */
static const struct {
	uint8_t guid[16];
	enum siglist_type type;
	size_t min_len;
} types[] = {
	/* C1C41626-504C-4092-ACA9-41F936934328 */
	{ { 0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93,
	    0x43, 0x28 },
	  SIGLIST_SHA256,
	  32 },
	/* A5C059A1-94E4-4AA7-87B5-AB155C2BF072 */
	{ { 0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b,
	    0xf0, 0x72 },
	  SIGLIST_X509,
	  1 },
	/* 3BD2A492-96C0-4079-B420-FCF98EF103ED */
	{ { 0x92, 0xa4, 0xd2, 0x3b, 0xc0, 0x96, 0x79, 0x40, 0xb4, 0x20, 0xfc, 0xf9, 0x8e, 0xf1,
	    0x03, 0xed },
	  SIGLIST_X509_SHA256,
	  32 },
	/* 7076876E-80C2-4EE6-AAD2-28B349A6865B */
	{ { 0x6e, 0x87, 0x76, 0x70, 0xc2, 0x80, 0xe6, 0x4e, 0xaa, 0xd2, 0x28, 0xb3, 0x49, 0xa6,
	    0x86, 0x5b },
	  SIGLIST_X509_SHA384,
	  48 },
	/* 446DBF63-2502-4CDA-BCFA-2465D2B0FE9D */
	{ { 0x63, 0xbf, 0x6d, 0x44, 0x02, 0x25, 0xda, 0x4c, 0xbc, 0xfa, 0x24, 0x65, 0xd2, 0xb0,
	    0xfe, 0x9d },
	  SIGLIST_X509_SHA512,
	  64 },
};

/* EFI_CERT_TYPE_PKCS7_GUID, 4AAFD29D-68DF-49EE-8AA9-347D375665A7 */
static const uint8_t pkcs7_guid[16] = { 0x9d, 0xd2, 0xaf, 0x4a, 0xdf, 0x68, 0xee, 0x49,
					0x8a, 0xa9, 0x34, 0x7d, 0x37, 0x56, 0x65, 0xa7 };

/* A list as its head says; sizes in bytes. */
struct head {
	enum siglist_type type;
	size_t size, data; /* of all of it; from its start to its entries */
	size_t entry_size;
};

static bool decode_head(const uint8_t *buf, size_t len, size_t at, struct head *ret)
{
	size_t header_size, min = 0;
	struct disk_list disk;

	if (!num_is_within(at, sizeof(disk), len))
		return false;
	memcpy(&disk, buf + at, sizeof(disk));
	ret->type = SIGLIST_OTHER;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (memcmp(disk.type, types[i].guid, sizeof(disk.type)) != 0)
			continue;
		ret->type = types[i].type;
		min = types[i].min_len;
	}
	ret->size = le32_get(disk.size);
	header_size = le32_get(disk.header_size);
	ret->entry_size = le32_get(disk.entry_size);
	if (ret->size < sizeof(disk) || ret->size > len - at ||
	    header_size > ret->size - sizeof(disk) || ret->entry_size <= OWNER_SIZE ||
	    ret->entry_size - OWNER_SIZE < min)
		return false;
	ret->data = sizeof(disk) + header_size;
	return (ret->size - ret->data) % ret->entry_size == 0;
}

/* Bytes of the signature before a signed update's lists, 0 if it is none. */
static size_t authentication_size(const uint8_t *buf, size_t len)
{
	struct disk_certificate disk;

	if (len < TIME_SIZE + sizeof(disk))
		return 0;
	memcpy(&disk, buf + TIME_SIZE, sizeof(disk));
	if (le16_get(disk.type) != CERTIFICATE_TYPE ||
	    memcmp(disk.guid, pkcs7_guid, sizeof(disk.guid)) != 0 ||
	    le32_get(disk.len) < sizeof(disk) || le32_get(disk.len) > len - TIME_SIZE)
		return 0;
	return TIME_SIZE + le32_get(disk.len);
}

bool siglist_begin(struct siglist *l, const uint8_t *buf, size_t len)
{
	size_t skip = authentication_size(buf, len);
	struct head head;

	if (skip == 0 && !decode_head(buf, len, 0, &head)) {
		skip = ATTRIBUTES_SIZE;
		if (len < skip)
			return false;
	}
	if (skip > 0 && skip < len && !decode_head(buf, len, skip, &head))
		return false;
	memset(l, 0, sizeof(*l));
	l->buf = buf;
	l->len = len;
	l->pos = l->end = skip;
	return true;
}

bool siglist_next(struct siglist *l, struct siglist_entry *ret)
{
	struct head head;

	/* Ends: each round goes on by a list's head at least. */
	while (l->pos == l->end) {
		if (l->pos == l->len)
			return false;
		if (!decode_head(l->buf, l->len, l->pos, &head)) {
			l->is_damaged = true;
			return false;
		}
		l->type = head.type;
		l->entry_size = head.entry_size;
		l->end = l->pos + head.size;
		l->pos += head.data;
	}
	ret->type = l->type;
	ret->data = l->buf + l->pos + OWNER_SIZE;
	ret->len = l->entry_size - OWNER_SIZE;
	l->pos += l->entry_size;
	return true;
}
