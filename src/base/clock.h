/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seconds that always go on, for what is measured and waited for; never a time of day. */
#ifndef ISOWRITE_BASE_CLOCK_H
#define ISOWRITE_BASE_CLOCK_H

#include <time.h>

static inline double clock_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

#endif
