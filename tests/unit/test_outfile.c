// SPDX-License-Identifier: GPL-3.0-or-later
/* Files that are complete or not there. */
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

static struct error err;
static char dir[] = "/tmp/isowrite-outfile.XXXXXX";

static bool holds(const char *name, const char *text)
{
	char buf[64] = "";
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text) && strcmp(buf, text) == 0;
}

static bool is_there(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static void test_write(void)
{
	err = (struct error)ERROR_INIT;
	CHECK(outfile_write("receipt", "a", false, "one", 3, &err) == 0);
	CHECK(holds("a", "one"));
	CHECK(outfile_write("receipt", "a", false, "two", 3, &err) == -1);
	CHECK(holds("a", "one"));
	CHECK(outfile_write("receipt", "a", true, "two", 3, &err) == 0);
	CHECK(holds("a", "two"));
	CHECK(unlink("a") == 0);
}

static void test_abandoned(void)
{
	struct outfile f;

	CHECK(outfile_open("image", "a", false, &f, &err) == 0);
	CHECK(write(f.fd, "half", 4) == 4);
	CHECK(!is_there("a"));
	outfile_close(&f);
	CHECK(!is_there("a"));
	/* Nor does it harm what it would have replaced. */
	CHECK(outfile_write("image", "a", false, "old", 3, &err) == 0);
	CHECK(outfile_open("image", "a", true, &f, &err) == 0);
	CHECK(write(f.fd, "half", 4) == 4);
	outfile_close(&f);
	CHECK(holds("a", "old"));
	CHECK(unlink("a") == 0);
}

/* Somebody else was faster. */
static void test_raced(void)
{
	struct outfile f;

	CHECK(outfile_open("image", "a", false, &f, &err) == 0);
	CHECK(write(f.fd, "mine", 4) == 4);
	CHECK(outfile_write("image", "a", false, "theirs", 6, &err) == 0);
	err = (struct error)ERROR_INIT;
	CHECK(outfile_commit(&f, &err) == -1);
	CHECK(err.kind == ERROR_USAGE);
	outfile_close(&f);
	CHECK(holds("a", "theirs"));
	CHECK(unlink("a") == 0);
}

static void refused(const char *path, bool overwrite, const char *why)
{
	err = (struct error)ERROR_INIT;
	CHECK(outfile_check("image", path, overwrite, &err) == -1);
	CHECK(err.kind == ERROR_USAGE);
	CHECK(strstr(err.msg, why) != NULL);
}

/* Where files cannot be without a name, a temporary one is renamed. */
static void test_raced_with_a_temporary_name(void)
{
	char link[32];
	struct outfile f;

	err = (struct error)ERROR_INIT;
	CHECK(outfile_open("image", "a", false, &f, &err) == 0);
	snprintf(f.temp, sizeof(f.temp), ".temp");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", f.fd);
	CHECK(linkat(AT_FDCWD, link, f.dir, f.temp, AT_SYMLINK_FOLLOW) == 0);
	CHECK(write(f.fd, "ours", 4) == 4);
	CHECK(outfile_write("image", "a", false, "theirs", 6, &err) == 0);
	CHECK(outfile_commit(&f, &err) == -1);
	CHECK_STR(err.code, "output-exists");
	CHECK(holds("a", "theirs"));
	outfile_close(&f);
	CHECK(holds("a", "theirs"));
	CHECK(!is_there(".temp"));
	CHECK(unlink("a") == 0);
}

static void test_places(void)
{
	char long_name[300] = "";

	refused("", false, "empty");
	refused("-", true, "standard output");
	refused(".", true, "a directory");
	refused("absent/a", false, "cannot be written");
	/* It would be called a, and the report would say a/. */
	refused("a/", false, "a slash");
	refused("a/", true, "a slash");
	/* Said now, not when all has been read. */
	memset(long_name, 'a', sizeof(long_name) - 1);
	refused(long_name, false, "name too long");
	refused("/dev/isowrite-unit-test", true, "below /dev");
	refused("/dev/null", true, "no regular file");
	CHECK(symlink("a", "link") == 0);
	refused("link", true, "a link");
	CHECK(unlink("link") == 0);
	CHECK(outfile_write("image", "a", false, "x", 1, &err) == 0);
	refused("a", false, "--overwrite");
	CHECK(outfile_check("image", "a", true, &err) == 0);
	CHECK(unlink("a") == 0);
	CHECK(outfile_check("image", "a", false, &err) == 0);
	CHECK(!is_there("a"));
	CHECK(outfile_room("a") > 0);
}

static void test_errors(void)
{
	struct outfile f = { .what = "image", .path = (char[]){ "a" } };

	outfile_set_error(&f, ENOSPC, &err);
	CHECK(err.kind == ERROR_FIT && strstr(err.msg, "is full") != NULL);
	outfile_set_error(&f, EFBIG, &err);
	CHECK(err.kind == ERROR_FIT && strstr(err.msg, "4 GiB") != NULL);
	outfile_set_error(&f, EIO, &err);
	CHECK(err.kind == ERROR_IO);
}

int main(void)
{
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 1;
	RUN(test_write);
	RUN(test_abandoned);
	RUN(test_raced);
	RUN(test_raced_with_a_temporary_name);
	RUN(test_places);
	RUN(test_errors);
	CHECK(chdir("/") == 0 && rmdir(dir) == 0); /* nothing is left in it */
	return tap_done();
}
