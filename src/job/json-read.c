// SPDX-License-Identifier: GPL-3.0-or-later
/* The strict JSON reader; see json-read.h. */
#include "job/json-read.h"

#include <stdlib.h>
#include <string.h>

struct reader {
	const char *p, *end;
	struct json_doc *doc;
	unsigned int depth;
};

static bool read_value(struct reader *r);

static void skip_blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

static bool take(struct reader *r, char c)
{
	skip_blanks(r);
	if (r->p >= r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* Index of a new value, or UINT32_MAX. */
static uint32_t add_value(struct reader *r, enum json_type type)
{
	struct json_doc *doc = r->doc;

	if (doc->n == doc->cap) {
		uint32_t cap = doc->cap ? doc->cap * 2 : 256;
		struct json_value *values;

		if (doc->n >= JSON_READ_MAX_VALUES)
			return UINT32_MAX;
		values = realloc(doc->values, cap * sizeof(*values));
		if (!values)
			return UINT32_MAX;
		doc->values = values;
		doc->cap = cap;
	}
	doc->values[doc->n] = (struct json_value){ .type = type, .text = r->p };
	return doc->n++;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool read_escape(struct reader *r)
{
	if (r->p >= r->end)
		return false;
	if (*r->p != 'u')
		return memchr("\"\\/bfnrt", *r->p++, 8) != NULL;
	r->p++;
	for (int i = 0; i < 4; i++) {
		if (r->p >= r->end || !is_hex(*r->p++))
			return false;
	}
	return true;
}

static bool read_string(struct reader *r)
{
	uint32_t i;

	if (!take(r, '"'))
		return false;
	i = add_value(r, JSON_STRING);
	if (i == UINT32_MAX)
		return false;
	while (r->p < r->end && *r->p != '"') {
		if ((unsigned char)*r->p < 0x20)
			return false;
		if (*r->p++ == '\\' && !read_escape(r))
			return false;
	}
	if (r->p >= r->end)
		return false;
	r->doc->values[i].len = (size_t)(r->p++ - r->doc->values[i].text);
	r->doc->values[i].next = r->doc->n;
	return true;
}

static size_t read_digits(struct reader *r)
{
	const char *start = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return (size_t)(r->p - start);
}

static bool read_number(struct reader *r)
{
	uint32_t i = add_value(r, JSON_NUMBER);
	const char *start = r->p;
	size_t digits;

	if (i == UINT32_MAX)
		return false;
	if (*r->p == '-')
		r->p++;
	digits = read_digits(r);
	if (digits == 0 || (digits > 1 && r->p[-(ptrdiff_t)digits] == '0'))
		return false;
	if (r->p < r->end && *r->p == '.') {
		r->p++;
		if (read_digits(r) == 0)
			return false;
	}
	if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
		r->p++;
		if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
			r->p++;
		if (read_digits(r) == 0)
			return false;
	}
	r->doc->values[i].len = (size_t)(r->p - start);
	r->doc->values[i].next = r->doc->n;
	return true;
}

static bool read_word(struct reader *r, const char *word, enum json_type type)
{
	size_t len = strlen(word);
	uint32_t i;

	if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0)
		return false;
	i = add_value(r, type);
	if (i == UINT32_MAX)
		return false;
	r->p += len;
	r->doc->values[i].len = len;
	r->doc->values[i].next = r->doc->n;
	return true;
}

/* Ends: every round consumes text. */
static bool read_container(struct reader *r, enum json_type type)
{
	char close = type == JSON_ARRAY ? ']' : '}';
	uint32_t i = add_value(r, type), n = 0;

	if (i == UINT32_MAX || ++r->depth > JSON_READ_MAX_DEPTH)
		return false;
	r->p++;
	if (!take(r, close)) {
		do {
			if (type == JSON_OBJECT && (!read_string(r) || !take(r, ':')))
				return false;
			if (!read_value(r))
				return false;
			n++;
		} while (take(r, ','));
		if (!take(r, close))
			return false;
	}
	r->depth--;
	r->doc->values[i].n = n;
	r->doc->values[i].next = r->doc->n;
	return true;
}

static bool read_value(struct reader *r)
{
	skip_blanks(r);
	if (r->p >= r->end)
		return false;
	switch (*r->p) {
	case '{':
		return read_container(r, JSON_OBJECT);
	case '[':
		return read_container(r, JSON_ARRAY);
	case '"':
		return read_string(r);
	case 't':
		return read_word(r, "true", JSON_BOOL);
	case 'f':
		return read_word(r, "false", JSON_BOOL);
	case 'n':
		return read_word(r, "null", JSON_NULL);
	default:
		return (*r->p == '-' || (*r->p >= '0' && *r->p <= '9')) && read_number(r);
	}
}

int json_read(const char *text, size_t len, struct json_doc *ret)
{
	struct json_doc doc = { 0 };
	struct reader r = { .p = text, .end = text + len, .doc = &doc };

	if (!read_value(&r))
		goto fail;
	skip_blanks(&r);
	if (r.p != r.end)
		goto fail;
	*ret = doc;
	return 0;
fail:
	json_read_done(&doc);
	return -1;
}

void json_read_done(struct json_doc *doc)
{
	free(doc->values);
	*doc = (struct json_doc){ 0 };
}

bool json_is_text(const struct json_value *value, const char *text)
{
	return value && value->type == JSON_STRING && value->len == strlen(text) &&
	       memcmp(value->text, text, value->len) == 0;
}

const struct json_value *json_member(const struct json_doc *doc, const struct json_value *object,
				     const char *key)
{
	uint32_t i;

	if (!object || object->type != JSON_OBJECT)
		return NULL;
	i = (uint32_t)(object - doc->values) + 1;
	for (uint32_t k = 0; k < object->n; k++) {
		if (json_is_text(&doc->values[i], key))
			return &doc->values[i + 1];
		i = doc->values[i + 1].next;
	}
	return NULL;
}

const struct json_value *json_first(const struct json_doc *doc, const struct json_value *array)
{
	if (!array || array->type != JSON_ARRAY || array->n == 0)
		return NULL;
	return &doc->values[(uint32_t)(array - doc->values) + 1];
}

const struct json_value *json_next(const struct json_doc *doc, const struct json_value *value)
{
	return &doc->values[value->next];
}

bool json_get_u64(const struct json_value *value, uint64_t *ret)
{
	uint64_t v = 0;

	if (!value || value->type != JSON_NUMBER || value->len > 16)
		return false;
	for (size_t i = 0; i < value->len; i++) {
		if (value->text[i] < '0' || value->text[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(value->text[i] - '0');
	}
	if (v >= UINT64_C(1) << 53)
		return false;
	*ret = v;
	return true;
}
