#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kernelview.py CACHE FOLDER STICK...: what Debian's kernel sees of USB sticks.

Boots a guest (tests/fault/guest) once, with the files STICK... as USB sticks. Prints,
for each disk and partition, in the order of the sticks:

    STICK DEVICE START SIZE TYPE CONTENTS

DEVICE is "disk" or the partition's number, START and SIZE count 512 bytes; TYPE is
iso9660, vfat or "-" if neither can be mounted; CONTENTS the first line of .disk/info, or
the names in EFI/BOOT. Status 77: something to build the guest from is missing.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../fault/guest'))
import build  # noqa: E402 pylint: disable=wrong-import-position
from guest import Guest, Stick  # noqa: E402 pylint: disable=wrong-import-position

SCRIPT = r'''
need isofs vfat nls_cp437 nls_ascii
mkdir -p /tmp/m
look() {
    for type in iso9660 vfat; do
        mount -r -t $type /dev/$4 /tmp/m 2>/dev/null || continue
        echo "$1 $2 $3 $type $(cat /tmp/m/.disk/info 2>/dev/null || echo $(ls /tmp/m/EFI/BOOT))"
        umount /tmp/m
        return
    done
    echo "$1 $2 $3 -"
}
for name in NAMES; do
    d=$(disk $name) || exit
    look $name disk "0 $(cat /sys/block/$d/size)" $d
    for p in $(ls -d /sys/block/$d/$d[0-9]* 2>/dev/null); do
        look $name $(cat $p/partition) "$(cat $p/start) $(cat $p/size)" ${p##*/}
    done
done
'''


def main():
    cache, folder, *files = sys.argv[1:]
    names = [f'S{i}' for i in range(len(files))]
    try:
        kernel, initrd = build.prepare(cache)
    except build.Missing as e:
        print(e)
        sys.exit(77)
    sticks = [Stick(name, os.path.abspath(file), port, readonly=True)
              for port, (name, file) in enumerate(zip(names, files), 1)]
    guest = Guest(folder, kernel, initrd, SCRIPT.replace('NAMES', ' '.join(names)), sticks,
                  timeout=120)
    result = guest.run()
    for line in result.out.splitlines():
        name, _, rest = line.partition(' ')
        print(os.path.basename(files[int(name[1:])]) if name in names else name, rest)
    sys.exit(result.status != '0')


if __name__ == '__main__':
    main()
