/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtual machine of boot-test: QEMU as a child process, which gets nothing
 * but descriptors. What it boots is open for reading only, so that it cannot be
 * written whatever QEMU does; what the guest writes goes to an overlay in memory.
 * There is no temporary file and no shell, and QEMU dies with its parent.
 */
#ifndef ISOWRITE_JOB_BOOT_TEST_VM_H
#define ISOWRITE_JOB_BOOT_TEST_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "job/boot-test.h"
#include "job/boot-test-judge.h"

/* The programs and files that a machine is made of. */
struct boot_kit {
	char qemu[4096];
	const char *code, *variables; /* of the UEFI firmware; NULL with BIOS */
};

/*
 * Looks for QEMU in PATH and for the firmware where distributions install it, below root (""
 * but for tests). ERROR_LACKING names the package.
 */
int boot_kit_find(const char *root, enum boot_firmware firmware, bool secure_boot,
		  struct boot_kit *ret, struct error *err);

struct boot_vm_request {
	const struct boot_kit *kit;
	enum boot_firmware firmware;
	enum boot_medium medium;
	bool secure_boot;
	const char *display; /* "gtk", "sdl": a window; or NULL */
	int image_fd;        /* opened for reading only */
	bool is_block_device;
	uint64_t image_size;
	uint32_t sector_size; /* of the stick: 512, 4096 */
	uint64_t memory;      /* bytes */
	bool kvm;             /* else the processor is emulated */
	bool confine;         /* seccomp, and another user where we are root */
};

struct boot_vm;

/*
 * Starts it and waits until it listens. -1 with err if QEMU ends before, in its own words. The
 * judge, which must outlive it, sees what its channels bring from the first byte.
 */
int boot_vm_start(const struct boot_vm_request *req, struct boot_judge *judge, struct boot_vm **ret,
		  struct error *err);

/* Kills it, if it still runs. NULL ok. */
void boot_vm_free(struct boot_vm *vm);

/* Waits for at most that many milliseconds. Did the channels bring anything? */
bool boot_vm_watch(struct boot_vm *vm, int milliseconds);

/* Has it ended? ret_failed: not as the guest wanted, but on an error of QEMU's. */
bool boot_vm_is_over(struct boot_vm *vm, bool *ret_failed);

/* Was it ended from outside: by closing its window? */
bool boot_vm_was_closed(const struct boot_vm *vm);

/* Was there a part of the medium that could not be read? */
bool boot_vm_read_failed(const struct boot_vm *vm);

/* QEMU's last words, escaped. */
void boot_vm_read_words(const struct boot_vm *vm, char *buf, size_t size);

/*
 * A number that grows with each byte that the guest sends or reads from the medium. The same as
 * before: it waits, or it works on what it has.
 */
uint64_t boot_vm_activity(struct boot_vm *vm);

/* Shows the judge the text screen and the processor. 0, or -1 when QEMU does not answer. */
int boot_vm_look(struct boot_vm *vm);

/*
 * The screen as a picture, "ppm" or "png"; the caller frees *ret. ERROR_LACKING if this QEMU
 * cannot make one.
 */
int boot_vm_take_picture(struct boot_vm *vm, const char *format, uint8_t **ret, size_t *ret_len,
			 struct error *err);

/* "7.2.22" */
const char *boot_vm_version(const struct boot_vm *vm);

/*
 * The overlay: a qcow2 file without data, of a disk of that many bytes, in memory. Returns its
 * descriptor, or -1.
 */
int boot_overlay_make(uint64_t size, struct error *err);

#endif
