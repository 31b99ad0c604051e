/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A strict JSON reader (RFC 8259) over text in memory, for receipts: untrusted
 * input, so nothing is copied, nesting and the number of values are limited.
 *
 * Values lie in one array in the order of the text; a container's members
 * follow it, and `next` leads past them. In an object a key and its value
 * come in turn.
 */
#ifndef ISOWRITE_JOB_JSON_READ_H
#define ISOWRITE_JOB_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
	enum json_type type;
	const char *text; /* JSON_STRING: without quotes, escapes as they are */
	size_t len;
	uint32_t n; /* JSON_ARRAY: elements; JSON_OBJECT: pairs */
	uint32_t next; /* index of the value behind this one and all its members */
};

struct json_doc {
	struct json_value *values;
	uint32_t n, cap;
};

#define JSON_READ_MAX_VALUES 1000000
#define JSON_READ_MAX_DEPTH 16

/* 0, or -1: not JSON, too deep or too many values. values[0] is the root. */
int json_read(const char *text, size_t len, struct json_doc *ret);
void json_read_done(struct json_doc *doc);

/* The value of a key of an object, or NULL. */
const struct json_value *json_member(const struct json_doc *doc, const struct json_value *object,
				     const char *key);

/* Element i, found by walking; NULL beyond the end or if it is no array. */
const struct json_value *json_first(const struct json_doc *doc, const struct json_value *array);
const struct json_value *json_next(const struct json_doc *doc, const struct json_value *value);

/* A whole number below 2^53 without sign, fraction or exponent. */
bool json_get_u64(const struct json_value *value, uint64_t *ret);
bool json_is_text(const struct json_value *value, const char *text);

#endif
