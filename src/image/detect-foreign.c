// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Containers that wrap an image: written raw they give a stick that holds
 * nothing. They are named and refused with the command that unwraps them.
 */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "disk/zip.h"
#include "image/detect.h"

#define HEAD_SIZE 4096U
#define RAW_SECTOR 2352U     /* a CD's sectors with sync, header and error correction */
#define RAW_SECTOR_SUB 2448U /* and with subchannel data */
#define FOOTER_SIZE 512U
#define ISO_MAGIC_OFFSET 32769U

static const struct foreign {
	const char *name; /* layout.foreign */
	const char *what; /* for the message */
	const char *command; /* before the file's name */
	const char *middle, *suffix; /* between the name and the new name; NULL: no new name */
} formats[] = {
	{ "qcow2", "a QEMU disk image (qcow2)", "qemu-img convert -O raw", " ", ".img" },
	{ "vmdk", "a VMware disk image (VMDK)", "qemu-img convert -O raw", " ", ".img" },
	{ "vhd", "a virtual hard disk (VHD)", "qemu-img convert -f vpc -O raw", " ", ".img" },
	{ "vhdx", "a virtual hard disk (VHDX)", "qemu-img convert -O raw", " ", ".img" },
	{ "vdi", "a VirtualBox disk image (VDI)", "qemu-img convert -O raw", " ", ".img" },
	{ "dmg", "an Apple disk image (DMG)", "dmg2img", " ", ".img" },
	{ "nrg", "a Nero disc image (NRG)", "nrg2iso", " ", ".iso" },
	{ "raw-cd", "a disc image with 2352-byte sectors (BIN, IMG, MDF)", "iat", " ", ".iso" },
	{ "mdf", "a disc image with 2448-byte sectors (MDF)", "iat", " ", ".iso" },
	{ "zip", "a ZIP archive", "unzip", NULL, NULL },
	{ "zip-part", "the last part of a split ZIP archive", "7z x", NULL, NULL },
	{ "7z", "a 7-Zip archive", "7z x", NULL, NULL },
	{ "bzip2", "compressed by bzip2", "bunzip2 -k", NULL, NULL },
	{ "lz4", "compressed by LZ4", "lz4 -d", NULL, NULL },
	{ "lzip", "compressed by lzip", "lzip -dk", NULL, NULL },
	{ "tar", "a tar archive", "tar -xf", NULL, NULL },
	/* Not as they are, but compressed once more. */
	{ "gzip", "compressed by gzip", "gunzip -k", NULL, NULL },
	{ "xz", "compressed by xz", "unxz -k", NULL, NULL },
	{ "zstd", "compressed by zstd", "unzstd", NULL, NULL },
};

/* What stands at a fixed place of the first 4 KiB. */
static const struct magic {
	const char *name;
	uint32_t offset, len;
	const char *bytes;
} magics[] = {
	{ "qcow2", 0, 4, "QFI\xfb" },
	{ "vmdk", 0, 4, "KDMV" },
	{ "vmdk", 0, 4, "COWD" },
	{ "vmdk", 0, 21, "# Disk DescriptorFile" },
	{ "vhdx", 0, 8, "vhdxfile" },
	{ "vhd", 0, 8, "conectix" }, /* dynamic: a copy of the footer comes first */
	{ "vdi", 64, 4, "\x7f\x10\xda\xbe" },
	{ "zip", 0, 4, "PK\x03\x04" },
	{ "7z", 0, 6, "7z\xbc\xaf\x27\x1c" },
	{ "bzip2", 4, 6, "1AY&SY" }, /* behind "BZh" and a digit */
	{ "lz4", 0, 4, "\x04\x22\x4d\x18" },
	{ "lzip", 0, 5, "LZIP\x01" },
	{ "tar", 257, 5, "ustar" },
	{ "gzip", 0, 3, "\x1f\x8b\x08" },
	{ "xz", 0, 6,
	  "\xfd"
	  "7zXZ" },
	{ "zstd", 0, 4, "\x28\xb5\x2f\xfd" },
};

static void set_foreign(struct detect *d, const char *name)
{
	d->lay->is_foreign_packed = strcmp(d->src->compression, "none") != 0;
	snprintf(d->lay->foreign, sizeof(d->lay->foreign), "%s", name);
}

static bool is_sync(const uint8_t *p)
{
	static const uint8_t sync[12] = { 0x00, 0xff, 0xff, 0xff, 0xff, 0xff,
					  0xff, 0xff, 0xff, 0xff, 0xff, 0x00 };

	return memcmp(p, sync, sizeof(sync)) == 0;
}

/* XML around <bmap>, behind a comment of about 1.5 KiB. */
static bool is_block_map(const uint8_t *head, size_t len)
{
	static const char root[] = "<bmap version=";

	return len > sizeof(root) && (!memcmp(head, "<?xml", 5) || !memcmp(head, root, 5)) &&
	       memmem(head, len, root, sizeof(root) - 1);
}

static void look_at_head(struct detect *d, const uint8_t *head, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		const struct magic *m = &magics[i];

		if (m->offset + m->len <= len && !memcmp(head + m->offset, m->bytes, m->len)) {
			set_foreign(d, m->name);
			return;
		}
	}
	if (is_block_map(head, len))
		set_foreign(d, "bmap");
	if (len < RAW_SECTOR_SUB + 12 || !is_sync(head))
		return;
	if (is_sync(head + RAW_SECTOR))
		set_foreign(d, "raw-cd");
	else if (is_sync(head + RAW_SECTOR_SUB))
		set_foreign(d, "mdf");
}

static void look_at_footer(struct detect *d, const uint8_t *footer, bool is_a_disc)
{
	struct zip_end end;

	if (!is_a_disc &&
	    zip_parse_end(footer + FOOTER_SIZE - ZIP_END_SIZE, ZIP_END_SIZE, &end) == 1 &&
	    end.disk != 0 && end.disk != UINT16_MAX)
		set_foreign(d, "zip-part");
	else if (!memcmp(footer, "koly", 4))
		set_foreign(d, "dmg");
	else if (!memcmp(footer, "conectix", 8))
		set_foreign(d, "vhd");
	else if (!memcmp(footer + FOOTER_SIZE - 12, "NER5", 4) ||
		 !memcmp(footer + FOOTER_SIZE - 8, "NERO", 4))
		set_foreign(d, "nrg");
}

/* What a disc's first 32 KiB hold is up to its maker. 1 yes, 0 no, -1 error. */
static int is_disc(struct detect *d, struct error *err)
{
	char magic[5];
	int rc = detect_read(d, ISO_MAGIC_OFFSET, magic, sizeof(magic), err);

	return rc <= 0 ? rc : memcmp(magic, "CD001", sizeof(magic)) == 0;
}

int detect_foreign(struct detect *d, struct error *err)
{
	uint8_t buf[HEAD_SIZE];
	size_t len = (size_t)num_min(d->visible, HEAD_SIZE);
	int rc, disc;

	/* A device's bytes are what firmware sees; a trailer on it is an earlier use's. */
	if (d->src->is_block_device)
		return 0;
	rc = detect_read(d, 0, buf, len, err);
	/* A stream of unknown size may be shorter than what could be seen of it. */
	for (; rc == 0 && len > 512; len /= 2)
		rc = detect_read(d, 0, buf, len / 2, err);
	if (rc < 0)
		return -1;
	disc = is_disc(d, err);
	if (disc < 0)
		return -1;
	if (rc > 0 && !disc)
		look_at_head(d, buf, len);
	if (d->lay->foreign[0] || d->size == UINT64_MAX || d->size < FOOTER_SIZE)
		return 0;
	rc = detect_read(d, d->size - FOOTER_SIZE, buf, FOOTER_SIZE, err);
	if (rc > 0)
		look_at_footer(d, buf, disc);
	return rc < 0 ? -1 : 0;
}

static const struct foreign *find_format(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

int detect_check_foreign(const struct layout *lay, const char *path, struct error *err)
{
	const struct foreign *f = lay->foreign[0] ? find_format(lay->foreign) : NULL;
	char name[160], quoted[160], out[168], quoted_out[168];

	if (!f && strcmp(lay->foreign, "bmap") == 0)
		return error_set(err, ERROR_IMAGE, "foreign-format",
				 _("%s is a block map, which says where the data of an image lie: "
				   "name that image, and the map by --bmap=%s."),
				 text_escape(path, SIZE_MAX, name, sizeof(name)),
				 text_shell_quote(path, quoted, sizeof(quoted)));
	if (!f)
		return 0;
	/* The command would find the compressed file; tar decompresses by itself. */
	if (lay->is_foreign_packed && strcmp(f->name, "tar") != 0)
		return error_set(err, ERROR_IMAGE, "foreign-format",
				 _("%s is compressed, and what is in it is %s, not what a stick "
				   "holds. Decompress it, then unpack or convert that."),
				 strcmp(path, "-") == 0
					 ? _("Standard input")
					 : text_escape(path, SIZE_MAX, name, sizeof(name)),
				 f->what);
	/* A name too long for the message is left to the reader, never cut. */
	if (strcmp(path, "-") == 0 || strlen(path) >= sizeof(name) - 1 ||
	    !text_shell_quote(path, quoted, sizeof(quoted))[0])
		path = "IMAGE";
	/* A leading dash would be an option of the other program. */
	snprintf(name, sizeof(name), "%s%s", path[0] == '-' ? "./" : "", path);
	text_shell_quote(name, quoted, sizeof(quoted));
	snprintf(out, sizeof(out), "%s%s", name, f->suffix ? f->suffix : "");
	text_shell_quote(out, quoted_out, sizeof(quoted_out));
	if (!f->suffix)
		return error_set(err, ERROR_IMAGE, "foreign-format",
				 _("The image is %s, not what a stick holds. Unpack it "
				   "first:\n  %s %s"),
				 f->what, f->command, quoted);
	return error_set(
		err, ERROR_IMAGE, "foreign-format",
		_("The image is %s, not what a stick holds. Convert it first:\n  %s %s%s%s"),
		f->what, f->command, quoted, f->middle, quoted_out);
}
