/* chat.c - conversations to prompts: messages as JSON, through the chat template, to text or tokens.
 *
 * What the template sees is what Hugging Face's apply_chat_template gives it: messages, tools and documents (none unless given),
 * add_generation_prompt, bos_token, eos_token, and the caller's variables, untouched. All of it is input, except the two tokens' texts:
 * those the template may turn into special tokens, the rest never can. Nothing is kept between calls.
 */
#include <string.h>

#include "../base/json.h"
#include "../base/structs.h"
#include "../text/vocab.h"
#include "template.h"

enum { MAX_JSON = 64 << 20 };

void retort_chat_options_init(retort_chat_options *options, size_t struct_size) {
  rt_struct_init(options, struct_size, &(retort_chat_options){.add_generation_prompt = 1}, sizeof *options);
}

static retort_status parse_messages(rt_arena *arena, const char *text, rt_json *out, retort_error *error) {
  retort_status status = rt_json_parse(arena, text, strlen(text), MAX_JSON, "messages_json", out, error);
  if (status) return status;
  if (out->type != RT_JSON_ARRAY)
    return rt_fail(error, RETORT_ERROR_JSON, "messages_json must be an array of messages: [{\"role\":\"user\",\"content\":\"...\"}]");
  for (size_t i = 0; i < out->count; i++)
    if (out->as.items[i].type != RT_JSON_OBJECT) return rt_fail(error, RETORT_ERROR_JSON, "messages_json: message %zu is not an object", i);
  return RETORT_OK;
}

/* The text of token `id` as a JSON string. */
static retort_status token_text(rt_arena *arena, const retort_vocab *vocab, int32_t id, rt_json *out, retort_error *error) {
  size_t size = 0;
  retort_status status = retort_detokenize(vocab, &id, 1, RETORT_TOKENIZE_SPECIAL, NULL, 0, &size, error);
  if (status && status != RETORT_ERROR_BUFFER) return status;
  char *text = rt_arena_alloc(arena, size + 1, 1);
  if (!text) return rt_fail_memory(error, size, "the text of a token");
  status = retort_detokenize(vocab, &id, 1, RETORT_TOKENIZE_SPECIAL, text, size, &size, error);
  *out = (rt_json){.type = RT_JSON_STRING, .count = size, .as.string = text};
  return status;
}

static retort_status render(rt_arena *arena, const retort_vocab *vocab, const char *messages_json, const retort_chat_options *options,
                            rt_template_output *output, retort_error *error) {
  enum { OWN = 6 };
  retort_chat_options o;
  retort_chat_options_init(&o, sizeof o);
  if (!messages_json) return rt_fail(error, RETORT_ERROR_ARGUMENT, "messages_json is NULL");
  retort_status status = rt_struct_read(&o, sizeof o, options, "retort_chat_options", error);
  if (!status) status = rt_platform_check(arena->platform, error);
  if (status) return status;
  options = &o;
  retort_vocab_info info = {.struct_size = sizeof info};
  if ((status = retort_vocab_get_info(vocab, &info, error))) return status;
  const char *source = options->template_source ? options->template_source : info.chat_template;
  if (!source)
    return rt_fail(error, RETORT_ERROR_TEMPLATE,
                   "this model has no chat template: give one as template_source, or give the prompt as it is, without a chat");
  rt_json messages, given = {.type = RT_JSON_OBJECT}, none = {.type = RT_JSON_NULL},
                    prompt = {.type = options->add_generation_prompt ? RT_JSON_TRUE : RT_JSON_FALSE}, bos, eos;
  if ((status = parse_messages(arena, messages_json, &messages, error))) return status;
  if (options->variables_json) {
    status = rt_json_parse(arena, options->variables_json, strlen(options->variables_json), MAX_JSON, "variables_json", &given, error);
    if (status) return status;
    if (given.type != RT_JSON_OBJECT) return rt_fail(error, RETORT_ERROR_JSON, "variables_json must be an object: {\"name\":value}");
    if (rt_json_get(&given, "messages"))
      return rt_fail(error, RETORT_ERROR_JSON, "variables_json may not hold \"messages\": they have their own parameter");
  }
  rt_template_variable *variables = rt_arena_alloc(arena, given.count + OWN, sizeof *variables);
  if (!variables) return rt_fail_memory(error, (uint64_t)(given.count + OWN) * sizeof *variables, "template variables");
  size_t n = 0;
  variables[n++] = (rt_template_variable){"tools", &none, true};
  variables[n++] = (rt_template_variable){"documents", &none, true};
  variables[n++] = (rt_template_variable){"add_generation_prompt", &prompt, true};
  if (info.bos >= 0) {
    if ((status = token_text(arena, vocab, info.bos, &bos, error))) return status;
    variables[n++] = (rt_template_variable){"bos_token", &bos, false};
  }
  if (info.eos >= 0) {
    if ((status = token_text(arena, vocab, info.eos, &eos, error))) return status;
    variables[n++] = (rt_template_variable){"eos_token", &eos, false};
  }
  for (size_t i = 0; i < given.count; i++) /* the caller's come later and win */
    variables[n++] = (rt_template_variable){given.as.members[i].key, &given.as.members[i].value, true};
  variables[n++] = (rt_template_variable){"messages", &messages, true};
  const rt_template_world world = {options->date, options->interrupted, options->interrupted_arg};
  return rt_template_render(arena, source, strlen(source), variables, n, &world, output, error);
}

retort_status retort_chat_render(const retort_platform *platform, const retort_vocab *vocab, const char *messages_json,
                                 const retort_chat_options *options, char *buffer, size_t capacity, size_t *size, retort_error *error) {
  if (!vocab || !size || (!buffer && capacity))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_chat_render needs a vocabulary and a place for the text and its size");
  rt_arena arena = {.platform = platform};
  rt_template_output output = {0};
  retort_status status = render(&arena, vocab, messages_json, options, &output, error);
  if (status == RETORT_OK) {
    *size = output.size;
    if (output.size > capacity)
      status = rt_fail(error, RETORT_ERROR_BUFFER, "the rendered chat has %zu bytes, the buffer room for %zu", output.size, capacity);
    else if (output.size) memcpy(buffer, output.text, output.size);
    if (status == RETORT_OK && capacity > output.size) buffer[output.size] = 0;
  }
  rt_arena_close(&arena);
  return status;
}

retort_status retort_chat_tokenize(const retort_platform *platform, const retort_vocab *vocab, const char *messages_json,
                                   const retort_chat_options *options, int32_t *ids, size_t capacity, size_t *count, retort_error *error) {
  if (!vocab || !count || (!ids && capacity))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_chat_tokenize needs a vocabulary and a place for the ids and their count");
  rt_arena arena = {.platform = platform};
  rt_template_output output = {0};
  retort_status status = render(&arena, vocab, messages_json, options, &output, error);
  if (status == RETORT_OK) /* a BOS that the template wrote counts: none is added then */
    status = rt_tokenize_spans(vocab, output.text, output.size, output.spans, output.n_spans,
                               RETORT_TOKENIZE_SPECIAL | RETORT_TOKENIZE_ADD_BOS, ids, capacity, count, error);
  if (status == RETORT_OK && *count == 0)
    status = rt_fail(error, RETORT_ERROR_TEMPLATE,
                     "the model's chat template makes nothing of these messages: give one as template_source, or give the prompt as it is, "
                     "without a chat");
  rt_arena_close(&arena);
  return status;
}
