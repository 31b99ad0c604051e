// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The engine's life: plans and groups, threads, status, end. See engine.h for
 * the order of work and engine-internal.h for the files.
 */
#include "io/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "io/engine-internal.h"

#define MARKS_MAX 16384 /* pieces of an image: their states are what memory grows with */
#define WORKERS_MAX 8

uint64_t engine_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* A stream's last bytes as a RANDOM source: what the plans' rests are filled from. */
static int carry_read_at(struct source *src, uint64_t off, void *buf, size_t len, struct error *err)
{
	const struct engine *e = src->priv;

	if (off < e->carry_start || !num_is_within(off - e->carry_start, len, e->carry_len))
		return error_set(err, ERROR_INTERNAL, "carry",
				 _("A plan reads a stream where it cannot be read again."));
	memcpy(buf, e->carry + (off - e->carry_start), len);
	return 0;
}

static const struct source_ops carry_ops = { .name = "carry", .read_at = carry_read_at };

static int init_sources(struct engine *e, struct source *const *sources, struct error *err)
{
	e->sources = sources;
	e->is_stream = sources[0]->access == SOURCE_SEQUENTIAL;
	if (!e->is_stream) {
		e->rest_sources[0] = sources[0];
		return 0;
	}
	e->carry_source = calloc(1, sizeof(*e->carry_source));
	if (!e->carry_source)
		return error_set_nomem(err);
	e->carry_source->ops = &carry_ops;
	e->carry_source->access = SOURCE_RANDOM;
	e->carry_source->size = SOURCE_SIZE_UNKNOWN;
	e->carry_source->fd = -1;
	e->carry_source->priv = e;
	e->rest_sources[0] = e->carry_source;
	return 0;
}

static int init_plan(struct engine *e, struct engine_plan *ep, struct plan *plan, struct error *err)
{
	uint64_t size = plan->geo.size;

	ep->plan = plan;
	ep->was_open = plan->is_open;
	ep->head_len = num_min(size, ENGINE_WINDOW);
	ep->tail_start =
		size > ENGINE_WINDOW ? num_round_down(size - ENGINE_WINDOW, ENGINE_ALIGN) : 0;
	ep->tail_start = num_max(ep->tail_start, ep->head_len);
	ep->tail_len = size - ep->tail_start;
	ep->head = io_aligned_alloc(ENGINE_WINDOW);
	ep->tail = io_aligned_alloc(ENGINE_WINDOW + ENGINE_ALIGN);
	if (!ep->head || !ep->tail)
		return error_set_nomem(err);
	if (ep->tail_len > 0)
		e->cuts[e->n_cuts++] = ep->tail_start;
	return 0;
}

/* Plans that begin with the same bytes share one hash. */
static void assign_group(struct engine *e, size_t index)
{
	struct engine_plan *ep = &e->plans[index];

	for (size_t i = 0; i < e->n_groups; i++) {
		struct engine_plan *leader = &e->plans[e->groups[i].leader];

		if (leader->head_len == ep->head_len &&
		    (e->is_stream || plan_common_end(leader->plan, ep->plan, 0) >= ep->head_len)) {
			ep->group = i;
			return;
		}
	}
	ep->group = e->n_groups;
	e->groups[e->n_groups++].leader = index;
}

static int init_plans(struct engine *e, struct engine_target *targets, size_t n, struct error *err)
{
	uint64_t largest = 0;

	e->plans = calloc(n, sizeof(*e->plans));
	e->groups = calloc(n, sizeof(*e->groups));
	e->cuts = calloc(n, sizeof(*e->cuts));
	if (!e->plans || !e->groups || !e->cuts)
		return error_set_nomem(err);
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < e->n_plans && e->plans[k].plan != targets[i].plan)
			k++;
		e->pumps[i].ep = &e->plans[k];
		e->pumps[i].plan_is_known = !targets[i].plan->is_open;
		if (k < e->n_plans)
			continue;
		if (init_plan(e, &e->plans[e->n_plans++], targets[i].plan, err) < 0)
			return -1;
		assign_group(e, k);
		largest = num_max(largest, e->is_stream && targets[i].plan->is_open
						   ? targets[i].plan->geo.size
						   : plan_content_end(targets[i].plan));
	}
	e->chunk = num_max(MIB, num_round_up(largest / MARKS_MAX, MIB));
	e->body_end = UINT64_MAX;
	if (e->is_stream)
		return stream_init(e, err);
	e->body_end = e->plans[0].plan->geo.size;
	for (size_t k = 1; k < e->n_plans; k++)
		e->body_end =
			num_min(e->body_end,
				plan_common_end(e->plans[0].plan, e->plans[k].plan, ENGINE_WINDOW));
	e->body_end = num_max(num_round_down(e->body_end, ENGINE_ALIGN), ENGINE_WINDOW);
	return 0;
}

/* The largest request that every target takes whole, a multiple of the largest sector. */
static uint32_t choose_buf_size(const struct engine_target *targets, size_t n)
{
	uint32_t size = ENGINE_BUF_MAX;

	for (size_t i = 0; i < n; i++) {
		uint32_t max = targets[i].target->info.max_request;

		if (max >= 65536 && max < size)
			size = max;
	}
	return size - size % ENGINE_ALIGN;
}

/* Developer's knob, documented in README: bytes in flight per target. */
static unsigned int choose_depth(const struct engine *e)
{
	const char *text = secure_getenv("ISOWRITE_QUEUE_BYTES");
	uint64_t bytes = ENGINE_IN_FLIGHT;
	struct error ignored = ERROR_INIT;

	if (text)
		(void)num_parse_size(text, &bytes, &ignored);
	bytes = num_min(bytes / e->buf_size, ENGINE_DEPTH_MAX);
	return (unsigned int)num_max(num_min(bytes, ENGINE_LEADER_POOL / e->buf_size), 1);
}

static int init_pumps(struct engine *e, struct engine_target *targets, size_t n, struct error *err)
{
	/* The leader's, and one for each target: each may fall behind the leader. */
	size_t n_lanes = n > 1 ? n + 1 : 1;

	e->pumps = calloc(n, sizeof(*e->pumps));
	e->lanes = calloc(n_lanes, sizeof(*e->lanes));
	if (!e->pumps || !e->lanes)
		return error_set_nomem(err);
	e->n_pumps = n;
	e->n_lanes = n_lanes;
	for (size_t i = 0; i < n_lanes; i++) {
		pthread_cond_init(&e->lanes[i].can_fill, NULL);
		e->lanes[i].e = e;
	}
	for (size_t i = 0; i < n; i++) {
		struct pump *p = &e->pumps[i];

		p->e = e;
		p->index = i;
		p->et = &targets[i];
		memset(&p->et->result, 0, sizeof(p->et->result));
		p->et->result.error_offset = UINT64_MAX;
		p->lane = &e->lanes[0];
		p->depth = choose_depth(e);
		pthread_cond_init(&p->can_take, NULL);
		p->scratch = io_aligned_alloc(ENGINE_BUF_MAX);
		if (!p->scratch)
			return error_set_nomem(err);
		atomic_store(&p->total, UINT64_MAX);
		atomic_store(&p->last_progress, engine_now());
	}
	e->lanes[0].is_leader = true;
	return lane_init(&e->lanes[0], err);
}

int engine_new(const struct engine_config *config, struct source *const *sources,
	       struct engine_target *targets, size_t n_targets, struct engine **ret,
	       struct error *err)
{
	struct engine *e = calloc(1, sizeof(*e));
	pthread_condattr_t attr;

	if (!e)
		return error_set_nomem(err);
	e->config = *config;
	e->buf_size = choose_buf_size(targets, n_targets);
	e->work_tail = &e->work;
	pthread_mutex_init(&e->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&e->changed, &attr);
	pthread_cond_init(&e->has_work, NULL);
	pthread_cond_init(&e->can_hash, NULL);
	pthread_condattr_destroy(&attr);
	if (init_sources(e, sources, err) < 0 || init_pumps(e, targets, n_targets, err) < 0 ||
	    init_plans(e, targets, n_targets, err) < 0) {
		engine_free(e);
		return -1;
	}
	*ret = e;
	return 0;
}

int engine_prehash(struct engine *e, bool (*on_progress)(void *ctx, uint64_t done, uint64_t total),
		   void *ctx, struct engine_source_facts *ret, struct error *err)
{
	struct engine_buf *buf = &e->lanes[0].bufs[0];
	uint64_t pos = ENGINE_WINDOW, total = e->sources[0]->size;
	int rc = engine_read_head(e, err);

	/* Ends: every piece lies behind the last one, and the body (or a stream) ends. */
	while (rc == 0) {
		rc = engine_next_piece(e, true, &pos, buf, err);
		if (rc <= 0)
			break;
		rc = engine_hash_piece(e, buf, err);
		if (rc == 0 && on_progress && on_progress(ctx, num_min(pos, total), total))
			rc = error_set(err, ERROR_CANCELLED, "cancelled", _("Cancelled."));
	}
	if (rc == 0)
		rc = engine_finish_source(e, err);
	if (rc == 0)
		*ret = e->facts;
	return rc;
}

static int spawn(pthread_t *thread, bool *ret_has, void *(*main)(void *), void *arg,
		 struct error *err)
{
	int rc = pthread_create(thread, NULL, main, arg);

	if (rc)
		return error_set_sys(err, ERROR_INTERNAL, "no-thread", rc,
				     _("Cannot start a thread"));
	if (ret_has)
		*ret_has = true;
	return 0;
}

static int start_workers(struct engine *e, struct error *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = cpus < 1 ? 1 : cpus > WORKERS_MAX ? WORKERS_MAX : (size_t)cpus;

	e->workers = calloc(n, sizeof(*e->workers));
	if (!e->workers)
		return error_set_nomem(err);
	while (e->n_workers < n) {
		if (spawn(&e->workers[e->n_workers], NULL, verify_worker, e, err) < 0)
			return -1;
		e->n_workers++;
	}
	return 0;
}

int engine_start(struct engine *e, struct error *err)
{
	int rc = 0;

	if (e->config.verify)
		rc = start_workers(e, err);
	if (rc == 0 && e->is_stream && !e->is_hashed)
		rc = spawn(&e->hasher, &e->has_hasher, lane_hasher_main, &e->lanes[0], err);
	/* Lanes of slower targets wait, parked, so that no thread is created later. */
	for (size_t i = 1; rc == 0 && i < e->n_lanes && !e->is_stream; i++)
		rc = spawn(&e->lanes[i].thread, &e->lanes[i].has_thread, lane_main, &e->lanes[i],
			   err);
	for (size_t i = 0; rc == 0 && i < e->n_pumps; i++)
		rc = spawn(&e->pumps[i].thread, &e->pumps[i].has_thread, pump_main, &e->pumps[i],
			   err);
	/* Last: without the source's head no target is touched, so either all begin or none. */
	if (rc == 0)
		rc = spawn(&e->lanes[0].thread, &e->lanes[0].has_thread, lane_main, &e->lanes[0],
			   err);
	if (rc < 0)
		engine_cancel(e);
	return rc;
}

/* Every target is, and so is the source's thread: it fills in what the gate found out. */
static bool is_over_locked(const struct engine *e)
{
	return e->n_finished == e->n_pumps && (e->source_done || !e->lanes[0].has_thread);
}

bool engine_wait(struct engine *e, int timeout_ms)
{
	struct timespec until;
	bool is_finished;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&e->lock);
	while (!is_over_locked(e) &&
	       pthread_cond_timedwait(&e->changed, &e->lock, &until) != ETIMEDOUT)
		;
	is_finished = is_over_locked(e);
	pthread_mutex_unlock(&e->lock);
	return is_finished;
}

void engine_get_status(struct engine *e, size_t i, struct engine_status *ret)
{
	struct pump *p = &e->pumps[i];
	uint64_t last = atomic_load(&p->last_progress), now = engine_now();

	ret->phase = (enum engine_phase)atomic_load(&p->phase);
	ret->done = atomic_load(&p->done);
	ret->total = atomic_load(&p->total);
	pthread_mutex_lock(&e->lock);
	ret->stalled = now > last && !p->waits_for_source ? (double)(now - last) / 1e9 : 0;
	ret->sets_the_pace = p->sets_the_pace;
	pthread_mutex_unlock(&e->lock);
}

void engine_cancel(struct engine *e)
{
	atomic_store(&e->cancelled, true);
	source_cancel(e->sources[0]);
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < e->n_pumps; i++) {
		pthread_cond_broadcast(&e->pumps[i].can_take);
		pthread_cond_broadcast(&e->lanes[i].can_fill);
	}
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

void engine_plan_digest(struct engine *e, const struct plan *plan, struct digest *ret)
{
	memset(ret, 0, sizeof(*ret));
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < e->n_plans; i++)
		if (e->plans[i].plan == plan && e->is_hashed)
			*ret = e->plans[i].digest;
	pthread_mutex_unlock(&e->lock);
}

static void join_threads(struct engine *e)
{
	for (size_t i = 0; i < e->n_pumps; i++)
		if (e->pumps[i].has_thread)
			pthread_join(e->pumps[i].thread, NULL);
	pthread_mutex_lock(&e->lock);
	e->stopping = e->stop_workers = true;
	for (size_t i = 0; i < e->n_lanes; i++)
		pthread_cond_broadcast(&e->lanes[i].can_fill);
	pthread_cond_broadcast(&e->changed);
	pthread_cond_broadcast(&e->has_work);
	pthread_cond_signal(&e->can_hash);
	pthread_mutex_unlock(&e->lock);
	if (e->has_hasher)
		pthread_join(e->hasher, NULL);
	for (size_t i = 0; i < e->n_lanes; i++)
		if (e->lanes[i].has_thread)
			pthread_join(e->lanes[i].thread, NULL);
	for (size_t i = 0; i < e->n_workers; i++)
		pthread_join(e->workers[i], NULL);
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	join_threads(e);
	for (size_t i = 0; i < e->n_pumps; i++) {
		io_aligned_free(e->pumps[i].scratch, ENGINE_BUF_MAX);
		free(e->pumps[i].samples);
		pthread_cond_destroy(&e->pumps[i].can_take);
	}
	for (size_t i = 0; i < e->n_lanes; i++) {
		lane_done(&e->lanes[i]);
		pthread_cond_destroy(&e->lanes[i].can_fill);
	}
	for (size_t i = 0; i < e->n_plans; i++) {
		io_aligned_free(e->plans[i].head, ENGINE_WINDOW);
		io_aligned_free(e->plans[i].tail, ENGINE_WINDOW + ENGINE_ALIGN);
		track_done(&e->plans[i].rest);
	}
	for (size_t i = 0; i < e->n_groups; i++)
		track_done(&e->groups[i].track);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->changed);
	pthread_cond_destroy(&e->has_work);
	pthread_cond_destroy(&e->can_hash);
	free(e->carry_source);
	free(e->carry);
	free(e->workers);
	free(e->pumps);
	free(e->lanes);
	free(e->plans);
	free(e->groups);
	free(e->cuts);
	free(e);
}

/* check: the source is hashed first, then one thread reads the target while we show progress. */
static int run_check(struct engine *e,
		     bool (*on_progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
		     struct error *err)
{
	struct pump *p = &e->pumps[0];

	if (start_workers(e, err) < 0 ||
	    spawn(&p->thread, &p->has_thread, pump_check_main, p, err) < 0)
		return -1;
	while (!engine_wait(e, 100))
		if (on_progress && on_progress(ctx, atomic_load(&p->done), atomic_load(&p->total)))
			engine_cancel(e);
	return 0;
}

int engine_check(const struct engine_config *config, struct source *const *sources,
		 struct engine_target *target, struct engine_source_facts *ret_facts,
		 bool (*on_progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
		 struct error *err)
{
	struct engine *e;
	int rc;

	if (engine_new(config, sources, target, 1, &e, err) < 0)
		return -1;
	rc = engine_prehash(e, on_progress, ctx, ret_facts, err);
	if (rc == 0 && config->gate)
		rc = config->gate(config->gate_ctx, &e->facts, err);
	if (rc == 0)
		rc = run_check(e, on_progress, ctx, err);
	engine_free(e);
	return rc;
}
