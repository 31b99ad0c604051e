// SPDX-License-Identifier: GPL-3.0-or-later
/* argv to struct options; see opts.h. */
#include "cli/opts.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"

#define MAX_FILES 10000 /* looked at for a name that may be meant */
#define LONG_BASE 256   /* getopt's value of row i is LONG_BASE + i */

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
		if (row->short_name && row->value && !row->is_value_optional)
			shorts[n++] = ':';
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

/*
 * An option that turns something off is never meant by the word that turns it on: --verify is
 * not --no-verify.
 */
static const char *nearest_option(const char *word)
{
	const char *names[N_OPTIONS];
	size_t n = 0;

	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (strncmp(option_table[i].name, "no-", 3) != 0 || strncmp(word, "no", 2) == 0)
			names[n++] = option_table[i].name;
	}
	return text_nearest(word, names, n);
}

/* Also what the command is called elsewhere. */
static const char *nearest_command(const char *word)
{
	static const char *const elsewhere[][2] = {
		{ "help", "--help" },  { "version", "--version" }, { "report", "--report" },
		{ "list", "devices" }, { "flash", "write" },
	};
	const char *names[N_COMMANDS];
	size_t n = 0;

	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (command_has_word((enum command_id)i))
			names[n++] = command_table[i].name;
	}
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		if (strcmp(word, elsewhere[i][0]) == 0)
			return elsewhere[i][1];
	}
	return text_nearest(word, names, n);
}

/* What other programs call an option, and what isowrite has instead. */
static int fail_habit(const char *word, struct error *err)
{
	static const struct {
		const char *word, *message;
	} habits[] = {
		{ "force", _("There is no --force; --allow=RULE lifts the rule that a message "
			     "names.") },
		{ "verify", _("There is no --verify: what was written is always read back and "
			      "compared, unless --no-verify says otherwise.") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(habits); i++) {
		if (text_nearness(word, habits[i].word) != TEXT_FAR)
			return error_set(err, ERROR_USAGE, "unknown-option", "%s",
					 habits[i].message);
	}
	return 0;
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
	if (fail_habit(word + 2, err) < 0)
		return -1;
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
		if (command_has_word((enum command_id)i) &&
		    strcmp(word, command_table[i].name) == 0) {
			*ret = (enum command_id)i;
			return 1;
		}
	}
	if (strcmp(word, "test") == 0) {
		*ret = COMMAND_BOOT_TEST;
		return 1;
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

			if (command_has_word((enum command_id)c) &&
			    (option_table[i].commands & (1u << c)))
				snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "",
					 command_table[c].name);
		}
		return error_set(err, ERROR_USAGE, "option-elsewhere",
				 _("The option --%s does not belong to '%s', but to: %s."),
				 option_table[i].name, command_table[command].name, list);
	}
	return 0;
}

/* `isowrite if=ubuntu.iso of=/dev/sdb` is dd's way. */
static int check_dd(const struct options *o, struct error *err)
{
	const char *image = NULL, *target = NULL;
	char quoted_image[160], quoted_target[160];

	for (size_t i = 0; i < o->n_operands; i++) {
		const char *word = o->operands[i];

		if (access(word, F_OK) == 0)
			continue;
		if (strncmp(word, "if=", 3) == 0 && word[3])
			image = word + 3;
		else if (strncmp(word, "of=", 3) == 0 && word[3])
			target = word + 3;
	}
	if (!image && !target)
		return 0;
	text_shell_quote(image ? image : "IMAGE", quoted_image, sizeof(quoted_image));
	text_shell_quote(target ? target : "DEVICE", quoted_target, sizeof(quoted_target));
	return error_set(err, ERROR_USAGE, "dd-operand",
			 _("if= and of= are of dd; here the image comes first, then the device:\n"
			   "  isowrite %s %s"),
			 quoted_image[0] ? quoted_image : "IMAGE",
			 quoted_target[0] ? quoted_target : "DEVICE");
}

static int set_empty_operand(const struct options *o, size_t i, struct error *err)
{
	bool is_image = o->command == COMMAND_VERIFY ||
			(i == 0 && o->command != COMMAND_FORMAT && o->command != COMMAND_READ);

	if (is_image)
		return error_set(err, ERROR_USAGE, "empty-operand",
				 _("The image's name is empty; is a variable unset?"));
	if (o->command == COMMAND_READ)
		return error_set(err, ERROR_USAGE, "empty-operand",
				 _("The device's name is empty; is a variable unset?"));
	return error_set(err, ERROR_USAGE, "empty-operand",
			 _("The name of target %zu is empty; is a variable unset?"),
			 o->command == COMMAND_FORMAT ? i + 1 : i);
}

static int check_operands(const struct options *o, enum opts_action *action, struct error *err)
{
	const struct command_row *row = &command_table[o->command];
	char quoted[128];

	if (o->command == COMMAND_WRITE && check_dd(o, err) < 0)
		return -1;
	for (size_t i = 0; i < o->n_operands; i++)
		if (o->operands[i][0] == '\0')
			return set_empty_operand(o, i, err);
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
			_("'%s' is one operand too many: isowrite %s%s%s%s"),
			text_escape_trim(o->operands[row->max_operands], quoted, sizeof(quoted)),
			command_has_word(o->command) ? "" : "--", row->name,
			row->operands[0] ? " " : "", row->operands);
	if (o->command == COMMAND_WRITE && o->n_operands == 1)
		*action = o->dry_run ? OPTS_RUN : OPTS_NO_TARGET;
	return 0;
}

static int check_combinations(const struct options *o, struct error *err)
{
	char quoted[300];

	if (o->protect && o->unprotect)
		return error_set(err, ERROR_USAGE, "conflict",
				 _("--protect and --unprotect exclude each other."));
	if (o->overwrite && !o->receipt && !o->svg && !o->backup && !o->screenshot &&
	    o->command != COMMAND_READ)
		return error_set(err, ERROR_USAGE, "conflict", _("--overwrite goes with %s."),
				 o->command == COMMAND_INSPECT ? "--svg=FILE"
				 : o->command == COMMAND_BOOT_TEST
					 ? "--screenshot=FILE"
					 : _("--receipt=FILE or --backup=FILE"));
	if (o->command != COMMAND_READ && o->compress && !o->backup)
		return error_set(err, ERROR_USAGE, "conflict",
				 _("--compress goes with --backup=FILE."));
	if (o->command == COMMAND_READ && !o->output)
		return error_set(
			err, ERROR_USAGE, "no-output",
			_("'read' wants to know where to:\n  isowrite read %s -o stick.img.zst"),
			text_shell_quote(o->operands[0], quoted, sizeof(quoted)));
	if (o->command == COMMAND_READ && o->json != JSON_NONE && strcmp(o->output, "-") == 0)
		return error_set(err, ERROR_USAGE, "conflict",
				 _("Standard output cannot take both the image and JSON; name a "
				   "file."));
	if (o->sector_size && !o->size)
		return error_set(err, ERROR_USAGE, "conflict",
				 _("--sector-size goes with --size=SIZE."));
	if (o->sums && o->no_sums)
		return error_set(err, ERROR_USAGE, "conflict",
				 _("--sums and --no-sums exclude each other."));
	if (o->require && strcmp(o->require, "digest") == 0 && o->n_want == 0 && o->no_sums)
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

/* verify IMAGE DEVICE: another image would not be a device. */
static bool is_check(const struct options *o)
{
	struct stat st;

	if (o->command != COMMAND_VERIFY || o->n_operands != 2)
		return false;
	return strncmp(o->operands[1], "file:", 5) == 0 ||
	       (stat(o->operands[1], &st) == 0 && S_ISBLK(st.st_mode)) ||
	       (strncmp(o->operands[1], "/dev/", 5) == 0 && stat(o->operands[1], &st) < 0);
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
	o->is_named = named;
	if (o->report && o->command == COMMAND_WRITE)
		o->command = COMMAND_REPORT;
	*action = OPTS_RUN;
	if (version || help) {
		*action = version     ? OPTS_VERSION
			  : help == 2 ? OPTS_HELP_ALL
			  : named     ? OPTS_HELP_COMMAND
				      : OPTS_HELP;
		return 0;
	}
	if (!named && !o->report && o->n_operands == 0) {
		*action = OPTS_FIRST_CONTACT;
		return 0;
	}
	if (is_check(o))
		o->command = COMMAND_CHECK;
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

/* A file beside the one that does not exist, with nearly the same name: escaped. */
static bool nearest_file(const char *path, char *ret, size_t size)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	unsigned int best_distance = TEXT_FAR;
	char dir[PATH_MAX], best[NAME_MAX + 1] = "", both[PATH_MAX + NAME_MAX + 1];
	const struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(name - path) : 0, path);
	d = opendir(slash ? dir : ".");
	for (size_t i = 0; d && i < MAX_FILES && (e = readdir(d)); i++) {
		unsigned int distance = text_nearness(name, e->d_name);

		if (distance == TEXT_FAR || distance > best_distance)
			continue;
		snprintf(best, sizeof(best), "%s",
			 distance == best_distance ? "" : e->d_name); /* two are none */
		best_distance = distance;
	}
	if (d)
		closedir(d);
	snprintf(both, sizeof(both), "%s%s", dir, best);
	text_escape(both, SIZE_MAX, ret, size);
	return best[0] != '\0';
}

int opts_check_image_word(const struct options *o, const char *word, struct error *err)
{
	char quoted[256], near[256];
	const char *command;
	struct stat st;

	if (strncasecmp(word, "http://", 7) == 0 || strncasecmp(word, "https://", 8) == 0)
		return error_set(err, ERROR_LACKING, "no-http",
				 _("This build of isowrite cannot download. Save the image first:\n"
				   "  curl -fLO %s"),
				 text_shell_quote(word, quoted, sizeof(quoted)));
	if (strcmp(word, "-") == 0 || stat(word, &st) == 0 || errno != ENOENT)
		return 0;
	text_escape_trim(word, quoted, sizeof(quoted));
	command = o->is_named || strchr(word, '/') ? NULL : nearest_command(word);
	if (command)
		return error_set(err, ERROR_USAGE, "no-such-image",
				 _("no image or command '%s'; did you mean '%s'?"), quoted,
				 command);
	if (nearest_file(word, near, sizeof(near)))
		return error_set(err, ERROR_USAGE, "no-such-image",
				 _("There is no image '%s'; did you mean '%s'?"), quoted, near);
	if (o->is_named || strchr(word, '/'))
		return 0; /* opening it says why */
	return error_set(err, ERROR_USAGE, "no-such-image", _("no image or command '%s'."), quoted);
}
