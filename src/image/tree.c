// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The walk over an ISO 9660 tree, breadth first, so that a small budget sees
 * the upper levels, where boot files lie; and large directories (a folder of
 * all packages) last, so that they do not use the budget up. Directories wait
 * in a queue with their parent's index and their own name; paths are put
 * together on the way.
 *
 * Why it ends on any input: a directory's extent is entered once (seen), the
 * directories, their names, their depth and the bytes read are limited, and
 * a record advances by at least 33 bytes.
 */
#include "image/tree.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "disk/joliet.h"
#include "disk/rockridge.h"
#include "image/session.h"

#define MAX_DEPTH 64U
#define MAX_DIRECTORIES (1U << 16) /* twice Debian's whole archive */
#define MAX_NAME_BYTES (16U << 20)
#define MAX_PATH 4096U
#define READ_SIZE (16U * ISO_SECTOR)
#define LARGE (16U * ISO_SECTOR) /* bytes of a directory that has to wait */
#define OWNER_BUDGET (64U << 20) /* bytes of directories: 20 times a full Debian DVD's */

struct directory {
	uint32_t parent; /* index; the root is its own */
	uint32_t lba, len;
	uint32_t name; /* in names */
	uint32_t depth;
	bool is_read;
};

enum which { TREE_BEST, TREE_PLAIN, TREE_JOLIET };

struct walk {
	struct source *src;
	uint32_t block_size;
	uint64_t budget;
	bool use_rock_ridge, use_joliet;
	uint8_t skip; /* SUSP: bytes before the entries of every field but the first */
	tree_visit visit;
	void *ctx;
	const char *only; /* the directory whose entries alone are told, "" for all of them */
	bool is_stopped;

	struct directory *dirs;
	size_t n_dirs, cap_dirs;
	char *names; /* each terminated */
	size_t names_len, names_cap;
	uint32_t *seen; /* open addressing; 0 free, else lba + 1 */
	size_t n_seen, cap_seen;

	size_t path_len; /* of the directory being read, without the last slash */
	char path[MAX_PATH];
	uint64_t file_offset; /* of the multi-extent file being put together */
	uint8_t buf[READ_SIZE];
};

/* ------------------------------------------------------------ the queue of directories */

/* Fibonacci hashing: the upper bits are the good ones. cap is a power of two. */
static size_t hash_lba(uint32_t lba, size_t cap)
{
	return (uint32_t)(lba * 2654435761U) >> (32 - __builtin_ctzl(cap));
}

static void put_seen(uint32_t *table, size_t cap, uint32_t key)
{
	size_t at = hash_lba(key, cap);

	/* Ends: the table is at most half full. */
	while (table[at])
		at = (at + 1) & (cap - 1);
	table[at] = key;
}

/* True if lba was entered before; else remembers it. */
static int check_seen(struct walk *w, uint32_t lba, bool *ret_was_seen, struct error *err)
{
	uint32_t key = lba + 1;

	*ret_was_seen = false;
	for (size_t at = w->cap_seen ? hash_lba(key, w->cap_seen) : 0; w->cap_seen && w->seen[at];
	     at = (at + 1) & (w->cap_seen - 1)) {
		if (w->seen[at] == key) {
			*ret_was_seen = true;
			return 0;
		}
	}
	if (2 * (w->n_seen + 1) > w->cap_seen) {
		size_t cap = w->cap_seen ? 2 * w->cap_seen : 256;
		uint32_t *table = calloc(cap, sizeof(*table));

		if (!table)
			return error_set_nomem(err);
		for (size_t i = 0; i < w->cap_seen; i++)
			if (w->seen[i])
				put_seen(table, cap, w->seen[i]);
		free(w->seen);
		w->seen = table;
		w->cap_seen = cap;
	}
	put_seen(w->seen, w->cap_seen, key);
	w->n_seen++;
	return 0;
}

static int add_name(struct walk *w, const char *name, uint32_t *ret, struct error *err)
{
	size_t len = strlen(name) + 1;

	if (len > w->names_cap - w->names_len) {
		size_t cap = 2 * w->names_cap + len + 4096;
		char *names = realloc(w->names, cap);

		if (!names)
			return error_set_nomem(err);
		w->names = names;
		w->names_cap = cap;
	}
	memcpy(w->names + w->names_len, name, len);
	*ret = (uint32_t)w->names_len;
	w->names_len += len;
	return 0;
}

static int add_directory(struct walk *w, uint32_t parent, const char *name, uint32_t lba,
			 uint32_t len, struct error *err)
{
	struct directory *dir;
	bool was_seen;

	if (lba == UINT32_MAX || w->n_dirs == MAX_DIRECTORIES || w->names_len > MAX_NAME_BYTES ||
	    (w->n_dirs > 0 && w->dirs[parent].depth == MAX_DEPTH))
		return 0;
	if (check_seen(w, lba, &was_seen, err) < 0)
		return -1;
	if (was_seen)
		return 0;
	if (w->n_dirs == w->cap_dirs) {
		size_t cap = w->cap_dirs ? 2 * w->cap_dirs : 64;
		struct directory *dirs = reallocarray(w->dirs, cap, sizeof(*dirs));

		if (!dirs)
			return error_set_nomem(err);
		w->dirs = dirs;
		w->cap_dirs = cap;
	}
	dir = &w->dirs[w->n_dirs];
	dir->parent = parent;
	dir->lba = lba;
	dir->len = len;
	dir->is_read = false;
	dir->depth = w->n_dirs > 0 ? w->dirs[parent].depth + 1 : 0;
	if (add_name(w, name, &dir->name, err) < 0)
		return -1;
	w->n_dirs++;
	return 0;
}

/* Puts the path of dirs[index] into w->path: "" for the root, else "/a/b". Cut when too long. */
static void set_path(struct walk *w, uint32_t index)
{
	uint32_t chain[MAX_DEPTH + 1];
	size_t n = 0;

	w->path_len = 0;
	/* Ends: depth decreases by one in every round. */
	for (uint32_t i = index; w->dirs[i].depth > 0; i = w->dirs[i].parent)
		chain[n++] = i;
	while (n > 0) {
		const char *name = w->names + w->dirs[chain[--n]].name;
		size_t len = strlen(name);

		if (len + 2 > MAX_PATH - w->path_len)
			break;
		w->path[w->path_len++] = '/';
		memcpy(w->path + w->path_len, name, len);
		w->path_len += len;
	}
	w->path[w->path_len] = '\0';
}

/* ------------------------------------------------------------------ one directory record */

/* Reads what is visible of [off, off+len), charged to the budget. */
static int read_some(struct walk *w, uint64_t off, void *buf, size_t len, size_t *ret_got,
		     struct error *err)
{
	*ret_got = 0;
	if (len > w->budget) {
		w->budget = 0;
		return 0;
	}
	w->budget -= len;
	return source_peek(w->src, off, buf, len, ret_got, err);
}

/* Adds the Rock Ridge entries of a record, continuation areas included. */
static int read_rock_ridge(struct walk *w, const struct iso_record *rec, struct rockridge *rr,
			   struct error *err)
{
	size_t skip = num_min(w->skip, rec->system_use_len);

	rockridge_init(rr);
	rockridge_add(rr, rec->system_use + skip, rec->system_use_len - skip);
	/* An area may point at itself: the number of areas is limited. */
	for (int i = 0; rr->has_more && i < ROCKRIDGE_MAX_AREAS; i++) {
		uint64_t off = (uint64_t)rr->more_lba * w->block_size + rr->more_offset;
		uint8_t area[ISO_SECTOR];
		size_t len = (size_t)num_min(rr->more_len, sizeof(area)), got;

		if (read_some(w, off, area, len, &got, err) < 0)
			return -1;
		rockridge_add(rr, area, got);
	}
	return 0;
}

/* A slash in a name would make another path of it. */
static void replace_slashes(char *name)
{
	for (; *name; name++)
		if (*name == '/')
			*name = '_';
}

static void set_joliet_name(const struct iso_record *rec, char *name, size_t size)
{
	char *version;

	joliet_decode_name(rec->name, rec->name_len, name, size);
	version = strrchr(name, ';');
	if (version)
		*version = '\0';
}

/* A directory that only a Rock Ridge CL entry points to tells its length in its first record. */
static int find_child_len(struct walk *w, uint32_t lba, uint32_t *ret_len, struct error *err)
{
	uint8_t sector[ISO_SECTOR];
	struct iso_record rec;
	size_t got, pos = 0;

	*ret_len = 0;
	if (read_some(w, (uint64_t)lba * w->block_size, sector, sizeof(sector), &got, err) < 0)
		return -1;
	if (iso9660_next_record(sector, got, &pos, &rec) && iso9660_is_dot(&rec))
		*ret_len = rec.len;
	return 0;
}

/* Is the directory being read the one that is asked for? */
static bool is_wanted(const struct walk *w)
{
	return !w->only[0] || w->path_len == strlen(w->only);
}

/* Does the way to the one that is asked for lead through the directory name of this one? */
static bool is_on_way(const struct walk *w, const char *name)
{
	size_t len = strlen(name);
	const char *next;

	if (!w->only[0])
		return true;
	if (w->path_len >= strlen(w->only))
		return false;
	next = w->only + w->path_len;
	return next[0] == '/' && !strncasecmp(next + 1, name, len) &&
	       (next[1 + len] == '/' || next[1 + len] == '\0');
}

static void tell(struct walk *w, const char *name, const struct iso_record *rec, bool is_directory)
{
	size_t len = strlen(name);
	struct tree_extent extent = {
		.path = w->path,
		.is_directory = is_directory,
		.start = (uint64_t)rec->extent_lba * w->block_size,
		.len = rec->len,
		.file_offset = w->file_offset,
	};

	if (len + 2 <= MAX_PATH - w->path_len) {
		w->path[w->path_len] = '/';
		memcpy(w->path + w->path_len + 1, name, len + 1);
	}
	w->is_stopped = w->visit(w->ctx, &extent);
	w->path[w->path_len] = '\0';
	w->file_offset = rec->has_more ? w->file_offset + rec->len : 0;
}

static int use_record(struct walk *w, uint32_t index, struct iso_record *rec, struct error *err)
{
	char name[ROCKRIDGE_NAME_MAX * 3 + 1];
	bool is_directory = rec->is_directory;
	struct rockridge rr;

	if (iso9660_is_dot(rec))
		return 0;
	rockridge_init(&rr);
	if (w->use_rock_ridge && read_rock_ridge(w, rec, &rr, err) < 0)
		return -1;
	if (rr.is_moved)
		return 0;
	if (rr.name_len > 0)
		memcpy(name, rr.name, rr.name_len + 1);
	else if (w->use_joliet)
		set_joliet_name(rec, name, sizeof(name));
	else
		iso9660_plain_name(rec, name, sizeof(name));
	replace_slashes(name);
	if (rr.has_child) {
		is_directory = true;
		rec->extent_lba = rr.child_lba;
		if (find_child_len(w, rr.child_lba, &rec->len, err) < 0)
			return -1;
	}
	if (is_wanted(w))
		tell(w, name, rec, is_directory);
	if (is_directory && !w->is_stopped && is_on_way(w, name))
		return add_directory(w, index, name, rec->extent_lba, rec->len, err);
	return 0;
}

static int read_directory(struct walk *w, uint32_t index, struct error *err)
{
	uint64_t start = (uint64_t)w->dirs[index].lba * w->block_size;
	uint32_t len = w->dirs[index].len;

	w->dirs[index].is_read = true;
	set_path(w, index);
	w->file_offset = 0;
	for (uint32_t at = 0; at < len && w->budget > 0 && !w->is_stopped;) {
		size_t want = (size_t)num_min(len - at, READ_SIZE), got, pos = 0;
		struct iso_record rec;

		if (read_some(w, start + at, w->buf, want, &got, err) < 0)
			return -1;
		while (!w->is_stopped && iso9660_next_record(w->buf, got, &pos, &rec))
			if (use_record(w, index, &rec, err) < 0)
				return -1;
		/* Stopped before the end: malformed. Records do not cross this border. */
		if (got < want || (pos < got && w->buf[pos] != 0))
			break;
		at += (uint32_t)want;
	}
	return 0;
}

/* ------------------------------------------------------------------------------ the walk */

/* TREE_BEST: Rock Ridge where the root says so, else Joliet, else plain. Queues the root. */
static int begin(struct walk *w, const struct layout *lay, enum which which, struct error *err)
{
	const struct iso_volume *volume;
	struct iso_record rec;
	struct session s;
	size_t got, pos = 0;
	int rc;

	rc = session_read(w->src, lay->volume.pvd_lba, &s, err);
	if (rc <= 0)
		return rc;
	w->budget -= num_min(w->budget, s.bytes_read);
	volume = &s.primary;
	if (read_some(w, (uint64_t)volume->root_lba * volume->block_size, w->buf, ISO_SECTOR, &got,
		      err) < 0)
		return -1;
	if (iso9660_next_record(w->buf, got, &pos, &rec))
		w->use_rock_ridge = rockridge_find_sp(rec.system_use, rec.system_use_len, &w->skip);
	if (which == TREE_JOLIET && !s.has_joliet)
		return 0;
	if (which == TREE_JOLIET || (which == TREE_BEST && !w->use_rock_ridge && s.has_joliet)) {
		w->use_rock_ridge = false;
		w->use_joliet = true;
		volume = &s.joliet;
	}
	w->block_size = volume->block_size;
	return add_directory(w, 0, "", volume->root_lba, volume->root_len, err);
}

/* Reads what waits in the queue, and what that adds to it, up to max_len bytes each. */
static int read_queue(struct walk *w, uint32_t max_len, struct error *err)
{
	for (uint32_t i = 0; i < w->n_dirs && w->budget > 0 && !w->is_stopped; i++)
		if (!w->dirs[i].is_read && w->dirs[i].len <= max_len &&
		    read_directory(w, i, err) < 0)
			return -1;
	return 0;
}

static int walk(struct source *src, const struct layout *lay, enum which which, const char *only,
		uint64_t *budget, tree_visit visit, void *ctx, bool *ret_is_stopped,
		struct error *err)
{
	struct walk *w;
	int rc;

	*ret_is_stopped = false;
	if (!lay->volume.present)
		return 0;
	w = calloc(1, sizeof(*w));
	if (!w)
		return error_set_nomem(err);
	w->src = src;
	w->budget = *budget;
	w->visit = visit;
	w->ctx = ctx;
	w->only = only;
	rc = begin(w, lay, which, err);
	if (rc == 0 && w->n_dirs > 0)
		rc = read_directory(w, 0, err);
	if (rc == 0)
		rc = read_queue(w, LARGE, err);
	if (rc == 0)
		rc = read_queue(w, UINT32_MAX, err);
	*budget = w->budget;
	*ret_is_stopped = w->is_stopped;
	free(w->dirs);
	free(w->names);
	free(w->seen);
	free(w);
	return rc;
}

int tree_walk(struct source *src, const struct layout *lay, uint64_t *budget, tree_visit visit,
	      void *ctx, struct error *err)
{
	bool ignored;

	return walk(src, lay, TREE_BEST, "", budget, visit, ctx, &ignored, err);
}

int tree_walk_all(struct source *src, const struct layout *lay, uint64_t *budget, tree_visit visit,
		  void *ctx, struct error *err)
{
	bool is_stopped;

	if (walk(src, lay, TREE_PLAIN, "", budget, visit, ctx, &is_stopped, err) < 0)
		return -1;
	if (is_stopped || *budget == 0)
		return 0;
	return walk(src, lay, TREE_JOLIET, "", budget, visit, ctx, &is_stopped, err);
}

int tree_list(struct source *src, const struct layout *lay, const char *directory, uint64_t *budget,
	      tree_visit visit, void *ctx, struct error *err)
{
	bool ignored;

	return walk(src, lay, TREE_BEST, directory, budget, visit, ctx, &ignored, err);
}

struct owner {
	uint64_t off;
	char *path;
	size_t path_size;
	bool is_found;
};

static bool visit_owner(void *ctx, const struct tree_extent *extent)
{
	struct owner *o = ctx;
	size_t len = strlen(extent->path);

	if (o->off < extent->start || o->off - extent->start >= extent->len)
		return false;
	len = num_min(len, o->path_size - 1);
	memcpy(o->path, extent->path, len);
	o->path[len] = '\0';
	o->is_found = true;
	return true;
}

int tree_find_owner(struct source *src, const struct layout *lay, uint64_t off, char *path,
		    size_t path_size, struct error *err)
{
	struct owner o = { .off = off, .path = path, .path_size = path_size };
	uint64_t budget = OWNER_BUDGET;

	if (tree_walk(src, lay, &budget, visit_owner, &o, err) < 0)
		return -1;
	return o.is_found;
}
