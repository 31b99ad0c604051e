// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a failed read-back looks like: the first bad byte, how much is bad, and
 * what stands there instead (zeros, 0xFF, old data, flipped bits, the data of
 * another place). Sectors here are 512 bytes whatever the medium: a finer
 * grain than any medium's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/num.h"
#include "io/engine-internal.h"

#define SECTOR 512
#define FLIPS_MAX 64 /* bits in a sector that still look like flips, not other data */
#define EXACT_MAX (UINT64_C(1) << 30) /* bytes compared one by one; beyond, pieces are counted */
#define PROBE_SIZE 4096               /* bytes that must be equal to say "the data of offset X" */
#define STREAM_PROBES 4096            /* pieces a stream's chunk is held against */
#define MOVED_PROBES 3                /* later sectors that are looked for elsewhere in the plan */

static bool is_all(const uint8_t *data, uint64_t len, uint8_t value)
{
	return len > 0 && data[0] == value && memcmp(data, data + 1, len - 1) == 0;
}

static unsigned int count_flips(const uint8_t *a, const uint8_t *b, uint64_t len)
{
	unsigned int bits = 0;

	for (uint64_t i = 0; i < len; i++)
		bits += (unsigned int)__builtin_popcount((unsigned int)(a[i] ^ b[i]));
	return bits;
}

static void add_range(struct engine_result *r, uint64_t off, uint64_t len)
{
	struct engine_range *last = r->n_ranges ? &r->ranges[r->n_ranges - 1] : NULL;

	if (last && last->offset + last->length == off)
		last->length += len;
	else if (r->n_ranges < ENGINE_MAX_RANGES)
		r->ranges[r->n_ranges++] = (struct engine_range){ off, len };
	else
		r->has_more_ranges = true;
}

/* Where else in the plan do these bytes stand? Seekable sources only. */
static bool find_in_plan(struct pump *p, uint64_t not_at, const uint8_t *data, uint64_t len,
			 uint64_t *ret_off)
{
	const struct plan *plan = p->ep->plan;
	uint8_t *buf = io_aligned_alloc(ENGINE_BUF_MAX);
	struct error ignored = ERROR_INIT;
	uint64_t pos = 0, start, n;
	bool found = false;

	/* Ends: each run begins behind the last one; overlaps by less than a buffer. */
	while (buf && !found && engine_next_run(plan, pos, plan->geo.size, &start, &n)) {
		n = num_min(n, ENGINE_BUF_MAX);
		if (atomic_load(&p->e->cancelled) ||
		    plan_fill(plan, p->e->rest_sources, start, buf, n, &ignored) < 0)
			break;
		for (uint64_t i = 0; i + len <= n && !found; i += SECTOR) {
			if (start + i != not_at && memcmp(buf + i, data, len) == 0) {
				*ret_off = start + i;
				found = true;
			}
		}
		/* A full buffer: the next one overlaps it, so that no match is cut in two. */
		pos = start + (n == ENGINE_BUF_MAX ? n - PROBE_SIZE : n);
	}
	io_aligned_free(buf, ENGINE_BUF_MAX);
	return found;
}

static void classify(struct pump *p, uint64_t off, const uint8_t *want, const uint8_t *got,
		     uint64_t len)
{
	struct engine_mismatch *m = &p->et->result.mismatch;
	uint64_t sector = num_min(len, SECTOR), probe = num_min(len, PROBE_SIZE), where;
	unsigned int flips = count_flips(want, got, sector);

	if (is_all(got, sector, 0)) {
		m->pattern = PATTERN_ZEROS;
	} else if (is_all(got, sector, 0xff)) {
		m->pattern = PATTERN_ONES;
	} else if (flips <= FLIPS_MAX) {
		m->pattern = PATTERN_FLIPS;
		m->pattern_value = flips;
	} else if (!p->e->is_stream && probe >= SECTOR &&
		   find_in_plan(p, off, got, num_round_down(probe, SECTOR), &where)) {
		m->pattern = PATTERN_OFFSET;
		m->pattern_value = where;
	} else {
		m->pattern = PATTERN_OTHER;
	}
}

/* A sample of the old content stands at a bad place: the write never arrived. */
static void check_old(struct pump *p, uint64_t off, const uint8_t *want, const uint8_t *got,
		      uint64_t len)
{
	struct engine_mismatch *m = &p->et->result.mismatch;

	if (m->pattern != PATTERN_OTHER && m->pattern != PATTERN_OFFSET)
		return;
	for (size_t i = 0; i < p->n_samples; i++) {
		const struct sample *s = &p->samples[i];
		uint64_t at = s->off - off;

		if (s->off < off || !num_is_within(at, ENGINE_SAMPLE_SIZE, len))
			continue;
		if (memcmp(got + at, want + at, ENGINE_SAMPLE_SIZE) != 0 &&
		    memcmp(got + at, s->data, ENGINE_SAMPLE_SIZE) == 0)
			m->pattern = PATTERN_OLD;
	}
}

static void note_first(struct pump *p, uint64_t off, const uint8_t *want, const uint8_t *got,
		       uint64_t len)
{
	struct engine_mismatch *m = &p->et->result.mismatch;
	const struct extent *x;
	uint64_t byte = 0;

	while (byte < len && want[byte] == got[byte])
		byte++;
	x = plan_find(p->ep->plan, off + byte);
	m->found = m->is_exact = true;
	m->offset = off + byte;
	m->what = x ? x->what : 0;
	classify(p, off, want, got, len);
}

/*
 * Zeros at the first bad place may well be data of another place that happens
 * to be zero: a bad sector with more in it, further on, tells. Looked for a few
 * times only, since each time the whole plan is read.
 */
static void check_moved(struct pump *p, uint64_t off, const uint8_t *got, uint64_t len)
{
	struct engine_mismatch *m = &p->et->result.mismatch;
	uint64_t probe = num_round_down(num_min(len, PROBE_SIZE), SECTOR), where;

	if (m->pattern != PATTERN_ZEROS || p->n_moved_probes == MOVED_PROBES || p->e->is_stream ||
	    probe == 0 || is_all(got, SECTOR, 0) || is_all(got, SECTOR, 0xff))
		return;
	p->n_moved_probes++;
	if (!find_in_plan(p, off, got, probe, &where) || where + m->offset < off)
		return;
	m->pattern = PATTERN_OFFSET;
	m->pattern_value = where + m->offset - off;
}

void diagnose_compare(struct pump *p, uint64_t off, const uint8_t *want, const uint8_t *got,
		      uint64_t len)
{
	struct engine_result *r = &p->et->result;
	struct engine_mismatch *m = &r->mismatch;
	uint64_t n;

	if (memcmp(want, got, len) == 0)
		return;
	for (uint64_t i = 0; i < len; i += n) {
		n = num_min(SECTOR, len - i);
		if (memcmp(want + i, got + i, n) == 0)
			continue;
		/* The head is read after the body: its bad bytes come first all the same. */
		if (!m->found || off + i < m->offset - m->offset % SECTOR)
			note_first(p, off + i, want + i, got + i, len - i);
		else
			check_moved(p, off + i, got + i, len - i);
		m->bad_bytes += n;
		add_range(r, off + i, n);
	}
	check_old(p, off, want, got, len);
	for (uint32_t i = 0; i < r->n_ranges; i++)
		if (num_is_within(m->offset - r->ranges[i].offset, 1, r->ranges[i].length))
			m->length = r->ranges[i].offset + r->ranges[i].length - m->offset;
}

/* The source cannot be read again: what can be said of a whole piece. */
static void classify_piece(struct pump *p, uint64_t from, const uint8_t *got, uint64_t len)
{
	struct engine_mismatch *m = &p->et->result.mismatch;
	const struct track *t = &p->e->groups[p->ep->group].track;
	struct error ignored = ERROR_INIT;
	struct hash *h = NULL;

	m->pattern = is_all(got, len, 0)      ? PATTERN_ZEROS
		     : is_all(got, len, 0xff) ? PATTERN_ONES
					      : PATTERN_OTHER;
	if (m->pattern != PATTERN_OTHER || hash_new("sha256", &h, &ignored) < 0)
		return;
	for (size_t i = 0; i + 1 < t->n_marks && i < STREAM_PROBES; i++) {
		struct digest is, want;

		if (t->marks[i].pos == from || t->marks[i + 1].pos - t->marks[i].pos != len)
			continue;
		hash_load(h, t->marks[i].state);
		hash_update(h, got, len);
		hash_peek(h, &is);
		hash_peek(t->marks[i + 1].state, &want);
		if (digest_is_equal(&is, &want)) {
			m->pattern = PATTERN_OFFSET;
			m->pattern_value = t->marks[i].pos;
			break;
		}
	}
	hash_free(h);
}

static void diagnose_piece(struct pump *p, uint64_t from, uint64_t to)
{
	struct engine_result *r = &p->et->result;
	struct engine_mismatch *m = &r->mismatch;
	uint64_t len = num_min(to - from, 4 * ENGINE_WINDOW);
	struct error ignored = ERROR_INIT;
	uint8_t *got;

	m->bad_bytes += to - from;
	m->is_bound = true;
	add_range(r, from, to - from);
	if (m->found)
		return;
	m->found = true;
	m->offset = from;
	m->length = to - from;
	m->pattern = PATTERN_OTHER;
	got = io_aligned_alloc(len);
	if (got && pump_read(p, from, got, len, &ignored) == 0)
		classify_piece(p, from, got, len);
	io_aligned_free(got, len);
}

void diagnose_range(struct pump *p, uint64_t from, uint64_t to)
{
	struct engine_mismatch *m = &p->et->result.mismatch;
	uint64_t before = m->bad_bytes, pos = from, start, len;
	uint8_t *want = NULL;
	struct error err = ERROR_INIT;
	const struct extent *x = plan_find(p->ep->plan, from);

	if (!m->found && x)
		m->what = x->what;
	if (!p->e->is_stream && before < EXACT_MAX)
		want = io_aligned_alloc(p->e->buf_size);
	if (!want) {
		diagnose_piece(p, from, to);
		return;
	}
	while (engine_next_run(p->ep->plan, pos, to, &start, &len)) {
		len = num_min(len, p->e->buf_size);
		if (pump_is_cancelled(p, &err) ||
		    plan_fill(p->ep->plan, p->e->rest_sources, start, want, len, &err) < 0 ||
		    pump_read(p, start, p->scratch, len, &err) < 0)
			break;
		diagnose_compare(p, start, want, p->scratch, len);
		pos = start + len;
	}
	io_aligned_free(want, p->e->buf_size);
	if (err.kind != ERROR_NONE && m->bad_bytes > before) {
		m->is_exact = false;
		m->bad_bytes = before + (to - from); /* at most */
	} else if (err.kind != ERROR_NONE) {
		diagnose_piece(p, from, to);
	} else if (m->bad_bytes == before) {
		/* The proof failed, yet now it reads right (or the image changed under us). */
		add_range(&p->et->result, from, to - from);
		if (!m->found) {
			m->found = true;
			m->offset = from;
			m->length = m->bad_bytes = to - from;
			m->pattern = PATTERN_UNSTABLE;
		}
	}
}

void diagnose_sample_old(struct pump *p)
{
	uint64_t from = p->ep->head_len, to = p->ep->tail_start, at;
	struct target *t = p->et->target;
	struct sample *s;

	if (!p->ep->was_open)
		to = num_min(to, plan_content_end(p->ep->plan));
	if (to <= from || to - from < ENGINE_SAMPLES * 4096 || !p->e->config.verify)
		return;
	p->samples = calloc(ENGINE_SAMPLES, sizeof(*p->samples));
	for (unsigned int i = 0; p->samples && i < ENGINE_SAMPLES; i++) {
		at = num_round_down(from + (to - from) / ENGINE_SAMPLES * i, 4096);
		/* A sample that cannot be read is no error: nothing is known about the place. */
		if (io_pread_full(t->fd, p->scratch, 4096, at) != 4096)
			continue;
		s = &p->samples[p->n_samples++];
		s->off = at;
		memcpy(s->data, p->scratch, ENGINE_SAMPLE_SIZE);
	}
}
