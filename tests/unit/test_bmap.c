// SPDX-License-Identifier: GPL-3.0-or-later
/* Block maps: what is understood, what is refused, and images held against them. */
#include "image/bmap.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "tap.h"

#define IMAGE_SIZE 40000 /* 10 blocks, the last one short */

static uint8_t image[IMAGE_SIZE];

static const char *hex_of(const char *alg, const void *data, size_t len, char *buf)
{
	struct error err = ERROR_INIT;
	struct digest d;
	struct hash *h;

	CHECK(hash_new(alg, &h, &err) == 0);
	hash_update(h, data, len);
	hash_peek(h, &d);
	hash_free(h);
	return digest_hex(&d, buf);
}

/* Puts the right checksum in the place of the zeros behind `tag`. Returns text. */
static char *seal(char *text, const char *tag, const char *alg)
{
	char hex[HASH_HEX_SIZE], *at = strstr(text, tag);

	if (at && (at = strchr(at, '0'))) {
		hex_of(alg, text, strlen(text), hex);
		memcpy(at, hex, strlen(hex));
	}
	return text;
}

static char *zeros(const char *alg)
{
	static char buf[HASH_HEX_SIZE];

	hex_of(alg, "", 0, buf);
	return memset(buf, '0', strlen(buf));
}

static char text[65536];

/* A map of version 2.0 with these ranges, sealed. */
static char *map_of(const char *counts, const char *ranges)
{
	snprintf(text, sizeof(text),
		 "<?xml version=\"1.0\" ?>\n<!-- a comment -->\n<bmap version=\"2.0\">\n%s"
		 "<ChecksumType> sha256 </ChecksumType>\n"
		 "<BmapFileChecksum> %s </BmapFileChecksum>\n<BlockMap>\n%s</BlockMap>\n</bmap>\n",
		 counts, zeros("sha256"), ranges);
	return seal(text, "<BmapFileChecksum>", "sha256");
}

#define COUNTS(mapped)                                                   \
	"<ImageSize> 40000 </ImageSize> <BlockSize> 4096 </BlockSize>\n" \
	"<BlocksCount> 10 </BlocksCount> <MappedBlocksCount> " mapped "  </MappedBlocksCount>\n"

static struct error last;

static struct bmap *parse(const char *s)
{
	struct bmap *map = NULL;

	last = (struct error)ERROR_INIT;
	if (bmap_parse(s, strlen(s), &map, &last) < 0)
		return NULL;
	return map;
}

/* A range with its right checksum. */
static const char *range(unsigned int first, unsigned int count, const char *shown)
{
	static char buf[4][256];
	static unsigned int turn;
	char hex[HASH_HEX_SIZE], *out = buf[turn++ % 4];
	size_t from = first * 4096u, len = (size_t)num_min(count * 4096u, IMAGE_SIZE - from);

	snprintf(out, sizeof(buf[0]), "<Range chksum=\"%s\">%s</Range>\n",
		 hex_of("sha256", image + from, len, hex), shown);
	return out;
}

static char *good_map(void)
{
	char ranges[1024];

	snprintf(ranges, sizeof(ranges), "%s%s%s", range(0, 1, " 0 "), range(2, 3, " 2 - 4 "),
		 range(9, 1, "9-9"));
	return map_of(COUNTS("5"), ranges);
}

static void test_version_2(void)
{
	struct bmap *map = parse(good_map());

	CHECK(map != NULL);
	if (!map)
		return;
	CHECK(map->version == 20 && map->block_size == 4096 && map->n_ranges == 3);
	CHECK_U64(map->image_size, IMAGE_SIZE);
	CHECK_STR(map->alg, "sha256");
	CHECK_U64(map->ranges[1].start, 8192);
	CHECK_U64(map->ranges[1].len, 12288);
	/* The last block is short. */
	CHECK_U64(map->ranges[2].start, 36864);
	CHECK_U64(map->ranges[2].len, IMAGE_SIZE - 36864);
	CHECK_U64(map->mapped_size, 4096 + 12288 + IMAGE_SIZE - 36864);
	CHECK_U64(map->n_unchecked, 0);
	bmap_free(map);
}

static void test_other_versions_and_algorithms(void)
{
	char hex[HASH_HEX_SIZE];
	struct bmap *map;

	snprintf(text, sizeof(text),
		 "<bmap version=\"1.3\">" COUNTS(
			 "1") "<BmapFileSHA1> %s </BmapFileSHA1>"
			      "<BlockMap><Range sha1=\"%s\"> 3 </Range></BlockMap></bmap>",
		 zeros("sha1"), hex_of("sha1", image + 3 * 4096, 4096, hex));
	map = parse(seal(text, "<BmapFileSHA1>", "sha1"));
	CHECK(map && map->version == 13 && map->n_unchecked == 0 && !strcmp(map->alg, "sha1"));
	bmap_free(map);
	for (const char *const *alg = (const char *const[]){ "sha512", "md5", "sha1", NULL }; *alg;
	     alg++) {
		snprintf(text, sizeof(text),
			 "<bmap version=\"1.4\">" COUNTS(
				 "1") "<ChecksumType>%s</ChecksumType>"
				      "<BmapFileChecksum>%s</BmapFileChecksum>"
				      "<BlockMap><Range chksum=\"%s\">3</Range></BlockMap></bmap>",
			 *alg, zeros(*alg), hex_of(*alg, image + 3 * 4096, 4096, hex));
		map = parse(seal(text, "<BmapFileChecksum>", *alg));
		CHECK(map && map->version == 14 && !strcmp(map->alg, *alg));
		bmap_free(map);
	}
}

/* Checksums of ranges are optional in the format; how many lack is known. */
static void test_ranges_without_checksum(void)
{
	struct bmap *map = parse(map_of(COUNTS("3"), "<Range> 0-1 </Range><Range> 5 </Range>"));

	CHECK(map && map->n_unchecked == 2);
	bmap_free(map);
}

/* Whatever else is changed, the file's own checksum is right. */
static void test_rejects(void)
{
	static const struct {
		const char *counts, *ranges, *why;
	} bad[] = {
		{ COUNTS("2"), "<Range>0</Range><Range>0</Range>", "does not lie behind" },
		{ COUNTS("3"), "<Range>1-2</Range><Range>0</Range>", "does not lie behind" },
		{ COUNTS("4"), "<Range>0-2</Range><Range>2</Range>", "does not lie behind" },
		{ COUNTS("1"), "<Range>10</Range>", "outside of the image" },
		{ COUNTS("11"), "<Range>0-10</Range>", "outside of the image" },
		{ COUNTS("1"), "<Range>9007199254740991</Range>", "outside of the image" },
		{ COUNTS("1"), "<Range>9007199254740992</Range>", "no number of a block" },
		{ COUNTS("1"), "<Range>-1</Range>", "no number of a block" },
		{ COUNTS("1"), "<Range>1-</Range>", "no number of a block" },
		{ COUNTS("1"), "<Range>1-2-3</Range>", "no number of a block" },
		{ COUNTS("1"), "<Range>0x1</Range>", "no number of a block" },
		{ COUNTS("1"), "<Range>1 2</Range>", "no number of a block" },
		{ COUNTS("1"), "<Range></Range>", "no number of a block" },
		{ COUNTS("1"), "<Range>3-1</Range>", "ends before it begins" },
		{ COUNTS("2"), "<Range>0</Range>", "MappedBlocksCount" },
		{ COUNTS("0"), "<Range>0</Range>", "MappedBlocksCount" },
		{ COUNTS("1"), "<Range chksum=\"abc\">0</Range>", "no hexadecimal" },
		{ COUNTS("1"), "<Range chksum=\"zz\">0</Range>", "no hexadecimal" },
		{ COUNTS("1"), "<Range chksum=\"abcd\">0</Range>", "of another type" },
		{ COUNTS("1"), "<Range><b/>0</Range>", "something else than a value" },
		{ COUNTS("1") "<BlockSize>4096</BlockSize>", "<Range>0</Range>", "there twice" },
		{ "<ImageSize>40000</ImageSize><BlockSize>4096</BlockSize>"
		  "<MappedBlocksCount>1</MappedBlocksCount>",
		  "<Range>0</Range>", "no BlocksCount" },
		{ "<ImageSize>40000</ImageSize><BlockSize>4096</BlockSize>"
		  "<BlocksCount>9</BlocksCount><MappedBlocksCount>1</MappedBlocksCount>",
		  "<Range>0</Range>", "contradict" },
		{ "<ImageSize>0</ImageSize><BlockSize>4096</BlockSize>"
		  "<BlocksCount>0</BlocksCount><MappedBlocksCount>0</MappedBlocksCount>",
		  "", "ImageSize is 0" },
		{ "<ImageSize>40000</ImageSize><BlockSize>0</BlockSize>"
		  "<BlocksCount>10</BlocksCount><MappedBlocksCount>1</MappedBlocksCount>",
		  "<Range>0</Range>", "BlockSize" },
		{ "<ImageSize>40000</ImageSize><BlockSize>1000</BlockSize>"
		  "<BlocksCount>40</BlocksCount><MappedBlocksCount>1</MappedBlocksCount>",
		  "<Range>0</Range>", "BlockSize" },
		{ "<ImageSize>lots</ImageSize>", "", "ImageSize is no number" },
		{ "<ImageSize>99999999999999999999999</ImageSize>", "", "ImageSize is no number" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct bmap *map = parse(map_of(bad[i].counts, bad[i].ranges));

		CHECK(!map);
		CHECK(last.kind == ERROR_IMAGE);
		if (!strstr(last.msg, bad[i].why)) {
			printf("# %zu: \"%s\", not \"%s\"\n", i, last.msg, bad[i].why);
			CHECK(!"the reason");
		}
		bmap_free(map);
	}
}

static void check_bad(const char *s, const char *why)
{
	struct bmap *map = parse(s);

	CHECK(!map);
	if (!strstr(last.msg, why)) {
		printf("# \"%s\", not \"%s\"\n", last.msg, why);
		CHECK(!"the reason");
	}
	bmap_free(map);
}

static void test_own_checksum(void)
{
	char *s = good_map(), *at = strstr(s, "comment");

	at[0] = 'k';
	check_bad(s, "its own checksum is wrong");
	at[0] = 'c';
	at = strstr(s, "<BmapFileChecksum> ") + 19;
	at[5] = at[5] == '0' ? '1' : '0';
	check_bad(s, "its own checksum is wrong");
	/* Upper case is the same number. */
	s = good_map();
	at = strstr(s, "<BmapFileChecksum> ") + 19;
	for (int i = 0; i < 64; i++)
		if (at[i] >= 'a')
			at[i] = (char)(at[i] - 32);
	bmap_free(parse(s));
	CHECK(last.kind == ERROR_NONE);
	/* Not even an empty one passes, nor one that an element hides. */
	snprintf(text, sizeof(text),
		 "<bmap version=\"2.0\">" COUNTS("0") "<ChecksumType>sha256</ChecksumType>"
						      "<BmapFileChecksum/><BlockMap/></bmap>");
	check_bad(text, "its own checksum is wrong");
	snprintf(text, sizeof(text),
		 "<bmap version=\"2.0\">" COUNTS("0") "<ChecksumType>sha256</ChecksumType>"
						      "<BlockMap></BlockMap></bmap>");
	check_bad(text, "no BmapFileChecksum");
	snprintf(text, sizeof(text),
		 "<bmap version=\"1.3\">" COUNTS("0") "<BlockMap></BlockMap></bmap>");
	check_bad(text, "no BmapFileSHA1");
	snprintf(text, sizeof(text),
		 "<bmap version=\"2.0\">" COUNTS("0") "<BmapFileChecksum>0</BmapFileChecksum>"
						      "<BlockMap></BlockMap></bmap>");
	check_bad(text, "no ChecksumType");
	snprintf(text, sizeof(text),
		 "<bmap version=\"2.0\">" COUNTS("0") "<ChecksumType>crc32</ChecksumType>"
						      "<BmapFileChecksum>0</BmapFileChecksum>"
						      "<BlockMap></BlockMap></bmap>");
	check_bad(text, "checksum type 'crc32'");
}

static void test_versions_and_xml(void)
{
	check_bad("", "no XML");
	check_bad("no xml at all", "no XML");
	check_bad("<bmap version=\"2.0\">", "no XML");
	check_bad("<html></html>", "no <bmap>");
	check_bad("<bmap></bmap>", "version of the format is missing");
	check_bad("<bmap version=\"1.2\"/>", "version 1.2");
	check_bad("<bmap version=\"3.0\"/>", "version 3.0");
	check_bad("<bmap version=\"2.0\033[2J\"/>", "no XML");
	check_bad("<bmap version=\"2.0\"><BlockMap/></bmap>", "no ImageSize");
	check_bad("-----BEGIN PGP SIGNED MESSAGE-----\n", "gpg --decrypt");
	check_bad("<bmap version=\"2.0\"><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
		  "too deeply");
}

/* Declared, they could grow without end or name other files: there is no need of them. */
static void test_no_entities(void)
{
	check_bad("<!DOCTYPE bmap [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]>"
		  "<bmap version=\"2.0\"><ImageSize>&b;</ImageSize></bmap>",
		  "DOCTYPE");
	check_bad("<!DOCTYPE bmap SYSTEM \"file:///etc/passwd\"><bmap version=\"2.0\"/>",
		  "DOCTYPE");
	check_bad("<bmap version=\"2.0\"><ImageSize>&x;</ImageSize></bmap>", "no XML");
}

static void test_limits(void)
{
	static char many[BMAP_MAX_FILE + 64];
	struct bmap *map = NULL;
	size_t n = 0;

	n += (size_t)sprintf(many, "<bmap version=\"2.0\"><BlockMap>");
	for (int i = 0; i <= BMAP_MAX_RANGES; i++)
		n += (size_t)sprintf(many + n, "<Range>%d</Range>", i);
	check_bad(many, "more than 65536 ranges");
	memset(many, ' ', sizeof(many));
	last = (struct error)ERROR_INIT;
	CHECK(bmap_parse(many, BMAP_MAX_FILE + 1, &map, &last) < 0);
	CHECK(strstr(last.msg, "larger than 16 MiB") != NULL);
	n = (size_t)sprintf(many, "<bmap version=\"2.0\"><ImageSize>");
	memset(many + n, '1', 1000);
	strcpy(many + n + 1000, "</ImageSize></bmap>");
	check_bad(many, "ImageSize is too long");
}

/* The image in pieces of every size, with and without what is not mapped. */
static void test_image_against_its_map(void)
{
	struct bmap *map = parse(good_map());
	struct error err = ERROR_INIT;
	struct bmap_check *c;

	CHECK(map && bmap_check_new(map, "x.img", &c, &err) == 0);
	if (!map)
		return;
	for (size_t piece = 1; piece < 3 * IMAGE_SIZE; piece = piece * 3 + 1) {
		for (size_t off = 0; off < IMAGE_SIZE; off += piece) {
			size_t len = (size_t)num_min(piece, IMAGE_SIZE - off);

			CHECK(bmap_check_feed(c, off, image + off, len, &err) == 0);
		}
		CHECK(bmap_check_end(c, IMAGE_SIZE, &err) == 0);
	}
	for (size_t i = 0; i < map->n_ranges; i++)
		CHECK(bmap_check_feed(c, map->ranges[i].start, image + map->ranges[i].start,
				      map->ranges[i].len, &err) == 0);
	CHECK(bmap_check_end(c, IMAGE_SIZE, &err) == 0);
	/* What is not mapped may be anything, what is mapped may not. */
	image[4096]++;
	CHECK(bmap_check_feed(c, 0, image, IMAGE_SIZE, &err) == 0);
	image[20479]++;
	CHECK(bmap_check_feed(c, 0, image, IMAGE_SIZE, &err) < 0);
	CHECK(err.kind == ERROR_IMAGE && strstr(err.msg, "x.img") &&
	      strstr(err.msg, "blocks 2-4") && strstr(err.msg, "bytes 8,192 to 20,479"));
	image[4096]--;
	image[20479]--;
	err = (struct error)ERROR_INIT;
	CHECK(bmap_check_feed(c, 0, image, 1000, &err) == 0);
	CHECK(bmap_check_end(c, 1000, &err) < 0 && strstr(err.msg, "1,000 bytes"));
	err = (struct error)ERROR_INIT;
	CHECK(bmap_check_feed(c, IMAGE_SIZE, image, 1, &err) < 0 && !strcmp(err.code, "bmap-size"));
	/* A part of a range that was left out is nobody's silent loss. */
	err = (struct error)ERROR_INIT;
	CHECK(bmap_check_feed(c, 0, image, 9000, &err) == 0);
	CHECK(bmap_check_feed(c, 10000, image, 100, &err) < 0 && err.kind == ERROR_INTERNAL);
	bmap_check_free(c);
	bmap_free(map);
}

static void touch(const char *dir, const char *name, char *path, size_t size)
{
	FILE *f;

	snprintf(path, size, "%s/%s", dir, name);
	f = fopen(path, "w");
	CHECK(f && fclose(f) == 0);
}

static void test_beside(void)
{
	char dir[] = "/tmp/isowrite-bmap-XXXXXX", img[64], packed[64], own[64], base[64], buf[128];

	CHECK(mkdtemp(dir) != NULL);
	touch(dir, "a.img", img, sizeof(img));
	touch(dir, "a.img.xz", packed, sizeof(packed));
	CHECK(!bmap_find_beside(img, buf, sizeof(buf)));
	CHECK_STR(buf, "");
	touch(dir, "a.img.bmap", base, sizeof(base));
	CHECK(bmap_find_beside(img, buf, sizeof(buf)));
	CHECK_STR(buf, base);
	CHECK(bmap_find_beside(packed, buf, sizeof(buf)));
	CHECK_STR(buf, base);
	touch(dir, "a.img.xz.bmap", own, sizeof(own));
	CHECK(bmap_find_beside(packed, buf, sizeof(buf)));
	CHECK_STR(buf, own);
	CHECK(!bmap_find_beside("-", buf, sizeof(buf)));
	CHECK(!bmap_find_beside(dir, buf, sizeof(buf)));
	unlink(img);
	unlink(packed);
	unlink(own);
	unlink(base);
	rmdir(dir);
}

static void test_open(void)
{
	char path[] = "/tmp/isowrite-bmap-XXXXXX";
	struct error err = ERROR_INIT;
	struct bmap *map = NULL;
	int fd = mkstemp(path);
	char *s = good_map();

	CHECK(write(fd, s, strlen(s)) == (ssize_t)strlen(s));
	CHECK(bmap_open(path, &map, &err) == 0 && map && map->n_ranges == 3);
	bmap_free(map);
	CHECK(ftruncate(fd, 100) == 0);
	CHECK(bmap_open(path, &map, &err) < 0 && err.kind == ERROR_IMAGE && strstr(err.msg, path));
	close(fd);
	unlink(path);
	err = (struct error)ERROR_INIT;
	CHECK(bmap_open(path, &map, &err) < 0 && err.kind == ERROR_USAGE);
	err = (struct error)ERROR_INIT;
	CHECK(bmap_open("/tmp", &map, &err) < 0 && err.kind == ERROR_USAGE);
}

int main(void)
{
	struct error err = ERROR_INIT;
	struct bmap *map;

	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i * 7 + i / 256);
	if (bmap_parse("", 0, &map, &err) < 0 && err.kind == ERROR_LACKING) {
		printf("1..0 # SKIP built without expat\n");
		return 0;
	}
	RUN(test_version_2);
	RUN(test_other_versions_and_algorithms);
	RUN(test_ranges_without_checksum);
	RUN(test_rejects);
	RUN(test_own_checksum);
	RUN(test_versions_and_xml);
	RUN(test_no_entities);
	RUN(test_limits);
	RUN(test_image_against_its_map);
	RUN(test_beside);
	RUN(test_open);
	return tap_done();
}
