/* trust_policy.h - what the user trusts, and the verifier that follows from it for one model.
 *
 * Either the options name what is trusted (one kind of it), or the trust store does: ~/.config/retort/trust/ (an absolute
 * $XDG_CONFIG_HOME is respected), a folder of plain files: keys and roots in PEM, minisign keys, and `pins`, a text of "SHA-256 size name"
 * lines. Beside the store the program itself knows the project's own key, good only for the project's own model, and the pin of the model
 * that build.sh fetches.
 */
#ifndef TRUST_POLICY_H
#define TRUST_POLICY_H

#include "terminal/text_input.h"
#include "terminal/options.h"
#include "terminal/report.h"
#include "retort.h"

#define MAX_ANCHORS 64

/* Keys, roots or minisign keys as read; `name` of each buffer is where it came from. */
typedef struct anchor_set {
  retort_buffer items[MAX_ANCHORS];
  size_t count;
} anchor_set;

typedef struct pin {
  char hex[65];
  uint64_t size; /* 0: not known */
  char name[160];
} pin;

typedef struct trust_set {
  anchor_set keys, roots, minisign;
  pin *pins;
  size_t n_pins;
} trust_set;

/* The store's folder; false where neither $XDG_CONFIG_HOME nor $HOME is set. */
bool store_folder(char path[4096]);
/* Reads the store; one that is not there is empty. Returns EXIT_OK, or the exit code once the error was reported. */
int store_read(trust_set *set, bool json);
void trust_set_free(trust_set *set);

/* What kind of public key or certificate the text is: a retort_trust_method, or -1. */
int anchor_kind(const text_buffer *text);

/* The time for certificates. */
int64_t now_utc(void);

/* Opens the verifier for `n` files (paths in `files[i].name`, sizes set, data not needed) of one model by the options' policy. `complete`:
 * they are all there is (retort verify). `embedded`: the model is the program's own, and so are its signature and chunk list; without
 * options only the project's key is asked. `signature`: use this file; NULL: look beside the model. Returns EXIT_OK, or EXIT_TRUST and the
 * like once the error was reported. */
int trust_policy_open(const retort_platform *platform, const options *o, const retort_buffer *files, size_t n, bool embedded,
                      retort_verifier **out);

/* Where the signature of a folder's model is that the user has not named: FOLDER/model.sig, or where that is not there the only file ending
 * with
 * ".oms.sig". The folder is `root`, or, NULL, the one that `file` is in. Nothing need be there. */
enum { SIGNATURE_PATH = 4300 };
void folder_signature(const char *root, const char *file, char path[SIGNATURE_PATH]);

/* Reports that the model at `path` is refused because of `why`, with the ways on (or keeps `why` in o->unvouched); returns EXIT_TRUST. */
enum { UNVOUCHED = 640 };
int trust_policy_refuse(const options *o, const char *path, bool embedded, const char *why);
/* True where the options say what is trusted, false where the trust store does. */
bool trust_is_given(const options *o);

/* The base name of a path. */
const char *base_name(const char *path);

#endif
