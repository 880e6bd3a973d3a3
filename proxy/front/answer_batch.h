// Where the sessions of a loop receive, and the answers that leave together when its turn ends.
//
// Making an answer from memory and sending it run through different code, together more than the
// processor keeps at hand. So the answers that can be made in one turn are all made first, and then
// all sent. Until then each request stays where it was received, and the next comes behind it. Loop
// thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/life.h"
#include "base/net/event_loop.h"

namespace weir::front {

class AnswerBatch {
 public:
  class Sender {
   public:
    // The turn is over. May destroy the sender.
    virtual void send_batched() = 0;

   protected:
    virtual ~Sender() = default;

   private:
    friend class AnswerBatch;
    static constexpr std::size_t kNowhere = SIZE_MAX;
    std::size_t last_ = kNowhere;  // where it waits
  };

  explicit AnswerBatch(EventLoop& loop) : loop_(loop) {}

  // Where to receive. What comes to lie there is good until somebody else receives, or, kept by
  // add(), until the turn ends.
  std::span<char> room() { return std::span(buffer_).subspan(used_); }

  // Keeps `request` where it lies, if that is in room(), and calls `sender` when the turn ends.
  // False: too little room would be left for others; nothing is kept, and nobody is called.
  bool add(Sender& sender, std::string_view request);
  // Is not to be called after all. Costs the same however many wait.
  void remove(Sender& sender);

 private:
  static constexpr std::size_t kBytes = std::size_t{64} * 1024;
  static constexpr std::size_t kLeastRoom = kBytes / 4;

  struct Waiting {
    Sender* sender;       // null: removed
    std::size_t earlier;  // where the same one waits before it
  };

  void send_all();

  EventLoop& loop_;
  std::array<char, kBytes> buffer_;
  std::size_t used_ = 0;
  std::vector<Waiting> waiting_;  // in the order of their coming
  Life<AnswerBatch> life_{*this};
};

}  // namespace weir::front
