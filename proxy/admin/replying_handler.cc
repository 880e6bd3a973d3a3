#include "proxy/admin/replying_handler.h"

#include <utility>

#include "base/check.h"
#include "base/http/date.h"

namespace weir::admin {

front::BodySource::Pull ReplyBody::pull(std::span<iovec> parts) {
  if (sent_ == text_.size()) return {.status = Status::End};
  parts[0] = {text_.data() + sent_, text_.size() - sent_};
  return {.status = Status::Data, .parts = 1, .bytes = parts[0].iov_len, .last = true};
}

void ReplyingHandler::begin(front::Exchange& exchange) {
  WEIR_CHECK(exchange_ == nullptr);
  exchange_ = &exchange;
}

void ReplyingHandler::finished() {
  life_.end();
  exchange_ = nullptr;
}

void ReplyingHandler::answered(Reply reply) {
  send(std::move(reply));
}

void ReplyingHandler::send(Reply reply, std::string_view allow) {
  life_.end();  // one reply
  http::ResponseHead head;
  head.status = static_cast<std::uint16_t>(reply.status);
  http::HeaderBlock& fields = head.fields;
  fields.add(http::FieldId::Date, http::format_date(exchange_->loop().clock().wall_s()));
  fields.add(http::FieldId::CacheControl, "no-store");
  fields.add("X-Content-Type-Options", "nosniff");
  if (!allow.empty()) fields.add("Allow", allow);
  if (reply.status == 401) fields.add("WWW-Authenticate", "Bearer");
  for (const auto& [name, value] : reply.fields) fields.add(name, value);
  const bool has_body = reply.status != 204;
  const bool is_head = request().method == http::Method::Head;
  if (has_body) {
    head.framing = http::Framing::Length;
    head.content_length = reply.body.size();
    fields.add(http::FieldId::ContentType, reply.type);
    // Of a body that is sent the session says the length itself.
    if (is_head) fields.add(http::FieldId::ContentLength, std::to_string(reply.body.size()));
  }
  body_.reset(std::move(reply.body));
  exchange_->send(head, {}, has_body && !is_head ? &body_ : nullptr);
}

}  // namespace weir::admin
