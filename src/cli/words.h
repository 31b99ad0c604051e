/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said about a report: the block that identifies image and targets
 * before the question, and the closing words. The wording is the interface's;
 * golden transcripts hold it. Nothing here knows terminals or colour.
 */
#ifndef ISOWRITE_CLI_WORDS_H
#define ISOWRITE_CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "job/report.h"

#define WORDS_WIDTH 79 /* columns of wrapped text */

/* "0.4 s", "1:52", "1:02:03". At least 24 bytes. */
const char *words_duration(double seconds, char *buf, size_t size);

/* "55 MB/s", "1.2 GB/s". At least 24 bytes. */
const char *words_speed(double bytes_per_second, char *buf, size_t size);

/* Prints text broken at blanks to lines of WORDS_WIDTH; the first keeps its own leading blanks. */
void words_wrap(FILE *out, const char *text, unsigned int indent);

/* A content for people: FAT32 "KEY", mounted on /media/anna/KEY. Escaped. */
const char *words_content(const struct device_content *content, char *buf, size_t size);

/* "Ubuntu 24.04" in quotes, or the file's name: escaped. */
const char *words_image(const struct report *r, char *buf, size_t size);

/* Image, Target and ERASES lines of every target that is still in. bytes: plain numbers. */
void words_print_identity(FILE *out, const struct report *r, bool bytes);

/* Of targets that were written or checked: the sentences on standard output. */
void words_print_results(FILE *out, const struct report *r, bool verbose);

#endif
