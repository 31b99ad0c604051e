// SPDX-License-Identifier: GPL-3.0-or-later
/* The safety rules, in the order of enum device_rule. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io/device-internal.h"

bool device_has_refusal(const struct device_info *info, enum device_rule rule)
{
	for (size_t i = 0; i < info->n_refused; i++)
		if (info->refused[i].rule == rule)
			return true;
	return false;
}

void device_refuse(struct device_info *info, enum device_rule rule, const char *fmt, ...)
{
	struct device_refusal *r;
	va_list ap;

	if (device_has_refusal(info, rule))
		return;
	r = &info->refused[info->n_refused++];
	r->rule = rule;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	info->writable = false;
}

void device_lift_refusal(struct device_info *info, enum device_rule rule)
{
	size_t n = 0;

	for (size_t i = 0; i < info->n_refused; i++)
		if (info->refused[i].rule != rule)
			info->refused[n++] = info->refused[i];
	info->n_refused = n;
	info->writable = n == 0;
}
