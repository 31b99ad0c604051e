#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Block maps for the tests, beside those that bmaptool makes.

bmap.py make IMAGE VERSION ALG BLOCK RANGE...   prints a map; RANGE is FIRST-LAST or FIRST
bmap.py seal MAP                                its own checksum put right again
bmap.py judge IMAGE STICK OLD MAP [zero]        is the stick what it has to be?

judge: what is mapped is the image's, also the first and the last MiB; of the rest every
block of 4096 bytes is as it was in OLD, or zero, or (at a range's edge) the image's.
"""

import hashlib
import os
import re
import sys

MIB = 1 << 20
SUM = re.compile(rb"(<BmapFile(?:Checksum|SHA1)>\s*)([0-9a-f]+)")


def seal(text):
    alg = re.search(rb"<ChecksumType>\s*(\w+)", text)
    zeroed = SUM.sub(lambda m: m[1] + b"0" * len(m[2]), text)
    digest = hashlib.new(alg[1].decode() if alg else "sha1", zeroed).hexdigest().encode()
    return SUM.sub(lambda m: m[1] + digest, zeroed)


def make(image, version, alg, block, *ranges):
    block = int(block)
    size = os.path.getsize(image)
    lines, mapped = [], 0
    with open(image, "rb") as f:
        for r in ranges:
            first, last = (int(x) for x in (r.split("-") * 2)[:2])
            f.seek(first * block)
            digest = hashlib.new(alg, f.read((last - first + 1) * block)).hexdigest()
            name = "sha1" if version == "1.3" else "chksum"
            lines.append(f'<Range {name}="{digest}"> {r} </Range>')
            mapped += last - first + 1
    zeros = "0" * len(hashlib.new(alg).hexdigest())
    own = (f"<BmapFileSHA1> {zeros} </BmapFileSHA1>" if version == "1.3" else
           f"<ChecksumType> {alg} </ChecksumType><BmapFileChecksum> {zeros} </BmapFileChecksum>")
    text = (f'<?xml version="1.0" ?>\n<bmap version="{version}">\n<ImageSize> {size} </ImageSize>\n'
            f"<BlockSize> {block} </BlockSize>\n<BlocksCount> {-(-size // block)} </BlocksCount>\n"
            f"<MappedBlocksCount> {mapped} </MappedBlocksCount>\n{own}\n<BlockMap>\n"
            + "\n".join(lines) + "\n</BlockMap>\n</bmap>\n")
    sys.stdout.buffer.write(seal(text.encode()))


def read(path, size):
    with open(path, "rb") as f:
        return f.read(size)


def judge(image, stick, old, path, zero=None):
    want = read(image, -1)
    size = len(want)
    got, was = read(stick, size), read(old, size)
    text = read(path, -1).decode()
    block = int(re.search(r"<BlockSize> *(\d+)", text)[1])
    mapped = bytearray(size)
    edges = [] if zero else [(0, MIB), (max(0, size - MIB), size)]
    for first, last in re.findall(r"<Range[^>]*> *(\d+)(?: *- *(\d+))? *<", text):
        edges.append((int(first) * block, min((int(last or first) + 1) * block, size)))
    for start, end in edges:
        if got[start:end] != want[start:end]:
            sys.exit(f"bytes {start} to {end} are not the image's")
        mapped[start:end] = b"\1" * (end - start)
    kept = 0
    for at in range(0, size, 4096):
        end = min(at + 4096, size)
        n_mapped = mapped.count(1, at, end)
        if n_mapped:
            expected = want[at:end]
            if zero and n_mapped < end - at:
                expected = bytes(w if m else 0 for w, m in zip(expected, mapped[at:end]))
            if got[at:end] != expected:
                sys.exit(f"block at {at}: it has a mapped byte, but is not as planned")
        elif got[at:end] == (bytes(end - at) if zero else was[at:end]):
            kept += end - at
        else:
            sys.exit(f"bytes {at} to {end} are not mapped, and not " + ("zero" if zero else "kept"))
    print(kept)


if __name__ == "__main__":
    if sys.argv[1] == "seal":
        with open(sys.argv[2], "rb+") as f:
            sealed = seal(f.read())
            f.seek(0)
            f.write(sealed)
    else:
        {"make": make, "judge": judge}[sys.argv[1]](*sys.argv[2:])
