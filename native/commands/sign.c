/* sign.c - `retort sign`: signs models in the formats that other tools verify. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "commands.h"
#include "models/output.h"
#include "models/paths.h"
#include "service/record.h"

typedef struct job {
  const options *o;
  model_paths files;
  retort_signer *signer;
  int32_t method;
  uint32_t chunk_size; /* 0: no side files */
} job;

static retort_status take(void *arg, uint64_t offset, const void *data, size_t size, retort_error *error) {
  (void)offset;
  return retort_signer_feed(arg, data, size, error);
}

/* A side file of an earlier signature: it will be written anew with the file that it belongs to. Any other file of such a name is one like
 * all. */
static bool is_side_file(const job *j, const char *name) {
  size_t n = strlen(name);
  if (n < 7 || strcmp(name + n - 7, ".chunks") != 0 || !j->chunk_size) return false;
  for (size_t i = 0; i < j->files.count; i++) {
    const retort_buffer *f = &j->files.files[i];
    if (f->size > j->chunk_size && strlen(f->name) + 7 == n && strncmp(f->name, name, n - 7) == 0) return true;
  }
  return false;
}

/* Beside a model that is one file its side file stays outside of the signature; in a folder it must be inside, or other tools would find a
 * file that nobody signed. So it is written first and then signed like any other. */
static int sign_file(job *j, size_t index, size_t *added) {
  const options *o = j->o;
  const retort_buffer *f = &j->files.files[index];
  retort_error error;
  const void *list;
  size_t list_size;
  char path[4300];
  const char *name = j->files.root                                                                ? f->name + strlen(j->files.root) + 1
                     : j->files.count == 1 && !o->spec_name && j->method != RETORT_TRUST_MINISIGN ? "."
                                                                                                  : base_name(f->name);
  if (is_side_file(j, f->name)) return EXIT_OK;
  /* A lone file signed as "." is verified under its own name all the same. */
  if (strcmp(name, ".") == 0 && !retort_trust_name_is_plain(base_name(f->name))) name = base_name(f->name);
  if (retort_signer_add_file(j->signer, name, f->size, &error)) return fail_status(o->json, &error);
  int code = model_paths_read(&j->files, index, take, j->signer, o->json);
  if (code != EXIT_OK) return code;
  if (retort_signer_chunks(j->signer, (*added)++, &list, &list_size, &error)) return fail_status(o->json, &error);
  if (!list_size) return EXIT_OK;
  snprintf(path, sizeof path, "%s.chunks", f->name);
  if ((code = write_file(path, list, list_size, false, o->json)) != EXIT_OK || !j->files.root) return code;
  snprintf(path, sizeof path, "%s.chunks", name);
  if (retort_signer_add_file(j->signer, path, list_size, &error) || retort_signer_feed(j->signer, list, list_size, &error))
    return fail_status(o->json, &error);
  (*added)++;
  return EXIT_OK;
}

static int open_signer(job *j, const text_buffer *key, retort_buffer *certificates, const char *model_name) {
  const options *o = j->o;
  retort_signer_options so;
  retort_error error;
  char *password = NULL;
  retort_signer_options_init(&so, sizeof so);
  so.method = j->method;
  if (o->no_chunks) so.chunk_size = 0;
  j->chunk_size = j->method == RETORT_TRUST_MINISIGN ? 0 : so.chunk_size;
  const retort_buffer secret_key = {sizeof secret_key, key->bytes, key->size, o->secret_key};
  so.secret_key = &secret_key;
  so.certificates = certificates;
  so.n_certificates = o->certificates.count;
  so.model_name = model_name;
  so.time = now_utc();
  char paths[MAX_LIST][4300];
  const char *ignored[MAX_LIST];
  for (size_t i = 0; i < o->ignored.count; i++) {
    ignored_path(j->files.root, o->ignored.value[i], paths[i]);
    ignored[i] = paths[i];
  }
  so.ignored = ignored;
  so.n_ignored = o->ignored.count;
  if (!random_bytes(so.random, sizeof so.random)) return fail(o->json, EXIT_RUNTIME, "the system gives no random bytes");
  retort_status status = retort_signer_open(NULL, &so, &j->signer, &error);
  if (status == RETORT_ERROR_ARGUMENT && j->method == RETORT_TRUST_MINISIGN && strstr(error.message, "password")) {
    so.password = password = ask_password("Password of the secret key");
    if (password) status = retort_signer_open(NULL, &so, &j->signer, &error);
  }
  if (password) explicit_bzero(password, strlen(password));
  free(password);
  return status ? fail_status(o->json, &error) : EXIT_OK;
}

static void report(const options *o, const char *path, const retort_verdict *r) {
  char text[1400];
  retort_verdict_text(r, text, sizeof text);
  if (o->json) {
    json_t *all = service_verdict(r);
    if (all) json_object_set_new(all, "signature", text_json(path));
    print_json_line(all);
    return;
  }
  printf("%s: %s\n", path, text);
}

/* One signature over j->files. */
static int sign_one(job *j, const char *model, const text_buffer *key, retort_buffer *certificates) {
  const options *o = j->o;
  char path[4300], name[4300];
  retort_error error;
  const char *signature;
  size_t size, added = 0;
  if (j->method == RETORT_TRUST_MINISIGN) {
    snprintf(path, sizeof path, "%s.minisig", j->files.files[0].name);
    snprintf(name, sizeof name, "timestamp:%lld\tfile:%s\thashed", (long long)now_utc(),
             o->name ? o->name : base_name(j->files.files[0].name));
  } else {
    if (j->files.root) snprintf(path, sizeof path, "%s/model.sig", j->files.root);
    else if (j->files.count > 1) snprintf(path, sizeof path, "%.*smodel.sig", (int)(base_name(model) - model), model);
    else snprintf(path, sizeof path, "%s.sig", model);
    snprintf(name, sizeof name, "%s", o->name ? o->name : base_name(j->files.root ? j->files.root : model));
  }
  if (o->out) snprintf(path, sizeof path, "%s", o->out);
  int code = open_signer(j, key, certificates, o->comment && j->method == RETORT_TRUST_MINISIGN ? o->comment : name);
  for (size_t i = 0; code == EXIT_OK && i < j->files.count; i++) code = sign_file(j, i, &added);
  retort_verdict verdict = {.struct_size = sizeof verdict};
  if (code == EXIT_OK && retort_signer_finish(j->signer, &signature, &size, &verdict, &error)) code = fail_status(o->json, &error);
  if (code == EXIT_OK) code = write_file(path, signature, size, false, o->json);
  if (code == EXIT_OK) report(o, path, &verdict);
  retort_signer_close(j->signer);
  j->signer = NULL;
  return code;
}

static int sign_model(const options *o, const char *model, const text_buffer *key, retort_buffer *certificates) {
  job j = {.o = o};
  j.method = strncmp(key->bytes, "untrusted comment:", 18) == 0 ? RETORT_TRUST_MINISIGN
             : o->certificates.count                            ? RETORT_TRUST_CERTIFICATE
                                                                : RETORT_TRUST_KEY;
  char signature[4300];
  snprintf(signature, sizeof signature, "%s%s", o->out ? o->out : model, o->out ? "" : "/model.sig");
  int code = model_paths_open(&j.files, model, &(left_out){signature, &o->ignored}, o->json);
  if (code != EXIT_OK) return code;
  if (!j.files.root && o->ignored.count) code = fail(o->json, EXIT_USAGE, "--ignore-paths is about a model that is a folder");
  else if (j.method != RETORT_TRUST_MINISIGN) code = sign_one(&j, model, key, certificates);
  else if (j.files.root) code = fail(o->json, EXIT_USAGE, "minisign signs files, not folders; name the files");
  else { /* minisign: a signature for each file of a set */ model_paths all = j.files;
    for (size_t i = 0; code == EXIT_OK && i < all.count; i++) {
      j.files = (model_paths){.files = &all.files[i], .count = 1};
      code = sign_one(&j, all.files[i].name, key, NULL);
    }
    j.files = all;
  }
  model_paths_close(&j.files);
  return code;
}

static int sign(const options *o) {
  text_buffer key = {0};
  retort_buffer certificates[MAX_LIST] = {{0}};
  if (o->n_arguments == 0 || !o->secret_key)
    return fail(o->json, EXIT_USAGE, "say what to sign and with which key: retort sign --secret-key release.key model.gguf");
  if (o->out && o->n_arguments > 1) return fail(o->json, EXIT_USAGE, "--out names one signature, but several models are to be signed");
  int code = read_text_file(o->secret_key, o->json, &key);
  for (size_t i = 0; code == EXIT_OK && i < o->certificates.count; i++) {
    text_buffer text = {0};
    code = read_text_file(o->certificates.value[i], o->json, &text);
    certificates[i] = (retort_buffer){sizeof(retort_buffer), text.bytes, text.size, o->certificates.value[i]};
  }
  for (int i = 0; code == EXIT_OK && i < o->n_arguments; i++) code = sign_model(o, o->arguments[i], &key, certificates);
  if (key.bytes) explicit_bzero(key.bytes, key.size);
  free(key.bytes);
  for (size_t i = 0; i < MAX_LIST; i++) free((void *)(uintptr_t)certificates[i].data);
  return code;
}

static const option_spec specs[] = {
    {"secret-key", 'k', OPTION_STRING, AT(secret_key), "FILE", 0, 0,
     "PEM private key (ECDSA, from retort keygen or openssl), or minisign secret key; its kind decides the kind of signature"},
    {"cert", 0, OPTION_LIST, AT(certificates), "FILE", 0, 0,
     "PEM certificates: the one of the key first, then those that issued it, without the root; makes a certificate signature"},
    {"name", 0, OPTION_STRING, AT(name), "NAME", 0, 0,
     "the model's name as signed (--model-name asks for it). Default: the file's or folder's name"},
    {"comment", 0, OPTION_STRING, AT(comment), "TEXT", 0, 0, "minisign: the trusted comment. Default: time, file name, \"hashed\""},
    {"spec-name", 0, OPTION_FLAG, AT(spec_name), NULL, 0, 0,
     "record a lone file by its name, as the specification says, in place of \".\", as the Python tool does"},
    {"ignore-paths", 0, OPTION_LIST, AT(ignored), "PATH", 0, 0,
     "of a folder: leave out this path and all below it (logs, caches); may be given several times. The signature says so"},
    {"no-chunks", 0, OPTION_FLAG, AT(no_chunks), NULL, 0, 0, "write no .chunks side files: loaders must then hash whole files"},
    {"out", 'o', OPTION_STRING, AT(out), "FILE", 0, 0, "where to write the signature. Default: MODEL.sig, FOLDER/model.sig, FILE.minisig"},
    OPTIONS_OUTPUT,
};

const command sign_command = {
    .name = "sign",
    .summary = "sign models: OpenSSF Model Signing bundles, minisign",
    .usage = "--secret-key FILE MODEL... [OPTIONS]",
    .text =
        "MODEL is a GGUF file, the first file of a split set, or a folder. With a PEM key the signature is an OpenSSF Model Signing v1.0 "
        "bundle, which the Python and Go "
        "tools verify too; files over 1 MiB get a FILE.chunks beside them, with which each part can be verified as it is read. With a "
        "minisign key it is FILE.minisig.",
    .examples =
        "  retort sign --secret-key release.key model.gguf\n  retort sign --secret-key leaf.key --cert leaf.pem --cert intermediate.pem "
        "folder/\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .rights = READS_ARGUMENTS | WRITES_BESIDE_ARGUMENTS,
    .run = sign,
};
