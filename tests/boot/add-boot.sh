#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Discs that --add-boot gave a boot entry: they boot by it, and by what they had, as a stick
# and as a disc. ISOWRITE_TEST_FULL=1 (make check-boot) takes more discs and more firmware.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
TIMEOUT=300

# part NAME FILE OUT: a file out of an image of scripts/mkimages.
part()
{
	local img

	img=$(image "$1")
	need_tool xorriso
	xorriso -osirrox on -indev "$img" -extract "$2" "$3" >log 2>&1 || fail "no $2 in $1"
}

# GRUB for UEFI and for BIOS; both read /boot/grub/isowrite.cfg from the medium.
loaders()
{
	part uefi-only.iso /boot/grub/efi.img esp.img
	part grub-plain.iso /boot/grub/eltorito.img grub.img
}

# data_tree: what GRUB has to find on a disc that never booted.
data_tree()
{
	mkdir -p tree/boot/grub tree/sub
	printf 'echo "ISOWRITE-BOOTED added"\nsleep 3600\n' >tree/boot/grub/isowrite.cfg
	noise 300000 tree/sub/data
}

# boots FILE PROOF OPTION...
boots()
{
	local file=$1 proof=$2

	shift 2
	need_tool qemu-system-x86_64 qemu-img qemu-io
	"$TOP/tests/boot/bootcheck" "$file" --expect "ISOWRITE-BOOTED $proof" --timeout 120 "$@" ||
		fail "$file does not boot: $*"
}

# The root directory has moved, and GRUB finds its configuration by it.
test_data_disc_of_xorriso()
{
	loaders
	data_tree
	xorriso -as mkisofs -quiet -r -J -o data.iso tree 2>log
	run 0 "$ISOWRITE" --yes --add-boot=efi:esp.img --add-boot=bios:grub.img data.iso file:out.iso
	boots out.iso added --firmware bios
	boots out.iso added --firmware uefi --no-eltorito
	[ "${ISOWRITE_TEST_FULL:-}" ] || return 0
	boots out.iso added --firmware uefi
	boots out.iso added --firmware bios --as cd
	boots out.iso added --firmware uefi --as cd
}

# in_all_ways FILE BIOS_PROOF UEFI_PROOF
in_all_ways()
{
	local as

	for as in usb cd; do
		boots "$1" "$2" --firmware bios --as $as
		boots "$1" "$3" --firmware uefi --as $as
	done
	boots "$1" "$3" --firmware uefi --no-eltorito
}

[ "${ISOWRITE_TEST_FULL:-}" ] || return 0

test_data_disc_of_genisoimage()
{
	loaders
	data_tree
	need_tool genisoimage
	genisoimage -quiet -r -J -o data.iso tree 2>log
	run 0 "$ISOWRITE" --yes --add-boot=efi:esp.img --add-boot=bios:grub.img data.iso file:out.iso
	in_all_ways out.iso added added
}

test_uefi_beside_isolinux()
{
	part uefi-only.iso /boot/grub/efi.img esp.img
	# Its GRUB finds no configuration on this disc; that it runs is all it can show.
	run 0 "$ISOWRITE" --yes --add-boot=efi:esp.img "$(image isolinux-plain.iso)" file:out.iso
	boots out.iso isolinux-plain --as usb
	boots out.iso isolinux-plain --as cd
	need_tool qemu-system-x86_64
	for as in usb cd; do
		run 0 "$TOP/tests/boot/bootcheck" out.iso --firmware uefi --as "$as" \
			--expect 'GNU GRUB|grub>' --timeout 120
	done
}

test_bios_beside_uefi()
{
	part grub-plain.iso /boot/grub/eltorito.img grub.img
	run 0 "$ISOWRITE" --yes --add-boot=bios:grub.img "$(image uefi-only.iso)" file:out.iso
	in_all_ways out.iso uefi-only uefi-only
}

# An image that is entered through the emulated drive.
test_other_code()
{
	part winlike.iso /boot/etfsboot.com etfs.com
	run 0 "$ISOWRITE" --yes --add-boot=bios:etfs.com "$(image uefi-only.iso)" file:out.iso
	boots out.iso uefi-only --firmware uefi
	boots out.iso winlike --firmware bios --as usb
	boots out.iso winlike --firmware bios --as cd
}
