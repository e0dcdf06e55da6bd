/* retort.h - the whole public contract of the retort runtime.
 *
 * What is neither in this file nor in retort_platform.h is not published API. The WebAssembly modules have a contract of their own,
 * wasm/abi.h: numbers and JSON in place of pointers and structs.
 *
 * Habits, once for all functions:
 *  - Fallible functions return a retort_status (0 is success, failures are negative) and take a `retort_error *` last, which may
 *    be NULL. On failure it holds one sentence or two: what is wrong, where, and what to do. On success it is not touched.
 *  - Out parameters are written only on success.
 *  - Every struct but retort_error, which never grows, begins with `struct_size`, the bytes that the caller's compiler gave it. Later
 *    versions add members at the end only. A program built with an older, shorter struct goes on running: what it lacks has its default,
 * and of a result it gets what it has room for. A longer one is taken where what this library does not know is zero. In an array of structs
 *    all have the same struct_size.
 *  - Options are passed by pointer, filled by the matching *_init function: retort_chat_options_init(&o, sizeof o). NULL means defaults.
 *  - Any pointer may be NULL: closing NULL does nothing, everything else fails or gives nothing. A NULL platform is one without threads
 *    that takes memory from the C library.
 *  - Results of varying size go into the caller's buffer: the function stores the size needed and returns RETORT_ERROR_BUFFER when
 *    the buffer is too small (pass capacity 0 to ask).
 *  - Strings are UTF-8. Those returned by pointer belong to the handle that they were asked of and live as long as it does.
 *  - The library never aborts, exits, prints, reads a clock or opens a file. It has no global mutable state, with one exception: its copy
 * of jansson keeps one number, set once, that scatters the keys of JSON objects. It changes no result, and is set before the first use by
 *    an atomic exchange, so threads and platforms need not care.
 *  - Memory comes from the platform, with two exceptions, which use the C library's malloc: reading JSON (messages, variables, signature
 *    bundles), at most 384 MiB until the call returns, for texts of 64 MiB and 2,097,152 values and keys, which are the most accepted; and
 *    reading keys and certificates, at most 1 MiB for each file of at most 64 KiB, until its verifier or signer is closed.
 *
 * Threads: a retort_gguf, retort_vocab and retort_model are immutable once open and may be shared by any number of threads.
 * A retort_session, or a retort_engine with its sequences, belongs to one thread at a time; sessions of one model may run on as many
 * threads at once as there are sessions. Parallel work inside a call goes through the platform that the caller gave, which they may share.
 *
 * Handles must be closed in the reverse order: session or engine, model and vocab, gguf, and only then may the file bytes be freed.
 */
#ifndef RETORT_H
#define RETORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32) || !(defined(__GNUC__) || defined(__clang__))
#define RETORT_API
#else
#define RETORT_API __attribute__((visibility("default")))
#endif

#define RETORT_VERSION_STRING "0.1.0"
#define RETORT_ABI_VERSION 2

/* Version of the numerics contract (docs/NUMERICS.md): raised by any change that changes one bit of any logit. */
#define RETORT_NUMERICS 1

RETORT_API const char *retort_version(void);  /* RETORT_VERSION_STRING of the library that runs */
RETORT_API uint32_t retort_abi_version(void); /* RETORT_ABI_VERSION of the library that runs */
RETORT_API uint32_t retort_numerics(void);    /* RETORT_NUMERICS of the library that runs */

/* ---- errors ------------------------------------------------------------------------------------------------------------ */

typedef enum retort_status {
  RETORT_OK = 0,
  RETORT_ERROR_ARGUMENT = -1,     /* the caller's mistake: NULL, out of range, wrong struct_size */
  RETORT_ERROR_MEMORY = -2,       /* the platform gave no memory */
  RETORT_ERROR_FORMAT = -3,       /* the file is damaged or not what it claims to be */
  RETORT_ERROR_UNSUPPORTED = -4,  /* well-formed, but of a kind that this version does not run */
  RETORT_ERROR_CONTEXT = -5,      /* the tokens do not fit in the session's context */
  RETORT_ERROR_TEMPLATE = -6,     /* the chat template failed, or asked to fail (raise_exception) */
  RETORT_ERROR_JSON = -7,         /* messages or options are not the JSON expected */
  RETORT_ERROR_BUFFER = -8,       /* the caller's buffer is too small; the size needed was stored */
  RETORT_ERROR_TRUST = -9,        /* a signature, digest or policy forbids the use of these bytes */
  RETORT_ERROR_IO = -10,          /* the platform could not read or write */
  RETORT_ERROR_INTERRUPTED = -11, /* retort_session_interrupt; nothing was changed, the call may be made again */
  RETORT_STATUS_FORCE_INT32 = 0x7fffffff
} retort_status;

#define RETORT_ERROR_MESSAGE_SIZE 508
typedef struct retort_error {
  int32_t status;                          /* the retort_status returned */
  char message[RETORT_ERROR_MESSAGE_SIZE]; /* NUL-terminated UTF-8 without a final newline */
} retort_error;

RETORT_API const char *retort_status_name(retort_status status); /* "format", "memory", ...: stable words for machines */

/* ---- platform: what the embedding program supplies (see retort_platform.h) -------------------------------------------------- */

typedef struct retort_platform retort_platform;

typedef struct retort_buffer {
  size_t struct_size;
  const void *data; /* stays the caller's; must outlive every handle made from it; 64-byte aligned for speed, any for correctness */
  size_t size;      /* bytes */
  const char *name; /* file name for messages, may be NULL; copied */
} retort_buffer;

/* ---- trust: signatures, pins, and verification before anything is loaded --------------------------------------------------------- */

/* How a model is vouched for. The caller's policy names exactly one; a signature file never chooses for him. */
typedef enum retort_trust_method {
  RETORT_TRUST_UNSIGNED = 0,    /* by nobody: the caller's explicit choice, and the verdict says so */
  RETORT_TRUST_PIN = 1,         /* the SHA-256 of its bytes is known to the caller */
  RETORT_TRUST_KEY = 2,         /* OpenSSF Model Signing bundle, ECDSA key */
  RETORT_TRUST_CERTIFICATE = 3, /* the same, certificate chain under the caller's roots */
  RETORT_TRUST_MINISIGN = 4,    /* minisign signature (prehashed), one a file */
  RETORT_TRUST_SIGNIFY = 5      /* OpenBSD signify signature, one a file, which is then one chunk: it must be fed in one piece */
} retort_trust_method;

enum {
  /* Certificates need to have been valid when the leaf was issued, not at `time` (what the Python and Go tools check). */
  RETORT_TRUST_AT_SIGNING_TIME = 1u << 0,
  /* The files given are the whole model: one that the bundle lists and is not given, or the other way round, is an error. */
  RETORT_TRUST_COMPLETE = 1u << 1,
  /* With COMPLETE: a file given that the bundle does not list is left out of the model (retort_verifier_covers), and no error. */
  RETORT_TRUST_IGNORE_UNSIGNED = 1u << 2
};

typedef struct retort_trust_policy {
  size_t struct_size;
  int32_t method;               /* retort_trust_method; the default, -1, is refused: there is no implicit trust */
  uint32_t flags;               /* RETORT_TRUST_* of the list above */
  const retort_buffer *anchors; /* KEY: PEM public keys; CERTIFICATE: PEM files of self-signed roots; MINISIGN, SIGNIFY: public key files */
  size_t n_anchors;
  const char *const *pins; /* PIN: 64 lowercase hex digits each: SHA-256 of a file, or a model's digest */
  size_t n_pins;
  const char *model_name;   /* the name that must have been signed (bundle: subject; minisign: "file:" in the trusted comment); NULL: any */
  const char *model_digest; /* the digest that the model must have, as in the verdict; NULL: any */
  int64_t time;             /* CERTIFICATE: seconds since 1970, UTC, at which the chain must be valid; 0: not given */
} retort_trust_policy;
RETORT_API void retort_trust_policy_init(retort_trust_policy *policy, size_t struct_size);

typedef struct retort_trust_file {
  size_t struct_size;
  const char *name;   /* '/'-separated, relative to the model's folder; of a lone file its base name */
  uint64_t size;      /* bytes */
  const void *chunks; /* its `.chunks` side file (untrusted, copied); NULL: none. Used where the signed bundle vouches for it. */
  size_t chunks_size;
} retort_trust_file;

/* A verifier checks one model. Open it with the signature(s) (a bundle: one; MINISIGN, SIGNIFY: one a file, in order; else none), feed it
 * every byte, finish. Any mismatch poisons it: each later call fails with RETORT_ERROR_TRUST and the bytes must not be used. Threads: feed
 * may be called by several threads at once for different files, and for different chunks of a chunked file. */
typedef struct retort_verifier retort_verifier;
RETORT_API retort_status retort_verifier_open(const retort_platform *platform, const retort_trust_policy *policy,
                                              const retort_buffer *signatures, size_t n_signatures, const retort_trust_file *files,
                                              size_t n_files, retort_verifier **out, retort_error *error);
RETORT_API void retort_verifier_close(retort_verifier *verifier);
/* 0: file `file` must be fed from its first to its last byte in order; else in whole chunks of this size (the last may be short), in any
 * order. */
RETORT_API uint64_t retort_verifier_chunk_size(const retort_verifier *verifier, size_t file);
/* SHA-256 of a file, in hex with NUL: as signed, or, without a bundle, as computed once the file was fed; "" before. */
RETORT_API void retort_verifier_file_digest(const retort_verifier *verifier, size_t file, char hex[65]);
/* 1: the file must be fed; 0: it is left out (ignore_paths, RETORT_TRUST_IGNORE_UNSIGNED): nobody vouches for it, and it must not be
 * loaded. */
RETORT_API int retort_verifier_covers(const retort_verifier *verifier, size_t file);
RETORT_API retort_status retort_verifier_feed(retort_verifier *verifier, size_t file, uint64_t offset, const void *data, size_t size,
                                              retort_error *error);
/* Bytes from the start of the file that are verified now: what a parser may see before all have arrived. */
RETORT_API uint64_t retort_verifier_prefix(const retort_verifier *verifier, size_t file);

enum { RETORT_VERIFY_NONE = 0, RETORT_VERIFY_WHOLE = 1, RETORT_VERIFY_CHUNKS = 2 };
typedef struct retort_verdict {
  size_t struct_size;
  int32_t method;       /* retort_trust_method: how the model was accepted */
  int32_t mode;         /* RETORT_VERIFY_*: what was hashed: nothing, whole files, or every chunk (of at least one file) */
  uint32_t n_files;     /* files covered */
  uint32_t n_left_out;  /* files given that are not: the signer ignored them, or RETORT_TRUST_IGNORE_UNSIGNED did */
  uint64_t n_bytes;     /* bytes covered */
  int64_t time;         /* CERTIFICATE: the time at which the chain was valid; else 0 */
  int64_t signed_time;  /* when it was signed, by the signer's own word (seconds since 1970, UTC); 0: he did not say */
  char digest[65];      /* the model's identity: SHA-256 over its files' SHA-256s as signed; "" where nothing was hashed */
  char file_digest[65]; /* SHA-256 of the first file, "" where it is not known */
  char signer[256];     /* "key sha256:...", "certificate CN=...", "minisign key ...", "" where nobody signed */
  char name[256];       /* what the signer called it: subject, or trusted comment; "" where there is none */
} retort_verdict;
/* Every byte must have been fed (UNSIGNED: need not be). */
RETORT_API retort_status retort_verifier_finish(retort_verifier *verifier, retort_verdict *verdict, retort_error *error);
RETORT_API const char *retort_trust_method_name(int32_t method); /* "unsigned", "pinned", "key", "certificate", "minisign", "signify" */
/* One line for people: who vouches for what. Returns the bytes needed without the NUL, as snprintf does. */
RETORT_API size_t retort_verdict_text(const retort_verdict *verdict, char *buffer, size_t capacity);

typedef struct retort_signer_options {
  size_t struct_size;
  int32_t method;      /* KEY, CERTIFICATE or MINISIGN */
  uint32_t chunk_size; /* KEY, CERTIFICATE: chunks of the side files, a power of two from 64 KiB; 0: no side files; default 1 MiB */
  const retort_buffer *secret_key;   /* PEM private key, or minisign secret key file */
  const char *password;              /* MINISIGN: of the secret key; NULL: none */
  const retort_buffer *certificates; /* CERTIFICATE: PEM, the signer's own first, then those that issued it, without the root */
  size_t n_certificates;
  const char *model_name;     /* KEY, CERTIFICATE: subject; MINISIGN: the trusted comment as a whole */
  const char *const *ignored; /* KEY, CERTIFICATE: paths in the model's folder that are left out; recorded in the bundle */
  size_t n_ignored;
  uint8_t random[32]; /* fresh random bytes */
  int64_t
      time; /* KEY, CERTIFICATE: when it is signed, seconds since 1970; written into the statement. 0: left out. MINISIGN: in the comment */
} retort_signer_options;
RETORT_API void retort_signer_options_init(retort_signer_options *options, size_t struct_size);

/* A signer hashes the files of one model, each fed in order, and writes the signature. MINISIGN signs one file. */
typedef struct retort_signer retort_signer;
RETORT_API retort_status retort_signer_open(const retort_platform *platform, const retort_signer_options *options, retort_signer **out,
                                            retort_error *error);
RETORT_API void retort_signer_close(retort_signer *signer);
/* 1 where a file of a signed model may have this name: a plain path of UTF-8 parted by '/', without "..", backslashes and control
 * characters. */
RETORT_API int retort_trust_name_is_plain(const char *name);
/* Starts the next file (after the one before was fed completely). A bundle over a lone file may name it "." as the Python tool does; any
 * other name must be plain, or it would be refused when it is verified. */
RETORT_API retort_status retort_signer_add_file(retort_signer *signer, const char *name, uint64_t size, retort_error *error);
RETORT_API retort_status retort_signer_feed(retort_signer *signer, const void *data, size_t size, retort_error *error);
/* The bytes of file `file`'s `.chunks`; they belong to the signer. *size 0: none. */
RETORT_API retort_status retort_signer_chunks(const retort_signer *signer, size_t file, const void **data, size_t *size,
                                              retort_error *error);
/* The signature as text (no NUL), and who signed as in the verdict; both belong to the signer. */
RETORT_API retort_status retort_signer_finish(retort_signer *signer, const char **signature, size_t *size, retort_verdict *verdict,
                                              retort_error *error);

enum { RETORT_KEY_P256 = 256, RETORT_KEY_P384 = 384, RETORT_KEY_P521 = 521, RETORT_KEY_MINISIGN = 1 };
enum { RETORT_KEY_TEXT_SIZE = 1024 };
/* Makes a key pair from fresh random bytes: PEM texts, or minisign's files (`password` NULL: the secret key lies open). NUL-terminated. */
RETORT_API retort_status retort_keygen(const retort_platform *platform, int32_t kind, const uint8_t random[96], const char *password,
                                       char secret_key[RETORT_KEY_TEXT_SIZE], char public_key[RETORT_KEY_TEXT_SIZE], retort_error *error);
/* Reads a public key, a certificate or a minisign key as a policy would (`method` as in the policy), and says who it is, as in the verdict.
 */
RETORT_API retort_status retort_trust_describe(const retort_platform *platform, int32_t method, const retort_buffer *anchor, char name[256],
                                               retort_error *error);

/* ---- GGUF files ---------------------------------------------------------------------------------------------------------- */

typedef struct retort_gguf retort_gguf;

enum {
  /* Tensor data need not be present, nor tensor types be known: metadata, vocabulary and template can be used, opening a model fails. */
  RETORT_GGUF_METADATA_ONLY = 1u << 0
};

/* Reads the header(s) of one GGUF v2/v3 file or of a whole split set in order (-00001-of-000NN ...).
 * Every count, offset and size is checked against the buffers before use. Source: the GGUF specification (ggml). This function believes
 * its bytes: programs load through retort_gguf_open_verified, and use this one for files that they made themselves. */
RETORT_API retort_status retort_gguf_open(const retort_platform *platform, const retort_buffer *files, size_t n_files, uint32_t flags,
                                          retort_gguf **out, retort_error *error);
/* The same for bytes that `verifier` has checked, and for no others: fails with RETORT_ERROR_TRUST unless the verifier was finished, or,
 * with RETORT_GGUF_METADATA_ONLY, unless each buffer is within the verified prefix. `files` are the very bytes that were fed, in the
 * verifier's order. */
RETORT_API retort_status retort_gguf_open_verified(const retort_platform *platform, const retort_verifier *verifier,
                                                   const retort_buffer *files, size_t n_files, uint32_t flags, retort_gguf **out,
                                                   retort_error *error);
RETORT_API void retort_gguf_close(retort_gguf *gguf);

typedef struct retort_gguf_summary {
  size_t struct_size;
  uint32_t version;      /* 2 or 3 */
  uint32_t n_files;      /* split files given */
  uint32_t n_entries;    /* metadata key-value pairs */
  uint32_t n_tensors;    /* tensors over all files */
  uint32_t alignment;    /* bytes */
  uint64_t tensor_bytes; /* sum of the tensors' sizes without padding */
} retort_gguf_summary;
RETORT_API retort_status retort_gguf_get_summary(const retort_gguf *gguf, retort_gguf_summary *summary, retort_error *error);

typedef struct retort_gguf_entry {
  size_t struct_size;
  const char *key;  /* NUL-terminated */
  const char *type; /* "u32", "string", "array of string", ... */
  uint64_t count;   /* elements of an array, else 1 */
} retort_gguf_entry;
RETORT_API retort_status retort_gguf_get_entry(const retort_gguf *gguf, uint32_t index, retort_gguf_entry *entry, retort_error *error);

/* The value of metadata `key` as JSON text (strings quoted, arrays cut after `max_elements` with a final "..." element when
 * max_elements is not 0). *size receives the bytes needed without the NUL. RETORT_ERROR_ARGUMENT where there is no such key. */
RETORT_API retort_status retort_gguf_get_json(const retort_gguf *gguf, const char *key, size_t max_elements, char *buffer, size_t capacity,
                                              size_t *size, retort_error *error);

typedef struct retort_gguf_tensor {
  size_t struct_size;
  const char *name;
  const char *type; /* "Q4_K", ...; "unknown", of 0 bytes: an id that GGUF does not define */
  uint32_t n_dims;  /* 1..4 */
  uint64_t dims[4]; /* dims[0] is the row length (fastest) */
  uint32_t file;    /* index into the files given */
  uint64_t offset;  /* absolute byte offset in that file */
  uint64_t size;    /* bytes */
} retort_gguf_tensor;
RETORT_API retort_status retort_gguf_get_tensor(const retort_gguf *gguf, uint32_t index, retort_gguf_tensor *tensor, retort_error *error);

/* ---- vocabulary: tokens and chat templates ------------------------------------------------------------------------------ */

typedef struct retort_vocab retort_vocab;

RETORT_API retort_status retort_vocab_open(const retort_platform *platform, const retort_gguf *gguf, retort_vocab **out,
                                           retort_error *error);
RETORT_API void retort_vocab_close(retort_vocab *vocab);

typedef struct retort_vocab_info {
  size_t struct_size;
  uint32_t n_tokens;
  int32_t bos, eos;          /* -1: none */
  int32_t think_begin;       /* the single token "<think>", -1: none */
  int32_t think_end;         /* the single token "</think>", -1: none */
  uint32_t add_bos;          /* 1: raw prompts get a BOS in front */
  const char *model;         /* tokenizer.ggml.model */
  const char *pre;           /* tokenizer.ggml.pre as the file says */
  const char *chat_template; /* Jinja source, NULL: none */
} retort_vocab_info;
RETORT_API retort_status retort_vocab_get_info(const retort_vocab *vocab, retort_vocab_info *info, retort_error *error);

enum {
  RETORT_TOKENIZE_SPECIAL = 1u << 0, /* text that spells a special token becomes that token */
  RETORT_TOKENIZE_ADD_BOS = 1u << 1  /* put the BOS in front if the vocabulary asks for one and the text does not start with it */
};
/* Tokenises `size` bytes. Invalid UTF-8: each maximal invalid subpart counts as U+FFFD (Unicode 15, section 3.9). *count receives
 * the number of ids needed. */
RETORT_API retort_status retort_tokenize(const retort_vocab *vocab, const char *text, size_t size, uint32_t flags, int32_t *ids,
                                         size_t capacity, size_t *count, retort_error *error);
/* The bytes of `count` tokens, one after the other (may cut a UTF-8 sequence at the ends). *size: bytes needed, no NUL added.
 * Control tokens give nothing unless `flags` has RETORT_TOKENIZE_SPECIAL. */
RETORT_API retort_status retort_detokenize(const retort_vocab *vocab, const int32_t *ids, size_t count, uint32_t flags, char *buffer,
                                           size_t capacity, size_t *size, retort_error *error);
RETORT_API int retort_is_end_of_generation(const retort_vocab *vocab, int32_t id); /* 1 for EOS, EOT and their like */

typedef struct retort_chat_options {
  size_t struct_size;
  const char *template_source;    /* overrides the vocabulary's own template; NULL: the file's */
  const char *variables_json;     /* JSON object of further template variables ("tools", "enable_thinking", ...); NULL: none */
  uint32_t add_generation_prompt; /* 1 (default): end where the answer begins; 0: after the last message */
  const char *date;               /* for strftime_now, "YYYY-MM-DD" or "YYYY-MM-DD HH:MM:SS"; NULL: the template may not ask for it */
  int (*interrupted)(void *arg);  /* asked every few milliseconds while a template runs: not 0 ends it; NULL: never */
  void *interrupted_arg;
} retort_chat_options;
RETORT_API void retort_chat_options_init(retort_chat_options *options, size_t struct_size);

/* Renders an OpenAI-style JSON array of messages ([{"role":"user","content":"..."}, ...]) with the chat template, as Hugging Face's
 * apply_chat_template would. Source of truth: Python jinja2 with trim_blocks, lstrip_blocks, loop controls. */
RETORT_API retort_status retort_chat_render(const retort_platform *platform, const retort_vocab *vocab, const char *messages_json,
                                            const retort_chat_options *options, char *buffer, size_t capacity, size_t *size,
                                            retort_error *error);
/* The same, tokenised. Special tokens are recognised only in text that comes from the template itself, never inside what the
 * messages say, so a message cannot forge a turn. Exactly one BOS where the vocabulary asks for one. */
RETORT_API retort_status retort_chat_tokenize(const retort_platform *platform, const retort_vocab *vocab, const char *messages_json,
                                              const retort_chat_options *options, int32_t *ids, size_t capacity, size_t *count,
                                              retort_error *error);

/* ---- models --------------------------------------------------------------------------------------------------------------- */

typedef struct retort_model retort_model;

typedef struct retort_model_options {
  size_t struct_size;
  const char *kernels; /* force a kernel variant ("portable", "avx2", ...); NULL: the best that this machine runs */
} retort_model_options;
RETORT_API void retort_model_options_init(retort_model_options *options, size_t struct_size);

/* Binds the tensors of a llama, qwen2 or qwen3 model. Weights stay where they are in the file bytes. */
RETORT_API retort_status retort_model_open(const retort_platform *platform, const retort_gguf *gguf, const retort_model_options *options,
                                           retort_model **out, retort_error *error);
RETORT_API void retort_model_close(retort_model *model);

typedef struct retort_model_info {
  size_t struct_size;
  const char *architecture; /* "llama", "qwen2", "qwen3" */
  const char *name;         /* general.name, or "" */
  const char *kernels;      /* variant in use */
  uint64_t n_parameters;
  uint32_t n_vocab;     /* logits per position */
  uint32_t n_ctx_train; /* context that the model was made for */
  uint32_t n_layers, n_embd, n_heads, n_kv_heads, head_dim, n_ff;
  uint64_t kv_bytes_per_token; /* with the default f16 cache */
} retort_model_info;
RETORT_API retort_status retort_model_get_info(const retort_model *model, retort_model_info *info, retort_error *error);

/* Name and availability of kernel variant `index` (0, 1, ...) of this build; NULL past the last. *reason: why it can or cannot run. */
RETORT_API const char *retort_kernels_variant(const retort_platform *platform, uint32_t index, int *available, const char **reason);

/* ---- sessions: one conversation on one model ------------------------------------------------------------------------------ */

typedef struct retort_session retort_session;

/* How keys and values are kept: as halves, as they are, or in blocks of 32 bytes under one half scale. Part of the numerics
 * (docs/NUMERICS.md). */
enum { RETORT_KV_F16 = 0, RETORT_KV_F32 = 1, RETORT_KV_Q8_0 = 2 };
/* "f16", "f32", "q8_0"; NULL past the last. */
RETORT_API const char *retort_kv_type_name(uint32_t kv_type);
/* Bytes of keys and values that one token takes in a cache of `kv_type`, from the metadata alone: the one formula, whatever the
 * architecture keeps. 0 where it cannot be told: the file names no architecture that runs here, or its keys are wrong, or there is no such
 * type. */
RETORT_API uint64_t retort_kv_bytes_per_token(const retort_gguf *gguf, uint32_t kv_type);

enum { RETORT_DEFAULT_CTX = 4096, RETORT_DEFAULT_BATCH = 256 };

typedef struct retort_session_options {
  size_t struct_size;
  uint32_t n_ctx;   /* positions kept; 0: the model's own, at most RETORT_DEFAULT_CTX */
  uint32_t n_batch; /* most rows computed at once; 0: RETORT_DEFAULT_BATCH. Changes no bit of any result. */
  uint32_t kv_type; /* RETORT_KV_*; 0: RETORT_KV_F16 */
} retort_session_options;
RETORT_API void retort_session_options_init(retort_session_options *options, size_t struct_size);

/* `vocab` may be NULL when only retort_session_eval is used. */
RETORT_API retort_status retort_session_open(const retort_platform *platform, const retort_model *model, const retort_vocab *vocab,
                                             const retort_session_options *options, retort_session **out, retort_error *error);
RETORT_API void retort_session_close(retort_session *session);

typedef struct retort_session_info {
  size_t struct_size;
  uint32_t n_ctx;      /* effective */
  uint32_t n_batch;    /* effective */
  uint32_t n_past;     /* positions now in the cache */
  uint64_t kv_bytes;   /* size of the cache when the context is full; it is taken as needed */
  uint64_t work_bytes; /* size of everything else that the session holds */
} retort_session_info;
RETORT_API retort_status retort_session_get_info(const retort_session *session, retort_session_info *info, retort_error *error);

enum { RETORT_LOGITS_NONE = 0, RETORT_LOGITS_LAST = 1, RETORT_LOGITS_ALL = 2 };
/* Appends `count` tokens at the end of the cache. `logits` receives (1, n_vocab) or (count, n_vocab) floats as `which` says. */
RETORT_API retort_status retort_session_eval(retort_session *session, const int32_t *ids, size_t count, int which, float *logits,
                                             retort_error *error);
/* Asks the session to give up: the call in progress, or where none is the next one that computes, returns RETORT_ERROR_INTERRUPTED within
 * the time of one layer and has changed nothing. The request stands until a call has given up for it, so none is lost between two calls;
 * retort_generate_begin drops it. May be called by any thread and in a signal handler, as long as the session is open. */
RETORT_API void retort_session_interrupt(retort_session *session);
/* Forgets all positions from `n_past` on. */
RETORT_API retort_status retort_session_truncate(retort_session *session, uint32_t n_past, retort_error *error);

/* ---- generation ------------------------------------------------------------------------------------------------------------ */

typedef struct retort_generate_options {
  size_t struct_size;
  float temperature;          /* 0: greedy; default 0.6 (DeepSeek-R1's recommendation) */
  float top_p;                /* default 0.95; 1: off */
  float min_p;                /* default 0: off */
  uint32_t top_k;             /* default 0: off */
  float repetition_penalty;   /* default 1: off; over the last `repetition_window` tokens */
  uint32_t repetition_window; /* default 64 */
  uint64_t seed;              /* default 0 */
  uint32_t max_tokens;        /* default 0: until the context is full */
  int32_t thinking_budget;    /* most reasoning tokens before the reasoning is closed, once and for all; -1 (default): no limit, 0: no
                               * thinking. Where the model's family has a sentence for that end (Qwen3), it is said first. */
  const char *const *stop;    /* stop strings, copied */
  size_t n_stop;
  uint32_t proof; /* 1: hash the logits of every generated position (retort_session_get_proof) */
  int32_t draft;  /* tokens drafted ahead where the text repeats itself, computed together, kept where they turn out right: changes
                   * speed and no bit of any result. -1 (default): as many as pay; 0: none; N, at most 15: always N if there is a draft */
} retort_generate_options;
RETORT_API void retort_generate_options_init(retort_generate_options *options, size_t struct_size);

/* Starts an answer to `prompt`. Positions that the cache already holds (common prefix) are not computed again. Computes nothing yet. */
RETORT_API retort_status retort_generate_begin(retort_session *session, const int32_t *prompt, size_t count,
                                               const retort_generate_options *options, retort_error *error);

typedef enum retort_event_kind {
  RETORT_EVENT_PROMPT = 0, /* a part of the prompt was computed: prompt_done of prompt_total */
  RETORT_EVENT_TOKEN = 1,  /* a token was generated */
  RETORT_EVENT_END = 2     /* the answer is complete: finish_reason; `text` holds what was still held back */
} retort_event_kind;
typedef enum retort_section { RETORT_SECTION_ANSWER = 0, RETORT_SECTION_REASONING = 1 } retort_section;
typedef enum retort_finish {
  RETORT_FINISH_NONE = 0,
  RETORT_FINISH_STOP = 1,     /* the model ended its turn */
  RETORT_FINISH_LENGTH = 2,   /* max_tokens, or the context is full */
  RETORT_FINISH_STRING = 3,   /* a stop string */
  RETORT_FINISH_REASONING = 4 /* the model ended its turn inside its reasoning: there is no answer, or none after this reasoning */
} retort_finish;
/* "none", "stop", "length", "stop_string", "reasoning": stable words for machines */
RETORT_API const char *retort_finish_name(int32_t finish);

typedef struct retort_event {
  size_t struct_size;
  int32_t kind;                       /* retort_event_kind */
  int32_t token;                      /* EVENT_TOKEN: its id, else -1 */
  int32_t forced;                     /* 1: put there by the thinking budget, not chosen by the model */
  int32_t section;                    /* retort_section that `text` belongs to; think tags are in neither */
  const char *text;                   /* whole UTF-8 characters; valid until the next call on this session; "" where nothing is due yet */
  size_t text_size;                   /* bytes */
  int32_t finish;                     /* EVENT_END: retort_finish */
  uint32_t prompt_done, prompt_total; /* tokens */
  int32_t retracted; /* 1: the model closed a reasoning that it had not opened: all text of the answer so far was reasoning */
} retort_event;

/* Does one unit of work: at most `work_tokens` prompt tokens (0: n_batch), or one new token, for which at most `work_tokens` - 1 drafts
 * are computed along. After EVENT_END it returns RETORT_ERROR_ARGUMENT until the next retort_generate_begin. To cancel, simply do not call
 * again; retort_session_interrupt ends a call in progress. */
RETORT_API retort_status retort_step(retort_session *session, uint32_t work_tokens, retort_event *event, retort_error *error);

typedef struct retort_usage {
  size_t struct_size;
  uint32_t prompt_tokens;     /* of the last retort_generate_begin */
  uint32_t cached_tokens;     /* of those, found in the cache */
  uint32_t completion_tokens; /* generated, reasoning included */
  uint32_t reasoning_tokens;
  uint32_t drafted_tokens;  /* drafts that were computed (retort_generate_options.draft) */
  uint32_t accepted_tokens; /* of those, found right: they cost no step of their own */
} retort_usage;
RETORT_API retort_status retort_session_get_usage(const retort_session *session, retort_usage *usage, retort_error *error);

/* The logits (1, n_vocab) that the token of the last RETORT_EVENT_TOKEN was chosen from, after a repetition penalty; they stay until the
 * next call on this session. A token that the thinking budget forced was not chosen from them. */
RETORT_API retort_status retort_session_get_logits(const retort_session *session, const float **logits, uint32_t *count,
                                                   retort_error *error);

/* SHA-256, in hex with NUL, over the little-endian float32 logits of every generated position so far, in order. Needs options.proof. */
RETORT_API retort_status retort_session_get_proof(const retort_session *session, char hex[65], retort_error *error);

/* ---- engines: many conversations on one model --------------------------------------------------------------------------------
 *
 * A session is an engine with one sequence. An engine computes rows of many sequences in one pass over the weights, which is what costs;
 * a sequence is its tokens, its pages of the KV cache and less than 1 MB. What is common to sequences is stored once: a fork shares its
 * pages with the original, and a prompt that begins as another sequence's text takes that part from it. A sequence's results are the same
 * bits whatever other sequences the engine has.
 *
 * An engine and its sequences belong to one thread at a time, but for retort_sequence_interrupt. */

typedef struct retort_engine retort_engine;
typedef struct retort_sequence retort_sequence;

typedef struct retort_engine_options {
  size_t struct_size;
  uint32_t n_ctx;       /* most positions of a sequence; 0: the model's own, at most RETORT_DEFAULT_CTX */
  uint32_t n_batch;     /* most rows of one pass; 0: RETORT_DEFAULT_BATCH */
  uint32_t kv_type;     /* RETORT_KV_*; 0: RETORT_KV_F16 */
  uint32_t n_parallel;  /* most answers that go on in one step, at most n_batch; 0: 16. Costs n_vocab floats each above 16. */
  uint64_t n_positions; /* all sequences together may hold, in whole pages, at least n_ctx; 0: as memory gives */
  const char
      *model_digest; /* who the model is (the verdict's digest): written into saved sequences, needed to restore them; NULL: not told */
} retort_engine_options;
RETORT_API void retort_engine_options_init(retort_engine_options *options, size_t struct_size);

/* `vocab` may be NULL when nothing is generated, only evaluated. */
RETORT_API retort_status retort_engine_open(const retort_platform *platform, const retort_model *model, const retort_vocab *vocab,
                                            const retort_engine_options *options, retort_engine **out, retort_error *error);
/* Closes its sequences too. */
RETORT_API void retort_engine_close(retort_engine *engine);

typedef struct retort_engine_info {
  size_t struct_size;
  uint32_t n_ctx, n_batch; /* effective */
  uint32_t n_sequences;    /* open */
  uint32_t page_positions; /* positions of a page */
  uint64_t page_bytes;
  uint32_t n_pages, n_pages_used; /* in memory; of those, held by a sequence or several */
  uint64_t work_bytes;            /* everything but pages and sequences; does not grow with their number */
  uint64_t sequence_bytes;        /* of all sequences beside their pages */
} retort_engine_info;
RETORT_API retort_status retort_engine_get_info(const retort_engine *engine, retort_engine_info *info, retort_error *error);

/* An empty sequence. */
RETORT_API retort_status retort_sequence_open(retort_engine *engine, retort_sequence **out, retort_error *error);
RETORT_API void retort_sequence_close(retort_sequence *sequence);
/* A new sequence of the same engine with the same text; an answer in progress stays with the original. */
RETORT_API retort_status retort_sequence_fork(const retort_sequence *sequence, retort_sequence **out, retort_error *error);
/* Forgets all positions from `n_past` on. */
RETORT_API retort_status retort_sequence_truncate(retort_sequence *sequence, uint32_t n_past, retort_error *error);
/* The sequence of a session: fork and the like are for engines' own, the rest works on it. Belongs to the session. NULL: NULL. */
RETORT_API retort_sequence *retort_session_sequence(retort_session *session);

/* The sequence's text, keys and values as bytes, to be restored in an engine with the same model, kv_type and numerics. */
RETORT_API retort_status retort_sequence_save(const retort_sequence *sequence, void *buffer, size_t capacity, size_t *size,
                                              retort_error *error);
/* Replaces what the sequence has. The bytes are checked for damage (RETORT_ERROR_FORMAT) and for another model (RETORT_ERROR_ARGUMENT),
 * kind or version (RETORT_ERROR_UNSUPPORTED); on failure nothing is changed. They are as trustworthy as where they were kept: whoever can
 * write them, with a digest that fits, decides what the model is told to have read. */
RETORT_API retort_status retort_sequence_restore(retort_sequence *sequence, const void *data, size_t size, retort_error *error);

typedef struct retort_sequence_info {
  size_t struct_size;
  uint32_t n_past;     /* positions of its text that are computed */
  uint32_t n_pages;    /* that it holds, alone or with others */
  uint32_t generating; /* 1: an answer is in progress */
  uint64_t bytes;      /* beside its pages */
} retort_sequence_info;
RETORT_API retort_status retort_sequence_get_info(const retort_sequence *sequence, retort_sequence_info *info, retort_error *error);

/* As retort_session_interrupt. In a step the others are not disturbed: the sequence stays where it was. */
RETORT_API void retort_sequence_interrupt(retort_sequence *sequence);

/* As retort_session_eval. */
RETORT_API retort_status retort_sequence_eval(retort_sequence *sequence, const int32_t *ids, size_t count, int which, float *logits,
                                              retort_error *error);

typedef struct retort_eval {
  size_t struct_size;
  retort_sequence *sequence;
  const int32_t *ids; /* (count) appended to it */
  size_t count;
  float *logits;  /* (1, n_vocab) or (count, n_vocab), as `which` says */
  int32_t which;  /* RETORT_LOGITS_* */
  int32_t status; /* written: RETORT_OK, or why this sequence was left as it was */
} retort_eval;
/* The same for `n` sequences, each once, in common passes. Returns the first status that is not RETORT_OK. */
RETORT_API retort_status retort_engine_eval(retort_engine *engine, retort_eval *evals, size_t n, retort_error *error);

/* As retort_generate_begin; what another sequence of the engine holds of the prompt's beginning is not computed again either. */
RETORT_API retort_status retort_sequence_generate(retort_sequence *sequence, const int32_t *prompt, size_t count,
                                                  const retort_generate_options *options, retort_error *error);

/* Goes on with all answers in progress, in one pass of at most `work_tokens` rows (0: n_batch): a token each and its drafts, then parts of
 * prompts; those that found no room come first in the next step. *n_events: what came of it, 0 where no answer is in progress.
 * RETORT_ERROR_MEMORY where no sequence could go on for lack of pages: close or cut back one and step again. */
RETORT_API retort_status retort_engine_step(retort_engine *engine, uint32_t work_tokens, size_t *n_events, retort_error *error);
/* Event `index` of the last step and the sequence that it is of; those of one sequence are in order. Its text is valid until the next call
 * on the engine. A failure is that sequence's alone: RETORT_ERROR_INTERRUPTED, after which the next step goes on with it unless it is
 * closed or given another prompt, or any other, after which its answer is over. *sequence is written then too. */
RETORT_API retort_status retort_engine_get_event(const retort_engine *engine, size_t index, retort_sequence **sequence, retort_event *event,
                                                 retort_error *error);

RETORT_API retort_status retort_sequence_get_usage(const retort_sequence *sequence, retort_usage *usage, retort_error *error);
RETORT_API retort_status retort_sequence_get_proof(const retort_sequence *sequence, char hex[65], retort_error *error);

/* ---- hashing: for digests in proof lines ------------------------------------------------------------------------------------ */

/* SHA-256 of `size` bytes, in hex with NUL (FIPS 180-4). */
RETORT_API void retort_sha256_hex(const void *data, size_t size, char hex[65]);

#ifdef __cplusplus
}
#endif
#endif
