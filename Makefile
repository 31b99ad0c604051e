# SPDX-License-Identifier: GPL-3.0-or-later
# isowrite: one non-recursive Makefile; everything made lies in $(B).
#
#   make                  the program
#   make check            unit, golden, file targets, fuzz replay (no root, no network)
#   make check-root       loop devices and faults (root)
#   make check-boot       boots in QEMU
#   make golden           rewrites the golden files
#   make lint bench fuzz print-libs install
#   SAN=1 (ASan+UBSan), V=1 (show commands), CC=clang, WERROR=1
#   WITH_BZIP2, WITH_EXPAT, WITH_ISAL, WITH_LZ4 = auto (what is installed), yes, no
#   BOOT_CROSS=PREFIX of x86 binutils for the boot code, or clang; else what is found

VERSION := 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share
BASHCOMPDIR ?= $(DATADIR)/bash-completion/completions
ZSHCOMPDIR ?= $(DATADIR)/zsh/site-functions
FISHCOMPDIR ?= $(DATADIR)/fish/vendor_completions.d
DESTDIR ?=
INSTALL ?= install
PKG_CONFIG ?= pkg-config

Q := $(if $(V),,@)
# Quiet with make -s, as usual.
silent := $(findstring s,$(filter-out -%,$(firstword $(MAKEFLAGS))))
say = $(if $(V),,@$(if $(silent),,printf '  %-7s %s\n' $(1) $(2);))

B ?= build$(if $(SAN),-san)

LIBS := blkid fdisk libcrypto liburing liblzma libzstd zlib

# Optional libraries: WITH_NAME says whether, PACKAGE_NAME is what pkg-config calls it, and the
# sources see HAVE_NAME.
OPTIONAL := BZIP2 EXPAT ISAL LZ4
WITH_BZIP2 ?= auto
WITH_EXPAT ?= auto
WITH_ISAL ?= auto
WITH_LZ4 ?= auto
PACKAGE_BZIP2 := bzip2
PACKAGE_EXPAT := expat
PACKAGE_ISAL := libisal
PACKAGE_LZ4 := liblz4

ifeq ($(filter clean install-deps,$(MAKECMDGOALS)),)
MISSING := $(strip $(foreach l,$(LIBS),$(if $(shell $(PKG_CONFIG) --exists $(l) && echo y),,$(l))))
ifneq ($(MISSING),)
$(error missing libraries: $(MISSING); scripts/deps build names the packages)
endif
found = $(if $(filter-out no,$(WITH_$(1))),$(shell $(PKG_CONFIG) --exists $(PACKAGE_$(1)) && echo y))
HAVE := $(foreach o,$(OPTIONAL),$(if $(call found,$(o)),$(o)))
LIBS += $(foreach o,$(HAVE),$(PACKAGE_$(o)))
# bzip2 brings a .pc file in some distributions only.
ifeq ($(filter no,$(WITH_BZIP2))$(filter BZIP2,$(HAVE)),)
PLAIN_LIBS := $(shell $(CC) $(CPPFLAGS) -include bzlib.h -E -x c /dev/null >/dev/null 2>&1 && echo bz2)
HAVE += $(if $(PLAIN_LIBS),BZIP2)
endif
MISSING := $(foreach o,$(OPTIONAL),$(if $(filter yes,$(WITH_$(o))),$(if $(filter $(o),$(HAVE)),,$(PACKAGE_$(o)))))
ifneq ($(strip $(MISSING)),)
$(error missing libraries: $(MISSING); scripts/deps build names the packages)
endif
endif

# The boot code is for x86 whatever we build on: by the first x86 binutils that are found, which
# may be the machine's own, else by clang and lld (BOOT_CLANG, BOOT_LLD: their names).
BOOT_CROSS ?=
BOOT_CLANG ?= clang
BOOT_LLD ?= ld.lld
ifeq ($(filter clean install-deps,$(MAKECMDGOALS)),)
BOOT_TOOLS := $(shell for p in $(or $(BOOT_CROSS),'' x86_64-linux-gnu- i686-linux-gnu- clang); do \
	if [ "$$p" = clang ]; then \
		$(BOOT_CLANG) --print-targets | grep -q -w x86 && $(BOOT_LLD) --version; \
	else \
		$${p}as --help | grep -q -e --32 && $${p}ld -V | grep -q -w elf_i386; \
	fi >/dev/null 2>&1 && echo "found:$$p" && break; done)
ifeq ($(BOOT_TOOLS),)
$(error the boot code needs an assembler and a linker for x86$(if $(BOOT_CROSS), and \
	BOOT_CROSS=$(BOOT_CROSS) is none): binutils-x86-64-linux-gnu, or clang with lld; scripts/deps \
	build installs them)
endif
endif
ifeq ($(BOOT_TOOLS),found:clang)
BOOT_AS := $(BOOT_CLANG) --target=i386 -c -x assembler
BOOT_LD := $(BOOT_LLD) -m elf_i386
else
BOOT_AS := $(BOOT_TOOLS:found:%=%)as --32
BOOT_LD := $(BOOT_TOOLS:found:%=%)ld -m elf_i386
endif

BASE_CFLAGS := -std=gnu11 -O2 -g -fPIE -fstack-protector-strong -fno-common -pthread \
	-Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith \
	-Wwrite-strings -Wformat=2 -Wundef -Wimplicit-fallthrough -Wunused-result
BASE_CPPFLAGS := -Isrc -iquote . -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DISOWRITE_VERSION='"$(VERSION)"' \
	$(HAVE:%=-DHAVE_%)
BASE_LDFLAGS := -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed
ifneq ($(shell $(CC) --version 2>/dev/null | grep -c clang),0)
BASE_CFLAGS += -Wshorten-64-to-32
endif
ifdef SAN
BASE_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
BASE_LDFLAGS += -fsanitize=address,undefined
else
BASE_CPPFLAGS += -D_FORTIFY_SOURCE=2
endif
ifdef WERROR
BASE_CFLAGS += -Werror
endif
LIB_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS) 2>/dev/null)
LIB_LDLIBS := $(shell $(PKG_CONFIG) --libs $(LIBS) 2>/dev/null) $(PLAIN_LIBS:%=-l%)

ALL_CPPFLAGS := $(BASE_CPPFLAGS) $(LIB_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS := $(BASE_CFLAGS) $(CFLAGS)
ALL_LDFLAGS := $(BASE_LDFLAGS) $(LDFLAGS)

CORE_SRC := $(wildcard src/base/*.c src/disk/*.c src/image/*.c src/plan/*.c src/io/*.c src/job/*.c)
CLI_SRC := $(wildcard src/cli/*.c)
CORE_OBJ := $(CORE_SRC:%.c=$(B)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(B)/%.o)
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

all: $(B)/isowrite

# Objects are made again when the flags change.
$(B)/flags: FORCE
	$(Q)mkdir -p $(B); echo '$(subst ','\'',$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS))' | cmp -s - $@ || \
		echo '$(subst ','\'',$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS))' > $@

$(B)/%.o: %.c $(B)/flags
	$(Q)mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CPPFLAGS) $(EXTRA_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What --version and --report name: what is linked. With isa-l, zlib is for the unit tests only.
comma := ,
LINKED := $(filter-out $(if $(filter ISAL,$(HAVE)),zlib),$(LIBS))
$(addprefix $(B)/src/cli/,main.o cmd-report.o): EXTRA_CPPFLAGS = -DISOWRITE_LIBRARIES='"$(subst ;,$(comma) ,$(subst $() ,;,$(strip \
	$(foreach l,$(LINKED),$(l)-$(shell $(PKG_CONFIG) --modversion $(l))) $(PLAIN_LIBS))))"'

# ---- boot code (boot/README.md): blobs, which src/disk/bootcode.c embeds
BOOT_CPP := $(CC) -E -undef -nostdinc -Iboot -x assembler-with-cpp
BOOT_BLOBS := $(addprefix $(B)/boot/,mbr-uefi-only.bin mbr-isolinux.bin mbr-grub2.bin mbr-cdemu.bin \
	cdemu.bin)

$(B)/boot/flags: FORCE
	$(Q)mkdir -p $(@D); echo '$(BOOT_CPP) $(BOOT_AS) $(BOOT_LD)' | cmp -s - $@ || \
		echo '$(BOOT_CPP) $(BOOT_AS) $(BOOT_LD)' > $@

$(B)/boot/mbr-uefi-only.o: BOOT_KIND := BOOT_KIND_UEFI_ONLY
$(B)/boot/mbr-isolinux.o: BOOT_KIND := BOOT_KIND_ISOLINUX
$(B)/boot/mbr-grub2.o: BOOT_KIND := BOOT_KIND_GRUB2
$(B)/boot/mbr-cdemu.o: BOOT_KIND := BOOT_KIND_CDEMU

$(B)/boot/mbr-%.o: boot/mbr.S boot/layout.h $(B)/boot/flags
	$(call say,AS,$@)$(BOOT_CPP) -DKIND=$(BOOT_KIND) -o $(@:.o=.s) $< && $(BOOT_AS) -o $@ $(@:.o=.s)

$(B)/boot/%.o: boot/%.S boot/layout.h $(B)/boot/flags
	$(call say,AS,$@)$(BOOT_CPP) -o $(@:.o=.s) $< && $(BOOT_AS) -o $@ $(@:.o=.s)

$(B)/boot/%.lds: boot/%.lds boot/layout.h $(B)/boot/flags
	$(Q)$(BOOT_CPP) -P -o $@ $<

$(B)/boot/mbr-%.bin: $(B)/boot/mbr-%.o $(B)/boot/mbr.lds
	$(call say,LD,$@)$(BOOT_LD) --oformat binary -T $(B)/boot/mbr.lds -o $@ $<

$(B)/boot/%.bin: $(B)/boot/%.o $(B)/boot/%.lds
	$(call say,LD,$@)$(BOOT_LD) --oformat binary -T $(B)/boot/$*.lds -o $@ $<

$(B)/src/disk/bootcode.o: EXTRA_CPPFLAGS = -DBOOT_BLOBS='"$(B)/boot"'
$(B)/src/disk/bootcode.o: $(BOOT_BLOBS)

$(B)/libisowrite.a: $(CORE_OBJ)
	$(call say,AR,$@)rm -f $@; $(AR) rcs $@ $^

$(B)/isowrite: $(CLI_OBJ) $(B)/libisowrite.a
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LDLIBS)

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libisowrite.a
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LDLIBS)

# The command line's own tests see it as a library too.
$(B)/libcli.a: $(filter-out %/main.o,$(CLI_OBJ))
	$(call say,AR,$@)rm -f $@; $(AR) rcs $@ $^

$(addprefix $(B)/tests/unit/,test_opts test_ui_tty test_map test_speed): %: %.o $(B)/libcli.a $(B)/libisowrite.a
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LDLIBS)

$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay.o $(B)/libisowrite.a
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LDLIBS)

COMPLETIONS := $(B)/isowrite.bash $(B)/isowrite.zsh $(B)/isowrite.fish

# ---- tests (tests/README.md)
RUN_TESTS := BUILD=$(abspath $(B)) ISOWRITE=$(abspath $(B)/isowrite) tests/run
TEST_BINS := $(B)/isowrite $(COMPLETIONS) $(UNIT) $(FUZZ)
QUICK_TESTS := $(UNIT) $(wildcard tests/fuzz/replay.sh tests/golden/*.sh)

test-programs: $(TEST_BINS)

check: $(TEST_BINS)
	$(Q)ISOWRITE_TEST_NO_ROOT=1 $(RUN_TESTS) -j 2 $(QUICK_TESTS) $(wildcard tests/e2e/*.sh)

check-unit: $(TEST_BINS)
	$(Q)$(RUN_TESTS) -j 2 $(QUICK_TESTS)

check-root: $(B)/isowrite
	$(Q)$(RUN_TESTS) $(wildcard tests/e2e/*.sh tests/fault/*.sh)

check-boot: $(B)/isowrite
	$(Q)scripts/deps test
	$(Q)scripts/mkimages
	$(Q)ISOWRITE_TEST_FULL=1 $(RUN_TESTS) -j 2 $(wildcard tests/boot/*.sh)
	$(Q)tests/boot/matrix -j 2

golden: $(B)/isowrite $(UNIT)
	$(Q)UPDATE_GOLDEN=1 ISOWRITE_TEST_NO_ROOT=1 $(RUN_TESTS) $(UNIT) $(wildcard tests/golden/*.sh tests/e2e/*.sh)

lint:
	$(Q)scripts/lint

bench: $(B)/isowrite
	$(Q)scripts/bench

# Each harness for FUZZ_SECONDS with libFuzzer, from its corpus.
FUZZ_SECONDS ?= 60
fuzz:
	$(Q)scripts/fuzz $(FUZZ_SECONDS)

print-libs:
	@echo $(LIB_LDLIBS)

# Fault injection: built where a test asks for it, never by all. Not sanitized: it is no part of
# what is tested, and its speed is part of the tests.
$(B)/tests/fault/badstick: $(addprefix tests/fault/,badstick.c badstick-rules.c badstick.h)
	$(Q)mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CPPFLAGS) $(filter-out -fsanitize=%,$(ALL_CFLAGS)) \
		$(filter-out -fsanitize=%,$(ALL_LDFLAGS)) -o $@ $(filter %.c,$^) \
		$$($(PKG_CONFIG) --cflags --libs fuse3)

# ---- completion and installation
$(B)/scripts/mkcompletion: $(B)/scripts/mkcompletion.o $(B)/libcli.a $(B)/libisowrite.a
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LDLIBS)

$(COMPLETIONS): $(B)/isowrite.%: $(B)/scripts/mkcompletion
	$(call say,GEN,$@)$< $* > $@.new && mv $@.new $@

install: $(B)/isowrite $(COMPLETIONS)
	$(INSTALL) -D -m 755 $(B)/isowrite $(DESTDIR)$(BINDIR)/isowrite
	$(INSTALL) -D -m 644 src/isowrite.1 $(DESTDIR)$(MANDIR)/man1/isowrite.1
	$(INSTALL) -D -m 644 $(B)/isowrite.bash $(DESTDIR)$(BASHCOMPDIR)/isowrite
	$(INSTALL) -D -m 644 $(B)/isowrite.zsh $(DESTDIR)$(ZSHCOMPDIR)/_isowrite
	$(INSTALL) -D -m 644 $(B)/isowrite.fish $(DESTDIR)$(FISHCOMPDIR)/isowrite.fish
	$(INSTALL) -D -m 644 scripts/isowrite.schema.json \
		$(DESTDIR)$(DATADIR)/isowrite/isowrite.schema.json

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/isowrite $(DESTDIR)$(MANDIR)/man1/isowrite.1 \
		$(DESTDIR)$(BASHCOMPDIR)/isowrite $(DESTDIR)$(ZSHCOMPDIR)/_isowrite \
		$(DESTDIR)$(FISHCOMPDIR)/isowrite.fish $(DESTDIR)$(DATADIR)/isowrite/isowrite.schema.json
	-rmdir $(DESTDIR)$(DATADIR)/isowrite

clean:
	rm -rf build build-*

.PHONY: all test-programs check check-unit check-root check-boot golden lint bench fuzz print-libs install uninstall clean FORCE
.SECONDARY:
-include $(wildcard $(B)/src/*/*.d $(B)/tests/*/*.d $(B)/scripts/*.d)
