// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One look at the upper levels of the file tree: which files the boot images
 * are, and what system the disc installs or runs.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "image/detect.h"
#include "image/tree.h"

#define TREE_BUDGET (256U << 10)     /* bytes of directories */
#define FULL_TREE_BUDGET (64U << 20) /* with --full */
#define HINT_DEPTH 2U                /* files that hint at a system lie at most here */
#define INFO_SIZE 256U               /* of .disk/info that is read */

/* Files of systems, in either case. */
static const struct hint {
	const char *path;
	const char *os; /* NULL: only counted */
} hints[] = {
	{ "/bootmgr", NULL },
	{ "/sources/boot.wim", NULL },
	{ "/sources/install.wim", NULL },
	{ "/sources/install.esd", NULL },
	{ "/.disk/info", NULL },
	{ "/arch/version", "Arch Linux" },
	{ "/casper/filesystem.squashfs", "Ubuntu" },
	{ "/casper/minimal.squashfs", "Ubuntu" },
};

enum { BOOTMGR = 1 << 0, WIM = 1 << 1 };

struct look {
	struct layout *lay;
	uint32_t n_unnamed; /* boot images without a path */
	uint32_t windows; /* BOOTMGR, WIM */
	bool has_efi; /* a folder /EFI */
	const char *os;
	uint64_t info_start, info_len; /* .disk/info */
};

static unsigned int path_depth(const char *path)
{
	unsigned int n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

static void use_hint(struct look *look, const struct tree_extent *extent)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
		if (strcasecmp(extent->path, hints[i].path) != 0)
			continue;
		if (!strcasecmp(extent->path, "/bootmgr"))
			look->windows |= BOOTMGR;
		else if (!strncasecmp(extent->path, "/sources/", 9))
			look->windows |= WIM;
		else if (!strcmp(extent->path, "/.disk/info")) {
			look->info_start = extent->start;
			look->info_len = extent->len;
		} else if (hints[i].os && !look->os) {
			look->os = hints[i].os;
		}
		return;
	}
}

static void use_boot_image(struct look *look, const struct tree_extent *extent)
{
	struct layout_el_torito *et = &look->lay->el_torito;

	for (uint32_t i = 0; i < et->n_entries; i++) {
		struct layout_boot_entry *e = &et->entries[i];

		if (e->path[0] || (uint64_t)e->lba * 2048 != extent->start || extent->len == 0 ||
		    extent->file_offset > 0)
			continue;
		snprintf(e->path, sizeof(e->path), "%s", extent->path);
		look->n_unnamed--;
		/* Emulated media have their own size; a file is as large as it is. */
		if (e->emulation == EMUL_NONE && extent->len > e->size)
			e->size = extent->len;
	}
}

static bool visit(void *ctx, const struct tree_extent *extent)
{
	struct look *look = ctx;
	unsigned int depth = path_depth(extent->path);

	if (look->n_unnamed == 0 && depth > HINT_DEPTH)
		return true;
	if (extent->is_directory) {
		look->has_efi |= strcasecmp(extent->path, "/efi") == 0;
		return false;
	}
	if (depth <= HINT_DEPTH)
		use_hint(look, extent);
	use_boot_image(look, extent);
	return false;
}

/* "Debian GNU/Linux 12.5.0 \"Bookworm\" - Official amd64 ..." up to the dash or quote. */
static int read_info(struct detect *d, const struct look *look, struct error *err)
{
	size_t len = (size_t)num_min(look->info_len, INFO_SIZE);
	char text[INFO_SIZE + 1];
	int rc;

	rc = detect_read(d, look->info_start, text, len, err);
	if (rc <= 0)
		return rc;
	text[len] = '\0';
	len = strcspn(text, "\"\r\n");
	text[len] = '\0';
	if (strstr(text, " - "))
		*strstr(text, " - ") = '\0';
	for (len = strlen(text); len > 0 && text[len - 1] == ' ';)
		text[--len] = '\0';
	snprintf(d->lay->os, sizeof(d->lay->os), "%.63s", text);
	return 0;
}

/* By the disc's own strings, where its files could not be seen (UDF) or say nothing. */
static const char *os_by_strings(const struct layout *lay)
{
	static const struct {
		const char *start; /* of the volume id */
		const char *os;
	} ids[] = {
		{ "ARCH_", "Arch Linux" },    { "Debian ", "Debian" },
		{ "Fedora", "Fedora" },       { "openSUSE", "openSUSE" },
		{ "Ubuntu", "Ubuntu" },       { "RHEL-", "Red Hat Enterprise Linux" },
		{ "CentOS", "CentOS" },       { "nixos", "NixOS" },
		{ "ALPINE", "Alpine Linux" }, { "MT86PLUS", "Memtest86+" },
	};

	/* Windows' own mastering program; the files are in UDF, ISO 9660 holds a note only. */
	if (lay->udf && lay->el_torito.present &&
	    (strcasestr(lay->volume.publisher, "MICROSOFT") ||
	     strcasestr(lay->volume.application, "CDIMAGE") ||
	     strcasestr(lay->volume.application, "OSCDIMG")))
		return "Windows";
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (!strncasecmp(lay->volume.id, ids[i].start, strlen(ids[i].start)))
			return ids[i].os;
	return NULL;
}

int detect_files(struct detect *d, struct error *err)
{
	struct look look = { .lay = d->lay, .n_unnamed = d->lay->el_torito.n_entries };
	uint64_t budget =
		d->budget > DETECT_BUDGET ? FULL_TREE_BUDGET : num_min(TREE_BUDGET, d->budget);
	uint64_t left = budget;

	if (!d->lay->volume.present && !d->lay->udf)
		return 0;
	if (tree_walk(d->src, d->lay, &left, visit, &look, err) < 0)
		return -1;
	d->budget -= budget - left;
	d->lay->bytes_read += budget - left;
	if (look.windows == (BOOTMGR | WIM))
		look.os = "Windows";
	else if (look.info_len > 0 && read_info(d, &look, err) < 0)
		return -1;
	if (!d->lay->os[0]) {
		if (!look.os)
			look.os = os_by_strings(d->lay);
		snprintf(d->lay->os, sizeof(d->lay->os), "%s", look.os ? look.os : "");
	}
	/* Windows' own discs hold nothing but a note in ISO 9660. */
	d->lay->udf_may_boot = d->lay->udf && (!d->lay->volume.present || look.has_efi ||
					       strcmp(d->lay->os, "Windows") == 0);
	return 0;
}
