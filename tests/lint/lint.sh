#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What can be said of the sources without running the program: make lint.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"
TIMEOUT=300

# tracked: the files of the tree, without what was built.
tracked()
{
	git -C "$TOP" ls-files 2>/dev/null ||
		(cd "$TOP" && find . -path './build*' -prune -o -type f -print | sed 's,^\./,,')
}

test_layers()
{
	"$TOP/scripts/check-layers"
}

test_core_never_prints()
{
	"$TOP/scripts/check-noprint" "$BUILD/libisowrite.a"
}

test_style()
{
	"$TOP/scripts/check-style"
}

test_docs()
{
	need_tool mandoc
	"$TOP/scripts/check-docs"
}

test_spelling()
{
	local files

	need_tool codespell
	mapfile -t files < <(tracked | grep -vE '^LICENSE$|/corpus/|/golden/')
	cd "$TOP" || exit
	codespell --ignore-words-list=conectix,ser,nd "${files[@]}"
}

test_shellcheck()
{
	local files

	need_tool shellcheck
	cd "$TOP" || exit
	mapfile -t files < <(tracked | while read -r file; do
		case $file:$(head -n 1 -- "$file" 2>/dev/null | tr -d '\0') in
		*.sh:* | *'#!/bin/bash'* | *'#!/bin/sh'*) echo "$file" ;;
		esac
	done)
	shellcheck -- "${files[@]}"
}

# cppcheck 2.10 does not know __attribute__((cleanup)), nor hexadecimal doubles.
test_cppcheck()
{
	need_tool cppcheck
	cd "$TOP" || exit
	cppcheck -q -j2 --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem --suppress=memleak --suppress=resourceLeak \
		--suppress=incorrectLogicOperator:src/base/json.c \
		-Isrc -I. -D_GNU_SOURCE '-DISOWRITE_VERSION=""' '-DISOWRITE_LIBRARIES=""' \
		'-DBOOT_BLOBS=""' src
}

test_no_warnings_from_clang()
{
	need_tool clang
	make -s -C "$TOP" -j2 CC=clang B="$TOP/build-clang" WERROR=1 all test-programs
}
