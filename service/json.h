/* json.h - members taken out of a JSON object, with errors that name the member, its value and what it may be; and put into one.
 *
 * A member that is not there, or null, leaves what was there before. */
#ifndef SERVICE_JSON_H
#define SERVICE_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "retort.h"

retort_status service_fail(retort_error *error, retort_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
retort_status service_no_memory(retort_error *error);
/* `"key" is VALUE; it must be WANTED`. */
retort_status service_wrong(retort_error *error, const char *key, const json_t *value, const char *wanted);

/* An object into *out; NULL where this fails. `size` 0 is {}. `what` says in messages what the text is. */
retort_status service_json_parse(const char *text, size_t size, const char *what, json_t **out, retort_error *error);
/* Refuses members that nobody would read: a misspelt name must not be dropped in silence. `known` ends with NULL. */
retort_status service_json_only(json_t *object, const char *const *known, const char *what, retort_error *error);
/* Member `key`; NULL where it is not there or null. */
json_t *service_json_get(json_t *object, const char *key);

/* The texts are the tree's. They hold no NUL: the library refuses \u0000. */
retort_status service_json_text(json_t *object, const char *key, const char **out, retort_error *error);
retort_status service_json_integer(json_t *object, const char *key, int64_t least, int64_t most, int64_t *out, retort_error *error);
/* Sets or clears `bit` of `flags`. */
retort_status service_json_flag(json_t *object, const char *key, uint32_t bit, uint32_t *flags, retort_error *error);
/* An array of texts, or, alone, one: (*n) pointers into the tree, malloc'ed. */
retort_status service_json_texts(json_t *object, const char *key, const char ***out, size_t *n, retort_error *error);

/* Members put into an object. json_pack would do it too, at the price of a fifth printf in every module that a page downloads. */
void service_put(json_t *object, const char *key, json_t *value); /* takes the value over */
void service_put_text(json_t *object, const char *key, const char *text);
void service_put_integer(json_t *object, const char *key, int64_t n);
/* The object, if all `count` members are in it; else NULL: there was no memory. */
json_t *service_whole(json_t *object, size_t count);

#endif
