# SPDX-License-Identifier: GPL-3.0-or-later
"""isowrite beside its peers. See scripts/bench and tests/bench/README.md.

Every comparison is made of rounds: in each, every contender runs once, in an
order that rotates; the first round only warms up. A ratio is isowrite's time
over the peer's of the same round; its median and quartiles are reported.
"""
import argparse
import concurrent.futures
import json
import os
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import threading

from machine import Machine
from measure import Failed, run

MIB = 1 << 20
ISOWRITE = os.path.abspath(os.environ.get("ISOWRITE", "build/isowrite"))


def parse_size(s):
    for suffix, unit in (("GiB", 1 << 30), ("MiB", MIB), ("G", 1 << 30), ("M", MIB)):
        if s.endswith(suffix):
            return int(s[:-len(suffix)]) * unit
    return int(s)


def quartiles(values):
    """(lower, median, upper), inclusive: right for as few values as two."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


class Bench:
    def __init__(self, args):
        self.args = args
        self.m = None
        self.results = []

    def scenario(self, letter):
        self.m = Machine(self.args.dir)
        try:
            getattr(self, f"scenario_{letter}")()
        finally:
            self.m.close()

    # -- contenders ---------------------------------------------------------

    def isowrite(self, image, targets, *options, cgroup=None):
        argv = [ISOWRITE, "--yes", "--json", "--progress=none", *options, image, *targets]
        r = run(argv, cgroup=cgroup, stdout=subprocess.PIPE, peak=self.m.path(f"peak.{threading.get_ident()}"))
        r["json"] = json.loads(r.pop("stdout"))
        want = "written" if "--no-verify" in options else "verified"
        for t in r["json"]["targets"]:
            if t["status"] != want:
                raise Failed(f"isowrite: {t['path']} is {t['status']}")
        return r

    def writers(self, image, target):
        i, t = shlex.quote(image), shlex.quote(target)
        all_of_them = {
            "dd": f"dd if={i} of={t} bs=4M oflag=direct conv=fsync status=none",
            "bmaptool": f"bmaptool -q copy --nobmap {i} {t}",
            "nbdcopy": f"nbdcopy --flush {i} {t}",
            "ddrescue": f"ddrescue -q -f -D {i} {t}",
        }
        return {n: c for n, c in all_of_them.items() if shutil.which(n)}

    @staticmethod
    def digest(image):
        return f"openssl dgst -sha256 {shlex.quote(image)}"

    @staticmethod
    def readback(target, size):
        return (f"dd if={shlex.quote(target)} bs=1M iflag=direct,count_bytes count={size} "
                "status=none | openssl dgst -sha256")

    def pipeline(self, writer, image, target, size):
        """What a user can type to write, and to know that it was written."""
        return f"{self.digest(image)} & {writer} && wait $! && {self.readback(target, size)}"

    # -- rounds -------------------------------------------------------------

    def rounds(self, contenders, pairs=None):
        """contenders: name -> function. Returns name -> list of measurements."""
        names = list(contenders)
        out = {n: [] for n in names}
        for i in range((pairs or self.args.pairs) + 1):
            order = names[i % len(names):] + names[:i % len(names)]
            for n in order:
                r = contenders[n]()
                if i > 0:
                    out[n].append(r)
        return out

    @staticmethod
    def ratios(out, name, peer, key="wall"):
        return quartiles([a[key] / b[key] for a, b in zip(out[name], out[peer])])

    @staticmethod
    def median(out, name, key="wall"):
        return statistics.median(r[key] for r in out[name])

    def report(self, scenario, what, value, unit, limit=None, low=None, high=None):
        ok = None if limit is None else value <= limit
        self.results.append({"scenario": scenario, "what": what, "value": value, "unit": unit,
                             "limit": limit, "ok": ok, "q1": low, "q3": high})
        spread = f"[{low:.3f}, {high:.3f}]" if low is not None else ""
        verdict = "" if ok is None else "ok" if ok else "OVER"
        limit_text = f"<= {limit:.4g}" if limit is not None else ""
        print(f"  {what:<58} {value:>9.3f} {unit:<5} {spread:<16} {limit_text:<10} {verdict}",
              flush=True)

    def head(self, scenario, text):
        print(f"\n({scenario}) {text}", flush=True)

    # -- scenarios ----------------------------------------------------------

    def scenario_a(self):
        size = self.args.size
        self.head("a", f"loop device with direct I/O, {size // MIB} MiB, cached image")
        image = self.m.image("a.img", size)
        target = self.m.stick(size + 8 * MIB)
        writers = self.writers(image, target)
        runs = {"isowrite": lambda: self.isowrite(image, [target])}
        for n, w in writers.items():
            runs[n] = lambda w=w: run(self.pipeline(w, image, target, size))
        out = self.rounds(runs)
        fastest = min(writers, key=lambda n: self.median(out, n))
        self.report("a", "isowrite, write and verify", self.median(out, "isowrite"), "s")
        for n in writers:
            self.report("a", f"{n} pipeline", self.median(out, n), "s")
        for n in writers:
            low, mid, high = self.ratios(out, "isowrite", n)
            self.report("a", f"isowrite / {n} pipeline", mid, "",
                        0.75 if n == fastest else None, low, high)
        self.cpu_and_memory(out["isowrite"], image, target, size, writers[fastest])
        self.write_only(image, target, writers)

    def cpu_and_memory(self, ours, image, target, size, fastest):
        both = self.rounds({
            "digest": lambda: run(self.digest(image)),
            "writer": lambda: run(fastest),
            "reader": lambda: run(f"dd if={target} of=/dev/null bs=1M iflag=direct,count_bytes "
                                  f"count={size} status=none"),
        }, pairs=3)
        cpu = statistics.median(r["cpu"] for r in ours)
        limit = (1.3 * 2 * self.median(both, "digest", "cpu")
                 + self.median(both, "writer", "sys") + self.median(both, "reader", "sys"))
        self.report("a", "isowrite, CPU user+sys", cpu, "s", limit)
        self.report("a", "isowrite, peak memory", max(r["rss"] for r in ours) / MIB, "MiB", 48)

    def write_only(self, image, target, writers):
        runs = {"isowrite": lambda: self.isowrite(image, [target], "--no-verify"),
                "digest": lambda: run(self.digest(image))}
        for n, w in writers.items():
            runs[n] = lambda w=w: run(w)
        out = self.rounds(runs)
        self.report("a", "isowrite --no-verify", self.median(out, "isowrite"), "s")
        self.report("a", "openssl dgst -sha256 of the image", self.median(out, "digest"), "s")
        for n in writers:
            self.report("a", f"{n} alone", self.median(out, n), "s")
        if "nbdcopy" not in writers:
            return
        low, mid, high = quartiles([a["wall"] / max(b["wall"], c["wall"]) for a, b, c in
                                    zip(out["isowrite"], out["nbdcopy"], out["digest"])])
        self.report("a", "isowrite --no-verify / max(nbdcopy, digest)", mid, "", 1.20, low, high)

    def fio(self, target, size, rw, cgroup):
        r = run(["fio", "--name=ideal", f"--filename={target}", f"--rw={rw}", "--bs=256k",
                 "--ioengine=psync", "--direct=1", f"--size={size}", "--end_fsync=1",
                 "--output-format=json"], cgroup=cgroup, stdout=subprocess.PIPE)
        job = json.loads(r["stdout"])["jobs"][0]
        return job[rw]["runtime"] / 1000

    def scenario_b(self):
        size = self.args.throttled_size
        write, read = self.args.throttle_write, self.args.throttle_read
        self.head("b", f"throttled to {write // 10**6} MB/s write, {read // 10**6} MB/s read, "
                       f"{size // MIB} MiB")
        if not shutil.which("fio"):
            raise Failed("scenario b needs fio")
        image = self.m.image("b.img", size)
        slow = [self.m.stick(size + 8 * MIB) for _ in range(4)]
        fast = self.m.stick(size + 8 * MIB)
        cgroup = self.m.throttle({t: (write, read) for t in slow})

        def ideal():
            w = self.fio(slow[0], size, "write", cgroup)
            return {"wall": w + self.fio(slow[0], size, "read", cgroup)}

        pairs = min(self.args.pairs, self.args.throttled_pairs)
        out = self.rounds({
            "isowrite": lambda: self.isowrite(image, slow[:1], cgroup=cgroup),
            "ideal": ideal,
            "four": lambda: self.isowrite(image, slow, cgroup=cgroup),
            "mixed": lambda: self.isowrite(image, [*slow, fast], cgroup=cgroup),
            "fast": lambda: self.isowrite(image, [fast], cgroup=cgroup),
            "beside": lambda: self.beside(image, slow, fast, cgroup),
        }, pairs=pairs)
        self.report("b", "ideal (fio psync 256 KiB), write and read", self.median(out, "ideal"), "s")
        self.report("b", "isowrite, write and verify", self.median(out, "isowrite"), "s")
        low, mid, high = self.ratios(out, "isowrite", "ideal")
        self.report("b", "isowrite / ideal", mid, "", 1.02, low, high)
        low, mid, high = self.ratios(out, "four", "isowrite")
        self.report("b", "four throttled targets / one", mid, "", 1.03, low, high)
        low, mid, high = self.ratios(out, "mixed", "isowrite")
        self.report("b", "four throttled and a fast one / one throttled", mid, "", None,
                    low, high)

        def seconds(r, path):
            t = next(t for t in r["json"]["targets"] if t["path"] == path)
            return sum(t["seconds"].values())

        for name, what in (("fast", "the fast one, nothing else runs"),
                           ("beside", "the fast one, a process of its own beside the four"),
                           ("mixed", "the fast one among the four")):
            self.report("b", what, statistics.median(seconds(r, fast) for r in out[name]), "s")
        low, mid, high = quartiles([seconds(a, fast) / seconds(b, fast) for a, b in
                                    zip(out["mixed"], out["beside"])])
        self.report("b", "the fast one among the four / beside the four", mid, "", 1.25, low, high)

    def beside(self, image, slow, fast, cgroup):
        """Its own pace on this machine: the same work, but nothing shared with the others."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            others = pool.submit(self.isowrite, image, slow, cgroup=cgroup)
            r = self.isowrite(image, [fast], cgroup=cgroup)
            others.result()
        return r

    def scenario_c(self):
        size = self.args.compressed_size
        self.head("c", f"compressed sources, {size // MIB} MiB of content, write phase")
        image = self.m.image("c.img", size)
        target = self.m.stick(size + 8 * MIB)
        # With isa-l, gzip has a limit of its own.
        isal = b"isal" in run([ISOWRITE, "--version"], stdout=subprocess.PIPE)["stdout"]
        tools = [("gz", "gzip -1 -k {i}", "zcat", 0.5 if isal else 1.0),
                 ("xz", "xz -1 -T2 -k {i}", "xzcat -T2", 1.0),
                 ("zst", "zstd -q -k {i}", "zstdcat", 1.0),
                 ("lz4", "lz4 -q {i} {i}.lz4", "lz4 -dc", 1.0),
                 ("zip", "zip -q -1 -j {i}.zip {i}", "unzip -p", 1.0)]
        for suffix, pack, unpack, limit in tools:
            if not shutil.which(unpack.split()[0]) or not shutil.which(pack.split()[0]):
                continue
            subprocess.run(pack.format(i=image).split(), check=True)
            packed = f"{image}.{suffix}"

            def ours(packed=packed):
                r = self.isowrite(packed, [target], "--no-verify")
                s = r["json"]["targets"][0]["seconds"]
                r["phase"] = s["write"] + s["flush"]
                return r

            def theirs(packed=packed, unpack=unpack):
                r = run(f"{unpack} {packed} | dd of={target} bs=4M iflag=fullblock "
                        "oflag=direct conv=fsync status=none")
                r["phase"] = r["wall"]
                return r

            out = self.rounds({"isowrite": ours, "peer": theirs})
            low, mid, high = self.ratios(out, "isowrite", "peer", "phase")
            self.report("c", f".{suffix}: isowrite, write and flush",
                        self.median(out, "isowrite", "phase"), "s")
            self.report("c", f".{suffix}: {unpack} | dd", self.median(out, "peer"), "s")
            self.report("c", f".{suffix}: isowrite / {unpack} | dd", mid, "", limit, low, high)
            self.report("c", f".{suffix}: isowrite, peak memory",
                        max(r["rss"] for r in out["isowrite"]) / MIB, "MiB")

    def scenario_d(self):
        size = self.args.size // 2
        self.head("d", f"1, 2, 4 and 8 targets, {size // MIB} MiB")
        image = self.m.image("d.img", size)
        sticks = [self.m.stick(size + 8 * MIB) for _ in range(8)]
        for n in (1, 2, 4, 8):
            targets = sticks[:n]
            peers = " & ".join(f"{{ dd if={image} of={t} bs=4M oflag=direct conv=fsync status=none "
                               f"&& {self.readback(t, size)}; }}" for t in targets)
            out = self.rounds({
                "isowrite": lambda targets=targets: self.isowrite(image, targets),
                "dd": lambda peers=peers: run(f"{self.digest(image)} & {peers} & wait"),
            }, pairs=min(self.args.pairs, 5))
            low, mid, high = self.ratios(out, "isowrite", "dd")
            self.report("d", f"{n}: isowrite, write and verify", self.median(out, "isowrite"), "s")
            self.report("d", f"{n}: {n} dd pipelines at once", self.median(out, "dd"), "s")
            self.report("d", f"{n}: isowrite / dd pipelines", mid, "", None, low, high)
            self.report("d", f"{n}: isowrite, peak memory",
                        max(r["rss"] for r in out["isowrite"]) / MIB, "MiB",
                        48 if n == 1 else 96)

    def scenario_e(self):
        self.head("e", "start-up, and inspect of a 4 GiB ISO")
        out = [run([ISOWRITE, "--version"]) for _ in range(21)][1:]
        self.report("e", "isowrite --version", 1000 * statistics.median(r["wall"] for r in out),
                    "ms", 5)
        if not shutil.which("xorriso"):
            print("  inspect: skipped, there is no xorriso to make the ISO with")
            return
        tree = self.m.path("tree")
        os.makedirs(tree)
        with open(os.path.join(tree, "big.squashfs"), "wb") as f:
            f.truncate((4 << 30) - 64 * MIB)
        for i in range(500):
            with open(os.path.join(tree, f"file{i}"), "w") as f:
                f.write(f"{i}\n")
        iso = self.m.path("big.iso")
        subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-iso-level", "3", "-J", "-r", "-o",
                        iso, tree], check=True, stderr=subprocess.DEVNULL)
        os.truncate(iso, 4 << 30)
        out = [run([ISOWRITE, "inspect", iso]) for _ in range(21)][1:]
        self.report("e", "isowrite inspect", 1000 * statistics.median(r["wall"] for r in out),
                    "ms", 10)
        self.report("e", "isowrite inspect, bytes read", out[0]["rchar"] / MIB, "MiB", 4)
        self.signed_disc(tree, iso)

    def signed_disc(self, tree, iso):
        """The same disc with Debian's shim and GRUB, whose signatures are looked at."""
        loaders = {"BOOTX64.EFI": "/usr/lib/shim/shimx64.efi.signed",
                   "GRUBX64.EFI": "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed",
                   "MMX64.EFI": "/usr/lib/shim/mmx64.efi.signed"}
        if not shutil.which("mcopy") or not all(map(os.path.exists, loaders.values())):
            print("  inspect, signed loaders: skipped, mtools, shim-signed or"
                  " grub-efi-amd64-signed is missing")
            return
        esp = os.path.join(tree, "efi.img")
        quietly = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["mkfs.fat", "-C", esp, "8192"], **quietly)
        subprocess.run(["mmd", "-i", esp, "::/EFI", "::/EFI/BOOT"], **quietly)
        os.makedirs(os.path.join(tree, "EFI/BOOT"))
        for name, path in loaders.items():
            subprocess.run(["mcopy", "-i", esp, path, "::/EFI/BOOT/" + name], **quietly)
            shutil.copy(path, os.path.join(tree, "EFI/BOOT", name))
        os.unlink(iso)
        subprocess.run(["xorriso", "-as", "mkisofs", "-iso-level", "3", "-J", "-r", "-e", "efi.img",
                        "-no-emul-boot", "-o", iso, tree], **quietly)
        os.truncate(iso, 4 << 30)
        out = [run([ISOWRITE, "inspect", iso]) for _ in range(21)][1:]
        self.report("e", "isowrite inspect, signed loaders",
                    1000 * statistics.median(r["wall"] for r in out), "ms", 10)
        self.report("e", "isowrite inspect, signed loaders, bytes read", out[0]["rchar"] / MIB,
                    "MiB", 4)

    def scenario_f(self):
        size = self.args.verify_size
        self.head("f", f"verify of {size // MIB} MiB in the page cache")
        image = self.m.image("f.img", size)
        sums = {}
        for alg in ("sha256", "md5"):
            out = subprocess.run(["openssl", "dgst", "-r", f"-{alg}", image], check=True,
                                 stdout=subprocess.PIPE, text=True).stdout
            sums[alg] = out.split()[0]
            with open(self.m.path(f"{alg.upper()}SUMS"), "w") as f:
                f.write(f"{sums[alg]}  f.img\n")

        def verify(*options):
            return lambda: run([ISOWRITE, "verify", *options, image])

        out = self.rounds({
            "openssl": lambda: run(self.digest(image)),
            "md5": lambda: run(f"openssl dgst -md5 {shlex.quote(image)}"),
            "one": verify("--no-sums", f"--sha256={sums['sha256']}"),
            "lists": verify(),
            "both": verify("--no-sums", f"--sha256={sums['sha256']}", f"--digest={sums['md5']}"),
        })
        self.report("f", "openssl dgst -sha256", self.median(out, "openssl"), "s")
        self.report("f", "openssl dgst -md5", self.median(out, "md5"), "s")
        for name, peer, what, limit in (
                ("one", "openssl", "verify, SHA-256 / openssl dgst -sha256", 1.03),
                ("lists", "openssl", "verify, SHA256SUMS and MD5SUMS beside / the same", 1.10),
                ("both", "openssl", "verify, SHA-256 and MD5 given / the same", None),
                ("both", "md5", "verify, SHA-256 and MD5 given / openssl dgst -md5", 1.10)):
            low, mid, high = self.ratios(out, name, peer)
            self.report("f", what, mid, "", limit, low, high)


def versions():
    commands = {"isowrite": [ISOWRITE, "--version"], "dd": ["dd", "--version"],
                "openssl": ["openssl", "version"], "bmaptool": ["bmaptool", "--version"],
                "nbdcopy": ["nbdcopy", "--version"], "ddrescue": ["ddrescue", "--version"],
                "fio": ["fio", "--version"], "xz": ["xz", "--version"],
                "zstd": ["zstd", "--version"], "gzip": ["gzip", "--version"],
                "kernel": ["uname", "-r"]}
    found = {}
    for name, argv in commands.items():
        if not os.path.exists(argv[0]) and not shutil.which(argv[0]):
            found[name] = None
            continue
        p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           check=False)
        found[name] = p.stdout.splitlines()[0] if p.stdout else None
    return found


def parse_args():
    p = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures isowrite beside dd, bmaptool, nbdcopy and ddrescue. "
                    "(a) loop device, (b) throttled, (c) compressed sources, (d) 1 to 8 targets, "
                    "(e) start-up and inspect, (f) verify. Needs root; writes only to files and loop devices "
                    "of its own.")
    p.add_argument("--only", default="abcdef", help="scenarios, for example --only=ab")
    p.add_argument("--pairs", type=int, default=9, help="rounds after the warm-up (9)")
    p.add_argument("--size", type=parse_size, default=1 << 30, help="image of a and d (1GiB)")
    p.add_argument("--throttled-size", type=parse_size, default=1 << 30,
                   help="image of b (1GiB)")
    p.add_argument("--throttled-pairs", type=int, default=9, help="rounds of b at most (9)")
    p.add_argument("--throttle-write", type=int, default=10**8, help="bytes/s in b (100000000)")
    p.add_argument("--throttle-read", type=int, default=2 * 10**8, help="bytes/s in b (200000000)")
    p.add_argument("--compressed-size", type=parse_size, default=512 * MIB,
                   help="content of c (512MiB)")
    p.add_argument("--verify-size", type=parse_size, default=4 << 30, help="image of f (4GiB)")
    p.add_argument("--dir", default="/var/tmp", help="where its files lie (/var/tmp)")
    p.add_argument("--json", metavar="FILE", help="write the results there, too")
    return p.parse_args()


def main():
    args = parse_args()
    if not os.path.exists(ISOWRITE):
        sys.exit(f"bench: there is no {ISOWRITE}; run make first")
    if set(args.only) & set("abcd") and os.geteuid() != 0:
        sys.exit("bench: loop devices need root; --only=ef does not")

    def stop(signum, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    used = versions()
    for name, version in used.items():
        print(f"{name:<9} {version or 'not installed, left out'}")
    bench = Bench(args)
    failed = []
    try:
        for letter in args.only:
            try:
                bench.scenario(letter)
            except Failed as e:
                failed.append(f"({letter}) {e}")
                print(f"  FAILED: {e}", flush=True)
    except KeyboardInterrupt:
        failed.append("interrupted")
    over = [r for r in bench.results if r["ok"] is False]
    if args.json:
        with open(args.json, "w") as f:
            json.dump({"versions": used, "pairs": args.pairs, "size": args.size,
                       "results": bench.results, "failed": failed}, f, indent=1)
            f.write("\n")
    print(f"\n{len([r for r in bench.results if r['ok']])} limits kept, {len(over)} exceeded, "
          f"{len(failed)} failed")
    sys.exit(1 if over or failed else 0)


if __name__ == "__main__":
    main()
