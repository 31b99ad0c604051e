#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a person sees, on a terminal of 80 columns, against tests/golden/transcript-*.txt.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# The program is called as a user calls it, so that suggested commands are the right ones.
PATH=$(dirname "$ISOWRITE"):$PATH
export TERM=xterm

# mask_sum FILE: the digest of ubuntu.iso, which changes with Debian's packages, also
# where the end of a line cuts it in two.
mask_sum()
{
	"$PYTHON" - "$1" "$(sha256sum <ubuntu.iso | cut -c 1-64)" <<-'END'
		import re, sys
		text = open(sys.argv[1], encoding="utf-8").read()
		mask = lambda m: re.sub("[0-9a-f]", "x", m.group())
		open(sys.argv[1], "w", encoding="utf-8").write(re.sub("\\n?".join(sys.argv[2]), mask, text))
	END
}

# play NAME STATUS [PTY OPTION...] -- ARGUMENT...: isowrite with the arguments, beside the golden file.
play()
{
	local name=$1 want=$2 options=() status=0

	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	on_pty --mask "${options[@]}" -- isowrite "$@" >screen 2>pty.err || status=$?
	{
		echo "\$ isowrite $*"
		cat screen
	} >transcript
	if [ -e ubuntu.iso ]; then mask_sum transcript; fi
	sed -i -E 's/^SHA-256  [0-9a-f]{64}\r?$/SHA-256  DIGEST/' transcript
	[ "$status" = "$want" ] || { show screen pty.err; fail "status $status, not $want"; }
	! [ -s pty.err ] || { show screen pty.err; fail "the player complains"; }
	golden "transcript-$name.txt" transcript
}

ubuntu()
{
	cp "$(image ubuntu.iso)" ubuntu.iso
	blank 64M stick
}

test_write()
{
	ubuntu
	play write 0 --send 'y/N' y -- ubuntu.iso stick
	same ubuntu.iso stick "$(size_of ubuntu.iso)"
}

test_format()
{
	ubuntu
	run 0 "$ISOWRITE" -y ubuntu.iso stick
	play format 0 --send 'Format it' y -- format --label=key file:stick
}

test_enter_means_no()
{
	ubuntu
	play no 8 --send 'y/N' '' -- ubuntu.iso stick
	is_blank stick
}

test_yes_shows_what_it_does()
{
	ubuntu
	play yes 0 -- --yes ubuntu.iso stick
}

test_40_columns()
{
	ubuntu
	play narrow 0 --columns 40 --send 'y/N' y -- ubuntu.iso stick
}

test_plain_lines()
{
	ubuntu
	TERM=dumb on_pty --mask -- isowrite --yes ubuntu.iso stick >screen
	lacks_text '<ESC' screen
	lacks_text '###' screen
	has 'Verified: all' screen
}

test_digest()
{
	ubuntu
	play digest 0 -- --yes --sha256="$(sha256sum ubuntu.iso | cut -c1-64)" ubuntu.iso stick
}

test_wrong_digest()
{
	ubuntu
	play wrong-digest 9 -- --yes \
		--sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 \
		ubuntu.iso stick
	is_blank stick
}

test_not_verified()
{
	ubuntu
	play not-verified 0 -- --yes --no-verify ubuntu.iso stick
	lacks_text 'Verified' screen
	lacks_text 'verified 100' screen
}

test_in_use()
{
	ubuntu
	noise 64M other.img
	play in-use 3 -- ubuntu.iso other.img
}

test_new_file()
{
	ubuntu
	play new-file 0 --send 'y/N' y -- ubuntu.iso file:new.img
	same ubuntu.iso new.img "$(size_of ubuntu.iso)"
}

test_two_targets()
{
	ubuntu
	blank 32M other
	play two 0 --send 'y/N' y -- ubuntu.iso stick other
}

test_one_of_two_is_too_small()
{
	ubuntu
	blank 4M small
	play too-small 5 -- ubuntu.iso stick small
	is_blank stick
}

test_truncated()
{
	ubuntu
	truncate -s 3M ubuntu.iso
	play truncated 4 -- ubuntu.iso stick
	is_blank stick
}

test_check()
{
	ubuntu
	run 0 isowrite --yes ubuntu.iso stick
	play check 0 -- check ubuntu.iso stick
}

test_check_differs()
{
	ubuntu
	run 0 isowrite --yes ubuntu.iso stick
	printf 'X' | dd of=stick bs=1 seek=1000000 conv=notrunc status=none
	play check-differs 7 -- check ubuntu.iso stick
}

test_plan()
{
	ubuntu
	play plan 0 -- plan ubuntu.iso --size=16GB
}

# A disc that no stick would boot.
test_hybrid()
{
	cp "$(image floppy144.iso)" disc.iso
	blank 64M stick
	play hybrid 0 --send 'y/N' y -- disc.iso stick
	play hybrid-check 0 -- check disc.iso stick
	play hybrid-raw 0 --send 'y/N' y -- --mode=raw disc.iso file:stick
	play hybrid-small 5 -- --mode=hybrid --size=4M disc.iso file:new
}

test_plan_fix_gpt()
{
	ubuntu
	play plan-fix-gpt 0 -- plan --fix-gpt ubuntu.iso stick
}

test_usage()
{
	play inspekt 2 -- inspekt
	play option 2 -- --no-verfy a b
	play reserved 2 -- burn /dev/sdb
}

# The stick that the words after a write speak of.
test_boot_test()
{
	ubuntu
	need_tool qemu-system-x86_64
	run 0 "$ISOWRITE" -y ubuntu.iso stick
	play boot-test 0 -- boot-test stick --firmware=bios --expect=ISOWRITE-BOOTED \
		--progress=none
}

test_help_is_one_screen()
{
	play help 0 -- --help
	[ "$(wc -l <screen)" -le 24 ] || fail "more than 24 lines"
}

# The image is standard input, and still the answer comes from the terminal.
test_question_when_stdin_is_the_image()
{
	ubuntu
	play stdin 0 --stdin ubuntu.iso --send 'y/N' y -- - stick
}

# What is asked about is shown on the terminal also when standard error is elsewhere.
test_question_when_stderr_is_a_file()
{
	ubuntu
	play stderr-file 0 --stderr err --send 'y/N' y -- ubuntu.iso stick
	has 'ERASES' err
}

test_answer_typed_too_early_is_none()
{
	ubuntu
	# Enter comes while nothing was asked; the question is still open when y is typed.
	mkfifo image
	{ sleep 1; cat ubuntu.iso; } >image &
	on_pty --stdin image --send '^' '' --send 'y/N\] $' y -- isowrite --progress=none - stick >screen
	has 'Verified' screen
	wait
}

test_permission()
{
	local dev nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

	need_root
	need_tool setpriv
	ubuntu
	dev=$(attach stick)
	"${nobody[@]}" "$ISOWRITE" --version >/dev/null 2>&1 || skip "nobody may not reach this folder"
	chmod 755 . && chmod 644 ubuntu.iso
	run 3 "${nobody[@]}" "$ISOWRITE" --yes ubuntu.iso "$dev"
	matches "^isowrite: $dev: permission denied \(it belongs to root:[a-z]+, you are nobody\)" err
	has "  Run:  sudo $ISOWRITE --yes ubuntu.iso $dev" err

	# It works when pasted (sudo: root we are already).
	sed -n 's/^  Run:  sudo//p' err >pasted
	run 0 bash pasted
	cmp -n "$(size_of ubuntu.iso)" ubuntu.iso "$dev" || fail "not written"
}

# partitioned FILE: 64 MiB with a GPT,.
partitioned()
{
	noise 64M "$1" 3
	sfdisk -q -w never -W never "$1" <<-'END'
		label: gpt
		label-id: 5A0C1B0E-5F2F-4E0D-9D5E-3A6C0C9A0001
		start=2048, size=40960, type=U, uuid=5A0C1B0E-5F2F-4E0D-9D5E-3A6C0C9A0002
	END
}

test_read()
{
	partitioned old
	play read 0 -- read old -o old.img
	play read-used 0 -- read --used old -o used.img.zst --overwrite
}

test_backup()
{
	ubuntu
	partitioned old
	play backup 0 --send 'y/N' y -- --backup=old.img ubuntu.iso file:old
	play restore 0 --send 'y/N' y -- old.img file:old
	cmp old old.img
}

test_loop_device()
{
	local dev

	ubuntu
	dev=$(attach stick)
	on_pty --mask --send 'y/N' y -- isowrite ubuntu.iso "$dev" >screen
	sed "s,$dev,/dev/loopN,g" screen >transcript
	golden transcript-loop.txt transcript
	same ubuntu.iso stick "$(size_of ubuntu.iso)"
}

test_loop_device_mounted()
{
	local dev

	ubuntu
	need_tool mkfs.ext4
	PATH=$PATH:/usr/sbin:/sbin
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" -L KEY stick
	dev=$(attach stick)
	mkdir mnt
	mount "$dev" mnt
	run 3 isowrite --yes ubuntu.iso "$dev"
	has "(rule mounted)" err
	on_pty --mask --send 'y/N' y -- isowrite ubuntu.iso "$dev" >screen
	# Where the lines break depends on the length of the path.
	tr -d '\r\n ' <screen >text
	has "ext4\"KEY\",mountedon$T/mnt(willbeunmounted)" text
	has 'Verified: all' screen
	! mountpoint -q mnt || fail "it is still mounted"
}

test_sums()
{
	ubuntu
	sha256sum ubuntu.iso >SHA256SUMS
	play verify 0 -- verify ubuntu.iso
	play sums 0 --send 'y/N' y -- ubuntu.iso stick
	rm SHA256SUMS
	play verify-nothing 9 -- verify ubuntu.iso
	noise 3M other.iso
	sha256sum other.iso | sed 's/^......../00000000/' >SHA256SUMS
	play sums-mismatch 9 -- other.iso file:stick
}
