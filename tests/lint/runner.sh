#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The runner of the shell tests: each verdict is told, and nothing is left behind.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# write_tests: a file of tests, from standard input.
write_tests()
{
	echo ". '$TOP/tests/functions.sh'" >tests.sh
	cat >>tests.sh
}

runner()
{
	env -u ISOWRITE_TEST_RUN -u ISOWRITE_TEST_TALLY TMPDIR="$T" "$TOP/tests/run" "$@"
}

test_verdicts()
{
	write_tests <<-'END'
		test_passes() { run 3 sh -c 'exit 3'; }
		test_command_fails() { false; true; }
		test_wrong_status() { run 0 false; }
		test_fails_in_substitution() { true "$(fail deep down)"; }
		test_skips_in_substitution() { true "$(skip no moon)"; }
		test_sees_no_terminal() { ! sh -c ': </dev/tty'; }
		test_text_is_missing() { echo a >f; has b f; }
	END
	run 1 runner -j 2 tests.sh
	for line in 'ok - .*:passes' 'not ok - .*:command_fails' 'not ok - .*:wrong_status' \
		'not ok - .*:fails_in_substitution' 'ok - .*:skips_in_substitution # skip no moon' \
		'ok - .*:sees_no_terminal' 'not ok - .*:text_is_missing' '2 passed, 4 failed, 1 skipped'; do
		matches "^$line" out
	done
	has 'FAILED: deep down' out
	has '1: no moon' out
}

test_time_limit_and_cleaning()
{
	write_tests <<-'END'
		TIMEOUT=2
		test_hangs() { at_end touch "$OUTSIDE/ended"; sleep 60 & echo $! >"$OUTSIDE/pid"; sleep 60; }
	END
	OUTSIDE=$T run 1 runner tests.sh
	has 'no end after 2 s' out
	[ -e ended ] || fail "at_end was not heeded"
	# Killed, though process 1 may not have noticed yet.
	grep -sq '^State:.[^Z]' "/proc/$(cat pid)/status" && fail "the test's child lives on"
	[ -z "$(find . -path './tests.*' -type d)" ] || fail "the test's folder is still there"
}

test_devices_are_released()
{
	need_root
	write_tests <<-'END'
		test_leaves_a_loop() { blank 1M file; attach file >"$OUTSIDE/name"; losetup -d none; }
	END
	OUTSIDE=$T run 1 runner tests.sh
	losetup -nO BACK-FILE "$(cat name)" >backing 2>/dev/null || true
	lacks_text "$T" backing
}

test_programs_that_print_tap()
{
	printf '#!/bin/sh\necho "ok 1 - a"; echo "not ok 2 - b"\n' >mixed
	printf '#!/bin/sh\necho "ok 1 - a"; kill -9 $$\n' >dies
	printf '#!/bin/sh\n' >silent
	chmod +x mixed dies silent
	run 1 runner "$T/mixed"
	has '1 passed, 1 failed, 0 skipped' out
	run 1 runner "$T/dies"
	has '1 passed, 1 failed, 0 skipped' out
	run 1 runner "$T/silent"
	has '0 passed, 1 failed, 0 skipped' out
}

test_nothing_to_run_is_no_success()
{
	write_tests </dev/null
	mv tests.sh empty.sh
	run 2 runner "$T/empty.sh"
	run 2 runner "$T/missing.sh"
}
