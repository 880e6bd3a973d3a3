#include "proxy/policy/reason.h"

#include <array>

#include "base/check.h"

namespace weir::policy {
namespace {

struct Words {
  std::string_view token;
  std::string_view text;
};

constexpr std::array<Words, static_cast<std::size_t>(Reason::Count)> kWords = {
    {{"", ""},
#define WEIR_REASON_WORDS(id, token, text) {token, text},
     WEIR_REASONS(WEIR_REASON_WORDS)
#undef WEIR_REASON_WORDS
    }};

const Words& words(Reason reason) {
  WEIR_CHECK(reason < Reason::Count);
  return kWords[static_cast<std::size_t>(reason)];
}

}  // namespace

std::string_view token(Reason reason) {
  return words(reason).token;
}
std::string_view text(Reason reason) {
  return words(reason).text;
}
Reason reason_of(std::string_view token) {
  for (std::size_t i = 1; i < kWords.size(); ++i) {
    if (kWords[i].token == token) return static_cast<Reason>(i);
  }
  return Reason::None;
}

}  // namespace weir::policy
