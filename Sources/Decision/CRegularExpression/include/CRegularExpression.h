// The C face of RE2 (https://github.com/google/re2): compile a pattern, search bytes with it.
// It must not interpret patterns, keep global state, or let a C++ exception out.

#ifndef LILIUM_CREGULAREXPRESSION_H
#define LILIUM_CREGULAREXPRESSION_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
#define LILIUM_NOEXCEPT noexcept
extern "C" {
#else
#define LILIUM_NOEXCEPT
#endif

/// A compiled pattern. May be used by several threads at once.
typedef struct lilium_regex lilium_regex;

/// Compiles `pattern` (`length` bytes of UTF-8). Returns NULL where RE2 refuses it; `error` then holds RE2's reason
/// as text that ends in NUL, cut to `capacity` bytes. The caller owns the result and frees it with lilium_regex_free.
lilium_regex *lilium_regex_compile(const char *pattern, size_t length, char *error, size_t capacity) LILIUM_NOEXCEPT;

/// Whether the pattern matches some part of `text` (`length` bytes; `text` may be NULL where that is 0).
bool lilium_regex_search(const lilium_regex *regex, const char *text, size_t length) LILIUM_NOEXCEPT;

void lilium_regex_free(lilium_regex *regex) LILIUM_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
