#include "proxy/flow/purge_patterns.h"

#include <algorithm>

#include "base/text.h"
#include "proxy/route/path_reading.h"

namespace weir::flow {
namespace {

// Where the path begins in a text that may have an authority in front.
std::size_t path_start(std::string_view text) {
  return std::min(text.find('/'), text.size());
}

// The same in a glob, whose path may begin with a star.
std::size_t glob_path_start(std::string_view text) {
  return text.starts_with('*') ? 0 : path_start(text);
}

}  // namespace

PurgePath::PurgePath(const keys::PurgeName& name) : authority(name.authority), path(name.path) {
  thread_local std::string room;
  room.assign(authority);
  if (route::is_plain_path(path)) {
    room.append(path);
  } else {
    route::append_canonical(path, room);
  }
  both = room;
  path = both.substr(authority.size());
}

std::string PurgePrefixes::spelled(std::string_view text) {
  std::string out;
  append_lower(out, text.substr(0, path_start(text)));
  route::append_canonical(text.substr(path_start(text)), out);
  return out;
}

void PurgePrefixes::mark(std::string_view text, PurgeStamp stamp, PurgeFloor& floor) {
  const auto found = texts_.find(text);
  Known& known = found != texts_.end() ? *found : *texts_.emplace(text, Stamps{}).first;
  if (found == texts_.end()) ++lengths_of(text)[text.size()];
  Stamps& stamps = known.second;
  const auto says_all = [&](PurgeStamp at) { return at && at.covers(stamp); };
  if (says_all(stamps.hard) || says_all(stamps.soft)) return;
  for (PurgeStamp* older : {&stamps.hard, &stamps.soft}) {
    if (*older && stamp.covers(*older)) forget(*older, known);
  }
  (stamp.soft() ? stamps.soft : stamps.hard) = stamp;
  by_age_.emplace(stamp.word(), &known);
  if (by_age_.size() <= kMost) return;
  floor.raise(PurgeStamp::of_word(by_age_.begin()->first));
  drop_oldest();
}

void PurgePrefixes::forget(PurgeStamp& stamp, Known& known) {
  by_age_.erase({stamp.word(), &known});
  stamp = {};
}

void PurgePrefixes::drop_oldest() {
  Known& known = *by_age_.begin()->second;
  const PurgeStamp oldest = PurgeStamp::of_word(by_age_.begin()->first);
  forget(oldest.soft() ? known.second.soft : known.second.hard, known);
  if (known.second.hard || known.second.soft) return;
  Lengths& lengths = lengths_of(known.first);
  const auto length = lengths.find(known.first.size());
  if (--length->second == 0) lengths.erase(length);
  texts_.erase(texts_.find(known.first));
}

PurgeVerdict PurgePrefixes::check(std::uint64_t seq, const Lengths& lengths,
                                  std::string_view text) const {
  PurgeVerdict verdict = PurgeVerdict::Alive;
  for (const auto& [length, count] : lengths) {
    if (length > text.size()) break;
    const auto found = texts_.find(text.substr(0, length));
    if (found == texts_.end()) continue;
    const Stamps& stamps = found->second;
    verdict = std::max({verdict, stamps.hard.verdict(seq), stamps.soft.verdict(seq)});
  }
  return verdict;
}

PurgeVerdict PurgePrefixes::check(std::uint64_t seq, const PurgePath& path) const {
  return std::max(check(seq, path_lengths_, path.path), check(seq, both_lengths_, path.both));
}

PurgeGlobs::Marked::Marked(std::string_view from, PurgeStamp at)
    : stamp(at),
      text(from),
      authority(to_lower(from.substr(0, glob_path_start(from)))),
      path(from.substr(glob_path_start(from))) {}

bool PurgeGlobs::Marked::matches(const PurgePath& name) const {
  return (authority.empty() || authority == name.authority) && path.match(name.path);
}

void PurgeGlobs::mark(std::string_view text, PurgeStamp stamp, PurgeFloor& floor) {
  for (const Marked& known : by_age_) {
    if (known.text == text && known.stamp.covers(stamp)) return;
  }
  std::erase_if(by_age_, [&](const Marked& known) {
    return known.text == text && stamp.covers(known.stamp);
  });
  const auto newer = std::ranges::upper_bound(
      by_age_, stamp.word(), {}, [](const Marked& known) { return known.stamp.word(); });
  by_age_.emplace(newer, text, stamp);
  if (by_age_.size() <= kMost) return;
  floor.raise(by_age_.front().stamp);
  by_age_.pop_front();
}

PurgeVerdict PurgeGlobs::check(std::uint64_t seq, const PurgePath& path) const {
  PurgeVerdict verdict = PurgeVerdict::Alive;
  for (auto glob = by_age_.rbegin(); glob != by_age_.rend(); ++glob) {
    if (glob->stamp.position() <= seq || verdict == PurgeVerdict::Dead) break;
    if (glob->matches(path)) verdict = std::max(verdict, glob->stamp.verdict(seq));
  }
  return verdict;
}

}  // namespace weir::flow
