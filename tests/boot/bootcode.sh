#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Our boot code on BIOSes that are old or broken, which oldbios.S makes of QEMU's, and each of
# the MBR's error digits once. What boots under a good one,
# the other tests show.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
TIMEOUT=120

# oldbios.S: a bit for each call that fails.
READ=1 GEOMETRY=2 HAS_PACKETS=4 PACKETS=8
# The stick is drive 81h, and there is no 80h.
SECOND=16
# What fails comes back with interrupts off.
INTERRUPTS_OFF=128

# hybrid IMAGE: a stick of it in ./stick.
hybrid()
{
	need_tool qemu-system-x86_64 qemu-img as ld
	rm -f stick
	run 0 "$ISOWRITE" --yes --mode=hybrid "$(image "$1")" file:stick
}

# old_bios BROKEN [DRIVE]: the stick is started by a BIOS whose calls BROKEN fail, as DRIVE.
old_bios()
{
	[ -e oldbios ] || {
		as --32 -o oldbios.o "$TOP/tests/boot/oldbios.S"
		ld -m elf_i386 -e start -Ttext 0 --oformat binary -o oldbios oldbios.o
	}
	cp stick old
	dd if=stick of=old bs=512 count=1 seek=36 conv=notrunc status=none
	dd if=oldbios of=old conv=notrunc status=none
	poke old 508 "$(printf '\\x%02x\\x%02x' "$1" "${2:-255}")"
}

# poke FILE OFFSET BYTES: bytes as printf %b takes them.
poke()
{
	printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# shows FILE TEXT [BOOTCHECK OPTION...]: on a stick that is large enough for SeaBIOS to give it
# 63 sectors a track; very small ones get 64, which AH=08h cannot say.
shows()
{
	run 0 "$TOP/tests/boot/bootcheck" "$1" --stick-size 64M --expect "$2" --timeout 60 "${@:3}"
}

test_boots_without_packet_calls()
{
	local image

	for image in isolinux-plain.iso grub-plain.iso floppy144.iso; do
		hybrid "$image"
		old_bios $((HAS_PACKETS | PACKETS))
		shows old "ISOWRITE-BOOTED $image"
	done
}

# What AH=41h promises, AH=42h does not keep: isolinux is told to do without, and says CHDD.
test_packet_calls_that_fail()
{
	hybrid isolinux-plain.iso
	old_bios $PACKETS
	shows old 'ISOLINUX.*CHDD'
}

test_wrong_drive_number()
{
	local drive

	hybrid isolinux-plain.iso
	for drive in 0 144; do
		old_bios 0 $drive
		shows old 'ISOWRITE-BOOTED isolinux-plain.iso'
	done
}

test_drive_number_is_kept()
{
	local image

	for image in isolinux-plain.iso grub-plain.iso floppy144.iso; do
		hybrid "$image"
		old_bios $SECOND 129
		shows old "ISOWRITE-BOOTED $image"
	done
}

test_says_that_it_boots_by_uefi_only()
{
	hybrid uefi-only.iso
	shows stick 'boots by UEFI only'
}

# The digits, then the BIOS's next disk, of which there is none.
test_errors()
{
	hybrid isolinux-plain.iso
	old_bios $((GEOMETRY | HAS_PACKETS))
	shows old 'isowrite boot error 1'
	old_bios $((READ | PACKETS))
	shows old 'isowrite boot error 2'
	# The wait ends, in whatever state the BIOS leaves the machine.
	old_bios $((READ | PACKETS | INTERRUPTS_OFF))
	shows old 'isowrite boot error 2.*No bootable device' --fail none
	# The first drive's digit, not that of 80h, which is tried then.
	old_bios $((READ | PACKETS)) 0
	shows old 'isowrite boot error 1'
	# Its sector beyond cylinder 1023, and beyond 2 TiB.
	cp stick good
	poke stick 416 '\x00\x04\xfb\x00\x00\x00\x00\x00'
	old_bios $HAS_PACKETS
	shows old 'isowrite boot error 3'
	poke stick 416 '\x64\x00\x00\x00\x01\x00\x00\x00'
	old_bios $HAS_PACKETS
	shows old 'isowrite boot error 3'
	cp good stick
	poke stick 416 '\x40\x00\x00\x00\x00\x00\x00\x00'
	shows stick 'isowrite boot error 4.*No bootable device' --fail none
}

test_grub_that_was_moved()
{
	hybrid grub-plain.iso
	poke stick 416 '\x40\x00\x00\x00\x00\x00\x00\x00'
	shows stick 'isowrite boot error 4'
}

test_cdemu_that_was_overwritten()
{
	hybrid floppy144.iso
	poke stick 20488 '\x00'
	shows stick 'isowrite boot error 4'
}
