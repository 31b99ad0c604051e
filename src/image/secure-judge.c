// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The rules of a verdict; see secure-judge.h. Those of firmware: UEFI 2.10 section 32.5.3.3 (a
 * program is refused if its hash, or a certificate of any of its signatures, is in dbx). Those
 * of shim: SBAT.md (a generation below SbatLevel's; no SBAT at all in what shim loads).
 */
#include "image/secure-judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "disk/siglist.h"

void secure_add_reason(struct secure_file *file, const char *fmt, ...)
{
	char text[SECURE_REASON_SIZE];
	va_list ap;

	if (file->n_reasons == SECURE_MAX_REASONS)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_escape(text, SIZE_MAX, file->reasons[file->n_reasons++], SECURE_REASON_SIZE);
}

/* Is it the program's own hash? Without having counted it, that which was signed. */
static bool is_hash_of(const struct siglist_entry *e, const struct secure_file *file,
		       const struct signature *signatures)
{
	struct digest listed = { .len = 32, .alg = "sha256" };

	memcpy(listed.value, e->data, listed.len);
	if (digest_is_equal(&listed, &file->digest))
		return true;
	for (size_t i = 0; i < file->n_signers; i++)
		if (file->signers[i].match == SECURE_NOT_COMPARED &&
		    digest_is_equal(&listed, &signatures[i].digest))
			return true;
	return false;
}

/* Does the entry name a certificate of this signature? */
static bool is_certificate_of(const struct siglist_entry *e, const struct signature *s)
{
	struct digest listed = { .len = 0 };

	switch (e->type) {
	case SIGLIST_X509:
		return signature_is_by(s, e->data, e->len);
	case SIGLIST_X509_SHA256:
		listed.alg = "sha256";
		break;
	case SIGLIST_X509_SHA384:
		listed.alg = "sha384";
		break;
	case SIGLIST_X509_SHA512:
		listed.alg = "sha512";
		break;
	default:
		return false;
	}
	listed.len = hash_alg_size(listed.alg);
	memcpy(listed.value, e->data, listed.len);
	return signature_has_tbs_digest(s, &listed);
}

static void judge_by_dbx(struct secure_file *file, const struct signature *signatures,
			 const struct revocations_list *list, const char *name)
{
	struct siglist_entry e;
	struct siglist l;

	if (!list->data || !siglist_begin(&l, list->data, list->len))
		return;
	while (siglist_next(&l, &e)) {
		if (e.type == SIGLIST_SHA256 && is_hash_of(&e, file, signatures))
			secure_add_reason(file, _("revoked by its hash in %s"), name);
		for (size_t i = 0; i < file->n_signers; i++)
			if (is_certificate_of(&e, &signatures[i]))
				secure_add_reason(file,
						  _("a certificate of the signature by %s is "
						    "revoked in %s"),
						  signatures[i].subject, name);
	}
}

static void judge_by_db(struct secure_file *file, const struct signature *signatures,
			const struct revocations_list *db)
{
	struct siglist_entry e;
	bool is_known = false;
	struct siglist l;

	if (!db->data || !siglist_begin(&l, db->data, db->len))
		return;
	while (siglist_next(&l, &e)) {
		if (e.type == SIGLIST_SHA256)
			is_known |= is_hash_of(&e, file, signatures);
		if (e.type != SIGLIST_X509)
			continue;
		for (size_t i = 0; i < file->n_signers; i++)
			if (signature_is_by(&signatures[i], e.data, e.len))
				is_known = file->signers[i].is_known = true;
	}
	if (!is_known && !db->is_damaged)
		secure_add_reason(file, "%s",
				  _("none of its signers is known to this machine's db"));
}

static void judge_by_level(struct secure_file *file, const struct revocations_list *level)
{
	struct sbat_entry demanded;
	size_t pos = 0;

	while (level->data && sbat_next((const char *)level->data, level->len, &pos, &demanded))
		for (size_t i = 0; i < file->n_sbat; i++)
			if (!strcmp(file->sbat[i].component, demanded.component) &&
			    file->sbat[i].generation < demanded.generation)
				secure_add_reason(file,
						  _("SBAT generation %" PRIu32 " of %s is below "
						    "%" PRIu32 ", which this machine demands"),
						  file->sbat[i].generation, demanded.component,
						  demanded.generation);
}

static bool has_component(const struct secure_file *file, const char *name)
{
	for (size_t i = 0; i < file->n_sbat; i++)
		if (!strcmp(file->sbat[i].component, name))
			return true;
	return false;
}

void secure_judge(struct secure_file *file, const struct signature *signatures, bool is_first,
		  bool has_sbat_shim, const struct revocations *r)
{
	judge_by_dbx(file, signatures, &r->dbx, _("this machine's dbx"));
	judge_by_dbx(file, signatures, &r->given, r->given_name);
	/* Shim looks at the level, for itself and for what it loads; firmware does not. */
	if (!is_first || has_component(file, "shim"))
		judge_by_level(file, &r->sbat_level);
	if (is_first)
		judge_by_db(file, signatures, &r->db);
	else if (has_sbat_shim && file->n_sbat == 0)
		secure_add_reason(file, "%s",
				  _("it has no SBAT section, without which shim loads nothing"));
	file->verdict = file->n_reasons > 0 ? SECURE_MAY_BE_REFUSED : SECURE_SIGNED;
}
