// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A SEQUENTIAL source: a pipe as it is, or anything compressed. The table of
 * codecs is here; a new format is one file and one row.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"
#include "image/source-internal.h"

static const struct source_codec *const codecs[] = {
	&source_codec_gzip,  &source_codec_xz,  &source_codec_zstd,
	&source_codec_bzip2, &source_codec_lz4, &source_codec_zip,
};

#define ISO_MAGIC_OFFSET 32769 /* ECMA-119 8.4.2, of the first volume descriptor */

struct stream {
	struct source_input in;
	const struct source_codec *codec; /* NULL: the bytes are the content */
	void *decoder;
	bool is_begun; /* the magic was looked at */
};

const struct source_codec *source_find_codec(const uint8_t *head, size_t len)
{
	/* What a disc's first 32 KiB hold is up to its maker. */
	if (num_is_within(ISO_MAGIC_OFFSET, 5, len) && !memcmp(head + ISO_MAGIC_OFFSET, "CD001", 5))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++)
		if (codecs[i]->matches(head, len))
			return codecs[i];
	return NULL;
}

int source_set_truncated(const struct source_input *in, const char *format, struct error *err)
{
	char name[SOURCE_NAME_SIZE];

	return error_set(err, ERROR_IMAGE, "truncated-compression",
			 _("%s is incomplete: its %s data breaks off at byte %" PRIu64
			   ". Download it again."),
			 source_name(in->src, name), format, source_input_tell(in));
}

int source_set_corrupt(const struct source_input *in, const char *format, const char *why,
		       struct error *err)
{
	char name[SOURCE_NAME_SIZE];

	return error_set(err, ERROR_IMAGE, "corrupt-compression",
			 _("%s is corrupt: its %s data is damaged at or before byte %" PRIu64
			   "%s%s%s. Download it again."),
			 source_name(in->src, name), format, source_input_tell(in), why ? " (" : "",
			 why ? why : "", why ? ")" : "");
}

int source_set_trailing(const struct source_input *in, const char *format, uint64_t off,
			struct error *err)
{
	char name[SOURCE_NAME_SIZE];

	return error_set(err, ERROR_IMAGE, "trailing-garbage",
			 _("%s has other data behind its %s data, from byte %" PRIu64
			   " on. Download it again."),
			 source_name(in->src, name), format, off);
}

int source_set_unsupported(const struct source_input *in, const char *format, const char *what,
			   struct error *err)
{
	char name[SOURCE_NAME_SIZE];

	return error_set(err, ERROR_IMAGE, "unsupported-compression",
			 _("%s is %s data of a kind that isowrite cannot read and check: %s."),
			 source_name(in->src, name), format, what);
}

/* "COMMAND FILE > image.img", or "COMMAND |" to put before isowrite. */
static int set_do_it_yourself(const struct source_input *in, const char *what, const char *command,
			      const char *code, struct error *err)
{
	char quoted[SOURCE_NAME_SIZE];
	const char *path = in->src->path;

	if (!in->is_seekable || strcmp(path, "-") == 0)
		return error_set(err, ERROR_LACKING, code,
				 _("%s. Put this before isowrite:\n  %s |"), what, command);
	return error_set(err, ERROR_LACKING, code,
			 _("%s. Decompress it first:\n  %s %s%s > image.img"), what, command,
			 path[0] == '-' ? "./" : "",
			 text_shell_quote(path, quoted, sizeof(quoted)));
}

int source_set_memory(const struct source_input *in, uint64_t limit, const char *command,
		      struct error *err)
{
	char name[SOURCE_NAME_SIZE], what[SOURCE_NAME_SIZE + 128];

	snprintf(what, sizeof(what),
		 _("Decompressing %s needs more than the %" PRIu64
		   " MiB of memory that isowrite allows"),
		 source_name(in->src, name), limit / MIB);
	return set_do_it_yourself(in, what, command, "memory-limit", err);
}

int source_set_lacking(const struct source_input *in, const struct source_codec *codec,
		       struct error *err)
{
	char name[SOURCE_NAME_SIZE], what[SOURCE_NAME_SIZE + 128];

	snprintf(what, sizeof(what), _("%s is %s data, and this isowrite was built without %s"),
		 source_name(in->src, name), codec->name, codec->lacks);
	return set_do_it_yourself(in, what, codec->command, "not-built-in", err);
}

static int start_codec(struct source *src, struct error *err)
{
	struct stream *s = src->priv;
	uint64_t size;

	if (source_input_fill(&s->in, SOURCE_HEAD_BYTES, err) < 0)
		return -1;
	s->codec = source_find_codec(s->in.buf, s->in.len);
	s->is_begun = true;
	if (!s->codec)
		return 0;
	src->compression = s->codec->name;
	if (s->codec->lacks)
		return source_set_lacking(&s->in, s->codec, err);
	if (s->in.is_seekable && s->codec->content_size &&
	    s->codec->content_size(s->in.fd, src->file_size, &size) == 1)
		src->size = size;
	return s->codec->start(&s->in, &s->decoder, err);
}

static int stream_next(struct source *src, void *buf, size_t len, size_t *ret_len,
		       struct error *err)
{
	struct stream *s = src->priv;
	size_t n;

	if (!s->is_begun && start_codec(src, err) < 0)
		return -1;
	if (s->codec)
		return s->codec->next(s->decoder, buf, len, ret_len, err);
	if (source_input_fill(&s->in, 1, err) < 0)
		return -1;
	n = (size_t)num_min(len, s->in.len - s->in.pos);
	memcpy(buf, s->in.buf + s->in.pos, n);
	s->in.pos += n;
	*ret_len = n;
	return 0;
}

static int stream_rewind(struct source *src, struct error *err)
{
	struct stream *s = src->priv;

	if (s->decoder)
		s->codec->stop(s->decoder);
	s->decoder = NULL;
	if (source_input_rewind(&s->in, err) < 0)
		return -1;
	return s->codec->start(&s->in, &s->decoder, err);
}

static void stream_close(struct source *src)
{
	struct stream *s = src->priv;

	if (s->decoder)
		s->codec->stop(s->decoder);
	source_input_done(&s->in);
	free(s);
}

static const struct source_ops pipe_ops = {
	.name = "pipe",
	.next = stream_next,
	.close = stream_close,
};

static const struct source_ops packed_ops = {
	.name = "compressed",
	.next = stream_next,
	.rewind = stream_rewind,
	.close = stream_close,
};

int source_new_stream(int fd, const char *path, const struct stat *st, bool is_seekable,
		      struct source **ret, struct error *err)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct source *src =
		s ? source_new(is_seekable ? &packed_ops : &pipe_ops, SOURCE_SEQUENTIAL, s) : NULL;

	if (!src) {
		free(s);
		close(fd);
		return error_set_nomem(err);
	}
	if (source_input_init(&s->in, src, fd, is_seekable, err) < 0)
		goto fail;
	src->path = strdup(path);
	if (!src->path) {
		error_set_nomem(err);
		goto fail;
	}
	if (is_seekable) {
		src->fd = fd;
		src->file_size = (uint64_t)st->st_size;
		source_set_stat(src, st);
	}
	/* A pipe's first bytes are waited for at the first peek, where that can be cancelled. */
	if (is_seekable && start_codec(src, err) < 0)
		goto fail;
	*ret = src;
	return 0;
fail:
	source_free(src);
	return -1;
}
