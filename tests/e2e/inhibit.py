#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""inhibit.py LOG: a logind that knows one method, on the system bus of the environment.

Writes "inhibit WHAT WHO WHY MODE" to LOG when a lock is taken and "released" when the
descriptor that was given out is closed; then it ends.
"""
import os
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib


class Manager(dbus.service.Object):
    def __init__(self, bus, log, loop):
        super().__init__(bus, "/org/freedesktop/login1")
        self.log, self.loop = log, loop

    def say(self, text):
        with open(self.log, "a", encoding="utf-8") as f:
            print(text, file=f)

    @dbus.service.method("org.freedesktop.login1.Manager", in_signature="ssss", out_signature="h")
    def Inhibit(self, what, who, why, mode):
        ours, theirs = os.pipe()
        self.say(f"inhibit {what} {who} {mode}: {why}")
        GLib.io_add_watch(ours, GLib.IO_HUP, self.released)
        given = dbus.types.UnixFd(theirs)
        os.close(theirs)
        return given

    def released(self, *_):
        self.say("released")
        self.loop.quit()
        return False


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    name = dbus.service.BusName("org.freedesktop.login1", bus)
    loop = GLib.MainLoop()
    manager = Manager(bus, sys.argv[1], loop)
    manager.say("ready")
    loop.run()
    del name


main()
