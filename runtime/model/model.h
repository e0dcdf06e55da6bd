/* model.h - an open model: hyper-parameters from the GGUF keys, tensors bound in place, and the one thing it does: a batch of rows.
 *
 * Nothing here is hard-coded per checkpoint: every number comes from a key or from a tensor's shape, and both are checked against each
 * other once (hparams.c, bind.c). After that the forward pass cannot fail. What differs between architectures is a table of functions, one
 * file a family; architectures.c lists them.
 */
#ifndef RT_MODEL_H
#define RT_MODEL_H

#include <stdatomic.h>

#include "../base/base.h"
#include "../gguf/gguf.h"
#include "../kernels/kernels.h"
#include "kv.h"
#include "rope.h"

typedef struct rt_family rt_family;
typedef struct rt_binder rt_binder; /* bind.h */

/* What the architecture's name decides; everything else is in the keys and tensors. */
typedef struct rt_architecture {
  const char *name; /* general.architecture, also the prefix of its keys */
  const rt_family *family;
  bool neox;      /* RoPE rotates the pairs (i, i + n_rot/2), not (2i, 2i + 1) */
  bool head_norm; /* RMSNorm of each query and key head before RoPE */
} rt_architecture;

/* Of the table, in its order; NULL past the end. */
const rt_architecture *rt_architecture_at(size_t index);

typedef struct rt_hparams {
  const rt_architecture *architecture;
  uint32_t n_layers, n_embd, n_heads, n_vocab, n_ctx_train; /* every architecture has these */
  float rms_eps;
  uint32_t n_kv_heads, head_dim, n_ff; /* its family reads these */
} rt_hparams;

/* What the model keeps of a position. */
rt_kv_shape rt_kv_shape_of(const rt_hparams *hparams);

/* Far above every model known, far below what would overflow. */
enum { RT_MAX_LAYERS = 1 << 14, RT_MAX_WIDTH = 1 << 24, RT_MAX_HEADS = 1 << 16, RT_MAX_HEAD_DIM = 1 << 12 };

/* Finds the architecture and reads every hyper-parameter but n_vocab, which is a shape. RETORT_ERROR_UNSUPPORTED for an architecture that
 * is not in the table lists those that are. */
retort_status rt_hparams_read(const retort_gguf *gguf, rt_hparams *hparams, retort_error *error);
/* Those that every architecture has. */
retort_status rt_hparams_common(const retort_gguf *gguf, rt_hparams *hparams, retort_error *error);
/* The GGUF key "{architecture}.{name}" in `key`, which must hold 128 bytes; returns key. */
const char *rt_hparams_key(const rt_hparams *hparams, const char *name, char *key);
/* Whole numbers among the keys. An optional one that is absent leaves *out as it is; one outside min..max is an error. */
typedef struct rt_number_key {
  const char *name;
  bool required;
  uint32_t min, max, *out;
} rt_number_key;
retort_status rt_hparams_numbers(const retort_gguf *gguf, const rt_hparams *hparams, const rt_number_key *keys, size_t n,
                                 retort_error *error);

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
  void *layers;             /* (n_layers) of the family's own type */
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
  float *x, *h;        /* (n_batch, n_embd): residual stream, and what a matrix reads or has written */
  float *cos_sin;      /* (n_batch, n_rot) */
  struct rt_row *rows; /* (n_batch) rows that the last layer goes on with */
  uint8_t *matmul;     /* what rt_matmul asks for */
  void *own;           /* the family's: its other activations */
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

/* ---- a family of architectures: one file, one table of functions ----------------------------------------------------------------- */

struct rt_family {
  /* Reads and checks the hyper-parameters that rt_hparams_read has not read. */
  retort_status (*read)(const retort_gguf *gguf, rt_hparams *hparams, retort_error *error);
  /* Makes model->layers and binds each layer's tensors; failures stay in the binder. */
  void (*bind)(rt_binder *binder);
  /* What its forward pass keeps of a position in the cache. */
  rt_kv_shape (*kv_shape)(const rt_hparams *hparams);
  /* Places work->own with all that it points to, and what rt_matmul needs (rt_place_products), for n_batch rows of contexts of n_ctx
   * positions. Called twice: to count, and to carve. */
  void (*place)(const retort_model *model, uint32_t n_ctx, rt_work *work, rt_layout *at);
  /* rt_forward. */
  bool (*forward)(const retort_model *model, rt_work *work, const rt_row *rows, uint32_t n, float *logits);
};
extern const rt_family rt_dense; /* dense.c: llama, qwen2, qwen3 */

#endif
