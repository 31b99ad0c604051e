// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The plan and its invariants; see plan.h. Nothing here knows an image format
 * or a descriptor.
 */
#include "plan/plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "image/source.h"

/* What lies in here of an old stick must not survive: tables, labels, backup GPTs. */
#define WINDOW_SIZE MIB

static const char *const kind_names[] = {
	[EXTENT_SOURCE] = "source",     [EXTENT_MEMORY] = "memory", [EXTENT_GENERATE] = "generate",
	[EXTENT_ZERO] = "zero",         [EXTENT_KEEP] = "keep",
};

const char *extent_kind_name(enum extent_kind kind)
{
	return kind_names[kind];
}

struct plan *plan_new(const char *planner, const struct geometry *geo)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	plan->planner = planner;
	plan->geo = *geo;
	return plan;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->n_strings; i++)
		free(plan->strings[i]);
	free(plan->strings);
	free(plan->extents);
	free(plan->arena);
	free(plan->differences);
	free(plan);
}

/* Room for n items of an array that grows by doubling; the array, or NULL (array unharmed). */
static void *grow(void *array, size_t *cap, size_t n, size_t item_size)
{
	size_t new_cap = *cap > 0 ? *cap : 8;
	void *p;

	if (n <= *cap)
		return array;
	while (new_cap < n)
		if (__builtin_mul_overflow(new_cap, 2, &new_cap))
			return NULL;
	p = reallocarray(array, new_cap, item_size);
	if (p)
		*cap = new_cap;
	return p;
}

uint64_t plan_end(const struct plan *plan)
{
	const struct extent *last;

	if (plan->n_extents == 0)
		return 0;
	last = &plan->extents[plan->n_extents - 1];
	return last->start + last->len;
}

static int intern(struct plan *plan, const char *what, uint32_t *ret, struct error *err)
{
	char **strings;

	for (size_t i = 0; i < plan->n_strings; i++) {
		if (!strcmp(plan->strings[i], what)) {
			*ret = (uint32_t)i;
			return 0;
		}
	}
	strings = grow(plan->strings, &plan->cap_strings, plan->n_strings + 1, sizeof(*strings));
	if (!strings)
		return error_set_nomem(err);
	plan->strings = strings;
	strings[plan->n_strings] = strdup(what);
	if (!strings[plan->n_strings])
		return error_set_nomem(err);
	*ret = (uint32_t)plan->n_strings++;
	return 0;
}

static int error_does_not_fit(const struct plan *plan, uint64_t needed, struct error *err)
{
	char need[NUM_SIZE_LEN], has[NUM_SIZE_LEN], lack[NUM_SIZE_LEN];

	return error_set(err, ERROR_FIT, "does-not-fit",
			 _("The image needs %s, the target has %s (short by %s bytes)."),
			 num_format_size(need, sizeof(need), needed),
			 num_format_size(has, sizeof(has), plan->geo.size),
			 num_format_bytes(lack, sizeof(lack), needed - plan->geo.size));
}

int plan_check_fit(const struct plan *plan, uint64_t size, struct error *err)
{
	return size > plan->geo.size ? error_does_not_fit(plan, size, err) : 0;
}

static int append(struct plan *plan, struct extent extent, const char *what, struct error *err)
{
	struct extent *extents;
	uint64_t needed;

	if (plan->is_open)
		return error_set(err, ERROR_INTERNAL, "plan-open",
				 _("Nothing can follow an extent of unknown length in a plan."));
	if (extent.len == 0)
		return 0;
	extent.start = plan_end(plan);
	if (!num_is_within(extent.start, extent.len, plan->geo.size)) {
		if (__builtin_add_overflow(extent.start, extent.len, &needed))
			needed = UINT64_MAX;
		return error_does_not_fit(plan, needed, err);
	}
	if (intern(plan, what, &extent.what, err) < 0)
		return -1;
	extents = grow(plan->extents, &plan->cap_extents, plan->n_extents + 1, sizeof(*extents));
	if (!extents)
		return error_set_nomem(err);
	plan->extents = extents;
	extents[plan->n_extents++] = extent;
	return 0;
}

int plan_append_source(struct plan *plan, uint64_t len, uint32_t source, uint64_t source_offset,
		       const char *what, struct error *err)
{
	struct extent extent = {
		.kind = EXTENT_SOURCE,
		.len = len,
		.source = source,
		.source_offset = source_offset,
	};

	return append(plan, extent, what, err);
}

static int add_to_arena(struct plan *plan, const void *data, uint64_t len, struct error *err)
{
	size_t needed;
	uint8_t *arena;

	if (__builtin_add_overflow(plan->arena_len, len, &needed))
		return error_set_nomem(err);
	arena = grow(plan->arena, &plan->arena_cap, needed, 1);
	if (!arena)
		return error_set_nomem(err);
	plan->arena = arena;
	memcpy(arena + plan->arena_len, data, len);
	plan->arena_len = needed;
	return 0;
}

int plan_append_memory(struct plan *plan, const void *data, uint64_t len, const char *what,
		       struct error *err)
{
	struct extent extent = {
		.kind = EXTENT_MEMORY,
		.len = len,
		.source_offset = plan->arena_len,
	};

	if (len == 0)
		return 0;
	if (append(plan, extent, what, err) < 0)
		return -1;
	if (add_to_arena(plan, data, len, err) < 0) {
		plan->n_extents--;
		return -1;
	}
	return 0;
}

int plan_append_generate(struct plan *plan, uint64_t len, plan_fill_fn fill, const void *ctx,
			 const char *what, struct error *err)
{
	struct extent extent = {
		.kind = EXTENT_GENERATE,
		.len = len,
		.source = (uint32_t)plan->n_generators,
	};

	if (len == 0)
		return 0;
	if (plan->n_generators == ARRAY_SIZE(plan->generators))
		return error_set(err, ERROR_INTERNAL, "plan-generators",
				 _("The plan has more than %zu generated parts."),
				 ARRAY_SIZE(plan->generators));
	if (append(plan, extent, what, err) < 0)
		return -1;
	plan->generators[plan->n_generators].fill = fill;
	plan->generators[plan->n_generators].ctx = ctx;
	plan->n_generators++;
	return 0;
}

int plan_append_zero(struct plan *plan, uint64_t len, const char *what, struct error *err)
{
	return append(plan, (struct extent){ .kind = EXTENT_ZERO, .len = len }, what, err);
}

int plan_append_keep(struct plan *plan, uint64_t len, const char *what, struct error *err)
{
	return append(plan, (struct extent){ .kind = EXTENT_KEEP, .len = len }, what, err);
}

int plan_append_source_open(struct plan *plan, const char *what, struct error *err)
{
	if (plan->n_extents > 0)
		return error_set(err, ERROR_INTERNAL, "plan-open",
				 _("An extent of unknown length must be the only one of its plan."));
	if (plan_append_source(plan, plan->geo.size, 0, 0, what, err) < 0)
		return -1;
	plan->is_open = true;
	return 0;
}

static int add_difference(struct plan *plan, uint64_t start, uint64_t end, uint32_t what,
			  struct error *err)
{
	struct plan_difference *differences =
		grow(plan->differences, &plan->cap_differences, plan->n_differences + 1,
		     sizeof(*differences));

	if (!differences)
		return error_set_nomem(err);
	plan->differences = differences;
	differences[plan->n_differences++] = (struct plan_difference){
		.start = start,
		.len = end - start,
		.what = what,
	};
	return 0;
}

int plan_note_differences(struct plan *plan, uint64_t size, struct error *err)
{
	for (size_t i = 0; i < plan->n_extents && plan->extents[i].start < size; i++) {
		const struct extent *e = &plan->extents[i];

		if (e->kind == EXTENT_SOURCE && e->source == 0 && e->source_offset == e->start)
			continue;
		if (add_difference(plan, e->start, num_min(e->start + e->len, size), e->what, err) <
		    0)
			return -1;
	}
	return 0;
}

/* The part of extent that lies in [start, end), which must overlap it. */
static struct extent cut(const struct extent *extent, uint64_t start, uint64_t end)
{
	struct extent part = *extent;

	if (start > part.start) {
		part.source_offset += start - part.start;
		part.len -= start - part.start;
		part.start = start;
	}
	part.len = num_min(part.len, end - part.start);
	return part;
}

int plan_overlay(struct plan *plan, uint64_t start, const void *data, uint64_t len,
		 const char *what, struct error *err)
{
	struct extent memory = { .start = start, .len = len, .kind = EXTENT_MEMORY };
	uint64_t end = start + len;
	struct extent *extents;
	size_t n = 0;
	bool placed = false;

	if (len == 0)
		return 0;
	if (plan->is_open || !num_is_within(start, len, plan_end(plan)))
		return error_set(err, ERROR_INTERNAL, "plan-overlay",
				 _("A change to the plan at byte %" PRIu64 " lies outside of it."),
				 start);
	for (size_t i = 0; i < plan->n_extents; i++) {
		const struct extent *e = &plan->extents[i];

		if (e->kind == EXTENT_KEEP && e->start < end && start < e->start + e->len)
			return error_set(err, ERROR_INTERNAL, "plan-overlay",
					 _("A change to the plan at byte %" PRIu64
					   " lies over bytes that it keeps."),
					 start);
	}
	memory.source_offset = plan->arena_len;
	if (intern(plan, what, &memory.what, err) < 0 || add_to_arena(plan, data, len, err) < 0)
		return -1;
	/* Each extent gives at most one part before and one behind; one is new. */
	extents = reallocarray(NULL, plan->n_extents + 2, sizeof(*extents));
	if (!extents)
		return error_set_nomem(err);
	for (size_t i = 0; i < plan->n_extents; i++) {
		const struct extent *e = &plan->extents[i];
		uint64_t e_end = e->start + e->len;

		if (e->start < start)
			extents[n++] = cut(e, 0, start);
		if (!placed && e_end > start) {
			extents[n++] = memory;
			placed = true;
		}
		if (e_end > end)
			extents[n++] = cut(e, end, UINT64_MAX);
		if (e->kind == EXTENT_SOURCE && e->start < end && e_end > start &&
		    add_difference(plan, num_max(e->start, start), num_min(e_end, end),
				   memory.what, err) < 0) {
			free(extents);
			return -1;
		}
	}
	free(plan->extents);
	plan->extents = extents;
	plan->n_extents = n;
	plan->cap_extents = plan->n_extents;
	return 0;
}

/* Zeros up to byte end, if the plan ends before it. */
static int zero_until(struct plan *plan, uint64_t end, const char *what, struct error *err)
{
	uint64_t now = plan_end(plan);

	return now < end ? plan_append_zero(plan, end - now, what, err) : 0;
}

static int check_geometry(const struct plan *plan, struct error *err)
{
	const struct geometry *geo = &plan->geo;

	if (geo->size > 0 && num_is_power_of_2(geo->sector_size) &&
	    num_is_power_of_2(geo->io_align))
		return 0;
	return error_set(err, ERROR_INTERNAL, "plan-invalid",
			 _("The plan's geometry is invalid: %" PRIu64
			   " bytes, sectors of %u, alignment %u."),
			 geo->size, geo->sector_size, geo->io_align);
}

int plan_close(struct plan *plan, uint64_t content_size, struct error *err)
{
	uint64_t size = plan->geo.size, align = plan->geo.io_align, tail, keep;

	if (check_geometry(plan, err) < 0)
		return -1;
	if (plan->is_open) {
		if (content_size > size)
			return error_does_not_fit(plan, content_size, err);
		plan->is_open = false;
		plan->extents[0].len = content_size;
		plan->n_extents = content_size > 0 ? 1 : 0;
	}
	if (zero_until(plan, num_min(num_round_up(plan_end(plan), plan->geo.sector_size), size),
		       "padding to the next sector", err) < 0 ||
	    zero_until(plan, num_min(WINDOW_SIZE, size), "rest of the first MiB", err) < 0)
		return -1;
	tail = num_round_down(size - num_min(WINDOW_SIZE, size), align);
	keep = num_round_up(plan_end(plan), align);
	if (keep < tail && (zero_until(plan, keep, "padding to the next aligned block", err) < 0 ||
			    plan_append_keep(plan, tail - keep, "not touched", err) < 0))
		return -1;
	if (zero_until(plan, size, "rest of the last MiB: no stale backup GPT", err) < 0)
		return -1;
	return plan_check(plan, err);
}

/* NULL, or what is wrong with the extent. */
static const char *extent_fault(const struct plan *plan, const struct extent *e)
{
	uint64_t end = e->start + e->len, align = plan->geo.io_align;

	if (e->what >= plan->n_strings)
		return "has no description";
	switch (e->kind) {
	case EXTENT_SOURCE:
		return e->len > UINT64_MAX - e->source_offset ? "lies beyond any source" : NULL;
	case EXTENT_MEMORY:
		return num_is_within(e->source_offset, e->len, plan->arena_len) ?
			       NULL :
			       "lies outside the plan's memory";
	case EXTENT_GENERATE:
		return e->source < plan->n_generators ? NULL : "has no generator";
	case EXTENT_ZERO:
		return NULL;
	case EXTENT_KEEP:
		return e->start % align || (end % align && end != plan->geo.size) ?
			       "keeps bytes that are not aligned" :
			       NULL;
	}
	return "is of no known kind";
}

int plan_check(const struct plan *plan, struct error *err)
{
	uint64_t end = 0;

	if (check_geometry(plan, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->n_extents; i++) {
		const struct extent *e = &plan->extents[i];
		const char *fault;

		if (e->start != end)
			fault = "does not begin where the last one ended";
		else if (e->len == 0)
			fault = "is empty";
		else if (!num_is_within(e->start, e->len, plan->geo.size))
			fault = "passes the end of the target";
		else
			fault = extent_fault(plan, e);
		if (fault)
			return error_set(err, ERROR_INTERNAL, "plan-invalid",
					 _("The plan's extent at byte %" PRIu64 " %s."), e->start,
					 fault);
		end = e->start + e->len;
	}
	if (end != plan->geo.size)
		return error_set(err, ERROR_INTERNAL, "plan-invalid",
				 _("The plan ends at byte %" PRIu64 " of %" PRIu64 "."), end,
				 plan->geo.size);
	if (plan->is_open && (plan->n_extents != 1 || plan->extents[0].kind != EXTENT_SOURCE))
		return error_set(err, ERROR_INTERNAL, "plan-invalid",
				 _("The plan is open, but not a single source extent."));
	for (size_t i = 0; i < plan->n_differences; i++) {
		const struct plan_difference *d = &plan->differences[i];

		if (!num_is_within(d->start, d->len, end) || d->what >= plan->n_strings)
			return error_set(err, ERROR_INTERNAL, "plan-invalid",
					 _("The plan's difference at byte %" PRIu64
					   " lies outside the target."),
					 d->start);
	}
	return 0;
}

const char *plan_what(const struct plan *plan, const struct extent *extent)
{
	return extent->what < plan->n_strings ? plan->strings[extent->what] : "";
}

const struct extent *plan_find(const struct plan *plan, uint64_t off)
{
	size_t low = 0, high = plan->n_extents;

	/* Bisection: [low, high) shrinks each time. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct extent *e = &plan->extents[mid];

		if (off < e->start)
			high = mid;
		else if (off - e->start >= e->len)
			low = mid + 1;
		else
			return e;
	}
	return NULL;
}

uint64_t plan_bytes(const struct plan *plan, enum extent_kind kind)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < plan->n_extents; i++)
		if (plan->extents[i].kind == kind)
			sum += plan->extents[i].len;
	return sum;
}

bool plan_is_verbatim(const struct plan *plan, uint64_t size)
{
	const struct extent *e = plan->extents;

	return plan->n_differences == 0 && plan->n_extents > 0 && e->kind == EXTENT_SOURCE &&
	       e->source == 0 && e->source_offset == 0 && (plan->is_open || e->len == size);
}

uint64_t plan_source_end(const struct plan *plan)
{
	for (size_t i = plan->n_extents; i-- > 0;)
		if (plan->extents[i].kind == EXTENT_SOURCE)
			return plan->extents[i].start + plan->extents[i].len;
	return 0;
}

uint64_t plan_content_end(const struct plan *plan)
{
	for (size_t i = plan->n_extents; i-- > 0;) {
		const struct extent *e = &plan->extents[i];

		if (e->kind != EXTENT_ZERO && e->kind != EXTENT_KEEP)
			return e->start + e->len;
	}
	return 0;
}

int plan_fill(const struct plan *plan, struct source *const *sources, uint64_t off, void *buf,
	      size_t len, struct error *err)
{
	uint8_t *out = buf;

	/* Every round fills at least one byte: plan_find's extent holds off. */
	while (len > 0) {
		const struct extent *e = plan_find(plan, off);
		uint64_t rel;
		size_t n;

		if (!e)
			return error_set(err, ERROR_INTERNAL, "plan-fill",
					 _("Byte %" PRIu64 " lies outside the plan."), off);
		rel = e->source_offset + (off - e->start);
		n = (size_t)num_min(len, e->start + e->len - off);
		switch (e->kind) {
		case EXTENT_SOURCE:
			if (source_read_at(sources[e->source], rel, out, n, err) < 0)
				return -1;
			break;
		case EXTENT_MEMORY:
			memcpy(out, plan->arena + rel, n);
			break;
		case EXTENT_GENERATE:
			plan->generators[e->source].fill(plan->generators[e->source].ctx, rel, out,
							 n);
			break;
		case EXTENT_ZERO:
		case EXTENT_KEEP:
			memset(out, 0, n);
			break;
		}
		out += n;
		off += n;
		len -= n;
	}
	return 0;
}

/* How many of the next n bytes at off are surely equal in extents x of a and y of b. */
static uint64_t common_bytes(const struct plan *a, const struct extent *x, const struct plan *b,
			     const struct extent *y, uint64_t off, uint64_t n)
{
	uint64_t x_off = x->source_offset + (off - x->start);
	uint64_t y_off = y->source_offset + (off - y->start);
	uint64_t i;

	if (x->kind != y->kind)
		return 0;
	switch (x->kind) {
	case EXTENT_SOURCE:
		return x->source == y->source && x_off == y_off ? n : 0;
	case EXTENT_MEMORY:
		for (i = 0; i < n && a->arena[x_off + i] == b->arena[y_off + i]; i++)
			;
		return i;
	case EXTENT_GENERATE:
		return a->generators[x->source].fill == b->generators[y->source].fill &&
				       a->generators[x->source].ctx ==
					       b->generators[y->source].ctx &&
				       x_off == y_off ?
			       n :
			       0;
	case EXTENT_ZERO:
	case EXTENT_KEEP:
		return n;
	}
	return 0;
}

uint64_t plan_common_end(const struct plan *a, const struct plan *b, uint64_t from)
{
	uint64_t off = from;

	/* Ends where either plan ends; every other round goes on by at least one byte. */
	for (;;) {
		const struct extent *x = plan_find(a, off), *y = plan_find(b, off);
		uint64_t n, same;

		if (!x || !y)
			return off;
		n = num_min(x->start + x->len, y->start + y->len) - off;
		same = common_bytes(a, x, b, y, off, n);
		off += same;
		if (same < n)
			return off;
	}
}

void plan_dump(const struct plan *plan, FILE *out)
{
	fprintf(out, "plan %s%s: %" PRIu64 " bytes, sectors of %u, I/O aligned to %u\n",
		plan->planner, plan->is_open ? " (size of the image not yet known)" : "",
		plan->geo.size, plan->geo.sector_size, plan->geo.io_align);
	fprintf(out, "%14s %14s  %-8s  %-18s  %s\n", "start", "length", "kind", "from", "what");
	for (size_t i = 0; i < plan->n_extents; i++) {
		const struct extent *e = &plan->extents[i];
		char from[48] = "-";

		if (e->kind == EXTENT_SOURCE)
			snprintf(from, sizeof(from), "image %u at %" PRIu64, e->source,
				 e->source_offset);
		fprintf(out, "%14" PRIu64 " %14" PRIu64 "  %-8s  %-18s  %s\n", e->start, e->len,
			extent_kind_name(e->kind), from, plan_what(plan, e));
	}
	for (size_t i = 0; i < plan->n_differences; i++) {
		const struct plan_difference *d = &plan->differences[i];

		fprintf(out, "differs from the image: %" PRIu64 " bytes at %" PRIu64 ": %s\n",
			d->len, d->start, plan->strings[d->what]);
	}
}
