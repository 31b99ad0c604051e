# SPDX-License-Identifier: GPL-3.0-or-later
"""crash.py JOURNAL OLD IMAGE SCRATCH: judges what a crash could leave.

JOURNAL is badstick's, of one whole write over OLD. What was written before a
flush is safe; of the writes since, a crash leaves a prefix, or all but one, or
a prefix whose last write is torn in its middle. Each such state is judged. Only
the last write of all, which makes the stick complete, is taken to be atomic.
"""
import collections
import sys

from judge import Judge


def read_journal(path):
    """[(offset, data)] per epoch, the writes between two flushes."""
    epochs, at = [[]], 0
    with open(path + '.data', 'rb') as f:
        data = f.read()
    with open(path, encoding='ascii') as f:
        for line in f:
            words = line.split()
            if words[0] == 'W':
                length = int(words[2])
                epochs[-1].append((int(words[1]), data[at:at + length]))
                at += length
            elif words[0] == 'F':
                epochs.append([])
    assert at == len(data)
    return epochs


def apply(state, writes):
    for offset, data in writes:
        state[offset:offset + len(data)] = data


def crash_states(old, epochs):
    """(name, state) of each; ends with the state after the last epoch."""
    base = bytearray(old)
    last = max(n for n, writes in enumerate(epochs) if writes)
    for number, writes in enumerate(epochs):
        for end in range(len(writes) + 1):
            done = writes[:end]
            # Which one was lost; None: none, 'torn': half of the last one.
            is_last = number == last and end == len(writes)
            for lost in [None, *range(end - 1), *(['torn'] if end and not is_last else [])]:
                state = bytearray(base)
                if lost == 'torn':
                    offset, data = done[-1]
                    half = len(data) // 1024 * 512
                    apply(state, done[:-1] + [(offset, data[:half])])
                else:
                    apply(state, [w for i, w in enumerate(done) if i != lost])
                yield f'epoch {number}, {end} of {len(writes)} writes, lost {lost}', bytes(state)
        apply(base, writes)
    yield 'end', bytes(base)


def main():
    journal, old, image, scratch = sys.argv[1:]
    with open(old, 'rb') as f:
        old = f.read()
    with open(image, 'rb') as f:
        judge = Judge(old, f.read(), scratch)
    epochs = read_journal(journal)
    print('writes per epoch:', [len(e) for e in epochs])
    verdicts, bad = collections.Counter(), 0
    verdict = None
    for name, state in crash_states(old, epochs):
        try:
            verdict = judge.judge(state)
            verdicts[verdict] += 1
        except AssertionError as e:
            bad += 1
            verdict = None
            if bad <= 5:
                print(f'{name}: {e}')
    print(f'{sum(verdicts.values()) + bad} states: {dict(verdicts)}, {bad} bad')
    if verdict != 'complete':
        sys.exit('the write itself did not end complete')
    sys.exit(bad != 0)


if __name__ == '__main__':
    main()
