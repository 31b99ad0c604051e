#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Is the download what its makers published? verify, and the gate of write: lists of
# digests beside the image or given. Shapes of lists: sums.cases.

. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# shapes SHARE: of two, so that they can be played at once.
shapes()
{
	run 0 "$PYTHON" "$TOP/tests/e2e/sums.py" "$TOP/tests/e2e/sums.cases" "$T" "$1" 2 || show out
	matches '^[1-9][0-9]* cases, 0 failed' out
}

test_shapes_first_half()
{
	shapes 0
}

test_shapes_second_half()
{
	shapes 1
}

setup()
{
	noise 6000001 i.iso
	noise 3000000 other.iso 2
	blank 16M stick
}

# feed FILE: into a pipe whose reader may go before the end.
feed()
{
	cat "$1" 2>/dev/null || :
}

sum_of()
{
	"${2:-sha256}sum" <"$1" | cut -d ' ' -f 1
}

test_nothing_to_compare_with()
{
	setup
	run 9 "$ISOWRITE" verify i.iso
	has "There is nothing to compare i.iso with" err
	has "$(sum_of i.iso)" err
	has "--sha256=HEX" err
	# What it says to do is right.
	run 0 "$ISOWRITE" verify --sha256="$(sum_of i.iso)" i.iso
	has "i.iso: matches the digest you gave" out
	run 0 "$ISOWRITE" verify --require=none i.iso
	has "nothing to compare it with" out
	has "$(sum_of i.iso)" out
	lacks_text erified out
	run 9 "$ISOWRITE" verify --require=digest i.iso
}

test_base64_and_sri()
{
	local b64

	setup
	b64=$(openssl dgst -sha256 -binary i.iso | base64)
	for d in "sha256-$b64" "sha256:$b64" "sha256:${b64%=}" "SHA-256:$b64" \
		"sha512-$(openssl dgst -sha512 -binary i.iso | base64 -w 0)" \
		"sha3-256-$(openssl dgst -sha3-256 -binary i.iso | base64)" \
		"blake2b:$(b2sum <i.iso | cut -d ' ' -f 1)" "$(sum_of i.iso md5)"; do
		run 0 "$ISOWRITE" verify --digest="$d" i.iso
		run 9 "$ISOWRITE" verify --digest="$d" other.iso
		run 9 "$ISOWRITE" -y --digest="$d" other.iso stick
	done
	is_blank stick
	for d in "sha256-${b64}x" "sha256-${b64%??}" "sha256-" "-$b64" "md4-$b64"; do
		run 2 "$ISOWRITE" verify --digest="$d" i.iso
	done
}

test_several_images()
{
	setup
	sha256sum i.iso other.iso >SHA256SUMS
	run 0 "$ISOWRITE" verify i.iso other.iso
	is "$(grep -c 'listed in SHA256SUMS' out)" 2
	echo >>other.iso
	run 64 "$ISOWRITE" verify i.iso other.iso
	has "i.iso: listed in SHA256SUMS" out
	has "other.iso does not match SHA256SUMS" err
	run 64 "$ISOWRITE" verify --json i.iso other.iso
	validate_json out
	is "$(json out '[i["trust"]["verdict"] for i in j["images"]]')" '["listed", "mismatch"]'
	is "$(json out '[i["exit"] for i in j["images"]]')" '[0, 9]'
	run 9 "$ISOWRITE" verify other.iso other.iso
	run 64 "$ISOWRITE" verify no-such.iso i.iso
	has "i.iso: listed in SHA256SUMS" out
	run 2 "$ISOWRITE" verify no-such.iso
}

test_json_of_one()
{
	setup
	sha256sum i.iso >SHA256SUMS
	run 0 "$ISOWRITE" verify --json i.iso
	validate_json out
	is "$(json out 'j["command"], j["exit"], j["trust"]["verdict"], j["trust"]["by"]')" \
		'["verify", 0, "listed", "SHA256SUMS"]'
	is "$(json out 'j["image"]["sha256"]')" "$(sum_of i.iso)"
	is "$(json out 'j["images"][0]["trust"] == j["trust"]')" true
	run 9 "$ISOWRITE" verify --json=lines other.iso
	validate_json out
	has '"event":"phase","target":null,"phase":"check"' out
	is "$(json <(tail -n 1 out) 'j["images"][0]["error"]["code"]')" not-listed
	run 2 "$ISOWRITE" verify --json nothing.iso
	validate_json out
	run 4 "$ISOWRITE" verify --json /
	validate_json out
}

# The first words of the manual's transcript, and the receipt.
test_write_says_and_keeps_it()
{
	setup
	sha256sum i.iso >SHA256SUMS
	run 0 "$ISOWRITE" -y --receipt=r.json i.iso stick
	has 'Image    i.iso, 6.0 MB; matches SHA256SUMS' err
	is "$(json r.json 'j["trust"]["verdict"], j["trust"]["by"], j["trust"]["algorithm"]')" \
		'["listed", "SHA256SUMS", "sha256"]'
	mv i.iso renamed.iso
	run 0 "$ISOWRITE" -y renamed.iso file:stick
	has 'matches SHA256SUMS as i.iso' err
	run 0 "$ISOWRITE" -y other.iso file:stick
	has 'not listed in SHA256SUMS' err
	run 9 "$ISOWRITE" -y --require=digest other.iso file:stick
	same other.iso stick 3000000
}

# It is known before the question, and before anything is written.
test_mismatch_stops_before_the_first_byte()
{
	setup
	noise 16M stick 5
	cp stick before
	sha256sum i.iso >SHA256SUMS
	printf x | dd of=i.iso bs=1 seek=5000000 conv=notrunc status=none
	run 9 "$ISOWRITE" i.iso file:stick
	has 'Nothing was written.' err
	run 9 "$ISOWRITE" -y i.iso file:stick file:second --size=16M
	expect_untouched stick before
	[ ! -e second ] || fail "a new target was left behind"
	run 0 "$ISOWRITE" -y --no-sums i.iso file:stick
	same i.iso stick 6000001
}

test_mismatch_of_a_corrupt_compressed_image()
{
	setup
	gzip -k i.iso
	sha256sum i.iso.gz >SHA256SUMS
	printf x | dd of=i.iso.gz bs=1 seek=4000000 conv=notrunc status=none
	run 9 "$ISOWRITE" -y i.iso.gz stick
	has 'does not match SHA256SUMS' err
	is_blank stick
	run 9 "$ISOWRITE" verify i.iso.gz
}

# The digest that is shown is the one that the list is about.
test_mismatch_of_decompressed_content()
{
	setup
	gzip -nk i.iso
	sha256sum other.iso | sed 's/other.iso/i.iso/' >SHA256SUMS
	run 9 "$ISOWRITE" verify i.iso.gz
	has "the SHA-256 of its decompressed content is $(sha256sum i.iso | cut -c 1-16)..." err
	sed -i 's/i.iso/i.iso.gz/' SHA256SUMS
	run 9 "$ISOWRITE" verify i.iso.gz
	has "its SHA-256 is $(sha256sum i.iso.gz | cut -c 1-16)..." err
}

# A name that is not known: the digest must be in the list.
test_streams()
{
	setup
	sha256sum other.iso i.iso >sums
	gzip -k i.iso
	for way in i.iso i.iso.gz; do
		feed $way | run 0 "$ISOWRITE" -y --json --sums=sums - file:stick
		same i.iso stick 6000001
		is "$(json out 'j["trust"]["verdict"], j["trust"]["name"]')" '["listed", "i.iso"]'
	done
	feed i.iso | run 0 "$ISOWRITE" -y --sums=sums - file:stick
	has 'listed in sums as i.iso' out
	run 0 "$ISOWRITE" -y --sums=sums - file:stick <i.iso
	feed i.iso | run 0 "$ISOWRITE" verify --sums=sums -
	has 'Standard input: listed in sums as i.iso' out
	echo >>i.iso
	noise 16M stick 5
	feed i.iso | run 9 "$ISOWRITE" -y --sums=sums - file:stick
	has 'is not listed in sums' err
	cmp -n 1048576 stick /dev/zero || fail "the first MiB is not blank"
	noise 16M stick 5
	cp stick before
	run 9 "$ISOWRITE" -y --sums=sums - file:stick <i.iso
	expect_untouched stick before
	feed i.iso | run 9 "$ISOWRITE" verify --sums=sums -
	# Nothing lies beside a pipe.
	sha256sum other.iso >SHA256SUMS
	feed i.iso | run 9 "$ISOWRITE" verify -
	has 'There is nothing to compare standard input with' err
}

test_sums_that_are_none()
{
	setup
	run 2 "$ISOWRITE" -y --sums=nothing i.iso stick
	has 'The list nothing does not exist' err
	run 2 "$ISOWRITE" -y --sums=. i.iso stick
	run 2 "$ISOWRITE" -y --sums=/dev/zero i.iso stick
	run 9 "$ISOWRITE" -y --sums=other.iso i.iso stick
	has 'other.iso holds no digests' err
	blank 5M big
	run 2 "$ISOWRITE" -y --sums=big i.iso stick
	has 'larger than any list' err
	mkfifo pipe
	run 2 "$ISOWRITE" -y --sums=pipe i.iso stick
	run 2 "$ISOWRITE" -y --sums= i.iso stick
	run 2 "$ISOWRITE" -y --sums=big --no-sums i.iso stick
	has 'exclude each other' err
	is_blank stick
}

# Beside the image they are no reason to stop, and never a reason to wait.
test_lists_that_cannot_be_read()
{
	setup
	mkfifo SHA256SUMS
	mkdir CHECKSUM
	ln -s nowhere SHA512SUMS
	ln -s i.iso.sha1 i.iso.sha1
	ln -s /dev/zero MD5SUMS
	blank 5M sha256sum.txt
	run 0 "$ISOWRITE" -y --json i.iso stick
	validate_json out
	is "$(json out 'j["trust"]["verdict"]')" none
	has 'The list SHA512SUMS does not exist, or is a link to nothing' err
	has 'sha256sum.txt is no list of digests: it is larger than any list' err
	run 9 "$ISOWRITE" verify i.iso
}

test_lists_without_permission()
{
	need_root
	setup
	sha256sum i.iso >SHA256SUMS
	chmod 0 SHA256SUMS
	chmod 755 . && chmod 644 i.iso
	cp "$ISOWRITE" isowrite
	run 9 setpriv --reuid=65534 --regid=65534 --clear-groups ./isowrite verify i.iso
	has 'The list SHA256SUMS may not be read: permission denied' err
	run 3 setpriv --reuid=65534 --regid=65534 --clear-groups ./isowrite verify --sums=SHA256SUMS i.iso
}

# Of a list of the image's own it is said.
test_own_list_that_is_none()
{
	setup
	blank 5M i.iso.sha256
	run 0 "$ISOWRITE" -y i.iso stick
	has 'i.iso.sha256 is no list of digests: it is larger than any list' err
	echo 'Not Found' >i.iso.sha256
	run 9 "$ISOWRITE" verify i.iso
	has 'i.iso.sha256 holds no digests' err
}

test_very_many_lists()
{
	setup
	for i in {1..260}; do echo "$(printf %064x "$i")  x$i" >"x$i-CHECKSUM"; done
	run 9 "$ISOWRITE" verify i.iso
	has 'More than 256 lists' err
	has 'and 254 more' err
	sha256sum i.iso >i.iso.sha256
	run 0 "$ISOWRITE" verify i.iso
}

# Whatever coreutils makes of a name is that name again.
test_names_as_coreutils_writes_them()
{
	local name option

	for name in ' lead' 'trail ' '*star' '(x) = y' 'back\slash' $'new\nline' $'cr\r' $'a\tb' '#hash' \
		';semi' '\n' ') = x' 'SHA256 (a) = b' deadbeef '* x'; do
		for option in '' -b --tag; do
			echo "$name" >"./$name"
			# shellcheck disable=SC2086
			sha256sum $option -- "$name" >SHA256SUMS
			run 0 "$ISOWRITE" verify --json "./$name"
			is "$(json out 'j["trust"]["verdict"], j["trust"]["name"]')" '["listed", null]' "$name"
			echo >>"./$name"
			run 9 "$ISOWRITE" verify --json "./$name"
			is "$(json out 'j["trust"]["verdict"]')" mismatch "$name"
		done
	done
}

test_every_compression()
{
	local suffix

	need_tool xz zstd bzip2 lz4 zip
	setup
	sha256sum i.iso >SHA256SUMS
	gzip -k i.iso && xz -0 -k i.iso && zstd -q i.iso && bzip2 -k i.iso && lz4 -q i.iso i.iso.lz4 &&
		(zip -q i.iso.zip i.iso)
	for suffix in gz xz zst bz2 lz4 zip; do
		run 0 "$ISOWRITE" verify "i.iso.$suffix"
		has 'listed in SHA256SUMS, its decompressed content.' out
		sha256sum "i.iso.$suffix" >"i.iso.$suffix.sha256"
		run 0 "$ISOWRITE" verify --json "i.iso.$suffix"
		is "$(json out 'j["trust"]["by"], j["trust"]["of"]')" "[\"i.iso.$suffix.sha256\", \"file\"]"
		echo >>"i.iso.$suffix"
		run 9 "$ISOWRITE" verify "i.iso.$suffix"
		run 9 "$ISOWRITE" -y "i.iso.$suffix" stick
	done
	is_blank stick
}

# A list may be a link, and so may the image: then both names and folders count.
test_links()
{
	setup
	mkdir real lists
	mv i.iso real/i-24.04.iso
	(cd real && sha256sum i-24.04.iso >../lists/sums)
	ln -s ../lists/sums real/SHA256SUMS
	ln -s real/i-24.04.iso latest.iso
	run 0 "$ISOWRITE" verify real/i-24.04.iso
	run 0 "$ISOWRITE" verify latest.iso
	has 'latest.iso: listed in SHA256SUMS.' out
	sed -i 's/^......../00000000/' lists/sums
	run 9 "$ISOWRITE" verify latest.iso
	run 9 "$ISOWRITE" -y latest.iso stick
	is_blank stick
}

# The path from the list's folder is the better name.
test_paths_from_the_list()
{
	setup
	mkdir a b
	mv i.iso a/mini.iso
	mv other.iso b/mini.iso
	sha256sum ./a/mini.iso b/mini.iso >SHA256SUMS
	run 0 "$ISOWRITE" verify --sums=SHA256SUMS a/mini.iso b/mini.iso
	is "$(grep -c 'listed in SHA256SUMS.' out)" 2
	mv a/mini.iso c
	cp b/mini.iso a/mini.iso
	run 9 "$ISOWRITE" verify --sums=SHA256SUMS a/mini.iso
	has 'It is what the list calls b/mini.iso' err
}

test_truncated()
{
	local image

	image=$(image ubuntu.iso)
	cp "$image" u.iso
	sha256sum u.iso >SHA256SUMS
	run 0 "$ISOWRITE" verify u.iso
	has 'u.iso: listed in SHA256SUMS.' out
	has 'as long as its tables say' out
	truncate -s -1M u.iso
	run 4 "$ISOWRITE" verify --json u.iso
	has 'u.iso is cut short' err
	is "$(json out 'j["trust"]["verdict"]')" mismatch
	run 4 "$ISOWRITE" verify --no-sums u.iso
	run 4 "$ISOWRITE" verify --no-sums --require=none u.iso
	# Published like that, it is what was published.
	sha256sum u.iso >SHA256SUMS
	run 0 "$ISOWRITE" verify u.iso
	has 'Note: it ends before' out
	rm SHA256SUMS
	gzip -c u.iso >v.iso.gz
	run 4 "$ISOWRITE" verify v.iso.gz
	xz -0 -c "$image" >x.xz
	head -c 2000000 x.xz >w.iso.xz
	run 4 "$ISOWRITE" verify w.iso.xz
}

# verify IMAGE DEVICE is check.
test_verify_of_a_stick()
{
	setup
	sha256sum i.iso >SHA256SUMS
	run 0 "$ISOWRITE" -y i.iso stick
	run 0 "$ISOWRITE" verify i.iso file:stick
	has 'Verified: all 6,000,001 bytes' out
	run 0 "$ISOWRITE" verify --json --strict i.iso file:stick
	is "$(json out 'j["command"]')" check
	run 7 "$ISOWRITE" verify other.iso file:stick
	run 2 "$ISOWRITE" verify --sums=SHA256SUMS i.iso file:stick
	has "does not belong to 'check'" err
	run 2 "$ISOWRITE" verify --strict i.iso
	run 2 "$ISOWRITE" verify i.iso /dev/no-such-disk
}

test_names_of_lists_are_escaped()
{
	setup
	sha256sum other.iso >$'SHA256SUMS-\033[2J'
	run 9 "$ISOWRITE" verify i.iso
	has 'SHA256SUMS-\x1b[2J' err
	! grep -q $'\033' out err || fail "an escape sequence came through"
	{ sum_of i.iso | tr -d '\n'; printf '  \033[2Jname\n'; } >SHA256SUMS
	run 0 "$ISOWRITE" verify i.iso
	has 'as \x1b[2Jname' out
	! grep -q $'\033' out err || fail "an escape sequence came through"
}

test_quiet_and_verbose()
{
	setup
	sha512sum i.iso >SHA512SUMS
	run 0 "$ISOWRITE" verify -q i.iso
	is "$(cat out err)" ''
	run 0 "$ISOWRITE" verify -v i.iso
	has "SHA-512 of the file" out
	has "$(sum_of i.iso sha512)" out
}
