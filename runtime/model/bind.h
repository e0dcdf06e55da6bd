/* bind.h - finds the tensors that an architecture asks for by name, and checks type and shape of each, once.
 *
 * The first failure stays in `status`, and all calls after it do nothing: an architecture asks for everything in one straight list.
 */
#ifndef RT_BIND_H
#define RT_BIND_H

#include "model.h"

typedef struct rt_binder {
  const retort_gguf *gguf;
  retort_model *model;     /* whose arena holds what is decoded */
  char prefix[24];         /* before every name: "blk.{layer}." or nothing */
  const rt_tensor **bound; /* (n_bound) tensors that have found their use; room for all */
  uint32_t n_bound;
  retort_status status;
  retort_error *error;
} rt_binder;

/* Names that follow are of this layer. */
void rt_bind_layer(rt_binder *binder, uint32_t layer);
/* A required matrix of `rows` rows (0: any number) of `cols` elements; it stays in the file's bytes. */
void rt_bind_matrix(rt_binder *binder, const char *name, uint32_t cols, uint32_t rows, rt_matrix *out);
/* A vector of n elements of any type, decoded into the arena. Where an optional one is absent *out stays as it is. */
void rt_bind_vector(rt_binder *binder, const char *name, uint32_t n, bool required, const float **out);

/* Binds all tensors of the model: those that every architecture has, then its family's. Warns of tensors without a use. */
retort_status rt_bind_all(retort_model *model, const retort_platform *platform, const retort_gguf *gguf, retort_error *error);

#endif
