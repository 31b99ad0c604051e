// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * isowrite --report [DEVICE]: what a bug report needs to say about the program, the machine and
 * its disks. Reads only. What identifies one single disk (serial number, WWN, by-id link) is
 * masked; labels and mount points are not, and the first line says so.
 */
#include <ctype.h>
#include <grp.h>
#include <langinfo.h>
#include <limits.h>
#include <link.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/cmd-job.h"
#include "cli/sticks.h"
#include "cli/ui.h"
#include "cli/words.h"
#include "io/device.h"
#include "io/ring.h"

#define FACT_COLUMN 12
#define MAX_LIBRARIES 64

/* A fact goes to the text or into the JSON object, whichever is made. */
struct facts {
	struct ui *ui;
	struct words how;
	struct json *json; /* NULL: text */
	unsigned int indent;
};

static void put_fact(struct facts *f, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* name: of the JSON member too. */
static void put_fact(struct facts *f, const char *name, const char *fmt, ...)
{
	char value[4096], safe[8192], line[8300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (f->json) {
		json_text(f->json, name, value);
		return;
	}
	if (!value[0])
		return;
	text_escape_trim(value, safe, sizeof(safe));
	snprintf(line, sizeof(line), "%*s%-*s %s", (int)f->indent, "",
		 (int)(FACT_COLUMN - 1 - f->indent), name, safe);
	words_fill(f->ui->out, &f->how, line, FACT_COLUMN);
}

/* The first line of a file, or of those of its lines that begin with key the rest; "" if none. */
static const char *read_line(const char *path, const char *key, char *buf, size_t size)
{
	FILE *in = fopen(path, "re");
	size_t len = strlen(key);
	bool found = false;

	while (in && !found && fgets(buf, (int)size, in)) {
		buf[strcspn(buf, "\n")] = '\0';
		found = strncmp(buf, key, len) == 0;
	}
	if (in)
		fclose(in);
	if (!found)
		buf[0] = '\0';
	else
		memmove(buf, buf + len, strlen(buf + len) + 1);
	return buf;
}

static void append(char *buf, size_t size, const char *separator, const char *text)
{
	size_t len = strlen(buf);

	snprintf(buf + len, size - len, "%s%.255s", len ? separator : "", text);
}

struct library_list {
	char text[2048];
	unsigned int n;
};

/* The file behind libzstd.so.1 is called libzstd.so.1.5.4, and that is its version. */
static int add_library(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct library_list *list = ctx;
	char real[PATH_MAX];
	const char *name;

	(void)size;
	/* The kernel's own has no file. */
	if (!strstr(info->dlpi_name, ".so") || !realpath(info->dlpi_name, real) ||
	    list->n++ >= MAX_LIBRARIES)
		return 0;
	name = strrchr(real, '/');
	append(list->text, sizeof(list->text), " ", name ? name + 1 : real);
	return 0;
}

static void put_program(struct facts *f)
{
	struct library_list list = { .n = 0 };

	if (!f->json)
		put_fact(f, "version", "isowrite %s", ISOWRITE_VERSION);
	put_fact(f, "build", "%s", ISOWRITE_LIBRARIES);
	(void)dl_iterate_phdr(add_library, &list);
	put_fact(f, "libraries", "%s", list.text);
	put_fact(f, "openssl", "%s", hash_library());
}

static const char *container(void)
{
	static const char *const marks[][2] = {
		{ "/run/.containerenv", "podman" },
		{ "/.dockerenv", "docker" },
		{ "/.flatpak-info", "flatpak" },
	};
	const char *name = getenv("container");

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		if (access(marks[i][0], F_OK) == 0)
			return marks[i][1];
	}
	return name ? name : "";
}

static void put_privileges(struct facts *f)
{
	char caps[64], seccomp[64], text[256];
	const struct group *disk = getgrnam("disk");

	read_line("/proc/self/status", "CapEff:", caps, sizeof(caps));
	read_line("/proc/self/status", "Seccomp:", seccomp, sizeof(seccomp));
	snprintf(text, sizeof(text), "uid %u%s%s", (unsigned int)geteuid(),
		 geteuid() == 0 ? " (root)" : "",
		 disk && group_member(disk->gr_gid) ? ", in group disk" : "");
	put_fact(f, "privileges", "%s, capabilities %s, seccomp %s", text,
		 caps + strspn(caps, "\t "), seccomp + strspn(seccomp, "\t "));
}

static void put_machine(struct facts *f)
{
	char os[256], disabled[16];
	int uring = ring_probe();
	struct utsname u;

	read_line("/etc/os-release", "PRETTY_NAME=", os, sizeof(os));
	put_fact(f, "system", "%.*s", (int)strcspn(os + (os[0] == '"'), "\""), os + (os[0] == '"'));
	if (uname(&u) == 0)
		put_fact(f, "kernel", "%s %s %s", u.sysname, u.release, u.machine);
	put_fact(f, "container", "%s", container());
	read_line("/proc/sys/kernel/io_uring_disabled", "", disabled, sizeof(disabled));
	put_fact(f, "io_uring", "%s%s%s", uring == 0 ? "available" : strerror(uring),
		 disabled[0] ? ", kernel.io_uring_disabled=" : "", disabled);
	put_privileges(f);
}

static void put_surroundings(struct facts *f)
{
	static const char *const names[] = {
		"LC_ALL", "LC_CTYPE", "LANG", "NO_COLOR", "ISOWRITE_ENGINE", "ISOWRITE_QUEUE_BYTES"
	};
	const char *term = getenv("TERM");
	char text[1024] = "", one[256], columns[64] = "not a terminal";

	put_fact(f, "locale", "%s, characters in %s", setlocale(LC_CTYPE, NULL),
		 nl_langinfo(CODESET));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (!value)
			continue;
		snprintf(one, sizeof(one), "%s=%s", names[i], value);
		append(text, sizeof(text), " ", one);
	}
	put_fact(f, "environment", "%s", text);
	if (f->ui->err_columns)
		snprintf(columns, sizeof(columns), "%u columns", f->ui->err_columns);
	put_fact(f, "terminal", "TERM=%s, standard error: %s", term ? term : "", columns);
}

/* Letters and digits go; how long it is, and what is odd in it, stays. */
static void mask(char *text)
{
	for (; *text; text++) {
		if (isalnum((unsigned char)*text))
			*text = 'x';
	}
}

/* "sd usb-storage usb xhci_hcd": the drivers from the disk up, and the USB device's numbers. */
static void read_chain(char *dir, char *drivers, size_t drivers_size, char *usb_id, size_t id_size)
{
	char path[PATH_MAX + 16], target[PATH_MAX], vendor[16], product[16];
	char *slash;

	drivers[0] = usb_id[0] = '\0';
	/* Ends: each turn makes the path shorter. */
	while ((slash = strrchr(dir, '/')) && slash != dir) {
		ssize_t len;

		snprintf(path, sizeof(path), "%s/driver", dir);
		len = readlink(path, target, sizeof(target) - 1);
		if (len > 0) {
			target[len] = '\0';
			append(drivers, drivers_size, " ",
			       strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
		}
		snprintf(path, sizeof(path), "%s/idVendor", dir);
		read_line(path, "", vendor, sizeof(vendor));
		snprintf(path, sizeof(path), "%s/idProduct", dir);
		read_line(path, "", product, sizeof(product));
		if (vendor[0] && !usb_id[0])
			snprintf(usb_id, id_size, "%s:%s", vendor, product);
		*slash = '\0';
	}
}

static void put_sysfs(struct facts *f, const struct device_info *info)
{
	static const char *const attributes[] = { "size",
						  "removable",
						  "ro",
						  "queue/logical_block_size",
						  "queue/physical_block_size",
						  "queue/max_sectors_kb",
						  "queue/scheduler",
						  "queue/write_cache" };
	const char *name = strrchr(info->path, '/');
	char link[PATH_MAX], dir[PATH_MAX], text[1024] = "", one[256], value[128], drivers[512],
					    usb_id[40];

	snprintf(link, sizeof(link), "/sys/class/block/%s", name ? name + 1 : info->path);
	if (!info->is_block || !realpath(link, dir))
		return;
	put_fact(f, "sysfs", "%s", dir);
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		snprintf(link, sizeof(link), "%.*s/%s", PATH_MAX - 40, dir, attributes[i]);
		read_line(link, "", value, sizeof(value));
		if (!value[0])
			continue;
		snprintf(one, sizeof(one), "%s=%s", attributes[i], value);
		append(text, sizeof(text), ", ", one);
	}
	put_fact(f, "attributes", "%s", text);
	read_chain(dir, drivers, sizeof(drivers), usb_id, sizeof(usb_id));
	put_fact(f, "drivers", "%s", drivers);
	put_fact(f, "usb", "%s", usb_id);
}

static void put_rules(struct facts *f, const struct device_info *info)
{
	char line[1024], words[768];

	for (size_t i = 0; i < info->n_contents; i++) {
		const struct device_content *c = &info->contents[i];

		/* Escaped by words_content: not again. */
		snprintf(line, sizeof(line), "  %-9s %s: %s%s", "holds", c->node,
			 words_content(c, words, sizeof(words)), c->is_table ? " (table)" : "");
		words_fill(f->ui->out, &f->how, line, FACT_COLUMN);
	}
	for (size_t i = 0; i < info->n_refused; i++) {
		snprintf(line, sizeof(line), "  %-9s %s: %s", "rule",
			 device_rule_name(info->refused[i].rule), info->refused[i].why);
		words_fill(f->ui->out, &f->how, line, FACT_COLUMN);
	}
	if (info->n_refused == 0)
		fprintf(f->ui->out, "  %-9s none\n", "rule");
}

static void put_device(struct facts *f, struct device_info *info)
{
	char words[1024], path[512], line[1600];

	mask(info->serial);
	mask(info->wwn);
	info->by_id[0] = '\0';
	if (f->json) {
		json_begin_object(f->json, NULL);
		sticks_to_json(f->json, info);
	} else {
		fprintf(f->ui->out, "\n");
		snprintf(line, sizeof(line), "%s  %s",
			 text_escape(info->path, SIZE_MAX, path, sizeof(path)),
			 device_describe(info, false, words, sizeof(words)));
		words_fill(f->ui->out, &f->how, line, FACT_COLUMN);
	}
	f->indent = 2;
	if (!f->json) {
		put_fact(f, "serial", "%s", info->serial);
		put_fact(f, "bytes", "%llu, sectors of %u, transport %s, diskseq %llu",
			 (unsigned long long)info->size, info->sector_size, info->transport,
			 (unsigned long long)info->diskseq);
	}
	put_fact(f, "wwn", "%s", info->wwn);
	put_sysfs(f, info);
	f->indent = 0;
	if (f->json)
		json_end_object(f->json);
	else
		put_rules(f, info);
}

/* The disks of the machine, or the one that is named. */
static int read_devices(const struct options *opts, struct device_info **ret, size_t *ret_n,
			struct error *err)
{
	if (opts->n_operands == 0)
		return device_list(false, ret, ret_n, err);
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return error_set_nomem(err);
	if (device_examine(opts->operands[0], -1, -1, *ret, err) < 0)
		return -1;
	*ret_n = 1;
	return 0;
}

static void put_all(struct facts *f, struct device_info *list, size_t n)
{
	put_program(f);
	put_machine(f);
	put_surroundings(f);
	if (f->json)
		json_begin_array(f->json, "devices");
	for (size_t i = 0; i < n; i++)
		put_device(f, &list[i]);
	if (f->json)
		json_end_array(f->json);
}

int cmd_report(const struct options *opts, struct ui *ui)
{
	auto_free struct device_info *list = NULL;
	struct error err = ERROR_INIT;
	struct facts f = { .ui = ui, .how = words_for(ui_columns(STDOUT_FILENO), false, false) };
	struct json j;
	size_t n = 0;
	bool failed = read_devices(opts, &list, &n, &err) < 0;
	const char *path = opts->n_operands ? opts->operands[0] : "";

	if (ui_wants_json(ui)) {
		if (failed)
			return cmd_fail_device(ui, &err, path);
		ui_json_begin(ui, &j, 0);
		f.json = &j;
		put_all(&f, list, n);
		return ui_json_end(ui, &j, NULL, 0, 0);
	}
	words_fill(ui->out, &f.how,
		   _("For a bug report. Serial numbers are masked; labels and mount points are "
		     "not."),
		   0);
	if (geteuid() != 0)
		fprintf(ui->out, _("Run by sudo it says what is on the disks, too.\n"));
	put_all(&f, list, n);
	return failed ? cmd_fail_device(ui, &err, path) : 0;
}
