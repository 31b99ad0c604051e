// SPDX-License-Identifier: GPL-3.0-or-later
/* The error object; see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* One row a kind: the only place that knows exit statuses. */
static const struct {
	const char *name;
	int exit_status;
} kinds[] = {
	[ERROR_NONE] = { "none", 0 },
	[ERROR_INTERNAL] = { "internal", 1 },
	[ERROR_USAGE] = { "usage", 2 },
	[ERROR_REFUSED] = { "refused", 3 },
	[ERROR_IMAGE] = { "image", 4 },
	[ERROR_FIT] = { "fit", 5 },
	[ERROR_IO] = { "io", 6 },
	[ERROR_DIFFERS] = { "differs", 7 },
	[ERROR_CANCELLED] = { "cancelled", 8 },
	[ERROR_TRUST] = { "trust", 9 },
	[ERROR_LACKING] = { "lacking", 10 },
};

/* Drops an incomplete UTF-8 sequence that a cut may have left at the end. */
static void cut_at_character(char *msg)
{
	size_t len = strlen(msg), n_follow = 0, n_wanted;
	unsigned char lead;

	while (n_follow < len && n_follow < 3 &&
	       ((unsigned char)msg[len - 1 - n_follow] & 0xc0) == 0x80)
		n_follow++;
	if (n_follow == len)
		return;
	lead = (unsigned char)msg[len - 1 - n_follow];
	n_wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
	if (n_follow < n_wanted)
		msg[len - 1 - n_follow] = '\0';
}

int error_set(struct error *err, enum error_kind kind, const char *code, const char *fmt, ...)
{
	va_list ap;

	err->kind = kind;
	err->code = code;
	err->sys = 0;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	cut_at_character(err->msg);
	return -1;
}

int error_set_sys(struct error *err, enum error_kind kind, const char *code, int sys,
		  const char *fmt, ...)
{
	va_list ap;
	size_t len;
	char why[128];

	err->kind = kind;
	err->code = code;
	err->sys = sys;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	len = strlen(err->msg);
	/* GNU strerror_r: thread-safe, returns the text. */
	snprintf(err->msg + len, sizeof(err->msg) - len, ": %s",
		 strerror_r(sys, why, sizeof(why)));
	cut_at_character(err->msg);
	return -1;
}

int error_set_nomem(struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "out-of-memory", _("Out of memory."));
}

void error_prefix(struct error *err, const char *fmt, ...)
{
	/* The prefix keeps at most a quarter, so that the knowledge stays readable. */
	char msg[ERROR_MSG_SIZE / 4 + 1 + 2 + ERROR_MSG_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, ERROR_MSG_SIZE / 4 + 1, fmt, ap);
	va_end(ap);
	cut_at_character(msg);
	strcat(msg, ": ");
	strcat(msg, err->msg);
	msg[ERROR_MSG_SIZE - 1] = '\0';
	cut_at_character(msg);
	memcpy(err->msg, msg, ERROR_MSG_SIZE);
}

int error_kind_exit_status(enum error_kind kind)
{
	return kinds[kind].exit_status;
}

const char *error_kind_name(enum error_kind kind)
{
	return kinds[kind].name;
}
