// Counts heap allocations of the calling thread, for tests that expect none.
// It must not be linked into a product, and does not fit a sanitizer that replaces malloc itself.

#ifndef LILIUM_CALLOCATIONCOUNTER_H
#define LILIUM_CALLOCATIONCOUNTER_H

#include <stdint.h>

/// Calls of malloc, calloc, realloc and the aligned ones by this thread since it began.
uint64_t lilium_allocations(void);

#endif
