// SPDX-License-Identifier: GPL-3.0-or-later
/* Names and titles of what a layout holds; see layout.h. */
#include "image/layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "base/text.h"

const char *layout_kind_name(enum layout_kind kind)
{
	static const char *const names[] = {
		[LAYOUT_UNKNOWN] = "unknown",
		[LAYOUT_ISOHYBRID] = "isohybrid",
		[LAYOUT_ISO_ELTORITO] = "iso-eltorito",
		[LAYOUT_ISO_DATA] = "iso-data",
		[LAYOUT_WINDOWS] = "windows",
		[LAYOUT_UDF] = "udf",
		[LAYOUT_DISK] = "disk",
	};

	return kind < ARRAY_SIZE(names) ? names[kind] : "unknown";
}

const char *layout_mbr_code_name(uint8_t code)
{
	static const char *const names[] = {
		[MBR_CODE_NONE] = "none",         [MBR_CODE_ISOLINUX] = "isolinux",
		[MBR_CODE_GRUB2] = "grub2",       [MBR_CODE_WINDOWS] = "windows",
		[MBR_CODE_ISOWRITE] = "isowrite", [MBR_CODE_UNKNOWN] = "unknown",
		[MBR_CODE_SYSLINUX] = "syslinux", [MBR_CODE_MEMTEST] = "memtest86+",
	};

	return code < ARRAY_SIZE(names) ? names[code] : "unknown";
}

const char *layout_emulation_name(uint8_t emulation)
{
	static const char *const names[] = {
		[EMUL_NONE] = "none",   [EMUL_1_2M] = "1.2M", [EMUL_1_44M] = "1.44M",
		[EMUL_2_88M] = "2.88M", [EMUL_HDD] = "hdd",
	};

	return emulation < ARRAY_SIZE(names) ? names[emulation] : "unknown";
}

const char *layout_answer_name(uint8_t answer)
{
	static const char *const names[] = {
		[BOOT_NO] = "no",
		[BOOT_YES] = "yes",
		[BOOT_FIXABLE] = "fixable",
		[BOOT_UNKNOWN] = "unknown",
	};

	return answer < ARRAY_SIZE(names) ? names[answer] : "unknown";
}

const char *layout_platform_name(uint8_t platform, char buf[8])
{
	switch (platform) {
	case BOOT_BIOS:
		return "bios";
	case BOOT_PPC:
		return "ppc";
	case BOOT_MAC:
		return "mac";
	case BOOT_EFI:
		return "efi";
	default:
		snprintf(buf, 8, "%u", platform);
		return buf;
	}
}

void layout_add_finding(struct layout *lay, enum layout_severity severity, const char *code,
			const char *fmt, ...)
{
	struct layout_finding *finding;
	char msg[4 * sizeof(finding->message)];
	va_list ap;

	if (lay->n_findings == LAYOUT_MAX_FINDINGS)
		return;
	finding = &lay->findings[lay->n_findings++];
	finding->severity = severity;
	snprintf(finding->code, sizeof(finding->code), "%s", code);
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	/* Safe already; this cuts it at a character bound. */
	text_escape(msg, strlen(msg), finding->message, sizeof(finding->message));
}

const char *layout_title(const struct layout *lay, char *buf, unsigned int buf_size)
{
	/* Mastering programs' defaults say nothing. */
	static const char *const defaults[] = { "ISOIMAGE", "CDROM", "NEW", "MY_CD" };

	text_escape_trim(lay->volume.id, buf, buf_size);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (strcmp(buf, defaults[i]) == 0)
			buf[0] = '\0';
	return buf[0] ? buf : text_escape_trim(lay->os, buf, buf_size);
}
