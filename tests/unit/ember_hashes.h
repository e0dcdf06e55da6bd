/* ember_hashes.h - SHA-256 of models/ember/ember.gguf, and of all logits that it gives to the text in test_reproducible.c.
 *
 * Printed by `test_reproducible print ember`: portable kernels, one thread, the text in one batch. EMBER_LOGITS changes with the file, or else
 * with the numerics contract: raise RETORT_NUMERICS then.
 */
#define EMBER_FILE "733d40c7d029b73419ddffbaa3e815cf13f6eebb88c50bfc13b9ce046256930a"
#define EMBER_LOGITS "6ee08050e660ee56bc499e7771c7a992c8f798ca7cef32de660ed1f13aab818f" // (109, 640)
