// SPDX-License-Identifier: GPL-3.0-or-later
/* Signals, as flags that the main thread polls; see signals.h. */
#include "cli/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t stop_asked, usr1_seen, tstp_seen;

/* Only async-signal-safe calls: signal(), raise(). */
static void on_stop(int sig)
{
	if (stop_asked) {
		/* Blocked until this handler returns, then it ends the process. */
		signal(sig, SIG_DFL);
		raise(sig);
		return;
	}
	stop_asked = sig;
}

static void on_usr1(int sig)
{
	(void)sig;
	usr1_seen = 1;
}

static void on_tstp(int sig)
{
	(void)sig;
	tstp_seen = 1;
}

/* Without SA_RESTART, so that a read of the answer to a question is interrupted. */
static void catch_unless_ignored(int sig, void (*handler)(int))
{
	struct sigaction old, sa = { .sa_handler = handler };

	if (sigaction(sig, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
		return;
	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

void signals_init(void)
{
	signal(SIGPIPE, SIG_IGN); /* a dead reader never stops a write */
	signal(SIGXFSZ, SIG_IGN); /* a limit of files' sizes is an error like a full file system */
	catch_unless_ignored(SIGUSR1, on_usr1);
}

void signals_begin_job(void)
{
	catch_unless_ignored(SIGINT, on_stop);
	catch_unless_ignored(SIGTERM, on_stop);
	catch_unless_ignored(SIGHUP, on_stop);
	catch_unless_ignored(SIGTSTP, on_tstp);
}

int signals_stop_asked(void)
{
	return stop_asked;
}

int signals_wait_readable(int fd)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGTSTP };
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	sigset_t blocked, old;
	int r;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(&blocked, ours[i]);
	if (sigprocmask(SIG_BLOCK, &blocked, &old) < 0)
		return -1;
	if (stop_asked || usr1_seen || tstp_seen)
		r = 0;
	else
		r = ppoll(&pfd, 1, NULL, &old);
	if (r < 0 && errno == EINTR)
		r = 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}

bool signals_take_usr1(void)
{
	bool seen = usr1_seen;

	usr1_seen = 0;
	return seen;
}

bool signals_take_tstp(void)
{
	bool seen = tstp_seen;

	tstp_seen = 0;
	return seen;
}

void signals_pause(void)
{
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP); /* returns after SIGCONT */
	catch_unless_ignored(SIGTSTP, on_tstp);
}

void signals_die(int sig)
{
	sigset_t set;

	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	_exit(128 + sig);
}
