/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Locals that clean up after themselves (attribute cleanup), and take_*(), which gives one away. */
#ifndef ISOWRITE_BASE_CLEANUP_H
#define ISOWRITE_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

#define auto_free __attribute__((cleanup(cleanup_free)))
#define auto_fd __attribute__((cleanup(cleanup_fd)))

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define take_ptr(p)                               \
	({                                        \
		__typeof__(p) *take_pp_ = &(p);   \
		__typeof__(p) taken_ = *take_pp_; \
		*take_pp_ = NULL;                 \
		taken_;                           \
	})

/* DEFINE_AUTO(struct plan *, plan_free): auto_cleanup(plan_free) struct plan *p = NULL; */
#define DEFINE_AUTO(type, func)                       \
	static inline void func##_auto_(type *p)      \
	{                                             \
		if (*p)                               \
			func(*p);                     \
	}                                             \
	struct func##_auto_needs_semicolon_
#define auto_cleanup(func) __attribute__((cleanup(func##_auto_)))

#endif
