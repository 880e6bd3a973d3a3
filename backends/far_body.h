// A body that rests where it has to be asked for, block by block, and is never in memory as a
// whole: what a large object on disk has. And a reader of one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/chunk.h"
#include "base/file_range.h"
#include "base/net/event_loop.h"
#include "base/ref_counted.h"

namespace weir::backends {

class PendingAnswer;

// Any thread, where nothing else is said. It holds what it reads from in place: a body that
// somebody reads stays readable after its object was replaced or has left the store.
class FarBody : public RefCounted<FarBody> {
 public:
  static constexpr std::size_t kBlockBytes = std::size_t{64} * 1024;

  static void destroy(const FarBody* body) { delete body; }
  virtual ~FarBody() = default;

  virtual std::uint64_t size() const = 0;
  // Those bytes of it that can be read by now, from its front: all, unless it is still arriving.
  virtual std::uint64_t readable() const = 0;

  // Block `index` (all are of kBlockBytes but the last one), verified; null when it would have to
  // be waited for. Ends before readable().
  virtual Ref<const Chunk> block_now(std::uint64_t index) const = 0;

  // Those bytes from this place on, before readable(), that can be sent from where they lie:
  // verified before, and in memory since. None: they are to be read. `now_ms` of the steady clock.
  virtual FileRange range_now(std::uint64_t /*at*/, std::int64_t /*now_ms*/) const { return {}; }

  class Waiter {
   public:
    virtual ~Waiter() = default;
    // Null: it cannot be had, or has changed; the store has seen to it that it is not asked again.
    virtual void on_block(Ref<const Chunk> block) = 0;
  };
  // The same for one that has to be waited for. On `loop`, where the waiter is called once, later,
  // unless the handle was dropped.
  virtual std::unique_ptr<PendingAnswer> read_block(std::uint64_t index, EventLoop& loop,
                                                    Waiter& waiter) const = 0;
};

// One reader's way through a far body. One loop.
class FarReader final : private FarBody::Waiter {
 public:
  // `ready` is called when what was Pending has come, later, never within get().
  FarReader(EventLoop& loop, std::function<void()> ready);
  ~FarReader() override;

  enum class Status : std::uint8_t { Data, Pending, Failed };
  struct Got {
    Status status = Status::Failed;
    std::string_view bytes;  // Data: good until the next call
  };
  // Some bytes from this place on, which lies before body.readable().
  Got get(const Ref<const FarBody>& body, std::uint64_t at);

 private:
  void on_block(Ref<const Chunk> block) override;

  EventLoop& loop_;
  const std::function<void()> ready_;
  Ref<const FarBody> body_;
  std::uint64_t index_ = 0;
  Ref<const Chunk> block_;
  bool failed_ = false;
  std::unique_ptr<PendingAnswer> pending_;
};

}  // namespace weir::backends
