// SPDX-License-Identifier: GPL-3.0-or-later
/* The records of a ZIP file: what they say lies in the bytes that were there. */
#include <stdlib.h>

#include "disk/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zip_header h = { 0 };
	struct zip_end e = { 0 };
	uint64_t off;
	size_t n;
	int rc;

	/* Every round takes a byte at least. */
	for (size_t at = 0; at < size; at += n) {
		const uint8_t *p = data + at;
		size_t len = size - at;

		n = 1;
		rc = zip_parse_local(p, len, &h);
		expect(rc != 1 || (h.header_size >= 30 && h.header_size <= len));
		if (rc == 1)
			n = h.header_size;
		rc = zip_parse_central(p, len, &h);
		expect(rc != 1 || (h.header_size >= 46 && h.header_size <= len));
		if (rc == 1)
			n = h.header_size;
		expect(zip_parse_end(p, len, &e) != 1 ||
		       (e.record_size >= ZIP_END_SIZE && e.record_size <= len));
		expect(zip_parse_end64(p, len, &e) != 1 ||
		       (e.record_size >= 56 && e.record_size <= len));
		zip_parse_locator64(p, len, &off);
		expect(zip_match_descriptor(p, len, h.crc, h.packed_size, h.size) <= len);
	}
	return 0;
}
