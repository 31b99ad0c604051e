#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# --report: all facts, no serial number, no escape sequence, and nothing opened for writing.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
. "$(dirname "${BASH_SOURCE[0]}")/disks.bash"

test_machine()
{
	run 0 "$ISOWRITE" --report
	for word in version build libraries system kernel io_uring privileges locale terminal; do
		matches "^$word +[^ ]" out
	done
	has 'libblkid.so' out
	awk 'length > 80 { exit 1 }' out || fail "wider than 80 columns"
	run 0 "$ISOWRITE" --report --json
	validate_json out
	is "$(json out 'j["command"]')" report
}

test_environment_is_escaped()
{
	TERM=$'x\033[2Jx' ISOWRITE_ENGINE=$'\033[31m' run 0 "$ISOWRITE" --report
	! grep -q $'\033' out || fail "an escape sequence came through"
	has 'TERM=x\x1b[2Jx' out
	TERM=$'x\033[2J\377' run 0 "$ISOWRITE" --report --json
	validate_json out
}

test_wrong_device()
{
	run 2 "$ISOWRITE" --report ./no-such-device
	has 'version' out
	has 'no-such-device' err
	run 2 "$ISOWRITE" --report --json ./no-such-device
	validate_json out
	run 2 "$ISOWRITE" --report a b
}

# The fabricated stick's serial number begins with 4C530 and holds an escape sequence.
test_stick()
{
	need_tool mkfs.vfat sfdisk strace
	blank 64M stick
	printf 'label: dos\nstart=2048, type=c\n' | sfdisk -q stick
	mkfs.vfat -F 32 -n KEY --offset 2048 stick 64512 >/dev/null
	disk stick usb
	system_disk
	cp --sparse=always stick before
	run 0 as_disk "$ISOWRITE" --report
	matches '^/dev/sdb  SanDisk Ultra, 67 MB' out
	has 'xxxxx\x1b[xxxx' out
	lacks_text 4C530 out
	has 'holds     /dev/sdb1: FAT32 "KEY"' out
	has 'rule      system: the running system (/) is on it' out
	matches '^  usb +0781:' out
	! grep -q $'\033' out || fail "an escape sequence came through"
	run 0 as_disk "$ISOWRITE" --report --json /dev/sdb
	validate_json out
	lacks_text 4C530 out
	is "$(json out 'len(j["devices"])')" 1
	is "$(json out 'j["devices"][0]["path"]')" /dev/sdb
	# The leak checker cannot work below strace.
	ASAN_OPTIONS=detect_leaks=0 run 0 as_disk strace -f -o "$T/trace" \
		-e trace=open,openat "$ISOWRITE" --report /dev/sdb
	grep -q '"/dev/sdb"' trace || grep -q '/proc/self/fd' trace || fail "the trace is empty"
	! grep -E '(/dev/sd|/proc/self/fd|/dev/loop).*(O_RDWR|O_WRONLY)' trace ||
		fail "opened for writing"
	expect_untouched stick before
}
