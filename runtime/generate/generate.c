/* generate.c - an answer to a prompt, one unit of work at a time: prompt, sampling, thinking budget, stop strings, proof, events.
 *
 * It stands on retort_session_eval and _truncate alone, so whatever holds for these (the same bits for every batch split) holds here: an
 * answer does not depend on how its steps were cut, nor on what was found in the cache.
 *
 * The life of a position: its logits are hashed for the proof, a token is chosen (or forced by the budget), its text goes through the
 * splitter and the stop strings, and only the next step computes the token to get the next logits. The last token of an answer is thus
 * never computed in vain; the next prompt, which repeats it, will.
 *
 * With the token some drafts for those after it may be computed (draft.c), each with its logits. They stand behind the session's end until
 * the token that is chosen is the one that was drafted; then the session moves on over it and its logits are there already. Seen from
 * outside a session is at every moment the same with drafts and without.
 *
 * Rules that users meet:
 *  - The proof covers every position where a token was generated, also that of the token which ended the turn. That token is no part of the
 *    answer: it has no event and is not counted in completion_tokens.
 *  - Stop strings are looked for in the answer, not in the reasoning. What matched and what follows is not shown.
 *  - The thinking budget counts tokens between the tags. When it is used up, the model's own token for the end of thinking is put in place
 * of a choice, once the last character is whole; where the vocabulary has no such token, the tag's text is put in, token by token.
 *  - A token yields one event. Text of the answer that became due together with the end of the reasoning comes with the next event.
 */
#include <math.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/sha256.h"
#include "../base/structs.h"
#include "../base/utf8.h"
#include "reasoning.h"
#include "../text/vocab.h"
#include "draft.h"
#include "sampler.h"
#include "session.h"

enum {
  MAX_FORCED = 16,   /* tokens that the text of a closing tag can become */
  MAX_UTF8_WAIT = 3, /* tokens over the budget that an unfinished character may take */
  FIRST_PIECE = 256  /* bytes; grows with the longest token */
};

enum phase { IDLE, PROMPT, DECODE, ENDED };

struct rt_generation {
  rt_arena arena; /* this struct, logits, the sampler's tables: for the life of the session */
  enum phase phase;
  retort_generate_options options;
  retort_vocab_info vocab;
  bool think_tokens; /* the vocabulary has both tags as single tokens */

  rt_arena request; /* prompt and stop strings: for one answer */
  int32_t *prompt;  /* (n_prompt) */
  uint32_t n_prompt;
  rt_string *stop; /* (n_stop) */
  uint32_t n_past; /* what the session must have in its cache when the next step comes */

  float *logits; /* (1 + RT_MOST_DRAFTS, n_vocab) of the token computed last and of the drafts after it */
  uint32_t row;  /* of the next position's logits, when `fresh` */
  bool fresh;
  int32_t pending; /* chosen but not computed yet; -1: none */
  int32_t forced[MAX_FORCED];
  uint32_t n_forced, forced_done;
  bool stopped; /* a stop string was found */

  rt_sampler sampler;
  rt_drafter drafter;
  rt_reasoning splitter;
  rt_sha256 proof;
  rt_bytes piece, reasoning, answer; /* text of one token; text not given out yet */
  rt_bytes text;                     /* what the last event points to */
  retort_usage usage;
};

void retort_generate_options_init(retort_generate_options *options, size_t struct_size) {
  const retort_generate_options defaults = {
      .temperature = 0.6f, .top_p = 0.95f, .repetition_penalty = 1, .repetition_window = 64, .thinking_budget = -1, .draft = -1};
  rt_struct_init(options, struct_size, &defaults, sizeof defaults);
}

void rt_generation_close(retort_session *session) {
  struct rt_generation *g = session->generation;
  if (!g) return;
  rt_reasoning_close(&g->splitter);
  rt_bytes_close(session->platform, &g->piece);
  rt_bytes_close(session->platform, &g->reasoning);
  rt_bytes_close(session->platform, &g->answer);
  rt_bytes_close(session->platform, &g->text);
  rt_arena_close(&g->request);
  rt_arena arena = g->arena; /* it holds g itself */
  rt_arena_close(&arena);
  session->generation = NULL;
}

uint64_t rt_generation_bytes(const retort_session *session) {
  const struct rt_generation *g = session->generation;
  if (!g) return 0;
  return (uint64_t)g->arena.used + g->request.used + g->piece.capacity + g->reasoning.capacity + g->answer.capacity + g->text.capacity;
}

static retort_status fail_text(retort_error *error) { return rt_fail_memory(error, 0, "the text of the answer"); }

/* ---- beginning ---- */

static retort_status check_options(const retort_generate_options *o, retort_error *error) {
  if (!(o->temperature >= 0 && isfinite(o->temperature)))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "temperature is %g, 0 (greedy) or a positive number is needed", (double)o->temperature);
  if (!(o->top_p > 0 && o->top_p <= 1))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "top_p is %g, it must be above 0 and at most 1", (double)o->top_p);
  if (!(o->min_p >= 0 && o->min_p <= 1))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "min_p is %g, it must be in 0 to 1", (double)o->min_p);
  if (!(o->repetition_penalty > 0 && isfinite(o->repetition_penalty)))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "repetition_penalty is %g, a positive number is needed (1: off)",
                   (double)o->repetition_penalty);
  if (o->thinking_budget < -1)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "thinking_budget is %d, it must be -1 (no limit) or more", o->thinking_budget);
  if (o->draft < -1 || o->draft > RT_MOST_DRAFTS)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "draft is %d, it must be -1 (as many as pay), 0 (none) or at most %d", o->draft,
                   RT_MOST_DRAFTS);
  if (o->n_stop && !o->stop) return rt_fail(error, RETORT_ERROR_ARGUMENT, "n_stop is %zu but stop is NULL", o->n_stop);
  for (size_t i = 0; i < o->n_stop; i++)
    if (!o->stop[i] || !*o->stop[i] || !rt_utf8_valid((const uint8_t *)o->stop[i], strlen(o->stop[i])))
      return rt_fail(error, RETORT_ERROR_ARGUMENT, "stop string %zu is empty or not UTF-8", i);
  return RETORT_OK;
}

static retort_status check_prompt(const retort_session *s, const int32_t *prompt, size_t count, retort_error *error) {
  if (!s->vocab) return rt_fail(error, RETORT_ERROR_ARGUMENT, "the session was opened without a vocabulary, which generation needs");
  if (!prompt || count == 0) return rt_fail(error, RETORT_ERROR_ARGUMENT, "the prompt is empty; at least one token is needed");
  if (count > s->n_ctx)
    return rt_fail(error, RETORT_ERROR_CONTEXT,
                   "the prompt has %zu tokens and the context %u positions; shorten it or open the session with a larger n_ctx", count,
                   s->n_ctx);
  for (size_t i = 0; i < count; i++)
    if (prompt[i] < 0 || (uint32_t)prompt[i] >= s->model->hparams.n_vocab)
      return rt_fail(error, RETORT_ERROR_ARGUMENT, "token %zu of the prompt is %d, outside the model's vocabulary of %u", i, prompt[i],
                     s->model->hparams.n_vocab);
  return RETORT_OK;
}

retort_status rt_generation_open(retort_session *s, retort_error *error) {
  rt_arena arena = {.platform = s->platform};
  struct rt_generation *g = rt_arena_alloc(&arena, 1, sizeof *g);
  if (!g) return rt_fail_memory(error, sizeof *g, "generation");
  g->arena = arena;
  s->generation = g;
  uint32_t n_vocab = s->model->hparams.n_vocab;
  g->splitter.platform = g->request.platform = s->platform;
  g->vocab.struct_size = sizeof g->vocab;
  retort_status status = retort_vocab_get_info(s->vocab, &g->vocab, error);
  if (!status) status = rt_sampler_open(&g->sampler, &g->arena, n_vocab, error);
  if (!status && !(g->logits = rt_arena_alloc(&g->arena, n_vocab, (1 + RT_MOST_DRAFTS) * sizeof *g->logits)))
    status = rt_fail_memory(error, n_vocab * 4ull * (1 + RT_MOST_DRAFTS), "logits");
  if (status) {
    rt_generation_close(s);
    return status;
  }
  rt_drafter_open(&g->drafter, rt_draft_cost_of(s->model));
  g->think_tokens = g->vocab.think_begin >= 0 && g->vocab.think_end >= 0;
  for (uint32_t i = 0; i < n_vocab; i++)
    if (rt_vocab_is_unused(s->vocab, (int32_t)i)) g->sampler.marks[i] |= RT_MARK_BARRED;
  return RETORT_OK;
}

static retort_status copy_request(struct rt_generation *g, const int32_t *prompt, size_t count, const retort_generate_options *o,
                                  retort_error *error) {
  g->options = *o;
  g->options.stop = NULL; /* the caller's; g->stop has the copies */
  g->n_prompt = (uint32_t)count;
  g->prompt = rt_arena_alloc(&g->request, count, sizeof *prompt);
  g->stop = rt_arena_alloc(&g->request, o->n_stop, sizeof *g->stop);
  if (!g->prompt || !g->stop) return rt_fail_memory(error, count * (uint64_t)sizeof *prompt, "the prompt");
  memcpy(g->prompt, prompt, count * sizeof *prompt);
  for (size_t i = 0; i < o->n_stop; i++) {
    g->stop[i] = (rt_string){rt_arena_string(&g->request, o->stop[i], strlen(o->stop[i])), strlen(o->stop[i])};
    if (!g->stop[i].bytes) return rt_fail_memory(error, g->stop[i].size, "a stop string");
  }
  return RETORT_OK;
}

/* Appends the text of a token to `to`; control tokens are shown only with RETORT_TOKENIZE_SPECIAL. */
static retort_status append_piece(const retort_session *s, int32_t id, uint32_t flags, rt_bytes *to, retort_error *error) {
  size_t before = to->size, room, size = FIRST_PIECE;
  retort_status status;
  do {
    room = size;
    if (!rt_bytes_grow(s->platform, to, room)) return fail_text(error);
    to->size = before;
    status = retort_detokenize(s->vocab, &id, 1, flags, (char *)to->data + before, room, &size, NULL);
  } while (status == RETORT_ERROR_BUFFER && size > room);
  if (status) return rt_fail(error, status, "token %d has no text in this vocabulary: model and vocabulary do not belong together", id);
  to->size = before + size;
  return RETORT_OK;
}

static bool is_tag(const struct rt_generation *g, int32_t id) {
  return g->think_tokens && (id == g->vocab.think_begin || id == g->vocab.think_end);
}

/* The text since the last control token is the turn that the answer goes on with; tags in it say in which section the answer begins. What a
 * user wrote stands before such a token and cannot open anything. */
static retort_status begin_sections(retort_session *s, struct rt_generation *g, retort_error *error) {
  uint32_t at = g->n_prompt;
  rt_bytes *tail = &g->text;
  retort_status status = RETORT_OK;
  tail->size = 0;
  for (; at > 0 && !status; at--) {
    if (is_tag(g, g->prompt[at - 1])) continue;
    size_t before = tail->size;
    if ((status = append_piece(s, g->prompt[at - 1], 0, tail, error))) return status;
    if (tail->size > before) continue;
    if ((status = append_piece(s, g->prompt[at - 1], RETORT_TOKENIZE_SPECIAL, tail, error))) return status;
    if (tail->size > before) break; /* a control token */
  }
  tail->size = 0;
  for (; at < g->n_prompt && !status; at++)
    status = append_piece(s, g->prompt[at], is_tag(g, g->prompt[at]) ? RETORT_TOKENIZE_SPECIAL : 0, tail, error);
  if (!status) rt_reasoning_begin(&g->splitter, s->platform, !g->think_tokens, (const char *)tail->data, tail->size);
  tail->size = 0;
  return status;
}

retort_status retort_generate_begin(retort_session *session, const int32_t *prompt, size_t count, const retort_generate_options *options,
                                    retort_error *error) {
  if (!session) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_generate_begin: session must not be NULL");
  retort_generate_options o;
  retort_generate_options_init(&o, sizeof o);
  retort_status status = rt_struct_read(&o, sizeof o, options, "retort_generate_options", error);
  options = &o;
  if (!status) status = check_options(options, error);
  if (!status) status = check_prompt(session, prompt, count, error);
  if (status) return status;

  struct rt_generation *g = session->generation;
  g->phase = IDLE;
  atomic_store(&session->interrupted, false); /* it was meant for another answer */
  rt_arena_close(&g->request);
  g->reasoning.size = g->answer.size = 0;
  g->fresh = g->stopped = false;
  g->row = 0;
  rt_drafter_learn(&g->drafter, -1);
  g->pending = -1;
  g->n_forced = g->forced_done = 0;
  g->sampler.temperature = options->temperature;
  g->sampler.top_p = options->top_p;
  g->sampler.min_p = options->min_p;
  g->sampler.top_k = options->top_k;
  g->sampler.repetition_penalty = options->repetition_penalty;
  rt_random_seed(&g->sampler.random, options->seed);
  rt_sha256_init_on(&g->proof, session->platform);
  status = copy_request(g, prompt, count, options, error);
  if (!status) status = begin_sections(session, g, error);

  /* The last token is computed in any case: its logits are needed. */
  uint32_t common = 0;
  while (common < session->n_past && common + 1 < count && session->tokens[common] == prompt[common]) common++;
  if (!status) status = retort_session_truncate(session, common, error);
  if (status) return status;
  g->n_past = common;
  g->usage = (retort_usage){.struct_size = sizeof g->usage, .prompt_tokens = (uint32_t)count, .cached_tokens = common};
  g->phase = PROMPT;
  return RETORT_OK;
}

/* ---- text ---- */

/* Where the first stop string begins in the answer, or its size. */
static size_t find_stop(const struct rt_generation *g) {
  const rt_bytes *a = &g->answer;
  for (size_t at = 0; at < a->size; at++)
    for (size_t i = 0; i < g->options.n_stop; i++)
      if (g->stop[i].size <= a->size - at && !memcmp(a->data + at, g->stop[i].bytes, g->stop[i].size)) return at;
  return a->size;
}

/* Where in the answer a stop string may have begun that is not complete yet, or its size. */
static size_t find_partial_stop(const struct rt_generation *g) {
  const rt_bytes *a = &g->answer;
  size_t first = a->size;
  for (size_t i = 0; i < g->options.n_stop; i++)
    for (size_t at = a->size < g->stop[i].size ? 0 : a->size - g->stop[i].size + 1; at < first; at++)
      if (!memcmp(a->data + at, g->stop[i].bytes, a->size - at)) first = at;
  return first;
}

/* Moves what is due of the text to the event. Reasoning goes first; the answer waits while it may be the beginning of a stop string. */
static retort_status give_text(const retort_session *s, struct rt_generation *g, bool end, retort_event *event, retort_error *error) {
  if (!g->stopped) {
    size_t stop = find_stop(g);
    if (stop < g->answer.size) {
      g->stopped = true;
      g->answer.size = stop;
    }
  }
  rt_bytes *from = g->reasoning.size ? &g->reasoning : &g->answer;
  size_t n = from == &g->reasoning || g->stopped || end ? from->size : find_partial_stop(g);
  g->text.size = 0;
  if (!rt_bytes_append(s->platform, &g->text, from->data, n) || !rt_bytes_append(s->platform, &g->text, "", 1)) return fail_text(error);
  rt_bytes_drop(from, n);
  event->text = (const char *)g->text.data;
  event->text_size = n;
  event->section = (n ? from == &g->reasoning : g->splitter.reasoning) ? RETORT_SECTION_REASONING : RETORT_SECTION_ANSWER;
  return RETORT_OK;
}

static retort_status take_token(const retort_session *s, struct rt_generation *g, int32_t id, retort_error *error) {
  bool fine;
  if (is_tag(g, id)) {
    fine = rt_reasoning_tag(&g->splitter, id == g->vocab.think_begin, &g->reasoning, &g->answer);
  } else {
    if (g->splitter.reasoning) g->usage.reasoning_tokens++;
    g->piece.size = 0;
    retort_status status = append_piece(s, id, 0, &g->piece, error);
    if (status) return status;
    fine = rt_reasoning_feed(&g->splitter, g->piece.data, g->piece.size, &g->reasoning, &g->answer);
  }
  return fine ? RETORT_OK : fail_text(error);
}

/* ---- steps ---- */

static retort_status end(const retort_session *s, struct rt_generation *g, retort_finish finish, retort_event *event, retort_error *error) {
  g->phase = ENDED;
  event->kind = RETORT_EVENT_END;
  event->finish = finish;
  if (!g->stopped && !rt_reasoning_finish(&g->splitter, &g->reasoning, &g->answer)) return fail_text(error);
  return give_text(s, g, true, event, error);
}

static retort_status step_prompt(retort_session *s, struct rt_generation *g, uint32_t work_tokens, retort_event *event,
                                 retort_error *error) {
  uint32_t left = g->n_prompt - g->n_past, n = work_tokens ? work_tokens : s->work.n_batch;
  if (n > left) n = left;
  g->fresh = n == left;
  retort_status status =
      retort_session_eval(s, g->prompt + g->n_past, n, g->fresh ? RETORT_LOGITS_LAST : RETORT_LOGITS_NONE, g->logits, error);
  if (status) return status;
  g->n_past += n;
  if (g->fresh) g->phase = DECODE;
  event->kind = RETORT_EVENT_PROMPT;
  return RETORT_OK;
}

/* Fills `forced` when the budget for reasoning is used up. */
static retort_status apply_budget(const retort_session *s, struct rt_generation *g, retort_error *error) {
  int64_t over = (int64_t)g->usage.reasoning_tokens - g->options.thinking_budget;
  if (g->options.thinking_budget < 0 || !g->splitter.reasoning || g->forced_done < g->n_forced || over < 0) return RETORT_OK;
  if (g->splitter.raw.size && over < MAX_UTF8_WAIT) return RETORT_OK;
  g->forced_done = 0;
  g->n_forced = 1;
  g->forced[0] = g->vocab.think_end;
  if (g->think_tokens) return RETORT_OK;
  size_t n;
  retort_status status = retort_tokenize(s->vocab, "</think>", 8, 0, g->forced, MAX_FORCED, &n, error);
  g->n_forced = status ? 0 : (uint32_t)n;
  return status;
}

static retort_status choose(const retort_session *s, struct rt_generation *g, int32_t *id, bool *forced, retort_error *error) {
  float *logits = g->logits + (size_t)g->row * g->sampler.n;
  if (g->options.proof) rt_sha256_update(&g->proof, logits, (size_t)g->sampler.n * sizeof *logits); /* hosts are little-endian */
  retort_status status = apply_budget(s, g, error);
  if (status) return status;
  *forced = g->forced_done < g->n_forced;
  if (*forced) {
    rt_drafter_learn(&g->drafter, -1);
    *id = g->forced[g->forced_done++];
    return RETORT_OK;
  }
  uint32_t window = g->options.repetition_window < s->n_past ? g->options.repetition_window : s->n_past;
  status = rt_sampler_pick(&g->sampler, logits, s->tokens + s->n_past - window, window, id, error);
  rt_drafter_learn(&g->drafter, status ? -1 : *id);
  return status;
}

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* Drafts to compute with the pending token: none that max_tokens, the context or the end of the turn would make useless. */
static uint32_t draft(const retort_session *s, struct rt_generation *g, uint32_t work_tokens, int32_t *drafts) {
  uint32_t most = least(s->work.n_batch - 1, s->n_ctx - s->n_past - 1), count;
  if (work_tokens) most = least(most, work_tokens - 1);
  if (g->options.max_tokens) most = least(most, g->options.max_tokens - g->usage.completion_tokens - 1);
  most = least(most, g->options.draft < 0 ? RT_MOST_DRAFTS : (uint32_t)g->options.draft);
  if (g->options.draft == 0) return 0;
  s->tokens[s->n_past] = g->pending;
  count = rt_draft(&g->drafter, s->tokens, s->n_past + 1, most, g->options.draft > 0, drafts);
  for (uint32_t i = 0; i < count; i++)
    if (retort_is_end_of_generation(s->vocab, drafts[i])) return i;
  return count;
}

/* The session moves on over the pending token, and g->row is that of its logits: computed now, or already as a draft. */
static retort_status take_pending(retort_session *s, struct rt_generation *g, uint32_t work_tokens, retort_error *error) {
  if (s->n_ahead && s->tokens[s->n_past] == g->pending) {
    s->n_ahead--;
    s->n_past++;
    g->row++;
    g->usage.accepted_tokens++;
    return RETORT_OK;
  }
  s->n_ahead = 0;
  int32_t ids[1 + RT_MOST_DRAFTS] = {g->pending};
  uint32_t count = draft(s, g, work_tokens, ids + 1);
  retort_status status = retort_session_eval(s, ids, 1 + count, RETORT_LOGITS_ALL, g->logits, error);
  if (status) return status;
  s->n_past -= count;
  s->n_ahead = count;
  g->row = 0;
  g->usage.drafted_tokens += count;
  return RETORT_OK;
}

static retort_status step_decode(retort_session *s, struct rt_generation *g, uint32_t work_tokens, retort_event *event,
                                 retort_error *error) {
  if (g->stopped) return end(s, g, RETORT_FINISH_STRING, event, error);
  if (g->options.max_tokens && g->usage.completion_tokens >= g->options.max_tokens) return end(s, g, RETORT_FINISH_LENGTH, event, error);
  if (!g->fresh) {
    if (s->n_past == s->n_ctx) return end(s, g, RETORT_FINISH_LENGTH, event, error);
    retort_status status = take_pending(s, g, work_tokens, error);
    if (status) return status;
    g->n_past++;
    g->fresh = true;
  }
  int32_t id;
  bool forced;
  g->phase = ENDED; /* unless all goes well: a position cannot be hashed or penalised twice */
  retort_status status = choose(s, g, &id, &forced, error);
  if (status) return status;
  if (!forced && retort_is_end_of_generation(s->vocab, id)) return end(s, g, RETORT_FINISH_STOP, event, error);
  g->usage.completion_tokens++;
  if ((status = take_token(s, g, id, error))) return status;
  event->kind = RETORT_EVENT_TOKEN;
  event->token = id;
  event->forced = forced;
  if ((status = give_text(s, g, false, event, error))) return status;
  g->pending = id;
  g->fresh = false;
  g->phase = DECODE;
  return RETORT_OK;
}

retort_status retort_step(retort_session *session, uint32_t work_tokens, retort_event *event, retort_error *error) {
  if (!session || !event) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_step: session and event must not be NULL");
  retort_status status = rt_struct_check(event, "retort_event", error);
  if (status) return status;
  struct rt_generation *g = session->generation;
  if (!g || g->phase == IDLE || g->phase == ENDED)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_step: there is no answer in progress; call retort_generate_begin first");
  if (session->n_past != g->n_past)
    return rt_fail(error, RETORT_ERROR_ARGUMENT,
                   "retort_step: the session has %u positions instead of %u: it was changed since the last step; begin again",
                   session->n_past, g->n_past);
  retort_event result = {.token = -1, .text = ""};
  status = g->phase == PROMPT ? step_prompt(session, g, work_tokens, &result, error) : step_decode(session, g, work_tokens, &result, error);
  if (status) return status;
  result.prompt_total = g->n_prompt;
  result.prompt_done = g->n_past < g->n_prompt ? g->n_past : g->n_prompt;
  rt_struct_write(event, &result, sizeof result);
  return RETORT_OK;
}

/* ---- what was done ---- */

retort_status retort_session_get_usage(const retort_session *session, retort_usage *usage, retort_error *error) {
  if (!session || !usage) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_get_usage: session and usage must not be NULL");
  retort_status status = rt_struct_check(usage, "retort_usage", error);
  if (status) return status;
  retort_usage result = session->generation ? session->generation->usage : (retort_usage){0};
  rt_struct_write(usage, &result, sizeof result);
  return RETORT_OK;
}

retort_status retort_session_get_logits(const retort_session *session, const float **logits, uint32_t *count, retort_error *error) {
  if (!session || !logits || !count)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_get_logits: session, logits and count must not be NULL");
  const struct rt_generation *g = session->generation;
  if (!g || g->phase != DECODE || g->fresh)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_get_logits: the last step gave no token");
  *count = g->sampler.n;
  *logits = g->logits + (size_t)g->row * g->sampler.n;
  return RETORT_OK;
}

retort_status retort_session_get_proof(const retort_session *session, char hex[65], retort_error *error) {
  if (!session || !hex) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_get_proof: session and hex must not be NULL");
  if (!session->generation || !session->generation->options.proof)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "there is no proof: the answer was not begun with options.proof");
  uint8_t digest[RT_SHA256_SIZE];
  rt_sha256_digest(&session->generation->proof, digest);
  rt_sha256_hex(digest, hex);
  return RETORT_OK;
}
