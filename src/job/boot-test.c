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

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/outfile.h"
#include "base/text.h"
#include "image/detect.h"
#include "image/source.h"
#include "io/device.h"
#include "io/mounts.h"
#include "job/boot-test-vm.h"

#define DEFAULT_TIMEOUT 60.0
/*
 * A loader that reads and says nothing that long waits for a key; unless it has read as much as a
 * kernel has, which may unpack itself in silence.
 */
#define LOADER_PATIENCE 6.0
#define KERNEL_PATIENCE 30.0
#define KERNEL_SIZE (8 * MIB)
#define LINGER 0.4         /* the rest of a line that says enough is on its way */
#define GRAPHICS_AFTER 3.0 /* a firmware's own words on a failure come sooner */
#define LOOK_EVERY 0.3     /* seconds */
#define PICTURE_EVERY 1.0
#define TICK 100 /* milliseconds */
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

struct picture {
	uint8_t *data;
	size_t len;
};

/* A machine while it runs. */
struct watch {
	struct test *test;
	struct boot_vm *vm;
	struct boot_result *result;
	double start, started_at; /* the boot; when the firmware had started something */
	double looked_at, pictured_at;
	uint64_t loader_activity;  /* of the guest: when its loader was seen ... */
	uint64_t activity;         /* ... when it was last asked ... */
	double active_at;          /* ... and had changed */
	enum boot_reached reached; /* when it was last asked, as gave_up */
	bool gave_up;
	double changed_at;     /* one of them */
	struct picture before; /* the screen when the firmware started something */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

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

/* -------------------------------------------------------------- before a boot */

static int refuse_compressed(const struct source *src, struct error *err)
{
	static const char *const tools[][2] = {
		{ "gzip", "gzip -dk" },   { "xz", "xz -dk" },   { "zstd", "zstd -dk" },
		{ "bzip2", "bzip2 -dk" }, { "lz4", "lz4 -dk" }, { "zip", "unzip" },
	};
	char path[300];

	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		if (strcmp(src->compression, tools[i][0]) == 0 && strcmp(src->path, "-") != 0)
			return error_set(err, ERROR_IMAGE, "compressed",
					 _("It is compressed, and nothing boots from that; this "
					   "decompresses it:\n  %s %s"),
					 tools[i][1],
					 text_shell_quote(src->path, path, sizeof(path)));
	}
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

/* -------------------------------------------------------------------- watching */

static void picture_done(struct picture *p)
{
	free(p->data);
	*p = (struct picture){ .data = NULL };
}

/* "P6\n1280 800\n255\n": returns the bytes of the header, 0 if it is none. */
static size_t read_ppm_header(const struct picture *p, unsigned int *ret_width,
			      unsigned int *ret_height)
{
	char head[32];
	int len = 0;

	snprintf(head, sizeof(head), "%.*s", (int)num_min(p->len, sizeof(head) - 1), p->data);
	if (sscanf(head, "P6 %5u %5u 255%n", ret_width, ret_height, &len) != 2 || len == 0)
		return 0;
	return (size_t)len + 1;
}

/*
 * Is it a picture that no firmware leaves? SeaBIOS stays in the text mode of 720 x 400 dots. OVMF
 * is in a graphics mode, and the line that it prints last may be missing in the first picture.
 */
static bool is_drawn_on(const struct watch *w, const struct picture *p)
{
	unsigned int width, height, old_width, old_height;
	size_t head = read_ppm_header(p, &width, &height), n_different = 0;

	if (head == 0)
		return false;
	if (w->result->firmware == FIRMWARE_BIOS)
		return width != 720 || height != 400;
	if (read_ppm_header(&w->before, &old_width, &old_height) == 0)
		return false;
	if (width != old_width || height != old_height || p->len != w->before.len)
		return true;
	for (size_t i = head; i < p->len; i++)
		n_different += p->data[i] != w->before.data[i];
	return n_different > (p->len - head) / 50;
}

static int take_ppm(struct watch *w, struct picture *ret)
{
	struct error ignored = ERROR_INIT;

	return boot_vm_take_picture(w->vm, "ppm", &ret->data, &ret->len, &ignored);
}

/* Where there is no text to read, the screen may tell that somebody else draws now. */
static void look_at_graphics(struct watch *w, double t)
{
	struct boot_judge *j = &w->result->judge;
	struct picture p = { .data = NULL };

	if (j->reached != REACHED_FIRMWARE || t - w->pictured_at < PICTURE_EVERY)
		return;
	w->pictured_at = t;
	if (!w->before.data) {
		take_ppm(w, &w->before);
		return;
	}
	if (t - w->started_at < GRAPHICS_AFTER || take_ppm(w, &p) < 0)
		return;
	if (is_drawn_on(w, &p))
		boot_judge_graphics(j);
	picture_done(&p);
}

static void look_at_activity(struct watch *w, double t)
{
	uint64_t activity;

	if (w->result->judge.reached != REACHED_LOADER)
		return;
	activity = boot_vm_activity(w->vm);
	if (!w->loader_activity)
		w->loader_activity = activity;
	if (activity != w->activity)
		w->active_at = t;
	w->activity = activity;
}

static void note_progress(struct watch *w, double t)
{
	const struct boot_judge *j = &w->result->judge;

	if (j->gave_up != w->gave_up || j->reached != w->reached)
		w->changed_at = t;
	w->gave_up = j->gave_up;
	if (j->reached == w->reached)
		return;
	if (w->reached < REACHED_FIRMWARE)
		w->started_at = t;
	w->reached = j->reached;
	w->active_at = t;
	w->result->seconds = t - w->start;
}

/* Is there nothing more to wait for? */
static bool is_enough(struct watch *w, double t)
{
	const struct boot_test_request *req = w->test->req;
	const struct boot_judge *j = &w->result->judge;
	bool has_kernel = w->activity - w->loader_activity > KERNEL_SIZE;
	double patience = has_kernel ? KERNEL_PATIENCE : LOADER_PATIENCE;
	double timeout = req->timeout > 0 ? req->timeout : req->gui ? 0 : DEFAULT_TIMEOUT;

	if (timeout > 0 && t - w->start >= timeout) {
		w->result->timed_out = true;
		return true;
	}
	if (req->gui)
		return false;
	if (j->reached >= (req->expect ? REACHED_EXPECTED : REACHED_KERNEL) || j->gave_up)
		return t - w->changed_at > LINGER;
	return !req->expect && j->reached == REACHED_LOADER && t - w->active_at > patience;
}

/* 1: QEMU itself has failed. */
static int watch_machine(struct watch *w, struct error *err)
{
	const struct boot_test_events *e = w->test->events;
	bool failed = false;

	w->start = now();
	/* Ends: at the latest when the time is over; in a window, when that is closed. */
	while (true) {
		bool is_over = boot_vm_is_over(w->vm, &failed);
		double t;

		if (!is_over && !boot_vm_watch(w->vm, TICK))
			boot_judge_settle(&w->result->judge);
		t = now();
		if (!is_over && t - w->looked_at >= LOOK_EVERY) {
			w->looked_at = t;
			boot_vm_look(w->vm);
			look_at_graphics(w, t);
			look_at_activity(w, t);
		}
		note_progress(w, t);
		/* A signal that was for both of us may have come to QEMU first. */
		if (e->is_cancelled(e->ctx) || (boot_vm_was_closed(w->vm) && !w->test->req->gui))
			return error_set(err, ERROR_CANCELLED, "cancelled",
					 _("Cancelled; nothing was written."));
		e->on_progress(e->ctx, w->test->r, t - w->start);
		if (boot_vm_read_failed(w->vm))
			return error_set(err, ERROR_IO, "read",
					 _("A part of it that the boot needs cannot be read."));
		if (is_over || is_enough(w, t)) {
			if (is_over)
				boot_judge_settle(&w->result->judge);
			note_progress(w, t);
			w->result->went_down = is_over && !failed && !boot_vm_was_closed(w->vm);
			if (w->gave_up)
				w->result->seconds = w->changed_at - w->start;
			else if (w->reached == REACHED_NOTHING)
				w->result->seconds = t - w->start;
			w->result->waited = t - w->start;
			return is_over && failed;
		}
	}
}

static int keep_screenshot(struct watch *w, struct error *err)
{
	const struct boot_test_request *req = w->test->req;
	struct picture p = { .data = NULL };
	int r;

	if (!req->screenshot)
		return 0;
	if (w->result->went_down)
		return error_set(err, ERROR_IMAGE, "no-screenshot",
				 _("There is no screen to take a picture of: the machine has "
				   "switched itself off or started anew."));
	if (boot_vm_take_picture(w->vm, "png", &p.data, &p.len, err) < 0)
		return -1;
	r = outfile_write(_("picture"), req->screenshot, req->overwrite, p.data, p.len, err);
	picture_done(&p);
	return r;
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
	struct watch w = { .test = t, .result = result };
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
	w.vm = vm;
	r = watch_machine(&w, err);
	picture_done(&w.before);
	if (r == 0)
		r = keep_screenshot(&w, err);
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
		if (r == 0 && (t->req->gui || boot_result_is_good(t->r, result)))
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

static int run(struct test *t, struct error *err)
{
	struct boot_test_report *r = t->r;

	if (t->req->screenshot &&
	    outfile_check(_("picture"), t->req->screenshot, t->req->overwrite, err) < 0)
		return -1;
	if (open_image(t, err) < 0)
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
