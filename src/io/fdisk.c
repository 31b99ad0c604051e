// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * See fdisk.h; the only file that includes libfdisk's header. The plan's
 * tables are laid into a sparse memfd and read four times: by our own codec,
 * by libfdisk, by libfdisk once more with the primary header gone (so that the
 * backup has to speak), and by libblkid. All must name the same partitions.
 */
#include "io/fdisk.h"

#include <errno.h>
#include <inttypes.h>
#include <libfdisk/libfdisk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/guid.h"
#include "base/io.h"
#include "base/num.h"
#include "disk/gpt.h"
#include "disk/mbr.h"
#include "io/blkid.h"

#define MAX_SECTOR 4096

/* A table as somebody reads it: used entries only. */
struct view {
	bool is_gpt;
	char guid[GUID_TEXT_SIZE];
	uint64_t first_usable, last_usable; /* LBAs; own view only */
	size_t n;
	struct view_part {
		uint32_t number; /* from 1 */
		uint64_t start_lba, len_blocks;
	} * part;
};

static void view_done(struct view *v)
{
	free(v->part);
	memset(v, 0, sizeof(*v));
}

static int error_system(int sys, struct error *err)
{
	return error_set_sys(err, ERROR_INTERNAL, "second-opinion", sys,
			     _("The planned partition table cannot be checked"));
}

static int error_disagree(const char *who, const char *what, struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "second-opinion",
			 _("%s reads the planned partition table differently: %s. Nothing was "
			   "written; this is a bug of isowrite, please report it."),
			 who, what);
}

/* Copies planned bytes to the same place of the memfd. */
static int lay(const struct plan *plan, struct source *const *sources, int fd, uint64_t off,
	       uint64_t len, struct error *err)
{
	auto_free uint8_t *buf = malloc(len ? len : 1);

	if (!buf)
		return error_set_nomem(err);
	if (plan_fill(plan, sources, off, buf, len, err))
		return -1;
	if (io_pwrite_full(fd, buf, len, off) != (ssize_t)len)
		return error_system(errno, err);
	return 0;
}

static int read_back(int fd, uint64_t off, void *buf, size_t len, struct error *err)
{
	return io_pread_full(fd, buf, len, off) == (ssize_t)len ? 0 : error_system(EIO, err);
}

/* Our own reading; v->is_gpt is false where there is no valid, protected GPT. */
static int read_own(const struct plan *plan, struct source *const *sources, int fd, struct view *v,
		    struct error *err)
{
	uint32_t ss = plan->geo.sector_size, size;
	uint8_t block[MAX_SECTOR];
	auto_free uint8_t *array = NULL;
	struct gpt_header h;
	struct mbr mbr;

	if (ss < MBR_SIZE || ss > MAX_SECTOR || plan->geo.size < 4 * (uint64_t)ss)
		return 0;
	if (read_back(fd, 0, block, ss, err))
		return -1;
	if (!mbr_decode(block, &mbr) || mbr_find_protective(&mbr) < 0)
		return 0;
	if (read_back(fd, ss, block, ss, err))
		return -1;
	if (gpt_decode_header(block, ss, 1, &h) != GPT_OK)
		return 0;
	size = gpt_array_size(&h);
	if (size == 0 || h.entries_lba > plan->geo.size / ss ||
	    !num_is_within(h.entries_lba * ss, size, plan->geo.size))
		return 0;
	/* The array may lie anywhere. */
	if (lay(plan, sources, fd, h.entries_lba * ss, size, err))
		return -1;
	array = malloc(size);
	v->part = calloc(h.n_entries, sizeof(*v->part));
	if (!array || !v->part)
		return error_set_nomem(err);
	if (read_back(fd, h.entries_lba * ss, array, size, err))
		return -1;
	if (gpt_array_crc(&h, array) != h.entries_crc)
		return 0;
	for (uint32_t i = 0; i < h.n_entries; i++) {
		struct gpt_entry e;

		if (!gpt_decode_entry(array + (size_t)i * h.entry_size, &e) ||
		    e.last_lba < e.first_lba)
			continue;
		v->part[v->n++] =
			(struct view_part){ i + 1, e.first_lba, e.last_lba - e.first_lba + 1 };
	}
	guid_format(h.disk_guid, v->guid);
	v->first_usable = h.first_usable_lba;
	v->last_usable = h.last_usable_lba;
	v->is_gpt = true;
	return 0;
}

static int ignore_ask(struct fdisk_context *cxt, struct fdisk_ask *ask, void *data)
{
	(void)cxt;
	(void)ask;
	(void)data;
	return 0;
}

/* A zero type is an unused entry (UEFI 2.10 5.3.3); libfdisk takes one with leftovers for used. */
static bool is_unused_type(const struct fdisk_parttype *type)
{
	const char *text = type ? fdisk_parttype_get_string(type) : NULL;

	return text && text[strspn(text, "0-")] == '\0';
}

static int take_parts(struct fdisk_context *cxt, struct view *v, struct error *err)
{
	struct fdisk_table *table = NULL;
	auto_free char *id = NULL;
	size_t n;

	if (fdisk_get_partitions(cxt, &table) || !table)
		return error_disagree("libfdisk", _("it cannot list the partitions"), err);
	n = fdisk_table_get_nents(table);
	v->part = calloc(n + 1, sizeof(*v->part));
	if (!v->part) {
		fdisk_unref_table(table);
		return error_set_nomem(err);
	}
	for (size_t i = 0; i < n; i++) {
		struct fdisk_partition *p = fdisk_table_get_partition(table, i);

		if (!p || !fdisk_partition_is_used(p) || !fdisk_partition_has_start(p) ||
		    !fdisk_partition_has_size(p) || is_unused_type(fdisk_partition_get_type(p)))
			continue;
		v->part[v->n++] = (struct view_part){ (uint32_t)fdisk_partition_get_partno(p) + 1,
						      fdisk_partition_get_start(p),
						      fdisk_partition_get_size(p) };
	}
	fdisk_unref_table(table);
	if (fdisk_get_disklabel_id(cxt, &id) == 0 && id)
		snprintf(v->guid, sizeof(v->guid), "%.36s", id);
	return 0;
}

static int read_libfdisk(const struct plan *plan, int fd, struct view *v, struct error *err)
{
	struct fdisk_context *cxt = fdisk_new_context();
	int rc;

	if (!cxt)
		return error_set_nomem(err);
	fdisk_set_ask(cxt, ignore_ask, NULL);
	fdisk_disable_dialogs(cxt, 1);
	fdisk_enable_wipe(cxt, 0);
	fdisk_save_user_sector_size(cxt, plan->geo.sector_size, plan->geo.sector_size);
	rc = fdisk_assign_device_by_fd(cxt, fd, "plan", 1);
	if (rc) {
		fdisk_unref_context(cxt);
		return error_system(-rc, err);
	}
	rc = 0;
	if (fdisk_has_label(cxt) && fdisk_is_label(cxt, GPT)) {
		v->is_gpt = true;
		rc = take_parts(cxt, v, err);
	}
	fdisk_deassign_device(cxt, 1);
	fdisk_unref_context(cxt);
	return rc;
}

static const struct view_part *find_part(const struct view *v, uint32_t number)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->part[i].number == number)
			return &v->part[i];
	return NULL;
}

static int compare_views(const char *who, const struct view *own, const struct view *theirs,
			 struct error *err)
{
	char what[256];

	if (own->is_gpt != theirs->is_gpt)
		return error_disagree(who,
				      own->is_gpt ? _("it finds no GUID partition table")
						  : _("it finds a GUID partition table, which was "
						      "not planned"),
				      err);
	if (own->is_gpt && strcasecmp(own->guid, theirs->guid) != 0) {
		snprintf(what, sizeof(what), _("the disk's GUID is %s, not %s"), theirs->guid,
			 own->guid);
		return error_disagree(who, what, err);
	}
	for (size_t i = 0; i < own->n; i++) {
		const struct view_part *a = &own->part[i], *b = find_part(theirs, a->number);

		if (b && a->start_lba == b->start_lba && a->len_blocks == b->len_blocks)
			continue;
		snprintf(what, sizeof(what),
			 _("partition %" PRIu32 " was planned at block %" PRIu64 " with %" PRIu64
			   " blocks"),
			 a->number, a->start_lba, a->len_blocks);
		return error_disagree(who, what, err);
	}
	if (own->n != theirs->n) {
		snprintf(what, sizeof(what), _("it finds %zu partitions instead of %zu"), theirs->n,
			 own->n);
		return error_disagree(who, what, err);
	}
	return 0;
}

static int ask_libfdisk(const struct plan *plan, int fd, const char *who, const struct view *own,
			struct error *err)
{
	struct view theirs = { 0 };
	int rc = read_libfdisk(plan, fd, &theirs, err);

	if (rc == 0)
		rc = compare_views(who, own, &theirs, err);
	view_done(&theirs);
	return rc;
}

/* libblkid leaves out partitions beyond the usable area; that much is explained. */
static void drop_unusable(const struct view *own, struct view *ret)
{
	for (size_t i = 0; i < own->n && ret->n < BLKID_TABLE_MAX; i++)
		if (own->part[i].start_lba >= own->first_usable &&
		    own->part[i].start_lba + own->part[i].len_blocks - 1 <= own->last_usable)
			ret->part[ret->n++] = own->part[i];
}

static int ask_libblkid(const struct plan *plan, int fd, const struct view *own, struct error *err)
{
	auto_free struct blkid_table *table = calloc(1, sizeof(*table));
	struct view usable = *own, theirs = { 0 };
	uint32_t ss = plan->geo.sector_size;
	int rc = -1;

	usable.n = 0;
	usable.part = calloc(BLKID_TABLE_MAX, sizeof(*usable.part));
	theirs.part = calloc(BLKID_TABLE_MAX, sizeof(*theirs.part));
	if (!table || !usable.part || !theirs.part) {
		error_set_nomem(err);
		goto out;
	}
	drop_unusable(own, &usable);
	if (blkid_read_table(fd, ss, table, err))
		goto out;
	theirs.is_gpt = !strcmp(table->type, "gpt");
	snprintf(theirs.guid, sizeof(theirs.guid), "%.36s", table->uuid);
	for (size_t i = 0; i < table->n && theirs.is_gpt; i++)
		theirs.part[theirs.n++] =
			(struct view_part){ table->part[i].number, table->part[i].start / ss,
					    table->part[i].size / ss };
	/* Without a protective MBR libblkid finds a GPT where nobody else may: not judged. */
	rc = own->is_gpt ? compare_views("libblkid", &usable, &theirs, err) : 0;
out:
	free(usable.part);
	free(theirs.part);
	return rc;
}

/* Without its primary header, the table is what the backup says. */
static int ask_backup(const struct plan *plan, int fd, const struct view *own, struct error *err)
{
	uint8_t zero[MAX_SECTOR] = { 0 };

	if (io_pwrite_full(fd, zero, plan->geo.sector_size, plan->geo.sector_size) !=
	    (ssize_t)plan->geo.sector_size)
		return error_system(errno, err);
	return ask_libfdisk(plan, fd, _("libfdisk, from the backup,"), own, err);
}

int fdisk_check_plan(const struct plan *plan, struct source *const *sources, struct error *err)
{
	uint64_t head = num_min(plan->geo.size, MIB), tail = num_min(plan->geo.size, MIB);
	struct view own = { 0 };
	auto_fd int fd = -1;
	int rc;

	if (plan_bytes(plan, EXTENT_MEMORY) == 0 && plan_bytes(plan, EXTENT_GENERATE) == 0)
		return 0;
	fd = memfd_create("isowrite-plan", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)plan->geo.size))
		return error_system(errno, err);
	if (lay(plan, sources, fd, 0, head, err) ||
	    lay(plan, sources, fd, plan->geo.size - tail, tail, err))
		return -1;
	rc = read_own(plan, sources, fd, &own, err);
	if (rc == 0)
		rc = ask_libfdisk(plan, fd, "libfdisk", &own, err);
	if (rc == 0)
		rc = ask_libblkid(plan, fd, &own, err);
	if (rc == 0 && own.is_gpt)
		rc = ask_backup(plan, fd, &own, err);
	view_done(&own);
	return rc;
}
