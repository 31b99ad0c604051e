// SPDX-License-Identifier: GPL-3.0-or-later
/* Names of what the core says; see event.h. */
#include "job/event.h"

const char *event_phase_name(enum event_phase phase)
{
	switch (phase) {
	case PHASE_CHECK:
		return "check";
	case PHASE_READ:
		return "read";
	case PHASE_BACKUP:
		return "backup";
	case PHASE_PROBE:
		return "probe";
	case PHASE_WRITE:
		return "write";
	case PHASE_FLUSH:
		return "flush";
	case PHASE_VERIFY:
		return "verify";
	}
	return "unknown";
}
