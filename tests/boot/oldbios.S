/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A boot sector for bootcode.sh and cdemu.sh that makes an old or broken BIOS out of a good one:
 * it hooks INT 13h, then loads the real sector 0, which the test has put at HIDDEN_LBA, and
 * starts it. What is broken stands behind the code, patched by the test: a bit for each call
 * that fails (bits 0 to 3: AH=02h, 08h, 41h, 42h), bit 4 to let drives 80h and 81h change
 * numbers, bit 5 to let every second read fail and change all registers, bit 6 to refuse reads
 * whose buffer crosses 64 KiB, bit 7 to return from what fails with interrupts off; and the
 * drive number to start with, 0FFh for that of the BIOS.
 *
 * as --32 -o o oldbios.S && ld -m elf_i386 -e start -Ttext 0 --oformat binary -o oldbios o
 */
	.set	HIDDEN_LBA, 36
	.set	BASE_KIB, 0x413 /* of base memory */

	.code16
	.text
	.globl	start
start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ss
	movw	$0x7c00, %sp
	movw	%ax, %ds
	cld
	/* Up to the top of base memory: nothing of what is booted may overwrite the hook. */
	decw	BASE_KIB
	movw	BASE_KIB, %ax
	shlw	$6, %ax
	movw	%ax, %es
	movw	$0x7c00, %si
	xorw	%di, %di
	movw	$256, %cx
	rep movsw
	pushw	%es
	pushw	$moved
	lretw
moved:
	movl	4 * 0x13, %eax
	movl	%eax, %cs:bios
	movw	$hook, 4 * 0x13
	movw	%cs, 4 * 0x13 + 2
	sti
	pushw	%cs
	popw	%ds
	movw	$packet, %si
	movb	$0x42, %ah
	pushfw
	lcallw	*bios
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movb	%cs:first_drive, %al
	cmpb	$0xff, %al
	je	1f
	movb	%al, %dl
1:
	ljmp	$0, $0x7c00

hook:
	/* A drive that is not there: nothing answers. */
	testb	$0x80, %dl
	jz	fails
	cmpb	$0x82, %dl
	jae	fails
	pushw	%ax
	pushw	%bx
	movb	%cs:broken, %bl
	xchgb	%ah, %al
	cmpb	$0x02, %al
	je	2f
	shrb	$1, %bl
	cmpb	$0x08, %al
	je	2f
	shrb	$1, %bl
	cmpb	$0x41, %al
	je	2f
	shrb	$1, %bl
	cmpb	$0x42, %al
	je	2f
	xorb	%bl, %bl
2:
	testb	$1, %bl
	popw	%bx
	popw	%ax
	jnz	fails
	testb	$0x20, %cs:broken
	jz	4f
	cmpb	$0x02, %ah
	je	3f
	cmpb	$0x42, %ah
	jne	4f
3:
	xorb	$1, %cs:stumbled
	jnz	stumbles
4:
	testb	$0x40, %cs:broken
	jz	7f
	pushal
	movzbl	%al, %ecx
	movw	%es, %di
	cmpb	$0x02, %ah
	je	5f
	cmpb	$0x42, %ah
	clc
	jne	6f
	movw	2(%si), %cx
	movw	4(%si), %bx
	movw	6(%si), %di
5:
	shlw	$4, %di
	addw	%di, %bx
	movzwl	%bx, %ebx
	shll	$9, %ecx
	leal	-1(%ebx, %ecx), %eax
	cmpl	$0x10000, %eax
	cmc
6:
	popal
	jc	crosses
7:
	testb	$0x10, %cs:broken
	jnz	other_drive
	ljmpw	*%cs:bios
crosses:
	movb	$0x09, %ah
	jmp	refuses
fails:
	movb	$0x01, %ah
refuses:
	pushw	%bp
	movw	%sp, %bp
	orb	$1, 6(%bp)
	testb	$0x80, %cs:broken
	jz	8f
	andb	$0xfd, 7(%bp)
8:
	popw	%bp
	iretw

stumbles:
	movl	$0xdeadbeef, %ebx
	movl	%ebx, %ecx
	movl	%ebx, %edx
	movl	%ebx, %esi
	movl	%ebx, %edi
	jmp	fails

other_drive:
	pushw	%ax
	xorb	$1, %dl
	pushfw
	lcallw	*%cs:bios
	pushw	%bp
	movw	%sp, %bp
	rcrb	$1, 8(%bp) /* the BIOS's CF into bit 0 */
	rolb	$1, 8(%bp)
	cmpb	$0x08, 3(%bp) /* DL is a number of drives */
	je	3f
	xorb	$1, %dl
3:
	popw	%bp
	addw	$2, %sp
	iretw

packet:
	.byte	16, 0
	.word	1
	.word	0x7c00, 0
	.quad	HIDDEN_LBA
bios:
	.long	0
stumbled:
	.byte	0

	.org	508
broken:
	.byte	0
first_drive:
	.byte	0xff
	.byte	0x55, 0xaa
