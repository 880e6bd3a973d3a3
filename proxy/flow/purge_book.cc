#include "proxy/flow/purge_book.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace weir::flow {

std::uint64_t PurgeBook::hash_of(std::uint64_t tag) const {
  return stable_hash64({reinterpret_cast<const char*>(&tag), sizeof tag}, seed_);
}

PurgeVerdict PurgeBook::check(std::uint64_t seq, const keys::PurgeName& name,
                              std::span<const std::uint64_t> tags) const {
  PurgeVerdict verdict = PurgeVerdict::Alive;
  if (!name.bytes.empty()) {
    verdict = std::max(urls_.check(seq, hash_of(name)), check_patterns(seq, name));
  }
  for (const std::uint64_t tag : tags) verdict = std::max(verdict, tags_.check(seq, hash_of(tag)));
  // Last: it is raised before a prefix or a glob is dropped, which one of the two must show.
  return std::max(verdict, floor_.verdict(seq));
}

PurgeVerdict PurgeBook::check_patterns(std::uint64_t seq, const keys::PurgeName& name) const {
  if (seq >= newest_pattern_.load(std::memory_order_acquire)) return PurgeVerdict::Alive;
  const PurgePath path(name);
  const std::shared_lock lock(patterns_mutex_);
  return std::max(prefixes_.check(seq, path), globs_.check(seq, path));
}

std::uint64_t PurgeBook::mark_url(const keys::PurgeName& name, bool soft) {
  return mark({.kind = Mark::Kind::Url, .soft = soft, .hash = hash_of(name), .text = name.bytes});
}

std::uint64_t PurgeBook::mark_tag(std::uint64_t tag, bool soft) {
  const std::string_view text(reinterpret_cast<const char*>(&tag), sizeof tag);
  return mark({.kind = Mark::Kind::Tag, .soft = soft, .hash = hash_of(tag), .text = text});
}

std::uint64_t PurgeBook::mark_prefix(std::string_view text, bool soft) {
  if (text.size() > kMostTextBytes) return mark_all(soft);
  const std::string spelled = PurgePrefixes::spelled(text);
  return mark({.kind = Mark::Kind::Prefix, .soft = soft, .text = spelled});
}

std::uint64_t PurgeBook::mark_glob(std::string_view text, bool soft) {
  if (text.size() > kMostTextBytes) return mark_all(soft);
  return mark({.kind = Mark::Kind::Glob, .soft = soft, .text = text});
}

std::uint64_t PurgeBook::mark_all(bool soft) {
  return mark({.kind = Mark::Kind::All, .soft = soft});
}

std::uint64_t PurgeBook::mark(Mark mark) {
  const std::lock_guard lock(order_);
  mark.position = position_.load(std::memory_order_relaxed) + 1;
  apply(mark);
  if (log_ != nullptr) log_->append(mark);
  if (fleet_ != nullptr) fleet_->append(mark);
  position_.store(mark.position, std::memory_order_release);
  return mark.position;
}

void PurgeBook::apply(const Mark& mark) {
  switch (mark.kind) {
    case Mark::Kind::Url:
      return urls_.mark(mark.hash, mark.stamp());
    case Mark::Kind::UrlFloor:
      return urls_.raise_floor(mark.hash, mark.stamp());
    case Mark::Kind::Tag:
      return tags_.mark(mark.hash, mark.stamp());
    case Mark::Kind::TagFloor:
      return tags_.raise_floor(mark.hash, mark.stamp());
    case Mark::Kind::Prefix:
    case Mark::Kind::Glob:
      return apply_pattern(mark);
    case Mark::Kind::All:
      return floor_.raise(mark.stamp());
  }
}

void PurgeBook::apply_pattern(const Mark& mark) {
  const std::lock_guard lock(patterns_mutex_);
  if (mark.kind == Mark::Kind::Prefix) {
    prefixes_.mark(mark.text, mark.stamp(), floor_);
  } else {
    globs_.mark(mark.text, mark.stamp(), floor_);
  }
  const std::uint64_t newest = newest_pattern_.load(std::memory_order_relaxed);
  newest_pattern_.store(std::max(newest, mark.position), std::memory_order_release);
}

void PurgeBook::set_log(MarkLog* log) {
  const std::lock_guard lock(order_);
  log_ = log;
}

void PurgeBook::set_fleet(MarkHearer* fleet) {
  const std::lock_guard lock(order_);
  fleet_ = fleet;
}

void PurgeBook::when_kept(WhenKept tell) {
  {
    const std::lock_guard lock(order_);
    if (log_) return log_->when_kept(std::move(tell));
  }
  tell({});
}

void PurgeBook::restore(const Mark& mark) {
  {
    const std::lock_guard lock(order_);
    apply(mark);
  }
  raise_position(mark.position);
}

void PurgeBook::raise_position(std::uint64_t position) {
  const std::lock_guard lock(order_);
  if (position > position_.load(std::memory_order_relaxed)) {
    position_.store(position, std::memory_order_release);
  }
}

void PurgeBook::for_each_mark(const std::function<void(const Mark&)>& visit) const {
  const auto visit_table = [&](const PurgeTable& table, Mark::Kind kind, Mark::Kind floor_kind) {
    table.for_each([&](std::uint64_t hash, PurgeStamp stamp, bool is_floor) {
      if (floor_.covers(stamp)) return;
      visit({.kind = is_floor ? floor_kind : kind,
             .soft = stamp.soft(),
             .position = stamp.position(),
             .hash = hash});
    });
  };
  visit_table(urls_, Mark::Kind::Url, Mark::Kind::UrlFloor);
  visit_table(tags_, Mark::Kind::Tag, Mark::Kind::TagFloor);
  visit_patterns(visit);
  // Behind the others: what was left out, or was dropped meanwhile, is in it.
  for (const PurgeStamp stamp : {floor_.hard(), floor_.soft()}) {
    if (!stamp) continue;
    visit({.kind = Mark::Kind::All, .soft = stamp.soft(), .position = stamp.position()});
  }
}

void PurgeBook::visit_patterns(const std::function<void(const Mark&)>& visit) const {
  struct Copy {
    Mark::Kind kind;
    std::string text;
    PurgeStamp stamp;
  };
  std::vector<Copy> copies;  // so that nobody's mark waits for the visits
  {
    const std::shared_lock lock(patterns_mutex_);
    const auto copy_as = [&](Mark::Kind kind) {
      return [&copies, kind, this](std::string_view text, PurgeStamp stamp) {
        if (!floor_.covers(stamp)) copies.push_back({kind, std::string(text), stamp});
      };
    };
    prefixes_.for_each(copy_as(Mark::Kind::Prefix));
    globs_.for_each(copy_as(Mark::Kind::Glob));
  }
  for (const Copy& copy : copies) {
    visit({.kind = copy.kind,
           .soft = copy.stamp.soft(),
           .position = copy.stamp.position(),
           .text = copy.text});
  }
}

}  // namespace weir::flow
