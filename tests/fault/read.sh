#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154 # dev, ctl, medium and status are set by helpers
#
# read and --backup from sticks that fail, and into file systems that do: a file
# under the final name is the whole truth, or it is not there.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
. "$TOP/tests/fault/functions.bash"

export TIMEOUT=120
# The leak checker and strace want the same ptrace.
export ASAN_OPTIONS=detect_leaks=0

# bad_stick [RULE...]: 16 MiB of noise on a lying stick.
bad_stick()
{
	noise 16M stick 9
	lying_stick stick "$@"
}

# said TEXT FILE: waits until it is in the file.
said()
{
	timeout 60 sh -c 'until grep -qs "$1" "$2"; do sleep 0.05; done' - "$1" "$2" ||
		fail "no \"$1\" in $2"
}

nothing_left()
{
	[ ! -e copy.img ] || fail "copy.img is there"
	[ -z "$(find . -maxdepth 1 -name '.isowrite*')" ] || fail "a temporary file is left"
}

test_read_error_ends_it()
{
	bad_stick err=r:5001216:512:5
	run 6 "$ISOWRITE" read --json "$dev" -o copy.img
	validate_json out
	nothing_left
	is "$(json out 'j["error"]["offset"]')" 5001216
	is "$(json out 'j["error"]["kind"]')" io
	is "$(json out 'j["output"]["complete"]')" false
	is "$(json out 'j["output"]["sha256"]')" null
	has 'at byte 5001216' err
	run 6 "$ISOWRITE" read "$dev" -o copy.img.zst
	[ ! -s out ] || fail "a result in spite of it"
	# The backup fails, so nothing is written.
	cp stick before
	run 6 "$ISOWRITE" --yes --backup=copy.img "$(image data.iso)" "$dev"
	has 'Nothing was written, because the backup failed' err
	nothing_left
	same before "$medium"
}

# What a stick brings at the second or third attempt is read.
test_transient_read_error()
{
	bad_stick err=r:3000320:512:5:0:2
	run 0 "$ISOWRITE" read "$dev" -o copy.img
	same "$medium" copy.img
}

test_keep_going()
{
	bad_stick err=r:5001216:1024:5 err=r:9000960:512:5 err=r:16776704:512:5
	run 6 "$ISOWRITE" read --keep-going --json "$dev" -o copy.img
	validate_json out
	cp out bad.json
	is "$(json out 'j["output"]["complete"]')" false
	is "$(json out 'j["output"]["file_size"]')" 16777216
	is "$(json out 'j["output"]["bytes_unreadable"]')" 2048
	is "$(json out 'j["output"]["sha256"]')" "$(sha256sum <copy.img | cut -c 1-64)"
	"$PYTHON" - "$medium" <<-'END'
		import json, sys
		bad = [(r["offset"], r["length"]) for r in json.load(open("bad.json"))["output"]["unreadable"]]
		assert bad == [(5001216, 1024), (9000960, 512), (16776704, 512)], bad
		want = bytearray(open(sys.argv[1], "rb").read())
		for off, n in bad:
		    want[off:off + n] = bytes(n)
		assert want == open("copy.img", "rb").read()
	END
	run 6 "$ISOWRITE" read --keep-going --overwrite "$dev" -o copy.img
	has '2,048 bytes of' err
	has 'Read: 16,775,168 of 16,777,216 bytes of' out
	has '512 bytes from byte 9,000,960 on' out
}

# No more than what is wrong is given up, also without io_uring.
test_plain_engine()
{
	bad_stick err=r:5001216:512:5
	export ISOWRITE_ENGINE=plain
	run 6 "$ISOWRITE" read --keep-going --json "$dev" -o copy.img
	is "$(json out 'j["output"]["bytes_unreadable"]')" 512
	rules
	run 0 "$ISOWRITE" read --overwrite "$dev" -o copy.img
	same "$medium" copy.img
}

test_unplugged()
{
	bad_stick bps=4000000
	"$ISOWRITE" read --keep-going "$dev" -o copy.img >out 2>err &
	pid=$!
	said ': read' err
	unplug
	status=0
	wait $pid || status=$?
	is $status 6
	matches 'was removed|is not the device' err
	nothing_left
}

# Told, and cancelled while the stick says nothing.
test_stalled()
{
	bad_stick stall=r:8000000:512:4000
	env --default-signal=INT "$ISOWRITE" read "$dev" -o copy.img >out 2>err &
	pid=$!
	said ': read' err
	sleep 0.5
	kill -s USR1 $pid
	said 'read [0-9]* %' err
	kill -s INT $pid
	status=0
	wait $pid || status=$?
	is $status 130
	matches 'read [0-9]* %' err
	has Cancelled err
	nothing_left
}

# In the middle, by whatever: nothing under the name, and no other name either.
test_killed_leaves_nothing()
{
	local signal

	bad_stick bps=4000000
	mkdir dir
	for signal in INT TERM HUP KILL; do
		rm -f err
		env --default-signal=INT "$ISOWRITE" read "$dev" -o dir/copy.img.zst >out 2>err &
		pid=$!
		said ': read' err
		kill -s $signal $pid 2>/dev/null || fail "it was too fast"
		status=0
		wait $pid || status=$?
		is $status $((128 + $(kill -l $signal)))
		[ -z "$(ls -A dir)" ] || fail "something is left after $signal"
	done
	rules
	run 0 "$ISOWRITE" read "$dev" -o dir/copy.img.zst
}

# The write that follows a backup fails: what was there is safe, and it is said where.
test_write_fails_after_the_backup()
{
	bad_stick err=w:3000320:512:5
	cp stick before
	run 6 "$ISOWRITE" --yes --backup=copy.img.zst "$(image data.iso)" "$dev"
	has "isowrite copy.img.zst $dev" out
	zstd -qdc copy.img.zst | cmp - before
	rules
	run 0 "$ISOWRITE" --yes copy.img.zst "$dev"
	same before "$medium"
}

test_cancelled_backup()
{
	bad_stick bps=4000000
	cp stick before
	env --default-signal=INT "$ISOWRITE" --yes --json --backup=copy.img "$(image data.iso)" \
		"$dev" >out 2>err &
	pid=$!
	said Backup err
	kill -s INT $pid
	status=0
	wait $pid || status=$?
	is $status 130
	validate_json out
	is "$(json out 'j["exit"]')" 8
	has 'nothing was written' err
	nothing_left
	same before "$medium"
}

# A backup is what was there, or it is none.
test_stick_written_to_during_the_backup()
{
	bad_stick bps=8000000
	"$ISOWRITE" --yes --backup=copy.img "$(image data.iso)" "$dev" >out 2>err &
	pid=$!
	said ': backup' err
	dd if=/dev/zero of="$dev" bs=512 count=1 seek=20000 conv=notrunc oflag=direct status=none
	cp "$medium" before
	status=0
	wait $pid || status=$?
	is $status 4
	has 'Nothing was written, because the backup failed' err
	has 'was written to while it was read' err
	nothing_left
	same before "$medium"
}

# A write that is said to be done, and is not: seen when it is read back.
test_file_system_that_lies()
{
	local name

	need_tool strace
	bad_stick
	cp stick before
	for name in copy.img copy.img.zst; do
		run 7 strace -f -qq -o trace -e trace=pwrite64 \
			-e inject=pwrite64:retval=4096:when=2 "$ISOWRITE" read --json stick -o $name
		has INJECTED trace
		has 'did not keep what was written to it' err
		is "$(json out 'j["output"]["complete"]')" false
		nothing_left
		[ ! -e $name ] || fail "$name is there"
		run 7 strace -f -qq -o trace -e trace=pwrite64 \
			-e inject=pwrite64:retval=4096:when=2 \
			"$ISOWRITE" --yes --backup=$name "$(image data.iso)" "$dev"
		has 'Nothing was written, because the backup failed' err
		same before "$medium"
	done
}

# While the backup gets its name: it is complete, and not a byte of the stick may go.
test_cancelled_when_the_backup_was_read()
{
	need_tool strace
	bad_stick
	cp stick before
	run 130 env --default-signal=INT strace -f -qq -o trace -e trace=linkat \
		-e inject=linkat:signal=INT:when=1 \
		"$ISOWRITE" --yes --json --backup=copy.img "$(image data.iso)" "$dev"
	has SIGINT trace
	is "$(json out 'j["exit"]')" 8
	validate_json out
	is "$(json out 'j["targets"][0]["status"], j["targets"][0]["bytes_written"]')" '["untouched", 0]'
	has 'nothing was written' err
	same before "$medium"
	same before copy.img
}

# The Nth system call of a kind fails: a good copy, or none.
test_calls_that_fail()
{
	local call n

	need_tool strace
	noise 3M stick
	dev=$(attach stick)
	for call in pwrite64:ENOSPC pwrite64:EIO fsync:EIO ftruncate:EFBIG linkat:EIO \
		io_uring_enter:EAGAIN io_uring_enter:EIO io_uring_setup:EPERM; do
		for n in 1 2; do
			rm -f copy.img trace
			run any timeout -s KILL 20 strace -f -qq -o trace -e "trace=${call%:*}" \
				-e "inject=${call%:*}:error=${call#*:}:when=$n" \
				"$ISOWRITE" read "$dev" -o copy.img
			if [ "$status" = 0 ]; then
				same stick copy.img
			else
				[ "$status" -lt 128 ] || fail "$call: status $status"
				[ -s err ] || fail "$call: not a word"
				nothing_left
			fi
		done
	done
}

# A file system without O_TMPFILE: a name that goes away.
test_without_unnamed_files()
{
	local how='inject=openat:error=EOPNOTSUPP:when=3' dir=$T/dir

	need_root
	need_tool strace
	mkdir "$dir"
	noise 3M stick
	run 0 strace -f -qq -o trace -P "$dir" -e trace=openat -e "$how" \
		"$ISOWRITE" read stick -o "$dir/copy.img"
	grep -q INJECTED trace || fail "nothing was injected"
	same stick "$dir/copy.img"
	run 0 strace -f -qq -o trace -P "$dir" -e trace=openat -e "$how" \
		"$ISOWRITE" read stick --overwrite -o "$dir/copy.img"
	is "$(ls -A "$dir")" copy.img
	# And if it fails then.
	mkdir full
	mount -t tmpfs -o size=1M tmpfs full
	at_end umount full
	run 5 strace -f -qq -o trace -P "$T/full" -e trace=openat -e "$how" \
		"$ISOWRITE" read stick -o "$T/full/copy.img"
	grep -q INJECTED trace || fail "nothing was injected"
	[ -z "$(ls -A full)" ] || fail "a temporary file is left"
}
