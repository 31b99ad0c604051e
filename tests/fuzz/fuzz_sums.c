// SPDX-License-Identifier: GPL-3.0-or-later
/* Lists of digests, which anybody may have written. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/sums.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entries(const struct sums *s)
{
	for (size_t i = 0; i < s->n_entries; i++) {
		const struct sums_entry *e = &s->entries[i];

		/* A digest is whole, or it is none. */
		if (e->digest.len != 0 && e->digest.len != hash_alg_size(e->alg))
			abort();
		if (e->name && e->name_len > 0 && memchr(e->name, '\0', e->name_len))
			abort();
	}
	if (s->is_cut && s->n_entries > 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const hints[] = { NULL, "sha256", "md5", "sha3" };
	struct error err = ERROR_INIT;
	struct sums_choice choice;
	char name[64] = "";
	const char *hint;
	struct sums s;

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if (sums_parse(data, size, hints[i], &s, &err) < 0)
			abort();
		check_entries(&s);
		sums_choose(&s, "image.iso", i % 2 == 0, i / 2 == 0, &choice);
		for (size_t k = 0; k < s.n_entries; k++) {
			const struct sums_entry *e =
				sums_find_chosen(&s, &choice, &s.entries[k].digest);

			if (e && e->rank != choice.rank)
				abort();
		}
		(void)sums_strongest(&s);
		sums_done(&s);
	}
	memcpy(name, data, size < sizeof(name) ? size : sizeof(name) - 1);
	(void)sums_classify(name, "image.iso.xz", &hint);
	(void)sums_classify("image.iso.sha256", name, &hint);
	return 0;
}
