// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reads /proc/PID/mountinfo and /proc/swaps (proc(5)). Names are unescaped in
 * place: the kernel writes blanks, tabs, newlines and backslashes as \ooo.
 */
#include "io/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "io/device-internal.h"

/* A whole file of /proc, terminated; NULL with errno. */
static char *slurp(const char *path)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_free char *text = NULL;
	size_t len = 0, cap = 0;
	ssize_t got;

	if (fd < 0)
		return NULL;
	do {
		char *more;

		cap += 65536;
		more = realloc(text, cap + 1);
		if (!more)
			return NULL;
		text = more;
		got = io_read_full(fd, text + len, cap - len);
		if (got < 0)
			return NULL;
		len += (size_t)got;
	} while (len == cap);
	text[len] = '\0';
	return take_ptr(text);
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static char *unescape(char *s)
{
	char *out = s;

	for (const char *in = s; *in;) {
		if (in[0] == '\\' && is_octal(in[1]) && is_octal(in[2]) && is_octal(in[3])) {
			*out++ = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 4;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
	return s;
}

/* Splits one line; false when it is not what proc(5) describes. */
static bool parse_mount(char *line, struct mount *ret)
{
	char *save = NULL, *field[6], *word;
	unsigned int maj, min;

	for (size_t i = 0; i < 6; i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return false;
	}
	if (sscanf(field[2], "%u:%u", &maj, &min) != 2)
		return false;
	ret->id = atoi(field[0]);
	ret->dev = makedev(maj, min);
	ret->root = unescape(field[3]);
	ret->point = unescape(field[4]);
	do
		word = strtok_r(NULL, " ", &save);
	while (word && strcmp(word, "-") != 0);
	field[0] = word ? strtok_r(NULL, " ", &save) : NULL;
	field[1] = field[0] ? strtok_r(NULL, " ", &save) : NULL;
	if (!field[1])
		return false;
	ret->type = unescape(field[0]);
	ret->source = unescape(field[1]);
	word = strtok_r(NULL, " ", &save);
	ret->options = word ? unescape(word) : "";
	return true;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

int mounts_read(const char *pid, struct mounts *ret)
{
	char path[PATH_MAX], *save = NULL;
	struct mounts m = { 0 };

	if (!sysfs_path(path, sizeof(path), "/proc/%s/mountinfo", pid)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	m.text = slurp(path);
	if (!m.text)
		return -1;
	m.list = calloc(count_lines(m.text), sizeof(*m.list));
	if (!m.list) {
		mounts_done(&m);
		errno = ENOMEM;
		return -1;
	}
	for (char *line = strtok_r(m.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (parse_mount(line, &m.list[m.n]))
			m.n++;
	*ret = m;
	return 0;
}

void mounts_done(struct mounts *m)
{
	free(m->text);
	free(m->list);
	memset(m, 0, sizeof(*m));
}

const struct mount *mounts_find_path(const struct mounts *m, const char *path)
{
	const struct mount *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; i < m->n; i++) {
		const char *point = m->list[i].point;
		size_t len = strlen(point);

		if (len == 1)
			len = 0; /* "/" is a prefix of everything */
		if (strncmp(path, point, len) != 0 || (path[len] != '/' && path[len] != '\0'))
			continue;
		if (!best || len >= best_len) {
			best = &m->list[i];
			best_len = len;
		}
	}
	return best;
}

const struct mount *mounts_find_id(const struct mounts *m, int id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].id == id)
			return &m->list[i];
	return NULL;
}

const struct mount *mounts_find_dev(const struct mounts *m, dev_t dev)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].dev == dev)
			return &m->list[i];
	return NULL;
}

int swaps_read(struct swaps *ret)
{
	char path[PATH_MAX], *save = NULL;
	struct swaps s = { 0 };
	bool is_first = true;

	if (!sysfs_path(path, sizeof(path), "/proc/swaps")) {
		errno = ENAMETOOLONG;
		return -1;
	}
	s.text = slurp(path);
	if (!s.text) {
		if (errno != ENOENT)
			return -1;
		*ret = s;
		return 0;
	}
	s.list = calloc(count_lines(s.text), sizeof(*s.list));
	if (!s.list) {
		swaps_done(&s);
		errno = ENOMEM;
		return -1;
	}
	for (char *line = strtok_r(s.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *inner = NULL, *name = strtok_r(line, " \t", &inner);
		const char *type = name ? strtok_r(NULL, " \t", &inner) : NULL;

		if (!is_first && type) {
			s.list[s.n].path = unescape(name);
			s.list[s.n++].is_partition = !strcmp(type, "partition");
		}
		is_first = false;
	}
	*ret = s;
	return 0;
}

void swaps_done(struct swaps *s)
{
	free(s->text);
	free(s->list);
	memset(s, 0, sizeof(*s));
}
