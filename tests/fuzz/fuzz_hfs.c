// SPDX-License-Identifier: GPL-3.0-or-later
/* An HFS or HFS+ volume header, then the two nodes of its catalog. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "disk/hfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hfs_volume volume;
	char name[HFS_NAME_SIZE];
	uint64_t leaf;

	if (size < HFS_HEADER_SIZE + 2 * HFS_NODE_HEAD)
		return 0;
	if (hfs_decode(data, &volume) &&
	    (volume.size == 0 || strlen(volume.name) >= sizeof(volume.name) ||
	     volume.embedded > UINT64_C(1) << 60 || volume.catalog > UINT64_C(1) << 63))
		abort();
	if (hfs_decode_tree(data + HFS_HEADER_SIZE, &leaf) && leaf == 0)
		abort();
	hfs_decode_name(data + HFS_HEADER_SIZE + HFS_NODE_HEAD, name);
	if (strlen(name) >= sizeof(name))
		abort();
	return 0;
}
