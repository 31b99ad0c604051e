// SPDX-License-Identifier: GPL-3.0-or-later
/* The Secure Boot report; see secure-boot.h. How a verdict comes about: secure-judge.c. */
#include "image/secure-boot.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "disk/pe.h"
#include "image/secure-judge.h"

#define HASH_BUDGET (2U << 20)    /* bytes of programs that are compared without full */
#define HASH_RESERVE (512U << 10) /* of what may be read at all, for the other programs' heads */
#define MAX_TABLE (256U << 10) /* bytes of signatures; two of them and their chains have 20 KiB */
#define MAX_SBAT (16U << 10)
#define PIECE (64U << 10) /* hashed at once */

struct look {
	struct detect d;
	const struct revocations *revoked;
	uint64_t hash_budget;
	bool has_sbat_shim; /* the image brings a shim that knows of SBAT */
	uint8_t head[PE_HEAD_SIZE];
	uint8_t piece[PIECE];
};

/* One file on its way to a verdict. */
struct program {
	struct look *look;
	const struct efi_file *file;
	struct secure_file *out;
	struct pe pe;
	struct signature signatures[SECURE_MAX_SIGNERS]; /* as out->signers */
};

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* What firmware itself loads; the rest is loaded by that, mostly by shim. */
static bool is_first(const struct efi_file *file)
{
	return !strncasecmp(base_name(file->path), "BOOT", 4);
}

/* As efi_file_read(); what fails becomes the verdict. */
static bool read_or_say(struct program *p, uint64_t off, void *buf, size_t len)
{
	struct error err = ERROR_INIT;
	int rc = efi_file_read(&p->look->d, p->file, off, buf, len, &err);

	if (rc < 0)
		secure_add_reason(p->out, "%s", err.msg);
	else if (rc == 0)
		secure_add_reason(p->out, "%s", _("not all of it could be read"));
	return rc > 0;
}

/* The digest that a signature covers. */
static bool count_digest(struct program *p, const char *alg, struct digest *ret)
{
	struct pe_range ranges[PE_MAX_RANGES];
	size_t n = pe_hash_ranges(&p->pe, p->file->size, ranges);
	struct error err = ERROR_INIT;
	struct hash *h = NULL;
	bool ok = hash_new(alg, &h, &err) == 0;

	if (!ok)
		secure_add_reason(p->out, "%s", err.msg);
	for (size_t i = 0; i < n && ok; i++) {
		uint64_t end = ranges[i].start + ranges[i].len;

		for (uint64_t at = ranges[i].start; at < end && ok;) {
			size_t len = (size_t)num_min(end - at, PIECE);

			ok = read_or_say(p, at, p->look->piece, len);
			if (ok)
				hash_update(h, p->look->piece, len);
			at += len;
		}
	}
	if (ok)
		hash_peek(h, ret);
	hash_free(h);
	return ok;
}

static bool read_sbat(struct program *p, struct hash *h)
{
	const struct pe_section *section = pe_find_section(&p->pe, ".sbat");
	auto_free char *text = NULL;
	struct sbat_entry entry;
	size_t len, pos = 0;

	if (!section || section->size == 0)
		return true;
	len = (size_t)num_min(section->size, MAX_SBAT);
	if (section->memory_size > 0)
		len = (size_t)num_min(len, section->memory_size);
	text = malloc(len);
	if (!text || !read_or_say(p, section->offset, text, len))
		return false;
	hash_update(h, text, len);
	while (p->out->n_sbat < SECURE_MAX_SBAT && sbat_next(text, len, &pos, &entry))
		p->out->sbat[p->out->n_sbat++] = entry;
	return true;
}

static void add_signer(struct program *p, const struct pe_signature *raw, unsigned int number)
{
	struct secure_file *out = p->out;
	struct secure_signer *signer = &out->signers[out->n_signers];
	struct signature *s = &p->signatures[out->n_signers];
	const char *wrong;

	if (raw->type != PE_PKCS7) {
		secure_add_reason(out, _("signature %u is of a kind that firmware does not know"),
				  number);
		return;
	}
	wrong = signature_decode(raw->data, raw->len, s);
	if (wrong) {
		secure_add_reason(out, _("signature %u is damaged: %s"), number, wrong);
		return;
	}
	memcpy(signer->subject, s->subject, sizeof(signer->subject));
	memcpy(signer->issuer, s->issuer, sizeof(signer->issuer));
	memcpy(signer->chain, s->chain, sizeof(signer->chain));
	signer->n_chain = s->n_chain;
	out->n_signers++;
	if (!s->is_whole)
		secure_add_reason(out, _("signature %u is damaged: its keys do not fit"), number);
}

static bool read_signatures(struct program *p, struct hash *h)
{
	auto_free uint8_t *table = NULL;
	size_t len = p->pe.signatures_size, pos = 0;
	struct pe_signature raw;
	unsigned int n = 0;
	bool is_damaged;

	if (len == 0)
		return true;
	if (len > MAX_TABLE) {
		secure_add_reason(p->out, "%s", _("its signatures are too large to be looked at"));
		return false;
	}
	table = malloc(len);
	if (!table || !read_or_say(p, p->pe.signatures_offset, table, len))
		return false;
	hash_update(h, table, len);
	while (p->out->n_signers < SECURE_MAX_SIGNERS &&
	       pe_next_signature(table, len, &pos, &raw, &is_damaged))
		add_signer(p, &raw, ++n);
	if (is_damaged)
		secure_add_reason(p->out, "%s", _("its table of signatures is damaged"));
	return true;
}

static bool is_affordable(const struct look *look, uint64_t size)
{
	return size <= look->hash_budget &&
	       size <= look->d.budget - num_min(look->d.budget, HASH_RESERVE);
}

/* Is what was signed this file? Each algorithm is counted once. False: it cannot be read. */
static bool compare(struct program *p)
{
	struct digest digest = { .len = 0 };
	struct look *look = p->look;

	for (size_t i = 0; i < p->out->n_signers; i++) {
		const struct digest *signed_one = &p->signatures[i].digest;

		if (digest.len == 0 || strcmp(digest.alg, signed_one->alg) != 0) {
			if (!is_affordable(look, p->file->size))
				return true;
			look->hash_budget -= p->file->size;
			if (!count_digest(p, signed_one->alg, &digest))
				return false;
		}
		p->out->digest = digest;
		p->out->signers[i].match =
			digest_is_equal(&digest, signed_one) ? SECURE_MATCHES : SECURE_DIFFERS;
		if (p->out->signers[i].match == SECURE_DIFFERS)
			secure_add_reason(p->out,
					  _("what %s signed is not this file: it was changed or "
					    "is damaged"),
					  p->out->signers[i].subject);
	}
	return true;
}

/* What can be said of its beginning; false: no more than the reason that was given. */
static bool read_program(struct program *p, struct hash *h)
{
	size_t len = (size_t)num_min(p->file->size, PE_HEAD_SIZE);
	const char *wrong;

	if (!p->file->extents) {
		secure_add_reason(p->out, "%s",
				  p->file->size > EFI_FILE_MAX_SIZE
					  ? _("it is larger than a boot loader can be")
					  : _("its file system does not say where it lies"));
		return false;
	}
	if (!read_or_say(p, 0, p->look->head, len))
		return false;
	hash_update(h, p->look->head, len);
	wrong = pe_decode(p->look->head, len, p->file->size, &p->pe);
	if (wrong) {
		secure_add_reason(p->out, "%s", wrong);
		return false;
	}
	return read_sbat(p, h) && read_signatures(p, h);
}

static void look_at(struct look *look, const struct efi_file *file, struct secure_file *out)
{
	struct program p = { .look = look, .file = file, .out = out };
	struct error err = ERROR_INIT;
	struct hash *h = NULL;

	memcpy(out->path, file->path, sizeof(out->path));
	memcpy(out->where, file->where, sizeof(out->where));
	out->n_where = file->n_where;
	out->size = file->size;
	out->verdict = SECURE_UNKNOWN;
	if (hash_new("sha256", &h, &err) < 0) {
		secure_add_reason(out, "%s", err.msg);
		return;
	}
	if (read_program(&p, h)) {
		hash_peek(h, &out->head);
		if (p.pe.signatures_size == 0)
			out->verdict = SECURE_UNSIGNED;
		else if (compare(&p))
			secure_judge(out, p.signatures, is_first(file), look->has_sbat_shim,
				     look->revoked);
	}
	for (size_t i = 0; i < out->n_signers; i++)
		signature_done(&p.signatures[i]);
	hash_free(h);
}

/* Copies in another volume or in the tree are told once, if they are the same in all we know. */
static bool merge(struct secure_boot *sb, const struct secure_file *file)
{
	for (size_t i = 0; i < sb->n_files; i++) {
		struct secure_file *other = &sb->files[i];

		if (other->size != file->size || other->verdict == SECURE_UNKNOWN ||
		    other->verdict != file->verdict ||
		    strcasecmp(base_name(other->path), base_name(file->path)) != 0 ||
		    !digest_is_equal(&other->head, &file->head) ||
		    (other->digest.len != file->digest.len ||
		     memcmp(other->digest.value, file->digest.value, file->digest.len) != 0))
			continue;
		for (size_t k = 0; k < file->n_where && other->n_where < EFI_MAX_WHERE; k++)
			other->where[other->n_where++] = file->where[k];
		return true;
	}
	return false;
}

static void look_at_all(struct look *look, const struct efi_files *files, struct secure_boot *sb)
{
	/* What firmware loads goes first, also in what may be spent on it. */
	for (int rest = 0; rest < 2; rest++) {
		for (size_t i = 0; i < files->n; i++) {
			struct secure_file *out = &sb->files[sb->n_files];

			if (is_first(&files->files[i]) == (rest == 1))
				continue;
			memset(out, 0, sizeof(*out));
			look_at(look, &files->files[i], out);
			for (size_t k = 0; k < out->n_sbat && rest == 0; k++)
				look->has_sbat_shim |= !strcmp(out->sbat[k].component, "shim");
			if (!merge(sb, out))
				sb->n_files++;
		}
	}
}

static void add_finding(struct layout *lay, const struct revocations_list *list, const char *name)
{
	if (list->is_damaged)
		layout_add_finding(lay, LAYOUT_WARNING, "secure-boot-list",
				   _("Not all of %s could be understood: what it revokes behind "
				     "its damage is not known."),
				   name);
}

/* To ask firmware for its lists takes a while: only where there is something to compare. */
static void read_machine(const char *efivars, struct layout *lay, struct revocations *r,
			 struct secure_boot *sb)
{
	revocations_read_machine(efivars, r);
	sb->has_dbx = r->dbx.data;
	sb->has_db = r->db.data;
	sb->has_sbat_level = r->sbat_level.data;
	add_finding(lay, &r->dbx, _("this machine's dbx"));
	add_finding(lay, &r->given, r->given_name);
}

static int look(struct look *l, const char *efivars, struct revocations *r, struct secure_boot *sb,
		struct error *err)
{
	struct efi_files files;

	if (efi_files_find(&l->d, &files, err) < 0)
		return -1;
	sb->is_complete = files.is_complete;
	sb->files = calloc(files.n + 1, sizeof(*sb->files));
	if (!sb->files) {
		efi_files_done(&files);
		return error_set_nomem(err);
	}
	if (files.n > 0)
		read_machine(efivars, l->d.lay, r, sb);
	l->revoked = r;
	look_at_all(l, &files, sb);
	efi_files_done(&files);
	return 0;
}

int secure_boot_look(struct source *src, struct layout *lay, bool full, const char *efivars,
		     const char *dbx_path, struct secure_boot *ret, struct error *err)
{
	uint64_t budget = DETECT_BUDGET - num_min(DETECT_BUDGET, lay->bytes_read);
	auto_free struct look *l = calloc(1, sizeof(*l));
	struct secure_boot sb = { .is_looked_at = !lay->is_partial };
	struct revocations r = { .given_name = "" };
	int rc = 0;

	if (!l)
		return error_set_nomem(err);
	detect_begin(&l->d, src, full ? UINT64_MAX : budget, lay);
	l->hash_budget = full ? UINT64_MAX : HASH_BUDGET;
	if (dbx_path)
		rc = revocations_read_given(dbx_path, &r, err);
	memcpy(sb.given_name, r.given_name, sizeof(sb.given_name));
	if (rc == 0 && sb.is_looked_at)
		rc = look(l, efivars, &r, &sb, err);
	revocations_done(&r);
	if (rc < 0)
		secure_boot_done(&sb);
	else
		*ret = sb;
	return rc;
}

void secure_boot_done(struct secure_boot *sb)
{
	free(sb->files);
	memset(sb, 0, sizeof(*sb));
}

const char *secure_verdict_name(enum secure_verdict verdict)
{
	switch (verdict) {
	case SECURE_UNSIGNED:
		return "unsigned";
	case SECURE_SIGNED:
		return "signed";
	case SECURE_MAY_BE_REFUSED:
		return "may-be-refused";
	default:
		return "unknown";
	}
}
