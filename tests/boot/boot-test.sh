#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# isowrite boot-test: it says yes and no, no more than it has seen, and it never writes
# to what it boots.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
. "$TOP/tests/fault/functions.bash"
TIMEOUT=180

# boot_test STATUS ARGUMENT...: its object in $T/out.
boot_test()
{
	local want=$1

	shift
	need_tool qemu-system-x86_64
	run "$want" "$ISOWRITE" boot-test -J "$@"
	validate_json out
}

# first MEMBER: of the first boot.
first()
{
	json out "j['boots'][0]['$1']"
}

test_bios_yes()
{
	local img

	img=$(image debian-cd.iso)
	boot_test 0 "$img" --firmware=bios
	is "$(first reached)" loader
	is "$(first predicted)" yes
	matches 'ISOLINUX' out
}

test_uefi_yes()
{
	boot_test 0 "$(image disk-gpt-esp.img)" --expect='ISOWRITE-BOOTED disk-gpt-esp.img' \
		--timeout=120
	is "$(json out 'len(j["boots"])')" 1
	is "$(first firmware)" uefi
	is "$(first predicted)" yes
	is "$(first reached)" expected
}

# A blank stick is tried everywhere, since nothing is predicted.
test_no()
{
	blank 4M empty
	boot_test 4 empty --timeout=120
	is "$(json out '[b["firmware"] for b in j["boots"]]')" '["bios", "uefi"]'
	is "$(json out '{b["reached"] for b in j["boots"]} == {"nothing"}')" true
	matches '"gave_up":"Boot failed: not a bootable disk"' out
	matches '"gave_up":"BdsDxe: failed to load Boot0001: Not Found"' out
	is_blank empty
}

# QEMU gets a descriptor that cannot be written to, and the device is not opened anew: a
# loop device that is read-only would refuse that.
test_the_device_is_left_alone()
{
	local img dev

	need_root
	img=$(image debian-cd.iso)
	cp "$img" copy
	dev=$(attach copy -r)
	boot_test 0 "$dev" --firmware=bios --expect=ISOWRITE-BOOTED
	detach "$dev" copy
	dev=$(attach copy)
	strace -f -o trace -e trace=open,openat "$ISOWRITE" boot-test "$dev" --firmware=bios \
		--expect=ISOWRITE-BOOTED
	matches "\"$dev\", O_RDONLY" trace
	! grep -E "\"$dev\", [^)]*O_(RDWR|WRONLY)" trace || fail "it was opened for writing"
	detach "$dev" copy
	same "$img" copy
}

# A stick that is broken there boots nowhere, but that says nothing about the image.
# shellcheck disable=SC2154 # dev is set by lying_stick
test_what_cannot_be_read()
{
	local lba

	need_tool qemu-system-x86_64 xorriso
	cp "$(image debian-cd.iso)" medium
	xorriso -indev medium -find / -name ldlinux.c32 -exec report_lba -- >list 2>/dev/null
	lba=$(awk -F, '/^File data lba:/ { print $2 + 0 }' list)
	lying_stick medium
	rules "err=r:$((lba * 2048)):4096:5"
	run 6 "$ISOWRITE" boot-test "$dev" --firmware=bios
	has 'cannot be read' err
}

test_mounted()
{
	local dev

	need_root
	need_tool qemu-system-x86_64 mkfs.ext4
	blank 16M volume
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" volume
	dev=$(attach volume)
	mkdir mnt
	mount "$dev" mnt
	run 4 "$ISOWRITE" boot-test "$dev" --firmware=bios
	tr -s ' \n' ' ' <err >said
	has "It is mounted on $T/mnt and may change" said
	mount -o remount,ro mnt
	run 4 "$ISOWRITE" boot-test "$dev" --firmware=bios
	lacks_text mounted err
}

# What neither says anything nor ends is not called a boot, and not waited for for ever.
test_a_boot_sector_that_hangs()
{
	{
		printf '\353\376'
		head -c 508 /dev/zero
		printf '\125\252'
		head -c 1M /dev/zero
	} >hangs
	boot_test 4 hangs --firmware=bios --timeout=3
	is "$(first reached)" firmware
	is "$(first timed_out)" true
	# One that starts the machine anew.
	printf '\352\0\0\377\377' | dd of=hangs conv=notrunc status=none
	boot_test 4 hangs --firmware=bios --timeout=30
	is "$(first went_down)" true
}

test_qemu_is_missing()
{
	mkdir bin
	PATH=$T/bin run 10 "$ISOWRITE" boot-test "$(image debian-cd.iso)"
	has 'package qemu-system-x86' err
}

# The machine ends with the program, however that ends.
test_no_machine_is_left()
{
	local pid img signal child

	need_tool qemu-system-x86_64
	img=$(image uefi-only.iso)
	for signal in INT KILL; do
		bash -c 'exec "$ISOWRITE" boot-test "$0" --firmware=uefi' "$img" >out 2>err &
		pid=$!
		for ((i = 0; i < 100; i++)); do
			child=$(pgrep -P "$pid" || :)
			[ -z "$child" ] || break
			sleep 0.1
		done
		[ "$child" ] || fail "no machine was started"
		sleep 0.3
		# Those that are started in the background ignore SIGINT.
		kill -"${signal/INT/TERM}" "$pid"
		wait "$pid" || :
		for ((i = 0; i < 50; i++)); do
			ps -o state= -p "$child" | grep -qv Z || break
			sleep 0.1
		done
		! ps -o state= -p "$child" | grep -qv Z || fail "QEMU outlives SIG$signal"
	done
}

test_screenshot()
{
	local img

	img=$(image debian-cd.iso)
	boot_test 0 "$img" --firmware=bios --expect=ISOWRITE-BOOTED --screenshot=screen.png
	is "$(json out 'j["screenshot"]')" screen.png
	is "$(head -c 8 screen.png | od -An -tx1 | tr -d ' ')" 89504e470d0a1a0a
	boot_test 2 "$img" --firmware=bios --screenshot=screen.png
	has 'exists' err
	boot_test 2 "$img" --screenshot=other.png
	has '--firmware=bios or --firmware=uefi' err
	# The picture is not put in the image's place.
	cp "$img" copy.iso
	ln copy.iso link.iso
	boot_test 2 copy.iso --firmware=bios --overwrite --screenshot=link.iso
	has 'would replace the image' err
	same copy.iso "$img"
}

test_what_cannot_be_tried()
{
	local img

	img=$(image debian-cd.iso)
	gzip -1 -c "$img" >packed.iso
	boot_test 4 packed.iso
	has '  gzip -dc <packed.iso >packed.iso.img' err
	(eval "$(grep '^  gzip' err)")
	same packed.iso.img "$img"
	mv packed.iso packed.iso.gz
	boot_test 4 packed.iso.gz
	has '  gzip -dk packed.iso.gz' err
	boot_test 2 missing.iso
	boot_test 2 "$img" --secure-boot --firmware=bios
	run 4 bash -c 'cat "$0" | "$ISOWRITE" boot-test -' "$img"
	mkfifo pipe
	boot_test 4 pipe
	has 'a pipe cannot' err
	# As a regular file it can be.
	boot_test 0 - --firmware=bios --expect=ISOWRITE-BOOTED <"$img"
}

# The synonym, and the line for people.
test_words()
{
	need_tool qemu-system-x86_64
	run 0 "$ISOWRITE" test "$(image debian-cd.iso)" --firmware=bios --expect=ISOWRITE-BOOTED
	matches '^BIOS  stick  text seen \([0-9.]+ s\): "ISOWRITE-BOOTED debian-cd.iso"$' out
}

[ "${ISOWRITE_TEST_FULL:-}" ] || return 0

test_secure_boot()
{
	boot_test 4 "$(image debian-cd.iso)" --secure-boot --timeout=120
	matches '"gave_up":"BdsDxe: failed to load Boot0001: Access Denied"' out
	is "$(json out 'j["findings"][0]["code"]')" secure-boot
}

# No text to read: it draws.
test_graphics()
{
	boot_test 0 "$(image memtest86+.iso)" --firmware=uefi --timeout=150
	is "$(first evidence)" graphics
}

test_as_cd()
{
	boot_test 0 "$(image isolinux-plain.iso)" --as=cd
	is "$(first as)" cd
	boot_test 4 "$(image isolinux-plain.iso)" --firmware=bios
}
