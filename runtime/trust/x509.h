/* x509.h - the one door to mbedTLS: ECDSA keys in PEM, certificate chains, signatures.
 *
 * P-256 goes with SHA-256, P-384 with SHA-384, P-521 with SHA-512, as OpenSSF Model Signing v1.0 (section 4) lays down. A signature must be
 * strict DER before mbedTLS sees it. Time comes from the caller. Absent on purpose: encrypted private keys, CRLs, OCSP, the machine's own
 * roots.
 */
#ifndef RT_TRUST_X509_H
#define RT_TRUST_X509_H

#include "../base/base.h"

typedef struct rt_span {
  const uint8_t *data;
  size_t size;
} rt_span;

typedef struct rt_key rt_key; /* a public or private key on one of the three curves */

enum { RT_X509_MAX_CHAIN = 8, RT_PEM_MAX = 64 * 1024 };

/* One PEM public key (SubjectPublicKeyInfo). `name` for messages. RETORT_ERROR_FORMAT: not such a key; RETORT_ERROR_UNSUPPORTED: another
 * kind of key. */
retort_status rt_key_open_public(const retort_platform *platform, const void *pem, size_t size, const char *name, rt_key **out,
                                 retort_error *error);
/* One unencrypted PEM private key (SEC 1 or PKCS #8). `random`: 32 bytes for blinding. */
retort_status rt_key_open_private(const retort_platform *platform, const void *pem, size_t size, const char *name, const uint8_t random[32],
                                  rt_key **out, retort_error *error);
/* A new key from 64 random bytes; `bits` 256, 384 or 521. */
retort_status rt_key_generate(const retort_platform *platform, unsigned bits, const uint8_t random[64], rt_key **out, retort_error *error);
void rt_key_close(rt_key *key);

/* SHA-256, in hex, of the public half as PEM text: the `hint` of model-signing bundles, and what `sha256sum key.pub` prints. */
const char *rt_key_fingerprint(const rt_key *key);
unsigned rt_key_bits(const rt_key *key);
/* PEM text with its NUL; the private form is SEC 1 ("EC PRIVATE KEY"). *length without the NUL. */
retort_status rt_key_write_public(const rt_key *key, char *buffer, size_t capacity, size_t *length, retort_error *error);
retort_status rt_key_write_private(const rt_key *key, char *buffer, size_t capacity, size_t *length, retort_error *error);

/* ECDSA over the pieces' concatenation. */
bool rt_key_verify(const rt_key *key, const rt_span *pieces, size_t n_pieces, const uint8_t *signature, size_t size);
/* DER, nonces from RFC 6979. */
enum { RT_SIGNATURE_MAX = 160 };
retort_status rt_key_sign(rt_key *key, const rt_span *pieces, size_t n_pieces, uint8_t signature[RT_SIGNATURE_MAX], size_t *size,
                          retort_error *error);

/* True for SEQUENCE { INTEGER r, INTEGER s }, both positive and minimal, lengths minimal, nothing behind. */
bool rt_der_signature_is_strict(const uint8_t *der, size_t size);

/* A chain under trusted roots. */
typedef struct rt_anchors rt_anchors;
/* PEM files of self-signed CA certificates; anything else in them is an error. */
retort_status rt_anchors_open(const retort_platform *platform, const retort_buffer *files, size_t n_files, rt_anchors **out,
                              retort_error *error);
void rt_anchors_close(rt_anchors *anchors);
void rt_anchors_name(const rt_anchors *anchors, char *name, size_t capacity); /* "certificate CN=..." of the first; others are counted */
/* Checks certificates[0] (the leaf, DER) through the others (untrusted path material, any order) to one of the anchors: signatures, CA
 * flags, path lengths, validity of every certificate at `time` (seconds since 1970; INT64_MIN: at the leaf's own notBefore), key usage of
 * the leaf. On success *key is the leaf's key and `subject` its distinguished name. */
retort_status rt_anchors_verify(const rt_anchors *anchors, const rt_span *certificates, size_t n, int64_t time, rt_key **key, char *subject,
                                size_t capacity, retort_error *error);

/* For signers: turns PEM certificates into DER in `arena`, leaf first as given; the leaf must belong to `key`. */
retort_status rt_certificates_read(rt_arena *arena, const retort_buffer *files, size_t n_files, const rt_key *key, rt_span *out, size_t *n,
                                   retort_error *error);

#endif
