#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The maps of inspect and plan, as text and SVG, and the speed of a write over
# time. (How they are drawn: tests/unit/test_map.c, test_speed.c.)
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

export TERM=xterm

# widest FILE: columns of its longest line.
widest()
{
	"$PYTHON" -c 'import sys; print(max(map(len, open(sys.argv[1], encoding="utf-8").read().split("\n"))))' "$1"
}

# map_of FILE: the picture without the report around it.
map_of()
{
	sed -n '/^0  .*B$/,/^$/p' "$1"
}

test_map_has_the_terminals_width()
{
	local columns

	for columns in 40 80 132 200; do
		on_pty --columns "$columns" -- "$ISOWRITE" inspect "$(image ubuntu.iso)" >screen
		map_of screen >map
		[ -s map ] || { show screen; fail "no map at $columns columns"; }
		is "$(widest map)" $((columns - 1)) "columns"
		has "A▒▒▒" map
		has "backup GPT" map
	done
	# Broken lines would be no picture.
	on_pty --columns 39 -- "$ISOWRITE" inspect "$(image data.iso)" >screen
	lacks_text '▒' screen
	# Wider ones are not filled.
	on_pty --columns 500 -- "$ISOWRITE" inspect "$(image ubuntu.iso)" >screen
	map_of screen >map
	is "$(widest map)" 200
}

test_map_in_ascii()
{
	LC_ALL=C on_pty -- "$ISOWRITE" inspect "$(image ubuntu.iso)" >c
	TERM=dumb on_pty -- "$ISOWRITE" inspect "$(image ubuntu.iso)" >plain
	map_of c >map
	has "A=====" map
	lacks_text '\xe2' c
	same c plain
	! LC_ALL=C grep -q '[^ -~]' c || fail "more than ASCII"
}

# Scripts get the report that they always got, unless they ask for more.
test_map_without_a_terminal()
{
	run 0 "$ISOWRITE" inspect "$(image ubuntu.iso)"
	mv out report
	map_of report >map
	! [ -s map ] || fail "a map that nobody asked for"
	run 0 "$ISOWRITE" inspect -v "$(image ubuntu.iso)"
	map_of out >map
	is "$(widest map)" 79
	head -n "$(wc -l <report)" out | cmp - report || fail "-v changes the report"
	run 0 "$ISOWRITE" inspect -v --json "$(image ubuntu.iso)"
	validate_json out
	on_pty -- "$ISOWRITE" inspect -q "$(image ubuntu.iso)" >screen
	map_of screen >map
	! [ -s map ] || fail "a map with -q"
}

test_map_of_plans()
{
	local image

	image=$(image memtest86+.iso)
	on_pty -- "$ISOWRITE" plan --size=16MB "$image" >screen
	lacks_text 'enlarged' screen
	has 'type ef; boot image 2 for efi' screen
	on_pty -- "$ISOWRITE" plan --size=16GB "$image" >screen
	has 'The image at its beginning, enlarged:' screen
	matches '^A.* 6\.2 MB  ISO 9660 image$' screen
	# The same of a volume that is mostly not touched, and of a stick that is mostly empty.
	blank 1G large
	on_pty --rows 40 -- "$ISOWRITE" format -n large >screen
	has 'its beginning, enlarged below' screen
	matches '^I +8,388,608 .* root directory: empty$' screen
	run 0 "$ISOWRITE" --yes "$image" file:large
	on_pty --rows 60 -- "$ISOWRITE" inspect large >screen
	has 'its beginning, enlarged below' screen
	matches '^E  1,691,648 +4\.2 MB  MBR partition 2' screen
	# Two sticks, two pictures; of a stream nothing is known that could be drawn.
	blank 16M a
	blank 32M b
	on_pty -- "$ISOWRITE" plan "$image" a b >screen
	is "$(grep -c '^0  .*B$' screen)" 3
	on_pty --stdin <(gzip -c "$image") -- "$ISOWRITE" plan --size=16MB - >screen
	! grep -q '^0  .*B$' screen || fail "a map of a stream"
}

test_svg()
{
	local name

	need_tool xmllint
	for name in debian-cd.iso memtest86+.iso disk-gpt-esp.img winlike.iso; do
		run 0 "$ISOWRITE" inspect --svg="$name.svg" "$(image "$name")"
		run 0 xmllint --noout --nonet "$name.svg"
		has "<title>$name, " "$name.svg"
		lacks_text "${T%/*}" "$name.svg"
	done
	is "$(xmllint --xpath 'count(//*[local-name()="rect"])' disk-gpt-esp.img.svg)" 6
	run 4 "$ISOWRITE" inspect --svg=cut.svg --json "$(image truncated.iso)"
	validate_json out
	has '>missing</text>' cut.svg
	run 0 "$ISOWRITE" inspect --svg=plain.svg "$TOP/LICENSE"
	run 0 xmllint --noout plain.svg
	run 0 xmllint --noout "$TOP/tests/golden/map-hostile.svg"
	# Of a stream that was not read to its end no size is known.
	run 0 "$ISOWRITE" inspect --svg=stream.svg - < <(yes)
	run 0 xmllint --noout stream.svg
	has 'its size is not known' stream.svg
	lacks_text '0 bytes' stream.svg
}

test_svg_of_hostile_names()
{
	need_tool xmllint xorriso
	mkdir tree
	: >tree/file
	run 0 xorriso -as mkisofs -V $'<!--&"\e[31m]]>' -o evil.iso tree
	cp evil.iso $'<&>\e"\xff.iso'
	run 0 "$ISOWRITE" inspect --svg=x.svg $'<&>\e"\xff.iso'
	run 0 xmllint --noout x.svg
	has '&lt;!--&amp;&quot;\x1b[31m]]&gt;' x.svg
	lacks_text $'\e' x.svg
}

# As every file that is asked for: nothing is replaced, and nothing half is left.
test_svg_replaces_nothing()
{
	local image

	cp "$(image data.iso)" i
	echo mine >x
	run 2 "$ISOWRITE" inspect --svg=x i
	has '--overwrite replaces it' err
	has mine x
	run 0 "$ISOWRITE" inspect --svg=x --overwrite i
	has '<svg ' x
	run 2 "$ISOWRITE" inspect --svg=i --overwrite i
	has 'would replace the image' err
	same i "$(image data.iso)"
	ln -s i link
	run 2 "$ISOWRITE" inspect --svg=link --overwrite i
	run 2 "$ISOWRITE" inspect --svg=/dev/no-such-stick i
	run 2 "$ISOWRITE" inspect --svg=no/where.svg i
	run 2 "$ISOWRITE" inspect --svg= i
	run 2 "$ISOWRITE" inspect --overwrite i
	run 4 "$ISOWRITE" inspect --svg=y /dev/null
	is "$(find . -type f | sort | tr '\n' ' ')" "./err ./i ./out ./x "
}

# slowly FILE: its bytes in about three seconds.
slowly()
{
	"$PYTHON" - "$1" <<-'END'
		import sys, time
		data = open(sys.argv[1], "rb").read()
		for at in range(0, len(data), len(data) // 15 + 1):
		    sys.stdout.buffer.write(data[at:at + len(data) // 15 + 1])
		    sys.stdout.flush()
		    time.sleep(0.2)
	END
}

test_speed_graph()
{
	local image

	image=$(image data.iso)
	blank 64M stick
	on_pty --stdin <(slowly "$image") --rows 30 -- "$ISOWRITE" -yv - stick >screen
	matches '^ *[0-9.]+ [kM]B/s │' screen
	matches '^ +0 └──' screen
	matches '^          write [0-9]' screen
	is "$(grep -c '│' screen)" 8 "rows of the graph that stay on the screen"
	has 'Verified: all' screen
	blank 64M stick
	blank 64M other
	LC_ALL=C on_pty --stdin <(slowly "$image") --rows 60 -- "$ISOWRITE" -yv - stick other >screen
	matches '^ +0 \+--' screen
	is "$(grep -c '|' screen)" 16 "rows of two graphs"
	matches '^stick$' screen
	matches '^other$' screen
	! LC_ALL=C grep -q '[^ -~]' screen || fail "more than ASCII"
}
