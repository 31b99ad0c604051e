#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The main job on real images: what is on the stick afterwards, judged by cmp,
# sha256sum, blkid, sfdisk and sgdisk, never by what isowrite says of itself.

. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

TIMEOUT=120

IMAGES="memtest86+.iso grub-rescue-cdrom.iso ipxe.iso debian-cd.iso ubuntu.iso fedora.iso arch.iso
	appended-msdos.iso isohybrid-mbr.iso isolinux-plain.iso multisession.iso winlike.iso data.iso
	disk-gpt-esp.img disk-mbr-fat.img disk-superfloppy.img"

# holds TARGET IMAGE BEFORE: the image, zeros to the next sector and in the last
# MiB, and between them what BEFORE (a copy from before the write) held.
holds()
{
	local size image pad start len

	size=$(size_of "$1") image=$(size_of "$2")
	same "$2" "$1" "$image"
	pad=$(((image + 511) / 512 * 512))
	[ "$pad" -ge 1048576 ] || pad=1048576
	[ "$pad" -le "$size" ] || pad=$size
	is_zero "$1" "$image" $((pad - image))
	start=$((size - 1048576))
	[ "$start" -ge "$pad" ] || start=$pad
	is_zero "$1" "$start" $((size - start))
	len=$((start - pad))
	cmp -i "$pad" -n "$len" -- "$1" "$3" >&2 || fail "bytes outside the plan were written"
}

# is_zero FILE OFFSET LENGTH
is_zero()
{
	cmp -i "$2:0" -n "$3" -- "$1" /dev/zero >&2 || fail "not zero: $3 bytes of $1 at $2"
}

sha_of()
{
	head -c "${2:-$(size_of "$1")}" "$1" | sha256sum | cut -d ' ' -f 1
}

# verified JSON IMAGE: what the JSON says of target 0 is what sha256sum says.
verified()
{
	validate_json "$1"
	is "$(json "$1" 'j["targets"][0]["status"]')" verified status
	is "$(json "$1" 'j["targets"][0]["content_sha256"]')" "$(sha_of "$2")" content_sha256
	is "$(json "$1" 'j["image"]["content_sha256"]')" "$(sha_of "$2")" image.content_sha256
	is "$(json "$1" 'j["targets"][0]["sha256"] == j["plans"][0]["sha256"]')" true "sha256 of plan and target"
}

test_every_image_on_a_file()
{
	local name

	for name in $IMAGES; do
		stick 64M s
		cp s before
		run 0 "$ISOWRITE" --yes --mode=raw --json "$(image "$name")" s
		holds s "$(image "$name")" before
		verified out "$(image "$name")"
	done
}

test_every_image_on_a_loop_device()
{
	local name dev

	need_root
	noise 64M before 5
	cp before s
	dev=$(attach s)
	for name in $IMAGES; do
		dd if=before of="$dev" bs=1M oflag=direct status=none
		run 0 "$ISOWRITE" --yes --mode=raw --json "$(image "$name")" "$dev"
		holds "$dev" "$(image "$name")" before
		verified out "$(image "$name")"
		is "$(json out 'j["targets"][0]["verify_method"]')" o_direct
	done
}

seen()
{
	blkid -p -o export "$1"
	sfdisk -d "$1"
	sgdisk -p "$1" | grep -v "^Disk identifier" # invented where there is no GPT
	wipefs -n "$1"
} 2>&1

# What others see on the stick is what they see on a copy by dd.
test_others_see_what_dd_would_have_made()
{
	local name

	for name in $IMAGES; do
		mkdir -p ours theirs
		blank 64M ours/s
		blank 64M theirs/s
		run 0 "$ISOWRITE" --yes --mode=raw "$(image "$name")" ours/s
		dd if="$(image "$name")" of=theirs/s conv=notrunc bs=1M status=none
		is "$(cd ours && seen s)" "$(cd theirs && seen s)" "what others see of $name"
	done
}

test_stale_backup_gpt_is_gone()
{
	blank 64M s
	sgdisk -n 1:2048:4095 s >/dev/null
	run 3 "$ISOWRITE" --yes "$(image data.iso)" s
	run 0 "$ISOWRITE" --yes "$(image data.iso)" file:s
	is "$(wipefs -n s | grep -c gpt)" 0 "GPTs left"
}

# A size that is no multiple of a sector, less than a MiB, exactly the stick's.
test_odd_sizes()
{
	local size

	for size in 1 511 513 1048575 1048577 5000003 $((8 * 1048576)) $((8 * 1048576 - 1)); do
		noise "$size" i
		stick 8M s
		cp s before
		run 0 "$ISOWRITE" --yes --json i s
		holds s i before
		verified out i
	done
}

test_a_loop_device_of_odd_size()
{
	local dev

	need_root
	noise 3000001 i
	noise 8389120 s 3 # 8 MiB and a sector
	cp s before
	dev=$(attach s)
	run 0 "$ISOWRITE" --yes i "$dev"
	holds "$dev" i before
}

test_zram()
{
	local dev

	dev=$(zram 16M)
	noise 5000003 i
	run 0 "$ISOWRITE" --yes --json i "$dev"
	same i "$dev" 5000003
	is "$(json out 'j["targets"][0]["status"]')" verified
}

test_sectors_of_4096()
{
	local dev

	need_root
	noise 16M s 9
	cp s before
	dev=$(attach s --sector-size 4096)
	[ "$(blockdev --getss "$dev")" = 4096 ] || lacks "loop devices with 4096-byte sectors"
	run 4 "$ISOWRITE" --yes "$(image debian-cd.iso)" "$dev"
	has "smaller sectors" err
	expect_untouched "$dev" before
	noise 5000003 i
	run 0 "$ISOWRITE" --yes i "$dev"
	same i "$dev" 5000003
	is_zero "$dev" 5000003 $((5001216 - 5000003))
}

test_new_file_gets_the_plans_size()
{
	run 0 "$ISOWRITE" --yes "$(image debian-cd.iso)" file:new
	same "$(image debian-cd.iso)" new
	is "$(size_of new)" "$(size_of "$(image debian-cd.iso)")"
	run 0 "$ISOWRITE" --yes --size=20MiB "$(image debian-cd.iso)" file:new2
	is "$(size_of new2)" 20971520
	same "$(image debian-cd.iso)" new2 "$(size_of "$(image debian-cd.iso)")"
}

test_two_targets_of_different_sizes()
{
	stick 64M a
	stick 48M b
	cp a a0
	cp b b0
	run 0 "$ISOWRITE" --yes --json "$(image ubuntu.iso)" a b
	holds a "$(image ubuntu.iso)" a0
	holds b "$(image ubuntu.iso)" b0
	is "$(json out 'len(j["plans"])')" 2
	is "$(json out '[t["status"] for t in j["targets"]]')" '["verified", "verified"]'
}

test_one_refused_target_stops_all()
{
	stick 64M a
	noise 64M b
	cp a a0
	cp b b0
	run 3 "$ISOWRITE" --yes --json "$(image data.iso)" a b
	expect_untouched a a0
	expect_untouched b b0
	is "$(json out '[t["status"] for t in j["targets"]]')" '["untouched", "refused"]'
	run 64 "$ISOWRITE" --yes --keep-going --json "$(image data.iso)" a b
	expect_untouched b b0
	holds a "$(image data.iso)" a0
	is "$(json out '[t["status"] for t in j["targets"]]')" '["verified", "refused"]'
	is "$(json out 'j["exit"]')" 64
}

test_no_verify_says_so()
{
	stick 16M s
	run 0 "$ISOWRITE" --yes --no-verify "$(image data.iso)" s
	same "$(image data.iso)" s "$(size_of "$(image data.iso)")"
	has "not verified" out
	lacks_text "Verified" out
	stick 16M s
	run 0 "$ISOWRITE" --yes --no-verify --json "$(image data.iso)" s
	is "$(json out 'j["targets"][0]["status"]')" written
	is "$(json out 'j["targets"][0]["sha256"]')" null
	is "$(json out 'j["targets"][0]["verify_method"]')" none
}

# --fix-gpt: sgdisk finds nothing to complain about, and exactly the bytes that
# the JSON names differ from the image.
test_fix_gpt()
{
	local image name

	for name in disk-gpt-esp.img ubuntu.iso; do
		image=$(image "$name")
		stick 64M s
		run any sgdisk -v "$image"
		run 0 "$ISOWRITE" --yes --fix-gpt --json "$image" s
		validate_json out
		cp out write.json
		is "$(json out 'j["plans"][0]["planner"]')" gpt-fix
		run 0 sgdisk -v s
		has "No problems found" out
		"$PYTHON" - "$image" s write.json <<-'END' || fail "other bytes differ than those named ($name)"
			import json, sys
			image, stick = (open(p, "rb").read() for p in sys.argv[1:3])
			ranges = json.load(open(sys.argv[3]))["plans"][0]["differs_from_image"]
			named = set()
			for r in ranges:
			    named.update(range(r["offset"], min(r["offset"] + r["length"], len(image))))
			differ = {i for i in range(len(image)) if image[i] != stick[i]}
			sys.exit(0 if differ and differ <= named else 1)
		END
	done
}

test_plan_touches_nothing()
{
	stick 64M s
	cp s before
	run 0 "$ISOWRITE" plan "$(image ubuntu.iso)" s
	expect_untouched s before
	cp out plan.txt
	has "image 0 at 0" out
	run 0 "$ISOWRITE" --dry-run "$(image ubuntu.iso)" s
	expect_untouched s before
	same plan.txt out
	run 0 "$ISOWRITE" plan --json --size=64MiB "$(image ubuntu.iso)"
	validate_json out
	is "$(json out 'all(a["start"] + a["length"] == b["start"] for p in j["plans"]
		for a, b in zip(p["extents"], p["extents"][1:]))')" true "extents follow each other"
	is "$(json out 'sum(e["length"] for e in j["plans"][0]["extents"])')" 67108864
	run 0 "$ISOWRITE" plan "$(image ubuntu.iso)"
}

test_receipt()
{
	stick 16M s
	run 0 "$ISOWRITE" --yes --receipt=r.json "$(image data.iso)" s
	validate_json r.json
	is "$(json r.json 'j["targets"][0]["status"]')" verified
	is "$(json r.json 'j["exit"]')" 0
	cp r.json r0.json
	stick 16M s
	cp s before
	run 2 "$ISOWRITE" --yes --receipt=r.json "$(image data.iso)" s
	has "--overwrite" err
	expect_untouched s before
	same r.json r0.json
	run 0 "$ISOWRITE" --yes --receipt=r.json --overwrite "$(image data.iso)" s
	cp "$(image data.iso)" d.iso
	run 2 "$ISOWRITE" --yes --receipt=d.iso --overwrite d.iso file:s
	same d.iso "$(image data.iso)"
	run 2 "$ISOWRITE" --yes --receipt=s --overwrite d.iso file:s
	run 2 "$ISOWRITE" --yes --receipt=no/where.json "$(image data.iso)" s
	is "$(find . -name '.isowrite*')" "" "temporary files"
}

# A receipt is not written over, or below, what it is about.
test_receipt_is_apart_from_the_targets()
{
	local dev

	run 2 "$ISOWRITE" --yes --receipt=new --overwrite "$(image data.iso)" file:./new
	[ ! -e new ] || fail "new was made"
	run 2 "$ISOWRITE" --yes --receipt=/dev/no-such-stick "$(image data.iso)" file:new
	has "nothing is created below /dev" err
	[ ! -e /dev/no-such-stick ] || fail "a file below /dev was made"
	need_root
	blank 16M s
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" s
	dev=$(attach s)
	mkdir mnt
	mount "$dev" mnt
	run 2 "$ISOWRITE" --yes --unmount --receipt=mnt/r.json "$(image data.iso)" "$dev"
	has "lies on a target" err
	mountpoint -q mnt || fail "it was unmounted"
}

# Its folder goes away meanwhile: said once, whatever became of the stick.
test_receipt_that_cannot_be_written()
{
	local want

	noise 6M i
	for want in 1 5; do
		mkdir d
		blank $((want == 1 ? 16 : 4))M s
		{ head -c 3M i; sleep 0.5; rmdir d; tail -c 3M i || :; } 2>/dev/null |
			run "$want" "$ISOWRITE" --yes --json --receipt=d/r.json - s
		is "$(grep -c 'receipt d/r.json' err)" 1
		validate_json out
		is "$(json out '[f["message"] for f in j["findings"] if "receipt" in f["message"]].__len__()')" 1
	done
}

test_receipt_of_a_failure()
{
	blank 1M s
	run 5 "$ISOWRITE" --yes --receipt=r.json "$(image debian-cd.iso)" s
	validate_json r.json
	is "$(json r.json 'j["exit"]')" 5
	is "$(json r.json 'j["targets"][0]["error"]["kind"]')" fit
	run 4 "$ISOWRITE" check r.json s
}

# Ctrl-C: dies by the signal, JSON says 8, nothing on the stick looks finished.
interrupt()
{
	local pid status=0

	truncate -s 2G i
	cp "$(image debian-cd.iso)" head && dd if=head of=i conv=notrunc bs=1M status=none
	blank 3G s
	# A shell starts what runs in the background with SIGINT ignored.
	env --default-signal=INT "$ISOWRITE" --yes --json --no-verify i s >out 2>err &
	pid=$!
	for _ in $(seq 200); do
		[ "$(stat -c %b s)" -lt 8192 ] || break
		sleep 0.01
	done
	kill -"$1" "$pid"
	wait "$pid" || status=$?
	if [ "$status" = 0 ]; then skip "the machine wrote 2 GiB before the signal came"; fi
	is "$status" "$2"
	is "$(json out 'j["exit"]')" 8
	is "$(json out 'j["targets"][0]["status"]')" cancelled
	is "$(blkid -p s 2>/dev/null || :)" ""
	is_zero s 0 1048576
}

test_interrupt()
{
	interrupt INT 130
}

test_terminate()
{
	interrupt TERM 143
}
