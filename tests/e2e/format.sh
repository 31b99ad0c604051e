#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A stick given back: one empty volume over its full size, judged by the file
# systems' own checkers, by blkid, sfdisk, sgdisk, mtools and the kernel.

. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
. "$(dirname "${BASH_SOURCE[0]}")/disks.bash"

TIMEOUT=120
SEED=6f1c2d9e-93a0-4d6b-8a2e-0f3b5c7d9e11

volume() { json out "j['plans'][${2:-0}]['volume']['$1']"; }

# clean TYPE VOLUME: its own checker finds nothing.
clean()
{
	need_tool fsck.fat fsck.exfat e2fsck mke2fs blkid sfdisk sgdisk wipefs mlabel
	case $1 in
	fat16 | fat32) fsck.fat -n "$2" ;;
	exfat) fsck.exfat -n "$2" ;;
	ext4) e2fsck -fn "$2" ;;
	esac >fsck 2>&1 || { show fsck; fail "the checker complains about this $1 volume"; }
}

# judge FILE TYPE LABEL: the volume of the file is what the JSON in "out" says it is.
judge()
{
	local start size

	validate_json out
	is "$(json out 'j["targets"][0]["status"]')" verified status
	start=$(volume start) size=$(volume size)
	is "$(volume type)" "$2" type
	is "$(volume label)" "$3" label
	rm -f volume
	dd if="$1" of=volume bs=1M skip=$((start >> 20)) count=$((size >> 20)) conv=sparse status=none
	truncate -s "$size" volume
	clean "$2" volume
	is "$(blkid -p -o value -s UUID volume)" "$(volume id)" UUID
	is "$(blkid -p -o value -s LABEL volume)" "${3/#null/}" LABEL
	sfdisk --verify "$1" >said 2>&1 || { show said; fail "sfdisk complains"; }
	is "$(sfdisk -J "$1" | json /dev/stdin \
		'[[p["start"] * 512, p["size"] * 512] for p in j["partitiontable"]["partitions"]]')" \
		"[[$start, $size]]" partitions
}

test_every_type_over_old_data()
{
	local type label=KEY

	noise 260M old 3
	sgdisk -o -n 1:2048:40000 old >/dev/null
	for type in fat32 exfat ext4; do
		cp old s
		run 0 "$ISOWRITE" format -y --json --type=$type --label=$label file:s
		judge s $type $label
		is "$(volume start)" 4194304
		is "$(wipefs -n -i s | grep -v '^DEVICE' | awk '{ print $3 }' | sort -u)" dos "what wipefs finds"
		is "$(wipefs -n volume | tail -n +2 | awk '{ print $3 }' | sort -u)" \
			"$(blkid -p -o value -s TYPE volume)" "what wipefs finds in the volume"
	done
}

# What was not planned holds what it held; what was read back is all that was written.
test_nothing_outside_the_plan()
{
	noise 64M s 3
	cp s before
	run 0 "$ISOWRITE" format -n --json --seed=$SEED file:s
	validate_json out
	same s before
	json out '"\n".join("%d %d" % (e["start"], e["length"])
		for e in j["plans"][0]["extents"] if e["kind"] == "keep")' >kept
	[ -s kept ] || fail "nothing is kept"
	run 0 "$ISOWRITE" format -y --seed=$SEED file:s
	while read -r start len; do
		cmp -i "$start" -n "$len" s before >&2 || fail "written at $start"
	done <kept
}

test_small_sticks()
{
	blank 64M s
	run 0 "$ISOWRITE" format -y --json s
	judge s fat32 null
	is "$(volume start)" 1048576
	for size in 8M 33M; do
		blank $size s
		run 0 "$ISOWRITE" format -y --json s
		judge s fat16 null
		run 0 "$ISOWRITE" format -y --json --type=exfat file:s
		judge s exfat null
		run 0 "$ISOWRITE" format -y --json --type=ext4 file:s
		judge s ext4 null
	done
	blank 7M s
	run 5 "$ISOWRITE" format -y s
	has 'too little' err
	blank 32M s
	run 5 "$ISOWRITE" format -y --type=fat32 s
	has 'too little for FAT32' err
	is_blank s
}

# Sizes that are no multiple of a MiB, of 4 KiB, of a sector.
test_odd_sizes()
{
	local size table

	for size in $((64 * 1048576 + 513)) $((300 * 1048576 - 1)) $((9 * 1048576 + 512)); do
		for table in mbr gpt; do
			noise 10M s 3
			truncate -s "$size" s
			run 0 "$ISOWRITE" format -y --json --table=$table --type=exfat file:s
			judge s exfat null
			is "$(cmp -n 512 s /dev/zero >/dev/null && echo blank)" "" "the table"
		done
	done
}

# An old partition's end may be the new one's: RAID and ZFS are found by what lies there.
test_a_stale_superblock_at_the_volumes_end()
{
	local type table size

	while read -r type table size; do
		blank "$size" s
		run 0 "$ISOWRITE" format -n --json --table="$table" --type="$type" file:s
		python3 - "$(volume start)" "$(volume size)" s <<-'END' || fail python
			import struct, sys
			start, size = int(sys.argv[1]), int(sys.argv[2])
			offset = size // 4096 * 4096 - 8192  # of a RAID member with metadata 1.0
			sb = bytearray(256)
			struct.pack_into("<II16s32s", sb, 0, 0xa92b4efc, 1, b"", b"\1" * 16)
			struct.pack_into("<Q", sb, 144, offset // 512)
			struct.pack_into("<I", sb, 216, sum(struct.unpack("<64I", sb)) % 0xffffffff)
			with open(sys.argv[3], "r+b") as f:
			    f.seek(start + offset)
			    f.write(sb)
		END
		is "$(blkid -p -o value -s TYPE -O "$(volume start)" -S "$(volume size)" s)" \
			linux_raid_member "before"
		run 0 "$ISOWRITE" format -y --json --table="$table" --type="$type" file:s
		judge s "$type" null
	done <<-END
		fat32 gpt 67108864
		exfat mbr 68156928
		ext4 gpt 67900416
	END
}

test_gpt()
{
	blank 100M s
	run 0 "$ISOWRITE" format -y --json --table=gpt --type=exfat s
	judge s exfat null
	is "$(volume table)" gpt
	sgdisk -v s >said
	has 'No problems found' said
	is "$(sgdisk -i 1 s | sed -n 's/^Partition GUID code: \([0-9A-F-]*\).*/\1/p')" \
		EBD0A0A2-B9E5-4433-87C0-68B6B72699C7
}

# An MBR does not reach further than 2 TiB with sectors of 512 bytes.
test_gpt_where_an_mbr_ends()
{
	run 0 "$ISOWRITE" format -n --json --size=3TB file:new
	is "$(volume table)" gpt
	is "$(json out 'j["findings"][0]["code"]')" table-gpt
	run 0 "$ISOWRITE" format -n --json --size=2TB file:new
	is "$(volume table)" mbr
	run 5 "$ISOWRITE" format -n --table=mbr --size=3TB file:new
	has '--table=gpt' err
	run 5 "$ISOWRITE" format -n --type=fat32 --size=3TB file:new
	has 'FAT32 cannot have 3.0 TB' err
	! [ -e new ] || fail "a dry run made the file"
}

# Under 2 seconds at 20 MB/s: what is written to a stick of 256 GB, by the plan.
test_a_large_stick_is_given_back_in_seconds()
{
	local type bytes

	for type in fat32 exfat ext4; do
		run 0 "$ISOWRITE" format -n --json --type=$type --size=256GB file:new
		bytes=$(json out 'j["plans"][0]["bytes_from_memory"] + j["plans"][0]["bytes_zero"]')
		[ "$bytes" -le 40000000 ] || fail "$type writes $bytes bytes"
	done
	run 0 "$ISOWRITE" format -n --json --size=256GB file:new
	is "$(volume type)" exfat
	run 0 "$ISOWRITE" format -n --json --size=32GB file:new
	is "$(volume type)" fat32
}

test_labels()
{
	blank 64M s
	run 0 "$ISOWRITE" format -y --json --label='my-key_#1 @' --type=fat32 s
	judge s fat32 'MY-KEY_#1 @'
	has 'capital letters only' err
	is "$(MTOOLS_SKIP_CHECK=1 mlabel -s -i s@@1048576 ::)" " Volume label is MY-KEY_#1 @"
	run 0 "$ISOWRITE" format -y --json --label='Schlüssel €' --type=exfat file:s
	judge s exfat 'Schlüssel €'
	run 0 "$ISOWRITE" format -y --json --label=$'\xf0\x9f\x94\x91 $(x) ;&' --type=exfat file:s
	judge s exfat $'\xf0\x9f\x94\x91 $(x) ;&'
	run 0 "$ISOWRITE" format -y --json --label='-L */:"?' --type=ext4 file:s
	judge s ext4 '-L */:"?'
}

test_labels_that_cannot_be()
{
	local type label

	blank 64M s
	while IFS='|' read -r type label; do
		run 2 "$ISOWRITE" format -y --type="$type" --label="$label" s
		has 'The label' err
		[ "$(wc -l <err)" -le 4 ] || { show err; fail "more than 4 lines"; }
		is_blank s
	done <<-END
		fat32|TWELVE CHARS
		fat32|SCHLÜSSEL
		fat32|A.B
		fat32|A/B
		exfat|twelve chars
		exfat|a:b
		exfat|a$(printf '\001')b
		exfat|a$(printf '\377')b
		ext4|seventeen bytes..
		ext4|ÄÖÜÄÖÜÄÖÜ
		ext4| blank
	END
}

test_same_seed_same_bytes()
{
	local type

	for type in fat32 exfat ext4; do
		blank 64M a
		blank 64M b
		run 0 "$ISOWRITE" format -y --json --seed=$SEED --type=$type a
		is "$(volume label)" null
		sleep 1.1
		TZ=Asia/Tokyo run 0 "$ISOWRITE" format -y --seed=$SEED --type=$type b
		same a b
		run 0 "$ISOWRITE" format -y --type=$type file:b
		! cmp -s a b || fail "the same without a seed"
	done
}

test_several_sticks_have_their_own_numbers()
{
	blank 64M a
	blank 64M b
	blank 300M c
	run 0 "$ISOWRITE" format -y --json --label=KEY a b c
	validate_json out
	is "$(json out '[t["status"] for t in j["targets"]]')" '["verified", "verified", "verified"]'
	is "$(json out 'len(set(p["volume"]["id"] for p in j["plans"]))')" 3
	[ "$(sfdisk --disk-id a)" != "$(sfdisk --disk-id b)" ] || fail "the same disk signature"
	dd if=b of=volume bs=1M skip=1 conv=sparse status=none
	clean fat32 volume
	dd if=c of=volume bs=1M skip=4 conv=sparse status=none
	clean fat32 volume
}

test_words()
{
	blank 64M s
	run 0 "$ISOWRITE" format -y --label=key s
	has 'BECOMES  one FAT32 volume "KEY", 66 MB' err
	has 'Formatted: one FAT32 volume "KEY", 66 MB. Verified: all' out
	run 0 "$ISOWRITE" format -y --no-verify file:s
	has 'Written, not verified' out
	lacks_text 'Verified' out
	run 0 "$ISOWRITE" format -n file:s
	has 'which becomes one FAT32 volume, 66 MB:' out
	has 'second FAT' out
	run 2 "$ISOWRITE" format -y file:new
	has '--size=16GB' err
	blank 64M there
	# What is suggested takes it.
	run 2 "$ISOWRITE" format -y --type=fat32 --label=a.b there
	has '--type=exfat takes it' err
	run 2 "$ISOWRITE" format -y --type=fat32 --label=twelve-chars there
	lacks_text exfat err
	# Not a part of what is there, and all of it would be what was not asked for.
	run 2 "$ISOWRITE" format -y --size=16MiB there
	has '--size is for a new file:PATH' err
	is_blank there
	run 0 "$ISOWRITE" format -y --size=16MiB file:new
	run 0 "$ISOWRITE" inspect new
	has 'no: it was formatted for files' out
	is "$(size_of new)" 16777216
	run 2 "$ISOWRITE" format
	run 2 "$ISOWRITE" format --type=ntfs s
	run 2 "$ISOWRITE" format --sha256=00 s
}

test_no_is_no()
{
	blank 64M s
	run 8 on_pty --send 'Format it' '' -- "$ISOWRITE" format s
	is_blank s
	run 0 on_pty --send 'Format it' y -- "$ISOWRITE" format s
	run 2 setsid "$ISOWRITE" format file:s
	has 'no terminal' err
}

test_mke2fs_is_missing()
{
	need_tool strace mke2fs
	blank 64M s
	# The leak checker and strace want the same ptrace.
	export ASAN_OPTIONS=detect_leaks=0
	run 10 strace -f -qq -o trace -e trace=access,faccessat,faccessat2 \
		-e inject=access,faccessat,faccessat2:error=ENOENT \
		"$ISOWRITE" format -y --type=ext4 s
	grep -q 'mke2fs.*INJECTED' trace || fail "mke2fs was not looked for"
	has 'mke2fs, which is not installed' err
	is_blank s
}

test_rules_hold()
{
	local dev

	blank 64M stick
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" -L backup stick
	dev=$(attach stick)
	mkdir mnt
	mount "$dev" mnt
	cp --sparse=always stick before
	run 3 "$ISOWRITE" format -y "$dev"
	has 'rule mounted' err
	expect_untouched stick before
	run 0 "$ISOWRITE" format -y --unmount "$dev"
	! mountpoint -q mnt || fail "still mounted"
	run 3 "$ISOWRITE" format -y stick
	has 'rule held' err
}

test_foreign_contents()
{
	blank 64M stick
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" -L backup stick
	disk stick usb
	cp --sparse=always stick before
	run 3 as_disk "$ISOWRITE" format -y "$DEV"
	has 'rule contents' err
	has 'it holds ext4 "backup"' err
	expect_untouched stick before
	run 0 as_disk "$ISOWRITE" format -y --json --allow=contents "$DEV"
	judge stick fat32 null
	run 0 as_disk "$ISOWRITE" format -y --label=AGAIN "$DEV"
	has 'You can unplug it.' out
	lacks_text 'isowrite format' out
}

# A table inside a partition would help nobody.
test_a_partition_is_no_stick()
{
	local dev nr

	need_tool partx
	blank 64M stick
	printf 'start=2048, size=65536, type=c\n' | sfdisk -q stick
	dev=$(attach stick)
	partx -a "$dev" || lacks "partitions of loop devices"
	at_end partx -d "$dev"
	nr=$(cat "/sys/class/block/${dev##*/}p1/dev")
	mknod part b "${nr%:*}" "${nr#*:}"
	cp --sparse=always stick before
	run 2 "$ISOWRITE" format -y part
	has 'format gives whole disks back' err
	expect_untouched stick before
}

# check_volume DEV SECTOR: the volume of "out" on the device.
check_volume()
{
	local status start size type id vol

	read -r status start size type id < <(json out '" ".join([j["targets"][0]["status"]] +
		[str(j["plans"][0]["volume"][k]) for k in ("start", "size", "type", "id")])')
	is "$status" verified
	vol=$(losetup -f --show -b "$2" -o "$start" --sizelimit "$size" "$1")
	clean "$type" "$vol"
	is "$(blkid -p -o value -s LABEL "$vol")" KEY
	is "$(blkid -p -o value -s UUID "$vol")" "$id"
	losetup -d "$vol"
	sfdisk --verify "$1" >said 2>&1 || { show said; fail "sfdisk complains"; }
}

# 64 MiB to 2 TB; 67 MB are too little for FAT32 on sectors of 4096 bytes.
sizes_on()
{
	local size type dev

	need_root
	for size in 64M 300M 8G 256000000000 2000000000000; do
		for type in '' --type=exfat --type=ext4; do
			blank $size s
			dev=$(attach s -b "$1" --direct-io=on)
			run 0 "$ISOWRITE" format -y --json --label=KEY $type "$dev"
			check_volume "$dev" "$1"
			losetup -d "$dev"
		done
	done
}

test_sizes_on_sectors_of_512() { sizes_on 512; }

test_sizes_on_sectors_of_4096() { sizes_on 4096; }

test_gpt_on_sectors_of_4096()
{
	local dev

	need_root
	blank 300M s
	dev=$(attach s -b 4096 --direct-io=on)
	run 0 "$ISOWRITE" format -y --json --label=KEY --table=gpt "$dev"
	is "$(volume table)" gpt
	check_volume "$dev" 4096
	sgdisk -v "$dev" >said
	has 'No problems found' said
}

# On request; 250 MB of FATs at 2 TB.
test_fat32_on_request()
{
	local sector size dev

	need_root
	while read -r sector size; do
		blank "$size" s
		dev=$(attach s -b "$sector" --direct-io=on)
		run 0 "$ISOWRITE" format -y --json --label=KEY --type=fat32 "$dev"
		is "$(volume type)" fat32
		check_volume "$dev" "$sector"
		losetup -d "$dev"
	done <<-END
		512 256000000000
		4096 256000000000
		512 2000000000000
	END
}

# The kernel mounts each of them, and a file comes back.
test_mount()
{
	local type dev fs

	need_root
	mkdir mnt
	noise 20M file 9
	noise 64M old 3
	for type in fat32 exfat ext4; do
		fs=$type
		[ $type != fat32 ] || fs=vfat
		grep -qw "$fs" /proc/filesystems || modprobe "$fs" 2>/dev/null || continue
		cp old s
		run 0 "$ISOWRITE" format -y --json --type=$type --label=KEY file:s
		dev=$(attach s -o "$(volume start)" --sizelimit "$(volume size)")
		mount -t "$fs" "$dev" mnt
		is "$(find mnt -mindepth 1 ! -name lost+found)" "" "what is in the new volume"
		cp file mnt/
		umount mnt
		clean "$type" "$dev"
		mount -t "$fs" -o ro "$dev" mnt
		same file mnt/file
		umount mnt
		losetup -d "$dev"
	done
}
