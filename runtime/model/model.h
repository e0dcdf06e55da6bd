/* model.h - an open model: hyper-parameters from the GGUF keys, tensors bound in place, and the one thing it does: a batch of rows.
 *
 * Nothing here is hard-coded per checkpoint: every number comes from a key or from a tensor's shape, and both are checked against each
 * other once, in model.c. After that the forward pass (dense.c) cannot fail.
 */
#ifndef RT_MODEL_H
#define RT_MODEL_H

#include <stdatomic.h>

#include "../base/base.h"
#include "../gguf/gguf.h"
#include "../kernels/kernels.h"
#include "kv.h"
#include "rope.h"

/* What the architecture's name decides; everything else is in the keys and tensors. */
typedef struct rt_architecture {
  const char *name; /* general.architecture, also the prefix of its keys */
  bool neox;        /* RoPE rotates the pairs (i, i + n_rot/2), not (2i, 2i + 1) */
  bool head_norm;   /* RMSNorm of each query and key head before RoPE */
} rt_architecture;

typedef struct rt_hparams {
  const rt_architecture *architecture;
  uint32_t n_layers, n_embd, n_heads, n_kv_heads, head_dim, n_ff, n_vocab, n_ctx_train;
  float rms_eps;
} rt_hparams;

/* What a layer keeps of a position. */
static inline rt_kv_shape rt_kv_shape_of(const rt_hparams *h) {
  return (rt_kv_shape){.n_layers = h->n_layers, .n_heads = h->n_kv_heads, .k_dim = h->head_dim, .v_dim = h->head_dim};
}

/* Reads every hyper-parameter but n_vocab, which is a shape. */
retort_status rt_hparams_read(const retort_gguf *gguf, rt_hparams *hparams, retort_error *error);
/* The GGUF key "{architecture}.{name}" in `key`, which must hold 128 bytes; returns key. */
const char *rt_hparams_key(const rt_hparams *hparams, const char *name, char *key);

typedef struct rt_layer {
  const float *attn_norm;                /* (n_embd) */
  rt_matrix q, k, v;                     /* (n_heads * head_dim, n_embd), (n_kv_heads * head_dim, n_embd) twice */
  const float *q_bias, *k_bias, *v_bias; /* (rows of q, k, v) or NULL */
  const float *q_norm, *k_norm;          /* (head_dim) or NULL */
  rt_matrix o;                           /* (n_embd, n_heads * head_dim) */
  const float *o_bias;                   /* (n_embd) or NULL */
  const float *ffn_norm;                 /* (n_embd) */
  rt_matrix gate, up;                    /* (n_ff, n_embd) */
  rt_matrix down;                        /* (n_embd, n_ff) */
} rt_layer;

/* Small models suffer most from 8-bit activations (SmolLM2-135M: a mean KL divergence of 0.003, as in llama.cpp) and are fast anyway, so
 * below this width they get 15 bits. Part of the numerics. */
enum { RT_TWO_PLANES_BELOW = 1024 };

struct retort_model {
  rt_arena arena; /* this struct's own tables; the weights stay in the file bytes */
  const rt_kernels *kernels;
  rt_hparams hparams;
  rt_rotation rope;
  float attention_scale;    /* head_dim^-1/2 */
  bool two_planes;          /* activations in two int8 planes (rt_exec): n_embd below RT_TWO_PLANES_BELOW */
  rt_matrix embedding;      /* (n_vocab, n_embd) */
  rt_layer *layers;         /* (n_layers) */
  const float *output_norm; /* (n_embd) */
  rt_matrix output;         /* (n_vocab, n_embd): the embedding where the file ties them */
  const char *name;         /* general.name, or "" */
  uint64_t n_parameters;
};

/* ---- the forward pass ------------------------------------------------------------------------------------------------------ */

/* Room for the activations of up to n_batch rows; belongs to one thread at a time. */
typedef struct rt_work {
  rt_arena arena;
  rt_exec exec;
  uint32_t n_batch;
  float *x, *h;                 /* (n_batch, n_embd): residual stream, and what a matrix reads or has written */
  float *q, *attended;          /* (n_batch, n_heads * head_dim) */
  float *k, *v;                 /* (n_batch, n_kv_heads * head_dim) */
  float *gate, *up;             /* (n_batch, n_ff); in the same memory as q, attended, k and v */
  float *cos_sin;               /* (n_batch, n_rot) */
  uint32_t *visible;            /* (n_batch) */
  const uint8_t *const **pages; /* (n_batch) */
  struct rt_row *rows;          /* (n_batch) rows that the last layer goes on with */
  uint8_t *matmul, *attention;  /* what rt_matmul and rt_attention_run ask for */
} rt_work;
retort_status rt_work_open(rt_work *work, const retort_platform *platform, const retort_model *model, uint32_t n_batch, uint32_t n_ctx,
                           retort_error *error);
void rt_work_close(rt_work *work);

/* One row of a batch: token `token` at position `position` of the sequence that `cache` remembers, where it is writable. All smaller
 * positions must be in the cache or in the same batch before it. Rows of one sequence stand together, in increasing order. */
typedef struct rt_row {
  const rt_kv_table *cache;
  uint32_t position;
  int32_t token;               /* 0..n_vocab-1 */
  bool wanted;                 /* its logits are asked for */
  const atomic_bool *given_up; /* set by any thread: this row is no longer of use; NULL: it always is */
} rt_row;

/* Computes n <= n_batch rows, stores their keys and values, and writes the logits of the wanted rows, in order, to `logits`
 * (wanted rows, n_vocab). A row's bits depend on its sequence only, never on the other rows, n_batch, the workers or the kernels. False
 * where it stopped between two layers because no row is of use any more: then the positions of the rows hold nothing that may be used. */
bool rt_forward(const retort_model *model, rt_work *work, const rt_row *rows, uint32_t n, float *logits);

#endif
