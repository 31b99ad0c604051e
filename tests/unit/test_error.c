// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/error.h"

#include <errno.h>
#include <stdlib.h>

#include "tap.h"

static void test_set(void)
{
	struct error err = ERROR_INIT;

	CHECK(error_set(&err, ERROR_FIT, "too-large", "It needs %d bytes.", 5) == -1);
	CHECK(err.kind == ERROR_FIT && err.sys == 0);
	CHECK_STR(err.code, "too-large");
	CHECK_STR(err.msg, "It needs 5 bytes.");
}

static void test_set_sys(void)
{
	struct error err = ERROR_INIT;

	CHECK(error_set_sys(&err, ERROR_IO, "read", ENOENT, "Reading %s", "x") == -1);
	CHECK(err.sys == ENOENT);
	CHECK_STR(err.msg, "Reading x: No such file or directory");
}

static void test_prefix(void)
{
	struct error err = ERROR_INIT;

	error_set_sys(&err, ERROR_IO, "read", EIO, "Reading");
	error_prefix(&err, "/dev/%s", "sdx");
	CHECK_STR(err.msg, "/dev/sdx: Reading: Input/output error");
	CHECK(err.kind == ERROR_IO && err.sys == EIO);
}

/* Text of n copies of a two-byte character behind shift one-byte ones. */
static char *umlauts(size_t shift, size_t n)
{
	char *s = malloc(shift + 2 * n + 1);

	memset(s, 'x', shift);
	for (size_t i = 0; i < n; i++)
		memcpy(s + shift + 2 * i, "\xc3\xa4", 2);
	s[shift + 2 * n] = '\0';
	return s;
}

static int ends_whole(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && ((unsigned char)s[len - 1] & 0x80) &&
	       ((unsigned char)s[len - 1] & 0xc0) == 0x80;
}

static void test_cut_at_character(void)
{
	for (size_t shift = 0; shift < 2; shift++) {
		char *text = umlauts(shift, ERROR_MSG_SIZE);
		struct error err = ERROR_INIT;

		error_set(&err, ERROR_IMAGE, "x", "%s", text);
		CHECK(ends_whole(err.msg));
		/* 511 bytes hold 255 characters and one byte, or that byte and 255. */
		CHECK_U64(strlen(err.msg), shift ? 511 : 510);
		error_prefix(&err, "%s", text);
		CHECK(ends_whole(err.msg));
		CHECK(strlen(err.msg) < ERROR_MSG_SIZE);
		/* The prefix takes no more than a quarter. */
		CHECK(strstr(err.msg, ": ") && strstr(err.msg, ": ") - err.msg <= ERROR_MSG_SIZE / 4);
		free(text);
	}
}

static void test_exit_statuses(void)
{
	CHECK(error_kind_exit_status(ERROR_NONE) == 0);
	CHECK(error_kind_exit_status(ERROR_INTERNAL) == 1);
	CHECK(error_kind_exit_status(ERROR_USAGE) == 2);
	CHECK(error_kind_exit_status(ERROR_REFUSED) == 3);
	CHECK(error_kind_exit_status(ERROR_IMAGE) == 4);
	CHECK(error_kind_exit_status(ERROR_FIT) == 5);
	CHECK(error_kind_exit_status(ERROR_IO) == 6);
	CHECK(error_kind_exit_status(ERROR_DIFFERS) == 7);
	CHECK(error_kind_exit_status(ERROR_CANCELLED) == 8);
	CHECK(error_kind_exit_status(ERROR_TRUST) == 9);
	CHECK(error_kind_exit_status(ERROR_LACKING) == 10);
	CHECK_STR(error_kind_name(ERROR_LACKING), "lacking");
}

int main(void)
{
	RUN(test_set);
	RUN(test_set_sys);
	RUN(test_prefix);
	RUN(test_cut_at_character);
	RUN(test_exit_statuses);
	return tap_done();
}
