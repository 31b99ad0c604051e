// SPDX-License-Identifier: GPL-3.0-or-later
/* The MBR and the boot sectors that are told from it: decode, and encode what was decoded. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "disk/fat.h"
#include "disk/mbr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t sector[MBR_SIZE] = { 0 }, again[MBR_SIZE];
	struct fat_volume volume;
	struct mbr mbr;

	memcpy(sector, data, size < sizeof(sector) ? size : sizeof(sector));
	if (fat_decode(sector, &volume)) {
		if (!fat_kind_name(volume.kind) || volume.size == 0 ||
		    strlen(volume.label) >= sizeof(volume.label))
			abort();
	}
	if (!mbr_decode(sector, &mbr))
		return 0;
	if (mbr_find_protective(&mbr) > 3)
		abort();
	mbr_is_credible(&mbr);
	memcpy(again, sector, sizeof(again));
	mbr_encode(again, &mbr);
	if (memcmp(again, sector, sizeof(sector)) != 0)
		abort();
	return 0;
}
