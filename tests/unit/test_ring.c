// SPDX-License-Identifier: GPL-3.0-or-later
/* The ring on a file: more requests than its depth, held back or not, by both paths. */
#include "io/ring.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "tap.h"

#define BLOCK 4096
#define N_OPS 16

static int make_file(void)
{
	char path[] = "/tmp/isowrite-ring-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	return fd;
}

/* Writes N_OPS blocks, reads them back; every request comes back once. */
static void write_and_read(unsigned int depth, bool hold)
{
	static uint8_t data[2][N_OPS][BLOCK];
	struct error err = ERROR_INIT;
	struct ring *ring = NULL;
	int fd = make_file();

	CHECK(fd >= 0 && ring_new(fd, depth, &ring, &err) == 0);
	for (int is_read = 0; is_read < 2; is_read++) {
		struct ring_op ops[N_OPS];
		unsigned int n_back[N_OPS] = { 0 };
		struct ring_op *op;

		ring_hold(ring, hold);
		for (unsigned int i = 0; i < N_OPS; i++) {
			memset(data[is_read][i], is_read ? 0 : (int)(i + depth), BLOCK);
			ops[i] = (struct ring_op){ .is_write = !is_read,
						   .buf = data[is_read][i],
						   .len = BLOCK,
						   .off = (uint64_t)i * BLOCK };
			ring_submit(ring, &ops[i]);
		}
		CHECK_U64(ring_in_flight(ring), N_OPS);
		while ((op = ring_wait(ring))) {
			CHECK_U64((unsigned int)op->res, BLOCK);
			n_back[op - ops]++;
		}
		ring_hold(ring, false);
		for (unsigned int i = 0; i < N_OPS; i++)
			CHECK_U64(n_back[i], 1);
	}
	CHECK(memcmp(data[0], data[1], sizeof(data[0])) == 0);
	ring_free(ring);
	close(fd);
}

/* io_uring rounds the depth up: its queue takes more than the ring has room to remember. */
static void test_more_than_the_depth(void)
{
	static const unsigned int depths[] = { 1, 2, 3, 5, 8, 13 };

	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		write_and_read(depths[i], false);
		write_and_read(depths[i], true);
	}
}

static void test_plain(void)
{
	setenv("ISOWRITE_ENGINE", "plain", 1);
	write_and_read(3, false);
	write_and_read(3, true);
	unsetenv("ISOWRITE_ENGINE");
}

int main(void)
{
	RUN(test_more_than_the_depth);
	RUN(test_plain);
	return tap_done();
}
