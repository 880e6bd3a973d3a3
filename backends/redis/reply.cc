#include "backends/redis/reply.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <new>
#include <utility>

namespace weir::backends::redis {
namespace {

// hiredis counts elements in another type from its version 1 on.
#if HIREDIS_MAJOR >= 1
using Count = std::size_t;
#else
using Count = int;
#endif

// Of a reply's own bytes: types, lengths, line ends.
constexpr std::size_t kFraming = 64;
// Of what a server says: some explain at length how it is to be configured.
constexpr std::size_t kMostTold = 200;

}  // namespace

std::string_view Reply::error_code() const {
  if (!is_error()) return {};
  return bytes().substr(0, bytes().find(' '));
}

std::string Reply::refusal() const {
  std::string said(bytes().substr(0, kMostTold));
  std::ranges::replace_if(said, [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return "it answers " + said + (bytes().size() > kMostTold ? "…" : "");
}

std::string info_field(std::string_view info, std::string_view name) {
  for (std::size_t at = 0; at < info.size();) {
    const std::size_t end = std::min(info.find("\r\n", at), info.size());
    const std::string_view line = info.substr(at, end - at);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
      return std::string(line.substr(name.size() + 1));
    }
    at = end + 2;
  }
  return {};
}

std::string run_of(std::string_view server, std::string_view replication) {
  const std::string run_id = info_field(server, "run_id");
  return run_id.empty() ? run_id : run_id + "/" + info_field(replication, "master_replid");
}

// What the reply that is being read takes so far.
struct ReplyReader::Building {
  ReplyLimits limits;
  std::size_t bytes = 0;
  bool over_limits = false;
};

// What hiredis calls for each part of a reply. An array's elements are made with it, so that a part
// is written into its place. A null makes hiredis give up.
struct ReplyReader::Functions {
  static Building& building_of(const redisReadTask* task) {
    return *static_cast<Building*>(task->privdata);
  }

  static Reply* place(const redisReadTask* task) {
    if (!task->parent) return new (std::nothrow) Reply;
    return &static_cast<Reply*>(task->parent->obj)->elements[static_cast<std::size_t>(task->idx)];
  }

  static Reply::Type type_of(const redisReadTask* task) {
    if (task->type == REDIS_REPLY_STATUS) return Reply::Type::Status;
    return task->type == REDIS_REPLY_ERROR ? Reply::Type::Error : Reply::Type::Bulk;
  }

  static void* string(const redisReadTask* task, char* bytes, std::size_t size) {
    Building& building = building_of(task);
    building.bytes += size;
    building.over_limits = building.bytes > building.limits.bytes;
    Reply* const reply = building.over_limits ? nullptr : place(task);
    if (!reply) return nullptr;
    reply->type = type_of(task);
    if (size < Reply::kChunkBytes) {
      reply->text.assign(bytes, size);
      return reply;
    }
    reply->chunk = Chunk::allocate(size);
    std::copy_n(bytes, size, reply->chunk->free_space().data());
    reply->chunk->advance(size);
    return reply;
  }

  static void* array(const redisReadTask* task, Count elements) {
    Building& building = building_of(task);
    // A negative one, which the signed type of older releases has, is more than any limit.
    const auto count = static_cast<std::size_t>(elements);
    building.over_limits = count > building.limits.elements;
    Reply* const reply = building.over_limits ? nullptr : place(task);
    if (!reply) return nullptr;
    reply->type = Reply::Type::Array;
    reply->elements.resize(count);
    return reply;
  }

  static void* integer(const redisReadTask* task, long long value) {
    Reply* const reply = place(task);
    if (!reply) return nullptr;
    reply->type = Reply::Type::Integer;
    reply->integer = value;
    return reply;
  }

  static void* nil(const redisReadTask* task) { return place(task); }

  // Of the outermost part only.
  static void free(void* reply) { delete static_cast<Reply*>(reply); }

  static redisReplyObjectFunctions* table() {
    static redisReplyObjectFunctions functions = [] {
      redisReplyObjectFunctions out{};  // of a newer protocol: never asked for, so never called
      out.createString = string;
      out.createArray = array;
      out.createInteger = integer;
      out.createNil = nil;
      out.freeObject = free;
      return out;
    }();
    return &functions;
  }
};

ReplyReader::ReplyReader(const ReplyLimits& limits)
    : limits_(limits),
      building_(std::make_unique<Building>(limits)),
      reader_(redisReaderCreateWithFunctions(Functions::table())) {
  if (!reader_) throw std::bad_alloc();
  reader_->privdata = building_.get();
}

ReplyReader::~ReplyReader() {
  redisReaderFree(reader_);
}

// What has come of a string that is not there as a whole yet lies in hiredis' buffer.
Result<void> ReplyReader::within_limits() const {
  const std::size_t unread = reader_->len - reader_->pos;
  if (building_->bytes + unread <= limits_.bytes + kFraming * limits_.elements) return {};
  return fail(ErrorCode::TooLarge, "a reply of more bytes than any of ours has");
}

Result<void> ReplyReader::feed(std::string_view bytes) {
  if (redisReaderFeed(reader_, bytes.data(), bytes.size()) != REDIS_OK) {
    return fail(ErrorCode::Corrupt, reader_->errstr);
  }
  return {};
}

Result<std::optional<Reply>> ReplyReader::next() {
  void* object = nullptr;
  if (redisReaderGetReply(reader_, &object) != REDIS_OK) {
    if (building_->over_limits) {
      return fail(ErrorCode::TooLarge, "a reply larger than any of ours");
    }
    return fail(ErrorCode::Corrupt, reader_->errstr);
  }
  if (!object) {
    if (const auto within = within_limits(); !within) return std::unexpected(within.error());
    return std::nullopt;
  }
  const std::unique_ptr<Reply> reply(static_cast<Reply*>(object));
  building_->bytes = 0;
  return std::optional(std::move(*reply));
}

}  // namespace weir::backends::redis
