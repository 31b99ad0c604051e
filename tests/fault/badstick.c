// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A stick that lies. badstick BACKING MOUNTPOINT SIZE [RULE ...]
 *
 * Serves one file, MOUNTPOINT/stick, over FUSE; what is written to it lands in
 * BACKING unless a rule says otherwise. Attached by losetup --direct-io=on it
 * is a block device with uncached I/O; given to QEMU it is a USB stick.
 * Runs in the foreground until it is unmounted. Rules come as arguments, or at
 * run time through MOUNTPOINT/ctl, which shows each rule and its hits when
 * read. OP is r, w or f (flush); numbers are bytes, decimal.
 *
 *   err=OP:OFF:LEN:ERRNO[:SKIP[:COUNT]]  fails what touches the range: after SKIP
 *                                        hits, COUNT times (default: for ever)
 *   stall=OP:OFF:LEN:MS[:SKIP[:COUNT]]   sleeps first
 *   flip=w|r|r1:OFF:MASK                 XORs one byte: as stored, on every read,
 *                                        on the first read only
 *   torn=OFF:KEEP                        the write that touches OFF stores KEEP bytes;
 *                                        then the stick is gone
 *   gone=OP:OFF                          gone from the first such operation on: EIO
 *   touch=OP:OFF:PATH                    creates PATH when the operation touches OFF
 *   pause=N:MS:PATH                      at the Nth operation of any kind, counted from the
 *                                        next write on, creates PATH and sleeps before that
 *                                        operation takes effect
 *   fake=REAL:wrap|drop|zero|ff          from REAL on: writes land at OFF % REAL; or are
 *                                        lost, and reads give old bytes, zeros, 0xFF
 *   bps=N                                bytes per second, reads and writes together
 *   size=N                               what the file's size shows (0: unplugged)
 *   noflush                              flushes succeed and make nothing durable
 *   cache=SEED                           sectors written since the last flush are volatile
 *   powercut                             a seeded half of those gets its old content back;
 *                                        then the stick is gone
 *   log=PATH                             journal: "W off len", "R off len", "F" lines, in the
 *                                        order of effect; the data of writes in PATH.data
 *   clear                                drops all rules, and the stick is back
 */
#define FUSE_USE_VERSION 31
#include <fuse3/fuse.h>

#include "badstick.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct badstick stick = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1, .log_fd = -1, .log_data_fd = -1
};

void die(const char *what)
{
	perror(what);
	_exit(1);
}

static void read_backing(void *buf, size_t len, uint64_t off)
{
	if (pread(stick.fd, buf, len, (off_t)off) != (ssize_t)len)
		die("badstick: read of the backing file");
}

static void write_backing(const void *buf, size_t len, uint64_t off)
{
	if (pwrite(stick.fd, buf, len, (off_t)off) != (ssize_t)len)
		die("badstick: write to the backing file");
}

/* ---- volatile cache ---- */

static void cache_remember(uint64_t off)
{
	uint64_t sector = off / SECTOR;

	if (stick.undo_index[sector])
		return;
	if (stick.n_undo == stick.cap_undo) {
		stick.cap_undo = stick.cap_undo ? 2 * stick.cap_undo : 1024;
		stick.undo = realloc(stick.undo, stick.cap_undo * sizeof(*stick.undo));
		if (!stick.undo)
			die("badstick");
	}
	stick.undo[stick.n_undo].sector = sector;
	read_backing(stick.undo[stick.n_undo].old, SECTOR, sector * SECTOR);
	stick.undo_index[sector] = (uint32_t)++stick.n_undo;
}

static void cache_forget(void)
{
	for (size_t i = 0; i < stick.n_undo; i++)
		stick.undo_index[stick.undo[i].sector] = 0;
	stick.n_undo = 0;
}

void medium_powercut(void)
{
	size_t lost = 0;

	srandom(stick.seed);
	for (size_t i = 0; i < stick.n_undo; i++) {
		if (random() & 1)
			continue;
		write_backing(stick.undo[i].old, SECTOR, stick.undo[i].sector * SECTOR);
		lost++;
	}
	fprintf(stderr, "badstick: power cut: %zu of %zu volatile sectors lost\n", lost,
		stick.n_undo);
	cache_forget();
	stick.is_gone = true;
}

static void journal(char op, uint64_t off, size_t len, const void *data)
{
	char line[64];
	int n = op == 'F' ? snprintf(line, sizeof(line), "F\n")
			  : snprintf(line, sizeof(line), "%c %" PRIu64 " %zu\n", op, off, len);

	if (stick.log_fd < 0)
		return;
	if (data && write(stick.log_data_fd, data, len) != (ssize_t)len)
		die("badstick: journal");
	if (write(stick.log_fd, line, (size_t)n) != n)
		die("badstick: journal");
}

/* ---- the medium: pieces of one sector at most where a mode needs it ---- */

static size_t piece(uint64_t off, size_t left)
{
	size_t m = SECTOR - (size_t)(off % SECTOR);

	if (stick.fake == FAKE_NONE && !stick.has_cache)
		return left;
	return m < left ? m : left;
}

static void medium_read(unsigned char *buf, uint64_t off, size_t len)
{
	for (size_t done = 0, m; done < len; done += m) {
		uint64_t at = off + done;

		m = piece(at, len - done);
		if (stick.fake == FAKE_WRAP)
			at %= stick.real;
		if (at >= stick.real && stick.fake == FAKE_ZERO)
			memset(buf + done, 0, m);
		else if (at >= stick.real && stick.fake == FAKE_ONES)
			memset(buf + done, 0xff, m);
		else
			read_backing(buf + done, m, at);
	}
}

static void medium_write(const unsigned char *buf, uint64_t off, size_t len)
{
	for (size_t done = 0, m; done < len; done += m) {
		uint64_t at = off + done;

		m = piece(at, len - done);
		if (stick.fake == FAKE_WRAP)
			at %= stick.real;
		if (stick.fake != FAKE_NONE && at >= stick.real)
			continue;
		if (stick.has_cache)
			cache_remember(at);
		write_backing(buf + done, m, at);
	}
}

/* ---- FUSE ---- */

static bool is_ctl(const char *path)
{
	return !strcmp(path, "/ctl");
}

static bool is_stick(const char *path)
{
	return !strcmp(path, "/stick");
}

static int ctl_read(char *buf, size_t len, uint64_t off)
{
	char text[RULES_TEXT_SIZE];
	size_t n;

	pthread_mutex_lock(&stick.lock);
	n = rules_print(text, sizeof(text));
	pthread_mutex_unlock(&stick.lock);
	if (off >= n)
		return 0;
	if (len > n - off)
		len = n - (size_t)off;
	memcpy(buf, text + off, len);
	return (int)len;
}

static int ctl_write(const char *buf, size_t len)
{
	char text[1024], *save = NULL;
	int e = 0;

	snprintf(text, sizeof(text), "%.*s", (int)len, buf);
	pthread_mutex_lock(&stick.lock);
	for (char *w = strtok_r(text, " \n", &save); w && !e; w = strtok_r(NULL, " \n", &save))
		e = rules_obey(w);
	pthread_mutex_unlock(&stick.lock);
	return e ? e : (int)len;
}

static int fs_read(const char *path, char *buf, size_t len, off_t offset, struct fuse_file_info *fi)
{
	uint64_t off = (uint64_t)offset;
	struct fate fate;

	(void)fi;
	if (is_ctl(path))
		return ctl_read(buf, len, off);
	if (off >= stick.shown_size)
		return 0;
	if (len > stick.shown_size - off)
		len = (size_t)(stick.shown_size - off);
	fate = rules_meet('r', off, len);
	if (fate.error)
		return -fate.error;
	pthread_mutex_lock(&stick.lock);
	journal('R', off, len, NULL);
	medium_read((unsigned char *)buf, off, len);
	rules_flip('r', (unsigned char *)buf, off, len);
	pthread_mutex_unlock(&stick.lock);
	return (int)len;
}

static int fs_write(const char *path, const char *buf, size_t len, off_t offset,
		    struct fuse_file_info *fi)
{
	uint64_t off = (uint64_t)offset;
	unsigned char *copy;
	struct fate fate;

	(void)fi;
	if (is_ctl(path))
		return ctl_write(buf, len);
	if (off >= stick.shown_size || len > stick.shown_size - off)
		return -ENOSPC;
	fate = rules_meet('w', off, len);
	if (fate.error)
		return -fate.error;
	copy = malloc(len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, buf, len);
	pthread_mutex_lock(&stick.lock);
	rules_flip('w', copy, off, len);
	journal('W', off, len, copy);
	medium_write(copy, off, fate.is_torn && fate.keep < len ? fate.keep : len);
	pthread_mutex_unlock(&stick.lock);
	free(copy);
	return fate.is_torn ? -EIO : (int)len;
}

static int fs_fsync(const char *path, int is_data_only, struct fuse_file_info *fi)
{
	struct fate fate;

	(void)is_data_only;
	(void)fi;
	if (!is_stick(path))
		return 0;
	fate = rules_meet('f', 0, 0);
	if (fate.error)
		return -fate.error;
	pthread_mutex_lock(&stick.lock);
	journal('F', 0, 0, NULL);
	if (!stick.is_noflush)
		cache_forget();
	pthread_mutex_unlock(&stick.lock);
	return 0;
}

static int fs_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	(void)fi;
	memset(st, 0, sizeof(*st));
	st->st_nlink = 1;
	st->st_mode = S_IFREG | 0600;
	if (!strcmp(path, "/"))
		st->st_mode = S_IFDIR | 0700;
	else if (is_stick(path))
		st->st_size = (off_t)stick.shown_size;
	else if (!is_ctl(path))
		return -ENOENT;
	return 0;
}

static int fs_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t off,
		      struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	(void)path;
	(void)off;
	(void)fi;
	(void)flags;
	fill(buf, "stick", NULL, 0, 0);
	fill(buf, "ctl", NULL, 0, 0);
	return 0;
}

static int fs_open(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	fi->direct_io = 1;
	return 0;
}

static int fs_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	(void)size;
	(void)fi;
	return is_ctl(path) ? 0 : -EPERM;
}

static void *fs_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
	conn->max_write = 1 << 20;
	cfg->attr_timeout = 0; /* size= and losetup -c must see the size of now */
	return NULL;
}

static const struct fuse_operations operations = {
	.init = fs_init,
	.getattr = fs_getattr,
	.readdir = fs_readdir,
	.open = fs_open,
	.truncate = fs_truncate,
	.read = fs_read,
	.write = fs_write,
	.fsync = fs_fsync,
};

int main(int argc, char **argv)
{
	char options[] = "-ofsname=badstick";
	char foreground[] = "-f";
	char *fuse_argv[] = { argv[0], foreground, options, argc > 2 ? argv[2] : NULL, NULL };

	if (argc < 4 || sscanf(argv[3], "%" SCNu64, &stick.size) != 1 || stick.size % SECTOR) {
		fprintf(stderr, "usage: badstick BACKING MOUNTPOINT SIZE [RULE ...]\n");
		return 2;
	}
	stick.shown_size = stick.size;
	stick.fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (stick.fd < 0 || ftruncate(stick.fd, (off_t)stick.size)) {
		perror(argv[1]);
		return 1;
	}
	for (int i = 4; i < argc; i++) {
		if (rules_obey(argv[i])) {
			fprintf(stderr, "badstick: bad rule %s\n", argv[i]);
			return 2;
		}
	}
	return fuse_main(4, fuse_argv, &operations, NULL);
}
