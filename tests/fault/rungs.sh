#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154 # status is set by run
#
# The kernel refuses: no io_uring, little locked memory, few descriptors, and
# system calls that fail once, the Nth of each kind in turn (strace injects).
# Whatever happens, isowrite ends, and says verified only when it is.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
. "$TOP/tests/fault/functions.bash"

export TIMEOUT=120
# The leak checker and strace want the same ptrace.
export ASAN_OPTIONS=detect_leaks=0

# set_up: $iso and a loop device that holds something else.
set_up()
{
	need_tool strace
	iso=$(image fedora.iso)
	used 10M used
	cp used medium
	dev=$(attach medium)
}

# write [COMMAND...]: runs isowrite under the command, and is content with any
# honest end: a verified stick that holds the image, or a failure that says so.
write()
{
	cp used medium
	run any timeout -s KILL 20 "$@" "$ISOWRITE" -y --json "$iso" "$dev"
	[ "$status" != 137 ] || fail "no end after 20 s: $*"
	[ "$status" -lt 128 ] || fail "killed by signal $((status - 128)): $*"
	if [ "$status" = 0 ]; then
		is "$(json out 'j["targets"][0]["status"]')" verified
		cmp -n "$(stat -c %s "$iso")" "$iso" medium >&2 || fail "not what it says is verified: $*"
	else
		never_says_verified
		[ -s err ] || fail "status $status without a word: $*"
	fi
}

# injected CALL WHAT: one write with that strace injection; false when nothing
# was injected any more.
injected()
{
	rm -f trace
	write strace -f -qq -o trace -e "trace=$1" -e "inject=$1:$2"
	grep -q INJECTED trace
}

# sweep CALL ERROR FROM LAST [STEP]: the Nth call fails, for each N. Prints the
# statuses that it led to.
sweep()
{
	local n seen=''

	for ((n = $3; n <= $4; n += ${5:-1})); do
		injected "$1" "$2:when=$n" || break
		seen+=" $status"
	done
	echo "# $1 $2:$seen"
	[ "$seen" ] || fail "no $1 was ever called"
}

needs_plain_memory()
{
	! grep -q __asan_init "$ISOWRITE" || skip "a sanitizer needs the memory that this test denies"
}

# A device that cannot be read past the cache is written, and nobody is told that it was read back.
test_without_direct_io()
{
	local n

	set_up
	# Which call it is depends on what else the machine does.
	for _ in 1 2 3 4 5 6; do
		write strace -qq -o trace -e trace=openat
		n=$(awk '/O_EXCL[|]O_DIRECT[|]/ { print NR; exit }' trace)
		[ "$n" ] || fail "the device is not opened for direct I/O"
		injected openat "error=EINVAL:when=$n" || fail "nothing was injected"
		! grep -q 'O_DIRECT|.*INJECTED' trace || break
	done
	is "$status" 10
	is "$(json out 'j["targets"][0]["status"]')" written
	is "$(json out 'j["targets"][0]["verify_method"]')" none
	has 'was written, but not verified' err
	same "$iso" medium "$(size_of "$iso")"
}

test_without_io_uring()
{
	local how

	set_up
	for how in error=EPERM error=ENOSYS error=ENOMEM; do
		injected io_uring_setup $how || fail "io_uring is not used at all"
		is "$status" 0 "$how"
	done
	# Set up, but of no use.
	injected io_uring_register error=EPERM || echo "# nothing is registered"
	is "$status" 0
	injected io_uring_enter error=EPERM || fail "io_uring is not used at all"
}

test_plain_engine()
{
	set_up
	ISOWRITE_ENGINE=plain write strace -f -qq -o trace -e trace=io_uring_setup
	is "$status" 0
	[ ! -s trace ] || fail "ISOWRITE_ENGINE=plain uses io_uring"
}

test_little_locked_memory()
{
	local limit

	set_up
	need_tool setpriv
	for limit in 0 65536; do
		write setpriv --bounding-set=-ipc_lock prlimit "--memlock=$limit"
		is "$status" 0 "$limit bytes of locked memory"
	done
}

# submitted: the most requests that one io_uring_enter handed over before the
# first flush of the trace, and before the last.
submitted()
{
	awk '/fdatasync/ { if (!n++) first = most; last = most; most = 0 }
		match($0, /io_uring_enter\([0-9]+, [0-9]+/) {
			split(substr($0, RSTART, RLENGTH), part, " ")
			if (part[2] + 0 > most) most = part[2] + 0
		}
		END { print first + 0, last + 0 }' trace
}

# A killed writer zeroed both ends or none, and committed both or none: also where
# a request is as small as usb-storage makes them.
test_window_goes_at_once_in_small_requests()
{
	local kib zeroed committed limit

	set_up
	limit=/sys/block/${dev#/dev/}/queue/max_sectors_kb
	at_end sh -c "echo $(cat "$limit") >$limit"
	for kib in 64 120 512; do
		echo $kib >"$limit"
		write strace -f -qq -o trace -e trace=io_uring_enter,fdatasync
		is "$status" 0
		# 2 MiB; and the head's first 96 KiB, since the zeros at the end are there already.
		read -r zeroed committed < <(submitted)
		[ "$zeroed" -ge $((2048 / kib)) ] || fail "$kib KiB: zeroed by $zeroed requests at once"
		is "$committed" $(((96 + kib - 1) / kib)) "$kib KiB: requests that commit"
	done
}

test_few_descriptors()
{
	local limit seen=''

	set_up
	for limit in 4 6 8 10 12 14 16 20 24 32 48; do
		write prlimit "--nofile=$limit"
		seen+=" $limit:$status"
		[ "$limit" -lt 32 ] || is "$status" 0 "$limit descriptors"
	done
	echo "# descriptors and status:$seen"
}

test_small_address_space()
{
	local limit seen=''

	needs_plain_memory
	set_up
	for limit in 16 32 48 64 96 128 192 256 384; do
		write prlimit "--as=$((limit << 20))"
		seen+=" $limit:$status"
	done
	echo "# MiB and status:$seen"
	is "$status" 0 "$limit MiB"
}

test_failing_writes()
{
	set_up
	ISOWRITE_ENGINE=plain sweep pwrite64 error=EIO 1 24
	ISOWRITE_ENGINE=plain sweep pwrite64 error=EINTR 1 24 4
	ISOWRITE_ENGINE=plain sweep pwrite64 retval=4096 1 24 4
	ISOWRITE_ENGINE=plain sweep pwrite64 retval=0 1 24 4
	# Every one, from some time on.
	ISOWRITE_ENGINE=plain injected pwrite64 error=EIO:when=3+
	is "$status" 6
}

# The first four make the window zero; then comes the body, then the head.
test_writes_that_only_seem_to_happen()
{
	local n

	set_up
	for n in 3 5 6 8; do
		ISOWRITE_ENGINE=plain injected pwrite64 "retval=524288:when=$n" || fail "no write $n"
		is "$status" 7 "write $n did not happen"
	done
}

test_failing_reads()
{
	set_up
	ISOWRITE_ENGINE=plain sweep pread64 error=EIO 1 60 3
	ISOWRITE_ENGINE=plain sweep pread64 retval=0 1 60 5
}

test_failing_flushes()
{
	set_up
	sweep fdatasync error=EIO 1 10
	sweep fdatasync error=ENOSPC 1 10
}

test_failing_ring()
{
	local error

	set_up
	for error in EINTR EAGAIN EBUSY EIO ENOMEM; do
		sweep io_uring_enter error=$error 1 16 3
	done
}

# The plain path's ends go through Linux AIO, else one by one.
test_failing_aio()
{
	local call

	set_up
	export ISOWRITE_ENGINE=plain
	for call in io_setup:error=EAGAIN io_setup:error=ENOSYS io_submit:error=EAGAIN \
		io_submit:error=EPERM io_getevents:error=EINTR io_getevents:error=EPERM; do
		injected "${call%%:*}" "${call#*:}:when=1" || fail "$call was never called"
		is "$status" 0 "$call"
	done
}

test_failing_set_up()
{
	set_up
	sweep clone3 error=EAGAIN 1 8
	sweep openat error=EMFILE 1 200 9
	sweep openat error=EIO 5 200 11
	sweep ioctl error=EIO 1 60 4
}

test_no_memory()
{
	needs_plain_memory
	set_up
	sweep mmap error=ENOMEM 30 200 7
}

# The image is read once to be judged and once to be written; a piece of it that comes out
# different (retval: the buffer keeps what it held) must not pass for what was judged.
test_image_that_reads_differently()
{
	local file n sum seen=''

	need_tool strace
	noise 6M i.img 7
	gzip -nk1 i.img
	for file in i.img i.img.gz; do
		sum=$(sha512sum <$file)
		for n in 1 3 7; do
			blank 16M stick
			run any timeout -s KILL 20 strace -f -qq -o trace -e trace=pread64,read \
				-P "$PWD/$file" -e inject=pread64,read:retval=4096:when=$n \
				"$ISOWRITE" -y --digest="sha512:${sum%% *}" $file stick
			has INJECTED trace
			[ "$status" -lt 128 ] || fail "status $status"
			[ "$status" != 0 ] || cmp -n 6291456 i.img stick >&2 || fail "$file, read $n: a lie"
			# A compressed file has a checksum of its own.
			! grep -qE 'held other bytes|gzip data is damaged' err || seen+=" $file"
		done
	done
	for file in i.img i.img.gz; do
		[[ "$seen " == *" $file "* ]] || fail "it was never noticed in $file"
	done
}
