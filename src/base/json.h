/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A JSON writer: output only, to memory, commas and escapes by itself. Strings
 * are made valid UTF-8 (bad bytes become U+FFFD). An allocation failure sticks
 * and is reported once, by json_finish().
 */
#ifndef ISOWRITE_BASE_JSON_H
#define ISOWRITE_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
	char *buf;
	size_t len, cap;
	bool need_comma, failed;
};

void json_init(struct json *j);
void json_done(struct json *j);

/* key is NULL inside arrays and at the top. */
void json_begin_object(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_begin_array(struct json *j, const char *key);
void json_end_array(struct json *j);
void json_string(struct json *j, const char *key, const char *value); /* NULL value: null */
void json_text(struct json *j, const char *key, const char *value); /* NULL or "": null */
void json_u64(struct json *j, const char *key, uint64_t value);
void json_double(struct json *j, const char *key, double value); /* 3 decimals, or null */
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

/* The terminated text, owned by j, or NULL if memory ran out on the way. */
const char *json_finish(struct json *j);

#endif
