/* keygen.c - `retort keygen`: a key pair for signing models. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "models/output.h"
#include "models/paths.h"

static int keygen(const options *o) {
  char secret[RETORT_KEY_TEXT_SIZE], public_key[RETORT_KEY_TEXT_SIZE], path[4096], public_path[4096], who[256];
  uint8_t random[96];
  retort_error error;
  if (o->n_arguments != 1 || strlen(o->arguments[0]) > 4000)
    return fail(o->json, EXIT_USAGE, "name the key: retort keygen NAME makes NAME.key and NAME.pub");
  if (o->bits != 256 && o->bits != 384 && o->bits != 521) return fail(o->json, EXIT_USAGE, "--bits is one of 256, 384, 521");
  snprintf(path, sizeof path, "%s.key", o->arguments[0]);
  snprintf(public_path, sizeof public_path, "%s.pub", o->arguments[0]);
  if (!random_bytes(random, sizeof random)) return fail(o->json, EXIT_RUNTIME, "the system gives no random bytes");
  char *password = NULL;
  if (o->minisign && !o->no_password) {
    password = ask_password("Password for the new secret key");
    if (!password || !*password) {
      free(password);
      return fail(o->json, EXIT_USAGE, "no password; --no-password makes a secret key that lies open");
    }
  }
  retort_status status =
      retort_keygen(NULL, o->minisign ? RETORT_KEY_MINISIGN : (int32_t)o->bits, random, password, secret, public_key, &error);
  if (password) explicit_bzero(password, strlen(password));
  free(password);
  explicit_bzero(random, sizeof random);
  if (status) return fail_status(o->json, &error);
  int code = write_file(path, secret, strlen(secret), true, o->json);
  explicit_bzero(secret, sizeof secret);
  if (code == EXIT_OK) code = write_file(public_path, public_key, strlen(public_key), false, o->json);
  if (code != EXIT_OK) return code;
  retort_buffer anchor = {sizeof(retort_buffer), public_key, strlen(public_key), public_path};
  if (retort_trust_describe(NULL, o->minisign ? RETORT_TRUST_MINISIGN : RETORT_TRUST_KEY, &anchor, who, &error))
    return fail_status(o->json, &error);
  if (o->json)
    return print_json_line(
        json_pack("{s:o,s:o,s:o}", "signer", text_json(who), "secret_key", text_json(path), "public_key", text_json(public_path)));
  printf("%s: the secret key; keep it to yourself\n%s: the public key, for those who verify\n%s\n", path, public_path, who);
  return EXIT_OK;
}

static const option_spec specs[] = {
    {"bits", 0, OPTION_U32, AT(bits), "256|384|521", 256, 521, "the ECDSA curve: P-256 (default), P-384 or P-521"},
    {"minisign", 0, OPTION_FLAG, AT(minisign), NULL, 0, 0, "a minisign key (Ed25519) in place of an ECDSA key"},
    {"no-password", 0, OPTION_FLAG, AT(no_password), NULL, 0, 0, "with --minisign: write the secret key without a password"},
    OPTIONS_OUTPUT,
};

const command keygen_command = {
    .name = "keygen",
    .summary = "make a key pair for signing models",
    .usage = "NAME [OPTIONS]",
    .text =
        "Writes NAME.key (secret, readable by you alone) and NAME.pub. ECDSA keys are PEM files, as openssl makes and reads them, and are "
        "not encrypted; "
        "minisign keys are those of the minisign tool, with a password that is asked for (or read from standard input).",
    .examples = "  retort keygen release\n  retort keygen --minisign release\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .rights = WRITES_BESIDE_ARGUMENTS,
    .run = keygen,
};
