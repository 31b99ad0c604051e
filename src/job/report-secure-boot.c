// SPDX-License-Identifier: GPL-3.0-or-later
/* The Secure Boot report as text and JSON; see report-secure-boot.h. */
#include "job/report-secure-boot.h"

#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"

#define ESCAPED_SIZE 520
#define WHERE_SIZE 48

static const char *escaped(const char *s, char buf[ESCAPED_SIZE])
{
	return text_escape_trim(s, buf, ESCAPED_SIZE);
}

static const char *where_text(const struct efi_where *where, char buf[WHERE_SIZE])
{
	switch (where->place) {
	case EFI_IN_BOOT_IMAGE:
		snprintf(buf, WHERE_SIZE, _("boot image %" PRIu32), where->number);
		break;
	case EFI_IN_GPT_PARTITION:
		snprintf(buf, WHERE_SIZE, _("GPT partition %" PRIu32), where->number);
		break;
	case EFI_IN_MBR_PARTITION:
		snprintf(buf, WHERE_SIZE, _("MBR partition %" PRIu32), where->number);
		break;
	case EFI_IN_DISK:
		snprintf(buf, WHERE_SIZE, "%s", _("the disk's only volume"));
		break;
	case EFI_IN_TREE:
		snprintf(buf, WHERE_SIZE, "%s", _("the disc's files"));
		break;
	}
	return buf;
}

static bool is_compared(const struct secure_file *file)
{
	for (size_t i = 0; i < file->n_signers; i++)
		if (file->signers[i].match == SECURE_NOT_COMPARED)
			return false;
	return true;
}

static const char *verdict_text(const struct secure_file *file)
{
	switch (file->verdict) {
	case SECURE_UNSIGNED:
		return _("unsigned: refused where Secure Boot is on");
	case SECURE_SIGNED:
		return is_compared(file) ? _("signed")
					 : _("signed (its bytes were not compared: --full does)");
	case SECURE_MAY_BE_REFUSED:
		return _("may be refused:");
	case SECURE_UNKNOWN:
		break;
	}
	return _("no verdict:");
}

/* The generation of the format itself is left out. */
static void print_sbat(const struct secure_file *file, FILE *out)
{
	char component[ESCAPED_SIZE];
	bool is_any = false;

	for (size_t i = 0; i < file->n_sbat; i++) {
		if (!strcmp(file->sbat[i].component, "sbat"))
			continue;
		fprintf(out, "%s%s %" PRIu32, is_any ? ", " : _("    SBAT "),
			escaped(file->sbat[i].component, component), file->sbat[i].generation);
		is_any = true;
	}
	if (is_any)
		fputc('\n', out);
}

static void print_file(const struct secure_file *file, FILE *out)
{
	char a[ESCAPED_SIZE], b[ESCAPED_SIZE], where[WHERE_SIZE];

	fprintf(out, "  %s  %s\n", escaped(file->path, a), verdict_text(file));
	for (size_t i = 0; i < file->n_reasons; i++)
		fprintf(out, "    ! %s\n", file->reasons[i]);
	fputs(_("    in "), out);
	for (size_t i = 0; i < file->n_where; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "", where_text(&file->where[i], where));
	fputc('\n', out);
	for (size_t i = 0; i < file->n_signers; i++)
		fprintf(out, _("    by %s, certified by %s\n"),
			escaped(file->signers[i].subject, a), escaped(file->signers[i].issuer, b));
	print_sbat(file, out);
}

void report_secure_boot_print(const struct secure_boot *sb, FILE *out)
{
	bool has_machine = sb->has_dbx || sb->has_db || sb->has_sbat_level;
	const char *comma = "";

	if (sb->n_files == 0) {
		if (sb->given_name[0] && sb->is_looked_at)
			fprintf(out, "%s\n", _("Secure Boot: there is no UEFI program to judge."));
		return;
	}
	fputs(_("Secure Boot, compared with "), out);
	if (!has_machine && !sb->given_name[0])
		fputs(_("no list of what is revoked (--dbx=FILE names one)"), out);
	if (has_machine) {
		fprintf(out, _("this machine's%s%s%s"), sb->has_dbx ? " dbx" : "",
			sb->has_db ? " db" : "", sb->has_sbat_level ? _(" SBAT level") : "");
		comma = ", ";
	}
	if (sb->given_name[0])
		fprintf(out, "%s%s", comma, sb->given_name);
	fputc('\n', out);
	for (size_t i = 0; i < sb->n_files; i++)
		print_file(&sb->files[i], out);
	if (!sb->is_complete)
		fprintf(out, "  %s\n", _("There may be more UEFI programs than these."));
}

/* -------------------------------------------------------------------------------- JSON */

static void signer_to_json(const struct secure_signer *signer, bool has_db, struct json *j)
{
	json_begin_object(j, NULL);
	json_string(j, "subject", signer->subject);
	json_string(j, "issuer", signer->issuer);
	json_begin_array(j, "chain");
	for (size_t i = 0; i < signer->n_chain; i++)
		json_string(j, NULL, signer->chain[i]);
	json_end_array(j);
	if (signer->match == SECURE_NOT_COMPARED)
		json_null(j, "matches");
	else
		json_bool(j, "matches", signer->match == SECURE_MATCHES);
	if (has_db)
		json_bool(j, "in_db", signer->is_known);
	else
		json_null(j, "in_db");
	json_end_object(j);
}

static void file_to_json(const struct secure_boot *sb, const struct secure_file *file,
			 struct json *j)
{
	char where[WHERE_SIZE], hex[HASH_HEX_SIZE];

	json_begin_object(j, NULL);
	json_string(j, "path", file->path);
	json_begin_array(j, "in");
	for (size_t i = 0; i < file->n_where; i++)
		json_string(j, NULL, where_text(&file->where[i], where));
	json_end_array(j);
	json_u64(j, "size", file->size);
	json_begin_array(j, "signers");
	for (size_t i = 0; i < file->n_signers; i++)
		signer_to_json(&file->signers[i], sb->has_db, j);
	json_end_array(j);
	json_text(j, "authenticode_sha256",
		  file->digest.len == 32 ? digest_hex(&file->digest, hex) : NULL);
	json_begin_array(j, "sbat");
	for (size_t i = 0; i < file->n_sbat; i++) {
		json_begin_object(j, NULL);
		json_string(j, "component", file->sbat[i].component);
		json_u64(j, "generation", file->sbat[i].generation);
		json_string(j, "vendor", file->sbat[i].vendor);
		json_string(j, "version", file->sbat[i].version);
		json_end_object(j);
	}
	json_end_array(j);
	json_string(j, "verdict", secure_verdict_name(file->verdict));
	json_begin_array(j, "reasons");
	for (size_t i = 0; i < file->n_reasons; i++)
		json_string(j, NULL, file->reasons[i]);
	json_end_array(j);
	json_begin_array(j, "compared_with");
	if (sb->has_dbx)
		json_string(j, NULL, "dbx");
	if (sb->has_db)
		json_string(j, NULL, "db");
	if (sb->has_sbat_level)
		json_string(j, NULL, "SbatLevelRT");
	if (sb->given_name[0])
		json_string(j, NULL, sb->given_name);
	json_end_array(j);
	json_end_object(j);
}

void report_secure_boot_to_json(const struct secure_boot *sb, struct json *j)
{
	if (!sb->is_looked_at || (sb->n_files == 0 && !sb->is_complete)) {
		json_null(j, "secure_boot");
		return;
	}
	json_begin_array(j, "secure_boot");
	for (size_t i = 0; i < sb->n_files; i++)
		file_to_json(sb, &sb->files[i], j);
	json_end_array(j);
}
