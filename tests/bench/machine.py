# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bench builds on the machine and takes down again: loop devices,
throttling cgroups, image files. Nothing else is ever written."""
import base64
import os
import random
import shutil
import subprocess
import tempfile

DEFAULT_REQUEST_KIB = 1280  # what the kernel sets, where the device takes it


class Machine:
    def __init__(self, base):
        self.dir = tempfile.mkdtemp(prefix="isowrite-bench-", dir=base)
        self.loops = []
        self.cgroups = []
        self.v1 = os.path.isdir("/sys/fs/cgroup/blkio")

    def close(self):
        for loop in self.loops:
            subprocess.run(["losetup", "-d", loop], check=False)
        for cgroup in self.cgroups:
            try:
                os.rmdir(cgroup)
            except OSError as e:
                print(f"bench: {cgroup} stays: {e}")
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def stick(self, size):
        """A loop device with direct I/O on a file whose blocks all exist already."""
        path = self.path(f"stick{len(self.loops)}")
        subprocess.run(["dd", "if=/dev/zero", f"of={path}", "bs=4M", "iflag=count_bytes",
                        f"count={size}", "conv=fsync", "status=none"], check=True)
        loop = subprocess.run(["losetup", "--find", "--show", "--direct-io=on", path],
                              check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.loops.append(loop)
        self.reset_limit(loop)
        return loop

    @staticmethod
    def reset_limit(loop):
        """A test may have left a small request size on it: that would slow all that beside it."""
        queue = f"/sys/block/{os.path.basename(loop)}/queue"
        with open(f"{queue}/max_hw_sectors_kb") as f:
            limit = min(DEFAULT_REQUEST_KIB, int(f.read()))
        with open(f"{queue}/max_sectors_kb", "w") as f:
            f.write(str(limit))

    def throttle(self, limits):
        """A cgroup in which limits {device: (write, read)} in bytes per second hold."""
        name = f"isowrite-bench-{os.getpid()}-{len(self.cgroups)}"
        if self.v1:
            cgroup = f"/sys/fs/cgroup/blkio/{name}"
        else:
            cgroup = f"/sys/fs/cgroup/{name}"
            with open("/sys/fs/cgroup/cgroup.subtree_control", "w") as f:
                f.write("+io")
        os.mkdir(cgroup)
        self.cgroups.append(cgroup)
        for device, (write, read) in limits.items():
            rdev = os.stat(device).st_rdev
            number = f"{os.major(rdev)}:{os.minor(rdev)}"
            if self.v1:
                for what, bps in (("write", write), ("read", read)):
                    with open(f"{cgroup}/blkio.throttle.{what}_bps_device", "w") as f:
                        f.write(f"{number} {bps}\n")
            else:
                with open(f"{cgroup}/io.max", "w") as f:
                    f.write(f"{number} wbps={write} rbps={read}\n")
        return cgroup

    def image(self, name, size):
        """Bytes like an image's: half noise (packed files), a quarter that compresses a
        little (programs), a quarter that compresses well (text). Nothing repeats far away."""
        path = self.path(name)
        text = b"".join(b"%08x some text, as in package lists and scripts\n" % (i * 2654435761 % 2**32)
                        for i in range(1 << 16))
        left = size
        with open(path, "wb") as f:
            while left > 0:
                at = random.randrange(len(text) - (256 << 10))
                piece = (os.urandom(512 << 10) + base64.b64encode(os.urandom(192 << 10))
                         + text[at:at + (256 << 10)])[:left]
                f.write(piece)
                left -= len(piece)
            f.flush()
            os.fsync(f.fileno())
        return path
