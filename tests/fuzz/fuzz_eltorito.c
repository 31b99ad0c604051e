// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Any bytes as a boot catalog, sector by sector: it ends, and its counts stay in bounds. What
 * can be written again comes out as it was, and can be added to.
 */
#include <stdlib.h>
#include <string.h>

#include "disk/eltorito.h"
#include "disk/isohybrid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const uint8_t *data, size_t size)
{
	static uint8_t in[ELTORITO_MAX_SECTORS * ELTORITO_SECTOR], out[sizeof(in)];
	static struct eltorito_records records, again;
	const struct eltorito_boot boot = { .is_bootable = true, .lba = 1 };
	static const uint8_t platforms[] = { 0, 0xef };

	memset(in, 0, sizeof(in));
	memcpy(in, data, size < sizeof(in) ? size : sizeof(in));
	for (size_t i = 0; i < sizeof(platforms); i++) {
		if (eltorito_read_records(in, sizeof(in), &records) != ELTORITO_OK)
			return;
		eltorito_write_records(&records, out);
		if (memcmp(in, out, eltorito_records_size(&records)) != 0)
			abort();
		if (eltorito_add_boot(&records, platforms[i], &boot) != ELTORITO_OK)
			continue;
		memset(out, 0, sizeof(out));
		eltorito_write_records(&records, out);
		if (eltorito_read_records(out, sizeof(out), &again) != ELTORITO_OK ||
		    memcmp(&records, &again, sizeof(records)) != 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct eltorito_catalog catalog;
	uint8_t sector[ELTORITO_SECTOR];
	struct eltorito_parser parser;
	size_t at = 0;
	bool more = true;

	if (size > 0)
		write_again(data, size);
	for (uint32_t n = 0; more && n < ELTORITO_MAX_SECTORS; n++, at += sizeof(sector)) {
		size_t len = at < size ? size - at : 0;

		memset(sector, 0, sizeof(sector));
		if (len > 0)
			memcpy(sector, data + at, len < sizeof(sector) ? len : sizeof(sector));
		if (n == 0 && !eltorito_begin(&parser, &catalog, sector))
			return 0;
		more = eltorito_parse_sector(&parser, sector);
		/* A sector of zeros ends every catalog. */
		if (more && len == 0)
			abort();
	}
	if (catalog.n_entries > ELTORITO_MAX_ENTRIES || catalog.n_entries == 0)
		abort();
	for (uint32_t i = 0; i < catalog.n_entries; i++)
		if (memchr(catalog.entries[i].id, 0, sizeof(catalog.entries[i].id)) == NULL)
			abort();
	grub2_image_is_cdboot(data, size);
	grub2_image_blocklist(data, size);
	isolinux_image_is_hybrid(data, size);
	boot_info_add(0, data, size);
	return 0;
}
