// SPDX-License-Identifier: GPL-3.0-or-later
/* argv to struct options; see opts.h. */
#include "cli/opts.h"

#include <getopt.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/num.h"
#include "base/text.h"

#define LONG_BASE 256 /* getopt's value of row i is LONG_BASE + i */

const char *command_name(enum command_id command)
{
	return command_table[command].name;
}

static void make_getopt_tables(struct option longs[N_OPTIONS + 1], char shorts[2 * N_OPTIONS + 2])
{
	size_t n = 0;

	memset(longs, 0, (N_OPTIONS + 1) * sizeof(longs[0]));
	shorts[n++] = ':'; /* a missing value is told apart from an unknown option */
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = &option_table[i];

		longs[i].name = row->name;
		longs[i].val = LONG_BASE + (int)i;
		if (row->value)
			longs[i].has_arg =
				row->is_value_optional ? optional_argument : required_argument;
		if (row->short_name) /* short options with optional values come without them */
			shorts[n++] = row->short_name;
	}
	shorts[n] = '\0';
}

static const struct option_row *row_of(int opt)
{
	if (opt >= LONG_BASE && (size_t)(opt - LONG_BASE) < N_OPTIONS)
		return &option_table[opt - LONG_BASE];
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (option_table[i].short_name && option_table[i].short_name == opt)
			return &option_table[i];
	}
	return NULL;
}

/* The nearest name, or NULL if none is near: a third of its length, at most 3 edits. */
static const char *nearest_option(const char *word)
{
	const char *best = NULL;
	unsigned int best_distance = 4;

	for (size_t i = 0; i < N_OPTIONS; i++) {
		unsigned int d = text_distance(word, option_table[i].name, 3);

		if (d < best_distance && d <= (strlen(option_table[i].name) + 1) / 3) {
			best_distance = d;
			best = option_table[i].name;
		}
	}
	return best;
}

static const char *nearest_command(const char *word)
{
	const char *best = NULL;
	unsigned int best_distance = 3;

	for (size_t i = 0; i < N_COMMANDS; i++) {
		unsigned int d = text_distance(word, command_table[i].name, 2);

		if (d < best_distance) {
			best_distance = d;
			best = command_table[i].name;
		}
	}
	return best;
}

/* argv[optind - 1] is a long option that getopt does not know, or knows twice. */
static int fail_long(const char *arg, struct error *err)
{
	char word[64], quoted[96], list[160] = "";
	size_t len = strcspn(arg, "=");
	size_t n_matching = 0;
	const char *near;

	snprintf(word, sizeof(word), "%.*s", (int)num_min(len, sizeof(word) - 1), arg);
	text_escape_trim(word, quoted, sizeof(quoted));
	near = nearest_option(word + 2);
	for (size_t i = 0; i < N_OPTIONS && word[2]; i++) {
		size_t used = strlen(list);

		if (strncmp(option_table[i].name, word + 2, strlen(word + 2)) != 0)
			continue;
		snprintf(list + used, sizeof(list) - used, "%s--%s", n_matching++ ? ", " : "",
			 option_table[i].name);
	}
	if (n_matching > 1)
		return error_set(err, ERROR_USAGE, "ambiguous-option",
				 _("The option '%s' may mean %s."), quoted, list);
	if (near)
		return error_set(err, ERROR_USAGE, "unknown-option",
				 _("Unknown option '%s'; did you mean '--%s'?"), quoted, near);
	return error_set(err, ERROR_USAGE, "unknown-option",
			 _("Unknown option '%s'; isowrite --help=all lists the options."), quoted);
}

static int fail_option(int opt, const char *arg, struct error *err)
{
	const struct option_row *row = row_of(optopt);
	char quoted[16], letter[2] = { (char)optopt, '\0' };

	if (opt == ':')
		return error_set(err, ERROR_USAGE, "missing-value",
				 _("The option --%s wants a value: --%s=%s."), row->name, row->name,
				 row->value);
	if (optopt == 0)
		return fail_long(arg, err);
	if (row)
		return error_set(err, ERROR_USAGE, "unwanted-value",
				 _("The option --%s takes no value."), row->name);
	return error_set(err, ERROR_USAGE, "unknown-option",
			 _("Unknown option '-%s'; isowrite --help=all lists the options."),
			 text_escape_trim(letter, quoted, sizeof(quoted)));
}

static int find_command(const char *word, enum command_id *ret)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(word, command_table[i].name) == 0) {
			*ret = (enum command_id)i;
			return 1;
		}
	}
	return 0;
}

/* An error before --json or the command was reached: the report is right all the same. */
static void find_json(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-') {
			find_command(argv[i], &o->command);
			break;
		}
	}
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--json=lines") == 0)
			o->json = JSON_LINES;
		else if (strcmp(argv[i], "-J") == 0 || strcmp(argv[i], "--json") == 0 ||
			 strcmp(argv[i], "--json=object") == 0)
			o->json = JSON_OBJECT;
	}
}

static bool is_reserved(const char *word)
{
	for (size_t i = 0; command_reserved[i]; i++) {
		if (strcmp(word, command_reserved[i]) == 0)
			return true;
	}
	return false;
}

/* Is every option that was given one of the command's? */
static int check_applicable(const bool seen[N_OPTIONS], enum command_id command, struct error *err)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		char list[64] = "";

		if (!seen[i] || (option_table[i].commands & (1u << command)))
			continue;
		for (size_t c = 0; c < N_COMMANDS; c++) {
			size_t len = strlen(list);

			if (option_table[i].commands & (1u << c))
				snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "",
					 command_table[c].name);
		}
		return error_set(err, ERROR_USAGE, "option-elsewhere",
				 _("The option --%s does not belong to '%s', but to: %s."),
				 option_table[i].name, command_table[command].name, list);
	}
	return 0;
}

static int check_operands(const struct options *o, enum opts_action *action, struct error *err)
{
	const struct command_row *row = &command_table[o->command];
	char quoted[128];

	for (size_t i = 0; i < o->n_operands; i++) {
		if (o->operands[i][0] == '\0')
			return error_set(err, ERROR_USAGE, "empty-operand",
					 i == 0 ? _("The image's name is empty.")
						: _("The name of target %zu is empty."),
					 i);
	}
	if (o->n_operands < row->min_operands && o->n_operands == 1)
		return error_set(err, ERROR_USAGE, "missing-operand",
				 _("'%s' wants one more operand: isowrite %s %s"), row->name,
				 row->name, row->operands);
	if (o->n_operands < row->min_operands)
		return error_set(err, ERROR_USAGE, "missing-operand",
				 _("'%s' wants an operand: isowrite %s %s"), row->name, row->name,
				 row->operands);
	if (o->n_operands > row->max_operands)
		return error_set(
			err, ERROR_USAGE, "unwanted-operand",
			_("'%s' is one operand too many: isowrite %s%s%s"),
			text_escape_trim(o->operands[row->max_operands], quoted, sizeof(quoted)),
			row->name, row->operands[0] ? " " : "", row->operands);
	if (o->command == COMMAND_WRITE && o->n_operands == 1)
		*action = o->dry_run ? OPTS_RUN : OPTS_NO_TARGET;
	return 0;
}

static int check_combinations(const struct options *o, struct error *err)
{
	if (o->protect && o->unprotect)
		return error_set(err, ERROR_USAGE, "conflict",
				 _("--protect and --unprotect exclude each other."));
	if (o->overwrite && !o->receipt && !o->svg)
		return error_set(err, ERROR_USAGE, "conflict", _("--overwrite goes with %s=FILE."),
				 o->command == COMMAND_INSPECT ? "--svg" : "--receipt");
	if (o->sector_size && !o->size)
		return error_set(err, ERROR_USAGE, "conflict",
				 _("--sector-size goes with --size=SIZE."));
	if (o->require && strcmp(o->require, "digest") == 0 && o->n_want == 0)
		return error_set(err, ERROR_TRUST, "digest-missing",
				 _("--require=digest, but no digest was given: --sha256=HEX."));
	return 0;
}

/* help: 0 not asked, 1 --help, 2 --help=all. */
static int read_options(int argc, char **argv, struct options *o, bool seen[N_OPTIONS],
			unsigned int *help, bool *version, struct error *err)
{
	struct option longs[N_OPTIONS + 1];
	char shorts[2 * N_OPTIONS + 2];
	int opt;

	make_getopt_tables(longs, shorts);
	optind = 0; /* glibc: forget an earlier parse */
	opterr = 0;
	while ((opt = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_row *row = opt == '?' || opt == ':' ? NULL : row_of(opt);

		if (!row)
			return fail_option(opt, argv[optind - 1], err);
		seen[row - option_table] = true;
		if (row->set) {
			if (row->set(o, optarg, err) < 0)
				return -1;
		} else if (row->short_name == 'V') {
			*version = true;
		} else if (optarg && strcmp(optarg, "all") != 0) {
			return error_set(err, ERROR_USAGE, "bad-value",
					 _("--help may be followed by =all only."));
		} else {
			*help = optarg ? 2 : 1;
		}
	}
	return 0;
}

static int parse(int argc, char **argv, struct options *o, enum opts_action *action,
		 struct error *err)
{
	bool seen[N_OPTIONS] = { false }, version = false, named = false;
	unsigned int help = 0;

	if (read_options(argc, argv, o, seen, &help, &version, err) < 0)
		return -1;
	o->operands = (const char *const *)(argv + optind);
	o->n_operands = (size_t)(argc - optind);
	if (o->n_operands > 0 && find_command(o->operands[0], &o->command)) {
		named = true;
		o->operands++;
		o->n_operands--;
	} else if (o->n_operands > 0 && is_reserved(o->operands[0])) {
		return error_set(err, ERROR_USAGE, "not-in-this-version",
				 _("The command '%s' is not in this version of isowrite "
				   "(a file of that name is written ./%s)."),
				 o->operands[0], o->operands[0]);
	}
	*action = OPTS_RUN;
	if (version || help) {
		*action = version     ? OPTS_VERSION
			  : help == 2 ? OPTS_HELP_ALL
			  : named     ? OPTS_HELP_COMMAND
				      : OPTS_HELP;
		return 0;
	}
	if (!named && o->n_operands == 0) {
		*action = OPTS_FIRST_CONTACT;
		return 0;
	}
	if (check_applicable(seen, o->command, err) < 0 || check_operands(o, action, err) < 0)
		return -1;
	return check_combinations(o, err);
}

int opts_parse(int argc, char **argv, struct options *ret, enum opts_action *ret_action,
	       struct error *err)
{
	struct options o = {
		.command = COMMAND_WRITE,
		.argv = (const char *const *)argv,
		.mode = "auto",
	};
	int r = parse(argc, argv, &o, ret_action, err);

	if (r < 0 && o.json == JSON_NONE)
		find_json(argc, argv, &o);
	*ret = o;
	return r;
}

int opts_check_image_word(const char *word, struct error *err)
{
	char quoted[256];
	const char *near;
	struct stat st;

	if (strncasecmp(word, "http://", 7) == 0 || strncasecmp(word, "https://", 8) == 0)
		return error_set(err, ERROR_LACKING, "no-http",
				 _("This build of isowrite cannot download. Save the image first:\n"
				   "  curl -fLO %s"),
				 text_shell_quote(word, quoted, sizeof(quoted)));
	if (strcmp(word, "-") == 0 || strchr(word, '/') || stat(word, &st) == 0)
		return 0;
	near = nearest_command(word);
	text_escape_trim(word, quoted, sizeof(quoted));
	if (near)
		return error_set(err, ERROR_USAGE, "no-such-image",
				 _("no image or command '%s'; did you mean '%s'?"), quoted, near);
	return error_set(err, ERROR_USAGE, "no-such-image", _("no image or command '%s'."), quoted);
}
