// SPDX-License-Identifier: GPL-3.0-or-later
/* Receipts: JSON that somebody else may have written. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/num.h"
#include "job/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct receipt_plan *plan;
	struct error err = ERROR_INIT;

	if (receipt_parse((const char *)data, size, 16 * MIB, 512, &plan, &err) < 0)
		return 0;
	/* What was accepted lies inside the stick and ascends. */
	for (uint32_t i = 0; i < plan->segs.n; i++) {
		const struct segment *s = &plan->segs.list[i];

		if (!num_is_within(s->start, s->len, 16 * MIB) || s->len == 0 ||
		    (i > 0 && s->start < s[-1].start + s[-1].len))
			abort();
	}
	receipt_plan_free(plan);
	return 0;
}
