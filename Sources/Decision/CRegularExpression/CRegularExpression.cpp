// RE2 behind C functions. `noexcept` holds the border: where memory runs out the process ends, as it does in Swift.

#include "CRegularExpression.h"

#include <cstring>
#include <new>
#include <re2/re2.h>

struct lilium_regex {
  re2::RE2 expression;

  lilium_regex(re2::StringPiece pattern, const re2::RE2::Options &options) : expression(pattern, options) {}
};

namespace {

/// A pattern's program and its caches together stay below this, whatever the text; RE2 refuses a larger pattern.
constexpr int64_t maximumMemory = 2 << 20;

void report(const std::string &reason, char *error, size_t capacity) noexcept {
  if (capacity == 0) return;
  const size_t length = reason.size() < capacity ? reason.size() : capacity - 1;
  std::memcpy(error, reason.data(), length);
  error[length] = '\0';
}

}  // namespace

extern "C" lilium_regex *lilium_regex_compile(
    const char *pattern, size_t length, char *error, size_t capacity) noexcept {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(maximumMemory);
  options.set_never_capture(true);
  auto *regex = new lilium_regex(re2::StringPiece(pattern, length), options);
  if (regex->expression.ok()) return regex;
  report(regex->expression.error(), error, capacity);
  delete regex;
  return nullptr;
}

extern "C" bool lilium_regex_search(const lilium_regex *regex, const char *text, size_t length) noexcept {
  return regex->expression.Match(
      re2::StringPiece(text, length), 0, length, re2::RE2::UNANCHORED, nullptr, 0);
}

extern "C" void lilium_regex_free(lilium_regex *regex) noexcept { delete regex; }
