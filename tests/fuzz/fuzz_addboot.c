// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Any bytes as a file of --add-boot, and any image as the disc that a good one is added to:
 * either that is refused, or firmware finds the entry, and no byte changes untold. The image
 * is sparse, as in fuzz_detect.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "image/detect.h"
#include "plan/add-boot.h"
#include "plan/plan-source.h"

#define SECTOR 2048U
#define RECORD_HEAD 4U
#define FAT_SIZE 8192U
#define MAX_IMAGE (4U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sparse {
	const uint8_t *data;
	size_t size;
	bool is_raw; /* the bytes as they are */
};

static void read_sector(const struct sparse *s, uint64_t lba, uint8_t *out)
{
	memset(out, 0, SECTOR);
	if (s->is_raw) {
		if (lba * SECTOR < s->size)
			memcpy(out, s->data + lba * SECTOR,
			       (size_t)num_min(SECTOR, s->size - lba * SECTOR));
		return;
	}
	for (size_t at = 2; at + RECORD_HEAD < s->size;) {
		const uint8_t *head = s->data + at;
		size_t len = (size_t)num_min(head[2] | head[3] << 8, SECTOR);

		at += RECORD_HEAD;
		len = (size_t)num_min(len, s->size - at);
		if ((uint64_t)(head[0] | head[1] << 8) == lba)
			memcpy(out, s->data + at, len);
		at += len;
	}
}

static int read_at(struct source *src, uint64_t off, void *buf, size_t len, struct error *err)
{
	struct sparse *s = src->priv;
	uint8_t sector[SECTOR], *out = buf;

	if (!num_is_within(off, len, src->size))
		return error_set(err, ERROR_IO, "beyond-end", "A read beyond the end.");
	while (len > 0) {
		size_t skip = off % SECTOR, n = (size_t)num_min(SECTOR - skip, len);

		read_sector(s, off / SECTOR, sector);
		memcpy(out, sector + skip, n);
		off += n;
		out += n;
		len -= n;
	}
	return 0;
}

static struct source *open_sparse(struct sparse *s, uint64_t size)
{
	static const struct source_ops ops = { .name = "sparse", .read_at = read_at };
	struct source *src = source_new(&ops, SOURCE_RANDOM, s);

	if (!src)
		abort();
	src->size = src->file_size = size;
	return src;
}

static void read_files(struct sparse s)
{
	struct error err = ERROR_INIT;
	struct add_boot add = { .efi = { .data = NULL } };
	struct source *src;

	s.is_raw = true;
	src = open_sparse(&s, s.size);
	if (add_boot_read_efi(src, "fuzz", &add.efi, &err) == 0 &&
	    (add.efi.size % SECTOR || !add.efi.loaders))
		abort();
	if (add_boot_read_bios(src, "fuzz", &add.bios, &err) == 0 && add.bios.size != s.size)
		abort();
	add_boot_done(&add);
	source_free(src);
}

/* FAT12 of one sector a cluster, with EFI/BOOT/BOOTX64.EFI. */
static void make_fat(uint8_t *p)
{
	static const uint8_t head[] = { 0xeb, 0x3c, 0x90, 'i', 's', 'o',  'w', 'r',
					'i',  't',  'e',  0,   2,   1,    1,   0,
					2,    16,   0,    16,  0,   0xf8, 1 };

	memcpy(p, head, sizeof(head));
	memcpy(p + 54, "FAT12   ", 8);
	p[510] = 0x55;
	p[511] = 0xaa;
	memcpy(p + 512, "\xf8\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	memcpy(p + 3 * 512, "EFI        \x10", 12);
	p[3 * 512 + 26] = 2;
	memcpy(p + 4 * 512, "BOOT       \x10", 12);
	p[4 * 512 + 26] = 3;
	memcpy(p + 5 * 512, "BOOTX64 EFI\x20", 12);
	p[5 * 512 + 26] = 4;
	p[5 * 512 + 28] = 0x80;
	memcpy(p + 6 * 512, "MZ", 2);
	p[6 * 512 + 60] = 0x40;
	memcpy(p + 6 * 512 + 0x40, "PE\0\0\x64\x86", 6);
}

static bool is_told(const struct plan *plan, uint64_t off)
{
	for (size_t i = 0; i < plan->n_differences; i++)
		if (off >= plan->differences[i].start &&
		    off - plan->differences[i].start < plan->differences[i].len)
			return true;
	return false;
}

static void compare(const struct plan *plan, struct source *src)
{
	static uint8_t old[MAX_IMAGE], new[MAX_IMAGE];
	struct error err = ERROR_INIT;

	if (src->size > MAX_IMAGE)
		return;
	if (source_read_at(src, 0, old, src->size, &err) < 0 ||
	    plan_fill(plan, &src, 0, new, src->size, &err) < 0)
		abort();
	for (uint64_t i = 0; i < src->size; i++)
		if (old[i] != new[i] && !is_told(plan, i))
			abort();
}

/* Does the amended disc's catalog have both, a BIOS's as the default? */
static void judge(const struct plan *plan, struct source *src, const struct add_boot *add)
{
	static struct layout lay;
	struct error err = ERROR_INIT;
	struct source *planned;
	bool has_efi = false;

	if (plan_check(plan, &err) < 0 || plan_source_new(plan, &src, 1, &planned, &err) < 0 ||
	    detect_layout(planned, DETECT_BUDGET, &lay, &err) < 0)
		abort();
	if (!lay.el_torito.present || !lay.el_torito.checksum_valid)
		abort();
	for (uint32_t i = 0; i < lay.el_torito.n_entries; i++) {
		const struct layout_boot_entry *e = &lay.el_torito.entries[i];

		has_efi |= e->platform == BOOT_EFI && e->bootable &&
			   (uint64_t)e->lba * SECTOR >= src->size && e->size == FAT_SIZE;
	}
	/* Behind 64 other entries detection does not see it. */
	if (add->efi.data && !has_efi && lay.el_torito.n_entries < LAYOUT_MAX_BOOT)
		abort();
	if (add->bios.data && (lay.el_torito.entries[0].platform != BOOT_BIOS ||
			       (uint64_t)lay.el_torito.entries[0].lba * SECTOR < src->size))
		abort();
	source_free(planned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t fat[FAT_SIZE], code[SECTOR] = { 0xeb, 0xfe };
	static struct layout lay;
	struct sparse s = { .data = data, .size = size };
	struct source *src;

	if (size < 2)
		return 0;
	read_files(s);
	make_fat(fat);
	src = open_sparse(&s, (uint64_t)(data[0] | data[1] << 8) * SECTOR);
	for (unsigned int what = 1; what < 4; what++) {
		const struct add_boot add = {
			.efi = { what & 1 ? fat : NULL, what & 1 ? FAT_SIZE : 0, LOADER_X64 },
			.bios = { what & 2 ? code : NULL, what & 2 ? SECTOR : 0, 0 },
		};
		struct error err = ERROR_INIT;
		struct plan *plan;

		if (detect_layout(src, DETECT_BUDGET, &lay, &err) < 0)
			abort();
		if (add_boot_plan_disc(src, &lay, &add, &plan, &err) < 0) {
			if (err.kind != ERROR_IMAGE)
				abort();
			continue;
		}
		judge(plan, src, &add);
		compare(plan, src);
		plan_free(plan);
	}
	source_free(src);
	return 0;
}
