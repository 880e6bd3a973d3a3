// The parameters that apps take once only: what a log-in at another site comes back with, and what
// stands in mailed links.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "cachekeys/percent.h"
#include "cachekeys/query.h"

namespace weir::keys {
namespace {

// In lower case and without '_', '-' and '.', since apps write them in every way. Sorted.
// Not among them: what turns pages (page_token, continuation_token), which is asked for at will.
constexpr std::string_view kNames[] = {
    "accesstoken",
    "activationcode",
    "activationkey",
    "activationtoken",
    "authtoken",
    "clerkticket",  // __clerk_ticket
    "confirmationcode",
    "confirmationtoken",
    "confirmtoken",
    "emailtoken",
    "idtoken",
    "invitationtoken",
    "invitetoken",
    "jwt",
    "logintoken",
    "magictoken",
    "nonce",
    "oauthtoken",
    "oauthverifier",
    "onetimepassword",
    "onetimetoken",
    "oobcode",
    "openidresponsenonce",
    "openidsig",
    "otc",
    "otp",
    "ott",
    "passcode",
    "passwordresettoken",
    "resetpasswordtoken",
    "resettoken",
    "samlart",
    "samlrequest",
    "samlresponse",
    "sesame",
    "signintoken",
    "ssotoken",
    "ticket",
    "token",
    "tokenhash",
    "unlocktoken",
    "unsubscribetoken",
    "verificationcode",
    "verificationtoken",
    "verifytoken",
    "wpnonce",
};
static_assert(std::ranges::is_sorted(kNames));

constexpr std::size_t kLongest = std::ranges::max(kNames, {}, &std::string_view::size).size();

// A name in the list's form, in a buffer that the longest of the list fills; a longer one is cut
// behind that, and so is none of them.
class PlainName {
 public:
  explicit PlainName(std::string_view name) {
    for (const char c : name) {
      if (c == '_' || c == '-' || c == '.') continue;
      if (size_ == bytes_.size()) return;
      bytes_[size_++] = ascii_lower(c);
    }
  }
  std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, kLongest + 1> bytes_;
  std::size_t size_ = 0;
};

}  // namespace

// OAuth's `code` may be a discount's too: it is the log-in's beside `state`, and so is its `error`.
bool is_used_once(std::string_view query) {
  if (query.empty()) return false;
  thread_local std::string scratch;
  bool listed = false;
  bool answer = false;
  bool state = false;
  for_each_parameter(query, [&](std::string_view parameter) {
    const PlainName name(decoded_name(parameter_name(parameter), scratch));
    const std::string_view text = name.text();
    listed = listed || std::ranges::binary_search(kNames, text);
    answer = answer || text == "code" || text == "error";
    state = state || text == "state";
  });
  return listed || (answer && state);
}

}  // namespace weir::keys
