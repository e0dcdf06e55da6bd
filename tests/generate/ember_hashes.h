/* ember_hashes.h - SHA-256 of models/ember/ember.gguf, and of all logits that it gives to the text in test_reproducible.c.
 *
 * Printed by `test_reproducible print ember`: portable kernels, one thread, the text in one batch. EMBER_LOGITS changes with the file, or
 * else with the numerics contract: raise RETORT_NUMERICS then.
 */
#define EMBER_FILE "81eb9407b32492fee0aa44e90a9ffc5371435d5bb54f4e678ba9a6cd9a467418"
#define EMBER_LOGITS "ade6701241d578ce5ede4893ef9a845d213fbfbb04708533f7376e9629fd06f1" // (109, 640)
