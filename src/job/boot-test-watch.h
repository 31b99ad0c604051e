/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Watches a virtual machine boot until it came far enough, gave up or ran out of time. */
#ifndef ISOWRITE_JOB_BOOT_TEST_WATCH_H
#define ISOWRITE_JOB_BOOT_TEST_WATCH_H

#include "job/boot-test-vm.h"

/*
 * Fills result, whose judge is the machine's. 0; 1 when QEMU itself has failed; -1 with err when
 * it was cancelled, or what it boots cannot be read.
 */
int boot_watch(struct boot_vm *vm, const struct boot_test_request *req,
	       const struct boot_test_events *events, const struct boot_test_report *r,
	       struct boot_result *result, struct error *err);

#endif
