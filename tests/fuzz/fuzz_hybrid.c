// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A whole image (sparse.h) made a hybrid, whatever detection takes it for: the plan's invariants
 * hold, the disc behind its system area is where it was, and the tables are what the codecs and
 * detection accept. The first byte has the options: bit 0 --strict-gpt, bits 1 to 3
 * --boot-entry, bit 4 a target that just takes it.
 */
#include <stdlib.h>
#include <string.h>

#include "disk/gpt.h"
#include "disk/mbr.h"
#include "image/detect.h"
#include "plan/plan-source.h"
#include "plan/planner.h"
#include "sparse.h"

#define SYSTEM_AREA 32768U
#define SECTOR 512U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_disc(const struct plan *plan, uint64_t size)
{
	const struct extent *e;

	/* Ends: every extent has a length. */
	for (uint64_t at = SYSTEM_AREA; at < size; at = e->start + e->len) {
		e = plan_find(plan, at);
		check(e && e->kind == EXTENT_SOURCE && e->source == 0 &&
		      e->source_offset == e->start);
	}
}

static void check_tables(const struct plan *plan, struct source *src)
{
	uint64_t last_lba = plan->geo.size / SECTOR - 1;
	struct error err = ERROR_INIT;
	struct source *planned;
	struct gpt_header primary, backup;
	static struct layout lay;
	uint8_t head[2 * SECTOR], tail[SECTOR];
	struct mbr mbr;

	check(plan_fill(plan, &src, 0, head, sizeof(head), &err) == 0);
	check(plan_fill(plan, &src, last_lba * SECTOR, tail, sizeof(tail), &err) == 0);
	check(mbr_decode(head, &mbr) && mbr_is_credible(&mbr) && mbr_find_protective(&mbr) == 0);
	check(gpt_decode_header(head + SECTOR, SECTOR, 1, &primary) == GPT_OK);
	check(gpt_decode_header(tail, SECTOR, last_lba, &backup) == GPT_OK);
	check(primary.alternate_lba == last_lba && primary.entries_crc == backup.entries_crc);
	check(plan_source_new(plan, &src, 1, &planned, &err) == 0);
	planned->is_block_device = true;
	check(detect_layout(planned, DETECT_BUDGET, &lay, &err) == 0);
	check(lay.gpt.valid && lay.gpt.backup.valid && lay.gpt.backup_at_end &&
	      lay.gpt.arrays_equal && lay.mbr.code == MBR_CODE_ISOWRITE);
	source_free(planned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan_request req = { .mode = "hybrid" };
	struct geometry geo = { .sector_size = SECTOR, .io_align = SECTOR };
	struct error err = ERROR_INIT;
	struct plan *plan = NULL;
	static struct layout lay;
	struct source *src;
	struct sparse s;

	if (size < 3)
		return 0;
	src = sparse_source(&s, data + 1, size - 1);
	if (!src)
		return 0;
	req.strict_gpt = data[0] & 1;
	req.boot_entry = data[0] >> 1 & 7;
	check(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	if (planner_measure(src, &lay, &req, &geo.size, &err) == 0) {
		uint64_t spare = data[0] & 16 ? 0 : 8 * MIB;

		geo.size += spare;
		check(planner_make_plan(src, &lay, &geo, &req, &plan, &err) == 0);
		check(plan_check(plan, &err) == 0);
		check_disc(plan, src->size);
		check_tables(plan, src);
		/* The other way round: what auto makes of it, it can make. */
		req = (struct plan_request){ .mode = "auto" };
		plan_free(plan);
		check(planner_make_plan(src, &lay, &geo, &req, &plan, &err) == 0);
		plan_free(plan);
	}
	source_free(src);
	return 0;
}
