// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Any bytes as a UEFI program: what a signature covers lies in the file and is no more than it,
 * and every signature can be decoded without harm.
 */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "disk/pe.h"
#include "image/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode_signatures(const uint8_t *table, size_t len)
{
	struct pe_signature raw;
	struct signature s;
	bool is_damaged;
	size_t pos = 0;

	while (pe_next_signature(table, len, &pos, &raw, &is_damaged)) {
		if (raw.data < table || !num_is_within((size_t)(raw.data - table), raw.len, len))
			abort();
		if (signature_decode(raw.data, raw.len, &s))
			continue;
		if (s.digest.len == 0 || s.n_chain > SIGNATURE_MAX_CHAIN)
			abort();
		signature_done(&s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pe_range ranges[PE_MAX_RANGES];
	uint64_t sum = 0;
	struct pe pe;
	size_t n;

	if (pe_decode(data, (size_t)num_min(size, PE_HEAD_SIZE), size, &pe))
		return 0;
	n = pe_hash_ranges(&pe, size, ranges);
	if (n > PE_MAX_RANGES)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (!num_is_within(ranges[i].start, ranges[i].len, size))
			abort();
		sum += ranges[i].len;
	}
	/* The checksum at least is left out. */
	if (sum > size - 4)
		abort();
	if (pe.signatures_size > 0)
		decode_signatures(data + pe.signatures_offset, pe.signatures_size);
	pe_find_section(&pe, ".sbat");
	return 0;
}
