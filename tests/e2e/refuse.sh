#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What is known beforehand: the exit status, one clear sentence, and a target that
# is the same as before in every byte.

. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# refused STATUS TEXT ARGUMENT...: on the stick s, which stays as it is.
refused()
{
	local status=$1 text=$2

	shift 2
	[ -e s ] || { noise 16M s 8 && cp s before; }
	run "$status" "$ISOWRITE" --yes "$@"
	has "$text" err
	is "$(grep -c '^isowrite: ' err)" 1 "sentences"
	expect_untouched s before
}

test_bad_images()
{
	mkdir dir
	: >empty
	refused 4 "truncated" "$(image truncated.iso)" file:s
	refused 4 "directory" dir file:s
	refused 4 "empty" empty file:s
	refused 2 "missing.iso" ./missing.iso file:s
	noise 16777217 large
	refused 5 "short by" large file:s
}

test_unreadable_image()
{
	noise 1M i
	chmod 0 i
	if [ "$(id -u)" != 0 ]; then
		refused 3 "permission" i file:s
		return
	fi
	noise 16M s 8
	cp s before
	chmod 755 . && chmod 666 s
	run 3 setpriv --reuid=65534 --regid=65534 --clear-groups "$ISOWRITE" --yes i file:s
	matches '[Pp]ermission' err
	expect_untouched s before
}

test_foreign_formats()
{
	noise 1M payload
	(printf 'QFI\373\0\0\0\003' && cat payload) >q.qcow2
	refused 4 "qemu-img convert" q.qcow2 file:s
	run 4 "$ISOWRITE" q.qcow2
	has "qemu-img convert -O raw q.qcow2 q.qcow2.img" err
}

test_files_that_are_not_blank()
{
	noise 1M i
	refused 3 "file-in-use" i s
	# isowrite *.iso: every one but the first would be a target
	cp "$(image data.iso)" a.iso
	cp "$(image arch.iso)" b.iso
	cp "$(image debian-cd.iso)" c.iso
	run 3 "$ISOWRITE" --yes a.iso b.iso c.iso
	has "file-in-use" err
	same "$(image arch.iso)" b.iso
	same "$(image debian-cd.iso)" c.iso
	# nothing in its first and last MiB, but a file system behind
	blank 16M v
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" v
	dd if=/dev/zero of=v bs=1M count=1 conv=notrunc status=none
	cp v v0
	run any "$ISOWRITE" --yes i v
	[ "$status" = 3 ] || [ "$status" = 0 ]
}

test_a_blank_file_is_a_stick()
{
	noise 1M i
	blank 16M t
	run 0 "$ISOWRITE" --yes i t
	same i t 1048576
	run 3 "$ISOWRITE" --yes i t
	run 0 "$ISOWRITE" --yes i file:t
}

test_the_image_itself()
{
	noise 1M i
	cp i i0
	ln -s i link
	run 3 "$ISOWRITE" --yes i i
	run 3 "$ISOWRITE" --yes i file:link
	has "source" err
	expect_untouched i i0
}

test_named_twice()
{
	noise 1M i
	blank 16M t
	ln -s t link
	ln t hard
	run 2 "$ISOWRITE" --yes i t t
	run 2 "$ISOWRITE" --yes i t link
	run 2 "$ISOWRITE" --yes i t file:hard
	run 2 "$ISOWRITE" --yes --keep-going i t ./t
	has "same device or file" err
	is_blank t
}

test_names_that_do_not_exist()
{
	noise 1M i
	refused 2 "/dev/isowrite-no-such" i /dev/isowrite-no-such
	refused 2 "created below /dev" i file:/dev/isowrite-no-such
	[ ! -e /dev/isowrite-no-such ] || fail "a file below /dev was made"
	refused 2 "file:" i ./no-such-stick
	[ ! -e no-such-stick ] || fail "a file was made"
	refused 2 "empty" i ""
	mkdir d
	refused 2 "directory" i d
	refused 2 "character device" i /dev/null
}

test_swapped_arguments()
{
	local dev

	need_root
	cp "$(image data.iso)" i.iso
	noise 16M s 8
	cp s before
	dev=$(attach s)
	run 2 "$ISOWRITE" --yes "$dev" i.iso
	has "swapped" err
	same "$(image data.iso)" i.iso
	expect_untouched "$dev" before
}

test_no_terminal_and_no_yes()
{
	noise 1M i
	blank 16M t
	run 2 "$ISOWRITE" i t
	has "--yes" err
	is_blank t
}

test_no_permission()
{
	local dev

	need_root
	noise 1M i
	noise 16M s 8
	cp s before
	dev=$(attach s)
	chmod 755 . && chmod 644 i
	chmod 660 "$dev"
	run 3 setpriv --reuid=65534 --regid=65534 --clear-groups "$ISOWRITE" --yes i "$dev"
	has "permission denied" err
	has "sudo" err
	expect_untouched "$dev" before
}

test_rule_mounted()
{
	local dev

	need_root
	noise 1M i
	blank 16M s
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" s
	cp s before
	dev=$(attach s)
	mkdir m
	mount -o ro,noload "$dev" m || lacks "ext4"
	run 3 "$ISOWRITE" --yes i "$dev"
	has "rule mounted" err
	has "$T/m" err
	mountpoint -q m || fail "it was unmounted"
	expect_untouched "$dev" before
	run 0 "$ISOWRITE" --yes --unmount i "$dev"
	! mountpoint -q m || fail "it is still mounted"
	same i "$dev" 1048576
}

test_rule_source()
{
	local dev

	need_root
	blank 32M disk
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" disk
	dev=$(attach disk)
	mkdir m
	mount "$dev" m || lacks "ext4"
	noise 1M m/i
	run 3 "$ISOWRITE" --yes --unmount m/i "$dev"
	has "rule source" err
	mountpoint -q m || fail "it was unmounted"
	umount m
}

test_rule_held()
{
	local dev

	need_root
	noise 1M i
	noise 16M s 8
	cp s before
	dev=$(attach s)
	attach "$dev" >/dev/null
	run 3 "$ISOWRITE" --yes --unmount --allow=internal,contents,large,partition i "$dev"
	has "rule held" err
	expect_untouched s before
}

test_rule_held_by_an_open()
{
	local dev pid

	need_root
	noise 1M i
	noise 16M s 8
	cp s before
	dev=$(attach s)
	"$PYTHON" -c 'import os, sys, time
os.open(sys.argv[1], os.O_RDWR | os.O_EXCL); print("open", flush=True); time.sleep(30)' "$dev" >opened &
	pid=$!
	until [ -s opened ]; do sleep 0.05; done
	run 3 "$ISOWRITE" --yes --json i "$dev"
	has "$pid" err
	validate_json out
	is "$(json out 'j["targets"][0]["error"]["rule"]')" held
	is "$(json out 'j["targets"][0]["status"]')" refused
	# Somebody gives up waiting; then the disk becomes free.
	"$ISOWRITE" --yes i "$dev" >out 2>err &
	sleep 1
	kill -s TERM $!
	sleep 0.2
	kill "$pid"
	status=0
	wait $! || status=$?
	is "$status" 143
	has 'nothing was written' err
	expect_untouched "$dev" before
}

test_rule_readonly()
{
	local dev

	need_root
	noise 1M i
	noise 16M s 8
	cp s before
	dev=$(attach s -r)
	run 3 "$ISOWRITE" --yes --allow=internal,contents,large,partition i "$dev"
	has "rule readonly" err
	expect_untouched s before
}

# The disk that / is on, whatever is allowed. Nothing is written: it is refused.
test_rule_system()
{
	local dev

	need_root
	dev=$(readlink -f "/sys/dev/block/$(system_number)")
	dev=/dev/${dev##*/}
	noise 1M i
	run 3 "$ISOWRITE" plan i "$dev"
	has "rule system" err
	has "cannot be lifted" err
}

test_one_that_cannot_be_opened_stops_all()
{
	local dev pid

	need_root
	noise 1M i
	blank 16M t
	noise 16M s 8
	dev=$(attach s)
	exec 9<>"$dev"
	flock -x 9
	run 3 "$ISOWRITE" --yes i t "$dev"
	is_blank t
	run 3 "$ISOWRITE" --yes i file:new "$dev"
	[ ! -e new ] || fail "a new file was left behind"
	run 64 "$ISOWRITE" --yes --keep-going i t "$dev"
	same i t 1048576
	exec 9>&-
}

test_there_is_no_force()
{
	noise 1M i
	refused 2 "force" --force i file:s
	refused 2 "system" --allow=system i file:s
}
