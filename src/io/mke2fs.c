// SPDX-License-Identifier: GPL-3.0-or-later
/* Runs mke2fs and takes over what it wrote; see mke2fs.h. */
#include "io/mke2fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "base/text.h"

#define BLOCK_SIZE 4096 /* never less than a sector; what the kernel's pages are */
#define CHILD_FD 3      /* where mke2fs finds the file */

/* A journal of mke2fs's own size (up to 1 GiB) would be most of what is written to a stick. */
#define JOURNAL_MIB 16
#define SMALL_JOURNAL_MIB 4
#define SMALL_JOURNAL_BELOW (256 * MIB)
#define NO_JOURNAL_BELOW (16 * MIB) /* mke2fs decides */

static int error_system(int sys, struct error *err)
{
	return error_set_sys(err, ERROR_INTERNAL, "ext4", sys,
			     _("The ext4 file system cannot be prepared in memory"));
}

/* Users' PATH lacks the sbin folders on some systems. */
static int find_program(char *buf, size_t size, struct error *err)
{
	static const char fallback[] = "/usr/sbin:/sbin:/usr/local/sbin";
	const char *path = getenv("PATH");
	char list[PATH_MAX];
	char *dir, *rest = list;

	snprintf(list, sizeof(list), "%s:%s", path ? path : "", fallback);
	while ((dir = strsep(&rest, ":"))) {
		int n = snprintf(buf, size, "%s/mke2fs", dir);

		if (dir[0] == '/' && n > 0 && (size_t)n < size && access(buf, X_OK) == 0)
			return 0;
	}
	return error_set(err, ERROR_LACKING, "no-mke2fs",
			 _("ext4 is made by mke2fs, which is not installed (package e2fsprogs)."));
}

static uint64_t journal_mib(const struct ext4_request *req)
{
	if (req->size < NO_JOURNAL_BELOW)
		return 0;
	return req->size < SMALL_JOURNAL_BELOW ? SMALL_JOURNAL_MIB : JOURNAL_MIB;
}

/* What is executed: the words, and room for those that depend on the volume. */
struct command {
	const char *argv[24];
	char **env; /* ours, and four */
	char blocks[24], extended[160], journal[24], file[24], now[48], epoch[48];
};

/* Our environment, but for what is set anew. */
static int make_environment(struct command *c)
{
	/*
	 * Zeros are to be written as zeros: else mke2fs makes holes of them, which cannot be
	 * told from what it never touched.
	 */
	char *const set[] = { c->now, c->epoch, (char *)"UNIX_IO_NOZEROOUT=1", (char *)"LC_ALL=C" };
	size_t n = 0, n_env = 0;

	while (environ[n_env])
		n_env++;
	c->env = calloc(n_env + ARRAY_SIZE(set) + 1, sizeof(*c->env));
	if (!c->env)
		return -1;
	for (; n < ARRAY_SIZE(set); n++)
		c->env[n] = set[n];
	for (size_t i = 0; i < n_env; i++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(set) &&
		       strncmp(environ[i], set[k], strcspn(set[k], "=") + 1) != 0)
			k++;
		if (k == ARRAY_SIZE(set))
			c->env[n++] = environ[i];
	}
	return 0;
}

static int make_command(struct command *c, const struct ext4_request *req)
{
	/* On a stick for files nothing is reserved for root (-m 0). */
	static const char *const fixed[] = { "mke2fs", "-q",   "-F", "-t", "ext4",
					     "-b",     "4096", "-m", "0" };
	size_t n = ARRAY_SIZE(fixed);

	memset(c, 0, sizeof(*c));
	memcpy(c->argv, fixed, sizeof(fixed));
	snprintf(c->blocks, sizeof(c->blocks), "%" PRIu64, req->size / BLOCK_SIZE);
	snprintf(c->extended, sizeof(c->extended),
		 "nodiscard,lazy_itable_init=1,lazy_journal_init=0,hash_seed=%s", req->uuid);
	snprintf(c->journal, sizeof(c->journal), "size=%" PRIu64, journal_mib(req));
	snprintf(c->file, sizeof(c->file), "/proc/self/fd/%d", CHILD_FD);
	snprintf(c->now, sizeof(c->now), "E2FSPROGS_FAKE_TIME=%lld", (long long)req->time);
	snprintf(c->epoch, sizeof(c->epoch), "SOURCE_DATE_EPOCH=%lld", (long long)req->time);
	c->argv[n++] = "-U";
	c->argv[n++] = req->uuid;
	c->argv[n++] = "-E";
	c->argv[n++] = c->extended;
	if (journal_mib(req)) {
		c->argv[n++] = "-J";
		c->argv[n++] = c->journal;
	}
	if (req->label[0]) {
		c->argv[n++] = "-L";
		c->argv[n++] = req->label;
	}
	c->argv[n++] = c->file;
	c->argv[n] = c->blocks;
	return make_environment(c);
}

/* stderr_fd: its messages. 0, or an errno. */
static int spawn(const char *program, const struct command *c, int fd, int stderr_fd,
		 pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int rc;

	if (posix_spawn_file_actions_init(&actions))
		return ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	sigemptyset(&none);
	rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	rc = rc ? rc : posix_spawnattr_setsigmask(&attr, &none);
	/* In this order: stderr_fd may be CHILD_FD itself. */
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&actions, stderr_fd, STDERR_FILENO);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&actions, fd, CHILD_FD);
	rc = rc ? rc
		: posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY,
						   0);
	rc = rc ? rc
		: posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY,
						   0);
	rc = rc ? rc
		: posix_spawn(ret_pid, program, &actions, &attr, (char *const *)c->argv, c->env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* Its last line of words, if any: escaped, into buf. */
static void read_words(int fd, char *buf, size_t size)
{
	char text[2048], *line;
	ssize_t n, len = 0;

	/* Ends: at the end of what it says; what does not fit is read and dropped. */
	while ((n = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0) {
		len += n;
		if ((size_t)len == sizeof(text) - 1)
			len /= 2;
	}
	text[len] = '\0';
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	line = strrchr(text, '\n');
	text_escape_trim(line ? line + 1 : text, buf, size);
}

static int run(const struct ext4_request *req, int fd, struct error *err)
{
	char program[PATH_MAX], words[256];
	struct command command;
	int pipes[2], sys, status;
	pid_t pid;

	if (find_program(program, sizeof(program), err) < 0)
		return -1;
	if (make_command(&command, req) < 0)
		return error_set_nomem(err);
	if (pipe2(pipes, O_CLOEXEC) < 0) {
		free(command.env);
		return error_system(errno, err);
	}
	sys = spawn(program, &command, fd, pipes[1], &pid);
	free(command.env);
	close(pipes[1]);
	if (sys) {
		close(pipes[0]);
		return error_set_sys(err, ERROR_LACKING, "no-mke2fs", sys, _("Cannot run mke2fs"));
	}
	read_words(pipes[0], words, sizeof(words));
	close(pipes[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_system(errno, err);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return error_set(err, ERROR_LACKING, "mke2fs-failed",
			 _("mke2fs made no ext4 file system%s%s; nothing was written."),
			 words[0] ? ": " : "", words);
}

/* The next piece that was written at or after *pos; false behind the last one. */
static bool next_piece(int fd, uint64_t size, uint64_t *pos, uint64_t *ret_start, uint64_t *ret_len)
{
	off_t start = *pos < size ? lseek(fd, (off_t)*pos, SEEK_DATA) : -1;
	off_t end = start >= 0 ? lseek(fd, start, SEEK_HOLE) : -1;

	if (end <= start)
		return false;
	*ret_start = (uint64_t)start;
	*ret_len = num_min((uint64_t)end, size) - (uint64_t)start;
	*pos = (uint64_t)end;
	return true;
}

static int take_pieces(int fd, uint64_t size, struct ext4 *fs, struct error *err)
{
	uint64_t pos = 0, start, len, total = 0;
	size_t n = 0;

	/* Ends: each piece lies behind the last one. */
	for (; next_piece(fd, size, &pos, &start, &len); n++)
		total += len;
	fs->pieces = calloc(n + 1, sizeof(*fs->pieces));
	fs->data = malloc(total + 1);
	if (!fs->pieces || !fs->data)
		return error_set_nomem(err);
	pos = total = 0;
	for (size_t i = 0; i < n && next_piece(fd, size, &pos, &start, &len); i++) {
		if (io_pread_full(fd, fs->data + total, len, start) != (ssize_t)len)
			return error_system(errno, err);
		fs->pieces[i] = (struct plan_piece){ start, len, fs->data + total };
		total += len;
	}
	fs->n_pieces = n;
	return 0;
}

/* A journal of holes: this mke2fs does not say what has to be zero. */
static int check_complete(const struct ext4_request *req, const struct ext4 *fs, struct error *err)
{
	uint64_t total = 0;

	for (size_t i = 0; i < fs->n_pieces; i++)
		total += fs->pieces[i].len;
	if (total > journal_mib(req) * MIB)
		return 0;
	return error_set(err, ERROR_LACKING, "mke2fs-holes",
			 _("This mke2fs does not write its journal as zeros, so the stick would "
			   "keep old bytes in it; nothing was written."));
}

int mke2fs_make(const struct ext4_request *req, struct ext4 *ret, struct error *err)
{
	auto_fd int fd = memfd_create("isowrite-ext4", MFD_CLOEXEC);
	struct ext4 fs = { .data = NULL };

	if (fd < 0 || ftruncate(fd, (off_t)req->size) < 0)
		return error_system(errno, err);
	if (run(req, fd, err) < 0 || take_pieces(fd, req->size, &fs, err) < 0 ||
	    check_complete(req, &fs, err) < 0) {
		ext4_done(&fs);
		return -1;
	}
	*ret = fs;
	return 0;
}

void ext4_done(struct ext4 *fs)
{
	free(fs->data);
	free(fs->pieces);
	*fs = (struct ext4){ .data = NULL };
}
