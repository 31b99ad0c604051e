// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which files are lists of digests, told by their names, and which of their
 * lines are about an image; see sums.h.
 */
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "image/sums.h"

#define MAX_WORD 24

/* ------------------------------------------------------------------ lines */

static bool is_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* Behind the last one of those bytes. */
static size_t last_part(const char *name, size_t len, const char *separators)
{
	while (len > 0 && !strchr(separators, name[len - 1]))
		len--;
	return len;
}

/* Equal, but for blanks around a. */
static bool is_equal_trimmed(const char *a, size_t a_len, const char *b, size_t b_len)
{
	while (a_len > 0 && (a[0] == ' ' || a[0] == '\t')) {
		a++;
		a_len--;
	}
	while (a_len > 0 && (a[a_len - 1] == ' ' || a[a_len - 1] == '\t'))
		a_len--;
	return is_equal(a, a_len, b, b_len);
}

static enum sums_rank rank_of(const struct sums_entry *e, const char *path)
{
	const char *file = path + last_part(path, strlen(path), "/");
	const char *name = e->name;
	size_t len = e->name_len, at;

	/* strchr() finds the terminator, too. */
	if (memchr(name, '\0', len))
		return SUMS_RANK_NONE;
	while (len > 2 && name[0] == '.' && name[1] == '/') {
		for (name++, len--; len > 1 && name[0] == '/'; name++)
			len--;
	}
	if (is_equal(name, len, path, strlen(path)))
		return SUMS_RANK_PATH;
	if (is_equal(name, len, file, strlen(file)))
		return SUMS_RANK_NAME;
	if (is_equal_trimmed(name, len, file, strlen(file)))
		return SUMS_RANK_TRIMMED;
	at = last_part(name, len, "/");
	if (at == 0)
		at = last_part(name, len, "\\"); /* made on Windows */
	return is_equal_trimmed(name + at, len - at, file, strlen(file)) ? SUMS_RANK_LAST
									 : SUMS_RANK_NONE;
}

static unsigned int strength_of(const struct sums_entry *e)
{
	return e->alg ? hash_alg_strength(e->alg) : UINT32_MAX;
}

/* Two digests for one name are one too many; the same file name in two folders is none. */
static void judge(const struct sums *s, struct sums_choice *c)
{
	const struct sums_entry *first = NULL;

	for (size_t i = 0; i < s->n_entries; i++) {
		const struct sums_entry *e = &s->entries[i];

		if (e->rank != c->rank || e->digest.len == 0 || strcmp(e->alg, c->alg) != 0)
			continue;
		if (first && c->rank != SUMS_RANK_LAST &&
		    !digest_is_equal(&first->digest, &e->digest)) {
			c->state = SUMS_CONFLICT;
			c->line = e->line;
			return;
		}
		if (!first)
			first = e;
	}
}

/* Do all lines have the same name? */
static bool has_one_name(const struct sums *s)
{
	const struct sums_entry *first = s->entries;

	for (size_t i = 0; i < s->n_entries; i++) {
		const struct sums_entry *e = &s->entries[i];

		if (!e->name || !is_equal(e->name, e->name_len, first->name, first->name_len))
			return false;
	}
	return s->n_entries > 0;
}

void sums_choose(struct sums *s, const char *path, bool takes_bare, bool takes_only,
		 struct sums_choice *ret)
{
	struct sums_choice c = { .state = SUMS_ABSENT };
	const struct sums_entry *best = NULL;

	for (size_t i = 0; i < s->n_entries; i++) {
		struct sums_entry *e = &s->entries[i];

		if (e->name)
			e->rank = rank_of(e, path);
		else
			e->rank = takes_bare && !s->has_names ? SUMS_RANK_NAME : SUMS_RANK_NONE;
		if (e->rank > c.rank)
			c.rank = e->rank;
	}
	if (c.rank == SUMS_RANK_NONE && takes_only && has_one_name(s)) {
		c.rank = SUMS_RANK_ONLY;
		for (size_t i = 0; i < s->n_entries; i++)
			s->entries[i].rank = c.rank;
	}
	/* The strongest; what is damaged of the same strength goes before. */
	for (size_t i = 0; i < s->n_entries && c.rank != SUMS_RANK_NONE; i++) {
		const struct sums_entry *e = &s->entries[i];

		if (e->rank != c.rank)
			continue;
		if (!best || strength_of(e) > strength_of(best) ||
		    (strength_of(e) == strength_of(best) && e->digest.len == 0))
			best = e;
	}
	if (best) {
		c.alg = best->alg;
		c.line = best->line;
		c.state = best->digest.len > 0 ? SUMS_NAMED : SUMS_DAMAGED;
	}
	if (c.state == SUMS_NAMED)
		judge(s, &c);
	*ret = c;
}

const struct sums_entry *sums_find_chosen(const struct sums *s, const struct sums_choice *choice,
					  const struct digest *got)
{
	if (choice->state != SUMS_NAMED)
		return NULL;
	for (size_t i = 0; i < s->n_entries; i++) {
		const struct sums_entry *e = &s->entries[i];

		if (e->rank == choice->rank && digest_is_equal(&e->digest, got))
			return e;
	}
	return NULL;
}

const struct sums_entry *sums_find(const struct sums *s, const struct digest *got)
{
	const struct sums_entry *found = NULL;

	for (size_t i = 0; i < s->n_entries; i++) {
		const struct sums_entry *e = &s->entries[i];

		if (!digest_is_equal(&e->digest, got))
			continue;
		if (e->name)
			return e;
		found = e;
	}
	return found;
}

const char *sums_strongest(const struct sums *s)
{
	const struct sums_entry *best = NULL;

	for (size_t i = 0; i < s->n_entries; i++) {
		const struct sums_entry *e = &s->entries[i];

		if (e->digest.len > 0 && (!best || strength_of(e) > strength_of(best)))
			best = e;
	}
	return best ? best->alg : NULL;
}

/* ------------------------------------------------------------ names of lists */

size_t sums_plain_name_len(const char *name)
{
	static const char *const suffixes[] = { ".gz",  ".xz",   ".zst", ".bz2",
						".lz4", ".lzma", ".zip" };
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n && strcasecmp(name + len - n, suffixes[i]) == 0)
			return len - n;
	}
	return 0;
}

/* A word of a file's name; words are parted by dots, dashes and underscores. */
struct word {
	char text[MAX_WORD]; /* lower-case; longer ones are cut, and then mean nothing */
};

#define MAX_WORDS 32

static size_t split(const char *name, struct word words[MAX_WORDS])
{
	size_t n = 0;

	while (*name && n < MAX_WORDS) {
		size_t len = strcspn(name, ".-_");

		if (len > 0) {
			memset(&words[n], 0, sizeof(words[n]));
			for (size_t i = 0; i < len && i < MAX_WORD - 1; i++) {
				bool is_upper = name[i] >= 'A' && name[i] <= 'Z';

				words[n].text[i] = (char)(name[i] + (is_upper ? 'a' - 'A' : 0));
			}
			n++;
		}
		name += name[len] ? len + 1 : len;
	}
	return n;
}

static bool is_among(const char *word, const char *const list[])
{
	for (; *list; list++) {
		if (strcmp(word, *list) == 0)
			return true;
	}
	return false;
}

static const char *const plain_words[] = { "checksum", "checksums", "digest", "digests",
					   "hash",     "hashes",    "sums",   NULL };

/* What a list's name may go on with: none of it makes it another thing. */
static const char *const endings[] = { "txt", "asc", "sig", "gpg", NULL };

/* "sha256", "sha256sum", "sha256sums": *ret_hint its algorithm. sums: only the last kind. */
static bool is_alg_word(const char *word, bool must_be_sums, const char **ret_hint)
{
	char text[MAX_WORD];
	size_t len = strlen(word);
	bool is_sums = len > 4 && strcmp(word + len - 4, "sums") == 0;

	if (must_be_sums && !is_sums)
		return false;
	if (is_sums)
		len -= 4;
	else if (len > 3 && strcmp(word + len - 3, "sum") == 0)
		len -= 3;
	memcpy(text, word, len);
	text[len] = '\0';
	if (strcmp(text, "sha") == 0) /* used of any of them */
		*ret_hint = NULL;
	else if (strcmp(text, "sha3") == 0)
		*ret_hint = "sha3";
	else if (hash_alg_name(text))
		*ret_hint = hash_alg_name(text);
	else
		return false;
	return true;
}

/* name is stem (stem_len bytes of it), and one word more that lists have. */
static bool is_own(const char *name, const char *stem, size_t stem_len, const char **ret_hint)
{
	struct word words[MAX_WORDS];
	size_t n;

	if (stem_len == 0 || strncmp(name, stem, stem_len) != 0 || !name[stem_len] ||
	    !strchr(".-_", name[stem_len]))
		return false;
	n = split(name + stem_len, words);
	while (n > 1 && is_among(words[n - 1].text, endings))
		n--;
	if (n != 1)
		return false;
	*ret_hint = NULL;
	return is_alg_word(words[0].text, false, ret_hint) || is_among(words[0].text, plain_words);
}

/* The list of a folder: one of its words says so, or its first names an algorithm. */
static bool is_of_folder(const char *name, const char **ret_hint)
{
	struct word words[MAX_WORDS];
	size_t n = split(name, words);
	bool is_list = false;

	*ret_hint = NULL;
	while (n > 1 && is_among(words[n - 1].text, endings))
		n--;
	for (size_t i = 0; i < n; i++) {
		const char *hint = NULL;

		if (strncmp(words[i].text, "checksum", 8) == 0 ||
		    is_among(words[i].text, plain_words))
			is_list = is_list || i == 0 || i + 1 == n || words[i].text[0] == 'c';
		else if (is_alg_word(words[i].text, i > 0, &hint))
			is_list = true;
		/* CHECKSUM.SHA256-FreeBSD-..., OPNsense-checksums-amd64.sha256 */
		else if ((i + 1 != n && i != 1) || !is_alg_word(words[i].text, false, &hint))
			continue;
		if (hint && !*ret_hint)
			*ret_hint = hint;
	}
	return is_list;
}

enum sums_kind sums_classify(const char *name, const char *image, const char **ret_hint)
{
	size_t plain = sums_plain_name_len(image), stem;

	*ret_hint = NULL;
	if (strcmp(name, image) == 0)
		return SUMS_NO_LIST;
	if (is_own(name, image, strlen(image), ret_hint) || is_own(name, image, plain, ret_hint))
		return SUMS_OWN;
	/* a.sha256 beside a.iso: it may be that of another a. */
	stem = plain ? plain : strlen(image);
	while (stem > 0 && image[stem - 1] != '.')
		stem--;
	if (stem > 1 && is_own(name, image, stem - 1, ret_hint))
		return SUMS_LIST;
	if (is_of_folder(name, ret_hint))
		return SUMS_LIST;
	*ret_hint = NULL;
	return SUMS_NO_LIST;
}
