#include "proxy/values/value_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "base/text.h"
#include "conf/units.h"

namespace weir::values {
namespace {

using http::Method;
using Kind = ValueCall::Kind;

constexpr std::string_view kPath = "/v1/keys";
constexpr std::size_t kMostListed = 1000;
constexpr std::int64_t kLongestLease_ms = 3'600'000;
constexpr std::int64_t kLongestWait_ms = 300'000;
constexpr std::int64_t kUsualWait_ms = 30'000;

auto fault(std::string_view field, std::string message) {
  return std::unexpected(ValueFault{400, std::string(field), std::move(message)});
}

// The parameters of a query, each once at most, and of known names.
class Parameters {
 public:
  static std::expected<Parameters, ValueFault> parse(std::string_view query,
                                                     std::span<const std::string_view> known) {
    Parameters out;
    while (!query.empty()) {
      const std::string_view pair = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(pair.size() + 1, query.size()));
      if (pair.empty()) continue;
      const std::string_view name = pair.substr(0, pair.find('='));
      const auto at = std::ranges::find(known, name);
      if (at == known.end()) {
        return fault(name,
                     fmt::format("is not known here (there are: {})", fmt::join(known, ", ")));
      }
      if (out.raw(name)) return fault(name, "is given twice");
      out.pairs_.emplace_back(name, pair.size() > name.size() ? pair.substr(name.size() + 1) : "");
    }
    return out;
  }

  std::optional<std::string_view> raw(std::string_view name) const {
    const auto found = std::ranges::find(pairs_, name, &Pair::first);
    return found == pairs_.end() ? std::nullopt : std::optional(found->second);
  }
  // Empty: it is not given.
  std::expected<std::optional<std::string>, ValueFault> text(std::string_view name) const {
    const auto value = raw(name);
    if (!value) return std::nullopt;
    auto decoded = decode_percent(*value, true);
    if (!decoded) return fault(name, "has an escape that is none (% and two digits)");
    return decoded;
  }
  // Milliseconds.
  std::expected<std::optional<std::int64_t>, ValueFault> duration(std::string_view name) const {
    const auto given = text(name);
    if (!given) return std::unexpected(given.error());
    if (!*given) return std::nullopt;
    const auto parsed = conf::parse_duration_ms(**given);
    if (!parsed) return fault(name, parsed.error().message);
    return *parsed;
  }

 private:
  using Pair = std::pair<std::string_view, std::string_view>;
  std::vector<Pair> pairs_;
};

constexpr std::array<std::string_view, 1> kBackend = {"backend"};
constexpr std::array<std::string_view, 3> kGet = {"backend", "lease", "wait"};
constexpr std::array<std::string_view, 3> kSet = {"backend", "duration", "lease"};
constexpr std::array<std::string_view, 2> kDelete = {"backend", "lease"};
constexpr std::array<std::string_view, 4> kList = {"backend", "match", "limit", "cursor"};

std::expected<std::optional<std::int64_t>, ValueFault> read_duration(const Parameters& given) {
  const auto ms = given.duration("duration");
  if (!ms) return std::unexpected(ms.error());
  if (!*ms) return std::nullopt;
  if (**ms < 1000) return fault("duration", "is less than a second");
  return **ms / 1000;
}

std::expected<void, ValueFault> read_lease(const Parameters& given, ValueCall& call) {
  const auto lease = given.duration("lease");
  if (!lease) return std::unexpected(lease.error());
  const auto wait = given.duration("wait");
  if (!wait) return std::unexpected(wait.error());
  if (*wait && !*lease) return fault("wait", "goes with lease");
  if (!*lease) return {};
  if (**lease < 1 || **lease > kLongestLease_ms) return fault("lease", "is not in 1ms to 1h");
  if (wait->value_or(0) > kLongestWait_ms) return fault("wait", "is more than 5m");
  call.kind = Kind::GetOrLease;
  call.lease_ms = **lease;
  call.wait_ms = wait->value_or(kUsualWait_ms);
  return {};
}

std::expected<void, ValueFault> read_list(const Parameters& given, ValueCall& call) {
  const auto match = ValuePattern::parse(given.raw("match").value_or("*"), true);
  if (!match) return fault("match", "has an escape that is none (% and two digits)");
  call.pattern = *match;
  const auto cursor = given.text("cursor");
  if (!cursor) return std::unexpected(cursor.error());
  call.cursor = cursor->value_or("");
  if (const auto limit = given.raw("limit")) {
    const std::optional<std::uint64_t> number = parse_decimal(*limit);
    if (!number || *number < 1 || *number > kMostListed) {
      return fault("limit", fmt::format("is no number from 1 to {}", kMostListed));
    }
    call.limit = *number;
  }
  return {};
}

// Of one value, or, when clearing, of a pattern of them.
std::expected<void, ValueFault> read_name(std::string_view tail, ValueCall& call) {
  auto pattern = ValuePattern::parse(tail, false);
  if (!pattern) return fault("key", "has an escape that is none (% and two digits)");
  if (pattern->has_star()) {
    if (call.kind != Kind::Clear) {
      return fault("key", "is a pattern, and one key is meant: write a star as %2A");
    }
    call.kind = Kind::ClearPattern;
    call.pattern = std::move(*pattern);
    return {};
  }
  if (pattern->name().empty()) return fault("key", "is empty");
  if (pattern->name().size() > kMostNameBytes) {
    return fault("key", fmt::format("has more than {} bytes", kMostNameBytes));
  }
  call.name = pattern->name();
  return {};
}

std::span<const std::string_view> known_parameters(Kind kind) {
  switch (kind) {
    case Kind::Get:
      return kGet;
    case Kind::Set:
      return kSet;
    case Kind::GetOrSet:
      return kSet;
    case Kind::Clear:
      return kDelete;
    case Kind::List:
      return kList;
    default:
      return kBackend;
  }
}

std::optional<Kind> kind_of(Method method, bool is_all) {
  switch (method) {
    case Method::Get:
    case Method::Head:
      return is_all ? Kind::List : Kind::Get;
    case Method::Delete:
      return is_all ? Kind::ClearAll : Kind::Clear;
    case Method::Put:
      return is_all ? std::nullopt : std::optional(Kind::Set);
    case Method::Post:
      return is_all ? std::nullopt : std::optional(Kind::GetOrSet);
    default:
      return std::nullopt;
  }
}

std::expected<void, ValueFault> read_rest(const Parameters& given, ValueCall& call) {
  switch (call.kind) {
    case Kind::Get:
      return read_lease(given, call);
    case Kind::Set:
    case Kind::GetOrSet: {
      const auto duration = read_duration(given);
      if (!duration) return std::unexpected(duration.error());
      call.duration_s = *duration;
      if (const auto token = given.raw("lease")) call.token = *token;
      return {};
    }
    case Kind::Clear:
      if (const auto token = given.raw("lease")) {
        call.kind = Kind::EndLease;
        call.token = *token;
      }
      return {};
    case Kind::ClearPattern:
      if (given.raw("lease")) return fault("lease", "is one key's, and this is a pattern");
      return {};
    case Kind::List:
      return read_list(given, call);
    default:
      return {};
  }
}

}  // namespace

bool is_value_path(std::string_view path) {
  return path.starts_with(kPath) && (path.size() == kPath.size() || path[kPath.size()] == '/');
}

std::string_view allowed_methods(std::string_view path) {
  return path == kPath ? "GET, HEAD, DELETE" : "GET, HEAD, PUT, POST, DELETE";
}

std::expected<ValueCall, ValueFault> read_value_call(Method method, std::string_view path,
                                                     std::string_view query) {
  const bool is_all = path.size() == kPath.size();
  const auto kind = kind_of(method, is_all);
  if (!kind) {
    const std::string message = fmt::format("here is only {}", allowed_methods(path));
    return std::unexpected(ValueFault{405, "method", message});
  }
  ValueCall call;
  call.kind = *kind;
  const auto given = Parameters::parse(query, known_parameters(*kind));
  if (!given) return std::unexpected(given.error());
  const auto backend = given->text("backend");
  if (!backend) return std::unexpected(backend.error());
  call.backend = *backend;
  if (!is_all) {
    const auto named = read_name(path.substr(kPath.size() + 1), call);
    if (!named) return std::unexpected(named.error());
  }
  const auto rest = read_rest(*given, call);
  if (!rest) return std::unexpected(rest.error());
  return call;
}

}  // namespace weir::values
