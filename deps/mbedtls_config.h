/* mbedtls_config.h - what retort uses of mbedTLS: ECDSA on the three NIST curves, RSA signatures inside certificate chains, PEM and X.509
 * parsing; for the program's `update --from URL`, which WebAssembly has not, a TLS 1.2 client besides.
 *
 * Absent on purpose: TLS 1.3, which would bring PSA and as much code again, files, and time: the caller of the runtime says what time it is
 * (runtime/trust/x509.c). The core's randomness for key generation and blinding comes from the caller too; signatures take their nonces
 * from the message (RFC 6979). */
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_BASE64_C
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECDSA_DETERMINISTIC
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_DP_SECP521R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_HMAC_DRBG_C
#define MBEDTLS_MD_C
#define MBEDTLS_OID_C
#define MBEDTLS_PEM_PARSE_C
#define MBEDTLS_PEM_WRITE_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_PK_WRITE_C
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_RSA_C
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_USE_C

#ifdef __wasm__
/* Small before fast: one signature is checked a model, and the curves' tables of multiples alone are 9 KB that do not compress. */
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0
#define MBEDTLS_NO_PLATFORM_ENTROPY
#define MBEDTLS_RSA_NO_CRT
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_SHA512_SMALLER
#else
#define MBEDTLS_AES_C
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_AES_ROM_TABLES
#if defined(__aarch64__)
#define MBEDTLS_AESCE_C
#elif defined(__x86_64__)
#define MBEDTLS_AESNI_C
#endif
#define MBEDTLS_CIPHER_C
#define MBEDTLS_CTR_DRBG_C
#define MBEDTLS_ECDH_C
#define MBEDTLS_ENTROPY_C
#define MBEDTLS_GCM_C
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_X509_REMOVE_INFO
#endif
