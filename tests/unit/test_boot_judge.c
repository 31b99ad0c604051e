// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How far a boot came, told from recorded consoles of QEMU: what each says and no more. The
 * recordings are what SeaBIOS 1.16.2, OVMF 2022.11 and the loaders of Debian 12 sent.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/boot-test-judge.h"
#include "job/boot-test-vm.h"
#include "tap.h"

#define SEABIOS                                                               \
	"\x1b"                                                                \
	"c\x1b[?7l\x1b[2J\x1b[0mSeaBIOS (version 1.16.2-debian-1.16.2-1)\r\n" \
	"Booting from Hard Disk...\r\n"
#define SEABIOS_DEBUG "enter handle_19:\n  NULL\nBooting from Hard Disk...\n"
#define JUMP "Booting from 0000:7c00\n"
#define NAME                                                      \
	"\"UEFI QEMU QEMU USB HARDDRIVE 1-0000:00:03.0-1\" from " \
	"PciRoot(0x0)/Pci(0x3,0x0)/USB(0x0,0x0)"
#define OVMF "\x1b[2J\x1b[01;01H\x1b[=3h\x1b[2J\x1b[01;01H"
#define OVMF_STARTS \
	OVMF "BdsDxe: loading Boot0001 " NAME "\r\nBdsDxe: starting Boot0001 " NAME "\r\n"

static struct boot_judge bios, uefi;

static void feed(struct boot_judge *j, enum boot_channel channel, const char *text)
{
	boot_judge_feed(j, channel, text, strlen(text));
}

static void begin(const char *expect)
{
	boot_judge_init(&bios, false, expect);
	boot_judge_init(&uefi, true, expect);
}

/* The rows of a text screen, the others blank. */
static void show(struct boot_judge *j, const char *const rows[], size_t n)
{
	uint8_t cells[VGA_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(cells); i++)
		cells[i] = i % 2 ? 7 : ' ';
	for (size_t r = 0; r < n; r++)
		for (size_t c = 0; rows[r][c]; c++)
			cells[(r * VGA_TEXT_COLUMNS + c) * 2] = (uint8_t)rows[r][c];
	boot_judge_screen(j, cells);
}

static void processor(struct boot_judge *j, const char *registers)
{
	boot_judge_processor(j, registers, strlen(registers));
}

static void test_blank_stick(void)
{
	begin(NULL);
	feed(&bios, CHANNEL_DEBUG, SEABIOS_DEBUG "Boot failed: not a bootable disk\n\n");
	feed(&bios, CHANNEL_SERIAL,
	     SEABIOS "Boot failed: not a bootable disk\r\n\n"
		     "No bootable device.\r\n");
	CHECK(bios.reached == REACHED_NOTHING && bios.gave_up && !bios.is_refused);
	CHECK_STR(bios.why, "Boot failed: not a bootable disk");
	CHECK_STR(bios.text, "");

	/* Then it starts its own shell, which is no program of ours. */
	feed(&uefi, CHANNEL_SERIAL,
	     OVMF "BdsDxe: failed to load Boot0001 " NAME ": Not Found\r\n"
		  "BdsDxe: loading Boot0002 \"EFI Internal Shell\" from Fv(7CB8BDC9)\r\n"
		  "BdsDxe: starting Boot0002 \"EFI Internal Shell\" from Fv(7CB8BDC9)\r\n"
		  "\x1b[2J\x1b[01;01HUEFI Interactive Shell v2.2\r\nEDK II\r\n");
	CHECK(uefi.reached == REACHED_NOTHING && uefi.gave_up);
	CHECK_STR(uefi.why, "BdsDxe: failed to load Boot0001: Not Found");
}

static void test_isolinux(void)
{
	begin(NULL);
	feed(&bios, CHANNEL_DEBUG, SEABIOS_DEBUG JUMP);
	CHECK(bios.reached == REACHED_FIRMWARE);
	CHECK_STR(bios.text, "Booting from 0000:7c00");
	feed(&bios, CHANNEL_SERIAL, SEABIOS "\nISOLINUX 6.04 20200816 EHDD Copyrig");
	CHECK(bios.reached == REACHED_FIRMWARE);
	boot_judge_settle(&bios);
	CHECK(bios.reached == REACHED_LOADER && bios.evidence == EVIDENCE_TEXT);
	feed(&bios, CHANNEL_SERIAL, "ht (C) 1994-2015 H. Peter Anvin et al\r\nboot: ");
	CHECK_STR(bios.text,
		  "ISOLINUX 6.04 20200816 EHDD Copyright (C) 1994-2015 H. Peter Anvin et al");
	CHECK(!bios.gave_up);
}

/* Its text is on the screen only. */
static void test_memtest_bios(void)
{
	static const char *const rows[] = { "SeaBIOS (version 1.16.2-debian-1.16.2-1)",
					    "Booting from Hard Disk...", "Loading Memtest86+" };

	begin(NULL);
	feed(&bios, CHANNEL_DEBUG, SEABIOS_DEBUG JUMP);
	show(&bios, rows, 2);
	CHECK(bios.reached == REACHED_FIRMWARE && !bios.last[0]);
	show(&bios, rows, 3);
	CHECK(bios.reached == REACHED_LOADER);
	CHECK_STR(bios.text, "Loading Memtest86+");
}

static void test_grub_uefi(void)
{
	begin(NULL);
	feed(&uefi, CHANNEL_SERIAL, OVMF_STARTS);
	CHECK(uefi.reached == REACHED_FIRMWARE && !uefi.gave_up);
	CHECK_STR(uefi.text, "BdsDxe: starting Boot0001 "
			     "\"UEFI QEMU QEMU USB HARDDRIVE 1-0000:00:03.0-1\"");
	feed(&uefi, CHANNEL_SERIAL,
	     "\x1b[0m\x1b[30m\x1b[47mWelcome to GRUB!\n\r\n\r\x1b[0m\x1b[37m");
	CHECK(uefi.reached == REACHED_LOADER);
	CHECK_STR(uefi.text, "Welcome to GRUB!");
}

/* Of a program that OVMF has started any text is its own; a boot sector may only complain. */
static void test_text_of_an_unknown_loader(void)
{
	begin(NULL);
	feed(&bios, CHANNEL_DEBUG, JUMP);
	feed(&bios, CHANNEL_SERIAL, SEABIOS "Insert the other disk\r\n");
	CHECK(bios.reached == REACHED_FIRMWARE && !bios.gave_up);
	CHECK_STR(bios.last, "Insert the other disk");
	feed(&uefi, CHANNEL_SERIAL, OVMF_STARTS "hello\r\n");
	CHECK(uefi.reached == REACHED_LOADER);
	CHECK_STR(uefi.text, "hello");
}

/* The firmware's own line, half of which has come, is nobody else's text. */
static void test_half_a_line_of_the_firmware(void)
{
	begin(NULL);
	feed(&uefi, CHANNEL_SERIAL, OVMF_STARTS "BdsD");
	boot_judge_settle(&uefi);
	CHECK(uefi.reached == REACHED_FIRMWARE);
	feed(&uefi, CHANNEL_SERIAL, "xe: failed to start Boot0001 " NAME ": Aborted\r\n");
	CHECK(uefi.reached == REACHED_FIRMWARE && uefi.gave_up);
	CHECK_STR(uefi.why, "BdsDxe: failed to start Boot0001: Aborted");
	/* What the firmware says afterwards is not the loader. */
	feed(&uefi, CHANNEL_SERIAL, "Select your language\r\n");
	boot_judge_graphics(&uefi);
	processor(&uefi, "RIP=ffffffff81e0f2ab CR0=80050033");
	CHECK(uefi.reached == REACHED_FIRMWARE);
}

static void test_secure_boot(void)
{
	begin(NULL);
	feed(&uefi, CHANNEL_SERIAL,
	     OVMF "BdsDxe: failed to load Boot0001 " NAME ": Access Denied\r\n");
	CHECK(uefi.gave_up && uefi.is_refused && uefi.reached == REACHED_NOTHING);
	begin(NULL);
	feed(&uefi, CHANNEL_SERIAL,
	     OVMF_STARTS "Verification failed: (0x1A) Security Violation\r\n");
	CHECK(uefi.gave_up && uefi.is_refused && uefi.reached == REACHED_FIRMWARE);
}

static void test_kernels(void)
{
	static const char *const yes[] = {
		"[    0.000000] Linux version 6.1.0-50-amd64 (debian-kernel@lists.debian.org)",
		"Linux version 6.1.0-50-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian))",
		"[   12.345678] usb 1-1: new high-speed USB device",
		"EFI stub: Loaded initrd from LINUX_EFI_INITRD_MEDIA_GUID device path",
		"Decompressing Linux... Parsing ELF... done.",
		"Probing EDD (edd=off to disable)... ok",
	};
	static const char *const no[] = {
		"Debian GNU/Linux version 12 (bookworm)",
		"Linux version 12",
		"Boot Linux version 6.1 (a@b)",
		"[F1] Help",
		"[    0.1] not printk's",
		"[ x.000000] no time",
		"[    0.000000]no blank",
		"EFI stubs",
	};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		begin(NULL);
		feed(&bios, CHANNEL_SERIAL, yes[i]);
		feed(&bios, CHANNEL_SERIAL, "\n");
		CHECK(bios.reached == REACHED_KERNEL && bios.evidence == EVIDENCE_TEXT);
		CHECK_STR(bios.text, yes[i]);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		begin(NULL);
		feed(&bios, CHANNEL_SERIAL, no[i]);
		feed(&bios, CHANNEL_SERIAL, "\n");
		CHECK(bios.reached < REACHED_KERNEL);
	}
}

static void test_processor(void)
{
	begin(NULL);
	/* Before the firmware has started anything, nobody but it can be there. */
	processor(&bios, "RIP=ffffffff81e0f2ab RFL=00000246 ... CR0=80050033");
	CHECK(bios.reached == REACHED_NOTHING);
	feed(&bios, CHANNEL_DEBUG, JUMP);
	processor(&bios, "EIP=000edf1f EFL=00000046 ... CR0=00000011");
	processor(&bios,
		  "EIP=fffebaba EFL=00000046 ... CR0=00000011"); /* SeaBIOS, without paging */
	processor(&bios, "RIP=00000000000115f0 RFL=00000046 ... CR0=80000011"); /* Memtest86+ */
	processor(&bios, "RIP=fffffff");
	processor(&bios, "RIP=ffffffffxyzxyzxy CR0=80050033");
	processor(&bios, "");
	CHECK(bios.reached == REACHED_FIRMWARE);
	processor(&bios,
		  "{\"return\": \"RAX=0000000000000000\\r\\nRIP=ffffffff81e0f2ab RFL=00000246 "
		  "[---Z-P-] CPL=0\\r\\nCR0=80050033 CR2=0\\r\\n\"}");
	CHECK(bios.reached == REACHED_KERNEL && bios.evidence == EVIDENCE_PROCESSOR);
	CHECK_STR(bios.text, "");

	begin(NULL);
	feed(&bios, CHANNEL_DEBUG, JUMP);
	processor(&bios, "EIP=c1045678 EFL=00000246 ... CR0=80050033"); /* 32 bits */
	CHECK(bios.reached == REACHED_KERNEL);
}

static void test_graphics(void)
{
	begin(NULL);
	boot_judge_graphics(&uefi);
	CHECK(uefi.reached == REACHED_NOTHING);
	feed(&uefi, CHANNEL_SERIAL, OVMF_STARTS);
	boot_judge_graphics(&uefi);
	CHECK(uefi.reached == REACHED_LOADER && uefi.evidence == EVIDENCE_GRAPHICS);
	CHECK_STR(uefi.text, "");
}

static void test_expected(void)
{
	begin("ISOWRITE-BOOTED debian");
	feed(&bios, CHANNEL_SERIAL, SEABIOS "ISOWRITE-BOOTED ubuntu\r\n");
	CHECK(bios.reached < REACHED_EXPECTED);
	feed(&bios, CHANNEL_SERIAL,
	     "ISOWRITE-\x1b[KBOOTED debian-cd.iso\r\n[    0.000000] later\r\n");
	CHECK(bios.reached == REACHED_EXPECTED);
	CHECK_STR(bios.text, "ISOWRITE-BOOTED debian-cd.iso");
}

static void test_loaders_that_stop(void)
{
	static const char *const lines[] = {
		"grub rescue> ",
		"isowrite boot error 3",
		"This stick boots by UEFI only, and the firmware has started it as a BIOS does.",
		"Operating system load error.",
		"isolinux.bin missing or corrupt.",
		"BOOTMGR is missing",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		begin(NULL);
		feed(&bios, CHANNEL_DEBUG, JUMP);
		feed(&bios, CHANNEL_SERIAL, lines[i]);
		boot_judge_settle(&bios);
		CHECK(bios.gave_up && bios.reached == REACHED_FIRMWARE);
	}
	begin(NULL);
	feed(&bios, CHANNEL_SERIAL, "[    1.000000] Kernel panic - not syncing: VFS\n");
	CHECK(bios.gave_up && bios.reached == REACHED_KERNEL);
}

/* However it is cut, the same comes out. */
static void test_any_pieces(void)
{
	static const char text[] = OVMF_STARTS "\x1b[0m\x1b[30m\x1b[47mWelcome to GRUB!\n\r\n\r";

	for (size_t step = 1; step < 40; step++) {
		begin(NULL);
		for (size_t i = 0; i < strlen(text); i += step)
			boot_judge_feed(&uefi, CHANNEL_SERIAL, text + i,
					strlen(text) - i < step ? strlen(text) - i : step);
		CHECK(uefi.reached == REACHED_LOADER);
		CHECK_STR(uefi.text, "Welcome to GRUB!");
	}
}

static bool is_printable(const char *s)
{
	for (; *s; s++) {
		if (*s < ' ' || *s > '~')
			return false;
	}
	return true;
}

/* No byte of it gets to a terminal, and no amount of it does harm. */
static void test_hostile(void)
{
	static const char title[] = "\x1b]0;owned\x07GNU GRUB \xff\xfe\xe2\x80\xae\x9b[31m\x7f\r\n";
	uint8_t noise[5000], cells[VGA_TEXT_SIZE];

	begin("x");
	feed(&bios, CHANNEL_SERIAL, title);
	CHECK(bios.reached == REACHED_LOADER);
	CHECK(is_printable(bios.text) && is_printable(bios.last) && is_printable(bios.why));
	srand(1);
	for (int turn = 0; turn < 200; turn++) {
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)(turn % 2 ? rand() : ' ' + rand() % 95);
		for (size_t i = 0; i < sizeof(cells); i++)
			cells[i] = (uint8_t)rand();
		boot_judge_feed(&bios, CHANNEL_SERIAL, noise, sizeof(noise));
		boot_judge_feed(&uefi, CHANNEL_DEBUG, noise, sizeof(noise));
		boot_judge_screen(&bios, cells);
		boot_judge_settle(&bios);
		boot_judge_processor(&bios, (const char *)noise, sizeof(noise));
		CHECK(is_printable(bios.text) && is_printable(bios.last) && is_printable(bios.why));
		CHECK(is_printable(uefi.text) && is_printable(uefi.why));
	}
	/* Backspaces do not lead before the line, escapes without an end not out of it. */
	begin(NULL);
	feed(&bios, CHANNEL_SERIAL, "\b\b\bab\b\b\b\bGNU GRUB\n");
	CHECK_STR(bios.text, "GNU GRUB");
	feed(&bios, CHANNEL_SERIAL, "\x1b[");
	for (int i = 0; i < 10000; i++)
		feed(&bios, CHANNEL_SERIAL, "1;");
}

/* What is missing is named by its package. */
static void test_lacking(void)
{
	char dir[] = "/tmp/isowrite-kit.XXXXXX", qemu[64];
	struct error err = ERROR_INIT;
	struct boot_kit kit;

	CHECK(mkdtemp(dir) != NULL);
	setenv("PATH", dir, 1);
	CHECK(boot_kit_find("", FIRMWARE_BIOS, false, &kit, &err) < 0);
	CHECK(err.kind == ERROR_LACKING && strstr(err.msg, "qemu-system-x86)"));
	snprintf(qemu, sizeof(qemu), "%s/qemu-system-x86_64", dir);
	CHECK(symlink("/bin/true", qemu) == 0);
	CHECK(boot_kit_find(dir, FIRMWARE_BIOS, false, &kit, &err) == 0);
	CHECK_STR(kit.qemu, qemu);
	CHECK(boot_kit_find(dir, FIRMWARE_UEFI, false, &kit, &err) < 0);
	CHECK(err.kind == ERROR_LACKING && strstr(err.msg, "package ovmf"));
	CHECK(boot_kit_find(dir, FIRMWARE_UEFI, true, &kit, &err) < 0);
	CHECK(err.kind == ERROR_LACKING && strstr(err.msg, "Secure Boot"));
	unlink(qemu);
	rmdir(dir);
}

int main(void)
{
	RUN(test_blank_stick);
	RUN(test_isolinux);
	RUN(test_memtest_bios);
	RUN(test_grub_uefi);
	RUN(test_text_of_an_unknown_loader);
	RUN(test_half_a_line_of_the_firmware);
	RUN(test_secure_boot);
	RUN(test_kernels);
	RUN(test_processor);
	RUN(test_graphics);
	RUN(test_expected);
	RUN(test_loaders_that_stop);
	RUN(test_any_pieces);
	RUN(test_hostile);
	RUN(test_lacking);
	return tap_done();
}
