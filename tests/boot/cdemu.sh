#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What our emulation of a CD drive (boot/cdemu.S) answers to INT 13h: int13.S asks it, as
# disc without emulation, floppy and hard disk; and it asks SeaBIOS' own emulation the same,
# so that the questions are known to be right wherever that is.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
TIMEOUT=120

# disc MEDIA [OPTION...]: ./disc.iso with int13.S as MEDIA (none, floppy or disk).
disc()
{
	local options number

	case $1 in
	none) number=0 options=(-no-emul-boot -boot-load-size 135) ;;
	floppy) number=2 options=() ;;
	disk) number=4 options=(-hard-disk-boot) ;;
	esac
	need_tool qemu-system-x86_64 xorriso as ld
	rm -rf files disc.iso
	mkdir files
	"${CC:-cc}" -E -P -undef -nostdinc -x assembler-with-cpp -DMEDIA=$number "${@:2}" \
		-o int13.s "$TOP/tests/boot/int13.S"
	as --32 -o int13.o int13.s
	ld -m elf_i386 --oformat binary -Ttext 0x7c00 -o files/boot.img int13.o
	xorriso -as mkisofs -quiet -no-pad -o disc.iso -b boot.img "${options[@]}" files 2>xorriso.log ||
		fail "xorriso: $(cat xorriso.log)"
}

# stick: ./stick, as isowrite makes it of ./disc.iso; large enough that SeaBIOS gives it 63
# sectors a track.
stick_of_disc()
{
	blank 64M stick
	run 0 "$ISOWRITE" --yes --mode=hybrid disc.iso file:stick
	cmp -s -i 20488:0 -n 8 stick <(printf ISOWCDEM) || fail "cdemu is not on the stick"
}

# ask DEVICE FILE [QEMU OPTION...]: what int13.S says, in ./answers.
ask()
{
	local device

	case $1 in
	cd) device=ide-cd,drive=d,bootindex=0 ;;
	*) device=$1,drive=d,bootindex=0 ;;
	esac
	rm -f answers
	timeout 60 qemu-system-x86_64 -nodefaults -no-reboot -display none -accel tcg -m 32 -vga std \
		-boot strict=on -chardev file,id=s,path=answers -serial chardev:s \
		-device isa-debug-exit,iobase=0xf4,iosize=4 \
		-drive if=none,id=d,file="$2",format=raw,snapshot=on -device qemu-xhci,id=x \
		-device "$device" "${@:3}" >qemu.log 2>&1 || [ $? = 1 ] ||
		{ show qemu.log answers; fail "int13.S did not end"; }
	has END answers
}

# asked NUMBER: all of at least so many questions were answered rightly.
asked()
{
	if grep -v -e '^PASS ' -e '^END' answers >&2; then
		fail "cdemu answers something wrongly"
	fi
	[ "$(grep -c '^PASS ' answers)" -ge "$1" ] || { show answers; fail "too few questions"; }
}

test_disc_without_emulation()
{
	disc none
	stick_of_disc
	ask usb-storage,bus=x.0 stick
	asked 50
}

test_floppy()
{
	disc floppy
	stick_of_disc
	ask usb-storage,bus=x.0 stick
	asked 80
}

test_hard_disk()
{
	disc disk
	stick_of_disc
	ask usb-storage,bus=x.0 stick
	asked 80
}

# Over the stack of who loads it, and above 64 KiB.
test_load_segments()
{
	local segment catalog

	for segment in 07 10; do
		disc none -DSEGMENT=0x${segment}00
		catalog=$(od -An -td4 -j $((17 * 2048 + 71)) -N 4 disc.iso)
		printf '%b' "\\x$segment" |
			dd of=disc.iso bs=1 seek=$((catalog * 2048 + 35)) conv=notrunc status=none
		stick_of_disc
		ask usb-storage,bus=x.0 stick
		asked 50
	done
}

# says DIGIT [QEMU OPTION...]: the error, on the text screen.
says()
{
	local qemu

	rm -f screen
	timeout 60 qemu-system-x86_64 -nodefaults -no-reboot -display none -accel tcg -m 32 \
		-machine graphics=off -boot strict=on -chardev file,id=s,path=screen -serial chardev:s \
		-drive if=none,id=d,file=stick,format=raw,snapshot=on -device qemu-xhci,id=x \
		-device usb-storage,bus=x.0,drive=d,bootindex=0 "${@:2}" >qemu.log 2>&1 &
	qemu=$!
	for _ in {1..300}; do
		if grep -aq "isowrite boot error $1" screen 2>/dev/null; then
			break
		fi
		sleep 0.1
	done
	kill $qemu
	wait $qemu || :
	has "isowrite boot error $1" screen
}

# poke OFFSET BYTES: of cdemu on the stick, as printf %b takes them.
poke()
{
	printf '%b' "$2" | dd of=stick bs=1 seek=$((20480 + $1)) conv=notrunc status=none
}

# The packet says how many blocks were read when one could not be.
test_count_after_an_error()
{
	disc none -DSHORT
	stick_of_disc
	poke 36 '\\377\\377\\377\\177'
	ask usb-storage,bus=x.0 stick
	asked 10
}

test_errors()
{
	local drives='' i

	disc none
	stick_of_disc
	cp stick good
	# Too much to load, then too high.
	poke 24 '\xff\xff'
	says 5
	cp good stick
	poke 22 '\xc0\x9d'
	says 5
	# Beyond the stick, and beyond what a BIOS's 512-byte sectors of 32 bits reach.
	cp good stick
	poke 28 '\0\0\1\0'
	says 6
	poke 28 '\0\0\0\xff'
	says 6
	cp good stick
	for i in {0..15}; do
		drives+=" -drive if=none,id=c$i,file=disc.iso,format=raw,readonly=on"
		drives+=" -device scsi-cd,bus=v.0,scsi-id=$i,drive=c$i,bootindex=$((i + 1))"
	done
	# shellcheck disable=SC2086 # words
	says 7 -device virtio-scsi-pci,id=v $drives
}

# Where there is a CD drive, ours is the next; the machine's second disk stays reachable.
test_beside_a_cd_drive_and_a_second_disk()
{
	disc none
	stick_of_disc
	ask usb-storage,bus=x.0 stick -drive if=none,id=c,file=disc.iso,format=raw,readonly=on \
		-device ide-cd,drive=c -drive if=none,id=e,file=stick,format=raw,snapshot=on \
		-device virtio-blk-pci,drive=e
	asked 50
	has "booted from drive E1" answers
}

# old_bios BROKEN: the stick is started by a BIOS that is BROKEN; see oldbios.S.
old_bios()
{
	as --32 -o oldbios.o "$TOP/tests/boot/oldbios.S"
	ld -m elf_i386 -e start -Ttext 0 --oformat binary -o oldbios oldbios.o
	printf '%b' "$1" | dd of=oldbios bs=1 seek=508 conv=notrunc status=none
	dd if=stick of=stick bs=512 count=1 seek=36 conv=notrunc status=none
	dd if=oldbios of=stick conv=notrunc status=none
}

# A BIOS without packet calls: the same answers, by cylinder, head and sector.
test_without_packet_calls()
{
	local media

	for media in none disk; do
		disc $media -DOLD_BIOS=1
		stick_of_disc
		old_bios '\x0c' # AH=41h, 42h
		ask usb-storage,bus=x.0 stick
		asked 50
	done
}

# What a BIOS does not manage at once it is asked again.
test_every_second_read_fails()
{
	local broken

	disc disk -DOLD_BIOS=2
	for broken in '\x20' '\x2c'; do
		stick_of_disc
		old_bios "$broken"
		ask usb-storage,bus=x.0 stick
		asked 70
	done
}

# A BIOS that reads by DMA of 64 KiB: we read up to there, and then on.
test_no_read_across_64_kib()
{
	disc none -DALIGNED
	stick_of_disc
	old_bios '\x40'
	ask usb-storage,bus=x.0 stick
	asked 50
	disc disk -DALIGNED -DOLD_BIOS=1
	stick_of_disc
	old_bios '\x4c'
	ask usb-storage,bus=x.0 stick
	asked 70
}

# differs MEDIA: SeaBIOS answers as we do, but for the questions on standard input.
differs()
{
	disc "$1" -DSEABIOS
	ask cd disc.iso
	sed -n "s/^.*FAIL //p" answers |
		sed -E "s/: (registers|the packet's count|what was read|the result) [0-9A-F]{4} .*//" >differences
	sort | diff - <(sort differences) >&2 || fail "SeaBIOS answers otherwise than it did"
}

# Of a real CD SeaBIOS knows no end but the drive's own error, 0C; it takes any packet, ends
# a read where 64 KiB end, and has neither a catalog nor refusals of what it does not know.
# It calls itself EDD 3.0, where addresses of 64 bits would be right.
cd_differences="41
41 without the key
42: 40 blocks to an odd address
42: across 64 KiB
42: a packet too short
42: behind the last block
42: across the end
42: far behind the end
42: wrapping
42: a long address
44: behind the last block
47: behind the last block
48
4D
03
45
4B02"

# It has the geometry in the status packet the other way round, counts a floppy that the
# equipment word has twice, keeps the last cylinder of hard disks to itself, and does not
# say that it has read nothing.
emulation_differences="4B01: the packet
4B01 of drive 7F: the packet
4B01 of the CD drive: the packet
emulated 02: across the end
emulated 02: sector 0
emulated 02: no such sector
emulated 02: no such head
emulated 02: no such cylinder
emulated 02: cylinder 256
emulated 02: 129 sectors
emulated 08
emulated 4B02"

test_questions_are_right()
{
	differs none <<<"$cd_differences"
	differs floppy <<<"$cd_differences
$emulation_differences
emulated 16"
	differs disk <<<"$cd_differences
$emulation_differences
emulated 15"
}
