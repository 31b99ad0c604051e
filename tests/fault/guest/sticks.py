# SPDX-License-Identifier: GPL-3.0-or-later
"""sticks.py PROGRAM IMAGE CACHE FOLDER: isowrite meets USB sticks in a guest.

One boot, one stick for each question: is it listed as what it is, is it written
and its table seen by the kernel, is a mounted or a write-protected one left
alone, is an image for other sectors refused, is a formatted one mounted, what happens when a stick is pulled
out while it is written and while it is read back, does a name full of terminal
escapes stay a name, and is a disc in a drive read.

Status: 0 as it should be, 1 not, 77 something is missing (the last line says what).
"""
import json
import os
import re
import shutil
import subprocess
import sys

import build
from guest import Guest, Stick

MIB = 1 << 20
SIZE = 32 * MIB
# Sticks that are formatted, and what judges their volumes.
FORMATTED = {'fat': ['fsck.fat', '-n'], 'exfat': ['fsck.exfat', '-n'], 'ext': ['e2fsck', '-fn']}
SLOW = 3_000_000  # bytes per second: time enough to pull a stick

SCRIPT = r'''
set -u
cp /mnt/image.iso /tmp/image.iso
good=$(disk GOOD-1) used=$(disk USED-2) pulled=$(disk PULL-3) late=$(disk LATE-4)
locked=$(disk LOCK-5) big=$(disk BIG-6)
echo "$good $used $pulled $late" >/mnt/disks

# try NAME ARGUMENT...: out, err and status of isowrite in the share
try() {
    name=$1; shift
    isowrite "$@" >/mnt/$name.out 2>/mnt/$name.err
    echo $? >/mnt/$name.status
}

need vfat nls_cp437 nls_ascii
mkdir /tmp/key
mount -o ro /dev/${used}1 /tmp/key || exit 1
try devices devices --json
try listing devices

try good -y --json /tmp/image.iso /dev/$good
for i in 1 2 3 4 5; do
    [ ! -e /sys/block/$good/${good}2 ] || break
    usleep 100000
done
for p in /sys/block/$good/$good?*; do
    echo "${p##*/} $(cat $p/start) $(cat $p/size)"
done >/mnt/partitions

try mounted -y --json /tmp/image.iso /dev/$used
grep " /tmp/key " /proc/mounts >/mnt/still-mounted
try unmounted -y --unmount --json /tmp/image.iso /dev/$used
grep " /tmp/key " /proc/mounts >/mnt/mounted-after

try locked -y --json /tmp/image.iso /dev/$locked
try big -y --json /tmp/image.iso /dev/$big

# give NAME DISK TYPE FILESYSTEM: formatted, mounted, and a file comes back
give() {
    try $1 format -y --json --label=KEY --type=$3 /dev/$2
    for i in 1 2 3 4 5; do
        [ ! -e /sys/block/$2/${2}1 ] || break
        usleep 100000
    done
    echo $(cat /sys/block/$2/${2}1/start) $(cat /sys/block/$2/${2}1/size) >/mnt/$1.partition
    mkdir /tmp/$1
    mount -t $4 /dev/${2}1 /tmp/$1 && cp /tmp/image.iso /tmp/$1/ && umount /tmp/$1 &&
        mount -t $4 -o ro /dev/${2}1 /tmp/$1 && cmp /tmp/image.iso /tmp/$1/image.iso &&
        umount /tmp/$1 && echo same >/mnt/$1.file
}
need exfat crc32c_generic ext4
give fat $(disk FAT-8) fat32 vfat
give exfat $(disk EXFAT-9) exfat exfat
give ext $(disk EXT-10) ext4 ext4

need sr_mod
for i in 1 2 3 4 5 6 7 8 9 10; do
    [ ! -b /dev/sr0 ] || break
    usleep 100000
done
try disc read --json /dev/sr0 -o /mnt/disc.iso
try used-disc read --used --json /dev/sr0 -o /mnt/used-disc.iso.zst

try pulled -y --json=lines /tmp/image.iso /dev/$pulled
ev pulled
try late -y --json=lines /tmp/image.iso /dev/$late
ev late
'''


class Failed(Exception):
    """What is not as it should be."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def make_used(path):
    """A stick with an MBR and one FAT partition, in which a file lies."""
    with open(path, 'wb') as f:
        f.truncate(SIZE)
    table = 'label: dos\nstart=2048, type=c\n'
    subprocess.run(['sfdisk', '-q', path], input=table, text=True, check=True)
    subprocess.run(['mkfs.vfat', '--offset=2048', '-n', 'KEY', path, str((SIZE - MIB) // 1024)],
                   check=True, stdout=subprocess.DEVNULL)


def pull_in_phase(name, stick, phase):
    """Watches NAME.out, JSON lines, and pulls the stick when the phase makes progress."""
    def look(guest):
        for line in guest.read(name + '.out').splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # the last line is not whole yet
            if (event.get('event'), event.get('phase')) == ('progress', phase) and \
                    event['done'] >= MIB:
                guest.unplug(stick)
                return True
        return False
    return look


class Sticks:
    def __init__(self, program, image, cache, folder):
        self.image, self.folder = image, folder
        self.sticks = [
            Stick('good', self.path('good'), 1, vendor='ACME', product='Flash Disk',
                  serial='GOOD-1'),
            Stick('used', self.path('used'), 2, product='Used Stick', serial='USED-2'),
            Stick('pulled', self.path('pulled'), 3, serial='PULL-3', bps=SLOW),
            Stick('late', self.path('late'), 4, serial='LATE-4', bps=SLOW),
            Stick('locked', self.path('locked'), 5, serial='LOCK-5', readonly=True),
            Stick('big', self.path('big'), 6, serial='BIG-6',
                  device={'logical_block_size': 4096, 'physical_block_size': 4096}),
            Stick('evil', self.path('evil'), 7, serial='\x1b[2J\x1b[31mEvil\r\n'),
            Stick('fat', self.path('fat'), 8, serial='FAT-8'),
            Stick('exfat', self.path('exfat'), 9, serial='EXFAT-9',
                  device={'logical_block_size': 4096, 'physical_block_size': 4096}),
            Stick('ext', self.path('ext'), 10, serial='EXT-10'),
            Stick('disc', self.path('disc'), 11, serial='DISC-11', disc=True),
        ]
        for stick in self.sticks:
            with open(stick.file, 'wb') as f:
                f.truncate(2 * SIZE if stick.name in FORMATTED else SIZE)
        shutil.copy(image, self.path('disc'))
        make_used(self.path('used'))
        shutil.copy(self.path('used'), self.path('used-before'))
        kernel, initrd = build.prepare(cache)
        os.mkdir(self.path('guest'))
        self.guest = Guest(self.path('guest'), kernel, initrd, SCRIPT, self.sticks,
                           [program, shutil.which('mke2fs')], timeout=90)
        shutil.copy(image, os.path.join(self.guest.share, 'image.iso'))
        self.guest.watch(pull_in_phase('pulled', 'pulled', 'write'))
        self.guest.watch(pull_in_phase('late', 'late', 'verify'))
        self.result = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def status(self, name):
        return self.guest.read(name + '.status').strip()

    def json(self, name):
        """The object of a run: the last line of JSON lines, or all of the output."""
        text = self.guest.read(name + '.out')
        try:
            return json.loads(text)
        except ValueError:
            return json.loads(text.splitlines()[-1])

    def run(self):
        self.result = self.guest.run()
        print(f'{self.result.seconds:.1f} s:', {k: round(v, 2) for k, v in
                                                self.result.times.items()})
        check(self.result.status == '0', f'the script ended with {self.result.status!r}')

    def test_listed(self):
        good = self.guest.read('disks').split()[0]
        devices = {d['path']: d for d in self.json('devices')['devices']}
        stick = devices.get('/dev/' + good)
        check(stick, f'/dev/{good} is not in {list(devices)}')
        expected = {'vendor': 'ACME', 'model': 'Flash Disk', 'serial': 'GOOD-1', 'size': SIZE,
                    'transport': 'usb', 'removable': True, 'writable': True, 'refused': []}
        for key, value in expected.items():
            check(stick[key] == value, f'{key} is {stick[key]!r}, not {value!r}')
        check(re.fullmatch(r'\d+-1', stick['usb_port'] or ''), f'port {stick["usb_port"]!r}')
        used = devices['/dev/' + self.guest.read('disks').split()[1]]
        volume = [c for c in used['contents'] if c['type'] == 'vfat']
        check(volume and volume[0]['label'] == 'KEY' and volume[0]['mountpoint'] == '/tmp/key',
              f'contents {used["contents"]}')
        check('Flash Disk' in self.guest.read('listing.out'), 'devices does not name the stick')

    def test_written(self):
        check(self.status('good') == '0', f'status {self.status("good")}')
        check(self.json('good')['targets'][0]['status'] == 'verified', 'not verified')
        self.holds('good')
        table = json.loads(subprocess.run(['sfdisk', '--json', self.path('good')], check=True,
                                          capture_output=True).stdout)['partitiontable']
        wanted = [(p['start'], p['size']) for p in table['partitions']]
        seen = [tuple(map(int, line.split()[1:]))
                for line in self.guest.read('partitions').splitlines()]
        check(seen == wanted, f'the kernel sees {seen}, the table has {wanted}')

    def test_mounted(self):
        check(self.status('mounted') == '3', f'status {self.status("mounted")}')
        check('mounted' in self.guest.read('mounted.err') and
              '/tmp/key' in self.guest.read('mounted.err'), 'the mount point is not named')
        check(self.guest.read('still-mounted'), 'it was unmounted')
        check(self.status('unmounted') == '0', f'status with --unmount {self.status("unmounted")}')
        check(not self.guest.read('mounted-after'), 'still mounted')
        self.holds('used')

    def test_refused(self):
        check(self.status('locked') == '3', f'write-protected: status {self.status("locked")}')
        check('readonly' in self.guest.read('locked.err'), 'rule readonly is not named')
        check(self.status('big') == '4', f'4096-byte sectors: status {self.status("big")}')
        check('4096' in self.guest.read('big.err'), 'the sector size is not named')
        for name in 'locked', 'big':
            with open(self.path(name), 'rb') as f:
                check(not any(f.read()), f'{name} was written')

    def test_evil_name(self):
        serials = [d['serial'] for d in self.json('devices')['devices']]
        check(any('Evil' in (s or '') for s in serials), f'serial numbers {serials}')
        said = ''.join(self.guest.read(f'{n}.{e}') for n in ('listing', 'devices', 'good')
                       for e in ('out', 'err'))
        check('\x1b' not in said and '\r' not in said, 'a terminal escape gets through')

    def test_formatted(self):
        for name, checker in FORMATTED.items():
            check(self.status(name) == '0', f'{name}: status {self.status(name)}')
            volume = self.json(name)['plans'][0]['volume']
            seen = [512 * int(n) for n in self.guest.read(name + '.partition').split()]
            check(seen == [volume['start'], volume['size']], f'{name}: the kernel sees {seen}')
            check(self.guest.read(name + '.file') == 'same\n', f'{name}: no file comes back')
            with open(self.path(name), 'rb') as f, open(self.path('volume'), 'wb') as out:
                f.seek(volume['start'])
                out.write(f.read(volume['size']))
            run = subprocess.run([*checker, self.path('volume')], capture_output=True, text=True)
            check(run.returncode == 0, f'{name}: {run.stdout} {run.stderr}')

    def test_disc(self):
        for name in 'disc', 'used-disc':
            check(self.status(name) == '0', f'{name}: status {self.status(name)}')
            check(self.json(name)['device']['sector_size'] == 2048, f'{name}: no disc')
        with open(self.image, 'rb') as f:
            image = f.read()
        with open(os.path.join(self.guest.share, 'disc.iso'), 'rb') as f:
            check(f.read() == image, 'the disc was not read')

    def test_pulled(self):
        for name, phase in ('pulled', 'write'), ('late', 'verify'):
            unplugged = self.guest.times.get('unplug ' + name)
            check(unplugged, f'{name} was not pulled: no progress in phase {phase}')
            took = self.guest.times[name] - unplugged
            said = self.guest.read(name + '.err') + self.guest.read(name + '.out')
            check(self.status(name) == '6', f'{name}: status {self.status(name)}')
            check(took < 2, f'{name}: it took {took:.1f} s')
            check('removed' in said, f'{name}: "removed" is not said')
            check(not re.search('no space|"verified"|^Verified', said, re.I | re.M),
                  f'{name}: it says no space or verified')
            error = self.json(name)['targets'][0]['error']
            check(error['kind'] == 'io', f'{name}: kind {error["kind"]}')
            self.is_blank(name)

    def holds(self, name):
        with open(self.image, 'rb') as f:
            image = f.read()
        with open(self.path(name), 'rb') as f:
            stick = f.read()
        check(stick[:len(image)] == image, f'{name} does not hold the image')
        check(not any(stick[-MIB:]), f'{name}: the last MiB is not zero')

    def is_blank(self, name):
        with open(self.path(name), 'rb') as f:
            stick = f.read()
        check(not any(stick[:MIB]) and not any(stick[-MIB:]), f'{name}: its ends are not zero')


def main():
    try:
        sticks = Sticks(*map(os.path.abspath, sys.argv[1:]))
    except build.Missing as e:
        print(e)
        sys.exit(77)
    bad = 0
    for test in (sticks.run, sticks.test_listed, sticks.test_written, sticks.test_mounted,
                 sticks.test_refused, sticks.test_formatted, sticks.test_evil_name,
                 sticks.test_disc, sticks.test_pulled):
        try:
            test()
        except (Failed, LookupError, ValueError, TypeError) as e:
            print(f'{test.__name__}: {type(e).__name__}: {e}')
            bad += 1
            if test == sticks.run:
                break
    if bad:
        print(sticks.result.out if sticks.result else 'QEMU did not run')
        for name in sorted(os.listdir(sticks.guest.share)):
            if name.endswith(('.err', '.status')):
                print(f'--- {name}: {sticks.guest.read(name)}', end='')
    sys.exit(bad != 0)


if __name__ == '__main__':
    main()
