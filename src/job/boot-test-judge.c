// SPDX-License-Identifier: GPL-3.0-or-later
/* How far a boot came, by what was seen of it; see boot-test-judge.h. */
#include "job/boot-test-judge.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

enum { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_CSI, ESCAPE_ONE_MORE };

/* What boot loaders say of themselves, anywhere in a line. */
static const char *const loaders[] = {
	"ISOLINUX",
	"SYSLINUX",
	"EXTLINUX",
	"PXELINUX",
	"GNU GRUB",
	"GRUB loading",
	"GRUB Loading",
	"Welcome to GRUB",
	"GRUB4DOS",
	"iPXE",
	"Memtest86",
	"MemTest86",
	"systemd-boot",
	"Windows Boot Manager",
	"Press any key to boot from CD",
	"Windows is loading files",
	"Loading Windows",
	"BTX loader",
	"FreeBSD/x86 boot",
	"FreeBSD EFI boot block",
	"OpenBSD/",
	"NetBSD/x86",
	"LILO",
	"Limine",
	"rEFInd",
	"FreeDOS",
	"Starting MS-DOS",
	"Starting PC DOS",
	"FreeLoader",
	"Plop Boot Manager",
	"Loading initial ramdisk",
	"Loading Linux",
};

/* What is said before going no further, at the beginning of a line. */
static const char *const stops[] = {
	"Boot failed",
	"No bootable device",
	"isowrite boot error ",
	"This stick boots by UEFI only",
	"Operating system load error",
	"Missing operating system",
	"Error loading operating system",
	"Invalid partition table",
	"Image checksum error",
	"This is not a bootable disk",
	"Non-System disk",
	"Boot error",
	"BOOTMGR is missing",
	"NTLDR is missing",
	"CDBOOT: ",
	"no boot info",
	"ERROR: No configuration file found",
	"No DEFAULT or UI configuration directive found",
	"Failed to load ldlinux",
	"grub rescue>",
	"Verification failed: (0x1A) Security Violation",
	"ERROR: Verification failed",
	"Something has gone seriously wrong",
	"!!!! X64 Exception",
	"BdsDxe: No bootable option",
	"Press any key to enter the Boot Manager Menu",
};

static const char *const refusals[] = { "Access Denied", "Security Violation" };

void boot_judge_init(struct boot_judge *j, bool is_uefi, const char *expect)
{
	*j = (struct boot_judge){ .is_uefi = is_uefi, .expect = expect };
}

static void keep(char text[JUDGE_TEXT], const char *line)
{
	size_t len = num_min(strlen(line), JUDGE_TEXT - 1);

	memcpy(text, line, len);
	text[len] = '\0';
}

static void raise_to(struct boot_judge *j, enum boot_reached reached, enum boot_evidence evidence,
		     const char *line)
{
	/* The rest of a line whose beginning was judged already. */
	if (reached == j->reached && evidence == EVIDENCE_TEXT && j->text[0] &&
	    strncmp(line, j->text, strlen(j->text)) == 0)
		keep(j->text, line);
	if (reached <= j->reached)
		return;
	j->reached = reached;
	j->evidence = evidence;
	keep(j->text, line);
}

static bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

static bool has_any(const char *line, const char *const words[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strstr(line, words[i]))
			return true;
	}
	return false;
}

static void give_up(struct boot_judge *j, const char *line)
{
	/* The rest of a line, as above. */
	if (j->gave_up && strncmp(line, j->why, strlen(j->why)) == 0)
		keep(j->why, line);
	/* The first reason is the reason; what follows are consequences. */
	if (j->gave_up)
		return;
	j->gave_up = true;
	j->is_refused = has_any(line, refusals, ARRAY_SIZE(refusals));
	keep(j->why, line);
}

/* "[    0.000000] ": the time that Linux puts before its messages. Returns what follows, or NULL. */
static const char *skip_kernel_time(const char *line)
{
	const char *p = line;
	size_t digits;

	if (*p++ != '[')
		return NULL;
	while (*p == ' ')
		p++;
	digits = strspn(p, "0123456789");
	if (digits == 0 || p[digits] != '.' || strspn(p + digits + 1, "0123456789") != 6)
		return NULL;
	p += digits + 1 + 6;
	return begins(p, "] ") ? p + 2 : NULL;
}

/* Menus name systems, and some are called "GNU/Linux version 12". A banner has a builder too. */
static bool is_linux_banner(const char *line)
{
	static const char banner[] = "Linux version ";
	const char *p = line + strlen(banner);

	return begins(line, banner) && isdigit((unsigned char)*p) && strchr(p, '.') &&
	       strstr(p, " (") && strchr(p, '@');
}

static bool is_kernel_text(const char *line)
{
	return skip_kernel_time(line) || is_linux_banner(line) || begins(line, "EFI stub: ") ||
	       begins(line, "Decompressing Linux") || begins(line, "Probing EDD (edd=off") ||
	       begins(line, "early console in setup code") || begins(line, "(XEN) ") ||
	       begins(line, "KDB: debugger backends:");
}

static bool is_stop(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
		if (begins(line, stops[i]))
			return true;
	}
	return strstr(line, "isolinux.bin missing or corrupt") ||
	       strstr(line, "Kernel panic - not syncing");
}

/* Without the path of the device: BdsDxe: failed to load Boot0001: Not Found */
static void shorten(const char *line, char ret[JUDGE_TEXT])
{
	const char *name = strchr(line, '"'), *why = strrchr(line, ':');
	const char *from = strstr(line, "\" from ");

	keep(ret, line);
	if (begins(line, "BdsDxe: failed to ") && name && why > name)
		snprintf(ret, JUDGE_TEXT, "%.*s%s", (int)(name - 1 - line), line, why);
	else if (from && (size_t)(from + 1 - line) < JUDGE_TEXT)
		ret[from + 1 - line] = '\0';
}

/* OVMF on its boot options: BdsDxe: starting Boot0001 "UEFI QEMU ..." from PciRoot... */
static void judge_boot_manager(struct boot_judge *j, const char *line)
{
	char text[JUDGE_TEXT];

	shorten(line, text);
	if (begins(line, "BdsDxe: failed to ") || begins(line, "BdsDxe: No bootable")) {
		give_up(j, text);
	} else if (begins(line, "BdsDxe: starting Boot")) {
		/* Its own programs: it has given up on ours. */
		if (strstr(line, "\"EFI Internal Shell\"") || strstr(line, "\"UiApp\"") ||
		    strstr(line, "\"BootManagerMenuApp\""))
			give_up(j, text);
		else
			raise_to(j, REACHED_FIRMWARE, EVIDENCE_TEXT, text);
	}
}

/* SeaBIOS jumps to a boot sector, or El Torito image: Booting from 0000:7c00 */
static void judge_debug(struct boot_judge *j, const char *line)
{
	static const char jump[] = "Booting from ";
	const char *p = line + strlen(jump);

	if (begins(line, jump) && strspn(p, "0123456789abcdef") == 4 && p[4] == ':')
		raise_to(j, REACHED_FIRMWARE, EVIDENCE_TEXT, line);
	else if (begins(line, "Boot failed") || begins(line, "No bootable device"))
		give_up(j, line);
}

static bool is_firmwares(const struct boot_judge *j, const char *line)
{
	return j->is_uefi ? begins(line, "BdsDxe: ")
			  : begins(line, "SeaBIOS (version") || begins(line, "Booting from ") ||
				    begins(line, "iPXE (http");
}

/* One line without blanks around it. */
static void judge_line(struct boot_judge *j, const char *line)
{
	if (j->expect && strstr(line, j->expect))
		raise_to(j, REACHED_EXPECTED, EVIDENCE_TEXT, line);
	if (is_firmwares(j, line)) {
		if (j->is_uefi)
			judge_boot_manager(j, line);
		return;
	}
	if (is_kernel_text(line))
		raise_to(j, REACHED_KERNEL, EVIDENCE_TEXT, line);
	if (is_stop(line)) {
		give_up(j, line);
		return;
	}
	keep(j->last, line);
	if (has_any(line, loaders, ARRAY_SIZE(loaders)))
		raise_to(j, REACHED_LOADER, EVIDENCE_TEXT, line);
	/* Once OVMF has started a program, whatever is not its own words is the program's. */
	else if (j->is_uefi && j->reached >= REACHED_FIRMWARE && !j->gave_up)
		raise_to(j, REACHED_LOADER, EVIDENCE_TEXT, line);
}

/* What there is of a line; the same words twice change nothing. */
static void judge_so_far(struct boot_judge *j, enum boot_channel channel)
{
	struct boot_line *l = &j->lines[channel];
	size_t start = strspn(l->text, " "), end = l->len;
	char line[JUDGE_LINE + 1];

	while (end > start && l->text[end - 1] == ' ')
		end--;
	if (end == start)
		return;
	memcpy(line, l->text + start, end - start);
	line[end - start] = '\0';
	if (channel == CHANNEL_DEBUG)
		judge_debug(j, line);
	else
		judge_line(j, line);
}

static void end_line(struct boot_judge *j, enum boot_channel channel)
{
	judge_so_far(j, channel);
	j->lines[channel].len = 0;
	j->lines[channel].text[0] = '\0';
}

/*
 * Escape sequences of ECMA-48 go. One that puts the cursor somewhere ends the line; but not one
 * that erases or colours, which come within words.
 */
static bool take_escape(struct boot_judge *j, enum boot_channel channel, uint8_t c)
{
	struct boot_line *l = &j->lines[channel];

	switch (l->escape) {
	case ESCAPE_NONE:
		if (c == 0x1b)
			l->escape = ESCAPE_BEGUN;
		return c == 0x1b;
	case ESCAPE_BEGUN:
		if (c == '[')
			l->escape = ESCAPE_CSI;
		else
			l->escape = c == '(' || c == ')' ? ESCAPE_ONE_MORE : ESCAPE_NONE;
		return true;
	case ESCAPE_CSI:
		if (c < 0x40) /* parameters */
			return true;
		if (c == 'H' || c == 'f' || c == 'J')
			end_line(j, channel);
		l->escape = ESCAPE_NONE;
		return true;
	default:
		l->escape = ESCAPE_NONE;
		return true;
	}
}

void boot_judge_feed(struct boot_judge *j, enum boot_channel channel, const void *data, size_t len)
{
	struct boot_line *l = &j->lines[channel];
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		if (take_escape(j, channel, p[i]))
			continue;
		if (p[i] == '\n' || p[i] == '\r') {
			end_line(j, channel);
		} else if (p[i] == '\b') {
			l->len -= l->len > 0;
		} else if (p[i] == '\t' || p[i] >= ' ') {
			if (l->len == JUDGE_LINE)
				end_line(j, channel);
			l->text[l->len++] = p[i] < ' ' || p[i] > '~' ? ' ' : (char)p[i];
		}
		l->text[l->len] = '\0';
	}
}

/* OVMF's own line may still be coming: nothing is said of its first letters. */
void boot_judge_settle(struct boot_judge *j)
{
	static const char own[] = "BdsDxe: ";

	for (int i = 0; i < N_BOOT_CHANNELS; i++) {
		const struct boot_line *l = &j->lines[i];

		if (l->len > 0 && strncmp(l->text, own, num_min(l->len, strlen(own))) != 0)
			judge_so_far(j, (enum boot_channel)i);
	}
}

void boot_judge_screen(struct boot_judge *j, const uint8_t cells[VGA_TEXT_SIZE])
{
	char row[VGA_TEXT_COLUMNS + 1];

	for (size_t r = 0; r < VGA_TEXT_ROWS; r++) {
		size_t end = 0, start = 0;

		for (size_t c = 0; c < VGA_TEXT_COLUMNS; c++) {
			uint8_t ch = cells[(r * VGA_TEXT_COLUMNS + c) * 2];

			row[c] = ch < ' ' || ch > '~' ? ' ' : (char)ch;
			if (row[c] != ' ')
				end = c + 1;
		}
		row[end] = '\0';
		start = strspn(row, " ");
		if (row[start])
			judge_line(j, row + start);
	}
}

/* "RIP=ffffffff81e0f2ab": the number behind name=, false if it is not there. */
static bool find_register(const char *text, size_t len, const char *name, size_t digits,
			  uint64_t *ret)
{
	size_t n = strlen(name);
	char hex[17];

	for (size_t i = 0; i + n + digits <= len; i++) {
		if (memcmp(text + i, name, n) != 0)
			continue;
		memcpy(hex, text + i + n, digits);
		hex[digits] = '\0';
		*ret = strtoull(hex, NULL, 16);
		return strspn(hex, "0123456789abcdefABCDEF") == digits;
	}
	return false;
}

/*
 * Firmware and loaders run where addresses are what they are in memory; kernels put themselves
 * into the upper half of a virtual address space.
 */
void boot_judge_processor(struct boot_judge *j, const char *registers, size_t len)
{
	uint64_t ip, cr0;
	bool is_high;

	if (j->reached < REACHED_FIRMWARE || j->gave_up ||
	    !find_register(registers, len, "CR0=", 8, &cr0) || !(cr0 & 0x80000000))
		return;
	if (find_register(registers, len, "RIP=", 16, &ip))
		is_high = ip >> 63;
	else if (find_register(registers, len, "EIP=", 8, &ip))
		is_high = ip >> 31;
	else
		return;
	if (is_high)
		raise_to(j, REACHED_KERNEL, EVIDENCE_PROCESSOR, "");
}

void boot_judge_graphics(struct boot_judge *j)
{
	if (j->reached == REACHED_FIRMWARE && !j->gave_up)
		raise_to(j, REACHED_LOADER, EVIDENCE_GRAPHICS, "");
}

const char *boot_reached_name(enum boot_reached reached)
{
	static const char *const names[] = { "nothing", "firmware", "loader", "kernel",
					     "expected" };

	return names[reached];
}

const char *boot_evidence_name(enum boot_evidence evidence)
{
	static const char *const names[] = { NULL, "text", "graphics", "processor" };

	return names[evidence];
}
