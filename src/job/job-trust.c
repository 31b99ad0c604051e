// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the image is compared with (--sha256, --digest, --sums, and the lists
 * beside it), and what came of it. Everything that speaks of the image has to
 * match: each digest that was given, and each list that names it; of those whose
 * algorithm is broken only where no list has a better one for it. Where no list
 * names it, its digest is looked for in all of them: a file that was renamed.
 * job-digest.c computes what is compared.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/num.h"
#include "base/text.h"
#include "job/job-state.h"

#define SHOWN_DIGITS 16   /* of a digest in a message */
#define MAX_NAMED_LISTS 2 /* in one sentence */

static bool is_compressed(const struct job *j)
{
	return strcmp(j->source->compression, "none") != 0;
}

static const struct report_digest *find_digest(const struct job *j, const char *alg)
{
	for (size_t i = 0; alg && i < j->n_digests; i++) {
		if (strcmp(j->digests[i].alg, alg) == 0)
			return &j->digests[i];
	}
	return NULL;
}

int job_need_digest(struct job *j, const char *alg, struct error *err)
{
	if (find_digest(j, alg))
		return 0;
	if (j->n_digests == SOURCE_MAX_DIGESTS)
		return error_set(err, ERROR_INTERNAL, "digests",
				 _("Internal error: too many digests are asked for."));
	j->digests[j->n_digests++] = (struct report_digest){ .alg = alg };
	return 0;
}

/* ------------------------------------------------------------------ gathering */

/* A damaged line of no known algorithm is as strong as any: it stops. */
static unsigned int strength_of(const struct sums_list *l)
{
	if (l->choice.state == SUMS_ABSENT)
		return 0;
	return l->choice.alg ? hash_alg_strength(l->choice.alg) : UINT32_MAX;
}

/*
 * MD5 has nothing to say beside SHA-256. But a list of SHA-512 that somebody has laid there must
 * not outvote the makers' own of SHA-256.
 */
static bool is_active(const struct job *j, const struct sums_list *l)
{
	if (l->choice.state == SUMS_ABSENT)
		return false;
	return strength_of(l) == j->named_strength ||
	       (l->choice.alg && !hash_alg_is_broken(l->choice.alg));
}

/* Lists beside a name; what came through a pipe, or is a device, has none. */
static bool has_folder(const struct job *j)
{
	struct stat st;

	return strcmp(j->req->image, "-") != 0 && j->source->fd >= 0 &&
	       fstat(j->source->fd, &st) == 0 && S_ISREG(st.st_mode);
}

static void warn_about(struct job *j, const struct sums_list *l)
{
	if (l->error.kind != ERROR_NONE)
		job_warn(j, EVENT_NO_TARGET, l->error.code, "%s", l->error.msg);
	else if (l->sums.is_cut)
		job_warn(j, EVENT_NO_TARGET, "sums-cut",
			 _("The list %s is cut short: its signed text does not end. It was not "
			   "used."),
			 l->name);
	else if (l->sums.n_entries == 0)
		job_warn(j, EVENT_NO_TARGET, "sums-empty",
			 _("%s holds no digests that isowrite can read."), l->name);
}

static int read_lists(struct job *j, struct error *err)
{
	bool has_name = has_folder(j);

	if (j->req->sums)
		return sums_read_given(j->req->sums, has_name ? j->req->image : NULL, &j->lists,
				       err);
	if (j->req->no_sums || !has_name)
		return 0;
	if (sums_read_beside(j->req->image, &j->lists, err) < 0)
		return -1;
	for (size_t i = 0; i < j->lists.n; i++)
		warn_about(j, &j->lists.list[i]);
	if (j->lists.has_more)
		job_warn(j, EVENT_NO_TARGET, "sums-many",
			 _("More than %d lists of digests lie beside the image; --sums=FILE names "
			   "its own."),
			 SUMS_MAX_LISTS);
	return 0;
}

int job_gather_trust(struct job *j, struct error *err)
{
	for (size_t i = 0; i < j->req->n_want; i++) {
		if (job_need_digest(j, j->req->want[i].alg, err) < 0)
			return -1;
	}
	if (read_lists(j, err) < 0)
		return -1;
	for (size_t i = 0; i < j->lists.n; i++) {
		unsigned int strength = strength_of(&j->lists.list[i]);

		if (strength > j->named_strength)
			j->named_strength = strength;
	}
	j->is_searching =
		j->named_strength == 0 && j->lists.n > 0 && (j->req->n_want == 0 || j->req->sums);
	for (size_t i = 0; i < j->lists.n; i++) {
		const struct sums_list *l = &j->lists.list[i];
		const char *alg = NULL;

		if (j->is_searching)
			alg = sums_strongest(&l->sums);
		else if (is_active(j, l) && l->choice.state == SUMS_NAMED)
			alg = l->choice.alg;
		if (alg && job_need_digest(j, alg, err) < 0)
			return -1;
	}
	return 0;
}

/* ------------------------------------------------------------------ comparing */

/* What is not compressed is all one. */
static const char *content_word(const struct job *j)
{
	return is_compressed(j) ? "content" : "file";
}

/* Which of the image's digests is it: "file", "content", or NULL. */
static const char *match_given(const struct job *j, size_t i)
{
	const struct report_digest *d = find_digest(j, j->req->want[i].alg);

	if (d && digest_is_equal(&d->file, &j->req->want[i]))
		return "file";
	return d && digest_is_equal(&d->content, &j->req->want[i]) ? content_word(j) : NULL;
}

/* The list's line that is the image's, or NULL. */
static const struct sums_entry *match_list(const struct job *j, const struct sums_list *l,
					   const char **ret_of)
{
	const struct sums_entry *e = NULL;
	const struct report_digest *d;

	d = find_digest(j, j->is_searching ? sums_strongest(&l->sums) : l->choice.alg);
	if (!d)
		return NULL;
	if (d->file.len)
		e = j->is_searching ? sums_find(&l->sums, &d->file)
				    : sums_find_chosen(&l->sums, &l->choice, &d->file);
	*ret_of = "file";
	if (e || !d->content.len)
		return e;
	*ret_of = content_word(j);
	return j->is_searching ? sums_find(&l->sums, &d->content)
			       : sums_find_chosen(&l->sums, &l->choice, &d->content);
}

static bool given_match(const struct job *j)
{
	for (size_t i = 0; i < j->req->n_want; i++) {
		if (!match_given(j, i))
			return false;
	}
	return true;
}

/* Those that name it all match; or, when searching, one has it. */
static bool lists_match(const struct job *j)
{
	const char *of;

	for (size_t i = 0; i < j->lists.n; i++) {
		const struct sums_list *l = &j->lists.list[i];

		if (!j->is_searching && !is_active(j, l))
			continue;
		if ((match_list(j, l, &of) != NULL) == j->is_searching)
			return j->is_searching;
	}
	return !j->is_searching;
}

bool job_is_matched(const struct job *j)
{
	return given_match(j) && lists_match(j);
}

/* A list that has to have the image: the one given, or one that is called after it. */
static const struct sums_list *find_binding(const struct job *j)
{
	for (size_t i = 0; i < j->lists.n; i++) {
		const struct sums_list *l = &j->lists.list[i];

		if (l->is_given || (l->is_own && l->sums.n_entries > 0))
			return l;
	}
	return NULL;
}

bool job_wants_content(const struct job *j)
{
	if (!is_compressed(j) || job_is_matched(j))
		return false;
	/* Nobody waits for a file to be unpacked because some list lies beside it. */
	return !given_match(j) || !j->is_searching || find_binding(j) ||
	       strcmp(j->r->command, "verify") == 0;
}

/* ------------------------------------------------------------------ wording */

/* "5f3c0a12bd34ef56...": enough to compare by eye. */
static const char *short_hex(const struct digest *d, char buf[HASH_HEX_SIZE])
{
	digest_hex(d, buf);
	if (d->len * 2 > SHOWN_DIGITS + 3)
		memcpy(buf + SHOWN_DIGITS, "...", 4);
	return buf;
}

static void escape_name(const struct sums_entry *e, char *buf, size_t size)
{
	buf[0] = '\0';
	if (e->name)
		text_escape(e->name, e->name_len, buf, size);
}

static int set_given_mismatch(const struct job *j, size_t i, const char *consequence,
			      struct error *err)
{
	const struct digest *want = &j->req->want[i];
	const struct report_digest *d = find_digest(j, want->alg);
	char name[256], wanted[HASH_HEX_SIZE], file[HASH_HEX_SIZE], content[HASH_HEX_SIZE];

	job_image_name(j, name, sizeof(name));
	digest_hex(want, wanted);
	digest_hex(&d->file, file);
	digest_hex(&d->content, content);
	if (file[0] && content[0] && is_compressed(j))
		return error_set(
			err, ERROR_TRUST, "digest-mismatch",
			_("%s is not what you asked for: its %s is %s, that of its decompressed "
			  "content %s, and neither is %s. %s"),
			name, want->alg, file, content, wanted, consequence);
	return error_set(err, ERROR_TRUST, "digest-mismatch",
			 _("%s is not what you asked for: its %s is %s, not %s. %s"), name,
			 want->alg, file[0] ? file : content, wanted, consequence);
}

/* The list's digest that the image should have had. */
static const struct sums_entry *wanted_entry(const struct sums_list *l)
{
	for (size_t i = 0; i < l->sums.n_entries; i++) {
		const struct sums_entry *e = &l->sums.entries[i];

		if (e->rank == l->choice.rank && e->digest.len > 0 &&
		    strcmp(e->alg, l->choice.alg) == 0)
			return e;
	}
	return NULL;
}

/* Of a.img.xz, where the list names a.img. */
static bool is_of_content(const struct job *j, const struct sums_entry *wanted)
{
	char name[256];

	if (!is_compressed(j) || !wanted || !wanted->name)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)num_min(wanted->name_len, sizeof(name)),
		 wanted->name);
	return wanted->name_len < sizeof(name) && sums_plain_name_len(name) == 0;
}

static int set_list_mismatch(const struct job *j, const struct sums_list *l,
			     const char *consequence, struct error *err)
{
	const struct report_digest *d = find_digest(j, l->choice.alg);
	const struct sums_entry *wanted = wanted_entry(l), *other;
	bool of_content = d->content.len && (is_of_content(j, wanted) || !d->file.len);
	const struct digest *got = of_content ? &d->content : &d->file;
	char name[256], a[HASH_HEX_SIZE], b[HASH_HEX_SIZE], is[200] = "", called[128];

	other = sums_find(&l->sums, got);
	if (other && other->name) {
		escape_name(other, called, sizeof(called));
		snprintf(is, sizeof(is), _(" It is what the list calls %s."), called);
	}
	return error_set(err, ERROR_TRUST, "sums-mismatch",
			 of_content && is_compressed(j)
				 ? _("%s does not match %s: the %s of its decompressed content is "
				     "%s, not %s as listed.%s %s")
				 : _("%s does not match %s: its %s is %s, not %s as listed.%s %s"),
			 job_image_name(j, name, sizeof(name)), l->name, hash_alg_title(d->alg),
			 short_hex(got, a), wanted ? short_hex(&wanted->digest, b) : "?", is,
			 consequence);
}

/* A list that names the image, but cannot be right. */
static int set_bad_list(const struct job *j, const struct sums_list *l, const char *consequence,
			struct error *err)
{
	char name[256];

	job_image_name(j, name, sizeof(name));
	if (l->choice.state == SUMS_CONFLICT)
		return error_set(
			err, ERROR_TRUST, "sums-conflict",
			_("%s has two different digests of %s (one in line %u), so neither "
			  "can be trusted. %s"),
			l->name, name, l->choice.line, consequence);
	return error_set(err, ERROR_TRUST, "sums-damaged",
			 _("What %s has of %s in line %u is no whole digest. %s"), l->name, name,
			 l->choice.line, consequence);
}

static int set_not_listed(const struct job *j, const struct sums_list *l, const char *consequence,
			  struct error *err)
{
	char name[256];

	return error_set(err, ERROR_TRUST, "not-listed",
			 _("%s is not listed in %s: neither its name nor its digest. %s"),
			 job_image_name(j, name, sizeof(name)), l->name, consequence);
}

static void append(char *buf, size_t size, const char *text)
{
	size_t len = strlen(buf);

	snprintf(buf + len, size - len, "%s", text);
}

/* "not listed in SHA256SUMS, MD5SUMS and 3 more". */
static void say_not_listed(struct job *j)
{
	struct job_trust *t = &j->trust;
	size_t n = 0;
	char more[64];

	for (size_t i = 0; i < j->lists.n; i++) {
		if (j->lists.list[i].sums.n_entries == 0 || n++ >= MAX_NAMED_LISTS)
			continue;
		append(t->detail, sizeof(t->detail), n == 1 ? _("not listed in ") : ", ");
		append(t->detail, sizeof(t->detail), j->lists.list[i].name);
	}
	if (n > MAX_NAMED_LISTS) {
		snprintf(more, sizeof(more), _(" and %zu more"), n - MAX_NAMED_LISTS);
		append(t->detail, sizeof(t->detail), more);
	}
}

static void say_broken(const char *alg, char *buf, size_t size)
{
	char text[128];

	if (!hash_alg_is_broken(alg))
		return;
	snprintf(text, sizeof(text), _(" (%s: intact, its origin is not proved)"),
		 hash_alg_title(alg));
	append(buf, size, text);
}

/* The list that has it by the strongest algorithm, the first one of those; NULL: none has it. */
static const struct sums_list *find_match(const struct job *j, const struct sums_entry **ret,
					  const char **ret_of)
{
	const struct sums_list *best = NULL;

	for (size_t i = 0; i < j->lists.n; i++) {
		const struct sums_list *l = &j->lists.list[i];
		const struct sums_entry *e = NULL;
		const char *of;

		if (j->is_searching || is_active(j, l))
			e = match_list(j, l, &of);
		if (!e || (best && hash_alg_strength(e->alg) <= hash_alg_strength((*ret)->alg)))
			continue;
		best = l;
		*ret = e;
		*ret_of = of;
	}
	return best;
}

/* What a list said; false: none did. */
static bool say_listed(struct job *j)
{
	struct job_trust *t = &j->trust;
	const struct sums_entry *e = NULL;
	const char *of = NULL;
	const struct sums_list *l = find_match(j, &e, &of);
	char text[320];

	if (!l)
		return false;
	*t = (struct job_trust){ .verdict = TRUST_LISTED, .of = of, .alg = e->alg };
	snprintf(t->by, sizeof(t->by), "%s", l->name);
	if (j->is_searching || l->choice.rank < SUMS_RANK_TRIMMED)
		escape_name(e, t->name, sizeof(t->name));
	if (t->name[0]) {
		snprintf(text, sizeof(text), _(" as %s"), t->name);
		append(t->note, sizeof(t->note), text);
	}
	if (is_compressed(j))
		append(t->note, sizeof(t->note),
		       strcmp(of, "file") == 0 ? _(", the file as it is")
					       : _(", its decompressed content"));
	say_broken(e->alg, t->note, sizeof(t->note));
	append(t->detail, sizeof(t->detail), _("listed in "));
	append(t->detail, sizeof(t->detail), t->by);
	append(t->detail, sizeof(t->detail), t->note);
	return true;
}

static const struct digest *strongest_given(const struct job *j)
{
	const struct digest *best = &j->req->want[0];

	for (size_t i = 1; i < j->req->n_want; i++) {
		if (hash_alg_strength(j->req->want[i].alg) > hash_alg_strength(best->alg))
			best = &j->req->want[i];
	}
	return best;
}

/* The digest given is what counts, also where a list says the same. */
static void say_given(struct job *j)
{
	struct job_trust listed = { .verdict = TRUST_NONE }, *t = &j->trust;
	const struct digest *given = strongest_given(j);
	char hex[HASH_HEX_SIZE];

	if (say_listed(j))
		listed = *t;
	*t = (struct job_trust){ .verdict = TRUST_DIGEST, .alg = given->alg };
	t->of = match_given(j, (size_t)(given - j->req->want));
	snprintf(t->by, sizeof(t->by), "%s:%s", given->alg, digest_hex(given, hex));
	if (!is_compressed(j))
		snprintf(t->detail, sizeof(t->detail), _("matches the digest you gave"));
	else if (strcmp(t->of, "content") == 0)
		snprintf(t->detail, sizeof(t->detail),
			 _("its decompressed content matches the digest you gave"));
	else
		snprintf(t->detail, sizeof(t->detail),
			 _("the file as it is matches the digest you gave"));
	say_broken(given->alg, t->detail, sizeof(t->detail));
	if (listed.verdict == TRUST_LISTED) {
		append(t->detail, sizeof(t->detail), _(", listed in "));
		append(t->detail, sizeof(t->detail), listed.by);
		append(t->detail, sizeof(t->detail), listed.note);
	}
}

static int set_mismatch(struct job *j, const struct error *err)
{
	struct job_trust *t = &j->trust;

	*t = (struct job_trust){ .verdict = TRUST_MISMATCH };
	snprintf(t->detail, sizeof(t->detail), "%.*s", (int)sizeof(t->detail) - 1, err->msg);
	return -1;
}

int job_check_lists(struct job *j, const char *consequence, struct error *err)
{
	for (size_t i = 0; i < j->lists.n; i++) {
		const struct sums_list *l = &j->lists.list[i];

		if (!is_active(j, l) || l->choice.state == SUMS_NAMED)
			continue;
		set_bad_list(j, l, consequence, err);
		return set_mismatch(j, err);
	}
	return 0;
}

static int find_mismatch(const struct job *j, const char *consequence, struct error *err)
{
	const char *of;

	for (size_t i = 0; i < j->req->n_want; i++) {
		if (!match_given(j, i))
			return set_given_mismatch(j, i, consequence, err);
	}
	for (size_t i = 0; !j->is_searching && i < j->lists.n; i++) {
		const struct sums_list *l = &j->lists.list[i];

		if (is_active(j, l) && !match_list(j, l, &of))
			return set_list_mismatch(j, l, consequence, err);
	}
	if (j->is_searching && find_binding(j) && !lists_match(j))
		return set_not_listed(j, find_binding(j), consequence, err);
	return 0;
}

int job_judge(struct job *j, const char *consequence, struct error *err)
{
	if (find_mismatch(j, consequence, err) < 0)
		return set_mismatch(j, err);
	j->trust = (struct job_trust){ .verdict = TRUST_NONE };
	if (j->req->n_want > 0)
		say_given(j);
	else if (!say_listed(j))
		say_not_listed(j);
	return 0;
}

void job_publish_trust(struct job *j)
{
	const struct report_digest *d = find_digest(j, "sha256");
	struct report *r = j->r;

	memcpy(r->digests, j->digests, sizeof(r->digests));
	r->n_digests = j->n_digests;
	r->trust = j->trust.verdict;
	r->trust_alg = j->trust.alg;
	r->trust_of = j->trust.verdict == TRUST_NONE ? NULL : j->trust.of;
	snprintf(r->trust_by, sizeof(r->trust_by), "%s", j->trust.by);
	snprintf(r->trust_detail, sizeof(r->trust_detail), "%s", j->trust.detail);
	snprintf(r->trust_note, sizeof(r->trust_note), "%s", j->trust.note);
	snprintf(r->trust_name, sizeof(r->trust_name), "%s", j->trust.name);
	/* Digests that were computed anyway become the image's, when they are SHA-256. */
	if (d && d->file.len)
		r->image_sha256 = d->file;
	if (d && d->content.len)
		r->content_sha256 = d->content;
	if (!is_compressed(j) && r->image_sha256.len)
		r->content_sha256 = r->image_sha256;
}
