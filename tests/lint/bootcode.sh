#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The boot code: the same bytes from every assembler, those that the program has, and few.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
TIMEOUT=120

blobs=(mbr-uefi-only.bin mbr-isolinux.bin mbr-grub2.bin mbr-cdemu.bin cdemu.bin)

# build DIR [MAKE ARGUMENT...]: the blobs and what embeds them, in DIR.
build()
{
	run 0 make -s -C "$TOP" B="$T/$1" "${@:2}" "$T/$1/src/disk/bootcode.o"
}

# has_blobs DIR FILE: the blobs of a build lie in FILE, byte for byte.
has_blobs()
{
	"$PYTHON" - "$2" "${blobs[@]/#/$1/boot/}" <<-'END' || fail "$2 has other boot code"
		import pathlib, sys
		whole, *parts = [pathlib.Path(name).read_bytes() for name in sys.argv[1:]]
		sys.exit(not all(part in whole for part in parts))
	END
}

test_the_program_has_a_fresh_build()
{
	build fresh
	has_blobs fresh "$BUILD/libisowrite.a"
}

test_every_tool_makes_the_same()
{
	local tools blob

	need_tool clang ld.lld x86_64-linux-gnu-as
	for tools in x86_64-linux-gnu- clang; do
		build "by-$tools" BOOT_CROSS=$tools
		for blob in "${blobs[@]}"; do
			same "$BUILD/boot/$blob" "by-$tools/boot/$blob"
		done
	done
}

# As on a machine whose own assembler knows nothing of x86, by its compiler.
test_another_machine_embeds_the_same()
{
	local headers=/usr/aarch64-linux-gnu/include

	need_tool clang
	[ -d $headers ] || missing "libc6-dev-arm64-cross is not installed (scripts/deps test)"
	mkdir bin
	printf '#!/bin/sh\necho "no such options"\n' >bin/as
	chmod +x bin/as
	PATH=$T/bin:$PATH build arm64 CC='clang --target=aarch64-linux-gnu' CPPFLAGS="-isystem $headers"
	has 'x86_64-linux-gnu-as --32' arm64/boot/flags
	readelf -h arm64/src/disk/bootcode.o >header
	has AArch64 header
	has_blobs arm64 arm64/src/disk/bootcode.o
	has_blobs arm64 "$BUILD/libisowrite.a"
}

test_without_an_assembler_make_names_the_package()
{
	run 2 make -C "$TOP" B="$T/none" BOOT_CROSS=/nowhere/ "$T/none/boot/cdemu.bin"
	has binutils-x86-64-linux-gnu err
	[ ! -e none ] || fail "something was built"
}

# 4 KiB of code in all: that of the MBRs in front of their facts, and cdemu's whole sectors.
test_size()
{
	local mbr_lba total

	mbr_lba=$(awk '$2 == "BOOT_MBR_LBA" { print $3 }' "$TOP/boot/layout.h")
	total=$((4 * mbr_lba + $(size_of "$BUILD/boot/cdemu.bin")))
	[ "$total" -le 4096 ] || fail "$total bytes of code"
}
