# SPDX-License-Identifier: GPL-3.0-or-later
"""A QEMU guest with a real USB stack, in which a shell script meets sticks.

    g = Guest(script, sticks=[Stick(...)], programs=['/path/isowrite'])
    g.on('ready', lambda g: g.unplug('a'))
    result = g.run()

Guest and host share a folder (9p), /mnt in the guest. The script writes there,
and calls:

    ev NAME [TEXT]     tells the host: the function given to on() is called
    waitfor NAME       until the host calls tell(NAME)
    disk SERIAL        waits for the disk of that USB serial number, prints its name
    need MODULE...     inserts kernel modules

Everything runs emulated (TCG): no KVM, no privileges, about 4 s for boot and
power-off.
"""
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field

QEMU = 'qemu-system-x86_64'

CMDLINE = ('console=ttyS0 quiet mitigations=off nokaslr tsc=reliable no_timer_check '
           'random.trust_cpu=on panic=-1')

PRELUDE = r'''
export PATH=/mnt/bin:$PATH
ev() { n=$1; shift; echo "$*" >/mnt/ev/.$n; mv /mnt/ev/.$n /mnt/ev/$n; }
waitfor() {
    i=0
    until [ -e /mnt/tell/$1 ]; do
        usleep 20000; i=$((i + 1))
        [ $i -lt 3000 ] || { echo "waitfor $1: no answer"; return 1; }
    done
}
usb_serial() {
    dir=$(readlink -f "$1")
    while [ "$dir" != / ]; do
        [ ! -e "$dir/serial" ] || { cat "$dir/serial"; return; }
        dir=$(dirname "$dir")
    done
}
disk() {
    i=0
    while [ $i -lt 300 ]; do
        for d in /sys/block/sd*; do
            [ "$(usb_serial "$d")" != "$1" ] || { echo "${d##*/}"; return; }
        done
        usleep 50000; i=$((i + 1))
    done
    echo "disk $1: not found" >&2
    return 1
}
'''


@dataclass
class Stick:
    """One USB stick: BOT (driver usb-storage) or UAS, on a file of the host. Or a disc in a drive."""
    name: str
    file: str
    port: int
    vendor: str = 'ACME'
    product: str = 'Flash Disk'
    serial: str = ''
    uas: bool = False
    disc: bool = False
    readonly: bool = False
    bps: int = 0  # bytes per second, reads and writes together; 0 = as fast as it goes
    device: dict = field(default_factory=dict)  # further properties of scsi-hd

    def arguments(self):
        node = {'driver': 'file', 'filename': self.file, 'locking': 'off'}
        args = []
        if self.bps:
            group = {'qom-type': 'throttle-group', 'id': f'tg-{self.name}',
                     'limits': {'bps-total': self.bps}}
            args += ['-object', json.dumps(group)]
            node = {'driver': 'throttle', 'throttle-group': f'tg-{self.name}', 'file': node}
        block = {'driver': 'raw', 'node-name': f'node-{self.name}', 'file': node,
                 'read-only': self.readonly or self.disc}
        bus = {'driver': 'usb-uas' if self.uas else 'usb-bot', 'id': f'usb-{self.name}',
               'bus': 'xhci.0', 'port': str(self.port), 'serial': self.serial or self.name}
        disk = {'driver': 'scsi-hd', 'id': f'disk-{self.name}', 'bus': f'usb-{self.name}.0',
                'scsi-id': 0, 'lun': 0, 'drive': block['node-name'], 'vendor': self.vendor,
                'product': self.product, 'removable': True,
                'rerror': 'report', 'werror': 'report', **self.device}
        if self.disc:
            del disk['removable']
            disk['driver'] = 'scsi-cd'
        return args + ['-blockdev', json.dumps(block), '-device', json.dumps(bus),
                       '-device', json.dumps(disk)]


class Qmp:
    """QEMU's control socket."""

    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + timeout
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
        self.file = self.socket.makefile('rw')
        self.file.readline()
        self.command('qmp_capabilities')

    def command(self, name, **arguments):
        self.file.write(json.dumps({'execute': name, 'arguments': arguments}) + '\n')
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise EOFError('QEMU closed its control socket')
            answer = json.loads(line)
            if 'error' in answer:
                raise RuntimeError(f'{name}: {answer["error"]["desc"]}')
            if 'return' in answer:
                return answer['return']


@dataclass
class Result:
    status: str  # of the script; '' if it did not end
    out: str
    dmesg: str
    serial: str
    seconds: float
    times: dict  # event: seconds since the start


class Guest:
    def __init__(self, folder, kernel, initrd, script, sticks=(), programs=(), timeout=120,
                 memory=512):
        """folder: an empty one of this guest's own, with the share in it (self.share)."""
        self.folder, self.timeout = folder, timeout
        self.share = os.path.join(folder, 'share')
        for name in ('bin', 'lib', 'ev', 'tell'):
            os.makedirs(os.path.join(self.share, name))
        with open(os.path.join(self.share, 'run.sh'), 'w', encoding='utf-8') as f:
            f.write(PRELUDE + script)
        for program in programs:
            self.add_program(program)
        self.handlers, self.watchers, self.times = {}, [], {}
        self.qmp = self.process = self.start = None
        self.command = [
            QEMU, '-machine', 'pc,accel=tcg', '-cpu', 'Nehalem', '-m', str(memory), '-nodefaults',
            '-nographic', '-no-reboot', '-serial', f'file:{folder}/serial',
            '-qmp', f'unix:{folder}/qmp,server=on,wait=off', '-kernel', kernel,
            '-initrd', initrd, '-append', CMDLINE,
            '-fsdev', f'local,id=share,path={self.share},security_model=none',
            '-device', 'virtio-9p-pci,fsdev=share,mount_tag=host',
            '-device', 'qemu-xhci,id=xhci,p2=15,p3=15']
        for stick in sticks:
            self.command += stick.arguments()

    def add_program(self, path):
        """A program of the host, with the shared libraries it needs."""
        shutil.copy(path, os.path.join(self.share, 'bin'))
        ldd = subprocess.run(['ldd', path], capture_output=True, text=True)
        for line in ldd.stdout.splitlines():
            words = line.split()
            library = words[2] if '=>' in words and len(words) > 2 else words[0]
            if library.startswith('/'):
                shutil.copy(library, os.path.join(self.share, 'lib'))

    def on(self, event, function):
        """function(guest) is called when the script says `ev EVENT`."""
        self.handlers[event] = function

    def watch(self, function):
        """function(guest) is called every few milliseconds until it returns True."""
        self.watchers.append(function)

    def tell(self, name):
        with open(os.path.join(self.share, 'tell', name), 'w', encoding='utf-8'):
            pass
        self.times['tell ' + name] = self.clock()

    def unplug(self, name):
        self.qmp.command('device_del', id=f'usb-{name}')
        self.times['unplug ' + name] = self.clock()

    def clock(self):
        return time.monotonic() - self.start

    def read(self, name):
        """A file of the share, '' if it is not there."""
        try:
            with open(os.path.join(self.share, name), encoding='utf-8', errors='replace') as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def poll(self, seen):
        for event in sorted(os.listdir(os.path.join(self.share, 'ev'))):
            if event.startswith('.') or event in seen:
                continue
            seen.add(event)
            self.times[event] = self.clock()
            if event in self.handlers:
                self.handlers[event](self)
        self.watchers = [w for w in self.watchers if not w(self)]

    def run(self):
        self.start = time.monotonic()
        with open(os.path.join(self.folder, 'qemu'), 'w', encoding='utf-8') as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        seen = set()
        try:
            self.qmp = Qmp(os.path.join(self.folder, 'qmp'))
            while self.process.poll() is None:
                self.poll(seen)
                if self.clock() > self.timeout:
                    break
                time.sleep(0.005)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
        with open(os.path.join(self.folder, 'serial'), encoding='utf-8', errors='replace') as f:
            serial = f.read()
        return Result(self.read('status').strip(), self.read('out'), self.read('dmesg'), serial,
                      self.clock(), self.times)
