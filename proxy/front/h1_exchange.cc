#include "proxy/front/h1_exchange.h"

#include <charconv>
#include <utility>

#include "base/check.h"

namespace weir::front {

void H1Exchange::reset() {
  // Buffers keep their capacity unless a rare giant grew them.
  constexpr std::size_t kKeepBytes = 64 * 1024;
  head.clear();
  if (head_bytes.capacity() > kKeepBytes) head_bytes = {};
  head_kept = false;
  body.reset(http::Framing::None, 0, 0);
  output.reset();
  entry_body.reset(nullptr);
  notes.route = notes.verdict = notes.detail = {};
  notes.subject.clear();
  notes.upstream_ms = -1;
  handler = nullptr;
  started_us = 0;
  status = 0;
  close_after = reset_at_cut = endless = responding = continue_sent = body_wanted = tunnel = done =
      false;
}

std::unique_ptr<H1Exchange> H1ExchangePool::take() {
  if (idle_.empty()) return std::make_unique<H1Exchange>();
  std::unique_ptr<H1Exchange> exchange = std::move(idle_.back());
  idle_.pop_back();
  return exchange;
}

void H1ExchangePool::give(std::unique_ptr<H1Exchange> exchange) {
  // A handler left in it would be told of the next request's end.
  WEIR_CHECK(exchange->handler == nullptr);
  if (idle_.size() >= kPooled) return;
  exchange->reset();
  idle_.push_back(std::move(exchange));
}

void append_fresh_fields(std::string& out, const FreshFields& fresh, const HeadOptions& options) {
  if (fresh.age_s >= 0) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, fresh.age_s).ptr;
    http::append_field(out, "Age", {digits, static_cast<std::size_t>(end - digits)});
  }
  if (!fresh.cache_status.empty()) http::append_field(out, "Cache-Status", fresh.cache_status);
  if (options.close) {
    out += "Connection: close\r\n";
  } else if (options.keep_alive) {
    out += "Connection: keep-alive\r\n";
  }
}

}  // namespace weir::front
