// SPDX-License-Identifier: GPL-3.0-or-later
/* Looking at, opening and closing targets: regular files, and what is no target at all. */
#include "io/target.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "io/device-internal.h"
#include "tap.h"

static char dir[] = "/tmp/isowrite-test.XXXXXX";

/* A file of len bytes in the test's folder with text at off. */
static void put(const char *name, uint64_t len, const char *text, uint64_t off)
{
	auto_fd int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || ftruncate(fd, (off_t)len) ||
	    pwrite(fd, text, strlen(text), (off_t)off) != (ssize_t)strlen(text)) {
		perror(name);
		exit(2);
	}
}

static struct target *look(const char *path, struct error *err)
{
	struct target *t = NULL;

	memset(err, 0, sizeof(*err));
	if (target_look(path, -1, 0, &t, err))
		return NULL;
	return t;
}

static void check_usage(const char *path, const char *code, const char *words)
{
	struct error err;
	struct target *t = look(path, &err);

	if (t || err.kind != ERROR_USAGE || strcmp(err.code, code) != 0 ||
	    !strstr(err.msg, words)) {
		tap_test_failed = 1;
		printf("# \"%s\": kind %d, %s: %s\n", path, err.kind, t ? "accepted" : err.code,
		       err.msg);
	}
	target_free(t);
}

static void test_no_targets(void)
{
	CHECK(mkfifo("fifo", 0600) == 0);
	check_usage("", "empty-target", "empty");
	check_usage("file:", "empty-target", "empty");
	check_usage("missing", "no-such-target", "file:missing creates it");
	check_usage("./missing/deeper", "no-such-target", "There is no");
	check_usage("/dev/isowrite-none", "no-such-target", "no device /dev/isowrite-none");
	check_usage("file:/dev/isowrite-none", "no-such-target", "nothing is created below /dev");
	check_usage("file:/dev/shm/../isowrite-none", "no-such-target", "below /dev");
	check_usage("file:missing/deeper", "no-such-target", "cannot be created");
	check_usage("file:missing/", "target-is-directory", "directory");
	check_usage(".", "not-a-target", "is a directory");
	check_usage("file:.", "not-a-target", "is a directory");
	check_usage("fifo", "not-a-target", "is a pipe");
	check_usage("/dev/null", "not-a-target", "is a character device");
	CHECK(access("/dev/isowrite-none", F_OK) != 0);
	CHECK(access("missing", F_OK) != 0);
}

static void test_empty_file(void)
{
	struct error err;

	put("empty", 0, "", 0);
	CHECK(look("empty", &err) == NULL);
	CHECK(err.kind == ERROR_FIT);
}

static bool refuses(const char *path, enum device_rule rule)
{
	struct error err;
	struct target *t = look(path, &err);
	bool yes = t && device_has_refusal(&t->info, rule) && !t->info.writable;

	target_free(t);
	return yes;
}

static bool accepts(const char *path)
{
	struct error err;
	struct target *t = look(path, &err);
	bool yes = t && t->info.writable && t->info.n_refused == 0;

	target_free(t);
	return yes;
}

static void test_file_in_use(void)
{
	put("blank", 4 * MIB, "", 0);
	put("small", 1000, "", 0);
	put("head", 4 * MIB, "x", MIB - 1);
	put("tail", 4 * MIB, "x", 3 * MIB);
	put("middle", 4 * MIB, "x", 2 * MIB); /* a stick that was written and wiped at its ends */
	put("text", 1000, "hello", 500);
	CHECK(accepts("blank"));
	CHECK(accepts("small"));
	CHECK(accepts("middle"));
	CHECK(refuses("head", RULE_FILE_IN_USE));
	CHECK(refuses("tail", RULE_FILE_IN_USE));
	CHECK(refuses("text", RULE_FILE_IN_USE));
	CHECK(accepts("file:head"));
	CHECK(accepts("file:text"));
	CHECK(accepts("file:blank"));
}

/* What looks blank at its ends may still hold a file system: an ISO 9660 has 32 KiB of zeros. */
static void test_file_holds_signature(void)
{
	put("iso", 4 * MIB, "\001CD001\001", 32768);
	CHECK(refuses("iso", RULE_FILE_IN_USE));
}

static void test_source(void)
{
	struct error err = ERROR_INIT;
	struct target *t = NULL;
	auto_fd int fd = -1;

	put("image", 4 * MIB, "", 0);
	CHECK(link("image", "image-link") == 0);
	fd = open("image", O_RDONLY | O_CLOEXEC);
	CHECK(target_look("file:image-link", fd, 0, &t, &err) == 0);
	CHECK(t && device_has_refusal(&t->info, RULE_SOURCE));
	target_free(t);
}

static void test_new_file(void)
{
	struct error err = ERROR_INIT;
	struct target *t = NULL;
	struct stat st;

	CHECK(target_look("file:new", -1, 0, &t, &err) == 0);
	CHECK(t && t->info.is_file && !t->info.file_exists && t->info.writable);
	CHECK(access("new", F_OK) != 0);
	CHECK(target_open(t, &err) == -1); /* no size yet: a bug of the caller */
	CHECK(err.kind == ERROR_INTERNAL);
	t->geo.size = 5000001;
	CHECK(target_open(t, &err) == 0);
	CHECK(stat("new", &st) == 0 && st.st_size == 5000001);
	CHECK(t->fd >= 0 && t->fd_buffered >= 0);
	CHECK(t->ops->recheck(t, &err) == 0);
	CHECK(target_close(t, &err) == 0);
	target_free(t);
	/* Somebody else makes it between question and opening: theirs stays. */
	CHECK(target_look("file:new2", -1, 4096, &t, &err) == 0);
	CHECK_U64(t->geo.size, 4096);
	put("new2", 10, "precious", 0);
	CHECK(target_open(t, &err) == -1);
	CHECK(err.kind == ERROR_REFUSED);
	CHECK(stat("new2", &st) == 0 && st.st_size == 10);
	target_free(t);
}

static void test_write_and_close(void)
{
	struct error err;
	struct target *t;
	char *buf = io_aligned_alloc(4096);

	put("stick", MIB + 5, "", 0);
	t = look("./stick", &err);
	CHECK(t != NULL);
	CHECK_U64(t->geo.size, MIB + 5);
	CHECK_U64(t->geo.sector_size, 512);
	CHECK(num_is_power_of_2(t->geo.io_align) && t->geo.io_align >= 512);
	CHECK(target_open(t, &err) == 0);
	memset(buf, 'a', 4096);
	CHECK(pwrite(t->fd, buf, 4096, 0) == 4096);
	CHECK(pwrite(t->fd_buffered, "tail!", 5, MIB) == 5);
	t->was_written = true;
	CHECK(t->ops->flush(t, &err) == 0);
	CHECK(t->ops->drop_cache(t, &err) == 0);
	CHECK(pread(t->fd, buf, 4096, 0) == 4096 && buf[4095] == 'a');
	CHECK(target_close(t, &err) == 0);
	CHECK(t->warning.kind == ERROR_NONE);
	target_free(t);
	io_aligned_free(buf, 4096);
}

/* The name points elsewhere by the time of opening: what was looked at is opened. */
static void test_name_changes(void)
{
	struct error err;
	struct target *t;
	struct stat st;

	put("a", 2 * MIB, "", 0);
	put("b", 2 * MIB, "", 0);
	CHECK(symlink("a", "link") == 0);
	t = look("link", &err);
	CHECK(unlink("link") == 0 && symlink("b", "link") == 0);
	CHECK(rename("a", "a-moved") == 0);
	CHECK(target_open(t, &err) == 0);
	CHECK(pwrite(t->fd_buffered, "x", 1, 0) == 1);
	/* What was written is not there under the name that was given. */
	CHECK(target_close(t, &err) == -1);
	CHECK_STR(err.code, "target-replaced");
	target_free(t);
	CHECK(accepts("b"));
	CHECK(stat("a-moved", &st) == 0 && refuses("a-moved", RULE_FILE_IN_USE));
}

static void test_changed_size(void)
{
	struct error err;
	struct target *t;

	put("shrinks", 2 * MIB, "", 0);
	t = look("shrinks", &err);
	CHECK(truncate("shrinks", MIB) == 0);
	CHECK(target_open(t, &err) == -1);
	CHECK(err.kind == ERROR_IO);
	CHECK_STR(err.code, "device-replaced");
	target_free(t);
}

static void test_locked(void)
{
	struct error err;
	struct target *t;
	auto_fd int fd = -1;

	put("locked", 2 * MIB, "", 0);
	fd = open("locked", O_RDWR | O_CLOEXEC);
	CHECK(flock(fd, LOCK_EX) == 0);
	t = look("locked", &err);
	CHECK(target_open(t, &err) == -1);
	CHECK(err.kind == ERROR_REFUSED);
	CHECK_STR(err.code, "held");
	target_free(t);
}

static bool is_same(const char *a, const char *b)
{
	struct error err;
	struct target *ta = look(a, &err), *tb = look(b, &err);
	bool same = ta && tb && target_is_same(ta, tb) && target_is_same(tb, ta);

	if (!ta || !tb) {
		tap_test_failed = 1;
		printf("# %s, %s: %s\n", a, b, err.msg);
	}
	target_free(ta);
	target_free(tb);
	return same;
}

static void test_same(void)
{
	put("one", 2 * MIB, "", 0);
	put("two", 2 * MIB, "", 0);
	CHECK(link("one", "hard") == 0 && symlink("one", "soft") == 0 && mkdir("sub", 0755) == 0);
	CHECK(is_same("one", "one"));
	CHECK(is_same("one", "hard"));
	CHECK(is_same("file:one", "soft"));
	CHECK(!is_same("one", "two"));
	CHECK(is_same("file:new-one", "file:sub/../new-one"));
	CHECK(!is_same("file:new-one", "file:new-two"));
	CHECK(!is_same("file:new-one", "file:sub/new-one"));
	CHECK(!is_same("file:new-one", "one"));
}

/* As root every mode permits; the sentence is tested all the same where it can be. */
static void test_permission(void)
{
	struct error err;
	struct target *t;

	put("mine", 2 * MIB, "", 0);
	t = look("mine", &err);
	CHECK(target_check_access(t, &err) == 0);
	target_free(t);
	CHECK(chmod("mine", 0400) == 0);
	t = look("mine", &err);
	if (geteuid() == 0) {
		CHECK(t && target_check_access(t, &err) == 0);
	} else {
		CHECK(t && target_check_access(t, &err) == -1);
		CHECK(err.kind == ERROR_REFUSED);
		CHECK(strstr(err.msg, "it belongs to") != NULL);
	}
	target_free(t);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int main(void)
{
	if (!mkdtemp(dir) || chdir(dir)) {
		perror(dir);
		return 2;
	}
	RUN(test_no_targets);
	RUN(test_empty_file);
	RUN(test_file_in_use);
	RUN(test_file_holds_signature);
	RUN(test_source);
	RUN(test_new_file);
	RUN(test_write_and_close);
	RUN(test_name_changes);
	RUN(test_changed_size);
	RUN(test_locked);
	RUN(test_same);
	RUN(test_permission);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
