// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * QEMU's control protocol (QMP: JSON, one object a line), what its guest sends,
 * what its screen shows. See boot-test-vm-internal.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/num.h"
#include "base/text.h"
#include "job/boot-test-vm-internal.h"
#include "job/json-read.h"

#define PICTURE_LIMIT (64 * MIB)
#define ANSWER_SECONDS 20 /* for it to answer, on a machine with other things to do */

/* -1 closes it. */
static void read_channel(struct boot_vm *vm, int *fd, enum boot_channel channel)
{
	char buf[16 << 10];
	ssize_t n = read(*fd, buf, sizeof(buf));

	if (n > 0) {
		boot_judge_feed(vm->judge, channel, buf, (size_t)n);
		vm->n_received += (uint64_t)n;
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		boot_close_fd(fd);
}

static void take_event(struct boot_vm *vm, const struct json_doc *doc,
		       const struct json_value *name)
{
	const struct json_value *data = json_member(doc, &doc->values[0], "data"), *what;

	/* Nobody but QEMU itself ever stops it: KVM could not go on, for instance. */
	if (json_is_text(name, "STOP"))
		vm->is_broken = true;
	if (!data || data->type != JSON_OBJECT)
		return;
	what = json_member(doc, data, "operation");
	if (json_is_text(name, "BLOCK_IO_ERROR") && what && json_is_text(what, "read"))
		vm->read_failed = true;
	what = json_member(doc, data, "reason"); /* guest-reset, host-ui ... */
	if (json_is_text(name, "SHUTDOWN") && what && what->type == JSON_STRING && what->len > 5)
		vm->was_closed = strncmp(what->text, "host-", 5) == 0;
}

static void take_version(struct boot_vm *vm, const struct json_doc *doc,
			 const struct json_value *greeting)
{
	static const char *const parts[] = { "major", "minor", "micro" };
	const struct json_value *v = json_member(doc, greeting, "version");
	uint64_t n[3] = { 0, 0, 0 };

	v = v && v->type == JSON_OBJECT ? json_member(doc, v, "qemu") : NULL;
	for (size_t i = 0; v && v->type == JSON_OBJECT && i < ARRAY_SIZE(parts); i++) {
		const struct json_value *part = json_member(doc, v, parts[i]);

		if (!part || !json_get_u64(part, &n[i]))
			return;
	}
	if (v)
		snprintf(vm->version, sizeof(vm->version), "%u.%u.%u", (unsigned int)n[0],
			 (unsigned int)n[1], (unsigned int)n[2]);
}

static void take_message(struct boot_vm *vm, char *text, size_t len)
{
	const struct json_value *v;
	struct json_doc doc;

	if (json_read(text, len, &doc) < 0)
		return;
	if (doc.n > 0 && doc.values[0].type == JSON_OBJECT) {
		v = json_member(&doc, &doc.values[0], "event");
		if (v)
			take_event(vm, &doc, v);
		v = json_member(&doc, &doc.values[0], "QMP");
		if (v && v->type == JSON_OBJECT)
			take_version(vm, &doc, v);
		if (v || json_member(&doc, &doc.values[0], "return") ||
		    json_member(&doc, &doc.values[0], "error")) {
			memcpy(vm->answer, text, len);
			vm->answer_len = len;
		}
	}
	json_read_done(&doc);
}

static void read_monitor(struct boot_vm *vm)
{
	ssize_t n =
		read(vm->monitor, vm->message + vm->message_len, QMP_MAX_MESSAGE - vm->message_len);
	char *end;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		boot_close_fd(&vm->monitor);
		return;
	}
	vm->message_len += n > 0 ? (size_t)n : 0;
	/* Ends: each turn takes a line away. */
	while ((end = memchr(vm->message, '\n', vm->message_len))) {
		size_t len = (size_t)(end - vm->message);

		take_message(vm, vm->message, len);
		vm->message_len -= len + 1;
		memmove(vm->message, end + 1, vm->message_len);
	}
	if (vm->message_len == QMP_MAX_MESSAGE)
		boot_close_fd(&vm->monitor); /* QEMU says nothing that long */
}

bool boot_qmp_read(struct boot_vm *vm, int milliseconds)
{
	struct pollfd p[] = { { .fd = vm->monitor, .events = POLLIN },
			      { .fd = vm->serial, .events = POLLIN },
			      { .fd = vm->debug, .events = POLLIN } };
	int n = poll(p, ARRAY_SIZE(p), milliseconds);

	if (n <= 0)
		return false;
	if (p[0].revents)
		read_monitor(vm);
	if (p[1].revents)
		read_channel(vm, &vm->serial, CHANNEL_SERIAL);
	if (p[2].revents)
		read_channel(vm, &vm->debug, CHANNEL_DEBUG);
	return p[1].revents || p[2].revents;
}

/* The next answer, in vm->answer. -1: none comes. */
int boot_qmp_wait(struct boot_vm *vm, double seconds)
{
	double until = clock_seconds() + seconds;

	while (vm->answer_len == 0) {
		if (vm->monitor < 0 || clock_seconds() > until)
			return -1;
		boot_qmp_read(vm, 100);
	}
	return 0;
}

/* One command; its answer. text is a whole object. */
int boot_qmp_command(struct boot_vm *vm, const char *text)
{
	size_t len = strlen(text);

	vm->answer_len = 0;
	if (vm->monitor < 0 || send(vm->monitor, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		return -1;
	return boot_qmp_wait(vm, ANSWER_SECONDS);
}

/* Does the answer say that it was done? Else its words, escaped. */
static bool is_answer_good(struct boot_vm *vm, char *words, size_t size)
{
	const struct json_value *v = NULL;
	struct json_doc doc;

	words[0] = '\0';
	if (json_read(vm->answer, vm->answer_len, &doc) < 0)
		return false;
	v = json_member(&doc, &doc.values[0], "error");
	if (v && v->type == JSON_OBJECT)
		v = json_member(&doc, v, "desc");
	if (v && v->type == JSON_STRING)
		text_escape(v->text, v->len, words, size);
	json_read_done(&doc);
	return !v;
}

/* Lets a command write into dump; what it wrote. */
static ssize_t dump(struct boot_vm *vm, const char *name, const char *arguments, char *words,
		    size_t size)
{
	char text[256];
	struct stat st;

	snprintf(text, sizeof(text),
		 "{\"execute\":\"%s\",\"arguments\":{\"filename\":\"/proc/self/fd/%d\"%s}}\n", name,
		 vm->dump, arguments);
	words[0] = '\0';
	if (ftruncate(vm->dump, 0) < 0 || boot_qmp_command(vm, text) < 0 ||
	    !is_answer_good(vm, words, size) || fstat(vm->dump, &st) < 0)
		return -1;
	return st.st_size;
}

/* Of every node that has a counter "rd_bytes"; of several, the largest counts. */
uint64_t boot_vm_activity(struct boot_vm *vm)
{
	static const char name[] = "\"rd_bytes\":";
	uint64_t most = 0;

	if (boot_qmp_command(vm, "{\"execute\":\"query-blockstats\"}\n") < 0)
		return vm->n_received;
	vm->answer[vm->answer_len] = '\0';
	/* Ends: each turn begins behind the last name. */
	for (const char *p = vm->answer; (p = strstr(p, name));) {
		p += strlen(name);
		most = num_max(most, strtoull(p, NULL, 10));
	}
	return vm->n_received + most;
}

static int look_at_screen(struct boot_vm *vm)
{
	uint8_t cells[VGA_TEXT_SIZE];
	char words[64];

	if (dump(vm, "pmemsave", ",\"val\":753664,\"size\":4000", words, sizeof(words)) !=
	    VGA_TEXT_SIZE)
		return -1;
	if (io_pread_full(vm->dump, cells, sizeof(cells), 0) != VGA_TEXT_SIZE)
		return -1;
	boot_judge_screen(vm->judge, cells);
	return 0;
}

int boot_vm_look(struct boot_vm *vm)
{
	if (vm->firmware == FIRMWARE_BIOS && look_at_screen(vm) < 0)
		return -1;
	if (boot_qmp_command(vm, "{\"execute\":\"human-monitor-command\","
				 "\"arguments\":{\"command-line\":\"info registers\"}}\n") < 0)
		return -1;
	boot_judge_processor(vm->judge, vm->answer, vm->answer_len);
	return 0;
}

int boot_vm_take_picture(struct boot_vm *vm, const char *format, uint8_t **ret, size_t *ret_len,
			 struct error *err)
{
	bool is_png = strcmp(format, "png") == 0;
	char words[200];
	uint8_t *data;
	/* Before 7.1 it knew no formats but one. */
	ssize_t len =
		dump(vm, "screendump", is_png ? ",\"format\":\"png\"" : "", words, sizeof(words));

	if (len <= 0 || (uint64_t)len > PICTURE_LIMIT)
		return error_set(err, ERROR_LACKING, "no-screenshot",
				 _("This QEMU (%s) makes no %s picture of the screen (7.1 or "
				   "later may)%s%s"),
				 vm->version, is_png ? "PNG" : "PPM", words[0] ? ": " : ".", words);
	data = malloc((size_t)len);
	if (!data)
		return error_set_nomem(err);
	if (io_pread_full(vm->dump, data, (size_t)len, 0) != len) {
		free(data);
		return error_set_sys(err, ERROR_INTERNAL, "virtual-machine", errno,
				     _("The picture of the screen cannot be read"));
	}
	*ret = data;
	*ret_len = (size_t)len;
	return 0;
}
