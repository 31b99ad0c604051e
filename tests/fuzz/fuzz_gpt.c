// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The GPT codec: the input is a header block, then an array. The checksum is
 * put right first, so that the fuzzer gets behind it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "disk/gpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode_array(const struct gpt_header *header, const uint8_t *data, size_t size)
{
	uint32_t array_size = gpt_array_size(header);

	if (array_size == 0 || array_size > size)
		return;
	gpt_array_crc(header, data);
	for (uint32_t i = 0; i < header->n_entries; i++) {
		struct gpt_entry entry;

		if (!gpt_decode_entry(data + (size_t)i * header->entry_size, &entry))
			continue;
		if (strlen(entry.name) >= sizeof(entry.name))
			abort();
		gpt_type_name(entry.type);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t block_sizes[] = { 512, 2048, 4096 };

	for (size_t i = 0; i < sizeof(block_sizes) / sizeof(block_sizes[0]); i++) {
		uint32_t block_size = block_sizes[i];
		uint8_t block[4096];
		struct gpt_header header, again;
		enum gpt_verdict verdict;

		if (size < block_size)
			break;
		memcpy(block, data, block_size);
		verdict = gpt_decode_header(block, block_size, 1, &header);
		if (!gpt_verdict_text(verdict))
			abort();
		if (verdict == GPT_NO_SIGNATURE || verdict == GPT_BAD_SIZE)
			continue;
		gpt_encode_header(block, &header);
		header.crc = 0;
		verdict = gpt_decode_header(block, block_size, header.my_lba, &again);
		if (verdict != GPT_OK && verdict != GPT_BAD_LBA)
			abort();
		decode_array(&again, data + block_size, size - block_size);
	}
	return 0;
}
