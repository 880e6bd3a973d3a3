#include "backends/redis/reply.h"

#include <gtest/gtest.h>

#include <string>

#include "backends/redis/command.h"

namespace weir::backends::redis {
namespace {

using Type = Reply::Type;

std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

// Of one reply, as text.
std::string shown(const Reply& reply) {
  switch (reply.type) {
    case Type::Nil:
      return "nil";
    case Type::Status:
      return "+" + std::string(reply.bytes());
    case Type::Error:
      return "-" + std::string(reply.bytes());
    case Type::Integer:
      return ":" + std::to_string(reply.integer);
    case Type::Bulk:
      return "$" + std::string(reply.bytes());
    case Type::Array:
      break;
  }
  std::string out = "[";
  for (const Reply& element : reply.elements) out += shown(element) + ",";
  return out + "]";
}

struct Row {
  const char* what;
  std::string bytes;
  std::string shown;
};

const Row kReplies[] = {
    {"a status", "+OK\r\n", "+OK"},
    {"an error", "-MOVED 3999 127.0.0.1:6381\r\n", "-MOVED 3999 127.0.0.1:6381"},
    {"a number", ":-42\r\n", ":-42"},
    {"nothing", "$-1\r\n", "nil"},
    {"no array", "*-1\r\n", "nil"},
    {"an empty string", bulk(""), "$"},
    {"bytes of any kind", bulk(std::string("a\0\r\n$5\r\n", 9)), std::string("$a\0\r\n$5\r\n", 10)},
    {"an empty array", "*0\r\n", "[]"},
    {"arrays in arrays", "*3\r\n*2\r\n:1\r\n" + bulk("x") + "*0\r\n$-1\r\n", "[[:1,$x,],[],nil,]"},
    {"a long string", bulk(std::string(10'000, 'x')), "$" + std::string(10'000, 'x')},
};

TEST(RedisReply, IsTheSameHoweverItsBytesCome) {
  for (const Row& row : kReplies) {
    SCOPED_TRACE(row.what);
    for (std::size_t split = 0; split < std::min<std::size_t>(row.bytes.size(), 64); ++split) {
      ReplyReader reader({});
      ASSERT_TRUE(reader.feed(std::string_view(row.bytes).substr(0, split)));
      const auto early = reader.next();
      ASSERT_TRUE(early);
      ASSERT_FALSE(*early) << "not all of it has come";
      ASSERT_TRUE(reader.feed(std::string_view(row.bytes).substr(split)));
      const auto reply = reader.next();
      ASSERT_TRUE(reply && *reply);
      EXPECT_EQ(shown(**reply), row.shown);
      EXPECT_FALSE(*reader.next());
    }
  }
}

TEST(RedisReply, ManyComeWithOneRead) {
  std::string bytes;
  for (const Row& row : kReplies) bytes += row.bytes;
  ReplyReader reader({});
  ASSERT_TRUE(reader.feed(bytes));
  for (const Row& row : kReplies) {
    const auto reply = reader.next();
    ASSERT_TRUE(reply && *reply) << row.what;
    EXPECT_EQ(shown(**reply), row.shown);
  }
  EXPECT_FALSE(*reader.next());
}

TEST(RedisReply, LongStringsLieInAChunk) {
  ReplyReader reader({});
  ASSERT_TRUE(reader.feed(bulk(std::string(Reply::kChunkBytes - 1, 'a')) +
                          bulk(std::string(Reply::kChunkBytes, 'b'))));
  EXPECT_FALSE((*reader.next())->chunk);
  const Reply longer = **reader.next();
  ASSERT_TRUE(longer.chunk);
  EXPECT_EQ(longer.chunk->filled(), Reply::kChunkBytes);
}

TEST(RedisReply, WhatIsNoneOrTooMuchIsAnError) {
  constexpr ReplyLimits kLimits{.bytes = 1000, .elements = 4};
  struct Bad {
    const char* what;
    std::string bytes;
    ErrorCode code;
  };
  const Bad kBad[] = {
      {"another protocol", "HTTP/1.1 200 OK\r\n\r\n", ErrorCode::Corrupt},
      {"no length", "$x\r\n", ErrorCode::Corrupt},
      {"a negative length", "$-2\r\n", ErrorCode::Corrupt},
      {"too deep", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
       ErrorCode::Corrupt},
      {"more elements than any of ours", "*5\r\n", ErrorCode::TooLarge},
      {"two thousand million elements", "*2000000000\r\n", ErrorCode::TooLarge},
      {"a string that is too long", bulk(std::string(1001, 'x')), ErrorCode::TooLarge},
      {"many that are too long together",
       "*4\r\n" + bulk(std::string(400, 'x')) + bulk(std::string(400, 'x')) +
           bulk(std::string(400, 'x')),
       ErrorCode::TooLarge},
      {"a gigabyte that is yet to come", "$1073741824\r\n" + std::string(1500, 'x'),
       ErrorCode::TooLarge},
  };
  for (const Bad& bad : kBad) {
    ReplyReader reader(kLimits);
    auto reply = reader.feed(bad.bytes) ? reader.next() : Result<std::optional<Reply>>();
    ASSERT_FALSE(reply) << bad.what;
    EXPECT_EQ(reply.error().code, bad.code) << bad.what << ": " << reply.error().message;
  }
}

TEST(RedisReply, AnErrorsCodeIsItsFirstWord) {
  Reply reply;
  reply.text = "OOM command not allowed";
  EXPECT_EQ(reply.error_code(), "");
  reply.type = Type::Error;
  EXPECT_EQ(reply.error_code(), "OOM");
  reply.text = "READONLY";
  EXPECT_EQ(reply.error_code(), "READONLY");
}

TEST(RedisReply, AnErrorIsToldAsOneLineOfPlainText) {
  const auto told = [](std::string text) {
    Reply error;
    error.type = Type::Error;
    error.text = std::move(text);
    return error.refusal();
  };
  EXPECT_EQ(told("NOAUTH Authentication required."), "it answers NOAUTH Authentication required.");
  EXPECT_EQ(told("ERR a\r\nb\x1b[31m\x7f\xc2\x9b"), "it answers ERR a??b?[31m???");
  EXPECT_EQ(told(std::string(200, 'x')), "it answers " + std::string(200, 'x'));
  EXPECT_EQ(told(std::string(201, 'x')), "it answers " + std::string(200, 'x') + "…");
}

TEST(RedisCommand, WordsAreBytes) {
  Commands commands;
  commands.add({"SET", std::string_view("a\0b", 3), "", "\r\n"}).add({"PING"});
  EXPECT_EQ(commands.count(), 2U);
  EXPECT_EQ(commands.bytes(), "*4\r\n" + bulk("SET") + bulk(std::string("a\0b", 3)) + bulk("") +
                                  bulk("\r\n") + "*1\r\n" + bulk("PING"));
}

}  // namespace
}  // namespace weir::backends::redis
