/* ember_hashes.h - SHA-256 of models/ember/ember.gguf, and of all logits that it gives to the text in test_reproducible.c.
 *
 * Printed by `test_reproducible print ember`: portable kernels, one thread, the text in one batch. EMBER_LOGITS changes with the file, or else
 * with the numerics contract: raise RETORT_NUMERICS then.
 */
#define EMBER_FILE "eaa076504662fcbbe059ae82e0a9f79872e03193aba19b7eb609cd69c877ee70"
#define EMBER_LOGITS "b7762089067617ef01238666ae0ae8ac4290760fb4e482ba9255aa3ff36229e9" // (109, 640)
