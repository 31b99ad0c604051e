/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that a command makes where the user asked for it (a receipt, a picture,
 * the image of a stick): never replaces one without being told to, is never made
 * below /dev, and is complete or not there at all. Until then it has no name
 * (O_TMPFILE) or, where the file system knows no such thing, a temporary one
 * beside it, .isowrite.PID.
 *
 * what is a noun for the messages: "receipt".
 */
#ifndef ISOWRITE_BASE_OUTFILE_H
#define ISOWRITE_BASE_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Before anything is done: can it be written there later? Nothing is created. ERROR_USAGE, or
 * ERROR_REFUSED where the directory's permissions forbid it.
 */
int outfile_check(const char *what, const char *path, bool overwrite, struct error *err);

/* Bytes that the file system has left where it would lie; UINT64_MAX unknown. */
uint64_t outfile_room(const char *path);

/* The same directory and name, whether there is a file yet or not. */
bool outfile_is_same_place(const char *a, const char *b);

/* All of it at once. ERROR_INTERNAL when that fails. */
int outfile_write(const char *what, const char *path, bool overwrite, const void *data, size_t len,
		  struct error *err);

struct outfile {
	int fd; /* written to by the caller */
	int dir;
	const char *what;
	char *path; /* as the user gave it */
	char temp[64]; /* its name until it is complete, "" if it has none */
	bool overwrite;
};

/* Creates it, without its name. what is borrowed. Caller ends it by outfile_close(). */
int outfile_open(const char *what, const char *path, bool overwrite, struct outfile *ret,
		 struct error *err);

/* What a failed write to it means, for people: ERROR_FIT (full, too large) or ERROR_IO; -1. */
int outfile_set_error(const struct outfile *f, int sys, struct error *err);

/* fsync, checked, and then it has its name. */
int outfile_commit(struct outfile *f, struct error *err);

/* Without a commit nothing is left of it. */
void outfile_close(struct outfile *f);

#endif
