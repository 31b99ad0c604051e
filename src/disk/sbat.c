// SPDX-License-Identifier: GPL-3.0-or-later
/* SBAT's lines; see sbat.h. */
#include "disk/sbat.h"

#include <string.h>

#include "base/num.h"

#define MAX_GENERATION 1000000000U /* far above any, and no overflow below */

/* component, generation, vendor, package, version, URL */
enum { COMPONENT, GENERATION, VENDOR, VERSION = 4, N_FIELDS = 6 };

struct field {
	const char *text;
	size_t len;
};

static void copy(const struct field *f, char *out, size_t size)
{
	size_t len = (size_t)num_min(f->len, size - 1);

	memcpy(out, f->text, len);
	out[len] = '\0';
}

static bool parse_generation(const struct field *f, uint32_t *ret)
{
	uint32_t v = 0;

	for (size_t i = 0; i < f->len; i++) {
		if (f->text[i] < '0' || f->text[i] > '9' || v > MAX_GENERATION / 10)
			return false;
		v = v * 10 + (uint32_t)(f->text[i] - '0');
	}
	*ret = v;
	return f->len > 0;
}

static bool parse_line(const char *line, size_t len, struct sbat_entry *ret)
{
	struct field fields[N_FIELDS];
	size_t n = 0;

	for (size_t i = 0; i < N_FIELDS; i++)
		fields[i] = (struct field){ line, 0 };
	for (size_t i = 0; i < len && n < N_FIELDS; i++) {
		if (line[i] != ',') {
			fields[n].len++;
			continue;
		}
		if (++n < N_FIELDS)
			fields[n].text = line + i + 1;
	}
	if (fields[COMPONENT].len == 0 || !parse_generation(&fields[GENERATION], &ret->generation))
		return false;
	copy(&fields[COMPONENT], ret->component, sizeof(ret->component));
	copy(&fields[VENDOR], ret->vendor, sizeof(ret->vendor));
	copy(&fields[VERSION], ret->version, sizeof(ret->version));
	return true;
}

bool sbat_next(const char *text, size_t len, size_t *pos, struct sbat_entry *ret)
{
	len = strnlen(text, len);
	while (*pos < len) {
		const char *line = text + *pos, *end = memchr(line, '\n', len - *pos);
		size_t line_len = end ? (size_t)(end - line) : len - *pos;

		*pos += line_len + (end ? 1 : 0);
		if (line_len > 0 && line[line_len - 1] == '\r')
			line_len--;
		if (parse_line(line, line_len, ret))
			return true;
	}
	return false;
}
