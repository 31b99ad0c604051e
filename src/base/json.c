// SPDX-License-Identifier: GPL-3.0-or-later
/* The JSON writer; see json.h. RFC 8259. */
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_init(struct json *j)
{
	memset(j, 0, sizeof(*j));
}

void json_done(struct json *j)
{
	free(j->buf);
	json_init(j);
}

static void put(struct json *j, const char *s, size_t len)
{
	if (j->failed)
		return;
	if (len + 1 > j->cap - j->len) {
		size_t cap = (j->cap + len + 1) * 2;
		char *buf = realloc(j->buf, cap);

		if (!buf) {
			j->failed = true;
			return;
		}
		j->buf = buf;
		j->cap = cap;
	}
	memcpy(j->buf + j->len, s, len);
	j->len += len;
	j->buf[j->len] = '\0';
}

static void put_text(struct json *j, const char *s)
{
	put(j, s, strlen(s));
}

/* The length of the valid UTF-8 sequence at s (Unicode table 3-7), or 0. */
static size_t utf8_sequence(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return (s[1] & 0xc0) == 0x80 ? 2 : 0;
	if (s[0] >= 0xe0 && s[0] <= 0xef) {
		unsigned char low = s[0] == 0xe0 ? 0xa0 : 0x80;
		unsigned char high = s[0] == 0xed ? 0x9f : 0xbf;

		return s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 ? 3 : 0;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		unsigned char low = s[0] == 0xf0 ? 0x90 : 0x80;
		unsigned char high = s[0] == 0xf4 ? 0x8f : 0xbf;

		return s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 &&
				       (s[3] & 0xc0) == 0x80 ?
			       4 :
			       0;
	}
	return 0;
}

static void put_string(struct json *j, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	put(j, "\"", 1);
	while (*s) {
		size_t n = utf8_sequence(s);
		char esc[8];

		if (n == 0) {
			put_text(j, "\xef\xbf\xbd");
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			esc[0] = '\\';
			esc[1] = (char)*s;
			put(j, esc, 2);
		} else if (*s < 0x20 || *s == 0x7f) {
			snprintf(esc, sizeof(esc), "\\u%04x", *s);
			put_text(j, esc);
		} else {
			put(j, (const char *)s, n);
		}
		s += n;
	}
	put(j, "\"", 1);
}

static void begin_value(struct json *j, const char *key)
{
	if (j->need_comma)
		put(j, ",", 1);
	if (key) {
		put_string(j, key);
		put(j, ":", 1);
	}
	j->need_comma = true;
}

void json_begin_object(struct json *j, const char *key)
{
	begin_value(j, key);
	put(j, "{", 1);
	j->need_comma = false;
}

void json_end_object(struct json *j)
{
	put(j, "}", 1);
	j->need_comma = true;
}

void json_begin_array(struct json *j, const char *key)
{
	begin_value(j, key);
	put(j, "[", 1);
	j->need_comma = false;
}

void json_end_array(struct json *j)
{
	put(j, "]", 1);
	j->need_comma = true;
}

void json_string(struct json *j, const char *key, const char *value)
{
	if (!value) {
		json_null(j, key);
		return;
	}
	begin_value(j, key);
	put_string(j, value);
}

void json_text(struct json *j, const char *key, const char *value)
{
	json_string(j, key, value && value[0] ? value : NULL);
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	char text[24];

	begin_value(j, key);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_text(j, text);
}

void json_double(struct json *j, const char *key, double value)
{
	double milli = value * 1000;
	char text[48];
	uint64_t n;

	/* JSON has no infinities, and a double has no exact thousandths beyond 2^53. */
	if (!(milli > -0x1p53 && milli < 0x1p53)) {
		json_null(j, key);
		return;
	}
	/* Not by %f, whose decimal point depends on the locale. */
	n = (uint64_t)((milli < 0 ? -milli : milli) + 0.5);
	begin_value(j, key);
	snprintf(text, sizeof(text), "%s%" PRIu64 ".%03" PRIu64, milli < 0 && n > 0 ? "-" : "",
		 n / 1000, n % 1000);
	put_text(j, text);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	put_text(j, value ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	begin_value(j, key);
	put_text(j, "null");
}

const char *json_finish(struct json *j)
{
	return j->failed ? NULL : j->buf;
}
