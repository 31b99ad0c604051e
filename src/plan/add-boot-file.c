// SPDX-License-Identifier: GPL-3.0-or-later
/* The files of --add-boot: read whole, and refused where they would not boot. See add-boot.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "disk/eltorito.h"
#include "disk/fat.h"
#include "image/loaders.h"
#include "plan/add-boot.h"

static int error_no_use(const char *path, const char *why, struct error *err)
{
	char name[256];

	return error_set(err, ERROR_IMAGE, "add-boot-file", _("%s cannot be added: %s."),
			 text_escape(path, SIZE_MAX, name, sizeof(name)), why);
}

static int check_size(const struct source *src, const char *path, uint64_t max, struct error *err)
{
	char name[256], size[NUM_SIZE_LEN], most[NUM_SIZE_LEN];

	if (src->access != SOURCE_RANDOM)
		return error_no_use(path,
				    _("it is compressed or a stream; save what is in it to a "
				      "file first"),
				    err);
	if (src->size <= max)
		return 0;
	return error_set(err, ERROR_IMAGE, "add-boot-file",
			 _("%s cannot be added: it has %s bytes, and %s is the most."),
			 text_escape(path, SIZE_MAX, name, sizeof(name)),
			 num_format_bytes(size, sizeof(size), src->size),
			 num_format_bytes(most, sizeof(most), max));
}

/* size bytes of the file, which may have fewer of the last block. */
static int read_file(struct source *src, uint64_t size, uint32_t loaders, struct add_boot_file *ret,
		     struct error *err)
{
	uint64_t room = num_round_up(size, ELTORITO_SECTOR);
	uint8_t *data = calloc(1, room);

	if (!data)
		return error_set_nomem(err);
	if (source_read_at(src, 0, data, num_min(size, src->size), err) < 0) {
		free(data);
		return -1;
	}
	*ret = (struct add_boot_file){ .data = data, .size = room, .loaders = loaders };
	return 0;
}

static int find_loaders(struct source *src, struct loaders *ret, struct error *err)
{
	struct layout *lay = calloc(1, sizeof(*lay));
	struct detect d = {
		.src = src,
		.lay = lay,
		.size = src->size,
		.visible = src->size,
		.budget = DETECT_BUDGET,
	};
	int rc;

	if (!lay)
		return error_set_nomem(err);
	rc = loaders_find(&d, 0, ret, err);
	free(lay);
	return rc;
}

int add_boot_read_efi(struct source *src, const char *path, struct add_boot_file *ret,
		      struct error *err)
{
	uint8_t sector[FAT_BOOT_SECTOR_SIZE];
	struct fat_volume fat;
	struct loaders found;
	size_t n;

	if (check_size(src, path, ADD_BOOT_MAX_FAT, err) < 0 ||
	    source_peek(src, 0, sector, sizeof(sector), &n, err) < 0)
		return -1;
	if (n < sizeof(sector) || !fat_decode(sector, &fat) || fat.kind == FAT_EXFAT ||
	    fat.kind == FAT_NTFS)
		return error_no_use(path, _("no FAT volume begins at its first byte"), err);
	if (fat.sector_size != FAT_BOOT_SECTOR_SIZE)
		return error_no_use(path, _("its FAT volume has other sectors than 512 bytes"),
				    err);
	if (fat.size > src->size)
		return error_no_use(path, _("it ends before its FAT volume does"), err);
	if (find_loaders(src, &found, err) < 0)
		return -1;
	if (!(found.archs & LOADER_ALL))
		return error_no_use(path,
				    _("UEFI finds no boot loader in it (EFI/BOOT/BOOTX64.EFI, "
				      "BOOTIA32.EFI or BOOTAA64.EFI)"),
				    err);
	return read_file(src, fat.size, found.archs & LOADER_ALL, ret, err);
}

/* An image has no mark of its own, so only what certainly is none can be told. NULL: may be one. */
static const char *why_no_image(const uint8_t *head, size_t len)
{
	struct fat_volume fat;
	bool is_zero = true;

	for (size_t i = 0; i < len; i++)
		is_zero = is_zero && head[i] == 0;
	if (is_zero)
		return _("there is no code at its beginning");
	if (len >= FAT_BOOT_SECTOR_SIZE && fat_decode(head, &fat))
		return _("it is a disk or diskette with a file system; a boot image that is loaded "
			 "without emulation is wanted, such as isolinux.bin or GRUB's for discs");
	if (head[0] == 'M' && len > 1 && head[1] == 'Z')
		return _("it is a program for UEFI, DOS or Windows");
	return NULL;
}

int add_boot_read_bios(struct source *src, const char *path, struct add_boot_file *ret,
		       struct error *err)
{
	uint8_t head[ELTORITO_SECTOR];
	const char *why;
	size_t n;

	if (source_peek(src, 0, head, sizeof(head), &n, err) < 0)
		return -1;
	why = why_no_image(head, n);
	if (why)
		return error_no_use(path, why, err);
	if (check_size(src, path, ADD_BOOT_MAX_BIOS, err) < 0 ||
	    read_file(src, src->size, 0, ret, err) < 0)
		return -1;
	ret->size = src->size;
	return 0;
}

void add_boot_done(struct add_boot *add)
{
	free(add->efi.data);
	free(add->bios.data);
	*add = (struct add_boot){ .efi = { .data = NULL } };
}
