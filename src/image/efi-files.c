// SPDX-License-Identifier: GPL-3.0-or-later
/* UEFI programs in FAT volumes and on discs; see efi-files.h. */
#include "image/efi-files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "disk/eltorito.h"
#include "image/loaders.h"
#include "image/tree.h"

#define DIRECTORY "/EFI/BOOT"
#define MAX_VOLUMES 16U
#define TREE_BUDGET (256U << 10) /* bytes of directories */
#define WINDOW 4096U             /* of a FAT, read at once */

/* A FAT volume, and what points to it. */
struct volume {
	uint64_t start;
	struct efi_where where[EFI_MAX_WHERE];
	size_t n_where;
};

struct finder {
	struct detect *d;
	struct efi_files *found;
	struct volume volumes[MAX_VOLUMES];
	size_t n_volumes;

	/* The volume whose directory is being listed, and where its files begin. */
	const struct volume *volume;
	uint32_t clusters[EFI_FILES_MAX]; /* first ones, by index of the file */
	bool is_out_of_memory;
};

/* ------------------------------------------------------------------------- the volumes */

static void add_volume(struct finder *f, uint64_t start, uint32_t loaders, enum efi_place place,
		       uint32_t number)
{
	struct volume *v = f->volumes;

	if (loaders & LOADER_UNSEEN)
		f->found->is_complete = false;
	if (!(loaders & (LOADER_ALL | LOADER_NO_PROGRAM)))
		return;
	while (v < f->volumes + f->n_volumes && v->start != start)
		v++;
	if (v == f->volumes + MAX_VOLUMES) {
		f->found->is_complete = false;
		return;
	}
	if (v == f->volumes + f->n_volumes) {
		f->n_volumes++;
		v->start = start;
	}
	if (v->n_where < EFI_MAX_WHERE)
		v->where[v->n_where++] = (struct efi_where){ place, number };
}

static void add_volumes(struct finder *f, const struct layout *lay)
{
	for (uint32_t i = 0; i < lay->el_torito.n_entries; i++) {
		const struct layout_boot_entry *e = &lay->el_torito.entries[i];

		add_volume(f, (uint64_t)e->lba * ELTORITO_SECTOR, e->loaders, EFI_IN_BOOT_IMAGE,
			   i + 1);
	}
	for (uint32_t i = 0; i < lay->gpt.n_partitions; i++)
		add_volume(f, lay->gpt.partitions[i].start, lay->gpt.partitions[i].loaders,
			   EFI_IN_GPT_PARTITION, lay->gpt.partitions[i].number);
	for (uint32_t i = 0; i < lay->mbr.n_partitions; i++)
		add_volume(f, lay->mbr.partitions[i].start, lay->mbr.partitions[i].loaders,
			   EFI_IN_MBR_PARTITION, lay->mbr.partitions[i].number);
	for (uint32_t i = 0; i < lay->mbr.n_logical; i++)
		add_volume(f, lay->mbr.logical[i].start, lay->mbr.logical[i].loaders,
			   EFI_IN_MBR_PARTITION, lay->mbr.logical[i].number);
	add_volume(f, 0, lay->superfloppy_loaders, EFI_IN_DISK, 0);
}

/* --------------------------------------------------------------------------- the files */

static struct efi_file *add_file(struct finder *f, const char *name, uint64_t size)
{
	struct efi_files *found = f->found;
	struct efi_file *file;

	if (!found->files)
		found->files = calloc(EFI_FILES_MAX, sizeof(*found->files));
	if (!found->files) {
		f->is_out_of_memory = true;
		return NULL;
	}
	if (found->n == EFI_FILES_MAX) {
		found->is_complete = false;
		return NULL;
	}
	file = &found->files[found->n++];
	snprintf(file->path, sizeof(file->path), "%s/%s", DIRECTORY, name);
	file->size = size;
	return file;
}

/* Adjoining extents become one. 0, or -1 without memory. */
static int add_extent(struct efi_file *file, uint64_t start, uint64_t len)
{
	struct efi_extent *last = file->n_extents ? &file->extents[file->n_extents - 1] : NULL;
	size_t n = file->n_extents;

	if (last && last->start + last->len == start) {
		last->len += len;
		return 0;
	}
	/* Room for 1, 2, 4, 8 ... of them. */
	if ((n & (n - 1)) == 0) {
		struct efi_extent *more = reallocarray(file->extents, n ? 2 * n : 1, sizeof(*more));

		if (!more)
			return -1;
		file->extents = more;
	}
	file->extents[file->n_extents++] = (struct efi_extent){ start, len };
	return 0;
}

static void forget_extents(struct efi_file *file)
{
	free(file->extents);
	file->extents = NULL;
	file->n_extents = 0;
}

/* "BOOTX64 EFI" as "BOOTX64.EFI". */
static void join_name(const char fat[12], char name[13])
{
	size_t len = 8;

	while (len > 0 && fat[len - 1] == ' ')
		len--;
	memcpy(name, fat, len);
	name[len++] = '.';
	memcpy(name + len, fat + 8, 4);
}

static bool visit_entry(void *ctx, const struct fatdir_entry *entry)
{
	struct finder *f = ctx;
	struct efi_file *file;
	char name[13];

	if (entry->is_directory || entry->size == 0 || strcmp(entry->name + 8, "EFI") != 0)
		return false;
	join_name(entry->name, name);
	file = add_file(f, name, entry->size);
	if (!file)
		return true;
	memcpy(file->where, f->volume->where, sizeof(file->where));
	file->n_where = f->volume->n_where;
	f->clusters[file - f->found->files] = entry->cluster;
	return false;
}

/* A FAT, seen through a window. */
struct table {
	uint64_t start, len; /* in the image */
	uint64_t at; /* of the window, in the FAT */
	size_t n; /* bytes in it; 0 nothing yet */
	uint8_t window[WINDOW];
};

/* The 4 bytes at off of the image; behind the FAT's end they count as zeros. As detect_read(). */
static int read_link(struct detect *d, struct table *t, uint64_t off, uint8_t link[4],
		     struct error *err)
{
	uint64_t at = off - t->start, n;
	int rc;

	if (at >= t->len)
		return 0;
	n = num_min(4, t->len - at);
	if (t->n == 0 || at < t->at || at + n > t->at + t->n) {
		t->at = at;
		t->n = 0;
		rc = detect_read(d, t->start + at, t->window, (size_t)num_min(WINDOW, t->len - at),
				 err);
		if (rc <= 0)
			return rc;
		t->n = (size_t)num_min(WINDOW, t->len - at);
	}
	memset(link, 0, 4);
	memcpy(link, t->window + (at - t->at), (size_t)n);
	return 1;
}

/* Each round takes a cluster's bytes off the file's, so a chain in circles ends. */
static int follow_chain(struct finder *f, const struct fatdir_volume *v, uint32_t cluster,
			struct efi_file *file, struct error *err)
{
	struct table t = { .start = f->volume->start + v->fat_start, .len = v->fat_len };
	uint64_t left = file->size;

	while (left > 0) {
		uint64_t off = fatdir_cluster_offset(v, cluster);
		uint64_t n = num_min(left, v->cluster_size);
		uint8_t link[4];
		int rc = 1;

		if (off > 0 && add_extent(file, f->volume->start + off, n) < 0)
			return error_set_nomem(err);
		left -= n;
		if (off > 0 && left > 0)
			rc = read_link(f->d, &t, f->volume->start + fatdir_link_offset(v, cluster),
				       link, err);
		if (off == 0 || rc <= 0) {
			forget_extents(file);
			return rc < 0 ? -1 : 0;
		}
		if (left > 0)
			cluster = fatdir_decode_link(v, cluster, link);
	}
	return 0;
}

static int find_in_volume(struct finder *f, const struct volume *volume, struct error *err)
{
	size_t first = f->found->n;
	struct fatdir_volume v;
	bool is_complete;
	int rc;

	f->volume = volume;
	rc = loaders_list(f->d, volume->start, &v, &is_complete, visit_entry, f, err);
	if (rc < 0)
		return -1;
	if (!is_complete)
		f->found->is_complete = false;
	for (size_t i = first; rc > 0 && i < f->found->n; i++)
		if (f->found->files[i].size <= EFI_FILE_MAX_SIZE &&
		    follow_chain(f, &v, f->clusters[i], &f->found->files[i], err) < 0)
			return -1;
	return 0;
}

static bool visit_extent(void *ctx, const struct tree_extent *extent)
{
	const char *name = strrchr(extent->path, '/') + 1;
	size_t len = strlen(name);
	struct finder *f = ctx;
	struct efi_file *file;

	if (extent->is_directory || extent->len == 0 || len < 5 ||
	    strcasecmp(name + len - 4, ".EFI") != 0)
		return false;
	if (extent->file_offset > 0) {
		/* A loader of several extents is none of those we know: it is not followed. */
		if (f->found->n > 0)
			forget_extents(&f->found->files[f->found->n - 1]);
		return false;
	}
	file = add_file(f, name, extent->len);
	if (!file)
		return true;
	file->where[file->n_where++] = (struct efi_where){ EFI_IN_TREE, 0 };
	if (file->size <= EFI_FILE_MAX_SIZE && add_extent(file, extent->start, extent->len) < 0)
		f->is_out_of_memory = true;
	return f->is_out_of_memory;
}

static int find_in_tree(struct finder *f, struct error *err)
{
	uint64_t budget = num_min(TREE_BUDGET, f->d->budget), left = budget;
	int rc = tree_list(f->d->src, f->d->lay, DIRECTORY, &left, visit_extent, f, err);

	f->d->budget -= budget - left;
	f->d->lay->bytes_read += budget - left;
	if (left == 0)
		f->found->is_complete = false;
	return rc;
}

int efi_files_find(struct detect *d, struct efi_files *ret, struct error *err)
{
	struct efi_files found = { .is_complete = true };
	struct finder f = { .d = d, .found = &found };
	int rc = 0;

	add_volumes(&f, d->lay);
	for (size_t i = 0; i < f.n_volumes && rc == 0; i++)
		rc = find_in_volume(&f, &f.volumes[i], err);
	/* A disc whose catalog has no UEFI loader is not booted by UEFI from its tree. */
	if (rc == 0 && f.n_volumes > 0)
		rc = find_in_tree(&f, err);
	if (rc == 0 && f.is_out_of_memory)
		rc = error_set_nomem(err);
	if (rc < 0)
		efi_files_done(&found);
	else
		*ret = found;
	return rc;
}

void efi_files_done(struct efi_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->files[i].extents);
	free(files->files);
	memset(files, 0, sizeof(*files));
}

int efi_file_read(struct detect *d, const struct efi_file *file, uint64_t off, void *buf,
		  size_t len, struct error *err)
{
	uint8_t *out = buf;

	for (size_t i = 0; i < file->n_extents && len > 0; i++) {
		const struct efi_extent *e = &file->extents[i];
		size_t n;
		int rc;

		if (off >= e->len) {
			off -= e->len;
			continue;
		}
		n = (size_t)num_min(len, e->len - off);
		rc = detect_read(d, e->start + off, out, n, err);
		if (rc <= 0)
			return rc;
		out += n;
		len -= n;
		off = 0;
	}
	return len == 0;
}
