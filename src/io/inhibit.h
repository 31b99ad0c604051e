/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the machine from sleeping or shutting down while a target is written,
 * by asking logind. libsystemd is loaded at run time if it is there; without
 * it, or without logind, nothing is inhibited and nothing else changes.
 */
#ifndef ISOWRITE_IO_INHIBIT_H
#define ISOWRITE_IO_INHIBIT_H

/*
 * A descriptor that inhibits until it is closed, or -1. why is shown to people
 * ("writing /dev/sdb") and must be escaped. Waits for logind for at most 2 s.
 */
int inhibit_sleep(const char *why);

#endif
