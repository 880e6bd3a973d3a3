// An app by hand: every request that the code under test sends is kept, and the test says what
// comes back and when. One loop; answers come outside of start(), as the contract has it
// (proxy/upstream/fetcher.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "proxy/upstream/fetcher.h"

namespace weir::test {

using HeadLines = std::vector<std::pair<std::string, std::string>>;

// One request to the app. The test holds it for as long as it likes; the fetch may be dropped
// before.
class Asked {
 public:
  Asked(upstream::FetchRequest request, upstream::FetchSink& sink, const Clock& clock)
      : request_(std::move(request)), sink_(&sink), clock_(clock), sent_ms_(clock.now_ms()) {}

  const upstream::FetchRequest& request() const { return request_; }
  bool dropped() const { return sink_ == nullptr; }
  bool paused() const { return paused_; }
  bool hurried() const { return hurried_; }
  // Whether it waits for a connection; it is sent when it has got one.
  void set_waiting(bool waiting) {
    waiting_ = waiting;
    sent_ms_ = waiting ? 0 : clock_.now_ms();
  }

  void head(int status, const HeadLines& lines, http::Framing framing, std::uint64_t length = 0) {
    if (!sink_) return;
    http::ResponseHead head;
    head.status = static_cast<std::uint16_t>(status);
    head.framing = framing;
    head.content_length = length;
    for (const auto& [name, value] : lines) head.fields.add(name, value);
    sink_->on_head(std::move(head));
  }
  void body(std::string_view bytes) {
    if (sink_) sink_->on_body(bytes);
  }
  void end(upstream::FetchResult result = upstream::FetchResult::Complete) {
    if (sink_) std::exchange(sink_, nullptr)->on_end({result, "scripted", true});
  }
  // A whole answer with its length.
  void answers(int status, const HeadLines& lines, std::string_view bytes) {
    head(status, lines, http::Framing::Length, bytes.size());
    body(bytes);
    end();
  }

 private:
  friend class ScriptedFetcher;
  upstream::FetchRequest request_;
  upstream::FetchSink* sink_;
  const Clock& clock_;
  bool paused_ = false;
  bool hurried_ = false;
  bool waiting_ = false;
  std::int64_t sent_ms_;
};

class ScriptedFetcher final : public upstream::Fetcher {
 public:
  explicit ScriptedFetcher(const Clock& clock) : clock_(clock) {}

  std::unique_ptr<upstream::Fetch> start(upstream::FetchRequest request,
                                         upstream::FetchSink& sink) override {
    all_.push_back(std::make_shared<Asked>(std::move(request), sink, clock_));
    return std::make_unique<Handle>(all_.back());
  }

  bool crowded() const override { return crowded_; }
  bool is_quiet() const override { return true; }
  void reach(Tell tell) override { tell({}); }
  void set_crowded(bool crowded) { crowded_ = crowded; }
  // How often the app was asked.
  std::size_t count() const { return all_.size(); }
  Asked& last() const { return *all_.back(); }
  Asked& at(std::size_t index) const { return *all_.at(index); }

 private:
  class Handle final : public upstream::Fetch {
   public:
    explicit Handle(std::shared_ptr<Asked> asked) : asked_(std::move(asked)) {}
    ~Handle() override { asked_->sink_ = nullptr; }
    bool waiting() const override { return asked_->waiting_; }
    std::int64_t sent_ms() const override { return asked_->sent_ms_; }
    void pause() override { asked_->paused_ = true; }
    void resume() override { asked_->paused_ = false; }
    void body_ready() override {}
    void hurry() override { asked_->hurried_ = true; }

   private:
    std::shared_ptr<Asked> asked_;
  };

  const Clock& clock_;
  bool crowded_ = false;
  std::vector<std::shared_ptr<Asked>> all_;
};

}  // namespace weir::test
