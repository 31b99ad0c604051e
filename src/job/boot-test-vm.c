// SPDX-License-Identifier: GPL-3.0-or-later
/* QEMU as a child: starting it, confining it, its end. See boot-test-vm.h. */
#include "job/boot-test-vm.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
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
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "base/text.h"
#include "job/boot-test-vm-internal.h"

#define NOBODY 65534      /* user and group that QEMU runs as where we are root */
#define OVERLAY_LIMIT GIB /* what a guest may write: it lies in memory */
#define START_SECONDS 30  /* for QEMU to begin */

static int set_system_error(int sys, struct error *err)
{
	return error_set_sys(err, ERROR_INTERNAL, "virtual-machine", sys,
			     _("The virtual machine cannot be prepared"));
}

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
#ifdef CLOSE_RANGE_CLOEXEC
	/* Also what our caller has left open; kernels before 5.11 cannot. */
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
#endif
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
	boot_close_fd(&f->monitor);
	boot_close_fd(&f->serial);
	boot_close_fd(&f->debug);
	boot_close_fd(&f->overlay);
	boot_close_fd(&f->code);
	boot_close_fd(&f->variables);
}

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
	if (len <= 0 && vm->pid == 0 && WIFSIGNALED(vm->status))
		snprintf(buf, size, _("it was ended by signal %d (%s)"), WTERMSIG(vm->status),
			 strsignal(WTERMSIG(vm->status)));
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
	vm->message = malloc(QMP_MAX_MESSAGE);
	vm->answer = malloc(QMP_MAX_MESSAGE + 1);
	if (!vm->message || !vm->answer) {
		error_set_nomem(err);
	} else if (make_files(vm, req, err) == 0 &&
		   boot_command_make(req, &vm->theirs, &words, err) == 0 &&
		   spawn(vm, req, &words, err) == 0) {
		close_theirs(&vm->theirs);
		if (boot_qmp_wait(vm, START_SECONDS) == 0 &&
		    boot_qmp_command(vm, "{\"execute\":\"qmp_capabilities\"}\n") == 0)
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
	boot_close_fd(&vm->monitor);
	boot_close_fd(&vm->serial);
	boot_close_fd(&vm->debug);
	boot_close_fd(&vm->dump);
	boot_close_fd(&vm->words);
	free(vm->message);
	free(vm->answer);
	free(vm);
}

bool boot_vm_watch(struct boot_vm *vm, int milliseconds)
{
	return boot_qmp_read(vm, milliseconds);
}

bool boot_vm_is_over(struct boot_vm *vm, bool *ret_failed)
{
	if (vm->pid > 0 && waitpid(vm->pid, &vm->status, WNOHANG) == vm->pid) {
		vm->pid = 0;
		/* Its last words are still on the way. */
		while (boot_qmp_read(vm, 0))
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

const char *boot_vm_version(const struct boot_vm *vm)
{
	return vm->version;
}
