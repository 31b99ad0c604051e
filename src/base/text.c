// SPDX-License-Identifier: GPL-3.0-or-later
/* Strings from images, devices and users, made safe to print; see text.h. */
#include "base/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

/* Decodes one UTF-8 sequence of at most len bytes (Unicode table 3-7); 0 if it is not valid. */
static size_t decode_utf8(const unsigned char *s, size_t len, uint32_t *ret_char)
{
	uint32_t c, smallest;
	size_t n;

	if (s[0] < 0x80) {
		*ret_char = s[0];
		return 1;
	}
	if ((s[0] & 0xe0) == 0xc0) {
		n = 2;
		c = s[0] & 0x1f;
		smallest = 0x80;
	} else if ((s[0] & 0xf0) == 0xe0) {
		n = 3;
		c = s[0] & 0x0f;
		smallest = 0x800;
	} else if ((s[0] & 0xf8) == 0xf0) {
		n = 4;
		c = s[0] & 0x07;
		smallest = 0x10000;
	} else {
		return 0;
	}
	if (len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < smallest || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_char = c;
	return n;
}

/* Controls, and characters that are invisible or reorder what stands around them. */
static bool is_unsafe_char(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} unsafe[] = {
		{ 0x00, 0x1f },     { 0x7f, 0x9f },     { 0xad, 0xad }, /* soft hyphen */
		{ 0x61c, 0x61c },                                       /* Arabic letter mark */
		{ 0x180e, 0x180e }, { 0x200b, 0x200f }, /* zero width, direction marks */
		{ 0x2028, 0x202e },                     /* separators, embeddings, overrides */
		{ 0x2060, 0x206f }, /* joiners, isolates, deprecated format characters */
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f }, /* tags */
	};

	for (size_t i = 0; i < ARRAY_SIZE(unsafe); i++)
		if (c >= unsafe[i].first && c <= unsafe[i].last)
			return true;
	return false;
}

/* The length of the safe character at s, or 0 if its first byte must be escaped. */
static size_t safe_char(const char *s, size_t len)
{
	uint32_t c;
	size_t n = decode_utf8((const unsigned char *)s, len, &c);

	return n > 0 && !is_unsafe_char(c) ? n : 0;
}

const char *text_escape(const char *s, size_t len, char *out, size_t out_size)
{
	size_t used = 0;

	len = strnlen(s, len);
	for (size_t i = 0; i < len;) {
		size_t n = safe_char(s + i, len - i);
		size_t need = n > 0 ? n : 4;

		if (need >= out_size - used)
			break;
		if (n > 0)
			memcpy(out + used, s + i, n);
		else
			snprintf(out + used, out_size - used, "\\x%02x", (unsigned char)s[i]);
		used += need;
		i += n > 0 ? n : 1;
	}
	out[used] = '\0';
	return out;
}

const char *text_escape_trim(const char *s, char *out, size_t out_size)
{
	size_t len;

	s += strspn(s, " \t\r\n");
	len = strlen(s);
	while (len > 0 && strchr(" \t\r\n", s[len - 1]))
		len--;
	return text_escape(s, len, out, out_size);
}

/* Appends n bytes unless out would overflow; *used then becomes out_size. */
static void append(char *out, size_t out_size, size_t *used, const char *s, size_t n)
{
	if (*used >= out_size || n >= out_size - *used) {
		*used = out_size;
		return;
	}
	memcpy(out + *used, s, n);
	*used += n;
}

static bool is_quote_ascii;

void text_quote_ascii(bool ascii)
{
	is_quote_ascii = ascii;
}

/* As safe_char, for a word that has to come through the terminal and back. */
static size_t quotable_char(const char *s, size_t len)
{
	size_t n = safe_char(s, len);

	return n > 1 && is_quote_ascii ? 0 : n;
}

/* 0: harmless as it is; 1: needs single quotes; 2: holds bytes that need $'...'. */
static unsigned int quoting_needed(const char *s, size_t len)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789%+,-./:=@_";
	unsigned int level = len == 0 || s[0] == '~' ? 1 : 0;

	for (size_t i = 0; i < len;) {
		size_t n = quotable_char(s + i, len - i);

		if (n == 0)
			return 2;
		if (n > 1 || !strchr(harmless, s[i]))
			level = 1;
		i += n;
	}
	return level;
}

const char *text_shell_quote(const char *s, char *out, size_t out_size)
{
	size_t len = strlen(s), used = 0;
	unsigned int level = quoting_needed(s, len);

	if (level > 0)
		append(out, out_size, &used, level == 2 ? "$'" : "'", level == 2 ? 2 : 1);
	for (size_t i = 0; i < len;) {
		size_t n = quotable_char(s + i, len - i);
		char hex[8];

		if (n == 0) {
			/* Octal: three digits always, so that a digit behind it is not taken in. */
			snprintf(hex, sizeof(hex), "\\%03o", (unsigned char)s[i]);
			append(out, out_size, &used, hex, 4);
			i++;
			continue;
		}
		if (level == 2 && (s[i] == '\'' || s[i] == '\\'))
			append(out, out_size, &used, "\\", 1);
		if (level == 1 && s[i] == '\'')
			append(out, out_size, &used, "'\\''", 4);
		else
			append(out, out_size, &used, s + i, n);
		i += n;
	}
	if (level > 0)
		append(out, out_size, &used, "'", 1);
	/* Half a quoted word would name another file: rather nothing. */
	out[used < out_size ? used : 0] = '\0';
	return out;
}

#define DISTANCE_MAX_LEN 64

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
unsigned int text_distance(const char *a, const char *b, unsigned int limit)
{
	unsigned int rows[3][DISTANCE_MAX_LEN + 1];
	unsigned int *before = rows[0], *above = rows[1], *row = rows[2];
	size_t la = strlen(a), lb = strlen(b);
	unsigned int d;

	if (la > DISTANCE_MAX_LEN || lb > DISTANCE_MAX_LEN)
		return strcmp(a, b) == 0 ? 0 : limit + 1;
	for (size_t j = 0; j <= lb; j++)
		above[j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int *oldest = before;

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int differs = a[i - 1] != b[j - 1];

			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + differs);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min3(row[j], before[j - 2] + 1, row[j]);
		}
		before = above;
		above = row;
		row = oldest;
	}
	d = above[lb];
	return d > limit ? limit + 1 : d;
}

unsigned int text_nearness(const char *word, const char *name)
{
	size_t len = strlen(name), typed = strlen(word);
	char lower_word[DISTANCE_MAX_LEN + 1], lower_name[DISTANCE_MAX_LEN + 1];
	unsigned int limit = len >= 8 ? 3 : (unsigned int)(len + 1) / 3, d;

	if (typed == 0 || len > DISTANCE_MAX_LEN || typed > DISTANCE_MAX_LEN)
		return TEXT_FAR;
	for (size_t i = 0; i <= typed; i++)
		lower_word[i] = (char)tolower((unsigned char)word[i]);
	for (size_t i = 0; i <= len; i++)
		lower_name[i] = (char)tolower((unsigned char)name[i]);
	d = text_distance(lower_word, lower_name, 3);
	if (d > 1 && typed >= 3 && strncmp(lower_word, lower_name, typed) == 0)
		return 1;
	return d <= limit ? d : TEXT_FAR;
}

const char *text_nearest(const char *word, const char *const names[], size_t n)
{
	unsigned int best_distance = TEXT_FAR;
	const char *best = NULL;

	for (size_t i = 0; i < n; i++) {
		unsigned int d = text_nearness(word, names[i]);

		if (d == TEXT_FAR || d > best_distance)
			continue;
		best = d == best_distance ? NULL : names[i];
		best_distance = d;
	}
	return best;
}
