// SPDX-License-Identifier: GPL-3.0-or-later
/* badstick's rule table: reads rules and commands, and decides what becomes of each operation. */
#include "badstick.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_for(double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds };

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	nanosleep(&t, NULL);
}

/* err= and stall= */
static int parse_range(struct rule *r, const char *s)
{
	int n = sscanf(s, "%c:%" SCNu64 ":%" SCNu64 ":%d:%d:%d", &r->op, &r->off, &r->len,
		       &r->value, &r->skip, &r->count);

	return n >= 4 ? 0 : -EINVAL;
}

static int parse_flip(struct rule *r, const char *s)
{
	if (sscanf(s, "r1:%" SCNu64 ":%i", &r->off, &r->value) == 2) {
		r->op = 'r';
		r->count = 1;
		return 0;
	}
	return sscanf(s, "%c:%" SCNu64 ":%i", &r->op, &r->off, &r->value) == 3 ? 0 : -EINVAL;
}

static int parse_torn(struct rule *r, const char *s)
{
	r->op = 'w';
	return sscanf(s, "%" SCNu64 ":%d", &r->off, &r->value) == 2 ? 0 : -EINVAL;
}

static int parse_gone(struct rule *r, const char *s)
{
	return sscanf(s, "%c:%" SCNu64, &r->op, &r->off) == 2 ? 0 : -EINVAL;
}

static int parse_touch(struct rule *r, const char *s)
{
	r->count = 1;
	return sscanf(s, "%c:%" SCNu64 ":%255s", &r->op, &r->off, r->path) == 3 ? 0 : -EINVAL;
}

static int cmd_cache(const char *args)
{
	if (sscanf(args, "%u", &stick.seed) != 1)
		return -EINVAL;
	if (!stick.undo_index)
		stick.undo_index = calloc(stick.size / SECTOR, sizeof(*stick.undo_index));
	if (!stick.undo_index)
		return -ENOMEM;
	stick.has_cache = true;
	return 0;
}

static int cmd_powercut(const char *args)
{
	(void)args;
	medium_powercut();
	return 0;
}

static int parse_pause(struct rule *r, const char *s)
{
	r->op = '*';
	r->count = 1;
	if (sscanf(s, "%d:%d:%255s", &r->skip, &r->value, r->path) != 3 || r->skip < 1)
		return -EINVAL;
	r->skip--;
	return 0;
}

static int cmd_fake(const char *args)
{
	static const struct {
		const char *name;
		enum fake_mode mode;
	} modes[] = {
		{ "wrap", FAKE_WRAP },
		{ "drop", FAKE_DROP },
		{ "zero", FAKE_ZERO },
		{ "ff", FAKE_ONES },
	};
	char name[8];
	uint64_t real;

	if (sscanf(args, "%" SCNu64 ":%7s", &real, name) != 2 || !real || real % SECTOR)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, name))
			continue;
		stick.fake = modes[i].mode;
		stick.real = real;
		return 0;
	}
	return -EINVAL;
}

static int cmd_bps(const char *args)
{
	return sscanf(args, "%" SCNu64, &stick.bps) == 1 ? 0 : -EINVAL;
}

static int cmd_size(const char *args)
{
	return sscanf(args, "%" SCNu64, &stick.shown_size) == 1 ? 0 : -EINVAL;
}

static int cmd_noflush(const char *args)
{
	(void)args;
	stick.is_noflush = true;
	return 0;
}

static int open_log(const char *path)
{
	return open(path, O_CREAT | O_WRONLY | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
}

static int cmd_log(const char *args)
{
	char data[300];

	snprintf(data, sizeof(data), "%s.data", args);
	stick.log_fd = open_log(args);
	stick.log_data_fd = open_log(data);
	return stick.log_fd < 0 || stick.log_data_fd < 0 ? -errno : 0;
}

static int cmd_clear(const char *args)
{
	(void)args;
	stick.n_rules = 0;
	stick.is_gone = false;
	stick.is_noflush = false;
	stick.fake = FAKE_NONE;
	stick.bps = 0;
	stick.shown_size = stick.size;
	return 0;
}

/* Exactly one of parse (adds a rule that single operations hit) and command. */
static const struct keyword {
	const char *name;
	enum rule_kind kind;
	int (*parse)(struct rule *r, const char *args);
	int (*command)(const char *args);
} keywords[] = {
	{ "err=", KIND_ERR, parse_range, NULL },
	{ "stall=", KIND_STALL, parse_range, NULL },
	{ "flip=", KIND_FLIP, parse_flip, NULL },
	{ "torn=", KIND_TORN, parse_torn, NULL },
	{ "gone=", KIND_GONE, parse_gone, NULL },
	{ "touch=", KIND_TOUCH, parse_touch, NULL },
	{ "pause=", KIND_PAUSE, parse_pause, NULL },
	{ "fake=", 0, NULL, cmd_fake },
	{ "bps=", 0, NULL, cmd_bps },
	{ "size=", 0, NULL, cmd_size },
	{ "noflush", 0, NULL, cmd_noflush },
	{ "cache=", 0, NULL, cmd_cache },
	{ "powercut", 0, NULL, cmd_powercut },
	{ "log=", 0, NULL, cmd_log },
	{ "clear", 0, NULL, cmd_clear },
};

static int add_rule(const struct keyword *k, const char *text)
{
	struct rule *r = &stick.rules[stick.n_rules];
	int e;

	if (stick.n_rules == MAX_RULES)
		return -ENOSPC;
	memset(r, 0, sizeof(*r));
	r->kind = k->kind;
	r->count = -1;
	r->len = 1;
	snprintf(r->text, sizeof(r->text), "%s", text);
	e = k->parse(r, text + strlen(k->name));
	if (!e && !strchr("rwf*", r->op))
		e = -EINVAL;
	if (!e)
		stick.n_rules++;
	return e;
}

int rules_obey(const char *text)
{
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		const struct keyword *k = &keywords[i];

		if (strncmp(text, k->name, strlen(k->name)))
			continue;
		return k->parse ? add_rule(k, text) : k->command(text + strlen(k->name));
	}
	return -EINVAL;
}

/* Does the rule act on this operation? Counts it. */
static bool rule_hits(struct rule *r, char op, uint64_t off, size_t len)
{
	if (!r->count || (r->op != op && r->op != '*'))
		return false;
	if (r->kind == KIND_PAUSE && !r->is_counting && op != 'w')
		return false;
	r->is_counting = true;
	if (r->op != 'f' && r->op != '*' && (off >= r->off + r->len || off + len <= r->off))
		return false;
	if (r->skip > 0) {
		r->skip--;
		return false;
	}
	if (r->count > 0)
		r->count--;
	r->hits++;
	return true;
}

static void touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		die(path);
	close(fd);
}

static void rule_act(struct rule *r, struct fate *fate)
{
	switch (r->kind) {
	case KIND_ERR:
		fate->error = r->value;
		break;
	case KIND_STALL:
		fate->delay += r->value / 1e3;
		break;
	case KIND_GONE:
		stick.is_gone = true;
		fate->error = EIO;
		break;
	case KIND_TORN:
		stick.is_gone = true;
		fate->is_torn = true;
		fate->keep = (size_t)r->value;
		break;
	case KIND_TOUCH:
		touch(r->path);
		break;
	case KIND_PAUSE:
		touch(r->path);
		fate->delay += r->value / 1e3;
		break;
	case KIND_FLIP:
		break;
	}
}

struct fate rules_meet(char op, uint64_t off, size_t len)
{
	struct fate fate = { .error = 0 };

	pthread_mutex_lock(&stick.lock);
	if (stick.is_gone)
		fate.error = EIO;
	for (size_t i = 0; i < stick.n_rules && !fate.error; i++) {
		struct rule *r = &stick.rules[i];

		if (r->kind != KIND_FLIP && rule_hits(r, op, off, len))
			rule_act(r, &fate);
	}
	if (stick.bps && op != 'f' && !fate.error) {
		double t = now();

		if (stick.next_free < t)
			stick.next_free = t;
		stick.next_free += (double)len / (double)stick.bps;
		fate.delay += stick.next_free - t;
	}
	pthread_mutex_unlock(&stick.lock);
	if (fate.delay > 0)
		sleep_for(fate.delay);
	return fate;
}

void rules_flip(char op, unsigned char *buf, uint64_t off, size_t len)
{
	for (size_t i = 0; i < stick.n_rules; i++) {
		struct rule *r = &stick.rules[i];

		if (r->kind == KIND_FLIP && rule_hits(r, op, off, len))
			buf[r->off - off] ^= (unsigned char)r->value;
	}
}

size_t rules_print(char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < stick.n_rules && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s hits=%u\n", stick.rules[i].text,
				      stick.rules[i].hits);
	return n < size ? n : size;
}
