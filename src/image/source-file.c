// SPDX-License-Identifier: GPL-3.0-or-later
/* A RANDOM source: a plain file or a block device, read by pread from any thread. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "image/source-internal.h"

int source_file_read_at(struct source *src, uint64_t off, void *buf, size_t len, struct error *err)
{
	char name[SOURCE_NAME_SIZE];
	ssize_t n = io_pread_full(src->fd, buf, len, off);

	if (n < 0)
		return error_set_sys(err, ERROR_IO, "source-read", errno,
				     _("Cannot read %s at byte %" PRIu64), source_name(src, name),
				     off);
	if ((size_t)n == len)
		return 0;
	if (src->is_block_device)
		return error_set(err, ERROR_IO, "source-read",
				 _("%s gives no data at byte %" PRIu64 "; was it removed?"),
				 source_name(src, name), off + (size_t)n);
	return error_set(err, ERROR_IMAGE, "source-changed",
			 _("%s became shorter while it was read: it ended at byte %" PRIu64
			   " instead of %" PRIu64 "."),
			 source_name(src, name), off + (size_t)n, src->file_size);
}

/* Only called with off < size. */
static int file_next_data(struct source *src, uint64_t off, uint64_t *ret_off, uint64_t *ret_len,
			  struct error *err)
{
	off_t data = lseek(src->fd, (off_t)off, SEEK_DATA);
	off_t hole;
	uint64_t end;

	(void)err; /* a hole map is an optimisation: without one, everything is data */
	if (data < 0 && errno == ENXIO) {
		*ret_off = src->size;
		*ret_len = 0;
		return 0;
	}
	if (data < 0 || (uint64_t)data < off)
		data = (off_t)off;
	hole = lseek(src->fd, data, SEEK_HOLE);
	end = hole > data ? num_min((uint64_t)hole, src->size) : src->size;
	*ret_off = num_min((uint64_t)data, src->size);
	*ret_len = end - *ret_off;
	return 0;
}

static void file_close(struct source *src)
{
	if (src->fd >= 0)
		close(src->fd);
}

static const struct source_ops file_ops = {
	.name = "file",
	.read_at = source_file_read_at,
	.next_data = file_next_data,
	.close = file_close,
};

static const struct source_ops device_ops = {
	.name = "device",
	.read_at = source_file_read_at,
	.close = file_close,
};

static int set_device_geometry(struct source *src, struct error *err)
{
	char name[SOURCE_NAME_SIZE];
	int sector = 0;

	if (ioctl(src->fd, BLKGETSIZE64, &src->size) < 0 || ioctl(src->fd, BLKSSZGET, &sector) < 0)
		return error_set_sys(err, ERROR_IO, "source-read", errno,
				     _("Cannot ask %s for its size"), source_name(src, name));
	if (src->size == 0)
		return error_set(err, ERROR_IMAGE, "empty", _("%s holds no medium."),
				 source_name(src, name));
	if (sector > 0)
		src->sector_size = (uint32_t)sector;
	src->is_block_device = true;
	return 0;
}

int source_new_file(int fd, const char *path, const struct stat *st, struct source **ret,
		    struct error *err)
{
	bool is_device = S_ISBLK(st->st_mode);
	struct source *src = source_new(is_device ? &device_ops : &file_ops, SOURCE_RANDOM, NULL);

	if (!src) {
		close(fd);
		return error_set_nomem(err);
	}
	src->fd = fd;
	src->path = strdup(path);
	if (!src->path) {
		source_free(src);
		return error_set_nomem(err);
	}
	if (is_device) {
		if (set_device_geometry(src, err) < 0) {
			source_free(src);
			return -1;
		}
	} else {
		src->size = (uint64_t)st->st_size;
		source_set_stat(src, st);
	}
	src->file_size = src->size;
	*ret = src;
	return 0;
}
