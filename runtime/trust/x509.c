/* x509.c - see x509.h. The only file that includes mbedTLS.
 *
 * mbedTLS allocates with the C library: its allocator hook is global state, which the core does not touch. What is added around it are the
 * checks that it leaves to its caller (research into its behaviour: an absent key usage extension passes, an intermediate serves as anchor,
 * signatures in loose DER are accepted) and the clock, which it is built without.
 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include "x509.h"

#include <stdio.h>
#include <string.h>

#include <mbedtls/ecdsa.h>
#include <mbedtls/hmac_drbg.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include "encoding.h"
#include "sodium.h"

struct rt_key {
  const retort_platform *platform;
  mbedtls_pk_context pk;
  mbedtls_hmac_drbg_context drbg; /* private keys: blinding */
  unsigned bits;
  char fingerprint[65];
};

static const struct curve {
  unsigned bits;
  mbedtls_ecp_group_id id;
  mbedtls_md_type_t md;
} curves[] = {{256, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_MD_SHA256},
              {384, MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_MD_SHA384},
              {521, MBEDTLS_ECP_DP_SECP521R1, MBEDTLS_MD_SHA512}};

static const struct curve *curve_of_bits(unsigned bits) {
  for (size_t i = 0; i < RT_COUNT(curves); i++)
    if (curves[i].bits == bits) return &curves[i];
  return NULL;
}

static const struct curve *curve_of_key(const mbedtls_pk_context *pk) {
  if (!mbedtls_pk_can_do(pk, MBEDTLS_PK_ECDSA)) return NULL;
  mbedtls_ecp_group_id id = mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*pk));
  for (size_t i = 0; i < RT_COUNT(curves); i++)
    if (curves[i].id == id) return &curves[i];
  return NULL;
}

/* ---- keys ---- */

static rt_key *key_new(const retort_platform *platform, retort_error *error) {
  rt_key *key = rt_alloc(platform, sizeof *key);
  if (!key) {
    rt_fail_memory(error, sizeof *key, "a key");
    return NULL;
  }
  key->platform = platform;
  mbedtls_pk_init(&key->pk);
  mbedtls_hmac_drbg_init(&key->drbg);
  return key;
}

void rt_key_close(rt_key *key) {
  if (!key) return;
  mbedtls_pk_free(&key->pk);
  mbedtls_hmac_drbg_free(&key->drbg);
  rt_free(key->platform, key, sizeof *key);
}

/* Derives curve and fingerprint from the parsed key. */
static retort_status key_finish(rt_key *key, const char *name, retort_error *error) {
  const struct curve *curve = curve_of_key(&key->pk);
  if (!curve)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED,
                   "%s: not an elliptic curve key on P-256, P-384 or P-521, the only kinds that model signatures use", name);
  key->bits = curve->bits;
  char pem[1024];
  uint8_t digest[32];
  memset(pem, 0, sizeof pem);
  if (mbedtls_pk_write_pubkey_pem(&key->pk, (unsigned char *)pem, sizeof pem) != 0)
    return rt_fail_memory(error, sizeof pem, "a public key in PEM form");
  if (mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), (const unsigned char *)pem, strlen(pem), digest) != 0)
    return rt_fail_memory(error, 256, "a key's fingerprint");
  rt_hex_encode(digest, sizeof digest, key->fingerprint);
  return RETORT_OK;
}

/* mbedTLS wants PEM text with its NUL counted. Exactly one PEM object of the wanted kind: text with two could be read differently
 * elsewhere. */
static char *pem_copy(const retort_platform *platform, const void *pem, size_t size, const char *name, retort_error *error) {
  if (size > RT_PEM_MAX || memchr(pem, 0, size)) {
    rt_fail(error, RETORT_ERROR_FORMAT, "%s: not PEM text of at most 64 KiB", name);
    return NULL;
  }
  char *copy = rt_alloc(platform, size + 1);
  if (copy) memcpy(copy, pem, size);
  else rt_fail_memory(error, size + 1, "a key");
  return copy;
}

/* The two ways to read a key are handed over as functions, so that a program that only verifies is linked without the one for private keys.
 */
typedef retort_status key_parser(rt_key *key, const char *text, size_t size, const char *name, const uint8_t *random, retort_error *error);

static retort_status parse_public(rt_key *key, const char *text, size_t size, const char *name, const uint8_t *random,
                                  retort_error *error) {
  (void)random;
  int failed =
      strstr(text, "-----BEGIN PUBLIC KEY-----") ? mbedtls_pk_parse_public_key(&key->pk, (const unsigned char *)text, size + 1) : -1;
  return failed ? rt_fail(error, RETORT_ERROR_FORMAT, "%s: not a PEM public key (-----BEGIN PUBLIC KEY-----)", name) : RETORT_OK;
}

static retort_status parse_private(rt_key *key, const char *text, size_t size, const char *name, const uint8_t *random,
                                   retort_error *error) {
  if (strstr(text, "ENCRYPTED"))
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED,
                   "%s: the private key is encrypted; decrypt it for signing: openssl pkey -in KEY -out PLAIN", name);
  int failed = mbedtls_hmac_drbg_seed_buf(&key->drbg, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), random, 32);
  if (!failed)
    failed = mbedtls_pk_parse_key(&key->pk, (const unsigned char *)text, size + 1, NULL, 0, mbedtls_hmac_drbg_random, &key->drbg);
  return failed ? rt_fail(error, RETORT_ERROR_FORMAT, "%s: not a PEM private key (mbedTLS -0x%04x)", name, (unsigned)-failed) : RETORT_OK;
}

/* `random`: NULL for public keys. */
static retort_status key_open(const retort_platform *platform, const void *pem, size_t size, const char *name, const uint8_t *random,
                              key_parser *parse, rt_key **out, retort_error *error) {
  char *text = pem_copy(platform, pem, size, name, error);
  if (!text) return error && error->status ? (retort_status)error->status : RETORT_ERROR_FORMAT;
  rt_key *key = key_new(platform, error);
  retort_status status = key ? RETORT_OK : RETORT_ERROR_MEMORY;
  const char *first = strstr(text, "-----BEGIN "), *second = first ? strstr(first + 1, "-----BEGIN ") : NULL;
  /* openssl's `ecparam -genkey` puts the curve's parameters in front of the key. */
  if (random && first && second && strncmp(first, "-----BEGIN EC PARAMETERS", 24) == 0)
    first = second, second = strstr(first + 1, "-----BEGIN ");
  const char *problem = !first ? "no PEM object (-----BEGIN ...)" : second ? "more than one PEM object" : NULL;
  if (!status && problem)
    status = rt_fail(error, RETORT_ERROR_FORMAT, "%s: %s; expected one PEM %s key", name, problem, random ? "private" : "public");
  if (!status) status = parse(key, text, size, name, random, error);
  if (!status) status = key_finish(key, name, error);
  rt_wipe(text, size);
  rt_free(platform, text, size + 1);
  if (status) rt_key_close(key);
  else *out = key;
  return status;
}

retort_status rt_key_open_public(const retort_platform *platform, const void *pem, size_t size, const char *name, rt_key **out,
                                 retort_error *error) {
  return key_open(platform, pem, size, name, NULL, parse_public, out, error);
}

retort_status rt_key_open_private(const retort_platform *platform, const void *pem, size_t size, const char *name, const uint8_t random[32],
                                  rt_key **out, retort_error *error) {
  return key_open(platform, pem, size, name, random, parse_private, out, error);
}

retort_status rt_key_generate(const retort_platform *platform, unsigned bits, const uint8_t random[64], rt_key **out, retort_error *error) {
  const struct curve *curve = curve_of_bits(bits);
  if (!curve) return rt_fail(error, RETORT_ERROR_ARGUMENT, "no curve of %u bits: 256, 384 or 521", bits);
  rt_key *key = key_new(platform, error);
  if (!key) return RETORT_ERROR_MEMORY;
  int failed = mbedtls_hmac_drbg_seed_buf(&key->drbg, mbedtls_md_info_from_type(MBEDTLS_MD_SHA512), random, 64);
  if (!failed) failed = mbedtls_pk_setup(&key->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
  if (!failed) failed = mbedtls_ecp_gen_key(curve->id, mbedtls_pk_ec(key->pk), mbedtls_hmac_drbg_random, &key->drbg);
  retort_status status = failed ? rt_fail_memory(error, 4096, "a new key") : key_finish(key, "the new key", error);
  if (status) rt_key_close(key);
  else *out = key;
  return status;
}

const char *rt_key_fingerprint(const rt_key *key) { return key->fingerprint; }
unsigned rt_key_bits(const rt_key *key) { return key->bits; }

static retort_status written(int failed, const char *buffer, size_t *length, retort_error *error) {
  if (failed) return rt_fail(error, RETORT_ERROR_BUFFER, "the key in PEM form does not fit in the buffer; 1024 bytes are enough");
  *length = strlen(buffer);
  return RETORT_OK;
}
retort_status rt_key_write_public(const rt_key *key, char *buffer, size_t capacity, size_t *length, retort_error *error) {
  return written(mbedtls_pk_write_pubkey_pem(&key->pk, (unsigned char *)buffer, capacity), buffer, length, error);
}
retort_status rt_key_write_private(const rt_key *key, char *buffer, size_t capacity, size_t *length, retort_error *error) {
  return written(mbedtls_pk_write_key_pem(&key->pk, (unsigned char *)buffer, capacity), buffer, length, error);
}

/* ---- signatures ---- */

/* One DER INTEGER, positive, minimal, at most `most` content bytes; advances *at. */
static bool strict_integer(const uint8_t *der, size_t end, size_t *at, size_t most) {
  size_t i = *at;
  if (end - i < 3 || der[i] != 0x02) return false;
  size_t n = der[i + 1];
  i += 2;
  if (n == 0 || n > most || n > end - i) return false;
  if (der[i] & 0x80) return false;                                   /* negative */
  if (der[i] == 0 && (n == 1 || !(der[i + 1] & 0x80))) return false; /* zero, or padded */
  *at = i + n;
  return true;
}

bool rt_der_signature_is_strict(const uint8_t *der, size_t size) {
  size_t at = 2, length;
  if (size < 8 || size > RT_SIGNATURE_MAX || der[0] != 0x30) return false;
  length = der[1];
  if (length == 0x81) { /* the long form, only where the short one does not do */
    length = der[2];
    at = 3;
    if (length < 0x80) return false;
  } else if (length >= 0x80) return false;
  if (length != size - at) return false;
  return strict_integer(der, size, &at, 67) && strict_integer(der, size, &at, 67) && at == size;
}

static bool hash_pieces(mbedtls_md_type_t md, const rt_span *pieces, size_t n_pieces, uint8_t digest[64], size_t *size) {
  const mbedtls_md_info_t *info = mbedtls_md_info_from_type(md);
  mbedtls_md_context_t context;
  mbedtls_md_init(&context);
  bool ok = info && mbedtls_md_setup(&context, info, 0) == 0 && mbedtls_md_starts(&context) == 0;
  for (size_t i = 0; ok && i < n_pieces; i++) ok = mbedtls_md_update(&context, pieces[i].data, pieces[i].size) == 0;
  ok = ok && mbedtls_md_finish(&context, digest) == 0;
  mbedtls_md_free(&context);
  if (ok) *size = mbedtls_md_get_size(info);
  return ok;
}

bool rt_key_verify(const rt_key *key, const rt_span *pieces, size_t n_pieces, const uint8_t *signature, size_t size) {
  uint8_t digest[64];
  size_t n;
  mbedtls_md_type_t md = curve_of_bits(key->bits)->md;
  if (!rt_der_signature_is_strict(signature, size) || !hash_pieces(md, pieces, n_pieces, digest, &n)) return false;
  /* mbedtls_pk_verify reads the key only; its prototype is not const. */
  mbedtls_pk_context *pk = (mbedtls_pk_context *)(uintptr_t)&key->pk;
  return mbedtls_pk_verify(pk, md, digest, n, signature, size) == 0;
}

retort_status rt_key_sign(rt_key *key, const rt_span *pieces, size_t n_pieces, uint8_t signature[RT_SIGNATURE_MAX], size_t *size,
                          retort_error *error) {
  uint8_t digest[64];
  size_t n;
  mbedtls_md_type_t md = curve_of_bits(key->bits)->md;
  if (!hash_pieces(md, pieces, n_pieces, digest, &n) ||
      mbedtls_pk_sign(&key->pk, md, digest, n, signature, RT_SIGNATURE_MAX, size, mbedtls_hmac_drbg_random, &key->drbg) != 0)
    return rt_fail_memory(error, 4096, "a signature");
  return RETORT_OK;
}

/* ---- certificates ---- */

struct rt_anchors {
  const retort_platform *platform;
  mbedtls_x509_crt chain;
};

/* SHA-2 and the three curves; RSA (which OMS allows in the chain above the leaf) from 2048 bits. */
static const mbedtls_x509_crt_profile profile = {
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512), 0xFFFFFFF,
    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1),
    2048};

static bool is_self_signed(mbedtls_x509_crt *crt) {
  uint8_t digest[64];
  size_t n;
  rt_span tbs = {crt->tbs.p, crt->tbs.len};
  if (crt->issuer_raw.len != crt->subject_raw.len || memcmp(crt->issuer_raw.p, crt->subject_raw.p, crt->subject_raw.len) != 0) return false;
  if (!mbedtls_pk_can_do(&crt->pk, crt->sig_pk) || !hash_pieces(crt->sig_md, &tbs, 1, digest, &n)) return false;
  return mbedtls_pk_verify(&crt->pk, crt->sig_md, digest, n, crt->sig.p, crt->sig.len) == 0;
}

/* An extension by its object identifier, where it is not critical: a critical one that mbedTLS does not know has it refuse the certificate.
 */
static bool has_extension(const mbedtls_x509_crt *crt, const char *oid, size_t size) {
  unsigned char *at = crt->v3_ext.p, *end = at ? at + crt->v3_ext.len : at;
  size_t n;
  if (!at || mbedtls_asn1_get_tag(&at, end, &n, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) return false;
  while (at < end) {
    if (mbedtls_asn1_get_tag(&at, end, &n, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) return false;
    unsigned char *next = at + n;
    if (mbedtls_asn1_get_tag(&at, next, &n, MBEDTLS_ASN1_OID) == 0 && n == size && memcmp(at, oid, size) == 0) return true;
    at = next;
  }
  return false;
}

/* What must hold before any arithmetic is done with the certificate's key, and what mbedTLS passes over. NULL: nothing is wrong. */
static const char *certificate_problem(mbedtls_x509_crt *crt) {
  enum { MOST_RSA_BITS = 4096, MOST_EXPONENT_BITS = 32 };
  if (has_extension(crt, MBEDTLS_OID_NAME_CONSTRAINTS, MBEDTLS_OID_SIZE(MBEDTLS_OID_NAME_CONSTRAINTS)))
    return "it limits the names that may be signed below it (name constraints), which is not looked at here";
  if (!mbedtls_pk_can_do(&crt->pk, MBEDTLS_PK_RSA)) return NULL;
  if (mbedtls_pk_get_bitlen(&crt->pk) > MOST_RSA_BITS || mbedtls_mpi_bitlen(&mbedtls_pk_rsa(crt->pk)->E) > MOST_EXPONENT_BITS)
    return "its RSA key has more than 4096 bits, or an exponent of more than 32";
  return NULL;
}

/* Certificates that issued others may name what these are for; then signing code must be among it. */
static bool may_issue(const mbedtls_x509_crt *crt) {
  return !mbedtls_x509_crt_has_ext_type(crt, MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) ||
         mbedtls_x509_crt_check_extended_key_usage(crt, MBEDTLS_OID_CODE_SIGNING, MBEDTLS_OID_SIZE(MBEDTLS_OID_CODE_SIGNING)) == 0;
}

static void subject_text(const mbedtls_x509_crt *crt, char *text, size_t capacity) {
  if (mbedtls_x509_dn_gets(text, capacity, &crt->subject) < 0) snprintf(text, capacity, "(a very long name)");
}

/* Parses the PEM certificates of one file into `chain`; false where anything in it is not a certificate. */
static retort_status parse_pem(const retort_platform *platform, mbedtls_x509_crt *chain, const retort_buffer *file, retort_error *error) {
  const char *name = file->name ? file->name : "the certificate file";
  char *text = pem_copy(platform, file->data, file->size, name, error);
  if (!text) return error && error->status ? (retort_status)error->status : RETORT_ERROR_FORMAT;
  bool found = strstr(text, "-----BEGIN CERTIFICATE-----") != NULL;
  int failed = found ? mbedtls_x509_crt_parse(chain, (const unsigned char *)text, file->size + 1) : 0;
  rt_free(platform, text, file->size + 1);
  if (!found) return rt_fail(error, RETORT_ERROR_FORMAT, "%s: no PEM certificate in it (-----BEGIN CERTIFICATE-----)", name);
  if (failed > 0) return rt_fail(error, RETORT_ERROR_FORMAT, "%s: %d of its certificates cannot be read", name, failed);
  if (failed < 0) return rt_fail(error, RETORT_ERROR_FORMAT, "%s: not a readable certificate (mbedTLS -0x%04x)", name, (unsigned)-failed);
  return RETORT_OK;
}

retort_status rt_anchors_open(const retort_platform *platform, const retort_buffer *files, size_t n_files, rt_anchors **out,
                              retort_error *error) {
  rt_anchors *anchors = rt_alloc(platform, sizeof *anchors);
  if (!anchors) return rt_fail_memory(error, sizeof *anchors, "trusted roots");
  anchors->platform = platform;
  mbedtls_x509_crt_init(&anchors->chain);
  retort_status status = RETORT_OK;
  for (size_t i = 0; !status && i < n_files; i++) status = parse_pem(platform, &anchors->chain, &files[i], error);
  for (mbedtls_x509_crt *crt = &anchors->chain; !status && crt; crt = crt->next) {
    char subject[256];
    if (!crt->raw.p) {
      status = rt_fail(error, RETORT_ERROR_ARGUMENT, "no trusted root was given");
      break;
    }
    subject_text(crt, subject, sizeof subject);
    const char *problem = certificate_problem(crt);
    if (!problem && !is_self_signed(crt)) problem = "it is not signed by itself (an intermediate?)";
    /* One that is no CA vouches for itself alone; mbedTLS would have one without extensions vouch for all. */
    if (!problem && !mbedtls_x509_crt_get_ca_istrue(crt) && crt->version < 3) problem = "it is not a CA certificate";
    if (problem) status = rt_fail(error, RETORT_ERROR_TRUST, "the certificate %s cannot be a root of trust: %s", subject, problem);
  }
  if (status) rt_anchors_close(anchors);
  else *out = anchors;
  return status;
}

void rt_anchors_close(rt_anchors *anchors) {
  if (!anchors) return;
  mbedtls_x509_crt_free(&anchors->chain);
  rt_free(anchors->platform, anchors, sizeof *anchors);
}

void rt_anchors_name(const rt_anchors *anchors, char *name, size_t capacity) {
  char subject[512];
  size_t more = 0;
  for (const mbedtls_x509_crt *crt = anchors->chain.next; crt; crt = crt->next) more++;
  subject_text(&anchors->chain, subject, sizeof subject);
  if (more) snprintf(name, capacity, "certificate (and %zu more) %.200s", more, subject); /* in front, where a long name cannot hide it */
  else snprintf(name, capacity, "certificate %s", subject);
}

/* Seconds since 1970 of a UTC time in the proleptic Gregorian calendar (days from civil, the usual algorithm over 400-year eras). */
static int64_t unix_seconds(const mbedtls_x509_time *t) {
  int64_t y = t->mon <= 2 ? t->year - 1 : t->year, era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
  int64_t doy = (153 * (t->mon + (t->mon > 2 ? -3 : 9)) + 2) / 5 + t->day - 1, doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return (era * 146097 + doe - 719468) * 86400 + t->hour * 3600 + t->min * 60 + t->sec;
}

/* Called by mbedTLS for every certificate of the path that it found, root included. */
static int check_link(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags) {
  const int64_t *time = arg;
  if (*time < unix_seconds(&crt->valid_from)) *flags |= MBEDTLS_X509_BADCERT_FUTURE;
  if (*time > unix_seconds(&crt->valid_to)) *flags |= MBEDTLS_X509_BADCERT_EXPIRED;
  if (depth > 0 && !may_issue(crt)) *flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
  return 0;
}

/* The leaf must be meant for signing: digitalSignature where there is a key usage, codeSigning where there is an extended one, and one of
 * the two there. */
static bool may_sign(const mbedtls_x509_crt *leaf) {
  bool usage = mbedtls_x509_crt_has_ext_type(leaf, MBEDTLS_X509_EXT_KEY_USAGE) != 0;
  bool extended = mbedtls_x509_crt_has_ext_type(leaf, MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) != 0;
  if (usage && mbedtls_x509_crt_check_key_usage(leaf, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0) return false;
  if (extended &&
      mbedtls_x509_crt_check_extended_key_usage(leaf, MBEDTLS_OID_CODE_SIGNING, MBEDTLS_OID_SIZE(MBEDTLS_OID_CODE_SIGNING)) != 0)
    return false;
  return usage || extended;
}

static const char *chain_problem(uint32_t flags) {
  if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) return "it does not lead to a root that you trust";
  if (flags & MBEDTLS_X509_BADCERT_EXPIRED) return "a certificate of the chain has expired";
  if (flags & MBEDTLS_X509_BADCERT_FUTURE) return "a certificate of the chain is not yet valid";
  if (flags & (MBEDTLS_X509_BADCERT_BAD_KEY | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_MD))
    return "it uses a key or hash that is not accepted";
  if (flags & MBEDTLS_X509_BADCERT_EXT_KEY_USAGE)
    return "a certificate of the chain may issue others, but none for signing code (extended key usage)";
  return "its certificates may not be used like this";
}

retort_status rt_anchors_verify(const rt_anchors *anchors, const rt_span *certificates, size_t n, int64_t time, rt_key **key, char *subject,
                                size_t capacity, retort_error *error) {
  if (n == 0 || n > RT_X509_MAX_CHAIN)
    return rt_fail(error, RETORT_ERROR_TRUST, "the bundle carries %zu certificates; 1 to %d are accepted", n, RT_X509_MAX_CHAIN);
  mbedtls_x509_crt chain;
  mbedtls_x509_crt_init(&chain);
  retort_status status = RETORT_OK;
  for (size_t i = 0; !status && i < n; i++) {
    int failed = certificates[i].size <= RT_PEM_MAX ? mbedtls_x509_crt_parse_der(&chain, certificates[i].data, certificates[i].size) : -1;
    if (failed) status = rt_fail(error, RETORT_ERROR_FORMAT, "certificate %zu of the bundle cannot be read", i);
  }
  size_t index = 0;
  for (mbedtls_x509_crt *crt = &chain; !status && crt; crt = crt->next, index++) {
    const char *problem = certificate_problem(crt);
    if (problem) status = rt_fail(error, RETORT_ERROR_TRUST, "certificate %zu of the bundle is refused: %s", index, problem);
  }
  rt_key *leaf = NULL;
  if (!status) {
    uint32_t flags = 0;
    if (time == INT64_MIN) time = unix_seconds(&chain.valid_from);
    subject_text(&chain, subject, capacity);
    int failed = mbedtls_x509_crt_verify_with_profile(&chain, (mbedtls_x509_crt *)(uintptr_t)&anchors->chain, NULL, &profile, NULL, &flags,
                                                      check_link, &time);
    if (failed || flags)
      status = rt_fail(error, RETORT_ERROR_TRUST, "the certificate chain of %s is refused: %s", subject, chain_problem(flags));
    else if (!may_sign(&chain))
      status =
          rt_fail(error, RETORT_ERROR_TRUST,
                  "the certificate of %s is not meant for signing (key usage digitalSignature, extended key usage codeSigning)", subject);
  }
  if (!status && !(leaf = key_new(anchors->platform, error))) status = RETORT_ERROR_MEMORY;
  if (!status) { /* the key moves from the certificate to its own handle */
    leaf->pk = chain.pk;
    mbedtls_pk_init(&chain.pk);
    status = key_finish(leaf, "the certificate's key", error);
  }
  mbedtls_x509_crt_free(&chain);
  if (status) rt_key_close(leaf);
  else *key = leaf;
  return status;
}

retort_status rt_certificates_read(rt_arena *arena, const retort_buffer *files, size_t n_files, const rt_key *key, rt_span *out, size_t *n,
                                   retort_error *error) {
  mbedtls_x509_crt chain;
  mbedtls_x509_crt_init(&chain);
  retort_status status = RETORT_OK;
  size_t count = 0;
  for (size_t i = 0; !status && i < n_files; i++) status = parse_pem(arena->platform, &chain, &files[i], error);
  for (const mbedtls_x509_crt *crt = &chain; !status && crt && crt->raw.p; crt = crt->next) {
    if (count == RT_X509_MAX_CHAIN) status = rt_fail(error, RETORT_ERROR_ARGUMENT, "more than %d certificates", RT_X509_MAX_CHAIN);
    else {
      uint8_t *copy = rt_arena_alloc(arena, crt->raw.len, 1);
      if (!copy) status = rt_fail_memory(error, crt->raw.len, "a certificate");
      else {
        memcpy(copy, crt->raw.p, crt->raw.len);
        out[count++] = (rt_span){copy, crt->raw.len};
      }
    }
  }
  if (!status && count == 0) status = rt_fail(error, RETORT_ERROR_ARGUMENT, "no certificate was given for signing");
  if (!status && !may_sign(&chain)) /* nobody would accept what it signs */
    status = rt_fail(error, RETORT_ERROR_ARGUMENT,
                     "the first certificate is not meant for signing (key usage digitalSignature, extended key usage codeSigning)");
  if (!status) {
    char pem[1024], own[1024];
    size_t length;
    if (mbedtls_pk_write_pubkey_pem(&chain.pk, (unsigned char *)pem, sizeof pem) != 0 ||
        rt_key_write_public(key, own, sizeof own, &length, error) || strcmp(pem, own) != 0)
      status = rt_fail(error, RETORT_ERROR_ARGUMENT, "the first certificate does not belong to the private key");
  }
  mbedtls_x509_crt_free(&chain);
  if (!status) *n = count;
  return status;
}
