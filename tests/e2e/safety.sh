#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Each safety rule: one test that fires it, one that lifts it or shows that
# nothing does. Loop devices are exempt from half of the rules; for those they
# are in the guise of a stick or a disk (disks.bash).
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
. "$(dirname "${BASH_SOURCE[0]}")/disks.bash"

# An image that nobody knows, by the name of "image".
small_image() { noise 3M image 5; }

# refused RULE COMMAND...: exit 3 with that rule, and the device holds what it held.
refused()
{
	local rule=$1

	shift
	cp --sparse=always stick before
	run 3 "$@" --json
	validate_json out
	is "$(json out 'j["targets"][0]["status"]')" refused
	is "$(json out 'j["targets"][0]["error"]["rule"]')" "$rule"
	expect_untouched stick before
}

# written COMMAND...: exit 0, and the image is on the stick.
written()
{
	run 0 "$@"
	has 'equal the image' out
	same image stick "$(size_of image)"
}

write() { as_disk "$ISOWRITE" --yes image "$DEV" "$@"; }

ext4_stick()
{
	blank 16M stick
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" -L backup stick
}

# ------------------------------------------------------------------- system

test_system_swap_is_never_written()
{
	local dev

	need_tool mkswap
	small_image
	blank 16M stick
	mkswap -q stick 2>/dev/null
	dev=$(attach stick)
	swapon "$dev" || lacks swap
	at_end swapoff "$dev"
	refused system "$ISOWRITE" --yes --unmount --allow=internal,contents,large,partition image "$dev"
	run 3 "$ISOWRITE" --yes image "$dev"
	has 'swap space in use is on it' err
	has 'This cannot be lifted.' err
	swapoff "$dev"
	written "$ISOWRITE" --yes image "$dev"
}

# The disk of / by its number: as the partition of what looks like a stick.
test_system_root_is_never_written()
{
	local root

	root=$(system_number)
	small_image
	blank 16M stick
	disk stick usb "$root"
	refused system write --unmount --allow=internal,contents,large,partition
	run 3 write
	has "refused (rule system): the running system (/) is on it" err
}

# A loop device is not refused for the disk that its file lies on.
test_system_is_no_matter_of_a_loop_file()
{
	local dev

	small_image
	blank 16M stick
	dev=$(attach stick)
	written "$ISOWRITE" --yes image "$dev"
}

# ------------------------------------------------------------------- source

test_source_disk_is_never_written()
{
	local dev

	ext4_stick
	dev=$(attach stick)
	mkdir mnt
	mount "$dev" mnt
	noise 3M mnt/image 5
	sync -f mnt
	refused source "$ISOWRITE" --yes --unmount mnt/image "$dev"
	umount mnt
}

# The same through one loop device more: the image lies on a stick's file system's file.
test_source_below_a_loop_device()
{
	local dev inner

	ext4_stick
	dev=$(attach stick)
	mkdir mnt mnt2
	mount "$dev" mnt
	blank 8M mnt/inner
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" mnt/inner
	inner=$(attach mnt/inner --direct-io=off)
	mount "$inner" mnt2
	noise 2M mnt2/image 5
	sync -f mnt2
	sync -f mnt
	refused source "$ISOWRITE" --yes --unmount mnt2/image "$dev"
	umount mnt2
	detach "$inner" mnt/inner
	umount mnt
}

test_source_loop_over_the_image_itself()
{
	local dev

	noise 3M stick 5
	dev=$(attach stick)
	refused source "$ISOWRITE" --yes stick "$dev"
}

test_source_image_is_the_target()
{
	noise 3M stick 5
	refused source "$ISOWRITE" --yes stick file:stick
}

# ----------------------------------------------------------------- readonly

test_readonly_is_never_written()
{
	local dev

	small_image
	blank 16M stick
	dev=$(attach stick --read-only)
	refused readonly "$ISOWRITE" --yes --allow=internal,contents,large,partition image "$dev"
	losetup -d "$dev"
	dev=$(attach stick)
	written "$ISOWRITE" --yes image "$dev"
}

# --------------------------------------------------------------------- held

test_held_by_a_loop_device_on_top()
{
	local dev top

	small_image
	blank 16M stick
	dev=$(attach stick)
	top=$(attach "$dev" --direct-io=off)
	refused held "$ISOWRITE" --yes --unmount --allow=internal,contents,large,partition image "$dev"
	refused held "$ISOWRITE" --yes image file:stick
	losetup -d "$top"
	written "$ISOWRITE" --yes image "$dev"
}

test_held_by_dm()
{
	small_image
	blank 16M stick
	disk stick usb
	mkdir -p "$SYS/holders/dm-7" sys/class/block/dm-7/dm
	echo vg-data >sys/class/block/dm-7/dm/name
	refused held write --unmount --allow=internal,contents,large,partition
	run 3 write
	has 'vg-data (dm-7) is built on it' err
	rm -r "$SYS/holders"
	written write
}

# Another program's exclusive open is named after 5 seconds of patience ...
test_held_by_a_program()
{
	local dev

	small_image
	blank 16M stick
	dev=$(attach stick)
	"$PYTHON" -c 'import os, sys, time
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_EXCL)
open("ready", "w").close()
time.sleep(30)' "$dev" &
	holder=$!
	at_end kill "$holder"
	until [ -e ready ]; do sleep 0.05; done
	cp --sparse=always stick before
	run 3 "$ISOWRITE" --yes image "$dev"
	matches "in use by .*process $holder" err
	expect_untouched stick before
	kill "$holder"
	wait "$holder" || true
	written "$ISOWRITE" --yes image "$dev"
}

# A plain descriptor for writing, such as a virtual machine's, is no different ...
test_held_by_a_writer()
{
	local dev

	small_image
	blank 16M stick
	dev=$(attach stick)
	exec 5>"$dev"
	run 3 "$ISOWRITE" --yes image "$dev"
	matches "in use by bash \(process [0-9]+\)" err
	is_blank stick
	exec 5>&- 5<"$dev" # one for reading does no harm
	written "$ISOWRITE" --yes image "$dev"
}

# ... and one that ends in the meantime does no harm.
test_held_for_a_moment()
{
	local dev

	small_image
	blank 16M stick
	dev=$(attach stick)
	"$PYTHON" -c 'import fcntl, os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_EXCL)
fcntl.flock(fd, fcntl.LOCK_EX)
open("ready", "w").close()
time.sleep(1.5)' "$dev" &
	until [ -e ready ]; do sleep 0.05; done
	written "$ISOWRITE" --yes image "$dev"
	wait
}

# ---------------------------------------------------------------- protected

test_protected_until_it_leaves_the_list()
{
	small_image
	blank 16M stick
	disk stick usb
	mkdir home
	export HOME=$T/home SUDO_UID=
	unset XDG_CONFIG_HOME
	# As root the list is the machine's; a private /etc keeps this one's out of it.
	mkdir etc
	cp /etc/passwd /etc/group etc
	in_etc() { as_disk sh -c 'mount --bind "$0" /etc && exec "$@"' "$T/etc" "$ISOWRITE" "$@"; }
	run 0 in_etc devices --protect "$DEV"
	has 'serial:' etc/isowrite/protected
	if grep -q $'\033' etc/isowrite/protected out; then fail "the serial was not escaped"; fi
	protected_write() { in_etc --yes image "$DEV" "$@"; }
	refused protected protected_write --unmount --allow=internal,contents,large,partition
	run 3 protected_write
	has "isowrite devices --unprotect $DEV" err
	run 0 in_etc devices --unprotect "$DEV"
	run 2 in_etc devices --unprotect "$DEV"
	written protected_write
}

test_protected_by_the_users_own_list()
{
	small_image
	blank 16M stick
	disk stick usb
	mkdir -p home/.config/isowrite
	export HOME=$T/home
	unset XDG_CONFIG_HOME
	echo 'serial:SanDisk/Ultra/4C530%1B[2J01   # my backup' >home/.config/isowrite/protected
	refused protected write
	echo '# serial:SanDisk/Ultra/4C530%1B[2J01' >home/.config/isowrite/protected
	written write
}

# ------------------------------------------------------------------ mounted

test_mounted_needs_unmount()
{
	local dev

	small_image
	ext4_stick
	dev=$(attach stick)
	mkdir 'mnt one' mnt2
	mount "$dev" 'mnt one'
	mount --bind 'mnt one' mnt2
	sync -f mnt2
	refused mounted "$ISOWRITE" --yes --allow=internal,contents,large,partition image "$dev"
	run 3 "$ISOWRITE" --yes image "$dev"
	has "it is mounted on $T/mnt one" err
	has '--unmount' err
	written "$ISOWRITE" --yes --unmount image "$dev"
	if grep -q "$T/mnt" /proc/self/mountinfo; then fail "it is still mounted"; fi
}

test_mounted_is_lifted_by_the_question()
{
	local dev

	small_image
	ext4_stick
	dev=$(attach stick)
	mkdir mnt
	mount "$dev" mnt
	sync -f mnt
	cp --sparse=always stick before
	run 8 on_pty --send '\[y/N\]' '' "$ISOWRITE" image "$dev"
	# Where the lines break depends on the length of the path.
	tr -d '\r\n ' <out >words
	has 'ext4"backup",mountedon' words
	has "$T/mnt(willbeunmounted)" words
	grep -q " $T/mnt " /proc/self/mountinfo || fail "unmounted by a no"
	run 0 on_pty --send '\[y/N\]' y "$ISOWRITE" image "$dev"
	same image stick "$(size_of image)"
}

# What uses the mount keeps it; nothing is written under it.
test_mounted_and_busy()
{
	local dev

	small_image
	ext4_stick
	dev=$(attach stick)
	mkdir mnt
	mount "$dev" mnt
	touch mnt/open
	exec 5<mnt/open
	sync -f mnt
	run 3 "$ISOWRITE" --yes --unmount image "$dev"
	has 'in use' err
	grep -q " $T/mnt " /proc/self/mountinfo || fail "it was unmounted"
	exec 5<&-
	umount mnt
	run 0 fsck.ext4 -fn stick
}

# ----------------------------------------------------------------- internal

test_internal_sata()
{
	small_image
	blank 16M stick
	disk stick sata
	refused internal write --unmount --allow=contents,large,partition
	run 3 write
	has 'it is an internal disk (sata)' err
	written write --allow=internal
}

test_internal_emmc()
{
	small_image
	blank 16M stick
	disk stick emmc
	refused internal write
	written write --allow=internal
}

test_internal_is_no_card_and_no_usb_disk()
{
	small_image
	blank 16M stick
	disk stick sd
	written write
	losetup -d "$LOOP"
	rm -r sys
	blank 16M stick
	disk stick usb
	echo 0 >"$SYS/removable" # a USB SSD
	written write
}

# ----------------------------------------------------------------- contents

# The promise that a backup disk is not erased by habit.
neither_y_nor_yes()
{
	local size

	disk stick usb
	size=$(numfmt --to=si --format=%.0f "$(size_of stick)")
	refused contents write
	refused contents write --unmount --allow=internal,large,partition
	cp --sparse=always stick before
	run 8 as_disk "$PYTHON" "$TOP/tests/e2e/pty.py" --send size y -- "$ISOWRITE" image "$DEV"
	has 'was no' out
	expect_untouched stick before
	run 8 as_disk "$PYTHON" "$TOP/tests/e2e/pty.py" --send size '' -- "$ISOWRITE" image "$DEV"
	expect_untouched stick before
	run 8 as_disk "$PYTHON" "$TOP/tests/e2e/pty.py" --send size '99 GB' -- "$ISOWRITE" image "$DEV"
	expect_untouched stick before
	run 0 as_disk "$PYTHON" "$TOP/tests/e2e/pty.py" --send size "${size%M} MB" -- "$ISOWRITE" image "$DEV"
	same image stick "$(size_of image)"
}

test_contents_ext4_needs_its_size_typed()
{
	small_image
	ext4_stick
	neither_y_nor_yes
}

test_contents_ntfs_needs_its_size_typed()
{
	need_tool mkntfs
	small_image
	blank 16M stick
	mkntfs -F -q -L photos stick >/dev/null 2>&1
	neither_y_nor_yes
}

# In a partition, with the table that libblkid reads; no partition nodes are needed.
test_contents_of_a_partition()
{
	small_image
	blank 32M stick
	printf 'label: gpt\nstart=2048, size=20480\nstart=22528\n' | sfdisk -q stick
	mkfs.vfat -n KEY --offset 2048 stick 10240 >/dev/null 2>&1
	blank 8M part
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" -L data part
	dd if=part of=stick bs=1M seek=11 conv=notrunc status=none
	disk stick usb
	refused contents write
	run 3 write
	has 'it holds ext4 "data"' err
	written write --allow=contents
}

# A table made in an enclosure that shows sectors of 4096 bytes, seen through 512.
test_contents_behind_a_table_of_other_sectors()
{
	local label dev

	small_image
	for label in dos gpt; do
		blank 32M stick
		dev=$(attach stick -b 4096)
		printf 'label: %s\nstart=256, size=4096\n' $label | sfdisk -q --no-reread "$dev" || :
		losetup -d "$dev"
		mkfs.ext4 -q -E offset=1048576 stick 16M
		disk stick usb
		refused contents write
		run 3 write
		has 'it holds ext4' err
		losetup -d "$LOOP"
		rm -r sys dev
	done
}

test_contents_unknown_data()
{
	small_image
	noise 16M stick 3
	disk stick usb
	refused contents write
	run 3 write
	has 'data of an unknown kind' err
	written write --allow=contents
}

# FAT, exFAT, ISO 9660, and what was written before: no hurdle beyond the question.
test_contents_of_sticks()
{
	small_image
	blank 64M stick
	mkfs.vfat -F 32 -n KEY stick >/dev/null
	disk stick usb
	written write
	losetup -d "$LOOP"
	rm -r sys
	blank 16M stick
	mkdir tree
	echo hello >tree/a
	xorriso -as mkisofs -quiet -o iso tree 2>/dev/null
	dd if=iso of=stick conv=notrunc status=none
	disk stick usb
	written write
}

# Two contradicting signatures are never "empty".
test_contents_ambivalent()
{
	small_image
	ext4_stick
	printf '\001CD001\001' | dd of=stick bs=1 seek=32768 conv=notrunc status=none
	disk stick usb
	refused contents write
}

# -------------------------------------------------------------------- large

test_large()
{
	small_image
	blank 1000000001024 stick || skip "the file system has no files of 1 TB"
	disk stick usb
	run 3 write --unmount --allow=internal,contents,partition --json
	is "$(json out 'j["targets"][0]["error"]["rule"]')" large
	is "$(du --block-size=1 stick | cut -f1)" 0 "bytes that were written"
	run 0 write --allow=large
	same image stick "$(size_of image)"
}

# ---------------------------------------------------------------- partition

test_partition()
{
	local nr

	need_tool partx
	small_image
	blank 16M stick
	printf 'start=2048, size=8192, type=c\n' | sfdisk -q stick
	LOOP=$(attach stick)
	partx -a "$LOOP" || lacks "partitions of loop devices"
	at_end partx -d "$LOOP"
	[ -b "${LOOP}p1" ] || lacks "nodes for partitions"
	nr=$(cat "/sys/class/block/${LOOP##*/}p1/dev")
	attach() { echo "$LOOP"; } # it is, already
	disk stick usb "$nr"
	mknod part b "${nr%:*}" "${nr#*:}"
	refused partition as_disk "$ISOWRITE" --yes --unmount --allow=internal,contents,large image part
	run 0 as_disk "$ISOWRITE" --yes --allow=partition image part
	dd if=stick bs=1M skip=1 count=4 of=written status=none
	same image written "$(size_of image)"
}

# -------------------------------------------------------------- file-in-use

test_file_in_use()
{
	small_image
	noise 16M stick 8
	refused file-in-use "$ISOWRITE" --yes --allow=internal,contents,large,partition image stick
	run 3 "$ISOWRITE" --yes image stick
	has 'file:' err
	written "$ISOWRITE" --yes image file:stick
}

# isowrite *.iso: the second ISO is no stick.
test_file_in_use_saves_the_second_iso()
{
	mkdir tree
	echo hello >tree/a
	xorriso -as mkisofs -quiet -o a.iso tree 2>/dev/null
	truncate -s 4M a.iso
	cp a.iso stick
	refused file-in-use "$ISOWRITE" --yes a.iso stick
}

# Zeros at both ends, and yet a file system in between.
test_file_in_use_by_its_signature()
{
	small_image
	blank 8M stick
	printf '\001CD001\001' | dd of=stick bs=1 seek=32768 conv=notrunc status=none
	refused file-in-use "$ISOWRITE" --yes image stick
}

test_file_in_use_not_when_blank()
{
	small_image
	blank 16M stick
	written "$ISOWRITE" --yes image stick
}
