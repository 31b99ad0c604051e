/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far did a boot come? Judged by what a virtual machine shows: text on the
 * serial port, on the VGA text screen and in the firmware's debug output, and the
 * processor's state. Pure: no process, no clock. What is fed to it comes from
 * the guest, so it is hostile, of any length, and never trusted to be text.
 *
 * It never says more than was seen. The marks of SeaBIOS and OVMF are those that
 * QEMU's builds of them print.
 */
#ifndef ISOWRITE_JOB_BOOT_TEST_JUDGE_H
#define ISOWRITE_JOB_BOOT_TEST_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum boot_reached {
	REACHED_NOTHING,  /* the firmware started nothing, as far as it was seen */
	REACHED_FIRMWARE, /* the firmware started something */
	REACHED_LOADER,
	REACHED_KERNEL,
	REACHED_EXPECTED, /* the text that was asked for */
};

/* By what the stage was recognised. */
enum boot_evidence {
	EVIDENCE_NONE,
	EVIDENCE_TEXT,
	EVIDENCE_GRAPHICS,  /* the screen changed after the firmware had started something */
	EVIDENCE_PROCESSOR, /* it runs where only kernels live */
};

enum boot_channel {
	CHANNEL_SERIAL,
	CHANNEL_DEBUG, /* port 0x402, only the firmware's as a rule */
	N_BOOT_CHANNELS,
};

#define JUDGE_LINE 200 /* longer lines are looked at in pieces */
#define JUDGE_TEXT 128

#define VGA_TEXT_COLUMNS 80
#define VGA_TEXT_ROWS 25
#define VGA_TEXT_SIZE (VGA_TEXT_COLUMNS * VGA_TEXT_ROWS * 2) /* a character, its attribute */

struct boot_line {
	char text[JUDGE_LINE + 1];
	size_t len;
	uint8_t escape; /* inside an escape sequence: where */
};

struct boot_judge {
	bool is_uefi;
	const char *expect; /* or NULL */

	enum boot_reached reached;
	enum boot_evidence evidence; /* of reached */
	bool gave_up;                /* the firmware or the loader said that it does not go on */
	bool is_refused;             /* and that it was Secure Boot that forbade it */

	/* Printable ASCII, "" where there is none: of reached; what giving up said; the last line. */
	char text[JUDGE_TEXT], why[JUDGE_TEXT], last[JUDGE_TEXT];

	struct boot_line lines[N_BOOT_CHANNELS];
};

void boot_judge_init(struct boot_judge *j, bool is_uefi, const char *expect);

/* Some bytes of a channel: any number, broken anywhere. */
void boot_judge_feed(struct boot_judge *j, enum boot_channel channel, const void *data, size_t len);

/* Nothing has come for a while: the last lines, which may be prompts, are judged as they are. */
void boot_judge_settle(struct boot_judge *j);

/* What lies at b8000h: the text screen, if the machine shows one. */
void boot_judge_screen(struct boot_judge *j, const uint8_t cells[VGA_TEXT_SIZE]);

/* QEMU's words on the registers. */
void boot_judge_processor(struct boot_judge *j, const char *registers, size_t len);

/* The screen is not the firmware's any more. */
void boot_judge_graphics(struct boot_judge *j);

const char *boot_reached_name(enum boot_reached reached);    /* "nothing", ..., "expected" */
const char *boot_evidence_name(enum boot_evidence evidence); /* "text" ...; NULL for none */

#endif
