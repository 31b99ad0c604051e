/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What boot-test-vm.c (the process) and boot-test-qmp.c (its channels) share.
 *
 *	monitor  socket  commands and answers
 *	serial   socket  the guest's serial port
 *	debug    socket  port 0x402
 *	dump     memfd   what pmemsave and screendump write; they know only names of files,
 *	                 so it is /proc/self/fd/N to them
 *	words    memfd   QEMU's standard error
 *
 * All of them are read whenever one is waited for: a guest that floods a port
 * must not block the monitor.
 */
#ifndef ISOWRITE_JOB_BOOT_TEST_VM_INTERNAL_H
#define ISOWRITE_JOB_BOOT_TEST_VM_INTERNAL_H

#include <sys/types.h>
#include <unistd.h>

#include "base/num.h"
#include "job/boot-test-command.h"
#include "job/boot-test-vm.h"

#define QMP_MAX_MESSAGE (256 * KIB)

struct boot_vm {
	pid_t pid;                  /* 0: reaped */
	int status;                 /* of waitpid, once it was reaped */
	struct boot_fds theirs;     /* descriptors of QEMU's side, for closing */
	int monitor, serial, debug; /* our sides; -1 once it has closed its own */
	int dump, words;
	enum boot_firmware firmware;
	char version[32];

	char *message; /* of the monitor, up to the next line feed */
	size_t message_len;
	char *answer; /* the last one to a command */
	size_t answer_len;
	bool is_broken;   /* QEMU stopped the guest on an error of its own */
	bool read_failed; /* the medium could not be read */
	bool was_closed;  /* not by its guest */

	struct boot_judge *judge;
	uint64_t n_received; /* bytes of its channels */
};

static inline void boot_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Reads what has come, waiting for at most that long. Did the guest send anything? */
bool boot_qmp_read(struct boot_vm *vm, int milliseconds);

/* The next answer, in vm->answer: 0. -1: none comes in that time. */
int boot_qmp_wait(struct boot_vm *vm, double seconds);

/* One command, a whole object; its answer. */
int boot_qmp_command(struct boot_vm *vm, const char *text);

#endif
