#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# While a target is written the machine neither sleeps nor shuts down: judged by
# a logind of the test's own, on a bus of the test's own.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

start_bus()
{
	cat >bus.conf <<-EOF
	<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
	 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
	<busconfig>
	  <type>system</type>
	  <listen>unix:path=$T/bus</listen>
	  <policy context="default">
	    <allow user="*"/><allow own="*"/>
	    <allow send_destination="*"/><allow receive_sender="*"/>
	  </policy>
	</busconfig>
	EOF
	dbus-daemon --config-file=bus.conf --nofork --nopidfile 2>bus.log &
	at_end kill $!
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/bus
	for _ in {1..100}; do
		[ ! -S bus ] || return 0
		sleep 0.05
	done
	fail "the bus did not start: $(cat bus.log)"
}

test_a_write_holds_and_releases_the_inhibitor()
{
	need_tool dbus-daemon
	start_bus
	"$PYTHON" "$TOP/tests/e2e/inhibit.py" "$T/log" 2>logind.err &
	at_end kill $!
	for _ in {1..100}; do
		[ ! -s log ] || break
		sleep 0.05
	done
	has ready log
	head -c 3000000 /dev/urandom >image
	truncate -s 16M stick
	run 0 "$ISOWRITE" --yes image stick
	wait $! || true
	has 'inhibit shutdown:sleep:idle isowrite block' log
	has released log
}

test_a_write_goes_on_without_logind()
{
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/no-bus
	head -c 3000000 /dev/urandom >image
	truncate -s 16M stick
	run 0 "$ISOWRITE" --yes image stick
}
