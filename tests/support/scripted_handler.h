// The far side of a front::Exchange, told by the test what to answer and when. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "proxy/front/exchange.h"

namespace weir::test {

// A body that comes in the portions that the test lets in.
class ScriptedSource final : public front::BodySource {
 public:
  Pull pull(std::span<iovec> parts) override {
    if (waiting_.empty()) {
      if (broken_) return {Status::Failed};
      return {ended_ ? Status::End : Status::Pending};
    }
    parts[0] = {waiting_.data(), waiting_.size()};
    return {.status = Status::Data, .parts = 1, .bytes = waiting_.size(), .last = ended_};
  }
  void consume(std::size_t bytes) override { waiting_.erase(0, bytes); }

  void add(std::string_view bytes) { waiting_ += bytes; }
  void end() { ended_ = true; }
  void break_off() { broken_ = true; }

 private:
  std::string waiting_;
  bool ended_ = false;
  bool broken_ = false;
};

// Serves one exchange after the other. Its verbs are for the one that runs.
class ScriptedHandler final : public front::Handler {
 public:
  using Script = std::function<void(ScriptedHandler&)>;

  ScriptedHandler(const Script& at_start, const Script& at_body_news, const bool& holds_up_others)
      : at_start_(at_start), at_body_news_(at_body_news), holds_up_others_(holds_up_others) {}

  // ---- what the test makes it do ----
  // A whole answer of known length.
  void answers(int status, std::string_view body = {}) {
    source_.emplace();
    source_->add(body);
    source_->end();
    send(status, http::Framing::Length, body.size(), {});
  }
  // An answer whose body will come.
  void begins(int status, http::Framing framing = http::Framing::Chunked, std::uint64_t length = 0,
              std::string_view content_type = {}) {
    source_.emplace();
    send(status, framing, length, content_type);
  }
  void streams(std::string_view bytes) {
    source_->add(bytes);
    exchange().body_ready();
  }
  void ends() {
    source_->end();
    exchange().body_ready();
  }
  void breaks_off() {
    source_->break_off();
    exchange().body_ready();
  }
  void refuses(int status, std::string_view detail) { exchange().send_error(status, detail, {}); }
  void informs(int status) {
    http::ResponseHead head;
    head.status = static_cast<std::uint16_t>(status);
    exchange().send_informational(head);
  }
  void opens_tunnel() {
    http::ResponseHead head;
    head.status = 101;
    head.fields.add(http::FieldId::Upgrade, "echo");
    exchange().send_tunnel(head, source_.emplace());
  }
  // All of the request's body that can be had now; how it went on is last_read().
  std::string reads_body(std::size_t buffer_bytes = 16 * 1024) {
    std::string all;
    std::string buffer(buffer_bytes, '\0');
    while (true) {
      const front::BodyRead got = exchange().read_body(buffer);
      last_read_ = got.status;
      if (got.status != front::BodyRead::Status::Data) return all;
      all.append(buffer, 0, got.bytes);
    }
  }
  // The same, but one read: `bytes` at most.
  std::string reads_some(std::size_t bytes) {
    std::string buffer(bytes, '\0');
    const front::BodyRead got = exchange().read_body(buffer);
    last_read_ = got.status;
    buffer.resize(got.bytes);
    return buffer;
  }
  front::Exchange& exchange() {
    WEIR_CHECK(exchange_ != nullptr);
    return *exchange_;
  }

  // ---- what became of it ----
  bool running() const { return exchange_ != nullptr; }
  front::BodyRead::Status last_read() const { return last_read_; }
  int body_news() const { return body_news_; }

  // ---- front::Handler ----
  void start(front::Exchange& exchange) override {
    WEIR_CHECK(exchange_ == nullptr);
    exchange_ = &exchange;
    body_news_ = 0;
    if (at_start_) at_start_(*this);
  }
  bool holds_up_others() const override { return holds_up_others_; }
  bool waits_for_place() const override { return waits_for_place_; }
  void waits_for_place(bool waits) { waits_for_place_ = waits; }
  void request_body_ready() override {
    WEIR_CHECK(exchange_ != nullptr);
    ++body_news_;
    if (at_body_news_) at_body_news_(*this);
  }
  void response_cut() override { exchange_->notes().detail = "cut"; }
  void finished() override {
    WEIR_CHECK(exchange_ != nullptr);
    exchange_ = nullptr;
    source_.reset();
  }

 private:
  void send(int status, http::Framing framing, std::uint64_t length,
            std::string_view content_type) {
    http::ResponseHead head;
    head.status = static_cast<std::uint16_t>(status);
    head.framing = framing;
    head.content_length = length;
    if (!content_type.empty()) head.fields.add(http::FieldId::ContentType, content_type);
    exchange().send(head, {}, &*source_);
  }

  const Script& at_start_;
  const Script& at_body_news_;
  const bool& holds_up_others_;
  front::Exchange* exchange_ = nullptr;
  std::optional<ScriptedSource> source_;
  front::BodyRead::Status last_read_ = front::BodyRead::Status::End;
  int body_news_ = 0;
  bool waits_for_place_ = false;
};

// Hands out the handlers and counts them.
class ScriptedHandlers final : public front::HandlerFactory {
 public:
  // What each handler does inside start(), and when told of its request's body; nothing if unset.
  ScriptedHandler::Script at_start;
  ScriptedHandler::Script at_body_news;
  // Whether others wait for what the requests hold.
  bool others_wait = false;

  front::Handler* acquire() override {
    ++started;
    made_.push_back(std::make_unique<ScriptedHandler>(at_start, at_body_news, others_wait));
    return made_.back().get();
  }
  void release(front::Handler* handler) override {
    WEIR_CHECK(!static_cast<ScriptedHandler*>(handler)->running());
    ++finished;
  }
  // The one acquired last.
  ScriptedHandler& last() {
    WEIR_CHECK(!made_.empty());
    return *made_.back();
  }

  int started = 0;
  int finished = 0;

 private:
  std::vector<std::unique_ptr<ScriptedHandler>> made_;  // kept, for what a test asks afterwards
};

}  // namespace weir::test
