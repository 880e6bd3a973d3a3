#include "proxy/upstream/request_head.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/http/forwarded.h"
#include "base/http/hop_by_hop.h"
#include "base/http/upgrade.h"
#include "base/text.h"

namespace weir::upstream {
namespace {

using http::FieldId;
using http::FieldView;

// Claims about the client that only a trusted proxy may make, beside those that have a name in
// trusted_fields.
constexpr std::array<std::string_view, 8> kClaims = {
    "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Ssl",     "X-Real-IP",
    "X-Client-IP",        "True-Client-IP",     "X-Cluster-Client-IP", "X-Forwarded-By"};

// CGI-like servers read X_Real_IP as X-Real-IP.
bool reads_as(std::string_view name, std::string_view claim) {
  return std::ranges::equal(name, claim, [](char a, char b) {
    return ascii_lower(a == '_' ? '-' : a) == ascii_lower(b);
  });
}

bool is_claim(const FieldView& field) {
  return field.id == FieldId::Other && std::ranges::any_of(kClaims, [&](std::string_view claim) {
           return reads_as(field.name, claim);
         });
}

// RFC 9110 7.6.2: one less for the next recipient. An OPTIONS that may go no further is answered
// before it gets here, TRACE is never forwarded, and for other methods the field means nothing.
void count_forward(http::HeaderBlock& fields, const http::RequestHead& client) {
  if (client.method != http::Method::Options || !client.has(FieldId::MaxForwards)) return;
  const std::string_view told = client.value(FieldId::MaxForwards);
  if (!is_decimal(told)) return;
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
  request.expect_continue = client.expect_continue;
  const std::string upgrade = http::upgrade_offer(client);
  request.upgrade = !upgrade.empty();
  request.fields = std::move(sent.fields);
  request.fields.remove_if([&](const FieldView& field) {
    if (http::is_hop_by_hop(field.id) || is_forwarding_field(field)) return true;
    if (field.id == FieldId::Host || field.id == FieldId::Expect ||
        field.id == FieldId::ContentLength) {
      return true;
    }
    if (!info.peer_trusted && is_claim(field)) return true;
    return http::named_by_connection(client, field.name);
  });
  add_forwarding_fields(request.fields, client, info);
  count_forward(request.fields, client);
  if (request.upgrade) request.fields.add(FieldId::Upgrade, upgrade);
  return request;
}

}  // namespace weir::upstream
