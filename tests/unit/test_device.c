// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Identity and safety rules on fabricated trees of /sys, /proc and /run, so
 * that every kind of disk can be met without having one.
 */
#include "io/device.h"

#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io/device-internal.h"
#include "tap.h"

static char root[64];

static void make_parents(char *path)
{
	for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

__attribute__((format(printf, 2, 3))) static void put(const char *text, const char *fmt, ...)
{
	char path[PATH_MAX];
	size_t len = (size_t)snprintf(path, sizeof(path), "%s", root);
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(path + len, sizeof(path) - len, fmt, ap);
	va_end(ap);
	make_parents(path);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(2);
	}
	fputs(text, f);
	fclose(f);
}

/* target: absolute inside the tree. */
__attribute__((format(printf, 2, 3))) static void put_link(const char *target, const char *fmt, ...)
{
	char path[PATH_MAX], full[PATH_MAX];
	size_t len = (size_t)snprintf(path, sizeof(path), "%s", root);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path + len, sizeof(path) - len, fmt, ap);
	va_end(ap);
	make_parents(path);
	snprintf(full, sizeof(full), "%s%s", root, target);
	if (symlink(full, path)) {
		perror(path);
		exit(2);
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void begin(void)
{
	strcpy(root, "/tmp/isowrite-test.XXXXXX");
	if (!mkdtemp(root)) {
		perror(root);
		exit(2);
	}
	device_root = root;
	setenv("HOME", "/home/anna", 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("SUDO_UID");
	put("", "/proc/self/mountinfo");
	put("", "/sys/bus/keep");
	put("", "/sys/block/.keep");
}

static void end(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	device_root = "";
}

/* One disk (parent NULL) or partition: "devices/..." is where it lies below /sys. */
static void put_block(const char *dir, const char *name, const char *dev, uint64_t sectors,
		      const char *removable)
{
	char path[PATH_MAX], text[32];
	bool is_part = !removable;

	snprintf(path, sizeof(path), "/sys/devices/%s/%s", dir, name);
	snprintf(text, sizeof(text), "%s\n", dev);
	put(text, "%s/dev", path);
	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)sectors);
	put(text, "%s/size", path);
	put("0\n", "%s/ro", path);
	put_link(path, "/sys/dev/block/%s", dev);
	put_link(path, "/sys/class/block/%s", name);
	if (is_part) {
		put("1\n", "%s/partition", path);
		put("2048\n", "%s/start", path);
		return;
	}
	put(removable, "%s/removable", path);
	put("7\n", "%s/diskseq", path);
	put("512\n", "%s/queue/logical_block_size", path);
	put("120\n", "%s/queue/max_sectors_kb", path);
	put_link(path, "/sys/block/%s", name);
}

#define USB "pci0000:00/0000:00:14.0/usb1/1-4"
#define USB_DISK USB "/1-4:1.0/host6/target6:0:0/6:0:0:0"
#define SATA "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0"

static void put_usb_stick(const char *removable)
{
	put_block(USB_DISK "/block", "sdb", "8:16", 60000000, removable);
	put_block(USB_DISK "/block/sdb", "sdb1", "8:17", 59990000, NULL);
	put_link("/sys/devices/" USB_DISK, "/sys/devices/" USB_DISK "/block/sdb/device");
	put("SanDisk \n", "/sys/devices/" USB_DISK "/vendor");
	put("Ultra           \n", "/sys/devices/" USB_DISK "/model");
	put_link("/sys/bus/usb", "/sys/devices/" USB "/subsystem");
	put("0781\n", "/sys/devices/" USB "/idVendor");
	put("SanDisk\n", "/sys/devices/" USB "/manufacturer");
	put("\033[2JEvil\n", "/sys/devices/" USB "/serial");
	put("480\n", "/sys/devices/" USB "/speed");
	put("E:ID_PART_TABLE_TYPE=dos\nE:ID_PART_TABLE_UUID=c0ffee00\n", "/run/udev/data/b8:16");
	put("E:ID_FS_TYPE=vfat\nE:ID_FS_VERSION=FAT32\nE:ID_FS_LABEL_ENC=MY\\x20KEY\n",
	    "/run/udev/data/b8:17");
}

static void put_sata(void)
{
	put_block(SATA "/block", "sda", "8:0", 1000000, "0\n");
	put_block(SATA "/block/sda", "sda1", "8:1", 500000, NULL);
	put_block(SATA "/block/sda", "sda2", "8:2", 400000, NULL);
	put_link("/sys/devices/" SATA, "/sys/devices/" SATA "/block/sda/device");
	put("ATA     \n", "/sys/devices/" SATA "/vendor");
	put("Samsung SSD 870 \n", "/sys/devices/" SATA "/model");
	put("naa.5002538f00000001\n", "/sys/devices/" SATA "/wwid");
}

/* The list as devices --all sees it; exits when it cannot be made. */
static struct device_info *list(size_t *n)
{
	struct device_info *l = NULL;
	struct error err = ERROR_INIT;

	if (device_list(true, &l, n, &err)) {
		printf("# %s\n", err.msg);
		exit(2);
	}
	return l;
}

static const char *why(const struct device_info *info, enum device_rule rule)
{
	for (size_t i = 0; i < info->n_refused; i++)
		if (info->refused[i].rule == rule)
			return info->refused[i].why;
	return "";
}

/* Examines the disk of that name in the present tree. */
static struct device_info *disk(const char *name)
{
	struct device_info *l, *found = calloc(1, sizeof(*found));
	char path[80];
	size_t n;

	snprintf(path, sizeof(path), "/dev/%s", name);
	l = list(&n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(l[i].path, path))
			*found = l[i];
	free(l);
	if (!found->path[0]) {
		printf("# no %s\n", path);
		tap_test_failed = 1;
	}
	return found;
}

static void test_rule_names(void)
{
	static const char *const names[] = { "system",    "source",    "readonly",   "held",
					     "protected", "mounted",   "internal",   "contents",
					     "large",     "partition", "file-in-use" };
	enum device_rule rule;

	for (size_t i = 0; i < N_DEVICE_RULES; i++) {
		CHECK_STR(device_rule_name((enum device_rule)i), names[i]);
		CHECK(device_rule_by_name(names[i], &rule) == 0 && rule == (enum device_rule)i);
	}
	CHECK(device_rule_by_name("force", &rule) == -1);
	CHECK(device_rule_lift(RULE_SYSTEM) == LIFT_NEVER);
	CHECK(device_rule_lift(RULE_HELD) == LIFT_NEVER);
	CHECK(device_rule_lift(RULE_PROTECTED) == LIFT_NEVER);
	CHECK(device_rule_lift(RULE_MOUNTED) == LIFT_QUESTION);
	CHECK(device_rule_lift(RULE_CONTENTS) == LIFT_TYPE_SIZE);
	CHECK(device_rule_lift(RULE_INTERNAL) == LIFT_ALLOW);
}

static void test_usb_stick(void)
{
	struct device_info *d;
	char text[512];

	begin();
	put_usb_stick("1\n");
	put("", "/dev/sdb");
	put_link("/dev/sdb", "/dev/disk/by-id/wwn-0x1");
	put_link("/dev/sdb", "/dev/disk/by-id/usb-SanDisk_Ultra-0:0");
	d = disk("sdb");
	CHECK_STR(d->transport, "usb");
	CHECK_STR(d->vendor, "SanDisk");
	CHECK_STR(d->model, "Ultra");
	CHECK_STR(d->serial, "\033[2JEvil");
	CHECK_STR(d->usb_port, "1-4");
	CHECK_STR(d->by_id, "/dev/disk/by-id/usb-SanDisk_Ultra-0:0");
	CHECK_U64(d->usb_speed, 480);
	CHECK_U64(d->size, UINT64_C(60000000) * 512);
	CHECK_U64(d->diskseq, 7);
	CHECK_U64(d->max_request, 120 * 1024);
	CHECK(d->removable && d->is_block && !d->is_virtual && !d->is_partition);
	CHECK(d->writable && d->n_refused == 0);
	CHECK_U64(d->n_contents, 2);
	CHECK_STR(d->contents[1].type, "vfat");
	CHECK_STR(d->contents[1].version, "FAT32");
	CHECK_STR(d->contents[1].label, "MY KEY");
	CHECK_STR(d->contents[1].node, "/dev/sdb1");
	CHECK_STR(d->pt_uuid, "c0ffee00");
	CHECK_STR(device_describe(d, text, sizeof(text)),
		  "SanDisk Ultra, 31 GB (28.6 GiB), USB 2, port 1-4");
	CHECK_STR(device_size_word(d, text, sizeof(text)), "31 GB");
	snprintf(d->model, sizeof(d->model), "\033[31mEvil\nOK? [Y/n]");
	device_describe(d, text, sizeof(text));
	CHECK(!strpbrk(text, "\033\n"));
	free(d);
	end();
}

/* A USB SSD calls itself fixed; it is no internal disk. */
static void test_usb_ssd(void)
{
	struct device_info *d;

	begin();
	put_usb_stick("0\n");
	d = disk("sdb");
	CHECK(!d->removable && d->writable);
	free(d);
	end();
}

static void check_internal(const char *name, const char *transport, bool is_internal)
{
	struct device_info *d = disk(name);

	CHECK_STR(d->transport, transport);
	if (device_has_refusal(d, RULE_INTERNAL) != is_internal) {
		tap_test_failed = 1;
		printf("# %s: internal should be %d\n", name, is_internal);
	}
	free(d);
}

#define MMC "platform/soc/fe330000.mmc/mmc_host/"
#define NVME "pci0000:00/0000:01:00.0/nvme/nvme0"
#define TB_NVME "pci0000:00/0000:05:00.0/nvme/nvme1"

static void test_internal(void)
{
	begin();
	put_sata();
	put_block("pci0000:00/0000:00:02.0/virtio1/block", "vda", "254:0", 1000, "0\n");
	put_link("/sys/bus/virtio", "/sys/devices/pci0000:00/0000:00:02.0/virtio1/subsystem");
	put_block(MMC "mmc0/mmc0:0001/block", "mmcblk0", "179:0", 1000, "0\n");
	put_link("/sys/bus/mmc", "/sys/devices/" MMC "mmc0/mmc0:0001/subsystem");
	put("MMC\n", "/sys/devices/" MMC "mmc0/mmc0:0001/type");
	put("15\n", "/sys/devices/" MMC "mmc0/mmc0:0001/cid");
	put_block(MMC "mmc1/mmc1:aaaa/block", "mmcblk1", "179:8", 1000, "0\n");
	put_link("/sys/bus/mmc", "/sys/devices/" MMC "mmc1/mmc1:aaaa/subsystem");
	put("SD\n", "/sys/devices/" MMC "mmc1/mmc1:aaaa/type");
	put("SC16G\n", "/sys/devices/" MMC "mmc1/mmc1:aaaa/name");
	put("03\n", "/sys/devices/" MMC "mmc1/mmc1:aaaa/cid");
	put_block(NVME, "nvme0n1", "259:0", 1000, "0\n");
	put_link("/sys/bus/pci", "/sys/devices/pci0000:00/0000:01:00.0/subsystem");
	put("fixed\n", "/sys/devices/pci0000:00/0000:01:00.0/removable");
	put_block(TB_NVME, "nvme1n1", "259:1", 1000, "0\n");
	put_link("/sys/bus/pci", "/sys/devices/pci0000:00/0000:05:00.0/subsystem");
	put("removable\n", "/sys/devices/pci0000:00/0000:05:00.0/removable");
	put_block("pci0000:00/0000:00:1f.0/fw1/fw1.0/host9/block", "sdf", "8:80", 1000, "0\n");
	put_link("/sys/bus/firewire", "/sys/devices/pci0000:00/0000:00:1f.0/fw1/subsystem");
	check_internal("sda", "sata", true);
	check_internal("vda", "virtio", true);
	check_internal("mmcblk0", "mmc", true);
	check_internal("mmcblk1", "sd", false);
	check_internal("nvme0n1", "nvme", true);
	check_internal("nvme1n1", "thunderbolt", false);
	check_internal("sdf", "firewire", false);
	end();
}

/* Virtual sticks: only system, source, readonly, held and mounted apply. */
static void test_virtual(void)
{
	struct device_info *d;

	begin();
	put_block("virtual/block", "loop7", "7:7", UINT64_C(4000000000), "0\n");
	put("/var/stick.img\n", "/sys/devices/virtual/block/loop7/loop/backing_file");
	put_block(SATA "/block", "sda", "8:0", 1000000, "0\n");
	put("21 1 8:0 / / rw - ext4 /dev/sda rw\n", "/proc/self/mountinfo");
	d = disk("loop7");
	CHECK(d->is_virtual && d->writable);
	CHECK_STR(d->transport, "loop");
	free(d);
	put("1\n", "/sys/devices/virtual/block/loop7/ro");
	d = disk("loop7");
	CHECK_STR(why(d, RULE_READONLY), "it is write-protected");
	free(d);
	end();
}

static void check_contents(const char *record, const char *reason)
{
	struct device_info *d;

	put(record, "/run/udev/data/b8:17");
	d = disk("sdb");
	CHECK_STR(why(d, RULE_CONTENTS), reason);
	free(d);
}

static void test_contents(void)
{
	begin();
	put_usb_stick("1\n");
	check_contents("E:ID_FS_TYPE=exfat\n", "");
	check_contents("E:ID_FS_TYPE=ext4\nE:ID_FS_LABEL_ENC=back\\x1bup\n",
		       "it holds ext4 \"back\\x1bup\" (/dev/sdb1)");
	check_contents("E:ID_FS_TYPE=ntfs\n", "it holds ntfs (/dev/sdb1)");
	check_contents("E:ID_FS_TYPE=hfsplus\n", "it holds hfsplus (/dev/sdb1)");
	check_contents("E:ID_FS_TYPE=crypto_LUKS\n", "it holds crypto_LUKS (/dev/sdb1)");
	check_contents("", "its contents cannot be read");
	put("E:ID_FS_TYPE=iso9660\nE:ID_PART_TABLE_TYPE=dos\n", "/run/udev/data/b8:16");
	check_contents("E:ID_FS_TYPE=hfsplus\n", ""); /* as on Fedora's hybrids */
	check_contents("E:ID_FS_TYPE=ext4\n", "it holds ext4 (/dev/sdb1)"); /* persistence */
	end();
}

static void test_large_and_readonly(void)
{
	struct device_info *d;

	begin();
	put_usb_stick("1\n");
	put("1953125000\n", "/sys/devices/" USB_DISK "/block/sdb/size"); /* 10^12 bytes exactly */
	d = disk("sdb");
	CHECK(d->writable);
	free(d);
	put("1953125001\n", "/sys/devices/" USB_DISK "/block/sdb/size");
	put("1\n", "/sys/devices/" USB_DISK "/block/sdb/ro");
	d = disk("sdb");
	CHECK_STR(why(d, RULE_LARGE), "it is larger than 1 TB (1.0 TB)");
	CHECK_STR(why(d, RULE_READONLY), "it is write-protected");
	free(d);
	end();
}

static void test_partition(void)
{
	struct device_info info = { 0 };
	struct device_world w;
	struct sysfs_node node;
	struct error err = ERROR_INIT;

	begin();
	put_usb_stick("1\n");
	CHECK(device_world_read(&w, &err) == 0);
	CHECK(sysfs_find(makedev(8, 17), &node) == 0);
	CHECK(node.is_partition);
	CHECK_STR(node.disk_name, "sdb");
	device_read_identity(&node, &info);
	CHECK_STR(info.transport, "usb");
	CHECK(device_check_rules(&node, &w, -1, &info, &err) == 0);
	CHECK_STR(why(&info, RULE_PARTITION), "it is a partition of sdb, not a disk");
	device_world_done(&w);
	end();
}

static void test_mounted(void)
{
	struct device_info *d;

	begin();
	put_usb_stick("1\n");
	put("30 21 8:17 / /media/anna/MY\\040KEY\\033[2J rw - vfat /dev/sdb1 rw\n"
	    "31 21 8:17 /sub /mnt rw - vfat /dev/sdb1 rw\n",
	    "/proc/self/mountinfo");
	d = disk("sdb");
	CHECK_STR(why(d, RULE_MOUNTED), "it is mounted on /media/anna/MY KEY\\x1b[2J, /mnt");
	CHECK_STR(d->contents[1].mountpoint, "/media/anna/MY KEY\033[2J");
	CHECK_U64(d->n_refused, 1);
	free(d);
	/* Only process 1 sees it: it cannot be unmounted from here. */
	put("", "/proc/self/mountinfo");
	put("30 21 8:17 / /media/x rw - vfat /dev/sdb1 rw\n", "/proc/1/mountinfo");
	d = disk("sdb");
	CHECK_STR(why(d, RULE_HELD), "it is mounted in another mount namespace");
	free(d);
	end();
}

/* A btrfs has an anonymous number, and its second disk is named nowhere but in /sys/fs. */
static void put_btrfs_pair(void)
{
	put_usb_stick("1\n");
	put_sata();
	put_link("/sys/devices/" SATA "/block/sda/sda1", "/sys/fs/btrfs/uuid-1/devices/sda1");
	put_link("/sys/devices/" USB_DISK "/block/sdb/sdb1", "/sys/fs/btrfs/uuid-1/devices/sdb1");
}

static void test_mounted_btrfs_member(void)
{
	struct device_info *d;

	begin();
	put_btrfs_pair();
	put("30 21 0:44 / /srv2 rw - btrfs /dev/sda1 rw\n", "/proc/self/mountinfo");
	d = disk("sdb");
	CHECK_STR(why(d, RULE_MOUNTED), "it is mounted on /srv2");
	free(d);
	end();
}

static void check_system(const char *name, const char *reason)
{
	struct device_info *d = disk(name);

	CHECK_STR(why(d, RULE_SYSTEM), reason);
	free(d);
}

static void test_system_btrfs(void)
{
	begin();
	put_btrfs_pair();
	put("30 21 0:44 / / rw - btrfs /dev/sda1 rw\n", "/proc/self/mountinfo");
	check_system("sda", "the running system (/) is on it");
	check_system("sdb", "the running system (/) is on it");
	end();
}

/* / on LVM on LUKS on sda2; /boot on sda1; sdb is nobody's. */
static void test_system_lvm_on_luks(void)
{
	begin();
	put_usb_stick("1\n");
	put_sata();
	put_block("virtual/block", "dm-0", "253:0", 1000, "0\n");
	put_block("virtual/block", "dm-1", "253:1", 1000, "0\n");
	put_link("/sys/devices/" SATA "/block/sda/sda2",
		 "/sys/devices/virtual/block/dm-0/slaves/sda2");
	put_link("/sys/devices/virtual/block/dm-0", "/sys/devices/virtual/block/dm-1/slaves/dm-0");
	put("21 1 253:1 / / rw - ext4 /dev/mapper/vg-root rw\n", "/proc/self/mountinfo");
	check_system("sda", "the running system (/) is on it");
	check_system("dm-0", "the running system (/) is on it");
	check_system("sdb", "");
	end();
}

static void test_system_swap(void)
{
	begin();
	put_usb_stick("1\n");
	put_sata();
	put("Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n", "/proc/swaps");
	check_system("sda", "swap space in use is on it");
	check_system("sdb", "");
	/* A swap file, by the mount that it lies on. */
	put("Filename Type Size Used Priority\n/data/swap\\040file file 1 0 -2\n", "/proc/swaps");
	put("30 21 8:17 / /data rw - ext4 /dev/sdb1 rw\n", "/proc/self/mountinfo");
	check_system("sda", "");
	check_system("sdb", "swap space in use is on it");
	end();
}

/* A live system: overlay over a squashfs on a loop device over a file on the stick. */
static void test_system_live_overlay(void)
{
	begin();
	put_usb_stick("1\n");
	put_sata();
	put_block("virtual/block", "loop0", "7:0", 1000, "0\n");
	put("/media/stick/live/filesystem.squashfs\n",
	    "/sys/devices/virtual/block/loop0/loop/backing_file");
	put("21 1 0:30 / / rw - overlay overlay "
	    "rw,lowerdir=/squash,upperdir=/cow/rw,workdir=/cow/work\n"
	    "22 21 7:0 / /squash ro - squashfs /dev/loop0 ro\n"
	    "23 21 0:31 / /cow rw - tmpfs tmpfs rw\n"
	    "24 21 8:17 / /media/stick ro - vfat /dev/sdb1 ro\n",
	    "/proc/self/mountinfo");
	check_system("loop0", "the running system (/) is on it");
	check_system("sdb", "the running system (/) is on it");
	check_system("sda", "");
	end();
}

/* A container: the layers are out of sight, but its /etc/hosts lies on the host's disk. */
static void test_system_container(void)
{
	begin();
	put_usb_stick("1\n");
	put_sata();
	put("21 1 0:30 / / rw - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/u\n"
	    "22 21 8:1 /var/lib/docker/x/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n",
	    "/proc/self/mountinfo");
	check_system("sda", "the running system (/etc/hosts) is on it");
	check_system("sdb", "");
	end();
}

/* In a chroot or private namespace, process 1 still says where the system is. */
static void test_system_by_init(void)
{
	begin();
	put_usb_stick("1\n");
	put_sata();
	put("21 1 0:30 / / rw - tmpfs tmpfs rw\n", "/proc/self/mountinfo");
	put("21 1 8:1 / / rw - ext4 /dev/root rw\n", "/proc/1/mountinfo");
	check_system("sda", "the running system (/) is on it");
	check_system("sdb", "");
	end();
}

/* Slaves that point at each other must not hang the walk. */
static void test_system_cycle(void)
{
	begin();
	put_sata();
	put_block("virtual/block", "dm-0", "253:0", 1000, "0\n");
	put_link("/sys/devices/virtual/block/dm-0", "/sys/devices/virtual/block/dm-0/slaves/dm-0");
	put("21 1 253:0 / / rw - ext4 /dev/mapper/r rw\n"
	    "22 1 0:50 / /usr rw - overlay overlay rw,lowerdir=/usr/x\n",
	    "/proc/self/mountinfo");
	check_system("dm-0", "the running system (/) is on it");
	check_system("sda", "");
	end();
}

static void test_no_mountinfo(void)
{
	struct device_info *l;
	struct error err = ERROR_INIT;
	char path[128];
	size_t n;

	begin();
	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", root);
	unlink(path);
	CHECK(device_list(true, &l, &n, &err) == -1);
	CHECK(err.kind == ERROR_LACKING);
	end();
}

static void test_held(void)
{
	struct device_info *d;

	begin();
	put_usb_stick("1\n");
	put_block("virtual/block", "dm-3", "253:3", 1000, "0\n");
	put("vg\033-data\n", "/sys/devices/virtual/block/dm-3/dm/name");
	put_link("/sys/devices/virtual/block/dm-3",
		 "/sys/devices/" USB_DISK "/block/sdb/sdb1/holders/dm-3");
	d = disk("sdb");
	CHECK_STR(why(d, RULE_HELD), "vg\\x1b-data (dm-3) is built on it");
	free(d);
	end();
}

static void test_held_zfs(void)
{
	struct device_info *d;

	begin();
	put_usb_stick("1\n");
	put("E:ID_FS_TYPE=zfs_member\n", "/run/udev/data/b8:17");
	d = disk("sdb");
	CHECK(!device_has_refusal(d, RULE_HELD));
	CHECK(device_has_refusal(d, RULE_CONTENTS));
	free(d);
	put("30 21 0:60 / /tank rw - zfs tank rw\n", "/proc/self/mountinfo");
	d = disk("sdb");
	CHECK(device_has_refusal(d, RULE_HELD));
	free(d);
	end();
}

static void check_protected(const char *list_text, bool is_protected)
{
	struct device_info *d;

	put(list_text, "/etc/isowrite/protected");
	d = disk("sdb");
	if (device_has_refusal(d, RULE_PROTECTED) != is_protected) {
		tap_test_failed = 1;
		printf("# protected should be %d by: %s\n", is_protected, list_text);
	}
	free(d);
}

static void test_protected(void)
{
	struct device_info *d;

	begin();
	put_usb_stick("1\n");
	check_protected("# serial:SanDisk/Ultra/%1B[2JEvil\nwwn:\nserial:\ntable:\n", false);
	check_protected("serial:SanDisk/Ultra/%1B[2JEvil  # the backup\n", true);
	check_protected("  table:C0FFEE00", true);
	check_protected("serial:SanDisk/Ultra/", false);
	check_protected("", false);
	put("table:c0ffee00\n", "/home/anna/.config/isowrite/protected");
	d = disk("sdb");
	CHECK(strstr(why(d, RULE_PROTECTED), "/home/anna/.config/isowrite/protected") != NULL);
	free(d);
	end();
}

/* More partitions than an info can hold: what is not seen counts as foreign. */
static void test_contents_overflow(void)
{
	struct device_info info = { 0 };

	for (size_t i = 0; i < DEVICE_MAX_CONTENTS; i++)
		CHECK(device_add_content(&info, "vfat", "/dev/x") != NULL);
	CHECK(device_add_content(&info, "ext4", "/dev/x") == NULL);
	CHECK_U64(info.n_contents, DEVICE_MAX_CONTENTS);
	CHECK(device_is_foreign(info.contents[DEVICE_MAX_CONTENTS - 1].type, true));
}

int main(void)
{
	RUN(test_rule_names);
	RUN(test_usb_stick);
	RUN(test_usb_ssd);
	RUN(test_internal);
	RUN(test_virtual);
	RUN(test_contents);
	RUN(test_large_and_readonly);
	RUN(test_partition);
	RUN(test_mounted);
	RUN(test_mounted_btrfs_member);
	RUN(test_system_btrfs);
	RUN(test_system_lvm_on_luks);
	RUN(test_system_swap);
	RUN(test_system_live_overlay);
	RUN(test_system_container);
	RUN(test_system_by_init);
	RUN(test_system_cycle);
	RUN(test_no_mountinfo);
	RUN(test_held);
	RUN(test_held_zfs);
	RUN(test_protected);
	RUN(test_contents_overflow);
	return tap_done();
}
