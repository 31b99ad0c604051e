/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The error object: filled once, where the knowledge is; callers only prefix.
 * No allocation, so it can be used on every path, in every thread.
 */
#ifndef ISOWRITE_BASE_ERROR_H
#define ISOWRITE_BASE_ERROR_H

/* Marks translatable sentences; a no-op until gettext is wired in. */
#define _(s) (s)

#define ERROR_MSG_SIZE 512

/* Each kind maps to one exit status, see error_kind_exit_status(). */
enum error_kind {
	ERROR_NONE = 0,
	ERROR_INTERNAL, /* 1: a bug, or out of memory */
	ERROR_USAGE, /* 2: arguments, a name that does not exist, a target named twice */
	ERROR_REFUSED, /* 3: a safety rule, or permission denied */
	ERROR_IMAGE, /* 4: bad, truncated, corrupt, unsupported, changed while read */
	ERROR_FIT, /* 5: does not fit on the target */
	ERROR_IO, /* 6: source or target I/O, device gone */
	ERROR_DIFFERS, /* 7: read-back differs */
	ERROR_CANCELLED, /* 8: "no" at the question, or a signal */
	ERROR_TRUST, /* 9: digest or signature wrong, or required and absent */
	ERROR_LACKING, /* 10: this build or machine lacks what the job needs */
};

struct error {
	enum error_kind kind;
	const char *code; /* stable machine name, lower-case with dashes, static storage */
	int sys; /* errno behind it, or 0 */
	char msg[ERROR_MSG_SIZE]; /* a whole sentence, UTF-8, already safe for a terminal */
};

#define ERROR_INIT { .kind = ERROR_NONE }

/*
 * Sets err and returns -1, so that "return error_set(err, ...)" reads well.
 * code must be a string literal. The message is cut at a character bound when
 * too long. Strings that come from images or devices must have passed through
 * text_escape() before.
 */
int error_set(struct error *err, enum error_kind kind, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same with an errno value: ": <strerror>" is appended. */
int error_set_sys(struct error *err, enum error_kind kind, const char *code, int sys,
		  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* ERROR_INTERNAL "out-of-memory"; returns -1. */
int error_set_nomem(struct error *err);

/* Puts "<prefix>: " before the message. */
void error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The exit status of the table in the man page for a kind; ERROR_NONE is 0. */
int error_kind_exit_status(enum error_kind kind);

/* Stable lower-case name of a kind for JSON: "internal", "usage", "refused", ... */
const char *error_kind_name(enum error_kind kind);

#endif
