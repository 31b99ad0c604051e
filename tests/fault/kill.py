# SPDX-License-Identifier: GPL-3.0-or-later
"""kill.py PROGRAM IMAGE OLD MEDIUM DEV CTL RUNS SEED: kill -9 at any moment.

Each run writes IMAGE to DEV, a loop device on badstick on MEDIUM, which holds
OLD, and is killed: half of the runs at a random moment of the run's measured
time, half while a given operation of the device is under way, each in turn.
What is then on the stick is judged.
"""
import collections
import errno
import os
import random
import signal
import subprocess
import sys
import time

from judge import COMPLETE, MIB, Judge


class Stick:
    """The device under test."""

    def __init__(self, program, image, old, medium, dev, ctl):
        self.command = [program, '--yes', '-q', image, dev]
        self.old, self.medium, self.dev, self.ctl = old, medium, dev, ctl
        self.hook = medium + '.hook'
        self.touched = 0

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
                                stderr=subprocess.STDOUT, start_new_session=True)

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

    def whole_run(self):
        """Seconds of a run that is left alone."""
        start = time.monotonic()
        process = self.start()
        out = process.communicate(timeout=60)[0]
        if process.returncode:
            sys.exit(f'an undisturbed write fails: {out.decode(errors="replace")}')
        return time.monotonic() - start

    def kill_after(self, seconds):
        process = self.start()
        time.sleep(seconds)
        return self.kill(process)

    def kill_in_operation(self, number):
        """Kills while the device holds its operation back."""
        if os.path.exists(self.hook):
            os.unlink(self.hook)
        self.rules(f'pause={number}:20:{self.hook}')
        process = self.start()
        while process.poll() is None and not os.path.exists(self.hook):
            time.sleep(0.001)
        return self.kill(process)

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
    rng = random.Random(int(seed))
    dirty = max(len(image_bytes), MIB) + 4096
    throttle = f'bps={6 * len(image_bytes)}'

    stick.rules(f'log={medium}.journal')
    stick.restore(len(old))
    stick.whole_run()
    if judge.judge(stick.state()) != COMPLETE:
        sys.exit('an undisturbed write is not complete')
    with open(medium + '.journal', encoding='ascii') as f:
        operations = len(f.readlines())
    stick.restore(dirty)
    stick.rules(throttle)
    seconds = stick.whole_run()
    print(f'seed {seed}; a run: {seconds:.2f} s throttled, {operations} operations')

    verdicts, bad, killed = collections.Counter(), 0, 0
    for i in range(int(runs)):
        stick.rules()
        stick.restore(dirty)
        if i % 2:
            number = 1 + (i * operations // int(runs) + rng.randrange(2)) % operations
            how = f'in operation {number}'
            alive = stick.kill_in_operation(number)
        else:
            moment = rng.random() * seconds
            how = f'after {moment:.4f} s'
            stick.rules(throttle)
            alive = stick.kill_after(moment)
        killed += alive
        try:
            verdicts[judge.judge(stick.state())] += 1
        except AssertionError as e:
            bad += 1
            if bad <= 5:
                print(f'run {i}, killed {how}: {e}')
    print(f'{runs} runs, {killed} killed before they ended: {dict(verdicts)}, {bad} bad')
    sys.exit(bad != 0)


if __name__ == '__main__':
    main()
