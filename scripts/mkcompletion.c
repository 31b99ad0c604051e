// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Makes the shells' completions from the tables of commands and options:
 *
 *	mkcompletion bash|zsh|fish  the completion script
 *	mkcompletion --table        "command|option|value" lines, for scripts/check-docs
 *
 * All three ask `isowrite devices --list` for the sticks: a node, a tab, what it is.
 */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "cli/opts.h"

/* What an operand of a command is, told by the words of its usage line. */
#define MAX_OPERANDS 4

struct operands {
	struct operand {
		bool is_file, is_device;
	} operand[MAX_OPERANDS];
	size_t n;
	bool is_repeated; /* the last one */
};

static struct operands operands_of(enum command_id command)
{
	struct operands ret = { .n = 0 };
	const char *p = command_table[command].operands;

	while (*p && ret.n < MAX_OPERANDS) {
		char word[64];
		int len = (int)strcspn(p, " ");
		struct operand *op;

		snprintf(word, sizeof(word), "%.*s", len, p);
		p += len + (p[len] == ' ');
		if (word[0] == '-' || (word[0] == '[' && word[1] == '-'))
			break; /* options, as the line shows them */
		op = &ret.operand[ret.n++];
		op->is_device = strstr(word, "DEVICE") || strstr(word, "TARGET");
		op->is_file = !op->is_device || strchr(word, '|') || strstr(word, "TARGET");
		ret.is_repeated = strstr(word, "...") != NULL;
	}
	return ret;
}

static bool takes(enum command_id command, const struct option_row *row)
{
	return row->commands & (1u << command);
}

/* Calls fn for each command that has a word of its own. */
static void each_command(void (*fn)(enum command_id command))
{
	for (size_t c = 0; c < N_COMMANDS; c++) {
		if (command_has_word((enum command_id)c))
			fn((enum command_id)c);
	}
}

static void print_name(enum command_id command)
{
	printf(" %s", command_table[command].name);
}

/* The options behind which the next word is their value, each with a blank before it. */
static void print_valued(void)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = &option_table[i];

		if (!row->value || row->is_value_optional)
			continue;
		printf(" --%s", row->name);
		if (row->short_name)
			printf(" -%c", row->short_name);
	}
}

/* In single quotes of bash, zsh (quote "'\\''") or fish ("\\'"); before: escaped by a backslash. */
static void print_escaped(const char *text, const char *quote, const char *before)
{
	for (; *text; text++) {
		if (*text == '\'')
			printf("%s", quote);
		else
			printf("%s%c", strchr(before, *text) ? "\\" : "", *text);
	}
}

/* ------------------------------------------------------------------- bash */

static void print_bash_value(const struct option_row *row)
{
	printf("\t--%s", row->name);
	if (row->short_name)
		printf(" | -%c", row->short_name);
	printf(")\n");
	switch (row->kind) {
	case VALUE_WORDS:
		printf("\t\tCOMPREPLY=($(compgen -W '%s' -- \"$cur\"))\n", row->words);
		break;
	case VALUE_LIST:
		/* The last one of a list with commas. */
		printf("\t\tlocal done=${cur%%\"${cur##*,}\"}\n");
		printf("\t\tCOMPREPLY=($(compgen -P \"$done\" -W '%s' -- \"${cur##*,}\"))\n",
		       row->words);
		break;
	case VALUE_FILE:
		printf("\t\t_filedir\n");
		break;
	case VALUE_DEVICE:
		printf("\t\t_isowrite_devices\n");
		break;
	case VALUE_FREE:
	case VALUE_NONE:
		break;
	}
	printf("\t\treturn\n\t\t;;\n");
}

static void print_bash_case(enum command_id command)
{
	struct operands ops = operands_of(command);

	printf("\t%s)\n\t\toptions='", command_table[command].name);
	for (size_t i = 0, n = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = &option_table[i];

		if (takes(command, row))
			printf("%s--%s%s", n++ ? " " : "", row->name,
			       row->value && !row->is_value_optional ? "=" : "");
	}
	printf("'\n\t\tkinds=(");
	for (size_t i = 0; i < ops.n; i++)
		printf("%s%s", i ? " " : "",
		       !ops.operand[i].is_device ? "file"
		       : !ops.operand[i].is_file ? "device"
						 : "either");
	printf(")%s\n\t\t;;\n", ops.is_repeated ? " repeated=y" : "");
}

static const char bash_devices[] =
	"# The sticks that may be written; listed with what they are, completed without.\n"
	"_isowrite_devices()\n"
	"{\n"
	"\tlocal line\n"
	"\n"
	"\twhile IFS= read -r line; do\n"
	"\t\t[[ ${line%%$'\\t'*} == \"$cur\"* ]] || continue\n"
	"\t\tif [[ ${COMP_TYPE:-9} == 63 ]]; then\n"
	"\t\t\tCOMPREPLY+=(\"${line%%$'\\t'*}  ${line#*$'\\t'}\")\n"
	"\t\telse\n"
	"\t\t\tCOMPREPLY+=(\"${line%%$'\\t'*}\")\n"
	"\t\tfi\n"
	"\tdone < <(isowrite devices --list 2>/dev/null)\n"
	"}\n\n";

static void print_bash(void)
{
	printf("# bash completion for isowrite; made from its option table by mkcompletion\n\n");
	printf("%s_isowrite()\n{\n", bash_devices);
	printf("\tlocal cur prev words cword split=false command=write options word operands=0 i\n"
	       "\tlocal kinds=() kind='' repeated='' named=''\n\n");
	printf("\t_init_completion -s || return\n");
	printf("\tfor ((i = 1; i < cword; i++)); do\n");
	printf("\t\tword=${words[i]}\n");
	printf("\t\t[[ '");
	print_valued();
	printf(" ' == *\" $word \"* ]] && i=$((i + 1)) && continue\n");
	printf("\t\t[[ $word == -?* ]] && continue\n");
	printf("\t\tif [[ $operands == 0 && ! $named && '");
	each_command(print_name);
	printf(" ' == *\" $word \"* ]]; then\n");
	printf("\t\t\tcommand=$word named=y\n\t\telse\n\t\t\toperands=$((operands + 1))\n\t\tfi\n\tdone\n");
	printf("\tcase $prev in\n");
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (option_table[i].value && !option_table[i].is_value_optional)
			print_bash_value(&option_table[i]);
	}
	printf("\tesac\n\tif $split; then\n\t\tcase $prev in\n");
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (option_table[i].value && option_table[i].is_value_optional)
			print_bash_value(&option_table[i]);
	}
	printf("\t\tesac\n\t\treturn\n\tfi\n\tcase $command in\n");
	each_command(print_bash_case);
	printf("\tesac\n");
	printf("\tif [[ $cur == -* ]]; then\n");
	printf("\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n");
	printf("\t\t[[ ${COMPREPLY-} == *= ]] && compopt -o nospace\n");
	printf("\t\treturn\n\tfi\n");
	printf("\tif ((operands < ${#kinds[@]})); then\n\t\tkind=${kinds[operands]}\n");
	printf("\telif [[ $repeated ]]; then\n\t\tkind=${kinds[-1]}\n\tfi\n");
	printf("\tif [[ $kind == device || $kind == either ]]; then\n\t\t_isowrite_devices\n\tfi\n");
	printf("\tif [[ $kind == file || $kind == either && ! ${COMPREPLY-} ]]; then\n"
	       "\t\t_filedir\n\tfi\n");
	printf("\t[[ $operands != 0 || $named ]] || COMPREPLY+=($(compgen -W '");
	each_command(print_name);
	printf("' -- \"$cur\"))\n");
	printf("} &&\n\tcomplete -F _isowrite isowrite\n");
}

/* -------------------------------------------------------------------- zsh */

#define ZSH_QUOTE "'\\''"

static void print_zsh_option(const struct option_row *row)
{
	printf(" \\\n\t\t\t");
	if (row->short_name)
		printf("'(-%c --%s)'{-%c,--%s%s}'[", row->short_name, row->name, row->short_name,
		       row->name, row->value ? "=-" : "");
	else
		printf("'--%s%s[", row->name,
		       !row->value              ? ""
		       : row->is_value_optional ? "=-"
						: "=");
	print_escaped(row->help, ZSH_QUOTE, "[]\\");
	printf("]");
	if (row->value) {
		printf("%s:", row->is_value_optional ? ":" : "");
		print_escaped(row->value, ZSH_QUOTE, ":\\");
		printf(":");
	}
	switch (row->kind) {
	case VALUE_WORDS:
		printf("(%s)", row->words);
		break;
	case VALUE_LIST:
		printf("_sequence compadd - %s", row->words);
		break;
	case VALUE_FILE:
		printf("_files");
		break;
	case VALUE_DEVICE:
		printf("_isowrite_devices");
		break;
	case VALUE_FREE:
		printf(" ");
		break;
	case VALUE_NONE:
		break;
	}
	printf("'");
}

static const char *zsh_action(struct operand o)
{
	return !o.is_device ? "_files" : !o.is_file ? "_isowrite_devices" : "_isowrite_target";
}

static void print_zsh_case(enum command_id command)
{
	struct operands ops = operands_of(command);

	printf("\t(%s)\n\t\t_arguments -s -S :", command_table[command].name);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (takes(command, &option_table[i]))
			print_zsh_option(&option_table[i]);
	}
	for (size_t i = 0; i < ops.n; i++) {
		const char *kind = ops.operand[i].is_device ? "stick" : "image";

		printf(" \\\n\t\t\t'");
		if (ops.is_repeated && i + 1 == ops.n)
			printf("*");
		else
			printf("%zu", i + 1);
		/* Where no command was typed, its first operand may be one. */
		printf(":%s:%s'", kind,
		       i == 0 && command == COMMAND_WRITE ? "_isowrite_first"
							  : zsh_action(ops.operand[i]));
	}
	printf("\n\t\t;;\n");
}

static void print_zsh_name(enum command_id command)
{
	printf("\t\t'%s:", command_table[command].name);
	print_escaped(command_table[command].help, ZSH_QUOTE, "");
	printf("'\n");
}

static const char zsh_functions[] =
	"# The sticks that may be written, with what they are.\n"
	"_isowrite_devices()\n"
	"{\n"
	"\tlocal -a sticks\n"
	"\tlocal line tab=$'\\t'\n"
	"\n"
	"\tfor line in ${(f)\"$(isowrite devices --list 2>/dev/null)\"}; do\n"
	"\t\tsticks+=(\"${${line%%$tab*}//:/\\\\:}:${line#*$tab}\")\n"
	"\tdone\n"
	"\t_describe -t devices stick sticks\n"
	"}\n"
	"\n"
	"_isowrite_target()\n"
	"{\n"
	"\t_isowrite_devices || _files\n"
	"}\n"
	"\n"
	"# An image, or a command where none was typed yet.\n"
	"_isowrite_first()\n"
	"{\n"
	"\tlocal ret=1\n"
	"\n"
	"\t((named)) || _describe -t commands command isowrite_commands && ret=0\n"
	"\t_files && ret=0\n"
	"\treturn ret\n"
	"}\n\n";

static void print_zsh(void)
{
	printf("#compdef isowrite\n"
	       "# zsh completion for isowrite; made from its option table by mkcompletion\n\n");
	printf("%s_isowrite()\n{\n", zsh_functions);
	printf("\tlocal command=write i named=0\n\tlocal -a isowrite_commands valued\n\n");
	printf("\tvalued=(");
	print_valued();
	printf(")\n");
	printf("\tisowrite_commands=(\n");
	each_command(print_zsh_name);
	printf("\t)\n");
	printf("\tfor ((i = 2; i < CURRENT; i++)); do\n"
	       "\t\t((${valued[(Ie)$words[i]]})) && ((i++)) && continue\n"
	       "\t\t[[ $words[i] == -?* ]] && continue\n"
	       "\t\tif ((${isowrite_commands[(I)$words[i]:*]})); then\n"
	       "\t\t\tcommand=$words[i] named=1\n"
	       "\t\t\twords[i]=()\n"
	       "\t\t\t((CURRENT--))\n"
	       "\t\tfi\n"
	       "\t\tbreak\n"
	       "\tdone\n");
	printf("\tcase $command in\n");
	each_command(print_zsh_case);
	printf("\tesac\n}\n\n_isowrite \"$@\"\n");
}

/* ------------------------------------------------------------------- fish */

#define FISH_QUOTE "\\'"

static void print_fish_case(enum command_id command)
{
	struct operands ops = operands_of(command);

	printf("\t\tcase %s\n\t\t\tset kinds", command_table[command].name);
	for (size_t i = 0; i < ops.n; i++)
		printf(" %s%s", ops.operand[i].is_file ? "file" : "",
		       ops.operand[i].is_device ? "device" : "");
	printf("\n\t\t\tset repeated %s\n", ops.is_repeated ? "yes" : "no");
}

static void print_fish_option(const struct option_row *row)
{
	printf("complete -c isowrite -n '__isowrite_is");
	for (size_t c = 0; c < N_COMMANDS; c++) {
		if (takes((enum command_id)c, row) && command_has_word((enum command_id)c))
			printf(" %s", command_table[c].name);
	}
	printf("'");
	if (row->short_name)
		printf(" -s %c", row->short_name);
	printf(" -l %s", row->name);
	if (row->value && !row->is_value_optional)
		printf(row->kind == VALUE_FILE ? " -r -F" : " -x");
	switch (row->kind) {
	case VALUE_WORDS:
		printf(" -a '%s'", row->words);
		break;
	case VALUE_LIST:
		printf(" -a '(__fish_append , %s)'", row->words);
		break;
	case VALUE_DEVICE:
		printf(" -a '(isowrite devices --list 2>/dev/null)'");
		break;
	case VALUE_FILE:
	case VALUE_FREE:
	case VALUE_NONE:
		break;
	}
	printf(" -d '");
	print_escaped(row->help, FISH_QUOTE, "\\");
	printf("'\n");
}

static void print_fish_name(enum command_id command)
{
	printf("complete -c isowrite -n '__isowrite_has_none' -a %s -d '",
	       command_table[command].name);
	print_escaped(command_table[command].help, FISH_QUOTE, "\\");
	printf("'\n");
}

static void print_fish(void)
{
	printf("# fish completion for isowrite; made from its option table by mkcompletion\n\n");
	printf("# The words before the cursor that are neither options nor their values.\n"
	       "function __isowrite_words\n"
	       "\tset -l is_value no\n"
	       "\tfor word in (commandline -opc)[2..]\n"
	       "\t\tif test $is_value = yes\n"
	       "\t\t\tset is_value no\n"
	       "\t\telse if contains -- $word");
	print_valued();
	printf("\n\t\t\tset is_value yes\n"
	       "\t\telse if not string match -q -r -- '^-.' $word\n"
	       "\t\t\techo $word\n"
	       "\t\tend\n\tend\nend\n\n");
	printf("# The operands before the cursor: the command (write where none is named), then the "
	       "others.\n"
	       "function __isowrite_operands\n"
	       "\tset -l operands (__isowrite_words)\n"
	       "\tif not contains -- \"$operands[1]\"");
	each_command(print_name);
	printf("\n\t\tset operands write $operands\n\tend\n\tstring join -- \\n $operands\nend\n\n");
	printf("function __isowrite_is\n\tcontains -- (__isowrite_operands)[1] $argv\nend\n\n");
	printf("function __isowrite_has_none\n"
	       "\ttest (count (__isowrite_words)) = 0\nend\n\n");
	printf("# Is the operand at the cursor a file, a device?\n"
	       "function __isowrite_wants\n"
	       "\tset -l operands (__isowrite_operands)\n"
	       "\tset -l n (count $operands)\n"
	       "\tset -l kinds\n"
	       "\tset -l repeated no\n"
	       "\tswitch $operands[1]\n");
	each_command(print_fish_case);
	printf("\tend\n"
	       "\tif test $n -gt (count $kinds); and test $repeated = yes\n"
	       "\t\tset n (count $kinds)\n"
	       "\tend\n"
	       "\tstring match -q -- \"*$argv[1]*\" \"$kinds[$n]\"\nend\n\n");
	printf("complete -c isowrite -f\n");
	each_command(print_fish_name);
	printf("complete -c isowrite -n '__isowrite_wants file' -F\n");
	printf("complete -c isowrite -n '__isowrite_wants device' "
	       "-a '(isowrite devices --list 2>/dev/null)'\n");
	for (size_t i = 0; i < N_OPTIONS; i++)
		print_fish_option(&option_table[i]);
}

static void print_table(enum command_id command)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (takes(command, &option_table[i]))
			printf("%s|%s|%s\n", command_table[command].name, option_table[i].name,
			       option_table[i].value ? option_table[i].value : "");
	}
}

static void print_all_tables(void)
{
	each_command(print_table);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = {
		{ "bash", print_bash },
		{ "zsh", print_zsh },
		{ "fish", print_fish },
		{ "--table", print_all_tables },
	};

	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(shells); i++) {
		if (strcmp(argv[1], shells[i].name) != 0)
			continue;
		shells[i].print();
		return fflush(stdout) == 0 ? 0 : 1;
	}
	fprintf(stderr, "usage: mkcompletion bash|zsh|fish|--table\n");
	return 2;
}
