#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Images that need no help are written byte for byte, and the stick boots wherever one
# written by dd boots. The stick is larger than the image and has had a former life, which
# must not shine through. (Images that do need help: hybrid.sh.)
#
# ISOWRITE_TEST_FULL=1 (make check-boot) boots dd's copy under each firmware too
# and compares. Without it the outcome of dd's copy is taken from the list below.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
TIMEOUT=300

# IMAGE, the firmware that dd's copy on a USB stick boots under, the proof.
images="
memtest86+.iso        bios,uefi  Memtest86|BdsDxe: starting Boot0001
grub-rescue-cdrom.iso bios       GNU GRUB
debian-cd.iso         bios,uefi
ubuntu.iso            bios,uefi
arch.iso              bios,uefi
isohybrid-mbr.iso     bios
grub-mkrescue.iso     bios,uefi
hfsplus.iso           bios
disk-gpt-esp.img      uefi
disk-mbr-fat.img      bios
disk-superfloppy.img  bios
debian-netboot.iso    bios,uefi  \[!!\]
"
# In the full run only.
more_images="
fedora.iso            bios,uefi
appended-msdos.iso    bios,uefi
data.iso              -
"

# former_life FILE: a GPT with its backup at the end, and a file system.
former_life()
{
	blank 80M "$1"
	noise 80M noise 5
	dd if=noise of="$1" conv=notrunc status=none bs=1M
	dd if=/dev/zero of="$1" conv=notrunc status=none bs=1M count=2
	sgdisk -o -n 1:2048:0 -t 1:ef00 "$1" >/dev/null
	mkfs.fat --offset 2048 -F 32 -n OLD "$1" $((78 * 1024)) >/dev/null
	rm noise
}

# boots FILE FIRMWARE PROOF
boots()
{
	local memory=()

	[ "$name" != debian-netboot.iso ] || memory=(--memory 768)
	"$TOP/tests/boot/bootcheck" "$1" --firmware "$2" --expect "$3" --timeout 120 "${memory[@]}"
}

# write_and_boot IMAGE FIRMWARES [PROOF]
write_and_boot()
{
	local name=$1 firmwares=$2 proof=${3:-ISOWRITE-BOOTED $1}
	local img firmware dd_boots status

	img=$(image "$name")
	need_tool qemu-system-x86_64 qemu-img sgdisk mkfs.fat
	former_life stick
	[ -z "${ISOWRITE_TEST_FULL:-}" ] || cp --sparse=always stick dd-stick
	run 0 "$ISOWRITE" --yes "$img" file:stick
	has "Verified" out
	same "$img" stick "$(size_of "$img")"

	if [ -z "${ISOWRITE_TEST_FULL:-}" ]; then
		for firmware in ${firmwares//,/ }; do
			boots stick "$firmware" "$proof" || fail "$name does not boot under $firmware"
		done
		return
	fi
	dd if="$img" of=dd-stick bs=1M conv=notrunc status=none
	for firmware in bios uefi; do
		dd_boots=0
		boots dd-stick "$firmware" "$proof" || dd_boots=$?
		case ,$firmwares, in
		*,$firmware,*) is "$dd_boots" 0 "dd's copy of $name under $firmware" ;;
		esac
		[ "$dd_boots" = 0 ] || continue
		status=0
		boots stick "$firmware" "$proof" || status=$?
		is "$status" 0 "$name under $firmware, where dd's copy boots"
	done
}

define_tests()
{
	local name firmwares proof

	while read -r name firmwares proof; do
		[ "$name" ] || continue
		eval "test_${name//[^a-z0-9]/_}() { write_and_boot $name $firmwares '$proof'; }"
	done
}
define_tests <<<"$images"

# With --fix-gpt the stick still boots, and strict tools find nothing to complain about.
test_fix_gpt()
{
	local name=ubuntu.iso img firmware

	img=$(image "$name")
	need_tool qemu-system-x86_64 qemu-img sgdisk mkfs.fat
	former_life stick
	run 0 "$ISOWRITE" --yes --fix-gpt "$img" file:stick
	run 0 sgdisk -v stick
	has "No problems found" out
	for firmware in bios uefi; do
		boots stick "$firmware" "ISOWRITE-BOOTED $name" || fail "does not boot under $firmware"
	done
}

[ "${ISOWRITE_TEST_FULL:-}" ] || return 0
define_tests <<<"$more_images"

# A stick of 4096-byte sectors is refused because no firmware boots such a copy: so it is.
test_sectors_of_4096_bytes_do_not_boot()
{
	local img

	img=$(image debian-cd.iso)
	need_tool qemu-system-x86_64 qemu-img
	run 1 "$TOP/tests/boot/bootcheck" "$img" --sector-size 4096 --firmware uefi \
		--expect ISOWRITE-BOOTED --timeout 30
}
