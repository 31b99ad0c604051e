#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# read: a device into a file, and --backup, judged by cmp, sha256sum, zstd, du and the tools of
# partition tables.

. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# used_stick FILE: 32 MiB with a GPT, ext4 with files, and noise where nothing points to.
used_stick()
{
	noise 32M "$1" 5
	dd if=/dev/zero of="$1" bs=1M seek=21 count=8 conv=notrunc status=none
	sgdisk -Z "$1" >/dev/null 2>&1 || :
	sfdisk -q "$1" <<-'END'
		label: gpt
		start=2048, size=16384, name=first
		start=20480, size=16384, name=second
	END
	mkfs.ext4 -q -F -E "$EXT4_AT_ONCE,offset=1048576" "$1" 8M
}

# sum_of FILE: its SHA-256.
sum_of()
{
	sha256sum <"$1" | cut -c 1-64
}

# kib FILE: what it takes on the disk.
kib()
{
	du -k "$1" | cut -f 1
}

# left_over: nothing but what the test made lies here.
nothing_left()
{
	[ -z "$(find . -name '.isowrite*')" ] || fail "a temporary file is left"
	[ ! -e "$1" ] || fail "$1 is there"
}

test_whole_device()
{
	local dev

	used_stick stick
	dev=$(attach stick)
	run 0 "$ISOWRITE" read --json "$dev" -o copy.img
	validate_json out
	same stick copy.img
	is "$(json out 'j["output"]["sha256"]')" "$(sum_of stick)"
	is "$(json out 'j["output"]["read_back"]')" true
	is "$(json out 'j["device"]["status"]')" read
	is "$(json out 'j["error"]')" null
	# 8 MiB of zeros are a hole, and most of the ext4.
	[ "$(kib copy.img)" -le 25000 ] || fail "copy.img has no holes: $(kib copy.img) KiB"
	run 0 "$ISOWRITE" read "$dev" -o other.img
	has "$(sum_of stick)" out
	has "isowrite other.img $dev" out
	tr '\n' ' ' <out >line
	has 'The file was read back and is equal.' line
	lacks_text Verified out
}

test_4096_byte_sectors()
{
	local dev

	noise 20M stick 3
	dev=$(attach stick --sector-size 4096 --direct-io=on)
	sfdisk -q "$dev" <<<$'label: gpt\nsize=8M'
	run 0 "$ISOWRITE" read "$dev" -o copy.img.zst
	zstd -qt copy.img.zst
	zstd -qdc copy.img.zst | cmp - stick
	run 0 "$ISOWRITE" read --json --used "$dev" -o used.img
	validate_json out
	is "$(json out 'j["output"]["device_bytes"]')" 9437184
	same stick used.img 400
	[ "$(size_of used.img)" -lt "$(size_of stick)" ] || fail "it is no shorter"
	dev=$(attach used.img --sector-size 4096 --direct-io=on)
	run 0 sgdisk -v "$dev"
	has 'No problems found' out
}

test_compressed()
{
	used_stick stick
	run 0 "$ISOWRITE" read stick -o copy.img.zst
	zstd -qt copy.img.zst
	zstd -qdc copy.img.zst | cmp - stick
	# The frame tells the size of its content and has a checksum.
	zstd -lv copy.img.zst >list
	matches 'Decompressed Size: 32.0 MiB' list
	matches 'Check: XXH64 [0-9a-f]' list
	run 0 "$ISOWRITE" read stick --compress=none -o plain.zst
	same stick plain.zst
	run 0 "$ISOWRITE" read stick --compress=zst -o packed
	zstd -qdc <packed | cmp - stick
	run 2 "$ISOWRITE" read stick -o copy.img.xz
	has 'zstd' err
	nothing_left copy.img.xz
}

# Of a large one the size is known without walking through it, and by zstd too.
test_compressed_in_several_frames()
{
	blank 600M stick
	noise 1M part
	dd if=part of=stick bs=1M seek=255 conv=notrunc status=none
	dd if=part of=stick bs=1M seek=599 conv=notrunc status=none
	run 0 "$ISOWRITE" read stick -o copy.img.zst
	zstd -lv copy.img.zst >list
	matches 'Zstandard Frames: 3' list
	matches 'Decompressed Size: 600 MiB' list
	zstd -qt copy.img.zst
	zstd -qdc copy.img.zst | cmp - stick
	run 0 "$ISOWRITE" inspect --json copy.img.zst
	is "$(json out 'j["size"]')" 629145600
}

# Through a file with holes, odd in size.
test_sparse_file()
{
	blank 40M stick
	printf end >>stick
	noise 1M part 1
	dd if=part of=stick bs=1M seek=17 conv=notrunc status=none
	run 0 "$ISOWRITE" read --json stick -o copy.img
	same stick copy.img
	is "$(json out 'j["output"]["sha256"]')" "$(sum_of stick)"
	[ "$(kib copy.img)" -le 1200 ] || fail "no holes: $(kib copy.img) KiB"
}

test_standard_output()
{
	local dev

	used_stick stick
	dev=$(attach stick)
	run 0 bash -c '"$0" read "$1" -o - | sha256sum' "$ISOWRITE" "$dev"
	has "$(sum_of stick)" out
	has 'went to standard output' err
	run 0 bash -c '"$0" read "$1" --compress=zst -o - | zstd -qdc | sha256sum' "$ISOWRITE" "$dev"
	has "$(sum_of stick)" out
	run 0 bash -c '"$0" read -q "$1" -o - >file' "$ISOWRITE" "$dev"
	same stick file
	# A reader that goes away.
	run 1 bash -c 'set -o pipefail; "$0" read "$1" -o - | head -c 1000 >/dev/null' "$ISOWRITE" "$dev"
	has 'Standard output could not be written' err
	# Devices are no files, by whatever door.
	blank 80M other
	other=$(attach other)
	run 2 bash -c '"$0" read "$1" -o - >"$2"' "$ISOWRITE" "$dev" "$other"
	run 2 "$ISOWRITE" read --json "$dev" -o -
	is_blank other
}

test_used_gpt()
{
	local dev

	used_stick stick
	run 0 "$ISOWRITE" read --json --used stick -o used.img
	cp out first.json
	validate_json out
	is "$(json out 'j["output"]["device_bytes"]')" $((36864 * 512))
	has 'partition 2 of its GPT' out
	is "$(json out 'j["output"]["sha256"]')" "$(sum_of used.img)"
	# What is behind the table is the same, and the table is right where it ends now.
	cmp -i 1024 -n $((36864 * 512 - 1024)) stick used.img
	run 0 sgdisk -v used.img
	has 'No problems found' out
	is "$(sfdisk -d used.img | grep -c size=)" 2
	diff <(sfdisk -d stick | grep size= | sed 's/^[^:]*//') \
		<(sfdisk -d used.img | grep size= | sed 's/^[^:]*//')
	# It says which bytes differ, and they are all.
	cp first.json out
	"$PYTHON" - <<-'END'
		import json
		end = 36864 * 512
		a, b = open("stick", "rb").read(end), open("used.img", "rb").read(end)
		said = set()
		for r in json.load(open("out"))["output"]["differs_from_device"]:
		    said |= set(range(r["offset"], r["offset"] + r["length"]))
		really = {i for i in range(4096) if a[i] != b[i]}
		assert really and really <= said, (really, said)
		assert a[4096:] == b[4096:]
	END
	# Put back, table and used part are exactly what they were.
	cp stick before
	dev=$(attach stick)
	run 0 "$ISOWRITE" read --used --overwrite "$dev" -o used.img
	command=$(sed -n 's/^    isowrite //p' out)
	has "--fix-gpt used.img $dev" out
	run 0 "$ISOWRITE" --yes "$(image data.iso)" "$dev"
	run 0 bash -c "$ISOWRITE --yes $command"
	same before "$dev" $((36864 * 512))
	cmp -i $((32 * 1048576 - 33 * 512)) before stick
	run 0 "$ISOWRITE" read --used "$dev" -o used.img.zst
	command=$(sed -n 's/^    isowrite //p' out)
	run 0 bash -c "$ISOWRITE --yes $command"
	run 0 sgdisk -v "$dev"
}

test_used_mbr_with_logical_partitions()
{
	noise 64M stick 5
	sfdisk -q -w never -W never stick <<-'END'
		label: dos
		start=2048, size=8192, type=c
		start=10240, size=40960, type=5
		start=12288, size=8192, type=83
		start=24576, size=8192, type=83
	END
	run 0 "$ISOWRITE" read --used --json stick -o used.img
	is "$(json out 'j["output"]["device_bytes"]')" $((51200 * 512))
	is "$(size_of used.img)" $((51200 * 512))
	same stick used.img $((51200 * 512))
	diff <(sfdisk -d stick | grep size=) <(sfdisk -d used.img | grep size= | sed 's/used.img/stick/')
}

test_used_without_a_table()
{
	blank 64M stick
	dd if="$(image data.iso)" of=stick conv=notrunc status=none
	run 0 "$ISOWRITE" read --used --json stick -o used.iso
	is "$(json out 'j["output"]["used_by"]')" 'its ISO 9660 volume'
	[ "$(size_of used.iso)" -le "$(size_of "$(image data.iso)")" ] || fail "too long"
	same used.iso "$(image data.iso)" "$(size_of used.iso)"
	run 0 "$ISOWRITE" inspect used.iso
	# Of a hybrid image that was written, its own backup GPT too.
	blank 64M stick
	run 0 "$ISOWRITE" --yes "$(image ubuntu.iso)" stick
	run 0 "$ISOWRITE" read --used --json stick -o ubuntu.img
	same stick ubuntu.img "$(size_of ubuntu.img)"
	run 0 "$ISOWRITE" inspect ubuntu.img
	# A file system that nothing of ours knows the size of.
	mkfs.ext4 -q -F stick
	run 4 "$ISOWRITE" read --used stick -o used.img
	has 'where its used part ends' err
	has 'Without --used' err
	nothing_left used.img
	# The only good copy of the table lies at the end.
	used_stick stick
	dd if=/dev/zero of=stick bs=512 seek=1 count=1 conv=notrunc status=none
	run 0 "$ISOWRITE" read --used stick -o all.img
	has 'Read: all' out
	same stick all.img
	dd if=/dev/zero of=stick bs=512 seek=65535 count=1 conv=notrunc status=none
	run 4 "$ISOWRITE" read --used stick -o used.img
	nothing_left used.img
}

# blkid and the kernel take such a disk for ext4, however small its partition is.
test_used_of_a_file_system_beside_a_table()
{
	blank 64M stick
	printf 'start=2048, size=8192, type=c\n' | sfdisk -q stick
	dd if=stick of=table bs=512 count=1 status=none
	mkfs.ext4 -q -F stick
	dd if=table of=stick bs=512 count=1 conv=notrunc status=none
	run 4 "$ISOWRITE" read --used stick -o used.img
	has 'there is ext4 on all of it' err
	nothing_left used.img
	run 0 "$ISOWRITE" read stick -o all.img
	same stick all.img
}

test_existing_files_stay()
{
	used_stick stick
	echo precious >copy.img
	run 2 "$ISOWRITE" read stick -o copy.img
	has '--overwrite' err
	is "$(cat copy.img)" precious
	ln -s copy.img link
	run 2 "$ISOWRITE" read stick -o link --overwrite
	run 2 "$ISOWRITE" read stick -o .
	run 2 "$ISOWRITE" read stick -o /dev/isowrite-test
	[ ! -e /dev/isowrite-test ] || fail "a file below /dev"
	run 2 "$ISOWRITE" read stick -o stick
	run 2 "$ISOWRITE" read stick -o stick --overwrite
	has 'is to be read' err
	run 2 "$ISOWRITE" read stick
	has 'isowrite read stick -o stick.img.zst' err
	run 2 "$ISOWRITE" read absent -o copy
	run 2 "$ISOWRITE" read . -o copy
	is "$(cat copy.img)" precious
	run 0 "$ISOWRITE" read stick -o copy.img --overwrite
	same stick copy.img
	nothing_left copy
}

# Every suggested command works when pasted.
test_put_back()
{
	local dev

	used_stick stick
	dev=$(attach stick)
	cp stick before
	run 0 "$ISOWRITE" read "$dev" -o copy.img.zst
	command=$(sed -n 's/^    isowrite //p' out)
	run 0 "$ISOWRITE" --yes "$(image ubuntu.iso)" "$dev"
	run 0 bash -c "$ISOWRITE --yes $command"
	same before "$dev"
	# Cut short by its own tables, and called like a command.
	head -c 15728640 before >short
	dev=$(attach short)
	run 0 "$ISOWRITE" read "$dev" -o inspect
	command=$(sed -n 's/^    isowrite //p' out)
	has --allow=truncated out
	cp short before
	run 0 "$ISOWRITE" --yes --mode=raw "$(image data.iso)" "$dev"
	run 0 bash -c "$ISOWRITE --yes $command"
	same before "$dev"
}

# Quoted for the shell, or not suggested at all.
test_put_back_from_odd_names()
{
	local dev name

	noise 2M stick
	dev=$(attach stick)
	for name in "it's a \$stick.img" -dash ' blank' write; do
		run 0 "$ISOWRITE" read --overwrite "$dev" -o "$name"
		command=$(sed -n 's/^    isowrite //p' out)
		dd if=/dev/zero of="$dev" bs=1M count=2 status=none
		run 0 bash -c "$ISOWRITE --yes $command"
		same "$name" "$dev"
	done
	name=$(printf '%0200d/' 1 2 3 4 5 6)
	mkdir -p "$name"
	run 0 "$ISOWRITE" read "$dev" -o "${name}copy.img"
	lacks_text 'put it back' out
}

# It would be decompressed when it is written.
test_that_looks_compressed()
{
	local dev

	noise 1M data
	gzip -c data >stick
	truncate -s 8M stick
	dev=$(attach stick)
	run 0 "$ISOWRITE" read "$dev" -o copy.img
	same stick copy.img
	has 'cannot put it back' out
	lacks_text 'isowrite copy.img' out
	cp stick before
	command=$(sed -n 's/^    //p' out)
	dd if=/dev/urandom of="$dev" bs=1M count=8 status=none
	run 0 bash -c "$command"
	same before "$dev"
	# An MBR does not say what sectors it counts.
	blank 64M four
	dev=$(attach four --sector-size 4096)
	sfdisk -q "$dev" <<<$'label: dos\nsize=8M, type=83'
	cp four before
	run 0 "$ISOWRITE" read "$dev" -o four.img.zst
	command=$(sed -n 's/^    //p' out)
	dd if=/dev/urandom of="$dev" bs=1M count=8 status=none
	run 0 bash -c "${command/isowrite/$ISOWRITE --yes}"
	same before "$dev"
	dev=$(attach stick)
	# Compressed twice is refused as well.
	cp stick before
	run 0 "$ISOWRITE" read "$dev" -o copy.img.zst
	has 'cannot put it back' out
	command=$(sed -n 's/^    //p' out)
	dd if=/dev/urandom of="$dev" bs=1M count=8 status=none
	run 0 bash -c "$command"
	same before "$dev"
	run 4 "$ISOWRITE" read --used "$dev" -o used.img
}

test_mounted()
{
	local dev

	used_stick stick
	dev=$(attach stick)
	partx -a "$dev" || lacks "partitions of loop devices"
	at_end partx -d "$dev"
	mkdir mnt
	mount "${dev}p1" mnt
	at_end umount mnt
	echo hello >mnt/new
	run 0 "$ISOWRITE" read "$dev" -o copy.img
	has 'is in use (mounted)' err
	has --unmount err
	# What was written a moment ago is in it.
	dd if=copy.img of=part bs=1M skip=1 count=8 status=none
	is "$(debugfs -R 'cat new' part 2>/dev/null)" hello
	run 0 "$ISOWRITE" read --unmount "$dev" -o clean.img
	! mountpoint -q mnt || fail "still mounted"
	lacks_text mounted err
	same stick clean.img
	dd if=clean.img of=part bs=1M skip=1 count=8 status=none
	run 0 e2fsck -fn part
}

# Once it is unmounted, nothing shows any more that the file was to lie on it.
test_file_on_the_stick_that_is_unmounted()
{
	local dev

	stick 32M stick
	dev=$(attach stick)
	mkfs.ext4 -q -F -E "$EXT4_AT_ONCE" "$dev"
	mkdir mnt
	mount "$dev" mnt
	at_end umount mnt
	run 2 "$ISOWRITE" read --unmount "$dev" -o mnt/copy.img
	has "lies on $dev" err
	# Nor if the shell opened it.
	status=0
	"$ISOWRITE" read "$dev" -o - >mnt/copy.img 2>err || status=$?
	is $status 2
	has "lies on $dev" err
	is "$(size_of mnt/copy.img)" 0
	mountpoint -q mnt || fail "unmounted"
	umount mnt
	[ -z "$(ls -A mnt)" ] || fail "something lies under the mount"
}

# What lies on a btrfs does not tell by its device number which disk that is.
test_file_on_the_sticks_btrfs()
{
	local dev

	need_tool mkfs.btrfs
	grep -q btrfs /proc/filesystems || modprobe -q btrfs || skip "this kernel has no btrfs"
	blank 256M stick
	dev=$(attach stick)
	mkfs.btrfs -q "$dev" >&2
	mkdir mnt
	mount "$dev" mnt
	at_end umount mnt
	run 2 "$ISOWRITE" read "$dev" -o mnt/copy.img
	has "lies on $dev" err
	run 2 "$ISOWRITE" --yes --unmount --backup=mnt/copy.img "$(image data.iso)" "$dev"
	has "lies on $dev" err
	run 2 "$ISOWRITE" --yes --unmount --receipt=mnt/receipt "$(image data.iso)" "$dev"
	mountpoint -q mnt || fail "unmounted"
}

# A loop device whose file is replaced goes on in a file that has no name.
test_backing_file_is_not_replaced()
{
	local dev inode

	used_stick stick
	dev=$(attach stick)
	inode=$(stat -c %i stick)
	run 2 "$ISOWRITE" read --overwrite "$dev" -o stick
	run 2 "$ISOWRITE" --yes --overwrite --backup=stick "$(image data.iso)" "$dev"
	is "$(stat -c %i stick)" "$inode"
}

test_written_to_meanwhile()
{
	local dev

	used_stick stick
	dev=$(attach stick)
	mkfifo pipe
	"$ISOWRITE" read "$dev" -o - >pipe 2>err &
	pid=$!
	exec 7<pipe
	head -c 1000000 <&7 >/dev/null
	dd if=/dev/urandom of="$dev" bs=64k count=1 seek=450 conv=notrunc,fsync oflag=direct status=none
	cat <&7 >/dev/null
	exec 7<&-
	status=0
	wait $pid || status=$?
	is $status 4
	has 'was written to while it was read' err
}

test_no_verify()
{
	used_stick stick
	run 0 "$ISOWRITE" read --no-verify stick -o copy.img
	tr '\n' ' ' <out >line
	has 'The file was not read back.' line
	same stick copy.img
}

test_full_file_system()
{
	need_root
	used_stick stick
	mkdir mnt
	mount -t tmpfs -o size=10M tmpfs mnt
	at_end umount mnt
	run 5 "$ISOWRITE" read stick -o mnt/copy.img
	has 'may not fit' err
	has 'its file system is full' err
	[ -z "$(ls -A mnt)" ] || fail "something is left"
	# Holes need no room.
	blank 64M stick
	run 0 "$ISOWRITE" read stick -o mnt/copy.img
	same stick mnt/copy.img
}

# A limit of the shell's is no reason to die of a signal.
test_limit_of_file_sizes()
{
	noise 8M stick
	cp stick before
	run 5 bash -c 'ulimit -f 1024; exec "$@"' bash "$ISOWRITE" read --json stick -o copy.img
	validate_json out
	has 'ulimit -f' err
	run 5 bash -c 'ulimit -f 1024; exec "$@"' bash "$ISOWRITE" --yes --backup=copy.img \
		"$(image data.iso)" file:stick
	has 'Nothing was written, because the backup failed' err
	nothing_left copy.img
	expect_untouched stick before
}

test_events()
{
	used_stick stick
	run 0 "$ISOWRITE" read --json=lines stick -o copy.img
	validate_json out
	has '"phase":"read"' out
	has '"phase":"verify"' out
	has '"event":"result"' out
	run 2 "$ISOWRITE" read --json=lines stick -o copy.img
	validate_json out
	has '"event":"error"' out
}

test_backup()
{
	local dev

	used_stick stick
	dev=$(attach stick)
	cp stick before
	run 0 "$ISOWRITE" --yes --backup=before.img.zst "$(image ubuntu.iso)" "$dev"
	has "isowrite before.img.zst $dev" out
	has 'before.img.zst first' err
	zstd -qdc before.img.zst | cmp - before
	run 0 "$ISOWRITE" --yes --json before.img.zst "$dev"
	same before "$dev"
	# As JSON, and into a plain file.
	run 0 "$ISOWRITE" --yes --json=lines --backup=before.img "$(image ubuntu.iso)" "$dev"
	validate_json out
	has '"phase":"backup"' out
	tail -n 1 out >last
	is "$(json last 'j["targets"][0]["backup"]["restore"]')" "isowrite before.img $dev"
	is "$(json last 'j["targets"][0]["backup"]["sha256"]')" "$(sum_of before)"
	same before before.img
	run 0 "$ISOWRITE" --yes before.img "$dev"
	same before "$dev"
	# A virtual stick, odd in size.
	truncate -s 8390000 odd
	noise 4M part
	dd if=part of=odd conv=notrunc status=none
	cp odd old
	run 0 "$ISOWRITE" --yes --backup=odd.img "$(image data.iso)" file:odd
	same old odd.img
	run 0 "$ISOWRITE" --yes odd.img file:odd
	same old odd
}

test_backup_before_format()
{
	local dev

	used_stick stick
	dev=$(attach stick)
	cp stick before
	run 0 "$ISOWRITE" format --yes --json --backup=before.img.zst "$dev"
	validate_json out
	is "$(json out 'j["targets"][0]["backup"]["restore"]')" "isowrite before.img.zst $dev"
	[ "$(blkid -po value -s PTTYPE "$dev")" = dos ] || fail "it was not formatted"
	run 0 "$ISOWRITE" --yes before.img.zst "$dev"
	same before "$dev"
	# What is there stays, without --overwrite.
	run 2 "$ISOWRITE" format --yes --backup=before.img.zst "$dev"
	same before "$dev"
}

test_backup_that_fails()
{
	need_root
	used_stick stick
	cp stick before
	mkdir mnt
	mount -t tmpfs -o size=10M tmpfs mnt
	at_end umount mnt
	run 5 "$ISOWRITE" --yes --backup=mnt/old.img "$(image ubuntu.iso)" file:stick
	has 'Nothing was written, because the backup failed' err
	[ -z "$(ls -A mnt)" ] || fail "something is left"
	expect_untouched stick before
}

test_backup_arguments()
{
	used_stick stick
	cp stick before
	blank 64M other
	run 2 "$ISOWRITE" --yes --backup=old.img "$(image data.iso)" file:stick other
	has 'one target' err
	run 2 "$ISOWRITE" --yes --backup=stick "$(image data.iso)" file:stick
	run 2 "$ISOWRITE" --yes --overwrite --backup=stick "$(image data.iso)" file:stick
	cp "$(image data.iso)" data.iso
	run 2 "$ISOWRITE" --yes --overwrite --backup=data.iso data.iso file:stick
	same data.iso "$(image data.iso)"
	# What is said of the job would stand in it, and nobody could read it back.
	run 2 "$ISOWRITE" --yes --backup=- data.iso file:stick
	has 'name a file' err
	is "$(size_of out)" 0
	run 2 "$ISOWRITE" --yes --backup=old.img.gz data.iso file:stick
	run 2 "$ISOWRITE" --yes --compress=zst data.iso file:stick
	run 2 "$ISOWRITE" --yes --overwrite --receipt=r --backup=r data.iso file:stick
	# The receipt comes last.
	run 2 "$ISOWRITE" --yes --overwrite --receipt=r --backup="$PWD/./r" data.iso file:stick
	nothing_left old.img
	is_blank other
	expect_untouched stick before
	# A dry run reads nothing either, and says so.
	run 0 "$ISOWRITE" -n --backup=old.img data.iso file:stick
	has 'saves nothing' err
	nothing_left old.img
	# The question comes first.
	run 8 on_pty --send 'y/N' n -- "$ISOWRITE" --backup=old.img data.iso other
	nothing_left old.img
	is_blank other
}
