// SPDX-License-Identifier: GPL-3.0-or-later
/* See blkid.h; the only file that includes libblkid's header. */
#include "io/blkid.h"

#include <blkid/blkid.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "io/device-internal.h"

/* A ZFS alone has more than a hundred; whatever has as many counts as foreign. */
#define MAX_SIGNATURES 32

static void free_probe(blkid_probe pr)
{
	blkid_free_probe(pr);
}
DEFINE_AUTO(blkid_probe, free_probe);

static int error_probe(int sys, const char *node, struct error *err)
{
	return error_set_sys(err, ERROR_IO, "probe-failed", sys, _("Cannot look at what %s holds"),
			     node);
}

static blkid_probe new_probe(int fd, uint64_t off, uint64_t len)
{
	auto_cleanup(free_probe) blkid_probe pr = blkid_new_probe();

	if (!pr || blkid_probe_set_device(pr, fd, (blkid_loff_t)off, (blkid_loff_t)len))
		return NULL;
	return take_ptr(pr);
}

static void copy_value(blkid_probe pr, const char *name, char *out, size_t out_size)
{
	const char *data;
	size_t len;

	if (blkid_probe_lookup_value(pr, name, &data, &len))
		return;
	len = strnlen(data, num_min(len, out_size - 1));
	memcpy(out, data, len);
	out[len] = '\0';
}

/* Makes the found signature invisible, so that the next round finds what it hid. */
static void hide_signature(blkid_probe pr, const char *offset_name, const char *magic_name)
{
	const char *magic, *offset;
	size_t len;

	if (blkid_probe_lookup_value(pr, offset_name, &offset, NULL) ||
	    blkid_probe_lookup_value(pr, magic_name, &magic, &len))
		return;
	if (blkid_probe_hide_range(pr, strtoull(offset, NULL, 10), len) == 0)
		blkid_probe_step_back(pr);
}

static bool is_known(const struct device_info *info, const char *type, const char *node)
{
	for (size_t i = 0; i < info->n_contents; i++)
		if (!strcmp(info->contents[i].type, type) &&
		    !strncmp(info->contents[i].node, node, sizeof(info->contents[i].node) - 1))
			return true;
	return false;
}

static void add_found(blkid_probe pr, uint64_t off, uint64_t len, const char *node,
		      struct device_info *info)
{
	const char *type;
	struct device_content *c;
	bool is_table = false;

	if (blkid_probe_lookup_value(pr, "TYPE", &type, NULL)) {
		if (blkid_probe_lookup_value(pr, "PTTYPE", &type, NULL))
			return;
		is_table = true;
	}
	/* The protective MBR is the GPT's own; the GPT itself is found as well. */
	if (strcmp(type, "PMBR") != 0 && !is_known(info, type, node) &&
	    (c = device_add_content(info, type, node))) {
		c->is_table = is_table;
		c->start = off;
		c->size = off ? len : 0;
		copy_value(pr, is_table ? "PTUUID" : "UUID", c->uuid, sizeof(c->uuid));
		if (!is_table) {
			copy_value(pr, "VERSION", c->version, sizeof(c->version));
			copy_value(pr, "LABEL", c->label, sizeof(c->label));
		}
	}
	if (is_table)
		hide_signature(pr, "PTMAGIC_OFFSET", "PTMAGIC");
	else
		hide_signature(pr, "SBMAGIC_OFFSET", "SBMAGIC");
}

int blkid_probe_contents(int fd, uint64_t off, uint64_t len, const char *node,
			 struct device_info *info, struct error *err)
{
	auto_cleanup(free_probe) blkid_probe pr = NULL;
	int rc = 0;

	errno = 0;
	pr = new_probe(fd, off, len);
	if (!pr)
		return error_probe(errno ? errno : EINVAL, node, err);
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL |
						      BLKID_SUBLKS_UUID | BLKID_SUBLKS_MAGIC |
						      BLKID_SUBLKS_VERSION | BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, off == 0);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_FORCE_GPT | BLKID_PARTS_MAGIC);
	for (unsigned int i = 0; i < MAX_SIGNATURES; i++) {
		errno = 0;
		rc = blkid_do_probe(pr);
		if (rc)
			break;
		add_found(pr, off, len, node, info);
	}
	if (rc == 0) /* what is left was not looked at */
		device_add_content(info, "more", node);
	/* 1: nothing more. Negative: unreadable, which must not pass for empty. */
	return rc < 0 ? error_probe(errno ? errno : EIO, node, err) : 0;
}

static void copy_text(char *out, size_t out_size, const char *text)
{
	snprintf(out, out_size, "%.*s", (int)out_size - 1, text ? text : "");
	for (; *out; out++)
		*out = (char)tolower((unsigned char)*out);
}

static void read_part(blkid_partition part, struct blkid_table_part *ret)
{
	uint64_t start = (uint64_t)blkid_partition_get_start(part);
	uint64_t size = (uint64_t)blkid_partition_get_size(part);
	const char *name = blkid_partition_get_name(part);
	const char *type = blkid_partition_get_type_string(part);

	memset(ret, 0, sizeof(*ret));
	ret->number = (unsigned int)blkid_partition_get_partno(part);
	ret->start = start > UINT64_MAX / 512 ? UINT64_MAX : start * 512;
	ret->size = size > UINT64_MAX / 512 ? UINT64_MAX : size * 512;
	ret->is_extended = blkid_partition_is_extended(part);
	if (type)
		copy_text(ret->type, sizeof(ret->type), type);
	else
		snprintf(ret->type, sizeof(ret->type), "0x%x",
			 (unsigned int)blkid_partition_get_type(part));
	copy_text(ret->uuid, sizeof(ret->uuid), blkid_partition_get_uuid(part));
	snprintf(ret->name, sizeof(ret->name), "%.*s", (int)sizeof(ret->name) - 1,
		 name ? name : "");
}

int blkid_read_table(int fd, uint32_t sector_size, struct blkid_table *ret, struct error *err)
{
	auto_cleanup(free_probe) blkid_probe pr = NULL;
	blkid_partlist list;
	blkid_parttable table;
	int n;

	memset(ret, 0, sizeof(*ret));
	errno = 0;
	pr = new_probe(fd, 0, 0);
	if (!pr)
		return error_probe(errno ? errno : EINVAL, _("the target"), err);
	if (sector_size && blkid_probe_set_sectorsize(pr, sector_size))
		return error_probe(EINVAL, _("the target"), err);
	blkid_probe_enable_partitions(pr, 1);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_FORCE_GPT);
	list = blkid_probe_get_partitions(pr);
	table = list ? blkid_partlist_get_table(list) : NULL;
	if (!table)
		return 0;
	copy_text(ret->type, sizeof(ret->type), blkid_parttable_get_type(table));
	copy_text(ret->uuid, sizeof(ret->uuid), blkid_parttable_get_id(table));
	n = blkid_partlist_numof_partitions(list);
	for (int i = 0; i < n; i++) {
		blkid_partition part = blkid_partlist_get_partition(list, i);

		if (!part)
			continue;
		if (ret->n == BLKID_TABLE_MAX) {
			ret->is_cut = true;
			break;
		}
		read_part(part, &ret->part[ret->n++]);
	}
	return 0;
}
