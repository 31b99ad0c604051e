#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every fuzz harness over its corpus, tests/fuzz/corpus/NAME: one test for each.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

for harness in "$TOP"/tests/fuzz/fuzz_*.c; do
	name=$(basename "$harness" .c)
	[ -e "$harness" ] || continue
	eval "test_$name() { replay $name; }"
done

replay()
{
	local corpus=$TOP/tests/fuzz/corpus/${1#fuzz_}

	[ -d "$corpus" ] || fail "no corpus: tests/fuzz/corpus/${1#fuzz_}"
	run 0 "$BUILD/tests/fuzz/$1" "$corpus"
	cat out
}
