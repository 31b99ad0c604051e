/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists of digests, as makers publish them beside their images. Pure: bytes in,
 * entries out; the bytes are anybody's. Understood are
 *
 *	HEX  name, HEX *name, HEX  ./folder/name   GNU coreutils, also one blank or a tab
 *	\HEX  na\\me                               its escapes
 *	SHA256 (name) = HEX                        BSD, also openssl's SHA2-256(name)= HEX
 *	HEX                                        a digest alone
 *	# SHA512 HASH, ### SHA256SUMS:             what the lines below are
 *
 * with LF or CRLF, with or without a byte order mark, in UTF-8 or UTF-16, and
 * clearsigned (RFC 9580, 7): then the first block's text only, its dashes
 * unescaped. Every other line is no entry. A line with a NUL byte is none.
 */
#ifndef ISOWRITE_IMAGE_SUMS_H
#define ISOWRITE_IMAGE_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

#define SUMS_MAX_SIZE ((size_t)4 << 20) /* bytes; the largest known lists have a quarter of it */

/* How well an entry's name is the image's, for sums_choose(). */
enum sums_rank {
	SUMS_RANK_NONE,
	SUMS_RANK_ONLY, /* the only file in a list of the image's own: NAME.sha256 of a link */
	SUMS_RANK_LAST, /* the same file name, in another folder */
	SUMS_RANK_TRIMMED, /* the file name, but for blanks around it: a column */
	SUMS_RANK_NAME, /* the file name alone, or a digest alone */
	SUMS_RANK_PATH, /* the path from where the list lies */
};

struct sums_entry {
	struct digest digest; /* len 0: damaged, such as cut short */
	const char *alg;      /* canonical; NULL of a damaged one that no algorithm is known of */
	const char *name;     /* in the list's memory, not terminated; NULL: the line has none */
	size_t name_len;
	uint32_t line; /* from 1 */
	enum sums_rank rank;
};

struct sums {
	char *text; /* owned, as the entries */
	struct sums_entry *entries;
	size_t n_entries, n_room;
	bool has_names;
	bool is_clearsigned;
	bool is_cut; /* the clearsigned block does not end; then there are no entries */
};

/*
 * hint: the algorithm that the list's own name tells (a canonical name, or
 * "sha3" of any size), or NULL: told by the length. A digest of another length
 * is damaged. Fails only for want of memory. Free by sums_done().
 */
int sums_parse(const void *text, size_t len, const char *hint, struct sums *ret, struct error *err);
void sums_done(struct sums *s); /* of a zeroed one: nothing */

enum sums_state {
	SUMS_ABSENT, /* names another file, or nothing */
	SUMS_NAMED,
	SUMS_DAMAGED,  /* names it, with something that is no digest */
	SUMS_CONFLICT, /* names it twice, with different digests */
};

/* What a list says of an image. */
struct sums_choice {
	enum sums_state state;
	const char *alg; /* the strongest that it is named with; of DAMAGED it may be NULL */
	enum sums_rank rank;
	uint32_t line; /* of DAMAGED and CONFLICT */
};

/*
 * path: the image's, from the folder that the list lies in, or only its name.
 * takes_bare: a digest alone counts; takes_only: so does the only file that the
 * list names, whatever its name is. Writes the entries' ranks. Names are
 * compared byte by byte.
 */
void sums_choose(struct sums *s, const char *path, bool takes_bare, bool takes_only,
		 struct sums_choice *ret);

/* The entry chosen that has this digest, or NULL. */
const struct sums_entry *sums_find_chosen(const struct sums *s, const struct sums_choice *choice,
					  const struct digest *got);

/* Any entry that has this digest, or NULL; one with a name before one without. */
const struct sums_entry *sums_find(const struct sums *s, const struct digest *got);

/* The strongest algorithm of all undamaged entries, or NULL: there is none. */
const char *sums_strongest(const struct sums *s);

enum sums_kind {
	SUMS_NO_LIST,
	SUMS_LIST, /* of a folder: SHA256SUMS, *-CHECKSUM, sha256sum.txt ... */
	SUMS_OWN,  /* of the image: NAME.sha256, NAME.DIGESTS ... */
};

/*
 * Is a file of this name a list, beside an image of that name? *ret_hint as in
 * sums_parse().
 */
enum sums_kind sums_classify(const char *name, const char *image, const char **ret_hint);

/* How long a file's name is without what compression has added: "a.img" of "a.img.xz"; 0: none. */
size_t sums_plain_name_len(const char *name);

#endif
