/* generate.c - an answer to a prompt: prompt, sampling, thinking budget, stop strings, proof, events.
 *
 * It says what is to be computed and takes what comes of it, but computes nothing: whatever holds for a row (the same bits in every batch)
 * holds here, and an answer depends neither on how its steps were cut, nor on what was in the cache, nor on its neighbours.
 *
 * The life of a position: its logits are hashed for the proof, a token is chosen (or forced by the budget), its text goes through the
 * splitter and the stop strings, and only the next step computes the token to get the next logits. The last token of an answer is thus
 * never computed in vain; the next prompt, which repeats it, will.
 *
 * With the token some drafts for those after it may be computed (draft.c), each with its logits. They stand behind the sequence's end until
 * the token that is chosen is the one that was drafted; then the sequence moves on over it and its logits are there already. Seen from
 * outside a sequence is at every moment the same with drafts and without.
 *
 * Rules that users meet:
 *  - The proof covers every position where a token was generated, also that of the token which ended the turn. That token is no part of the
 *    answer: it has no event and is not counted in completion_tokens.
 *  - Stop strings are looked for in the answer, not in the reasoning. What matched and what follows is not shown.
 *  - The thinking budget counts tokens between the tags. When it is used up, the model's own token for the end of thinking is put in place
 *    of a choice, once the last character is whole; where the vocabulary has no such token, the tag's text is put in, token by token. After
 *    that the model cannot open its reasoning again.
 *  - A closing tag without an opening one says that what came before it was reasoning. It was given out as the answer, so the event says
 * so.
 *  - A token yields one event. Text of the answer that became due together with the end of the reasoning comes with the next event.
 */
#include "generate.h"

#include <math.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/sha256.h"
#include "../base/structs.h"
#include "../base/utf8.h"
#include "reasoning.h"
#include "../text/vocab.h"

enum {
  MAX_FORCED = 64,   /* tokens that last words and the text of a closing tag can become */
  MAX_UTF8_WAIT = 3, /* tokens over the budget that an unfinished character may take */
  FIRST_PIECE = 256  /* bytes; grows with the longest token */
};

/* What Qwen3 was trained to say where its thinking is cut short (its documentation of the thinking budget). The family is its architecture
 * with its own template: distills of others into it, and others that know the variable, were not trained on that. */
static const char QWEN3_VARIABLE[] = "enable_thinking",
                  QWEN3_LAST_WORDS[] =
                      "\n\nConsidering the limited time by the user, I have to give the solution based on the thinking directly now.\n";

enum phase { IDLE, PROMPT, DECODE, ENDED };

struct rt_generation {
  rt_arena arena; /* this struct */
  const rt_generator *shared;
  enum phase phase;
  retort_generate_options options;

  rt_arena request; /* prompt and stop strings: for one answer */
  int32_t *prompt;  /* (n_prompt) */
  uint32_t n_prompt;
  rt_string *stop; /* (n_stop) */
  uint32_t n_past; /* what the sequence must have when the answer goes on */
  bool prompt_due; /* a part of the prompt was computed, and not told yet */

  float *logits; /* (1 + n_ahead at first, n_vocab), the engine's, of the token computed last and of the drafts after it */
  uint32_t row;  /* of the next position's logits, when `fresh` */
  bool fresh;
  int32_t pending; /* chosen but not computed yet; -1: none */
  int32_t next[1 + RT_MOST_DRAFTS];
  int32_t forced[MAX_FORCED];
  uint32_t n_forced, forced_done;
  bool stopped;   /* a stop string was found */
  bool closed;    /* the budget has closed the reasoning */
  bool retracted; /* the last token said that the answer was reasoning */

  rt_sampler sampler;
  rt_drafter drafter;
  rt_reasoning splitter;
  rt_sha256 proof;
  rt_bytes piece, reasoning, answer; /* text of one token; text not given out yet */
  rt_bytes text;                     /* what the last event points to */
  retort_usage usage;
};

const char *retort_finish_name(int32_t finish) {
  static const char *const names[] = {"none", "stop", "length", "stop_string", "reasoning"};
  return finish >= 0 && finish <= RETORT_FINISH_REASONING ? names[finish] : "none";
}

void retort_generate_options_init(retort_generate_options *options, size_t struct_size) {
  const retort_generate_options defaults = {
      .temperature = 0.6f, .top_p = 0.95f, .repetition_penalty = 1, .repetition_window = 64, .thinking_budget = -1, .draft = -1};
  rt_struct_init(options, struct_size, &defaults, sizeof defaults);
}

retort_status rt_generator_open(rt_generator *shared, rt_arena *arena, const retort_model *model, const retort_vocab *vocab,
                                retort_error *error) {
  *shared = (rt_generator){.platform = arena->platform,
                           .vocab = vocab,
                           .info.struct_size = sizeof shared->info,
                           .n_vocab = model->hparams.n_vocab,
                           .draft_cost = rt_kernels_row_cost(model->kernels, model->two_planes)};
  retort_status status = retort_vocab_get_info(vocab, &shared->info, error);
  if (!status) status = rt_sampler_open(&shared->sampler, arena, shared->n_vocab, error);
  if (status) return status;
  shared->think_tokens = shared->info.think_begin >= 0 && shared->info.think_end >= 0;
  const char *template = shared->info.chat_template;
  const bool qwen3 = strcmp(model->hparams.architecture->name, "qwen3") == 0 && template && strstr(template, QWEN3_VARIABLE) &&
                     strstr(template, "<|im_start|>");
  shared->last_words = shared->think_tokens && qwen3 ? QWEN3_LAST_WORDS : "";
  for (uint32_t i = 0; i < shared->n_vocab; i++)
    if (rt_vocab_is_unused(vocab, (int32_t)i)) shared->sampler.marks[i] |= RT_MARK_BARRED;
  return RETORT_OK;
}

retort_status rt_generation_open(retort_sequence *s, const rt_generator *shared, retort_error *error) {
  rt_arena arena = {.platform = shared->platform};
  struct rt_generation *g = rt_arena_alloc(&arena, 1, sizeof *g);
  if (!g) return rt_fail_memory(error, sizeof *g, "generation");
  g->arena = arena;
  g->shared = shared;
  g->splitter.platform = g->request.platform = shared->platform;
  g->sampler = shared->sampler;
  rt_drafter_open(&g->drafter, shared->draft_cost);
  s->generation = g;
  return RETORT_OK;
}

void rt_generation_close(retort_sequence *s) {
  struct rt_generation *g = s->generation;
  if (!g) return;
  const retort_platform *platform = g->shared->platform;
  rt_reasoning_close(&g->splitter);
  rt_bytes_close(platform, &g->piece);
  rt_bytes_close(platform, &g->reasoning);
  rt_bytes_close(platform, &g->answer);
  rt_bytes_close(platform, &g->text);
  rt_arena_close(&g->request);
  rt_arena arena = g->arena; /* it holds g itself */
  rt_arena_close(&arena);
  s->generation = NULL;
}

uint64_t rt_generation_bytes(const retort_sequence *s) {
  const struct rt_generation *g = s->generation;
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

retort_status rt_generation_check(const retort_sequence *s, const int32_t *prompt, size_t count, const retort_generate_options *options,
                                  retort_error *error) {
  retort_status status = check_options(options, error);
  if (status) return status;
  if (!s->generation) return rt_fail(error, RETORT_ERROR_ARGUMENT, "no vocabulary was given when this was opened; generation needs one");
  if (!prompt || count == 0) return rt_fail(error, RETORT_ERROR_ARGUMENT, "the prompt is empty; at least one token is needed");
  if (count > s->n_ctx)
    return rt_fail(error, RETORT_ERROR_CONTEXT, "the prompt has %zu tokens and the context %u positions; shorten it or use a larger n_ctx",
                   count, s->n_ctx);
  uint32_t n_vocab = s->generation->shared->n_vocab;
  for (size_t i = 0; i < count; i++)
    if (prompt[i] < 0 || (uint32_t)prompt[i] >= n_vocab)
      return rt_fail(error, RETORT_ERROR_ARGUMENT, "token %zu of the prompt is %d, outside the model's vocabulary of %u", i, prompt[i],
                     n_vocab);
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
static retort_status append_piece(const struct rt_generation *g, int32_t id, uint32_t flags, rt_bytes *to, retort_error *error) {
  size_t before = to->size, room, size = FIRST_PIECE;
  retort_status status;
  do {
    room = size;
    if (!rt_bytes_grow(g->shared->platform, to, room)) return fail_text(error);
    to->size = before;
    status = retort_detokenize(g->shared->vocab, &id, 1, flags, (char *)to->data + before, room, &size, NULL);
  } while (status == RETORT_ERROR_BUFFER && size > room);
  if (status) return rt_fail(error, status, "token %d has no text in this vocabulary: model and vocabulary do not belong together", id);
  to->size = before + size;
  return RETORT_OK;
}

static bool is_tag(const struct rt_generation *g, int32_t id) {
  return g->shared->think_tokens && (id == g->shared->info.think_begin || id == g->shared->info.think_end);
}

/* The text since the last control token is the turn that the answer goes on with; tags in it say in which section the answer begins. What a
 * user wrote stands before such a token and cannot open anything. */
static retort_status begin_sections(struct rt_generation *g, retort_error *error) {
  uint32_t at = g->n_prompt;
  rt_bytes *tail = &g->text;
  retort_status status = RETORT_OK;
  tail->size = 0;
  for (; at > 0 && !status; at--) {
    if (is_tag(g, g->prompt[at - 1])) continue;
    size_t before = tail->size;
    if ((status = append_piece(g, g->prompt[at - 1], 0, tail, error))) return status;
    if (tail->size > before) continue;
    if ((status = append_piece(g, g->prompt[at - 1], RETORT_TOKENIZE_SPECIAL, tail, error))) return status;
    if (tail->size > before) break; /* a control token */
  }
  tail->size = 0;
  for (; at < g->n_prompt && !status; at++)
    status = append_piece(g, g->prompt[at], is_tag(g, g->prompt[at]) ? RETORT_TOKENIZE_SPECIAL : 0, tail, error);
  if (!status) rt_reasoning_begin(&g->splitter, g->shared->platform, !g->shared->think_tokens, (const char *)tail->data, tail->size);
  tail->size = 0;
  return status;
}

retort_status rt_generation_begin(retort_sequence *s, const int32_t *prompt, size_t count, const retort_generate_options *options,
                                  retort_error *error) {
  struct rt_generation *g = s->generation;
  g->phase = IDLE;
  atomic_store(&s->interrupted, false); /* it was meant for another answer */
  rt_arena_close(&g->request);
  g->reasoning.size = g->answer.size = 0;
  g->fresh = g->stopped = g->prompt_due = g->closed = g->retracted = false;
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
  rt_sha256_init_on(&g->proof, g->shared->platform);
  retort_status status = copy_request(g, prompt, count, options, error);
  if (!status) status = begin_sections(g, error);
  if (status) return status;

  /* The last token is computed in any case: its logits are needed. */
  uint32_t common = rt_sequence_common(s, prompt, (uint32_t)count - 1);
  rt_sequence_cut(s, common);
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
static retort_status give_text(struct rt_generation *g, bool end, retort_event *event, retort_error *error) {
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
  if (!rt_bytes_append(g->shared->platform, &g->text, from->data, n) || !rt_bytes_append(g->shared->platform, &g->text, "", 1))
    return fail_text(error);
  rt_bytes_drop(from, n);
  event->text = (const char *)g->text.data;
  event->text_size = n;
  event->section = (n ? from == &g->reasoning : g->splitter.reasoning) ? RETORT_SECTION_REASONING : RETORT_SECTION_ANSWER;
  return RETORT_OK;
}

/* What of the answer was not given out yet is reasoning too. */
static bool retract(struct rt_generation *g) {
  g->splitter.seen = true;
  g->usage.reasoning_tokens = g->usage.completion_tokens - 1; /* all before this one */
  if (!rt_bytes_append(g->shared->platform, &g->reasoning, g->answer.data, g->answer.size)) return false;
  g->answer.size = 0;
  return true;
}

static retort_status take_token(struct rt_generation *g, int32_t id, retort_error *error) {
  bool fine;
  g->retracted = false;
  if (is_tag(g, id)) {
    const bool opens = id == g->shared->info.think_begin;
    g->retracted = !opens && !g->splitter.seen;
    fine = rt_reasoning_tag(&g->splitter, opens, &g->reasoning, &g->answer);
    if (g->retracted) fine = fine && retract(g);
  } else {
    if (g->splitter.reasoning) g->usage.reasoning_tokens++;
    g->piece.size = 0;
    retort_status status = append_piece(g, id, 0, &g->piece, error);
    if (status) return status;
    fine = rt_reasoning_feed(&g->splitter, g->piece.data, g->piece.size, &g->reasoning, &g->answer);
  }
  return fine ? RETORT_OK : fail_text(error);
}

/* ---- plan ---- */

static bool has_draft(const retort_sequence *s) { return s->n_ahead && s->tokens[s->n_past] == s->generation->pending; }

/* The answer ends whatever the model would say. */
static retort_finish must_end(const retort_sequence *s) {
  const struct rt_generation *g = s->generation;
  if (g->stopped) return RETORT_FINISH_STRING;
  if (g->options.max_tokens && g->usage.completion_tokens >= g->options.max_tokens) return RETORT_FINISH_LENGTH;
  return !g->fresh && s->n_past == s->n_ctx ? RETORT_FINISH_LENGTH : RETORT_FINISH_NONE;
}

rt_need rt_generation_need(const retort_sequence *s) {
  const struct rt_generation *g = s->generation;
  if (!g || g->phase == IDLE || g->phase == ENDED) return RT_NEED_NOTHING;
  if (g->prompt_due || (g->phase == DECODE && (g->fresh || must_end(s) || has_draft(s)))) return RT_NEED_TAKE;
  return g->phase == PROMPT ? RT_NEED_PROMPT : RT_NEED_TOKEN;
}

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* Drafts to compute with the pending token: none that max_tokens, the context or the end of the turn would make useless. */
static uint32_t draft(retort_sequence *s, uint32_t most, int32_t *drafts) {
  struct rt_generation *g = s->generation;
  most = least(most, s->n_ctx - s->n_past - 1);
  if (g->options.max_tokens) most = least(most, g->options.max_tokens - g->usage.completion_tokens - 1);
  most = least(most, g->options.draft < 0 ? RT_MOST_DRAFTS : (uint32_t)g->options.draft);
  if (g->options.draft == 0) return 0;
  s->tokens[s->n_past] = g->pending;
  uint32_t count = rt_draft(&g->drafter, s->tokens, s->n_past + 1, most, g->options.draft > 0, drafts);
  for (uint32_t i = 0; i < count; i++)
    if (retort_is_end_of_generation(g->shared->vocab, drafts[i])) return i;
  return count;
}

rt_plan rt_generation_plan(retort_sequence *s, uint32_t most) {
  struct rt_generation *g = s->generation;
  s->n_ahead = 0;
  if (g->phase == PROMPT) {
    uint32_t left = g->n_prompt - g->n_past;
    return (rt_plan){g->prompt + g->n_past, least(left, most), most >= left};
  }
  g->next[0] = g->pending;
  uint32_t count = 1 + draft(s, most - 1, g->next + 1);
  return (rt_plan){g->next, count, count};
}

void rt_generation_computed(retort_sequence *s, const rt_plan *plan, float *logits) {
  struct rt_generation *g = s->generation;
  bool prompt = g->phase == PROMPT;
  uint32_t n = prompt ? plan->count : 1;
  memcpy(s->tokens + s->n_past, plan->ids, plan->count * sizeof *plan->ids);
  s->n_past += n;
  s->n_ahead = plan->count - n;
  g->n_past += n;
  g->fresh = plan->n_logits > 0;
  g->logits = logits;
  g->row = 0;
  g->prompt_due = prompt;
  if (g->fresh) g->phase = DECODE;
  if (!prompt) g->usage.drafted_tokens += s->n_ahead;
}

/* ---- take ---- */

static retort_status end(struct rt_generation *g, retort_finish finish, retort_event *event, retort_error *error) {
  g->phase = ENDED;
  event->kind = RETORT_EVENT_END;
  event->finish = finish;
  if (!g->stopped && !rt_reasoning_finish(&g->splitter, &g->reasoning, &g->answer)) return fail_text(error);
  return give_text(g, true, event, error);
}

/* Fills `forced` when the budget for reasoning is used up. */
static retort_status apply_budget(struct rt_generation *g, retort_error *error) {
  int64_t over = (int64_t)g->usage.reasoning_tokens - g->options.thinking_budget;
  if (g->options.thinking_budget < 0 || !g->splitter.reasoning || g->forced_done < g->n_forced || over < 0) return RETORT_OK;
  if (g->splitter.raw.size && over < MAX_UTF8_WAIT) return RETORT_OK;
  size_t n = 0;
  retort_status status = RETORT_OK;
  const char *words = g->options.thinking_budget > 0 ? g->shared->last_words : "";
  g->closed = true;
  g->forced_done = g->n_forced = 0;
  if (*words) status = retort_tokenize(g->shared->vocab, words, strlen(words), 0, g->forced, MAX_FORCED - 1, &n, error);
  if (!status && g->shared->think_tokens) g->forced[n++] = g->shared->info.think_end;
  else if (!status) status = retort_tokenize(g->shared->vocab, "</think>", 8, 0, g->forced, MAX_FORCED, &n, error);
  g->n_forced = status ? 0 : (uint32_t)n;
  return status;
}

static retort_status choose(const retort_sequence *s, struct rt_generation *g, int32_t *id, bool *forced, retort_error *error) {
  float *logits = g->logits + (size_t)g->row * g->sampler.n;
  if (g->options.proof) rt_sha256_update(&g->proof, logits, (size_t)g->sampler.n * sizeof *logits); /* hosts are little-endian */
  retort_status status = apply_budget(g, error);
  if (status) return status;
  *forced = g->forced_done < g->n_forced;
  if (*forced) {
    rt_drafter_learn(&g->drafter, -1);
    *id = g->forced[g->forced_done++];
    return RETORT_OK;
  }
  uint32_t window = g->options.repetition_window < s->n_past ? g->options.repetition_window : s->n_past;
  uint8_t none = 0, *opening = g->closed && g->shared->think_tokens ? &g->sampler.marks[g->shared->info.think_begin] : &none;
  const uint8_t before = *opening;
  *opening |= RT_MARK_BARRED;
  status = rt_sampler_pick(&g->sampler, logits, s->tokens + s->n_past - window, window, id, error);
  *opening = before;
  rt_drafter_learn(&g->drafter, status ? -1 : *id);
  return status;
}

/* The sequence moves on over the draft that turned out right. */
static void accept_draft(retort_sequence *s, struct rt_generation *g) {
  s->n_ahead--;
  s->n_past++;
  g->n_past++;
  g->row++;
  g->usage.accepted_tokens++;
  g->fresh = true;
}

static retort_status take_next(retort_sequence *s, struct rt_generation *g, retort_event *event, retort_error *error) {
  retort_finish finish = must_end(s);
  if (finish) return end(g, finish, event, error);
  if (!g->fresh) accept_draft(s, g);
  int32_t id;
  bool forced;
  g->phase = ENDED; /* unless all goes well: a position cannot be hashed or penalised twice */
  retort_status status = choose(s, g, &id, &forced, error);
  if (status) return status;
  if (!forced && retort_is_end_of_generation(g->shared->vocab, id))
    return end(g, g->splitter.reasoning ? RETORT_FINISH_REASONING : RETORT_FINISH_STOP, event, error);
  g->usage.completion_tokens++;
  if ((status = take_token(g, id, error))) return status;
  event->kind = RETORT_EVENT_TOKEN;
  event->token = id;
  event->forced = forced;
  event->retracted = g->retracted;
  if ((status = give_text(g, false, event, error))) return status;
  g->pending = id;
  g->fresh = false;
  g->phase = DECODE;
  return RETORT_OK;
}

retort_status rt_generation_take(retort_sequence *s, retort_event *event, retort_error *error) {
  struct rt_generation *g = s->generation;
  retort_event result = {.struct_size = sizeof result, .token = -1, .text = ""};
  retort_status status = RETORT_OK;
  if (g->prompt_due) result.kind = RETORT_EVENT_PROMPT;
  else status = take_next(s, g, &result, error);
  g->prompt_due = false;
  if (status) return status;
  result.prompt_total = g->n_prompt;
  result.prompt_done = least(g->n_past, g->n_prompt);
  *event = result;
  return RETORT_OK;
}

/* ---- what was done ---- */

retort_status rt_generation_ready(const retort_sequence *s, retort_error *error) {
  const struct rt_generation *g = s->generation;
  if (!g || g->phase == IDLE || g->phase == ENDED)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_step: there is no answer in progress; call retort_generate_begin first");
  if (s->n_past != g->n_past)
    return rt_fail(error, RETORT_ERROR_ARGUMENT,
                   "retort_step: there are %u positions instead of %u: they were changed since the last step; begin again", s->n_past,
                   g->n_past);
  return RETORT_OK;
}

void rt_generation_usage(const retort_sequence *s, retort_usage *usage) {
  retort_usage result = s->generation ? s->generation->usage : (retort_usage){0};
  rt_struct_write(usage, &result, sizeof result);
}

retort_status rt_generation_logits(const retort_sequence *s, const float **logits, uint32_t *count, retort_error *error) {
  const struct rt_generation *g = s->generation;
  if (!g || g->phase != DECODE || g->fresh)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_get_logits: the last step gave no token");
  *count = g->shared->n_vocab;
  *logits = g->logits + (size_t)g->row * g->shared->n_vocab;
  return RETORT_OK;
}

retort_status rt_generation_proof(const retort_sequence *s, char hex[65], retort_error *error) {
  if (!s->generation || !s->generation->options.proof)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "there is no proof: the answer was not begun with options.proof");
  uint8_t digest[RT_SHA256_SIZE];
  rt_sha256_digest(&s->generation->proof, digest);
  rt_sha256_hex(digest, hex);
  return RETORT_OK;
}
