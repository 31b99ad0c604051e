// SPDX-License-Identifier: GPL-3.0-or-later
/* The sticks that may be written, and what they are called; see sticks.h. */
#include "cli/sticks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "base/text.h"

#define BY_ID "/dev/disk/by-id/"

bool sticks_is_one(const struct device_info *info)
{
	if (info->size == 0)
		return false;
	for (size_t i = 0; i < info->n_refused; i++) {
		enum device_lift lift = device_rule_lift(info->refused[i].rule);

		if (lift != LIFT_QUESTION && lift != LIFT_TYPE_SIZE)
			return false;
	}
	return true;
}

struct sticks sticks_of(struct device_info *list, size_t n)
{
	struct sticks s = { .list = list };

	/* Virtual devices are written when they are named, and never proposed. */
	for (size_t i = 0; i < n; i++) {
		struct device_info swap = list[i];

		if (list[i].is_virtual)
			continue;
		if (!sticks_is_one(&list[i])) {
			s.n_others++;
			continue;
		}
		list[i] = list[s.n];
		list[s.n++] = swap;
	}
	return s;
}

void sticks_read(struct sticks *ret)
{
	struct device_info *list = NULL;
	struct error err = ERROR_INIT;
	size_t n = 0;

	if (device_list(false, &list, &n, &err) < 0)
		n = 0;
	*ret = sticks_of(list, n);
}

void sticks_done(struct sticks *s)
{
	free(s->list);
	*s = (struct sticks){ 0 };
}

void sticks_drop(struct sticks *s, dev_t rdev)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->list[i].rdev != rdev)
			continue;
		memmove(&s->list[i], &s->list[i + 1], (s->n - i - 1) * sizeof(*s->list));
		s->n--;
		return;
	}
}

/* Vendor, model and size; many models repeat the vendor. */
static void plain_words(const struct device_info *info, const char *between, char *buf, size_t size)
{
	bool is_repeated = strncasecmp(info->vendor, info->model, strlen(info->vendor)) == 0;
	char both[192], name[256], word[NUM_SIZE_LEN];

	snprintf(both, sizeof(both), "%s%s%s", is_repeated ? "" : info->vendor,
		 is_repeated || !info->model[0] ? "" : " ", info->model);
	text_escape_trim(both, name, sizeof(name));
	snprintf(buf, size, "%s%s%s", name, name[0] ? between : "",
		 device_size_word(info, word, sizeof(word)));
}

const char *sticks_words(const struct sticks *s, size_t i, const char *between, char *buf,
			 size_t size)
{
	char other[320], port[sizeof(s->list[i].usb_port) * 4];
	size_t len;

	plain_words(&s->list[i], between, buf, size);
	len = strlen(buf);
	for (size_t k = 0; k < s->n && s->list[i].usb_port[0]; k++) {
		if (k == i)
			continue;
		plain_words(&s->list[k], between, other, sizeof(other));
		if (strncmp(other, buf, len) != 0 || other[len])
			continue;
		snprintf(buf + len, size - len, _("%sport %s"), between,
			 text_escape(s->list[i].usb_port, SIZE_MAX, port, sizeof(port)));
		break;
	}
	return buf;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

size_t sticks_nearest(const struct sticks *s, const char *path, const char **ret_name)
{
	bool is_by_id = strncmp(path, BY_ID, strlen(BY_ID)) == 0;
	unsigned int best_distance = TEXT_FAR;
	size_t best = s->n;

	for (size_t i = 0; i < s->n; i++) {
		const char *name = is_by_id ? s->list[i].by_id : s->list[i].path;
		unsigned int d = text_nearness(base_name(path), base_name(name));

		if (d == TEXT_FAR || d > best_distance)
			continue;
		/* Of two that are as near none is meant more than the other. */
		best = d == best_distance ? s->n : i;
		best_distance = d;
	}
	if (best < s->n)
		*ret_name = is_by_id ? s->list[best].by_id : s->list[best].path;
	return best;
}

void sticks_to_json(struct json *j, const struct device_info *info)
{
	json_string(j, "path", info->path);
	json_text(j, "by_id", info->by_id);
	json_text(j, "model", info->model);
	json_text(j, "vendor", info->vendor);
	json_text(j, "serial", info->serial);
	json_text(j, "usb_port", info->usb_port);
	json_u64(j, "size", info->size);
	json_string(j, "transport", info->transport);
	json_bool(j, "removable", info->removable);
	json_u64(j, "sector_size", info->sector_size);
	json_bool(j, "writable", info->writable);
	json_begin_array(j, "refused");
	for (size_t i = 0; i < info->n_refused; i++) {
		json_begin_object(j, NULL);
		json_string(j, "rule", device_rule_name(info->refused[i].rule));
		json_string(j, "why", info->refused[i].why);
		json_end_object(j);
	}
	json_end_array(j);
	json_begin_array(j, "contents");
	for (size_t i = 0; i < info->n_contents; i++) {
		const struct device_content *c = &info->contents[i];

		json_begin_object(j, NULL);
		json_string(j, "type", c->type);
		json_string(j, "label", c->label);
		json_string(j, "mountpoint", c->mountpoint[0] ? c->mountpoint : NULL);
		json_end_object(j);
	}
	json_end_array(j);
}
