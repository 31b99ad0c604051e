#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154 # dev, ctl and medium are set by lying_stick
#
# What a target can do wrong, on a loop device with uncached I/O: what must be
# fatal is, with the right words, and leaves a stick that looks like nothing;
# what must only slow a write down does only that.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
. "$TOP/tests/fault/functions.bash"

MIB=1048576
SIZE=$((16 * MIB))

# set_up: $iso, its size $end, the used stick "used", and a lying one that holds it.
set_up()
{
	iso=$(image fedora.iso)
	end=$(stat -c %s "$iso")
	used $SIZE used
	cp used medium
	lying_stick medium
}

# again RULE...: the stick as it was, with these rules.
again()
{
	rules
	# In place: a short read of it, by whoever looks at new devices, ends badstick.
	dd if=used of=medium bs=1M conv=notrunc status=none
	rules "$@"
	echo "# $*" >&2
}

# write STATUS: writes $iso to $dev.
write()
{
	local want=$1

	shift
	run "$want" timeout -k 1 30 "$ISOWRITE" -y --json "$@" "$iso" "$dev"
}

# write_fails STATUS: that, and it leaves nothing that looks like an image.
write_fails()
{
	write "$1"
	never_says_verified
	is "$(json out 'j["targets"][0]["status"]')" failed
	! grep 'hits=0$' "$ctl" >&2 || fail "a rule never acted"
	rules
	window_is_zero medium
}

# wait_for FILE PID: until the stick's hook has made FILE, while the process lives.
wait_for()
{
	while [ ! -e "$1" ]; do
		kill -0 "$2" || fail "it ended before $1 was there: $(cat err)"
		sleep 0.005
	done
}

test_good_stick()
{
	set_up
	write 0
	is "$(json out 'j["targets"][0]["status"]')" verified
	is "$(json out 'j["targets"][0]["verify_method"]')" o_direct
	is "$(json out 'j["targets"][0]["write_retries"]')" 0
	holds "$iso" medium
}

test_write_error_is_fatal_and_named()
{
	local off named

	set_up
	for off in $MIB $((3 * MIB + 4096)) $((end - 512)); do
		again "err=w:$off:512:5"
		write_fails 6
		named=$(target_error offset)
		if [ "$named" -gt "$off" ] || [ $((named + $(target_error length))) -le "$off" ]; then
			fail "error at $off, named $named"
		fi
		matches 'I/O|Input/output' err
	done
}

# Also while the window is made zero: nothing else may have been written then.
test_write_error_in_the_window()
{
	local off

	set_up
	for off in 0 $((SIZE - 512)); do
		again "err=w:$off:512:5"
		write 6
		never_says_verified
		cmp <(tail -c +$((MIB + 1)) medium | head -c $((SIZE - 2 * MIB))) \
			<(tail -c +$((MIB + 1)) used | head -c $((SIZE - 2 * MIB))) ||
			fail "the body was written although the window was not zero"
	done
}

test_transient_write_error_is_retried()
{
	local off

	set_up
	for off in $MIB $((3 * MIB)); do
		again "err=w:$off:512:5:0:2"
		write 0
		matches 'hits=2' "$ctl"
		is "$(json out 'j["targets"][0]["status"]')" verified
		[ "$(json out 'j["targets"][0]["write_retries"]')" -gt 0 ] || fail "no retry is told"
		holds "$iso" medium
	done
}

# A flush that failed once has lost something: the next one's success means nothing.
test_flush_error_is_fatal()
{
	local skip

	set_up
	again
	write 0
	for skip in 0 1; do
		again "err=f:0:0:5:$skip:1"
		write_fails 6
	done
	# The commit's own.
	again "err=f:0:0:5:2:1"
	write_fails 6
	again "err=f:0:0:5"
	write_fails 6
}

# A flush that does nothing cannot be seen without a power cut.
test_lying_flush_is_not_seen()
{
	set_up
	again noflush
	write 0
	holds "$iso" medium
}

test_stored_bit_flip_is_found()
{
	local off

	set_up
	# In the body: nothing of the image may be recognised afterwards.
	for off in $MIB $((MIB + 300001)) $((end - 1)); do
		again "flip=w:$off:0x10"
		write_fails 7
		is "$(target_error offset)" "$off"
		is "$(target_error pattern)" flips
		has '1 bit differs' err
	done
	# In the window, where only the commit's read-back can see it.
	for off in 0 $((MIB - 1)) $((SIZE - MIB)) $((SIZE - 1)); do
		again "flip=w:$off:0x10"
		write 7
		never_says_verified
		is "$(target_error offset)" "$off"
	done
}

# /live/filesystem.squashfs is where xorriso says it is.
test_bad_byte_is_named_by_its_file()
{
	local lba

	set_up
	need_tool xorriso
	lba=$(xorriso -indev "$iso" -find / -name filesystem.squashfs -exec report_lba 2>/dev/null |
		awk -F '[:,]' '/^File data lba/ { print $3 + 0 }')
	again "flip=w:$((lba * 2048 + 2 * MIB)):1"
	write_fails 7
	is "$(target_error file)" /live/filesystem.squashfs
	has filesystem.squashfs err
}

test_fake_capacity_is_named()
{
	# More than may be in flight, so that what wraps around comes later for certain.
	local real=$((10 * MIB)) rule

	set_up
	# No two sectors of it are alike, none is zero.
	iso=$T/noise
	noise 12M "$iso" 4
	for rule in zero:zeros ff:ones drop:old; do
		again "fake=$real:${rule%:*}"
		write 7
		never_says_verified
		is "$(target_error offset)" $real
		is "$(target_error pattern)" "${rule#*:}"
		all_bytes medium 0 $MIB 000 || fail "the first MiB is not zero"
		! blkid -p medium >&2 || fail "it looks like something"
	done
	again "fake=$real:zero"
	write 7
	has zeros err

	again "fake=$real:wrap"
	write 7
	never_says_verified
	is "$(target_error pattern)" offset
	has 'returns the data of' err

	# The data that came to lie at the first bad place are zeros: the next tell.
	dd if=/dev/zero of="$iso" bs=64K count=1 conv=notrunc status=none oflag=seek_bytes \
		seek=$((real + MIB))
	again "fake=$real:wrap"
	write 7
	never_says_verified
	is "$(target_error pattern)" offset
	has 'from 1.0 MB on, the device returns the data of 12 MB' err
}

test_read_error_in_verification()
{
	local off=$((3 * MIB))

	set_up
	again "err=r:$off:512:5"
	write_fails 6
	is "$(target_error offset)" $off
}

# check says the same later, with the image and with the receipt; so does the
# receipt of a write that failed.
test_check_and_receipts()
{
	local off=$((3 * MIB + 17)) by

	set_up
	write 0 --receipt=good.json
	for by in "$iso" good.json; do
		rules
		run 0 "$ISOWRITE" check --json "$by" "$dev"
		is "$(json out 'j["targets"][0]["status"]')" verified
		rules "flip=r:$off:4"
		run 7 "$ISOWRITE" check --json "$by" "$dev"
		never_says_verified
		# Without the image only the damaged piece is known.
		[ "$(target_error offset)" -le $off ] || fail "bad at $off, named $(target_error offset)"
		rules "err=r:$off:512:5"
		run 6 "$ISOWRITE" check --json "$by" "$dev"
		never_says_verified
		# It was only looked at.
		lacks_text incomplete out
	done
	again "flip=w:$off:4"
	write 7 --receipt=bad.json
	is "$(json bad.json 'j["exit"]')" 7
	is "$(json bad.json 'j["targets"][0]["status"]')" failed
}

# pull HOOK: starts a write, pulls the stick when the rule HOOK has made "there",
# and is content with nothing but "removed", within 2 s. The kernel's view of a
# pulled stick: size 0, reads of 0 bytes, writes ENOSPC.
pull()
{
	local pid start took

	rm -f there
	again "$@"
	timeout -k 1 30 "$ISOWRITE" -y --json "$iso" "$dev" >out 2>err &
	pid=$!
	wait_for there $pid
	start=$(date +%s%N)
	unplug
	status=0
	wait $pid || status=$?
	took=$((($(date +%s%N) - start) / 1000000))
	is "$status" 6 "status when pulled by $*"
	[ $took -lt 2000 ] || fail "it took $took ms"
	never_says_verified
	has removed err
	lacks_text 'o space' err
	rules
	losetup -c "$dev"
}

test_unplugged()
{
	set_up
	pull bps=4000000 "touch=w:$((3 * MIB)):$T/there"
	window_is_zero medium
	pull bps=4000000 "touch=r:$((3 * MIB)):$T/there"
	window_is_zero medium
}

# A download that stands still: the report must not wait for its next byte.
test_unplugged_while_the_pipe_is_silent()
{
	local pid start took

	set_up
	mkfifo pipe
	{ head -c $((3 * MIB)) "$iso"; sleep 20; } >pipe &
	at_end kill $!
	timeout 30 "$ISOWRITE" -y - "$dev" <pipe >out 2>err &
	pid=$!
	# The last whole piece has arrived on the stick.
	for ((i = 0; i < 500; i++)); do
		cmp -s -i $((2 * MIB)) -n $((MIB / 2)) "$iso" medium && break
		sleep 0.02
	done
	start=$(date +%s%N)
	unplug
	kill -INT $pid
	status=0
	wait $pid || status=$?
	took=$((($(date +%s%N) - start) / 1000000))
	[ $took -lt 2000 ] || fail "cancelled: it took $took ms"
	never_says_verified
	rules
	losetup -c "$dev"

	# It fails by itself.
	{ head -c $((3 * MIB)) "$iso"; sleep 20; } >pipe &
	at_end kill $!
	again "gone=w:$((2 * MIB))"
	start=$(date +%s%N)
	run 6 timeout 30 "$ISOWRITE" -y - "$dev" <pipe
	took=$((($(date +%s%N) - start) / 1000000))
	[ $took -lt 5000 ] || fail "failed: it took $took ms"
	never_says_verified
}

# It is the pipe that stands still, not the stick.
test_silent_pipe_is_not_a_stalled_stick()
{
	set_up
	{ head -c $((3 * MIB)) "$iso"; sleep 11; tail -c +$((3 * MIB + 1)) "$iso"; } |
		run 0 "$ISOWRITE" -y - "$dev"
	lacks_text 'not completed' err
	holds "$iso" medium
}

# From the first write to the commit's read-back: every third operation, with and
# without io_uring. Who pulls it while the last bytes come back has a whole stick.
test_unplugged_at_every_stage()
{
	local operations n

	set_up
	again "log=$T/journal"
	write 0
	operations=$(sed -n '/^W/,$p' journal | wc -l)
	[ "$operations" -gt 20 ] || fail "only $operations operations"
	for ((n = 1; n <= operations - 4; n += 3)); do
		export ISOWRITE_ENGINE=
		[ $((n % 2)) = 1 ] || ISOWRITE_ENGINE=plain
		pull "pause=$n:500:$T/there"
	done
}

# The same device, but it answers everything with an error.
test_dead_device()
{
	set_up
	again "gone=w:$((3 * MIB))"
	write_fails 6
	lacks_text 'o space' err
	again "gone=r:$((3 * MIB))"
	write_fails 6
	again "torn=$((3 * MIB)):4096"
	write_fails 6
}

test_power_cut_leaves_nothing()
{
	local seed pid

	set_up
	for seed in 1 2 3 4; do
		again "cache=$seed" bps=40000000 "touch=w:$((seed * MIB * 3 / 2)):$T/there"
		rm -f there
		timeout -k 1 30 "$ISOWRITE" -y --json "$iso" "$dev" >out 2>err &
		pid=$!
		wait_for there $pid
		add_rules powercut
		status=0
		wait $pid || status=$?
		is "$status" 6
		never_says_verified
		window_is_zero medium
	done
}

# After 3 s in the progress line, after 10 s as a warning; and it may still succeed.
test_stalled_stick_is_told()
{
	local pid

	set_up
	again "stall=w:$((3 * MIB)):1:11500:0:1"
	"$ISOWRITE" -y --progress=lines "$iso" "$dev" >out1 2>err1 &
	pid=$!
	cp used medium2
	lying_stick medium2 "stall=r:$((3 * MIB)):1:11500:0:1"
	write 0 --json=lines
	grep '"stalled"' out | grep -q '"warning"' || {
		show out
		fail "no warning that it stalled"
	}
	wait $pid || fail "the first one ended with $?"
	matches 'has not completed anything for 1[01] seconds' err1
	holds "$iso" medium2
	holds "$iso" "$T/medium"
}

# One bad stick never stops or delays the others.
test_one_bad_among_good()
{
	local devs=()

	iso=$(image fedora.iso)
	used $SIZE used
	for rule in err=w:$((3 * MIB)):512:5 flip=w:$((2 * MIB)):1 noflush \
		stall=w:$((3 * MIB)):1:6000:0:1; do
		cp used "medium.${#devs[@]}"
		lying_stick "medium.${#devs[@]}" "$rule"
		devs+=("$dev")
	done
	run 64 timeout -k 1 30 "$ISOWRITE" -y --json "$iso" "${devs[@]}"
	is "$(json out '[t["status"] for t in j["targets"]]')" \
		'["failed", "failed", "verified", "verified"]'
	is "$(json out '[(t["error"] or {}).get("kind") for t in j["targets"]]')" \
		'["io", "differs", null, null]'
	is "$(json out 'sum(j["targets"][2]["seconds"].values()) < 4')" true "not held up"
	is "$(json out 'sum(j["targets"][3]["seconds"].values()) > 5')" true "stalled"
	holds "$iso" medium.2
	holds "$iso" medium.3
	window_is_zero medium.0
	window_is_zero medium.1
}

# A fast stick that is late at first gets a lane of its own; the lane that hashes must not
# go on at the pace of the slow sticks that stayed in it, since the gate needs the whole hash.
test_a_fast_stick_among_slow_ones_waits_for_none()
{
	local sticks=()

	noise 64M image
	for i in 1 2 3; do
		truncate -s 66M "stick$i"
		lying_stick "stick$i"
		sticks+=("$dev")
		[ $i = 3 ] || rules bps=16000000
	done
	rules "stall=w:0:4096:1000:0:1"
	run 0 timeout -k 1 60 "$ISOWRITE" -y --json image "${sticks[@]}"
	is "$(json out '[t["status"] for t in j["targets"]] == ["verified"] * 3')" true
	json out '[t["seconds"] for t in j["targets"]]' >&2
	is "$(json out 'j["targets"][2]["seconds"]["wait"] < j["targets"][0]["seconds"]["write"] / 4')" \
		true "waits for a slow stick"
}


# The image's own disk fails.
test_source_read_error()
{
	set_up
	cp "$iso" source
	truncate -s %512 source
	used $SIZE target
	lying_stick source "err=r:$((3 * MIB)):512:5"
	run 6 timeout -k 1 30 "$ISOWRITE" -y --json "$(dirname "$ctl")/stick" "$(attach target)"
	never_says_verified
	has "$(dirname "$ctl")" err
}

# The first signal drains and reports; a second one does not wait for the stick.
test_signals_while_the_stick_hangs()
{
	local pid start took

	set_up
	again "stall=w:$((3 * MIB)):1:8000:0:1" "touch=w:$((3 * MIB)):$T/there"
	"$ISOWRITE" -y -q "$iso" "$dev" >out 2>err &
	pid=$!
	wait_for there $pid
	kill -TERM $pid
	sleep 0.5
	kill -0 $pid || fail "it did not wait for what was in flight"
	start=$(date +%s%N)
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	took=$((($(date +%s%N) - start) / 1000000))
	is "$status" 143
	[ $took -lt 1500 ] || fail "the second signal took $took ms"
	never_says_verified
	sleep 8
	finds_nothing medium
}
