// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The never-list: disks that must never be written, by what identifies them
 * wherever they are plugged in. One entry a line, # begins a comment:
 *
 *	wwn:naa.50014ee2b5f0c1d2
 *	serial:WD/Elements_25A3/575842314132
 *	table:0d3f8a1c-...
 *
 * All bytes but plain characters are written as %XX. Every list that applies
 * is read: /etc/isowrite/protected, the user's, and under sudo the caller's.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "io/device-internal.h"

#define MAX_LISTS 3
#define MAX_ENTRY 1024 /* the longest line: 3 bytes for each byte of the strings */

struct lists {
	char path[MAX_LISTS][PATH_MAX];
	size_t n;
};

static void add_home(struct lists *lists, const char *home)
{
	char *path = lists->path[lists->n];

	if (home && home[0] == '/' &&
	    sysfs_path(path, PATH_MAX, "%s/.config/isowrite/protected", home))
		lists->n++;
}

/* [0] is the machine's; the last one is the list of the person at the keyboard. */
static void find_lists(struct lists *ret)
{
	const char *config = secure_getenv("XDG_CONFIG_HOME"), *sudo = secure_getenv("SUDO_UID");
	const struct passwd *pw;

	ret->n = 0;
	if (sysfs_path(ret->path[0], PATH_MAX, "/etc/isowrite/protected"))
		ret->n = 1;
	if (config && config[0] == '/') {
		if (sysfs_path(ret->path[ret->n], PATH_MAX, "%s/isowrite/protected", config))
			ret->n++;
	} else {
		const char *home = secure_getenv("HOME");

		if (!home) {
			pw = getpwuid(getuid());
			home = pw ? pw->pw_dir : NULL;
		}
		add_home(ret, home);
	}
	if (getuid() == 0 && sudo) {
		pw = getpwuid((uid_t)strtoul(sudo, NULL, 10));
		add_home(ret, pw ? pw->pw_dir : NULL);
	}
}

static void append_quoted(char *out, size_t out_size, const char *s)
{
	size_t len = strlen(out);

	for (; *s && len + 4 < out_size; s++) {
		unsigned char c = (unsigned char)*s;

		if (c > 0x20 && c < 0x7f && !strchr("%#/", c))
			out[len++] = (char)c;
		else
			len += (size_t)snprintf(out + len, out_size - len, "%%%02X", c);
	}
	out[len] = '\0';
}

enum entry_kind { ENTRY_WWN, ENTRY_SERIAL, ENTRY_TABLE, N_ENTRY_KINDS };

/* The entry of a kind for this device; false: it has nothing of that kind. */
static bool make_entry(const struct device_info *info, enum entry_kind kind, char *buf,
		       size_t buf_size)
{
	switch (kind) {
	case ENTRY_WWN:
		snprintf(buf, buf_size, "wwn:");
		append_quoted(buf, buf_size, info->wwn);
		return info->wwn[0];
	case ENTRY_SERIAL:
		snprintf(buf, buf_size, "serial:");
		append_quoted(buf, buf_size, info->vendor);
		strncat(buf, "/", buf_size - strlen(buf) - 1);
		append_quoted(buf, buf_size, info->model);
		strncat(buf, "/", buf_size - strlen(buf) - 1);
		append_quoted(buf, buf_size, info->serial);
		return info->serial[0];
	default:
		snprintf(buf, buf_size, "table:");
		append_quoted(buf, buf_size, info->pt_uuid);
		return info->pt_uuid[0];
	}
}

/* Cuts the comment, blanks and the newline off a line of a list. */
static const char *clean_line(char *line)
{
	size_t len = strcspn(line, "#\r\n");

	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	line[len] = '\0';
	return line + strspn(line, " \t");
}

static bool is_entry_of(const char *entry, const struct device_info *info)
{
	char mine[MAX_ENTRY];

	for (int kind = 0; kind < N_ENTRY_KINDS; kind++)
		if (make_entry(info, (enum entry_kind)kind, mine, sizeof(mine)) &&
		    !strcasecmp(entry, mine))
			return true;
	return false;
}

static bool list_has(const char *path, const struct device_info *info, bool *ret_unreadable)
{
	FILE *f = fopen(path, "re");
	auto_free char *line = NULL;
	size_t cap = 0;
	bool found = false;

	*ret_unreadable = !f && errno != ENOENT && errno != ENOTDIR;
	if (!f)
		return false;
	while (!found && getline(&line, &cap, f) >= 0)
		found = is_entry_of(clean_line(line), info);
	fclose(f);
	return found;
}

enum device_protection device_find_protection(const struct device_info *info, char *ret_list,
					      size_t list_size)
{
	struct lists lists;
	bool unreadable;

	find_lists(&lists);
	for (size_t i = 0; i < lists.n; i++) {
		bool found = list_has(lists.path[i], info, &unreadable);

		/* A HOME that belongs to somebody else is no reason; the machine's list is. */
		if (!found && (!unreadable || i > 0))
			continue;
		snprintf(ret_list, list_size, "%s", lists.path[i]);
		return found ? PROTECTION_LISTED : PROTECTION_UNKNOWN;
	}
	return PROTECTION_NONE;
}

static int make_parents(const char *path)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s", path);
	for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, 0755) && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

static int error_list(const char *path, int sys, struct error *err)
{
	char safe[300];

	return error_set_sys(err, sys == EACCES || sys == EPERM ? ERROR_REFUSED : ERROR_IO,
			     "protected-list", sys, _("Cannot write the never-list %s"),
			     text_escape(path, strlen(path), safe, sizeof(safe)));
}

static int append_entry(const char *path, const char *entry, const struct device_info *info,
			struct error *err)
{
	char line[MAX_ENTRY + 512], what[400];
	auto_fd int fd = -1;
	size_t len;

	device_describe(info, false, what, sizeof(what));
	/* The escaped description keeps to one line. */
	len = (size_t)snprintf(line, sizeof(line), "%s  # %s\n", entry, what);
	if (make_parents(path))
		return error_list(path, errno, err);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_list(path, errno, err);
	errno = ENOSPC;
	if (write(fd, line, len) != (ssize_t)len || fsync(fd))
		return error_list(path, errno, err);
	return 0;
}

int device_protect(const char *path, char *ret_entry, size_t entry_size, struct error *err)
{
	auto_free struct device_info *info = malloc(sizeof(*info));
	char entry[MAX_ENTRY], safe[300], list[256];
	struct lists lists;

	if (!info)
		return error_set_nomem(err);
	if (device_examine(path, -1, -1, info, err))
		return -1;
	text_escape(path, strlen(path), safe, sizeof(safe));
	if (!info->is_block || info->is_virtual)
		return error_set(err, ERROR_USAGE, "not-a-disk",
				 _("%s is no disk; only disks can be protected."), safe);
	if (!make_entry(info, ENTRY_WWN, entry, sizeof(entry)) &&
	    !make_entry(info, ENTRY_SERIAL, entry, sizeof(entry)) &&
	    !make_entry(info, ENTRY_TABLE, entry, sizeof(entry)))
		return error_set(err, ERROR_REFUSED, "no-identity",
				 _("%s has neither a WWN nor a serial nor a partition table by "
				   "which it could be known again."),
				 safe);
	find_lists(&lists);
	if (lists.n == 0)
		return error_set(err, ERROR_INTERNAL, "no-list", _("There is no never-list."));
	if (device_find_protection(info, list, sizeof(list)) != PROTECTION_LISTED &&
	    append_entry(lists.path[geteuid() == 0 ? 0 : lists.n - 1], entry, info, err))
		return -1;
	snprintf(ret_entry, entry_size, "%s", entry);
	return 0;
}

/* Writes the list anew without the entries of this device; *ret_n counts them. */
static int remove_entries(const char *path, const struct device_info *info, size_t *ret_n,
			  struct error *err)
{
	auto_free char *line = NULL, *copy = NULL;
	char tmp[PATH_MAX];
	FILE *in = fopen(path, "re"), *out = NULL;
	size_t cap = 0, removed = 0;
	struct stat st;
	bool ok = false;
	int fd;

	if (!in)
		return errno == ENOENT ? 0 : error_list(path, errno, err);
	if (snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path) < (int)sizeof(tmp) &&
	    (fd = mkostemp(tmp, O_CLOEXEC)) >= 0)
		out = fdopen(fd, "w");
	while (out && getline(&line, &cap, in) >= 0) {
		free(copy);
		copy = strdup(line);
		if (copy && is_entry_of(clean_line(copy), info))
			removed++;
		else
			fputs(line, out);
	}
	if (out) {
		ok = !ferror(in) && fstat(fileno(in), &st) == 0 &&
		     fchmod(fileno(out), st.st_mode & 0777) == 0 && fflush(out) == 0 &&
		     fsync(fileno(out)) == 0;
		ok = fclose(out) == 0 && ok && (removed == 0 || rename(tmp, path) == 0);
		if (!ok || removed == 0)
			unlink(tmp);
	}
	fclose(in);
	if (!ok)
		return error_list(path, errno, err);
	*ret_n += removed;
	return 0;
}

int device_unprotect(const char *path, struct error *err)
{
	auto_free struct device_info *info = malloc(sizeof(*info));
	struct lists lists;
	char safe[300];
	bool unreadable;
	size_t n = 0;

	if (!info)
		return error_set_nomem(err);
	if (device_examine(path, -1, -1, info, err))
		return -1;
	find_lists(&lists);
	for (size_t i = 0; i < lists.n; i++)
		if (list_has(lists.path[i], info, &unreadable) &&
		    remove_entries(lists.path[i], info, &n, err))
			return -1;
	if (n == 0)
		return error_set(err, ERROR_USAGE, "not-protected", _("%s is not on a never-list."),
				 text_escape(path, strlen(path), safe, sizeof(safe)));
	return 0;
}
