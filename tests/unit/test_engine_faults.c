// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Everything that can end a run before its time, one after the other: a target
 * that fails or a cancel at every step of a target's work, a source that fails
 * at its begin, in the middle and at its end, a gate that says no; with one
 * target and beside others, from a file and from a stream. Each run has to end,
 * the other targets are none the worse, and what is not finished does not look
 * so.
 */
#include "io/engine.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "image/source-internal.h"
#include "tap.h"

#define OLD 0xa5
#define N_TARGETS 3
#define BAD 1 /* the one with the fault, unless all have it */
#define NEVER UINT64_MAX

static char dir[] = "/tmp/isowrite-faults-XXXXXX";

/* The steps of a target: flushes 1 to 4 and drops of the cache 1 and 2. */
enum step { FLUSH, DROP };

enum fault {
	NONE,
	FAILS,	   /* the step itself */
	READ_ONLY, /* no write works from there on */
	WRITE_ONLY,
	CANCEL,
	SLOW, /* takes a second */
};

struct scene {
	enum fault fault;
	enum step step;
	unsigned int nth;
	bool all;
	bool is_stream;
	uint64_t image_size, target_size;
	uint64_t source_fails_at; /* or NEVER */
	bool refuse;
};

struct victim {
	struct target *target;
	struct target_ops ops;
	const struct target_ops *real;
	unsigned int count[2];
	bool has_fault;
};

static const struct scene *scene;
static struct victim victims[N_TARGETS];
static struct engine *engine;

static const char *path_of(const char *name, size_t i)
{
	static char buf[2][256];
	static unsigned int turn;

	turn = !turn;
	snprintf(buf[turn], sizeof(buf[turn]), "%s/%s%zu", dir, name, i);
	return buf[turn];
}

static uint8_t byte_at(uint64_t off)
{
	return (uint8_t)((off * 2654435761u) >> 13);
}

static struct victim *victim_of(const struct target *t)
{
	for (size_t i = 0; i < N_TARGETS; i++)
		if (victims[i].target == t)
			return &victims[i];
	abort();
}

/* The same descriptors, opened in another way. */
static void reopen(const struct target *t, int flags)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", t->fd_buffered);
	fd = open(path, flags | O_CLOEXEC);
	CHECK(fd >= 0 && dup3(fd, t->fd, O_CLOEXEC) >= 0);
	CHECK(dup3(fd, t->fd_buffered, O_CLOEXEC) >= 0);
	close(fd);
}

static int take_step(struct target *t, enum step step, struct error *err)
{
	const struct timespec second = { .tv_sec = 1 };
	struct victim *v = victim_of(t);
	bool is_now = ++v->count[step] == scene->nth && step == scene->step && v->has_fault;
	int rc = step == FLUSH ? v->real->flush(t, err) : v->real->drop_cache(t, err);

	switch (is_now ? scene->fault : NONE) {
	case FAILS:
		return error_set(err, ERROR_IO, "test", "failed by the test");
	case READ_ONLY:
		reopen(t, O_RDONLY);
		break;
	case WRITE_ONLY:
		reopen(t, O_WRONLY);
		break;
	case CANCEL:
		engine_cancel(engine);
		break;
	case SLOW:
		nanosleep(&second, NULL);
		break;
	case NONE:
		break;
	}
	return rc;
}

static int flush(struct target *t, struct error *err)
{
	return take_step(t, FLUSH, err);
}

static int drop_cache(struct target *t, struct error *err)
{
	return take_step(t, DROP, err);
}

static int fill(uint64_t off, uint8_t *buf, size_t len, struct error *err)
{
	if (off + len > scene->source_fails_at)
		return error_set(err, ERROR_IO, "test-source", "the source fails");
	for (size_t i = 0; i < len; i++)
		buf[i] = byte_at(off + i);
	return 0;
}

static int read_at(struct source *src, uint64_t off, void *buf, size_t len, struct error *err)
{
	(void)src;
	return fill(off, buf, len, err);
}

static int next(struct source *src, void *buf, size_t len, size_t *ret_len, struct error *err)
{
	uint64_t *pos = src->priv;
	size_t n = (size_t)num_min(num_min(len, scene->image_size - *pos), 100000);

	/* What fails at the image's end fails in place of the verified end. */
	if (n == 0 && scene->source_fails_at == scene->image_size)
		return error_set(err, ERROR_IO, "test-source", "the source fails");
	if (fill(*pos, buf, n, err) < 0)
		return -1;
	*pos += n;
	*ret_len = n;
	return 0;
}

static const struct source_ops random_ops = { .name = "test", .read_at = read_at };
static const struct source_ops stream_ops = { .name = "test", .next = next };

static void make_target(size_t i, const char *path)
{
	struct error err = ERROR_INIT;
	struct victim *v = &victims[i];
	char spec[300];
	uint8_t *old = malloc(scene->target_size);
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	memset(old, OLD, scene->target_size);
	CHECK(io_pwrite_full(fd, old, scene->target_size, 0) == (ssize_t)scene->target_size);
	close(fd);
	free(old);
	memset(v, 0, sizeof(*v));
	snprintf(spec, sizeof(spec), "file:%s", path);
	CHECK(target_look(spec, -1, 0, &v->target, &err) == 0);
	CHECK(target_open(v->target, &err) == 0);
	v->real = v->target->ops;
	v->ops = *v->real;
	v->ops.flush = flush;
	v->ops.drop_cache = drop_cache;
	v->target->ops = &v->ops;
	v->has_fault = scene->all || i == BAD;
	if (scene->fault == READ_ONLY && scene->nth == 0 && v->has_fault)
		reopen(v->target, O_RDONLY);
}

static bool is_all(const uint8_t *buf, uint64_t len, uint8_t value)
{
	return buf[0] == value && memcmp(buf, buf + 1, len - 1) == 0;
}

/* What the target holds is what the verdict says. */
static void judge(const struct engine_result *r, const char *path, bool may_be_good, bool may_fail)
{
	uint64_t size = scene->target_size, image = scene->image_size;
	uint8_t *buf = malloc(size);
	bool holds = true;
	int fd = open(path, O_RDONLY);

	CHECK(io_pread_full(fd, buf, size, 0) == (ssize_t)size);
	close(fd);
	for (uint64_t i = 0; i < image && holds; i++)
		holds = buf[i] == byte_at(i);
	switch (r->verdict) {
	case ENGINE_VERIFIED:
		CHECK(may_be_good);
		CHECK(holds && is_all(buf + size - MIB, MIB, 0));
		CHECK(r->error.kind == ERROR_NONE);
		break;
	case ENGINE_UNTOUCHED:
		CHECK(may_fail);
		CHECK(is_all(buf, size, OLD));
		break;
	case ENGINE_FAILED:
	case ENGINE_CANCELLED:
		CHECK(may_fail);
		CHECK(r->error.kind != ERROR_NONE);
		/* Nothing could be written to it at all. */
		if (is_all(buf, size, OLD)) {
			CHECK(scene->fault == READ_ONLY && scene->nth == 0);
			break;
		}
		/* What a stick is recognised by; the rest of its head may be there already. */
		CHECK(is_all(buf, 96 * KIB, 0));
		CHECK(is_all(buf + size - MIB, MIB, 0));
		break;
	case ENGINE_WRITTEN:
		CHECK(!"it is verified or not");
	}
	free(buf);
}

static int gate(void *ctx, const struct engine_source_facts *facts, struct error *err)
{
	(void)ctx;
	CHECK_U64(facts->content_size, scene->image_size);
	CHECK(facts->content_sha256.len == 32);
	return scene->refuse ? error_set(err, ERROR_TRUST, "test", "refused by the test") : 0;
}

static void play(const struct scene *s)
{
	struct engine_config config = { .verify = true, .gate = gate };
	struct engine_target targets[N_TARGETS] = { 0 };
	struct error err = ERROR_INIT;
	uint64_t pos = 0;
	struct source *src = source_new(s->is_stream ? &stream_ops : &random_ops,
					s->is_stream ? SOURCE_SEQUENTIAL : SOURCE_RANDOM, &pos);
	bool spoils_all = s->fault == CANCEL || s->refuse || s->source_fails_at != NEVER;
	struct plan *plan;
	int waits = 0;

	scene = s;
	if (!s->is_stream)
		src->size = s->image_size;
	for (size_t i = 0; i < N_TARGETS; i++) {
		make_target(i, path_of("target", i));
		targets[i].target = victims[i].target;
	}
	plan = plan_new("raw", &victims[0].target->geo);
	if (s->is_stream)
		CHECK(plan_append_source_open(plan, "image", &err) == 0);
	else
		CHECK(plan_append_source(plan, s->image_size, 0, 0, "image", &err) == 0 &&
		      plan_close(plan, 0, &err) == 0);
	for (size_t i = 0; i < N_TARGETS; i++)
		targets[i].plan = plan;
	CHECK(engine_new(&config, &src, targets, N_TARGETS, &engine, &err) == 0);
	CHECK(engine_start(engine, &err) == 0);
	while (!engine_wait(engine, 1000) && waits++ < 60)
		;
	CHECK(waits < 60);
	for (size_t i = 0; i < N_TARGETS; i++) {
		bool is_hurt = victims[i].has_fault && s->fault != NONE && s->fault != SLOW;

		judge(&targets[i].result, path_of("target", i),
		      (!is_hurt && s->source_fails_at == NEVER && !s->refuse) || s->fault == CANCEL,
		      is_hurt || spoils_all);
	}
	engine_free(engine);
	for (size_t i = 0; i < N_TARGETS; i++) {
		victims[i].target->ops = victims[i].real;
		CHECK(target_close(victims[i].target, &err) == 0);
		target_free(victims[i].target);
	}
	plan_free(plan);
	source_free(src);
	if (tap_test_failed)
		printf("# scene: fault %d at step %d.%u, all %d, stream %d, image %llu, source %lld\n",
		       s->fault, s->step, s->nth, s->all, s->is_stream,
		       (unsigned long long)s->image_size, (long long)s->source_fails_at);
}

static struct scene scene_of(enum fault fault, enum step step, unsigned int nth)
{
	return (struct scene){ .fault = fault,
			       .step = step,
			       .nth = nth,
			       .image_size = 3 * MIB + 700,
			       .target_size = 5 * MIB,
			       .source_fails_at = NEVER };
}

/* One of three from a file, all three from a stream. */
static void play_all(struct scene s)
{
	for (int i = 0; i < 2; i++) {
		s.all = s.is_stream = i;
		play(&s);
	}
}

static void test_failing_steps(void)
{
	for (unsigned int nth = 1; nth <= 4; nth++)
		play_all(scene_of(FAILS, FLUSH, nth));
	for (unsigned int nth = 1; nth <= 2; nth++)
		play_all(scene_of(FAILS, DROP, nth));
}

/* Each failure is tried again for half a second. */
static void test_failing_requests(void)
{
	setenv("ISOWRITE_ENGINE", "plain", 1);
	for (unsigned int nth = 0; nth <= 3; nth++)
		play_all(scene_of(READ_ONLY, FLUSH, nth));
	for (unsigned int nth = 1; nth <= 2; nth++)
		play_all(scene_of(WRITE_ONLY, DROP, nth));
	unsetenv("ISOWRITE_ENGINE");
}

static void test_cancel_at_every_step(void)
{
	for (unsigned int nth = 1; nth <= 4; nth++)
		play_all(scene_of(CANCEL, FLUSH, nth));
	for (unsigned int nth = 1; nth <= 2; nth++)
		play_all(scene_of(CANCEL, DROP, nth));
}

static void test_failing_source(void)
{
	struct scene s = scene_of(NONE, FLUSH, 0);
	const uint64_t places[] = { 0, MIB, MIB + 1, 2 * MIB + 5, 3 * MIB + 699, 3 * MIB + 700 };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		s.source_fails_at = places[i];
		s.is_stream = true;
		play(&s);
		s.is_stream = false;
		if (places[i] < s.image_size)
			play(&s);
	}
}

static void test_refusing_gate(void)
{
	struct scene s = scene_of(FAILS, FLUSH, 2);

	s.refuse = true;
	play_all(s);
	s.fault = SLOW;
	play_all(s);
}

/* The slow one gets a lane of its own (a stream has to wait), and fails or not. */
static void test_slow_target(void)
{
	static const enum fault faults[] = { SLOW, CANCEL };

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct scene s = scene_of(faults[i], FLUSH, 1);

		s.image_size = 40 * MIB + 1;
		s.target_size = 44 * MIB;
		play(&s);
		s.is_stream = true;
		play(&s);
	}
}

/* The last target dies while a pipe says nothing: the end must not wait for it. */
static void test_silent_pipe(void)
{
	static struct scene s;
	struct engine_config config = { .verify = true };
	struct engine_target target = { 0 };
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	uint8_t *data = calloc(1, 2 * MIB);
	int fd, waits = 0;

	s = scene_of(FAILS, FLUSH, 1);
	s.all = true;
	scene = &s;
	CHECK(mkfifo(path_of("pipe", 0), 0600) == 0);
	fd = open(path_of("pipe", 0), O_RDWR);
	CHECK(source_open(path_of("pipe", 0), &src, &err) == 0);
	CHECK(fcntl(fd, F_SETPIPE_SZ, 2 * MIB) > 0 || fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	CHECK(write(fd, data, MIB + 5) > 0);
	make_target(0, path_of("target", 0));
	target.target = victims[0].target;
	target.plan = plan_new("raw", &victims[0].target->geo);
	CHECK(plan_append_source_open(target.plan, "image", &err) == 0);
	CHECK(engine_new(&config, &src, &target, 1, &engine, &err) == 0);
	CHECK(engine_start(engine, &err) == 0);
	while (!engine_wait(engine, 100) && waits++ < 100)
		;
	CHECK(waits < 100);
	CHECK(target.result.verdict == ENGINE_FAILED);
	CHECK_STR(target.result.error.code, "test");
	if (waits >= 100)
		engine_cancel(engine);
	engine_free(engine);
	victims[0].target->ops = victims[0].real;
	CHECK(target_close(victims[0].target, &err) == 0);
	target_free(victims[0].target);
	plan_free(target.plan);
	source_free(src);
	close(fd);
	free(data);
	unlink(path_of("pipe", 0));
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	RUN(test_failing_steps);
	RUN(test_failing_requests);
	RUN(test_cancel_at_every_step);
	RUN(test_failing_source);
	RUN(test_refusing_gate);
	RUN(test_slow_target);
	RUN(test_silent_pipe);
	for (size_t i = 0; i < N_TARGETS; i++)
		unlink(path_of("target", i));
	rmdir(dir);
	return tap_done();
}
