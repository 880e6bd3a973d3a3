// Says once of each field in which trusted proxies speak of their visitors and are not believed,
// and which line of the configuration would change that: an app behind two proxies else builds its
// links with a name that no visitor knows, and nobody can see why. One for the process; any thread.
#pragma once

#include <array>
#include <atomic>
#include <iterator>
#include <string>
#include <string_view>

#include "base/http/message.h"
#include "conf/config.h"

namespace weir::front {

class IgnoredFields {
 public:
  explicit IgnoredFields(conf::TrustedFields believed) : believed_(believed) {}

  // Logs what is new in a request of the trusted proxy at `peer`.
  void note(const http::RequestHead& head, std::string_view peer);
  // What that is: each field once.
  conf::TrustedFields take_news(const http::RequestHead& head);

 private:
  const conf::TrustedFields believed_;
  std::array<std::atomic<bool>, std::size(conf::kTrustedFieldNames)> noted_{};
};

// What is logged of fields that are `ignored`. Pure.
std::string ignored_fields_line(conf::TrustedFields believed, conf::TrustedFields ignored,
                                std::string_view peer);

}  // namespace weir::front
