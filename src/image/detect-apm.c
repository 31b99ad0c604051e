// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The Apple partition map. Hybrid images carry a fake descriptor block (it is
 * harmless x86 code), so its block size is believed only if a map entry lies in
 * the block behind it.
 */
#include "image/detect.h"

#include <inttypes.h>
#include <stdio.h>

#include "disk/apm.h"

static void add_partition(struct detect *d, const struct apm_entry *entry)
{
	struct layout_apm *apm = &d->lay->apm;
	struct layout_apm_partition *part = &apm->partitions[apm->n_partitions++];

	snprintf(part->name, sizeof(part->name), "%s", entry->name);
	snprintf(part->type, sizeof(part->type), "%s", entry->type);
	part->start = (uint64_t)entry->start_block * apm->block_size;
	part->size = (uint64_t)entry->n_blocks * apm->block_size;
	/* What is free need not be there. */
	if (!apm_type_is_free(part->type))
		detect_claim(d, part->start + part->size, _("a partition of its Apple map"));
}

int detect_apm(struct detect *d, struct error *err)
{
	struct layout_apm *apm = &d->lay->apm;
	uint8_t block[APM_BLOCK_MIN];
	uint32_t block_size, n = 1;
	int rc;

	rc = detect_read(d, 0, block, sizeof(block), err);
	if (rc <= 0)
		return rc;
	block_size = apm_decode_descriptor(block);
	if (block_size == 0)
		return 0;
	/* At most LAYOUT_MAX_APM rounds; n is what the first entry says of the map's length. */
	for (uint32_t i = 0; i < n && i < LAYOUT_MAX_APM; i++) {
		struct apm_entry entry;

		rc = detect_read(d, (uint64_t)(i + 1) * block_size, block, sizeof(block), err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			break;
		if (!apm_decode_entry(block, &entry)) {
			if (i > 0)
				layout_add_finding(d->lay, LAYOUT_WARNING, "apm-short",
						   _("The Apple partition map says that it has "
						     "%" PRIu32 " entries, but only %" PRIu32
						     " are there."),
						   n, i);
			break;
		}
		if (i == 0) {
			apm->present = true;
			apm->block_size = block_size;
			n = entry.n_map_entries;
		}
		add_partition(d, &entry);
	}
	if (n > LAYOUT_MAX_APM && apm->n_partitions == LAYOUT_MAX_APM)
		layout_add_finding(d->lay, LAYOUT_WARNING, "apm-many-partitions",
				   _("The Apple partition map has %" PRIu32
				     " partitions more than are shown."),
				   n - LAYOUT_MAX_APM);
	return 0;
}
