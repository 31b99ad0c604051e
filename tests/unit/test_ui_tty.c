// SPDX-License-Identifier: GPL-3.0-or-later
/* Progress lines, the identity block and the closing words, on made-up reports. */
#include "cli/ui-tty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cmd-job.h"
#include "cli/ui.h"
#include "cli/words.h"
#include "job/report.h"
#include "tap.h"

static struct tty_progress progress_at(uint64_t done, uint64_t total)
{
	struct tty_progress p = {
		.name = "/dev/sdb",
		.is_active = true,
		.last = { .phase = PHASE_WRITE,
			  .done = done,
			  .total = total,
			  .bytes_per_second = 55e6,
			  .mean_bytes_per_second = 53e6,
			  .eta_seconds = 62 },
	};

	return p;
}

static void test_bar(void)
{
	struct tty_progress p = progress_at(2800000000, 6200000000);
	char line[256];

	tty_format_bar(&p, 79, line, sizeof(line));
	CHECK_STR(line,
		  "/dev/sdb write   45 %  2.8 GB of 6.2 GB  55 MB/s  (mean 53 MB/s)  1:02 left");
	tty_format_bar(&p, 120, line, sizeof(line));
	CHECK_STR(line, "/dev/sdb write  [#############.................]  45 %  2.8 GB of 6.2 GB  "
			"55 MB/s  (mean 53 MB/s)  1:02 left");
	tty_format_bar(&p, 39, line, sizeof(line));
	CHECK_STR(line, "/dev/sdb write   45 %  1:02 left");
}

/* Never wider than asked, at any width: a wrapped line would break the redrawing. */
static void test_no_line_is_too_wide(void)
{
	struct tty_progress p = progress_at(2800000000, 6200000000);
	char line[512];

	for (unsigned int width = 1; width < 200; width++) {
		p.last.stalled_seconds = width % 2 ? 100 : 0;
		p.is_finished = width % 5 == 0;
		p.word = "verified";
		tty_format_bar(&p, width, line, sizeof(line));
		CHECK(strlen(line) <= width);
	}
}

static void test_hundred_percent_only_with_the_verdict(void)
{
	struct tty_progress p = progress_at(1000, 1000);
	char line[256];

	CHECK_U64(tty_percent(&p), 99);
	p.last.total = 0;
	CHECK_U64(tty_percent(&p), 0);
	p.last.total = UINT64_MAX;
	CHECK_U64(tty_percent(&p), 0);
	p.is_finished = true;
	p.word = "failed";
	CHECK_U64(tty_percent(&p), 0);
	tty_format_line(&p, line, sizeof(line));
	CHECK_STR(line, "/dev/sdb: failed");
	p.is_complete = true;
	p.word = "verified";
	CHECK_U64(tty_percent(&p), 100);
	tty_format_line(&p, line, sizeof(line));
	CHECK_STR(line, "/dev/sdb: verified 100 %");
}

static void test_lines(void)
{
	struct tty_progress p = progress_at(2800000000, 6200000000);
	char line[256];

	tty_format_line(&p, line, sizeof(line));
	CHECK_STR(line,
		  "/dev/sdb: write 45 %, 2.8 GB of 6.2 GB, 55 MB/s (mean 53 MB/s), 1:02 left");
	p.last.stalled_seconds = 12;
	tty_format_line(&p, line, sizeof(line));
	CHECK_STR(line, "/dev/sdb: write 45 %, 2.8 GB of 6.2 GB, stalled for 12 s");
	p.last.stalled_seconds = 0;
	p.last.total = UINT64_MAX; /* a stream */
	p.last.eta_seconds = -1;
	tty_format_line(&p, line, sizeof(line));
	CHECK_STR(line, "/dev/sdb: write, 2.8 GB, 55 MB/s (mean 53 MB/s)");
	p.last.sets_the_pace = true;
	tty_format_line(&p, line, sizeof(line));
	CHECK_STR(line, "/dev/sdb: write, 2.8 GB, 55 MB/s (mean 53 MB/s), sets the pace");
	tty_format_bar(&p, 79, line, sizeof(line));
	CHECK_STR(line, "/dev/sdb write   2.8 GB  55 MB/s  (mean 53 MB/s)  sets the pace");
}

static void test_typed_sizes(void)
{
	CHECK(tty_is_size_typed("32 GB", "32 GB"));
	CHECK(tty_is_size_typed(" 32gb ", "32 GB"));
	CHECK(!tty_is_size_typed("", "32 GB"));
	CHECK(!tty_is_size_typed("y", "32 GB"));
	CHECK(!tty_is_size_typed("32", "32 GB"));
	CHECK(!tty_is_size_typed("3 GB", "32 GB"));
	CHECK(!tty_is_size_typed("32 GBx", "32 GB"));
}

static void test_durations_and_speeds(void)
{
	char buf[32];

	CHECK_STR(words_duration(0.44, buf, sizeof(buf)), "0.4 s");
	CHECK_STR(words_duration(9.96, buf, sizeof(buf)), "0:10");
	CHECK_STR(words_duration(112, buf, sizeof(buf)), "1:52");
	CHECK_STR(words_duration(3661.6, buf, sizeof(buf)), "1:01:02");
	CHECK_STR(words_duration(-1, buf, sizeof(buf)), "?");
	CHECK_STR(words_speed(55.2e6, buf, sizeof(buf)), "55 MB/s");
	CHECK_STR(words_speed(4.25e6, buf, sizeof(buf)), "4.2 MB/s");
	CHECK_STR(words_speed(1.24e9, buf, sizeof(buf)), "1.2 GB/s");
	CHECK_STR(words_speed(900e3, buf, sizeof(buf)), "900 kB/s");
	CHECK_STR(words_speed(0.0 / 1, buf, sizeof(buf)), "0 kB/s");
}

static struct report *make_report(const char *command, size_t n_targets)
{
	struct report *r = report_new(command);

	r->n_targets = n_targets;
	r->targets = calloc(n_targets, sizeof(*r->targets));
	snprintf(r->image_path, sizeof(r->image_path), "dir/ubuntu.iso");
	r->content_size = r->image_size = 6203355136;
	r->has_layout = true;
	r->layout.kind = LAYOUT_ISOHYBRID;
	snprintf(r->layout.volume.id, sizeof(r->layout.volume.id), "Ubuntu 24.04");
	r->layout.volume.present = true;
	r->layout.boot.bios.usb = BOOT_YES;
	r->layout.boot.uefi_x64.usb = BOOT_YES;
	for (size_t i = 0; i < n_targets; i++) {
		struct device_info *info = &r->targets[i].info;

		snprintf(r->targets[i].path, sizeof(r->targets[i].path), "/dev/sd%c",
			 'b' + (char)i);
		snprintf(info->path, sizeof(info->path), "%.255s", r->targets[i].path);
		snprintf(info->vendor, sizeof(info->vendor), "SanDisk");
		snprintf(info->model, sizeof(info->model), "Ultra");
		snprintf(info->transport, sizeof(info->transport), "usb");
		snprintf(info->usb_port, sizeof(info->usb_port), "1-%zu", 4 + i);
		info->usb_speed = 5000;
		info->size = 32000000000;
		info->is_block = true;
		r->targets[i].plan = -1;
	}
	return r;
}

static struct device_content *add_content(struct report *r, const char *type, const char *label,
					  const char *node, const char *mountpoint)
{
	struct device_info *info = &r->targets[0].info;
	struct device_content *c = &info->contents[info->n_contents++];

	snprintf(c->type, sizeof(c->type), "%s", type);
	snprintf(c->label, sizeof(c->label), "%s", label);
	snprintf(c->node, sizeof(c->node), "%s", node);
	snprintf(c->mountpoint, sizeof(c->mountpoint), "%s", mountpoint);
	return c;
}

/* What words_print_identity() or _results() says, in static storage. */
static const char *said(struct report *r, bool is_identity)
{
	static char text[8192];
	struct words how = words_for(80, false, false);
	FILE *out = fmemopen(text, sizeof(text), "w");

	text[0] = '\0';
	if (is_identity)
		words_print_identity(out, &how, r);
	else
		words_print_results(out, &how, r);
	fclose(out);
	return text;
}

static void test_identity(void)
{
	struct report *r = make_report("write", 1);
	struct device_content *c;

	r->trust = TRUST_LISTED;
	snprintf(r->trust_by, sizeof(r->trust_by), "SHA256SUMS");
	add_content(r, "dos", "", "/dev/sdb", "")->is_table = true;
	c = add_content(r, "vfat", "KEY", "/dev/sdb1", "/media/anna/KEY");
	snprintf(c->version, sizeof(c->version), "FAT32");
	CHECK_STR(said(r, true),
		  "Image    \"Ubuntu 24.04\", 6.2 GB; matches SHA256SUMS\n"
		  "Target   /dev/sdb  SanDisk Ultra, 32 GB (29.8 GiB), USB 3, port 1-4\n"
		  "ERASES   1 partition: FAT32 \"KEY\", mounted on /media/anna/KEY (will be\n"
		  "         unmounted)\n");
	report_free(r);
}

/* A label that would clear the screen, and a target that is out already. */
static void test_identity_is_escaped(void)
{
	struct report *r = make_report("write", 2);

	add_content(r, "vfat", "\033[2Jevil", "/dev/sdb", "");
	snprintf(r->layout.volume.id, sizeof(r->layout.volume.id), "\033]0;x\007");
	r->targets[1].error.kind = ERROR_REFUSED;
	CHECK(!strchr(said(r, true), '\033'));
	CHECK(!strchr(said(r, true), '\007'));
	CHECK(strstr(said(r, true), "ERASES   FAT \"\\x1b[2Jevil\"\n") != NULL);
	CHECK(!strstr(said(r, true), "/dev/sdc"));
	report_free(r);
}

static struct plan *copy_plan(uint64_t content)
{
	struct geometry geo = { .size = 32000000000, .sector_size = 512, .io_align = 512 };
	struct error err = ERROR_INIT;
	struct plan *plan = plan_new("raw", &geo);

	CHECK(plan_append_source(plan, content, 0, 0, "image", &err) == 0);
	CHECK(plan_close(plan, content, &err) == 0);
	return plan;
}

static struct report *make_written(size_t n_targets, enum target_status status)
{
	struct report *r = make_report("write", n_targets);

	r->plans = calloc(1, sizeof(*r->plans));
	r->n_plans = 1;
	r->plans[0].plan = copy_plan(r->content_size);
	for (size_t i = 0; i < n_targets; i++) {
		struct engine_result *res = &r->targets[i].result;

		r->targets[i].plan = 0;
		r->targets[i].status = status;
		r->targets[i].can_unplug = true;
		res->method = METHOD_O_DIRECT;
		res->bytes_written = r->content_size + 1048576;
		res->seconds_write = 110;
		res->seconds_flush = 2;
		res->seconds_verify = 38;
	}
	return r;
}

static void test_verified(void)
{
	struct report *r = make_written(1, TARGET_VERIFIED);

	CHECK_STR(
		said(r, false),
		"Verified: all 6,203,355,136 bytes read back from the stick equal the image.\n"
		"Write 1:52 (55 MB/s), verify 0:38 (163 MB/s). Made for: BIOS, UEFI x64\n"
		"(predicted; isowrite boot-test /dev/sdb proves it).\n"
		"You can unplug it.  To use the stick for files again: isowrite format /dev/sdb\n");
	report_free(r);
}

static void test_file_is_no_stick(void)
{
	struct report *r = make_written(1, TARGET_VERIFIED);

	r->targets[0].info.is_file = true; /* also where O_DIRECT reads it back */
	CHECK(strstr(said(r, false), "read back from the file equal the image.") != NULL);
	CHECK(!strstr(said(r, false), "unplug"));
	CHECK(!strstr(said(r, false), "stick"));
	report_free(r);
}

/* Nothing but a read-back that succeeded is ever called verified. */
static void test_never_verified_otherwise(void)
{
	static const enum target_status others[] = { TARGET_UNTOUCHED, TARGET_REFUSED,
						     TARGET_CANCELLED, TARGET_FAILED,
						     TARGET_WRITTEN };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct report *r = make_written(1, others[i]);

		r->targets[0].can_unplug = false;
		CHECK(!strstr(said(r, false), "Verified"));
		report_free(r);
	}
	/* A verdict beside an error is none. */
	struct report *r = make_written(1, TARGET_VERIFIED);

	r->targets[0].error.kind = ERROR_IO;
	r->targets[0].can_unplug = false;
	CHECK_STR(said(r, false), "");
	report_free(r);
}

static void test_several_targets(void)
{
	struct report *r = make_written(3, TARGET_VERIFIED);
	const char *text;

	r->targets[1].status = TARGET_FAILED;
	r->targets[1].error.kind = ERROR_IO;
	r->targets[1].can_unplug = false;
	text = said(r, false);
	CHECK(strstr(text, "/dev/sdb: Verified: all") != NULL);
	CHECK(!strstr(text, "/dev/sdc"));
	CHECK(strstr(text,
		     "2 of 3 targets are done.\n"
		     "Made for: BIOS, UEFI x64 (predicted).\nYou can unplug /dev/sdb, /dev/sdd.\n") !=
	      NULL);
	report_free(r);
}

static void test_differences_are_told(void)
{
	struct report *r = make_written(1, TARGET_VERIFIED);
	struct plan *plan = r->plans[0].plan;
	struct error err = ERROR_INIT;
	uint8_t block[512] = { 0 };

	CHECK(plan_overlay(plan, 512, block, sizeof(block), "GPT header", &err) == 0);
	plan->planner = "gpt-fix";
	CHECK(!strstr(said(r, false), "equal the image"));
	CHECK(strstr(said(r, false), "Written as gpt-fix: 1 range (512 bytes) differs from") !=
	      NULL);
	report_free(r);
}

static void write_at(struct speed *s, double *now, double seconds, double speed)
{
	for (int i = 0; i < (int)(seconds * 5); i++) {
		*now += 0.2;
		speed_add(s, *now, s->done + (uint64_t)(speed * 0.2));
	}
}

/* What is left of the speeds of two targets, of which the first slowed down. Caller frees. */
static char *speeds(unsigned int verbose, enum progress_mode how)
{
	struct options o = { .mode = "auto", .verbose = verbose };
	struct ui ui = { .opts = &o };
	struct tty tty = { .ui = &ui, .how = how, .n_targets = 2 };
	char *text = NULL;
	size_t len;
	double now = 5;

	ui.err = open_memstream(&text, &len);
	tty.targets = calloc(2, sizeof(*tty.targets));
	for (size_t i = 0; i < 2; i++) {
		struct tty_progress *p = &tty.targets[i];

		snprintf(p->name, sizeof(p->name), "/dev/sd%c", 'b' + (int)i);
		speed_begin(&p->write, now);
		write_at(&p->write, &now, 20, 80e6);
		write_at(&p->write, &now, 20, i == 0 ? 10e6 : 60e6);
	}
	tty_done(&tty);
	fclose(ui.err);
	return text;
}

static void test_slowing_down_is_told(void)
{
	char *text = speeds(0, PROGRESS_LINES);

	/* As wide as the terminal that the test runs on, if there is one. */
	CHECK(strstr(text, "/dev/sdb: writing slowed down after 0:20: 80 MB/s, then 10 MB/s") ==
	      text);
	CHECK(!strstr(text, "/dev/sdc"));
	free(text);
	text = speeds(1, PROGRESS_LINES);
	CHECK(strstr(text, "/dev/sdb\n 80 MB/s |####") == text);
	CHECK(strstr(text, "write 0:40\n/dev/sdc\n 80 MB/s |####") != NULL);
	free(text);
	text = speeds(1, PROGRESS_NONE);
	CHECK_STR(text, "");
	free(text);
}

/* Asks on a terminal of its own, in a child; types what is given. Returns the answer. */
static int ask(struct report *r, enum question_kind kind, const char *typed, char *screen,
	       size_t size)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), status = -1;
	size_t len = 0;
	pid_t pid;

	CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	pid = fork();
	if (pid == 0) {
		struct question q = { .kind = kind, .report = r, .expected = "32 GB" };
		struct options o = { .mode = "auto" };
		struct ui ui;
		struct tty tty;
		int slave;

		setsid();
		slave = open(ptsname(master), O_RDWR);
		dup2(slave, 0);
		dup2(slave, 1);
		dup2(slave, 2);
		ui_init(&ui, &o);
		tty_init(&tty, &ui);
		_exit(slave < 0 ? 99 : (int)tty.events.ask(tty.events.ctx, &q));
	}
	/* Nothing is typed before the prompt is there. */
	while (len + 1 < size && read(master, screen + len, 1) == 1) {
		screen[++len] = '\0';
		if (strstr(screen, "(32 GB): ") || strstr(screen, "[y/N] "))
			break;
	}
	CHECK(write(master, typed, strlen(typed)) == (ssize_t)strlen(typed));
	waitpid(pid, &status, 0);
	close(master);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_questions(void)
{
	struct report *r = make_report("write", 1);
	char screen[4096] = "";

	CHECK(ask(r, QUESTION_WRITE, "y\n", screen, sizeof(screen)) == ANSWER_YES);
	CHECK(strstr(screen, "Write it? [y/N] ") != NULL);
	CHECK(strstr(screen, "Target   /dev/sdb  SanDisk Ultra, 32 GB (29.8 GiB), USB 3") != NULL);
	CHECK(ask(r, QUESTION_WRITE, "YES\n", screen, sizeof(screen)) == ANSWER_YES);
	CHECK(ask(r, QUESTION_WRITE, "\n", screen, sizeof(screen)) == ANSWER_NO);
	CHECK(ask(r, QUESTION_WRITE, "yup\n", screen, sizeof(screen)) == ANSWER_NO);
	CHECK(ask(r, QUESTION_WRITE, "\004", screen, sizeof(screen)) == ANSWER_NO);
	report_free(r);
}

/* A disk with an ext4 volume: y is no answer, only its size is. */
static void test_size_has_to_be_typed(void)
{
	struct report *r = make_report("write", 1);
	struct device_info *info = &r->targets[0].info;
	char screen[4096] = "";

	add_content(r, "ext4", "data", "/dev/sdb1", "")->is_foreign = true;
	info->n_refused = 1;
	info->refused[0].rule = RULE_CONTENTS;
	snprintf(info->refused[0].why, sizeof(info->refused[0].why), "it holds ext4 \"data\"");
	CHECK(ask(r, QUESTION_TYPE_SIZE, "y\n", screen, sizeof(screen)) == ANSWER_NO);
	CHECK(strstr(screen, "To erase it, type its size as shown (32 GB): ") != NULL);
	CHECK(strstr(screen, "/dev/sdb: it holds ext4 \"data\"") != NULL);
	CHECK(ask(r, QUESTION_TYPE_SIZE, "\n", screen, sizeof(screen)) == ANSWER_NO);
	CHECK(ask(r, QUESTION_TYPE_SIZE, "32\n", screen, sizeof(screen)) == ANSWER_NO);
	CHECK(ask(r, QUESTION_TYPE_SIZE, "32 GB\n", screen, sizeof(screen)) == ANSWER_YES);
	CHECK(ask(r, QUESTION_TYPE_SIZE, "32gb\n", screen, sizeof(screen)) == ANSWER_YES);
	report_free(r);
}

static struct device_info *make_list(void)
{
	struct device_info *list = calloc(4, sizeof(*list));
	struct report *r = make_report("write", 1);

	list[0].refused[0].rule = RULE_SYSTEM;
	list[0].n_refused = 1;
	snprintf(list[0].path, sizeof(list[0].path), "/dev/sda");
	list[1] = list[0];
	list[2] = r->targets[0].info;
	snprintf(list[2].contents[0].type, sizeof(list[2].contents[0].type), "vfat");
	snprintf(list[2].contents[0].label, sizeof(list[2].contents[0].label), "KEY");
	snprintf(list[2].contents[0].mountpoint, sizeof(list[2].contents[0].mountpoint), "/m");
	list[2].n_contents = 1;
	list[2].refused[0].rule = RULE_MOUNTED;
	list[2].n_refused = 1;
	list[3].is_virtual = true;
	snprintf(list[3].path, sizeof(list[3].path), "/dev/loop0");
	report_free(r);
	return list;
}

static void test_first_contact(void)
{
	struct device_info *list = make_list();
	static char text[4096];
	FILE *out = fmemopen(text, sizeof(text), "w");

	first_print_contact(out, 80, list, 4);
	fclose(out);
	CHECK_STR(
		text,
		"isowrite writes an image to a USB stick or card, reads it back and compares.\n"
		"  isowrite IMAGE DEVICE      e.g.  isowrite ubuntu.iso /dev/sdb\n"
		"  isowrite verify IMAGE      is this download what its makers published?\n"
		"  isowrite inspect IMAGE     what is it, and where does it boot?\n"
		"Sticks that may be written:  /dev/sdb  SanDisk Ultra  32 GB  port 1-4  FAT \"KEY\"\n"
		"Other disks: 2, not offered (isowrite devices says why).   isowrite --help\n");
	free(list);
}

static void test_image_without_target(void)
{
	struct device_info *list = make_list();
	struct report *r = make_report("write", 0);
	static char text[4096];
	FILE *out = fmemopen(text, sizeof(text), "w");

	first_print_no_target(out, 80, "ubuntu.iso", 6203355136, &r->layout, list, 4);
	fclose(out);
	CHECK_STR(
		text,
		"isowrite: no target given. ubuntu.iso is \"Ubuntu 24.04\", 6.2 GB; made to boot\n"
		"from a stick on BIOS and UEFI x64. One stick is plugged in; to write it:\n"
		"    isowrite ubuntu.iso /dev/sdb            (SanDisk Ultra, 32 GB)\n");
	out = fmemopen(text, sizeof(text), "w");
	first_print_no_target(out, 80, "a b.iso", 6203355136, &r->layout, list, 4);
	first_print_no_target(out, 80, "-x", 6203355136, &r->layout, list, 0);
	fclose(out);
	CHECK(strstr(text, "    isowrite 'a b.iso' /dev/sdb ") != NULL);
	CHECK(strstr(text, "Plug the stick in") != NULL);
	report_free(r);
	free(list);
}

/* Prose is broken between words, a sentence rather begins a line; a command stays whole. */
static void test_message(void)
{
	static char text[1024];
	FILE *out = fmemopen(text, sizeof(text), "w");

	words_message(out, 30, 10,
		      "Short one. A sentence that is too long for a line. End:\n"
		      "  isowrite a-command-that-is-longer-than-that\nAnd so on.");
	fclose(out);
	CHECK_STR(text, "Short one.\n  A sentence that is too long\n  for a line. End:\n"
			"  isowrite a-command-that-is-longer-than-that\n  And so on.\n");
	out = fmemopen(text, sizeof(text), "w");
	words_message(out, 0, 10, "Not broken. Where there is no terminal.\n  cmd");
	fclose(out);
	CHECK_STR(text, "Not broken. Where there is no terminal.\n  cmd\n");
}

static void test_fold(void)
{
	static char text[1024];
	FILE *out = fmemopen(text, sizeof(text), "w");

	words_fold(out, 40,
		   "  1  64  6875        Microsoft basic data of a disk\nshort\n"
		   "Words without a column are broken as well.\n"
		   "averyveryveryveryveryverylongwordstaysasitis\n\nlast");
	fclose(out);
	CHECK_STR(text, "  1  64  6875        Microsoft basic\n"
			"                     data of a disk\nshort\n"
			"Words without a column are broken as\n  well.\n"
			"averyveryveryveryveryverylongwordstaysasitis\n\nlast\n");
	out = fmemopen(text, sizeof(text), "w");
	words_fold(out, 0, "a  line that is not folded where there is no terminal\n");
	fclose(out);
	CHECK_STR(text, "a  line that is not folded where there is no terminal\n");
}

static void test_ascii_stream(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len), *ascii = ui_ascii_stream(memory);

	fprintf(ascii, "K\xc3\xa4se\n");
	fclose(ascii);
	fclose(memory);
	CHECK_STR(text, "K\\xc3\\xa4se\n");
	free(text);
}

int main(void)
{
	RUN(test_bar);
	RUN(test_no_line_is_too_wide);
	RUN(test_hundred_percent_only_with_the_verdict);
	RUN(test_lines);
	RUN(test_typed_sizes);
	RUN(test_durations_and_speeds);
	RUN(test_identity);
	RUN(test_identity_is_escaped);
	RUN(test_verified);
	RUN(test_file_is_no_stick);
	RUN(test_never_verified_otherwise);
	RUN(test_several_targets);
	RUN(test_slowing_down_is_told);
	RUN(test_differences_are_told);
	RUN(test_questions);
	RUN(test_size_has_to_be_typed);
	RUN(test_first_contact);
	RUN(test_image_without_target);
	RUN(test_message);
	RUN(test_fold);
	RUN(test_ascii_stream);
	return tap_done();
}
