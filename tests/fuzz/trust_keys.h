/* trust_keys.h - the key and the root that the fuzz targets trust. Written by make_corpus.py. */
#ifndef FUZZ_TRUST_KEYS_H
#define FUZZ_TRUST_KEYS_H

#include "trust/x509.h"

enum { FUZZ_TIME = 1800000000 };

typedef struct fuzz_keys {
  rt_key *key;
  rt_anchors *anchors;
} fuzz_keys;

/* Opened at the first call, and kept where the leak checker sees them. */
static inline fuzz_keys *fuzz_open_keys(void) {
  static fuzz_keys keys;
  static const char key[] =
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbYaLFQfUi9zV7zQRTiSeDhLJeZMt\n"
      "+9+xy5p9heWN3ad1N24Z+KYWW1jHoNHgVR2a/s6CQmfYHl/qONio/10/5A==\n"
      "-----END PUBLIC KEY-----\n";
  static const char root[] =
      "-----BEGIN CERTIFICATE-----\n"
      "MIICzzCCAbegAwIBAgIUfnMHNWE+A3h6hnT2TOpwsCYuiU8wDQYJKoZIhvcNAQEL\n"
      "BQAwDzENMAsGA1UEAwwEUm9vdDAeFw0yNjAxMDEwMDAwMDBaFw00NTEyMjcwMDAw\n"
      "MDBaMA8xDTALBgNVBAMMBFJvb3QwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEK\n"
      "AoIBAQCqCBNqrZdo0U1rwIavW2ovIaW315fPPCoq5nWiVGm49Cg3Tb3xlhzEWHqa\n"
      "9NJ/9ANOqtwvIzL63QiBcvM2y6JMD/vzDpFKHva1X/4kKWxcJCBhSIKXkUP0t4kn\n"
      "pvfEyvE8nERiJ50C7ddqtSS+S2IuCIchbjvmpoU/fOJ9QzVJzIvZ4anjuv351wop\n"
      "cWLk3IkVK/PQc/c7aomC5qau0ag2OAlNFEdEM7L+73oh90CI6ckFDELtFB7Lhr4w\n"
      "mjjEiaH7Y6nR2rvoZhiDE31tk4UsIT5uCcQmZ/hhRsF6DDfSGnPCJwVtMNcYLNm9\n"
      "4gxv6V66bj/4fFIYDnmvyNUjye7pAgMBAAGjIzAhMA8GA1UdEwEB/wQFMAMBAf8w\n"
      "DgYDVR0PAQH/BAQDAgIEMA0GCSqGSIb3DQEBCwUAA4IBAQBgoPjOLag/n4SBp/pQ\n"
      "DoalMJv7WdzC9hnXxJLPnZ8hheXvm0z6Sz/45LkrQCphg1noGSQ1RhoLqK0xWGvT\n"
      "7uXLIT25VjpF95Rnj+hTnjDd0koRaI2fs9kARaUlsQI003TuD2gFY8YbLFbLEFKl\n"
      "qA56k10IUNMUAz29qx1OoxQkUPzRuNE+zfWHHt9PJO3Xd4o2ZA2ekbx9O5JG4KY6\n"
      "ZyFWYmDYKdN5YvgFA5603IE71jFyzqVx9vmrWuw2WjvUo3uNt+9F/hJQ2Y58uUB4\n"
      "RzvLRjlRCwLKsIzZvyGEB0zRcXSU48ImsmVCb1IbkgUWCGJ8q9vulc/r2Tezj+/M\n"
      "6CLp\n"
      "-----END CERTIFICATE-----\n";
  const retort_buffer file = {sizeof(retort_buffer), root, sizeof root - 1, "root"};
  if (keys.key) return &keys;
  if (rt_key_open_public(NULL, key, sizeof key - 1, "key", &keys.key, NULL) != RETORT_OK ||
      rt_anchors_open(NULL, &file, 1, &keys.anchors, NULL) != RETORT_OK)
    __builtin_trap();
  return &keys;
}

#endif
