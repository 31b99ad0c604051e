// SPDX-License-Identifier: GPL-3.0-or-later
/* The checkpointed hash; see track.h. */
#include "io/track.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"

int track_init(struct track *t, uint64_t pos, const struct hash *state, struct error *err)
{
	memset(t, 0, sizeof(*t));
	t->pos = pos;
	t->content_end = UINT64_MAX;
	if (state) {
		t->running = hash_copy(state);
		if (!t->running)
			return error_set_nomem(err);
	} else if (hash_new("sha256", &t->running, err) < 0) {
		return -1;
	}
	return track_mark(t, pos, err);
}

void track_done(struct track *t)
{
	for (size_t i = 0; i < t->n_marks; i++)
		hash_free(t->marks[i].state);
	free(t->marks);
	hash_free(t->running);
	memset(t, 0, sizeof(*t));
}

void track_feed(struct track *t, uint64_t off, const void *data, size_t len)
{
	if (t->content_end > off && t->content_end - off <= len) {
		size_t first = (size_t)(t->content_end - off);

		hash_update(t->running, data, first);
		hash_peek(t->running, &t->content_digest);
		hash_update(t->running, (const char *)data + first, len - first);
	} else {
		hash_update(t->running, data, len);
	}
	t->pos = off + len;
}

int track_mark(struct track *t, uint64_t pos, struct error *err)
{
	struct hash *state;

	if (t->n_marks > 0 && t->marks[t->n_marks - 1].pos == pos)
		return 0;
	if (t->n_marks == t->cap_marks) {
		size_t cap = t->cap_marks ? t->cap_marks * 2 : 64;
		struct mark *marks = realloc(t->marks, cap * sizeof(*marks));

		if (!marks)
			return error_set_nomem(err);
		t->marks = marks;
		t->cap_marks = cap;
	}
	state = hash_copy(t->running);
	if (!state)
		return error_set_nomem(err);
	t->marks[t->n_marks++] = (struct mark){ .pos = pos, .state = state };
	return 0;
}
