#include "proxy/upstream/name_gate.h"

#include <utility>

#include "base/check.h"
#include "proxy/upstream/easy_options.h"

namespace weir::upstream {

// A handle that looks a name up for nobody, except those who wait for it at the gate.
class NameGate::Orphan final : public CurlLoop::Transfer {
 public:
  Orphan(NameGate& gate, const conf::UpstreamUrl& url, CURL* easy,
         std::unique_ptr<std::string> curl_error)
      : Transfer(gate.curl_),
        gate_(gate),
        url_(url),
        easy_(easy),
        curl_error_(std::move(curl_error)) {
    CurlLoop::hand_over(easy_, *this);
    clear_connect_timeout(easy_);
  }
  ~Orphan() override {
    curl_.remove(easy_);
    curl_.give_easy(easy_);
  }

 private:
  void on_turn() override {}
  bool on_opening() override {
    end({});
    return false;
  }
  void on_done(CURLcode code) override {
    end(curl_error_text(code, *curl_error_));
    std::erase_if(gate_.orphans_, [this](const auto& orphan) { return orphan.get() == this; });
  }
  void on_closing() override {}

  void end(const std::string& error) {
    if (!std::exchange(over_, true)) gate_.end(url_, error);
  }

  NameGate& gate_;
  const conf::UpstreamUrl& url_;
  CURL* const easy_;
  const std::unique_ptr<std::string> curl_error_;
  bool over_ = false;
};

NameGate::NameGate(CurlLoop& curl) : curl_(curl) {}

NameGate::~NameGate() = default;

bool NameGate::enter(const conf::UpstreamUrl& url, Guest& guest) {
  const auto [at, first] = waiting_.try_emplace(&url);
  if (!first) at->second.push_back(&guest);
  return first;
}

void NameGate::forget(const conf::UpstreamUrl& url, Guest& guest) {
  const auto at = waiting_.find(&url);
  if (at != waiting_.end()) std::erase(at->second, &guest);
}

void NameGate::end(const conf::UpstreamUrl& url, const std::string& error) {
  const auto at = waiting_.find(&url);
  WEIR_CHECK(at != waiting_.end());
  // First out of the map: who is told may enter again.
  const std::vector<Guest*> guests = std::move(at->second);
  waiting_.erase(at);
  for (Guest* guest : guests) guest->on_name(error);
}

void NameGate::abandon(const conf::UpstreamUrl& url, CURL* easy,
                       std::unique_ptr<std::string> curl_error) {
  orphans_.push_back(std::make_unique<Orphan>(*this, url, easy, std::move(curl_error)));
}

}  // namespace weir::upstream
