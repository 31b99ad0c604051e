// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Secure Boot's lists and its report. The first byte says what the rest is: a signature list,
 * SBAT's lines, or an image (sparse.h), which is detected, looked at and reported.
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
#include "sparse.h"

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
	struct error err = ERROR_INIT;
	static struct layout lay;
	struct secure_boot sb;
	struct source *src;
	struct sparse s;

	src = sparse_source(&s, data, size);
	if (!src)
		return;
	if (detect_layout(src, BUDGET, &lay, &err) < 0 ||
	    secure_boot_look(src, &lay, false, "/nonexistent", NULL, &sb, &err) < 0)
		abort();
	if (lay.bytes_read > DETECT_BUDGET || s.n_read > DETECT_BUDGET)
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
