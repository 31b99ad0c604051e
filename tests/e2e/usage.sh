#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Arguments that are wrong: the status, one clear sentence, and nothing touched.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# refuses STATUS TEXT ARGUMENT...: isowrite ends so, says so in at most 4 lines, prints no result.
refuses()
{
	local want=$1 text=$2

	shift 2
	run "$want" "$ISOWRITE" "$@"
	has "$text" err
	[ "$(sed -n '/^isowrite: /,$p' err | wc -l)" -le 4 ] || { show err; fail "more than 4 lines"; }
	[ ! -s out ] || { show out; fail "something on standard output"; }
	matches '^isowrite: ' err
}

small()
{
	blank 64M stick
	noise 3M plain.img
}

test_no_arguments()
{
	run 2 "$ISOWRITE"
	has 'isowrite IMAGE DEVICE' err
	has 'isowrite --help' err
	[ ! -s out ] || fail "something on standard output"
}

test_image_only_picks_nothing()
{
	small
	run 2 "$ISOWRITE" plain.img
	has 'isowrite: no target given.' err
	run 2 "$ISOWRITE" -
	has 'isowrite: no target given.' err
}

test_words_that_mean_nothing()
{
	small
	refuses 2 "no image or command 'inspekt'; did you mean 'inspect'?" inspekt
	refuses 2 "no image or command 'nonsense'" nonsense stick
	refuses 2 "did you mean '--no-verify'?" --no-verfy plain.img stick
	refuses 2 "does not belong to 'inspect'" inspect --yes plain.img
	refuses 2 "is not in this version" burn stick
	refuses 10 "curl -fLO https://example.org/a.iso" https://example.org/a.iso stick
	is_blank stick
}

# A file that is called like a command: only ./ makes it an image.
test_file_called_like_a_command()
{
	small
	cp plain.img inspect
	refuses 2 'operand' inspect
	run 0 "$ISOWRITE" -y ./inspect stick
	same inspect stick "$(size_of inspect)"
}

test_options_anywhere()
{
	small
	run 0 "$ISOWRITE" plain.img --progress none -y stick --no-verify
	has 'Written, not verified' out
	cp plain.img ./--yes
	refuses 2 'there is no terminal to ask on' -- --yes file:stick
	run 0 "$ISOWRITE" -y -- --yes file:stick
}

test_empty_target()
{
	small
	refuses 2 'The name of target 1 is empty' plain.img ''
	refuses 2 "The image's name is empty" '' stick
}

test_named_twice()
{
	small
	ln -s stick link
	ln stick hard
	refuses 2 'are the same' -y plain.img stick stick
	refuses 2 'are the same' -y plain.img stick ./link
	refuses 2 'are the same' -y plain.img stick hard
	is_blank stick
}

# isowrite *.iso /dev/sdb, or the other way round, destroys no image.
test_globs()
{
	small
	noise 3M b.img 2
	cp b.img copy
	refuses 3 'rule file-in-use' -y plain.img b.img stick
	is_blank stick
	same b.img copy
	# There is nothing that --keep-going could write.
	refuses 3 'Nothing was written anywhere.' -y plain.img b.img copy
	lacks_text keep-going err
	# isowrite *.iso: as many lines as can be read.
	for i in 1 2 3 4 5 6 7 8; do cp b.img "more$i.img"; done
	refuses 3 'And 9 more cannot be written (-v says why). Nothing was written anywhere; --keep' \
		-y plain.img b.img copy more*.img stick
	cp plain.img copy
	refuses 3 'rule file-in-use' -y stick plain.img
	same plain.img copy
}

test_swapped_arguments()
{
	local dev

	small
	dev=$(attach stick)
	cp plain.img copy
	refuses 2 'look swapped' -y "$dev" plain.img
	same plain.img copy
}

test_missing_things()
{
	small
	refuses 2 '/no/such/image.iso' -y /no/such/image.iso stick
	refuses 2 '/dev/no-such-disk' -y plain.img /dev/no-such-disk
	refuses 2 '/dev/no-such-disk' -y plain.img file:/dev/no-such-disk
	[ ! -e /dev/no-such-disk ] || fail "it was created"
	refuses 2 'no-such-stick' -y plain.img ./no-such-stick
	ln -s no-such-stick link
	refuses 2 'link is a link that leads nowhere' -y plain.img link
	refuses 2 'link is a link that leads nowhere' -y plain.img file:link
	[ ! -e no-such-stick ] || fail "it was created"
	is_blank stick
}

test_images_of_no_use()
{
	small
	: >empty.iso
	mkdir dir.iso
	refuses 4 'empty' -y empty.iso stick
	refuses 4 'directory' -y dir.iso stick
	is_blank stick
}

test_no_terminal_and_no_yes()
{
	small
	refuses 2 '--yes' --progress=none --quiet plain.img stick
	is_blank stick
}

test_require_digest()
{
	small
	refuses 9 'there is nothing to compare plain.img with' -y --require=digest plain.img stick
	is_blank stick
}

test_receipt_is_not_overwritten()
{
	small
	echo mine >receipt
	run 2 "$ISOWRITE" -y --receipt=receipt plain.img stick
	has mine receipt
	is_blank stick
	run 0 "$ISOWRITE" -y --receipt=receipt --overwrite plain.img stick
	run 0 "$ISOWRITE" check receipt stick
}

test_help_and_version()
{
	local command

	run 0 "$ISOWRITE" --help
	[ "$(wc -l <out)" -le 24 ] || fail "more than one screen"
	awk 'length > 80 { exit 1 }' out || fail "wider than 80 columns"
	run 0 "$ISOWRITE" --help=all
	awk 'length > 80 { exit 1 }' out || fail "wider than 80 columns"
	has '--sector-size' out
	for command in write plan inspect devices check verify; do
		run 0 "$ISOWRITE" "$command" --help
		has "isowrite $command" out
	done
	run 0 "$ISOWRITE" --version
	has 'isowrite 0.' out
	has 'liburing' out
}

# Nothing is proposed that this version cannot do.
test_no_false_suggestions()
{
	small
	run 0 "$ISOWRITE" --help=all
	run 0 "$ISOWRITE" -y -v plain.img stick
	cat out err >said
	"$ISOWRITE" --help=all >>said
	"$ISOWRITE" >>said 2>&1 || :
	for word in --force --sig --resume; do
		lacks_text "$word" said
	done
}

test_ascii_locale()
{
	small
	mv plain.img $'K\303\244se.img'
	LC_ALL=C run 2 "$ISOWRITE" $'K\303\244se.img'
	has 'K\xc3\xa4se.img' err
	run 2 "$ISOWRITE" $'K\303\244se.img'
	has $'K\303\244se.img' err
	! LC_ALL=C grep -q $'[\200-\377]' <(LC_ALL=C "$ISOWRITE" $'K\303\244se.img' 2>&1) ||
		fail "not only ASCII"
}

test_escape_sequences_in_names()
{
	small
	cp plain.img $'\033[2Jevil.img'
	run any "$ISOWRITE" -y $'\033[2Jevil.img' stick
	! grep -q $'\033' out err || fail "an escape sequence came through"
	run any "$ISOWRITE" -y plain.img $'\033[2J'
	! grep -q $'\033' out err || fail "an escape sequence came through"
}

test_color()
{
	small
	run 2 "$ISOWRITE" --color=always inspekt
	has $'\033[1;31misowrite:' err
	run 2 "$ISOWRITE" inspekt
	! grep -q $'\033' err || fail "colour without a terminal"
	TERM=xterm NO_COLOR=1 on_pty --raw -- "$ISOWRITE" inspekt >out || :
	! grep -q $'\033' out || fail "colour in spite of NO_COLOR"
	TERM=xterm on_pty --raw -- "$ISOWRITE" inspekt >out || :
	grep -q $'\033' out || fail "no colour on a terminal"
}

# A reader that goes away, or a full disk, never stops a write; the status says it.
test_standard_output_is_lost()
{
	small
	run 1 bash -c '"$ISOWRITE" -y plain.img stick >/dev/full'
	has 'standard output could not be written' err
	same plain.img stick "$(size_of plain.img)"
	blank 64M stick
	run 1 bash -c '"$ISOWRITE" -y plain.img stick | exec true; exit "${PIPESTATUS[0]}"'
	same plain.img stick "$(size_of plain.img)"
	blank 64M stick
	run 1 bash -c '"$ISOWRITE" -y plain.img stick >&-'
	same plain.img stick "$(size_of plain.img)"

	# An error stays what it is.
	run 2 bash -c '"$ISOWRITE" -y plain.img nowhere/stick >/dev/full'
}

# Closed descriptors: no target may become descriptor 1 or 2 and get the messages.
test_closed_descriptors()
{
	small
	run any bash -c '"$ISOWRITE" -y plain.img stick 0<&- 1>&- 2>&-'
	same plain.img stick "$(size_of plain.img)"
}

test_docs_agree()
{
	BUILD=$BUILD "$TOP/scripts/check-docs" >log 2>&1 || { show log; fail "scripts/check-docs"; }
}

test_start_is_quick()
{
	! grep -q __asan "$ISOWRITE" || skip "sanitizers take their time"
	"$PYTHON" - "$ISOWRITE" <<-'END' || fail "--version takes too long"
		import subprocess, sys, time
		best = 1
		for _ in range(30):
		    start = time.perf_counter()
		    subprocess.run([sys.argv[1], "--version"], stdout=subprocess.DEVNULL, check=True)
		    best = min(best, time.perf_counter() - start)
		print("%.1f ms, starting a process included" % (best * 1000))
		sys.exit(best > 0.005)
	END
}

golden_is()
{
	diff -u "$1" "$2" >&2 || fail "$2 is not as wanted"
}

test_install()
{
	make -s -C "$TOP" B="$BUILD" DESTDIR="$T/root" PREFIX=/usr install >log 2>&1 ||
		{ show log; fail "make install"; }
	find root -type f | sort >files
	printf 'root/usr/%s\n' bin/isowrite share/bash-completion/completions/isowrite \
		share/fish/vendor_completions.d/isowrite.fish share/isowrite/isowrite.schema.json \
		share/man/man1/isowrite.1 share/zsh/site-functions/_isowrite >want
	golden_is want files
	make -s -C "$TOP" B="$BUILD" DESTDIR="$T/root" PREFIX=/usr uninstall
	is "$(find root -type f)" ''
}

test_sizes_as_bytes()
{
	small
	run 0 "$ISOWRITE" -y -b plain.img stick
	matches 'Image +plain.img, [0-9]+ bytes' err
	matches 'Target +stick  file, 67108864 bytes' err
}

# A pipe shows its first MiB only: what may lie behind it is not said to be absent.
test_made_for_of_a_stream()
{
	blank 64M stick
	run 0 bash -c 'cat "$0" | "$ISOWRITE" -y - stick' "$(image debian-cd.iso)"
	tr '\n' ' ' <out >line
	has 'Made for: UEFI x64; not known for BIOS (predicted;' line
}
