// Reads the record that the index says lies there, and believes it only when every byte is as it
// was written and the key is the one asked for. Of a large one only the head is read: its entry has
// a far body. Any thread; a copy is good for as long as its executor.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "backends/disk/disk_body.h"
#include "backends/disk/disk_time.h"
#include "backends/disk/frame.h"
#include "backends/disk/index.h"
#include "backends/disk/piece_list.h"
#include "backends/disk/segments.h"
#include "backends/entry.h"
#include "backends/record.h"
#include "base/executor.h"

namespace weir::backends::disk {

struct RecordRead {
  enum class Status : std::uint8_t {
    Found,
    Elsewhere,  // the bytes are not in memory: wait for the medium
    Stranger,   // another key's, of the same place in the index
    Corrupt,    // no sound record of that key
    Gone,       // a part of its body has left, to make room
    Failed,     // the medium failed
  };
  Status status = Status::Failed;
  EntryRef entry = nullptr;      // Found
  Ref<DiskBody> body = nullptr;  // its body, if that is far: to be told of what turns out bad
};

class RecordReader {
 public:
  // Records up to this size are read whole.
  static constexpr std::uint64_t kWholeBytes = std::uint64_t{288} * 1024;
  // Of them those from this size on may be sent from where they lie, once they were read whole and
  // found sound: less is copied as fast as it is sent so.
  static constexpr std::uint64_t kSentBytes = std::uint64_t{8} * 1024;
  // Of which this is more than most heads and keys take.
  static constexpr std::uint64_t kUsualHead = std::uint64_t{32} * 1024;

  RecordReader(std::shared_ptr<const Segments> segments, Executor& executor, const DiskTime& time)
      : segments_(std::move(segments)), executor_(&executor), time_(time) {}

  const DiskTime& time() const { return time_; }

  struct Asked {
    std::shared_ptr<const Segment> segment;
    RecordPlace place;
    Hash128 hash{};
    keys::KeyView key;
    std::int64_t now_ms = 0;
    // Whether a body that is known to be sound may be far, also a small one: it is for a client,
    // and stays where it lies.
    bool may_be_far = false;
  };
  // Never waits; for loops.
  RecordRead read_now(const Asked& asked) const { return read(asked, false); }
  // May wait; for the executor. Nothing is elsewhere.
  RecordRead read_waiting(const Asked& asked) const { return read(asked, true); }

 private:
  RecordRead read(const Asked& asked, bool wait) const;
  RecordRead read_whole(const Asked& asked, bool wait) const;
  RecordRead decode_whole(const Asked& asked, std::string_view all, const Ref<Chunk>& chunk,
                          VerifiedBlocks::Modified modified) const;
  RecordRead read_large(const Asked& asked, bool wait, HeadTrust trust) const;
  static std::optional<std::uint64_t> head_bytes(const Frame& frame, std::string_view first);
  RecordRead read_head(const Asked& asked, const Frame& frame, std::string_view bytes,
                       std::uint64_t head, HeadTrust trust) const;
  std::shared_ptr<const Segment> find_segment(const Asked& asked, const PiecePlace& place) const;
  Ref<DiskBody> body_in_record(const Asked& asked, std::uint64_t head_bytes, std::uint64_t size,
                               std::vector<std::uint64_t> sums) const;
  Ref<DiskBody> body_in_pieces(const Asked& asked, std::string_view list, std::uint64_t size,
                               const std::vector<std::uint64_t>& sums) const;

  std::shared_ptr<const Segments> segments_;
  Executor* executor_;
  DiskTime time_;
};

}  // namespace weir::backends::disk
