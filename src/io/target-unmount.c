// SPDX-License-Identifier: GPL-3.0-or-later
/* Unmounts what lies on a target, after the question has named it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/text.h"
#include "io/device-internal.h"
#include "io/target-internal.h"

struct on_target {
	const struct sysfs_parts *parts;
	bool found;
};

static void check_dev(void *ctx, dev_t dev)
{
	struct on_target *on = ctx;

	for (size_t i = 0; i < on->parts->n; i++)
		on->found = on->found || on->parts->part[i].rdev == dev;
}

static int unmount_one(const struct target *t, const struct mount *m, struct error *err)
{
	char safe[TARGET_SAFE_PATH], point[300], source[300];
	int sys;

	if (umount2(m->point, UMOUNT_NOFOLLOW) == 0)
		return 0;
	sys = errno;
	text_escape(m->point, strlen(m->point), point, sizeof(point));
	text_escape(m->source, strlen(m->source), source, sizeof(source));
	target_safe_path(t, safe);
	if (sys == EPERM)
		return error_set(err, ERROR_REFUSED, "mounted",
				 _("%s is mounted on %s, and only root may unmount it here; "
				   "\"udisksctl unmount -b %s\" may do it for you."),
				 safe, point, source);
	if (sys == EBUSY)
		return error_set(err, ERROR_REFUSED, "mounted",
				 _("%s is mounted on %s and in use there; close what uses it, "
				   "then run this again."),
				 safe, point);
	return error_set_sys(err, ERROR_REFUSED, "mounted", sys, _("Cannot unmount %s from %s"),
			     safe, point);
}

int target_unmount(struct target *t, struct error *err)
{
	struct mounts mounts = { 0 };
	struct sysfs_parts parts;
	struct sysfs_node node;
	int rc = 0;

	if (!t->info.is_block)
		return 0;
	if (sysfs_find(t->info.rdev, &node))
		return error_set(err, ERROR_IO, "device-gone", _("The device was removed."));
	sysfs_list_parts(&node, true, &parts);
	if (mounts_read("self", &mounts))
		return error_set_sys(err, ERROR_LACKING, "no-mountinfo", errno,
				     _("Cannot read /proc/self/mountinfo"));
	/* Later mounts lie on top of earlier ones. */
	for (size_t i = mounts.n; rc == 0 && i-- > 0;) {
		struct on_target on = { .parts = &parts };

		device_each_of_mount(&mounts.list[i], check_dev, &on);
		if (on.found)
			rc = unmount_one(t, &mounts.list[i], err);
	}
	mounts_done(&mounts);
	return rc;
}
