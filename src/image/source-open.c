// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * source_open(): what lies at a path, and which kind of source reads it. Every
 * thing that is no image has its own sentence here.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "image/source-internal.h"

static int set_open_failed(const char *name, int sys, struct error *err)
{
	switch (sys) {
	case ENOENT:
	case ENOTDIR:
		return error_set(err, ERROR_USAGE, "no-such-image", _("There is no image %s."),
				 name);
	case ELOOP:
	case ENAMETOOLONG:
		return error_set_sys(err, ERROR_USAGE, "no-such-image", sys,
				     _("There is no image %s"), name);
	case EACCES:
	case EPERM:
		return error_set(err, ERROR_REFUSED, "permission-denied",
				 _("%s may not be read: permission denied."), name);
	case ENXIO:
		return error_set(err, ERROR_IMAGE, "not-a-file",
				 _("%s is a socket or a device without a driver, not an image."),
				 name);
	case ENOMEDIUM:
		return error_set(err, ERROR_IMAGE, "empty", _("%s holds no medium."), name);
	default:
		return error_set_sys(err, ERROR_IO, "source-open", sys, _("Cannot open %s"), name);
	}
}

/* A regular file is RANDOM as it is, or a stream if a codec knows its first bytes. */
static int open_regular(int fd, const char *path, const char *name, const struct stat *st,
			struct source **ret, struct error *err)
{
	uint8_t head[SOURCE_HEAD_BYTES];
	ssize_t n;

	if (st->st_size == 0) {
		close(fd);
		return error_set(err, ERROR_IMAGE, "empty",
				 _("%s is empty: there is no image in it."), name);
	}
	n = io_pread_full(fd, head, sizeof(head), 0);
	if (n < 0) {
		error_set_sys(err, ERROR_IO, "source-read", errno, _("Cannot read %s"), name);
		close(fd);
		return -1;
	}
	if (source_find_codec(head, (size_t)n))
		return source_new_stream(fd, path, st, true, ret, err);
	return source_new_file(fd, path, st, ret, err);
}

/* Owns fd. */
static int open_fd(int fd, const char *path, const char *name, struct source **ret,
		   struct error *err)
{
	bool is_stdin = !strcmp(path, "-");
	struct stat st;

	if (fstat(fd, &st) < 0) {
		error_set_sys(err, ERROR_IO, "source-open", errno, _("Cannot look at %s"), name);
		close(fd);
		return -1;
	}
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		/* Somebody has consumed a part of it on purpose: go on where they stopped. */
		if (is_stdin && lseek(fd, 0, SEEK_CUR) > 0)
			return source_new_stream(fd, path, &st, false, ret, err);
		return open_regular(fd, path, name, &st, ret, err);
	case S_IFBLK:
		return source_new_file(fd, path, &st, ret, err);
	case S_IFIFO:
	case S_IFSOCK:
		return source_new_stream(fd, path, &st, false, ret, err);
	case S_IFDIR:
		error_set(err, ERROR_IMAGE, "directory",
			  _("%s is a directory, not an image; give an image file in it."), name);
		break;
	default:
		if (isatty(fd))
			error_set(
				err, ERROR_USAGE, "source-is-terminal",
				_("%s is a terminal; pipe an image into isowrite, or name a file."),
				name);
		else
			error_set(err, ERROR_IMAGE, "character-device",
				  _("%s is a character device, which has no end; "
				    "an image is a file, a block device or a pipe."),
				  name);
	}
	close(fd);
	return -1;
}

int source_open(const char *path, struct source **ret, struct error *err)
{
	char buf[SOURCE_NAME_SIZE];
	const char *name;
	struct stat st;
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
	int fd;

	if (!strcmp(path, "-")) {
		name = _("standard input");
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		if (fd < 0 && errno == EBADF)
			return error_set(err, ERROR_USAGE, "no-such-image",
					 _("Standard input is closed; there is no image to read."));
	} else {
		if (!*path)
			return error_set(err, ERROR_USAGE, "no-such-image",
					 _("The image's name is empty."));
		name = text_escape(path, strlen(path), buf, sizeof(buf));
		/*
		 * A FIFO without a writer must not block here, where nothing can cancel it; the
		 * poll before each read waits for the writer. A device must not be opened so: a
		 * drive without medium would open.
		 */
		if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode))
			flags |= O_NONBLOCK;
		fd = open(path, flags);
	}
	if (fd < 0)
		return set_open_failed(name, errno, err);
	return open_fd(fd, path, name, ret, err);
}
