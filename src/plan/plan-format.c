// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a formatted target becomes, its partition table (UEFI 2.10 section 5.2
 * and 5.3), and the plan around the volume; see plan-format.h.
 */
#include "plan/plan-format.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/text.h"
#include "base/utf16.h"
#include "disk/exfat-format.h"
#include "disk/fat-format.h"
#include "disk/gpt.h"
#include "disk/mbr.h"

#define MIN_SIZE (8 * MIB)
#define ALIGN (4 * MIB) /* flash is erased in blocks of up to that */
#define SMALL_ALIGN MIB
#define SMALL_SIZE (256 * MIB)  /* below it, 4 MiB twice would be worth more than aligned blocks */
#define MAX_FAT_SIZE (32 * GIB) /* what AUTO makes FAT32: the rule of SD cards, and of Windows */

#define GPT_N_ENTRIES 128
#define GPT_ARRAY_SIZE (GPT_N_ENTRIES * GPT_ENTRY_MIN_SIZE)
#define GPT_REVISION 0x00010000

#define EXT4_LABEL_SIZE 16
/* Before what mke2fs wrote, and between it up to here, old superblocks would be found. */
#define EXT4_HEAD MIB

/* Their names are those that Windows and gdisk give. */
#define BASIC_DATA "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "Basic data partition"
#define LINUX_DATA "0FC63DAF-8483-4772-8E79-3D69D8477DE4", "Linux filesystem"

static const struct {
	const char *id, *name;
	uint8_t mbr_type;
	const char *gpt_type, *gpt_name;
} types[] = {
	[FORMAT_AUTO] = { "auto", "", 0, "", "" },
	[FORMAT_FAT16] = { "fat16", "FAT16", 0x0e, BASIC_DATA },
	[FORMAT_FAT32] = { "fat32", "FAT32", 0x0c, BASIC_DATA },
	[FORMAT_EXFAT] = { "exfat", "exFAT", 0x07, BASIC_DATA },
	[FORMAT_EXT4] = { "ext4", "ext4", 0x83, LINUX_DATA },
};

const char *format_type_name(enum format_type type)
{
	return types[type].name;
}

const char *format_type_id(enum format_type type)
{
	return types[type].id;
}

const char *format_table_id(enum format_table table)
{
	return table == FORMAT_TABLE_GPT ? "gpt" : table == FORMAT_TABLE_MBR ? "mbr" : "auto";
}

/* ---- labels */

static bool has_only(const char *label, const char *forbidden)
{
	for (const char *p = label; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || strchr(forbidden, *p))
			return false;
	return true;
}

/* exFAT specification, section 7.7.3, forbids these in names; Windows in labels too. NULL: fine. */
static const char *why_not_exfat(const char *label)
{
	uint16_t units[EXFAT_LABEL_UNITS];
	int n = utf16_from_utf8(label, units, EXFAT_LABEL_UNITS);

	if (n < 0)
		return _("it is no valid UTF-8.");
	if (label[0] == ' ' || (label[0] && label[strlen(label) - 1] == ' '))
		return _("it begins or ends with a blank.");
	if (!has_only(label, "\"*/:<>?\\|"))
		return _("exFAT takes no control characters and none of \"*/:<>?\\|.");
	return n > EXFAT_LABEL_UNITS ? _("exFAT takes at most 11 characters.") : NULL;
}

static int error_label(const struct format_volume *v, const char *label, const char *why,
		       struct error *err)
{
	bool is_fat = v->type == FORMAT_FAT16 || v->type == FORMAT_FAT32;
	char safe[96];

	return error_set(err, ERROR_USAGE, "bad-label", _("The label \"%s\" cannot be: %s%s"),
			 text_escape(label, SIZE_MAX, safe, sizeof(safe)), why,
			 is_fat && !why_not_exfat(label) ? _(" --type=exfat takes it.") : "");
}

/* Microsoft FAT specification, section 6.1: short names, as labels are. */
static int set_fat_label(struct format_volume *v, const char *label, struct error *err)
{
	size_t len = strlen(label);
	bool is_ascii = true;

	for (size_t i = 0; i < len; i++)
		is_ascii &= (unsigned char)label[i] < 0x80;
	if (!is_ascii || !has_only(label, "\"*+,./:;<=>?[\\]|"))
		return error_label(v, label,
				   _("FAT takes A-Z, 0-9, blanks, - and _ (no accents, none of "
				     "\"*+,./:;<=>?[\\]|)."),
				   err);
	if (len > FAT_LABEL_SIZE)
		return error_label(v, label, _("FAT takes at most 11 characters."), err);
	for (size_t i = 0; i < len; i++) {
		v->label[i] = (char)toupper((unsigned char)label[i]);
		v->is_label_upper_cased |= v->label[i] != label[i];
	}
	return 0;
}

static int set_exfat_label(struct format_volume *v, const char *label, struct error *err)
{
	const char *why = why_not_exfat(label);

	if (why)
		return error_label(v, label, why, err);
	snprintf(v->label, sizeof(v->label), "%s", label);
	return 0;
}

static int set_ext4_label(struct format_volume *v, const char *label, struct error *err)
{
	if (utf16_from_utf8(label, NULL, 0) < 0)
		return error_label(v, label, _("it is no valid UTF-8."), err);
	if (!has_only(label, ""))
		return error_label(v, label, _("ext4 takes no control characters."), err);
	if (strlen(label) > EXT4_LABEL_SIZE)
		return error_label(v, label, _("ext4 takes at most 16 bytes."), err);
	snprintf(v->label, sizeof(v->label), "%s", label);
	return 0;
}

static int set_label(struct format_volume *v, const char *label, struct error *err)
{
	size_t len = label ? strlen(label) : 0;

	if (len == 0)
		return 0;
	if (label[0] == ' ' || label[len - 1] == ' ')
		return error_label(v, label, _("it begins or ends with a blank."), err);
	if (v->type == FORMAT_EXFAT)
		return set_exfat_label(v, label, err);
	return v->type == FORMAT_EXT4 ? set_ext4_label(v, label, err)
				      : set_fat_label(v, label, err);
}

/* ---- identifiers */

static int derive(const struct format_request *req, const struct geometry *geo, const char *purpose,
		  struct digest *ret, struct error *err)
{
	const le64 numbers[] = { le64_put(geo->size), le64_put(geo->sector_size) };
	struct hash *h;

	if (hash_new("sha256", &h, err) < 0)
		return -1;
	hash_update(h, purpose, strlen(purpose) + 1);
	hash_update(h, req->seed, sizeof(req->seed));
	hash_update(h, numbers, sizeof(numbers));
	hash_peek(h, ret);
	hash_free(h);
	return 0;
}

/* RFC 4122, section 4.4: version 4; as on disk, so that byte 7 has the version. */
static int derive_guid(const struct format_request *req, const struct geometry *geo,
		       const char *purpose, uint8_t ret[16], struct error *err)
{
	struct digest d;

	if (derive(req, geo, purpose, &d, err) < 0)
		return -1;
	memcpy(ret, d.value, 16);
	ret[7] = (uint8_t)((ret[7] & 0x0f) | 0x40);
	ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80);
	return 0;
}

static int derive_number(const struct format_request *req, const struct geometry *geo,
			 const char *purpose, uint32_t *ret, struct error *err)
{
	struct digest d;
	le32 number;

	if (derive(req, geo, purpose, &d, err) < 0)
		return -1;
	memcpy(&number, d.value, sizeof(number));
	*ret = le32_get(number) ? le32_get(number) : 1; /* 0 means none */
	return 0;
}

static int set_identifiers(const struct format_request *req, const struct geometry *geo,
			   struct format_volume *v, struct error *err)
{
	uint8_t uuid[16];

	if (derive_number(req, geo, "volume serial", &v->serial, err) < 0 ||
	    derive_number(req, geo, "disk signature", &v->disk_signature, err) < 0 ||
	    derive_guid(req, geo, "volume", uuid, err) < 0 ||
	    derive_guid(req, geo, "disk", v->disk_guid, err) < 0 ||
	    derive_guid(req, geo, "partition", v->partition_guid, err) < 0)
		return -1;
	if (v->type != FORMAT_EXT4) {
		snprintf(v->id, sizeof(v->id), "%04" PRIX32 "-%04" PRIX32, v->serial >> 16,
			 v->serial & 0xffff);
		return 0;
	}
	guid_format(uuid, v->id);
	for (char *p = v->id; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return 0;
}

/* ---- type and place */

static uint64_t gpt_backup_size(const struct geometry *geo)
{
	return num_round_up(GPT_ARRAY_SIZE, geo->sector_size) + geo->sector_size;
}

static int error_too_small(const struct format_volume *v, const struct geometry *geo,
			   const char *advice, struct error *err)
{
	char size[NUM_SIZE_LEN];

	return error_set(err, ERROR_FIT, "too-small",
			 _("%s with sectors of %u bytes are too little for %s. %s"),
			 num_format_size(size, sizeof(size), geo->size), geo->sector_size,
			 v->type == FORMAT_AUTO ? _("a volume") : format_type_name(v->type),
			 advice);
}

static int choose_table(const struct format_request *req, const struct geometry *geo,
			struct format_volume *v, struct error *err)
{
	uint64_t end = num_round_down(geo->size, MIB);
	bool reaches = end / geo->sector_size <= UINT32_MAX;
	char limit[NUM_SIZE_LEN];

	if (req->table == FORMAT_TABLE_MBR && !reaches)
		return error_set(err, ERROR_FIT, "too-large",
				 _("An MBR reaches only the first %s with sectors of %u bytes; "
				   "--table=gpt reaches all."),
				 num_format_size(limit, sizeof(limit),
						 (uint64_t)UINT32_MAX * geo->sector_size),
				 geo->sector_size);
	v->table = req->table;
	if (v->table == FORMAT_TABLE_AUTO) {
		v->table = reaches ? FORMAT_TABLE_MBR : FORMAT_TABLE_GPT;
		v->is_table_forced = !reaches;
	}
	if (v->table == FORMAT_TABLE_GPT)
		end = num_round_down(geo->size - gpt_backup_size(geo), MIB);
	v->size = end - v->start;
	return 0;
}

bool format_fat_is_possible(const struct format_volume *v, uint32_t sector_size)
{
	struct fat_format f;

	return fat_format_layout(&f, v->type == FORMAT_FAT16 ? FAT_16 : FAT_32, sector_size,
				 v->start, v->size, v->align);
}

static int choose_type(const struct format_request *req, const struct geometry *geo,
		       struct format_volume *v, struct error *err)
{
	char size[NUM_SIZE_LEN];

	v->type = req->type;
	if (v->type == FORMAT_AUTO && geo->size > MAX_FAT_SIZE)
		v->type = FORMAT_EXFAT;
	if (v->type == FORMAT_EXFAT || v->type == FORMAT_EXT4)
		return 0;
	v->type = FORMAT_FAT32;
	if (format_fat_is_possible(v, geo->sector_size))
		return 0;
	if (geo->size > MAX_FAT_SIZE)
		return error_set(err, ERROR_FIT, "too-large",
				 _("FAT32 cannot have %s with sectors of %u bytes; exFAT can "
				   "(--type=exfat)."),
				 num_format_size(size, sizeof(size), geo->size), geo->sector_size);
	if (req->type == FORMAT_FAT32)
		return error_too_small(v, geo, _("Leave --type out, and it becomes what fits."),
				       err);
	v->type = FORMAT_FAT16;
	if (format_fat_is_possible(v, geo->sector_size))
		return 0;
	return error_too_small(v, geo, _("exFAT fits (--type=exfat)."), err);
}

int format_choose(const struct format_request *req, const struct geometry *geo,
		  struct format_volume *ret, struct error *err)
{
	struct format_volume v = { .time = req->time };

	if (geo->sector_size > PLAN_MAX_SECTOR)
		return error_set(err, ERROR_LACKING, "sector-size",
				 _("The target has sectors of %u bytes; this version writes to "
				   "sectors of at most %u."),
				 geo->sector_size, PLAN_MAX_SECTOR);
	if (geo->size < MIN_SIZE)
		return error_too_small(&v, geo, _("A stick has at least 8 MiB."), err);
	v.align = v.start = geo->size < SMALL_SIZE ? SMALL_ALIGN : ALIGN;
	if (choose_table(req, geo, &v, err) < 0 || choose_type(req, geo, &v, err) < 0 ||
	    set_label(&v, req->label, err) < 0 || set_identifiers(req, geo, &v, err) < 0)
		return -1;
	*ret = v;
	return 0;
}

/* ---- the table */

static void make_mbr(const struct format_volume *v, const struct geometry *geo, uint8_t *sector)
{
	bool is_gpt = v->table == FORMAT_TABLE_GPT;
	uint64_t start = is_gpt ? 1 : v->start / geo->sector_size;
	uint64_t len = is_gpt ? geo->size / geo->sector_size - 1 : v->size / geo->sector_size;
	struct mbr mbr = { .disk_signature = is_gpt ? 0 : v->disk_signature };
	struct mbr_entry *e = &mbr.entries[0];

	e->type = is_gpt ? MBR_TYPE_PROTECTIVE : types[v->type].mbr_type;
	e->start_lba = (uint32_t)start;
	e->len_blocks = (uint32_t)num_min(len, UINT32_MAX);
	mbr_chs_from_lba(start, e->chs_first);
	mbr_chs_from_lba(start + len - 1, e->chs_last);
	if (is_gpt) /* UEFI 2.10 table 5-4 */
		memset(e->chs_last, 0xff, sizeof(e->chs_last));
	memcpy(sector, mbr_next_disk, sizeof(mbr_next_disk));
	mbr_encode(sector, &mbr);
}

static void make_gpt_array(const struct format_volume *v, const struct geometry *geo,
			   uint8_t *array)
{
	struct gpt_entry e = {
		.first_lba = v->start / geo->sector_size,
		.last_lba = (v->start + v->size) / geo->sector_size - 1,
	};

	snprintf(e.name, sizeof(e.name), "%s", types[v->type].gpt_name);
	(void)guid_parse(types[v->type].gpt_type, e.type);
	memcpy(e.guid, v->partition_guid, sizeof(e.guid));
	gpt_encode_entry(array, &e);
}

static struct gpt_header make_gpt_header(const struct format_volume *v, const struct geometry *geo,
					 const uint8_t *array, bool is_backup)
{
	uint64_t last = geo->size / geo->sector_size - 1;
	uint64_t array_blocks = num_round_up(GPT_ARRAY_SIZE, geo->sector_size) / geo->sector_size;
	struct gpt_header h = {
		.revision = GPT_REVISION,
		.header_size = GPT_HEADER_MIN_SIZE,
		.my_lba = is_backup ? last : 1,
		.alternate_lba = is_backup ? 1 : last,
		.first_usable_lba = 2 + array_blocks,
		.last_usable_lba = last - 1 - array_blocks,
		.entries_lba = is_backup ? last - array_blocks : 2,
		.n_entries = GPT_N_ENTRIES,
		.entry_size = GPT_ENTRY_MIN_SIZE,
	};

	memcpy(h.disk_guid, v->disk_guid, sizeof(h.disk_guid));
	h.entries_crc = gpt_array_crc(&h, array);
	return h;
}

/* The table at the target's start: an MBR, or a protective one and a GPT. */
static int append_table(struct plan *plan, const struct format_volume *v, struct error *err)
{
	const struct geometry *geo = &plan->geo;
	uint64_t ss = geo->sector_size, len = ss;
	struct gpt_header header;
	uint8_t *buf;
	int rc;

	if (v->table == FORMAT_TABLE_GPT)
		len = 2 * ss + num_round_up(GPT_ARRAY_SIZE, ss);
	buf = calloc(1, len);
	if (!buf)
		return error_set_nomem(err);
	make_mbr(v, geo, buf);
	if (v->table == FORMAT_TABLE_GPT) {
		make_gpt_array(v, geo, buf + 2 * ss);
		header = make_gpt_header(v, geo, buf + 2 * ss, false);
		gpt_encode_header(buf + ss, &header);
	}
	rc = plan_append_memory(plan, buf, len,
				v->table == FORMAT_TABLE_GPT ? "protective MBR and GPT" : "MBR",
				err);
	free(buf);
	return rc;
}

/* The closed plan's last MiB is zeros; the backup goes over them. */
static int overlay_backup(struct plan *plan, const struct format_volume *v, struct error *err)
{
	const struct geometry *geo = &plan->geo;
	uint64_t ss = geo->sector_size, len = gpt_backup_size(geo);
	uint64_t end = num_round_down(geo->size, ss);
	struct gpt_header header;
	uint8_t *buf = calloc(1, len);
	int rc;

	if (!buf)
		return error_set_nomem(err);
	make_gpt_array(v, geo, buf);
	header = make_gpt_header(v, geo, buf, true);
	gpt_encode_header(buf + len - ss, &header);
	rc = plan_overlay(plan, end - len, buf, len, "backup GPT", err);
	free(buf);
	return rc;
}

/* ---- the plan */

int format_zero_until(struct plan *plan, uint64_t end, const char *what, struct error *err)
{
	uint64_t now = plan_end(plan);

	return now < end ? plan_append_zero(plan, end - now, what, err) : 0;
}

/* Where the volume's last MiB begins. */
static uint64_t last_start(const struct plan *plan, const struct format_volume *v)
{
	return num_round_down(v->start + v->size - MIB, plan->geo.io_align);
}

/*
 * RAID members and ZFS are found by what lies at a partition's end, and the old one may have
 * ended where ours does.
 */
static int append_last(struct plan *plan, const struct format_volume *v, struct error *err)
{
	uint64_t keep = num_round_up(plan_end(plan), plan->geo.io_align);
	uint64_t last = last_start(plan, v);

	if (keep < last && (format_zero_until(plan, keep, "zeros of the volume", err) < 0 ||
			    plan_append_keep(plan, last - keep, "not touched", err) < 0))
		return -1;
	return format_zero_until(plan, v->start + v->size,
				 "the volume's last MiB: no stale superblock", err);
}

/* Up to byte end: zeros where old superblocks might be found, else nothing is touched. */
static int append_gap(struct plan *plan, const struct format_volume *v, uint64_t end,
		      struct error *err)
{
	uint64_t keep = num_min(end, last_start(plan, v));

	if (format_zero_until(plan, num_min(end, v->start + EXT4_HEAD), "zeros of the volume",
			      err) < 0)
		return -1;
	if (plan_end(plan) < keep &&
	    plan_append_keep(plan, keep - plan_end(plan), "not touched", err) < 0)
		return -1;
	return format_zero_until(plan, end, "zeros of the volume", err);
}

static int append_ext4(struct plan *plan, const struct format_volume *v,
		       const struct plan_piece *pieces, size_t n_pieces, struct error *err)
{
	for (size_t i = 0; i < n_pieces; i++) {
		const struct plan_piece *piece = &pieces[i];

		if (append_gap(plan, v, v->start + piece->offset, err) < 0 ||
		    plan_append_memory(plan, piece->data, piece->len, "ext4 file system", err) < 0)
			return -1;
	}
	return append_gap(plan, v, v->start + EXT4_HEAD, err);
}

static int fill_plan(struct plan *plan, const struct format_volume *v,
		     const struct plan_piece *pieces, size_t n_pieces, struct error *err)
{
	int rc;

	if (append_table(plan, v, err) < 0 ||
	    format_zero_until(plan, v->start, "before the volume", err) < 0)
		return -1;
	if (v->type == FORMAT_EXT4)
		rc = append_ext4(plan, v, pieces, n_pieces, err);
	else if (v->type == FORMAT_EXFAT)
		rc = format_append_exfat(plan, v, err);
	else
		rc = format_append_fat(plan, v, err);
	if (rc < 0 || append_last(plan, v, err) < 0 || plan_close(plan, 0, err) < 0)
		return -1;
	if (v->table == FORMAT_TABLE_GPT && overlay_backup(plan, v, err) < 0)
		return -1;
	return plan_check(plan, err);
}

int format_make_plan(const struct format_volume *v, const struct geometry *geo,
		     const struct plan_piece *pieces, size_t n_pieces, struct plan **ret,
		     struct error *err)
{
	struct plan *plan = plan_new(format_type_id(v->type), geo);

	if (!plan)
		return error_set_nomem(err);
	if (fill_plan(plan, v, pieces, n_pieces, err) < 0) {
		plan_free(plan);
		return -1;
	}
	*ret = plan;
	return 0;
}
