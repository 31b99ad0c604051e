# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# What the fault tests share, beside functions.sh: a used stick, a lying stick,
# and what an interrupted or failed write must leave behind.

# used SIZE FILE: what a used stick holds: a bootable image whose GPT was moved
# to the stick's end (so there is a backup), and noise in the rest.
used()
{
	noise "$1" "$2" 77
	dd if="$(image arch.iso)" of="$2" bs=1M conv=notrunc status=none
	sgdisk -e "$2" >/dev/null 2>&1 || need_tool sgdisk
	wipefs -n "$2" | grep -q gpt || fail "the used stick has no GPT"
}

# lying_stick FILE [RULE...]: a loop device on badstick on FILE. Sets $dev (the
# device), $medium (what the stick really holds) and $ctl.
lying_stick()
{
	local size mnt=$T/mnt.$RANDOM i

	need_fuse
	medium=$(realpath "$1") size=$(stat -c %s "$1") ctl=$mnt/ctl
	flock "$TOP/Makefile" make -s -C "$TOP" "B=$BUILD" "$BUILD/tests/fault/badstick" \
		>"$T/badstick.make" 2>&1 ||
		missing "badstick is not built: $(tail -n 1 "$T/badstick.make") (scripts/deps test)"
	shift
	mkdir "$mnt"
	# In a session of its own: the device has to go before its server does.
	setsid "$BUILD/tests/fault/badstick" "$medium" "$mnt" "$size" "$@" >"$T/badstick.log" 2>&1 &
	at_end umount -l "$mnt"
	for ((i = 0; i < 200; i++)); do
		[ ! -e "$mnt/stick" ] || break
		sleep 0.02
	done
	[ -e "$mnt/stick" ] || { show "$T/badstick.log"; lacks "FUSE"; }
	dev=$(attach "$mnt/stick")
}

# rules RULE...: drops the stick's rules and gives it these.
rules()
{
	echo "clear $*" >"$ctl"
}

# add_rules RULE...: for a write that is going on.
add_rules()
{
	echo "$*" >"$ctl"
}

# unplug: what the kernel shows of a stick that was pulled: size 0.
unplug()
{
	add_rules size=0 gone=w:0 gone=r:0
	losetup -c "$dev"
}

# all_bytes FILE OFFSET LENGTH BYTE: nothing but that byte (octal) lies there.
all_bytes()
{
	[ "$(tail -c "+$(($2 + 1))" "$1" | head -c "$3" | LC_ALL=C tr -d "\\$4" | wc -c)" = 0 ]
}

# finds_nothing FILE: no tool recognises anything on it.
finds_nothing()
{
	local found

	found=$(blkid -p "$1") && fail "blkid finds: $found"
	found=$(sfdisk -d "$1" 2>/dev/null) && fail "sfdisk finds: $found"
	found=$(wipefs -n "$1")
	[ -z "$found" ] || fail "wipefs finds: $found"
}

# window_is_zero FILE: the first and the last MiB, and so nothing is found on it.
window_is_zero()
{
	local size

	size=$(size_of "$1")
	all_bytes "$1" 0 1048576 000 || fail "the first MiB is not zero"
	all_bytes "$1" $((size - 1048576)) 1048576 000 || fail "the last MiB is not zero"
	finds_nothing "$1"
}

# holds IMAGE FILE: FILE is what a raw write of IMAGE leaves: the image, and
# zeros in the last MiB.
holds()
{
	same "$1" "$2" "$(stat -c %s "$1")"
	all_bytes "$2" $(($(size_of "$2") - 1048576)) 1048576 000 || fail "the last MiB is not zero"
}

# never_says_verified: neither as text nor as JSON.
never_says_verified()
{
	! grep -qiE '"verified"|^Verified' out err || {
		show out err
		fail "it says verified"
	}
}

# target_error MEMBER: of the first target's error, from $T/out.
target_error()
{
	json out "j['targets'][0]['error']['$1']"
}
