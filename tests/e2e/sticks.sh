#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The transcripts of a person with one stick and one internal disk, against
# tests/golden/transcript-stick-*.txt (as root: UPDATE_GOLDEN=1 tests/e2e/sticks.sh).
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
. "$(dirname "${BASH_SOURCE[0]}")/disks.bash"

PATH=$(dirname "$ISOWRITE"):$PATH
export TERM=xterm

# play NAME STATUS [PTY OPTION...] -- ARGUMENT...
play()
{
	local name=$1 want=$2 options=()

	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	run "$want" as_disk "$PYTHON" "$TOP/tests/e2e/pty.py" --mask "${options[@]}" -- isowrite "$@"
	# What the machine of the test is like, is not the matter here.
	{
		echo "\$ isowrite${*:+ $*}"
		sed -E 's/^    [a-z0-9]+, mounted on .*/    FILESYSTEM, mounted on .../
			/^ *Also refused by: source\.$/d
			s/ Also refused by: source\.//' out
	} >transcript
	golden "transcript-stick-$name.txt" transcript
}

test_first_contact()
{
	desk
	play first 2 --
	play no-target 2 -- ubuntu.iso
}

test_devices()
{
	desk
	play devices 0 -- devices
	run 0 as_disk isowrite devices -v
	has 'serial 4C530\x1b[2J01' out
	run 0 as_disk isowrite devices --json
	validate_json out
	is "$(json out '[d["writable"] for d in j["devices"]]')" '[false, true]'
	is "$(json out 'j["devices"][1]["usb_port"]')" 1-4
	is "$(json out 'j["devices"][1]["vendor"] + j["devices"][1]["model"]')" SanDiskUltra
}

test_write()
{
	desk
	play write 0 --send 'y/N' y -- ubuntu.iso /dev/sdb
	same ubuntu.iso stick "$(size_of ubuntu.iso)"
}

# The list that its makers publish lies beside it.
test_write_listed()
{
	desk
	sha256sum ubuntu.iso >SHA256SUMS
	play listed 0 --send 'y/N' y -- ubuntu.iso /dev/sdb
	same ubuntu.iso stick "$(size_of ubuntu.iso)"
	printf '%064d  ubuntu.iso\n' 0 >SHA256SUMS
	play not-listed 9 -- ubuntu.iso /dev/sdb
}

test_mistakes()
{
	desk
	cp --sparse=always stick before
	play swapped 2 -- /dev/sdb ubuntu.iso
	play no-image 2 -- /dev/sdb
	play typo 2 -- ubuntu.iso /dev/sdv
	play image-typo 2 -- ubunty.iso /dev/sdb
	cp ubuntu.iso other.iso
	play glob 3 -- ubuntu.iso other.iso /dev/sdb
	play dd 2 -- if=ubuntu.iso of=/dev/sdb bs=4M
	expect_untouched stick before
}

test_contents()
{
	desk
	wipefs -qa stick
	mkfs.ext4 -q -F -E "$EXT4_AT_ONCE" -L photos stick
	cp --sparse=always stick before
	play contents-yes 3 -- --yes ubuntu.iso /dev/sdb
	play contents 8 --send 'as shown' y -- ubuntu.iso /dev/sdb
	expect_untouched stick before
}

test_two_identical_sticks()
{
	desk
	cp --sparse=always stick stick2
	second_stick stick2
	play twins-first 2 --
	play twins 2 -- ubuntu.iso
}

test_40_columns()
{
	desk
	play narrow-first 2 --columns 40 --
	play narrow-system 3 --columns 40 -- ubuntu.iso /dev/sda
	play narrow-write 0 --columns 40 --send 'y/N' y -- ubuntu.iso /dev/sdb
}

test_format()
{
	desk
	play format 0 --send 'y/N' y -- format /dev/sdb
}

test_system_disk()
{
	desk
	play system 3 -- ubuntu.iso /dev/sda
}

test_no_stick()
{
	desk
	losetup -d "$LOOP"
	rm sys/block/sdb
	play none 2 --
}
