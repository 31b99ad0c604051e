// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The engine on file targets: every size around the commit window, seekable
 * sources and streams, several targets of different sizes, cancelling, a gate
 * that says no, and a target that was changed behind its back.
 */
#include "io/engine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "tap.h"

#define MAX_TARGETS 4

static char dir[] = "/tmp/isowrite-engine-XXXXXX";

struct run {
	uint64_t size; /* of the image */
	bool is_stream;
	size_t n_targets;
	uint64_t sizes[MAX_TARGETS];
	bool no_verify, prehash, refuse;
};

struct state {
	struct source *src;
	struct plan *plans[MAX_TARGETS];
	struct engine_target targets[MAX_TARGETS];
	struct engine_source_facts gate_facts;
	struct error err;
	bool refuse;
};

static const char *path_of(const char *name)
{
	static char buf[4][256];
	static unsigned int turn;

	turn = (turn + 1) % 4;
	snprintf(buf[turn], sizeof(buf[turn]), "%s/%s", dir, name);
	return buf[turn];
}

static uint8_t pattern_at(uint64_t off)
{
	uint64_t x = (off / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15);

	x ^= x >> 29;
	return (uint8_t)(x >> (8 * (off % 8)));
}

static void make_file(const char *path, uint64_t size, bool with_pattern)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	uint8_t *buf = malloc(size + 1);

	for (uint64_t i = 0; i < size; i++)
		buf[i] = with_pattern ? pattern_at(i) : 0xa5;
	if (io_pwrite_full(fd, buf, size, 0) != (ssize_t)size)
		abort();
	free(buf);
	close(fd);
}

/* A stream: the bytes come from a pipe-like source, in odd pieces. */
struct stream {
	uint64_t pos, size;
};

static int stream_next(struct source *src, void *buf, size_t len, size_t *ret_len,
		       struct error *err)
{
	struct stream *s = src->priv;
	size_t n = (size_t)num_min(num_min(len, s->size - s->pos), 65521);

	(void)err;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)buf)[i] = pattern_at(s->pos + i);
	s->pos += n;
	*ret_len = n;
	return 0;
}

static void stream_close(struct source *src)
{
	free(src->priv);
}

static const struct source_ops stream_ops = { .name = "test",
					      .next = stream_next,
					      .close = stream_close };

static void open_source(struct state *st, const struct run *run)
{
	if (run->is_stream) {
		struct stream *s = calloc(1, sizeof(*s));

		s->size = run->size;
		st->src = source_new(&stream_ops, SOURCE_SEQUENTIAL, s);
		st->src->size = SOURCE_SIZE_UNKNOWN;
	} else {
		make_file(path_of("image"), run->size, true);
		if (source_open(path_of("image"), &st->src, &st->err) < 0)
			printf("# %s\n", st->err.msg);
	}
}

static int gate(void *ctx, const struct engine_source_facts *facts, struct error *err)
{
	struct state *st = ctx;

	st->gate_facts = *facts;
	return st->refuse ? error_set(err, ERROR_TRUST, "test", "refused by the test") : 0;
}

static struct plan *make_plan(const struct run *run, const struct geometry *geo, struct error *err)
{
	struct plan *plan = plan_new("raw", geo);
	int rc;

	if (run->is_stream)
		rc = plan_append_source_open(plan, "image", err);
	else
		rc = plan_append_source(plan, run->size, 0, 0, "image", err);
	if (rc == 0 && !run->is_stream)
		rc = plan_close(plan, run->size, err);
	CHECK(rc == 0);
	return plan;
}

static void open_targets(struct state *st, const struct run *run)
{
	for (size_t i = 0; i < run->n_targets; i++) {
		char name[32], spec[300];
		struct target *t = NULL;

		snprintf(name, sizeof(name), "target%zu", i);
		make_file(path_of(name), run->sizes[i], false);
		snprintf(spec, sizeof(spec), "file:%s", path_of(name));
		CHECK(target_look(spec, -1, 0, &t, &st->err) == 0);
		CHECK(t && target_open(t, &st->err) == 0);
		st->targets[i].target = t;
		for (size_t k = 0; k < i; k++)
			if (run->sizes[k] == run->sizes[i])
				st->targets[i].plan = st->targets[k].plan;
		if (!st->targets[i].plan)
			st->targets[i].plan = st->plans[i] = make_plan(run, &t->geo, &st->err);
	}
}

static void close_all(struct state *st)
{
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < MAX_TARGETS; i++) {
		if (st->targets[i].target)
			CHECK(target_close(st->targets[i].target, &err) == 0);
		target_free(st->targets[i].target);
		plan_free(st->plans[i]);
	}
	source_free(st->src);
}

static void do_run(struct state *st, const struct run *run)
{
	struct engine_config config = { .verify = !run->no_verify, .gate = gate, .gate_ctx = st };
	struct engine_source_facts facts = { 0 };
	struct engine *e = NULL;
	int waits = 0;

	memset(st, 0, sizeof(*st));
	st->refuse = run->refuse;
	open_source(st, run);
	open_targets(st, run);
	CHECK(engine_new(&config, &st->src, st->targets, run->n_targets, &e, &st->err) == 0);
	if (run->prehash)
		CHECK(engine_prehash(e, NULL, NULL, &facts, &st->err) == 0);
	CHECK(engine_start(e, &st->err) == 0);
	while (!engine_wait(e, 1000))
		CHECK(++waits < 60);
	if (run->prehash)
		CHECK(digest_is_equal(&facts.content_sha256, &st->gate_facts.content_sha256));
	engine_free(e);
}

static bool holds_image(uint64_t image_size, const char *name, uint64_t target_size)
{
	uint8_t *buf = malloc(target_size + 1);
	int fd = open(path_of(name), O_RDONLY);
	bool good = io_pread_full(fd, buf, target_size, 0) == (ssize_t)target_size;
	uint64_t zero_to = num_max(num_min(MIB, target_size), num_round_up(image_size, 512));

	for (uint64_t i = 0; good && i < target_size; i++) {
		uint8_t want = i < image_size ? pattern_at(i) :
			       i < zero_to || i + MIB >= target_size ? 0 :
								       0xa5;

		/* The zero pad may reach to the next aligned block. */
		if (buf[i] == want || (buf[i] == 0 && i >= image_size && i < image_size + 8192))
			continue;
		printf("# image %" PRIu64 " target %" PRIu64 ": byte %" PRIu64 " is %02x\n",
		       image_size, target_size, i, buf[i]);
		good = false;
	}
	close(fd);
	free(buf);
	return good;
}

static void check_run(const struct run *run)
{
	struct state st;

	do_run(&st, run);
	for (size_t i = 0; i < run->n_targets; i++) {
		const struct engine_result *r = &st.targets[i].result;
		char name[32], a[HASH_HEX_SIZE], b[HASH_HEX_SIZE];

		snprintf(name, sizeof(name), "target%zu", i);
		if (r->verdict != (run->no_verify ? ENGINE_WRITTEN : ENGINE_VERIFIED))
			printf("# image %" PRIu64 ": verdict %d: %s\n", run->size, r->verdict,
			       r->error.msg);
		CHECK(r->verdict == (run->no_verify ? ENGINE_WRITTEN : ENGINE_VERIFIED));
		CHECK(holds_image(run->size, name, run->sizes[i]));
		CHECK_U64(st.gate_facts.content_size, run->size);
		CHECK(st.gate_facts.content_sha256.len == 32);
		if (!run->no_verify)
			CHECK_STR(digest_hex(&r->content_sha256, a),
				  digest_hex(&st.gate_facts.content_sha256, b));
	}
	close_all(&st);
}

static const uint64_t image_sizes[] = {
	1,	 511,	      512,	   4096,	MIB - 1,     MIB,	  MIB + 1,
	2 * MIB, 3 * MIB - 5, 5 * MIB + 3, 7 * MIB - 512, 7 * MIB - 1, 8 * MIB,
};

static void test_every_size(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(image_sizes); i++)
		check_run(&(struct run){
			.size = image_sizes[i], .n_targets = 1, .sizes = { 8 * MIB } });
}

static void test_every_size_as_stream(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(image_sizes); i++)
		check_run(&(struct run){ .size = image_sizes[i],
					 .is_stream = true,
					 .n_targets = 1,
					 .sizes = { 8 * MIB } });
}

static void test_small_targets(void)
{
	static const uint64_t sizes[] = { 512, 4096, MIB, MIB + 512, 2 * MIB, 2 * MIB + 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		check_run(&(struct run){ .size = sizes[i], .n_targets = 1, .sizes = { sizes[i] } });
		check_run(&(struct run){ .size = sizes[i] - 300,
					 .is_stream = true,
					 .n_targets = 1,
					 .sizes = { sizes[i] } });
	}
}

static void test_unaligned_file(void)
{
	check_run(&(struct run){
		.size = 3 * MIB + 777, .n_targets = 1, .sizes = { 3 * MIB + 777 } });
	check_run(&(struct run){ .size = 777, .n_targets = 1, .sizes = { 777 } });
}

static void test_several_targets(void)
{
	static const uint64_t sizes[MAX_TARGETS] = { 32 * MIB, 24 * MIB + 4096, 32 * MIB,
						     40 * MIB };

	for (int stream = 0; stream < 2; stream++) {
		struct run run = { .size = 22 * MIB + 13,
				   .is_stream = stream,
				   .n_targets = MAX_TARGETS };

		memcpy(run.sizes, sizes, sizeof(sizes));
		check_run(&run);
		/* The image reaches into the smallest one's withheld tail. */
		run.size = 24 * MIB - 100;
		check_run(&run);
	}
}

static void test_prehash(void)
{
	check_run(&(struct run){
		.size = 9 * MIB + 1, .n_targets = 1, .sizes = { 16 * MIB }, .prehash = true });
}

static void test_no_verify(void)
{
	check_run(&(struct run){
		.size = 5 * MIB, .n_targets = 1, .sizes = { 16 * MIB }, .no_verify = true });
}

static void test_plain_path(void)
{
	setenv("ISOWRITE_ENGINE", "plain", 1);
	check_run(&(struct run){
		.size = 5 * MIB + 9, .n_targets = 2, .sizes = { 16 * MIB, 9 * MIB } });
	unsetenv("ISOWRITE_ENGINE");
}

/* A gate that says no leaves the commit window zero: nothing bootable. */
static void test_refused_at_the_gate(void)
{
	static const struct run run = { .size = 4 * MIB,
					.is_stream = true,
					.n_targets = 1,
					.sizes = { 8 * MIB },
					.refuse = true };
	struct state st;
	uint8_t *buf = malloc(MIB);
	bool zero = true;
	int fd;

	do_run(&st, &run);
	CHECK(st.targets[0].result.verdict == ENGINE_FAILED);
	CHECK(st.targets[0].result.error.kind == ERROR_TRUST);
	fd = open(path_of("target0"), O_RDONLY);
	for (int end = 0; end < 2; end++) {
		CHECK(io_pread_full(fd, buf, MIB, end ? 7 * MIB : 0) == (ssize_t)MIB);
		for (size_t i = 0; i < MIB; i++)
			zero &= buf[i] == 0;
	}
	CHECK(zero);
	close(fd);
	free(buf);
	close_all(&st);
}

static void test_stream_too_large(void)
{
	static const struct run run = {
		.size = 9 * MIB, .is_stream = true, .n_targets = 2, .sizes = { 8 * MIB, 16 * MIB }
	};
	struct state st;

	do_run(&st, &run);
	CHECK(st.targets[0].result.verdict == ENGINE_FAILED);
	CHECK(st.targets[0].result.error.kind == ERROR_FIT);
	CHECK(st.targets[1].result.verdict == ENGINE_VERIFIED);
	close_all(&st);
}

static void test_check(void)
{
	static const struct run run = { .size = 6 * MIB + 5, .n_targets = 1, .sizes = { 8 * MIB } };
	struct engine_config config = { .verify = true };
	struct engine_source_facts facts;
	struct state st;
	int fd;

	do_run(&st, &run);
	CHECK(engine_check(&config, &st.src, &st.targets[0], &facts, NULL, NULL, &st.err) == 0);
	CHECK(st.targets[0].result.verdict == ENGINE_VERIFIED);
	fd = open(path_of("target0"), O_RDWR);
	CHECK(pwrite(fd, "x", 1, 3 * MIB + 77) == 1);
	CHECK(fsync(fd) == 0);
	CHECK(engine_check(&config, &st.src, &st.targets[0], &facts, NULL, NULL, &st.err) == 0);
	CHECK(st.targets[0].result.verdict == ENGINE_FAILED);
	CHECK(st.targets[0].result.error.kind == ERROR_DIFFERS);
	CHECK_U64(st.targets[0].result.mismatch.offset, 3 * MIB + 77);
	CHECK_U64(st.targets[0].result.mismatch.bad_bytes, 512);
	CHECK(st.targets[0].result.mismatch.pattern == PATTERN_FLIPS);
	close(fd);
	close_all(&st);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	RUN(test_every_size);
	RUN(test_every_size_as_stream);
	RUN(test_small_targets);
	RUN(test_unaligned_file);
	RUN(test_several_targets);
	RUN(test_prehash);
	RUN(test_no_verify);
	RUN(test_plain_path);
	RUN(test_refused_at_the_gate);
	RUN(test_stream_too_large);
	RUN(test_check);
	for (size_t i = 0; i < MAX_TARGETS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "target%zu", i);
		unlink(path_of(name));
	}
	unlink(path_of("image"));
	rmdir(dir);
	return tap_done();
}
