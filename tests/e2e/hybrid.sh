#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Hybrids: which images auto makes one of, and what is on the stick then, judged by
# other programs. (That it boots: tests/boot.)
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# planner IMAGE [OPTION...]: which planner takes it.
planner()
{
	run 0 "$ISOWRITE" plan --json "${@:2}" --size=1GB "$(image "$1")"
	json out 'j["plans"][0]["planner"]'
}

# made IMAGE FILE [OPTION...]: writes the image to a new file.
made()
{
	IMG=$(image "$1")
	rm -f "$2"
	run 0 "$ISOWRITE" --yes --json "${@:3}" "$IMG" "file:$2"
	validate_json out
	cp out write.json
	is "$(json out 'j["targets"][0]["status"]')" verified
	is "$(json out 'j["plans"][0]["planner"]')" hybrid
	lacks_text "please report" err
}

# volume FILE: the copied volume, by its GPT entry as sfdisk reads it, into esp.img.
volume()
{
	local start size

	sfdisk -J "$1" >table.json
	read -r start size < <(json table.json '"{start} {size}".format(**[p for p in
		j["partitiontable"]["partitions"] if p["type"].startswith("C12A7328")][0])')
	dd if="$1" of=esp.img bs=512 skip="$start" count="$size" status=none
	[ $((start % 2048)) = 0 ] || fail "the volume for UEFI begins at block $start, between MiB"
}

# What a Windows disc's stick boots is not known; a copy of it is put back all the same.
test_copy_of_a_windows_stick_is_put_back()
{
	stick 50000384 s
	run 0 "$ISOWRITE" --yes --json "$(image winlike.iso)" s
	is "$(json out 'j["plans"][0]["planner"]')" hybrid
	run 0 "$ISOWRITE" read s -o copy.img
	same s copy.img
	stick 50000384 other
	run 0 "$ISOWRITE" inspect --json copy.img
	is "$(json out 'j["boot"]["written_as"]')" raw
	run 0 "$ISOWRITE" --yes copy.img other
	same s other
}

# What auto makes of each image: nothing but itself, where a plain copy boots.
test_choices_of_auto()
{
	local name want

	while read -r name want; do
		is "$(planner "$name")" "$want" "$name"
	done <<-END
		memtest86+.iso        raw
		grub-rescue-cdrom.iso raw
		ipxe.iso              hybrid
		debian-netboot.iso    raw
		debian-cd.iso         raw
		ubuntu.iso            raw
		fedora.iso            raw
		arch.iso              raw
		appended-msdos.iso    raw
		isohybrid-mbr.iso     raw
		isolinux-plain.iso    hybrid
		grub-plain.iso        hybrid
		both-nopt.iso         hybrid
		uefi-only.iso         hybrid
		floppy144.iso         hybrid
		multisession.iso      hybrid
		winlike.iso           hybrid
		grub-mkrescue.iso     raw
		hfsplus.iso           raw
		hfs.iso               raw
		data.iso              raw
		disk-gpt-esp.img      raw
		disk-mbr-fat.img      raw
		disk-mbr-logical.img  raw
		disk-superfloppy.img  raw
	END
}

test_tables()
{
	need_tool sgdisk sfdisk blkid
	made both-nopt.iso h
	run any sgdisk -v h
	has "overlaps the first partition by 64 blocks" out
	has "Identified 1 problems" out
	run 0 sfdisk --verify h
	has "No errors detected" out
	is "$(blkid -p -o value -s PTTYPE h)" gpt
	is "$(blkid -p -o value -s TYPE h)" iso9660
	is "$(json write.json 'j["plans"][0]["boot"]["bios"]["usb"]')" yes
	is "$(json write.json 'j["plans"][0]["boot"]["uefi"]["x64"]["usb"]')" yes
	is "$(json write.json 'sum(d["length"] for d in j["plans"][0]["differs_from_image"])')" 17408
	made both-nopt.iso h --strict-gpt
	run 0 sgdisk -v h
	has "No problems found" out
	run 0 sfdisk --verify h
	has "No errors detected" out
}

# Images with tables that are illegal, or in the way: by this mode they get ours.
test_tables_are_replaced()
{
	local name

	need_tool sgdisk
	for name in debian-cd.iso grub-mkrescue.iso; do
		made $name h --mode=hybrid --strict-gpt
		has "Apple partition map is replaced" err
		run 0 sgdisk -v h
		has "No problems found" out
		cmp -i 32768 -n $(($(size_of "$IMG") - 32768)) "$IMG" h
	done
}

test_the_disc_is_unchanged()
{
	local name

	need_tool xorriso fsck.fat mdir
	for name in both-nopt.iso winlike.iso; do
		made $name h
		cmp -i 32768 -n $(($(size_of "$IMG") - 32768)) "$IMG" h
		is $(($(size_of h) % 2048)) 0
		volume h
		run 0 fsck.fat -n esp.img
		run 0 mdir -i esp.img ::/EFI/BOOT
		matches 'BOOTX64 +EFI' out
		run 0 xorriso -indev "$IMG" -report_el_torito plain -lsl /
		cp out image.txt
		run 0 xorriso -indev stdio:h -report_el_torito plain -lsl /
		same image.txt out
	done
}

# A hybrid is an image itself, which needs no help.
test_twice()
{
	made floppy144.iso h
	run 0 "$ISOWRITE" inspect --json h
	validate_json out
	is "$(json out 'j["mbr"]["code"]')" isowrite
	is "$(json out 'j["boot"]["bios"]["usb"]')" yes
	stick 64M s
	run 0 "$ISOWRITE" --yes --json h s
	is "$(json out 'j["plans"][0]["planner"]')" raw
	same h s "$(size_of h)"
	run 0 "$ISOWRITE" check h s
}

test_check()
{
	local options

	for options in "" --strict-gpt --boot-entry=1; do
		made both-nopt.iso h ${options:+"$options"}
		# Told how it was written, and by the stick itself.
		run 0 "$ISOWRITE" check ${options:+"$options"} "$IMG" h
		run 0 "$ISOWRITE" check "$IMG" h
	done
	printf 'x' | dd of=h bs=1 seek=100 conv=notrunc status=none
	run 7 "$ISOWRITE" check "$IMG" h
	run 0 "$ISOWRITE" --yes --mode=raw --json "$IMG" file:r
	has "will not boot from a stick by BIOS, UEFI x64, or not with all firmware" err
	same "$IMG" r
	run 0 "$ISOWRITE" check "$IMG" r
	has "equal the image" out
}

# Systems write to the volume that they boot from.
test_use()
{
	need_tool mcopy
	made both-nopt.iso h --receipt=r.json
	cp h before
	volume h
	echo "a file of the user's" >note.txt
	mcopy -i esp.img note.txt ::/
	dd if=esp.img of=h bs=1M seek=$((($(size_of "$IMG") + 1048575) / 1048576)) conv=notrunc status=none
	for what in r.json "$IMG"; do
		run 0 "$ISOWRITE" check --json "$what" h
		is "$(json out 'j["targets"][0]["status"]')" changed
	done
	printf 'x' | dd of=h bs=1 seek=40000 conv=notrunc status=none
	for what in r.json "$IMG"; do
		run 7 "$ISOWRITE" check "$what" h
	done
	run 0 "$ISOWRITE" check r.json before
}

# Identifiers follow from image, seed and size; sticks of two sizes at once have their own.
test_identifiers()
{
	need_tool blkid
	stick 32M a
	stick 48M b
	IMG=$(image both-nopt.iso)
	run 0 "$ISOWRITE" --yes --json "$IMG" a b
	validate_json out
	is "$(json out '[t["status"] for t in j["targets"]]')" '["verified", "verified"]'
	[ "$(blkid -p -o value -s PTUUID a)" != "$(blkid -p -o value -s PTUUID b)" ] ||
		fail "two sticks with one identifier"
	cp a first
	stick 32M a
	run 0 "$ISOWRITE" --yes "$IMG" a
	same a first
	run 0 "$ISOWRITE" --yes --seed=6f1c2d9e-93a0-4d6b-8a2e-0f3b5c7d9e11 "$IMG" file:a
	[ "$(blkid -p -o value -s PTUUID a)" != "$(blkid -p -o value -s PTUUID first)" ] ||
		fail "the seed changed nothing"
	run 0 "$ISOWRITE" check --seed=6f1c2d9e-93a0-4d6b-8a2e-0f3b5c7d9e11 "$IMG" a
}

# On a device of known sectors, larger than the image, between other data.
test_device()
{
	local dev

	IMG=$(image winlike.iso)
	stick 40M s
	dev=$(attach s)
	cp s before
	run 0 "$ISOWRITE" --yes --json "$IMG" "$dev"
	is "$(json out 'j["targets"][0]["status"]')" verified
	run 0 "$ISOWRITE" check "$IMG" "$dev"
	run 0 sgdisk -p "$dev"
	has "EFI system partition" out
	# Between the last volume and the last MiB it is as it was.
	cmp -i 13631488 -n 25165824 s before
	blank 40M t
	dev=$(attach t -b 4096)
	run 4 "$ISOWRITE" --yes "$IMG" "$dev"
	has "4096 bytes" err
}

test_no_room()
{
	IMG=$(image both-nopt.iso)
	blank 9M s
	run 5 "$ISOWRITE" --yes "$IMG" s
	has "To boot from a stick the image needs 10 MB, the target has 9.4 MB" err
	has "--mode=raw" err
	is_blank s
	run 0 "$ISOWRITE" --yes --mode=raw "$IMG" s
	run 5 "$ISOWRITE" --yes --mode=hybrid --size=9M "$IMG" file:new
	[ ! -e new ] || fail "a file was made"
}

test_refused()
{
	IMG=$(image both-nopt.iso)
	blank 16M s
	run 2 "$ISOWRITE" --yes --boot-entry=7 "$IMG" s
	has "isowrite inspect lists the boot entries" err
	run 2 "$ISOWRITE" --yes --boot-entry=2 "$IMG" s
	has "not for BIOS" err
	run 2 "$ISOWRITE" --yes --boot-entry=x "$IMG" s
	run 2 "$ISOWRITE" --yes --mode=raw --strict-gpt "$IMG" s
	run 2 "$ISOWRITE" --yes --mode=hybrid --fix-gpt "$IMG" s
	run 4 "$ISOWRITE" --yes --mode=hybrid "$(image data.iso)" s
	has "nothing that boots" err
	run 4 "$ISOWRITE" --yes --mode=hybrid "$(image disk-gpt-esp.img)" s
	run 4 "$ISOWRITE" plan --size=1GB --sector-size=4096 "$IMG"
	gzip -c "$IMG" >b.gz
	run 2 "$ISOWRITE" --yes --mode=hybrid b.gz s
	has "save the decompressed image to a file first" err
	is_blank s
	# auto: as it is, and what to do is said.
	run 0 "$ISOWRITE" --yes b.gz s
	has "save it decompressed to a file, and write that." err
	same "$IMG" s "$(size_of "$IMG")"
}

# What was read from a stick goes back as it was.
test_restore()
{
	IMG=$(image isolinux-plain.iso)
	stick 16M s
	run 0 "$ISOWRITE" --yes --mode=raw "$IMG" s
	cp s before
	run 0 "$ISOWRITE" --yes --backup=saved.img "$(image debian-cd.iso)" file:s
	matches 'isowrite .*--mode=raw .*saved.img' out
	run 0 "$ISOWRITE" --yes --mode=raw saved.img file:s
	same s before
}

# What is for Macs lies where our boot code and tables go: that is said, but not of a raw copy.
test_what_macs_lose_is_said()
{
	need_tool genisoimage
	mkdir tree
	cp /usr/lib/ISOLINUX/isolinux.bin tree || lacks "package isolinux"
	genisoimage -quiet -hfs -b isolinux.bin -no-emul-boot -boot-load-size 4 -boot-info-table \
		-o hfs.iso tree 2>log
	run 0 "$ISOWRITE" plan --json --size=64M hfs.iso
	validate_json out
	is "$(json out 'j["plans"][0]["planner"]')" hybrid
	is "$(json out '[f["code"] for f in j["findings"] if "replaced" in f["code"]]')" '["hfs-replaced"]'
	run 0 "$ISOWRITE" plan --json --size=64M --mode=raw hfs.iso
	lacks_text "hfs-replaced" out
	run 0 "$ISOWRITE" plan --json --size=64M --mode=hybrid "$(image grub-mkrescue.iso)"
	is "$(json out '[f["code"] for f in j["findings"] if "replaced" in f["code"]]')" '["apm-replaced"]'
}

# Boot code that somebody made for sticks, and what lies in a partition behind the disc, may be
# worth more than what a hybrid adds: auto leaves both alone.
test_what_auto_leaves_alone()
{
	cp "$(image both-nopt.iso)" code.iso
	noise 440 code
	dd if=code of=code.iso conv=notrunc status=none
	printf '\x80\0\1\0\x17\x3f\x20\xff\0\0\0\0\0\x30\0\0' |
		dd of=code.iso bs=1 seek=446 conv=notrunc status=none
	printf '\x55\xaa' | dd of=code.iso bs=1 seek=510 conv=notrunc status=none
	run 0 "$ISOWRITE" inspect --json code.iso
	validate_json out
	is "$(json out 'j["boot"]["bios"]["usb"]')" unknown
	is "$(json out '[f["code"] for f in j["findings"]]')" '["unknown-code"]'
	stick 32M s
	run 0 "$ISOWRITE" --yes code.iso s
	same code.iso s "$(size_of code.iso)"
	run 0 "$ISOWRITE" --yes --mode=hybrid code.iso file:h.iso
	has "Made for: BIOS, UEFI x64" out
	cp "$(image ipxe.iso)" files.iso
	truncate -s 8M files.iso
	printf '\0\0\1\0\x83\x3f\x20\xff\0\x20\0\0\0\x20\0\0' |
		dd of=files.iso bs=1 seek=462 conv=notrunc status=none
	run 0 "$ISOWRITE" plan --json --size=64M files.iso
	is "$(json out 'j["plans"][0]["planner"]')" raw
	run 0 "$ISOWRITE" plan --json --size=64M --mode=hybrid files.iso
	is "$(json out '[f["code"] for f in j["findings"]]')" '["partition-left-out"]'
}
