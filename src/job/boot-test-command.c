// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * QEMU's command line; see boot-test-command.h. Nothing of it comes from the
 * image or from the user's words: files are descriptors (/dev/fdset/N), so no
 * name of a file is ever read by QEMU as an option.
 */
#include "job/boot-test-command.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

/* Numbers of -add-fd's sets. */
enum { SET_IMAGE = 1, SET_OVERLAY, SET_CODE, SET_VARIABLES };

/* What QEMU may not do once it runs; a window needs more than the rest. */
static const char sandbox[] =
	"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";
static const char sandbox_gui[] = "on,obsolete=deny,elevateprivileges=deny";

/* All words go into one stream, each with a NUL behind it. */
static void add(FILE *f, const char *option, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void add(FILE *f, const char *option, const char *fmt, ...)
{
	va_list ap;

	fputs(option, f);
	fputc('\0', f);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fputc('\0', f);
}

static void add_word(FILE *f, const char *word)
{
	fputs(word, f);
	fputc('\0', f);
}

static void add_machine(FILE *f, const struct boot_vm_request *req)
{
	bool is_uefi = req->firmware == FIRMWARE_UEFI;

	add_word(f, "-nodefaults");
	add_word(f, "-no-user-config");
	add_word(f, "-no-reboot");
	/* Without graphics SeaBIOS shows what it prints on the serial port as well. */
	add(f, "-machine", "%s%s", req->secure_boot ? "q35,smm=on" : "pc",
	    is_uefi ? ",pflash0=code,pflash1=variables" : ",graphics=off");
	add(f, "-accel", "%s", req->kvm ? "kvm" : "tcg");
	add(f, "-cpu", "max");
	add(f, "-m", "%" PRIu64 "M", req->memory / MIB);
	add(f, "-vga", "std");
	add(f, "-nic", "none");
	/* The firmware tries our device and no other. */
	add(f, "-boot", "strict=on,menu=off");
	if (req->secure_boot) {
		/* The variables are the firmware's own; it asks for both. */
		add(f, "-global", "driver=cfi.pflash01,property=secure,value=on");
		add(f, "-global", "ICH9-LPC.disable_s3=1");
	}
	add(f, "-name", "isowrite boot-test");
	add(f, "-display", "%s", req->display ? req->display : "none");
	if (req->confine)
		add(f, "-sandbox", "%s", req->display ? sandbox_gui : sandbox);
}

static void add_channels(FILE *f, const struct boot_fds *fds)
{
	add(f, "-chardev", "socket,id=monitor,fd=%d", fds->monitor);
	add(f, "-mon", "chardev=monitor,mode=control");
	add(f, "-chardev", "socket,id=serial,fd=%d", fds->serial);
	add(f, "-serial", "chardev:serial");
	add(f, "-chardev", "socket,id=debug,fd=%d", fds->debug);
	add(f, "-device", "isa-debugcon,iobase=0x402,chardev=debug");
}

static void add_disks(FILE *f, const struct boot_vm_request *req, const struct boot_fds *fds)
{
	add(f, "-add-fd", "set=%d,fd=%d", SET_IMAGE, fds->image);
	add(f, "-add-fd", "set=%d,fd=%d", SET_OVERLAY, fds->overlay);
	/* Flushing is for what is to be kept. */
	add(f, "-blockdev",
	    "{\"driver\":\"qcow2\",\"node-name\":\"medium\",\"cache\":{\"no-flush\":true},"
	    "\"file\":{\"driver\":\"file\",\"filename\":\"/dev/fdset/%d\",\"locking\":\"off\"},"
	    "\"backing\":{\"driver\":\"raw\",\"read-only\":true,"
	    "\"file\":{\"driver\":\"%s\",\"filename\":\"/dev/fdset/%d\",\"read-only\":true}}}",
	    SET_OVERLAY, req->is_block_device ? "host_device" : "file", SET_IMAGE);
	if (req->firmware == FIRMWARE_BIOS)
		return;
	add(f, "-add-fd", "set=%d,fd=%d", SET_CODE, fds->code);
	add(f, "-add-fd", "set=%d,fd=%d", SET_VARIABLES, fds->variables);
	add(f, "-blockdev",
	    "{\"driver\":\"file\",\"node-name\":\"code\",\"read-only\":true,"
	    "\"filename\":\"/dev/fdset/%d\"}",
	    SET_CODE);
	add(f, "-blockdev",
	    "{\"driver\":\"file\",\"node-name\":\"variables\",\"locking\":\"off\","
	    "\"filename\":\"/dev/fdset/%d\"}",
	    SET_VARIABLES);
}

static void add_medium(FILE *f, const struct boot_vm_request *req)
{
	if (req->medium == MEDIUM_CD) {
		add(f, "-device", "ide-cd,drive=medium,bootindex=0%s",
		    req->secure_boot ? ",bus=ide.0" : "");
		return;
	}
	add(f, "-device", "qemu-xhci,id=usb");
	if (req->sector_size == 512) {
		add(f, "-device", "usb-storage,bus=usb.0,drive=medium,bootindex=0,removable=on");
		return;
	}
	/* usb-storage has sectors of 512 bytes, whatever is asked of it. */
	add(f, "-device", "usb-bot,id=bot,bus=usb.0");
	add(f, "-device",
	    "scsi-hd,bus=bot.0,scsi-id=0,lun=0,removable=on,drive=medium,bootindex=0,"
	    "logical_block_size=%u,physical_block_size=%u",
	    req->sector_size, req->sector_size);
}

int boot_command_make(const struct boot_vm_request *req, const struct boot_fds *fds,
		      struct boot_command *ret, struct error *err)
{
	struct boot_command c = { .n_words = 0 };
	size_t len = 0;
	FILE *f = open_memstream(&c.text, &len);

	if (!f)
		return error_set_nomem(err);
	add_word(f, req->kit->qemu);
	add_machine(f, req);
	add_channels(f, fds);
	add_disks(f, req, fds);
	add_medium(f, req);
	if (fclose(f) != 0) {
		free(c.text);
		return error_set_nomem(err);
	}
	for (size_t at = 0; at < len && c.n_words < BOOT_MAX_WORDS; at += strlen(c.text + at) + 1)
		c.words[c.n_words++] = c.text + at;
	*ret = c;
	return 0;
}

void boot_command_done(struct boot_command *c)
{
	free(c->text);
	*c = (struct boot_command){ .n_words = 0 };
}
