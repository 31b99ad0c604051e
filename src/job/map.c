// SPDX-License-Identifier: GPL-3.0-or-later
/* Spans out of a layout and out of a plan; see map.h. */
#include "job/map.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guid.h"
#include "base/num.h"
#include "base/text.h"
#include "disk/apm.h"
#include "disk/eltorito.h"
#include "disk/gpt.h"
#include "disk/mbr.h"

#define FREE_SHARE 100 /* gaps below this part of the whole are alignment, not room */
#define JOIN 4096U /* bytes: ranges of a plan that lie closer are drawn as one; more if need be */
#define NAME_SIZE 160

const char *map_kind_name(enum map_kind kind)
{
	static const char *const names[] = {
		[MAP_TABLE] = "table",         [MAP_BOOT] = "boot",     [MAP_VOLUME] = "volume",
		[MAP_PARTITION] = "partition", [MAP_SOURCE] = "source", [MAP_MEMORY] = "memory",
		[MAP_ZERO] = "zero",           [MAP_KEEP] = "keep",     [MAP_FREE] = "free",
		[MAP_MISSING] = "missing",
	};

	return names[kind];
}

static uint64_t end_of(const struct map_span *span)
{
	return span->len > UINT64_MAX - span->start ? UINT64_MAX : span->start + span->len;
}

uint64_t map_span_end(const struct map *map, const struct map_span *span)
{
	return num_max(span->start, num_min(end_of(span), map->size));
}

static struct map_span *find_same(struct map *map, uint64_t start, uint64_t len)
{
	for (size_t i = 0; i < map->n_spans; i++)
		if (map->spans[i].start == start && map->spans[i].len == len)
			return &map->spans[i];
	return NULL;
}

/* What begins behind the end is a finding of detection, and nowhere in the picture. */
static void add(struct map *map, uint64_t start, uint64_t len, enum map_kind kind, const char *fmt,
		...) __attribute__((format(printf, 5, 6)));

static void add(struct map *map, uint64_t start, uint64_t len, enum map_kind kind, const char *fmt,
		...)
{
	char label[MAP_LABEL_SIZE], joined[2 * MAP_LABEL_SIZE + 2];
	struct map_span *span;
	va_list ap;

	if (len == 0 || start >= map->size)
		return;
	va_start(ap, fmt);
	vsnprintf(label, sizeof(label), fmt, ap);
	va_end(ap);
	span = find_same(map, start, len);
	if (!span && map->n_spans == MAP_MAX_SPANS)
		return;
	if (!span) {
		span = &map->spans[map->n_spans++];
		*span = (struct map_span){
			.start = start, .len = len, .kind = kind, .n_ranges = 1
		};
	}
	snprintf(joined, sizeof(joined), "%s%s%s", span->label, span->label[0] ? "; " : "", label);
	/* Safe already; this cuts it at a character bound. */
	text_escape(joined, sizeof(joined), span->label, sizeof(span->label));
}

/* ' "name"', escaped; "" if it has none. */
static const char *quoted(const char *name, char buf[NAME_SIZE])
{
	char text[NAME_SIZE - 4];

	text_escape_trim(name, text, sizeof(text));
	snprintf(buf, NAME_SIZE, text[0] ? " \"%s\"" : "%s", text);
	return buf;
}

static int compare_spans(const void *pa, const void *pb)
{
	const struct map_span *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->len != b->len)
		return a->len > b->len ? -1 : 1;
	return a->kind < b->kind ? -1 : a->kind > b->kind;
}

static void sort(struct map *map)
{
	qsort(map->spans, map->n_spans, sizeof(map->spans[0]), compare_spans);
}

/* ------------------------------------------------------------------------------ a layout */

static void add_volumes(struct map *map, const struct layout *lay)
{
	const struct layout_volume *v = &lay->volume;
	char name[NAME_SIZE];

	for (uint32_t i = 0; i < v->n_listed; i++)
		add(map, v->list[i].start, v->list[i].size, MAP_VOLUME, _("session %" PRIu32 "%s"),
		    i + 1, quoted(v->list[i].id, name));
	if (v->present)
		add(map, 0, v->size, MAP_VOLUME, "ISO 9660%s", quoted(v->id, name));
	add(map, lay->udf_start, lay->udf_size, MAP_VOLUME, "UDF%s",
	    v->present ? "" : quoted(v->id, name));
	add(map, 0, lay->superfloppy_size, MAP_VOLUME, _("file system without a partition table"));
	for (uint32_t i = 0; i < lay->n_hfs; i++)
		add(map, lay->hfs[i].start, lay->hfs[i].size, MAP_VOLUME, "%s%s", lay->hfs[i].type,
		    quoted(lay->hfs[i].name, name));
}

static void add_catalog(struct map *map, const struct layout_el_torito *et)
{
	char number[8], path[NAME_SIZE];
	uint64_t len = ELTORITO_SECTOR;

	if (!et->present)
		return;
	for (uint32_t i = 0; i < et->n_entries; i++)
		len = num_max(len, num_round_up(((uint64_t)et->entries[i].record + 1) * 32,
						ELTORITO_SECTOR));
	add(map, (uint64_t)et->catalog_lba * ELTORITO_SECTOR, len, MAP_TABLE, _("boot catalog"));
	for (uint32_t i = 0; i < et->n_entries; i++) {
		const struct layout_boot_entry *e = &et->entries[i];

		text_escape_trim(e->path, path, sizeof(path));
		add(map, (uint64_t)e->lba * ELTORITO_SECTOR, e->size, MAP_BOOT,
		    _("boot image %" PRIu32 " for %s%s%s"), i + 1,
		    layout_platform_name(e->platform, number), path[0] ? ": " : "", path);
	}
}

static void add_mbr(struct map *map, const struct layout_mbr *mbr)
{
	if (!mbr->present)
		return;
	add(map, 0, MBR_SIZE, MAP_TABLE, "MBR");
	for (uint32_t i = 0; i < mbr->n_partitions; i++) {
		const struct layout_mbr_partition *p = &mbr->partitions[i];

		/* It stands for the GPT's partitions. */
		if (p->type != MBR_TYPE_PROTECTIVE)
			add(map, p->start, p->size, MAP_PARTITION, _("MBR partition %u, type %02x"),
			    p->number, p->type);
	}
	for (uint32_t i = 0; i < mbr->n_logical; i++)
		add(map, mbr->logical[i].start, mbr->logical[i].size, MAP_PARTITION,
		    _("MBR partition %u, type %02x"), mbr->logical[i].number, mbr->logical[i].type);
}

/* The header and its entries: one span where they lie beside each other. */
static void add_gpt_copy(struct map *map, const struct layout_gpt_header *h, uint32_t block_size,
			 const char *label)
{
	uint64_t entries_len = num_round_up((uint64_t)h->n_entries * h->entry_size, block_size);
	uint64_t start, entries;

	if (!h->present || h->lba > UINT64_MAX / block_size)
		return;
	start = h->lba * block_size;
	if (!h->valid || h->entries_lba > UINT64_MAX / block_size) {
		add(map, start, block_size, MAP_TABLE, _("%s, damaged"), label);
		return;
	}
	entries = h->entries_lba * block_size;
	if (entries == start + block_size) {
		add(map, start, block_size + entries_len, MAP_TABLE, "%s", label);
	} else if (entries < start && entries + entries_len == start) {
		add(map, entries, entries_len + block_size, MAP_TABLE, "%s", label);
	} else {
		add(map, start, block_size, MAP_TABLE, _("%s, header"), label);
		add(map, entries, entries_len, MAP_TABLE, _("%s, entries"), label);
	}
}

static void add_gpt(struct map *map, const struct layout_gpt *gpt)
{
	char name[NAME_SIZE], guid[GUID_TEXT_SIZE];

	if (!gpt->present)
		return;
	add_gpt_copy(map, &gpt->primary, gpt->block_size, "GPT");
	add_gpt_copy(map, &gpt->backup, gpt->block_size, _("backup GPT"));
	for (uint32_t i = 0; i < gpt->n_partitions; i++) {
		const struct layout_gpt_partition *p = &gpt->partitions[i];
		const char *type = gpt_type_name(p->type);

		add(map, p->start, p->size, MAP_PARTITION, _("GPT partition %" PRIu32 ", %s%s"),
		    p->number, type ? type : guid_format(p->type, guid), quoted(p->name, name));
	}
}

static void add_apm(struct map *map, const struct layout_apm *apm)
{
	char name[NAME_SIZE], type[NAME_SIZE];

	/* Its first entry is the map itself. */
	for (uint32_t i = 0; i < apm->n_partitions; i++) {
		const struct layout_apm_partition *p = &apm->partitions[i];
		enum map_kind kind = apm_type_is_free(p->type)                     ? MAP_FREE
				     : strcmp(p->type, "Apple_partition_map") == 0 ? MAP_TABLE
										   : MAP_PARTITION;

		add(map, p->start, p->size, kind, _("Apple partition %" PRIu32 ", %s%s"), i + 1,
		    text_escape_trim(p->type, type, sizeof(type)), quoted(p->name, name));
	}
}

static void add_layout(struct map *map, const struct layout *lay)
{
	add_volumes(map, lay);
	add_mbr(map, &lay->mbr);
	add_gpt(map, &lay->gpt);
	add_apm(map, &lay->apm);
	add_catalog(map, &lay->el_torito);
}

/* Gaps between what is known, if they are worth a word. */
static void add_free(struct map *map)
{
	uint64_t min = map->size / FREE_SHARE, at = 0;
	size_t n = map->n_spans;

	sort(map);
	for (size_t i = 0; n > 0 && i <= n; i++) {
		uint64_t start = i < n ? num_min(map->spans[i].start, map->size) : map->size;

		if (start > at && start - at >= num_max(min, 1))
			add(map, at, start - at, MAP_FREE, _("in no volume or partition"));
		if (i < n)
			at = num_max(at, end_of(&map->spans[i]));
	}
	sort(map);
}

struct map *map_of_layout(const struct layout *lay)
{
	struct map *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->size = lay->size == UINT64_MAX ? lay->expected_size
					    : num_max(lay->size, lay->expected_size);
	add_layout(map, lay);
	if (lay->is_truncated)
		add(map, lay->size, lay->expected_size - lay->size, MAP_MISSING, _("missing"));
	add_free(map);
	return map;
}

/* The index of a place that is three quarters of the map, and that nothing reaches into; 0 none. */
static size_t find_room(const struct map *map)
{
	uint64_t end = 0;

	for (size_t i = 0; i < map->n_spans; i++) {
		const struct map_span *span = &map->spans[i];

		if ((span->kind == MAP_FREE || span->kind == MAP_KEEP) && end <= span->start &&
		    span->len / 3 > map->size - num_min(span->len, map->size))
			return i;
		end = num_max(end, end_of(span));
	}
	return 0;
}

int map_enlarge(struct map *map, struct map **ret)
{
	size_t n = find_room(map);
	struct map *part;

	*ret = NULL;
	if (n < 2)
		return 0;
	part = calloc(1, sizeof(*part));
	if (!part)
		return -1;
	part->size = map->spans[n].start;
	part->n_spans = n;
	memcpy(part->spans, map->spans, n * sizeof(map->spans[0]));
	memmove(map->spans + 1, map->spans + n, (map->n_spans - n) * sizeof(map->spans[0]));
	map->n_spans -= n - 1;
	map->spans[0] = (struct map_span){ .len = part->size, .kind = MAP_VOLUME, .n_ranges = 1 };
	snprintf(map->spans[0].label, sizeof(map->spans[0].label), "%s",
		 _("its beginning, enlarged below"));
	*ret = part;
	return 1;
}

/* -------------------------------------------------------------------------------- a plan */

static bool is_in_place(const struct extent *e)
{
	return e->kind == EXTENT_SOURCE && e->source == 0 && e->source_offset == e->start;
}

static enum map_kind kind_of(const struct extent *e)
{
	switch (e->kind) {
	case EXTENT_SOURCE:
		return MAP_SOURCE;
	case EXTENT_MEMORY:
	case EXTENT_GENERATE:
		return MAP_MEMORY;
	case EXTENT_ZERO:
		return MAP_ZERO;
	case EXTENT_KEEP:
		break;
	}
	return MAP_KEEP;
}

/* What isowrite makes itself, in several small places, is one thing. */
static struct map_span *last_of_its_kind(struct map *map, const struct extent *e)
{
	for (size_t i = map->n_spans; i > 0; i--) {
		struct map_span *span = &map->spans[i - 1];

		if (span->kind == kind_of(e) && (span->what == e->what || span->kind == MAP_MEMORY))
			return span;
	}
	return NULL;
}

static void join_label(struct map_span *span, const char *what)
{
	size_t used = strlen(span->label);

	/* The plan's own words: ASCII, and each once. */
	if (strstr(span->label, what))
		return;
	snprintf(span->label + used, sizeof(span->label) - used, "%s%s", used ? ", " : "", what);
}

/* Extents of the same text are one span if less than join lies between them. False: too many. */
static bool add_extents(struct map *map, const struct plan *plan, uint64_t join)
{
	map->n_spans = 0;
	for (size_t i = 0; i < plan->n_extents; i++) {
		const struct extent *e = &plan->extents[i];
		struct map_span *span = last_of_its_kind(map, e);

		if (!span || e->start - end_of(span) > join) {
			if (map->n_spans == MAP_MAX_EXTENTS)
				return false;
			span = &map->spans[map->n_spans++];
			*span = (struct map_span){ .start = e->start,
						   .kind = kind_of(e),
						   .what = e->what };
		}
		span->n_ranges++;
		span->len = e->start + e->len - span->start;
		join_label(span, plan_what(plan, e));
	}
	return true;
}

/* Does the stick hold these bytes where the image has them? What is patched in stays so. */
static bool is_copied(const struct plan *plan, const struct map_span *span)
{
	const struct extent *first = plan_find(plan, span->start);
	const struct extent *last = plan_find(plan, end_of(span) - 1);

	return first && last && (is_in_place(first) || first->kind == EXTENT_MEMORY) &&
	       (is_in_place(last) || last->kind == EXTENT_MEMORY);
}

/* What the image's own tables say, as far as it comes to lie where they say. */
static void add_image(struct map *map, const struct plan *plan, const struct layout *lay)
{
	struct map *image = map_of_layout(lay);

	for (size_t i = 0; image && i < image->n_spans; i++) {
		const struct map_span *span = &image->spans[i];

		if (span->kind != MAP_FREE && span->kind != MAP_MISSING && is_copied(plan, span))
			add(map, span->start, span->len, span->kind, "%s", span->label);
	}
	free(image);
}

struct map *map_of_plan(const struct plan *plan, const struct layout *lay)
{
	struct map *map = calloc(1, sizeof(*map));
	uint64_t join = JOIN;

	if (!map || plan->is_open)
		return map;
	map->size = plan->geo.size;
	/* Ends: with a gap as large as the stick there is one span for each text. */
	while (!add_extents(map, plan, join) && join < map->size)
		join *= 2;
	for (size_t i = 0; i < map->n_spans; i++) {
		struct map_span *span = &map->spans[i];
		size_t used = strlen(span->label);

		if (span->n_ranges > 1)
			snprintf(span->label + used, sizeof(span->label) - used,
				 _(" (%" PRIu32 " ranges)"), span->n_ranges);
	}
	if (lay)
		add_image(map, plan, lay);
	sort(map);
	return map;
}
