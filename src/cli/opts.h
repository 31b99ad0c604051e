/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * argv to struct options, by two data tables (commands and options) that also
 * make --help and the shell completion, and that scripts/check-docs compares
 * with the man page. Prints nothing but the help.
 */
#ifndef ISOWRITE_CLI_OPTS_H
#define ISOWRITE_CLI_OPTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/cmd.h"

struct command_row {
	const char *name;
	const char *operands; /* "IMAGE TARGET..." */
	const char *help;     /* one line */
	size_t min_operands, max_operands;
};

/* What an option's value is, for the shell completion. */
enum value_kind { VALUE_NONE, VALUE_WORDS, VALUE_LIST, VALUE_FILE, VALUE_DEVICE, VALUE_FREE };

struct option_row {
	char short_name; /* 0: none */
	const char *name;
	const char *value; /* as --help shows it, NULL: takes none */
	bool is_value_optional;
	enum value_kind kind;
	const char *words; /* VALUE_WORDS, VALUE_LIST: separated by blanks */
	uint32_t commands; /* bits 1u << enum command_id */
	bool is_common;    /* among the options that the one-screen help shows */
	const char *help;  /* one line */
	int (*set)(struct options *o, const char *value, struct error *err);
};

extern const struct command_row command_table[N_COMMANDS];

/* The others are asked for by an option. */
static inline bool command_has_word(enum command_id command)
{
	return command != COMMAND_REPORT;
}

#define N_OPTIONS 55
extern const struct option_row *const option_table;

/* Names that are commands of the interface, but not built: NULL-terminated. */
extern const char *const command_reserved[];

enum opts_action {
	OPTS_RUN,
	OPTS_HELP,         /* --help: one screen */
	OPTS_HELP_COMMAND, /* --help after a command's name */
	OPTS_HELP_ALL,     /* --help=all */
	OPTS_VERSION,
	OPTS_FIRST_CONTACT, /* no arguments at all */
	OPTS_NO_TARGET,     /* write with an image only */
};

/*
 * Understands argv (which is permuted: operands last). On failure ret still
 * holds what is needed to report it: json, color, command. ERROR_USAGE.
 */
int opts_parse(int argc, char **argv, struct options *ret, enum opts_action *ret_action,
	       struct error *err);

/*
 * A word in an image's place that is neither an existing file nor, where no command was named, a
 * command: ERROR_USAGE "no image or command 'inspekt'; did you mean 'inspect'?", or a file beside
 * it that is meant; ERROR_LACKING for a URL. 0 where the word may be an image.
 */
int opts_check_image_word(const struct options *o, const char *word, struct error *err);

/* help: OPTS_HELP, OPTS_HELP_COMMAND (of command) or OPTS_HELP_ALL. */
void opts_print_help(FILE *out, enum opts_action help, enum command_id command);

#endif
