#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154 # dev, ctl and medium are set by lying_stick
#
# Does the lying stick lie as told? The other fault tests rest on it.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
. "$TOP/tests/fault/functions.bash"

MIB=1048576

# set_up [RULE...]: 8 MiB of noise on the stick; other noise to write.
set_up()
{
	noise 8M medium 1
	cp medium before
	noise 8M data 2
	lying_stick medium "$@"
}

# put, get: all of it, uncached, half a MiB at a time.
put()
{
	dd if=data of="$dev" bs=512K oflag=direct conv=fsync status=none 2>err
}

get()
{
	dd if="$dev" of=back bs=512K iflag=direct status=none 2>err
}

test_without_rules_it_is_honest()
{
	set_up
	put
	get
	same data back
	same data medium
	is "$(cat "$ctl")" ''
	! rules nonsense=1 2>/dev/null || fail "a rule that does not exist was taken"
}

test_errors()
{
	set_up
	rules err=w:$((3 * MIB)):512:5
	! put || fail "no write error"
	same data medium $((3 * MIB))
	matches 'hits=1$' "$ctl"
	rules err=r:$((3 * MIB)):512:5:1:1
	get
	! get || fail "no read error at the second read"
	get
	rules err=f:0:0:5:0:1
	! put || fail "no flush error"
	rules gone=r:$((5 * MIB))
	! get || fail "not gone"
	! put || fail "gone, but it writes"
}

test_flips()
{
	set_up
	rules "flip=w:$((2 * MIB + 5)):0x81"
	put
	"$PYTHON" - <<-'END'
		data, now = bytearray(open('data', 'rb').read()), open('medium', 'rb').read()
		data[(2 << 20) + 5] ^= 0x81
		assert data == now
	END
	rules
	put
	rules flip=r1:9:1
	get
	is "$(cmp -l data back | wc -l)" 1
	get
	same data back
}

test_fakes()
{
	local half=$((4 * MIB))

	set_up
	rules fake=$half:wrap
	put
	same <(tail -c $half data) medium $half
	get
	same <(tail -c $half data) back $half
	same <(tail -c $half back) back $half
	rules fake=$half:drop
	put
	get
	same data back $half
	same <(tail -c $half before) <(tail -c $half back)
	rules fake=$half:zero
	get
	all_bytes back $half $half 000 || fail "not zeros"
	rules fake=$half:ff
	get
	all_bytes back $half $half 377 || fail "not 0xFF"
}

# After a power cut each sector is old or new; none is, where all was flushed.
test_power_cut()
{
	set_up cache=7
	dd if=data of="$dev" bs=512K oflag=direct status=none
	add_rules powercut
	! get || fail "it answers after a power cut"
	rules
	"$PYTHON" - <<-'END'
		old, new, now = (open(n, 'rb').read() for n in ('before', 'data', 'medium'))
		at = [slice(i, i + 512) for i in range(0, len(now), 512)]
		assert all(now[s] in (old[s], new[s]) for s in at)
		assert 0.4 < sum(now[s] == new[s] for s in at) / len(at) < 0.6
	END
	put
	add_rules powercut
	same data medium
}

test_torn_write()
{
	set_up
	rules torn=$MIB:4096
	! put || fail "no error"
	same data medium $((MIB + 4096))
	same <(tail -c +$((MIB + 4097)) medium) <(tail -c +$((MIB + 4097)) before)
}

test_hooks_and_speed()
{
	local start

	set_up
	rules "touch=w:$((3 * MIB)):$T/there" bps=16000000
	start=$(date +%s%N)
	put
	start=$((($(date +%s%N) - start) / 1000000))
	[ -e there ] || fail "the hook was not called"
	if [ $start -lt 480 ] || [ $start -gt 2000 ]; then fail "8 MiB at 16 MB/s took $start ms"; fi
	rules "log=$T/journal"
	put
	is "$(grep -c '^W' journal)" 16
	is "$(tail -n 1 journal)" F
	same data journal.data
	rules "pause=3:10:$T/third"
	dd if=data of="$dev" bs=512K count=2 oflag=direct status=none
	[ ! -e third ] || fail "the pause came too early"
	dd if=data of="$dev" bs=512K count=1 oflag=direct status=none
	[ -e third ] || fail "no pause"
}

test_unplugged()
{
	set_up
	unplug
	is "$(size_of "$dev")" 0
	get
	is "$(size_of back)" 0
	! put || fail "it writes"
	has 'No space left' err
	rules
	losetup -c "$dev"
	get
	same medium back
}
