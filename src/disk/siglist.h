/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * EFI_SIGNATURE_LISTs (UEFI 2.10 section 32.4.1), what db and dbx, the allowed and the forbidden
 * signatures of Secure Boot, consist of. Bytes in, values out.
 */
#ifndef ISOWRITE_DISK_SIGLIST_H
#define ISOWRITE_DISK_SIGLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum siglist_type {
	SIGLIST_OTHER,
	SIGLIST_SHA256, /* of a program, as Authenticode counts it */
	SIGLIST_X509, /* a certificate, DER */
	SIGLIST_X509_SHA256, /* of a certificate's signed part; then a time, if 0 always */
	SIGLIST_X509_SHA384,
	SIGLIST_X509_SHA512,
};

struct siglist_entry {
	enum siglist_type type;
	const uint8_t *data; /* in the bytes that were parsed; without the owner */
	size_t len; /* at least the digest's, for a type that has one */
};

struct siglist {
	const uint8_t *buf;
	size_t len, pos;
	/* The list being read. */
	enum siglist_type type;
	size_t entry_size, end;
	bool is_damaged; /* at the end: not all of it could be read */
};

/*
 * buf may be the lists alone; what efivarfs gives (4 bytes before them); or a signed update, as
 * uefi.org publishes them (EFI_VARIABLE_AUTHENTICATION_2). False if it is none of these; an
 * empty list is one.
 */
bool siglist_begin(struct siglist *l, const uint8_t *buf, size_t len);

/* The next entry of all lists; false at the end. */
bool siglist_next(struct siglist *l, struct siglist_entry *ret);

#endif
