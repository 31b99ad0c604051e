#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Partition tables: what inspect says of them beside xorriso and sfdisk, and
# what --fix-gpt makes beside sfdisk --relocate.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

ISOS="debian-cd.iso ubuntu.iso fedora.iso arch.iso appended-msdos.iso isohybrid-mbr.iso
	grub-rescue-cdrom.iso ipxe.iso grub-mkrescue.iso hfsplus.iso"
DISKS="disk-gpt-esp.img disk-mbr-fat.img disk-mbr-logical.img"

# The tables in one form: "mbr 1 active 17 0 4096", "gpt 1 TYPE GUID 64 6812 ISO9660".
ours()
{
	run 0 "$ISOWRITE" inspect --json "$1"
	"$PYTHON" - out <<-'END'
		import json, sys
		j = json.load(open(sys.argv[1]))
		for p in (j["mbr"] or {"partitions": []})["partitions"]:
		    print("mbr", p["number"], "active" if p["active"] else "-", p["type"],
		          p["start"] // 512, p["size"] // 512)
		g = j["gpt"] or {"partitions": []}
		if g["partitions"]:
		    print("gpt", g["guid"])
		for p in g["partitions"]:
		    print("gpt", p["number"], p["type"], p["guid"], p["start"] // 512,
		          p["size"] // 512, p["name"])
		a = j["apm"] or {"partitions": [], "block_size": 512}
		for p in a["partitions"]:
		    if p["type"] != "Apple_partition_map":
		        print("apm", p["type"], p["name"], p["start"] // a["block_size"],
		              p["size"] // a["block_size"])
	END
}

# The same by xorriso, which also sees a GPT that no protective entry announces.
xorriso_tables()
{
	run 0 xorriso -indev "$1" -report_system_area plain
	"$PYTHON" - out <<-'END'
		import sys, uuid
		guid = lambda h: str(uuid.UUID(bytes_le=bytes.fromhex(h))).upper()
		mbr, gpt, apm, disk = [], {}, {}, None
		for line in open(sys.argv[1]):
		    key, _, value = line.partition(":")
		    key, v = key.strip(), value.split()
		    if key == "MBR partition":
		        mbr.append(("mbr", v[0], "active" if v[1] == "0x80" else "-", v[2][2:], v[3], v[4]))
		    elif key == "GPT disk GUID":
		        disk = guid(v[0])
		    elif key in ("GPT partname local", "GPT partition GUID", "GPT type GUID", "GPT start and size"):
		        gpt.setdefault(v[0], {})[key] = v[1:]
		    elif key in ("APM partition name", "APM partition type", "APM start and size"):
		        apm.setdefault(v[0], {})[key] = v[1:]
		for m in mbr:
		    print(*m)
		if disk:
		    print("gpt", disk)
		for n, p in gpt.items():
		    print("gpt", n, guid(p["GPT type GUID"][0]), guid(p["GPT partition GUID"][0]),
		          *p["GPT start and size"], *p["GPT partname local"])
		for n, p in apm.items():
		    print("apm", *p["APM partition type"], *p["APM partition name"], *p["APM start and size"])
	END
}

# By sfdisk: the MBR, also the one before a GPT, and the GPT.
sfdisk_tables()
{
	run any sfdisk -Y dos -J "$1"
	cp out mbr.json
	run 0 sfdisk -J "$1"
	"$PYTHON" - mbr.json out <<-'END'
		import json, sys
		mbr, main = (json.load(open(p))["partitiontable"] for p in sys.argv[1:3])
		number = lambda p: p["node"].split("img")[1]
		for p in mbr["partitions"]:
		    print("mbr", number(p), "active" if p.get("bootable") else "-", p["type"].zfill(2),
		          p["start"], p["size"])
		if main["label"] == "gpt":
		    print("gpt", main["id"])
		    for p in main["partitions"]:
		        print("gpt", number(p), p["type"], p["uuid"], p["start"], p["size"], p["name"])
	END
}

test_inspect_sees_what_xorriso_sees()
{
	local name

	need_tool xorriso
	for name in $ISOS; do
		is "$(ours "$(image "$name")")" "$(xorriso_tables "$(image "$name")")" "tables of $name"
	done
}

test_inspect_sees_what_sfdisk_sees()
{
	local name

	need_tool sfdisk
	for name in $DISKS; do
		is "$(ours "$(image "$name")")" "$(sfdisk_tables "$(image "$name")")" "tables of $name"
	done
}

# sfdisk moves the backup as we do; but it rewrites the MBR: other CHS fields, and
# the entries of images like Ubuntu's that make old BIOSes boot are lost.
test_fix_gpt_is_what_sfdisk_does()
{
	local name

	need_tool sfdisk sgdisk
	for name in ubuntu.iso fedora.iso arch.iso disk-gpt-esp.img; do
		blank 64M ours
		blank 64M theirs
		run 0 "$ISOWRITE" --yes --fix-gpt "$(image "$name")" ours
		dd if="$(image "$name")" of=theirs conv=notrunc bs=1M status=none
		run 0 sfdisk --relocate gpt-bak-std theirs
		cmp -i 512 ours theirs >&2 || fail "$name: not what sfdisk makes"
		cmp -n 446 ours "$(image "$name")" >&2 || fail "$name: the MBR's code changed"
		cmp -i 462 -n 50 ours "$(image "$name")" >&2 || fail "$name: other MBR entries changed"
		run 0 sgdisk -v ours
		has "No problems found" out
		run 0 sfdisk --verify ours
	done
}

# On a stick of just the image's size there is nothing to move.
# Two sticks of one product are seldom of one size: each has its own backup in
# its last MiB, although both are written from one reading of the image.
test_fix_gpt_of_several_sizes()
{
	local image size a b n

	image=$(image disk-gpt-esp.img)
	size=$(stat -c %s "$image")
	for n in 512 200704; do
		for a in "$size" $((size + 1048576)); do
			b=$((a + n))
			rm -f a b alone-a alone-b
			run 0 "$ISOWRITE" --yes --fix-gpt --size="$a" "$image" file:alone-a
			run 0 "$ISOWRITE" --yes --fix-gpt --size="$b" "$image" file:alone-b
			stick "$a" a
			stick "$b" b
			run 0 "$ISOWRITE" --yes --fix-gpt "$image" file:a file:b
			sgdisk -v a | grep -q 'No problems' || fail "$a beside $b: sgdisk finds problems"
			sgdisk -v b | grep -q 'No problems' || fail "$b beside $a: sgdisk finds problems"
			same a alone-a "$size"
			cmp <(tail -c 1M a) <(tail -c 1M alone-a) || fail "$a beside $b: the last MiB"
			cmp <(tail -c 1M b) <(tail -c 1M alone-b) || fail "$b beside $a: the last MiB"
		done
	done
}

test_fix_gpt_in_place()
{
	blank "$(size_of "$(image ubuntu.iso)")" s
	run 0 "$ISOWRITE" --yes --fix-gpt "$(image ubuntu.iso)" s
	same s "$(image ubuntu.iso)"
}

# An installer that checks itself would call the stick bad: said before it is written.
test_fix_gpt_and_the_media_check()
{
	cp "$(image fedora.iso)" i
	printf 'ISO MD5SUM = 6dfc632d6c540d51de28f29fd7478cf9;SKIPSECTORS = 15;' |
		dd of=i bs=1 seek=$((32768 + 883)) conv=notrunc status=none
	run 0 "$ISOWRITE" inspect i
	has 'for checkisomd5' out
	run 0 "$ISOWRITE" plan --fix-gpt --size=64MiB i
	has 'will call the stick bad' err
	run 0 "$ISOWRITE" plan --fix-gpt --size=64MiB --json i
	validate_json out
	has '"code":"media-check"' out
	run 0 "$ISOWRITE" plan --size=64MiB i
	lacks_text 'checkisomd5' err
	run 0 "$ISOWRITE" plan --fix-gpt --size=64MiB "$(image fedora.iso)"
	lacks_text 'checkisomd5' err
}

# Too close: the new backup would lie over the image's data.
test_fix_gpt_without_room()
{
	local image size

	image=$(image disk-gpt-esp.img)
	size=$(size_of "$image")
	run 5 "$ISOWRITE" plan --fix-gpt --size=$((size - 512)) "$image"
	run 0 "$ISOWRITE" plan --fix-gpt --size=$((size + 512)) "$image"
}

test_fix_gpt_refusals()
{
	stick 64M s
	cp s before
	run 4 "$ISOWRITE" --yes --fix-gpt "$(image data.iso)" s
	has "has no GUID partition table" err
	run 4 "$ISOWRITE" --yes --fix-gpt "$(image debian-cd.iso)" s
	has "no protective entry" err
	cp "$(image ubuntu.iso)" i
	printf x | dd of=i bs=1 seek=1030 conv=notrunc status=none
	run 4 "$ISOWRITE" --yes --fix-gpt i s
	has "checksum of its entries is wrong" err
	run 2 "$ISOWRITE" --yes --fix-gpt --mode=raw "$(image ubuntu.iso)" s
	gzip -c "$(image ubuntu.iso)" >i.gz
	run 2 "$ISOWRITE" --yes --fix-gpt i.gz s
	has "save the decompressed image" err
	expect_untouched s before
}

# A stick with sectors of 4096 bytes: refused with the reason, except for a table
# made for it, and for what has no table at all.
test_sectors_of_4096()
{
	local dev name

	need_tool sgdisk
	blank 64M s
	dev=$(attach s -b 4096)
	for name in ubuntu.iso disk-gpt-esp.img disk-mbr-fat.img disk-superfloppy.img data.iso; do
		run 4 "$ISOWRITE" --yes "$(image "$name")" "$dev"
		has "4096 bytes" err
	done
	is_blank s
	noise 3M plain
	run 0 "$ISOWRITE" --yes plain "$dev"
	same plain s 3145728
}

test_fix_gpt_with_sectors_of_4096()
{
	local dev small

	need_tool sgdisk sfdisk
	blank 16M image
	small=$(attach image -b 4096)
	run 0 sgdisk -n 1:0:+4M -t 1:ef00 "$small"
	losetup -d "$small"
	blank 64M s
	dev=$(attach s -b 4096)
	run 0 "$ISOWRITE" --yes --fix-gpt image "$dev"
	run 0 sgdisk -v "$dev"
	has "No problems found" out
	run 0 sfdisk --verify "$dev"
	run 0 "$ISOWRITE" inspect --json "$dev"
	is "$(json out 'j["gpt"]["block_size"]')" 4096
	is "$(json out 'j["gpt"]["backup"]["at_end"]')" true
}
