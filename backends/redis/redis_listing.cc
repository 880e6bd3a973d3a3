// Looking through what a server has: a part of a listing is what one SCAN finds.
#include <algorithm>
#include <charconv>
#include <utility>

#include "backends/record.h"
#include "backends/redis/envelope.h"
#include "backends/redis/names.h"
#include "backends/redis/redis_scan.h"
#include "backends/redis/redis_store.h"
#include "backends/redis/redis_sweep.h"
#include "cachekeys/key.h"

namespace weir::backends::redis {
namespace {

// Of a value, read at first: an envelope and most heads are shorter.
constexpr std::string_view kFirstEnd = "4095";
constexpr std::size_t kFirstBytes = 4096;
// The longest head that is read for it: what an app may send, and a long key.
constexpr std::uint64_t kMostHead = std::uint64_t{256} << 10U;
// Where a listing goes on: which master, and SCAN's cursor there.
constexpr unsigned kCursorBits = 52;
constexpr std::uint64_t kMostCursor = (std::uint64_t{1} << kCursorBits) - 1;

}  // namespace

// A part of a listing: the names that one SCAN finds, then the heads of their values, once more for
// those that are longer.
class RedisStore::Scanning final : public PendingAnswer {
 public:
  Scanning(RedisStore& store, char first_byte, ListWaiter& waiter)
      : store_(store), first_byte_(first_byte), waiter_(waiter) {}

  void begin(std::uint64_t from) {
    master_ = from >> kCursorBits;
    Commands commands;
    commands.add({"SCAN", std::to_string(from & kMostCursor), "MATCH",
                  objects_pattern(store_.shared().options().prefix, first_byte_), "COUNT",
                  kScanCount});
    ask(commands, &Scanning::on_names);
  }

 private:
  using Step = void (Scanning::*)(const std::vector<Reply>& replies);
  struct Found {
    std::string name;
    std::int64_t left_ms = 0;
    std::uint64_t bytes = 0;  // of its value, up to the body
  };

  void ask(const Commands& commands, Step step) {
    Link::Started call = store_.servers().call_master(
        master_, commands, [this, step](const Link::Replies& replies, auto run) {
          if (!replies) return not_answered();
          may_read_ = store_.may_read(run);
          (this->*step)(*replies);
        });
    if (call) {
      call_ = std::move(*call);
      return;
    }
    store_.loop().post([weak = life_.watch()] {
      if (Scanning* const scanning = weak.get()) scanning->not_answered();
    });
  }

  void not_answered() {
    part_.is_unanswered = true;
    go_on_with_next();
  }

  // That master says no more.
  void go_on_with_next() {
    part_.next = next_master();
    end();
  }

  // Where a listing goes on behind the present one; empty: it was the last.
  std::optional<std::uint64_t> next_master() const {
    const std::uint64_t next = master_ + 1;
    if (next >= store_.servers().masters()) return std::nullopt;
    return next << kCursorBits;
  }

  void on_names(const std::vector<Reply>& replies) {
    const std::optional<Scanned> scanned = read_scan(replies[0]);
    if (!scanned) return not_answered();
    std::uint64_t next = 0;
    std::from_chars(scanned->next.data(), scanned->next.data() + scanned->next.size(), next);
    const bool has_more = next != 0 && next <= kMostCursor;
    part_.next = has_more ? (master_ << kCursorBits) | next : next_master();
    if (scanned->names.empty()) return end();
    Commands commands;
    for (const std::string_view name : scanned->names) {
      found_.push_back({.name = std::string(name)});
      commands.add({"PTTL", name}).add({"GETRANGE", name, "0", kFirstEnd});
    }
    ask(commands, &Scanning::on_heads);
  }

  void on_heads(const std::vector<Reply>& replies) {
    if (!may_read_) return end_unread();
    std::vector<Found> longer;
    Commands commands;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      found_[i].left_ms = replies[2 * i].integer;
      const std::string_view first = replies[2 * i + 1].bytes();
      std::string_view rest = first;
      if (read_lease(first)) part_.leased.push_back(value_key(found_[i].name));
      if (!read_envelope(rest)) continue;  // nobody's, or a piece of a body
      const auto head = record_head_bytes(rest);
      if (!head || *head > kMostHead) continue;
      found_[i].bytes = kEnvelopeBytes + *head;
      if (first.size() >= found_[i].bytes) {
        add(found_[i], first);
      } else if (first.size() == kFirstBytes) {
        commands.add({"GETRANGE", found_[i].name, "0", std::to_string(found_[i].bytes - 1)});
        longer.push_back(std::move(found_[i]));
      }
    }
    found_ = std::move(longer);
    if (found_.empty()) return end();
    ask(commands, &Scanning::on_longer_heads);
  }

  void on_longer_heads(const std::vector<Reply>& replies) {
    for (std::size_t i = 0; i < found_.size(); ++i) add(found_[i], replies[i].bytes());
    end();
  }

  // What a value's name is can be told without believing what lies there.
  void end_unread() {
    part_.is_unread = !found_.empty();
    if (first_byte_ == keys::kValueKeyVersion) {
      for (const Found& found : found_) part_.leased.push_back(value_key(found.name));
    }
    end();
  }

  // Of "<prefix>v:KEY".
  std::string value_key(std::string_view name) const {
    name.remove_prefix(store_.shared().options().prefix.size() + 2);
    return std::string(1, first_byte_).append(name);
  }

  void add(const Found& found, std::string_view value) {
    if (value.size() < found.bytes || found.left_ms < 0) return;
    std::string_view rest = value.substr(0, found.bytes);
    const Result<Envelope> envelope = read_envelope(rest);
    if (!envelope) return;
    const auto seq = store_.shared().positions().own(envelope->position);
    const std::int64_t now_ms = store_.loop().now_ms();
    const std::int64_t lain_ms = std::max<std::int64_t>(envelope->expire_ms - found.left_ms, 0);
    const auto summary =
        summarize(rest, RecordTime::undated(now_ms - lain_ms, seq.value_or(0)), now_ms);
    const bool is_asked = summary && seq && summary->kind == EntryKind::Response &&
                          summary->key.starts_with(first_byte_);
    if (is_asked) {
      part_.entries.push_back({std::string(summary->key), summary->meta, summary->body_bytes});
    }
  }

  // The waiter may drop this object: nothing comes after.
  void end() { waiter_.on_listed(std::move(part_)); }

  RedisStore& store_;
  const char first_byte_;
  ListWaiter& waiter_;
  std::uint64_t master_ = 0;  // which of them is asked
  bool may_read_ = false;     // what it has just answered
  ListPart part_;
  std::vector<Found> found_;
  std::unique_ptr<PendingAnswer> call_;
  Life<Scanning> life_{*this};
};

Listing RedisStore::list(char first_byte, std::uint64_t from, ListWaiter& waiter) {
  auto scanning = std::make_unique<Scanning>(*this, first_byte, waiter);
  scanning->begin(from);
  return {std::nullopt, std::move(scanning)};
}

// ---- sweeping ----

void RedisStore::Sweep::scan(const std::string& from) {
  Commands commands;
  commands.add(
      {"SCAN", from, "MATCH", all_pattern(store_.shared().options().prefix), "COUNT", kScanCount});
  Link::Started call = store_.servers().call_master(
      master_, commands, [this](const Link::Replies& replies, auto) { on_names(replies); });
  call_ = call ? std::move(*call) : nullptr;
}

void RedisStore::Sweep::on_names(const Link::Replies& replies) {
  call_ = nullptr;
  const auto scanned = replies ? read_scan(replies->front()) : std::nullopt;
  if (!scanned) return;
  const std::string& prefix = store_.shared().options().prefix;
  // One by one: they may be in different slots.
  Commands commands;
  for (const std::string_view name : scanned->names) {
    const std::string_view own = name.substr(std::min(prefix.size(), name.size()));
    if (own.starts_with("r:") || own.starts_with("v:")) commands.add({"UNLINK", name});
  }
  if (commands.count() > 0) {
    removing_ = store_.servers().call_master(master_, commands, [](const auto&, auto) {});
  }
  if (scanned->next != "0") return scan(scanned->next);
  if (++master_ < store_.servers().masters()) scan("0");
}

void RedisStore::sweep() {
  if (!sweep_ || sweep_->is_done()) sweep_ = std::make_unique<Sweep>(*this);
}

}  // namespace weir::backends::redis
