#include "backends/absent.h"

#include <utility>

namespace weir::backends {
namespace {

class AbsentStore final : public Store {
 public:
  explicit AbsentStore(std::uint64_t max_object_size) : max_object_size_(max_object_size) {}

  bool answers_now() const override { return true; }
  EntryRef lookup_now(keys::KeyView, Purpose) override { return nullptr; }
  Lookup lookup(keys::KeyView, Purpose, LookupWaiter&) override { return {}; }
  std::expected<std::unique_ptr<Reservation>, StoreResult> admit(
      std::optional<std::uint64_t> body_bytes) override {
    return std::unexpected(refusal(body_bytes.value_or(0)));
  }
  Storing store(EntryRef entry, std::unique_ptr<Reservation>, const StoreTerms&,
                StoreWaiter&) override {
    return {refusal(entry->body_size()), nullptr};
  }
  EraseResult erase(keys::KeyView) override { return EraseResult::Failed; }
  Listing list(char, std::uint64_t, ListWaiter&) override {
    return {ListPart{.entries = {}, .next = std::nullopt, .is_unanswered = true}, nullptr};
  }
  // No tier beside this one is to keep more in memory than it would alone.
  std::uint64_t most_whole() const override { return 0; }
  std::expected<std::unique_ptr<Inflow>, StoreResult> open_inflow(
      std::optional<std::uint64_t> body_bytes) override {
    return std::unexpected(refusal(body_bytes.value_or(0)));
  }

 private:
  StoreResult refusal(std::uint64_t body_bytes) const {
    return body_bytes > max_object_size_ ? StoreResult::TooLarge : StoreResult::Failed;
  }

  const std::uint64_t max_object_size_;
};

class AbsentBackend final : public Backend {
 public:
  AbsentBackend(std::string name, std::uint64_t max_object_size, std::int64_t default_expire_s)
      : name_(std::move(name)),
        max_object_size_(max_object_size),
        default_expire_s_(default_expire_s) {}

  const std::string& name() const override { return name_; }
  std::unique_ptr<Store> attach(EventLoop&) override {
    return std::make_unique<AbsentStore>(max_object_size_);
  }
  void clear() override {}
  std::uint64_t max_object_size() const override { return max_object_size_; }
  std::int64_t default_expire_s() const override { return default_expire_s_; }
  BackendStats stats() const override { return {.breaker_open = true}; }

 private:
  const std::string name_;
  const std::uint64_t max_object_size_;
  const std::int64_t default_expire_s_;
};

}  // namespace

std::shared_ptr<Backend> make_absent_backend(std::string name, std::uint64_t max_object_size,
                                             std::int64_t default_expire_s) {
  return std::make_shared<AbsentBackend>(std::move(name), max_object_size, default_expire_s);
}

}  // namespace weir::backends
