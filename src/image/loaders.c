// SPDX-License-Identifier: GPL-3.0-or-later
/* UEFI boot loaders in a FAT volume; see loaders.h. */
#include "image/loaders.h"

#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

#define MAX_CLUSTERS 64U /* of a directory; a root on installation media has one */
#define MAX_CLUSTER_SIZE 65536U
#define PIECE 2048U
#define MIN_FAT32_CLUSTERS 65525U

struct fat_walk {
	struct detect *d;
	uint64_t start; /* of the volume */
	struct fatdir_volume volume;
	bool is_complete;
};

/* 1 ended by fn or the directory's end mark, 0 all seen, -1. Incompleteness is noted in w. */
static int scan_bytes(struct fat_walk *w, uint64_t off, uint64_t len, loaders_fn fn, void *ctx,
		      struct error *err)
{
	uint8_t buf[PIECE];

	for (uint64_t at = 0; at < len; at += sizeof(buf)) {
		size_t n = (size_t)num_min(len - at, sizeof(buf));
		int rc = detect_read(w->d, w->start + off + at, buf, n, err);

		if (rc < 0)
			return -1;
		if (rc == 0) {
			w->is_complete = false;
			return 1;
		}
		for (size_t i = 0; i + FATDIR_ENTRY_SIZE <= n; i += FATDIR_ENTRY_SIZE) {
			struct fatdir_entry entry;
			bool is_end;

			if (fatdir_decode_entry(buf + i, &entry, &is_end) && fn(ctx, &entry))
				return 1;
			if (is_end)
				return 1;
		}
	}
	return 0;
}

/* A directory by its first cluster. A chain may run in circles: its length is limited. */
static int scan_chain(struct fat_walk *w, uint32_t cluster, loaders_fn fn, void *ctx,
		      struct error *err)
{
	for (unsigned int n = 0; n < MAX_CLUSTERS; n++) {
		uint64_t off = fatdir_cluster_offset(&w->volume, cluster);
		uint8_t link[4];
		int rc;

		if (off == 0)
			return 0;
		rc = scan_bytes(w, off, num_min(w->volume.cluster_size, MAX_CLUSTER_SIZE), fn, ctx,
				err);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
		rc = detect_read(w->d, w->start + fatdir_link_offset(&w->volume, cluster), link,
				 sizeof(link), err);
		if (rc <= 0) {
			w->is_complete = false;
			return rc;
		}
		cluster = fatdir_decode_link(&w->volume, cluster, link);
	}
	return 0;
}

struct subdirectory {
	const char *name;
	uint32_t cluster; /* 0: not found */
};

static bool match_directory(void *ctx, const struct fatdir_entry *entry)
{
	struct subdirectory *sub = ctx;

	if (!entry->is_directory || strcmp(entry->name, sub->name) != 0)
		return false;
	sub->cluster = entry->cluster;
	return true;
}

#define N_ARCHS 3U

static const struct {
	const char *name;
	uint32_t arch;
	uint16_t machine; /* PE/COFF, section 3.3.1 */
} programs[N_ARCHS] = {
	{ "BOOTX64 EFI", LOADER_X64, 0x8664 },
	{ "BOOTIA32EFI", LOADER_IA32, 0x014c },
	{ "BOOTAA64EFI", LOADER_AA64, 0xaa64 },
};

/* First clusters of the programs that were found; 0: not there. */
struct found {
	uint32_t clusters[N_ARCHS];
	uint32_t sizes[N_ARCHS];
};

static bool match_loader(void *ctx, const struct fatdir_entry *entry)
{
	struct found *found = ctx;

	for (size_t i = 0; i < N_ARCHS; i++) {
		if (entry->is_directory || entry->size == 0 ||
		    strcmp(entry->name, programs[i].name) != 0)
			continue;
		found->clusters[i] = entry->cluster;
		found->sizes[i] = entry->size;
	}
	return false;
}

/* By its first len bytes; a header that lies behind them is taken on trust. */
static bool is_program(const uint8_t *head, size_t len, uint16_t machine)
{
	uint64_t at = 0;
	le32 offset;
	le16 stored;

	if (len >= 64 && memcmp(head, "MZ", 2) == 0) {
		memcpy(&offset, head + 60, sizeof(offset));
		at = le32_get(offset);
		if (at + 6 > len)
			return true;
	}
	if (at + 6 > len || memcmp(head + at, "PE\0\0", 4) != 0)
		return false;
	memcpy(&stored, head + at + 4, sizeof(stored));
	return le16_get(stored) == machine;
}

/* Damaged programs, and those for other machines, are not started. */
static int check_programs(struct detect *d, uint64_t start, const struct fatdir_volume *v,
			  const struct found *found, struct loaders *ret, struct error *err)
{
	for (size_t i = 0; i < N_ARCHS; i++) {
		uint64_t off = fatdir_cluster_offset(v, found->clusters[i]);
		uint8_t head[PIECE];
		size_t len =
			(size_t)num_min(num_min(v->cluster_size, sizeof(head)), found->sizes[i]);
		int rc;

		if (off == 0)
			continue;
		rc = detect_read(d, start + off, head, len, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			ret->is_complete = false;
		else
			ret->archs |= is_program(head, len, programs[i].machine)
					      ? programs[i].arch
					      : LOADER_NO_PROGRAM;
	}
	return 0;
}

/*
 * Some volumes that other systems read are refused by EDK2 (FatPkg/EnhancedFatDxe/Init.c): a
 * FAT32 with too few clusters for one, and media bytes that diskettes and disks do not have.
 */
static bool is_read_by_firmware(const uint8_t *sector, const struct fatdir_volume *v)
{
	uint8_t media = sector[21];

	return (v->bits != 32 || v->n_clusters >= MIN_FAT32_CLUSTERS) &&
	       (media > 0xf7 || media == 0xf0 || media <= 1);
}

/* Opens the volume: 1, 0 none or not to be seen, -1. */
static int open_volume(struct fat_walk *w, bool *ret_is_read_by_firmware, struct error *err)
{
	uint8_t sector[512];
	int rc;

	/* Behind the image's end there is nothing; behind what can be seen there may be. */
	w->is_complete = !num_is_within(w->start, sizeof(sector), w->d->size);
	rc = detect_read(w->d, w->start, sector, sizeof(sector), err);
	if (rc <= 0)
		return rc;
	w->is_complete = true;
	if (!fatdir_decode(sector, &w->volume))
		return 0;
	*ret_is_read_by_firmware = is_read_by_firmware(sector, &w->volume);
	return 1;
}

static int scan_root(struct fat_walk *w, loaders_fn fn, void *ctx, struct error *err)
{
	if (w->volume.root_cluster)
		return scan_chain(w, w->volume.root_cluster, fn, ctx, err);
	return scan_bytes(w, w->volume.root_start, w->volume.root_len, fn, ctx, err);
}

int loaders_list(struct detect *d, uint64_t start, struct fatdir_volume *ret_volume,
		 bool *ret_is_complete, loaders_fn fn, void *ctx, struct error *err)
{
	struct subdirectory efi = { .name = "EFI        " }, boot = { .name = "BOOT       " };
	struct fat_walk w = { .d = d, .start = start };
	bool is_fat = false;
	int rc = open_volume(&w, &is_fat, err);

	if (rc > 0 && is_fat)
		rc = scan_root(&w, match_directory, &efi, err);
	if (rc >= 0 && efi.cluster)
		rc = scan_chain(&w, efi.cluster, match_directory, &boot, err);
	if (rc >= 0 && boot.cluster)
		rc = scan_chain(&w, boot.cluster, fn, ctx, err);
	if (rc < 0)
		return -1;
	*ret_volume = w.volume;
	*ret_is_complete = w.is_complete;
	return is_fat;
}

int loaders_find(struct detect *d, uint64_t start, struct loaders *ret, struct error *err)
{
	struct found found = { .sizes = { 0 } };
	struct fatdir_volume volume;
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = loaders_list(d, start, &volume, &ret->is_complete, match_loader, &found, err);
	if (rc <= 0)
		return rc;
	ret->is_fat = true;
	ret->size = volume.data_start + (uint64_t)volume.n_clusters * volume.cluster_size;
	return check_programs(d, start, &volume, &found, ret, err);
}

struct file {
	const char *name;
	bool is_found;
};

static bool match_file(void *ctx, const struct fatdir_entry *entry)
{
	struct file *file = ctx;

	file->is_found = !entry->is_directory && strcmp(entry->name, file->name) == 0;
	return file->is_found;
}

int loaders_find_file(struct detect *d, uint64_t start, const char *name, bool *ret,
		      struct error *err)
{
	struct fat_walk w = { .d = d, .start = start };
	struct file file = { .name = name };
	bool is_for_firmware;
	int rc = open_volume(&w, &is_for_firmware, err);

	if (rc > 0)
		rc = scan_root(&w, match_file, &file, err);
	if (rc < 0)
		return -1;
	*ret = file.is_found;
	return 0;
}
