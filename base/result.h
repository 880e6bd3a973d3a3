// Expected failures are values: what can go wrong because of the network, a peer, the disk or a
// user's file comes back as a Result. Broken invariants are not errors; see base/check.h.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace weir {

// The kind of a failure, for code that must choose what to do next.
enum class ErrorCode : std::uint8_t {
  Invalid,      // input that breaks its grammar or its contract
  NotFound,     // the named thing does not exist
  Refused,      // a peer or the system said no
  InUse,        // somebody else has it at present
  Timeout,      // a deadline passed
  TooLarge,     // a named limit was exceeded
  Corrupt,      // bytes that fail their own check
  Cancelled,    // the caller went away
  Unavailable,  // cannot be done at present; may work later
  System,       // a system call failed; the message holds strerror's text
};

// A failure: its kind, and one sentence for a person, with the context of the place that knew it.
struct Error {
  ErrorCode code = ErrorCode::Invalid;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

}  // namespace weir
