// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A ZIP file (disk/zip.h) with one file in it, directories aside, stored or
 * deflated. It is read from its first byte to its last, so that a pipe is read like
 * a file: the local headers say what comes, and the central directory at the end must
 * agree with what came, record by record, without gaps. From a file the central
 * directory is looked at beforehand: what will not do is refused before anything is
 * written, and the content's size is known.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "base/text.h"
#include "disk/zip.h"
#include "image/inflate.h"
#include "image/source-internal.h"

#define ZIP_LOOK_AHEAD (16 * MIB) /* of central directory: 300,000 files */

static_assert(SOURCE_INPUT_MAX >= ZIP_CENTRAL_MAX && SOURCE_INPUT_MAX >= ZIP_LOCAL_MAX &&
		      SOURCE_INPUT_MAX >= ZIP_END_MAX,
	      "every record fits the input's buffer");
static_assert(SOURCE_INPUT_BACK >= INFLATE_LOOK_AHEAD, "what was taken ahead can be given back");

struct zip {
	struct source_input *in;
	const struct inflate_ops *ops;
	void *inflate;
	enum { AT_LOCAL, IN_DATA, AT_DESCRIPTOR, AT_CENTRAL, AT_END } state;

	/* The file whose data is read, as its local header has it */
	struct zip_header now;
	uint64_t now_offset;
	bool is_packed_size_known;
	uint64_t packed_size, size; /* that came */
	uint32_t crc;

	/* The one file, as it came */
	struct zip_header file;
	uint64_t file_offset;

	uint64_t n_files, n_directories; /* local headers */
	uint64_t n_central_files, n_central;
	uint64_t central_offset, end64_offset;
	bool is_central_seen, is_end64_seen, is_locator_seen;

	bool is_looked_up; /* from a file: the central header of the one file */
	struct zip_header ahead;
};

/* What the central directory of a file says at first sight. */
struct look {
	uint64_t n_files;
	struct zip_header file; /* the last one */
};

static bool zip_matches(const uint8_t *head, size_t len)
{
	switch (zip_magic(head, len)) {
	case ZIP_LOCAL_MAGIC:
	case ZIP_END_MAGIC:        /* an empty one */
	case ZIP_DESCRIPTOR_MAGIC: /* the first part of a split one */
		return true;
	default:
		return false;
	}
}

/* The command that unpacks it; "FILE" where it came through a pipe. Returns buf. */
static const char *unpack_command(const struct zip *z, const char *program, char *buf, size_t size)
{
	char quoted[SOURCE_NAME_SIZE];
	const char *path = z->in->is_seekable ? z->in->src->path : NULL;

	if (!path || strcmp(path, "-") == 0)
		path = "FILE";
	snprintf(buf, size, "%s %s%s", program, path[0] == '-' ? "./" : "",
		 text_shell_quote(path, quoted, sizeof(quoted)));
	return buf;
}

static int set_cannot(const struct zip *z, const char *what, const char *program, struct error *err)
{
	char name[SOURCE_NAME_SIZE], command[SOURCE_NAME_SIZE + 16];

	return error_set(err, ERROR_IMAGE, "unsupported-compression",
			 _("%s is a ZIP archive, and %s. Unpack it first:\n  %s"),
			 source_name(z->in->src, name), what,
			 unpack_command(z, program, command, sizeof(command)));
}

static int set_split(const struct zip *z, struct error *err)
{
	char name[SOURCE_NAME_SIZE];

	return error_set(err, ERROR_IMAGE, "unsupported-compression",
			 _("%s is a part of a ZIP archive that was split. Unpack it first: 7z x "
			   "takes the part whose name ends in .zip and finds the others."),
			 source_name(z->in->src, name));
}

static int set_several(const struct zip *z, uint64_t n, struct error *err)
{
	char name[SOURCE_NAME_SIZE], command[SOURCE_NAME_SIZE + 16], count[NUM_SIZE_LEN];

	source_name(z->in->src, name);
	unpack_command(z, "unzip", command, sizeof(command));
	if (n > 0)
		return error_set(err, ERROR_IMAGE, "several-files",
				 _("%s is a ZIP archive of %s files, not of a single image. "
				   "Unpack it and write the one you want:\n  %s"),
				 source_name(z->in->src, name),
				 num_format_bytes(count, sizeof(count), n), command);
	return error_set(err, ERROR_IMAGE, "several-files",
			 _("%s is a ZIP archive of more than one file, not of a single image. "
			   "Unpack it and write the one you want:\n  %s"),
			 source_name(z->in->src, name), command);
}

static int set_corrupt(const struct zip *z, const char *why, struct error *err)
{
	return source_set_corrupt(z->in, "zip", why, err);
}

/* Can this file be read at all? */
static int check_header(const struct zip *z, const struct zip_header *h, struct error *err)
{
	if (h->flags & (ZIP_ENCRYPTED | ZIP_STRONGLY_ENCRYPTED | ZIP_MASKED))
		return set_cannot(z, _("it is encrypted"), "7z x", err);
	if (h->disk != 0)
		return set_split(z, err);
	if (h->method != ZIP_STORED && h->method != ZIP_DEFLATED)
		return set_cannot(z, _("it is compressed in a way that isowrite does not know"),
				  "7z x", err);
	if (h->is_special)
		return set_cannot(z, _("what it holds is a link or a device, not a file"), "unzip",
				  err);
	return 0;
}

/* ---- looking ahead in a file */

/* Where the last bytes hold an end whose comment reaches the file's end exactly. */
static bool find_end(int fd, uint64_t file_size, uint64_t *ret_off, struct zip_end *ret)
{
	size_t len = (size_t)num_min(file_size, ZIP_END_MAX);
	auto_free uint8_t *buf = malloc(len + 1);

	if (!buf || len < ZIP_END_SIZE ||
	    io_pread_full(fd, buf, len, file_size - len) != (ssize_t)len)
		return false;
	for (size_t at = len - ZIP_END_SIZE + 1; at-- > 0;)
		if (zip_parse_end(buf + at, len - at, ret) == 1 && ret->record_size == len - at) {
			*ret_off = file_size - len + at;
			return true;
		}
	return false;
}

/* Takes what the end leaves to the zip64 record, if there is one. */
static bool read_end64(int fd, uint64_t end_off, struct zip_end *end)
{
	uint8_t buf[56]; /* what it has at least */
	struct zip_end end64;
	uint64_t off;

	if (!end->has_zip64 || end_off < ZIP_LOCATOR64_SIZE)
		return !end->has_zip64;
	if (io_pread_full(fd, buf, ZIP_LOCATOR64_SIZE, end_off - ZIP_LOCATOR64_SIZE) !=
		    ZIP_LOCATOR64_SIZE ||
	    zip_parse_locator64(buf, ZIP_LOCATOR64_SIZE, &off) != 1 ||
	    !num_is_within(off, sizeof(buf), end_off) ||
	    io_pread_full(fd, buf, sizeof(buf), off) != (ssize_t)sizeof(buf) ||
	    zip_parse_end64(buf, sizeof(buf), &end64) != 1)
		return false;
	*end = end64;
	return true;
}

/* False: nothing certain; what is wrong comes out when it is read. */
static bool look_ahead(int fd, uint64_t file_size, struct look *ret)
{
	struct look look = { 0 };
	struct zip_header h;
	auto_free uint8_t *buf = NULL;
	struct zip_end end;
	uint64_t off = 0, at, n_entries = 0;

	if (!find_end(fd, file_size, &at, &end) || !read_end64(fd, at, &end))
		return false;
	if (end.disk != 0 || end.central_disk != 0 || end.central_size > ZIP_LOOK_AHEAD ||
	    !num_is_within(end.central_offset, end.central_size, at))
		return false;
	buf = malloc(end.central_size + 1);
	if (!buf || io_pread_full(fd, buf, end.central_size, end.central_offset) !=
			    (ssize_t)end.central_size)
		return false;
	/* Every round takes a header. */
	for (; off < end.central_size; off += h.header_size, n_entries++) {
		if (zip_parse_central(buf + off, end.central_size - off, &h) != 1)
			return false;
		if (h.is_directory)
			continue;
		look.n_files++;
		look.file = h;
	}
	if (n_entries != end.n_entries)
		return false;
	*ret = look;
	return true;
}

static int zip_content_size(int fd, uint64_t file_size, uint64_t *ret_size)
{
	struct look look;

	if (!look_ahead(fd, file_size, &look) || look.n_files != 1)
		return 0;
	*ret_size = look.file.size;
	return 1;
}

static void zip_stop(void *decoder)
{
	struct zip *z = decoder;

	z->ops->stop(z->inflate);
	free(z);
}

static int zip_start(struct source_input *in, void **ret, struct error *err)
{
	struct zip *z = calloc(1, sizeof(*z));
	struct look look = { 0 };

	if (!z)
		return error_set_nomem(err);
	z->in = in;
	z->state = AT_LOCAL;
	z->ops = INFLATE_FASTEST;
	z->inflate = z->ops->start();
	if (!z->inflate) {
		error_set_nomem(err);
		goto fail;
	}
	if (in->is_seekable && look_ahead(in->fd, in->src->file_size, &look)) {
		if (look.n_files > 1) {
			set_several(z, look.n_files, err);
			goto fail;
		}
		if (look.n_files == 1 && check_header(z, &look.file, err) < 0)
			goto fail;
		z->is_looked_up = look.n_files == 1;
		z->ahead = look.file;
	}
	*ret = z;
	return 0;
fail:
	zip_stop(z);
	return -1;
}

/* ---- reading through */

static const uint8_t *here(const struct zip *z)
{
	return z->in->buf + z->in->pos;
}

static size_t visible(const struct zip *z)
{
	return z->in->len - z->in->pos;
}

static int begin_central(struct zip *z)
{
	z->central_offset = source_input_tell(z->in);
	z->state = AT_CENTRAL;
	return 0;
}

/* Before data, or where the central directory begins. */
static int read_local(struct zip *z, struct error *err)
{
	struct zip_header *h = &z->now;
	bool has_descriptor;

	if (source_input_fill(z->in, sizeof(uint32_t), err) < 0)
		return -1;
	switch (zip_magic(here(z), visible(z))) {
	case ZIP_LOCAL_MAGIC:
		break;
	case ZIP_CENTRAL_MAGIC:
	case ZIP_END_MAGIC:
	case ZIP_END64_MAGIC:
		return begin_central(z);
	case ZIP_DESCRIPTOR_MAGIC:
		if (source_input_tell(z->in) == 0)
			return set_split(z, err);
		return set_corrupt(z, _("a header is missing"), err);
	default:
		return visible(z) < sizeof(uint32_t)
			       ? source_set_truncated(z->in, "zip", err)
			       : set_corrupt(z, _("a header is missing"), err);
	}
	if (source_input_fill(z->in, ZIP_LOCAL_MAX, err) < 0)
		return -1;
	switch (zip_parse_local(here(z), visible(z), h)) {
	case 0:
		return source_set_truncated(z->in, "zip", err);
	case -1:
		return set_corrupt(z, _("a header"), err);
	default:
		break;
	}
	if (check_header(z, h, err) < 0)
		return -1;
	if (h->is_directory)
		z->n_directories++;
	else if (++z->n_files > 1)
		return set_several(z, 0, err);
	has_descriptor = h->flags & ZIP_HAS_DESCRIPTOR;
	/* Some call a directory deflated and give it no data, not even that of nothing. */
	if (h->is_directory && !has_descriptor && h->packed_size == 0)
		h->method = ZIP_STORED;
	z->is_packed_size_known = !has_descriptor;
	/* Stored data does not show where it ends. */
	if (has_descriptor && h->method == ZIP_STORED) {
		if (!h->is_directory && z->is_looked_up)
			h->packed_size = z->ahead.packed_size;
		else if (!h->is_directory && h->packed_size == 0)
			return set_cannot(z,
					  _("in a pipe nothing shows where its stored file ends"),
					  "unzip", err);
		z->is_packed_size_known = true;
	}
	z->now_offset = source_input_tell(z->in);
	z->in->pos += h->header_size;
	z->packed_size = z->size = 0;
	z->crc = 0;
	z->ops->reset(z->inflate);
	z->state = IN_DATA;
	return 0;
}

/* The data has ended: is it what its header says? */
static int end_data(struct zip *z, struct error *err)
{
	const struct zip_header *h = &z->now;

	if (z->is_packed_size_known && z->packed_size != h->packed_size)
		return set_corrupt(z, _("its data ends early"), err);
	if (h->flags & ZIP_HAS_DESCRIPTOR) {
		z->state = AT_DESCRIPTOR;
		return 0;
	}
	if (z->size != h->size)
		return set_corrupt(z, _("its length is another"), err);
	if (z->crc != h->crc)
		return set_corrupt(z, _("its checksum is another"), err);
	z->state = AT_LOCAL;
	return 0;
}

static void remember_file(struct zip *z)
{
	if (z->now.is_directory)
		return;
	z->file = z->now;
	z->file.crc = z->crc;
	z->file.packed_size = z->packed_size;
	z->file.size = z->size;
	z->file_offset = z->now_offset;
}

static int read_data(struct zip *z, uint8_t *out, size_t len, size_t *ret_len, struct error *err)
{
	struct source_input *in = z->in;
	struct inflate_io io = { .out = out, .out_len = len };
	enum inflate_status status = INFLATE_GOING;
	bool is_all;
	size_t given, n;

	if (source_input_fill(in, 1, err) < 0)
		return -1;
	given = visible(z);
	if (z->is_packed_size_known)
		given = (size_t)num_min(given, z->now.packed_size - z->packed_size);
	io.in = here(z);
	io.in_len = given;
	if (z->now.method == ZIP_DEFLATED) {
		status = z->ops->run(z->inflate, &io);
	} else {
		n = (size_t)num_min(given, len);
		memcpy(out, io.in, n);
		io.in_len -= n;
		io.out_len -= n;
	}
	/* More than was given is left if the end was behind some earlier call's bytes. */
	in->pos = in->pos + given - io.in_len;
	z->packed_size = z->packed_size + given - io.in_len;
	*ret_len = len - io.out_len;
	z->size += *ret_len;
	z->crc = z->ops->crc32(z->crc, out, *ret_len);
	if (status == INFLATE_NO_MEMORY)
		return error_set_nomem(err);
	if (status == INFLATE_CORRUPT)
		return set_corrupt(z, NULL, err);
	if (z->now.is_directory && *ret_len > 0)
		return set_corrupt(z, _("a directory with content"), err);
	is_all = z->is_packed_size_known && z->packed_size == z->now.packed_size;
	if (status == INFLATE_END || (z->now.method == ZIP_STORED && is_all)) {
		if (end_data(z, err) < 0)
			return -1;
		remember_file(z);
		return 0;
	}
	if (*ret_len > 0 || io.in_len < given)
		return 0;
	if (is_all || given > 0)
		return set_corrupt(z, _("its data does not end"), err);
	return source_set_truncated(in, "zip", err);
}

static int read_descriptor(struct zip *z, struct error *err)
{
	size_t n;

	if (source_input_fill(z->in, ZIP_DESCRIPTOR_MAX, err) < 0)
		return -1;
	n = zip_match_descriptor(here(z), visible(z), z->crc, z->packed_size, z->size);
	if (n == 0)
		return visible(z) < ZIP_DESCRIPTOR_MAX
			       ? source_set_truncated(z->in, "zip", err)
			       : set_corrupt(z, _("its checksum or length is another"), err);
	z->in->pos += n;
	z->state = AT_LOCAL;
	return 0;
}

static int check_central(struct zip *z, const struct zip_header *h, struct error *err)
{
	const struct zip_header *f = &z->file;

	z->n_central++;
	if (h->is_directory)
		return 0;
	z->n_central_files++;
	if (check_header(z, h, err) < 0)
		return -1;
	if (z->n_central_files > 1 || z->n_files != 1 || h->local_offset != z->file_offset ||
	    h->crc != f->crc || h->packed_size != f->packed_size || h->size != f->size ||
	    h->method != f->method)
		return set_corrupt(z, _("its directory tells of another file"), err);
	return 0;
}

/* Does one of the ends say what was seen? central_end is behind the last header. */
static int check_end(struct zip *z, const struct zip_end *e, uint64_t central_end,
		     struct error *err)
{
	if (e->disk != 0 || e->central_disk != 0)
		return set_split(z, err);
	if (e->n_here != e->n_entries || e->n_entries != z->n_central ||
	    e->central_offset != z->central_offset ||
	    e->central_size != central_end - z->central_offset)
		return set_corrupt(z, _("its directory is not where its end says"), err);
	return 0;
}

/* The end of all: nothing is missing, and nothing lies behind it. */
static int finish(struct zip *z, const struct zip_end *e, struct error *err)
{
	uint64_t at = source_input_tell(z->in);

	/* A value of all ones is left to the zip64 record, which has been checked then. */
	if (!(e->has_zip64 && z->is_locator_seen) &&
	    check_end(z, e, z->is_end64_seen ? z->end64_offset : at, err) < 0)
		return -1;
	if (z->n_central_files != z->n_files ||
	    z->n_central - z->n_central_files != z->n_directories ||
	    z->is_end64_seen != z->is_locator_seen)
		return set_corrupt(z, _("its directory tells of other files"), err);
	z->in->pos += e->record_size;
	if (source_input_fill(z->in, 1, err) < 0)
		return -1;
	if (visible(z) > 0)
		return source_set_trailing(z->in, "zip", source_input_tell(z->in), err);
	z->state = AT_END;
	return 0;
}

/* A record of the central directory, or of what ends it. */
static int read_central(struct zip *z, struct error *err)
{
	struct zip_header h;
	struct zip_end e;
	uint64_t at = source_input_tell(z->in), off;
	size_t size = 0;
	int rc = -1;

	if (source_input_fill(z->in, ZIP_CENTRAL_MAX, err) < 0)
		return -1;
	switch (zip_magic(here(z), visible(z))) {
	case ZIP_CENTRAL_MAGIC:
		if (z->is_end64_seen)
			break;
		rc = zip_parse_central(here(z), visible(z), &h);
		if (rc == 1 && check_central(z, &h, err) < 0)
			return -1;
		size = h.header_size;
		break;
	case ZIP_END64_MAGIC:
		if (z->is_end64_seen)
			break;
		rc = zip_parse_end64(here(z), visible(z), &e);
		if (rc == 1 && check_end(z, &e, at, err) < 0)
			return -1;
		size = e.record_size;
		z->is_end64_seen = true;
		z->end64_offset = at;
		break;
	case ZIP_LOCATOR64_MAGIC:
		rc = zip_parse_locator64(here(z), visible(z), &off);
		if (rc == 1 && (!z->is_end64_seen || z->is_locator_seen || off != z->end64_offset))
			rc = -1;
		size = ZIP_LOCATOR64_SIZE;
		z->is_locator_seen = true;
		break;
	case ZIP_END_MAGIC:
		rc = zip_parse_end(here(z), visible(z), &e);
		if (rc == 1)
			return finish(z, &e, err);
		break;
	default:
		rc = visible(z) < sizeof(uint32_t) ? 0 : -1;
	}
	if (rc == 0)
		return source_set_truncated(z->in, "zip", err);
	if (rc < 0)
		return set_corrupt(z, _("a record of its directory"), err);
	z->in->pos += size;
	return 0;
}

static int zip_next(void *decoder, void *buf, size_t len, size_t *ret_len, struct error *err)
{
	struct zip *z = decoder;
	size_t done = 0;
	int rc = 0;

	/* Each round consumes input or produces output; the input ends. */
	while (done == 0 && len > 0 && rc == 0 && z->state != AT_END) {
		switch (z->state) {
		case AT_LOCAL:
			rc = read_local(z, err);
			break;
		case IN_DATA:
			rc = read_data(z, buf, len, &done, err);
			break;
		case AT_DESCRIPTOR:
			rc = read_descriptor(z, err);
			break;
		case AT_CENTRAL:
			rc = read_central(z, err);
			break;
		case AT_END:
			break;
		}
	}
	if (rc < 0)
		return -1;
	*ret_len = done;
	return 0;
}

const struct source_codec source_codec_zip = {
	.name = "zip",
	.matches = zip_matches,
	.content_size = zip_content_size,
	.start = zip_start,
	.next = zip_next,
	.stop = zip_stop,
};
