// SPDX-License-Identifier: GPL-3.0-or-later
/* DEFLATE by isa-l's igzip, two to three times as fast as zlib; see inflate.h. */
#ifdef HAVE_ISAL

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/num.h"
#include "image/inflate.h"

static void *isal_start(void)
{
	struct inflate_state *s = calloc(1, sizeof(*s));

	if (s)
		isal_inflate_init(s);
	return s;
}

static void isal_reset(void *state)
{
	isal_inflate_reset(state);
}

static enum inflate_status isal_run(void *state, struct inflate_io *io)
{
	struct inflate_state *s = state;
	uint32_t n_in = (uint32_t)num_min(io->in_len, UINT32_MAX);
	uint32_t n_out = (uint32_t)num_min(io->out_len, UINT32_MAX);
	uint32_t ahead;
	bool is_end;
	int rc;

	s->next_in = (uint8_t *)io->in;
	s->avail_in = n_in;
	s->next_out = io->out;
	s->avail_out = n_out;
	rc = isal_inflate(s);
	if (rc < 0) {
		/* Its pointers may be into a buffer of its own now. */
		io->in += n_in;
		io->in_len -= n_in;
		return INFLATE_CORRUPT;
	}
	is_end = s->block_state == ISAL_BLOCK_FINISH;
	/* What it took ahead and does not need: isa-l leaves that to us. */
	ahead = is_end ? (uint32_t)s->read_in_length / 8 : 0;
	io->in = s->next_in - ahead;
	io->in_len = io->in_len - (n_in - s->avail_in) + ahead;
	io->out = s->next_out;
	io->out_len -= n_out - s->avail_out;
	return is_end ? INFLATE_END : INFLATE_GOING;
}

static uint32_t isal_crc32(uint32_t crc, const void *data, size_t len)
{
	return crc32_gzip_refl(crc, data, len);
}

const struct inflate_ops inflate_by_isal = {
	.name = "isa-l",
	.start = isal_start,
	.reset = isal_reset,
	.run = isal_run,
	.stop = free,
	.crc32 = isal_crc32,
};

#endif
