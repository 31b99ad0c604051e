/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DEFLATE (RFC 1951) without any wrapper, and the CRC-32 that gzip and ZIP keep beside it.
 * Two libraries can do it; who reads a wrapper takes INFLATE_FASTEST.
 */
#ifndef ISOWRITE_IMAGE_INFLATE_H
#define ISOWRITE_IMAGE_INFLATE_H

#include <stddef.h>
#include <stdint.h>

enum inflate_status {
	INFLATE_GOING, /* all of the input was taken, or all of the room filled */
	INFLATE_END,   /* the stream has ended; what is left of the input lies behind it */
	INFLATE_CORRUPT,
	INFLATE_NO_MEMORY,
};

/*
 * What there is to take from and to put into; inflate_ops.run moves both on. A library
 * looks ahead: at INFLATE_END, `in` may come to lie before where this call found it, by up to
 * INFLATE_LOOK_AHEAD bytes of earlier calls. So those must still be there, before the new ones.
 */
#define INFLATE_LOOK_AHEAD 8

struct inflate_io {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
};

struct inflate_ops {
	const char *name;           /* of the library */
	void *(*start)(void);       /* at the first byte of a stream; NULL: out of memory */
	void (*reset)(void *state); /* at the first byte of another one */

	/* Without input it may still have output to give; neither means that it lacks input. */
	enum inflate_status (*run)(void *state, struct inflate_io *io);
	void (*stop)(void *state); /* frees it; NULL ok */

	/* Goes on from crc; begin with 0. */
	uint32_t (*crc32)(uint32_t crc, const void *data, size_t len);
};

extern const struct inflate_ops inflate_by_zlib;

#ifdef HAVE_ISAL
extern const struct inflate_ops inflate_by_isal;
#define INFLATE_FASTEST (&inflate_by_isal)
#else
#define INFLATE_FASTEST (&inflate_by_zlib)
#endif

#endif
