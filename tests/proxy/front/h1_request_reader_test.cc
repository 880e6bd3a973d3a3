#include "proxy/front/h1_request_reader.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/support/scripted_connection.h"

namespace weir::front {
namespace {

using http::ParseStatus;

// A reader, its client, and the shared buffer, which is somebody else's after each look.
class H1RequestReaderTest : public testing::Test {
 protected:
  void client_sends(std::string_view bytes, bool served = false) {
    client.sends(bytes);
    ASSERT_EQ(reader.receive(served), IoStatus::Ok);
  }
  void back_to_the_loop() {
    reader.stow();
    std::ranges::fill(batch.room(), '!');
  }
  std::string read_body() {
    std::array<char, 7> piece;
    std::string all;
    while (true) {
      const BodyRead read = reader.read_body(piece);
      if (read.status != BodyRead::Status::Data) return all;
      all.append(piece.data(), read.bytes);
    }
  }

  test::ScriptedClient client;
  std::unique_ptr<Connection> connection = client.connection();
  EventLoop loop;
  AnswerBatch batch{loop};
  conf::Limits limits;
  H1RequestReader reader{*connection, batch, limits};
  http::RequestHead head;
  std::string kept;
};

constexpr std::string_view kPost = "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";

TEST_F(H1RequestReaderTest, ReadsAHeadWhereItWasReceived) {
  // The usual case copies nothing: the views point into the shared buffer.
  client_sends("GET /path HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_EQ(reader.read_head(head), ParseStatus::Done);
  EXPECT_GE(head.target.data(), batch.room().data());
  EXPECT_LT(head.target.data(), batch.room().data() + batch.room().size());
  EXPECT_TRUE(reader.empty());
  EXPECT_TRUE(reader.end_request());
}

TEST_F(H1RequestReaderTest, KeepsAHeadForWhoeverGoesOn) {
  client_sends(kPost);
  ASSERT_EQ(reader.read_head(head), ParseStatus::Done);
  reader.keep_head(head, kept);
  back_to_the_loop();
  EXPECT_EQ(head.target, "/up");
  EXPECT_EQ(kept, kPost);
  const char* const at = head.target.data();
  reader.keep_head(head, kept);
  EXPECT_EQ(head.target.data(), at) << "it moves once";
}

TEST_F(H1RequestReaderTest, GoesOnWithWhatItStowed) {
  // A head and a body in three turns of the loop, and the beginning of the next request.
  client_sends(kPost.substr(0, 20));
  EXPECT_EQ(reader.read_head(head), ParseStatus::NeedMore);
  EXPECT_TRUE(reader.head_begun());
  back_to_the_loop();
  client_sends(std::string(kPost.substr(20)) + "0123");
  ASSERT_EQ(reader.read_head(head), ParseStatus::Done);
  EXPECT_EQ(head.target, "/up");
  reader.keep_head(head, kept);
  EXPECT_EQ(read_body(), "0123");
  back_to_the_loop();
  client_sends("456789GET /ne", true);
  EXPECT_EQ(read_body(), "456789");
  EXPECT_TRUE(reader.end_request());
  back_to_the_loop();
  EXPECT_FALSE(reader.head_begun());
  client_sends("xt HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_EQ(reader.read_head(head), ParseStatus::Done);
  EXPECT_EQ(head.target, "/next");
}

TEST_F(H1RequestReaderTest, PassesOverABodyThatNobodyRead) {
  // As far as it has come; whether more is to come decides if another request can follow.
  client_sends(std::string(kPost) + "0123456789" + std::string(kPost) + "0123");
  ASSERT_EQ(reader.read_head(head), ParseStatus::Done);
  EXPECT_TRUE(reader.end_request());
  ASSERT_EQ(reader.read_head(head), ParseStatus::Done);
  EXPECT_FALSE(reader.end_request());
  EXPECT_TRUE(reader.empty());
}

TEST_F(H1RequestReaderTest, GivesRawBytesBehindAHead) {
  client_sends("GET / HTTP/1.1\r\nHost: a\r\n\r\nraw");
  ASSERT_EQ(reader.read_head(head), ParseStatus::Done);
  std::array<char, 2> piece;
  EXPECT_EQ(reader.read_raw(piece).bytes, 2U);
  EXPECT_EQ(std::string_view(piece.data(), 2), "ra");
  EXPECT_EQ(reader.read_raw(piece).bytes, 1U);
  EXPECT_EQ(reader.read_raw(piece).status, BodyRead::Status::Pending);
}

TEST_F(H1RequestReaderTest, TakesOnlySoMuchAheadOfARequestThatIsServed) {
  constexpr std::size_t kAhead = std::size_t{64} * 1024;
  client_sends(kPost);
  ASSERT_EQ(reader.read_head(head), ParseStatus::Done);
  reader.keep_head(head, kept);
  for (int i = 0; i < 3; ++i) {
    client_sends(std::string(kAhead / 2, 'b'), true);
    back_to_the_loop();
    if (reader.full()) break;
  }
  EXPECT_TRUE(reader.full());
  client.sends("more");
  EXPECT_EQ(reader.receive(true), IoStatus::WouldBlock);
  EXPECT_EQ(client.unread_bytes(), 4U);
  EXPECT_EQ(read_body().size(), 10U);
  EXPECT_FALSE(reader.full());
  EXPECT_EQ(reader.receive(true), IoStatus::Ok);
}

TEST_F(H1RequestReaderTest, HoldsLittleWhenIdle) {
  // Whatever a busy moment needed.
  client_sends("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n");
  ASSERT_EQ(reader.read_head(head), ParseStatus::Done);
  reader.keep_head(head, kept);
  client_sends(std::string(50'000, 'b'), true);
  back_to_the_loop();
  EXPECT_GE(reader.held_bytes(), 50'000U);
  EXPECT_TRUE(reader.end_request());
  reader.trim();
  EXPECT_LE(reader.held_bytes(), 4096U);
}

TEST_F(H1RequestReaderTest, TellsHowItsConnectionEnded) {
  client.half_closes();
  EXPECT_EQ(reader.receive(false), IoStatus::Closed);
  client.resets();
  EXPECT_EQ(reader.receive(false), IoStatus::Failed);
}

TEST_F(H1RequestReaderTest, NeverOverwritesAHeadInUse) {
  // Its views would read another client's bytes.
  client_sends(kPost);
  ASSERT_EQ(reader.read_head(head), ParseStatus::Done);
  client.sends("more");
  EXPECT_DEATH({ [[maybe_unused]] const auto status = reader.receive(true); }, "head_bytes_");
}

}  // namespace
}  // namespace weir::front
