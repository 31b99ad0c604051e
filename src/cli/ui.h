/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two text streams, colour, and the common frame of every JSON object; see also cmd.h. */
#ifndef ISOWRITE_CLI_UI_H
#define ISOWRITE_CLI_UI_H

#include "cli/cmd.h"

/* opts must outlive ui. */
void ui_init(struct ui *ui, const struct options *opts);

/*
 * Flushes standard output. When that fails, says so, and makes a status of 0
 * into 1. Returns the status.
 */
int ui_finish(struct ui *ui, int status);

/* Prints a finished object on standard output and frees j. -1 if memory ran out. */
int ui_json_print(struct json *j);

/* Of the terminal behind fd; 0: it is none. */
unsigned int ui_columns(int fd);

/* Colours, or "" where the stream takes none. */
enum ui_color { UI_PLAIN, UI_BOLD, UI_RED, UI_GREEN, UI_YELLOW };
const char *ui_sgr(bool enabled, enum ui_color color);

/* "isowrite: ", in colour where standard error takes it. For messages put together piece by piece. */
void ui_error_prefix(struct ui *ui);

/*
 * A stream before fd that writes every byte outside ASCII as \xNN, for locales
 * that are not UTF-8. NULL: out of memory.
 */
FILE *ui_ascii_stream(FILE *to);

#endif
