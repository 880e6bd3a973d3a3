#include "tests/backends/scripted_backend.h"

#include <algorithm>
#include <utility>

namespace weir::backends::testing {

// A look-up and its answer. The waiter is touched on its loop only; null once answered or dropped.
struct ScriptedBackend::Question {
  EventLoop& loop;
  LookupWaiter* waiter;
  EntryRef answer;
};

// A store that is not done yet. The same holds of its waiter.
struct ScriptedBackend::Write {
  EventLoop& loop;
  StoreWaiter* waiter;
  EntryRef entry;
};

template <class Asked>
class ScriptedBackend::Handle final : public PendingAnswer {
 public:
  explicit Handle(std::shared_ptr<Asked> asked) : asked_(std::move(asked)) {}
  ~Handle() override { asked_->waiter = nullptr; }

 private:
  const std::shared_ptr<Asked> asked_;
};

class ScriptedBackend::Room final : public Reservation {
 public:
  explicit Room(std::shared_ptr<ScriptedBackend> backend) : backend_(std::move(backend)) {
    ++backend_->reserved_;
  }
  ~Room() override { --backend_->reserved_; }

 private:
  const std::shared_ptr<ScriptedBackend> backend_;
};

class ScriptedBackend::Presence final : public Store {
 public:
  Presence(std::shared_ptr<ScriptedBackend> backend, EventLoop& loop)
      : backend_(std::move(backend)), loop_(loop) {}

  bool answers_now() const override { return false; }
  bool is_shared() const override { return backend_->shared_; }
  bool is_cut_off() const override { return backend_->is_cut_off_; }
  EntryRef lookup_now(keys::KeyView, Purpose) override { return nullptr; }
  Lookup lookup(keys::KeyView key, Purpose purpose, LookupWaiter& waiter) override {
    return backend_->ask(key, purpose, loop_, waiter);
  }
  std::expected<std::unique_ptr<Reservation>, StoreResult> admit(
      std::optional<std::uint64_t> body_bytes) override {
    if (const auto refused = backend_->refusal(body_bytes.value_or(0))) {
      return std::unexpected(*refused);
    }
    return std::make_unique<Room>(backend_);
  }
  Storing store(EntryRef entry, std::unique_ptr<Reservation>, const StoreTerms&,
                StoreWaiter& waiter) override {
    return backend_->put(std::move(entry), loop_, waiter);
  }
  EraseResult erase(keys::KeyView key) override { return backend_->drop(key.bytes); }
  Listing list(char first_byte, std::uint64_t, ListWaiter&) override {
    return {backend_->list(first_byte), nullptr};
  }
  std::uint64_t most_whole() const override { return backend_->max_object_size(); }
  std::expected<std::unique_ptr<Inflow>, StoreResult> open_inflow(
      std::optional<std::uint64_t>) override {
    return std::unexpected(StoreResult::TooLarge);
  }

 private:
  const std::shared_ptr<ScriptedBackend> backend_;
  EventLoop& loop_;
};

ListPart ScriptedBackend::list(char first_byte) {
  const std::lock_guard lock(mutex_);
  ListPart part;
  for (const auto& [key, entry] : entries_) {
    if (!key.starts_with(first_byte) || entry->kind() != Entry::Kind::Response) continue;
    part.entries.push_back({key, entry->meta(), entry->body_size()});
  }
  return part;
}

std::unique_ptr<Store> ScriptedBackend::attach(EventLoop& loop) {
  return std::make_unique<Presence>(shared_from_this(), loop);
}

// ---- look-ups ----

Lookup ScriptedBackend::ask(keys::KeyView key, Purpose purpose, EventLoop& loop,
                            LookupWaiter& waiter) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key.bytes);
  // Made anew each time, as by a backend that reads it.
  EntryRef answer = found == entries_.end() ? EntryRef() : found->second->copy();
  if (purpose == Purpose::Serve) {
    if (!answer) ++stats_.misses;
    if (answer && answer->kind() == Entry::Kind::Response) ++stats_.hits;
  }
  auto question = std::make_shared<Question>(Question{loop, &waiter, std::move(answer)});
  if (holding_) {
    held_.push_back(question);
  } else {
    post_answer(question);
  }
  return {Lookup::Status::Pending, nullptr,
          std::make_unique<Handle<Question>>(std::move(question))};
}

void ScriptedBackend::post_answer(std::shared_ptr<Question> question) {
  EventLoop& loop = question->loop;
  loop.post([question = std::move(question)] {
    LookupWaiter* waiter = std::exchange(question->waiter, nullptr);
    if (waiter) waiter->on_lookup(std::move(question->answer));
  });
}

void ScriptedBackend::release() {
  std::vector<std::shared_ptr<Question>> held;
  {
    const std::lock_guard lock(mutex_);
    held.swap(held_);
  }
  for (auto& question : held) post_answer(std::move(question));
}

std::size_t ScriptedBackend::waiting() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(held_, [](const auto& question) { return question->waiter; }));
}

bool ScriptedBackend::contains(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  return entries_.contains(key);
}

// ---- stores ----

void ScriptedBackend::hold_stores(bool until_released) {
  const std::lock_guard lock(mutex_);
  stores_later_ = true;
  stores_held_ = until_released;
}

void ScriptedBackend::refuse(std::optional<StoreResult> reason) {
  const std::lock_guard lock(mutex_);
  refusal_ = reason;
}

std::optional<StoreResult> ScriptedBackend::refusal(std::uint64_t body_bytes) const {
  const std::lock_guard lock(mutex_);
  if (refusal_) return refusal_;
  return body_bytes > max_object_size_ ? std::optional(StoreResult::TooLarge) : std::nullopt;
}

Storing ScriptedBackend::put(EntryRef entry, EventLoop& loop, StoreWaiter& waiter) {
  if (const auto refused = refusal(entry->body_size())) return {end(entry, *refused), nullptr};
  std::shared_ptr<Write> write;
  bool held = false;
  {
    const std::lock_guard lock(mutex_);
    held = stores_held_;
    if (stores_later_) write = std::make_shared<Write>(Write{loop, &waiter, entry});
    if (held) held_stores_.push_back(write);
  }
  if (!write) return {end(entry, StoreResult::Stored), nullptr};
  if (!held) post_end(write, StoreResult::Stored);
  return {std::nullopt, std::make_unique<Handle<Write>>(std::move(write))};
}

StoreResult ScriptedBackend::end(const EntryRef& entry, StoreResult result) {
  const std::lock_guard lock(mutex_);
  const std::string key(entry->key().bytes);
  if (result == StoreResult::Stored) {
    ++stats_.stores;
    entries_[key] = entry;
  } else {
    entries_.erase(key);
  }
  return result;
}

void ScriptedBackend::post_end(std::shared_ptr<Write> write, StoreResult result) {
  EventLoop& loop = write->loop;
  loop.post([self = shared_from_this(), write = std::move(write), result] {
    self->end(write->entry, result);
    StoreWaiter* waiter = std::exchange(write->waiter, nullptr);
    if (waiter) waiter->on_stored(result);
  });
}

void ScriptedBackend::release_stores(StoreResult result) {
  std::vector<std::shared_ptr<Write>> held;
  {
    const std::lock_guard lock(mutex_);
    held.swap(held_stores_);
  }
  for (auto& write : held) post_end(std::move(write), result);
}

std::size_t ScriptedBackend::waiting_stores() const {
  const std::lock_guard lock(mutex_);
  return held_stores_.size();
}

EraseResult ScriptedBackend::drop(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return EraseResult::Absent;
  entries_.erase(found);
  return EraseResult::Erased;
}

void ScriptedBackend::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
}

BackendStats ScriptedBackend::stats() const {
  const std::lock_guard lock(mutex_);
  BackendStats stats = stats_;
  stats.objects = entries_.size();
  for (const auto& [key, entry] : entries_) stats.bytes += entry->charge();
  return stats;
}

}  // namespace weir::backends::testing
