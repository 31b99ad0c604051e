#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Signals: drained, reported, and then dead by the signal; never a stick that looks finished.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# start [ARGUMENT...]: isowrite in the background, writing 16 MiB of a stream that then stalls.
start()
{
	blank 64M stick
	noise 16M data
	mkfifo pipe
	{ cat data; sleep 30; } >pipe 2>/dev/null &
	feeder=$!
	at_end kill "$feeder"
	# A shell's background job would ignore SIGINT.
	env --default-signal=INT "$ISOWRITE" -y --progress=lines "$@" - stick <pipe >out 2>err &
	pid=$!
	for _ in $(seq 100); do
		cmp -s -n 1048576 -i 2097152 data stick && break
		sleep 0.1
	done
	cmp -s -n 1048576 -i 2097152 data stick || { show err; fail "nothing was written"; }
}

# ends STATUS: isowrite ends with it within 5 seconds.
ends()
{
	for _ in $(seq 50); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	! kill -0 "$pid" 2>/dev/null || fail "it goes on"
	status=0
	wait "$pid" || status=$?
	is "$status" "$1" status
}

# The commit window is empty: neither old nor new.
window_is_blank()
{
	cmp -n 1048576 stick /dev/zero || fail "the first MiB is not empty"
	cmp -n 1048576 -i 66060288:0 stick /dev/zero || fail "the last MiB is not empty"
}

stops_by()
{
	start
	kill -s "$1" "$pid"
	ends "$2"
	window_is_blank
	lacks_text Verified out
	lacks_text unplug out
	matches '^isowrite: ' err
}

test_int() { stops_by INT 130; }
test_term() { stops_by TERM 143; }
test_hup() { stops_by HUP 129; }

test_json_says_8()
{
	start --json
	kill -s TERM "$pid"
	ends 143
	validate_json out
	is "$(json out 'j["exit"]')" 8
	is "$(json out 'j["targets"][0]["status"]')" cancelled
}

# silent ARGUMENT...: isowrite in the background, reading a pipe that never says anything.
silent()
{
	blank 64M stick
	[ -p pipe ] || mkfifo pipe
	sleep 30 >pipe &
	at_end kill $!
	"$ISOWRITE" "$@" <pipe >out 2>err &
	pid=$!
	sleep 0.5
}

test_first_signal_ends_the_wait_for_a_pipe()
{
	silent -y --json - stick
	kill -s TERM "$pid"
	ends 143
	validate_json out
	is "$(json out 'j["exit"]')" 8
	is_blank stick
	silent check - stick
	kill -s TERM "$pid"
	ends 143
	has cancelled err
	silent inspect -
	kill -s TERM "$pid"
	ends 143
}

# The pipe that was named has no writer yet.
test_first_signal_ends_the_wait_for_a_writer()
{
	blank 64M stick
	mkfifo nobody
	"$ISOWRITE" -y nobody stick >out 2>err &
	pid=$!
	sleep 0.5
	kill -s TERM "$pid"
	ends 143
	is_blank stick
}

test_ignored_signals_stay_ignored()
{
	blank 64M stick
	noise 16M data
	mkfifo pipe
	{ cat data; sleep 1; } >pipe &
	(trap '' HUP && exec "$ISOWRITE" -y - stick <pipe >out 2>err) &
	pid=$!
	sleep 0.5
	kill -s HUP "$pid"
	ends 0
	has Verified out
	same data stick 16777216
}

test_usr1_is_a_line_of_progress()
{
	start --progress=none
	sleep 0.5
	! grep -q 'stick: write' err || fail "progress although none was wanted"
	kill -s USR1 "$pid"
	sleep 1
	matches '^stick: write, 16 MB|^stick: write, 17 MB|^stick: write' err
	kill -s TERM "$pid"
	ends 143
}

test_interrupt_at_the_question()
{
	blank 64M stick
	noise 3M data
	status=0
	on_pty --send 'y/N' '^C' -- "$ISOWRITE" data stick >screen || status=$?
	is "$status" 130
	has 'Cancelled; nothing was written' screen
	is_blank stick
}

test_stop_and_continue()
{
	blank 64M stick
	noise 16M data
	mkfifo pipe
	{ head -c 8M data; sleep 2; tail -c +8388609 data; } >pipe &
	TERM=xterm on_pty --stdin pipe --send 'write' '^Z' --cont -- "$ISOWRITE" -y - stick >screen
	has Verified screen
	same data stick 16777216
}

test_stop_at_the_question()
{
	blank 64M stick
	noise 3M data
	TERM=xterm on_pty --send 'y/N' '^Z' --cont --send 'y/N' y -- "$ISOWRITE" data stick >screen
	has Verified screen
}

# A loop in a shell stops with the program.
test_loop_stops()
{
	blank 64M stick
	noise 3M data
	status=0
	on_pty --send 'y/N' '^C' -- bash -c 'for i in 1 2 3; do "$0" data stick; echo "round $i"; done' \
		"$ISOWRITE" >screen || status=$?
	lacks_text 'round' screen
}
