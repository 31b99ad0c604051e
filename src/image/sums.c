// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads lists of digests; see sums.h. Every loop goes over bytes that are there, once. */
#include "image/sums.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "base/utf16.h"

#define MAX_ALG_LEN 24
#define MIN_DAMAGED 24     /* digits, below which a word is no digest that was cut */
#define MIN_DAMAGED_HINT 6 /* the same in a list that is known to be one */
#define N_ROOM 64

/* A piece of the text. */
struct span {
	char *s;
	size_t len;
};

struct parser {
	struct sums *ret;
	const char *hint;    /* of the list's name */
	const char *section; /* of the last heading */
	uint32_t line;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static struct span trim(struct span in)
{
	while (in.len > 0 && is_blank(in.s[0])) {
		in.s++;
		in.len--;
	}
	while (in.len > 0 && is_blank(in.s[in.len - 1]))
		in.len--;
	return in;
}

static int add(struct parser *p, const struct sums_entry *entry, struct error *err)
{
	struct sums *s = p->ret;

	if (s->n_entries == s->n_room) {
		size_t room = s->n_room ? 2 * s->n_room : N_ROOM;
		struct sums_entry *entries = realloc(s->entries, room * sizeof(*entries));

		if (!entries)
			return error_set_nomem(err);
		s->entries = entries;
		s->n_room = room;
	}
	s->entries[s->n_entries] = *entry;
	s->entries[s->n_entries++].line = p->line;
	s->has_names = s->has_names || entry->name;
	return 0;
}

/* GNU's escapes of a name, in place. -1: it has others. */
static int unescape(struct span *name)
{
	size_t n = 0;

	for (size_t i = 0; i < name->len; i++) {
		char c = name->s[i];

		if (c == '\\') {
			if (++i == name->len)
				return -1;
			c = name->s[i];
			if (c == 'n')
				c = '\n';
			else if (c == 'r')
				c = '\r';
			else if (c != '\\')
				return -1;
		}
		name->s[n++] = c;
	}
	name->len = n;
	return 0;
}

static int add_named(struct parser *p, struct sums_entry *entry, struct span name, bool is_escaped,
		     struct error *err)
{
	if (is_escaped && unescape(&name) < 0)
		return 0;
	entry->name = name.s;
	entry->name_len = name.len;
	return add(p, entry, err);
}

/* The algorithm that a word names, alone or as SHA256SUM(S); NULL: none. */
static const char *alg_of_word(const char *word, size_t len)
{
	char text[MAX_ALG_LEN];

	if (len > 4 && strncasecmp(word + len - 4, "sums", 4) == 0)
		len -= 4;
	else if (len > 3 && strncasecmp(word + len - 3, "sum", 3) == 0)
		len -= 3;
	if (len == 0 || len >= sizeof(text))
		return NULL;
	memcpy(text, word, len);
	text[len] = '\0';
	if (strcasecmp(text, "sha3") == 0)
		return "sha3";
	/* Used of several. */
	if (strcasecmp(text, "sha") == 0)
		return NULL;
	return hash_alg_name(text);
}

/* Where the name in brackets ends that a "=" and the digest follow; 0: there is none. */
static size_t find_name_end(struct span line, size_t start, size_t *ret_value)
{
	/* The last one, as in coreutils: a name may hold ") =". Base64 ends with "=", too. */
	for (size_t i = line.len; i > start; i--) {
		size_t end = i - 1;

		if (line.s[end] != '=')
			continue;
		while (end > start && is_blank(line.s[end - 1]))
			end--;
		if (end > start && line.s[end - 1] == ')') {
			*ret_value = i;
			return end - 1;
		}
	}
	return 0;
}

/* SHA256 (name) = HEX. 1: it was such a line, whether an entry or not. */
static int parse_tagged(struct parser *p, struct span line, bool is_escaped, struct error *err)
{
	struct sums_entry entry = { .alg = NULL };
	char word[MAX_ALG_LEN];
	struct span value;
	size_t n = 0, start, end, after;

	while (n < line.len && n < sizeof(word) - 1 &&
	       (is_alnum(line.s[n]) || line.s[n] == '-' || line.s[n] == '/' || line.s[n] == '_'))
		n++;
	memcpy(word, line.s, n);
	word[n] = '\0';
	start = n;
	while (start < line.len && is_blank(line.s[start]))
		start++;
	if (n == 0 || start == line.len || line.s[start] != '(')
		return 0;
	start++;
	end = find_name_end(line, start, &after);
	if (end == 0)
		return 0;
	entry.alg = hash_alg_name(word);
	if (!entry.alg)
		return 1;
	value = trim((struct span){ line.s + after, line.len - after });
	if (digest_parse(entry.alg, value.s, value.len, &entry.digest) < 0)
		entry.digest.len = 0;
	if (add_named(p, &entry, (struct span){ line.s + start, end - start }, is_escaped, err) < 0)
		return -1;
	return 1;
}

/* What a digest of so many bytes in an untagged line is; NULL: none that is known. */
static const char *alg_of_size(const struct parser *p, size_t size)
{
	static const char *const sha3[] = { "sha3-256", "sha3-384", "sha3-512" };
	const char *hint = p->hint ? p->hint : p->section;

	if (hint && strcmp(hint, "sha3") == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(sha3); i++) {
			if (hash_alg_size(sha3[i]) == size)
				return sha3[i];
		}
	} else if (hint && hash_alg_size(hint) == size) {
		return hint;
	}
	/* A heading may be about something else; the list's name is not. */
	return p->hint ? NULL : hash_alg_by_size(size);
}

/* Is this word of an untagged line a digest that something has happened to? */
static bool is_damaged(const struct parser *p, struct span word)
{
	size_t n_hex = 0;

	for (size_t i = 0; i < word.len; i++) {
		if (!is_alnum(word.s[i]))
			return false;
		n_hex += is_hex(word.s[i]);
	}
	if (n_hex == word.len)
		return word.len >= (p->hint ? MIN_DAMAGED_HINT : MIN_DAMAGED);
	return word.len % 2 == 0 && hash_alg_by_size(word.len / 2);
}

/* HEX name, HEX *name, HEX. 1: it was such a line. */
static int parse_untagged(struct parser *p, struct span line, bool is_escaped, struct error *err)
{
	struct sums_entry entry = { .alg = NULL };
	struct span word = { line.s, 0 }, name;
	size_t n_between;

	while (word.len < line.len && !is_blank(line.s[word.len]))
		word.len++;
	if (word.len == 0)
		return 0;
	entry.alg = alg_of_size(p, word.len / 2);
	if (!entry.alg || word.len % 2 != 0 || 2 * hash_alg_size(entry.alg) != word.len ||
	    digest_parse(entry.alg, word.s, word.len, &entry.digest) < 0) {
		if (!is_damaged(p, word))
			return 0;
		entry.alg = p->hint && strcmp(p->hint, "sha3") != 0 ? p->hint : NULL;
		entry.digest.len = 0;
	}
	name = (struct span){ line.s + word.len, line.len - word.len };
	if (trim(name).len == 0)
		return add(p, &entry, err) < 0 ? -1 : 1;
	/* Two blanks, or one and the "*" of a file that was read as binary; BSD has one. */
	n_between = name.len > 1 && (name.s[1] == ' ' || name.s[1] == '*') ? 2 : 1;
	name.s += n_between;
	name.len -= n_between;
	return add_named(p, &entry, name, is_escaped, err) < 0 ? -1 : 1;
}

static bool is_heading_word(const char *word, size_t len)
{
	static const char *const words[] = { "hash",     "hashes",    "sum",    "sums",
					     "checksum", "checksums", "digest", "digests" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i]) == len && strncasecmp(words[i], word, len) == 0)
			return true;
	}
	return false;
}

/* "# SHA512 HASH", "### SHA256SUMS:", "[MD5]": an algorithm, and nothing else of meaning. */
static void parse_heading(struct parser *p, struct span line)
{
	static const char around[] = "#=-[]*: \t";
	const char *alg = NULL;

	for (size_t i = 0; i < line.len;) {
		size_t n = 0;

		if (memchr(around, line.s[i], sizeof(around) - 1)) {
			i++;
			continue;
		}
		while (i + n < line.len && !memchr(":] \t", line.s[i + n], 4))
			n++;
		if (!alg) {
			alg = alg_of_word(line.s + i, n);
			if (!alg)
				return;
		} else if (!is_heading_word(line.s + i, n)) {
			return;
		}
		i += n;
	}
	if (alg)
		p->section = alg;
}

static int parse_line(struct parser *p, struct span line, struct error *err)
{
	bool is_escaped;
	int rc;

	/* Blanks at its end may be the name's. */
	while (line.len > 0 && is_blank(line.s[0])) {
		line.s++;
		line.len--;
	}
	if (line.len == 0 || memchr(line.s, '\0', line.len))
		return 0;
	if (line.s[0] == '#' || line.s[0] == ';') {
		parse_heading(p, line);
		return 0;
	}
	is_escaped = line.s[0] == '\\';
	if (is_escaped) {
		line.s++;
		line.len--;
	}
	rc = parse_tagged(p, line, is_escaped, err);
	if (rc == 0)
		rc = parse_untagged(p, line, is_escaped, err);
	if (rc == 0)
		parse_heading(p, line);
	return rc < 0 ? -1 : 0;
}

/* Takes the next line off the text, without its end. */
static bool next_line(struct span *text, struct span *ret)
{
	char *end;

	if (text->len == 0)
		return false;
	ret->s = text->s;
	end = memchr(text->s, '\n', text->len);
	ret->len = end ? (size_t)(end - text->s) : text->len;
	text->s += end ? ret->len + 1 : ret->len;
	text->len -= end ? ret->len + 1 : ret->len;
	while (ret->len > 0 && ret->s[ret->len - 1] == '\r')
		ret->len--;
	return true;
}

/* An armor line, behind which blanks may stand. */
static bool is_armor(struct span line, const char *armor)
{
	size_t len = strlen(armor);

	while (line.len > 0 && is_blank(line.s[line.len - 1]))
		line.len--;
	return line.len == len && memcmp(line.s, armor, len) == 0;
}

/*
 * A clearsigned text: *text becomes what was signed. Headers end with an empty line
 * (RFC 9580, 7.1); the text ends where its signature begins.
 */
static void enter_clearsigned(struct parser *p, struct span *text)
{
	struct span rest = *text, line, body;
	uint32_t n = 0;

	do {
		if (!next_line(&rest, &line))
			return;
		n++;
	} while (!is_armor(line, "-----BEGIN PGP SIGNED MESSAGE-----"));
	p->ret->is_clearsigned = p->ret->is_cut = true;
	text->len = 0;
	do {
		if (!next_line(&rest, &line))
			return;
		n++;
	} while (trim(line).len > 0);
	body = rest;
	do {
		if (!next_line(&rest, &line))
			return;
	} while (!is_armor(line, "-----BEGIN PGP SIGNATURE-----"));
	p->ret->is_cut = false;
	p->line = n;
	*text = (struct span){ body.s, (size_t)(line.s - body.s) };
}

/* A terminated copy in UTF-8, without a byte order mark. */
static char *copy_text(const uint8_t *text, size_t len, size_t *ret_len)
{
	bool is_big = len >= 2 && text[0] == 0xfe && text[1] == 0xff;
	bool is_little = len >= 2 && text[0] == 0xff && text[1] == 0xfe;
	size_t skip = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	size_t room = is_big || is_little ? len / 2 * 3 + 1 : len + 1;
	char *copy = malloc(room);

	if (!copy)
		return NULL;
	if (is_big || is_little) {
		*ret_len = utf16_to_utf8(text + 2, len / 2 - 1, is_big, copy, room);
		return copy;
	}
	memcpy(copy, text + skip, len - skip);
	copy[len - skip] = '\0';
	*ret_len = len - skip;
	return copy;
}

int sums_parse(const void *text, size_t len, const char *hint, struct sums *ret, struct error *err)
{
	struct sums s = { .text = NULL };
	struct parser p = { .ret = &s, .hint = hint };
	struct span rest, line;

	s.text = copy_text(text, len, &rest.len);
	if (!s.text)
		return error_set_nomem(err);
	rest.s = s.text;
	enter_clearsigned(&p, &rest);
	while (next_line(&rest, &line)) {
		p.line++;
		if (s.is_clearsigned && line.len >= 2 && memcmp(line.s, "- ", 2) == 0) {
			line.s += 2;
			line.len -= 2;
		}
		if (parse_line(&p, line, err) < 0) {
			sums_done(&s);
			return -1;
		}
	}
	*ret = s;
	return 0;
}

void sums_done(struct sums *s)
{
	free(s->entries);
	free(s->text);
	*s = (struct sums){ .text = NULL };
}
