#include "proxy/upstream/name_gate.h"

#include <utility>

#include "base/check.h"

namespace weir::upstream {

// A handle that looks a name up for nobody, except those who wait for it at the gate.
class NameGate::Orphan final : public CurlLoop::Transfer {
 public:
  Orphan(NameGate& gate, std::string_view name, CURL* easy, std::unique_ptr<std::string> curl_error)
      : Transfer(gate.curl_),
        gate_(gate),
        name_(name),
        easy_(easy),
        curl_error_(std::move(curl_error)) {
    CurlLoop::hand_over(easy_, *this);
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
    if (!std::exchange(over_, true)) gate_.end(name_, error);
  }

  NameGate& gate_;
  const std::string_view name_;
  CURL* const easy_;
  const std::unique_ptr<std::string> curl_error_;
  bool over_ = false;
};

NameGate::NameGate(CurlLoop& curl) : curl_(curl) {}

NameGate::~NameGate() = default;

bool NameGate::enter(std::string_view name, Guest& guest) {
  const auto [at, first] = waiting_.try_emplace(name);
  if (!first) at->second.push_back(&guest);
  return first;
}

void NameGate::forget(std::string_view name, Guest& guest) {
  const auto at = waiting_.find(name);
  if (at != waiting_.end()) std::erase(at->second, &guest);
}

void NameGate::end(std::string_view name, const std::string& error) {
  const auto at = waiting_.find(name);
  WEIR_CHECK(at != waiting_.end());
  // First out of the map: who is told may enter again.
  const std::vector<Guest*> guests = std::move(at->second);
  waiting_.erase(at);
  for (Guest* guest : guests) guest->on_name(error);
}

void NameGate::abandon(std::string_view name, CURL* easy, std::unique_ptr<std::string> curl_error) {
  orphans_.push_back(std::make_unique<Orphan>(*this, name, easy, std::move(curl_error)));
}

}  // namespace weir::upstream
