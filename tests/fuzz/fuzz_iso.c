// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Any bytes as a volume descriptor and as a directory: every record lies in
 * the input, names fit their buffers and are terminated, the walk moves on.
 */
#include <stdlib.h>
#include <string.h>

#include "disk/fatdir.h"
#include "disk/iso9660.h"
#include "disk/joliet.h"
#include "disk/rockridge.h"
#include "disk/udf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void read_directory(const uint8_t *data, size_t size)
{
	struct iso_record rec;
	char name[64];
	size_t pos = 0;

	for (size_t before = 0; iso9660_next_record(data, size, &pos, &rec); before = pos) {
		struct rockridge rr;

		check(pos > before && pos <= size);
		check(rec.name + rec.name_len <= data + size);
		check(rec.system_use + rec.system_use_len <= data + size);
		check(iso9660_plain_name(&rec, name, sizeof(name)) < sizeof(name));
		check(joliet_decode_name(rec.name, rec.name_len, name, sizeof(name)) <
		      sizeof(name));
		rockridge_init(&rr);
		rockridge_add(&rr, rec.system_use, rec.system_use_len);
		rockridge_add(&rr, rec.system_use, rec.system_use_len);
		check(rr.name_len <= ROCKRIDGE_NAME_MAX && rr.name[rr.name_len] == '\0');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t sector[ISO_SECTOR] = { 0 };
	struct iso_volume volume;
	struct fatdir_volume fat;
	char name[200];

	read_directory(data, size);
	memcpy(sector, data, size < sizeof(sector) ? size : sizeof(sector));
	iso9660_decode_volume(sector, &volume);
	check(strlen(volume.id) < sizeof(volume.id));
	check(volume.block_size == 512 || volume.block_size == 1024 || volume.block_size == 2048);
	udf_decode_volume_name(sector, name, sizeof(name));
	udf_check_tag(sector, 256);
	if (fatdir_decode(sector, &fat))
		check(fat.cluster_size > 0 && fat.data_start > 0);
	return 0;
}
