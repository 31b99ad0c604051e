// SPDX-License-Identifier: GPL-3.0-or-later
/* Lists of digests from the folder of an image; see sums-read.h. */
#include "image/sums-read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

/* An image may have two names: the one it was called by, and that of the file behind a link. */
struct names {
	const char *called; /* only the file's name */
	const char *real;   /* NULL: the same */
};

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int set_unreadable(int sys, const struct sums_list *l, struct error *err)
{
	if (sys == EACCES || sys == EPERM)
		return error_set(err, ERROR_REFUSED, "sums-permission",
				 _("The list %s may not be read: permission denied."), l->name);
	if (sys == ENOENT || sys == ELOOP || sys == ENOTDIR)
		return error_set(err, ERROR_USAGE, "no-such-list",
				 _("The list %s does not exist, or is a link to nothing."),
				 l->name);
	return error_set_sys(err, ERROR_IO, "sums-read", sys, _("The list %s cannot be read"),
			     l->name);
}

/* A pipe must not make us wait, nor a device do anything. */
static int open_list(int dir, const char *path, const struct sums_list *l, size_t *ret_size,
		     struct error *err)
{
	auto_fd int fd = -1;
	struct stat st;

	if (fstatat(dir, path, &st, 0) < 0)
		return set_unreadable(errno, l, err);
	if (S_ISREG(st.st_mode)) {
		fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd < 0 || fstat(fd, &st) < 0)
			return set_unreadable(errno, l, err);
	}
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_USAGE, "no-list",
				 _("%s is no list of digests, but no regular file."), l->name);
	if ((uint64_t)st.st_size > SUMS_MAX_SIZE)
		return error_set(err, ERROR_USAGE, "list-too-large",
				 _("%s is no list of digests: it is larger than any list."),
				 l->name);
	*ret_size = (size_t)st.st_size;
	return take_fd(&fd);
}

static int read_list(int dir, const char *path, const char *hint, struct sums_list *l,
		     struct error *err)
{
	auto_free char *text = NULL;
	size_t size = 0;
	ssize_t n;
	int fd = open_list(dir, path, l, &size, err);
	int sys;

	if (fd < 0)
		return -1;
	text = malloc(size + 1);
	n = text ? io_pread_full(fd, text, size, 0) : 0;
	sys = errno;
	close(fd);
	if (!text)
		return error_set_nomem(err);
	if (n < 0)
		return set_unreadable(sys, l, err);
	return sums_parse(text, (size_t)n, hint, &l->sums, err);
}

/* What the list says of a name, or else of that name without .xz. */
static bool choose(struct sums_list *l, const char *path, bool is_plain, bool takes_only)
{
	bool takes_bare = l->is_own || l->is_given;

	char plain[PATH_MAX];
	size_t len = sums_plain_name_len(path);

	if (!is_plain) {
		sums_choose(&l->sums, path, takes_bare, takes_only, &l->choice);
	} else if (len > 0 && len < sizeof(plain)) {
		memcpy(plain, path, len);
		plain[len] = '\0';
		sums_choose(&l->sums, plain, takes_bare, takes_only, &l->choice);
	}
	return l->choice.state != SUMS_ABSENT;
}

static void choose_any(struct sums_list *l, const char *called, const char *real)
{
	if (choose(l, called, false, false) || (real && choose(l, real, false, false)) ||
	    choose(l, called, true, false) || (real && choose(l, real, true, false)))
		return;
	/* latest.iso.sha256 names the file that latest.iso was a link to where it came from. */
	(void)choose(l, called, false, l->is_own);
}

/* ------------------------------------------------------------------ beside */

/* A file that may be a list, while the folder is read. */
struct candidate {
	char name[NAME_MAX + 1];
	const char *hint;
	bool is_own;
};

static int compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->is_own != y->is_own)
		return x->is_own ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool is_list_name(const char *name, const struct names *names, struct candidate *ret)
{
	enum sums_kind kind = sums_classify(name, names->called, &ret->hint);

	if (names->real && kind != SUMS_OWN && strcmp(name, names->called) != 0) {
		const char *hint;
		enum sums_kind other = sums_classify(name, names->real, &hint);

		if (other > kind) {
			kind = other;
			ret->hint = hint;
		}
	}
	ret->is_own = kind == SUMS_OWN;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return kind != SUMS_NO_LIST;
}

/* The lists of an open folder: -1 for want of memory. Their number ends with the folder. */
static int find_candidates(int fd, const struct names *names, struct candidate **ret, size_t *ret_n)
{
	struct candidate *list = NULL;
	size_t n = 0, room = 0;
	struct dirent *de;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;

	if (!dir) {
		if (copy >= 0)
			close(copy);
		*ret = NULL;
		*ret_n = 0;
		return 0;
	}
	while ((de = readdir(dir))) {
		if (n == room) {
			struct candidate *more = realloc(list, (room + 64) * sizeof(*list));

			if (!more) {
				free(list);
				closedir(dir);
				return -1;
			}
			list = more;
			room += 64;
		}
		if (de->d_type != DT_DIR && is_list_name(de->d_name, names, &list[n]))
			n++;
	}
	closedir(dir);
	if (n > 0)
		qsort(list, n, sizeof(*list), compare);
	*ret = list;
	*ret_n = n;
	return 0;
}

/* Is it nothing that anybody would want to know of? A file that only sounds like a list. */
static bool is_noise(const struct sums_list *l)
{
	if (l->error.kind != ERROR_NONE)
		return strcmp(l->error.code, "no-list") == 0 && !l->is_own;
	return l->sums.n_entries == 0 && !l->is_own && !l->sums.is_cut;
}

static int read_folder(const char *path, const struct names *names, struct sums_lists *lists,
		       struct error *err)
{
	auto_fd int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_free struct candidate *found = NULL;
	size_t n = 0;

	if (dir < 0)
		return 0;
	if (find_candidates(dir, names, &found, &n) < 0)
		return error_set_nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct sums_list *l = &lists->list[lists->n];

		if (lists->n == SUMS_MAX_LISTS) {
			lists->has_more = true;
			break;
		}
		*l = (struct sums_list){ .is_own = found[i].is_own };
		text_escape(found[i].name, SIZE_MAX, l->name, sizeof(l->name));
		if (read_list(dir, found[i].name, found[i].hint, l, &l->error) == 0)
			choose_any(l, names->called, names->real);
		if (is_noise(l))
			sums_done(&l->sums);
		else
			lists->n++;
	}
	return 0;
}

/* The folder of a path, in buf. */
static const char *folder_of(const char *path, char *buf, size_t size)
{
	size_t len = (size_t)(file_name(path) - path);

	if (len == 0)
		return ".";
	snprintf(buf, size, "%.*s", (int)len, path);
	return buf;
}

int sums_read_beside(const char *path, struct sums_lists *ret, struct error *err)
{
	auto_free char *real = realpath(path, NULL);
	struct names names = { .called = file_name(path) };
	struct sums_lists lists = { .list = calloc(SUMS_MAX_LISTS, sizeof(*lists.list)) };
	char a[PATH_MAX], b[PATH_MAX];
	struct stat first, second;
	int rc;

	if (!lists.list)
		return error_set_nomem(err);
	if (real && strcmp(file_name(real), names.called) != 0)
		names.real = file_name(real);
	rc = read_folder(folder_of(path, a, sizeof(a)), &names, &lists, err);
	if (rc == 0 && real && stat(folder_of(path, a, sizeof(a)), &first) == 0 &&
	    stat(folder_of(real, b, sizeof(b)), &second) == 0 &&
	    (first.st_dev != second.st_dev || first.st_ino != second.st_ino))
		rc = read_folder(b, &names, &lists, err);
	if (rc < 0)
		sums_lists_done(&lists);
	else
		*ret = lists;
	return rc;
}

/* ------------------------------------------------------------------- given */

/* An absolute path from a folder, if it lies there or below; else its last part. */
static const char *path_from(const char *folder, const char *path)
{
	size_t len = folder ? strlen(folder) : 0;

	if (len > 1 && strncmp(path, folder, len) == 0 && path[len] == '/')
		return path + len + 1;
	return file_name(path);
}

/* The list may name the image by its path; through links or as it was called. */
static void choose_given(struct sums_list *l, const char *list, const char *image)
{
	char buf[PATH_MAX], called[2 * PATH_MAX];
	auto_free char *folder = realpath(folder_of(list, buf, sizeof(buf)), NULL);
	auto_free char *base = realpath(folder_of(image, buf, sizeof(buf)), NULL);
	auto_free char *real = realpath(image, NULL);

	snprintf(called, sizeof(called), "%s/%s", base ? base : "", file_name(image));
	choose_any(l, path_from(folder, called), real ? path_from(folder, real) : NULL);
}

int sums_read_given(const char *list, const char *image, struct sums_lists *ret, struct error *err)
{
	struct sums_list *l = calloc(SUMS_MAX_LISTS, sizeof(*l));
	const char *hint;

	if (!l)
		return error_set_nomem(err);
	l->is_given = true;
	l->is_own = sums_classify(file_name(list), image ? file_name(image) : "", &hint) == SUMS_OWN;
	text_escape(list, SIZE_MAX, l->name, sizeof(l->name));
	if (read_list(AT_FDCWD, list, hint, l, err) < 0) {
		free(l);
		return -1;
	}
	if (l->sums.is_cut)
		error_set(err, ERROR_TRUST, "sums-cut",
			  _("The list %s is cut short: its signed text does not end."), l->name);
	else if (l->sums.n_entries == 0)
		error_set(err, ERROR_TRUST, "sums-empty",
			  _("%s holds no digests that isowrite can read."), l->name);
	if (err->kind != ERROR_NONE) {
		sums_done(&l->sums);
		free(l);
		return -1;
	}
	if (image)
		choose_given(l, list, image);
	*ret = (struct sums_lists){ .list = l, .n = 1 };
	return 0;
}

void sums_lists_done(struct sums_lists *lists)
{
	for (size_t i = 0; i < lists->n; i++)
		sums_done(&lists->list[i].sums);
	free(lists->list);
	*lists = (struct sums_lists){ .list = NULL };
}
