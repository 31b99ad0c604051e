// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The planner behind --bmap: of the image only what its block map says holds
 * data (image/bmap.h); the rest is kept as it is on the target, or zero with
 * --bmap-zero.
 *
 *   0         1 MiB                               size - 1 MiB     size
 *   |image ...|mapped|kept ......|mapped|kept ....|image ..........|pad|KEEP|ZERO|
 *
 * Kept are whole blocks of PLAN_MAX_SECTOR only, so that the plans for all
 * targets are the same as far as the image goes: a stream is read but once. The
 * image's first and last MiB are written also where they are not mapped: an
 * older stick's volume descriptor or backup GPT must not shine through there.
 */
#include "base/num.h"
#include "plan/planner.h"

#define EDGE MIB /* bytes at both ends of the image that are never kept */

/* A plan in the making; bytes of the image that follow each other are one extent. */
struct making {
	struct plan *plan;
	const struct bmap *map;
	const char *what;
	uint64_t pos; /* in the image: everything before is in the plan, or waits */
	uint64_t waits; /* bytes before pos that come from the image */
};

static int append_waiting(struct making *m, struct error *err)
{
	uint64_t len = m->waits;

	m->waits = 0;
	return plan_append_source(m->plan, len, 0, m->pos - len, m->what, err);
}

static void add_image(struct making *m, uint64_t end)
{
	m->waits += end - m->pos;
	m->pos = end;
}

/* What no range maps, up to end. */
static int add_unmapped(struct making *m, uint64_t end, bool as_zeros, struct error *err)
{
	uint64_t size = m->map->image_size, from, to;
	int rc;

	if (as_zeros) {
		from = m->pos;
		to = end;
	} else {
		from = num_round_up(num_max(m->pos, EDGE), PLAN_MAX_SECTOR);
		to = num_round_down(num_min(end, size - num_min(size, EDGE)), PLAN_MAX_SECTOR);
	}
	if (from < to) {
		add_image(m, from);
		if (append_waiting(m, err) < 0)
			return -1;
		rc = as_zeros
			     ? plan_append_zero(m->plan, to - from, "not mapped: zeros", err)
			     : plan_append_keep(m->plan, to - from, "not mapped: not touched", err);
		if (rc < 0)
			return -1;
		m->pos = to;
	}
	add_image(m, end);
	return 0;
}

static int add_all(struct making *m, bool as_zeros, struct error *err)
{
	for (size_t i = 0; i < m->map->n_ranges; i++) {
		const struct bmap_range *r = &m->map->ranges[i];

		if (r->start > m->pos && add_unmapped(m, r->start, as_zeros, err) < 0)
			return -1;
		add_image(m, r->start + r->len);
	}
	if (m->map->image_size > m->pos && add_unmapped(m, m->map->image_size, as_zeros, err) < 0)
		return -1;
	if (append_waiting(m, err) < 0)
		return -1;
	return plan_close(m->plan, 0, err);
}

static bool bmap_suits(const struct layout *lay, const struct plan_request *req)
{
	(void)lay;
	return req->bmap != NULL;
}

static int bmap_make(struct source *src, const struct layout *lay, const struct geometry *geo,
		     const struct plan_request *req, struct plan **ret, struct error *err)
{
	struct making m = { .map = req->bmap, .what = planner_describe_image(lay) };

	if (src->size != SOURCE_SIZE_UNKNOWN && src->size != req->bmap->image_size)
		return error_set(err, ERROR_IMAGE, "bmap-size",
				 _("The block map is of an image of another size."));
	m.plan = plan_new("bmap", geo);
	if (!m.plan)
		return error_set_nomem(err);
	if (plan_check_fit(m.plan, req->bmap->image_size, err) < 0 ||
	    add_all(&m, req->bmap_zero, err) < 0) {
		plan_free(m.plan);
		return -1;
	}
	*ret = m.plan;
	return 0;
}

const struct planner planner_bmap = {
	.suits = bmap_suits,
	.make = bmap_make,
};
