// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Makes the bash completion from the tables of commands and options:
 *
 *	mkcompletion          the completion script
 *	mkcompletion --table  "command|option|value" lines, for scripts/check-docs
 */
#include <stdio.h>
#include <string.h>

#include "cli/opts.h"

/* The words of one case branch: what the option may be given. */
static void print_value_case(const struct option_row *row)
{
	printf("\t--%s)\n", row->name);
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

static void print_options_case(enum command_id command)
{
	printf("\t%s)\n\t\toptions='", command_table[command].name);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = &option_table[i];

		if (row->commands & (1u << command))
			printf("%s--%s%s", i ? " " : "", row->name,
			       row->value && !row->is_value_optional ? "=" : "");
	}
	printf("'\n\t\t;;\n");
}

static void print_head(void)
{
	printf("# bash completion for isowrite; made from its option table by mkcompletion\n\n");
	printf("# The disks that may be written, as isowrite devices says.\n");
	printf("_isowrite_devices()\n{\n");
	printf("\tlocal devices\n\n");
	printf("\tdevices=$(isowrite devices 2>/dev/null |\n"
	       "\t\tsed -n '/^Sticks/,/^[^ ]/s|^  \\(/dev/[^ ]*\\) .*|\\1|p')\n");
	printf("\tCOMPREPLY=($(compgen -W \"$devices\" -- \"$cur\"))\n");
	printf("\t[[ ${COMPREPLY[*]} ]] || _filedir\n");
	printf("}\n\n");
}

static void print_function(void)
{
	printf("_isowrite()\n{\n");
	printf("\tlocal cur prev words cword split command=write options word operands=0 i\n\n");
	printf("\t_init_completion -s || return\n");
	printf("\tfor ((i = 1; i < cword; i++)); do\n");
	printf("\t\tword=${words[i]}\n");
	printf("\t\t[[ $word == -* ]] && continue\n");
	printf("\t\tcase $operands,$word in\n\t\t");
	for (size_t c = 0; c < N_COMMANDS; c++)
		printf("%s0,%s", c ? " | " : "", command_table[c].name);
	printf(")\n\t\t\tcommand=$word\n\t\t\t;;\n");
	printf("\t\t*) operands=$((operands + 1)) ;;\n");
	printf("\t\tesac\n\tdone\n");
	printf("\tcase $prev in\n");
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (option_table[i].value)
			print_value_case(&option_table[i]);
	}
	printf("\tesac\n\t$split && return\n");
	printf("\tcase $command in\n");
	for (size_t c = 0; c < N_COMMANDS; c++)
		print_options_case((enum command_id)c);
	printf("\tesac\n");
	printf("\tif [[ $cur == -* ]]; then\n");
	printf("\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n");
	printf("\t\t[[ ${COMPREPLY-} == *= ]] && compopt -o nospace\n");
	printf("\telif ((operands > 0)) && [[ $command != inspect ]]; then\n");
	printf("\t\t_isowrite_devices\n");
	printf("\telse\n");
	printf("\t\t_filedir\n");
	printf("\t\t((cword > 1)) || COMPREPLY+=($(compgen -W '");
	for (size_t c = 0; c < N_COMMANDS; c++)
		printf("%s%s", c ? " " : "", command_table[c].name);
	printf("' -- \"$cur\"))\n");
	printf("\tfi\n} &&\n\tcomplete -F _isowrite isowrite\n");
}

static void print_table(void)
{
	for (size_t c = 0; c < N_COMMANDS; c++) {
		for (size_t i = 0; i < N_OPTIONS; i++) {
			if (option_table[i].commands & (1u << c))
				printf("%s|%s|%s\n", command_table[c].name, option_table[i].name,
				       option_table[i].value ? option_table[i].value : "");
		}
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--table") == 0) {
		print_table();
	} else {
		print_head();
		print_function();
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
