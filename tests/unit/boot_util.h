/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The boot report of an image in memory, for the tests of its halves. */
#ifndef ISOWRITE_TESTS_BOOT_UTIL_H
#define ISOWRITE_TESTS_BOOT_UTIL_H

#include "image/detect.h"

#include "disc_util.h"
#include "tap.h"

static struct layout lay;

static inline void detect_as(struct image *img, bool is_device, uint32_t sector_size)
{
	struct source *src = image_source(img);
	struct error err = ERROR_INIT;

	src->is_block_device = is_device;
	src->sector_size = sector_size;
	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	source_free(src);
}

static inline void detect(struct image *img)
{
	detect_as(img, false, 512);
}

static inline bool has(const char *code)
{
	for (uint32_t i = 0; i < lay.n_findings; i++)
		if (!strcmp(lay.findings[i].code, code))
			return true;
	return false;
}

static inline void check_bios(const char *answer, const char *reason)
{
	CHECK_STR(layout_answer_name(lay.boot.bios.usb), answer);
	CHECK_STR(layout_reason_name(lay.boot.bios_reason), reason);
}

static inline void check_uefi(const char *answer, const char *reason)
{
	CHECK_STR(layout_answer_name(lay.boot.uefi_x64.usb), answer);
	CHECK_STR(layout_reason_name(lay.boot.uefi_reason), reason);
}

#endif
