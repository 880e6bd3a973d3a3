#include "backends/redis/envelope.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/little_endian.h"

namespace weir::backends::redis {
namespace {

// "WIRE", "WIRP" and "WIRL", and the version of what follows.
constexpr std::uint32_t kMagic = 0x45524957;
constexpr std::uint32_t kPieceMagic = 0x50524957;
constexpr std::uint32_t kLeaseMagic = 0x4C524957;
constexpr std::uint32_t kVersion = 1;
// Ten years: a longer one is no writer's.
constexpr std::int64_t kMostExpire_ms = std::int64_t{10} * 366 * 24 * 3600 * 1000;

std::unexpected<Error> corrupt(const char* why) {
  return fail(ErrorCode::Corrupt, std::string("a value in Redis: ") + why);
}

}  // namespace

std::string write_envelope(const Envelope& envelope) {
  std::string out;
  put_number(out, kMagic);
  put_number(out, kVersion);
  put_number(out, envelope.expire_ms);
  put_number(out, envelope.position.log);
  put_number(out, envelope.position.at.ms);
  put_number(out, envelope.position.at.number);
  put_number(out, envelope.generation);
  put_number(out, stable_hash64(out));
  WEIR_CHECK(out.size() == kEnvelopeBytes);
  return out;
}

Result<Envelope> read_envelope(std::string_view& in) {
  if (in.size() < kEnvelopeBytes) return corrupt("it is too short");
  std::string_view rest = in;
  if (take_number<std::uint32_t>(rest) != kMagic) return corrupt("it is not Weir's");
  if (take_number<std::uint32_t>(rest) != kVersion) return corrupt("another version wrote it");
  Envelope out;
  out.expire_ms = take_number<std::int64_t>(rest);
  out.position.log = take_number<std::uint64_t>(rest);
  out.position.at.ms = take_number<std::uint64_t>(rest);
  out.position.at.number = take_number<std::uint64_t>(rest);
  out.generation = take_number<std::uint64_t>(rest);
  const std::string_view covered = in.substr(0, in.size() - rest.size());
  if (take_number<std::uint64_t>(rest) != stable_hash64(covered)) return corrupt("it has changed");
  if (out.expire_ms <= 0 || out.expire_ms > kMostExpire_ms) {
    return corrupt("it says what cannot be");
  }
  in = rest;
  return out;
}

std::string lease_head() {
  std::string out;
  put_number(out, kLeaseMagic);
  put_number(out, kVersion);
  return out;
}

// The token is a lease's end, behind its head and 24 bytes of position.
std::string if_lease_is_held(std::string_view then) {
  return "local had=redis.call('GET',KEYS[1]) "
         "if not had or #had~=#ARGV[1]+24+#ARGV[2] or string.sub(had,1,#ARGV[1])~=ARGV[1] "
         "or string.sub(had,-#ARGV[2])~=ARGV[2] then return 0 end " +
         std::string(then) + " return 1";
}

std::string write_lease(const LeaseValue& lease) {
  std::string out = lease_head();
  put_number(out, lease.position.log);
  put_number(out, lease.position.at.ms);
  put_number(out, lease.position.at.number);
  return out.append(lease.token);
}

Result<LeaseValue> read_lease(std::string_view in) {
  const std::string head = lease_head();
  if (!in.starts_with(head) || in.size() <= head.size() + sizeof(LogPosition)) {
    return corrupt("it is no lease");
  }
  in.remove_prefix(head.size());
  LeaseValue out;
  out.position.log = take_number<std::uint64_t>(in);
  out.position.at.ms = take_number<std::uint64_t>(in);
  out.position.at.number = take_number<std::uint64_t>(in);
  out.token = in;
  return out;
}

std::string write_piece_head(std::uint64_t generation, std::uint64_t index) {
  std::string out;
  put_number(out, kPieceMagic);
  put_number(out, kVersion);
  put_number(out, generation);
  put_number(out, index);
  return out;
}

Result<std::string_view> read_piece(std::string_view in, std::uint64_t generation,
                                    std::uint64_t index) {
  if (!in.starts_with(write_piece_head(generation, index))) {
    return corrupt("not the piece that was asked for");
  }
  return in.substr(kPieceHeadBytes);
}

}  // namespace weir::backends::redis
