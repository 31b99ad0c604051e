// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ISO 9660: the volume of the last session, and how many sessions there are.
 * What a kernel mounts from a stick is what LBA 16 describes; a program that
 * grows an image in place keeps that up to date, a program that only appends
 * does not, which is a finding.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "disk/rockridge.h"
#include "image/detect.h"
#include "image/session.h"

#define FIRST_LBA 16U
#define MAX_SESSIONS 16U
#define SESSION_ALIGN 32U /* blocks: sessions begin on 64 KiB (MMC's packets) */
#define PADDING 150U      /* blocks that mastering programs put behind a session */

static int read_session(struct detect *d, uint32_t lba, struct session *ret, struct error *err)
{
	int rc;

	if (d->budget < (uint64_t)ISO_MAX_DESCRIPTORS * ISO_SECTOR)
		return 0;
	rc = session_read(d->src, lba, ret, err);
	if (rc >= 0) {
		uint64_t n = rc > 0 ? ret->bytes_read : SESSION_FIRST_READ;

		d->budget -= n;
		d->lay->bytes_read += n;
	}
	return rc;
}

static uint64_t volume_len(const struct session *s)
{
	return (uint64_t)s->primary.n_blocks * s->primary.block_size;
}

/*
 * Where the volume of the session at lba ends. mkisofs, genisoimage and xorriso
 * count an appended session's blocks from its own start, others from block 0.
 */
static uint64_t volume_end(const struct detect *d, const struct session *s, uint32_t lba)
{
	uint64_t start = (uint64_t)(lba - FIRST_LBA) * ISO_SECTOR, len = volume_len(s);

	if (d->size != UINT64_MAX && start + len > d->size && len <= d->size && len > start)
		return len;
	return start + len;
}

static bool is_better_id(const char *joliet, const char *primary)
{
	/* Joliet holds 16 characters, primary ids 32 but fewer characters to choose from. */
	return joliet[0] && strlen(joliet) >= strlen(primary);
}

static const char *best_id(const struct session *s)
{
	if (s->has_joliet && is_better_id(s->joliet.id, s->primary.id))
		return s->joliet.id;
	return s->primary.id;
}

static void note_session(struct detect *d, const struct session *s, uint32_t lba)
{
	struct layout_volume *v = &d->lay->volume;
	struct layout_session *to;

	v->sessions++;
	if (v->n_listed == LAYOUT_MAX_SESSIONS)
		return;
	to = &v->list[v->n_listed++];
	to->pvd_lba = lba;
	to->start = (uint64_t)(lba - FIRST_LBA) * ISO_SECTOR;
	to->size = volume_end(d, s, lba) - to->start;
	snprintf(to->id, sizeof(to->id), "%s", best_id(s));
	memcpy(to->created, s->primary.created, sizeof(to->created));
}

/* Tries where the session behind one that ends at byte end may have its descriptors. */
static int find_next_session(struct detect *d, uint64_t end, uint32_t *lba, struct session *s,
			     struct error *err)
{
	uint64_t blocks = end / ISO_SECTOR;
	const uint64_t start[] = {
		num_round_up(blocks, SESSION_ALIGN),
		num_round_up(blocks + PADDING, SESSION_ALIGN),
		blocks,
	};

	for (size_t i = 0; i < ARRAY_SIZE(start); i++) {
		uint64_t at = start[i] + FIRST_LBA;
		struct session next;
		int rc;

		if (at <= *lba || at > UINT32_MAX ||
		    !num_is_within(at * ISO_SECTOR, ISO_SECTOR, d->visible))
			continue;
		rc = read_session(d, (uint32_t)at, &next, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		*s = next;
		*lba = (uint32_t)at;
		note_session(d, s, *lba);
		return 1;
	}
	return 0;
}

/*
 * Follows sessions that were appended behind each other: the next one's
 * descriptors come 16 blocks behind its start, which is the end of the one
 * before, aligned, with or without padding.
 */
static int find_last_session(struct detect *d, uint32_t *lba, struct session *s, struct error *err)
{
	int rc = 1;

	/* Ends: at most MAX_SESSIONS, each behind the last one. */
	while (rc > 0 && d->lay->volume.sessions < MAX_SESSIONS) {
		uint64_t end = (uint64_t)(*lba - FIRST_LBA) * ISO_SECTOR + volume_len(s);

		rc = find_next_session(d, end, lba, s, err);
		if (rc == 0 && *lba > FIRST_LBA)
			rc = find_next_session(d, volume_len(s), lba, s, err);
	}
	return rc < 0 ? -1 : 0;
}

/*
 * Grown in place: LBA 16 describes all of it, and the first session begins at
 * block 32 with descriptors of its own, the others behind it.
 */
static int find_grown_sessions(struct detect *d, const struct session *whole, struct error *err)
{
	struct layout_volume *v = &d->lay->volume;
	uint64_t end = volume_len(whole) / ISO_SECTOR;
	uint32_t lba = SESSION_ALIGN + FIRST_LBA;
	struct session s;

	v->sessions = v->n_listed = 0;
	/* Ends: lba grows in every round. */
	while (v->sessions < MAX_SESSIONS && lba < end) {
		uint64_t next;
		int rc = read_session(d, lba, &s, err);

		if (rc < 0)
			return -1;
		if (rc == 0)
			break;
		note_session(d, &s, lba);
		next = num_round_up(lba - FIRST_LBA + volume_len(&s) / ISO_SECTOR, SESSION_ALIGN) +
		       FIRST_LBA;
		if (next <= lba || next > UINT32_MAX)
			break;
		lba = (uint32_t)next;
	}
	return 0;
}

static void fill_volume(struct detect *d, const struct session *s, uint32_t lba)
{
	struct layout_volume *v = &d->lay->volume;

	v->present = true;
	if (v->sessions < 2) {
		v->sessions = 1;
		v->n_listed = 0;
	}
	snprintf(v->id, sizeof(v->id), "%s", best_id(s));
	snprintf(v->system, sizeof(v->system), "%s", s->primary.system);
	snprintf(v->publisher, sizeof(v->publisher), "%.129s", s->primary.publisher);
	snprintf(v->application, sizeof(v->application), "%.129s", s->primary.application);
	memcpy(v->created, s->primary.created, sizeof(v->created));
	memcpy(v->modified, s->primary.modified, sizeof(v->modified));
	v->block_size = s->primary.block_size;
	v->size = volume_end(d, s, lba);
	v->pvd_lba = lba;
	v->joliet = s->has_joliet;
	v->media_check = s->primary.has_media_check;
}

static int find_rock_ridge(struct detect *d, const struct session *s, struct error *err)
{
	uint8_t buf[ISO_SECTOR], skip;
	struct iso_record rec;
	size_t pos = 0;
	int rc;

	rc = detect_read(d, (uint64_t)s->primary.root_lba * s->primary.block_size, buf, sizeof(buf),
			 err);
	if (rc <= 0)
		return rc;
	if (iso9660_next_record(buf, sizeof(buf), &pos, &rec))
		d->lay->volume.rock_ridge =
			rockridge_find_sp(rec.system_use, rec.system_use_len, &skip);
	return 0;
}

static void add_findings(struct detect *d, const struct session *s, uint32_t lba)
{
	struct layout *lay = d->lay;

	if (!s->is_terminated)
		layout_add_finding(lay, LAYOUT_WARNING, "iso-no-terminator",
				   _("The ISO 9660 volume descriptors do not end as they must."));
	if (s->primary.has_odd_block_size)
		layout_add_finding(lay, LAYOUT_WARNING, "iso-block-size",
				   _("The ISO 9660 volume states an impossible block size; "
				     "2048 is assumed."));
	if (s->primary.halves_differ)
		layout_add_finding(lay, LAYOUT_WARNING, "iso-halves-differ",
				   _("The ISO 9660 volume states two different sizes; the "
				     "little-endian one is used."));
	if (lba > FIRST_LBA)
		layout_add_finding(lay, LAYOUT_WARNING, "iso-multi-session",
				   _("The image has %" PRIu32 " sessions and the last one is not "
				     "described at its start: mounted from a stick it shows an "
				     "older one."),
				   lay->volume.sessions);
}

int detect_iso(struct detect *d, struct error *err)
{
	uint32_t lba = FIRST_LBA;
	struct session s;
	int rc;

	rc = read_session(d, lba, &s, err);
	if (rc <= 0)
		return rc;
	note_session(d, &s, lba);
	if (find_last_session(d, &lba, &s, err) < 0)
		return -1;
	if (lba == FIRST_LBA && find_grown_sessions(d, &s, err) < 0)
		return -1;
	fill_volume(d, &s, lba);
	add_findings(d, &s, lba);
	return find_rock_ridge(d, &s, err);
}
