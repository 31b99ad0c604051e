// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Any bytes as a file of --add-boot, and any image as the disc that a good one is added to:
 * either that is refused, or firmware finds the entry, and no byte changes untold. The image
 * is sparse (sparse.h).
 */
#include <stdlib.h>
#include <string.h>

#include "../unit/memory-source.h"
#include "base/num.h"
#include "image/detect.h"
#include "plan/add-boot.h"
#include "plan/plan-source.h"
#include "sparse.h"

#define SECTOR SPARSE_SECTOR
#define FAT_SIZE 8192U
#define MAX_IMAGE (4U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_files(const uint8_t *data, size_t size)
{
	struct memory_source file = { data, size };
	struct error err = ERROR_INIT;
	struct add_boot add = { .efi = { .data = NULL } };
	struct source *src;

	src = memory_source_new(&file, size);
	if (add_boot_read_efi(src, "fuzz", &add.efi, &err) == 0 &&
	    (add.efi.size % SECTOR || !add.efi.loaders))
		abort();
	if (add_boot_read_bios(src, "fuzz", &add.bios, &err) == 0 && add.bios.size != size)
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
	struct sparse s;
	struct source *src = sparse_source(&s, data, size);

	if (!src)
		return 0;
	read_files(data, size);
	make_fat(fat);
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
