// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What is common to every source: the head of a stream, taps, cancellation,
 * and the comparison with the file as it was opened. See source.h.
 */
#include "image/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"
#include "image/source-internal.h"

#define MAX_TAPS (2 * SOURCE_MAX_DIGESTS) /* of the file and of its content */
#define SOURCE_POLL_MS 200
/*
 * Raw bytes kept until the first source_next(), so that a tap of the file can be asked for
 * after a peek. Twice the head: room for a head that does not compress.
 */
#define EARLY_MAX (2 * SOURCE_HEAD_SIZE)

struct tap {
	bool as_file;
	struct hash *hash;
	const char *alg;
};

struct source_common {
	bool has_stat;
	struct stat st; /* at source_open() */

	atomic_bool is_cancelled;
	int cancel_fd;
	bool (*poll)(void *ctx); /* NULL: nobody is asked */
	void *poll_ctx;
	int (*watch)(void *ctx, uint64_t off, const void *data, size_t len, struct error *err);
	void *watch_ctx;

	/* SEQUENTIAL only */
	uint8_t *head; /* NULL until it was filled */
	size_t head_len;
	bool is_head_all; /* the content ends in the head */
	bool is_started; /* source_next() was called */
	bool is_ended;
	uint64_t consumed; /* content bytes that source_next() gave out */
	struct error failed; /* a stream that failed stays failed */

	struct tap taps[MAX_TAPS];
	size_t n_taps;
	uint8_t *early;
	size_t early_len;
	bool is_early_full;
};

struct source *source_new(const struct source_ops *ops, enum source_access access, void *priv)
{
	struct source *src = calloc(1, sizeof(*src));
	struct source_common *c = calloc(1, sizeof(*c));

	if (!src || !c)
		goto fail;
	c->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->cancel_fd < 0)
		goto fail;
	src->ops = ops;
	src->access = access;
	src->size = SOURCE_SIZE_UNKNOWN;
	src->file_size = SOURCE_SIZE_UNKNOWN;
	src->compression = "none";
	src->sector_size = 512;
	src->fd = -1;
	src->priv = priv;
	src->common = c;
	return src;
fail:
	free(c);
	free(src);
	return NULL;
}

void source_free(struct source *src)
{
	struct source_common *c;

	if (!src)
		return;
	c = src->common;
	if (src->ops->close)
		src->ops->close(src);
	for (size_t i = 0; i < c->n_taps; i++)
		hash_free(c->taps[i].hash);
	free(c->early);
	free(c->head);
	close(c->cancel_fd);
	free(c);
	free(src->path);
	free(src);
}

const char *source_name(const struct source *src, char buf[SOURCE_NAME_SIZE])
{
	if (!src->path)
		return _("the image");
	if (!strcmp(src->path, "-"))
		return _("standard input");
	return text_escape(src->path, strlen(src->path), buf, SOURCE_NAME_SIZE);
}

void source_set_stat(struct source *src, const struct stat *st)
{
	src->common->st = *st;
	src->common->has_stat = true;
}

bool source_is_cancelled(const struct source *src)
{
	return atomic_load(&src->common->is_cancelled);
}

int source_set_cancelled(const struct source *src, struct error *err)
{
	char name[SOURCE_NAME_SIZE];

	return error_set(err, ERROR_CANCELLED, "cancelled", _("Reading %s was cancelled."),
			 source_name(src, name));
}

int source_cancel_fd(const struct source *src)
{
	return src->common->cancel_fd;
}

void source_cancel(struct source *src)
{
	uint64_t one = 1;
	ssize_t n;

	atomic_store(&src->common->is_cancelled, true);
	do {
		n = write(src->common->cancel_fd, &one, sizeof(one));
	} while (n < 0 && errno == EINTR);
}

void source_set_poll(struct source *src, bool (*is_cancelled)(void *ctx), void *ctx)
{
	src->common->poll = is_cancelled;
	src->common->poll_ctx = ctx;
}

void source_set_watch(struct source *src,
		      int (*watch)(void *ctx, uint64_t off, const void *data, size_t len,
				   struct error *err),
		      void *ctx)
{
	src->common->watch = watch;
	src->common->watch_ctx = ctx;
}

bool source_poll(struct source *src, int *ret_wait_ms)
{
	struct source_common *c = src->common;

	if (c->poll && c->poll(c->poll_ctx))
		source_cancel(src);
	*ret_wait_ms = c->poll ? SOURCE_POLL_MS : -1;
	return source_is_cancelled(src);
}

int source_read_at(struct source *src, uint64_t off, void *buf, size_t len, struct error *err)
{
	if (!src->ops->read_at || !num_is_within(off, len, src->size))
		return error_set(err, ERROR_INTERNAL, "source-bounds",
				 _("Internal error: a read of %zu bytes at %" PRIu64
				   " does not fit the source."),
				 len, off);
	return src->ops->read_at(src, off, buf, len, err);
}

static int set_size_wrong(const struct source *src, struct error *err)
{
	char name[SOURCE_NAME_SIZE];

	return error_set(err, ERROR_IMAGE, "corrupt-compression",
			 _("%s is corrupt: its %s data does not hold the %" PRIu64
			   " bytes that it announces. Download it again."),
			 source_name(src, name), src->compression, src->size);
}

/* Fills buf from the ops; *ret_len < len only at the verified end. */
static int next_full(struct source *src, uint8_t *buf, size_t len, size_t *ret_len,
		     struct error *err)
{
	size_t done = 0;

	while (done < len) {
		size_t n = 0;

		if (source_is_cancelled(src))
			return source_set_cancelled(src, err);
		if (src->ops->next(src, buf + done, len - done, &n, err) < 0)
			return -1;
		if (n == 0)
			break;
		done += n;
	}
	*ret_len = done;
	return 0;
}

static int fill_head(struct source *src, struct error *err)
{
	struct source_common *c = src->common;
	char name[SOURCE_NAME_SIZE];
	uint8_t *head;

	if (c->head)
		return 0;
	if (c->failed.kind != ERROR_NONE) {
		*err = c->failed;
		return -1;
	}
	head = malloc(SOURCE_HEAD_SIZE);
	if (!head)
		return error_set_nomem(err);
	if (next_full(src, head, SOURCE_HEAD_SIZE, &c->head_len, err) < 0) {
		c->failed = *err;
		free(head);
		return -1;
	}
	if (c->head_len == 0) {
		free(head);
		error_set(err, ERROR_IMAGE, "empty", _("%s is empty: there is no image in it."),
			  source_name(src, name));
		c->failed = *err;
		return -1;
	}
	c->is_head_all = c->head_len < SOURCE_HEAD_SIZE;
	c->head = head;
	return 0;
}

/* The content has ended: what was announced must be what came, from a file that stayed. */
static int finish(struct source *src, struct error *err)
{
	struct source_common *c = src->common;

	if (src->size != SOURCE_SIZE_UNKNOWN && src->size != c->consumed)
		return set_size_wrong(src, err);
	if (source_check_unchanged(src, err) < 0)
		return -1;
	if (c->watch && c->watch(c->watch_ctx, c->consumed, NULL, 0, err) < 0)
		return -1;
	src->size = c->consumed;
	c->is_ended = true;
	return 0;
}

static int next_content(struct source *src, uint8_t *buf, size_t len, size_t *ret_len,
			struct error *err)
{
	struct source_common *c = src->common;
	size_t from_head = 0, n = 0;

	if (fill_head(src, err) < 0)
		return -1;
	if (c->consumed < c->head_len) {
		from_head = (size_t)num_min(len, c->head_len - c->consumed);
		memcpy(buf, c->head + c->consumed, from_head);
	}
	if (from_head < len && !c->is_head_all && !c->is_ended)
		if (next_full(src, buf + from_head, len - from_head, &n, err) < 0)
			return -1;
	n += from_head;
	for (size_t i = 0; i < c->n_taps; i++)
		if (!c->taps[i].as_file)
			hash_update(c->taps[i].hash, buf, n);
	if (c->watch && n > 0 && c->watch(c->watch_ctx, c->consumed, buf, n, err) < 0)
		return -1;
	c->consumed += n;
	if (src->size != SOURCE_SIZE_UNKNOWN && c->consumed > src->size)
		return set_size_wrong(src, err);
	if (n < len && !c->is_ended && finish(src, err) < 0)
		return -1;
	*ret_len = n;
	return 0;
}

int source_next(struct source *src, void *buf, size_t len, size_t *ret_len, struct error *err)
{
	struct source_common *c = src->common;

	if (!src->ops->next)
		return error_set(err, ERROR_INTERNAL, "source-access",
				 _("Internal error: the source is not a stream."));
	if (source_is_cancelled(src))
		return source_set_cancelled(src, err);
	if (c->failed.kind != ERROR_NONE) {
		*err = c->failed;
		return -1;
	}
	c->is_started = true;
	if (next_content(src, buf, len, ret_len, err) < 0) {
		c->failed = *err;
		return -1;
	}
	free(c->early);
	c->early = NULL;
	return 0;
}

int source_peek(struct source *src, uint64_t off, void *buf, size_t len, size_t *ret_len,
		struct error *err)
{
	const struct source_common *c = src->common;
	uint64_t visible;
	size_t n;

	if (src->access == SOURCE_SEQUENTIAL && fill_head(src, err) < 0)
		return -1;
	visible = src->access == SOURCE_SEQUENTIAL ? c->head_len : src->size;
	if (off >= visible) {
		*ret_len = 0;
		return 0;
	}
	n = (size_t)num_min(len, visible - off);
	if (src->access == SOURCE_SEQUENTIAL)
		memcpy(buf, c->head + off, n);
	else if (source_read_at(src, off, buf, n, err) < 0)
		return -1;
	*ret_len = n;
	return 0;
}

int source_next_data(struct source *src, uint64_t off, uint64_t *ret_off, uint64_t *ret_len,
		     struct error *err)
{
	if (src->ops->next_data && off < src->size)
		return src->ops->next_data(src, off, ret_off, ret_len, err);
	*ret_off = off;
	*ret_len = off < src->size ? src->size - off : 0;
	return 0;
}

bool source_can_rewind(const struct source *src)
{
	return src->ops->rewind != NULL;
}

static int tap_restart(struct tap *tap, struct error *err)
{
	struct hash *fresh;

	if (hash_new(tap->alg, &fresh, err) < 0)
		return -1;
	hash_free(tap->hash);
	tap->hash = fresh;
	return 0;
}

int source_rewind(struct source *src, struct error *err)
{
	struct source_common *c = src->common;

	if (!src->ops->rewind)
		return error_set(err, ERROR_INTERNAL, "source-access",
				 _("Internal error: the source cannot be read twice."));
	for (size_t i = 0; i < c->n_taps; i++)
		if (tap_restart(&c->taps[i], err) < 0)
			return -1;
	free(c->early);
	free(c->head);
	c->early = NULL;
	c->head = NULL;
	c->early_len = c->head_len = 0;
	c->is_early_full = c->is_head_all = c->is_started = c->is_ended = false;
	c->consumed = 0;
	c->failed = (struct error)ERROR_INIT;
	return src->ops->rewind(src, err);
}

int source_check_unchanged(struct source *src, struct error *err)
{
	const struct stat *was = &src->common->st;
	char name[SOURCE_NAME_SIZE];
	struct stat now;

	if (!src->common->has_stat)
		return 0;
	if (fstat(src->fd, &now) < 0)
		return error_set_sys(err, ERROR_IO, "source-read", errno, _("Cannot look at %s"),
				     source_name(src, name));
	if (now.st_size == was->st_size && now.st_mtim.tv_sec == was->st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == was->st_mtim.tv_nsec &&
	    now.st_ctim.tv_sec == was->st_ctim.tv_sec &&
	    now.st_ctim.tv_nsec == was->st_ctim.tv_nsec)
		return 0;
	return error_set(err, ERROR_IMAGE, "source-changed",
			 _("%s was changed while it was read, so what was read cannot be trusted. "
			   "Run again when nothing writes to it any more."),
			 source_name(src, name));
}

int source_feed_file_taps(struct source *src, const void *data, size_t len, struct error *err)
{
	struct source_common *c = src->common;

	for (size_t i = 0; i < c->n_taps; i++)
		if (c->taps[i].as_file)
			hash_update(c->taps[i].hash, data, len);
	if (c->is_started || c->is_early_full)
		return 0;
	if (c->early_len + len > EARLY_MAX) {
		c->is_early_full = true;
		return 0;
	}
	if (!c->early)
		c->early = malloc(EARLY_MAX);
	if (!c->early)
		return error_set_nomem(err);
	memcpy(c->early + c->early_len, data, len);
	c->early_len += len;
	return 0;
}

int source_tap(struct source *src, bool as_file, const char *alg, struct error *err)
{
	struct source_common *c = src->common;
	const char *canonical = hash_alg_name(alg);
	char name[SOURCE_NAME_SIZE];
	struct hash *hash;

	for (size_t i = 0; i < c->n_taps; i++)
		if (c->taps[i].as_file == as_file && canonical &&
		    !strcmp(c->taps[i].alg, canonical))
			return 0;
	if (c->is_started || c->n_taps == MAX_TAPS)
		return error_set(
			err, ERROR_INTERNAL, "source-access",
			_("Internal error: a digest of the source was asked for too late."));
	if (as_file && c->is_early_full)
		return error_set(
			err, ERROR_IMAGE, "no-content-at-start",
			_("The digest of %s cannot be computed while it is read: it begins with "
			  "more than %d MiB of compressed data that hold no content. Save it "
			  "to a file and give isowrite that."),
			source_name(src, name), (int)(EARLY_MAX / MIB));
	if (hash_new(alg, &hash, err) < 0)
		return -1;
	if (as_file)
		hash_update(hash, c->early, c->early_len);
	c->taps[c->n_taps++] = (struct tap){ .as_file = as_file, .hash = hash, .alg = canonical };
	return 0;
}

int source_tapped(struct source *src, bool as_file, const char *alg, struct digest *ret)
{
	const struct source_common *c = src->common;
	const char *canonical = hash_alg_name(alg);

	if (!canonical || !c->is_ended)
		return -1;
	for (size_t i = 0; i < c->n_taps; i++)
		if (c->taps[i].as_file == as_file && !strcmp(c->taps[i].alg, canonical)) {
			hash_peek(c->taps[i].hash, ret);
			return 0;
		}
	return -1;
}
