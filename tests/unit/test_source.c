// SPDX-License-Identifier: GPL-3.0-or-later
/* Sources: what may be opened, random and sequential reading, heads, taps, cancellation. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "image/source.h"
#include "source_util.h"
#include "tap.h"

#define SAMPLE (3 * 1024 * 1024 + 777)

static char dir[] = "/tmp/test-source-XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

#define CHECK_OPEN_FAILS(path, want_kind, want_code)              \
	do {                                                      \
		struct error err_ = ERROR_INIT;                   \
		struct source *src_ = NULL;                       \
		CHECK(source_open(path, &src_, &err_) == -1);     \
		CHECK(src_ == NULL);                              \
		CHECK(err_.kind == (want_kind));                  \
		CHECK_STR(err_.code ? err_.code : "", want_code); \
	} while (0)

static void test_what_is_no_image(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	CHECK_OPEN_FAILS(in_dir("missing"), ERROR_USAGE, "no-such-image");
	CHECK_OPEN_FAILS("", ERROR_USAGE, "no-such-image");
	CHECK(symlink("loop", in_dir("loop")) == 0);
	CHECK_OPEN_FAILS(in_dir("loop"), ERROR_USAGE, "no-such-image");
	CHECK_OPEN_FAILS(dir, ERROR_IMAGE, "directory");
	CHECK_OPEN_FAILS("/dev/zero", ERROR_IMAGE, "character-device");
	fd = open(in_dir("empty"), O_CREAT | O_WRONLY, 0600);
	CHECK_OPEN_FAILS(in_dir("empty"), ERROR_IMAGE, "empty");
	CHECK_OPEN_FAILS(in_dir("empty/below"), ERROR_USAGE, "no-such-image");
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", in_dir("socket"));
	CHECK(bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	CHECK_OPEN_FAILS(in_dir("socket"), ERROR_IMAGE, "not-a-file");
	close(fd);
}

static void test_unreadable(void)
{
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	int fd = open(in_dir("secret"), O_CREAT | O_WRONLY, 0600);

	CHECK(write(fd, "x", 1) == 1);
	fchmod(fd, 0);
	close(fd);
	if (geteuid() == 0 && seteuid(65534) < 0)
		return;
	chmod(dir, 0755);
	CHECK(source_open(in_dir("secret"), &src, &err) == -1);
	if (getuid() == 0)
		CHECK(seteuid(0) == 0);
	CHECK(err.kind == ERROR_REFUSED);
}

static void test_names_are_escaped(void)
{
	struct error err = ERROR_INIT;
	struct source *src = NULL;

	CHECK(source_open("/nonexistent/\033[31mred\n", &src, &err) == -1);
	CHECK(strchr(err.msg, '\033') == NULL);
	CHECK(strchr(err.msg, '\n') == NULL);
	CHECK(strstr(err.msg, "red") != NULL);
}

static void test_file(void)
{
	struct bytes b = bytes_sample(SAMPLE, 1);
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	static uint8_t buf[4096];
	char path[64];
	size_t n = 99;
	int fd = file_of(b, path);

	CHECK(source_open(path, &src, &err) == 0);
	CHECK(src->access == SOURCE_RANDOM);
	CHECK_U64(src->size, SAMPLE);
	CHECK_U64(src->file_size, SAMPLE);
	CHECK_U64(src->sector_size, 512);
	CHECK_STR(src->compression, "none");
	CHECK(!src->is_block_device);
	CHECK(src->fd >= 0 && fcntl(src->fd, F_GETFD) == FD_CLOEXEC);
	CHECK(source_read_at(src, SAMPLE - 4096, buf, 4096, &err) == 0);
	CHECK(memcmp(buf, b.p + SAMPLE - 4096, 4096) == 0);
	CHECK(source_read_at(src, SAMPLE - 4095, buf, 4096, &err) == -1);
	CHECK(source_read_at(src, UINT64_MAX, buf, 2, &err) == -1);
	CHECK(source_peek(src, SAMPLE - 10, buf, 100, &n, &err) == 0);
	CHECK_U64(n, 10);
	CHECK(memcmp(buf, b.p + SAMPLE - 10, 10) == 0);
	CHECK(source_peek(src, SAMPLE, buf, 100, &n, &err) == 0);
	CHECK_U64(n, 0);
	CHECK(!source_can_rewind(src));
	CHECK(source_next(src, buf, 1, &n, &err) == -1);
	source_free(src);
	close(fd);
	free(b.p);
}

static void test_file_becomes_shorter(void)
{
	struct bytes b = bytes_sample(SAMPLE, 1);
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	struct digest d;
	uint8_t buf[512];
	char path[64];
	int fd = file_of(b, path);

	CHECK(source_open(path, &src, &err) == 0);
	CHECK(ftruncate(fd, 1000) == 0);
	CHECK(source_read_at(src, 600, buf, 512, &err) == -1);
	CHECK(err.kind == ERROR_IMAGE);
	CHECK_STR(err.code, "source-changed");
	CHECK(source_digest_file(src, (const char *[]){ "sha256" }, 1, NULL, NULL, &d, &err) == -1);
	CHECK_STR(err.code, "source-changed");
	source_free(src);
	close(fd);
	free(b.p);
}

static void test_unchanged(void)
{
	struct bytes b = bytes_sample(10000, 1);
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1000000 } };
	char path[64];
	int fd = file_of(b, path);

	CHECK(source_open(path, &src, &err) == 0);
	CHECK(source_check_unchanged(src, &err) == 0);
	CHECK(futimens(fd, times) == 0);
	CHECK(source_check_unchanged(src, &err) == -1);
	CHECK(err.kind == ERROR_IMAGE);
	CHECK_STR(err.code, "source-changed");
	source_free(src);

	/* mtime set back: ctime tells */
	CHECK(source_open(path, &src, &err) == 0);
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	CHECK(pwrite(fd, "x", 1, 5) == 1);
	CHECK(futimens(fd, times) == 0);
	CHECK(source_check_unchanged(src, &err) == -1);
	source_free(src);
	close(fd);
	free(b.p);
}

static void test_holes(void)
{
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	uint64_t off = 0, len = 0, size = 8 << 20;
	int fd = open(in_dir("sparse"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	CHECK(ftruncate(fd, (off_t)size) == 0);
	CHECK(pwrite(fd, "data", 4, 4 << 20) == 4);
	CHECK(source_open(in_dir("sparse"), &src, &err) == 0);
	CHECK(source_next_data(src, 0, &off, &len, &err) == 0);
	/* A file system without holes says that everything is data, which is as true. */
	CHECK(off <= 4 << 20 && off + len > 4 << 20);
	CHECK(source_next_data(src, off + len, &off, &len, &err) == 0);
	CHECK_U64(off + len, size);
	CHECK(source_next_data(src, (4 << 20) + 2, &off, &len, &err) == 0);
	CHECK_U64(off, (4 << 20) + 2);
	CHECK(source_next_data(src, size, &off, &len, &err) == 0);
	CHECK_U64(off, size);
	CHECK_U64(len, 0);
	source_free(src);
	close(fd);
}

static void test_digest_file(void)
{
	struct bytes b = { .p = (uint8_t *)"abc", .len = 3 };
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	char path[64], hex[HASH_HEX_SIZE];
	struct digest d;
	int fd = file_of(b, path);

	CHECK(source_open(path, &src, &err) == 0);
	CHECK(source_digest_file(src, (const char *[]){ "sha1" }, 1, NULL, NULL, &d, &err) == 0);
	CHECK_STR(digest_hex(&d, hex), "a9993e364706816aba3e25717850c26c9cd0d89d");
	source_cancel(src);
	CHECK(source_digest_file(src, (const char *[]){ "sha1" }, 1, NULL, NULL, &d, &err) == -1);
	CHECK(err.kind == ERROR_CANCELLED);
	source_free(src);
	close(fd);
}

static bool stop_at_once(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	return done >= total / 2;
}

/* Many at a time, over more pieces than are in flight, are what each is alone. */
static void test_digest_file_by_many(void)
{
	static const char *const algs[] = { "sha256", "md5", "sha512", "blake2b", "sha1" };
	struct bytes b = { .p = malloc(3333333), .len = 3333333 };
	struct error err = ERROR_INIT;
	struct digest all[5], one;
	struct source *src = NULL;
	char path[64];
	int fd;

	for (size_t i = 0; i < b.len; i++)
		b.p[i] = (uint8_t)(i * i >> 7);
	fd = file_of(b, path);
	CHECK(source_open(path, &src, &err) == 0);
	CHECK(source_digest_file(src, algs, 5, NULL, NULL, all, &err) == 0);
	for (size_t i = 0; i < 5; i++) {
		CHECK(source_digest_file(src, &algs[i], 1, NULL, NULL, &one, &err) == 0);
		CHECK(digest_is_equal(&all[i], &one));
	}
	CHECK(source_digest_file(src, algs, 5, stop_at_once, NULL, all, &err) == -1);
	CHECK(err.kind == ERROR_CANCELLED);
	err = (struct error)ERROR_INIT;
	CHECK(ftruncate(fd, 3000000) == 0);
	CHECK(source_digest_file(src, algs, 5, NULL, NULL, all, &err) == -1);
	CHECK_STR(err.code, "source-changed");
	source_free(src);
	close(fd);
	free(b.p);
}

/* Through a pipe, in odd steps: the bytes, the size, the head before and after, both digests. */
static void check_stream(size_t size, size_t step)
{
	struct bytes b = bytes_sample(size, 7), content;
	size_t head = size < SOURCE_HEAD_SIZE ? size : SOURCE_HEAD_SIZE, n;
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	uint8_t *buf = malloc(SOURCE_HEAD_SIZE + 10);
	struct digest as_file, as_content;
	struct feeder f;

	feeder_start(&f, b, 4099);
	CHECK(source_open(f.path, &src, &err) == 0);
	CHECK(src->access == SOURCE_SEQUENTIAL);
	CHECK(src->fd == -1);
	CHECK(src->size == SOURCE_SIZE_UNKNOWN && src->file_size == SOURCE_SIZE_UNKNOWN);
	CHECK(source_peek(src, 0, buf, SOURCE_HEAD_SIZE + 10, &n, &err) == 0);
	CHECK_U64(n, head);
	CHECK(memcmp(buf, b.p, head) == 0);
	CHECK(source_tap(src, true, "sha256", &err) == 0);
	CHECK(source_tap(src, false, "SHA-256", &err) == 0);
	CHECK(source_tapped(src, true, "sha256", &as_file) == -1);
	CHECK(slurp(src, step, &content, &err) == 0);
	CHECK(bytes_equal(b, content));
	CHECK_U64(src->size, size);
	CHECK(source_tapped(src, true, "sha256", &as_file) == 0);
	CHECK(source_tapped(src, false, "sha256", &as_content) == 0);
	CHECK(digest_is_equal(&as_file, &as_content));
	CHECK(source_tapped(src, false, "md5", &as_file) == -1);
	CHECK(source_tap(src, false, "md5", &err) == -1);
	CHECK(source_next(src, buf, 10, &n, &err) == 0);
	CHECK_U64(n, 0);
	CHECK(source_peek(src, head - 1, buf, 10, &n, &err) == 0);
	CHECK_U64(n, 1);
	CHECK(!source_can_rewind(src));
	CHECK(source_check_unchanged(src, &err) == 0);
	source_free(src);
	feeder_stop(&f);
	free(content.p);
	free(buf);
	free(b.p);
}

static void test_stream(void)
{
	check_stream(SAMPLE, 65536);
	check_stream(SAMPLE, 999983);
	check_stream(1, 10);
	check_stream(SOURCE_HEAD_SIZE, 65536);
	check_stream(SOURCE_HEAD_SIZE, SOURCE_HEAD_SIZE + 1);
	check_stream(SOURCE_HEAD_SIZE - 1, 4096);
	check_stream(SOURCE_HEAD_SIZE + 1, SOURCE_HEAD_SIZE);
}

static void test_empty_stream(void)
{
	struct error err = ERROR_INIT;

	CHECK(read_bytes((struct bytes){ 0 }, 1, 100, NULL, &err) == -1);
	CHECK(err.kind == ERROR_IMAGE);
	CHECK_STR(err.code, "empty");
}

static void test_stdin(void)
{
	struct bytes b = bytes_sample(5000, 3), content;
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	char path[64];
	int saved = dup(0), fd = file_of(b, path);

	lseek(fd, 0, SEEK_SET);
	dup2(fd, 0);
	CHECK(source_open("-", &src, &err) == 0);
	CHECK(src && src->access == SOURCE_RANDOM);
	source_free(src);
	/* Somebody has read 10 bytes already. */
	lseek(0, 10, SEEK_SET);
	CHECK(source_open("-", &src, &err) == 0);
	CHECK(src && src->access == SOURCE_SEQUENTIAL);
	CHECK(slurp(src, 1000, &content, &err) == 0);
	CHECK_U64(content.len, 4990);
	CHECK(memcmp(content.p, b.p + 10, 4990) == 0);
	free(content.p);
	source_free(src);
	close(0);
	CHECK_OPEN_FAILS("-", ERROR_USAGE, "no-such-image");
	dup2(saved, 0);
	close(saved);
	close(fd);
	free(b.p);
}

static void *cancel_soon(void *arg)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	source_cancel(arg);
	return NULL;
}

/* A pipe into which nobody writes, and a FIFO that nobody has opened. */
static void test_cancel_blocked_read(void)
{
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	char path[64], buf[16];
	pthread_t thread;
	int fds[2];
	size_t n;

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	mkfifo(in_dir("fifo"), 0600);
	for (int i = 0; i < 2; i++) {
		CHECK(source_open(i == 0 ? path : in_dir("fifo"), &src, &err) == 0);
		pthread_create(&thread, NULL, cancel_soon, src);
		CHECK(source_next(src, buf, sizeof(buf), &n, &err) == -1);
		CHECK(err.kind == ERROR_CANCELLED);
		pthread_join(thread, NULL);
		CHECK(source_next(src, buf, sizeof(buf), &n, &err) == -1);
		CHECK(err.kind == ERROR_CANCELLED);
		source_free(src);
	}
	close(fds[0]);
	close(fds[1]);
}

static void *write_fifo(void *arg)
{
	int fd;

	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	fd = open(arg, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "hello", 5) != 5)
		abort();
	close(fd);
	return NULL;
}

static void test_fifo(void)
{
	struct error err = ERROR_INIT;
	struct source *src = NULL;
	char path[128], buf[16];
	pthread_t thread;
	size_t n = 0;

	snprintf(path, sizeof(path), "%s", in_dir("fifo2"));
	mkfifo(path, 0600);
	CHECK(source_open(path, &src, &err) == 0);
	pthread_create(&thread, NULL, write_fifo, path);
	CHECK(source_next(src, buf, sizeof(buf), &n, &err) == 0);
	CHECK_U64(n, 5);
	CHECK(memcmp(buf, "hello", 5) == 0);
	pthread_join(thread, NULL);
	source_free(src);
}

/* A source made by hand, as tests and later kinds of source do it. */
static int count_next(struct source *src, void *buf, size_t len, size_t *ret_len, struct error *err)
{
	unsigned int *left = src->priv;

	(void)err;
	*ret_len = *left > 0 && len > 0 ? 1 : 0;
	if (*ret_len) {
		memset(buf, 'a' + (int)*left % 26, 1);
		(*left)--;
	}
	return 0;
}

static void test_own_ops(void)
{
	static const struct source_ops ops = { .name = "count", .next = count_next };
	struct error err = ERROR_INIT;
	unsigned int left = 1000;
	struct source *src = source_new(&ops, SOURCE_SEQUENTIAL, &left);
	struct bytes content;

	CHECK(src != NULL);
	CHECK(slurp(src, 333, &content, &err) == 0);
	CHECK_U64(content.len, 1000);
	CHECK_U64(src->size, 1000);
	free(content.p);
	source_free(src);

	/* A size that was announced must be the one that comes. */
	for (unsigned int announced = 999; announced <= 1001; announced += 2) {
		left = 1000;
		src = source_new(&ops, SOURCE_SEQUENTIAL, &left);
		src->size = announced;
		CHECK(slurp(src, 333, &content, &err) == -1);
		CHECK(err.kind == ERROR_IMAGE);
		free(content.p);
		source_free(src);
	}
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	RUN(test_what_is_no_image);
	RUN(test_unreadable);
	RUN(test_names_are_escaped);
	RUN(test_file);
	RUN(test_file_becomes_shorter);
	RUN(test_unchanged);
	RUN(test_holes);
	RUN(test_digest_file);
	RUN(test_digest_file_by_many);
	RUN(test_stream);
	RUN(test_empty_stream);
	RUN(test_stdin);
	RUN(test_cancel_blocked_read);
	RUN(test_fifo);
	RUN(test_own_ops);
	unlink(in_dir("loop"));
	unlink(in_dir("empty"));
	unlink(in_dir("socket"));
	unlink(in_dir("secret"));
	unlink(in_dir("sparse"));
	unlink(in_dir("fifo"));
	unlink(in_dir("fifo2"));
	rmdir(dir);
	return tap_done();
}
