// SPDX-License-Identifier: GPL-3.0-or-later
/* isowrite: an image onto sticks, read back and compared. Options, the command, the status. */
#include <stdio.h>
#include <unistd.h>
#include <fcntl.h>

#include "cli/cmd-job.h"
#include "cli/opts.h"
#include "cli/signals.h"
#include "cli/ui.h"

static const struct {
	int (*run)(const struct options *opts, struct ui *ui);
} commands[N_COMMANDS] = {
	[COMMAND_WRITE] = { cmd_write },     [COMMAND_PLAN] = { cmd_plan },
	[COMMAND_INSPECT] = { cmd_inspect }, [COMMAND_DEVICES] = { cmd_devices },
	[COMMAND_CHECK] = { cmd_check },     [COMMAND_VERIFY] = { cmd_verify },
	[COMMAND_FORMAT] = { cmd_format },
	[COMMAND_READ] = { cmd_read },
	[COMMAND_BOOT_TEST] = { cmd_boot_test },
	[COMMAND_REPORT] = { cmd_report },
};

/* A descriptor 0, 1 or 2 that is closed would be the next file opened: a target, at worst. */
static void open_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		/* /dev/null opened the wrong way round: using it fails, as using a closed one. */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
			_exit(1);
	}
}

static void print_version(struct ui *ui)
{
	fprintf(ui->out, "isowrite %s\n", ISOWRITE_VERSION);
	fprintf(ui->out, _("Built with %s.\n"), ISOWRITE_LIBRARIES);
	fprintf(ui->out,
		_("Free software under the GNU General Public License, version 3 or later;\n"
		  "without any warranty.\n"));
}

static int run(const struct options *opts, enum opts_action action, struct ui *ui)
{
	switch (action) {
	case OPTS_HELP:
	case OPTS_HELP_COMMAND:
	case OPTS_HELP_ALL:
		opts_print_help(ui->out, action, opts->command);
		return 0;
	case OPTS_VERSION:
		print_version(ui);
		return 0;
	case OPTS_FIRST_CONTACT:
		return cmd_first_contact(opts, ui);
	case OPTS_NO_TARGET:
		return cmd_no_target(opts, ui);
	case OPTS_RUN:
		break;
	}
	return commands[opts->command].run(opts, ui);
}

int main(int argc, char **argv)
{
	enum opts_action action = OPTS_RUN;
	struct error err = ERROR_INIT;
	struct options opts;
	struct ui ui;
	int parsed, status, sig;

	open_standard_descriptors();
	signals_init();
	parsed = opts_parse(argc, argv, &opts, &action, &err);
	ui_init(&ui, &opts);
	status = parsed < 0 ? ui_fail(&ui, &err) : run(&opts, action, &ui);
	status = ui_finish(&ui, status);
	sig = signals_stop_asked();

	/* So that a loop in a shell stops too; but what was just done is not called stopped. */
	if (sig && status != 0)
		signals_die(sig);
	return status;
}
