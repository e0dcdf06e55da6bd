/* directory.c - see directory.h. Four functions of WASI preview 1 are all that it imports. */
#include "directory.h"

#include <jansson.h>
#include <retort.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIRECTORY = 3, FOLLOW_LINKS = 1, MOST_FILES = 64, ERRNO_NOENT = 44 };
#define MAY_READ ((uint64_t)1 << 1 | 1 << 2 | 1 << 21) /* fd_read, fd_seek, fd_filestat_get */

typedef struct part {
  void *to;
  uint32_t size;
} part;

typedef struct filestat {
  uint64_t device, inode, type, links, size, times[3];
} filestat;

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) uint32_t wasi_##name
WASI(path_open)(uint32_t directory, uint32_t lookup, const char *path, uint32_t size, uint32_t flags, uint64_t rights, uint64_t inherited,
                uint32_t fd_flags, uint32_t *fd);
WASI(fd_filestat_get)(uint32_t fd, filestat *out);
WASI(fd_pread)(uint32_t fd, const part *parts, uint32_t n_parts, uint64_t offset, uint32_t *n_read);
WASI(fd_close)(uint32_t fd);

static uint32_t opened[MOST_FILES]; /* of the model that is being loaded */
static size_t n_opened;

static void close_all(void) {
  while (n_opened > 0) wasi_fd_close(opened[--n_opened]);
}

/* 0: it is open; 1: there is none; below 0: the error is kept. */
static int32_t open_file(const char *name, uint32_t *fd, uint64_t *size) {
  filestat info;
  uint32_t error = wasi_path_open(DIRECTORY, FOLLOW_LINKS, name, (uint32_t)strlen(name), 0, MAY_READ, 0, 0, fd);
  if (error == ERRNO_NOENT) return 1;
  if (error)
    return abi_failed(RETORT_ERROR_IO, "%s cannot be opened in the first directory that the host gave: WASI error %u", name,
                      (unsigned)error);
  if ((error = wasi_fd_filestat_get(*fd, &info)) == 0) {
    *size = info.size;
    return RETORT_OK;
  }
  wasi_fd_close(*fd);
  return abi_failed(RETORT_ERROR_IO, "%s cannot be looked at: WASI error %u", name, (unsigned)error);
}

static int32_t read_some(uint32_t fd, uint64_t offset, void *to, uint32_t size) {
  part whole = {to, size};
  uint32_t n = 0, error = wasi_fd_pread(fd, &whole, 1, offset, &n);
  return error ? abi_failed(RETORT_ERROR_IO, "a file of the model could not be read at %llu: WASI error %u", (unsigned long long)offset,
                            (unsigned)error)
               : (int32_t)n;
}

static int32_t read_at(uint32_t file, uint64_t offset, void *to, uint32_t size) { return read_some(opened[file], offset, to, size); }

/* A small file as a whole: 0 with *data (malloc'ed, NUL after it), 1 if there is none, or an error. */
static int32_t read_small(const char *stem, const char *suffix, char **data, size_t *size) {
  char name[1024];
  uint32_t fd;
  uint64_t length;
  if ((size_t)snprintf(name, sizeof name, "%s%s", stem, suffix) >= sizeof name)
    return abi_failed(RETORT_ERROR_ARGUMENT, "%.60s... is too long a name", stem);
  int32_t status = open_file(name, &fd, &length);
  if (status) return status;
  *data = length < 64 << 20 ? malloc((size_t)length + 1) : NULL;
  if (!*data) status = abi_failed(RETORT_ERROR_MEMORY, "no memory for the %llu bytes of %s", (unsigned long long)length, name);
  for (*size = 0; !status && *size < length;) {
    int32_t n = read_some(fd, *size, *data + *size, (uint32_t)(length - *size));
    if (n <= 0) status = n < 0 ? n : abi_failed(RETORT_ERROR_IO, "%s became shorter while it was read", name);
    else *size += (size_t)n;
  }
  wasi_fd_close(fd);
  if (status) free(*data);
  else (*data)[*size] = 0;
  return status;
}

static int32_t add_signature(json_t *signatures, const char *stem, const char *suffix) {
  char *text;
  size_t size;
  int32_t status = read_small(stem, suffix, &text, &size);
  if (status) return status;
  json_t *made = json_stringn(text, size);
  free(text);
  return made && json_array_append_new(signatures, made) == 0 ? RETORT_OK : abi_failed(RETORT_ERROR_TRUST, "%s%s is no text", stem, suffix);
}

/* What vouches for the files by the policy's method; that there is none the verifier says better. */
static int32_t find_signatures(json_t *names, json_t *trust, json_t *signatures) {
  const char *method = json_string_value(json_object_get(trust, "method"));
  int32_t status = RETORT_OK;
  json_t *name;
  size_t i;
  if (!method || strcmp(method, "unsigned") == 0 || strcmp(method, "pinned") == 0) return RETORT_OK;
  if (strcmp(method, "minisign") == 0 || strcmp(method, "signify") == 0) {
    json_array_foreach(names, i, name) if ((status = add_signature(signatures, json_string_value(name),
                                                                   method[0] == 'm' ? ".minisig" : ".sig")) < 0) return status;
    return RETORT_OK;
  }
  status = add_signature(signatures, json_string_value(json_array_get(names, 0)), ".sig");
  if (status == 1) status = add_signature(signatures, "model.sig", "");
  return status < 0 ? status : RETORT_OK;
}

static int32_t describe(json_t *names, json_t *files) {
  json_t *name;
  size_t i;
  uint64_t size;
  if (!json_is_array(names) || json_array_size(names) == 0 || json_array_size(names) > MOST_FILES)
    return abi_failed(RETORT_ERROR_JSON, "\"files\" is no array of 1 to %d names", MOST_FILES);
  json_array_foreach(names, i, name) {
    const char *path = json_string_value(name), *slash = path ? strrchr(path, '/') : NULL;
    if (!path) return abi_failed(RETORT_ERROR_JSON, "\"files\" is no array of names");
    int32_t status = open_file(path, &opened[n_opened], &size);
    if (status) return status < 0 ? status : abi_failed(RETORT_ERROR_IO, "there is no %s in the first directory that the host gave", path);
    n_opened++;
    json_array_append_new(files, json_pack("{s:s,s:I}", "name", slash ? slash + 1 : path, "size", (json_int_t)size));
  }
  return RETORT_OK;
}

static int32_t add_chunks(int32_t loader, json_t *names) {
  json_t *name;
  size_t i, size;
  char *list;
  json_array_foreach(names, i, name) {
    int32_t status = read_small(json_string_value(name), ".chunks", &list, &size);
    if (status == 1) continue;
    if (!status) {
      status = abi_load_chunks(loader, (uint32_t)i, list, size);
      free(list);
    }
    if (status) return status;
  }
  return RETORT_OK;
}

int32_t abi_load_directory(const char *json, size_t size) {
  json_t *request = abi_parse(json, size, "the request to load");
  if (!request) return RETORT_ERROR_JSON;
  json_t *names = json_incref(json_object_get(request, "files")), *files = json_array(), *signatures = json_array();
  int32_t status = describe(names, files);
  if (!status) status = find_signatures(names, json_object_get(request, "trust"), signatures);
  json_object_set_new(request, "files", files);
  json_object_set_new(request, "signatures", signatures);
  char *text = status ? NULL : json_dumps(request, JSON_COMPACT);
  if (!status) status = text ? abi_load_begin(text, strlen(text)) : abi_failed(RETORT_ERROR_MEMORY, "the sandbox has no more memory");
  if (status > 0) {
    int32_t loader = status;
    if ((status = add_chunks(loader, names)) == RETORT_OK) status = abi_load_with(loader, read_at);
    else abi_close(loader);
  }
  free(text);
  json_decref(names);
  json_decref(request);
  close_all();
  return status;
}
