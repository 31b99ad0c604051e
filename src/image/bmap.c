// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads block maps; see bmap.h. The door to expat. */
#include "image/bmap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifdef HAVE_EXPAT
#include <expat.h>
#endif

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "base/text.h"

void bmap_free(struct bmap *map)
{
	if (!map)
		return;
	free(map->ranges);
	free(map);
}

#ifdef HAVE_EXPAT

#define MAX_DEPTH 16
#define MAX_VALUE 256 /* characters of a number, a range, a checksum, with blanks around */
#define MAX_NUMBER (UINT64_C(1) << 53)
#define MIN_BLOCK 512
#define MAX_BLOCK (64 * MIB)

enum field {
	FIELD_IMAGE_SIZE,
	FIELD_BLOCK_SIZE,
	FIELD_BLOCKS_COUNT,
	FIELD_MAPPED_COUNT,
	FIELD_CHECKSUM_TYPE,
	FIELD_FILE_SUM,
	FIELD_RANGE,
	N_FIELDS,
	FIELD_NONE = N_FIELDS,
};

static const char *const field_names[N_FIELDS] = {
	[FIELD_IMAGE_SIZE] = "ImageSize",
	[FIELD_BLOCK_SIZE] = "BlockSize",
	[FIELD_BLOCKS_COUNT] = "BlocksCount",
	[FIELD_MAPPED_COUNT] = "MappedBlocksCount",
	[FIELD_CHECKSUM_TYPE] = "ChecksumType",
	[FIELD_FILE_SUM] = "BmapFileChecksum",
	[FIELD_RANGE] = "Range",
};

struct parser {
	XML_Parser xml;
	const char *text; /* the whole file */
	size_t len;
	struct bmap *map; /* ranges count blocks until the end */
	unsigned int depth;
	bool in_map, had_map;
	enum field field; /* whose value is being read */
	size_t field_at; /* place in the text where its value begins */
	char value[MAX_VALUE + 1];
	size_t value_len;
	uint64_t numbers[N_FIELDS];
	size_t seen[N_FIELDS];
	size_t sum_at, sum_len; /* the file's checksum as it stands in the text */
	char alg[MAX_VALUE + 1];
	struct error *err;
};

static void fail(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct parser *p, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	if (p->err->kind != ERROR_NONE)
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	error_set(p->err, ERROR_IMAGE, "bmap-damaged", _("line %lu: %s."),
		  (unsigned long)XML_GetCurrentLineNumber(p->xml), why);
	XML_StopParser(p->xml, XML_FALSE);
}

/* Nothing was found wrong with one line, but with the whole. */
static int fail_whole(struct parser *p, const char *why)
{
	return error_set(p->err, ERROR_IMAGE, "bmap-damaged", "%s", why);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Drops blanks at both ends. */
static void trim(const char **s, size_t *len)
{
	while (*len > 0 && is_blank(**s)) {
		(*s)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*s)[*len - 1]))
		(*len)--;
}

static bool get_number(const char *s, size_t len, uint64_t *ret)
{
	uint64_t n = 0;

	trim(&s, &len);
	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(s[i] - '0');
		if (n >= MAX_NUMBER)
			return false;
	}
	*ret = n;
	return true;
}

/* Any digest's length will do: the algorithm may be named behind it. */
static bool get_digest(const char *s, size_t len, uint8_t *ret, size_t *ret_len)
{
	trim(&s, &len);
	if (len == 0 || len % 2 || len / 2 > HASH_MAX_SIZE)
		return false;
	if (num_parse_hex(s, len / 2, ret) < 0)
		return false;
	*ret_len = len / 2;
	return true;
}

/* Major times 10 plus minor; 0: none that is known to have been. */
static unsigned int parse_version(const char *s)
{
	if (!strcmp(s, "1.3") || !strcmp(s, "1.4"))
		return 10 + (unsigned int)(s[2] - '0');
	/* Minor numbers count changes that older readers need not know of. */
	if (s[0] == '2' && s[1] == '.' && s[2] >= '0' && s[2] <= '9' && s[3] == '\0')
		return 20 + (unsigned int)(s[2] - '0');
	return 0;
}

static void start_root(struct parser *p, const char *name, const char **atts)
{
	const char *version = NULL;
	char shown[32];

	if (strcmp(name, "bmap") != 0) {
		fail(p, _("it is no block map: there is no <bmap> around it"));
		return;
	}
	for (; atts[0]; atts += 2)
		if (!strcmp(atts[0], "version"))
			version = atts[1];
	p->map->version = version ? parse_version(version) : 0;
	if (!version)
		fail(p, _("the version of the format is missing"));
	else if (p->map->version == 0)
		fail(p, _("its format is version %s; isowrite knows 1.3, 1.4 and 2.x"),
		     text_escape_trim(version, shown, sizeof(shown)));
}

static struct bmap_range *add_range(struct parser *p)
{
	struct bmap *map = p->map;

	if (map->n_ranges == BMAP_MAX_RANGES) {
		fail(p, _("it has more than %d ranges"), BMAP_MAX_RANGES);
		return NULL;
	}
	if (map->n_ranges == map->cap_ranges) {
		size_t cap = map->cap_ranges ? map->cap_ranges * 2 : 64;
		struct bmap_range *ranges = reallocarray(map->ranges, cap, sizeof(*ranges));

		if (!ranges) {
			error_set_nomem(p->err);
			XML_StopParser(p->xml, XML_FALSE);
			return NULL;
		}
		map->ranges = ranges;
		map->cap_ranges = cap;
	}
	map->ranges[map->n_ranges] = (struct bmap_range){ .len = 0 };
	return &map->ranges[map->n_ranges++];
}

static void start_range(struct parser *p, const char **atts)
{
	const char *wanted = p->map->version == 13 ? "sha1" : "chksum";
	struct bmap_range *r = add_range(p);

	for (; r && atts[0]; atts += 2) {
		if (!strcmp(atts[0], wanted) &&
		    !get_digest(atts[1], strlen(atts[1]), r->digest, &r->digest_len))
			fail(p, _("the checksum of a range is no hexadecimal number"));
	}
}

static enum field find_field(const struct parser *p, const char *name)
{
	if (p->in_map)
		return p->depth == 3 && !strcmp(name, "Range") ? FIELD_RANGE : FIELD_NONE;
	if (p->depth != 2)
		return FIELD_NONE;
	if (p->map->version == 13 && !strcmp(name, "BmapFileSHA1"))
		return FIELD_FILE_SUM;
	if (p->map->version == 13 && !strcmp(name, field_names[FIELD_FILE_SUM]))
		return FIELD_NONE;
	for (int i = 0; i < FIELD_RANGE; i++)
		if (!strcmp(name, field_names[i]))
			return (enum field)i;
	return FIELD_NONE;
}

static void XMLCALL on_start(void *ctx, const char *name, const char **atts)
{
	struct parser *p = ctx;

	if (p->err->kind != ERROR_NONE)
		return;
	if (p->field != FIELD_NONE) {
		fail(p, _("%s holds something else than a value"), field_names[p->field]);
		return;
	}
	if (++p->depth > MAX_DEPTH) {
		fail(p, _("its elements are nested too deeply"));
		return;
	}
	if (p->depth == 1) {
		start_root(p, name, atts);
		return;
	}
	p->field = find_field(p, name);
	if (p->depth == 2)
		p->in_map = !strcmp(name, "BlockMap");
	p->had_map |= p->in_map;
	if (p->field == FIELD_NONE)
		return;
	p->value_len = 0;
	p->field_at =
		(size_t)XML_GetCurrentByteIndex(p->xml) + (size_t)XML_GetCurrentByteCount(p->xml);
	if (p->field == FIELD_RANGE)
		start_range(p, atts);
	else if (p->seen[p->field]++)
		fail(p, _("%s is there twice"), field_names[p->field]);
}

static void XMLCALL on_text(void *ctx, const char *s, int len)
{
	struct parser *p = ctx;

	if (p->field == FIELD_NONE || p->err->kind != ERROR_NONE)
		return;
	/* Blanks in front are no part of it, however many. */
	while (p->value_len == 0 && len > 0 && is_blank(*s)) {
		s++;
		len--;
	}
	if ((size_t)len > MAX_VALUE - p->value_len) {
		fail(p, _("%s is too long"), field_names[p->field]);
		return;
	}
	memcpy(p->value + p->value_len, s, (size_t)len);
	p->value_len += (size_t)len;
}

/* "first-last" or "block"; in blocks until their size is known. */
static void end_range(struct parser *p)
{
	struct bmap_range *r = &p->map->ranges[p->map->n_ranges - 1];
	const char *dash = memchr(p->value, '-', p->value_len);
	size_t first_len = dash ? (size_t)(dash - p->value) : p->value_len;
	uint64_t first, last;

	if (!get_number(p->value, first_len, &first)) {
		fail(p, _("a range is no number of a block"));
		return;
	}
	last = first;
	if (dash && !get_number(dash + 1, p->value_len - first_len - 1, &last)) {
		fail(p, _("a range is no number of a block"));
		return;
	}
	if (last < first) {
		fail(p, _("a range ends before it begins"));
		return;
	}
	r->start = first;
	r->len = last - first + 1;
}

static void end_field(struct parser *p)
{
	const char *value = p->value;
	size_t len = p->value_len;

	switch (p->field) {
	case FIELD_RANGE:
		end_range(p);
		break;
	case FIELD_CHECKSUM_TYPE:
		trim(&value, &len);
		memcpy(p->alg, value, len);
		p->alg[len] = '\0';
		break;
	case FIELD_FILE_SUM:
		p->sum_at = p->field_at;
		p->sum_len = (size_t)XML_GetCurrentByteIndex(p->xml) - p->field_at;
		break;
	default:
		if (!get_number(value, len, &p->numbers[p->field]))
			fail(p, _("%s is no number"), field_names[p->field]);
	}
	p->field = FIELD_NONE;
}

static void XMLCALL on_end(void *ctx, const char *name)
{
	struct parser *p = ctx;

	(void)name;
	if (p->err->kind != ERROR_NONE)
		return;
	if (p->field != FIELD_NONE)
		end_field(p);
	else if (p->depth == 2 && p->in_map)
		p->in_map = false;
	p->depth--;
}

/* Where entities are declared. Block maps have none, so nothing can be made to grow. */
static void XMLCALL on_doctype(void *ctx, const char *name, const char *sysid, const char *pubid,
			       int has_internal)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)has_internal;
	fail(ctx, _("it has a DOCTYPE, which no block map has"));
}

/* The file's own checksum, computed with zeros in its place. */
static int check_file_sum(struct parser *p)
{
	struct digest want = { .alg = p->map->alg }, got;
	const char *s = p->text + p->sum_at;
	size_t len = p->sum_len;
	struct hash *hash;

	if (!num_is_within(p->sum_at, p->sum_len, p->len))
		return fail_whole(p, _("its own checksum cannot be found."));
	trim(&s, &len);
	if (hash_new(p->map->alg, &hash, p->err) < 0)
		return -1;
	hash_update(hash, p->text, (size_t)(s - p->text));
	for (size_t i = 0; i < len; i++)
		hash_update(hash, "0", 1);
	hash_update(hash, s + len, (size_t)(p->text + p->len - (s + len)));
	hash_peek(hash, &got);
	hash_free(hash);
	if (!get_digest(s, len, want.value, &want.len) || !digest_is_equal(&want, &got))
		return fail_whole(p, _("its own checksum is wrong: it was damaged or changed. "
				       "Download it again."));
	return 0;
}

static int find_algorithm(struct parser *p)
{
	char shown[64];

	p->map->alg = p->map->version == 13 ? hash_alg_name("sha1") : hash_alg_name(p->alg);
	if (p->map->alg)
		return 0;
	return error_set(p->err, ERROR_IMAGE, "bmap-damaged",
			 _("isowrite does not know its checksum type '%s'."),
			 text_escape_trim(p->alg, shown, sizeof(shown)));
}

static int check_numbers(struct parser *p)
{
	uint64_t block = p->numbers[FIELD_BLOCK_SIZE], size = p->numbers[FIELD_IMAGE_SIZE];

	if (!num_is_power_of_2(block) || block < MIN_BLOCK || block > MAX_BLOCK)
		return fail_whole(p, _("its BlockSize makes no sense."));
	if (size == 0)
		return fail_whole(p, _("its ImageSize is 0."));
	if (p->numbers[FIELD_BLOCKS_COUNT] != num_round_up(size, block) / block)
		return fail_whole(p, _("ImageSize, BlockSize and BlocksCount contradict each "
				       "other."));
	p->map->image_size = size;
	p->map->block_size = (uint32_t)block;
	return 0;
}

static int error_range(struct parser *p, size_t index, const char *why)
{
	return error_set(p->err, ERROR_IMAGE, "bmap-damaged", _("its range %zu %s."), index + 1,
			 why);
}

/* From blocks to bytes. */
static int check_ranges(struct parser *p)
{
	struct bmap *map = p->map;
	uint64_t next = 0, mapped = 0;
	struct digest empty;
	struct hash *hash;

	if (hash_new(map->alg, &hash, p->err) < 0)
		return -1;
	hash_peek(hash, &empty);
	hash_free(hash);
	for (size_t i = 0; i < map->n_ranges; i++) {
		struct bmap_range *r = &map->ranges[i];

		if (!num_is_within(r->start, r->len, p->numbers[FIELD_BLOCKS_COUNT]))
			return error_range(p, i, _("lies outside of the image"));
		if (r->start < next)
			return error_range(p, i, _("does not lie behind the one before"));
		if (r->digest_len > 0 && r->digest_len != empty.len)
			return error_range(p, i, _("has a checksum of another type"));
		map->n_unchecked += r->digest_len == 0;
		next = r->start + r->len;
		mapped += r->len;
		r->start *= map->block_size;
		r->len = num_min(r->len * map->block_size, map->image_size - r->start);
		map->mapped_size += r->len;
	}
	if (mapped != p->numbers[FIELD_MAPPED_COUNT])
		return fail_whole(p, _("its ranges are not the MappedBlocksCount blocks that it "
				       "says."));
	return 0;
}

static int check_present(struct parser *p)
{
	if (!p->had_map)
		return fail_whole(p, _("it has no BlockMap."));
	for (int i = 0; i < FIELD_RANGE; i++) {
		if (p->seen[i] || (i == FIELD_CHECKSUM_TYPE && p->map->version == 13))
			continue;
		return error_set(p->err, ERROR_IMAGE, "bmap-damaged",
				 _("it has no %s, which this version of the format must have."),
				 i == FIELD_FILE_SUM && p->map->version == 13 ? "BmapFileSHA1"
									      : field_names[i]);
	}
	return 0;
}

static int parse(struct parser *p)
{
	XML_SetUserData(p->xml, p);
	XML_SetElementHandler(p->xml, on_start, on_end);
	XML_SetCharacterDataHandler(p->xml, on_text);
	XML_SetStartDoctypeDeclHandler(p->xml, on_doctype);
	if (XML_Parse(p->xml, p->text, (int)p->len, 1) == XML_STATUS_ERROR) {
		if (p->err->kind != ERROR_NONE)
			return -1;
		return error_set(p->err, ERROR_IMAGE, "bmap-damaged",
				 _("line %lu: it is no XML (%s)."),
				 (unsigned long)XML_GetCurrentLineNumber(p->xml),
				 XML_ErrorString(XML_GetErrorCode(p->xml)));
	}
	/* Whether it is what was made comes before what is in it. */
	if (check_present(p) < 0 || find_algorithm(p) < 0 || check_file_sum(p) < 0 ||
	    check_numbers(p) < 0)
		return -1;
	return check_ranges(p);
}

int bmap_parse(const char *text, size_t len, struct bmap **ret, struct error *err)
{
	static const char pgp[] = "-----BEGIN PGP SIGNED MESSAGE-----";
	struct parser p = { .text = text, .len = len, .field = FIELD_NONE, .err = err };
	int rc;

	if (len > BMAP_MAX_FILE)
		return error_set(err, ERROR_IMAGE, "bmap-damaged", _("it is larger than %u MiB."),
				 BMAP_MAX_FILE >> 20);
	if (len >= sizeof(pgp) - 1 && !memcmp(text, pgp, sizeof(pgp) - 1))
		return error_set(err, ERROR_IMAGE, "bmap-signed",
				 _("it lies in a signed message; 'gpg --decrypt' checks the "
				   "signature and takes it out."));
	p.map = calloc(1, sizeof(*p.map));
	p.xml = XML_ParserCreate(NULL);
	if (!p.map || !p.xml) {
		bmap_free(p.map);
		if (p.xml)
			XML_ParserFree(p.xml);
		return error_set_nomem(err);
	}
	rc = parse(&p);
	XML_ParserFree(p.xml);
	if (rc < 0)
		bmap_free(p.map);
	else
		*ret = p.map;
	return rc;
}

static int error_open(const char *name, int sys, struct error *err)
{
	switch (sys) {
	case ENOENT:
	case ENOTDIR:
		return error_set(err, ERROR_USAGE, "no-such-bmap", _("There is no block map %s."),
				 name);
	case EACCES:
	case EPERM:
		return error_set(err, ERROR_REFUSED, "permission-denied",
				 _("The block map %s may not be read: permission denied."), name);
	default:
		return error_set_sys(err, ERROR_IO, "bmap-read", sys,
				     _("The block map %s cannot be read"), name);
	}
}

int bmap_open(const char *path, struct bmap **ret, struct error *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	auto_free char *text = NULL;
	char name[300];
	struct stat st;
	ssize_t n;

	text_escape(path, SIZE_MAX, name, sizeof(name));
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_open(name, errno, err);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_USAGE, "no-such-bmap",
				 _("The block map %s is no regular file."), name);
	text = malloc(BMAP_MAX_FILE + 1);
	if (!text)
		return error_set_nomem(err);
	n = io_pread_full(fd, text, BMAP_MAX_FILE + 1, 0);
	if (n < 0)
		return error_open(name, errno, err);
	if (bmap_parse(text, (size_t)n, ret, err) == 0)
		return 0;
	if (err->kind == ERROR_IMAGE)
		error_prefix(err, _("The block map %s cannot be used"), name);
	return -1;
}

#else

static int error_lacking(struct error *err)
{
	return error_set(err, ERROR_LACKING, "no-expat",
			 _("This isowrite was built without expat, which reads block maps."));
}

int bmap_parse(const char *text, size_t len, struct bmap **ret, struct error *err)
{
	(void)text;
	(void)len;
	(void)ret;
	return error_lacking(err);
}

int bmap_open(const char *path, struct bmap **ret, struct error *err)
{
	(void)path;
	(void)ret;
	return error_lacking(err);
}

#endif
