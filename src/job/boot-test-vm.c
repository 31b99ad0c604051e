// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * QEMU as a child: starting it, its control protocol (QMP: JSON, one object a
 * line), what its guest sends, its end. See boot-test-vm.h.
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
#include "job/boot-test-vm.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "job/boot-test-command.h"
#include "job/json-read.h"

#define NOBODY 65534      /* user and group that QEMU runs as where we are root */
#define OVERLAY_LIMIT GIB /* what a guest may write: it lies in memory */
#define PICTURE_LIMIT (64 * MIB)
#define START_SECONDS 30  /* for QEMU to begin */
#define ANSWER_SECONDS 20 /* for it to answer, on a machine with other things to do */
#define MAX_MESSAGE (256 * KIB)

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

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int set_system_error(int sys, struct error *err)
{
	return error_set_sys(err, ERROR_INTERNAL, "virtual-machine", sys,
			     _("The virtual machine cannot be prepared"));
}

/* ------------------------------------------------------------------ starting */

static int make_pair(int *ours, int *theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	*ours = pair[0];
	*theirs = pair[1];
	return fcntl(*ours, F_SETFL, O_NONBLOCK);
}

/* A copy that the firmware may write to. */
static int copy_to_memory(const char *path)
{
	auto_fd int from = open(path, O_RDONLY | O_CLOEXEC);
	auto_fd int to = memfd_create("isowrite-variables", MFD_CLOEXEC);
	static char buf[64 << 10];
	uint64_t at = 0;
	ssize_t n;

	if (from < 0 || to < 0)
		return -1;
	/* Ends: at the file's end, or where it is no file of variables any more. */
	while (at < 64 * MIB && (n = io_pread_full(from, buf, sizeof(buf), at)) > 0) {
		if (io_pwrite_full(to, buf, (size_t)n, at) != n)
			return -1;
		at += (uint64_t)n;
	}
	return take_fd(&to);
}

static uint64_t medium_size(const struct boot_vm_request *req)
{
	/* A stick is a little larger than what is on it; a device is what it is. */
	if (req->medium == MEDIUM_CD)
		return num_round_up(req->image_size, 2048);
	if (req->is_block_device)
		return num_round_up(req->image_size, req->sector_size);
	return num_round_up(req->image_size, MIB) + 8 * MIB;
}

static int make_files(struct boot_vm *vm, const struct boot_vm_request *req, struct error *err)
{
	struct boot_fds *f = &vm->theirs;

	f->overlay = boot_overlay_make(medium_size(req), err);
	if (f->overlay < 0)
		return -1;
	vm->dump = f->dump = memfd_create("isowrite-dump", MFD_CLOEXEC);
	vm->words = memfd_create("isowrite-words", MFD_CLOEXEC);
	if (vm->dump < 0 || vm->words < 0 || make_pair(&vm->monitor, &f->monitor) < 0 ||
	    make_pair(&vm->serial, &f->serial) < 0 || make_pair(&vm->debug, &f->debug) < 0)
		return set_system_error(errno, err);
	if (req->firmware == FIRMWARE_BIOS)
		return 0;
	f->code = open(req->kit->code, O_RDONLY | O_CLOEXEC);
	f->variables = copy_to_memory(req->kit->variables);
	if (f->code < 0 || f->variables < 0)
		return set_system_error(errno, err);
	return 0;
}

/* Root's powers are of no use to a machine; but it may need the group of /dev/kvm. */
static int drop_root(const struct boot_vm_request *req)
{
	struct stat st;
	gid_t group = NOBODY;

	if (geteuid() != 0 || req->display || !req->confine)
		return 0;
	if (req->kvm && stat("/dev/kvm", &st) == 0)
		group = st.st_gid;
	if (setgroups(1, &group) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	    setresuid(NOBODY, NOBODY, NOBODY) == 0)
		return 0;
	/* In a user namespace there may be no other user; then we are not really root either. */
	return errno == EPERM || errno == EINVAL ? 0 : -1;
}

/* In the child. Only what is safe after fork(); returns an errno. */
static int become_qemu(const struct boot_vm *vm, const struct boot_vm_request *req,
		       const struct boot_command *command, pid_t parent)
{
	const struct boot_fds *f = &vm->theirs;
	const int kept[] = { f->monitor, f->serial, f->debug,     f->image,
			     f->overlay, f->code,   f->variables, f->dump };
	struct rlimit file_size = { 0, 0 }, no_core = { 0, 0 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(vm->words, STDERR_FILENO) < 0 || drop_root(req) < 0)
		return errno;
	/* Also what our caller has left open; kernels before 5.11 cannot. */
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		if (kept[i] >= 0 && fcntl(kept[i], F_SETFD, 0) < 0)
			return errno;
	}
	/* A lower limit of our caller's stays. */
	if (getrlimit(RLIMIT_FSIZE, &file_size) < 0)
		return errno;
	file_size.rlim_max = num_min(file_size.rlim_max, OVERLAY_LIMIT);
	file_size.rlim_cur = num_min(file_size.rlim_cur, file_size.rlim_max);
	/* After drop_root(), which would undo it. The parent may have died before. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_FSIZE, &file_size) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0)
		return errno;
	if (getppid() != parent)
		return ESRCH;
	execv(req->kit->qemu, (char *const *)command->words);
	return errno;
}

static int spawn(struct boot_vm *vm, const struct boot_vm_request *req,
		 const struct boot_command *command, struct error *err)
{
	pid_t parent = getpid(), pid;
	int pipes[2], sys = 0;
	ssize_t n;

	/* Closed by a successful exec; else it brings the errno. */
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return set_system_error(errno, err);
	pid = fork();
	if (pid == 0) {
		sys = become_qemu(vm, req, command, parent);
		n = write(pipes[1], &sys, sizeof(sys));
		(void)n;
		/* This library never exits; and there is nothing to be tidied up here. */
		while (true)
			raise(SIGKILL);
	}
	sys = pid < 0 ? errno : 0;
	close(pipes[1]);
	if (pid > 0) {
		vm->pid = pid;
		n = io_read_full(pipes[0], &sys, sizeof(sys));
		if (n != sizeof(sys))
			sys = 0;
	}
	close(pipes[0]);
	if (sys)
		return error_set_sys(err, ERROR_LACKING, "no-qemu", sys, _("Cannot run QEMU"));
	return 0;
}

static void close_theirs(struct boot_fds *f)
{
	close_fd(&f->monitor);
	close_fd(&f->serial);
	close_fd(&f->debug);
	close_fd(&f->overlay);
	close_fd(&f->code);
	close_fd(&f->variables);
}

/* ------------------------------------------------------------------- reading */

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
		close_fd(fd);
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
	ssize_t n = read(vm->monitor, vm->message + vm->message_len, MAX_MESSAGE - vm->message_len);
	char *end;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close_fd(&vm->monitor);
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
	if (vm->message_len == MAX_MESSAGE)
		close_fd(&vm->monitor); /* QEMU says nothing that long */
}

static bool read_all(struct boot_vm *vm, int milliseconds)
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
static int wait_answer(struct boot_vm *vm, double seconds)
{
	double until = now() + seconds;

	while (vm->answer_len == 0) {
		if (vm->monitor < 0 || now() > until)
			return -1;
		read_all(vm, 100);
	}
	return 0;
}

/* One command; its answer. text is a whole object. */
static int command(struct boot_vm *vm, const char *text)
{
	size_t len = strlen(text);

	vm->answer_len = 0;
	if (vm->monitor < 0 || send(vm->monitor, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		return -1;
	return wait_answer(vm, ANSWER_SECONDS);
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

/* ----------------------------------------------------------------- the whole */

/* Its last line: escaped. */
void boot_vm_read_words(const struct boot_vm *vm, char *buf, size_t size)
{
	char text[2048];
	off_t end = lseek(vm->words, 0, SEEK_END);
	uint64_t from = end > (off_t)sizeof(text) ? (uint64_t)end - sizeof(text) + 1 : 0;
	ssize_t len = end > 0 ? io_pread_full(vm->words, text, sizeof(text) - 1, from) : 0;
	char *line;

	text[len > 0 ? len : 0] = '\0';
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	if (strncmp(line, "qemu-system-x86_64: ", 20) == 0)
		line += 20;
	text_escape_trim(line, buf, size);
}

static int fail_start(struct boot_vm *vm, struct error *err)
{
	char words[300];

	boot_vm_read_words(vm, words, sizeof(words));
	return error_set(err, ERROR_LACKING, "qemu-failed",
			 _("QEMU cannot start the virtual machine%s%s"), words[0] ? ": " : ".",
			 words);
}

int boot_vm_start(const struct boot_vm_request *req, struct boot_judge *judge, struct boot_vm **ret,
		  struct error *err)
{
	struct boot_vm *vm = calloc(1, sizeof(*vm));
	struct boot_command words = { .n_words = 0 };
	int r = -1;

	if (!vm)
		return error_set_nomem(err);
	vm->firmware = req->firmware;
	vm->judge = judge;
	vm->monitor = vm->serial = vm->debug = vm->dump = vm->words = -1;
	vm->theirs = (struct boot_fds){ -1, -1, -1, req->image_fd, -1, -1, -1, -1 };
	vm->message = malloc(MAX_MESSAGE);
	vm->answer = malloc(MAX_MESSAGE + 1);
	if (!vm->message || !vm->answer) {
		error_set_nomem(err);
	} else if (make_files(vm, req, err) == 0 &&
		   boot_command_make(req, &vm->theirs, &words, err) == 0 &&
		   spawn(vm, req, &words, err) == 0) {
		close_theirs(&vm->theirs);
		if (wait_answer(vm, START_SECONDS) == 0 &&
		    command(vm, "{\"execute\":\"qmp_capabilities\"}\n") == 0)
			r = 0;
		else
			fail_start(vm, err);
	}
	boot_command_done(&words);
	if (r < 0)
		boot_vm_free(vm);
	else
		*ret = vm;
	return r;
}

void boot_vm_free(struct boot_vm *vm)
{
	if (!vm)
		return;
	if (vm->pid > 0) {
		kill(vm->pid, SIGKILL);
		while (waitpid(vm->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_theirs(&vm->theirs);
	close_fd(&vm->monitor);
	close_fd(&vm->serial);
	close_fd(&vm->debug);
	close_fd(&vm->dump);
	close_fd(&vm->words);
	free(vm->message);
	free(vm->answer);
	free(vm);
}

bool boot_vm_watch(struct boot_vm *vm, int milliseconds)
{
	return read_all(vm, milliseconds);
}

bool boot_vm_is_over(struct boot_vm *vm, bool *ret_failed)
{
	if (vm->pid > 0 && waitpid(vm->pid, &vm->status, WNOHANG) == vm->pid) {
		vm->pid = 0;
		/* Its last words are still on the way. */
		while (read_all(vm, 0))
			;
	}
	if (vm->is_broken) {
		*ret_failed = true;
		return true;
	}
	if (vm->pid > 0)
		return false;
	*ret_failed = !WIFEXITED(vm->status) || WEXITSTATUS(vm->status) != 0;
	return true;
}

bool boot_vm_was_closed(const struct boot_vm *vm)
{
	return vm->was_closed;
}

bool boot_vm_read_failed(const struct boot_vm *vm)
{
	return vm->read_failed;
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
	if (ftruncate(vm->dump, 0) < 0 || command(vm, text) < 0 ||
	    !is_answer_good(vm, words, size) || fstat(vm->dump, &st) < 0)
		return -1;
	return st.st_size;
}

/* Of every node that has a counter "rd_bytes"; of several, the largest counts. */
uint64_t boot_vm_activity(struct boot_vm *vm)
{
	static const char name[] = "\"rd_bytes\":";
	uint64_t most = 0;

	if (command(vm, "{\"execute\":\"query-blockstats\"}\n") < 0)
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
	if (command(vm, "{\"execute\":\"human-monitor-command\","
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
		return set_system_error(errno, err);
	}
	*ret = data;
	*ret_len = (size_t)len;
	return 0;
}

const char *boot_vm_version(const struct boot_vm *vm)
{
	return vm->version;
}
