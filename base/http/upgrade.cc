#include "base/http/upgrade.h"

#include <algorithm>
#include <array>

#include "base/http/char_class.h"
#include "base/http/hop_by_hop.h"
#include "base/text.h"

namespace weir::http {
namespace {

// HTTP in another form, or within TLS: its requests would pass behind the back of every rule.
constexpr std::array<std::string_view, 4> kHttpAgain = {"h2c", "h2", "HTTP", "TLS"};

// protocol-name ["/" protocol-version]
bool is_tunnel(std::string_view protocol) {
  const std::size_t slash = protocol.find('/');
  const std::string_view name = protocol.substr(0, slash);
  if (!is_token(name)) return false;
  if (slash != std::string_view::npos && !is_token(protocol.substr(slash + 1))) return false;
  return std::none_of(kHttpAgain.begin(), kHttpAgain.end(),
                      [&](std::string_view http) { return equals_ignore_case(http, name); });
}

}  // namespace

std::string upgrade_offer(const RequestHead& request) {
  std::string offer;
  if (!request.has(FieldId::Upgrade) || request.minor_version == 0) return offer;
  if (request.framing != Framing::None || !named_by_connection(request, "upgrade")) return offer;
  for (const FieldView& field : request.fields) {
    if (field.id != FieldId::Upgrade) continue;
    for_each_list_element(field.value, [&](std::string_view protocol) {
      if (!is_tunnel(protocol)) return;
      if (!offer.empty()) offer += ", ";
      offer += protocol;
    });
  }
  return offer;
}

bool names_tunnels(std::string_view protocols) {
  bool any = false;
  bool all = true;
  for_each_list_element(protocols, [&](std::string_view protocol) {
    any = true;
    all = all && is_tunnel(protocol);
  });
  return any && all;
}

}  // namespace weir::http
