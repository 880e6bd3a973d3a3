// A client by hand, for the handler of an exchange: holds a request, keeps what it is answered, and
// reads the body when the test says so. One loop.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/http/h1_parser.h"
#include "proxy/front/exchange.h"
#include "proxy/front/h1_output.h"

namespace weir::test {

class ScriptedExchange final : public front::Exchange {
 public:
  // `text`: the request's head, "GET /a HTTP/1.1\r\n…\r\n\r\n".
  ScriptedExchange(EventLoop& loop, std::string text) : loop_(loop), bytes_(std::move(text)) {
    http::RequestParser parser({});
    parser.reset();
    WEIR_CHECK(parser.parse(bytes_, head_) == http::ParseStatus::Done);
  }

  // ---- what the client saw ----
  enum class Kind : std::uint8_t { None, Stored, NotModified, Streamed, Tunnel, Error };
  Kind kind() const { return kind_; }
  bool answered() const { return kind_ != Kind::None; }
  int status() const { return status_; }
  const std::string& cache_status() const { return cache_status_; }
  std::int64_t age_s() const { return age_s_; }
  const http::HeaderBlock& fields() const { return fields_; }
  const front::LogNotes& log_notes() const { return notes_; }
  // Whether the source said that the body can never be complete.
  bool cut() const { return cut_; }
  bool complete() const { return complete_; }
  int bodies_dropped() const { return bodies_dropped_; }
  int told_of_body() const { return told_of_body_; }
  // Takes what there is now and adds it to body().
  const std::string& read(std::size_t most = SIZE_MAX) {
    while (source_ && !complete_ && !cut_ && most > 0) {
      std::array<iovec, 4> parts;
      const front::BodySource::Pull pull = source_->pull(parts);
      if (pull.status == front::BodySource::Status::Pending) break;
      complete_ = pull.status == front::BodySource::Status::End;
      cut_ = pull.status == front::BodySource::Status::Failed;
      if (pull.status != front::BodySource::Status::Data) break;
      std::string got;
      for (std::size_t i = 0; i < pull.parts; ++i) {
        got.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
      }
      const std::size_t taken = std::min(got.size(), most);
      body_.append(got, 0, taken);
      source_->consume(taken);
      most -= taken;
      complete_ = pull.last && taken == got.size();
    }
    return body_;
  }
  const std::string& body() const { return body_; }

  // ---- Exchange ----
  const http::RequestHead& request() const override { return head_; }
  void keep_request() override {}
  EventLoop& loop() override { return loop_; }
  std::string peer_ip() const override { return "192.0.2.1"; }
  bool peer_trusted() const override { return false; }
  conf::TrustedFields believed() const override { return {}; }
  keys::Destination destination() const override { return {.authority = head_.authority}; }
  front::BodyRead read_body(std::span<char>) override { return {}; }
  bool body_gathered() override { return true; }
  void drop_body() override { ++bodies_dropped_; }
  void send_informational(const http::ResponseHead&) override {}
  void send_entry(const backends::EntryRef& entry, const front::FreshFields& fresh) override {
    begin(Kind::Stored, entry->status(), fresh);
    fields_ = entry->fields();
    if (head_.method == http::Method::Head) return;
    stored_.reset(entry, loop_, [this] { body_ready(); });
    source_ = &stored_;
  }
  void send_not_modified(const backends::Entry&, const front::FreshFields& fresh) override {
    begin(Kind::NotModified, 304, fresh);
  }
  void send(const http::ResponseHead& head, const front::FreshFields& fresh,
            front::BodySource* body) override {
    begin(Kind::Streamed, head.status, fresh);
    fields_ = head.fields;
    source_ = body;
  }
  void send_tunnel(const http::ResponseHead& head, front::BodySource& body) override {
    begin(Kind::Tunnel, head.status, {});
    source_ = &body;
  }
  void body_ready() override { ++told_of_body_; }
  void send_error(int status, std::string_view, const front::FreshFields& fresh) override {
    begin(Kind::Error, status, fresh);
  }
  front::LogNotes& notes() override { return notes_; }

 private:
  void begin(Kind kind, int status, const front::FreshFields& fresh) {
    WEIR_CHECK(kind_ == Kind::None);  // one answer to one request
    kind_ = kind;
    status_ = status;
    cache_status_ = fresh.cache_status;
    age_s_ = fresh.age_s;
  }

  EventLoop& loop_;
  const std::string bytes_;
  http::RequestHead head_;
  Kind kind_ = Kind::None;
  int status_ = 0;
  std::string cache_status_;
  std::int64_t age_s_ = -1;
  http::HeaderBlock fields_;
  front::BodySource* source_ = nullptr;
  front::EntryBody stored_;
  front::LogNotes notes_;
  std::string body_;
  bool complete_ = false;
  bool cut_ = false;
  int told_of_body_ = 0;
  int bodies_dropped_ = 0;
};

}  // namespace weir::test
