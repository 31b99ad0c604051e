/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A boot image that asks the drive which it was booted from everything that INT 13h has to
 * answer, rightly and wrongly, and says on the serial port what it thinks of the answers:
 * a line "PASS NAME" or "FAIL NAME ..." each, then "END", then it leaves QEMU.
 *
 * MEDIA (El Torito's) is what it will be booted as. Behind the code every sector of 512 bytes
 * holds its number, so that what was read is known from where. Defined may be SEABIOS, which
 * would not survive some questions, OLD_BIOS without packet calls (1) or
 * where any read may fail (2), SEGMENT, where it will
 * be loaded to if not to 07C0, from 0700 on, SHORT for a stick shorter than the disc, and
 * ALIGNED for a BIOS that cannot read across 64 KiB: no sector lies across.
 *
 * Each call is made with all registers holding something and CF the wrong way; what the
 * table does not name as a result must come back unchanged.
 */
#if MEDIA == 0
SECTORS = 320
#elif MEDIA == 2
CYLINDERS = 80
HEADS = 2
SPT = 18
LAST_HEAD = 1
LAST_SECTOR = 18
SECTORS = 2880
#elif MEDIA == 4
CYLINDERS = 21
HEADS = 4
SPT = 17
LAST_HEAD = 0
LAST_SECTOR = 8
/* The last cylinder is not full. */
SECTORS = 20 * 4 * 17 + 8
#endif
#define CODE_SECTORS	32
#define FIRST_LEFT	38	/* sector where it was loaded: the code may have moved over others */
#ifndef SEGMENT
#define SEGMENT		0x7c0
#endif
#ifdef ALIGNED
#define EMULATED_AT	0x1200
#else
#define EMULATED_AT	0x1233
#endif
#if SEGMENT == 0x7c0
#define HERE(label)	label
#else
#define HERE(label)	label - 0x7c00
#endif
#define MAGIC		0x5ec70000

/* Which drive a test means: the one that was booted, the CD drive, or another. */
#define BOOTED		0xfe
#define CD		0xfd
#define STICK		0xfc	/* what was behind the CD drive: the first hard disk */

/* What a call may change, beside AH and CF. */
#define AL		1
#define BX		2
#define CX		4
#define DX		8
#define ESDI		16

/* Blocks of a packet count from: */
#define DISC		0
#define IMAGE		1
#define END		2

#define ROW_AX		2
#define ROW_BX		4
#define ROW_CX		6
#define ROW_DX		8
#define ROW_AH		10
#define ROW_CF		11
#define ROW_OUT		12
#define ROW_BASE	13
#define ROW_PACKET	14
#define ROW_COUNT	30	/* the packet's after the call */
#define ROW_FIRST	32	/* sector that is in the buffer then, and how many are */
#define ROW_SECTORS	34
#define ROW_CHECK	36
#define ROW_NAME	38

	.macro	T name, ax, bx=0, cx=0, dh=0x77, dl=BOOTED, ah=0, cf=0, out=0, \
		size=16, second=0, count=0, off=0, seg=0x2000, lba=0, high=0, base=DISC, left=-1, \
		first=0, sectors=0, check=0
	.word	9f - .
	.word	\ax, \bx, \cx, ((\dh) << 8) | \dl
	.byte	\ah, \cf, \out, \base
	.byte	\size, \second
	.word	\count, \off, \seg
	.long	\lba, \high
	.if	\left < 0
	.word	\count
	.else
	.word	\left
	.endif
	.word	\first, \sectors, \check
	.asciz	"\name"
9:
	.endm

	.code16
	.text
	.globl	_start
_start:
	jmp	1f
boot_ax:	.word	0
boot_dx:	.word	0
boot_flags:	.word	0
boot_ip:	.word	0
boot_cs:	.word	0
1:
	pushf
	pop	%cs:HERE(boot_flags)
	mov	%ax, %cs:HERE(boot_ax)
	mov	%dx, %cs:HERE(boot_dx)
	mov	%cs, %cs:HERE(boot_cs)
	call	2f
2:
	pop	%ax
	sub	$2b - _start, %ax
	mov	%ax, %cs:HERE(boot_ip)
#if SEGMENT != 0x7c0
	/* To where it was linked for; downwards, the two may overlap. */
	push	%cs
	pop	%ds
	xor	%ax, %ax
	mov	%ax, %es
	mov	$CODE_SECTORS * 512 - 2, %si
	mov	$0x7c00 + CODE_SECTORS * 512 - 2, %di
	mov	$CODE_SECTORS * 256, %cx
	std
	rep movsw
#endif
	ljmp	$0, $3f
3:
	xor	%ax, %ax
	mov	%ax, %ss
	mov	$0x7c00, %sp
	mov	%ax, %ds
	mov	%ax, %es
	cld
	sti
#if MEDIA
	mov	$0x0200 + CODE_SECTORS - 1, %ax
	mov	$0x7e00, %bx
	mov	$2, %cx
	xor	%dh, %dh
	int	$0x13
	mov	$text_no_load, %si
	jc	print_and_leave
#endif
	jmp	main

putc:
	push	%dx
	push	%ax
	mov	$0x3fd, %dx
1:
	in	%dx, %al
	test	$0x20, %al
	jz	1b
	pop	%ax
	mov	$0x3f8, %dx
	out	%al, %dx
	pop	%dx
	ret
print:
	lodsb
	test	%al, %al
	jz	1f
	call	putc
	jmp	print
1:
	ret
print_and_leave:
	call	print
leave:
	mov	$0xf4, %dx		/* QEMU's isa-debug-exit */
	xor	%ax, %ax
	out	%ax, %dx
	hlt
	jmp	leave
text_no_load:	.asciz	"FAIL the rest of the boot image is read\nEND\n"

	.org	446
#if MEDIA == 4
	.byte	0x80, 1, 1, 0, 6, HEADS - 1, SPT, CYLINDERS - 1
	.long	SPT, SECTORS - SPT
#endif
	.org	510
	.word	0xaa55

main:
	mov	$0x3fb, %dx		/* words of 8 bits */
	mov	$3, %al
	out	%al, %dx
	call	image_tests
	call	find_cd
	call	spec_tests
	call	memory_tests
	mov	$table, %bx
1:
	cmpw	$0, (%bx)
	je	2f
	call	run_row
	add	(%bx), %bx
	jmp	1b
2:
	call	late_tests
	mov	$text_end, %si
	jmp	print_and_leave

/* ZF: PASS; SI: name. */
verdict:
	mov	$text_pass, %di
	je	1f
	mov	$text_fail, %di
1:
	pushf
	push	%si
	mov	%di, %si
	call	print
	pop	%si
	call	print
	popf
	ret
newline:
	mov	$10, %al
	jmp	putc
verdict_here:				/* the name lies behind the call */
	pop	%si
	call	verdict
	push	%si
	jmp	newline
	.macro	VERDICT name
	call	verdict_here
	.asciz	"\name"
	.endm
hex_word:
	xchg	%al, %ah
	call	hex_byte
	xchg	%al, %ah
hex_byte:
	ror	$4, %al
	call	1f
	ror	$4, %al
1:
	push	%ax
	and	$15, %al
	cmp	$10, %al
	sbb	$0x69, %al
	das
	call	putc
	pop	%ax
	ret

/* ---- the tests' table is run */

/* The registers of a call: before, wanted and after it. */
#define R_EAX	0
#define R_EBX	4
#define R_ECX	8
#define R_EDX	12
#define R_ESI	16
#define R_EDI	20
#define R_EBP	24
#define R_DS	28
#define R_ES	30
#define R_FS	32
#define R_GS	34
#define R_SP	36
#define R_FLAGS	38
#define R_SIZE	40
#define FLAGS_SEEN 0x601	/* DF, IF, CF */

before	= 0x500
wanted	= 0x540
after	= 0x580
packet	= 0x5c0			/* 32 bytes, or 64 */

call13:
	pushal
	mov	%sp, %ax
	sub	$2, %ax
	mov	%ax, before + R_SP
	mov	before + R_EBX, %ebx
	mov	before + R_ECX, %ecx
	mov	before + R_EDX, %edx
	mov	before + R_ESI, %esi
	mov	before + R_EDI, %edi
	mov	before + R_EBP, %ebp
	mov	before + R_FS, %fs
	mov	before + R_GS, %gs
	mov	before + R_ES, %es
	mov	before + R_EAX, %eax
	pushw	before + R_FLAGS
	mov	before + R_DS, %ds
	popf
	push	%bp			/* a word that must stay */
	int	$0x13
	mov	%ds, %cs:after + R_DS
	push	%cs
	pop	%ds
	mov	%eax, after + R_EAX
	pushf
	pop	%ax
	cld
	and	$FLAGS_SEEN, %ax
	mov	%ax, after + R_FLAGS
	mov	%sp, after + R_SP
	mov	before + R_SP, %sp
	add	$2, %sp
	mov	%ebx, after + R_EBX
	mov	%ecx, after + R_ECX
	mov	%edx, after + R_EDX
	mov	%esi, after + R_ESI
	mov	%edi, after + R_EDI
	mov	%ebp, after + R_EBP
	mov	%es, after + R_ES
	mov	%fs, after + R_FS
	mov	%gs, after + R_GS
	push	%ds
	pop	%es
	sti
	popal
	ret

/* BX: row. */
run_row:
	push	%bx
	/* the buffers */
	mov	$0x1000, %ax
1:
	mov	%ax, %es
	xor	%di, %di
	mov	$0x8000, %cx
	push	%ax
	mov	$0xeeee, %ax
	rep stosw
	pop	%ax
	add	$0x1000, %ax
	cmp	$0x5000, %ax
	jb	1b
	push	%ds
	pop	%es

	/* the registers */
	mov	$before, %di
	mov	$R_SIZE, %cx
	mov	$0x5a, %al
	rep stosb
	mov	ROW_AX(%bx), %ax
	mov	%ax, before + R_EAX
	mov	ROW_BX(%bx), %ax
	mov	%ax, before + R_EBX
	mov	ROW_CX(%bx), %ax
	mov	%ax, before + R_ECX
	mov	ROW_DX(%bx), %ax
	call	drive
	mov	%ax, before + R_EDX
	movw	$packet, before + R_ESI
	movw	$0, before + R_DS
	mov	ROW_PACKET + 6(%bx), %ax
	mov	%ax, before + R_ES
	mov	ROW_CF(%bx), %al
	xor	$1, %al
	cbw
	or	$0x600, %ax
	mov	%ax, before + R_FLAGS

	/* the packet */
	lea	ROW_PACKET(%bx), %si
	mov	$packet, %di
	mov	$16, %cx
	rep movsb
	mov	$0xeeee, %ax
	mov	$24, %cx
	rep stosw
	mov	image, %eax
	cmpb	$IMAGE, ROW_BASE(%bx)
	je	1f
	mov	disc, %eax
	cmpb	$END, ROW_BASE(%bx)
	je	1f
	xor	%eax, %eax
1:
	add	%eax, packet + 8

	call	call13

	/* what is wanted of the registers */
	mov	$before, %si
	mov	$wanted, %di
	mov	$R_SIZE, %cx
	rep movsb
	mov	ROW_AH(%bx), %al
	mov	%al, wanted + R_EAX + 1
	mov	ROW_CF(%bx), %al
	cbw
	or	$0x600, %ax
	mov	%ax, wanted + R_FLAGS
	mov	ROW_OUT(%bx), %cl
	test	$AL, %cl
	jz	1f
	mov	after + R_EAX, %al
	mov	%al, wanted + R_EAX
1:
	test	$BX, %cl
	jz	1f
	mov	after + R_EBX, %ax
	mov	%ax, wanted + R_EBX
1:
	test	$CX, %cl
	jz	1f
	mov	after + R_ECX, %ax
	mov	%ax, wanted + R_ECX
1:
	test	$DX, %cl
	jz	1f
	mov	after + R_EDX, %ax
	mov	%ax, wanted + R_EDX
1:
	test	$ESDI, %cl
	jz	1f
	mov	after + R_EDI, %ax
	mov	%ax, wanted + R_EDI
	mov	after + R_ES, %ax
	mov	%ax, wanted + R_ES
1:
	mov	$wanted, %si
	mov	$after, %di
	mov	$R_SIZE, %cx
	repe cmpsb
	jne	2f
	mov	$text_count, %dx
	mov	ROW_COUNT(%bx), %ax
	cmp	packet + 2, %ax
	jne	3f
	mov	$text_data, %dx
	call	sectors_are_there
	jne	3f
	mov	$text_result, %dx
	mov	ROW_CHECK(%bx), %ax
	test	%ax, %ax
	jz	1f
	push	%bx
	call	*%ax
	pop	%bx
	jne	3f
1:
	xor	%ax, %ax
	lea	ROW_NAME(%bx), %si
	call	verdict
	call	newline
	pop	%bx
	ret
2:
	mov	$text_registers, %dx
	test	%sp, %sp
3:
	lea	ROW_NAME(%bx), %si
	call	verdict
	mov	%dx, %si
	call	print
	mov	$after, %si
	mov	$R_SIZE / 2, %cx
1:
	mov	$32, %al
	call	putc
	lodsw
	call	hex_word
	loop	1b
	mov	$text_wanted, %si
	call	print
	mov	$wanted, %si
	mov	$R_SIZE / 2, %cx
1:
	mov	$32, %al
	call	putc
	lodsw
	call	hex_word
	loop	1b
	call	newline
	pop	%bx
	ret

/* AL: one of the drives above; out: AL its number. */
drive:
	cmp	$BOOTED, %al
	jne	1f
	mov	boot_dx, %al
	ret
1:
	cmp	$CD, %al
	jne	1f
	mov	cd_drive, %al
	ret
1:
	cmp	$STICK, %al
	jne	1f
	mov	$0x80, %al
#if MEDIA == 4
	inc	%ax
#endif
1:
	ret

/* BX: row. ZF: its sectors are in its buffer, and nothing else around them. */
sectors_are_there:
	mov	ROW_SECTORS(%bx), %cx
	jcxz	9f
	movzwl	ROW_PACKET + 4(%bx), %edi
	cmpb	$0x42, ROW_AX + 1(%bx)
	je	1f
	movzwl	ROW_BX(%bx), %edi
1:
	movzwl	ROW_PACKET + 6(%bx), %eax
	shl	$4, %eax
	add	%eax, %edi
	movzwl	ROW_FIRST(%bx), %eax
	add	$MAGIC, %eax
	sub	$4, %edi
	call	load_edx
	cmp	$0xeeeeeeee, %edx
	jne	2f
	add	$4, %edi
1:
	call	load_edx
	cmp	%eax, %edx
	jne	2f
	add	$508, %edi
	call	load_edx
	cmp	%eax, %edx
	jne	2f
	add	$4, %edi
	inc	%eax
	loop	1b
	call	load_edx
	cmp	$0xeeeeeeee, %edx
2:
	mov	$text_data, %dx
	ret
9:
	xor	%ax, %ax
	ret

/* EDI: linear address; out: EDX the dword there. */
load_edx:
	push	%edi
	push	%es
	ror	$4, %edi
	mov	%di, %es
	shr	$28, %edi
	mov	%es:(%di), %edx
	pop	%es
	pop	%edi
	ret

/* ---- results that the table's checks look at */

/* The packet's results: nothing wrong: ZF. */
check_edd:
	cmpw	$0xaa55, after + R_EBX
	jne	1f
	testb	$1, after + R_ECX
	jz	2f
	xor	%ax, %ax
1:
	ret
2:
	inc	%cx
	test	%sp, %sp
	ret

check_descriptor:
	push	$0x2000
	pop	%es
	cmpl	$0x30444301, %es:0	/* 01 CD0 */
	jne	1f
	mov	%es:80, %eax		/* blocks of the volume */
	mov	%eax, disc
1:
	push	%ds
	pop	%es
	ret

check_parameters:
	cmpw	$26, packet
	jb	1f
	cmpw	$30, packet
	ja	1f
	mov	packet + 16, %eax
	cmp	disc, %eax
	jne	1f
	cmpl	$0, packet + 20
	jne	1f
	cmpw	$2048, packet + 24
	jne	1f
	cmpw	$0xeeee, packet + 30
1:
	ret

check_catalog:
	push	$0x2000
	pop	%es
	cmpw	$1, %es:0
	jne	1f
	cmpw	$0xaa55, %es:30
	jne	1f
	cmpb	$0x88, %es:32
	jne	1f
	mov	%es:40, %eax
	cmp	image, %eax
	jne	1f
	cmpw	$0xeeee, %es:2048
1:
	push	%ds
	pop	%es
	ret

check_stick:
	push	$0x2000
	pop	%es
	cmpw	$0xaa55, %es:510
	push	%ds
	pop	%es
	ret

check_al:
	mov	after + R_EAX, %al
	cmp	before + R_EAX, %al
	ret
check_al_is_0:
	cmpb	$0, after + R_EAX
	ret

check_disks:
	mov	0x475, %al
	cmp	after + R_EDX, %al
	ret

#if MEDIA == 2
check_floppy:
	cmpw	$(CYLINDERS - 1) << 8 | SPT, after + R_ECX
	jne	1f
	cmpb	$HEADS - 1, after + R_EDX + 1
	jne	1f
	mov	0x410, %al
	shr	$6, %al
	inc	%ax
	cmp	after + R_EDX, %al
	jne	1f
	cmpb	$4, after + R_EBX
	jne	1f
	mov	0x78, %ax
	cmp	after + R_EDI, %ax
	jne	1f
	mov	0x7a, %ax
	cmp	after + R_ES, %ax
1:
	ret

#elif MEDIA == 4
check_disk:
	cmpw	$(CYLINDERS - 1) << 8 | SPT, after + R_ECX
	jne	1f
	cmpb	$HEADS - 1, after + R_EDX + 1
	jne	1f
	jmp	check_disks
1:
	ret

check_size:
	cmpw	$SECTORS, after + R_EDX
	jne	1f
	cmpw	$0, after + R_ECX
1:
	ret
#endif

/* ---- tests that fit into no table */

image_tests:
#if SEGMENT == 0x7c0
	cmpw	$0x7c00, boot_ip
	VERDICT	"entered at 7C00"
	cmpw	$0, boot_cs
	VERDICT	"entered in segment 0"
#else
	cmpw	$0, boot_ip
	VERDICT	"entered at 0"
	cmpw	$SEGMENT, boot_cs
	VERDICT	"entered in its segment"
#endif
	cmpw	$0xaa55, boot_ax
	VERDICT	"entered with AX as from a BIOS"
	mov	boot_dx, %ax
#if MEDIA == 0
	cmp	$0xe0, %al
	jb	1f
	cmp	$0xf0, %al
	cmc
	sbb	%al, %al
1:
#elif MEDIA == 4
	cmp	$0x80, %al
#else
	test	%al, %al
#endif
	VERDICT	"entered with the right drive"
	mov	$text_drive, %si
	call	print
	mov	boot_dx, %al
	call	hex_byte
	call	newline
	mov	boot_flags, %ax
	and	$0x600, %ax
	cmp	$0x200, %ax
	VERDICT	"entered with interrupts on and direction up"
#if MEDIA == 0
	/* What the catalog counts, was rounded up to blocks. */
	mov	$(SEGMENT << 4) + FIRST_LEFT * 512, %edi
	mov	$MAGIC + FIRST_LEFT, %eax
1:
	call	load_edx
	cmp	%eax, %edx
	jne	2f
	add	$512, %edi
	inc	%eax
	cmp	$MAGIC + 136, %eax
	jne	1b
2:
	VERDICT	"all of 135 sectors and the rest of their last block are loaded"
#endif
	ret

/* The CD drive: the booted one, or the one that has packet calls from E0 on. */
find_cd:
	mov	boot_dx, %dl
	cmp	$0xe0, %dl
	jae	2f
	mov	$0xdf, %dl
1:
	inc	%dx
	cmp	$0xf0, %dl
	je	2f
	mov	$0x41, %ah
	mov	$0x55aa, %bx
	push	%dx
	int	$0x13
	pop	%dx
	jc	1b
2:
	mov	%dl, cd_drive
	cmp	$0xf0, %dl
	sbb	%al, %al
	inc	%al
	VERDICT	"there is a CD drive"
	ret

spec_tests:
	mov	$0x4b01, %ax
	mov	boot_dx, %dl
	call	get_spec
	mov	packet + 4, %eax
	mov	%eax, image
	mov	boot_dx, %al
	mov	%al, spec_wanted + 2
	mov	image, %eax
	mov	%eax, spec_wanted + 4
#ifdef SEABIOS
	movb	$1, spec_wanted + 3	/* it counts CD controllers so */
#endif
	call	check_spec
	VERDICT	"4B01: the packet"
	mov	$0x4b01, %ax
	mov	$0x7f, %dl
	call	get_spec
	call	check_spec
	VERDICT	"4B01 of drive 7F: the packet"
	mov	$0x4b01, %ax
	mov	cd_drive, %dl
	call	get_spec
	call	check_spec
	VERDICT	"4B01 of the CD drive: the packet"
	ret
check_spec:				/* shown where it is wrong */
	mov	$spec_wanted, %si
	mov	$packet, %di
	mov	$20, %cx
	repe cmpsb
	je	2f
	mov	$packet, %si
	mov	$20, %cx
1:
	lodsb
	call	hex_byte
	loop	1b
	mov	$32, %al
	call	putc
	test	%sp, %sp
2:
	ret
get_spec:
	mov	$packet, %si
	mov	$packet, %di
	mov	$12, %cx
	push	%ax
	mov	$0xeeee, %ax
	rep stosw
	pop	%ax
	mov	$packet, %si
	movb	$19, packet
	int	$0x13
	ret
spec_wanted:
	.byte	19, MEDIA, 0, 0
	.long	0
	.word	0, 0, SEGMENT
#if MEDIA == 0
	.word	135
	.byte	0, 0, 0
#elif MEDIA == 4
	.word	1
	.byte	CYLINDERS - 1, SPT, HEADS - 1
#else
	.word	1
	.byte	CYLINDERS - 1, SPT, HEADS - 1
#endif
	.byte	0xee			/* no byte more */

/* Whoever handles INT 13h lies above base memory; so says E820. */
memory_tests:
	int	$0x12
	cmp	0x413, %ax
	VERDICT	"INT 12h says what 40:13 says"
	movzwl	0x413, %eax
	shl	$10, %eax
	mov	%eax, base_end
	movzwl	0x4e, %ecx
	shl	$4, %ecx
	mov	$1, %dl
	cmp	%eax, %ecx
	jb	1f
	xor	%dl, %dl
1:
	test	%dl, %dl
	VERDICT	"INT 13h is handled above base memory"
	movb	$1, memory_is_bad
	xor	%ebx, %ebx
1:
	mov	$0xe820, %eax
	mov	$0x534d4150, %edx
	mov	$24, %ecx
	mov	$packet, %di
	int	$0x15
	jc	3f
	cmp	$0x534d4150, %eax
	jne	3f
	cmpl	$1, packet + 16
	jne	2f
	cmpl	$0, packet + 4
	jne	2f
	cmpl	$0x100000, packet
	jae	2f
	mov	packet, %eax
	add	packet + 8, %eax
	cmp	base_end, %eax
	ja	3f
	cmpl	$0, packet
	jne	2f
	/* from 0 up to us, and nothing is lost */
	cmp	base_end, %eax
	jne	3f
	movb	$0, memory_is_bad
2:
	test	%ebx, %ebx
	jnz	1b
	jmp	4f
3:
	movb	$1, memory_is_bad
4:
	cmpb	$0, memory_is_bad
	VERDICT	"E820 says that usable memory ends where base memory does"
#if MEDIA == 2
	mov	0x410, %al
	and	$1, %al
	dec	%al
	VERDICT	"the equipment has a floppy"
#elif MEDIA == 4 && !defined(SEABIOS)
	cmpb	$2, 0x475
	VERDICT	"there is a hard disk more"
#endif
	ret

late_tests:
#if MEDIA != 0 && !defined(SEABIOS) && OLD_BIOS != 2
	/* The emulation ends: the drives are the machine's own. */
	mov	$0x4b00, %ax
	mov	boot_dx, %dl
	call	get_spec
	mov	$1, %al
	adc	$0, %al
	dec	%al
	VERDICT	"4B00 ends the emulation"
#if MEDIA == 4
	cmpb	$1, 0x475
	VERDICT	"4B00: a hard disk less"
	mov	$0x80, %dl
#else
	testb	$1, 0x410
	VERDICT	"4B00: a floppy less"
	mov	$0x80, %dl
#endif
	mov	$0x0201, %ax
	mov	$1, %cx
	mov	$0, %dh
	mov	$0x2000, %bx
	mov	%bx, %es
	xor	%bx, %bx
	movw	$0, %es:510
	int	$0x13
	cmpw	$0xaa55, %es:510
	push	%ds
	pop	%es
	VERDICT	"4B00: drive 80 is the stick"
	mov	$0x0201, %ax
	mov	$1, %cx
	mov	boot_dx, %dx
	mov	$0, %dh
	mov	$0x2000, %bx
	mov	%bx, %es
	xor	%bx, %bx
	int	$0x13
	cmpl	$MAGIC, %es:0
	setz	%al
	push	%ds
	pop	%es
	test	%al, %al
	VERDICT	"4B00: the emulated drive is gone"
	mov	$0x4b01, %ax
	mov	cd_drive, %dl
	call	get_spec
	mov	packet + 2, %al
	cmp	cd_drive, %al
	jne	1f
	cmpb	$0, packet + 1
1:
	VERDICT	"4B01 after 4B00: the CD drive"
#endif
	ret

cd_drive:	.byte	0
memory_is_bad:	.byte	0
image:		.long	0
disc:		.long	0
base_end:	.long	0
text_drive:	.asciz	"PASS booted from drive "
text_pass:	.asciz	"PASS "
text_fail:	.asciz	"FAIL "
text_end:	.asciz	"END\n"
text_registers:	.asciz	": registers"
text_count:	.asciz	": the packet's count"
text_data:	.asciz	": what was read"
text_result:	.asciz	": the result"
text_wanted:	.asciz	", wanted"

table:
#ifdef SHORT
	/* The disc goes on where the stick has ended, at 64 MiB: a call of the BIOS fails. */
	T	"42: across the stick's end", 0x42cc, dl=CD, count=40, lba=32768-20, ah=12, cf=1, left=16
	.word	0
#endif
	/* The CD drive. The first test is where the others know the disc's end from. */
	T	"42: the descriptor", 0x42cc, dl=CD, count=1, lba=16, check=check_descriptor
	T	"41", 0x41cc, bx=0x55aa, dl=CD, ah=0x21, out=BX|CX, check=check_edd
	T	"41 without the key", 0x41cc, bx=0x55ab, dl=CD, ah=1, cf=1
	T	"00", 0x00cc, dl=CD
	T	"42: 17 blocks", 0x42cc, dl=CD, count=17, lba=9, base=IMAGE, first=36, sectors=68
#ifdef ALIGNED
	T	"42: 40 blocks", 0x42cc, dl=CD, count=40, off=0x200, lba=8, base=IMAGE, \
		first=32, sectors=160
	T	"42: across 64 KiB", 0x42cc, dl=CD, count=33, off=0xfe00, lba=9, base=IMAGE, \
		first=36, sectors=132
#else
	T	"42: 40 blocks to an odd address", 0x42cc, dl=CD, count=40, off=0x109, lba=8, \
		base=IMAGE, first=32, sectors=160
	T	"42: across 64 KiB", 0x42cc, dl=CD, count=33, off=0xfff0, lba=9, base=IMAGE, \
		first=36, sectors=132
#endif
	T	"42: a longer packet", 0x42cc, dl=CD, size=24, count=1, lba=10, base=IMAGE, \
		first=40, sectors=4
	T	"42: no block", 0x42cc, dl=CD, count=0, lba=10, base=IMAGE
	T	"42: a packet too short", 0x42cc, dl=CD, size=15, count=1, lba=10, ah=1, cf=1
	T	"42: the last block", 0x42cc, dl=CD, count=1, lba=-1, base=END
	T	"42: behind the last block", 0x42cc, dl=CD, count=1, base=END, ah=1, cf=1, left=0
	T	"42: across the end", 0x42cc, dl=CD, count=2, lba=-1, base=END, ah=1, cf=1, left=0
	T	"42: far behind the end", 0x42cc, dl=CD, count=1, lba=16, high=1, ah=1, cf=1, left=0
	T	"42: wrapping", 0x42cc, dl=CD, count=17, lba=0xfffffff0, ah=1, cf=1, left=0
	T	"42: a long address", 0x42cc, dl=CD, size=24, count=1, off=0xffff, seg=0xffff, \
		lba=16, ah=1, cf=1, left=0
#ifndef SEABIOS
	T	"42: beyond the first MiB", 0x42cc, dl=CD, count=2, off=0x100, seg=0xffff, \
		lba=16, ah=9, cf=1, left=0
#endif
	T	"43", 0x43cc, dl=CD, count=1, lba=16, ah=3, cf=1, left=0
	T	"01 after a failure", 0x01cc, dl=CD, ah=3, cf=1
	T	"44", 0x44cc, dl=CD, count=17, lba=16
	T	"01 after a success", 0x01cc, dl=CD
	T	"44: behind the last block", 0x44cc, dl=CD, count=1, base=END, ah=1, cf=1, left=0
	T	"47", 0x47cc, dl=CD, count=1, lba=20
	T	"47: behind the last block", 0x47cc, dl=CD, count=1, base=END, ah=1, cf=1, left=0
	T	"48", 0x48cc, dl=CD, size=26, check=check_parameters, left=4
	T	"48: a buffer too small", 0x48cc, dl=CD, size=25, ah=1, cf=1
	T	"4D", 0x4dcc, dl=CD, size=8, second=1, off=0x2000, seg=0, check=check_catalog
	T	"15", 0x15cc, dl=CD, ah=1
	T	"02", 0x0201, cx=1, dl=CD, ah=1, cf=1
	T	"03", 0x0301, cx=1, dl=CD, ah=3, cf=1
	T	"08", 0x08cc, dl=CD, ah=1, cf=1
	T	"45", 0x4500, dl=CD, ah=1, cf=1
	T	"4C", 0x4c00, dl=CD, ah=1, cf=1
	T	"FF", 0xffcc, dl=CD, ah=1, cf=1
	T	"4B02", 0x4b02, dl=BOOTED, ah=1, cf=1

#ifndef SEABIOS
	/* The drives behind us. */
#ifndef OLD_BIOS
	T	"42 of the stick", 0x42cc, dl=STICK, count=1, check=check_stick
#endif
#if OLD_BIOS != 2
	T	"02 of the stick", 0x0201, cx=1, dh=0, dl=STICK, check=check_stick
#endif
	T	"08 of the stick", 0x08cc, dl=STICK, out=AL|BX|CX|DX|ESDI, check=check_disks
	T	"15 of the stick", 0x15cc, dl=STICK, ah=3, out=AL|CX|DX
#ifndef OLD_BIOS
	T	"41 of the stick", 0x41cc, bx=0x55aa, dl=STICK, ah=0x30, out=BX|CX, check=check_edd
#endif
	T	"08 of a disk that is not there", 0x08cc, dl=0x9f, ah=1, cf=1, out=AL|BX|CX|DX|ESDI
	T	"02 of a disk that is not there", 0x0201, cx=1, dl=0x9f, ah=1, cf=1, out=AL
#endif
#if MEDIA
	/* The emulated disk. */
	T	"emulated 00", 0x00cc
	T	"emulated 02: a sector", 0x0201, cx=16, dh="HEADS - 1", \
		first="SPT * (HEADS - 1) + 15", sectors=1, check=check_al
	T	"emulated 02: a track and the next head's", 0x0214, cx=0x0201, dh=0, \
		first="SPT * HEADS * 2", sectors=20, check=check_al
	T	"emulated 02: 128 sectors", 0x0280, bx=EMULATED_AT, cx=0x0302, dh=1, \
		first="SPT * (HEADS * 3 + 1) + 1", sectors=128, check=check_al
	T	"emulated 02: the last sector", 0x0201, cx="((CYLINDERS - 1) << 8) | LAST_SECTOR", \
		dh=LAST_HEAD, first=SECTORS-1, sectors=1, check=check_al
	T	"emulated 02: across the end", 0x0202, cx="((CYLINDERS - 1) << 8) | LAST_SECTOR", dh=LAST_HEAD, \
		ah=1, cf=1, out=AL, check=check_al_is_0
	T	"emulated 02: sector 0", 0x0201, cx=0x0300, dh=1, ah=1, cf=1, out=AL, check=check_al_is_0
	T	"emulated 02: no such sector", 0x0201, cx="0x0300 + SPT + 1", dh=1, ah=1, cf=1, out=AL, \
		check=check_al_is_0
	T	"emulated 02: no such head", 0x0201, cx=0x0301, dh=HEADS, ah=1, cf=1, out=AL, \
		check=check_al_is_0
	T	"emulated 02: no such cylinder", 0x0201, cx="(CYLINDERS << 8) | 1", dh=0, ah=1, cf=1, \
		out=AL, check=check_al_is_0
	T	"emulated 02: cylinder 256", 0x0201, cx=0x0041, dh=0, ah=1, cf=1, out=AL, \
		check=check_al_is_0
	T	"emulated 02: no sectors", 0x0200, cx=0x0301, dh=0, ah=1, cf=1, out=AL, \
		check=check_al_is_0
	T	"emulated 02: 129 sectors", 0x0281, cx=0x0301, dh=0, ah=1, cf=1, out=AL, \
		check=check_al_is_0
	T	"emulated 03", 0x0301, cx=0x0301, dh=0, ah=3, cf=1, out=AL
	T	"emulated 01 after a failure", 0x01cc, ah=3, cf=1
	T	"emulated 04", 0x0401, cx=0x0301, dh=0
	T	"emulated 01 after a success", 0x01cc
	T	"emulated 04: no such head", 0x0401, cx=0x0301, dh=HEADS, ah=1, cf=1, out=AL
	T	"emulated 05", 0x0501, cx=0x0301, dh=0, ah=3, cf=1, out=AL
	T	"emulated 41", 0x41cc, bx=0x55aa, ah=1, cf=1
	T	"emulated 42", 0x42cc, count=1, ah=1, cf=1
	T	"emulated 4B02", 0x4b02, ah=1, cf=1
	T	"emulated 11", 0x11cc
#if MEDIA == 4
	T	"emulated 08", 0x08cc, out=AL|CX|DX, check=check_disk
	T	"emulated 15", 0x15cc, ah=3, out=CX|DX, check=check_size
#else
	T	"emulated 08", 0x08cc, out=AL|BX|CX|DX|ESDI, check=check_floppy
	T	"emulated 15", 0x15cc, ah=1
	T	"emulated 16", 0x16cc
	T	"02 of a floppy that is not there", 0x0201, cx=1, dl=1, ah=1, cf=1, out=AL
#endif
#endif
	.word	0

	/* What the other sectors hold. */
	.org	CODE_SECTORS * 512
	.set	sector, CODE_SECTORS
	.rept	SECTORS - CODE_SECTORS
	.long	MAGIC + sector
	.fill	126, 4, 0
	.long	MAGIC + sector
	.set	sector, sector + 1
	.endr
