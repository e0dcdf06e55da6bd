/* ember_hashes.h - SHA-256 of models/ember/ember.gguf, and of all logits that it gives to the text in test_reproducible.c.
 *
 * Printed by `test_reproducible print ember`: portable kernels, one thread, the text in one batch. EMBER_LOGITS changes with the file, or else
 * with the numerics contract: raise RETORT_NUMERICS then.
 */
#define EMBER_FILE "d62785002ad6bccbe84f141a85ba1a3703722bce01a7817e47eee20507208849"
#define EMBER_LOGITS "8754baf377be48bbc91b729ad4742afe8097b75be9a52d2a904454baa04b8927" // (109, 640)
