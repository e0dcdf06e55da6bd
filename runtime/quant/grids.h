/* grids.h - the codebooks of formats whose codes are indices. One copy for all instruction sets: decoders are compiled into every variant.
 */
#ifndef RT_QUANT_GRIDS_H
#define RT_QUANT_GRIDS_H

#include <stdint.h>

extern const uint8_t rt_iq4_codes_of[16]; /* IQ4_NL, IQ4_XS: an index's value + 128 */

#endif
