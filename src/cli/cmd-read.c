// SPDX-License-Identifier: GPL-3.0-or-later
/* isowrite read DEVICE -o FILE: a stick or a disc into a file. */
#include <string.h>
#include <unistd.h>

#include "cli/cmd-job.h"
#include "cli/ui.h"
#include "cli/words.h"

static void print_read(struct ui *ui, const struct report *r)
{
	/* Where the image goes nothing else does. */
	bool is_taken = strcmp(ui->opts->output, "-") == 0;
	struct words how = words_for(ui_columns(is_taken ? STDERR_FILENO : STDOUT_FILENO),
				     ui->opts->bytes, ui->opts->verbose > 0);

	if (!ui->opts->quiet)
		words_print_read(is_taken ? ui->err : ui->out, &how, r);
}

int cmd_read(const struct options *opts, struct ui *ui)
{
	(void)opts;
	return cmd_run_job(ui, "read", job_read, print_read);
}
