#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# inspect: El Torito and volume facts beside xorriso, predictions beside the
# known behaviour of firmware, streams, devices, truncation, foreign formats.
# (Partition tables: tables.sh.)
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

ISOS="memtest86+.iso grub-rescue-cdrom.iso ipxe.iso debian-netboot.iso debian-cd.iso ubuntu.iso
	fedora.iso arch.iso appended-msdos.iso isohybrid-mbr.iso isolinux-plain.iso grub-plain.iso
	both-nopt.iso uefi-only.iso floppy144.iso multisession.iso winlike.iso grub-mkrescue.iso
	hfsplus.iso"

# inspect_json IMAGE: JSON in ./out, valid by the schema.
inspect_json()
{
	run 0 "$ISOWRITE" inspect --json "$1"
	validate_json out
}

our_el_torito()
{
	inspect_json "$1"
	json out '"\n".join(["catalog %d" % j["el_torito"]["catalog_lba"]] + [" ".join(map(str, [
		e["index"], e["platform"], "y" if e["bootable"] else "n", e["emulation"],
		e["load_segment"], e["system_type"], e["sector_count"], e["lba"], e["path"] or "-"]))
		for e in j["el_torito"]["entries"]])'
}

xorriso_el_torito()
{
	run any xorriso -indev "$1" -report_el_torito plain
	"$PYTHON" - out <<-'END'
		import sys
		platform = {"BIOS": "bios", "PPC": "ppc", "Mac": "mac", "UEFI": "efi"}
		emulation = {"none": "none", "fd1.2": "1.2M", "fd1.4": "1.44M", "fd2.8": "2.88M", "hd": "hdd"}
		entries, paths = {}, {}
		for line in open(sys.argv[1]):
		    key, _, value = line.partition(":")
		    key, v = key.strip(), value.split()
		    if key == "El Torito catalog":
		        print("catalog", v[0])
		    elif key == "El Torito boot img":
		        entries[v[0]] = [platform[v[1]], v[2], emulation[v[3]], int(v[4], 16),
		                         int(v[5], 16), v[6], v[7]]
		    elif key == "El Torito img path":
		        paths[v[0]] = " ".join(v[1:])
		for n, e in entries.items():
		    print(n, *e, paths.get(n, "-"))
	END
}

test_el_torito_as_xorriso_reports_it()
{
	local name

	need_tool xorriso
	for name in $ISOS; do
		our_el_torito "$(image "$name")" >ours
		xorriso_el_torito "$(image "$name")" >theirs
		diff -u theirs ours >&2 || fail "$name"
	done
}

# inspect's volume facts, and isoinfo's.
test_volume_as_isoinfo_reports_it()
{
	local name path

	need_tool isoinfo
	for name in data.iso debian-cd.iso memtest86+.iso winlike.iso; do
		path=$(image "$name")
		inspect_json "$path"
		json out '"Volume size is: %d\n%s\n%s" % (j["volume"]["size"] // j["volume"]["block_size"],
			"Joliet" if j["volume"]["joliet"] else "NO Joliet",
			"Rock Ridge" if j["volume"]["rock_ridge"] else "NO Rock Ridge")' >ours
		run 0 isoinfo -d -i "$path"
		sed -nE 's/^(Volume size is: .*)/\1/p; s/^(NO )?(Joliet).*/\1\2/p
			s/^(NO )?(Rock Ridge).*/\1\2/p' out >theirs
		diff -u theirs ours >&2 || fail "$name"
	done
}

test_kinds()
{
	local name kind

	while read -r name kind; do
		run any "$ISOWRITE" inspect --json "$(image "$name")"
		is "$(json out 'j["kind"]')" "$kind" "$name"
	done <<-END
		debian-cd.iso        isohybrid
		memtest86+.iso       isohybrid
		isolinux-plain.iso   iso-eltorito
		uefi-only.iso        iso-eltorito
		data.iso             iso-data
		winlike.iso          windows
		disk-gpt-esp.img     disk
		disk-mbr-fat.img     disk
		disk-superfloppy.img disk
	END
}

# No image that is whole is called truncated; each is once a part is missing.
test_truncation()
{
	local name size end

	for name in $ISOS; do
		run 0 "$ISOWRITE" inspect --json "$(image "$name")"
		size=$(size_of "$(image "$name")")
		end=$(json out 'j["expected_size"]')
		[ "$end" -le "$size" ] || fail "$name: expected $end of $size"
		head -c $((end - 1)) "$(image "$name")" >cut.iso
		run 4 "$ISOWRITE" inspect --json cut.iso
		is "$(json out 'j["truncated"], [f["code"] for f in j["findings"]].count("truncated")')" \
			'[true, 1]' "$name, cut"
	done
	run 4 "$ISOWRITE" inspect "$(image truncated.iso)"
	has ': TRUNCATED' out
	has 'bytes are missing.' out
}

test_sessions()
{
	need_tool xorriso
	inspect_json "$(image multisession.iso)"
	is "$(json out 'j["volume"]["sessions"]')" 2
	cp "$(image multisession.iso)" three.iso
	date >file
	run 0 xorriso -dev three.iso -map file /third
	inspect_json three.iso
	is "$(json out 'j["volume"]["sessions"]')" 3
	# Appended behind the first as a burner does it, which does not rewrite block 16.
	cp "$(image data.iso)" two.iso
	truncate -s %65536 two.iso
	run 0 genisoimage -quiet -R -C "0,$(($(size_of two.iso) / 2048))" -M two.iso -V SECOND -o next file
	cat next >>two.iso
	inspect_json two.iso
	is "$(json out 'j["volume"]["sessions"]')" 2
	is "$(json out 'j["volume"]["id"]')" SECOND
	is "$(json out 'j["truncated"]')" false
	has iso-multi-session out
}

# The sessions' places and sizes, and xorriso's list of them; how genisoimage appends them,
# the larger ones behind the smaller ones, xorriso follows only while it is told where.
test_sessions_as_xorriso_reports_them()
{
	local n start

	need_tool xorriso genisoimage
	cp "$(image multisession.iso)" a.iso
	noise 900000 file
	run 0 xorriso -dev a.iso -volid THREE -map file /third
	run 0 xorriso -indev a.iso -toc
	sed -nE 's/^ISO session  : +[0-9]+ , +([0-9]+) , +([0-9]+)s , (.*)$/\1 \2 \3/p' out >theirs
	inspect_json a.iso
	json out '"\n".join("%d %d %s" % (s["start"] // 2048, s["size"] // 2048, s["id"])
		for s in j["volume"]["session_list"])' >ours
	diff -u theirs ours >&2
	is "$(wc -l <ours)" 3
	mkdir tree
	date >tree/first
	run 0 genisoimage -quiet -R -V S1 -o b.iso tree
	for n in 2 3 4; do
		truncate -s %65536 b.iso
		start=$(($(size_of b.iso) / 2048))
		noise "${n}00000" "file$n"
		run 0 genisoimage -quiet -R -C "0,$start" -M b.iso -V "S$n" -o next "file$n"
		cat next >>b.iso
		inspect_json b.iso
		is "$(json out '[j["volume"]["id"], j["volume"]["sessions"],
			j["volume"]["session_list"][-1]["start"] // 2048]')" "[\"S$n\", $n, $start]"
		is "$(json out 'j["volume"]["session_list"][-1]["size"]')" "$(size_of next)"
	done
}

# HFS+ and HFS where blkid finds them, by the names that it reads; HFS+ as large as the
# partition that xorriso made for it.
test_hfs_as_blkid_reports_it()
{
	local name type blkid label

	while read -r name type blkid label; do
		inspect_json "$(image "$name")"
		is "$(json out 'len(j["hfs"])')" 1 "$name"
		is "$(json out 'j["hfs"][0]["type"]')" "$type" "$name"
		is "$(json out 'j["hfs"][0]["name"]')" "$label" "$name"
		is "$(json out '[p["size"] for p in j["apm"]["partitions"] if p["start"] == j["hfs"][0]["start"]]')" \
			"[$(json out 'j["hfs"][0]["size"]')]" "$name"
		run 0 blkid -p -O "$(json out 'j["hfs"][0]["start"]')" -o export "$(image "$name")"
		has "TYPE=$blkid" out
		has "LABEL=${label/ /\\ }" out
		run 0 "$ISOWRITE" inspect "$(image "$name")"
		has "HFS       $type \"$label\" at byte" out
	done <<-END
		grub-mkrescue.iso HFS+ hfsplus GRUB_RESCUE
		hfsplus.iso       HFS+ hfsplus MAC DISC
		hfs.iso           HFS  hfs     OLD MAC
	END
}

test_standard_input_and_compressed()
{
	local path

	path=$(image debian-cd.iso)
	run 0 "$ISOWRITE" inspect --json - <"$path"
	is "$(json out 'j["size"]')" "$(size_of "$path")" # a file after all
	run 0 "$ISOWRITE" inspect --json - < <(cat "$path")
	validate_json out
	is "$(json out 'j["size"], j["kind"]')" '[null, "isohybrid"]'
	gzip -c "$path" >a
	xz -0c "$path" >b
	zstd -qc "$path" >c
	for path in a b c; do
		inspect_json "$path"
		is "$(json out 'j["kind"], j["truncated"]')" '["isohybrid", false]'
		run 0 "$ISOWRITE" inspect --json --full "$path"
		is "$(json out 'j["size"]')" "$(size_of "$(image debian-cd.iso)")"
	done
	head -c 3M "$(image debian-cd.iso)" | gzip >cut.gz
	run 0 "$ISOWRITE" inspect cut.gz
	run 4 "$ISOWRITE" inspect --full cut.gz
	has ': TRUNCATED' out
	head -c 100000 a >corrupt.gz
	run 4 "$ISOWRITE" inspect --full corrupt.gz
}

test_block_device()
{
	local dev

	cp "$(image ubuntu.iso)" disk
	truncate -s 64M disk
	dev=$(attach disk)
	inspect_json "$dev"
	is "$(json out 'j["kind"], j["gpt"]["backup"]["at_end"]')" '["isohybrid", false]'
	has gpt-backup-not-at-end out
}

# What another program wraps is refused with a command that unwraps it.
test_foreign_formats()
{
	local format command

	need_tool qemu-img
	noise 1M raw
	for format in qcow2 vmdk vdi vhdx vpc; do
		qemu-img convert -O "$format" raw "disk.$format" ||
			fail "qemu-img convert -O $format"
		run 4 "$ISOWRITE" inspect "disk.$format"
		command=$(sed -n 's|^  qemu-img|qemu-img|p' err)
		rm -f "disk.$format.img"
		eval "$command" || fail "the command does not work: $command"
		same raw "disk.$format.img" 1048576
	done
}

test_archive_in_a_compressed_file()
{
	local inner

	noise 1M raw
	tar -cf raw.tar raw
	gzip -k raw.tar
	run 4 "$ISOWRITE" inspect raw.tar.gz
	rm raw
	eval "$(sed -n 's|^  tar|tar|p' err)"
	is "$(size_of raw)" 1048576
	gzip -k raw
	xz -k raw
	zstd -q raw
	zip -q raw.zip raw
	for inner in gz xz zst zip; do
		gzip -c "raw.$inner" >twice.gz
		run 4 "$ISOWRITE" inspect twice.gz
		has "twice.gz is compressed, and what is in it is" err
	done
}

test_bad_arguments()
{
	mkdir dir
	: >empty
	run 4 "$ISOWRITE" inspect dir
	run 4 "$ISOWRITE" inspect empty
	run 2 "$ISOWRITE" inspect absent
	run 2 "$ISOWRITE" inspect
	run 0 "$ISOWRITE" inspect "$TOP/LICENSE"
	has 'plain data' out
}

# A large image: few bytes are read of it. (How long that takes: make bench.)
test_large_image_is_read_little()
{
	cp "$(image debian-cd.iso)" large.iso
	truncate -s 4G large.iso
	inspect_json large.iso
	[ "$(json out 'j["bytes_read"]')" -lt 4194304 ] || fail "read $(json out 'j["bytes_read"]')"
}

test_names_are_escaped()
{
	need_tool xorriso
	mkdir tree
	: >tree/file
	run 0 xorriso -as mkisofs -V $'EVIL\e[31m' -publisher $'\e]0;x\a' -o evil.iso tree
	run 0 "$ISOWRITE" inspect evil.iso
	lacks_text $'\e' out
	cp evil.iso $'evil\e[31m.iso'
	run 0 "$ISOWRITE" inspect $'evil\e[31m.iso'
	lacks_text $'\e' out
	has 'evil\x1b[31m.iso' out
}
