/* output.c - see output.h. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "paths.h"
#include "machine/sandbox.h"
#include "terminal/report.h"

static int cannot_write(const output *out) {
  const char *reason = strerror(errno), *hint = sandbox_hint(out->path, SANDBOX_WRITE);
  return fail(out->json, EXIT_RUNTIME, "cannot write %s: %s%s", out->path, reason, hint);
}

/* Follows links, so that a rename replaces the file and not the link; the file itself need not be there, but a link must lead somewhere. */
static bool find_real(output *out) {
  struct stat link;
  char *real = realpath(out->path, NULL);
  if (!real && (errno != ENOENT || lstat(out->path, &link) == 0)) return false;
  const int n = snprintf(out->real, sizeof out->real, "%s", real ? real : out->path);
  free(real);
  if (n < 0 || (size_t)n >= sizeof out->real) errno = ENAMETOOLONG;
  return n >= 0 && (size_t)n < sizeof out->real;
}

static char unfinished[sizeof((output *)0)->temporary]; /* what output_abandon removes */

void output_abandon(void) {
  if (*unfinished) unlink(unfinished);
}

/* A name in the same folder, short, for `real` may be as long as names can be, and one that nobody can foresee, so that in a folder that
 * others may write too nobody has put a file of his own, or a link, in its place. */
static bool name_temporary(output *out) {
  unsigned long long chance;
  const char *slash = strrchr(out->real, '/');
  const int folder = slash ? (int)(slash - out->real) + 1 : 0;
  if (!random_bytes(&chance, sizeof chance)) return false;
  snprintf(out->temporary, sizeof out->temporary, "%.*s.retort-%016llx.part", folder, out->real, chance);
  return true;
}

int output_open(output *out, const char *path, bool secret, bool json) {
  struct stat there;
  *out = (output){.path = path, .json = json};
  const bool found = find_real(out);
  if (!found && errno == ENOENT)
    return fail(json, EXIT_RUNTIME, "cannot write %s: it is a link that leads to nothing; remove it, or make what it leads to", path);
  if (!found) return cannot_write(out);
  const bool exists = stat(out->real, &there) == 0;
  if (secret && exists) return fail(json, EXIT_USAGE, "%s exists already; a secret key is never written over", path);
  int descriptor;
  if (exists && !S_ISREG(there.st_mode)) {
    descriptor = open(out->real, O_WRONLY | O_CLOEXEC);
  } else {
    if (!name_temporary(out)) return fail(json, EXIT_RUNTIME, "the system gives no random bytes");
    descriptor = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, secret ? 0600 : 0666);
    if (descriptor >= 0 && exists && fchmod(descriptor, there.st_mode & 0777) != 0) { /* where it is forbidden, nothing is lost */
    }
  }
  if (descriptor < 0) return out->temporary[0] = 0, cannot_write(out);
  memcpy(unfinished, out->temporary, sizeof unfinished);
  out->file = fdopen(descriptor, "wb");
  if (out->file) return EXIT_OK;
  close(descriptor);
  return output_close(out, cannot_write(out));
}

/* A piece at a time, for fsync does not return before all is written, however long that takes. */
bool sync_file(int descriptor) {
#ifdef SYNC_FILE_RANGE_WRITE
  enum { PIECE = 4 << 20, ALL = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER };
  struct stat info;
  off_t size = fstat(descriptor, &info) == 0 ? info.st_size : 0;
  for (off_t at = 0; at < size && !interrupted(); at += PIECE)
    if (sync_file_range(descriptor, at, PIECE, ALL) != 0) break; /* fsync says why */
  if (interrupted()) return errno = EINTR, false;
#endif
  return fsync(descriptor) == 0;
}

/* The rename itself must survive a power loss too. */
static bool sync_folder_of(const char *path) {
  char folder[4096];
  snprintf(folder, sizeof folder, "%s", path);
  char *slash = strrchr(folder, '/');
  if (slash) slash[slash == folder] = 0;
  int descriptor = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool ok = descriptor >= 0 && (fsync(descriptor) == 0 || errno == EINVAL); /* some file systems cannot */
  if (descriptor >= 0) close(descriptor);
  return ok;
}

int output_close(output *out, int code) {
  if (out->file && code == EXIT_OK && (fflush(out->file) != 0 || (*out->temporary && !sync_file(fileno(out->file)))))
    code = errno == EINTR && interrupted() ? fail(out->json, EXIT_INTERRUPTED, "interrupted") : cannot_write(out);
  if (out->file && fclose(out->file) != 0 && code == EXIT_OK) code = cannot_write(out);
  if (*out->temporary && code == EXIT_OK && (rename(out->temporary, out->real) != 0 || !sync_folder_of(out->real)))
    code = cannot_write(out);
  if (*out->temporary && code != EXIT_OK) unlink(out->temporary);
  *unfinished = 0;
  *out = (output){0};
  return code;
}

int write_file(const char *path, const void *data, size_t size, bool secret, bool json) {
  output out;
  int code = output_open(&out, path, secret, json);
  if (code == EXIT_OK && fwrite(data, 1, size, out.file) != size) code = cannot_write(&out);
  return output_close(&out, code);
}
