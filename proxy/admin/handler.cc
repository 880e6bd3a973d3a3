#include "proxy/admin/handler.h"

#include <fmt/format.h>

#include <array>

#include "base/check.h"
#include "base/http/date.h"
#include "base/log.h"
#include "proxy/admin/purge_api.h"
#include "proxy/admin/purge_right.h"

namespace weir::admin {

front::BodySource::Pull ReplyBody::pull(std::span<iovec> parts) {
  if (sent_ == text_.size()) return {.status = Status::End};
  parts[0] = {text_.data() + sent_, text_.size() - sent_};
  return {.status = Status::Data, .parts = 1, .bytes = parts[0].iov_len, .last = true};
}

// ---- replies ----

void ReplyingHandler::begin(front::Exchange& exchange) {
  WEIR_CHECK(exchange_ == nullptr);
  exchange_ = &exchange;
  exchange.keep_request();
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
  head.framing = http::Framing::Length;
  head.content_length = reply.body.size();
  http::HeaderBlock& fields = head.fields;
  fields.add(http::FieldId::Date, http::format_date(exchange_->loop().clock().wall_s()));
  fields.add(http::FieldId::ContentType, reply.type);
  fields.add(http::FieldId::CacheControl, "no-store");
  fields.add("X-Content-Type-Options", "nosniff");
  if (!allow.empty()) fields.add("Allow", allow);
  if (reply.status == 401) fields.add("WWW-Authenticate", "Bearer");
  fields.add(http::FieldId::ContentLength, std::to_string(reply.body.size()));
  body_.reset(std::move(reply.body));
  const bool has_body = request().method != http::Method::Head;
  exchange_->send(head, {}, has_body ? &body_ : nullptr);
}

// ---- calls ----

// HEAD is a GET whose body is left out.
const Call* AdminHandler::find_call() const {
  http::Method method = request().method;
  if (method == http::Method::Head) method = http::Method::Get;
  for (const Call& call : admin_.calls) {
    if (call.path == request().path && call.method == method) return &call;
  }
  return nullptr;
}

void AdminHandler::start(front::Exchange& exchange) {
  begin(exchange);
  call_ = find_call();
  const http::Method method = request().method;
  const bool looks = method == http::Method::Get || method == http::Method::Head;
  auto refused = admin_.access.refusal(request(), call_ && call_->is_open, !looks);
  if (refused) return send(std::move(*refused));
  if (!call_) return refuse_unknown();
  request_body_ready();
}

void AdminHandler::refuse_unknown() {
  std::string allow;
  for (const Call& call : admin_.calls) {
    if (call.path != request().path) continue;
    allow += allow.empty() ? "" : ", ";
    allow += call.method == http::Method::Get ? "GET, HEAD" : "POST";
  }
  if (!allow.empty()) {
    return send(error_reply(405, "method", fmt::format("here is only {}", allow)), allow);
  }
  send(error_reply(404, "path", fmt::format("there is no {} here", request().path)));
}

void AdminHandler::request_body_ready() {
  std::array<char, std::size_t{16} * 1024> buffer;
  while (true) {
    const front::BodyRead got = exchange().read_body(buffer);
    if (got.status == front::BodyRead::Status::Pending) return;
    if (got.status == front::BodyRead::Status::Failed) {
      return exchange().send_error(400, "body", {});
    }
    read_.append(buffer.data(), got.bytes);
    if (read_.size() > call_->max_body) {
      return send(error_reply(413, "body", fmt::format("has more than {} bytes", call_->max_body)));
    }
    if (got.status == front::BodyRead::Status::End) break;
  }
  const std::string peer = exchange().peer_ip();
  std::optional<Reply> reply = call_->run({.method = request().method,
                                           .path = request().path,
                                           .query = request().query,
                                           .body = read_,
                                           .peer = peer},
                                          asker(), worker_);
  if (reply) send(std::move(*reply));
}

// ---- PURGE ----

void PurgeHandler::start(front::Exchange& exchange) {
  begin(exchange);
  if (!may_purge(exchange, *worker_.site->site->config)) {
    return exchange.send_error(405, "method", {});
  }
  const keys::Destination to = exchange.destination();
  const http::RequestHead& head = request();
  const bool marked = flow::purge_url(*worker_.site->site, to.scheme, to.authority, head.path,
                                      head.query, head.has_query, false, worker_.tables.purges);
  log_info("purged by {}: PURGE {}{}", exchange.peer_ip(), to.authority, head.target);
  reply_when_kept(worker_, marked,
                  [asker = asker()](Reply reply) mutable { asker.answer(std::move(reply)); });
}

}  // namespace weir::admin
