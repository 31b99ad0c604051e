#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command on a terminal of its own and prints what a person would see.

pty.py [OPTION...] COMMAND...

  --send PATTERN TEXT   when PATTERN (a regular expression) has appeared, type
                        TEXT and Enter; "^C", "^Z" and "^D" are those keys.
                        May be given several times; they follow each other
  --signal PATTERN SIG  the same with a signal: INT, TERM, USR1, CONT ...
  --cont                wait until the command has stopped, then continue it
  --columns N --rows N  size of the terminal (80, 24)
  --stdin FILE          standard input is FILE, not the terminal
  --stdout FILE         the same for the other two streams
  --stderr FILE
  --mask                times and speeds become TIME and SPEED
  --raw                 print the bytes as they came, not the screen they make
  --copy FILE           write the bytes as they came to FILE, as well
  --timeout SECONDS     (60) then everything ends

The screen is that of a simple terminal that knows CR, LF, BS and the sequences
ESC [ n A, ESC [ J, ESC [ K and ESC [ ... m (colours are dropped); anything else
is printed as <ESC...>, so that a test sees it. Lines that are longer than the
terminal are wide wrap, as on a real one.

Exit status: the command's; 128+n when signal n ended it; 124 after the timeout.
"""
import argparse
import fcntl
import os
import re
import select
import signal
import struct
import sys
import termios
import time

KEYS = {"^C": b"\x03", "^Z": b"\x1a", "^D": b"\x04"}


class Screen:
    """Lines without end, a cursor, and wrapping at the last column."""

    def __init__(self, columns):
        self.columns = columns
        self.lines = [[]]
        self.row = self.column = 0

    def put(self, char):
        if self.column >= self.columns:
            self.newline()
            self.column = 0
        line = self.lines[self.row]
        line.extend(" " * (self.column - len(line)))
        line[self.column:self.column + 1] = [char]
        self.column += 1

    def newline(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append([])

    def escape(self, number, letter):
        if letter == "A":
            self.row = max(0, self.row - int(number or 1))
        elif letter in "JK" and number in ("", "0"):
            del self.lines[self.row][self.column:]
            if letter == "J":
                del self.lines[self.row + 1:]
        elif letter != "m":
            for char in "<ESC[%s%s>" % (number, letter):
                self.put(char)

    def feed(self, text):
        for part in re.finditer(r"\x1b\[([0-9;]*)([A-Za-z])|(.)", text, re.S):
            number, letter, char = part.groups()
            if letter:
                self.escape(number, letter)
            elif char == "\r":
                self.column = 0
            elif char == "\n":
                self.newline()
            elif char == "\b":
                self.column = max(0, self.column - 1)
            elif ord(char) < 32 or char == "\x7f":
                for c in "<%02x>" % ord(char):
                    self.put(c)
            else:
                self.put(char)

    def text(self):
        text = "\n".join("".join(line).rstrip() for line in self.lines)
        return text.rstrip("\n") + "\n" if text.strip("\n") else ""


def mask(text):
    text = re.sub(r"\b\d+:\d\d(:\d\d)?\b|\b\d+\.\d\ss\b|<0\.1\ss", "TIME", text)
    text = re.sub(r"\b\d+(\.\d)?\s[kMG]B/s", "SPEED", text)

    # Where this paragraph is broken depends on what was masked.
    return re.sub(r"Write\sTIME[^.]*\.(\s+Made for[^.]*\.)?", lambda m: " ".join(m[0].split()), text)


class Step(argparse.Action):
    """Steps are done in the order of the command line, whatever their kind."""

    def __call__(self, parser, namespace, values, option_string=None):
        pattern, what = values if values else ("", "")
        namespace.steps = namespace.steps + [(option_string.lstrip("-"), pattern, what)]


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--send", nargs=2, action=Step, dest="steps", default=[])
    parser.add_argument("--signal", nargs=2, action=Step, dest="steps")
    parser.add_argument("--cont", nargs=0, action=Step, dest="steps")
    parser.add_argument("--columns", type=int, default=80)
    parser.add_argument("--rows", type=int, default=24)
    for stream in "stdin", "stdout", "stderr":
        parser.add_argument("--" + stream)
    parser.add_argument("--mask", action="store_true")
    parser.add_argument("--raw", action="store_true")
    parser.add_argument("--copy")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    if args.command[:1] == ["--"]:
        del args.command[0]
    if not args.command:
        parser.error("no command")
    return args


def start(args):
    """The command, below a leader of the session that only waits: so it is no orphan."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", args.rows, args.columns, 0, 0))
    report_read, report_write = os.pipe()
    leader = os.fork()
    if leader == 0:
        os.close(master)
        os.close(report_read)
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        ready_read, ready_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ready_write)
            os.read(ready_read, 1)
            run_child(args, slave)
        os.setpgid(pid, pid)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.tcsetpgrp(slave, pid)
        os.write(report_write, b"pid %d\n" % pid)
        os.write(ready_write, b"x")
        while True:
            _, status = os.waitpid(pid, os.WUNTRACED)
            if os.WIFSTOPPED(status):
                os.write(report_write, b"stopped\n")
                continue
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
            try:
                os.write(report_write, b"end %d\n" % code)
            finally:
                os._exit(0)
    os.close(slave)
    os.close(report_write)
    return leader, master, report_read


def run_child(args, slave):
    for fd, name, flags in ((0, args.stdin, os.O_RDONLY),
                            (1, args.stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
                            (2, args.stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)):
        os.dup2(os.open(name, flags, 0o644) if name else slave, fd)
    os.closerange(3, 256)
    try:
        os.execvp(args.command[0], args.command)
    except OSError as error:
        os.write(2, ("%s: %s\n" % (args.command[0], error.strerror)).encode())
    os._exit(127)


class Session:
    def __init__(self, args):
        self.args = args
        self.leader, self.master, self.reports = start(args)
        self.output = b""
        self.seen = 0  # up to here the steps have used the output
        self.news = b""
        self.pid = self.status = None
        self.stopped = False

    def take_news(self):
        self.news += os.read(self.reports, 4096)
        while b"\n" in self.news:
            line, self.news = self.news.split(b"\n", 1)
            words = line.split()
            if words[0] == b"pid":
                self.pid = int(words[1])
            elif words[0] == b"stopped":
                self.stopped = True
            else:
                self.status = int(words[1])

    def do_step(self):
        """True if the first step could be done."""
        kind, pattern, what = self.args.steps[0]
        if kind == "cont":
            if not self.stopped:
                return False
            self.stopped = False
            os.kill(self.pid, signal.SIGCONT)
            return True
        text = self.output[self.seen:].decode("utf-8", "replace")
        found = re.search(pattern, text)
        if not found or self.pid is None:
            return False
        self.seen += len(text[:found.end()].encode("utf-8"))
        if kind == "send":
            os.write(self.master, KEYS[what] if what in KEYS else what.encode() + b"\n")
        else:
            os.kill(self.pid, getattr(signal, "SIG" + what))
        return True

    def read_some(self, seconds):
        ready, _, _ = select.select([self.master, self.reports], [], [], seconds)
        if self.reports in ready:
            self.take_news()
        if self.master in ready:
            try:
                self.output += os.read(self.master, 65536)
            except OSError:  # the last one closed the terminal
                return False
        return bool(ready)

    def run(self):
        end = time.monotonic() + self.args.timeout
        while self.status is None:
            if time.monotonic() > end:
                if self.pid:
                    os.kill(self.pid, signal.SIGKILL)
                return 124
            self.read_some(0.1)
            while self.args.steps and self.status is None and self.do_step():
                del self.args.steps[0]
        while self.read_some(0.05):
            pass
        os.waitpid(self.leader, 0)
        if self.args.steps:
            sys.stderr.write("pty.py: not reached: %s\n" % (self.args.steps[0],))
        return self.status


def main():
    args = parse()
    session = Session(args)
    status = session.run()
    if args.copy:
        with open(args.copy, "wb") as copy:
            copy.write(session.output)
    if args.raw:
        sys.stdout.buffer.write(session.output)
    else:
        screen = Screen(args.columns)
        screen.feed(session.output.decode("utf-8", "replace"))
        text = screen.text()
        sys.stdout.write(mask(text) if args.mask else text)
    sys.exit(status)


main()
