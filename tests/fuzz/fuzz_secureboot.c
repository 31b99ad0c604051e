// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Secure Boot's lists and its report. The first byte says what the rest is: a signature list,
 * SBAT's lines, or an image, which is detected, looked at and reported. So that inputs stay small
 * the image is sparse: its size in sectors of 512 bytes, then records of a sector number, a
 * length up to 512, and that many bytes; numbers have two bytes, little-endian.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "disk/sbat.h"
#include "disk/siglist.h"
#include "image/detect.h"
#include "image/secure-boot.h"
#include "job/report-secure-boot.h"

#define SECTOR 512U
#define RECORD_HEAD 4U
#define BUDGET (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_siglist(const uint8_t *data, size_t size)
{
	struct siglist_entry e;
	uint8_t sum = 0;
	struct siglist l;
	size_t n = 0;

	if (!siglist_begin(&l, data, size))
		return;
	while (siglist_next(&l, &e)) {
		for (size_t i = 0; i < e.len; i++)
			sum ^= e.data[i];
		if (++n > size || (e.type == SIGLIST_SHA256 && e.len < 32))
			abort();
	}
	(void)sum;
}

static void read_sbat(const uint8_t *data, size_t size)
{
	struct sbat_entry e;
	size_t pos = 0, n = 0;

	while (sbat_next((const char *)data, size, &pos, &e))
		if (!e.component[0] || ++n > size)
			abort();
	if (pos > size)
		abort();
}

struct sparse {
	const uint8_t *data;
	size_t size;
};

static void read_sector(const struct sparse *s, uint64_t lba, uint8_t *out)
{
	memset(out, 0, SECTOR);
	for (size_t at = 2; at + RECORD_HEAD < s->size;) {
		const uint8_t *head = s->data + at;
		size_t len = (size_t)num_min(head[2] | head[3] << 8, SECTOR);

		at += RECORD_HEAD;
		len = (size_t)num_min(len, s->size - at);
		if ((uint64_t)(head[0] | head[1] << 8) == lba)
			memcpy(out, s->data + at, len);
		at += len;
	}
}

static int read_at(struct source *src, uint64_t off, void *buf, size_t len, struct error *err)
{
	uint8_t sector[SECTOR], *out = buf;

	(void)err;
	while (len > 0) {
		size_t skip = off % SECTOR, n = (size_t)num_min(SECTOR - skip, len);

		read_sector(src->priv, off / SECTOR, sector);
		memcpy(out, sector + skip, n);
		off += n;
		out += n;
		len -= n;
	}
	return 0;
}

static void report(const struct secure_boot *sb)
{
	struct json j;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	report_secure_boot_print(sb, out);
	fclose(out);
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)text[i] < 0x20 && text[i] != '\n')
			abort();
	free(text);
	json_init(&j);
	json_begin_object(&j, NULL);
	report_secure_boot_to_json(sb, &j);
	json_end_object(&j);
	json_finish(&j);
	json_done(&j);
}

static void look_at_image(const uint8_t *data, size_t size)
{
	static const struct source_ops ops = { .name = "sparse", .read_at = read_at };
	struct sparse s = { .data = data, .size = size };
	struct error err = ERROR_INIT;
	static struct layout lay;
	struct secure_boot sb;
	struct source *src;

	if (size < 2)
		return;
	src = source_new(&ops, SOURCE_RANDOM, &s);
	if (!src)
		return;
	src->size = src->file_size = (uint64_t)(data[0] | data[1] << 8) * SECTOR;
	if (detect_layout(src, BUDGET, &lay, &err) < 0 ||
	    secure_boot_look(src, &lay, false, "/nonexistent", NULL, &sb, &err) < 0)
		abort();
	if (lay.bytes_read > DETECT_BUDGET + SECTOR)
		abort();
	report(&sb);
	secure_boot_done(&sb);
	source_free(src);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 3) {
	case 0:
		read_siglist(data + 1, size - 1);
		break;
	case 1:
		read_sbat(data + 1, size - 1);
		break;
	default:
		look_at_image(data + 1, size - 1);
	}
	return 0;
}
