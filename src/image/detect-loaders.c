// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which volumes of the image UEFI could boot: every place that a boot catalog or a partition
 * table points to is looked at once. What firmware makes of them is detect-boot's.
 */
#include "base/num.h"
#include "disk/mbr.h"
#include "image/detect.h"
#include "image/loaders.h"

#define BLOCK 2048U
#define MAX_SEEN 64U /* places that are remembered; more only cost another look */

struct seen {
	struct detect *d;
	uint32_t n;
	struct {
		uint64_t start, size;
		uint32_t loaders;
	} list[MAX_SEEN];
};

/* What a partition of that size shows of the volume: cut, perhaps in front of the loader. */
static uint32_t shown(uint32_t loaders, uint64_t size, uint64_t room)
{
	return loaders && size > room ? LOADER_UNSEEN : loaders;
}

/*
 * The same volume is often an entry of the catalog and a partition or two. room: bytes that the
 * firmware lets a reader see of it.
 */
static int look(struct seen *seen, uint64_t start, uint64_t room, uint32_t *ret, struct error *err)
{
	struct loaders found;
	uint32_t loaders;

	for (uint32_t i = 0; i < seen->n; i++) {
		if (seen->list[i].start == start) {
			*ret = shown(seen->list[i].loaders, seen->list[i].size, room);
			return 0;
		}
	}
	if (loaders_find(seen->d, start, &found, err) < 0)
		return -1;
	loaders = found.archs | (found.is_complete ? 0 : LOADER_UNSEEN);
	*ret = shown(loaders, found.size, room);
	if (seen->n < MAX_SEEN) {
		seen->list[seen->n].start = start;
		seen->list[seen->n].size = found.size;
		seen->list[seen->n++].loaders = loaders;
	}
	return 0;
}

static int look_at_mbr(struct seen *seen, struct layout_mbr_partition *parts, uint32_t n,
		       struct error *err)
{
	for (uint32_t i = 0; i < n; i++)
		if (parts[i].start > 0 && parts[i].type != MBR_TYPE_PROTECTIVE &&
		    !mbr_type_is_extended(parts[i].type) &&
		    look(seen, parts[i].start, parts[i].size, &parts[i].loaders, err) < 0)
			return -1;
	return 0;
}

int detect_loaders(struct detect *d, struct error *err)
{
	struct layout *lay = d->lay;
	struct seen seen = { .d = d };

	for (uint32_t i = 0; i < lay->el_torito.n_entries; i++) {
		struct layout_boot_entry *e = &lay->el_torito.entries[i];
		uint64_t start = (uint64_t)e->lba * BLOCK;

		/* How much of it a catalog lets firmware see depends on the medium, too. */
		if (e->bootable &&
		    look(&seen, start, d->size - num_min(start, d->size), &e->loaders, err) < 0)
			return -1;
	}
	for (uint32_t i = 0; i < lay->gpt.n_partitions; i++) {
		struct layout_gpt_partition *p = &lay->gpt.partitions[i];

		if (p->size > 0 && look(&seen, p->start, p->size, &p->loaders, err) < 0)
			return -1;
	}
	if (look_at_mbr(&seen, lay->mbr.partitions, lay->mbr.n_partitions, err) < 0 ||
	    look_at_mbr(&seen, lay->mbr.logical, lay->mbr.n_logical, err) < 0)
		return -1;
	return lay->superfloppy ? look(&seen, 0, UINT64_MAX, &lay->superfloppy_loaders, err) : 0;
}
