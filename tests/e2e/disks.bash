# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Loop devices in the guise of sticks and disks: a private /sys and /dev, in a
# mount namespace of the command's own, say that the loop device is /dev/sdb.
# Read after functions.sh; needs root.

DEV=/dev/sdb

# disk FILE KIND [PARTITION-DEV...]: attaches FILE (LOOP is the loop device) and
# describes it as a disk of KIND (usb, sata, sd, emmc); each further argument is
# the device number of a partition of it. SYS is its folder. See as_disk.
disk()
{
	local file=$1 kind=$2 dir port part n=1 id

	shift 2
	LOOP=$(attach "$file")
	NR=$(cat "/sys/class/block/${LOOP##*/}/dev")
	port=sys/devices/pci0/usb1/1-4
	case $kind in
	usb) dir=$port/1-4:1.0/host6/6:0:0:0 ;;
	sata) dir=sys/devices/pci0/ata1/host0/0:0:0:0 ;;
	sd | emmc) dir=sys/devices/soc/mmc_host/mmc0/mmc0:0001 ;;
	esac
	mkdir -p "$dir/block/sdb/queue" sys/dev/block sys/class/block sys/block sys/bus/usb sys/bus/mmc dev
	case $kind in
	usb)
		ln -s ../../../bus/usb "$port/subsystem"
		echo 0781 >"$port/idVendor"
		printf '4C530\033[2J01\n' >"$port/serial"
		echo 5000 >"$port/speed"
		;;
	sd | emmc)
		ln -s "$T/sys/bus/mmc" "$dir/subsystem"
		echo 0353 >"$dir/cid"
		if [ "$kind" = sd ]; then echo SD; else echo MMC; fi >"$dir/type"
		;;
	sata) echo S3Z1NB0K >"$dir/serial" ;;
	esac
	echo SanDisk >"$dir/vendor"
	echo Ultra >"$dir/model"
	ln -s ../.. "$dir/block/sdb/device"
	echo "$NR" >"$dir/block/sdb/dev"
	for id in size ro diskseq; do
		cat "/sys/class/block/${LOOP##*/}/$id" >"$dir/block/sdb/$id"
	done
	echo 1 >"$dir/block/sdb/removable"
	[ "$kind" = usb ] || echo 0 >"$dir/block/sdb/removable"
	echo 512 >"$dir/block/sdb/queue/logical_block_size"
	show_as sdb "$NR" "$dir/block/sdb"
	for part; do
		mkdir "$dir/block/sdb/sdb$n"
		echo "$part" >"$dir/block/sdb/sdb$n/dev"
		echo $n >"$dir/block/sdb/sdb$n/partition"
		echo 2048 >"$dir/block/sdb/sdb$n/start"
		echo 8192 >"$dir/block/sdb/sdb$n/size"
		ln -s "$T/$dir/block/sdb/sdb$n" "sys/dev/block/$part"
		ln -s "$T/$dir/block/sdb/sdb$n" "sys/class/block/sdb$n"
		n=$((n + 1))
	done
	SYS=$T/$dir/block/sdb
}

# show_as NAME NUMBER FOLDER: the links by which a disk is found.
show_as()
{
	ln -s "$T/$3" "sys/dev/block/$2"
	ln -s "$T/$3" "sys/class/block/$1"
	ln -s "$T/$3" "sys/block/$1"
}

# second_stick FILE: another stick of the same make and size, /dev/sdc at port 1-5.
second_stick()
{
	local dir=sys/devices/pci0/usb1/1-5 id

	LOOP2=$(attach "$1")
	NR2=$(cat "/sys/class/block/${LOOP2##*/}/dev")
	cp -a sys/devices/pci0/usb1/1-4 $dir
	mv $dir/1-4:1.0 $dir/1-5:1.0
	mv $dir/1-5:1.0/host6/6:0:0:0/block/sdb $dir/1-5:1.0/host6/6:0:0:0/block/sdc
	echo 4C530-2 >$dir/serial
	dir=$dir/1-5:1.0/host6/6:0:0:0/block/sdc
	echo "$NR2" >$dir/dev
	for id in size ro diskseq; do
		cat "/sys/class/block/${LOOP2##*/}/$id" >$dir/$id
	done
	show_as sdc "$NR2" $dir
}

# system_disk: the disk of / is there too, as /dev/sda.
system_disk()
{
	local dir=sys/devices/pci0/ata9/host9/9:0:0:0 nr

	nr=$(system_number)
	mkdir -p "$dir/block/sda/queue"
	echo "Samsung SSD 870" >"$dir/model"
	ln -s ../.. "$dir/block/sda/device"
	echo "$nr" >"$dir/block/sda/dev"
	echo 1953525168 >"$dir/block/sda/size"
	show_as sda "$nr" "$dir/block/sda"
	SYSTEM_NR=$nr
}

# as_disk COMMAND...: with $T/sys in the place of /sys, and a /dev that has the disks.
as_disk()
{
	local propagation=private

	# In a chroot / is no mount whose propagation can be changed; its mounts one by one.
	unshare -m true 2>/dev/null || propagation=unchanged
	unshare -m --propagation "$propagation" sh -c '
		t=$1 sdb=$2 sda=$3 sdc=$4
		shift 4
		while read -r _ _ _ _ point _; do
			mount --make-private "$point" 2>/dev/null
		done </proc/self/mountinfo
		mount -t tmpfs -o mode=755 dev "$t/dev" &&
		cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$t/dev" &&
		ln -s /proc/self/fd "$t/dev/fd" && ln -s pts/ptmx "$t/dev/ptmx" &&
		mkdir "$t/dev/pts" "$t/dev/shm" && mount --bind /dev/pts "$t/dev/pts" &&
		mknod "$t/dev/sdb" b "${sdb%:*}" "${sdb#*:}" &&
		if [ "$sda" ]; then mknod "$t/dev/sda" b "${sda%:*}" "${sda#*:}"; fi &&
		if [ "$sdc" ]; then mknod "$t/dev/sdc" b "${sdc%:*}" "${sdc#*:}"; fi &&
		chmod 660 "$t"/dev/sd* && { chgrp disk "$t"/dev/sd* || :; } &&
		mkdir -p "$t/dev/disk/by-id" &&
		ln -s ../../sdb "$t/dev/disk/by-id/usb-SanDisk_Ultra_4C53-0:0" &&
		mount --rbind "$t/dev" /dev &&
		mount --bind "$t/sys" /sys && exec "$@"' sh "$T" "$NR" "${SYSTEM_NR:-}" "${NR2:-}" "$@"
}

# desk: one SanDisk Ultra with a FAT called KEY on it ("stick", unless there is one
# already), the system's disk, and ubuntu.iso.
desk()
{
	need_root
	need_tool mkfs.vfat sfdisk
	[ -e stick ] || {
		blank 64M stick
		printf 'label: dos\nstart=2048, type=c\n' | sfdisk -q stick
		mkfs.vfat -F 32 -n KEY --offset 2048 stick 64512 >/dev/null
	}
	disk stick usb
	system_disk
	cp "$(image ubuntu.iso)" ubuntu.iso
}
