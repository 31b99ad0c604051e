#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# --add-boot: discs that are given a boot entry, judged by xorriso, isoinfo, sgdisk and by
# their own files; and what is refused before anything is touched.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# esp FILE [KIB]: a FAT volume that UEFI would look into.
esp()
{
	need_tool mkfs.fat mmd mcopy
	rm -f "$1"
	mkfs.fat -C --invariant -n ADDED "$1" "${2:-1440}" >/dev/null
	noise 3000 loader
	# The beginning of a program for x64.
	printf 'PE\0\0\x64\x86' | dd of=loader conv=notrunc status=none
	export MTOOLS_SKIP_CHECK=1
	mmd -i "$1" ::/EFI ::/EFI/BOOT
	mcopy -i "$1" loader ::/EFI/BOOT/BOOTX64.EFI
}

# code FILE: what a BIOS would load and enter.
code()
{
	noise 5000 "$1" 7
}

# add OUT IMAGE OPTION...
add()
{
	local out=$1 img=$2

	shift 2
	run 0 "$ISOWRITE" --yes "$@" "$img" "file:$out"
	has "Verified" out
	run 0 "$ISOWRITE" check "$@" "$img" "$out"
	lacks_text "hybrid-doubt" err
}

# catalog FILE: the entries as xorriso reads them: platform, bootable, load size, block.
catalog()
{
	need_tool xorriso
	xorriso -indev "$1" -report_el_torito plain 2>/dev/null |
		sed -n 's/^El Torito boot img : *[0-9]* *//p' | awk '{ print $1, $2, $6, $7 }'
}

# same_files A B: every path of A's and B's trees, and every file's bytes, are the same.
same_files()
{
	local scheme

	need_tool xorriso isoinfo
	for scheme in -f "-R -f" "-J -f"; do
		# shellcheck disable=SC2086 # words
		isoinfo $scheme -i "$1" | sort >paths.a
		# shellcheck disable=SC2086
		isoinfo $scheme -i "$2" | sort >paths.b
		same paths.a paths.b
	done
	rm -rf tree.a tree.b
	xorriso -osirrox on -indev "$1" -extract / tree.a >log 2>&1 || fail "$1 cannot be read: $(tail -n 3 log)"
	xorriso -osirrox on -indev "$2" -extract / tree.b >log 2>&1 || fail "$2 cannot be read"
	diff -r --no-dereference tree.a tree.b >&2 || fail "the files of $1 and $2 differ"
	chmod -R u+w tree.a tree.b
}

# boots_by FILE BIOS UEFI: inspect's answers for the disc and for the stick.
boots_by()
{
	run 0 "$ISOWRITE" inspect --json "$1"
	validate_json out
	is "$(json out '[j["boot"]["bios"]["cd"], j["boot"]["bios"]["usb"]]')" "[\"$2\", \"$2\"]" "BIOS"
	is "$(json out '[j["boot"]["uefi"]["x64"]["cd"], j["boot"]["uefi"]["x64"]["usb"]]')" \
		"[\"$3\", \"$3\"]" "UEFI x64"
}

test_uefi_beside_isolinux()
{
	local img

	img=$(image isolinux-plain.iso)
	esp esp.img
	add out.iso "$img" --add-boot=efi:esp.img
	is "$(catalog out.iso | cut -d ' ' -f 1-3 | tr '\n' ',')" "BIOS y 4,UEFI y 2880," "the catalog"
	same_files out.iso "$img"
	boots_by out.iso yes yes
	# The volume lies where the catalog says, once; a partition names it.
	dd if=out.iso of=there bs=2048 skip="$(catalog out.iso | awk '/UEFI/ { print $4 }')" \
		count=720 status=none
	same there esp.img
	run 0 sgdisk -i 2 out.iso
	has "EFI system partition" out
	add strict.iso "$img" --add-boot=efi:esp.img --strict-gpt
	run 0 sgdisk -v strict.iso
	has "No problems found" out
	# Without the option the stick holds something else.
	run 7 "$ISOWRITE" check "$img" out.iso
}

test_bios_beside_uefi()
{
	local img

	img=$(image uefi-only.iso)
	code boot.img
	add out.iso "$img" --add-boot=bios:boot.img
	is "$(catalog out.iso | cut -d ' ' -f 1-3 | tr '\n' ',')" "BIOS y 10,UEFI y 5760," "the catalog"
	same_files out.iso "$img"
	boots_by out.iso yes yes
	run 0 isoinfo -d -i out.iso
	matches 'Arch 0 \(x86\)' out
	has "Nsect A" out
}

# xorriso puts the root directory where the descriptors' end has to go: it moves.
test_data_disc_of_xorriso()
{
	local img

	img=$(image data.iso)
	esp esp.img
	code boot.img
	add out.iso "$img" --add-boot=efi:esp.img
	is "$(catalog out.iso | cut -d ' ' -f 1-3)" "UEFI y 2880" "the catalog"
	boots_by out.iso no yes
	add both.iso "$img" --add-boot=efi:esp.img --add-boot=bios:boot.img
	is "$(catalog both.iso | cut -d ' ' -f 1-3 | tr '\n' ',')" "BIOS y 10,UEFI y 2880," "the catalog"
	same_files both.iso "$img"
	boots_by both.iso yes yes
}

test_data_disc_of_genisoimage()
{
	need_tool genisoimage
	mkdir -p tree/sub
	noise 100000 tree/sub/file
	genisoimage -quiet -J -r -V DATA -o data.iso tree 2>log
	esp esp.img
	add out.iso data.iso --add-boot=efi:esp.img
	same_files out.iso data.iso
	boots_by out.iso no yes
	# All else is as it was: one block behind the descriptors, and the system area.
	cmp -l -i 32768 data.iso out.iso >bytes 2>/dev/null || true
	[ "$(awk '$1 > 4 * 2048' bytes | wc -l)" = 0 ] || fail "bytes changed behind the descriptors"
}

# A boot catalog counts at most 65535 sectors; then the volume goes to the medium's end.
test_a_volume_larger_than_a_catalog_can_say()
{
	local img

	img=$(image isolinux-plain.iso)
	esp esp.img 40960
	add out.iso "$img" --add-boot=efi:esp.img
	is "$(catalog out.iso | awk '/UEFI/ { print $3 }')" 0 "the load size"
	boots_by out.iso yes yes
	esp esp.img 70000
	run 4 "$ISOWRITE" plan --add-boot=efi:esp.img "$img"
	has "67,108,864 is the most" err
}

test_plan_and_receipt()
{
	local img

	img=$(image isolinux-plain.iso)
	esp esp.img
	run 0 "$ISOWRITE" plan --json --size=64M --add-boot=efi:esp.img "$img"
	validate_json out
	is "$(json out 'j["plans"][0]["planner"]')" hybrid
	is "$(json out '[e["kind"] for e in j["plans"][0]["extents"] if "--add-boot" in e["what"]]')" \
		'["memory"]'
	blank 64M stick
	run 0 "$ISOWRITE" --yes --receipt=r.json --add-boot=efi:esp.img "$img" file:stick
	run 0 "$ISOWRITE" check r.json stick
	run 2 "$ISOWRITE" check --add-boot=efi:esp.img r.json stick
	has "leave --add-boot out" err
	# The same bytes each time, and other ones for another volume.
	cp stick before
	run 0 "$ISOWRITE" --yes --add-boot=efi:esp.img "$img" file:stick
	expect_untouched stick before
}

# refused STATUS TEXT OPTION... IMAGE: with the reason, and the stick is left alone.
refused()
{
	local status=$1 text=$2

	shift 2
	run "$status" "$ISOWRITE" --yes "$@" stick
	tr '\n' ' ' <err >words
	has "$text" words
	is_blank stick
}

test_refusals()
{
	local plain both data

	plain=$(image isolinux-plain.iso) both=$(image both-nopt.iso) data=$(image data.iso)
	blank 64M stick
	esp esp.img
	code boot.img
	refused 4 "firmware takes first" --add-boot=efi:esp.img "$both"
	refused 4 "a BIOS boots only one" --add-boot=bios:boot.img "$plain"
	refused 4 "cut short" --allow=truncated --add-boot=bios:boot.img "$(image truncated.iso)"
	refused 4 "it is no disc" --add-boot=efi:esp.img "$(image disk-mbr-fat.img)"
	refused 4 "no FAT volume" --add-boot=efi:boot.img "$data"
	refused 4 "diskette" --add-boot=bios:esp.img "$data"
	mdel -i esp.img ::/EFI/BOOT/BOOTX64.EFI
	refused 4 "no boot loader" --add-boot=efi:esp.img "$data"
	esp esp.img
	refused 2 "--mode=raw does not" --mode=raw --add-boot=efi:esp.img "$data"
	refused 2 "once" --add-boot=efi:esp.img --add-boot=efi:esp.img "$data"
	refused 2 "efi:FILE or bios:FILE" --add-boot=esp.img "$data"
	refused 2 "efi:FILE or bios:FILE" --add-boot=efi: "$data"
	refused 2 "nowhere.img" --add-boot=efi:nowhere.img "$data"
	gzip -c "$data" >data.iso.gz
	refused 2 "decompressed image to a file" --add-boot=efi:esp.img data.iso.gz
	gzip -k esp.img
	refused 4 "compressed or a stream" --add-boot=efi:esp.img.gz "$data"
}

# UDF's descriptors follow at once: there is no room.
test_no_room_for_a_boot_record()
{
	need_tool genisoimage
	mkdir tree
	noise 1000 tree/file
	genisoimage -quiet -udf -V DATA -o udf.iso tree 2>log
	esp esp.img
	blank 64M stick
	refused 4 "is in use" --add-boot=efi:esp.img udf.iso
}

test_the_file_is_not_overwritten()
{
	local data

	data=$(image data.iso)
	esp esp.img
	cp esp.img before
	run 3 "$ISOWRITE" --yes --add-boot=efi:esp.img "$data" file:esp.img
	has "rule source" err
	ln esp.img link
	run 3 "$ISOWRITE" --yes --add-boot=efi:esp.img "$data" file:link
	has "rule source" err
	same esp.img before
	# Nor by what is written beside.
	blank 64M stick.img
	run 2 "$ISOWRITE" --yes --overwrite --receipt=esp.img --add-boot=efi:esp.img "$data" stick.img
	has "would replace the image" err
	run 2 "$ISOWRITE" --yes --overwrite --backup=link --add-boot=efi:esp.img "$data" stick.img
	has "would replace the image" err
	same esp.img before
	is_blank stick.img
}

test_the_file_lives_on_the_target()
{
	local dev

	need_root
	blank 32M disk
	mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 disk
	dev=$(attach disk)
	mkdir m
	mount "$dev" m || lacks "ext4"
	esp esp.img
	cp esp.img m/esp.img
	run 3 "$ISOWRITE" --yes --unmount --add-boot=efi:m/esp.img "$(image data.iso)" "$dev"
	has "rule source" err
	has "the file of --add-boot is on it" err
	mountpoint -q m || fail "it was unmounted"
	umount m
}

# The unit test takes those that are there, which are none where it runs first.
test_real_catalogs_come_out_as_they_were()
{
	[ -x "$BUILD/tests/unit/test_eltorito" ] || skip "make test-programs builds what it needs"
	for name in isolinux-plain.iso multi-entry.iso long-catalog.iso memtest86+.iso; do
		image "$name" >/dev/null
	done
	cd "$TOP" || fail "$TOP is gone"
	run 0 "$BUILD/tests/unit/test_eltorito"
	matches '^# ([4-9]|[1-9][0-9]+) boot catalogs of build/images' "$T/out"
}
