// Assertions against programmer errors. They stay on in release builds: a proxy that goes on with
// a broken invariant may serve one user's page to another. Never use them on outside input.
#pragma once

namespace weir {

[[noreturn]] void check_failed(const char* file, int line, const char* condition);

}  // namespace weir

// Aborts with the place and the condition's text when it does not hold.
#define WEIR_CHECK(condition)                               \
  do {                                                      \
    if (!(condition)) [[unlikely]]                          \
      ::weir::check_failed(__FILE__, __LINE__, #condition); \
  } while (false)
