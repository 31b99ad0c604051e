#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A real USB stack: sticks in a QEMU guest that runs Debian's kernel. Neither
# root nor KVM is needed; the kernel's package (70 MB) is downloaded once into
# build/guest.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

export TIMEOUT=150

test_usb_sticks()
{
	local status=0

	need_tool qemu-system-x86_64 busybox dpkg-deb mkfs.vfat sfdisk mke2fs fsck.exfat
	"$PYTHON" "$TOP/tests/fault/guest/sticks.py" "$ISOWRITE" "$(image fedora.iso)" \
		"$TOP/build/guest" "$T" >log 2>&1 || status=$?
	show log
	[ $status != 77 ] || missing "$(tail -n 1 log)"
	is $status 0
}
