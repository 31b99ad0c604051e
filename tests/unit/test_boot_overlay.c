// SPDX-License-Identifier: GPL-3.0-or-later
/* The empty qcow2 file: its size, and that each cluster of it is counted once, and no other. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/num.h"
#include "job/boot-test-vm.h"
#include "tap.h"

#define CLUSTER (64 * KIB)

static uint64_t read_be(int fd, uint64_t off, size_t len)
{
	uint8_t b[8] = { 0 };
	uint64_t v = 0;

	CHECK(pread(fd, b, len, (off_t)off) == (ssize_t)len);
	for (size_t i = 0; i < len; i++)
		v = v << 8 | b[i];
	return v;
}

static void check_overlay(uint64_t size)
{
	struct error err = ERROR_INIT;
	int fd = boot_overlay_make(size, &err);
	uint64_t n_clusters, n_l1;
	struct stat st;

	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	CHECK_U64(read_be(fd, 0, 4), 0x514649fb);
	CHECK_U64(read_be(fd, 24, 8), size);
	n_l1 = read_be(fd, 36, 4);
	CHECK(n_l1 * 512 * MIB >= size && (n_l1 - 1) * 512 * MIB < size);
	n_clusters = (uint64_t)st.st_size / CLUSTER;
	CHECK_U64((uint64_t)st.st_size % CLUSTER, 0);
	CHECK(read_be(fd, 40, 8) + n_l1 * 8 <= (uint64_t)st.st_size);
	CHECK_U64(read_be(fd, read_be(fd, 48, 8), 8), 2 * CLUSTER);
	for (uint64_t i = 0; i < CLUSTER / 2; i++)
		CHECK_U64(read_be(fd, 2 * CLUSTER + i * 2, 2), i < n_clusters);
	/* An empty table: nothing is stored. */
	for (uint64_t i = 0; i < num_min(n_l1, 100); i++)
		CHECK_U64(read_be(fd, 3 * CLUSTER + i * 8, 8), 0);
	close(fd);
}

static void test_sizes(void)
{
	check_overlay(512);
	check_overlay(16 * MIB);
	check_overlay(512 * MIB);
	check_overlay(512 * MIB + 512);
	check_overlay(32 * GIB);
	check_overlay(20 * KIB * GIB);
}

static void test_too_large(void)
{
	struct error err = ERROR_INIT;

	CHECK(boot_overlay_make(UINT64_C(1) << 62, &err) < 0);
	CHECK(err.kind == ERROR_IMAGE);
}

int main(void)
{
	RUN(test_sizes);
	RUN(test_too_large);
	return tap_done();
}
