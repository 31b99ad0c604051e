#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# --bmap: what a block map maps is written and compared, the rest is not, and that is said.
# The maps are bmaptool's, or hand-made ones (bmap.py), the judge is bmap.py.

. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

bmap_py()
{
	"$PYTHON" "$TOP/tests/e2e/bmap.py" "$@"
}

# A sparse image i of 12 MB and a bit, its map i.map by bmaptool, a stick s of noise, s.old.
setup()
{
	need_tool bmaptool
	noise 12M data 5
	truncate -s 12000001 i
	put 0 3
	put 300 40
	put 700 1
	put 1500 900
	put 2929 1
	truncate -s 12000001 i
	bmaptool create i -o i.map 2>/dev/null
	has '<Range' i.map
	new_stick s
}

# put BLOCK COUNT: blocks of 4096 bytes of data in the image.
put()
{
	dd if=data of=i bs=4096 skip="$1" seek="$1" count="$2" conv=notrunc,sparse status=none
}

# new_stick FILE: of noise, also where the window is; FILE.old is a copy.
new_stick()
{
	noise 16M "$1" 77
	cp "$1" "$1.old"
}

# feed FILE: into a pipe whose reader may go before the end.
feed()
{
	cat "$1" 2>/dev/null || :
}

# judge STICK [zero]: against i, i.map and STICK.old; the kept (zeroed) bytes are left in $kept.
judge()
{
	bmap_py judge i "$1" "$1.old" i.map ${2:+"$2"} >kept || fail "$1 is not what it has to be"
	kept=$(cat kept)
}

# The bytes of targets[0].not_covered in the JSON in out.
not_covered()
{
	json out 'sum(r["length"] for r in j["targets"][0]["not_covered"])'
}

window_is_blank()
{
	cmp -n 1048576 -- "$1" /dev/zero >&2 || fail "the first MiB is not blank"
	cmp -i "$(($(size_of "$1") - 1048576)):0" -n 1048576 -- "$1" /dev/zero >&2 ||
		fail "the last MiB is not blank"
}

test_from_every_source()
{
	local source

	setup
	xz -0 -k i
	gzip -1 -k i
	zstd -q i
	for source in i i.xz i.gz i.zst -; do
		cp s.old s
		run 0 "$ISOWRITE" --yes --json --bmap=i.map "$source" file:s < <(feed i)
		validate_json out
		judge s
		is "$(not_covered)" "$kept" "$source"
		[ "$kept" -gt 5000000 ] || fail "only $kept bytes were kept"
		is "$(json out 'j["targets"][0]["status"]')" verified
		is "$(json out 'j["targets"][0]["content_sha256"]')" null
		is "$(json out 'j["image"]["bmap"]')" i.map
		is "$(json out 'j["plans"][0]["planner"]')" bmap
	done
}

test_zero()
{
	setup
	xz -0 -k i
	for source in i i.xz; do
		cp s.old s
		run 0 "$ISOWRITE" --yes --json --bmap=i.map --bmap-zero "$source" file:s
		judge s zero
		is "$(not_covered)" 0
		cp s.old s
		run 0 "$ISOWRITE" --yes --bmap=i.map --bmap-zero "$source" file:s
		tr '\n' ' ' <out >line
		has 'of the image, which its block map calls unmapped, were written as zeros on the file.' line
		lacks_text 'compared' line
	done
}

# What is said is what was done: of unmapped bytes nothing is promised.
test_words()
{
	setup
	run 0 "$ISOWRITE" --yes --bmap=i.map i file:s
	tr '\n' ' ' <out >line
	has 'Verified: all ' line
	has ' written were read back from the file and are as planned.' line
	has 'of the image, which its block map calls unmapped, were left as they were on the file, not compared.' line
	lacks_text 'equal the image' line
	tr -s '\n ' ' ' <err >line
	has 'Note By the block map i.map, 6.0 MB of it are written; what is on the target at the rest stays there.' line
}

# A map of all of it is the plain copy.
test_everything_mapped()
{
	setup
	bmap_py make i 2.0 sha256 4096 0-999 1000-2929 >all.map
	run 0 "$ISOWRITE" --yes --json --bmap=all.map i file:s
	same i s 12000001
	is "$(not_covered)" 0
	is "$(json out 'j["targets"][0]["content_sha256"]')" "$(sha256sum <i | cut -d ' ' -f 1)"
	cp s.old s
	run 0 "$ISOWRITE" --yes --bmap=all.map i file:s
	has 'equal the image' out
}

test_versions_and_algorithms()
{
	local version alg

	setup
	while read -r version alg; do
		cp s.old s
		bmap_py make i "$version" "$alg" 1024 0-11 1201-1359 2801 6000-9599 11716-11718 >i.map
		run 0 "$ISOWRITE" --yes --json --bmap=i.map i file:s
		judge s
		is "$(not_covered)" "$kept" "$version $alg"
	done <<-END
		1.3 sha1
		1.4 sha256
		2.0 sha512
		2.0 sha1
		2.0 md5
	END
}

# Two targets at once, of other sectors and no whole number of 4096 bytes: one reading for both.
test_sectors_of_512_and_4096()
{
	local a b source

	setup
	xz -0 -k i
	for source in i i.xz; do
		noise 16M a 7
		truncate -s 16779776 a # 2560 bytes more
		noise 20M b 8
		cp a a.old
		cp b b.old
		a=$(attach a --direct-io=on --sector-size 512)
		b=$(attach b --direct-io=on --sector-size 4096)
		run 0 "$ISOWRITE" --yes --json --bmap=i.map "$source" "$a" "$b"
		validate_json out
		is "$(json out '[t["verify_method"] for t in j["targets"]]')" '["o_direct", "o_direct"]'
		is "$(json out '[len(t["not_covered"]) for t in j["targets"]]')" '[4, 4]'
		run 0 "$ISOWRITE" check --bmap=i.map "$source" "$a"
		run 0 "$ISOWRITE" check --bmap=i.map "$source" "$b"
		detach "$a" a
		detach "$b" b
		judge a
		judge b
		cmp -i "$((16779776 - 1048576)):0" -n 1048576 a /dev/zero || fail "an old end shines through"
	done
	run 0 "$ISOWRITE" plan --json --sector-size=4096 --size=64MiB --bmap=i.map i
	is "$(json out '[x for x in j["plans"][0]["extents"] if x["kind"] == "keep" and
		(x["start"] % 4096 or x["length"] % 4096)]')" '[]'
}

# damage FILE: one byte of it, in a mapped block.
damage()
{
	printf '\377\376' | dd of="$1" bs=1 seek=$((1600 * 4096 + 77)) conv=notrunc status=none
}

test_damaged_range_of_a_file_leaves_the_target_alone()
{
	setup
	damage i
	run 4 "$ISOWRITE" --yes --bmap=i.map i file:s
	has 'blocks 1500-2399' err
	has 'bytes 6,144,000 to 9,830,399' err
	expect_untouched s s.old
	run 4 "$ISOWRITE" check --bmap=i.map i s
	# What is not mapped may be anything.
	setup
	printf X | dd of=i bs=1 seek=5000000 conv=notrunc status=none
	run 0 "$ISOWRITE" --yes --bmap=i.map i file:s
	judge s
}

test_damaged_range_of_a_stream_is_never_committed()
{
	setup
	damage i
	xz -0 -k i
	run 4 "$ISOWRITE" --yes --json --bmap=i.map i.xz file:s
	is "$(json out 'j["targets"][0]["status"]')" failed
	has 'blocks 1500-2399' err
	has 'first and last MiB are blank' err
	window_is_blank s
	new_stick s
	run 4 "$ISOWRITE" --yes --bmap=i.map - file:s < <(feed i)
	window_is_blank s
}

test_map_of_another_image()
{
	setup
	truncate -s 12000002 i
	run 4 "$ISOWRITE" --yes --bmap=i.map i file:s
	has 'i has 12,000,002 bytes, the block map is of an image of 12,000,001' err
	expect_untouched s s.old
	run 4 "$ISOWRITE" --yes --bmap=i.map - file:s < <(feed i)
	has 'goes on after the 12,000,001 bytes' err
	window_is_blank s
	new_stick s
	truncate -s 11999999 i
	run 4 "$ISOWRITE" --yes --bmap=i.map - file:s < <(feed i)
	has 'standard input has 11,999,999 bytes' err
	window_is_blank s
}

# refused STATUS TEXT [OPTION...]: with i.map, and the stick as it was.
refused()
{
	local status_wanted=$1 text=$2

	shift 2
	run "$status_wanted" "$ISOWRITE" --yes --bmap=i.map "$@" i file:s
	has "$text" err
	expect_untouched s s.old
}

test_hostile_maps()
{
	setup
	cp i.map good
	sed -i 's/mapped/Mapped/' i.map
	refused 4 'its own checksum is wrong'
	{ head -n 1 good; printf '<!DOCTYPE b [<!ENTITY a "1"><!ENTITY b "&a;&a;">]>'; tail -n +2 good; } >i.map
	bmap_py seal i.map
	refused 4 'DOCTYPE'
	sed 's/ 1500-2399 / 1500-2930 /' good >i.map
	bmap_py seal i.map
	refused 4 'range 4 lies outside of the image'
	sed 's/ 1500-2399 / 300-2399 /' good >i.map
	bmap_py seal i.map
	refused 4 'range 4 does not lie behind the one before'
	sed 's/version="2.0"/version="3.0"/' good >i.map
	bmap_py seal i.map
	refused 4 'version 3.0'
	sed '/BmapFileChecksum/d' good >i.map
	refused 4 'no BmapFileChecksum'
	sed 's/ 2930 </ 293000000000 </' good >i.map
	bmap_py seal i.map
	refused 4 'contradict'
	head -c 17825792 /dev/zero | tr '\0' ' ' >i.map
	refused 4 'larger than 16 MiB'
	head -c 700 good >i.map
	refused 4 'no XML'
	: >i.map
	refused 4 'no XML'
	rm i.map
	refused 2 'There is no block map i.map'
	mkdir i.map
	refused 2 'no regular file'
}

test_usage()
{
	setup
	run 4 "$ISOWRITE" --yes i.map file:s
	has 'i.map is a block map' err
	expect_untouched s s.old
	refused 2 'leave one out' --mode=raw
	run 2 "$ISOWRITE" --yes --bmap-zero i file:s
	has 'bmap=FILE' err
	run 2 "$ISOWRITE" --yes --bmap= i file:s
	run 0 "$ISOWRITE" --yes --bmap=i.map --receipt=r.json i file:s
	run 2 "$ISOWRITE" check --bmap=i.map r.json s
	has 'leave --bmap out' err
}

# The gate is about the whole image, also what is not written of it.
test_digest()
{
	local right wrong

	setup
	xz -0 -k i
	right=$(sha256sum <i | cut -d ' ' -f 1)
	wrong=$(printf %064d 7)
	for source in i i.xz -; do
		cp s.old s
		run 0 "$ISOWRITE" --yes --json --bmap=i.map --sha256="$right" "$source" file:s <i
		judge s
		is "$(json out 'j["trust"]["verdict"]')" digest
		is "$(json out 'j["image"]["content_sha256"]')" "$right"
		is "$(json out 'j["targets"][0]["content_sha256"]')" null
		cp s.old s
		run 9 "$ISOWRITE" --yes --bmap=i.map --sha256="$wrong" "$source" file:s < <(feed i)
		if [ "$source" = - ]; then window_is_blank s; else expect_untouched s s.old; fi
	done
}

test_receipt_and_check()
{
	setup
	xz -0 -k i
	for source in i i.xz -; do
		cp s.old s
		rm -f r.json
		run 0 "$ISOWRITE" --yes --bmap=i.map --receipt=r.json "$source" file:s < <(feed i)
		validate_json r.json
		judge s
		run 0 "$ISOWRITE" check --json r.json s
		validate_json out
		is "$(not_covered)" "$kept"
		run 0 "$ISOWRITE" check r.json s
		tr '\n' ' ' <out >line
		has 'of the image, which its block map calls unmapped, were not compared.' line
		# A kept byte is nobody's concern, a mapped one is.
		printf X | dd of=s bs=1 seek=5000000 conv=notrunc status=none
		run 0 "$ISOWRITE" check r.json s
		printf XY | dd of=s bs=1 seek=7000000 conv=notrunc status=none
		run 7 "$ISOWRITE" check r.json s
		[ "$source" = - ] || run 7 "$ISOWRITE" check --bmap=i.map "$source" s
	done
	cp s.old s
	run 0 "$ISOWRITE" --yes --bmap=i.map --bmap-zero i file:s
	run 0 "$ISOWRITE" check --bmap=i.map --bmap-zero i s
	run 0 "$ISOWRITE" check i s
}

# Thousands of small ranges: plan, receipt and check are up to it.
test_fragmented()
{
	local b ranges=()

	setup
	noise 12000001 i 9
	for ((b = 0; b < 2929; b += 2)); do ranges+=("$b"); done
	bmap_py make i 2.0 sha256 4096 "${ranges[@]}" >i.map
	run 0 "$ISOWRITE" --yes --json --bmap=i.map --receipt=r.json i file:s
	judge s
	is "$(not_covered)" "$kept"
	run 0 "$ISOWRITE" check r.json s
	printf XY | dd of=s bs=1 seek=$((1100 * 4096)) conv=notrunc status=none
	run 7 "$ISOWRITE" check r.json s
	run 7 "$ISOWRITE" check --bmap=i.map i s
	gzip -1 i
	run 0 "$ISOWRITE" --yes --bmap=i.map i.gz file:s
	gunzip i.gz
	cp s s.new
	run 0 "$ISOWRITE" check r.json s
}

test_a_map_beside_the_image_is_mentioned()
{
	setup
	cp i.map i.bmap
	xz -0 -k i
	for source in i i.xz; do
		run 0 "$ISOWRITE" --yes "$source" file:s
		tr -s '\n ' ' ' <err >line
		has 'lies beside it; --bmap=i.bmap writes only what that maps.' line
		same i s 12000001
	done
	run 0 "$ISOWRITE" --yes --bmap=none i file:s
	lacks_text 'bmap' err
	run 0 "$ISOWRITE" --yes --json i file:s
	is "$(json out '[f["severity"] for f in j["findings"] if f["code"] == "bmap-beside"]')" '["info"]'
	run 0 "$ISOWRITE" plan --size=64MB i
	has '--bmap=i.bmap' err
	# Who forgets it at the check is told.
	cp s.old s
	run 0 "$ISOWRITE" --yes --bmap=i.bmap i file:s
	run 7 "$ISOWRITE" check i s
	has '--bmap=i.bmap' err
	rm i.bmap
	run 7 "$ISOWRITE" check i s
	lacks_text 'bmap' err
}

# Both: the table is moved in what is written anyway.
test_fix_gpt()
{
	need_tool sgdisk bmaptool
	truncate -s 12M i
	sgdisk -n 1:2048:+4M -c 1:one i >/dev/null
	noise 1M data
	dd if=data of=i bs=1M seek=2 conv=notrunc status=none
	bmaptool create i -o i.map 2>/dev/null
	new_stick s
	run 0 "$ISOWRITE" --yes --json --fix-gpt --bmap=i.map i file:s
	validate_json out
	run 0 sgdisk -v s
	has 'No problems found' out
	cmp -i 2097152 -n 1048576 i s || fail "the data differ"
	cmp -i 4194304 -n 6291456 s s.old || fail "what is not mapped was touched"
}
