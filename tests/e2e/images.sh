#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every image of scripts/mkimages: what inspect says of it agrees with other tools,
# and what is on the stick afterwards is the image, unless it is written as hybrid
# (e2e/hybrid.sh). That it boots: tests/boot.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
TIMEOUT=120

for name in $("$TOP/scripts/mkimages" --list | awk '$1 != "truncated.iso" { print $1 }'); do
	eval "test_facts_of_${name//[^a-z0-9]/_}() { compare_facts $name; }"
done
for name in $("$TOP/scripts/mkimages" --common); do
	[ "$name" = truncated.iso ] ||
		eval "test_written_${name//[^a-z0-9]/_}() { write_and_compare $name; }"
done

# compare_facts IMAGE: with xorriso, sfdisk, sgdisk.
compare_facts()
{
	local img

	img=$(image "$1")
	need_tool xorriso sfdisk sgdisk
	run 0 "$ISOWRITE" inspect --json "$img"
	validate_json out
	cp out inspect.json
	run 0 "$PYTHON" "$TOP/tests/e2e/facts.py" "$img" inspect.json || show out
}

# write_and_compare IMAGE: to a file, and as root to a loop device as well.
write_and_compare()
{
	local img size target mode=auto

	img=$(image "$1")
	run 0 "$ISOWRITE" inspect --json "$img"
	[ "$(json out 'j["boot"]["written_as"]')" = raw ] || mode=raw
	size=$(size_of "$img")
	stick $((size + 8388608)) stick
	write_to stick
	[ "$(id -u)" = 0 ] && [ -z "${ISOWRITE_TEST_NO_ROOT:-}" ] || return 0
	stick $((size + 8388608)) stick
	target=$(attach stick)
	write_to "$target"
}

# write_to TARGET: uses img, size and mode of the caller.
write_to()
{
	cp --sparse=always "$1" before 2>/dev/null || dd if="$1" of=before bs=1M status=none
	run 0 "$ISOWRITE" --yes --json --mode="$mode" "$img" "$1"
	validate_json out
	is "$(json out 'j["targets"][0]["status"]')" verified
	is "$(json out 'j["image"]["sha256"]')" "$(sha256sum <"$img" | cut -d ' ' -f 1)"
	same "$img" "$1" "$size"
	# Between the image and the last MiB nothing was touched; that MiB is zero.
	cmp -i "$size" -n $((8388608 - 1048576)) "$1" before || fail "$1 was written behind the image"
	cmp -i "$((size + 8388608 - 1048576)):0" -n 1048576 "$1" /dev/zero ||
		fail "an old backup table may shine through in the last MiB of $1"
	run 0 "$ISOWRITE" check --mode="$mode" "$img" "$1"
}

# An image that ends before its tables say is found out before anything is erased.
test_truncated()
{
	local img

	img=$(image truncated.iso)
	stick 32M stick
	cp stick before
	run 4 "$ISOWRITE" --yes "$img" stick
	expect_untouched stick before
	run 4 "$ISOWRITE" inspect --json "$img"
	is "$(json out 'j["truncated"]')" true
	run 0 "$ISOWRITE" --yes --allow=truncated "$img" stick
	same "$img" stick "$(size_of "$img")"
}

# boots FILE: what an inspection as JSON says, "BIOS yes/fixable, x64 yes/fixable": disc, stick.
boots()
{
	json "$1" '", ".join("%s %s/%s" % (name, b["cd"], b["usb"]) for name, b in
		[("BIOS", j["boot"]["bios"]), *j["boot"]["uefi"].items()]
		if name == "BIOS" or {b["cd"], b["usb"]} != {"no"})'
}

# Where every image boots, as a disc and as a stick, what auto makes of it, and where that
# boots. tests/boot/matrix asks QEMU whether it is true.
test_boot_table()
{
	local name img planner

	for name in $("$TOP/scripts/mkimages" --list | awk '{ print $1 }'); do
		img=$(image "$name")
		run any "$ISOWRITE" inspect --json "$img"
		cp out inspect.json
		planner=$(json inspect.json 'j["boot"]["written_as"]')
		printf '%-23s %s\n' "$name" "$(boots inspect.json)"
		[ "$planner" = hybrid ] || continue
		rm -f stick
		run 0 "$ISOWRITE" --yes --json --no-verify --size=128M "$img" file:stick
		is "$(json out 'j["plans"][0]["planner"]')" hybrid
		run 0 "$ISOWRITE" inspect --json stick
		printf '%23s %s\n' 'hybrid:' "$(boots out)"
	done >table
	golden boot-table.txt table
}
