/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ZIP files for tests, made of fields that a test may spoil. */
#ifndef ISOWRITE_TESTS_ZIP_UTIL_H
#define ISOWRITE_TESTS_ZIP_UTIL_H

#include <string.h>
#include <zlib.h>

#include "source_util.h"

enum zip_descriptor {
	NO_DESCRIPTOR,
	DESCRIPTOR,
	DESCRIPTOR_64,
	DESCRIPTOR_BARE,
	DESCRIPTOR_BARE_64
};

/* One file; what a test does not set is as it should be. */
struct zip_file {
	const char *name;
	struct bytes data;
	int is_deflated;
	enum zip_descriptor descriptor;
	int is_zip64;           /* its sizes stand in zip64 fields */
	uint16_t flags, method; /* added; method if not 0 */
	uint32_t mode;          /* of Unix */
	uint32_t local_crc_xor, central_crc_xor, central_size_xor, central_packed_xor, offset_xor;
	const char *gap; /* bytes behind it that belong to nothing */
};

struct zip_tail {
	int is_zip64;
	const char *comment;
	uint32_t count_xor, size_xor, offset_xor;
};

static inline void zip_put(struct bytes *b, uint64_t v, unsigned int n)
{
	uint8_t p[8];

	for (unsigned int i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * i);
	bytes_add(b, p, n);
}

static inline struct bytes zip_deflate(struct bytes data)
{
	struct bytes out = { .p = malloc(data.len + 1000) };
	z_stream z = { .next_in = data.p, .avail_in = (uInt)data.len };

	deflateInit2(&z, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
	z.next_out = out.p;
	z.avail_out = (uInt)data.len + 1000;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	out.len = z.total_out;
	deflateEnd(&z);
	return out;
}

static inline void zip_put_extra(struct bytes *b, const struct zip_file *f, uint64_t packed,
				 int with_offset, uint64_t offset)
{
	zip_put(b, 0x1234, 2); /* an extra field that means nothing here */
	zip_put(b, 3, 2);
	bytes_add(b, "abc", 3);
	if (!f->is_zip64)
		return;
	zip_put(b, 1, 2);
	zip_put(b, with_offset ? 24 : 16, 2);
	zip_put(b, f->data.len, 8);
	zip_put(b, packed, 8);
	if (with_offset)
		zip_put(b, offset, 8);
}

static inline void zip_put_descriptor(struct bytes *b, const struct zip_file *f, uint32_t crc,
				      uint64_t packed)
{
	unsigned int n =
		f->descriptor == DESCRIPTOR_64 || f->descriptor == DESCRIPTOR_BARE_64 ? 8 : 4;

	if (f->descriptor == NO_DESCRIPTOR)
		return;
	if (f->descriptor == DESCRIPTOR || f->descriptor == DESCRIPTOR_64)
		zip_put(b, 0x08074b50, 4);
	zip_put(b, crc, 4);
	zip_put(b, packed, n);
	zip_put(b, f->data.len, n);
}

static inline struct bytes zip_make(const struct zip_file *files, size_t n,
				    const struct zip_tail *tail)
{
	static const struct zip_tail plain;
	struct bytes b = { 0 }, central = { 0 };
	uint64_t start, end64;
	const char *comment;

	if (!tail)
		tail = &plain;
	comment = tail->comment ? tail->comment : "";
	bytes_add(&b, "", 0);
	for (const struct zip_file *f = files; f < files + n; f++) {
		struct bytes packed = f->data;
		uint32_t crc = (uint32_t)crc32(0, f->data.p, (uInt)f->data.len);
		uint16_t flags = (uint16_t)(f->flags | (f->descriptor ? 8 : 0));
		uint16_t method = f->method ? f->method : f->is_deflated ? 8 : 0;
		uint16_t name_len = (uint16_t)strlen(f->name);
		uint64_t at = b.len;

		if (f->is_deflated)
			packed = zip_deflate(f->data);
		zip_put(&b, 0x04034b50, 4);
		zip_put(&b, f->is_zip64 ? 45 : 20, 2);
		zip_put(&b, flags, 2);
		zip_put(&b, method, 2);
		zip_put(&b, 0x12345678, 4);
		zip_put(&b, f->descriptor ? 0 : crc ^ f->local_crc_xor, 4);
		zip_put(&b, f->descriptor ? 0 : f->is_zip64 ? UINT32_MAX : packed.len, 4);
		zip_put(&b, f->descriptor ? 0 : f->is_zip64 ? UINT32_MAX : f->data.len, 4);
		zip_put(&b, name_len, 2);
		zip_put(&b, f->is_zip64 ? 27 : 7, 2);
		bytes_add(&b, f->name, name_len);
		zip_put_extra(&b, f, packed.len, 0, 0);
		bytes_add(&b, packed.p, packed.len);
		zip_put_descriptor(&b, f, crc, packed.len);
		if (f->gap)
			bytes_add(&b, f->gap, strlen(f->gap));

		zip_put(&central, 0x02014b50, 4);
		zip_put(&central, 3 << 8 | 45, 2);
		zip_put(&central, f->is_zip64 ? 45 : 20, 2);
		zip_put(&central, flags, 2);
		zip_put(&central, method, 2);
		zip_put(&central, 0x12345678, 4);
		zip_put(&central, crc ^ f->central_crc_xor, 4);
		zip_put(&central, f->is_zip64 ? UINT32_MAX : packed.len ^ f->central_packed_xor, 4);
		zip_put(&central, f->is_zip64 ? UINT32_MAX : f->data.len ^ f->central_size_xor, 4);
		zip_put(&central, name_len, 2);
		zip_put(&central, f->is_zip64 ? 35 : 7, 2);
		zip_put(&central, 2, 2); /* comment */
		zip_put(&central, 0, 2); /* disk */
		zip_put(&central, 0, 2);
		zip_put(&central, (uint64_t)f->mode << 16, 4);
		zip_put(&central, f->is_zip64 ? UINT32_MAX : at ^ f->offset_xor, 4);
		bytes_add(&central, f->name, name_len);
		zip_put_extra(&central, f, packed.len, 1, at);
		bytes_add(&central, "no", 2);
		if (f->is_deflated)
			free(packed.p);
	}
	start = b.len;
	bytes_add(&b, central.p, central.len);
	end64 = b.len;
	if (tail->is_zip64) {
		zip_put(&b, 0x06064b50, 4);
		zip_put(&b, 44, 8);
		zip_put(&b, 45, 2);
		zip_put(&b, 45, 2);
		zip_put(&b, 0, 8);
		zip_put(&b, n ^ tail->count_xor, 8);
		zip_put(&b, n ^ tail->count_xor, 8);
		zip_put(&b, central.len ^ tail->size_xor, 8);
		zip_put(&b, start ^ tail->offset_xor, 8);
		zip_put(&b, 0x07064b50, 4);
		zip_put(&b, 0, 4);
		zip_put(&b, end64, 8);
		zip_put(&b, 1, 4);
	}
	zip_put(&b, 0x06054b50, 4);
	zip_put(&b, 0, 4);
	zip_put(&b, tail->is_zip64 ? UINT16_MAX : n ^ tail->count_xor, 2);
	zip_put(&b, tail->is_zip64 ? UINT16_MAX : n ^ tail->count_xor, 2);
	zip_put(&b, tail->is_zip64 ? UINT32_MAX : central.len ^ tail->size_xor, 4);
	zip_put(&b, tail->is_zip64 ? UINT32_MAX : start ^ tail->offset_xor, 4);
	zip_put(&b, strlen(comment), 2);
	bytes_add(&b, comment, strlen(comment));
	free(central.p);
	return b;
}

#endif
