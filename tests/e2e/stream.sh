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

compress()
{
	case $1 in
	gz) gzip -c "$2" ;;
	xz) xz -T2 --block-size=1MiB -c "$2" ;;
	zst) zstd -q -c "$2" ;;
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
	local kind

	for kind in gz xz zst; do
		compress $kind "$(image debian-cd.iso)" >i.$kind
		stick 32M s
		run 0 "$ISOWRITE" --yes --json i.$kind s
		same "$(image debian-cd.iso)" s "$(size_of "$(image debian-cd.iso)")"
		is "$(json out 'j["image"]["size"]')" "$(size_of i.$kind)"
		stick 32M s
		feed i.$kind | run 0 "$ISOWRITE" --yes --json - s
		same "$(image debian-cd.iso)" s "$(size_of "$(image debian-cd.iso)")"
	done
}

test_redirected_file_is_a_file()
{
	stick 32M s
	run 0 "$ISOWRITE" --yes --json - s <"$(image debian-cd.iso)"
	is "$(json out 'j["image"]["size"]')" "$(size_of "$(image debian-cd.iso)")"
}

# bad STATUS KIND-OF-TARGET...: both the file and the pipe end like that.
bad()
{
	local status=$1 file=$2

	noise 32M s 8
	run "$status" "$ISOWRITE" --yes "$file" file:s
	window_is_blank s
	lacks_text Verified out
	noise 32M s 8
	feed "$file" | run "$status" "$ISOWRITE" --yes - file:s
	window_is_blank s
	lacks_text Verified out
}

test_cut_short()
{
	local kind

	noise 6000001 i
	for kind in gz xz zst; do
		compress $kind i >c.$kind
		head -c 4000000 c.$kind >cut.$kind
		bad 4 cut.$kind
		head -c $(($(size_of c.$kind) - 2)) c.$kind >cut.$kind
		bad 4 cut.$kind
	done
}

test_corrupt()
{
	local kind

	noise 6000001 i
	for kind in gz xz zst; do
		compress $kind i >c.$kind
		printf 'isowrite' | dd of=c.$kind bs=1 seek=3000000 conv=notrunc status=none
		bad 4 c.$kind
	done
}

test_trailing_garbage()
{
	noise 6000001 i
	compress gz i >c.gz
	echo garbage >>c.gz
	bad 4 c.gz
}

test_members_follow_each_other()
{
	noise 3000001 a 1
	noise 2000003 b 2
	for kind in gz xz zst; do
		(compress $kind a && compress $kind b) >c.$kind
		cat a b >i
		stick 16M s
		run 0 "$ISOWRITE" --yes c.$kind s
		same i s 5000004
	done
}

# A bomb ends at the target's size.
test_bomb()
{
	head -c 512M /dev/zero | gzip -9 >bomb.gz
	noise 8M s 8
	run 5 "$ISOWRITE" --yes bomb.gz file:s
	feed bomb.gz | run 5 "$ISOWRITE" --yes - file:s
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
