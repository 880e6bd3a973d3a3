// What fake_file_system's disk has for sure, and what else may be left of it when the power goes.
// No thread-safety of its own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace weir::test {

class FakeMedium {
 public:
  struct File {
    std::string bytes;             // as the processes see it
    std::string synced;            // as the medium has it
    std::size_t least = SIZE_MAX;  // the size that it was cut to since

    void cut(std::size_t size) {
      bytes.resize(size);
      least = std::min(least, size);
    }
    void sync() {
      synced = bytes;
      least = SIZE_MAX;
    }
    void lose_power(std::mt19937& random) {
      bytes = torn(random);
      sync();
    }

   private:
    std::string torn(std::mt19937& random) const;
  };
  using FileRef = std::shared_ptr<File>;
  using Names = std::map<std::string, FileRef>;  // by folder/name

  // A file gets a name (`from` is empty), loses one (`to` is), or another one in its place: whole
  // or not at all.
  struct Change {
    std::string from;
    std::string to;
    FileRef file;

    void apply(Names& names) const {
      if (!from.empty()) names.erase(from);
      if (!to.empty()) names[to] = file;
    }
    bool is_of(const std::string& name) const { return from == name || to == name; }
  };

  // As the processes see them.
  const Names& names() const { return names_; }
  void change(Change change) {
    change.apply(names_);
    unsynced_.push_back(std::move(change));
  }
  // The names of one folder.
  template <class IsOurs>
  void sync_names(IsOurs is_ours) {
    std::erase_if(synced_, [&](const auto& entry) { return is_ours(entry.first); });
    for (const auto& entry : names_) {
      if (is_ours(entry.first)) synced_.insert(entry);
    }
    std::erase_if(unsynced_, [&](const Change& change) {
      return is_ours(change.from.empty() ? change.to : change.from);
    });
  }
  // As if this had stood there always; null: nothing.
  void settle(const std::string& name, const FileRef& file) {
    std::erase_if(unsynced_, [&](const Change& change) { return change.is_of(name); });
    for (Names* const names : {&names_, &synced_}) {
      names->erase(name);
      if (file) names->emplace(name, file);
    }
  }
  void lose_power(std::mt19937& random) {
    names_ = torn(random);
    for (const auto& [name, file] : names_) file->lose_power(random);
    synced_ = names_;
    unsynced_.clear();
  }

 private:
  Names torn(std::mt19937& random) const;

  Names names_;
  Names synced_;
  std::vector<Change> unsynced_;  // in their order
};

// Each sector of 512 bytes as it was synced, as it was written last, or, where the file has grown,
// of zeros. What was cut off is there, all of it, or gone.
inline std::string FakeMedium::File::torn(std::mt19937& random) const {
  constexpr std::size_t kSector = 512;
  std::string before = synced;
  const std::size_t cut_to = std::min(least, bytes.size());
  if (cut_to < before.size() && random() % 2 == 0) before.resize(cut_to);
  std::string out = bytes;
  if (out.size() < before.size()) out.append(before, out.size());
  std::size_t end = before.size();
  for (std::size_t at = 0; at < out.size(); at += kSector) {
    const std::size_t count = std::min(kSector, out.size() - at);
    const bool stays = random() % 2 == 0;
    if (stays) end = std::max(end, at + count);
    if (stays) continue;
    for (std::size_t i = at; i < at + count; ++i) {
      out[i] = i < before.size() ? before[i] : '\0';
    }
  }
  out.resize(end);
  return out;
}

// Each change is there or not, but for one that stands on a lost one.
inline FakeMedium::Names FakeMedium::torn(std::mt19937& random) const {
  Names out = synced_;
  std::set<std::string> lost;
  for (const Change& change : unsynced_) {
    const bool stands_on_lost = lost.contains(change.from) || lost.contains(change.to);
    if (!stands_on_lost && random() % 2 == 0) {
      change.apply(out);
      continue;
    }
    for (const std::string& name : {change.from, change.to}) {
      if (!name.empty()) lost.insert(name);
    }
  }
  return out;
}

}  // namespace weir::test
