#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""payload.py CACHE FOLDER: what the bootable test images boot.

Makes FOLDER/vmlinuz, Debian's kernel out of its package (kept in CACHE), and
FOLDER/initrd.gz, whose init looks for the medium that it came from: a file system
with the line "isowrite test image NAME" in .disk/info, where NAME is what
the kernel's command line says in isowrite=NAME. It prints

    ISOWRITE-INIT NAME on DEVICE...      all that the medium was mounted from
    ISOWRITE-PARTITIONS DEVICE...        the partitions that the kernel sees

and ends the machine; "on nothing" means that it was not found.
"""
import gzip
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../fault/guest'))
import build  # noqa: E402 pylint: disable=wrong-import-position

# In this order, with what they need.
MODULES = ['xhci_pci', 'ehci_pci', 'uhci_hcd', 'usb_storage', 'ata_piix', 'ahci', 'sd_mod',
           'sr_mod', 'isofs', 'vfat', 'nls_cp437', 'nls_ascii']
OPTIONS = {'usb_storage': 'delay_use=0'}
FILE_SYSTEMS = 'iso9660 vfat'
APPLETS = ['sh', 'mount', 'umount', 'insmod', 'sleep', 'grep', 'cat', 'poweroff', 'sed']

INIT = r'''#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module options; do insmod "$module" $options; done </etc/modules
name=$(sed -n 's/.*isowrite=\([^ ]*\).*/\1/p' /proc/cmdline)
i=0
found=''
until [ "$found" ] || [ $i = 100 ]; do
    parts=''
    for path in /sys/class/block/s[dr]*; do
        device=${path##*/}
        [ ! -e "$path/partition" ] || parts="$parts $device"
        for type in FILE_SYSTEMS; do
            mount -r -t $type /dev/$device /mnt 2>/dev/null || continue
            ! grep -qsxF "isowrite test image $name" /mnt/.disk/info || found="$found $device"
            umount /mnt
            break
        done
    done
    i=$((i + 1))
    [ "$found" ] || sleep 0.1
done
echo "ISOWRITE-PARTITIONS${parts:- none}"
echo "ISOWRITE-INIT $name on${found:- nothing}"
poweroff -f
'''.replace('FILE_SYSTEMS', FILE_SYSTEMS)


def initramfs(modules):
    cpio = build.Cpio()
    for name in ['bin', 'proc', 'sys', 'dev', 'mnt', 'etc', 'lib']:
        cpio.folder(name)
    data, _ = build.busybox()
    cpio.file('bin/busybox', data)
    for name in APPLETS:
        cpio.link('bin/' + name, 'busybox')
    order = build.in_order(modules, MODULES)
    for path in order:
        cpio.file('lib/' + os.path.basename(path), modules[path])
    cpio.file('etc/modules', ''.join(
        f'/lib/{os.path.basename(p)} {OPTIONS.get(build.module_name(p), "")}\n'
        for p in order).encode())
    cpio.file('init', INIT.encode())
    return gzip.compress(cpio.bytes(), 9, mtime=0)


def main():
    cache, folder = sys.argv[1:]
    try:
        os.makedirs(cache, exist_ok=True)
        kernel, modules = build.unpack(build.fetch(cache))
        build.write_atomically(os.path.join(folder, 'initrd.gz'), initramfs(modules))
        build.write_atomically(os.path.join(folder, 'vmlinuz'), kernel)
    except build.Missing as e:
        sys.exit(f'payload.py: {e}')


if __name__ == '__main__':
    main()
