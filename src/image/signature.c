// SPDX-License-Identifier: GPL-3.0-or-later
/* Authenticode signatures by OpenSSL; see signature.h. */
#include "image/signature.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/num.h"

DEFINE_AUTO(X509 *, X509_free);
DEFINE_AUTO(X509_SIG *, X509_SIG_free);

#define SPC_INDIRECT_DATA "1.3.6.1.4.1.311.2.1.4"

struct signature_pkcs7 {
	PKCS7 *p7;
	X509 *chain[SIGNATURE_MAX_CHAIN + 1]; /* the signer first; p7's */
	size_t n_chain;
};

static void copy_name(const X509_NAME *name, char buf[SIGNATURE_NAME_SIZE])
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	unsigned char *text = NULL;
	int len;

	buf[0] = '\0';
	if (at < 0)
		at = X509_NAME_get_index_by_NID(name, NID_organizationName, -1);
	if (at < 0)
		return;
	len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (len < 0)
		return;
	len = (int)num_min((uint64_t)len, SIGNATURE_NAME_SIZE - 1);
	/* A NUL inside ends it: such a name is somebody's trick. */
	memcpy(buf, text, (size_t)len);
	buf[len] = '\0';
	OPENSSL_free(text);
}

static bool has_signed(X509 *issuer, X509 *subject)
{
	EVP_PKEY *key;

	if (X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(subject)) != 0)
		return false;
	key = X509_get0_pubkey(issuer);
	return key && X509_verify(subject, key) == 1;
}

static bool is_in_chain(const struct signature_pkcs7 *k, const X509 *cert)
{
	for (size_t i = 0; i < k->n_chain; i++)
		if (X509_cmp(k->chain[i], cert) == 0)
			return true;
	return false;
}

/*
 * From the signer up. Each certificate comes once, so it ends. False: where an issuer's
 * certificate is there by its name, none of that name has signed.
 */
static bool follow_chain(struct signature_pkcs7 *k, X509 *signer, const struct stack_st_X509 *certs)
{
	k->chain[0] = signer;
	k->n_chain = 1;
	while (k->n_chain < ARRAY_SIZE(k->chain)) {
		X509 *last = k->chain[k->n_chain - 1], *next = NULL;
		bool is_named = false, is_signed = false;

		for (int i = 0; i < sk_X509_num(certs) && !next; i++) {
			X509 *cert = sk_X509_value(certs, i);

			is_named |= X509_NAME_cmp(X509_get_subject_name(cert),
						  X509_get_issuer_name(last)) == 0;
			if (!has_signed(cert, last))
				continue;
			is_signed = true;
			if (!is_in_chain(k, cert))
				next = cert;
		}
		if (!next)
			return is_signed || !is_named;
		k->chain[k->n_chain++] = next;
	}
	return true;
}

static void set_names(struct signature *s, const struct signature_pkcs7 *k)
{
	copy_name(X509_get_subject_name(k->chain[0]), s->subject);
	copy_name(X509_get_issuer_name(k->chain[0]), s->issuer);
	for (size_t i = 0; i < k->n_chain && s->n_chain < SIGNATURE_MAX_CHAIN; i++) {
		const X509_NAME *issuer = X509_get_issuer_name(k->chain[i]);

		/* Signed by itself: the top. */
		if (X509_NAME_cmp(issuer, X509_get_subject_name(k->chain[i])) == 0)
			break;
		copy_name(issuer, s->chain[s->n_chain++]);
	}
}

/* SpcIndirectDataContent: any element, then a DigestInfo, which OpenSSL calls X509_SIG. */
static bool decode_digest(const uint8_t *p, size_t len, struct digest *ret)
{
	const uint8_t *end = p + len;
	auto_cleanup(X509_SIG_free) X509_SIG *info = NULL;
	const ASN1_OCTET_STRING *value;
	const X509_ALGOR *alg;
	const ASN1_OBJECT *oid;
	long n;
	int tag, class;

	if (ASN1_get_object(&p, &n, &tag, &class, end - p) & 0x80 || n > end - p)
		return false;
	p += n;
	info = d2i_X509_SIG(NULL, &p, end - p);
	if (!info)
		return false;
	X509_SIG_get0(info, &alg, &value);
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	ret->alg = hash_alg_name(OBJ_nid2sn(OBJ_obj2nid(oid)));
	ret->len = (size_t)ASN1_STRING_length(value);
	if (!ret->alg || ret->len != hash_alg_size(ret->alg))
		return false;
	memcpy(ret->value, ASN1_STRING_get0_data(value), ret->len);
	return true;
}

/* What was signed: the content's bytes without their own tag and length. */
static const uint8_t *find_content(const PKCS7 *p7, size_t *ret_len)
{
	const PKCS7 *contents = p7->d.sign->contents;
	const ASN1_STRING *sequence;
	const uint8_t *p, *end;
	char oid[64];
	long n;
	int tag, class;

	if (!contents || !contents->type || OBJ_obj2txt(oid, sizeof(oid), contents->type, 1) <= 0 ||
	    strcmp(oid, SPC_INDIRECT_DATA) != 0 || !contents->d.other ||
	    contents->d.other->type != V_ASN1_SEQUENCE)
		return NULL;
	sequence = contents->d.other->value.sequence;
	p = ASN1_STRING_get0_data(sequence);
	end = p + ASN1_STRING_length(sequence);
	if (ASN1_get_object(&p, &n, &tag, &class, end - p) & 0x80 || n > end - p)
		return NULL;
	*ret_len = (size_t)n;
	return p;
}

/*
 * Step by step, since PKCS7_verify() of OpenSSL 3.0 leaks memory where its first step fails.
 * Which CA is to be trusted is nobody's question here.
 */
static bool has_signed_content(PKCS7 *p7, X509 *signer, const uint8_t *content, size_t len)
{
	PKCS7_SIGNER_INFO *info = sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(p7), 0);
	BIO *in = BIO_new_mem_buf(content, (int)len), *digesting;
	uint8_t buf[1024];
	bool ok;

	digesting = in ? PKCS7_dataInit(p7, in) : NULL;
	if (!digesting) {
		BIO_free(in);
		return false;
	}
	while (BIO_read(digesting, buf, sizeof(buf)) > 0)
		;
	ok = PKCS7_signatureVerify(digesting, p7, info, signer) == 1;
	BIO_free_all(digesting);
	return ok;
}

static const char *decode(struct signature *s, struct signature_pkcs7 *k)
{
	const struct stack_st_PKCS7_SIGNER_INFO *infos;
	const PKCS7_ISSUER_AND_SERIAL *by;
	struct stack_st_X509 *certs;
	const uint8_t *content;
	bool is_chain;
	X509 *signer;
	size_t len;

	if (!PKCS7_type_is_signed(k->p7) || !k->p7->d.sign)
		return _("it is no signed data");
	content = find_content(k->p7, &len);
	if (!content || !decode_digest(content, len, &s->digest))
		return _("it does not say what was signed");
	infos = PKCS7_get_signer_info(k->p7);
	certs = k->p7->d.sign->cert;
	if (sk_PKCS7_SIGNER_INFO_num(infos) != 1 || !certs)
		return _("it does not say who signed");
	by = sk_PKCS7_SIGNER_INFO_value(infos, 0)->issuer_and_serial;
	signer = X509_find_by_issuer_and_serial(certs, by->issuer, by->serial);
	if (!signer)
		return _("its signer's certificate is not there");
	is_chain = follow_chain(k, signer, certs);
	set_names(s, k);
	s->is_whole = is_chain && has_signed_content(k->p7, signer, content, len);
	return NULL;
}

const char *signature_decode(const uint8_t *der, size_t len, struct signature *ret)
{
	struct signature s = { .n_chain = 0 };
	const uint8_t *p = der;
	const char *wrong;

	s.pkcs7 = calloc(1, sizeof(*s.pkcs7));
	if (!s.pkcs7)
		return _("there is not enough memory");
	if (len <= LONG_MAX)
		s.pkcs7->p7 = d2i_PKCS7(NULL, &p, (long)len);
	wrong = s.pkcs7->p7 ? decode(&s, s.pkcs7) : _("it is no PKCS#7");
	ERR_clear_error();
	if (wrong)
		signature_done(&s);
	else
		*ret = s;
	return wrong;
}

void signature_done(struct signature *s)
{
	if (s->pkcs7)
		PKCS7_free(s->pkcs7->p7);
	free(s->pkcs7);
	s->pkcs7 = NULL;
}

bool signature_is_by(const struct signature *s, const uint8_t *der, size_t len)
{
	const struct signature_pkcs7 *k = s->pkcs7;
	auto_cleanup(X509_free) X509 *cert = NULL;
	const uint8_t *p = der;
	bool found = false;

	if (len <= LONG_MAX)
		cert = d2i_X509(NULL, &p, (long)len);
	for (size_t i = 0; cert && i < k->n_chain; i++)
		found |= X509_cmp(cert, k->chain[i]) == 0;
	if (cert && !found)
		found = has_signed(cert, k->chain[k->n_chain - 1]);
	ERR_clear_error();
	return found;
}

bool signature_has_tbs_digest(const struct signature *s, const struct digest *digest)
{
	const struct signature_pkcs7 *k = s->pkcs7;
	struct error err = ERROR_INIT;
	bool found = false;

	for (size_t i = 0; i < k->n_chain && !found; i++) {
		unsigned char *tbs = NULL;
		int len = i2d_re_X509_tbs(k->chain[i], &tbs);
		struct hash *h = NULL;
		struct digest is;

		if (len > 0 && hash_new(digest->alg, &h, &err) == 0) {
			hash_update(h, tbs, (size_t)len);
			hash_peek(h, &is);
			found = digest_is_equal(&is, digest);
		}
		hash_free(h);
		OPENSSL_free(tbs);
	}
	ERR_clear_error();
	return found;
}
