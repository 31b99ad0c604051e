# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest boots: Debian's kernel and an initramfs of busybox and a few modules.

Nothing is installed: the kernel's package is downloaded into the cache folder,
once, and unpacked in memory. With the cache filled no network is needed.

    prepare(cache) -> (vmlinux, initrd)
"""
import gzip
import io
import lzma
import os
import re
import struct
import subprocess
import tarfile

# The meta package that depends on the newest kernel of this release.
META_PACKAGE = 'linux-image-amd64'

# Loaded by /init, with what they need, in this order.
EARLY = ['virtio_pci', '9pnet_virtio', '9p', 'xhci_pci', 'sd_mod', 'usb_storage', 'uas']
OPTIONS = {'usb_storage': 'delay_use=0'}
# There for scripts to load by `need NAME`.
ON_DEMAND = ['vfat', 'nls_cp437', 'nls_ascii', 'exfat', 'ext4', 'crc32c_generic', 'isofs', 'loop',
             'dm_mod', 'sr_mod']
# Where those and their dependencies are found in the package.
FOLDERS = re.compile(r'/kernel/(drivers/(usb|ata|scsi|virtio|block|cdrom|md|dax)|block|fs|net/9p|lib|'
                     r'crypto|arch/x86/crypto)/.*\.ko$|/modules\.builtin$')

INIT = r'''#!/bin/sh
export PATH=/bin LD_LIBRARY_PATH=/mnt/lib
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /tmp
while read -r module options; do insmod "$module" $options; done </etc/early
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=none host /mnt
cd /mnt
sh /mnt/run.sh >/mnt/out 2>&1 </dev/null
echo $? >/mnt/status
dmesg >/mnt/dmesg
sync
poweroff -f
'''

# need MODULE...: inserts modules in the order in which the package needs them.
NEED = r'''#!/bin/sh
for name; do
    for path in $(sed -n "s/^$name //p" /etc/on-demand); do
        base=$(basename "$path" .ko | tr - _)
        [ -d "/sys/module/$base" ] || insmod "$path" || exit 1
    done
done
'''


class Missing(Exception):
    """Something that a package or the network would provide is not there."""


def kernel_package():
    """The name of the kernel package that this release's meta package depends on."""
    out = subprocess.run(['apt-cache', 'depends', META_PACKAGE], capture_output=True, text=True)
    match = re.search(r'Depends: (linux-image-[0-9]\S*-amd64)', out.stdout)
    if not match:
        raise Missing(f'apt-cache knows no {META_PACKAGE} (run apt-get update)')
    return match.group(1)


def fetch(cache):
    """The kernel's .deb: the newest in the cache, else downloaded."""
    def cached():
        debs = [f for f in os.listdir(cache) if re.match(r'linux-image-.*\.deb$', f)]
        return max((os.path.join(cache, f) for f in debs), key=os.path.getmtime, default=None)

    if not cached():
        name = kernel_package()
        run = subprocess.run(['apt-get', 'download', name], cwd=cache, capture_output=True,
                             text=True)
        if run.returncode or not cached():
            raise Missing(f'apt-get download {name}: {run.stderr.strip() or "no file"}')
    return cached()


def unpack(deb):
    """(vmlinuz, {path: module, or modules.builtin}) of a kernel package."""
    kernel, modules = None, {}
    with subprocess.Popen(['dpkg-deb', '--fsys-tarfile', deb], stdout=subprocess.PIPE) as pipe:
        with tarfile.open(fileobj=pipe.stdout, mode='r|') as tar:
            for member in tar:
                if member.name.startswith('./boot/vmlinuz-'):
                    kernel = tar.extractfile(member).read()
                elif member.isfile() and FOLDERS.search(member.name):
                    modules[member.name[1:]] = tar.extractfile(member).read()
    if pipe.returncode or not kernel:
        raise Missing(f'{deb} holds no kernel')
    return kernel, modules


def vmlinux(bzimage):
    """The ELF kernel inside a bzImage (x86 boot protocol 2.08: payload_offset, payload_length).

    QEMU starts it by PVH, which saves the guest the decompression.
    """
    setup_sectors = bzimage[0x1f1] or 4
    offset, length = struct.unpack_from('<II', bzimage, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(bzimage[start:start + length])


def module_name(path):
    return os.path.basename(path)[:-3].replace('-', '_')


def in_order(modules, names):
    """Paths of the named modules, each after what it needs. Names built into the kernel drop out."""
    builtin = next(data for path, data in modules.items() if path.endswith('/modules.builtin'))
    by_name = {module_name(p): None for p in builtin.decode().split()}
    by_name.update({module_name(p): p for p in modules if p.endswith('.ko')})
    order = []

    def add(name):
        if name not in by_name:
            raise Missing(f'no module {name} where FOLDERS looks')
        path = by_name[name]
        if not path or path in order:
            return
        depends = re.search(rb'\0depends=([^\0]+)\0', modules[path])
        for other in depends.group(1).decode().split(',') if depends else []:
            add(other.replace('-', '_'))
        order.append(path)

    for name in names:
        add(name)
    return order


class Cpio:
    """An archive in the format that the kernel unpacks (newc)."""

    def __init__(self):
        self.out = io.BytesIO()
        self.inode = 0

    def add(self, name, mode, data=b''):
        self.inode += 1
        fields = [self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        self.out.write(b'070701' + b''.join(b'%08X' % f for f in fields))
        self.out.write(name.encode() + b'\0')
        self.pad()
        self.out.write(data)
        self.pad()

    def pad(self):
        self.out.write(b'\0' * (-self.out.tell() % 4))

    def folder(self, name):
        self.add(name, 0o040755)

    def file(self, name, data, mode=0o100755):
        self.add(name, mode, data)

    def link(self, name, to):
        self.add(name, 0o120777, to.encode())

    def bytes(self):
        self.add('TRAILER!!!', 0)
        return self.out.getvalue()


def is_static(elf):
    """No program header of this ELF64 file asks for an interpreter."""
    offset, = struct.unpack_from('<Q', elf, 0x20)
    size, count = struct.unpack_from('<HH', elf, 0x36)
    return all(struct.unpack_from('<I', elf, offset + i * size)[0] != 3 for i in range(count))


def busybox():
    """A static busybox and the names it answers to."""
    path = '/usr/bin/busybox' if os.path.exists('/usr/bin/busybox') else '/bin/busybox'
    try:
        names = subprocess.run([path, '--list'], capture_output=True, text=True, check=True).stdout
        with open(path, 'rb') as f:
            data = f.read()
    except (OSError, subprocess.CalledProcessError) as e:
        raise Missing('busybox-static is not installed') from e
    if not is_static(data):
        raise Missing('busybox is not static: install busybox-static')
    return data, names.split()


def initramfs(modules):
    cpio = Cpio()
    for name in ['bin', 'proc', 'sys', 'dev', 'tmp', 'mnt', 'etc', 'run', 'lib', 'lib/modules',
                 'usr']:
        cpio.folder(name)
    data, names = busybox()
    cpio.file('bin/busybox', data)
    for name in names:
        if name != 'busybox':
            cpio.link('bin/' + name, 'busybox')
    cpio.link('sbin', 'bin')
    cpio.link('usr/bin', '../bin')
    cpio.link('usr/sbin', '../bin')
    # Programs of the host run with their own libraries, from the share.
    cpio.link('lib64', '/mnt/lib')

    def place(path):
        return 'lib/modules/' + os.path.basename(path)

    early = in_order(modules, EARLY)
    on_demand = {n: in_order(modules, [n]) for n in ON_DEMAND}
    for path in sorted(set(early).union(*on_demand.values())):
        cpio.file(place(path), modules[path])
    cpio.file('etc/early', ''.join(
        f'/{place(p)} {OPTIONS.get(module_name(p), "")}\n' for p in early).encode())
    cpio.file('etc/on-demand', ''.join(
        f'{n} ' + ' '.join('/' + place(p) for p in paths) + '\n'
        for n, paths in on_demand.items()).encode())
    cpio.file('bin/need', NEED.encode())
    cpio.file('init', INIT.encode())
    return gzip.compress(cpio.bytes(), 1)


def write_atomically(path, data):
    with open(path + '.new', 'wb') as f:
        f.write(data)
    os.rename(path + '.new', path)


def prepare(cache):
    """Paths of the kernel and the initramfs, made if they are absent or older than this file."""
    os.makedirs(cache, exist_ok=True)
    kernel, initrd = os.path.join(cache, 'vmlinux'), os.path.join(cache, 'initrd.gz')
    if os.path.exists(initrd) and os.path.getmtime(initrd) > os.path.getmtime(__file__):
        return kernel, initrd
    bzimage, modules = unpack(fetch(cache))
    write_atomically(kernel, vmlinux(bzimage))
    write_atomically(initrd, initramfs(modules))
    return kernel, initrd
