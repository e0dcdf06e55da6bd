/* dense.c - llama, qwen2 and qwen3: hyper-parameters, tensors, memory and the forward pass, top to bottom in the order of computation.
 *
 * The three differ in the order of RoPE pairs, in biases and in the norms of query and key heads; the model's tables say which, the code is
 * one straight line. Every step works row by row or is a product whose rows do not see each other, so a row's bits cannot depend on its
 * neighbours. A layer costs five parallel regions when one row is computed: (q, k, v), attention, o, (gate, up), down; what stands between
 * them is too little work to share, but for many rows it is shared too.
 * In the last layer only wanted rows go on after their keys and values are stored.
 */
#include "bind.h"
#include "steps.h"

/* ---- hyper-parameters -------------------------------------------------------------------------------------------------------------- */

static retort_status check_heads(const retort_gguf *gguf, const rt_hparams *h, retort_error *error) {
  char key[128];
  if (h->n_heads % h->n_kv_heads)
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s is %u, which does not divide the %u heads",
                   rt_hparams_key(h, "attention.head_count_kv", key), h->n_kv_heads, h->n_heads);
  if (!rt_gguf_has(gguf, rt_hparams_key(h, "attention.key_length", key)) && h->n_embd % h->n_heads)
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s is missing and the embedding length %u is not a multiple of the %u heads", key,
                   h->n_embd, h->n_heads);
  if (h->head_dim < 1 || h->head_dim > RT_MAX_HEAD_DIM)
    return rt_fail(error, RETORT_ERROR_FORMAT, "head size %u is outside 1..%d", h->head_dim, RT_MAX_HEAD_DIM);
  if ((uint64_t)h->n_heads * h->head_dim > RT_MAX_WIDTH)
    return rt_fail(error, RETORT_ERROR_FORMAT, "%u heads of %u elements are more than %d in sum", h->n_heads, h->head_dim, RT_MAX_WIDTH);
  return RETORT_OK;
}

static retort_status read_hparams(const retort_gguf *gguf, rt_hparams *h, retort_error *error) {
  uint32_t value_length = 0, experts = 0;
  h->n_kv_heads = h->n_heads;
  h->head_dim = h->n_embd / h->n_heads;
  const rt_number_key keys[] = {
      {"feed_forward_length", true, 1, RT_MAX_WIDTH, &h->n_ff},
      {"attention.head_count_kv", false, 1, RT_MAX_HEADS, &h->n_kv_heads},
      {"attention.key_length", false, 1, RT_MAX_HEAD_DIM, &h->head_dim},
      {"attention.value_length", false, 1, RT_MAX_HEAD_DIM, &value_length},
      {"expert_count", false, 0, UINT32_MAX, &experts},
  };
  retort_status status = rt_hparams_numbers(gguf, h, keys, RT_COUNT(keys), error);
  if (status || (status = check_heads(gguf, h, error))) return status;
  if (value_length && value_length != h->head_dim)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED,
                   "%s.attention.value_length is %u but keys have %u elements: %s models with unequal ones are not run",
                   h->architecture->name, value_length, h->head_dim, h->architecture->name);
  if (experts)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "%s.expert_count is %u: mixture-of-experts models of architecture %s are not run",
                   h->architecture->name, experts, h->architecture->name);
  return RETORT_OK;
}

/* ---- tensors ----------------------------------------------------------------------------------------------------------------------- */

typedef struct layer {
  const float *attn_norm;                /* (n_embd) */
  rt_matrix q, k, v;                     /* (n_heads * head_dim, n_embd), (n_kv_heads * head_dim, n_embd) twice */
  const float *q_bias, *k_bias, *v_bias; /* (rows of q, k, v) or NULL */
  const float *q_norm, *k_norm;          /* (head_dim) or NULL */
  rt_matrix o;                           /* (n_embd, n_heads * head_dim) */
  const float *o_bias;                   /* (n_embd) or NULL */
  const float *ffn_norm;                 /* (n_embd) */
  rt_matrix gate, up;                    /* (n_ff, n_embd) */
  rt_matrix down;                        /* (n_embd, n_ff) */
} layer;

static void bind_layer(rt_binder *b, layer *l) {
  const rt_hparams *h = &b->model->hparams;
  uint32_t n_q = h->n_heads * h->head_dim, n_kv = h->n_kv_heads * h->head_dim;
  rt_bind_vector(b, "attn_norm.weight", h->n_embd, true, &l->attn_norm);
  rt_bind_matrix(b, "attn_q.weight", h->n_embd, n_q, &l->q);
  rt_bind_matrix(b, "attn_k.weight", h->n_embd, n_kv, &l->k);
  rt_bind_matrix(b, "attn_v.weight", h->n_embd, n_kv, &l->v);
  rt_bind_vector(b, "attn_q.bias", n_q, false, &l->q_bias);
  rt_bind_vector(b, "attn_k.bias", n_kv, false, &l->k_bias);
  rt_bind_vector(b, "attn_v.bias", n_kv, false, &l->v_bias);
  if (h->architecture->head_norm) {
    rt_bind_vector(b, "attn_q_norm.weight", h->head_dim, true, &l->q_norm);
    rt_bind_vector(b, "attn_k_norm.weight", h->head_dim, true, &l->k_norm);
  }
  rt_bind_matrix(b, "attn_output.weight", n_q, h->n_embd, &l->o);
  rt_bind_vector(b, "attn_output.bias", h->n_embd, false, &l->o_bias);
  rt_bind_vector(b, "ffn_norm.weight", h->n_embd, true, &l->ffn_norm);
  rt_bind_matrix(b, "ffn_gate.weight", h->n_embd, h->n_ff, &l->gate);
  rt_bind_matrix(b, "ffn_up.weight", h->n_embd, h->n_ff, &l->up);
  rt_bind_matrix(b, "ffn_down.weight", h->n_ff, h->n_embd, &l->down);
}

static void bind(rt_binder *b) {
  retort_model *m = b->model;
  layer *layers = rt_arena_alloc(&m->arena, m->hparams.n_layers, sizeof *layers);
  m->layers = layers;
  if (!layers) b->status = rt_fail_memory(b->error, m->hparams.n_layers * (uint64_t)sizeof *layers, "the table of layers");
  for (uint32_t i = 0; i < m->hparams.n_layers && !b->status; i++) {
    rt_bind_layer(b, i);
    bind_layer(b, &layers[i]);
  }
}

static const layer *layer_of(const rt_pass *p) { return (const layer *)p->model->layers + p->layer; }

/* ---- memory ------------------------------------------------------------------------------------------------------------------------ */

typedef struct activations {
  float *q, *attended;          /* (n_batch, n_heads * head_dim) */
  float *k, *v;                 /* (n_batch, n_kv_heads * head_dim) */
  float *gate, *up;             /* (n_batch, n_ff); in the same memory as q, attended, k and v */
  uint32_t *visible;            /* (n_batch) */
  const uint8_t *const **pages; /* (n_batch) */
  uint8_t *attention;           /* what rt_attention_run asks for */
} activations;

static rt_kv_shape kv_shape(const rt_hparams *h) {
  return (rt_kv_shape){.n_layers = h->n_layers, .n_heads = h->n_kv_heads, .k_dim = h->head_dim, .v_dim = h->head_dim};
}

static uint32_t most(uint32_t a, uint32_t b) { return a > b ? a : b; }

static void place(const retort_model *model, uint32_t n_ctx, rt_work *work, rt_layout *at) {
  const rt_hparams *h = &model->hparams;
  uint64_t n = work->n_batch, n_q = n * h->n_heads * h->head_dim, n_kv = n * h->n_kv_heads * h->head_dim;
  activations a, *own = work->own = rt_place(at, 1, sizeof a);
  rt_place_products(work, at, most(most(h->n_embd, h->n_heads * h->head_dim), h->n_ff), work->n_batch, 1);
  const rt_attention attention = {.k.dim = h->head_dim, .v.dim = h->head_dim, .n_heads = h->n_heads, .n_kv_heads = h->n_kv_heads};
  a.attention = rt_place(at, rt_attention_work_bytes(&work->exec, &attention, work->n_batch, n_ctx), 1);
  a.visible = rt_place(at, n, sizeof *a.visible);
  a.pages = rt_place(at, n, sizeof *a.pages);
  rt_layout ffn = *at; /* attention's rows and the feed-forward's rows are never alive at once */
  a.q = rt_place(at, n_q, sizeof(float));
  a.attended = rt_place(at, n_q, sizeof(float));
  a.k = rt_place(at, n_kv, sizeof(float));
  a.v = rt_place(at, n_kv, sizeof(float));
  a.gate = rt_place(&ffn, n * h->n_ff, sizeof(float));
  a.up = rt_place(&ffn, n * h->n_ff, sizeof(float));
  if (ffn.size > at->size) *at = ffn;
  if (own) *own = a;
}

/* ---- steps that treat each row alone ----------------------------------------------------------------------------------------------- */

/* Norm and rotation of the row's query and key heads; keys and values go into the cache. */
static void rotate_and_store(const rt_pass *p, uint32_t i) {
  const retort_model *m = p->model;
  const rt_hparams *h = &m->hparams;
  const layer *l = layer_of(p);
  const activations *a = p->work->own;
  const rt_row *row = &p->rows[i];
  const rt_kv_layout *layout = &row->cache->pool->layout;
  uint32_t dim = h->head_dim;
  const float *cos_sin = rt_row_of(p->work->cos_sin, i, m->rope.n_rot);
  float *q = rt_row_of(a->q, i, h->n_heads * dim), *k = rt_row_of(a->k, i, h->n_kv_heads * dim),
        *v = rt_row_of(a->v, i, h->n_kv_heads * dim);
  for (uint32_t head = 0; head < h->n_heads; head++) {
    float *one = rt_row_of(q, head, dim);
    if (l->q_norm) rt_rmsnorm(m->kernels, one, l->q_norm, h->rms_eps, dim, one);
    rt_rope(m->kernels, one, cos_sin, m->rope.n_rot, h->architecture->neox);
  }
  uint8_t *page = row->cache->pages[row->position / RT_ATTENTION_BLOCK];
  const rt_kv_place keys = rt_kv_keys(layout, p->layer), values = rt_kv_values(layout, p->layer);
  uint32_t at = row->position % RT_ATTENTION_BLOCK;
  for (uint32_t head = 0; head < h->n_kv_heads; head++) {
    float *one = rt_row_of(k, head, dim);
    if (l->k_norm) rt_rmsnorm(m->kernels, one, l->k_norm, h->rms_eps, dim, one);
    rt_rope(m->kernels, one, cos_sin, m->rope.n_rot, h->architecture->neox);
    rt_kv_store(m->kernels, layout->type, one, dim, page + keys.offset + head * keys.head_bytes + at * keys.row_bytes);
    rt_kv_store(m->kernels, layout->type, rt_row_of(v, head, dim), dim,
                page + values.offset + head * values.head_bytes + at * values.row_bytes);
  }
}

/* gate = silu(gate) * up */
static void activate(const rt_pass *p, uint32_t i) {
  const activations *a = p->work->own;
  uint32_t n = p->model->hparams.n_ff;
  rt_swiglu(p->model->kernels, rt_row_of(a->gate, i, n), rt_row_of(a->up, i, n), n);
}

/* ---- the pass ---------------------------------------------------------------------------------------------------------------------- */

/* attended = each row's attention to its own sequence. */
static void attend(const rt_pass *p) {
  const rt_hparams *h = &p->model->hparams;
  const activations *a = p->work->own;
  const rt_kv_layout *layout = &p->rows[0].cache->pool->layout;
  for (uint32_t i = 0; i < p->n; i++) {
    a->visible[i] = p->rows[i].position + 1;
    a->pages[i] = (const uint8_t *const *)p->rows[i].cache->pages;
  }
  const rt_attention attention = {.kv_type = layout->type,
                                  .k = rt_kv_keys(layout, p->layer),
                                  .v = rt_kv_values(layout, p->layer),
                                  .n_heads = h->n_heads,
                                  .n_kv_heads = h->n_kv_heads,
                                  .scale = p->model->attention_scale,
                                  .q = a->q,
                                  .out = a->attended,
                                  .pages = a->pages,
                                  .visible = a->visible,
                                  .n = p->n};
  rt_attention_run(&p->work->exec, &attention, a->attention);
}

static bool forward(const retort_model *model, rt_work *work, const rt_row *rows, uint32_t n, float *logits) {
  const rt_hparams *h = &model->hparams;
  const rt_exec *exec = &work->exec;
  const activations *a = work->own;
  const layer *l = model->layers;
  rt_pass p = {.model = model, .work = work, .rows = rows, .n = n, .norm = l->attn_norm};

  rt_each_row(&p, rt_step_embed); /* x, h: (n, n_embd) */
  for (; p.layer < h->n_layers; p.layer++, l++) {
    bool last = p.layer + 1 == h->n_layers;
    if (rt_all_given_up(&p)) return false;

    /* attention: q (n, n_heads, head_dim), k and v (n, n_kv_heads, head_dim) */
    const rt_matmul_part qkv[] = {rt_part(&p, &l->q, l->q_bias, work->h, a->q), rt_part(&p, &l->k, l->k_bias, work->h, a->k),
                                  rt_part(&p, &l->v, l->v_bias, work->h, a->v)};
    rt_matmul(exec, qkv, 3, work->matmul);
    rt_each_row(&p, rotate_and_store);
    if (last) rt_keep_wanted(&p, a->q, h->n_heads * h->head_dim);
    if (p.n == 0) return true;
    attend(&p);                                                                   /* attended: (n, n_heads, head_dim) */
    const rt_matmul_part o = rt_part(&p, &l->o, l->o_bias, a->attended, work->h); /* h: (n, n_embd) */
    rt_matmul(exec, &o, 1, work->matmul);
    p.norm = l->ffn_norm;
    rt_each_row(&p, rt_step_add_and_norm);

    /* feed-forward: gate and up (n, n_ff) */
    const rt_matmul_part gate_up[] = {rt_part(&p, &l->gate, NULL, work->h, a->gate), rt_part(&p, &l->up, NULL, work->h, a->up)};
    rt_matmul(exec, gate_up, 2, work->matmul);
    rt_each_row(&p, activate);
    const rt_matmul_part down = rt_part(&p, &l->down, NULL, a->gate, work->h); /* h: (n, n_embd) */
    rt_matmul(exec, &down, 1, work->matmul);
    p.norm = last ? model->output_norm : l[1].attn_norm;
    rt_each_row(&p, rt_step_add_and_norm);
  }
  rt_output(&p, logits); /* (n, n_vocab) */
  return true;
}

const rt_family rt_dense = {.read = read_hparams, .bind = bind, .kv_shape = kv_shape, .place = place, .forward = forward};
