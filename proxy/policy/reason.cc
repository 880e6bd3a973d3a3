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

}  // namespace weir::policy
