// Answers that leave together when a turn ends: to whom, in which order, and what comes between.
#include "proxy/front/answer_batch.h"

#include <chrono>
#include <vector>

#include "tests/proxy/front/h1_session_fixture.h"

namespace weir::front {
namespace {

using test::ScriptedHandler;

backends::EntryRef entry_of(std::string_view body) {
  backends::EntryParts parts;
  parts.key = "k";
  parts.fields.add(http::FieldId::ContentLength, std::to_string(body.size()));
  parts.body = make_body(body);
  return backends::make_entry(std::move(parts));
}

class NotedSender final : public AnswerBatch::Sender {
 public:
  explicit NotedSender(std::vector<const NotedSender*>& sent) : sent_(sent) {}
  void send_batched() override { sent_.push_back(this); }

 private:
  std::vector<const NotedSender*>& sent_;
};

TEST(AnswerBatchTest, SendsInOrderWhenTheTurnEnds) {
  EventLoop loop;
  AnswerBatch batch(loop);
  std::vector<const NotedSender*> sent;
  NotedSender a(sent), b(sent), c(sent);
  EXPECT_TRUE(batch.add(a, {}));
  EXPECT_TRUE(batch.add(b, {}));
  EXPECT_TRUE(batch.add(c, {}));
  batch.remove(b);
  EXPECT_TRUE(sent.empty());
  loop.turn();
  EXPECT_EQ(sent, (std::vector<const NotedSender*>{&a, &c}));
  EXPECT_TRUE(batch.add(b, {})) << "the next turn is a batch of its own";
  loop.turn();
  EXPECT_EQ(sent.back(), &b);
}

TEST(AnswerBatchTest, CallsNobodyWhoWasRemovedHoweverOftenHeWasAdded) {
  EventLoop loop;
  AnswerBatch batch(loop);
  std::vector<const NotedSender*> sent;
  NotedSender a(sent), b(sent);
  for (NotedSender* sender : {&a, &b, &a, &b, &b}) EXPECT_TRUE(batch.add(*sender, {}));
  batch.remove(b);
  batch.remove(b);
  EXPECT_TRUE(batch.add(b, {})) << "he may come back";
  loop.turn();
  EXPECT_EQ(sent, (std::vector<const NotedSender*>{&a, &a, &b}));
  batch.remove(a);
  batch.remove(b);
  EXPECT_TRUE(batch.add(a, {}));
  batch.remove(a);
  loop.turn();
  EXPECT_EQ(sent.size(), 3U);
}

TEST(AnswerBatchTest, MayBeLeftAndJoinedWhileItSends) {
  // As by a session that ends another one, or has its next answer at once.
  class Meddler final : public AnswerBatch::Sender {
   public:
    Meddler(AnswerBatch& batch, AnswerBatch::Sender& leaves, AnswerBatch::Sender& joins)
        : batch_(batch), leaves_(leaves), joins_(joins) {}
    void send_batched() override {
      batch_.remove(*this);
      batch_.remove(leaves_);
      EXPECT_TRUE(batch_.add(joins_, {}));
    }

   private:
    AnswerBatch& batch_;
    AnswerBatch::Sender& leaves_;
    AnswerBatch::Sender& joins_;
  };
  EventLoop loop;
  AnswerBatch batch(loop);
  std::vector<const NotedSender*> sent;
  NotedSender a(sent), b(sent), c(sent);
  Meddler meddler(batch, b, a);
  EXPECT_TRUE(batch.add(a, {}));
  EXPECT_TRUE(batch.add(meddler, {}));
  EXPECT_TRUE(batch.add(b, {}));
  EXPECT_TRUE(batch.add(c, {}));
  loop.turn();
  EXPECT_EQ(sent, (std::vector<const NotedSender*>{&a, &c, &a}));
}

TEST(AnswerBatchTest, ACrowdThatLeavesCostsNoMoreThanItsNumber) {
  // Looking for each of them among all would take minutes.
  EventLoop loop;
  AnswerBatch batch(loop);
  std::vector<const NotedSender*> sent;
  std::vector<NotedSender> crowd(500'000, NotedSender(sent));
  const auto began = std::chrono::steady_clock::now();
  for (NotedSender& sender : crowd) batch.add(sender, {});
  for (NotedSender& sender : crowd) batch.remove(sender);
  loop.turn();
  EXPECT_TRUE(sent.empty());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST(AnswerBatchTest, KeepsRequestsWhereTheyLieUntilThen) {
  EventLoop loop;
  AnswerBatch batch(loop);
  std::vector<const NotedSender*> sent;
  NotedSender sender(sent);
  const std::size_t all = batch.room().size();
  const char* const begin = batch.room().data();
  EXPECT_TRUE(batch.add(sender, {begin, 1000}));
  EXPECT_EQ(batch.room().data(), begin + 1000);
  EXPECT_TRUE(batch.add(sender, "a request in a buffer of its session's own"));
  EXPECT_EQ(batch.room().data(), begin + 1000);
  EXPECT_TRUE(batch.add(sender, {begin + 1000, 500}));
  EXPECT_EQ(batch.room().size(), all - 1500);
  EXPECT_FALSE(batch.add(sender, {begin + 1500, all - 2000})) << "others could hardly receive";
  EXPECT_EQ(batch.room().size(), all - 1500);
  loop.turn();
  EXPECT_EQ(sent.size(), 3U);
  EXPECT_EQ(batch.room().size(), all);
}

TEST(AnswerBatchTest, MayGoBeforeItsLoopHasTurned) {
  EventLoop loop;
  std::vector<const NotedSender*> sent;
  NotedSender sender(sent);
  {
    AnswerBatch batch(loop);
    EXPECT_TRUE(batch.add(sender, {}));
  }
  loop.turn();
  EXPECT_TRUE(sent.empty());
}

// Handlers that answer from memory within start(): the target is the body.
class BatchedAnswer : public H1SessionTest {
 protected:
  BatchedAnswer() {
    handlers.at_start = [](ScriptedHandler& handler) {
      Exchange& exchange = handler.exchange();
      exchange.send_entry(entry_of(exchange.request().target), {});
    };
  }
  // Its bytes reach the session, but the loop's turn goes on.
  void arrives(std::string_view bytes) {
    client.sends(bytes);
    ASSERT_TRUE(client.deliver());
  }
};

TEST_F(BatchedAnswer, LeavesWhenTheTurnEnds) {
  connect();
  arrives(get("/a"));
  EXPECT_EQ(handlers.started, 1);
  expect_nothing();
  // Others receive behind it: its request is read again when it ends, for the log.
  std::ranges::fill(batch_.room(), '!');
  EXPECT_EQ(handlers.last().exchange().request().target, "/a");
  loop.turn();
  expect_response(ok("/a"));
  EXPECT_EQ(handlers.finished, 1);
}

TEST_F(BatchedAnswer, LeavesBeforeMoreIsReadFromItsClient) {
  connect();
  arrives(get("/a"));
  arrives(get("/b"));
  expect_response(ok("/a"));
  loop.turn();
  expect_response(ok("/b"));
  EXPECT_EQ(handlers.finished, 2);
}

TEST_F(BatchedAnswer, LeavesAtOnceWhereOtherRequestsWaitBehindIt) {
  connect();
  arrives(get("/a") + get("/b"));
  expect_response(ok("/a"));
  loop.turn();
  expect_response(ok("/b"));
}

TEST_F(BatchedAnswer, LeavesAtOnceWhenItsBodyWasReadForIt) {
  // Of a turn of them all would be in memory at a time.
  const std::string large(10'000, 'x');
  connect();
  for (const bool is_kept : {false, true}) {
    SCOPED_TRACE(is_kept ? "a store in memory has it" : "nobody else has it");
    const auto account = make_ref<backends::ByteAccount>();
    handlers.at_start = [&](ScriptedHandler& handler) {
      const backends::EntryRef entry = entry_of(large);
      if (is_kept && account->try_add(entry->charge(), UINT64_MAX)) entry->bind_account(account);
      handler.exchange().send_entry(entry, {});
    };
    arrives(get("/a"));
    if (is_kept) {
      expect_nothing();
      loop.turn();
    }
    expect_response(ok(large));
    loop.turn();
  }
}

TEST_F(BatchedAnswer, GoesOnWhenTheClientTakesMore) {
  // What it is about is kept: by then others have received where it lay.
  connect();
  client.takes(5);
  client_sends(get("/abcdefgh"));
  expect_response("HTTP/");
  EXPECT_EQ(handlers.last().exchange().request().target, "/abcdefgh");
  client_takes_all();
  expect_response(ok("/abcdefgh").substr(5));
  EXPECT_EQ(handlers.finished, 1);
}

TEST_F(BatchedAnswer, IsNotSentWhereTheSessionEndsFirst) {
  connect();
  arrives(get("/a"));
  session_.reset();
  EXPECT_EQ(handlers.finished, 1);
  loop.turn();
  EXPECT_EQ(handlers.finished, 1);
}

TEST_F(BatchedAnswer, IsTheLastWhereTheServerDrainsMeanwhile) {
  connect();
  arrives(get("/a"));
  server_drains();
  EXPECT_EQ(client.received(), ok("/a"));
  EXPECT_TRUE(client.sees_end());
}

}  // namespace
}  // namespace weir::front
