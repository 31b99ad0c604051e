#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# check: does the stick still hold it? With the image and with a receipt, after
# nothing, after use, and after damage.

. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# feed FILE: into a pipe whose reader may go before the end.
feed()
{
	cat "$1" 2>/dev/null || :
}

# poke FILE OFFSET: one other byte there.
poke()
{
	local byte

	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\x$(printf %x $((byte ^ 255)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# both STATUS STICK [OPTION...]: with the image and with the receipt.
both()
{
	local status=$1 stick=$2

	shift 2
	run "$status" "$ISOWRITE" check "$@" --json "$IMAGE" "$stick"
	validate_json out
	cp out image.json
	run "$status" "$ISOWRITE" check "$@" --json r.json "$stick"
	validate_json out
	cp out receipt.json
}

# says STATUS: of the target, in both.
says()
{
	is "$(json image.json 'j["targets"][0]["status"]')" "$1"
	is "$(json receipt.json 'j["targets"][0]["status"]')" "$1"
}

written()
{
	IMAGE=$(image "$1")
	stick 64M s
	run 0 "$ISOWRITE" --yes --receipt=r.json --overwrite "${@:2}" "$IMAGE" s
}

test_unchanged()
{
	local name

	for name in ubuntu.iso disk-superfloppy.img; do
		written $name
		cp s before
		both 0 s
		says verified
		both 0 s --strict
		expect_untouched s before
		# What is kept is nobody's business.
		poke s 50000000
		both 0 s
		says verified
	done
}

test_damage()
{
	written data.iso
	poke s 3000000
	both 7 s
	says failed
	is "$(json image.json 'j["targets"][0]["error"]["offset"]')" 3000000
	is "$(json image.json 'j["targets"][0]["error"]["kind"]')" differs
	is "$(json image.json 'j["targets"][0]["error"]["file"]')" /live/filesystem.squashfs
	run 7 "$ISOWRITE" check "$IMAGE" s
	has "3,000,000" err
	has "/live/filesystem.squashfs" err
	lacks_text Verified out
	# boot code in sector 0, the zeros at the end
	for at in 100 $((64 * 1048576 - 5000)); do
		written debian-cd.iso
		poke s $at
		both 7 s
		says failed
	done
}

# Firmware and tools put the backup GPT at the stick's end.
test_repaired_gpt_is_changed_by_use()
{
	written disk-gpt-esp.img
	run 0 sgdisk -e s
	both 0 s
	says changed
	both 7 s --strict
	run 0 "$ISOWRITE" check "$IMAGE" s
	has "Changed by use" out
}

# One that is not valid any more: no firmware leaves that. A hybrid's without a partition, too.
test_flipped_bit_in_a_gpt_is_not_changed_by_use()
{
	local size=$((64 << 20)) at

	written isolinux-plain.iso --mode=hybrid --strict-gpt
	cp s before
	for at in 600 16360 $((size - 512 + 20)) $((size - 512 - 100)); do
		cp before s
		poke s "$at"
		run 7 "$ISOWRITE" check --mode=hybrid --strict-gpt "$IMAGE" s
		run 7 "$ISOWRITE" check r.json s
	done
}

test_new_partition_is_changed_by_use()
{
	written disk-gpt-esp.img
	run 0 sgdisk -e -n 0:0:0 s
	both 0 s
	says changed
}

test_lost_partition_is_not()
{
	written disk-gpt-esp.img
	run 0 sgdisk -e -d 1 s
	both 7 s
	says failed
}

test_written_volume_is_changed_by_use()
{
	local start

	written disk-gpt-esp.img
	start=$(sfdisk -J s | "$PYTHON" -c 'import json, sys
print(next(p["start"] for p in json.load(sys.stdin)["partitiontable"]["partitions"]
	if p["type"].startswith("C12A7328")))')
	echo hello >f
	mcopy -i s@@$((start * 512)) f ::used.txt
	both 0 s
	says changed
	is "$(json image.json 'j["targets"][0]["changed_by_use"]')" "partition 1"
	both 7 s --strict
}

test_fix_gpt()
{
	written disk-gpt-esp.img --fix-gpt
	both 0 s --fix-gpt
	says verified
	run 0 "$ISOWRITE" check "$IMAGE" s
	has "Changed by use" out
}

test_compressed_image()
{
	local kind

	written disk-gpt-esp.img
	gzip -c "$IMAGE" >i.gz
	xz -c -0 "$IMAGE" >i.xz
	for kind in gz xz; do
		run 0 "$ISOWRITE" check i.$kind s
		feed i.$kind | run 0 "$ISOWRITE" check - s
	done
	sgdisk -e s >/dev/null
	run 0 "$ISOWRITE" check i.gz s
	has "Changed by use" out
	# A pipe cannot be read twice, so what differs cannot be explained.
	feed i.gz | run 7 "$ISOWRITE" check - s
	poke s 900000
	run 7 "$ISOWRITE" check i.gz s
}

test_receipt_of_a_compressed_image_and_of_a_pipe()
{
	noise 6000001 i
	gzip -k i
	stick 16M s
	run 0 "$ISOWRITE" --yes --receipt=gz.json i.gz s
	stick 16M s
	feed i | run 0 "$ISOWRITE" --yes --receipt=pipe.json - s
	run 0 "$ISOWRITE" check gz.json s
	run 0 "$ISOWRITE" check pipe.json s
	poke s 5000000
	run 7 "$ISOWRITE" check gz.json s
	run 7 "$ISOWRITE" check pipe.json s
}

test_other_stick()
{
	written data.iso
	stick 32M t
	run 7 "$ISOWRITE" check r.json t
	has "67,108,864" err
	run 7 "$ISOWRITE" check "$IMAGE" t
	blank 1M t
	run 5 "$ISOWRITE" check "$IMAGE" t
}

test_no_such_target()
{
	noise 1M i
	run 2 "$ISOWRITE" check i nothing
	has 'There is no nothing to check' err
	lacks_text 'file:' err
}

# What was written with --allow=truncated is compared without it.
test_truncated_image_is_compared_as_it_is()
{
	local iso

	iso=$(image truncated.iso)
	stick 16M s
	run 0 "$ISOWRITE" --yes --allow=truncated "$iso" s
	run 0 "$ISOWRITE" check "$iso" s
	run 0 bash -c 'cat "$0" | "$ISOWRITE" check - s' "$iso"
	poke s 40000
	run 7 "$ISOWRITE" check "$iso" s
}

# Of course it is equal; nothing is said by that.
test_a_stick_is_not_compared_with_itself()
{
	stick 16M s
	run 0 "$ISOWRITE" --yes "$(image data.iso)" s
	ln -s s link
	run 2 "$ISOWRITE" check link s
	has 'are the same' err
	lacks_text Verified out
}

test_damaged_receipt()
{
	local cut

	written data.iso
	for cut in 300 1000 $(($(size_of r.json) - 1)); do
		head -c "$cut" r.json >bad.json
		run 4 "$ISOWRITE" check bad.json s
		has "receipt" err
	done
	sed 's/"version":1/"version":2/' r.json >bad.json
	run 4 "$ISOWRITE" check bad.json s
	sed 's/"segments":\[{"start":0/"segments":[{"start":99999999999/' r.json >bad.json
	run 4 "$ISOWRITE" check bad.json s
}

# It is read beside whatever uses it, and stays mounted.
test_mounted_and_read_only()
{
	local dev

	need_root
	blank 16M i
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" i
	stick 16M s
	run 0 "$ISOWRITE" --yes i s
	dev=$(attach s -r)
	run 0 "$ISOWRITE" check i "$dev"
	mkdir m
	mount -o ro,noload "$dev" m || lacks "ext4"
	run 0 "$ISOWRITE" check i "$dev"
	mountpoint -q m || fail "check unmounted it"
	umount m
}

# A receipt has one digest for many bytes: it does not say that all of them are wrong.
test_receipts_do_not_say_more_than_they_know()
{
	noise 3M i
	stick 16M s
	run 0 "$ISOWRITE" --yes --receipt=r.json i s
	feed i | run 0 "$ISOWRITE" --yes --receipt=pipe.json - file:s
	poke s 2000000
	run 7 "$ISOWRITE" check r.json s
	matches '^isowrite: s: somewhere in the 3[.]1 MB from 0 bytes on, it does not hold' err
	run 7 "$ISOWRITE" check pipe.json s
	matches '^isowrite: s does not hold what this receipt was written for' err
}
