/* dict.c - the dicts of value.h, and what walks into them: equality, values made from JSON.
 *
 * Entries stay in the order of their insertion and are never removed; where there are many, an index finds them by hash.
 */
#include <math.h>
#include <string.h>

#include "text.h"

bool rtj_dict(jrun *run, size_t capacity, jvalue *out) {
  jdict *dict = rtj_alloc(run, 1, sizeof *dict);
  if (!dict) return false;
  dict->capacity = capacity;
  if (!(dict->entries = rtj_alloc(run, capacity, sizeof *dict->entries))) return false;
  *out = (jvalue){.type = J_DICT, .as.dict = dict};
  return true;
}

/* ---- looking for a key: one after the other in small dicts, by hash in others ---- */

enum { WITHOUT_INDEX = 8 }; /* entries */

static uint64_t mix(uint64_t hash, uint64_t with) {
  hash = (hash ^ with) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 29;
}

static bool hash_in(jrun *run, jvalue key, jvalue v, uint64_t *hash);

static bool hash_items(jrun *run, jvalue key, const jseq *seq, uint64_t *hash) {
  if (!rtj_enter(run)) return false;
  for (size_t i = 0; i < seq->count; i++)
    if (!hash_in(run, key, seq->items[i], hash)) return false;
  run->depth--;
  return true;
}

/* The hash of `v`, a part of `key`. Equal values (rtj_equal) have equal hashes. What is compared by identity has one for its type:
 * addresses change from run to run. Lists and dicts have none. */
static bool hash_in(jrun *run, jvalue key, jvalue v, uint64_t *hash) {
  if (!rtj_work(run, 1)) return false;
  if (rtj_is_number(v)) {
    const double d = rtj_double_of(v);
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    if (v.type != J_FLOAT || (d >= -0x1p63 && d < 0x1p63 && d == floor(d)))
      bits = (uint64_t)(v.type != J_FLOAT ? rtj_int_of(v) : (int64_t)d);
    *hash = mix(*hash, bits);
    return true;
  }
  *hash = mix(*hash, v.type);
  if (v.type == J_STRING) {
    const jtext *text = v.as.text;
    uint64_t word, h = *hash;
    size_t i = 0;
    for (; i + 8 <= text->size; i += 8) memcpy(&word, text->bytes + i, 8), h = mix(h, word);
    for (; i < text->size; i++) h = mix(h, (unsigned char)text->bytes[i]);
    *hash = mix(h, text->size);
    return rtj_work(run, text->size / 64);
  }
  if (v.type == J_SEQ && (v.as.seq->kind == SEQ_TUPLE || v.as.seq->kind == SEQ_RANGE)) return hash_items(run, key, v.as.seq, hash);
  const bool by_identity = v.type != J_SEQ || v.as.seq->kind == SEQ_GENERATOR || v.as.seq->kind == SEQ_VALUES;
  return (v.type != J_DICT && by_identity) || rtj_fail(run, "a %s cannot be the key of a dict", rtj_type_name(key));
}

static bool hash_of(jrun *run, jvalue key, uint32_t *out) {
  uint64_t hash = 0;
  const bool ok = hash_in(run, key, key, &hash);
  *out = (uint32_t)hash;
  return ok;
}

/* The slot of the entry with this key, or the free one where it belongs. */
static bool find_slot(jrun *run, const jdict *dict, jvalue key, uint32_t hash, jslot **out) {
  for (size_t at = hash;; at++) {
    jslot *slot = &dict->slots[at & (dict->n_slots - 1)];
    bool equal = false;
    if (slot->entry && slot->hash == hash && !rtj_equal(run, key, dict->entries[slot->entry - 1].key, &equal)) return false;
    if (!slot->entry || equal) return *out = slot, true;
    if (!rtj_work(run, 1)) return false;
  }
}

/* Takes the entries that are not in the index yet into it. */
static bool index_entries(jrun *run, jdict *dict) {
  if (dict->n_slots < 2 * dict->count) {
    size_t n = 64;
    while (n < 4 * dict->count) n *= 2;
    if (!(dict->slots = rtj_alloc(run, n, sizeof *dict->slots))) return false;
    dict->n_slots = n;
    dict->indexed = 0;
  }
  for (; dict->indexed < dict->count; dict->indexed++) {
    const jvalue key = dict->entries[dict->indexed].key;
    uint32_t hash;
    jslot *slot;
    if (!hash_of(run, key, &hash) || !find_slot(run, dict, key, hash, &slot)) return false;
    *slot = (jslot){hash, (uint32_t)dict->indexed + 1};
  }
  return true;
}

/* *at: the entry, or dict->count. */
static bool find_entry(jrun *run, jdict *dict, jvalue key, size_t *at) {
  uint32_t hash;
  if (!hash_of(run, key, &hash)) return false;
  if (dict->count > WITHOUT_INDEX) {
    jslot *slot;
    if (!index_entries(run, dict) || !find_slot(run, dict, key, hash, &slot)) return false;
    *at = slot->entry ? slot->entry - 1 : dict->count;
    return true;
  }
  for (*at = 0; *at < dict->count; ++*at) {
    bool equal;
    if (!rtj_equal(run, key, dict->entries[*at].key, &equal)) return false;
    if (equal) break;
  }
  return rtj_work(run, 1);
}

bool rtj_dict_find(jrun *run, jdict *dict, jvalue key, jvalue *out, bool *found) {
  size_t at;
  if (!find_entry(run, dict, key, &at)) return false;
  *found = at < dict->count;
  if (*found) *out = dict->entries[at].value;
  return true;
}

bool rtj_dict_set(jrun *run, jdict *dict, jvalue key, jvalue value) {
  size_t at;
  if (!find_entry(run, dict, key, &at)) return false;
  if (at == dict->count) {
    jentry *entries = rtj_grow(run, dict->entries, dict->count, &dict->capacity, sizeof *entries);
    if (!entries) return false;
    dict->entries = entries;
    dict->entries[dict->count++].key = key;
  }
  dict->entries[at].value = value;
  return true;
}

bool rtj_dict_view(jrun *run, const jdict *dict, jseq_kind kind, jvalue *out) {
  jvalue *items = rtj_alloc(run, dict->count, sizeof *items);
  if (!items || !rtj_work(run, dict->count)) return false;
  for (size_t i = 0; i < dict->count; i++) {
    if (kind == SEQ_KEYS) items[i] = dict->entries[i].key;
    else if (kind == SEQ_VALUES) items[i] = dict->entries[i].value;
    else if (!rtj_seq(run, SEQ_TUPLE, &dict->entries[i].key, 2, &items[i])) return false; /* an entry is a pair of values */
  }
  return rtj_seq(run, kind, items, dict->count, out);
}

_Static_assert(sizeof(jentry) == 2 * sizeof(jvalue), "an entry reads as two values");

/* ---- equality ---- */

static bool equal_dicts(jrun *run, const jdict *a, jdict *b, bool *out) {
  *out = a->count == b->count;
  for (size_t i = 0; *out && i < a->count; i++) {
    jvalue other;
    if (!rtj_dict_find(run, b, a->entries[i].key, &other, out)) return false;
    if (*out && !rtj_equal(run, a->entries[i].value, other, out)) return false;
  }
  return true;
}

bool rtj_equal(jrun *run, jvalue a, jvalue b, bool *out) {
  *out = false;
  if (!rtj_work(run, 1)) return false;
  if (rtj_is_number(a) && rtj_is_number(b)) return *out = rtj_order_numbers(a, b) == 0, true;
  if (a.type != b.type) return true;
  switch ((jtype)a.type) {
    case J_UNDEFINED:
    case J_NONE: *out = true; return true;
    case J_STRING:
      *out = a.as.text->size == b.as.text->size && memcmp(a.as.text->bytes, b.as.text->bytes, a.as.text->size) == 0;
      run->steps += a.as.text->size == b.as.text->size ? a.as.text->size / 16 : 0;
      return true;
    case J_SEQ: {
      const jseq *x = a.as.seq, *y = b.as.seq;
      *out = x == y;
      if (*out || x->kind != y->kind || x->count != y->count || x->kind == SEQ_GENERATOR || x->kind == SEQ_VALUES) return true;
      if (!rtj_enter(run)) return false;
      *out = true;
      for (size_t i = 0; *out && i < x->count; i++)
        if (!rtj_equal(run, x->items[i], y->items[i], out)) return false;
      run->depth--;
      return true;
    }
    case J_DICT:
      if (!rtj_enter(run) || !equal_dicts(run, a.as.dict, b.as.dict, out)) return false;
      run->depth--;
      return true;
    case J_NAMESPACE: *out = a.as.dict == b.as.dict; return true;
    case J_FUNCTION: *out = a.as.function == b.as.function; return true;
    case J_MACRO: *out = a.as.macro == b.as.macro; return true;
    default: *out = a.as.loop == b.as.loop; return true;
  }
}

/* ---- values from JSON ---- */

bool rtj_from_json(jrun *run, const rt_json *json, bool input, jvalue *out) {
  if (!rtj_work(run, 1)) return false;
  switch (json->type) {
    case RT_JSON_NULL: *out = rtj_none(); return true;
    case RT_JSON_FALSE: *out = rtj_bool(false); break;
    case RT_JSON_TRUE: *out = rtj_bool(true); break;
    case RT_JSON_INTEGER: *out = rtj_int(json->as.integer); break;
    case RT_JSON_REAL: *out = rtj_float(json->as.real); break;
    case RT_JSON_STRING: return rtj_given_text(run, json->as.string, json->count, input, out);
    case RT_JSON_ARRAY: {
      jvalue *items = rtj_alloc(run, json->count, sizeof *items);
      if (!items) return false;
      for (size_t i = 0; i < json->count; i++)
        if (!rtj_from_json(run, &json->as.items[i], input, &items[i])) return false;
      return rtj_seq(run, SEQ_LIST, items, json->count, out);
    }
    case RT_JSON_OBJECT: {
      if (!rtj_dict(run, json->count, out)) return false;
      jdict *dict = out->as.dict;
      for (size_t i = 0; i < json->count; i++, dict->count++) { /* the parser has made sure that keys are unique */
        const rt_json_member *member = &json->as.members[i];
        if (!rtj_given_text(run, member->key, member->key_size, input, &dict->entries[i].key)) return false;
        if (!rtj_from_json(run, &member->value, input, &dict->entries[i].value)) return false;
      }
      return true;
    }
  }
  out->input = input;
  return true;
}
