// SPDX-License-Identifier: GPL-3.0-or-later
/* Empty FAT16, FAT32 and exFAT volumes as extents of a plan; see plan-format.h. */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/utf16.h"
#include "disk/exfat-format.h"
#include "disk/fat-format.h"
#include "plan/plan-format.h"

/* Zeros up to off, which the plan has not passed; then the bytes. */
static int append_at(struct plan *plan, uint64_t off, const char *zeros, const void *data,
		     uint64_t len, const char *what, struct error *err)
{
	if (format_zero_until(plan, off, zeros, err) < 0)
		return -1;
	return plan_append_memory(plan, data, len, what, err);
}

static int append_fat(struct plan *plan, const struct format_volume *v, const struct fat_format *f,
		      uint8_t *buf, struct error *err)
{
	uint64_t root = v->start + fat_format_root_offset(f);
	uint8_t head[32];
	size_t len = fat_format_boot(f, buf);

	if (append_at(plan, v->start, "", buf, len, "boot sectors", err) < 0)
		return -1;
	len = fat_format_fat_head(f, head);
	if (append_at(plan, v->start + fat_format_fat_offset(f, 0), "reserved sectors", head, len,
		      "first FAT", err) < 0 ||
	    append_at(plan, v->start + fat_format_fat_offset(f, 1), "first FAT: all is free", head,
		      len, "second FAT", err) < 0)
		return -1;
	len = fat_format_root_head(f, head);
	if (append_at(plan, root, "second FAT: all is free", head, len, "label", err) < 0)
		return -1;
	return format_zero_until(plan, root + fat_format_root_size(f), "root directory: empty",
				 err);
}

static int error_layout(struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "format-layout",
			 _("The volume that was chosen cannot have that size."));
}

int format_append_fat(struct plan *plan, const struct format_volume *v, struct error *err)
{
	struct fat_format f;
	struct tm tm;
	uint8_t *buf;
	int rc;

	if (!fat_format_layout(&f, v->type == FORMAT_FAT16 ? FAT_16 : FAT_32, plan->geo.sector_size,
			       v->start, v->size, v->align))
		return error_layout(err);
	f.serial = v->serial;
	memcpy(f.label, v->label, strnlen(v->label, FAT_LABEL_SIZE));
	if (gmtime_r(&v->time, &tm)) /* not local time: the plan is the same everywhere */
		fat_format_set_time(&f, &tm);
	buf = calloc(FAT_MAX_BOOT_SECTORS, plan->geo.sector_size);
	if (!buf)
		return error_set_nomem(err);
	rc = append_fat(plan, v, &f, buf, err);
	free(buf);
	return rc;
}

static int append_exfat(struct plan *plan, const struct format_volume *v,
			const struct exfat_format *f, uint8_t *buf, struct error *err)
{
	uint64_t boot_len = exfat_format_boot(f, buf);
	uint64_t bitmap = v->start + exfat_format_cluster_offset(f, f->bitmap_cluster);
	uint64_t upcase = v->start + exfat_format_cluster_offset(f, f->upcase_cluster);
	uint64_t root = v->start + exfat_format_cluster_offset(f, f->root_cluster);

	if (append_at(plan, v->start, "", buf, boot_len, "boot region", err) < 0 ||
	    append_at(plan, v->start + boot_len, "", buf, boot_len, "backup boot region", err) < 0)
		return -1;
	exfat_format_fat(f, buf);
	if (append_at(plan, v->start + exfat_format_fat_offset(f), "reserved sectors", buf,
		      exfat_format_fat_size(f), "FAT", err) < 0)
		return -1;
	exfat_format_bitmap(f, buf);
	if (append_at(plan, bitmap, "FAT: all is free", buf, exfat_format_bitmap_size(f),
		      "allocation bitmap", err) < 0)
		return -1;
	if (append_at(plan, upcase, "allocation bitmap: all is free", buf, exfat_format_upcase(buf),
		      "up-case table", err) < 0 ||
	    append_at(plan, root, "rest of the up-case table's clusters", buf,
		      exfat_format_root(f, buf), "root directory", err) < 0)
		return -1;
	return format_zero_until(plan, root + f->cluster_size, "root directory: empty", err);
}

int format_append_exfat(struct plan *plan, const struct format_volume *v, struct error *err)
{
	struct exfat_format f;
	uint64_t size;
	uint8_t *buf;
	int rc;

	if (!exfat_format_layout(&f, plan->geo.sector_size, v->start, v->size, v->align))
		return error_layout(err);
	f.serial = v->serial;
	f.label_len = (uint8_t)num_min(
		(uint64_t)utf16_from_utf8(v->label, f.label, EXFAT_LABEL_UNITS), EXFAT_LABEL_UNITS);
	size = num_max(EXFAT_BOOT_SECTORS * f.sector_size, EXFAT_UPCASE_MAX);
	size = num_max(size, exfat_format_fat_size(&f));
	buf = malloc(size);
	if (!buf)
		return error_set_nomem(err);
	rc = append_exfat(plan, v, &f, buf, err);
	free(buf);
	return rc;
}
