#include "proxy/upstream/request_head.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/http/char_class.h"
#include "base/http/hop_by_hop.h"
#include "base/http/upgrade.h"
#include "base/text.h"

namespace weir::upstream {
namespace {

using http::FieldId;
using http::FieldView;

// Claims about the client that only a trusted proxy may make; the three that Weir writes apart.
constexpr std::array<std::string_view, 9> kClaims = {
    "X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Scheme",  "X-Forwarded-Ssl", "X-Real-IP",
    "X-Client-IP",      "True-Client-IP",     "X-Cluster-Client-IP", "X-Forwarded-By"};

bool is_claim(const FieldView& field) {
  return field.id == FieldId::Other &&
         std::any_of(kClaims.begin(), kClaims.end(),
                     [&](std::string_view claim) { return equals_ignore_case(claim, field.name); });
}

bool is_rewritten(FieldId id) {
  return id == FieldId::Via || id == FieldId::Forwarded || id == FieldId::XForwardedFor ||
         id == FieldId::XForwardedHost || id == FieldId::XForwardedProto;
}

bool is_address(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '.' || c == ':';
  });
}

// All values of a field, in one list.
std::string joined(const http::RequestHead& head, FieldId id) {
  std::string list;
  if (!head.has(id)) return list;
  for (const FieldView& field : head.fields) {
    if (field.id != id || field.value.empty()) continue;
    if (!list.empty()) list += ", ";
    list += field.value;
  }
  return list;
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
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

std::string forwarded_element(const ForwardInfo& info) {
  std::string element;
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

// A node as it may stand behind `for=` (RFC 7239 6): nothing that could end it early.
bool is_node(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
    return !value.empty() && value.find_first_not_of("0123456789abcdefABCDEF.:[]_-") == value.npos;
  }
  return http::is_token(value);
}

// The clients that an earlier proxy's Forwarded names, and nothing else of it: host and scheme are
// the key's, and an app that believed the first element's would answer for another site.
std::string earlier_nodes(std::string_view forwarded) {
  std::string out;
  for_each_list_element(forwarded, [&](std::string_view element) {
    while (!element.empty()) {
      const std::size_t end = std::min(element.find(';'), element.size());
      const std::string_view pair = trim_ows(element.substr(0, end));
      element.remove_prefix(std::min(end + 1, element.size()));
      if (!starts_with_ignore_case(pair, "for=") || !is_node(pair.substr(4))) continue;
      if (!out.empty()) out += ", ";
      out.append("for=").append(pair.substr(4));
      return;
    }
  });
  return out;
}

void add_forwarding(http::HeaderBlock& fields, const http::RequestHead& client,
                    const ForwardInfo& info) {
  const auto earlier = [&](FieldId id) {
    return info.peer_trusted ? joined(client, id) : std::string{};
  };
  const std::string_view peer =
      is_address(info.peer_ip) ? std::string_view(info.peer_ip) : "unknown";
  fields.add(FieldId::XForwardedFor, appended(earlier(FieldId::XForwardedFor), peer));
  fields.add(FieldId::XForwardedProto, info.scheme);
  if (!info.authority.empty()) fields.add(FieldId::XForwardedHost, info.authority);
  fields.add(FieldId::Forwarded,
             appended(earlier_nodes(earlier(FieldId::Forwarded)), forwarded_element(info)));
  fields.add(FieldId::Via, appended(joined(client, FieldId::Via),
                                    client.minor_version == 0 ? "1.0 weir" : "1.1 weir"));
}

// RFC 9110 7.6.2: one less for the next recipient. An OPTIONS that may go no further is answered
// before it gets here, TRACE is never forwarded, and for other methods the field means nothing.
void count_forward(http::HeaderBlock& fields, const http::RequestHead& client) {
  if (client.method != http::Method::Options || !client.has(FieldId::MaxForwards)) return;
  const std::string_view told = client.value(FieldId::MaxForwards);
  const bool number = !told.empty() && told.find_first_not_of("0123456789") == told.npos;
  if (!number) return;
  // "The lesser of the decremented value and the most that we support": what does not fit is more.
  const std::uint64_t left = parse_decimal(told).value_or(UINT64_MAX);
  if (left > 0) fields.set(FieldId::MaxForwards, std::to_string(left - 1));
}

}  // namespace

FetchRequest make_fetch_request(const http::RequestHead& client, keys::SentRequest sent,
                                const ForwardInfo& info) {
  FetchRequest request;
  request.method = client.method;
  request.method_text = client.method_text;
  request.target = std::move(sent.target);
  request.host = std::move(sent.host);
  request.framing = client.framing;
  request.content_length = client.content_length;
  const std::string upgrade = http::upgrade_offer(client);
  request.upgrade = !upgrade.empty();
  request.fields = std::move(sent.fields);
  request.fields.remove_if([&](const FieldView& field) {
    if (http::is_hop_by_hop(field.id) || is_rewritten(field.id)) return true;
    if (field.id == FieldId::Host || field.id == FieldId::Expect ||
        field.id == FieldId::ContentLength) {
      return true;
    }
    if (!info.peer_trusted && is_claim(field)) return true;
    return http::named_by_connection(client, field.name);
  });
  add_forwarding(request.fields, client, info);
  count_forward(request.fields, client);
  if (request.upgrade) request.fields.add(FieldId::Upgrade, upgrade);
  return request;
}

}  // namespace weir::upstream
