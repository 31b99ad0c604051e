/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signals, as flags that the main thread polls. Once a job has begun the first
 * SIGINT, SIGTERM or SIGHUP asks to stop and a second one ends at once; before,
 * and in commands that only look, the first one does. A signal that was ignored
 * when the program was started stays ignored.
 */
#ifndef ISOWRITE_CLI_SIGNALS_H
#define ISOWRITE_CLI_SIGNALS_H

#include <stdbool.h>

void signals_init(void);

/* From now on there is something to be tidied up before the end. */
void signals_begin_job(void);

/* The signal that asks to stop, or 0. */
int signals_stop_asked(void);

/*
 * Waits until fd can be read: 1, or 0 when a signal came before or meanwhile
 * (then the flags above and below tell), -1 on error. No signal is missed
 * between looking at the flags and waiting.
 */
int signals_wait_readable(int fd);

/* Was SIGUSR1 sent since the last call? */
bool signals_take_usr1(void);

/* Was SIGTSTP sent since the last call? Then the caller tidies up and calls signals_pause(). */
bool signals_take_tstp(void);

/* Stops the process as SIGTSTP does by default; returns when it is continued. */
void signals_pause(void);

/* Ends the process by the signal, so that a shell sees 128+n and a loop stops. */
void signals_die(int sig) __attribute__((noreturn));

#endif
