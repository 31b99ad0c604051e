#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every object that is printed, of every command and every kind of end, is valid by the schema.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# object STATUS ARGUMENT...: exactly one object, valid, whose "exit" is the status.
object()
{
	local want=$1

	shift
	run "$want" "$ISOWRITE" --json "$@"
	is "$(wc -l <out)" 1 "lines of $*"
	validate_json out
	is "$(json out 'j["exit"]')" "$want" "exit of $*"
}

small()
{
	blank 64M stick
	cp "$(image ubuntu.iso)" ubuntu.iso
}

test_good_ends()
{
	small
	object 0 -y ubuntu.iso stick
	is "$(json out 'j["targets"][0]["status"]')" verified
	is "$(json out 'j["image"]["sha256"]')" "$(sha256sum ubuntu.iso | cut -c1-64)"
	is "$(json out 'j["targets"][0]["content_sha256"]')" "$(json out 'j["image"]["content_sha256"]')"
	object 0 check ubuntu.iso stick
	object 0 -y --receipt=receipt ubuntu.iso file:stick
	object 0 check receipt stick
	object 0 plan ubuntu.iso file:stick
	is "$(json out 'j["plans"][0]["extents"][0]["kind"]')" source
	object 0 plan ubuntu.iso --size=16GB --sector-size=512
	object 0 inspect ubuntu.iso
	is "$(json out 'j["kind"]')" isohybrid
	object 0 inspect stick
	object 0 devices
	object 0 devices --all
	object 0 -y --fix-gpt ubuntu.iso file:stick
	object 0 -y --no-verify ubuntu.iso file:stick
	is "$(json out 'j["targets"][0]["status"]')" written
	is "$(json out 'j["targets"][0]["verify_method"]')" none
}

test_bad_ends()
{
	small
	noise 3M other
	blank 1M tiny
	object 2
	is "$(json out 'j["findings"][0]["code"]')" missing-operand
	object 2 ubuntu.iso
	object 2 inspekt
	object 2 --bogus ubuntu.iso stick
	object 2 check one
	is "$(json out 'j["command"]')" check
	object 2 -y ubuntu.iso /dev/no-such-disk
	object 2 ubuntu.iso stick
	object 3 -y ubuntu.iso other
	is "$(json out 'j["targets"][0]["error"]["rule"]')" file-in-use
	object 4 -y /dev/null stick
	object 5 -y ubuntu.iso tiny
	object 9 -y --sha256="$(printf %064d 0)" ubuntu.iso stick
	is "$(json out 'j["trust"]["verdict"]')" mismatch
	object 10 -y http://example.org/x stick
	object 2 inspect /no/such/file
	is "$(json out 'j["command"]')" inspect
	is_blank stick
}

test_an_option_that_is_wrong_before_json()
{
	run 2 "$ISOWRITE" --bogus check a b -J
	validate_json out
	is "$(json out 'j["command"]')" check
}

test_one_bad_target_of_two()
{
	small
	noise 64M other
	object 64 -y --keep-going ubuntu.iso stick other
	is "$(json out '[t["status"] for t in j["targets"]]')" '["verified", "refused"]'
}

test_differs()
{
	small
	run 0 "$ISOWRITE" -y ubuntu.iso stick
	printf X | dd of=stick bs=1 seek=1000000 conv=notrunc status=none
	object 7 check ubuntu.iso stick
	is "$(json out 'j["targets"][0]["error"]["offset"]')" 1000000
	is "$(json out 'j["targets"][0]["error"]["file"]')" /live/filesystem.squashfs
}

test_lines()
{
	small
	# Slow enough to be seen on its way.
	{ cat ubuntu.iso; sleep 1; } | run 0 "$ISOWRITE" --json=lines -y - stick
	validate_json out
	tail -n 1 out >last
	is "$(json last 'j["targets"][0]["status"]')" verified
	head -n -1 out >events
	matches '"event":"phase","target":"stick","phase":"write"' events
	matches '"event":"progress","target":"stick","phase":"write","done":[0-9]+' events
	matches '"event":"result","target":"stick","status":"verified"' events
	lacks_text '"schema"' events

	run 0 "$ISOWRITE" --json=lines check ubuntu.iso stick
	matches '"event":"phase","target":"stick","phase":"verify"' out
	run 7 bash -c '"$ISOWRITE" --json=lines check "$0" stick' "$(image grub-rescue-cdrom.iso)"
	validate_json out
}

test_lines_name_what_went_wrong()
{
	small
	noise 64M other
	run 3 "$ISOWRITE" --json=lines -y ubuntu.iso stick other
	validate_json out
	matches '"event":"error","target":"other","code":"rule","message":"other refused' out
	run 4 "$ISOWRITE" --json=lines -y /dev/null stick
	matches '"event":"error","target":null,"code":"character-device"' out
	run 2 "$ISOWRITE" --json=lines inspect nothing
	matches '"event":"error","target":null,"code":"no-such-image"' out
	validate_json out
}

# However short they are, and for every target.
test_lines_announce_each_phase()
{
	local phases='["write", "flush", "verify"]'

	blank 8M stick
	noise 100K small.img
	run 0 "$ISOWRITE" --json=lines -y small.img stick file:other --size=8M
	validate_json out
	"$PYTHON" - out >phases <<-'END'
		import json, sys
		events = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
		for target in "stick", "other":
		    print(json.dumps([e["phase"] for e in events
		                      if e.get("event") == "phase" and e["target"] == target]))
	END
	is "$(sort -u phases)" "$phases"
	run 0 "$ISOWRITE" --json=lines -y --no-verify small.img file:stick
	lacks_text '"verify"' <(grep '"event"' out)
	matches '"phase":"flush"' out
}

# --json says it once, and standard error still says it for people.
test_errors_are_also_said()
{
	small
	run 2 "$ISOWRITE" --json -y ubuntu.iso /no/such/dir/x
	matches '^isowrite: ' err
}

test_names_that_are_not_utf8()
{
	small
	mv ubuntu.iso $'\377\033.iso'
	object 0 -y $'\377\033.iso' stick
	"$PYTHON" -c 'import json; open("out", encoding="utf-8").read()'
}

test_long_paths_are_whole()
{
	local long

	long=$(printf 'd%.0s' {1..200})
	small
	mkdir -p "$long/$long"
	object 0 -y ubuntu.iso "file:$long/$long/stick"
	is "$(json out 'j["targets"][0]["path"]')" "$long/$long/stick"
}

test_standard_output_is_full()
{
	small
	run 1 bash -c '"$ISOWRITE" --json -y ubuntu.iso stick >/dev/full'
	same ubuntu.iso stick "$(size_of ubuntu.iso)"
}

# Progress is no part of it, and stays out of logs.
test_json_is_quiet_in_logs()
{
	small
	object 0 -y ubuntu.iso stick
	lacks_text 'write' err
}
