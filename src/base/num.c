// SPDX-License-Identifier: GPL-3.0-or-later
/* Parsing and printing of sizes; see num.h. */
#include "base/num.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int num_parse_hex(const char *text, size_t n, uint8_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text[2 * i]);
		/* The second one exists only if the first is not the terminator. */
		int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

		if (low < 0)
			return -1;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

int num_parse_size(const char *s, uint64_t *ret_size, struct error *err)
{
	static const char letters[] = "kmgtpe";
	const char *unit, *letter;
	uint64_t value, base;
	char *end;

	errno = 0;
	if (!isdigit((unsigned char)s[0]))
		goto bad;
	value = strtoull(s, &end, 10);
	if (errno)
		goto bad;
	unit = end;
	if (*unit) {
		letter = strchr(letters, tolower((unsigned char)*unit));
		if (!letter)
			goto bad;
		unit++;
		if (!strcmp(unit, "B"))
			base = 1000;
		else if (!*unit || !strcmp(unit, "iB"))
			base = 1024;
		else
			goto bad;
		for (const char *p = letters; p <= letter; p++)
			if (__builtin_mul_overflow(value, base, &value))
				goto bad;
	}
	*ret_size = value;
	return 0;
bad:
	return error_set(err, ERROR_USAGE, "bad-size",
			 _("Not a size; write for example 16GB, 512MiB or a number of bytes."));
}

/*
 * size in the largest unit that gives at least 1, one decimal below 10 (base
 * 1024: below 100). What rounds up to a whole next unit is shown as that.
 */
static const char *format_scaled(char *buf, size_t buf_size, uint64_t size, unsigned int base,
				 const char *const *units)
{
	double limit = base == 1024 ? 99.95 : 9.95;
	uint64_t unit = 1;
	double v;

	if (size < base) {
		snprintf(buf, buf_size, "%" PRIu64 " %s", size, *units);
		return buf;
	}
	while (units[1] && (double)size / (double)unit >= base - 0.5) {
		unit *= base;
		units++;
	}
	v = (double)size / (double)unit;
	snprintf(buf, buf_size, v < limit ? "%.1f %s" : "%.0f %s", v, *units);
	return buf;
}

const char *num_format_size(char *buf, size_t buf_size, uint64_t size)
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB", "PB", "EB", NULL };

	return format_scaled(buf, buf_size, size, 1000, units);
}

const char *num_format_stick_size(char *buf, size_t buf_size, uint64_t size)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB",
					     "PiB",   "EiB", NULL };
	char dec[NUM_SIZE_LEN], bin[NUM_SIZE_LEN];

	num_format_size(dec, sizeof(dec), size);
	if (size < 1000)
		snprintf(buf, buf_size, "%s", dec);
	else
		snprintf(buf, buf_size, "%s (%s)", dec,
			 format_scaled(bin, sizeof(bin), size, 1024, units));
	return buf;
}

const char *num_format_bytes(char *buf, size_t buf_size, uint64_t size)
{
	char digits[24];
	size_t len, out = 0;

	snprintf(digits, sizeof(digits), "%" PRIu64, size);
	len = strlen(digits);
	for (size_t i = 0; i < len && out + 2 < buf_size; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf[out++] = ',';
		buf[out++] = digits[i];
	}
	buf[out] = '\0';
	return buf;
}
