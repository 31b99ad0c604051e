// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * image/secure-boot: from the FAT image of the fuzzing corpus (BOOTX64.EFI, signed here, and
 * GRUBX64.EFI, unsigned; SBAT "loader" 3) and lists that are made here to verdicts. Runs in the
 * top folder.
 */
#include "image/secure-boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image_util.h"
#include "memory-source.h"
#include "tap.h"

#define IMAGE "tests/fuzz/corpus/secureboot/fat-image"
#define SIZE 65536U
#define SECTOR 2048U
#define DB "db-d719b2cb-3d3a-4596-a3bc-dad00e67656f"
#define DBX "dbx-d719b2cb-3d3a-4596-a3bc-dad00e67656f"
#define SBAT_LEVEL "SbatLevelRT-605dab50-e046-4300-abb6-3dd810dd8b23"
#define SHA256_TYPE "\x26\x16\xc4\xc1\x4c\x50\x92\x40\xac\xa9\x41\xf9\x36\x93\x43\x28"

static uint8_t image[SIZE];
static char dir[] = "/tmp/isowrite-secure-boot.XXXXXX";
static struct secure_boot sb;
static struct layout lay;

/* The form is that of fuzz/sparse.h, behind a byte that says so. */
static void read_image(void)
{
	uint8_t data[8192];
	FILE *f = fopen(IMAGE, "rb");
	size_t len = f ? fread(data, 1, sizeof(data), f) : 0;

	CHECK(len > 3);
	if (f)
		fclose(f);
	memset(image, 0, sizeof(image));
	for (size_t at = 3; at + 4 < len;) {
		size_t lba = data[at] | data[at + 1] << 8, n = data[at + 2] | data[at + 3] << 8;

		CHECK(lba * SECTOR + n <= SIZE && at + 4 + n <= len);
		memcpy(image + lba * SECTOR, data + at + 4, n);
		at += 4 + n;
	}
}

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put_file(const char *name, const void *data, size_t len)
{
	FILE *f = fopen(path_of(name), "wb");

	CHECK(f && fwrite(data, 1, len, f) == len);
	if (f)
		fclose(f);
}

/* A variable with a list of one hash. */
static void put_hash(const char *name, const uint8_t hash[32])
{
	uint8_t buf[4 + 28 + 48] = { 0x27 };

	memcpy(buf + 4, SHA256_TYPE, 16);
	put_le32(buf + 20, 28 + 48);
	put_le32(buf + 28, 48);
	memcpy(buf + 48, hash, 32);
	put_file(name, buf, sizeof(buf));
}

static const struct secure_file *find(const char *name)
{
	for (size_t i = 0; i < sb.n_files; i++)
		if (strstr(sb.files[i].path, name))
			return &sb.files[i];
	return NULL;
}

/* Looks at the image; returns BOOTX64.EFI. */
static const struct secure_file *look(const char *dbx)
{
	static const struct secure_file none;
	struct memory_source m = { image, SIZE };
	struct source *src = memory_source_new(&m, SIZE);
	struct error err = ERROR_INIT;
	const struct secure_file *file;

	secure_boot_done(&sb);
	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	CHECK(secure_boot_look(src, &lay, false, dir, dbx, &sb, &err) == 0);
	source_free(src);
	CHECK(sb.is_looked_at && sb.is_complete);
	file = find("BOOTX64");
	CHECK(file != NULL);
	return file ? file : &none;
}

static void start(void)
{
	unlink(path_of(DB));
	unlink(path_of(DBX));
	unlink(path_of(SBAT_LEVEL));
	read_image();
}

static void test_signed_and_unsigned(void)
{
	const struct secure_file *f;

	start();
	f = look(NULL);
	CHECK_U64(sb.n_files, 2);
	CHECK(f->verdict == SECURE_SIGNED && f->n_signers == 1 && f->n_reasons == 0);
	CHECK_STR(f->path, "/EFI/BOOT/BOOTX64.EFI");
	CHECK_STR(f->signers[0].subject, "Loader signer one");
	CHECK(f->signers[0].match == SECURE_MATCHES && f->digest.len == 32);
	CHECK(f->n_where == 1 && f->where[0].place == EFI_IN_DISK);
	CHECK(f->n_sbat == 2 && f->sbat[1].generation == 3);
	CHECK_STR(f->sbat[1].component, "loader");
	CHECK(!sb.has_dbx && !sb.has_db && !sb.has_sbat_level);
	f = find("GRUBX64");
	CHECK(f && f->verdict == SECURE_UNSIGNED && f->n_signers == 0);
}

static void test_changed_byte(void)
{
	uint8_t *code;
	const struct secure_file *f;

	start();
	/* xor eax,eax; ret: the first program's code. */
	code = memmem(image, SIZE, "\x31\xc0\xc3\x90", 4);
	CHECK(code != NULL);
	if (!code)
		return;
	code[100] ^= 1;
	f = look(NULL);
	CHECK(f->verdict == SECURE_MAY_BE_REFUSED && f->signers[0].match == SECURE_DIFFERS);
	CHECK_STR(f->reasons[0],
		  "what Loader signer one signed is not this file: it was changed or is damaged");
}

static void test_revoked_hash(void)
{
	const struct secure_file *f;
	uint8_t hash[32];

	start();
	memcpy(hash, look(NULL)->digest.value, sizeof(hash));
	put_hash(DBX, hash);
	f = look(NULL);
	CHECK(sb.has_dbx && f->verdict == SECURE_MAY_BE_REFUSED && f->n_reasons == 1);
	CHECK_STR(f->reasons[0], "revoked by its hash in this machine's dbx");
	f = look(path_of(DBX));
	CHECK(f->n_reasons == 2 && strstr(f->reasons[1], "dbx-d719"));
	hash[31] ^= 1;
	put_hash(DBX, hash);
	CHECK(look(NULL)->verdict == SECURE_SIGNED);
}

static void test_db(void)
{
	const struct secure_file *f;
	uint8_t hash[32];

	start();
	memcpy(hash, look(NULL)->digest.value, sizeof(hash));
	put_hash(DB, hash);
	CHECK(look(NULL)->verdict == SECURE_SIGNED && sb.has_db);
	hash[0] ^= 1;
	put_hash(DB, hash);
	f = look(NULL);
	CHECK(f->verdict == SECURE_MAY_BE_REFUSED);
	CHECK_STR(f->reasons[0], "none of its signers is known to this machine's db");
}

/* Shim looks at the level, for itself and what it loads; this first program is no shim. */
static void test_sbat_level(void)
{
	static const char level[] = "\7\0\0\0sbat,1,2030010100\nloader,4\n";

	start();
	put_file(SBAT_LEVEL, level, sizeof(level) - 1);
	CHECK(look(NULL)->verdict == SECURE_SIGNED && sb.has_sbat_level);
	for (uint8_t *p = image; (p = memmem(p, (size_t)(image + SIZE - p), "loader,3", 8));)
		memcpy(p, "shim,3,,", 8);
	put_file(SBAT_LEVEL, "\7\0\0\0shim,4\n", 11);
	/* Changing it has broken the signature as well. */
	CHECK(look(NULL)->n_reasons == 2);
	put_file(SBAT_LEVEL, "\7\0\0\0shim,3\n", 11);
	CHECK(look(NULL)->n_reasons == 1);
}

static void test_chain_of_clusters(void)
{
	const struct secure_file *f;

	start();
	/* The first FAT, 1.5 bytes a cluster: the links of 4 and on lead into a circle. */
	memset(image + 512 + 6, 0, 6);
	f = look(NULL);
	CHECK(f->verdict == SECURE_UNKNOWN && f->n_signers == 0);
	CHECK_STR(f->reasons[0], "its file system does not say where it lies");
}

static void test_given_list(void)
{
	struct memory_source m = { image, SIZE };
	struct source *src = memory_source_new(&m, SIZE);
	struct error err = ERROR_INIT;

	start();
	put_file("text", "no list at all, but some text\n", 30);
	CHECK(secure_boot_look(src, &lay, false, dir, path_of("text"), &sb, &err) == -1);
	CHECK(err.kind == ERROR_USAGE);
	CHECK(secure_boot_look(src, &lay, false, dir, path_of("absent"), &sb, &err) == -1);
	CHECK(err.kind == ERROR_USAGE);
	CHECK(secure_boot_look(src, &lay, false, dir, dir, &sb, &err) == -1);
	unlink(path_of("text"));
	source_free(src);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	RUN(test_signed_and_unsigned);
	RUN(test_changed_byte);
	RUN(test_revoked_hash);
	RUN(test_db);
	RUN(test_sbat_level);
	RUN(test_chain_of_clusters);
	RUN(test_given_list);
	start();
	rmdir(dir);
	secure_boot_done(&sb);
	return tap_done();
}
