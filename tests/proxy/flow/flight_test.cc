// What a flight gives its readers, and its name in the table.
#include <atomic>
#include <thread>

#include "proxy/flow/flight_table.h"
#include "tests/proxy/flow/flight_fixture.h"
#include "tests/proxy/flow/purge_kit.h"

namespace weir::flow {
namespace {

TEST_F(FlightTest, StreamsTheSameBytesToReadersOfAnyPace) {
  Listener early;
  Listener late;
  FlightReader first(flight_, waker(early), Runner::First);
  flight_->publish_head(head(), true);
  flight_->append("hello ", true);
  EXPECT_EQ(take(first), "hello ");
  FlightReader second(flight_, waker(late), std::nullopt);
  flight_->append("world", true);
  flight_->end(true);
  Status last = Status::Data;
  EXPECT_EQ(take(first, &last), "world");
  EXPECT_EQ(last, Status::End);
  EXPECT_EQ(take(second, &last), "hello world");
  EXPECT_EQ(last, Status::End);
}

TEST_F(FlightTest, WakesAReaderOnceForEachTimeItWaits) {
  // Bytes that nobody waits for cost no wake-up.
  Listener listener;
  FlightReader reader(flight_, waker(listener), Runner::First);
  flight_->publish_head(head(), true);
  turn();
  EXPECT_EQ(listener.wakes, 1);
  flight_->append("a", true);
  flight_->append("b", true);
  turn();
  EXPECT_EQ(listener.wakes, 1) << "it has not asked for bytes yet";
  EXPECT_EQ(take(reader), "ab");
  flight_->append("c", true);
  flight_->append("d", true);
  turn();
  EXPECT_EQ(listener.wakes, 2);
}

TEST_F(FlightTest, WakesNobodyWhoHasLeft) {
  Listener listener;
  {
    FlightReader reader(flight_, waker(listener), Runner::First);
    flight_->publish_head(head(), true);
  }
  listener.life.end();
  turn();
  EXPECT_EQ(listener.wakes, 0);
}

TEST_F(FlightTest, WhatAReaderIsSendingStaysThoughTheFlightLands) {
  // It lands on the producer's loop, at any moment of a reader's on another.
  Listener listener;
  FlightReader reader(flight_, waker(listener), Runner::First);
  flight_->publish_head(head(8), true);
  flight_->append("the page", true);
  std::array<iovec, 4> parts;
  ASSERT_EQ(reader.pull(parts).bytes, 8U);
  backends::EntryParts made;
  made.key = "key";
  made.hash = hash128(made.key);
  made.body = flight_->take_body();
  flight_->land(backends::make_entry(std::move(made)), {});
  // Whoever asks for memory of that size now does not get what is being sent.
  std::vector<Ref<Chunk>> others;
  for (int i = 0; i < 8; ++i) {
    others.push_back(Chunk::allocate(8));
    std::ranges::fill(others.back()->free_space(), 'x');
  }
  EXPECT_EQ(std::string(static_cast<const char*>(parts[0].iov_base), 8), "the page");
  reader.consume(3);
  EXPECT_EQ(take(reader), " page");
}

TEST_F(FlightTest, KeepsTheLastBytesBackUntilItHasLanded) {
  // Whoever has seen the end of a stored object is served it from the store.
  Listener listener;
  FlightReader reader(flight_, waker(listener), Runner::First);
  flight_->publish_head(head(10), true);
  flight_->append("01234", true);
  flight_->append("56789", false);
  Status last = Status::Data;
  EXPECT_EQ(take(reader, &last), "01234");
  EXPECT_EQ(last, Status::Pending);
  flight_->end(true);
  EXPECT_EQ(take(reader, &last), "56789");
  EXPECT_EQ(last, Status::End);
}

TEST_F(FlightTest, TellsReadersThatItBroke) {
  Listener listener;
  FlightReader reader(flight_, waker(listener), Runner::First);
  flight_->publish_head(head(10), true);
  flight_->append("01234", true);
  flight_->end(false);
  Status last = Status::Data;
  EXPECT_EQ(take(reader, &last), "01234");
  EXPECT_EQ(last, Status::Failed);
}

TEST_F(FlightTest, TellsItsProducerThatTheLastReaderLeft) {
  Listener listener;
  Listener producer;
  flight_->enter_race(Runner::First, waker(producer));
  {
    FlightReader reader(flight_, waker(listener), Runner::First);
  }
  turn();
  EXPECT_EQ(producer.wakes, 1);
  EXPECT_EQ(flight_->reader_count(), 0U);
}

TEST_F(FlightTest, KeepsNoPlaceForALeaderWhoLeavesMeanwhile) {
  // He leaves on one thread, the other runner wins on another.
  constexpr int kRounds = 40'000;
  std::atomic<Flight*> racing{nullptr};
  std::thread winner([&racing] {
    for (int i = 0; i < kRounds; ++i) {
      Flight* flight = nullptr;
      while (!(flight = racing.load())) std::this_thread::yield();
      flight->win(Runner::First);
      racing = nullptr;
    }
  });
  int unread = 0;
  for (int i = 0; i < kRounds; ++i) {
    const Ref<Flight> flight = make_ref<Flight>(budget_, 0);
    auto leader = std::make_unique<FlightReader>(flight, Waker{}, std::nullopt);
    ASSERT_TRUE(leader->begin_second());
    racing = flight.get();
    leader = nullptr;
    while (racing.load()) std::this_thread::yield();
    const Ref<Flight> own = flight->take_apart(Runner::Second);
    if (own && own->reader_count() > 0) ++unread;
  }
  winner.join();
  EXPECT_EQ(unread, 0);
}

TEST_F(FlightTest, SendsWhoComesAfterItsClosingToLookAgain) {
  // Between the table's answer and the attachment the flight may have been given up.
  EXPECT_TRUE(flight_->close_if_unread());
  Listener listener;
  FlightReader late(flight_, waker(listener), std::nullopt);
  turn();
  EXPECT_EQ(listener.wakes, 1);
  EXPECT_EQ(late.look().release, Flight::Release::LookAgain);
  EXPECT_FALSE(flight_->joinable());
}

TEST_F(FlightTest, IsNotClosedWhileSomebodyReads) {
  Listener listener;
  FlightReader reader(flight_, waker(listener), Runner::First);
  EXPECT_FALSE(flight_->close_if_unread());
}

TEST_F(FlightTest, MayBeJoinedOnlyWhileItHoldsAllItsBytes) {
  EXPECT_TRUE(flight_->joinable());
  flight_->publish_head(head(), true);
  EXPECT_TRUE(flight_->joinable());
  flight_->stop_retaining();
  EXPECT_FALSE(flight_->joinable());
}

TEST_F(FlightTest, IsNotJoinedOnceANewerAnswerIsKnown) {
  EXPECT_TRUE(flight_->joinable());
  flight_->outdate();
  EXPECT_FALSE(flight_->joinable());
}

TEST_F(FlightTest, GivesTheWholeBodyToTheStore) {
  // And a last chunk that is mostly empty is not stored as it is.
  flight_->publish_head(head(), true);
  flight_->append("short", false);
  const Body body = flight_->take_body();
  EXPECT_EQ(body.size(), 5U);
  EXPECT_EQ(body.pieces()[0].bytes(), "short");
  EXPECT_EQ(body.pieces()[0].chunk->capacity(), 5U);
}

TEST_F(FlightTest, ReservesAKnownLengthAtOnce) {
  // limits.fill_memory holds whatever number of bodies are on their way at the same time.
  FillBudget small(1000);
  const Ref<Flight> first = make_ref<Flight>(small, 0);
  const Ref<Flight> second = make_ref<Flight>(small, 0);
  EXPECT_TRUE(first->reserve(600));
  EXPECT_FALSE(second->reserve(600));
  first->publish_head(head(600), true);
  first->append(std::string(600, 'x'), true);
  EXPECT_EQ(small.used(), 600U) << "its chunks come out of what it reserved";
  first->stop_retaining();
  EXPECT_TRUE(second->reserve(400));
}

TEST_F(FlightTest, ReturnsWhatItTookFromTheBudget) {
  {
    const Ref<Flight> flight = make_ref<Flight>(budget_, 0);
    flight->append("some bytes", true);
    EXPECT_GT(budget_.used(), 0U);
  }
  EXPECT_EQ(budget_.used(), 0U);
}

// ---- FlightTable ----

class FlightTableTest : public FlightTest {
 protected:
  keys::KeyView key(const std::string& bytes) { return {bytes, hash128(bytes)}; }
  const std::string a_ = "key a";
  const std::string b_ = "key b";
  FlightTable table_;
  PurgeBook purges_{7};
};

TEST_F(FlightTableTest, OneLeadsAndTheOthersFollow) {
  const FlightTable::Joined leader = table_.join(key(a_), budget_, purges_);
  const FlightTable::Joined follower = table_.join(key(a_), budget_, purges_);
  EXPECT_TRUE(leader.lead);
  EXPECT_FALSE(follower.lead);
  EXPECT_EQ(leader.flight, follower.flight);
  EXPECT_TRUE(table_.join(key(b_), budget_, purges_).lead);
}

TEST_F(FlightTableTest, NobodyJoinsAFetchThatBeganBeforeAPurgeOfIt) {
  // A mark about another page keeps nobody from joining.
  const Url page("/page");
  const Url other("/other");
  const FlightTable::Joined before = table_.join(key(page.key()), budget_, purges_);
  purges_.mark_url(other.name());
  EXPECT_EQ(table_.join(key(page.key()), budget_, purges_).flight, before.flight);
  purges_.mark_url(page.name());
  const FlightTable::Joined after = table_.join(key(page.key()), budget_, purges_);
  EXPECT_TRUE(after.lead);
  // The old one's end does not take the new one's name away.
  table_.remove(key(page.key()), before.flight);
  EXPECT_FALSE(table_.join(key(page.key()), budget_, purges_).lead);
}

TEST_F(FlightTableTest, AFlightMayTakeTheNameOfItsVariant) {
  const FlightTable::Joined leader = table_.join(key(a_), budget_, purges_);
  table_.rename(key(a_), key(b_), leader.flight);
  EXPECT_EQ(table_.join(key(b_), budget_, purges_).flight, leader.flight);
  EXPECT_TRUE(table_.join(key(a_), budget_, purges_).lead);
}

TEST_F(FlightTableTest, ForgetsWhatWasRemoved) {
  const FlightTable::Joined leader = table_.join(key(a_), budget_, purges_);
  table_.remove(key(a_), leader.flight);
  EXPECT_EQ(table_.size(), 0U);
}

}  // namespace
}  // namespace weir::flow
