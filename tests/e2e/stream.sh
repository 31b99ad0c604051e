#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Images that come through a pipe or a decompressor, good and bad: what is bad is
# known only at the end, so the first and last MiB stay blank.

. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

window_is_blank()
{
	cmp -n 1048576 -- "$1" /dev/zero >&2 || fail "the first MiB is not blank"
	cmp -i "$(($(size_of "$1") - 1048576)):0" -n 1048576 -- "$1" /dev/zero >&2 ||
		fail "the last MiB is not blank"
	is "$(blkid -p "$1" || :)" "" "what blkid finds"
}

# feed FILE: into a pipe whose reader may go before the end.
feed()
{
	cat "$1" 2>/dev/null || :
}

# Every compression there is, and what JSON calls it.
KINDS="gz xz zst bz2 lz4 zip"
declare -A WORD=([gz]=gzip [xz]=xz [zst]=zstd [bz2]=bzip2 [lz4]=lz4 [zip]=zip)

# compress KIND FILE: to standard output.
compress()
{
	need_tool bzip2 lz4 zip unzip
	case $1 in
	gz) gzip -c "$2" ;;
	xz) xz -T2 --block-size=1MiB -c "$2" ;;
	zst) zstd -q -c "$2" ;;
	bz2) bzip2 -c "$2" ;;
	lz4) lz4 -q -c "$2" ;;
	zip) rm -f z.zip && zip -q -j z.zip "$2" && cat z.zip ;;
	esac
}

test_pipe()
{
	local size

	for size in 1 511 513 1048575 1048577 7340033 $((16 * 1048576 - 1)) $((16 * 1048576)); do
		noise "$size" i
		stick 16M s
		feed i | run 0 "$ISOWRITE" --yes --json - s
		same i s "$size"
		is "$(json out 'j["targets"][0]["content_sha256"]')" "$(sha256sum <i | cut -d ' ' -f 1)"
		is "$(json out 'j["image"]["size"]')" null
		is "$(json out 'j["image"]["content_size"]')" "$size"
	done
}

test_iso_through_a_pipe()
{
	stick 32M s
	feed "$(image ubuntu.iso)" | run 0 "$ISOWRITE" --yes --json - s
	same "$(image ubuntu.iso)" s "$(size_of "$(image ubuntu.iso)")"
	is "$(json out 'j["image"]["kind"]')" isohybrid
	validate_json out
}

test_compressed_file_and_pipe()
{
	local kind iso

	iso=$(image ubuntu.iso)
	for kind in $KINDS; do
		compress "$kind" "$iso" >"i.$kind"
		stick 8M s
		run 0 "$ISOWRITE" --yes --json "i.$kind" s
		same "$iso" s "$(size_of "$iso")"
		is "$(json out 'j["image"]["size"]')" "$(size_of "i.$kind")"
		is "$(json out 'j["image"]["compression"]')" "${WORD[$kind]}"
		validate_json out
		stick 8M s
		feed "i.$kind" | run 0 "$ISOWRITE" --yes --json - s
		same "$iso" s "$(size_of "$iso")"
		is "$(json out 'j["image"]["compression"]')" "${WORD[$kind]}"
		# Of the pipe's own bytes nobody took the digest.
		is "$(json out 'j["image"]["sha256"]')" null
		is "$(json out 'j["image"]["content_sha256"]')" \
			"$(sha256sum <"$iso" | cut -d ' ' -f 1)"
	done
}

test_redirected_file_is_a_file()
{
	stick 32M s
	run 0 "$ISOWRITE" --yes --json - s <"$(image debian-cd.iso)"
	is "$(json out 'j["image"]["size"]')" "$(size_of "$(image debian-cd.iso)")"
}

# bad TEXT FILE: both the file and the pipe are refused with a sentence that has TEXT, and
# nothing looks finished.
bad()
{
	noise 6M s 8
	run 4 "$ISOWRITE" --yes "$2" file:s
	has "$1" err
	window_is_blank s
	lacks_text Verified out
	noise 6M s 8
	feed "$2" | run 4 "$ISOWRITE" --yes - file:s
	has "$1" err
	window_is_blank s
	lacks_text Verified out
}

test_cut_short()
{
	local kind

	noise 3000001 i
	for kind in $KINDS; do
		compress "$kind" i >"c.$kind"
		head -c 2000000 "c.$kind" >"cut.$kind"
		bad "incomplete: its ${WORD[$kind]} data" "cut.$kind"
		head -c $(($(size_of "c.$kind") - 2)) "c.$kind" >"cut.$kind"
		bad "incomplete: its ${WORD[$kind]} data" "cut.$kind"
	done
}

test_corrupt()
{
	local kind

	noise 3000001 i
	for kind in $KINDS; do
		compress "$kind" i >"c.$kind"
		printf 'isowrite' | dd of="c.$kind" bs=1 seek=2000000 conv=notrunc status=none
		bad "corrupt: its ${WORD[$kind]} data" "c.$kind"
	done
}

test_trailing_garbage()
{
	local kind

	noise 3000001 i
	for kind in $KINDS; do
		compress "$kind" i >"c.$kind"
		echo garbage >>"c.$kind"
		bad "other data behind its ${WORD[$kind]} data" "c.$kind"
	done
}

# One file after the other is one file, but for ZIP, whose directory stands at the end.
test_members_follow_each_other()
{
	local kind

	noise 1500001 a 1
	noise 1000003 b 2
	cat a b >i
	for kind in $KINDS; do
		(compress "$kind" a && compress "$kind" b) >"c.$kind"
		if [ "$kind" = zip ]; then
			bad "other data behind its zip data" c.zip
			continue
		fi
		stick 8M s
		run 0 "$ISOWRITE" --yes "c.$kind" s
		same i s 2500004
		stick 8M s
		feed "c.$kind" | run 0 "$ISOWRITE" --yes - s
		same i s 2500004
	done
}

# not_this_zip TEXT FILE: refused; a file before it touches anything.
not_this_zip()
{
	noise 8M s 8
	cp s before
	run 4 "$ISOWRITE" --yes "$2" file:s
	has "$1" err
	expect_untouched s before
	feed "$2" | run 4 "$ISOWRITE" --yes - file:s
	lacks_text Verified out
}

# As other programs write it: into a pipe, without compression, with 64-bit fields, beside
# directories.
test_zip_of_other_programs()
{
	local file

	need_tool zip unzip
	noise 1500000 noise
	mkdir -p deep/er
	(cat noise && seq 200000) >deep/er/i
	zip -q -r dirs.zip deep
	zip -q -0 -r stored.zip deep
	zip -q -r - deep | cat >piped.zip
	zip -q -fz -r big.zip deep
	"$PYTHON" - <<-'END'
		import sys, zipfile
		class Pipe:
		    def __init__(self, f): self.f = f
		    def write(self, b): return self.f.write(b)
		    def flush(self): self.f.flush()
		data = open("deep/er/i", "rb").read()
		for name, method in ("d", zipfile.ZIP_DEFLATED), ("s", zipfile.ZIP_STORED):
		    with zipfile.ZipFile(Pipe(open(name + "-python.zip", "wb")), "w", method) as z:
		        with z.open("i", "w", force_zip64=name == "d") as f:
		            f.write(data)
	END
	for file in dirs stored piped big d-python s-python; do
		stick 8M s
		run 0 "$ISOWRITE" --yes --json "$file.zip" s
		same deep/er/i s "$(size_of deep/er/i)"
		is "$(json out 'j["image"]["compression"]')" zip
		# Without its directory before it, nothing says how long the last one's data is.
		[ "$file" != s-python ] || continue
		stick 8M s
		feed "$file.zip" | run 0 "$ISOWRITE" --yes - s
		same deep/er/i s "$(size_of deep/er/i)"
	done
	feed s-python.zip | run 4 "$ISOWRITE" --yes - s
	has "nothing shows where its stored file ends" err
}

test_zip_that_is_no_image()
{
	local command

	need_tool zip unzip
	noise 3000000 a 1
	cp a b
	cp a c
	zip -q "three of them.zip" a b c
	not_this_zip "a ZIP archive of 3 files" "three of them.zip"
	run 4 "$ISOWRITE" --yes "three of them.zip" file:s
	command=$(tr -s '\n ' ' ' <err | sed -n "s/.*: *\(unzip .*\)/\1/p")
	rm a b c
	bash -c "$command" >/dev/null
	same a c
	zip -q -P secret secret.zip a
	not_this_zip "it is encrypted" secret.zip
	zip -q -s 1m split.zip a
	not_this_zip "a part of a ZIP archive that was split" split.z01
	run 4 "$ISOWRITE" --yes split.zip file:s
	has "the last part of a split ZIP archive" err
	ln -s a link
	zip -q -y link.zip link
	not_this_zip "a link or a device" link.zip
}

# A bomb ends at the target's size.
test_bomb()
{
	local kind

	head -c 64M /dev/zero >zeros
	for kind in $KINDS; do
		compress "$kind" zeros >"bomb.$kind"
		noise 8M s 8
		run 5 "$ISOWRITE" --yes "bomb.$kind" file:s
		feed "bomb.$kind" | run 5 "$ISOWRITE" --yes - file:s
	done
	noise 8M s 8
	cp s before
	run 5 "$ISOWRITE" --yes --sha256="$(printf %064d 7)" bomb.gz file:s
	expect_untouched s before
}

# Known only at its end: shorter than its own tables say.
test_truncated_iso_in_a_pipe()
{
	noise 32M s 8
	feed "$(image truncated.iso)" | run 4 "$ISOWRITE" --yes - file:s
	has "cut short" err
	window_is_blank s
	feed "$(image truncated.iso)" | run 0 "$ISOWRITE" --yes --allow=truncated - file:s
	same "$(image truncated.iso)" s "$(size_of "$(image truncated.iso)")"
}

test_nothing_in_the_pipe()
{
	stick 8M s
	cp s before
	run 4 "$ISOWRITE" --yes - s </dev/null
	expect_untouched s before
}

test_source_changed_while_it_was_written()
{
	local pid status=0

	noise 256M i
	blank 1G s
	"$ISOWRITE" --yes i s >out 2>err &
	pid=$!
	for _ in $(seq 300); do
		[ "$(stat -c %b s)" -lt 8192 ] || break
		sleep 0.01
	done
	touch i
	wait "$pid" || status=$?
	if [ "$status" = 0 ]; then skip "the machine wrote 256 MiB before the file was touched"; fi
	is "$status" 4
	has "changed" err
	window_is_blank s
}

# Deleted, moved, replaced: whatever was written, it is not there under that name.
test_target_file_lost_while_it_was_written()
{
	local how

	noise 8M i
	for how in "rm s" "mv s s2" "blank 16M s2; mv s2 s"; do
		rm -f s s2
		blank 16M s
		{
			head -c 4M i
			until [ "$(stat -c %b s)" -ge 4096 ]; do sleep 0.01; done
			eval "$how"
			tail -c +$((4194304 + 1)) i
		} | run 6 "$ISOWRITE" --yes - s
		has 'was deleted, replaced or cut short while it was written' err
		lacks_text Verified out
	done
}

test_two_targets_share_a_stream()
{
	noise 6000001 i
	stick 16M a
	stick 12M b
	feed i | run 0 "$ISOWRITE" --yes - a b
	same i a 6000001
	same i b 6000001
	stick 16M a
	stick 4M b
	feed i | run 64 "$ISOWRITE" --yes --json - a b
	same i a 6000001
	is "$(json out '[t["status"] for t in j["targets"]]')" '["verified", "failed"]'
}
