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

class ScriptedBackend::Handle final : public PendingLookup {
 public:
  explicit Handle(std::shared_ptr<Question> question) : question_(std::move(question)) {}
  ~Handle() override { question_->waiter = nullptr; }

 private:
  const std::shared_ptr<Question> question_;
};

Lookup ScriptedBackend::lookup(keys::KeyView key, EventLoop& loop, LookupWaiter& waiter) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key.bytes);
  EntryRef answer = found == entries_.end() ? EntryRef() : found->second;
  ++(answer ? stats_.hits : stats_.misses);
  auto question = std::make_shared<Question>(Question{loop, &waiter, std::move(answer)});
  if (holding_) {
    held_.push_back(question);
  } else {
    post_answer(question);
  }
  return {Lookup::Status::Pending, nullptr, std::make_unique<Handle>(std::move(question))};
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

void ScriptedBackend::store(EntryRef entry) {
  if (entry->body().size() > max_object_size_) return;
  const std::lock_guard lock(mutex_);
  ++stats_.stores;
  EntryRef& place = entries_[std::string(entry->key().bytes)];
  place = std::move(entry);
}

void ScriptedBackend::erase(keys::KeyView key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key.bytes);
  if (found != entries_.end()) entries_.erase(found);
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
