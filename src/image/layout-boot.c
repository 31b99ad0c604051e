// SPDX-License-Identifier: GPL-3.0-or-later
/* The boot report's words; see layout.h. */
#include "image/layout.h"

#include <stdio.h>

#include "base/error.h"
#include "base/num.h"

static const struct {
	const char *name, *text;
} reasons[REASON_MAX] = {
	[REASON_NONE] = { "none", "" },
	[REASON_NO_CODE] = { "no-mbr-code", "no MBR code" },
	[REASON_MADE_FOR_DISCS] = { "made-for-discs", "made for discs only, without MBR code" },
	[REASON_UNKNOWN_CODE] = { "unknown-code", "the MBR holds code that isowrite cannot judge" },
	[REASON_UEFI_STUB] = { "uefi-stub", "its MBR only says that it boots by UEFI" },
	[REASON_FORMATTED] = { "formatted", "it was formatted for files" },
	[REASON_ISOLINUX] = { "isolinux", "the MBR's code finds isolinux" },
	[REASON_ISOLINUX_ABSENT] = { "isolinux-absent",
				     "the MBR's code looks for isolinux where it is not" },
	[REASON_ISOLINUX_UNPATCHED] = { "isolinux-unpatched",
					"isolinux lacks its boot info table" },
	[REASON_GRUB] = { "grub", "the MBR's code finds GRUB" },
	[REASON_GRUB_ABSENT] = { "grub-absent", "the MBR's code looks for GRUB where it is not" },
	[REASON_GRUB_UNPATCHED] = { "grub-unpatched",
				    "GRUB was not told where on the medium it lies" },
	[REASON_GRUB_UNCLEAR] = { "grub-unclear",
				  "GRUB lies in pieces that could not be followed" },
	[REASON_MEMTEST] = { "memtest", "the MBR's code finds Memtest86+" },
	[REASON_MEMTEST_ABSENT] = { "memtest-absent",
				    "the MBR's code looks for Memtest86+ where it is not" },
	[REASON_CDEMU] = { "cdemu", "isowrite's CD emulation starts the disc's boot image" },
	[REASON_CDEMU_ABSENT] = { "cdemu-absent", "isowrite's CD emulation is missing" },
	[REASON_CDEMU_OTHER] = { "cdemu-other",
				 "isowrite's CD emulation is of another version, or damaged" },
	[REASON_CDEMU_DIFFERS] = { "cdemu-differs",
				   "isowrite's CD emulation was made for another disc" },
	[REASON_SYSLINUX] = { "syslinux", "the MBR's code starts syslinux in a partition" },
	[REASON_NO_ACTIVE] = { "no-active", "the MBR's code finds no active partition" },
	[REASON_SEVERAL_ACTIVE] = { "several-active", "more than one partition is active" },
	[REASON_PARTITION_UNBOOTABLE] = { "partition-unbootable",
					  "the partition to boot holds no boot code" },
	[REASON_PARTITION_UNKNOWN] = { "partition-unknown",
				       "the partition to boot holds code that isowrite cannot "
				       "judge" },
	[REASON_FILES_SYSLINUX] = { "files-syslinux", "the file system holds syslinux" },
	[REASON_FILES_UNBOOTABLE] = { "files-unbootable", "the file system holds no boot code" },
	[REASON_FILES_UNKNOWN] = { "files-unknown",
				   "the file system holds code that isowrite cannot judge" },
	[REASON_BIG_SECTORS] = { "big-sectors", "BIOSes boot no media with sectors of 4096 bytes" },

	[REASON_UEFI_GPT] = { "gpt", "a GPT partition holds a UEFI boot loader" },
	[REASON_UEFI_MBR] = { "mbr", "an MBR partition holds a UEFI boot loader" },
	[REASON_UEFI_FILES] = { "fat", "the FAT volume holds a UEFI boot loader" },
	[REASON_UEFI_CATALOG] = { "catalog", "only firmware that reads boot catalogs on sticks" },
	[REASON_UEFI_HIDDEN] = { "hidden-by-catalog",
				 "only firmware that ignores boot catalogs on sticks" },
	[REASON_UEFI_EXACT] = { "gpt-backup", "only on a stick of exactly this size" },
	[REASON_UEFI_UDF] = { "udf", "only firmware that reads UDF, if at all" },
	[REASON_UEFI_UNSEEN] = { "loader-unseen", "the boot partition could not be looked at" },
	[REASON_UEFI_NOT_LED_TO] = { "not-led-to",
				     "no table that firmware heeds leads to the UEFI boot loader" },
	[REASON_UEFI_NONE] = { "no-loader", "no UEFI boot loader" },

	[REASON_UNSEEN] = { "unseen", "it lies behind what can be seen of a stream" },
	[REASON_WINDOWS] = { "windows", "whether Windows finds its disc on a stick is not known" },
	[REASON_TRUNCATED] = { "truncated", "the image is truncated" },
};

const char *layout_reason_name(uint8_t reason)
{
	return reasons[reason < REASON_MAX ? reason : REASON_NONE].name;
}

const char *layout_reason_text(uint8_t reason)
{
	return _(reasons[reason < REASON_MAX ? reason : REASON_NONE].text);
}

static const char *list_sticks(const struct layout *lay, bool with_fixable, char *buf,
			       unsigned int buf_size)
{
	const struct {
		uint8_t usb;
		const char *name;
	} platforms[] = {
		{ lay->boot.bios.usb, _("BIOS") },
		{ lay->boot.uefi_x64.usb, _("UEFI x64") },
		{ lay->boot.uefi_ia32.usb, _("UEFI ia32") },
		{ lay->boot.uefi_aa64.usb, _("UEFI aa64") },
	};
	unsigned int used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(platforms) && used < buf_size; i++)
		if (platforms[i].usb == BOOT_YES ||
		    (with_fixable && platforms[i].usb == BOOT_FIXABLE))
			used += (unsigned int)snprintf(buf + used, buf_size - used, "%s%s",
						       used ? ", " : "", platforms[i].name);
	return buf;
}

const char *layout_made_for(const struct layout *lay, char *buf, unsigned int buf_size)
{
	return list_sticks(lay, false, buf, buf_size);
}

const char *layout_will_boot(const struct layout *lay, char *buf, unsigned int buf_size)
{
	return list_sticks(lay, true, buf, buf_size);
}
