// SPDX-License-Identifier: GPL-3.0-or-later
/* The text of one target's progress, for bars and for plain lines; see ui-tty.h. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "cli/ui-tty.h"
#include "cli/words.h"

#define BAR_MIN 10
#define BAR_MAX 30
#define STALL_SHOWN 3.0 /* seconds without a byte that are worth a word */

unsigned int tty_percent(const struct tty_progress *p)
{
	double percent;

	if (p->is_finished)
		return p->is_complete ? 100 : 0;
	if (p->last.total == 0 || p->last.total == UINT64_MAX)
		return 0;
	percent = (double)p->last.done * 100 / (double)p->last.total;

	/* The rest comes with the verdict: flushed, read back, committed. */
	return percent < 99 ? (unsigned int)percent : 99;
}

/* The pieces of a line, "" where they are not known. */
struct pieces {
	char percent[8], bytes[64], speed[32], mean[40], left[64], pace[24];
};

static void make_pieces(const struct tty_progress *p, struct pieces *ret)
{
	char a[NUM_SIZE_LEN], b[NUM_SIZE_LEN], word[32];
	bool is_total_known = p->last.total != UINT64_MAX;

	memset(ret, 0, sizeof(*ret));
	if (p->is_finished) {
		if (p->is_complete)
			snprintf(ret->percent, sizeof(ret->percent), "100 %%");
		return;
	}
	if (p->last.phase == PHASE_FLUSH)
		return; /* nothing to count */
	if (is_total_known && p->last.total > 0)
		snprintf(ret->percent, sizeof(ret->percent), "%3u %%", tty_percent(p));
	num_format_size(a, sizeof(a), p->last.done);
	if (is_total_known)
		snprintf(ret->bytes, sizeof(ret->bytes), _("%s of %s"), a,
			 num_format_size(b, sizeof(b), p->last.total));
	else if (p->last.done > 0)
		snprintf(ret->bytes, sizeof(ret->bytes), "%s", a);
	if (p->last.stalled_seconds >= STALL_SHOWN) {
		snprintf(ret->left, sizeof(ret->left), _("stalled for %.0f s"),
			 p->last.stalled_seconds);
		return;
	}
	if (p->last.sets_the_pace)
		snprintf(ret->pace, sizeof(ret->pace), "%s", _("sets the pace"));
	if (p->last.bytes_per_second > 0)
		words_speed(p->last.bytes_per_second, ret->speed, sizeof(ret->speed));
	if (p->last.mean_bytes_per_second > 0)
		snprintf(ret->mean, sizeof(ret->mean), _("(mean %s)"),
			 words_speed(p->last.mean_bytes_per_second, word, sizeof(word)));
	if (p->last.eta_seconds >= 0)
		snprintf(ret->left, sizeof(ret->left), _("%s left"),
			 words_duration(p->last.eta_seconds, word, sizeof(word)));
}

static const char *phase_word(const struct tty_progress *p)
{
	return p->is_finished ? p->word : event_phase_name(p->last.phase);
}

void tty_format_bar(const struct tty_progress *p, unsigned int width, char *buf, size_t size)
{
	struct pieces piece;
	/* In the order in which they are given up when the line is too narrow. */
	char *optional[] = { piece.mean, piece.bytes, piece.pace, piece.speed, piece.left };
	char bar[BAR_MAX + 3] = "";
	size_t used, name_width = strlen(p->name);

	make_pieces(p, &piece);
	used = name_width + 1 + num_max(strlen(phase_word(p)), 6);
	if (piece.percent[0])
		used += 1 + strlen(piece.percent);
	for (size_t i = 0; i < ARRAY_SIZE(optional); i++)
		used += optional[i][0] ? 2 + strlen(optional[i]) : 0;
	for (size_t i = 0; i < ARRAY_SIZE(optional) && used > width; i++) {
		used -= optional[i][0] ? 2 + strlen(optional[i]) : 0;
		optional[i][0] = '\0';
	}
	if (piece.percent[0] && used + 1 + BAR_MIN + 2 <= width) {
		size_t inner = num_min(width - used - 3, BAR_MAX);
		size_t full = inner * tty_percent(p) / 100;

		bar[0] = '[';
		memset(bar + 1, '#', full);
		memset(bar + 1 + full, '.', inner - full);
		bar[1 + inner] = ']';
		bar[2 + inner] = '\0';
	}
	snprintf(buf, num_min(size, (uint64_t)width + 1), "%s %-6s%s%s%s%s%s%s%s%s%s%s%s%s%s%s",
		 p->name, phase_word(p), bar[0] ? " " : "", bar, piece.percent[0] ? " " : "",
		 piece.percent, piece.bytes[0] ? "  " : "", piece.bytes, piece.speed[0] ? "  " : "",
		 piece.speed, piece.mean[0] ? "  " : "", piece.mean, piece.left[0] ? "  " : "",
		 piece.left, piece.pace[0] ? "  " : "", piece.pace);
	for (size_t len = strlen(buf); len > 0 && buf[len - 1] == ' '; len--)
		buf[len - 1] = '\0';
}

void tty_format_line(const struct tty_progress *p, char *buf, size_t size)
{
	struct pieces piece;
	const char *percent = piece.percent;

	make_pieces(p, &piece);
	while (*percent == ' ')
		percent++;
	snprintf(buf, size, "%s: %s%s%s%s%s%s%s%s%s%s%s%s%s", p->name, phase_word(p),
		 percent[0] ? " " : "", percent, piece.bytes[0] ? ", " : "", piece.bytes,
		 piece.speed[0] ? ", " : "", piece.speed, piece.mean[0] ? " " : "", piece.mean,
		 piece.left[0] ? ", " : "", piece.left, piece.pace[0] ? ", " : "", piece.pace);
}
