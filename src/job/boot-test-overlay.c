// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * An empty qcow2 file (QEMU's docs/interop/qcow2.txt), in memory: a header, tables that say that
 * nothing is stored in it. What it is laid over is QEMU's argument, not in the header.
 *
 *	cluster 0  header
 *	        1  refcount table: one block
 *	        2  refcount block, 16 bits a cluster: those of this file are in use
 *	        3  L1 table: empty
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "job/boot-test-vm.h"

#define CLUSTER_BITS 16
#define CLUSTER (UINT64_C(1) << CLUSTER_BITS)
#define L2_COVERS (CLUSTER / 8 * CLUSTER) /* bytes of the disk */

struct qcow2_header {
	uint8_t magic[4];
	be32 version;
	be64 backing_file_offset;
	be32 backing_file_size;
	be32 cluster_bits;
	be64 size;
	be32 crypt_method;
	be32 l1_size;
	be64 l1_offset;
	be64 refcount_table_offset;
	be32 refcount_table_clusters;
	be32 n_snapshots;
	be64 snapshots_offset;
	be64 incompatible, compatible, autoclear;
	be32 refcount_order;
	be32 header_length;
};
static_assert(sizeof(struct qcow2_header) == 104, "qcow2 header, version 3");

int boot_overlay_make(uint64_t size, struct error *err)
{
	uint64_t n_l1 = (size + L2_COVERS - 1) / L2_COVERS;
	uint64_t n_clusters = 3 + (n_l1 * 8 + CLUSTER - 1) / CLUSTER;
	struct qcow2_header h = {
		.magic = { 'Q', 'F', 'I', 0xfb },
		.version = be32_put(3),
		.cluster_bits = be32_put(CLUSTER_BITS),
		.size = be64_put(size),
		.l1_size = be32_put((uint32_t)n_l1),
		.l1_offset = be64_put(3 * CLUSTER),
		.refcount_table_offset = be64_put(CLUSTER),
		.refcount_table_clusters = be32_put(1),
		.refcount_order = be32_put(4),
		.header_length = be32_put(sizeof(h)),
	};
	be64 block = be64_put(2 * CLUSTER);
	auto_fd int fd = memfd_create("isowrite-overlay", MFD_CLOEXEC);
	be16 counts[CLUSTER / sizeof(be16)];

	if (n_clusters > ARRAY_SIZE(counts))
		return error_set(err, ERROR_IMAGE, "too-large",
				 _("It is too large for a virtual stick."));
	memset(counts, 0, sizeof(counts));
	for (uint64_t i = 0; i < n_clusters; i++)
		counts[i] = be16_put(1);
	if (fd < 0 || ftruncate(fd, (off_t)(n_clusters * CLUSTER)) < 0 ||
	    io_pwrite_full(fd, &h, sizeof(h), 0) != sizeof(h) ||
	    io_pwrite_full(fd, &block, sizeof(block), CLUSTER) != sizeof(block) ||
	    io_pwrite_full(fd, counts, sizeof(counts), 2 * CLUSTER) != sizeof(counts))
		return error_set_sys(err, ERROR_INTERNAL, "overlay", errno,
				     _("The virtual stick cannot be made in memory"));
	return take_fd(&fd);
}
