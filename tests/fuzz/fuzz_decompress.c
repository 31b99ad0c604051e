// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Any bytes as an image file: opened, looked at, read through twice. Whatever
 * they are, the second reading ends as the first one did.
 */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/source.h"

#define MAX_CONTENT (8u << 20) /* a bomb is only begun */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 1 at the end, 0 not there yet, -1 failed. */
static int read_through(struct source *src, uint64_t *ret_total, struct error *err)
{
	static uint8_t buf[100003];
	size_t n = sizeof(buf);

	for (*ret_total = 0; *ret_total < MAX_CONTENT && n == sizeof(buf); *ret_total += n)
		if (source_next(src, buf, sizeof(buf), &n, err) < 0)
			return -1;
	return n < sizeof(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT, again = ERROR_INIT;
	struct source *src = NULL;
	uint64_t total1, total2;
	char path[64];
	int fd, rc;

	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (source_open(path, &src, &err) == 0 && src->access == SOURCE_SEQUENTIAL) {
		uint8_t head[512];
		size_t n;

		source_peek(src, 100, head, sizeof(head), &n, &err);
		rc = read_through(src, &total1, &err);
		if (rc == 1 && src->size != total1)
			abort();
		if (source_rewind(src, &again) < 0)
			abort();
		if (read_through(src, &total2, &again) != rc || total1 != total2 ||
		    (rc < 0 && strcmp(err.code, again.code)))
			abort();
	}
	source_free(src);
	close(fd);
	return 0;
}
