/* SPDX-License-Identifier: 0BSD */
/*
 * The boot code of sector 0, for sticks that a BIOS starts. KIND (BOOT_KIND_* in layout.h)
 * says at build time what it enters; where that lies on the stick are facts behind the code,
 * patched by the writer. README.md has the memory map and the registers of each contract.
 *
 * It keeps the drive number that the BIOS gave, and tries 80h if that one cannot be used:
 * what it loads is recognised by a mark before it is entered, so that nothing of another disk
 * ever is. It reads sector by sector: by packets (AH=42h) where the drive has them, and if
 * they fail as by cylinder, head and sector (AH=02h) in the geometry that AH=08h tells.
 *
 * 386 or later, real mode. SI points behind the byte that says how the drive is read: at
 * the packet (1), or at the geometry (0). That is GRUB's contract, and serves all.
 */
#include "layout.h"

#define LOADED_AT 0x7c00 /* by the BIOS; also the top of the stack */
#define TICKS 0x46c /* of the BIOS's clock, 18.2 each second */
#define TRIES 4

#if KIND == BOOT_KIND_ISOLINUX
#define LOAD_AT LOADED_AT
#define MARK_AT 0x7c40
#define MARK 0x7078c0fb
#define STACK (LOADED_AT - 12) /* below what isolinux takes from it last */
#else
#define LOAD_AT BOOT_STAGE_AT
#define STACK LOADED_AT
#endif

#if KIND == BOOT_KIND_CDEMU
#define MARK_AT (BOOT_STAGE_AT + BOOT_CDEMU_MAGIC)
#define MARK 0x574f5349 /* ISOW */
#endif

/* Variables, behind the sector's copy. The packet is filled from the template below. */
#define packet_mode 0x80f
#define packet 0x810
#define packet_count 0x812
#define packet_offset 0x814
#define packet_lba 0x818
#define count 0x820 /* sectors left to load */
#define geometry 0x830 /* u32 sectors a track, 0: unknown; u32 heads; u16 cylinders */
#define geometry_heads 0x834
#define geometry_cylinders 0x838
#define GEOMETRY_END 0x83a
#define drive 0x83a

	.code16
	.text
	.globl	start
start:
	cli
	xorl	%eax, %eax
	movw	%ax, %ss
	movw	$LOADED_AT, %sp
#if KIND == BOOT_KIND_ISOLINUX
	/* For isolinux: the partition's first sector, and the BIOS's Plug and Play table. */
	pushl	%eax
	pushl	%eax
	pushw	%es
	pushw	%di
#endif
	movw	%ax, %ds
	movw	%ax, %es
	movw	$LOADED_AT, %si
	movw	$BOOT_MBR_RUNS_AT, %di
	movw	$256, %cx
	cld
	rep movsw
	ljmp	$0, $moved
moved:
	sti

#if KIND != BOOT_KIND_UEFI_ONLY
	movb	%dl, drive
try_drive:
	movw	$template, %si
	movw	$packet_mode, %di
	movw	$19, %cx
	rep movsb
	xorw	%ax, %ax
	movw	$(GEOMETRY_END - count - 2) / 2, %cx
	rep stosw

	/* The geometry. Some BIOSes want ES:DI zero, all change it for floppies. */
	xorw	%di, %di
	movb	$0x08, %ah
	movb	drive, %dl
	int	$0x13
	pushw	%ds
	popw	%es
	jc	1f
	movb	%cl, %ah
	shrb	$6, %ah
	movb	%ch, %al
	incw	%ax
	movw	%ax, geometry_cylinders
	movzbl	%dh, %eax
	incw	%ax
	movl	%eax, geometry_heads
	movb	%cl, %al
	andl	$0x3f, %eax
	movl	%eax, geometry
1:
	/* Has it packet calls? */
	movw	$packet, %si
	movb	$0x41, %ah
	movw	$0x55aa, %bx
	movb	drive, %dl
	int	$0x13
	jc	2f
	cmpw	$0xaa55, %bx
	jne	2f
	testb	$1, %cl
	jnz	next_sector
2:
	movw	$geometry, %si
	cmpw	$0, (%si)
	movb	$'1', %al
	je	failed

next_sector:
	movzbw	drive, %dx
	movw	$TRIES, %di
try_sector:
	pushaw
	cmpb	$0, -1(%si)
	je	1f
	movw	$1, packet_count
	movb	$0x42, %ah
	jmp	2f
1:
	movl	packet_lba, %eax
	xorl	%edx, %edx
	divl	(%si)
	movw	%dx, %cx
	incw	%cx
	xorl	%edx, %edx
	divl	4(%si)
	movb	%dl, %dh
	movb	drive, %dl
	cmpl	$1023, %eax
	ja	too_far
	cmpl	$0, packet_lba + 4
	jne	too_far
	movb	%al, %ch
	shlb	$6, %ah
	orb	%ah, %cl
	movw	packet_offset, %bx
	movw	$0x0201, %ax
2:
	int	$0x13
	popaw
	jnc	3f
	pushaw
	xorw	%ax, %ax
	int	$0x13
	popaw
	decw	%di
	jnz	try_sector
	/* No packet gets through: by cylinder, head and sector, if that is possible. */
	movb	$'2', %al
	cmpb	$0, -1(%si)
	je	failed
	movw	$geometry, %si
	cmpw	$0, (%si)
	je	failed
	jmp	next_sector
3:
	addl	$1, packet_lba
	adcl	$0, packet_lba + 4
	addb	$2, packet_offset + 1
	decw	count
	jnz	next_sector

	/* Is it what we want, or has another disk been read, or has it been damaged? */
#if KIND == BOOT_KIND_GRUB2
	/* GRUB's first list of blocks begins with the sector behind its own. */
	movl	packet_lba, %eax
	cmpl	%eax, BOOT_STAGE_AT + 0x1f4
#else
	cmpl	$MARK, MARK_AT
#endif
	movb	$'4', %al
	jne	failed

#if KIND == BOOT_KIND_ISOLINUX
	pushw	%dx
	pushw	geometry_heads
	pushw	geometry
	movzbw	-1(%si), %ax
	pushw	%ax
	cli
	ljmp	$0, $MARK_AT + 4
#elif KIND == BOOT_KIND_GRUB2
	movw	$0x2000, %sp
	ljmp	$0, $BOOT_STAGE_AT
#elif KIND == BOOT_KIND_CDEMU
	movzbw	-1(%si), %ax
	movw	%ax, %si
	movw	geometry, %cx
	movw	geometry_heads, %bx
	ljmp	$0, $BOOT_STAGE_AT
#endif

too_far:
	movb	$'3', %al
failed:
	/* AL: the digit. The first drive's is shown, whatever becomes of 80h. */
	movw	$STACK, %sp
	cmpb	$'?', digit
	jne	1f
	movb	%al, digit
1:
	movb	$0x80, %al
	xchgb	%al, drive
	cmpb	$0x80, %al
	jne	try_drive
#endif

	movw	$text, %si
	movw	$0x0007, %bx
1:
	lodsb
	movb	$0x0e, %ah
	int	$0x10
	cmpb	$0, (%si)
	jne	1b
	/* It can be read for 5 seconds, then the BIOS tries the next disk. */
	sti				/* a BIOS may have left them off */
	movw	$91, %cx
2:
	movw	TICKS, %ax
3:
	hlt
	cmpw	%ax, TICKS
	je	3b
	loop	2b
	int	$0x18
4:
	hlt
	jmp	4b

text:
#if KIND == BOOT_KIND_UEFI_ONLY
	.ascii	"\r\nThis stick boots by UEFI only, and the firmware has started it as a BIOS does."
	.asciz	"\r\nChoose its UEFI entry in the boot menu, or switch to UEFI in the setup.\r\n"
#else
	.ascii	"\r\nisowrite boot error "
digit:
	.asciz	"?\r\n"
#endif

/*
 * The packet as it is at first; behind it, in the facts, the sector and how many there are to
 * load. mbr.lds joins them.
 */
	.section .template, "a"
	.globl	template
template:
	.byte	1
	.byte	16, 0
	.word	1
	.word	LOAD_AT, 0

	.section .facts, "a"
	.globl	facts, facts_kind, facts_magic
facts:
	.quad	0
	.word	0
facts_kind:
	.byte	KIND
	.byte	BOOT_VERSION
facts_magic:
	.ascii	"ISOWRITE"
	.long	0
