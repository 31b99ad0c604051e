/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Secure Boot thinks of an image, as text and as JSON. */
#ifndef ISOWRITE_JOB_REPORT_SECURE_BOOT_H
#define ISOWRITE_JOB_REPORT_SECURE_BOOT_H

#include <stdio.h>

#include "base/json.h"
#include "image/secure-boot.h"

/* Nothing where there is no UEFI program and the user gave no list. */
void report_secure_boot_print(const struct secure_boot *sb, FILE *out);

/* The member secure_boot: an array, or null where the image could not be looked at. */
void report_secure_boot_to_json(const struct secure_boot *sb, struct json *j);

#endif
