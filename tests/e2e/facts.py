#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""facts.py IMAGE INSPECT.json: does what isowrite inspect says agree with other tools?

The boot catalog and the volume are compared with xorriso's report, the tables with sfdisk's,
a GPT also with sgdisk's. Prints each difference; status 1 if there is any.
"""

import json
import re
import subprocess
import sys

PLATFORMS = {"BIOS": "bios", "UEFI": "efi", "PPC": "ppc", "Mac": "mac"}
EMULATIONS = {"none": "none", "fd1.2": "1.2M", "fd1.4": "1.44M", "fd2.8": "2.88M", "hd": "hdd"}


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def catalog_of_xorriso(image):
    text = output("xorriso", "-indev", image, "-report_el_torito", "plain", "-pvd_info")
    facts = {"entries": {}}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        key, words = key.strip(), value.split()
        if key == "El Torito catalog":
            facts["catalog"] = int(words[0])
        elif key == "El Torito boot img":
            facts["entries"][int(words[0])] = {
                "platform": PLATFORMS.get(words[1], words[1]), "bootable": words[2] == "y",
                "emulation": EMULATIONS[words[3]], "load_segment": int(words[4], 16),
                "system_type": int(words[5], 16), "sector_count": int(words[6]),
                "lba": int(words[7])}
        elif key == "El Torito img path":
            facts["entries"][int(words[0])]["path"] = value.strip().split(None, 1)[1]
        elif key == "El Torito img opts":
            facts["entries"][int(words[0])]["options"] = words[1:]
        elif key == "Volume Id":
            facts["volume"] = value.strip()
    return facts


def compare_catalog(image, found):
    facts = catalog_of_xorriso(image)
    torito = found["el_torito"]
    if "volume" in facts:
        yield "volume id", facts["volume"], found["volume"]["id"]
    if not facts["entries"]:
        yield "a boot catalog", False, torito is not None and bool(torito["entries"])
        return
    yield "catalog's block", facts["catalog"], torito["catalog_lba"]
    yield "number of entries", len(facts["entries"]), len(torito["entries"])
    for entry in torito["entries"]:
        wanted = facts["entries"].get(entry["index"], {})
        options = wanted.pop("options", [])
        for name, value in wanted.items():
            yield f"entry {entry['index']}: {name}", value, entry[name]
        # In a later session xorriso wants that session's volume descriptor named in the table,
        # where the one that loads it looks for the first.
        if found["volume"]["sessions"] == 1:
            yield (f"entry {entry['index']}: boot info table", "boot-info-table" in options,
                   entry["boot_info_table"])


def compare_tables(image, found):
    text = output("sfdisk", "--json", image)
    if not text:
        return
    table = json.loads(text)["partitiontable"]
    sector = table["sectorsize"]
    if table["label"] == "gpt":
        gpt = found["gpt"]
        yield "disk's GUID", table["id"], gpt["guid"]
        ours = [(p["start"], p["size"], p["type"], p["guid"], p["name"]) for p in gpt["partitions"]]
        theirs = [(p["start"] * sector, p["size"] * sector, p["type"], p["uuid"], p.get("name", ""))
                  for p in table.get("partitions", [])]
        yield from compare_sgdisk(image, found)
    else:
        mbr = found["mbr"]
        yield "disk signature", table["id"], mbr["disk_signature"]
        ours = [(p["start"], p["size"], int(p["type"], 16), p["active"]) for p in mbr["partitions"]]
        theirs = [(p["start"] * sector, p["size"] * sector, int(p["type"], 16),
                   p.get("bootable", False)) for p in table.get("partitions", [])
                  if p["size"]]  # where all four are empty, sfdisk may list them
    yield "partitions by sfdisk", theirs, ours


def compare_sgdisk(image, found):
    rows = re.findall(r"^ +(\d+) +(\d+) +(\d+) +[\d.]+ \S+ +[0-9A-F]{4} *(.*)$",
                      output("sgdisk", "-p", image), re.MULTILINE)
    size = found["gpt"]["block_size"]
    ours = [(p["number"], p["start"] // size, (p["start"] + p["size"]) // size - 1, p["name"])
            for p in found["gpt"]["partitions"]]
    yield "partitions by sgdisk", [(int(n), int(a), int(b), t.strip()) for n, a, b, t in rows], ours


def main():
    image = sys.argv[1]
    with open(sys.argv[2], encoding="utf-8") as f:
        found = json.load(f)
    bad = 0
    pairs = compare_catalog(image, found) if found["volume"] else ()
    for compared in (pairs, compare_tables(image, found) if found["mbr"] else ()):
        for what, theirs, ours in compared:
            if theirs != ours:
                print(f"{what}: {theirs} by the other tool, {ours} by isowrite")
                bad += 1
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
