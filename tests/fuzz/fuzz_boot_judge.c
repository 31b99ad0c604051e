// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The judge of boot-test: whatever a guest sends. The first byte chooses the firmware and how the
 * rest is cut; it also goes to the screen and to the processor. What is said is printable, and
 * nothing that was seen is unseen again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "job/boot-test-judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			abort();
	}
}

static void check(const struct boot_judge *j, enum boot_reached before)
{
	check_text(j->text);
	check_text(j->why);
	check_text(j->last);
	if (j->reached < before || (j->gave_up && !j->why[0]))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t cells[VGA_TEXT_SIZE] = { 0 };
	enum boot_reached before = REACHED_NOTHING;
	struct boot_judge j;
	size_t step;

	if (size < 1)
		return 0;
	boot_judge_init(&j, data[0] & 1, data[0] & 2 ? "BOOTED" : NULL);
	step = (size_t)(data[0] >> 2) + 1;
	data++;
	size--;
	for (size_t at = 0; at < size; at += step) {
		enum boot_channel channel = at / step % 7 == 6 ? CHANNEL_DEBUG : CHANNEL_SERIAL;

		boot_judge_feed(&j, channel, data + at, num_min(step, size - at));
		boot_judge_settle(&j);
		check(&j, before);
		before = j.reached;
	}
	memcpy(cells, data, num_min(size, sizeof(cells)));
	boot_judge_screen(&j, cells);
	boot_judge_processor(&j, (const char *)data, size);
	boot_judge_graphics(&j);
	check(&j, before);
	return 0;
}
