// SPDX-License-Identifier: GPL-3.0-or-later
/* Text streams, colour, errors and the frame of JSON objects; see ui.h and cmd.h. */
#include "cli/ui.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"
#include "cli/ui-json.h"
#include "cli/words.h"

#define UI_SCHEMA 1

static ssize_t ascii_write(void *cookie, const char *buf, size_t len)
{
	FILE *to = cookie;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)buf[i];
		int r = c < 0x80 ? putc(c, to) : fprintf(to, "\\x%02x", c);

		if (r < 0)
			return 0; /* an error, as fopencookie(3) wants it */
	}
	return fflush(to) == 0 ? (ssize_t)len : 0;
}

FILE *ui_ascii_stream(FILE *to)
{
	static const cookie_io_functions_t functions = { .write = ascii_write };
	FILE *stream = fopencookie(to, "w", functions);

	if (stream)
		setvbuf(stream, NULL, _IOLBF, 0);
	return stream;
}

static bool takes_color(enum color_mode mode, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (mode != COLOR_AUTO)
		return mode == COLOR_ALWAYS;
	if (no_color && no_color[0])
		return false;
	return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

void ui_init(struct ui *ui, const struct options *opts)
{
	*ui = (struct ui){ .opts = opts, .started = time(NULL), .out = stdout, .err = stderr };

	/* Characters only: numbers in JSON and in messages are the same everywhere. */
	setlocale(LC_CTYPE, "");
	setvbuf(stderr, NULL, _IOLBF, 0);
	ui->is_utf8 = strcasecmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (!ui->is_utf8) {
		FILE *out = ui_ascii_stream(stdout), *err = ui_ascii_stream(stderr);

		if (out && err) {
			ui->out = out;
			ui->err = err;
		}
		text_quote_ascii(true);
	}
	ui->err_columns = ui_columns(STDERR_FILENO);
	ui->color = takes_color(opts->color, STDOUT_FILENO);
	ui->err_color = takes_color(opts->color, STDERR_FILENO);
}

int ui_finish(struct ui *ui, int status)
{
	int sys = 0;

	errno = 0;
	if (fflush(ui->out) != 0 || fflush(stdout) != 0 || ferror(ui->out) || ferror(stdout))
		sys = errno ? errno : -1; /* it failed earlier, and why is forgotten */
	else if (close(STDOUT_FILENO) != 0 && errno != EBADF)
		sys = errno; /* NFS and quotas answer late */
	if (sys) {
		if (sys > 0)
			ui_warn(ui, _("standard output could not be written: %s"), strerror(sys));
		else
			ui_warn(ui, _("standard output could not be written."));
		if (status == 0)
			status = 1;
	}
	fflush(ui->err);
	return status;
}

const char *ui_sgr(bool enabled, enum ui_color color)
{
	static const char *const codes[] = {
		[UI_PLAIN] = "\033[0m",  [UI_BOLD] = "\033[1m",    [UI_RED] = "\033[1;31m",
		[UI_GREEN] = "\033[32m", [UI_YELLOW] = "\033[33m",
	};

	return enabled ? codes[color] : "";
}

void ui_error_prefix(struct ui *ui)
{
	fprintf(ui->err, "%sisowrite:%s ", ui_sgr(ui->err_color, UI_RED),
		ui_sgr(ui->err_color, UI_PLAIN));
}

void ui_warn(struct ui *ui, const char *fmt, ...)
{
	char text[2 * ERROR_MSG_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ui_error_prefix(ui);
	words_message(ui->err, ui->err_columns, (unsigned int)strlen("isowrite: "), text);
}

void ui_note(struct ui *ui, const char *fmt, ...)
{
	char text[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(ui->err, "%*s", WORDS_MESSAGE_INDENT, "");
	words_message(ui->err, ui->err_columns, WORDS_MESSAGE_INDENT, text);
}

unsigned int ui_columns(int fd)
{
	struct winsize ws;

	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		return ws.ws_col;
	return 80;
}

static void put_time(struct json *j, const char *key, time_t t)
{
	struct tm tm;
	char text[32];

	if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		json_string(j, key, text);
	else
		json_null(j, key);
}

void ui_json_begin(struct ui *ui, struct json *j, int exit_status)
{
	json_init(j);
	json_begin_object(j, NULL);
	json_u64(j, "schema", UI_SCHEMA);
	json_string(j, "isowrite", ISOWRITE_VERSION);
	json_string(j, "command", command_name(ui->opts->command));
	json_u64(j, "exit", (uint64_t)exit_status);
	put_time(j, "started", ui->started);
	put_time(j, "finished", time(NULL));
}

static void put_finding(struct json *j, enum layout_severity severity, const char *code,
			const char *message)
{
	static const char *const severities[] = {
		[LAYOUT_INFO] = "info",
		[LAYOUT_WARNING] = "warning",
		[LAYOUT_ERROR] = "error",
	};

	json_begin_object(j, NULL);
	json_string(j, "severity", severities[severity]);
	json_string(j, "code", code);
	json_string(j, "message", message);
	json_end_object(j);
}

static int end_object(struct ui *ui, struct json *j, int exit_status)
{
	json_end_object(j);
	if (ui_json_print(j) < 0) {
		ui_warn(ui, _("Out of memory."));
		return error_kind_exit_status(ERROR_INTERNAL);
	}
	return exit_status;
}

int ui_json_end(struct ui *ui, struct json *j, const struct layout_finding *findings,
		size_t n_findings, int exit_status)
{
	json_begin_array(j, "findings");
	for (size_t i = 0; i < n_findings; i++)
		put_finding(j, findings[i].severity, findings[i].code, findings[i].message);
	json_end_array(j);
	return end_object(ui, j, exit_status);
}

int ui_fail(struct ui *ui, const struct error *err)
{
	int status = error_kind_exit_status(err->kind);
	struct json j;

	ui_warn(ui, "%s", err->msg);
	if (!ui_wants_json(ui))
		return status;
	if (ui->opts->json == JSON_LINES)
		json_print_error(NULL, err);
	ui_json_begin(ui, &j, status);
	json_begin_array(&j, "findings");
	put_finding(&j, LAYOUT_ERROR, err->code, err->msg);
	json_end_array(&j);
	return end_object(ui, &j, status);
}

int ui_json_print(struct json *j)
{
	const char *text = json_finish(j);

	if (text)
		printf("%s\n", text); /* an error of the stream is found by ui_finish() */
	json_done(j);
	return text ? 0 : -1;
}

const char *ui_size(const struct ui *ui, char *buf, size_t buf_size, uint64_t size)
{
	if (ui->opts->bytes) {
		snprintf(buf, buf_size, "%" PRIu64, size);
		return buf;
	}
	return num_format_size(buf, buf_size, size);
}
