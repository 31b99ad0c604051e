#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Twenty clumsy users, each on a terminal, with a stick /dev/sdb and the system's disk: the exit
# status; the stick intact in every byte, where it has to be; at most four lines of error, which
# name the rule or the thing; and whatever command they are told, it works when it is pasted.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
. "$(dirname "${BASH_SOURCE[0]}")/disks.bash"

PATH=$(dirname "$ISOWRITE"):$PATH
export TERM=xterm TIMEOUT=30

# A stick with a FAT called KEY on it, the system's disk, an image.
users_desk()
{
	desk
	cp --sparse=always stick before
	# Who is root already needs no sudo; the command has to work with and without.
	mkdir bin
	printf '#!/bin/sh\nexec "$@"\n' >bin/sudo
	chmod 755 bin/sudo
	export PATH=$T/bin:$PATH
}

# user STATUS [PTY OPTION...] -- COMMAND...: what the user sees is in the files screen (a terminal
# of 80 columns) and raw (as it came).
user()
{
	local want=$1 options=() status=0

	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	as_disk "$PYTHON" "$TOP/tests/e2e/pty.py" --copy "$T/raw" "${options[@]}" -- "$@" \
		>screen 2>pty.err || status=$?
	! [ -s pty.err ] || { show screen pty.err; fail "the player complains"; }
	[ "$want" = any ] || [ "$status" = "$want" ] || { show screen; fail "status $status, not $want"; }
}

# errs TEXT...: an error of at most 4 lines, in which all the texts are, whatever the line breaks.
errs()
{
	local text

	sed -n '/^isowrite: /,$p' screen >error
	[ -s error ] || { show screen; fail "no error"; }
	[ "$(wc -l <error)" -le 4 ] || { show error; fail "more than 4 lines"; }
	tr -s ' \n' ' ' <error >words
	for text; do
		has "$text" words
	done
}

intact() { expect_untouched stick before; }
holds_image() { same ubuntu.iso "${1:-stick}" "$(size_of ubuntu.iso)"; }

# Commands that stand on lines of their own, as they would be pasted, into the file pasted.
commands()
{
	tr -d '\r' <raw | sed -nE 's/^ +(Run: +)?((sudo )?isowrite .*)$/\2/p' |
		sed -E 's/ +\([^()]*\)$//' >pasted
	[ -s pasted ] || { show screen; fail "no command is suggested"; }
}

# paste STATUS [N]: the Nth of them, with "y" to the question.
paste()
{
	local want=$1 n=${2:-1} options=()

	commands
	[ "$(wc -l <pasted)" -ge "$n" ] || { show screen; fail "no command $n"; }
	sed -n "${n}p" pasted >one
	if [ "$want" = 0 ]; then options=(--send 'y/N' y); fi
	user "$want" "${options[@]}" -- bash "$T/one"
}

# ------------------------------------------------------------- the users

test_01_no_arguments()
{
	users_desk
	user 2 -- isowrite
	has '/dev/sdb  SanDisk Ultra' screen
	grep -oE 'isowrite (devices|--help)' screen | sort -u >said
	is "$(wc -l <said)" 2
	while read -r line; do
		run 0 as_disk bash -c "$line"
	done <said
	intact
}

test_02_image_only()
{
	users_desk
	user 2 -- isowrite ubuntu.iso
	errs 'no target given' 'One stick is plugged in'
	intact
	paste 0
	holds_image
	# What it says in the end works as well.
	tr -d '\r' <raw | sed -n 's/.*files again: //p' >one
	is "$(cat one)" 'isowrite format /dev/sdb'
	user 0 --send 'y/N' y -- bash "$T/one"
	has 'You can unplug it.' screen
	run 0 as_disk isowrite devices
	has '/dev/sdb1: FAT' out
}

test_03_swapped()
{
	users_desk
	cp ubuntu.iso copy
	user 2 -- isowrite /dev/sdb ubuntu.iso
	errs 'look swapped'
	intact
	same ubuntu.iso copy
	user 2 -- isowrite --yes /dev/sdb ubuntu.iso
	same ubuntu.iso copy
	paste 0
	holds_image
}

test_04_glob_of_images()
{
	users_desk
	mkdir isos
	for name in a b c; do cp ubuntu.iso isos/$name.iso; done
	user 3 -- bash -c 'cd isos && isowrite --yes *.iso /dev/sdb'
	errs 'rule file-in-use' 'b.iso refused' 'it is an image itself' 'And 1 more' \
		'Nothing was written anywhere'
	intact
	for name in a b c; do same ubuntu.iso isos/$name.iso; done
	user 3 -- bash -c 'cd isos && isowrite --yes *.iso'
	errs 'rule file-in-use'
	for name in a b c; do same ubuntu.iso isos/$name.iso; done
	# --keep-going, as it says, writes the stick and nothing else.
	user 64 -- bash -c 'cd isos && isowrite --yes --keep-going *.iso /dev/sdb'
	holds_image
	for name in b c; do same ubuntu.iso isos/$name.iso; done
}

test_05_no_permission()
{
	local nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

	need_tool setpriv
	users_desk
	"${nobody[@]}" "$ISOWRITE" --version >/dev/null 2>&1 || skip "nobody may not reach this folder"
	chmod 711 .. && chmod 755 . && chmod 644 ubuntu.iso
	# What may not be read is no property of the stick.
	user 2 -- "${nobody[@]}" isowrite
	has '/dev/sdb  SanDisk Ultra  67 MB  port 1-4' screen
	lacks_text unreadable screen
	user 0 -- "${nobody[@]}" isowrite devices
	has 'only root may see' screen
	lacks_text 'contents:' screen
	user 3 -- "${nobody[@]}" isowrite inspect /dev/sdb
	errs '/dev/sdb may not be read'
	commands
	user 0 -- bash "$T/pasted"
	user 3 -- "${nobody[@]}" isowrite ubuntu.iso /dev/sdb
	errs 'permission denied' 'root:disk, you are nobody' 'Run: sudo isowrite ubuntu.iso /dev/sdb'
	intact
	paste 0
	holds_image
}

test_06_system_disk()
{
	users_desk
	user 3 -- isowrite ubuntu.iso /dev/sda
	errs 'rule system' 'the running system (/) is on it' 'cannot be lifted' \
		'Sticks that may be written: /dev/sdb SanDisk Ultra'
	user 3 -- isowrite --yes --allow=internal,contents,large,partition ubuntu.iso /dev/sda
	errs 'rule system'
	user 2 -- isowrite --yes --allow=system ubuntu.iso /dev/sda
	errs 'system cannot be lifted'
	intact
}

test_07_backup_disk_with_ntfs()
{
	need_tool mkntfs
	need_root
	blank 64M stick
	mkntfs -F -q -L photos stick >/dev/null 2>&1
	users_desk
	user 3 -- isowrite --yes ubuntu.iso /dev/sdb
	errs 'rule contents' 'ntfs "photos"' 'Without --yes' '--allow=contents'
	intact
	user 8 --send 'as shown' y -- isowrite ubuntu.iso /dev/sdb
	errs 'Nothing was written'
	has 'NTFS "photos"' screen
	intact
	user 8 --send 'as shown' '' -- isowrite ubuntu.iso /dev/sdb
	intact
	user 0 --send 'as shown' '67 MB' -- isowrite ubuntu.iso /dev/sdb
	holds_image
}

# With ext4, because not every kernel here has FAT; so its contents are a matter as well.
test_08_mounted_stick()
{
	need_root
	need_tool mkfs.ext4
	blank 64M stick
	mkfs.ext4 -q -E "$EXT4_AT_ONCE" -L KEY stick
	users_desk
	mkdir media
	printf '#!/bin/sh\nmount -o ro,noload /dev/sdb media && exec "$@"\n' >bin/mounted
	chmod 755 bin/mounted
	user 3 -- mounted isowrite --yes ubuntu.iso /dev/sdb
	errs 'rule mounted' '/media.' '--unmount' 'Also refused by: contents'
	intact
	user 8 --send 'as shown' '' -- mounted isowrite ubuntu.iso /dev/sdb
	tr -d ' \n' <screen >words
	has "ext4\"KEY\",mountedon$T/media(willbeunmounted)" words
	intact
	user 0 -- mounted isowrite --yes --unmount --allow=contents ubuntu.iso /dev/sdb
	holds_image
}

test_09_too_small()
{
	need_root
	blank 4M stick
	users_desk
	user 5 -- isowrite ubuntu.iso /dev/sdb
	errs '/dev/sdb' 'needs 6.8 MB' 'has 4.2 MB' 'short by'
	intact
}

# said_instead: the word that is meant, as the message says it.
said_instead() { tr -s ' \n' ' ' <error | sed -nE "s/.*[Dd]id you mean '?([^ ']+)'?( \(|\?).*/\1/p"; }

test_10_typo_in_words()
{
	local word

	users_desk
	user 2 -- isowrite inspekt ubuntu.iso
	errs "no image or command 'inspekt'; did you mean 'inspect'?"
	user 0 -- isowrite "$(said_instead)" ubuntu.iso
	user 2 -- isowrite devicse
	errs "'devicse'; did you mean 'devices'?"
	user 0 -- isowrite "$(said_instead)"
	user 2 -- isowrite --yes --no-verfy ubuntu.iso /dev/sdb
	errs "Unknown option '--no-verfy'; did you mean '--no-verify'?"
	word=$(said_instead)
	user 2 -- isowrite --yes --mode=rwa ubuntu.iso /dev/sdb
	errs "--mode cannot be 'rwa'; did you mean 'raw'?"
	user 2 -- isowrite --yes --allow=kontents ubuntu.iso /dev/sdb
	errs "'kontents'; did you mean 'contents'?"
	user 2 -- isowrite ubnutu.iso /dev/sdb
	errs "There is no image 'ubnutu.iso'; did you mean 'ubuntu.iso'?"
	user 2 -- isowrite --verify ubuntu.iso /dev/sdb
	errs 'always read back'
	user 2 -- isowrite --force ubuntu.iso /dev/sdb
	errs 'no --force'
	intact
	user 2 -- isowrite if=ubuntu.iso of=/dev/sdb bs=4M
	errs 'the image comes first'
	intact
	paste 0
	holds_image
	user 0 -- isowrite --yes "$word" ubuntu.iso /dev/sdb
}

test_11_typo_in_device()
{
	users_desk
	user 2 -- isowrite --yes ubuntu.iso /dev/sdv
	errs 'There is no device /dev/sdv.' 'Did you mean /dev/sdb (SanDisk Ultra, 67 MB)?'
	intact
	is "$(said_instead)" /dev/sdb
	user 2 -- isowrite --yes ubuntu.iso /dev/disk/by-id/usb-SanDisk_Ulta_4C53-0:0
	errs 'Did you mean /dev/disk/by-id/usb-SanDisk_Ultra_4C53-0:0 (SanDisk'
	intact
	for command in 'check ubuntu.iso' inspect 'read -o out'; do
		# shellcheck disable=SC2086
		user 2 -- isowrite $command /dev/sdv
		errs 'There is no' 'Did you mean /dev/sdb (SanDisk Ultra, 67 MB)?'
	done
	# A disk that may not be written is never suggested: sda is nearer to this than sdb.
	user 2 -- isowrite --yes ubuntu.iso /dev/sdaa
	lacks_text '/dev/sda ' screen
	lacks_text 'Did you mean' screen
	has '/dev/sdb SanDisk' screen
	user 2 -- isowrite --yes ubuntu.iso /dev/sdb1
	is "$(errs 'no device' && said_instead)" /dev/sdb
	user 0 -- isowrite --yes ubuntu.iso "$(said_instead)"
	holds_image
}

test_12_truncated_download()
{
	users_desk
	truncate -s 5M ubuntu.iso
	user 4 -- isowrite --yes ubuntu.iso /dev/sdb
	errs 'ubuntu.iso is cut short' '5,242,880' '6,809,600' 'Download it again' '--allow=truncated'
	intact
	user 0 -- isowrite --yes --allow=truncated ubuntu.iso /dev/sdb
	holds_image
}

test_13_wrong_digest()
{
	local sum

	users_desk
	sum=$(sha256sum <ubuntu.iso | cut -c 1-64)
	user 9 -- isowrite --yes --sha256="${sum//[0-4]/7}" ubuntu.iso /dev/sdb
	errs 'ubuntu.iso is not what you asked for' "$sum" 'Nothing was written'
	intact
	user 2 -- isowrite --yes --sha256="${sum%??}" ubuntu.iso /dev/sdb
	errs '64 hexadecimal digits'
	user 2 -- isowrite --yes --digest=sha265:"$sum" ubuntu.iso /dev/sdb
	errs "'sha265'"
	intact
	user 0 -- isowrite --yes --sha256="${sum^^}" ubuntu.iso /dev/sdb
	holds_image
}

test_14_image_on_standard_input()
{
	users_desk
	user 2 -- bash -c 'isowrite /dev/sdb <ubuntu.iso'
	errs 'no image given; /dev/sdb is a stick (SanDisk Ultra, 67 MB)'
	intact
	paste 0
	holds_image
	cp --sparse=always before stick
	user 2 -- isowrite /dev/sdb
	errs 'no image given'
	# Through a pipe, the command has to follow the same pipe.
	user 2 -- bash -c 'cat ubuntu.iso | isowrite --yes /dev/sdb'
	errs 'no image given'
	intact
	commands
	sed -i 's/^/cat ubuntu.iso | /' pasted
	user 0 --send 'y/N' y -- bash "$T/pasted"
	holds_image
}

# The loop stops, whether it is at the question or in the middle of the first stick.
test_15_interrupted_loop()
{
	users_desk
	blank 64M stick2
	second_stick stick2
	# shellcheck disable=SC2016
	user 130 --send 'y/N' ^C -- bash -c \
		'for s in /dev/sdb /dev/sdc; do isowrite ubuntu.iso $s; done; echo went on'
	lacks_text 'went on' screen
	is "$(grep -c 'y/N' screen)" 1 questions
	has 'Cancelled; nothing was written' screen
	intact
	is_blank stick2
	noise 48M big
	mkfifo pipe
	{ head -c 16M big; sleep 30; } >pipe 2>/dev/null &
	at_end kill $!
	# shellcheck disable=SC2016
	user 130 --send 'write +1[67] MB' ^C -- bash -c \
		'for s in /dev/sdb /dev/sdc; do isowrite --yes - $s <pipe; done; echo went on'
	lacks_text 'went on' screen
	lacks_text Verified screen
	is_blank stick2
	cmp -n 1048576 stick /dev/zero || fail "the first stick looks finished"
}

test_16_dumb_terminal()
{
	users_desk
	TERM=dumb user 0 --send 'y/N' y -- isowrite ubuntu.iso /dev/sdb
	! grep -q $'\033' raw || fail "an escape sequence on a dumb terminal"
	has 'verify' screen
	has 'Verified: all' screen
	holds_image
	TERM=dumb user 3 -- isowrite ubuntu.iso /dev/sda
	errs 'rule system'
	! grep -q $'\033' raw || fail "an escape sequence on a dumb terminal"
}

# narrow STATUS [PTY OPTION...] -- COMMAND...: at 40 columns the same words as at 200, none broken,
# and no line is wider, except for commands to paste.
narrow()
{
	user "$1" --columns 200 "${@:2}"
	sed 's/^ *//' screen | tr -s ' \n' ' ' >wide
	cp --sparse=always before stick
	user "$1" --columns 40 "${@:2}"
	sed 's/^ *//' screen | tr -s ' \n' ' ' >words
	tr -d '\r' <raw | grep -vE '^ +(Run: |isowrite )' | awk 'length > 40' >over
	diff wide words >&2 || fail "other words, or broken ones"
	! [ -s over ] || { show over; fail "lines of more than 40 columns"; }
}

test_17_forty_columns()
{
	users_desk
	export TERM=dumb
	narrow 3 -- isowrite ubuntu.iso /dev/sda
	narrow 2 -- isowrite ubuntu.iso /dev/sdv
	narrow 3 -- isowrite --yes --allow=large ubuntu.iso ubuntu.iso
	narrow 2 -- isowrite ubuntu.iso
	narrow 8 --send 'y/N' '' -- isowrite ubuntu.iso /dev/sdb
	narrow 0 -- isowrite devices
	command=$(user 2 --columns 40 -- isowrite ubuntu.iso && commands && cat pasted)
	is "$command" 'isowrite ubuntu.iso /dev/sdb'
	user 0 --columns 40 --send 'y/N' y -- isowrite ubuntu.iso /dev/sdb
	awk 'length > 40' screen >over
	! [ -s over ] || { show over; fail "lines of more than 40 columns"; }
	has 'Verified: all' screen
	holds_image
}

test_18_plain_locale()
{
	users_desk
	mv ubuntu.iso $'K\303\244se.iso'
	export LC_ALL=C
	user 2 -- isowrite $'K\303\244se.iso'
	! LC_ALL=C grep -q $'[\200-\377]' raw || fail "not only ASCII"
	has 'K\xc3\xa4se.iso is' screen
	intact
	paste 0
	! LC_ALL=C grep -q $'[\200-\377]' raw || fail "not only ASCII"
	same $'K\303\244se.iso' stick "$(size_of $'K\303\244se.iso')"
}

test_19_escape_codes_in_labels()
{
	cp "$(image ubuntu.iso)" evil
	"$PYTHON" - evil <<-'END'
		import sys
		label = "ISOWRITE TEST"
		evil = "\x1b[2J\x1b[31mEvil"
		with open(sys.argv[1], "r+b") as f:
		    data = f.read()
		    for code in "ascii", "utf-16-be":
		        data = data.replace(label.encode(code), evil.encode(code))
		    f.seek(0)
		    f.write(data)
	END
	blank 64M stick
	dd if=evil of=stick conv=notrunc status=none
	users_desk
	mv evil ubuntu.iso
	cp --sparse=always stick before
	export TERM=dumb
	for arguments in '' 'ubuntu.iso' 'devices' 'inspect ubuntu.iso' '--report' \
		'plan ubuntu.iso /dev/sdb' 'ubuntu.iso /dev/sdv' 'ubuntu.iso ubuntu.iso'; do
		# shellcheck disable=SC2086
		as_disk isowrite $arguments >out 2>err || :
		! grep -q $'\033' out err || { show out err; fail "isowrite $arguments: it came through"; }
	done
	user 8 --send 'y/N' '' -- isowrite ubuntu.iso /dev/sdb
	! grep -q $'\033' raw || fail "it came through"
	has 'Image    "\x1b[2J\x1b[31mEvil", 6.8 MB' screen
	has 'ISO 9660 "\x1b[2J\x1b[31mEvil"' screen
	intact
	user 0 --send 'y/N' y -- isowrite ubuntu.iso /dev/sdb
	! grep -q $'\033' raw || fail "it came through"
	holds_image
}

test_20_unset_variable()
{
	users_desk
	unset STICK
	user 2 -- bash -c 'isowrite --yes ubuntu.iso "$STICK"'
	errs 'target 1 is empty' 'variable unset'
	# shellcheck disable=SC2016
	user 2 -- bash -c 'isowrite --yes ubuntu.iso $STICK'
	errs 'no target given'
	intact
	user 2 -- bash -c 'isowrite --yes "$STICK" /dev/sdb'
	errs 'name is empty'
	# shellcheck disable=SC2016
	user 2 -- bash -c 'isowrite --yes $STICK /dev/sdb'
	errs 'no image given'
	intact
}

test_21_two_identical_sticks()
{
	users_desk
	cp --sparse=always stick stick2
	second_stick stick2
	user 2 -- isowrite ubuntu.iso
	# No error, but a choice: a line for each stick.
	has 'of them:' screen
	has 'isowrite ubuntu.iso /dev/sdb            (SanDisk Ultra, 67 MB, port 1-4)' screen
	has 'isowrite ubuntu.iso /dev/sdc            (SanDisk Ultra, 67 MB, port 1-5)' screen
	is "$(wc -l <screen)" 5 lines
	intact
	user 3 -- isowrite ubuntu.iso /dev/sda
	errs '/dev/sdb SanDisk Ultra 67 MB port 1-4, /dev/sdc SanDisk Ultra 67 MB port 1-5'
	# As near to the one as to the other: none is proposed.
	user 2 -- isowrite ubuntu.iso /dev/sdv
	errs 'There is no device /dev/sdv' 'port 1-4' 'port 1-5'
	lacks_text 'Did you mean' screen
	user 2 -- isowrite ubuntu.iso
	paste 0 2
	has 'port 1-5' screen
	holds_image stick2
	intact
	user 2 -- isowrite --yes ubuntu.iso /dev/sdb /dev/disk/by-id/usb-SanDisk_Ultra_4C53-0:0
	errs 'are the same device'
	intact
}
