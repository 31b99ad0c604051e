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
#include <sys/statvfs.h>
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

static int set_no_place(const char *what, const char *name, int sys, struct error *err)
{
	bool is_denied = sys == EACCES || sys == EPERM;

	return error_set_sys(err, is_denied ? ERROR_REFUSED : ERROR_USAGE, "output-path", sys,
			     _("The %s %s cannot be written"), what, name);
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
		return set_no_place(what, text_escape(path, SIZE_MAX, name, sizeof(name)), sys,
				    err);
	}
	return fd;
}

static const char *describe_mode(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return _("a directory");
	case S_IFLNK:
		return _("a link");
	default:
		return _("a device or pipe");
	}
}

int outfile_check(const char *what, const char *path, bool overwrite, struct error *err)
{
	auto_fd int dir = -1;
	bool is_there = false;
	char name[300];
	struct stat st;

	text_escape(path, SIZE_MAX, name, sizeof(name));
	if (path[0] == '\0')
		return error_set(err, ERROR_USAGE, "output-path", _("The %s's name is empty."),
				 what);
	/* What is said of the job goes there, and nobody could read it back. */
	if (strcmp(path, "-") == 0)
		return error_set(err, ERROR_USAGE, "output-path",
				 _("The %s cannot go to standard output; name a file."), what);
	/* Its folder may be there, and the file would get the name without it. */
	if (path[strlen(path) - 1] == '/')
		return error_set(err, ERROR_USAGE, "output-path",
				 _("The %s %s ends with a slash, as a folder does; name a file."),
				 what, name);
	if (lstat(path, &st) == 0)
		is_there = true;
	else if (errno != ENOENT)
		return set_no_place(what, name, errno, err);
	if (is_there && S_ISBLK(st.st_mode))
		return error_set(err, ERROR_USAGE, "output-path",
				 _("The %s %s is a block device; devices are written by: isowrite "
				   "IMAGE DEVICE"),
				 what, name);
	if (is_there && !S_ISREG(st.st_mode))
		return error_set(err, ERROR_USAGE, "output-path",
				 _("The %s %s exists and is no regular file, but %s."), what, name,
				 describe_mode(st.st_mode));
	if (is_there && !overwrite)
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

bool outfile_is_same_place(const char *a, const char *b)
{
	const char *na = strrchr(a, '/'), *nb = strrchr(b, '/');
	auto_free char *da = strndup(a, na ? (size_t)(na - a) + 1 : 0);
	auto_free char *db = strndup(b, nb ? (size_t)(nb - b) + 1 : 0);
	char real_a[PATH_MAX], real_b[PATH_MAX];

	return da && db && realpath(*da ? da : ".", real_a) && realpath(*db ? db : ".", real_b) &&
	       !strcmp(real_a, real_b) && !strcmp(na ? na + 1 : a, nb ? nb + 1 : b);
}

uint64_t outfile_room(const char *path)
{
	auto_free char *copy = strdup(path);
	struct statvfs fs;
	uint64_t room;

	if (!copy || statvfs(dirname(copy), &fs) < 0 ||
	    __builtin_mul_overflow((uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize, &room))
		return UINT64_MAX;
	return room;
}

int outfile_open(const char *what, const char *path, bool overwrite, struct outfile *ret,
		 struct error *err)
{
	struct outfile f = { .fd = -1, .what = what, .overwrite = overwrite };
	char name[300];
	int sys;

	f.dir = open_directory(what, path, err);
	if (f.dir < 0)
		return -1;
	f.path = strdup(path);
	if (!f.path) {
		close(f.dir);
		return error_set_nomem(err);
	}
	f.fd = openat(f.dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	if (f.fd < 0) {
		snprintf(f.temp, sizeof(f.temp), ".isowrite.%ld", (long)getpid());
		f.fd = openat(f.dir, f.temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			      0666);
	}
	if (f.fd < 0) {
		sys = errno;
		f.temp[0] = '\0';
		outfile_close(&f);
		return error_set_sys(err, ERROR_IO, "output", sys, _("The %s %s cannot be created"),
				     what, text_escape(path, SIZE_MAX, name, sizeof(name)));
	}
	*ret = f;
	return 0;
}

int outfile_set_error(const struct outfile *f, int sys, struct error *err)
{
	char name[300];

	text_escape(f->path, SIZE_MAX, name, sizeof(name));
	switch (sys) {
	case ENOSPC:
		return error_set(err, ERROR_FIT, "output-full",
				 _("The %s %s does not fit: its file system is full. Nothing is "
				   "left of it."),
				 f->what, name);
	case EDQUOT:
		return error_set(err, ERROR_FIT, "output-full",
				 _("The %s %s does not fit: your quota is used up. Nothing is left "
				   "of it."),
				 f->what, name);
	case EFBIG:
		return error_set(err, ERROR_FIT, "output-too-large",
				 _("The %s %s would become larger than its file system (FAT: "
				   "4 GiB) or ulimit -f allows. Nothing is left of it."),
				 f->what, name);
	default:
		return error_set_sys(err, ERROR_IO, "output", sys,
				     _("The %s %s was not written, and nothing is left of it"),
				     f->what, name);
	}
}

/* Gives the temporary file its name; without overwrite an existing one stays. */
static int put_in_place(struct outfile *f, const char *base)
{
	char link[32];

	if (!f->temp[0]) {
		/* AT_EMPTY_PATH would need a capability. */
		snprintf(link, sizeof(link), "/proc/self/fd/%d", f->fd);
		if (!f->overwrite)
			return linkat(AT_FDCWD, link, f->dir, base, AT_SYMLINK_FOLLOW);
		snprintf(f->temp, sizeof(f->temp), ".isowrite.%ld", (long)getpid());
		if (linkat(AT_FDCWD, link, f->dir, f->temp, AT_SYMLINK_FOLLOW) < 0) {
			f->temp[0] = '\0';
			return -1;
		}
	}
	if (f->overwrite)
		return renameat(f->dir, f->temp, f->dir, base);
	if (renameat2(f->dir, f->temp, f->dir, base, RENAME_NOREPLACE) == 0)
		return 0;
	/* File systems without it (NFS): a hard link does not replace either. */
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(f->dir, f->temp, f->dir, base, 0) < 0)
		return -1;
	return unlinkat(f->dir, f->temp, 0);
}

int outfile_commit(struct outfile *f, struct error *err)
{
	auto_free char *copy = strdup(f->path);
	char name[300];

	if (!copy)
		return error_set_nomem(err);
	if (fsync(f->fd) < 0 || put_in_place(f, basename(copy)) < 0) {
		if (errno != EEXIST)
			return outfile_set_error(f, errno, err);
		return error_set(err, ERROR_USAGE, "output-exists",
				 _("The %s %s was not written: somebody else made one meanwhile."),
				 f->what, text_escape(f->path, SIZE_MAX, name, sizeof(name)));
	}
	f->temp[0] = '\0';
	if (fsync(f->dir) < 0 && errno != EINVAL)
		return error_set_sys(
			err, ERROR_IO, "output", errno,
			_("The %s %s is there, but its name may be lost with the power"), f->what,
			text_escape(f->path, SIZE_MAX, name, sizeof(name)));
	return 0;
}

void outfile_close(struct outfile *f)
{
	if (f->temp[0])
		unlinkat(f->dir, f->temp, 0);
	if (f->fd >= 0)
		close(f->fd);
	if (f->dir >= 0)
		close(f->dir);
	free(f->path);
	*f = (struct outfile){ .fd = -1, .dir = -1 };
}

int outfile_write(const char *what, const char *path, bool overwrite, const void *data, size_t len,
		  struct error *err)
{
	struct outfile f;
	int rc;

	if (outfile_open(what, path, overwrite, &f, err) < 0)
		return -1;
	if (io_pwrite_full(f.fd, data, len, 0) == (ssize_t)len)
		rc = outfile_commit(&f, err);
	else
		rc = outfile_set_error(&f, errno, err);
	outfile_close(&f);
	if (rc < 0)
		err->kind = ERROR_INTERNAL; /* what it is beside of was done */
	return rc;
}
