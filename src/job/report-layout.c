// SPDX-License-Identifier: GPL-3.0-or-later
/* A layout as text; see report-layout.h. */
#include "job/report-layout.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/guid.h"
#include "base/num.h"
#include "base/text.h"
#include "disk/gpt.h"

#define LABEL_WIDTH 10
#define ESCAPED_SIZE 520

struct printer {
	FILE *out;
	bool bytes;
};

/* "Label     text": the label in its column. */
static void line(const struct printer *p, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void line(const struct printer *p, const char *label, const char *fmt, ...)
{
	va_list ap;

	fprintf(p->out, "%-*s", LABEL_WIDTH, label);
	va_start(ap, fmt);
	vfprintf(p->out, fmt, ap);
	va_end(ap);
	fputc('\n', p->out);
}

static const char *size_text(const struct printer *p, char buf[NUM_SIZE_LEN], uint64_t size)
{
	if (p->bytes)
		snprintf(buf, NUM_SIZE_LEN, "%" PRIu64, size);
	else
		num_format_size(buf, NUM_SIZE_LEN, size);
	return buf;
}

static const char *escaped(const char *s, char buf[ESCAPED_SIZE])
{
	return text_escape_trim(s, buf, ESCAPED_SIZE);
}

static const char *kind_text(const struct layout *lay)
{
	switch (lay->kind) {
	case LAYOUT_ISOHYBRID:
		return _("hybrid image: a disc that is also laid out as a disk");
	case LAYOUT_ISO_ELTORITO:
		return _("bootable disc image");
	case LAYOUT_ISO_DATA:
		return _("disc image without anything to boot");
	case LAYOUT_WINDOWS:
		return _("Windows setup disc");
	case LAYOUT_UDF:
		return _("UDF disc image");
	case LAYOUT_DISK:
		return _("disk image");
	case LAYOUT_UNKNOWN:
		break;
	}
	return _("plain data: no disc or disk image that isowrite knows");
}

static void print_head(const struct printer *p, const struct layout *lay, const char *path)
{
	char name[ESCAPED_SIZE], title[ESCAPED_SIZE], size[NUM_SIZE_LEN], all[NUM_SIZE_LEN];

	line(p, _("Image"), "%s", escaped(path, name));
	if (layout_title(lay, title, sizeof(title))[0])
		line(p, _("Title"), "\"%s\"", title);
	if (lay->os[0])
		line(p, _("System"), "%s", escaped(lay->os, title));
	line(p, _("Kind"), "%s", kind_text(lay));
	if (lay->size == UINT64_MAX)
		line(p, _("Size"), "%s", _("not known (a stream; its first MiB was looked at)"));
	else if (p->bytes)
		line(p, _("Size"), "%" PRIu64, lay->size);
	else
		line(p, _("Size"), _("%s (%s bytes)"),
		     num_format_size(size, sizeof(size), lay->size),
		     num_format_bytes(all, sizeof(all), lay->size));
	if (lay->expected_size > 0 && lay->size != lay->expected_size)
		line(p, "", _("%s reaches to byte %s%s"), lay->expected_by,
		     p->bytes ? size_text(p, size, lay->expected_size)
			      : num_format_bytes(size, sizeof(size), lay->expected_size),
		     lay->is_truncated ? _(": TRUNCATED") : "");
}

static void print_sessions(const struct printer *p, const struct layout_volume *v)
{
	char text[ESCAPED_SIZE], size[NUM_SIZE_LEN];

	if (v->sessions > 1)
		line(p, "", _("%" PRIu32 " sessions"), v->sessions);
	for (uint32_t i = 0; i < v->n_listed; i++)
		line(p, "", _("  %" PRIu32 " at block %" PRIu64 ", %s \"%s\""), i + 1,
		     v->list[i].start / 2048, size_text(p, size, v->list[i].size),
		     escaped(v->list[i].id, text));
}

static void print_volume(const struct printer *p, const struct layout *lay)
{
	const struct layout_volume *v = &lay->volume;
	char text[ESCAPED_SIZE], size[NUM_SIZE_LEN];

	if (!v->present) {
		if (lay->udf)
			line(p, _("Volume"), "UDF \"%s\"", escaped(v->id, text));
		return;
	}
	line(p, _("Volume"), "ISO 9660%s%s%s \"%s\", %s", v->joliet ? ", Joliet" : "",
	     v->rock_ridge ? ", Rock Ridge" : "", lay->udf ? ", UDF" : "", escaped(v->id, text),
	     size_text(p, size, v->size));
	print_sessions(p, v);
	if (v->media_check)
		line(p, "", "%s", _("holds a digest of its own, for checkisomd5"));
	if (v->created[0])
		line(p, "", _("created %s"), v->created);
	if (escaped(v->system, text)[0])
		line(p, "", _("system \"%s\""), text);
	if (escaped(v->publisher, text)[0])
		line(p, "", _("publisher \"%s\""), text);
	if (escaped(v->application, text)[0])
		line(p, "", _("application \"%s\""), text);
}

static void print_catalog(const struct printer *p, const struct layout_el_torito *et)
{
	char number[8], size[NUM_SIZE_LEN], path[ESCAPED_SIZE];

	if (!et->present)
		return;
	line(p, _("Catalog"), _("El Torito, at block %" PRIu32 " of 2048 bytes"), et->catalog_lba);
	fprintf(p->out, "  %-3s%-9s%-10s%-9s%-10s%-9s%s\n", "#", _("platform"), _("emulation"),
		_("sectors"), _("block"), _("size"), _("file"));
	for (uint32_t i = 0; i < et->n_entries; i++) {
		const struct layout_boot_entry *e = &et->entries[i];

		fprintf(p->out, "  %-2" PRIu32 " %-8s %-9s %-8u %-9" PRIu32 " %-8s %s%s%s%s\n",
			i + 1, layout_platform_name(e->platform, number),
			layout_emulation_name(e->emulation), e->sector_count, e->lba,
			size_text(p, size, e->size), e->path[0] ? escaped(e->path, path) : "-",
			e->bootable ? "" : _(", not bootable"),
			e->boot_info_table ? _(", boot info table") : "",
			e->grub2_boot_info ? _(", GRUB's boot info") : "");
	}
}

static void print_mbr_partition(const struct printer *p, const struct layout_mbr_partition *e)
{
	char size[NUM_SIZE_LEN];

	fprintf(p->out, "  %-2u %-7s %02x    %-11" PRIu32 " %-11" PRIu32 " %s\n", e->number,
		e->active ? _("yes") : _("no"), e->type, e->start_lba, e->len_blocks,
		size_text(p, size, e->size));
}

static void print_mbr(const struct printer *p, const struct layout_mbr *mbr)
{
	if (!mbr->present)
		return;
	line(p, "MBR", _("code: %s; disk signature 0x%08" PRIx32 "; blocks of %" PRIu32 " bytes"),
	     layout_mbr_code_name(mbr->code), mbr->disk_signature, mbr->block_size);
	if (mbr->n_partitions == 0)
		return;
	fprintf(p->out, "  %-3s%-8s%-6s%-12s%-12s%s\n", "#", _("active"), _("type"), _("start"),
		_("blocks"), _("size"));
	for (uint32_t i = 0; i < mbr->n_partitions; i++)
		print_mbr_partition(p, &mbr->partitions[i]);
	for (uint32_t i = 0; i < mbr->n_logical; i++)
		print_mbr_partition(p, &mbr->logical[i]);
}

static void print_gpt(const struct printer *p, const struct layout_gpt *gpt)
{
	char guid[GUID_TEXT_SIZE], size[NUM_SIZE_LEN], name[ESCAPED_SIZE];

	if (!gpt->present)
		return;
	line(p, "GPT", _("%s; %s; blocks of %" PRIu32 " bytes"), guid_format(gpt->disk_guid, guid),
	     gpt->valid ? _("valid") : _("primary damaged"), gpt->block_size);
	if (gpt->backup.present)
		line(p, "", _("backup at block %" PRIu64 ", %s%s"), gpt->backup.lba,
		     gpt->backup.valid ? _("valid") : _("damaged"),
		     gpt->backup_at_end ? _(", at the end") : "");
	if (gpt->n_partitions == 0)
		return;
	fprintf(p->out, "  %-3s%-12s%-12s%-9s%s\n", "#", _("first"), _("last"), _("size"),
		_("type, name"));
	for (uint32_t i = 0; i < gpt->n_partitions; i++) {
		const struct layout_gpt_partition *e = &gpt->partitions[i];
		const char *type = gpt_type_name(e->type);

		fprintf(p->out, "  %-2" PRIu32 " %-11" PRIu64 " %-11" PRIu64 " %-8s %s%s%s%s\n",
			e->number, e->first_lba, e->last_lba, size_text(p, size, e->size),
			type ? type : guid_format(e->type, guid), e->name[0] ? " \"" : "",
			escaped(e->name, name), e->name[0] ? "\"" : "");
	}
}

static void print_apm(const struct printer *p, const struct layout_apm *apm)
{
	char size[NUM_SIZE_LEN], name[ESCAPED_SIZE], type[ESCAPED_SIZE];

	if (!apm->present)
		return;
	line(p, _("Apple"), _("partition map, blocks of %" PRIu32 " bytes"), apm->block_size);
	fprintf(p->out, "  %-3s%-12s%-9s%s\n", "#", _("start"), _("size"), _("type, name"));
	for (uint32_t i = 0; i < apm->n_partitions; i++)
		fprintf(p->out, "  %-2" PRIu32 " %-11" PRIu64 " %-8s %s \"%s\"\n", i + 1,
			apm->block_size ? apm->partitions[i].start / apm->block_size : 0,
			size_text(p, size, apm->partitions[i].size),
			escaped(apm->partitions[i].type, type),
			escaped(apm->partitions[i].name, name));
}

static void print_hfs(const struct printer *p, const struct layout *lay)
{
	char size[NUM_SIZE_LEN], name[ESCAPED_SIZE];

	for (uint32_t i = 0; i < lay->n_hfs; i++) {
		const struct layout_hfs *h = &lay->hfs[i];

		line(p, i == 0 ? _("HFS") : "", _("%s \"%s\" at byte %" PRIu64 ", %s"), h->type,
		     escaped(h->name, name), h->start, size_text(p, size, h->size));
	}
}

static const char *answer_text(uint8_t answer)
{
	switch (answer) {
	case BOOT_YES:
		return _("yes");
	case BOOT_FIXABLE:
		return _("fixable");
	case BOOT_UNKNOWN:
		return _("not known");
	default:
		return _("no");
	}
}

static void print_answers(const struct printer *p, const char *name, uint8_t cd, uint8_t usb,
			  const char *why)
{
	fprintf(p->out, "  %-10s%-11s%s%s%s\n", name, answer_text(cd), answer_text(usb),
		why[0] ? ": " : "", why);
}

/* What `isowrite write` makes of it. */
static void print_written(const struct printer *p, const struct layout *lay)
{
	bool is_hybrid = lay->boot.is_hybrid_needed;
	char platforms[64];

	if (layout_will_boot(lay, platforms, sizeof(platforms))[0])
		line(p, _("Written"),
		     is_hybrid ? _("as hybrid: a stick with it then boots by %s")
			       : _("as it is: a stick with it boots by %s"),
		     platforms);
	else if (is_hybrid)
		line(p, _("Written"), "%s",
		     _("as hybrid: whether a stick with it then boots is not known"));
}

/* x64 always; the machines that are less common only where something was found for them. */
static void print_uefi(const struct printer *p, const struct layout_boot_report *b)
{
	const struct {
		const char *name;
		uint8_t cd, usb;
	} rows[] = {
		{ "UEFI x64", b->uefi_x64.cd, b->uefi_x64.usb },
		{ "UEFI ia32", b->uefi_ia32.cd, b->uefi_ia32.usb },
		{ "UEFI aa64", b->uefi_aa64.cd, b->uefi_aa64.usb },
	};
	const char *why = layout_reason_text(b->uefi_reason);
	bool is_found[ARRAY_SIZE(rows)];
	size_t first = 0; /* the reason is that of what was found */

	for (size_t i = ARRAY_SIZE(rows); i-- > 0;) {
		is_found[i] = rows[i].cd == BOOT_YES || rows[i].usb == BOOT_YES ||
			      rows[i].usb == BOOT_FIXABLE;
		if (is_found[i])
			first = i;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (i == 0 || is_found[i])
			print_answers(p, rows[i].name, rows[i].cd, rows[i].usb,
				      i == first ? why : "");
}

static void print_boot(const struct printer *p, const struct layout *lay)
{
	const struct layout_boot_report *b = &lay->boot;

	if (lay->kind == LAYOUT_UNKNOWN)
		return;
	line(p, _("Boots"), "%s", _("(predicted from what is in the image)"));
	fprintf(p->out, "  %-10s%-11s%s\n", "", _("as a disc"), _("as a stick"));
	print_answers(p, "BIOS", b->bios.cd, b->bios.usb, layout_reason_text(b->bios_reason));
	print_uefi(p, b);
	print_written(p, lay);
}

void report_layout_print(const struct layout *lay, const char *path, bool bytes, FILE *out)
{
	const struct printer p = { .out = out, .bytes = bytes };

	print_head(&p, lay, path);
	print_volume(&p, lay);
	print_catalog(&p, &lay->el_torito);
	print_mbr(&p, &lay->mbr);
	print_gpt(&p, &lay->gpt);
	print_apm(&p, &lay->apm);
	print_hfs(&p, lay);
	print_boot(&p, lay);
}

void report_layout_print_findings(const struct layout *lay, FILE *out)
{
	static const char *const words[] = {
		[LAYOUT_INFO] = "note",
		[LAYOUT_WARNING] = "warning",
		[LAYOUT_ERROR] = "error",
	};

	for (uint32_t i = 0; i < lay->n_findings; i++)
		fprintf(out, "%s: %s\n", words[lay->findings[i].severity],
			lay->findings[i].message);
}
