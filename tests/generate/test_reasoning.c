/* test_reasoning.c - every cut of a text into pieces gives the same sections, and the sections are the ones that a reader would see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "generate/reasoning.h"

typedef struct sections {
  rt_bytes reasoning, answer;
} sections;

static void close_sections(sections *o) {
  rt_bytes_close(NULL, &o->reasoning);
  rt_bytes_close(NULL, &o->answer);
}

static bool is(const rt_bytes *b, const char *text) { return b->size == strlen(text) && (b->size == 0 || !memcmp(b->data, text, b->size)); }

static void expect(const sections *o, const char *reasoning, const char *answer, const char *what) {
  if (!is(&o->reasoning, reasoning) || !is(&o->answer, answer))
    fail_msg("%s: reasoning \"%.*s\" answer \"%.*s\"", what, (int)o->reasoning.size, (char *)o->reasoning.data, (int)o->answer.size,
             (char *)o->answer.data);
}

/* Feeds `text` cut at every pair of places, and byte by byte. What came out before the end must be whole characters at all times. */
static void check(const char *tail, const char *text, const char *reasoning, const char *answer) {
  size_t n = strlen(text);
  for (size_t i = 0; i <= n; i++)
    for (size_t k = i; k <= n + (i == 0); k++) {
      sections o = {{0}, {0}};
      rt_reasoning s = {0};
      rt_reasoning_begin(&s, NULL, true, tail, strlen(tail));
      if (k == n + 1) {
        for (size_t b = 0; b < n; b++) {
          assert_true(rt_reasoning_feed(&s, text + b, 1, &o.reasoning, &o.answer));
          assert_true(rt_utf8_valid(o.reasoning.data, o.reasoning.size) && rt_utf8_valid(o.answer.data, o.answer.size));
        }
      } else {
        assert_true(rt_reasoning_feed(&s, text, i, &o.reasoning, &o.answer));
        assert_true(rt_reasoning_feed(&s, text + i, k - i, &o.reasoning, &o.answer));
        assert_true(rt_reasoning_feed(&s, text + k, n - k, &o.reasoning, &o.answer));
      }
      assert_true(rt_reasoning_finish(&s, &o.reasoning, &o.answer));
      expect(&o, reasoning, answer, text);
      rt_reasoning_close(&s);
      close_sections(&o);
    }
}

static void tags_in_the_text(void **state) {
  (void)state;
  check("", "plain", "", "plain");
  check("", " \n plain \n", "", " \n plain \n");
  check("", "<think>why</think>so", "why", "so");
  check("", "\n<think>\nwhy \n\n</think>\n\nso\n", "why", "so\n");
  check("", "<think>\n\n</think>\n\nso", "", "so");
  check("", "<think>a\n\nb < c </thin </think>x</think>y", "a\n\nb < c </thin", "x</think>y");
  check("", "<think>a</think><think>b</think>c", "a", "<think>b</think>c"); /* opens only once, at the start */
  check("", "say <think> now", "", "say <think> now");
  check("", "<thing", "", "<thing");
  check("", "<thi", "", "<thi");
  check("", "<think>cut off  ", "cut off", "");
  check("", "<think>cut off</thi", "cut off</thi", "");
  check("", "<think>", "", "");
}

static void tags_in_the_prompt(void **state) {
  (void)state;
  check("<think>\n", "\nwhy\n</think>\n\nso", "why", "so");
  check("<think>\nOkay,", " why</think>so", " why", "so");
  check("<think>\n\n</think>\n\n", "\n so", "", "so");
  check("<think>\n\n</think>\n\nWell", " so <think>", "", " so <think>");
  check("</think>", "so", "", "so");
  check("<think>a</think>b<think>", "c</think>d", "c", "d");
  check("words", "<think>a</think>b", "a", "b");
}

static void characters_stay_whole(void **state) {
  (void)state;
  check("", "\xE2\x82\xAC \xF0\x9F\x98\x80", "", "\xE2\x82\xAC \xF0\x9F\x98\x80");
  check("",
        "a\xFF"
        "b\xE2\x82"
        "c",
        "",
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD"
        "c");
  check("", "a\xF0\x9F\x98", "", "a\xEF\xBF\xBD");
  check("<think>", "\xE2\x82\xAC</think>\xE2\x82", "\xE2\x82\xAC", "\xEF\xBF\xBD");
}

static void tags_as_tokens(void **state) {
  (void)state;
  sections o = {{0}, {0}};
  rt_reasoning s = {0};
  rt_reasoning_begin(&s, NULL, false, "", 0);
  assert_true(rt_reasoning_tag(&s, false, &o.reasoning, &o.answer)); /* closes nothing, and is a border all the same */
  assert_true(rt_reasoning_feed(&s, " x<think>", 9, &o.reasoning, &o.answer));
  expect(&o, "", "x<think>", "text is no tag here");
  assert_true(rt_reasoning_tag(&s, true, &o.reasoning, &o.answer));
  assert_true(s.reasoning);
  assert_true(rt_reasoning_feed(&s, "\n y </think> \xE2\x82", 15, &o.reasoning, &o.answer));
  assert_true(rt_reasoning_tag(&s, true, &o.reasoning, &o.answer)); /* open already */
  assert_true(rt_reasoning_feed(&s, "z \n", 3, &o.reasoning, &o.answer));
  assert_true(rt_reasoning_tag(&s, false, &o.reasoning, &o.answer));
  assert_false(s.reasoning);
  assert_true(rt_reasoning_feed(&s, "\n\n", 2, &o.reasoning, &o.answer));
  assert_true(rt_reasoning_feed(&s, "\nanswer\n", 8, &o.reasoning, &o.answer));
  assert_true(rt_reasoning_finish(&s, &o.reasoning, &o.answer));
  expect(&o, "y </think> \xEF\xBF\xBDz", "x<think>answer\n", "tokens");
  rt_reasoning_close(&s);
  close_sections(&o);
}

static void a_long_run_is_the_same_in_one_piece(void **state) {
  (void)state;
  static char text[1000 + 1 + 8 + 1];
  memset(text, ' ', 1001);
  memcpy(text + 1, "a", 1);
  memcpy(text + 1001, "</think>", 8);
  for (size_t piece = 1; piece <= 1009; piece += 63) {
    sections o = {{0}, {0}};
    rt_reasoning s = {0};
    rt_reasoning_begin(&s, NULL, true, "<think>", 7);
    for (size_t at = 0; at < 1009; at += piece)
      assert_true(rt_reasoning_feed(&s, text + at, 1009 - at < piece ? 1009 - at : piece, &o.reasoning, &o.answer));
    assert_int_equal(o.reasoning.size, 1000 - 256);
    rt_reasoning_close(&s);
    close_sections(&o);
  }
}

static void a_long_run_of_white_space_is_let_through(void **state) {
  (void)state;
  sections o = {{0}, {0}};
  rt_reasoning s = {0};
  char spaces[5000];
  memset(spaces, ' ', sizeof spaces);
  rt_reasoning_begin(&s, NULL, true, "<think>a", 8);
  for (int i = 0; i < 50; i++) {
    assert_true(rt_reasoning_feed(&s, spaces, 100, &o.reasoning, &o.answer));
    assert_true(s.held.size <= 400);
  }
  assert_true(o.reasoning.size >= 4700);
  rt_reasoning_begin(&s, NULL, true, "", 0);
  assert_true(rt_reasoning_feed(&s, spaces, 300, &o.reasoning, &o.answer));
  assert_int_equal(o.answer.size, 300);
  rt_reasoning_close(&s);
  close_sections(&o);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tags_in_the_text),
      cmocka_unit_test(tags_in_the_prompt),
      cmocka_unit_test(characters_stay_whole),
      cmocka_unit_test(tags_as_tokens),
      cmocka_unit_test(a_long_run_is_the_same_in_one_piece),
      cmocka_unit_test(a_long_run_of_white_space_is_let_through),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
