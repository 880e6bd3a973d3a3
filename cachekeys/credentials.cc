#include "cachekeys/credentials.h"

#include <algorithm>
#include <span>

namespace weir::keys {
namespace {

// Apps invent names for credentials daily, but hardly words.
constexpr std::string_view kWords[] = {
    "authorization",    "token",         "api-key",    "apikey",      "access-key",
    "secret",           "session",       "credential", "jwt",         "password",
    "subscription-key", "functions-key", "master-key", "appwrite-key"};

// What has none of the words in it. Most of these an identity proxy, a gateway or a server that
// ends TLS writes, to tell the app who is asking. Sorted.
constexpr std::string_view kNames[] = {
    "client-cert",
    "client-cert-chain",
    "dpop",
    "eppn",
    "remote-email",
    "remote-groups",
    "remote-name",
    "remote-user",
    "signature",
    "signature-input",
    "x-apigateway-api-userinfo",
    "x-arr-clientcert",
    "x-auth",
    "x-endpoint-api-userinfo",
    "x-forwarded-client-cert",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-user",
    "x-remote-user",
    "x-user",
    "x-user-email",
    "x-user-id",
    "x-user-name",
    "x-user-roles",
    "x-userid",
    "x-userinfo",
    "x-username",
};
static_assert(std::ranges::is_sorted(kNames));

// What such names begin with. Sorted; none begins with another one.
constexpr std::string_view kPrefixes[] = {
    "oidc-",
    "ssl-client-",
    "tailscale-user-",
    "x-amzn-mtls-",
    "x-amzn-oidc-",
    "x-auth-",
    "x-authenticated-",
    "x-authentik-",
    "x-client-cert",
    "x-consumer-",
    "x-forwarded-tls-client-cert",
    "x-goog-authenticated-user-",
    "x-ms-client-principal",
    "x-oidc-",
    "x-pomerium-",
    "x-remote-user-",
    "x-ssl-client-",
    "x-vouch-",
    "x-webauth-",
};
static_assert(std::ranges::is_sorted(kPrefixes));

bool holds(std::string_view name, std::string_view word) {
  const auto same = [](char a, char b) { return (a == '_' ? '-' : ascii_lower(a)) == b; };
  return !std::ranges::search(name, word, same).empty();
}

bool is_less(std::string_view name, std::string_view known) {
  return std::ranges::lexicographical_compare(name, known, {}, ascii_lower);
}

// The last of the sorted list that `name` does not come before: the only one it can begin with.
std::string_view last_before(std::span<const std::string_view> list, std::string_view name) {
  const auto behind = std::ranges::upper_bound(list, name, is_less);
  return behind == list.begin() ? std::string_view{} : *(behind - 1);
}

}  // namespace

bool is_forgery_token(std::string_view name) {
  if (!may_hold_credential_word(name)) return false;  // all of them hold "token"
  return holds(name, "token") &&
         (holds(name, "csrf") || holds(name, "xsrf") || holds(name, "requestverification"));
}

bool is_known_credential(std::string_view name) {
  if (may_hold_credential_word(name) &&
      std::ranges::any_of(kWords, [&](std::string_view word) { return holds(name, word); })) {
    // The client's word to this hop (RFC 9110 11.7.1): it travels no further.
    return !is_forgery_token(name) && !equals_ignore_case(name, "proxy-authorization");
  }
  const std::string_view known = last_before(kNames, name);
  if (!known.empty() && equals_ignore_case(known, name)) return true;
  const std::string_view prefix = last_before(kPrefixes, name);
  return !prefix.empty() && starts_with_ignore_case(name, prefix);
}

std::uint32_t known_credential_letters() {
  std::uint32_t letters = 0;
  for (const std::span<const std::string_view> list :
       {std::span<const std::string_view>(kNames), std::span<const std::string_view>(kPrefixes)}) {
    for (const std::string_view name : list) letters |= 1U << (name.front() - 'a');
  }
  return letters;
}

}  // namespace weir::keys
