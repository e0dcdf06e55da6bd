/* fetch.c - see fetch.h. libcurl speaks HTTP, mbedTLS TLS 1.2, c-ares asks the name servers; what is decided here are the limits.
 *
 * Nothing that arrives is believed: who signed it is checked elsewhere (download.c), so TLS guards against listeners and against servers
 * that withhold or delay. A transfer ends that exceeds its limit of bytes, whose answer (redirections included) has not begun after a
 * minute or does not get beyond preliminary ones (1xx), that brings less than 1000 bytes a second over half a minute, that breaks off four
 * times without progress at that rate, or that is redirected more than five times or from HTTPS to HTTP. Small documents have a time in
 * all. So no server keeps an update, and its lock, waiting for long.
 *
 * Certificates are good now by this machine's clock: mbedTLS is built without one (deps/mbedtls_config.h), so their dates are compared
 * here.
 *
 * Absent on purpose: proxies, passwords, cookies, compression, HTTP/2 and TLS 1.3.
 */
#include "fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <mbedtls/ssl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "trust_policy.h"
#include "terminal/text_input.h"

enum { TRIES = 4, REDIRECTS = 5, PRELIMINARY = 20, UNANNOUNCED = 16 << 20 };
enum { SILENCE_SECONDS = 30, ANSWER_SECONDS = 60, LEAST_PER_SECOND = 1000, LEAST_PROGRESS = SILENCE_SECONDS * LEAST_PER_SECOND };

struct fetch {
  const options *o;
  CURL *curl;
  char *url;               /* with a slash at its end */
  text_buffer authorities; /* PEM */
  char ca_file[300];
  char said[CURL_ERROR_SIZE];
  const char *certificate_fault; /* of the last connection */
  /* the transfer that runs */
  fetch_file *file;
  int descriptor;
  uint64_t offset, had; /* bytes in the descriptor; of them before this transfer */
  uint64_t limit;       /* of them at most */
  bool begun, too_large, wrong_range;
  double asked;       /* when this transfer began */
  double deadline;    /* of all tries; 0: none */
  double marked;      /* the rate is looked at over half a minute from here on */
  uint64_t marked_at; /* `offset` then */
  unsigned answers;   /* status lines of this transfer */
  char slow[120];     /* why it was ended: what the server does; "" */
  int write_error, note_code;
  char etag[256], date[256];
  uint64_t range_start;
  int (*note)(void *arg, const fetch_file *file);
  void *note_arg;
  progress bar;
  char what[300];
};

/* ---- certificates ---- */

static int check_certificate(void *arg, mbedtls_x509_crt *certificate, int depth, uint32_t *flags) {
  fetch *f = arg;
  mbedtls_x509_time now;
  time_t seconds_now = (time_t)now_utc();
  struct tm t;
  (void)depth;
  gmtime_r(&seconds_now, &t);
  now = (mbedtls_x509_time){t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec};
  if (mbedtls_x509_time_cmp(&certificate->valid_to, &now) < 0) *flags |= MBEDTLS_X509_BADCERT_EXPIRED;
  if (mbedtls_x509_time_cmp(&certificate->valid_from, &now) > 0) *flags |= MBEDTLS_X509_BADCERT_FUTURE;
  if (*flags & MBEDTLS_X509_BADCERT_EXPIRED) f->certificate_fault = "its certificate has expired, by this machine's clock";
  else if (*flags & MBEDTLS_X509_BADCERT_FUTURE) f->certificate_fault = "its certificate is not valid yet, by this machine's clock";
  else if (*flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) f->certificate_fault = "its certificate is for another host";
  else if (*flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) f->certificate_fault = "its certificate is not by an authority in the CA file";
  else if (*flags) f->certificate_fault = "its certificate is refused";
  return 0;
}

static CURLcode set_up_tls(CURL *curl, void *config, void *arg) {
  (void)curl;
  mbedtls_ssl_conf_verify(config, check_certificate, arg);
  return CURLE_OK;
}

static int read_authorities(fetch *f) {
  static const char *const places[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
  const char *file = f->o->ca_file;
  for (size_t i = 0; !file && i < sizeof places / sizeof places[0]; i++)
    if (access(places[i], R_OK) == 0) file = places[i];
  if (!file)
    return fail(f->o->json, EXIT_USAGE,
                "this system has no file of certificate authorities where they usually are (%s); name one with --ca-file", places[0]);
  snprintf(f->ca_file, sizeof f->ca_file, "%s", file);
  return read_text_file(file, f->o->json, &f->authorities);
}

/* ---- what curl calls ---- */

/* Always false: what the server does is no use to wait for. */
static bool give_up(fetch *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool give_up(fetch *f, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(f->slow, sizeof f->slow, format, arguments);
  va_end(arguments);
  return false;
}

static size_t on_header(char *line, size_t one, size_t n, void *arg) {
  fetch *f = arg;
  static const struct {
    const char *name;
    size_t at;
  } kept[] = {{"etag:", offsetof(fetch, etag)}, {"last-modified:", offsetof(fetch, date)}};
  (void)one;
  const bool status = n > 5 && memcmp(line, "HTTP/", 5) == 0;
  if (status) f->etag[0] = f->date[0] = 0, f->range_start = UINT64_MAX; /* of a redirection before */
  if (status && ++f->answers > REDIRECTS + PRELIMINARY) return give_up(f, "sends preliminary answers without end");
  for (size_t i = 0; i < 2; i++) {
    size_t skip = strlen(kept[i].name);
    if (n <= skip || strncasecmp(line, kept[i].name, skip) != 0) continue;
    while (skip < n && line[skip] == ' ') skip++;
    size_t size = n;
    while (size > skip && (line[size - 1] == '\r' || line[size - 1] == '\n' || line[size - 1] == ' ')) size--;
    char *to = (char *)f + kept[i].at;
    bool plain = size - skip < sizeof f->etag;
    for (size_t k = skip; k < size; k++) plain = plain && line[k] >= ' ' && line[k] < 127;
    snprintf(to, sizeof f->etag, "%.*s", plain ? (int)(size - skip) : 0, line + skip);
  }
  char copy[128];
  snprintf(copy, sizeof copy, "%.*s", (int)(n < 127 ? n : 127), line);
  const char *range = strncasecmp(copy, "content-range:", 14) == 0 ? strstr(copy, "bytes ") : NULL;
  if (range) f->range_start = strtoull(range + 6, NULL, 10);
  return n;
}

/* Who announces no length, neither in a signature nor in the answer, gets little room. */
static bool check_length(fetch *f) {
  curl_off_t announced = -1;
  curl_easy_getinfo(f->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
  f->limit = announced < 0 && f->file->size == 0 && f->file->most > UNANNOUNCED ? UNANNOUNCED : f->file->most;
  f->too_large = f->offset > f->limit || (announced > 0 && (uint64_t)announced > f->limit - f->offset);
  return !f->too_large;
}

/* The first bytes of an answer: whether they are the rest of what is there, or the file from its beginning. */
static bool begin(fetch *f) {
  long status = 0;
  curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
  f->begun = true;
  f->marked = seconds();
  f->marked_at = status == 206 ? f->offset : 0;
  if (status == 206) {
    f->wrong_range = f->range_start != f->offset;
    return !f->wrong_range && check_length(f);
  }
  f->offset = f->had = 0;
  if (!check_length(f)) return false;
  if (ftruncate(f->descriptor, 0) != 0 || lseek(f->descriptor, 0, SEEK_SET) != 0) f->write_error = errno;
  const char *validator = f->etag[0] && strncmp(f->etag, "W/", 2) != 0 ? f->etag : f->date; /* weak ones do not promise the same bytes */
  snprintf(f->file->validator, sizeof f->file->validator, "%s", validator);
  if (!f->write_error && f->note) f->note_code = f->note(f->note_arg, f->file);
  return !f->write_error && f->note_code == EXIT_OK;
}

static size_t on_data(char *data, size_t one, size_t n, void *arg) {
  fetch *f = arg;
  (void)one;
  if (!f->begun && !begin(f)) return 0;
  if (n > f->limit - f->offset) {
    f->too_large = true;
    return 0;
  }
  for (size_t at = 0; at < n;) {
    ssize_t w = write(f->descriptor, data + at, n - at);
    if (w < 0 && errno == EINTR) continue;
    if (w < 0) {
      f->write_error = errno;
      return 0;
    }
    at += (size_t)w;
    f->offset += (uint64_t)w;
  }
  return n;
}

/* Whether the server is worth waiting for, by the time that it takes. */
static bool keeps_pace(fetch *f) {
  const double now = seconds();
  if (f->deadline > 0 && now > f->deadline) return give_up(f, "takes more than %u s for a small file", f->file->seconds);
  if (!f->begun && now > f->asked + ANSWER_SECONDS) return give_up(f, "has not begun its answer after %d s", ANSWER_SECONDS);
  if (!f->begun || now < f->marked + SILENCE_SECONDS) return true;
  if (f->offset < f->marked_at + LEAST_PROGRESS) return give_up(f, "sends less than %d bytes a second", LEAST_PER_SECOND);
  f->marked = now;
  f->marked_at = f->offset;
  return true;
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now) {
  fetch *f = arg;
  (void)up_total, (void)up_now;
  uint64_t size = f->file->size ? f->file->size : f->had + (uint64_t)total;
  double took = seconds() - f->bar.started;
  char detail[120];
  snprintf(detail, sizeof detail, "of %s, %.1f MB/s", memory_text(size).text, took > 0 ? 1e-6 * (double)now / took : 0);
  if (size > 0 && total > 0) progress_show(&f->bar, f->offset < size ? (double)f->offset / (double)size : 1, detail);
  return interrupted() || !keeps_pace(f); /* curl asks at least once a second */
}

/* ---- opening ---- */

int fetch_open(fetch **out, const options *o, const char *url) {
  const char *host = strstr(url, "://");
  fetch *f = *out = calloc(1, sizeof *f);
  if (!f || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(f->curl = curl_easy_init()))
    return fail(o->json, EXIT_MEMORY, "out of memory");
  f->o = o;
  size_t n = strlen(url);
  if (!host || n > 2000 || strpbrk(url, "?#@ \\"))
    return fail(o->json, EXIT_USAGE, "%s is not a plain URL of a folder or a .gguf file: https://host/path, without user, ? or #", url);
  if (!(f->url = malloc(n + 2))) return fail(o->json, EXIT_MEMORY, "out of memory");
  snprintf(f->url, n + 2, "%s%s", url, url[n - 1] == '/' ? "" : "/");
  bool tls = strncasecmp(url, "https:", 6) == 0;
  if (tls) {
    int code = read_authorities(f);
    if (code != EXIT_OK) return code;
    struct curl_blob blob = {f->authorities.bytes, f->authorities.size + 1, CURL_BLOB_NOCOPY}; /* mbedTLS counts the NUL of PEM text */
    curl_easy_setopt(f->curl, CURLOPT_CAINFO_BLOB, &blob);
    curl_easy_setopt(f->curl, CURLOPT_SSL_CTX_FUNCTION, set_up_tls);
    curl_easy_setopt(f->curl, CURLOPT_SSL_CTX_DATA, f);
  }
  CURL *c = f->curl;
  char agent[64];
  snprintf(agent, sizeof agent, "retort/%s", retort_version());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http,https");
  curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, tls ? "https" : "http,https");
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)SILENCE_SECONDS);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_SECONDS);
  curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_USERAGENT, agent);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->said);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, f);
  return EXIT_OK;
}

void fetch_close(fetch *f) {
  if (!f) return;
  if (f->curl) curl_easy_cleanup(f->curl);
  curl_global_cleanup();
  free(f->authorities.bytes);
  free(f->url);
  free(f);
}

/* ---- one file ---- */

/* One try. `range`: continue after what is there. */
static CURLcode transfer(fetch *f, bool range) {
  char bytes[64], condition[300];
  struct curl_slist *headers = NULL;
  f->begun = f->too_large = f->wrong_range = false;
  f->write_error = f->note_code = 0;
  f->certificate_fault = NULL;
  f->said[0] = f->slow[0] = 0;
  f->asked = seconds();
  f->answers = 0;
  if (range) {
    snprintf(bytes, sizeof bytes, "%llu-", (unsigned long long)f->offset);
    snprintf(condition, sizeof condition, "If-Range: %s", f->file->validator);
    headers = curl_slist_append(NULL, condition);
  }
  curl_easy_setopt(f->curl, CURLOPT_RANGE, range ? bytes : NULL);
  curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, headers);
  CURLcode result = curl_easy_perform(f->curl);
  curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, NULL);
  curl_slist_free_all(headers);
  return result;
}

static bool worth_another_try(const fetch *f, CURLcode result, long status) {
  if (f->slow[0]) return f->deadline == 0 || seconds() < f->deadline;
  switch (result) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: return true;
    case CURLE_SSL_CONNECT_ERROR: return !f->certificate_fault;
    case CURLE_HTTP_RETURNED_ERROR: return status >= 500;
    default: return false;
  }
}

/* Waits before the next try; false where the user had enough. */
static bool pause_before(int retry) {
  for (int tenths = 5 << retry; tenths > 0 && !interrupted(); tenths--) usleep(100000);
  return !interrupted();
}

static int explain(const fetch *f, CURLcode result, long status) {
  bool json = f->o->json;
  const char *name = f->file->name;
  char *effective = NULL;
  if (interrupted())
    return fail(json, EXIT_INTERRUPTED, "interrupted; the installed model is as it was, and the next update goes on with what has arrived");
  if (f->note_code) return f->note_code;
  if (f->write_error) return fail(json, EXIT_RUNTIME, "cannot write %s: %s", name, strerror(f->write_error));
  if (f->slow[0]) return fail(json, EXIT_RUNTIME, "cannot get %s%s: the server %s", f->url, name, f->slow);
  if (f->too_large)
    return fail(json, EXIT_TRUST, "%s%s has more than the %llu bytes that were %s", f->url, name, (unsigned long long)f->limit,
                f->file->size ? "signed" : "allowed");
  if (f->certificate_fault)
    return fail(json, EXIT_RUNTIME, "the server of %s is not trusted: %s (CA file: %s)", f->url, f->certificate_fault, f->ca_file);
  if (result == CURLE_HTTP_RETURNED_ERROR) {
    curl_easy_getinfo(f->curl, CURLINFO_EFFECTIVE_URL, &effective);
    return fail(json, status == 404 || status == 410 ? EXIT_MODEL : EXIT_RUNTIME, "the server has no %s: it says %ld for %s", name, status,
                effective ? effective : f->url);
  }
  if (result == CURLE_TOO_MANY_REDIRECTS) return fail(json, EXIT_RUNTIME, "%s%s is redirected more than %d times", f->url, name, REDIRECTS);
  if (result == CURLE_UNSUPPORTED_PROTOCOL)
    return fail(json, EXIT_RUNTIME, "%s%s leads to something that is not %s", f->url, name,
                strncasecmp(f->url, "https:", 6) == 0 ? "HTTPS" : "HTTP or HTTPS");
  if (result == CURLE_SSL_CACERT_BADFILE || result == CURLE_SSL_CERTPROBLEM)
    return fail(json, EXIT_USAGE, "%s holds no certificates in PEM form", f->ca_file);
  if (result == CURLE_OPERATION_TIMEDOUT) return fail(json, EXIT_RUNTIME, "nothing came from %s for %d s", f->url, SILENCE_SECONDS);
  return fail(json, EXIT_RUNTIME, "cannot get %s%s: %s", f->url, name, f->said[0] ? f->said : curl_easy_strerror(result));
}

int fetch_get(fetch *f, fetch_file *file, int descriptor, int (*note)(void *, const fetch_file *), void *arg) {
  char *escaped = curl_easy_escape(f->curl, file->name, 0), *url = NULL;
  size_t n = strlen(f->url) + (escaped ? strlen(escaped) : 0) + 1;
  off_t end = lseek(descriptor, 0, SEEK_END);
  if (escaped) url = malloc(n);
  if (url) snprintf(url, n, "%s%s", f->url, escaped);
  curl_free(escaped);
  if (!url) return fail(f->o->json, EXIT_MEMORY, "out of memory");
  curl_easy_setopt(f->curl, CURLOPT_URL, url);
  free(url);
  f->file = file;
  f->descriptor = descriptor;
  f->note = note, f->note_arg = arg;
  f->offset = end > 0 ? (uint64_t)end : 0;
  f->deadline = file->seconds ? seconds() + file->seconds : 0;
  file->found = true;
  snprintf(f->what, sizeof f->what, "fetching %s", file->name);
  progress_begin(&f->bar, f->what, true);
  CURLcode result = CURLE_OK;
  long status = 0;
  for (int tries = 0;;) {
    uint64_t before = f->had = f->offset;
    bool range = f->offset > 0 && file->validator[0];
    if (range && file->size && f->offset == file->size) break; /* it had all arrived */
    if (!range) f->offset = f->had = 0;
    result = transfer(f, range);
    curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
    if (result == CURLE_OK && !f->begun && !begin(f)) result = CURLE_WRITE_ERROR; /* an empty file */
    if (result == CURLE_OK && file->size && f->offset < file->size) result = CURLE_PARTIAL_FILE;
    if (result == CURLE_OK || interrupted()) break;
    tries = f->offset >= before + LEAST_PROGRESS ? 0 : tries + 1;
    if (f->wrong_range || (range && status == 416)) file->validator[0] = 0; /* from the beginning, then */
    else if (!worth_another_try(f, result, status)) break;
    if (tries >= TRIES || !pause_before(tries)) break;
  }
  progress_end(&f->bar);
  if (result == CURLE_OK) return EXIT_OK;
  file->found = false;
  if (file->optional && result == CURLE_HTTP_RETURNED_ERROR && (status == 404 || status == 410)) return EXIT_OK;
  return explain(f, result, status);
}
