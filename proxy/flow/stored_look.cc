#include "proxy/flow/stored_look.h"

#include <utility>

#include "base/check.h"
#include "cachekeys/key_builder.h"

namespace weir::flow {
namespace {

backends::EntryRef first_of(const std::vector<TierFinding>& findings) {
  for (const TierFinding& finding : findings) {
    if (finding.entry) return finding.entry;
  }
  return nullptr;
}

}  // namespace

backends::EntryRef StoredFindings::answer() const {
  backends::EntryRef found = first_of(answers());
  const bool is_response = found && found->kind() == backends::Entry::Kind::Response;
  return is_response ? found : nullptr;
}

// Tier after tier under the URL's key; then, where that leads to a marker, under the variant's.
class StoredLooks::Look final : public backends::LookupWaiter {
 public:
  Look(StoredLooks& looks, StoredQuestion question, Done done)
      : looks_(looks), question_(std::move(question)), done_(std::move(done)) {}

  // Asks until a tier wants time. The last call of whoever makes it: it may destroy this.
  void advance() {
    do {
      while (tier_ < tiers().size()) {
        backends::Lookup answer = store().lookup(key(), backends::Purpose::Probe, *this);
        pending_ = std::move(answer.pending);
        if (answer.status == backends::Lookup::Status::Pending) return;
        take(std::move(answer.entry));
      }
    } while (goes_on_to_variant());
    finish();
  }

  void on_lookup(backends::EntryRef entry) override {
    pending_ = nullptr;
    take(std::move(entry));
    advance();
  }

 private:
  const std::vector<std::string>& tiers() const { return question_.route->rule->tiers; }
  keys::KeyView key() const {
    return findings_.marker ? findings_.variant_key.view() : question_.key.view();
  }
  backends::Store& store() const {
    const auto index = question_.site->site->backend_named(tiers()[tier_]);
    WEIR_CHECK(index.has_value());
    return question_.site->store_of_backend(*index);
  }

  void take(backends::EntryRef entry) {
    auto& list = findings_.marker ? findings_.under_variant : findings_.under_url;
    list.push_back({tiers()[tier_++], std::move(entry)});
  }

  bool goes_on_to_variant() {
    if (findings_.marker) return false;
    backends::EntryRef found = first_of(findings_.under_url);
    if (!found || found->kind() != backends::Entry::Kind::VaryMarker) return false;
    keys::KeyBuffer variant;
    const http::RequestHead& head = question_.head.get();
    keys::build_variant_key(question_.key.view(), found->vary(), head, question_.route->recipe,
                            head.authority, variant);
    findings_.variant_key = OwnedKey(variant.view());
    findings_.marker = std::move(found);
    tier_ = 0;
    return true;
  }

  void finish() {
    const auto self = looks_.looks_.extract(this);  // destroyed when this returns
    done_(question_, std::move(findings_));
  }

  StoredLooks& looks_;
  const StoredQuestion question_;
  const Done done_;
  StoredFindings findings_;
  std::size_t tier_ = 0;
  std::unique_ptr<backends::PendingAnswer> pending_;
};

StoredLooks::StoredLooks() = default;
StoredLooks::~StoredLooks() = default;

void StoredLooks::start(StoredQuestion question, Done done) {
  auto look = std::make_unique<Look>(*this, std::move(question), std::move(done));
  Look* const raw = look.get();
  looks_.emplace(raw, std::move(look));
  raw->advance();
}

void StoredLooks::stop() {
  looks_.clear();
}

}  // namespace weir::flow
