// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The job's decisions before anything is written: which rule is lifted by what,
 * the question, the order of steps, all on made-up devices and on plain files.
 */
#include "job/job.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "job/job-state.h"
#include "tap.h"

/* What the fake user says, and what was asked. */
struct user {
	enum answer write, size;
	int asked_write, asked_size;
	char expected[64];
	bool cancels;
	int planned, done, warnings;
};

static void user_emit(void *ctx, const struct event *ev)
{
	struct user *u = ctx;

	u->planned += ev->kind == EVENT_PLANNED;
	u->done += ev->kind == EVENT_TARGET_DONE;
	u->warnings += ev->kind == EVENT_WARNING;
}

static enum answer user_ask(void *ctx, const struct question *q)
{
	struct user *u = ctx;

	if (q->kind == QUESTION_WRITE) {
		u->asked_write++;
		return u->write;
	}
	u->asked_size++;
	snprintf(u->expected, sizeof(u->expected), "%s", q->expected);
	return u->size;
}

static bool user_is_cancelled(void *ctx)
{
	return ((struct user *)ctx)->cancels;
}

static struct events events_of(struct user *u)
{
	return (struct events){ user_emit, user_ask, user_is_cancelled, u };
}

/* A job over made-up devices, none of which is ever opened. */
struct fake {
	struct user user;
	struct events events;
	struct job_request req;
	struct job job;
	struct report *r;
	struct source source;
	const char *names[2];
};

static void fake_init(struct fake *f, size_t n_targets)
{
	struct error err = ERROR_INIT;

	memset(f, 0, sizeof(*f));
	f->events = events_of(&f->user);
	f->names[0] = "/dev/sdb";
	f->names[1] = "/dev/sdc";
	f->req.targets = f->names;
	f->req.n_targets = n_targets;
	f->req.image = "fake.iso";
	f->r = report_new("write");
	CHECK(job_init(&f->job, &f->req, &f->events, f->r, &err) == 0);
	f->source.fd = -1;
	f->job.source = &f->source;
	for (size_t i = 0; i < n_targets; i++) {
		struct target *t = calloc(1, sizeof(*t));

		t->path = strdup(f->names[i]);
		t->path_fd = t->fd = t->fd_buffered = t->lock_fd = -1;
		f->r->targets[i].info.size = UINT64_C(32000000000);
		f->job.targets[i].target = t;
	}
}

static void fake_refuse(struct fake *f, size_t i, enum device_rule rule)
{
	struct device_info *info = &f->r->targets[i].info;
	struct device_refusal *refusal = &info->refused[info->n_refused++];

	refusal->rule = rule;
	snprintf(refusal->why, sizeof(refusal->why), "because of %s.", device_rule_name(rule));
}

static void fake_done(struct fake *f)
{
	f->job.source = NULL;
	job_done(&f->job);
	report_free(f->r);
}

enum how { HOW_ASKING, HOW_YES, HOW_YES_UNMOUNT, HOW_YES_ALLOW, HOW_ALL, N_HOWS };

static bool is_lifted(enum device_rule rule, enum how how)
{
	struct fake f;
	bool lifted;

	fake_init(&f, 1);
	fake_refuse(&f, 0, rule);
	f.req.yes = how != HOW_ASKING;
	f.req.unmount = how == HOW_YES_UNMOUNT || how == HOW_ALL;
	if (how == HOW_YES_ALLOW)
		f.req.allow = 1U << rule;
	if (how == HOW_ALL)
		f.req.allow = UINT32_MAX;
	job_apply_rules(&f.job);
	lifted = f.r->targets[0].error.kind == ERROR_NONE;
	CHECK(lifted || f.r->targets[0].error.kind == ERROR_REFUSED);
	CHECK(lifted || (f.r->targets[0].has_rule && f.r->targets[0].rule == rule));
	CHECK(lifted || strstr(f.r->targets[0].error.msg, device_rule_name(rule)));
	CHECK(lifted == (job_check_targets(&f.job) == 0));
	fake_done(&f);
	return lifted;
}

static void test_what_lifts_each_rule(void)
{
	/* By asking, --yes, --yes --unmount, --yes --allow=RULE, everything at once. */
	static const bool lifts[N_DEVICE_RULES][N_HOWS] = {
		[RULE_SYSTEM] = { 0, 0, 0, 0, 0 },      [RULE_SOURCE] = { 0, 0, 0, 0, 0 },
		[RULE_READONLY] = { 0, 0, 0, 0, 0 },    [RULE_HELD] = { 0, 0, 0, 0, 0 },
		[RULE_PROTECTED] = { 0, 0, 0, 0, 0 },   [RULE_MOUNTED] = { 1, 0, 1, 0, 1 },
		[RULE_INTERNAL] = { 0, 0, 0, 1, 1 },    [RULE_CONTENTS] = { 1, 0, 0, 1, 1 },
		[RULE_LARGE] = { 0, 0, 0, 1, 1 },       [RULE_PARTITION] = { 0, 0, 0, 1, 1 },
		[RULE_FILE_IN_USE] = { 0, 0, 0, 0, 0 },
	};

	for (int rule = 0; rule < N_DEVICE_RULES; rule++) {
		for (int how = 0; how < N_HOWS; how++) {
			bool got = is_lifted((enum device_rule)rule, (enum how)how);

			if (got != lifts[rule][how])
				printf("# rule %s, how %d\n",
				       device_rule_name((enum device_rule)rule), how);
			CHECK(got == lifts[rule][how]);
		}
	}
}

static void test_every_rule_that_stands_is_named(void)
{
	struct fake f;

	fake_init(&f, 1);
	fake_refuse(&f, 0, RULE_INTERNAL);
	fake_refuse(&f, 0, RULE_CONTENTS);
	fake_refuse(&f, 0, RULE_LARGE);
	f.req.yes = true;
	job_apply_rules(&f.job);
	CHECK_STR(f.r->targets[0].error.msg,
		  "/dev/sdb refused (rule internal): because of internal. --allow=internal lifts "
		  "this. Also refused by: contents, large.");
	fake_done(&f);
}

/* The rules that nothing lifts come first, whatever else there is. */
static void test_never_is_said_first(void)
{
	struct fake f;

	fake_init(&f, 1);
	fake_refuse(&f, 0, RULE_HELD);
	fake_refuse(&f, 0, RULE_INTERNAL);
	job_apply_rules(&f.job);
	CHECK(f.r->targets[0].rule == RULE_HELD);
	CHECK(strstr(f.r->targets[0].error.msg, "cannot be lifted"));
	fake_done(&f);
}

static int confirm(struct fake *f)
{
	struct error err = ERROR_INIT;
	int rc;

	job_apply_rules(&f->job);
	rc = job_confirm(&f->job, &err);
	CHECK(f->user.planned == 1);
	return rc < 0 ? error_kind_exit_status(err.kind) : 0;
}

static void test_the_question(void)
{
	struct fake f;

	fake_init(&f, 1);
	f.user.write = ANSWER_YES;
	CHECK(confirm(&f) == 0 && f.user.asked_write == 1 && f.user.asked_size == 0);
	fake_done(&f);

	fake_init(&f, 1);
	f.user.write = ANSWER_NO;
	CHECK(confirm(&f) == 8);
	fake_done(&f);

	fake_init(&f, 1);
	f.user.write = ANSWER_CANNOT_ASK;
	CHECK(confirm(&f) == 2);
	fake_done(&f);

	fake_init(&f, 1);
	f.req.yes = true;
	CHECK(confirm(&f) == 0 && f.user.asked_write == 0);
	fake_done(&f);
}

/* A disk with an ext4 volume is erased neither by `y` nor by --yes alone. */
static void test_contents_are_not_lifted_by_y(void)
{
	struct fake f;

	fake_init(&f, 1);
	fake_refuse(&f, 0, RULE_CONTENTS);
	f.user.write = ANSWER_YES;
	f.user.size = ANSWER_NO;
	CHECK(confirm(&f) == 8 && f.user.asked_size == 1);
	CHECK_STR(f.user.expected, "32 GB");
	fake_done(&f);

	fake_init(&f, 1);
	fake_refuse(&f, 0, RULE_CONTENTS);
	f.user.size = ANSWER_YES; /* typed */
	CHECK(confirm(&f) == 0 && f.user.asked_size == 1 && f.user.asked_write == 0);
	fake_done(&f);

	fake_init(&f, 1);
	fake_refuse(&f, 0, RULE_CONTENTS);
	f.user.size = ANSWER_CANNOT_ASK;
	CHECK(confirm(&f) == 2);
	fake_done(&f);
}

/* One stick that needs typing and one that does not: both questions. */
static void test_typing_covers_its_own_target_only(void)
{
	struct fake f;

	fake_init(&f, 2);
	fake_refuse(&f, 1, RULE_CONTENTS);
	f.user.size = ANSWER_YES;
	f.user.write = ANSWER_NO;
	CHECK(confirm(&f) == 8 && f.user.asked_size == 1 && f.user.asked_write == 1);
	fake_done(&f);
}

static void test_keep_going(void)
{
	struct fake f;

	fake_init(&f, 2);
	fake_refuse(&f, 0, RULE_SYSTEM);
	job_apply_rules(&f.job);
	CHECK(job_check_targets(&f.job) == -1);
	f.req.keep_going = true;
	CHECK(job_check_targets(&f.job) == 0);
	CHECK(!job_is_live(&f.job, 0) && job_is_live(&f.job, 1));
	fake_done(&f);
}

static char dir[] = "/tmp/test_job.XXXXXX";

static void make_file(const char *name, size_t size, int fill)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char *buf = malloc(size);

	memset(buf, fill, size);
	CHECK(io_pwrite_full(fd, buf, size, 0) == (ssize_t)size);
	free(buf);
	close(fd);
}

static bool is_filled(const char *name, uint64_t off, size_t size, int fill)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	char *buf = malloc(size);
	bool ok = io_pread_full(fd, buf, size, off) == (ssize_t)size;

	for (size_t i = 0; ok && i < size; i++)
		ok = buf[i] == (char)fill;
	free(buf);
	close(fd);
	return ok;
}

/* A whole job on a file; returns its exit status. */
static int run(const struct job_request *req, struct user *u, struct report **ret)
{
	const struct events events = events_of(u);
	struct report *r = report_new("write");
	int status = job_write(req, &events, r);

	CHECK(status == r->exit_status);
	CHECK(r->finished != 0);
	if (ret)
		*ret = r;
	else
		report_free(r);
	return status;
}

static void test_no_writes_nothing(void)
{
	static const char *const targets[] = { "stick" };
	struct job_request req = { .image = "image", .targets = targets, .n_targets = 1 };
	struct user u = { .write = ANSWER_NO };
	struct report *r;

	make_file("image", 3 << 20, 'i');
	make_file("stick", 8 << 20, 0);
	CHECK(run(&req, &u, &r) == 8);
	CHECK(r->targets[0].status == TARGET_UNTOUCHED);
	CHECK(is_filled("stick", 0, 8 << 20, 0));
	report_free(r);
}

static void test_yes_writes_and_verifies(void)
{
	static const char *const targets[] = { "stick" };
	struct job_request req = { .image = "image", .targets = targets, .n_targets = 1 };
	struct user u = { .write = ANSWER_YES };
	struct report *r;

	make_file("image", 3 << 20, 'i');
	make_file("stick", 8 << 20, 0);
	CHECK(run(&req, &u, &r) == 0);
	CHECK(r->targets[0].status == TARGET_VERIFIED);
	CHECK(r->targets[0].can_unplug && u.done == 1);
	CHECK(is_filled("stick", 0, 3 << 20, 'i'));
	CHECK(is_filled("stick", 3 << 20, 5 << 20, 0));
	CHECK(digest_is_equal(&r->targets[0].result.sha256, &r->plans[0].sha256));
	CHECK(digest_is_equal(&r->targets[0].result.content_sha256, &r->image_sha256));
	report_free(r);
}

/* format: the same story without an image; each stick has its own numbers unless seeded. */
static struct report *run_format(struct job_request *req, struct user *u, int want)
{
	static const struct format_request format = { .label = "key", .seed = { 7 } };
	const struct events events = events_of(u);
	struct report *r = report_new("format");

	req->format = &format;
	CHECK(job_write(req, &events, r) == want);
	CHECK(r->exit_status == want);
	return r;
}

static void test_format(void)
{
	static const char *const targets[] = { "stick", "stick2" };
	struct job_request req = { .targets = targets, .n_targets = 2 };
	struct user u = { .write = ANSWER_NO };
	struct report *r;

	make_file("stick", 64 << 20, 0);
	make_file("stick2", 64 << 20, 0);
	r = run_format(&req, &u, 8);
	CHECK(u.asked_write == 1);
	CHECK(r->targets[0].status == TARGET_UNTOUCHED);
	CHECK(is_filled("stick", 0, 64 << 20, 0));
	report_free(r);
	u.write = ANSWER_YES;
	r = run_format(&req, &u, 0);
	CHECK(r->targets[0].status == TARGET_VERIFIED && r->targets[1].status == TARGET_VERIFIED);
	CHECK(r->n_plans == 2 && r->plans[0].volume.serial != r->plans[1].volume.serial);
	CHECK_STR(r->plans[0].volume.label, "KEY");
	CHECK(digest_is_equal(&r->targets[1].result.sha256, &r->plans[1].sha256));
	CHECK(r->targets[0].result.content_sha256.len == 0);
	CHECK(!report_has_image(r));
	report_free(r);
	make_file("stick", 64 << 20, 0);
	make_file("stick2", 64 << 20, 0);
	req.has_format_seed = true;
	r = run_format(&req, &u, 0);
	CHECK(r->n_plans == 1);
	report_free(r);
	/* Too small for any volume: this target's error, and nothing is written to the other. */
	make_file("stick", 64 << 20, 0);
	make_file("stick2", 4 << 20, 0);
	r = run_format(&req, &u, 5);
	CHECK_STR(r->targets[1].error.code, "too-small");
	CHECK(is_filled("stick", 0, 64 << 20, 0));
	report_free(r);
}

static void test_format_dry_run(void)
{
	static const struct format_request format = { .type = FORMAT_EXFAT };
	static const char *const targets[] = { "stick" };
	const struct job_request req = { .targets = targets, .n_targets = 1, .format = &format };
	struct user u = { .write = ANSWER_YES };
	const struct events events = events_of(&u);
	struct report *r = report_new("format");

	make_file("stick", 64 << 20, 0);
	CHECK(job_plan(&req, &events, r) == 0);
	CHECK(r->is_dry_run && r->n_plans == 1 && u.asked_write == 0);
	CHECK(is_filled("stick", 0, 64 << 20, 0));
	report_free(r);
}

static void test_cancelled_at_once(void)
{
	static const char *const targets[] = { "stick" };
	struct job_request req = {
		.image = "image", .targets = targets, .n_targets = 1, .yes = true
	};
	struct user u = { .cancels = true };
	struct report *r;

	make_file("image", 40 << 20, 'i');
	make_file("stick", 64 << 20, 0);
	CHECK(run(&req, &u, &r) == 8);
	CHECK(r->targets[0].status == TARGET_CANCELLED || r->targets[0].status == TARGET_UNTOUCHED);
	CHECK(!r->targets[0].can_unplug);
	CHECK(is_filled("stick", 0, 1 << 20, 0));
	report_free(r);
}

/* A wrong digest is known before the question. */
static void test_digest_before_the_question(void)
{
	static const char *const targets[] = { "stick" };
	struct job_request req = { .image = "image", .targets = targets, .n_targets = 1 };
	struct user u = { .write = ANSWER_YES };
	struct report *r;

	make_file("image", 3 << 20, 'i');
	make_file("stick", 8 << 20, 0);
	req.n_want = 1;
	req.want[0] = (struct digest){ .alg = hash_alg_name("sha256"), .len = HASH_SHA256_SIZE };
	CHECK(run(&req, &u, &r) == 9);
	CHECK(u.asked_write == 0 && u.planned == 0);
	CHECK(r->trust == TRUST_MISMATCH && r->image_sha256.len == HASH_SHA256_SIZE);
	CHECK(is_filled("stick", 0, 8 << 20, 0));
	req.want[0] = r->image_sha256;
	report_free(r);
	CHECK(run(&req, &u, &r) == 0);
	CHECK(r->trust == TRUST_DIGEST);
	report_free(r);
}

static void test_plan_asks_nothing(void)
{
	static const char *const targets[] = { "stick" };
	struct job_request req = { .image = "image", .targets = targets, .n_targets = 1 };
	struct user u = { .write = ANSWER_YES };
	const struct events events = events_of(&u);
	struct report *r = report_new("plan");

	make_file("image", 3 << 20, 'i');
	make_file("stick", 8 << 20, 0);
	CHECK(job_plan(&req, &events, r) == 0);
	CHECK(r->n_plans == 1 && r->targets[0].plan == 0 && u.asked_write == 0);
	CHECK(is_filled("stick", 0, 8 << 20, 0));
	report_free(r);
}

int main(void)
{
	RUN(test_what_lifts_each_rule);
	RUN(test_every_rule_that_stands_is_named);
	RUN(test_never_is_said_first);
	RUN(test_the_question);
	RUN(test_contents_are_not_lifted_by_y);
	RUN(test_typing_covers_its_own_target_only);
	RUN(test_keep_going);
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 1;
	RUN(test_no_writes_nothing);
	RUN(test_yes_writes_and_verifies);
	RUN(test_format);
	RUN(test_format_dry_run);
	RUN(test_cancelled_at_once);
	RUN(test_digest_before_the_question);
	RUN(test_plan_asks_nothing);
	unlink("image");
	unlink("stick");
	if (chdir("/") == 0)
		rmdir(dir);
	return tap_done();
}
