// SPDX-License-Identifier: GPL-3.0-or-later
/* Where QEMU and its UEFI firmware are; see boot-test-vm.h. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "job/boot-test-vm.h"

#define QEMU "qemu-system-x86_64"

struct ovmf {
	const char *code, *variables;
};

/* The builds of 4 MiB first. */
static const struct ovmf plain[] = {
	/* Debian, Ubuntu */
	{ "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd" },
	{ "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd" },
	/* Fedora */
	{ "/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd" },
	/* Arch */
	{ "/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd" },
	/* openSUSE */
	{ "/usr/share/qemu/ovmf-x86_64-4m-code.bin", "/usr/share/qemu/ovmf-x86_64-4m-vars.bin" },
};

/* Only those whose variables hold Microsoft's keys: what a bought machine has. */
static const struct ovmf secure[] = {
	{ "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd" },
	{ "/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.ms.fd" },
	{ "/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd",
	  "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd" },
	{ "/usr/share/qemu/ovmf-x86_64-smm-ms-code.bin",
	  "/usr/share/qemu/ovmf-x86_64-smm-ms-vars.bin" },
};

static bool can_read(const char *root, const char *path)
{
	char full[PATH_MAX];
	int n = snprintf(full, sizeof(full), "%s%s", root, path);

	return n > 0 && (size_t)n < sizeof(full) && access(full, R_OK) == 0;
}

static const struct ovmf *find_ovmf(const char *root, const struct ovmf *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (can_read(root, list[i].code) && can_read(root, list[i].variables))
			return &list[i];
	}
	return NULL;
}

static int find_qemu(char *buf, size_t size, struct error *err)
{
	const char *path = getenv("PATH");
	char list[PATH_MAX];
	char *dir, *rest = list;

	snprintf(list, sizeof(list), "%s", path ? path : "/usr/local/bin:/usr/bin:/bin");
	while ((dir = strsep(&rest, ":"))) {
		int n = snprintf(buf, size, "%s/" QEMU, dir);

		if (dir[0] == '/' && n > 0 && (size_t)n < size && access(buf, X_OK) == 0)
			return 0;
	}
	return error_set(err, ERROR_LACKING, "no-qemu",
			 _("boot-test boots it in QEMU, and there is no " QEMU
			   " here (package qemu-system-x86)."));
}

int boot_kit_find(const char *root, enum boot_firmware firmware, bool secure_boot,
		  struct boot_kit *ret, struct error *err)
{
	const struct ovmf *ovmf = NULL;
	struct boot_kit kit = { .code = NULL };

	if (find_qemu(kit.qemu, sizeof(kit.qemu), err) < 0)
		return -1;
	if (firmware == FIRMWARE_UEFI) {
		ovmf = secure_boot ? find_ovmf(root, secure, ARRAY_SIZE(secure))
				   : find_ovmf(root, plain, ARRAY_SIZE(plain));
		if (!ovmf && secure_boot)
			return error_set(err, ERROR_LACKING, "no-ovmf",
					 _("QEMU needs a UEFI firmware with Secure Boot and its "
					   "keys, which is not installed (package ovmf; edk2-ovmf "
					   "with Fedora)."));
		if (!ovmf)
			return error_set(err, ERROR_LACKING, "no-ovmf",
					 _("QEMU needs a UEFI firmware, which is not installed "
					   "(package ovmf; edk2-ovmf with Fedora and Arch). "
					   "--firmware=bios does without it."));
		kit.code = ovmf->code;
		kit.variables = ovmf->variables;
	}
	*ret = kit;
	return 0;
}
