/* grids.h - the codebooks of formats whose codes are indices. One copy for all instruction sets: decoders are compiled into every variant.
 *
 * A point of a grid is eight or four elements, a byte each, the first in the lowest byte.
 */
#ifndef RT_QUANT_GRIDS_H
#define RT_QUANT_GRIDS_H

#include <stdint.h>

extern const uint8_t rt_iq4_codes_of[16];                                             /* IQ4_NL, IQ4_XS: an index's value + 128 */
extern const uint8_t rt_mxfp4_codes_of[16];                                           /* MXFP4: an index's value + 12 */
extern const uint64_t rt_iq1_grid[2048];                                              /* IQ1_S, IQ1_M: 0, 8 or 16 */
extern const uint64_t rt_iq2_xxs_grid[256], rt_iq2_xs_grid[512], rt_iq2_s_grid[1024]; /* 8, 25 or 43, without signs */
extern const uint32_t rt_iq3_xxs_grid[256], rt_iq3_s_grid[512];                       /* 4 to 62; 1 to 15; without signs */
extern const uint64_t rt_even_signs[128]; /* 255 where an element is negative; by seven bits, the eighth makes their number even */

#endif
