// SPDX-License-Identifier: GPL-3.0-or-later
/* Secure Boot's lists from efivarfs and from a file; see revocations.h. */
#include "image/revocations.h"

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
#include "disk/siglist.h"

/* UEFI 2.10 section 32.3; shim keeps a copy of its own SbatLevel that a system can read. */
#define DB_NAME "db-d719b2cb-3d3a-4596-a3bc-dad00e67656f"
#define DBX_NAME "dbx-d719b2cb-3d3a-4596-a3bc-dad00e67656f"
#define SBAT_LEVEL_NAME "SbatLevelRT-605dab50-e046-4300-abb6-3dd810dd8b23"
#define ATTRIBUTES_SIZE 4U  /* before a variable's value */
#define MAX_SIZE (1U << 20) /* of a list; the largest published one has 24 KiB */

/* 0, or -1 with errno; EFBIG beyond MAX_SIZE. Never waits for a pipe, never opens a device. */
static int read_file(const char *path, struct revocations_list *ret)
{
	auto_free uint8_t *data = NULL;
	auto_fd int fd = -1;
	struct stat st;
	ssize_t n;

	if (stat(path, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	data = malloc(MAX_SIZE + 1);
	if (fd < 0 || !data)
		return -1;
	n = io_read_full(fd, data, MAX_SIZE + 1);
	if (n < 0)
		return -1;
	if (n > (ssize_t)MAX_SIZE) {
		errno = EFBIG;
		return -1;
	}
	ret->data = take_ptr(data);
	ret->len = (size_t)n;
	return 0;
}

static void list_done(struct revocations_list *l)
{
	free(l->data);
	memset(l, 0, sizeof(*l));
}

/* 0 with all entries well, 1 if the end is not, -1 if it is no list. */
static int check_list(const struct revocations_list *l)
{
	struct siglist_entry entry;
	struct siglist s;

	if (!siglist_begin(&s, l->data, l->len))
		return -1;
	while (siglist_next(&s, &entry))
		;
	return s.is_damaged;
}

/* What cannot be read is not there: without root some systems hide these variables. */
static void read_variable(const char *efivars, const char *name, bool is_list,
			  struct revocations_list *ret)
{
	char path[PATH_MAX];
	int rc;

	if (snprintf(path, sizeof(path), "%s/%s", efivars, name) >= (int)sizeof(path) ||
	    read_file(path, ret) < 0)
		return;
	if (ret->len < ATTRIBUTES_SIZE) {
		list_done(ret);
		return;
	}
	if (!is_list) {
		ret->len -= ATTRIBUTES_SIZE;
		memmove(ret->data, ret->data + ATTRIBUTES_SIZE, ret->len);
		return;
	}
	rc = check_list(ret);
	if (rc < 0)
		list_done(ret);
	else
		ret->is_damaged = rc > 0;
}

int revocations_read_given(const char *path, struct revocations *r, struct error *err)
{
	int rc;

	text_escape(path, SIZE_MAX, r->given_name, sizeof(r->given_name));
	if (read_file(path, &r->given) < 0) {
		if (errno == EACCES || errno == EPERM)
			return error_set(err, ERROR_REFUSED, "dbx-permission",
					 _("%s may not be read: permission denied."),
					 r->given_name);
		if (errno == EFBIG)
			return error_set(err, ERROR_USAGE, "no-dbx",
					 _("%s is too large to be a dbx list."), r->given_name);
		if (errno == EINVAL)
			return error_set(err, ERROR_USAGE, "no-dbx",
					 _("%s is a device or a pipe; give a file with the list."),
					 r->given_name);
		return error_set_sys(err, ERROR_USAGE, "no-dbx", errno, _("%s cannot be read"),
				     r->given_name);
	}
	rc = r->given.len > 0 ? check_list(&r->given) : -1;
	if (rc < 0)
		return error_set(err, ERROR_USAGE, "no-dbx",
				 _("%s holds no dbx list (EFI_SIGNATURE_LIST), as uefi.org "
				   "publishes them."),
				 r->given_name);
	r->given.is_damaged = rc > 0;
	return 0;
}

void revocations_read_machine(const char *efivars, struct revocations *r)
{
	read_variable(efivars, DBX_NAME, true, &r->dbx);
	read_variable(efivars, DB_NAME, true, &r->db);
	read_variable(efivars, SBAT_LEVEL_NAME, false, &r->sbat_level);
}

void revocations_done(struct revocations *r)
{
	list_done(&r->dbx);
	list_done(&r->db);
	list_done(&r->sbat_level);
	list_done(&r->given);
}
