// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The engine on plans of many small extents of every kind, on two targets of
 * different sizes whose plans share a beginning: what is not planned keeps its
 * bytes, what is planned is written, and the read-back looks at every planned
 * byte once: a change anywhere is found at its place, one in kept bytes is not.
 */
#include "io/engine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "tap.h"

#define OLD 0xa5   /* what the targets hold before */
#define BLOCK 4096 /* kept bytes begin and end on multiples of it */
#define IMAGE_SIZE (6 * MIB + 1234)

/* The image as a stream that gives out pieces of odd sizes. */
static uint64_t stream_pos;

static int stream_next(struct source *src, void *buf, size_t len, size_t *ret_len,
		       struct error *err)
{
	uint64_t n = num_min(num_min(len, IMAGE_SIZE - stream_pos), 70001);

	(void)src;
	(void)err;
	memcpy(buf, *(uint8_t **)src->priv + stream_pos, n);
	stream_pos += n;
	*ret_len = n;
	return 0;
}

static int stream_rewind(struct source *src, struct error *err)
{
	(void)src;
	(void)err;
	stream_pos = 0;
	return 0;
}

static const struct source_ops stream_ops = {
	.name = "stream",
	.next = stream_next,
	.rewind = stream_rewind,
};

static bool as_stream; /* else the image is a file */

static char dir[] = "/tmp/isowrite-plans-XXXXXX";
static uint8_t *image;
static uint64_t rng;

/* xorshift: the same plans every time. */
static uint64_t draw(uint64_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % below;
}

static const char *path_of(const char *name)
{
	static char buf[2][256];
	static unsigned int turn;

	turn = !turn;
	snprintf(buf[turn], sizeof(buf[turn]), "%s/%s", dir, name);
	return buf[turn];
}

static void make_file(const char *path, const uint8_t *data, uint64_t size)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	if (io_pwrite_full(fd, data, size, 0) != (ssize_t)size)
		abort();
	close(fd);
}

/* A plan, and beside it what the target has to hold. */
struct model {
	struct plan *plan;
	uint8_t *bytes, *is_planned;
	uint64_t size, pos;
};

static void begin(struct model *m, uint64_t size)
{
	const struct geometry geo = { .size = size, .sector_size = 512, .io_align = BLOCK };

	m->plan = plan_new("test", &geo);
	m->bytes = malloc(size);
	m->is_planned = calloc(1, size);
	m->size = size;
	m->pos = 0;
	memset(m->bytes, OLD, size);
}

static void end(struct model *m)
{
	plan_free(m->plan);
	free(m->bytes);
	free(m->is_planned);
}

static void put(struct model *m, enum extent_kind kind, uint64_t len, uint64_t from)
{
	struct error err = ERROR_INIT;
	char what[32];
	int rc = 0;

	len = num_min(len, m->size - m->pos);
	if (len == 0)
		return;
	snprintf(what, sizeof(what), "%s", extent_kind_name(kind));
	if (kind == EXTENT_KEEP) {
		rc = plan_append_keep(m->plan, len, what, &err);
	} else if (kind == EXTENT_ZERO) {
		rc = plan_append_zero(m->plan, len, what, &err);
		memset(m->bytes + m->pos, 0, len);
	} else if (kind == EXTENT_MEMORY) {
		rc = plan_append_memory(m->plan, image + from, len, what, &err);
		memcpy(m->bytes + m->pos, image + from, len);
	} else {
		rc = plan_append_source(m->plan, len, 0, from, what, &err);
		memcpy(m->bytes + m->pos, image + from, len);
	}
	memset(m->is_planned + m->pos, kind != EXTENT_KEEP, len);
	m->pos += len;
	CHECK(rc == 0);
}

/* Random extents up to a place; kept ones of any number of blocks, the others of any bytes. */
static void put_random(struct model *m, uint64_t until, uint64_t max_len)
{
	while (m->pos < until) {
		static const enum extent_kind kinds[] = { EXTENT_SOURCE, EXTENT_MEMORY,
							  EXTENT_ZERO, EXTENT_KEEP };
		enum extent_kind kind = kinds[draw(4)];
		uint64_t len = 1 + draw(max_len);
		uint64_t pad = num_round_up(m->pos, BLOCK) - m->pos;

		if (kind == EXTENT_KEEP) {
			put(m, EXTENT_ZERO, pad, 0);
			len = num_round_up(len, BLOCK);
		}
		len = num_min(len, IMAGE_SIZE);
		put(m, kind, len, draw(IMAGE_SIZE - len + 1));
	}
}

static struct target *open_target(const char *name)
{
	struct error err = ERROR_INIT;
	struct target *t = NULL;
	char spec[300];

	snprintf(spec, sizeof(spec), "file:%s", path_of(name));
	CHECK(target_look(spec, -1, 0, &t, &err) == 0);
	CHECK(t && target_open(t, &err) == 0);
	return t;
}

static bool holds(const struct model *m, const char *name)
{
	uint8_t *buf = malloc(m->size);
	int fd = open(path_of(name), O_RDONLY);
	bool good = io_pread_full(fd, buf, m->size, 0) == (ssize_t)m->size;

	for (uint64_t i = 0; good && i < m->size; i++) {
		if (buf[i] == m->bytes[i])
			continue;
		printf("# %s: byte %" PRIu64 " is %02x, not %02x (%s)\n", name, i, buf[i],
		       m->bytes[i], m->is_planned[i] ? "planned" : "kept");
		good = false;
	}
	close(fd);
	free(buf);
	return good;
}

/* Changes one byte behind the engine's back and lets it look. */
static void check_byte(const struct model *m, struct engine_target *et, struct source *const *src,
		       const char *name, uint64_t at)
{
	struct engine_config config = { .verify = true };
	struct engine_source_facts facts;
	struct error err = ERROR_INIT;
	uint8_t wrong = m->bytes[at] ^ 0x10;
	int fd = open(path_of(name), O_RDWR);

	CHECK(pwrite(fd, &wrong, 1, (off_t)at) == 1 && fsync(fd) == 0);
	CHECK(!as_stream || source_rewind(src[0], &err) == 0);
	CHECK(engine_check(&config, src, et, &facts, NULL, NULL, &err) == 0);
	if (m->is_planned[at]) {
		CHECK(et->result.verdict == ENGINE_FAILED);
		CHECK(et->result.mismatch.found);
		if (et->result.mismatch.is_exact)
			CHECK_U64(et->result.mismatch.offset, at);
		else
			CHECK(as_stream && et->result.mismatch.offset <= at);
	} else {
		CHECK(et->result.verdict == ENGINE_VERIFIED);
	}
	CHECK(pwrite(fd, &m->bytes[at], 1, (off_t)at) == 1 && fsync(fd) == 0);
	close(fd);
}

/* The edges of extents and of the engine's own pieces, and some places between. */
static void check_bytes(const struct model *m, struct engine_target *et, struct source *const *src,
			const char *name)
{
	const uint64_t edges[] = { 0,	    MIB - 1,	  MIB,	       2 * MIB - 1, 2 * MIB,
				   3 * MIB, m->size - MIB - 1, m->size - MIB, m->size - 1 };

	for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
		check_byte(m, et, src, name, edges[i]);
	for (unsigned int i = 0; i < 6; i++) {
		const struct extent *x = &m->plan->extents[draw(m->plan->n_extents)];

		check_byte(m, et, src, name, x->start);
		check_byte(m, et, src, name, x->start + x->len - 1);
		check_byte(m, et, src, name, draw(m->size));
	}
}

static struct source *open_image(void)
{
	struct error err = ERROR_INIT;
	struct source *src = NULL;

	if (as_stream) {
		stream_pos = 0;
		return source_new(&stream_ops, SOURCE_SEQUENTIAL, &image);
	}
	CHECK(source_open(path_of("image"), &src, &err) == 0);
	return src;
}

static void write_both(struct model *models, bool verify, bool look)
{
	struct engine_config config = { .verify = verify };
	struct engine_target targets[2] = { 0 };
	struct error err = ERROR_INIT;
	struct source *src = open_image();
	struct engine *e = NULL;

	for (int i = 0; i < 2; i++) {
		uint8_t *old = malloc(models[i].size);

		memset(old, OLD, models[i].size);
		make_file(path_of(i ? "b" : "a"), old, models[i].size);
		free(old);
		CHECK(plan_check(models[i].plan, &err) == 0);
		targets[i].target = open_target(i ? "b" : "a");
		targets[i].plan = models[i].plan;
	}
	CHECK(engine_new(&config, &src, targets, 2, &e, &err) == 0);
	CHECK(engine_start(e, &err) == 0);
	while (!engine_wait(e, 1000))
		;
	for (int i = 0; i < 2; i++) {
		const struct engine_result *r = &targets[i].result;
		uint64_t planned = models[i].size - plan_bytes(models[i].plan, EXTENT_KEEP);
		struct engine_status st;
		struct digest d;

		if (r->error.kind != ERROR_NONE)
			printf("# %s\n", r->error.msg);
		CHECK(r->verdict == (verify ? ENGINE_VERIFIED : ENGINE_WRITTEN));
		CHECK(holds(&models[i], i ? "b" : "a"));
		CHECK_U64(r->bytes_written, planned);
		engine_get_status(e, (size_t)i, &st);
		if (verify)
			CHECK_U64(st.done, planned); /* read back once, all of it */
		CHECK_U64(st.done, st.total);
		engine_plan_digest(e, models[i].plan, &d);
		CHECK(!verify || digest_is_equal(&d, &r->sha256));
	}
	engine_free(e);
	for (int i = 0; look && i < 2; i++)
		check_bytes(&models[i], &targets[i], &src, i ? "b" : "a");
	for (int i = 0; i < 2; i++) {
		CHECK(target_close(targets[i].target, &err) == 0);
		target_free(targets[i].target);
	}
	source_free(src);
}

/* One seed: two plans with a common beginning, and ends of their own. */
static void try_seed(uint64_t seed, uint64_t max_len, bool verify, bool look)
{
	struct model models[2];
	uint64_t common, sizes[2];

	rng = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	sizes[0] = 5 * MIB + BLOCK * draw(200);
	sizes[1] = seed % 3 ? 4 * MIB + BLOCK * draw(600) : sizes[0];
	common = draw(4 * MIB);
	for (int i = 0; i < 2; i++) {
		rng = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
		begin(&models[i], sizes[i]);
		put_random(&models[i], common, max_len);
		rng += (uint64_t)i;
		put_random(&models[i], sizes[i], max_len);
	}
	write_both(models, verify, look);
	end(&models[0]);
	end(&models[1]);
}

/*
 * A block map's plans: the image's bytes in their place or not at all, the same for both targets
 * as far as the image goes; read once, also where nothing of it is wanted.
 */
static void try_stream(uint64_t seed, uint64_t max_len, bool look)
{
	static const enum extent_kind kinds[] = { EXTENT_SOURCE, EXTENT_SOURCE, EXTENT_KEEP,
						  EXTENT_ZERO, EXTENT_MEMORY };
	struct model models[2];
	uint64_t until = IMAGE_SIZE;

	rng = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	if (seed % 4 == 0)
		until = draw(IMAGE_SIZE); /* the rest of the image is read for its end only */
	begin(&models[0], 7 * MIB + BLOCK * draw(300));
	begin(&models[1], seed % 3 ? 7 * MIB + BLOCK * draw(300) : models[0].size);
	while (models[0].pos < until) {
		enum extent_kind kind = kinds[draw(5)];
		uint64_t len = num_min(1 + draw(max_len), until - models[0].pos);

		if (kind == EXTENT_KEEP && models[0].pos % BLOCK == 0 && len > BLOCK)
			len = num_round_down(len, BLOCK);
		else if (kind == EXTENT_KEEP)
			len = num_min(num_round_up(models[0].pos + 1, BLOCK), until) -
			      models[0].pos;
		if (kind == EXTENT_KEEP && (models[0].pos % BLOCK || len % BLOCK))
			kind = EXTENT_SOURCE;
		for (int i = 0; i < 2; i++)
			put(&models[i], kind, len, models[0].pos - (i ? len : 0));
	}
	for (int i = 0; i < 2; i++) {
		put(&models[i], EXTENT_ZERO, num_round_up(models[i].pos, BLOCK) - models[i].pos, 0);
		put(&models[i], EXTENT_KEEP, num_round_down(models[i].size - models[i].pos, MIB),
		    0);
		put(&models[i], EXTENT_MEMORY, models[i].size - models[i].pos, 1000);
	}
	as_stream = true;
	write_both(models, true, look);
	as_stream = false;
	CHECK_U64(stream_pos, IMAGE_SIZE); /* to the end, whatever was wanted */
	end(&models[0]);
	end(&models[1]);
}

static void test_a_stream_with_gaps(void)
{
	for (uint64_t seed = 71; seed <= 78; seed++)
		try_stream(seed, seed % 2 ? 300000 : 3 * MIB, false);
	try_stream(84, 1500000, true);
}

static void test_every_planned_byte_is_written_and_read_once(void)
{
	for (uint64_t seed = 1; seed <= 12; seed++)
		try_seed(seed, seed % 2 ? 300000 : 2 * MIB, true, false);
}

static void test_a_change_anywhere_is_found(void)
{
	for (uint64_t seed = 31; seed <= 34; seed++)
		try_seed(seed, seed % 2 ? 200000 : 1500000, true, true);
}

/* Nothing reads it back: also of a tail in many pieces all has to be written. */
static void test_no_verify(void)
{
	for (uint64_t seed = 51; seed <= 54; seed++)
		try_seed(seed, 100000, false, false);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	image = malloc(IMAGE_SIZE);
	rng = 1;
	for (uint64_t i = 0; i < IMAGE_SIZE; i++)
		image[i] = (uint8_t)(draw(1 << 16) >> 5);
	make_file(path_of("image"), image, IMAGE_SIZE);
	RUN(test_every_planned_byte_is_written_and_read_once);
	RUN(test_a_change_anywhere_is_found);
	RUN(test_no_verify);
	RUN(test_a_stream_with_gaps);
	free(image);
	unlink(path_of("image"));
	unlink(path_of("a"));
	unlink(path_of("b"));
	rmdir(dir);
	return tap_done();
}
