// SPDX-License-Identifier: GPL-3.0-or-later
/* A layout as JSON; see report.h. */
#include <inttypes.h>
#include <stdio.h>

#include "base/guid.h"
#include "job/report.h"

static void volume_to_json(const struct layout *lay, struct json *j)
{
	const struct layout_volume *v = &lay->volume;

	if (!v->present && !lay->udf) {
		json_null(j, "volume");
		return;
	}
	json_begin_object(j, "volume");
	json_string(j, "id", v->id);
	json_string(j, "system", v->system);
	json_string(j, "publisher", v->publisher);
	json_string(j, "application", v->application);
	json_string(j, "created", v->created[0] ? v->created : NULL);
	json_string(j, "modified", v->modified[0] ? v->modified : NULL);
	json_u64(j, "block_size", v->present ? v->block_size : 2048);
	if (v->present)
		json_u64(j, "size", v->size);
	else
		json_null(j, "size");
	json_u64(j, "sessions", v->sessions);
	json_begin_array(j, "session_list");
	for (uint32_t i = 0; i < v->n_listed; i++) {
		json_begin_object(j, NULL);
		json_string(j, "id", v->list[i].id);
		json_string(j, "created", v->list[i].created[0] ? v->list[i].created : NULL);
		json_u64(j, "start", v->list[i].start);
		json_u64(j, "size", v->list[i].size);
		json_end_object(j);
	}
	json_end_array(j);
	json_bool(j, "joliet", v->joliet);
	json_bool(j, "rock_ridge", v->rock_ridge);
	json_bool(j, "udf", lay->udf);
	json_bool(j, "media_check", v->media_check);
	json_end_object(j);
}

static void el_torito_to_json(const struct layout_el_torito *et, struct json *j)
{
	char number[8];

	if (!et->present) {
		json_null(j, "el_torito");
		return;
	}
	json_begin_object(j, "el_torito");
	json_u64(j, "catalog_lba", et->catalog_lba);
	json_u64(j, "block_size", 2048);
	json_bool(j, "checksum_valid", et->checksum_valid);
	json_string(j, "id", et->id);
	json_begin_array(j, "entries");
	for (uint32_t i = 0; i < et->n_entries; i++) {
		const struct layout_boot_entry *e = &et->entries[i];

		json_begin_object(j, NULL);
		json_u64(j, "index", i + 1);
		json_string(j, "platform", layout_platform_name(e->platform, number));
		json_bool(j, "bootable", e->bootable);
		json_string(j, "emulation", layout_emulation_name(e->emulation));
		json_u64(j, "load_segment", e->load_segment);
		json_u64(j, "system_type", e->system_type);
		json_u64(j, "sector_count", e->sector_count);
		json_u64(j, "lba", e->lba);
		json_u64(j, "size", e->size);
		json_string(j, "path", e->path[0] ? e->path : NULL);
		json_bool(j, "boot_info_table", e->boot_info_table);
		json_bool(j, "grub2_boot_info", e->grub2_boot_info);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

static void mbr_partition_to_json(const struct layout_mbr_partition *p, struct json *j)
{
	char text[4];

	json_begin_object(j, NULL);
	json_u64(j, "number", p->number);
	json_bool(j, "active", p->active);
	snprintf(text, sizeof(text), "%02x", p->type);
	json_string(j, "type", text);
	json_u64(j, "start", p->start);
	json_u64(j, "size", p->size);
	json_end_object(j);
}

static void mbr_to_json(const struct layout_mbr *mbr, struct json *j)
{
	char text[16];

	if (!mbr->present) {
		json_null(j, "mbr");
		return;
	}
	json_begin_object(j, "mbr");
	json_string(j, "code", layout_mbr_code_name(mbr->code));
	snprintf(text, sizeof(text), "0x%08" PRIx32, mbr->disk_signature);
	json_string(j, "disk_signature", text);
	json_begin_array(j, "partitions");
	for (uint32_t i = 0; i < mbr->n_partitions; i++)
		mbr_partition_to_json(&mbr->partitions[i], j);
	for (uint32_t i = 0; i < mbr->n_logical; i++)
		mbr_partition_to_json(&mbr->logical[i], j);
	json_end_array(j);
	json_end_object(j);
}

static void gpt_to_json(const struct layout_gpt *gpt, struct json *j)
{
	char guid[GUID_TEXT_SIZE];

	if (!gpt->present) {
		json_null(j, "gpt");
		return;
	}
	json_begin_object(j, "gpt");
	json_bool(j, "valid", gpt->valid);
	json_string(j, "guid", guid_format(gpt->disk_guid, guid));
	json_u64(j, "block_size", gpt->block_size);
	if (gpt->backup.present) {
		json_begin_object(j, "backup");
		json_u64(j, "lba", gpt->backup.lba);
		json_bool(j, "valid", gpt->backup.valid);
		json_bool(j, "at_end", gpt->backup_at_end);
		json_end_object(j);
	} else {
		json_null(j, "backup");
	}
	json_begin_array(j, "partitions");
	for (uint32_t i = 0; i < gpt->n_partitions; i++) {
		const struct layout_gpt_partition *p = &gpt->partitions[i];

		json_begin_object(j, NULL);
		json_u64(j, "number", p->number);
		json_string(j, "type", guid_format(p->type, guid));
		json_string(j, "name", p->name);
		json_string(j, "guid", guid_format(p->guid, guid));
		json_u64(j, "start", p->start);
		json_u64(j, "size", p->size);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

static void apm_to_json(const struct layout_apm *apm, struct json *j)
{
	if (!apm->present) {
		json_null(j, "apm");
		return;
	}
	json_begin_object(j, "apm");
	json_u64(j, "block_size", apm->block_size);
	json_begin_array(j, "partitions");
	for (uint32_t i = 0; i < apm->n_partitions; i++) {
		json_begin_object(j, NULL);
		json_string(j, "name", apm->partitions[i].name);
		json_string(j, "type", apm->partitions[i].type);
		json_u64(j, "start", apm->partitions[i].start);
		json_u64(j, "size", apm->partitions[i].size);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

static void hfs_to_json(const struct layout *lay, struct json *j)
{
	json_begin_array(j, "hfs");
	for (uint32_t i = 0; i < lay->n_hfs; i++) {
		json_begin_object(j, NULL);
		json_string(j, "type", lay->hfs[i].type);
		json_string(j, "name", lay->hfs[i].name);
		json_u64(j, "start", lay->hfs[i].start);
		json_u64(j, "size", lay->hfs[i].size);
		json_end_object(j);
	}
	json_end_array(j);
}

static void answers_to_json(struct json *j, const char *key, uint8_t cd, uint8_t usb)
{
	json_begin_object(j, key);
	json_string(j, "cd", layout_answer_name(cd));
	json_string(j, "usb", layout_answer_name(usb));
	json_end_object(j);
}

void report_boot_to_json(const struct layout *lay, struct json *j)
{
	const struct layout_boot_report *b = &lay->boot;

	json_begin_object(j, "boot");
	answers_to_json(j, "bios", b->bios.cd, b->bios.usb);
	json_string(j, "bios_reason", layout_reason_name(b->bios_reason));
	json_begin_object(j, "uefi");
	answers_to_json(j, "x64", b->uefi_x64.cd, b->uefi_x64.usb);
	answers_to_json(j, "ia32", b->uefi_ia32.cd, b->uefi_ia32.usb);
	answers_to_json(j, "aa64", b->uefi_aa64.cd, b->uefi_aa64.usb);
	json_end_object(j);
	json_string(j, "uefi_reason", layout_reason_name(b->uefi_reason));
	json_string(j, "written_as", b->is_hybrid_needed ? "hybrid" : "raw");
	json_end_object(j);
}

void report_layout_to_json(const struct layout *lay, struct json *j)
{
	json_string(j, "kind", layout_kind_name(lay->kind));
	if (lay->size == UINT64_MAX)
		json_null(j, "size");
	else
		json_u64(j, "size", lay->size);
	json_bool(j, "truncated", lay->is_truncated);
	if (lay->expected_size == 0)
		json_null(j, "expected_size");
	else
		json_u64(j, "expected_size", lay->expected_size);
	json_u64(j, "sector_size", lay->sector_size);
	json_string(j, "os", lay->os[0] ? lay->os : NULL);
	volume_to_json(lay, j);
	el_torito_to_json(&lay->el_torito, j);
	mbr_to_json(&lay->mbr, j);
	gpt_to_json(&lay->gpt, j);
	apm_to_json(&lay->apm, j);
	hfs_to_json(lay, j);
	report_boot_to_json(lay, j);
}
