#include "proxy/front/h1_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <tuple>
#include <vector>

#include "backends/backend.h"
#include "base/check.h"
#include "base/net/listener.h"
#include "tests/support/temp_dir.h"

namespace weir::front {
namespace {

// A socket that takes as much as it is told to, and keeps it.
class FakeConnection final : public Connection {
 public:
  IoResult read(std::span<char>) override { return {IoStatus::WouldBlock}; }
  IoResult write(std::span<const iovec> given) override {
    if (gone) return {IoStatus::Closed};
    std::size_t room = most_per_write;
    std::size_t taken = 0;
    for (const iovec& part : given) {
      const std::size_t bytes = std::min(room, part.iov_len);
      sent.append(static_cast<const char*>(part.iov_base), bytes);
      room -= bytes;
      taken += bytes;
    }
    ++writes;
    parts = given.size();
    if (taken == 0) return {IoStatus::WouldBlock};
    return {IoStatus::Ok, taken};
  }
  std::string fault() const override { return {}; }
  void shutdown_write() override {}
  PeerState peer_state() const override { return PeerState::Open; }
  void reset_on_close() override {}
  void set_handler(ConnectionHandler&) override {}
  void want(bool, bool) override {}

  std::string sent;
  std::size_t most_per_write = SIZE_MAX;
  int writes = 0;
  std::size_t parts = 0;  // of the last write
  bool gone = false;
};

// A body that comes in the portions that the test lets in.
class FakeSource final : public BodySource {
 public:
  Pull pull(std::span<iovec> parts) override {
    Pull out;
    if (available.empty()) {
      out.status = broken ? Status::Failed : ended ? Status::End : Status::Pending;
      return out;
    }
    out.status = Status::Data;
    out.parts = 1;
    out.bytes = available.size();
    out.last = ended && announce_end;
    parts[0] = {available.data(), available.size()};
    return out;
  }
  void consume(std::size_t bytes) override { available.erase(0, bytes); }

  std::string available;
  bool ended = false;
  bool announce_end = false;
  bool broken = false;
};

using Status = H1Output::Status;

// A stored response whose body is of this size: inline up to Entry::kInlineBody.
backends::EntryRef stored(std::size_t body) {
  backends::EntryParts parts;
  parts.fields.add("ETag", "\"1\"");
  parts.body = make_body(std::string(body, 'b'));
  return backends::make_entry(std::move(parts));
}

constexpr std::size_t kInline = backends::Entry::kInlineBody;
constexpr std::string_view kStoredHead = "HTTP/1.1 200 OK\r\nAge: 1\r\nETag: \"1\"\r\n\r\n";

// As the session sends it.
void set(H1Output& output, const backends::EntryRef& entry, EntryBody& body, bool with_body) {
  output.head() += entry->status_line();
  output.head() += "Age: 1\r\n";
  output.set_stored(entry, with_body);
  if (!with_body || entry->has_inline_body()) return;
  EventLoop loop;  // nothing of it has to be waited for
  body.reset(entry, loop, nullptr);
  output.set_body(&body, H1Output::BodyFraming::Plain);
}

TEST(H1Output, SendsAStoredResponseInOneWrite) {
  // A small body is one part with the stored head, a larger one a third part, none for HEAD.
  for (const auto& [size, with_body, parts] :
       {std::tuple(std::size_t{4}, true, 2), std::tuple(kInline, true, 2),
        std::tuple(kInline + 1, true, 3), std::tuple(std::size_t{0}, true, 2),
        std::tuple(std::size_t{4}, false, 2), std::tuple(kInline + 1, false, 2)}) {
    const backends::EntryRef entry = stored(size);
    EntryBody body;
    H1Output output;
    set(output, entry, body, with_body);
    FakeConnection connection;
    EXPECT_EQ(output.flush(connection), Status::Done);
    const std::size_t sent = with_body ? size : 0;
    EXPECT_EQ(connection.sent, std::string(kStoredHead) + std::string(sent, 'b'));
    EXPECT_EQ(connection.writes, 1);
    EXPECT_EQ(connection.parts, static_cast<std::size_t>(parts));
    EXPECT_EQ(output.body_bytes(), sent);
  }
}

TEST(H1Output, SendsAStoredResponsePieceByPiece) {
  // However little the socket takes, the same bytes arrive and as many are counted as body.
  for (const std::size_t size : {std::size_t{10}, kInline + 10}) {
    const backends::EntryRef entry = stored(size);
    for (const std::size_t most : {1U, 7U, 45U, 1000U}) {
      EntryBody body;
      H1Output output;
      set(output, entry, body, true);
      FakeConnection connection;
      connection.most_per_write = most;
      while (output.flush(connection) == Status::Blocked) {
        const std::size_t head = std::min(connection.sent.size(), kStoredHead.size());
        ASSERT_EQ(output.body_bytes(), connection.sent.size() - head);
      }
      EXPECT_EQ(connection.sent, std::string(kStoredHead) + std::string(size, 'b'));
      EXPECT_EQ(output.body_bytes(), size);
    }
  }
}

TEST(H1Output, SendsTheSameBytesHoweverLittleTheSocketTakes) {
  // Every split of a response over writes gives the same stream.
  for (const bool chunked : {false, true}) {
    for (std::size_t most = 1; most < 40; ++most) {
      FakeSource source;
      source.available = "hello world";
      source.ended = true;
      source.announce_end = most % 2 == 0;
      H1Output output;
      output.head() = "HEAD\r\n\r\n";
      output.set_body(&source,
                      chunked ? H1Output::BodyFraming::Chunked : H1Output::BodyFraming::Plain);
      FakeConnection connection;
      connection.most_per_write = most;
      Status status = Status::Blocked;
      for (int i = 0; i < 200 && status == Status::Blocked; ++i) status = output.flush(connection);
      EXPECT_EQ(status, Status::Done) << most;
      EXPECT_EQ(connection.sent,
                chunked ? "HEAD\r\n\r\nb\r\nhello world\r\n0\r\n\r\n" : "HEAD\r\n\r\nhello world")
          << most;
      EXPECT_EQ(output.body_bytes(), 11U);
    }
  }
}

TEST(H1Output, ClosesAChunkBeforeItWaitsForMore) {
  // A client that decodes chunks must not wait for the line end of one whose bytes it has.
  FakeSource source;
  source.available = "one";
  H1Output output;
  output.set_body(&source, H1Output::BodyFraming::Chunked);
  FakeConnection connection;
  EXPECT_EQ(output.flush(connection), Status::Starved);
  EXPECT_EQ(connection.sent, "3\r\none\r\n");
  EXPECT_EQ(connection.writes, 1);
  source.available = "two";
  source.ended = source.announce_end = true;
  EXPECT_EQ(output.flush(connection), Status::Done);
  EXPECT_EQ(connection.sent, "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
}

TEST(H1Output, AChunkKeepsTheSizeThatWasTold) {
  // The source grows while half of a chunk is still to be sent.
  FakeSource source;
  source.available = "abcdef";
  H1Output output;
  output.set_body(&source, H1Output::BodyFraming::Chunked);
  FakeConnection connection;
  connection.most_per_write = 5;  // "6\r\nab"
  EXPECT_EQ(output.flush(connection), Status::Blocked);
  source.available += "ghi";
  source.ended = true;
  connection.most_per_write = SIZE_MAX;
  EXPECT_EQ(output.flush(connection), Status::Done);
  EXPECT_EQ(connection.sent, "6\r\nabcdef\r\n3\r\nghi\r\n0\r\n\r\n");
}

TEST(H1Output, NeverEndsABodyThatBrokeOff) {
  // The last chunk is the word that a body is whole.
  FakeSource source;
  source.available = "half";
  source.broken = true;
  H1Output output;
  output.set_body(&source, H1Output::BodyFraming::Chunked);
  FakeConnection connection;
  EXPECT_EQ(output.flush(connection), Status::SourceFailed);
  EXPECT_EQ(connection.sent, "4\r\nhalf\r\n");
}

TEST(H1Output, TellsThatTheClientIsGone) {
  FakeSource source;
  source.available = "x";
  H1Output output;
  output.set_body(&source, H1Output::BodyFraming::Plain);
  FakeConnection connection;
  connection.gone = true;
  EXPECT_EQ(output.flush(connection), Status::PeerGone);
}

TEST(H1Output, SendsABodyOfMoreChunksThanOneWriteTakes) {
  backends::EntryParts parts;
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const std::string piece = std::string(100, '.') + "<" + std::to_string(i) + ">";
    parts.body.append(make_body(piece).pieces()[0]);
    expected += piece;
  }
  const backends::EntryRef entry = backends::make_entry(std::move(parts));
  EntryBody body;
  EventLoop loop;  // nothing of it has to be waited for
  body.reset(entry, loop, nullptr);
  H1Output output;
  output.set_body(&body, H1Output::BodyFraming::Plain);
  FakeConnection connection;
  EXPECT_EQ(output.flush(connection), Status::Done);
  EXPECT_EQ(connection.sent, expected);
}

// A body in a file, of which some blocks may be sent from there, and the others are to be read.
class FarInFile final : public backends::FarBody {
 public:
  FarInFile(int file, std::string bytes, std::vector<bool> in_file)
      : file_(file), bytes_(std::move(bytes)), in_file_(std::move(in_file)) {}

  std::uint64_t size() const override { return bytes_.size(); }
  std::uint64_t readable() const override { return bytes_.size(); }
  Ref<const Chunk> block_now(std::uint64_t index) const override {
    const std::string_view block =
        std::string_view(bytes_).substr(index * kBlockBytes, kBlockBytes);
    Ref<Chunk> chunk = Chunk::allocate(block.size());
    std::ranges::copy(block, chunk->free_space().begin());
    chunk->advance(block.size());
    return chunk;
  }
  FileRange range_now(std::uint64_t at, std::int64_t) const override {
    std::uint64_t end = at / kBlockBytes;
    while (end < in_file_.size() && in_file_[end]) ++end;
    const std::uint64_t until = std::min<std::uint64_t>(end * kBlockBytes, bytes_.size());
    return {file_, at, until > at ? until - at : 0};
  }
  std::unique_ptr<backends::PendingAnswer> read_block(std::uint64_t, EventLoop&,
                                                      Waiter&) const override {
    return nullptr;
  }

 private:
  const int file_;
  const std::string bytes_;
  const std::vector<bool> in_file_;
};

TEST(H1Output, SendsWhatMayBeSentFromItsFileAndReadsTheRest) {
  std::string bytes;
  while (bytes.size() < 4 * backends::FarBody::kBlockBytes + 1000) {
    bytes += std::to_string(bytes.size()) + " ";
  }
  const test::TempDir folder;
  const Fd file(open(folder.write("f", bytes).c_str(), O_RDONLY | O_CLOEXEC));
  const std::vector<bool> rows[] = {{true, true, true, true, true},
                                    {false, false, false, false, false},
                                    {false, true, true, false, true},
                                    {true, false, false, true, false}};
  for (const std::vector<bool>& in_file : rows) {
    for (const std::size_t most : {std::size_t{7'001}, std::size_t{100'000}, SIZE_MAX}) {
      EventLoop loop;
      backends::EntryParts parts;
      parts.fields.add("ETag", "\"1\"");
      parts.far_body = make_ref<FarInFile>(file.get(), bytes, in_file);
      EntryBody body;
      H1Output output;
      output.head() += "head ";
      body.reset(backends::make_entry(std::move(parts)), loop, nullptr);
      output.set_body(&body, H1Output::BodyFraming::Plain);
      FakeConnection connection;
      connection.most_per_write = most;
      Status status = Status::Blocked;
      while (status == Status::Blocked) status = output.flush(connection);
      EXPECT_EQ(status, Status::Done);
      EXPECT_TRUE(connection.sent == "head " + bytes) << most;
      EXPECT_EQ(output.body_bytes(), bytes.size());
    }
  }
}

TEST(H1Output, CutsABodyWhoseFileHasNotWhatItShould) {
  const test::TempDir folder;
  const Fd file(open(folder.write("f", "short").c_str(), O_RDONLY | O_CLOEXEC));
  EventLoop loop;
  backends::EntryParts parts;
  parts.far_body = make_ref<FarInFile>(file.get(), std::string(100, 'x'), std::vector{true});
  EntryBody body;
  H1Output output;
  body.reset(backends::make_entry(std::move(parts)), loop, nullptr);
  output.set_body(&body, H1Output::BodyFraming::Plain);
  FakeConnection connection;
  EXPECT_EQ(output.flush(connection), Status::Blocked);
  EXPECT_EQ(output.flush(connection), Status::PeerGone);
  EXPECT_EQ(connection.sent, "short");
}

}  // namespace
}  // namespace weir::front
