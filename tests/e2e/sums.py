# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays tests/e2e/sums.cases: each with verify, and with write to a virtual stick.

sums.py CASES WORK SHARE OF: makes a folder under WORK for each case of its share.
Prints a line for each case that fails; status 1 if there was any.
"""
import base64
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys

ISOWRITE = os.environ["ISOWRITE"]
CONTENT = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(3125))  # 100000 bytes
OTHER = CONTENT[:-1] + b"x"
STICK = 4 << 20
VERDICTS = {"listed": (0, 0, "listed"), "none": (9, 0, "none"), "mismatch": (9, 9, "mismatch")}


def digest(name, data):
    if name == "b2":
        return hashlib.blake2b(data)
    if name == "b2s":
        return hashlib.blake2s(data)
    return hashlib.new(name, data)


def expand(text, image):
    """The placeholders of sums.cases."""
    def one(m):
        whose, alg, how = m.group(1), m.group(2), m.group(3)
        d = digest(alg, {"other.": OTHER, "content.": CONTENT}.get(whose, image))
        if whose == "b64.":
            return base64.b64encode(d.digest()).decode()
        if how == "upper":
            return d.hexdigest().upper()
        return d.hexdigest()[:int(how)] if how else d.hexdigest()

    text = re.sub(r"\{(other\.|content\.|b64\.|)(\w+)(?:\|(\w+))?\}", one, text)
    for name, value in (("CR", "\r"), ("NUL", "\0"), ("TAB", "\t"), ("ESC", "\033"),
                        ("LONG", "a" * (1 << 20))):
        text = text.replace(f"<{name}>", value)
    if "<MANY>" in text:
        text = text.replace("<MANY>", "\n".join(
            f"{hashlib.sha256(str(i).encode()).hexdigest()}  file{i}" for i in range(20000)))
    return text


def encode(lines, how, image):
    text = expand("\n".join(lines), image)
    if "bare" not in how and lines:
        text += "\n"
    if "crlf" in how:
        text = text.replace("\n", "\r\n")
    if "utf16" in how:
        return text.encode("utf-16")
    return (b"\xef\xbb\xbf" if "bom" in how else b"") + text.encode()


def read_cases(path):
    """[{title, verdict, image, gz, by, alg, as, opt, lists: [(name, flags, lines)]}]"""
    cases = []
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    for line in lines:
        if line.startswith("=== "):
            title, verdict, *rest = [w.strip() for w in line[4:].split(" | ")]
            case = {"title": title, "verdict": verdict, "image": "image.iso", "lists": []}
            for word in rest:
                key, _, value = word.partition("=")
                case[key] = value
            cases.append(case)
        elif line.startswith("--- "):
            name, _, flags = line[4:].partition(" | ")
            cases[-1]["lists"].append((name, flags.split(), []))
        elif cases and cases[-1]["lists"] and not line.startswith("# -----"):
            cases[-1]["lists"][-1][2].append(line)
    for case in cases:
        for _, _, text in case["lists"]:
            while text and not text[-1]:
                text.pop()
    return cases


def run(case, folder, command, *args):
    options = [o for o in [expand(case.get("opt", ""), case["data"])] if o and o != "--"]
    argv = [ISOWRITE, *command, "--json", "--yes"] if not command else [ISOWRITE, *command, "--json"]
    argv += [*options, "--", case["image"], *args]
    p = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=30, check=False)
    try:
        j = json.loads(p.stdout)
    except ValueError:
        j = {}
    if b"ERROR: AddressSanitizer" in p.stderr or b"runtime error:" in p.stderr:
        j = {}
    if b"\033" in p.stderr:
        j = {}
    return p.returncode, j, p.stderr.decode(errors="replace")


def play(case, folder):
    """What is wrong with the program's answers: a list of sentences."""
    wrong = []
    want_verify, want_write, verdict = VERDICTS[case["verdict"]]
    case["data"] = gzip.compress(CONTENT, mtime=0) if "gz" in case else CONTENT
    os.makedirs(folder)
    with open(os.path.join(folder, case["image"]), "wb") as f:
        f.write(case["data"])
    for name, flags, lines in case["lists"]:
        with open(os.path.join(folder, name), "wb") as f:
            f.write(encode(lines, flags, case["data"]))
    stick = os.path.join(folder, "stick")
    with open(stick, "wb") as f:
        f.truncate(STICK)

    def judge(what, status, want_status, j, err):
        trust = j.get("trust", {})
        if status != want_status:
            wrong.append(f"{what} ends with {status}, not {want_status}: {err.strip()[-300:]}")
        if trust.get("verdict") != verdict:
            wrong.append(f"{what} says {trust.get('verdict')}, not {verdict}: {err.strip()[-300:]}")
        for key, member in (("by", "by"), ("alg", "algorithm"), ("as", "name")):
            if key in case and trust.get(member) != case[key]:
                wrong.append(f"{what}: {member} is {trust.get(member)}, not {case[key]}")
        if verdict == "listed" and "as" not in case and trust.get("name") not in (
                None, *[n for n in [trust.get("name")] if n and re.search(r"[/\\]", n)]):
            wrong.append(f"{what}: renamed? {trust.get('name')}")
        broken = trust.get("algorithm") in ("md5", "sha1")
        if verdict == "listed" and broken != ("origin" in (trust.get("detail") or "")):
            wrong.append(f"{what}: {trust.get('detail')}")

    status, j, err = run(case, folder, ["verify"])
    judge("verify", status, want_verify, j, err)
    status, j, err = run(case, folder, [], "stick")
    judge("write", status, want_write, j, err)
    with open(stick, "rb") as f:
        written = f.read()
    if want_write == 0 and written[:len(CONTENT)] != CONTENT:
        wrong.append("write: the stick does not hold the image")
    if want_write != 0 and written != bytes(STICK):
        wrong.append("write: the stick was touched")
    return wrong


def main():
    cases, work, share, of = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    mine = read_cases(cases)[share::of]
    failed = 0
    for i, case in enumerate(mine):
        wrong = play(case, os.path.join(work, str(i)))
        failed += bool(wrong)
        for sentence in wrong:
            print(f"{case['title']}: {sentence}")
    print(f"{len(mine)} cases, {failed} failed")
    sys.exit(1 if failed or not mine else 0)


main()
