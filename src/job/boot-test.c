// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * boot-test: what is it, which firmwares should boot it, a virtual machine for
 * each, watched until it came far enough, gave up or ran out of time. See
 * boot-test.h.
 *
 * KVM is quick, but where it is emulated itself, or old, a boot sector may fail
 * in it for reasons of its own. So a "no" that was given with KVM is asked again
 * with the emulated processor, and only that one is believed.
 */
#include "job/boot-test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/outfile.h"
#include "base/text.h"
#include "image/detect.h"
#include "image/source.h"
#include "io/device.h"
#include "io/mounts.h"
#include "job/boot-test-watch.h"

#define MIN_STICK 512

DEFINE_AUTO(struct boot_vm *, boot_vm_free);
#define auto_vm auto_cleanup(boot_vm_free)

/* What the boots of a test share. */
struct test {
	const struct boot_test_request *req;
	const struct boot_test_events *events;
	struct boot_test_report *r;
	struct source *src;
	struct boot_kit kits[N_BOOT_FIRMWARES];
};

const char *boot_firmware_name(enum boot_firmware firmware)
{
	return firmware == FIRMWARE_BIOS ? "bios" : "uefi";
}

const char *boot_medium_name(enum boot_medium medium)
{
	return medium == MEDIUM_CD ? "cd" : "stick";
}

static void add_finding(struct test *t, enum layout_severity severity, const char *code,
			const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void add_finding(struct test *t, enum layout_severity severity, const char *code,
			const char *fmt, ...)
{
	struct boot_test_report *r = t->r;
	struct layout_finding *f;
	va_list ap;

	if (r->n_findings == ARRAY_SIZE(r->findings))
		return;
	f = &r->findings[r->n_findings++];
	f->severity = severity;
	snprintf(f->code, sizeof(f->code), "%s", code);
	va_start(ap, fmt);
	vsnprintf(f->message, sizeof(f->message), fmt, ap);
	va_end(ap);
	t->events->on_finding(t->events->ctx, f);
}

/* The command that decompresses it to a file beside it, and never over another one's name. */
static void suggest_decompression(const struct source *src, char *buf, size_t size)
{
	static const struct {
		const char *compression, *tool, *suffix;
	} tools[] = {
		{ "gzip", "gzip", ".gz" },    { "xz", "xz", ".xz" },    { "zstd", "zstd", ".zst" },
		{ "bzip2", "bzip2", ".bz2" }, { "lz4", "lz4", ".lz4" }, { "zip", "unzip", "" },
	};
	char path[1200], to[1200], name[1100];
	size_t i = 0, len = strlen(src->path);
	int n;

	while (i < ARRAY_SIZE(tools) && strcmp(src->compression, tools[i].compression) != 0)
		i++;
	buf[0] = '\0';
	if (i == ARRAY_SIZE(tools) || strcmp(src->path, "-") == 0)
		return;
	text_shell_quote(src->path, path, sizeof(path));
	snprintf(name, sizeof(name), "%s.img", src->path);
	text_shell_quote(name, to, sizeof(to));
	if (tools[i].suffix[0] == '\0')
		n = snprintf(buf, size, "%s %s", tools[i].tool, path);
	else if (len > strlen(tools[i].suffix) &&
		 strcmp(src->path + len - strlen(tools[i].suffix), tools[i].suffix) == 0)
		n = snprintf(buf, size, "%s -dk %s", tools[i].tool, path);
	else
		n = snprintf(buf, size, "%s -dc <%s >%s", tools[i].tool, path, to);
	/* Half a command is none. */
	if (n < 0 || (size_t)n >= size)
		buf[0] = '\0';
}

static int refuse_compressed(const struct source *src, struct error *err)
{
	char command[400];

	suggest_decompression(src, command, sizeof(command));
	if (command[0])
		return error_set(err, ERROR_IMAGE, "compressed",
				 _("It is compressed, and nothing boots from that; this "
				   "decompresses it:\n  %s"),
				 command);
	if (strcmp(src->compression, "none") != 0 && strcmp(src->path, "-") != 0)
		return error_set(err, ERROR_IMAGE, "compressed",
				 _("It is compressed, and nothing boots from that; decompress it "
				   "first."));
	return error_set(err, ERROR_IMAGE, "compressed",
			 _("A boot reads here and there, which a pipe cannot; save the image to "
			   "a file first."));
}

static int open_image(struct test *t, struct error *err)
{
	struct boot_test_report *r = t->r;

	if (source_open(t->req->path, &t->src, err) < 0)
		return -1;
	if (t->src->access != SOURCE_RANDOM || t->src->fd < 0)
		return refuse_compressed(t->src, err);
	if (detect_layout(t->src, DETECT_BUDGET, &r->layout, err) < 0 ||
	    detect_check_foreign(&r->layout, t->req->path, err) < 0)
		return -1;
	r->has_layout = true;
	r->size = t->src->size;
	if (r->size < MIN_STICK)
		return error_set(err, ERROR_IMAGE, "too-small",
				 _("It is smaller than a sector; there is nothing to boot."));
	return 0;
}

/* What is written meanwhile is not what is tested. */
static void warn_if_in_use(struct test *t)
{
	auto_free struct device_info *info = calloc(1, sizeof(*info));
	struct error err = ERROR_INIT;
	struct mounts mounts;
	char where[160];

	if (!t->src->is_block_device || !info || device_examine(t->req->path, -1, -1, info, &err))
		return;
	for (size_t i = 0; i < info->n_refused; i++) {
		if (info->refused[i].rule == RULE_HELD)
			add_finding(t, LAYOUT_WARNING, "in-use",
				    _("It is in use, so it may change while it is tested: %s"),
				    info->refused[i].why);
	}
	if (mounts_read("self", &mounts) < 0)
		return;
	for (size_t i = 0; i < mounts.n; i++) {
		struct stat st;

		if (strncmp(mounts.list[i].options, "rw", 2) != 0)
			continue;
		for (size_t k = 0; k < info->n_contents; k++) {
			const struct device_content *c = &info->contents[k];

			if (!c->mountpoint[0] || stat(c->node, &st) < 0 ||
			    st.st_rdev != mounts.list[i].dev)
				continue;
			add_finding(t, LAYOUT_WARNING, "mounted",
				    _("It is mounted on %s and may change while it is tested."),
				    text_escape(c->mountpoint, SIZE_MAX, where, sizeof(where)));
			mounts_done(&mounts);
			return;
		}
	}
	mounts_done(&mounts);
}

static uint8_t predict(const struct test *t, enum boot_firmware firmware)
{
	const struct layout_boot_report *b = &t->r->layout.boot;
	bool is_cd = t->req->medium == MEDIUM_CD;

	if (firmware == FIRMWARE_BIOS)
		return is_cd ? b->bios.cd : b->bios.usb;
	return is_cd ? b->uefi_x64.cd : b->uefi_x64.usb;
}

/* Those asked for; else those that are predicted, or all if there is none. */
static void choose_firmwares(struct test *t)
{
	const struct boot_test_request *req = t->req;
	struct boot_test_report *r = t->r;
	unsigned int wanted = req->firmwares;

	if (req->secure_boot)
		wanted = 1u << FIRMWARE_UEFI;
	for (int i = 0; i < N_BOOT_FIRMWARES && !req->firmwares && !req->secure_boot; i++) {
		if (predict(t, (enum boot_firmware)i) == BOOT_YES)
			wanted |= 1u << i;
	}
	r->any_will_do = !wanted;
	if (!wanted)
		wanted = (1u << N_BOOT_FIRMWARES) - 1;
	/* One window: what most machines have. */
	if (req->gui && (wanted & (1u << FIRMWARE_UEFI)) && !r->any_will_do)
		wanted = 1u << FIRMWARE_UEFI;
	else if (req->gui)
		wanted &= ~(wanted - 1);
	for (int i = 0; i < N_BOOT_FIRMWARES; i++) {
		if (wanted & (1u << i))
			r->results[r->n++] = (struct boot_result){
				.firmware = (enum boot_firmware)i,
				.predicted = predict(t, (enum boot_firmware)i),
			};
	}
}

static int keep_screenshot(const struct boot_test_request *req, const struct boot_result *result,
			   struct boot_vm *vm, struct error *err)
{
	auto_free uint8_t *data = NULL;
	size_t len;

	if (result->went_down)
		return error_set(err, ERROR_IMAGE, "no-screenshot",
				 _("There is no screen to take a picture of: the machine has "
				   "switched itself off or started anew."));
	if (boot_vm_take_picture(vm, "png", &data, &len, err) < 0)
		return -1;
	return outfile_write(_("picture"), req->screenshot, req->overwrite, data, len, err);
}

static bool is_kvm_usable(void)
{
#ifdef __x86_64__
	return access("/dev/kvm", R_OK | W_OK) == 0;
#else
	return false; /* of another kind */
#endif
}

/* Some builds of QEMU know no sandbox. */
static int start_confined(struct boot_vm_request *how, struct boot_judge *judge,
			  struct boot_vm **ret, struct error *err)
{
	how->confine = true;
	if (boot_vm_start(how, judge, ret, err) == 0)
		return 0;
	if (!strstr(err->msg, "sandbox") && !strstr(err->msg, "seccomp"))
		return -1;
	how->confine = false;
	return boot_vm_start(how, judge, ret, err);
}

static int start_machine(struct boot_vm_request *how, bool gui, struct boot_judge *judge,
			 struct boot_vm **ret, struct error *err)
{
	static const char *const displays[] = { "gtk", "sdl" };

	for (size_t i = 0; gui && i < ARRAY_SIZE(displays); i++) {
		how->display = displays[i];
		if (start_confined(how, judge, ret, err) == 0)
			return 0;
	}
	if (!gui)
		return start_confined(how, judge, ret, err);
	error_prefix(err, _("There is no window (package qemu-system-gui, and a desktop)"));
	return -1;
}

/* Or is it to be asked again, without KVM? */
static bool is_final(const struct test *t, const struct boot_result *result)
{
	return !result->kvm || t->req->gui || boot_result_is_good(t->r, result);
}

/* 1: QEMU has failed, with err. */
static int boot_once(struct test *t, struct boot_result *result, bool kvm, struct error *err)
{
	const struct boot_test_request *req = t->req;
	struct boot_vm_request how = {
		.kit = &t->kits[result->firmware],
		.firmware = result->firmware,
		.medium = req->medium,
		.secure_boot = req->secure_boot,
		.image_fd = t->src->fd,
		.is_block_device = t->src->is_block_device,
		.image_size = t->src->size,
		.sector_size = t->src->is_block_device ? t->src->sector_size : 512,
		.memory = req->memory ? req->memory : GIB,
		.kvm = kvm,
	};
	auto_vm struct boot_vm *vm = NULL;
	char words[200];
	int r;

	/* An image that was made for sticks of such sectors is tried on one. */
	if (!t->src->is_block_device && t->r->layout.sector_size == 4096)
		how.sector_size = 4096;
	*result = (struct boot_result){ .firmware = result->firmware,
					.predicted = result->predicted,
					.kvm = kvm };
	boot_judge_init(&result->judge, result->firmware == FIRMWARE_UEFI, req->expect);
	if (start_machine(&how, req->gui, &result->judge, &vm, err) < 0)
		return 1;
	snprintf(t->r->qemu, sizeof(t->r->qemu), "%s", boot_vm_version(vm));
	r = boot_watch(vm, req, t->events, t->r, result, err);
	if (r == 0 && req->screenshot && is_final(t, result))
		return keep_screenshot(req, result, vm, err);
	if (r <= 0)
		return r;
	boot_vm_read_words(vm, words, sizeof(words));
	error_set(err, ERROR_LACKING, "qemu-failed", _("QEMU has failed%s%s"),
		  words[0] ? ": " : ".", words);
	return 1;
}

static int boot(struct test *t, struct boot_result *result, struct error *err)
{
	int r = 1;

	if (is_kvm_usable()) {
		r = boot_once(t, result, true, err);
		if (r < 0)
			return -1;
		if (r == 0 && is_final(t, result))
			goto done;
	}
	if (boot_once(t, result, false, err) != 0)
		return -1;
done:
	result->is_done = true;
	t->events->on_result(t->events->ctx, t->r, result);
	return 0;
}

/* inspect's word is to be right: where it is not, that is said. */
static void compare_with_prediction(struct test *t, const struct boot_result *result)
{
	const char *as = t->req->medium == MEDIUM_CD ? _("a CD") : _("a stick");
	const char *firmware = result->firmware == FIRMWARE_BIOS ? "BIOS" : "UEFI";
	bool has_booted = result->judge.reached >= REACHED_LOADER && !result->judge.gave_up;

	if (t->req->secure_boot && result->judge.is_refused)
		add_finding(t, LAYOUT_INFO, "secure-boot",
			    _("Secure Boot refused it: inspect says who signed it, and what is "
			      "revoked."));
	/* The prediction is of what boots without. */
	if (t->req->secure_boot)
		return;
	if (result->predicted == BOOT_YES && !has_booted)
		add_finding(t, LAYOUT_WARNING, "prediction",
			    _("inspect says that it boots as %s under %s; here that was not seen."),
			    as, firmware);
	if (result->predicted == BOOT_NO && has_booted)
		add_finding(t, LAYOUT_WARNING, "prediction",
			    _("inspect says that it does not boot as %s under %s; here it did."),
			    as, firmware);
	if (result->predicted == BOOT_FIXABLE && !has_booted && !t->src->is_block_device)
		add_finding(t, LAYOUT_INFO, "fixable",
			    _("Tested was the image as it is; isowrite makes a stick of it that "
			      "boots under %s too."),
			    firmware);
}

/* What no machine of ours is. */
static void tell_other_machines(struct test *t)
{
	const struct layout_boot_report *b = &t->r->layout.boot;
	bool is_cd = t->req->medium == MEDIUM_CD;

	if (t->r->any_will_do && (is_cd ? b->uefi_aa64.cd : b->uefi_aa64.usb) == BOOT_YES)
		add_finding(t, LAYOUT_INFO, "other-machine",
			    _("It is made for ARM machines; only x86 machines can be tried."));
	else if (t->r->any_will_do && (is_cd ? b->uefi_ia32.cd : b->uefi_ia32.usb) == BOOT_YES)
		add_finding(t, LAYOUT_INFO, "other-machine",
			    _("It is made for UEFI of 32 bits; only that of 64 bits can be "
			      "tried."));
}

/* With --overwrite it could be the image itself. */
static int check_apart(const struct test *t, struct error *err)
{
	const char *path = t->req->screenshot;
	struct stat image, picture;
	char name[300];

	if (!path || fstat(t->src->fd, &image) < 0 || stat(path, &picture) < 0 ||
	    image.st_dev != picture.st_dev || image.st_ino != picture.st_ino)
		return 0;
	return error_set(err, ERROR_USAGE, "output-path",
			 _("The picture %s would replace the image; choose another place."),
			 text_escape(path, SIZE_MAX, name, sizeof(name)));
}

static int run(struct test *t, struct error *err)
{
	struct boot_test_report *r = t->r;

	if (t->req->screenshot &&
	    outfile_check(_("picture"), t->req->screenshot, t->req->overwrite, err) < 0)
		return -1;
	if (open_image(t, err) < 0 || check_apart(t, err) < 0)
		return -1;
	choose_firmwares(t);
	for (size_t i = 0; i < r->n; i++) {
		enum boot_firmware f = r->results[i].firmware;

		if (boot_kit_find("", f, t->req->secure_boot, &t->kits[f], err) < 0)
			return -1;
	}
	warn_if_in_use(t);
	for (size_t i = 0; i < r->n; i++) {
		if (boot(t, &r->results[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < r->n; i++)
		compare_with_prediction(t, &r->results[i]);
	tell_other_machines(t);
	return source_check_unchanged(t->src, err);
}

int boot_test(const struct boot_test_request *req, const struct boot_test_events *events,
	      struct boot_test_report *r)
{
	struct test *t = calloc(1, sizeof(*t));
	int result;

	*r = (struct boot_test_report){ .medium = req->medium,
					.secure_boot = req->secure_boot,
					.is_expecting = req->expect };
	if (!t)
		return error_set_nomem(&r->error);
	t->req = req;
	t->events = events;
	t->r = r;
	result = run(t, &r->error);
	source_free(t->src);
	free(t);
	/* What was tried on the way to a good end is no error. */
	if (result == 0)
		r->error = (struct error)ERROR_INIT;
	return result;
}
