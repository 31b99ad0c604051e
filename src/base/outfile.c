// SPDX-License-Identifier: GPL-3.0-or-later
/* Files that are complete or not there; see outfile.h. */
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

/* A file there would be taken for a device, and is gone with the next start. */
static bool is_below_dev(int dir)
{
	char link[32], real[PATH_MAX];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	len = readlink(link, real, sizeof(real) - 1);
	if (len < 0)
		return false;
	real[len] = '\0';
	return (!strcmp(real, "/dev") || !strncmp(real, "/dev/", 5)) &&
	       strcmp(real, "/dev/shm") != 0 && strncmp(real, "/dev/shm/", 9) != 0;
}

static int open_directory(const char *what, const char *path, struct error *err)
{
	auto_free char *copy = strdup(path);
	char name[300];
	int fd;

	if (!copy)
		return error_set_nomem(err);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || faccessat(fd, ".", W_OK, AT_EACCESS) < 0) {
		int sys = errno;

		if (fd >= 0)
			close(fd);
		return error_set_sys(err, ERROR_USAGE, "output-path", sys,
				     _("The %s %s cannot be written"), what,
				     text_escape(path, SIZE_MAX, name, sizeof(name)));
	}
	return fd;
}

int outfile_check(const char *what, const char *path, bool overwrite, struct error *err)
{
	auto_fd int dir = -1;
	char name[300];
	struct stat st;

	text_escape(path, SIZE_MAX, name, sizeof(name));
	if (path[0] == '\0')
		return error_set(err, ERROR_USAGE, "output-path", _("The %s's name is empty."),
				 what);
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return error_set(err, ERROR_USAGE, "output-path",
				 _("The %s %s exists and is no regular file."), what, name);
	if (lstat(path, &st) == 0 && !overwrite)
		return error_set(err, ERROR_USAGE, "output-exists",
				 _("The %s %s exists; --overwrite replaces it."), what, name);
	dir = open_directory(what, path, err);
	if (dir < 0)
		return -1;
	if (is_below_dev(dir))
		return error_set(err, ERROR_USAGE, "output-path",
				 _("The %s %s cannot be written: nothing is created below /dev."),
				 what, name);
	return 0;
}

/* Gives the temporary file its name; without overwrite an existing one stays. */
static int put_in_place(int dir, const char *temp, const char *base, bool overwrite)
{
	if (overwrite)
		return renameat(dir, temp, dir, base);
	if (renameat2(dir, temp, dir, base, RENAME_NOREPLACE) == 0)
		return 0;
	/* File systems without it (NFS): a hard link does not replace either. */
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(dir, temp, dir, base, 0) < 0)
		return -1;
	return unlinkat(dir, temp, 0);
}

int outfile_write(const char *what, const char *path, bool overwrite, const void *data, size_t len,
		  struct error *err)
{
	auto_free char *copy = strdup(path);
	auto_fd int dir = open_directory(what, path, err);
	auto_fd int fd = -1;
	char temp[64], name[300];

	if (dir < 0)
		return -1;
	if (!copy)
		return error_set_nomem(err);
	snprintf(temp, sizeof(temp), ".isowrite.%ld", (long)getpid());
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd >= 0 && io_pwrite_full(fd, data, len, 0) == (ssize_t)len && fsync(fd) == 0 &&
	    put_in_place(dir, temp, basename(copy), overwrite) == 0 && fsync(dir) == 0)
		return 0;
	error_set_sys(err, ERROR_INTERNAL, "output", errno, _("The %s %s was not written"), what,
		      text_escape(path, SIZE_MAX, name, sizeof(name)));
	if (fd >= 0)
		unlinkat(dir, temp, 0);
	return -1;
}
