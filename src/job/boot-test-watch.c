// SPDX-License-Identifier: GPL-3.0-or-later
/* Watching a virtual machine boot; see boot-test-watch.h. */
#include "job/boot-test-watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"

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

struct picture {
	uint8_t *data;
	size_t len;
};

/* A machine while it runs. */
struct watch {
	const struct boot_test_request *req;
	const struct boot_test_events *events;
	const struct boot_test_report *r;
	struct boot_vm *vm;
	struct boot_result *result;
	double start, started_at; /* the boot; when the firmware had started something */
	double looked_at, pictured_at;
	uint64_t loader_activity; /* of the guest: when its loader was seen ... */
	uint64_t activity; /* ... when it was last asked ... */
	double active_at; /* ... and had changed */
	enum boot_reached reached; /* when it was last asked, as gave_up */
	bool gave_up;
	double changed_at; /* one of them */
	struct picture before; /* the screen when the firmware started something */
};

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
	const struct boot_test_request *req = w->req;
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
static void finish(struct watch *w, double t, bool is_over, bool failed)
{
	struct boot_result *result = w->result;

	if (is_over)
		boot_judge_settle(&result->judge);
	note_progress(w, t);
	result->went_down = is_over && !failed && !boot_vm_was_closed(w->vm);
	if (w->gave_up)
		result->seconds = w->changed_at - w->start;
	else if (w->reached == REACHED_NOTHING)
		result->seconds = t - w->start;
	result->waited = t - w->start;
}

static int check_trouble(const struct watch *w, struct error *err)
{
	/* A signal that was for both of us may have come to QEMU first. */
	if (w->events->is_cancelled(w->events->ctx) || (boot_vm_was_closed(w->vm) && !w->req->gui))
		return error_set(err, ERROR_CANCELLED, "cancelled",
				 _("Cancelled; nothing was written."));
	if (boot_vm_read_failed(w->vm))
		return error_set(err, ERROR_IO, "read",
				 _("A part of it that the boot needs cannot be read."));
	return 0;
}

static int watch_machine(struct watch *w, struct error *err)
{
	bool failed = false;

	w->start = clock_seconds();
	/* Ends: at the latest when the time is over; in a window, when that is closed. */
	while (true) {
		bool is_over = boot_vm_is_over(w->vm, &failed);
		double t;

		if (!is_over && !boot_vm_watch(w->vm, TICK))
			boot_judge_settle(&w->result->judge);
		t = clock_seconds();
		if (!is_over && t - w->looked_at >= LOOK_EVERY) {
			w->looked_at = t;
			boot_vm_look(w->vm);
			look_at_graphics(w, t);
			look_at_activity(w, t);
		}
		note_progress(w, t);
		if (check_trouble(w, err) < 0)
			return -1;
		w->events->on_progress(w->events->ctx, w->r, t - w->start);
		if (is_over || is_enough(w, t)) {
			finish(w, t, is_over, failed);
			return is_over && failed;
		}
	}
}

int boot_watch(struct boot_vm *vm, const struct boot_test_request *req,
	       const struct boot_test_events *events, const struct boot_test_report *r,
	       struct boot_result *result, struct error *err)
{
	struct watch w = { .req = req, .events = events, .r = r, .vm = vm, .result = result };
	int status = watch_machine(&w, err);

	picture_done(&w.before);
	return status;
}
