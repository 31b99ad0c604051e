/* SPDX-License-Identifier: 0BSD */
/*
 * cdemu: lets a stick look like the CD drive that a disc was booted from.
 *
 * A resident INT 13h handler after "El Torito" 1.0 (Phoenix, IBM, 1995) and the packet
 * calls of "Enhanced Disk Drive Specification" 1.1 (Phoenix, 1995). The stick's first
 * sectors are the disc's, so a block of 2048 bytes is four sectors at four times its
 * number; all reads go to the BIOS's own INT 13h.
 *
 * mbr.S loads it to 0:8000 and enters it as layout.h says. It moves itself to the top of
 * base memory, loads the boot image, hooks INT 13h and INT 15h and enters the image as a
 * BIOS does. What the boot catalog says it finds in its facts, patched in by the writer;
 * it reads no structure of the disc.
 *
 * What there is then:
 *   - always a CD drive without emulation, the first unused number from E0 on
 *   - media 1..3: an emulated floppy 00; the machine's floppies become 01 ..
 *   - media 4: an emulated hard disk 80; the machine's disks, the stick among them, 81 ..
 *
 * All offsets are from the start of this file, in the stage and resident alike: CS holds
 * the segment, and so does DS wherever the code does not say otherwise.
 */
#include "layout.h"

#define RESIDENT_KIB	3	/* taken from base memory: this file, then init's stack */
#define SPEC_SIZE	19	/* of El Torito's specification packet */
#define READ_BLOCKS	16	/* of 2048 bytes at most in one call of the BIOS */
#define TRIES		3
#define CD_FIRST	0xe0
#define CD_LAST		0xef

#define BDA_EQUIPMENT	0x410	/* u16: bit 0 floppies, bits 6..7 their number - 1 */
#define BDA_BASE_KIB	0x413	/* u16: base memory */
#define BDA_DISKS	0x475	/* u8: hard disks */
#define BDA_TICKS	0x46c	/* u16: 18.2 a second */
#define VECTOR_13	(4 * 0x13)
#define VECTOR_15	(4 * 0x15)
#define VECTOR_1E	(4 * 0x1e)

/* What the calls return in AH. */
#define ST_OK		0x00
#define ST_INVALID	0x01	/* function or parameter */
#define ST_PROTECTED	0x03
#define ST_BOUNDARY	0x09	/* the buffer runs beyond the first MiB */
#define ST_CONTROLLER	0x20

/* Our handler's stack frame, from BP: what the caller had, what he gets. */
#define F_ES	0(%bp)
#define F_DS	2(%bp)
#define F_DI	4(%bp)
#define F_SI	8(%bp)
#define F_BX	20(%bp)
#define F_DX	24(%bp)
#define F_DL	24(%bp)
#define F_DH	25(%bp)
#define F_CX	28(%bp)
#define F_AX	32(%bp)
#define F_AL	32(%bp)
#define F_AH	33(%bp)
#define F_FLAGS	40(%bp)

	.code16
	.text
	.globl	_start, media, catalog_lba
_start:
	ljmp	$(BOOT_STAGE_AT >> 4), $init

	.org	BOOT_CDEMU_MAGIC
	.ascii	"ISOWCDEM"

	/* The facts: see layout.h. */
	.org	BOOT_CDEMU_MEDIA
media:		.byte	0
	.org	BOOT_CDEMU_SPT
spt:		.byte	0
	.org	BOOT_CDEMU_CYLINDERS
cylinders:	.word	0
	.org	BOOT_CDEMU_HEADS
heads:		.word	0
	.org	BOOT_CDEMU_SEGMENT
segment:	.word	0x7c0
	.org	BOOT_CDEMU_COUNT
count:		.word	1
	.org	BOOT_CDEMU_SYSTEM_TYPE
		.byte	0
	.org	BOOT_CDEMU_PLATFORM
		.byte	0
	.org	BOOT_CDEMU_IMAGE_LBA
image_lba:	.long	0
	.org	BOOT_CDEMU_IMAGE_SECTORS
image_sectors:	.long	0
	.org	BOOT_CDEMU_DISC_BLOCKS
disc_blocks:	.long	0
	.org	BOOT_CDEMU_CATALOG_LBA
catalog_lba:	.long	0
	.org	BOOT_CDEMU_FACTS_END

	/* What the machine has, found by init. */
old13:		.long	0	/* the BIOS's vectors */
old15:		.long	0
equipment:	.word	0	/* BDA_EQUIPMENT and BDA_DISKS before we changed them */
disks:		.byte	0
real_drive:	.byte	0	/* the stick, as the BIOS numbers it */
real_packets:	.byte	0	/* it has AH=42; else its geometry: */
real_spt:	.word	0
real_heads:	.word	0

	/* What we emulate. */
cd_drive:	.byte	0
emu_drive:	.byte	0	/* the floppy or hard disk; cd_drive if there is none */
shifts:		.byte	0	/* 1: the machine's drives of that kind come one later */
last_status:	.byte	0	/* of the calls to our drives */
failure:	.byte	0	/* of the BIOS's last read */
tries:		.byte	0
entry:		.word	0, 0	/* of the boot image, offset and segment */

	/* The packet by which we read: EDD's disk address packet. */
dap:		.byte	16, 0
dap_count:	.word	0
dap_buffer:	.word	0	/* always below 16 */
dap_segment:	.word	0
dap_lba:	.quad	0

	/* The packet that AH=4B returns: El Torito's specification packet. */
spec:		.byte	SPEC_SIZE
spec_media:	.byte	0
spec_drive:	.byte	0
		.byte	0	/* controller */
spec_lba:	.long	0
		.word	0	/* device */
		.word	0	/* cache segment */
spec_segment:	.word	0
spec_count:	.word	0
spec_geometry:	.byte	0, 0, 0 /* CH, CL, DH as by AH=08 */

	/* Calls by AH: value, handler; the last one takes all others. */
cd_calls:
	.byte	0x00
	.word	succeed
	.byte	0x01
	.word	get_status
	.byte	0x03
	.word	refuse_write
	.byte	0x15
	.word	cd_type
	.byte	0x41
	.word	cd_check
	.byte	0x42
	.word	cd_read
	.byte	0x43
	.word	cd_write
	.byte	0x44
	.word	cd_verify
	.byte	0x47
	.word	cd_verify
	.byte	0x48
	.word	cd_parameters
	.byte	0x4d
	.word	cd_catalog
	.byte	0xff
	.word	refuse

emu_calls:
	.byte	0x00
	.word	succeed
	.byte	0x01
	.word	get_status
	.byte	0x02
	.word	emu_read
	.byte	0x03
	.word	refuse_write
	.byte	0x04
	.word	emu_verify
	.byte	0x05		/* format a track */
	.word	refuse_write
	.byte	0x08
	.word	emu_parameters
	.byte	0x09		/* initialise the drive pair */
	.word	succeed
	.byte	0x0c		/* seek */
	.word	succeed
	.byte	0x0d		/* reset the hard disk */
	.word	succeed
	.byte	0x10		/* is it ready? */
	.word	succeed
	.byte	0x11		/* recalibrate */
	.word	succeed
	.byte	0x15
	.word	emu_type
	.byte	0x16		/* was the disk changed? */
	.word	succeed
	.byte	0xff
	.word	refuse

/*
 * INT 13h. Calls to our drives end in succeed, refuse or the like, with BP at the frame.
 * 4B is taken before the BIOS sees it: SeaBIOS answers it for any drive, with zeros.
 */
int13:
	pushal
	push	%ds
	push	%es
	mov	%sp, %bp
	push	%cs
	pop	%ds
	cld
	cmp	$0x4b, %ah
	jne	1f
	cmp	$0x7f, %dl
	je	emu_status
	cmp	cd_drive, %dl
	je	emu_status
	cmp	emu_drive, %dl
	je	emu_status
1:
	mov	$cd_calls, %si
	cmp	cd_drive, %dl
	je	2f
	mov	$emu_calls, %si
	cmp	emu_drive, %dl
	jne	to_bios
2:
	sti
3:
	lodsb
	cmp	%al, %ah
	je	4f
	cmp	$0xff, %al
	je	4f
	add	$2, %si
	jmp	3b
4:
	jmp	*(%si)

/* Another drive: to the BIOS, by the number that it knows it by. */
to_bios:
	mov	emu_drive, %al
	xor	%dl, %al
	cmp	$0x80, %al		/* CF: both floppies or both not */
	sbb	%al, %al
	and	shifts, %al
	cmp	$CD_FIRST, %dl
	jb	1f
	xor	%al, %al
1:
	test	%al, %al
	pop	%es
	pop	%ds
	popal				/* keeps ZF */
	jnz	1f
	ljmp	*%cs:old13
1:
	push	%dx
	push	%ax
	dec	%dx			/* DL is above 0 here */
	pushf
	lcall	*%cs:old13
	push	%bp			/* frame: BP, AX, DX, IP, CS, flags */
	mov	%sp, %bp
	rcrb	$1, 10(%bp)		/* the BIOS's CF into bit 0 */
	rolb	$1, 10(%bp)
	cmpb	$0x08, 3(%bp)
	jne	1f
	mov	4(%bp), %dl
	call	drives
	jmp	3f
1:
	cmpb	$0x15, 3(%bp)
	jne	2f
	cmp	$3, %ah
	je	3f			/* CX:DX is a hard disk's size */
2:
	mov	4(%bp), %dl
3:
	pop	%bp
	add	$4, %sp
	iret

/* How a call ends: with AH and CF in the caller's registers. */
get_status:
	mov	last_status, %ah
	jmp	end_status
refuse_write:
	mov	$ST_PROTECTED, %ah
	jmp	end_call
refuse:
	mov	$ST_INVALID, %ah
	jmp	end_call
succeed:
	mov	$ST_OK, %ah
end_call:				/* AH: the status */
	mov	%ah, last_status
end_status:
	cmp	$1, %ah
	cmc				/* CF: AH is not 0 */
	jmp	end
end_value:				/* AH: something else, no error */
	movb	$ST_OK, last_status
	clc
end:					/* BP: the frame; what lies below it is dropped */
	mov	%bp, %sp
	mov	%ah, F_AH
	rcrb	$1, F_FLAGS		/* CF into bit 0 */
	rolb	$1, F_FLAGS
	pop	%es
	pop	%ds
	popal
	iret

/* AX=4B01 and 4B00: what was booted; 4B00 ends the emulation of a disk. */
emu_status:
	sti
	cmpb	$1, F_AL
	ja	refuse
	mov	F_DS, %es
	mov	F_SI, %di
	mov	$spec, %si
	mov	$SPEC_SIZE, %cx
	rep movsb
	cmpb	$0, F_AL
	jne	succeed
	cmpb	$0, shifts
	je	succeed
	decb	shifts
	mov	cd_drive, %al
	mov	%al, emu_drive
	mov	%al, spec_drive
	movb	$0, spec_media
	xor	%ax, %ax
	mov	%ax, %es
	mov	equipment, %ax
	mov	%ax, %es:BDA_EQUIPMENT
	mov	disks, %al
	mov	%al, %es:BDA_DISKS
	jmp	succeed

/* ---- the CD drive */

cd_type:				/* a drive that cannot tell a change */
	mov	$1, %ah
	jmp	end_value

cd_check:
	cmpw	$0x55aa, F_BX
	jne	refuse
	movw	$0xaa55, F_BX
	movw	$1, F_CX		/* packet calls only */
	mov	$0x21, %ah		/* of EDD 1.1 */
	jmp	end_value

cd_read:
	call	cd_packet
	cmpl	$-1, %es:4(%si)		/* EDD 3's address of 64 bits */
	je	refuse_packet
	push	%es
	push	%si
	les	%es:4(%si), %bx
	call	read_blocks
	pop	%si
	pop	%es
	add	$3, %ecx		/* a block that was read in part was not read */
	shr	$2, %ecx
	sub	%cx, %es:2(%si)
	jmp	end_call

cd_write:
	call	cd_packet
	movw	$0, %es:2(%si)
	jmp	refuse_write

cd_verify:
	call	cd_packet
	jmp	succeed

/*
 * The caller's disk address packet.
 * out: ES:SI packet, EAX first block, ECX blocks; else the call ends here
 */
cd_packet:
	mov	F_DS, %es
	mov	F_SI, %si
	cmpb	$16, %es:(%si)
	jb	refuse
	movzwl	%es:2(%si), %ecx
	cmpl	$0, %es:12(%si)
	jne	refuse_packet
	mov	%es:8(%si), %eax
	call	is_on_disc
	jc	refuse_packet
	ret
refuse_packet:				/* ES:SI packet: no block was transferred */
	movw	$0, %es:2(%si)
	jmp	refuse

/* EAX, ECX: first block and how many. CF: they are not all on the disc. EDX is lost. */
is_on_disc:
	mov	%ecx, %edx
	add	%eax, %edx
	jc	1f
	cmp	%edx, disc_blocks	/* CF: the disc ends before */
1:
	ret

cd_parameters:
	mov	F_DS, %es
	mov	F_SI, %di
	mov	$26, %ax
	cmp	%ax, %es:(%di)
	jb	refuse
	stosw
	mov	$4, %ax			/* removable; no geometry */
	stosw
	xor	%ax, %ax
	mov	$6, %cx			/* cylinders, heads, sectors, u32 each */
	rep stosw
	mov	disc_blocks, %eax
	stosl
	xor	%eax, %eax
	stosl
	mov	$2048, %ax
	stosw
	jmp	succeed

/* The catalog. Packet: u8 8, u8 sectors, far pointer, u16 first sector of the catalog. */
cd_catalog:
	mov	F_DS, %es
	mov	F_SI, %si
	cmpb	$8, %es:(%si)
	jb	refuse
	movzbl	%es:1(%si), %ecx
	movzwl	%es:6(%si), %eax
	add	catalog_lba, %eax
	call	is_on_disc
	jc	refuse
	les	%es:2(%si), %bx
	call	read_blocks
	jmp	end_call

/* ---- the emulated disk */

emu_type:
	mov	$1, %ah			/* a floppy that cannot tell a change */
	cmpb	$4, media
	jne	end_value
	mov	image_sectors, %eax
	mov	%ax, F_DX
	shr	$16, %eax
	mov	%ax, F_CX
	mov	$3, %ah			/* a hard disk */
	jmp	end_value

emu_parameters:
	call	emu_geometry
	mov	%cx, F_CX
	mov	F_DL, %dl
	call	drives
	mov	%dx, F_DX
	mov	media, %al
	cmp	$4, %al
	je	succeed
	add	%al, %al		/* 2, 4, 6: drives of 1.2, 1.44, 2.88 MB */
	mov	%al, F_BX
	xor	%ax, %ax
	mov	%ax, %es
	les	%es:VECTOR_1E, %di
	mov	%es, F_ES
	mov	%di, F_DI
	jmp	succeed

/* out: CX, DH: the last cylinder, sector and head as AH=08 codes them */
emu_geometry:
	mov	cylinders, %cx
	dec	%cx
	rol	$8, %cx
	shl	$6, %cl
	or	spt, %cl
	mov	heads, %dh
	dec	%dh
	ret

emu_verify:
	call	emu_address
	jmp	succeed

emu_read:
	call	emu_address
	mov	image_lba, %esi
	xor	%edx, %edx
	shld	$2, %esi, %edx
	shl	$2, %esi
	add	%esi, %eax
	adc	$0, %edx
	mov	F_ES, %es
	mov	F_BX, %bx
	call	read
	sub	%cl, F_AL		/* sectors that were read */
	jmp	end_call

/*
 * What the caller asks for, of the emulated disk.
 * out: EAX first sector, ECX sectors, 1 .. 128; else the call ends here
 */
emu_address:
	movzbl	F_CX, %ebx
	and	$0x3f, %bl		/* sector, from 1 */
	jz	refuse_address
	cmp	spt, %bl
	ja	refuse_address
	mov	F_CX, %ax
	rol	$8, %ax
	shr	$6, %ah			/* cylinder */
	cmp	cylinders, %ax
	jae	refuse_address
	movzbl	F_DH, %ecx
	cmp	heads, %cx
	jae	refuse_address
	mulw	heads			/* at most 1024 * 256 */
	shl	$16, %edx
	mov	%ax, %dx
	add	%edx, %ecx		/* track */
	movzbl	spt, %eax
	mul	%ecx
	lea	-1(%eax,%ebx), %eax
	movzbl	F_AL, %ecx
	dec	%cl
	js	refuse_address
	inc	%cx
	lea	(%eax,%ecx), %edx
	cmp	image_sectors, %edx
	ja	refuse_address
	ret
refuse_address:
	movb	$0, F_AL
	jmp	refuse

/* ---- reading */

/*
 * 2048-byte blocks of the disc.
 * in: EAX first block, ECX blocks, ES:BX buffer
 * out and lost: as read
 */
read_blocks:
	shl	$2, %ecx
	xor	%edx, %edx
	shld	$2, %eax, %edx
	shl	$2, %eax

/*
 * 512-byte sectors of the stick.
 * in: EDX:EAX first sector, ECX sectors, ES:BX buffer, DS = CS
 * out: AH status, ECX sectors that were not read
 * lost: EAX, EBX, EDX, ESI, EDI, ES
 */
read:
	mov	%eax, dap_lba
	mov	%edx, dap_lba + 4
	mov	%bx, dap_buffer
	andw	$15, dap_buffer
	shr	$4, %bx
	mov	%es, %ax
	add	%bx, %ax
	mov	%ax, dap_segment
read_on:				/* CF: the buffer has reached the first MiB's end */
	mov	$ST_OK, %ah
	inc	%ecx			/* is it 0? CF stays */
	dec	%ecx
	jz	read_end
	mov	$ST_BOUNDARY, %ah
	jc	read_end
	mov	$READ_BLOCKS * 4, %edi	/* sectors in this call */
	cmp	%edi, %ecx
	jae	1f
	mov	%ecx, %edi
1:
	/* Old BIOSes refuse what crosses 64 KiB (AH=09), which their DMA cannot do. */
	mov	dap_segment, %ax
	not	%ax
	and	$0xfff, %ax
	shr	$5, %ax			/* sectors up to there, or one less */
	jnz	1f
	inc	%ax
1:
	cmp	%ax, %di
	jbe	1f
	mov	%ax, %di
1:
	push	%ecx
	mov	$0x42, %ah
	mov	$dap, %si
	cmpb	$0, real_packets
	jne	1f
	call	read_address
	jc	read_failed
1:
	mov	real_drive, %dl
	movb	$TRIES, tries
2:
	les	dap_buffer, %bx
	mov	%di, dap_count
	pushal
	call	bios
	mov	%ah, failure
	popal
	jnc	3f
	pushal
	xor	%ax, %ax		/* reset */
	call	bios
	popal
	decb	tries
	jnz	2b
	jmp	read_failed
3:
	pop	%ecx
	sub	%edi, %ecx
	add	%edi, dap_lba
	adcl	$0, dap_lba + 4
	shl	$5, %di			/* in paragraphs */
	add	%di, dap_segment
	jmp	read_on
read_failed:
	pop	%ecx
	mov	failure, %ah
	test	%ah, %ah
	jnz	read_end
	mov	$ST_CONTROLLER, %ah
read_end:
	ret

/*
 * Cylinder, head and sector of dap_lba on the stick.
 * in: EDI sectors wanted
 * out: AH=02, AL and EDI sectors, at most to the track's end, CX, DH as for AH=02;
 *	CF: beyond what cylinders reach; failure is set
 * lost: EAX, EBX, EDX, ESI
 */
read_address:
	movb	$ST_INVALID, failure
	mov	dap_lba, %eax
	mov	dap_lba + 4, %edx
	movzwl	real_spt, %esi
	cmp	%esi, %edx		/* else the quotient has no room */
	jae	1f
	div	%esi			/* EAX track, EDX sector from 0 */
	sub	%dx, %si
	cmp	%si, %di
	jb	2f
	mov	%si, %di
2:
	mov	%dx, %cx
	inc	%cx
	xor	%edx, %edx
	movzwl	real_heads, %ebx
	div	%ebx			/* EAX cylinder, EDX head */
	cmp	$1023, %eax
	ja	1f
	mov	%dl, %dh
	mov	%al, %ch
	shl	$6, %ah
	or	%ah, %cl
	mov	%di, %ax
	mov	$0x02, %ah
	ret				/* CF is clear */
1:
	stc
	ret

/* The BIOS's INT 13h, as an INT would call it. */
bios:
	pushf
	cli
	lcall	*old13
	ret

/* in: DL any drive; out: DL number of drives of its kind, ours among them */
drives:
	push	%ds
	push	$0
	pop	%ds
	test	%dl, %dl
	mov	BDA_DISKS, %dl
	js	1f
	mov	BDA_EQUIPMENT, %dl
	shr	$6, %dl
	inc	%dx
1:
	pop	%ds
	ret

/*
 * INT 15h, AX=E820: what says of usable memory (type 1) that it is free where we are ends
 * where we begin; what begins in our memory is reserved (type 2). Systems that go by
 * BDA_BASE_KIB see us anyway.
 */
int15:
	cmp	$0xe820, %ax
	je	1f
	ljmp	*%cs:old15
1:
	pushf
	lcall	*%cs:old15
	push	%bp			/* frame: BP, IP, CS, flags */
	mov	%sp, %bp
	rcrb	$1, 6(%bp)
	rolb	$1, 6(%bp)
	testb	$1, 6(%bp)
	pop	%bp
	jnz	3f
	cmpl	$0, %es:4(%di)
	jne	3f
	cmpb	$1, %es:16(%di)
	jne	3f
	push	%ds
	push	%eax
	push	%es
	pop	%ds
	mov	%cs, %ax
	movzwl	%ax, %eax
	shl	$4, %eax
	sub	(%di), %eax		/* room below us */
	jbe	1f
	cmpl	$0, 12(%di)
	jne	4f
	cmp	%eax, 8(%di)
	jbe	2f
4:
	mov	%eax, 8(%di)
	movl	$0, 12(%di)
	jmp	2f
1:
	neg	%eax			/* from our first byte to the entry's */
	cmp	$RESIDENT_KIB << 10, %eax
	jae	2f
	movb	$2, 16(%di)
2:
	pop	%eax
	pop	%ds
3:
	iret

/* ---- init: entered as layout.h says */
init:
	cld
	xor	%ax, %ax
	mov	%ax, %es
	push	%cs
	pop	%ds
	mov	%dl, real_drive
	mov	%si, %ax
	mov	%al, real_packets
	mov	%cx, real_spt
	mov	%bx, real_heads
	mov	%es:VECTOR_13, %ecx
	mov	%ecx, old13
	mov	%es:VECTOR_15, %ecx
	mov	%ecx, old15

	/* Where to: below the top of base memory. */
	movzwl	%es:BDA_BASE_KIB, %eax
	mov	%ax, %bx
	sub	$RESIDENT_KIB, %bx
	cmp	$640 - RESIDENT_KIB, %bx
	ja	no_memory
	mov	%bx, %ax
	shl	$10, %eax

	/* Does the boot image end below that? */
	movzwl	segment, %ebp
	shl	$4, %ebp
	movzwl	count, %ecx
	add	$3, %ecx
	shr	$2, %ecx		/* blocks */
	mov	%ecx, %edx
	shl	$11, %edx
	add	%edx, %ebp
	cmp	%eax, %ebp
	ja	no_memory

	/* Move there; the stack as well, since the image may be loaded below 0:7C00. */
	shr	$4, %eax
	mov	%ax, %es
	xor	%si, %si
	xor	%di, %di
	push	%cx
	mov	$blob_end, %cx
	rep movsb
	pop	%cx
	push	%es
	push	$1f
	lret
1:
	push	%cs
	pop	%ds
	push	%cs
	pop	%ss
	mov	$RESIDENT_KIB << 10, %sp

	/* The boot image. */
	mov	image_lba, %eax
	mov	%eax, spec_lba
	mov	segment, %es
	xor	%bx, %bx
	call	read_blocks
	test	%ah, %ah
	jnz	no_image

	/* A number for the CD drive. */
	mov	$CD_FIRST - 1, %dl
2:
	inc	%dx
	cmp	$CD_LAST, %dl
	ja	no_number
	pushal
	mov	$0x41, %ah
	mov	$0x55aa, %bx
	call	bios
	jc	3f			/* no such drive */
	cmp	$0xaa55, %bx
	je	3f			/* there is one, CF clear */
	stc
3:
	popal
	jnc	2b
	mov	%dl, cd_drive

	/* What is emulated. */
	xor	%ax, %ax
	mov	%ax, %es
	mov	%es:BDA_EQUIPMENT, %ax
	mov	%ax, equipment
	mov	%es:BDA_DISKS, %cl
	mov	%cl, disks
	mov	media, %ch
	test	%ch, %ch
	jz	2f
	incb	shifts
	xor	%dx, %dx
	cmp	$4, %ch
	jne	1f
	mov	$0x80, %dl
	incb	%es:BDA_DISKS
	jmp	2f
1:
	test	$1, %al
	jz	1f
	add	$0x40, %al		/* a floppy more, 4 at most */
	jc	2f
	mov	%al, %es:BDA_EQUIPMENT
	jmp	2f
1:
	and	$0x3f, %al		/* the only one */
	or	$1, %al
	mov	%al, %es:BDA_EQUIPMENT
2:
	mov	%dl, emu_drive
	mov	%dl, spec_drive
	mov	%ch, spec_media
	mov	segment, %bx
	mov	%bx, spec_segment
	mov	count, %ax
	mov	%ax, spec_count
	test	%ch, %ch
	jz	1f
	call	emu_geometry
	rol	$8, %cx
	mov	%cx, spec_geometry
	mov	%dh, spec_geometry + 2
1:

	/* From here on we are there. */
	subw	$RESIDENT_KIB, %es:BDA_BASE_KIB
	cli
	movw	$int13, %es:VECTOR_13
	mov	%cs, %es:VECTOR_13 + 2
	movw	$int15, %es:VECTOR_15
	mov	%cs, %es:VECTOR_15 + 2

	/*
	 * 07C0:0 is entered as 0:7C00, as most BIOSes do and boot sectors expect. What was loaded
	 * below may lie where the stack would be, and gets ours.
	 */
	xor	%eax, %eax
	mov	%ax, entry
	mov	%bx, entry + 2
	cmp	$0x7c0, %bx
	jb	2f
	jne	1f
	movl	$0x7c00, entry
1:
	mov	%ax, %ss
	mov	$0x7c00, %sp
2:
	movzbl	emu_drive, %edx
	mov	%ax, %ds
	sti
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	mov	$0xaa55, %ax		/* as IBM's BIOSes have it */
	ljmp	*%cs:entry

/* Failures: their digits stand in README.md. */
no_memory:
	mov	$'5', %al
	jmp	fail
no_image:
	mov	$'6', %al
	jmp	fail
no_number:
	mov	$'7', %al
fail:
	mov	%al, digit
	mov	$message, %si
1:
	lodsb
	test	%al, %al
	jz	2f
	mov	$0x0e, %ah
	mov	$7, %bx
	int	$0x10
	jmp	1b
2:
	/* It can be read for 5 seconds. */
	sti				/* a BIOS may have left them off */
	xor	%ax, %ax
	mov	%ax, %es
	mov	$91, %cx
3:
	mov	%es:BDA_TICKS, %ax
4:
	hlt
	cmp	%es:BDA_TICKS, %ax
	je	4b
	loop	3b
	int	$0x18			/* the next disk */
5:
	hlt
	jmp	5b

message:	.ascii	"isowrite boot error "
digit:		.asciz	"0\r\n"

blob_end:
