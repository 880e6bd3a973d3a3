#include "proxy/upstream/forwarding.h"

#include <algorithm>
#include <string_view>

#include "base/http/char_class.h"
#include "base/http/forwarded.h"
#include "base/text.h"

namespace weir::upstream {
namespace {

using conf::TrustedField;
using http::FieldId;

bool is_written_here(FieldId id) {
  return id == FieldId::Via || id == FieldId::Forwarded || id == FieldId::XForwardedFor ||
         id == FieldId::XForwardedHost || id == FieldId::XForwardedProto;
}

bool is_address(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' ||
           c == ':';
  });
}

std::string appended(std::string list, std::string_view element) {
  if (!list.empty()) list += ", ";
  list += element;
  return list;
}

// A token as it stands, anything else quoted (RFC 7239 4).
void append_pair(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty()) out += ';';
  out.append(name).append("=");
  if (http::is_token(value)) {
    out += value;
    return;
  }
  out += '"';
  if (http::all_chars(value, http::kQuotedChar)) {
    out += value;
  } else {
    for (const char c : value) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

std::string forwarded_element(const ForwardInfo& info) {
  std::string element;
  element.reserve(64 + info.authority.size());
  if (!is_address(info.peer_ip)) {
    append_pair(element, "for", "unknown");
  } else if (info.peer_ip.find(':') != std::string::npos) {
    append_pair(element, "for", "[" + info.peer_ip + "]");
  } else {
    append_pair(element, "for", info.peer_ip);
  }
  if (!info.authority.empty()) append_pair(element, "host", info.authority);
  append_pair(element, "proto", info.scheme);
  return element;
}

// An address, with or without brackets and port.
bool is_numeric_node(std::string_view node) {
  return !node.empty() && node.find_first_not_of("0123456789abcdefABCDEF.:[]_-") == node.npos;
}

// A node as it may stand behind `for=` (RFC 7239 6), without its quotes: nothing that could end it
// early.
bool is_node(std::string_view node) {
  return http::is_token(node) || is_numeric_node(node);
}

// The clients that an earlier proxy's Forwarded names, and nothing else of it: host and scheme are
// the key's, and an app that believed the first element's would answer for another site.
std::string nodes_of_forwarded(std::string_view forwarded) {
  std::string out;
  for_each_list_element(forwarded, [&](std::string_view element) {
    const std::string_view node = http::forwarded_parameter(element, "for");
    if (!is_node(node)) return;
    std::string pair;
    append_pair(pair, "for", node);
    out = appended(std::move(out), pair);
  });
  return out;
}

// The same clients in X-Forwarded-For's words (RFC 7239 7.4): an address stands there without
// brackets and without its port.
std::string addresses_of_forwarded(std::string_view forwarded) {
  std::string out;
  for_each_list_element(forwarded, [&](std::string_view element) {
    std::string_view node = http::forwarded_parameter(element, "for");
    if (!is_node(node)) return;
    if (node.starts_with('[')) {
      node = node.substr(1, node.find(']') - 1);
    } else {
      node = node.substr(0, node.find(':'));
    }
    out = appended(std::move(out), node);
  });
  return out;
}

// The clients of an X-Forwarded-For in Forwarded's words, so that the two never tell an app
// different stories. What is no address stays out.
std::string nodes_of_addresses(std::string_view addresses) {
  std::string out;
  // A plain list: a quote in it is no quote, and must not hide what stands behind.
  for (std::size_t at = 0; at <= addresses.size();) {
    const std::size_t end = std::min(addresses.find(',', at), addresses.size());
    const std::string_view address = trim_ows(addresses.substr(at, end - at));
    at = end + 1;
    if (!is_numeric_node(address) && address != "unknown") continue;
    const bool bare_v6 = is_address(address) && std::ranges::count(address, ':') > 1;
    std::string pair;
    append_pair(pair, "for", bare_v6 ? "[" + std::string(address) + "]" : std::string(address));
    out = appended(std::move(out), pair);
  }
  return out;
}

// Those before the peer, as the two fields list them.
struct EarlierClients {
  std::string addresses;  // X-Forwarded-For
  std::string nodes;      // Forwarded
};

EarlierClients earlier_clients(const http::RequestHead& client, const ForwardInfo& info) {
  const auto told = [&](TrustedField field, FieldId id) {
    return info.believed.has(field) ? http::joined_lines(client, id) : std::string();
  };
  EarlierClients earlier;
  earlier.addresses = told(TrustedField::For, FieldId::XForwardedFor);
  const std::string forwarded = told(TrustedField::Forwarded, FieldId::Forwarded);
  earlier.nodes = earlier.addresses.empty() ? nodes_of_forwarded(forwarded)
                                            : nodes_of_addresses(earlier.addresses);
  if (earlier.addresses.empty()) earlier.addresses = addresses_of_forwarded(forwarded);
  return earlier;
}

}  // namespace

bool is_forwarding_field(const http::FieldView& field) {
  if (field.id != FieldId::Other) return is_written_here(field.id);
  if (field.name.find('_') == field.name.npos) return false;
  std::string plain(field.name);
  std::ranges::replace(plain, '_', '-');
  const FieldId id = http::field_id(plain);
  return is_written_here(id) || id == FieldId::XForwardedPort || id == FieldId::XForwardedPrefix;
}

void add_forwarding_fields(http::HeaderBlock& fields, const http::RequestHead& client,
                           const ForwardInfo& info) {
  EarlierClients earlier = earlier_clients(client, info);
  const std::string_view peer =
      is_address(info.peer_ip) ? std::string_view(info.peer_ip) : "unknown";
  fields.add(FieldId::XForwardedFor, appended(std::move(earlier.addresses), peer));
  fields.add(FieldId::XForwardedProto, info.scheme);
  if (!info.authority.empty()) fields.add(FieldId::XForwardedHost, info.authority);
  fields.add(FieldId::Forwarded, appended(std::move(earlier.nodes), forwarded_element(info)));
  fields.add(FieldId::Via, appended(http::joined_lines(client, FieldId::Via),
                                    client.minor_version == 0 ? "1.0 weir" : "1.1 weir"));
}

}  // namespace weir::upstream
