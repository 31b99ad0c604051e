// SPDX-License-Identifier: GPL-3.0-or-later
/* The block before the question, and its pieces; see words.h. The closing words: words-result.c. */
#include "cli/words.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "plan/add-boot.h"

#define WORDS_MAX_VOLUMES 6 /* named one by one */
#define WORDS_MAX_NOTES 3

const char *words_duration(double seconds, char *buf, size_t size)
{
	uint64_t whole;

	if (!(seconds >= 0) || seconds > 1e9) {
		snprintf(buf, size, "?");
		return buf;
	}
	whole = (uint64_t)(seconds + 0.5);
	if (seconds < 0.05)
		snprintf(buf, size, "<0.1 s");
	else if (seconds < 9.95)
		snprintf(buf, size, "%.1f s", seconds);
	else if (whole < 3600)
		snprintf(buf, size, "%" PRIu64 ":%02" PRIu64, whole / 60, whole % 60);
	else
		snprintf(buf, size, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, whole / 3600,
			 whole / 60 % 60, whole % 60);
	return buf;
}

const char *words_speed(double bytes_per_second, char *buf, size_t size)
{
	if (!(bytes_per_second >= 0) || bytes_per_second > 1e15)
		snprintf(buf, size, "?");
	else if (bytes_per_second >= 999.5e6)
		snprintf(buf, size, "%.1f GB/s", bytes_per_second / 1e9);
	else if (bytes_per_second >= 9.95e6)
		snprintf(buf, size, "%.0f MB/s", bytes_per_second / 1e6);
	else if (bytes_per_second >= 999.5e3)
		snprintf(buf, size, "%.1f MB/s", bytes_per_second / 1e6);
	else
		snprintf(buf, size, "%.0f kB/s", bytes_per_second / 1e3);
	return buf;
}

/* Columns of UTF-8 text, each character counted as one. */
static size_t columns(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

struct words words_for(unsigned int columns, bool bytes, bool verbose)
{
	struct words how = { .width = WORDS_WIDTH, .bytes = bytes, .verbose = verbose };

	/* Below 24 columns an indented line would hold no word. */
	if (columns > 24 && columns <= WORDS_WIDTH)
		how.width = columns - 1;
	return how;
}

void words_fill(FILE *out, const struct words *how, const char *text, unsigned int indent)
{
	size_t column = strspn(text, " ");
	bool is_first = true;

	fprintf(out, "%*s", (int)column, "");
	text += column;
	while (*text) {
		size_t len = strcspn(text, " ");
		size_t width = columns(text, len);

		if (!is_first && column + 1 + width > how->width) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!is_first) {
			fputc(' ', out);
			column++;
		}
		is_first = false;
		fprintf(out, "%.*s", (int)len, text);
		column += width;
		text += len;
		if (*text == ' ')
			text++;
	}
	fputc('\n', out);
}

void words_wrap(FILE *out, const char *text, unsigned int indent)
{
	struct words how = words_for(0, false, false);

	words_fill(out, &how, text, indent);
}

/* The length of the first sentence of text, with its full stop, or of its line. */
static size_t sentence(const char *text)
{
	const char *p = text;

	for (; *p && *p != '\n'; p++) {
		if (p[0] == '.' && p[1] == ' ' && (isupper((unsigned char)p[2]) || p[2] == '-'))
			return (size_t)(p + 1 - text);
	}
	return (size_t)(p - text);
}

/* Where a message is being printed. */
struct cursor {
	FILE *out;
	size_t width, column;
	bool is_fresh; /* no word stands in this line yet */
};

static void begin_line(struct cursor *c)
{
	fprintf(c->out, "\n%*s", WORDS_MESSAGE_INDENT, "");
	c->column = WORDS_MESSAGE_INDENT;
	c->is_fresh = true;
}

static bool fits(const struct cursor *c, const char *text, size_t len)
{
	return c->is_fresh || c->width == 0 || c->column + 1 + columns(text, len) <= c->width;
}

static void put_sentence(struct cursor *c, const char *text, size_t len)
{
	const char *end = text + len;

	if (!fits(c, text, len))
		begin_line(c);
	while (text < end) {
		size_t word = num_min(strcspn(text, " "), (uint64_t)(end - text));

		if (!fits(c, text, word))
			begin_line(c);
		fprintf(c->out, "%s%.*s", c->is_fresh ? "" : " ", (int)word, text);
		c->column += columns(text, word) + !c->is_fresh;
		c->is_fresh = false;
		text += word;
		text += text < end; /* the blank behind it */
	}
}

void words_message(FILE *out, unsigned int width, unsigned int column, const char *text)
{
	struct cursor c = { .out = out, .width = width, .column = column, .is_fresh = true };

	while (*text) {
		size_t n = sentence(text);

		if (*text != '\n') {
			put_sentence(&c, text, n);
			text += n + (text[n] == ' ');
			continue;
		}
		text++;
		if (*text != ' ') {
			begin_line(&c);
			continue;
		}
		n = strcspn(text, "\n");
		fprintf(out, "\n%.*s", (int)n, text);
		text += n;
	}
	fputc('\n', out);
}

/* Where a line breaks that has more than n columns: at its last blank before, or nowhere. */
static size_t fold_at(const char *line, size_t len, size_t n)
{
	size_t blank = len;

	for (size_t i = 1; i < len && columns(line, i) <= n; i++) {
		if (line[i] == ' ' && line[i - 1] != ' ')
			blank = i;
	}
	return columns(line, len) <= n ? len : blank;
}

/* The last column of a table's line, as far as it fits: what follows two blanks. */
static unsigned int last_column(const char *line, size_t len, unsigned int width)
{
	size_t hang = WORDS_MESSAGE_INDENT;

	for (size_t i = 2; i < len; i++) {
		if (line[i] != ' ' && line[i - 1] == ' ' && line[i - 2] == ' ')
			hang = columns(line, i);
	}
	/* A column too narrow for words is none. */
	return hang + 12 > width ? 2 * WORDS_MESSAGE_INDENT : (unsigned int)hang;
}

void words_fold(FILE *out, unsigned int width, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		unsigned int hang = 0, column = 0;

		while (width > 24 && columns(text, len) > width - hang) {
			size_t n = fold_at(text, len, width - hang);

			if (n == len)
				break;
			if (column == 0)
				column = last_column(text, n, width);
			fprintf(out, "%*s%.*s\n", (int)hang, "", (int)n, text);
			hang = column;
			text += n + strspn(text + n, " ");
			len = strcspn(text, "\n");
		}
		fprintf(out, "%*s%.*s\n", (int)hang, "", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static const char *content_type(const struct device_content *content)
{
	static const char *const words[][2] = {
		{ "vfat", "FAT" },
		{ "exfat", "exFAT" },
		{ "ntfs", "NTFS" },
		{ "iso9660", "ISO 9660" },
		{ "udf", "UDF" },
		{ "crypto_LUKS", "LUKS" },
		{ "LVM2_member", "LVM" },
		{ "linux_raid_member", "RAID member" },
		{ "zfs_member", "ZFS" },
		{ "apfs", "APFS" },
		{ "hfsplus", "HFS+" },
		{ "dos", "MBR" },
		{ "gpt", "GPT" },
		{ "PMBR", "protective MBR" },
		{ "unknown", _("unknown data") },
		{ "more", _("more partitions") },
	};

	if (content->version[0] && strncmp(content->version, "FAT", 3) == 0)
		return content->version;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(content->type, words[i][0]) == 0)
			return words[i][1];
	}
	return content->type;
}

const char *words_content(const struct device_content *content, char *buf, size_t size)
{
	char type[64], label[256], mountpoint[320];
	size_t len;

	text_escape_trim(content_type(content), type, sizeof(type));
	text_escape_trim(content->label, label, sizeof(label));
	text_escape(content->mountpoint, SIZE_MAX, mountpoint, sizeof(mountpoint));
	if (label[0])
		snprintf(buf, size, "%s \"%s\"", type, label);
	else
		snprintf(buf, size, "%s", type);
	len = strlen(buf);
	if (mountpoint[0])
		snprintf(buf + len, size - len, _(", mounted on %s"), mountpoint);
	return buf;
}

const char *words_image(const struct report *r, char *buf, size_t size)
{
	char title[160] = "", path[512];
	const char *slash;

	if (r->has_layout)
		layout_title(&r->layout, title, sizeof(title));
	if (title[0]) {
		snprintf(buf, size, "\"%s\"", title);
		return buf;
	}
	if (strcmp(r->image_path, "-") == 0) {
		snprintf(buf, size, "%s", _("standard input"));
		return buf;
	}
	text_escape(r->image_path, SIZE_MAX, path, sizeof(path));
	slash = strrchr(path, '/');
	snprintf(buf, size, "%s", slash && slash[1] ? slash + 1 : path);
	return buf;
}

const char *words_size(bool bytes, uint64_t n, char *buf, size_t size)
{
	if (!bytes)
		return num_format_size(buf, size, n);
	snprintf(buf, size, _("%" PRIu64 " bytes"), n);
	return buf;
}

const char *words_volume(const struct format_volume *v, bool bytes, char *buf, size_t size)
{
	char label[4 * FORMAT_LABEL_SIZE], word[NUM_SIZE_LEN];

	text_escape(v->label, SIZE_MAX, label, sizeof(label));
	words_size(bytes, v->size, word, sizeof(word));
	if (label[0])
		snprintf(buf, size, _("one %s volume \"%s\", %s"), format_type_name(v->type), label,
			 word);
	else
		snprintf(buf, size, _("one %s volume, %s"), format_type_name(v->type), word);
	return buf;
}

/* Has the job warned of it already? Or does it not hold of what will be on the stick? */
static bool is_told(const struct report *r, const char *code)
{
	if (r->n_plans > 0 && r->plans[0].layout &&
	    (strcmp(code, "disc-only") == 0 || strcmp(code, "windows-disc") == 0))
		return true;
	for (uint32_t i = 0; i < r->n_findings; i++) {
		if (strcmp(r->findings[i].code, code) == 0)
			return true;
	}
	return false;
}

/* What speaks against the image, as far as a person will read it. */
static void print_notes(FILE *out, const struct words *how, const struct report *r)
{
	unsigned int n = 0;
	char line[512];

	for (uint32_t i = 0; r->has_layout && i < r->layout.n_findings; i++) {
		const struct layout_finding *f = &r->layout.findings[i];

		if (f->severity == LAYOUT_INFO || is_told(r, f->code) || n++ >= WORDS_MAX_NOTES)
			continue;
		snprintf(line, sizeof(line), "Note     %s", f->message);
		words_fill(out, how, line, WORDS_INDENT);
	}
	if (n > WORDS_MAX_NOTES)
		fprintf(out, _("Note     and %u more, which isowrite inspect lists\n"),
			n - WORDS_MAX_NOTES);
}

/* Bytes of the image that come to lie in a second place too. */
static uint64_t copied_bytes(const struct plan *plan)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < plan->n_extents; i++) {
		const struct extent *e = &plan->extents[i];

		if (e->kind == EXTENT_SOURCE && e->source_offset != e->start)
			sum += e->len;
	}
	return sum;
}

const char *words_changes(const struct report *r, const struct report_plan *rp, char *buf,
			  size_t size)
{
	const struct plan *plan = rp->plan;
	uint64_t changed = 0, copied = copied_bytes(plan), given = add_boot_bytes(plan);
	char has[NUM_SIZE_LEN], added[2 * NUM_SIZE_LEN + 160] = "", purpose[160] = "";
	char made_for[64] = "";

	for (size_t i = 0; i < plan->n_differences; i++)
		changed += plan->differences[i].len;
	num_format_size(has, sizeof(has), changed);
	if (copied > 0) {
		char n[NUM_SIZE_LEN];

		snprintf(added, sizeof(added),
			 _(", and a copy of its volume for UEFI (%s) lies behind it"),
			 num_format_size(n, sizeof(n), copied));
	}
	if (given > 0) {
		size_t len = strlen(added);
		char n[NUM_SIZE_LEN];

		snprintf(added + len, sizeof(added) - len,
			 _(", and what --add-boot names (%s) lies behind it"),
			 num_format_size(n, sizeof(n), given));
	}
	if (rp->layout && layout_made_for(rp->layout, made_for, sizeof(made_for))[0])
		snprintf(purpose, sizeof(purpose), _(", so that it boots from a stick by %s"),
			 made_for);
	else if (rp->layout && r->layout.kind == LAYOUT_WINDOWS)
		snprintf(
			purpose, sizeof(purpose), "%s",
			_(", so that its boot loaders are started from a stick (whether Windows' own "
			  "then find their disc, nobody has seen)"));
	snprintf(buf, size,
		 plan->n_differences == 1 ? _("%s: %zu range (%s) differs from the image%s%s%s")
					  : _("%s: %zu ranges (%s) differ from the image%s%s%s"),
		 plan->planner, plan->n_differences, has, added, purpose,
		 r->is_mode_auto && rp->layout ? _("; --mode=raw writes it unchanged") : "");
	return buf;
}

/* What becomes of the image where nobody asked for it, and where somebody did. */
static void print_changes(FILE *out, const struct words *how, const struct report *r)
{
	char changes[512], line[600];

	if (r->n_plans == 0 || !r->plans[0].layout)
		return;
	words_changes(r, &r->plans[0], changes, sizeof(changes));
	snprintf(line, sizeof(line),
		 strcmp(r->command, "check") == 0 ? _("Note     What is compared is a %s.")
						  : _("Note     It becomes a %s."),
		 changes);
	words_fill(out, how, line, WORDS_INDENT);
}

/* What a block map leaves out. One that nobody asked for may be an older one's: only mentioned. */
static void print_bmap_note(FILE *out, const struct words *how, const struct report *r)
{
	char word[sizeof(r->bmap_beside) + 2], line[sizeof(word) + 160], size[NUM_SIZE_LEN];

	if (r->bmap_path[0] && r->n_plans > 0)
		snprintf(line, sizeof(line),
			 r->bmap_zero ? _("Note     By the block map %s, %s of it are written; "
					  "the rest becomes zeros.")
				      : _("Note     By the block map %s, %s of it are written; "
					  "what is on the target at the rest stays there."),
			 text_escape(r->bmap_path, sizeof(r->bmap_path), word, sizeof(word)),
			 words_size(how->bytes, plan_bytes(r->plans[0].plan, EXTENT_SOURCE), size,
				    sizeof(size)));
	else if (r->bmap_beside[0])
		snprintf(line, sizeof(line),
			 _("Note     Its block map lies beside it; --bmap=%s writes only what that "
			   "maps."),
			 text_shell_quote(r->bmap_beside, word, sizeof(word)));
	else
		return;
	words_fill(out, how, line, WORDS_INDENT);
}

static void print_image(FILE *out, const struct words *how, const struct report *r)
{
	char name[640], size[NUM_SIZE_LEN], line[1536];
	int n;

	words_image(r, name, sizeof(name));
	if (r->content_size != UINT64_MAX)
		n = snprintf(line, sizeof(line), "Image    %s, %s", name,
			     words_size(how->bytes, r->content_size, size, sizeof(size)));
	else if (r->image_size != UINT64_MAX)
		n = snprintf(line, sizeof(line), _("Image    %s, %s as %s, its size not yet known"),
			     name, words_size(how->bytes, r->image_size, size, sizeof(size)),
			     r->compression);
	else
		n = snprintf(line, sizeof(line), _("Image    %s, its size not yet known"), name);
	if (n < 0 || (size_t)n >= sizeof(line))
		n = (int)strlen(line);
	switch (r->trust) {
	case TRUST_LISTED:
		snprintf(line + n, sizeof(line) - (size_t)n, _("; matches %s%s"), r->trust_by,
			 r->trust_note);
		break;
	case TRUST_SIGNED:
		snprintf(line + n, sizeof(line) - (size_t)n, _("; signed by %s"), r->trust_by);
		break;
	case TRUST_DIGEST:
	case TRUST_NONE: /* "not listed in SHA256SUMS", or nothing */
		if (r->trust_detail[0])
			snprintf(line + n, sizeof(line) - (size_t)n, "; %s", r->trust_detail);
		break;
	case TRUST_MISMATCH:
	case TRUST_BAD_SIGNATURE:
		break;
	}
	words_fill(out, how, line, WORDS_INDENT);
	print_changes(out, how, r);
	print_notes(out, how, r);
	print_bmap_note(out, how, r);
}

/* Appends to a line of limited size. */
static void append(char *line, size_t size, const char *text)
{
	size_t len = strlen(line);

	snprintf(line + len, size - len, "%s", text);
}

static void append_volumes(const struct device_info *info, char *line, size_t size)
{
	size_t n_shown = 0, n_left = 0;
	char one[1024];

	for (size_t i = 0; i < info->n_contents; i++) {
		const struct device_content *c = &info->contents[i];

		if (c->is_table)
			continue;
		if (n_shown == WORDS_MAX_VOLUMES) {
			n_left++;
			continue;
		}
		if (n_shown++ > 0)
			append(line, size, "; ");
		append(line, size, words_content(c, one, sizeof(one)));
		if (c->mountpoint[0])
			append(line, size, _(" (will be unmounted)"));
	}
	if (n_left) {
		snprintf(one, sizeof(one), _("; and %zu more"), n_left);
		append(line, size, one);
	}
}

static void print_erases(FILE *out, const struct words *how, const struct device_info *info)
{
	size_t n_partitions = 0, n_whole = 0, n_tables = 0;
	const struct device_content *table = NULL;
	char line[4096] = "ERASES   ", head[96];

	for (size_t i = 0; i < info->n_contents; i++) {
		const struct device_content *c = &info->contents[i];

		if (c->is_table) {
			n_tables++;
			table = c;
		} else if (strcmp(c->node, info->path) == 0 || c->node[0] == '\0') {
			n_whole++;
		} else {
			n_partitions++;
		}
	}
	if (info->is_file && !info->file_exists) {
		append(line, sizeof(line), _("nothing: the file is new"));
	} else if (n_partitions + n_whole > 0) {
		if (n_partitions == 1 && n_whole == 0)
			append(line, sizeof(line), _("1 partition: "));
		else if (n_partitions > 1 && n_whole == 0) {
			snprintf(head, sizeof(head), _("%zu partitions: "), n_partitions);
			append(line, sizeof(line), head);
		}
		append_volumes(info, line, sizeof(line));
	} else if (n_tables > 0) {
		snprintf(head, sizeof(head), _("an empty partition table (%s)"),
			 content_type(table));
		append(line, sizeof(line), head);
	} else {
		append(line, sizeof(line), _("nothing that is known: no table, no file system"));
	}
	words_fill(out, how, line, WORDS_INDENT);
}

static void print_becomes(FILE *out, const struct words *how, const struct report_plan *rp)
{
	char volume[256], line[320];

	words_volume(&rp->volume, how->bytes, volume, sizeof(volume));
	snprintf(line, sizeof(line), "BECOMES  %s", volume);
	words_fill(out, how, line, WORDS_INDENT);
}

/* What format decided that the user may not expect. */
static void print_format_notes(FILE *out, const struct words *how, const struct report *r)
{
	char line[512];

	for (uint32_t i = 0; i < r->n_findings; i++) {
		if (r->findings[i].severity != LAYOUT_INFO)
			continue;
		snprintf(line, sizeof(line), "Note     %s", r->findings[i].message);
		words_fill(out, how, line, WORDS_INDENT);
	}
}

void words_print_identity(FILE *out, const struct words *how, const struct report *r)
{
	char what[512], path[512], line[1200];

	if (strcmp(r->command, "read") == 0) {
		words_print_source(out, how, r);
		return;
	}
	if (report_has_image(r))
		print_image(out, how, r);
	for (size_t i = 0; i < r->n_targets; i++) {
		const struct report_target *t = &r->targets[i];

		if (t->error.kind != ERROR_NONE)
			continue;
		text_escape(t->path, SIZE_MAX, path, sizeof(path));
		device_describe(&t->info, how->bytes, what, sizeof(what));
		snprintf(line, sizeof(line), "Target   %s  %s", path, what);
		words_fill(out, how, line, WORDS_INDENT);
		print_erases(out, how, &t->info);
		if (!report_has_image(r) && t->plan >= 0)
			print_becomes(out, how, &r->plans[t->plan]);
	}
	if (!report_has_image(r))
		print_format_notes(out, how, r);
	if (r->backup) {
		text_escape(r->backup, SIZE_MAX, path, sizeof(path));
		snprintf(line, sizeof(line), _("Backup   what is on it goes into %s first"), path);
		words_fill(out, how, line, WORDS_INDENT);
	}
}
