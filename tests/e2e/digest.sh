#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the image must be: --sha256, --digest, --require. Of a file it is known
# before the first byte is written; of a stream while the window is still blank.

. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# feed FILE: into a pipe whose reader may go before the end.
feed()
{
	cat "$1" 2>/dev/null || :
}

sum_of()
{
	"${2:-sha256}sum" <"$1" | cut -d ' ' -f 1
}

NONE=$(printf %064d 7)

# window_is_blank STICK: its first and last MiB.
window_is_blank()
{
	cmp -n 1048576 -- "$1" /dev/zero >&2 || fail "the first MiB is not blank"
	cmp -i "$(($(size_of "$1") - 1048576)):0" -n 1048576 -- "$1" /dev/zero >&2 ||
		fail "the last MiB is not blank"
}

setup()
{
	noise 6000001 i
	stick 16M s
	cp s before
}

test_match()
{
	setup
	run 0 "$ISOWRITE" --yes --json --sha256="$(sum_of i)" i s
	same i s 6000001
	is "$(json out 'j["trust"]["verdict"]')" digest
	is "$(json out 'j["image"]["sha256"]')" "$(sum_of i)"
	is "$(json out 'j["targets"][0]["content_sha256"]')" "$(sum_of i)"
}

test_match_by_other_algorithms()
{
	local alg

	for alg in md5 sha1 sha512; do
		setup
		run 0 "$ISOWRITE" --yes --digest="$alg:$(sum_of i $alg)" i s
		same i s 6000001
		run 9 "$ISOWRITE" --yes --digest="$alg:$(sum_of before $alg)" i file:s
	done
}

test_several_must_all_match()
{
	setup
	run 9 "$ISOWRITE" --yes --sha256="$(sum_of i)" --digest="sha512:$(sum_of s sha512)" i s
	expect_untouched s before
	run 0 "$ISOWRITE" --yes --sha256="$(sum_of i)" --digest="sha512:$(sum_of i sha512)" i s
	same i s 6000001
}

test_mismatch_leaves_the_target_alone()
{
	setup
	run 9 "$ISOWRITE" --yes --sha256="$NONE" i s
	has "$NONE" err
	has "$(sum_of i)" err
	expect_untouched s before
	run 9 "$ISOWRITE" --yes --json --sha256="$NONE" i s
	is "$(json out 'j["trust"]["verdict"]')" mismatch
	is "$(json out 'j["exit"]')" 9
	is "$(json out 'j["targets"][0]["status"]')" untouched
	expect_untouched s before
}

# With --fix-gpt the image's own digest counts, not that of what is written.
test_digest_of_a_patched_image()
{
	local image

	image=$(image disk-gpt-esp.img)
	stick 64M s
	run 0 "$ISOWRITE" --yes --fix-gpt --sha256="$(sum_of "$image")" "$image" s
	run 0 sgdisk -v s
	has "No problems found" out
}

test_compressed_file_as_it_is_and_its_content()
{
	setup
	gzip -k i
	run 0 "$ISOWRITE" --yes --sha256="$(sum_of i.gz)" i.gz s
	has "the file as it is" err
	setup
	run 0 "$ISOWRITE" --yes --json --sha256="$(sum_of i.gz)" i.gz s
	same i s 6000001
	has "file as it is" out
	is "$(json out 'j["image"]["sha256"]')" "$(sum_of i.gz)"
	setup
	run 0 "$ISOWRITE" --yes --json --sha256="$(sum_of i)" i.gz s
	same i s 6000001
	has "decompressed" out
	is "$(json out 'j["image"]["content_sha256"]')" "$(sum_of i)"
	setup
	run 9 "$ISOWRITE" --yes --sha256="$NONE" i.gz s
	expect_untouched s before
	has "$(sum_of i)" err
	has "$(sum_of i.gz)" err
}

test_stream_match()
{
	setup
	gzip -c i | run 0 "$ISOWRITE" --yes --sha256="$(sum_of i)" - s
	has "decompressed content matches" out
	setup
	gzip -k i
	feed i | run 0 "$ISOWRITE" --yes --json --sha256="$(sum_of i)" - s
	same i s 6000001
	is "$(json out 'j["trust"]["verdict"]')" digest
	for sum in "$(sum_of i)" "$(sum_of i.gz)"; do
		setup
		feed i.gz | run 0 "$ISOWRITE" --yes --json --sha256="$sum" - s
		same i s 6000001
		is "$(json out 'j["trust"]["verdict"]')" digest
	done
}

test_stream_mismatch_is_never_committed()
{
	setup
	noise 16M s 3
	feed i | run 9 "$ISOWRITE" --yes --json --sha256="$NONE" - file:s
	window_is_blank s
	is "$(json out 'j["trust"]["verdict"]')" mismatch
	is "$(json out 'j["targets"][0]["status"]')" failed
	noise 16M s 3
	gzip -c i | run 9 "$ISOWRITE" --yes --digest="sha512:$(sum_of before sha512)" - file:s
	window_is_blank s
	lacks_text "Verified" out
}

test_require()
{
	setup
	run 9 "$ISOWRITE" --yes --require=digest i s
	expect_untouched s before
	run 0 "$ISOWRITE" --yes --require=digest --sha256="$(sum_of i)" i s
	run 0 "$ISOWRITE" --yes --require=none i file:s
}

# The digest is asked for before anybody is asked anything.
test_mismatch_before_the_question()
{
	setup
	run 9 "$ISOWRITE" --sha256="$NONE" i s
	run 2 "$ISOWRITE" --sha256="$(sum_of i)" i s
	has "--yes" err
	expect_untouched s before
}
