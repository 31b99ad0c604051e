#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# inspect's Secure Boot report: Debian's shim and GRUB as Microsoft and Debian signed them, and
# programs signed, signed twice and damaged here; beside sbverify and pesign. The lists
# (db, dbx, SbatLevelRT) are made here: the machine's own are never looked at.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

SHIM=/usr/lib/shim/shimx64.efi.signed
MOKMANAGER=/usr/lib/shim/mmx64.efi.signed
FALLBACK=/usr/lib/shim/fbx64.efi.signed
GRUB=/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed

# No machine's lists, unless a test makes some.
export ISOWRITE_EFIVARS=$T/efivars

need_loaders()
{
	local file

	need_tool mkfs.fat mcopy mmd sbverify
	for file in $SHIM $MOKMANAGER $FALLBACK $GRUB; do
		[ -e "$file" ] || missing "$file is not installed (scripts/deps test)"
	done
}

# fat IMAGE KIB FILE=NAME...: a FAT volume with these files in EFI/BOOT.
fat()
{
	local image=$1 kib=$2 file

	shift 2
	rm -f "$image"
	mkfs.fat -C "$image" "$kib" >/dev/null
	mmd -i "$image" ::/EFI ::/EFI/BOOT
	for file; do mcopy -i "$image" "${file%=*}" "::/EFI/BOOT/${file#*=}"; done
}

# look IMAGE [OPTION...]: the report in ./out.
look()
{
	run 0 "$ISOWRITE" inspect --json "$@"
}

# of NAME EXPRESSION: of the program NAME f: of BOOTX64.EFI 'f["verdict"]'
of()
{
	json out "[($2) for f in j['secure_boot'] if f['path'].endswith('/$1')][0]"
}

# self_signed NAME: NAME.key and NAME.crt.
self_signed()
{
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.crt" -days 3650 \
		-subj "/O=Test/CN=${2:-$1 signs}" 2>/dev/null
}

# siglist TYPE DATA-FILE...: an EFI_SIGNATURE_LIST for each file, on standard output.
siglist()
{
	"$PYTHON" - "$@" <<-'END'
		import struct, sys, uuid
		types = {"sha256": "c1c41626-504c-4092-aca9-41f936934328",
		         "x509": "a5c059a1-94e4-4aa7-87b5-ab155c2bf072",
		         "x509-sha256": "3bd2a492-96c0-4079-b420-fcf98ef103ed"}
		for name in sys.argv[2:]:
		    data = open(name, "rb").read()
		    entry = uuid.UUID(int=1).bytes_le + data
		    sys.stdout.buffer.write(uuid.UUID(types[sys.argv[1]]).bytes_le +
		        struct.pack("<III", 28 + len(entry), 0, len(entry)) + entry)
	END
}

# variable NAME FILE: the file as efivarfs shows a variable.
variable()
{
	local guid=d719b2cb-3d3a-4596-a3bc-dad00e67656f

	[ "$1" != SbatLevelRT ] || guid=605dab50-e046-4300-abb6-3dd810dd8b23
	mkdir -p efivars
	(printf '\x27\0\0\0' && cat "$2") >"efivars/$1-$guid"
}

# certificate FILE CN: that certificate of the signatures of a program, as DER.
certificate()
{
	local n

	for n in 1 2; do
		sbattach --detach "sig$n" --signum "$n" "$1" 2>/dev/null ||
			sbattach --detach "sig$n" "$1" 2>/dev/null || continue
		openssl pkcs7 -inform DER -in "sig$n" -print_certs -out certs.pem
		csplit -sz -f cert- certs.pem '/^subject=/' '{*}'
		for cert in cert-*; do
			if grep -q "^subject=.*CN = $2\$" "$cert"; then
				openssl x509 -in "$cert" -outform DER
				return
			fi
		done
	done
	fail "no certificate $2 in $1"
}

test_signers_as_sbverify_lists_them()
{
	local name file

	need_loaders
	fat a.img 12288 $SHIM=BOOTX64.EFI $GRUB=GRUBX64.EFI $MOKMANAGER=MMX64.EFI $FALLBACK=FBX64.EFI
	look a.img --full
	validate_json out
	is "$(json out '[f["path"][10:] for f in j["secure_boot"]]')" \
		'["BOOTX64.EFI", "GRUBX64.EFI", "MMX64.EFI", "FBX64.EFI"]'
	while read -r name file; do
		of "$name" '"\n".join(s["subject"] + " / " + s["issuer"] for s in f["signers"])' >ours
		run 0 sbverify --list "$file"
		"$PYTHON" - >theirs <<-'END'
			import re
			# The signer is the certificate that comes first behind each list of issuers.
			for part in open("out").read().split("image signature certificates:")[1:]:
			    names = re.findall(r"(?:subject|issuer):.*/CN=([^\n]*)", part)
			    print(names[0] + " / " + names[1])
		END
		diff -u theirs ours >&2 || fail "$name"
		look a.img --full
	done <<-END
		BOOTX64.EFI $SHIM
		GRUBX64.EFI $GRUB
		MMX64.EFI $MOKMANAGER
		FBX64.EFI $FALLBACK
	END
	is "$(json out '{s["matches"] for f in j["secure_boot"] for s in f["signers"]} == {True}')" true
	is "$(json out '{f["verdict"] for f in j["secure_boot"]} == {"signed"}')" true
	is "$(of BOOTX64.EFI 'f["signers"][0]["issuer"]')" 'Microsoft Corporation UEFI CA 2011'
	is "$(of BOOTX64.EFI 'f["in"], f["compared_with"]')" "[[\"the disk's only volume\"], []]"
}

test_digests_as_pesign_counts_them()
{
	local name file

	need_loaders
	need_tool pesign
	fat a.img 12288 $SHIM=BOOTX64.EFI $GRUB=GRUBX64.EFI $MOKMANAGER=MMX64.EFI
	look a.img --full
	cp out ours
	while read -r name file; do
		run 0 pesign --hash --in "$file"
		cp out theirs
		cp ours out
		is "hash: $(of "$name" 'f["authenticode_sha256"]')" "$(cat theirs)" "$name"
	done <<-END
		BOOTX64.EFI $SHIM
		GRUBX64.EFI $GRUB
		MMX64.EFI $MOKMANAGER
	END
}

# What objcopy finds in the section.
test_sbat_as_it_is_in_the_section()
{
	need_loaders
	need_tool objcopy
	fat a.img 12288 $SHIM=BOOTX64.EFI $GRUB=GRUBX64.EFI
	look a.img
	of GRUBX64.EFI '"".join("%s,%d,%s,%s\n" % (e["component"], e["generation"], e["vendor"],
		e["version"]) for e in f["sbat"])' >ours
	objcopy -O binary --only-section=.sbat $GRUB section 2>/dev/null
	tr -d '\0' <section | cut -d , -f 1-3,5 >theirs
	diff -u theirs <(sed '/^$/d' ours) >&2
	run 0 "$ISOWRITE" inspect a.img
	has '    SBAT shim 4' out
}

# FAT12, 16 and 32, small and large clusters, and files in pieces all over the volume.
test_files_wherever_their_clusters_lie()
{
	local kib options digest n

	need_loaders
	digest=''
	while read -r kib options; do
		rm -f a.img
		# shellcheck disable=SC2086 # a list of words
		mkfs.fat -C $options a.img "$kib" >/dev/null
		mmd -i a.img ::/EFI ::/EFI/BOOT
		noise 40000 piece
		for n in {1..60}; do mcopy -i a.img piece "::/PIECE$n"; done
		for n in {1..60..2}; do mdel -i a.img "::/PIECE$n"; done
		mcopy -i a.img $SHIM ::/EFI/BOOT/BOOTX64.EFI
		for n in {2..60..4}; do mdel -i a.img "::/PIECE$n"; done
		mcopy -i a.img $MOKMANAGER ::/EFI/BOOT/MMX64.EFI
		look a.img --full
		is "$(json out '[(f["verdict"], f["signers"][0]["matches"]) for f in j["secure_boot"]]')" \
			'[["signed", true], ["signed", true]]' "$kib $options"
		[ "$digest" ] || digest=$(of BOOTX64.EFI 'f["authenticode_sha256"]')
		is "$(of BOOTX64.EFI 'f["authenticode_sha256"]')" "$digest" "$kib $options"
	done <<-END
		8000 -F 12 -s 8
		16384 -F 16 -s 1
		40000 -F 32 -s 1
	END
}

# Copies come once, with all places; one that differs comes for itself.
test_copies_on_a_disc()
{
	need_loaders
	need_tool xorriso
	mkdir -p tree/EFI/boot
	cp $SHIM tree/EFI/boot/bootx64.efi
	cp $GRUB tree/EFI/boot/grubx64.efi
	fat esp.img 8192 $SHIM=BOOTX64.EFI $GRUB=GRUBX64.EFI
	xorriso -as mkisofs -quiet -r -J -V SIGNED -o a.iso -append_partition 2 0xef esp.img \
		-appended_part_as_gpt -eltorito-alt-boot -e --interval:appended_partition_2:all:: \
		-no-emul-boot tree 2>/dev/null
	look a.iso
	is "$(json out '[(f["path"], f["in"]) for f in j["secure_boot"]]')" \
		"[$(printf '["/EFI/BOOT/%s.EFI", ["boot image 1", "GPT partition 2", "the disc'"'"'s files"]]%s' \
			BOOTX64 ', ' GRUBX64 '')]"
	# At most 4 MiB are read of it all, and what is too much for that is said to be so.
	[ "$(json out 'j["bytes_read"]')" -le 4194304 ] || fail "read $(json out 'j["bytes_read"]')"
	is "$(of BOOTX64.EFI 'f["signers"][0]["matches"]')" true
	is "$(of GRUBX64.EFI 'f["signers"][0]["matches"]')" null
	run 0 "$ISOWRITE" inspect a.iso
	has 'BOOTX64.EFI  signed' out
	has 'GRUBX64.EFI  signed (its bytes were not compared: --full does)' out
	# A damaged copy in the tree: seen where it was compared.
	cp $SHIM tree/EFI/boot/bootx64.efi
	printf x | dd of=tree/EFI/boot/bootx64.efi bs=1 seek=300000 conv=notrunc status=none
	xorriso -as mkisofs -quiet -r -V SIGNED -o b.iso -append_partition 2 0xef esp.img \
		-appended_part_as_gpt -eltorito-alt-boot -e --interval:appended_partition_2:all:: \
		-no-emul-boot tree 2>/dev/null
	look b.iso
	is "$(json out '[(f["verdict"], len(f["in"])) for f in j["secure_boot"] if "BOOTX64" in f["path"].upper()]')" \
		'[["signed", 2], ["may-be-refused", 1]]'
}

# Without signatures there is little to read, and without loaders nothing at all.
test_unsigned_and_none()
{
	look "$(image ubuntu.iso)"
	is "$(of BOOTX64.EFI 'f["verdict"], f["signers"], f["reasons"]')" '["unsigned", [], []]'
	run 0 "$ISOWRITE" inspect "$(image ubuntu.iso)"
	has 'BOOTX64.EFI  unsigned: refused where Secure Boot is on' out
	look "$(image isolinux-plain.iso)"
	is "$(json out 'j["secure_boot"]')" '[]'
	run 0 "$ISOWRITE" inspect "$(image isolinux-plain.iso)"
	lacks_text 'Secure Boot' out
	siglist sha256 <(head -c 32 /dev/zero) >dbx
	run 0 "$ISOWRITE" inspect --dbx=dbx "$(image isolinux-plain.iso)"
	has 'there is no UEFI program to judge' out
	look - < <(cat "$(image ubuntu.iso)")
	validate_json out
	is "$(json out 'j["secure_boot"]')" null
}

test_signed_here_and_twice()
{
	need_loaders
	need_tool sbsign openssl
	self_signed one
	self_signed two
	cp $FALLBACK plain.efi
	sbattach --remove plain.efi 2>/dev/null
	run 0 sbsign --key one.key --cert one.crt --output a.efi plain.efi
	run 0 sbsign --key two.key --cert two.crt --output b.efi a.efi
	fat a.img 2048 plain.efi=BOOTAA64.EFI a.efi=BOOTX64.EFI b.efi=BOOTIA32.EFI
	look a.img
	is "$(of BOOTAA64.EFI 'f["verdict"]')" unsigned
	is "$(of BOOTX64.EFI 'f["verdict"], [(s["subject"], s["matches"]) for s in f["signers"]]')" \
		'["signed", [["one signs", true]]]'
	is "$(of BOOTIA32.EFI 'f["verdict"], [(s["subject"], s["matches"]) for s in f["signers"]]')" \
		'["signed", [["one signs", true], ["two signs", true]]]'
}

test_damaged_signatures()
{
	local at size

	need_loaders
	cp $SHIM a.efi
	printf x | dd of=a.efi bs=1 seek=200000 conv=notrunc status=none
	fat a.img 2048 a.efi=BOOTX64.EFI
	look a.img
	validate_json out
	is "$(of BOOTX64.EFI 'f["verdict"], len(f["reasons"]), [s["matches"] for s in f["signers"]]')" \
		'["may-be-refused", 2, [false, false]]'
	run 0 "$ISOWRITE" inspect a.img
	has 'is not this file: it was changed or is damaged' out
	# In the signature, in its attributes and in the certificate of the signer.
	cp $MOKMANAGER a.efi
	size=$(size_of a.efi)
	for at in 40 200 1200; do
		cp $MOKMANAGER a.efi
		printf xxxx | dd of=a.efi bs=1 seek=$((size - at)) conv=notrunc status=none
		fat a.img 2048 a.efi=BOOTX64.EFI
		look a.img
		is "$(of BOOTX64.EFI 'f["verdict"]')" may-be-refused "$at bytes before the end"
		matches 'signature 1 is damaged' out
	done
	# The table goes on with rubbish.
	cp $MOKMANAGER a.efi
	"$PYTHON" - <<-'END'
		import struct
		b = bytearray(open("a.efi", "rb").read())
		at = struct.unpack_from("<I", b, 0x3c)[0] + 24 + 112 + 4 * 8
		struct.pack_into("<I", b, at + 4, struct.unpack_from("<I", b, at + 4)[0] + 16)
		open("a.efi", "wb").write(b + b"\xff" * 16)
	END
	fat a.img 2048 a.efi=BOOTX64.EFI
	look a.img
	matches 'table of signatures is damaged' out
}

test_no_uefi_program()
{
	need_loaders
	date >text
	head -c 500000 $SHIM >cut.efi
	truncate -s 17M large.efi
	fat a.img 30000 text=BOOTX64.EFI cut.efi=BOOTIA32.EFI large.efi=BOOTAA64.EFI
	look a.img
	validate_json out
	is "$(json out '{f["verdict"] for f in j["secure_boot"]} == {"unknown"}')" true
	is "$(of BOOTX64.EFI 'f["reasons"]')" '["it is not a UEFI program"]'
	is "$(of BOOTAA64.EFI 'f["reasons"]')" '["it is larger than a boot loader can be"]'
	run 0 "$ISOWRITE" inspect a.img
	has 'BOOTX64.EFI  no verdict:' out
}

# The hash of the program in dbx, in each form that a list comes in.
test_revoked_by_hash()
{
	local form

	need_loaders
	fat a.img 8192 $SHIM=BOOTX64.EFI $GRUB=GRUBX64.EFI
	look a.img --full
	"$PYTHON" -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' \
		"$(of GRUBX64.EFI 'f["authenticode_sha256"]')" >digest
	head -c 32 /dev/urandom >other
	siglist sha256 other digest >list
	siglist sha256 other >innocent
	"$PYTHON" - >update <<-'END'
		import struct, sys, uuid
		pkcs7 = uuid.UUID("4aafd29d-68df-49ee-8aa9-347d375665a7").bytes_le + b"signature"
		sys.stdout.buffer.write(b"\xe8\x07\x01\x01" + bytes(12) +
		    struct.pack("<IHH", 8 + len(pkcs7), 0x200, 0xef1) + pkcs7 + open("list", "rb").read())
	END
	(printf '\x27\0\0\0' && cat list) >copied
	for form in list update copied; do
		look a.img --dbx=$form
		is "$(of BOOTX64.EFI 'f["verdict"], f["compared_with"]')" "[\"signed\", [\"$form\"]]"
		# It is known without counting it: the hash is the one that was signed.
		is "$(of GRUBX64.EFI 'f["verdict"], f["reasons"], f["authenticode_sha256"]')" \
			"[\"may-be-refused\", [\"revoked by its hash in $form\"], null]"
		look a.img --dbx=$form --full
		is "$(of GRUBX64.EFI 'f["verdict"]')" may-be-refused
	done
	look a.img --dbx=innocent --full
	is "$(json out '{f["verdict"] for f in j["secure_boot"]} == {"signed"}')" true
	variable dbx list
	look a.img
	is "$(of GRUBX64.EFI 'f["reasons"], f["compared_with"]')" \
		"[[\"revoked by its hash in this machine's dbx\"], [\"dbx\"]]"
	run 0 "$ISOWRITE" inspect a.img
	has "Secure Boot, compared with this machine's dbx" out
	has 'GRUBX64.EFI  may be refused:' out
	has "! revoked by its hash in this machine's dbx" out
}

# What comes before the damage counts, and that there is some is said.
test_damaged_list()
{
	need_loaders
	fat a.img 2048 $SHIM=BOOTX64.EFI
	look a.img
	"$PYTHON" -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' \
		"$(of BOOTX64.EFI 'f["authenticode_sha256"]')" >digest
	(siglist sha256 digest && printf rubbish) >list
	look a.img --dbx=list
	is "$(of BOOTX64.EFI 'f["verdict"]')" may-be-refused
	is "$(json out '[f["message"][:15] for f in j["findings"] if f["code"] == "secure-boot-list"]')" \
		'["Not all of list"]'
	# A list of what is allowed, which may go on behind its damage, refuses nothing.
	head -c 32 /dev/zero >digest
	(siglist sha256 digest && printf rubbish) >list
	variable db list
	look a.img
	is "$(of BOOTX64.EFI 'f["verdict"]')" signed
}

test_revoked_by_certificate()
{
	need_loaders
	need_tool openssl
	fat a.img 8192 $SHIM=BOOTX64.EFI $MOKMANAGER=MMX64.EFI
	certificate $SHIM 'Microsoft Corporation UEFI CA 2011' >ca.der
	siglist x509 ca.der >list
	look a.img --dbx=list
	is "$(of BOOTX64.EFI 'f["verdict"], f["reasons"]')" "[\"may-be-refused\", [\"a certificate of \
the signature by Microsoft Windows UEFI Driver Publisher is revoked in list\"]]"
	is "$(of MMX64.EFI 'f["verdict"]')" signed
	# By the hash of what its issuer signed of it: TBSCertificate, the first element in it.
	openssl asn1parse -inform DER -in ca.der -strparse 4 -noout -out tbs
	(openssl dgst -sha256 -binary tbs && head -c 16 /dev/zero) >entry
	siglist x509-sha256 entry >list
	look a.img --dbx=list
	is "$(of BOOTX64.EFI 'f["verdict"]')" may-be-refused
	is "$(of MMX64.EFI 'f["verdict"]')" signed
	self_signed other
	openssl x509 -in other.crt -outform DER -out other.der
	siglist x509 other.der >list
	look a.img --dbx=list
	is "$(of BOOTX64.EFI 'f["verdict"]')" signed
}

# What calls itself by another's name is not by it.
test_a_name_is_no_certificate()
{
	need_loaders
	need_tool sbsign openssl
	self_signed real 'The CA'
	self_signed false 'The CA'
	run 0 sbsign --key false.key --cert false.crt --output a.efi $FALLBACK
	fat a.img 2048 a.efi=BOOTX64.EFI
	openssl x509 -in real.crt -outform DER -out real.der
	openssl x509 -in false.crt -outform DER -out false.der
	siglist x509 real.der >list
	look a.img --dbx=list
	is "$(of BOOTX64.EFI 'f["verdict"]')" signed
	siglist x509 false.der >list
	look a.img --dbx=list
	is "$(of BOOTX64.EFI 'f["verdict"]')" may-be-refused
}

test_sbat_level()
{
	need_loaders
	fat a.img 8192 $SHIM=BOOTX64.EFI $GRUB=GRUBX64.EFI
	printf 'sbat,1,2024040900\nshim,4\ngrub,5\ngrub.peimage,2\n' >level
	variable SbatLevelRT level
	look a.img
	is "$(json out '[f["verdict"] for f in j["secure_boot"]]')" '["signed", "signed"]'
	is "$(of BOOTX64.EFI 'f["compared_with"]')" '["SbatLevelRT"]'
	printf 'sbat,1,2030010100\nshim,5\ngrub,6\n' >level
	variable SbatLevelRT level
	look a.img
	is "$(of BOOTX64.EFI 'f["verdict"], f["reasons"]')" \
		'["may-be-refused", ["SBAT generation 4 of shim is below 5, which this machine demands"]]'
	is "$(of GRUBX64.EFI 'f["reasons"]')" \
		'["SBAT generation 5 of grub is below 6, which this machine demands"]'
}

# A shim that knows of SBAT loads nothing that has none; firmware does not ask.
test_no_sbat()
{
	need_loaders
	need_tool sbsign openssl
	self_signed one
	sed 's/\.sbat\x00/.none\x00/' $FALLBACK >plain.efi
	sbattach --remove plain.efi 2>/dev/null
	run 0 sbsign --key one.key --cert one.crt --output a.efi plain.efi
	fat a.img 4096 $SHIM=BOOTX64.EFI a.efi=GRUBX64.EFI
	look a.img
	is "$(of GRUBX64.EFI 'f["verdict"], f["sbat"]')" '["may-be-refused", []]'
	matches 'has no SBAT section, without which shim loads nothing' out
	fat a.img 4096 a.efi=BOOTX64.EFI
	look a.img
	is "$(of BOOTX64.EFI 'f["verdict"]')" signed
}

# Does this machine know who signed what firmware loads? Of the rest, shim decides.
test_db()
{
	need_loaders
	need_tool openssl
	fat a.img 8192 $SHIM=BOOTX64.EFI $GRUB=GRUBX64.EFI
	self_signed other
	openssl x509 -in other.crt -outform DER -out other.der
	siglist x509 other.der >list
	variable db list
	look a.img
	is "$(of BOOTX64.EFI 'f["reasons"], [s["in_db"] for s in f["signers"]]')" \
		"[[\"none of its signers is known to this machine's db\"], [false, false]]"
	is "$(of GRUBX64.EFI 'f["verdict"]')" signed
	certificate $SHIM 'Microsoft UEFI CA 2023' >ca.der
	siglist x509 other.der ca.der >list
	variable db list
	look a.img
	validate_json out
	is "$(of BOOTX64.EFI 'f["verdict"], [s["in_db"] for s in f["signers"]]')" \
		'["signed", [false, true]]'
}

# Damaged or strange variables are no lists, and stop nothing.
test_strange_variables()
{
	need_loaders
	fat a.img 2048 $SHIM=BOOTX64.EFI
	head -c 3000 /dev/urandom >rubbish
	variable dbx rubbish
	variable db /dev/null
	variable SbatLevelRT rubbish
	look a.img
	is "$(of BOOTX64.EFI 'f["compared_with"]')" '["db", "SbatLevelRT"]'
	rm -r efivars
	mkdir -p efivars/dbx-d719b2cb-3d3a-4596-a3bc-dad00e67656f
	mkfifo efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f
	look a.img
	is "$(of BOOTX64.EFI 'f["verdict"], f["compared_with"]')" '["signed", []]'
}

test_bad_dbx_file()
{
	local path

	path=$(image ubuntu.iso)
	: >empty
	mkdir dir
	truncate -s 2M large
	run 2 "$ISOWRITE" inspect --dbx=absent "$path"
	has 'absent cannot be read' err
	for file in empty dir large "$TOP/LICENSE" /dev/null; do
		run 2 "$ISOWRITE" inspect --dbx="$file" "$path"
		[ "$(wc -l <out)" = 0 ] || fail "$file was taken"
	done
	has '/dev/null is a device or a pipe' err
	run 2 "$ISOWRITE" inspect --dbx= "$path"
}

# Names from certificates and paths from lists reach no terminal as they are.
test_names_are_escaped()
{
	need_loaders
	need_tool sbsign openssl
	self_signed evil $'evil\e[31m'
	run 0 sbsign --key evil.key --cert evil.crt --output a.efi $FALLBACK
	fat a.img 2048 a.efi=BOOTX64.EFI
	openssl x509 -in evil.crt -outform DER -out evil.der
	siglist x509 evil.der >$'list\e[31m'
	run 0 "$ISOWRITE" inspect --dbx=$'list\e[31m' a.img
	lacks_text $'\e' out
	has 'by evil\x1b[31m, certified by' out
	has 'is revoked in list\x1b[31m' out
}
