// SPDX-License-Identifier: GPL-3.0-or-later
/* A plan's bytes as a source; see plan-source.h. */
#include "plan/plan-source.h"

#include <stdlib.h>
#include <string.h>

struct planned {
	const struct plan *plan;
	struct source *sources[];
};

static int planned_read_at(struct source *src, uint64_t off, void *buf, size_t len,
			   struct error *err)
{
	const struct planned *p = src->priv;

	return plan_fill(p->plan, p->sources, off, buf, len, err);
}

static void planned_close(struct source *src)
{
	free(src->priv);
}

static const struct source_ops planned_ops = {
	.name = "plan",
	.read_at = planned_read_at,
	.close = planned_close,
};

static int check(const struct plan *plan, struct source *const *sources, size_t n,
		 struct error *err)
{
	bool is_fit = !plan->is_open;

	for (size_t i = 0; i < n; i++)
		is_fit = is_fit && sources[i]->access == SOURCE_RANDOM;
	for (size_t i = 0; i < plan->n_extents; i++)
		is_fit = is_fit &&
			 (plan->extents[i].kind != EXTENT_SOURCE || plan->extents[i].source < n);
	return is_fit ? 0
		      : error_set(err, ERROR_INTERNAL, "plan-source",
				  _("The plan's bytes cannot be read in any order."));
}

int plan_source_new(const struct plan *plan, struct source *const *sources, size_t n,
		    struct source **ret, struct error *err)
{
	struct planned *p;
	struct source *src;

	if (check(plan, sources, n, err) < 0)
		return -1;
	p = malloc(sizeof(*p) + n * sizeof(p->sources[0]));
	if (!p)
		return error_set_nomem(err);
	p->plan = plan;
	memcpy(p->sources, sources, n * sizeof(p->sources[0]));
	src = source_new(&planned_ops, SOURCE_RANDOM, p);
	if (!src) {
		free(p);
		return error_set_nomem(err);
	}
	src->size = src->file_size = plan->geo.size;
	src->sector_size = plan->geo.sector_size;
	*ret = src;
	return 0;
}
