/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * boot-test: boots an image or a device in QEMU, without writing to it, and says
 * how far it came. For people who want to know before they walk to the machine.
 */
#ifndef ISOWRITE_JOB_BOOT_TEST_H
#define ISOWRITE_JOB_BOOT_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "image/layout.h"
#include "job/boot-test-judge.h"

enum boot_firmware { FIRMWARE_BIOS, FIRMWARE_UEFI, N_BOOT_FIRMWARES };
enum boot_medium { MEDIUM_STICK, MEDIUM_CD };

const char *boot_firmware_name(enum boot_firmware firmware); /* "bios", "uefi" */
const char *boot_medium_name(enum boot_medium medium);       /* "stick", "cd" */

struct boot_test_request {
	const char *path;
	unsigned int firmwares; /* bits 1u << enum boot_firmware; 0: those that are predicted */
	enum boot_medium medium;
	bool secure_boot;
	bool gui;               /* in a window, until it is closed */
	double timeout;         /* seconds for each boot; 0: 60, but in a window none */
	const char *expect;     /* a text, or NULL */
	uint64_t memory;        /* bytes; 0: 1 GiB */
	const char *screenshot; /* path of a PNG file, or NULL: with one firmware only */
	bool overwrite;
};

/* One boot. The texts are printable ASCII. */
struct boot_result {
	enum boot_firmware firmware;
	uint8_t predicted; /* enum boot_answer */
	bool is_done;
	bool kvm;
	bool timed_out; /* it was still running, and nothing more was waited for */
	bool went_down; /* it switched itself off, or started anew */
	double seconds; /* until what `reached` says was seen, or giving up was */
	double waited;  /* seconds, all in all */
	struct boot_judge judge;
};

struct boot_test_report {
	struct error error; /* ended the whole job */
	struct layout layout;
	bool has_layout;
	uint64_t size; /* bytes */
	char qemu[32]; /* version; "" if none was started */
	enum boot_medium medium;
	bool secure_boot;
	bool is_expecting; /* for a text */
	bool any_will_do;  /* no firmware was asked for, and none was predicted */
	size_t n;
	struct boot_result results[N_BOOT_FIRMWARES];
	uint32_t n_findings;
	struct layout_finding findings[8];
};

struct boot_test_events {
	/* Several times a second while a machine runs. */
	void (*on_progress)(void *ctx, const struct boot_test_report *r, double seconds);
	void (*on_result)(void *ctx, const struct boot_test_report *r,
			  const struct boot_result *result);
	void (*on_finding)(void *ctx, const struct layout_finding *finding);
	bool (*is_cancelled)(void *ctx);
	void *ctx;
};

/*
 * Returns 0 when it could be tested, whatever came out; -1 with report->error. The report, which
 * is large, is the caller's.
 */
int boot_test(const struct boot_test_request *req, const struct boot_test_events *events,
	      struct boot_test_report *r);

/* Did this one come as far as was asked: to the expected text, or at least to its loader? */
bool boot_result_is_good(const struct boot_test_report *r, const struct boot_result *result);

/* 0, 4 if it did not boot where it should, or that of the error. */
int boot_test_exit_status(const struct boot_test_report *r);

/* One sentence of a boot, escaped: "loader ran (2.1 s): "Welcome to GRUB!"". */
const char *boot_result_describe(const struct boot_test_report *r, const struct boot_result *result,
				 char *buf, size_t size);

/* Members of the open object. */
void boot_test_to_json(const struct boot_test_request *req, const struct boot_test_report *r,
		       struct json *j);

#endif
