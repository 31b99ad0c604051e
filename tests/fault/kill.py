# SPDX-License-Identifier: GPL-3.0-or-later
"""kill.py PROGRAM IMAGE OLD MEDIUM DEV CTL RUNS SEED: kill -9 at any moment.

Each run writes IMAGE to DEV, a loop device on badstick on MEDIUM, which holds
OLD, and is killed: half of the runs at a random moment after the first write,
half while one operation of the device is held back, each in turn from the first
write on; half of either without io_uring. What is then on the stick is judged.
"""
import collections
import errno
import os
import random
import signal
import subprocess
import sys
import time

from judge import BEGINNING, COMPLETE, MIB, Judge


class Stick:
    """The device under test."""

    def __init__(self, program, image, old, medium, dev, ctl):
        self.command = [program, '--yes', '-q', image, dev]
        self.old, self.medium, self.dev, self.ctl = old, medium, dev, ctl
        self.hook = medium + '.hook'
        self.environment = dict(os.environ)

    def rules(self, *rules):
        with open(self.ctl, 'w', encoding='ascii') as f:
            f.write(' '.join(('clear',) + rules))

    def restore(self, dirty):
        """The old content again, in [0, dirty) and the last MiB: nothing else is written."""
        with open(self.medium, 'r+b', buffering=0) as f:
            f.write(self.old[:dirty])
            f.seek(len(self.old) - MIB)
            f.write(self.old[-MIB:])

    def state(self):
        with open(self.medium, 'rb') as f:
            return f.read()

    def start(self):
        return subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, env=self.environment)

    def wait_until_idle(self):
        """What was in flight has landed when the device can be opened exclusively."""
        end = time.monotonic() + 10
        while True:
            try:
                os.close(os.open(self.dev, os.O_RDONLY | os.O_EXCL))
                return
            except OSError as e:
                if e.errno != errno.EBUSY or time.monotonic() > end:
                    raise
                time.sleep(0.002)

    def start_until(self, number, milliseconds, *rules):
        """Starts a run; returns at its operation NUMBER from the first write on, held back."""
        if os.path.exists(self.hook):
            os.unlink(self.hook)
        self.rules(f'pause={number}:{milliseconds}:{self.hook}', *rules)
        process = self.start()
        while process.poll() is None and not os.path.exists(self.hook):
            time.sleep(0.001)
        return process

    def whole_run(self, *rules):
        """Seconds from the first write to the end of a run that is left alone."""
        process = self.start_until(1, 0, *rules)
        start = time.monotonic()
        out = process.communicate(timeout=60)[0]
        if process.returncode:
            sys.exit(f'an undisturbed write fails: {out.decode(errors="replace")}')
        return time.monotonic() - start

    def kill(self, process):
        """Was it still alive?"""
        alive = process.poll() is None
        if alive:
            process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        self.wait_until_idle()
        return alive


def main():
    program, image, old, medium, dev, ctl, runs, seed = sys.argv[1:]
    with open(old, 'rb') as f:
        old = f.read()
    with open(image, 'rb') as f:
        image_bytes = f.read()
    judge = Judge(old, image_bytes, medium + '.scratch')
    stick = Stick(program, image, old, medium, dev, ctl)
    runs, rng = int(runs), random.Random(int(seed))
    dirty = max(len(image_bytes), MIB) + 4096
    throttle = f'bps={10 * len(image_bytes)}'

    stick.restore(len(old))
    stick.whole_run(f'log={medium}.journal')
    if judge.judge(stick.state()) != COMPLETE:
        sys.exit('an undisturbed write is not complete')
    with open(medium + '.journal', encoding='ascii') as f:
        operations = [line[0] for line in f]
    operations = len(operations) - operations.index('W')
    stick.restore(dirty)
    seconds = stick.whole_run(throttle)
    print(f'seed {seed}; from the first write on a run takes {seconds:.2f} s (throttled) '
          f'and {operations} operations')

    verdicts, bad, killed = collections.Counter(), 0, 0
    for i in range(runs):
        stick.rules()
        stick.restore(dirty)
        if i % 4 < 2:
            stick.environment.pop('ISOWRITE_ENGINE', None)
        else:
            stick.environment['ISOWRITE_ENGINE'] = 'plain'
        if i % 2:
            number = 1 + i * operations // runs
            how = f'in operation {number}'
            process = stick.start_until(number, 20)
        else:
            moment = rng.uniform(0, seconds)
            how = f'{moment:.4f} s after the first write'
            process = stick.start_until(1, 0, throttle)
            time.sleep(moment)
        alive = stick.kill(process)
        killed += alive
        engine = stick.environment.get('ISOWRITE_ENGINE', 'io_uring')
        try:
            verdict = judge.judge(stick.state())
            # The window's ends are zeroed by one call: a kill finds none or both done.
            assert verdict != BEGINNING, 'only a part of the window is zero'
            verdicts[f'{verdict} ({engine})'] += 1
        except AssertionError as e:
            bad += 1
            if bad <= 5:
                print(f'run {i}, {engine}, killed {how}: {e}')
    print(f'{runs} runs, {killed} killed before they ended: {dict(verdicts)}, {bad} bad')
    sys.exit(bad != 0)


if __name__ == '__main__':
    main()
