#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154 # dev, ctl and medium are set by lying_stick
#
# A write that does not end: kill -9 at any moment (KILL_RUNS times, KILL_SEED),
# and what a crash could leave of it. Afterwards no tool finds anything on the
# stick, which held another bootable image, or every planned byte is there.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
. "$TOP/tests/fault/functions.bash"

export TIMEOUT=180

test_killed_at_any_moment()
{
	local memory

	# Memory where there is some: the disk's speed is not what is tested.
	memory=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "$T")/isowrite-kill.XXXXXX")
	at_end rm -rf "$memory"
	used 16M old
	cp old "$memory/medium"
	lying_stick "$memory/medium"
	"$PYTHON" "$TOP/tests/fault/kill.py" "$ISOWRITE" "$(image fedora.iso)" old "$medium" "$dev" \
		"$ctl" "${KILL_RUNS:-200}" "${KILL_SEED:-$RANDOM}" >&2
}

write_file()
{
	timeout 30 "$ISOWRITE" -y -q "$iso" "$dev"
}

# Its size is not known before its end.
write_stream()
{
	gzip -c "$iso" | timeout 30 "$ISOWRITE" -y -q - "$dev"
}

# crash FUNCTION: every state between the operations of one write, by FUNCTION.
crash()
{
	iso=$(image fedora.iso)
	used 16M old
	cp old medium
	lying_stick medium "log=$T/journal"
	run 0 "$@"
	"$PYTHON" "$TOP/tests/fault/crash.py" journal old "$iso" scratch >&2
}

test_crash_states()
{
	crash write_file
}

test_crash_states_without_io_uring()
{
	export ISOWRITE_ENGINE=plain
	crash write_file
}

test_crash_states_of_a_stream()
{
	crash write_stream
}
