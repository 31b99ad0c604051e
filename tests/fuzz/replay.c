// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The replay main of every fuzz harness: runs LLVMFuzzerTestOneInput over the
 * files named (folders are read one level deep). Built with clang
 * -fsanitize=fuzzer instead, the same harness fuzzes.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int n_replayed;

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *buf = NULL;
	size_t len = 0, n;

	if (!f) {
		perror(path);
		return -1;
	}
	do {
		buf = realloc(buf, len + 65536);
		if (!buf)
			abort();
		n = fread(buf + len, 1, 65536, f);
		len += n;
	} while (n > 0);
	fclose(f);
	/* An exact-size copy, so that AddressSanitizer sees a read past the end. */
	buf = realloc(buf, len > 0 ? len : 1);
	LLVMFuzzerTestOneInput(buf, len);
	free(buf);
	n_replayed++;
	return 0;
}

static int replay(const char *path)
{
	struct stat st;
	struct dirent *de;
	DIR *dir;
	int rc = 0;

	if (stat(path, &st) < 0) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path);
	dir = opendir(path);
	if (!dir) {
		perror(path);
		return -1;
	}
	while ((de = readdir(dir))) {
		char name[4096];

		if (de->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, de->d_name);
		rc |= replay_file(name);
	}
	closedir(dir);
	return rc;
}

int main(int argc, char **argv)
{
	int rc = 0;

	for (int i = 1; i < argc; i++)
		rc |= replay(argv[i]);
	printf("%u inputs replayed\n", n_replayed);
	return rc || n_replayed == 0 ? 1 : 0;
}
