// SPDX-License-Identifier: GPL-3.0-or-later
/* The files of --add-boot: opened and read before anything is planned, kept off the targets. */
#include <sys/stat.h>

#include "io/device.h"
#include "base/num.h"
#include "job/job-state.h"

bool job_has_add_boot(const struct job *j)
{
	return j->req->add_efi || j->req->add_bios;
}

int job_open_add_boot(struct job *j, struct error *err)
{
	const struct job_request *req = j->req;

	if (req->add_efi &&
	    (source_open(req->add_efi, &j->added[0], err) < 0 ||
	     add_boot_read_efi(j->added[0], req->add_efi, &j->add_boot.efi, err) < 0))
		return -1;
	if (req->add_bios &&
	    (source_open(req->add_bios, &j->added[1], err) < 0 ||
	     add_boot_read_bios(j->added[1], req->add_bios, &j->add_boot.bios, err) < 0))
		return -1;
	return 0;
}

int job_check_add_boot(struct job *j, size_t i, struct error *err)
{
	struct target *t = j->targets[i].target;

	/* A file that is not there yet can hold none of them. */
	for (size_t k = 0; t->path_fd >= 0 && k < ARRAY_SIZE(j->added); k++)
		if (j->added[k] && j->added[k]->fd >= 0 &&
		    device_refuse_source(t->path_fd, j->added[k]->fd, &t->info, err) < 0)
			return -1;
	return 0;
}

static bool is_same_file(const struct stat *st, const struct source *src)
{
	struct stat own;

	return src && src->fd >= 0 && fstat(src->fd, &own) == 0 && st->st_dev == own.st_dev &&
	       st->st_ino == own.st_ino;
}

bool job_reads_from(const struct job *j, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	for (size_t k = 0; k < ARRAY_SIZE(j->added); k++)
		if (is_same_file(&st, j->added[k]))
			return true;
	return is_same_file(&st, j->source);
}
