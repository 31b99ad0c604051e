// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Identity and safety rules on fabricated trees of /sys, /proc and /run, so
 * that every kind of disk can be met without having one.
 */
#include "io/device.h"

#include <sys/sysmacros.h>

#include "fakesys.h"

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
	CHECK_STR(device_describe(d, false, text, sizeof(text)),
		  "SanDisk Ultra, 31 GB (28.6 GiB), USB 2, port 1-4");
	CHECK_STR(device_describe(d, true, text, sizeof(text)),
		  "SanDisk Ultra, 30720000000 bytes, USB 2, port 1-4");
	CHECK_STR(device_size_word(d, text, sizeof(text)), "31 GB");
	snprintf(d->model, sizeof(d->model), "\033[31mEvil\nOK? [Y/n]");
	device_describe(d, false, text, sizeof(text));
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
	put_block("pci0000:00/0000:00:17.0/ata2/host1/1:0:0:0/block", "sr0", "11:0", 1000, "1\n");
	put_link("/sys/devices/pci0000:00/0000:00:17.0/ata2/host1/1:0:0:0",
		 "/sys/devices/pci0000:00/0000:00:17.0/ata2/host1/1:0:0:0/block/sr0/device");
	put("5\n", "/sys/devices/pci0000:00/0000:00:17.0/ata2/host1/1:0:0:0/type");
	check_internal("sda", "sata", true);
	check_internal("vda", "virtio", true);
	check_internal("mmcblk0", "mmc", true);
	check_internal("mmcblk1", "sd", false);
	check_internal("nvme0n1", "nvme", true);
	check_internal("nvme1n1", "thunderbolt", false);
	check_internal("sdf", "firewire", false);
	check_internal("sr0", "optical", false);
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
	CHECK_STR(why(&info, RULE_PARTITION), "it is a partition of /dev/sdb, not a disk");
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
	char path[PATH_MAX];

	begin();
	put_usb_stick("1\n");
	check_protected("# serial:SanDisk/Ultra/%1B[2JEvil\nwwn:\nserial:\ntable:\n", false);
	check_protected("serial:SanDisk/Ultra/%1B[2JEvil  # the backup\n", true);
	check_protected("  table:C0FFEE00", true);
	check_protected("serial:SanDisk/Ultra/", false);
	check_protected("", false);
	/* The machine's list is there and cannot be read: no reason to think that it is empty. */
	CHECK(snprintf(path, sizeof(path), "%s/etc/isowrite/protected", root) > 0);
	CHECK(unlink(path) == 0 && symlink("protected", path) == 0);
	d = disk("sdb");
	CHECK(strstr(why(d, RULE_PROTECTED), "cannot be read") != NULL);
	free(d);
	CHECK(unlink(path) == 0);
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
	RUN(test_held);
	RUN(test_held_zfs);
	RUN(test_protected);
	RUN(test_contents_overflow);
	return tap_done();
}
