/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What badstick's two halves share: the medium (badstick.c) and its rules (badstick-rules.c). */
#ifndef ISOWRITE_TESTS_BADSTICK_H
#define ISOWRITE_TESTS_BADSTICK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTOR 512u
#define MAX_RULES 64
#define RULES_TEXT_SIZE (MAX_RULES * 340) /* of all of them, as ctl shows them */

enum rule_kind { KIND_ERR, KIND_STALL, KIND_FLIP, KIND_TORN, KIND_GONE, KIND_TOUCH, KIND_PAUSE };

struct rule {
	enum rule_kind kind;
	char op; /* r, w, f; * = any, anywhere */
	uint64_t off, len;
	int value;         /* errno, milliseconds, mask, bytes kept */
	int skip;          /* hits that pass first */
	int count;         /* hits left to act on; -1: no end */
	bool is_counting;  /* pause: the first write was seen */
	unsigned int hits; /* times it acted */
	char path[256];    /* touch, pause */
	char text[320];    /* as given */
};

enum fake_mode { FAKE_NONE, FAKE_WRAP, FAKE_DROP, FAKE_ZERO, FAKE_ONES };

/* One sector's content as of the last flush. */
struct undo {
	uint64_t sector;
	unsigned char old[SECTOR];
};

/* What the rules decided about one operation. */
struct fate {
	int error; /* 0 or errno */
	bool is_torn;
	size_t keep;  /* bytes that a torn write stores */
	double delay; /* seconds */
};

struct badstick {
	pthread_mutex_t lock; /* guards everything below, and the order of effects */
	int fd;
	uint64_t size, shown_size;
	struct rule rules[MAX_RULES];
	size_t n_rules;
	bool is_gone, is_noflush;
	enum fake_mode fake;
	uint64_t real; /* fake: bytes that exist */
	uint64_t bps;
	double next_free; /* bps: when the device is idle again */
	bool has_cache;
	unsigned int seed;
	struct undo *undo;
	size_t n_undo, cap_undo;
	uint32_t *undo_index; /* per sector: 1 + index into undo, 0 = clean */
	int log_fd, log_data_fd;
};

extern struct badstick stick;

/* A fault tool that fails on its own must not look like the fault under test. */
void die(const char *what) __attribute__((noreturn));

/* Half of the sectors written since the last flush get their old content back. */
void medium_powercut(void);

/* Takes one rule or command; 0 or -errno. The lock is held. */
int rules_obey(const char *text);

/* Every rule with its hits, one a line; returns the length. The lock is held. */
size_t rules_print(char *buf, size_t size);

/*
 * Asks every rule but flip, and sleeps if one says so. Takes the lock. op is
 * r, w or f.
 */
struct fate rules_meet(char op, uint64_t off, size_t len);

/* Applies flip rules to the data of one operation. The lock is held. */
void rules_flip(char op, unsigned char *buf, uint64_t off, size_t len);

#endif
