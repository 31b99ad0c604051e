/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --json=lines: one object on one line of standard output for each event. */
#ifndef ISOWRITE_CLI_UI_JSON_H
#define ISOWRITE_CLI_UI_JSON_H

#include "job/event.h"

void json_print_event(const struct event *event);

/* What went wrong, with a target (its path) or with the whole job (NULL). */
void json_print_error(const char *target, const struct error *err);

#endif
