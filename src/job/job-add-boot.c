// SPDX-License-Identifier: GPL-3.0-or-later
/* The files of --add-boot: opened and read before anything is planned, kept off the targets. */
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
