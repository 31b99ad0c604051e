/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one place that makes strings from images and devices safe to print.
 */
#ifndef ISOWRITE_BASE_TEXT_H
#define ISOWRITE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies at most len bytes of s (stops at NUL) into out (out_size > 0), always
 * terminated. Bytes below 0x20, 0x7f, C1 controls, bidi and zero-width
 * characters, and bytes that are not valid UTF-8 become \xNN. Cut at a
 * character bound. Returns out.
 */
const char *text_escape(const char *s, size_t len, char *out, size_t out_size);

/* text_escape of a terminated string, with leading and trailing blanks dropped. */
const char *text_escape_trim(const char *s, char *out, size_t out_size);

/*
 * Quotes s for pasting into a POSIX shell: unchanged if it holds only harmless
 * characters, else in single quotes; control bytes come as $'...' escapes, and
 * so does everything outside ASCII after text_quote_ascii(true).
 */
const char *text_shell_quote(const char *s, char *out, size_t out_size);

/* For locales that are not UTF-8: once, at start. */
void text_quote_ascii(bool ascii);

/* Edit distance for suggestions, capped at limit + 1. */
unsigned int text_distance(const char *a, const char *b, unsigned int limit);

#define TEXT_FAR 4

/*
 * How far a word is from a name that may be meant by it, case aside: 0 to 3 edits, at most a
 * third of the name; or the name's beginning (three characters or more) counts as 1. TEXT_FAR:
 * it is another word.
 */
unsigned int text_nearness(const char *word, const char *name);

/* The name that may be meant by word; NULL if none is near, or two are as near. */
const char *text_nearest(const char *word, const char *const names[], size_t n);

#endif
