/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QEMU's command line, made of a request and of descriptors. */
#ifndef ISOWRITE_JOB_BOOT_TEST_COMMAND_H
#define ISOWRITE_JOB_BOOT_TEST_COMMAND_H

#include "job/boot-test-vm.h"

/* What QEMU inherits, under the same numbers; -1: not there. */
struct boot_fds {
	int monitor, serial, debug; /* sockets */
	int image;                  /* read-only */
	int overlay;
	int code, variables; /* of the firmware; the variables are a copy */
	int dump;            /* what the monitor's commands write to a file */
};

#define BOOT_MAX_WORDS 64

struct boot_command {
	const char *words[BOOT_MAX_WORDS + 1]; /* ends with NULL */
	size_t n_words;
	char *text; /* theirs */
};

int boot_command_make(const struct boot_vm_request *req, const struct boot_fds *fds,
		      struct boot_command *ret, struct error *err);
void boot_command_done(struct boot_command *c);

#endif
