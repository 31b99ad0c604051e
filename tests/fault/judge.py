# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be found on a stick after a write that did not end.

A raw write of an image leaves: the image, zeros up to the next sector (and up
to 1 MiB), and zeros in the last MiB. Before that is complete, the stick has to
look like nothing at all: neither like the image nor like what it held before.
"""
import hashlib
import subprocess

MIB = 1 << 20
SECTOR = 512

COMPLETE = 'complete'  # every planned byte is there
BLANK = 'blank'  # no tool finds anything
UNTOUCHED = 'untouched'  # every byte is the old one
# The window is partly zero and everything else is old: still the old stick.
BEGINNING = 'beginning'


class Judge:
    """Judges states of one stick: bytes of its old content, and of the image."""

    def __init__(self, old, image, scratch):
        """scratch: a file name on which the tools are asked."""
        self.old, self.scratch, self.known = old, scratch, {}
        size = len(old)
        content = image + b'\0' * (-len(image) % SECTOR)
        content += b'\0' * (MIB - len(content))
        tail = max(size - MIB, len(content))
        self.new = content + old[len(content):tail] + b'\0' * (size - tail)
        self.window = [slice(0, MIB), slice(size - MIB, size)]

    def judge(self, state):
        """One of the four words, or raises AssertionError with what is wrong."""
        if state == self.new:
            return COMPLETE
        if state == self.old:
            return UNTOUCHED
        found = self.found(state)
        if not found:
            return BLANK
        body = slice(MIB, len(state) - MIB)
        if state[body] == self.old[body] and all(self.is_zeroing(state, w) for w in self.window):
            return BEGINNING
        raise AssertionError(f'neither complete nor blank: {found}; {self.describe(state)}')

    def is_zeroing(self, state, window):
        """Each sector is the old one or zero."""
        return all(state[s:s + SECTOR] in (self.old[s:s + SECTOR], bytes(SECTOR))
                   for s in range(window.start, window.stop, SECTOR))

    def found(self, state):
        """What blkid, sfdisk and wipefs find. They look at both ends, so that is the key."""
        key = hashlib.sha256(state[:2 * MIB] + state[-2 * MIB:]).digest()
        if key not in self.known:
            with open(self.scratch, 'wb') as f:
                f.write(state)
            self.known[key] = self.ask()
        return self.known[key]

    def ask(self):
        found = []
        for command in (['blkid', '-p', self.scratch], ['sfdisk', '-d', self.scratch],
                        ['wipefs', '-n', self.scratch]):
            run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                 text=True)
            if run.stdout.strip():
                found.append(f'{command[0]}: {" ".join(run.stdout.split())[:160]}')
        return '; '.join(found)

    def describe(self, state):
        """Runs of sectors by where their bytes come from."""
        names = {(True, True): 'same', (True, False): 'new', (False, True): 'old'}
        runs = []
        for s in range(0, len(state), 4096):
            piece = slice(s, s + 4096)
            kind = names.get((state[piece] == self.new[piece], state[piece] == self.old[piece]))
            kind = kind or ('zero' if not any(state[piece]) else 'mixed')
            if kind != 'same' and (not runs or runs[-1][1] != kind):
                runs.append((s, kind))
        return ', '.join(f'{kind} from {start:#x}' for start, kind in runs[:40])
