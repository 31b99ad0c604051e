// SPDX-License-Identifier: GPL-3.0-or-later
/* The walk down: which disks the running system lives on, on fabricated machines. */
#include "io/device.h"

#include "fakesys.h"

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

/* Layers whose names mean nothing here any more lead back to /; that must not take for ever. */
static void test_system_stale_layers(void)
{
	begin();
	put_sata();
	put_usb_stick("1\n");
	put("21 1 0:30 / / rw - overlay overlay "
	    "rw,lowerdir=/a:/b:/c:/d:/e:/f:/g:/h:/i:/j:/k:/l,upperdir=/u,workdir=/w\n"
	    "24 21 8:17 / /cdrom ro - vfat /dev/sdb1 ro\n",
	    "/proc/self/mountinfo");
	check_system("sdb", "the running system (/cdrom) is on it");
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

int main(void)
{
	RUN(test_system_btrfs);
	RUN(test_system_lvm_on_luks);
	RUN(test_system_swap);
	RUN(test_system_live_overlay);
	RUN(test_system_container);
	RUN(test_system_by_init);
	RUN(test_system_cycle);
	RUN(test_system_stale_layers);
	RUN(test_no_mountinfo);
	return tap_done();
}
