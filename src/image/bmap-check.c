// SPDX-License-Identifier: GPL-3.0-or-later
/* An image held against its block map, and where a map is found; see bmap.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/num.h"
#include "image/bmap.h"

struct bmap_check {
	const struct bmap *map;
	char name[256];
	size_t next; /* the range that is hashed, or comes next */
	uint64_t pos; /* end of what was fed */
	struct hash *hash, *fresh;
};

int bmap_check_new(const struct bmap *map, const char *name, struct bmap_check **ret,
		   struct error *err)
{
	struct bmap_check *c = calloc(1, sizeof(*c));

	if (!c)
		return error_set_nomem(err);
	c->map = map;
	snprintf(c->name, sizeof(c->name), "%s", name);
	if (hash_new(map->alg, &c->hash, err) < 0 || hash_new(map->alg, &c->fresh, err) < 0) {
		bmap_check_free(c);
		return -1;
	}
	*ret = c;
	return 0;
}

void bmap_check_free(struct bmap_check *check)
{
	if (!check)
		return;
	hash_free(check->hash);
	hash_free(check->fresh);
	free(check);
}

int bmap_check_size(const struct bmap_check *check, uint64_t size, struct error *err)
{
	char has[NUM_SIZE_LEN], wants[NUM_SIZE_LEN];

	if (size == check->map->image_size)
		return 0;
	return error_set(err, ERROR_IMAGE, "bmap-size",
			 size > check->map->image_size
				 ? _("%s has %s bytes, the block map is of an image of %s: they do "
				     "not belong together.")
				 : _("%s has %s bytes, the block map is of an image of %s: they do "
				     "not belong together, or the image is cut short."),
			 check->name, num_format_bytes(has, sizeof(has), size),
			 num_format_bytes(wants, sizeof(wants), check->map->image_size));
}

/* A stream, whose size is not known yet. */
static int error_longer(const struct bmap_check *c, struct error *err)
{
	char wants[NUM_SIZE_LEN];

	return error_set(err, ERROR_IMAGE, "bmap-size",
			 _("%s goes on after the %s bytes that the block map is of: they do not "
			   "belong together."),
			 c->name, num_format_bytes(wants, sizeof(wants), c->map->image_size));
}

static int end_range(const struct bmap_check *c, const struct bmap_range *r, struct error *err)
{
	struct digest got, want = { .alg = c->map->alg, .len = r->digest_len };
	char first[NUM_SIZE_LEN], last[NUM_SIZE_LEN];
	uint64_t block = c->map->block_size;

	if (r->digest_len == 0)
		return 0;
	memcpy(want.value, r->digest, r->digest_len);
	hash_peek(c->hash, &got);
	if (digest_is_equal(&got, &want))
		return 0;
	return error_set(err, ERROR_IMAGE, "bmap-range",
			 _("%s is damaged, or not what the block map is of: blocks %" PRIu64
			   "-%" PRIu64 " (bytes %s to %s) have another %s than the map says."),
			 c->name, r->start / block, (r->start + r->len - 1) / block,
			 num_format_bytes(first, sizeof(first), r->start),
			 num_format_bytes(last, sizeof(last), r->start + r->len - 1), c->map->alg);
}

int bmap_check_feed(struct bmap_check *check, uint64_t off, const void *data, size_t len,
		    struct error *err)
{
	const struct bmap *map = check->map;
	uint64_t end = off + len;

	if (off == 0)
		check->next = 0;
	if (end > map->image_size)
		return error_longer(check, err);
	/* Ends: each round begins the next range. */
	for (; check->next < map->n_ranges; check->next++) {
		const struct bmap_range *r = &map->ranges[check->next];
		uint64_t from = num_max(off, r->start), to = num_min(end, r->start + r->len);

		if (from >= to)
			break;
		if (from == r->start)
			hash_load(check->hash, check->fresh);
		else if (check->pos != from)
			return error_set(
				err, ERROR_INTERNAL, "bmap-order",
				_("Internal error: mapped bytes before %" PRIu64 " were left out."),
				from);
		if (r->digest_len > 0)
			hash_update(check->hash, (const char *)data + (from - off), to - from);
		if (to < r->start + r->len)
			break;
		if (end_range(check, r, err) < 0)
			return -1;
	}
	check->pos = end;
	return 0;
}

int bmap_check_end(const struct bmap_check *check, uint64_t size, struct error *err)
{
	if (bmap_check_size(check, size, err) < 0)
		return -1;
	if (check->next < check->map->n_ranges)
		return error_set(err, ERROR_INTERNAL, "bmap-order",
				 _("Internal error: mapped bytes at the image's end were left "
				   "out."));
	return 0;
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool bmap_find_beside(const char *image, char *buf, size_t size)
{
	static const char *const suffixes[] = { ".gz", ".xz", ".zst", ".bz2", ".lz4", ".zip" };
	size_t len = strlen(image);

	buf[0] = '\0';
	/* A stream, or a device that has nothing beside it. */
	if (!is_file(image) || len + sizeof(".bmap") > size)
		return false;
	snprintf(buf, size, "%s.bmap", image);
	for (size_t i = 0; i < ARRAY_SIZE(suffixes) && !is_file(buf); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n && strcmp(image + len - n, suffixes[i]) == 0)
			snprintf(buf, size, "%.*s.bmap", (int)(len - n), image);
	}
	if (is_file(buf))
		return true;
	buf[0] = '\0';
	return false;
}
