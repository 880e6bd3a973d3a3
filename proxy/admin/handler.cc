#include "proxy/admin/handler.h"

#include <fmt/format.h>

#include <array>

#include "base/log.h"
#include "proxy/admin/purge_api.h"
#include "proxy/admin/purge_right.h"

namespace weir::admin {

// ---- calls ----

// HEAD is a GET whose body is left out.
const Call* AdminHandler::find_call() const {
  http::Method method = request().method;
  if (method == http::Method::Head) method = http::Method::Get;
  for (const Call& call : admin_->calls) {
    if (call.path == request().path && call.method == method) return &call;
  }
  return nullptr;
}

void AdminHandler::start(front::Exchange& exchange) {
  begin(exchange);
  const bool is_value = values::is_value_path(request().path);
  if (!is_value) call_ = find_call();
  const http::Method method = request().method;
  const bool looks = method == http::Method::Get || method == http::Method::Head;
  // To take a lease changes what others get: with a query it may be that.
  const bool changes = !looks || (is_value && request().has_query);
  auto refused = admin_->access.refusal(request(), call_ && call_->is_open, changes);
  if (refused) return send(std::move(*refused));
  if (is_value) {
    value_handler_ = std::make_unique<KeysHandler>(worker_, admin_->leases, door());
    return value_handler_->start(exchange);
  }
  exchange.keep_request();
  if (!call_) return refuse_unknown();
  request_body_ready();
}

void AdminHandler::refuse_unknown() {
  std::string allow;
  for (const Call& call : admin_->calls) {
    if (call.path != request().path) continue;
    allow += allow.empty() ? "" : ", ";
    allow += call.method == http::Method::Get ? "GET, HEAD" : "POST";
  }
  if (!allow.empty()) {
    return send(error_reply(405, "method", fmt::format("here is only {}", allow)), allow);
  }
  send(error_reply(404, "path", fmt::format("there is no {} here", request().path)));
}

void AdminHandler::finished() {
  if (value_handler_) value_handler_->finished();
  ReplyingHandler::finished();
}

void AdminHandler::request_body_ready() {
  if (value_handler_) return value_handler_->request_body_ready();
  std::array<char, std::size_t{16} * 1024> buffer;
  while (true) {
    const front::BodyRead got = exchange().read_body(buffer);
    if (got.status == front::BodyRead::Status::Pending) return;
    if (got.status == front::BodyRead::Status::Failed) {
      return exchange().send_error(400, "body", {});
    }
    body_.append(buffer.data(), got.bytes);
    if (body_.size() > call_->max_body) {
      return send(error_reply(413, "body", fmt::format("has more than {} bytes", call_->max_body)));
    }
    if (got.status == front::BodyRead::Status::End) break;
  }
  const std::string peer = exchange().peer_ip();
  std::optional<Reply> reply = call_->run({.method = request().method,
                                           .path = request().path,
                                           .query = request().query,
                                           .body = body_,
                                           .peer = peer},
                                          asker(), worker_);
  if (reply) send(std::move(*reply));
}

// ---- PURGE ----

void PurgeHandler::start(front::Exchange& exchange) {
  begin(exchange);
  exchange.keep_request();
  if (!may_purge(exchange, *worker_.site->site->config)) {
    return exchange.send_error(405, "method", {});
  }
  const keys::Destination to = exchange.destination();
  const http::RequestHead& head = request();
  const bool marked = flow::purge_url(*worker_.site->site, to.scheme, to.authority, head.path,
                                      head.query, head.has_query, false, worker_.tables.purges);
  log_info("purged by {}: PURGE {}{}", exchange.peer_ip(), to.authority, head.target);
  reply_when_kept(worker_, {.any = marked},
                  [asker = asker()](Reply reply) mutable { asker.answer(std::move(reply)); });
}

}  // namespace weir::admin
