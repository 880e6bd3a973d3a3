// What is not stored: how far its readers may be behind each other.
#include "backends/backend.h"
#include "tests/proxy/flow/flight_fixture.h"

namespace weir::flow {
namespace {

class FlightWindowTest : public FlightTest {};

// What a store has written by now.
class Written final : public backends::FarBody {
 public:
  std::uint64_t size() const override { return bytes; }
  std::uint64_t readable() const override { return bytes; }
  Ref<const Chunk> block_now(std::uint64_t) const override { return nullptr; }
  std::unique_ptr<backends::PendingAnswer> read_block(std::uint64_t, EventLoop&,
                                                      Waiter&) const override {
    return nullptr;
  }

  std::uint64_t bytes = 0;
};

TEST_F(FlightWindowTest, WhatTheStoreHadWhenItGaveUpIsNoPartOfTheWindow) {
  constexpr std::uint64_t kHad = 16 * Flight::kWindowBytes;
  Listener listener;
  auto written = make_ref<Written>();
  FlightReader slow(flight_, waker(listener), Runner::First);
  FlightReader fast(flight_, waker(listener), std::nullopt);
  flight_->publish_head(head(), true);
  flight_->flow_into(written);
  const std::string block(kBlockBytes, 'x');
  for (std::uint64_t at = 0; at < kHad; at += kBlockBytes) {
    flight_->append(block, true);
    take(fast);
    written->bytes = flight_->appended();
  }
  flight_->stop_retaining();
  for (int i = 0; i < 8; ++i) {
    fill_window();
    take(fast);
    EXPECT_LT(budget_.used(), 3 * Flight::kWindowBytes);
  }
}

TEST_F(FlightWindowTest, WhatAReaderIsSendingStaysThoughItFallsOut) {
  Listener listener;
  FlightReader slow(flight_, waker(listener), Runner::First);
  FlightReader fast(flight_, waker(listener), std::nullopt);
  flight_->publish_head(head(), false);
  flight_->append(std::string(kBlockBytes, 'a'), true);
  std::array<iovec, 4> parts;
  ASSERT_EQ(slow.pull(parts).bytes, kBlockBytes);
  for (int i = 0; i < 3; ++i) {
    take(fast);
    fill_window();
  }
  std::vector<Ref<Chunk>> others;
  for (int i = 0; i < 64; ++i) {
    others.push_back(Chunk::allocate(32 * 1024));
    std::ranges::fill(others.back()->free_space(), 'b');
  }
  const auto* const bytes = static_cast<const char*>(parts[0].iov_base);
  EXPECT_EQ(std::string(bytes, parts[0].iov_len), std::string(parts[0].iov_len, 'a'));
  slow.consume(3);
  EXPECT_EQ(slow.pull(parts).status, Status::Failed);
}

TEST_F(FlightWindowTest, AWindowIsPacedByItsFastestReader) {
  // What is not stored keeps a window: full when the fastest reader is that far behind, and the
  // producer is told when half of it is free again.
  Listener listener;
  Listener producer;
  flight_->enter_race(Runner::First, waker(producer));
  FlightReader slow(flight_, waker(listener), Runner::First);
  FlightReader fast(flight_, waker(listener), std::nullopt);
  flight_->publish_head(head(), false);
  fill_window();
  EXPECT_GE(flight_->appended(), Flight::kWindowBytes);
  take(fast);
  turn();
  EXPECT_EQ(producer.wakes, 1);
  EXPECT_FALSE(flight_->window_full());
}

TEST_F(FlightWindowTest, WhoFallsOutOfTheWindowIsCut) {
  // It is told although it has not asked for more, or its memory would be held for as long as its
  // client likes.
  Listener slow_listener;
  Listener fast_listener;
  FlightReader slow(flight_, waker(slow_listener), Runner::First);
  FlightReader fast(flight_, waker(fast_listener), std::nullopt);
  flight_->publish_head(head(), false);
  turn();
  fill_window();
  take(fast);
  EXPECT_FALSE(flight_->has_left_one_behind());
  fill_window();
  take(fast);
  const int wakes = slow_listener.wakes;
  turn();
  EXPECT_EQ(slow_listener.wakes, wakes + 1);
  EXPECT_TRUE(flight_->has_left_one_behind());
  Status last = Status::Data;
  EXPECT_EQ(take(slow, &last), "");
  EXPECT_EQ(last, Status::Failed);
  EXPECT_LT(budget_.used(), Flight::kWindowBytes + kBlockBytes);
  flight_->append("on it goes", true);
  EXPECT_EQ(take(fast), "on it goes");
}

TEST_F(FlightWindowTest, ReadersOfOnePaceAreNotCut) {
  // However far the app is ahead of them: they are behind it, and not behind each other.
  Listener listener;
  FlightReader one(flight_, waker(listener), Runner::First);
  FlightReader two(flight_, waker(listener), std::nullopt);
  flight_->publish_head(head(), false);
  std::size_t read = 0;
  for (int i = 0; i < 4; ++i) {
    fill_window();
    read += take(one).size();
    fill_window();  // a whole window more, while the other one catches up
    Status last = Status::Data;
    take(two, &last);
    EXPECT_EQ(last, Status::Pending) << i;
    read += take(one).size();
  }
  EXPECT_EQ(read, flight_->appended());
  EXPECT_FALSE(flight_->has_left_one_behind());
}

TEST_F(FlightWindowTest, WhoHasNotBegunToReadLooksElsewhereInsteadOfBeingCut) {
  Listener listener;
  FlightReader late(flight_, waker(listener), std::nullopt);
  FlightReader begun(flight_, waker(listener), std::nullopt);
  FlightReader fast(flight_, waker(listener), Runner::First);
  flight_->publish_head(head(), false);
  take(begun);
  fill_window();
  take(fast);
  fill_window();
  take(fast);
  EXPECT_TRUE(late.missed_bytes());
  EXPECT_FALSE(begun.missed_bytes()) << "its client has the head, and must see the cut";
}

TEST_F(FlightWindowTest, TheLastReaderIsNeverCut) {
  Listener listener;
  Listener producer;
  flight_->enter_race(Runner::First, waker(producer));
  auto fast = std::make_unique<FlightReader>(flight_, waker(listener), Runner::First);
  FlightReader slow(flight_, waker(listener), std::nullopt);
  flight_->publish_head(head(), false);
  fill_window();
  take(*fast);
  fast = nullptr;
  EXPECT_TRUE(flight_->window_full()) << "it is paced by who is left";
  turn();
  EXPECT_EQ(producer.wakes, 1) << "for the fast one, before it left";
  EXPECT_EQ(take(slow).size(), flight_->appended());
  turn();
  EXPECT_EQ(producer.wakes, 2);
}

TEST_F(FlightWindowTest, WhatWasRetainedMayStillBeRead) {
  // A reader may be as far behind as the window is wide, or as what was held anyway, while there is
  // memory.
  for (const bool is_short : {false, true}) {
    FillBudget budget(8 * 1024 * 1024);
    const Ref<Flight> flight = make_ref<Flight>(budget, 0);
    Listener listener;
    FlightReader fast(flight, waker(listener), Runner::First);
    FlightReader slow(flight, waker(listener), std::nullopt);
    flight->publish_head(head(), true);
    const std::string large(3 * 1024 * 1024, 'x');
    flight->append(large, true);
    take(fast);
    if (is_short) budget.take(6 * 1024 * 1024);
    flight->stop_retaining();
    flight->append("more", true);
    Status last = Status::Data;
    EXPECT_EQ(take(slow, &last).size(), is_short ? 0U : large.size() + 4);
    EXPECT_EQ(last, is_short ? Status::Failed : Status::Pending);
    take(fast);
    EXPECT_EQ(flight->has_left_one_behind(), is_short);
    if (is_short) budget.give(6 * 1024 * 1024);
  }
}

TEST_F(FlightWindowTest, AReaderThatCameTooLateIsTold) {
  // Between the table's answer and the attachment bytes may have been dropped.
  Listener listener;
  {
    FlightReader early(flight_, waker(listener), Runner::First);
    flight_->publish_head(head(), true);
    for (int i = 0; i < 64; ++i) flight_->append(std::string(16 * 1024, 'x'), true);
    take(early);
    flight_->stop_retaining();
    FlightReader late(flight_, waker(listener), std::nullopt);
    EXPECT_TRUE(late.missed_bytes());
    EXPECT_FALSE(early.missed_bytes());
  }
}

}  // namespace
}  // namespace weir::flow
