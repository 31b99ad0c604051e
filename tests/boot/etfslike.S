/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stands in for the loader of a Windows disc, which may not be passed on: an El Torito
 * image without emulation, of 4096 bytes with a load size of 8. It relies on what that
 * one relies on: that all of its 8 sectors were loaded, and that the drive in DL reads
 * blocks of 2048 bytes by INT 13h, AH=42h. Says its text when the disc's volume
 * descriptor was read so.
 *
 * as -o o etfslike.S && ld -Ttext 0x7c00 --oformat binary -o etfslike.bin o
 */
	.code16
	.globl _start
_start:
	ljmp $0, $start
start:
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $0x7c00, %sp
	sti
	cld

	/* The last word of each sector is its number. */
	mov $0x7c00 + 510, %bx
	mov $1, %cx
1:	cmp %cx, (%bx)
	jne not_loaded
	add $512, %bx
	inc %cx
	cmp $8, %cx
	jbe 1b

	mov $packet, %si
	mov $0x42, %ah
	int $0x13
	jc no_disc
	mov $0x9001, %si
	mov $cd001, %di
	mov $5, %cx
	repe cmpsb
	jne no_disc
	mov $booted, %si
	jmp say
not_loaded:
	mov $short, %si
	jmp say
no_disc:
	mov $unread, %si
say:	lodsb
	test %al, %al
	jz 1f
	mov $0x0e, %ah
	mov $7, %bx
	int $0x10
	jmp say
1:	hlt
	jmp 1b

	.balign 4
packet:	.byte 16, 0
	.word 1
	.word 0x9000, 0
	.long 16, 0
cd001:	.ascii "CD001"
booted:	.asciz "ISOWRITE-BOOTED winlike.iso\r\n"
short:	.asciz "Boot failed: not all sectors were loaded\r\n"
unread:	.asciz "Boot failed: the drive reads no disc\r\n"

	.set number, 0
	.rept 8
	.set number, number + 1
	.org number * 512 - 2
	.word number
	.endr
