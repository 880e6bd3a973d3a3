// What a Redis server answers, as values, and the reader that makes them of bytes: hiredis' own,
// with bounds that it lacks. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/chunk.h"
#include "base/result.h"

struct redisReader;
struct redisReadTask;
struct redisReplyObjectFunctions;

namespace weir::backends::redis {

struct Reply {
  enum class Type : std::uint8_t { Nil, Status, Error, Integer, Bulk, Array };
  // Strings from this size on lie in a chunk, which an entry may go on to use.
  static constexpr std::size_t kChunkBytes = 4096;

  Type type = Type::Nil;
  std::int64_t integer = 0;
  std::string text;
  Ref<Chunk> chunk;
  std::vector<Reply> elements;

  // Of a Status, an Error or a Bulk.
  std::string_view bytes() const {
    return chunk ? std::string_view(chunk->data(), chunk->filled()) : std::string_view(text);
  }
  bool is_error() const { return type == Type::Error; }
  // "OOM" of "OOM command not allowed …"; empty: it is no error.
  std::string_view error_code() const;
  // Of an Error, for the log: what it says, without control characters, and no page of it.
  std::string refusal() const;
};

// The value of `name` in what INFO answers; empty: it is not there.
std::string info_field(std::string_view info, std::string_view name);
// Which run of a server that is, by what it answers to INFO server and INFO replication: another
// one after each start, and after each time that it is made master. Empty: it does not say.
std::string run_of(std::string_view server, std::string_view replication);

struct ReplyLimits {
  std::size_t bytes = std::size_t{16} << 20U;  // of one reply, all of its strings together
  std::size_t elements = 4096;                 // of one array
};

class ReplyReader {
 public:
  explicit ReplyReader(const ReplyLimits& limits);
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  // Bytes as they came. Nothing is of use after an error: the stream has lost its meaning.
  Result<void> feed(std::string_view bytes);
  // The next whole reply; empty: more bytes are needed. Corrupt: no protocol that we know;
  // TooLarge: beyond the limits, told as soon as that is certain.
  Result<std::optional<Reply>> next();

 private:
  struct Building;
  struct Functions;

  Result<void> within_limits() const;

  const ReplyLimits limits_;
  const std::unique_ptr<Building> building_;
  redisReader* const reader_;
};

}  // namespace weir::backends::redis
