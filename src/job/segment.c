// SPDX-License-Identifier: GPL-3.0-or-later
/* Which bytes of a written image may change in use, and whether they did so sensibly. */
#include "job/segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

#define MBR_TABLE_OFFSET 440 /* disk signature, four entries, 55AA */
#define MBR_SIZE 512

static const char *const role_names[] = {
	[SEGMENT_FIXED] = "fixed",
	[SEGMENT_TAIL] = "tail",
	[SEGMENT_VOLUME] = "volume",
	[SEGMENT_TABLE] = "table",
};

const char *segment_role_name(enum segment_role role)
{
	return role_names[role];
}

int segment_role_by_name(const char *name, size_t len, enum segment_role *ret)
{
	for (size_t i = 0; i < N_SEGMENT_ROLES; i++) {
		if (strlen(role_names[i]) == len && memcmp(role_names[i], name, len) == 0) {
			*ret = (enum segment_role)i;
			return 0;
		}
	}
	return -1;
}

/* Ranges that are more than fixed, in any order and overlapping. */
struct mark {
	uint64_t start, len;
	enum segment_role role;
	char what[64];
};

struct marks {
	size_t n;
	struct mark list[SEGMENT_MAX_PARTITIONS + 8];
};

static void add_mark(struct marks *marks, uint64_t start, uint64_t len, enum segment_role role,
		     const char *what)
{
	struct mark *m;

	if (len == 0 || start > UINT64_MAX - len || marks->n == ARRAY_SIZE(marks->list))
		return;
	m = &marks->list[marks->n++];
	*m = (struct mark){ .start = start, .len = len, .role = role };
	snprintf(m->what, sizeof(m->what), "%s", what);
}

/* 1 a file system that systems write to, 0 not, -1 cannot be read there. */
static int is_writable_volume(struct source *src, uint64_t off)
{
	static const struct {
		uint32_t off;
		uint32_t len;
		const char *magic;
	} magics[] = {
		{ 54, 3, "FAT" },
		{ 82, 5, "FAT32" },
		{ 3, 8, "EXFAT   " },
		{ 3, 8, "NTFS    " },
		{ 0, 4, "XFSB" },
		{ 1080, 2, "\x53\xef" },
		{ 1024, 4, "\x10\x20\xf5\xf2" },
		{ 65600, 8, "_BHRfS_M" },
	};
	struct error ignored = ERROR_INIT;
	bool seen = false;

	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		char buf[8];
		size_t n;

		if (source_peek(src, off + magics[i].off, buf, magics[i].len, &n, &ignored) < 0 ||
		    n < magics[i].len)
			continue;
		seen = true;
		if (memcmp(buf, magics[i].magic, n) == 0)
			return 1;
	}
	return seen ? 0 : -1;
}

static void mark_partition(struct marks *marks, const struct layout *lay, struct source *src,
			   unsigned int number, uint64_t start, uint64_t size)
{
	char what[64];
	int writable;

	/* One that begins at 0 is the image itself (isohybrid). */
	if (start == 0)
		return;
	writable = is_writable_volume(src, start);
	if (writable == 0 || (writable < 0 && lay->kind != LAYOUT_DISK))
		return;
	snprintf(what, sizeof(what), "partition %u", number);
	add_mark(marks, start, size, SEGMENT_VOLUME, what);
}

static void mark_tables(struct marks *marks, const struct layout *lay, uint64_t target_size)
{
	const struct layout_gpt_header *h = &lay->gpt.primary;
	uint64_t bs = lay->gpt.block_size;

	if (lay->mbr.present)
		add_mark(marks, MBR_TABLE_OFFSET, MBR_SIZE - MBR_TABLE_OFFSET, SEGMENT_TABLE,
			 "MBR partition table");
	if (!lay->gpt.valid)
		return;
	add_mark(marks, bs, bs, SEGMENT_TABLE, "GPT header");
	if (h->entries_lba <= target_size / bs)
		add_mark(marks, h->entries_lba * bs, (uint64_t)h->n_entries * h->entry_size,
			 SEGMENT_TABLE, "GPT entries");
	/* An image as large as the stick brings its backup along. */
	if (lay->gpt.backup.valid && lay->gpt.backup.lba == target_size / bs - 1 &&
	    lay->gpt.backup.entries_lba < lay->gpt.backup.lba)
		add_mark(marks, lay->gpt.backup.entries_lba * bs,
			 target_size - lay->gpt.backup.entries_lba * bs, SEGMENT_TABLE,
			 "backup GPT");
}

static void mark_all(struct marks *marks, uint64_t size, uint64_t content, const struct layout *lay,
		     struct source *src)
{
	uint64_t tail = num_max(content, size - num_min(size, MIB));

	mark_tables(marks, lay, size);
	if (lay->superfloppy && is_writable_volume(src, 0) == 1)
		add_mark(marks, 0, num_min(content, size), SEGMENT_VOLUME, "the file system");
	for (uint32_t i = 0; i < lay->mbr.n_partitions; i++)
		mark_partition(marks, lay, src, lay->mbr.partitions[i].number,
			       lay->mbr.partitions[i].start, lay->mbr.partitions[i].size);
	for (uint32_t i = 0; lay->gpt.valid && i < lay->gpt.n_partitions; i++)
		mark_partition(marks, lay, src, lay->gpt.partitions[i].number,
			       lay->gpt.partitions[i].start, lay->gpt.partitions[i].size);
	if (tail < size)
		add_mark(marks, tail, size - tail, SEGMENT_TAIL, "behind the image");
}

/* The strongest mark at off, and where that stops being so. */
static const struct mark *mark_at(const struct marks *marks, uint64_t off, uint64_t *end)
{
	const struct mark *best = NULL;

	for (size_t i = 0; i < marks->n; i++) {
		const struct mark *m = &marks->list[i];

		if (off < m->start) {
			*end = num_min(*end, m->start);
		} else if (off - m->start < m->len) {
			*end = num_min(*end, m->start + m->len);
			if (!best || m->role > best->role)
				best = m;
		}
	}
	return best;
}

void segments_free(struct segments *segs)
{
	if (!segs)
		return;
	free(segs->runs);
	free(segs);
}

int segments_add_run(struct segments *segs, uint64_t start, uint64_t len)
{
	struct segment_run *last = segs->n_runs ? &segs->runs[segs->n_runs - 1] : NULL;

	if (last && last->start + last->len == start) {
		last->len += len;
		return 0;
	}
	if (segs->n_runs == segs->cap_runs) {
		size_t cap = segs->cap_runs ? segs->cap_runs * 2 : 16;
		struct segment_run *runs = reallocarray(segs->runs, cap, sizeof(*runs));

		if (!runs)
			return -1;
		segs->runs = runs;
		segs->cap_runs = cap;
	}
	segs->runs[segs->n_runs++] = (struct segment_run){ start, len };
	return 0;
}

bool segments_next_run(const struct segments *segs, uint64_t pos, uint64_t end, uint64_t *ret_start,
		       uint64_t *ret_len)
{
	size_t low = 0, high = segs->n_runs;
	uint64_t stop;

	/* The first run that ends behind pos; [low, high) shrinks each time. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (segs->runs[mid].start + segs->runs[mid].len <= pos)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == segs->n_runs || num_max(pos, segs->runs[low].start) >= end)
		return false;
	stop = num_min(end, segs->runs[low].start + segs->runs[low].len);
	*ret_start = num_max(pos, segs->runs[low].start);
	*ret_len = stop - *ret_start;
	return true;
}

/* Pieces of this size at most, so that a digest that differs also says about where. */
static uint64_t piece_size(uint64_t target_size)
{
	return num_max(16 * MIB, num_round_up(target_size / (SEGMENT_MAX / 4), MIB));
}

static int add_segment(struct segments *segs, uint64_t start, uint64_t len, const struct mark *m)
{
	uint64_t piece = piece_size(segs->target_size);
	struct segment *last = segs->n ? &segs->list[segs->n - 1] : NULL;
	enum segment_role role = m ? m->role : SEGMENT_FIXED;
	const char *what = m ? m->what : "";

	if (segments_add_run(segs, start, len) < 0)
		return -1;
	/* Kept bytes between them do not matter. */
	if (last && last->start / piece == start / piece && last->role == role &&
	    strcmp(last->what, what) == 0) {
		last->len = start + len - last->start;
		return 0;
	}
	if (segs->n == SEGMENT_MAX)
		return -1;
	last = &segs->list[segs->n++];
	*last = (struct segment){ .start = start, .len = len, .role = role };
	snprintf(last->what, sizeof(last->what), "%s", what);
	return 0;
}

static void add_partitions(struct segments *segs, const struct layout *lay)
{
	for (uint32_t i = 0; i < lay->mbr.n_partitions; i++) {
		const struct layout_mbr_partition *p = &lay->mbr.partitions[i];

		/* The protective entry is what firmware repairs, an empty one what it drops. */
		if (p->type != 0xee && p->type != 0 && p->size > 0)
			segs->partitions[segs->n_partitions++] =
				(struct segment_partition){ false, p->start, p->size };
	}
	for (uint32_t i = 0; lay->gpt.valid && i < lay->gpt.n_partitions; i++)
		segs->partitions[segs->n_partitions++] =
			(struct segment_partition){ true, lay->gpt.partitions[i].start,
						    lay->gpt.partitions[i].size };
}

int segments_make(const struct plan *plan, uint64_t content_size, const struct layout *lay,
		  struct source *src, struct segments *ret)
{
	uint64_t piece = piece_size(plan->geo.size);
	struct marks *marks = calloc(1, sizeof(*marks));
	int rc = 0;

	if (!marks)
		return -1;
	memset(ret, 0, sizeof(*ret));
	ret->target_size = plan->geo.size;
	ret->sector_size = plan->geo.sector_size;
	mark_all(marks, plan->geo.size, content_size, lay, src);
	for (size_t i = 0; i < plan->n_extents && rc == 0; i++) {
		const struct extent *e = &plan->extents[i];
		uint64_t pos = e->start, stop = e->start + e->len;

		if (e->kind == EXTENT_KEEP)
			continue;
		/* Ends: every round goes on by at least one byte, to the next mark's edge. */
		while (pos < stop && rc == 0) {
			uint64_t end = num_min(stop, num_round_down(pos, piece) + piece);
			const struct mark *m = mark_at(marks, pos, &end);

			rc = add_segment(ret, pos, end - pos, m);
			pos = end;
		}
	}
	add_partitions(ret, lay);
	free(marks);
	return rc;
}

static bool has_partition(const struct layout *stick, const struct segment_partition *p)
{
	if (p->is_gpt) {
		for (uint32_t i = 0; i < stick->gpt.n_partitions; i++) {
			if (stick->gpt.partitions[i].start == p->start &&
			    stick->gpt.partitions[i].size == p->len)
				return true;
		}
		return false;
	}
	for (uint32_t i = 0; i < stick->mbr.n_partitions; i++) {
		if (stick->mbr.partitions[i].start == p->start &&
		    stick->mbr.partitions[i].size == p->len)
			return true;
	}
	return false;
}

/* A table may grow and be repaired; what the image brought must still be in it. */
static bool tables_are_sane(const struct segments *segs, const struct layout *stick)
{
	bool has_gpt = false;

	for (uint32_t i = 0; i < segs->n_partitions; i++) {
		if (!has_partition(stick, &segs->partitions[i]))
			return false;
		has_gpt |= segs->partitions[i].is_gpt;
	}
	return !has_gpt || stick->gpt.valid;
}

/* Who writes to a GPT leaves one that is valid; a flipped bit does not, nor in its backup. */
static bool gpt_is_sane(const struct segment *s, const struct layout *stick)
{
	if (strcmp(s->what, "backup GPT") == 0)
		return stick->gpt.backup.valid && stick->gpt.backup_at_end;
	return strncmp(s->what, "GPT", 3) != 0 || stick->gpt.valid;
}

static bool is_explained(const struct segments *segs, const struct segment *s,
			 const struct layout *stick, bool tail_is_clean)
{
	switch (s->role) {
	case SEGMENT_VOLUME:
		return true;
	case SEGMENT_TABLE:
		return tables_are_sane(segs, stick) && gpt_is_sane(s, stick);
	case SEGMENT_TAIL:
		return tail_is_clean && tables_are_sane(segs, stick) && stick->gpt.backup.valid &&
		       stick->gpt.backup_at_end;
	case SEGMENT_FIXED:
	case N_SEGMENT_ROLES:
		break;
	}
	return false;
}

int segments_explain(const struct segments *segs, const struct layout *stick, bool tail_is_clean,
		     char *text, size_t text_size, size_t *ret_bad)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < segs->n; i++) {
		const struct segment *s = &segs->list[i];
		const char *what = s->role == SEGMENT_TAIL ? _("a backup GPT at the end") : s->what;
		int n;

		if (!s->differs)
			continue;
		if (!is_explained(segs, s, stick, tail_is_clean)) {
			*ret_bad = i;
			return 0;
		}
		if (used >= text_size || strstr(text, what))
			continue;
		n = snprintf(text + used, text_size - used, "%s%s", used ? ", " : "", what);
		if (n > 0)
			used += (size_t)n;
	}
	return 1;
}

/* Drops [pos, off) of a SEQUENTIAL source: bytes that something was laid over. */
static int skip_to(struct plan_reader *reader, uint64_t off, struct error *err)
{
	uint8_t buf[16384];

	while (reader->pos < off) {
		size_t len = (size_t)num_min(sizeof(buf), off - reader->pos), n;

		if (source_next(reader->src, buf, len, &n, err) < 0)
			return -1;
		if (n == 0)
			return error_set(err, ERROR_IMAGE, "source-changed",
					 _("The image is shorter now than when it was opened."));
		reader->pos += n;
	}
	return 0;
}

static int read_stream(struct plan_reader *reader, const struct extent *e, uint64_t off, void *buf,
		       size_t len, struct error *err)
{
	size_t n;

	if (skip_to(reader, e->source_offset + (off - e->start), err) < 0 ||
	    source_next(reader->src, buf, len, &n, err) < 0)
		return -1;
	reader->pos += n;
	if (n < len)
		return error_set(err, ERROR_IMAGE, "source-changed",
				 _("The image is shorter now than when it was opened."));
	return 0;
}

int plan_reader_read(struct plan_reader *reader, uint64_t off, void *buf, size_t len,
		     struct error *err)
{
	struct source *const sources[] = { reader->src };
	uint8_t *out = buf;

	if (reader->src->access == SOURCE_RANDOM)
		return plan_fill(reader->plan, sources, off, buf, len, err);
	while (len > 0) {
		const struct extent *e = plan_find(reader->plan, off);
		size_t n;
		int rc;

		if (!e)
			return error_set(err, ERROR_INTERNAL, "plan-reader",
					 _("The plan ends before byte %llu."),
					 (unsigned long long)off);
		n = (size_t)num_min(len, e->start + e->len - off);
		if (e->kind == EXTENT_SOURCE)
			rc = read_stream(reader, e, off, out, n, err);
		else
			rc = plan_fill(reader->plan, sources, off, out, n, err);
		if (rc < 0)
			return -1;
		off += n;
		out += n;
		len -= n;
	}
	return 0;
}
