// SPDX-License-Identifier: GPL-3.0-or-later
/* The tables of commands and options, and the setters of their values; see opts.h. */
#include "cli/opts.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/guid.h"
#include "base/num.h"
#include "base/text.h"
#include "io/device.h"

#define MAX_SIZE (1ULL << 53) /* what a number in JSON holds */
#define MAX_TIMEOUT 86400
#define MIN_MEMORY (64 * MIB)
#define MAX_MEMORY (256 * GIB)

const struct command_row command_table[N_COMMANDS] = {
	[COMMAND_WRITE] = { "write", "IMAGE TARGET...", _("write, read back, compare"), 1,
			    SIZE_MAX },
	[COMMAND_PLAN] = { "plan", "IMAGE [TARGET...]", _("what would be written where, and why"),
			   1, SIZE_MAX },
	[COMMAND_INSPECT] = { "inspect", "IMAGE|DEVICE", _("what it is, and where it boots"), 1,
			      1 },
	[COMMAND_DEVICES] = { "devices", "", _("sticks, and why other disks are refused"), 0, 0 },
	[COMMAND_CHECK] = { "check", "IMAGE|RECEIPT TARGET",
			    _("does the stick still hold that image?"), 2, 2 },
	[COMMAND_VERIFY] = { "verify", "IMAGE...", _("is this what its makers published?"), 1,
			     SIZE_MAX },
	[COMMAND_FORMAT] = { "format", "TARGET...", _("one empty volume of full size, for files"),
			     1, SIZE_MAX },
	[COMMAND_READ] = { "read", "DEVICE -o FILE", _("a stick or a disc into a file"), 1, 1 },
	[COMMAND_BOOT_TEST] = { "boot-test", "IMAGE|DEVICE",
				_("boot it in a virtual machine, unchanged"), 1, 1 },
	[COMMAND_REPORT] = { "report", "[DEVICE]", _("facts for a bug report"), 0, 1 },
};

const char *const command_reserved[] = {
	"ls",   "cat",  "extract", "mount", "create",
	"burn",      "umount", "keys", "undo", "multi",   NULL,
};

/* Chooses among words: returns the index, or sets err. */
static int choose(const char *option, const char *value, const char *const words[], size_t n,
		  struct error *err)
{
	char quoted[64], list[128] = "";
	const char *near;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(list);

		if (strcmp(words[i], value) == 0)
			return (int)i;
		snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "", words[i]);
	}
	text_escape_trim(value, quoted, sizeof(quoted));
	near = text_nearest(value, words, n);
	if (near)
		return error_set(err, ERROR_USAGE, "bad-value",
				 _("%s cannot be '%s'; did you mean '%s'?"), option, quoted, near);
	return error_set(err, ERROR_USAGE, "bad-value", _("%s cannot be '%s'; it may be: %s."),
			 option, quoted, list);
}

#define FLAG_SETTER(member)                                                              \
	static int set_##member(struct options *o, const char *value, struct error *err) \
	{                                                                                \
		(void)value;                                                             \
		(void)err;                                                               \
		o->member = true;                                                        \
		return 0;                                                                \
	}

FLAG_SETTER(yes)
FLAG_SETTER(dry_run)
FLAG_SETTER(fix_gpt)
FLAG_SETTER(bmap_zero)
FLAG_SETTER(no_verify)
FLAG_SETTER(unmount)
FLAG_SETTER(keep_going)
FLAG_SETTER(overwrite)
FLAG_SETTER(strict)
FLAG_SETTER(full)
FLAG_SETTER(all)
FLAG_SETTER(list)
FLAG_SETTER(report)
FLAG_SETTER(bytes)
FLAG_SETTER(quiet)
FLAG_SETTER(no_sums)
FLAG_SETTER(used)
FLAG_SETTER(secure_boot)
FLAG_SETTER(gui)

static int set_verbose(struct options *o, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	o->verbose++;
	return 0;
}

static int set_mode(struct options *o, const char *value, struct error *err)
{
	static const char *const words[] = { "auto", "raw", "hybrid" };
	int i = choose("--mode", value, words, ARRAY_SIZE(words), err);

	if (i >= 0)
		o->mode = words[i];
	return i < 0 ? -1 : 0;
}

/* Any catalog's number; whether it is one of this image's only the image tells. */
static int set_boot_entry(struct options *o, const char *value, struct error *err)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = isdigit((unsigned char)value[0]) ? strtoul(value, &end, 10) : 0;
	if (n == 0 || n > UINT16_MAX || *end || errno)
		return error_set(err, ERROR_USAGE, "bad-boot-entry",
				 _("--boot-entry wants the number of a boot entry for BIOS, as "
				   "isowrite inspect lists them."));
	o->boot_entry = (uint32_t)n;
	return 0;
}

static int set_strict_gpt(struct options *o, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	o->strict_gpt = true;
	return 0;
}

static int set_add_boot(struct options *o, const char *value, struct error *err)
{
	static const char *const kinds[] = { "efi:", "bios:" };
	const char **paths[] = { &o->add_efi, &o->add_bios };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = strlen(kinds[i]);

		if (strncmp(value, kinds[i], len) != 0 || !value[len])
			continue;
		if (*paths[i])
			return error_set(err, ERROR_USAGE, "add-boot-twice",
					 _("--add-boot=%s can be given once."), kinds[i]);
		*paths[i] = value + len;
		return 0;
	}
	return error_set(err, ERROR_USAGE, "bad-value",
			 _("--add-boot wants what to add and its file: efi:FILE or bios:FILE."));
}

static int set_require(struct options *o, const char *value, struct error *err)
{
	static const char *const words[] = { "digest", "none" };
	int i;

	if (strcmp(value, "signature") == 0)
		return error_set(err, ERROR_USAGE, "not-in-this-version",
				 _("--require=signature is not in this version of isowrite, which "
				   "does not check signatures; --require=digest is."));
	i = choose("--require", value, words, ARRAY_SIZE(words), err);
	if (i >= 0)
		o->require = words[i];
	return i < 0 ? -1 : 0;
}

static int set_type(struct options *o, const char *value, struct error *err)
{
	static const char *const words[] = { "fat32", "exfat", "ext4" };
	int i = choose("--type", value, words, ARRAY_SIZE(words), err);

	if (i >= 0)
		o->type = i == 0 ? FORMAT_FAT32 : i == 1 ? FORMAT_EXFAT : FORMAT_EXT4;
	return i < 0 ? -1 : 0;
}

static int set_table(struct options *o, const char *value, struct error *err)
{
	static const char *const words[] = { "mbr", "gpt" };
	int i = choose("--table", value, words, ARRAY_SIZE(words), err);

	if (i >= 0)
		o->table = i == 0 ? FORMAT_TABLE_MBR : FORMAT_TABLE_GPT;
	return i < 0 ? -1 : 0;
}

static int set_label(struct options *o, const char *value, struct error *err)
{
	(void)err;
	o->label = value; /* what it may be depends on the type, and so on the stick */
	return 0;
}

static int set_progress(struct options *o, const char *value, struct error *err)
{
	static const char *const words[] = { "auto", "bar", "lines", "none" };
	int i = choose("--progress", value, words, ARRAY_SIZE(words), err);

	if (i >= 0)
		o->progress = (enum progress_mode)i;
	return i < 0 ? -1 : 0;
}

static int set_color(struct options *o, const char *value, struct error *err)
{
	static const char *const words[] = { "auto", "always", "never" };
	int i = choose("--color", value, words, ARRAY_SIZE(words), err);

	if (i >= 0)
		o->color = (enum color_mode)i;
	return i < 0 ? -1 : 0;
}

static int set_json(struct options *o, const char *value, struct error *err)
{
	static const char *const words[] = { "object", "lines" };
	int i;

	o->json = JSON_OBJECT; /* also the report that the value is wrong is JSON */
	if (!value)
		return 0;
	i = choose("--json", value, words, ARRAY_SIZE(words), err);
	if (i == 1)
		o->json = JSON_LINES;
	return i < 0 ? -1 : 0;
}

static int keep_digest(struct options *o, const struct digest *d, struct error *err)
{
	if (o->n_want == OPTIONS_MAX_DIGESTS)
		return error_set(err, ERROR_USAGE, "too-many-digests",
				 _("At most %d digests can be given."), OPTIONS_MAX_DIGESTS);
	o->want[o->n_want++] = *d;
	return 0;
}

/* Says why text is no digest; alg NULL: none was named. */
static int fail_digest(const char *option, const char *alg, const char *text, struct error *err)
{
	size_t len = strlen(text), n_hex = strspn(text, "0123456789abcdefABCDEF");

	if (n_hex < len && !alg)
		return error_set(err, ERROR_USAGE, "bad-digest",
				 _("%s wants hexadecimal digits; character %zu is none."), option,
				 n_hex + 1);
	if (!alg)
		return error_set(
			err, ERROR_USAGE, "bad-digest",
			_("%s: %zu digits are no digest that isowrite knows (SHA-256 has 64)."),
			option, len);
	return error_set(err, ERROR_USAGE, "bad-digest",
			 _("%s: a %s digest has %zu hexadecimal digits, or %zu characters of base64; "
			   "this is neither."),
			 option, alg, 2 * hash_alg_size(alg), (hash_alg_size(alg) + 2) / 3 * 4);
}

static int set_sha256(struct options *o, const char *value, struct error *err)
{
	struct digest d;

	if (strlen(value) != 2 * HASH_SHA256_SIZE)
		return error_set(err, ERROR_USAGE, "bad-digest",
				 _("--sha256 wants 64 hexadecimal digits, not %zu characters."),
				 strlen(value));
	if (digest_parse("sha256", value, strlen(value), &d) < 0)
		return fail_digest("--sha256", NULL, value, err);
	return keep_digest(o, &d, err);
}

/* The algorithm that the first len characters name, or NULL. */
static const char *alg_of(const char *value, size_t len)
{
	char name[32];

	if (len >= sizeof(name))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)len, value);
	return hash_alg_name(name);
}

/* sha256-BASE64=: names of algorithms may hold a dash, and so may base64. 1: it is one. */
static int parse_sri(const char *value, struct digest *ret)
{
	for (const char *dash = strchr(value, '-'); dash; dash = strchr(dash + 1, '-')) {
		const char *alg = alg_of(value, (size_t)(dash - value));

		if (alg && digest_parse(alg, dash + 1, strlen(dash + 1), ret) == 0)
			return 1;
	}
	return 0;
}

static int set_digest(struct options *o, const char *value, struct error *err)
{
	const char *colon = strchr(value, ':'), *alg;
	char name[64], quoted[64];
	struct digest d;

	if (!colon) {
		if (parse_sri(value, &d) || digest_parse(NULL, value, strlen(value), &d) == 0)
			return keep_digest(o, &d, err);
		colon = strchr(value, '-');
		alg = colon ? alg_of(value, (size_t)(colon - value)) : NULL;
		return fail_digest("--digest", alg, alg ? colon + 1 : value, err);
	}
	alg = alg_of(value, (size_t)(colon - value));
	if (!alg) {
		snprintf(name, sizeof(name), "%.*s", (int)num_min((uint64_t)(colon - value), 31),
			 value);
		return error_set(err, ERROR_USAGE, "bad-digest",
				 _("--digest: no digest algorithm is called '%s'; try sha256."),
				 text_escape_trim(name, quoted, sizeof(quoted)));
	}
	if (digest_parse(alg, colon + 1, strlen(colon + 1), &d) < 0)
		return fail_digest("--digest", alg, colon + 1, err);
	return keep_digest(o, &d, err);
}

static int fail_rule(const char *name, struct error *err)
{
	static const char *const words[] = { "internal", "contents", "large", "partition",
					     "truncated" };
	const char *near = text_nearest(name, words, ARRAY_SIZE(words));
	char quoted[64];

	text_escape_trim(name, quoted, sizeof(quoted));
	if (near)
		return error_set(err, ERROR_USAGE, "bad-rule",
				 _("--allow: no safety rule is called '%s'; did you mean '%s'?"),
				 quoted, near);
	return error_set(err, ERROR_USAGE, "bad-rule",
			 _("--allow: no safety rule is called '%s'; internal, contents, large, "
			   "partition and truncated can be allowed."),
			 quoted);
}

static int allow_one(struct options *o, const char *name, struct error *err)
{
	enum device_rule rule;

	if (strcmp(name, "truncated") == 0) {
		o->allow_truncated = true;
		return 0;
	}
	if (device_rule_by_name(name, &rule) < 0)
		return fail_rule(name, err);
	switch (device_rule_lift(rule)) {
	case LIFT_ALLOW:
	case LIFT_TYPE_SIZE:
		o->allow |= 1u << rule;
		return 0;
	case LIFT_QUESTION:
		return error_set(
			err, ERROR_USAGE, "bad-rule",
			_("--allow=%s is not the way: --unmount unmounts what is mounted."),
			device_rule_name(rule));
	case LIFT_FILE_PREFIX:
		return error_set(err, ERROR_USAGE, "bad-rule",
				 _("--allow=%s is not the way: write the target as file:PATH."),
				 device_rule_name(rule));
	case LIFT_NEVER:
		break;
	}
	return error_set(err, ERROR_USAGE, "bad-rule", _("The safety rule %s cannot be lifted."),
			 device_rule_name(rule));
}

static int set_allow(struct options *o, const char *value, struct error *err)
{
	while (true) {
		size_t len = strcspn(value, ",");
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)num_min(len, sizeof(name) - 1), value);
		if (allow_one(o, name, err) < 0)
			return -1;
		if (value[len] == '\0')
			return 0;
		value += len + 1;
	}
}

static int set_path(const char **member, const char *option, const char *value, struct error *err)
{
	if (value[0] == '\0')
		return error_set(err, ERROR_USAGE, "empty-value",
				 _("%s wants a path, not nothing."), option);
	*member = value;
	return 0;
}

static int set_sums(struct options *o, const char *value, struct error *err)
{
	return set_path(&o->sums, "--sums", value, err);
}

static int set_receipt(struct options *o, const char *value, struct error *err)
{
	return set_path(&o->receipt, "--receipt", value, err);
}

static int set_dbx(struct options *o, const char *value, struct error *err)
{
	return set_path(&o->dbx, "--dbx", value, err);
}

static int set_svg(struct options *o, const char *value, struct error *err)
{
	return set_path(&o->svg, "--svg", value, err);
}

static int set_bmap(struct options *o, const char *value, struct error *err)
{
	return set_path(&o->bmap, "--bmap", value, err);
}

static int set_output(struct options *o, const char *value, struct error *err)
{
	return set_path(&o->output, "--output", value, err);
}

static int set_backup(struct options *o, const char *value, struct error *err)
{
	return set_path(&o->backup, "--backup", value, err);
}

static int set_compress(struct options *o, const char *value, struct error *err)
{
	static const char *const words[] = { "zst", "none" };
	int i = choose("--compress", value, words, ARRAY_SIZE(words), err);

	if (i >= 0)
		o->compress = words[i];
	return i < 0 ? -1 : 0;
}

static int set_protect(struct options *o, const char *value, struct error *err)
{
	return set_path(&o->protect, "--protect", value, err);
}

static int set_unprotect(struct options *o, const char *value, struct error *err)
{
	return set_path(&o->unprotect, "--unprotect", value, err);
}

static int set_seed(struct options *o, const char *value, struct error *err)
{
	uint8_t guid[16];

	if (guid_parse(value, guid) < 0)
		return error_set(err, ERROR_USAGE, "bad-seed",
				 _("--seed wants a UUID like 6f1c2d9e-93a0-4d6b-8a2e-0f3b5c7d9e11 "
				   "(uuidgen makes one)."));
	o->seed = value;
	return 0;
}

static int set_size(struct options *o, const char *value, struct error *err)
{
	char quoted[64];
	uint64_t size;

	if (num_parse_size(value, &size, err) < 0) {
		error_prefix(err, "--size");
		return -1;
	}
	if (size == 0)
		return error_set(err, ERROR_USAGE, "bad-size", _("--size cannot be 0."));
	if (size >= MAX_SIZE)
		return error_set(err, ERROR_USAGE, "bad-size",
				 _("--size: no stick is as large as %s."),
				 text_escape_trim(value, quoted, sizeof(quoted)));
	o->size = size;
	return 0;
}

static int set_sector_size(struct options *o, const char *value, struct error *err)
{
	static const char *const words[] = { "512", "1024", "2048", "4096" };
	int i = choose("--sector-size", value, words, ARRAY_SIZE(words), err);

	if (i >= 0)
		o->sector_size = 512u << i;
	return i < 0 ? -1 : 0;
}

static int set_firmware(struct options *o, const char *value, struct error *err)
{
	static const char *const words[] = { "bios", "uefi", "all" };
	int i = choose("--firmware", value, words, ARRAY_SIZE(words), err);

	if (i >= 0)
		o->firmwares = i == 2 ? 3 : 1u << i;
	return i < 0 ? -1 : 0;
}

static int set_as(struct options *o, const char *value, struct error *err)
{
	static const char *const words[] = { "stick", "cd" };
	int i = choose("--as", value, words, ARRAY_SIZE(words), err);

	if (i >= 0)
		o->as_cd = i == 1;
	return i < 0 ? -1 : 0;
}

static int set_expect(struct options *o, const char *value, struct error *err)
{
	if (value[0] == '\0')
		return error_set(err, ERROR_USAGE, "empty-value",
				 _("--expect wants a text to wait for, not nothing."));
	o->expect = value;
	return 0;
}

static int set_screenshot(struct options *o, const char *value, struct error *err)
{
	return set_path(&o->screenshot, "--screenshot", value, err);
}

static int set_timeout(struct options *o, const char *value, struct error *err)
{
	size_t digits = strspn(value, "0123456789");
	long seconds = digits > 0 && digits < 6 && !value[digits] ? atol(value) : 0;

	if (seconds < 1 || seconds > MAX_TIMEOUT)
		return error_set(err, ERROR_USAGE, "bad-value",
				 _("--timeout wants seconds, 1 to %d."), MAX_TIMEOUT);
	o->timeout = (double)seconds;
	return 0;
}

static int set_memory(struct options *o, const char *value, struct error *err)
{
	uint64_t size;

	if (num_parse_size(value, &size, err) < 0) {
		error_prefix(err, "--memory");
		return -1;
	}
	if (size < MIN_MEMORY || size > MAX_MEMORY)
		return error_set(err, ERROR_USAGE, "bad-value",
				 _("--memory wants a size from 64 MiB to 256 GiB."));
	o->memory = size;
	return 0;
}

#define W (1u << COMMAND_WRITE)
#define P (1u << COMMAND_PLAN)
#define I (1u << COMMAND_INSPECT)
#define D (1u << COMMAND_DEVICES)
#define C (1u << COMMAND_CHECK)
#define V (1u << COMMAND_VERIFY)
#define F (1u << COMMAND_FORMAT)
#define R (1u << COMMAND_REPORT)
#define RD (1u << COMMAND_READ)
#define B (1u << COMMAND_BOOT_TEST)
#define EVERY (W | P | I | D | C | V | F | R | RD | B)

/* help and version have no setter: opts_parse() knows them. */
static const struct option_row rows[] = {
	{ 'y', "yes", NULL, 0, VALUE_NONE, NULL, W | F, true,
	  _("no question; what would be erased is still shown"), set_yes },
	{ 'n', "dry-run", NULL, 0, VALUE_NONE, NULL, W | F, true, _("like plan: touches nothing"),
	  set_dry_run },
	{ 0, "mode", "MODE", 0, VALUE_WORDS, "auto raw hybrid", W | P | C, false,
	  _("auto (default); raw: as it is; hybrid: made to boot"), set_mode },
	{ 0, "boot-entry", "N", 0, VALUE_FREE, NULL, W | P | C, false,
	  _("hybrid: which boot entry a BIOS starts"), set_boot_entry },
	{ 0, "strict-gpt", NULL, 0, VALUE_NONE, NULL, W | P | C, false,
	  _("hybrid: only what strict readers of the GPT accept"), set_strict_gpt },
	{ 0, "add-boot", "KIND:FILE", 0, VALUE_FREE, NULL, W | P | C, false,
	  _("hybrid, with a boot image more: efi:FILE, bios:FILE"), set_add_boot },
	{ 0, "fix-gpt", NULL, 0, VALUE_NONE, NULL, W | P | C, false,
	  _("move the backup GPT to the stick's end"), set_fix_gpt },
	{ 0, "bmap", "FILE|none", 0, VALUE_FILE, NULL, W | P | C, false,
	  _("a block map: write only the blocks that hold data"), set_bmap },
	{ 0, "bmap-zero", NULL, 0, VALUE_NONE, NULL, W | P | C, false,
	  _("with --bmap: zeros where it maps nothing"), set_bmap_zero },
	{ 0, "sha256", "HEX", 0, VALUE_FREE, NULL, W | V, true,
	  _("what the image must be; else nothing is written"), set_sha256 },
	{ 0, "digest", "[ALG:]VALUE", 0, VALUE_FREE, NULL, W | V, false,
	  _("the same with another digest, such as sha512:..."), set_digest },
	{ 0, "sums", "FILE", 0, VALUE_FILE, NULL, W | V, false,
	  _("the list of digests that the image must be in"), set_sums },
	{ 0, "no-sums", NULL, 0, VALUE_NONE, NULL, W | V, false,
	  _("ignore lists (SHA256SUMS ...) beside the image"), set_no_sums },
	{ 0, "require", "WHAT", 0, VALUE_WORDS, "digest none", W | V, false,
	  _("digest: only if a digest or list proves the image"), set_require },
	{ 0, "no-verify", NULL, 0, VALUE_NONE, NULL, W | F | RD, true,
	  _("do not read back: \"written, not verified\""), set_no_verify },
	{ 0, "allow", "RULE,...", 0, VALUE_LIST, "internal contents large partition truncated",
	  W | P | F, true, _("lift a safety rule by its name"), set_allow },
	{ 0, "unmount", NULL, 0, VALUE_NONE, NULL, W | F | RD, true,
	  _("unmount what is mounted (with --yes, in scripts)"), set_unmount },
	{ 0, "keep-going", NULL, 0, VALUE_NONE, NULL, W | F | RD, false,
	  _("write the other targets; read: zeros for bad sectors"), set_keep_going },
	{ 0, "receipt", "FILE", 0, VALUE_FILE, NULL, W, false,
	  _("record what was written, for check"), set_receipt },
	{ 0, "backup", "FILE", 0, VALUE_FILE, NULL, W | F, false,
	  _("read what is on the stick into FILE first"), set_backup },
	{ 'o', "output", "FILE", 0, VALUE_FILE, NULL, RD, false,
	  _("where it goes; .zst compresses, - is standard output"), set_output },
	{ 0, "used", NULL, 0, VALUE_NONE, NULL, RD, false,
	  _("only up to the end of the last partition"), set_used },
	{ 0, "compress", "HOW", 0, VALUE_WORDS, "zst none", W | F | RD, false,
	  _("zst or none, whatever FILE is called"), set_compress },
	{ 0, "overwrite", NULL, 0, VALUE_NONE, NULL, W | F | I | RD | B, false,
	  _("let a file that is asked for replace another"), set_overwrite },
	{ 0, "size", "SIZE", 0, VALUE_FREE, NULL, W | P | F, false,
	  _("the stick's, to plan for; or of a new file:PATH"), set_size },
	{ 0, "sector-size", "BYTES", 0, VALUE_WORDS, "512 1024 2048 4096", P, false,
	  _("with --size: the stick's sectors (512)"), set_sector_size },
	{ 0, "seed", "UUID", 0, VALUE_FREE, NULL, W | P | C | F, false,
	  _("other identifiers than those derived from the image"), set_seed },
	{ 0, "strict", NULL, 0, VALUE_NONE, NULL, C, false,
	  _("also differences that use explains are differences"), set_strict },
	{ 0, "full", NULL, 0, VALUE_NONE, NULL, I, false,
	  _("read as much of the image as it takes"), set_full },
	{ 0, "dbx", "FILE", 0, VALUE_FILE, NULL, I, false,
	  _("a Secure Boot revocation list, as uefi.org has them"), set_dbx },
	{ 0, "svg", "FILE", 0, VALUE_FILE, NULL, I, false,
	  _("draw the map of what lies where, for bug reports"), set_svg },
	{ 0, "all", NULL, 0, VALUE_NONE, NULL, D, false, _("list also what can never be a stick"),
	  set_all },
	{ 0, "list", NULL, 0, VALUE_NONE, NULL, D, false,
	  _("for scripts: a line a stick; its node, a tab ..."), set_list },
	{ 0, "protect", "DEVICE", 0, VALUE_DEVICE, NULL, D, false, _("never write this disk again"),
	  set_protect },
	{ 0, "unprotect", "DEVICE", 0, VALUE_DEVICE, NULL, D, false, _("undo --protect"),
	  set_unprotect },
	{ 0, "type", "TYPE", 0, VALUE_WORDS, "fat32 exfat ext4", F, false,
	  _("fat32 up to 32 GiB, else exfat, unless given"), set_type },
	{ 0, "label", "NAME", 0, VALUE_FREE, NULL, F, false, _("the volume's name"), set_label },
	{ 0, "table", "TABLE", 0, VALUE_WORDS, "mbr gpt", F, false,
	  _("mbr up to 2 TiB, else gpt, unless given"), set_table },
	{ 0, "firmware", "WHICH", 0, VALUE_WORDS, "bios uefi all", B, false,
	  _("bios, uefi, all; else those that inspect names"), set_firmware },
	{ 0, "as", "WHAT", 0, VALUE_WORDS, "stick cd", B, false,
	  _("a USB stick (default), or a cd"), set_as },
	{ 0, "secure-boot", NULL, 0, VALUE_NONE, NULL, B, false,
	  _("with UEFI's Secure Boot and Microsoft's keys"), set_secure_boot },
	{ 0, "expect", "TEXT", 0, VALUE_FREE, NULL, B, false,
	  _("the text that it has to come to"), set_expect },
	{ 0, "timeout", "SECONDS", 0, VALUE_FREE, NULL, B, false,
	  _("the longest that one boot may take (60)"), set_timeout },
	{ 0, "memory", "SIZE", 0, VALUE_FREE, NULL, B, false,
	  _("of the virtual machine (1 GiB)"), set_memory },
	{ 0, "screenshot", "FILE", 0, VALUE_FILE, NULL, B, false,
	  _("its screen at the end, as a PNG picture"), set_screenshot },
	{ 0, "gui", NULL, 0, VALUE_NONE, NULL, B, false,
	  _("in a window, until you close it"), set_gui },
	{ 0, "progress", "HOW", 0, VALUE_WORDS, "auto bar lines none", W | C | V | F | RD | B, false,
	  _("auto, bar, lines or none"), set_progress },
	{ 'J', "json", "lines", true, VALUE_WORDS, "object lines", EVERY, true,
	  _("one JSON object on standard output; or events"), set_json },
	{ 'b', "bytes", NULL, 0, VALUE_NONE, NULL, EVERY, false, _("sizes as numbers of bytes"),
	  set_bytes },
	{ 'q', "quiet", NULL, 0, VALUE_NONE, NULL, EVERY, false,
	  _("only questions, warnings and errors"), set_quiet },
	{ 'v', "verbose", NULL, 0, VALUE_NONE, NULL, EVERY, false, _("more detail"), set_verbose },
	{ 0, "color", "WHEN", 0, VALUE_WORDS, "auto always never", EVERY, false,
	  _("auto, always or never"), set_color },
	{ 0, "report", NULL, 0, VALUE_NONE, NULL, W | R, true,
	  _("it does not work? facts for a bug report"), set_report },
	{ 'h', "help", "all", true, VALUE_WORDS, "all", EVERY, true,
	  _("this screen; all: every option there is"), NULL },
	{ 'V', "version", NULL, 0, VALUE_NONE, NULL, EVERY, false,
	  _("the version, and the libraries built in"), NULL },
};
static_assert(ARRAY_SIZE(rows) == N_OPTIONS, "N_OPTIONS in opts.h");
const struct option_row *const option_table = rows;

#undef W
#undef P
#undef I
#undef D
#undef C
#undef V
#undef F
#undef R
#undef RD
#undef B
