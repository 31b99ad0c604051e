#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What is a target and what is not, and that the one that was shown before the
# question is the one that is written, whatever happens in between.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# An image that nobody knows, by the name of "image".
small_image() { noise 3M image 5; }

# at_question HOOK COMMAND...: runs the command on a terminal; when it asks, runs
# the shell command HOOK, then answers y. Sets status; the screen's text is in out.
at_question()
{
	status=0
	"$PYTHON" - "$@" >"$T/out" 2>"$T/hook" <<-'END' || status=$?
		import os, pty, subprocess, sys
		hook, command = sys.argv[1], sys.argv[2:]
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp(command[0], command)
		text, asked = b"", False
		while True:
		    try:
		        more = os.read(fd, 4096)
		    except OSError:
		        break
		    if not more:
		        break
		    text += more
		    if b"[y/N]" in text and not asked:
		        asked = True
		        subprocess.run(hook, shell=True, check=True)
		        os.write(fd, b"y\n")
		sys.stdout.buffer.write(text)
		end = os.waitpid(pid, 0)[1]
		sys.exit(os.WEXITSTATUS(end) if os.WIFEXITED(end) else 128 + os.WTERMSIG(end))
	END
	show "$T/out" "$T/hook"
}

test_missing_names()
{
	small_image
	run 2 "$ISOWRITE" --yes image stick
	has 'file:stick creates it' err
	run 2 "$ISOWRITE" --yes image /dev/isowrite-none
	has 'no device /dev/isowrite-none' err
	run 2 "$ISOWRITE" --yes image file:/dev/isowrite-none
	run 2 "$ISOWRITE" --yes image file:none/stick
	run 2 "$ISOWRITE" --yes image ''
	run 2 "$ISOWRITE" --yes image file:
	[ ! -e /dev/isowrite-none ] || fail "a file was created below /dev"
	[ "$(echo *)" = image ] || [ "$(echo *)" = 'err image out' ] || fail "created: $(echo *)"
}

test_what_is_no_target()
{
	small_image
	mkdir dir
	mkfifo fifo
	run 2 "$ISOWRITE" --yes image dir
	has 'is a directory' err
	run 2 "$ISOWRITE" --yes image fifo
	has 'is a pipe' err
	run 2 "$ISOWRITE" --yes image /dev/null
	has 'is a character device' err
	run 2 "$ISOWRITE" --yes image file:/dev/null
	ln -s loop loop
	run 2 "$ISOWRITE" --yes image loop
}

test_named_twice()
{
	small_image
	blank 16M stick
	ln stick hard
	ln -s stick soft
	cp stick before
	run 2 "$ISOWRITE" --yes image stick hard
	has 'the same device or file' err
	run 2 "$ISOWRITE" --yes image file:soft stick
	run 2 "$ISOWRITE" --yes image file:new file:./new
	expect_untouched stick before
	[ ! -e new ] || fail "new was created"
}

test_device_named_twice_by_links()
{
	local dev

	small_image
	blank 16M stick
	dev=$(attach stick)
	ln -s "$dev" link
	mknod node b "$(stat -c %Hr "$dev")" "$(stat -c %Lr "$dev")"
	run 2 "$ISOWRITE" --yes image "$dev" link
	run 2 "$ISOWRITE" --yes image "$dev" node
	is_blank stick
	# One of them alone is fine.
	run 0 "$ISOWRITE" --yes image link
	same image stick "$(size_of image)"
}

# Two loop devices over one file, a disk and its partition: one stick, named twice.
test_named_twice_in_disguise()
{
	local dev twin

	small_image
	blank 16M stick
	printf 'start=2048, size=8192, type=c\n' | sfdisk -q stick
	dev=$(attach stick)
	twin=$(attach stick --direct-io=off)
	cp --sparse=always stick before
	run 3 "$ISOWRITE" --yes image "$dev" "$twin"
	has "${twin##*/} is a loop device over the same file" err
	losetup -d "$twin"
	partx -a "$dev" || lacks "partitions of loop devices"
	at_end partx -d "$dev"
	run 2 "$ISOWRITE" --yes --allow=partition image "$dev" "${dev}p1"
	has 'the same device' err
	expect_untouched stick before
}

# dd to a stick that is not there leaves a file in its place.
test_file_below_dev()
{
	small_image
	need_root
	blank 16M /dev/isowrite-test.$$
	at_end rm -f "/dev/isowrite-test.$$"
	run 2 "$ISOWRITE" --yes image /dev/isowrite-test.$$
	has 'not a device' err
	is_blank /dev/isowrite-test.$$
}

test_new_file()
{
	small_image
	run 0 "$ISOWRITE" --yes image file:new
	same image new
	run 0 "$ISOWRITE" --yes --size=16M image file:large
	is "$(size_of large)" $((16 << 20))
	same image large "$(size_of image)"
	# It is there now, and not blank.
	run 3 "$ISOWRITE" --yes image large
}

test_unaligned_file()
{
	small_image
	blank 5000001 stick
	run 0 "$ISOWRITE" --yes image stick
	same image stick "$(size_of image)"
	is "$(size_of stick)" 5000001
}

# A sparse file on a full file system: nothing is wrong with a port.
test_file_on_a_full_file_system()
{
	need_root
	mkdir m
	mount -t tmpfs -o size=6m none m || lacks "mount"
	noise 8M image 2
	truncate -s 16M m/s
	run 6 "$ISOWRITE" --yes image m/s
	has 'No space left on device' err
	has 'Make room on its file system' err
	lacks_text port err
	lacks_text repeated err
	head -c 1M m/s >first
	is_blank first
}

test_permission_is_asked_before_the_question()
{
	local dev

	need_tool setpriv
	small_image
	blank 16M stick
	dev=$(attach stick)
	chmod 755 . .. ../..
	setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$ISOWRITE" -a -r image ||
		skip "nobody may not run $ISOWRITE"
	run 3 setpriv --reuid=65534 --regid=65534 --clear-groups "$ISOWRITE" image "$dev"
	matches "permission denied \(it belongs to root:(disk|root), you are nobody\)" err
	lacks_text 'no terminal' err
	losetup -d "$dev"
	chmod 600 stick
	run 3 setpriv --reuid=65534 --regid=65534 --clear-groups "$ISOWRITE" --yes image file:stick
	has 'permission denied' err
	is_blank stick
}

test_zram()
{
	local dev

	small_image
	dev=$(zram 16M)
	run 0 "$ISOWRITE" --yes image "$dev"
	same image "$dev" "$(size_of image)"
}

test_sectors_of_4096_bytes()
{
	local dev

	small_image
	blank 16M stick
	dev=$(attach stick --sector-size 4096 --direct-io=on)
	run 0 "$ISOWRITE" --yes --json image "$dev"
	validate_json out
	is "$(json out 'j["plans"][0]["geometry"]["sector_size"]')" 4096
	same image stick "$(size_of image)"
}

# A loop device over a buffered file may answer from memory: no claim to more.
test_words_for_a_buffered_loop_device()
{
	local dev

	small_image
	blank 16M stick
	dev=$(attach stick --direct-io=off)
	run 0 "$ISOWRITE" --yes --json image "$dev"
	is "$(json out 'j["targets"][0]["verify_method"]')" host-cache
	losetup --direct-io=on "$dev" || lacks "direct I/O of loop devices on $(stat -fc %T .)"
	run 0 "$ISOWRITE" --yes --json image "$dev"
	is "$(json out 'j["targets"][0]["verify_method"]')" o_direct
}

test_loop_device_without_a_file()
{
	local dev

	small_image
	blank 16M stick
	# Not one that the next losetup -f of somebody else would take: a high number, and
	# a low one is left free.
	losetup -d "$(attach stick)"
	dev=/dev/loop$((700 + RANDOM % 100))
	at_end "$PYTHON" -c 'import fcntl, sys
LOOP_CTL_REMOVE = 0x4C81
fcntl.ioctl(open("/dev/loop-control"), LOOP_CTL_REMOVE, int(sys.argv[1]))' "${dev#/dev/loop}"
	losetup "$dev" stick
	losetup -d "$dev"
	run any "$ISOWRITE" --yes image "$dev"
	if [ "$status" = 2 ]; then skip "$dev went away with its file"; fi
	is "$status" 6
	has 'no file attached' err
}

# ------------------------------------------- between the question and the writing

# Another disk appears under the same name and number.
test_swapped_device_is_not_written()
{
	local dev

	small_image
	blank 16M stick
	blank 16M other
	dev=$(attach stick)
	at_end detach "$dev" other
	at_question "losetup -d $dev && losetup $dev $T/other" "$ISOWRITE" image "$dev"
	is "$status" 6
	matches 'another device|not the device any more' out
	is_blank stick
	is_blank other
}

test_removed_device()
{
	local dev

	small_image
	blank 16M stick
	dev=$(attach stick)
	at_question "losetup -d $dev" "$ISOWRITE" image "$dev"
	is "$status" 6
	is_blank stick
	lacks_text 'No space' out
	lacks_text 'Verified' out
}

test_resized_device()
{
	local dev

	small_image
	blank 16M stick
	dev=$(attach stick)
	at_question "truncate -s 8M $T/stick && losetup -c $dev" "$ISOWRITE" image "$dev"
	is "$status" 6
	is_blank stick
}

# The name leads to another device by now: the one that was shown is written.
test_name_that_changes_its_meaning()
{
	local dev other

	small_image
	blank 16M stick
	blank 16M other
	dev=$(attach stick)
	other=$(attach other)
	ln -s "$dev" link
	at_question "ln -sfn $other $T/link" "$ISOWRITE" image link
	is "$status" 0
	same image stick "$(size_of image)"
	is_blank other
}

test_mounted_meanwhile()
{
	local dev

	small_image
	blank 16M stick
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" stick
	dev=$(attach stick)
	mkdir mnt
	at_question "mount $dev $T/mnt && sync -f $T/mnt" "$ISOWRITE" image "$dev"
	is "$status" 3
	has 'it is mounted on' out
	umount mnt
	run 0 fsck.ext4 -fn stick
}

# ------------------------------------------------------- while it is being written

test_locked_and_exclusive_while_writing()
{
	local dev try

	small_image
	blank 16M stick
	dev=$(attach stick)
	mkfifo pipe
	"$ISOWRITE" --yes - "$dev" <pipe >out 2>err &
	writer=$!
	at_end kill "$writer"
	exec 5>pipe
	head -c 2M image >&5
	for ((try = 0; try < 100; try++)); do
		flock -n "$dev" true || break
		sleep 0.05
	done
	[ "$try" -lt 100 ] || fail "no lock that udev would see"
	mkdir mnt
	if "$PYTHON" -c 'import os, sys
os.open(sys.argv[1], os.O_RDONLY | os.O_EXCL)' "$dev" 2>/dev/null; then
		fail "not opened exclusively"
	fi
	tail -c +$(((2 << 20) + 1)) image >&5
	exec 5>&-
	wait "$writer" || { show err; fail "status $?"; }
	same image stick "$(size_of image)"
	flock -n "$dev" true || fail "the lock was left"
}

test_lock_of_another_program()
{
	local dev

	small_image
	blank 16M stick
	dev=$(attach stick)
	"$PYTHON" -c 'import fcntl, os, sys, time
fd = os.open(sys.argv[1], os.O_RDONLY)
fcntl.flock(fd, fcntl.LOCK_EX)
open("ready", "w").close()
time.sleep(30)' "$dev" &
	holder=$!
	at_end kill "$holder"
	until [ -e ready ]; do sleep 0.05; done
	run 3 "$ISOWRITE" --yes image "$dev"
	matches "in use by .*process $holder" err
	is_blank stick
}

# -------------------------------------------------------------------- devices

test_devices_json()
{
	run 0 "$ISOWRITE" devices --all --json
	validate_json out
	run 0 "$ISOWRITE" devices --json
	validate_json out
	run 0 "$ISOWRITE" devices
}

test_devices_lists_loops_only_when_asked()
{
	local dev

	blank 64M stick
	mkfs.vfat -F 32 -n KEY stick >/dev/null
	dev=$(attach stick)
	run 0 "$ISOWRITE" devices
	lacks_text "$dev " out
	run 0 "$ISOWRITE" devices --all
	has "  $dev  loop device, 67 MB" out
	has 'FAT32 "KEY"' out
	run 0 "$ISOWRITE" devices --all --json
	is "$(json out "[d['writable'] for d in j['devices'] if d['path'] == '$dev'][0]")" true
	is "$(json out "[d['contents'][0]['label'] for d in j['devices'] if d['path'] == '$dev'][0]")" KEY
}

test_devices_refuses_the_systems_disk()
{
	local root path

	root=$(system_number)
	path=$(readlink -f "/sys/dev/block/$root")
	[ ! -e "$path/partition" ] || path=${path%/*}
	run 0 "$ISOWRITE" devices --all --json
	path=/dev/${path##*/}
	is "$(json out "[d['refused'][0]['rule'] for d in j['devices'] if d['path'] == '$path'][0]")" system
}
