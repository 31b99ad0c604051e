// SPDX-License-Identifier: GPL-3.0-or-later
/* The command line: what is understood, and what is said when it is not. */
#include "cli/opts.h"

#include <stdlib.h>

#include "io/device.h"
#include "tap.h"

#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct options o;
static enum opts_action action;
static struct error err;

/* Parses words separated by single blanks; "_" stands for an empty word. */
static int parse(const char *words)
{
	static char text[1024];
	static char *argv[64];
	static char empty[] = "";
	int argc = 0;
	char *save = NULL;

	snprintf(text, sizeof(text), "isowrite %s", words);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(w, "_") == 0 ? empty : w;
	argv[argc] = NULL;
	err = (struct error)ERROR_INIT;
	return opts_parse(argc, argv, &o, &action, &err);
}

static void fails(const char *words, const char *message)
{
	int r = parse(words);

	if (r != -1 || err.kind != ERROR_USAGE)
		printf("# %s: r %d kind %d\n", words, r, err.kind);
	CHECK(r == -1);
	CHECK(err.kind == ERROR_USAGE);
	CHECK_STR(err.msg, message);
}

static void test_commands(void)
{
	CHECK(parse("a.iso /dev/sdb") == 0 && o.command == COMMAND_WRITE && action == OPTS_RUN);
	CHECK(o.n_operands == 2);
	CHECK_STR(o.operands[0], "a.iso");
	CHECK_STR(o.operands[1], "/dev/sdb");
	CHECK(parse("write a.iso x y") == 0 && o.command == COMMAND_WRITE && o.n_operands == 3);
	CHECK(parse("inspect a.iso") == 0 && o.command == COMMAND_INSPECT && o.n_operands == 1);
	CHECK(parse("plan a.iso") == 0 && o.command == COMMAND_PLAN);
	CHECK(parse("devices") == 0 && o.command == COMMAND_DEVICES && o.n_operands == 0);
	CHECK(parse("check a b") == 0 && o.command == COMMAND_CHECK && o.n_operands == 2);

	/* Only the first operand can be a command, and ./ makes it a file. */
	CHECK(parse("a.iso inspect") == 0 && o.command == COMMAND_WRITE && o.n_operands == 2);
	CHECK(parse("./inspect x") == 0 && o.command == COMMAND_WRITE);
	CHECK(parse("-- inspect x") == 0 && o.command == COMMAND_INSPECT);
}

static void test_options_stand_anywhere(void)
{
	CHECK(parse("-y a.iso --no-verify /dev/sdb --mode raw") == 0);
	CHECK(o.yes && o.no_verify && o.n_operands == 2);
	CHECK_STR(o.mode, "raw");
	CHECK(parse("--full inspect a") == 0 && o.command == COMMAND_INSPECT && o.full);

	/* The value of an option is no operand. */
	CHECK(parse("--mode raw inspect a") == -1);
	CHECK(parse("--color never inspect a") == 0 && o.command == COMMAND_INSPECT);
	CHECK(parse("x -- --yes") == 0 && !o.yes && o.n_operands == 2);
	CHECK_STR(o.operands[1], "--yes");
	CHECK(parse("- /dev/sdb") == 0 && o.n_operands == 2);
	CHECK_STR(o.operands[0], "-");
}

static void test_actions(void)
{
	CHECK(parse("") == 0 && action == OPTS_FIRST_CONTACT);
	CHECK(parse("-q") == 0 && action == OPTS_FIRST_CONTACT);
	CHECK(parse("a.iso") == 0 && action == OPTS_NO_TARGET);
	CHECK(parse("-n a.iso") == 0 && action == OPTS_RUN && o.dry_run);
	CHECK(parse("-h") == 0 && action == OPTS_HELP);
	CHECK(parse("--help=all") == 0 && action == OPTS_HELP_ALL);
	CHECK(parse("check --help") == 0 && action == OPTS_HELP_COMMAND &&
	      o.command == COMMAND_CHECK);
	CHECK(parse("-V") == 0 && action == OPTS_VERSION);
	fails("--help=some", "--help may be followed by =all only.");
}

static void test_reserved_commands(void)
{
	for (size_t i = 0; command_reserved[i]; i++) {
		char words[64];

		snprintf(words, sizeof(words), "%s a.iso", command_reserved[i]);
		CHECK(parse(words) == -1 && err.kind == ERROR_USAGE);
		CHECK_STR(err.code, "not-in-this-version");
	}
	CHECK(parse("./format /dev/sdb") == 0);
	CHECK(parse("x.iso format") == 0);
}

static void test_unknown_options(void)
{
	fails("--verfiy a b",
	      "There is no --verify: what was written is always read back and compared, unless "
	      "--no-verify says otherwise.");
	fails("--receit=x a b", "Unknown option '--receit'; did you mean '--receipt'?");
	fails("--SHA256=x a b", "Unknown option '--SHA256'; did you mean '--sha256'?");
	fails("--xyzzy a b", "Unknown option '--xyzzy'; isowrite --help=all lists the options.");
	fails("--no-verfy a b", "Unknown option '--no-verfy'; did you mean '--no-verify'?");
	fails("--no-verfy=3 a b", "Unknown option '--no-verfy'; did you mean '--no-verify'?");
	fails("--s a b",
	      "The option '--s' may mean --strict-gpt, --sha256, --sums, --size, --sector-size, "
	      "--seed, --strict, --svg, "
	      "--secure-boot, --screenshot.");
	fails("-x a b", "Unknown option '-x'; isowrite --help=all lists the options.");
	fails("--yes=1 a b", "The option --yes takes no value.");
	fails("a b --mode", "The option --mode wants a value: --mode=MODE.");
	fails("a b --force",
	      "There is no --force; --allow=RULE lifts the rule that a message names.");
	CHECK(parse("--no-ver a b") == 0 && o.no_verify);
	CHECK(parse("a\033 --\033[2J b") == -1 && !strchr(err.msg, '\033'));
}

static void test_options_of_other_commands(void)
{
	fails("inspect a --yes", "The option --yes does not belong to 'inspect', but to: write, format.");
	fails("a b --strict", "The option --strict does not belong to 'write', but to: check.");
	fails("devices --fix-gpt",
	      "The option --fix-gpt does not belong to 'devices', but to: write, plan, check.");
}

static void test_operands(void)
{
	fails("inspect", "'inspect' wants an operand: isowrite inspect IMAGE|DEVICE");
	fails("inspect a b", "'b' is one operand too many: isowrite inspect IMAGE|DEVICE");
	fails("devices a", "'a' is one operand too many: isowrite devices");
	fails("check a", "'check' wants one more operand: isowrite check IMAGE|RECEIPT TARGET");
	fails("a.iso _", "The name of target 1 is empty; is a variable unset?");
	fails("if=a.iso of=/dev/sdb bs=4M",
	      "if= and of= are of dd; here the image comes first, then the device:\n"
	      "  isowrite a.iso /dev/sdb");
	fails("of=/dev/sdb", "if= and of= are of dd; here the image comes first, then the device:\n"
			     "  isowrite IMAGE /dev/sdb");
	fails("_ b", "The image's name is empty; is a variable unset?");
	fails("verify a.iso _", "The image's name is empty; is a variable unset?");
	fails("read _ -o x", "The device's name is empty; is a variable unset?");
	fails("write", "'write' wants an operand: isowrite write IMAGE TARGET...");
}

static void test_digests(void)
{
	CHECK(parse("a b --sha256=" HEX64) == 0 && o.n_want == 1 && o.want[0].len == 32);
	CHECK_STR(o.want[0].alg, "sha256");
	CHECK(o.want[0].value[0] == 0xe3 && o.want[0].value[31] == 0x55);
	CHECK(parse("a b --digest=SHA-256:" HEX64) == 0 && o.n_want == 1);
	CHECK_STR(o.want[0].alg, "sha256");
	CHECK(parse("a b --digest=" HEX64) == 0 && o.want[0].len == 32);
	fails("a b --sha256=abc", "--sha256 wants 64 hexadecimal digits, not 3 characters.");
	fails("a b --digest=xyz", "--digest wants hexadecimal digits; character 1 is none.");
	fails("a b --digest=foo:00", "--digest: no digest algorithm is called 'foo'; try sha256.");
	CHECK(parse("a b --digest=sha512:" HEX64) == -1);
	CHECK(parse("a b --digest=abc") == -1);
	CHECK(parse("a b --digest=sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=") == 0);
	CHECK_STR(o.want[0].alg, "sha256");
	CHECK(parse("a b --digest=sha3-256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=") == 0);
	CHECK_STR(o.want[0].alg, "sha3-256");
	CHECK(parse("a b --sums=x") == 0 && !strcmp(o.sums, "x"));
	CHECK(parse("a b --sums=x --no-sums") == -1);
	CHECK(parse("verify a b c --sums=x") == 0 && o.command == COMMAND_VERIFY);
	CHECK(parse("verify a file:b") == 0 && o.command == COMMAND_CHECK);
	CHECK(parse("verify a file:b --sums=x") == -1);
	CHECK(parse("a b --require=digest") == 0); /* a list beside the image may do */
	CHECK(parse("a b --require=digest --no-sums") == -1 && err.kind == ERROR_TRUST);
	CHECK(parse("a b --require=digest --sha256=" HEX64) == 0);
	CHECK(parse("a b --require=signature") == -1);
	CHECK_STR(err.code, "not-in-this-version");
}

static void test_allow(void)
{
	CHECK(parse("a b --allow=internal,large") == 0);
	CHECK(o.allow == ((1u << RULE_INTERNAL) | (1u << RULE_LARGE)));
	CHECK(parse("a b --allow=truncated --allow=contents") == 0 && o.allow_truncated);
	CHECK(o.allow == 1u << RULE_CONTENTS);
	fails("a b --allow=system", "The safety rule system cannot be lifted.");
	fails("a b --allow=large,held", "The safety rule held cannot be lifted.");
	fails("a b --allow=mounted",
	      "--allow=mounted is not the way: --unmount unmounts what is mounted.");
	fails("a b --allow=file-in-use",
	      "--allow=file-in-use is not the way: write the target as file:PATH.");
	CHECK(parse("a b --allow=everything") == -1);
	CHECK(parse("a b --allow=") == -1);
}

static void test_values(void)
{
	CHECK(parse("plan a --size=16GB --sector-size=4096") == 0);
	CHECK_U64(o.size, 16000000000);
	CHECK_U64(o.sector_size, 4096);
	CHECK(parse("plan a --size=0") == -1);
	fails("plan a --size=8EiB", "--size: no stick is as large as 8EiB.");
	CHECK(parse("plan a --size=16 --sector-size=100") == -1);
	fails("plan a --sector-size=4096", "--sector-size goes with --size=SIZE.");
	CHECK(parse("a b --seed=6f1c2d9e-93a0-4d6b-8a2e-0f3b5c7d9e11") == 0 && o.seed);
	CHECK(parse("a b --seed=1") == -1);
	fails("a b --mode=fast", "--mode cannot be 'fast'; it may be: auto, raw, hybrid.");
	CHECK(parse("a b --progress=lines") == 0 && o.progress == PROGRESS_LINES);
	CHECK(parse("a b -qvvb") == 0 && o.quiet && o.verbose == 2 && o.bytes);
	fails("a b --receipt=", "--receipt wants a path, not nothing.");
	fails("a b --overwrite", "--overwrite goes with --receipt=FILE or --backup=FILE.");
}

static void test_json_is_known_on_errors(void)
{
	CHECK(parse("--bogus --json a b") == -1 && o.json == JSON_OBJECT);
	CHECK(parse("check --bogus -J a b") == -1 && o.json == JSON_OBJECT);
	CHECK(o.command == COMMAND_CHECK);
	CHECK(parse("--json=lines --bogus") == -1 && o.json == JSON_LINES);
	CHECK(parse("--bogus -- --json") == -1 && o.json == JSON_NONE);
	CHECK(parse("--json=xml a b") == -1 && o.json == JSON_OBJECT);
	CHECK(parse("a b --json") == 0 && o.json == JSON_OBJECT && o.n_operands == 2);
}

static void test_image_words(void)
{
	CHECK(parse("inspekt x") == 0);
	CHECK(opts_check_image_word(&o, "inspekt", &err) == -1 && err.kind == ERROR_USAGE);
	CHECK_STR(err.msg, "no image or command 'inspekt'; did you mean 'inspect'?");
	CHECK(opts_check_image_word(&o, "help", &err) == -1);
	CHECK_STR(err.msg, "no image or command 'help'; did you mean '--help'?");
	CHECK(opts_check_image_word(&o, "nonsense", &err) == -1);
	CHECK_STR(err.msg, "no image or command 'nonsense'.");
	CHECK(opts_check_image_word(&o, "https://x.org/a.iso", &err) == -1 &&
	      err.kind == ERROR_LACKING);
	CHECK(opts_check_image_word(&o, "-", &err) == 0);
	CHECK(opts_check_image_word(&o, "/no/such/file.iso", &err) == 0); /* the source says it */
	CHECK(opts_check_image_word(&o, "/proc/cpuinfoo", &err) == -1);
	CHECK_STR(err.msg, "There is no image '/proc/cpuinfoo'; did you mean '/proc/cpuinfo'?");
	CHECK(parse("check inspekt x") == 0);
	CHECK(opts_check_image_word(&o, "inspekt", &err) == 0);
}

/* One screen: 24 lines of 80 columns. */
static void test_help_fits(void)
{
	char *text = NULL;
	size_t len = 0, lines = 0, column = 0, widest = 0;
	FILE *out = open_memstream(&text, &len);

	opts_print_help(out, OPTS_HELP, COMMAND_WRITE);
	fclose(out);
	for (size_t i = 0; i < len; i++) {
		column = text[i] == '\n' ? 0 : column + 1;
		widest = column > widest ? column : widest;
		lines += text[i] == '\n';
	}
	CHECK(lines <= 24);
	CHECK(widest <= 80);
	free(text);
}

/* For a bug report: with a device or without, and an option of no other command. */
static void test_report(void)
{
	CHECK(parse("--report") == 0 && action == OPTS_RUN && o.command == COMMAND_REPORT);
	CHECK(parse("/dev/sdb --report") == 0 && o.command == COMMAND_REPORT && o.n_operands == 1);
	CHECK(parse("--report --json /dev/sdb") == 0 && o.json == JSON_OBJECT);
	fails("--report a b", "'b' is one operand too many: isowrite --report [DEVICE]");
	fails("--report --yes",
	      "The option --yes does not belong to 'report', but to: write, format.");
	fails("inspect --report a",
	      "The option --report does not belong to 'inspect', but to: write.");
	CHECK(parse("report x") == 0 && o.command == COMMAND_WRITE); /* a file of that name */
}

static void test_all_help_is_narrow(void)
{
	for (int c = 0; c <= N_COMMANDS; c++) {
		char *text = NULL;
		size_t len = 0, column = 0;
		FILE *out = open_memstream(&text, &len);

		opts_print_help(out, c < N_COMMANDS ? OPTS_HELP_COMMAND : OPTS_HELP_ALL,
				c < N_COMMANDS ? (enum command_id)c : COMMAND_WRITE);
		fclose(out);
		for (size_t i = 0; i < len; i++) {
			column = text[i] == '\n' ? 0 : column + 1;
			if (column > 80)
				break;
		}
		CHECK(column <= 80);
		free(text);
	}
}

static void test_table_is_sane(void)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = &option_table[i];

		CHECK(row->name && row->help && row->commands);
		CHECK((row->kind != VALUE_NONE) == (row->value != NULL));
		CHECK(!row->words || row->kind == VALUE_WORDS || row->kind == VALUE_LIST);
		for (size_t k = 0; k < i; k++) {
			CHECK(strcmp(option_table[k].name, row->name) != 0);
			CHECK(!row->short_name || option_table[k].short_name != row->short_name);
		}
	}
}

int main(void)
{
	RUN(test_commands);
	RUN(test_options_stand_anywhere);
	RUN(test_actions);
	RUN(test_reserved_commands);
	RUN(test_unknown_options);
	RUN(test_options_of_other_commands);
	RUN(test_operands);
	RUN(test_digests);
	RUN(test_allow);
	RUN(test_values);
	RUN(test_json_is_known_on_errors);
	RUN(test_image_words);
	RUN(test_help_fits);
	RUN(test_all_help_is_narrow);
	RUN(test_report);
	RUN(test_table_is_sane);
	return tap_done();
}
