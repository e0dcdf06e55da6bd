/* bundle.h - OpenSSF Model Signing bundles: read and checked, and written.
 *
 * Source: OpenSSF Model Signing specification v1.0 over the Sigstore bundle v0.3, DSSE v1.0.2 and in-toto Statement v1. Only the profile
 * that every tool verifies: method "files", SHA-256, ECDSA by key or certificate chain.
 */
#ifndef RT_TRUST_BUNDLE_H
#define RT_TRUST_BUNDLE_H

#include "x509.h"

enum { RT_BUNDLE_MAX = 32 << 20, RT_BUNDLE_MAX_RESOURCES = 100000 };

typedef struct rt_resource {
  const char *name; /* canonical; "." where the model is one file */
  uint8_t digest[32];
  bool chunked; /* the fields below are there */
  uint8_t list_digest[32];
  uint64_t size, chunk_size;
} rt_resource;

typedef struct rt_bundle {
  const char *subject;    /* the signed model name; informational unless the policy asks for it */
  const char *signer;     /* "key sha256:..." or the certificate's name */
  int64_t signed_time;    /* seconds since 1970, as the signer says; 0: he does not */
  uint8_t root[32];       /* digest over the resources' digests: the model's identity */
  rt_resource *resources; /* sorted by name (bytes) */
  size_t n_resources;
  const char **ignored; /* ignore_paths that are canonical names; each with its subtree is not covered */
  size_t n_ignored;
} rt_bundle;

/* What the caller trusts. Exactly one of the two is set: the bundle does not choose. */
typedef struct rt_bundle_trust {
  rt_key *const *keys;
  size_t n_keys;
  const rt_anchors *anchors;
  int64_t time; /* see rt_anchors_verify */
} rt_bundle_trust;

/* Checks in this order, and stops at the first failure: size, strict JSON, media type, method, one signature, base64, strict DER,
 * signature, payload type, statement, root digest, serialization, names. Everything in *out lives in `arena`. */
retort_status rt_bundle_verify(rt_arena *arena, const void *text, size_t size, const char *name, const rt_bundle_trust *trust,
                               rt_bundle *out, retort_error *error);
/* By name; NULL where there is none. */
const rt_resource *rt_bundle_find(const rt_bundle *bundle, const char *name);
bool rt_bundle_ignores(const rt_bundle *bundle, const char *name);

/* What a statement says beside its files. */
typedef struct rt_bundle_subject {
  const char *name;
  int64_t time; /* 0: not said */
  const char *const *ignored;
  size_t n_ignored;
} rt_bundle_subject;
/* Writes a bundle over `resources`, which are sorted here, with `key`; `certificates` NULL for the key method. The text lives in `arena`.
 */
retort_status rt_bundle_sign(rt_arena *arena, rt_resource *resources, size_t n, const rt_bundle_subject *subject, rt_key *key,
                             const rt_span *certificates, size_t n_certificates, const char **text, size_t *size, retort_error *error);

#endif
