/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The unit tests' frame: one file per module, a list of test functions, TAP
 * on standard output.
 *
 *	static void test_foo(void) { CHECK(foo() == 1); CHECK_STR(name(), "x"); }
 *	int main(void) { RUN(test_foo); return tap_done(); }
 */
#ifndef ISOWRITE_TESTS_TAP_H
#define ISOWRITE_TESTS_TAP_H

#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed, tap_test_failed;

#define CHECK(cond)                                                                  \
	do {                                                                         \
		if (!(cond)) {                                                       \
			tap_test_failed = 1;                                         \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);          \
		}                                                                    \
	} while (0)

#define CHECK_STR(got, want)                                                         \
	do {                                                                         \
		const char *got_ = (got), *want_ = (want);                           \
		if (strcmp(got_, want_) != 0) {                                      \
			tap_test_failed = 1;                                         \
			printf("# %s:%d: got \"%s\", want \"%s\"\n", __FILE__,       \
			       __LINE__, got_, want_);                               \
		}                                                                    \
	} while (0)

#define CHECK_U64(got, want)                                                         \
	do {                                                                         \
		unsigned long long got_ = (got), want_ = (want);                     \
		if (got_ != want_) {                                                 \
			tap_test_failed = 1;                                         \
			printf("# %s:%d: %s is %llu, want %llu\n", __FILE__,         \
			       __LINE__, #got, got_, want_);                         \
		}                                                                    \
	} while (0)

#define RUN(fn)                                                                      \
	do {                                                                         \
		tap_test_failed = 0;                                                 \
		fn();                                                                \
		printf("%s %d - %s\n", tap_test_failed ? "not ok" : "ok",            \
		       ++tap_count, #fn);                                            \
		tap_failed += tap_test_failed;                                       \
	} while (0)

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
