// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * logind's inhibitor locks; see inhibit.h. Facts: org.freedesktop.login1(5),
 * method Inhibit(what, who, why, mode) -> file descriptor. The few functions
 * of sd-bus(3) that are needed are declared here, so that neither the build
 * nor the start of every command pays for the library.
 */
#include "io/inhibit.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stddef.h>

#define TIMEOUT_USEC UINT64_C(2000000)

/* Opaque here as there. */
struct sd_bus;
struct sd_bus_message;

struct sd_bus_calls {
	int (*open_system)(struct sd_bus **ret);
	int (*set_method_call_timeout)(struct sd_bus *bus, uint64_t usec);
	int (*call_method)(struct sd_bus *bus, const char *destination, const char *path,
			   const char *interface, const char *member, void *ret_error,
			   struct sd_bus_message **reply, const char *types, ...);
	int (*message_read)(struct sd_bus_message *m, const char *types, ...);
	struct sd_bus_message *(*message_unref)(struct sd_bus_message *m);
	struct sd_bus *(*flush_close_unref)(struct sd_bus *bus);
};

static int load(void *lib, struct sd_bus_calls *c)
{
	const struct {
		const char *name;
		void **to;
	} symbols[] = {
		{ "sd_bus_open_system", (void **)&c->open_system },
		{ "sd_bus_set_method_call_timeout", (void **)&c->set_method_call_timeout },
		{ "sd_bus_call_method", (void **)&c->call_method },
		{ "sd_bus_message_read", (void **)&c->message_read },
		{ "sd_bus_message_unref", (void **)&c->message_unref },
		{ "sd_bus_flush_close_unref", (void **)&c->flush_close_unref },
	};

	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		*symbols[i].to = dlsym(lib, symbols[i].name);
		if (!*symbols[i].to)
			return -1;
	}
	return 0;
}

/* Asks logind; the descriptor belongs to the reply, so it is duplicated. */
static int ask(const struct sd_bus_calls *c, struct sd_bus *bus, const char *why)
{
	struct sd_bus_message *reply = NULL;
	int fd = -1, held = -1;

	if (c->call_method(bus, "org.freedesktop.login1", "/org/freedesktop/login1",
			   "org.freedesktop.login1.Manager", "Inhibit", NULL, &reply, "ssss",
			   "shutdown:sleep:idle", "isowrite", why, "block") < 0)
		return -1;
	if (c->message_read(reply, "h", &fd) >= 0)
		held = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	c->message_unref(reply);
	return held;
}

int inhibit_sleep(const char *why)
{
	/* Stays loaded: unloading a library with threads and caches of its own gains nothing. */
	void *lib = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	struct sd_bus_calls calls;
	struct sd_bus *bus = NULL;
	int fd = -1;

	if (!lib)
		return -1;
	if (load(lib, &calls) == 0 && calls.open_system(&bus) >= 0) {
		(void)calls.set_method_call_timeout(bus, TIMEOUT_USEC);
		fd = ask(&calls, bus, why);
		calls.flush_close_unref(bus);
	}
	dlclose(lib);
	return fd;
}
