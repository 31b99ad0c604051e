#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# bootcheck itself: it can say no, and it never writes to what it boots.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
TIMEOUT=120

bootcheck()
{
	"$TOP/tests/boot/bootcheck" "$@"
}

test_says_no()
{
	need_tool qemu-system-x86_64 qemu-img
	blank 4M empty
	for firmware in bios uefi; do
		run 1 bootcheck empty --firmware $firmware --expect ISOWRITE-BOOTED --timeout 60
		has "does not boot" err
	done
}

test_another_images_proof_is_none()
{
	need_tool qemu-system-x86_64 qemu-img
	run 2 bootcheck "$(image disk-mbr-fat.img)" --expect 'ISOWRITE-BOOTED debian' --timeout 5
}

test_boots_a_cd_and_leaves_it_alone()
{
	local img

	img=$(image isolinux-plain.iso)
	need_tool qemu-system-x86_64 qemu-img
	cp "$img" copy
	run 0 bootcheck copy --as cd --expect 'ISOWRITE-BOOTED isolinux-plain.iso'
	same "$img" copy
}

test_usage()
{
	run 3 bootcheck --firmware none x --expect y
	need_tool qemu-img
	run 3 bootcheck missing --expect y
	has "No such file" err
}
