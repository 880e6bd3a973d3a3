#include "proxy/upstream/request_lines.h"

#include "base/http/char_class.h"
#include "base/http/h1_writer.h"
#include "base/http/hop_by_hop.h"

namespace weir::upstream {
namespace {

using http::FieldId;

// Fields that this side writes itself, or never.
bool is_ours(FieldId id) {
  return id == FieldId::Host || id == FieldId::ContentLength || id == FieldId::Expect ||
         http::is_hop_by_hop(id);
}

// Methods whose request has a body by nature say so even when it is empty (RFC 9110 8.6).
bool announces_empty_body(const FetchRequest& request) {
  if (request.framing == http::Framing::Length) return request.content_length == 0;
  if (request.framing != http::Framing::None) return false;
  return request.method == http::Method::Post || request.method == http::Method::Put ||
         request.method == http::Method::Patch;
}

bool is_value(std::string_view value) {
  const char* const end = value.data() + value.size();
  return http::find_not_value(value.data(), end) == end;
}

}  // namespace

bool is_sendable(const FetchRequest& request, std::string_view host) {
  const std::string_view target = request.target;
  const char* const target_end = target.data() + target.size();
  if (target.empty() || http::find_not_target(target.data(), target_end) != target_end)
    return false;
  if (!http::is_token(request.method_text) || !is_value(host)) return false;
  bool good = true;
  request.fields.for_each([&](const http::FieldView& field) {
    good = good && http::is_token(field.name) && is_value(field.value);
  });
  return good;
}

void RequestLines::begin() {
  starts_.push_back(bytes_.size());
}

void RequestLines::end() {
  bytes_.push_back('\0');
}

void RequestLines::add(std::string_view text) {
  begin();
  bytes_.append(text);
  end();
}

// curl compares each element of the list with a dozen names and prints it, which costs more than
// everything else about a field: all fields but those that it must see go as one element.
void RequestLines::add_fields(const FetchRequest& request) {
  const std::size_t start = bytes_.size();
  request.fields.for_each([&](const http::FieldView& field) {
    if (is_ours(field.id)) return;
    bytes_.append(field.name).append(": ").append(field.value).append("\r\n");
  });
  if (announces_empty_body(request)) bytes_.append("Content-Length: 0\r\n");
  if (bytes_.size() == start) return;
  starts_.push_back(start);
  bytes_.resize(bytes_.size() - 2);  // curl ends it
  end();
}

curl_slist* RequestLines::build(const FetchRequest& request, std::string_view host) {
  bytes_.clear();
  starts_.clear();
  begin();
  bytes_.append(host.empty() ? "Host;" : "Host: ").append(host);
  end();
  // A bare "Name:" keeps curl from adding its own; the client's Accept is among the fields.
  add("Accept:");
  add_fields(request);
  if (request.body != nullptr) add("Expect:");
  if (request.body != nullptr && request.framing == http::Framing::Chunked) {
    add("Transfer-Encoding: chunked");
  }
  nodes_.resize(starts_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i] = {bytes_.data() + starts_[i], i + 1 < nodes_.size() ? &nodes_[i + 1] : nullptr};
  }
  return nodes_.data();
}

std::string upgrade_head(const FetchRequest& request, std::string_view host) {
  std::string head;
  head.append(request.method_text).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  http::append_field(head, "Host", host);
  http::append_field(head, "Connection", "Upgrade");
  request.fields.for_each([&](const http::FieldView& field) {
    if (field.id == FieldId::Upgrade || !is_ours(field.id)) {
      http::append_field(head, field.name, field.value);
    }
  });
  head.append("\r\n");
  return head;
}

}  // namespace weir::upstream
