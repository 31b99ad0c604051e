// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Detection of partition tables in a small image, and the planner that moves a
 * backup GPT. Checksums of GPT headers at blocks 1 and last are put right first
 * when the last byte is odd, so that the fuzzer gets behind them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "disk/gpt.h"
#include "image/detect.h"
#include "plan/planner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	uint8_t *data;
	size_t size;
};

static int bytes_read_at(struct source *src, uint64_t off, void *buf, size_t len,
			 struct error *err)
{
	const struct bytes *b = src->priv;

	if (!num_is_within(off, len, b->size))
		return error_set(err, ERROR_IO, "beyond-end", "A read beyond the end.");
	memcpy(buf, b->data + off, len);
	return 0;
}

static const struct source_ops bytes_ops = { .name = "bytes", .read_at = bytes_read_at };

static void mend(struct bytes *b, uint32_t block_size, uint64_t lba)
{
	struct gpt_header header;
	enum gpt_verdict verdict;
	uint8_t *block;

	if (!num_is_within(lba * block_size, block_size, b->size))
		return;
	block = b->data + lba * block_size;
	verdict = gpt_decode_header(block, block_size, lba, &header);
	if (verdict == GPT_NO_SIGNATURE || verdict == GPT_BAD_SIZE)
		return;
	if (header.entries_lba < b->size &&
	    num_is_within(header.entries_lba * block_size, gpt_array_size(&header), b->size))
		header.entries_crc =
			gpt_array_crc(&header, b->data + header.entries_lba * block_size);
	gpt_encode_header(block, &header);
}

static void check_plan(struct source *src, const struct layout *lay, uint64_t size)
{
	struct geometry geo = { .size = size, .sector_size = 512, .io_align = 4096 };
	struct plan_request req = { .mode = "auto", .fix_gpt = true, .allow_truncated = true };
	struct error err = ERROR_INIT;
	struct plan *plan;
	uint8_t head[1024];

	if (lay->gpt.block_size)
		geo.sector_size = lay->gpt.block_size;
	if (planner_make_plan(src, lay, &geo, &req, &plan, &err) < 0) {
		/* A bug of ours is none of the image's. */
		if (err.kind == ERROR_INTERNAL || err.kind == ERROR_IO)
			abort();
		return;
	}
	if (plan_check(plan, &err) < 0 ||
	    plan_fill(plan, &src, 0, head, num_min(sizeof(head), size), &err) < 0)
		abort();
	plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { malloc(size + 1), size };
	struct source *src = source_new(&bytes_ops, SOURCE_RANDOM, &b);
	struct layout *lay = calloc(1, sizeof(*lay));
	struct detect d = { .src = src, .lay = lay, .size = size, .visible = size };
	struct error err = ERROR_INIT;

	if (size == 0)
		goto out;
	memcpy(b.data, data, size);
	if (data[size - 1] & 1) {
		for (uint32_t block_size = 512; block_size <= 4096; block_size *= 2) {
			mend(&b, block_size, 1);
			if (size >= block_size)
				mend(&b, block_size, size / block_size - 1);
		}
	}
	src->size = src->file_size = size;
	d.budget = DETECT_BUDGET;
	if (detect_mbr(&d, &err) < 0 || detect_gpt(&d, &err) < 0 || detect_apm(&d, &err) < 0 ||
	    detect_filesystem(&d, &err) < 0)
		abort();
	check_plan(src, lay, size);
	check_plan(src, lay, size + 512);
	check_plan(src, lay, 8 * MIB + 100);
out:
	source_free(src);
	free(lay);
	free(b.data);
	return 0;
}
