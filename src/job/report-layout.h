/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A layout for people: what `isowrite inspect` shows. The JSON form is in report.h. */
#ifndef ISOWRITE_JOB_REPORT_LAYOUT_H
#define ISOWRITE_JOB_REPORT_LAYOUT_H

#include <stdbool.h>
#include <stdio.h>

#include "image/layout.h"

/*
 * Writes the lines to out. path is as the user wrote it; everything from it
 * and from the image is escaped. bytes: sizes as plain numbers.
 */
void report_layout_print(const struct layout *lay, const char *path, bool bytes, FILE *out);

/* What follows it: a line for each finding. */
void report_layout_print_findings(const struct layout *lay, FILE *out);

#endif
