# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a command and measuring it: wall, CPU, peak memory, bytes read."""
import os
import subprocess
import tempfile
import time


class Failed(Exception):
    pass


def reap(p):
    """Reads what /proc still knows of the ended process p, then collects it."""
    io = {}
    try:
        with open(f"/proc/{p.pid}/io") as f:
            io = dict(line.strip().split(": ") for line in f)
    except OSError:
        pass
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.stdout:
        p.stdout.close()
    return usage, io


GNU_TIME = "/usr/bin/time"


def run(argv, cgroup=None, stdout=subprocess.DEVNULL, peak=None):
    """Runs argv (a list, or a string for bash) and returns what it cost.

    cpu comes from wait4: the command and everything it waited for. rchar is what
    the command itself read by read calls (not its children). rss needs GNU time
    and peak, a file for it to write to: what wait4 says of a child of this process
    includes this process's own size at the fork.
    """
    if isinstance(argv, str):
        argv = ["bash", "-o", "pipefail", "-c", argv]
    if peak and os.path.exists(GNU_TIME):
        argv = [GNU_TIME, "-f", "%M", "-o", peak, *argv]

    def enter():
        if cgroup:
            with open(os.path.join(cgroup, "cgroup.procs"), "w") as f:
                f.write(str(os.getpid()))

    with tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=errors,
                             preexec_fn=enter if cgroup else None)
        out = p.stdout.read() if p.stdout else b""
        os.waitid(os.P_PID, p.pid, os.WEXITED | os.WNOWAIT)
        wall = time.monotonic() - start
        usage, io = reap(p)
        errors.seek(0)
        err = errors.read().decode(errors="replace").strip()
    if p.returncode != 0:
        raise Failed(f"{' '.join(argv)}: status {p.returncode}: {err[-500:]}")
    rss = usage.ru_maxrss
    if argv[0] == GNU_TIME:
        with open(peak) as f:
            rss = int(f.read().split()[-1])
    return {"wall": wall, "user": usage.ru_utime, "sys": usage.ru_stime,
            "cpu": usage.ru_utime + usage.ru_stime, "rss": rss * 1024,
            "rchar": int(io.get("rchar", 0)), "stdout": out}
