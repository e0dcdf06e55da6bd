/* ember_hashes.h - SHA-256 of models/ember/ember.gguf, and of all logits that it gives to the text in test_reproducible.c.
 *
 * Printed by `test_reproducible print ember`: portable kernels, one thread, the text in one batch. EMBER_LOGITS changes with the file, or else
 * with the numerics contract: raise RETORT_NUMERICS then.
 */
#define EMBER_FILE "2a3305dd3a9df6823794660e6ab67a8263ae6a2a1283a6bdf5b315860e98a659"
#define EMBER_LOGITS "204387a7eabd5051e0d579bb22cd266d66424e255b125a5d0766fea7483e0fa0" // (109, 640)
