/* minisign.h - the files of minisign and of OpenBSD's signify: keys and signatures.
 *
 * Source: minisign's documented formats (prehashed signatures, "ED"), signify(1). Both are two or four lines of text around base64. A
 * minisign signature must be prehashed; the older whole-file kind is accepted only as signify's, which knows no other.
 */
#ifndef RT_TRUST_MINISIGN_H
#define RT_TRUST_MINISIGN_H

#include "../base/base.h"

enum { RT_MINISIGN_MAX = 16 * 1024, RT_MINISIGN_COMMENT_MAX = 8192 };

typedef struct rt_minisign_key {
  uint8_t id[8];
  uint8_t key[32];
} rt_minisign_key;

typedef struct rt_minisign_secret {
  uint8_t id[8];
  uint8_t key[64];
} rt_minisign_secret;

typedef struct rt_minisign_signature {
  bool prehashed; /* "ED": over BLAKE2b-512 of the file; else over the file itself */
  bool trusted;   /* minisign's four lines; false: signify's two */
  uint8_t id[8];
  uint8_t signature[64];
  uint8_t global[64];  /* over signature || comment */
  const char *comment; /* the trusted comment, inside the text parsed */
  size_t comment_size;
} rt_minisign_signature;

/* A public key file (two lines) or the base64 line alone. */
retort_status rt_minisign_parse_key(const void *text, size_t size, const char *name, rt_minisign_key *out, retort_error *error);
retort_status rt_minisign_parse_signature(const void *text, size_t size, const char *name, rt_minisign_signature *out, retort_error *error);

/* The digits that minisign shows for a key id: 16 and a NUL. */
void rt_minisign_id_text(const uint8_t id[8], char out[17]);

/* Key ids equal, signature over `message` (the BLAKE2b-512 where prehashed, else the file), and the global signature. */
retort_status rt_minisign_verify(const rt_minisign_signature *s, const rt_minisign_key *keys, size_t n_keys, const void *message,
                                 size_t size, const char *name, retort_error *error);

/* The secret key file, as minisign writes it; `password` NULL for one written without. */
retort_status rt_minisign_parse_secret(const void *text, size_t size, const char *password, const char *name, rt_minisign_secret *out,
                                       retort_error *error);

/* Texts as minisign writes them, with their NUL; *length without it. The secret key is written without a password where that is NULL. */
retort_status rt_minisign_write_key(const rt_minisign_key *key, char *buffer, size_t capacity, size_t *length, retort_error *error);
retort_status rt_minisign_write_secret(const rt_minisign_secret *secret, const char *password, const uint8_t salt[32], char *buffer,
                                       size_t capacity, size_t *length, retort_error *error);
retort_status rt_minisign_write_signature(const rt_minisign_secret *secret, const uint8_t digest[64], const char *comment, char *buffer,
                                          size_t capacity, size_t *length, retort_error *error);

#endif
