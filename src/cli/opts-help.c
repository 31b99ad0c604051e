// SPDX-License-Identifier: GPL-3.0-or-later
/* --help, from the tables of commands and options. One screen has 24 lines of 80 columns. */
#include <stdio.h>
#include <string.h>

#include "cli/opts.h"

#define HELP_COLUMN 27 /* where the explanation begins */

/* "  -y, --yes" or "      --mode=MODE", padded to the column of the explanations. */
static void print_option(FILE *out, const struct option_row *row)
{
	char left[48];
	int n = row->short_name
			? snprintf(left, sizeof(left), "  -%c, --%s", row->short_name, row->name)
			: snprintf(left, sizeof(left), "      --%s", row->name);

	if (row->value && n > 0 && (size_t)n < sizeof(left))
		snprintf(left + n, sizeof(left) - (size_t)n,
			 row->is_value_optional ? "[=%s]" : "=%s", row->value);
	fprintf(out, "%-*s  %s\n", HELP_COLUMN - 2, left, row->help);
}

static void print_options(FILE *out, uint32_t commands, bool common_only)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = &option_table[i];

		if ((row->commands & commands) && (row->is_common || !common_only))
			print_option(out, row);
	}
}

static void print_usage(FILE *out)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const struct command_row *row = &command_table[i];
		char left[64];

		if (!command_has_word((enum command_id)i))
			continue;
		snprintf(left, sizeof(left), "%s%s%s", i == COMMAND_WRITE ? "[write]" : row->name,
			 row->operands[0] ? " " : "", row->operands);
		fprintf(out, "  isowrite %-26s  %s\n", left, row->help);
	}
}

static void print_command(FILE *out, enum command_id command)
{
	const struct command_row *row = &command_table[command];

	fprintf(out, _("isowrite %s [OPTION...]%s%s\n  %s\n\n"), row->name,
		row->operands[0] ? " " : "", row->operands, row->help);
	print_options(out, 1u << command, false);
	fprintf(out, _("\nExamples, safety rules and exit statuses: man isowrite\n"));
}

/* Every option once, under the first command that takes it. */
static void print_all(FILE *out)
{
	fprintf(out, _("isowrite writes an image to a USB stick or card, reads it back and "
		       "compares.\n\n"));
	print_usage(out);
	for (size_t c = 0; c < N_COMMANDS; c++) {
		bool is_first = true;

		for (size_t i = 0; i < N_OPTIONS; i++) {
			const struct option_row *row = &option_table[i];
			uint32_t earlier = (1u << c) - 1;

			if (!(row->commands & (1u << c)) || (row->commands & earlier))
				continue;
			if (is_first)
				fprintf(out, _("\nOptions of %s:\n"), command_table[c].name);
			is_first = false;
			print_option(out, row);
		}
	}
	fprintf(out, _("\nWhich of them a command takes: isowrite COMMAND --help.\n"));
}

void opts_print_help(FILE *out, enum opts_action help, enum command_id command)
{
	if (help == OPTS_HELP_COMMAND) {
		print_command(out, command);
		return;
	}
	if (help == OPTS_HELP_ALL) {
		print_all(out);
		return;
	}
	fprintf(out, _("isowrite writes an image to a USB stick or card, reads it back and "
		       "compares.\n\n"));
	print_usage(out);
	fprintf(out, "\n");
	print_options(out, UINT32_MAX, true);
	fprintf(out,
		_("\nIMAGE is a file or - (standard input), plain or .gz .xz .zst .bz2 .lz4 .zip.\n"
		  "TARGET: whole disk or file:PATH. More: COMMAND --help, --help=all, "
		  "man isowrite\n"));
}
