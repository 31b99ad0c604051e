// SPDX-License-Identifier: GPL-3.0-or-later
/* The Apple partition map: a driver descriptor, then map entries. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "disk/apm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t block_size;

	if (size < APM_BLOCK_MIN)
		return 0;
	block_size = apm_decode_descriptor(data);
	if (block_size == 0)
		return 0;
	/* Ends: off grows by at least 512 each round. */
	for (size_t off = block_size; off <= size && size - off >= APM_BLOCK_MIN;
	     off += block_size) {
		uint8_t again[APM_BLOCK_MIN];
		struct apm_entry entry, back;

		if (!apm_decode_entry(data + off, &entry))
			continue;
		memcpy(again, data + off, sizeof(again));
		apm_encode_entry(again, &entry);
		if (!apm_decode_entry(again, &back) || back.start_block != entry.start_block ||
		    back.n_blocks != entry.n_blocks || strcmp(back.name, entry.name) != 0 ||
		    strcmp(back.type, entry.type) != 0)
			abort();
	}
	return 0;
}
