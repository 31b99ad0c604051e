# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# What the shell tests share. A test file (tests/{e2e,fault,boot}/*.sh, bash)
# reads this file first and then defines one function test_NAME per test:
#
#	#!/bin/bash
#	# SPDX-License-Identifier: GPL-3.0-or-later
#	. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
#
#	test_truncated_image_is_refused()
#	{
#		blank 64M stick
#		run 4 "$ISOWRITE" --yes "$(image truncated.iso)" stick
#		has 'ends before' err
#		is_blank stick
#	}
#
# tests/run runs each test in a bash of its own (set -eEuo pipefail, no standard
# input, no controlling terminal) and in a new empty folder, $T, under a time
# limit: 60 seconds, or what the file says with TIMEOUT=SECONDS. A command that
# fails ends the test. When the test has ended, however it did, the runner does
# what at_end asked for, unmounts and detaches what lies in $T, and removes it.
#
# A test file that is executed runs itself: tests/e2e/write.sh [TEST...].

# The tree, and the program under test (B=build-san names another build).
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$TOP/build}
ISOWRITE=${ISOWRITE:-$BUILD/isowrite}
# Debian's own interpreter: the one that sees Debian's python3-* packages.
PYTHON=/usr/bin/python3
# For mkfs.ext4 -E: else the kernel goes on writing after the mount, and what was not
# touched by the program is not what it was.
EXT4_AT_ONCE=lazy_itable_init=0,lazy_journal_init=0

if [ -z "${ISOWRITE_TEST_RUN:-}" ]; then
	self=$0
	set -- "${@/#/$self:}"
	[ $# -gt 0 ] || set -- "$self"
	exec "$TOP/tests/run" "$@"
fi

export ISOWRITE TOP LC_ALL=C.UTF-8 TERM=dumb PATH=$PATH:/usr/sbin:/sbin
# A make that a test calls is none of the one that runs the tests.
unset NO_COLOR COLUMNS MAKEFLAGS MFLAGS MAKELEVEL

# ---------------------------------------------------------------- verdicts

# end_test STATUS: ends the test, also from inside a $(...).
end_test()
{
	if [ "$BASHPID" != "$TEST_PID" ]; then
		echo "$1" >"$T/.status"
		kill -s USR1 "$TEST_PID"
	fi
	exit "$1"
}

# fail TEXT...: the test has failed, and why.
fail()
{
	echo "FAILED: $*" >&2
	end_test 1
}

# skip REASON...: the test cannot run here; the reason is printed in the summary.
skip()
{
	echo "$*" >"$T/.skip"
	end_test 77
}

# at_end COMMAND...: done after the test, last one first, also after a time-out.
at_end()
{
	printf '%q ' "$@" >>"$T/.at_end"
	echo >>"$T/.at_end"
}

# ----------------------------------------------------- what the machine has

# need_root: skips without root, and in make check, which is the same for everybody.
need_root()
{
	if [ "$(id -u)" != 0 ] || [ "${ISOWRITE_TEST_NO_ROOT:-}" ]; then
		skip "needs root (make check-root)"
	fi
}

# need_tool TOOL...: fails without the tool (scripts/deps test installs all of
# them); where nothing may be installed (make check) it skips.
need_tool()
{
	local tool

	for tool; do
		command -v "$tool" >/dev/null || missing "$tool is not installed (scripts/deps test)"
	done
}

# missing WHAT...: a failure where everything had to be there, else a skip.
missing()
{
	[ -z "${ISOWRITE_TEST_STRICT:-}" ] || fail "$@"
	skip "$@"
}

in_container()
{
	[ -n "${container:-}" ] || [ -e /.dockerenv ] || [ -e /run/.containerenv ] ||
		systemd-detect-virt -cq 2>/dev/null ||
		! [ /proc/1/root -ef / ]
}

# lacks WHAT...: kernel facility WHAT is absent: a skip in a container, else a failure.
lacks()
{
	in_container && skip "this container has no $*"
	fail "no $* (only in a container is that a reason to skip)"
}

# system_number: MAJOR:MINOR of the disk or partition that the system's / lies on;
# in a chroot, whose / is no mount, that of process 1. Skips where it is none.
system_number()
{
	local nr

	nr=$(awk '$5 == "/" { print $3 }' /proc/self/mountinfo | tail -n 1)
	[ "$nr" ] || nr=$(awk '$5 == "/" { print $3 }' /proc/1/mountinfo | tail -n 1)
	if [ -z "$nr" ] || ! [ -e "/sys/dev/block/$nr" ]; then
		skip "/ lies on no block device here"
	fi
	echo "$nr"
}

need_fuse()
{
	need_root
	[ -c /dev/fuse ] || lacks "FUSE (/dev/fuse)"
}

# attach FILE [LOSETUP OPTION...]: a loop device on FILE; prints its name. It is
# detached when the test ends. Direct I/O is asked for unless options are given.
attach()
{
	local file=$1 dev

	shift
	need_root
	[ -c /dev/loop-control ] || lacks "loop devices (/dev/loop-control)"
	[ $# -gt 0 ] || set -- --direct-io=on
	dev=$(losetup -f --show "$@" "$file") || {
		if [ "${dev:-}" ]; then losetup -d "$dev"; fi
		in_container && ! losetup -f >/dev/null 2>&1 && skip "this container has no loop devices"
		fail "losetup $* $file"
	}
	at_end detach "$dev" "$file"
	echo "$dev"
}

# detach DEV FILE: only if DEV is still the loop device on FILE.
detach()
{
	if [ "$(losetup -nO BACK-FILE "$1" 2>/dev/null)" = "$(realpath "$2")" ]; then
		losetup -d "$1"
	fi
}

# zram SIZE: a zram device of that size; prints its name.
zram()
{
	local n

	need_root
	[ -r /sys/class/zram-control/hot_add ] || lacks "zram"
	n=$(cat /sys/class/zram-control/hot_add) || lacks "zram"
	at_end zram_remove "$n"
	echo "$1" >"/sys/block/zram$n/disksize"
	echo "/dev/zram$n"
}

zram_remove()
{
	echo 1 >"/sys/block/zram$1/reset" && echo "$1" >/sys/class/zram-control/hot_remove
}

# ----------------------------------------------------------- files to test on

# blank SIZE FILE: a sparse file of zeros (sizes as truncate takes them).
blank()
{
	rm -f "$2" && truncate -s "$1" "$2"
}

# noise SIZE FILE [SEED]: the same pseudo-random bytes for the same seed.
noise()
{
	local size

	size=$(numfmt --from=auto <<<"${1/%[KMG]/&i}")
	openssl enc -aes-128-ctr -nosalt -K "$(printf %032x "${3:-1}")" -iv 0 -in /dev/zero 2>/dev/null |
		head -c "$size" >"$2" || [ "$(stat -c %s "$2")" = "$size" ]
}

# stick SIZE FILE: the same noise everywhere, so that what was not written shows,
# but blank where a file target has to be: in its first and last MiB.
stick()
{
	noise "$1" "$2" 77
	dd if=/dev/zero of="$2" bs=1M count=1 conv=notrunc status=none
	dd if=/dev/zero of="$2" bs=1M count=1 conv=notrunc status=none oflag=seek_bytes \
		seek=$(($(stat -c %s "$2") - 1048576))
}

# image NAME: the path of an image that scripts/mkimages makes.
image()
{
	local path=$TOP/build/images/$1

	if ! [ -e "$path" ]; then
		"$TOP/scripts/mkimages" "$1" >"$T/.mkimages" 2>&1 ||
			missing "image $1 was not made: $(tail -n 1 "$T/.mkimages")"
	fi
	echo "$path"
}

# -------------------------------------------------------------------- checks

# run STATUS COMMAND...: runs the command, its output in $T/out and $T/err, and
# fails when it ends with another status. STATUS may be "any"; the real one is
# left in $status.
run()
{
	local want=$1

	shift
	status=0
	"$@" >"$T/out" 2>"$T/err" || status=$?
	if grep -qE 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$T/err"; then
		show "$T/err"
		fail "a sanitizer complains about: $*"
	fi
	[ "$want" = any ] || [ "$status" = "$want" ] || {
		show "$T/out" "$T/err"
		fail "status $status, not $want: $*"
	}
}

# show FILE...: their text in the test's log.
show()
{
	local file

	for file; do
		echo "--- ${file##*/}:"
		tail -c 8192 "$file" | cat -v
	done >&2
}

# has TEXT FILE: the file has that text (plain, not a pattern) in one line.
has()
{
	grep -qF -e "$1" -- "$2" || { show "$2"; fail "\"$1\" is not in ${2##*/}"; }
}

# matches REGEX FILE: a line of the file matches the extended regular expression.
matches()
{
	grep -qE -e "$1" -- "$2" || { show "$2"; fail "nothing in ${2##*/} matches $1"; }
}

# lacks_text TEXT FILE: no line of the file has that text.
lacks_text()
{
	! grep -qF -e "$1" -- "$2" || { show "$2"; fail "\"$1\" is in ${2##*/}"; }
}

# same A B [BYTES]: equal in every byte, or in the first BYTES.
same()
{
	cmp ${3:+-n "$3"} -- "$1" "$2" >&2 || fail "$1 and $2 differ"
}

# is_blank FILE: nothing but zeros.
is_blank()
{
	cmp -n "$(size_of "$1")" -- "$1" /dev/zero >&2 || fail "$1 is not blank any more"
}

# size_of FILE|DEVICE: bytes.
size_of()
{
	if [ -b "$1" ]; then blockdev --getsize64 "$1"; else stat -Lc %s "$1"; fi
}

# expect_untouched TARGET COPY: the target still holds what COPY, made before, holds.
expect_untouched()
{
	cmp -- "$1" "$2" >&2 || fail "$1 was touched"
}

# is VALUE WANTED [WHAT]
is()
{
	[ "$1" = "$2" ] || fail "${3:+$3: }\"$1\", not \"$2\""
}

# json FILE EXPRESSION: evaluates a Python expression over the JSON object j of
# the file and prints the result: json out 'j["targets"][0]["status"]'
json()
{
	"$PYTHON" -c 'import json, sys
j = json.load(open(sys.argv[1]))
v = eval(sys.argv[2])
print(v if isinstance(v, str) else json.dumps(v))' "$1" "$2" || fail "no $2 in ${1##*/}"
}

# validate_json FILE: one object, or one per line, valid by our schema; no message has been
# cut short (a finding's has room for 191 bytes).
validate_json()
{
	"$PYTHON" -c 'import jsonschema' 2>/dev/null ||
		missing "python3-jsonschema is not installed (scripts/deps test)"
	"$PYTHON" - "$TOP/scripts/isowrite.schema.json" "$1" <<-'END' && return
		import json, re, sys, jsonschema
		schema = json.load(open(sys.argv[1]))
		text = open(sys.argv[2], encoding="utf-8").read()
		try:
		    objects = [json.loads(text)]
		except json.JSONDecodeError:
		    objects = [json.loads(line) for line in text.splitlines()]
		if not objects:
		    sys.exit("no JSON at all")
		for o in objects:
		    jsonschema.validate(o, schema)
		    for f in o.get("findings", []):
		        n = len(f["message"].encode())
		        end = re.search(r"[.:)]$|\b[0-9a-f]{64}$", f["message"])
		        if 186 <= n <= 191 and not end:
		            sys.exit("cut short: " + f["message"])
	END
	show "$1"
	fail "${1##*/} is not valid by the schema"
}

# on_pty ARGUMENT...: tests/e2e/pty.py, which runs a command on a terminal of its own.
on_pty()
{
	"$PYTHON" "$TOP/tests/e2e/pty.py" "$@"
}

# golden NAME FILE: FILE equals tests/golden/NAME; make golden rewrites that one.
golden()
{
	if [ -n "${UPDATE_GOLDEN:-}" ]; then
		cp -- "$2" "$TOP/tests/golden/$1"
		return
	fi
	diff -u --label "wanted ($1)" --label "got" -- "$TOP/tests/golden/$1" "$2" >&2 ||
		fail "not as in tests/golden/$1"
}

# ----------------------------------------------------------- called by tests/run

# test_list: the tests of the file just read, in its order.
test_list()
{
	local name

	shopt -s extdebug
	for name in $(compgen -A function test_); do
		case $name in
		test_list | test_main) ;;
		*) declare -F "$name" ;;
		esac
	done | sort -s -n -k 2,2 | cut -d ' ' -f 1
}

# test_main FUNCTION: runs one test in $T.
test_main()
{
	TEST_PID=$BASHPID
	set -eEuo pipefail
	trap 'exit "$(cat "$T/.status")"' USR1
	trap 'echo "${BASH_SOURCE[0]##*/}:$LINENO: status $?: $BASH_COMMAND" >&2' ERR
	cd "$T"
	"$1"
}
