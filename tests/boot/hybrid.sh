#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Sticks that isowrite made of discs: they boot, by each way of booting that the writer
# knows; other tools and Debian's kernel accept their tables; firmware finds nothing to
# repair. And inspect's answers for all test images, held against what the matrix measured.
#
# All images under all firmware: tests/boot/matrix. ISOWRITE_TEST_FULL=1 (make
# check-boot) takes more images here.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
TIMEOUT=${ISOWRITE_TEST_FULL:+1}300

# write_hybrid IMAGE STICK [OPTION...]: auto has to choose hybrid by itself. STICK is made
# unless it is there.
write_hybrid()
{
	local name=$1 stick=$2

	shift 2
	[ -e "$stick" ] || blank 128M "$stick"
	run 0 "$ISOWRITE" --yes --json "$@" "$(image "$name")" "file:$stick"
	is "$(json out 'j["plans"][0]["planner"]')" hybrid "the planner of $name"
}

# boots FILE IMAGE OPTION...
boots()
{
	local file=$1 name=$2

	shift 2
	need_tool qemu-system-x86_64 qemu-img qemu-io
	"$TOP/tests/boot/bootcheck" "$file" --expect "ISOWRITE-BOOTED $(head -c 14 <<<"$name")" \
		--timeout 120 --stick-size 512M "$@" || fail "$name does not boot: $*"
}

# A boot image of each kind that our boot code enters, by BIOS.
test_isolinux_by_its_contract()
{
	# What lay on the stick before must not shine through.
	noise 128M stick
	write_hybrid isolinux-plain.iso stick
	boots stick isolinux-plain.iso --as usb
	boots stick isolinux-plain.iso --as ahci
}

test_grub_by_its_contract()
{
	write_hybrid grub-plain.iso stick
	boots stick grub-plain.iso --as usb
	boots stick grub-plain.iso --as nvme
}

test_others_by_an_emulated_drive()
{
	local name

	for name in isolinux-noinfo.iso grub-legacy.iso floppy144.iso hd-emul.iso winlike.iso; do
		rm -f stick
		write_hybrid "$name" stick
		boots stick "$name"
	done
}

# Firmware that heeds boot catalogs on discs only needs the partition behind the ISO.
test_uefi_without_el_torito_on_a_large_disk()
{
	blank 3000G disk
	write_hybrid both-nopt.iso disk
	boots disk both-nopt.iso --firmware uefi --no-eltorito
	boots disk both-nopt.iso
}

test_uefi_only()
{
	write_hybrid uefi-only.iso stick
	boots stick uefi-only.iso --firmware uefi --no-eltorito
}

# Of several boot images, the one that was asked for: each loader says its name first.
test_boot_entry()
{
	write_hybrid multi-entry.iso stick --boot-entry=2
	boots stick multi-entry.iso --expect 'Welcome to GRUB.*ISOWRITE-BOOTED'
	rm stick
	write_hybrid multi-entry.iso stick --boot-entry=3
	boots stick multi-entry.iso --expect '^SYSLINUX.*ISOWRITE-BOOTED'
}

# The hybrid as a file of the image's own size is still a disc.
test_hybrid_disc()
{
	local img

	img=$(image both-nopt.iso)
	run 0 "$ISOWRITE" --yes --mode=hybrid "$img" file:out.iso
	"$TOP/tests/boot/bootcheck" out.iso --as cd --expect "ISOWRITE-BOOTED both-nopt.iso" ||
		fail "does not boot as a disc by BIOS"
	"$TOP/tests/boot/bootcheck" out.iso --as cd --firmware uefi --timeout 120 \
		--expect "ISOWRITE-BOOTED both-nopt.iso" || fail "does not boot as a disc by UEFI"
}

# ----------------------------------------------------------------- their tables

# The images of the tests below.
hybrids()
{
	if [ "${ISOWRITE_TEST_FULL:-}" ]; then
		awk '!/^#/ && $7 == "hybrid" { print $1 }' "$TOP/tests/boot/table.txt"
	else
		printf '%s\n' both-nopt.iso isolinux-plain.iso
	fi
}

# sfdisk and the kernel agree; the ISO is mounted from the disk, and from its partition.
# With --strict-gpt it has none, and sgdisk finds nothing to complain about.
test_kernel_and_tools_accept_the_tables()
{
	local name stick sticks=()

	need_tool sfdisk sgdisk qemu-system-x86_64
	for name in $(hybrids); do
		write_hybrid "$name" "$name"
		write_hybrid "$name" "$name.strict" --strict-gpt
		run 0 sgdisk -v "$name.strict"
		has "No problems found" out
		sticks+=("$name" "$name.strict")
	done
	for stick in "${sticks[@]}"; do
		run 0 sfdisk --verify "$stick"
		has "No errors detected" out
	done
	# A controller has 15 ports.
	xargs -n 14 <<<"${sticks[*]}" >groups
	while read -r -a group; do
		rm -rf guest && mkdir guest
		status=0
		"$PYTHON" "$TOP/tests/boot/kernelview.py" "$TOP/build/guest" guest "${group[@]}" >seen ||
			status=$?
		[ "$status" != 77 ] || missing "$(cat seen)"
		is "$status" 0 "the guest's status"
		for stick in "${group[@]}"; do kernel_agrees "$stick"; done
	done <groups
}

# kernel_agrees STICK: the lines of ./seen about it are right.
kernel_agrees()
{
	local stick=$1 name=${1%.strict} info

	# In all that we mastered ourselves.
	[ "$name" = ipxe.iso ] || info="isowrite test image $name"
	grep "^$stick " seen >view || fail "the kernel does not see $stick"
	cat view >&2
	sfdisk --json "$stick" >table.json
	json table.json '"".join("%d %d %d\n" % (i, p["start"], p["size"])
		for i, p in enumerate(j["partitiontable"].get("partitions", []), 1))' |
		sed '/^$/d' >wanted
	awk '$2 != "disk" { print $2, $3, $4 }' view >got
	diff -u wanted got >&2 || fail "the kernel sees other partitions of $stick than sfdisk"
	matches "^$stick disk 0 [0-9]+ iso9660 ${info:-}" view
	[ "$stick" != "$name" ] || matches "^$stick 1 0 [0-9]+ iso9660 ${info:-}" view
}

# A table that firmware finds fault with is repaired on the stick, behind the user's back.
test_firmware_writes_nothing()
{
	local name option

	for name in $([ "${ISOWRITE_TEST_FULL:-}" ] && hybrids || echo both-nopt.iso); do
		for option in --seed=5a0d4f5c-29f5-4f0f-9c0d-0123456789ab --strict-gpt; do
			rm -f stick
			write_hybrid "$name" stick "$option"
			cp --sparse=always stick before
			# Whether there is something for UEFI to boot does not matter here.
			run any "$TOP/tests/boot/bootcheck" stick --writable --firmware uefi \
				--timeout 120 --expect ISOWRITE-BOOTED
			[ "$status" -le 1 ] || { show err; fail "OVMF did not get as far as $name"; }
			cmp stick before >&2 || fail "OVMF wrote to $name ($option)"
		done
	done
}

# Needs no QEMU: what it said is in table.txt.
test_predictions()
{
	run any "$TOP/tests/boot/matrix" --predictions
	grep -v '^ok' out >&2 || true
	is "$status" 0 "what inspect says is what was measured"
}
