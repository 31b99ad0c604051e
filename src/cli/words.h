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

#define WORDS_INDENT 9 /* of the second column of the block before the question */
#define WORDS_WIDTH 79 /* columns of wrapped text where no narrower terminal is known */

/* How to print: width of wrapped text, sizes as plain numbers, digests and serial numbers too. */
struct words {
	unsigned int width;
	bool bytes, verbose;
};

/* For a terminal of so many columns (0: none). */
struct words words_for(unsigned int columns, bool bytes, bool verbose);

/* "0.4 s", "1:52", "1:02:03". At least 24 bytes. */
const char *words_duration(double seconds, char *buf, size_t size);

/* "55 MB/s", "1.2 GB/s". At least 24 bytes. */
const char *words_speed(double bytes_per_second, char *buf, size_t size);

/*
 * Prints text broken at blanks to lines of the width, all but the first
 * indented; the first keeps its own leading blanks. words_wrap: WORDS_WIDTH.
 */
void words_fill(FILE *out, const struct words *how, const char *text, unsigned int indent);
void words_wrap(FILE *out, const char *text, unsigned int indent);

#define WORDS_MESSAGE_INDENT 2

/*
 * A message that begins in the given column, for a terminal of so many columns (0: none, nothing
 * is broken): broken at blanks, and a sentence rather begins a line than being broken. A line of
 * the text that begins with a blank is a command to paste: it stays whole, whatever its length.
 */
void words_message(FILE *out, unsigned int columns, unsigned int column, const char *text);

/* "6.2 GB", or with -b "6203355136 bytes". At least NUM_SIZE_LEN bytes. */
const char *words_size(bool bytes, uint64_t n, char *buf, size_t size);

/*
 * Prints the lines of a table, those that are wider than the terminal (columns, 0: none) broken at
 * the last blank that fits; what follows stands below the last column.
 */
void words_fold(FILE *out, unsigned int columns, const char *text);

/* A content for people: FAT32 "KEY", mounted on /media/anna/KEY. Escaped. */
const char *words_content(const struct device_content *content, char *buf, size_t size);

/* 'one exFAT volume "KEY", 256 GB': escaped. */
const char *words_volume(const struct format_volume *v, bool bytes, char *buf, size_t size);

/* "Ubuntu 24.04" in quotes, or the file's name: escaped. */
const char *words_image(const struct report *r, char *buf, size_t size);

/*
 * "hybrid: 3 ranges (34 kB) differ from the image, so that ...": of a plan that is not the image.
 * At least 512 bytes.
 */
const char *words_changes(const struct report *r, const struct report_plan *rp, char *buf,
			  size_t size);

/* Image, Target, ERASES and (of format) BECOMES lines of every target that is still in. */
void words_print_identity(FILE *out, const struct words *how, const struct report *r);

/* Of targets that were written or checked: the sentences on standard output. */
void words_print_results(FILE *out, const struct words *how, const struct report *r);

/* read: the source before it is read, and what is in the file afterwards. */
void words_print_source(FILE *out, const struct words *how, const struct report *r);
void words_print_read(FILE *out, const struct words *how, const struct report *r);

/* write --backup: where it is and how to put it back, also when the write failed. */
void words_print_backups(FILE *out, const struct words *how, const struct report *r);

#endif
