// SPDX-License-Identifier: GPL-3.0-or-later
/* The report: exit status, JSON, and the sentences on a failed read-back. */
#include "job/report.h"

#include <stdlib.h>

#include "base/num.h"
#include "tap.h"

static struct report *new_report(const char *command, size_t n_targets)
{
	struct report *r = report_new(command);

	r->targets = calloc(n_targets + 1, sizeof(*r->targets));
	r->n_targets = n_targets;
	for (size_t i = 0; i < n_targets; i++) {
		r->targets[i].plan = -1;
		r->targets[i].result.error_offset = UINT64_MAX;
		snprintf(r->targets[i].path, sizeof(r->targets[i].path), "/dev/sd%c",
			 (char)('b' + i));
	}
	return r;
}

static void fail(struct report *r, size_t i, enum target_status status, enum error_kind kind)
{
	r->targets[i].status = status;
	if (kind != ERROR_NONE)
		error_set(&r->targets[i].error, kind, "test", "Test.");
}

static void test_exit_status_of_one(void)
{
	static const struct {
		enum target_status status;
		enum error_kind kind;
		int exit;
	} cases[] = {
		{ TARGET_VERIFIED, ERROR_NONE, 0 },   { TARGET_WRITTEN, ERROR_NONE, 0 },
		{ TARGET_VERIFIED, ERROR_IO, 6 },     { TARGET_REFUSED, ERROR_REFUSED, 3 },
		{ TARGET_UNTOUCHED, ERROR_FIT, 5 },   { TARGET_FAILED, ERROR_DIFFERS, 7 },
		{ TARGET_FAILED, ERROR_IMAGE, 4 },    { TARGET_FAILED, ERROR_TRUST, 9 },
		{ TARGET_CANCELLED, ERROR_NONE, 1 },  { TARGET_UNTOUCHED, ERROR_NONE, 1 },
		{ TARGET_UNTOUCHED, ERROR_USAGE, 2 }, { TARGET_FAILED, ERROR_NONE, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct report *r = new_report("write", 1);

		fail(r, 0, cases[i].status, cases[i].kind);
		CHECK_U64((unsigned int)report_exit_status(r), (unsigned int)cases[i].exit);
		report_free(r);
	}
}

static void test_exit_status_of_several(void)
{
	struct report *r = new_report("write", 3);

	fail(r, 0, TARGET_VERIFIED, ERROR_NONE);
	fail(r, 1, TARGET_VERIFIED, ERROR_NONE);
	fail(r, 2, TARGET_VERIFIED, ERROR_NONE);
	CHECK(report_exit_status(r) == 0);
	fail(r, 1, TARGET_FAILED, ERROR_IO);
	CHECK(report_exit_status(r) == 64);
	fail(r, 0, TARGET_FAILED, ERROR_DIFFERS);
	fail(r, 2, TARGET_REFUSED, ERROR_REFUSED);
	CHECK(report_exit_status(r) == 7); /* all failed: the first one's */
	fail(r, 0, TARGET_VERIFIED, ERROR_NONE);
	r->targets[0].error.kind = ERROR_NONE;
	error_set(&r->error, ERROR_CANCELLED, "cancelled", "Cancelled.");
	CHECK(report_exit_status(r) == 8); /* what ends the job counts more than targets */
	report_free(r);
}

/* One refused, the other not touched because of it. */
static void test_exit_status_untouched_beside_refused(void)
{
	struct report *r = new_report("write", 2);

	fail(r, 1, TARGET_REFUSED, ERROR_REFUSED);
	CHECK(report_exit_status(r) == 3);
	report_free(r);
}

static void test_exit_status_of_check_and_plan(void)
{
	struct report *r = new_report("check", 1);

	fail(r, 0, TARGET_CHANGED, ERROR_NONE);
	CHECK(report_exit_status(r) == 0);
	r->is_strict = true;
	CHECK(report_exit_status(r) == 7);
	report_free(r);
	r = new_report("plan", 1);
	CHECK(report_exit_status(r) == 0);
	fail(r, 0, TARGET_REFUSED, ERROR_REFUSED);
	CHECK(report_exit_status(r) == 3);
	report_free(r);
	r = new_report("plan", 0);
	CHECK(report_exit_status(r) == 0);
	report_free(r);
}

static bool json_has(const struct report *r, const char *text)
{
	struct json j;
	const char *out;
	bool found;

	json_init(&j);
	report_to_json(r, &j);
	out = json_finish(&j);
	found = out && strstr(out, text);
	if (!found)
		printf("# no %s in %s\n", text, out ? out : "(null)");
	json_done(&j);
	return found;
}

/* What is not known is null, never a number or a guess. */
static void test_json_of_the_unknown(void)
{
	struct report *r = new_report("write", 1);

	r->started = 1700000000;
	CHECK(json_has(r, "\"started\":\"2023-11-14T22:13:20Z\""));
	CHECK(json_has(r, "\"finished\":null"));
	CHECK(json_has(r, "\"size\":null,\"content_size\":null,\"sha256\":null,"
			  "\"content_sha256\":null,\"compression\":\"none\",\"kind\":null"));
	CHECK(json_has(r, "\"plan\":null,\"by_id\":null"));
	CHECK(json_has(r, "\"status\":\"untouched\""));
	CHECK(json_has(r, "\"verify_method\":\"none\""));
	CHECK(json_has(r, "\"error\":null"));
	report_free(r);
}

static void test_json_of_errors(void)
{
	struct report *r = new_report("write", 1);
	struct report_target *t = &r->targets[0];

	error_set(&r->error, ERROR_TRUST, "digest-mismatch", "Wrong \"digest\".");
	CHECK(json_has(r, "{\"severity\":\"error\",\"code\":\"digest-mismatch\","
			  "\"message\":\"Wrong \\\"digest\\\".\"}"));
	fail(r, 0, TARGET_REFUSED, ERROR_REFUSED);
	t->has_rule = true;
	t->rule = RULE_FILE_IN_USE;
	CHECK(json_has(r, "\"error\":{\"kind\":\"refused\",\"code\":\"test\","
			  "\"rule\":\"file-in-use\",\"message\":\"Test.\",\"offset\":null"));
	t->has_rule = false;
	t->result.mismatch = (struct engine_mismatch){
		.found = true,
		.offset = 4096,
		.length = 512,
		.bad_bytes = 1024,
		.pattern = PATTERN_OFFSET,
		.pattern_value = 512,
		.what = 7,
	};
	snprintf(t->error_file, sizeof(t->error_file), "/live/x");
	CHECK(json_has(r, "\"rule\":null,\"message\":\"Test.\",\"offset\":4096,\"length\":512,"
			  "\"bad_bytes\":1024,\"extent\":null,\"file\":\"/live/x\","
			  "\"pattern\":\"offset\",\"pattern_value\":512"));
	report_free(r);
}

static void test_json_of_a_plan(void)
{
	const struct geometry geo = { .size = 8 * MIB, .sector_size = 512, .io_align = 512 };
	struct report *r = new_report("plan", 0);
	struct error err = ERROR_INIT;
	struct plan *plan = plan_new("raw", &geo);

	CHECK(plan_append_source(plan, 2 * MIB, 0, 0, "image", &err) == 0);
	CHECK(plan_close(plan, 0, &err) == 0);
	r->plans = calloc(1, sizeof(*r->plans));
	r->plans[0].plan = plan;
	r->n_plans = 1;
	CHECK(json_has(r, "\"planner\":\"raw\",\"geometry\":{\"size\":8388608,\"sector_size\":512},"
			  "\"size\":2097152,\"sha256\":null,\"bytes_from_source\":2097152,"
			  "\"bytes_from_memory\":0,\"bytes_zero\":1048576,\"bytes_kept\":5242880"));
	CHECK(json_has(r, "\"extents\":[{\"start\":0,\"length\":2097152,\"kind\":\"source\","
			  "\"source\":0,\"source_offset\":0,\"what\":\"image\"},{\"start\":2097152,"
			  "\"length\":5242880,\"kind\":\"keep\",\"source\":null"));
	report_free(r);
}

static const char *describe(const char *command, bool is_file, struct engine_mismatch m)
{
	static char text[ERROR_MSG_SIZE];
	struct report *r = new_report(command, 1);

	m.found = true;
	m.what = UINT32_MAX;
	r->targets[0].result.mismatch = m;
	r->targets[0].info.is_file = is_file;
	report_describe_mismatch(r, 0, text, sizeof(text));
	report_free(r);
	return text;
}

static void test_a_lying_stick(void)
{
	const struct engine_mismatch m = {
		.offset = 8000000000,
		.bad_bytes = 4096,
		.is_exact = true,
		.pattern = PATTERN_OFFSET,
		.pattern_value = 0,
	};

	CHECK_STR(
		describe("write", false, m),
		"/dev/sdb: from 8.0 GB on, the stick returns the data of 0: it is smaller than it "
		"says. Return it. First bad byte: 8,000,000,000; 4,096 bytes in bad sectors.");
}

static void test_flipped_bits(void)
{
	struct engine_mismatch m = {
		.offset = 5000,
		.bad_bytes = 512,
		.is_exact = true,
		.pattern = PATTERN_FLIPS,
		.pattern_value = 12,
	};

	CHECK_STR(describe("write", false, m),
		  "/dev/sdb: 12 bits differ at byte 5,000: try another port; if it comes back, the "
		  "stick is failing. First bad byte: 5,000; 512 bytes in bad sectors.");
	/* A file is never taken to another port. */
	CHECK_STR(
		describe("write", true, m),
		"/dev/sdb: 12 bits differ at byte 5,000. First bad byte: 5,000; 512 bytes in bad sectors.");
	m.is_exact = false;
	CHECK(strstr(describe("write", false, m),
		     "First bad piece: at byte 5,000; up to 512 bytes are bad."));
}

static void test_every_pattern_has_words(void)
{
	for (int p = PATTERN_NONE; p <= PATTERN_OTHER; p++) {
		const struct engine_mismatch m = {
			.offset = 1 << 20,
			.is_exact = true,
			.pattern = (enum engine_pattern)p,
			.pattern_value = 1 << 21,
		};
		const char *text = describe("write", false, m);

		CHECK(strstr(text, ": ") && text[strlen(text) - 1] == '.');
		CHECK(!strstr(describe("write", true, m), "port") || p == PATTERN_UNSTABLE);
		/* check did not write it, so it does not speak of what was written. */
		CHECK(!strstr(describe("check", false, m), "written;"));
	}
}

/* The path is escaped, and the sentence fits. */
static void test_long_and_hostile_names(void)
{
	struct report *r = new_report("write", 1);
	char text[ERROR_MSG_SIZE];

	memset(r->targets[0].path, '\033', sizeof(r->targets[0].path) - 1);
	memset(r->targets[0].error_file, '\n', sizeof(r->targets[0].error_file) - 1);
	r->targets[0].result.mismatch = (struct engine_mismatch){ .found = true, .what = 0 };
	report_describe_mismatch(r, 0, text, sizeof(text));
	CHECK(!strchr(text, '\033') && !strchr(text, '\n'));
	report_free(r);
}

static void test_findings_are_bounded(void)
{
	struct report *r = new_report("write", 0);

	for (int i = 0; i < LAYOUT_MAX_FINDINGS + 5; i++)
		report_add_finding(r, LAYOUT_WARNING, "code", "%d", i);
	CHECK_U64(r->n_findings, LAYOUT_MAX_FINDINGS);
	CHECK_STR(r->findings[LAYOUT_MAX_FINDINGS - 1].message, "31");
	report_free(r);
}

int main(void)
{
	RUN(test_exit_status_of_one);
	RUN(test_exit_status_of_several);
	RUN(test_exit_status_untouched_beside_refused);
	RUN(test_exit_status_of_check_and_plan);
	RUN(test_json_of_the_unknown);
	RUN(test_json_of_errors);
	RUN(test_json_of_a_plan);
	RUN(test_a_lying_stick);
	RUN(test_flipped_bits);
	RUN(test_every_pattern_has_words);
	RUN(test_long_and_hostile_names);
	RUN(test_findings_are_bounded);
	return tap_done();
}
